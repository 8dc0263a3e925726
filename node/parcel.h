/* SPDX-License-Identifier: MPL-2.0 */
/* A parcel: a peer's package on its way from hearing of it to its outcome, as one table. Pure data and moves; what each stretch
 * of the way does is in node_knowledge.c (places), node_knowledge_fetch.c and node_knowledge_try.c.
 *
 *        hear             take up             verify           merge (our live release isn't its base)
 *  FREE ──────▶ WAITING ─────────▶ FETCHING ─────────▶ FILES ────────▶ MERGING
 *                  ▲                   │                 │ try            │ try
 *                  │                   │                 └──────▶ TRYING ◀┤
 *                  │                   │                 │          │     │
 *                  └──────put back─────┴─────────────────┴──────────┴─────┘
 *
 *  put back: not to be had now; no place; the merge failed on this machine; the live release moved; too few validators here
 *
 *  end leads to FREE from every other state: adopted, rejected, or turned away
 *
 * FETCHING: the package itself; FILES: what its two lists name, `files` counts the lists that are whole. */
#ifndef EVOMESH_NODE_PARCEL_H
#define EVOMESH_NODE_PARCEL_H

#include "evolution/compatibility.h"
#include "evolution/validators.h"
#include "protocol/record.h"
#include "protocol/wire.h"
#include "protocol/image.h"

/* STATE (NAME, "name") */
#define PARCEL_STATES(STATE)     \
    STATE (FREE, "free")         \
    STATE (WAITING, "waiting")   \
    STATE (FETCHING, "fetching") \
    STATE (FILES, "files")       \
    STATE (MERGING, "merging")   \
    STATE (TRYING, "trying")

typedef enum {
#define STATE_ENUM(NAME, name) PARCEL_##NAME,
    PARCEL_STATES (STATE_ENUM)
#undef STATE_ENUM
        PARCEL_STATE_COUNT
} parcel_state_t;

/* MOVE (NAME, "name") */
#define PARCEL_MOVES(MOVE)      \
    MOVE (HEAR, "hear")         \
    MOVE (TAKE_UP, "take_up")   \
    MOVE (VERIFY, "verify")     \
    MOVE (MERGE, "merge")       \
    MOVE (TRY, "try")           \
    MOVE (PUT_BACK, "put_back") \
    MOVE (END, "end")

typedef enum {
#define MOVE_ENUM(NAME, name) PARCEL_MOVE_##NAME,
    PARCEL_MOVES (MOVE_ENUM)
#undef MOVE_ENUM
        PARCEL_MOVE_COUNT
} parcel_move_t;

/* One edge of the table. */
typedef struct {
    parcel_state_t from;
    parcel_move_t move;
    parcel_state_t to;
} parcel_edge_t;

/* Zero-initialised it is FREE. */
typedef struct {
    parcel_state_t state;
    digest_t package;
    pubkey_t author;    /* who is asked for it */
    pubkey_t alternate; /* another member that told of it; zero: none */
    digest_t transfer;  /* zero: heard of by KNOWLEDGE */
    bool alone;         /* nobody but its author vouches for it: tried as a mere proposal */
    bool unconfirmed;   /* too few members were here to measure it again: tried when there are more */
    bool
        approved; /* by the operator, on another live release: where the group is not sure again, it isn't held again */
    unsigned attempts;
    uint64_t retry_ms; /* WAITING: not before */
    digest_t candidate;
    digest_t base;
    digest_t
        ancestor; /* the live release here, if the candidate was made from it through others; else zero */
    improvement_type_t type;
    char description[LIMIT_TEXT + 1];
    buffer_t base_tree;
    buffer_t candidate_tree;
    unsigned files; /* trees whose files are here, of two */
    unsigned hunks;
    unsigned conflicts;
    compatibility_parts_t parts;
    double score;
    bool again;     /* it was tried before, on another live release */
    bool imported;  /* its contents came with a file: its author need not be there */
    uint64_t order; /* rank of arrival; a new one when it is put back behind the others */
} parcel_t;

/* The whole table, for tests. */
const parcel_edge_t *parcel_edges (size_t *count);

/* The edge that leaves `from` by `move`; NULL if there is none. */
const parcel_edge_t *parcel_edge (parcel_state_t from, parcel_move_t move);

const char *parcel_state_name (parcel_state_t state);
const char *parcel_move_name (parcel_move_t move);

/* Takes an edge of the table (asserted to exist) and checks what must hold in the state that it leads to. Not for HEAR and END,
 * which fill and empty the parcel. */
void parcel_move (parcel_t *self, parcel_move_t move);

/* HEAR: `author` told of `package`; `transfer` is zero if it did not choose us. `order` is its rank of arrival. */
void parcel_hear (parcel_t *self, const digest_t *package, const pubkey_t *author, const digest_t *transfer,
                  uint64_t order);

/* END: frees what it holds; it is as zero-initialised. */
void parcel_end (parcel_t *self);

/* Its fields, for a checkpoint: see protocol/image.h. It is FREE before it is loaded. */
void parcel_image (parcel_t *self, image_t *image);

#endif
