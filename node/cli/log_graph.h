/* SPDX-License-Identifier: MPL-2.0 */
/* evomesh log --graph: the lineage of the measured candidates. */
#ifndef EVOMESH_NODE_CLI_LOG_GRAPH_H
#define EVOMESH_NODE_CLI_LOG_GRAPH_H

#include "node/cli/session.h"

/* Draws the newest `limit` candidates, newest first; with --json it prints them as a list, newest last. Tells what fails. */
int log_graph (const cli_t *cli, store_t *store, uint64_t limit);

#endif
