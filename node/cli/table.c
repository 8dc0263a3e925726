/* SPDX-License-Identifier: MPL-2.0 */
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "node/cli/output.h"

#define TABLE_COLUMNS_MAX 12
#define TABLE_ROW_BYTES   1024

struct output_table {
    size_t columns;
    char **cells; /* row by row, heads first */
    size_t count; /* of cells */
    size_t capacity;
    bool right[TABLE_COLUMNS_MAX];
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

output_table_t *output_table_new (const char *heads)
{
    output_table_t *self = calloc (1, sizeof *self);
    assert (self != NULL);
    for (const char *at = heads; at != NULL;) {
        assert (self->columns < TABLE_COLUMNS_MAX);
        const char *bar = strchr (at, '|');
        if (*at == '>') {
            self->right[self->columns] = true;
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
    char row[TABLE_ROW_BYTES];
    va_list arguments;
    va_start (arguments, format);
    int size = vsnprintf (row, sizeof row, format, arguments);
    va_end (arguments);
    assert (size >= 0 && (size_t)size < sizeof row);
    const char *at = row;
    for (size_t column = 0; column < self->columns; column++) {
        size_t length = strcspn (at, "|");
        assert ((at[length] == '|') == (column + 1 < self->columns));
        s_add_cell (self, column, at, length);
        at += length + 1;
    }
}

size_t output_table_count (const output_table_t *self)
{
    assert (self != NULL);
    assert (self->columns > 0 && self->count % self->columns == 0);
    return self->count / self->columns - 1;
}

static void s_print_row (const output_table_t *self, char *const *cells)
{
    for (size_t column = 0; column < self->columns; column++) {
        assert (self->widths[column] >= s_width (cells[column]));
        size_t pad = self->widths[column] - s_width (cells[column]);
        bool last = column + 1 == self->columns;
        printf ("%*s%s%*s", self->right[column] ? (int)pad : 0, "", cells[column],
                last ? 0 : (self->right[column] ? 0 : (int)pad) + 2, "");
    }
}

void output_table_end (const cli_t *cli, output_table_t **self_p)
{
    assert (cli != NULL && self_p != NULL);
    output_table_t *self = *self_p;
    size_t rows = output_table_count (self);
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
