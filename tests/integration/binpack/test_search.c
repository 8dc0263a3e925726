/* SPDX-License-Identifier: MPL-2.0 */
/* The proposer that searches, in the real sandbox, as a node would run it. */
#define _GNU_SOURCE
#include <jansson.h>

#include "evolution/literal.h"
#include "tests/integration/binpack/agent_bench.h"

#define GENERATIONS "40" /* a quarter of what nodes are advised to give it */

/* Runs the proposer over the agent's directory. */
static outcome_t s_propose (bench_t *bench, const char *input)
{
    scratch_path_t agent = scratch_path (&bench->scratch, "agent");
    ck_assert_int_eq (chmod (agent.text, 0777), 0);
    ck_assert_int_eq (chmod (scratch_path (&bench->scratch, "agent/priority.c").text, 0666), 0);
    sandbox_job_t job = {.command = COMMAND ("./search", GENERATIONS),
                         .directory = "/agent",
                         .mounts = {{agent.text, "/agent", true}},
                         .mount_count = 1,
                         .input = input,
                         .input_size = strlen (input),
                         .timeout_ms = 30000,
                         .memory_bytes = bench->agent.memory_bytes,
                         .processes_max = bench->agent.processes_max,
                         .output_bytes = LIMIT_OUTPUT_BYTES};
    return harness_run_job (&bench->harness, &job);
}

static void s_expect_proposal (bench_t *bench, const char *input)
{
    outcome_t outcome = s_propose (bench, input);
    harness_expect_end (&outcome, SANDBOX_EXITED);
    ck_assert_msg (outcome.result.exit_code == 0, "exit code %d: %s", outcome.result.exit_code,
                   outcome.error);
    json_t *said = json_loads (outcome.output, 0, NULL);
    ck_assert_msg (said != NULL, "it said: %s", outcome.output);
    ck_assert_str_eq (json_string_value (json_object_get (said, "improvement_type")), "parameter_tuning");
    json_decref (said);
}

static char *s_priority (const bench_t *bench)
{
    char *text = scratch_read (&bench->scratch, "agent/priority.c");
    ck_assert_ptr_nonnull (text);
    return text;
}

static double s_excess (bench_t *bench)
{
    measured_t measured = bench_measure (bench);
    bench_expect_valid (&measured);
    return measured.metrics.values[0];
}

START_TEST (what_it_proposes_packs_better_on_seeds_that_it_has_not_seen)
{
    static const char *const seeds[] = {"a1", "b2", "c3"};
    double before[3], after[3];
    bench_t bench = bench_binpack ();
    for (size_t i = 0; i < 3; i++) {
        scratch_write (&bench.scratch, "private/seed", seeds[i]);
        before[i] = s_excess (&bench);
    }
    s_expect_proposal (&bench, "{\"seed\": 1, \"learning_rate\": 0.1}");
    for (size_t i = 0; i < 3; i++) {
        scratch_write (&bench.scratch, "private/seed", seeds[i]);
        after[i] = s_excess (&bench);
        ck_assert_msg (after[i] < 0.8 * before[i], "%g, then %g", before[i], after[i]);
    }
    bench_destroy (&bench);
}
END_TEST

START_TEST (it_changes_marked_numbers_within_their_ranges_and_nothing_else)
{
    literals_t before = {0}, after = {0};
    double values[64];
    size_t size = 0;
    bench_t bench = bench_binpack ();
    char *start = s_priority (&bench);
    s_expect_proposal (&bench, "{\"seed\": 2, \"learning_rate\": 0.5}");
    char *found = s_priority (&bench);
    ck_assert_int_eq (literals_scan (start, strlen (start), &before, NULL), 0);
    ck_assert_int_eq (literals_scan (found, strlen (found), &after, NULL), 0);
    ck_assert_uint_eq (after.count, before.count);
    for (size_t i = 0; i < after.count; i++) {
        ck_assert (after.items[i].value >= before.items[i].minimum &&
                   after.items[i].value <= before.items[i].maximum);
        values[i] = 0;
    }
    /* With the numbers set back nothing is left of the change but their spelling. */
    char *back = literals_apply (found, strlen (found), &after, values, &size);
    char *same = literals_apply (start, strlen (start), &before, values, &size);
    for (char *zero; (zero = strstr (back, "0.0000")) != NULL;)
        memmove (zero + 3, zero + 6, strlen (zero + 6) + 1);
    ck_assert_str_eq (back, same);
    free (same);
    free (back);
    free (found);
    free (start);
    literals_clear (&after);
    literals_clear (&before);
    bench_destroy (&bench);
}
END_TEST

START_TEST (the_same_input_gives_the_same_proposal_and_another_seed_another)
{
    static const char *const inputs[] = {"{\"seed\": 3, \"learning_rate\": 0.1}",
                                         "{\"seed\": 3, \"learning_rate\": 0.1}",
                                         "{\"seed\": 4, \"learning_rate\": 0.1}"};
    char *found[3];
    for (size_t i = 0; i < 3; i++) {
        bench_t bench = bench_binpack ();
        s_expect_proposal (&bench, inputs[i]);
        found[i] = s_priority (&bench);
        bench_destroy (&bench);
    }
    ck_assert_str_eq (found[0], found[1]);
    ck_assert_str_ne (found[0], found[2]);
    for (size_t i = 0; i < 3; i++)
        free (found[i]);
}
END_TEST

START_TEST (it_packs_exactly_as_the_evaluator_does)
{
    char command[4096], line[64];
    bench_t bench = bench_binpack ();
    s_expect_proposal (&bench, "{\"seed\": 5, \"learning_rate\": 0.1}");
    measured_t measured = bench_measure (&bench);
    bench_expect_valid (&measured);
    json_t *told = json_loads (measured.artifacts, 0, NULL);
    const json_t *bins = json_object_get (told, "bins");
    ck_assert_uint_eq (json_array_size (bins), 100);
    snprintf (
        command, sizeof command,
        "cd '%s' && cc -o evaluator agent/evaluator.c && cc -O2 -o search agent/search.c -ljansson -lm && "
        "./evaluator private/seed --print | ./search agent/priority.c --bins",
        bench.scratch.path);
    FILE *pipe = popen (command, "r");
    ck_assert_ptr_nonnull (pipe);
    for (size_t i = 0; i < json_array_size (bins); i++) {
        ck_assert_ptr_nonnull (fgets (line, sizeof line, pipe));
        ck_assert_int_eq (atoi (line), json_integer_value (json_array_get (bins, i)));
    }
    ck_assert_int_eq (pclose (pipe), 0);
    json_decref (told);
    bench_destroy (&bench);
}
END_TEST

/* The file of the start with `from` replaced by `to`, which must be there. */
static void s_edit (const bench_t *bench, const char *from, const char *to)
{
    char *text = s_priority (bench), edited[8192];
    char *at = strstr (text, from);
    ck_assert_msg (at != NULL, "%s isn't in priority.c", from);
    int size = snprintf (edited, sizeof edited, "%.*s%s%s", (int)(at - text), text, to, at + strlen (from));
    ck_assert (size > 0 && size < (int)sizeof edited);
    scratch_write (&bench->scratch, "agent/priority.c", edited);
    free (text);
}

static const struct {
    const char *from;
    const char *to;
    const char *input;
    const char *error;
} s_unfit[] = {
    {"s_tilt = 0.0; // evolve: -2..2", "s_tilt = 0.0;", "{\"seed\": 1, \"learning_rate\": 0.1}",
     "expected 32 marked numbers"},
    {"0.0, // evolve: -1..1\n};", "0.0, // evolve: -1..1\n    // more\n    7, // evolve: 0..9\n};",
     "{\"seed\": 1, \"learning_rate\": 0.1}", "expected 32 marked numbers"},
    {"0.0, // evolve: -1..1\n};", "0.0, // evolve: 1..1\n};", "{\"seed\": 1, \"learning_rate\": 0.1}",
     "expected 32 marked numbers"},
    {"return bonus", "return nothing", "{\"seed\": 1, \"learning_rate\": 0.1}", "error: "},
    {"Online", "Online", "{\"seed\": \"one\", \"learning_rate\": 0.1}", "expected JSON with a seed"},
    {"Online", "Online", "", "expected JSON with a seed"},
};

START_TEST (a_parent_or_an_input_that_it_cannot_read_is_refused_and_left_alone)
{
    bench_t bench = bench_binpack ();
    s_edit (&bench, s_unfit[_i].from, s_unfit[_i].to);
    char *before = s_priority (&bench);
    outcome_t outcome = s_propose (&bench, s_unfit[_i].input);
    char *after = s_priority (&bench);
    harness_expect_end (&outcome, SANDBOX_EXITED);
    ck_assert_int_ne (outcome.result.exit_code, 0);
    ck_assert_msg (strstr (outcome.error, s_unfit[_i].error) != NULL, "%s", outcome.error);
    ck_assert_str_eq (after, before);
    free (after);
    free (before);
    bench_destroy (&bench);
}
END_TEST

int main (void)
{
    Suite *suite = suite_create ("search");
    TCase *tcase = tcase_create ("search");
    tcase_set_timeout (tcase, 60); /* several compilations on a machine that may be busy */
    tcase_add_test (tcase, what_it_proposes_packs_better_on_seeds_that_it_has_not_seen);
    tcase_add_test (tcase, it_changes_marked_numbers_within_their_ranges_and_nothing_else);
    tcase_add_test (tcase, the_same_input_gives_the_same_proposal_and_another_seed_another);
    tcase_add_test (tcase, it_packs_exactly_as_the_evaluator_does);
    tcase_add_loop_test (tcase, a_parent_or_an_input_that_it_cannot_read_is_refused_and_left_alone, 0,
                         (int)(sizeof s_unfit / sizeof *s_unfit));
    suite_add_tcase (suite, tcase);
    SRunner *runner = srunner_create (suite);
    srunner_run_all (runner, CK_ENV);
    int failed = srunner_ntests_failed (runner);
    srunner_free (runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
