/* SPDX-License-Identifier: MPL-2.0 */
/* A lineage as lines of characters, as `git log --graph` draws it: candidates from the newest to the oldest, a column for each line
 * of descent whose next ancestor is still to come. */
#ifndef EVOMESH_NODE_CLI_LINEAGE_H
#define EVOMESH_NODE_CLI_LINEAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "crypto/digest.h"

#define LINEAGE_COLUMNS_MAX 24 /* lines beside each other; those beyond are not drawn */
#define LINEAGE_PARENTS_MAX 2
#define LINEAGE_BYTES       (2 * LINEAGE_COLUMNS_MAX + 2)

/* Zero-initialise. */
typedef struct {
    digest_t
        awaited[LINEAGE_COLUMNS_MAX]; /* the ancestor that the column leads down to, each once; zero: free */
} lineage_t;

/* What a candidate adds: its own line with a '*', and the lines below it where columns part or join. Without spaces at the end. */
typedef struct {
    char row[LINEAGE_BYTES];
    char joints[LINEAGE_PARENTS_MAX][LINEAGE_BYTES];
    size_t joint_count;
    bool drawn[LINEAGE_PARENTS_MAX]; /* is the line to that parent drawn? */
} lineage_lines_t;

/* Draws the next candidate. `parents`: up to LINEAGE_PARENTS_MAX, none of them drawn before, all of them still to be drawn. */
void lineage_next (lineage_t *self, const digest_t *id, const digest_t *parents, size_t parent_count,
                   lineage_lines_t *lines);

#endif
