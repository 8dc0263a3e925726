/* SPDX-License-Identifier: MPL-2.0 */
/* All candidates that were ever measured here: lineage, metrics, verdict. Dominated ones stay as stepping stones (DGM).
 *
 * They live on islands (evolution/island.h), which breed apart: parents and inspirations come from one island, and the child joins
 * it. After every so many candidates the best of each island join the next one too, round a ring; so all learn what one has found,
 * and yet not all at once. One island is the default.
 *
 * Each operation takes time that is bounded, or logarithmic in the number of candidates: ids are hashed, selection keeps running sums,
 * the front and what is ranked of an island have bounds. Only the arrays' doubling takes longer, ever more rarely. */
#ifndef EVOMESH_EVOLUTION_ARCHIVE_H
#define EVOMESH_EVOLUTION_ARCHIVE_H

#include "crypto/random.h"
#include "evolution/objective.h"

#define ARCHIVE_TOURNAMENT     3    /* candidates drawn for SELECT_TOURNAMENT */
#define ARCHIVE_BEST_MIN       0.01 /* the best score counts as at least this, lest noise be blown up */
#define ARCHIVE_FRONT_MAX      1024 /* of a larger front the most crowded are no longer counted in */
#define ARCHIVE_ISLANDS_MAX    16
#define ARCHIVE_EVERYWHERE     ARCHIVE_ISLANDS_MAX /* in place of an island: on all of them */
#define ARCHIVE_INSPIRATIONS   8                   /* of a kind, at most */
#define ARCHIVE_INTERVAL_BOUND 1000000             /* of migration_interval */

typedef struct archive archive_t;

typedef enum { SELECT_DGM, SELECT_PARETO, SELECT_TOURNAMENT, SELECT_BEST, SELECT_RANDOM } selection_t;

/* How the archive is divided. */
typedef struct {
    size_t count;              /* of islands, 1 to ARCHIVE_ISLANDS_MAX */
    size_t migration_interval; /* candidates between two migrations, at least 1 */
    double
        migration_fraction; /* of an island's elite that goes on to the next, 0 to 1; one at least, unless it is 0 */
} islands_t;

/* A candidate that was measured, to be added. */
typedef struct {
    digest_t id;
    digest_t tokens; /* of its files but for comments and spaces; zero: not known */
    digest_t parents[2];
    size_t parent_count; /* two at most */
    size_t island;       /* the one it was bred on, or ARCHIVE_EVERYWHERE */
    bool valid;
    const metrics_t *metrics; /* borrowed; NULL if it isn't valid */
} archive_candidate_t;

/* A candidate as the archive knows it. */
typedef struct {
    digest_t id;
    digest_t tokens;
    digest_t parents[2]; /* zero: none */
    metrics_t metrics;   /* medians here; count 0 if invalid */
    double violation;    /* how far past its limits; 0: feasible */
    double score; /* weighted improvement over the root, what selection goes by; past a limit −violation */
    bool valid;
    bool dropped;      /* its files are gone: it is known, and never chosen */
    bool pinned;       /* never dropped */
    bool withdrawn;    /* rolled back, or made of what was: see archive_withdraw */
    bool on_front;     /* nothing dominates it; of candidates with the same metrics only the first */
    uint8_t home;      /* island that it was bred on; ARCHIVE_EVERYWHERE */
    uint32_t islands;  /* a bit for each that it lives on */
    unsigned children; /* on all of them */
} archive_entry_t;

/* An empty archive for these objectives (copied), with one island. NULL if out of memory. */
archive_t *archive_new (const objectives_t *objectives);
void archive_destroy (archive_t **self_p);

/* Divides the archive as told (bounds asserted). If the number of islands changes, everybody moves back to where they were bred,
 * counted round the new islands; what lived everywhere does so again. Returns 0 or ERROR_MEMORY, with nothing changed. */
int archive_settle (archive_t *self, const islands_t *islands);

/* How many islands there are. */
size_t archive_islands (const archive_t *self);

/* Adds a candidate and moves the front along. The first valid one is the root: scores are relative to it, and it lives
 * everywhere. Parents that are here count one child more. Returns 0; ERROR_CONFLICT for an id that is there already, ERROR_INPUT for
 * metrics that are not finite numbers, one for each objective, ERROR_MEMORY; on an error nothing has changed. */
int archive_add (archive_t *self, const archive_candidate_t *candidate);

/* Borrowed until the next archive_add; NULL if it isn't here. */
const archive_entry_t *archive_find (const archive_t *self, const digest_t *id);

/* The first candidate that is the same but for comments and spaces; NULL if there is none, or `tokens` is zero. */
const archive_entry_t *archive_twin (const archive_t *self, const digest_t *tokens);

/* A candidate that is here is never dropped from now on. */
void archive_pin (archive_t *self, const digest_t *id);

/* What was rolled back is withdrawn, with all that is made of it, now or later: nobody should breed from what did harm. It stays on the
 * front, where it measured well. Aborts when out of memory. Takes time in proportion to all candidates. */
void archive_withdraw (archive_t *self, const digest_t *id);
/* It is live again: one may breed from it, too. What was made of it before stays withdrawn. */
void archive_readmit (archive_t *self, const digest_t *id);
/* Is it here, and withdrawn? */
bool archive_is_withdrawn (const archive_t *self, const digest_t *id);

/* Drops the oldest `max` of those that may be: all but the root, the front, what is ranked of an island (so the best, too), what is pinned,
 * and `spared`. Who was dropped leaves its islands, so that it is neither parent nor inspiration; it stays known, with its figures, so
 * that nobody measures it twice. Writes their ids to `dropped`, returns how many. Aborts when out of memory. Takes time in proportion to
 * all candidates: for many at a time. */
size_t archive_drop (archive_t *self, const digest_t *spared, size_t spared_count, size_t max,
                     digest_t *dropped);

/* Those that were not dropped. */
size_t archive_kept (const archive_t *self);

size_t archive_count (const archive_t *self);
size_t archive_front_count (const archive_t *self);

/* Picks a parent among the valid ones of an island; NULL if there is none. SELECT_DGM: probability in proportion to
 * sigmoid (10 (s − ½)) / (1 + children), s the score between the root's (0) and the island's best (1); below 0 for what is worse than
 * the root. SELECT_PARETO: of two drawn from the island's first front, the one with more room around it (crowding distance).
 * SELECT_TOURNAMENT: the best of three drawn.
 * Source: J. Zhang et al., "Darwin Gödel Machine" (2025), section on parent selection. */
const archive_entry_t *archive_select (const archive_t *self, size_t island, selection_t how,
                                       random_t *random);

/* The best of an island, the best first, ARCHIVE_INSPIRATIONS at most. Returns how many. */
size_t archive_top (const archive_t *self, size_t island, const archive_entry_t *top[ARCHIVE_INSPIRATIONS]);

/* Of an island's elite those that are farthest, in what was measured, from `known` and from one another; none with the same metrics
 * as another. ARCHIVE_INSPIRATIONS at most; returns how many. */
size_t archive_diverse (const archive_t *self, size_t island, const archive_entry_t *const known[],
                        size_t known_count, const archive_entry_t *diverse[ARCHIVE_INSPIRATIONS]);

/* Hypervolume of the front (see pareto_hypervolume), exact for one and two objectives. With more, of those on it that have most room
 * around them: so many that it takes a bounded time; `points` (may be NULL) tells how many. −1 when out of memory. */
double archive_hypervolume (const archive_t *self, const metrics_t *reference, size_t *points);

/* Its fields, for a checkpoint: see protocol/image.h. It is loaded into an archive that is as archive_new gives it, for the same
 * objectives; if that fails, it may only be destroyed. */
void archive_image (archive_t *self, image_t *image);

/* e^x by range reduction and a polynomial: the same bits on every machine, relative error below 1e-12 for |x| <= 50.
 * Beyond ±700 it counts as ±700. */
double archive_exp (double x);

#endif
