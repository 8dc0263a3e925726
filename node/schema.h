/* SPDX-License-Identifier: MPL-2.0 */
/* Strict YAML for agent.yaml and node.yaml: libyaml's events against one small schema table each. Every problem names
 * file, line, key, what was found, what was expected. Pure: it reads a text, not a file. */
#ifndef EVOMESH_NODE_SCHEMA_H
#define EVOMESH_NODE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/error.h"

/* The type of a key's value; quantities carry units in the text: "20s", "500ms", "2m", "512MiB", "64KiB". */
typedef enum {
    SCHEMA_TEXT,     /* char[bound + 1] */
    SCHEMA_BOOL,     /* bool */
    SCHEMA_INTEGER,  /* uint64_t, within [minimum, maximum] */
    SCHEMA_REAL,     /* double, finite, within [minimum, maximum] */
    SCHEMA_DURATION, /* uint64_t milliseconds */
    SCHEMA_BYTES,    /* uint64_t bytes */
    SCHEMA_CHOICE,   /* int: index into `choices` */
    SCHEMA_TEXTS,    /* a list of texts (a lone text counts as a list of one): handed to `add` one by one */
    SCHEMA_MAP,      /* nested keys: `of` */
    SCHEMA_MAPS      /* a list of maps: `add` makes room for each and returns where its keys go */
} schema_type_t;

typedef struct schema_key schema_key_t;
struct schema_key {
    const char *name;
    schema_type_t type;
    size_t offset;      /* of the value in the enclosing struct */
    size_t bound;       /* TEXT: characters; TEXTS, MAPS: items at most */
    double minimum;     /* INTEGER, REAL, DURATION (ms), BYTES */
    double maximum;
    const char *const *choices;            /* CHOICE: NULL-terminated */
    const schema_key_t *of;                /* MAP, MAPS: ends with a NULL name */
    bool required;
    size_t seen_offset; /* where a bool "was given" stands in the struct; 0: nowhere */
    /* TEXTS: takes one text, returns NULL or what was wrong. MAPS: returns the struct for the next item, or NULL if full. */
    const char *(*add_text) (void *object, const char *text);
    void *(*add_map) (void *object);
    const char *expected; /* for the problem, e.g. "a duration such as 20s"; NULL: made from the type */
};

/* Reads `text` into `object` (defaults already there) by the table `keys` (ends with a NULL name). Unknown and
 * duplicate keys, missing required ones, anchors, tags and several documents are problems. `file` names it in problems.
 * Returns 0 or -1 with the problem. */
int schema_read (const char *file, const char *text, size_t size, const schema_key_t *keys, void *object,
                 problem_t *problem);

/* "20s" → 20000; "512MiB" → bytes. Return 0, or -1 if the text is anything else (e.g. "20parsecs"). */
int schema_duration_ms (const char *text, uint64_t *ms);
int schema_bytes (const char *text, uint64_t *bytes);

#endif
