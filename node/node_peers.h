/* SPDX-License-Identifier: MPL-2.0 */
/* What comes from the others: validations for them, their packages, their membership; and what the operator wants. For
 * node/node*.c only.
 *
 * A job and a parcel are named by the index of their place; it is free, and pointers into it mean nothing, as soon as its way ended
 * (job.h, parcel.h). */
#ifndef EVOMESH_NODE_NODE_PEERS_H
#define EVOMESH_NODE_NODE_PEERS_H

#include "node/node_state.h"

/* --- validation, the measuring side (node_serve.c) --- */

/* Accepts or declines, and says so. */
void on_validation_request (node_t *self, const message_t *message, const pubkey_t *author,
                            const digest_t *id);
/* One of what the job fetches is here, or can't be had. */
void serve_fetched (node_t *self, size_t job, const fetched_t *event);
/* Its comparison ended: the answer is signed and said. `result` NULL: invalid, for `reason`. */
void serve_measured (node_t *self, size_t job, reason_code_t reason, const trial_result_t *result,
                     uint64_t duration_ms);
/* Gives up those whose asker no longer waits. */
void serve_tick (node_t *self);
/* When the next of them is given up; UINT64_MAX if there is none. */
uint64_t serve_deadline_ms (const node_t *self);

/* --- peers' packages: places and turns (node_knowledge.c) --- */

/* `author` tells of a package; `transfer` is zero if it did not choose us. Who chose us for one that was tried is told again. */
void on_knowledge (node_t *self, const pubkey_t *author, const digest_t *package, const digest_t *transfer);
/* The same for a package whose contents are in the store already, and that may be tried (asserted). */
void knowledge_import (node_t *self, const pubkey_t *author, const digest_t *package);
/* Takes up the next that waits, if none is under way; where none can be had, one that was tried on another live release. */
void knowledge_advance (node_t *self);
/* The package's parcel; NONE if it has none. */
size_t knowledge_parcel (const node_t *self, const digest_t *package);
/* When one that waits may be tried again; UINT64_MAX if there is none. */
uint64_t knowledge_deadline_ms (const node_t *self);

/* --- peers' packages: fetched and verified (node_knowledge_fetch.c) --- */

/* Takes a WAITING parcel up: fetches its package. */
void knowledge_fetch (node_t *self, size_t parcel);
/* The package, or the files of one of its lists, are here or can't be had. The parcel may have ended on return. */
void knowledge_fetched (node_t *self, size_t parcel, const fetched_t *event);

/* --- peers' packages: merged and tried (node_knowledge_try.c) --- */

/* All files are here: merges it with the live release if that is another, and tries it. It may have ended on return. */
void knowledge_try (node_t *self, size_t parcel);
void knowledge_merged (node_t *self, size_t parcel, const merged_t *event);
/* Another release went live while it was merged: it is tried again, and that is no attempt. */
void knowledge_overtaken (node_t *self, size_t parcel);

/* --- peers' packages: what became of them (node_knowledge_end.c) --- */

/* Adopted, or rejected for `reason`: kept, told to its author, and the parcel ends; unless the reason says nothing of the package
 * itself: then it is put back. `result` NULL: it was not measured. */
void knowledge_decided (node_t *self, size_t parcel, bool adopted, reason_code_t reason,
                        const trial_result_t *result);
/* A WAITING one must go for want of a place. It was not tried, so it may be told of again. */
void knowledge_turn_away (node_t *self, size_t parcel);
/* It can't be had now: put back for later, or from who else told of it, or given up after transfer_attempts_max. */
void knowledge_retry (node_t *self, size_t parcel);
/* Writes its row. */
void knowledge_row (node_t *self, size_t parcel, package_status_t status, reason_code_t reason);
/* Tells who sent a package what became of it. */
void knowledge_answer (node_t *self, const pubkey_t *author, const digest_t *transfer, const tried_t *tried,
                       const trial_result_t *result);
/* What became of that package when it was tried last; NULL if it never was. Good until the next one is decided. */
const tried_t *knowledge_tried (const node_t *self, const digest_t *package);

/* --- peers' packages: tried again on another base (node_knowledge_again.c) --- */

/* Was it tried, and is that all that there will be? `from` is who tells of it; NULL: its contents are here. Then returns what became
 * of it; NULL: it may be tried. */
const tried_t *knowledge_settled (const node_t *self, const digest_t *package, const pubkey_t *from);
/* Of the packages that may be tried again, and don't wait already, the one that measured best; NULL if there is none, or the live
 * release has had its few. Good until the next one is decided. */
const tried_t *knowledge_again (node_t *self);

/* --- equivocation (node_proof.c) --- */

/* A member said two things under one number: keeps and tells the proof, once. */
void on_equivocated (node_t *self, const equivocated_t *event);
/* Does its word on an improvement count? That of a member does, unless it was proved to equivocate. */
bool peer_has_vote (const node_t *self, const pubkey_t *id);
/* Has it a vote, and is it up? */
bool peer_can_vote (const node_t *self, const pubkey_t *id);

/* --- who is here (node_peer.c) --- */

/* What is known of a peer; made if it isn't there, NULL when out of memory. Good until the next call with an id that is new. */
known_peer_t *peer_of (node_t *self, const pubkey_t *id);
/* Is it a member that can be talked to now? */
bool peer_is_up (const node_t *self, const pubkey_t *id);
size_t peers_up (const node_t *self);
/* Peers that are up and have a vote, and how many of them measure performance. */
typedef struct {
    size_t count;
    size_t validators;
} voters_t;
voters_t voters_here (const node_t *self);
uint64_t members_now (const node_t *self);
/* Is this node itself a member, and did it not leave? */
bool group_takes_part (const node_t *self);
/* For people: that it left or was revoked; empty while it takes part. */
void group_why_out (const node_t *self, char text[LIMIT_TEXT + 1]);

/* --- the group (node_group.c) --- */

/* Takes a packed roster if it follows ours; else nothing. */
void on_roster (node_t *self, bytes_t packed);
/* `curve` is the invite's key, over whose link it came. Answered by MEMBERSHIP or REFUSED. */
void on_join_request (node_t *self, const message_t *message, const pubkey_t *author, const pubkey_t *curve,
                      const digest_t *id);
void on_leave (node_t *self, const pubkey_t *author);
/* Ends invitations that expired. */
void group_tick (node_t *self);
/* When the next of them expires; UINT64_MAX if there is none. */
uint64_t group_deadline_ms (const node_t *self);
/* Makes an invitation from `entropy` and writes its token. `bound_to` is the only key that may use it; zero: any. 0, ERROR_DENIED (we
 * are no admin), or what the token's encoding failed with. */
int group_invite (node_t *self, const digest_t *entropy, uint64_t uses, uint64_t lifetime_ms,
                  const pubkey_t *bound_to, char *token, size_t token_size);
/* Makes the roster without that member. 0, ERROR_DENIED (we are no admin), or what members_revoke refuses it for. */
int group_revoke (node_t *self, const pubkey_t *id);
/* Tells mesh and links who the members are. */
void group_say_members (node_t *self);

/* --- the start, and the operator (node_start.c, node_command.c) --- */

/* 0, or ERROR_INPUT and nothing is changed. */
int on_started (node_t *self, const started_t *event);
void on_peer_up (node_t *self, const peer_up_t *event);
/* Answered by one REPLY. */
void on_command (node_t *self, const command_t *event);

#endif
