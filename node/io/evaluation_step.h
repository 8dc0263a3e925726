/* SPDX-License-Identifier: MPL-2.0 */
/* The steps of an evaluation: the stages of the agent's evaluator, in their order, and then the evaluator itself. Each is a run in
 * the sandbox, with a command and limits of its own. */
#ifndef EVOMESH_NODE_IO_EVALUATION_STEP_H
#define EVOMESH_NODE_IO_EVALUATION_STEP_H

#include "evolution/improvement.h"
#include "node/io/workshop.h"

/* A step's number is that of the stage; the evaluator itself has agent->stage_count. */
bool evaluation_step_is_last (const agent_t *agent, size_t step);

/* What to run, and within which limits; mounts and directory are left to the caller. `words` must live as long as the job, and borrows
 * from the agent. */
void evaluation_step_job (const agent_t *agent, size_t step, const char *words[AGENT_COMMAND_MAX + 1],
                          sandbox_job_t *job);

/* Judges how a step ended and what it printed. REASON_NONE: a stage was passed, or the evaluator gave a valid result, which is then in
 * `metrics`. Else why not, with the problem, which names the stage. `artifacts` receives those of the step, as far as they fit. */
reason_code_t evaluation_step_judge (const agent_t *agent, size_t step, const sandbox_result_t *result,
                                     metrics_t *metrics, char *artifacts, size_t artifacts_size,
                                     problem_t *problem);

#endif
