/* SPDX-License-Identifier: MPL-2.0 */
#include "node/agent_stage.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "node/proposer.h"

#define DAY_MS 86400000.0
#define MIB    1048576.0

static const char *s_add_word (void *object, const char *word)
{
    agent_stage_t *stage = object;
    return command_add (&stage->command, word);
}

static const char *s_add_threshold (void *object, const char *name, double bound)
{
    agent_stage_t *stage = object;
    for (size_t i = 0; i < stage->threshold_count; i++)
        if (strcmp (stage->thresholds[i].metric, name) == 0)
            return "each metric once";
    assert (stage->threshold_count < AGENT_THRESHOLDS_MAX);
    agent_threshold_t *threshold = &stage->thresholds[stage->threshold_count++];
    threshold->bound = bound;
    strcpy (threshold->metric, name);
    return NULL;
}

/* Names stand in messages and as an argument of the command. */
const schema_key_t agent_stage_keys[] = {
    {.name = "name",
     .type = SCHEMA_TEXT,
     .offset = offsetof (agent_stage_t, name),
     .bound = LIMIT_NAME,
     .required = true,
     .accept_text = name_valid,
     .expected = NAME_EXPECTED},
    {.name = "command",
     .type = SCHEMA_TEXTS,
     .bound = AGENT_COMMAND_MAX,
     .minimum = 1,
     .add_text = s_add_word,
     .expected = "a list of words: the program and its arguments, e.g. [./evaluate, --quick]"},
    {.name = "timeout",
     .type = SCHEMA_DURATION,
     .offset = offsetof (agent_stage_t, timeout_ms),
     .minimum = 100,
     .maximum = DAY_MS},
    {.name = "memory",
     .type = SCHEMA_BYTES,
     .offset = offsetof (agent_stage_t, memory_bytes),
     .minimum = 16 * MIB,
     .maximum = 1024 * 1024 * MIB},
    {.name = "threshold",
     .type = SCHEMA_REALS,
     .bound = AGENT_THRESHOLDS_MAX,
     .minimum = 1,
     .add_real = s_add_threshold,
     .required = true,
     .expected = "bounds by metric, e.g. {score: 0.5}"},
    {.name = NULL}};

/* The evaluator's command with `--stage NAME`, for a stage without its own. */
static const char *s_default_command (const agent_t *agent, agent_stage_t *stage)
{
    assert (stage->command.count == 0 && stage->name[0] != '\0');
    stage->command = agent->evaluator;
    const char *expected = command_add (&stage->command, "--stage");
    return expected != NULL ? expected : command_add (&stage->command, stage->name);
}

/* The direction of an objective, the reverse of what a metric means otherwise: more is better. False for what the
 * sandbox measures: a stage has its own timeout and memory for that. */
static bool s_finish_thresholds (const agent_t *agent, agent_stage_t *stage, const char **wrong)
{
    for (size_t i = 0; i < stage->threshold_count; i++) {
        agent_threshold_t *threshold = &stage->thresholds[i];
        int index = objectives_find (&agent->objectives, threshold->metric);
        if (index < 0)
            continue;
        const objective_t *objective = &agent->objectives.items[index];
        threshold->at_most = objective->goal == GOAL_MINIMIZE;
        *wrong = threshold->metric;
        if (objective->source != SOURCE_EVALUATOR)
            return false;
    }
    return true;
}

static bool s_name_is_new (const agent_t *agent, size_t index)
{
    assert (index < agent->stage_count);
    for (size_t i = 0; i < index; i++)
        if (strcmp (agent->stages[i].name, agent->stages[index].name) == 0)
            return false;
    return true;
}

static int s_finish (agent_t *agent, size_t index, const char *file, const char *text, size_t size,
                     problem_t *problem)
{
    agent_stage_t *stage = &agent->stages[index];
    char path[64];
    const char *wrong = NULL;
    if (!s_name_is_new (agent, index)) {
        snprintf (path, sizeof path, "evaluator.stages[%zu].name", index);
        return schema_problem (file, text, size, path, problem,
                               "found \"%s\" a second time, expected each name once", stage->name);
    }
    if (!s_finish_thresholds (agent, stage, &wrong)) {
        snprintf (path, sizeof path, "evaluator.stages[%zu].threshold", index);
        return schema_problem (
            file, text, size, path, problem,
            "found %s, which the sandbox measures, expected metrics that the stage reports; "
            "timeout and memory bound the rest",
            wrong);
    }
    const char *expected = stage->command.count > 0 ? NULL : s_default_command (agent, stage);
    if (expected != NULL) {
        snprintf (path, sizeof path, "evaluator.stages[%zu]", index);
        return schema_problem (
            file, text, size, path, problem,
            "found no command, and the evaluator's has no room for --stage %s, expected %s", stage->name,
            expected);
    }
    stage->timeout_ms = stage->timeout_ms > 0 ? stage->timeout_ms : agent->timeout_ms;
    stage->memory_bytes = stage->memory_bytes > 0 ? stage->memory_bytes : agent->memory_bytes;
    assert (stage->command.count > 0 && stage->timeout_ms > 0 && stage->memory_bytes > 0);
    return 0;
}

int agent_stages_finish (agent_t *agent, const char *file, const char *text, size_t size, problem_t *problem)
{
    assert (agent != NULL && file != NULL && text != NULL);
    for (size_t i = 0; i < agent->stage_count; i++)
        if (s_finish (agent, i, file, text, size, problem) != 0)
            return -1;
    return 0;
}

uint64_t agent_evaluation_ms (const agent_t *agent)
{
    assert (agent != NULL && agent->timeout_ms > 0);
    uint64_t longest_ms = agent->timeout_ms;
    for (size_t i = 0; i < agent->stage_count; i++)
        longest_ms += agent->stages[i].timeout_ms;
    return longest_ms;
}
