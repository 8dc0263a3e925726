/* SPDX-License-Identifier: MPL-2.0 */
/* A ref for each candidate in archive.git, so that `git log --all` reaches every one of them and git's garbage collection takes none.
 * A file for each would cost 4 KB and a sync; they stand in git's one file of packed refs, which is written anew. */
#ifndef EVOMESH_NODE_IO_ARCHIVE_REFS_H
#define EVOMESH_NODE_IO_ARCHIVE_REFS_H

#include "node/io/archive_commits.h"

#define ARCHIVE_REFS_PREFIX "refs/evomesh/candidates/"

/* Makes refs/evomesh/candidates/<short id> of all commits (<whole id> where two have one short id), in place of those that were there;
 * other packed refs stay. `path` is the file packed-refs. Returns 0, or the error with the problem. */
int archive_refs_write (const archive_commits_t *commits, const char *path, problem_t *problem);

#endif
