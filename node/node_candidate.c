/* SPDX-License-Identifier: MPL-2.0 */
/* Candidates once they are measured: a place in the archive, a row for people, what the learning rate makes of them, and one
 * digest over all of them in order.
 *
 * The digest is a chain: H (the digest before, entry), from zero. An entry is the msgpack array [id, [parent…], valid, [value…],
 * reason]: the values are those of the exact objectives, the reason is the verdict's number. Nothing in it depends on who the node is
 * or on when it measured; so runs with the same seed can be compared, and a replay with what it replays. */
#include "node/node_life.h"
#include "node/node_say.h"

#include <assert.h>
#include <string.h>

static void s_write_entry (const node_t *self, const candidate_row_t *row, buffer_t *out)
{
    wire_write_array (out, 5);
    wire_write_bytes (out, row->id.bytes, DIGEST_BYTES);
    wire_write_array (out, row->parents.count);
    for (size_t i = 0; i < row->parents.count; i++)
        wire_write_bytes (out, row->parents.items[i].id.bytes, DIGEST_BYTES);
    wire_write_uint (out, row->valid);
    size_t exact = 0;
    for (size_t i = 0; i < row->metrics.count; i++)
        exact += !self->objectives.items[i].noisy;
    wire_write_array (out, exact);
    for (size_t i = 0; i < row->metrics.count; i++)
        if (!self->objectives.items[i].noisy)
            wire_write_real (out, row->metrics.items[i].value);
    wire_write_uint (out, row->reason);
}

static void s_keep (node_t *self, const candidate_row_t *row)
{
    assert (row->metrics.count == 0 || row->metrics.count == self->objectives.count);
    buffer_t entry = {0};
    s_write_entry (self, row, &entry);
    assert (!entry.failed);
    self->archive_digest = digest_of_two (self->archive_digest.bytes, DIGEST_BYTES, entry.data, entry.size);
    buffer_clear (&entry);
    say_persist (self, RECORD_CANDIDATE, &row->id, &candidate_row_record, row);
}

static size_t s_values (const metrics_t *metrics, value_t values[LIMIT_OBJECTIVES])
{
    for (size_t i = 0; i < metrics->count; i++)
        values[i].value = metrics->values[i];
    return metrics->count;
}

/* What it was made of: what was merged and the live release that this was merged onto; what a proposer started from, and what it
 * crossed that with; or the live release alone, of a change that came from outside and applies to that as it is. */
static size_t s_parents (const improvement_t *improvement, digest_t parents[2])
{
    bool merged = !digest_is_zero (&improvement->merged_from);
    const digest_t *from = merged ? &improvement->merged_from : &improvement->parent;
    size_t count = 0;
    if (!digest_equal (from, &improvement->candidate))
        parents[count++] = *from;
    bool on_live = merged || improvement->origin != ORIGIN_PROPOSER;
    const digest_t *other = on_live ? &improvement->base : &improvement->second_parent;
    if (!digest_is_zero (other) && !digest_equal (from, other))
        parents[count++] = *other;
    assert (count <= 2);
    return count;
}

void candidate_live (node_t *self, const metrics_t *metrics)
{
    assert (self && metrics);
    archive_candidate_t candidate = {
        .id = self->live, .island = ARCHIVE_EVERYWHERE, .valid = true, .metrics = metrics};
    if (archive_find (self->archive, &self->live))
        return;
    (void)archive_add (self->archive, &candidate);
    value_t values[LIMIT_OBJECTIVES];
    candidate_row_t row = {.id = self->live,
                           .valid = true,
                           .metrics = {values, s_values (metrics, values)},
                           .reason = REASON_NONE,
                           .time_ms = self->wall_ms};
    s_keep (self, &row);
}

/* What the candidate gained over its parent. Of a noisy objective that is known only where the parent is what it was measured in pairs
 * with, and only as far as these show a change. */
static double s_gain (const node_t *self, const improvement_t *improvement, const archive_entry_t *parent,
                      const trial_result_t *result)
{
    assert (parent->valid && digest_equal (&parent->id, &improvement->parent));
    bool in_pairs = digest_equal (&improvement->parent, &improvement->base);
    double gains[LIMIT_OBJECTIVES] = {0};
    for (size_t i = 0; i < self->objectives.count; i++) {
        if (!self->objectives.items[i].noisy)
            gains[i] = objective_improvement (&self->objectives.items[i], parent->metrics.values[i],
                                              result->candidate.values[i]);
        else if (in_pairs && result->changes[i] != CHANGE_SAME)
            gains[i] = result->improvements[i];
    }
    return objectives_weighted (&self->objectives, gains);
}

void candidate_learn (node_t *self, const improvement_t *improvement, const trial_result_t *result)
{
    assert (self && improvement);
    const archive_entry_t *parent = archive_find (self->archive, &improvement->parent);
    double gain = result && parent && parent->valid ? s_gain (self, improvement, parent, result) : 0;
    learning_rate_update (&self->learning, gain > 0, gain);
}

void candidate_measured (node_t *self, const improvement_t *improvement, reason_code_t reason,
                         const char *detail, const trial_result_t *result)
{
    assert (self && improvement);
    if (archive_find (self->archive, &improvement->candidate))
        return;
    archive_candidate_t candidate = {.id = improvement->candidate,
                                     .tokens = improvement->tokens,
                                     .island = improvement->island,
                                     .valid = result != NULL,
                                     .metrics = result ? &result->candidate : NULL};
    candidate.parent_count = s_parents (improvement, candidate.parents);
    (void)archive_add (self->archive, &candidate);
    hash_t parents[2] = {{candidate.parents[0]}, {candidate.parents[1]}};
    value_t values[LIMIT_OBJECTIVES];
    candidate_row_t row = {.id = improvement->candidate,
                           .parents = {parents, candidate.parent_count},
                           .valid = result != NULL,
                           .metrics = {values, result ? s_values (&result->candidate, values) : 0},
                           .reason = reason,
                           .detail = text_of (detail),
                           .improvement = improvement->id,
                           .time_ms = self->wall_ms};
    s_keep (self, &row);
}

void candidate_twin (node_t *self, const improvement_t *improvement, const archive_entry_t *twin)
{
    assert (self && improvement && twin);
    digest_t made_of[2];
    size_t count = s_parents (improvement, made_of);
    hash_t parents[2] = {{made_of[0]}, {made_of[1]}};
    value_t values[LIMIT_OBJECTIVES];
    candidate_row_t row = {.id = improvement->candidate,
                           .parents = {parents, count},
                           .valid = twin->valid,
                           .metrics = {values, s_values (&twin->metrics, values)},
                           .reason = REASON_DUPLICATE,
                           .improvement = improvement->id,
                           .time_ms = self->wall_ms};
    s_keep (self, &row);
    retain_litter (self, &improvement->candidate);
}
