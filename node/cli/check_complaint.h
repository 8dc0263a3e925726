/* SPDX-License-Identifier: MPL-2.0 */
/* What `agent check` says of an evaluator that gave no result: a bounded part of what it said, and what to mend. */
#ifndef EVOMESH_NODE_CLI_CHECK_COMPLAINT_H
#define EVOMESH_NODE_CLI_CHECK_COMPLAINT_H

#include <stddef.h>

#define CHECK_COMPLAINT_LINES 20 /* of what it said last */
#define CHECK_COMPLAINT_BYTES 8192
#define CHECK_HINT_BYTES      1024

/* The first line of `detail`, which says how it ended, and the last CHECK_COMPLAINT_LINES of the others; how many were left out
 * between them stands in their place. */
void check_complaint (const char *detail, char text[CHECK_COMPLAINT_BYTES]);

/* Why `program`, the first word of the evaluator's command, can't be started from the agent's `directory`, and the remedy, as a
 * line's end and a sentence: it isn't executable, its interpreter is missing, or it isn't there. "" if nothing is wrong with it. */
void check_hint (const char *directory, const char *program, char hint[CHECK_HINT_BYTES]);

#endif
