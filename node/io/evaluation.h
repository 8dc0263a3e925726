/* SPDX-License-Identifier: MPL-2.0 */
/* Evaluations: the effect EVALUATE. One run of the agent's evaluator in the sandbox, over its own pinned files and the
 * candidate's evolve files, with the node's private data. Ends with an EVALUATED event.
 *
 *   start ──▶ stage 1 ──passed──▶ stage 2 … ──passed──▶ evaluator ──▶ EVALUATED
 *                └──not passed, not valid────────────────────────────────▲
 *
 * Stages only go before it where the effect says so (`staged`). They count against the evaluation's costs; the objectives that the sandbox
 * measures are those of the evaluator's own run. A candidate that differs from the group's start outside of marked blocks is not run
 * at all (REASON_PROTECTED).
 *
 * The whole agent is at /agent and the private data at /private, both read-only. `live` runs take the evolve files from
 * `current`, as they lie on the disk; if those are not the candidate's, that is a fault. A peer's candidate (`foreign`) only
 * runs where the sandbox really confines. */
#ifndef EVOMESH_NODE_IO_EVALUATION_H
#define EVOMESH_NODE_IO_EVALUATION_H

#include "node/io/workshop.h"

typedef struct evaluations evaluations_t;

/* `workshop` is borrowed. NULL only when out of memory. */
evaluations_t *evaluations_new (const workshop_t *workshop, job_done_fn *done, void *context);
/* Runs that are under way end with the sandbox (sandbox_destroy goes first). Removes the checkouts. */
void evaluations_destroy (evaluations_t **self_p);

/* Starts a run; `done` is called once with its EVALUATED event, unless it is cancelled. */
void evaluations_start (evaluations_t *self, const evaluate_t *effect);

/* Kills the run of `operation`; true if there was one. `done` is not called for it any more. */
bool evaluations_cancel (evaluations_t *self, uint64_t operation);
void evaluations_cancel_all (evaluations_t *self);

/* How many runs are under way. */
size_t evaluations_running (const evaluations_t *self);

#endif
