/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/merge_hunks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <git2.h>

#include "node/io/workspace_internal.h"

static int s_note_hunk (const git_diff_delta *delta, const git_diff_hunk *hunk, void *context)
{
    (void)delta;
    hunks_t *self = context;
    if (self->count == self->capacity) {
        size_t capacity = self->capacity == 0 ? 16 : 2 * self->capacity;
        hunk_t *hunks = realloc (self->items, capacity * sizeof *hunks);
        if (hunks == NULL) {
            self->failed = true;
            return -1;
        }
        self->items = hunks;
        self->capacity = capacity;
    }
    /* Lines count from 1; where there are none, the number is that of the line before. */
    hunk_t *noted = &self->items[self->count++];
    noted->begin = (size_t)hunk->old_start - (hunk->old_lines > 0 ? 1 : 0);
    noted->end = noted->begin + (size_t)hunk->old_lines;
    noted->first = (size_t)hunk->new_start - (hunk->new_lines > 0 ? 1 : 0);
    noted->count = (size_t)hunk->new_lines;
    assert (noted->begin <= noted->end);
    assert (self->count == 1 || noted[-1].end <= noted->begin); /* they ascend */
    return 0;
}

int hunks_find (const text_bytes_t *base, const text_bytes_t *fresh, hunks_t *hunks, problem_t *problem)
{
    assert (base != NULL && fresh != NULL && hunks != NULL);
    git_diff_options options;
    git_diff_options_init (&options, GIT_DIFF_OPTIONS_VERSION);
    options.context_lines = 0;
    options.interhunk_lines = 0;
    options.flags = GIT_DIFF_FORCE_TEXT;
    memset (hunks, 0, sizeof *hunks);
    int rc = git_diff_buffers (base->bytes, base->size, NULL, fresh->bytes, fresh->size, NULL, &options, NULL,
                               NULL, s_note_hunk, NULL, hunks);
    if (rc == 0)
        return 0;
    bool failed = hunks->failed;
    hunks_clear (hunks);
    if (!failed)
        return workspace_git_fail ("comparing files", problem);
    problem_set (problem, "out of memory");
    return ERROR_MEMORY;
}

void hunks_clear (hunks_t *self)
{
    assert (self != NULL);
    free (self->items);
    *self = (hunks_t){0};
}

/* A place in a text, moved forward line by line. */
typedef struct {
    const text_bytes_t *text;
    size_t line, offset;
} cursor_t;

static size_t s_offset_of (cursor_t *self, size_t line)
{
    assert (line >= self->line);
    for (; self->line < line && self->offset < self->text->size; self->line++) {
        const uint8_t *from = self->text->bytes + self->offset;
        const uint8_t *newline = memchr (from, '\n', self->text->size - self->offset);
        self->offset = newline == NULL ? self->text->size : (size_t)(newline - self->text->bytes) + 1;
    }
    return self->offset;
}

/* True if both hunks replace the same lines by the same text. */
static bool s_same_change (const hunk_t *a, cursor_t *a_text, const hunk_t *b, cursor_t *b_text)
{
    if (a->begin != b->begin || a->end != b->end || a->count != b->count)
        return false;
    size_t a_from = s_offset_of (a_text, a->first), b_from = s_offset_of (b_text, b->first);
    cursor_t a_end = *a_text, b_end = *b_text;
    size_t a_size = s_offset_of (&a_end, a->first + a->count) - a_from;
    size_t b_size = s_offset_of (&b_end, b->first + b->count) - b_from;
    return a_size == b_size &&
           memcmp (a_text->text->bytes + a_from, b_text->text->bytes + b_from, a_size) == 0;
}

unsigned hunks_count_touching (const hunks_t *ours, const text_bytes_t *our_text, const hunks_t *theirs,
                               const text_bytes_t *their_text)
{
    cursor_t our_cursor = {our_text, 0, 0}, their_cursor = {their_text, 0, 0};
    unsigned count = 0;
    size_t first = 0;
    for (size_t i = 0; i < theirs->count; i++) {
        const hunk_t *their = &theirs->items[i];
        while (first < ours->count && ours->items[first].end < their->begin)
            first++;
        bool touches = false;
        for (size_t j = first; j < ours->count && ours->items[j].begin <= their->end && !touches; j++)
            touches = !s_same_change (&ours->items[j], &our_cursor, their, &their_cursor);
        count += touches;
    }
    return count;
}
