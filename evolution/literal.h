/* SPDX-License-Identifier: MPL-2.0 */
/* Literals that an agent's author marked for tuning, in any language, by a comment on the same line:
 *
 *   double weight = 0.5;          // evolve: 0..1
 *   static int block = 16;        # evolve: 4..256 log
 *   const char *mode = "fast";    -- evolve: "fast" | "small" | "exact"
 *   double table[] = {            // evolve: -1..1 all        (every number up to the closing bracket)
 *
 * The number or string literal nearest before the comment is meant, or with `all` each number of the following bracketed
 * list. */
#ifndef EVOMESH_EVOLUTION_LITERAL_H
#define EVOMESH_EVOLUTION_LITERAL_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/error.h"
#include "protocol/limits.h"

#define LITERALS_MAX 1024
#define LITERAL_CHOICES_MAX 16

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
    size_t choice;       /* CHOICE: index of the current one */
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

/* Finds the marked literals of a file. An annotation that can't be understood is a problem that names the line, what was
 * found and what is expected. Returns 0 or a negative error; literals_clear frees. */
int literals_scan (const char *text, size_t size, literals_t *literals, problem_t *problem);
void literals_clear (literals_t *self);

/* The file with literal i set to `values[i]` (a number, or the index of a choice), malloc'ed, NUL-terminated; `*new_size`
 * its size. Values are clamped to their range; integers are rounded. An unchanged value keeps its text to the byte. */
char *literals_apply (const char *text, size_t size, const literals_t *literals, const double *values,
                      size_t *new_size);

#endif
