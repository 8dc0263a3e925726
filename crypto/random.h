/* SPDX-License-Identifier: MPL-2.0 */
/* A seeded stream of random numbers (ChaCha20): the core's only randomness, so that it can be replayed. */
#ifndef EVOMESH_CRYPTO_RANDOM_H
#define EVOMESH_CRYPTO_RANDOM_H

#include "crypto/identity.h"

typedef struct {
    uint8_t seed[SEED_BYTES];
    uint64_t block;     /* next block of the stream */
    uint8_t buffer[64]; /* the current block */
    size_t used;        /* bytes of it already given out */
} random_t;

/* Starts the stream that belongs to `seed`. */
void random_init (random_t *self, const uint8_t seed[SEED_BYTES]);

/* Starts the stream that belongs to a number: its little-endian bytes, hashed. */
void random_init_number (random_t *self, uint64_t number);

/* Fills `size` bytes at `out`. */
void random_bytes (random_t *self, void *out, size_t size);

uint64_t random_u64 (random_t *self);

/* A number in [0, bound), without modulo bias; `bound` > 0 (asserted). */
uint64_t random_below (random_t *self, uint64_t bound);

/* A number in [0, 1) with 53 random bits. */
double random_unit (random_t *self);

#endif
