/* SPDX-License-Identifier: MPL-2.0 */
/* Where texts differ from the one that both were made of, for merge.c only. */
#ifndef EVOMESH_NODE_IO_MERGE_HUNKS_H
#define EVOMESH_NODE_IO_MERGE_HUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/error.h"

typedef struct {
    size_t begin, end;   /* lines of the base that are replaced; equal for an insertion */
    size_t first, count; /* lines of the new text that replace them, from 0 */
} hunk_t;

/* They ascend. */
typedef struct {
    hunk_t *items;
    size_t count, capacity;
    bool failed; /* out of memory */
} hunks_t;

typedef struct {
    uint8_t *bytes;
    size_t size;
} text_bytes_t;

/* Finds where `fresh` differs from `base`; hunks_clear frees. 0, or the error with the problem, and nothing to clear. */
int hunks_find (const text_bytes_t *base, const text_bytes_t *fresh, hunks_t *hunks, problem_t *problem);
void hunks_clear (hunks_t *self);

/* How many of their hunks touch one of ours that isn't the same change. */
unsigned hunks_count_touching (const hunks_t *ours, const text_bytes_t *our_text, const hunks_t *theirs,
                               const text_bytes_t *their_text);

#endif
