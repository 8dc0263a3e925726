/* SPDX-License-Identifier: MPL-2.0 */
/* On few numbers: along the lines of which something is known, and where nobody tried lately. */
#include "proposers/differ_search.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>

#include "proposers/line.h"
#include "proposers/replay.h"

#define RATE_SHARE     0.3 /* of the steps are as long as the learning rate says, not as the best lie apart */
#define ANYWHERE_SHARE 0.4 /* of the numbers that are tried in their turn go anywhere in their range */
#define CHOICE_SHARE   0.1 /* of the changes of a choice are to any, not to one that is known to be good */
#define TURN           3   /* proposals that one number's turn mostly takes */

/* Another choice: mostly one that a known candidate made. */
static void s_choose (differ_search_t *self, size_t i)
{
    assert (i < self->count && differ_is_choice (&self->parameters[i]));
    parameter_t *parameter = &self->parameters[i];
    if (random_unit (self->random) >= CHOICE_SHARE) {
        double known = self->known->rows[random_below (self->random, self->known->count)][i];
        if (known != parameter->value) {
            parameter->value = known;
            return;
        }
    }
    size_t other = (size_t)random_below (self->random, parameter->literal->choice_count - 1);
    parameter->value = (double)(other < (size_t)parameter->value ? other : other + 1);
    assert (parameter->value < (double)parameter->literal->choice_count);
}

double differ_length (differ_search_t *self, double spread)
{
    assert (spread > 0 && self->rate > 0);
    double length = random_unit (self->random) < RATE_SHARE ? self->rate : spread;
    return length * exp (differ_normal (self->random));
}

/* Heavy-tailed: half of the steps are shorter than 1, some far longer. */
static double s_cauchy (random_t *random)
{
    return tan (3.141592653589793 * (random_unit (random) - 0.5));
}

/* The only parameter on which a row differs from the best; `count` if there are several, or none, or it is a choice. */
static size_t s_only (const differ_search_t *self, size_t row)
{
    assert (row > 0 && row < self->known->count);
    size_t only = self->count;
    for (size_t i = 0; i < self->count; i++) {
        bool differs = differ_is_choice (&self->parameters[i])
                           ? self->known->rows[row][i] != self->known->rows[0][i]
                           : fabs (differ_places (self, row)[i] - differ_places (self, 0)[i]) > REPLAY_AGREE;
        if (!differs)
            continue;
        if (only < self->count || differ_is_choice (&self->parameters[i]))
            return self->count;
        only = i;
    }
    return only;
}

/* Is that place, as it would be written, the best's, or one of those known that differ from it there alone? */
static bool s_was_on_line (const differ_search_t *self, const size_t *only, size_t i, double place)
{
    assert (i < self->count && !differ_is_choice (&self->parameters[i]));
    const literal_t *literal = self->parameters[i].literal;
    double value = literal_rounded (literal, differ_value (literal, place));
    bool was = value == self->known->rows[0][i];
    for (size_t row = 1; row < self->known->count; row++)
        was |= only[row] == i && value == self->known->rows[row][i];
    return was;
}

bool differ_follow (differ_search_t *self)
{
    const known_t *known = self->known;
    assert (known->count > 0 && known->count <= DIFFER_KNOWN_MAX);
    size_t only[DIFFER_KNOWN_MAX];
    for (size_t row = 1; row < known->count; row++)
        only[row] = s_only (self, row);
    for (size_t row = known->count - 1; row > 0; row--) {
        size_t i = row == 1 || row >= known->best ? only[row] : self->count;
        if (i == self->count)
            continue;
        line_t line = {0};
        for (size_t other = 1; other < known->count; other++)
            if (only[other] == i)
                line_add (&line, differ_places (self, other)[i] - differ_places (self, 0)[i],
                          known->losses[other] - known->losses[0]);
        double place = differ_places (self, 0)[i],
               offset = fmin (fmax (line_next (&line), -place), 1 - place);
        if (fabs (offset) > REPLAY_AGREE && !s_was_on_line (self, only, i, place + offset)) {
            self->at[i] += offset;
            return true;
        }
    }
    return false;
}

/* How many known ones differ from the best on a parameter. */
static size_t s_touched (const differ_search_t *self, size_t i)
{
    assert (i < self->count);
    size_t touched = 0;
    for (size_t row = 1; row < self->known->count; row++)
        touched += self->known->rows[row][i] != self->known->rows[0][i];
    assert (touched < self->known->count);
    return touched;
}

/* Where such a step from the best leads: whole numbers go one on at least. */
static double s_beyond (const differ_search_t *self, size_t i, double step)
{
    assert (i < self->count && !differ_is_choice (&self->parameters[i]));
    const literal_t *literal = self->parameters[i].literal;
    double place = differ_places (self, 0)[i], value = self->known->rows[0][i];
    if (literal->kind != LITERAL_INTEGER ||
        literal_rounded (literal, differ_value (literal, place + step)) != value)
        return place + step;
    double next = value + (step < 0 ? -1 : 1);
    if (next < literal->minimum || next > literal->maximum)
        next = value - (step < 0 ? -1 : 1);
    return differ_place (literal, next);
}

void differ_probe (differ_search_t *self, double spread)
{
    size_t least = SIZE_MAX, which = 0, turn = (size_t)(self->known->number / TURN % self->count);
    for (size_t k = 0; k < self->count; k++) {
        size_t i = (turn + k) % self->count, touched = s_touched (self, i);
        if (touched < least) {
            least = touched;
            which = i;
        }
    }
    assert (least < self->known->count);
    if (differ_is_choice (&self->parameters[which]))
        s_choose (self, which);
    else if (random_unit (self->random) < ANYWHERE_SHARE)
        self->at[which] = random_unit (self->random);
    else
        self->at[which] =
            s_beyond (self, which, fmod (differ_length (self, spread) * s_cauchy (self->random), 1));
}
