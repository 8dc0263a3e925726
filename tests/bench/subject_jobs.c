/* SPDX-License-Identifier: MPL-2.0 */
/* The jobs of a measured node: made up, at once. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/subject_internal.h"

/* Two exact objectives that pull against each other, so that there is a front: what costs less is larger. */
static metrics_t s_make_up (subject_t *self)
{
    const double *live = self->live.metrics.values;
    double u = random_unit (&self->random), noise = random_unit (&self->random);
    if (random_unit (&self->random) < self->options.win_chance)
        return (metrics_t){{live[0] * 0.98, live[1]}, 2};
    return (metrics_t){{live[0] * (1.01 + 0.5 * u), live[1] * (1 - 0.3 * u + 0.02 * noise)}, 2};
}

/* Puts a candidate's file and tree into the store, as the production's proposal does it: in a transaction of their own. */
static void s_keep (subject_t *self, const uint8_t *file, const uint8_t *tree, size_t tree_size)
{
    digest_t id;
    if (self->store == NULL)
        return;
    if (store_begin (self->store) != 0 || store_content_put (self->store, file, CLAN_FILE_BYTES, &id) != 0 ||
        store_content_put (self->store, tree, tree_size, &id) != 0 || store_commit (self->store) != 0)
        bench_fail ("%s", store_problem (self->store));
}

static void s_propose (subject_t *self, uint64_t operation, const digest_t *parent)
{
    uint8_t file[CLAN_FILE_BYTES];
    memcpy (file, self->options.clan->file, sizeof file);
    snprintf ((char *)file, sizeof file, "candidate %llu", (unsigned long long)++self->candidates);
    size_t size;
    uint8_t *tree = clan_tree (self->options.clan, file, &size);
    s_keep (self, file, tree, size);
    self->latest[self->candidates % SUBJECT_LATEST] = (measured_t){digest_of (tree, size), s_make_up (self)};
    event_t event = {.kind = EVENT_PROPOSED,
                     .as.proposed = {.operation = operation,
                                     .parent = *parent,
                                     .tree = bytes_of (tree, size),
                                     .description = text_of ("made up")}};
    turn_event (self->turn, &event);
    free (tree);
}

static const measured_t *s_measured (const subject_t *self, const digest_t *id)
{
    if (digest_equal (&self->live.id, id))
        return &self->live;
    for (size_t i = 0; i < SUBJECT_LATEST; i++)
        if (digest_equal (&self->latest[i].id, id))
            return &self->latest[i];
    bench_fail ("a candidate that was forgotten is wanted again");
}

static void s_evaluate (subject_t *self, const waiting_t *job)
{
    const metrics_t *metrics = job->live ? &self->live.metrics : &s_measured (self, &job->candidate)->metrics;
    value_t values[2] = {{metrics->values[0]}, {metrics->values[1]}};
    event_t event = {
        .kind = EVENT_EVALUATED,
        .as.evaluated = {
            .operation = job->operation, .metrics = {values, 2}, .wall_ms = 10, .cpu_us = 10000}};
    turn_event (self->turn, &event);
}

void subject_answer_job (subject_t *self, const waiting_t *job)
{
    static const event_kind_t kinds[] = {[EFFECT_SNAPSHOT] = EVENT_SNAPSHOT_TAKEN,
                                         [EFFECT_APPLY] = EVENT_APPLIED,
                                         [EFFECT_MERGE] = EVENT_MERGED};
    if (job->kind == EFFECT_PROPOSE)
        s_propose (self, job->operation, &job->candidate);
    else if (job->kind == EFFECT_EVALUATE)
        s_evaluate (self, job);
    else {
        if (job->kind == EFFECT_APPLY)
            self->live = *s_measured (self, &job->candidate);
        /* A candidate against a release that was live before is not merged: it is rejected as stale. */
        event_t event = {
            .kind = kinds[job->kind],
            .as.snapshot_taken = {.operation = job->operation, .result = job->kind == EFFECT_MERGE}};
        turn_event (self->turn, &event);
    }
}

void subject_job (void *context, const effect_t *effect)
{
    subject_t *self = context;
    waiting_t job = {.kind = effect->kind};
    if (effect->kind == EFFECT_CANCEL)
        return; /* nothing runs that could be ended */
    if (self->options.watch.wants != NULL)
        self->options.watch.wants (self->options.watch.context, effect->kind);
    if (effect->kind == EFFECT_PROPOSE) {
        job.operation = effect->as.propose.operation;
        job.candidate = effect->as.propose.parent;
    } else if (effect->kind == EFFECT_EVALUATE) {
        job.operation = effect->as.evaluate.operation;
        job.candidate = effect->as.evaluate.candidate;
        job.live = effect->as.evaluate.live;
    } else if (effect->kind == EFFECT_MERGE)
        job.operation = effect->as.merge.operation;
    else if (effect->kind == EFFECT_SNAPSHOT)
        job.operation = effect->as.snapshot.operation;
    else if (effect->kind == EFFECT_APPLY) {
        job.operation = effect->as.apply.operation;
        job.candidate = effect->as.apply.release;
    } else
        bench_fail ("a job that no bench expects: %s", effect_name (effect->kind));
    assert (self->waiting_count < SUBJECT_WAITING);
    self->waiting[self->waiting_count++] = job;
}
