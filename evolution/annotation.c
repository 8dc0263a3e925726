/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/annotation.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Of a range's ends, at least: their logarithms differ by more than rounding. */
#define LOG_RATIO 1.000000000001
#define EXPECTED                                                                      \
    "expected a range (evolve: 0..1), then \"log\" or \"all\" if wanted, or choices " \
    "(evolve: \"a\" | \"b\"); a remark may follow in parentheses or behind a comma"

bool annotation_one_of (char c, const char *set)
{
    return c != '\0' && strchr (set, c) != NULL;
}

bool annotation_blank (char c)
{
    return annotation_one_of (c, " \t\r\f\v");
}

size_t annotation_at (const char *text, size_t at, size_t end, comment_family_t *family)
{
    assert (text != NULL && family != NULL && at <= end);
    size_t next = lexer_comment (text, at, end, family);
    if (next == 0)
        return 0;
    char last = text[at + next - 1];
    for (next += at; next < end && (text[next] == last || text[next] == '!'); next++)
        ; /* /// and ## and //! are comments as well */
    while (next < end && (text[next] == ' ' || text[next] == '\t'))
        next++;
    size_t length = strlen (ANNOTATION_MARKER);
    return end - next >= length && memcmp (text + next, ANNOTATION_MARKER, length) == 0 ? next + length : 0;
}

/* Tells what was found at `at` where something else was expected. */
static int s_unexpected (const annotation_t *self, size_t at, const char *expected, problem_t *problem)
{
    size_t length = self->end > at ? self->end - at : 0;
    while (length > 0 && annotation_blank (self->text[at + length - 1]))
        length--;
    if (length == 0)
        problem_set (problem, "line %u: nothing more behind \"%s\"; %s", self->line, ANNOTATION_MARKER,
                     expected);
    else
        problem_set (problem, "line %u: found \"%.*s\" behind \"%s\"; %s", self->line,
                     (int)(length < ANNOTATION_FOUND_MAX ? length : ANNOTATION_FOUND_MAX), self->text + at,
                     ANNOTATION_MARKER, expected);
    return ERROR_INPUT;
}

/* True at the end of an annotation, or where a remark begins. */
static bool s_over (const annotation_t *self, const token_t *token)
{
    return token->kind == TOKEN_END ||
           (token->kind == TOKEN_OTHER && annotation_one_of (self->text[token->offset], "(,"));
}

static bool s_is (const annotation_t *self, const token_t *token, const char *text)
{
    return token->length == strlen (text) && memcmp (self->text + token->offset, text, token->length) == 0;
}

/* MINIMUM .. MAXIMUM [log] [all]; `first` is the minimum and the dots are read already. */
static int s_parse_range (lexer_t *lexer, const token_t *first, annotation_t *self, problem_t *problem)
{
    token_t last = lexer_next (lexer);
    if (last.kind != TOKEN_NUMBER)
        return s_unexpected (self, last.offset, EXPECTED, problem);
    literal_t *literal = &self->literal;
    literal->minimum = first->value;
    literal->maximum = last.value;
    self->range = true;
    self->real = first->real || last.real;
    if (!(first->value < last.value) || !isfinite (last.value - first->value))
        return s_unexpected (self, first->offset, "expected the lower end first, and an upper end above it",
                             problem);
    if (!self->real && !(first->value >= -ANNOTATION_INTEGER_MAX && last.value <= ANNOTATION_INTEGER_MAX))
        return s_unexpected (self, first->offset, "expected whole numbers below 2^53, or a point in them",
                             problem);
    token_t token = lexer_next (lexer);
    for (; token.kind == TOKEN_WORD; token = lexer_next (lexer)) {
        if (s_is (self, &token, "log"))
            literal->logarithmic = true;
        else if (s_is (self, &token, "all"))
            self->all = true;
        else
            break;
    }
    if (!s_over (self, &token))
        return s_unexpected (self, token.offset, EXPECTED, problem);
    if (literal->logarithmic && !(literal->minimum > 0))
        return s_unexpected (self, first->offset, "expected a range above 0, since it is \"log\"", problem);
    if (literal->logarithmic && !(literal->maximum / literal->minimum > LOG_RATIO))
        return s_unexpected (self, first->offset, "expected ends that are further apart, since it is \"log\"",
                             problem);
    return 0;
}

size_t annotation_choice (const annotation_t *self, const token_t *token)
{
    assert (self != NULL && token != NULL);
    const literal_t *literal = &self->literal;
    size_t choice = 0;
    while (choice < literal->choice_count && (literal->choices[choice].length != token->length ||
                                              memcmp (self->text + literal->choices[choice].offset,
                                                      self->text + token->offset, token->length) != 0))
        choice++;
    return choice;
}

/* CHOICE | CHOICE …; `token` is the first one, `next` what follows it. */
static int s_parse_choices (lexer_t *lexer, token_t token, token_t next, annotation_t *self,
                            problem_t *problem)
{
    literal_t *literal = &self->literal;
    literal->kind = LITERAL_CHOICE;
    for (;;) {
        if (token.kind != TOKEN_STRING && token.kind != TOKEN_WORD && token.kind != TOKEN_NUMBER)
            return s_unexpected (self, token.offset, EXPECTED, problem);
        if (literal->choice_count == LITERAL_CHOICES_MAX)
            return s_unexpected (self, token.offset, "expected at most 16 choices", problem);
        if (annotation_choice (self, &token) < literal->choice_count)
            return s_unexpected (self, token.offset, "expected each choice once", problem);
        literal->choices[literal->choice_count].offset = token.offset;
        literal->choices[literal->choice_count].length = token.length;
        literal->choice_count++;
        if (next.kind != TOKEN_OTHER || self->text[next.offset] != '|')
            break;
        token = lexer_next (lexer);
        next = lexer_next (lexer);
    }
    if (literal->choice_count < 2 || !s_over (self, &next))
        return s_unexpected (self, literal->choice_count < 2 ? token.offset : next.offset, EXPECTED, problem);
    assert (literal->choice_count <= LITERAL_CHOICES_MAX);
    return 0;
}

int annotation_read (annotation_t *self, size_t at, problem_t *problem)
{
    assert (self != NULL && self->start < at && at <= self->end);
    lexer_t lexer;
    lexer_init (&lexer, self->text, at, self->end, COMMENT_NONE);
    token_t first = lexer_next (&lexer);
    token_t next = lexer_next (&lexer);
    if (first.kind == TOKEN_NUMBER && next.kind == TOKEN_RANGE)
        return s_parse_range (&lexer, &first, self, problem);
    return s_parse_choices (&lexer, first, next, self, problem);
}
