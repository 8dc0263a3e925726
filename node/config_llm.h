/* SPDX-License-Identifier: MPL-2.0 */
/* The section `llm:` of node.yaml: which models the built-in proposer `llm` asks, where, with which key, and what that may cost. */
#ifndef EVOMESH_NODE_CONFIG_LLM_H
#define EVOMESH_NODE_CONFIG_LLM_H

#include "evolution/spending.h"
#include "node/agent.h"
#include "node/schema.h"

#define LLM_PROPOSER   "llm"
#define LLM_MODELS_MAX 8
#define LLM_KEY_BYTES  512 /* of a key, at most */

/* Where requests go, and with which key: one that stands in a file, or in a variable of the node's environment, or none. */
typedef struct {
    char endpoint[LIMIT_TEXT + 1]; /* up to what comes before /chat/completions; empty: none given */
    char key_file[LIMIT_TEXT + 1];
    char key_variable[LIMIT_NAME + 1];
} llm_place_t;

typedef struct {
    char name[LIMIT_TEXT + 1];
    double share;      /* (1) */
    llm_place_t place; /* its own; then the key is its own too */
    price_t price;     /* of a million tokens (0) */
    bool price_input_given;
    bool price_output_given;
} llm_model_t;

typedef enum { LLM_LIMIT_MAX_TOKENS, LLM_LIMIT_MAX_COMPLETION_TOKENS } llm_limit_key_t;

typedef struct {
    llm_place_t place;
    llm_model_t models[LLM_MODELS_MAX];
    size_t model_count;
    double temperature;
    bool temperature_given;
    uint64_t max_tokens; /* of an answer (8192) */
    int limit_key;       /* llm_limit_key_t: what the endpoint calls that */
    uint64_t timeout_ms; /* of one request (120 s) */
    uint64_t retries;    /* after a request that failed (3) */
    uint64_t repairs;    /* times that a model is told what was wrong with its answer (2) */
    uint64_t parallel;   /* proposals at once (2) */
    struct {             /* over the life of the data directory; 0: no cap */
        uint64_t requests;
        uint64_t tokens;
        double cost; /* in the currency of the prices */
        bool cost_given;
    } budget;
} llm_config_t;

/* Its keys; offsets are within llm_config_t. */
extern const schema_key_t llm_keys[];

void llm_config_defaults (llm_config_t *self);

/* What a table can't state. `wanted`: a proposer is the built-in llm, so that it must be whole. `text` is the file's, for the
 * line. 0, or -1 with the problem. */
int llm_config_check (const llm_config_t *self, bool wanted, const char *file, const char *text, size_t size,
                      problem_t *problem);

/* The model that is asked for a proposal of that seed, drawn by the shares; there must be one (asserted). */
const llm_model_t *llm_config_draw (const llm_config_t *self, uint64_t seed);

/* Where that model is asked: its own place, or the one of all. */
const llm_place_t *llm_config_place (const llm_config_t *self, const llm_model_t *model);

/* The caps in the units of what is spent. */
spending_t llm_config_caps (const llm_config_t *self);

/* "max_tokens" or "max_completion_tokens". */
const char *llm_limit_key_name (int limit_key);

#endif
