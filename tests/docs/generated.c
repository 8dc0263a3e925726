/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/docs/generated.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void generated_put (buffer_t *out, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start (arguments, format);
    int size = vsnprintf (text, sizeof text, format, arguments);
    va_end (arguments);
    assert (size >= 0 && (size_t)size < sizeof text);
    buffer_append (out, text, (size_t)size);
}

static buffer_t s_load (const char *path)
{
    FILE *file = fopen (path, "rb");
    buffer_t text = {0};
    char piece[4096];
    if (file == NULL) {
        perror (path);
        exit (EXIT_FAILURE);
    }
    for (size_t size; (size = fread (piece, 1, sizeof piece, file)) > 0;)
        buffer_append (&text, piece, size);
    fclose (file);
    return text;
}

static bool s_save (const char *path, const buffer_t *text)
{
    FILE *file = fopen (path, "wb");
    if (file != NULL && fwrite (text->data, 1, text->size, file) == text->size && fclose (file) == 0)
        return true;
    perror (path);
    return false;
}

/* Appends `text` to `out`, with one section as it should be. Returns false if there are no markers for it. */
static bool s_replace (const buffer_t *text, const section_t *section, buffer_t *out)
{
    buffer_t terminated = {0};
    buffer_append (&terminated, text->data, text->size);
    buffer_append (&terminated, "", 1);
    const char *start = (const char *)terminated.data;
    const char *begin = strstr (start, section->begin), *end = strstr (start, section->end);
    bool is_there = begin != NULL && end != NULL && begin < end;
    if (is_there) {
        begin += strlen (section->begin);
        buffer_append (out, start, (size_t)(begin - start));
        section->put (out);
        buffer_append (out, end, strlen (end));
    }
    buffer_clear (&terminated);
    return is_there;
}

/* Makes every section of the file what it should be; says whether it was, or writes it. */
static int s_update (const char *path, bool may_write, const section_t *sections, size_t count)
{
    buffer_t before = s_load (path), text = {0};
    buffer_append (&text, before.data, before.size);
    int status = EXIT_SUCCESS;
    for (size_t i = 0; i < count && status == EXIT_SUCCESS; i++) {
        buffer_t next = {0};
        if (!s_replace (&text, &sections[i], &next)) {
            fprintf (stderr, "%s: expected %s and %s", path, sections[i].begin, sections[i].end);
            status = EXIT_FAILURE;
        }
        buffer_clear (&text);
        text = next;
    }
    bool is_same = before.size == text.size && memcmp (before.data, text.data, text.size) == 0;
    if (status == EXIT_SUCCESS && !is_same && may_write) {
        status = s_save (path, &text) ? EXIT_SUCCESS : EXIT_FAILURE;
    } else if (status == EXIT_SUCCESS && !is_same) {
        fprintf (stderr, "%s: the tables are not those of the code; run this program with `write %s`\n", path,
                 path);
        status = EXIT_FAILURE;
    }
    buffer_clear (&before);
    buffer_clear (&text);
    return status;
}

static int s_print (const section_t *sections, size_t count)
{
    buffer_t tables = {0};
    for (size_t i = 0; i < count; i++)
        sections[i].put (&tables);
    bool is_written = fwrite (tables.data, 1, tables.size, stdout) == tables.size && fflush (stdout) == 0;
    buffer_clear (&tables);
    return is_written ? EXIT_SUCCESS : EXIT_FAILURE;
}

int generated_main (int argc, char **argv, const section_t *sections, size_t count)
{
    if (argc == 1)
        return s_print (sections, count);
    if (argc == 3 && (strcmp (argv[1], "check") == 0 || strcmp (argv[1], "write") == 0))
        return s_update (argv[2], argv[1][0] == 'w', sections, count);
    fprintf (stderr, "usage: %s [check FILE | write FILE]\n", argv[0]);
    return 2;
}
