/* SPDX-License-Identifier: MPL-2.0 */
#include "crypto/identity.h"

#include <assert.h>
#include <string.h>

#include <sodium/crypto_generichash.h>
#include <sodium/crypto_scalarmult.h>
#include <sodium/crypto_sign.h>
#include <sodium/utils.h>

_Static_assert(PUBKEY_BYTES == crypto_sign_PUBLICKEYBYTES, "Ed25519 public key");
_Static_assert(PUBKEY_BYTES == crypto_scalarmult_BYTES, "X25519 public key");
_Static_assert(PUBKEY_BYTES == DIGEST_BYTES, "keys are shown as digests are");
_Static_assert(SIGNATURE_BYTES == crypto_sign_BYTES, "Ed25519 signature");
_Static_assert(SEED_BYTES == crypto_sign_SEEDBYTES && SEED_BYTES == crypto_scalarmult_SCALARBYTES, "seeds");

void identity_from_seed (const uint8_t seed[SEED_BYTES], identity_t *identity)
{
    assert (seed != NULL && identity != NULL);
    _Static_assert(sizeof identity->secret == crypto_sign_SECRETKEYBYTES, "Ed25519 secret key");
    crypto_sign_seed_keypair (identity->id.bytes, identity->secret, seed);
}

void identity_wipe (identity_t *identity)
{
    sodium_memzero (identity, sizeof *identity);
}

void curve_from_seed (const uint8_t seed[SEED_BYTES], curve_t *curve)
{
    assert (seed != NULL && curve != NULL);
    /* As crypto_box_keypair, and so libzmq, does: the secret is the random bytes themselves. */
    memcpy (curve->secret, seed, sizeof curve->secret);
    crypto_scalarmult_base (curve->public_key.bytes, curve->secret);
}

void curve_wipe (curve_t *curve)
{
    sodium_memzero (curve, sizeof *curve);
}

void identity_sign (const identity_t *identity, const void *data, size_t size,
                    uint8_t signature[SIGNATURE_BYTES])
{
    assert (data != NULL || size == 0);
    assert (!pubkey_is_zero (&identity->id)); /* it was not wiped */
    crypto_sign_detached (signature, NULL, data, size, identity->secret);
}

bool identity_verify (const pubkey_t *id, const void *data, size_t size,
                      const uint8_t signature[SIGNATURE_BYTES])
{
    assert (data != NULL || size == 0);
    return crypto_sign_verify_detached (signature, data, size, id->bytes) == 0;
}

digest_t identity_tag (const identity_t *identity, const char *purpose, const void *data, size_t size)
{
    assert (identity != NULL && purpose != NULL && purpose[0] != '\0' && (data != NULL || size == 0));
    assert (!pubkey_is_zero (&identity->id)); /* it was not wiped */
    uint8_t key[crypto_generichash_KEYBYTES];
    digest_t tag;
    /* An Ed25519 secret begins with the seed that it is made from. */
    crypto_generichash (key, sizeof key, (const uint8_t *)purpose, strlen (purpose), identity->secret,
                        SEED_BYTES);
    crypto_generichash (tag.bytes, DIGEST_BYTES, data, size, key, sizeof key);
    sodium_memzero (key, sizeof key);
    return tag;
}

bool pubkey_equal (const pubkey_t *a, const pubkey_t *b)
{
    assert (a != NULL && b != NULL);
    return memcmp (a->bytes, b->bytes, PUBKEY_BYTES) == 0;
}

int pubkey_compare (const void *a, const void *b)
{
    assert (a != NULL && b != NULL);
    const pubkey_t *left = a, *right = b;
    return memcmp (left->bytes, right->bytes, PUBKEY_BYTES);
}

static digest_t s_as_digest (const pubkey_t *key)
{
    digest_t digest;
    memcpy (digest.bytes, key->bytes, DIGEST_BYTES);
    return digest;
}

bool pubkey_is_zero (const pubkey_t *key)
{
    digest_t digest = s_as_digest (key);
    return digest_is_zero (&digest);
}

void pubkey_text (const pubkey_t *key, char text[DIGEST_TEXT_BYTES])
{
    digest_t digest = s_as_digest (key);
    digest_text (&digest, text);
}

void pubkey_short (const pubkey_t *key, char text[DIGEST_SHORT_BYTES])
{
    digest_t digest = s_as_digest (key);
    digest_short (&digest, text);
}

int pubkey_parse (const char *text, pubkey_t *key)
{
    digest_t digest;
    if (digest_parse (text, &digest) != 0)
        return -1;
    memcpy (key->bytes, digest.bytes, PUBKEY_BYTES);
    return 0;
}
