/* SPDX-License-Identifier: MPL-2.0 */
/* All candidates that were ever measured here: lineage, metrics, verdict. Dominated ones stay as stepping stones (DGM).
 * Each operation takes time independent of the number of candidates, or logarithmic; selection keeps running sums. */
#ifndef EVOMESH_EVOLUTION_ARCHIVE_H
#define EVOMESH_EVOLUTION_ARCHIVE_H

#include "crypto/random.h"
#include "evolution/objective.h"

typedef struct archive archive_t;

typedef enum { SELECT_DGM, SELECT_PARETO, SELECT_TOURNAMENT, SELECT_BEST, SELECT_RANDOM } selection_t;

/* A candidate as the archive knows it. */
typedef struct {
    digest_t id;
    digest_t parents[2]; /* zero: none */
    metrics_t metrics;   /* medians here; count 0 if invalid */
    double score;        /* weighted improvement over the root; what selection goes by */
    bool valid;
    bool on_front;
    unsigned children;
} archive_entry_t;

archive_t *archive_new (const objectives_t *objectives);
void archive_destroy (archive_t **self_p);

/* Adds a candidate and moves the front along. The first valid one is the root: scores are relative to it.
 * An id that is there already is ERROR_CONFLICT. Returns 0 or ERROR_MEMORY. */
int archive_add (archive_t *self, const digest_t *id, const digest_t *parents, size_t parent_count, bool valid,
                 const metrics_t *metrics);

/* Borrowed until the next archive_add; NULL if it isn't here. */
const archive_entry_t *archive_find (const archive_t *self, const digest_t *id);
size_t archive_count (const archive_t *self);
size_t archive_front_count (const archive_t *self);
const archive_entry_t *archive_at (const archive_t *self, size_t index); /* in order of adding */
const archive_entry_t *archive_best (const archive_t *self);             /* highest score; NULL if none is valid */

/* Picks a parent among the valid ones; NULL if there is none. SELECT_DGM: probability in proportion to
 * sigmoid (10 (s − ½)) / (1 + children), s the score between the root's (0) and the best (1).
 * Source: J. Zhang et al., "Darwin Gödel Machine" (2025), section on parent selection. */
const archive_entry_t *archive_select (const archive_t *self, selection_t how, random_t *random);

/* e^x by range reduction and a polynomial: the same bits on every machine, relative error below 1e-12 for |x| <= 50. */
double archive_exp (double x);

#endif
