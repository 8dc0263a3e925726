/* SPDX-License-Identifier: MPL-2.0 */
/* A bus that listens on loopback and notes what reaches it; and raw sockets for those who attack it. */
#ifndef EVOMESH_TESTS_LIB_STATION_H
#define EVOMESH_TESTS_LIB_STATION_H

#include "node/io/bus.h"

#define STATION_WAIT_MS 60000 /* no wait in a test that passes comes near it */

typedef struct {
    bus_t *bus;
    curve_t curve;
    char rpc[LIMIT_ENDPOINT + 1];
    char pub[LIMIT_ENDPOINT + 1];
    size_t received; /* statements from members */
    size_t published;
    size_t malformed; /* frames that were none */
    bool has_malformed_key;
    pubkey_t last_curve; /* of what was received or malformed last */
    uint8_t last_body[256];
    size_t last_size;
    size_t refused;
    size_t refused_first;
    char refused_why[128];
} station_t;

/* Starts it with the link keys of seed `n`, for the topic whose bytes are all 7, and binds it to free ports. */
void station_start (station_t *self, zloop_t *loop, uint8_t n);
void station_stop (station_t *self);

/* The link keys whose seed's bytes are all `n`. */
curve_t station_curve (uint8_t n);
digest_t station_topic (void);
/* Each lets the other in as a member. */
void station_befriend (station_t *a, station_t *b);
/* `from` links to `to`. */
void station_link (station_t *from, const station_t *to);

/* Runs the loop until `done` says so; false if it didn't in STATION_WAIT_MS. */
typedef bool (station_done_fn) (void *context);
bool station_run (zloop_t *loop, station_done_fn *done, void *context);
/* Until a counter has reached that value. */
bool station_run_until (zloop_t *loop, const size_t *counter, size_t value);

/* A raw socket that connects to `endpoint`: with `curve` (NULL: without security) to the server key `server`. */
void *station_hostile (void *zmq, int type, const curve_t *curve, const pubkey_t *server,
                       const char *endpoint);
/* Sends `count` frames of those sizes, filled with `fill`; true if all went. */
bool station_send_frames (void *socket, const size_t *sizes, size_t count, uint8_t fill);

#endif
