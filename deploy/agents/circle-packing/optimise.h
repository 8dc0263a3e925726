/* SPDX-License-Identifier: MPL-2.0 */
/* From any 26 points to a packing that no small move makes better. */
#ifndef CIRCLE_PACKING_OPTIMISE_H
#define CIRCLE_PACKING_OPTIMISE_H

#include "packing.h"

/* A packing in floating point, of the unit square. */
typedef struct {
    double x[CIRCLES];
    double y[CIRCLES];
    double r[CIRCLES];
} layout_t;

/* Moves the centres, and chooses the radii, until their sum grows no more. The radii that stand there
 * don't count. Needs centres within the square. What comes out is a packing up to rounding. Returns the
 * sum of the radii. */
double layout_optimise (layout_t *self);

#endif
