/* SPDX-License-Identifier: MPL-2.0 */
#include "proposers/differ.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proposers/line.h"
#include "proposers/quadratic.h"
#include "proposers/replay.h"

#define AFRESH_SHARE   0.05 /* of the proposals don't look at what is known */
#define STEP_SHARE     0.1  /* of the others mutate the best */
#define FLAT_SHARE     0.7  /* of them do so where the ground is flat */
#define FLAT           0.25 /* of what is known is exactly as good as the best: the ground is flat */
#define ONWARD_SHARE   0.1  /* of them go on along the way that led to the best */
#define BLEND_SHARE    0.05 /* of them add the difference of two known ones */
#define RATE_SHARE     0.3 /* of the steps are as long as the learning rate says, not as the best lie apart */
#define ANYWHERE_SHARE 0.4 /* of the numbers that are tried in their turn go anywhere in their range */
#define CHOICE_SHARE   0.1 /* of the changes of a choice are to any, not to one that is known to be good */
#define RADIUS         0.3 /* of a step on all numbers before one is known, in learning rates on each */
#define EXACT_SHARE    0.5 /* of the steps to a model's minimum go exactly there */
#define JITTER         0.5 /* of the radius the others go beside it, so that they tell something new, too */
#define TURN           3   /* proposals that one number's turn mostly takes */

/* Where a value stands in its range, 0 to 1. */
static double s_place (const literal_t *literal, double value)
{
    assert (literal->kind != LITERAL_CHOICE && literal->minimum < literal->maximum);
    double low = literal->minimum, high = literal->maximum;
    if (literal->logarithmic) {
        low = log (low);
        high = log (high);
        value = log (fmax (value, literal->minimum));
    }
    return fmin (fmax ((value - low) / (high - low), 0), 1);
}

static double s_value (const literal_t *literal, double place)
{
    assert (literal->kind != LITERAL_CHOICE && literal->minimum < literal->maximum);
    double at = fabs (place); /* reflected at either end */
    at = at > 1 ? fmax (2 - at, 0) : at;
    if (!literal->logarithmic)
        return literal->minimum + at * (literal->maximum - literal->minimum);
    double low = log (literal->minimum), high = log (literal->maximum);
    return exp (low + at * (high - low));
}

/* Normally distributed (Box, Muller). */
static double s_normal (random_t *random)
{
    double radius = sqrt (-2 * log (1 - random_unit (random)));
    return radius * cos (6.283185307179586 * random_unit (random));
}

static bool s_is_choice (const parameter_t *parameter)
{
    return parameter->literal->kind == LITERAL_CHOICE;
}

/* A row of places, of which a choice has none. */
static void s_row (const parameter_t *parameters, size_t count, const double *values, double *places)
{
    for (size_t i = 0; i < count; i++)
        places[i] = s_is_choice (&parameters[i]) ? 0 : s_place (parameters[i].literal, values[i]);
}

typedef struct {
    parameter_t *parameters;
    size_t count;
    const known_t *known;
    double *places; /* known->count rows of `count` */
    double *at;     /* the proposal's */
    double rate;
    random_t *random;
} search_t;

static const double *s_places (const search_t *self, size_t row)
{
    assert (row < self->known->count);
    return self->places + row * self->count;
}

/* How far the best lie apart on one parameter: the root of the mean square of what each differs from the first. */
static double s_spread_of (const search_t *self, size_t i)
{
    assert (i < self->count && self->known->best > 0);
    double sum = 0;
    for (size_t row = 1; row < self->known->best; row++) {
        double apart = s_places (self, row)[i] - s_places (self, 0)[i];
        sum += apart * apart;
    }
    return sqrt (sum / (double)self->known->best);
}

/* The same over those parameters on which they do differ. */
static double s_spread (const search_t *self)
{
    double sum = 0;
    size_t terms = 0;
    for (size_t i = 0; i < self->count; i++) {
        double apart = s_spread_of (self, i);
        sum += apart * apart;
        terms += apart > REPLAY_AGREE;
    }
    return terms > 0 ? sqrt (sum / (double)terms) : 0;
}

/* Another choice: mostly one that a known candidate made. */
static void s_choose (search_t *self, size_t i)
{
    assert (i < self->count && s_is_choice (&self->parameters[i]));
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
}

/* The length of a step: about as far as the best lie apart, or as the learning rate says. */
static double s_length (search_t *self, double spread)
{
    double length = random_unit (self->random) < RATE_SHARE ? self->rate : spread;
    return length * exp (s_normal (self->random));
}

/* Heavy-tailed: half of the steps are shorter than 1, some far longer. */
static double s_cauchy (random_t *random)
{
    return tan (3.141592653589793 * (random_unit (random) - 0.5));
}

/* The only parameter on which a row differs from the best; `count` if there are several, or none, or it is a choice. */
static size_t s_only (const search_t *self, size_t row)
{
    assert (row > 0 && row < self->known->count);
    size_t only = self->count;
    for (size_t i = 0; i < self->count; i++) {
        bool differs = s_is_choice (&self->parameters[i])
                           ? self->known->rows[row][i] != self->known->rows[0][i]
                           : fabs (s_places (self, row)[i] - s_places (self, 0)[i]) > REPLAY_AGREE;
        if (!differs)
            continue;
        if (only < self->count || s_is_choice (&self->parameters[i]))
            return self->count;
        only = i;
    }
    return only;
}

/* Is that place, as it would be written, the best's, or one of those known that differ from it there alone? */
static bool s_was_on_line (const search_t *self, const size_t *only, size_t i, double place)
{
    const literal_t *literal = self->parameters[i].literal;
    double value = literal_rounded (literal, s_value (literal, place));
    bool was = value == self->known->rows[0][i];
    for (size_t row = 1; row < self->known->count; row++)
        was |= only[row] == i && value == self->known->rows[row][i];
    return was;
}

/* Goes on along a line of which something is known; the latest come last. False if all are done with. */
static bool s_follow (search_t *self)
{
    const known_t *known = self->known;
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
                line_add (&line, s_places (self, other)[i] - s_places (self, 0)[i],
                          known->losses[other] - known->losses[0]);
        double place = s_places (self, 0)[i], offset = fmin (fmax (line_next (&line), -place), 1 - place);
        if (fabs (offset) > REPLAY_AGREE && !s_was_on_line (self, only, i, place + offset)) {
            self->at[i] += offset;
            return true;
        }
    }
    return false;
}

/* How many known ones differ from the best on a parameter. */
static size_t s_touched (const search_t *self, size_t i)
{
    size_t touched = 0;
    for (size_t row = 1; row < self->known->count; row++)
        touched += self->known->rows[row][i] != self->known->rows[0][i];
    return touched;
}

/* Where such a step from the best leads: whole numbers go one on at least. */
static double s_beyond (const search_t *self, size_t i, double step)
{
    const literal_t *literal = self->parameters[i].literal;
    double place = s_places (self, 0)[i], value = self->known->rows[0][i];
    if (literal->kind != LITERAL_INTEGER ||
        literal_rounded (literal, s_value (literal, place + step)) != value)
        return place + step;
    double next = value + (step < 0 ? -1 : 1);
    if (next < literal->minimum || next > literal->maximum)
        next = value - (step < 0 ? -1 : 1);
    return s_place (literal, next);
}

/* A step on one of the parameters that were touched least, each in its turn. */
static void s_probe (search_t *self, double spread)
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
    if (s_is_choice (&self->parameters[which]))
        s_choose (self, which);
    else if (random_unit (self->random) < ANYWHERE_SHARE)
        self->at[which] = random_unit (self->random);
    else
        self->at[which] = s_beyond (self, which, fmod (s_length (self, spread) * s_cauchy (self->random), 1));
}

/* On along the way from a good one to the best, by a part of it. */
static void s_onward (search_t *self)
{
    assert (self->known->best > 1);
    const double *from = s_places (self, 1 + (size_t)random_below (self->random, self->known->best - 1));
    double part = exp (s_normal (self->random)) / 2;
    for (size_t i = 0; i < self->count; i++)
        self->at[i] += part * (s_places (self, 0)[i] - from[i]);
}

/* The difference of two known ones, on some of the parameters. */
static void s_blend (search_t *self)
{
    assert (self->known->count > 1);
    size_t one = (size_t)random_below (self->random, self->known->count);
    size_t other = (size_t)random_below (self->random, self->known->count);
    double part = 0.4 + 0.6 * random_unit (self->random), share = random_unit (self->random);
    for (size_t i = 0; i < self->count; i++)
        if (random_unit (self->random) < share) {
            self->at[i] += part * (s_places (self, one)[i] - s_places (self, other)[i]);
            if (s_is_choice (&self->parameters[i]))
                self->parameters[i].value = self->known->rows[one][i];
        }
}

/* Sets the numbers to their places; returns how many parameters differ in their written form from what they were. */
static size_t s_settle (search_t *self, const double *before)
{
    size_t changed = 0;
    const double *best = s_places (self, 0);
    for (size_t i = 0; i < self->count; i++) {
        parameter_t *parameter = &self->parameters[i];
        if (s_is_choice (parameter))
            changed += parameter->value != before[i];
        else {
            parameter->value =
                self->at[i] == best[i] ? self->known->rows[0][i] : s_value (parameter->literal, self->at[i]);
            changed += literal_rounded (parameter->literal, parameter->value) !=
                       literal_rounded (parameter->literal, before[i]);
        }
    }
    assert (changed <= self->count);
    return changed;
}

static void s_start_from_best (search_t *self)
{
    for (size_t row = 0; row < self->known->count; row++)
        s_row (self->parameters, self->count, self->known->rows[row], self->places + row * self->count);
    for (size_t i = 0; i < self->count; i++) {
        self->at[i] = s_places (self, 0)[i];
        if (s_is_choice (&self->parameters[i]))
            self->parameters[i].value = self->known->rows[0][i];
    }
}

/* Where many changes change nothing (a table of which few entries matter, a count of whole things), lines lead nowhere: several
 * numbers at once, by long steps, are more likely to find an edge. */
static bool s_is_flat (const search_t *self)
{
    const known_t *known = self->known;
    size_t same = 0, others = 0;
    for (size_t row = 1; row < known->count; row++) {
        bool other = memcmp (known->rows[row], known->rows[0], self->count * sizeof (double)) != 0;
        others += other; /* the best is often told more than once */
        same +=
            other && fabs (known->losses[row] - known->losses[0]) <= REPLAY_AGREE * fabs (known->losses[0]);
    }
    return (double)same >= FLAT * (double)others;
}

/* The known ones that made the best's choices, relative to it, but for those that are where it is; returns how many. */
static size_t s_offsets (const search_t *self, double *offsets, double *losses)
{
    size_t points = 0;
    for (size_t row = 1; row < self->known->count; row++) {
        double *offset = offsets + points * self->count;
        bool same = true, comparable = true;
        for (size_t i = 0; i < self->count; i++) {
            offset[i] = s_places (self, row)[i] - s_places (self, 0)[i];
            same &= fabs (offset[i]) <= REPLAY_AGREE;
            comparable &=
                !s_is_choice (&self->parameters[i]) || self->known->rows[row][i] == self->known->rows[0][i];
        }
        if (comparable && !same)
            losses[points++] = self->known->losses[row] - self->known->losses[0];
    }
    assert (points < self->known->count); /* the best is none of them */
    return points;
}

/* Is that place the best's, as it would be written? */
static bool s_is_at_best (const search_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        const literal_t *literal = self->parameters[i].literal;
        if (!s_is_choice (&self->parameters[i]) &&
            literal_rounded (literal, s_value (literal, self->at[i])) != self->known->rows[0][i])
            return false;
    }
    return true;
}

/* To where a model of all that is known is least, within a radius that has proved good. False if that leads nowhere. */
static bool s_model (search_t *self, double radius)
{
    assert (radius > 0);
    size_t count = self->count;
    double losses[DIFFER_KNOWN_MAX], *offsets = calloc (self->known->count * count, sizeof *offsets);
    double *step = calloc (count, sizeof *step);
    assert (offsets && step);
    size_t points = s_offsets (self, offsets, losses);
    if (points > 0) {
        radius *= exp (s_normal (self->random) / 3);
        quadratic_step (offsets, losses, points, count, radius, step);
        bool exact = random_unit (self->random) < EXACT_SHARE;
        double jitter = exact ? 0 : JITTER * radius / sqrt ((double)count);
        for (size_t i = 0; i < count; i++)
            if (!s_is_choice (&self->parameters[i]))
                self->at[i] = fmin (fmax (self->at[i] + step[i] + jitter * s_normal (self->random), 0), 1);
    }
    free (offsets);
    free (step);
    if (points > 0 && !s_is_at_best (self))
        return true;
    memcpy (self->at, s_places (self, 0), count * sizeof *self->at);
    return false;
}

static size_t s_search (search_t *self, const double *before)
{
    double spread = s_spread (self), way = random_unit (self->random);
    if (spread == 0)
        spread = self->rate;
    if (s_is_flat (self) && random_unit (self->random) < FLAT_SHARE) {
        s_settle (self, before);
        return mutate (self->parameters, self->count, self->rate, self->random);
    }
    size_t recent = self->known->recent;
    if (recent < self->known->count) {
        replay_t last =
            replay (s_places (self, recent), self->known->losses + recent, self->known->count - recent,
                    self->count, RADIUS * self->rate * sqrt ((double)self->count));
        if (random_unit (self->random) < last.share && s_model (self, last.radius))
            return s_settle (self, before);
    }
    if (way < STEP_SHARE) {
        s_settle (self, before);
        return mutate (self->parameters, self->count, s_length (self, spread), self->random);
    }
    if (way < STEP_SHARE + ONWARD_SHARE && self->known->best > 1)
        s_onward (self);
    else if (way < STEP_SHARE + ONWARD_SHARE + BLEND_SHARE && self->known->count > 2)
        s_blend (self);
    else if (!s_follow (self))
        s_probe (self, spread);
    return s_settle (self, before);
}

size_t differ (parameter_t *parameters, size_t count, const known_t *known, double learning_rate,
               random_t *random)
{
    assert (parameters && known && random && count > 0 && learning_rate > 0);
    assert (known->best <= known->recent && known->recent <= known->count);
    assert (known->count <= DIFFER_KNOWN_MAX && DIFFER_KNOWN_MAX <= QUADRATIC_POINTS_MAX);
    if (known->best == 0 || random_unit (random) < AFRESH_SHARE)
        return mutate (parameters, count, learning_rate, random);
    search_t self = {.parameters = parameters,
                     .count = count,
                     .known = known,
                     .places = calloc (known->count * count, sizeof (double)),
                     .at = calloc (count, sizeof (double)),
                     .rate = learning_rate,
                     .random = random};
    double *before = calloc (count, sizeof *before);
    assert (self.places && self.at && before);
    for (size_t i = 0; i < count; i++)
        before[i] = parameters[i].value;
    s_start_from_best (&self);
    size_t changed = s_search (&self, before);
    free (self.places);
    free (self.at);
    free (before);
    return changed > 0 ? changed : mutate (parameters, count, learning_rate, random);
}
