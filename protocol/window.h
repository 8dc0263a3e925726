/* SPDX-License-Identifier: MPL-2.0 */
/* What was heard of each author of a group: so that a live statement counts once and while it is fresh, a durable one
 * is told from its repetitions, and two statements under one sequence number are caught.
 *
 *   live      time within FRESHNESS_MS of our clock; its sequence number above the window's floor and not heard yet
 *   durable   any age; known by its hash
 *   both      another statement heard under that number: equivocation
 *
 * The window holds the WINDOW_SEQS highest sequence numbers of an author, less those whose time is past freshness. What leaves
 * raises the floor, up to which a live statement is stale: so nothing that was forgotten can be heard again. Numbers start
 * at 1. A window is of one group: numbers count by group and author. */
#ifndef EVOMESH_PROTOCOL_WINDOW_H
#define EVOMESH_PROTOCOL_WINDOW_H

#include "protocol/message.h"
#include "protocol/proof.h"

#define WINDOW_SEQS       1024 /* an author's numbers remembered; the lowest leave first */
#define WINDOW_HASHES     2048 /* ids of durable statements remembered, of all authors; the oldest leave first */
#define WINDOW_KEPT       512 /* statements kept whole for a proof, of all authors; the oldest leave first */
#define WINDOW_KEPT_BYTES 262144 /* and their bytes in all */

typedef struct window window_t;

/* NULL when out of memory. */
window_t *window_new (void);
void window_destroy (window_t **self_p);

/* Judges a statement whose signature holds and whose author may speak, and remembers it. `head` and `id` are its own.
 * 0               it counts
 * ERROR_STALE         live: too old, too far in the future, or below the floor
 * ERROR_REPLAYED      heard before; of a durable one that is no offence: its acknowledgement was lost
 * ERROR_EQUIVOCATION  its author said something else under that number: window_take_proof has the proof, if the first statement is
 *                     still kept, and the author was not proved before
 * ERROR_BOUND         LIMIT_MEMBERS authors are remembered already
 * ERROR_MEMORY        nothing was remembered */
int window_hear (window_t *self, const statement_t *statement, const head_t *head, const digest_t *id,
                 uint64_t wall_ms);

/* True if a durable statement of that id was heard (lately): then it needs no verifying again. */
bool window_knows (const window_t *self, const digest_t *id);

/* The highest sequence number heard of that author, or told by window_note; 0 if none. */
uint64_t window_highest (const window_t *self, const pubkey_t *author);

/* Notes a number known from elsewhere, e.g. from the store at the start. 0, ERROR_BOUND or ERROR_MEMORY. */
int window_note (window_t *self, const pubkey_t *author, uint64_t seq);

/* Forgets an author, e.g. one that was revoked, and that it was proved. */
void window_forget (window_t *self, const pubkey_t *author);

/* Hands over the proof that the last ERROR_EQUIVOCATION made; it is then the caller's to clear. False if it made none: an author
 * is proved once until it is forgotten. */
bool window_take_proof (window_t *self, proof_t *proof);

#endif
