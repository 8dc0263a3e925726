/* SPDX-License-Identifier: MPL-2.0 */
/* Pareto dominance with directions and limits, fronts, crowding distance, hypervolume. What isn't finite is refused.
 * Source: K. Deb et al., "A fast and elitist multiobjective genetic algorithm: NSGA-II", IEEE TEC 6 (2002); section VI for
 * limits. */
#ifndef EVOMESH_EVOLUTION_PARETO_H
#define EVOMESH_EVOLUTION_PARETO_H

#include "evolution/objective.h"

/* True if `a` is at least as good as `b` on every objective and better on one. Where a limit is passed (constrained domination):
 * what is feasible dominates what isn't, and of two that aren't the one that is less far past its limits. All values must be
 * finite (asserted). */
bool pareto_dominates (const objectives_t *objectives, const metrics_t *a, const metrics_t *b);

/* Fast non-dominated sort: `ranks[i]` is the number of the front of point i, from 1. O(n² m); `n` up to a few thousand.
 * Returns 0, ERROR_INPUT if a value isn't finite, or ERROR_MEMORY. */
int pareto_ranks (const objectives_t *objectives, const metrics_t *points, size_t n, unsigned *ranks);

/* Crowding distance of each of `n` points of one front; INFINITY at the ends of each objective on which the points differ
 * (of equal ones at an end, for the first or last of them), and for fewer than three points. Returns 0, ERROR_INPUT if a
 * value isn't finite, or ERROR_MEMORY. */
int pareto_crowding (const objectives_t *objectives, const metrics_t *points, size_t n, double *distances);

/* Hypervolume dominated by the points with respect to `reference`, in the product of the objectives' units, exact, for any number
 * of objectives, recursive by slices: time about n to the number of objectives less one, n log n for two. A point that isn't
 * better than the reference on every objective adds nothing, nor does one past a limit. Negative if out of memory or a value isn't
 * finite. */
double pareto_hypervolume (const objectives_t *objectives, const metrics_t *points, size_t n,
                           const metrics_t *reference);

#endif
