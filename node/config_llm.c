/* SPDX-License-Identifier: MPL-2.0 */
#include "node/config_llm.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "crypto/random.h"

#define MILLION  1e6
#define DAY_MS   86400000.0
#define COST_MAX 1e9

static const char *const s_limit_keys[] = {
    [LLM_LIMIT_MAX_TOKENS] = "max_tokens", [LLM_LIMIT_MAX_COMPLETION_TOKENS] = "max_completion_tokens", NULL};

const char *llm_limit_key_name (int limit_key)
{
    assert (limit_key >= LLM_LIMIT_MAX_TOKENS && limit_key <= LLM_LIMIT_MAX_COMPLETION_TOKENS);
    return s_limit_keys[limit_key];
}

/* --- the tables --- */

static bool s_starts_with (const char *text, const char *start)
{
    return strncmp (text, start, strlen (start)) == 0;
}

/* http or https, a host, and nothing in it that could be taken for a key, a query or another host. */
static bool s_endpoint_valid (const char *text)
{
    const char *host = s_starts_with (text, "https://")  ? text + 8
                       : s_starts_with (text, "http://") ? text + 7
                                                         : NULL;
    return host != NULL && *host != '\0' && *host != '/' && *host != ':' &&
           strpbrk (host, " @?#\\\"<>{}|^`") == NULL;
}
#define ENDPOINT_EXPECTED "an address such as https://api.example.com/v1, without a key in it"

static bool s_variable_valid (const char *text)
{
    return *text != '\0' &&
           strspn (text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == strlen (text);
}

static bool s_path_valid (const char *text)
{
    return text[0] == '/';
}

#define KEY(type_name, key_name, key_type, field) \
    .name = key_name, .type = key_type, .offset = offsetof (type_name, field)
#define PLACE_KEYS(type_name)                                                                          \
    {KEY (type_name, "endpoint", SCHEMA_TEXT, place.endpoint), .bound = LIMIT_TEXT,                    \
     .accept_text = s_endpoint_valid, .expected = ENDPOINT_EXPECTED},                                  \
        {KEY (type_name, "key_file", SCHEMA_TEXT, place.key_file), .bound = LIMIT_TEXT,                \
         .accept_text = s_path_valid, .expected = "the whole path of a file that holds only the key"}, \
    {                                                                                                  \
        KEY (type_name, "key_variable", SCHEMA_TEXT, place.key_variable),                              \
            .bound = LIMIT_NAME, .accept_text = s_variable_valid,                                      \
            .expected = "the name of an environment variable"                                          \
    }

static const schema_key_t s_model_keys[] = {
    {KEY (llm_model_t, "name", SCHEMA_TEXT, name), .bound = LIMIT_TEXT, .minimum = 1, .required = true},
    {KEY (llm_model_t, "share", SCHEMA_REAL, share), .minimum = 1e-6, .maximum = 1e6},
    PLACE_KEYS (llm_model_t),
    {KEY (llm_model_t, "price_input", SCHEMA_REAL, price.input), .maximum = COST_MAX,
     .seen_offset = offsetof (llm_model_t, price_input_given)},
    {KEY (llm_model_t, "price_output", SCHEMA_REAL, price.output), .maximum = COST_MAX,
     .seen_offset = offsetof (llm_model_t, price_output_given)},
    {.name = NULL}};

static const schema_key_t s_budget_keys[] = {
    {KEY (llm_config_t, "requests", SCHEMA_INTEGER, budget.requests)},
    {KEY (llm_config_t, "tokens", SCHEMA_INTEGER, budget.tokens)},
    {KEY (llm_config_t, "cost", SCHEMA_REAL, budget.cost), .maximum = COST_MAX,
     .seen_offset = offsetof (llm_config_t, budget.cost_given)},
    {.name = NULL}};

static void *s_add_model (void *object)
{
    llm_config_t *config = object;
    assert (config->model_count < LLM_MODELS_MAX);
    llm_model_t *model = &config->models[config->model_count++];
    memset (model, 0, sizeof *model);
    model->share = 1;
    return model;
}

const schema_key_t llm_keys[] = {
    PLACE_KEYS (llm_config_t),
    {.name = "models",
     .type = SCHEMA_MAPS,
     .bound = LLM_MODELS_MAX,
     .minimum = 1,
     .of = s_model_keys,
     .add_map = s_add_model},
    {KEY (llm_config_t, "temperature", SCHEMA_REAL, temperature), .maximum = 2,
     .seen_offset = offsetof (llm_config_t, temperature_given)},
    {KEY (llm_config_t, "max_tokens", SCHEMA_INTEGER, max_tokens), .minimum = 1, .maximum = 1e6},
    {KEY (llm_config_t, "limit_key", SCHEMA_CHOICE, limit_key), .choices = s_limit_keys},
    {KEY (llm_config_t, "timeout", SCHEMA_DURATION, timeout_ms), .minimum = 100, .maximum = DAY_MS},
    {KEY (llm_config_t, "retries", SCHEMA_INTEGER, retries), .maximum = 20},
    {KEY (llm_config_t, "repairs", SCHEMA_INTEGER, repairs), .maximum = 10},
    {KEY (llm_config_t, "parallel", SCHEMA_INTEGER, parallel), .minimum = 1, .maximum = 16},
    {.name = "budget", .type = SCHEMA_MAP, .of = s_budget_keys},
    {.name = NULL}};

void llm_config_defaults (llm_config_t *self)
{
    memset (self, 0, sizeof *self);
    self->max_tokens = 8192;
    self->timeout_ms = 120000;
    self->retries = 3;
    self->repairs = 2;
    self->parallel = 2;
    self->budget.requests = 1000;
}

/* --- what the tables can't state --- */

static bool s_has_key (const llm_place_t *place)
{
    return place->key_file[0] != '\0' || place->key_variable[0] != '\0';
}

/* True for an address whose traffic leaves the machine unencrypted. */
static bool s_is_overheard (const char *endpoint)
{
    static const char *const loopback[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};
    for (size_t i = 0; i < sizeof loopback / sizeof *loopback; i++) {
        size_t length = strlen (loopback[i]);
        if (s_starts_with (endpoint, loopback[i]) && strchr (":/", endpoint[length]) != NULL)
            return false;
    }
    return s_starts_with (endpoint, "http://");
}

static int s_check_place (const llm_place_t *place, const char *path, const char *file, const char *text,
                          size_t size, problem_t *problem)
{
    if (place->key_file[0] != '\0' && place->key_variable[0] != '\0')
        return schema_problem (file, text, size, path, problem,
                               "found both key_file and key_variable, expected one of them");
    if (s_has_key (place) && s_is_overheard (place->endpoint))
        return schema_problem (file, text, size, path, problem,
                               "found a key for an http address, expected https, or this machine");
    return 0;
}

static int s_check_model (const llm_config_t *self, size_t index, const char *file, const char *text,
                          size_t size, problem_t *problem)
{
    assert (index < self->model_count);
    const llm_model_t *model = &self->models[index];
    char path[48];
    snprintf (path, sizeof path, "llm.models[%zu]", index);
    if (self->budget.cost > 0 && !(model->price_input_given && model->price_output_given))
        return schema_problem (
            file, text, size, path, problem,
            "found no price_input and price_output, expected both, as llm.budget.cost counts by them");
    if (model->place.endpoint[0] == '\0' && s_has_key (&model->place))
        return schema_problem (file, text, size, path, problem,
                               "found a key without an endpoint of its own, expected both or neither");
    if (llm_config_place (self, model)->endpoint[0] == '\0')
        return schema_problem (file, text, size, path, problem,
                               "found no endpoint, here or in llm.endpoint, expected " ENDPOINT_EXPECTED);
    return s_check_place (&model->place, path, file, text, size, problem);
}

int llm_config_check (const llm_config_t *self, bool wanted, const char *file, const char *text, size_t size,
                      problem_t *problem)
{
    if (wanted && self->model_count == 0)
        return schema_problem (file, text, size, "proposers", problem,
                               "found llm, expected a section `llm:` with endpoint and models for it");
    for (size_t i = 0; i < self->model_count; i++)
        if (s_check_model (self, i, file, text, size, problem) != 0)
            return -1;
    return s_check_place (&self->place, "llm", file, text, size, problem);
}

/* --- using it --- */

const llm_model_t *llm_config_draw (const llm_config_t *self, uint64_t seed)
{
    assert (self->model_count > 0);
    random_t random;
    random_init_number (&random, seed);
    double sum = 0;
    for (size_t i = 0; i < self->model_count; i++)
        sum += self->models[i].share;
    double at = random_unit (&random) * sum;
    size_t drawn = 0;
    while (drawn + 1 < self->model_count && (at -= self->models[drawn].share) >= 0)
        drawn++;
    assert (drawn < self->model_count && self->models[drawn].share > 0);
    return &self->models[drawn];
}

const llm_place_t *llm_config_place (const llm_config_t *self, const llm_model_t *model)
{
    assert (self != NULL && model != NULL);
    return model->place.endpoint[0] != '\0' ? &model->place : &self->place;
}

spending_t llm_config_caps (const llm_config_t *self)
{
    assert (self->budget.cost >= 0);
    double cost = floor (self->budget.cost * MILLION);
    return (spending_t){self->budget.requests, self->budget.tokens,
                        cost >= 1 || self->budget.cost == 0 ? (uint64_t)cost : 1};
}
