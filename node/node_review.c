/* SPDX-License-Identifier: MPL-2.0 */
/* Feedback: asking the group what it thinks of an improvement, and answering when others ask. */
#include "node/node_life.h"
#include "node/node_peers.h"
#include "node/node_say.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

/* --- asking --- */

static void s_ask (node_t *self, improvement_t *improvement, const pubkey_t *peer)
{
    assert (improvement->measured && improvement->tree.size > 0 && improvement->base_tree.size > 0);
    delta_t deltas[LIMIT_OBJECTIVES];
    reason_t paths[LIMIT_EVOLVE_FILES];
    tree_t candidate = {0}, base = {0};
    digest_t evaluator;
    int rc = tree_decode (improvement->tree.data, improvement->tree.size, &candidate, &evaluator);
    rc |= tree_decode (improvement->base_tree.data, improvement->base_tree.size, &base, &evaluator);
    assert (rc == 0);
    feedback_request_t request = {.to = *peer,
                                  .improvement = improvement->id,
                                  .candidate = improvement->candidate,
                                  .base = improvement->base,
                                  .evaluator = self->group.evaluator,
                                  .improvement_type = improvement->type,
                                  .description = text_of (improvement->description)};
    for (size_t i = 0; i < candidate.count && request.changed_paths.count < LIMIT_EVOLVE_FILES; i++) {
        const tree_file_t *old = tree_find (&base, candidate.files[i].path);
        if (old && digest_equal (&old->content, &candidate.files[i].content))
            continue;
        paths[request.changed_paths.count++].text = text_of (candidate.files[i].path);
        uint64_t before = old ? old->size : 0, after = candidate.files[i].size;
        request.changed_bytes += after > before ? after - before : before - after;
    }
    request.changed_paths.items = paths;
    request.changes.count = improve_deltas (self, &improvement->result, deltas);
    request.changes.items = deltas;
    digest_t id = say_to (self, peer, MESSAGE_FEEDBACK_REQUEST, &request);
    tree_clear (&candidate);
    tree_clear (&base);
    rc = request_ask (&improvement->feedback, peer, &id);
    assert (rc == 0);
    (void)rc;
}

/* The policy's number goes by the roster, since whoever verifies the certificate counts so; but who has no vote is as good as away. */
bool review_may_be_confirmed (const node_t *self)
{
    assert (self);
    voters_t voters = voters_here (self);
    if (voters.count == 0)
        return false;
    uint64_t members = members_now (self);
    bool all_here = voters.count + 1 >= members;
    return all_here || self->group.policy.allow_unvalidated ||
           voters.validators >= package_min_confirmations (&self->group.policy, members);
}

bool review_is_alone (const node_t *self)
{
    assert (self);
    return members_now (self) == 1 && self->group.policy.allow_alone;
}

void review_start (node_t *self, size_t index)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    improvement_t *improvement = &self->improvements[index];
    assert (improvement->state == STATE_TESTING && improvement->waits && improvement->feedback.count == 0);
    if (apply_rebase (self, index))
        return;
    bool is_alone = review_is_alone (self);
    if (is_alone && !improvement->certified && test_again (self, index))
        return;
    if (improvement->certified || is_alone) {
        improvement->waits = false;
        improve_move (self, index, MOVE_CERTIFIED);
        return;
    }
    if (!review_may_be_confirmed (self)) {
        if (improvement->parcel != NONE) /* it makes room for other packages until there are more of us */
            improve_reject (self, index, REASON_NO_VALIDATORS,
                            "too few members are here to measure it again");
        return;
    }
    improvement->waits = false;
    request_init (&improvement->feedback, self->now_ms + self->group.policy.feedback_deadline_ms);
    for (size_t i = 0; i < self->peer_count; i++)
        if (peer_can_vote (self, &self->peers[i].id))
            s_ask (self, improvement, &self->peers[i].id);
    improve_move (self, index, MOVE_ASK);
}

void review_resend (node_t *self, size_t index, const pubkey_t *peer)
{
    assert (self && peer);
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    improvement_t *improvement = &self->improvements[index];
    if (peer_has_vote (self, peer) && request_expects (&improvement->feedback, peer, NULL) == 0)
        s_ask (self, improvement, peer);
}

void review_ask_again (node_t *self)
{
    assert (self);
    for (size_t k = 0; k < LIMIT_IMPROVEMENTS; k++) {
        improvement_t *improvement = &self->improvements[k];
        if (!improvement->used || improvement->state != STATE_REVIEWING)
            continue;
        for (size_t i = 0; i < improvement->feedback.count; i++) {
            const pubkey_t member = improvement->feedback.asked[i].member;
            if (peer_is_up (self, &member))
                review_resend (self, k, &member);
        }
    }
}

void review_check (node_t *self, size_t index, bool final)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    improvement_t *improvement = &self->improvements[index];
    assert (improvement->state == STATE_REVIEWING);
    const policy_t *policy = &self->group.policy;
    const consensus_rules_t rules = {policy->approve_threshold, policy->review_threshold, policy->quorum};
    const request_t *feedback = &improvement->feedback;
    assert (feedback->count > 0 && feedback->count <= LIMIT_MEMBERS);
    const tally_t tally = {.asked = (unsigned)feedback->count,
                           .approvals = request_count (feedback, ANSWERED_YES),
                           .reviews = request_count (feedback, ANSWERED_REVIEW),
                           .rejections = request_count (feedback, ANSWERED_NO)};
    if (!final && !consensus_decided (&tally, &rules))
        return;
    improvement->consensus = consensus_of (&tally, &rules);
    improvement->reviewed = true;
    bool passes = improvement->consensus.action == ACTION_APPROVE ||
                  (improvement->consensus.action == ACTION_REVIEW && improvement->approved);
    if (passes)
        validate_start (self, index);
    else if (improvement->consensus.action == ACTION_REVIEW) {
        improvement->held_until_ms = self->now_ms + policy->held_expiry_ms;
        if (improvement->breaker_trial) { /* an operator may take days: the breaker does not wait for that */
            breaker_release (&self->breaker, improvement->breaker_trial);
            improvement->breaker_trial = 0;
        }
        improve_move (self, index, MOVE_HOLD);
    } else {
        char detail[LIMIT_TEXT];
        (void)snprintf (detail, sizeof detail, "%u of %s approve, %u reject", tally.approvals,
                        text_counted (tally.asked, "member").text, tally.rejections);
        improve_reject (self, index, REASON_CONSENSUS, detail);
    }
}

/* Is it about the very change that is under review here? */
static bool s_speaks_of (const node_t *self, const improvement_t *improvement, const feedback_t *feedback)
{
    return digest_equal (&feedback->candidate, &improvement->candidate) &&
           digest_equal (&feedback->base, &improvement->base) &&
           digest_equal (&feedback->evaluator, &self->group.evaluator);
}

static void s_say_received (node_t *self, const improvement_t *improvement, const pubkey_t *author,
                            const feedback_t *feedback)
{
    static const char *const words[] = {"approve", "review", "reject"};
    assert (feedback->recommendation < sizeof words / sizeof words[0]);
    char member[DIGEST_SHORT_BYTES];
    pubkey_short (author, member);
    entry_t metadata[3] = {{text_of ("member"), text_of (member)},
                           {text_of ("recommendation"), text_of (words[feedback->recommendation])}};
    size_t count = 2;
    if (feedback->reasons.count)
        metadata[count++] = (entry_t){text_of ("why"), feedback->reasons.items[0].text};
    say_event_here (self, TYPE_FEEDBACK_RECEIVED, &improvement->id, NULL, metadata, count);
}

void on_feedback (node_t *self, const message_t *message, const pubkey_t *author, bytes_t packed)
{
    assert (self && message && author);
    static const answer_t answers[] = {ANSWERED_YES, ANSWERED_REVIEW, ANSWERED_NO};
    const feedback_t *feedback = &message->as.feedback;
    if (!peer_has_vote (self, author))
        return;
    for (size_t k = 0; k < LIMIT_IMPROVEMENTS; k++) {
        improvement_t *improvement = &self->improvements[k];
        if (!improvement->used || improvement->state != STATE_REVIEWING ||
            !s_speaks_of (self, improvement, feedback))
            continue;
        if (request_answer (&improvement->feedback, author, &feedback->request,
                            answers[feedback->recommendation], packed))
            continue;
        s_say_received (self, improvement, author, feedback);
        review_check (self, k, false);
        return;
    }
}

/* --- answering: rules with stated reasons --- */

typedef struct {
    unsigned recommendation;
    reason_t reasons[LIMIT_REASONS];
    size_t count;
} opinion_t;
enum { APPROVE, REVIEW, REJECT };

static void s_say (opinion_t *opinion, unsigned recommendation, const char *reason)
{
    if (recommendation > opinion->recommendation)
        opinion->recommendation = recommendation;
    if (opinion->count < LIMIT_REASONS)
        opinion->reasons[opinion->count++].text = text_of (reason);
}

static void s_object (opinion_t *opinion, unsigned recommendation, const char *reason)
{
    assert (recommendation == REVIEW || recommendation == REJECT);
    s_say (opinion, recommendation, reason);
}

/* Our own bad experience with the very same change. */
static void s_recall (const node_t *self, const feedback_request_t *request, opinion_t *opinion)
{
    const measurement_t *known = measurement_find (self, &request->candidate, &request->base);
    if (known && known->reason != REASON_NONE)
        s_object (opinion, REJECT, reason_description (known->reason));
    const archive_entry_t *entry = archive_find (self->archive, &request->candidate);
    if (!known && entry && !entry->valid)
        s_object (opinion, REJECT, "the same candidate was invalid here");
    for (size_t i = 0; i < self->applied_count; i++)
        if (digest_equal (&self->applied[i].after, &request->candidate) &&
            self->applied[i].state == STATE_ROLLED_BACK)
            s_object (opinion, REJECT, "the same candidate was rolled back here");
}

/* Is it on its way here, as an improvement or measured for another member than the one that asks? */
static bool s_is_under_way (const node_t *self, const digest_t *candidate, const pubkey_t *asker)
{
    for (size_t i = 0; i < LIMIT_IMPROVEMENTS; i++)
        if (self->improvements[i].used && digest_equal (&self->improvements[i].candidate, candidate))
            return true;
    for (size_t i = 0; i < LIMIT_VALIDATIONS; i++)
        if (self->jobs[i].state != JOB_FREE && digest_equal (&self->jobs[i].order.candidate, candidate) &&
            !pubkey_equal (&self->jobs[i].order.peer, asker))
            return true;
    return false;
}

static bool s_was_live (const node_t *self, const digest_t *candidate)
{
    bool was_live = digest_equal (candidate, &self->live);
    for (size_t i = 0; i < self->applied_count; i++)
        was_live = was_live || (digest_equal (&self->applied[i].after, candidate) &&
                                self->applied[i].state != STATE_ROLLED_BACK);
    return was_live;
}

/* What a member had measured here of the same candidate against another base, and in vain; NULL: nothing. */
static const measurement_t *s_lost_elsewhere (const node_t *self, const feedback_request_t *request)
{
    for (size_t i = 0; i < MEASUREMENTS; i++) {
        const measurement_t *known = &self->measurements[i];
        if (digest_equal (&known->candidate, &request->candidate) &&
            !digest_equal (&known->base, &request->base) && known->reason != REASON_NONE)
            return known;
    }
    return NULL;
}

/* What is known of the same candidate from before, whoever came with it. That it is good, or on its way, here too is told and held against
 * nobody: see docs/decisions/0016. That it lost against another release is no proof against this one, but wants a look. */
static void s_recognise (const node_t *self, const feedback_request_t *request, const pubkey_t *asker,
                         opinion_t *opinion)
{
    if (s_was_live (self, &request->candidate)) {
        s_say (opinion, APPROVE, "the same candidate is or was live here");
        return;
    }
    const measurement_t *lost = s_lost_elsewhere (self, request); /* that it is tried again unsays nothing */
    const archive_entry_t *entry = archive_find (self->archive, &request->candidate);
    if (lost) {
        s_object (opinion, REVIEW, "the same candidate was measured here against another live release");
        s_object (opinion, REVIEW, reason_description (lost->reason));
    } else if (s_is_under_way (self, &request->candidate, asker))
        s_say (opinion, APPROVE, "the same candidate is on its way here, too");
    else if (entry && entry->valid && !enter_is_unconfirmed (self, &request->candidate))
        s_object (opinion, REVIEW, "the same candidate was measured here before, and not taken");
}

static void s_judge (const node_t *self, const feedback_request_t *request, const pubkey_t *asker,
                     opinion_t *opinion)
{
    tree_t live = {0};
    digest_t evaluator;
    if (!digest_equal (&request->evaluator, &self->group.evaluator))
        s_object (opinion, REJECT, reason_description (REASON_OTHER_EVALUATOR));
    if (tree_decode (self->live_tree.data, self->live_tree.size, &live, &evaluator) == 0) {
        for (size_t i = 0; i < request->changed_paths.count; i++) {
            char path[LIMIT_PATH + 1];
            if (!text_copy (request->changed_paths.items[i].text, path, sizeof path) ||
                !tree_find (&live, path))
                s_object (opinion, REJECT, reason_description (REASON_PROTECTED));
        }
        tree_clear (&live);
    }
    if (request->changed_bytes > self->group.policy.change_bytes_max)
        s_object (opinion, REVIEW, "the change is larger than the group's policy takes without a look");
    if (request->improvement_type == IMPROVE_ARCHITECTURE_CHANGE)
        s_object (opinion, REVIEW, "a change of architecture wants a look");
    bool better = false;
    for (size_t i = 0; i < request->changes.count; i++)
        better = better || request->changes.items[i].conclusion == CHANGE_BETTER;
    if (!better)
        s_object (opinion, REJECT, "its proposer measured no improvement");
    s_recall (self, request, opinion);
    s_recognise (self, request, asker, opinion);
}

void on_feedback_request (node_t *self, const message_t *message, const pubkey_t *author, const digest_t *id)
{
    assert (self && message && author && id);
    const feedback_request_t *request = &message->as.feedback_request;
    opinion_t opinion = {.recommendation = APPROVE};
    s_judge (self, request, author, &opinion);
    feedback_t feedback = {.to = *author,
                           .request = *id,
                           .candidate = request->candidate,
                           .base = request->base,
                           .evaluator = request->evaluator,
                           .recommendation = opinion.recommendation,
                           .reasons = {opinion.reasons, opinion.count}};
    say_back (self, author, MESSAGE_FEEDBACK, &feedback);
}
