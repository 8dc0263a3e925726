/* SPDX-License-Identifier: MPL-2.0 */
/* What the files of the workspace share. Nobody else includes this. */
#ifndef EVOMESH_NODE_IO_WORKSPACE_INTERNAL_H
#define EVOMESH_NODE_IO_WORKSPACE_INTERNAL_H

#include "node/io/workspace.h"

/* How a directory below another is opened (with _GNU_SOURCE and fcntl.h): never through a link. */
#define WORKSPACE_OPEN_DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* Lays the files of `tree` out below `directory`; with `durable` they and the directories are synced to disk. */
int workspace_lay_out (store_t *store, const tree_t *tree, const char *directory, bool durable,
                       problem_t *problem);

/* The content of a file of a tree, malloc'ed; NULL with the problem if it isn't in the store. */
uint8_t *workspace_content (store_t *store, const tree_file_t *file, size_t *size, problem_t *problem);

/* Begins a transaction unless one is open, and says in `*own` whether it did; workspace_end commits such a one, or rolls
 * it back if `rc` says that something failed. Both return `rc` or what failed, with the problem. */
int workspace_begin (store_t *store, bool *own, problem_t *problem);
int workspace_end (store_t *store, bool own, int rc, problem_t *problem);

/* Starts libgit2, which reads no configuration of the user's or the system's; counted, each start needs an end. Returns
 * 0, or ERROR_IO with the problem. */
int workspace_git_start (problem_t *problem);
void workspace_git_end (void);

/* Tells what libgit2 says went wrong while `doing`; returns ERROR_FULL, ERROR_MEMORY or ERROR_IO. */
int workspace_git_fail (const char *doing, problem_t *problem);

#endif
