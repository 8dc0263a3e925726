/* SPDX-License-Identifier: MPL-2.0 */
#include "node/proposer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "node/config_llm.h"

#define PROPOSER_TIMEOUT_MS    60000
#define PROPOSER_TIMEOUT_LEAST 100
#define PROPOSER_TIMEOUT_MOST  86400000.0

bool proposer_is_built_in (const char *name)
{
    return strcmp (name, "tune") == 0 || strcmp (name, LLM_PROPOSER) == 0;
}

bool name_valid (const char *text)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    static const char rest[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t length = strlen (text);
    return length > 0 && strchr (first, text[0]) != NULL && strspn (text, rest) == length;
}

const char *command_add (agent_command_t *self, const char *word)
{
    assert (self->count <= AGENT_COMMAND_MAX);
    size_t length = strlen (word);
    if (self->count == AGENT_COMMAND_MAX)
        return "16 words at most";
    if (length > LIMIT_PATH)
        return "a word of 200 bytes at most (put a longer script in a file)";
    if (length == 0 && self->count == 0)
        return "the program to run";
    assert (length < sizeof self->words[0]);
    memcpy (self->words[self->count++], word, length + 1);
    return NULL;
}

_Static_assert(AGENT_COMMAND_MAX == 16 && LIMIT_PATH == 200 && LIMIT_NAME == 32, "as the texts above say");

static const char *s_add_word (void *object, const char *word)
{
    agent_proposer_t *proposer = object;
    return command_add (&proposer->command, word);
}

const schema_key_t proposer_keys[] = {
    {.name = "name",
     .type = SCHEMA_TEXT,
     .offset = offsetof (agent_proposer_t, name),
     .bound = LIMIT_NAME,
     .required = true,
     .accept_text = name_valid,
     .expected = NAME_EXPECTED},
    {.name = "command",
     .type = SCHEMA_TEXTS,
     .bound = AGENT_COMMAND_MAX,
     .minimum = 1,
     .add_text = s_add_word,
     .expected = "a list of words: the program and its arguments"},
    {.name = "share",
     .type = SCHEMA_REAL,
     .offset = offsetof (agent_proposer_t, share),
     .minimum = 1e-6,
     .maximum = 1e6,
     .expected = "a number above 0: its part of the proposals beside the others'"},
    {.name = "timeout",
     .type = SCHEMA_DURATION,
     .offset = offsetof (agent_proposer_t, timeout_ms),
     .seen_offset = offsetof (agent_proposer_t, timeout_given),
     .minimum = PROPOSER_TIMEOUT_LEAST,
     .maximum = PROPOSER_TIMEOUT_MOST},
    {.name = NULL}};

void proposer_defaults (agent_proposer_t *self)
{
    assert (self != NULL);
    memset (self, 0, sizeof *self);
    self->share = 1.0;
    self->timeout_ms = PROPOSER_TIMEOUT_MS;
}

static bool s_named_before (const agent_proposer_t *items, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp (items[i].name, items[index].name) == 0)
            return true;
    return false;
}

int proposers_check (const agent_proposer_t *items, size_t count, const char *file, const char *text,
                     size_t size, problem_t *problem)
{
    assert (items != NULL || count == 0);
    for (size_t i = 0; i < count; i++) {
        bool built_in = proposer_is_built_in (items[i].name);
        bool has_command = items[i].command.count > 0;
        char path[64];
        snprintf (path, sizeof path, "proposers[%zu].name", i);
        if (s_named_before (items, i))
            return schema_problem (file, text, size, path, problem,
                                   "found \"%s\" a second time, expected each name once", items[i].name);
        if (!built_in && !has_command)
            return schema_problem (
                file, text, size, path, problem,
                "found \"%s\" without a command, expected tune, llm or a command of its own", items[i].name);
        snprintf (path, sizeof path, "proposers[%zu].command", i);
        if (built_in && has_command)
            return schema_problem (file, text, size, path, problem,
                                   "found a command for a built-in proposer, expected none or another name");
    }
    return 0;
}
