/* SPDX-License-Identifier: MPL-2.0 */
/* Walks libyaml's events along a schema table. */
#include "node/schema.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <yaml.h>

#include "protocol/limits.h"

#define PATH_BYTES 256

typedef struct {
    const char *file;
    const char *text;
    size_t size;
    problem_t *problem;
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    bool has_event;
    char path[PATH_BYTES]; /* where we are, e.g. "objectives[1].goal" */
} reader_t;

static int s_read_map (reader_t *self, const schema_key_t *keys, void *object);

static void s_open (reader_t *self, const char *file, const char *text, size_t size, problem_t *problem)
{
    memset (self, 0, sizeof *self);
    self->file = file;
    self->text = text;
    self->size = size;
    self->problem = problem;
}

static void s_drop_event (reader_t *self)
{
    if (self->has_event)
        yaml_event_delete (&self->event);
    self->has_event = false;
}

/* The line of the current event, from 1. */
static unsigned s_line (const reader_t *self)
{
    assert (self->has_event);
    return (unsigned)self->event.start_mark.line + 1;
}

/* Sets "file:line: path: what". Returns -1. */
__attribute__ ((format (printf, 3, 4))) static int s_fail (reader_t *self, unsigned line, const char *format,
                                                           ...)
{
    char what[PROBLEM_TEXT_MAX];
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (what, sizeof what, format, arguments);
    va_end (arguments);
    return problem_set (self->problem, "%s:%u: %s%s%s", self->file, line, self->path,
                        self->path[0] == '\0' ? "" : ": ", what);
}

/* What libyaml stumbled over. A reader error (bytes that aren't UTF-8) has an offset only. */
static int s_fail_syntax (reader_t *self)
{
    const yaml_parser_t *parser = &self->parser;
    unsigned line = (unsigned)parser->problem_mark.line + 1;
    const char *what = parser->problem != NULL ? parser->problem : "unreadable";
    if (parser->error == YAML_MEMORY_ERROR)
        return problem_set (self->problem, "%s: %s", self->file, error_text (ERROR_MEMORY));
    if (parser->error == YAML_READER_ERROR) {
        line = 1;
        for (size_t i = 0; i < parser->problem_offset && i < self->size; i++)
            line += self->text[i] == '\n';
    }
    self->path[0] = '\0';
    return s_fail (self, line, "found malformed YAML (%s%s%s), expected a map of keys and values",
                   parser->context != NULL ? parser->context : "", parser->context != NULL ? ": " : "", what);
}

/* Moves to the next event. Anchors, aliases and tags have no place in these files. */
static int s_next (reader_t *self)
{
    s_drop_event (self);
    if (!yaml_parser_parse (&self->parser, &self->event))
        return s_fail_syntax (self);
    self->has_event = true;
    const yaml_char_t *anchor = NULL, *tag = NULL;
    const yaml_event_t *event = &self->event;
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    if (event->type == YAML_ALIAS_EVENT)
        return s_fail (self, s_line (self), "found an alias (*), expected the value itself");
    if (anchor != NULL)
        return s_fail (self, s_line (self), "found an anchor (&), expected a plain value");
    if (tag != NULL)
        return s_fail (self, s_line (self), "found a tag (!), expected a plain value");
    return 0;
}

/* --- where we are --- */

/* Extends the path; returns its length before, for s_leave. */
__attribute__ ((format (printf, 2, 3))) static size_t s_enter (reader_t *self, const char *format, ...)
{
    size_t length = strlen (self->path);
    assert (length < sizeof self->path);
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (self->path + length, sizeof self->path - length, format, arguments);
    va_end (arguments);
    return length;
}

static size_t s_enter_key (reader_t *self, const char *name)
{
    return s_enter (self, "%s%s", self->path[0] == '\0' ? "" : ".", name);
}

static void s_leave (reader_t *self, size_t length)
{
    assert (length < sizeof self->path);
    self->path[length] = '\0';
}

/* --- what was found --- */

static bool s_is_plain (const yaml_event_t *event)
{
    return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

/* True for YAML's ways to say that there is no value. */
static bool s_is_null (const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    return s_is_plain (event) && (text[0] == '\0' || strcmp (text, "~") == 0 || strcmp (text, "null") == 0);
}

static int s_fail_value (reader_t *self, const schema_key_t *key)
{
    assert (self->has_event);
    char expected[PROBLEM_TEXT_MAX / 2], found[SCHEMA_QUOTE_BYTES] = "nothing";
    const yaml_event_t *event = &self->event;
    bool text = event->type == YAML_SCALAR_EVENT && !s_is_null (event);
    bool misquoted = text && !s_is_plain (event) &&
                     (key->type == SCHEMA_BOOL || key->type == SCHEMA_INTEGER || key->type == SCHEMA_REAL);
    schema_expected (key, expected, sizeof expected);
    if (text)
        schema_quote ((const char *)event->data.scalar.value, event->data.scalar.length, found);
    else if (event->type == YAML_SEQUENCE_START_EVENT)
        strcpy (found, "a list");
    else if (event->type == YAML_MAPPING_START_EVENT)
        strcpy (found, "a map");
    return s_fail (self, s_line (self), "found %s%s, expected %s%s", misquoted ? "the text " : "", found,
                   expected, misquoted ? ", without quotes" : "");
}

/* --- values --- */

static int s_read_text (reader_t *self, const schema_key_t *key, void *object)
{
    assert (key->type == SCHEMA_TEXTS && key->add_text != NULL);
    const yaml_event_t *event = &self->event;
    if (event->type != YAML_SCALAR_EVENT || s_is_null (event))
        return s_fail_value (self, key);
    const char *text = (const char *)event->data.scalar.value;
    const char *expected =
        strlen (text) == event->data.scalar.length ? key->add_text (object, text) : "plain text";
    if (expected == NULL)
        return 0;
    char found[SCHEMA_QUOTE_BYTES];
    schema_quote (text, event->data.scalar.length, found);
    return s_fail (self, s_line (self), "found %s, expected %s", found, expected);
}

/* One item of a TEXTS or MAPS; the current event is its first. */
static int s_read_item (reader_t *self, const schema_key_t *key, void *object)
{
    assert (key->type == SCHEMA_TEXTS || (key->add_map != NULL && key->of != NULL));
    if (key->type == SCHEMA_TEXTS)
        return s_read_text (self, key, object);
    if (self->event.type != YAML_MAPPING_START_EVENT)
        return s_fail_value (self, key);
    void *item = key->add_map (object);
    if (item == NULL)
        return s_fail (self, s_line (self), "found one more item, expected %zu at most", key->bound);
    return s_read_map (self, key->of, item);
}

static int s_read_list (reader_t *self, const schema_key_t *key, void *object)
{
    assert (key->bound > 0 && key->minimum <= (double)key->bound);
    if (self->event.type != YAML_SEQUENCE_START_EVENT) {
        if (key->type == SCHEMA_TEXTS && self->event.type == YAML_SCALAR_EVENT)
            return s_read_text (self, key, object);
        return s_fail_value (self, key);
    }
    unsigned line = s_line (self);
    for (size_t count = 0;; count++) {
        size_t length = s_enter (self, "[%zu]", count);
        if (s_next (self) != 0)
            return -1;
        if (self->event.type == YAML_SEQUENCE_END_EVENT) {
            s_leave (self, length);
            if ((double)count < key->minimum)
                return s_fail (self, line, "found %zu items, expected %.15g at least", count, key->minimum);
            return 0;
        }
        if (count >= key->bound)
            return s_fail (self, s_line (self), "found one more item, expected %zu at most", key->bound);
        if (s_read_item (self, key, object) != 0)
            return -1;
        s_leave (self, length);
    }
}

static int s_read_scalar (reader_t *self, const schema_key_t *key, void *slot)
{
    const yaml_event_t *event = &self->event;
    if (event->type != YAML_SCALAR_EVENT || s_is_null (event) ||
        !schema_convert (key, (const char *)event->data.scalar.value, event->data.scalar.length,
                         !s_is_plain (event), slot))
        return s_fail_value (self, key);
    return 0;
}

/* A name that may stand in a message and goes into a struct: LIMIT_NAME small letters, digits and '_'. */
static bool s_is_own_name (const yaml_event_t *event)
{
    const char *name = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    return length > 0 && length <= LIMIT_NAME &&
           strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
}

/* One name with its number; the current event is the name. */
static int s_read_real (reader_t *self, const schema_key_t *key, void *object)
{
    const schema_key_t number = {.type = SCHEMA_REAL};
    char name[LIMIT_NAME + 1];
    double value = 0;
    if (self->event.type != YAML_SCALAR_EVENT || !s_is_own_name (&self->event))
        return s_fail (self, s_line (self),
                       "found no name of small letters, digits and '_', expected such names before numbers");
    strcpy (name, (const char *)self->event.data.scalar.value);
    unsigned line = s_line (self);
    size_t length = s_enter_key (self, name);
    if (s_next (self) != 0 || s_read_scalar (self, &number, &value) != 0)
        return -1;
    const char *expected = key->add_real (object, name, value);
    if (expected != NULL)
        return s_fail (self, line, "found once more, expected %s", expected);
    s_leave (self, length);
    return 0;
}

static int s_read_reals (reader_t *self, const schema_key_t *key, void *object)
{
    assert (key->bound > 0 && key->add_real != NULL);
    if (self->event.type != YAML_MAPPING_START_EVENT)
        return s_fail_value (self, key);
    unsigned line = s_line (self);
    for (size_t count = 0;; count++) {
        if (s_next (self) != 0)
            return -1;
        if (self->event.type == YAML_MAPPING_END_EVENT) {
            if ((double)count < key->minimum)
                return s_fail (self, line, "found %zu items, expected %.15g at least", count, key->minimum);
            return 0;
        }
        if (count >= key->bound)
            return s_fail (self, s_line (self), "found one more item, expected %zu at most", key->bound);
        if (s_read_real (self, key, object) != 0)
            return -1;
    }
}

static int s_read_value (reader_t *self, const schema_key_t *key, void *object)
{
    void *slot = (char *)object + key->offset;
    switch (key->type) {
    case SCHEMA_TEXTS:
    case SCHEMA_MAPS: return s_read_list (self, key, object);
    case SCHEMA_REALS: return s_read_reals (self, key, object);
    case SCHEMA_MAP:
        if (self->event.type != YAML_MAPPING_START_EVENT)
            return s_fail_value (self, key);
        return s_read_map (self, key->of, slot);
    case SCHEMA_TEXT:
    case SCHEMA_BOOL:
    case SCHEMA_INTEGER:
    case SCHEMA_REAL:
    case SCHEMA_DURATION:
    case SCHEMA_BYTES:
    case SCHEMA_CHOICE: return s_read_scalar (self, key, slot);
    }
    assert (!"a schema's type");
    return -1;
}

/* --- maps --- */

/* The index of the key that the current event names, or -1 with the problem. */
static int s_find_key (reader_t *self, const schema_key_t *keys)
{
    const yaml_event_t *event = &self->event;
    unsigned line = s_line (self);
    if (event->type != YAML_SCALAR_EVENT)
        return s_fail (self, line, "found a list or map as a key, expected a name");
    const char *name = (const char *)event->data.scalar.value;
    for (int i = 0; keys[i].name != NULL; i++)
        if (strcmp (keys[i].name, name) == 0 && strlen (name) == event->data.scalar.length)
            return i;
    const schema_key_t map = {.type = SCHEMA_MAP, .of = keys};
    char found[SCHEMA_QUOTE_BYTES], expected[PROBLEM_TEXT_MAX / 2];
    schema_quote (name, event->data.scalar.length, found);
    schema_expected (&map, expected, sizeof expected);
    return s_fail (self, line, "found the unknown key %s, expected %s", found, strchr (expected, ':') + 2);
}

static int s_check_required (reader_t *self, const schema_key_t *keys, const unsigned *lines, unsigned line)
{
    for (size_t i = 0; keys[i].name != NULL; i++) {
        if (!keys[i].required || lines[i] > 0)
            continue;
        char expected[PROBLEM_TEXT_MAX / 2];
        schema_expected (&keys[i], expected, sizeof expected);
        s_enter_key (self, keys[i].name);
        return s_fail (self, line, "is missing, expected %s", expected);
    }
    return 0;
}

/* Reads the keys of a map whose start is the current event, up to its end. `lines` remembers where each key
 * stood. */
static int s_read_map (reader_t *self, const schema_key_t *keys, void *object)
{
    unsigned lines[SCHEMA_KEYS_MAX] = {0};
    unsigned start = s_line (self);
    for (;;) {
        if (s_next (self) != 0)
            return -1;
        if (self->event.type == YAML_MAPPING_END_EVENT)
            return s_check_required (self, keys, lines, start);
        int index = s_find_key (self, keys);
        if (index < 0)
            return -1;
        assert (index < SCHEMA_KEYS_MAX);
        const schema_key_t *key = &keys[index];
        unsigned line = s_line (self);
        size_t length = s_enter_key (self, key->name);
        if (lines[index] > 0)
            return s_fail (self, line, "found a second time, expected once (it stands on line %u)",
                           lines[index]);
        lines[index] = line;
        if (s_next (self) != 0 || s_read_value (self, key, object) != 0)
            return -1;
        if (key->seen_offset > 0)
            *(bool *)((char *)object + key->seen_offset) = true;
        s_leave (self, length);
    }
}

/* --- the document --- */

/* Moves to the first event of the only document's content. */
static int s_begin (reader_t *self)
{
    if (s_next (self) != 0 || s_next (self) != 0)
        return -1;
    if (self->event.type == YAML_STREAM_END_EVENT)
        return s_fail (self, 1, "found nothing, expected a map of keys and values");
    assert (self->event.type == YAML_DOCUMENT_START_EVENT);
    if (self->event.data.document_start.version_directive != NULL ||
        self->event.data.document_start.tag_directives.start !=
            self->event.data.document_start.tag_directives.end)
        return s_fail (self, s_line (self), "found a directive (%%), expected none");
    return s_next (self);
}

static int s_end (reader_t *self)
{
    if (s_next (self) != 0 || s_next (self) != 0) /* the document's end, then the stream's */
        return -1;
    if (self->event.type != YAML_STREAM_END_EVENT)
        return s_fail (self, s_line (self), "found a second document, expected one");
    return 0;
}

static int s_read_document (reader_t *self, const schema_key_t *keys, void *object)
{
    if (s_begin (self) != 0)
        return -1;
    if (self->event.type != YAML_MAPPING_START_EVENT)
        return s_fail (self, s_line (self), "found no key, expected a map of keys and values");
    if (s_read_map (self, keys, object) != 0)
        return -1;
    return s_end (self);
}

int schema_read (const char *file, const char *text, size_t size, const schema_key_t *keys, void *object,
                 problem_t *problem)
{
    assert (file != NULL && text != NULL && keys != NULL && object != NULL);
    if (size > SCHEMA_FILE_BYTES)
        return problem_set (problem, "%s: found %zu bytes, expected %d at most", file, size,
                            SCHEMA_FILE_BYTES);
    reader_t reader;
    s_open (&reader, file, text, size, problem);
    if (!yaml_parser_initialize (&reader.parser))
        return problem_set (problem, "%s: %s", file, error_text (ERROR_MEMORY));
    yaml_parser_set_encoding (&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string (&reader.parser, (const unsigned char *)text, size);
    int status = s_read_document (&reader, keys, object);
    s_drop_event (&reader);
    yaml_parser_delete (&reader.parser);
    return status;
}
