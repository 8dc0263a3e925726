/* SPDX-License-Identifier: MPL-2.0 */
/* The agent that `evomesh agent new` copies works as it is, and has room to get better. */
#define _GNU_SOURCE
#include "evolution/literal.h"
#include "tests/integration/binpack/agent_bench.h"

static bench_t s_template (void)
{
    static const char *const files[] = {"agent.yaml", "evaluate", "solution.c"};
    return bench_new ("template", files, 3);
}

START_TEST (the_template_works_as_it_is)
{
    bench_t bench = s_template ();
    measured_t measured = bench_measure (&bench);
    bench_expect_valid (&measured);
    ck_assert (measured.metrics.values[0] > 0.01 && measured.metrics.values[0] < 0.5);
    bench_destroy (&bench);
}
END_TEST

START_TEST (its_marked_numbers_have_room_for_tune)
{
    static const double better[] = {-0.16605, 0.00761};
    literals_t literals = {0};
    problem_t problem = {.text = ""};
    size_t size = 0;
    bench_t bench = s_template ();
    measured_t before = bench_measure (&bench);
    char *text = scratch_read (&bench.scratch, "agent/solution.c");
    ck_assert_msg (literals_scan (text, strlen (text), &literals, &problem) == 0, "%s", problem.text);
    ck_assert_uint_eq (literals.count, 2);
    char *tuned = literals_apply (text, strlen (text), &literals, better, &size);
    scratch_write (&bench.scratch, "agent/solution.c", tuned);
    measured_t after = bench_measure (&bench);
    bench_expect_valid (&before);
    bench_expect_valid (&after);
    ck_assert (after.metrics.values[0] < before.metrics.values[0] / 100);
    free (tuned);
    free (text);
    literals_clear (&literals);
    bench_destroy (&bench);
}
END_TEST

/* Solutions that must not score, and why. */
static const struct {
    const char *source;
    const char *reason;
} s_bad[] = {
    {"int main (void) { return", "the evaluator calls it invalid: solution.c does not compile"},
    {"int main (void) { return 0; }",
     "the evaluator calls it invalid: expected one number for each question"},
    {"int main (void) { return 3; }", "the evaluator calls it invalid: the solution ended with an error"},
    {"int main (void) { for (;;) ; }", "the evaluator calls it invalid: the solution ended with an error"},
    {"#include <stdio.h>\nint main (void) { for (int i = 0; i < 101; i++) puts (\"nan\"); return 0; }",
     "the evaluator calls it invalid: expected one number for each question"},
    {"#include <stdio.h>\nint main (void) { for (int i = 0; i < 102; i++) puts (\"0\"); return 0; }",
     "the evaluator calls it invalid: expected one number for each question"},
    {"#include <stdio.h>\nint main (void) { puts (\"{\\\"metrics\\\": {\\\"error\\\": 0}}\"); return 0; }",
     "the evaluator calls it invalid: expected one number for each question"},
};

START_TEST (a_bad_solution_is_invalid_with_its_reason)
{
    bench_t bench = s_template ();
    scratch_write (&bench.scratch, "agent/solution.c", s_bad[_i].source);
    measured_t measured = bench_measure (&bench);
    ck_assert (!measured.valid);
    ck_assert_str_eq (measured.problem.text, s_bad[_i].reason);
    bench_destroy (&bench);
}
END_TEST

int main (void)
{
    Suite *suite = suite_create ("template");
    TCase *tcase = tcase_create ("template");
    tcase_add_test (tcase, the_template_works_as_it_is);
    tcase_add_test (tcase, its_marked_numbers_have_room_for_tune);
    tcase_add_loop_test (tcase, a_bad_solution_is_invalid_with_its_reason, 0,
                         (int)(sizeof s_bad / sizeof *s_bad));
    suite_add_tcase (suite, tcase);
    SRunner *runner = srunner_create (suite);
    srunner_run_all (runner, CK_ENV);
    int failed = srunner_ntests_failed (runner);
    srunner_free (runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
