/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/lexer.h"

#include <assert.h>
#include <string.h>

static bool s_digit (char c)
{
    return c >= '0' && c <= '9';
}

/* What a word starts with; bytes of UTF-8 beyond ASCII too. */
static bool s_letter (char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || (c & 0x80) != 0;
}

static bool s_blank (char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}

void lexer_init (lexer_t *self, const char *text, size_t at, size_t end, comment_family_t family)
{
    assert (at <= end);
    *self = (lexer_t){.text = text, .at = at, .end = end, .family = family};
}

size_t lexer_line_end (const char *text, size_t at, size_t end)
{
    assert (text || at >= end);
    const char *feed = at < end ? memchr (text + at, '\n', end - at) : NULL;
    return feed != NULL ? (size_t)(feed - text) : end;
}

size_t lexer_block_end (const char *text, size_t at, size_t end)
{
    assert (text || at >= end);
    for (; at + 1 < end; at++)
        if (text[at] == '*' && text[at + 1] == '/')
            return at;
    return end;
}

size_t lexer_string_end (const char *text, size_t at, size_t end)
{
    assert (text && at < end);
    char quote = text[at];
    if (quote != '"' && quote != '\'')
        return 0;
    if (quote == '\'' && at > 0 && (s_letter (text[at - 1]) || s_digit (text[at - 1])))
        return 0; /* an apostrophe, or a separator of digits */
    for (at++; at < end && text[at] != '\n'; at++) {
        if (text[at] == quote)
            return at + 1;
        if (text[at] == '\\')
            at++;
    }
    return 0;
}

size_t lexer_comment (const char *text, size_t at, size_t end, comment_family_t *family)
{
    assert (text && at < end && family);
    char next = at + 1 < end ? text[at + 1] : '\0';
    *family = COMMENT_NONE;
    switch (text[at]) {
    case '#': *family = COMMENT_HASH; return 1;
    case ';': *family = COMMENT_SEMICOLON; return 1;
    case '%': *family = COMMENT_PERCENT; return 1;
    case '-':
        if (next != '-')
            return 0;
        *family = COMMENT_DASH;
        return 2;
    case '/':
        if (next != '/' && next != '*')
            return 0;
        *family = COMMENT_SLASH;
        return 2;
    default: return 0;
    }
}

/* Behind the comment that starts at `at`. */
static size_t s_comment_end (const lexer_t *self, size_t at)
{
    if (self->family != COMMENT_SLASH || self->text[at + 1] == '/')
        return lexer_line_end (self->text, at, self->end);
    size_t end = lexer_block_end (self->text, at + 2, self->end);
    return end < self->end ? end + 2 : end;
}

/* Behind the letters, digits and underscores that start at `at`. */
static size_t s_word_end (const lexer_t *self, size_t at)
{
    while (at < self->end && (s_letter (self->text[at]) || s_digit (self->text[at])))
        at++;
    return at;
}

/* True if a number starts at `at`: a digit, or a point and a digit. */
static bool s_number_at (const lexer_t *self, size_t at)
{
    if (at < self->end && s_digit (self->text[at]))
        return true;
    return at + 1 < self->end && self->text[at] == '.' && s_digit (self->text[at + 1]);
}

/* True if the minus at `at` is a number's sign. In Lisp and assembly, words are no operands: (f -1). */
static bool s_sign (const lexer_t *self, size_t at)
{
    if (self->text[at] != '-' || !s_number_at (self, at + 1))
        return false;
    return !self->operand || (self->family == COMMENT_SEMICOLON && at > 0 && s_blank (self->text[at - 1]));
}

/* True if the number at `at` with that length isn't a decimal one, or is more than a number. */
static bool s_odd (const lexer_t *self, size_t at, const decimal_t *number)
{
    const char *text = self->text;
    size_t next = at + number->length;
    bool more = next < self->end;
    if (text[at] == '0' && !number->real && number->length > 1)
        return true; /* octal in some languages, decimal in others */
    if (more && text[at] == '0' && number->length == 1 && strchr ("xXbBoO", text[next]) != NULL &&
        text[next] != '\0')
        return true;
    if (more && text[next] == '_')
        return true;
    return next + 1 < self->end && (text[next] == '.' || text[next] == '\'') && s_digit (text[next + 1]);
}

static token_t s_number (lexer_t *self, size_t at)
{
    size_t start = self->text[at] == '-' ? at + 1 : at;
    decimal_t number;
    bool found = decimal_scan (self->text + start, self->end - start, &number);
    assert (found);
    token_t token = {.kind = TOKEN_NUMBER, .offset = at, .real = number.real};
    token.value = start > at ? -number.value : number.value;
    self->at = start + number.length;
    token.length = self->at - at;
    if (s_odd (self, start, &number)) {
        token.kind = TOKEN_ODD;
        while (self->at < self->end && (s_letter (self->text[self->at]) || s_digit (self->text[self->at]) ||
                                        strchr (".'", self->text[self->at]) != NULL))
            self->at++;
        token.length = self->at - at;
    }
    self->at = s_word_end (self, self->at); /* the suffix */
    self->operand = true;
    return token;
}

/* True if that word may stand before a signed number. */
static bool s_keyword (const char *word, size_t length)
{
    static const char *const words[] = {"return", "case", "in",   "and",  "or",
                                        "not",    "if",   "else", "then", "yield"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen (words[i]) == length && memcmp (words[i], word, length) == 0)
            return true;
    return false;
}

static token_t s_take (lexer_t *self, token_kind_t kind, size_t end, bool operand)
{
    assert (end > self->at && end <= self->end);
    token_t token = {.kind = kind, .offset = self->at, .length = end - self->at};
    self->at = end;
    self->operand = operand;
    return token;
}

/* True if a point and digits at `at` are a member's name: a.5, where "a .5" would be two operands. */
static bool s_member (const lexer_t *self, size_t at)
{
    return self->operand && at > 0 && !s_blank (self->text[at - 1]);
}

/* A point that belongs to no number: of a range, of a member, or alone. */
static token_t s_point (lexer_t *self)
{
    size_t at = self->at;
    if (at + 1 < self->end && self->text[at + 1] == '.')
        return s_take (self, TOKEN_RANGE, at + 2, false);
    if (s_number_at (self, at))
        return s_take (self, TOKEN_OTHER, s_word_end (self, at + 1), true);
    return s_take (self, TOKEN_OTHER, at + 1, false);
}

token_t lexer_next (lexer_t *self)
{
    assert (self && self->at <= self->end);
    const char *text = self->text;
    while (self->at < self->end && s_blank (text[self->at]))
        self->at++;
    size_t at = self->at;
    if (at >= self->end)
        return (token_t){.kind = TOKEN_END, .offset = self->end};
    comment_family_t family;
    if (lexer_comment (text, at, self->end, &family) > 0 && family == self->family)
        return s_take (self, TOKEN_COMMENT, s_comment_end (self, at), self->operand);
    size_t end = lexer_string_end (text, at, self->end);
    if (end > 0)
        return s_take (self, TOKEN_STRING, end, true);
    if (s_digit (text[at]) || s_sign (self, at) || (s_number_at (self, at) && !s_member (self, at)))
        return s_number (self, at);
    if (text[at] == '.')
        return s_point (self);
    if (s_letter (text[at])) {
        end = s_word_end (self, at);
        return s_take (self, TOKEN_WORD, end, !s_keyword (text + at, end - at));
    }
    return s_take (self, TOKEN_OTHER, at + 1, text[at] == ')' || text[at] == ']' || text[at] == '}');
}
