/* SPDX-License-Identifier: MPL-2.0 */
/* Parts of a document that are made of the code: printed, compared, or written between their markers. */
#ifndef EVOMESH_TESTS_DOCS_GENERATED_H
#define EVOMESH_TESTS_DOCS_GENERATED_H

#include "protocol/record.h"

/* What is generated, and the marker lines between which it stands. */
typedef struct {
    const char *begin, *end;
    void (*put) (buffer_t *out);
} section_t;

/* Appends a formatted text of less than 512 bytes. */
void generated_put (buffer_t *out, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

/* The main function of a program that knows these sections:
 *
 *     PROGRAM              prints them
 *     PROGRAM check FILE   fails unless FILE has them, as they are now, between their markers
 *     PROGRAM write FILE   puts them there
 *
 * Returns the exit status. */
int generated_main (int argc, char **argv, const section_t *sections, size_t count);

#endif
