/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/llm_desk.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "node/io/llm_key.h"

#define PROMPT_FRAME_BYTES 4096 /* what a prompt has beside what comes from here, at most */
#define ANSWER_BYTES       5    /* of a token in an answer, when it is sent back; more than usual */
#define REPORT_BYTES       8192 /* of what a model is told of an answer that could not be used */
#define MARGIN_MS_MAX      2000 /* that a program ends before it is killed */

struct llm_desk {
    const workshop_t *workshop;
    purse_t purse;
    problem_t purse_problem; /* empty: there is none */
    llm_keys_t keys;
};

static const llm_config_t *s_config (const llm_desk_t *self)
{
    return &self->workshop->config->llm;
}

llm_desk_t *llm_desk_new (const workshop_t *workshop)
{
    llm_desk_t *self = calloc (1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->workshop = workshop;
    spending_t caps = llm_config_caps (s_config (self));
    if (purse_open (&self->purse, workshop->store, &caps, &self->purse_problem) == 0)
        self->purse_problem.text[0] = '\0';
    llm_keys_take (&self->keys, s_config (self));
    return self;
}

void llm_desk_destroy (llm_desk_t **self_p)
{
    if (*self_p == NULL)
        return;
    llm_keys_clear (&(*self_p)->keys);
    free (*self_p);
    *self_p = NULL;
}

llm_funds_t llm_desk_funds (const llm_desk_t *self)
{
    if (purse_is_empty (&self->purse))
        return LLM_EXHAUSTED;
    return purse_is_held (&self->purse) ? LLM_LATER : LLM_MAY_SPEND;
}

void llm_desk_print_exhausted (const llm_desk_t *self, char *text, size_t size)
{
    assert (text != NULL && size > 0);
    char spent[240];
    purse_print (&self->purse, spent, sizeof spent);
    snprintf (text, size, "llm has spent its budget, %s: raise llm.budget in node.yaml and restart the node",
              spent);
}

/* --- the input --- */

static json_int_t s_whole (uint64_t count)
{
    return count < INT64_MAX ? (json_int_t)count : INT64_MAX;
}

static json_t *s_spending_json (const spending_t *spending)
{
    return json_pack ("{s:I, s:I, s:I}", "requests", s_whole (spending->requests), "tokens",
                      s_whole (spending->tokens), "cost_millionths", s_whole (spending->cost_millionths));
}

static uint64_t s_deadline_ms (const workshop_t *shop, const propose_t *effect)
{
    uint64_t timeout_ms = shop->config->proposers[effect->proposer].timeout_ms;
    uint64_t margin_ms = timeout_ms / 10 < MARGIN_MS_MAX ? timeout_ms / 10 : MARGIN_MS_MAX;
    assert (margin_ms < timeout_ms);
    return timeout_ms - margin_ms;
}

static json_t *s_describe (const llm_desk_t *self, const propose_t *effect, const llm_model_t *model)
{
    const llm_config_t *config = s_config (self);
    char url[LIMIT_TEXT + sizeof "/chat/completions"];
    const char *endpoint = llm_config_place (config, model)->endpoint;
    size_t length = strlen (endpoint);
    snprintf (url, sizeof url, "%.*s/chat/completions",
              (int)(length > 0 && endpoint[length - 1] == '/' ? length - 1 : length), endpoint);
    json_t *llm = json_pack (
        "{s:s, s:s, s:f, s:f, s:I, s:s, s:I, s:I, s:I, s:I, s:s}", "url", url, "model", model->name,
        "price_input", model->price.input, "price_output", model->price.output, "max_tokens",
        (json_int_t)config->max_tokens, "limit_key", llm_limit_key_name (config->limit_key), "timeout_ms",
        (json_int_t)config->timeout_ms, "deadline_ms", (json_int_t)s_deadline_ms (self->workshop, effect),
        "retries", (json_int_t)config->retries, "repairs", (json_int_t)config->repairs, "description",
        self->workshop->agent->description);
    if (llm != NULL && config->temperature_given)
        json_object_set_new (llm, "temperature", json_real (config->temperature));
    return llm;
}

/* --- what it may cost --- */

/* Bytes, so tokens at most, of the first prompt: all that it is made of. */
static uint64_t s_prompt_bytes (const workshop_t *shop, const tree_t *parent, const json_t *input)
{
    uint64_t bytes = PROMPT_FRAME_BYTES + json_dumpb (input, NULL, 0, JSON_COMPACT);
    for (size_t i = 0; i < parent->count; i++)
        bytes += parent->files[i].size;
    static const char *const prompts[] = {"prompts/system.md", "prompts/task.md"};
    for (size_t i = 0; i < sizeof prompts / sizeof *prompts; i++) {
        const tree_file_t *file = tree_find (shop->pinned, prompts[i]);
        bytes += file == NULL ? 0 : file->size;
    }
    return bytes;
}

/* The most that a proposal needs if every answer comes at once; each repair sends all that was said before again. */
static spending_t s_wanted (const llm_config_t *config, const llm_model_t *model, uint64_t prompt_bytes)
{
    assert (config->max_tokens > 0 && prompt_bytes > 0);
    spending_t wanted = {0};
    for (uint64_t i = 0; i <= config->repairs; i++) {
        uint64_t input = prompt_bytes + i * (config->max_tokens * ANSWER_BYTES + REPORT_BYTES);
        spending_t one = spending_of_request (&model->price, input, config->max_tokens);
        wanted = spending_sum (&wanted, &one);
    }
    wanted.requests = (config->repairs + 1) * (config->retries + 1);
    return wanted;
}

int llm_desk_order (llm_desk_t *self, const propose_t *effect, const tree_t *parent, json_t *input,
                    llm_order_t *order, problem_t *problem)
{
    assert (order != NULL && order->model == NULL);
    if (self->purse_problem.text[0] != '\0')
        return problem_set (problem, "%s", self->purse_problem.text);
    const llm_config_t *config = s_config (self);
    const llm_model_t *model = llm_config_draw (config, effect->seed);
    json_t *llm = s_describe (self, effect, model);
    if (llm == NULL || json_object_set_new (input, "llm", llm) != 0)
        return problem_set (problem, "llm: the request can't be written: %s", error_text (ERROR_MEMORY));
    order->wanted = s_wanted (config, model, s_prompt_bytes (self->workshop, parent, input));
    char key[LLM_KEY_BYTES + 1];
    int rc = llm_keys_read (&self->keys, config, model, key, problem);
    if (rc == 0 && key[0] != '\0')
        json_object_set_new (llm, "key", json_string (key));
    sodium_memzero (key, sizeof key);
    if (rc == 0)
        rc = purse_set_aside (&self->purse, &order->wanted, &order->allowed, problem);
    if (rc != 0)
        return -1;
    assert (spending_fits (&order->allowed, &order->wanted));
    order->model = model;
    json_object_set_new (llm, "allowance", s_spending_json (&order->allowed));
    return 0;
}

/* --- what it did cost --- */

/* What is no count is taken for all that was `allowed`: nothing is free because it was said badly. */
static uint64_t s_count (const json_t *told, const char *key, uint64_t allowed)
{
    const json_t *value = json_object_get (told, key);
    json_int_t count = json_integer_value (value);
    return json_is_integer (value) && count >= 0 ? (uint64_t)count : allowed;
}

static spending_t s_told (const json_t *told, const spending_t *allowed)
{
    return (spending_t){s_count (told, "requests", allowed->requests),
                        s_count (told, "tokens", allowed->tokens),
                        s_count (told, "cost_millionths", allowed->cost_millionths)};
}

/* The last whole line that says what was spent; NULL if there is none: then nothing was. */
static json_t *s_last_line (const char *output, size_t size)
{
    while (size > 0) {
        size_t start = size;
        while (start > 0 && output[start - 1] != '\n')
            start--;
        json_t *line = json_loadb (output + start, size - start, 0, NULL);
        if (json_is_object (json_object_get (line, "spent")))
            return line;
        json_decref (line);
        size = start > 0 ? start - 1 : 0;
    }
    return NULL;
}

/* What it means that a program was stopped by what it was allowed. */
static llm_funds_t s_funds_of_stopped (const llm_desk_t *self, const llm_order_t *order)
{
    if (spending_fits (&order->wanted, &order->allowed))
        return LLM_MAY_SPEND; /* it had all that it wanted: more would not help it */
    spending_t left = purse_left (&self->purse);
    bool held = self->purse.aside.requests > 0;
    return held || spending_fits (&order->wanted, &left) ? LLM_LATER : LLM_EXHAUSTED;
}

spending_t llm_desk_settle (llm_desk_t *self, const llm_order_t *order, const char *output, size_t size,
                            llm_funds_t *funds)
{
    assert (order->model != NULL);
    spending_t spent = order->allowed;
    bool stopped = false;
    if (output != NULL) {
        json_t *line = s_last_line (output, size), *told = json_object_get (line, "spent");
        spent = told == NULL ? (spending_t){0} : s_told (told, &order->allowed);
        stopped = json_is_true (json_object_get (line, "unaffordable"));
        json_decref (line);
    }
    purse_settle (&self->purse, &order->allowed, &spent);
    if (funds != NULL)
        *funds = stopped ? s_funds_of_stopped (self, order) : LLM_MAY_SPEND;
    return spent;
}

json_t *llm_desk_report (const llm_desk_t *self)
{
    const llm_config_t *config = s_config (self);
    json_t *models = json_array ();
    for (size_t i = 0; i < config->model_count; i++)
        json_array_append_new (models, json_string (config->models[i].name));
    return json_pack ("{s:o, s:o, s:o, s:b}", "models", models, "spent", s_spending_json (&self->purse.spent),
                      "budget", s_spending_json (&self->purse.caps), "exhausted",
                      purse_is_empty (&self->purse));
}
