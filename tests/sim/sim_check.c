/* SPDX-License-Identifier: MPL-2.0 */
/* What must hold, whatever happens. */
#include "tests/sim/sim.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "evolution/improvement.h"
#include "evolution/package.h"

/* Nothing acknowledged is lost: what an ACK speaks of is on the disk of whoever sends it. */
void sim_check_acknowledged (sim_node_t *node, const uint8_t *body, size_t size)
{
    message_t message = {0};
    if (statement_kind (body, size) != MESSAGE_ACK || message_decode (body, size, &message, NULL))
        return;
    if (!sim_store_has_statement (node->store, &message.as.ack.statement))
        sim_fail (node->sim, "%s acknowledges a statement that is not on its disk", node->name);
    message_clear (&message);
}

static int s_same_effects (void *context, uint64_t number, const event_t *event, const effects_t *effects,
                           const digest_t *recorded, const digest_t *computed)
{
    (void)context, (void)number, (void)event, (void)effects;
    return digest_equal (recorded, computed) ? 0 : 1;
}

void sim_check_recovered (sim_node_t *node)
{
    ports_t ports = sim_ports (node);
    turn_replayed_t replayed;
    turn_t *turn = turn_new (&node->identity, &ports);
    assert (turn);
    int rc = turn_replay (turn, s_same_effects, NULL, &replayed);
    if (rc)
        sim_fail (node->sim, "%s: entry %llu of its journal replays otherwise: %s", node->name,
                  (unsigned long long)replayed.number, rc > 0 ? "other effects" : error_text (rc));
    else if (replayed.number > 0) {
        buffer_t whole = {0}, recovered = {0};
        node_save (turn_node (turn), &whole);
        node_save (turn_node (node->turn), &recovered);
        if (whole.size != recovered.size || memcmp (whole.data, recovered.data, whole.size) != 0)
            sim_fail (node->sim, "%s: its checkpoint leads to another state than its journal", node->name);
        buffer_clear (&whole);
        buffer_clear (&recovered);
    }
    turn_destroy (&turn);
}

/* No node applies without a certificate that satisfies the policy. */
static bool s_certified (const sim_node_t *node, const improvement_row_t *row)
{
    if (!digest_is_zero (&row->package)) {
        const buffer_t *packed = sim_store_content (node->store, &row->package);
        message_t package = {0};
        tree_t base = {0}, candidate = {0};
        package_report_t report;
        if (packed && package_verify (bytes_of (packed->data, packed->size), &node->sim->group, &package,
                                      &base, &candidate, &report, NULL, NULL, NULL) == 0) {
            message_clear (&package);
            tree_clear (&base);
            tree_clear (&candidate);
            if (digest_equal (&report.candidate, &row->candidate))
                return true;
        }
    }
    const policy_t *policy = &node->sim->group.policy;
    bool group_approves = row->consensus_score >= policy->approve_threshold;
    bool is_approved = sim_approved (node, &row->id) ||
                       (!digest_is_zero (&row->package) && sim_approved (node, &row->package));
    /* It is held where the group is not sure, and where too few answered. */
    bool is_unsure = row->consensus_score >= policy->review_threshold ||
                     (double)row->approvals < policy->quorum * (double)row->asked;
    bool held_and_approved = is_unsure && is_approved;
    return row->confirmations >= package_min_confirmations (policy, node->sim->node_count) &&
           row->asked > 0 && (group_approves || held_and_approved);
}

typedef struct {
    sim_node_t *node;
    const apply_t *apply;
    bool found;
    bool certified;
} applied_check_t;

static void s_look (void *context, const digest_t *key, const buffer_t *bytes)
{
    applied_check_t *check = context;
    improvement_row_t row;
    arena_t arena = {0};
    (void)key;
    if (record_decode (&improvement_row_record, bytes->data, bytes->size, &row, &arena, NULL) == 0 &&
        row.state == STATE_SNAPSHOT && digest_equal (&row.candidate, &check->apply->release)) {
        check->found = true;
        check->certified = s_certified (check->node, &row);
    }
    arena_clear (&arena);
}

void sim_check_apply (sim_node_t *node, const apply_t *apply)
{
    applied_check_t check = {.node = node, .apply = apply};
    sim_store_records (node->store, RECORD_IMPROVEMENT, s_look, &check);
    if (!check.found)
        sim_fail (node->sim, "%s applies what is not in SNAPSHOT", node->name);
    else if (!check.certified)
        sim_fail (node->sim, "%s applies without a certificate", node->name);
}

typedef struct {
    const digest_t *dropped;
    bool is_needed;
} drop_check_t;

static void s_snapshot (void *context, const digest_t *key, const buffer_t *bytes)
{
    drop_check_t *check = context;
    snapshot_row_t row;
    arena_t arena = {0};
    (void)key;
    if (record_decode (&snapshot_row_record, bytes->data, bytes->size, &row, &arena, NULL) == 0)
        check->is_needed = check->is_needed || digest_equal (&row.release, check->dropped) ||
                           digest_equal (&row.next, check->dropped);
    arena_clear (&arena);
}

void sim_check_dropped (sim_node_t *node, const digest_t *candidate)
{
    drop_check_t check = {.dropped = candidate,
                          .is_needed = digest_equal (candidate, &node->current) ||
                                       digest_equal (candidate, &node->sim->start)};
    sim_store_records (node->store, RECORD_SNAPSHOT, s_snapshot, &check);
    if (check.is_needed)
        sim_fail (node->sim, "%s drops what is live, or can be gone back to", node->name);
}

/* --- at the end --- */

typedef struct {
    const sim_node_t *other;
    digest_t missing; /* the first package that `other` does not know; zero: none */
} knowledge_check_t;

static void s_known_there (void *context, const digest_t *key, const buffer_t *bytes)
{
    knowledge_check_t *check = context;
    (void)bytes;
    if (digest_is_zero (&check->missing) && !sim_store_record (check->other->store, RECORD_PACKAGE, key))
        check->missing = *key;
}

bool sim_check_knowledge (sim_t *self, bool complain)
{
    for (size_t i = 0; i < self->node_count; i++)
        for (size_t k = 0; k < self->node_count; k++) {
            knowledge_check_t check = {.other = &self->nodes[k]};
            if (k != i)
                sim_store_records (self->nodes[i].store, RECORD_PACKAGE, s_known_there, &check);
            if (digest_is_zero (&check.missing))
                continue;
            char id[DIGEST_SHORT_BYTES];
            digest_short (&check.missing, id);
            if (complain)
                sim_fail (self, "%s knows package %s, %s does not", self->nodes[i].name, id,
                          self->nodes[k].name);
            return false;
        }
    return true;
}

static void s_ended (void *context, const digest_t *key, const buffer_t *bytes)
{
    sim_node_t *node = context;
    improvement_row_t row;
    arena_t arena = {0};
    if (record_decode (&improvement_row_record, bytes->data, bytes->size, &row, &arena, NULL))
        sim_fail (node->sim, "%s has a row that can't be read", node->name);
    else if (!improvement_final ((improvement_state_t)row.state) && row.state != STATE_HELD) {
        char id[DIGEST_SHORT_BYTES];
        digest_short (key, id);
        sim_fail (node->sim, "improvement %s of %s never ended: %s", id, node->name,
                  improvement_state_name ((improvement_state_t)row.state));
    }
    arena_clear (&arena);
}

void sim_check_end (sim_t *self)
{
    for (size_t i = 0; i < self->node_count; i++) {
        sim_node_t *node = &self->nodes[i];
        sim_store_records (node->store, RECORD_IMPROVEMENT, s_ended, node);
        node_status_t *status = malloc (sizeof *status);
        assert (status);
        node_status (turn_node (node->turn), status);
        if (!digest_equal (&status->release, &node->current))
            sim_fail (self, "%s: `current` is not what the core takes for live", node->name);
        if (!status->finished)
            sim_fail (self, "%s made %llu of its proposals and never the rest", node->name,
                      (unsigned long long)status->proposed);
        if (status->outbox && !node->lies) /* nobody acknowledges the words that it meant to say */
            sim_fail (self, "%s still waits for %llu acknowledgements", node->name,
                      (unsigned long long)status->outbox);
        free (status);
    }
    (void)sim_check_knowledge (self, true);
}
