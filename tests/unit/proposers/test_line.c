/* SPDX-License-Identifier: MPL-2.0 */
#include "proposers/line.h"
#include "tests/lib/suite.h"

#include <math.h>

static double s_loss (double x)
{
    return (x - 0.3) * (x - 0.3) - 0.09;
}

static void s_add (line_t *line, double x)
{
    line_add (line, x, s_loss (x));
}

START_TEST (test_one_place_is_mirrored_and_a_bit_more)
{
    line_t line = {0};
    s_add (&line, -0.1);
    ck_assert_double_eq_tol (line_next (&line), 0.16, 1e-12);
}
END_TEST

START_TEST (test_a_bracket_shows_the_minimum_once)
{
    line_t line = {0};
    s_add (&line, -0.2);
    s_add (&line, 0.8);
    ck_assert_double_eq_tol (line_next (&line), 0.3, 1e-12);
    line = (line_t){0};
    line_add (&line, -0.2, 0.04); /* x², whose minimum is where the best is */
    line_add (&line, 0.2, 0.04);
    ck_assert_double_eq (line_next (&line), 0);
}
END_TEST

START_TEST (test_the_nearest_places_count_in_whatever_order_they_came)
{
    line_t line = {0};
    line_add (&line, -0.9, 100);
    line_add (&line, 0.9, 100);
    s_add (&line, 0.5);
    s_add (&line, -0.1);
    line_add (&line, 0.7, 100);
    line_add (&line, 0, -5); /* the best itself */
    ck_assert_double_eq_tol (line_next (&line), 0.3, 1e-12);
}
END_TEST

START_TEST (test_two_on_one_side_show_how_far_the_other_goes)
{
    line_t line = {0};
    s_add (&line, -0.1);
    s_add (&line, -0.2);
    ck_assert_double_eq_tol (line_next (&line), 0.3, 1e-12);
    line = (line_t){0};
    line_add (&line, -0.1, 0.1); /* straight: as far as is believed */
    line_add (&line, -0.2, 0.2 + 1e-9);
    ck_assert_double_eq_tol (line_next (&line), 4, 1e-12);
}
END_TEST

SUITE_MAIN ("proposers/line", test_one_place_is_mirrored_and_a_bit_more,
            test_a_bracket_shows_the_minimum_once, test_the_nearest_places_count_in_whatever_order_they_came,
            test_two_on_one_side_show_how_far_the_other_goes)
