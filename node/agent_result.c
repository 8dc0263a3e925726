/* SPDX-License-Identifier: MPL-2.0 */
/* What an evaluator printed: JSON of a program that a hostile candidate may have confused, so everything is
 * checked. */
#include "node/agent.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "node/schema.h"

#define EXPECTED_OBJECT "a JSON object such as {\"metrics\": {\"name\": 1.5}} on the last line of stdout"

static bool s_is_space (char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The last line with anything on it, without the spaces around; empty if there is none. */
static const char *s_last_line (const char *output, size_t size, size_t *length)
{
    while (size > 0 && s_is_space (output[size - 1]))
        size--;
    size_t start = size;
    while (start > 0 && output[start - 1] != '\n')
        start--;
    while (start < size && s_is_space (output[start]))
        start++;
    *length = size - start;
    return output + start;
}

/* Writes what a value is, for the problem: its type and, where short, itself. */
static void s_describe (const json_t *value, char found[SCHEMA_QUOTE_BYTES])
{
    switch (json_typeof (value)) {
    case JSON_OBJECT: strcpy (found, "an object"); return;
    case JSON_ARRAY: strcpy (found, "an array"); return;
    case JSON_STRING: schema_quote (json_string_value (value), json_string_length (value), found); return;
    case JSON_TRUE: strcpy (found, "true"); return;
    case JSON_FALSE: strcpy (found, "false"); return;
    case JSON_NULL: strcpy (found, "null"); return;
    case JSON_INTEGER:
    case JSON_REAL: strcpy (found, "a number"); return;
    }
}

/* "valid": false says that the candidate is none, whatever else stands there. */
static int s_check_valid (const json_t *result, problem_t *problem)
{
    char found[SCHEMA_QUOTE_BYTES];
    const json_t *valid = json_object_get (result, "valid");
    if (valid == NULL || json_is_true (valid))
        return 0;
    if (!json_is_false (valid)) {
        s_describe (valid, found);
        return problem_set (problem, "result: \"valid\": found %s, expected true or false", found);
    }
    const json_t *error = json_object_get (result, "error");
    if (!json_is_string (error))
        return problem_set (problem, "the evaluator calls it invalid and gives no \"error\" text");
    char text[LIMIT_TEXT + 1];
    size_t length = json_string_length (error);
    length = length < LIMIT_TEXT ? length : LIMIT_TEXT;
    while (length > 0 && length < json_string_length (error) &&
           ((unsigned char)json_string_value (error)[length] & 0xc0) == 0x80) /* not inside a character */
        length--;
    for (size_t i = 0; i < length; i++) {
        char c = json_string_value (error)[i];
        text[i] = (unsigned char)c < 0x20 || c == 0x7f ? ' ' : c;
    }
    text[length] = '\0';
    return problem_set (problem, "the evaluator calls it invalid: %s", text);
}

static int s_read_metric (const json_t *metrics, const char *name, double *value, problem_t *problem)
{
    const json_t *number = json_object_get (metrics, name);
    if (number == NULL)
        return problem_set (problem, "result: metric \"%s\": is missing, expected a number", name);
    if (!json_is_number (number)) {
        char found[SCHEMA_QUOTE_BYTES];
        s_describe (number, found);
        return problem_set (problem, "result: metric \"%s\": found %s, expected a number", name, found);
    }
    *value = json_number_value (number);
    if (!isfinite (*value))
        return problem_set (problem, "result: metric \"%s\": found %g, expected a finite number", name,
                            *value);
    return 0;
}

static int s_read_metrics (const agent_t *agent, const json_t *result, metrics_t *metrics, problem_t *problem)
{
    const json_t *from = json_object_get (result, "metrics");
    if (from == NULL)
        from = result; /* the flat form */
    if (!json_is_object (from)) {
        char found[SCHEMA_QUOTE_BYTES];
        s_describe (from, found);
        return problem_set (problem, "result: \"metrics\": found %s, expected an object", found);
    }
    *metrics = (metrics_t){.count = agent->objectives.count};
    for (size_t i = 0; i < agent->objectives.count; i++) {
        const objective_t *objective = &agent->objectives.items[i];
        if (objective->source == SOURCE_EVALUATOR &&
            s_read_metric (from, objective->name, &metrics->values[i], problem) != 0)
            return -1;
    }
    return 0;
}

/* Writes as many of the artifacts, in order, as fit with their braces. Returns 0 or -1 without memory. */
static int s_write_artifacts (json_t *from, char *text, size_t size)
{
    const char *name = NULL;
    json_t *value = NULL;
    size_t used = 0;
    json_object_foreach (from, name, value)
    {
        json_t *one = json_object ();
        if (one == NULL || json_object_set (one, name, value) != 0) {
            json_decref (one);
            return -1;
        }
        char *entry = json_dumps (one, JSON_COMPACT);
        json_decref (one);
        if (entry == NULL)
            return -1;
        size_t length =
            strlen (entry); /* "{…}": the first keeps its brace, the others bring a comma instead */
        if (used + length + 1 <= size) {
            memcpy (text + used, entry, length);
            if (used > 0)
                text[used] = ',';
            used += length - 1; /* the closing brace is written over by the next, or below */
        }
        free (entry);
    }
    if (used > 0)
        text[used++] = '}';
    text[used] = '\0';
    return 0;
}

static int s_read_object (const agent_t *agent, json_t *result, metrics_t *metrics, char *artifacts,
                          size_t size, problem_t *problem)
{
    metrics_t read;
    if (s_check_valid (result, problem) != 0 || s_read_metrics (agent, result, &read, problem) != 0)
        return -1;
    json_t *from = json_object_get (result, "artifacts");
    if (from != NULL && !json_is_object (from)) {
        char found[SCHEMA_QUOTE_BYTES];
        s_describe (from, found);
        return problem_set (problem, "result: \"artifacts\": found %s, expected an object", found);
    }
    if (size > 0 && from != NULL && s_write_artifacts (from, artifacts, size) != 0)
        return problem_set (problem, "%s", error_text (ERROR_MEMORY));
    *metrics = read;
    return 0;
}

int agent_read_result (const agent_t *agent, const char *output, size_t size, metrics_t *metrics,
                       char *artifacts, size_t artifacts_size, problem_t *problem)
{
    assert (agent != NULL && (output != NULL || size == 0) && metrics != NULL);
    assert (artifacts != NULL || artifacts_size == 0);
    if (artifacts_size > 0)
        artifacts[0] = '\0';
    size_t length = 0;
    const char *line = size > 0 ? s_last_line (output, size, &length) : "";
    if (length == 0)
        return problem_set (problem, "result: found nothing, expected %s", EXPECTED_OBJECT);
    char found[SCHEMA_QUOTE_BYTES];
    json_error_t error;
    json_t *result = json_loadb (line, length, JSON_REJECT_DUPLICATES, &error);
    if (result == NULL) {
        char why[SCHEMA_QUOTE_BYTES]; /* quotes bytes of the line, so it is cleaned too */
        schema_quote (line, length, found);
        schema_quote (error.text, strlen (error.text), why);
        return problem_set (problem, "result: found %s (%.*s at column %d), expected %s", found,
                            (int)strlen (why) - 2, why + 1, error.column, EXPECTED_OBJECT);
    }
    int status = -1;
    if (json_is_object (result))
        status = s_read_object (agent, result, metrics, artifacts, artifacts_size, problem);
    else
        problem_set (problem, "result: found an array, expected %s", EXPECTED_OBJECT);
    json_decref (result);
    return status;
}
