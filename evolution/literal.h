/* SPDX-License-Identifier: MPL-2.0 */
/* Literals that an agent's author marked for tuning, in any language, by a comment on the same line:
 *
 *   double weight = 0.5;          // evolve: 0..1
 *   static int block = 16;        # evolve: 4..256 log
 *   const char *mode = "fast";    -- evolve: "fast" | "small" | "exact"
 *   double table[] = {            // evolve: -1..1 all        (every number up to the closing bracket)
 *
 * A comment starts with two slashes, slash and star, #, --, ; or %, and `evolve:` is the first thing in it; a remark may
 * follow in parentheses or behind a comma. The number nearest before the comment is meant; or nearest of the
 * choices (strings, words, numbers); or with `all` each number of the list whose bracket was opened before the comment on its
 * line and not closed, or failing that of the last list on that line, or on the next line. Numbers are decimal; those in hex,
 * octal or with digit separators are refused. A suffix (0.5f, 10u, 20s) stays as it is. A number without point or exponent
 * stays whole unless a bound has one. No choice stands there twice. What stands in a comment of several lines, or in code that
 * is commented out, is not meant. */
#ifndef EVOMESH_EVOLUTION_LITERAL_H
#define EVOMESH_EVOLUTION_LITERAL_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/error.h"
#include "protocol/limits.h"

#define LITERALS_MAX        1024
#define LITERAL_CHOICES_MAX 16
#define LITERAL_TEXT_BYTES  32 /* room for a number's text */

typedef enum { LITERAL_INTEGER, LITERAL_REAL, LITERAL_CHOICE } literal_kind_t;

typedef struct {
    literal_kind_t kind;
    size_t offset; /* of the literal's text in the file */
    size_t length;
    unsigned line; /* from 1 */
    double value;  /* INTEGER, REAL */
    double minimum;
    double maximum;
    bool logarithmic;
    size_t choice; /* CHOICE: index of the current one */
    size_t choice_count;
    struct {
        size_t offset; /* of the choice's text, quotes included, in the file's annotation */
        size_t length;
    } choices[LITERAL_CHOICES_MAX];
} literal_t;

typedef struct {
    literal_t *items;
    size_t count;
} literals_t;

/* Finds the marked literals of a file, in the order of the text. An annotation that can't be understood is a problem that names
 * the line, what was found and what is expected. Returns 0, ERROR_INPUT, ERROR_BOUND or ERROR_MEMORY, with `literals` left
 * empty; literals_clear frees. `text` needs no terminator; the literals don't borrow it. */
int literals_scan (const char *text, size_t size, literals_t *literals, problem_t *problem);
/* The same, but annotations that can't be understood are passed over: a candidate may come from anywhere. Returns 0, ERROR_BOUND or
 * ERROR_MEMORY. */
int literals_scan_some (const char *text, size_t size, literals_t *literals, problem_t *problem);
void literals_clear (literals_t *self);

/* True if `value` (a number, or the index of a choice) is what the literal has now. */
bool literal_same (const literal_t *literal, double value);

/* The value that the literal will have when it is set to `value`: clamped to its range, whole numbers rounded, real ones to
 * the digits that are printed (at least 6). */
double literal_rounded (const literal_t *literal, double value);

/* Writes the text of a number set to `value`, as literals_apply would; not for choices (asserted). `text` is the file.
 * Returns its length. */
size_t literal_print (const char *text, const literal_t *literal, double value, char out[LITERAL_TEXT_BYTES]);

/* The file with literal i set to `values[i]`, malloc'ed, NUL-terminated; `*new_size` its size; NULL if out of memory. An
 * unchanged value keeps its text to the byte. */
char *literals_apply (const char *text, size_t size, const literals_t *literals, const double *values,
                      size_t *new_size);

#endif
