/* SPDX-License-Identifier: MPL-2.0 */
/* A group: its charter (its id is the charter's digest), its policy, and its roster of members by epoch. */
#ifndef EVOMESH_PROTOCOL_GROUP_H
#define EVOMESH_PROTOCOL_GROUP_H

#include "protocol/message.h"

/* The policy in force when nobody says otherwise: DESIGN 9. */
policy_t policy_default (void);
void policy_encode (const policy_t *policy, buffer_t *out);
/* 0, or ERROR_INPUT with the problem: thresholds are within [0, 1] and in order, deadlines > 0 and at most a day (held: a
 * year), counts within their limits. */
int policy_check (const policy_t *policy, problem_t *problem);
/* Reads and checks a policy. */
int policy_decode (bytes_t bytes, policy_t *policy, problem_t *problem);

/* A charter, verified: everything that a group is founded on. */
typedef struct {
    digest_t group;  /* digest of the charter's body: the group's id */
    buffer_t packed; /* the charter's statement, as it came */
    char name[LIMIT_NAME + 1];
    char agent[LIMIT_NAME + 1];
    pubkey_t founder;
    digest_t evaluator;
    digest_t start;
    policy_t policy;
} group_t;

/* Founds a group: makes and signs its charter as `founder`. The names are names (text_is_name) and the policy is sound
 * (asserted). Returns 0 or ERROR_MEMORY. */
int group_found (group_t *self, const identity_t *founder, const char *name, const char *agent,
                 const digest_t *evaluator, const digest_t *start, const policy_t *policy, uint64_t time_ms);
/* Opens a packed charter: signed by the founder it names, policy in order. 0 or an error with the problem. */
int group_open (bytes_t packed, group_t *self, problem_t *problem);
void group_clear (group_t *self);

/* The members at one epoch. */
typedef struct {
    uint64_t epoch;
    digest_t id;       /* of the ROSTER statement */
    digest_t previous; /* of the one before; zero at epoch 1 */
    pubkey_t author;   /* the admin that signed it */
    uint64_t seq;      /* of the statement, as are the next two */
    uint64_t publication;
    uint64_t time_ms;
    buffer_t packed;
    struct members_entry {
        pubkey_t id;
        pubkey_t curve;
        char name[LIMIT_NAME + 1];
        bool admin;
        uint64_t since_epoch;
        uint64_t revoked_epoch; /* 0: a member */
    } members[LIMIT_MEMBERS];
    size_t count;
} members_t; /* about 40 KB: on the heap */

/* Reads a packed ROSTER of `group` into `self`, whatever stood there: signature, order of members (sorted by id, no key
 * twice), epochs that can have been. Says nothing of whether its author may. 0 or an error with the problem. */
int members_open (bytes_t packed, const group_t *group, members_t *self, problem_t *problem);

/* May `next` follow `now` (NULL: none yet; then it must be the founder's epoch 1)? Its epoch is one higher, it names `now`
 * as the one before, its author is an admin there, nobody vanished, no revocation was undone, and an admin is left.
 * 0, ERROR_STALE (older, or the same), ERROR_CONFLICT (a gap or another branch), ERROR_DENIED. */
int members_follows (const members_t *now, const members_t *next, const group_t *group);

/* Founder's first roster; then one with a member added, or with one revoked, in the place of `self`. Signed by `admin`.
 * `publication` and `seq` are the author's next numbers. On failure `self` stays as it was (founding: empty). Errors:
 * ERROR_DENIED if `admin` is none. Add: ERROR_INPUT (a zero key, not a name), ERROR_CONFLICT if the key or link key is
 * there, ERROR_BOUND if full. Revoke: ERROR_NOT_FOUND, ERROR_REVOKED (already), ERROR_DENIED (the last admin). All:
 * ERROR_MEMORY. */
int members_found (members_t *self, const group_t *group, const identity_t *founder, const pubkey_t *curve,
                   const char *name, uint64_t seq, uint64_t publication, uint64_t time_ms);
int members_add (members_t *self, const group_t *group, const identity_t *admin, const pubkey_t *id,
                 const pubkey_t *curve, const char *name, uint64_t seq, uint64_t publication,
                 uint64_t time_ms);
int members_revoke (members_t *self, const group_t *group, const identity_t *admin, const pubkey_t *id,
                    uint64_t seq, uint64_t publication, uint64_t time_ms);
void members_clear (members_t *self);

/* Index of a member by identity or link key, revoked or not; -1 if there is none. */
int members_find (const members_t *self, const pubkey_t *id);
int members_find_curve (const members_t *self, const pubkey_t *curve);
/* A member: there, and not revoked. A clock has no say in it: see docs/decisions/0009. */
bool members_has (const members_t *self, const pubkey_t *id);
bool members_is_admin (const members_t *self, const pubkey_t *id);
/* How many are members. */
size_t members_live (const members_t *self);

#endif
