/* SPDX-License-Identifier: MPL-2.0 */
/* Peers' packages: the package is fetched and verified, then judged by the shape of what it lists, and then the files of both its
 * lists are fetched. Nobody's word counts that is not proved by the package itself. */
#include "node/node_peers.h"
#include "node/node_say.h"

#include <assert.h>
#include <math.h>

#define FETCH_TIMEOUT_MS 20000 /* all others wait so long for an author that is silent */

static bool s_fetch (node_t *self, size_t index, const digest_t *content, bool tree)
{
    assert (index < LIMIT_KNOWLEDGE && self->parcels[index].state != PARCEL_FREE);
    fetch_content_t fetch = {.peer = self->parcels[index].author,
                             .content = *content,
                             .tree = tree,
                             .timeout_ms = FETCH_TIMEOUT_MS};
    return operate (self, EFFECT_FETCH_CONTENT, &fetch, OWNER_PARCEL, index) != 0;
}

void knowledge_fetch (node_t *self, size_t index)
{
    assert (index < LIMIT_KNOWLEDGE && self->parcels[index].state != PARCEL_FREE);
    parcel_move (&self->parcels[index], PARCEL_MOVE_TAKE_UP);
    if (!s_fetch (self, index, &self->parcels[index].package, false))
        knowledge_retry (self, index);
}

/* How well its objectives fit ours. */
static double s_objectives_fit (const node_t *self, const package_t *package)
{
    const char *names[LIMIT_OBJECTIVES];
    goal_t goals[LIMIT_OBJECTIVES];
    char texts[LIMIT_OBJECTIVES][LIMIT_NAME + 1];
    for (size_t i = 0; i < package->performance_impact.count; i++) {
        text_copy (package->performance_impact.items[i].objective, texts[i], sizeof texts[i]);
        names[i] = texts[i];
        goals[i] = (goal_t)package->performance_impact.items[i].goal;
    }
    return compatibility_objectives (&self->objectives, names, goals, package->performance_impact.count);
}

/* All parts of its compatibility but the merge, which shows later. */
static void s_compare (node_t *self, parcel_t *parcel, const package_t *package)
{
    parcel->parts.objectives = s_objectives_fit (self, package);
    parcel->parts.evaluator = digest_equal (&package->evaluator, &self->group.evaluator) ? 1 : 0;
    for (size_t i = 0; i < package->applicability_context.count; i++)
        if (text_equal (package->applicability_context.items[i].key, "platform")) {
            char platform[LIMIT_TEXT + 1];
            text_copy (package->applicability_context.items[i].value, platform, sizeof platform);
            parcel->parts.platform = compatibility_platform (self->settings.platform, platform);
        }
    const known_peer_t *peer = peer_of (self, &parcel->author);
    unsigned seen = peer ? peer->adopted + peer->failed : 0;
    parcel->parts.sender = seen ? (double)peer->adopted / seen : 0.5;
}

static bool s_descends (const package_t *package, const digest_t *release)
{
    bool descends = false;
    for (size_t i = 0; i < package->lineage.count; i++)
        descends = descends || digest_equal (&package->lineage.items[i].id, release);
    return descends;
}

/* What the verified package says, kept for the trial. */
static void s_open (node_t *self, parcel_t *parcel, const package_t *package, const package_report_t *report)
{
    parcel->candidate = report->candidate;
    parcel->base = report->base;
    parcel->alone = report->alone;
    parcel->ancestor = s_descends (package, &self->live) ? self->live : (digest_t){{0}};
    parcel->type = (improvement_type_t)package->improvement_type;
    parcel->files = 0;
    text_copy (package->code_pattern, parcel->description, sizeof parcel->description);
    parcel->base_tree.size = parcel->candidate_tree.size = 0;
    buffer_append (&parcel->base_tree, package->base.data, package->base.size);
    buffer_append (&parcel->candidate_tree, package->candidate.data, package->candidate.size);
    s_compare (self, parcel, package);
}

/* The author of a package without evidence chooses the roster in it. Ours must agree that it was alone then. */
static bool s_was_alone (const node_t *self, const package_report_t *report)
{
    return package_members_at (self->members, report->epoch) == 1 &&
           package_member_at (self->members, report->epoch, &report->author);
}

/* Only the files that may change, within their bounds: judged before any of them is fetched. */
static bool s_shapes_fit (const node_t *self, const parcel_t *parcel)
{
    tree_t live = {0}, base = {0}, candidate = {0};
    digest_t evaluator;
    bool fit =
        tree_decode (self->live_tree.data, self->live_tree.size, &live, &evaluator) == 0 &&
        tree_decode (parcel->base_tree.data, parcel->base_tree.size, &base, &evaluator) == 0 &&
        tree_decode (parcel->candidate_tree.data, parcel->candidate_tree.size, &candidate, &evaluator) == 0 &&
        tree_same_shape (&base, &live) && tree_same_shape (&candidate, &live);
    tree_clear (&live);
    tree_clear (&base);
    tree_clear (&candidate);
    return fit;
}

/* 0 and the message, to be cleared, with what the evidence in it says; or why it is not what it was said to be. */
static int s_verify (const node_t *self, const parcel_t *parcel, bytes_t packed, message_t *message,
                     package_report_t *report)
{
    tree_t base = {0}, candidate = {0};
    int rc = package_verify (packed, &self->group, message, &base, &candidate, report, NULL, NULL, NULL);
    if (rc)
        return rc;
    tree_clear (&base);
    tree_clear (&candidate);
    if (digest_equal (&report->package, &parcel->package) && (!report->alone || s_was_alone (self, report)))
        return 0;
    message_clear (message);
    return ERROR_CONFLICT;
}

static void s_say_received (node_t *self, const parcel_t *parcel)
{
    char author[DIGEST_SHORT_BYTES];
    pubkey_short (&parcel->author, author);
    entry_t metadata[2] = {{text_of ("from"), text_of (author)},
                           {text_of ("description"), text_of (parcel->description)}};
    say_event (self, TYPE_KNOWLEDGE_RECEIVED, &parcel->package, NAN, NULL, metadata, 2);
}

static void s_package_fetched (node_t *self, size_t index, bytes_t packed)
{
    assert (index < LIMIT_KNOWLEDGE && self->parcels[index].state != PARCEL_FREE);
    parcel_t *parcel = &self->parcels[index];
    message_t message = {0};
    package_report_t report;
    if (s_verify (self, parcel, packed, &message, &report)) {
        knowledge_decided (self, index, false, REASON_UNVERIFIED, NULL);
        return;
    }
    s_open (self, parcel, &message.as.package, &report);
    message_clear (&message);
    persist_content_t content = {packed};
    effects_add (self->out, EFFECT_PERSIST_CONTENT, &content);
    if (!parcel->again) {
        self->counts.packages_received++;
        s_say_received (self, parcel);
    }
    if (!s_shapes_fit (self, parcel)) {
        knowledge_decided (self, index, false, REASON_PROTECTED, NULL);
        return;
    }
    parcel_move (parcel, PARCEL_MOVE_VERIFY);
    if (!s_fetch (self, index, &parcel->candidate, true) || !s_fetch (self, index, &parcel->base, true))
        knowledge_retry (self, index);
}

void knowledge_fetched (node_t *self, size_t index, const fetched_t *event)
{
    assert (self && event);
    assert (index < LIMIT_KNOWLEDGE && self->parcels[index].state != PARCEL_FREE);
    parcel_t *parcel = &self->parcels[index];
    assert (parcel->state == PARCEL_FETCHING || parcel->state == PARCEL_FILES);
    if (event->result != 0)
        knowledge_retry (self, index);
    else if (parcel->state == PARCEL_FETCHING)
        s_package_fetched (self, index, event->bytes);
    else if (++parcel->files == 2)
        knowledge_try (self, index);
}
