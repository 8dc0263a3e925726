/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/objective.h"
#include "tests/lib/objectives.h"
#include "tests/lib/suite.h"

static const objective_t s_less = {.goal = GOAL_MINIMIZE, .weight = 1};
static const objective_t s_more = {.goal = GOAL_MAXIMIZE, .weight = 1};

START_TEST (test_improvement_is_positive_where_better_whatever_the_goal)
{
    ck_assert (objective_improvement (&s_more, 4, 5) == 0.25);
    ck_assert (objective_improvement (&s_more, 4, 3) == -0.25);
    ck_assert (objective_improvement (&s_less, 4, 3) == 0.25);
    ck_assert (objective_improvement (&s_less, 4, 5) == -0.25);
    ck_assert (objective_improvement (&s_less, 4, 4) == 0);
    /* A negative baseline: relative to its size. */
    ck_assert (objective_improvement (&s_more, -4, -3) == 0.25);
    ck_assert (objective_improvement (&s_less, -4, -3) == -0.25);
}
END_TEST

START_TEST (test_improvement_is_relative_to_the_tolerance_where_the_baseline_is_smaller)
{
    objective_t objective = s_less;
    objective.tolerance = 0.5;
    ck_assert (objective_improvement (&objective, 0.25, 0) == 0.5);
    ck_assert (objective_improvement (&objective, 0, 1) == -2);
    ck_assert (objective_improvement (&objective, 1, 0.5) == 0.5);
}
END_TEST

START_TEST (test_improvement_stays_finite_from_nothing_and_beyond_all_bounds)
{
    ck_assert (objective_improvement (&s_more, 0, 3) == 1);
    ck_assert (objective_improvement (&s_less, 0, 3) == -1);
    ck_assert (objective_improvement (&s_more, 0, 0) == 0);
    ck_assert (objective_improvement (&s_more, 1e-300, 1e300) == IMPROVEMENT_MAX);
    ck_assert (objective_improvement (&s_less, 1e-300, 1e300) == -IMPROVEMENT_MAX);
    ck_assert (objective_improvement (&s_more, -1.7e308, 1.7e308) == IMPROVEMENT_MAX);
}
END_TEST

START_TEST (test_limits_and_alerts_are_passed_on_the_worse_side_only)
{
    objective_t objective = s_less;
    ck_assert (!objective_infeasible (&objective, 1e9));
    ck_assert (!objective_alerts (&objective, 1e9));
    objective.has_limit = objective.has_alert = true;
    objective.limit = 10;
    objective.alert = 8;
    ck_assert (!objective_infeasible (&objective, 10));
    ck_assert (objective_infeasible (&objective, 10.001));
    ck_assert (!objective_alerts (&objective, 8));
    ck_assert (objective_alerts (&objective, 8.001));
    objective.goal = GOAL_MAXIMIZE;
    ck_assert (!objective_infeasible (&objective, 10));
    ck_assert (objective_infeasible (&objective, 9.999));
    ck_assert (objective_alerts (&objective, 7.999));
    ck_assert (!objective_alerts (&objective, 8.001));
}
END_TEST

START_TEST (test_exact_values_are_compared_with_tolerance_for_worse_only)
{
    objective_t objective = s_less;
    ck_assert_int_eq (objective_compare (&objective, 4, 4), CHANGE_SAME);
    ck_assert_int_eq (objective_compare (&objective, 4, 3.999999), CHANGE_BETTER);
    ck_assert_int_eq (objective_compare (&objective, 4, 4.000001), CHANGE_WORSE);
    objective.tolerance = 0.125;
    ck_assert_int_eq (objective_compare (&objective, 4, 3.999999), CHANGE_BETTER);
    ck_assert_int_eq (objective_compare (&objective, 4, 4.5), CHANGE_SAME);
    ck_assert_int_eq (objective_compare (&objective, 4, 4.500001), CHANGE_WORSE);
}
END_TEST

START_TEST (test_weights_count_relative_to_their_sum)
{
    objectives_t objectives = {.count = 0};
    objectives_put (&objectives, "a", GOAL_MAXIMIZE, false)->weight = 6;
    objectives_put (&objectives, "b", GOAL_MAXIMIZE, false)->weight = 2;
    double improvements[LIMIT_OBJECTIVES] = {0.5, -0.5};
    ck_assert (objectives_weighted (&objectives, improvements) == 0.25);
}
END_TEST

START_TEST (test_objectives_are_found_by_name)
{
    objectives_t objectives = {.count = 0};
    objectives_put (&objectives, "a", GOAL_MAXIMIZE, false);
    objectives_put (&objectives, "ab", GOAL_MAXIMIZE, false);
    ck_assert_int_eq (objectives_find (&objectives, "ab"), 1);
    ck_assert_int_eq (objectives_find (&objectives, "a"), 0);
    ck_assert_int_eq (objectives_find (&objectives, "b"), -1);
}
END_TEST

START_TEST (test_rounding_keeps_three_significant_digits)
{
    static const double cases[][2] = {{0.123456, 0.123},  {0.1235, 0.123},        {0.12351, 0.124},
                                      {-0.98765, -0.988}, {12345, 12300},         {0.9996, 1},
                                      {1e-7, 1e-7},       {1.2345e-12, 1.23e-12}, {0, 0},
                                      {-1, -1},           {999.5, 1000},          {1.0049e6, 1.00e6},
                                      {0.03, 0.03},       {3.14159e100, 3.14e100}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double rounded = objective_round (cases[i][0]);
        ck_assert_msg (rounded == cases[i][1] || (cases[i][1] > 1e22 && rounded / cases[i][1] - 1 < 1e-14),
                       "%.17g became %.17g", cases[i][0], rounded);
        ck_assert (objective_round (rounded) == rounded);
    }
}
END_TEST

/* Two objectives: an exact one to minimize (limit 10) and a noisy one to maximize. */
static objectives_t s_two (void)
{
    objectives_t objectives = {.count = 0};
    objective_t *exact = objectives_put (&objectives, "exact", GOAL_MINIMIZE, false);
    exact->has_limit = true;
    exact->limit = 10;
    objectives_put (&objectives, "noisy", GOAL_MAXIMIZE, true);
    return objectives;
}

static verdict_t s_accept (change_t exact, double exact_by, change_t noisy, double noisy_by, double value,
                           double *weighted)
{
    objectives_t objectives = s_two ();
    change_t changes[LIMIT_OBJECTIVES] = {exact, noisy};
    double improvements[LIMIT_OBJECTIVES] = {exact_by, noisy_by};
    metrics_t candidate = metrics_two (value, 1);
    return objectives_accept (&objectives, changes, improvements, &candidate, 0.005, weighted);
}

START_TEST (test_acceptance_takes_better_somewhere_worse_nowhere_and_enough)
{
    double weighted;
    ck_assert_int_eq (s_accept (CHANGE_BETTER, 0.25, CHANGE_SAME, 0, 5, &weighted), VERDICT_ACCEPT);
    ck_assert (weighted == 0.125);
    ck_assert_int_eq (s_accept (CHANGE_BETTER, 0.25, CHANGE_WORSE, -0.06, 5, NULL), VERDICT_WORSE);
    ck_assert_int_eq (s_accept (CHANGE_SAME, 0, CHANGE_SAME, 0, 5, NULL), VERDICT_NOT_BETTER);
    ck_assert_int_eq (s_accept (CHANGE_BETTER, 0.009, CHANGE_SAME, 0, 5, NULL), VERDICT_TOO_SMALL);
    ck_assert_int_eq (s_accept (CHANGE_BETTER, 0.01, CHANGE_SAME, 0, 5, NULL), VERDICT_ACCEPT);
    ck_assert_int_eq (s_accept (CHANGE_SAME, 0, CHANGE_BETTER, 0.1, 5, NULL), VERDICT_ACCEPT);
    /* Worse within tolerance is no obstacle, but weighs. */
    ck_assert_int_eq (s_accept (CHANGE_SAME, -0.02, CHANGE_BETTER, 0.025, 5, &weighted), VERDICT_TOO_SMALL);
    ck_assert (weighted > 0.0024 && weighted < 0.0026);
}
END_TEST

START_TEST (test_noise_without_significance_weighs_nothing)
{
    double weighted;
    ck_assert_int_eq (s_accept (CHANGE_BETTER, 0.009, CHANGE_SAME, 0.9, 5, &weighted), VERDICT_TOO_SMALL);
    ck_assert (weighted == 0.0045);
    ck_assert_int_eq (s_accept (CHANGE_BETTER, 0.02, CHANGE_SAME, -0.9, 5, &weighted), VERDICT_ACCEPT);
    ck_assert (weighted == 0.01);
}
END_TEST

START_TEST (test_a_candidate_past_a_limit_is_infeasible_however_good)
{
    ck_assert_int_eq (s_accept (CHANGE_BETTER, 0.5, CHANGE_BETTER, 0.5, 10, NULL), VERDICT_ACCEPT);
    ck_assert_int_eq (s_accept (CHANGE_BETTER, 0.5, CHANGE_BETTER, 0.5, 10.5, NULL), VERDICT_INFEASIBLE);
}
END_TEST

SUITE_MAIN ("evolution/objective", test_improvement_is_positive_where_better_whatever_the_goal,
            test_improvement_is_relative_to_the_tolerance_where_the_baseline_is_smaller,
            test_improvement_stays_finite_from_nothing_and_beyond_all_bounds,
            test_limits_and_alerts_are_passed_on_the_worse_side_only,
            test_exact_values_are_compared_with_tolerance_for_worse_only,
            test_weights_count_relative_to_their_sum, test_objectives_are_found_by_name,
            test_rounding_keeps_three_significant_digits,
            test_acceptance_takes_better_somewhere_worse_nowhere_and_enough,
            test_noise_without_significance_weighs_nothing,
            test_a_candidate_past_a_limit_is_infeasible_however_good)
