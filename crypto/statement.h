/* SPDX-License-Identifier: MPL-2.0 */
/* What a node says, in exact bytes: a body, and a seal that says who said it.
 *
 *   body = msgpack array; its first element is the kind, a positive fixint at byte 1
 *   seal = signature (64) | author's key (32)
 *   signed bytes = "evomesh/1" SP kind SP length SP body      (kind and length in decimal; as DSSE's PAE,
 *                                                              so no body can pass for one of another kind)
 * Verify first, then parse the same buffer. Bytes are kept and forwarded as they came. */
#ifndef EVOMESH_CRYPTO_STATEMENT_H
#define EVOMESH_CRYPTO_STATEMENT_H

#include "crypto/identity.h"

#define SEAL_BYTES (SIGNATURE_BYTES + PUBKEY_BYTES)

/* A borrowed view of a statement's bytes; `body` must outlive it. */
typedef struct {
    const uint8_t *body;
    size_t body_size;
    uint8_t seal[SEAL_BYTES];
} statement_t;

/* The kind that a body claims (1..127), or 0 if its first bytes can't be those of a statement:
 * a fixarray that is not empty (0x91..0x9f), followed by a positive fixint. */
unsigned statement_kind (const uint8_t *body, size_t body_size);

/* Signs `body` as `identity` and fills the seal. The body must have a kind (asserted). */
void statement_seal (const identity_t *identity, const uint8_t *body, size_t body_size,
                     uint8_t seal[SEAL_BYTES]);

/* True if the seal's signature holds for the body and the seal's key. Says nothing of who may speak. */
bool statement_verify (const uint8_t *body, size_t body_size, const uint8_t seal[SEAL_BYTES]);

/* Who signed, as the seal says (true only after statement_verify). */
pubkey_t statement_author (const uint8_t seal[SEAL_BYTES]);

/* The statement's id: the digest of body and seal, one after the other. */
digest_t statement_id (const uint8_t *body, size_t body_size, const uint8_t seal[SEAL_BYTES]);

#endif
