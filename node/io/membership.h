/* SPDX-License-Identifier: MPL-2.0 */
/* What a node keeps of its group in the store: left there by `group create` and `group join`, read by `run`. The files that
 * the two trees list are contents in the store too. */
#ifndef EVOMESH_NODE_IO_MEMBERSHIP_H
#define EVOMESH_NODE_IO_MEMBERSHIP_H

#include "node/io/store.h"
#include "protocol/group.h"

/* An address of a member, known before the first HELLO (from an invite). */
#define MEMBERSHIP_HINT_FIELDS(F, L, R) \
    F (R, KEY, peer, 0) \
    F (R, TEXT, rpc, LIMIT_ENDPOINT) \
    F (R, TEXT, pub, LIMIT_ENDPOINT)
#define MEMBERSHIP_RECORD_FIELDS(F, L, R) \
    F (R, BYTES, charter, LIMIT_LONG_TEXT)       /* packed statements */ \
    F (R, BYTES, roster, LIMIT_STATEMENT_BYTES) \
    F (R, BYTES, pinned, LIMIT_PACKAGE_BYTES)    /* encoded tree (evaluator zero) of the agent's pinned files */ \
    F (R, BYTES, start, LIMIT_PACKAGE_BYTES)     /* encoded tree of the evolve files that the group started from */ \
    L (R, membership_hint, hints, LIMIT_ENDPOINTS)
RECORD_STRUCT (membership_hint, MEMBERSHIP_HINT_FIELDS);
RECORD_STRUCT (membership_record, MEMBERSHIP_RECORD_FIELDS);

/* A membership that was read; its record's texts and bytes live in it. Zero-initialise; membership_clear frees. */
typedef struct {
    membership_record_t record;
    uint8_t *bytes;
    arena_t arena;
} membership_t;

/* Keeps it (in the caller's transaction, if there is one). 0 or an error. */
int membership_save (store_t *store, const membership_record_t *record);

/* Reads it. 0, ERROR_NOT_FOUND (this node is in no group yet), or an error, with the problem. */
int membership_load (store_t *store, membership_t *self, problem_t *problem);
void membership_clear (membership_t *self);

#endif
