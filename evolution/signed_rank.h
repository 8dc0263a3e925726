/* SPDX-License-Identifier: MPL-2.0 */
/* The one-sided Wilcoxon signed-rank test, exact, with curtailment: stop measuring when the rest can't change the answer.
 * Source: F. Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1 (1945); zero differences are
 * dropped, ties get mid-ranks, the distribution over all sign patterns is counted exactly. */
#ifndef EVOMESH_EVOLUTION_SIGNED_RANK_H
#define EVOMESH_EVOLUTION_SIGNED_RANK_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/limits.h"

/* The probability, if there is no difference, of a sum of positive ranks at least as large as the one seen:
 * small means that the differences tend to be positive. `count` at most LIMIT_PAIRS (asserted); 1 if all are zero. */
double signed_rank_p (const double *differences, size_t count);

/* True unless it is certain that, with `planned` pairs in all, of which `count` are known, positive differences can't reach
 * p < `alpha` any more, whatever the rest will be. */
bool signed_rank_reachable (const double *differences, size_t count, size_t planned, double alpha);

/* The interval that belongs to the test: what would have to be taken from all differences for it to find nothing, either way.
 * It holds their true centre with a probability of at least `level`, whatever their distribution, if it is symmetric. The ends are
 * averages of two differences each (J. L. Hodges, E. L. Lehmann, Annals of Mathematical Statistics 34, 1963).
 * False if `count` is too small for the level: below 6 for 0.95. */
bool signed_rank_interval (const double *differences, size_t count, double level, double *low, double *high);

#endif
