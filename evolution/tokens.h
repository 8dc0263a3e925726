/* SPDX-License-Identifier: MPL-2.0 */
/* What a program says, without its comments and spaces: so that a candidate that only looks different isn't measured again.
 *
 * Only where nothing else can be meant: C and its like (C++, Java, C#) lose comments, indentation, blank lines and the spaces between
 * words and signs; other runs of spaces count as one. Python keeps its indentation. Line ends stay. Every other file, and one with
 * a notation that isn't followed here (raw strings, text blocks, macros that look at the text), counts byte for byte. */
#ifndef EVOMESH_EVOLUTION_TOKENS_H
#define EVOMESH_EVOLUTION_TOKENS_H

#include "protocol/record.h"

/* Appends what the text of the file at `path` (whose ending names its language) says. */
void tokens_write (const char *path, const char *text, size_t size, buffer_t *out);

#endif
