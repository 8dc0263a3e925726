/* SPDX-License-Identifier: MPL-2.0 */
/* What circle-packing promises: its check tolerates nothing, and its proposer makes better packings that
 * pass it. */
#define _GNU_SOURCE
#include "tests/integration/agents/proposer_bench.h"

#define PACKING "agent/packing.txt"
#define EVOLVE  "[\"packing.txt\"]"
#define START   2.08
#define ROW     "0.24 0.08 0.08\n0.40 0.08 0.08\n" /* the start's second and third circle; they touch */
#define INNER   "0.40 0.24 0.08\n"                 /* its ninth, in touch with four others */
#define LAST    "0.24 0.72 0.08\n"                 /* its last one; nothing is on its right */

static bench_t s_bench (void)
{
    static const char *const files[] = {"agent.yaml", "evaluate",  "evaluator.c", "packing.h", "packing.txt",
                                        "propose",    "propose.c", "optimise.c",  "optimise.h"};
    return bench_new ("circle-packing", files, sizeof files / sizeof *files);
}

static double s_sum (bench_t *bench)
{
    measured_t measured = bench_measure (bench);
    bench_expect_valid (&measured);
    return measured.metrics.values[0];
}

static outcome_t s_propose (bench_t *bench, const char *count, unsigned seed)
{
    return bench_propose (bench, COMMAND ("./propose", count), EVOLVE, seed);
}

START_TEST (the_start_is_a_packing_whose_circles_touch)
{
    bench_t bench = s_bench ();
    ck_assert_double_eq (s_sum (&bench), START);
    bench_destroy (&bench);
}
END_TEST

START_TEST (the_sum_is_exact_to_the_last_digit)
{
    bench_t bench = s_bench ();
    bench_edit (&bench, PACKING, LAST, "0.240000000000001 0.72 0.079999999999999\n");
    ck_assert_double_eq (s_sum (&bench), 2.079999999999999);
    bench_destroy (&bench);
}
END_TEST

/* Packings that must not score, and why. */
static const struct {
    const char *from;
    const char *to;
    const char *reason;
} s_bad[] = {
    {ROW, "0.24 0.08 0.08\n0.399999999999999 0.08 0.08\n", "circles 2 and 3 overlap"},
    {ROW, "0.240000000000001 0.08 0.08\n0.40 0.08 0.08\n", "circles 2 and 3 overlap"},
    {INNER, "0.40 0.24 0.080000000000001\n", "circles 3 and 9 overlap"},
    {ROW, "0.24 0.08 0.08\n0.24 0.08 0.000000000000001\n", "circles 2 and 3 overlap"},
    {"0.08 0.08 0.08", "0.079999999999999 0.08 0.08", "circle 1 sticks out of the square"},
    {"0.08 0.08 0.08", "0.08 0.08 0.080000000000001", "circle 1 sticks out of the square"},
    {LAST, "0.24 0.920000000000001 0.08\n", "circle 26 sticks out of the square"},
    {LAST, "0.920000000000001 0.72 0.08\n", "circle 26 sticks out of the square"},
    {LAST, "0.24 0.72 0.0\n", "circle 26 has no radius"},
    {LAST, "0.24 0.72 -0.08\n", "line 28: expected three numbers"},
    {LAST, "0.24 0.72 nan\n", "line 28: expected three numbers"},
    {LAST, "0.24 0.72 0.8e-1\n", "line 28: expected three numbers"},
    {LAST, "0.24 0.72 1.0\n", "line 28: expected three numbers"},
    {LAST, "0.24 0.72 0.0800000000000000\n", "line 28: expected three numbers"}, /* a digit too many */
    {LAST, "0.24 0.72\n", "line 28: expected three numbers"},
    {LAST, "0.24 0.72 0.08 0.08\n", "line 28: expected three numbers"},
    {LAST, "0.24 0.72 0.", "line 28: too long, or without its end"},
    {LAST, "{\"metrics\": {\"sum_of_radii\": 26}}\n", "line 28: expected three numbers"},
    {LAST, "", "line 28: the end, and circles are missing"},
    {LAST, LAST "0.5 0.95 0.01\n", "line 29: one circle too many"},
};

START_TEST (what_is_no_packing_by_one_unit_is_invalid_with_its_reason)
{
    bench_t bench = s_bench ();
    bench_edit (&bench, PACKING, s_bad[_i].from, s_bad[_i].to);
    measured_t measured = bench_measure (&bench);
    ck_assert_msg (!measured.valid, "%s scored %.15g", s_bad[_i].to, measured.metrics.values[0]);
    ck_assert_msg (strstr (measured.problem.text, s_bad[_i].reason) != NULL, "%s: %s", s_bad[_i].to,
                   measured.problem.text);
    bench_destroy (&bench);
}
END_TEST

START_TEST (the_proposer_makes_a_better_packing_from_any_seed)
{
    for (unsigned seed = 1; seed <= 3; seed++) {
        bench_t bench = s_bench ();
        s_propose (&bench, "12", seed);
        double sum = s_sum (&bench);
        ck_assert_msg (sum > 2.5 && sum < 2.64, "seed %u: %.15g", seed, sum);
        bench_destroy (&bench);
    }
}
END_TEST

START_TEST (one_seed_gives_one_proposal)
{
    char *texts[3];
    for (unsigned i = 0; i < 3; i++) {
        bench_t bench = s_bench ();
        s_propose (&bench, "4", i < 2 ? 7 : 8);
        texts[i] = scratch_read (&bench.scratch, PACKING);
        bench_destroy (&bench);
    }
    ck_assert_str_eq (texts[0], texts[1]);
    ck_assert_str_ne (texts[1], texts[2]);
    for (unsigned i = 0; i < 3; i++)
        free (texts[i]);
}
END_TEST

START_TEST (a_parent_that_is_not_beaten_stays_as_it_is)
{
    bench_t bench = s_bench ();
    s_propose (&bench, "40", 1);
    char *parent = scratch_read (&bench.scratch, PACKING);
    outcome_t outcome = s_propose (&bench, "1", 2);
    char *child = scratch_read (&bench.scratch, PACKING);
    ck_assert_str_eq (child, parent);
    ck_assert_str_eq (outcome.output, "{\"exhausted\": \"none of 1 packings is better than the parent\"}\n");
    free (child);
    free (parent);
    bench_destroy (&bench);
}
END_TEST

int main (void)
{
    const TTest *tests[] = {the_start_is_a_packing_whose_circles_touch, the_sum_is_exact_to_the_last_digit,
                            the_proposer_makes_a_better_packing_from_any_seed, one_seed_gives_one_proposal,
                            a_parent_that_is_not_beaten_stays_as_it_is};
    return bench_suite ("circle_packing", tests, sizeof tests / sizeof *tests,
                        what_is_no_packing_by_one_unit_is_invalid_with_its_reason,
                        sizeof s_bad / sizeof *s_bad);
}
