/* SPDX-License-Identifier: MPL-2.0 */
/* What a request tells of other candidates, as rows of parameters: for tune. */
#ifndef EVOMESH_PROPOSERS_TUNE_KNOWN_H
#define EVOMESH_PROPOSERS_TUNE_KNOWN_H

#include <jansson.h>

#include "proposers/differ.h"

/* A file that may evolve, as it is in the parent. */
typedef struct {
    const char *path; /* borrowed from the request */
    char *text;
    size_t size;
    literals_t literals;
    size_t first; /* its first parameter */
} source_t;

typedef struct {
    known_t known;
    double *values; /* what its rows point into */
} tune_known_t;

/* Reads the values of a file's marks from a candidate's text of it. False if that is none, or has other marks than the parent's. */
bool tune_known_values (const source_t *source, const json_t *text, double *values);

/* Reads "inspirations", "recent" and "number". A candidate counts if it has its files, with the same marks as the parent's, and a
 * metric for each objective; others are left out. tune_known_clear frees. False, and nothing to clear, when
 * out of memory. */
bool tune_known_read (tune_known_t *self, const json_t *request, const source_t *sources, size_t source_count,
                      size_t parameter_count);
void tune_known_clear (tune_known_t *self);

#endif
