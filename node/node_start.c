/* SPDX-License-Identifier: MPL-2.0 */
/* STARTED: the node learns its surroundings. At the first start it founds its state on them; later it asks again for
 * everything that was under way. */
#include "node/node_life.h"
#include "node/node_peers.h"
#include "node/node_say.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void s_objectives (const started_t *event, objectives_t *objectives)
{
    memset (objectives, 0, sizeof *objectives);
    objectives->count = event->objectives.count;
    for (size_t i = 0; i < event->objectives.count; i++) {
        const objective_row_t *row = &event->objectives.items[i];
        objective_t *objective = &objectives->items[i];
        text_copy (row->name, objective->name, sizeof objective->name);
        text_copy (row->unit, objective->unit, sizeof objective->unit);
        objective->goal = (goal_t)row->goal;
        objective->source = (metric_source_t)row->source;
        objective->weight = row->weight;
        objective->noisy = row->noisy;
        objective->tolerance = row->tolerance;
        objective->has_limit = !isnan (row->bound);
        objective->limit = objective->has_limit ? row->bound : 0;
        objective->has_alert = !isnan (row->alert);
        objective->alert = objective->has_alert ? row->alert : 0;
    }
}

static void s_settings (const started_t *event, settings_t *settings)
{
    memset (settings, 0, sizeof *settings);
    text_copy (event->name, settings->name, sizeof settings->name);
    text_copy (event->platform, settings->platform, sizeof settings->platform);
    text_copy (event->language, settings->language, sizeof settings->language);
    settings->curve = event->curve;
    settings->address_count = event->addresses.count;
    for (size_t i = 0; i < event->addresses.count; i++) {
        text_copy (event->addresses.items[i].rpc, settings->addresses[i].rpc,
                   sizeof settings->addresses[i].rpc);
        text_copy (event->addresses.items[i].pub, settings->addresses[i].pub,
                   sizeof settings->addresses[i].pub);
    }
    settings->proposer_count = event->proposers.count;
    settings->timeout_ms = event->timeout_ms;
    settings->slots = event->slots;
    settings->selection = (selection_t)event->selection;
    settings->islands = (islands_t){.count = event->islands,
                                    .migration_interval = event->migration_interval,
                                    .migration_fraction = event->migration_fraction};
    settings->proposals_max = event->proposals_max;
    settings->candidates_kept = event->candidates_kept;
    settings->confined = event->confined;
    settings->automatic_rollback = event->automatic_rollback;
    settings->auto_share = event->auto_share;
    settings->compatibility_threshold = event->compatibility_threshold;
    settings->transfer_attempts_max = event->transfer_attempts_max;
    settings->validate_for_peers = event->validate_for_peers;
}

/* The very first start: the group, its roster, the release that all begin with. */
static int s_found (node_t *self, const started_t *event)
{
    problem_t problem;
    tree_t start = {0};
    digest_t evaluator;
    members_t *members = calloc (1, sizeof *members);
    assert (members);
    int rc = group_open (event->charter, &self->group, &problem);
    if (!rc)
        rc = members_open (event->roster, &self->group, members, &problem);
    if (!rc)
        rc = tree_decode (event->start.data, event->start.size, &start, &evaluator);
    tree_clear (&start);
    digest_t release = digest_of (event->start.data, event->start.size);
    if (rc || !digest_equal (&release, &self->group.start) ||
        !digest_equal (&evaluator, &self->group.evaluator)) {
        group_clear (&self->group);
        members_clear (members);
        free (members);
        return ERROR_INPUT;
    }
    self->members = members;
    self->live = release;
    buffer_append (&self->live_tree, event->start.data, event->start.size);
    random_init (&self->random, event->seed.bytes);
    learning_rate_init (&self->learning, event->learning_rate);
    if (pubkey_equal (&members->author, &self->identity.id)) {
        /* Rosters that we made before the first start took our first numbers. */
        self->seq = members->seq;
        self->publication = members->publication;
    }
    self->archive = archive_new (&self->objectives);
    assert (self->archive);
    return 0;
}

int on_started (node_t *self, const started_t *event)
{
    assert (self && event);
    if (event->objectives.count == 0 || event->slots == 0 || event->breaker_threshold == 0 ||
        event->breaker_threshold > UINT_MAX || event->islands == 0 || event->migration_interval == 0 ||
        !(event->migration_fraction >= 0 && event->migration_fraction <= 1))
        return ERROR_INPUT;
    objectives_t objectives;
    s_objectives (event, &objectives);
    bool again = self->started;
    if (!again) {
        self->objectives = objectives;
        int rc = s_found (self, event);
        if (rc)
            return rc;
    }
    s_settings (event, &self->settings);
    self->again_none = false; /* how often a package may be tried may have changed */
    propose_settle (self, event);
    int settled = archive_settle (self->archive, &self->settings.islands);
    assert (settled == 0); /* a step can't be half done */
    (void)settled;
    breaker_configure (&self->breaker, event->breaker_enabled, (unsigned)event->breaker_threshold,
                       event->breaker_recovery_ms);
    self->started = true;
    for (size_t i = 0; i < self->peer_count; i++)
        self->peers[i].up = false;
    group_say_members (self);
    for (size_t i = 0; i < self->invitation_count; i++) {
        set_invite_t set = {self->invitations[i].curve, 1};
        effects_add (self->out, EFFECT_SET_INVITE, &set);
    }
    assert (self->members && self->archive && self->live_tree.size > 0);
    if (!again) {
        persist_content_t content = {event->start};
        effects_add (self->out, EFFECT_PERSIST_CONTENT, &content);
    }
    operate_again (self);
    return 0;
}

void on_peer_up (node_t *self, const peer_up_t *event)
{
    assert (self && event);
    known_peer_t *peer = peer_of (self, &event->peer);
    if (!peer || !members_has (self->members, &event->peer))
        return;
    /* A node that finds itself behind (a restored backup) jumps ahead before it speaks; on one peer's word no further than no
     * lie could use the numbers up. */
    if (event->seq_seen > self->seq && self->seq <= UINT64_MAX - 2 * SEQ_JUMP_MAX) {
        uint64_t jump = event->seq_seen - self->seq;
        self->seq += jump < SEQ_JUMP_MAX ? jump + (jump & 1) : SEQ_JUMP_MAX;
    }
    peer->up = true;
    peer->record.validation_types = (unsigned)event->validation_types;
    text_copy (event->platform, peer->record.platform, sizeof peer->record.platform);
    say_outbox_up (self, &event->peer);
    for (size_t i = 0; i < LIMIT_IMPROVEMENTS; i++) {
        if (self->improvements[i].used && self->improvements[i].state == STATE_REVIEWING)
            review_resend (self, i, &event->peer);
        if (self->improvements[i].used && self->improvements[i].state == STATE_VALIDATING)
            validate_resend (self, i, &event->peer);
    }
}
