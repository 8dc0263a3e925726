/* SPDX-License-Identifier: MPL-2.0 */
/* Where a joining node keeps the group's agent: a copy to look at while its operator is asked, then <dir>/agent, which node.yaml names
 * from then on. Functions return CLI_DONE, or CLI_FAILED (told). */
#ifndef EVOMESH_NODE_CLI_JOIN_PLACE_H
#define EVOMESH_NODE_CLI_JOIN_PLACE_H

#include "node/cli/own.h"

/* Writes the agent's files to a scratch directory, anew if they are there; its path goes to `copy`. */
int join_place_copy (const own_t *own, const tree_t *whole, char copy[CLI_PATH_BYTES]);

/* Refuses if <dir>/agent holds other files than the agent's: they are somebody's. Nothing, and what a join that was killed left there, is
 * no obstacle. */
int join_place_check (const own_t *own, const tree_t *whole);

/* Lays the agent out there, and points node.yaml at it: as that is now, since the operator may have changed it while being asked. */
int join_place_take (const cli_t *cli, own_t *own, const tree_t *whole);

#endif
