/* SPDX-License-Identifier: MPL-2.0 */
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "node/cli/output.h"

#define TABLE_COLUMNS_MAX 12
#define TABLE_GAP         2  /* spaces between two columns */
#define TABLE_CUT_LEAST   30 /* what a column that may be cut keeps as long as others can be dropped instead */
#define TABLE_CUT_MOST    12 /* the same for others that are dropped last */

struct output_table {
    size_t columns;
    char **cells; /* row by row, heads first */
    size_t count; /* of cells */
    size_t capacity;
    bool right[TABLE_COLUMNS_MAX];
    bool may_drop[TABLE_COLUMNS_MAX];
    bool drop_last[TABLE_COLUMNS_MAX];
    bool may_cut[TABLE_COLUMNS_MAX];
    bool dropped[TABLE_COLUMNS_MAX];
    size_t widths[TABLE_COLUMNS_MAX];
};

/* Characters of a UTF-8 text, each taken as one column. */
static size_t s_width (const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void s_add_cell (output_table_t *self, size_t column, const char *text, size_t size)
{
    assert (column < TABLE_COLUMNS_MAX);
    if (self->count == self->capacity) {
        self->capacity = self->capacity == 0 ? 64 : 2 * self->capacity;
        self->cells = realloc (self->cells, self->capacity * sizeof *self->cells);
        assert (self->cells != NULL);
    }
    char *cell = strndup (text, size);
    assert (cell != NULL);
    self->cells[self->count++] = cell;
    size_t width = s_width (cell);
    if (width > self->widths[column])
        self->widths[column] = width;
}

/* What a character before the head of the next column says of it; NULL if the head begins. */
static bool *s_flag (output_table_t *self, char c)
{
    size_t column = self->columns;
    return c == '>'   ? &self->right[column]
           : c == '?' ? &self->may_drop[column]
           : c == '!' ? &self->drop_last[column]
           : c == '~' ? &self->may_cut[column]
                      : NULL;
}

output_table_t *output_table_new (const char *heads)
{
    output_table_t *self = calloc (1, sizeof *self);
    assert (self != NULL);
    for (const char *at = heads; at != NULL;) {
        assert (self->columns < TABLE_COLUMNS_MAX);
        const char *bar = strchr (at, '|');
        bool *flag;
        while ((flag = s_flag (self, *at)) != NULL) {
            *flag = true;
            at++;
        }
        s_add_cell (self, self->columns, at, bar == NULL ? strlen (at) : (size_t)(bar - at));
        self->columns++;
        at = bar == NULL ? NULL : bar + 1;
    }
    return self;
}

void output_table_row (output_table_t *self, const char *format, ...)
{
    assert (self != NULL);
    va_list arguments, again;
    va_start (arguments, format);
    va_copy (again, arguments);
    int size = vsnprintf (NULL, 0, format, arguments);
    char *row = size < 0 ? NULL : malloc ((size_t)size + 1);
    assert (row != NULL);
    vsnprintf (row, (size_t)size + 1, format, again);
    va_end (again);
    va_end (arguments);
    const char *at = row;
    for (size_t column = 0; column < self->columns; column++) {
        size_t length = strcspn (at, "|");
        assert ((at[length] == '|') == (column + 1 < self->columns));
        s_add_cell (self, column, at, length);
        at += length + 1;
    }
    free (row);
}

size_t output_table_count (const output_table_t *self)
{
    assert (self != NULL);
    assert (self->columns > 0 && self->count % self->columns == 0);
    return self->count / self->columns - 1;
}

/* --- making it fit --- */

/* How wide a row is, with columns that may be cut no wider than `cut_to`. */
static size_t s_row_width (const output_table_t *self, size_t cut_to)
{
    size_t width = 0;
    for (size_t column = 0; column < self->columns; column++) {
        bool is_cut = self->may_cut[column] && self->widths[column] > cut_to;
        if (!self->dropped[column])
            width += (width > 0 ? TABLE_GAP : 0) + (is_cut ? cut_to : self->widths[column]);
    }
    return width;
}

/* The widest of those that may be cut and are wider than their head; NULL if there is none. */
static size_t *s_widest (output_table_t *self)
{
    size_t *widest = NULL;
    for (size_t column = 0; column < self->columns; column++)
        if (self->may_cut[column] && self->widths[column] > s_width (self->cells[column]) &&
            (widest == NULL || self->widths[column] > *widest))
            widest = &self->widths[column];
    return widest;
}

/* Drops columns, the last first, until the others fit if no cell that may be cut keeps more than `cut_to`. */
static void s_drop (output_table_t *self, const bool may_drop[TABLE_COLUMNS_MAX], size_t cut_to, size_t width)
{
    for (size_t column = self->columns; column > 0 && s_row_width (self, cut_to) > width; column--)
        self->dropped[column - 1] |= may_drop[column - 1];
}

/* Drops columns, and then cuts some, so far as they may be. */
static void s_fit (output_table_t *self, size_t width)
{
    s_drop (self, self->may_drop, TABLE_CUT_LEAST, width);
    s_drop (self, self->drop_last, TABLE_CUT_MOST, width);
    size_t *widest;
    while (s_row_width (self, SIZE_MAX) > width && (widest = s_widest (self)) != NULL)
        --*widest;
}

/* --- printing --- */

/* Prints a cell, cut with "…" if it is wider than its column. */
static void s_print_cell (const char *cell, size_t width)
{
    size_t bytes = 0, characters = 0;
    bool is_cut = s_width (cell) > width;
    for (; cell[bytes] != '\0'; bytes++)
        if (((unsigned char)cell[bytes] & 0xc0) != 0x80 && is_cut && characters++ == width - 1)
            break;
    printf ("%.*s%s", (int)bytes, cell, is_cut ? "…" : "");
}

static void s_print_row (const output_table_t *self, char *const *cells)
{
    size_t behind = 0; /* the spaces behind what was printed: none stand at the end of a line */
    for (size_t column = 0; column < self->columns; column++) {
        if (self->dropped[column])
            continue;
        size_t width = self->widths[column], own = s_width (cells[column]);
        if (own == 0) {
            behind += width + TABLE_GAP;
            continue;
        }
        size_t pad = width > own ? width - own : 0;
        printf ("%*s", (int)(behind + (self->right[column] ? pad : 0)), "");
        s_print_cell (cells[column], width);
        behind = TABLE_GAP + (self->right[column] ? 0 : pad);
    }
}

void output_table_end (const cli_t *cli, output_table_t **self_p)
{
    assert (cli != NULL && self_p != NULL);
    output_table_t *self = *self_p;
    size_t rows = output_table_count (self);
    if (cli->width > 0)
        s_fit (self, cli->width);
    for (size_t row = 0; row <= rows && rows > 0; row++) {
        fputs (row == 0 ? output_style (cli, OUTPUT_BOLD) : "", stdout);
        s_print_row (self, self->cells + row * self->columns);
        fputs (row == 0 ? output_style (cli, OUTPUT_PLAIN) : "", stdout);
        putchar ('\n');
    }
    output_table_free (self_p);
}

void output_table_free (output_table_t **self_p)
{
    assert (self_p != NULL);
    output_table_t *self = *self_p;
    for (size_t i = 0; i < self->count; i++)
        free (self->cells[i]);
    free (self->cells);
    free (self);
    *self_p = NULL;
}
