/* SPDX-License-Identifier: MPL-2.0 */
/* What is known along one parameter, where nothing else differs from the best, and where to look next.
 *
 * After: R. Brent, "Algorithms for Minimization without Derivatives" (1973), for parabolas. */
#ifndef EVOMESH_PROPOSERS_LINE_H
#define EVOMESH_PROPOSERS_LINE_H

/* Of either side (left, right) the nearest place and the next, relative to the best, and how much worse they are. An offset of 0: none.
 * Zero-initialise. */
typedef struct {
    double offset[2][2];
    double worse[2][2];
} line_t;

/* Adds a place. One that is known, or the best's own (offset 0), changes nothing. */
void line_add (line_t *self, double offset, double worse);

/* Where to look next, relative to the best: the minimum of the parabola through the best and what is nearest to it, else the
 * side that nobody tried; 0: the line is done with. There must be a place (asserted). */
double line_next (const line_t *self);

#endif
