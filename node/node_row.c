/* SPDX-License-Identifier: MPL-2.0 */
/* What is kept of an improvement: its row in the store, written anew with each of its moves. */
#include "node/node_life.h"
#include "node/node_say.h"

#include <assert.h>
#include <math.h>

size_t improve_deltas (const node_t *self, const trial_result_t *result, delta_t deltas[LIMIT_OBJECTIVES])
{
    assert (self && result && deltas && self->objectives.count <= LIMIT_OBJECTIVES);
    for (size_t i = 0; i < self->objectives.count; i++)
        deltas[i] = (delta_t){.objective = text_of (self->objectives.items[i].name),
                              .goal = self->objectives.items[i].goal,
                              .improvement = objective_round (result->improvements[i]),
                              .dispersion = objective_round (result->dispersion[i]),
                              .conclusion = (uint64_t)result->changes[i]};
    return self->objectives.count;
}

static size_t s_intervals (const node_t *self, const trial_result_t *result,
                           interval_t intervals[LIMIT_OBJECTIVES])
{
    size_t count = 0;
    for (size_t i = 0; i < self->objectives.count; i++)
        if (isfinite (result->low[i]))
            intervals[count++] = (interval_t){.objective = text_of (self->objectives.items[i].name),
                                              .low = objective_round (result->low[i]),
                                              .high = objective_round (result->high[i])};
    return count;
}

static size_t s_values (const metrics_t *metrics, value_t values[LIMIT_OBJECTIVES])
{
    for (size_t i = 0; i < metrics->count; i++)
        values[i].value = metrics->values[i];
    return metrics->count;
}

size_t applied_find (const node_t *self, const digest_t *improvement)
{
    assert (self && improvement);
    size_t at = 0;
    while (at < self->applied_count && !digest_equal (&self->applied[at].improvement, improvement))
        at++;
    return at;
}

/* What was final keeps what was measured and proved of it: only what came since is written into its row. */
static void s_persist_revived (node_t *self, const improvement_t *improvement)
{
    size_t at = applied_find (self, &improvement->id);
    assert (at < self->applied_count); /* nothing is applied meanwhile, so it is still there */
    applied_t *applied = &self->applied[at];
    improvement_row_t row;
    arena_t arena = {0};
    buffer_t bytes = {0};
    int rc =
        record_decode (&improvement_row_record, applied->row.data, applied->row.size, &row, &arena, NULL);
    assert (rc == 0);
    (void)rc;
    row.state = improvement->state;
    row.reason = improvement->reason;
    row.detail = text_of (improvement->detail);
    row.changed_ms = self->wall_ms;
    say_persist (self, RECORD_IMPROVEMENT, &improvement->id, &improvement_row_record, &row);
    record_encode (&improvement_row_record, &row, &bytes);
    assert (!bytes.failed);
    arena_clear (&arena);
    buffer_clear (&applied->row);
    applied->row = bytes;
    applied->state = improvement->state;
}

void improve_persist (node_t *self, size_t index)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    const improvement_t *improvement = &self->improvements[index];
    if (improvement->revived) {
        s_persist_revived (self, improvement);
        return;
    }
    delta_t deltas[LIMIT_OBJECTIVES];
    value_t candidate[LIMIT_OBJECTIVES], base[LIMIT_OBJECTIVES];
    interval_t intervals[LIMIT_OBJECTIVES];
    size_t count = improvement->measured ? improve_deltas (self, &improvement->result, deltas) : 0;
    improvement_row_t row = {
        .id = improvement->id,
        .state = improvement->state,
        .origin = improvement->origin,
        .author = improvement->author,
        .package = improvement->package,
        .candidate = improvement->candidate,
        .parent = improvement->parent,
        .second_parent = improvement->second_parent,
        .base = improvement->base,
        .improvement_type = improvement->type,
        .description = text_of (improvement->description),
        .model = text_of (improvement->model),
        .requests = improvement->spent.requests,
        .tokens = improvement->spent.tokens,
        .cost_millionths = improvement->spent.cost_millionths,
        .reason = improvement->reason,
        .detail = text_of (improvement->detail),
        .performance_improvement = improvement->measured ? improvement->result.weighted : NAN,
        .changes = {deltas, count},
        .intervals = {intervals, count ? s_intervals (self, &improvement->result, intervals) : 0},
        .candidate_metrics = {candidate, count ? s_values (&improvement->result.candidate, candidate) : 0},
        .base_metrics = {base, count ? s_values (&improvement->result.base, base) : 0},
        .repeats = count ? improvement->result.repeats : 0,
        .consensus_score = improvement->reviewed ? improvement->consensus.score : NAN,
        .asked = improvement->feedback.count,
        .approvals = request_count (&improvement->feedback, ANSWERED_YES),
        .validators = improvement->validation.count,
        .confirmations = request_count (&improvement->validation, ANSWERED_YES),
        .created_ms = improvement->created_ms,
        .changed_ms = self->wall_ms,
    };
    say_persist (self, RECORD_IMPROVEMENT, &improvement->id, &improvement_row_record, &row);
    size_t at = applied_find (self, &improvement->id);
    if (at == self->applied_count)
        return;
    self->applied[at].state = improvement->state;
    self->applied[at].row.size = 0;
    record_encode (&improvement_row_record, &row, &self->applied[at].row);
}
