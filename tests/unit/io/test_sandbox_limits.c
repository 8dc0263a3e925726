/* SPDX-License-Identifier: MPL-2.0 */
/* Every limit ends its run with its name, and 100 ms after it was reached nothing of the run is left. */
#define _GNU_SOURCE
#include "sandbox_harness.h"

#define GONE_WITHIN_US 100000
#define ATTEMPTS       100 /* the machine may be busy with something else in many of them, not in all */

/* Runs `job` until one time everything was gone in time after the limit. The limit is reached `timeout_ms` after
 * the start, or, for other limits, just behind the moment that the program prints. */
static void s_expect_gone_in_time (const sandbox_job_t *job, sandbox_end_t end, const char *token)
{
    int64_t best_us = INT64_MAX;
    harness_t self = harness_new (false);
    for (int i = 0; i < ATTEMPTS && best_us > GONE_WITHIN_US; i++) {
        int64_t limit_us = zclock_usecs () + (int64_t)job->timeout_ms * 1000;
        outcome_t outcome = harness_run_job (&self, job);
        harness_expect_end (&outcome, end);
        ck_assert_uint_eq (harness_count (token), 0);
        if (end != SANDBOX_TIMEOUT) {
            limit_us = atoll (outcome.output);
            ck_assert_int_gt (limit_us, 0);
        }
        if (outcome.done_us - limit_us < best_us)
            best_us = outcome.done_us - limit_us;
    }
    printf ("%s: gone %.1f ms after the limit\n", token, (double)best_us / 1000);
    ck_assert_int_le (best_us, GONE_WITHIN_US);
    harness_destroy (&self);
}

START_TEST (a_stubborn_sleeper_is_gone_in_time)
{
    sandbox_job_t job = harness_job (COMMAND ("./trouble", "stubborn", "token-stubborn"));
    job.timeout_ms = 300;
    s_expect_gone_in_time (&job, SANDBOX_TIMEOUT, "token-stubborn");
}
END_TEST

START_TEST (a_memory_hog_is_gone_in_time)
{
    sandbox_job_t job = harness_job (COMMAND ("./trouble", "eat", "62+8", "token-hog"));
    job.memory_bytes = 64 * MIB;
    s_expect_gone_in_time (&job, SANDBOX_MEMORY, "token-hog");
}
END_TEST

START_TEST (a_crowd_is_gone_in_time)
{
    sandbox_job_t job = harness_job (COMMAND ("./trouble", "crowd", "15+5", "token-crowd"));
    job.processes_max = 16;
    s_expect_gone_in_time (&job, SANDBOX_PROCESSES, "token-crowd");
}
END_TEST

START_TEST (a_fork_bomb_ends_as_too_many_processes)
{
    harness_t self = harness_new (false);
    sandbox_job_t job = harness_job (COMMAND ("./trouble", "fork-bomb", "token-bomb"));
    outcome_t outcome = harness_run_job (&self, &job);
    harness_expect_end (&outcome, SANDBOX_PROCESSES);
    ck_assert_uint_eq (harness_count ("token-bomb"), 0);
    harness_destroy (&self);
}
END_TEST

START_TEST (as_many_processes_as_allowed_are_left_alone)
{
    harness_t self = harness_new (false);
    sandbox_job_t job = harness_job (COMMAND ("./trouble", "crowd", "15"));
    job.processes_max = 16;
    job.timeout_ms = 300;
    outcome_t outcome = harness_run_job (&self, &job);
    harness_expect_end (&outcome, SANDBOX_TIMEOUT);
    harness_destroy (&self);
}
END_TEST

START_TEST (memory_below_the_limit_is_left_alone_and_its_peak_known)
{
    harness_t self = harness_new (false);
    sandbox_job_t job = harness_job (COMMAND ("./trouble", "eat", "50"));
    job.memory_bytes = 64 * MIB;
    job.timeout_ms = 3000; /* by when it has long taken all */
    outcome_t outcome = harness_run_job (&self, &job);
    harness_expect_end (&outcome, SANDBOX_TIMEOUT);
    ck_assert_uint_ge (outcome.result.memory_peak_bytes, 50 * MIB);
    ck_assert_uint_lt (outcome.result.memory_peak_bytes, 60 * MIB);
    harness_destroy (&self);
}
END_TEST

START_TEST (pages_that_processes_share_count_once)
{
    harness_t self = harness_new (false);
    sandbox_job_t job = harness_job (COMMAND ("./trouble", "share", "30"));
    job.memory_bytes = 64 * MIB; /* nine processes with 30 MiB each, all the same */
    outcome_t outcome = harness_run_job (&self, &job);
    harness_expect (&outcome, "");
    harness_destroy (&self);
}
END_TEST

START_TEST (a_short_peak_between_samples_is_known)
{
    outcome_t outcome = harness_run (SHELL ("head -c 40000000 /dev/zero | tail -c 40000000 >/dev/null"));
    harness_expect (&outcome, "");
    ck_assert_uint_ge (outcome.result.memory_peak_bytes, 40000000);
}
END_TEST

START_TEST (a_gigabyte_of_output_ends_the_run_and_costs_no_memory)
{
    harness_t self = harness_new (false);
    for (int fd = 1; fd <= 2; fd++) {
        sandbox_job_t job = harness_job (COMMAND ("./trouble", "flood", fd == 1 ? "1" : "2", "token-flood"));
        outcome_t outcome = harness_run_job (&self, &job);
        harness_expect_end (&outcome, SANDBOX_OUTPUT);
        ck_assert_uint_le (outcome.result.output_size, job.output_bytes);
        ck_assert_uint_eq (harness_count ("token-flood"), 0);
    }
    harness_destroy (&self);
}
END_TEST

START_TEST (tmp_and_shared_memory_hold_what_they_may_and_no_more)
{
    harness_t self = harness_new (false);
    sandbox_job_t job = harness_job (COMMAND ("./trouble", "fill", "/tmp"));
    job.disk_bytes = 8 * MIB;
    outcome_t outcome = harness_run_job (&self, &job);
    harness_expect (&outcome, "8\n");
    job.command = COMMAND ("./trouble", "fill", "/dev/shm");
    outcome = harness_run_job (&self, &job);
    harness_expect (&outcome, "8\n");
    harness_destroy (&self);
}
END_TEST

START_TEST (files_in_tmp_count_as_memory)
{
    harness_t self = harness_new (false);
    sandbox_job_t job = harness_job (SHELL ("./trouble fill /tmp; sleep 60"));
    job.memory_bytes = 32 * MIB;
    outcome_t outcome = harness_run_job (&self, &job);
    harness_expect_end (&outcome, SANDBOX_MEMORY);
    harness_destroy (&self);
}
END_TEST

START_TEST (empty_files_without_end_count_as_memory)
{
    harness_t self = harness_new (false);
    sandbox_job_t job = harness_job (COMMAND ("./trouble", "litter", "/tmp"));
    job.memory_bytes = 32 * MIB;
    outcome_t outcome = harness_run_job (&self, &job);
    harness_expect_end (&outcome, SANDBOX_MEMORY);
    harness_destroy (&self);
}
END_TEST

START_TEST (limits_hold_for_many_runs_at_once)
{
    harness_t self = harness_new (false);
    outcome_t outcomes[4] = {{.done = false}};
    const char *const *commands[4] = {
        COMMAND ("./trouble", "stubborn", "token-many"), COMMAND ("./trouble", "eat", "100", "token-many"),
        COMMAND ("./trouble", "fork-bomb", "token-many"), COMMAND ("./trouble", "flood", "1", "token-many")};
    const sandbox_end_t ends[4] = {SANDBOX_TIMEOUT, SANDBOX_MEMORY, SANDBOX_PROCESSES, SANDBOX_OUTPUT};
    for (size_t i = 0; i < 4; i++) {
        sandbox_job_t job = harness_job (commands[i]);
        if (i == 0)
            job.timeout_ms = 700;
        job.memory_bytes = 64 * MIB;
        harness_start (&self, &job, &outcomes[i]);
    }
    harness_wait (&self, outcomes, 4);
    for (size_t i = 0; i < 4; i++)
        harness_expect_end (&outcomes[i], ends[i]);
    ck_assert_uint_eq (harness_count ("token-many"), 0);
    harness_destroy (&self);
}
END_TEST

SUITE_MAIN ("sandbox_limits", a_stubborn_sleeper_is_gone_in_time, a_memory_hog_is_gone_in_time,
            a_crowd_is_gone_in_time, a_fork_bomb_ends_as_too_many_processes,
            as_many_processes_as_allowed_are_left_alone,
            memory_below_the_limit_is_left_alone_and_its_peak_known, pages_that_processes_share_count_once,
            a_short_peak_between_samples_is_known, a_gigabyte_of_output_ends_the_run_and_costs_no_memory,
            tmp_and_shared_memory_hold_what_they_may_and_no_more, files_in_tmp_count_as_memory,
            empty_files_without_end_count_as_memory, limits_hold_for_many_runs_at_once)
