/* SPDX-License-Identifier: MPL-2.0 */
/* The engine: runs in the loop, from start to the last process gone.
 *
 *             READY                       child's pidfd
 *  STARTING ─────────▶ RUNNING ───────────────────────────────▶ done, freed
 *      │                  │ limit, cancel, lingers         ▲
 *      └──────────────────┴────────▶ KILLING ─────────────┘
 *                                      │ ▲ not gone yet: again, harder
 *                                      └─┘
 * Invariant: a run has a verdict if and only if it is KILLING. The first verdict stands.
 *
 * zloop fires a timer that a sibling cancelled in the same pass. So timers get the engine, not a run, and look up the
 * run by timer number: one that is gone isn't found. */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/io/sandbox_run.h"

static const char *const s_end_names[] = {
    [SANDBOX_EXITED] = "exited",       [SANDBOX_SIGNALED] = "signaled",   [SANDBOX_TIMEOUT] = "timeout",
    [SANDBOX_MEMORY] = "memory",       [SANDBOX_PROCESSES] = "processes", [SANDBOX_OUTPUT] = "output",
    [SANDBOX_CANCELLED] = "cancelled", [SANDBOX_FAILED] = "failed",
};

const char *sandbox_end_name (sandbox_end_t end)
{
    assert ((size_t)end < sizeof s_end_names / sizeof s_end_names[0]);
    return s_end_names[end];
}

bool sandbox_confines (const sandbox_t *self)
{
    assert (self != NULL);
    return !self->host.unsandboxed;
}

/* --- what comes from the child --- */

static zmq_pollitem_t s_item (int fd)
{
    return (zmq_pollitem_t){.fd = fd, .events = ZMQ_POLLIN};
}

static void s_watch (sandbox_run_t *run, int fd, zloop_fn *handler)
{
    zmq_pollitem_t item = s_item (fd);
    int rc = zloop_poller (run->engine->loop, &item, handler, run);
    assert (rc == 0);
    zloop_poller_set_tolerant (run->engine->loop, &item); /* end of file comes as an error, and is none */
}

void sandbox_unwatch (sandbox_run_t *run, int *fd)
{
    if (*fd < 0)
        return;
    zmq_pollitem_t item = s_item (*fd);
    zloop_poller_end (run->engine->loop, &item);
    close (*fd);
    *fd = -1;
}

static void s_read_stream (sandbox_run_t *run, int *fd, capture_t *capture)
{
    capture_state_t state = capture_read (capture, *fd);
    if (state == CAPTURE_OVER)
        sandbox_kill (run, SANDBOX_OUTPUT);
    else if (state == CAPTURE_ENDED)
        sandbox_unwatch (run, fd);
}

static int s_on_output (zloop_t *loop, zmq_pollitem_t *item, void *context)
{
    (void)loop, (void)item;
    sandbox_run_t *run = context;
    s_read_stream (run, &run->child.output_fd, &run->output);
    return 0;
}

static int s_on_error (zloop_t *loop, zmq_pollitem_t *item, void *context)
{
    (void)loop, (void)item;
    sandbox_run_t *run = context;
    s_read_stream (run, &run->child.error_fd, &run->error);
    return 0;
}

static int s_on_report (zloop_t *loop, zmq_pollitem_t *item, void *context)
{
    (void)loop, (void)item;
    sandbox_take_report (context);
    return 0;
}

/* --- the end --- */

static void s_free (sandbox_run_t *run)
{
    sandbox_t *self = run->engine;
    sandbox_run_t **link = &self->runs;
    assert (*link != NULL);
    while (*link != run)
        link = &(*link)->next;
    *link = run->next;
    if (run->timer >= 0)
        zloop_timer_end (self->loop, run->timer);
    sandbox_unwatch (run, &run->child.pidfd);
    sandbox_unwatch (run, &run->child.output_fd);
    sandbox_unwatch (run, &run->child.error_fd);
    sandbox_unwatch (run, &run->child.report_fd);
    for (size_t i = 0; i < 2; i++)
        if (run->tmpfs_fds[i] >= 0)
            close (run->tmpfs_fds[i]);
    if (run->supervisor_fd >= 0)
        close (run->supervisor_fd);
    capture_free (&run->output);
    capture_free (&run->error);
    free (run);
}

static uint64_t s_us (struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

/* How it ended, from what we did to it, what its supervisor said, and how the child that we waited for ended. */
static void s_judge (const sandbox_run_t *run, int status, sandbox_result_t *result)
{
    if (run->killing)
        result->end = run->verdict;
    else if (!run->reported && run->supervisor_fd >= 0) {
        result->end = SANDBOX_SIGNALED; /* killed from outside, supervisor and all */
        result->signal = WIFSIGNALED (status) ? WTERMSIG (status) : SIGKILL;
    } else if (!run->reported)
        result->end = SANDBOX_FAILED; /* bubblewrap said why on stderr */
    else if (run->output.over || run->error.over)
        result->end = SANDBOX_OUTPUT;
    else if (run->report.kind == JAIL_SIGNALED) {
        result->end = SANDBOX_SIGNALED;
        result->signal = run->report.value;
    } else {
        result->end = SANDBOX_EXITED;
        result->exit_code = run->report.value;
    }
}

/* The child is reaped, and with it the whole tree. What it wrote last is still in the pipes. */
static void s_finish (sandbox_run_t *run, int status, const struct rusage *usage)
{
    while (sandbox_take_report (run)) {
    }
    capture_drain (&run->output, run->child.output_fd);
    capture_drain (&run->error, run->child.error_fd);
    sandbox_result_t result = {.end = SANDBOX_FAILED};
    s_judge (run, status, &result);
    result.wall_ms = (uint64_t)(zclock_usecs () - run->started_us) / 1000;
    result.cpu_us = run->reported ? run->report.cpu_us : s_us (usage->ru_utime) + s_us (usage->ru_stime);
    result.memory_peak_bytes = run->memory_peak_bytes;
    if (run->reported && run->report.memory_peak_bytes > result.memory_peak_bytes)
        result.memory_peak_bytes = run->report.memory_peak_bytes;
    result.output = capture_text (&run->output, &result.output_size);
    result.error_tail = capture_text (&run->error, &result.error_size);
    run->done (run->context, &result);
    s_free (run);
}

static int s_on_child (zloop_t *loop, zmq_pollitem_t *item, void *context)
{
    (void)loop, (void)item;
    sandbox_run_t *run = context;
    struct rusage usage;
    int status = 0;
    pid_t pid = wait4 (run->child.pid, &status, WNOHANG, &usage);
    if (pid < 0 && errno == ECHILD)
        usage = (struct rusage){.ru_maxrss = 0}; /* somebody else waited for it: only its times are lost */
    else if (pid != run->child.pid)
        return 0;
    s_finish (run, status, &usage);
    return 0;
}

/* --- start --- */

static sandbox_run_t *s_new_run (sandbox_t *self, const sandbox_job_t *job, sandbox_done_fn *done,
                                 void *context)
{
    sandbox_run_t *run = calloc (1, sizeof *run);
    assert (run != NULL);
    *run = (sandbox_run_t){.engine = self,
                           .done = done,
                           .context = context,
                           .supervisor_fd = -1,
                           .timer = -1,
                           .tmpfs_fds = {-1, -1},
                           .memory_bytes = job->memory_bytes};
    run->processes_max = job->processes_max ? job->processes_max : SANDBOX_PROCESSES_DEFAULT;
    run->started_us = zclock_usecs ();
    capture_init (&run->output, job->output_bytes, job->output_bytes);
    capture_init (&run->error, job->output_bytes, LIMIT_TAIL_BYTES);
    return run;
}

sandbox_run_t *sandbox_start (sandbox_t *self, const sandbox_job_t *job, sandbox_done_fn *done, void *context,
                              problem_t *problem)
{
    assert (self != NULL && done != NULL && job->timeout_ms > 0 && job->processes_max < TREE_PROCESSES_MAX);
    sandbox_run_t *run = s_new_run (self, job, done, context);
    if (sandbox_spawn (&self->host, job, &run->child, problem) != 0) {
        capture_free (&run->output);
        capture_free (&run->error);
        free (run);
        return NULL;
    }
    assert (run->child.pid > 1 && run->child.pidfd >= 0);
    run->next = self->runs;
    self->runs = run;
    s_watch (run, run->child.report_fd, s_on_report);
    s_watch (run, run->child.output_fd, s_on_output);
    s_watch (run, run->child.error_fd, s_on_error);
    s_watch (run, run->child.pidfd, s_on_child);
    sandbox_arm (run, job->timeout_ms);
    if (self->sample_timer < 0)
        self->sample_timer = zloop_timer (self->loop, SANDBOX_SAMPLE_MS, 1, sandbox_on_sample, self);
    return run;
}

/* --- the engine --- */

sandbox_t *sandbox_new (zloop_t *loop, bool unsandboxed, const char *helper_directory, problem_t *problem)
{
    assert (loop != NULL && helper_directory != NULL);
    sandbox_t *self = calloc (1, sizeof *self);
    assert (self != NULL);
    self->loop = loop;
    self->sample_timer = -1;
    char jail[PATH_MAX];
    snprintf (jail, sizeof jail, "%s/jail", helper_directory);
    if (access (jail, X_OK) == 0) {
        if (sandbox_host_init (&self->host, unsandboxed, helper_directory, problem) == 0)
            return self;
    } else
        problem_set (problem, "sandbox: %s: %s; it is installed with evomesh, in its helper directory", jail,
                     strerror (errno));
    free (self);
    return NULL;
}

/* Kills without the loop and waits. */
static void s_end_now (sandbox_run_t *run)
{
    struct pollfd item = {.fd = run->child.pidfd, .events = POLLIN};
    run->killing = true;
    for (;;) {
        while (sandbox_take_report (run)) {
        }
        sandbox_kill_once (run);
        if (poll (&item, 1, SANDBOX_KILL_AGAIN_MS) > 0)
            break;
    }
    while (waitpid (run->child.pid, NULL, 0) < 0 && errno == EINTR) {
    }
    s_free (run);
}

void sandbox_destroy (sandbox_t **self_p)
{
    assert (self_p != NULL);
    sandbox_t *self = *self_p;
    if (self == NULL)
        return;
    while (self->runs != NULL)
        s_end_now (self->runs);
    if (self->sample_timer >= 0)
        zloop_timer_end (self->loop, self->sample_timer);
    sandbox_host_free (&self->host);
    free (self);
    *self_p = NULL;
}
