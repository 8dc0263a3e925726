/* SPDX-License-Identifier: MPL-2.0 */
/* The keys of model endpoints: from files that are only their owner's, or from the environment. */
#ifndef EVOMESH_NODE_IO_LLM_KEY_H
#define EVOMESH_NODE_IO_LLM_KEY_H

#include "node/config_llm.h"

/* What stood in the environment: for the place of all, then for each model. */
typedef struct {
    char variables[1 + LLM_MODELS_MAX][LLM_KEY_BYTES + 1];
} llm_keys_t;

/* Takes the named variables out of the environment. */
void llm_keys_take (llm_keys_t *self, const llm_config_t *config);
void llm_keys_clear (llm_keys_t *self);

/* The key for a model; empty if it has none. A file is read anew each time, so that it can be replaced. 0, or -1 with the
 * problem, which names where the key should be and never the key. */
int llm_keys_read (const llm_keys_t *self, const llm_config_t *config, const llm_model_t *model,
                   char key[LLM_KEY_BYTES + 1], problem_t *problem);

#endif
