/* SPDX-License-Identifier: MPL-2.0 */
/* The manifest of an agent, agent.yaml: what may change, how it is measured, what is better. Pinned: the same
 * for all members, part of the evaluator id. */
#ifndef EVOMESH_NODE_AGENT_H
#define EVOMESH_NODE_AGENT_H

#include "evolution/objective.h"
#include "evolution/tree.h"

#define AGENT_MANIFEST       "agent.yaml"
#define AGENT_COMMAND_MAX    16 /* words of a command */
#define AGENT_PROPOSERS_MAX  4
#define AGENT_STAGES_MAX     4
#define AGENT_THRESHOLDS_MAX 8 /* of one stage */

typedef struct {
    char words[AGENT_COMMAND_MAX][LIMIT_PATH + 1];
    size_t count;
} agent_command_t;

typedef struct {
    char name[LIMIT_NAME + 1]; /* "tune", "llm", or a name for a command */
    agent_command_t command;   /* empty for a built-in one */
    double share;              /* of the proposals; relative */
    uint64_t timeout_ms;
    bool timeout_given;
} agent_proposer_t;

/* What a stage must reach: a metric that it reports, and its bound. */
typedef struct {
    char metric[LIMIT_NAME + 1];
    double bound;
    bool at_most; /* of an objective to minimize; else the bound is the least */
} agent_threshold_t;

/* A cheap check before the evaluator proper. A candidate that misses a threshold never gets to what follows. */
typedef struct {
    char name[LIMIT_NAME + 1];
    agent_command_t command; /* unless given, the evaluator's followed by `--stage NAME` */
    uint64_t timeout_ms;     /* these two unless given are the evaluator's */
    uint64_t memory_bytes;
    agent_threshold_t thresholds[AGENT_THRESHOLDS_MAX];
    size_t threshold_count;
} agent_stage_t;

typedef struct {
    char name[LIMIT_NAME + 1];
    char description[LIMIT_TEXT + 1];
    char language[LIMIT_NAME + 1];                   /* free word, e.g. "c"; for compatibility; optional */
    char evolve[LIMIT_EVOLVE_FILES][LIMIT_PATH + 1]; /* paths, no patterns */
    size_t evolve_count;
    agent_command_t evaluator;
    uint64_t timeout_ms;    /* default 60 s */
    uint64_t memory_bytes;  /* default 1 GiB */
    uint64_t processes_max; /* default 64 */
    agent_stage_t
        stages[AGENT_STAGES_MAX]; /* in their order; run once for a candidate, before it is compared */
    size_t stage_count;
    objectives_t objectives;
    agent_proposer_t proposers[AGENT_PROPOSERS_MAX]; /* suggested; the operator accepts them in node.yaml */
    size_t proposer_count;
} agent_t;

/* Reads a manifest's text. `file` names it in problems. Objectives named "peak_memory" (bytes), "cpu_time"
 * and "wall_time" (seconds) are measured by the sandbox, all others by the evaluator. Returns 0 or -1 with
 * the problem. */
int agent_parse (const char *file, const char *text, size_t size, agent_t *agent, problem_t *problem);

/* Splits an agent's files into pinned and evolved; agent.yaml and every path in `evolve` must be there. The
 * evaluator id is the tree_id of the pinned files (under a zero evaluator). Both trees are freed by
 * tree_clear, also after a failure. Returns 0 or -1 with the problem. */
int agent_split (const agent_t *agent, const tree_t *files, tree_t *pinned, tree_t *evolved,
                 problem_t *problem);

/* The longest that one evaluation may take: its stages, and the evaluator itself. */
uint64_t agent_evaluation_ms (const agent_t *agent);

/* Reads the result that an evaluator printed: the last non-empty line of its stdout, one JSON object, either
 * {"metrics": {"name": number…}, "artifacts": {…}} or flat {"name": number…}: without "metrics" and "valid", and with
 * nothing but numbers beside "artifacts" and "error". The metrics are put in the objectives' order (those measured by
 * the sandbox are left at 0 for the caller to fill); what is no objective is ignored. `artifacts` receives the
 * artifacts as compact JSON, "" if there are none; entries that don't fit in `artifacts_size` are left out; it may be
 * NULL with size 0. Returns 0, or -1 with what was found and expected: no JSON, a key twice, "valid": false or a text
 * as "error", a metric missing, not a number, not finite. */
int agent_read_result (const agent_t *agent, const char *output, size_t size, metrics_t *metrics,
                       char *artifacts, size_t artifacts_size, problem_t *problem);

/* Reads what a stage printed, in the same forms; of its metrics only those with a threshold count. 0 with `passed`, and
 * where it is false with the threshold that was missed as the problem; -1 if it is no valid result. */
int agent_read_stage (const agent_stage_t *stage, const char *output, size_t size, bool *passed,
                      char *artifacts, size_t artifacts_size, problem_t *problem);

#endif
