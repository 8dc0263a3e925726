/* SPDX-License-Identifier: MPL-2.0 */
/* Virtual time, the network and its faults, and the run of one world from its seed to its end. */
#include "tests/sim/sim.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evolution/tree.h"

/* --- time: a heap of what is to come --- */

static bool s_before (const sim_entry_t *a, const sim_entry_t *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

void sim_schedule (sim_t *self, sim_entry_t entry)
{
    if (self->queue_count == self->queue_capacity) {
        self->queue_capacity = self->queue_capacity ? 2 * self->queue_capacity : 256;
        self->queue = realloc (self->queue, self->queue_capacity * sizeof *self->queue);
        assert (self->queue);
    }
    entry.order = ++self->order;
    size_t at = self->queue_count++;
    while (at > 0 && s_before (&entry, &self->queue[(at - 1) / 2])) {
        self->queue[at] = self->queue[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    self->queue[at] = entry;
}

static sim_entry_t s_next (sim_t *self)
{
    assert (self->queue_count > 0);
    sim_entry_t first = self->queue[0], last = self->queue[--self->queue_count];
    size_t at = 0;
    while (2 * at + 1 < self->queue_count) {
        size_t child = 2 * at + 1;
        if (child + 1 < self->queue_count && s_before (&self->queue[child + 1], &self->queue[child]))
            child++;
        if (!s_before (&self->queue[child], &last))
            break;
        self->queue[at] = self->queue[child];
        at = child;
    }
    self->queue[at] = last;
    return first;
}

bool sim_chance (sim_t *self, double probability)
{
    return self->now_ms < SIM_START_MS + SIM_CALM_MS && random_unit (&self->random) < probability;
}

void sim_fail (sim_t *self, const char *format, ...)
{
    if (self->failure[0])
        return;
    va_list arguments;
    va_start (arguments, format);
    int used = snprintf (self->failure, sizeof self->failure,
                         "at %llu ms: ", (unsigned long long)(self->now_ms - SIM_START_MS));
    (void)vsnprintf (self->failure + used, sizeof self->failure - (size_t)used, format, arguments);
    va_end (arguments);
}

uint64_t sim_wall_ms (const sim_node_t *node)
{
    return 1700000000000u + node->sim->now_ms + node->clock_skew_ms;
}

/* --- network --- */

void sim_send (sim_node_t *from, size_t to, bool published, const uint8_t *body, size_t size,
               const uint8_t seal[SEAL_BYTES])
{
    sim_t *self = from->sim;
    if (sim_chance (self, SIM_LOSS)) {
        self->counts.lost_frames++;
        return;
    }
    sim_entry_t entry = {.at_ms = self->now_ms + 1 + random_below (&self->random, SIM_DELAY_MS),
                         .kind = SIM_FRAME,
                         .node = to,
                         .life = self->nodes[to].life,
                         .published = published,
                         .curve = from->curve.public_key};
    statement_pack (body, size, seal, &entry.bytes);
    sim_schedule (self, entry);
}

static void s_deliver (sim_t *self, const sim_entry_t *entry)
{
    sim_node_t *node = &self->nodes[entry->node];
    size_t from = 0;
    while (!pubkey_equal (&self->nodes[from].curve.public_key, &entry->curve))
        from++;
    if (!node->turn || node->life != entry->life ||
        (self->cut && self->side[from] != self->side[entry->node]))
        return;
    statement_t statement;
    if (statement_unpack (bytes_of (entry->bytes.data, entry->bytes.size), &statement))
        return;
    turn_receive (node->turn, entry->published ? NULL : &entry->curve, statement.body, statement.body_size,
                  statement.seal, SEAL_BYTES);
    sim_wake (node);
}

static void s_cut (sim_t *self)
{
    if (self->now_ms + SIM_CUT_LENGTH_MS > SIM_START_MS + SIM_CALM_MS)
        return;
    self->cut = true;
    self->counts.cuts++;
    for (size_t i = 0; i < self->node_count; i++)
        self->side[i] = random_below (&self->random, 2);
    self->side[0] = !self->side[self->node_count - 1];
    sim_schedule (self, (sim_entry_t){.at_ms = self->now_ms + SIM_CUT_LENGTH_MS, .kind = SIM_HEAL});
}

/* A node's next crash: exponential would be exact, uniform around the mean is enough. */
static void s_schedule_crash (sim_t *self, size_t node)
{
    uint64_t at_ms = self->now_ms + 1000 + random_below (&self->random, 2 * SIM_CRASH_MS);
    if (at_ms + SIM_DOWN_MS < SIM_START_MS + SIM_CALM_MS)
        sim_schedule (self, (sim_entry_t){.at_ms = at_ms, .kind = SIM_CRASH, .node = node});
}

static void s_result (sim_t *self, const sim_entry_t *entry)
{
    sim_node_t *node = &self->nodes[entry->node];
    event_t event;
    arena_t arena = {0};
    if (!node->turn || node->life != entry->life)
        return;
    int rc = event_decode (entry->bytes.data, entry->bytes.size, &event, &arena);
    assert (rc == 0);
    (void)rc;
    turn_event (node->turn, &event);
    arena_clear (&arena);
    sim_wake (node);
}

/* --- nodes at work --- */

void sim_wake (sim_node_t *node)
{
    sim_t *self = node->sim;
    if (!node->turn)
        return;
    uint64_t due_ms = turn_deadline_ms (node->turn);
    if (due_ms < self->now_ms)
        due_ms = self->now_ms;
    if (due_ms == UINT64_MAX || due_ms >= node->wake_ms)
        return;
    node->wake_ms = due_ms;
    sim_schedule (self,
                  (sim_entry_t){.at_ms = due_ms, .kind = SIM_WAKE, .node = node->number, .life = node->life});
}

static void s_turn (sim_t *self, const sim_entry_t *entry)
{
    sim_node_t *node = &self->nodes[entry->node];
    if (!node->turn || node->life != entry->life || node->wake_ms != entry->at_ms)
        return;
    node->wake_ms = UINT64_MAX;
    if (turn_run (node->turn, self->now_ms, sim_wall_ms (node))) {
        /* The disk failed: the node is rebuilt from what was committed, as production does it. */
        self->counts.failed_commits++;
        sim_node_crash (node);
        sim_node_start (node);
    }
    sim_wake (node);
}

static void s_handle (sim_t *self, const sim_entry_t *entry)
{
    switch (entry->kind) {
    case SIM_FRAME: s_deliver (self, entry); break;
    case SIM_WAKE: s_turn (self, entry); break;
    case SIM_RESULT: s_result (self, entry); break;
    case SIM_CRASH:
        if (self->nodes[entry->node].turn) {
            self->counts.crashes++;
            sim_node_crash (&self->nodes[entry->node]);
            sim_schedule (self,
                          (sim_entry_t){.at_ms = self->now_ms + 1 + random_below (&self->random, SIM_DOWN_MS),
                                        .kind = SIM_RESTART,
                                        .node = entry->node});
        }
        break;
    case SIM_RESTART:
        sim_node_start (&self->nodes[entry->node]);
        s_schedule_crash (self, entry->node);
        break;
    case SIM_CUT: s_cut (self); break;
    case SIM_OPERATOR: sim_operate (self); break;
    case SIM_HEAL:
        self->cut = false;
        sim_schedule (self,
                      (sim_entry_t){.at_ms = self->now_ms + 1 + random_below (&self->random, 2 * SIM_CUT_MS),
                                    .kind = SIM_CUT});
        break;
    }
}

/* --- the world --- */

static void s_keys (sim_node_t *node, sim_t *self, size_t number)
{
    uint8_t seed[SEED_BYTES];
    random_bytes (&self->random, seed, sizeof seed);
    identity_from_seed (seed, &node->identity);
    random_bytes (&self->random, seed, sizeof seed);
    curve_from_seed (seed, &node->curve);
    node->sim = self;
    node->number = number;
    (void)snprintf (node->name, sizeof node->name, "node-%zu", number + 1);
    (void)snprintf (node->endpoint, sizeof node->endpoint, "tcp://127.0.0.1:%zu", 7000 + number);
    node->store = sim_store_new ();
    node->live_seq = 1;
    node->wake_ms = UINT64_MAX;
    node->clock_skew_ms = random_below (&self->random, 2000);
}

/* The program that all start from, and the group around it. */
static void s_found (sim_t *self)
{
    char text[SIM_LINES * 32];
    int size = 0;
    for (int i = 0; i < SIM_LINES; i++)
        size += snprintf (text + size, sizeof text - (size_t)size, "p%d 0.500000\n\n", i);
    tree_t tree = {0};
    digest_t content = digest_of (text, (size_t)size), evaluator = digest_of ("evaluator", 9);
    int rc = tree_add (&tree, "params.txt", false, &content, (uint64_t)size);
    size_t encoded_size;
    uint8_t *encoded = tree_encode (&tree, &evaluator, &encoded_size);
    assert (rc == 0 && encoded);
    buffer_append (&self->start_tree, encoded, encoded_size);
    self->start = digest_of (encoded, encoded_size);
    free (encoded);
    tree_clear (&tree);
    policy_t policy = policy_default ();
    policy.held_expiry_ms = 30000;
    const sim_node_t *founder = &self->nodes[0];
    group_found (&self->group, &founder->identity, "sim", "params", &evaluator, &self->start, &policy, 1);
    self->members = calloc (1, sizeof *self->members);
    assert (self->members);
    rc = members_found (self->members, &self->group, &founder->identity, &founder->curve.public_key,
                        founder->name, 2, 1, 1);
    for (size_t i = 0; i < self->node_count; i++) {
        if (i > 0)
            rc |= members_add (self->members, &self->group, &founder->identity, &self->nodes[i].identity.id,
                               &self->nodes[i].curve.public_key, self->nodes[i].name, 2 * i + 2, i + 1, 1);
        statement_t statement;
        rc |=
            statement_unpack (bytes_of (self->members->packed.data, self->members->packed.size), &statement);
        sim_store_put_statement (founder->store, statement.body, statement.body_size, statement.seal, i + 1);
    }
    assert (rc == 0);
    for (size_t i = 0; i < self->node_count; i++) {
        sim_store_put_content (self->nodes[i].store, (const uint8_t *)text, (size_t)size);
        sim_store_put_content (self->nodes[i].store, self->start_tree.data, self->start_tree.size);
        self->nodes[i].current = self->start;
        (void)sim_store_commit (self->nodes[i].store);
    }
}

/* Everything quiet: all up, all proposals made, nothing under way, nothing unacknowledged. */
static bool s_settled (sim_t *self)
{
    if (self->now_ms < SIM_START_MS + SIM_CALM_MS)
        return false;
    for (size_t i = 0; i < self->node_count; i++) {
        if (!self->nodes[i].turn)
            return false;
        node_status_t *status = malloc (sizeof *status);
        assert (status);
        node_status (turn_node (self->nodes[i].turn), status);
        bool busy = !status->finished || (status->outbox && !self->nodes[i].lies) || status->slots_busy;
        for (size_t k = 0; k < sizeof status->in_state / sizeof status->in_state[0]; k++)
            busy = busy || status->in_state[k];
        free (status);
        if (busy)
            return false;
    }
    return sim_check_knowledge (self, false);
}

/* The world is calm: cuts heal, and operators let stopped nodes go on. */
static void s_calm (sim_t *self)
{
    self->cut = false;
    for (size_t i = 0; i < self->node_count; i++) {
        event_t event = {.kind = EVENT_COMMAND, .as.command = {.operation = 1, .name = text_of ("resume")}};
        if (!self->nodes[i].turn)
            continue;
        turn_event (self->nodes[i].turn, &event);
        sim_wake (&self->nodes[i]);
    }
}

static void s_run (sim_t *self)
{
    bool calm = false;
    uint64_t look_ms = 0;
    while (self->queue_count && self->now_ms < SIM_START_MS + SIM_END_MS && !self->failure[0]) {
        sim_entry_t entry = s_next (self);
        assert (entry.at_ms >= self->now_ms);
        self->now_ms = entry.at_ms;
        s_handle (self, &entry);
        buffer_clear (&entry.bytes);
        if (!calm && self->now_ms > SIM_START_MS + SIM_CALM_MS + SIM_DOWN_MS) {
            calm = true;
            s_calm (self);
        }
        if (calm && self->now_ms >= look_ms) {
            look_ms = self->now_ms + 5000;
            if (s_settled (self))
                break;
        }
    }
}

static void s_clear (sim_t *self)
{
    for (size_t i = 0; i < self->node_count; i++) {
        turn_destroy (&self->nodes[i].turn);
        sim_store_destroy (&self->nodes[i].store);
    }
    for (size_t i = 0; i < self->queue_count; i++)
        buffer_clear (&self->queue[i].bytes);
    free (self->queue);
    members_clear (self->members);
    free (self->members);
    group_clear (&self->group);
    buffer_clear (&self->start_tree);
    free (self);
}

bool sim_run (uint64_t seed, size_t nodes, sim_counts_t *counts, char failure[1024])
{
    assert (nodes >= 1 && nodes <= SIM_NODES_MAX);
    sim_t *self = calloc (1, sizeof *self);
    assert (self);
    self->seed = seed;
    self->checkpoint_interval_entries = 1 + (seed * 0x9e3779b97f4a7c15u >> 40) % SIM_CHECKPOINT_MAX;
    self->node_count = nodes;
    self->now_ms = SIM_START_MS;
    random_init_number (&self->random, seed);
    for (size_t i = 0; i < nodes; i++)
        s_keys (&self->nodes[i], self, i);
    s_found (self);
    for (size_t i = 0; i < nodes; i++) {
        sim_node_start (&self->nodes[i]);
        s_schedule_crash (self, i);
    }
    if (seed % SIM_LIAR_WORLDS == 1)
        self->nodes[random_below (&self->random, nodes)].lies = 1 + (unsigned)random_below (&self->random, 2);
    sim_schedule (self, (sim_entry_t){.at_ms = self->now_ms + 1 + random_below (&self->random, SIM_CUT_MS),
                                      .kind = SIM_CUT});
    sim_schedule (self, (sim_entry_t){.at_ms = self->now_ms + SIM_OPERATOR_MS, .kind = SIM_OPERATOR});
    s_run (self);
    if (!self->failure[0])
        sim_check_end (self);
    *counts = self->counts;
    memcpy (failure, self->failure, sizeof self->failure);
    s_clear (self);
    return failure[0] == 0;
}
