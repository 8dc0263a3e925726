/* SPDX-License-Identifier: MPL-2.0 */
/* A village in which person 1 judges what persons 0 and 2 say to it: what its mesh refuses and why, and what it delivers. */
#ifndef EVOMESH_TESTS_UNIT_PROTOCOL_JUDGE_H
#define EVOMESH_TESTS_UNIT_PROTOCOL_JUDGE_H

#include "tests/lib/sample.h"
#include "tests/lib/suite.h"
#include "tests/lib/village.h"

/* Three who know each other; person 1 judges, person 0 speaks to it. */
static inline village_t *judged_village (void)
{
    village_t *village = village_new (3);
    village_meet (village);
    return village;
}

/* A durable statement to person 1. */
static inline leave_t leave_to_judge (const village_t *village)
{
    return (leave_t){.to = village->people[1].identity.id, .reason = text_of ("bye")};
}

/* A live one. */
static inline ack_t ack_to_judge (const village_t *village)
{
    return (ack_t){.to = village->people[1].identity.id};
}

/* Person 1 hears it on that link and refuses it for that reason, once. */
static inline void expect_refused (village_t *village, const pubkey_t *curve, const buffer_t *packed,
                                   int code)
{
    villager_t *judge = &village->people[1];
    size_t refused = judge->refused_count, delivered = judge->delivered_count;
    uint64_t counted = mesh_refused (judge->mesh, code);
    village_bring (village, 1, curve, packed);
    ck_assert_uint_eq (judge->refused_count, refused + 1);
    ck_assert_msg (judge->refused_code == code, "refused as %s, not %s", error_name (judge->refused_code),
                   error_name (code));
    ck_assert_uint_eq (mesh_refused (judge->mesh, code), counted + 1);
    ck_assert_uint_eq (judge->delivered_count, delivered);
}

/* Person 1 hears it on that link, and its node is given it. */
static inline void expect_delivered (village_t *village, const pubkey_t *curve, const buffer_t *packed)
{
    villager_t *judge = &village->people[1];
    size_t refused = judge->refused_count, delivered = judge->delivered_count;
    village_bring (village, 1, curve, packed);
    ck_assert_msg (judge->refused_count == refused, "refused as %s", error_name (judge->refused_code));
    ck_assert_uint_eq (judge->delivered_count, delivered + 1);
}

#endif
