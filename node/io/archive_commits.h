/* SPDX-License-Identifier: MPL-2.0 */
/* Which commit of archive.git belongs to which candidate: a table in memory, and a file beside the commits that only
 * grows. The file can be rebuilt from the commits' messages. */
#ifndef EVOMESH_NODE_IO_ARCHIVE_COMMITS_H
#define EVOMESH_NODE_IO_ARCHIVE_COMMITS_H

#include "crypto/digest.h"
#include "protocol/error.h"

#define COMMIT_BYTES 20 /* git's SHA-1; never goes on the wire */

typedef struct {
    digest_t candidate;
    uint8_t commit[COMMIT_BYTES];
} archive_commit_t;

_Static_assert(sizeof (archive_commit_t) == DIGEST_BYTES + COMMIT_BYTES, "written as it lies in memory");

/* Zero-initialise; archive_commits_clear frees. */
typedef struct {
    archive_commit_t *slots; /* open addressing; a zero candidate is a free slot */
    size_t capacity;         /* power of two, at most half full */
    size_t count;
} archive_commits_t;

void archive_commits_clear (archive_commits_t *self);

/* The commit of a candidate, borrowed until the next one is added; NULL if it has none. */
const uint8_t *archive_commits_find (const archive_commits_t *self, const digest_t *candidate);

/* Adds or replaces. Returns 0 or ERROR_MEMORY. */
int archive_commits_add (archive_commits_t *self, const digest_t *candidate,
                         const uint8_t commit[COMMIT_BYTES]);

/* Reads the file; entries cut off at its end by a crash are left out, and cut from the file. Sets `*last` to the last
 * entry (zero if there is none). Returns 0, ERROR_NOT_FOUND if there is no file, or the error with the problem. */
int archive_commits_read (archive_commits_t *self, const char *path, archive_commit_t *last,
                          problem_t *problem);

/* Appends entries to the file and syncs it. Returns 0, or the error with the problem. */
int archive_commits_append (const char *path, const archive_commit_t *entries, size_t count,
                            problem_t *problem);

/* Writes the whole table in place of the file. Returns 0, or the error with the problem. */
int archive_commits_write (const archive_commits_t *self, const char *path, problem_t *problem);

#endif
