/* SPDX-License-Identifier: MPL-2.0 */
#include "crypto/digest.h"

#include <assert.h>
#include <string.h>

#include <sodium/crypto_generichash.h>

/* RFC 4648's alphabet in lower case. 256 bits are 51 whole characters and one bit: the last character carries that bit
 * and four zero bits, which digest_parse insists on, so that an id has one text only. */
static const char s_alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

_Static_assert(DIGEST_TEXT_BYTES == (DIGEST_BYTES * 8 + 4) / 5 + 1, "base32 of a digest and its terminator");

digest_t digest_of (const void *data, size_t size)
{
    return digest_of_two (data, size, NULL, 0);
}

digest_t digest_of_two (const void *first, size_t first_size, const void *second, size_t second_size)
{
    assert (first != NULL || first_size == 0);
    assert (second != NULL || second_size == 0);
    crypto_generichash_state state;
    digest_t digest;
    crypto_generichash_init (&state, NULL, 0, DIGEST_BYTES);
    if (first_size > 0)
        crypto_generichash_update (&state, first, first_size);
    if (second_size > 0)
        crypto_generichash_update (&state, second, second_size);
    crypto_generichash_final (&state, digest.bytes, DIGEST_BYTES);
    return digest;
}

bool digest_equal (const digest_t *a, const digest_t *b)
{
    assert (a != NULL && b != NULL);
    return memcmp (a->bytes, b->bytes, DIGEST_BYTES) == 0;
}

int digest_compare (const void *a, const void *b)
{
    assert (a != NULL && b != NULL);
    const digest_t *left = a, *right = b;
    return memcmp (left->bytes, right->bytes, DIGEST_BYTES);
}

bool digest_is_zero (const digest_t *digest)
{
    assert (digest != NULL);
    static const uint8_t zero[DIGEST_BYTES];
    return memcmp (digest->bytes, zero, DIGEST_BYTES) == 0;
}

/* The first `length` base32 characters of the digest, and a terminator. */
static void s_encode (const digest_t *digest, char *text, size_t length)
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t next = 0;
    for (size_t i = 0; i < length; i++) {
        if (held < 5) {
            bits = bits << 8 | (next < DIGEST_BYTES ? digest->bytes[next] : 0u);
            next++;
            held += 8;
        }
        held -= 5;
        text[i] = s_alphabet[bits >> held & 31u];
    }
    text[length] = '\0';
}

void digest_text (const digest_t *digest, char text[DIGEST_TEXT_BYTES])
{
    s_encode (digest, text, DIGEST_TEXT_BYTES - 1);
}

void digest_short (const digest_t *digest, char text[DIGEST_SHORT_BYTES])
{
    s_encode (digest, text, DIGEST_SHORT_BYTES - 1);
}

/* The value of a base32 character, or -1. */
static int s_value (char c)
{
    if (c >= 'a' && c <= 'z')
        return c - 'a';
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= '2' && c <= '7')
        return c - '2' + 26;
    return -1;
}

int digest_parse (const char *text, digest_t *digest)
{
    assert (text != NULL && digest != NULL);
    digest_t parsed;
    uint32_t bits = 0;
    unsigned held = 0;
    size_t next = 0;
    for (size_t i = 0; i < DIGEST_TEXT_BYTES - 1; i++) {
        int value = s_value (text[i]); /* the terminator is no character, so a short text stops here */
        if (value < 0)
            return -1;
        bits = bits << 5 | (uint32_t)value;
        held += 5;
        if (held >= 8) {
            held -= 8;
            parsed.bytes[next++] = (uint8_t)(bits >> held);
        }
    }
    assert (next == DIGEST_BYTES);
    if (text[DIGEST_TEXT_BYTES - 1] != '\0' || (bits & ((1u << held) - 1)) != 0)
        return -1;
    *digest = parsed;
    return 0;
}
