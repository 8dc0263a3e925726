/* SPDX-License-Identifier: MPL-2.0 */
/* All candidates that were ever measured here: lineage, metrics, verdict. Dominated ones stay as stepping stones (DGM).
 * Each operation takes time independent of the number of candidates, or logarithmic: ids are hashed, selection keeps running
 * sums. Only adding also looks at each candidate on the front, and a new best weighs all anew. */
#ifndef EVOMESH_EVOLUTION_ARCHIVE_H
#define EVOMESH_EVOLUTION_ARCHIVE_H

#include "crypto/random.h"
#include "evolution/objective.h"

#define ARCHIVE_TOURNAMENT 3    /* candidates drawn for SELECT_TOURNAMENT */
#define ARCHIVE_BEST_MIN   0.01 /* the best score counts as at least this, lest noise be blown up */

typedef struct archive archive_t;

typedef enum { SELECT_DGM, SELECT_PARETO, SELECT_TOURNAMENT, SELECT_BEST, SELECT_RANDOM } selection_t;

/* A candidate as the archive knows it. */
typedef struct {
    digest_t id;
    digest_t parents[2]; /* zero: none */
    metrics_t metrics;   /* medians here; count 0 if invalid */
    double score;        /* weighted improvement over the root; what selection goes by */
    bool valid;
    bool on_front; /* nothing dominates it; of candidates with the same metrics only the first */
    unsigned children;
} archive_entry_t;

/* An empty archive for these objectives (copied). NULL if out of memory. */
archive_t *archive_new (const objectives_t *objectives);
void archive_destroy (archive_t **self_p);

/* Adds a candidate and moves the front along. The first valid one is the root: scores are relative to it. At most two parents
 * (asserted); those that are here count one child more. `metrics` may be NULL if it isn't valid. An id that is there already
 * is ERROR_CONFLICT. Returns 0 or ERROR_MEMORY; on an error nothing has changed. */
int archive_add (archive_t *self, const digest_t *id, const digest_t *parents, size_t parent_count,
                 bool valid, const metrics_t *metrics);

/* Borrowed until the next archive_add; NULL if it isn't here. */
const archive_entry_t *archive_find (const archive_t *self, const digest_t *id);
size_t archive_count (const archive_t *self);
size_t archive_front_count (const archive_t *self);
const archive_entry_t *archive_front_at (const archive_t *self, size_t index); /* in order of adding */
const archive_entry_t *archive_at (const archive_t *self, size_t index);       /* in order of adding */
const archive_entry_t *
archive_best (const archive_t *self); /* highest score, the first of equals; NULL if none is valid */

/* Picks a parent among the valid ones; NULL if there is none. SELECT_DGM: probability in proportion to
 * sigmoid (10 (s − ½)) / (1 + children), s the score between the root's (0) and the best (1); below 0 for what is worse than
 * the root. SELECT_PARETO: any on the front. SELECT_TOURNAMENT: the best of three drawn.
 * Source: J. Zhang et al., "Darwin Gödel Machine" (2025), section on parent selection. */
const archive_entry_t *archive_select (const archive_t *self, selection_t how, random_t *random);

/* e^x by range reduction and a polynomial: the same bits on every machine, relative error below 1e-12 for |x| <= 50.
 * Beyond ±700 it counts as ±700. */
double archive_exp (double x);

#endif
