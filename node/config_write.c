/* SPDX-License-Identifier: MPL-2.0 */
/* A node.yaml for people: every key with a comment, and config_parse reads the same values back. */
#include "node/config.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evolution/archive.h"

/* A text that grows; `failed` once memory ran out. */
typedef struct {
    char *text;
    size_t size;
    size_t room;
    bool failed;
} writer_t;

static void s_put_bytes (writer_t *self, const char *bytes, size_t size)
{
    if (self->size + size + 1 > self->room) {
        size_t room = 2 * (self->size + size + 1);
        char *text = self->failed ? NULL : realloc (self->text, room);
        if (text == NULL) {
            self->failed = true;
            return;
        }
        self->text = text;
        self->room = room;
    }
    assert (self->size + size < self->room);
    memcpy (self->text + self->size, bytes, size);
    self->size += size;
    self->text[self->size] = '\0';
}

static void s_put (writer_t *self, const char *text)
{
    s_put_bytes (self, text, strlen (text));
}

/* "KEY: " in front and "  # comment" behind are the same for every value. */
__attribute__ ((format (printf, 4, 5))) static void s_put_key (writer_t *self, const char *key,
                                                               const char *comment, const char *format, ...)
{
    char value[64];
    va_list arguments;
    va_start (arguments, format);
    int length = vsnprintf (value, sizeof value, format, arguments);
    va_end (arguments);
    assert (length >= 0 && (size_t)length < sizeof value);
    s_put (self, key);
    s_put (self, ": ");
    s_put (self, value);
    s_put (self, " # ");
    s_put (self, comment);
    s_put (self, "\n");
}

/* In double quotes, with YAML's escapes. */
static void s_put_quoted (writer_t *self, const char *text)
{
    s_put (self, "\"");
    for (; *text != '\0'; text++) {
        char escape[8];
        if (*text == '"' || *text == '\\')
            snprintf (escape, sizeof escape, "\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            snprintf (escape, sizeof escape, "\\x%02x", (unsigned)*text);
        else
            snprintf (escape, sizeof escape, "%c", *text);
        s_put (self, escape);
    }
    s_put (self, "\"");
}

static void s_put_text (writer_t *self, const char *key, const char *text, const char *comment)
{
    s_put (self, key);
    s_put (self, ": ");
    s_put_quoted (self, text);
    s_put (self, " # ");
    s_put (self, comment);
    s_put (self, "\n");
}

static void s_put_number (writer_t *self, const char *key, uint64_t value, const char *comment)
{
    s_put_key (self, key, comment, "%llu", (unsigned long long)value);
}

static void s_put_bool (writer_t *self, const char *key, bool value, const char *comment)
{
    s_put_key (self, key, comment, "%s", value ? "true" : "false");
}

/* The shortest decimal that reads back as the same number. */
static void s_format_real (char text[32], double value)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf (text, 32, "%.*g", digits, value);
        if (strtod (text, NULL) == value)
            return;
    }
    assert (!"17 digits tell any number");
}

static void s_put_real (writer_t *self, const char *key, double value, const char *comment)
{
    char text[32];
    s_format_real (text, value);
    s_put_key (self, key, comment, "%s", text);
}

typedef struct {
    uint64_t size;
    const char *name;
} unit_t;

/* By the largest unit, the last of which is 1, that leaves no rest; 0 in the smallest. */
static void s_format_quantity (char text[CONFIG_QUANTITY_BYTES], uint64_t amount, const unit_t *units)
{
    while (units->size > 1 && (amount == 0 || amount % units->size != 0))
        units++;
    snprintf (text, CONFIG_QUANTITY_BYTES, "%llu%s", (unsigned long long)(amount / units->size), units->name);
}

void config_duration_text (uint64_t ms, char text[CONFIG_QUANTITY_BYTES])
{
    static const unit_t units[] = {{3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    assert (text != NULL);
    s_format_quantity (text, ms, units);
}

void config_bytes_text (uint64_t bytes, char text[CONFIG_QUANTITY_BYTES])
{
    static const unit_t units[] = {{1073741824, "GiB"}, {1048576, "MiB"}, {1024, "KiB"}, {1, "B"}};
    assert (text != NULL);
    s_format_quantity (text, bytes, units);
}

static void s_put_endpoints (writer_t *self, const char *key, const char list[][LIMIT_ENDPOINT + 1],
                             size_t count, const char *comment)
{
    s_put (self, key);
    s_put (self, ": [");
    for (size_t i = 0; i < count; i++) {
        s_put (self, i > 0 ? ", " : "");
        s_put_quoted (self, list[i]);
    }
    s_put (self, "] # ");
    s_put (self, comment);
    s_put (self, "\n");
}

static void s_put_proposer (writer_t *self, const agent_proposer_t *proposer)
{
    char share[32], timeout[CONFIG_QUANTITY_BYTES];
    s_format_real (share, proposer->share);
    config_duration_text (proposer->timeout_ms, timeout);
    s_put (self, "  - name: ");
    s_put_quoted (self, proposer->name);
    s_put (self, "\n    share: ");
    s_put (self, share);
    s_put (self, "\n    timeout: ");
    s_put (self, timeout);
    s_put (self, "\n");
    if (proposer->command.count == 0)
        return;
    s_put (self, "    command: [");
    for (size_t i = 0; i < proposer->command.count; i++) {
        s_put (self, i > 0 ? ", " : "");
        s_put_quoted (self, proposer->command.words[i]);
    }
    s_put (self, "]\n");
}

static void s_put_own (writer_t *out, const config_t *config)
{
    static const char *const selections[] = {"dgm", "pareto", "tournament", "best", "random"};
    assert (config->selection >= SELECT_DGM && config->selection <= SELECT_RANDOM);
    s_put_text (out, "name", config->name, "how peers see this node");
    s_put_text (out, "agent", config->agent, "your agent's directory; only read");
    s_put_text (out, "private", config->private_data,
                "directory that only the evaluator sees, at /private; \"\" for none");
    s_put_endpoints (out, "listen", config->listen, config->listen_count,
                     "where peers connect; * is any free port");
    s_put_endpoints (out, "advertise", config->advertise, config->advertise_count,
                     "what peers are told instead, e.g. behind a NAT; [] for the same");
    s_put (out, "\n");
    s_put_number (out, "slots", config->slots, "evaluations side by side");
    if (config->seed_given)
        s_put_number (out, "seed", config->seed,
                      "of the node's random stream, so that a run can be repeated");
    s_put_key (out, "sandbox", "bubblewrap; none runs your own candidates unconfined, and no peer's", "%s",
               config->sandbox == SANDBOX_MODE_NONE ? "none" : "bubblewrap");
    s_put_number (out, "proposals_max", config->proposals_max,
                  "own proposals after which it makes no more; 0: no end");
    s_put_key (out, "selection", "of parents: dgm, pareto, tournament, best or random", "%s",
               selections[config->selection]);
    s_put_real (out, "learning_rate", config->learning_rate,
                "size of the first steps, 0.01 to 0.5; it adapts");
    s_put_bool (out, "proposer_network", config->proposer_network, "whether proposers may reach the network");
    s_put_bool (out, "share_artifacts", config->share_artifacts,
                "whether proposers that reach the network see what evaluations printed");
    s_put (out, config->proposer_count > 0
                    ? "proposers: # who proposes changes, and how often beside the others\n"
                    : "proposers: [] # who proposes changes; none: only the operator does\n");
    for (size_t i = 0; i < config->proposer_count; i++)
        s_put_proposer (out, &config->proposers[i]);
}

static void s_put_islands (writer_t *out, const config_t *config)
{
    s_put (out, "\nislands: # parts of the archive that breed apart\n");
    s_put_number (out, "  count", config->islands.count, "1 to 16; 1: nothing is apart");
    s_put_number (out, "  migration_interval", config->islands.migration_interval,
                  "candidates after which the best of each go on to the next one");
    s_put_real (out, "  migration_fraction", config->islands.migration_fraction, "of its 64 best");
}

static void s_put_retention (writer_t *out, const config_t *config)
{
    s_put (out, "\nretention: # how much of the past is kept; 0: all\n");
    s_put_number (out, "  candidates", config->retention.candidates,
                  "whose files are kept, beside the front and what was ever applied");
    s_put_number (out, "  journal", config->retention.journal, "entries that `evomesh replay` can go back");
    s_put_number (out, "  events", config->retention.events, "that `log`, `show` and peers can look back");
    s_put_number (
        out, "  releases", config->retention.releases,
        "copies of the agent in releases/, beside the live one; older ones are made anew when needed");
}

static void s_put_place (writer_t *out, const char *indent, const llm_place_t *place)
{
    const struct {
        const char *key, *value;
    } texts[] = {
        {"endpoint", place->endpoint}, {"key_file", place->key_file}, {"key_variable", place->key_variable}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (texts[i].value[0] == '\0')
            continue;
        s_put (out, indent);
        s_put (out, texts[i].key);
        s_put (out, ": ");
        s_put_quoted (out, texts[i].value);
        s_put (out, "\n");
    }
}

static void s_put_model (writer_t *out, const llm_model_t *model)
{
    s_put (out, "    - name: ");
    s_put_quoted (out, model->name);
    s_put (out, "\n");
    s_put_place (out, "      ", &model->place);
    s_put_real (out, "      share", model->share, "how often beside the others");
    if (model->price_input_given)
        s_put_real (out, "      price_input", model->price.input, "of a million tokens");
    if (model->price_output_given)
        s_put_real (out, "      price_output", model->price.output, "likewise");
}

static void s_put_llm (writer_t *out, const llm_config_t *llm)
{
    char timeout[CONFIG_QUANTITY_BYTES];
    s_put (out, "\nllm: # the language models that the proposer llm asks\n");
    s_put_place (out, "  ", &llm->place);
    s_put (out, "  models:\n");
    for (size_t i = 0; i < llm->model_count; i++)
        s_put_model (out, &llm->models[i]);
    if (llm->temperature_given)
        s_put_real (out, "  temperature", llm->temperature, "0 to 2; not sent unless it is given");
    s_put_number (out, "  max_tokens", llm->max_tokens, "of an answer");
    s_put_key (out, "  limit_key", "what the endpoint calls that", "%s", llm_limit_key_name (llm->limit_key));
    config_duration_text (llm->timeout_ms, timeout);
    s_put_key (out, "  timeout", "of one request", "%s", timeout);
    s_put_number (out, "  retries", llm->retries, "of a request that failed for the moment");
    s_put_number (out, "  repairs", llm->repairs,
                  "times that a model is told what was wrong with its answer");
    s_put_number (out, "  parallel", llm->parallel, "proposals at once");
    s_put (out, "  budget: # of all time; 0: no cap\n");
    s_put_number (out, "    requests", llm->budget.requests, "however they end");
    s_put_number (out, "    tokens", llm->budget.tokens, "in and out");
    if (llm->budget.cost_given)
        s_put_real (out, "    cost", llm->budget.cost, "in the currency of the prices");
}

static void s_put_service (writer_t *out, const config_t *config)
{
    char timeout[CONFIG_QUANTITY_BYTES];
    config_duration_text (config->service_timeout_ms, timeout);
    s_put (out, "\nservice:\n");
    s_put_text (out, "  restart", config->service_restart,
                "shell command run after a change goes live; \"\" for none");
    s_put_key (out, "  timeout", "of that command", "%s", timeout);
}

static void s_put_groups (writer_t *out, const config_t *config)
{
    s_put (out, "\nreal_time_monitoring:\n");
    s_put_number (out, "  metrics_interval_seconds", config->real_time_monitoring.metrics_interval_seconds,
                  "between two METRICS");
    s_put (out, "\nsafety_systems:\n");
    s_put_bool (out, "  circuit_breaker_enabled", config->safety_systems.circuit_breaker_enabled,
                "stop evolving after faults in a row");
    s_put_number (out, "  failure_threshold", config->safety_systems.failure_threshold, "that many");
    s_put_number (out, "  recovery_timeout_seconds", config->safety_systems.recovery_timeout_seconds,
                  "before one trial");
    s_put_bool (out, "  automatic_rollback", config->safety_systems.automatic_rollback,
                "go back when the live copy measures worse");
    s_put (out, "\nknowledge_transfer:\n");
    s_put_bool (out, "  auto_share_successful", config->knowledge_transfer.auto_share_successful,
                "share what was applied and verified");
    s_put_real (out, "  compatibility_threshold", config->knowledge_transfer.compatibility_threshold,
                "a peer's package must be above it to be tried");
    s_put_number (out, "  max_transfer_attempts", config->knowledge_transfer.max_transfer_attempts,
                  "to get a peer's package, and to try it, each time on another live release");
    s_put (out, "\ncollaborative_validation:\n");
    s_put_bool (out, "  network_enabled", config->collaborative_validation.network_enabled,
                "measure for peers, and ask them to");
}

char *config_write (const config_t *config)
{
    assert (config != NULL);
    writer_t out = {0};
    s_put (&out, "# A node of evomesh. What stands here is local and never comes from a peer.\n\n");
    s_put_own (&out, config);
    s_put_islands (&out, config);
    s_put_retention (&out, config);
    if (config->llm.model_count > 0)
        s_put_llm (&out, &config->llm);
    else
        s_put (&out, "\n# llm: language models for the proposer `llm`: see docs/AGENTS.md\n");
    s_put_service (&out, config);
    s_put_groups (&out, config);
    if (out.failed) {
        free (out.text);
        return NULL;
    }
    return out.text;
}
