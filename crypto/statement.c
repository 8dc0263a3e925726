/* SPDX-License-Identifier: MPL-2.0 */
#include "crypto/statement.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX_BYTES_MAX 64   /* "evomesh/1 127 18446744073709551615 " is 35 */
#define STACK_BYTES      4096 /* most statements fit; larger ones are signed from the heap */

unsigned statement_kind (const uint8_t *body, size_t body_size)
{
    assert (body != NULL || body_size == 0);
    if (body_size < 2 || body[0] < 0x91 || body[0] > 0x9f || body[1] < 1 || body[1] > 127)
        return 0;
    return body[1];
}

/* The bytes that are signed: in `stack` if they fit, else malloc'ed. Sets `*size`; NULL when out of memory. */
static uint8_t *s_signed_bytes (const uint8_t *body, size_t body_size, uint8_t stack[STACK_BYTES],
                                size_t *size)
{
    char prefix[PREFIX_BYTES_MAX];
    int length =
        snprintf (prefix, sizeof prefix, "evomesh/1 %u %zu ", statement_kind (body, body_size), body_size);
    assert (length > 0 && length < PREFIX_BYTES_MAX);
    size_t prefix_size = (size_t)length;
    if (body_size > SIZE_MAX - prefix_size)
        return NULL;
    *size = prefix_size + body_size;
    uint8_t *bytes = *size <= STACK_BYTES ? stack : malloc (*size);
    if (bytes == NULL)
        return NULL;
    memcpy (bytes, prefix, prefix_size);
    memcpy (bytes + prefix_size, body, body_size);
    return bytes;
}

void statement_seal (const identity_t *identity, const uint8_t *body, size_t body_size,
                     uint8_t seal[SEAL_BYTES])
{
    assert (statement_kind (body, body_size) != 0);
    uint8_t stack[STACK_BYTES];
    size_t size;
    uint8_t *bytes = s_signed_bytes (body, body_size, stack, &size);
    assert (bytes !=
            NULL); /* a node that can't have 128 KiB can't go on, and must not send what isn't sealed */
    identity_sign (identity, bytes, size, seal);
    memcpy (seal + SIGNATURE_BYTES, identity->id.bytes, PUBKEY_BYTES);
    if (bytes != stack)
        free (bytes);
}

bool statement_verify (const uint8_t *body, size_t body_size, const uint8_t seal[SEAL_BYTES])
{
    if (statement_kind (body, body_size) == 0)
        return false;
    uint8_t stack[STACK_BYTES];
    size_t size;
    uint8_t *bytes = s_signed_bytes (body, body_size, stack, &size);
    if (bytes == NULL)
        return false;
    pubkey_t author = statement_author (seal);
    bool holds = identity_verify (&author, bytes, size, seal);
    if (bytes != stack)
        free (bytes);
    return holds;
}

pubkey_t statement_author (const uint8_t seal[SEAL_BYTES])
{
    assert (seal != NULL);
    pubkey_t author;
    memcpy (author.bytes, seal + SIGNATURE_BYTES, PUBKEY_BYTES);
    return author;
}

digest_t statement_id (const uint8_t *body, size_t body_size, const uint8_t seal[SEAL_BYTES])
{
    return digest_of_two (body, body_size, seal, SEAL_BYTES);
}
