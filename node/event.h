/* SPDX-License-Identifier: MPL-2.0 */
/* Events: everything that the node's core can learn. Each is a record, so that the journal can hold it. */
#ifndef EVOMESH_NODE_EVENT_H
#define EVOMESH_NODE_EVENT_H

#include "protocol/message.h"

/* An objective, and a suggested proposer, as the core needs them. */
#define OBJECTIVE_ROW_FIELDS(F, L, R)                     \
    F (R, TEXT, name, LIMIT_NAME)                         \
    F (R, TEXT, unit, LIMIT_NAME)                         \
    F (R, UINT, goal, 1)                                  \
    F (R, UINT, source, 3)                                \
    F (R, REAL, weight, 0)                                \
    F (R, UINT, noisy, 1)                                 \
    F (R, REAL, tolerance, 0)                             \
    F (R, NUMBER, bound, 0) /* the objective's `limit` */ \
    F (R, NUMBER, alert, 0)
/* `parallel` is 0 for a proposer that works here and takes a slot; of one that waits for somebody else's machine, and takes none, so
 * many may run at once. */
#define PROPOSER_ROW_FIELDS(F, L, R) \
    F (R, TEXT, name, LIMIT_NAME)    \
    F (R, REAL, share, 0)            \
    F (R, UINT, parallel, LIMIT_OPERATIONS)
#define VALUE_FIELDS(F, L, R) F (R, REAL, value, 0)
RECORD_STRUCT (objective_row, OBJECTIVE_ROW_FIELDS);
RECORD_STRUCT (proposer_row, PROPOSER_ROW_FIELDS);
RECORD_STRUCT (value, VALUE_FIELDS);

/* The node starts, or starts again: everything that it takes from its surroundings. */
#define STARTED_FIELDS(F, L, R)                                                                       \
    F (R, BYTES, charter, LIMIT_LONG_TEXT) /* packed */                                               \
    F (R, BYTES, roster,                                                                              \
       LIMIT_STATEMENT_BYTES) /* packed; counts at the first start, later the journal knows better */ \
    F (R, BYTES, start,                                                                               \
       LIMIT_PACKAGE_BYTES) /* encoded tree of the evolve files that the group started from */        \
    F (R, TEXT, name, LIMIT_NAME)                                                                     \
    F (R, TEXT, platform, LIMIT_TEXT)                                                                 \
    F (R, TEXT, language, LIMIT_NAME)                                                                 \
    L (R, address, addresses, LIMIT_ENDPOINTS) /* what invites and MEMBERSHIP tell */                 \
    F (R, KEY, curve, 0)                                                                              \
    F (R, DIGEST, seed, 0) /* of the random stream; counts at the first start */                      \
    L (R, objective_row, objectives, LIMIT_OBJECTIVES)                                                \
    L (R, proposer_row, proposers, LIMIT_CAPABILITIES)                                                \
    F (R, UINT, timeout_ms, 0) /* of one evaluation */                                                \
    F (R, UINT, slots, LIMIT_SLOTS)                                                                   \
    F (R, UINT, selection, 4)                                                                         \
    F (R, UINT, islands, 16)                                                                          \
    F (R, UINT, migration_interval, 0)                                                                \
    F (R, REAL, migration_fraction, 0)                                                                \
    F (R, REAL, learning_rate, 0)                                                                     \
    F (R, UINT, proposals_max, 0)                                                                     \
    F (R, UINT, candidates_kept, 0) /* beyond, the files of old ones are dropped; 0: all are kept */  \
    F (R, UINT, confined, 1)        /* the sandbox really confines: peers' candidates may run */      \
    F (R, UINT, breaker_enabled, 1)                                                                   \
    F (R, UINT, breaker_threshold, 0)                                                                 \
    F (R, UINT, breaker_recovery_ms, 0)                                                               \
    F (R, UINT, automatic_rollback, 1)                                                                \
    F (R, UINT, auto_share, 1)                                                                        \
    F (R, REAL, compatibility_threshold, 0)                                                           \
    F (R, UINT, transfer_attempts_max, 0)                                                             \
    F (R, UINT, validate_for_peers, 1)
#define RECEIVED_FIELDS(F, L, R) /* a statement that the mesh verified */ \
    F (R, KEY, curve, 0)                                                  \
    F (R, BYTES, body, LIMIT_STATEMENT_BYTES)                             \
    F (R, BYTES, seal, SEAL_BYTES)
#define PEER_UP_FIELDS(F, L, R)       \
    F (R, KEY, peer, 0)               \
    F (R, UINT, validation_types, 7)  \
    F (R, TEXT, platform, LIMIT_TEXT) \
    F (R, UINT, seq_seen, 0)
#define PEER_LOST_FIELDS(F, L, R) F (R, KEY, peer, 0)
#define TICK_FIELDS(F, L, R)      F (R, UINT, unused, 0)
#define PROPOSED_FIELDS(F, L, R)  /* a proposer ended */                                      \
    F (R, UINT, operation, 0)                                                                 \
    F (R, UINT, result, 5)          /* proposal_result_t */                                   \
    F (R, DIGEST, parent, 0)        /* as PROPOSE named it */                                 \
    F (R, DIGEST, second_parent, 0) /* an inspiration that it was made of, too; zero: none */ \
    F (R, BYTES, tree, LIMIT_PACKAGE_BYTES)                                                   \
    F (R, DIGEST, says, 0) /* of its files but for comments and spaces; zero: not known */    \
    F (R, UINT, improvement_type, 3)                                                          \
    F (R, TEXT, description, LIMIT_TEXT)                                                      \
    F (R, TEXT, model, LIMIT_TEXT) /* that was asked; empty: none, and nothing was spent */   \
    F (R, UINT, requests, 0)                                                                  \
    F (R, UINT, tokens, 0)                                                                    \
    F (R, UINT, cost_millionths, 0)
#define EVALUATED_FIELDS(F, L, R) /* one run of an evaluator ended */                                            \
    F (R, UINT, operation, 0)                                                                                    \
    F (R, UINT, reason,                                                                                          \
       REASON_LIMIT) /* REASON_NONE: valid; REASON_FAULT: a fault of this node; else the candidate is invalid */ \
    L (R, value, metrics, LIMIT_OBJECTIVES)                                                                      \
    F (R, TEXT, detail, LIMIT_LONG_TEXT)                                                                         \
    F (R, UINT, wall_ms, 0)                                                                                      \
    F (R, UINT, cpu_us, 0)                                                                                       \
    F (R, UINT, memory_bytes, 0)
#define MERGED_FIELDS(F, L, R)               \
    F (R, UINT, operation, 0)                \
    F (R, UINT, result, 2) /* merge_end_t */ \
    F (R, BYTES, tree, LIMIT_PACKAGE_BYTES)  \
    F (R, UINT, hunks, 0)                    \
    F (R, UINT, conflicts, 0)                \
    F (R, TEXT, detail, LIMIT_TEXT)
#define LOADED_FIELDS(F, L, R)                        \
    F (R, UINT, operation, 0)                         \
    F (R, UINT, result, 1) /* 0 loaded; 1 not here */ \
    F (R, BYTES, bytes, LIMIT_PACKAGE_BYTES)
#define DONE_FIELDS(F, L, R) /* SNAPSHOT_TAKEN, APPLIED, RESTORED */ \
    F (R, UINT, operation, 0)                                        \
    F (R, UINT, result, 2) /* switch_end_t */                        \
    F (R, TEXT, detail, LIMIT_TEXT)
#define FETCHED_FIELDS(F, L, R) /* with `tree`, its files are in the store too */ \
    F (R, UINT, operation, 0)                                                     \
    F (R, UINT, result, 1)                                                        \
    F (R, BYTES, bytes, LIMIT_PACKAGE_BYTES)
#define COMMAND_FIELDS(F, L, R) /* the operator wants something; `arguments` by name */ \
    F (R, UINT, operation, 0)                                                           \
    F (R, TEXT, name, LIMIT_NAME)                                                       \
    L (R, entry, arguments, LIMIT_METADATA)                                             \
    F (R, BYTES, content, LIMIT_PACKAGE_BYTES)                                          \
    F (R, DIGEST, entropy, 0)

#define EQUIVOCATED_FIELDS(                                                                           \
    F, L, R) /* a member said two things under one number: both, packed, as the mesh verified them */ \
    F (R, KEY, member, 0)                                                                             \
    F (R, UINT, seq, 0)                                                                               \
    F (R, BYTES, first, LIMIT_PACKAGE_BYTES)                                                          \
    F (R, BYTES, second, LIMIT_PACKAGE_BYTES)

#define REASON_LIMIT 255

/* How a proposal ended. */
typedef enum {
    PROPOSAL_CANDIDATE,
    PROPOSAL_NONE,      /* the proposer gave none */
    PROPOSAL_FAULT,     /* it could not be run: a fault of this node */
    PROPOSAL_EXHAUSTED, /* its budget is spent: it is not asked again before the next STARTED */
    PROPOSAL_LATER, /* its other proposals hold what is left of its budget: asked again when one of them ends */
    PROPOSAL_IDLE /* it has tried all that it can: asked again when there is something new, or after a long while */
} proposal_result_t;

/* How a merge ended. */
typedef enum {
    MERGE_DONE,       /* conflicts resolved as theirs */
    MERGE_IMPOSSIBLE, /* these trees can't be one */
    MERGE_FAULT /* memory, the store or a content failed: a fault of this node, which says nothing of the trees */
} merge_end_t;

/* How a change of the live release ended. */
typedef enum {
    SWITCH_DONE,
    SWITCH_FAILED,    /* nothing changed */
    SWITCH_UNSETTLED, /* the release is switched, but that is not synced, or the service did not restart */
} switch_end_t;

/* NODE_EVENT (number, NAME, name, FIELDS) */
#define NODE_EVENTS(NODE_EVENT)                                  \
    NODE_EVENT (1, STARTED, started, STARTED_FIELDS)             \
    NODE_EVENT (2, RECEIVED, received, RECEIVED_FIELDS)          \
    NODE_EVENT (3, PEER_UP, peer_up, PEER_UP_FIELDS)             \
    NODE_EVENT (4, PEER_LOST, peer_lost, PEER_LOST_FIELDS)       \
    NODE_EVENT (5, TICK, tick, TICK_FIELDS)                      \
    NODE_EVENT (6, PROPOSED, proposed, PROPOSED_FIELDS)          \
    NODE_EVENT (7, EVALUATED, evaluated, EVALUATED_FIELDS)       \
    NODE_EVENT (8, MERGED, merged, MERGED_FIELDS)                \
    NODE_EVENT (9, LOADED, loaded, LOADED_FIELDS)                \
    NODE_EVENT (10, SNAPSHOT_TAKEN, snapshot_taken, DONE_FIELDS) \
    NODE_EVENT (11, APPLIED, applied_event, DONE_FIELDS)         \
    NODE_EVENT (12, RESTORED, restored, DONE_FIELDS)             \
    NODE_EVENT (13, FETCHED, fetched, FETCHED_FIELDS)            \
    NODE_EVENT (14, COMMAND, command, COMMAND_FIELDS)            \
    NODE_EVENT (15, EQUIVOCATED, equivocated, EQUIVOCATED_FIELDS)

#define EVENT_STRUCT(number, NAME, name, FIELDS) RECORD_STRUCT (name, FIELDS);
NODE_EVENTS (EVENT_STRUCT)
#undef EVENT_STRUCT

typedef enum {
#define EVENT_ENUM(number, NAME, name, FIELDS) EVENT_##NAME = (number),
    NODE_EVENTS (EVENT_ENUM)
#undef EVENT_ENUM
} event_kind_t;

/* One event. Texts, bytes and lists are borrowed for the step. */
typedef struct {
    event_kind_t kind;
    uint64_t now_ms;  /* monotonic; deadlines go by it */
    uint64_t wall_ms; /* UTC; statements carry it */
    union {
#define EVENT_MEMBER(number, NAME, name, FIELDS) struct name name;
        NODE_EVENTS (EVENT_MEMBER)
#undef EVENT_MEMBER
    } as;
} event_t;

/* "RECEIVED"; NULL for a number that is none. */
const char *event_name (unsigned kind);
const record_t *event_record (unsigned kind);

/* Appends the event as the journal keeps it: [kind, now_ms, wall_ms, fields…]. */
void event_encode (const event_t *event, buffer_t *out);
/* Reads that; texts and bytes point into `data`, lists into the arena. 0 or an error. */
int event_decode (const uint8_t *data, size_t size, event_t *event, arena_t *arena);

#endif
