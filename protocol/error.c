/* SPDX-License-Identifier: MPL-2.0 */
#include "protocol/error.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int code;
    const char *name;
    const char *text;
} s_errors[] = {
    {ERROR_NONE, "none", "no error"},
#define ERROR_CODE(NAME, number, name, text) {ERROR_##NAME, name, text},
#include "protocol/error.def"
#undef ERROR_CODE
};

const char *error_text (int code)
{
    for (size_t i = 0; i < sizeof s_errors / sizeof s_errors[0]; i++)
        if (s_errors[i].code == code)
            return s_errors[i].text;
    return "unknown error";
}

const char *error_name (int code)
{
    for (size_t i = 0; i < sizeof s_errors / sizeof s_errors[0]; i++)
        if (s_errors[i].code == code)
            return s_errors[i].name;
    return "unknown";
}

int problem_set (problem_t *problem, const char *format, ...)
{
    if (problem != NULL) {
        va_list arguments;
        va_start (arguments, format);
        int size = vsnprintf (problem->text, sizeof problem->text, format, arguments);
        va_end (arguments);
        assert (size >= 0);
    }
    return -1;
}

/* Appends as much of `text` as fits. */
static void s_append (problem_t *problem, const char *text)
{
    assert (memchr (problem->text, '\0', sizeof problem->text) != NULL);
    size_t used = strlen (problem->text), left = sizeof problem->text - 1 - used, size = strlen (text);
    size = size < left ? size : left;
    memcpy (problem->text + used, text, size);
    problem->text[used + size] = '\0';
}

int problem_prefix (problem_t *problem, const char *format, ...)
{
    if (problem == NULL)
        return -1;
    problem_t whole;
    va_list arguments;
    va_start (arguments, format);
    int size = vsnprintf (whole.text, sizeof whole.text, format, arguments);
    va_end (arguments);
    assert (size >= 0);
    s_append (&whole, ": ");
    s_append (&whole, problem->text);
    *problem = whole;
    return -1;
}
