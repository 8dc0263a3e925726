/* SPDX-License-Identifier: MPL-2.0 */
#include "proposers/llm_answer.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

void llm_blank (char *text, size_t size, const char *secret)
{
    assert ((text || size == 0) && secret);
    size_t length = strlen (secret);
    for (size_t i = 0; length > 0 && length <= size && i <= size - length; i++)
        if (memcmp (text + i, secret, length) == 0)
            memset (text + i, '*', length);
}

static bool s_read_count (const json_t *object, const char *key, uint64_t *count)
{
    const json_t *value = json_object_get (object, key);
    if (!json_is_integer (value) || json_integer_value (value) < 0)
        return false;
    *count = (uint64_t)json_integer_value (value);
    return true;
}

/* Neither a prompt nor an answer with text has no tokens at all: an endpoint that counts none doesn't count. */
static void s_read_usage (const json_t *usage, llm_answer_t *answer)
{
    answer->usage_known = s_read_count (usage, "prompt_tokens", &answer->input_tokens) &&
                          s_read_count (usage, "completion_tokens", &answer->output_tokens) &&
                          answer->input_tokens > 0 && (answer->output_tokens > 0 || answer->size == 0);
}

static int s_read_content (const json_t *root, llm_answer_t *answer, problem_t *problem)
{
    const json_t *choice = json_array_get (json_object_get (root, "choices"), 0);
    const char *finish = json_string_value (json_object_get (choice, "finish_reason"));
    const json_t *content = json_object_get (json_object_get (choice, "message"), "content");
    answer->cut_off = finish != NULL && strcmp (finish, "length") == 0;
    if (choice == NULL)
        return problem_set (problem, "the answer has no choices[0]");
    if (!json_is_string (content) || json_string_length (content) == 0)
        return problem_set (problem, "the answer has no text (finish_reason %.40s)",
                            finish ? finish : "none");
    answer->size = json_string_length (content);
    answer->content = malloc (answer->size + 1);
    if (answer->content == NULL)
        return problem_set (problem, "%s", error_text (ERROR_MEMORY));
    memcpy (answer->content, json_string_value (content), answer->size + 1);
    return 0;
}

int llm_answer_read (const char *body, size_t size, llm_answer_t *answer, problem_t *problem)
{
    assert (body && answer);
    json_error_t error;
    json_t *root = json_loadb (body, size, 0, &error);
    if (root == NULL)
        return problem_set (problem, "the answer is no JSON: line %d: %s", error.line, error.text);
    int rc = s_read_content (root, answer, problem);
    s_read_usage (json_object_get (root, "usage"), answer);
    json_decref (root);
    return rc;
}

void llm_answer_clear (llm_answer_t *answer)
{
    assert (answer);
    free (answer->content);
    *answer = (llm_answer_t){0};
}

void llm_answer_error (const char *body, size_t size, char text[LIMIT_TEXT + 1])
{
    assert (body && text);
    json_t *root = json_loadb (body, size, 0, NULL);
    const json_t *error = json_object_get (root, "error"), *message = json_object_get (error, "message");
    const json_t *told = json_is_string (message) ? message : error;
    text_t raw = json_is_string (told) ? (text_t){json_string_value (told), json_string_length (told)}
                                       : (text_t){body, size < LIMIT_TEXT ? size : LIMIT_TEXT};
    text_clean (raw, text, LIMIT_TEXT + 1);
    for (char *c = text; *c != '\0'; c++)
        *c = *c == '\n' || *c == '\t' ? ' ' : *c;
    json_decref (root);
}
