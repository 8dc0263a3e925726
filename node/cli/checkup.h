/* SPDX-License-Identifier: MPL-2.0 */
/* What `agent check` finds out (agent_check.c), and how it is told (checkup_print.c). */
#ifndef EVOMESH_NODE_CLI_CHECKUP_H
#define EVOMESH_NODE_CLI_CHECKUP_H

#include "evolution/literal.h"
#include "node/cli/check_run.h"

#define CHECKUP_ADVICE_MAX 64

typedef struct {
    const cli_t *cli;
    const agent_copy_t *copy;
    check_runs_t runs;
    literals_t literals[LIMIT_EVOLVE_FILES];
    char *texts[LIMIT_EVOLVE_FILES];
    size_t literal_count; /* in all files */
    char *advice[CHECKUP_ADVICE_MAX];
    size_t advice_count;
    bool unsteady; /* an objective that isn't declared noisy differed between runs */
} checkup_t;

/* How one objective differed between runs of the same files. */
typedef struct {
    double median;
    double spread; /* median absolute deviation over the median; absolute where that is 0 */
    double minimum;
    double maximum;
} noise_t;

/* --- agent_check.c: over all runs, of which there must be one (asserted) --- */
noise_t checkup_noise (const check_runs_t *runs, size_t objective);
/* The median. */
double checkup_wall_ms (const check_runs_t *runs);
uint64_t checkup_memory_peak_bytes (const check_runs_t *runs);

/* --- checkup_print.c --- */
void checkup_print (const checkup_t *checkup);
/* CLI_DONE, or CLI_FAILED if it can't be written. */
int checkup_print_json (const checkup_t *checkup);

#endif
