/* SPDX-License-Identifier: MPL-2.0 */
/* Texts as lists of lines, and where one list stands in another. */
#ifndef EVOMESH_PROPOSERS_LLM_LINES_H
#define EVOMESH_PROPOSERS_LLM_LINES_H

#include "proposers/llm_blocks.h"

/* Zero-initialise; llm_lines_clear frees. Each line has its newline, the last one of a text may have none. */
typedef struct {
    text_t *items; /* parts of the text */
    size_t count;
} llm_lines_t;

/* Splits a text, which is borrowed. Returns 0, or -1 when out of memory. */
int llm_lines_split (text_t text, llm_lines_t *lines);
void llm_lines_clear (llm_lines_t *lines);

typedef enum { LLM_EXACT, LLM_TOLERANT } llm_fit_t;

/* True if the lines are the same; tolerant: but for white space. The line end doesn't count in either. */
bool llm_line_fits (text_t a, text_t b, llm_fit_t fit);

/* How often `part` (one line at least) stands in `whole`, and where first; each place counts from where the one before ends. */
size_t llm_lines_find (const llm_lines_t *whole, const llm_lines_t *part, llm_fit_t fit, size_t *at);

/* Where in `whole` most lines of `part` stand as in it, white space aside; false if none does. */
bool llm_lines_nearest (const llm_lines_t *whole, const llm_lines_t *part, size_t *at);

/* `lines` without blank ones at both ends: a part of the same list, not to be cleared. */
llm_lines_t llm_lines_trim (const llm_lines_t *lines);

/* The white space in front of the first line that isn't blank. */
text_t llm_lines_indent (const llm_lines_t *lines);

#endif
