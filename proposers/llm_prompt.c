/* SPDX-License-Identifier: MPL-2.0 */
#include "proposers/llm_prompt.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARTIFACT_BYTES_MAX 1024 /* of one that is told; what is longer is cut */
#define FAILURE_BYTES_MAX  200  /* of what is told of a failure, and of each of its stages */

static const char s_role[] = "You improve a program step by step. You are shown the files that may change, "
                             "how the program was measured, and what others "
                             "tried. Propose one change that is likely to measure better.\n";

static const char s_form[] =
    "\nBegin your answer with one line that says what you change and why. Then give the change as one or "
    "more blocks of exactly "
    "this form, with the file's path on the line above each:\n"
    "\n"
    "path/of/the/file\n"
    "<<<<<<< SEARCH\n"
    "lines as they stand in the file now\n"
    "=======\n"
    "lines that replace them\n"
    ">>>>>>> REPLACE\n"
    "\n"
    "The SEARCH lines must stand in the file exactly once, and blocks are applied in order. An empty SEARCH "
    "part replaces the "
    "whole file. Only the files shown to you may change; none may be added or removed. In a file with lines "
    "EVOLVE-BLOCK-START and EVOLVE-BLOCK-END only what is between them may change.\n"
    "\n"
    "If you take something over from one of the numbered candidates, say which in a line of its own above "
    "the blocks, in these words:\n"
    "Crossed with candidate 1\n";

static void s_put_bytes (buffer_t *out, const void *data, size_t size)
{
    buffer_append (out, data, size);
}

static void s_put (buffer_t *out, const char *text)
{
    s_put_bytes (out, text, strlen (text));
}

__attribute__ ((format (printf, 2, 3))) static void s_print (buffer_t *out, const char *format, ...)
{
    char text[LIMIT_LONG_TEXT];
    va_list arguments;
    va_start (arguments, format);
    int length = vsnprintf (text, sizeof text, format, arguments);
    va_end (arguments);
    s_put_bytes (out, text, length < (int)sizeof text ? (size_t)(length > 0 ? length : 0) : sizeof text - 1);
}

static const char *s_text_of (const json_t *object, const char *key)
{
    const char *text = json_string_value (json_object_get (object, key));
    return text == NULL ? "" : text;
}

void llm_prompt_system (text_t own, buffer_t *out)
{
    assert (out && (own.data || own.size == 0));
    if (own.size > 0)
        s_put_bytes (out, own.data, own.size);
    else
        s_put (out, s_role);
    s_put (out, s_form);
}

/* --- the parts of the task --- */

static void s_put_objectives (const json_t *request, buffer_t *out)
{
    size_t i;
    json_t *objective;
    s_put (out, "\n# Objectives\n");
    json_array_foreach (json_object_get (request, "objectives"), i, objective)
    {
        s_print (out, "- %s %s (weight %g%s%s)\n", s_text_of (objective, "goal"),
                 s_text_of (objective, "name"), json_number_value (json_object_get (objective, "weight")),
                 *s_text_of (objective, "unit") != '\0' ? ", unit " : "", s_text_of (objective, "unit"));
    }
}

static void s_put_metrics (const json_t *candidate, buffer_t *out)
{
    const char *name;
    json_t *value, *metrics = json_object_get (candidate, "metrics");
    if (json_object_size (metrics) == 0)
        return;
    s_put (out, "Measured:");
    json_object_foreach (metrics, name, value) s_print (out, " %s = %.9g;", name, json_number_value (value));
    s_put (out, "\n");
}

static void s_put_file (const char *path, const void *text, size_t size, buffer_t *out)
{
    assert (text != NULL || size == 0);
    s_print (out, "\n%s\n```\n", path);
    s_put_bytes (out, text, size);
    if (size > 0 && ((const char *)text)[size - 1] != '\n')
        s_put (out, "\n");
    s_put (out, "```\n");
}

static void s_put_artifact (const char *line, const char *name, const json_t *value, int bytes_max,
                            buffer_t *out)
{
    assert (bytes_max > 0);
    char *text = json_dumps (value, JSON_COMPACT | JSON_ENCODE_ANY);
    bool cut = text != NULL && strlen (text) > (size_t)bytes_max;
    s_print (out, "%s%.64s: %.*s%s\n", line, name, bytes_max, text == NULL ? "" : text, cut ? "…" : "");
    free (text);
}

/* What the evaluator's stages told, which stands under "stages" among the artifacts. */
static json_t *s_stages (const json_t *candidate)
{
    return json_object_get (json_object_get (candidate, "artifacts"), "stages");
}

/* Artifacts come only where the operator consents; then they stand in the request. */
static void s_put_artifacts (const json_t *parent, buffer_t *out)
{
    const char *name;
    json_t *value, *artifacts = json_object_get (parent, "artifacts");
    json_t *stages = s_stages (parent);
    if (json_object_size (artifacts) > (json_is_object (stages) ? 1 : 0))
        s_put (out, "\nWhat its evaluation told:\n");
    json_object_foreach (artifacts, name, value) if (value != stages || !json_is_object (stages))
        s_put_artifact ("- ", name, value, ARTIFACT_BYTES_MAX, out);
    if (json_object_size (stages) > 0)
        s_put (out, "\nWhat the stages before it told:\n");
    json_object_foreach (stages, name, value) s_put_artifact ("- ", name, value, ARTIFACT_BYTES_MAX, out);
}

static void s_put_program (const json_t *program, size_t number, buffer_t *out)
{
    assert (number > 0);
    const char *path;
    json_t *text;
    s_print (out, "\n# Candidate %zu, to learn from\n", number);
    s_put_metrics (program, out);
    json_object_foreach (json_object_get (program, "files"), path, text)
        s_put_file (path, json_string_value (text), json_string_length (text), out);
}

/* The inspiration that is shown under that number, from 1 on; NULL: there are fewer. Those are shown whose files are told, but for the
 * parent, which is shown anyway. */
static const json_t *s_shown (const json_t *request, size_t number)
{
    assert (number > 0);
    static const char *const lists[] = {"top", "diverse"};
    const json_t *inspirations = json_object_get (request, "inspirations");
    const char *parent = s_text_of (json_object_get (request, "parent"), "id");
    for (size_t k = 0; k < sizeof lists / sizeof *lists; k++) {
        const json_t *programs = json_object_get (inspirations, lists[k]);
        for (size_t i = 0; i < json_array_size (programs); i++) {
            const json_t *program = json_array_get (programs, i);
            bool shown =
                json_object_get (program, "files") != NULL && strcmp (s_text_of (program, "id"), parent) != 0;
            if (shown && --number == 0)
                return program;
        }
    }
    return NULL;
}

const char *llm_prompt_candidate (const json_t *request, size_t number)
{
    assert (request);
    const json_t *program = number > 0 ? s_shown (request, number) : NULL;
    return json_string_value (json_object_get (program, "id"));
}

static void s_put_failures (const json_t *request, buffer_t *out)
{
    size_t i;
    const char *name;
    json_t *told, *failure, *failures = json_object_get (request, "failures");
    if (json_array_size (failures) > 0)
        s_put (out, "\n# Rejected of late; don't repeat them\n");
    json_array_foreach (failures, i, failure)
    {
        s_print (out, "- %s: %s %.*s\n", s_text_of (failure, "reason"), s_text_of (failure, "description"),
                 FAILURE_BYTES_MAX, s_text_of (failure, "detail"));
        json_object_foreach (s_stages (failure), name, told)
            s_put_artifact ("  - stage ", name, told, FAILURE_BYTES_MAX, out);
    }
}

/* The learning rate goes from 0.01 to 0.5; it grows with success. */
static const char *s_step (double learning_rate)
{
    return learning_rate < 0.05  ? "Make a small and careful change: large ones failed of late."
           : learning_rate < 0.2 ? "Make one well-founded change."
                                 : "Be bold: large changes did well of late.";
}

void llm_prompt_task (const json_t *request, text_t task, const llm_file_t *files, size_t count,
                      buffer_t *out)
{
    assert (request && out && (files || count == 0) && (task.data || task.size == 0));
    const json_t *llm = json_object_get (request, "llm"), *parent = json_object_get (request, "parent");
    s_put (out, "# Task\n");
    if (task.size > 0)
        s_put_bytes (out, task.data, task.size);
    else
        s_print (out, "%s\n", s_text_of (llm, "description"));
    s_put_objectives (request, out);
    const json_t *program;
    for (size_t number = 1; (program = s_shown (request, number)) != NULL; number++)
        s_put_program (program, number, out);
    s_put_failures (request, out);
    s_put (out, "\n# The program to change\n");
    s_put_metrics (parent, out);
    s_put_artifacts (parent, out);
    for (size_t k = 0; k < count; k++)
        s_put_file (files[k].path, files[k].text.data, files[k].text.size, out);
    s_print (out, "\n%s\n", s_step (json_number_value (json_object_get (request, "learning_rate"))));
}

void llm_prompt_repair (const char *report, buffer_t *out)
{
    assert (report && out);
    s_put (out, "Your answer could not be used, and nothing was changed:\n");
    s_put (out, report);
    s_put (out, "\nAnswer again with the whole change, in the form that was asked for.\n");
}

/* --- JSON --- */

json_t *llm_prompt_message (const char *role, const buffer_t *content)
{
    assert (role && content && (content->data || content->size == 0));
    char *text = malloc (content->size + 1);
    size_t size = 0;
    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < content->size; i++)
        if (content->data[i] != '\r') /* a model is to see plain line ends */
            text[size++] = (char)content->data[i];
    char *clean = malloc (size + 1);
    json_t *message = NULL;
    if (clean != NULL) {
        text_t said = text_clean ((text_t){text, size}, clean, size + 1);
        message = json_pack ("{s:s, s:o}", "role", role, "content", json_stringn (said.data, said.size));
    }
    free (clean);
    free (text);
    return message;
}

char *llm_prompt_body (const json_t *llm, json_t *messages)
{
    assert (llm && messages);
    json_t *body = json_pack ("{s:O, s:O}", "model", json_object_get (llm, "model"), "messages", messages);
    json_t *temperature = json_object_get (llm, "temperature");
    if (body != NULL && temperature != NULL)
        json_object_set (body, "temperature", temperature);
    if (body != NULL)
        json_object_set (body, s_text_of (llm, "limit_key"), json_object_get (llm, "max_tokens"));
    char *text = body == NULL ? NULL : json_dumps (body, JSON_COMPACT);
    json_decref (body);
    return text;
}
