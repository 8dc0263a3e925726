/* SPDX-License-Identifier: MPL-2.0 */
/* What candidate code can't do to the evaluator that runs it, though both are in one sandbox as one user. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/wait.h>

#include "sandbox_harness.h"

#define WHOLE "the secret is whole\n"

/* Runs the evaluator with these words in a sandbox that has private data in it. */
static outcome_t s_evaluate (const char *const *command)
{
    scratch_t scratch = scratch_new ();
    scratch_write (&scratch, "private/seed", "private");
    scratch_path_t private = scratch_path (&scratch, "private");
    harness_t self = harness_new (false);
    sandbox_job_t job = harness_job (command);
    job.mounts[job.mount_count++] = (sandbox_mount_t){private.text, "/private", false};
    outcome_t outcome = harness_run_job (&self, &job);
    harness_destroy (&self);
    scratch_remove (&scratch);
    return outcome;
}

#define EVALUATE(...) s_evaluate (COMMAND ("./evaluator", __VA_ARGS__))

START_TEST (a_candidate_runs_and_its_output_and_end_come_back)
{
    outcome_t outcome = EVALUATE ("--", "./candidate", "environment");
    harness_expect (&outcome,
                    "exit 0; 0 signals; " WHOLE "PATH=/usr/bin\nHOME=/tmp\nTMPDIR=/tmp\nLANG=C.UTF-8\n");
    outcome = EVALUATE ("--", "./candidate", "scribble");
    harness_expect (&outcome, "signal 11; 0 signals; " WHOLE);
    outcome = EVALUATE ("--", "./candidate", "leave");
    harness_expect (&outcome, "exit 0; 0 signals; " WHOLE);
    outcome = EVALUATE ("--", "python3", "-c", "print (6 * 7)");
    harness_expect (&outcome, "exit 0; 0 signals; " WHOLE "42\n");
}
END_TEST

START_TEST (private_data_and_the_evaluators_files_cannot_be_read)
{
    outcome_t outcome =
        EVALUATE ("--", "./candidate", "read", "/private/seed", "/agent/evaluator", "evaluator",
                  "/proc/self/status", "/agent/../private/seed", "/evomesh/jail");
    harness_expect (&outcome,
                    "exit 0; 0 signals; " WHOLE
                    "/private/seed=EACCES\n/agent/evaluator=EACCES\nevaluator=EACCES\n"
                    "/proc/self/status=EACCES\n/agent/../private/seed=EACCES\n/evomesh/jail=EACCES\n");
    outcome = EVALUATE ("--", "./candidate", "list", "/private", "/agent", "/tmp", "/proc", "/", "/usr/bin");
    harness_expect (&outcome,
                    "exit 0; 0 signals; " WHOLE
                    "/private=EACCES\n/agent=EACCES\n/tmp=EACCES\n/proc=EACCES\n/=EACCES\n/usr/bin=done\n");
}
END_TEST

START_TEST (what_is_named_can_be_read)
{
    outcome_t outcome = EVALUATE ("--read", "/private", "--", "./candidate", "read", "/private/seed");
    harness_expect (&outcome, "exit 0; 0 signals; " WHOLE "/private/seed=private\n");
}
END_TEST

START_TEST (nothing_can_be_written)
{
    outcome_t outcome =
        EVALUATE ("--", "./candidate", "write", "/tmp/new", "/dev/shm/new", "/dev/zero", "/dev/null");
    harness_expect (&outcome, "exit 0; 0 signals; " WHOLE
                              "/tmp/new=EACCES\n/dev/shm/new=EACCES\n/dev/zero=EACCES\n/dev/null=done\n");
}
END_TEST

START_TEST (beneath_a_directory_named_for_writing_files_can_be_made)
{
    outcome_t outcome =
        EVALUATE ("--write", "/tmp", "--", "./candidate", "write", "/tmp/new", "/dev/shm/new", "/agent/new");
    harness_expect (&outcome,
                    "exit 0; 0 signals; " WHOLE "/tmp/new=done\n/dev/shm/new=EACCES\n/agent/new=EROFS\n");
    outcome = EVALUATE ("--write", "/dev/full", "--", "./candidate", "write", "/dev/full");
    harness_expect (&outcome, "exit 0; 0 signals; " WHOLE "/dev/full=done\n");
}
END_TEST

START_TEST (a_hidden_path_within_reach_is_refused)
{
    outcome_t outcome =
        EVALUATE ("--read", "/private", "--hide", "/private/seed", "--", "./candidate", "leave");
    harness_expect (&outcome, "exit 126; 0 signals; " WHOLE);
    ck_assert_ptr_nonnull (strstr (outcome.error, "/private/seed should be hidden"));
    outcome = EVALUATE ("--hide", "/private/seed", "--hide", "/private", "--hide", "/none", "--",
                        "./candidate", "leave");
    harness_expect (&outcome, "exit 0; 0 signals; " WHOLE);
}
END_TEST

static const char s_memory_is_closed[] =
    "process_vm_readv=EPERM\nprocess_vm_writev=EPERM\nptrace=EPERM\n"
    "mem=EACCES\nmaps=EACCES\nenviron=EACCES\nfd/8=EACCES\nfd/1=EACCES\n"
    "cwd/evaluator=EACCES\nroot/private/seed=EACCES\npidfd_getfd=EPERM\n";

START_TEST (the_evaluators_memory_is_out_of_reach)
{
    char expected[1000];
    snprintf (expected, sizeof expected, "exit 0; 0 signals; " WHOLE "%s", s_memory_is_closed);
    outcome_t outcome = EVALUATE ("--", "./candidate", "memory", "@pid", "@secret");
    harness_expect (&outcome, expected);
    /* Even with /proc to read, Landlock and the filter keep it closed. */
    outcome = EVALUATE ("--read", "/proc", "--", "./candidate", "memory", "@pid", "@secret");
    harness_expect (&outcome, expected);
}
END_TEST

/* Without the jail the same candidate takes all it wants; else these tests would prove nothing. */
START_TEST (without_the_jail_the_evaluator_is_within_reach)
{
    outcome_t outcome =
        s_evaluate (SHELL ("./candidate read /private/seed; sleep 5 & ./candidate signal $!"));
    ck_assert_ptr_nonnull (strstr (outcome.output, "/private/seed=private\nkill=done\n"));
    outcome = s_evaluate (SHELL ("cat /proc/$PPID/environ >/dev/null; head -c0 /proc/$$/mem && echo open; "
                                 "sh -c 'head -c0 /proc/$PPID/mem && echo open'"));
    ck_assert_ptr_nonnull (strstr (outcome.output, "open\nopen\n"));
}
END_TEST

START_TEST (the_evaluator_cannot_be_signalled)
{
    outcome_t outcome = EVALUATE ("--", "./candidate", "signal", "@pid");
    ck_assert_msg (strncmp (outcome.output, "exit 0; 0 signals; ", 19) == 0, "%s", outcome.output);
    ck_assert_ptr_null (strstr (outcome.output, "kill=done"));
    ck_assert_ptr_null (strstr (outcome.output, "sigqueue=done"));
    ck_assert_ptr_null (strstr (outcome.output, "signal=done"));
    ck_assert_ptr_nonnull (strstr (outcome.output, "own=done"));
}
END_TEST

START_TEST (the_evaluator_cannot_be_signalled_on_older_kernels_either)
{
    outcome_t outcome = EVALUATE ("--landlock-max", "2", "--", "./candidate", "signal", "@pid");
    harness_expect (&outcome,
                    "exit 0; 0 signals; " WHOLE
                    "kill=EPERM\ntgkill=EPERM\ntkill=EPERM\nsigqueue=EPERM\npidfd_send_signal=EPERM\n"
                    "write=done\nown=done\n");
    outcome = EVALUATE ("--landlock-max", "1", "--", "./candidate", "read", "/private/seed");
    harness_expect (&outcome, "exit 0; 0 signals; " WHOLE "/private/seed=EACCES\n");
}
END_TEST

START_TEST (the_evaluator_cannot_be_slowed_down_or_limited)
{
    outcome_t outcome = EVALUATE ("--", "./candidate", "meddle", "@pid");
    harness_expect (&outcome,
                    "exit 0; 0 signals; " WHOLE
                    "prlimit=EPERM\nsetpriority=EPERM\nscheduler=EPERM\naffinity=EPERM\nsocket=EPERM\n"
                    "inet=EPERM\nshmget=ENOSYS\n");
}
END_TEST

START_TEST (only_named_descriptors_are_inherited)
{
    outcome_t outcome = EVALUATE ("--", "./candidate", "descriptors");
    harness_expect (&outcome, "exit 0; 0 signals; " WHOLE "0 1 2 ");
    outcome = EVALUATE ("--fd", "7", "--", "./candidate", "descriptors");
    harness_expect (&outcome, "exit 0; 0 signals; " WHOLE "0 1 2 7 named");
    outcome = EVALUATE ("--fd", "9", "--", "./candidate", "descriptors");
    harness_expect (&outcome, "exit 126; 0 signals; " WHOLE);
}
END_TEST

START_TEST (a_perfect_score_from_a_constructor_reaches_only_the_evaluator)
{
    outcome_t outcome = EVALUATE ("--", "./boaster");
    harness_expect (&outcome, "exit 0; 0 signals; " WHOLE "{\"metrics\": {\"score\": 1e9}}\n");
}
END_TEST

START_TEST (a_careless_evaluator_that_shares_its_stdout_is_stopped)
{
    outcome_t outcome = EVALUATE ("--shared-output", "--", "./boaster");
    harness_expect (&outcome, "exit 126; 0 signals; " WHOLE);
    ck_assert_ptr_nonnull (
        strstr (outcome.error, "descriptor 1 is the one on which the evaluator's result goes out"));
}
END_TEST

START_TEST (it_starts_no_processes_unless_allowed_and_no_more_than_allowed)
{
    outcome_t outcome = EVALUATE ("--", "./candidate", "multiply");
    harness_expect (&outcome, "exit 0; 0 signals; " WHOLE "fork=EAGAIN\nthread=EAGAIN\n");
    outcome = EVALUATE ("--processes", "4", "--", "./candidate", "multiply");
    harness_expect (&outcome, "exit 0; 0 signals; " WHOLE "fork=done\nthread=done\n");
    outcome = EVALUATE ("--processes", "6", "--", "./candidate", "crowd", "40");
    harness_expect (&outcome, "signal 9; 0 signals; " WHOLE "5\n");
}
END_TEST

START_TEST (its_own_limits_end_or_refuse)
{
    outcome_t outcome = EVALUATE ("--cpu", "1", "--", "./candidate", "spin");
    ck_assert_msg (strncmp (outcome.output, "signal ", 7) == 0, "%s", outcome.output);
    outcome = EVALUATE ("--memory", "33554432", "--", "./candidate", "eat", "64");
    harness_expect (&outcome, "exit 0; 0 signals; " WHOLE "refused\n");
    outcome = EVALUATE ("--memory", "134217728", "--", "./candidate", "eat", "64");
    harness_expect (&outcome, "exit 0; 0 signals; " WHOLE "eaten\n");
}
END_TEST

START_TEST (without_landlock_nothing_is_run)
{
    outcome_t outcome = EVALUATE ("--landlock-max", "0", "--", "./candidate", "leave");
    harness_expect (&outcome, "exit 126; 0 signals; " WHOLE);
    ck_assert_ptr_nonnull (strstr (outcome.error, "no Landlock"));
}
END_TEST

START_TEST (a_wrong_call_is_refused_with_the_reason)
{
    const struct {
        const char *const *command;
        const char *reason;
    } cases[] = {
        {COMMAND ("./evaluator", "--cpu", "1x", "--", "true"), "--cpu: found \"1x\", expected a number"},
        {COMMAND ("./evaluator", "--read", "tmp", "--", "true"),
         "--read: found \"tmp\", expected an absolute path"},
        {COMMAND ("./evaluator", "--nonsense", "--", "true"), "unknown option --nonsense"},
        {COMMAND ("./evaluator", "true"), "unknown option true"},
        {COMMAND ("./evaluator", "--"), "no program given"},
        {COMMAND ("./evaluator", "--read", "/no/such/path", "--", "true"), "/no/such/path"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        outcome_t outcome = s_evaluate (cases[i].command);
        ck_assert_msg (strncmp (outcome.output, "exit 126;", 9) == 0, "case %zu: %s", i, outcome.output);
        ck_assert_msg (strstr (outcome.error, cases[i].reason) != NULL, "case %zu: %s", i, outcome.error);
    }
    outcome_t outcome = EVALUATE ("--", "./no-such-candidate");
    harness_expect (&outcome, "exit 127; 0 signals; " WHOLE);
}
END_TEST

/* Outside any sandbox: who starts a candidate and dies leaves nothing behind. */
START_TEST (it_dies_with_its_starter)
{
    int ends[2];
    char byte;
    ck_assert_int_eq (pipe (ends), 0);
    pid_t starter = fork ();
    if (starter == 0) {
        if (fork () == 0) {
            dup2 (ends[1], 1);
            execl (HELPER_DIRECTORY "/jail", "jail", "--", PROGRAM_DIRECTORY "/candidate", "wait",
                   (char *)NULL);
            _exit (9);
        }
        pause ();
        _exit (0);
    }
    close (ends[1]);
    ck_assert_int_eq (read (ends[0], &byte, 1), 1); /* it is running */
    kill (starter, SIGKILL);
    waitpid (starter, NULL, 0);
    ck_assert_int_eq (read (ends[0], &byte, 1), 0); /* nobody holds the pipe any more */
    close (ends[0]);
}
END_TEST

SUITE_MAIN ("jail", a_candidate_runs_and_its_output_and_end_come_back,
            private_data_and_the_evaluators_files_cannot_be_read, what_is_named_can_be_read,
            nothing_can_be_written, beneath_a_directory_named_for_writing_files_can_be_made,
            a_hidden_path_within_reach_is_refused, the_evaluators_memory_is_out_of_reach,
            without_the_jail_the_evaluator_is_within_reach, the_evaluator_cannot_be_signalled,
            the_evaluator_cannot_be_signalled_on_older_kernels_either,
            the_evaluator_cannot_be_slowed_down_or_limited, only_named_descriptors_are_inherited,
            a_perfect_score_from_a_constructor_reaches_only_the_evaluator,
            a_careless_evaluator_that_shares_its_stdout_is_stopped,
            it_starts_no_processes_unless_allowed_and_no_more_than_allowed, its_own_limits_end_or_refuse,
            without_landlock_nothing_is_run, a_wrong_call_is_refused_with_the_reason,
            it_dies_with_its_starter)
