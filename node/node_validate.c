/* SPDX-License-Identifier: MPL-2.0 */
/* Validation, the asking side: who measures a candidate again, and what comes of their results. */
#include "node/node_life.h"
#include "node/node_peers.h"
#include "node/node_say.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define GRACE_MS      3000  /* for results that can no longer change the outcome */
#define LOST_GRACE_MS 30000 /* for lost validators to come back, when only theirs are missing */

/* --- how it ends: validation_completed carries the verdict and the counts, whatever they are --- */

static void s_describe (const validation_tally_t *tally, const char *verdict, entry_t metadata[2],
                        char counts[LIMIT_TEXT])
{
    (void)snprintf (counts, LIMIT_TEXT, "%u confirmed, %u not, %u declined, of %u asked", tally->confirmed,
                    tally->refuted, tally->declined, tally->asked);
    metadata[0] = (entry_t){text_of ("verdict"), text_of (verdict)};
    metadata[1] = (entry_t){text_of ("results"), text_of (counts)};
}

static void s_confirm (node_t *self, size_t index, const validation_tally_t *tally, const char *verdict)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    assert (self->improvements[index].state == STATE_VALIDATING);
    entry_t metadata[2];
    char counts[LIMIT_TEXT];
    s_describe (tally, verdict, metadata, counts);
    improve_move_saying (self, index, MOVE_CONFIRM, metadata, 2);
}

static void s_refute (node_t *self, size_t index, const validation_tally_t *tally, unsigned needed)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    const improvement_t *improvement = &self->improvements[index];
    assert (improvement->state == STATE_VALIDATING && tally->confirmed + tally->refuted <= tally->asked);
    entry_t metadata[2];
    char counts[LIMIT_TEXT], detail[LIMIT_TEXT];
    s_describe (tally, "not confirmed", metadata, counts);
    say_event (self, TYPE_VALIDATION_COMPLETED, &improvement->id, improvement->result.weighted, NULL,
               metadata, 2);
    (void)snprintf (detail, sizeof detail, "%u of %s confirm it, %u not, %u declined; needed: %u",
                    tally->confirmed, text_counted (tally->asked, "validator").text, tally->refuted,
                    tally->declined, needed);
    improve_reject (self, index, tally->refuted ? REASON_NOT_CONFIRMED : REASON_NO_VALIDATORS, detail);
}

/* --- asking --- */

/* What a validator may take: the most pairs with each run at its limit. Runs take a part of their limit, so there is room in it
 * for what waits there before us. */
static uint64_t s_allowance_ms (const node_t *self)
{
    return self->settings.timeout_ms * 2 * TRIAL_PAIRS_MOST + self->settings.timeout_ms;
}

static void s_ask (node_t *self, improvement_t *improvement, const pubkey_t *peer)
{
    assert (improvement->validation.deadline_ms >= self->now_ms && peer_has_vote (self, peer));
    validation_request_t request = {.to = *peer,
                                    .improvement = improvement->id,
                                    .candidate = improvement->candidate,
                                    .base = improvement->base,
                                    .evaluator = self->group.evaluator,
                                    .validation_type = VALIDATE_PERFORMANCE,
                                    .improvement_type = improvement->type,
                                    .deadline_ms = improvement->validation.deadline_ms - self->now_ms};
    digest_t id = say_to (self, peer, MESSAGE_VALIDATION_REQUEST, &request);
    int rc = request_ask (&improvement->validation, peer, &id);
    assert (rc == 0);
    (void)rc;
}

static void s_no_validators (node_t *self, size_t index)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    if (!self->group.policy.allow_unvalidated) {
        /* What is held stays so: the operator hears of it, and may approve it again. */
        if (self->improvements[index].state != STATE_HELD)
            improve_reject (self, index, REASON_NO_VALIDATORS, NULL);
        return;
    }
    /* The policy lets it pass unvalidated, and its certificate will say so. */
    improvement_t *improvement = &self->improvements[index];
    improve_move (self, index, improvement->state == STATE_HELD ? MOVE_APPROVE : MOVE_VALIDATE);
    s_confirm (self, index, &(validation_tally_t){0}, "unvalidated");
}

void validate_start (node_t *self, size_t index)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    improvement_t *improvement = &self->improvements[index];
    assert (improvement->state == STATE_REVIEWING || improvement->state == STATE_HELD);
    assert (improvement->validation.count == 0);
    validator_t *peers = calloc (self->peer_count + 1, sizeof *peers);
    assert (peers);
    for (size_t i = 0; i < self->peer_count; i++) {
        peers[i] = self->peers[i].record;
        peers[i].connected = peer_can_vote (self, &self->peers[i].id);
    }
    size_t chosen[LIMIT_MEMBERS];
    size_t max = self->group.policy.max_validators < LIMIT_MEMBERS ? (size_t)self->group.policy.max_validators
                                                                   : LIMIT_MEMBERS;
    size_t count = validators_select (peers, self->peer_count, VALIDATE_PERFORMANCE, improvement->type,
                                      &improvement->candidate, &self->members->id, max, chosen);
    free (peers);
    if (count == 0) {
        s_no_validators (self, index);
        return;
    }
    request_init (&improvement->validation, self->now_ms + s_allowance_ms (self));
    for (size_t i = 0; i < count; i++)
        s_ask (self, improvement, &self->peers[chosen[i]].id);
    improve_move (self, index, improvement->state == STATE_HELD ? MOVE_APPROVE : MOVE_VALIDATE);
}

void validate_resend (node_t *self, size_t index, const pubkey_t *peer)
{
    assert (self && peer);
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    improvement_t *improvement = &self->improvements[index];
    if (peer_has_vote (self, peer) && request_expects (&improvement->validation, peer, NULL) == 0 &&
        improvement->validation.deadline_ms > self->now_ms)
        s_ask (self, improvement, peer);
}

/* --- what comes of their results --- */

/* The record of those that did not do what they were asked, and of those that the others contradict. */
static void s_record (node_t *self, const improvement_t *improvement, validation_outcome_t outcome)
{
    assert (outcome != VALIDATION_PENDING && improvement->type < IMPROVE_TYPES);
    for (size_t i = 0; i < improvement->validation.count; i++) {
        known_peer_t *peer = peer_of (self, &improvement->validation.asked[i].member);
        answer_t answer = improvement->validation.asked[i].answer;
        bool agreed = (answer == ANSWERED_YES) == (outcome == VALIDATION_CONFIRMED);
        if (!peer)
            continue;
        if ((answer == ANSWERED_YES || answer == ANSWERED_NO) && agreed) {
            peer->record.completed++;
            peer->record.experience[improvement->type]++;
        } else if (answer != ASKED || !peer->up)
            peer->record.failed++; /* who is up and only slower than the others did nothing wrong */
    }
}

/* The newest epoch that somebody answered in, or `newest`. */
static uint64_t s_newest_epoch (const request_t *request, uint64_t newest)
{
    for (size_t i = 0; i < request->count; i++) {
        const buffer_t *evidence = &request->asked[i].evidence;
        statement_t statement;
        head_t head;
        if (evidence->size == 0)
            continue;
        int rc = statement_unpack (bytes_of (evidence->data, evidence->size), &statement);
        rc = rc == 0 ? message_head (statement.body, statement.body_size, &head) : rc;
        assert (rc == 0); /* it was judged when it came; so our roster covers its epoch */
        if (head.epoch > newest)
            newest = head.epoch;
    }
    return newest;
}

/* How many members the policy's numbers go by: those at the newest epoch that a voter spoke in, since whoever verifies the
 * certificate counts them so (evolution/package.c). */
static uint64_t s_members_voting (const node_t *self, const improvement_t *improvement)
{
    uint64_t epoch = s_newest_epoch (&improvement->validation, s_newest_epoch (&improvement->feedback, 0));
    return epoch == 0 ? members_now (self) : package_members_at (self->members, epoch);
}

/* Own improvements wait for this one: it does not wait for its whole deadline if little more can be had. */
static void s_hurry (node_t *self, improvement_t *improvement, uint64_t grace_ms)
{
    if (improvement->validation.deadline_ms > self->now_ms + grace_ms)
        improvement->validation.deadline_ms = self->now_ms + grace_ms;
}

static bool s_only_lost_are_missing (const node_t *self, const request_t *validation)
{
    for (size_t i = 0; i < validation->count; i++)
        if (validation->asked[i].answer == ASKED && peer_can_vote (self, &validation->asked[i].member))
            return false;
    return true;
}

void validate_peer_lost (node_t *self)
{
    assert (self);
    for (size_t i = 0; i < LIMIT_IMPROVEMENTS; i++)
        if (self->improvements[i].used && self->improvements[i].state == STATE_VALIDATING)
            validate_check (self, i, false);
}

void validate_check (node_t *self, size_t index, bool final)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    improvement_t *improvement = &self->improvements[index];
    assert (improvement->state == STATE_VALIDATING);
    const request_t *validation = &improvement->validation;
    const validation_tally_t tally = {.asked = (unsigned)validation->count,
                                      .confirmed = request_count (validation, ANSWERED_YES),
                                      .refuted = request_count (validation, ANSWERED_NO),
                                      .declined = request_count (validation, ANSWERED_DECLINED)};
    bool done = final || request_done (validation);
    uint64_t members = s_members_voting (self, improvement);
    if (!done && members > members_now (self))
        members = members_now (self); /* who is still to answer may do so as one of a smaller group */
    unsigned min_confirmations = package_min_confirmations (&self->group.policy, members);
    validation_outcome_t outcome =
        validation_decide (&tally, min_confirmations, self->group.policy.consensus_threshold, done);
    if (outcome == VALIDATION_CONFIRMED && !done) {
        /* Nothing can overturn it; results that come soon still belong into the certificate. */
        s_hurry (self, improvement, GRACE_MS);
        return;
    }
    if (outcome == VALIDATION_PENDING) {
        if (s_only_lost_are_missing (self, validation))
            s_hurry (self, improvement, LOST_GRACE_MS);
        return;
    }
    s_record (self, improvement, outcome);
    if (outcome == VALIDATION_CONFIRMED)
        s_confirm (self, index, &tally, "confirmed");
    else
        s_refute (self, index, &tally, min_confirmations);
}

/* Does a result speak of this improvement? Its request may be an earlier sending of ours. */
static bool s_speaks_of (const node_t *self, const improvement_t *improvement, const message_t *message)
{
    if (message->head.kind != MESSAGE_VALIDATION_RESULT)
        return true;
    const validation_result_t *result = &message->as.validation_result;
    return digest_equal (&result->candidate, &improvement->candidate) &&
           digest_equal (&result->base, &improvement->base) &&
           digest_equal (&result->evaluator, &self->group.evaluator) &&
           result->validation_type == VALIDATE_PERFORMANCE;
}

/* Takes what a validator says, if it is waited for. A result counts whichever sending of the request it names. */
static int s_take (request_t *validation, const message_t *message, const pubkey_t *author, bytes_t packed)
{
    static const bytes_t none;
    if (message->head.kind == MESSAGE_VALIDATION_ACCEPTED)
        return request_expects (validation, author, &message->as.validation_accepted.request);
    if (message->head.kind == MESSAGE_VALIDATION_DECLINED)
        return request_answer (validation, author, &message->as.validation_declined.request,
                               ANSWERED_DECLINED, none);
    return request_answer (validation, author, NULL,
                           message->as.validation_result.confirmed ? ANSWERED_YES : ANSWERED_NO, packed);
}

void on_validation_reply (node_t *self, const message_t *message, const pubkey_t *author, bytes_t packed)
{
    assert (self && message && author);
    if (!peer_has_vote (self, author))
        return;
    for (size_t k = 0; k < LIMIT_IMPROVEMENTS; k++) {
        improvement_t *improvement = &self->improvements[k];
        if (!improvement->used || improvement->state != STATE_VALIDATING ||
            !s_speaks_of (self, improvement, message) ||
            s_take (&improvement->validation, message, author, packed))
            continue;
        validate_check (self, k, false);
        return;
    }
}
