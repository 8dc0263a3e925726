/* SPDX-License-Identifier: MPL-2.0 */
/* Candidates laid out on disk for their runs. A trial runs the same two candidates many times, so the last few stay. */
#ifndef EVOMESH_NODE_IO_CHECKOUT_H
#define EVOMESH_NODE_IO_CHECKOUT_H

#include "node/io/workshop.h"

#define CHECKOUTS_KEPT 8 /* unused ones; the one used longest ago is removed first */

typedef struct checkouts checkouts_t;

checkouts_t *checkouts_new (const workshop_t *workshop);
/* Removes all of them. */
void checkouts_destroy (checkouts_t **self_p);

/* The directory of the whole agent with the evolve files of `candidate`; made if it isn't there. Borrowed until
 * checkouts_return, which must follow. NULL with the problem. Runs get it read-only, so several may share it. */
const char *checkouts_take (checkouts_t *self, const digest_t *candidate, problem_t *problem);
void checkouts_return (checkouts_t *self, const digest_t *candidate);

/* How many directories there are. */
size_t checkouts_count (const checkouts_t *self);

#endif
