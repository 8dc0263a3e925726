/* SPDX-License-Identifier: MPL-2.0 */
/* An agent's directory, read whole into a store: what `init` and `agent check` look at and `group create` founds a group on. The
 * directory itself is only read. */
#ifndef EVOMESH_NODE_CLI_AGENT_COPY_H
#define EVOMESH_NODE_CLI_AGENT_COPY_H

#include "node/cli/session.h"

typedef struct {
    agent_t agent;
    tree_t files; /* all */
    tree_t pinned;
    tree_t evolved;
    digest_t evaluator; /* tree_id of the pinned files under the zero evaluator */
    digest_t start;     /* candidate id of the evolve files as they are */
} agent_copy_t;

/* Reads the directory into the store: files, and the encoded trees of pinned and evolve files as contents by their ids. The copy is on
 * the heap, freed by agent_copy_destroy. NULL (told) if the agent isn't in order. */
agent_copy_t *agent_copy_read (store_t *store, const char *directory);
void agent_copy_destroy (agent_copy_t **self_p);

/* A store of its own in a scratch directory, for a look at an agent without a node. */
typedef struct {
    char path[CLI_PATH_BYTES];
    store_t *store;
} scratch_store_t;
int scratch_store_open (scratch_store_t *self);
void scratch_store_close (scratch_store_t *self);

/* Reads an agent, only to see whether it is in order; its manifest goes to `agent`. */
int agent_copy_check (const char *directory, agent_t *agent);

#endif
