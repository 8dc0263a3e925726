/* SPDX-License-Identifier: MPL-2.0 */
/* An improvement's record as `log` and `show` print it: with names in place of numbers. */
#ifndef EVOMESH_NODE_CLI_IMPROVEMENT_PRINT_H
#define EVOMESH_NODE_CLI_IMPROVEMENT_PRINT_H

#include "node/cli/session.h"

/* "own", "operator", "package". */
const char *improvement_origin_name (uint64_t origin);

/* The names, also for numbers that this build doesn't know ("unknown"). */
const char *improvement_state_text (uint64_t state);
const char *improvement_reason_text (uint64_t reason);
/* The sentence for people on an improvement in that state: an operator's no is another thing once it was live. */
const char *improvement_reason_told (uint64_t reason, uint64_t state);
const char *improvement_type_text (uint64_t type);
/* Of an objective: "same", "better", "worse". */
const char *improvement_conclusion_text (uint64_t conclusion);

/* The record as JSON, with names for state, origin, type and reason, and for goal and conclusion of each objective; metrics by the
 * names that `agent` has for them (NULL: null). NULL when out of memory. */
json_t *improvement_json (const improvement_row_t *row, const agent_t *agent);
/* In JSON of a record: names for goal and conclusion of each of the deltas in that list. */
void improvement_name_changes (json_t *changes);
/* In JSON of a record: {name: value…} in place of the list of values at `key`, which stand in the manifest's order. */
void improvement_name_metrics (json_t *record, const char *key, const agent_t *agent);

#endif
