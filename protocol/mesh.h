/* SPDX-License-Identifier: MPL-2.0 */
/* The mesh: this node's links to the members of its group. A pure state machine in front of the node: it judges everything
 * that arrives (membership, signature, freshness, replay, addressee), keeps links and liveness, moves content by
 * hash and repairs gaps in publications; what is left, verified and in order, is delivered to the node.
 *
 *              address known               WELCOME to our HELLO
 *   UNKNOWN ─────────────────▶ LINKING ───────────────────────▶ UP ──nothing heard──▶ SUSPECT (pinged)
 *                                ▲  └─ HELLO again, with backoff ─┘ ▲                     │     │
 *                                │                                  └──── heard again ────┘     │ nothing heard
 *                                └──────────────────────────────────────────────────────────────┘ (lost)
 *
 * Nothing of it is journaled: links start anew after a restart. What the node must know of it (a peer is up, a peer is
 * lost, statements) comes to the node as events, and those are journaled; so a replay needs no network.
 *
 * How members find each other: who becomes UP is introduced to the others by their last signed PRESENCE, sent on as it came, and
 * they to it. An introduction tells addresses and nothing else: only what comes from a peer itself makes it alive.
 *
 * Sequence numbers: an author's even numbers belong to its node (journaled statements), the odd ones to its mesh, which
 * reserves them on disk in blocks. Both count up; HELLO and WELCOME tell the highest that the other side has seen. */
#ifndef EVOMESH_PROTOCOL_MESH_H
#define EVOMESH_PROTOCOL_MESH_H

#include "protocol/group.h"
#include "protocol/window.h"

typedef struct mesh mesh_t;

/* What we tell of ourselves. Copied by mesh_new. */
typedef struct {
    pubkey_t curve;
    address_t addresses[LIMIT_ENDPOINTS];
    size_t address_count;
    unsigned validation_types; /* bits */
    const char *platform;
    uint64_t live_seq; /* first live sequence number to use (odd): from the reserved block on disk */
} mesh_self_t;

typedef enum {
    MESH_RESERVE, /* `number`: persist that live sequence numbers below it may be in use; comes before any that is */
    MESH_CONNECT, /* link to `peer` (curve key `curve`) at `addresses`: DEALER to its ROUTER, SUB to its PUB; anew if there is
                        a link already */
    MESH_DISCONNECT, /* take that link down */
    MESH_SEND,       /* statement to `peer` over our own DEALER */
    MESH_REPLY,      /* statement to the link key `curve`, over the connection that its request came on */
    MESH_PUBLISH,    /* statement to all subscribers */
    MESH_DELIVER, /* verified statement for the node, `curve` is the link key it came with (zero for PUB) */
    MESH_PEER_UP, /* `peer` can be talked to; again when it (or its link) started anew: what waits for it is to be said again. With `validation_types`, `platform`, and in `number` the highest seq of ours that it has seen */
    MESH_PEER_LOST,  /* `peer` */
    MESH_SERVE,      /* a member wants `content` from `number` on: answer with mesh_serve */
    MESH_SERVE_PULL, /* a member wants our publications from `number` on: answer with mesh_serve_pull */
    MESH_FETCHED,    /* the fetch `operation` ended: `result` 0 with the content in bytes, or an error */
    MESH_EQUIVOCATED, /* `peer` said two things under the number `number`: both statements, packed, are in bytes and in second */
    MESH_REFUSED /* something was refused: `result` says why; for the counters and the log (once per peer and minute:
                        `first` is true) */
} mesh_output_kind_t;

typedef struct {
    char rpc[LIMIT_ENDPOINT + 1];
    char pub[LIMIT_ENDPOINT + 1];
} mesh_address_t;

typedef struct {
    mesh_output_kind_t kind;
    pubkey_t peer;
    pubkey_t curve;
    digest_t request;
    digest_t content;
    uint64_t number;
    uint64_t operation;
    unsigned validation_types;
    int result;
    bool first;
    char platform[LIMIT_TEXT + 1];
    size_t address_count;
    mesh_address_t addresses[LIMIT_ENDPOINTS]; /* the one to try first stands first */
    buffer_t bytes;                            /* body, content, or packed statement */
    buffer_t second;                           /* packed statement */
    uint8_t seal[SEAL_BYTES];
} mesh_output_t;

/* What is to be done, in order. Zero-initialise; mesh_outputs_clear frees the entries. */
typedef struct {
    mesh_output_t *items;
    size_t count;
    size_t capacity;
} mesh_outputs_t;
void mesh_outputs_clear (mesh_outputs_t *self);

/* NULL when out of memory. `identity` and `group` are borrowed for the mesh's life. `entropy` seeds the jitter of reconnects. */
mesh_t *mesh_new (const identity_t *identity, const group_t *group, const mesh_self_t *about,
                  const uint8_t entropy[SEED_BYTES]);
void mesh_destroy (mesh_t **self_p);

/* The roster in force (copied): new members get a peer, revoked ones lose theirs at once (DISCONNECT, PEER_LOST). */
void mesh_set_members (mesh_t *self, const members_t *members, uint64_t now_ms, mesh_outputs_t *out);

/* An address known from elsewhere (the invite, node.yaml, the store): tried until its owner tells a better one. */
void mesh_hint (mesh_t *self, const pubkey_t *id, const char *rpc, const char *pub, uint64_t now_ms,
                mesh_outputs_t *out);

/* Link keys of live invites: with such a key only JOIN_REQUEST is heard. `live` false takes it away. */
void mesh_set_invite (mesh_t *self, const pubkey_t *curve, bool live);

/* The newest publication of `author` that is on disk, so that pulling goes on behind it; and our own latest. */
void mesh_set_publication (mesh_t *self, const pubkey_t *author, uint64_t number);

/* Bytes arrived: on the publication socket (`curve` NULL) or from the link key `curve`. Borrowed for the call. */
void mesh_receive (mesh_t *self, const pubkey_t *curve, const uint8_t *body, size_t body_size,
                   const uint8_t *seal, size_t seal_size, uint64_t now_ms, uint64_t wall_ms,
                   mesh_outputs_t *out);

/* Lets time pass: HELLO, PRESENCE, PING, suspicion, loss, fetches and pulls again. */
void mesh_tick (mesh_t *self, uint64_t now_ms, uint64_t wall_ms, mesh_outputs_t *out);
uint64_t mesh_deadline_ms (const mesh_t *self);

/* Says goodbye: PRESENCE leave. */
void mesh_leave (mesh_t *self, uint64_t now_ms, uint64_t wall_ms, mesh_outputs_t *out);

/* Publishes a METRICS statement made of `metrics` (live: never journaled). */
void mesh_publish_metrics (mesh_t *self, const metrics_message_t *metrics, uint64_t wall_ms,
                           mesh_outputs_t *out);

/* Fetches a content from `peer` in chunks, several at a time, each checked; ends with MESH_FETCHED within `timeout_ms`. */
void mesh_fetch (mesh_t *self, uint64_t operation, const pubkey_t *peer, const digest_t *content,
                 uint64_t timeout_ms, uint64_t now_ms, uint64_t wall_ms, mesh_outputs_t *out);
/* Gives that fetch up, without a MESH_FETCHED; nothing if there is none. */
void mesh_fetch_cancel (mesh_t *self, uint64_t operation);

/* Answers MESH_SERVE (`asked` is that output): `total` bytes in all of the content, at `data` those from its offset on; NULL if
 * we don't have it. */
void mesh_serve (mesh_t *self, const mesh_output_t *asked, const uint8_t *data, size_t size, uint64_t total,
                 uint64_t wall_ms, mesh_outputs_t *out);

/* Answers MESH_SERVE_PULL with packed statements, ascending. */
void mesh_serve_pull (mesh_t *self, const mesh_output_t *asked, const bytes_t *packed, size_t count,
                      uint64_t last, uint64_t wall_ms, mesh_outputs_t *out);

/* --- looking at it --- */
typedef enum { PEER_UNKNOWN, PEER_LINKING, PEER_UP, PEER_SUSPECT } peer_state_t;
typedef struct {
    pubkey_t id;
    char name[LIMIT_NAME + 1];
    peer_state_t state;
    uint64_t heard_ms;
    char rpc[LIMIT_ENDPOINT + 1]; /* the address in use; empty if none is known */
    char pub[LIMIT_ENDPOINT + 1];
    bool has_metrics;
    double learning_rate;
    uint64_t slots;
    uint64_t slots_busy;
} mesh_peer_t;
size_t mesh_peers (const mesh_t *self, mesh_peer_t *peers, size_t max);
/* How many statements were refused with `code` since the start. */
uint64_t mesh_refused (const mesh_t *self, int code);

#endif
