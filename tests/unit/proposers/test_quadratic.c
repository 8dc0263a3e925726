/* SPDX-License-Identifier: MPL-2.0 */
#include "crypto/random.h"
#include "proposers/quadratic.h"
#include "tests/lib/suite.h"

#include <math.h>

enum { COUNT = 6, POINTS = 60 };

/* Its minimum is far along the diagonal, and neither of two numbers gains alone. */
static double s_loss (const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < COUNT; i++)
        sum += (x[i] - 0.3) * (x[i] - 0.3) - 0.09;
    for (size_t i = 0; i + 1 < COUNT; i++)
        sum += 20 * (x[i] - x[i + 1]) * (x[i] - x[i + 1]);
    return sum;
}

static double s_length (const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < COUNT; i++)
        sum += x[i] * x[i];
    return sqrt (sum);
}

/* The step on points drawn round the origin. */
static void s_step (size_t points, double radius, double step[COUNT])
{
    double offsets[POINTS * COUNT], losses[POINTS];
    random_t random;
    random_init_number (&random, 5);
    for (size_t k = 0; k < points; k++) {
        for (size_t i = 0; i < COUNT; i++)
            offsets[k * COUNT + i] = random_unit (&random) - 0.5;
        losses[k] = s_loss (offsets + k * COUNT);
    }
    quadratic_step (offsets, losses, points, COUNT, radius, step);
}

START_TEST (test_with_enough_points_the_minimum_is_exact)
{
    double step[COUNT];
    s_step (POINTS, 1, step);
    for (size_t i = 0; i < COUNT; i++)
        ck_assert_double_eq_tol (step[i], 0.3, 0.01);
}
END_TEST

START_TEST (test_a_step_ends_at_the_radius)
{
    double step[COUNT];
    s_step (POINTS, 0.2, step);
    ck_assert_double_eq_tol (s_length (step), 0.2, 1e-9);
    ck_assert_double_lt (s_loss (step), -0.1);
}
END_TEST

START_TEST (test_fewer_points_than_coefficients_still_lead_down)
{
    double step[COUNT];
    s_step (COUNT + 10, 0.1, step); /* of 27 coefficients */
    ck_assert_double_lt (s_loss (step), 0);
}
END_TEST

START_TEST (test_where_the_ground_bends_down_the_step_goes_all_the_way)
{
    static const double offsets[] = {0.1, 0, -0.1, 0, 0, 0.1, 0, -0.1}, losses[] = {-0.02, -0.01, 0.01, 0.01};
    double step[2];
    quadratic_step (offsets, losses, 4, 2, 0.5, step);
    ck_assert_double_eq_tol (hypot (step[0], step[1]), 0.5, 1e-9);
    ck_assert_double_gt (step[0], 0.4);
}
END_TEST

START_TEST (test_the_same_point_twice_and_equal_losses_do_no_harm)
{
    static const double offsets[] = {0.1, 0.2, 0.1, 0.2, 0.3, 0.1}, equal[] = {0, 0, 0},
                        contrary[] = {1, -1, 2};
    double step[2];
    quadratic_step (offsets, equal, 3, 2, 0.5, step);
    ck_assert_double_eq (step[0], 0);
    ck_assert_double_eq (step[1], 0);
    quadratic_step (offsets, contrary, 3, 2, 0.5, step);
    ck_assert (isfinite (step[0]) && isfinite (step[1]));
}
END_TEST

SUITE_MAIN ("proposers/quadratic", test_with_enough_points_the_minimum_is_exact,
            test_a_step_ends_at_the_radius, test_fewer_points_than_coefficients_still_lead_down,
            test_where_the_ground_bends_down_the_step_goes_all_the_way,
            test_the_same_point_twice_and_equal_losses_do_no_harm)
