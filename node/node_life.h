/* SPDX-License-Identifier: MPL-2.0 */
/* The stretches of an improvement's way, one source file each. For node/node*.c only.
 *
 * An improvement, a trial and the like are named by the index of their place; NONE is the index of nothing. A place, and every
 * pointer into it, is good until the improvement is final: improve_reject, improve_finish and whatever leads there free it, and
 * the next improve_new may give it to another. So who called such a function looks at `used` before it goes on. */
#ifndef EVOMESH_NODE_NODE_LIFE_H
#define EVOMESH_NODE_NODE_LIFE_H

#include "node/node_state.h"

/* --- places, moves, faults (node_improve.c), rows (node_row.c) --- */

/* Takes a place for a candidate that is to be compared with the live release; `tree`, its encoded list of files, and the
 * description are copied. It is in no state yet: MOVE_PROPOSE is its first move. `revived`: for one that was final and is rolled
 * back, for which a place is left however many are under way or held. Returns its index; NONE if all are taken. */
size_t improve_new (node_t *self, origin_t origin, const digest_t *parent, bytes_t tree,
                    improvement_type_t type, text_t description, bool revived);
/* Takes an edge of the table (asserted to exist), checks what must hold then, writes the row and tells the edge's event. */
void improve_move (node_t *self, size_t index, improvement_move_t move);
/* The same, with `more` in the event's metadata, LIMIT_METADATA − 2 at most. */
void improve_move_saying (node_t *self, size_t index, improvement_move_t move, const entry_t *more,
                          size_t more_count);
/* Rejects it for `reason`, counts that, and frees its place. Its trial must be closed (asserted). `detail` for people; may be
 * NULL. */
void improve_reject (node_t *self, size_t index, reason_code_t reason, const char *detail);
/* Writes its row as it stands now. */
void improve_persist (node_t *self, size_t index);
/* The place in `applied` of that improvement; applied_count if it was never applied, or so long ago that only the store has it. */
size_t applied_find (const node_t *self, const digest_t *improvement);
/* Frees a final improvement's place, after its parcel was told what became of it. */
void improve_finish (node_t *self, size_t index);
/* Frees what it holds, and its place, without a word: for what never got under way. */
void improve_clear (improvement_t *improvement);
/* The index of the one under way with that id; NONE if there is none. */
size_t improve_find (const node_t *self, const digest_t *id);
/* Writes the outcome of a comparison objective by objective, rounded as it may leave the machine. Returns how many. */
size_t improve_deltas (const node_t *self, const trial_result_t *result, delta_t deltas[LIMIT_OBJECTIVES]);
/* A fault of this node, for the breaker; `apply`: of putting a release in place. `what` was done says the sentence that `status` shows;
 * `detail` of what went wrong may be empty. */
void improve_fault (node_t *self, bool apply, const char *what, const char *detail);
/* Something worked, for the breaker. `token`: the breaker_trial of the improvement that it is said of; 0 for none. */
void improve_healthy (node_t *self, uint64_t token, bool apply);
/* The operator wants it tried again: an open breaker lets one through. True if it was open. */
bool improve_retry (node_t *self);
/* Looks at everything that waits and moves on what can. Called at the end of each step. */
void improve_advance (node_t *self);
/* Until when it may stay in the state it is in; UINT64_MAX: as long as it takes. */
uint64_t improve_due_ms (const improvement_t *improvement);
/* The first of those, and the breaker's. */
uint64_t improve_deadline_ms (const node_t *self);

/* --- what a proposal starts from (node_parent.c) --- */

/* The island that the next proposal is for. */
size_t parent_draw_island (node_t *self);
/* A parent from the island, as `selection` says. Nobody breeds from what was rolled back, or from what was made of it: where most is, from
 * the live release. NULL if there is none. */
const archive_entry_t *parent_draw (node_t *self, size_t island);
/* Candidates to learn from: the best of propose->island and the live release, and what measures differently from all of them. `propose`
 * borrows both lists. */
void parent_inspire (const node_t *self, propose_t *propose, hash_t top[LIMIT_METADATA],
                     hash_t diverse[LIMIT_METADATA]);

/* --- proposals (node_propose.c) --- */

/* However many slots there are, comparisons of own proposals leave room for all that peers ask for, for a package, and for the live
 * copy. */
#define BACKLOG_MAX (LIMIT_TRIALS - LIMIT_VALIDATIONS - 2)
_Static_assert(BACKLOG_MAX > 0 && BACKLOG_MAX < LIMIT_IMPROVEMENTS, "there is room for own proposals");

/* Takes the proposers of a STARTED; those under way go on. */
void propose_settle (node_t *self, const started_t *event);
/* Proposals under way that take a slot each. */
size_t proposals_here (const node_t *self);
/* So many own improvements that are still to be measured, and no proposer is asked for more. */
size_t propose_backlog_limit (const node_t *self);
/* Asks proposers as long as slots, shares, bounds and the breaker allow. */
void propose_schedule (node_t *self);
/* Ends the pauses of proposers that gave nothing new or failed; the next failure makes a longer one all the same. */
void propose_hasten (node_t *self);
/* When a proposer that is left alone for a while may be asked again; UINT64_MAX: there is none. */
uint64_t propose_deadline_ms (const node_t *self);
void on_proposed (node_t *self, const proposed_t *event);
/* A new improvement goes to its test, unless it changes what it may not, or is nothing new. Returns its index; NONE if it is
 * final already. */
size_t propose_enter (node_t *self, size_t improvement, bytes_t tree);
/* Remembers that nobody could confirm that candidate: it may be proposed again. */
void enter_unconfirmed (node_t *self, const digest_t *candidate);
bool enter_is_unconfirmed (const node_t *self, const digest_t *candidate);
/* A candidate enters: an improvement is made of it, by `author`, for `parcel` (NONE: for none), and tested. `certified`: the
 * package's certificate covers exactly it. Returns its index; NONE if there was no place, or it is final already (then
 * last_rejected says why, and the parcel was told). */
size_t propose_candidate (node_t *self, origin_t origin, const digest_t *parent, bytes_t tree,
                          improvement_type_t type, text_t description, const pubkey_t *author, size_t parcel,
                          bool certified);

/* --- comparisons and slots (node_trial.c) --- */

/* Opens a comparison of two candidates for `owner`; who goes first is told by `rank`. Returns its index, good until it is done or
 * trial_close; NONE if the table is full. The last place is kept for RANK_LIVE. */
size_t trial_open (node_t *self, owner_t owner, size_t index, const digest_t *candidate, const digest_t *base,
                   unsigned rank);
/* Ends one without a result: its run is cancelled, its place is free. */
void trial_close (node_t *self, size_t index);
/* Gives free slots to those that wait, and measures the live release first of all. */
void trial_schedule (node_t *self);
/* Slots taken by runs and by proposers. */
size_t slots_busy (const node_t *self);
void on_evaluated (node_t *self, const evaluated_t *event);
/* REASON_NONE for VERDICT_ACCEPT. */
reason_code_t reason_of_verdict (verdict_t verdict);
/* Remembers what was measured of a pair; the oldest of MEASUREMENTS is forgotten. `result` NULL: it was invalid, for `reason`. */
void measurement_keep (node_t *self, const digest_t *candidate, const digest_t *base, reason_code_t reason,
                       const trial_result_t *result);
/* What was measured of a pair, or NULL; good until the next measurement_keep. */
const measurement_t *measurement_find (const node_t *self, const digest_t *candidate, const digest_t *base);

/* --- an improvement's test (node_test.c) --- */

/* Measures an improvement that is in TESTING against its base. It may be final on return. */
void test_start (node_t *self, size_t improvement);
/* One that passed its test is measured a second time, where nobody else will do that, if luck may have chosen it and it was measured once:
 * in a group whose others have gone since, or for a peer. False if there is no need; else it goes on from here later. */
bool test_again (node_t *self, size_t improvement);
/* Its comparison ended: archived, learned from, and rejected or left to improve_advance. `result` NULL: invalid. */
void test_done (node_t *self, size_t improvement, reason_code_t reason, const char *detail,
                const trial_result_t *result);

/* --- candidates once they are measured (node_candidate.c) --- */

/* The live release was measured: if it isn't in the archive yet, it is its first candidate, without parents. */
void candidate_live (node_t *self, const metrics_t *metrics);
/* An improvement's candidate was measured; `result` NULL: it is invalid, for `reason`. What is in the archive stays as it was. */
void candidate_measured (node_t *self, const improvement_t *improvement, reason_code_t reason,
                         const char *detail, const trial_result_t *result);
/* The learning rate takes an own proposal's measurement for a success, if it is valid and better than its parent; before candidate_measured. */
void candidate_learn (node_t *self, const improvement_t *improvement, const trial_result_t *result);
/* The candidate differs from `twin` by comments and spaces alone: it has the same figures, and no place of its own in the archive. */
void candidate_twin (node_t *self, const improvement_t *improvement, const archive_entry_t *twin);

/* --- files that are dropped (node_retain.c) --- */

/* Nothing stands on the files of that tree any more, as far as its owner knows: they go with the next that are dropped. */
void retain_litter (node_t *self, const digest_t *tree);
/* Drops the files of the oldest candidates, many at a time, if more are kept than there should be. Called at the end of each step. */
void retain_check (node_t *self);

/* --- feedback, both sides (node_review.c) --- */

/* Are enough members here to measure a change again? While some are away who may be fit, it is better not asked for: it would be
 * refused for want of results, however good it is. */
bool review_may_be_confirmed (const node_t *self);
/* Is this the group's one member, and may it go on without anybody's opinion? */
bool review_is_alone (const node_t *self);
/* Asks the group about an improvement that passed its test, or lets it wait for members; one that needs nobody is VALIDATED. */
void review_start (node_t *self, size_t improvement);
/* Asks a member again that was asked and has not answered. */
void review_resend (node_t *self, size_t improvement, const pubkey_t *peer);
/* A new roster is in force: asks again whoever has not answered in a way that counts. */
void review_ask_again (node_t *self);
/* Decides, if the answers so far do, or `final`: with those that are there. */
void review_check (node_t *self, size_t improvement, bool final);
void on_feedback_request (node_t *self, const message_t *message, const pubkey_t *author, const digest_t *id);
/* `packed` is the whole statement, kept as evidence. */
void on_feedback (node_t *self, const message_t *message, const pubkey_t *author, bytes_t packed);

/* --- what is held (node_held.c) --- */

/* The operator's yes to one that is HELD. It is validated; or, if the live release moved since, merged onto that first, and stays HELD as
 * long. ERROR_NOT_FOUND: nobody could validate it, and nothing changed. ERROR_CONFLICT: it can't be merged, and is rejected. */
int held_approve (node_t *self, size_t improvement);
/* Lets one that is HELD and approved go on, whose base is live: to its validation, or past it where nobody else is in the group. It stays
 * HELD where nobody could validate it now. */
void held_pass (node_t *self, size_t improvement);

/* --- validation, the asking side (node_validate.c) --- */

/* Chooses validators and asks them. With none it is rejected, stays HELD, or passes, as its state and the policy have it. */
void validate_start (node_t *self, size_t improvement);
/* Asks a validator again that has not answered. */
void validate_resend (node_t *self, size_t improvement, const pubkey_t *peer);
/* Decides, if the results so far do, or `final`: with those that are there. */
void validate_check (node_t *self, size_t improvement, bool final);
/* A member is lost, or has no vote any more: those who wait only for such don't wait long. */
void validate_peer_lost (node_t *self);
/* `packed` is the whole statement; a result is kept as evidence. */
void on_validation_reply (node_t *self, const message_t *message, const pubkey_t *author, bytes_t packed);

/* --- putting a release in place (node_apply.c) --- */

/* Is the live release being changed? One change at a time. */
bool apply_busy (const node_t *self);
/* May the improvement be applied now: evolution doesn't rest, and the breaker admits it? */
bool apply_allowed (const node_t *self, size_t improvement);
/* Is nothing to be proposed, tried or applied: paused, stopped, or no member any more? */
bool evolution_rests (const node_t *self);
/* Starts the snapshot of a VALIDATED improvement, and with it the change; or merges it first. */
void apply_start (node_t *self, size_t improvement);
/* If the live release is no longer what the improvement was compared with: merges it (or sends its parcel back) and is true. */
bool apply_rebase (node_t *self, size_t improvement);
void on_merged (node_t *self, const merged_t *event);
void on_snapshot_taken (node_t *self, const snapshot_taken_t *event);
void on_applied (node_t *self, const applied_event_t *event);
/* The node's own picture of what is live; all is copied. */
void apply_set_live (node_t *self, const digest_t *release, const buffer_t *tree, const metrics_t *metrics);
/* Measures the live copy, which must be as good as `baseline`; apply_verified is told. */
void apply_verify (node_t *self, size_t improvement, const digest_t *candidate, const digest_t *base,
                   const metrics_t *baseline);
/* The live copy was measured; REASON_NONE: as good as it should be. `result` NULL: it could not be measured. */
void apply_verified (node_t *self, size_t improvement, reason_code_t reason, const trial_result_t *result);
/* Applied and verified, and not to be shared: the end of its way. */
void apply_keep (node_t *self, size_t improvement);

/* --- going back (node_rollback.c) --- */

/* Puts back the release before an APPLIED improvement. */
void rollback_start (node_t *self, size_t improvement, reason_code_t reason);
/* Rolls back to before the applied improvement at `index` of the applied list; what stands on it goes too. 0, ERROR_BUSY (the live
 * release is being changed, or there is no place) or ERROR_CONFLICT (it is not live): then nothing was done. */
int rollback_to (node_t *self, size_t index, reason_code_t reason);
/* The tree of the release before is here, or (its result says so) is not. */
void rollback_loaded (node_t *self, size_t improvement, const loaded_t *event);
void on_restored (node_t *self, const restored_t *event);
/* The restored copy was measured; REASON_NONE: as good as it was. */
void rollback_verified (node_t *self, size_t improvement, reason_code_t reason);

/* --- making and sending packages (node_share.c) --- */

/* Makes a package of an APPLIED improvement, publishes and sends it; or keeps it here, if others would refuse it. */
void share_start (node_t *self, size_t improvement);
/* What became of a package at a peer. Of one that is not ours, nothing is heard. */
void on_transfer_result (node_t *self, const message_t *message, const pubkey_t *author);

#endif
