/* SPDX-License-Identifier: MPL-2.0 */
#include "node/agent.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "node/agent_stage.h"
#include "node/proposer.h"
#include "node/schema.h"

#define DAY_MS          86400000.0
#define GIB             1073741824.0
#define NOISY_TOLERANCE 0.05

/* --- texts and lists --- */

static const char *s_add_evolve (void *object, const char *path)
{
    agent_t *agent = object;
    if (!tree_path_valid (path))
        return "a path inside the agent's directory, such as src/rules.c (no \"..\", no pattern)";
    if (strcmp (path, AGENT_MANIFEST) == 0)
        return "another file: " AGENT_MANIFEST " is the contract and never evolves";
    for (size_t i = 0; i < agent->evolve_count; i++)
        if (strcmp (agent->evolve[i], path) == 0)
            return "each path once";
    assert (agent->evolve_count < LIMIT_EVOLVE_FILES);
    strcpy (agent->evolve[agent->evolve_count++], path);
    return NULL;
}

static const char *s_add_word (void *object, const char *word)
{
    agent_t *agent = object;
    return command_add (&agent->evaluator, word);
}

static void *s_add_stage (void *object)
{
    agent_t *agent = object;
    assert (agent->stage_count < AGENT_STAGES_MAX);
    return &agent->stages[agent->stage_count++];
}

static void *s_add_objective (void *object)
{
    agent_t *agent = object;
    assert (agent->objectives.count < LIMIT_OBJECTIVES);
    objective_t *objective = &agent->objectives.items[agent->objectives.count++];
    memset (objective, 0, sizeof *objective);
    objective->weight = 1.0;
    objective->tolerance = -1.0; /* not given */
    return objective;
}

static void *s_add_proposer (void *object)
{
    agent_t *agent = object;
    assert (agent->proposer_count < AGENT_PROPOSERS_MAX);
    agent_proposer_t *proposer = &agent->proposers[agent->proposer_count++];
    proposer_defaults (proposer);
    return proposer;
}

static bool s_objective_name_valid (const char *text)
{
    size_t length = strlen (text);
    return length > 0 && text[0] >= 'a' && text[0] <= 'z' &&
           strspn (text, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
}

/* --- the tables --- */

static const char *const s_goals[] = {[GOAL_MAXIMIZE] = "maximize", [GOAL_MINIMIZE] = "minimize", NULL};
_Static_assert(sizeof (goal_t) == sizeof (int), "a CHOICE writes an int");

static const schema_key_t s_objective_keys[] = {
    {.name = "name",
     .type = SCHEMA_TEXT,
     .offset = offsetof (objective_t, name),
     .bound = LIMIT_NAME,
     .required = true,
     .accept_text = s_objective_name_valid,
     .expected = "a name of small letters, digits and '_', 32 at most, a letter first"},
    {.name = "goal", .type = SCHEMA_CHOICE, .offset = offsetof (objective_t, goal), .choices = s_goals},
    {.name = "weight",
     .type = SCHEMA_REAL,
     .offset = offsetof (objective_t, weight),
     .minimum = 1e-9,
     .maximum = 1e9,
     .expected = "a number above 0, 1000000000 (1e9) at most"},
    {.name = "unit", .type = SCHEMA_TEXT, .offset = offsetof (objective_t, unit), .bound = LIMIT_NAME},
    {.name = "noisy", .type = SCHEMA_BOOL, .offset = offsetof (objective_t, noisy)},
    {.name = "tolerance",
     .type = SCHEMA_REAL,
     .offset = offsetof (objective_t, tolerance),
     .maximum = 10,
     .expected = "a part from 0 to 10 (0.05 is 5 %)"},
    {.name = "limit",
     .type = SCHEMA_REAL,
     .offset = offsetof (objective_t, limit),
     .seen_offset = offsetof (objective_t, has_limit)},
    {.name = "alert",
     .type = SCHEMA_REAL,
     .offset = offsetof (objective_t, alert),
     .seen_offset = offsetof (objective_t, has_alert)},
    {.name = NULL}};

/* All of it sits in agent_t itself, so the map's offset is 0. */
static const schema_key_t s_evaluator_keys[] = {
    {.name = "command",
     .type = SCHEMA_TEXTS,
     .bound = AGENT_COMMAND_MAX,
     .minimum = 1,
     .required = true,
     .add_text = s_add_word,
     .expected = "a list of words: the program and its arguments, e.g. [./evaluate]"},
    {.name = "timeout",
     .type = SCHEMA_DURATION,
     .offset = offsetof (agent_t, timeout_ms),
     .minimum = 100,
     .maximum = DAY_MS},
    {.name = "memory",
     .type = SCHEMA_BYTES,
     .offset = offsetof (agent_t, memory_bytes),
     .minimum = 16 * 1048576.0,
     .maximum = 1024 * GIB},
    {.name = "processes",
     .type = SCHEMA_INTEGER,
     .offset = offsetof (agent_t, processes_max),
     .minimum = 1,
     .maximum = 4096},
    {.name = "stages",
     .type = SCHEMA_MAPS,
     .bound = AGENT_STAGES_MAX,
     .of = agent_stage_keys,
     .add_map = s_add_stage},
    {.name = NULL}};

static const schema_key_t s_keys[] = {
    {.name = "name",
     .type = SCHEMA_TEXT,
     .offset = offsetof (agent_t, name),
     .bound = LIMIT_NAME,
     .required = true,
     .accept_text = name_valid,
     .expected = NAME_EXPECTED},
    {.name = "description",
     .type = SCHEMA_TEXT,
     .offset = offsetof (agent_t, description),
     .bound = LIMIT_TEXT},
    {.name = "language", .type = SCHEMA_TEXT, .offset = offsetof (agent_t, language), .bound = LIMIT_NAME},
    {.name = "evolve",
     .type = SCHEMA_TEXTS,
     .bound = LIMIT_EVOLVE_FILES,
     .minimum = 1,
     .required = true,
     .add_text = s_add_evolve,
     .expected = "a list of paths that a candidate may change"},
    {.name = "evaluator", .type = SCHEMA_MAP, .of = s_evaluator_keys, .required = true},
    {.name = "objectives",
     .type = SCHEMA_MAPS,
     .bound = LIMIT_OBJECTIVES,
     .minimum = 1,
     .of = s_objective_keys,
     .required = true,
     .add_map = s_add_objective},
    {.name = "proposers",
     .type = SCHEMA_MAPS,
     .bound = AGENT_PROPOSERS_MAX,
     .of = proposer_keys,
     .add_map = s_add_proposer},
    {.name = NULL}};

/* --- what a table can't state --- */

static metric_source_t s_source_of (const char *name)
{
    static const struct {
        const char *name;
        metric_source_t source;
    } built_in[] = {
        {"peak_memory", SOURCE_PEAK_MEMORY}, {"cpu_time", SOURCE_CPU_TIME}, {"wall_time", SOURCE_WALL_TIME}};
    for (size_t i = 0; i < sizeof built_in / sizeof *built_in; i++)
        if (strcmp (name, built_in[i].name) == 0)
            return built_in[i].source;
    return SOURCE_EVALUATOR;
}

/* Gives each objective its source and tolerance; names must differ. */
static int s_finish_objectives (objectives_t *objectives, const char *file, const char *text, size_t size,
                                problem_t *problem)
{
    for (size_t i = 0; i < objectives->count; i++) {
        objective_t *objective = &objectives->items[i];
        for (size_t j = 0; j < i; j++) {
            if (strcmp (objectives->items[j].name, objective->name) != 0)
                continue;
            char path[64];
            snprintf (path, sizeof path, "objectives[%zu].name", i);
            return schema_problem (file, text, size, path, problem,
                                   "found \"%s\" a second time, expected each name once", objective->name);
        }
        objective->source = s_source_of (objective->name);
        if (objective->tolerance < 0)
            objective->tolerance = objective->noisy ? NOISY_TOLERANCE : 0.0;
        assert (objective->weight > 0 && objective->tolerance >= 0); /* as the table bounds them */
    }
    return 0;
}

/* --- the evaluator is pinned --- */

#define MOUNT_AGENT "/agent/" /* where the evaluator finds the agent */

static bool s_evolves (const agent_t *agent, const char *path)
{
    if (strncmp (path, MOUNT_AGENT, strlen (MOUNT_AGENT)) == 0)
        path += strlen (MOUNT_AGENT);
    while (strncmp (path, "./", 2) == 0)
        path += 2;
    for (size_t i = 0; i < agent->evolve_count; i++)
        if (strcmp (agent->evolve[i], path) == 0)
            return true;
    return false;
}

/* True for a word that is no file of the agent's: what PATH finds, or an absolute path elsewhere. */
static bool s_is_outside (const char *word)
{
    return strchr (word, '/') == NULL ||
           (word[0] == '/' && strncmp (word, MOUNT_AGENT, strlen (MOUNT_AGENT)) != 0);
}

/* The program that the command runs: its first word, or behind an interpreter or a helper of ours the first word that
 * is no option. */
static const char *s_program (const agent_command_t *command)
{
    assert (command->count > 0);
    size_t i = 0;
    if (command->count > 1 && s_is_outside (command->words[0]))
        for (i = 1; i + 1 < command->count && command->words[i][0] == '-';)
            i++;
    assert (i < command->count);
    return command->words[i];
}

static int s_check_command (const agent_t *agent, const agent_command_t *command, const char *path,
                            const char *file, const char *text, size_t size, problem_t *problem)
{
    const char *program = s_program (command);
    if (!s_evolves (agent, program))
        return 0;
    return schema_problem (
        file, text, size, path, problem,
        "found \"%s\", which is in evolve, expected a pinned file: a candidate could write "
        "its own score",
        program);
}

static int s_check_commands (const agent_t *agent, const char *file, const char *text, size_t size,
                             problem_t *problem)
{
    if (s_check_command (agent, &agent->evaluator, "evaluator.command", file, text, size, problem) != 0)
        return -1;
    for (size_t i = 0; i < agent->stage_count; i++) {
        char path[64];
        snprintf (path, sizeof path, "evaluator.stages[%zu].command", i);
        if (s_check_command (agent, &agent->stages[i].command, path, file, text, size, problem) != 0)
            return -1;
    }
    return 0;
}

int agent_parse (const char *file, const char *text, size_t size, agent_t *agent, problem_t *problem)
{
    assert (file != NULL && text != NULL && agent != NULL);
    memset (agent, 0, sizeof *agent);
    agent->timeout_ms = 60000;
    agent->memory_bytes = UINT64_C (1) << 30;
    agent->processes_max = 64;
    if (schema_read (file, text, size, s_keys, agent, problem) != 0)
        return -1;
    if (s_finish_objectives (&agent->objectives, file, text, size, problem) != 0)
        return -1;
    if (agent_stages_finish (agent, file, text, size, problem) != 0 ||
        s_check_commands (agent, file, text, size, problem) != 0)
        return -1;
    return proposers_check (agent->proposers, agent->proposer_count, file, text, size, problem);
}

/* --- its files --- */

static int s_check_files (const agent_t *agent, const tree_t *files, problem_t *problem)
{
    if (tree_find (files, AGENT_MANIFEST) == NULL)
        return problem_set (problem, "%s: is missing in the agent's directory", AGENT_MANIFEST);
    for (size_t i = 0; i < agent->evolve_count; i++) {
        const tree_file_t *file = tree_find (files, agent->evolve[i]);
        if (file == NULL)
            return problem_set (problem,
                                "%s: evolve[%zu]: found \"%s\", expected a file of the agent's directory",
                                AGENT_MANIFEST, i, agent->evolve[i]);
        if (file->size > LIMIT_FILE_BYTES)
            return problem_set (problem, "%s: evolve[%zu]: found %llu bytes in %s, expected %d at most",
                                AGENT_MANIFEST, i, (unsigned long long)file->size, agent->evolve[i],
                                LIMIT_FILE_BYTES);
    }
    return 0;
}

int agent_split (const agent_t *agent, const tree_t *files, tree_t *pinned, tree_t *evolved,
                 problem_t *problem)
{
    assert (agent != NULL && files != NULL && pinned != NULL && evolved != NULL);
    *pinned = (tree_t){0};
    *evolved = (tree_t){0};
    if (s_check_files (agent, files, problem) != 0)
        return -1;
    for (size_t i = 0; i < files->count; i++) {
        const tree_file_t *file = &files->files[i];
        tree_t *to = s_evolves (agent, file->path) ? evolved : pinned;
        int status = tree_add (to, file->path, file->executable, &file->content, file->size);
        if (status != 0)
            return problem_set (problem, "%s: %s", file->path, error_text (status));
    }
    assert (evolved->count == agent->evolve_count && pinned->count + evolved->count == files->count);
    return 0;
}
