/* SPDX-License-Identifier: MPL-2.0 */
/* A group to be measured, with everybody's keys: the same in each process that was forked after it was made. */
#ifndef EVOMESH_TESTS_BENCH_CLAN_H
#define EVOMESH_TESTS_BENCH_CLAN_H

#include "protocol/group.h"

#define CLAN_FILE_BYTES 2048 /* of the one file that a candidate changes */

typedef struct {
    size_t count;
    identity_t *identities;
    curve_t *curves;
    group_t group;
    members_t *members;
    uint8_t file[CLAN_FILE_BYTES]; /* of the start */
    buffer_t start;                /* its encoded tree */
} clan_t;

/* `count` members, the first of them the founder. */
void clan_make (clan_t *self, size_t count);
void clan_clear (clan_t *self);

/* The encoded tree of a candidate whose file that is; malloc'ed. */
uint8_t *clan_tree (const clan_t *self, const uint8_t file[CLAN_FILE_BYTES], size_t *size);

#endif
