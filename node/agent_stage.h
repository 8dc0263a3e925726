/* SPDX-License-Identifier: MPL-2.0 */
/* The `stages:` list of an evaluator in agent.yaml. */
#ifndef EVOMESH_NODE_AGENT_STAGE_H
#define EVOMESH_NODE_AGENT_STAGE_H

#include "node/agent.h"
#include "node/schema.h"

/* The keys of one stage; offsets are within agent_stage_t. */
extern const schema_key_t agent_stage_keys[];

/* Fills in what stages take from their evaluator, and which way their thresholds point; then checks what a table can't
 * state: names are given once, no threshold is on what the sandbox measures. `text` is the file's, for the line. Call it when the
 * objectives are finished. Returns 0 or -1 with the problem. */
int agent_stages_finish (agent_t *agent, const char *file, const char *text, size_t size, problem_t *problem);

#endif
