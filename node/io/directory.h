/* SPDX-License-Identifier: MPL-2.0 */
/* The data directory of a node: its owner's alone (mode 0700), and one process's at a time.
 *
 *   node.yaml  identity  evomesh.db  archive.git/  releases/  current  work/ (scratch, emptied at start)  control  lock */
#ifndef EVOMESH_NODE_IO_DIRECTORY_H
#define EVOMESH_NODE_IO_DIRECTORY_H

#include "protocol/error.h"

#include <stddef.h>

#define DIRECTORY_PATH_MAX 4096

typedef struct directory directory_t;

/* Which directory is meant: `option` (of --dir; may be NULL), else $EVOMESH_DIR, else $XDG_DATA_HOME/evomesh, else
 * ~/.local/share/evomesh. The path is absolute. Returns 0, or -1 with the problem. */
int directory_choose (const char *option, char path[DIRECTORY_PATH_MAX], problem_t *problem);

/* Takes the directory for this process. With `create` it is made, with the directories above it, if it isn't there.
 * Refuses one that others may read, that is another user's, or that another process holds (named by its pid); NULL then,
 * with the problem, and nothing was made. What an earlier process left in work/ is removed. */
directory_t *directory_open (const char *path, bool create, problem_t *problem);

/* Gives it up. */
void directory_close (directory_t **self_p);

/* Gives up a directory that could not be filled, and takes back what opening it made: work/, the lock, and the directories that
 * were not there, as far as they are empty. */
void directory_discard (directory_t **self_p);

/* Its absolute path, borrowed. */
const char *directory_path (const directory_t *self);

/* Where scratch directories go; borrowed. */
const char *directory_work (const directory_t *self);

/* The pid of the process that holds the directory; 0 if none does, or there is no such directory. */
long directory_holder (const char *path);

#endif
