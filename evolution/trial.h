/* SPDX-License-Identifier: MPL-2.0 */
/* A trial: the measured comparison of a candidate with a base, run by run, on this node's own machine and data.
 *
 *   start ─▶ candidate ─invalid─▶ done
 *               │ valid
 *               ▼
 *             base (left out when its values are known and nothing is noisy)
 *               │        exact objectives decide: infeasible, worse, or nothing is noisy ─▶ done
 *               ▼
 *             pairs: candidate, base; base, candidate; … as the sequential rule says ─▶ done
 *
 * Pairs start with the one and the other in turn, so that a machine that grows slower favours neither. An exact objective's
 * value is the median of its runs, or the one known from before.
 *
 * The sequential rule: the pairs are looked at when there are 8, 16 and 32. A noisy objective is better if at a look the
 * one-sided signed-rank probability of its improvements is below 0.004, 0.003, 0.003 in this order, and worse if the same is
 * true of what is lost and the median loss is beyond its tolerance; what was concluded stays. The three sum up to 0.01: by a
 * noisy objective a program is taken for better than itself in at most one of a hundred trials, whatever its noise, as long as
 * pairs are independent and it is as often above itself as below. Pairs end
 *   - with a noisy objective that is worse;
 *   - at a look, unless some conclusion that could change the verdict still has a probability below 0.1 (at 8 pairs; 0.05 at 16),
 *     and, for worse, its median beyond the tolerance;
 *   - between looks, as soon as it is certain that no conclusion will be in that position at the next, and (up to the first)
 *     on which side of its limit each noisy objective lies.
 *   - after 4 pairs, and at a look, if the candidate isn't good enough by what is concluded, and would not be even if each noisy
 *     objective were better by twice its median so far.
 * Ending early never adds a conclusion, so it only makes mistakes rarer.
 *
 * The trial says which run is wanted next; whoever owns the sandbox runs it and tells the result. */
#ifndef EVOMESH_EVOLUTION_TRIAL_H
#define EVOMESH_EVOLUTION_TRIAL_H

#include "evolution/objective.h"
#include "protocol/image.h"

#define TRIAL_PAIRS_GLANCE 4  /* what promises nothing by then ends here */
#define TRIAL_PAIRS_LEAST  8  /* before these no noisy objective is better or worse */
#define TRIAL_PAIRS_MOST   32 /* the last look */
#define TRIAL_LEVEL        0.95

typedef enum { TRIAL_CANDIDATE, TRIAL_BASE, TRIAL_DONE } trial_want_t;

typedef struct {
    objectives_t objectives;
    double min_improvement;
    bool accept_equal; /* verification: no regression is enough */
    bool base_known;   /* exact objectives of the base are known from before */
    metrics_t base_known_values;
    double candidate[LIMIT_PAIRS][LIMIT_OBJECTIVES];
    double base[LIMIT_PAIRS][LIMIT_OBJECTIVES];
    size_t candidate_runs;
    size_t base_runs;
    bool invalid;      /* the candidate failed a run */
    bool base_invalid; /* the base failed a run: a fault of this node, not of the candidate */
    uint64_t duration_ms;
} trial_t;

/* What came out, once trial_want says TRIAL_DONE. */
typedef struct {
    verdict_t verdict;
    double weighted; /* weighted improvement; what is noisy and not significant counts as 0 */
    double improvements[LIMIT_OBJECTIVES]; /* relative, positive is better; median over pairs where noisy */
    /* median absolute deviation of the pairs' improvements; 0 where exact */
    double dispersion[LIMIT_OBJECTIVES];
    /* between which the improvement lies, at TRIAL_LEVEL as if the number of pairs had been set before; NAN where exact, or pairs
     * are too few */
    double low[LIMIT_OBJECTIVES];
    double high[LIMIT_OBJECTIVES];
    change_t changes[LIMIT_OBJECTIVES];
    metrics_t candidate; /* medians */
    metrics_t base;      /* count 0 if it wasn't needed: the candidate is infeasible */
    size_t repeats;      /* pairs measured; 1 if the candidate's first run was compared with known values */
} trial_result_t;

/* Starts a trial. `base_known` may be NULL; else it holds the base's values for exact objectives (those of noisy ones aren't
 * looked at). */
void trial_init (trial_t *self, const objectives_t *objectives, double min_improvement,
                 const metrics_t *base_known);

/* A trial that only asks for "not worse": after apply and after rollback. Its verdict is ACCEPT, or WORSE if an exact
 * objective is worse beyond tolerance, or a noisy one is worse over pairs. Pairs are run without `base_known`, and with it
 * only if the first run of a noisy objective lies beyond tolerance of the value known. Limits play no part. */
void trial_init_verify (trial_t *self, const objectives_t *objectives, const metrics_t *base_known);

trial_want_t trial_want (const trial_t *self);

/* Tells the result of the run that trial_want asked for. */
void trial_valid (trial_t *self, const metrics_t *metrics, uint64_t duration_ms);
void trial_invalid (trial_t *self);

/* The outcome; only after TRIAL_DONE without `invalid` or `base_invalid` (asserted). */
void trial_result (const trial_t *self, trial_result_t *result);

/* True if the candidate is accepted for what it gained in noisy objectives: without, it wouldn't be. Not for a verification. */
bool trial_rests_on_noise (const objectives_t *objectives, double min_improvement,
                           const trial_result_t *result);

/* Their fields, for a checkpoint: see protocol/image.h. */
void trial_image (trial_t *self, image_t *image);
void trial_result_image (trial_result_t *self, image_t *image);

#endif
