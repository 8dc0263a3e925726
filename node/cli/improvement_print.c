/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/improvement_print.h"

#include <assert.h>

#include "evolution/improvement.h"
#include "evolution/validators.h"

const char *improvement_origin_name (uint64_t origin)
{
    static const char *const names[] = {"own", "operator", "package"};
    return origin < sizeof names / sizeof *names ? names[origin] : "unknown";
}

const char *improvement_state_text (uint64_t state)
{
    return state < STATE_COUNT ? improvement_state_name ((improvement_state_t)state) : "unknown";
}

const char *improvement_reason_text (uint64_t reason)
{
    return reason < REASON_COUNT ? reason_name ((reason_code_t)reason) : "unknown";
}

const char *improvement_reason_told (uint64_t reason, uint64_t state)
{
    bool was_live =
        state == STATE_ROLLING_BACK || state == STATE_ROLLED_BACK || state == STATE_ROLLBACK_FAILED;
    if (reason == REASON_OPERATOR && was_live)
        return "the operator wanted the release before it back";
    return reason < REASON_COUNT ? reason_description ((reason_code_t)reason)
                                 : "a reason that this version doesn't know";
}

const char *improvement_type_text (uint64_t type)
{
    return type < IMPROVE_TYPES ? improvement_type_name ((improvement_type_t)type) : "unknown";
}

const char *improvement_conclusion_text (uint64_t conclusion)
{
    static const char *const names[] = {"same", "better", "worse"};
    return conclusion < sizeof names / sizeof *names ? names[conclusion] : "unknown";
}

void improvement_name_changes (json_t *changes)
{
    size_t i;
    json_t *one;
    json_array_foreach (changes, i, one)
    {
        bool minimize = json_integer_value (json_object_get (one, "goal")) == GOAL_MINIMIZE;
        uint64_t conclusion = (uint64_t)json_integer_value (json_object_get (one, "conclusion"));
        json_object_set_new (one, "goal", json_string (minimize ? "minimize" : "maximize"));
        json_object_set_new (one, "conclusion", json_string (improvement_conclusion_text (conclusion)));
    }
}

void improvement_name_metrics (json_t *record, const char *key, const agent_t *agent)
{
    assert (key != NULL);
    size_t i;
    json_t *one, *named = agent == NULL ? json_null () : json_object ();
    json_array_foreach (json_object_get (record, key), i, one)
    {
        if (agent != NULL && i < agent->objectives.count)
            json_object_set (named, agent->objectives.items[i].name, json_object_get (one, "value"));
    }
    json_object_set_new (record, key, named);
}

json_t *improvement_json (const improvement_row_t *row, const agent_t *agent)
{
    assert (row != NULL);
    json_t *json = output_record (&improvement_row_record, row);
    json_object_set_new (json, "state", json_string (improvement_state_text (row->state)));
    json_object_set_new (json, "origin", json_string (improvement_origin_name (row->origin)));
    json_object_set_new (json, "improvement_type",
                         json_string (improvement_type_text (row->improvement_type)));
    json_object_set_new (json, "reason", json_string (improvement_reason_text (row->reason)));
    improvement_name_changes (json_object_get (json, "changes"));
    improvement_name_metrics (json, "candidate_metrics", agent);
    improvement_name_metrics (json, "base_metrics", agent);
    return json;
}
