/* SPDX-License-Identifier: MPL-2.0 */
/* The programs that run for operations of the core: which run belongs to which operation, and what was cancelled meanwhile.
 * What a job is about stays with its owner, who keeps it in an array of JOBS_MAX beside the table, under the same slot. */
#ifndef EVOMESH_NODE_IO_JOB_TABLE_H
#define EVOMESH_NODE_IO_JOB_TABLE_H

#include "node/io/sandbox.h"

#define JOBS_MAX LIMIT_OPERATIONS

typedef struct job_table job_table_t;

/* A job is gone, and its slot free: it may be given to the next one from within the call. `result` (borrowed for the call) says
 * how it ended; NULL if it was cancelled: then only what the job held is to be given back. */
typedef void (job_ended_fn) (void *context, size_t slot, uint64_t operation, const sandbox_result_t *result);

/* `sandbox` is borrowed; it is destroyed first, and ends what still runs without a word. NULL only when out of memory. */
job_table_t *job_table_new (sandbox_t *sandbox, job_ended_fn *ended, void *context);
void job_table_destroy (job_table_t **self_p);

/* Finds a free slot. It stays free until job_table_start. 0, or -1 if all are taken, with the problem. */
int job_table_place (const job_table_t *self, size_t *slot, problem_t *problem);

/* Starts `job` for `operation` in a free slot; `ended` comes once, never from within this call. 0, or -1 with the problem: the
 * slot is free still. */
int job_table_start (job_table_t *self, size_t slot, uint64_t operation, const sandbox_job_t *job,
                     problem_t *problem);

/* Kills the job of `operation`; false if there is none, or it is cancelled already. */
bool job_table_cancel (job_table_t *self, uint64_t operation);
void job_table_cancel_all (job_table_t *self);

/* How many jobs are not gone yet, the cancelled ones included. */
size_t job_table_count (const job_table_t *self);

#endif
