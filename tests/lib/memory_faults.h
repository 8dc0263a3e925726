/* SPDX-License-Identifier: MPL-2.0 */
/* Makes an allocation fail when a test says so. Link the program with MEMORY_FAULTS_LINK_OPTIONS (tests/unit/protocol). */
#ifndef EVOMESH_TESTS_LIB_MEMORY_FAULTS_H
#define EVOMESH_TESTS_LIB_MEMORY_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

/* Lets `count` allocations (malloc, calloc, realloc) pass; the next fails, those after it pass again. */
void memory_fault_after (size_t count);

/* Ends that. True if an allocation failed meanwhile. */
bool memory_fault_end (void);

#endif
