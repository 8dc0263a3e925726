/* SPDX-License-Identifier: MPL-2.0 */
/* One node of the simulated world: the production turn, with memory for a disk and the world for a network. */
#include "tests/sim/sim.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evolution/archive.h"

static sim_node_t *s_by_curve (sim_node_t *node, const pubkey_t *curve)
{
    sim_t *self = node->sim;
    for (size_t i = 0; i < self->node_count; i++)
        if (pubkey_equal (&self->nodes[i].curve.public_key, curve))
            return &self->nodes[i];
    return NULL;
}

/* --- the disk --- */

static int s_begin (void *context)
{
    return sim_store_begin (((sim_node_t *)context)->store);
}

static int s_commit (void *context)
{
    sim_node_t *node = context;
    if (sim_chance (node->sim, SIM_COMMIT_FAILS))
        return ERROR_FULL;
    return sim_store_commit (node->store);
}

static void s_rollback (void *context)
{
    sim_store_rollback (((sim_node_t *)context)->store);
}

static int s_append (void *context, const uint8_t *event, size_t size, const digest_t *effects)
{
    sim_store_append (((sim_node_t *)context)->store, event, size, effects);
    return 0;
}

static int s_walk (void *context, uint64_t from, journal_entry_fn *visit, void *visitor)
{
    return sim_store_walk (((sim_node_t *)context)->store, from, visit, visitor);
}

static int s_put_checkpoint (void *context, uint64_t number, const uint8_t *bytes, size_t size)
{
    sim_store_put_checkpoint (((sim_node_t *)context)->store, number, bytes, size);
    return 0;
}

/* In every third life the newest one of the last can't be read. */
static uint8_t *s_get_checkpoint (void *context, uint64_t number, size_t *size)
{
    sim_node_t *node = context;
    const buffer_t *kept = sim_store_checkpoint (node->store, number);
    bool damaged = node->life % 3 == 2 && node->recovering &&
                   sim_store_checkpoint_before (node->store, UINT64_MAX) == number;
    node->sim->counts.unreadable += damaged;
    if (!kept || damaged || number <= node->checkpoints_gone)
        return NULL;
    node->sim->counts.checkpoints += node->recovering;
    uint8_t *copy = malloc (kept->size);
    assert (copy);
    memcpy (copy, kept->data, kept->size);
    *size = kept->size;
    return copy;
}

static uint64_t s_checkpoint_before (void *context, uint64_t number)
{
    sim_node_t *node = context;
    uint64_t before = sim_store_checkpoint_before (node->store, number);
    return before > node->checkpoints_gone ? before : 0;
}

static int s_drop_checkpoint (void *context, uint64_t number)
{
    sim_node_t *node = context;
    node->checkpoints_gone = number > node->checkpoints_gone ? number : node->checkpoints_gone;
    return 0;
}

static int s_put_statement (void *context, const uint8_t *body, size_t size, const uint8_t seal[SEAL_BYTES],
                            uint64_t publication)
{
    sim_store_put_statement (((sim_node_t *)context)->store, body, size, seal, publication);
    return 0;
}

static int s_put_record (void *context, record_table_t table, const digest_t *key, const uint8_t *bytes,
                         size_t size)
{
    sim_store_put_record (((sim_node_t *)context)->store, table, key, bytes, size);
    return 0;
}

static int s_put_content (void *context, const uint8_t *bytes, size_t size)
{
    sim_store_put_content (((sim_node_t *)context)->store, bytes, size);
    return 0;
}

static int s_retain (void *context, const persist_drop_t *retain)
{
    sim_node_t *node = context;
    for (size_t i = 0; i < retain->dropped.count; i++)
        sim_check_dropped (node, &retain->dropped.items[i].id);
    node->sim->counts.dropped += (unsigned)retain->dropped.count;
    return 0;
}

static uint8_t *s_get_content (void *context, const digest_t *id, size_t *size)
{
    const buffer_t *content = sim_store_content (((sim_node_t *)context)->store, id);
    if (!content)
        return NULL;
    uint8_t *copy = malloc (content->size + 1);
    assert (copy);
    memcpy (copy, content->data, content->size);
    *size = content->size;
    return copy;
}

static bool s_has_content (void *context, const digest_t *id)
{
    return sim_store_content (((sim_node_t *)context)->store, id) != NULL;
}

static int s_publications (void *context, const pubkey_t *author, uint64_t from, size_t limit,
                           publication_fn *visit, void *visitor)
{
    return sim_store_publications (((sim_node_t *)context)->store, author, from, limit, visit, visitor);
}

static uint64_t s_last_publication (void *context, const pubkey_t *author)
{
    return sim_store_last_publication (((sim_node_t *)context)->store, author);
}

static int s_reserve (void *context, uint64_t number)
{
    ((sim_node_t *)context)->live_seq = number | 1;
    return 0;
}

static int s_trim (void *context, uint64_t journal_from, uint64_t events)
{
    (void)context, (void)journal_from, (void)events;
    return 0;
}

/* --- the links --- */

static void s_connect (void *context, const mesh_output_t *output)
{
    sim_node_t *node = context, *peer = s_by_curve (node, &output->curve);
    if (peer)
        node->linked[peer->number] = true;
}

static void s_disconnect (void *context, const pubkey_t *curve)
{
    sim_node_t *node = context, *peer = s_by_curve (node, curve);
    if (peer)
        node->linked[peer->number] = false;
}

static void s_say (sim_node_t *node, size_t to, const uint8_t *body, size_t size,
                   const uint8_t seal[SEAL_BYTES])
{
    buffer_t lie = {0};
    uint8_t lie_seal[SEAL_BYTES];
    if (sim_lie (node, body, size, seal, &lie, lie_seal))
        sim_send (node, to, false, lie.data, lie.size, lie_seal);
    else
        sim_send (node, to, false, body, size, seal);
    buffer_clear (&lie);
}

static void s_send (void *context, const pubkey_t *curve, const uint8_t *body, size_t size,
                    const uint8_t seal[SEAL_BYTES])
{
    sim_node_t *node = context, *peer = s_by_curve (node, curve);
    sim_check_acknowledged (node, body, size);
    if (peer && node->linked[peer->number] && peer->standing[node->number] == LINK_MEMBER)
        s_say (node, peer->number, body, size, seal);
}

static void s_reply (void *context, const pubkey_t *curve, const uint8_t *body, size_t size,
                     const uint8_t seal[SEAL_BYTES])
{
    sim_node_t *node = context, *peer = s_by_curve (node, curve);
    if (peer && peer->linked[node->number] && node->standing[peer->number] == LINK_MEMBER)
        s_say (node, peer->number, body, size, seal);
}

static void s_publish (void *context, const uint8_t *body, size_t size, const uint8_t seal[SEAL_BYTES])
{
    sim_node_t *node = context;
    for (size_t i = 0; i < node->sim->node_count; i++)
        if (i != node->number && node->sim->nodes[i].linked[node->number] && node->standing[i] == LINK_MEMBER)
            sim_send (node, i, true, body, size, seal);
}

static void s_set_standing (void *context, const pubkey_t *curve, link_standing_t standing)
{
    sim_node_t *node = context, *peer = s_by_curve (node, curve);
    if (peer)
        node->standing[peer->number] = standing;
}

/* --- people --- */

static void s_notify (void *context, const notify_t *event)
{
    sim_node_t *node = context;
    static const char *const types[] = {"improvement_applied", "rollback_completed", "knowledge_shared",
                                        "knowledge_adopted", "improvement_held"};
    unsigned *const counts[] = {&node->sim->counts.applied, &node->sim->counts.rolled_back,
                                &node->sim->counts.shared, &node->sim->counts.adopted,
                                &node->sim->counts.held};
    if (!pubkey_equal (&event->agent_id, &node->identity.id))
        return;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (text_equal (event->type, types[i]))
            (*counts[i])++;
}

static void s_answer (void *context, const reply_t *reply)
{
    sim_operated (context, reply);
}

static void s_log (void *context, turn_log_t level, const char *event, const char *text)
{
    (void)context;
    (void)level;
    (void)event;
    (void)text;
}

static void s_job (void *context, const effect_t *effect)
{
    sim_job (context, effect);
}

ports_t sim_ports (sim_node_t *node)
{
    return (ports_t){.context = node,
                     .begin = s_begin,
                     .commit = s_commit,
                     .rollback = s_rollback,
                     .journal_append = s_append,
                     .journal_walk = s_walk,
                     .checkpoint_put = s_put_checkpoint,
                     .checkpoint_get = s_get_checkpoint,
                     .checkpoint_before = s_checkpoint_before,
                     .checkpoint_drop = s_drop_checkpoint,
                     .trim = s_trim,
                     .put_statement = s_put_statement,
                     .put_record = s_put_record,
                     .put_content = s_put_content,
                     .retain = s_retain,
                     .get_content = s_get_content,
                     .has_content = s_has_content,
                     .walk_publications = s_publications,
                     .last_publication = s_last_publication,
                     .reserve_seq = s_reserve,
                     .connect = s_connect,
                     .disconnect = s_disconnect,
                     .send = s_send,
                     .reply = s_reply,
                     .publish = s_publish,
                     .set_standing = s_set_standing,
                     .job = s_job,
                     .notify = s_notify,
                     .answer = s_answer,
                     .log = s_log};
}

/* --- life --- */

static started_t s_started (sim_node_t *node, address_t *address, objective_row_t objectives[2],
                            proposer_row_t *proposer)
{
    sim_t *self = node->sim;
    *address = (address_t){text_of (node->endpoint), text_of (node->endpoint)};
    objectives[0] = (objective_row_t){
        .name = text_of ("cost"), .goal = GOAL_MINIMIZE, .weight = 0.8, .bound = NAN, .alert = NAN};
    objectives[1] = (objective_row_t){.name = text_of ("time"),
                                      .goal = GOAL_MINIMIZE,
                                      .weight = 0.2,
                                      .noisy = 1,
                                      .tolerance = 0.05,
                                      .bound = NAN,
                                      .alert = NAN};
    *proposer = (proposer_row_t){.name = text_of ("nudge"), .share = 1.0};
    return (started_t){.charter = bytes_of (self->group.packed.data, self->group.packed.size),
                       .roster = bytes_of (self->members->packed.data, self->members->packed.size),
                       .start = bytes_of (self->start_tree.data, self->start_tree.size),
                       .name = text_of (node->name),
                       .platform = text_of ("x86_64/sim/1"),
                       .language = text_of ("text"),
                       .addresses = {address, 1},
                       .curve = node->curve.public_key,
                       .seed = digest_of (node->name, strlen (node->name)),
                       .objectives = {objectives, 2},
                       .proposers = {proposer, 1},
                       .timeout_ms = 2000,
                       .slots = 1,
                       .selection = SELECT_DGM,
                       .islands = 1,
                       .migration_interval = 50,
                       .migration_fraction = 0.1,
                       .learning_rate = 0.1,
                       .proposals_max = self->node_count > SIM_CROWD ? 1 : SIM_PROPOSALS,
                       .candidates_kept = 1,
                       .confined = 1,
                       .breaker_enabled = 1,
                       .breaker_threshold = 5,
                       .breaker_recovery_ms = 10000,
                       .automatic_rollback = 1,
                       .auto_share = 1,
                       .compatibility_threshold = 0.7,
                       .transfer_attempts_max = 3,
                       .validate_for_peers = 1};
}

void sim_node_start (sim_node_t *node)
{
    sim_t *self = node->sim;
    assert (!node->turn);
    ports_t ports = sim_ports (node);
    node->life++;
    node->wake_ms = UINT64_MAX;
    memset (node->linked, 0, sizeof node->linked);
    node->turn = turn_new (&node->identity, &ports);
    assert (node->turn);
    turn_checkpoint_every (node->turn, self->checkpoint_interval_entries);
    node->recovering = true;
    if (turn_recover (node->turn, NULL)) {
        sim_fail (self, "%s: its core can't be rebuilt", node->name);
        return;
    }
    node->recovering = false;
    sim_check_recovered (node);
    address_t address;
    objective_row_t objectives[2];
    proposer_row_t proposer;
    started_t started = s_started (node, &address, objectives, &proposer);
    mesh_self_t about = {.curve = node->curve.public_key,
                         .addresses = {address},
                         .address_count = 1,
                         .validation_types = 7,
                         .platform = "x86_64/sim/1",
                         .live_seq = node->live_seq};
    uint8_t entropy[SEED_BYTES];
    random_bytes (&self->random, entropy, sizeof entropy);
    if (turn_start (node->turn, &started, &self->group, &about, entropy, self->now_ms, sim_wall_ms (node))) {
        /* Its first commit failed: it tries again, as its service manager would have it. */
        self->counts.failed_commits++;
        sim_node_crash (node);
        sim_node_start (node);
        return;
    }
    for (size_t i = 0; i < self->node_count; i++)
        if (i != node->number)
            turn_hint (node->turn, &self->nodes[i].identity.id, self->nodes[i].endpoint,
                       self->nodes[i].endpoint, self->now_ms);
    sim_wake (node);
}

void sim_node_crash (sim_node_t *node)
{
    if (node->turn && node->life % 2 == 1)
        turn_checkpoint (node->turn); /* it was told to stop */
    turn_destroy (&node->turn);
    sim_store_rollback (node->store);
    node->life++;
}
