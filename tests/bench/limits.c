/* SPDX-License-Identifier: MPL-2.0 */
/* Limits that hold: four evaluations that would sleep for 8 s, with a limit of 1 s, on two slots. A limit that only gives up waiting, or
 * that leaves the worker behind, takes 16 s and more for this. */
#include <czmq.h>
#include <stdio.h>

#include "node/io/sandbox.h"
#include "tests/bench/bench.h"

#define SLEEPERS 4
#define SLOTS    2
#define LIMIT_MS 1000
#define AIM_MS   2200.0
#define LATE_MS  100.0 /* behind a limit all processes of a run are gone */

typedef struct {
    zloop_t *loop;
    sandbox_t *sandbox;
    size_t started;
    size_t ended;
    double started_ms[SLEEPERS];
    samples_t late; /* how long behind its limit each was gone */
} bout_t;

typedef struct {
    bout_t *bout;
    size_t index;
} sleeper_t;

static void s_start_next (bout_t *self);

static int s_stop (zloop_t *loop, int timer, void *context)
{
    (void)loop, (void)timer, (void)context;
    return -1;
}

static void s_done (void *context, const sandbox_result_t *result)
{
    sleeper_t *sleeper = context;
    bout_t *self = sleeper->bout;
    if (result->end != SANDBOX_TIMEOUT)
        bench_fail ("a sleeper ended by %s, not at its limit", sandbox_end_name (result->end));
    samples_add (&self->late, bench_now_ms () - self->started_ms[sleeper->index] - LIMIT_MS);
    free (sleeper);
    if (++self->ended == SLEEPERS)
        zloop_timer (self->loop, 0, 1, s_stop, NULL);
    else if (self->started < SLEEPERS)
        s_start_next (self);
}

static void s_start_next (bout_t *self)
{
    static const char *const command[] = {"sleep", "8", NULL};
    sandbox_job_t job = {
        .command = command, .timeout_ms = LIMIT_MS, .memory_bytes = 64 * 1024 * 1024, .output_bytes = 65536};
    sleeper_t *sleeper = calloc (1, sizeof *sleeper);
    problem_t problem;
    if (sleeper == NULL)
        bench_fail ("%s", error_text (ERROR_MEMORY));
    *sleeper = (sleeper_t){self, self->started};
    self->started_ms[self->started++] = bench_now_ms ();
    if (sandbox_start (self->sandbox, &job, s_done, sleeper, &problem) == NULL)
        bench_fail ("%s", problem.text);
}

void bench_limits (void)
{
    problem_t problem;
    bout_t bout = {.loop = zloop_new ()};
    bout.sandbox = sandbox_new (bout.loop, false, BENCH_HELPERS, &problem);
    if (bout.sandbox == NULL)
        bench_fail ("%s", problem.text);
    double before_ms = bench_now_ms ();
    for (size_t i = 0; i < SLOTS; i++)
        s_start_next (&bout);
    zloop_start (bout.loop);
    double wall_ms = bench_now_ms () - before_ms, late_ms = samples_quantile (&bout.late, 1);
    printf ("%d evaluations that sleep for 8 s, limit %d ms, %d slots\n", SLEEPERS, LIMIT_MS, SLOTS);
    printf ("  all ended after %.0f ms   (aim: about 2 s, at most %.0f ms: %s)\n", wall_ms, AIM_MS,
            bench_verdict (wall_ms <= AIM_MS));
    printf ("  gone behind its limit: median %.1f ms, latest %.1f ms   (aim: at most %.0f ms: %s)\n",
            samples_quantile (&bout.late, 0.5), late_ms, LATE_MS, bench_verdict (late_ms <= LATE_MS));
    sandbox_destroy (&bout.sandbox);
    zloop_destroy (&bout.loop);
    samples_clear (&bout.late);
}
