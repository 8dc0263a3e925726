/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/evaluation.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/io/checkout.h"
#include "node/io/evaluation_blocks.h"
#include "node/io/evaluation_step.h"
#include "node/io/job_table.h"

#define STAGE_ARTIFACTS_BYTES 512 /* of one stage, kept */
#define NOTES_BYTES           (AGENT_STAGES_MAX * (STAGE_ARTIFACTS_BYTES + LIMIT_NAME + 8) + 16)
_Static_assert(NOTES_BYTES < LIMIT_LONG_TEXT * 2 / 3,
               "the evaluator's own artifacts need room beside those of the stages");

/* One evaluation: the run that is under way, and what those before it came to. */
typedef struct {
    digest_t candidate;
    const char *directory; /* its checkout, borrowed until it is given back */
    size_t step;
    char *notes; /* the artifacts of the stages so far, "name":{…},…; NULL: none */
    uint64_t wall_ms;
    uint64_t cpu_us;
    uint64_t memory_bytes; /* highest of all runs */
} evaluation_t;

struct evaluations {
    const workshop_t *workshop;
    job_done_fn *done;
    void *context;
    checkouts_t *checkouts;
    job_table_t *jobs;
    evaluation_t running[JOBS_MAX]; /* beside the table, under the same slot */
};

/* --- the result --- */

static void s_tell (evaluations_t *self, const evaluated_t *fields)
{
    event_t event = {.kind = EVENT_EVALUATED};
    event.as.evaluated = *fields;
    self->done (self->context, &event);
}

/* It was not run at all: a fault of this node, unless `reason` says otherwise. */
static void s_tell_unrun (evaluations_t *self, uint64_t operation, reason_code_t reason, const char *why)
{
    char detail[PROBLEM_TEXT_MAX];
    evaluated_t fields = {.operation = operation, .reason = (uint64_t)reason};
    fields.detail = text_clean (text_of (why), detail, sizeof detail);
    s_tell (self, &fields);
}

/* Adds what a stage told to the notes. */
static void s_note (evaluation_t *run, const char *stage, const char *artifacts)
{
    assert (stage[0] != '\0');
    if (artifacts[0] == '\0')
        return;
    if (run->notes == NULL)
        run->notes = calloc (1, NOTES_BYTES);
    if (run->notes == NULL)
        return; /* only a hint is lost */
    size_t used = strlen (run->notes);
    int length = snprintf (run->notes + used, NOTES_BYTES - used, "%s\"%s\":%s", used > 0 ? "," : "", stage,
                           artifacts);
    assert (length > 0 && (size_t)length < NOTES_BYTES - used);
}

/* The artifacts of a valid candidate: the evaluator's own object, with those of the stages in it as "stages". */
static text_t s_artifacts (const evaluation_t *run, const char *own, char *text, size_t size)
{
    char joined[LIMIT_LONG_TEXT];
    if (run->notes == NULL)
        return text_clean (text_of (own), text, size);
    int length = snprintf (joined, sizeof joined, "{\"stages\":{%s}%s%s", run->notes,
                           own[0] == '\0' ? "}" : ",", own[0] == '\0' ? "" : own + 1);
    assert (length > 0 && (size_t)length < sizeof joined); /* s_judge left room */
    return text_clean (text_of (joined), text, size);
}

/* What is told of an invalid one: why, what the stages told, the tail of stderr. */
static text_t s_complaint (const evaluation_t *run, const char *why, const sandbox_result_t *result,
                           char *text, size_t size)
{
    if (run->notes == NULL)
        return workshop_detail (why, result, text, size);
    char raw[PROBLEM_TEXT_MAX + NOTES_BYTES + 16], rest[LIMIT_LONG_TEXT];
    snprintf (raw, sizeof raw, "%s\n{\"stages\":{%s}}", why, run->notes);
    text_t tail = workshop_detail ("", result, rest, sizeof rest); /* "", or a line's end and the tail */
    text_t told = text_clean (text_of (raw), text, size);
    text_t more = text_clean (tail, text + told.size, size - told.size);
    return (text_t){text, told.size + more.size};
}

/* Judges the run that ended; a stage that told something is noted. */
static reason_code_t s_judge (evaluation_t *run, const agent_t *agent, const sandbox_result_t *result,
                              metrics_t *metrics, char artifacts[LIMIT_LONG_TEXT], problem_t *problem)
{
    bool last = evaluation_step_is_last (agent, run->step);
    size_t notes = run->notes == NULL ? 0 : strlen (run->notes) + sizeof "{\"stages\":{}}";
    assert (notes < LIMIT_LONG_TEXT);
    size_t room = last ? LIMIT_LONG_TEXT - notes : STAGE_ARTIFACTS_BYTES;
    reason_code_t reason =
        evaluation_step_judge (agent, run->step, result, metrics, artifacts, room, problem);
    if (!last)
        s_note (run, agent->stages[run->step].name, artifacts);
    return reason;
}

/* The evaluation is over with the run that ended. */
static void s_tell_end (evaluations_t *self, const evaluation_t *run, uint64_t operation,
                        reason_code_t reason, const metrics_t *metrics, const char *artifacts,
                        const char *why, const sandbox_result_t *result)
{
    value_t values[LIMIT_OBJECTIVES];
    char detail[LIMIT_LONG_TEXT];
    evaluated_t fields = {.operation = operation,
                          .reason = (uint64_t)reason,
                          .wall_ms = run->wall_ms,
                          .cpu_us = run->cpu_us,
                          .memory_bytes = run->memory_bytes};
    if (reason == REASON_NONE) {
        for (size_t i = 0; i < metrics->count; i++)
            values[i].value = metrics->values[i];
        fields.metrics.items = values;
        fields.metrics.count = metrics->count;
        fields.detail = s_artifacts (run, artifacts, detail, sizeof detail);
    } else
        fields.detail = s_complaint (run, why, result, detail, sizeof detail);
    s_tell (self, &fields);
}

static void s_add_costs (evaluation_t *run, const sandbox_result_t *result)
{
    run->wall_ms += result->wall_ms;
    run->cpu_us += result->cpu_us;
    if (run->memory_bytes < result->memory_peak_bytes)
        run->memory_bytes = result->memory_peak_bytes;
}

static int s_start_step (evaluations_t *self, size_t slot, uint64_t operation, problem_t *problem)
{
    assert (slot < JOBS_MAX && self->running[slot].directory != NULL);
    const workshop_t *shop = self->workshop;
    const evaluation_t *run = &self->running[slot];
    const char *words[AGENT_COMMAND_MAX + 1];
    sandbox_job_t job;
    evaluation_step_job (shop->agent, run->step, words, &job);
    job.directory = "/agent";
    job.mounts[job.mount_count++] = (sandbox_mount_t){run->directory, "/agent", false};
    if (shop->config->private_data[0] != '\0')
        job.mounts[job.mount_count++] = (sandbox_mount_t){shop->config->private_data, "/private", false};
    return job_table_start (self->jobs, slot, operation, &job, problem);
}

/* Frees the slot before anything is told, as whoever hears of it may start the next one. `result` is NULL for an evaluation that was
 * cancelled. */
static void s_end (evaluations_t *self, size_t slot, uint64_t operation, reason_code_t reason,
                   const metrics_t *metrics, const char *artifacts, const char *why,
                   const sandbox_result_t *result)
{
    assert (slot < JOBS_MAX && self->running[slot].directory != NULL);
    evaluation_t ended = self->running[slot];
    self->running[slot] = (evaluation_t){.directory = NULL};
    checkouts_return (self->checkouts, &ended.candidate);
    if (result != NULL)
        s_tell_end (self, &ended, operation, reason, metrics, artifacts, why, result);
    free (ended.notes);
}

/* A run ended: on to the next step, in the same slot, or the evaluation is over. */
static void s_ended (void *context, size_t slot, uint64_t operation, const sandbox_result_t *result)
{
    evaluations_t *self = context;
    evaluation_t *run = &self->running[slot];
    const agent_t *agent = self->workshop->agent;
    problem_t problem = {{0}};
    metrics_t metrics = {0};
    char artifacts[LIMIT_LONG_TEXT] = "";
    reason_code_t reason = REASON_NONE;
    if (result != NULL) {
        s_add_costs (run, result);
        reason = s_judge (run, agent, result, &metrics, artifacts, &problem);
        if (reason == REASON_NONE && !evaluation_step_is_last (agent, run->step)) {
            run->step++;
            if (s_start_step (self, slot, operation, &problem) == 0)
                return;
            reason = REASON_FAULT;
        }
    }
    s_end (self, slot, operation, reason, &metrics, artifacts, problem.text, result);
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
    for (size_t i = 0; i < JOBS_MAX; i++)
        free (self->running[i].notes);
    free (self);
    *self_p = NULL;
}

/* --- the start --- */

/* Takes the candidate's files and starts its first run over them. */
static int s_start (evaluations_t *self, const evaluate_t *effect, problem_t *problem)
{
    size_t slot;
    if (job_table_place (self->jobs, &slot, problem) != 0)
        return -1;
    const char *directory = checkouts_take (self->checkouts, &effect->candidate, problem);
    if (directory == NULL)
        return -1;
    evaluation_t *run = &self->running[slot];
    assert (run->directory == NULL);
    *run = (evaluation_t){.candidate = effect->candidate,
                          .directory = directory,
                          .step = effect->staged ? 0 : self->workshop->agent->stage_count};
    if (s_start_step (self, slot, effect->operation, problem) == 0)
        return 0;
    checkouts_return (self->checkouts, &effect->candidate);
    run->directory = NULL;
    return -1;
}

/* True if the evolve files that `current` holds are those of `candidate`. */
static int s_check_live (const workshop_t *shop, const digest_t *candidate, problem_t *problem)
{
    char path[PATH_MAX], expected[DIGEST_SHORT_BYTES];
    tree_t tree = {0}, live = {0};
    digest_short (candidate, expected);
    snprintf (path, sizeof path, "%s/current", shop->data_directory);
    int rc = workshop_tree (shop, candidate, &tree, problem);
    if (rc == 0)
        rc = workspace_read_evolved (shop->store, path, &tree, &live, problem);
    if (rc == 0 && !tree_equal (&tree, &live))
        rc = problem_set (problem, "the files in %s are not those of release %s: something else changed them",
                          path, expected);
    tree_clear (&tree);
    tree_clear (&live);
    return rc;
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
    reason_code_t reason = evaluation_check_blocks (shop, &effect->candidate, &problem);
    if (reason == REASON_NONE && ((effect->live && s_check_live (shop, &effect->candidate, &problem) != 0) ||
                                  s_start (self, effect, &problem) != 0))
        reason = REASON_FAULT;
    if (reason != REASON_NONE)
        s_tell_unrun (self, effect->operation, reason, problem.text);
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
