/* SPDX-License-Identifier: MPL-2.0 */
/* A package with a certificate that holds, made with real keys, and every part of it open to a forger before it is sealed:
 * person 2 is its author, persons 1 (the founder), 3 and 4 approved of it and measured it, at epoch 4. */
#ifndef EVOMESH_TESTS_LIB_PROOF_H
#define EVOMESH_TESTS_LIB_PROOF_H

#include "evolution/package.h"

#define PROOF_AUTHOR  2
#define PROOF_MEMBERS 4 /* persons 1 to 4, who came with epochs 1 to 4; 5 and 6 are strangers */
#define PROOF_PEOPLE  6
#define PROOF_VOTES   8
#define PROOF_TIME_MS 1750000000000

typedef struct {
    unsigned person; /* who signs it */
    head_t head;
    feedback_t feedback;        /* if it is FEEDBACK */
    validation_result_t result; /* if it is a VALIDATION_RESULT */
} proof_vote_t;

typedef struct {
    identity_t people[PROOF_PEOPLE + 1]; /* from 1 on */
    group_t group;
    members_t *members;
    buffer_t base, candidate; /* encoded trees */
    unsigned person;          /* who signs the package */
    head_t head;
    package_t package; /* proof_pack fills in the evidence, from the votes */
    hash_t asked[PROOF_PEOPLE];
    blob_t rosters[2];
    proof_vote_t votes[PROOF_VOTES]; /* FEEDBACK by 1, 3, 4; then a VALIDATION_RESULT by each of them */
    size_t vote_count;
} proof_t;

/* A group under `policy` (NULL: the default), and the package. */
proof_t *proof_new (const policy_t *policy);
void proof_destroy (proof_t **self_p);

/* The founder revokes a person, in a roster of the next epoch, which is then the one in the package. */
void proof_revoke (proof_t *self, unsigned person);

/* Encodes a tree of one file with that text. */
void proof_tree (const digest_t *evaluator, const char *text, buffer_t *out);

/* Seals votes and package as they stand now. */
void proof_pack (const proof_t *self, buffer_t *packed);

#endif
