/* SPDX-License-Identifier: MPL-2.0 */
#include "proposers/line.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

#define NARROW  0.02 /* of a bracket: a minimum so near to a known place is that place */
#define REACH   20   /* how many times as far as what is known a minimum is believed to be */
#define STRETCH 1.6  /* how much farther the other side is tried */

void line_add (line_t *self, double offset, double worse)
{
    assert (self && isfinite (offset));
    double *offsets = self->offset[offset > 0], *losses = self->worse[offset > 0];
    if (offset == 0 || offset == offsets[0])
        return;
    if (offsets[0] == 0 || fabs (offset) < fabs (offsets[0])) {
        offsets[1] = offsets[0];
        losses[1] = losses[0];
        offsets[0] = offset;
        losses[0] = worse;
    } else if (offsets[1] == 0 || fabs (offset) < fabs (offsets[1])) {
        offsets[1] = offset;
        losses[1] = worse;
    }
    assert (offsets[0] != 0 && (offsets[1] == 0 || fabs (offsets[0]) < fabs (offsets[1])));
}

/* Where the parabola through the best and two others has its minimum; 0 if it has none. */
static double s_vertex (double a, double fa, double b, double fb)
{
    assert (a != 0 && b != 0 && a != b); /* three places that differ */
    double curvature = (fa / a - fb / b) / (a - b), slope = fa / a - curvature * a;
    return curvature > 0 ? -slope / (2 * curvature) : 0;
}

double line_next (const line_t *self)
{
    double left = self->offset[0][0], right = self->offset[1][0];
    assert (left <= 0 && right >= 0 && (left != 0 || right != 0));
    if (left != 0 && right != 0) {
        double vertex = s_vertex (left, self->worse[0][0], right, self->worse[1][0]);
        double narrow = NARROW * (right - left);
        bool fresh = fabs (vertex) > narrow && vertex - left > narrow && right - vertex > narrow;
        return fresh ? vertex : 0;
    }
    int side = left == 0;
    double near = self->offset[side][0], far = self->offset[side][1];
    double vertex = far != 0 ? s_vertex (near, self->worse[side][0], far, self->worse[side][1]) : 0;
    if (vertex * near < 0) /* on the side that nobody tried */
        return fabs (vertex) < REACH * fabs (far) ? vertex : -REACH * far;
    return -STRETCH * near;
}
