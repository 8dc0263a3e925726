/* SPDX-License-Identifier: MPL-2.0 */
/* What a model is asked. The agent may bring texts of its own, prompts/system.md and prompts/task.md, which are pinned with it; the form
 * of the answer is always ours. */
#ifndef EVOMESH_PROPOSERS_LLM_PROMPT_H
#define EVOMESH_PROPOSERS_LLM_PROMPT_H

#include <jansson.h>

#include "proposers/llm_apply.h"

#define LLM_PROMPT_SYSTEM "prompts/system.md"
#define LLM_PROMPT_TASK   "prompts/task.md"

/* Appends the system message: `own` (empty: a general one), then the form of the answer. */
void llm_prompt_system (text_t own, buffer_t *out);

/* Appends the user's message: `task` (empty: the agent's description), objectives, the parent's files, metrics and artifacts, its stages'
 * among them, what other candidates did, under numbers, what failed, and how large a step is wanted. `request` is what every proposer
 * gets on stdin, with the object "llm" (node/io/llm_desk.h); whatever is missing in it is left out. */
void llm_prompt_task (const json_t *request, text_t task, const llm_file_t *files, size_t count,
                      buffer_t *out);

/* The id of the candidate that the model sees under that number; borrowed from the request. NULL: it sees none. */
const char *llm_prompt_candidate (const json_t *request, size_t number);

/* What a model is told of an answer that could not be used. */
void llm_prompt_repair (const char *report, buffer_t *out);

/* A message {"role", "content"}; bytes that are no text become '?'. NULL when out of memory. */
json_t *llm_prompt_message (const char *role, const buffer_t *content);

/* The body of a chat completion, malloc'ed: the model's name, the messages, and the settings of `llm`. NULL when out of memory. */
char *llm_prompt_body (const json_t *llm, json_t *messages);

#endif
