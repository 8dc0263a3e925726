/* SPDX-License-Identifier: MPL-2.0 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/message.h"
#include "tests/lib/rig_internal.h"

static const char RIG_EVALUATOR[] = "rig evaluator";

/* --- trees --- */

const digest_t *rig_candidate (rig_t *self, const char *text, double cost, double bias)
{
    for (size_t i = 0; i < self->tree_count; i++)
        if (strcmp (self->trees[i].text, text) == 0)
            return &self->trees[i].id;
    assert (self->tree_count < RIG_TREES_MAX);
    tree_t tree = {0};
    digest_t content = digest_of (text, strlen (text)),
             evaluator = digest_of (RIG_EVALUATOR, sizeof RIG_EVALUATOR);
    int rc = tree_add (&tree, "program", false, &content, strlen (text));
    size_t size;
    uint8_t *bytes = tree_encode (&tree, &evaluator, &size);
    assert (rc == 0 && bytes);
    (void)rc;
    size_t at = self->tree_count++;
    self->trees[at].id = digest_of (bytes, size);
    buffer_append (&self->trees[at].tree, bytes, size);
    (void)snprintf (self->trees[at].text, sizeof self->trees[at].text, "%s", text);
    self->trees[at].cost = cost;
    self->trees[at].bias = bias;
    free (bytes);
    tree_clear (&tree);
    return &self->trees[at].id;
}

size_t rig_tree (const rig_t *self, const digest_t *id)
{
    for (size_t i = 0; i < self->tree_count; i++)
        if (digest_equal (&self->trees[i].id, id))
            return i;
    assert (!"a tree that the rig knows");
    return 0;
}

/* --- events on their way --- */

void rig_push (buffer_t *queue, const event_t *event)
{
    buffer_t bytes = {0};
    event_encode (event, &bytes);
    uint64_t size = bytes.size;
    buffer_append (queue, &size, sizeof size);
    buffer_append (queue, bytes.data, bytes.size);
    buffer_clear (&bytes);
}

int rig_find (const rig_t *self, const pubkey_t *key, bool curve)
{
    for (size_t i = 0; i < self->count; i++)
        if (pubkey_equal (curve ? &self->nodes[i].curve.public_key : &self->nodes[i].identity.id, key))
            return (int)i;
    return -1;
}

static void s_deliver (rig_t *self, size_t from, int to, bytes_t body, bytes_t seal)
{
    if (to < 0 || (size_t)to == from || self->nodes[to].rules.deaf || self->nodes[from].rules.deaf)
        return;
    event_t event = {.kind = EVENT_RECEIVED, .as.received = {self->nodes[from].curve.public_key, body, seal}};
    rig_push (&self->nodes[to].inbox, &event);
    self->nodes[to].heard[statement_kind (body.data, body.size)]++;
}

/* Delivers what a voter says with an epoch of its own invention. */
static void s_deliver_vote (rig_t *self, size_t from, int to, bytes_t body)
{
    message_t message;
    buffer_t changed = {0};
    uint8_t seal[SEAL_BYTES];
    int rc = message_decode (body.data, body.size, &message, NULL);
    assert (rc == 0);
    (void)rc;
    message.head.epoch += self->nodes[from].rules.epochs_ahead;
    message_seal (&self->nodes[from].identity, &message.head, &message.as, &changed, seal);
    s_deliver (self, from, to, bytes_of (changed.data, changed.size), bytes_of (seal, SEAL_BYTES));
    buffer_clear (&changed);
    message_clear (&message);
}

static void s_send (rig_t *self, size_t from, int to, bytes_t body, bytes_t seal)
{
    unsigned kind = statement_kind (body.data, body.size);
    bool votes = kind == MESSAGE_FEEDBACK || kind == MESSAGE_VALIDATION_RESULT;
    if (votes && self->nodes[from].rules.epochs_ahead > 0)
        s_deliver_vote (self, from, to, body);
    else
        s_deliver (self, from, to, body, seal);
}

/* --- effects --- */

static void s_lineage (rig_t *self, size_t k, const persist_record_t *record)
{
    candidate_row_t row;
    arena_t arena = {0};
    int rc =
        record_decode (&candidate_row_record, record->bytes.data, record->bytes.size, &row, &arena, NULL);
    assert (rc == 0 && self->lineage_count < RIG_ROWS_MAX);
    (void)rc;
    rig_lineage_t *lineage = &self->lineages[self->lineage_count++];
    *lineage = (rig_lineage_t){.node = k, .id = row.id};
    lineage->cost = row.metrics.count > 0 ? row.metrics.items[0].value : NAN;
    for (size_t i = 0; i < row.parents.count; i++)
        lineage->parents[i] = row.parents.items[i].id;
    arena_clear (&arena);
}

static void s_row (rig_t *self, size_t k, const persist_record_t *record)
{
    improvement_row_t row;
    arena_t arena = {0};
    if (record->table == RECORD_CANDIDATE)
        s_lineage (self, k, record);
    if (record->table != RECORD_IMPROVEMENT)
        return;
    int rc =
        record_decode (&improvement_row_record, record->bytes.data, record->bytes.size, &row, &arena, NULL);
    assert (rc == 0);
    (void)rc;
    size_t i = 0;
    while (i < self->row_count && !(self->rows[i].node == k && digest_equal (&self->rows[i].id, &row.id)))
        i++;
    assert (i < RIG_ROWS_MAX);
    improvement_state_t before = i < self->row_count ? self->rows[i].state : STATE_NONE;
    self->taken[before][row.state] = true;
    if (i == self->row_count)
        self->row_count++;
    bool between = row.intervals.count > 0;
    self->rows[i] = (rig_row_t){.node = k,
                                .id = row.id,
                                .candidate = row.candidate,
                                .state = (improvement_state_t)row.state,
                                .reason = (reason_code_t)row.reason,
                                .gain = row.performance_improvement,
                                .intervals = row.intervals.count,
                                .low = between ? row.intervals.items[0].low : NAN,
                                .high = between ? row.intervals.items[0].high : NAN,
                                .metrics = row.candidate_metrics.count,
                                .approvals = row.approvals,
                                .confirmations = row.confirmations};
    arena_clear (&arena);
}

/* A persisted content that isn't a tree is a package: kept as if it were one, to be fetched by its hash. */
static void s_content (rig_t *self, bytes_t bytes)
{
    digest_t id = digest_of (bytes.data, bytes.size);
    for (size_t i = 0; i < self->tree_count; i++)
        if (digest_equal (&self->trees[i].id, &id))
            return;
    assert (self->tree_count < RIG_TREES_MAX);
    self->trees[self->tree_count].id = id;
    buffer_append (&self->trees[self->tree_count++].tree, bytes.data, bytes.size);
}

static void s_notify (rig_t *self, size_t k, const notify_t *notify)
{
    if (!pubkey_equal (&notify->agent_id, &self->nodes[k].identity.id))
        return;
    buffer_append (&self->types[k], notify->type.data, notify->type.size);
    buffer_append (&self->types[k], " ", 1);
    buffer_t *events = &self->nodes[k].events;
    buffer_append (events, notify->type.data, notify->type.size);
    for (size_t i = 0; i < notify->metadata.count; i++) {
        const entry_t *entry = &notify->metadata.items[i];
        buffer_append (events, " ", 1);
        buffer_append (events, entry->key.data, entry->key.size);
        buffer_append (events, "=", 1);
        buffer_append (events, entry->value.data, entry->value.size);
    }
    buffer_append (events, " ", 2); /* and the end of the string */
}

static void s_act (rig_t *self, size_t k, const effect_t *effect)
{
    const rig_rules_t *rules = &self->nodes[k].rules;
    switch (effect->kind) {
    case EFFECT_PERSIST_STATEMENT: self->nodes[k].statements++; break;
    case EFFECT_PERSIST_RECORD: s_row (self, k, &effect->as.persist_record); break;
    case EFFECT_PERSIST_CONTENT: s_content (self, effect->as.persist_content.bytes); break;
    case EFFECT_PERSIST_DROP:
        self->nodes[k].dropped += (unsigned)effect->as.persist_drop.dropped.count;
        break;
    case EFFECT_PUBLISH:
        for (size_t to = 0; to < self->count; to++)
            s_deliver (self, k, (int)to, effect->as.publish.body, effect->as.publish.seal);
        break;
    case EFFECT_SEND:
        s_send (self, k, rig_find (self, &effect->as.send.peer, false), effect->as.send.body,
                effect->as.send.seal);
        break;
    case EFFECT_SEND_BACK:
        s_send (self, k, rig_find (self, &effect->as.send_back.curve, true), effect->as.send_back.body,
                effect->as.send_back.seal);
        break;
    case EFFECT_SET_INVITE: self->nodes[k].invites_ended += !effect->as.set_invite.live; break;
    case EFFECT_SET_MEMBERS:
    case EFFECT_CANCEL: break;
    case EFFECT_PROPOSE:
        assert (self->nodes[k].proposal_count < RIG_PROPOSALS_MAX);
        self->nodes[k].proposers[self->nodes[k].proposal_count] = effect->as.propose.proposer;
        self->nodes[k].parents[self->nodes[k].proposal_count] = effect->as.propose.parent;
        self->nodes[k].proposals[self->nodes[k].proposal_count++] = effect->as.propose.operation;
        break;
    case EFFECT_EVALUATE: rig_job_evaluate (self, k, &effect->as.evaluate); break;
    case EFFECT_MERGE: rig_job_merge (self, k, &effect->as.merge); break;
    case EFFECT_LOAD: rig_job_load (self, k, &effect->as.load); break;
    case EFFECT_SNAPSHOT:
        rig_job_done (self, k, EVENT_SNAPSHOT_TAKEN, effect->as.snapshot.operation, rules->snapshot_result);
        break;
    case EFFECT_APPLY:
        if (rules->apply_result != 1)
            self->nodes[k].current = effect->as.apply.release;
        rig_job_done (self, k, EVENT_APPLIED, effect->as.apply.operation, rules->apply_result);
        break;
    case EFFECT_RESTORE:
        if (rules->restore_result != 1)
            self->nodes[k].current = effect->as.restore.release;
        rig_job_done (self, k, EVENT_RESTORED, effect->as.restore.operation, rules->restore_result);
        break;
    case EFFECT_FETCH_CONTENT: rig_job_fetch (self, k, &effect->as.fetch_content); break;
    case EFFECT_NOTIFY: s_notify (self, k, &effect->as.notify); break;
    case EFFECT_REPLY:
        self->nodes[k].reply_failed = effect->as.reply.failed;
        text_copy (effect->as.reply.text, self->nodes[k].reply, sizeof self->nodes[k].reply);
        text_copy (effect->as.reply.value, self->nodes[k].value, sizeof self->nodes[k].value);
        break;
    }
}

/* --- steps --- */

void rig_event (rig_t *self, size_t k, event_t event)
{
    effects_t effects = {0};
    event.now_ms = self->now_ms;
    event.wall_ms = 1700000000000u + self->now_ms;
    node_t *twin = rig_twin (self, k);
    int rc = node_step (self->nodes[k].node, &event, &effects);
    assert (rc == 0);
    (void)rc;
    buffer_t entry = {0};
    digest_t digest = effects_digest (&effects, 0);
    rig_twin_step (self, k, twin, &event, &digest);
    event_encode (&event, &entry);
    uint64_t size = entry.size;
    buffer_append (&self->nodes[k].journal, &size, sizeof size);
    buffer_append (&self->nodes[k].journal, digest.bytes, DIGEST_BYTES);
    buffer_append (&self->nodes[k].journal, entry.data, entry.size);
    buffer_clear (&entry);
    for (size_t i = 0; i < effects.count; i++)
        s_act (self, k, &effects.items[i]);
    effects_clear (&effects);
}

/* Takes the first event out of a queue and hands it over; false if there is none. */
static bool s_take (rig_t *self, size_t k)
{
    buffer_t *inbox = &self->nodes[k].inbox;
    uint64_t size;
    if (inbox->size < sizeof size)
        return false;
    memcpy (&size, inbox->data, sizeof size);
    buffer_t bytes = {0};
    buffer_append (&bytes, inbox->data + sizeof size, (size_t)size);
    memmove (inbox->data, inbox->data + sizeof size + size, inbox->size - sizeof size - (size_t)size);
    inbox->size -= sizeof size + (size_t)size;
    event_t event;
    arena_t arena = {0};
    int rc = event_decode (bytes.data, bytes.size, &event, &arena);
    assert (rc == 0);
    (void)rc;
    rig_event (self, k, event);
    arena_clear (&arena);
    buffer_clear (&bytes);
    return true;
}

void rig_settle (rig_t *self)
{
    for (bool busy = true; busy;) {
        busy = false;
        for (size_t k = 0; k < self->count; k++)
            busy = s_take (self, k) || busy;
    }
}

void rig_pass (rig_t *self, uint64_t ms)
{
    uint64_t end_ms = self->now_ms + ms;
    rig_settle (self);
    while (self->now_ms < end_ms) {
        uint64_t next_ms = end_ms;
        for (size_t k = 0; k < self->count; k++) {
            uint64_t due_ms = node_deadline_ms (self->nodes[k].node);
            if (due_ms < next_ms)
                next_ms = due_ms;
        }
        self->now_ms = next_ms > self->now_ms ? next_ms : self->now_ms + 1;
        for (size_t k = 0; k < self->count; k++)
            if (node_deadline_ms (self->nodes[k].node) <= self->now_ms)
                rig_event (self, k, (event_t){.kind = EVENT_TICK});
        rig_settle (self);
    }
}

void rig_find_apart (rig_t *self, const digest_t *theirs, const digest_t *mine)
{
    assert (self->count == 3);
    rig_command (self, 2, "pause", NULL, NULL);
    rig_propose (self, 0, theirs);
    rig_settle (self);
    self->nodes[0].rules.mute = true;
    rig_command (self, 2, "resume", NULL, NULL);
    for (size_t k = 0; k < 2; k++)
        rig_command (self, k, "pause", NULL, NULL);
    rig_propose (self, 2, mine);
    rig_settle (self);
    assert (digest_equal (&self->nodes[2].current, mine));
    self->nodes[0].rules.mute = false;
}

void rig_release (rig_t *self, size_t k)
{
    buffer_append (&self->nodes[k].inbox, self->nodes[k].held.data, self->nodes[k].held.size);
    self->nodes[k].held.size = 0;
}

bool rig_command (rig_t *self, size_t k, const char *name, const char *key, const char *value)
{
    entry_t argument = {text_of (key), text_of (value)};
    event_t event = {.kind = EVENT_COMMAND,
                     .as.command = {.operation = 7,
                                    .name = text_of (name),
                                    .arguments = {&argument, key ? 1 : 0},
                                    .entropy = digest_of (name, strlen (name))}};
    self->nodes[k].reply_failed = true;
    rig_event (self, k, event);
    return !self->nodes[k].reply_failed;
}

bool rig_propose (rig_t *self, size_t k, const digest_t *candidate)
{
    size_t tree = rig_tree (self, candidate);
    event_t event = {
        .kind = EVENT_COMMAND,
        .as.command = {.operation = 7,
                       .name = text_of ("propose"),
                       .content = bytes_of (self->trees[tree].tree.data, self->trees[tree].tree.size)}};
    self->nodes[k].reply_failed = true;
    rig_event (self, k, event);
    return !self->nodes[k].reply_failed;
}

/* --- start and end --- */

static void s_start (rig_t *self, size_t k)
{
    char name[LIMIT_NAME];
    (void)snprintf (name, sizeof name, "node-%zu", k);
    objective_row_t objective = {.name = text_of ("cost"),
                                 .goal = GOAL_MINIMIZE,
                                 .weight = 1,
                                 .noisy = self->noisy,
                                 .bound = NAN,
                                 .alert = NAN};
    proposer_row_t proposers[] = {{.name = text_of ("here"), .share = 1},
                                  {.name = text_of ("away"), .share = 1, .parallel = self->parallel}};
    assert (self->proposers <= 2);
    if (self->reversed) {
        proposer_row_t first = proposers[0];
        proposers[0] = proposers[1];
        proposers[1] = first;
    }
    started_t started = {.charter = bytes_of (self->group.packed.data, self->group.packed.size),
                         .roster = bytes_of (self->members->packed.data, self->members->packed.size),
                         .start = bytes_of (self->trees[0].tree.data, self->trees[0].tree.size),
                         .name = text_of (name),
                         .platform = text_of ("x86_64/rig/1"),
                         .curve = self->nodes[k].curve.public_key,
                         .objectives = {&objective, 1},
                         .timeout_ms = 1000,
                         .slots = self->slots,
                         .learning_rate = 0.1,
                         .islands = 1,
                         .migration_interval = 50,
                         .migration_fraction = 0.1,
                         .confined = 1,
                         .breaker_enabled = !self->breaker_is_off,
                         .breaker_threshold = self->breaker_threshold,
                         .proposers = {proposers, self->proposers},
                         .breaker_recovery_ms = 10000,
                         .automatic_rollback = 1,
                         .auto_share = 1,
                         .compatibility_threshold = 0.7,
                         .transfer_attempts_max = 3,
                         .validate_for_peers = 1};
    rig_event (self, k, (event_t){.kind = EVENT_STARTED, .as.started = started});
    for (size_t peer = 0; peer < self->count; peer++)
        if (peer != k)
            rig_event (
                self, k,
                (event_t){.kind = EVENT_PEER_UP,
                          .as.peer_up = {self->nodes[peer].identity.id, 7, text_of ("x86_64/rig/1"), 0}});
}

rig_t *rig_new (size_t count, const policy_t *policy)
{
    rig_t *self = rig_found (count, policy);
    rig_start (self);
    return self;
}

void rig_start (rig_t *self)
{
    for (size_t k = 0; k < self->count; k++)
        s_start (self, k);
    rig_settle (self);
}

rig_t *rig_found (size_t count, const policy_t *policy)
{
    assert (count >= 1 && count <= RIG_NODES_MAX);
    rig_t *self = calloc (1, sizeof *self);
    assert (self);
    self->count = count;
    self->now_ms = 1000;
    self->breaker_threshold = 2;
    self->slots = 2;
    for (size_t k = 0; k < count; k++) {
        uint8_t seed[SEED_BYTES] = {0, (uint8_t)(k + 1)}; /* X25519 ignores the lowest bits of the first */
        identity_from_seed (seed, &self->nodes[k].identity);
        seed[2] = 1;
        curve_from_seed (seed, &self->nodes[k].curve);
    }
    const digest_t *start = rig_candidate (self, "start", 1, 0);
    digest_t evaluator = digest_of (RIG_EVALUATOR, sizeof RIG_EVALUATOR);
    self->policy = policy ? *policy : policy_default ();
    group_found (&self->group, &self->nodes[0].identity, "rig", "program", &evaluator, start, &self->policy,
                 1);
    self->members = calloc (1, sizeof *self->members);
    assert (self->members);
    int rc = members_found (self->members, &self->group, &self->nodes[0].identity,
                            &self->nodes[0].curve.public_key, "node-0", 2, 1, 1);
    for (size_t k = 1; k < count; k++)
        rc |= members_add (self->members, &self->group, &self->nodes[0].identity, &self->nodes[k].identity.id,
                           &self->nodes[k].curve.public_key, "node", 2 * k + 2, k + 1, 1);
    assert (rc == 0);
    (void)rc;
    for (size_t k = 0; k < count; k++) {
        self->nodes[k].current = *start;
        self->nodes[k].node = node_new (&self->nodes[k].identity);
    }
    return self;
}

void rig_destroy (rig_t **self_p)
{
    rig_t *self = *self_p;
    if (!self)
        return;
    for (size_t k = 0; k < self->count; k++) {
        node_destroy (&self->nodes[k].node);
        buffer_clear (&self->nodes[k].inbox);
        buffer_clear (&self->nodes[k].held);
        buffer_clear (&self->nodes[k].journal);
        buffer_clear (&self->nodes[k].events);
        buffer_clear (&self->types[k]);
    }
    for (size_t i = 0; i < self->tree_count; i++)
        buffer_clear (&self->trees[i].tree);
    members_clear (self->members);
    free (self->members);
    group_clear (&self->group);
    free (self);
    *self_p = NULL;
}

void rig_restart (rig_t *self, size_t k)
{
    digest_t before = node_digest (self->nodes[k].node);
    node_destroy (&self->nodes[k].node);
    self->nodes[k].node = node_new (&self->nodes[k].identity);
    self->nodes[k].inbox.size = self->nodes[k].held.size = 0;
    const buffer_t *journal = &self->nodes[k].journal;
    for (size_t at = 0; at < journal->size;) {
        uint64_t size;
        memcpy (&size, journal->data + at, sizeof size);
        event_t event;
        arena_t arena = {0};
        effects_t effects = {0};
        int rc = event_decode (journal->data + at + sizeof size + DIGEST_BYTES, (size_t)size, &event, &arena);
        rc |= node_step (self->nodes[k].node, &event, &effects);
        digest_t digest = effects_digest (&effects, 0);
        assert (rc == 0 && memcmp (digest.bytes, journal->data + at + sizeof size, DIGEST_BYTES) == 0);
        (void)rc;
        effects_clear (&effects);
        arena_clear (&arena);
        at += sizeof size + DIGEST_BYTES + (size_t)size;
    }
    digest_t after = node_digest (self->nodes[k].node);
    assert (digest_equal (&before, &after));
    (void)after;
    s_start (self, k);
    rig_settle (self);
}

/* --- looking --- */

unsigned rig_events (const rig_t *self, size_t k, const char *type)
{
    unsigned count = 0;
    char word[LIMIT_NAME + 2];
    int size = snprintf (word, sizeof word, "%s ", type);
    const buffer_t *types = &self->types[k];
    for (size_t at = 0; at + (size_t)size <= types->size; at++)
        count +=
            memcmp (types->data + at, word, (size_t)size) == 0 && (at == 0 || types->data[at - 1] == ' ');
    return count;
}

unsigned rig_told (const rig_t *self, size_t k, const char *type, const char *key, const char *value)
{
    unsigned count = 0;
    char begin[LIMIT_NAME + 2], entry[LIMIT_TEXT];
    (void)snprintf (begin, sizeof begin, "%s ", type);
    (void)snprintf (entry, sizeof entry, " %s=%s ", key, value);
    const buffer_t *events = &self->nodes[k].events;
    for (size_t at = 0; at < events->size;) {
        const char *event = (const char *)events->data + at;
        count += strncmp (event, begin, strlen (begin)) == 0 && strstr (event, entry) != NULL;
        at += strlen (event) + 1;
    }
    return count;
}

const rig_lineage_t *rig_lineage (const rig_t *self, size_t k, const digest_t *candidate)
{
    for (size_t i = self->lineage_count; i > 0; i--)
        if (self->lineages[i - 1].node == k && digest_equal (&self->lineages[i - 1].id, candidate))
            return &self->lineages[i - 1];
    return NULL;
}

const rig_row_t *rig_row (const rig_t *self, size_t k, const digest_t *candidate)
{
    for (size_t i = self->row_count; i-- > 0;)
        if (self->rows[i].node == k && digest_equal (&self->rows[i].candidate, candidate))
            return &self->rows[i];
    return NULL;
}

improvement_state_t rig_state (const rig_t *self, size_t k, const digest_t *candidate, reason_code_t *reason,
                               digest_t *improvement)
{
    const rig_row_t *row = rig_row (self, k, candidate);
    if (row && reason)
        *reason = row->reason;
    if (row && improvement)
        *improvement = row->id;
    return row ? row->state : STATE_NONE;
}

improvement_state_t rig_state_now (const rig_t *self, size_t k, const digest_t *candidate)
{
    return rig_state (self, k, candidate, NULL, NULL);
}
