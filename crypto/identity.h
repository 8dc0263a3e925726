/* SPDX-License-Identifier: MPL-2.0 */
/* Who a node is: an Ed25519 key pair (RFC 8032); and how its links are locked: a CURVE25519 key pair. */
#ifndef EVOMESH_CRYPTO_IDENTITY_H
#define EVOMESH_CRYPTO_IDENTITY_H

#include "crypto/digest.h"

#define PUBKEY_BYTES     32
#define SIGNATURE_BYTES  64
#define SEED_BYTES       32
#define CURVE_TEXT_BYTES 41 /* Z85: 40 characters and the terminator */

/* A public key: Ed25519 for an identity (then it is the node's id), X25519 for a link. */
typedef struct {
    uint8_t bytes[PUBKEY_BYTES];
} pubkey_t;

/* A node's signing keys. The secret half is wiped by identity_wipe; keep it in locked memory. */
typedef struct {
    pubkey_t id;
    uint8_t secret[64];
} identity_t;

/* The key pair of a link, as ZeroMQ's CURVE takes it. */
typedef struct {
    pubkey_t public_key;
    uint8_t secret[32];
} curve_t;

/* The identity that belongs to `seed`: the same seed gives the same keys. */
void identity_from_seed (const uint8_t seed[SEED_BYTES], identity_t *identity);

/* Overwrites the secret so that the compiler can't leave it out. */
void identity_wipe (identity_t *identity);

/* The link keys that belong to `seed`; as libzmq's zmq_curve_keypair makes them from random bytes. */
void curve_from_seed (const uint8_t seed[SEED_BYTES], curve_t *curve);

void curve_wipe (curve_t *curve);

/* Signs `size` bytes at `data`; deterministic. */
void identity_sign (const identity_t *identity, const void *data, size_t size,
                    uint8_t signature[SIGNATURE_BYTES]);

/* True if `signature` over `data` was made with the secret of `id`. */
bool identity_verify (const pubkey_t *id, const void *data, size_t size,
                      const uint8_t signature[SIGNATURE_BYTES]);

/* A tag over `size` bytes at `data` that only this identity can make, and looks at itself: BLAKE2b-256 under a key that is derived from its
 * secret for that `purpose`, and kept nowhere. Tags of one purpose say nothing of another. Takes far less time than a signature. */
digest_t identity_tag (const identity_t *identity, const char *purpose, const void *data, size_t size);

bool pubkey_equal (const pubkey_t *a, const pubkey_t *b);
int pubkey_compare (const void *a, const void *b);
bool pubkey_is_zero (const pubkey_t *key);

/* Base32 forms, as for digests. */
void pubkey_text (const pubkey_t *key, char text[DIGEST_TEXT_BYTES]);
void pubkey_short (const pubkey_t *key, char text[DIGEST_SHORT_BYTES]);
int pubkey_parse (const char *text, pubkey_t *key);

#endif
