/* SPDX-License-Identifier: MPL-2.0 */
/* The group that this node belongs to, as its store remembers it: charter, newest roster, who this node is in it,
 * and the addresses at which members were last known. `group create` and `group join` write it; the reactor starts from it.
 *
 * Contents that go with it: the encoded tree of the evaluator (by group.evaluator), that of the start (by group.start),
 * and each file that they list, so that the node can serve them to those who join later. */
#ifndef EVOMESH_NODE_IO_MEMBERSHIP_H
#define EVOMESH_NODE_IO_MEMBERSHIP_H

#include "node/io/store.h"
#include "protocol/group.h"

/* Names of the settings. */
#define MEMBERSHIP_CHARTER "charter" /* packed CHARTER */
#define MEMBERSHIP_ROSTER  "roster"  /* packed ROSTER, the newest known */
#define MEMBERSHIP_SELF    "self"    /* our id, for those who look without the keys */
#define MEMBERSHIP_HINTS   "hints"   /* a hints record */

#define MEMBERSHIP_LIVE_SEQ "live_seq" /* see membership_live_seq */

/* Where a member was last known to listen. */
#define HINT_FIELDS(F, L, R)         \
    F (R, KEY, peer, 0)              \
    F (R, TEXT, rpc, LIMIT_ENDPOINT) \
    F (R, TEXT, pub, LIMIT_ENDPOINT)
#define HINTS_FIELDS(F, L, R) L (R, hint, hints, LIMIT_MEMBERS)
RECORD_STRUCT (hint, HINT_FIELDS);
RECORD_STRUCT (hints, HINTS_FIELDS);

typedef struct {
    group_t group;
    members_t *roster; /* owned */
    pubkey_t self;
    hints_t hints; /* texts and list belong to the two below */
    buffer_t hint_bytes;
    arena_t hint_arena;
} joined_t; /* MEMBERSHIP, the message, has taken the obvious name */

/* Reads and checks what the store remembers. Returns 0 with `*joined` owned by the caller; ERROR_NOT_FOUND if the node
 * is in no group, and never was in one; ERROR_IO or another error, with the problem, if what is there doesn't hold. */
int membership_load (store_t *store, joined_t **joined, problem_t *problem);
/* The same for who only wants to know whether it holds. In no group is no error: 0. */
int membership_check (store_t *store, problem_t *problem);
void membership_destroy (joined_t **self_p);

/* Writes all of it in one transaction (the caller's, if one is open). Texts in `hints` are copied. Returns 0 or an error with
 * the problem. */
int membership_save (store_t *store, bytes_t charter, bytes_t roster, const pubkey_t *self,
                     const hints_t *hints, problem_t *problem);

/* The newest roster, as it came. */
int membership_save_roster (store_t *store, bytes_t roster);

/* Replaces the addresses. */
int membership_save_hints (store_t *store, const hints_t *hints);

/* Live sequence numbers (the odd ones) below this may be in use; 0: none yet. `group join` speaks with some of them, later
 * the mesh reserves blocks (MESH_RESERVE). Durable before any of them is used. */
uint64_t membership_live_seq (store_t *store);
int membership_save_live_seq (store_t *store, uint64_t below);

#endif
