/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/pareto.h"
#include "crypto/random.h"
#include "protocol/error.h"
#include "tests/lib/objectives.h"
#include "tests/lib/suite.h"

#include <math.h>

static objectives_t s_objectives (goal_t a, goal_t b)
{
    objectives_t objectives = {.count = 0};
    objectives_put (&objectives, "a", a, false);
    objectives_put (&objectives, "b", b, false);
    return objectives;
}

static void s_expect_ranks (const objectives_t *objectives, const metrics_t *points, size_t n,
                            const unsigned *ranks)
{
    unsigned found[64];
    ck_assert_uint_le (n, 64);
    ck_assert_int_eq (pareto_ranks (objectives, points, n, found), 0);
    for (size_t i = 0; i < n; i++)
        ck_assert_msg (found[i] == ranks[i], "point %zu: rank %u, expected %u", i, found[i], ranks[i]);
}

START_TEST (test_dominance_is_as_good_everywhere_and_better_somewhere)
{
    objectives_t objectives = s_objectives (GOAL_MAXIMIZE, GOAL_MINIMIZE);
    metrics_t a = metrics_two (2, 1), b = metrics_two (1, 2), c = metrics_two (2, 2), d = metrics_two (1, 0);
    ck_assert (pareto_dominates (&objectives, &a, &b));
    ck_assert (!pareto_dominates (&objectives, &b, &a));
    ck_assert (pareto_dominates (&objectives, &a, &c));
    ck_assert (!pareto_dominates (&objectives, &a, &a));
    ck_assert (!pareto_dominates (&objectives, &a, &d));
    ck_assert (!pareto_dominates (&objectives, &d, &a));
}
END_TEST

START_TEST (test_fronts_follow_directions)
{
    /* To the upper right where both are maximized. */
    metrics_t points[] = {metrics_two (1, 5), metrics_two (3, 3), metrics_two (5, 1),
                          metrics_two (2, 2), metrics_two (1, 1), metrics_two (3, 1)};
    objectives_t up = s_objectives (GOAL_MAXIMIZE, GOAL_MAXIMIZE);
    s_expect_ranks (&up, points, 6, (unsigned[]){1, 1, 1, 2, 3, 2});
    objectives_t down = s_objectives (GOAL_MINIMIZE, GOAL_MINIMIZE);
    s_expect_ranks (&down, points, 6, (unsigned[]){2, 3, 3, 2, 1, 2});
    objectives_t mixed = s_objectives (GOAL_MAXIMIZE, GOAL_MINIMIZE);
    s_expect_ranks (&mixed, points, 6, (unsigned[]){4, 3, 1, 3, 3, 2});
}
END_TEST

START_TEST (test_duplicates_share_their_front)
{
    metrics_t points[] = {metrics_two (1, 1), metrics_two (2, 2), metrics_two (2, 2), metrics_two (1, 1),
                          metrics_two (2, 1)};
    objectives_t objectives = s_objectives (GOAL_MAXIMIZE, GOAL_MAXIMIZE);
    s_expect_ranks (&objectives, points, 5, (unsigned[]){3, 1, 1, 3, 2});
}
END_TEST

START_TEST (test_with_one_objective_fronts_are_an_order_with_ties)
{
    objectives_t objectives = {.count = 0};
    objectives_put (&objectives, "a", GOAL_MINIMIZE, false);
    metrics_t points[] = {metrics_one (3), metrics_one (1), metrics_one (2), metrics_one (1),
                          metrics_one (9)};
    s_expect_ranks (&objectives, points, 5, (unsigned[]){3, 1, 2, 1, 4});
    ck_assert_int_eq (pareto_ranks (&objectives, NULL, 0, NULL), 0);
}
END_TEST

/* The definition: rank 1 is what nothing dominates; rank k what only ranks below k dominate, and k − 1 among them. */
START_TEST (test_ranks_of_random_points_follow_the_definition)
{
    random_t random;
    random_init_number (&random, 5);
    objectives_t objectives = s_objectives (GOAL_MAXIMIZE, GOAL_MINIMIZE);
    objectives_put (&objectives, "c", GOAL_MINIMIZE, false);
    metrics_t points[60];
    unsigned ranks[60];
    for (size_t i = 0; i < 60; i++)
        points[i] = metrics_three ((double)random_below (&random, 8), (double)random_below (&random, 8),
                                   (double)random_below (&random, 8));
    ck_assert_int_eq (pareto_ranks (&objectives, points, 60, ranks), 0);
    for (size_t i = 0; i < 60; i++) {
        unsigned above = 0;
        for (size_t k = 0; k < 60; k++)
            if (pareto_dominates (&objectives, &points[k], &points[i]) && ranks[k] > above)
                above = ranks[k];
        ck_assert_uint_eq (ranks[i], above + 1);
    }
}
END_TEST

START_TEST (test_crowding_adds_the_gaps_between_neighbours)
{
    objectives_t objectives = s_objectives (GOAL_MINIMIZE, GOAL_MINIMIZE);
    metrics_t front[] = {metrics_two (5, 10), metrics_two (0, 40), metrics_two (10, 0), metrics_two (1, 20)};
    double distances[4];
    ck_assert_int_eq (pareto_crowding (&objectives, front, 4, distances), 0);
    ck_assert (isinf (distances[1]) && isinf (distances[2]));
    ck_assert (distances[0] == 9 / 10.0 + 20 / 40.0);
    ck_assert (distances[3] == 5 / 10.0 + 30 / 40.0);
}
END_TEST

START_TEST (test_crowding_of_few_or_equal_points)
{
    objectives_t objectives = s_objectives (GOAL_MINIMIZE, GOAL_MAXIMIZE);
    metrics_t points[] = {metrics_two (1, 1), metrics_two (1, 1), metrics_two (1, 1), metrics_two (1, 3)};
    double distances[4];
    ck_assert_int_eq (pareto_crowding (&objectives, points, 2, distances), 0);
    ck_assert (isinf (distances[0]) && isinf (distances[1]));
    ck_assert_int_eq (pareto_crowding (&objectives, points, 3, distances), 0);
    for (size_t i = 0; i < 3; i++)
        ck_assert (distances[i] == 0);
    ck_assert_int_eq (pareto_crowding (&objectives, points, 4, distances),
                      0); /* the first says nothing, the second does */
    ck_assert (isinf (distances[0]) && isinf (distances[3]));
    ck_assert (distances[1] == 0 && distances[2] == 1);
}
END_TEST

START_TEST (test_crowding_of_the_largest_numbers_is_a_number)
{
    objectives_t objectives = s_objectives (GOAL_MINIMIZE, GOAL_MINIMIZE);
    metrics_t front[] = {metrics_two (-1e308, 4), metrics_two (0, 2), metrics_two (1e308, 0)};
    double distances[3];
    ck_assert_int_eq (pareto_crowding (&objectives, front, 3, distances), 0);
    ck_assert (isinf (distances[0]) && distances[1] == 2 && isinf (distances[2]));
}
END_TEST

START_TEST (test_hypervolume_of_boxes_computed_by_hand)
{
    objectives_t up = s_objectives (GOAL_MAXIMIZE, GOAL_MAXIMIZE);
    metrics_t origin = metrics_two (0, 0);
    metrics_t stairs[] = {metrics_two (1, 3), metrics_two (2, 2), metrics_two (3, 1), metrics_two (1, 1)};
    ck_assert (pareto_hypervolume (&up, stairs, 1, &origin) == 3);
    ck_assert (pareto_hypervolume (&up, stairs, 3, &origin) == 6);
    ck_assert (pareto_hypervolume (&up, stairs, 4, &origin) == 6); /* a dominated one adds nothing */
    ck_assert (pareto_hypervolume (&up, stairs, 0, &origin) == 0);

    objectives_t mixed = s_objectives (GOAL_MINIMIZE, GOAL_MAXIMIZE);
    metrics_t reference = metrics_two (10, -1);
    metrics_t outside[] = {metrics_two (4, 1), metrics_two (10, 5), metrics_two (12, 9), metrics_two (8, 3)};
    ck_assert (pareto_hypervolume (&mixed, outside, 4, &reference) == 6 * 2 + 2 * 2);

    objectives_t one = {.count = 0};
    objectives_put (&one, "a", GOAL_MINIMIZE, false);
    metrics_t line[] = {metrics_one (4), metrics_one (2), metrics_one (3)}, end = metrics_one (10);
    ck_assert (pareto_hypervolume (&one, line, 3, &end) == 8);
}
END_TEST

START_TEST (test_hypervolume_in_three_dimensions)
{
    objectives_t objectives = s_objectives (GOAL_MAXIMIZE, GOAL_MAXIMIZE);
    objectives_put (&objectives, "c", GOAL_MAXIMIZE, false);
    metrics_t origin = metrics_three (0, 0, 0);
    metrics_t points[] = {metrics_three (3, 1, 1), metrics_three (1, 3, 1), metrics_three (1, 1, 3)};
    ck_assert (pareto_hypervolume (&objectives, points, 3, &origin) == 7); /* a cube and three arms of 2 */
    metrics_t same[] = {points[0], points[0], points[0]};
    ck_assert (pareto_hypervolume (&objectives, same, 3, &origin) == 3);
}
END_TEST

/* In four dimensions, on a grid: the volume is the number of unit cells that lie in some box. */
START_TEST (test_hypervolume_counts_every_cell_once)
{
    enum { SIDE = 5, POINTS = 12 };
    random_t random;
    random_init_number (&random, 6);
    objectives_t objectives = s_objectives (GOAL_MAXIMIZE, GOAL_MAXIMIZE);
    objectives_put (&objectives, "c", GOAL_MAXIMIZE, false);
    objectives_put (&objectives, "d", GOAL_MAXIMIZE, false);
    metrics_t origin = {.count = 4}, points[POINTS];
    for (size_t i = 0; i < POINTS; i++) {
        points[i] = origin;
        for (size_t d = 0; d < 4; d++)
            points[i].values[d] = 1 + (double)random_below (&random, SIDE);
    }
    unsigned cells = 0;
    for (unsigned cell = 0; cell < SIDE * SIDE * SIDE * SIDE; cell++) {
        double at[4] = {cell % SIDE, cell / SIDE % SIDE, cell / SIDE / SIDE % SIDE,
                        cell / SIDE / SIDE / SIDE};
        bool inside = false;
        for (size_t i = 0; i < POINTS; i++) {
            const double *to = points[i].values;
            inside |= at[0] < to[0] && at[1] < to[1] && at[2] < to[2] && at[3] < to[3];
        }
        cells += inside;
    }
    ck_assert (pareto_hypervolume (&objectives, points, POINTS, &origin) == cells);
}
END_TEST

/* E. Zitzler, K. Deb, L. Thiele (2000): the front of ZDT1 is f2 = 1 − √f1. Points off it have g > 1. */
START_TEST (test_zdt1_has_the_published_front_and_hypervolume)
{
    enum { ON_FRONT = 40, POINTS = 60, FINE = 2000 };
    objectives_t objectives = s_objectives (GOAL_MINIMIZE, GOAL_MINIMIZE);
    metrics_t points[POINTS], fine[FINE];
    unsigned ranks[POINTS];
    for (size_t i = 0; i < POINTS; i++) {
        double f1 = (double)(i % ON_FRONT) / (ON_FRONT - 1), g = i < ON_FRONT ? 1 : 1.5;
        points[i] = metrics_two (f1, g * (1 - sqrt (f1 / g)));
    }
    ck_assert_int_eq (pareto_ranks (&objectives, points, POINTS, ranks), 0);
    for (size_t i = 0; i < POINTS; i++)
        ck_assert_uint_eq (ranks[i], i < ON_FRONT ? 1 : 2);
    for (size_t i = 0; i < FINE; i++)
        fine[i] = metrics_two ((double)i / (FINE - 1), 1 - sqrt ((double)i / (FINE - 1)));
    metrics_t reference = metrics_two (1.1, 1.1);
    double volume = pareto_hypervolume (&objectives, fine, FINE, &reference);
    ck_assert_double_eq_tol (volume, 2.0 / 3 + 0.21, 1e-3); /* the integral */
    ck_assert_double_lt (volume, 2.0 / 3 + 0.21);
}
END_TEST

START_TEST (test_what_keeps_to_the_limits_dominates_what_does_not)
{
    objectives_t objectives = s_objectives (GOAL_MINIMIZE, GOAL_MAXIMIZE);
    objectives.items[0].has_limit = objectives.items[1].has_limit = true;
    objectives.items[0].limit = 8;
    objectives.items[1].limit = -2;
    metrics_t points[] = {metrics_two (7, 0),     /* feasible */
                          metrics_two (8, -2),    /* at both limits is still feasible */
                          metrics_two (1, -3),    /* past by a half */
                          metrics_two (10, 100),  /* by a quarter */
                          metrics_two (9, -2.25), /* by a quarter in all */
                          metrics_two (6, 0)};
    s_expect_ranks (&objectives, points, 6, (unsigned[]){2, 3, 5, 4, 4, 1});
    ck_assert (objectives_violation (&objectives, &points[1]) == 0);
    ck_assert (objectives_violation (&objectives, &points[2]) == 0.5);
    ck_assert (pareto_dominates (&objectives, &points[1], &points[3]));
    ck_assert (!pareto_dominates (&objectives, &points[3], &points[1]));
    metrics_t reference = metrics_two (20, -10);
    ck_assert (pareto_hypervolume (&objectives, &points[2], 2, &reference) == 0);
    ck_assert (pareto_hypervolume (&objectives, points, 6, &reference) == 14 * 10);
}
END_TEST

START_TEST (test_what_is_no_number_is_refused)
{
    objectives_t objectives = s_objectives (GOAL_MINIMIZE, GOAL_MINIMIZE);
    metrics_t good = metrics_two (0, 0);
    double values[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; i++) {
        metrics_t points[] = {metrics_two (-1, -1), metrics_two (-2, values[i])};
        unsigned ranks[2];
        double distances[2];
        ck_assert_int_eq (pareto_ranks (&objectives, points, 2, ranks), ERROR_INPUT);
        ck_assert_int_eq (pareto_crowding (&objectives, points, 2, distances), ERROR_INPUT);
        ck_assert (pareto_hypervolume (&objectives, points, 2, &good) < 0);
        ck_assert (pareto_hypervolume (&objectives, &good, 1, &points[1]) < 0);
    }
    metrics_t short_one = metrics_one (1);
    ck_assert (!objectives_measured (&objectives, &short_one));
}
END_TEST

SUITE_MAIN ("evolution/pareto", test_dominance_is_as_good_everywhere_and_better_somewhere,
            test_fronts_follow_directions, test_duplicates_share_their_front,
            test_with_one_objective_fronts_are_an_order_with_ties,
            test_ranks_of_random_points_follow_the_definition, test_crowding_adds_the_gaps_between_neighbours,
            test_crowding_of_few_or_equal_points, test_crowding_of_the_largest_numbers_is_a_number,
            test_hypervolume_of_boxes_computed_by_hand, test_hypervolume_in_three_dimensions,
            test_hypervolume_counts_every_cell_once, test_zdt1_has_the_published_front_and_hypervolume,
            test_what_keeps_to_the_limits_dominates_what_does_not, test_what_is_no_number_is_refused)
