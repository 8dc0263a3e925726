/* SPDX-License-Identifier: MPL-2.0 */
#include "proposers/replay.h"
#include "tests/lib/suite.h"

#include <math.h>
#include <string.h>

enum { COUNT = 4, ROWS = 9 };

/* Steps from the origin: each of `most` moves all numbers by `far`, the others one of them. Each is better by `gain` than the start, or
 * worse. */
static replay_t s_replay (const int most[ROWS - 1], const double gain[ROWS - 1], double far)
{
    double places[ROWS * COUNT] = {0}, losses[ROWS] = {0};
    for (size_t row = 1; row < ROWS; row++) {
        for (size_t i = 0; i < COUNT; i++)
            places[row * COUNT + i] = most[row - 1] || i == 0 ? far : 0;
        losses[row] = -gain[row - 1];
    }
    return replay (places, losses, ROWS, COUNT, 0.5);
}

START_TEST (test_the_radius_grows_with_what_was_good_and_shrinks_with_what_was_not)
{
    static const int most[ROWS - 1] = {1, 1, 1, 1, 1, 1, 1, 1};
    double worse[ROWS - 1] = {-1, -1, -1, -1, -1, -1, -1, -1};
    ck_assert_double_lt (s_replay (most, worse, 0.25).radius, 0.25);
    ck_assert_double_eq (s_replay (most, worse, 4).radius, 0.5); /* too far to tell anything of 0.5 */
    worse[7] = 1;
    ck_assert_double_eq (s_replay (most, worse, 0.25).radius, 1); /* twice its length */
}
END_TEST

START_TEST (test_steps_on_a_few_numbers_leave_the_radius_alone)
{
    static const int few[ROWS - 1] = {0};
    static const double gain[ROWS - 1] = {-1, -1, 1, -1, 2, -1, -1, -1};
    ck_assert_double_eq (s_replay (few, gain, 0.25).radius, 0.5);
}
END_TEST

START_TEST (test_the_kind_of_step_that_gains_more_is_taken_more)
{
    static const int kinds[ROWS - 1] = {1, 0, 1, 0, 1, 0, 1, 0};
    static const double of_most[ROWS - 1] = {1, -1, -1, -1, 2, -1, -1, -1};
    static const double of_few[ROWS - 1] = {-1, 1, -1, -1, -1, 2, -1, -1};
    static const double of_none[ROWS - 1] = {-1, -1, -1, -1, -1, -1, -1, -1};
    double most = s_replay (kinds, of_most, 0.1).share, few = s_replay (kinds, of_few, 0.1).share;
    ck_assert_double_gt (most, 0.7);
    ck_assert_double_lt (few, 0.1);
    ck_assert_double_gt (few, 0);
    ck_assert_double_eq (s_replay (kinds, of_none, 0.1).share, 0.5);
}
END_TEST

START_TEST (test_of_nothing_nothing_is_learnt)
{
    double places[COUNT] = {0}, losses[1] = {3};
    ck_assert_double_eq (replay (places, losses, 0, COUNT, 0.5).radius, 0.5);
    ck_assert_double_eq (replay (places, losses, 1, COUNT, 0.5).radius, 0.5);
}
END_TEST

START_TEST (test_a_distance_tells_on_how_many_numbers_two_differ)
{
    static const double one[COUNT] = {0.1, 0.2, 0.3, 0.4}, other[COUNT] = {0.1, 0.5, 0.3 + 1e-12, 0};
    size_t differ;
    ck_assert_double_eq_tol (replay_distance (one, other, COUNT, &differ), 0.5, 1e-9);
    ck_assert_uint_eq (differ, 2);
}
END_TEST

SUITE_MAIN ("proposers/replay", test_the_radius_grows_with_what_was_good_and_shrinks_with_what_was_not,
            test_steps_on_a_few_numbers_leave_the_radius_alone,
            test_the_kind_of_step_that_gains_more_is_taken_more, test_of_nothing_nothing_is_learnt,
            test_a_distance_tells_on_how_many_numbers_two_differ)
