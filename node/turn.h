/* SPDX-License-Identifier: MPL-2.0 */
/* One turn of a node: everything that arrived is taken in, the core is stepped, what must last is committed in one transaction,
 * and only then anything is said or done. Pure: production and the simulator run the same turns.
 *
 *   turn_receive, turn_event … ─▶ queue ─▶ turn_run:
 *     1  mesh judges the bytes, lets time pass ─▶ statements, peers up and lost, fetched contents
 *     2  node_step for each of those, each queued event, and for a TICK that is due; before the next one:
 *        a  the event goes into the journal, with the digest of its effects
 *        b  PERSIST…, contents that were fetched, reserved sequence numbers: into the transaction, in order
 *        c  SET_MEMBERS, SET_INVITE, FETCH_CONTENT: told to the mesh, whose answers go back to 1 or on to 4
 *     3  commit
 *     4  all the rest, in the order in which it was wanted: links and their standing, sends, jobs, notifications, answers
 *
 * So nothing is acknowledged before it is on disk. If anything in 2 or 3 fails, nothing of the turn was done: the
 * transaction is rolled back, no effect of step 4 runs, and the turn stays `failed` until turn_recover rebuilt it.
 *
 * A TICK is only given when node_deadline_ms says so. It is journaled if it had effects or changed what the node will do. */
#ifndef EVOMESH_NODE_TURN_H
#define EVOMESH_NODE_TURN_H

#include "node/node.h"
#include "node/ports.h"

/* Bounds of one turn; what is beyond waits for the next, which is due at once. */
#define TURN_STEPS_MAX 256
/* Inputs that may wait; beyond, received statements are dropped, as the network drops them. Events always find place: their number
 * is bounded by the operations under way and by the control socket. */
#define TURN_RECEIVED_MAX 4096

typedef struct turn turn_t;

/* `identity` is borrowed for its life, `ports` is copied. Nothing works before turn_recover. NULL only when out of memory. */
turn_t *turn_new (const identity_t *identity, const ports_t *ports);
void turn_destroy (turn_t **self_p);

/* Builds the core anew from what is kept: the newest checkpoint that can be read and is of this node's own making, then each event of the
 * journal behind it, its effects thrown away. Links, fetches and queued inputs are forgotten. 0; ERROR_MALFORMED (an entry can't be
 * read, or is gone: `number` says which, may be NULL); ERROR_NOT_FOUND (no checkpoint can be read, and the journal doesn't reach back
 * to its start); or what the store failed with. */
int turn_recover (turn_t *self, uint64_t *number);

/* The same from as far back as the journal goes, with a look at everything on the way: from the start, or else from the oldest checkpoint
 * that has all behind it. What is told of each entry goes to `visit` (may be NULL); it returns other than 0 to end the walk early, which
 * is returned then. Each checkpoint on the way must hold the very bytes that the replayed core would save: ERROR_MISMATCH if not.
 * One that the store finds damaged is passed over, as a start does: `checkpoints` doesn't count it. */
typedef int (turn_replay_fn) (void *context, uint64_t number, const event_t *event, const effects_t *effects,
                              const digest_t *recorded, const digest_t *computed);
typedef struct {
    uint64_t from;        /* the entry behind which it began; 0: at the start */
    uint64_t number;      /* of the last entry that was looked at */
    uint64_t checkpoints; /* met on the way, that hold what they should */
} turn_replayed_t;
int turn_replay (turn_t *self, turn_replay_fn *visit, void *context, turn_replayed_t *replayed);

/* Checkpoints are written every LIMIT_CHECKPOINT_ENTRIES entries of the journal, in the transaction of the turn that reaches that many.
 * Here is another number (at least 1), for tests. */
void turn_checkpoint_every (turn_t *self, uint64_t entries);
/* How much of the past is kept (at least 1 each; UINT64_MAX, as it is before: all). At a checkpoint the journal loses what lies before
 * the oldest checkpoint that is still needed: at most `journal_entries` stay behind that, and half as many at least; but two
 * checkpoints stay, however few entries that means, and of these the older one can be read: while there is none, nothing is lost.
 * `events` is for the trim port. */
void turn_retain (turn_t *self, uint64_t journal_entries, uint64_t events);
/* Writes one now, in a transaction of its own, so that the next start is quick; if there is nothing behind the last one, or the turn is
 * failed, nothing. What it fails with matters to nobody: the journal has it all. */
void turn_checkpoint (turn_t *self);

/* The clocks of the last entry of the journal, 0 before the first: the node's clock goes on from there. */
uint64_t turn_last_now_ms (const turn_t *self);
uint64_t turn_last_wall_ms (const turn_t *self);

/* Starts: after turn_recover, steps the core with STARTED and makes the mesh. Runs the turn. `group` is borrowed for the turn's
 * life, `entropy` seeds the mesh's jitter, `about` what it tells of us. 0, ERROR_INPUT (the core refuses the charter), or what
 * the store failed with. */
int turn_start (turn_t *self, const started_t *started, const group_t *group, const mesh_self_t *about,
                const uint8_t entropy[SEED_BYTES], uint64_t now_ms, uint64_t wall_ms);

/* --- inputs: copied, taken in by the next turn_run --- */

/* Bytes from a link (`curve`), or from the publication socket (`curve` NULL). `body` NULL: frames that can't be a statement. */
void turn_receive (turn_t *self, const pubkey_t *curve, const uint8_t *body, size_t body_size,
                   const uint8_t *seal, size_t seal_size);
/* The result of a job, or a COMMAND. Its clocks are filled in when it is stepped. While the turn is failed a COMMAND is answered with
 * that, and a result is dropped: the core asks for it again. */
void turn_event (turn_t *self, const event_t *event);
/* An address of a member, known from elsewhere. */
void turn_hint (turn_t *self, const pubkey_t *peer, const char *rpc, const char *pub, uint64_t now_ms);
/* A METRICS statement for the group. */
void turn_metrics (turn_t *self, const metrics_message_t *metrics, uint64_t wall_ms);
/* Goodbye to the group. */
void turn_leave (turn_t *self, uint64_t now_ms, uint64_t wall_ms);

/* --- the turn --- */

/* Runs one turn. `now_ms` never runs backwards (asserted). Returns 0, or what failed (error_text tells it). */
int turn_run (turn_t *self, uint64_t now_ms, uint64_t wall_ms);

/* When the next turn is due, on the clock of now_ms: 0 if inputs wait. */
uint64_t turn_deadline_ms (const turn_t *self);

bool turn_failed (const turn_t *self);

/* --- looking at it; borrowed until the next call that changes it --- */
const node_t *turn_node (const turn_t *self);
const mesh_t *turn_mesh (const turn_t *self); /* NULL before turn_start */

#endif
