/* SPDX-License-Identifier: MPL-2.0 */
/* What an id that was printed names of this node's history: an improvement, a candidate or a snapshot; and the change that it stands
 * for. */
#ifndef EVOMESH_NODE_CLI_HISTORY_H
#define EVOMESH_NODE_CLI_HISTORY_H

#include "node/cli/session.h"

typedef struct {
    table_t kind; /* TABLE_IMPROVEMENT, TABLE_CANDIDATE or TABLE_SNAPSHOT */
    digest_t id;  /* the whole */
    digest_t
        improvement; /* itself; that measured the candidate, or proposed it; that the snapshot was taken for. Zero: none is here */
    digest_t before; /* the two releases or candidates that it lies between; zero before the start */
    digest_t after;
} history_t;

/* Finds it by an id or the first SESSION_ID_CHARACTERS_MIN or more characters. CLI_DONE, or CLI_FAILED (told). */
int history_find (store_t *store, const char *text, history_t *found);

#endif
