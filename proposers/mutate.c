/* SPDX-License-Identifier: MPL-2.0 */
#include "proposers/mutate.h"

#include <assert.h>
#include <math.h>

#define PI         3.14159265358979323846
#define STEP_MAX   1e3  /* in units of the scale; what is beyond is as good as anywhere */
#define FEW        3    /* parameters that are mostly changed at a time, at most */
#define MANY_SHARE 0.15 /* of the proposals change more */
#define RUN_SHARE  0.3  /* of the proposals with several move neighbours together */
#define TRIES      8

static double s_cauchy (random_t *random)
{
    double step = tan (PI * (random_unit (random) - 0.5));
    return fmin (fmax (step, -STEP_MAX), STEP_MAX);
}

/* Folds `x` back into the range, as often as it takes. */
static double s_reflect (double x, double minimum, double maximum)
{
    assert (minimum < maximum);
    double range = maximum - minimum;
    double folded = fmod (fabs (x - minimum), 2 * range);
    return folded > range ? maximum - (folded - range) : minimum + folded;
}

static double s_clamp (const literal_t *literal, double value)
{
    return fmin (fmax (value, literal->minimum), literal->maximum);
}

/* The number `step` × its range away. */
static double s_moved (const literal_t *literal, double value, double step)
{
    assert (literal->kind != LITERAL_CHOICE);
    double from = s_clamp (literal, value);
    if (!literal->logarithmic)
        return s_reflect (from + step * (literal->maximum - literal->minimum), literal->minimum,
                          literal->maximum);
    double low = log (literal->minimum), high = log (literal->maximum);
    return s_clamp (literal, exp (s_reflect (log (from) + step * (high - low), low, high)));
}

/* The nearest other number, in the direction of the step if there is one. */
static double s_nudged (const literal_t *literal, double value, double step)
{
    assert (literal->kind != LITERAL_CHOICE);
    if (literal->kind == LITERAL_REAL)
        return value == literal->maximum ? literal->minimum : literal->maximum;
    double next = value + (step < 0 ? -1 : 1);
    return next < literal->minimum || next > literal->maximum ? value - (step < 0 ? -1 : 1) : next;
}

/* Sets a number one step away, or a choice to another one. True if its text will differ. */
static bool s_set (parameter_t *parameter, double step, random_t *random)
{
    const literal_t *literal = parameter->literal;
    double before = parameter->value;
    if (literal->kind == LITERAL_CHOICE) {
        size_t other = random_below (random, literal->choice_count - 1);
        parameter->value = (double)(other < (size_t)before ? other : other + 1);
        return true;
    }
    double after = s_moved (literal, before, step);
    if (literal->kind == LITERAL_INTEGER && literal_rounded (literal, after) == before)
        after = s_nudged (literal, before, step);
    if (literal_rounded (literal, after) == before)
        return false; /* a step too small to be written */
    parameter->value = after;
    return true;
}

/* How many parameters to change. */
static size_t s_how_many (size_t count, random_t *random)
{
    size_t many = 1 + random_below (random, FEW);
    if (random_unit (random) < MANY_SHARE)
        many = FEW + 1 + random_below (random, count);
    return many < count ? many : count;
}

/* True if both stand in one list: numbers of one range, one after the other. */
static bool s_neighbours (const parameter_t *left, const parameter_t *right)
{
    const literal_t *a = left->literal, *b = right->literal;
    return a->kind != LITERAL_CHOICE && a->kind == b->kind && a->minimum == b->minimum &&
           a->maximum == b->maximum && a->logarithmic == b->logarithmic && a->offset < b->offset;
}

/* Moves `many` neighbours by the same step, from a random one on, as far as the list goes. */
static size_t s_move_run (parameter_t *parameters, size_t count, size_t many, double scale, random_t *random)
{
    assert (many > 1 && many <= count); /* one is no run */
    size_t changed = 0, first = random_below (random, count);
    double step = scale * s_cauchy (random);
    for (size_t i = first; i < count && i < first + many; i++) {
        if (i > first && !s_neighbours (&parameters[i - 1], &parameters[i]))
            break;
        changed += s_set (&parameters[i], step, random);
    }
    return changed;
}

/* Moves `many` parameters, each by a step of its own: draws each with the probability that fills the number. */
static size_t s_move_some (parameter_t *parameters, size_t count, size_t many, double scale, random_t *random)
{
    assert (many > 0 && many <= count);
    size_t changed = 0;
    for (size_t i = 0; i < count && many > 0; i++)
        if (random_below (random, count - i) < many) {
            changed += s_set (&parameters[i], scale * s_cauchy (random), random);
            many--;
        }
    return changed;
}

size_t mutate (parameter_t *parameters, size_t count, double learning_rate, random_t *random)
{
    assert (parameters && random && count > 0 && learning_rate > 0);
    size_t changed = 0;
    for (int i = 0; i < TRIES && changed == 0; i++) {
        size_t many = s_how_many (count, random);
        changed = many > 1 && random_unit (random) < RUN_SHARE
                      ? s_move_run (parameters, count, many, learning_rate, random)
                      : s_move_some (parameters, count, many, learning_rate, random);
    }
    if (changed == 0) { /* all steps were lost in rounding: take a leap */
        parameter_t *one = &parameters[random_below (random, count)];
        one->value = s_nudged (one->literal, one->value, 1);
        changed = 1;
    }
    assert (changed <= count);
    return changed;
}
