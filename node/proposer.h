/* SPDX-License-Identifier: MPL-2.0 */
/* The `proposers:` list, which agent.yaml (as a suggestion) and node.yaml (as the operator's word) share. */
#ifndef EVOMESH_NODE_PROPOSER_H
#define EVOMESH_NODE_PROPOSER_H

#include "node/agent.h"
#include "node/schema.h"

/* The keys of one proposer; offsets are within agent_proposer_t. */
extern const schema_key_t proposer_keys[];

/* A proposer as it is before its keys are read: share 1, timeout 60 s. */
void proposer_defaults (agent_proposer_t *self);

/* What a table can't state: names are given once, `tune` and `llm` have no command, all others have one. `text` is the
 * file's, for the line. Returns 0 or -1 with the problem. */
int proposers_check (const agent_proposer_t *items, size_t count, const char *file, const char *text,
                     size_t size, problem_t *problem);

/* True for the name of a proposer that is built in. */
bool proposer_is_built_in (const char *name);

/* Adds a word to a command. Returns NULL or what was expected instead. */
const char *command_add (agent_command_t *self, const char *word);

/* True for a name that may stand in a path and a table: letters, digits, '.', '_', '-', a letter or digit
 * first. */
bool name_valid (const char *text);
#define NAME_EXPECTED "a name of letters, digits, '.', '_' and '-', 32 at most, a letter or digit first"

#endif
