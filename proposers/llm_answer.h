/* SPDX-License-Identifier: MPL-2.0 */
/* Reads what an endpoint answered: a chat completion, or an error. */
#ifndef EVOMESH_PROPOSERS_LLM_ANSWER_H
#define EVOMESH_PROPOSERS_LLM_ANSWER_H

#include <stdint.h>

#include "protocol/record.h"

/* Zero-initialise; llm_answer_clear frees. */
typedef struct {
    char *content;
    size_t size;
    bool cut_off;     /* the model ran into max_tokens */
    bool usage_known; /* the endpoint told what was used, and it can be true: */
    uint64_t input_tokens;
    uint64_t output_tokens;
} llm_answer_t;

/* Reads a chat completion: choices[0].message.content, finish_reason, usage. What else there is, is ignored. Returns 0, or -1 with
 * the problem; the usage is read also then, if it is there. No token for a prompt, or for an answer with text, is not known. */
int llm_answer_read (const char *body, size_t size, llm_answer_t *answer, problem_t *problem);
void llm_answer_clear (llm_answer_t *answer);

/* What the body of an error says: {"error": {"message"}} or {"error": "…"}; else its beginning. Cleaned, one line. */
void llm_answer_error (const char *body, size_t size, char text[LIMIT_TEXT + 1]);

/* Overwrites `secret` by asterisks wherever it stands in the text; an empty secret stands nowhere. */
void llm_blank (char *text, size_t size, const char *secret);

#endif
