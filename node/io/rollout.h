/* SPDX-License-Identifier: MPL-2.0 */
/* Releases: the effects SNAPSHOT, APPLY and RESTORE. A release is the whole agent with a candidate's evolve files; `current`
 * points at the live one. A switch that fails changes nothing; one that is done while the disk doesn't take it for certain, or
 * while the service doesn't come back, is told as such. Ends with SNAPSHOT_TAKEN, APPLIED or RESTORED. */
#ifndef EVOMESH_NODE_IO_ROLLOUT_H
#define EVOMESH_NODE_IO_ROLLOUT_H

#include "node/io/workshop.h"

typedef struct releases releases_t;

/* As for evaluations. Destroying kills a restart that is under way. */
releases_t *releases_new (const workshop_t *workshop, job_done_fn *done, void *context);
void releases_destroy (releases_t **self_p);

/* Ends a restart that is under way; no event comes of it any more. */
void releases_abandon (releases_t *self);

/* At a node's start: makes `release` live if nothing or another is (a switch that the disk lost, a link that somebody moved), and says
 * whether it had to. The service isn't restarted. 0, or -1 with the problem. */
int releases_ensure (const workshop_t *workshop, const digest_t *release, bool *switched, problem_t *problem);

/* Lays the release out and syncs it. */
void releases_snapshot (releases_t *self, const snapshot_t *effect);
/* Switches, if `current` is at `from` (or at `release` already: a repeated effect after a crash), and restarts the service. */
void releases_apply (releases_t *self, const apply_t *effect);
/* Switches wherever `current` is, and restarts the service. */
void releases_restore (releases_t *self, const restore_t *effect);

#endif
