/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/config_json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* --- node.yaml --- */

static json_t *s_scalar (const yaml_node_t *node)
{
    const char *text = (const char *)node->data.scalar.value;
    char *end = NULL;
    if (node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE || text[0] == '\0')
        return json_string (text);
    if (strcmp (text, "true") == 0 || strcmp (text, "false") == 0)
        return json_boolean (text[0] == 't');
    if (text[strspn (text, "0123456789")] == '\0')
        return json_integer ((json_int_t)strtoll (text, &end, 10));
    double real = strtod (text, &end);
    return *end == '\0' ? json_real (real) : json_string (text); /* "20s" is a text */
}

/* Depth is that of the schema: lists of maps in a section. */
static json_t *s_value (yaml_document_t *document, int index)
{
    const yaml_node_t *node = yaml_document_get_node (document, index);
    assert (node != NULL && node->type != YAML_NO_NODE);
    if (node->type == YAML_SCALAR_NODE)
        return s_scalar (node);
    if (node->type == YAML_SEQUENCE_NODE) {
        json_t *list = json_array ();
        for (const yaml_node_item_t *item = node->data.sequence.items.start;
             item < node->data.sequence.items.top; item++)
            json_array_append_new (list, s_value (document, *item));
        return list;
    }
    json_t *object = json_object ();
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top;
         pair++)
        json_object_set_new (object,
                             (const char *)yaml_document_get_node (document, pair->key)->data.scalar.value,
                             s_value (document, pair->value));
    return object;
}

json_t *config_json_node (const char *text)
{
    assert (text != NULL);
    yaml_parser_t parser;
    yaml_document_t document;
    int made = yaml_parser_initialize (&parser);
    assert (made == 1);
    yaml_parser_set_input_string (&parser, (const unsigned char *)text, strlen (text));
    int loaded = yaml_parser_load (&parser, &document);
    assert (loaded == 1 && yaml_document_get_root_node (&document) != NULL);
    json_t *json = s_value (&document, 1); /* nodes count from 1; the first is the root */
    yaml_document_delete (&document);
    yaml_parser_delete (&parser);
    return json;
}

/* --- agent.yaml --- */

static json_t *s_words (const agent_command_t *command)
{
    json_t *list = json_array ();
    for (size_t i = 0; i < command->count; i++)
        json_array_append_new (list, json_string (command->words[i]));
    return list;
}

static json_t *s_duration (uint64_t ms)
{
    char text[CONFIG_QUANTITY_BYTES];
    config_duration_text (ms, text);
    return json_string (text);
}

static json_t *s_bytes (uint64_t bytes)
{
    char text[CONFIG_QUANTITY_BYTES];
    config_bytes_text (bytes, text);
    return json_string (text);
}

static json_t *s_stages (const agent_t *agent)
{
    json_t *list = json_array ();
    for (size_t i = 0; i < agent->stage_count; i++) {
        const agent_stage_t *stage = &agent->stages[i];
        json_t *thresholds = json_object ();
        for (size_t j = 0; j < stage->threshold_count; j++)
            json_object_set_new (thresholds, stage->thresholds[j].metric,
                                 json_real (stage->thresholds[j].bound));
        json_array_append_new (list, json_pack ("{s:s, s:o, s:o, s:o, s:o}", "name", stage->name, "command",
                                                s_words (&stage->command), "timeout",
                                                s_duration (stage->timeout_ms), "memory",
                                                s_bytes (stage->memory_bytes), "threshold", thresholds));
    }
    return list;
}

static json_t *s_objectives (const objectives_t *objectives)
{
    json_t *list = json_array ();
    for (size_t i = 0; i < objectives->count; i++) {
        const objective_t *objective = &objectives->items[i];
        json_t *entry = json_pack ("{s:s, s:s, s:f, s:s, s:b, s:f}", "name", objective->name, "goal",
                                   objective->goal == GOAL_MINIMIZE ? "minimize" : "maximize", "weight",
                                   objective->weight, "unit", objective->unit, "noisy", (int)objective->noisy,
                                   "tolerance", objective->tolerance);
        if (objective->has_limit)
            json_object_set_new (entry, "limit", json_real (objective->limit));
        if (objective->has_alert)
            json_object_set_new (entry, "alert", json_real (objective->alert));
        json_array_append_new (list, entry);
    }
    return list;
}

static json_t *s_proposers (const agent_t *agent)
{
    json_t *list = json_array ();
    for (size_t i = 0; i < agent->proposer_count; i++) {
        const agent_proposer_t *proposer = &agent->proposers[i];
        json_t *entry = json_pack ("{s:s, s:f, s:o}", "name", proposer->name, "share", proposer->share,
                                   "timeout", s_duration (proposer->timeout_ms));
        if (proposer->command.count > 0)
            json_object_set_new (entry, "command", s_words (&proposer->command));
        json_array_append_new (list, entry);
    }
    return list;
}

json_t *config_json_agent (const agent_t *agent)
{
    assert (agent != NULL);
    json_t *evolve = json_array ();
    for (size_t i = 0; i < agent->evolve_count; i++)
        json_array_append_new (evolve, json_string (agent->evolve[i]));
    json_t *evaluator = json_pack ("{s:o, s:o, s:o, s:I}", "command", s_words (&agent->evaluator), "timeout",
                                   s_duration (agent->timeout_ms), "memory", s_bytes (agent->memory_bytes),
                                   "processes", (json_int_t)agent->processes_max);
    if (agent->stage_count > 0)
        json_object_set_new (evaluator, "stages", s_stages (agent));
    json_t *json = json_pack ("{s:s, s:s, s:s, s:o, s:o, s:o}", "name", agent->name, "description",
                              agent->description, "language", agent->language, "evolve", evolve, "evaluator",
                              evaluator, "objectives", s_objectives (&agent->objectives));
    if (agent->proposer_count > 0)
        json_object_set_new (json, "proposers", s_proposers (agent));
    return json;
}
