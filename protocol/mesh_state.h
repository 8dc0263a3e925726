/* SPDX-License-Identifier: MPL-2.0 */
/* What the mesh's own sources share: its state, and the few functions by which its parts call each other.
 *
 *   mesh_receive.c  judges what arrives       ─▶ links, pull, fetch, or the node
 *   mesh_members.c  who the members are, and where
 *   mesh_links.c    HELLO, PING: who is there
 *   mesh_presence.c PRESENCE: what all are told now and then
 *   mesh_pull.c     publications in order: what is missing is pulled
 *   mesh_fetch.c    contents by hash, in chunks
 *   mesh.c          the rest: life, what is said, what was refused */
#ifndef EVOMESH_PROTOCOL_MESH_STATE_H
#define EVOMESH_PROTOCOL_MESH_STATE_H

#include "crypto/random.h"
#include "protocol/mesh.h"
#include "protocol/throttle.h"

#define MESH_NEVER           UINT64_MAX
#define MESH_RELINK_AFTER    3 /* HELLOs without an answer, until the link is made anew with each further one */
#define MESH_LEFT_TRIES      6 /* the backoff of a peer that said goodbye begins as if so many had failed */
#define MESH_UP_MS           1000 /* between two PEER_UP of one peer, however often it comes, goes and greets */
#define MESH_JUMP_MS         60000 /* between two jumps of our numbers on one peer's word */
#define MESH_RETRY_MS        2000  /* a request that is not answered is repeated after it */
#define MESH_PULL_MS_MIN     500   /* between pulls that gave nothing: doubles */
#define MESH_PULL_MS_MAX     30000
#define MESH_CHUNKS_AT_ONCE  4   /* of one content */
#define MESH_FETCHES_AT_ONCE 16  /* contents; more wait, up to LIMIT_OPERATIONS */
#define MESH_CHUNKS          64  /* of one content: bits of a uint64_t */
#define MESH_SERVE_BURST     256 /* answers that one peer can have at once… */
#define MESH_SERVE_PER_S     256 /* …and in the long run: 16 MiB of content a second */
/* What one member can make our node journal; beyond, it is refused as busy: its durable statements come again. */
#define MESH_STATEMENT_BURST       512               /* statements over its link at once… */
#define MESH_STATEMENT_PER_S       128               /* …and in the long run */
#define MESH_STATEMENT_BYTES_BURST (2 * 1024 * 1024) /* their bytes at once; of its publications likewise… */
#define MESH_STATEMENT_BYTES_PER_S (256 * 1024)      /* …and in the long run */
#define MESH_BUSY_MS               1000 /* between two REFUSED that tell it so: who floods us gets no flood back */
#define MESH_PUBLICATION_BURST     1024 /* publications at once… */
#define MESH_PUBLICATION_PER_S     256  /* …and in the long run: the rest is pulled when there is room */
#define MESH_CODES                 32   /* error codes are below it */

_Static_assert((LIMIT_CONTENT_BYTES + LIMIT_CHUNK_BYTES - 1) / LIMIT_CHUNK_BYTES <= MESH_CHUNKS, "bits");

/* A bucket of tokens, which fills up with time. */
typedef struct {
    uint64_t tokens;
    uint64_t burst; /* as many as it holds */
    uint64_t per_s;
    uint64_t at_ms; /* when they were counted last */
} bucket_t;

/* Another member. */
typedef struct {
    pubkey_t id;
    pubkey_t curve;
    char name[LIMIT_NAME + 1];
    peer_state_t state;
    mesh_address_t addresses[LIMIT_ENDPOINTS]; /* the one in use stands first */
    size_t address_count;
    bool told;         /* the addresses come from itself, not from a hint */
    uint64_t heard_ms; /* the last verified statement that came from it */
    /* HELLO */
    uint64_t hello_at_ms; /* LINKING: when the next is due */
    uint64_t hello_sent_ms;
    unsigned hello_tries; /* since the link was last up */
    digest_t hellos[2];   /* the last ones said: a late WELCOME counts too */
    bool greeted;         /* its HELLO was heard since it is UP: another one means that it started anew */
    uint64_t told_epoch;  /* of the newest roster that it was sent */
    uint64_t seq_seen;    /* the highest of our numbers that it says it has seen */
    uint64_t jump_ms;     /* not before that our numbers jump on its word again */
    bool said_up;         /* the node was told that it is up, and not that it is lost */
    uint64_t up_ms;       /* not before that the node is told again… */
    uint64_t up_at_ms;    /* …and when it is to be; MESH_NEVER: nothing is to be told */
    uint64_t ping_at_ms;  /* SUSPECT: when the next is due */
    uint64_t
        published_ms; /* while it is up: when it was last heard over our subscription, or that was made */
    /* what it tells of itself */
    unsigned validation_types;
    char platform[LIMIT_TEXT + 1];
    uint64_t presence_seq; /* of its newest PRESENCE */
    buffer_t presence;     /* that, packed, to introduce it with */
    bool has_metrics;
    double learning_rate;
    uint64_t slots;
    uint64_t slots_busy;
    /* its publications */
    uint64_t next;   /* the number of the next one to deliver */
    uint64_t latest; /* the highest that is known to exist */
    bool pulling;    /* `pull` is under way */
    digest_t pull;
    uint64_t pull_at_ms; /* not before that another, or (pulling) it is given up */
    unsigned pull_tries; /* since one gave something */
    bucket_t served;     /* answers that it may still have of us */
    bucket_t statements; /* what it may still have our node take in, over its link */
    bucket_t statement_bytes;
    uint64_t busy_at_ms; /* not before that it is told again that it said too much */
    bucket_t publications;
    bucket_t publication_bytes;
} peer_t;

/* A content on its way to us. */
typedef struct {
    uint64_t operation;
    pubkey_t peer;
    digest_t content;
    uint64_t deadline_ms;
    bool is_sized; /* the first chunk told `total` */
    uint64_t total;
    uint64_t have; /* bit i: chunk i is there */
    uint8_t *bytes;
    struct {
        bool used;
        digest_t request;
        unsigned chunk;
        uint64_t retry_ms;
    } asked[MESH_CHUNKS_AT_ONCE];
} download_t;

struct mesh {
    const identity_t *identity;
    const group_t *group;
    pubkey_t curve;
    mesh_address_t addresses[LIMIT_ENDPOINTS];
    size_t address_count;
    unsigned validation_types;
    char platform[LIMIT_TEXT + 1];
    uint64_t seq;      /* next live sequence number: odd */
    uint64_t reserved; /* numbers below may be used */
    random_t random;
    members_t *members;
    uint64_t members_ms;  /* when they came into force here */
    window_t *windows[2]; /* of the even and the odd numbers, which count up each for itself */
    peer_t *peers[LIMIT_MEMBERS];
    size_t peer_count;
    pubkey_t invites[LIMIT_INVITES]; /* oldest first */
    size_t invite_count;
    uint64_t publication; /* our latest */
    uint64_t presence_at_ms;
    bool has_joined;                         /* our first PRESENCE is out */
    download_t *downloads[LIMIT_OPERATIONS]; /* oldest first */
    size_t download_count;
    uint64_t refused[MESH_CODES];
    throttle_t throttle;
};

/* A statement that arrived and what is known of it so far. */
typedef struct {
    const pubkey_t *curve; /* NULL: by publication */
    statement_t statement;
    head_t head;
    const message_info_t *info;
    pubkey_t author;
    digest_t id;
    peer_t *peer;         /* the author; NULL for one who asks to join */
    bool is_introduction; /* another's PRESENCE, sent on by the link's owner */
    bool is_pulled;       /* came inside a PULLED of its author */
    bool is_behind;       /* a HELLO under a number that is used up */
    message_t message;
    uint64_t now_ms;
    uint64_t wall_ms;
    mesh_outputs_t *out;
} incoming_t;

/* --- mesh.c --- */

/* Adds an output, zeroed. Never NULL: a node without memory for it can't go on. */
mesh_output_t *mesh_output (mesh_outputs_t *out, mesh_output_kind_t kind);
/* Says a live statement: encodes, signs and adds it. `peer` and `curve` may be NULL, as `way` needs them. Returns its id. */
digest_t mesh_say (mesh_t *self, mesh_output_kind_t way, const pubkey_t *peer, const pubkey_t *curve,
                   unsigned kind, const void *fields, uint64_t wall_ms, mesh_outputs_t *out);
/* Answers a request with REFUSED. */
void mesh_say_refused (mesh_t *self, const pubkey_t *peer, const pubkey_t *curve, const digest_t *request,
                       int code, uint64_t wall_ms, mesh_outputs_t *out);
/* Counts a refusal; `peer` and `curve` are whom it is laid to, as far as that is known. */
void mesh_refuse (mesh_t *self, int code, const pubkey_t *peer, const pubkey_t *curve, uint64_t now_ms,
                  mesh_outputs_t *out);
peer_t *mesh_find_peer (const mesh_t *self, const pubkey_t *id);
bool mesh_is_up (const peer_t *peer);
/* A full bucket. */
bucket_t mesh_bucket (uint64_t burst, uint64_t per_s, uint64_t now_ms);
/* Takes so many tokens; false, and none is taken, if there are fewer. */
bool mesh_take_tokens (bucket_t *self, uint64_t count, uint64_t now_ms);
/* From when on so many can be taken (at most `burst`), if none is taken before. */
uint64_t mesh_tokens_at_ms (const bucket_t *self, uint64_t count);
uint64_t mesh_earlier (uint64_t a, uint64_t b);

/* --- mesh_receive.c --- */

/* Judges and takes a statement that its author published before and now sent inside a PULLED. 0 or why not. */
int mesh_take_pulled (mesh_t *self, const incoming_t *around, bytes_t packed);
/* May the peer have the node journal another statement, of so many bytes? It is counted. */
bool mesh_take_statement (peer_t *peer, size_t size, uint64_t now_ms);
/* Hands a statement to the node. */
void mesh_deliver (const incoming_t *in);

/* --- mesh_members.c --- */

/* Has the link to the peer made, at the first of its addresses. */
void mesh_link (peer_t *peer, mesh_outputs_t *out);
/* The same, and greets it there at once. */
void mesh_begin_link (peer_t *peer, uint64_t now_ms, mesh_outputs_t *out);
/* The addresses that a peer tells of itself. The link moves if the one in use is not among them. */
void mesh_take_addresses (peer_t *peer, const address_t *items, size_t count, uint64_t now_ms,
                          mesh_outputs_t *out);

/* --- mesh_links.c --- */
void mesh_heard (peer_t *peer, uint64_t now_ms);
/* Has a HELLO said, but not sooner after the last than a first retry. */
void mesh_hello_soon (peer_t *peer, uint64_t now_ms);
/* The peer can't be talked to any more; it will be tried again. `tries` says how patiently. */
void mesh_lose (mesh_t *self, peer_t *peer, unsigned tries, uint64_t now_ms, mesh_outputs_t *out);
void mesh_take_hello (mesh_t *self, const incoming_t *in);
void mesh_take_welcome (mesh_t *self, const incoming_t *in);
void mesh_take_ping (mesh_t *self, const incoming_t *in);
void mesh_tick_links (mesh_t *self, uint64_t now_ms, uint64_t wall_ms, mesh_outputs_t *out);
uint64_t mesh_links_deadline_ms (const mesh_t *self);

/* --- mesh_presence.c --- */
/* The `state` of a PRESENCE. */
typedef enum { PRESENCE_JOIN, PRESENCE_ALIVE, PRESENCE_LEAVE } presence_state_t;
void mesh_take_presence (mesh_t *self, const incoming_t *in);
void mesh_say_presence (mesh_t *self, presence_state_t state, uint64_t wall_ms, mesh_outputs_t *out);
/* Sends one member's PRESENCE on to another, if it is known and they are two. */
void mesh_introduce (const peer_t *whom, const peer_t *to, mesh_outputs_t *out);
/* All addresses that we tell, borrowed from `self` for as long as it is. Returns how many. */
size_t mesh_own_addresses (const mesh_t *self, address_t out[LIMIT_ENDPOINTS]);

/* --- mesh_pull.c --- */

/* A publication came: delivers it if it is the next one. 0 or ERROR_MALFORMED. */
int mesh_take_publication (mesh_t *self, const incoming_t *in);
/* Its author says that so many exist. */
void mesh_note_latest (mesh_t *self, peer_t *peer, uint64_t latest, const incoming_t *in);
void mesh_take_pulled_answer (mesh_t *self, const incoming_t *in);
void mesh_tick_pull (mesh_t *self, peer_t *peer, uint64_t now_ms, uint64_t wall_ms, mesh_outputs_t *out);
uint64_t mesh_pull_deadline_ms (const peer_t *peer);
void mesh_serve_pull_request (mesh_t *self, const incoming_t *in);
/* True if that request was a pull; it is over. */
bool mesh_pull_refused (peer_t *peer, const digest_t *request, uint64_t now_ms);

/* --- mesh_fetch.c --- */
void mesh_take_chunk (mesh_t *self, const incoming_t *in);
void mesh_serve_fetch_request (mesh_t *self, const incoming_t *in);
/* True if that request was for a chunk. */
bool mesh_fetch_refused (mesh_t *self, const incoming_t *in, const digest_t *request, int code);
/* Ends all fetches from that peer. */
void mesh_end_fetches (mesh_t *self, const pubkey_t *peer, int result, mesh_outputs_t *out);
void mesh_tick_fetches (mesh_t *self, uint64_t now_ms, uint64_t wall_ms, mesh_outputs_t *out);
uint64_t mesh_fetches_deadline_ms (const mesh_t *self);
void mesh_download_destroy (download_t **self_p);

#endif
