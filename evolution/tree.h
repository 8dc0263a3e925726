/* SPDX-License-Identifier: MPL-2.0 */
/* A list of files by hash: an agent's pinned files, or the evolve files of a candidate. Its encoded form is itself a
 * content, so one id names the whole. */
#ifndef EVOMESH_EVOLUTION_TREE_H
#define EVOMESH_EVOLUTION_TREE_H

#include "crypto/digest.h"
#include "protocol/error.h"
#include "protocol/limits.h"

typedef struct {
    char path[LIMIT_PATH + 1]; /* relative, '/'-separated, no "." or "..", no empty part */
    bool executable;
    digest_t content;
    uint64_t size;
} tree_file_t;

/* Sorted by path (bytewise), no path twice. Zero-initialise; tree_clear frees. */
typedef struct {
    tree_file_t *files;
    size_t count;
} tree_t;

/* Frees the list and leaves an empty tree. */
void tree_clear (tree_t *self);

/* Adds a file in its place. ERROR_INPUT for a path that is not allowed, is there already, or is both file and directory;
 * ERROR_BOUND beyond LIMIT_FILES or for a size beyond LIMIT_CONTENT_BYTES; ERROR_MEMORY. */
int tree_add (tree_t *self, const char *path, bool executable, const digest_t *content, uint64_t size);

/* Adds each file of `from`. Returns 0 or the first error of tree_add, with what was added until then left in. */
int tree_add_all (tree_t *self, const tree_t *from);

/* The file at `path`, borrowed until the tree changes; NULL if there is none. */
const tree_file_t *tree_find (const tree_t *self, const char *path);

/* Makes `self` (whose content is not freed) a copy of `from`. Returns 0 or ERROR_MEMORY. */
int tree_copy (tree_t *self, const tree_t *from);

/* True if paths, modes and contents are the same. */
bool tree_equal (const tree_t *a, const tree_t *b);

/* True if `self` has exactly the paths and modes of `of`, and no file over LIMIT_FILE_BYTES: the contents of files that may
 * change have changed at most. */
bool tree_same_shape (const tree_t *self, const tree_t *of);

/* True for a path that may stand in a tree: UTF-8 without control characters (category Cc), LIMIT_PATH bytes at most,
 * relative, and with no part that is `.git` or starts with `.evomesh` (in any case): those places belong to others. */
bool tree_path_valid (const char *path);

/* The exact bytes of a tree under an evaluator id: msgpack [evaluator, [[path, executable (0 or 1), content, size]…]],
 * files in order, each value in its shortest form. Malloc'ed, owned by the caller; NULL only when out of memory. For the evaluator's own
 * tree the evaluator is zero. */
uint8_t *tree_encode (const tree_t *self, const digest_t *evaluator, size_t *size);

/* Reads those bytes; strict (sorted, bounded, exact). ERROR_MALFORMED otherwise, with `tree` left empty. */
int tree_decode (const uint8_t *bytes, size_t size, tree_t *tree, digest_t *evaluator);

/* The candidate id (or evaluator id): digest of tree_encode. */
digest_t tree_id (const tree_t *self, const digest_t *evaluator);

/* Which files differ, by path: calls `visit` with (old or NULL, new or NULL). */
typedef void (tree_diff_fn) (void *context, const tree_file_t *old, const tree_file_t *fresh);
void tree_diff (const tree_t *old, const tree_t *fresh, tree_diff_fn *visit, void *context);

#endif
