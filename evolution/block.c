/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/block.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#define SHOWN_BYTES 60 /* of a line, in a problem */

typedef struct {
    const char *text;
    size_t size;
    unsigned number; /* from 1 */
    bool starts;
    bool ends;
} line_t;

/* Walks a text line by line. */
typedef struct {
    const char *rest;
    size_t left;
    unsigned number;
    bool inside; /* a block was opened and not closed */
} reader_t;

static bool s_has (const char *text, size_t size, const char *word)
{
    size_t length = strlen (word);
    for (size_t i = 0; i + length <= size; i++)
        if (text[i] == word[0] && memcmp (text + i, word, length) == 0)
            return true;
    return false;
}

static reader_t s_open (const char *text, size_t size)
{
    assert (text != NULL || size == 0);
    return (reader_t){.rest = text, .left = size};
}

/* The next line with its end; false behind the last. */
static bool s_next (reader_t *self, line_t *line)
{
    if (self->left == 0)
        return false;
    const char *end = memchr (self->rest, '\n', self->left);
    size_t size = end == NULL ? self->left : (size_t)(end - self->rest) + 1;
    *line = (line_t){.text = self->rest,
                     .size = size,
                     .number = ++self->number,
                     .starts = s_has (self->rest, size, BLOCK_START),
                     .ends = s_has (self->rest, size, BLOCK_END)};
    self->rest += size;
    self->left -= size;
    return true;
}

/* The next line that may not change: outside of blocks, or with a marker. */
static bool s_next_fixed (reader_t *self, line_t *line)
{
    while (s_next (self, line)) {
        bool fixed = !self->inside || line->starts || line->ends;
        self->inside = line->starts || (self->inside && !line->ends);
        if (fixed)
            return true;
    }
    return false;
}

bool blocks_marked (const char *text, size_t size)
{
    assert (text || size == 0);
    return s_has (text, size, BLOCK_START) || s_has (text, size, BLOCK_END);
}

int blocks_check (const char *text, size_t size, problem_t *problem)
{
    assert (text || size == 0);
    reader_t reader = s_open (text, size);
    line_t line;
    while (s_next (&reader, &line)) {
        if (line.starts && line.ends)
            return problem_set (problem, "line %u: found both markers, expected one on a line", line.number);
        if (line.starts && reader.inside)
            return problem_set (problem, "line %u: found a second " BLOCK_START ", expected " BLOCK_END,
                                line.number);
        if (line.ends && !reader.inside)
            return problem_set (problem, "line %u: found " BLOCK_END " without " BLOCK_START, line.number);
        reader.inside = line.starts || (reader.inside && !line.ends);
    }
    if (reader.inside)
        return problem_set (problem, "line %u: found the end of the file, expected " BLOCK_END,
                            reader.number);
    return 0;
}

/* Tells of the line that was there at the start and is not, or else of the one that is new. */
static int s_differs (const line_t *gone, const line_t *found, problem_t *problem)
{
    assert (gone != NULL || found != NULL);
    const line_t *line = gone != NULL ? gone : found;
    size_t shown = line->size - (line->text[line->size - 1] == '\n');
    return problem_set (problem, "line %u: %s outside of the blocks: %.*s", line->number,
                        gone != NULL ? "it was changed, and stands" : "it is new, and stands",
                        (int)(shown < SHOWN_BYTES ? shown : SHOWN_BYTES), line->text);
}

int blocks_compare (const char *start, size_t start_size, const char *text, size_t size, problem_t *problem)
{
    assert ((start || start_size == 0) && (text || size == 0));
    reader_t before = s_open (start, start_size), after = s_open (text, size);
    line_t was, is;
    for (;;) {
        bool had = s_next_fixed (&before, &was), has = s_next_fixed (&after, &is);
        if (!had && !has)
            return 0;
        if (!had || !has || was.size != is.size || memcmp (was.text, is.text, was.size) != 0)
            return s_differs (had ? &was : NULL, has ? &is : NULL, problem);
    }
}
