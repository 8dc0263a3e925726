/* SPDX-License-Identifier: MPL-2.0 */
/* The desk of the built-in proposer `llm`: chooses the model, reads its key, sets aside what a proposal may cost, and writes the
 * object "llm" of its input:
 *
 *   {"url", "key", "model", "price_input", "price_output", "temperature", "max_tokens", "limit_key", "timeout_ms",
 *    "deadline_ms", "retries", "repairs", "description",
 *    "allowance": {"requests", "tokens", "cost_millionths"}}
 *
 * The key goes no further than into the input of the program that needs it: not into an environment, a file, a log or the store. */
#ifndef EVOMESH_NODE_IO_LLM_DESK_H
#define EVOMESH_NODE_IO_LLM_DESK_H

#include <jansson.h>

#include "node/io/purse.h"
#include "node/io/workshop.h"

typedef struct llm_desk llm_desk_t;

/* What was set aside for one proposal. */
typedef struct {
    const llm_model_t *model; /* NULL: this proposal is none of a model */
    spending_t wanted;
    spending_t allowed;
} llm_order_t;

/* Takes the keys out of the environment, so that no other program of the node inherits them. What is wrong with the purse or a key
 * is told by llm_desk_order. NULL only when out of memory. */
llm_desk_t *llm_desk_new (const workshop_t *workshop);
void llm_desk_destroy (llm_desk_t **self_p);

/* How it stands about the budget. */
typedef enum {
    LLM_MAY_SPEND,
    LLM_LATER,    /* other proposals hold what is left; some of it may come back when they end */
    LLM_EXHAUSTED /* it is spent */
} llm_funds_t;

llm_funds_t llm_desk_funds (const llm_desk_t *self);

/* Says that the budget is spent, for people. */
void llm_desk_print_exhausted (const llm_desk_t *self, char *text, size_t size);

/* Adds "llm" to `input`, which holds what every proposer gets, and sets aside what the proposal may cost. `parent` is the program
 * to be changed. 0, or -1 with the problem. */
int llm_desk_order (llm_desk_t *self, const propose_t *effect, const tree_t *parent, json_t *input,
                    llm_order_t *order, problem_t *problem);

/* The program ended; `output` is all that it printed (NULL: not known, then all that was set aside counts). Returns what was
 * spent. `*funds` (may be NULL) tells whether it stopped for want of funds: what it was allowed was less than it wanted and didn't
 * pay for a request. Then LLM_EXHAUSTED if no more is left and nobody holds anything, else LLM_LATER. */
spending_t llm_desk_settle (llm_desk_t *self, const llm_order_t *order, const char *output, size_t size,
                            llm_funds_t *funds);

/* {"models", "spent", "budget", "exhausted"} for status. */
json_t *llm_desk_report (const llm_desk_t *self);

#endif
