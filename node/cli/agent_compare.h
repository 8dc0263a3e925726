/* SPDX-License-Identifier: MPL-2.0 */
/* The operator's own agent directory beside the agent that the group pinned: who changed the one and runs the other should know. */
#ifndef EVOMESH_NODE_CLI_AGENT_COMPARE_H
#define EVOMESH_NODE_CLI_AGENT_COMPARE_H

#include "node/cli/session.h"

/* Notes on stderr which files of the directory that node.yaml names are neither as the group was founded on them nor as they are live.
 * Says nothing where there is nothing to compare: no such directory named, no group, a store that can't be read. */
void agent_compare_note (const cli_t *cli, const config_t *config);

#endif
