/* SPDX-License-Identifier: MPL-2.0 */
/* The jobs of a simulated node: a program of a few numbers, a proposer that nudges one of them, an evaluator that knows
 * where they should be (a little elsewhere on each node: its private data), and all that can go wrong with either. */
#include "tests/sim/sim.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evolution/improvement.h"
#include "evolution/tree.h"

typedef struct {
    double values[SIM_LINES];
} program_t;

static bool s_load (const sim_node_t *node, const digest_t *candidate, program_t *program)
{
    const buffer_t *encoded = sim_store_content (node->store, candidate);
    tree_t tree = {0};
    digest_t evaluator;
    if (!encoded || tree_decode (encoded->data, encoded->size, &tree, &evaluator) || tree.count != 1)
        return false;
    const buffer_t *file = sim_store_content (node->store, &tree.files[0].content);
    tree_clear (&tree);
    if (!file)
        return false;
    char text[SIM_LINES * 32 + 1] = {0};
    memcpy (text, file->data, file->size < sizeof text ? file->size : sizeof text - 1);
    char *at = text;
    for (int i = 0; i < SIM_LINES; i++) {
        at = strchr (at, ' ');
        if (!at)
            return false;
        program->values[i] = strtod (at, &at);
    }
    return true;
}

/* Lays a program down in the store, outside of any turn: as a proposer's checkout is read before its result is told. */
static void s_save (sim_node_t *node, const program_t *program, buffer_t *encoded)
{
    char text[SIM_LINES * 32];
    int size = 0;
    for (int i = 0; i < SIM_LINES; i++)
        size += snprintf (text + size, sizeof text - (size_t)size, "p%d %.6f\n\n", i, program->values[i]);
    tree_t tree = {0};
    digest_t content = digest_of (text, (size_t)size);
    int rc = tree_add (&tree, "params.txt", false, &content, (uint64_t)size);
    size_t bytes_size;
    uint8_t *bytes = tree_encode (&tree, &node->sim->group.evaluator, &bytes_size);
    assert (rc == 0 && bytes);
    (void)rc;
    sim_store_put_content (node->store, (const uint8_t *)text, (size_t)size);
    sim_store_put_content (node->store, bytes, bytes_size);
    (void)sim_store_commit (node->store);
    buffer_append (encoded, bytes, bytes_size);
    free (bytes);
    tree_clear (&tree);
}

static void s_result_after (sim_node_t *node, event_t *event, uint64_t delay_ms)
{
    sim_entry_t entry = {
        .at_ms = node->sim->now_ms + delay_ms, .kind = SIM_RESULT, .node = node->number, .life = node->life};
    event->now_ms = event->wall_ms = 1;
    event_encode (event, &entry.bytes);
    sim_schedule (node->sim, entry);
}

/* --- propose, evaluate, merge --- */

/* Every fourth proposal takes half of its lines from the best that it was told of. */
static void s_cross (sim_node_t *node, const propose_t *propose, program_t *program, digest_t *second)
{
    program_t other;
    if (propose->number % 4 != 3 || propose->top.count == 0 ||
        digest_equal (&propose->top.items[0].id, &propose->parent))
        return;
    if (!s_load (node, &propose->top.items[0].id, &other)) {
        sim_fail (node->sim, "%s: an inspiration is not in its store", node->name);
        return;
    }
    for (size_t i = 0; i < SIM_LINES; i += 2)
        program->values[i] = other.values[i];
    *second = propose->top.items[0].id;
}

static void s_propose (sim_node_t *node, const propose_t *propose)
{
    random_t *random = &node->sim->random;
    program_t program;
    buffer_t tree = {0};
    event_t event = {.kind = EVENT_PROPOSED,
                     .as.proposed = {.operation = propose->operation,
                                     .parent = propose->parent,
                                     .description = text_of ("nudged")}};
    if (sim_chance (node->sim, SIM_FAULTS)) {
        event.as.proposed.result = 1 + random_below (random, 2);
        node->sim->counts.faults++;
    } else if (s_load (node, &propose->parent, &program)) {
        size_t line = random_below (random, SIM_LINES);
        double target = 0.1 * (double)(line + 1);
        program.values[line] += (target - program.values[line]) * 0.6 + 0.04 * (random_unit (random) - 0.4);
        s_cross (node, propose, &program, &event.as.proposed.second_parent);
        s_save (node, &program, &tree);
        event.as.proposed.tree = bytes_of (tree.data, tree.size);
    } else
        sim_fail (node->sim, "%s: a parent is not in its store", node->name);
    s_result_after (node, &event, 20 + random_below (random, 200));
    buffer_clear (&tree);
}

static void s_evaluate (sim_node_t *node, const evaluate_t *evaluate)
{
    random_t *random = &node->sim->random;
    program_t program;
    value_t metrics[2] = {{0.001}, {100 * (1 + 0.02 * random_unit (random))}};
    event_t event = {.kind = EVENT_EVALUATED,
                     .as.evaluated = {.operation = evaluate->operation, .wall_ms = 100}};
    const digest_t *what = evaluate->live ? &node->current : &evaluate->candidate;
    if (sim_chance (node->sim, SIM_FAULTS / 4)) {
        event.as.evaluated.reason = REASON_FAULT;
        node->sim->counts.faults++;
    } else if (sim_chance (node->sim, SIM_FAULTS / 4))
        event.as.evaluated.reason = REASON_INVALID_TIMEOUT;
    else if (s_load (node, what, &program)) {
        for (int i = 0; i < SIM_LINES; i++) {
            double miss = program.values[i] - 0.1 * (i + 1) - 0.002 * (double)node->number;
            metrics[0].value += miss * miss;
        }
        if (evaluate->live && node->releases_differ)
            metrics[0].value *= 2;
        event.as.evaluated.metrics.items = metrics;
        event.as.evaluated.metrics.count = 2;
    } else
        sim_fail (node->sim, "%s: what it is to evaluate is not in its store", node->name);
    s_result_after (node, &event, 50 + random_below (random, 300));
}

static void s_merge (sim_node_t *node, const merge_t *merge)
{
    program_t base, ours, theirs;
    buffer_t tree = {0};
    event_t event = {.kind = EVENT_MERGED, .as.merged = {.operation = merge->operation}};
    if (!s_load (node, &merge->base, &base) || !s_load (node, &merge->ours, &ours) ||
        !s_load (node, &merge->theirs, &theirs)) {
        sim_fail (node->sim, "%s: what it is to merge is not in its store", node->name);
        return;
    }
    for (int i = 0; i < SIM_LINES; i++) {
        bool here = memcmp (&ours.values[i], &base.values[i], sizeof (double)) != 0;
        bool there = memcmp (&theirs.values[i], &base.values[i], sizeof (double)) != 0;
        event.as.merged.hunks += there;
        event.as.merged.conflicts += here && there;
        if (there)
            ours.values[i] = theirs.values[i];
    }
    s_save (node, &ours, &tree);
    event.as.merged.tree = bytes_of (tree.data, tree.size);
    s_result_after (node, &event, 5);
    buffer_clear (&tree);
}

/* --- releases --- */

static void s_done (sim_node_t *node, event_kind_t kind, uint64_t operation, uint64_t result)
{
    event_t event = {.kind = kind, .as.snapshot_taken = {.operation = operation, .result = result}};
    s_result_after (node, &event, 10);
}

static void s_apply (sim_node_t *node, const apply_t *apply)
{
    sim_check_apply (node, apply);
    uint64_t result = 0;
    if (sim_chance (node->sim, SIM_FAULTS))
        result = 1 + random_below (&node->sim->random, 2);
    if (result != 1) {
        node->current = apply->release;
        node->releases_differ = sim_chance (node->sim, 2 * SIM_FAULTS);
    }
    node->sim->counts.faults += result != 0;
    s_done (node, EVENT_APPLIED, apply->operation, result);
}

static void s_restore (sim_node_t *node, const restore_t *restore)
{
    node->current = restore->release;
    node->releases_differ = false;
    s_done (node, EVENT_RESTORED, restore->operation, sim_chance (node->sim, SIM_FAULTS) ? 2 : 0);
}

static void s_load_content (sim_node_t *node, const load_t *load)
{
    const buffer_t *content = sim_store_content (node->store, &load->content);
    event_t event = {.kind = EVENT_LOADED,
                     .as.loaded = {.operation = load->operation, .result = content == NULL}};
    if (content)
        event.as.loaded.bytes = bytes_of (content->data, content->size);
    s_result_after (node, &event, 1);
}

void sim_job (sim_node_t *node, const effect_t *effect)
{
    switch ((int)effect->kind) {
    case EFFECT_PROPOSE: s_propose (node, &effect->as.propose); break;
    case EFFECT_EVALUATE: s_evaluate (node, &effect->as.evaluate); break;
    case EFFECT_MERGE: s_merge (node, &effect->as.merge); break;
    case EFFECT_LOAD: s_load_content (node, &effect->as.load); break;
    case EFFECT_SNAPSHOT:
        s_done (node, EVENT_SNAPSHOT_TAKEN, effect->as.snapshot.operation,
                sim_chance (node->sim, SIM_FAULTS / 2) ? 1 : 0);
        break;
    case EFFECT_APPLY: s_apply (node, &effect->as.apply); break;
    case EFFECT_RESTORE: s_restore (node, &effect->as.restore); break;
    default: break; /* CANCEL: a result that comes all the same is ignored, as in production */
    }
}
