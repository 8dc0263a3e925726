/* SPDX-License-Identifier: MPL-2.0 */
#include "node/config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evolution/archive.h"
#include "node/proposer.h"
#include "node/schema.h"

#define DAY_MS      86400000.0
#define DAY_SECONDS 86400.0

#define RETENTION_MAX 1000000000 /* as good as all */

#define LLM_TIMEOUT_MS 600000 /* of a whole proposal by a model: several requests */

/* What is being read: the configuration first, so that the keys' offsets are its own, then which lists were
 * given. */
typedef struct {
    config_t config;
    bool listen_given;
    bool advertise_given;
    bool proposers_given;
} reading_t;

/* --- lists --- */

bool config_endpoint_valid (const char *text, bool wildcard)
{
    assert (text != NULL);
    if (strncmp (text, "tcp://", 6) != 0 || strlen (text) > LIMIT_ENDPOINT)
        return false;
    const char *host = text + 6, *colon = strrchr (host, ':');
    if (colon == NULL || colon == host || strpbrk (host, " /?#\"") != NULL)
        return false;
    if (strspn (host, "0123456789abcdefABCDEF:.[]%-_ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ") <
            (size_t)(colon - host) &&
        !(wildcard && colon == host + 1 && *host == '*'))
        return false;
    if (strcmp (colon, ":*") == 0)
        return wildcard;
    size_t digits = strspn (colon + 1, "0123456789");
    unsigned long port = strtoul (colon + 1, NULL, 10);
    return digits > 0 && digits <= 5 && colon[1 + digits] == '\0' && port > 0 && port <= 65535;
}

static const char *s_add_listen (void *object, const char *text)
{
    config_t *config = object;
    if (!config_endpoint_valid (text, true))
        return CONFIG_LISTEN_EXPECTED;
    assert (config->listen_count < LIMIT_ENDPOINTS);
    strcpy (config->listen[config->listen_count++], text);
    return NULL;
}

static const char *s_add_advertise (void *object, const char *text)
{
    config_t *config = object;
    if (!config_endpoint_valid (text, false))
        return CONFIG_ADVERTISE_EXPECTED;
    assert (config->advertise_count < LIMIT_ENDPOINTS);
    strcpy (config->advertise[config->advertise_count++], text);
    return NULL;
}

static void *s_add_proposer (void *object)
{
    config_t *config = object;
    assert (config->proposer_count < AGENT_PROPOSERS_MAX);
    agent_proposer_t *proposer = &config->proposers[config->proposer_count++];
    proposer_defaults (proposer);
    return proposer;
}

/* --- the tables --- */

static const char *const s_sandboxes[] = {
    [SANDBOX_MODE_BUBBLEWRAP] = "bubblewrap", [SANDBOX_MODE_NONE] = "none", NULL};
static const char *const s_selections[] = {
    [SELECT_DGM] = "dgm",   [SELECT_PARETO] = "pareto", [SELECT_TOURNAMENT] = "tournament",
    [SELECT_BEST] = "best", [SELECT_RANDOM] = "random", NULL};

#define KEY(key_name, key_type, field) \
    .name = key_name, .type = key_type, .offset = offsetof (config_t, field)

/* The groups' fields sit in config_t itself, so a group's own offset is 0. */
static const schema_key_t s_service_keys[] = {
    {KEY ("restart", SCHEMA_TEXT, service_restart), .bound = LIMIT_LONG_TEXT},
    {KEY ("timeout", SCHEMA_DURATION, service_timeout_ms), .minimum = 100, .maximum = DAY_MS},
    {.name = NULL}};

static const schema_key_t s_monitoring_keys[] = {
    {KEY ("metrics_interval_seconds", SCHEMA_INTEGER, real_time_monitoring.metrics_interval_seconds),
     .minimum = 1, .maximum = 3600},
    {.name = NULL}};

static const schema_key_t s_safety_keys[] = {
    {KEY ("circuit_breaker_enabled", SCHEMA_BOOL, safety_systems.circuit_breaker_enabled)},
    {KEY ("failure_threshold", SCHEMA_INTEGER, safety_systems.failure_threshold), .minimum = 1,
     .maximum = 1000},
    {KEY ("recovery_timeout_seconds", SCHEMA_INTEGER, safety_systems.recovery_timeout_seconds), .minimum = 1,
     .maximum = DAY_SECONDS},
    {KEY ("automatic_rollback", SCHEMA_BOOL, safety_systems.automatic_rollback)},
    {.name = NULL}};

static const schema_key_t s_transfer_keys[] = {
    {KEY ("auto_share_successful", SCHEMA_BOOL, knowledge_transfer.auto_share_successful)},
    {KEY ("compatibility_threshold", SCHEMA_REAL, knowledge_transfer.compatibility_threshold), .maximum = 1},
    {KEY ("max_transfer_attempts", SCHEMA_INTEGER, knowledge_transfer.max_transfer_attempts), .minimum = 1,
     .maximum = 100},
    {.name = NULL}};

static const schema_key_t s_validation_keys[] = {
    {KEY ("network_enabled", SCHEMA_BOOL, collaborative_validation.network_enabled)}, {.name = NULL}};

static const schema_key_t s_islands_keys[] = {
    {KEY ("count", SCHEMA_INTEGER, islands.count), .minimum = 1, .maximum = ARCHIVE_ISLANDS_MAX},
    {KEY ("migration_interval", SCHEMA_INTEGER, islands.migration_interval), .minimum = 1,
     .maximum = ARCHIVE_INTERVAL_BOUND},
    {KEY ("migration_fraction", SCHEMA_REAL, islands.migration_fraction), .maximum = 1},
    {.name = NULL}};

static const schema_key_t s_retention_keys[] = {
    {KEY ("candidates", SCHEMA_INTEGER, retention.candidates), .maximum = RETENTION_MAX},
    {KEY ("journal", SCHEMA_INTEGER, retention.journal), .maximum = RETENTION_MAX},
    {KEY ("events", SCHEMA_INTEGER, retention.events), .maximum = RETENTION_MAX},
    {KEY ("releases", SCHEMA_INTEGER, retention.releases), .maximum = RETENTION_MAX},
    {.name = NULL}};

static const schema_key_t s_keys[] = {
    {KEY ("name", SCHEMA_TEXT, name), .bound = LIMIT_NAME, .accept_text = name_valid,
     .expected = NAME_EXPECTED},
    {KEY ("agent", SCHEMA_TEXT, agent), .bound = LIMIT_LONG_TEXT},
    {KEY ("private", SCHEMA_TEXT, private_data), .bound = LIMIT_LONG_TEXT},
    {.name = "listen",
     .type = SCHEMA_TEXTS,
     .bound = LIMIT_ENDPOINTS,
     .minimum = 1,
     .seen_offset = offsetof (reading_t, listen_given),
     .add_text = s_add_listen,
     .expected = "a list of addresses such as tcp://127.0.0.1:7401"},
    {.name = "advertise",
     .type = SCHEMA_TEXTS,
     .bound = LIMIT_ENDPOINTS,
     .seen_offset = offsetof (reading_t, advertise_given),
     .add_text = s_add_advertise,
     .expected = "a list of addresses such as tcp://10.0.0.5:7401"},
    {KEY ("slots", SCHEMA_INTEGER, slots), .minimum = 1, .maximum = LIMIT_SLOTS},
    {KEY ("seed", SCHEMA_INTEGER, seed), .seen_offset = offsetof (config_t, seed_given)},
    {KEY ("sandbox", SCHEMA_CHOICE, sandbox), .choices = s_sandboxes},
    {.name = "proposers",
     .type = SCHEMA_MAPS,
     .bound = AGENT_PROPOSERS_MAX,
     .of = proposer_keys,
     .seen_offset = offsetof (reading_t, proposers_given),
     .add_map = s_add_proposer},
    {KEY ("proposer_network", SCHEMA_BOOL, proposer_network)},
    {KEY ("share_artifacts", SCHEMA_BOOL, share_artifacts)},
    {.name = "llm", .type = SCHEMA_MAP, .offset = offsetof (config_t, llm), .of = llm_keys},
    {KEY ("proposals_max", SCHEMA_INTEGER, proposals_max)},
    {KEY ("selection", SCHEMA_CHOICE, selection), .choices = s_selections},
    {KEY ("learning_rate", SCHEMA_REAL, learning_rate), .minimum = 0.01, .maximum = 0.5},
    {.name = "islands", .type = SCHEMA_MAP, .of = s_islands_keys},
    {.name = "retention", .type = SCHEMA_MAP, .of = s_retention_keys},
    {.name = "service", .type = SCHEMA_MAP, .of = s_service_keys},
    {.name = "real_time_monitoring", .type = SCHEMA_MAP, .of = s_monitoring_keys},
    {.name = "safety_systems", .type = SCHEMA_MAP, .of = s_safety_keys},
    {.name = "knowledge_transfer", .type = SCHEMA_MAP, .of = s_transfer_keys},
    {.name = "collaborative_validation", .type = SCHEMA_MAP, .of = s_validation_keys},
    {.name = NULL}};

/* --- reading --- */

void config_defaults (config_t *config, unsigned cores)
{
    assert (config != NULL);
    memset (config, 0, sizeof *config);
    strcpy (config->name, "node");
    strcpy (config->listen[config->listen_count++], "tcp://127.0.0.1:*");
    config->slots = cores > 1 ? cores - 1 : 1;
    config->slots = config->slots < LIMIT_SLOTS ? config->slots : LIMIT_SLOTS;
    config->sandbox = SANDBOX_MODE_BUBBLEWRAP;
    proposer_defaults (&config->proposers[0]);
    strcpy (config->proposers[0].name, "tune");
    config->proposer_count = 1;
    llm_config_defaults (&config->llm);
    config->service_timeout_ms = 30000;
    config->selection = SELECT_DGM;
    config->learning_rate = 0.1;
    config->islands.count = 1;
    config->islands.migration_interval = 50;
    config->islands.migration_fraction = 0.1;
    config->retention.candidates = 10000;
    config->retention.journal = 100000;
    config->retention.events = 100000;
    config->retention.releases = 16;
    config->real_time_monitoring.metrics_interval_seconds = 1;
    config->safety_systems.circuit_breaker_enabled = true;
    config->safety_systems.failure_threshold = 5;
    config->safety_systems.recovery_timeout_seconds = 300;
    config->safety_systems.automatic_rollback = true;
    config->knowledge_transfer.auto_share_successful = true;
    config->knowledge_transfer.compatibility_threshold = 0.7;
    config->knowledge_transfer.max_transfer_attempts = 3;
    config->collaborative_validation.network_enabled = true;
}

/* A list that is given replaces the default; one that isn't leaves it. */
static void s_restore_lists (reading_t *reading, const config_t *before)
{
    config_t *config = &reading->config;
    if (!reading->listen_given) {
        memcpy (config->listen, before->listen, sizeof config->listen);
        config->listen_count = before->listen_count;
    }
    if (!reading->advertise_given) {
        memcpy (config->advertise, before->advertise, sizeof config->advertise);
        config->advertise_count = before->advertise_count;
    }
    if (!reading->proposers_given) {
        memcpy (config->proposers, before->proposers, sizeof config->proposers);
        config->proposer_count = before->proposer_count;
    }
}

/* True if a proposer is the built-in llm. Its model has time to think, unless the operator said how much. */
static bool s_settle_llm (config_t *config)
{
    bool wanted = false;
    for (size_t i = 0; i < config->proposer_count; i++) {
        agent_proposer_t *proposer = &config->proposers[i];
        if (strcmp (proposer->name, LLM_PROPOSER) != 0)
            continue;
        wanted = true;
        if (!proposer->timeout_given)
            proposer->timeout_ms = LLM_TIMEOUT_MS;
    }
    return wanted;
}

int config_parse (const char *file, const char *text, size_t size, config_t *config, problem_t *problem)
{
    assert (file != NULL && text != NULL && config != NULL);
    reading_t *reading = calloc (1, sizeof *reading);
    if (reading == NULL)
        return problem_set (problem, "%s: %s", file, error_text (ERROR_MEMORY));
    reading->config = *config;
    reading->config.listen_count = reading->config.advertise_count = reading->config.proposer_count = 0;
    reading->config.llm.model_count = 0;
    int status = schema_read (file, text, size, s_keys, reading, problem);
    if (status == 0)
        status = proposers_check (reading->config.proposers, reading->config.proposer_count, file, text, size,
                                  problem);
    if (status == 0)
        status = llm_config_check (&reading->config.llm, s_settle_llm (&reading->config), file, text, size,
                                   problem);
    if (status == 0) {
        s_restore_lists (reading, config);
        *config = reading->config;
    }
    free (reading);
    return status;
}
