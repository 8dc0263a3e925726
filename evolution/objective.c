/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/objective.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "evolution/decimal.h"

int objectives_find (const objectives_t *self, const char *name)
{
    assert (self->count <= LIMIT_OBJECTIVES);
    for (size_t i = 0; i < self->count; i++)
        if (strcmp (self->items[i].name, name) == 0)
            return (int)i;
    return -1;
}

double objective_improvement (const objective_t *self, double baseline, double value)
{
    assert (isfinite (baseline) && isfinite (value));
    if (baseline == value)
        return 0;
    double unit = fabs (baseline) > self->tolerance ? fabs (baseline) : self->tolerance;
    if (unit == 0)
        unit = fabs (value); /* from nothing to something: all of it is the change */
    double change = (value - baseline) / unit;
    if (self->goal == GOAL_MINIMIZE)
        change = -change;
    if (change > IMPROVEMENT_MAX)
        return IMPROVEMENT_MAX;
    return change < -IMPROVEMENT_MAX ? -IMPROVEMENT_MAX : change;
}

/* True if `value` is on the worse side of `bound`. */
static bool s_past (const objective_t *self, double value, double bound)
{
    return self->goal == GOAL_MINIMIZE ? value > bound : value < bound;
}

bool objective_infeasible (const objective_t *self, double value)
{
    assert (self);
    return self->has_limit && s_past (self, value, self->limit);
}

double objectives_violation (const objectives_t *self, const metrics_t *metrics)
{
    assert (self->count <= LIMIT_OBJECTIVES && metrics->count == self->count);
    double sum = 0;
    for (size_t i = 0; i < self->count; i++) {
        const objective_t *objective = &self->items[i];
        if (objective_infeasible (objective, metrics->values[i]))
            sum += fabs (metrics->values[i] - objective->limit) /
                   (objective->limit != 0 ? fabs (objective->limit) : 1);
    }
    assert (sum >= 0);
    return sum;
}

bool objectives_measured (const objectives_t *self, const metrics_t *metrics)
{
    assert (self->count <= LIMIT_OBJECTIVES);
    bool measured = metrics->count == self->count;
    for (size_t i = 0; measured && i < self->count; i++)
        measured = isfinite (metrics->values[i]);
    return measured;
}

bool objective_alerts (const objective_t *self, double value)
{
    assert (self);
    return self->has_alert && s_past (self, value, self->alert);
}

double objectives_weighted (const objectives_t *self, const double improvements[LIMIT_OBJECTIVES])
{
    assert (self->count <= LIMIT_OBJECTIVES);
    double sum = 0, weights = 0;
    for (size_t i = 0; i < self->count; i++) {
        assert (self->items[i].weight > 0);
        sum += self->items[i].weight * improvements[i];
        weights += self->items[i].weight;
    }
    return weights > 0 ? sum / weights : 0;
}

double objective_round (double value)
{
    assert (isfinite (value));
    /* Printing in decimal rounds exactly; reading the digits back by hand leaves out the locale's decimal point. */
    char text[32];
    int length = snprintf (text, sizeof text, "%.2e", fabs (value));
    assert (length > 0 && (size_t)length < sizeof text);
    uint64_t digits = 0;
    const char *next = text;
    for (; *next != 'e'; next++)
        if (*next >= '0' && *next <= '9')
            digits = digits * 10 + (uint64_t)(*next - '0');
    bool small = next[1] == '-';
    int exponent = 0;
    for (next += 2; *next != '\0'; next++)
        exponent = exponent * 10 + (*next - '0');
    double rounded = decimal_value (digits, (small ? -exponent : exponent) - 2);
    return value < 0 ? -rounded : rounded;
}

verdict_t objectives_accept (const objectives_t *self, const change_t changes[LIMIT_OBJECTIVES],
                             const double improvements[LIMIT_OBJECTIVES], const metrics_t *candidate,
                             double min_improvement, double *weighted)
{
    assert (candidate->count == self->count);
    bool infeasible = false, worse = false, better = false;
    double counted[LIMIT_OBJECTIVES] = {0};
    for (size_t i = 0; i < self->count; i++) {
        infeasible |= objective_infeasible (&self->items[i], candidate->values[i]);
        worse |= changes[i] == CHANGE_WORSE;
        better |= changes[i] == CHANGE_BETTER;
        if (!self->items[i].noisy || changes[i] != CHANGE_SAME)
            counted[i] = improvements[i];
    }
    double sum = objectives_weighted (self, counted);
    if (weighted != NULL)
        *weighted = sum;
    if (infeasible)
        return VERDICT_INFEASIBLE;
    if (worse)
        return VERDICT_WORSE;
    if (!better)
        return VERDICT_NOT_BETTER;
    return sum >= min_improvement ? VERDICT_ACCEPT : VERDICT_TOO_SMALL;
}

change_t objective_compare (const objective_t *self, double baseline, double value)
{
    assert (self);
    double improvement = objective_improvement (self, baseline, value);
    if (improvement > 0)
        return CHANGE_BETTER;
    return improvement < -self->tolerance ? CHANGE_WORSE : CHANGE_SAME;
}

void metrics_image (metrics_t *self, image_t *image)
{
    image_size (image, &self->count, LIMIT_OBJECTIVES);
    for (size_t i = 0; i < self->count; i++)
        image_real (image, &self->values[i]);
}

void objectives_image (objectives_t *self, image_t *image)
{
    image_size (image, &self->count, LIMIT_OBJECTIVES);
    for (size_t i = 0; i < self->count; i++) {
        objective_t *objective = &self->items[i];
        image_text (image, objective->name, sizeof objective->name);
        image_text (image, objective->unit, sizeof objective->unit);
        image_unsigned (image, &objective->goal, GOAL_MINIMIZE);
        image_unsigned (image, &objective->source, SOURCE_WALL_TIME);
        image_real (image, &objective->weight);
        image_check (image, isfinite (objective->weight) && objective->weight > 0);
        image_bool (image, &objective->noisy);
        image_real (image, &objective->tolerance);
        image_bool (image, &objective->has_limit);
        image_real (image, &objective->limit);
        image_bool (image, &objective->has_alert);
        image_real (image, &objective->alert);
    }
}
