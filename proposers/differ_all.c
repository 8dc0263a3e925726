/* SPDX-License-Identifier: MPL-2.0 */
/* On all numbers at once: to where a model of what is known is least. */
#include "proposers/differ_search.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "proposers/quadratic.h"
#include "proposers/replay.h"

#define EXACT_SHARE 0.5 /* of the steps to a model's minimum go exactly there */
#define JITTER      0.5 /* of the radius the others go beside it, so that they tell something new, too */

/* The known ones that made the best's choices, relative to it, but for those that are where it is; returns how many. */
static size_t s_offsets (const differ_search_t *self, double *offsets, double *losses)
{
    size_t points = 0;
    for (size_t row = 1; row < self->known->count; row++) {
        double *offset = offsets + points * self->count;
        bool same = true, comparable = true;
        for (size_t i = 0; i < self->count; i++) {
            offset[i] = differ_places (self, row)[i] - differ_places (self, 0)[i];
            same &= fabs (offset[i]) <= REPLAY_AGREE;
            comparable &= !differ_is_choice (&self->parameters[i]) ||
                          self->known->rows[row][i] == self->known->rows[0][i];
        }
        if (comparable && !same)
            losses[points++] = self->known->losses[row] - self->known->losses[0];
    }
    assert (points < self->known->count); /* the best is none of them */
    return points;
}

/* Is that place the best's, as it would be written? */
static bool s_is_at_best (const differ_search_t *self)
{
    assert (self->known->count > 0);
    for (size_t i = 0; i < self->count; i++) {
        const literal_t *literal = self->parameters[i].literal;
        if (!differ_is_choice (&self->parameters[i]) &&
            literal_rounded (literal, differ_value (literal, self->at[i])) != self->known->rows[0][i])
            return false;
    }
    return true;
}

bool differ_model (differ_search_t *self, double radius)
{
    assert (radius > 0);
    size_t count = self->count;
    double losses[DIFFER_KNOWN_MAX], *offsets = calloc (self->known->count * count, sizeof *offsets);
    double *step = calloc (count, sizeof *step);
    assert (offsets && step);
    size_t points = s_offsets (self, offsets, losses);
    if (points > 0) {
        radius *= exp (differ_normal (self->random) / 3);
        quadratic_step (offsets, losses, points, count, radius, step);
        bool exact = random_unit (self->random) < EXACT_SHARE;
        double jitter = exact ? 0 : JITTER * radius / sqrt ((double)count);
        for (size_t i = 0; i < count; i++)
            if (!differ_is_choice (&self->parameters[i]))
                self->at[i] =
                    fmin (fmax (self->at[i] + step[i] + jitter * differ_normal (self->random), 0), 1);
    }
    free (offsets);
    free (step);
    if (points > 0 && !s_is_at_best (self))
        return true;
    memcpy (self->at, differ_places (self, 0), count * sizeof *self->at);
    return false;
}
