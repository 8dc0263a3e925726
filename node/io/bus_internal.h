/* SPDX-License-Identifier: MPL-2.0 */
/* What the bus's own sources share. */
#ifndef EVOMESH_NODE_IO_BUS_INTERNAL_H
#define EVOMESH_NODE_IO_BUS_INTERNAL_H

#include "node/io/bus.h"
#include "node/io/zap.h"
#include "protocol/throttle.h"

/* An option of libzmq 4.3 that its header shows only to draft builds; every build knows it. */
#define BUS_ZAP_ENFORCE_DOMAIN 93

#define BUS_KEYS_MAX (LIMIT_MEMBERS + LIMIT_INVITES)
#define BUS_FRAME_BYTES_MAX \
    (2 * LIMIT_STATEMENT_BYTES) /* larger: libzmq cuts the link; up to it we count the refusal */
#define BUS_ROUTING_ID_MAX   255
#define BUS_QUEUE_MAX        256  /* messages in a queue between two nodes, each way */
#define BUS_PUBLISH_MAX      1000 /* publications queued for one slow subscriber */
#define BUS_LINGER_MS        200
#define BUS_HANDSHAKE_MS     1000
#define BUS_RECONNECT_MS     100 /* libzmq doubles it up to the maximum and adds jitter of up to as much */
#define BUS_RECONNECT_MAX_MS 5000
#define BUS_CONNECT_MS       5000
#define BUS_MONITOR_TURN     64 /* events read before other sockets have their turn */

/* Our own link to a peer. */
typedef struct {
    pubkey_t curve;
    char rpc[LIMIT_ENDPOINT + 1];
    void *dealer;
    void *sub;
    void *monitor; /* of the DEALER: was it refused? */
} bus_link_t;

typedef struct {
    pubkey_t curve;
    link_standing_t standing;
} bus_key_t;

/* On which connection to our ROUTER a key spoke last. Keyed by CURVE key: a routing id can be claimed by anyone admitted. */
typedef struct {
    pubkey_t curve;
    uint8_t routing_id[BUS_ROUTING_ID_MAX];
    size_t routing_id_size;
    uint64_t used; /* order of use: the least recent gives way */
} bus_session_t;

struct bus {
    zloop_t *loop;
    void *zmq;
    zap_t *zap;
    curve_t curve;
    digest_t topic;
    bus_handler_t handler;
    void *router;
    void *publisher;
    void *router_monitor;
    void *publisher_monitor;
    unsigned monitor_count;              /* for their names */
    unsigned ports[2 * LIMIT_ENDPOINTS]; /* bound */
    size_t port_count;
    int *connections; /* descriptors of links made to us, as the monitors tell; libzmq owns them */
    size_t connection_count;
    size_t connection_capacity;
    bus_key_t keys[BUS_KEYS_MAX];
    size_t key_count;
    bus_session_t sessions[BUS_KEYS_MAX];
    size_t session_count;
    uint64_t session_clock;
    bus_link_t *links[LIMIT_MEMBERS];
    size_t link_count;
    size_t next_source; /* where the next drain begins, so that nobody is always last */
    throttle_t throttle;
};

/* Options that every socket between nodes has: keys, bounds, reconnection. `server` NULL: we are the server. */
int bus_secure (void *socket, const curve_t *curve, const pubkey_t *server, const char *zap_domain);
/* True if `endpoint` is "tcp://host:port". */
bool bus_endpoint_ok (const char *endpoint);
/* Lets the loop call the owner when the socket can be read. */
int bus_watch (bus_t *self, void *socket);
/* Ends watching, and closes. NULL is fine. */
void bus_close (bus_t *self, void *socket);
/* A monitor of failed handshakes on `socket`; NULL on failure. */
void *bus_monitor (void *zmq, void *socket, const char *name, int events);
/* Monitors a link's DEALER within the loop. */
void *bus_watch_link (bus_t *self, void *dealer);
/* Ends a monitor: first its source, as libzmq's I/O thread would wait for ever to tell one that is gone. */
void bus_end_monitor (bus_t *self, void *socket, void *monitor);
/* Ends all of our own links; what was sent lingers. */
void bus_end_links (bus_t *self);
/* Reads one event of a monitor: false if there is none. */
bool bus_monitor_next (void *monitor, unsigned *event, unsigned *value, char address[LIMIT_ENDPOINT + 1]);
/* What a failed handshake was, for people. */
const char *bus_handshake_text (unsigned event, unsigned value);
/* Tells the owner, with the throttle's word on whether it is the first. */
void bus_refuse (bus_t *self, const pubkey_t *curve, const char *address, const char *why);
link_standing_t bus_standing (const bus_t *self, const pubkey_t *curve);
bus_link_t *bus_find_link (const bus_t *self, const pubkey_t *curve);
/* The session of that key; NULL if it never spoke. */
bus_session_t *bus_find_session (bus_t *self, const pubkey_t *curve);
void bus_forget_session (bus_t *self, const pubkey_t *curve);
/* Reads the monitors of our own links. */
void bus_read_link_monitors (bus_t *self);

/* Body and seal as the last frames of a message. 0, ERROR_BUSY, ERROR_NOT_FOUND or ERROR_IO. */
int bus_send_frames (void *socket, const void *first, size_t first_size, const uint8_t *body,
                     size_t body_size, const uint8_t seal[SEAL_BYTES]);

#endif
