/* SPDX-License-Identifier: MPL-2.0 */
/* Validation, the asking side: who measures a candidate again, and what comes of their results. */
#include "node/node_state.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a validator may take: both trees in pairs, and as much again for what waits there before us. */
static uint64_t s_allowance_ms (const node_t *self)
{
    return 2 * self->settings.timeout_ms * 2 * TRIAL_PAIRS + self->settings.timeout_ms;
}

static digest_t s_request (node_t *self, const improvement_t *improvement, const pubkey_t *peer)
{
    validation_request_t request = {.to = *peer,
                                    .improvement = improvement->id,
                                    .candidate = improvement->candidate,
                                    .base = improvement->base,
                                    .evaluator = self->group.evaluator,
                                    .validation_type = VALIDATE_PERFORMANCE,
                                    .improvement_type = improvement->type,
                                    .deadline_ms = improvement->deadline_ms - self->now_ms};
    return say_to (self, peer, MESSAGE_VALIDATION_REQUEST, &request);
}

static void s_no_validators (node_t *self, size_t index)
{
    if (!self->group.policy.allow_unvalidated) {
        improve_reject (self, index, REASON_NO_VALIDATORS, NULL);
        return;
    }
    /* The policy lets it pass unvalidated, and its certificate will say so. */
    improvement_t *improvement = &self->improvements[index];
    improve_move (self, index, improvement->state == STATE_HELD ? MOVE_APPROVE : MOVE_VALIDATE);
    improvement->deadline_ms = UINT64_MAX;
    improve_move (self, index, MOVE_CONFIRM);
}

void validate_start (node_t *self, size_t index)
{
    improvement_t *improvement = &self->improvements[index];
    assert (improvement->state == STATE_REVIEWING || improvement->state == STATE_HELD);
    validator_t *peers = calloc (self->peer_count + 1, sizeof *peers);
    assert (peers);
    for (size_t i = 0; i < self->peer_count; i++) {
        peers[i] = self->peers[i].record;
        peers[i].connected = peer_is_up (self, &self->peers[i].id);
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
    improvement->deadline_ms = self->now_ms + s_allowance_ms (self);
    improvement->validators = calloc (count, sizeof *improvement->validators);
    assert (improvement->validators);
    improvement->validator_count = count;
    for (size_t i = 0; i < count; i++) {
        improvement->validators[i].member = self->peers[chosen[i]].id;
        improvement->validators[i].request = s_request (self, improvement, &self->peers[chosen[i]].id);
    }
    improve_move (self, index, improvement->state == STATE_HELD ? MOVE_APPROVE : MOVE_VALIDATE);
}

void validate_resend (node_t *self, size_t index, const pubkey_t *peer)
{
    improvement_t *improvement = &self->improvements[index];
    for (size_t i = 0; i < improvement->validator_count; i++) {
        asked_t *asked = &improvement->validators[i];
        if (pubkey_equal (&asked->member, peer) && asked->answer == ASKED &&
            improvement->deadline_ms > self->now_ms)
            asked->request = s_request (self, improvement, peer);
    }
}

static void s_completed (node_t *self, size_t index, const validation_tally_t *tally, const char *verdict)
{
    improvement_t *improvement = &self->improvements[index];
    char counts[LIMIT_TEXT];
    (void)snprintf (counts, sizeof counts, "%u confirmed, %u not, %u declined, of %u asked", tally->confirmed,
                    tally->refuted, tally->declined, tally->asked);
    entry_t metadata[2] = {{text_of ("verdict"), text_of (verdict)}, {text_of ("results"), text_of (counts)}};
    say_event (self, "validation_completed", &improvement->id, improvement->result.weighted, NULL, metadata,
               2);
}

/* The record of those that did not do what they were asked, and of those that the others contradict. */
static void s_record (node_t *self, const improvement_t *improvement, validation_outcome_t outcome)
{
    for (size_t i = 0; i < improvement->validator_count; i++) {
        known_peer_t *peer = peer_of (self, &improvement->validators[i].member);
        answer_t answer = improvement->validators[i].answer;
        bool agreed = (answer == ANSWERED_YES) == (outcome == VALIDATION_CONFIRMED);
        if (!peer)
            continue;
        if ((answer == ANSWERED_YES || answer == ANSWERED_NO) && agreed) {
            peer->record.completed++;
            peer->record.experience[improvement->type]++;
        } else
            peer->record.failed++;
    }
}

void validate_check (node_t *self, size_t index, bool final)
{
    improvement_t *improvement = &self->improvements[index];
    assert (improvement->state == STATE_VALIDATING);
    validation_tally_t tally = {.asked = (unsigned)improvement->validator_count};
    for (size_t i = 0; i < improvement->validator_count; i++) {
        tally.confirmed += improvement->validators[i].answer == ANSWERED_YES;
        tally.refuted += improvement->validators[i].answer == ANSWERED_NO;
        tally.declined += improvement->validators[i].answer == ANSWERED_DECLINED;
    }
    bool all = tally.confirmed + tally.refuted + tally.declined == tally.asked;
    unsigned min_confirmations = package_min_confirmations (&self->group.policy, members_now (self));
    validation_outcome_t outcome =
        validation_decide (&tally, min_confirmations, self->group.policy.consensus_threshold, final || all);
    if (outcome == VALIDATION_PENDING || (outcome == VALIDATION_CONFIRMED && !final && !all))
        return; /* all results that come in time belong into the certificate */
    improvement->deadline_ms = UINT64_MAX;
    s_record (self, improvement, outcome);
    if (outcome == VALIDATION_CONFIRMED) {
        improve_move (self, index, MOVE_CONFIRM);
        return;
    }
    s_completed (self, index, &tally, "not confirmed");
    char detail[LIMIT_TEXT];
    (void)snprintf (detail, sizeof detail,
                    "%u of %u validators confirm it, %u do not, %u declined; needed: %u", tally.confirmed,
                    tally.asked, tally.refuted, tally.declined, min_confirmations);
    improve_reject (self, index, REASON_NOT_CONFIRMED, detail);
}

static void s_take_result (asked_t *asked, const message_t *message, bytes_t packed)
{
    asked->answer = message->as.validation_result.confirmed ? ANSWERED_YES : ANSWERED_NO;
    buffer_append (&asked->evidence, packed.data, packed.size);
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

void on_validation_reply (node_t *self, const message_t *message, const pubkey_t *author, bytes_t packed)
{
    unsigned kind = message->head.kind;
    const digest_t *request = kind == MESSAGE_VALIDATION_RESULT ? &message->as.validation_result.request
                              : kind == MESSAGE_VALIDATION_DECLINED
                                  ? &message->as.validation_declined.request
                                  : &message->as.validation_accepted.request;
    for (size_t k = 0; k < LIMIT_IMPROVEMENTS; k++) {
        improvement_t *improvement = &self->improvements[k];
        if (!improvement->used || improvement->state != STATE_VALIDATING ||
            !s_speaks_of (self, improvement, message))
            continue;
        for (size_t i = 0; i < improvement->validator_count; i++) {
            asked_t *asked = &improvement->validators[i];
            if (asked->answer != ASKED || !pubkey_equal (&asked->member, author))
                continue;
            if (kind == MESSAGE_VALIDATION_RESULT)
                s_take_result (asked, message, packed);
            else if (!digest_equal (&asked->request, request))
                continue;
            else if (kind == MESSAGE_VALIDATION_DECLINED)
                asked->answer = ANSWERED_DECLINED;
            validate_check (self, k, false);
            return;
        }
    }
}
