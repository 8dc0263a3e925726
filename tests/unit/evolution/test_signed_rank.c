/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/signed_rank.h"
#include "crypto/random.h"
#include "tests/lib/suite.h"

#include <math.h>

/* Differences of magnitudes 1..n whose negative ones have ranks that sum up to `sum`. */
static void s_with_negatives (double *differences, size_t n, size_t sum)
{
    for (size_t rank = n; rank >= 1; rank--) {
        bool negative = rank <= sum;
        differences[rank - 1] = negative ? -(double)rank : (double)rank;
        sum -= negative ? rank : 0;
    }
    ck_assert_uint_eq (sum, 0);
}

START_TEST (test_small_samples_have_the_probabilities_of_the_exact_distribution)
{
    static const struct {
        size_t n, sum;
        double patterns; /* of 2^n */
    } cases[] = {{1, 0, 1}, {5, 0, 1}, {5, 1, 2}, {5, 2, 3}, {5, 3, 5},  {5, 4, 7},  {5, 15, 32},
                 {6, 0, 1}, {6, 2, 3}, {6, 3, 5}, {7, 0, 1}, {7, 3, 5},  {7, 5, 10}, {8, 0, 1},
                 {8, 1, 2}, {8, 2, 3}, {8, 3, 5}, {8, 4, 7}, {8, 5, 10}, {8, 6, 14}, {8, 36, 256}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double differences[LIMIT_PAIRS];
        s_with_negatives (differences, cases[i].n, cases[i].sum);
        double p = signed_rank_p (differences, cases[i].n),
               right = ldexp (cases[i].patterns, -(int)cases[i].n);
        ck_assert_msg (p == right, "n %zu, sum %zu: p %.17g, expected %.17g", cases[i].n, cases[i].sum, p,
                       right);
    }
}
END_TEST

/* The largest sum that is significant, one-sided, as printed in the tables of F. Wilcoxon and R. A. Wilcox, "Some rapid
 * approximate statistical procedures" (1964), and in every textbook since. */
START_TEST (test_critical_values_are_those_of_the_published_tables)
{
    static const struct {
        size_t n, at_5_percent, at_1_percent;
    } table[] = {{7, 3, 0},    {8, 5, 1},    {9, 8, 3},     {10, 10, 5},   {11, 13, 7},  {12, 17, 9},
                 {13, 21, 12}, {14, 25, 15}, {15, 30, 19},  {16, 35, 23},  {17, 41, 27}, {18, 47, 32},
                 {19, 53, 37}, {20, 60, 43}, {25, 100, 76}, {30, 151, 120}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        double differences[LIMIT_PAIRS];
        size_t n = table[i].n;
        s_with_negatives (differences, n, table[i].at_5_percent);
        ck_assert (signed_rank_p (differences, n) <= 0.05);
        s_with_negatives (differences, n, table[i].at_5_percent + 1);
        ck_assert (signed_rank_p (differences, n) > 0.05);
        s_with_negatives (differences, n, table[i].at_1_percent);
        ck_assert (signed_rank_p (differences, n) <= 0.01);
        s_with_negatives (differences, n, table[i].at_1_percent + 1);
        ck_assert (signed_rank_p (differences, n) > 0.01);
    }
}
END_TEST

START_TEST (test_zero_differences_are_dropped_and_nothing_but_zeros_says_nothing)
{
    double differences[] = {0, 1, 2, 0, 3, 4, 5};
    ck_assert (signed_rank_p (differences, 7) == 1 / 32.0);
    double zeros[] = {0, 0, 0};
    ck_assert (signed_rank_p (zeros, 3) == 1);
    ck_assert (signed_rank_p (zeros, 0) == 1);
}
END_TEST

START_TEST (test_ties_share_their_ranks)
{
    double one_against_three[] = {2, 2, -2, 2}; /* ranks of 2½: none or any one of four are as small */
    ck_assert (signed_rank_p (one_against_three, 4) == 5 / 16.0);
    double pair[] = {-1, 1, 3}; /* ranks 1½, 1½, 3: {}, {1½}, {1½} */
    ck_assert (signed_rank_p (pair, 3) == 3 / 8.0);
}
END_TEST

START_TEST (test_the_largest_sample_has_the_smallest_probability)
{
    double differences[LIMIT_PAIRS];
    s_with_negatives (differences, LIMIT_PAIRS, 0);
    ck_assert (signed_rank_p (differences, LIMIT_PAIRS) == ldexp (1, -LIMIT_PAIRS));
    for (size_t i = 0; i < LIMIT_PAIRS; i++)
        differences[i] = -differences[i];
    ck_assert (signed_rank_p (differences, LIMIT_PAIRS) == 1);
}
END_TEST

/* Differences with many ties and some zeros. */
static void s_draw (random_t *random, double *differences, size_t count)
{
    uint64_t spread = 1 + random_below (random, 9);
    for (size_t i = 0; i < count; i++)
        differences[i] = (double)random_below (random, 2 * spread + 1) - (double)spread;
}

/* The definition, by trying every pattern of signs. */
static double s_brute (const double *differences, size_t count)
{
    double ranks[16], seen = 0;
    size_t n = 0, as_small = 0;
    for (size_t i = 0; i < count; i++) {
        if (differences[i] == 0)
            continue;
        double rank = 0.5;
        for (size_t j = 0; j < count; j++) {
            rank += differences[j] != 0 && fabs (differences[j]) < fabs (differences[i]) ? 1 : 0;
            rank += fabs (differences[j]) == fabs (differences[i]) ? 0.5 : 0;
        }
        seen += differences[i] < 0 ? rank : 0;
        ranks[n++] = rank;
    }
    for (size_t pattern = 0; pattern < (size_t)1 << n; pattern++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++)
            sum += pattern >> i & 1 ? ranks[i] : 0;
        as_small += sum <= seen;
    }
    return (double)as_small / (double)((size_t)1 << n);
}

START_TEST (test_the_count_agrees_with_trying_every_pattern_of_signs)
{
    random_t random;
    random_init_number (&random, 3);
    for (int i = 0; i < 2000; i++) {
        double differences[10];
        size_t count = random_below (&random, 11);
        s_draw (&random, differences, count);
        ck_assert (signed_rank_p (differences, count) == s_brute (differences, count));
    }
}
END_TEST

START_TEST (test_with_8_pairs_at_1_percent_only_the_smallest_may_be_against)
{
    double none[] = {1, 2, 3};
    ck_assert (signed_rank_reachable (none, 0, 8, 0.01));
    ck_assert (signed_rank_reachable (none, 3, 8, 0.01));
    double smallest[] = {2, -1, 3};
    ck_assert (signed_rank_reachable (smallest, 3, 8, 0.01));
    double larger[] = {1, -2, 3};
    ck_assert (!signed_rank_reachable (larger, 3, 8, 0.01));
    double zeros[] = {0, 0, 1, 2}; /* six that count: 1 in 64 at best */
    ck_assert (!signed_rank_reachable (zeros, 4, 8, 0.01));
    double one_zero[] = {0, 1, 2}; /* seven: 1 in 128 */
    ck_assert (signed_rank_reachable (one_zero, 3, 8, 0.01));
}
END_TEST

/* Whatever pairs come, ties and zeros among them: what was called out of reach stays out of reach. */
START_TEST (test_nothing_out_of_reach_is_ever_reached)
{
    random_t random;
    random_init_number (&random, 4);
    int unreachable = 0, reached = 0;
    for (int i = 0; i < 20000; i++) {
        double differences[LIMIT_PAIRS];
        size_t planned = 3 + random_below (&random, 8), count = random_below (&random, planned + 1);
        s_draw (&random, differences, planned);
        for (size_t k = count; k < planned; k++)
            if (random_below (&random, 4) > 0)
                differences[k] = 0.5 * (double)random_below (&random, 24);
        double p = signed_rank_p (differences, planned);
        /* What came out was in reach, at whatever level just lets it through. */
        ck_assert (signed_rank_reachable (differences, count, planned, nextafter (p, 2)));
        unreachable += !signed_rank_reachable (differences, count, planned, 0.05);
        reached += p < 0.05;
    }
    ck_assert_int_gt (unreachable, 1000);
    ck_assert_int_gt (reached, 1000);
}
END_TEST

START_TEST (test_the_interval_is_that_of_a_published_example)
{
    /* M. Hollander, D. A. Wolfe, Nonparametric Statistical Methods, tables 3.1: scores of nine patients at two visits. */
    static const double first[] = {1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30};
    static const double second[] = {0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29};
    double differences[9], low, high;
    for (int i = 0; i < 9; i++)
        differences[i] = second[i] - first[i];
    ck_assert (signed_rank_interval (differences, 9, 0.95, &low, &high));
    ck_assert_double_eq_tol (low, -0.786, 1e-9);
    ck_assert_double_eq_tol (high, -0.010, 1e-9);
}
END_TEST

START_TEST (test_an_interval_at_95_percent_takes_six)
{
    double differences[] = {4, 1, 3, 6, 2, 5}, low, high;
    ck_assert (!signed_rank_interval (differences, 0, 0.95, &low, &high));
    ck_assert (!signed_rank_interval (differences, 5, 0.95, &low, &high));
    ck_assert (signed_rank_interval (differences, 6, 0.95, &low, &high));
    ck_assert (low == 1 && high == 6); /* all of them: either end is passed by 1 in 64 */
}
END_TEST

/* Uniform noise around a centre, eight times: the exact probability to hold it is 246 in 256, which is 0.961. */
START_TEST (test_intervals_hold_the_centre_as_often_as_they_say)
{
    random_t random;
    random_init_number (&random, 5);
    int held = 0;
    for (int i = 0; i < 10000; i++) {
        double differences[8], low, high, centre = 10 * random_unit (&random);
        for (int k = 0; k < 8; k++)
            differences[k] = centre + random_unit (&random) - 0.5;
        ck_assert (signed_rank_interval (differences, 8, 0.95, &low, &high));
        held += low <= centre && centre <= high;
    }
    ck_assert_msg (held > 9550 && held < 9670, "%d of 10000", held);
}
END_TEST

SUITE_MAIN ("evolution/signed_rank", test_small_samples_have_the_probabilities_of_the_exact_distribution,
            test_critical_values_are_those_of_the_published_tables,
            test_zero_differences_are_dropped_and_nothing_but_zeros_says_nothing, test_ties_share_their_ranks,
            test_the_largest_sample_has_the_smallest_probability,
            test_the_count_agrees_with_trying_every_pattern_of_signs,
            test_with_8_pairs_at_1_percent_only_the_smallest_may_be_against,
            test_nothing_out_of_reach_is_ever_reached, test_the_interval_is_that_of_a_published_example,
            test_an_interval_at_95_percent_takes_six, test_intervals_hold_the_centre_as_often_as_they_say)
