/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/trial.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "evolution/signed_rank.h"
#include "evolution/validators.h"

_Static_assert(TRIAL_PAIRS_MOST <= LIMIT_PAIRS, "a trial's pairs have room");

/* When pairs are looked at, the probability below which a noisy objective, if there is but one, has changed, and the one below which it still may
 * turn out to have. */
typedef struct {
    size_t pairs;
    double alpha;
    double hope;
} look_t;
static const look_t s_looks[] = {
    {TRIAL_PAIRS_LEAST, 0.004, 0.1}, {16, 0.003, 0.05}, {TRIAL_PAIRS_MOST, 0.003, 0.003}};
#define LOOKS (sizeof s_looks / sizeof *s_looks)

void trial_init (trial_t *self, const objectives_t *objectives, double min_improvement,
                 const metrics_t *base_known)
{
    assert (objectives->count > 0 && objectives->count <= LIMIT_OBJECTIVES);
    assert (base_known == NULL || base_known->count == objectives->count);
    memset (self, 0, sizeof *self);
    self->objectives = *objectives;
    self->min_improvement = min_improvement;
    self->base_known = base_known != NULL;
    if (base_known != NULL)
        self->base_known_values = *base_known;
}

void trial_init_verify (trial_t *self, const objectives_t *objectives, const metrics_t *base_known)
{
    trial_init (self, objectives, 0, base_known);
    self->accept_equal = true;
}

static size_t s_pairs (const trial_t *self)
{
    return self->candidate_runs < self->base_runs ? self->candidate_runs : self->base_runs;
}

static double s_median (const double runs[LIMIT_PAIRS][LIMIT_OBJECTIVES], size_t count, size_t objective)
{
    assert (count > 0 && count <= LIMIT_PAIRS && objective < LIMIT_OBJECTIVES);
    double values[LIMIT_PAIRS];
    for (size_t run = 0; run < count; run++)
        values[run] = runs[run][objective];
    return median_of (values, count);
}

static metrics_t s_candidate (const trial_t *self)
{
    metrics_t metrics = {.count = self->candidate_runs > 0 ? self->objectives.count : 0};
    for (size_t i = 0; i < metrics.count; i++)
        metrics.values[i] = s_median (self->candidate, self->candidate_runs, i);
    return metrics;
}

/* The base's values: those known for exact objectives, else medians of its runs; of neither, none. */
static metrics_t s_base (const trial_t *self)
{
    if (self->base_runs == 0)
        return self->base_known_values;
    metrics_t metrics = {.count = self->objectives.count};
    for (size_t i = 0; i < metrics.count; i++)
        metrics.values[i] = self->base_known && !self->objectives.items[i].noisy
                                ? self->base_known_values.values[i]
                                : s_median (self->base, self->base_runs, i);
    return metrics;
}

/* The improvement seen in each pair. */
static void s_differences (const trial_t *self, size_t objective, double differences[LIMIT_PAIRS])
{
    assert (objective < self->objectives.count);
    for (size_t pair = 0; pair < s_pairs (self); pair++)
        differences[pair] =
            objective_improvement (&self->objectives.items[objective], self->base[pair][objective],
                                   self->candidate[pair][objective]);
}

static void s_negate (double differences[LIMIT_PAIRS], size_t count)
{
    assert (count <= LIMIT_PAIRS);
    for (size_t i = 0; i < count; i++)
        differences[i] = -differences[i];
}

static size_t s_noisy_count (const trial_t *self)
{
    size_t count = 0;
    for (size_t i = 0; i < self->objectives.count; i++)
        count += self->objectives.items[i].noisy;
    return count;
}

/* The conclusion of the first look that comes to one. A candidate has as many chances to be better by luck as it has noisy objectives,
 * so these share a look's level; to be called worse is no gain for anybody. */
static change_t s_change (const trial_t *self, const objective_t *objective, const double *gains,
                          const double *losses)
{
    size_t pairs = s_pairs (self), chances = s_noisy_count (self);
    assert (pairs > 0 && pairs <= TRIAL_PAIRS_MOST && chances > 0);
    for (size_t i = 0; i < LOOKS && s_looks[i].pairs <= pairs; i++) {
        const look_t *look = &s_looks[i];
        if (signed_rank_p (gains, look->pairs) < look->alpha / (double)chances)
            return CHANGE_BETTER;
        if (signed_rank_p (losses, look->pairs) < look->alpha &&
            median_of (losses, look->pairs) > objective->tolerance)
            return CHANGE_WORSE;
    }
    return CHANGE_SAME;
}

/* Concludes on a noisy objective from its pairs. */
static void s_conclude (const trial_t *self, size_t objective, trial_result_t *result)
{
    assert (objective < self->objectives.count && self->objectives.items[objective].noisy);
    double gains[LIMIT_PAIRS], losses[LIMIT_PAIRS];
    size_t pairs = s_pairs (self);
    s_differences (self, objective, gains);
    s_differences (self, objective, losses);
    s_negate (losses, pairs);
    result->improvements[objective] = median_of (gains, pairs);
    result->dispersion[objective] = dispersion_of (gains, pairs);
    result->changes[objective] = s_change (self, &self->objectives.items[objective], gains, losses);
}

/* What the runs so far say, done or not. Needs a candidate's run. */
static void s_assess (const trial_t *self, trial_result_t *result)
{
    assert (self->candidate_runs > 0 && !self->invalid && !self->base_invalid);
    memset (result, 0, sizeof *result);
    result->candidate = s_candidate (self);
    result->base = s_base (self);
    result->repeats = s_pairs (self);
    if (result->repeats == 0 && self->base_known)
        result->repeats = 1;
    for (size_t i = 0; i < self->objectives.count; i++) {
        const objective_t *objective = &self->objectives.items[i];
        if (objective->noisy && s_pairs (self) > 0) {
            s_conclude (self, i, result);
        } else if (result->base.count > 0 && (!objective->noisy || self->accept_equal)) {
            double before = result->base.values[i], after = result->candidate.values[i];
            result->improvements[i] = objective_improvement (objective, before, after);
            result->changes[i] =
                objective->noisy ? CHANGE_SAME : objective_compare (objective, before, after);
        }
    }
    result->verdict = objectives_accept (&self->objectives, result->changes, result->improvements,
                                         &result->candidate, self->min_improvement, &result->weighted);
    if (!self->accept_equal)
        return;
    result->verdict = VERDICT_ACCEPT;
    for (size_t i = 0; i < self->objectives.count; i++)
        if (result->changes[i] == CHANGE_WORSE)
            result->verdict = VERDICT_WORSE;
}

/* True if exact objectives alone settle it: nothing that pairs could show would change the verdict. */
static bool s_exact_decides (const trial_t *self, const trial_result_t *so_far)
{
    for (size_t i = 0; i < self->objectives.count; i++) {
        const objective_t *objective = &self->objectives.items[i];
        if (objective->noisy)
            continue;
        if (so_far->changes[i] == CHANGE_WORSE)
            return true;
        if (!self->accept_equal && objective_infeasible (objective, so_far->candidate.values[i]))
            return true;
    }
    return so_far->base.count > 0 && s_noisy_count (self) == 0;
}

/* A verification's first run against the values known: near enough on every noisy objective to need no pairs? */
static bool s_first_run_suffices (const trial_t *self, const trial_result_t *so_far)
{
    if (!self->accept_equal || !self->base_known || self->base_runs > 0)
        return false;
    for (size_t i = 0; i < self->objectives.count; i++)
        if (self->objectives.items[i].noisy && so_far->improvements[i] < -self->objectives.items[i].tolerance)
            return false;
    return true;
}

/* True if the median of the candidate's runs at the first look will lie where it lies now with respect to the limit. */
static bool s_limit_settled (const trial_t *self, size_t objective)
{
    assert (objective < self->objectives.count);
    const objective_t *limited = &self->objectives.items[objective];
    size_t past = 0;
    if (!limited->has_limit || self->accept_equal || self->candidate_runs >= TRIAL_PAIRS_LEAST)
        return true;
    for (size_t run = 0; run < self->candidate_runs; run++)
        past += objective_infeasible (limited, self->candidate[run][objective]);
    return past > TRIAL_PAIRS_LEAST / 2 || self->candidate_runs - past > TRIAL_PAIRS_LEAST / 2;
}

/* True if these differences may come to a conclusion at this look or, if they are all of this look's, at a later one. */
static bool s_hopeful (const double *differences, size_t pairs, const look_t *look)
{
    assert (pairs > 0 && pairs <= look->pairs);
    if (pairs < look->pairs)
        return signed_rank_reachable (differences, pairs, look->pairs, look->hope);
    return pairs < TRIAL_PAIRS_MOST && signed_rank_p (differences, pairs) < look->hope;
}

/* True if more pairs may show a noisy objective to be better, and that matters: up to the first look it always does, beyond
 * it only to a candidate that isn't good enough without. A verification doesn't ask. */
static bool s_may_be_better (const trial_t *self, const trial_result_t *so_far, size_t objective,
                             const look_t *look)
{
    size_t pairs = s_pairs (self);
    if (self->accept_equal || so_far->changes[objective] == CHANGE_BETTER ||
        (pairs >= TRIAL_PAIRS_LEAST && so_far->verdict == VERDICT_ACCEPT))
        return false;
    double gains[LIMIT_PAIRS];
    s_differences (self, objective, gains);
    return s_hopeful (gains, pairs, look);
}

static bool s_may_be_worse (const trial_t *self, const trial_result_t *so_far, size_t objective,
                            const look_t *look)
{
    size_t pairs = s_pairs (self);
    if (so_far->changes[objective] == CHANGE_BETTER)
        return false;
    double losses[LIMIT_PAIRS];
    s_differences (self, objective, losses);
    s_negate (losses, pairs);
    if (pairs == look->pairs && median_of (losses, pairs) <= self->objectives.items[objective].tolerance)
        return false;
    return s_hopeful (losses, pairs, look);
}

/* Would the candidate be good enough if its noisy objectives were better by twice what they seem to be? */
static bool s_is_promising (const trial_t *self, const trial_result_t *so_far)
{
    double hoped[LIMIT_OBJECTIVES];
    for (size_t i = 0; i < self->objectives.count; i++) {
        hoped[i] = so_far->improvements[i];
        if (self->objectives.items[i].noisy)
            hoped[i] = hoped[i] > 0 ? 2 * hoped[i] : 0;
    }
    return objectives_weighted (&self->objectives, hoped) >= self->min_improvement;
}

/* True if the pairs end here, by the sequential rule. */
static bool s_pairs_suffice (const trial_t *self)
{
    size_t pairs = s_pairs (self);
    const look_t *look = s_looks;
    while (look->pairs < pairs)
        look++;
    assert (look < s_looks + LOOKS);
    trial_result_t so_far;
    s_assess (self, &so_far);
    if (so_far.verdict == VERDICT_WORSE)
        return true;
    if ((pairs == TRIAL_PAIRS_GLANCE || pairs == look->pairs) && so_far.verdict != VERDICT_ACCEPT &&
        !s_is_promising (self, &so_far))
        return true;
    for (size_t i = 0; i < self->objectives.count; i++)
        if (self->objectives.items[i].noisy &&
            (s_may_be_better (self, &so_far, i, look) || s_may_be_worse (self, &so_far, i, look) ||
             !s_limit_settled (self, i)))
            return false;
    return true;
}

trial_want_t trial_want (const trial_t *self)
{
    assert (self && self->candidate_runs <= TRIAL_PAIRS_MOST && self->base_runs <= TRIAL_PAIRS_MOST);
    if (self->invalid || self->base_invalid)
        return TRIAL_DONE;
    if (self->candidate_runs == 0)
        return TRIAL_CANDIDATE;
    if (self->base_runs == 0 || self->candidate_runs == self->base_runs) {
        trial_result_t so_far;
        s_assess (self, &so_far);
        if (s_exact_decides (self, &so_far) || s_first_run_suffices (self, &so_far))
            return TRIAL_DONE;
    }
    if (self->candidate_runs != self->base_runs)
        return self->candidate_runs < self->base_runs ? TRIAL_CANDIDATE : TRIAL_BASE;
    if (self->candidate_runs == TRIAL_PAIRS_MOST || s_pairs_suffice (self))
        return TRIAL_DONE;
    /* Each pair starts with the other one, so that a machine that grows slower or faster favours neither. */
    return self->candidate_runs % 2 == 0 ? TRIAL_CANDIDATE : TRIAL_BASE;
}

void trial_valid (trial_t *self, const metrics_t *metrics, uint64_t duration_ms)
{
    trial_want_t want = trial_want (self);
    assert (want != TRIAL_DONE);
    assert (metrics->count == self->objectives.count);
    double *run =
        want == TRIAL_CANDIDATE ? self->candidate[self->candidate_runs++] : self->base[self->base_runs++];
    memcpy (run, metrics->values, metrics->count * sizeof *run);
    assert (self->candidate_runs <= TRIAL_PAIRS_MOST && self->base_runs <= TRIAL_PAIRS_MOST);
    self->duration_ms += duration_ms;
}

void trial_invalid (trial_t *self)
{
    trial_want_t want = trial_want (self);
    assert (want != TRIAL_DONE);
    if (want == TRIAL_CANDIDATE)
        self->invalid = true;
    else
        self->base_invalid = true;
}

/* Where the improvement lies. */
static void s_interval (const trial_t *self, size_t objective, trial_result_t *result)
{
    assert (objective < self->objectives.count);
    double gains[LIMIT_PAIRS];
    double *low = &result->low[objective], *high = &result->high[objective];
    if (self->objectives.items[objective].noisy) {
        s_differences (self, objective, gains);
        if (signed_rank_interval (gains, s_pairs (self), TRIAL_LEVEL, low, high))
            return;
    }
    *low = *high = NAN;
}

void trial_result (const trial_t *self, trial_result_t *result)
{
    assert (!self->invalid && !self->base_invalid);
    assert (trial_want (self) == TRIAL_DONE);
    s_assess (self, result);
    for (size_t i = 0; i < self->objectives.count; i++)
        s_interval (self, i, result);
}

bool trial_rests_on_noise (const objectives_t *objectives, double min_improvement,
                           const trial_result_t *result)
{
    assert (objectives && result && result->candidate.count == objectives->count);
    if (result->verdict != VERDICT_ACCEPT)
        return false;
    change_t changes[LIMIT_OBJECTIVES];
    for (size_t i = 0; i < objectives->count; i++)
        changes[i] = objectives->items[i].noisy && result->changes[i] == CHANGE_BETTER ? CHANGE_SAME
                                                                                       : result->changes[i];
    return objectives_accept (objectives, changes, result->improvements, &result->candidate, min_improvement,
                              NULL) != VERDICT_ACCEPT;
}
