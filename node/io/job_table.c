/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/job_table.h"

#include <assert.h>
#include <stdlib.h>

typedef struct {
    uint64_t operation; /* 0: the slot is free */
    sandbox_run_t *run;
    bool cancelled;
    job_table_t *table;
} job_t;

struct job_table {
    sandbox_t *sandbox;
    job_ended_fn *ended;
    void *context;
    job_t jobs[JOBS_MAX];
};

job_table_t *job_table_new (sandbox_t *sandbox, job_ended_fn *ended, void *context)
{
    assert (sandbox != NULL && ended != NULL);
    job_table_t *self = calloc (1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->sandbox = sandbox;
    self->ended = ended;
    self->context = context;
    return self;
}

void job_table_destroy (job_table_t **self_p)
{
    assert (self_p != NULL);
    free (*self_p);
    *self_p = NULL;
}

int job_table_place (const job_table_t *self, size_t *slot, problem_t *problem)
{
    assert (self != NULL && slot != NULL);
    for (size_t i = 0; i < JOBS_MAX; i++)
        if (self->jobs[i].operation == 0) {
            *slot = i;
            return 0;
        }
    return problem_set (problem, "more than %d programs at once", JOBS_MAX);
}

static void s_done (void *context, const sandbox_result_t *result)
{
    job_t *job = context;
    job_table_t *self = job->table;
    const job_t ended = *job;
    assert (ended.operation != 0);
    *job = (job_t){.operation = 0};
    self->ended (self->context, (size_t)(job - self->jobs), ended.operation, ended.cancelled ? NULL : result);
}

int job_table_start (job_table_t *self, size_t slot, uint64_t operation, const sandbox_job_t *job,
                     problem_t *problem)
{
    assert (self != NULL && job != NULL);
    assert (slot < JOBS_MAX && operation != 0);
    job_t *place = &self->jobs[slot];
    assert (place->operation == 0);
    place->table = self;
    place->run = sandbox_start (self->sandbox, job, s_done, place, problem);
    if (place->run == NULL)
        return -1;
    place->operation = operation;
    return 0;
}

static bool s_cancel (job_t *job)
{
    if (job->operation == 0 || job->cancelled)
        return false;
    assert (job->run != NULL && job->table != NULL);
    job->cancelled = true;
    sandbox_cancel (job->run);
    return true;
}

bool job_table_cancel (job_table_t *self, uint64_t operation)
{
    assert (self != NULL);
    assert (operation != 0);
    /* One that was cancelled before may not be gone yet, and its operation asked for again. */
    for (size_t i = 0; i < JOBS_MAX; i++)
        if (self->jobs[i].operation == operation && s_cancel (&self->jobs[i]))
            return true;
    return false;
}

void job_table_cancel_all (job_table_t *self)
{
    assert (self != NULL);
    for (size_t i = 0; i < JOBS_MAX; i++)
        s_cancel (&self->jobs[i]);
}

size_t job_table_count (const job_table_t *self)
{
    assert (self != NULL);
    size_t count = 0;
    for (size_t i = 0; i < JOBS_MAX; i++)
        count += self->jobs[i].operation != 0;
    return count;
}
