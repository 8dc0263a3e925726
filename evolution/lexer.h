/* SPDX-License-Identifier: MPL-2.0 */
/* Just enough of a lexer to find numbers, strings and comments in the source of any language; for literal.c.
 *
 * Strings stand in " or ' on one line, with backslash escapes; a quote without a partner is nothing special. Numbers are
 * decimal; letters that follow are a suffix (0.5f, 10u, 20s) that is not part of the token. What looks like a number but
 * isn't such a one (0x1F, 010, 1_000, 1.2.3) is odd. Comments are those of one family. */
#ifndef EVOMESH_EVOLUTION_LEXER_H
#define EVOMESH_EVOLUTION_LEXER_H

#include "evolution/decimal.h"

/* Families of comments, by what they start with. */
typedef enum {
    COMMENT_NONE,      /* none is one */
    COMMENT_SLASH,     /* two slashes, or slash and star */
    COMMENT_HASH,      /* # */
    COMMENT_DASH,      /* -- */
    COMMENT_SEMICOLON, /* ; */
    COMMENT_PERCENT    /* % */
} comment_family_t;

typedef enum {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_NUMBER,
    TOKEN_ODD,
    TOKEN_STRING,
    TOKEN_COMMENT,
    TOKEN_RANGE, /* .. */
    TOKEN_OTHER  /* one character of any other kind */
} token_kind_t;

typedef struct {
    token_kind_t kind;
    size_t offset; /* in the text */
    size_t length;
    double value; /* NUMBER, with its sign if it has one of its own */
    bool real;    /* NUMBER: written with a point or an exponent */
} token_t;

typedef struct {
    const char *text; /* borrowed */
    size_t at;
    size_t end;
    comment_family_t family;
    bool operand; /* what came last can be subtracted from: then a minus is not a sign */
} lexer_t;

/* Reads tokens in [at, end) of `text`. */
void lexer_init (lexer_t *self, const char *text, size_t at, size_t end, comment_family_t family);

/* The next token; TOKEN_END at the end. A comment runs to its end of line, or to its star and slash. */
token_t lexer_next (lexer_t *self);

/* If a string starts at `at` and is closed on its line before `end`: the offset behind it; else 0. */
size_t lexer_string_end (const char *text, size_t at, size_t end);

/* If a comment of any family starts at `at`: its opener's length, else 0. */
size_t lexer_comment (const char *text, size_t at, size_t end, comment_family_t *family);

/* The end of the line that holds `at`: the offset of its line feed, or `end`. */
size_t lexer_line_end (const char *text, size_t at, size_t end);

/* The offset of "*" "/" at or behind `at`, or `end`. */
size_t lexer_block_end (const char *text, size_t at, size_t end);

#endif
