/* SPDX-License-Identifier: MPL-2.0 */
/* Trees of files on disk: reading an agent's directory, laying out a candidate for a run, the releases and their
 * atomic `current`, the git archive, and three-way merges (libgit2). Functions return 0 or an error code with the problem:
 * ERROR_INPUT for what a person or a program put there, ERROR_NOT_FOUND for content that isn't in the store, ERROR_FULL,
 * ERROR_BOUND, ERROR_MEMORY, ERROR_IO. What goes into the store does so in the open transaction, or else in one of its own.
 * Trees that are given out are to be freed by tree_clear; they are empty where the function failed. */
#ifndef EVOMESH_NODE_IO_WORKSPACE_H
#define EVOMESH_NODE_IO_WORKSPACE_H

#include "evolution/tree.h"
#include "node/io/store.h"

/* --- agent directories --- */

/* Reads the regular files below `directory` into the store and lists them, sorted, in `tree` (freed by tree_clear).
 * Refuses symlinks, special files, names that are not plain UTF-8, and what passes a limit; says which.
 * `.git` and names that start with `.evomesh` are left out. */
int workspace_read (store_t *store, const char *directory, tree_t *tree, problem_t *problem);

/* Reads only the files of `directory` whose paths match those in `evolve` (as a proposer left them), refusing links;
 * a file that is gone is left out. */
int workspace_read_evolved (store_t *store, const char *directory, const tree_t *evolve, tree_t *tree,
                            problem_t *problem);

/* Lays the files of `tree` out below `directory` (made if needed), modes 0644 or 0755. */
int workspace_write (store_t *store, const tree_t *tree, const char *directory, problem_t *problem);

/* A new empty directory below `parent`; its path is written to `path`. Removed by workspace_remove. */
int workspace_scratch (const char *parent, char *path, size_t path_size, problem_t *problem);
/* Removes a directory and all below it, never following links; nothing there is no error. */
int workspace_remove (const char *directory);

/* --- releases: `releases/<id>` and the symlink `current` below the data directory --- */

/* Writes release `id` (files of `tree`), syncs it to disk; done already is no error. */
int workspace_release_write (store_t *store, const char *data_directory, const digest_t *id,
                             const tree_t *tree, problem_t *problem);
/* Points `current` at release `id`: symlink beside it, rename over it, fsync of the directory. If only the fsync failed, `current`
 * leads there already: workspace_release_current tells. */
int workspace_release_switch (const char *data_directory, const digest_t *id, problem_t *problem);
/* Removes all releases but the one that `current` points at and the `keep` others that were written last, and what a crash left of
 * others: each can be written again from the store. 0, or what the first that can't be removed failed with. */
int workspace_release_trim (const char *data_directory, size_t keep, problem_t *problem);
/* The release that `current` points at; -1 if there is none. */
int workspace_release_current (const char *data_directory, digest_t *id);

/* --- merges --- */
typedef struct {
    unsigned hunks;     /* changed hunks of theirs that were looked at (files counted as one where binary) */
    unsigned conflicts; /* of which in conflict with ours; they were resolved as theirs */
} merge_result_t;
/* Three-way merge of the evolve files: ours and theirs against base. The merged contents go into the store,
 * the list into `merged`. Conflicts are resolved as theirs and counted. */
int workspace_merge (store_t *store, const tree_t *base, const tree_t *ours, const tree_t *theirs,
                     tree_t *merged, merge_result_t *result, problem_t *problem);

/* A patch from `old` to `fresh` that `git apply` takes, malloc'ed, NUL-terminated; NULL with the problem. */
char *workspace_diff (store_t *store, const tree_t *old, const tree_t *fresh, problem_t *problem);

/* --- archive.git: each candidate a commit; derived from the store, can be rebuilt from it. `git -C archive.git log --graph`
 * shows what led to the last one, with `--all` everything: each candidate has a ref, evomesh/candidates/<short id>. Commits and refs
 * wait in memory and are written together, up to 64 at a time, or by archive_git_flush; what a crash takes away is to be committed
 * again (archive_git_has tells). Beyond 512 candidates their refs may lag behind by one in eight, until it is closed. --- */
typedef struct archive_git archive_git_t;

/* Opens it, or makes it. NULL on failure, with the problem. */
archive_git_t *archive_git_open (const char *data_directory, problem_t *problem);

/* Writes what waits, and closes it. */
void archive_git_close (archive_git_t **self_p);

/* Has it room for so many more commits? Else writes what waits. 0; or an error with the problem, if that can't be written now. */
int archive_git_reserve (archive_git_t *self, size_t commits, problem_t *problem);

/* False if somebody took it away since it was opened. */
bool archive_git_is_there (const archive_git_t *self);

/* Removes all that it holds, also refs that others made, and opens it anew, empty. On failure `*self_p` is NULL. */
void archive_git_renew (archive_git_t **self_p, const char *data_directory, problem_t *problem);

/* How many candidates it holds. */
size_t archive_git_count (const archive_git_t *self);

/* Commits `tree` with `message`; parents are the commits of the given candidates (those not committed are left out). A
 * candidate that was committed is left as it is. */
int archive_git_commit (archive_git_t *self, store_t *store, const digest_t *candidate, const tree_t *tree,
                        const digest_t *parents, size_t parent_count, const char *message, uint64_t time_ms,
                        problem_t *problem);
bool archive_git_has (const archive_git_t *self, const digest_t *candidate);

/* Sets refs/evomesh/<name> to a candidate's commit (leaves, front and releases only: a ref costs 16 KB), or removes it if
 * `candidate` is NULL. */
int archive_git_ref (archive_git_t *self, const char *name, const digest_t *candidate, problem_t *problem);

/* Writes what waits, synced to disk. */
int archive_git_flush (archive_git_t *self, problem_t *problem);

#endif
