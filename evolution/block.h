/* SPDX-License-Identifier: MPL-2.0 */
/* Blocks: the parts of an evolve file that may change, where its author marked some. The markers are words in comments of any
 * style, each on a line of its own:
 *
 *   # EVOLVE-BLOCK-START
 *   … may change …
 *   # EVOLVE-BLOCK-END
 *
 * All else, the lines of the markers included, stays as it was at the start. A file without markers may change everywhere. */
#ifndef EVOMESH_EVOLUTION_BLOCK_H
#define EVOMESH_EVOLUTION_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "protocol/error.h"

#define BLOCK_START "EVOLVE-BLOCK-START"
#define BLOCK_END   "EVOLVE-BLOCK-END"

/* True if there is a marker anywhere in the text. */
bool blocks_marked (const char *text, size_t size);

/* Are the markers of a start in order: each block opened once, closed once, one marker on a line? 0, or -1 with the line of the
 * first that is not as the problem. */
int blocks_check (const char *text, size_t size, problem_t *problem);

/* Has `text` changed only within the blocks of `start` (which has markers)? 0, or -1 with the line that differs as the problem. A marker
 * that is gone, or new, is a difference too. */
int blocks_compare (const char *start, size_t start_size, const char *text, size_t size, problem_t *problem);

#endif
