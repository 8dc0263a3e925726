/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/literal.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evolution/annotation.h"

#define NESTING_MAX 64 /* open brackets that are kept track of in a line */

typedef struct {
    const char *text;
    size_t size;
    size_t at;
    size_t segment; /* where the code that an annotation on this line speaks of begins */
    unsigned line;
    bool no_block; /* no comment of several lines ends behind here */
    literals_t *literals;
    problem_t *problem;
} scanner_t;

/* Takes up a literal; the array doubles as it fills. */
static int s_add (const scanner_t *self, const literal_t *literal)
{
    assert (literal->line > 0 && literal->length > 0);
    assert (literal->offset + literal->length <= self->size);
    literals_t *literals = self->literals;
    if (literals->count == LITERALS_MAX) {
        problem_set (self->problem, "line %u: found more than %d literals, expected at most so many",
                     literal->line, LITERALS_MAX);
        return ERROR_BOUND;
    }
    if ((literals->count & (literals->count - 1)) == 0) {
        size_t capacity = literals->count > 0 ? 2 * literals->count : 1;
        literal_t *bigger = realloc (literals->items, capacity * sizeof *bigger);
        if (bigger == NULL)
            return ERROR_MEMORY;
        literals->items = bigger;
    }
    literals->items[literals->count++] = *literal;
    return 0;
}

/* Takes up the number in `token`, under the annotation's range. */
static int s_add_number (const scanner_t *self, const annotation_t *annotation, const token_t *token,
                         unsigned line)
{
    assert (annotation->range && (token->kind == TOKEN_NUMBER || token->kind == TOKEN_ODD));
    bool whole = !token->real && !annotation->real;
    if (token->kind == TOKEN_ODD || !isfinite (token->value) ||
        (whole && fabs (token->value) > ANNOTATION_INTEGER_MAX)) {
        problem_set (self->problem, "line %u: found \"%.*s\", expected a decimal number that can be tuned",
                     line, (int)(token->length < ANNOTATION_FOUND_MAX ? token->length : ANNOTATION_FOUND_MAX),
                     self->text + token->offset);
        return ERROR_INPUT;
    }
    literal_t literal = annotation->literal;
    literal.kind = whole ? LITERAL_INTEGER : LITERAL_REAL;
    literal.offset = token->offset;
    literal.length = token->length;
    literal.value = token->value;
    literal.line = line;
    return s_add (self, &literal);
}

/* The literal nearest before the comment, on its line. */
static int s_add_nearest (const scanner_t *self, const annotation_t *annotation)
{
    assert (self->segment <= annotation->start && !annotation->all);
    lexer_t lexer;
    lexer_init (&lexer, self->text, self->segment, annotation->start, annotation->family);
    token_t nearest = {.kind = TOKEN_END};
    bool commented = false; /* a line that is a comment as a whole: code that was put out of use */
    literal_t literal = annotation->literal;
    for (token_t token = lexer_next (&lexer); token.kind != TOKEN_END; token = lexer_next (&lexer)) {
        bool number = token.kind == TOKEN_NUMBER || token.kind == TOKEN_ODD;
        commented |= token.kind == TOKEN_COMMENT;
        if (annotation->range ? number : annotation_choice (annotation, &token) < literal.choice_count)
            nearest = token;
    }
    if (nearest.kind == TOKEN_END) {
        if (commented)
            return 0;
        problem_set (self->problem,
                     "line %u: \"%s\" stands behind nothing that it could mean; expected %s before it",
                     self->line, ANNOTATION_MARKER, annotation->range ? "a number" : "one of its choices");
        return ERROR_INPUT;
    }
    if (annotation->range)
        return s_add_number (self, annotation, &nearest, self->line);
    literal.choice = annotation_choice (annotation, &nearest);
    assert (literal.choice < literal.choice_count);
    literal.offset = nearest.offset;
    literal.length = nearest.length;
    literal.line = self->line;
    return s_add (self, &literal);
}

/* The bracket that opens the list meant in [at, end): the last one that stays open, or rather the first of those that stand
 * directly before it; if none stays open the last one outside of others. Returns its offset, or `end` if there is none. */
static size_t s_bracket (const scanner_t *self, size_t at, size_t end, comment_family_t family)
{
    assert (at <= end && end <= self->size);
    size_t open[NESTING_MAX], depth = 0, closed = end, before = 0;
    bool adjacent[NESTING_MAX] = {false};
    lexer_t lexer;
    lexer_init (&lexer, self->text, at, end, family);
    for (token_t token = lexer_next (&lexer); token.kind != TOKEN_END; token = lexer_next (&lexer)) {
        char c = token.kind == TOKEN_OTHER ? self->text[token.offset] : ' ';
        if (annotation_one_of (c, "([{") && depth < NESTING_MAX) {
            adjacent[depth] = depth > 0 && before == open[depth - 1];
            open[depth++] = token.offset;
        } else if (annotation_one_of (c, ")]}") && depth > 0) {
            if (--depth == 0)
                closed = open[0];
        }
        before = token.offset;
    }
    if (depth == 0)
        return closed;
    for (depth--; adjacent[depth]; depth--)
        ;
    return open[depth];
}

/* The list's bracket: on the annotation's line before it, else on the next line that isn't blank. */
static size_t s_list (const scanner_t *self, const annotation_t *annotation)
{
    size_t bracket = s_bracket (self, self->segment, annotation->start, annotation->family);
    if (bracket < annotation->start)
        return bracket;
    size_t end = lexer_line_end (self->text, annotation->end, self->size);
    while (end < self->size) {
        size_t begin = end + 1;
        end = lexer_line_end (self->text, begin, self->size);
        while (begin < end && annotation_blank (self->text[begin]))
            begin++;
        if (begin < end) {
            bracket = s_bracket (self, begin, end, annotation->family);
            return bracket < end ? bracket : self->size;
        }
    }
    return self->size;
}

static unsigned s_lines (const char *text, size_t from, size_t to)
{
    assert (from <= to);
    unsigned lines = 0;
    for (size_t at = from; at < to; at++)
        lines += text[at] == '\n';
    return lines;
}

/* True for the 3 of "[3] =": a place in the list, not a value. */
static bool s_designator (const scanner_t *self, const token_t *token)
{
    assert (token->offset + token->length <= self->size);
    size_t before = token->offset, after = token->offset + token->length;
    while (before > 0 && annotation_blank (self->text[before - 1]))
        before--;
    while (after < self->size && annotation_blank (self->text[after]))
        after++;
    if (before == 0 || self->text[before - 1] != '[' || after == self->size || self->text[after] != ']')
        return false;
    for (after++; after < self->size && annotation_blank (self->text[after]);)
        after++;
    return after < self->size && self->text[after] == '=';
}

static int s_list_problem (const scanner_t *self, unsigned line, const char *text)
{
    problem_set (self->problem, "line %u: %s", line, text);
    return ERROR_INPUT;
}

/* Every number of the list, up to the bracket that closes it; the scan goes on behind it. */
static int s_add_all (scanner_t *self, const annotation_t *annotation)
{
    assert (annotation->range && annotation->all);
    size_t bracket = s_list (self, annotation), counted = self->segment;
    unsigned line = self->line, depth = 1;
    if (bracket == self->size)
        return s_list_problem (self, line, "found no list for \"all\", expected one in brackets");
    lexer_t lexer;
    lexer_init (&lexer, self->text, bracket + 1, self->size, annotation->family);
    while (depth > 0) {
        token_t token = lexer_next (&lexer);
        if (token.kind == TOKEN_END)
            return s_list_problem (self, self->line,
                                   "found no end of the list, expected its closing bracket");
        line += s_lines (self->text, counted, token.offset);
        counted = token.offset;
        char c = token.kind == TOKEN_OTHER ? self->text[token.offset] : ' ';
        depth += annotation_one_of (c, "([{");
        depth -= annotation_one_of (c, ")]}");
        int error = 0;
        comment_family_t family;
        if (token.kind == TOKEN_COMMENT && token.offset != annotation->start &&
            annotation_at (self->text, token.offset, self->size, &family) > 0)
            error =
                s_list_problem (self, line, "found a mark, expected none inside of a list marked \"all\"");
        else if ((token.kind == TOKEN_NUMBER || token.kind == TOKEN_ODD) && !s_designator (self, &token))
            error = s_add_number (self, annotation, &token, line);
        if (error != 0)
            return error;
    }
    if (lexer.at > self->at) {
        self->at = lexer.at;
        self->line = line;
    }
    return 0;
}

/* Reads the annotation whose marker ends at `behind`, and takes up what it marks. */
static int s_annotation (scanner_t *self, comment_family_t family, size_t behind)
{
    assert (self->at < behind && behind <= self->size);
    annotation_t annotation = {.text = self->text, .line = self->line, .family = family, .start = self->at};
    size_t line_end = lexer_line_end (self->text, behind, self->size);
    bool block = family == COMMENT_SLASH && self->text[self->at + 1] == '*';
    annotation.end = block ? lexer_block_end (self->text, behind, line_end) : line_end;
    int error = annotation_read (&annotation, behind, self->problem);
    if (error != 0)
        return error;
    self->at = block && annotation.end < line_end ? annotation.end + 2 : line_end;
    error = annotation.all ? s_add_all (self, &annotation) : s_add_nearest (self, &annotation);
    assert (self->at > annotation.start && self->at <= self->size);
    self->segment = self->at;
    return error;
}

/* At the start of a line: skips a comment of several lines, in which examples may stand. */
static void s_skip_block (scanner_t *self)
{
    size_t at = self->at, line_end = lexer_line_end (self->text, at, self->size);
    comment_family_t family;
    while (at < line_end && annotation_blank (self->text[at]))
        at++;
    if (self->no_block || line_end - at < 2 || memcmp (self->text + at, "/*", 2) != 0)
        return;
    if (annotation_at (self->text, at, line_end, &family) > 0 ||
        lexer_block_end (self->text, at + 2, line_end) < line_end)
        return;
    size_t end = lexer_block_end (self->text, line_end, self->size);
    self->no_block = end == self->size;
    if (self->no_block)
        return; /* not a comment, in whatever language this is */
    self->line += s_lines (self->text, self->at, end);
    self->at = end + 2;
    self->segment = self->at;
}

static int s_scan (const char *text, size_t size, bool passes_over, literals_t *literals, problem_t *problem)
{
    assert ((text || size == 0) && literals);
    memset (literals, 0, sizeof *literals);
    scanner_t self = {.text = text, .size = size, .line = 1, .literals = literals, .problem = problem};
    int error = 0;
    s_skip_block (&self);
    while (self.at < size && error == 0) {
        comment_family_t family;
        size_t string = lexer_string_end (text, self.at, size);
        size_t marker = annotation_at (text, self.at, size, &family);
        if (marker > 0) {
            size_t start = self.at;
            error = s_annotation (&self, family, marker);
            if (error == ERROR_INPUT && passes_over) {
                error = 0;
                self.at = self.at > start ? self.at : marker;
            }
        } else if (string > 0) {
            self.at = string;
        } else if (text[self.at++] == '\n') {
            self.line++;
            self.segment = self.at;
            s_skip_block (&self);
        }
    }
    if (error == ERROR_MEMORY)
        problem_set (problem, "out of memory");
    if (error != 0)
        literals_clear (literals);
    return error;
}

int literals_scan (const char *text, size_t size, literals_t *literals, problem_t *problem)
{
    return s_scan (text, size, false, literals, problem);
}

int literals_scan_some (const char *text, size_t size, literals_t *literals, problem_t *problem)
{
    return s_scan (text, size, true, literals, problem);
}

void literals_clear (literals_t *self)
{
    assert (self);
    free (self->items);
    *self = (literals_t){0};
}
