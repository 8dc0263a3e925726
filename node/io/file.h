/* SPDX-License-Identifier: MPL-2.0 */
/* Small steps with files that the rest of the folder builds on. All leave errno set where they fail. */
#ifndef EVOMESH_NODE_IO_FILE_H
#define EVOMESH_NODE_IO_FILE_H

#include "protocol/error.h"

#include <stddef.h>
#include <stdint.h>

/* Writes all of it, however often that takes. Returns 0 or -1. */
int file_write_all (int file, const void *bytes, size_t size);

/* Reads to the end, at most `bound` bytes: malloc'ed, with a NUL behind it that isn't counted; NULL on failure (EFBIG
 * beyond the bound). */
uint8_t *file_read_all (int file, size_t bound, size_t *size);

/* Makes the names in a directory durable. Returns 0 or -1. */
int file_sync_directory (const char *path);

/* Joins two parts with a slash. Returns 0, or -1 with the problem if `size` is too small. */
int file_join (char *path, size_t size, const char *directory, const char *name, problem_t *problem);

/* The error code for what errno says: ERROR_FULL, ERROR_MEMORY, or else ERROR_IO. */
int file_error (int system_errno);

/* What errno says, in words for people; a full disk with what to do about it. Borrowed, until the next call. */
const char *file_reason (int system_errno);

#endif
