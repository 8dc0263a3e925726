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
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/io/sandbox.h"
#include "node/io/sandbox_capture.h"
#include "node/io/sandbox_spawn.h"
#include "node/io/sandbox_tree.h"
#include "node/io/jail.h"

#define SAMPLE_MS          20 /* between two looks at memory and processes */
#define KILL_AGAIN_MS      10
#define LINGER_MS          100 /* so long the child may take to end once its command has */
#define KILL_ASK_TRIES     3
#define KILL_HARD_TRIES    5 /* so often we wait for bubblewrap to have a child, then kill it alone */
#define PROPORTIONAL_EVERY 5 /* samples between two costly looks at shared memory */

struct sandbox {
    zloop_t *loop;
    sandbox_host_t host;
    sandbox_run_t *runs;
    int sample_timer; /* one for all runs, armed while there are any; -1 if not */
    tree_t tree;      /* scratch of the sampler */
};

struct sandbox_run {
    sandbox_t *engine;
    sandbox_run_t *next;
    sandbox_child_t child;
    sandbox_done_fn *done;
    void *context;
    int supervisor_fd; /* pidfd of the jail that is process 1 inside; -1 until READY */
    pid_t supervisor;  /* its process number out here; 0 until READY, -1 if it ended by then */
    int tmpfs_fds[2];  /* its /tmp and /dev/shm; -1 if there are none */
    int timer;         /* the wall-clock limit, or when to kill again; -1 if none */
    bool killing;
    sandbox_end_t verdict; /* why, if killing */
    int kill_tries;
    bool reported; /* the command ended by itself, as `report` says */
    jail_report_t report;
    capture_t output; /* all of it up to the limit */
    capture_t error;  /* its tail */
    uint64_t memory_bytes;
    uint64_t processes_max;
    uint64_t memory_peak_bytes;
    int samples_until_proportional;
    int64_t started_us;
};

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

/* --- killing --- */

/* The supervisor is first asked (SIGTERM): it kills its tree and reports what that used. If that takes too long, it is
 * killed, and with it all in its namespace. Unsandboxed its death would free the tree, so we only ever ask, and wake it
 * in case the program has stopped it. Before READY we know nothing but bubblewrap: its child dies first, so that
 * it can't be orphaned half-way. */
static void s_kill_once (sandbox_run_t *run)
{
    assert (run->killing || run->reported);
    pid_t children[8];
    bool ask = run->kill_tries++ < KILL_ASK_TRIES || !sandbox_confines (run->engine);
    if (run->supervisor_fd >= 0) {
        pidfd_send_signal (run->supervisor_fd, ask ? SIGTERM : SIGKILL, NULL, 0);
        pidfd_send_signal (run->supervisor_fd, SIGCONT, NULL, 0);
    } else if (run->kill_tries <= KILL_HARD_TRIES) {
        size_t count = tree_children (run->child.pid, children, 8);
        for (size_t i = 0; i < count; i++)
            kill (children[i], SIGKILL);
    } else
        pidfd_send_signal (run->child.pidfd, SIGKILL, NULL, 0);
    /* Stopped, it would not see that its own child is dead. */
    pidfd_send_signal (run->child.pidfd, SIGCONT, NULL, 0);
}

static int s_on_timer (zloop_t *loop, int timer, void *context);

static void s_arm (sandbox_run_t *run, uint64_t delay_ms)
{
    if (run->timer >= 0)
        zloop_timer_end (run->engine->loop, run->timer);
    run->timer = zloop_timer (run->engine->loop, (size_t)delay_ms, 1, s_on_timer, run->engine);
    assert (run->timer >= 0);
}

static void s_kill (sandbox_run_t *run, sandbox_end_t verdict)
{
    assert (verdict != SANDBOX_EXITED && verdict != SANDBOX_SIGNALED); /* those are the program's own ends */
    if (run->killing || run->reported)
        return;
    run->killing = true;
    run->verdict = verdict;
    s_kill_once (run);
    s_arm (run, KILL_AGAIN_MS);
}

void sandbox_cancel (sandbox_run_t *run)
{
    assert (run != NULL);
    s_kill (run, SANDBOX_CANCELLED);
}

/* The wall-clock limit of a run, or the next try at killing it. */
static int s_on_timer (zloop_t *loop, int timer, void *context)
{
    (void)loop;
    sandbox_t *self = context;
    sandbox_run_t *run = self->runs;
    while (run != NULL && run->timer != timer)
        run = run->next;
    if (run == NULL)
        return 0;
    run->timer = -1;
    if (run->killing || run->reported) {
        s_kill_once (run);
        s_arm (run, KILL_AGAIN_MS);
    } else
        s_kill (run, SANDBOX_TIMEOUT);
    return 0;
}

/* --- sampling --- */

static void s_sample_run (sandbox_run_t *run)
{
    assert (run->supervisor > 0 && !run->killing);
    tree_t *tree = &run->engine->tree;
    tree_sample (run->supervisor, tree);
    uint64_t files = 0;
    for (size_t i = 0; i < 2; i++)
        files += run->tmpfs_fds[i] < 0 ? 0 : tree_tmpfs_bytes (run->tmpfs_fds[i]);
    uint64_t memory = tree->resident_bytes + files;
    if (tree->processes > run->processes_max) {
        s_kill (run, SANDBOX_PROCESSES);
        return;
    }
    if (run->memory_bytes && memory > run->memory_bytes) {
        /* Perhaps only because shared pages count more than once. Looking closer is slow: not at every sample. */
        if (run->samples_until_proportional-- > 0)
            return;
        run->samples_until_proportional = PROPORTIONAL_EVERY;
        memory = tree_proportional_bytes (tree) + files;
        if (memory > run->memory_bytes)
            s_kill (run, SANDBOX_MEMORY);
    }
    if (memory > run->memory_peak_bytes)
        run->memory_peak_bytes = memory;
}

/* Armed for one shot at a time: after a stall of the loop a periodic timer would fire many times at once. */
static int s_on_sample (zloop_t *loop, int timer, void *context)
{
    (void)loop;
    sandbox_t *self = context;
    if (timer != self->sample_timer)
        return 0;
    for (sandbox_run_t *run = self->runs; run != NULL; run = run->next)
        if (run->supervisor > 0 && !run->killing && !run->reported)
            s_sample_run (run);
    self->sample_timer = self->runs != NULL ? zloop_timer (self->loop, SAMPLE_MS, 1, s_on_sample, self) : -1;
    return 0;
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

static void s_unwatch (sandbox_run_t *run, int *fd)
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
        s_kill (run, SANDBOX_OUTPUT);
    else if (state == CAPTURE_ENDED)
        s_unwatch (run, fd);
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

/* The process number behind a pidfd, as seen from here; -1 if it is gone, 0 if that can't be told. */
static pid_t s_pid_of (int pidfd)
{
    char path[64], line[128];
    int pid = 0;
    snprintf (path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
    FILE *file = fopen (path, "re");
    while (file != NULL && fgets (line, sizeof line, file))
        if (sscanf (line, "Pid: %d", &pid) == 1)
            break;
    if (file != NULL)
        fclose (file);
    return pid;
}

static void s_take_ready (sandbox_run_t *run, struct msghdr *message)
{
    int fds[JAIL_READY_FDS] = {-1, -1, -1};
    struct cmsghdr *header = CMSG_FIRSTHDR (message);
    if (run->supervisor_fd >= 0)
        return;
    if (header != NULL && header->cmsg_type == SCM_RIGHTS) {
        size_t count = (header->cmsg_len - CMSG_LEN (0)) / sizeof (int);
        assert (count <= JAIL_READY_FDS);
        memcpy (fds, CMSG_DATA (header), count * sizeof (int));
    }
    run->supervisor_fd = fds[0];
    run->supervisor = fds[0] < 0 ? 0 : s_pid_of (fds[0]);
    run->tmpfs_fds[0] = fds[1];
    run->tmpfs_fds[1] = fds[2];
    if (run->killing)
        s_kill_once (run);
    else if (run->supervisor == 0 || (message->msg_flags & MSG_CTRUNC))
        s_kill (run, SANDBOX_FAILED); /* we are out of descriptors: its use of memory couldn't be watched */
}

/* Takes one report. Returns false if there was none. */
static bool s_take_report (sandbox_run_t *run)
{
    jail_report_t report;
    union {
        char space[CMSG_SPACE (JAIL_READY_FDS * sizeof (int))];
        struct cmsghdr align;
    } control;
    struct iovec bytes = {.iov_base = &report, .iov_len = sizeof report};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = control.space,
                             .msg_controllen = sizeof control.space};
    if (run->child.report_fd < 0)
        return false;
    ssize_t size = recvmsg (run->child.report_fd, &message, MSG_CMSG_CLOEXEC);
    if (size < 0)
        return errno == EINTR;
    if (size != (ssize_t)sizeof report) {
        s_unwatch (run, &run->child.report_fd); /* closed: nothing more will come */
        return false;
    }
    if (report.kind == JAIL_READY)
        s_take_ready (run, &message);
    else if (!run->reported) {
        run->reported = true;
        run->report = report;
        s_arm (run, LINGER_MS);
    }
    return true;
}

static int s_on_report (zloop_t *loop, zmq_pollitem_t *item, void *context)
{
    (void)loop, (void)item;
    s_take_report (context);
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
    s_unwatch (run, &run->child.pidfd);
    s_unwatch (run, &run->child.output_fd);
    s_unwatch (run, &run->child.error_fd);
    s_unwatch (run, &run->child.report_fd);
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
    while (s_take_report (run)) {
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
    s_arm (run, job->timeout_ms);
    if (self->sample_timer < 0)
        self->sample_timer = zloop_timer (self->loop, SAMPLE_MS, 1, s_on_sample, self);
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
        while (s_take_report (run)) {
        }
        s_kill_once (run);
        if (poll (&item, 1, KILL_AGAIN_MS) > 0)
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
