/* SPDX-License-Identifier: MPL-2.0 */
/* The bus: ZeroMQ sockets under CURVE. One ROUTER and one PUB bound; one DEALER and one SUB per peer linked to. Our own
 * ZAP handler admits exactly the keys it was told. Another engine could stand behind this interface.
 *
 * Each peer has a SUB of its own: a second connect of one SUB to an endpoint does nothing and says so to nobody, so a member
 * that advertised another's address would keep that other one from being heard.
 *
 * Each bus has its own ZeroMQ context, and with it its own ZAP handler: several can live in one process. The main program sets
 * ZSYS_SIGHANDLER=false before its first call to czmq (which else takes SIGINT and SIGTERM), and destroys the bus before
 * it exits. Frames: rpc [body][seal]; pub [topic][body][seal]. */
#ifndef EVOMESH_NODE_IO_BUS_H
#define EVOMESH_NODE_IO_BUS_H

#include <czmq.h>

#include "crypto/statement.h"
#include "node/ports.h"
#include "protocol/error.h"
#include "protocol/limits.h"

#define BUS_WHY_DENIED "our key is denied there" /* why a link is refused to a key that was a member's */

typedef struct bus bus_t;

/* A statement that arrived: `curve` is the link's authenticated key, NULL on the publication socket. All borrowed. Frames that can't be
 * a statement (counts, sizes) come with `body` NULL, so that they are counted too. */
typedef void (bus_receive_fn) (void *context, const pubkey_t *curve, const uint8_t *body, size_t body_size,
                               const uint8_t *seal, size_t seal_size);
/* Something can be read: the owner starts a turn, in which it calls bus_drain. */
typedef void (bus_readable_fn) (void *context);
/* A link was refused at the handshake (by our ZAP handler, or for not being CURVE), or our own link was refused by the other
 * side. For the counters; for the log where `first` is true (once per key or address and minute). `curve` is NULL where none was
 * proved. */
typedef void (bus_refused_fn) (void *context, const pubkey_t *curve, const char *address, const char *why,
                               bool first);

typedef struct {
    bus_readable_fn *readable;
    bus_receive_fn *receive;
    bus_refused_fn *refused;
    void *context;
} bus_handler_t;

/* Makes the sockets on `loop` (borrowed), for the group `topic`. NULL with the problem. */
bus_t *bus_new (zloop_t *loop, const curve_t *curve, const digest_t *topic, const bus_handler_t *handler,
                problem_t *problem);
/* Ends all sockets, in order; what was sent has a moment (200 ms) to get out. Not from within a callback of the loop. */
void bus_destroy (bus_t **self_p);

/* Binds ROUTER and PUB at host:port ("tcp://127.0.0.1:*": any free ports; "tcp://10.0.0.1:7401": rpc there, pub at the next
 * port). The real endpoints are written. A port in use is a problem that says so. Up to LIMIT_ENDPOINTS times. Returns 0 or
 * ERROR_INPUT, ERROR_CONFLICT (in use), ERROR_BOUND, ERROR_IO. */
int bus_bind (bus_t *self, const char *listen, char rpc[LIMIT_ENDPOINT + 1], char pub[LIMIT_ENDPOINT + 1],
              problem_t *problem);

/* Who `curve` is from now on: a stranger gets ZAP status 300 (may ask again later), the invited may link to rpc, members to rpc and
 * pub, the revoked get 400 (final). A member that becomes revoked: all links to us are ended at once (ZAP is asked
 * only at the handshake, and which link is whose libzmq doesn't tell; members come back by themselves), and so is ours to it. Beyond
 * LIMIT_MEMBERS + LIMIT_INVITES keys, a further one stays a stranger. */
void bus_set_standing (bus_t *self, const pubkey_t *curve, link_standing_t standing);

/* Links to a peer's ROUTER (by a DEALER) and PUB (by a SUB). Again for the same key makes the link anew, be it to other
 * endpoints: what waited in it is dropped. That is also how to try again after a refusal, which is final to libzmq. Returns 0, or
 * ERROR_INPUT (an endpoint that can't be), ERROR_BOUND (LIMIT_MEMBERS links), ERROR_IO, with the problem. */
int bus_connect (bus_t *self, const pubkey_t *curve, const char *rpc, const char *pub, problem_t *problem);
void bus_disconnect (bus_t *self, const pubkey_t *curve);

/* Sends over our DEALER to that peer; 0, ERROR_NOT_FOUND (no link), or ERROR_BUSY (high-water mark: dropped). Never blocks. */
int bus_send (bus_t *self, const pubkey_t *curve, const uint8_t *body, size_t body_size,
              const uint8_t seal[SEAL_BYTES]);
/* Sends to that key over the connection on which it spoke to our ROUTER last. Same errors. */
int bus_reply (bus_t *self, const pubkey_t *curve, const uint8_t *body, size_t body_size,
               const uint8_t seal[SEAL_BYTES]);
/* To all subscribers; 0, or ERROR_IO. Who is too slow misses it: ZeroMQ drops silently, the mesh repairs. */
int bus_publish (bus_t *self, const uint8_t *body, size_t body_size, const uint8_t seal[SEAL_BYTES]);

/* Reads what is there, at most `max` statements over all sockets in turn, and hands each to `receive`, which must not destroy
 * the bus. Returns how many. */
size_t bus_drain (bus_t *self, size_t max);

/* --- the blocking client of `evomesh group join`: one link, made with an invite's or a member's key --- */
typedef struct bus_client bus_client_t;
bus_client_t *bus_client_new (const curve_t *curve, const pubkey_t *server, const char *rpc,
                              problem_t *problem);
void bus_client_destroy (bus_client_t **self_p);
/* Sends and waits up to `timeout_ms` for the next statement; malloc'ed body for the caller. 0, ERROR_TIMEOUT (nobody there, or no
 * answer), ERROR_DENIED (the other side refused our key, or holds another than `server`), ERROR_MALFORMED, ERROR_MEMORY. A NULL
 * `body` only waits. */
int bus_client_ask (bus_client_t *self, const uint8_t *body, size_t body_size, const uint8_t seal[SEAL_BYTES],
                    uint64_t timeout_ms, uint8_t **reply, size_t *reply_size, uint8_t reply_seal[SEAL_BYTES]);

/* How far a client came up to now: what an ERROR_TIMEOUT means. */
typedef enum {
    BUS_REACH_NOWHERE, /* no connection: nothing listens there, or the network does not let us */
    BUS_REACH_HOST,    /* its system took the connection, but no node spoke: it is stopped, or far too busy */
    BUS_REACH_NODE     /* the node took our key */
} bus_reach_t;
bus_reach_t bus_client_reach (const bus_client_t *self);

#endif
