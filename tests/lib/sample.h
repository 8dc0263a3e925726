/* SPDX-License-Identifier: MPL-2.0 */
/* A value for every record, made from its table: so a message that joins the catalogue is tested from its first day. */
#ifndef EVOMESH_TESTS_LIB_SAMPLE_H
#define EVOMESH_TESTS_LIB_SAMPLE_H

#include "protocol/message.h"

typedef enum {
    SAMPLE_LEAST,   /* zeros, nil, nothing in lists and texts */
    SAMPLE_TYPICAL, /* two items in each list, a word or two in each text */
    SAMPLE_MOST     /* numbers, texts and lists at their bounds; bytes at theirs up to 4096 */
} sample_t;

/* Fills `value` (of record->size bytes). What it points to lives in `arena`. The same arguments give the same value. */
void sample_fill (const record_t *record, sample_t sample, arena_t *arena, void *value);

/* The keys of the n-th person of the tests: the identity of the seed whose bytes are all n. */
identity_t sample_identity (uint8_t n);
pubkey_t sample_curve (uint8_t n);

/* A head for that kind, with a number of each size. */
head_t sample_head (unsigned kind);

/* The body of a sample message of that kind; the caller clears it. */
buffer_t sample_body (unsigned kind, sample_t sample);

#endif
