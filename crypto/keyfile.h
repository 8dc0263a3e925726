/* SPDX-License-Identifier: MPL-2.0 */
/* The bytes of a key file: an identity seed and a link seed, plain or locked by a passphrase
 * (Argon2id, then XSalsa20-Poly1305). Reading and writing the file itself is node/io/keystore's work. */
#ifndef EVOMESH_CRYPTO_KEYFILE_H
#define EVOMESH_CRYPTO_KEYFILE_H

#include "crypto/identity.h"

#define KEYFILE_BYTES_MAX   256
#define KEYFILE_SALT_BYTES  16
#define KEYFILE_NONCE_BYTES 24

typedef struct {
    uint8_t identity_seed[SEED_BYTES];
    uint8_t curve_seed[SEED_BYTES];
} keys_t;

typedef enum {
    KEYFILE_OK = 0,
    KEYFILE_MALFORMED = -1, /* not a key file, or cut short */
    KEYFILE_VERSION = -2,   /* a format that this build doesn't know */
    KEYFILE_NEEDS_PASSPHRASE = -3,
    KEYFILE_WRONG_PASSPHRASE = -4, /* or the file was altered */
    KEYFILE_MEMORY = -5            /* Argon2id could not get its memory */
} keyfile_result_t;

/* True if the bytes are a key file that wants a passphrase. */
bool keyfile_is_locked (const uint8_t *data, size_t size);

/* Encodes `keys` into `out` and sets `*size`. With a passphrase (else NULL) they are locked, with the random
 * `salt` and `nonce` that the caller drew. Returns KEYFILE_OK or KEYFILE_MEMORY. */
keyfile_result_t keyfile_encode (const keys_t *keys, const char *passphrase,
                                 const uint8_t salt[KEYFILE_SALT_BYTES],
                                 const uint8_t nonce[KEYFILE_NONCE_BYTES], uint8_t out[KEYFILE_BYTES_MAX],
                                 size_t *size);

/* Decodes what keyfile_encode wrote; `passphrase` may be NULL for a plain file. On any failure `keys`
 * is zeroed. */
keyfile_result_t keyfile_decode (const uint8_t *data, size_t size, const char *passphrase, keys_t *keys);

#endif
