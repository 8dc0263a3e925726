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
#include "protocol/record.h"

#define NAMES_SHOWN 8 /* of the metrics that are there when one is not */

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
    assert (start <= size);
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

/* Sets the problem from the evaluator's own words, made fit to show. Returns -1. */
static int s_told_invalid (const json_t *error, problem_t *problem)
{
    char text[LIMIT_TEXT + 1];
    text_t cleaned =
        text_clean ((text_t){json_string_value (error), json_string_length (error)}, text, sizeof text);
    for (size_t i = 0; i < cleaned.size; i++)
        if (text[i] == '\n' || text[i] == '\t')
            text[i] = ' ';
    return problem_set (problem, "the evaluator calls it invalid: %.*s", (int)cleaned.size, text);
}

/* "valid": false, or a text as "error", says that the candidate is none, whatever else stands there. */
static int s_check_valid (const json_t *result, problem_t *problem)
{
    const json_t *valid = json_object_get (result, "valid"), *error = json_object_get (result, "error");
    if (valid != NULL && !json_is_boolean (valid)) {
        char found[SCHEMA_QUOTE_BYTES];
        s_describe (valid, found);
        return problem_set (problem, "result: \"valid\": found %s, expected true or false", found);
    }
    if (json_string_length (error) > 0)
        return s_told_invalid (error, problem);
    if (json_is_false (valid))
        return problem_set (problem, "the evaluator calls it invalid and gives no \"error\" text");
    return 0;
}

/* In the flat form these stand among the metrics. */
static bool s_is_metric (const char *name, const json_t *value)
{
    bool is_error = strcmp (name, "error") == 0 && (json_is_null (value) || json_is_string (value));
    return !is_error && strcmp (name, "artifacts") != 0;
}

/* A name that is not there is mostly one that is written otherwise: shows those that are. Returns -1. */
static int s_told_missing (json_t *metrics, const char *missing, problem_t *problem)
{
    const char *name = NULL;
    json_t *value = NULL;
    char found[NAMES_SHOWN * (SCHEMA_QUOTE_BYTES + 2)] = "no metric", quoted[SCHEMA_QUOTE_BYTES],
                                                   more[32] = "";
    size_t count = 0, used = 0;
    json_object_foreach (metrics, name, value)
    {
        if (!s_is_metric (name, value) || count++ >= NAMES_SHOWN)
            continue;
        schema_quote (name, strlen (name), quoted);
        used += (size_t)snprintf (found + used, sizeof found - used, "%s%s", used > 0 ? ", " : "", quoted);
    }
    assert (used < sizeof found);
    if (count > NAMES_SHOWN)
        (void)snprintf (more, sizeof more, " and %zu more", count - NAMES_SHOWN);
    return problem_set (problem, "result: metric \"%s\": is missing, found %s%s", missing, found, more);
}

static int s_check_number (const char *name, const json_t *number, problem_t *problem)
{
    if (json_is_number (number))
        return 0;
    char quoted[SCHEMA_QUOTE_BYTES], found[SCHEMA_QUOTE_BYTES];
    schema_quote (name, strlen (name), quoted);
    s_describe (number, found);
    return problem_set (problem, "result: metric %s: found %s, expected a number", quoted, found);
}

static int s_read_metric (json_t *metrics, const char *name, double *value, problem_t *problem)
{
    const json_t *number = json_object_get (metrics, name);
    if (number == NULL)
        return s_told_missing (metrics, name, problem);
    if (s_check_number (name, number, problem) != 0)
        return -1;
    *value = json_number_value (number);
    if (!isfinite (*value))
        return problem_set (problem, "result: metric \"%s\": found %g, expected a finite number", name,
                            *value);
    return 0;
}

/* In the flat form all is a metric but the artifacts and an error that is none. */
static int s_check_flat (json_t *result, problem_t *problem)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach (result, name, value)
    {
        if (s_is_metric (name, value) && s_check_number (name, value, problem) != 0)
            return -1;
    }
    return 0;
}

/* The object whose members are the metrics, borrowed from the result; NULL with the problem. */
static json_t *s_metrics (json_t *result, problem_t *problem)
{
    json_t *metrics = json_object_get (result, "metrics");
    if (metrics == NULL && json_object_get (result, "valid") == NULL)
        return s_check_flat (result, problem) == 0 ? result : NULL;
    if (json_is_object (metrics))
        return metrics;
    char found[SCHEMA_QUOTE_BYTES] = "nothing";
    if (metrics != NULL)
        s_describe (metrics, found);
    problem_set (problem, "result: \"metrics\": found %s, expected an object", found);
    return NULL;
}

static int s_read_metrics (const objectives_t *objectives, json_t *from, metrics_t *metrics,
                           problem_t *problem)
{
    assert (objectives->count <= LIMIT_OBJECTIVES);
    metrics_t read = {.count = objectives->count};
    for (size_t i = 0; i < objectives->count; i++) {
        const objective_t *objective = &objectives->items[i];
        if (objective->source == SOURCE_EVALUATOR &&
            s_read_metric (from, objective->name, &read.values[i], problem) != 0)
            return -1;
    }
    *metrics = read;
    return 0;
}

/* Writes as many of the artifacts, in order, as fit with their braces. Returns 0 or -1 without memory. */
static int s_write_artifacts (json_t *from, char *text, size_t size)
{
    assert (size > 0);
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
    assert (used < size); /* room was left for the brace and for the end */
    text[used] = '\0';
    return 0;
}

/* Checks everything of a result but its numbers; the artifacts are written. Returns where the metrics are, or NULL with
 * the problem. */
static json_t *s_open (json_t *result, char *artifacts, size_t size, problem_t *problem)
{
    if (s_check_valid (result, problem) != 0)
        return NULL;
    json_t *metrics = s_metrics (result, problem);
    json_t *from = json_object_get (result, "artifacts");
    if (metrics == NULL || from == NULL)
        return metrics;
    if (!json_is_object (from)) {
        char found[SCHEMA_QUOTE_BYTES];
        s_describe (from, found);
        problem_set (problem, "result: \"artifacts\": found %s, expected an object", found);
        return NULL;
    }
    if (size > 0 && s_write_artifacts (from, artifacts, size) != 0) {
        problem_set (problem, "%s", error_text (ERROR_MEMORY));
        return NULL;
    }
    return metrics;
}

/* The object on the last line, a new reference; NULL with the problem. */
static json_t *s_load (const char *output, size_t size, problem_t *problem)
{
    size_t length = 0;
    const char *line = size > 0 ? s_last_line (output, size, &length) : "";
    if (length == 0) {
        problem_set (problem, "result: found nothing, expected %s", EXPECTED_OBJECT);
        return NULL;
    }
    json_error_t error;
    json_t *result = json_loadb (line, length, JSON_REJECT_DUPLICATES, &error);
    if (result == NULL) {
        char found[SCHEMA_QUOTE_BYTES], why[SCHEMA_QUOTE_BYTES]; /* both quote bytes of the line: cleaned */
        schema_quote (line, length, found);
        schema_quote (error.text, strlen (error.text), why);
        problem_set (problem, "result: found %s (%.*s at column %d), expected %s", found,
                     (int)strlen (why) - 2, why + 1, error.column, EXPECTED_OBJECT);
    } else if (!json_is_object (result)) {
        problem_set (problem, "result: found an array, expected %s", EXPECTED_OBJECT);
        json_decref (result);
        result = NULL;
    }
    return result;
}

int agent_read_result (const agent_t *agent, const char *output, size_t size, metrics_t *metrics,
                       char *artifacts, size_t artifacts_size, problem_t *problem)
{
    assert (agent != NULL && (output != NULL || size == 0) && metrics != NULL);
    assert (artifacts != NULL || artifacts_size == 0);
    if (artifacts_size > 0)
        artifacts[0] = '\0';
    json_t *result = s_load (output, size, problem);
    if (result == NULL)
        return -1;
    json_t *from = s_open (result, artifacts, artifacts_size, problem);
    int status = from == NULL ? -1 : s_read_metrics (&agent->objectives, from, metrics, problem);
    json_decref (result);
    return status;
}

/* --- stages --- */

static int s_check_thresholds (const agent_stage_t *stage, json_t *from, bool *passed, problem_t *problem)
{
    assert (!*passed && stage->threshold_count <= AGENT_THRESHOLDS_MAX);
    for (size_t i = 0; i < stage->threshold_count; i++) {
        const agent_threshold_t *threshold = &stage->thresholds[i];
        double value = 0;
        if (s_read_metric (from, threshold->metric, &value, problem) != 0)
            return -1;
        if (threshold->at_most ? value > threshold->bound : value < threshold->bound) {
            problem_set (problem, "%s is %.10g, expected at %s %.10g", threshold->metric, value,
                         threshold->at_most ? "most" : "least", threshold->bound);
            return 0;
        }
    }
    *passed = true;
    return 0;
}

int agent_read_stage (const agent_stage_t *stage, const char *output, size_t size, bool *passed,
                      char *artifacts, size_t artifacts_size, problem_t *problem)
{
    assert (stage != NULL && (output != NULL || size == 0) && passed != NULL);
    assert (artifacts != NULL && artifacts_size > 0);
    artifacts[0] = '\0';
    *passed = false;
    json_t *result = s_load (output, size, problem);
    if (result == NULL)
        return -1;
    json_t *from = s_open (result, artifacts, artifacts_size, problem);
    int status = from == NULL ? -1 : s_check_thresholds (stage, from, passed, problem);
    json_decref (result);
    return status;
}
