/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/check_run.h"

#include <assert.h>
#include <czmq.h>
#include <signal.h>
#include <stdlib.h>

#include "node/io/evaluation.h"

typedef struct {
    workshop_t shop;
    agent_t agent; /* with the time that is left as its timeout */
    evaluations_t *evaluations;
    digest_t start;
    size_t wanted;
    uint64_t timeout_ms; /* the agent's own */
    uint64_t end_ms;     /* on the monotonic clock */
    bool ended;
    check_runs_t *runs;
} check_t;

static uint64_t s_left_ms (const check_t *check)
{
    uint64_t now_ms = (uint64_t)zclock_mono ();
    return now_ms < check->end_ms ? check->end_ms - now_ms : 0;
}

static int s_next (zloop_t *loop, int timer, void *context);

static void s_done (void *context, const event_t *event)
{
    assert (event->kind == EVENT_EVALUATED);
    check_t *check = context;
    const evaluated_t *result = &event->as.evaluated;
    assert (check->runs->count < check->wanted);
    check_run_t *run = &check->runs->items[check->runs->count++];
    *run = (check_run_t){.reason = (reason_code_t)result->reason,
                         .wall_ms = result->wall_ms,
                         .cpu_us = result->cpu_us,
                         .memory_bytes = result->memory_bytes};
    text_copy (result->detail, run->detail, sizeof run->detail);
    assert (result->metrics.count <= LIMIT_OBJECTIVES);
    for (size_t i = 0; i < result->metrics.count; i++)
        run->metrics.values[i] = result->metrics.items[i].value;
    run->metrics.count = result->metrics.count;
    check->runs->out_of_time =
        run->reason == REASON_INVALID_TIMEOUT && check->agent.timeout_ms < check->timeout_ms;
    zloop_timer (check->shop.loop, 0, 1, s_next, check);
}

/* Starts the next run, or ends the loop. */
static int s_next (zloop_t *loop, int timer, void *context)
{
    (void)loop, (void)timer;
    check_t *check = context;
    check_runs_t *runs = check->runs;
    const check_run_t *last = runs->count == 0 ? NULL : &runs->items[runs->count - 1];
    check->ended = runs->count == check->wanted || (last != NULL && last->reason != REASON_NONE);
    if (!check->ended && last != NULL && s_left_ms (check) < 2 * last->wall_ms)
        runs->out_of_time = check->ended = true;
    if (check->ended)
        return -1;
    uint64_t left_ms = s_left_ms (check);
    check->agent.timeout_ms = left_ms < check->timeout_ms ? left_ms : check->timeout_ms;
    evaluate_t evaluate = {
        .operation = runs->count + 1, .candidate = check->start, .staged = runs->count == 0};
    evaluations_start (check->evaluations, &evaluate);
    return 0;
}

static void s_interrupt (int number)
{
    (void)number; /* that it came ends the loop */
}

/* Ctrl-C ends the loop, so that the scratch directory goes and no child stays. */
static void s_catch_signals (void)
{
    struct sigaction action = {.sa_handler = s_interrupt};
    sigaction (SIGINT, &action, NULL);
    sigaction (SIGTERM, &action, NULL);
}

static int s_loop (check_t *check, const char *helpers)
{
    problem_t problem;
    check->shop.sandbox = sandbox_new (check->shop.loop, false, helpers, &problem);
    if (check->shop.sandbox == NULL)
        return cli_fail ("%s; `evomesh doctor` tells more", problem.text);
    check->evaluations = evaluations_new (&check->shop, s_done, check);
    assert (check->evaluations != NULL);
    s_catch_signals ();
    zloop_timer (check->shop.loop, 0, 1, s_next, check);
    zloop_start (check->shop.loop);
    sandbox_destroy (&check->shop.sandbox);
    evaluations_destroy (&check->evaluations);
    return check->ended ? CLI_DONE : cli_fail ("interrupted");
}

int check_run (const cli_t *cli, const scratch_store_t *scratch, const agent_copy_t *copy,
               const char *private_data, size_t wanted, uint64_t within_ms, check_runs_t *runs)
{
    assert (cli != NULL && scratch != NULL && copy != NULL && runs != NULL);
    assert (wanted > 0 && wanted <= CHECK_RUNS_MAX);
    char helpers[CLI_PATH_BYTES];
    if (cli_path (cli->prefix, "libexec/evomesh", helpers) != CLI_DONE)
        return CLI_FAILED;
    config_t *config = calloc (1, sizeof *config);
    check_t *check = calloc (1, sizeof *check);
    assert (config != NULL && check != NULL);
    config_defaults (config, 1);
    snprintf (config->private_data, sizeof config->private_data, "%s", private_data);
    *check = (check_t){.agent = copy->agent,
                       .start = copy->start,
                       .wanted = wanted,
                       .timeout_ms = copy->agent.timeout_ms,
                       .end_ms = (uint64_t)zclock_mono () + within_ms,
                       .runs = runs};
    check->shop = (workshop_t){.loop = zloop_new (),
                               .store = scratch->store,
                               .data_directory = scratch->path,
                               .work_directory = scratch->path,
                               .agent = &check->agent,
                               .config = config,
                               .pinned = &copy->pinned,
                               .evaluator = copy->evaluator,
                               .start = copy->start};
    assert (check->shop.loop != NULL);
    int rc = s_loop (check, helpers);
    zloop_destroy (&check->shop.loop);
    free (check);
    free (config);
    return rc;
}
