/* SPDX-License-Identifier: MPL-2.0 */
/* The tables of docs/PROTOCOL.md, printed from the catalogues of messages and of errors.
 *
 *     messages_table              prints them
 *     messages_table check FILE   exits 1 unless FILE has them, as they are now, between its markers
 *     messages_table write FILE   puts them there */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/invite.h"

static void s_put (buffer_t *out, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

static void s_put (buffer_t *out, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start (arguments, format);
    int size = vsnprintf (text, sizeof text, format, arguments);
    va_end (arguments);
    assert (size >= 0 && (size_t)size < sizeof text);
    buffer_append (out, text, (size_t)size);
}

static void s_put_field (buffer_t *out, const field_t *field)
{
    static const char *const types[] = {
        [FIELD_UINT] = "uint", [FIELD_REAL] = "real", [FIELD_NUMBER] = "number", [FIELD_DIGEST] = "digest",
        [FIELD_KEY] = "key",   [FIELD_TEXT] = "text", [FIELD_BYTES] = "bytes",   [FIELD_LIST] = "list"};
    s_put (out, "`%s` %s", field->name, types[field->type]);
    if (field->of != NULL)
        s_put (out, " of %s", field->of->name);
    if (field->bound > 0)
        s_put (out, " ≤ %" PRIu64, field->bound);
}

static void s_put_fields (buffer_t *out, const record_t *record)
{
    for (size_t i = 0; i < record->field_count; i++) {
        s_put (out, i > 0 ? ", " : "");
        s_put_field (out, &record->fields[i]);
    }
}

static void s_put_part (buffer_t *out, const record_t *record)
{
    s_put (out, "| %s | ", record->name);
    s_put_fields (out, record);
    s_put (out, " |\n");
}

static void s_put_messages (buffer_t *out)
{
    static const char *const classes[] = {
        [CLASS_LIVE] = "live", [CLASS_DURABLE] = "durable", [CLASS_SIGNED] = "signed"};
    static const char *const ways[] = {[WAY_NONE] = "–", [WAY_PUB] = "PUB", [WAY_RPC] = "RPC"};
    s_put (out, "| kind | name | class | way | fields, in order |\n|---|---|---|---|---|\n");
    const message_info_t *info;
    for (size_t i = 0; (info = message_info_at (i)) != NULL; i++) {
        s_put (out, "| %u | %s | %s | %s | ", info->kind, info->name, classes[info->class], ways[info->way]);
        s_put_fields (out, info->record);
        s_put (out, " |\n");
    }
    s_put (out, "\nThe records that stand in lists, the policy, and the record in an invite token:\n\n");
    s_put (out, "| record | fields, in order |\n|---|---|\n");
#define PART_ROW(name, FIELDS) s_put_part (out, &name##_record);
    PARTS (PART_ROW)
#undef PART_ROW
    s_put_part (out, &invite_record);
}

static void s_put_errors (buffer_t *out)
{
    s_put (out, "| code | name | |\n|---|---|---|\n");
#define ERROR_CODE(NAME, number, name, text) s_put (out, "| %d | %s | %s |\n", number, name, text);
#include "protocol/error.def"
#undef ERROR_CODE
}

/* What is generated, and the markers between which it stands. */
static const struct {
    const char *begin, *end;
    void (*put) (buffer_t *out);
} s_sections[] = {{"<!-- messages:begin -->\n", "<!-- messages:end -->\n", s_put_messages},
                  {"<!-- errors:begin -->\n", "<!-- errors:end -->\n", s_put_errors}};
#define SECTION_COUNT (sizeof s_sections / sizeof s_sections[0])

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
static bool s_replace (const buffer_t *text, size_t section, buffer_t *out)
{
    buffer_t terminated = {0};
    buffer_append (&terminated, text->data, text->size);
    buffer_append (&terminated, "", 1);
    const char *start = (const char *)terminated.data;
    const char *begin = strstr (start, s_sections[section].begin),
               *end = strstr (start, s_sections[section].end);
    bool is_there = begin != NULL && end != NULL && begin < end;
    if (is_there) {
        begin += strlen (s_sections[section].begin);
        buffer_append (out, start, (size_t)(begin - start));
        s_sections[section].put (out);
        buffer_append (out, end, strlen (end));
    }
    buffer_clear (&terminated);
    return is_there;
}

/* Makes every section of the file what it should be; says whether it was, or writes it. */
static int s_update (const char *path, bool may_write)
{
    buffer_t before = s_load (path), text = {0};
    buffer_append (&text, before.data, before.size);
    int status = EXIT_SUCCESS;
    for (size_t i = 0; i < SECTION_COUNT && status == EXIT_SUCCESS; i++) {
        buffer_t next = {0};
        if (!s_replace (&text, i, &next)) {
            fprintf (stderr, "%s: expected %s and %s", path, s_sections[i].begin, s_sections[i].end);
            status = EXIT_FAILURE;
        }
        buffer_clear (&text);
        text = next;
    }
    bool is_same = before.size == text.size && memcmp (before.data, text.data, text.size) == 0;
    if (status == EXIT_SUCCESS && !is_same && may_write) {
        status = s_save (path, &text) ? EXIT_SUCCESS : EXIT_FAILURE;
    } else if (status == EXIT_SUCCESS && !is_same) {
        fprintf (stderr, "%s: the tables are not those of the code; run `messages_table write %s`\n", path,
                 path);
        status = EXIT_FAILURE;
    }
    buffer_clear (&before);
    buffer_clear (&text);
    return status;
}

static int s_print (void)
{
    buffer_t tables = {0};
    for (size_t i = 0; i < SECTION_COUNT; i++)
        s_sections[i].put (&tables);
    bool is_written = fwrite (tables.data, 1, tables.size, stdout) == tables.size && fflush (stdout) == 0;
    buffer_clear (&tables);
    return is_written ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main (int argc, char **argv)
{
    if (argc == 1)
        return s_print ();
    if (argc == 3 && (strcmp (argv[1], "check") == 0 || strcmp (argv[1], "write") == 0))
        return s_update (argv[2], argv[1][0] == 'w');
    fprintf (stderr, "usage: %s [check FILE | write FILE]\n", argv[0]);
    return 2;
}
