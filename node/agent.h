/* SPDX-License-Identifier: MPL-2.0 */
/* The manifest of an agent, agent.yaml: what may change, how it is measured, what is better. Pinned: the same for all
 * members, part of the evaluator id. */
#ifndef EVOMESH_NODE_AGENT_H
#define EVOMESH_NODE_AGENT_H

#include "evolution/objective.h"
#include "evolution/tree.h"

#define AGENT_MANIFEST "agent.yaml"
#define AGENT_COMMAND_MAX 16 /* words of a command */
#define AGENT_PROPOSERS_MAX 4

typedef struct {
    char words[AGENT_COMMAND_MAX][LIMIT_PATH + 1];
    size_t count;
} agent_command_t;

typedef struct {
    char name[LIMIT_NAME + 1]; /* "tune", or a name for a command */
    agent_command_t command;   /* empty for a built-in one */
    double share;              /* of the proposals; relative */
    uint64_t timeout_ms;
} agent_proposer_t;

typedef struct {
    char name[LIMIT_NAME + 1];
    char description[LIMIT_TEXT + 1];
    char language[LIMIT_NAME + 1]; /* free word, e.g. "c"; for compatibility; optional */
    char evolve[LIMIT_EVOLVE_FILES][LIMIT_PATH + 1]; /* paths, no patterns */
    size_t evolve_count;
    agent_command_t evaluator;
    uint64_t timeout_ms;   /* default 60 s */
    uint64_t memory_bytes; /* default 1 GiB */
    uint64_t processes_max; /* default 64 */
    objectives_t objectives;
    agent_proposer_t proposers[AGENT_PROPOSERS_MAX]; /* suggested; the operator accepts them in node.yaml */
    size_t proposer_count;
} agent_t;

/* Reads a manifest's text. `file` names it in problems. Returns 0 or -1 with the problem. */
int agent_parse (const char *file, const char *text, size_t size, agent_t *agent, problem_t *problem);

/* Splits an agent's files into pinned and evolved; every path in `evolve` must be there. The evaluator id is the
 * tree_id of the pinned files (under a zero evaluator). Both trees are freed by tree_clear. */
int agent_split (const agent_t *agent, const tree_t *files, tree_t *pinned, tree_t *evolved, problem_t *problem);

/* The built-in sources of metrics: "peak_memory", "cpu_time", "wall_time" as objective names. */

/* Reads the result that an evaluator printed: the last non-empty line of its stdout, one JSON object. The metrics are
 * put in the objectives' order (those measured by the sandbox are left at 0 for the caller to fill). Returns 0, or -1 with what was
 * wrong: no JSON, "valid": false (with its "error" text), a metric missing, not a number, not finite. */
int agent_read_result (const agent_t *agent, const char *output, size_t size, metrics_t *metrics, char *artifacts,
                       size_t artifacts_size, problem_t *problem);

#endif
