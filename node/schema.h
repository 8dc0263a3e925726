/* SPDX-License-Identifier: MPL-2.0 */
/* Strict YAML for agent.yaml and node.yaml: libyaml's events against one small schema table each. Every
 * problem names file, line, key, what was found, what was expected:
 *
 *   agent.yaml:7: objectives[1].goal: found "minimise", expected maximize or minimize
 *
 * Pure: it reads a text, not a file. libyaml's events, because they carry the line of every key and value. */
#ifndef EVOMESH_NODE_SCHEMA_H
#define EVOMESH_NODE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/error.h"

#define SCHEMA_FILE_BYTES  65536 /* a larger text is refused unread */
#define SCHEMA_KEYS_MAX    64    /* keys of one table */
#define SCHEMA_QUOTE_BYTES 72    /* of a text shown in a problem, quotes and terminator included */

/* The type of a key's value; quantities carry units in the text: "20s", "500ms", "2m", "512MiB", "64KiB". */
typedef enum {
    SCHEMA_TEXT,     /* char[bound + 1]; one line, no control characters */
    SCHEMA_BOOL,     /* bool */
    SCHEMA_INTEGER,  /* uint64_t, within [minimum, maximum] */
    SCHEMA_REAL,     /* double, finite, within [minimum, maximum] */
    SCHEMA_DURATION, /* uint64_t milliseconds */
    SCHEMA_BYTES,    /* uint64_t bytes */
    SCHEMA_CHOICE,   /* int: index into `choices` */
    SCHEMA_TEXTS, /* a list of texts (a lone text counts as a list of one): handed to `add_text` one by one */
    SCHEMA_REALS, /* a map of names of the user's own to numbers: handed to `add_real` one by one */
    SCHEMA_MAP,   /* nested keys: `of`; their offsets count from this key's */
    SCHEMA_MAPS   /* a list of maps: `add_map` makes room for each and returns where its keys go */
} schema_type_t;

typedef struct schema_key schema_key_t;
struct schema_key {
    const char *name;
    schema_type_t type;
    size_t offset; /* of the value in the enclosing struct */
    size_t bound;  /* TEXT: bytes; TEXTS, REALS, MAPS: items at most */
    double
        minimum; /* INTEGER, REAL, DURATION (ms), BYTES; TEXT: bytes at least; TEXTS, REALS, MAPS: items at least */
    double maximum;             /* of the numbers; with both at 0, any value of the type will do */
    const char *const *choices; /* CHOICE: NULL-terminated */
    const schema_key_t *of;     /* MAP, MAPS: ends with a NULL name */
    bool required;
    size_t seen_offset; /* where a bool "was given" stands in the struct; 0: nowhere */
    bool (*accept_text) (
        const char *text); /* TEXT: a further condition, which `expected` states; may be NULL */
    /* TEXTS, REALS: takes one item, returns NULL or what was expected instead. MAPS: returns the struct for the next
     * item, or NULL if full. `object` is the struct that holds the list. */
    const char *(*add_text) (void *object, const char *text);
    const char *(*add_real) (void *object, const char *name, double value);
    void *(*add_map) (void *object);
    const char *expected; /* for the problem, e.g. "a duration such as 20s"; NULL: made from the type */
};

/* Reads `text` into `object` (defaults already there) by the table `keys` (ends with a NULL name). Unknown
 * and duplicate keys, missing required ones, anchors, tags and several documents are problems. `file` names
 * it in problems. Returns 0 or -1 with the problem; `object` may be half filled then. */
int schema_read (const char *file, const char *text, size_t size, const schema_key_t *keys, void *object,
                 problem_t *problem);

/* Sets "file:line: path: what", with the line on which the value at `path` ("objectives[1].name") stands in
 * `text`, or line 1 if it isn't there. For conditions that a table can't state. Returns -1. */
int schema_problem (const char *file, const char *text, size_t size, const char *path, problem_t *problem,
                    const char *format, ...) __attribute__ ((format (printf, 6, 7)));

/* "20s" → 20000; "512MiB" → bytes. Units: ms, s, m, h; B, KiB, MiB, GiB. Return 0, or -1 if the text is
 * anything else (e.g. "20parsecs", "20", or what doesn't fit); the number is left alone then. */
int schema_duration_ms (const char *text, uint64_t *ms);
int schema_bytes (const char *text, uint64_t *bytes);

/* Converts one scalar as `key` (TEXT … CHOICE) says into `slot`. `quoted`: it stood in quotes, so it is no
 * number and no bool. Returns true if it was fit. */
bool schema_convert (const schema_key_t *key, const char *text, size_t size, bool quoted, void *slot);

/* Writes what `key` expects, e.g. "a whole number from 1 to 64". */
void schema_expected (const schema_key_t *key, char *text, size_t size);

/* Writes `size` bytes of text in quotes, shortened, without control characters: safe to show. */
void schema_quote (const char *text, size_t size, char quoted[SCHEMA_QUOTE_BYTES]);

#endif
