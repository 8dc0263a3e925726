/* SPDX-License-Identifier: MPL-2.0 */
/* Error codes, each declared once with its text (error.def), and problems: errors told to people. */
#ifndef EVOMESH_PROTOCOL_ERROR_H
#define EVOMESH_PROTOCOL_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

/* Functions that can fail return 0 or one of these, which are negative. */
typedef enum {
    ERROR_NONE = 0,
#define ERROR_CODE(NAME, number, name, text) ERROR_##NAME = -(number),
#include "protocol/error.def"
#undef ERROR_CODE
} error_code_t;

/* The text of a code, e.g. "signature does not hold"; "unknown error" for a number that is none. */
const char *error_text (int code);

/* The name of a code as it travels and is logged, e.g. "signature"; "unknown" for a number that is none. */
const char *error_name (int code);

#define PROBLEM_TEXT_MAX 1024

/* What was wrong, for a person: where (file, line, field), what was found, what was expected. */
typedef struct {
    char text[PROBLEM_TEXT_MAX];
} problem_t;

/* Writes the problem's text (cut at its bound). `problem` may be NULL. Always returns -1, so that a
 * function can end with `return problem_set (…)`. */
int problem_set (problem_t *problem, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

/* Puts "prefix: " in front of the text that is there; for callers that know the file. Returns -1. */
int problem_prefix (problem_t *problem, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

#endif
