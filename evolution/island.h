/* SPDX-License-Identifier: MPL-2.0 */
/* One island of an archive: who lives on it, and how a parent is drawn from among them. For archive.c.
 *
 * Entries are named by their index in the archive's list, which the caller passes each time. Beside the list of members the island
 * keeps a sum tree of their weights for SELECT_DGM, and its *elite*: the best by rank and crowding (the population of NSGA-II), of
 * bounded size, so that ranking never takes longer however many candidates there are. */
#ifndef EVOMESH_EVOLUTION_ISLAND_H
#define EVOMESH_EVOLUTION_ISLAND_H

#include "evolution/archive.h"

#define ISLAND_ELITE 64
#define ISLAND_RENEW \
    256 /* weights that are brought up to date each time, when a new best has changed them all */
#define ISLAND_NOBODY UINT32_MAX

typedef struct {
    uint32_t entry;
    unsigned rank; /* number of its front within the elite, from 1 */
    double crowding;
} elite_t;

typedef struct {
    uint32_t *members; /* in order of joining; room for the archive's capacity */
    double *
        weights; /* weights[capacity + i] of entry i, 0 for who isn't here; each node sums its two children */
    size_t capacity; /* the archive's: a power of two */
    size_t count;
    uint32_t best;                   /* or ISLAND_NOBODY */
    size_t stale;                    /* entries whose weights may be older than the best */
    size_t cursor;                   /* the next of them */
    elite_t elite[ISLAND_ELITE + 1]; /* by rank; one place more, for who is tried */
    size_t elite_count;
} island_t;

/* True if `a` is better than `b`: nearer to the limits if one of them is past any, else by score. */
bool entry_better (const archive_entry_t *a, const archive_entry_t *b);

/* Makes room for entries up to `capacity`, a power of two above what there was. Returns 0 or ERROR_MEMORY, with nothing changed. */
int island_grow (island_t *self, size_t capacity);

/* Everybody leaves. */
void island_clear (island_t *self);

/* Frees what it holds. */
void island_free (island_t *self);

/* A valid entry joins; `count` entries are in the list. Aborts if there is no memory to sort 65 of them: a step can't be half done. */
void island_join (island_t *self, const objectives_t *objectives, const archive_entry_t *entries,
                  size_t count, uint32_t entry);

/* An entry that lives here, and isn't ranked, leaves. */
void island_leave (island_t *self, uint32_t entry);

/* An entry that lives here got a child. */
void island_reweigh (island_t *self, const archive_entry_t *entries, uint32_t entry);

/* Its fields, for a checkpoint (protocol/image.h): loaded into an island without members that has room for all `count` entries. */
void island_image (island_t *self, const archive_entry_t *entries, size_t count, image_t *image);

/* Draws a parent; there must be a member (asserted). */
uint32_t island_select (const island_t *self, const archive_entry_t *entries, selection_t how,
                        random_t *random);

/* The elite by entry_better, the first of equals first. Returns how many of at most `max`. */
size_t island_top (const island_t *self, const archive_entry_t *entries, uint32_t *top, size_t max);

#endif
