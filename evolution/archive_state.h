/* SPDX-License-Identifier: MPL-2.0 */
/* The inside of the archive, for evolution/archive*.c only. */
#ifndef EVOMESH_EVOLUTION_ARCHIVE_STATE_H
#define EVOMESH_EVOLUTION_ARCHIVE_STATE_H

#include "evolution/island.h"

#define NOBODY ISLAND_NOBODY

/* All arrays grow together, by doubling, so that a candidate's place is made before anything changes. */
struct archive {
    objectives_t objectives;
    islands_t settings;
    archive_entry_t *entries; /* in order of adding */
    size_t count;
    size_t capacity; /* a power of two */
    uint32_t *slots; /* 2 × capacity; index of an entry, or NOBODY: open addressing by id */
    uint32_t *twins; /* the same by tokens, for entries that have some */
    uint32_t front[ARCHIVE_FRONT_MAX + 1]; /* indices of the entries that nothing dominates, in order */
    size_t front_count;
    uint32_t root; /* the first valid entry */
    uint32_t best;
    size_t dropped;
    size_t since_migration; /* candidates added */
    island_t islands[ARCHIVE_ISLANDS_MAX];
};

/* --- archive.c --- */
/* Makes room for twice as many entries. 0 or ERROR_MEMORY, with nothing lost. */
int archive_grow (archive_t *self);
/* Enters an entry into both tables; of twins the first stays. */
void archive_register (archive_t *self, uint32_t index);

/* --- archive_front.c --- */
/* Puts a valid entry on the front unless one there is as good everywhere; takes off those that it dominates. Aborts if a front that
 * grew too large can't be sorted for want of memory. */
void front_advance (archive_t *self, uint32_t entry);

#endif
