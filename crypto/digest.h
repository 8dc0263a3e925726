/* SPDX-License-Identifier: MPL-2.0 */
/* Content ids: BLAKE2b-256 over exact bytes. Everything that travels by hash is named by one of these. */
#ifndef EVOMESH_CRYPTO_DIGEST_H
#define EVOMESH_CRYPTO_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_BYTES       32
#define DIGEST_TEXT_BYTES  53 /* 52 base32 characters and the terminator */
#define DIGEST_SHORT_BYTES 9  /* 8 base32 characters and the terminator */

typedef struct {
    uint8_t bytes[DIGEST_BYTES];
} digest_t;

/* The digest of `size` bytes at `data` (which may be NULL when size is 0). */
digest_t digest_of (const void *data, size_t size);

/* The digest of two pieces, one after the other, as if they were one. */
digest_t digest_of_two (const void *first, size_t first_size, const void *second, size_t second_size);

/* True if both are the same. Not constant-time: digests are public. */
bool digest_equal (const digest_t *a, const digest_t *b);

/* Negative, 0 or positive as `a` sorts before, with or after `b` (bytewise); fit for qsort. */
int digest_compare (const void *a, const void *b);

/* True if every byte is zero: the value that stands for "none". */
bool digest_is_zero (const digest_t *digest);

/* Writes the digest as lower-case base32 (RFC 4648 alphabet, no padding) with a terminator. */
void digest_text (const digest_t *digest, char text[DIGEST_TEXT_BYTES]);

/* Writes the first 8 characters of that: how people see an id. */
void digest_short (const digest_t *digest, char text[DIGEST_SHORT_BYTES]);

/* Reads what digest_text wrote. Returns 0, or -1 if `text` is anything else (upper case is accepted). */
int digest_parse (const char *text, digest_t *digest);

#endif
