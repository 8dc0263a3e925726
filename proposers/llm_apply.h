/* SPDX-License-Identifier: MPL-2.0 */
/* Applies SEARCH/REPLACE blocks to the files that may change. All of them fit, or nothing changes and the model is told why. */
#ifndef EVOMESH_PROPOSERS_LLM_APPLY_H
#define EVOMESH_PROPOSERS_LLM_APPLY_H

#include "proposers/llm_blocks.h"

#define LLM_REPORT_BYTES 8192 /* of what a model is told of an answer that doesn't fit; more is cut */

/* A file that may change. */
typedef struct {
    const char *path; /* borrowed */
    buffer_t text;
} llm_file_t;

/* Applies the blocks one after the other. The lines of SEARCH must stand in the file exactly once: as they are, or else with
 * other white space; then the replacement takes the file's indentation and line ends. An empty SEARCH stands for the whole
 * file. A block whose heading names no file is for the file of the one before it, or for the only one there is. Where a file marks
 * what may change (evolution/block.h), the rest must stay.
 * Returns 0, or -1 with the files as they were and `report`: each block that doesn't fit, why, and the most similar lines. Also
 * -1 if nothing would change, or when out of memory. */
int llm_apply (llm_file_t *files, size_t count, const llm_blocks_t *blocks, char report[LLM_REPORT_BYTES]);

#endif
