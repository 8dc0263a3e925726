/* SPDX-License-Identifier: MPL-2.0 */
#include "proposers/llm_lines.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int llm_lines_split (text_t text, llm_lines_t *lines)
{
    assert (lines && (text.data || text.size == 0));
    text_t rest = text, line;
    size_t count = 0;
    while (llm_next_line (&rest, &line))
        count++;
    *lines = (llm_lines_t){.items = calloc (count + 1, sizeof *lines->items)};
    if (lines->items == NULL)
        return -1;
    while (llm_next_line (&text, &line))
        lines->items[lines->count++] = line;
    assert (lines->count == count);
    return 0;
}

void llm_lines_clear (llm_lines_t *lines)
{
    assert (lines);
    free (lines->items);
    *lines = (llm_lines_t){0};
}

static bool s_is_blank (char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static text_t s_without_end (text_t line)
{
    while (line.size > 0 && (line.data[line.size - 1] == '\n' || line.data[line.size - 1] == '\r'))
        line.size--;
    return line;
}

/* Skips white space at the front; true if there was some. */
static bool s_skip_blank (text_t *text)
{
    size_t before = text->size;
    while (text->size > 0 && s_is_blank (text->data[0])) {
        text->data++;
        text->size--;
    }
    return text->size < before;
}

/* Word by word: a run of white space is as good as another. */
static bool s_fits_tolerant (text_t a, text_t b)
{
    a = llm_trim (a);
    b = llm_trim (b);
    while (a.size > 0 && b.size > 0) {
        bool gap_a = s_skip_blank (&a), gap_b = s_skip_blank (&b);
        if (gap_a != gap_b || a.data[0] != b.data[0])
            return false;
        a.data++, a.size--;
        b.data++, b.size--;
    }
    return a.size == 0 && b.size == 0;
}

bool llm_line_fits (text_t a, text_t b, llm_fit_t fit)
{
    if (fit == LLM_TOLERANT)
        return s_fits_tolerant (a, b);
    a = s_without_end (a);
    b = s_without_end (b);
    return a.size == b.size && (a.size == 0 || memcmp (a.data, b.data, a.size) == 0);
}

/* How many lines of `part` stand at `at`, in their places. */
static size_t s_same_at (const llm_lines_t *whole, const llm_lines_t *part, size_t at)
{
    size_t same = 0;
    for (size_t i = 0; i < part->count && at + i < whole->count; i++)
        same += llm_trim (part->items[i]).size > 0 &&
                llm_line_fits (whole->items[at + i], part->items[i], LLM_TOLERANT);
    return same;
}

static bool s_stands_at (const llm_lines_t *whole, const llm_lines_t *part, llm_fit_t fit, size_t at)
{
    assert (at + part->count <= whole->count);
    for (size_t i = 0; i < part->count; i++)
        if (!llm_line_fits (whole->items[at + i], part->items[i], fit))
            return false;
    return true;
}

size_t llm_lines_find (const llm_lines_t *whole, const llm_lines_t *part, llm_fit_t fit, size_t *at)
{
    assert (whole && part && at && part->count > 0);
    size_t found = 0;
    for (size_t i = 0; i + part->count <= whole->count; i++)
        if (s_stands_at (whole, part, fit, i)) {
            *at = found++ == 0 ? i : *at;
            i += part->count - 1;
        }
    return found;
}

bool llm_lines_nearest (const llm_lines_t *whole, const llm_lines_t *part, size_t *at)
{
    assert (whole && part && at);
    size_t most = 0;
    for (size_t i = 0; i < whole->count; i++) {
        size_t same = s_same_at (whole, part, i);
        if (same > most) {
            most = same;
            *at = i;
        }
    }
    return most > 0;
}

llm_lines_t llm_lines_trim (const llm_lines_t *lines)
{
    assert (lines);
    llm_lines_t part = *lines;
    while (part.count > 0 && llm_trim (part.items[part.count - 1]).size == 0)
        part.count--;
    while (part.count > 0 && llm_trim (part.items[0]).size == 0) {
        part.items++;
        part.count--;
    }
    return part;
}

text_t llm_lines_indent (const llm_lines_t *lines)
{
    assert (lines);
    for (size_t i = 0; i < lines->count; i++) {
        text_t line = lines->items[i], rest = line;
        if (llm_trim (line).size == 0)
            continue;
        s_skip_blank (&rest);
        return (text_t){line.data, line.size - rest.size};
    }
    return (text_t){0};
}
