/* SPDX-License-Identifier: MPL-2.0 */
/* The measuring half of `agent check`: runs of the evaluator, just as a node runs them. */
#ifndef EVOMESH_NODE_CLI_CHECK_RUN_H
#define EVOMESH_NODE_CLI_CHECK_RUN_H

#include "evolution/improvement.h"
#include "node/cli/agent_copy.h"

#define CHECK_RUNS_MAX 32

typedef struct {
    reason_code_t reason; /* REASON_NONE: the run was valid */
    char detail[LIMIT_LONG_TEXT + 1];
    metrics_t metrics;
    uint64_t wall_ms;
    uint64_t cpu_us;
    uint64_t memory_bytes;
} check_run_t;

typedef struct {
    check_run_t items[CHECK_RUNS_MAX];
    size_t count;
    bool out_of_time; /* fewer than wanted, as the time was up */
} check_runs_t;

/* Runs the evaluator of `copy` (whose files `scratch` holds) `wanted` times, one after the other, with `private_data` ("" for
 * none) at /private, for about `within_ms` in all. Ends early at a run that is not valid. */
int check_run (const cli_t *cli, const scratch_store_t *scratch, const agent_copy_t *copy,
               const char *private_data, size_t wanted, uint64_t within_ms, check_runs_t *runs);

#endif
