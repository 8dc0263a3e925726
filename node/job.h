/* SPDX-License-Identifier: MPL-2.0 */
/* A job: a validation that a peer asked this node for, from its acceptance to its answer, as one table. Pure data and moves; what
 * is done on the way is in node_serve.c.
 *
 *        accept            list: both lists are here,        measure: and their files
 *  FREE ────────▶ LISTING ───────────────────────▶ FETCHING ─────────────────▶ MEASURING
 *                         judged by their shape
 *
 *  end leads to FREE from every other state: answered, declined, or its asker no longer waits
 *
 * In LISTING and FETCHING `fetched` counts, of the candidate's and the base's, what has come. */
#ifndef EVOMESH_NODE_JOB_H
#define EVOMESH_NODE_JOB_H

#include "crypto/digest.h"
#include "crypto/identity.h"
#include "protocol/image.h"

/* STATE (NAME, "name") */
#define JOB_STATES(STATE)        \
    STATE (FREE, "free")         \
    STATE (LISTING, "listing")   \
    STATE (FETCHING, "fetching") \
    STATE (MEASURING, "measuring")

typedef enum {
#define STATE_ENUM(NAME, name) JOB_##NAME,
    JOB_STATES (STATE_ENUM)
#undef STATE_ENUM
        JOB_STATE_COUNT
} job_state_t;

/* MOVE (NAME, "name") */
#define JOB_MOVES(MOVE)       \
    MOVE (ACCEPT, "accept")   \
    MOVE (LIST, "list")       \
    MOVE (MEASURE, "measure") \
    MOVE (END, "end")

typedef enum {
#define MOVE_ENUM(NAME, name) JOB_MOVE_##NAME,
    JOB_MOVES (MOVE_ENUM)
#undef MOVE_ENUM
        JOB_MOVE_COUNT
} job_move_t;

/* One edge of the table. */
typedef struct {
    job_state_t from;
    job_move_t move;
    job_state_t to;
} job_edge_t;

/* What was asked for. */
typedef struct {
    pubkey_t peer;
    digest_t request; /* the statement that asked; of several, the newest */
    digest_t candidate;
    digest_t base;
    unsigned validation_type;
    uint64_t deadline_ms; /* until then the peer waits */
} job_order_t;

/* Zero-initialised it is FREE. */
typedef struct {
    job_state_t state;
    job_order_t order;
    unsigned fetched;
} job_t;

/* The whole table, for tests. */
const job_edge_t *job_edges (size_t *count);

/* The edge that leaves `from` by `move`; NULL if there is none. */
const job_edge_t *job_edge (job_state_t from, job_move_t move);

const char *job_state_name (job_state_t state);
const char *job_move_name (job_move_t move);

/* ACCEPT: takes the order. */
void job_accept (job_t *self, const job_order_t *order);

/* One of the two that the state waits for is here. True if it was the second: then LIST or MEASURE is taken. */
bool job_fetched (job_t *self);

/* END: it is as zero-initialised. */
void job_end (job_t *self);

/* Its fields, for a checkpoint: see protocol/image.h. */
void job_image (job_t *self, image_t *image);

#endif
