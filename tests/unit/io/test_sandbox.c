/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/stat.h>

#include "node/io/sandbox_tree.h"
#include "sandbox_harness.h"

START_TEST (a_program_that_exits_gives_its_code_and_output)
{
    outcome_t outcome = harness_run (SHELL ("echo out; echo err >&2; exit 7"));
    harness_expect_end (&outcome, SANDBOX_EXITED);
    ck_assert_int_eq (outcome.result.exit_code, 7);
    ck_assert_str_eq (outcome.output, "out\n");
    ck_assert_str_eq (outcome.error, "err\n");
}
END_TEST

START_TEST (a_program_that_crashes_is_told_from_one_that_exits)
{
    outcome_t crashed = harness_run (COMMAND ("./trouble", "crash", "11"));
    harness_expect_end (&crashed, SANDBOX_SIGNALED);
    ck_assert_int_eq (crashed.result.signal, SIGSEGV);
    outcome_t exited = harness_run (SHELL ("exit 139"));
    harness_expect_end (&exited, SANDBOX_EXITED);
    ck_assert_int_eq (exited.result.exit_code, 139);
}
END_TEST

START_TEST (a_program_that_is_missing_exits_127_and_says_which)
{
    outcome_t outcome = harness_run (COMMAND ("./no-such-program"));
    harness_expect_end (&outcome, SANDBOX_EXITED);
    ck_assert_int_eq (outcome.result.exit_code, 127);
    ck_assert_ptr_nonnull (strstr (outcome.error, "./no-such-program: No such file or directory"));
}
END_TEST

START_TEST (a_sandbox_that_cannot_be_set_up_is_our_fault)
{
    harness_t self = harness_new (false);
    sandbox_job_t job = harness_job (COMMAND ("true"));
    job.directory = "/no/such/directory";
    outcome_t outcome = harness_run_job (&self, &job);
    harness_expect_end (&outcome, SANDBOX_FAILED);
    ck_assert_ptr_nonnull (strstr (outcome.error, "/no/such/directory"));
    harness_destroy (&self);
}
END_TEST

START_TEST (a_mount_that_is_missing_is_refused_or_fails_by_name)
{
    harness_t self = harness_new (false);
    sandbox_job_t job = harness_job (COMMAND ("true"));
    outcome_t outcome = {.done = false};
    problem_t problem = {.text = ""};
    job.mounts[0].source = "/no/such/source";
    if (sandbox_start (self.engine, &job, harness_done, &outcome, &problem)) {
        harness_wait (&self, &outcome, 1);
        harness_expect_end (&outcome, SANDBOX_FAILED);
        ck_assert_ptr_nonnull (strstr (outcome.error, "/no/such/source"));
    } else
        ck_assert_ptr_nonnull (strstr (problem.text, "/no/such/source"));
    harness_destroy (&self);
}
END_TEST

START_TEST (an_engine_without_its_jail_is_refused)
{
    zloop_t *loop = zloop_new ();
    problem_t problem = {.text = ""};
    ck_assert_ptr_null (sandbox_new (loop, false, "/usr/share", &problem));
    ck_assert_ptr_nonnull (strstr (problem.text, "/usr/share/jail"));
    zloop_destroy (&loop);
}
END_TEST

START_TEST (input_comes_on_stdin_then_end_of_file)
{
    harness_t self = harness_new (false);
    sandbox_job_t job = harness_job (COMMAND ("sha256sum"));
    size_t size = 3 * MIB;
    char *input = calloc (1, size);
    ck_assert_ptr_nonnull (input);
    job.input = input;
    job.input_size = size;
    outcome_t outcome = harness_run_job (&self, &job);
    free (input);
    /* of three mebibytes of zeros, by sha256sum outside */
    harness_expect (&outcome, "bbd05cf6097ac9b1f89ea29d2542c1b7b67ee46848393895f5a9e43fa1f621e5  -\n");
    job.command = COMMAND ("true"); /* does not read it */
    job.input = "ignored";
    job.input_size = 7;
    outcome = harness_run_job (&self, &job);
    harness_expect (&outcome, "");
    harness_destroy (&self);
}
END_TEST

START_TEST (without_input_stdin_is_empty)
{
    outcome_t outcome = harness_run (COMMAND ("cat"));
    harness_expect (&outcome, "");
}
END_TEST

START_TEST (only_the_tail_of_stderr_is_kept)
{
    outcome_t outcome = harness_run (SHELL ("seq 1 20000 >&2; echo last >&2"));
    harness_expect (&outcome, "");
    ck_assert_uint_eq (outcome.result.error_size, LIMIT_TAIL_BYTES);
    ck_assert_str_eq (outcome.error + LIMIT_TAIL_BYTES - 5, "last\n");
}
END_TEST

START_TEST (output_at_the_limit_passes_and_beyond_it_ends_the_run)
{
    harness_t self = harness_new (false);
    sandbox_job_t job = harness_job (SHELL ("head -c 100000 /dev/zero"));
    job.output_bytes = 100000;
    outcome_t outcome = harness_run_job (&self, &job);
    harness_expect_end (&outcome, SANDBOX_EXITED);
    ck_assert_uint_eq (outcome.result.output_size, 100000);
    job.command = SHELL ("head -c 100001 /dev/zero");
    outcome = harness_run_job (&self, &job);
    harness_expect_end (&outcome, SANDBOX_OUTPUT);
    ck_assert_uint_eq (outcome.result.output_size, 100000);
    harness_destroy (&self);
}
END_TEST

START_TEST (what_a_program_leaves_behind_ends_with_it)
{
    outcome_t outcome = harness_run (COMMAND ("./trouble", "leave-behind", "token-left-behind"));
    harness_expect (&outcome, "left\n");
    ck_assert_uint_eq (harness_count ("token-left-behind"), 0);
}
END_TEST

START_TEST (a_cancelled_run_says_so_and_is_gone)
{
    harness_t self = harness_new (false);
    sandbox_job_t job = harness_job (COMMAND ("./trouble", "stubborn", "token-cancelled"));
    outcome_t outcome = {.done = false};
    sandbox_cancel (harness_start (&self, &job, &outcome)); /* before it has really begun */
    ck_assert (!outcome.done);
    harness_wait (&self, &outcome, 1);
    harness_expect_end (&outcome, SANDBOX_CANCELLED);
    ck_assert_uint_eq (harness_count ("token-cancelled"), 0);
    harness_destroy (&self);
}
END_TEST

static int s_cancel (zloop_t *loop, int timer, void *context)
{
    (void)loop, (void)timer;
    sandbox_cancel (context);
    sandbox_cancel (context); /* twice is once */
    return 0;
}

START_TEST (a_run_can_be_cancelled_at_any_moment_of_its_start)
{
    harness_t self = harness_new (false);
    for (size_t delay_ms = 0; delay_ms < 16; delay_ms++) {
        sandbox_job_t job = harness_job (COMMAND ("./trouble", "stubborn", "token-cancelled-early"));
        outcome_t outcome = {.done = false};
        sandbox_run_t *run = harness_start (&self, &job, &outcome);
        zloop_timer (self.loop, delay_ms, 1, s_cancel, run);
        harness_wait (&self, &outcome, 1);
        harness_expect_end (&outcome, SANDBOX_CANCELLED);
        ck_assert_uint_eq (harness_count ("token-cancelled-early"), 0);
    }
    harness_destroy (&self);
}
END_TEST

START_TEST (destroying_the_engine_ends_every_run_without_a_word)
{
    harness_t self = harness_new (false);
    outcome_t outcomes[3] = {{.done = false}};
    sandbox_job_t job = harness_job (COMMAND ("./trouble", "stubborn", "token-destroyed"));
    for (size_t i = 0; i < 3; i++)
        harness_start (&self, &job, &outcomes[i]);
    harness_destroy (&self);
    for (size_t i = 0; i < 3; i++)
        ck_assert (!outcomes[i].done);
    ck_assert_uint_eq (harness_count ("token-destroyed"), 0);
}
END_TEST

/* True if a process of this machine has exactly this command line (bubblewrap's own holds more). */
static bool s_runs (const char *const *command)
{
    char words[256], path[300], line[512];
    size_t size = 0;
    for (; *command != NULL; command++)
        size += (size_t)snprintf (words + size, sizeof words - size, "%s", *command) + 1;
    bool found = false;
    DIR *processes = opendir ("/proc");
    ck_assert_ptr_nonnull (processes);
    for (struct dirent *entry; !found && (entry = readdir (processes)) != NULL;) {
        snprintf (path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        int fd = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? open (path, O_RDONLY) : -1;
        found = fd >= 0 && read (fd, line, sizeof line) == (ssize_t)size && memcmp (line, words, size) == 0;
        if (fd >= 0)
            close (fd);
    }
    closedir (processes);
    return found;
}

typedef struct {
    const char *const *command;
    int64_t deadline_us;
} sighting_t;

static int s_look_for (zloop_t *loop, int timer, void *context)
{
    (void)loop, (void)timer;
    const sighting_t *sighting = context;
    ck_assert_msg (zclock_usecs () < sighting->deadline_us, "%s never ran", sighting->command[0]);
    return s_runs (sighting->command) ? -1 : 0;
}

/* Starts a run, and runs the loop until its program itself is there. */
static sandbox_run_t *s_start_and_see (harness_t *self, const char *const *command, outcome_t *outcome)
{
    sandbox_job_t job = harness_job (command);
    job.timeout_ms = 600000;
    *outcome = (outcome_t){.done = false};
    sandbox_run_t *run = harness_start (self, &job, outcome);
    sighting_t sighting = {command, zclock_usecs () + 60000000};
    int timer = zloop_timer (self->loop, 5, 0, s_look_for, &sighting);
    zloop_start (self->loop);
    zloop_timer_end (self->loop, timer);
    return run;
}

/* Stops bubblewrap itself, as a debugger or a wrong `kill` would. */
static void s_stop_children (void)
{
    pid_t children[8];
    size_t count = tree_children (getpid (), children, 8);
    ck_assert_uint_ge (count, 1);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq (kill (children[i], SIGSTOP), 0);
}

START_TEST (a_stopped_sandbox_ends_when_it_is_cancelled_when_its_program_ends_and_with_the_engine)
{
    const char *const *stubborn = COMMAND ("./trouble", "stubborn", "token-stopped");
    harness_t self = harness_new (false);
    outcome_t outcome;
    sandbox_run_t *run = s_start_and_see (&self, stubborn, &outcome);
    s_stop_children ();
    sandbox_cancel (run);
    harness_wait (&self, &outcome, 1);
    harness_expect_end (&outcome, SANDBOX_CANCELLED);

    s_start_and_see (&self, COMMAND ("sleep", "0.7319"), &outcome);
    s_stop_children ();
    harness_wait (&self, &outcome, 1);
    harness_expect_end (&outcome, SANDBOX_EXITED);

    s_start_and_see (&self, stubborn, &outcome);
    s_stop_children ();
    harness_destroy (&self);
    ck_assert (!s_runs (stubborn));
}
END_TEST

START_TEST (runs_side_by_side_do_not_mix)
{
    harness_t self = harness_new (false);
    outcome_t outcomes[6] = {{.done = false}};
    char scripts[6][80];
    for (size_t i = 0; i < 6; i++) {
        snprintf (scripts[i], sizeof scripts[i], "echo %zu; cat; touch /tmp/%zu; ls /tmp; exit %zu", i, i, i);
        sandbox_job_t job = harness_job (SHELL (scripts[i]));
        job.input = "in\n";
        job.input_size = 3;
        harness_start (&self, &job, &outcomes[i]);
    }
    harness_wait (&self, outcomes, 6);
    for (size_t i = 0; i < 6; i++) {
        char expected[40];
        snprintf (expected, sizeof expected, "%zu\nin\n%zu\n", i, i);
        harness_expect_end (&outcomes[i], SANDBOX_EXITED);
        ck_assert_int_eq (outcomes[i].result.exit_code, (int)i);
        ck_assert_str_eq (outcomes[i].output, expected);
    }
    harness_destroy (&self);
}
END_TEST

static size_t s_open_descriptors (void)
{
    size_t count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl (fd, F_GETFD) >= 0;
    return count;
}

START_TEST (no_descriptor_is_left_open_however_a_run_ends)
{
    harness_t self = harness_new (false);
    sandbox_job_t job = harness_job (COMMAND ("true"));
    harness_run_job (&self, &job);
    size_t before = s_open_descriptors ();
    for (int i = 0; i < 4; i++)
        harness_run_job (&self, &job);
    job.timeout_ms = 50;
    job.command = COMMAND ("sleep", "60");
    harness_run_job (&self, &job);
    job.directory = "/no/such/directory";
    harness_run_job (&self, &job);
    ck_assert_uint_eq (s_open_descriptors (), before);
    harness_destroy (&self);
}
END_TEST

START_TEST (processor_time_counts_descendants_that_nobody_waited_for)
{
    outcome_t outcome = harness_run (COMMAND ("./trouble", "spin-orphan", "150"));
    harness_expect (&outcome, "");
    ck_assert_uint_ge (outcome.result.cpu_us, 150000);
    ck_assert_uint_lt (outcome.result.cpu_us, 1000000);
}
END_TEST

START_TEST (processor_time_of_a_killed_run_is_known)
{
    harness_t self = harness_new (false);
    sandbox_job_t job = harness_job (COMMAND ("./trouble", "spin", "60000"));
    job.timeout_ms = 500;
    outcome_t outcome = harness_run_job (&self, &job);
    harness_expect_end (&outcome, SANDBOX_TIMEOUT);
    ck_assert_uint_gt (outcome.result.cpu_us, 0); /* a busy machine may give it next to nothing */
    harness_destroy (&self);
}
END_TEST

START_TEST (unsandboxed_runs_have_their_limits_and_say_that_nothing_confines_them)
{
    harness_t self = harness_new (true);
    ck_assert (!sandbox_confines (self.engine));
    sandbox_job_t job = harness_job (SHELL ("test -x ./trouble && test -x $EVOMESH_AGENT/trouble && "
                                            "test -x $EVOMESH_HELPERS/jail && cat"));
    job.input = "given";
    job.input_size = 5;
    outcome_t outcome = harness_run_job (&self, &job);
    harness_expect (&outcome, "given");
    job.command = COMMAND ("/agent/trouble", "stubborn", "token-unsandboxed");
    job.timeout_ms = 300;
    outcome = harness_run_job (&self, &job);
    harness_expect_end (&outcome, SANDBOX_TIMEOUT);
    ck_assert_uint_eq (harness_count ("token-unsandboxed"), 0);
    job.command = COMMAND ("./trouble", "eat", "100");
    job.timeout_ms = 120000;
    job.memory_bytes = 64 * MIB;
    outcome = harness_run_job (&self, &job);
    harness_expect_end (&outcome, SANDBOX_MEMORY);
    job.command = COMMAND ("./trouble", "leave-behind", "token-unsandboxed");
    outcome = harness_run_job (&self, &job);
    harness_expect (&outcome, "left\n");
    ck_assert_uint_eq (harness_count ("token-unsandboxed"), 0);
    harness_destroy (&self);
}
END_TEST

START_TEST (start_to_finish_of_true_is_reported)
{
    harness_t self = harness_new (false);
    sandbox_job_t job = harness_job (COMMAND ("true"));
    int64_t best_us = INT64_MAX, sum_us = 0;
    for (int i = 0; i < 20; i++) {
        int64_t start_us = zclock_usecs ();
        outcome_t outcome = harness_run_job (&self, &job);
        harness_expect (&outcome, "");
        sum_us += outcome.done_us - start_us;
        if (outcome.done_us - start_us < best_us)
            best_us = outcome.done_us - start_us;
    }
    printf ("true in the sandbox, start to finish: best %.1f ms, mean %.1f ms of 20\n",
            (double)best_us / 1000, (double)sum_us / 20000);
    harness_destroy (&self);
}
END_TEST

SUITE_MAIN ("sandbox", a_program_that_exits_gives_its_code_and_output,
            a_program_that_crashes_is_told_from_one_that_exits,
            a_program_that_is_missing_exits_127_and_says_which, a_sandbox_that_cannot_be_set_up_is_our_fault,
            a_mount_that_is_missing_is_refused_or_fails_by_name, an_engine_without_its_jail_is_refused,
            input_comes_on_stdin_then_end_of_file, without_input_stdin_is_empty,
            only_the_tail_of_stderr_is_kept, output_at_the_limit_passes_and_beyond_it_ends_the_run,
            what_a_program_leaves_behind_ends_with_it, a_cancelled_run_says_so_and_is_gone,
            a_run_can_be_cancelled_at_any_moment_of_its_start,
            destroying_the_engine_ends_every_run_without_a_word,
            a_stopped_sandbox_ends_when_it_is_cancelled_when_its_program_ends_and_with_the_engine,
            runs_side_by_side_do_not_mix, no_descriptor_is_left_open_however_a_run_ends,
            processor_time_counts_descendants_that_nobody_waited_for, processor_time_of_a_killed_run_is_known,
            unsandboxed_runs_have_their_limits_and_say_that_nothing_confines_them,
            start_to_finish_of_true_is_reported)
