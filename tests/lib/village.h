/* SPDX-License-Identifier: MPL-2.0 */
/* A village: several meshes of one group in virtual time, between which statements are carried at once and in order. What each mesh
 * wants of its node is written down. */
#ifndef EVOMESH_TESTS_LIB_VILLAGE_H
#define EVOMESH_TESTS_LIB_VILLAGE_H

#include "protocol/mesh.h"

#define VILLAGE_MAX      6
#define VILLAGE_CONTENTS 4
#define VILLAGE_SEQ      1001 /* the live number that each mesh starts from */

typedef struct {
    unsigned kind; /* of the statement; 0: none */
    uint64_t seq;
    pubkey_t author;
    pubkey_t curve;
} village_delivery_t;

typedef struct {
    identity_t identity;
    curve_t curve;
    mesh_t *mesh; /* NULL: down */
    mesh_outputs_t out;
    bool linked[VILLAGE_MAX]; /* to whom it has a link */
    mesh_address_t linked_to[VILLAGE_MAX];
    unsigned life;
    uint64_t seq; /* even: of what its node says */
    uint64_t publication;
    buffer_t published[2048]; /* packed, by number */
    uint64_t reserved;
    /* what came */
    village_delivery_t delivered[4096];
    size_t delivered_count;
    size_t up_count[VILLAGE_MAX];
    size_t lost_count[VILLAGE_MAX];
    uint64_t up_number[VILLAGE_MAX];
    size_t connect_count[VILLAGE_MAX];
    size_t disconnect_count[VILLAGE_MAX];
    size_t refused_count;
    size_t refused_first;
    int refused_code; /* the last */
    pubkey_t refused_peer;
    size_t equivocated_count;
    pubkey_t equivocated_peer;
    uint64_t equivocated_number;
    size_t equivocated_bytes; /* of both statements */
    size_t served;
    size_t served_pulls;
    size_t fetched_count;
    uint64_t fetched_operation;
    int fetched_result;
    buffer_t fetched;
} villager_t;

typedef struct village village_t;
/* True if this statement is to be lost on its way. `to` is SIZE_MAX for what is said to all. */
typedef bool (village_lose_fn) (village_t *self, size_t from, size_t to, unsigned kind);

struct village {
    group_t group;
    members_t *members;
    villager_t people[VILLAGE_MAX];
    size_t count;
    uint64_t now_ms;
    uint64_t wall_ms;
    buffer_t contents[VILLAGE_CONTENTS];
    village_lose_fn *lose;
    size_t sent[128]; /* statements that went, by kind */
    bool is_hushed;   /* nothing is carried: what is said stays in `out` */
};

/* `count` members, none of whom knows an address; person 0 founded the group. */
village_t *village_new (size_t count);
void village_destroy (village_t **self_p);
/* A fresh mesh for that person, as after a restart. */
void village_start (village_t *self, size_t person);
/* Its process ends without a word. */
void village_stop (village_t *self, size_t person);
/* Sets the roster that the village has at all meshes. */
void village_set_members (village_t *self);
/* `person` learns where `of` lives. */
void village_hint (village_t *self, size_t person, size_t of);
/* Everybody learns where person 0 lives, and time passes until all are up. */
void village_meet (village_t *self);
/* Lets time pass in steps of 50 ms, ticking who wants it. */
void village_pass (village_t *self, uint64_t ms);
/* Lets all that is said reach its hearers. */
void village_settle (village_t *self);
bool village_is_up (const village_t *self, size_t person, size_t peer);
mesh_peer_t village_peer (const village_t *self, size_t person, size_t peer);
size_t village_delivered (const village_t *self, size_t person, unsigned kind);

/* A statement of the person's node. `way`: MESH_SEND over its link to `to`, or MESH_PUBLISH. `fields` as the kind has them. */
void village_say (village_t *self, size_t person, size_t to, unsigned kind, const void *fields);
/* An EVENT, published with the next number. */
void village_publish (village_t *self, size_t person);

/* A packed statement with any head. */
buffer_t village_statement (const identity_t *author, const head_t *head, const void *fields);
/* The head that the person's next statement of its node has. */
head_t village_head (village_t *self, size_t person, unsigned kind);
/* Brings bytes to `person`, on the link of `curve` (NULL: publication), and settles. */
void village_bring (village_t *self, size_t person, const pubkey_t *curve, const buffer_t *packed);

#endif
