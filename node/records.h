/* SPDX-License-Identifier: MPL-2.0 */
/* What the node writes to its store for people and commands to read: `log`, `show`, `diff`, `snapshots`, `package`. */
#ifndef EVOMESH_NODE_RECORDS_H
#define EVOMESH_NODE_RECORDS_H

#include "node/event.h"

/* Tables of the store (store.h's table_t has the same numbers). */
typedef enum {
    RECORD_IMPROVEMENT,
    RECORD_EVENT,
    RECORD_CANDIDATE,
    RECORD_SNAPSHOT,
    RECORD_PACKAGE
} record_table_t;

/* Where a noisy objective's improvement lies, at TRIAL_LEVEL; none where pairs were too few. */
#define INTERVAL_FIELDS(F, L, R)       \
    F (R, TEXT, objective, LIMIT_NAME) \
    F (R, REAL, low, 0)                \
    F (R, REAL, high, 0)
/* An improvement as it stands now; key: its id. */
#define IMPROVEMENT_ROW_FIELDS(F, L, R)                                           \
    F (R, DIGEST, id, 0)                                                          \
    F (R, UINT, state, 31) /* improvement_state_t */                              \
    F (R, UINT, origin, 2) /* 0 a proposer, 1 the operator, 2 a peer's package */ \
    F (R, KEY, author, 0)                                                         \
    F (R, DIGEST, package, 0) /* zero: none */                                    \
    F (R, DIGEST, candidate, 0)                                                   \
    F (R, DIGEST, parent, 0)        /* the candidate it was made from */          \
    F (R, DIGEST, second_parent, 0) /* that it was made of, too; zero: none */    \
    F (R, DIGEST, base, 0)          /* the live release it was compared with */   \
    F (R, UINT, improvement_type, 3)                                              \
    F (R, TEXT, description, LIMIT_TEXT)                                          \
    F (R, TEXT, model, LIMIT_TEXT) /* that proposed it; empty: none did */        \
    F (R, UINT, requests, 0)       /* to the model, and what they cost */         \
    F (R, UINT, tokens, 0)                                                        \
    F (R, UINT, cost_millionths, 0)                                               \
    F (R, UINT, reason, REASON_LIMIT)                                             \
    F (R, TEXT, detail, LIMIT_LONG_TEXT)                                          \
    F (R, NUMBER, performance_improvement, 0) /* weighted; nil until measured */  \
    L (R, delta, changes, LIMIT_OBJECTIVES)                                       \
    L (R, interval, intervals, LIMIT_OBJECTIVES)                                  \
    L (R, value, candidate_metrics, LIMIT_OBJECTIVES)                             \
    L (R, value, base_metrics, LIMIT_OBJECTIVES)                                  \
    F (R, UINT, repeats, LIMIT_PAIRS)                                             \
    F (R, NUMBER, consensus_score, 0)                                             \
    F (R, UINT, asked, 0)                                                         \
    F (R, UINT, approvals, 0)                                                     \
    F (R, UINT, validators, 0)                                                    \
    F (R, UINT, confirmations, 0)                                                 \
    F (R, UINT, created_ms, 0)                                                    \
    F (R, UINT, changed_ms, 0)
/* An event, as NOTIFY tells it; key: digest of its bytes. */
#define EVENT_ROW_FIELDS(F, L, R)             \
    F (R, KEY, agent_id, 0)                   \
    F (R, UINT, time_ms, 0)                   \
    F (R, TEXT, type, LIMIT_NAME)             \
    F (R, DIGEST, modification_id, 0)         \
    F (R, NUMBER, performance_improvement, 0) \
    F (R, TEXT, error_message, LIMIT_TEXT)    \
    L (R, entry, metadata, LIMIT_METADATA)
/* A measured candidate; key: its id. */
#define CANDIDATE_ROW_FIELDS(F, L, R)       \
    F (R, DIGEST, id, 0)                    \
    L (R, hash, parents, 2)                 \
    F (R, UINT, valid, 1)                   \
    L (R, value, metrics, LIMIT_OBJECTIVES) \
    F (R, UINT, reason, REASON_LIMIT)       \
    F (R, TEXT, detail, LIMIT_LONG_TEXT)    \
    F (R, DIGEST, improvement, 0)           \
    F (R, UINT, time_ms, 0)                 \
    F (R, UINT, dropped, 1) /* its files are gone, by retention */
/* A snapshot: what was live before a change; key: its id. */
#define SNAPSHOT_ROW_FIELDS(F, L, R)                                   \
    F (R, DIGEST, id, 0)                                               \
    F (R, UINT, time_ms, 0)                                            \
    F (R, DIGEST, release, 0) /* what `current` pointed at */          \
    F (R, DIGEST, next, 0)    /* what it points at after the change */ \
    F (R, DIGEST, improvement, 0)                                      \
    F (R, TEXT, cause, LIMIT_TEXT)                                     \
    L (R, value, baseline, LIMIT_OBJECTIVES)
/* Where a package stands; ROW_… as its row says it. */
typedef enum { ROW_OWN, ROW_WAITING, ROW_ADOPTED, ROW_REJECTED } package_status_t;
/* A package, own or a peer's; key: its id (the digest of the packed statement, which is a content). */
#define PACKAGE_ROW_FIELDS(F, L, R)                                          \
    F (R, DIGEST, id, 0)                                                     \
    F (R, KEY, author, 0)                                                    \
    F (R, UINT, status, 3) /* package_status_t */                            \
    F (R, UINT, reason, REASON_LIMIT)                                        \
    F (R, NUMBER, compatibility, 0)                                          \
    L (R, entry, parts, LIMIT_METADATA) /* each part of the compatibility */ \
    F (R, UINT, sent, 0)                /* own: transfers sent */            \
    F (R, UINT, adopted, 0)             /* own: peers that adopted it */     \
    F (R, UINT, time_ms, 0)

RECORD_STRUCT (interval, INTERVAL_FIELDS);
RECORD_STRUCT (improvement_row, IMPROVEMENT_ROW_FIELDS);
RECORD_STRUCT (event_row, EVENT_ROW_FIELDS);
RECORD_STRUCT (candidate_row, CANDIDATE_ROW_FIELDS);
RECORD_STRUCT (snapshot_row, SNAPSHOT_ROW_FIELDS);
RECORD_STRUCT (package_row, PACKAGE_ROW_FIELDS);

#endif
