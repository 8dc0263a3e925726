/* SPDX-License-Identifier: MPL-2.0 */
/* How far an improvement is that is under way, as `show` prints it. */
#ifndef EVOMESH_NODE_CLI_PROGRESS_PRINT_H
#define EVOMESH_NODE_CLI_PROGRESS_PRINT_H

#include "node/cli/session.h"

/* The node's answer to `progress` (node/io/control.h): NULL if none runs here, JSON's null if it isn't under way there. Released by
 * the caller. */
json_t *progress_ask (const cli_t *cli, const digest_t *id);

/* Prints what it waits for, and how much of that is there. */
void progress_print (json_t *progress, const digest_t *id);

#endif
