/* SPDX-License-Identifier: MPL-2.0 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime, gmtime_r */
#include "node/io/log.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 2048

static log_level_t s_level = LEVEL_INFO;
static char s_name[64];

static const char *const s_names[] = {"default", "error", "warning", "info", "debug"};

void log_open (log_level_t level, const char *name)
{
    s_level = level == LEVEL_DEFAULT ? LEVEL_INFO : level;
    snprintf (s_name, sizeof s_name, "%s", name == NULL ? "" : name);
}

log_level_t log_level_parse (const char *text)
{
    for (log_level_t level = LEVEL_ERROR; level <= LEVEL_DEBUG; level++)
        if (strcmp (s_names[level], text) == 0)
            return level;
    return LEVEL_DEFAULT;
}

static size_t s_head (log_level_t level, const char *event, char *line)
{
    struct timespec now;
    struct tm utc;
    char when[32];
    clock_gettime (CLOCK_REALTIME, &now);
    gmtime_r (&now.tv_sec, &utc);
    strftime (when, sizeof when, "%Y-%m-%dT%H:%M:%S", &utc);
    int size =
        snprintf (line, LINE_BYTES, "time=%s.%03ldZ level=%s%s%s event=%s ", when, now.tv_nsec / 1000000,
                  s_names[level], s_name[0] == '\0' ? "" : " node=", s_name, event);
    assert (size > 0 && size < LINE_BYTES);
    return (size_t)size;
}

void log_line (log_level_t level, const char *event, const char *format, ...)
{
    assert (level >= LEVEL_ERROR && level <= LEVEL_DEBUG && strlen (event) < LINE_BYTES / 4);
    if (level > s_level)
        return;
    char line[LINE_BYTES + 1];
    size_t size = s_head (level, event, line);
    va_list arguments;
    va_start (arguments, format);
    int more = vsnprintf (line + size, LINE_BYTES - size, format, arguments);
    va_end (arguments);
    assert (more >= 0);
    size = strlen (line);
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = ' ';
    while (size > 0 && line[size - 1] == ' ')
        size--;
    line[size++] = '\n';
    /* One write, so that lines of several processes on one terminal do not mix. A lost line is no reason to end. */
    ssize_t written = write (STDERR_FILENO, line, size);
    (void)written;
}

/* " key=value", the value in quotes where it holds a space; a quote in it is written as an apostrophe. */
static void s_pair (buffer_t *line, const char *key, text_t value)
{
    bool quoted = value.size == 0 || memchr (value.data, ' ', value.size);
    buffer_append (line, " ", 1);
    buffer_append (line, key, strlen (key));
    buffer_append (line, "=\"", quoted ? 2 : 1);
    for (size_t i = 0; i < value.size; i++)
        buffer_append (line, value.data[i] == '"' ? "'" : &value.data[i], 1);
    buffer_append (line, "\"", quoted ? 1 : 0);
}

void log_event (const notify_t *event, const pubkey_t *self)
{
    assert (event != NULL && self != NULL);
    buffer_t line = {0};
    char type[LIMIT_NAME + 1], key[LIMIT_NAME + 1], id[DIGEST_SHORT_BYTES], gain[32];
    bool ours = pubkey_equal (&event->agent_id, self);
    text_copy (event->type, type, sizeof type);
    if (!ours) {
        pubkey_short (&event->agent_id, id);
        s_pair (&line, "agent_id", text_of (id));
    }
    if (!digest_is_zero (&event->modification_id)) {
        digest_short (&event->modification_id, id);
        s_pair (&line, "modification_id", text_of (id));
    }
    if (isfinite (event->performance_improvement)) {
        (void)snprintf (gain, sizeof gain, "%+.2f%%", 100 * event->performance_improvement);
        s_pair (&line, "improvement", text_of (gain));
    }
    for (size_t i = 0; i < event->metadata.count; i++) {
        text_copy (event->metadata.items[i].key, key, sizeof key);
        s_pair (&line, key, event->metadata.items[i].value);
    }
    if (event->error_message.size)
        s_pair (&line, "error", event->error_message);
    assert (!line.failed);
    log_line (ours ? LEVEL_INFO : LEVEL_DEBUG, type, "%.*s", line.size ? (int)line.size - 1 : 0,
              line.size ? (const char *)line.data + 1 : "");
    buffer_clear (&line);
}
