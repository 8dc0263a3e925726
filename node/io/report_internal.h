/* SPDX-License-Identifier: MPL-2.0 */
/* Parts of report_status. */
#ifndef EVOMESH_NODE_IO_REPORT_INTERNAL_H
#define EVOMESH_NODE_IO_REPORT_INTERNAL_H

#include "node/io/report.h"

/* What the operator could do now, most pressing first: a list of sentences. */
json_t *report_next_steps (const node_status_t *status, const report_process_t *process);
/* Why nothing goes on that the node itself can't mend: the store's problem, or what the evaluator said of the live release; null: none. */
json_t *report_problem (const node_status_t *status, const report_process_t *process);
/* {"text", "time_ms"} of the last fault; null if something worked since. */
json_t *report_fault (const node_status_t *status);

#endif
