/* SPDX-License-Identifier: MPL-2.0 */
/* The archivist keeps archive.git up with the store: each measured candidate becomes a commit on those of its parents, each
 * release a ref. When half of what it holds are candidates whose files were dropped, it is made anew of those that are kept, a few at
 * a time as ever; where a parent was dropped, the nearest of its ancestors that is kept stands for it. What fails here is logged and
 * tried again at the next start: the archive is derived, the store is what counts. */
#ifndef EVOMESH_NODE_IO_ARCHIVIST_H
#define EVOMESH_NODE_IO_ARCHIVIST_H

#include "node/io/workshop.h"

typedef struct archivist archivist_t;

/* Opens the archive; its first commit is `start`, what the group started from. `workshop` is borrowed. NULL with the problem. */
archivist_t *archivist_new (const workshop_t *workshop, const digest_t *start, problem_t *problem);
/* Writes what waits. */
void archivist_destroy (archivist_t **self_p);

/* Commits up to `max` candidates that the archive lacks, oldest first. Returns true if there may be more. */
bool archivist_step (archivist_t *self, size_t max);

/* The files of these trees are dropped: those of them that the archive holds it need not hold. */
void archivist_dropped (archivist_t *self, const hash_t *dropped, size_t count);

/* The live release is `release` now. */
void archivist_release (archivist_t *self, const digest_t *release);

#endif
