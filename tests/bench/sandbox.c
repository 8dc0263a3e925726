/* SPDX-License-Identifier: MPL-2.0 */
/* The sandbox: start to finish of `true`, beside the bare process and bare bubblewrap. */
#include <czmq.h>
#include <stdio.h>

#include "node/io/sandbox.h"
#include "tests/bench/bench.h"

#define RUNS   50
#define AIM_MS 10.0

typedef struct {
    zloop_t *loop;
    double ended_ms;
    sandbox_end_t end;
    int exit_code;
} outcome_t;

static int s_stop (zloop_t *loop, int timer, void *context)
{
    (void)loop, (void)timer, (void)context;
    return -1;
}

static void s_done (void *context, const sandbox_result_t *result)
{
    outcome_t *self = context;
    self->ended_ms = bench_now_ms ();
    self->end = result->end;
    self->exit_code = result->exit_code;
    zloop_timer (self->loop, 0, 1, s_stop, NULL);
}

static double s_sandboxed (zloop_t *loop, sandbox_t *sandbox, const char *agent)
{
    static const char *const command[] = {"true", NULL};
    sandbox_job_t job = {.command = command,
                         .directory = "/agent",
                         .mounts = {{agent, "/agent", false}},
                         .mount_count = 1,
                         .timeout_ms = 10000,
                         .memory_bytes = 256 * 1024 * 1024,
                         .output_bytes = 65536};
    outcome_t outcome = {.loop = loop};
    problem_t problem;
    double before_ms = bench_now_ms ();
    if (sandbox_start (sandbox, &job, s_done, &outcome, &problem) == NULL)
        bench_fail ("%s", problem.text);
    zloop_start (loop);
    if (outcome.end != SANDBOX_EXITED || outcome.exit_code != 0)
        bench_fail ("`true` ended in the sandbox by %s", sandbox_end_name (outcome.end));
    return outcome.ended_ms - before_ms;
}

static double s_timed (const char *const arguments[])
{
    double before_ms = bench_now_ms ();
    bench_run (arguments);
    return bench_now_ms () - before_ms;
}

static void s_print (const char *what, samples_t *samples)
{
    printf ("%-42s median %6.2f ms   p99 %6.2f ms\n", what, samples_quantile (samples, 0.5),
            samples_quantile (samples, 0.99));
}

void bench_sandbox (void)
{
    const char *const bare[] = {"true", NULL};
    const char *const wrapped[] = {"bwrap", "--unshare-all", "--ro-bind", "/", "/", "true", NULL};
    samples_t bares = {0}, wraps = {0}, ours = {0};
    place_t agent = place_new (false);
    problem_t problem;
    zloop_t *loop = zloop_new ();
    sandbox_t *sandbox = sandbox_new (loop, false, BENCH_HELPERS, &problem);
    if (sandbox == NULL)
        bench_fail ("%s", problem.text);
    s_sandboxed (loop, sandbox, agent.path); /* programs are read from disk once */
    for (int i = 0; i < RUNS; i++) {         /* in turn, so that all three meet the same machine */
        samples_add (&bares, s_timed (bare));
        samples_add (&wraps, s_timed (wrapped));
        samples_add (&ours, s_sandboxed (loop, sandbox, agent.path));
    }
    printf ("`true` from start to finish, %d runs each, in turn\n", RUNS);
    s_print ("  a bare process", &bares);
    s_print ("  bubblewrap alone (--unshare-all)", &wraps);
    s_print ("  evomesh's sandbox, with jail and limits", &ours);
    double median_ms = samples_quantile (&ours, 0.5);
    printf ("  aim: median < %.0f ms: %s; %.2f times bubblewrap alone\n", AIM_MS,
            bench_verdict (median_ms < AIM_MS), median_ms / samples_quantile (&wraps, 0.5));
    sandbox_destroy (&sandbox);
    zloop_destroy (&loop);
    place_remove (&agent);
    samples_clear (&bares);
    samples_clear (&wraps);
    samples_clear (&ours);
}
