/* SPDX-License-Identifier: MPL-2.0 */
/* One annotation of a literal, "evolve: 0..1": where its comment begins and what it says (literal.h has the language); for literal.c. */
#ifndef EVOMESH_EVOLUTION_ANNOTATION_H
#define EVOMESH_EVOLUTION_ANNOTATION_H

#include "evolution/lexer.h"
#include "evolution/literal.h"

#define ANNOTATION_MARKER      "evolve:"
#define ANNOTATION_FOUND_MAX   40     /* characters of what was found, in a problem */
#define ANNOTATION_INTEGER_MAX 0x1p53 /* a double holds every whole number up to it */

/* Those above `range` are filled in by whoever found it. */
typedef struct {
    const char *text; /* of the file; borrowed */
    unsigned line;
    comment_family_t family;
    size_t start; /* of the comment */
    size_t end;   /* of what it says */
    bool range;   /* else choices */
    bool real;    /* a bound is written with a point or an exponent */
    bool all;
    literal_t literal; /* range and choices filled in */
} annotation_t;

/* If an annotation's comment starts at `at`: the offset behind the marker, else 0. */
size_t annotation_at (const char *text, size_t at, size_t end, comment_family_t *family);

/* Reads what stands at `at`, behind the marker. 0, or ERROR_INPUT with the problem. */
int annotation_read (annotation_t *self, size_t at, problem_t *problem);

/* The choice that has the token's text, or choice_count. */
size_t annotation_choice (const annotation_t *self, const token_t *token);

/* Is it one of the characters of `set`; is it a space, but no end of line? */
bool annotation_one_of (char c, const char *set);
bool annotation_blank (char c);

#endif
