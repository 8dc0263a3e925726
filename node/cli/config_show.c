/* SPDX-License-Identifier: MPL-2.0 */
/* evomesh config: every key with the value in force and where it lives: node.yaml, the agent's manifest, or the group's charter. */
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "evolution/archive.h"
#include "node/cli/commands.h"
#include "node/cli/session.h"
#include "node/schema.h"

#define WHERE_NODE    "node.yaml"
#define WHERE_AGENT   "agent.yaml (pinned for the group)"
#define WHERE_CHARTER "charter (set by `group create`)"
#define WHERE_RULE    "a rule, always so"

typedef struct {
    const cli_t *cli;
    output_table_t *table;
    json_t *list;
} listing_t;

/* One key. `value` is released. */
static void s_put (listing_t *listing, const char *key, json_t *value, const char *where)
{
    char *text = json_is_string (value) ? strdup (json_string_value (value))
                                        : json_dumps (value, JSON_ENCODE_ANY | JSON_REAL_PRECISION (10));
    assert (text != NULL);
    output_table_row (listing->table, "%s|%s|%s", key, output_cell (text_of (text), 60).text, where);
    json_array_append_new (listing->list,
                           json_pack ("{s:s, s:o, s:s}", "key", key, "value", value, "where", where));
    free (text);
}

static void s_put_bool (listing_t *listing, const char *key, bool value, const char *where)
{
    s_put (listing, key, json_boolean (value), where);
}

static void s_put_number (listing_t *listing, const char *key, uint64_t value, const char *where)
{
    s_put (listing, key, json_integer ((json_int_t)value), where);
}

static void s_put_real (listing_t *listing, const char *key, double value, const char *where)
{
    s_put (listing, key, json_real (value), where);
}

static void s_put_text (listing_t *listing, const char *key, const char *value, const char *where)
{
    s_put (listing, key, json_string (value), where);
}

static json_t *s_texts (const char *texts, size_t size, size_t count)
{
    json_t *list = json_array ();
    for (size_t i = 0; i < count; i++)
        json_array_append_new (list, json_string (texts + i * size));
    return list;
}

static json_t *s_proposers (const agent_proposer_t *proposers, size_t count)
{
    json_t *list = json_array ();
    for (size_t i = 0; i < count; i++)
        json_array_append_new (
            list, json_pack ("{s:s, s:f}", "name", proposers[i].name, "share", proposers[i].share));
    return list;
}

static void s_list_llm (listing_t *listing, const llm_config_t *llm)
{
    json_t *models = json_array ();
    for (size_t i = 0; i < llm->model_count; i++)
        json_array_append_new (models, json_pack ("{s:s, s:s, s:f}", "name", llm->models[i].name, "endpoint",
                                                  llm_config_place (llm, &llm->models[i])->endpoint, "share",
                                                  llm->models[i].share));
    s_put (listing, "llm.models", models, WHERE_NODE);
    s_put_number (listing, "llm.max_tokens", llm->max_tokens, WHERE_NODE);
    s_put_number (listing, "llm.timeout_ms", llm->timeout_ms, WHERE_NODE);
    s_put_number (listing, "llm.parallel", llm->parallel, WHERE_NODE);
    s_put_number (listing, "llm.budget.requests", llm->budget.requests, WHERE_NODE);
    s_put_number (listing, "llm.budget.tokens", llm->budget.tokens, WHERE_NODE);
    s_put_real (listing, "llm.budget.cost", llm->budget.cost, WHERE_NODE);
}

static void s_list_local (listing_t *listing, const config_t *config)
{
    static const char *const selections[] = {"dgm", "pareto", "tournament", "best", "random"};
    s_put_text (listing, "name", config->name, WHERE_NODE);
    s_put_text (listing, "agent", config->agent, WHERE_NODE);
    s_put_text (listing, "private", config->private_data, WHERE_NODE);
    s_put (listing, "listen", s_texts (config->listen[0], sizeof config->listen[0], config->listen_count),
           WHERE_NODE);
    s_put (listing, "advertise",
           s_texts (config->advertise[0], sizeof config->advertise[0], config->advertise_count), WHERE_NODE);
    s_put_number (listing, "slots", config->slots, WHERE_NODE);
    s_put_number (listing, "seed", config->seed, WHERE_NODE);
    s_put_text (listing, "sandbox", config->sandbox == SANDBOX_MODE_NONE ? "none" : "bubblewrap", WHERE_NODE);
    s_put (listing, "proposers", s_proposers (config->proposers, config->proposer_count), WHERE_NODE);
    s_put_bool (listing, "proposer_network", config->proposer_network, WHERE_NODE);
    s_put_bool (listing, "share_artifacts", config->share_artifacts, WHERE_NODE);
    if (config->llm.model_count > 0)
        s_list_llm (listing, &config->llm);
    s_put_text (listing, "service.restart", config->service_restart, WHERE_NODE);
    s_put_number (listing, "service.timeout_ms", config->service_timeout_ms, WHERE_NODE);
    s_put_number (listing, "proposals_max", config->proposals_max, WHERE_NODE);
    if (config->selection >= 0 && (size_t)config->selection < sizeof selections / sizeof *selections)
        s_put_text (listing, "selection", selections[config->selection], WHERE_NODE);
    s_put_real (listing, "learning_rate", config->learning_rate, WHERE_NODE);
    s_put_number (listing, "islands.count", config->islands.count, WHERE_NODE);
    s_put_number (listing, "islands.migration_interval", config->islands.migration_interval, WHERE_NODE);
    s_put_real (listing, "islands.migration_fraction", config->islands.migration_fraction, WHERE_NODE);
    s_put_number (listing, "retention.candidates", config->retention.candidates, WHERE_NODE);
    s_put_number (listing, "retention.journal", config->retention.journal, WHERE_NODE);
    s_put_number (listing, "retention.events", config->retention.events, WHERE_NODE);
}

static void s_list_groups (listing_t *listing, const config_t *config)
{
    s_put_bool (listing, "real_time_monitoring.websocket_enabled",
                config->real_time_monitoring.websocket_enabled, WHERE_NODE);
    s_put_number (listing, "real_time_monitoring.event_buffer_size",
                  config->real_time_monitoring.event_buffer_size, WHERE_NODE);
    s_put_number (listing, "real_time_monitoring.metrics_interval_seconds",
                  config->real_time_monitoring.metrics_interval_seconds, WHERE_NODE);
    s_put_bool (listing, "safety_systems.circuit_breaker_enabled",
                config->safety_systems.circuit_breaker_enabled, WHERE_NODE);
    s_put_number (listing, "safety_systems.failure_threshold", config->safety_systems.failure_threshold,
                  WHERE_NODE);
    s_put_number (listing, "safety_systems.recovery_timeout_seconds",
                  config->safety_systems.recovery_timeout_seconds, WHERE_NODE);
    s_put_bool (listing, "safety_systems.automatic_rollback", config->safety_systems.automatic_rollback,
                WHERE_NODE);
    s_put_bool (listing, "knowledge_transfer.auto_share_successful",
                config->knowledge_transfer.auto_share_successful, WHERE_NODE);
    s_put_real (listing, "knowledge_transfer.compatibility_threshold",
                config->knowledge_transfer.compatibility_threshold, WHERE_NODE);
    s_put_number (listing, "knowledge_transfer.max_transfer_attempts",
                  config->knowledge_transfer.max_transfer_attempts, WHERE_NODE);
    s_put_bool (listing, "collaborative_validation.network_enabled",
                config->collaborative_validation.network_enabled, WHERE_NODE);
}

static void s_list_charter (listing_t *listing, const group_t *group)
{
    const policy_t *policy = &group->policy;
    s_put_text (listing, "group.name", group->name, WHERE_CHARTER);
    s_put_number (listing, "collaborative_validation.max_validators", policy->max_validators, WHERE_CHARTER);
    s_put_real (listing, "collaborative_validation.consensus_threshold", policy->consensus_threshold,
                WHERE_CHARTER);
    s_put_number (listing, "group.min_confirmations", policy->min_confirmations, WHERE_CHARTER);
    s_put_bool (listing, "group.allow_unvalidated", policy->allow_unvalidated != 0, WHERE_CHARTER);
    s_put_bool (listing, "group.allow_alone", policy->allow_alone != 0, WHERE_CHARTER);
    s_put_real (listing, "group.min_improvement", policy->min_improvement, WHERE_CHARTER);
    s_put_real (listing, "group.approve_threshold", policy->approve_threshold, WHERE_CHARTER);
    s_put_real (listing, "group.review_threshold", policy->review_threshold, WHERE_CHARTER);
    s_put_real (listing, "group.quorum", policy->quorum, WHERE_CHARTER);
    s_put_number (listing, "group.feedback_deadline_ms", policy->feedback_deadline_ms, WHERE_CHARTER);
    s_put_number (listing, "group.held_expiry_ms", policy->held_expiry_ms, WHERE_CHARTER);
    s_put_number (listing, "group.change_bytes_max", policy->change_bytes_max, WHERE_CHARTER);
}

static void s_list_agent (listing_t *listing, const agent_t *agent)
{
    json_t *objectives = json_array (), *weights = json_object ();
    for (size_t i = 0; i < agent->objectives.count; i++) {
        const objective_t *objective = &agent->objectives.items[i];
        json_array_append_new (objectives, json_string (objective->name));
        json_object_set_new (weights, objective->name, json_real (objective->weight));
    }
    s_put (listing, "multi_objective_evolution.objectives", objectives, WHERE_AGENT);
    s_put (listing, "multi_objective_evolution.objective_weights", weights, WHERE_AGENT);
    s_put_number (listing, "evaluator.timeout_ms", agent->timeout_ms, WHERE_AGENT);
    s_put_number (listing, "evaluator.memory_bytes", agent->memory_bytes, WHERE_AGENT);
    s_put_number (listing, "evaluator.processes", agent->processes_max, WHERE_AGENT);
    if (agent->stage_count > 0)
        s_put (listing, "evaluator.stages",
               s_texts (agent->stages[0].name, sizeof agent->stages[0], agent->stage_count), WHERE_AGENT);
    s_put (listing, "evolve", s_texts (agent->evolve[0], sizeof agent->evolve[0], agent->evolve_count),
           WHERE_AGENT);
}

/* The manifest in the operator's own directory, while there is no group. NULL if it can't be read: `agent check` tells why. */
static agent_t *s_own_agent (const config_t *config)
{
    size_t size;
    char path[CLI_PATH_BYTES];
    problem_t problem;
    if (config->agent[0] == '\0' || cli_path (config->agent, AGENT_MANIFEST, path) != CLI_DONE ||
        access (path, R_OK) != 0)
        return NULL;
    char *text = session_read_file (path, SCHEMA_FILE_BYTES, &size);
    agent_t *agent = calloc (1, sizeof *agent);
    assert (agent != NULL);
    if (text == NULL || agent_parse (path, text, size, agent, &problem) != 0) {
        free (agent);
        agent = NULL;
    }
    free (text);
    return agent;
}

/* What the group says, or what it would say if it were founded now. */
static int s_list_group (const cli_t *cli, listing_t *listing, const config_t *config)
{
    joined_t *joined;
    store_t *store;
    group_t none = {.policy = policy_default ()};
    if (session_open (cli, &store) != CLI_DONE)
        return CLI_FAILED;
    membership_load (store, &joined, NULL); /* that it holds is known: without one the node is in no group */
    agent_t *agent = joined != NULL ? session_agent (store, joined) : s_own_agent (config);
    s_list_charter (listing, joined != NULL ? &joined->group : &none);
    if (agent != NULL)
        s_list_agent (listing, agent);
    free (agent);
    membership_destroy (&joined);
    store_close (&store);
    return CLI_DONE;
}

static int s_run (cli_t *cli)
{
    config_t *config = session_config (cli);
    if (config == NULL)
        return CLI_FAILED;
    listing_t listing = {.cli = cli, .table = output_table_new ("KEY|VALUE|WHERE"), .list = json_array ()};
    s_list_local (&listing, config);
    s_list_groups (&listing, config);
    s_put_bool (&listing, "multi_objective_evolution.pareto_optimization", true, WHERE_RULE);
    int rc = s_list_group (cli, &listing, config);
    free (config);
    if (rc == CLI_DONE && !cli->json) {
        printf ("%s/%s\n\n", cli->directory, CONFIG_FILE);
        output_table_end (cli, &listing.table);
    } else
        output_table_free (&listing.table);
    if (rc == CLI_DONE && cli->json)
        return output_json (listing.list);
    json_decref (listing.list);
    return rc;
}

const cli_command_t config_command = {
    .name = "config",
    .summary = "show every setting, its value in force, and where it lives",
    .operands = "",
    .json = true,
    .details = "node.yaml is this machine's own; the agent's manifest and the charter are the same for all "
               "members. Checks\n"
               "node.yaml, and names the line of what is wrong. The node need not run.",
    .example = "  evomesh config --dir ~/mesh/alpha",
    .run = s_run,
};
