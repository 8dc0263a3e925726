/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/control_request.h"

#include <assert.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTENTS_MAX (LIMIT_EVOLVE_FILES * 2 + 2) /* a package's base and candidate, and their lists */

/* The text of an argument's value, borrowed from it or written to `number`; NULL for what is none. */
static const char *s_value (const json_t *value, char number[32])
{
    if (json_is_string (value))
        return json_string_value (value);
    if (json_is_integer (value))
        snprintf (number, 32, "%" JSON_INTEGER_FORMAT, json_integer_value (value));
    else if (json_is_real (value))
        snprintf (number, 32, "%.17g", json_real_value (value));
    else if (json_is_boolean (value))
        snprintf (number, 32, "%s", json_is_true (value) ? "true" : "false");
    else
        return NULL;
    return number;
}

static int s_parse_arguments (parsed_request_t *self, json_t *arguments, problem_t *problem)
{
    const char *key;
    json_t *value;
    if (arguments != NULL && !json_is_object (arguments))
        return problem_set (problem, "\"arguments\" must be an object");
    json_object_foreach (arguments, key, value)
    {
        size_t i = self->request.argument_count;
        if (i == LIMIT_METADATA)
            return problem_set (problem, "more than %d arguments", LIMIT_METADATA);
        const char *text = s_value (value, self->numbers[i]);
        text_t name = text_of (key), content = text_of (text);
        if (text == NULL)
            return problem_set (problem, "argument \"%.40s\" must be a text, a number or a bool", key);
        if (name.size > LIMIT_NAME || !text_valid (name))
            return problem_set (problem, "an argument's name has %d characters at most", LIMIT_NAME);
        if (content.size > LIMIT_LONG_TEXT || !text_valid (content))
            return problem_set (
                problem, "argument \"%s\" must be a text of %d bytes at most, without control characters",
                key, LIMIT_LONG_TEXT);
        self->request.arguments[i] = (entry_t){name, content};
        self->request.argument_count++;
    }
    return 0;
}

/* Decodes base64 into malloc'ed bytes. */
static int s_decode (const json_t *value, size_t max, const char *what, uint8_t **bytes, size_t *size,
                     problem_t *problem)
{
    assert (max > 0 && *bytes == NULL);
    if (!json_is_string (value))
        return problem_set (problem, "%s must be base64 in a text", what);
    size_t text_size = json_string_length (value);
    if (text_size / 4 * 3 > max + 3)
        return problem_set (problem, "%s is larger than %zu bytes", what, max);
    size_t room = text_size / 4 * 3 + 3;
    *bytes = malloc (room);
    if (*bytes == NULL)
        return problem_set (problem, "%s", error_text (ERROR_MEMORY));
    if (sodium_base642bin (*bytes, room, json_string_value (value), text_size, NULL, size, NULL,
                           sodium_base64_VARIANT_ORIGINAL) == 0 &&
        *size <= max)
        return 0;
    free (*bytes);
    *bytes = NULL;
    return problem_set (problem, "%s must be base64 (RFC 4648, with padding) of %zu bytes at most", what,
                        max);
}

static int s_parse_contents (parsed_request_t *self, const json_t *contents, problem_t *problem)
{
    if (contents == NULL)
        return 0;
    if (!json_is_array (contents) || json_array_size (contents) > CONTENTS_MAX)
        return problem_set (problem, "\"contents\" must be a list of %d at most", CONTENTS_MAX);
    size_t count = json_array_size (contents);
    self->contents = calloc (count + 1, sizeof *self->contents);
    if (self->contents == NULL)
        return problem_set (problem, "%s", error_text (ERROR_MEMORY));
    for (size_t i = 0; i < count; i++) {
        uint8_t *bytes = NULL;
        size_t size = 0;
        if (s_decode (json_array_get (contents, i), LIMIT_CONTENT_BYTES, "each of \"contents\"", &bytes,
                      &size, problem) != 0)
            return -1;
        self->contents[i] = bytes_of (bytes, size);
        self->request.content_count = i + 1;
    }
    assert (self->request.content_count == count);
    self->request.contents = self->contents;
    return 0;
}

static int s_parse (parsed_request_t *self, problem_t *problem)
{
    assert (json_is_object (self->root));
    const json_t *command = json_object_get (self->root, "command");
    const json_t *content = json_object_get (self->root, "content");
    text_t name = text_of (json_string_value (command));
    if (!text_is_name (name))
        return problem_set (problem, "\"command\" must be the name of a command");
    self->request.command = name.data;
    if (s_parse_arguments (self, json_object_get (self->root, "arguments"), problem) != 0)
        return -1;
    if (content != NULL) {
        size_t size = 0;
        if (s_decode (content, LIMIT_PACKAGE_BYTES, "\"content\"", &self->content, &size, problem) != 0)
            return -1;
        self->request.content = bytes_of (self->content, size);
    }
    return s_parse_contents (self, json_object_get (self->root, "contents"), problem);
}

int control_request_parse (parsed_request_t *self, const char *data, size_t size, problem_t *problem)
{
    assert (self != NULL && (data != NULL || size == 0));
    memset (self, 0, sizeof *self);
    json_error_t error;
    self->root = json_loadb (data, size, JSON_REJECT_DUPLICATES, &error);
    if (self->root == NULL)
        return problem_set (problem, "the request is no JSON: %s", error.text);
    if (!json_is_object (self->root))
        problem_set (problem, "the request must be a JSON object");
    else if (s_parse (self, problem) == 0)
        return 0;
    control_request_clear (self);
    return -1;
}

void control_request_clear (parsed_request_t *self)
{
    assert (self != NULL);
    for (size_t i = 0; i < self->request.content_count; i++)
        free ((void *)self->contents[i].data);
    free (self->contents);
    free (self->content);
    json_decref (self->root);
    memset (self, 0, sizeof *self);
}
