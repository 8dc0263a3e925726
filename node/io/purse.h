/* SPDX-License-Identifier: MPL-2.0 */
/* What was spent on models, kept in the store. Before a program may spend anything, the most that it may spend is set aside, on
 * disk; when it ended, what it really spent is counted. After a crash what was set aside counts as spent: nobody knows better. */
#ifndef EVOMESH_NODE_IO_PURSE_H
#define EVOMESH_NODE_IO_PURSE_H

#include "evolution/spending.h"
#include "node/io/store.h"

typedef struct {
    store_t *store; /* borrowed */
    spending_t caps;
    spending_t spent;
    spending_t aside;
} purse_t;

/* Reads it from the store; what is not there yet is empty. 0, or -1 with the problem. */
int purse_open (purse_t *self, store_t *store, const spending_t *caps, problem_t *problem);

/* What may still be set aside. */
spending_t purse_left (const purse_t *self);

/* True if a cap is reached by what is spent: nothing will ever be left. */
bool purse_is_empty (const purse_t *self);

/* True if nothing may be set aside now, as all that isn't spent is set aside: some of it may come back. */
bool purse_is_held (const purse_t *self);

/* Sets aside `wanted`, or as much of it as is left, and tells how much that is. 0 once it is on disk; else -1 with the problem. */
int purse_set_aside (purse_t *self, const spending_t *wanted, spending_t *allowed, problem_t *problem);

/* What was set aside is given back, and what was spent of it counts. Nothing is lost if the disk is full: then the next
 * write tells it, and until then what is on disk is no less than the truth. */
void purse_settle (purse_t *self, const spending_t *allowed, const spending_t *spent);

/* "12 of 1000 requests, 40100 of 5000000 tokens, 0.0123 of 5.00" */
void purse_print (const purse_t *self, char *text, size_t size);

#endif
