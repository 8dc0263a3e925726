/* SPDX-License-Identifier: MPL-2.0 */
/* The executor: carries out the effects that are jobs (PROPOSE, EVALUATE, CANCEL, MERGE, LOAD, SNAPSHOT, APPLY, RESTORE). Each
 * ends with its event, given to `done`, which queues it for a later turn. */
#ifndef EVOMESH_NODE_IO_EXECUTOR_H
#define EVOMESH_NODE_IO_EXECUTOR_H

#include <jansson.h>

#include "node/io/workshop.h"

typedef struct executor executor_t;

/* `workshop` is borrowed. NULL only when out of memory. */
executor_t *executor_new (const workshop_t *workshop, job_done_fn *done, void *context);

/* Gives up what is under way. The sandbox must be gone already (sandbox_destroy), so that no run comes back. */
void executor_destroy (executor_t **self_p);

/* True for the effects that are jobs. */
bool executor_takes (effect_kind_t kind);

/* Starts one (executor_takes says which; others are asserted not to come). */
void executor_run (executor_t *self, const effect_t *effect);

/* What was spent on models, for status; NULL if node.yaml names none. */
json_t *executor_spending (const executor_t *self);

/* Ends every run and restart that is under way; no event comes of them any more. */
void executor_abandon (executor_t *self);

#endif
