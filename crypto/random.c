/* SPDX-License-Identifier: MPL-2.0 */
#include "crypto/random.h"

#include <assert.h>
#include <string.h>

#include <sodium/crypto_stream_chacha20.h>

_Static_assert(SEED_BYTES == crypto_stream_chacha20_KEYBYTES, "the seed is the stream's key");

void random_init (random_t *self, const uint8_t seed[SEED_BYTES])
{
    assert (self != NULL && seed != NULL);
    memset (self, 0, sizeof *self);
    memcpy (self->seed, seed, SEED_BYTES);
    self->used = sizeof self->buffer;
}

void random_init_number (random_t *self, uint64_t number)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(number >> (8 * i));
    digest_t seed = digest_of (bytes, sizeof bytes);
    random_init (self, seed.bytes);
}

/* The next 64 bytes of ChaCha20's key stream, with a zero nonce. */
static void s_refill (random_t *self)
{
    assert (self->used == sizeof self->buffer);
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
    memset (self->buffer, 0, sizeof self->buffer);
    crypto_stream_chacha20_xor_ic (self->buffer, self->buffer, sizeof self->buffer, nonce, self->block,
                                   self->seed);
    self->block++;
    self->used = 0;
}

void random_bytes (random_t *self, void *out, size_t size)
{
    assert (self->used <= sizeof self->buffer);
    assert (out != NULL || size == 0);
    uint8_t *next = out;
    while (size > 0) {
        if (self->used == sizeof self->buffer)
            s_refill (self);
        size_t take = sizeof self->buffer - self->used;
        if (take > size)
            take = size;
        memcpy (next, self->buffer + self->used, take);
        self->used += take;
        next += take;
        size -= take;
    }
}

uint64_t random_u64 (random_t *self)
{
    uint8_t bytes[8];
    random_bytes (self, bytes, sizeof bytes);
    uint64_t number = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        number |= (uint64_t)bytes[i] << (8 * i);
    return number;
}

uint64_t random_below (random_t *self, uint64_t bound)
{
    assert (bound > 0);
    /* Of the 2^64 numbers, the first 2^64 mod bound are drawn again: what is left is a multiple of the bound. */
    uint64_t uneven = (0 - bound) % bound;
    uint64_t number;
    do
        number = random_u64 (self);
    while (number < uneven);
    return number % bound;
}

double random_unit (random_t *self)
{
    return (double)(random_u64 (self) >> 11) * 0x1p-53;
}
