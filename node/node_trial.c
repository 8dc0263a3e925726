/* SPDX-License-Identifier: MPL-2.0 */
/* Measuring: comparisons wait for slots, runs come back, and whoever wanted the comparison hears of it. */
#include "node/node_life.h"
#include "node/node_peers.h"
#include "node/node_say.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define BASELINE_RETRY_MS 10000

/* --- comparisons --- */

/* What is known of the base's exact objectives on this machine. */
static const metrics_t *s_known_values (const node_t *self, const digest_t *id)
{
    if (digest_equal (id, &self->live) && self->live_metrics.count)
        return &self->live_metrics;
    const archive_entry_t *entry = archive_find (self->archive, id);
    return entry && entry->valid ? &entry->metrics : NULL;
}

size_t trial_open (node_t *self, owner_t owner, size_t index, const digest_t *candidate, const digest_t *base,
                   unsigned rank)
{
    assert (self && candidate && base);
    assert (rank <= RANK_OWN && (owner == OWNER_JOB) == (rank == RANK_PEER));
    size_t places = 0;
    for (size_t i = 0; i < LIMIT_TRIALS; i++)
        places += !self->comparisons[i].used;
    if (places < 2 && rank != RANK_LIVE)
        return NONE;
    for (size_t i = 0; i < LIMIT_TRIALS; i++) {
        comparison_t *comparison = &self->comparisons[i];
        if (comparison->used)
            continue;
        *comparison = (comparison_t){.used = true,
                                     .owner = owner,
                                     .index = index,
                                     .candidate = *candidate,
                                     .base = *base,
                                     .foreign = rank == RANK_PEER || rank == RANK_PACKAGE,
                                     .live = rank == RANK_LIVE,
                                     .rank = rank,
                                     .order = ++self->order,
                                     .reason = REASON_NONE};
        trial_init (&comparison->trial, &self->objectives, self->group.policy.min_improvement,
                    s_known_values (self, base));
        return i;
    }
    return NONE;
}

void trial_close (node_t *self, size_t index)
{
    assert (index < LIMIT_TRIALS && self->comparisons[index].used);
    comparison_t *comparison = &self->comparisons[index];
    if (comparison->operation)
        operate_cancel (self, comparison->operation);
    memset (comparison, 0, sizeof *comparison);
}

size_t slots_busy (const node_t *self)
{
    assert (self);
    size_t busy = proposals_here (self) + self->baseline_running;
    for (size_t i = 0; i < LIMIT_TRIALS; i++)
        busy += self->comparisons[i].used && self->comparisons[i].operation != 0;
    return busy;
}

static comparison_t *s_next_waiting (node_t *self)
{
    comparison_t *next = NULL;
    for (size_t i = 0; i < LIMIT_TRIALS; i++) {
        comparison_t *comparison = &self->comparisons[i];
        if (!comparison->used || comparison->operation || trial_want (&comparison->trial) == TRIAL_DONE)
            continue;
        if (!next || comparison->rank < next->rank ||
            (comparison->rank == next->rank && comparison->order < next->order))
            next = comparison;
    }
    return next;
}

static bool s_start_run (node_t *self, comparison_t *comparison)
{
    assert (comparison->used && comparison->operation == 0);
    comparison->running = trial_want (&comparison->trial);
    bool candidate = comparison->running == TRIAL_CANDIDATE;
    evaluate_t evaluate = {.candidate = candidate ? comparison->candidate : comparison->base,
                           .foreign = comparison->foreign,
                           .live = candidate && comparison->live,
                           .staged = candidate && !comparison->live && !comparison->again &&
                                     comparison->trial.candidate_runs == 0};
    comparison->operation =
        operate (self, EFFECT_EVALUATE, &evaluate, OWNER_TRIAL, (size_t)(comparison - self->comparisons));
    return comparison->operation != 0;
}

/* The live release is measured before anything else: it is what all is compared with. */
static void s_start_baseline (node_t *self)
{
    if (self->baseline_known || self->baseline_running || self->baseline_retry_ms > self->now_ms)
        return;
    evaluate_t evaluate = {.candidate = self->live, .live = 0};
    self->baseline_running = operate (self, EFFECT_EVALUATE, &evaluate, OWNER_NODE, NONE) != 0;
}

void trial_schedule (node_t *self)
{
    assert (self);
    if (!self->started)
        return;
    s_start_baseline (self);
    while (slots_busy (self) < self->settings.slots) {
        comparison_t *next = s_next_waiting (self);
        if (!next || !s_start_run (self, next))
            return;
    }
}

/* --- results --- */

static void s_baseline_evaluated (node_t *self, const evaluated_t *event, const metrics_t *metrics)
{
    assert (self->baseline_running && !self->baseline_known);
    self->baseline_running = false;
    if (event->reason != REASON_NONE) {
        self->baseline_retry_ms = self->now_ms + BASELINE_RETRY_MS;
        self->baseline_reason = (reason_code_t)event->reason;
        text_copy (event->detail, self->baseline_detail, sizeof self->baseline_detail);
        entry_t metadata = {text_of ("reason"), text_of (reason_name (REASON_BASE_FAILED))};
        say_event (self, TYPE_BASELINE_FAILED, &self->live, NAN, self->baseline_detail, &metadata, 1);
        improve_fault (self, false, "measuring the live release", self->baseline_detail);
        return;
    }
    self->baseline_known = true;
    self->baseline_reason = REASON_NONE;
    self->baseline_detail[0] = 0;
    self->baseline_retry_ms = UINT64_MAX;
    self->live_metrics = *metrics;
    if (!self->start_metrics.count)
        self->start_metrics = *metrics;
    candidate_live (self, metrics);
}

/* Where a member of a group has validators, who is alone measures a second time what luck may have chosen: see
 * docs/decisions/0014. True if it does so now. */
static bool s_measure_again (node_t *self, comparison_t *comparison)
{
    assert (comparison->used && comparison->operation == 0);
    trial_result_t result;
    if (comparison->owner != OWNER_IMPROVEMENT || comparison->live || comparison->foreign ||
        comparison->again || comparison->reason != REASON_NONE || !review_is_alone (self))
        return false;
    trial_result (&comparison->trial, &result);
    if (!trial_rests_on_noise (&self->objectives, self->group.policy.min_improvement, &result))
        return false;
    comparison->again = true;
    trial_init (&comparison->trial, &self->objectives, self->group.policy.min_improvement,
                s_known_values (self, &comparison->base));
    return true;
}

/* Told to whoever wanted the comparison, once it is over. */
static void s_comparison_done (node_t *self, size_t index)
{
    assert (index < LIMIT_TRIALS && self->comparisons[index].used);
    if (s_measure_again (self, &self->comparisons[index]))
        return;
    comparison_t comparison = self->comparisons[index];
    assert (comparison.operation == 0 && trial_want (&comparison.trial) == TRIAL_DONE);
    trial_result_t result;
    bool measured = comparison.reason == REASON_NONE;
    if (measured)
        trial_result (&comparison.trial, &result);
    trial_close (self, index);
    if (measured && comparison.again && result.verdict != VERDICT_ACCEPT)
        text_copy (text_of ("better in a first trial, by luck: not so in a second"), comparison.detail,
                   sizeof comparison.detail);
    const trial_result_t *outcome = measured ? &result : NULL;
    reason_code_t reason = measured ? reason_of_verdict (result.verdict) : comparison.reason;
    if (comparison.owner == OWNER_JOB)
        serve_measured (self, comparison.index, reason, outcome, comparison.trial.duration_ms);
    else if (comparison.live) {
        self->improvements[comparison.index].trial = NONE;
        apply_verified (self, comparison.index, reason, outcome);
    } else {
        self->improvements[comparison.index].trial = NONE;
        self->improvements[comparison.index].twice = comparison.again;
        test_done (self, comparison.index, reason, comparison.detail, outcome);
    }
}

static void s_run_evaluated (node_t *self, size_t index, const evaluated_t *event, const metrics_t *metrics)
{
    assert (index < LIMIT_TRIALS && self->comparisons[index].used);
    comparison_t *comparison = &self->comparisons[index];
    assert (comparison->operation == event->operation && comparison->running != TRIAL_DONE);
    bool base = comparison->running == TRIAL_BASE, fault = event->reason == REASON_FAULT;
    bool own = comparison->owner == OWNER_IMPROVEMENT;
    comparison->operation = 0;
    if (event->reason == REASON_NONE)
        trial_valid (&comparison->trial, metrics, event->wall_ms);
    else {
        text_copy (event->detail, comparison->detail, sizeof comparison->detail);
        comparison->reason = base && !fault ? REASON_BASE_FAILED : (reason_code_t)event->reason;
        trial_invalid (&comparison->trial);
    }
    /* A peer chose both what its validation runs and what that is compared with: neither says anything of this node, unless the
     * sandbox itself fails. */
    if (fault || (own && base && event->reason != REASON_NONE))
        improve_fault (self, false, base && !fault ? "measuring the live release" : "running the evaluator",
                       comparison->detail);
    else if (own)
        improve_healthy (self, self->improvements[comparison->index].breaker_trial, false);
    if (trial_want (&comparison->trial) == TRIAL_DONE)
        s_comparison_done (self, index);
}

void on_evaluated (node_t *self, const evaluated_t *event)
{
    assert (self && event);
    owner_t owner;
    size_t index;
    if (!operated (self, event->operation, EFFECT_EVALUATE, &owner, &index))
        return; /* cancelled meanwhile */
    self->counts.evaluations++;
    metrics_t metrics = {.count = event->metrics.count};
    for (size_t i = 0; i < metrics.count; i++)
        metrics.values[i] = event->metrics.items[i].value;
    assert (event->reason != REASON_NONE || metrics.count == self->objectives.count);
    if (owner == OWNER_NODE)
        s_baseline_evaluated (self, event, &metrics);
    else
        s_run_evaluated (self, index, event, &metrics);
}

reason_code_t reason_of_verdict (verdict_t verdict)
{
    switch (verdict) {
    case VERDICT_ACCEPT: return REASON_NONE;
    case VERDICT_NOT_BETTER: return REASON_NOT_BETTER;
    case VERDICT_WORSE: return REASON_WORSE;
    case VERDICT_TOO_SMALL: return REASON_TOO_SMALL;
    case VERDICT_INFEASIBLE: return REASON_INFEASIBLE;
    }
    assert (false);
    return REASON_FAULT;
}

/* --- what was measured before --- */

void measurement_keep (node_t *self, const digest_t *candidate, const digest_t *base, reason_code_t reason,
                       const trial_result_t *result)
{
    assert (self && candidate && base);
    assert (result || reason != REASON_NONE);
    measurement_t *measurement = &self->measurements[self->measurement_next++ % MEASUREMENTS];
    *measurement = (measurement_t){*candidate, *base, reason, result != NULL, {0}};
    if (result)
        measurement->result = *result;
}

const measurement_t *measurement_find (const node_t *self, const digest_t *candidate, const digest_t *base)
{
    assert (self && candidate && base);
    for (size_t i = 0; i < MEASUREMENTS; i++)
        if (digest_equal (&self->measurements[i].candidate, candidate) &&
            digest_equal (&self->measurements[i].base, base))
            return &self->measurements[i];
    return NULL;
}
