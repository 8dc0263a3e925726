/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/spending.h"

#include <assert.h>
#include <math.h>

static uint64_t s_sum (uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t s_less (uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

static uint64_t s_least (uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

spending_t spending_of_request (const price_t *price, uint64_t input_tokens, uint64_t output_tokens)
{
    assert (price->input >= 0 && price->output >= 0);
    /* A price is for a million tokens and the cost is in millionths: the two cancel out. */
    double cost = price->input * (double)input_tokens + price->output * (double)output_tokens;
    double whole = floor (cost);
    whole += whole < cost;
    return (spending_t){.requests = 1,
                        .tokens = s_sum (input_tokens, output_tokens),
                        .cost_millionths = whole < ldexp (1, 63) ? (uint64_t)whole : UINT64_MAX};
}

spending_t spending_sum (const spending_t *a, const spending_t *b)
{
    assert (a && b);
    return (spending_t){s_sum (a->requests, b->requests), s_sum (a->tokens, b->tokens),
                        s_sum (a->cost_millionths, b->cost_millionths)};
}

spending_t spending_less (const spending_t *a, const spending_t *b)
{
    assert (a && b);
    return (spending_t){s_less (a->requests, b->requests), s_less (a->tokens, b->tokens),
                        s_less (a->cost_millionths, b->cost_millionths)};
}

spending_t spending_least (const spending_t *a, const spending_t *b)
{
    assert (a && b);
    return (spending_t){s_least (a->requests, b->requests), s_least (a->tokens, b->tokens),
                        s_least (a->cost_millionths, b->cost_millionths)};
}

static uint64_t s_left (uint64_t cap, uint64_t spent)
{
    return cap == 0 ? UINT64_MAX : s_less (cap, spent);
}

spending_t spending_left (const spending_t *caps, const spending_t *spent)
{
    assert (caps && spent);
    return (spending_t){s_left (caps->requests, spent->requests), s_left (caps->tokens, spent->tokens),
                        s_left (caps->cost_millionths, spent->cost_millionths)};
}

bool spending_fits (const spending_t *need, const spending_t *left)
{
    assert (need && left);
    return need->requests <= left->requests && need->tokens <= left->tokens &&
           need->cost_millionths <= left->cost_millionths;
}
