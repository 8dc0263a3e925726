/* SPDX-License-Identifier: MPL-2.0 */
/* What the candidates measured last show of the search itself. Nothing is kept from one proposal to the next, so the last ones are gone
 * through again: how far did a step on many numbers (more than a quarter of them, as whole numbers often stay) get, and do such steps
 * gain more than those on a few? */
#ifndef EVOMESH_PROPOSERS_REPLAY_H
#define EVOMESH_PROPOSERS_REPLAY_H

#include <stddef.h>

#define REPLAY_AGREE 1e-9 /* of a range: nearer than that is the same place */

typedef struct {
    double radius; /* of the next step on many: longer than a good one, shorter than others */
    double share;  /* of the next steps should go on many numbers, 0 to 1 */
} replay_t;

/* `places`: `rows` rows of `count` > 0 numbers (asserted), the oldest first; `losses`: how bad each is. `radius` > 0 (asserted) is
 * where it starts. */
replay_t replay (const double *places, const double *losses, size_t rows, size_t count, double radius);

/* How far apart two rows of places are; `differ`: on how many numbers. */
double replay_distance (const double *one, const double *other, size_t count, size_t *differ);

#endif
