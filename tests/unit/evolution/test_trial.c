/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/trial.h"
#include "crypto/random.h"
#include "tests/lib/objectives.h"
#include "tests/lib/suite.h"

#define MIN_IMPROVEMENT 0.005

/* "bins", exact, and "time", noisy; both to be minimized. */
static objectives_t s_both (void)
{
    objectives_t objectives = {.count = 0};
    objectives_put (&objectives, "bins", GOAL_MINIMIZE, false);
    objectives_put (&objectives, "time", GOAL_MINIMIZE, true);
    return objectives;
}

static objectives_t s_exact (void)
{
    objectives_t objectives = {.count = 0};
    objectives_put (&objectives, "bins", GOAL_MINIMIZE, false)->tolerance = 0.1;
    objectives_put (&objectives, "size", GOAL_MINIMIZE, false);
    return objectives;
}

static void s_tell (trial_t *trial, trial_want_t want, double a, double b)
{
    metrics_t metrics = metrics_two (a, b);
    ck_assert_int_eq (trial_want (trial), want);
    trial_valid (trial, &metrics, 10);
}

static trial_result_t s_result (const trial_t *trial)
{
    trial_result_t result;
    ck_assert_int_eq (trial_want (trial), TRIAL_DONE);
    trial_result (trial, &result);
    return result;
}

START_TEST (test_the_candidate_is_measured_first_and_an_invalid_one_ends_it)
{
    objectives_t objectives = s_both ();
    trial_t trial;
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
    ck_assert_int_eq (trial_want (&trial), TRIAL_CANDIDATE);
    trial_invalid (&trial);
    ck_assert_int_eq (trial_want (&trial), TRIAL_DONE);
    ck_assert (trial.invalid && !trial.base_invalid);
}
END_TEST

START_TEST (test_a_base_that_fails_is_a_fault_of_this_node)
{
    objectives_t objectives = s_both ();
    trial_t trial;
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
    s_tell (&trial, TRIAL_CANDIDATE, 5, 100);
    ck_assert_int_eq (trial_want (&trial), TRIAL_BASE);
    trial_invalid (&trial);
    ck_assert_int_eq (trial_want (&trial), TRIAL_DONE);
    ck_assert (trial.base_invalid && !trial.invalid);
}
END_TEST

START_TEST (test_exact_objectives_take_one_run_each)
{
    objectives_t objectives = s_exact ();
    trial_t trial;
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
    s_tell (&trial, TRIAL_CANDIDATE, 3, 8);
    s_tell (&trial, TRIAL_BASE, 4, 8);
    trial_result_t result = s_result (&trial);
    ck_assert_int_eq (result.verdict, VERDICT_ACCEPT);
    ck_assert (result.improvements[0] == 0.25 && result.improvements[1] == 0 && result.weighted == 0.125);
    ck_assert_int_eq (result.changes[0], CHANGE_BETTER);
    ck_assert_int_eq (result.changes[1], CHANGE_SAME);
    ck_assert (result.candidate.values[0] == 3 && result.base.values[0] == 4);
    ck_assert_uint_eq (result.repeats, 1);
    ck_assert_uint_eq (trial.duration_ms, 20);
}
END_TEST

START_TEST (test_a_base_that_is_known_is_not_run_again)
{
    objectives_t objectives = s_exact ();
    metrics_t base = metrics_two (4, 8);
    trial_t trial;
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, &base);
    s_tell (&trial, TRIAL_CANDIDATE, 4, 8);
    trial_result_t result = s_result (&trial);
    ck_assert_int_eq (result.verdict, VERDICT_NOT_BETTER);
    ck_assert (result.base.values[1] == 8);
    ck_assert_uint_eq (result.repeats, 1);
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, &base);
    s_tell (&trial, TRIAL_CANDIDATE, 4.2, 7); /* worse within tolerance, better elsewhere */
    ck_assert_int_eq (s_result (&trial).verdict, VERDICT_ACCEPT);
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, &base);
    s_tell (&trial, TRIAL_CANDIDATE, 3.99, 8);
    ck_assert_int_eq (s_result (&trial).verdict, VERDICT_TOO_SMALL);
}
END_TEST

START_TEST (test_a_worse_exact_objective_ends_it_without_pairs)
{
    objectives_t objectives = s_both ();
    metrics_t base = metrics_two (4, 0);
    trial_t trial;
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, &base);
    s_tell (&trial, TRIAL_CANDIDATE, 4.001, 10);
    trial_result_t result = s_result (&trial);
    ck_assert_int_eq (result.verdict, VERDICT_WORSE);
    ck_assert_int_eq (result.changes[1], CHANGE_SAME);
    ck_assert (result.improvements[1] == 0); /* what is known of a noisy objective isn't looked at */
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
    s_tell (&trial, TRIAL_CANDIDATE, 4.001, 10);
    s_tell (&trial, TRIAL_BASE, 4, 10);
    ck_assert_int_eq (s_result (&trial).verdict, VERDICT_WORSE);
}
END_TEST

START_TEST (test_an_infeasible_candidate_needs_no_base)
{
    objectives_t objectives = s_both ();
    objectives.items[0].has_limit = true;
    objectives.items[0].limit = 5;
    trial_t trial;
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
    s_tell (&trial, TRIAL_CANDIDATE, 5.5, 10);
    trial_result_t result = s_result (&trial);
    ck_assert_int_eq (result.verdict, VERDICT_INFEASIBLE);
    ck_assert_uint_eq (result.base.count, 0);
    ck_assert_uint_eq (result.repeats, 0);
}
END_TEST

START_TEST (test_pairs_start_with_the_one_and_the_other_in_turn)
{
    objectives_t objectives = s_both ();
    trial_t trial;
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
    for (int pair = 0; pair < TRIAL_PAIRS_LEAST; pair++) {
        bool turn = pair % 2 == 0;
        s_tell (&trial, turn ? TRIAL_CANDIDATE : TRIAL_BASE, 4, turn ? 90 : 100);
        s_tell (&trial, turn ? TRIAL_BASE : TRIAL_CANDIDATE, 4, turn ? 100 : 90);
    }
    trial_result_t result = s_result (&trial);
    ck_assert_uint_eq (result.repeats, 8);
    ck_assert_int_eq (result.verdict, VERDICT_ACCEPT);
    ck_assert_int_eq (result.changes[1], CHANGE_BETTER);
    ck_assert (result.improvements[1] == 0.1 && result.weighted == 0.05 && result.dispersion[1] == 0);
}
END_TEST

/* Runs a trial to its end: exact values as given, candidate's and base's times from two lists. */
static trial_result_t s_run (trial_t *trial, double candidate, double base, const double *candidate_times,
                             const double *base_times)
{
    size_t candidates = 0, bases = 0;
    for (trial_want_t want = trial_want (trial); want != TRIAL_DONE; want = trial_want (trial)) {
        metrics_t metrics = want == TRIAL_CANDIDATE ? metrics_two (candidate, candidate_times[candidates++])
                                                    : metrics_two (base, base_times[bases++]);
        trial_valid (trial, &metrics, 1);
        ck_assert_uint_le (candidates, TRIAL_PAIRS_MOST);
        ck_assert_uint_le (bases, TRIAL_PAIRS_MOST);
    }
    return s_result (trial);
}

static const double s_hundred[TRIAL_PAIRS_MOST] = {100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100,
                                                   100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100,
                                                   100, 100, 100, 100, 100, 100, 100, 100, 100, 100};

START_TEST (test_improvement_of_a_noisy_objective_is_the_median_over_pairs)
{
    objectives_t objectives = s_both ();
    trial_t trial;
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
    double times[] = {90, 80, 95, 70, 85, 90, 60, 75};
    trial_result_t result = s_run (&trial, 4, 4, times, s_hundred);
    ck_assert_double_eq_tol (result.improvements[1], 0.175, 1e-15); /* of .05 .1 .1 .15 .2 .25 .3 .4 */
    ck_assert_double_eq_tol (result.dispersion[1], 0.075,
                             1e-15); /* of .025 .025 .075 .075 .075 .125 .125 .225 */
    ck_assert_double_eq_tol (result.candidate.values[1], 82.5, 1e-12);
    ck_assert (isnan (result.low[0]) && isnan (result.high[0])); /* exact */
    ck_assert_double_eq_tol (result.low[1], 0.1, 1e-15);
    ck_assert_double_eq_tol (result.high[1], 0.3, 1e-15);
}
END_TEST

START_TEST (test_significantly_slower_is_worse_only_beyond_tolerance)
{
    objectives_t objectives = s_both ();
    trial_t trial;
    double slow[] = {107, 108, 106, 109, 107, 108, 106, 109};
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
    trial_result_t result = s_run (&trial, 3, 4, slow, s_hundred);
    ck_assert_int_eq (result.changes[1], CHANGE_WORSE);
    ck_assert_int_eq (result.verdict, VERDICT_WORSE);
    double slower[] = {103, 104, 102, 103, 104, 102, 103, 104};
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
    result = s_run (&trial, 3, 4, slower, s_hundred);
    ck_assert_int_eq (result.changes[1], CHANGE_SAME);
    ck_assert_int_eq (result.verdict, VERDICT_ACCEPT);
    ck_assert (result.weighted == 0.125); /* the better bins, and nothing for the time */
    ck_assert_uint_eq (result.repeats, 8);
}
END_TEST

START_TEST (test_pairs_end_when_the_next_look_can_no_longer_be_promising)
{
    objectives_t objectives = s_both ();
    trial_t trial;
    /* Each is larger than all before, to one side and the other. */
    double mixed[] = {103, 96, 105, 94, 107, 92, 109, 90};
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
    trial_result_t result = s_run (&trial, 4, 4, mixed, s_hundred);
    ck_assert_int_eq (result.verdict, VERDICT_NOT_BETTER);
    ck_assert_uint_eq (result.repeats, 7);
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
    result = s_run (&trial, 3, 4, mixed,
                    s_hundred); /* better bins: accepted once the time is known to be the same */
    ck_assert_int_eq (result.verdict, VERDICT_ACCEPT);
    ck_assert_uint_eq (result.repeats, 7);
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
    result = s_run (&trial, 4, 4, s_hundred, s_hundred);
    ck_assert_uint_eq (result.repeats, 4); /* zeros promise nothing */
}
END_TEST

START_TEST (test_four_pairs_end_what_would_be_refused_even_if_it_were_twice_as_good)
{
    objectives_t objectives = s_both ();
    trial_t trial;
    double weight = objectives.items[1].weight / (objectives.items[0].weight + objectives.items[1].weight);
    double needed = 100 * (1 - MIN_IMPROVEMENT / weight / 2);
    double short_of_it[] = {needed + 0.01, needed + 0.01, needed + 0.01, needed + 0.01},
           just[TRIAL_PAIRS_MOST];
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
    trial_result_t result = s_run (&trial, 4, 4, short_of_it, s_hundred);
    ck_assert_uint_eq (result.repeats, TRIAL_PAIRS_GLANCE);
    ck_assert_int_ne (result.verdict, VERDICT_ACCEPT);
    for (size_t i = 0; i < TRIAL_PAIRS_MOST; i++)
        just[i] = needed - 0.01;
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
    result = s_run (&trial, 4, 4, just, s_hundred);
    ck_assert_uint_ge (result.repeats, TRIAL_PAIRS_LEAST);
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
    result = s_run (&trial, 3, 4, s_hundred,
                    s_hundred); /* good enough without: the time must show that it is no worse */
    ck_assert_int_eq (result.verdict, VERDICT_ACCEPT);
    ck_assert_uint_gt (result.repeats, TRIAL_PAIRS_GLANCE);
}
END_TEST

/* Seven for and the smallest against: 2 in 256, which is promising at the first look and not enough. */
static void s_nearly (double times[TRIAL_PAIRS_MOST], double for_it)
{
    for (int i = 0; i < TRIAL_PAIRS_MOST; i++)
        times[i] = for_it;
    times[3] = for_it < 100 ? 101 : 99;
}

START_TEST (test_a_promising_gain_is_looked_at_again)
{
    objectives_t objectives = s_both ();
    trial_t trial;
    double times[TRIAL_PAIRS_MOST];
    s_nearly (times, 97);
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
    trial_result_t result = s_run (&trial, 4, 4, times, s_hundred);
    ck_assert_uint_eq (result.repeats, 16);
    ck_assert_int_eq (result.changes[1], CHANGE_BETTER);
    ck_assert_int_eq (result.verdict, VERDICT_ACCEPT);
    times[8] = times[9] = 104; /* promising with 16, and shown by all 32 */
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
    result = s_run (&trial, 4, 4, times, s_hundred);
    ck_assert_uint_eq (result.repeats, TRIAL_PAIRS_MOST);
    ck_assert_int_eq (result.verdict, VERDICT_ACCEPT);
}
END_TEST

START_TEST (test_beyond_the_first_look_a_gain_is_sought_only_where_it_matters)
{
    objectives_t objectives = s_both ();
    trial_t trial;
    double times[TRIAL_PAIRS_MOST];
    s_nearly (times, 97);
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
    trial_result_t result = s_run (&trial, 3, 4, times, s_hundred);
    ck_assert_uint_eq (result.repeats, 8);
    ck_assert_int_eq (result.changes[1], CHANGE_SAME);
    ck_assert_int_eq (result.verdict, VERDICT_ACCEPT);
    s_nearly (times, 110); /* slower, on the other hand, always matters … */
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
    result = s_run (&trial, 3, 4, times, s_hundred);
    ck_assert_uint_eq (result.repeats, 16);
    ck_assert_int_eq (result.verdict, VERDICT_WORSE);
    s_nearly (times, 103); /* … beyond tolerance */
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
    result = s_run (&trial, 3, 4, times, s_hundred);
    ck_assert_uint_eq (result.repeats, 8);
    ck_assert_int_eq (result.verdict, VERDICT_ACCEPT);
}
END_TEST

START_TEST (test_what_is_accepted_without_its_noisy_gains_does_not_rest_on_them)
{
    objectives_t objectives = s_both ();
    trial_t trial;
    double times[] = {90, 80, 95, 70, 85, 90, 60, 75};
    const struct {
        double bins;
        verdict_t verdict;
        bool rests;
    } cases[] = {{4, VERDICT_ACCEPT, true},    /* the gain in time is all that there is */
                 {3.99, VERDICT_ACCEPT, true}, /* fewer bins, but too little without it */
                 {3, VERDICT_ACCEPT, false},   /* good enough by its bins */
                 {5, VERDICT_WORSE, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
        trial_result_t result = s_run (&trial, cases[i].bins, 4, times, s_hundred);
        ck_assert_int_eq (result.verdict, cases[i].verdict);
        ck_assert_int_eq (trial_rests_on_noise (&objectives, MIN_IMPROVEMENT, &result), cases[i].rests);
    }
}
END_TEST

START_TEST (test_what_a_look_concluded_stays)
{
    objectives_t objectives = {.count = 0};
    objectives_put (&objectives, "first", GOAL_MINIMIZE, true);
    objectives_put (&objectives, "second", GOAL_MINIMIZE, true);
    trial_t trial;
    double second[TRIAL_PAIRS_MOST]; /* worse at the third look only */
    for (int run = 0; run < TRIAL_PAIRS_MOST; run++)
        second[run] = run == 3 || run == 9 ? 89 : 110;
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
    for (trial_want_t want = trial_want (&trial); want != TRIAL_DONE; want = trial_want (&trial)) {
        size_t run = want == TRIAL_CANDIDATE ? trial.candidate_runs : trial.base_runs;
        ck_assert_uint_lt (run, TRIAL_PAIRS_MOST);
        metrics_t metrics =
            want == TRIAL_CANDIDATE ? metrics_two (run < 16 ? 90 : 110, second[run]) : metrics_two (100, 100);
        trial_valid (&trial, &metrics, 1);
    }
    trial_result_t result = s_result (&trial);
    ck_assert_uint_eq (result.repeats, TRIAL_PAIRS_MOST);
    ck_assert_int_eq (result.changes[0], CHANGE_BETTER);
    ck_assert_int_eq (result.changes[1], CHANGE_WORSE);
    ck_assert_int_eq (result.verdict, VERDICT_WORSE);
}
END_TEST

START_TEST (test_a_noisy_limit_keeps_pairs_going_until_its_side_is_certain)
{
    objectives_t objectives = s_both ();
    objectives.items[1].has_limit = true;
    objectives.items[1].limit = 102;
    trial_t trial;
    double mixed[] = {103, 96, 105, 94, 103, 104, 104, 106};
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
    trial_result_t result = s_run (&trial, 3, 4, mixed, s_hundred);
    ck_assert_uint_eq (result.repeats, 7);
    ck_assert_int_eq (result.verdict, VERDICT_INFEASIBLE);
}
END_TEST

/* The promise of noise: two programs that are the same are told apart at most once in a hundred trials. */
START_TEST (test_a_program_is_hardly_ever_accepted_over_itself)
{
    enum { TRIALS = 2000 };
    random_t random;
    random_init_number (&random, 7);
    objectives_t objectives = s_both ();
    unsigned accepted = 0, worse = 0;
    size_t pairs = 0;
    for (int i = 0; i < TRIALS; i++) {
        double candidate_times[TRIAL_PAIRS_MOST], base_times[TRIAL_PAIRS_MOST];
        for (int k = 0; k < TRIAL_PAIRS_MOST; k++) {
            candidate_times[k] = 100 + 30 * random_unit (&random) * random_unit (&random);
            base_times[k] = 100 + 30 * random_unit (&random) * random_unit (&random);
        }
        trial_t trial;
        trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
        trial_result_t result = s_run (&trial, 4, 4, candidate_times, base_times);
        accepted += result.verdict == VERDICT_ACCEPT;
        worse += result.verdict == VERDICT_WORSE;
        pairs += result.repeats;
    }
    ck_assert_msg (accepted <= TRIALS / 100, "%u of %d accepted", accepted, TRIALS);
    ck_assert_msg (worse <= TRIALS / 100, "%u of %d worse", worse, TRIALS);
    ck_assert_msg (pairs < TRIALS * 9, "%zu pairs in %d trials", pairs,
                   TRIALS); /* most end at the first look or before */
}
END_TEST

/* Eight lucky pairs in a row are rare enough for one objective, and not for either of two. */
START_TEST (test_what_has_two_chances_to_be_lucky_must_show_more)
{
    for (size_t count = 1; count <= 2; count++) {
        objectives_t objectives = {.count = 0};
        objectives_put (&objectives, "first", GOAL_MINIMIZE, true);
        if (count == 2)
            objectives_put (&objectives, "second", GOAL_MINIMIZE, true);
        trial_t trial;
        trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
        for (trial_want_t want = trial_want (&trial); want != TRIAL_DONE; want = trial_want (&trial)) {
            double first = want == TRIAL_CANDIDATE && trial.candidate_runs < 8 ? 90 : 100;
            metrics_t metrics = {.count = count, .values = {first, 100}};
            trial_valid (&trial, &metrics, 1);
        }
        ck_assert_int_eq (s_result (&trial).verdict, count == 1 ? VERDICT_ACCEPT : VERDICT_NOT_BETTER);
    }
}
END_TEST

START_TEST (test_a_clear_gain_shows_through_the_noise)
{
    random_t random;
    random_init_number (&random, 8);
    objectives_t objectives = s_both ();
    unsigned accepted = 0;
    for (int i = 0; i < 200; i++) {
        double candidate_times[TRIAL_PAIRS_MOST], base_times[TRIAL_PAIRS_MOST];
        for (int k = 0; k < TRIAL_PAIRS_MOST; k++) {
            candidate_times[k] = 75 + 15 * random_unit (&random);
            base_times[k] = 90 + 20 * random_unit (&random);
        }
        trial_t trial;
        trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
        accepted += s_run (&trial, 4, 4, candidate_times, base_times).verdict == VERDICT_ACCEPT;
    }
    ck_assert_uint_eq (accepted, 200);
}
END_TEST

/* Noise of a standard deviation of 1.5 % in each run, and a gain of 3 %: eight pairs alone find it in two of
 * three trials. */
START_TEST (test_a_gain_of_the_size_of_the_noise_is_mostly_found)
{
    random_t random;
    random_init_number (&random, 9);
    objectives_t objectives = s_both ();
    unsigned accepted = 0, accepted_at_once = 0;
    for (int i = 0; i < 200; i++) {
        double candidate_times[TRIAL_PAIRS_MOST], base_times[TRIAL_PAIRS_MOST];
        for (int k = 0; k < TRIAL_PAIRS_MOST; k++) { /* the sum of three uniform ones deviates by 0.5 */
            double noise[2] = {0, 0};
            for (int j = 0; j < 6; j++)
                noise[j % 2] += random_unit (&random) - 0.5;
            candidate_times[k] = 97 + 3 * noise[0];
            base_times[k] = 100 + 3 * noise[1];
        }
        trial_t trial;
        trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
        trial_result_t result = s_run (&trial, 4, 4, candidate_times, base_times);
        accepted += result.verdict == VERDICT_ACCEPT;
        accepted_at_once += result.verdict == VERDICT_ACCEPT && result.repeats == TRIAL_PAIRS_LEAST;
    }
    ck_assert_msg (accepted >= 180, "%u of 200 found", accepted);
    ck_assert_msg (accepted_at_once < 140, "%u of 200 found with the fewest pairs", accepted_at_once);
}
END_TEST

START_TEST (test_verification_accepts_what_is_not_worse_in_one_run)
{
    objectives_t objectives = s_both ();
    metrics_t known = metrics_two (4, 100);
    trial_t trial;
    trial_init_verify (&trial, &objectives, &known);
    s_tell (&trial, TRIAL_CANDIDATE, 4, 104.9);
    trial_result_t result = s_result (&trial);
    ck_assert_int_eq (result.verdict, VERDICT_ACCEPT);
    ck_assert_double_eq_tol (result.improvements[1], -0.049, 1e-12);
    trial_init_verify (&trial, &objectives, &known);
    s_tell (&trial, TRIAL_CANDIDATE, 4.1, 90);
    ck_assert_int_eq (s_result (&trial).verdict, VERDICT_WORSE);
}
END_TEST

START_TEST (test_verification_asks_for_pairs_where_the_first_run_looks_slow)
{
    objectives_t objectives = s_both ();
    metrics_t known = metrics_two (4, 100);
    trial_t trial;
    trial_init_verify (&trial, &objectives, &known);
    double today[] = {130, 129, 130, 129, 130, 129, 130, 129}; /* all is slow today */
    double base_today[] = {131, 131, 131, 131, 131, 131, 131, 131};
    trial_result_t result = s_run (&trial, 4, 4, today, base_today);
    ck_assert_int_eq (result.verdict, VERDICT_ACCEPT);
    ck_assert_uint_eq (result.repeats, 5);

    double slow[] = {120, 121, 122, 123, 124, 125, 126, 127};
    trial_init_verify (&trial, &objectives, &known);
    result = s_run (&trial, 4, 4, slow, s_hundred);
    ck_assert_int_eq (result.verdict, VERDICT_WORSE);
    ck_assert_uint_eq (result.repeats, 8);
}
END_TEST

START_TEST (test_verification_without_known_values_runs_pairs)
{
    objectives_t objectives = s_both ();
    trial_t trial;
    double same[] = {101, 99, 98, 102, 100, 100, 100, 100};
    trial_init_verify (&trial, &objectives, NULL);
    trial_result_t result = s_run (&trial, 4, 4, same, s_hundred);
    ck_assert_int_eq (result.verdict, VERDICT_ACCEPT);
    ck_assert_uint_ge (result.repeats, 2);
    ck_assert_uint_lt (result.repeats, 8);
}
END_TEST

START_TEST (test_verification_leaves_limits_to_the_alert)
{
    objectives_t objectives = s_exact ();
    objectives.items[0].has_limit = true;
    objectives.items[0].limit = 3;
    metrics_t known = metrics_two (4, 8);
    trial_t trial;
    trial_init_verify (&trial, &objectives, &known);
    s_tell (&trial, TRIAL_CANDIDATE, 4, 8); /* going back to a release that was infeasible is no regression */
    ck_assert_int_eq (s_result (&trial).verdict, VERDICT_ACCEPT);
}
END_TEST

SUITE_MAIN ("evolution/trial", test_the_candidate_is_measured_first_and_an_invalid_one_ends_it,
            test_a_base_that_fails_is_a_fault_of_this_node, test_exact_objectives_take_one_run_each,
            test_a_base_that_is_known_is_not_run_again, test_a_worse_exact_objective_ends_it_without_pairs,
            test_an_infeasible_candidate_needs_no_base, test_pairs_start_with_the_one_and_the_other_in_turn,
            test_improvement_of_a_noisy_objective_is_the_median_over_pairs,
            test_significantly_slower_is_worse_only_beyond_tolerance,
            test_pairs_end_when_the_next_look_can_no_longer_be_promising,
            test_four_pairs_end_what_would_be_refused_even_if_it_were_twice_as_good,
            test_a_promising_gain_is_looked_at_again,
            test_beyond_the_first_look_a_gain_is_sought_only_where_it_matters,
            test_what_is_accepted_without_its_noisy_gains_does_not_rest_on_them,
            test_what_a_look_concluded_stays, test_a_noisy_limit_keeps_pairs_going_until_its_side_is_certain,
            test_a_program_is_hardly_ever_accepted_over_itself,
            test_what_has_two_chances_to_be_lucky_must_show_more, test_a_clear_gain_shows_through_the_noise,
            test_a_gain_of_the_size_of_the_noise_is_mostly_found,
            test_verification_accepts_what_is_not_worse_in_one_run,
            test_verification_asks_for_pairs_where_the_first_run_looks_slow,
            test_verification_without_known_values_runs_pairs, test_verification_leaves_limits_to_the_alert)
