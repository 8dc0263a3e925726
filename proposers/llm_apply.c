/* SPDX-License-Identifier: MPL-2.0 */
#include "proposers/llm_apply.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evolution/block.h"
#include "evolution/tree.h"
#include "proposers/llm_lines.h"

#define NEAREST_LINES_MAX 12 /* shown of the most similar lines */
#define OUT_OF_MEMORY     "out of memory\n"

/* --- what the model is told --- */

typedef struct {
    char *text;
    size_t size;
} report_t;

__attribute__ ((format (printf, 2, 3))) static int s_tell (report_t *report, const char *format, ...)
{
    assert (report->size < LLM_REPORT_BYTES);
    va_list arguments;
    va_start (arguments, format);
    int length = vsnprintf (report->text + report->size, LLM_REPORT_BYTES - report->size, format, arguments);
    va_end (arguments);
    report->size += (size_t)(length > 0 ? length : 0);
    if (report->size >= LLM_REPORT_BYTES)
        report->size = LLM_REPORT_BYTES - 1;
    return -1;
}

static void s_tell_nearest (report_t *report, const llm_lines_t *whole, const llm_lines_t *part)
{
    size_t at;
    if (!llm_lines_nearest (whole, part, &at))
        return;
    assert (at < whole->count);
    s_tell (report, "The most similar lines there are, from line %zu on:\n", at + 1);
    for (size_t i = at; i < whole->count && i < at + part->count && i < at + NEAREST_LINES_MAX; i++)
        s_tell (report, "%.*s", (int)whole->items[i].size, whole->items[i].data);
    s_tell (report, "\n");
}

/* --- which file --- */

static text_t s_strip_markup (text_t word)
{
    static const char markup[] = "`*#\"'(),:;";
    while (word.size > 0 && strchr (markup, word.data[0]) != NULL) {
        word.data++;
        word.size--;
    }
    while (word.size > 0 && strchr (markup, word.data[word.size - 1]) != NULL)
        word.size--;
    return word;
}

static text_t s_next_word (text_t *rest)
{
    *rest = llm_trim (*rest);
    size_t size = 0;
    while (size < rest->size && rest->data[size] != ' ' && rest->data[size] != '\t')
        size++;
    assert (rest->size == 0 || size > 0);
    text_t word = {rest->data, size};
    rest->data += size;
    rest->size -= size;
    return s_strip_markup (word);
}

/* The file that a word of the heading names; `unknown` gets a word that looks like a path and is none of ours. */
static llm_file_t *s_named (llm_file_t *files, size_t count, text_t heading, text_t *unknown)
{
    size_t words = 0;
    *unknown = (text_t){0};
    while ((heading = llm_trim (heading)).size > 0) {
        text_t word = s_next_word (&heading);
        for (size_t i = 0; i < count; i++)
            if (text_equal (word, files[i].path))
                return &files[i];
        words += word.size > 0;
        if (word.size > 0 && (memchr (word.data, '.', word.size) || memchr (word.data, '/', word.size)))
            *unknown = word;
    }
    if (words != 1) /* prose, which may speak of any file */
        *unknown = (text_t){0};
    return NULL;
}

static llm_file_t *s_choose (llm_file_t *files, size_t count, const llm_block_t *block, llm_file_t *before,
                             size_t number, report_t *report)
{
    assert (number > 0 && (before == NULL || (before >= files && before < files + count)));
    text_t unknown;
    llm_file_t *named = s_named (files, count, block->heading, &unknown);
    if (named != NULL)
        return named;
    if (unknown.size > 0) {
        s_tell (report, "Block %zu is for %.*s, which may not change. Files that may:", number,
                (int)(unknown.size < LIMIT_PATH ? unknown.size : LIMIT_PATH), unknown.data);
        for (size_t i = 0; i < count; i++)
            s_tell (report, " %s", files[i].path);
        s_tell (report, "\n");
        return NULL;
    }
    if (before == NULL && count == 1)
        return &files[0];
    if (before == NULL)
        s_tell (report, "Block %zu names no file: its path must stand on the line above it.\n", number);
    return before;
}

/* --- the change --- */

static bool s_starts_with (text_t text, text_t start)
{
    return text.size >= start.size && (start.size == 0 || memcmp (text.data, start.data, start.size) == 0);
}

/* A line of the replacement with the file's indentation and line end instead of the answer's. */
static void s_put_line (buffer_t *out, text_t line, text_t from, text_t to, bool carriage)
{
    text_t trimmed = llm_trim (line);
    if (trimmed.size > 0 && s_starts_with (line, from)) {
        buffer_append (out, to.data, to.size);
        line.data += from.size;
        line.size -= from.size;
    }
    while (line.size > 0 && (line.data[line.size - 1] == '\n' || line.data[line.size - 1] == '\r'))
        line.size--;
    buffer_append (out, line.data, line.size);
    buffer_append (out, carriage ? "\r\n" : "\n", carriage ? 2 : 1);
}

static bool s_ends_with (text_t line, const char *end)
{
    size_t size = strlen (end);
    return line.size >= size && memcmp (line.data + line.size - size, end, size) == 0;
}

/* Puts `replace` in the place of `count` lines from `at` on. */
static void s_replace (buffer_t *text, const llm_lines_t *whole, size_t at, const llm_lines_t *search,
                       const llm_lines_t *replace)
{
    assert (search->count > 0 && at + search->count <= whole->count);
    llm_lines_t matched = {whole->items + at, search->count};
    text_t last = matched.items[matched.count - 1];
    const char *begin = (const char *)text->data, *end = begin + text->size;
    assert (matched.items[0].data >= begin && last.data + last.size <= end);
    buffer_t out = {0};
    buffer_append (&out, begin, (size_t)(matched.items[0].data - begin));
    for (size_t i = 0; i < replace->count; i++)
        s_put_line (&out, replace->items[i], llm_lines_indent (search), llm_lines_indent (&matched),
                    s_ends_with (matched.items[0], "\r\n"));
    if (!s_ends_with (last, "\n") && out.size > 0 && out.data[out.size - 1] == '\n')
        out.size--; /* the file's last line has no end, and keeps none */
    buffer_append (&out, last.data + last.size, (size_t)(end - last.data) - last.size);
    buffer_clear (text);
    *text = out;
}

/* Finds the lines of SEARCH and replaces them. */
static int s_change (llm_file_t *file, const llm_lines_t *whole, const llm_lines_t *search,
                     const llm_lines_t *replace, size_t number, report_t *report)
{
    assert (search->count > 0 && number > 0);
    size_t at = 0, found = llm_lines_find (whole, search, LLM_EXACT, &at);
    llm_lines_t tight = llm_lines_trim (search), fresh = *replace;
    if (tight.count == 0)
        return s_tell (report, "Block %zu has only blank lines in SEARCH.\n", number);
    if (found == 0) { /* blank lines around it are white space, too */
        found = llm_lines_find (whole, &tight, LLM_TOLERANT, &at);
        fresh = llm_lines_trim (replace);
        search = &tight;
    }
    if (found == 0) {
        s_tell (report, "Block %zu: its SEARCH lines don't stand in %s.\n", number, file->path);
        s_tell_nearest (report, whole, &tight);
        return -1;
    }
    if (found > 1)
        return s_tell (
            report,
            "Block %zu: its SEARCH lines stand in %s %zu times, first on line %zu: add lines around "
            "them until they are unique.\n",
            number, file->path, found, at + 1);
    s_replace (&file->text, whole, at, search, &fresh);
    return 0;
}

static int s_apply_block (llm_file_t *file, const llm_block_t *block, size_t number, report_t *report)
{
    assert (number > 0);
    if (block->search.size == 0) {
        buffer_clear (&file->text);
        buffer_append (&file->text, block->replace.data, block->replace.size);
        return 0;
    }
    llm_lines_t whole = {0}, search = {0}, replace = {0};
    int rc = llm_lines_split ((text_t){(const char *)file->text.data, file->text.size}, &whole) != 0 ||
                     llm_lines_split (block->search, &search) != 0 ||
                     llm_lines_split (block->replace, &replace) != 0
                 ? s_tell (report, OUT_OF_MEMORY)
                 : s_change (file, &whole, &search, &replace, number, report);
    llm_lines_clear (&whole);
    llm_lines_clear (&search);
    llm_lines_clear (&replace);
    return rc;
}

/* --- all or nothing --- */

static bool s_same (const buffer_t *a, const buffer_t *b)
{
    return a->size == b->size && (a->size == 0 || memcmp (a->data, b->data, a->size) == 0);
}

/* A file in which its author marked blocks has changed within them only. */
static int s_check_marks (const llm_file_t *before, const llm_file_t *after, report_t *report)
{
    assert (before->path == after->path);
    const char *start = (const char *)before->text.data, *text = (const char *)after->text.data;
    problem_t problem;
    if (before->text.size == 0 || !blocks_marked (start, before->text.size) ||
        blocks_compare (start, before->text.size, text == NULL ? "" : text, after->text.size, &problem) == 0)
        return 0;
    return s_tell (report, "%s may change only between " BLOCK_START " and " BLOCK_END ": %s\n", before->path,
                   problem.text);
}

static int s_apply_all (llm_file_t *files, size_t count, const llm_blocks_t *blocks, report_t *report)
{
    llm_file_t *file = NULL;
    int rc = 0;
    for (size_t i = 0; i < blocks->count; i++) {
        file = s_choose (files, count, &blocks->items[i], file, i + 1, report);
        if (file == NULL || s_apply_block (file, &blocks->items[i], i + 1, report) != 0)
            rc = -1;
    }
    for (size_t i = 0; i < count; i++) {
        if (files[i].text.failed)
            rc = s_tell (report, OUT_OF_MEMORY);
        if (files[i].text.size > LIMIT_FILE_BYTES)
            rc = s_tell (report, "%s would have more than %d bytes.\n", files[i].path, LIMIT_FILE_BYTES);
    }
    return rc;
}

int llm_apply (llm_file_t *files, size_t count, const llm_blocks_t *blocks, char report[LLM_REPORT_BYTES])
{
    assert (files && blocks && report);
    assert (blocks->count <= LLM_BLOCKS_MAX);
    report_t told = {.text = report};
    report[0] = '\0';
    llm_file_t *fresh = calloc (count + 1, sizeof *fresh);
    if (fresh == NULL)
        return s_tell (&told, OUT_OF_MEMORY);
    for (size_t i = 0; i < count; i++) {
        fresh[i].path = files[i].path;
        buffer_append (&fresh[i].text, files[i].text.data, files[i].text.size);
    }
    int rc = s_apply_all (fresh, count, blocks, &told);
    bool same = true;
    for (size_t i = 0; i < count; i++) {
        same = same && s_same (&files[i].text, &fresh[i].text);
        if (rc == 0)
            rc = s_check_marks (&files[i], &fresh[i], &told);
    }
    if (rc == 0 && same)
        rc = s_tell (&told, "The blocks change nothing.\n");
    assert (rc == 0 || told.size > 0); /* a refusal has its reason */
    for (size_t i = 0; i < count; i++) {
        buffer_clear (rc == 0 ? &files[i].text : &fresh[i].text);
        if (rc == 0)
            files[i].text = fresh[i].text;
    }
    free (fresh);
    return rc;
}
