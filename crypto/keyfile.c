/* SPDX-License-Identifier: MPL-2.0 */
#include "crypto/keyfile.h"

#include <assert.h>
#include <string.h>

#include <sodium/crypto_pwhash.h>
#include <sodium/crypto_secretbox.h>
#include <sodium/utils.h>

/* The file:
 *   0  "EVOMESHK"
 *   8  version, 1
 *   9  0 plain, 1 locked
 *  plain                                locked
 *  10  identity seed (32)               10  passes of Argon2id (4, little-endian)
 *  42  curve seed (32)                  14  its memory in KiB (4, little-endian)
 *  74  digest of bytes 0..73 (32)       18  salt (16)
 *                                       34  nonce (24)
 *                                       58  secretbox of both seeds (16 + 64)
 */
#define AT_VERSION     8
#define AT_LOCKED      9
#define AT_SEEDS       10
#define AT_PASSES      10
#define AT_MEMORY      14
#define AT_SALT        18
#define AT_NONCE       (AT_SALT + KEYFILE_SALT_BYTES)
#define AT_BOX         (AT_NONCE + KEYFILE_NONCE_BYTES)
#define SEEDS_BYTES    (2 * SEED_BYTES)
#define PLAIN_BYTES    (AT_SEEDS + SEEDS_BYTES + DIGEST_BYTES)
#define LOCKED_BYTES   (AT_BOX + crypto_secretbox_MACBYTES + SEEDS_BYTES)
#define FORMAT_VERSION 1

/* RFC 9106's second choice: 3 passes over 64 MiB. A file may ask for other costs, within bounds, so that a hostile
 * one can't take the machine. */
#define PASSES         3u
#define MEMORY_KIB     65536u
#define PASSES_MAX     16u
#define MEMORY_KIB_MIN 8u
#define MEMORY_KIB_MAX 1048576u

static const uint8_t s_magic[AT_VERSION] = {'E', 'V', 'O', 'M', 'E', 'S', 'H', 'K'};

_Static_assert(PLAIN_BYTES <= KEYFILE_BYTES_MAX && LOCKED_BYTES <= KEYFILE_BYTES_MAX, "a key file fits");
_Static_assert(KEYFILE_SALT_BYTES == crypto_pwhash_argon2id_SALTBYTES, "salt");
_Static_assert(KEYFILE_NONCE_BYTES == crypto_secretbox_NONCEBYTES, "nonce");
_Static_assert(sizeof (keys_t) == SEEDS_BYTES, "keys_t is the two seeds and nothing else");

static void s_put_u32 (uint8_t *out, uint32_t number)
{
    for (size_t i = 0; i < 4; i++)
        out[i] = (uint8_t)(number >> (8 * i));
}

static uint32_t s_get_u32 (const uint8_t *in)
{
    uint32_t number = 0;
    for (size_t i = 0; i < 4; i++)
        number |= (uint32_t)in[i] << (8 * i);
    return number;
}

static int s_derive (const char *passphrase, const uint8_t *salt, uint32_t passes, uint32_t memory_kib,
                     uint8_t key[crypto_secretbox_KEYBYTES])
{
    assert (passes >= 1 && passes <= PASSES_MAX);
    assert (memory_kib >= MEMORY_KIB_MIN && memory_kib <= MEMORY_KIB_MAX);
    return crypto_pwhash (key, crypto_secretbox_KEYBYTES, passphrase, strlen (passphrase), salt, passes,
                          (size_t)memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13);
}

static bool s_has_magic (const uint8_t *data, size_t size)
{
    return size > AT_LOCKED && memcmp (data, s_magic, sizeof s_magic) == 0;
}

bool keyfile_is_locked (const uint8_t *data, size_t size)
{
    return s_has_magic (data, size) && data[AT_VERSION] == FORMAT_VERSION && data[AT_LOCKED] == 1;
}

keyfile_result_t keyfile_encode (const keys_t *keys, const char *passphrase,
                                 const uint8_t salt[KEYFILE_SALT_BYTES],
                                 const uint8_t nonce[KEYFILE_NONCE_BYTES], uint8_t out[KEYFILE_BYTES_MAX],
                                 size_t *size)
{
    assert (keys != NULL && out != NULL && size != NULL);
    assert (passphrase == NULL || (salt != NULL && nonce != NULL));
    memcpy (out, s_magic, sizeof s_magic);
    out[AT_VERSION] = FORMAT_VERSION;
    out[AT_LOCKED] = passphrase != NULL;
    if (passphrase == NULL) {
        memcpy (out + AT_SEEDS, keys, SEEDS_BYTES);
        digest_t digest = digest_of (out, AT_SEEDS + SEEDS_BYTES);
        memcpy (out + AT_SEEDS + SEEDS_BYTES, digest.bytes, DIGEST_BYTES);
        *size = PLAIN_BYTES;
        return KEYFILE_OK;
    }
    uint8_t key[crypto_secretbox_KEYBYTES];
    s_put_u32 (out + AT_PASSES, PASSES);
    s_put_u32 (out + AT_MEMORY, MEMORY_KIB);
    memcpy (out + AT_SALT, salt, KEYFILE_SALT_BYTES);
    memcpy (out + AT_NONCE, nonce, KEYFILE_NONCE_BYTES);
    if (s_derive (passphrase, salt, PASSES, MEMORY_KIB, key) != 0)
        return KEYFILE_MEMORY;
    crypto_secretbox_easy (out + AT_BOX, (const uint8_t *)keys, SEEDS_BYTES, nonce, key);
    sodium_memzero (key, sizeof key);
    *size = LOCKED_BYTES;
    return KEYFILE_OK;
}

static keyfile_result_t s_decode_plain (const uint8_t *data, size_t size, keys_t *keys)
{
    if (size != PLAIN_BYTES)
        return KEYFILE_MALFORMED;
    digest_t digest = digest_of (data, AT_SEEDS + SEEDS_BYTES);
    if (memcmp (digest.bytes, data + AT_SEEDS + SEEDS_BYTES, DIGEST_BYTES) != 0)
        return KEYFILE_MALFORMED;
    memcpy (keys, data + AT_SEEDS, SEEDS_BYTES);
    return KEYFILE_OK;
}

static keyfile_result_t s_decode_locked (const uint8_t *data, size_t size, const char *passphrase,
                                         keys_t *keys)
{
    if (size != LOCKED_BYTES)
        return KEYFILE_MALFORMED;
    uint32_t passes = s_get_u32 (data + AT_PASSES), memory_kib = s_get_u32 (data + AT_MEMORY);
    if (passes < 1 || passes > PASSES_MAX || memory_kib < MEMORY_KIB_MIN || memory_kib > MEMORY_KIB_MAX)
        return KEYFILE_MALFORMED;
    if (passphrase == NULL)
        return KEYFILE_NEEDS_PASSPHRASE;
    uint8_t key[crypto_secretbox_KEYBYTES];
    if (s_derive (passphrase, data + AT_SALT, passes, memory_kib, key) != 0)
        return KEYFILE_MEMORY;
    int opened =
        crypto_secretbox_open_easy ((uint8_t *)keys, data + AT_BOX, size - AT_BOX, data + AT_NONCE, key);
    sodium_memzero (key, sizeof key);
    if (opened == 0)
        return KEYFILE_OK;
    sodium_memzero (keys, sizeof *keys);
    return KEYFILE_WRONG_PASSPHRASE;
}

keyfile_result_t keyfile_decode (const uint8_t *data, size_t size, const char *passphrase, keys_t *keys)
{
    assert (data != NULL || size == 0);
    assert (keys != NULL);
    sodium_memzero (keys, sizeof *keys);
    if (!s_has_magic (data, size))
        return KEYFILE_MALFORMED;
    if (data[AT_VERSION] != FORMAT_VERSION)
        return KEYFILE_VERSION;
    if (data[AT_LOCKED] == 0)
        return s_decode_plain (data, size, keys);
    if (data[AT_LOCKED] == 1)
        return s_decode_locked (data, size, passphrase, keys);
    return KEYFILE_MALFORMED;
}
