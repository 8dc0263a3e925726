/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/tokens.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "evolution/lexer.h"

typedef enum { LANGUAGE_OTHER, LANGUAGE_C, LANGUAGE_PYTHON } language_t;

static language_t s_language (const char *path)
{
    assert (path != NULL);
    static const char *const endings[] = {".c", ".h", ".cc", ".hh", ".cpp", ".hpp", ".cxx", ".java", ".cs"};
    const char *name = strrchr (path, '/'), *ending = strrchr (name ? name : path, '.');
    if (!ending)
        return LANGUAGE_OTHER;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (strcmp (ending, endings[i]) == 0)
            return LANGUAGE_C;
    return strcmp (ending, ".py") == 0 ? LANGUAGE_PYTHON : LANGUAGE_OTHER;
}

static bool s_blank (char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static bool s_has (const char *text, size_t size, const char *what)
{
    size_t length = strlen (what);
    for (size_t at = 0; at + length <= size; at++)
        if (memcmp (text + at, what, length) == 0)
            return true;
    return false;
}

/* True if a line that starts with # holds another one: a macro that makes a string of its argument, spaces and all. */
static bool s_has_stringizing (const char *text, size_t size)
{
    for (size_t at = 0; at < size; at = lexer_line_end (text, at, size) + 1) {
        size_t end = lexer_line_end (text, at, size);
        while (at < end && s_blank (text[at]))
            at++;
        if (at < end && text[at] == '#' && memchr (text + at + 1, '#', end - at - 1))
            return true;
    }
    return false;
}

/* True if a quote, a comment, a space or a line may mean something else than they seem to. */
static bool s_is_odd (language_t language, const char *text, size_t size)
{
    static const char *const odd_c[] = {"\\\n", "\\\r", "R\"", "\"\"\"", "@\"", "$\"", "?\?/", "`"};
    static const char *const odd_python[] = {"\\\n", "\\\r", "\"\"\"", "'''"};
    const char *const *odd = language == LANGUAGE_C ? odd_c : odd_python;
    size_t count =
        language == LANGUAGE_C ? sizeof odd_c / sizeof *odd_c : sizeof odd_python / sizeof *odd_python;
    for (size_t i = 0; i < count; i++)
        if (s_has (text, size, odd[i]))
            return true;
    return memchr (text, '\0', size) || (language == LANGUAGE_C && s_has_stringizing (text, size));
}

typedef struct {
    buffer_t *out;
    bool indented;  /* spaces at the start of a line mean something */
    bool directive; /* this line is one of the preprocessor's: there a space tells f (x) from f(x) */
    bool space;     /* there was one, or a comment, before what comes next */
    char last;      /* written on this line; 0: nothing */
    size_t line;    /* where it starts */
} writer_t;

/* True for what a word, a number or a string is made of. */
static bool s_in_word (char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c & 0x80) ||
           strchr ("_.$\"'", c);
}

static void s_put (writer_t *self, const char *text, size_t from, size_t size)
{
    assert (size > 0 && from >= self->line);
    bool first = self->last == '\0', alike = !first && s_in_word (self->last) == s_in_word (text[from]);
    if (first && self->indented)
        buffer_append (self->out, text + self->line, from - self->line);
    else if (!first && self->space && (alike || self->directive))
        buffer_append (self->out, " ", 1);
    self->directive |= first && !self->indented && text[from] == '#';
    buffer_append (self->out, text + from, size);
    self->last = text[from + size - 1];
    self->space = false;
}

static void s_end_line (writer_t *self, size_t next)
{
    assert (next >= self->line);
    if (self->last != '\0')
        buffer_append (self->out, "\n", 1);
    self->last = '\0';
    self->directive = self->space = false;
    self->line = next;
}

/* If a comment of the language starts at `at`, the offset behind it; else 0. */
static size_t s_comment_end (language_t language, const char *text, size_t at, size_t size)
{
    comment_family_t family = COMMENT_NONE;
    size_t opener = lexer_comment (text, at, size, &family);
    if (opener == 0 || family != (language == LANGUAGE_C ? COMMENT_SLASH : COMMENT_HASH))
        return 0;
    if (language == LANGUAGE_PYTHON || text[at + 1] == '/')
        return lexer_line_end (text, at, size);
    size_t end = lexer_block_end (text, at + 2, size);
    return end + 2 <= size ? end + 2 : 0; /* one that never ends is none */
}

static void s_write (language_t language, const char *text, size_t size, buffer_t *out)
{
    writer_t writer = {.out = out, .indented = language == LANGUAGE_PYTHON};
    for (size_t at = 0; at < size;) {
        size_t string = lexer_string_end (text, at, size);
        size_t comment = string > 0 ? 0 : s_comment_end (language, text, at, size);
        assert ((string == 0 || string > at) && (comment == 0 || comment > at));
        if (string > 0) {
            s_put (&writer, text, at, string - at);
            at = string;
        } else if (comment > 0) {
            writer.space = true;
            at = comment;
        } else if (text[at] == '\n') {
            s_end_line (&writer, ++at);
        } else if (s_blank (text[at])) {
            writer.space = true;
            at++;
        } else {
            s_put (&writer, text, at, 1);
            at++;
        }
    }
    s_end_line (&writer, size);
}

void tokens_write (const char *path, const char *text, size_t size, buffer_t *out)
{
    language_t language = s_language (path);
    assert ((text != NULL || size == 0) && out != NULL);
    if (language == LANGUAGE_OTHER || s_is_odd (language, text, size))
        buffer_append (out, text, size);
    else
        s_write (language, text, size, out);
}
