/* SPDX-License-Identifier: MPL-2.0 */
/* A quadratic model of what was measured near the best, and where it is least within a radius.
 *
 * There are far fewer points than a quadratic has coefficients, so of all that fit well the model is the one with the smallest
 * coefficients, where those of two neighbours count less. What is far from the best needs to fit less well, as no quadratic goes that
 * far. After: M. J. D. Powell, "The NEWUOA software for unconstrained optimization without derivatives" (2006), for models of least norm;
 * T. Steihaug, "The conjugate gradient method and trust regions", SIAM J. Numer. Anal. 20 (1983), for the step. */
#ifndef EVOMESH_PROPOSERS_QUADRATIC_H
#define EVOMESH_PROPOSERS_QUADRATIC_H

#include <stddef.h>

#define QUADRATIC_POINTS_MAX 256

/* Sets `step` to where the model is least within `radius` of the best, as an offset from it. `offsets`: `points` rows of `count` numbers
 * each, where each point stands relative to the best, none of them all zero; `losses`: how much worse each is. 0 < points <=
 * QUADRATIC_POINTS_MAX, count > 0, radius > 0 (asserted). Aborts when out of memory. */
void quadratic_step (const double *offsets, const double *losses, size_t points, size_t count, double radius,
                     double *step);

#endif
