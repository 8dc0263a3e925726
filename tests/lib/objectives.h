/* SPDX-License-Identifier: MPL-2.0 */
/* Objectives and metrics in few words, for tests. */
#ifndef EVOMESH_TESTS_LIB_OBJECTIVES_H
#define EVOMESH_TESTS_LIB_OBJECTIVES_H

#include <check.h>
#include <stdio.h>

#include "evolution/objective.h"

/* Adds an objective of weight 1 and no tolerance (0.05 if noisy); change what it returns for more. */
static inline objective_t *objectives_put (objectives_t *objectives, const char *name, goal_t goal,
                                           bool noisy)
{
    ck_assert_uint_lt (objectives->count, LIMIT_OBJECTIVES);
    objective_t *objective = &objectives->items[objectives->count++];
    *objective = (objective_t){.goal = goal, .weight = 1, .noisy = noisy, .tolerance = noisy ? 0.05 : 0};
    snprintf (objective->name, sizeof objective->name, "%s", name);
    return objective;
}

static inline metrics_t metrics_one (double a)
{
    return (metrics_t){.values = {a}, .count = 1};
}

static inline metrics_t metrics_two (double a, double b)
{
    return (metrics_t){.values = {a, b}, .count = 2};
}

static inline metrics_t metrics_three (double a, double b, double c)
{
    return (metrics_t){.values = {a, b, c}, .count = 3};
}

#endif
