/* SPDX-License-Identifier: MPL-2.0 */
/* Effects: everything that the node's core can want done. In order: all PERSIST… of a turn are committed in one
 * transaction before any other runs, so nothing is said that is not on disk. */
#ifndef EVOMESH_NODE_EFFECT_H
#define EVOMESH_NODE_EFFECT_H

#include "node/event.h"

#define RETAIN_DROPPED_MAX 1024
#define RETAIN_KEPT_MAX    16384

#define PERSIST_STATEMENT_FIELDS(F, L, R)     \
    F (R, BYTES, body, LIMIT_STATEMENT_BYTES) \
    F (R, BYTES, seal, SEAL_BYTES)            \
    F (R, UINT, publication, 0)
#define PERSIST_RECORD_FIELDS(F, L, R) /* one of node/records.h */ \
    F (R, UINT, table, 7)                                          \
    F (R, DIGEST, key, 0)                                          \
    F (R, BYTES, bytes, LIMIT_PACKAGE_BYTES)
#define PERSIST_CONTENT_FIELDS(F, L, R) F (R, BYTES, bytes, LIMIT_PACKAGE_BYTES)
#define PUBLISH_FIELDS(F, L, R)               \
    F (R, BYTES, body, LIMIT_STATEMENT_BYTES) \
    F (R, BYTES, seal, SEAL_BYTES)            \
    F (R, UINT, publication, 0)
#define SEND_FIELDS(F, L, R) /* over our own link to a member */ \
    F (R, KEY, peer, 0)                                          \
    F (R, BYTES, body, LIMIT_STATEMENT_BYTES)                    \
    F (R, BYTES, seal, SEAL_BYTES)
#define SEND_BACK_FIELDS(F, L, R) /* over the connection on which that link key spoke */ \
    F (R, KEY, curve, 0)                                                                 \
    F (R, BYTES, body, LIMIT_STATEMENT_BYTES)                                            \
    F (R, BYTES, seal, SEAL_BYTES)
#define SET_MEMBERS_FIELDS(F, L, R) /* who may link, from now on */ \
    F (R, BYTES, roster, LIMIT_STATEMENT_BYTES)
#define SET_INVITE_FIELDS(F, L, R) /* a link key that may ask to join */ \
    F (R, KEY, curve, 0)                                                 \
    F (R, UINT, live, 1)
#define PROPOSE_FIELDS(F, L, R)                                                                    \
    F (R, UINT, operation, 0)                                                                      \
    F (R, DIGEST, parent, 0)                                                                       \
    F (R, UINT, proposer, LIMIT_CAPABILITIES) /* index into the STARTED list */                    \
    F (R, UINT, seed, 0)                                                                           \
    F (R, UINT, number, 0) /* of proposals before it */                                            \
    F (R, REAL, learning_rate, 0)                                                                  \
    F (R, UINT, island, 0)               /* that the parent was drawn from, and the child joins */ \
    L (R, hash, top, LIMIT_METADATA)     /* candidates: the best ones of the island */             \
    L (R, hash, diverse, LIMIT_METADATA) /* and such as measure differently from all of them */
#define EVALUATE_FIELDS(F, L, R)         /* one run */                                  \
    F (R, UINT, operation, 0)                                                           \
    F (R, DIGEST, candidate, 0)                                                         \
    F (R, UINT, foreign, 1) /* a peer's: only where the sandbox confines */             \
    F (R, UINT, live, 1)    /* the live copy itself (after apply and after rollback) */ \
    F (R, UINT, staged, 1)  /* the evaluator's stages go before it: a candidate's first run */
#define CANCEL_FIELDS(F, L, R) F (R, UINT, operation, 0)
#define MERGE_FIELDS(F, L, R)  /* candidates, by id */ \
    F (R, UINT, operation, 0)                          \
    F (R, DIGEST, base, 0)                             \
    F (R, DIGEST, ours, 0)                             \
    F (R, DIGEST, theirs, 0)
#define LOAD_FIELDS(F, L, R)  \
    F (R, UINT, operation, 0) \
    F (R, DIGEST, content, 0)
#define SNAPSHOT_FIELDS(F, L, R) /* lay the release out and sync it; nothing is switched yet */ \
    F (R, UINT, operation, 0)                                                                   \
    F (R, DIGEST, release, 0)
#define APPLY_FIELDS(F, L, R) /* switch `current` from `from` to `release`, restart the service */ \
    F (R, UINT, operation, 0)                                                                      \
    F (R, DIGEST, from, 0)                                                                         \
    F (R, DIGEST, release, 0)
#define RESTORE_FIELDS(F, L, R) /* switch back */ \
    F (R, UINT, operation, 0)                     \
    F (R, DIGEST, release, 0)
#define FETCH_CONTENT_FIELDS(F, L, R) /* `tree`: also the files that the content lists */ \
    F (R, UINT, operation, 0)                                                             \
    F (R, KEY, peer, 0)                                                                   \
    F (R, DIGEST, content, 0)                                                             \
    F (R, UINT, tree, 1)                                                                  \
    F (R, UINT, timeout_ms, 0)
#define NOTIFY_FIELDS(F, L, R) /* an event happened, here or (with `agent_id` another) at a peer */ \
    F (R, KEY, agent_id, 0)                                                                         \
    F (R, UINT, time_ms, 0)                                                                         \
    F (R, TEXT, type, LIMIT_NAME)                                                                   \
    F (R, DIGEST, modification_id, 0)                                                               \
    F (R, NUMBER, performance_improvement, 0)                                                       \
    F (R, TEXT, error_message, LIMIT_TEXT)                                                          \
    L (R, entry, metadata, LIMIT_METADATA)
#define REPLY_FIELDS(                                                                                   \
    F, L, R) /* to a COMMAND: `text` is a message for people, `value` what was made (a token, an id) */ \
    F (R, UINT, operation, 0)                                                                           \
    F (R, UINT, failed, 1)                                                                              \
    F (R, TEXT, text, LIMIT_LONG_TEXT)                                                                  \
    F (R, TEXT, value, LIMIT_LONG_TEXT)

#define PERSIST_DROP_FIELDS(F, L, R)         /* files that need not be kept any more */        \
    L (R, hash, dropped, RETAIN_DROPPED_MAX) /* trees of candidates, or measured for others */ \
    L (R, hash, kept, RETAIN_KEPT_MAX)       /* trees that are in use, whatever else becomes of them */

/* NODE_EFFECT (number, NAME, name, FIELDS) */
#define NODE_EFFECTS(NODE_EFFECT)                                                   \
    NODE_EFFECT (1, PERSIST_STATEMENT, persist_statement, PERSIST_STATEMENT_FIELDS) \
    NODE_EFFECT (2, PERSIST_RECORD, persist_record, PERSIST_RECORD_FIELDS)          \
    NODE_EFFECT (3, PERSIST_CONTENT, persist_content, PERSIST_CONTENT_FIELDS)       \
    NODE_EFFECT (4, PUBLISH, publish, PUBLISH_FIELDS)                               \
    NODE_EFFECT (5, SEND, send, SEND_FIELDS)                                        \
    NODE_EFFECT (6, SEND_BACK, send_back, SEND_BACK_FIELDS)                         \
    NODE_EFFECT (7, SET_MEMBERS, set_members, SET_MEMBERS_FIELDS)                   \
    NODE_EFFECT (8, SET_INVITE, set_invite, SET_INVITE_FIELDS)                      \
    NODE_EFFECT (9, PROPOSE, propose, PROPOSE_FIELDS)                               \
    NODE_EFFECT (10, EVALUATE, evaluate, EVALUATE_FIELDS)                           \
    NODE_EFFECT (11, CANCEL, cancel, CANCEL_FIELDS)                                 \
    NODE_EFFECT (12, MERGE, merge, MERGE_FIELDS)                                    \
    NODE_EFFECT (13, LOAD, load, LOAD_FIELDS)                                       \
    NODE_EFFECT (14, SNAPSHOT, snapshot, SNAPSHOT_FIELDS)                           \
    NODE_EFFECT (15, APPLY, apply, APPLY_FIELDS)                                    \
    NODE_EFFECT (16, RESTORE, restore, RESTORE_FIELDS)                              \
    NODE_EFFECT (17, FETCH_CONTENT, fetch_content, FETCH_CONTENT_FIELDS)            \
    NODE_EFFECT (18, NOTIFY, notify, NOTIFY_FIELDS)                                 \
    NODE_EFFECT (19, REPLY, reply, REPLY_FIELDS)                                    \
    NODE_EFFECT (20, PERSIST_DROP, persist_drop, PERSIST_DROP_FIELDS)

#define EFFECT_STRUCT(number, NAME, name, FIELDS) RECORD_STRUCT (name, FIELDS);
NODE_EFFECTS (EFFECT_STRUCT)
#undef EFFECT_STRUCT

typedef enum {
#define EFFECT_ENUM(number, NAME, name, FIELDS) EFFECT_##NAME = (number),
    NODE_EFFECTS (EFFECT_ENUM)
#undef EFFECT_ENUM
} effect_kind_t;

typedef struct {
    effect_kind_t kind;
    uint8_t *encoded; /* the effect's own bytes: what texts and bytes in `as` point into */
    size_t encoded_size;
    arena_t arena;
    union {
#define EFFECT_MEMBER(number, NAME, name, FIELDS) struct name name;
        NODE_EFFECTS (EFFECT_MEMBER)
#undef EFFECT_MEMBER
    } as;
} effect_t;

/* What a step wants done, in order. Zero-initialise; effects_clear frees. */
typedef struct {
    effect_t *items;
    size_t count;
    size_t capacity;
} effects_t;

/* Adds an effect with a deep copy of its fields (e.g. a send_t); to NULL, none. Aborts when out of memory: a step can't be half
 * done. */
void effects_add (effects_t *self, effect_kind_t kind, const void *fields);
void effects_clear (effects_t *self);

/* True for the kinds that are committed before any other runs. */
bool effect_persists (effect_kind_t kind);

/* The digest of effects `from` … end, byte for byte: what a replay is compared with. */
digest_t effects_digest (const effects_t *self, size_t from);

const char *effect_name (unsigned kind);
const record_t *effect_record (unsigned kind);

#endif
