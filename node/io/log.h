/* SPDX-License-Identifier: MPL-2.0 */
/* The log: one line an event on stderr, as journald likes it: "time=… level=info node=alpha event=ready …". */
#ifndef EVOMESH_NODE_IO_LOG_H
#define EVOMESH_NODE_IO_LOG_H

#include "node/effect.h"

typedef enum { LEVEL_DEFAULT, LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO, LEVEL_DEBUG } log_level_t;

/* Lines above `level` are left out from now on; LEVEL_DEFAULT is LEVEL_INFO. `name` (borrowed text is copied; may be NULL) stands in
 * each line. For the one thread of the node; a process logs from one place. */
void log_open (log_level_t level, const char *name);

/* "error", "warning", "info", "debug"; LEVEL_DEFAULT for a text that is none. */
log_level_t log_level_parse (const char *text);

/* Writes one line: the level, the time (UTC), the event's name, then `format` (key=value pairs; may be ""). Line breaks and other
 * control characters in it are written as spaces, so that a line stays one. */
void log_line (log_level_t level, const char *event, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));

/* Writes an event, whole: "event=improvement_rejected modification_id=clql74pq improvement=-0.39% reason=worse error="…"". What peers
 * tell of themselves is for LEVEL_DEBUG. `self` is this node's id. */
void log_event (const notify_t *event, const pubkey_t *self);

#endif
