/* SPDX-License-Identifier: MPL-2.0 */
/* Outposts: real meshes on real buses over loopback, in one process; and what a hostile member needs to attack them. */
#ifndef EVOMESH_TESTS_LIB_OUTPOST_H
#define EVOMESH_TESTS_LIB_OUTPOST_H

#include "protocol/mesh.h"
#include "tests/lib/station.h"

#define OUTPOST_MEMBERS 4 /* the last one is the hostile side's */
#define OUTPOST_HOSTILE (OUTPOST_MEMBERS - 1)

typedef struct {
    identity_t identity;
    curve_t curve;
    uint64_t seq; /* even: of what its node says */
    uint64_t publication;
} outpost_keys_t;

typedef struct outposts outposts_t;

typedef struct {
    outposts_t *all;
    size_t number;
    bus_t *bus;
    mesh_t *mesh;
    mesh_outputs_t out;
    mesh_address_t address;
    size_t up; /* peers that came up */
    size_t lost;
    size_t delivered; /* statements, by kind */
    size_t delivered_of[128];
    uint64_t last_publication;
    bool is_in_order; /* publications of outpost 0 came each once, in order */
    size_t pulls_served;
    size_t refused;
    size_t refused_first;
    int refused_code;
    pubkey_t refused_peer;
    size_t link_refused;
    size_t fetched;
    int fetched_result;
    buffer_t content; /* what it serves, and what it fetched */
} outpost_t;

struct outposts {
    zloop_t *loop;
    group_t group;
    members_t *members;
    outpost_keys_t keys[OUTPOST_MEMBERS];
    outpost_t posts[OUTPOST_MEMBERS];
    size_t count;
    buffer_t *published; /* packed, by number: of outpost 0 */
    size_t published_count;
    void *zmq; /* for the hostile side */
    uint64_t skew_ms;
};

/* Starts `count` outposts of a group of OUTPOST_MEMBERS; each but the first knows where the first is. */
outposts_t *outposts_start (size_t count);
void outposts_stop (outposts_t **self_p);
/* Runs until all of them see each other. */
void outposts_meet (outposts_t *self);
/* Sets the roster as it is now at all of them, at mesh and bus. */
void outposts_set_members (outposts_t *self);

/* A statement of that member's node, packed; `head` with kind set, the rest is filled in where it is zero. */
buffer_t outposts_statement (outposts_t *self, size_t member, unsigned kind, const void *fields);
/* Publishes the next EVENTs of outpost 0, all at once. */
void outposts_publish (outposts_t *self, size_t count);

/* A raw DEALER with the hostile member's link key, connected to outpost 0. */
void *outposts_hostile (outposts_t *self);
/* Sends a packed statement as two frames. */
void outposts_hostile_send (void *socket, const buffer_t *packed);
/* Outpost 1 still gets through to outpost 0. */
void outposts_expect_alive (outposts_t *self);

#endif
