/* SPDX-License-Identifier: MPL-2.0 */
/* Runs a proposer over a copy of an agent, as a node would: in a sandbox, the copy writable, JSON on its
 * stdin. */
#ifndef EVOMESH_TESTS_INTEGRATION_AGENTS_PROPOSER_BENCH_H
#define EVOMESH_TESTS_INTEGRATION_AGENTS_PROPOSER_BENCH_H

#include "tests/integration/binpack/agent_bench.h"

/* Fails unless the proposer exits with 0. `evolve` is the JSON list of what may change. What it proposes
 * then stands in the copy; returned is what it said. */
static inline outcome_t bench_propose (bench_t *self, const char *const *command, const char *evolve,
                                       unsigned seed)
{
    char input[512];
    scratch_path_t agent = scratch_path (&self->scratch, "agent");
    snprintf (
        input, sizeof input,
        "{\"parent\": {}, \"inspirations\": [], \"failures\": [], \"learning_rate\": 0.1, \"seed\": %u, "
        "\"evolve\": %s, \"objectives\": []}",
        seed, evolve);
    sandbox_job_t job = {.command = command,
                         .directory = "/agent",
                         .mounts = {{agent.text, "/agent", true}},
                         .mount_count = 1,
                         .input = input,
                         .input_size = strlen (input),
                         .timeout_ms = 29000,
                         .memory_bytes = self->agent.memory_bytes,
                         .processes_max = self->agent.processes_max,
                         .output_bytes = LIMIT_OUTPUT_BYTES};
    outcome_t outcome = harness_run_job (&self->harness, &job);
    harness_expect_end (&outcome, SANDBOX_EXITED);
    ck_assert_msg (outcome.result.exit_code == 0, "exit code %d: %s", outcome.result.exit_code,
                   outcome.error);
    return outcome;
}

/* Puts `to` in the place of `from`, which must stand in the file. */
static inline void bench_edit (const bench_t *self, const char *name, const char *from, const char *to)
{
    char *text = scratch_read (&self->scratch, name), edited[8192];
    ck_assert_ptr_nonnull (text);
    char *at = strstr (text, from);
    ck_assert_msg (at != NULL, "%s isn't in %s", from, name);
    int size = snprintf (edited, sizeof edited, "%.*s%s%s", (int)(at - text), text, to, at + strlen (from));
    ck_assert (size > 0 && size < (int)sizeof edited);
    scratch_write (&self->scratch, name, edited);
    free (text);
}

/* A suite of `tests`, and of one test that is run for each of `count` cases. */
static inline int bench_suite (const char *name, const TTest *const *tests, size_t test_count,
                               const TTest *each, size_t count)
{
    Suite *suite = suite_create (name);
    TCase *tcase = tcase_create (name);
    for (size_t i = 0; i < test_count; i++)
        tcase_add_test (tcase, tests[i]);
    tcase_add_loop_test (tcase, each, 0, (int)count);
    suite_add_tcase (suite, tcase);
    SRunner *runner = srunner_create (suite);
    srunner_run_all (runner, CK_ENV);
    int failed = srunner_ntests_failed (runner);
    srunner_free (runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
