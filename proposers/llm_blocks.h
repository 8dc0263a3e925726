/* SPDX-License-Identifier: MPL-2.0 */
/* The changes in a model's answer: SEARCH/REPLACE blocks, each with the path of its file on a line above it.
 *
 *   priority.c
 *   <<<<<<< SEARCH
 *   what stands there
 *   =======
 *   what is to stand there
 *   >>>>>>> REPLACE */
#ifndef EVOMESH_PROPOSERS_LLM_BLOCKS_H
#define EVOMESH_PROPOSERS_LLM_BLOCKS_H

#include "protocol/record.h"

#define LLM_BLOCKS_MAX 64 /* in one answer; with more it is refused */

/* All texts are parts of the answer. */
typedef struct {
    text_t
        heading; /* the last line above the block that says something, not trimmed; empty if there is none */
    text_t search;  /* whole lines, each with its newline */
    text_t replace; /* likewise */
} llm_block_t;

typedef struct {
    llm_block_t items[LLM_BLOCKS_MAX];
    size_t count;
} llm_blocks_t;

/* Finds the blocks. Returns 0 if there is one at least and each is whole; else -1 with what the model should be told. */
int llm_blocks_parse (text_t answer, llm_blocks_t *blocks, problem_t *problem);

/* The first line of the answer that says something and stands before any block: what the model tried. Empty if none. */
text_t llm_blocks_summary (text_t answer);

/* The number of the candidate that the answer says, before any block, it took something over from; 0 if it says none. */
size_t llm_blocks_crossed (text_t answer);

/* Takes the next line, with its newline if it has one, off the front of `rest`; false at the end. */
bool llm_next_line (text_t *rest, text_t *line);

/* The text without white space at both ends. */
text_t llm_trim (text_t text);

#endif
