/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE /* strsignal */
#include "node/io/evaluation.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evolution/improvement.h"
#include "node/io/checkout.h"
#include "node/io/job_table.h"

struct evaluations {
    const workshop_t *workshop;
    job_done_fn *done;
    void *context;
    checkouts_t *checkouts;
    job_table_t *jobs;
    digest_t candidates[JOBS_MAX]; /* which one each job evaluates */
};

/* --- the result --- */

static void s_tell (evaluations_t *self, const evaluated_t *fields)
{
    event_t event = {.kind = EVENT_EVALUATED};
    event.as.evaluated = *fields;
    self->done (self->context, &event);
}

/* It could not be run at all: a fault of this node, unless `reason` says otherwise. */
static void s_tell_unrun (evaluations_t *self, uint64_t operation, reason_code_t reason, const char *why)
{
    char detail[PROBLEM_TEXT_MAX];
    evaluated_t fields = {.operation = operation, .reason = (uint64_t)reason};
    fields.detail = text_clean (text_of (why), detail, sizeof detail);
    s_tell (self, &fields);
}

static reason_code_t s_reason (const sandbox_result_t *result)
{
    switch (result->end) {
    case SANDBOX_EXITED: return result->exit_code == 0 ? REASON_NONE : REASON_INVALID_EXIT;
    case SANDBOX_SIGNALED: return REASON_INVALID_CRASH;
    case SANDBOX_TIMEOUT: return REASON_INVALID_TIMEOUT;
    case SANDBOX_MEMORY: return REASON_INVALID_MEMORY;
    case SANDBOX_PROCESSES: return REASON_INVALID_PROCESSES;
    case SANDBOX_OUTPUT: return REASON_INVALID_OUTPUT;
    case SANDBOX_CANCELLED:
    case SANDBOX_FAILED: return REASON_FAULT;
    }
    return REASON_FAULT;
}

/* Says in words how a run that gave no result ended. */
static void s_describe (const sandbox_result_t *result, const agent_t *agent, problem_t *problem)
{
    switch (result->end) {
    case SANDBOX_EXITED: problem_set (problem, "the evaluator exited with code %d", result->exit_code); break;
    case SANDBOX_SIGNALED:
        problem_set (problem, "the evaluator was ended by signal %d (%s)", result->signal,
                     strsignal (result->signal));
        break;
    case SANDBOX_TIMEOUT:
        problem_set (problem, "no result within %llu ms", (unsigned long long)agent->timeout_ms);
        break;
    case SANDBOX_MEMORY:
        problem_set (problem, "more than %llu bytes of memory", (unsigned long long)agent->memory_bytes);
        break;
    case SANDBOX_PROCESSES:
        problem_set (problem, "more than %llu processes", (unsigned long long)agent->processes_max);
        break;
    case SANDBOX_OUTPUT: problem_set (problem, "more than %d bytes of output", LIMIT_OUTPUT_BYTES); break;
    case SANDBOX_CANCELLED:
    case SANDBOX_FAILED: problem_set (problem, "the sandbox failed"); break;
    }
}

/* Fills in what the sandbox itself measured, in the units that agent.h states: bytes, and seconds. */
static void s_fill_measured (const agent_t *agent, const sandbox_result_t *result, metrics_t *metrics)
{
    for (size_t i = 0; i < agent->objectives.count; i++)
        switch (agent->objectives.items[i].source) {
        case SOURCE_EVALUATOR: break;
        case SOURCE_PEAK_MEMORY: metrics->values[i] = (double)result->memory_peak_bytes; break;
        case SOURCE_CPU_TIME: metrics->values[i] = (double)result->cpu_us / 1e6; break;
        case SOURCE_WALL_TIME: metrics->values[i] = (double)result->wall_ms / 1e3; break;
        }
}

/* Judges what a run printed: REASON_NONE with the metrics, or why not. */
static reason_code_t s_judge (const agent_t *agent, const sandbox_result_t *result, metrics_t *metrics,
                              char *artifacts, size_t artifacts_size, problem_t *problem)
{
    reason_code_t reason = s_reason (result);
    if (reason != REASON_NONE) {
        s_describe (result, agent, problem);
        return reason;
    }
    if (agent_read_result (agent, result->output, result->output_size, metrics, artifacts, artifacts_size,
                           problem) != 0)
        return result->output_size == 0 ? REASON_INVALID_OUTPUT : REASON_INVALID_RESULT;
    s_fill_measured (agent, result, metrics);
    return REASON_NONE;
}

static void s_tell_run (evaluations_t *self, uint64_t operation, const sandbox_result_t *result)
{
    problem_t problem = {{0}};
    metrics_t metrics = {0};
    value_t values[LIMIT_OBJECTIVES];
    char artifacts[LIMIT_LONG_TEXT], detail[LIMIT_LONG_TEXT];
    reason_code_t reason =
        s_judge (self->workshop->agent, result, &metrics, artifacts, sizeof artifacts, &problem);
    evaluated_t fields = {.operation = operation,
                          .reason = (uint64_t)reason,
                          .wall_ms = result->wall_ms,
                          .cpu_us = result->cpu_us,
                          .memory_bytes = result->memory_peak_bytes};
    if (reason == REASON_NONE) {
        for (size_t i = 0; i < metrics.count; i++)
            values[i].value = metrics.values[i];
        fields.metrics.items = values;
        fields.metrics.count = metrics.count;
        fields.detail = text_clean (text_of (artifacts), detail, sizeof detail);
    } else
        fields.detail = workshop_detail (problem.text, result, detail, sizeof detail);
    s_tell (self, &fields);
}

static void s_ended (void *context, size_t slot, uint64_t operation, const sandbox_result_t *result)
{
    evaluations_t *self = context;
    checkouts_return (self->checkouts, &self->candidates[slot]);
    if (result != NULL)
        s_tell_run (self, operation, result);
}

/* --- new and destroy --- */

evaluations_t *evaluations_new (const workshop_t *workshop, job_done_fn *done, void *context)
{
    evaluations_t *self = calloc (1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->workshop = workshop;
    self->done = done;
    self->context = context;
    self->checkouts = checkouts_new (workshop);
    self->jobs = job_table_new (workshop->sandbox, s_ended, self);
    if (self->checkouts == NULL || self->jobs == NULL)
        evaluations_destroy (&self);
    return self;
}

void evaluations_destroy (evaluations_t **self_p)
{
    evaluations_t *self = *self_p;
    if (self == NULL)
        return;
    checkouts_destroy (&self->checkouts);
    job_table_destroy (&self->jobs);
    free (self);
    *self_p = NULL;
}

/* --- the run --- */

static int s_start_job (evaluations_t *self, size_t slot, uint64_t operation, const char *directory,
                        problem_t *problem)
{
    const workshop_t *shop = self->workshop;
    const char *words[AGENT_COMMAND_MAX + 1];
    workshop_words (&shop->agent->evaluator, words);
    sandbox_job_t job = {.command = words,
                         .directory = "/agent",
                         .mounts = {{directory, "/agent", false}},
                         .mount_count = 1,
                         .timeout_ms = shop->agent->timeout_ms,
                         .memory_bytes = shop->agent->memory_bytes,
                         .processes_max = shop->agent->processes_max,
                         .output_bytes = LIMIT_OUTPUT_BYTES};
    if (shop->config->private_data[0] != '\0')
        job.mounts[job.mount_count++] = (sandbox_mount_t){shop->config->private_data, "/private", false};
    return job_table_start (self->jobs, slot, operation, &job, problem);
}

/* Takes the candidate's files and starts its run over them. */
static int s_start (evaluations_t *self, const evaluate_t *effect, problem_t *problem)
{
    size_t slot;
    if (job_table_place (self->jobs, &slot, problem) != 0)
        return -1;
    const char *directory = checkouts_take (self->checkouts, &effect->candidate, problem);
    if (directory == NULL)
        return -1;
    self->candidates[slot] = effect->candidate;
    if (s_start_job (self, slot, effect->operation, directory, problem) == 0)
        return 0;
    checkouts_return (self->checkouts, &effect->candidate);
    return -1;
}

/* True if the evolve files that `current` holds are those of `candidate`. */
static int s_check_live (const workshop_t *shop, const digest_t *candidate, problem_t *problem)
{
    char path[PATH_MAX], expected[DIGEST_SHORT_BYTES];
    tree_t tree = {0}, live = {0};
    digest_short (candidate, expected);
    snprintf (path, sizeof path, "%s/current", shop->data_directory);
    int result = workshop_tree (shop, candidate, &tree, problem);
    if (result == 0)
        result = workspace_read_evolved (shop->store, path, &tree, &live, problem);
    if (result == 0 && !tree_equal (&tree, &live))
        result =
            problem_set (problem, "the files in %s are not those of release %s: something else changed them",
                         path, expected);
    tree_clear (&tree);
    tree_clear (&live);
    return result;
}

void evaluations_start (evaluations_t *self, const evaluate_t *effect)
{
    assert (effect->operation != 0);
    const workshop_t *shop = self->workshop;
    problem_t problem = {{0}};
    if (effect->foreign && !sandbox_confines (shop->sandbox)) {
        s_tell_unrun (self, effect->operation, REASON_UNSANDBOXED, reason_description (REASON_UNSANDBOXED));
        return;
    }
    if ((effect->live && s_check_live (shop, &effect->candidate, &problem) != 0) ||
        s_start (self, effect, &problem) != 0)
        s_tell_unrun (self, effect->operation, REASON_FAULT, problem.text);
}

bool evaluations_cancel (evaluations_t *self, uint64_t operation)
{
    return job_table_cancel (self->jobs, operation);
}

void evaluations_cancel_all (evaluations_t *self)
{
    job_table_cancel_all (self->jobs);
}

size_t evaluations_running (const evaluations_t *self)
{
    return job_table_count (self->jobs);
}
