/* SPDX-License-Identifier: MPL-2.0 */
#include "proposers/differ.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "proposers/differ_search.h"
#include "proposers/replay.h"

#define AFRESH_SHARE 0.05 /* of the proposals don't look at what is known */
#define STEP_SHARE   0.1  /* of the others mutate the best */
#define FLAT_SHARE   0.7  /* of them do so where the ground is flat */
#define FLAT         0.25 /* of what is known is exactly as good as the best: the ground is flat */
#define ONWARD_SHARE 0.1  /* of them go on along the way that led to the best */
#define BLEND_SHARE  0.05 /* of them add the difference of two known ones */
#define RADIUS       0.3  /* of a step on all numbers before one is known, in learning rates on each */

double differ_place (const literal_t *literal, double value)
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

double differ_value (const literal_t *literal, double place)
{
    assert (literal->kind != LITERAL_CHOICE && literal->minimum < literal->maximum);
    double at = fabs (place); /* reflected at either end */
    at = at > 1 ? fmax (2 - at, 0) : at;
    if (!literal->logarithmic)
        return literal->minimum + at * (literal->maximum - literal->minimum);
    double low = log (literal->minimum), high = log (literal->maximum);
    return exp (low + at * (high - low));
}

double differ_normal (random_t *random)
{
    double radius = sqrt (-2 * log (1 - random_unit (random)));
    return radius * cos (6.283185307179586 * random_unit (random));
}

bool differ_is_choice (const parameter_t *parameter)
{
    return parameter->literal->kind == LITERAL_CHOICE;
}

const double *differ_places (const differ_search_t *self, size_t row)
{
    assert (row < self->known->count);
    return self->places + row * self->count;
}

/* A row of places, of which a choice has none. */
static void s_row (const parameter_t *parameters, size_t count, const double *values, double *places)
{
    for (size_t i = 0; i < count; i++)
        places[i] = differ_is_choice (&parameters[i]) ? 0 : differ_place (parameters[i].literal, values[i]);
}

/* How far the best lie apart on one parameter: the root of the mean square of what each differs from the first. */
static double s_spread_of (const differ_search_t *self, size_t i)
{
    assert (i < self->count && self->known->best > 0);
    double sum = 0;
    for (size_t row = 1; row < self->known->best; row++) {
        double apart = differ_places (self, row)[i] - differ_places (self, 0)[i];
        sum += apart * apart;
    }
    return sqrt (sum / (double)self->known->best);
}

/* The same over those parameters on which they do differ. */
static double s_spread (const differ_search_t *self)
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

/* On along the way from a good one to the best, by a part of it. */
static void s_onward (differ_search_t *self)
{
    assert (self->known->best > 1);
    const double *from = differ_places (self, 1 + (size_t)random_below (self->random, self->known->best - 1));
    double part = exp (differ_normal (self->random)) / 2;
    for (size_t i = 0; i < self->count; i++)
        self->at[i] += part * (differ_places (self, 0)[i] - from[i]);
}

/* The difference of two known ones, on some of the parameters. */
static void s_blend (differ_search_t *self)
{
    assert (self->known->count > 1);
    size_t one = (size_t)random_below (self->random, self->known->count);
    size_t other = (size_t)random_below (self->random, self->known->count);
    double part = 0.4 + 0.6 * random_unit (self->random), share = random_unit (self->random);
    for (size_t i = 0; i < self->count; i++)
        if (random_unit (self->random) < share) {
            self->at[i] += part * (differ_places (self, one)[i] - differ_places (self, other)[i]);
            if (differ_is_choice (&self->parameters[i]))
                self->parameters[i].value = self->known->rows[one][i];
        }
}

/* Sets the numbers to their places; returns how many parameters differ in their written form from what they were. */
static size_t s_settle (differ_search_t *self, const double *before)
{
    size_t changed = 0;
    const double *best = differ_places (self, 0);
    for (size_t i = 0; i < self->count; i++) {
        parameter_t *parameter = &self->parameters[i];
        if (differ_is_choice (parameter))
            changed += parameter->value != before[i];
        else {
            parameter->value = self->at[i] == best[i] ? self->known->rows[0][i]
                                                      : differ_value (parameter->literal, self->at[i]);
            changed += literal_rounded (parameter->literal, parameter->value) !=
                       literal_rounded (parameter->literal, before[i]);
        }
    }
    assert (changed <= self->count);
    return changed;
}

static void s_start_from_best (differ_search_t *self)
{
    for (size_t row = 0; row < self->known->count; row++)
        s_row (self->parameters, self->count, self->known->rows[row], self->places + row * self->count);
    for (size_t i = 0; i < self->count; i++) {
        self->at[i] = differ_places (self, 0)[i];
        if (differ_is_choice (&self->parameters[i]))
            self->parameters[i].value = self->known->rows[0][i];
    }
}

/* Where many changes change nothing (a table of which few entries matter, a count of whole things), lines lead nowhere: several
 * numbers at once, by long steps, are more likely to find an edge. */
static bool s_is_flat (const differ_search_t *self)
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

static size_t s_search (differ_search_t *self, const double *before)
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
            replay (differ_places (self, recent), self->known->losses + recent, self->known->count - recent,
                    self->count, RADIUS * self->rate * sqrt ((double)self->count));
        if (random_unit (self->random) < last.share && differ_model (self, last.radius))
            return s_settle (self, before);
    }
    if (way < STEP_SHARE) {
        s_settle (self, before);
        return mutate (self->parameters, self->count, differ_length (self, spread), self->random);
    }
    if (way < STEP_SHARE + ONWARD_SHARE && self->known->best > 1)
        s_onward (self);
    else if (way < STEP_SHARE + ONWARD_SHARE + BLEND_SHARE && self->known->count > 2)
        s_blend (self);
    else if (!differ_follow (self))
        differ_probe (self, spread);
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
    differ_search_t self = {.parameters = parameters,
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
