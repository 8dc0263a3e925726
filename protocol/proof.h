/* SPDX-License-Identifier: MPL-2.0 */
/* The proof that a member equivocated, which anybody can check. */
#ifndef EVOMESH_PROTOCOL_PROOF_H
#define EVOMESH_PROTOCOL_PROOF_H

#include "protocol/message.h"

/* Two statements, packed, of one author and group under one sequence number. */
typedef struct {
    pubkey_t author;
    uint64_t seq;
    buffer_t first;
    buffer_t second;
} proof_t;

void proof_clear (proof_t *self);

/* True if both statements hold, are of that author and one group, have one sequence number and are not the same: anybody can
 * check that without trusting who shows it. */
bool proof_holds (const proof_t *proof);

#endif
