/* SPDX-License-Identifier: MPL-2.0 */
/* Putting a release in place and measuring the live copy again.
 *
 *   VALIDATED ─ base is live ─▶ SNAPSHOT (release written and synced) ─▶ APPLY (`current` switched, service restarted)
 *       │                                                                   │
 *       └ live moved: merge, test again                                     ▼ the live copy is measured
 *                                                              not worse: applied    worse, or no restart: node_rollback.c */
#include "node/node_life.h"
#include "node/node_peers.h"
#include "node/node_say.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* One change of the live release at a time. */
bool apply_busy (const node_t *self)
{
    assert (self);
    for (size_t i = 0; i < LIMIT_IMPROVEMENTS; i++) {
        improvement_state_t state = self->improvements[i].state;
        if (self->improvements[i].used &&
            (state == STATE_SNAPSHOT || state == STATE_APPLIED || state == STATE_ROLLING_BACK))
            return true;
    }
    return false;
}

bool apply_allowed (const node_t *self, size_t index)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    return !evolution_rests (self) &&
           breaker_admits (&self->breaker, self->improvements[index].breaker_trial);
}

void apply_set_live (node_t *self, const digest_t *release, const buffer_t *tree, const metrics_t *metrics)
{
    assert (self && release && tree && metrics);
    assert (tree->size > 0 && metrics->count == self->objectives.count);
    self->live = *release;
    self->live_tree.size = 0;
    buffer_append (&self->live_tree, tree->data, tree->size);
    self->live_metrics = *metrics;
    self->again_none = false;
}

/* --- forward --- */

static bool s_merge_runs (const node_t *self, size_t index)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    for (size_t i = 0; i < LIMIT_OPERATIONS; i++)
        if (self->operations[i].id && self->operations[i].kind == EFFECT_MERGE &&
            self->operations[i].owner == OWNER_IMPROVEMENT && self->operations[i].index == index)
            return true;
    return false;
}

bool apply_rebase (node_t *self, size_t index)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    improvement_t *improvement = &self->improvements[index];
    if (digest_equal (&improvement->base, &self->live)) {
        /* A merge that is under way is onto what was live meanwhile, and is no more. */
        operate_drop (self, OWNER_IMPROVEMENT, index);
        return false;
    }
    if (s_merge_runs (self, index))
        return true;
    if (improvement->parcel != NONE) {
        /* A peer's package is merged as a package: its parcel tries again against the new live release. */
        improve_reject (self, index, REASON_STALE_BASE, NULL);
        return true;
    }
    if (improvement->retests == LIMIT_RETESTS) {
        improve_reject (self, index, REASON_STALE_BASE,
                        "the live release moved again each time that it was tested");
        return true;
    }
    merge_t merge = {.base = improvement->base, .ours = self->live, .theirs = improvement->candidate};
    (void)operate (self, EFFECT_MERGE, &merge, OWNER_IMPROVEMENT, index);
    return true;
}

void apply_start (node_t *self, size_t index)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    improvement_t *improvement = &self->improvements[index];
    assert (improvement->state == STATE_VALIDATED && !apply_busy (self));
    if (apply_rebase (self, index))
        return;
    snapshot_t snapshot = {.release = improvement->candidate};
    uint64_t operation = operate (self, EFFECT_SNAPSHOT, &snapshot, OWNER_IMPROVEMENT, index);
    if (!operation)
        return;
    if (self->breaker.trial == 0) { /* else it is the trial already */
        improvement->breaker_trial = operation;
        breaker_start (&self->breaker, operation);
    }
    improvement->baseline = self->live_metrics;
    improvement->snapshot =
        digest_of_two (improvement->id.bytes, DIGEST_BYTES, self->live.bytes, DIGEST_BYTES);
    value_t baseline[LIMIT_OBJECTIVES];
    for (size_t i = 0; i < self->live_metrics.count; i++)
        baseline[i].value = self->live_metrics.values[i];
    snapshot_row_t row = {.id = improvement->snapshot,
                          .time_ms = self->wall_ms,
                          .release = self->live,
                          .next = improvement->candidate,
                          .improvement = improvement->id,
                          .cause = text_of (improvement->description),
                          .baseline = {baseline, self->live_metrics.count}};
    say_persist (self, RECORD_SNAPSHOT, &improvement->snapshot, &snapshot_row_record, &row);
    persist_content_t content = {bytes_of (improvement->tree.data, improvement->tree.size)};
    effects_add (self->out, EFFECT_PERSIST_CONTENT, &content);
    improve_move (self, index, MOVE_SNAPSHOT);
}

/* A merged own change: a new candidate, tested from the start. Where it conflicts with what went live meanwhile its own lines stand: the
 * test against that decides, not the order in which they came (docs/decisions/0004). */
static void s_improvement_merged (node_t *self, size_t index, const merged_t *event)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    improvement_t *improvement = &self->improvements[index];
    if (event->result == MERGE_FAULT) {
        char detail[LIMIT_TEXT + 1];
        improve_reject (self, index, REASON_FAULT,
                        text_copy (event->detail, detail, sizeof detail) ? detail : NULL);
        return;
    }
    if (event->result == MERGE_IMPOSSIBLE) {
        improve_reject (self, index, REASON_STALE_BASE, NULL);
        return;
    }
    assert (event->tree.size > 0);
    digest_t merged = digest_of (event->tree.data, event->tree.size);
    if (digest_equal (&merged, &self->live)) {
        improve_reject (self, index, REASON_DUPLICATE, "the live release has the change already");
        return;
    }
    if (!digest_equal (&merged,
                       &improvement->candidate)) /* else all of it conflicts, and it stands as it was made */
        improvement->merged_from = improvement->candidate;
    improvement->candidate = merged;
    improvement->tree.size = 0;
    buffer_append (&improvement->tree, event->tree.data, event->tree.size);
    improvement->base = self->live;
    improvement->base_tree.size = 0;
    buffer_append (&improvement->base_tree, self->live_tree.data, self->live_tree.size);
    request_clear (&improvement->feedback);
    request_clear (&improvement->validation);
    improvement->reviewed = false;
    improvement->retests++;
    assert (improvement->retests <= LIMIT_RETESTS);
    if (improvement->state == STATE_VALIDATED || improvement->state == STATE_HELD)
        improve_move (self, index, MOVE_MERGE);
    test_start (self, index);
}

/* The live release that a merge under way is onto; zero if there is no such merge. */
static digest_t s_merging_onto (const node_t *self, uint64_t id)
{
    merge_t merge = {0};
    arena_t arena = {0};
    for (size_t i = 0; id && i < LIMIT_OPERATIONS; i++) {
        const operation_t *operation = &self->operations[i];
        if (operation->id != id || operation->kind != EFFECT_MERGE)
            continue;
        int rc = record_decode (effect_record (EFFECT_MERGE), operation->effect.data, operation->effect.size,
                                &merge, &arena, NULL);
        assert (rc == 0 && !digest_is_zero (&merge.ours));
        (void)rc;
    }
    arena_clear (&arena);
    return merge.ours;
}

void on_merged (node_t *self, const merged_t *event)
{
    assert (self && event);
    owner_t owner;
    size_t index;
    digest_t onto = s_merging_onto (self, event->operation);
    if (!operated (self, event->operation, EFFECT_MERGE, &owner, &index))
        return;
    if (event->result == MERGE_FAULT) {
        char detail[LIMIT_TEXT + 1];
        text_copy (event->detail, detail, sizeof detail);
        improve_fault (self, false, "merging a change onto the live release", detail);
    }
    /* What went live while it was merged is not in it, and would be lost with it. */
    bool is_overtaken = event->result != MERGE_FAULT && !digest_equal (&onto, &self->live);
    if (owner == OWNER_PARCEL && is_overtaken)
        knowledge_overtaken (self, index);
    else if (owner == OWNER_PARCEL)
        knowledge_merged (self, index, event);
    else if (!is_overtaken) /* else improve_advance has it merged again */
        s_improvement_merged (self, index, event);
}

void on_snapshot_taken (node_t *self, const snapshot_taken_t *event)
{
    assert (self && event);
    owner_t owner;
    size_t index;
    if (!operated (self, event->operation, EFFECT_SNAPSHOT, &owner, &index))
        return;
    char detail[LIMIT_TEXT + 1];
    text_copy (event->detail, detail, sizeof detail);
    improvement_t *improvement = &self->improvements[index];
    assert (owner == OWNER_IMPROVEMENT && improvement->state == STATE_SNAPSHOT);
    apply_t apply = {.from = self->live, .release = improvement->candidate};
    if (event->result == 0 && !apply_allowed (self, index)) {
        improve_move (self, index,
                      MOVE_DEFER); /* `current` is as it was: it goes on from here with a new snapshot */
        return;
    }
    if (event->result == 0 && operate (self, EFFECT_APPLY, &apply, OWNER_IMPROVEMENT, index))
        return;
    improve_fault (self, true, "writing a release", detail);
    improve_reject (self, index, REASON_APPLY_FAILED, detail);
}

/* The new release is remembered with what it takes to go back. */
static void s_remember (node_t *self, const improvement_t *improvement)
{
    if (self->applied_count == LIMIT_SNAPSHOTS) { /* older ones stay in the store */
        buffer_clear (&self->applied[0].row);
        memmove (&self->applied[0], &self->applied[1], (--self->applied_count) * sizeof self->applied[0]);
    }
    assert (self->applied_count < LIMIT_SNAPSHOTS && !digest_is_zero (&improvement->snapshot));
    archive_pin (self->archive, &improvement->base);
    archive_pin (self->archive, &improvement->candidate);
    archive_readmit (self->archive, &improvement->candidate);
    applied_t *grown = realloc (self->applied, (self->applied_count + 1) * sizeof *grown);
    assert (grown);
    self->applied = grown;
    self->applied[self->applied_count++] = (applied_t){.snapshot = improvement->snapshot,
                                                       .before = improvement->base,
                                                       .after = improvement->candidate,
                                                       .improvement = improvement->id,
                                                       .state = STATE_APPLIED,
                                                       .baseline = improvement->baseline};
}

void apply_verify (node_t *self, size_t index, const digest_t *candidate, const digest_t *base,
                   const metrics_t *baseline)
{
    assert (self && candidate && base && baseline);
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    improvement_t *improvement = &self->improvements[index];
    /* One live copy is measured at a time, and trial_open keeps a place for it. */
    improvement->trial = trial_open (self, OWNER_IMPROVEMENT, index, candidate, base, RANK_LIVE);
    assert (improvement->trial != NONE);
    trial_init_verify (&self->comparisons[improvement->trial].trial, &self->objectives, baseline);
}

void on_applied (node_t *self, const applied_event_t *event)
{
    assert (self && event);
    owner_t owner;
    size_t index;
    if (!operated (self, event->operation, EFFECT_APPLY, &owner, &index))
        return;
    improvement_t *improvement = &self->improvements[index];
    assert (owner == OWNER_IMPROVEMENT && improvement->state == STATE_SNAPSHOT);
    text_copy (event->detail, improvement->detail, sizeof improvement->detail);
    if (event->result == SWITCH_FAILED) {
        improve_fault (self, true, "putting a release in place", improvement->detail);
        improve_reject (self, index, REASON_APPLY_FAILED, NULL);
        return;
    }
    apply_set_live (self, &improvement->candidate, &improvement->tree, &improvement->result.candidate);
    s_remember (self, improvement);
    improve_move (self, index, MOVE_APPLY);
    if (event->result == SWITCH_UNSETTLED) {
        improve_fault (self, true, "restarting the service", improvement->detail);
        rollback_start (self, index, REASON_RESTART_FAILED);
    } else
        apply_verify (self, index, &improvement->candidate, &improvement->base,
                      &improvement->result.candidate);
}

void apply_keep (node_t *self, size_t index)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    const improvement_t *improvement = &self->improvements[index];
    assert (improvement->state == STATE_APPLIED && improvement->trial == NONE);
    improve_move (self, index, MOVE_KEEP);
    if (improvement->origin == ORIGIN_PACKAGE)
        say_event (self, TYPE_KNOWLEDGE_ADOPTED, &improvement->id, improvement->result.weighted, NULL, NULL,
                   0);
    improve_finish (self, index);
}

static void s_applied_and_verified (node_t *self, size_t index)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    improvement_t *improvement = &self->improvements[index];
    assert (digest_equal (&improvement->candidate, &self->live));
    improve_healthy (self, improvement->breaker_trial, true);
    bool own = pubkey_equal (&improvement->author, &self->identity.id);
    entry_t metadata = {text_of ("description"), text_of (improvement->description)};
    say_event (self, TYPE_IMPROVEMENT_APPLIED, &improvement->id, improvement->result.weighted, NULL,
               &metadata, 1);
    if (own)
        self->counts.applied++;
    /* What passed while the group was one has no certificate that the later members would take. */
    bool outgrown = members_now (self) > 1 && improvement->feedback.count == 0;
    if (!improvement->certified && self->settings.auto_share && !outgrown) {
        share_start (self, index);
        return;
    }
    apply_keep (self, index);
}

void apply_verified (node_t *self, size_t index, reason_code_t reason, const trial_result_t *result)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    improvement_t *improvement = &self->improvements[index];
    if (improvement->state == STATE_ROLLING_BACK) {
        rollback_verified (self, index, reason);
        return;
    }
    assert (improvement->state == STATE_APPLIED);
    if (reason == REASON_NONE) {
        if (result->candidate.count)
            for (size_t i = 0; i < self->objectives.count; i++)
                if (!self->objectives.items[i].noisy)
                    self->live_metrics.values[i] = result->candidate.values[i];
        s_applied_and_verified (self, index);
        return;
    }
    improve_fault (self, true, "measuring a release after it was put in place", reason_description (reason));
    if (self->settings.automatic_rollback)
        rollback_start (self, index, REASON_REGRESSION);
    else { /* switched off: it stays, and the operator is told */
        say_event (self, TYPE_PERFORMANCE_THRESHOLD_EXCEEDED, &improvement->id, improvement->result.weighted,
                   reason_description (REASON_REGRESSION), NULL, 0);
        improve_move (self, index, MOVE_KEEP);
        improve_finish (self, index);
    }
}
