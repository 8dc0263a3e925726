/* SPDX-License-Identifier: MPL-2.0 */
/* The file that `package export` writes: a packed package and the files that it names. Read with nothing taken on trust. */
#ifndef EVOMESH_NODE_CLI_PACKAGE_FILE_H
#define EVOMESH_NODE_CLI_PACKAGE_FILE_H

#include "evolution/package.h"
#include "node/cli/session.h"

/* The longest file: what an agent may hold, and the package itself. */
#define PACKAGE_FILE_BYTES (LIMIT_AGENT_BYTES + LIMIT_PACKAGE_BYTES + 1024 * 1024)

/* A package, verified: bytes, message, trees. */
typedef struct {
    char name[CLI_PATH_BYTES]; /* for people: the file, or the id if it came from the store */
    char *bytes;               /* of the file; NULL if it came from the store */
    arena_t arena;
    package_file_t file; /* borrowed from bytes */
    uint8_t *stored;     /* of the package, if it came from the store */
    bytes_t packed;
    message_t message;
    tree_t base;
    tree_t candidate;
    package_report_t report;
    bool verified; /* message and trees are there */
} package_copy_t;

/* Reads a file: its format, and that each content is named by the package's trees. Told on failure; then nothing is to be
 * cleared. */
int package_copy_read (package_copy_t *self, const char *path);
/* The package `id` from the store, without its files. */
int package_copy_load (package_copy_t *self, store_t *store, const digest_t *id);
/* Verifies the statement, against `group` if it isn't NULL; `line` is told each step (may be NULL). If it came from a file, also that
 * the files in it are exactly those that it names. */
int package_copy_verify (package_copy_t *self, const group_t *group, package_line_fn *line, void *context);
void package_copy_clear (package_copy_t *self);

/* Appends the file's bytes for a package that was verified, with its contents from the store. */
int package_copy_encode (const package_copy_t *self, store_t *store, buffer_t *out);

#endif
