/* SPDX-License-Identifier: MPL-2.0 */
/* What a search may cost, and what it did: requests, tokens and money. Money is counted in millionths of whatever currency the
 * operator states prices in. All sums stop at UINT64_MAX instead of wrapping. */
#ifndef EVOMESH_EVOLUTION_SPENDING_H
#define EVOMESH_EVOLUTION_SPENDING_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint64_t requests;
    uint64_t tokens;
    uint64_t cost_millionths;
} spending_t;

/* The price of a million tokens, in units of the currency; at least 0. */
typedef struct {
    double input;
    double output;
} price_t;

/* One request that took and gave so many tokens; what is no whole millionth is rounded up. */
spending_t spending_of_request (const price_t *price, uint64_t input_tokens, uint64_t output_tokens);

spending_t spending_sum (const spending_t *a, const spending_t *b);

/* `a` without `b`, nothing below 0. */
spending_t spending_less (const spending_t *a, const spending_t *b);

/* The lesser of each. */
spending_t spending_least (const spending_t *a, const spending_t *b);

/* What a budget still allows; a cap of 0 is none: UINT64_MAX is left. */
spending_t spending_left (const spending_t *caps, const spending_t *spent);

/* True if `need` is covered by `left` in everything. */
bool spending_fits (const spending_t *need, const spending_t *left);

#endif
