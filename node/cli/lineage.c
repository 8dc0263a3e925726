/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/lineage.h"

#include <assert.h>
#include <string.h>

/* A column stands at character 2 × its index; the characters between two columns are for what runs across. */
#define AT(column) (2 * (column))
#define NOWHERE    LINEAGE_COLUMNS_MAX

static size_t s_find (const lineage_t *self, const digest_t *awaited)
{
    size_t column = 0;
    while (column < LINEAGE_COLUMNS_MAX && !digest_equal (&self->awaited[column], awaited))
        column++;
    return column;
}

static size_t s_find_free (const lineage_t *self, size_t from)
{
    assert (from <= LINEAGE_COLUMNS_MAX);
    while (from < LINEAGE_COLUMNS_MAX && !digest_is_zero (&self->awaited[from]))
        from++;
    return from;
}

/* The open columns, each a '|'. */
static void s_draw_columns (const lineage_t *self, char line[LINEAGE_BYTES])
{
    memset (line, ' ', LINEAGE_BYTES);
    for (size_t i = 0; i < LINEAGE_COLUMNS_MAX; i++)
        if (!digest_is_zero (&self->awaited[i]))
            line[AT (i)] = '|';
}

static void s_end_line (char line[LINEAGE_BYTES])
{
    size_t size = LINEAGE_BYTES - 1;
    while (size > 0 && line[size - 1] == ' ')
        size--;
    line[size] = '\0';
}

/* A stroke along the bottom between two columns; where it crosses one, that stays. At its right end it rises or falls. */
static void s_draw_stroke (char line[LINEAGE_BYTES], size_t left, size_t right, char end)
{
    assert (left < right && right < LINEAGE_COLUMNS_MAX);
    for (size_t at = AT (left) + 1; at < AT (right); at++)
        if (line[at] == ' ')
            line[at] = '_';
    line[AT (right) - 1] = end;
}

/* The candidate's column goes on to a parent. If another leads there already, the right one of the two ends in the left one. */
static void s_follow_first (lineage_t *self, size_t column, const digest_t *parent, lineage_lines_t *lines)
{
    assert (column < NOWHERE && lines->joint_count < LINEAGE_PARENTS_MAX);
    size_t other = s_find (self, parent);
    self->awaited[column] = *parent;
    if (other == NOWHERE)
        return;
    size_t left = other < column ? other : column, right = other < column ? column : other;
    memset (&self->awaited[right], 0, sizeof self->awaited[right]);
    char *line = lines->joints[lines->joint_count++];
    s_draw_columns (self, line);
    s_draw_stroke (line, left, right, '/');
    s_end_line (line);
}

/* A line to the other parent leaves the candidate's column: to one that leads there already, or to a new one. */
static bool s_follow_second (lineage_t *self, size_t column, const digest_t *parent, lineage_lines_t *lines)
{
    assert (column < NOWHERE && lines->joint_count < LINEAGE_PARENTS_MAX);
    size_t other = s_find (self, parent);
    bool fresh = other == NOWHERE;
    if (fresh)
        other = s_find_free (self, column + 1);
    if (other == NOWHERE)
        return false;
    char *line = lines->joints[lines->joint_count++];
    s_draw_columns (self, line);
    line[AT (column)] = '|';
    if (other > column)
        s_draw_stroke (line, column, other, '\\');
    else
        s_draw_stroke (line, other, column, '/');
    s_end_line (line);
    if (fresh)
        self->awaited[other] = *parent;
    return true;
}

void lineage_next (lineage_t *self, const digest_t *id, const digest_t *parents, size_t parent_count,
                   lineage_lines_t *lines)
{
    assert (self != NULL && id != NULL && lines != NULL);
    assert (!digest_is_zero (id) && parent_count <= LINEAGE_PARENTS_MAX);
    memset (lines, 0, sizeof *lines);
    size_t column = s_find (self, id);
    if (column == NOWHERE)
        column = s_find_free (self, 0);
    s_draw_columns (self, lines->row);
    lines->row[column == NOWHERE ? LINEAGE_BYTES - 2 : AT (column)] = '*';
    s_end_line (lines->row);
    if (column == NOWHERE)
        return;
    memset (&self->awaited[column], 0, sizeof self->awaited[column]);
    /* The second parent first: its line leaves from the candidate's own column, which may end in another one after that. */
    if (parent_count == 2)
        lines->drawn[1] = s_follow_second (self, column, &parents[1], lines);
    if (parent_count > 0) {
        s_follow_first (self, column, &parents[0], lines);
        lines->drawn[0] = true;
    }
}
