/* SPDX-License-Identifier: MPL-2.0 */
/* Finds the line of a value again, for conditions that are checked after a text was read. */
#include "node/schema.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

typedef struct {
    yaml_parser_t parser;
    yaml_event_t event;
    bool has_event;
} seeker_t;

static bool s_next (seeker_t *self)
{
    if (self->has_event)
        yaml_event_delete (&self->event);
    self->has_event = yaml_parser_parse (&self->parser, &self->event) != 0;
    return self->has_event && self->event.type != YAML_STREAM_END_EVENT;
}

/* Moves from the first event of a value to its last. */
static bool s_skip (seeker_t *self)
{
    assert (self->has_event);
    size_t depth = 0;
    for (;;) {
        yaml_event_type_t type = self->event.type;
        if (type == YAML_MAPPING_START_EVENT || type == YAML_SEQUENCE_START_EVENT)
            depth++;
        else if (type == YAML_MAPPING_END_EVENT || type == YAML_SEQUENCE_END_EVENT)
            depth--;
        if (depth == 0)
            return true;
        if (!s_next (self))
            return false;
    }
}

/* From the start of a map to the first event of the value of `name`. */
static bool s_seek_key (seeker_t *self, const char *name, size_t length)
{
    while (s_next (self) && self->event.type == YAML_SCALAR_EVENT) {
        const char *key = (const char *)self->event.data.scalar.value;
        bool found = strlen (key) == length && strncmp (key, name, length) == 0;
        if (!s_next (self))
            return false;
        if (found)
            return true;
        if (!s_skip (self))
            return false;
    }
    return false;
}

/* From the start of a list to the first event of its item `index`. */
static bool s_seek_item (seeker_t *self, unsigned long index)
{
    while (s_next (self) && self->event.type != YAML_SEQUENCE_END_EVENT) {
        if (index-- == 0)
            return true;
        if (!s_skip (self))
            return false;
    }
    return false;
}

/* Moves to the first event of the value at `path`. */
static bool s_seek (seeker_t *self, const char *path)
{
    if (!s_next (self) || !s_next (self) || !s_next (self)) /* stream, document, the value */
        return false;
    while (*path != '\0') {
        if (*path == '[') {
            char *end = NULL;
            unsigned long index = strtoul (path + 1, &end, 10);
            assert (*end == ']');
            path = end + 1;
            if (self->event.type != YAML_SEQUENCE_START_EVENT || !s_seek_item (self, index))
                return false;
        } else {
            path += *path == '.' ? 1 : 0;
            size_t length = strcspn (path, ".[");
            if (self->event.type != YAML_MAPPING_START_EVENT || !s_seek_key (self, path, length))
                return false;
            path += length;
        }
    }
    return true;
}

/* The line of the value at `path`, from 1; 1 if it isn't there. */
static unsigned s_line_of (const char *text, size_t size, const char *path)
{
    seeker_t seeker;
    memset (&seeker, 0, sizeof seeker);
    if (!yaml_parser_initialize (&seeker.parser))
        return 1;
    yaml_parser_set_encoding (&seeker.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string (&seeker.parser, (const unsigned char *)text, size);
    unsigned line = s_seek (&seeker, path) ? (unsigned)seeker.event.start_mark.line + 1 : 1;
    if (seeker.has_event)
        yaml_event_delete (&seeker.event);
    yaml_parser_delete (&seeker.parser);
    assert (line > 0);
    return line;
}

int schema_problem (const char *file, const char *text, size_t size, const char *path, problem_t *problem,
                    const char *format, ...)
{
    assert (file != NULL && text != NULL && path != NULL);
    char what[PROBLEM_TEXT_MAX];
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (what, sizeof what, format, arguments);
    va_end (arguments);
    return problem_set (problem, "%s:%u: %s: %s", file, s_line_of (text, size, path), path, what);
}
