/* SPDX-License-Identifier: MPL-2.0 */
/* Runs jobs in real sandboxes and waits for how they end. */
#ifndef EVOMESH_TESTS_UNIT_IO_SANDBOX_HARNESS_H
#define EVOMESH_TESTS_UNIT_IO_SANDBOX_HARNESS_H

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"
#include "node/io/sandbox.h"

#define MIB (1024ULL * 1024)

/* How a run ended, copied. */
typedef struct {
    bool done;
    sandbox_result_t result;
    char output[8192]; /* its beginning */
    char error[LIMIT_TAIL_BYTES + 1];
    int64_t done_us; /* monotonic */
} outcome_t;

typedef struct {
    zloop_t *loop;
    sandbox_t *engine;
} harness_t;

static inline harness_t harness_new (bool unsandboxed)
{
    harness_t self;
    problem_t problem = {.text = ""};
    setenv ("ZSYS_SIGHANDLER", "false", 1);
    self.loop = zloop_new ();
    self.engine = sandbox_new (self.loop, unsandboxed, HELPER_DIRECTORY, &problem);
    ck_assert_msg (self.engine != NULL, "%s", problem.text);
    return self;
}

static inline void harness_destroy (harness_t *self)
{
    sandbox_destroy (&self->engine);
    zloop_destroy (&self->loop);
}

static inline void harness_done (void *context, const sandbox_result_t *result)
{
    outcome_t *outcome = context;
    ck_assert_msg (!outcome->done, "done was called twice");
    outcome->done = true;
    outcome->done_us = zclock_usecs ();
    outcome->result = *result;
    snprintf (outcome->output, sizeof outcome->output, "%s", result->output);
    snprintf (outcome->error, sizeof outcome->error, "%s", result->error_tail);
    ck_assert (result->output[result->output_size] == '\0');
    outcome->result.output = outcome->output;
    outcome->result.error_tail = outcome->error;
}

typedef struct {
    outcome_t *outcomes;
    size_t count;
    int64_t deadline_us;
} harness_wait_t;

static inline int harness_look (zloop_t *loop, int timer, void *context)
{
    (void)loop, (void)timer;
    harness_wait_t *wait = context;
    ck_assert_msg (zclock_usecs () < wait->deadline_us, "a run did not end");
    for (size_t i = 0; i < wait->count; i++)
        if (!wait->outcomes[i].done)
            return 0;
    return -1;
}

/* Runs the loop until all of them are done. */
static inline void harness_wait (harness_t *self, outcome_t *outcomes, size_t count)
{
    harness_wait_t wait = {outcomes, count, zclock_usecs () + 150000000};
    int timer = zloop_timer (self->loop, 1, 0, harness_look, &wait);
    zloop_start (self->loop);
    zloop_timer_end (self->loop, timer);
}

static inline sandbox_run_t *harness_start (harness_t *self, const sandbox_job_t *job, outcome_t *outcome)
{
    problem_t problem = {.text = ""};
    sandbox_run_t *run = sandbox_start (self->engine, job, harness_done, outcome, &problem);
    ck_assert_msg (run != NULL, "%s", problem.text);
    ck_assert_msg (!outcome->done, "done was called from within sandbox_start");
    return run;
}

/* A job of `command`, with the test programs at /agent and generous limits. */
static inline sandbox_job_t harness_job (const char *const *command)
{
    return (sandbox_job_t){.command = command,
                           .directory = "/agent",
                           .mounts = {{PROGRAM_DIRECTORY, "/agent", false}},
                           .mount_count = 1,
                           .timeout_ms = 120000,
                           .memory_bytes = 256 * MIB,
                           .output_bytes = 1 * MIB};
}

static inline outcome_t harness_run_job (harness_t *self, const sandbox_job_t *job)
{
    outcome_t outcome = {.done = false};
    harness_start (self, job, &outcome);
    harness_wait (self, &outcome, 1);
    return outcome;
}

#define COMMAND(...)  ((const char *const[]){__VA_ARGS__, NULL})
#define SHELL(script) COMMAND ("/bin/sh", "-c", script)

/* Runs one command in an engine of its own. */
static inline outcome_t harness_run (const char *const *command)
{
    harness_t self = harness_new (false);
    sandbox_job_t job = harness_job (command);
    outcome_t outcome = harness_run_job (&self, &job);
    harness_destroy (&self);
    return outcome;
}

static inline void harness_expect_end (const outcome_t *outcome, sandbox_end_t end)
{
    ck_assert_msg (outcome->result.end == end, "ended as %s, not %s; exit code %d, stderr: %s",
                   sandbox_end_name (outcome->result.end), sandbox_end_name (end), outcome->result.exit_code,
                   outcome->error);
}

/* Fails unless it exited with 0 and said exactly this. */
static inline void harness_expect (const outcome_t *outcome, const char *output)
{
    harness_expect_end (outcome, SANDBOX_EXITED);
    ck_assert_msg (outcome->result.exit_code == 0, "exit code %d, stderr: %s", outcome->result.exit_code,
                   outcome->error);
    ck_assert_str_eq (outcome->output, output);
}

/* Processes of this machine whose command line holds `token`; zombies have none. */
static inline size_t harness_count (const char *token)
{
    size_t count = 0;
    DIR *processes = opendir ("/proc");
    ck_assert_ptr_nonnull (processes);
    for (struct dirent *entry; (entry = readdir (processes)) != NULL;) {
        char path[300], line[8192];
        snprintf (path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        int fd = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? open (path, O_RDONLY) : -1;
        ssize_t size = fd < 0 ? -1 : read (fd, line, sizeof line);
        if (fd >= 0)
            close (fd);
        count += size > 0 && memmem (line, (size_t)size, token, strlen (token)) != NULL;
    }
    closedir (processes);
    return count;
}

#endif
