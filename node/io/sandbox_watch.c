/* SPDX-License-Identifier: MPL-2.0 */
/* What bounds a run while it is under way: its time, its memory and its processes. Who goes beyond is killed, again and harder until it is
 * gone. */
#define _GNU_SOURCE
#include "node/io/sandbox_run.h"

#include <assert.h>
#include <signal.h>
#include <sys/pidfd.h>

#define KILL_ASK_TRIES     3
#define KILL_HARD_TRIES    5 /* so often we wait for bubblewrap to have a child, then kill it alone */
#define PROPORTIONAL_EVERY 5 /* samples between two costly looks at shared memory */

/* --- killing --- */

/* The supervisor is first asked (SIGTERM): it kills its tree and reports what that used. If that takes too long, it is
 * killed, and with it all in its namespace. Unsandboxed its death would free the tree, so we only ever ask, and wake it
 * in case the program has stopped it. Before READY we know nothing but bubblewrap: its child dies first, so that
 * it can't be orphaned half-way. */
void sandbox_kill_once (sandbox_run_t *run)
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

void sandbox_arm (sandbox_run_t *run, uint64_t delay_ms)
{
    if (run->timer >= 0)
        zloop_timer_end (run->engine->loop, run->timer);
    run->timer = zloop_timer (run->engine->loop, (size_t)delay_ms, 1, s_on_timer, run->engine);
    assert (run->timer >= 0);
}

void sandbox_kill (sandbox_run_t *run, sandbox_end_t verdict)
{
    assert (verdict != SANDBOX_EXITED && verdict != SANDBOX_SIGNALED); /* those are the program's own ends */
    if (run->killing || run->reported)
        return;
    run->killing = true;
    run->verdict = verdict;
    sandbox_kill_once (run);
    sandbox_arm (run, SANDBOX_KILL_AGAIN_MS);
}

void sandbox_cancel (sandbox_run_t *run)
{
    assert (run != NULL);
    sandbox_kill (run, SANDBOX_CANCELLED);
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
        sandbox_kill_once (run);
        sandbox_arm (run, SANDBOX_KILL_AGAIN_MS);
    } else
        sandbox_kill (run, SANDBOX_TIMEOUT);
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
        sandbox_kill (run, SANDBOX_PROCESSES);
        return;
    }
    if (run->memory_bytes && memory > run->memory_bytes) {
        /* Perhaps only because shared pages count more than once. Looking closer is slow: not at every sample. */
        if (run->samples_until_proportional-- > 0)
            return;
        run->samples_until_proportional = PROPORTIONAL_EVERY;
        memory = tree_proportional_bytes (tree) + files;
        if (memory > run->memory_bytes)
            sandbox_kill (run, SANDBOX_MEMORY);
    }
    if (memory > run->memory_peak_bytes)
        run->memory_peak_bytes = memory;
}

/* Armed for one shot at a time: after a stall of the loop a periodic timer would fire many times at once. */
int sandbox_on_sample (zloop_t *loop, int timer, void *context)
{
    (void)loop;
    sandbox_t *self = context;
    if (timer != self->sample_timer)
        return 0;
    for (sandbox_run_t *run = self->runs; run != NULL; run = run->next)
        if (run->supervisor > 0 && !run->killing && !run->reported)
            s_sample_run (run);
    self->sample_timer =
        self->runs != NULL ? zloop_timer (self->loop, SANDBOX_SAMPLE_MS, 1, sandbox_on_sample, self) : -1;
    return 0;
}
