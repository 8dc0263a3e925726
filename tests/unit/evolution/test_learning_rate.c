/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/learning_rate.h"
#include "tests/lib/suite.h"

#include <math.h>

static bool s_near (double value, double expected)
{
    return fabs (value - expected) <= 1e-12 * expected;
}

START_TEST (test_outcomes_move_the_rate_as_computed_by_hand)
{
    static const struct {
        bool success;
        double improvement, rate;
    } steps[] = {
        {true, 0.1, 0.11},        /* 1 of 1: up */
        {false, 0, 0.11},         /* 1 of 2: stays */
        {false, 0, 0.11},         /* 1 of 3: stays */
        {false, 0, 0.088},        /* 1 of 4: down */
        {true, 0.3, 0.0924},      /* 2 of 5: stays; a leap: × 1.05 */
        {true, 0.2, 0.0924},      /* 3 of 6; 0.2 is not over 0.2 */
        {true, 0.21, 0.09702},    /* 4 of 7 */
        {true, 0, 0.09702},       /* 5 of 8 */
        {true, 0, 0.09702},       /* 6 of 9 */
        {true, 0, 0.09702},       /* 7 of 10: 70 % is not above 70 % */
        {true, 0, 0.09702},       /* the first one drops out: 7 of 10 */
        {true, 0, 0.106722},      /* a failure drops out: 8 of 10: up */
        {true, 0.5, 0.123263910}, /* 9 of 10: up, and a leap */
    };
    learning_rate_t rate;
    learning_rate_init (&rate, 0.1);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        learning_rate_update (&rate, steps[i].success, steps[i].improvement);
        ck_assert_msg (s_near (rate.rate, steps[i].rate), "step %zu: %.12g, expected %.12g", i, rate.rate,
                       steps[i].rate);
    }
}
END_TEST

START_TEST (test_the_rate_stays_between_1_and_50_percent)
{
    learning_rate_t rate;
    learning_rate_init (&rate, 0.1);
    for (int i = 0; i < 100; i++)
        learning_rate_update (&rate, true, 1);
    ck_assert (rate.rate == 0.5);
    for (int i = 0; i < 100; i++)
        learning_rate_update (&rate, false, 0);
    ck_assert (rate.rate == 0.01);
}
END_TEST

START_TEST (test_thirty_percent_is_not_below_thirty)
{
    learning_rate_t rate;
    learning_rate_init (&rate, 0.1);
    static const bool outcomes[] = {true, true, true, false, false, false, false, false, false};
    for (size_t i = 0; i < 9; i++)
        learning_rate_update (&rate, outcomes[i], 0);
    double before = rate.rate;
    learning_rate_update (&rate, false, 0); /* 3 of 10 */
    ck_assert (learning_rate_success (&rate) == 0.3);
    ck_assert (rate.rate == before);
    learning_rate_update (&rate, false, 0); /* 2 of 10 */
    ck_assert (s_near (rate.rate, 0.8 * before));
}
END_TEST

START_TEST (test_the_history_holds_the_last_20_with_the_rate_in_force)
{
    learning_rate_t rate;
    learning_rate_init (&rate, 0.1);
    ck_assert (learning_rate_success (&rate) == 0);
    double in_force[25];
    for (size_t i = 0; i < 25; i++) {
        in_force[i] = rate.rate;
        learning_rate_update (&rate, i % 3 == 0, 0);
    }
    ck_assert_uint_eq (rate.count, LEARNING_RATE_HISTORY);
    for (size_t i = 0; i < LEARNING_RATE_HISTORY; i++) {
        ck_assert_int_eq (rate.successes[i], (i + 5) % 3 == 0);
        ck_assert (rate.rates[i] == in_force[i + 5]);
    }
    ck_assert (learning_rate_success (&rate) == 0.4); /* of 15..24: 15, 18, 21, 24 */
}
END_TEST

SUITE_MAIN ("evolution/learning_rate", test_outcomes_move_the_rate_as_computed_by_hand,
            test_the_rate_stays_between_1_and_50_percent, test_thirty_percent_is_not_below_thirty,
            test_the_history_holds_the_last_20_with_the_rate_in_force)
