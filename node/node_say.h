/* SPDX-License-Identifier: MPL-2.0 */
/* What leaves the core: statements, events, rows, replies; and the operations whose results it waits for. For node/node*.c only.
 *
 * All of it becomes effects of the step in hand. While the journal is stepped again there are none, but numbers are drawn all the
 * same, so that the node goes on where it stood. Everything that is passed in is copied. */
#ifndef EVOMESH_NODE_NODE_SAY_H
#define EVOMESH_NODE_NODE_SAY_H

#include "node/node_state.h"

/* --- statements (node_say.c): `fields` is the struct of the kind, as protocol/messages.def declares it --- */

/* The head of our next statement: draws its sequence number. */
head_t say_head (node_t *self, unsigned kind);

/* Seals a message of ours under the next number into `body` (appended; the caller clears it) and `seal`. Returns its id. */
digest_t say_statement (node_t *self, unsigned kind, const void *fields, buffer_t *body,
                        uint8_t seal[SEAL_BYTES]);

/* Seals and sends it to a member over our own link; it may be lost on the way. Returns its id. */
digest_t say_to (node_t *self, const pubkey_t *peer, unsigned kind, const void *fields);

/* A quick reply, over the connection on which the member spoke. Kept first if it is of a durable kind. Nothing, if it is no
 * member any more. */
void say_back (node_t *self, const pubkey_t *peer, unsigned kind, const void *fields);

/* Seals, keeps, and sends it until the addressee acknowledges, across restarts. Not what says the same as something that waits
 * already, and nothing to who was revoked. At the outbox's bounds the oldest goes. */
void say_durably (node_t *self, const pubkey_t *peer, unsigned kind, const void *fields);

/* Tells a member that its durable statement is on our disk: it is in the journal with the event in hand. */
void say_acknowledge (node_t *self, const pubkey_t *peer, const digest_t *statement);

/* --- the outbox (node_outbox.c) --- */

/* `peer` has that statement of ours: it is not sent again. Nothing, if it waits for none of that id. */
void say_acknowledged (node_t *self, const pubkey_t *peer, const digest_t *statement);
/* Gives up what waits for a member that was revoked. */
void say_outbox_forget (node_t *self, const pubkey_t *peer);
/* A member is up: sends what waits for it, at once. */
void say_outbox_up (node_t *self, const pubkey_t *peer);
/* Sends again what was not acknowledged in time. */
void say_outbox_tick (node_t *self);
/* When the next is due; UINT64_MAX if nothing waits for anybody who is up. */
uint64_t say_outbox_deadline_ms (const node_t *self);

/* --- publications (node_say.c) --- */

/* Draws the next publication number. What it is drawn for must be published before another is drawn. */
uint64_t say_next_publication (node_t *self);
/* Seals, keeps and publishes a message whose `publication` field is that number. */
void say_publish (node_t *self, unsigned kind, const void *fields, uint64_t publication);

/* --- events, rows, replies (node_say.c) --- */

/* An event of ours: to the store, to watchers, and to the group. `modification` may be NULL (none), `improvement` NAN (not
 * measured), `error` and `metadata` NULL. */
void say_event (node_t *self, event_type_t type, const digest_t *modification, double improvement,
                const char *error, const entry_t *metadata, size_t metadata_count);
/* An event that stays here: to the store and to watchers. For what a program of ours printed, which leaves no machine, and for what
 * each of many members sends us: told on to all, it would cost the group its square. `modification` may be NULL (none). */
void say_event_here (node_t *self, event_type_t type, const digest_t *modification, const char *error,
                     const entry_t *metadata, size_t metadata_count);
/* Writes a row of node/records.h, in place of one with that key. */
void say_persist (node_t *self, record_table_t table, const digest_t *key, const record_t *record,
                  const void *row);
/* The one answer to a COMMAND: a text for people, and what was made (NULL: nothing). */
void say_reply (node_t *self, uint64_t operation, bool failed, const char *text, const char *value);

/* --- operations (node_operate.c): effects whose result comes back as an event --- */

/* Starts one for `owner` (with `index`, as owner_t says): `operation` in `fields` must be its first member, and is filled in.
 * Returns its id; 0 if the table is full, and then nothing was started. */
uint64_t operate (node_t *self, effect_kind_t kind, void *fields, owner_t owner, size_t index);
/* Ends an operation, as its result is here, and tells whose it was. False if there is none of that id and kind: it was cancelled
 * meanwhile, and its result means nothing. */
bool operated (node_t *self, uint64_t id, effect_kind_t kind, owner_t *owner, size_t *index);
/* Gives one up; nothing if there is none of that id, or it is 0. */
void operate_cancel (node_t *self, uint64_t id);
/* Gives up whatever an owner still awaits: its place may go to another. */
void operate_drop (node_t *self, owner_t owner, size_t index);
/* After a restart: every effect that is still awaited is wanted once more, under the same id. */
void operate_again (node_t *self);

#endif
