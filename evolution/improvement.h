/* SPDX-License-Identifier: MPL-2.0 */
/* The life of an improvement, as one table.
 *
 *                                        ┌────────────────── certified (a peer's package, or a group of one) ─────────┐
 *                                        │                                                                            ▼
 *  ─propose─▶ PROPOSED ─test─▶ TESTING ──┴─ask─▶ REVIEWING ─validate─▶ VALIDATING ─confirm─▶ VALIDATED ─snapshot─▶ SNAPSHOT
 *                                 ▲                  │ hold               ▲                     │                     │
 *                                 │                  ▼                    │                     │ merge: live         │ apply
 *                                 │                 HELD ─────approve─────┘                     │ release moved       ▼
 *                                 └─────────────────────────────────────────────────────────────┘                  APPLIED
 *                                                                                                                     │
 *   merge leads to TESTING from HELD as well, if it is approved: the operator's word holds for what is merged.        │
 *   defer leads back from SNAPSHOT to VALIDATED: evolution rests since.
 *   reject leads to REJECTED from PROPOSED … SNAPSHOT                     SHARED ◀─share (own, verified)──────────────┤
 *                                                                         KEPT   ◀─keep (a peer's, or not shared)─────┤
 *   APPLIED, SHARED, KEPT ─roll back─▶ ROLLING_BACK ─done─▶ ROLLED_BACK; ─failed─▶ ROLLBACK_FAILED ─roll back (still live)─▶ …
 *
 * Final: REJECTED, SHARED, KEPT, ROLLED_BACK, ROLLBACK_FAILED. */
#ifndef EVOMESH_EVOLUTION_IMPROVEMENT_H
#define EVOMESH_EVOLUTION_IMPROVEMENT_H

#include <stdbool.h>
#include <stddef.h>

/* STATE (NAME, "name", final) */
#define IMPROVEMENT_STATES(STATE)                    \
    STATE (NONE, "none", false)                      \
    STATE (PROPOSED, "proposed", false)              \
    STATE (TESTING, "testing", false)                \
    STATE (REVIEWING, "reviewing", false)            \
    STATE (HELD, "held", false)                      \
    STATE (VALIDATING, "validating", false)          \
    STATE (VALIDATED, "validated", false)            \
    STATE (SNAPSHOT, "snapshot", false)              \
    STATE (APPLIED, "applied", false)                \
    STATE (SHARED, "shared", true)                   \
    STATE (KEPT, "kept", true)                       \
    STATE (ROLLING_BACK, "rolling_back", false)      \
    STATE (ROLLED_BACK, "rolled_back", true)         \
    STATE (ROLLBACK_FAILED, "rollback_failed", true) \
    STATE (REJECTED, "rejected", true)

typedef enum {
#define STATE_ENUM(NAME, name, final) STATE_##NAME,
    IMPROVEMENT_STATES (STATE_ENUM)
#undef STATE_ENUM
        STATE_COUNT
} improvement_state_t;

/* MOVE (NAME, "name") */
#define IMPROVEMENT_MOVES(MOVE)             \
    MOVE (PROPOSE, "propose")               \
    MOVE (TEST, "test")                     \
    MOVE (ASK, "ask")                       \
    MOVE (CERTIFIED, "certified")           \
    MOVE (HOLD, "hold")                     \
    MOVE (VALIDATE, "validate")             \
    MOVE (APPROVE, "approve")               \
    MOVE (CONFIRM, "confirm")               \
    MOVE (MERGE, "merge")                   \
    MOVE (SNAPSHOT, "snapshot")             \
    MOVE (APPLY, "apply")                   \
    MOVE (DEFER, "defer")                   \
    MOVE (SHARE, "share")                   \
    MOVE (KEEP, "keep")                     \
    MOVE (ROLL_BACK, "roll_back")           \
    MOVE (RESTORED, "restored")             \
    MOVE (RESTORE_FAILED, "restore_failed") \
    MOVE (REJECT, "reject")

typedef enum {
#define MOVE_ENUM(NAME, name) MOVE_##NAME,
    IMPROVEMENT_MOVES (MOVE_ENUM)
#undef MOVE_ENUM
        MOVE_COUNT
} improvement_move_t;

/* What a node tells people and its group: each type of event, declared in evolution/events.def. */
typedef enum {
    TYPE_NONE,
#define EVENT_TYPE(NAME, name, text) TYPE_##NAME,
#include "evolution/events.def"
#undef EVENT_TYPE
    TYPE_COUNT
} event_type_t;
/* Its name in EVENT, and a line on what it says; not of TYPE_NONE (asserted). */
const char *event_type_name (event_type_t type);
const char *event_type_text (event_type_t type);

/* One edge of the table; `event` is told when it is taken, TYPE_NONE for none. */
typedef struct {
    improvement_state_t from;
    improvement_move_t move;
    improvement_state_t to;
    event_type_t event;
} improvement_edge_t;

/* The whole table, for the engine, its tests and the docs. */
const improvement_edge_t *improvement_edges (size_t *count);

/* The edge that leaves `from` by `move`; NULL if there is none. */
const improvement_edge_t *improvement_edge (improvement_state_t from, improvement_move_t move);

const char *improvement_state_name (improvement_state_t state);
const char *improvement_move_name (improvement_move_t move);
bool improvement_final (improvement_state_t state);

typedef enum {
#define REASON(NAME, name, text) REASON_##NAME,
#include "evolution/reasons.def"
#undef REASON
    REASON_COUNT
} reason_code_t;
const char *reason_name (reason_code_t reason);
const char *reason_description (reason_code_t reason);
/* REASON_NONE for a name that is none. */
reason_code_t reason_parse (const char *name);

#endif
