/* SPDX-License-Identifier: MPL-2.0 */
/* Validation, the measuring side: a peer's candidate and its base run in our sandbox, with our evaluator and our private
 * data, and we sign what we measured. Nobody's numbers are taken on trust. */
#include "node/node_life.h"
#include "node/node_peers.h"
#include "node/node_say.h"

#include <assert.h>

#define FETCH_TIMEOUT_MS 60000

static void s_end (node_t *self, size_t index)
{
    assert (index < LIMIT_VALIDATIONS && self->jobs[index].state != JOB_FREE);
    operate_drop (self, OWNER_JOB, index);
    retain_litter (self, &self->jobs[index].order.candidate);
    retain_litter (self, &self->jobs[index].order.base);
    job_end (&self->jobs[index]);
}

static void s_decline (node_t *self, const pubkey_t *peer, const digest_t *request, reason_code_t reason)
{
    validation_declined_t declined = {*peer, *request, text_of (reason_name (reason))};
    say_back (self, peer, MESSAGE_VALIDATION_DECLINED, &declined);
}

/* What was accepted can't be done after all. */
static void s_give_up (node_t *self, size_t index, reason_code_t reason)
{
    assert (index < LIMIT_VALIDATIONS && self->jobs[index].state != JOB_FREE);
    const job_order_t *order = &self->jobs[index].order;
    s_decline (self, &order->peer, &order->request, reason);
    s_end (self, index);
}

static void s_answer (node_t *self, const job_order_t *order, reason_code_t reason,
                      const trial_result_t *result, uint64_t duration_ms)
{
    delta_t deltas[LIMIT_OBJECTIVES];
    bool valid_is_enough = !(order->validation_type & VALIDATE_PERFORMANCE);
    bool confirmed = reason == REASON_NONE || (valid_is_enough && result && reason != REASON_INFEASIBLE);
    validation_result_t answer = {.to = order->peer,
                                  .request = order->request,
                                  .candidate = order->candidate,
                                  .base = order->base,
                                  .evaluator = self->group.evaluator,
                                  .validation_type = order->validation_type,
                                  .confirmed = confirmed,
                                  .reason = text_of (reason_name (confirmed ? REASON_CONFIRMED : reason)),
                                  .platform = text_of (self->settings.platform),
                                  .duration_ms = duration_ms};
    if (result) {
        answer.changes.count = improve_deltas (self, result, deltas);
        answer.changes.items = deltas;
        answer.repeats = result->repeats;
    }
    say_durably (self, &order->peer, MESSAGE_VALIDATION_RESULT, &answer);
    self->counts.validations_done++;
}

static void s_measure (node_t *self, size_t index)
{
    assert (index < LIMIT_VALIDATIONS && self->jobs[index].state != JOB_FREE);
    const job_order_t *order = &self->jobs[index].order;
    assert (self->jobs[index].state == JOB_MEASURING);
    const measurement_t *known = measurement_find (self, &order->candidate, &order->base);
    if (known) {
        s_answer (self, order, known->reason, known->measured ? &known->result : NULL, 0);
        s_end (self, index);
    } else if (trial_open (self, OWNER_JOB, index, &order->candidate, &order->base, RANK_PEER) == NONE)
        s_give_up (self, index, REASON_BUSY);
}

/* Fetches both lists of files (LISTING), or what they list (FETCHING). */
static bool s_fetch (node_t *self, size_t index)
{
    assert (index < LIMIT_VALIDATIONS && self->jobs[index].state != JOB_FREE);
    const job_t *job = &self->jobs[index];
    assert (job->state == JOB_LISTING || job->state == JOB_FETCHING);
    fetch_content_t candidate = {.peer = job->order.peer,
                                 .content = job->order.candidate,
                                 .tree = job->state == JOB_FETCHING,
                                 .timeout_ms = FETCH_TIMEOUT_MS};
    fetch_content_t base = candidate;
    base.content = job->order.base;
    return operate (self, EFFECT_FETCH_CONTENT, &candidate, OWNER_JOB, index) != 0 &&
           operate (self, EFFECT_FETCH_CONTENT, &base, OWNER_JOB, index) != 0;
}

/* How many jobs there are; of that peer's only, unless it is NULL. */
static size_t s_count (const node_t *self, const pubkey_t *peer)
{
    size_t count = 0;
    for (size_t i = 0; i < LIMIT_VALIDATIONS; i++)
        count += self->jobs[i].state != JOB_FREE &&
                 (peer == NULL || pubkey_equal (&self->jobs[i].order.peer, peer));
    return count;
}

/* Why we don't take it; REASON_NONE if we do. */
static reason_code_t s_refusal (const node_t *self, const validation_request_t *request,
                                const pubkey_t *author)
{
    if (!self->settings.validate_for_peers)
        return REASON_NETWORK_OFF;
    if (!self->settings.confined)
        return REASON_UNSANDBOXED;
    if (request->validation_type == 0)
        return REASON_NO_TYPE;
    if (!digest_equal (&request->evaluator, &self->group.evaluator))
        return REASON_OTHER_EVALUATOR;
    if (self->breaker.state == BREAKER_OPEN)
        return REASON_FAULT;
    bool is_full =
        s_count (self, NULL) == LIMIT_VALIDATIONS || s_count (self, author) >= LIMIT_VALIDATIONS_OF_PEER;
    return is_full ? REASON_BUSY : REASON_NONE;
}

static size_t s_job_of (const node_t *self, const pubkey_t *peer, const digest_t *candidate,
                        const digest_t *base)
{
    for (size_t i = 0; i < LIMIT_VALIDATIONS; i++) {
        const job_order_t *order = &self->jobs[i].order;
        if (self->jobs[i].state != JOB_FREE && pubkey_equal (&order->peer, peer) &&
            digest_equal (&order->candidate, candidate) && digest_equal (&order->base, base))
            return i;
    }
    return NONE;
}

static size_t s_job_free (const node_t *self)
{
    size_t index = 0;
    while (index < LIMIT_VALIDATIONS && self->jobs[index].state != JOB_FREE)
        index++;
    assert (index < LIMIT_VALIDATIONS); /* s_refusal saw to it that there is one */
    return index;
}

void on_validation_request (node_t *self, const message_t *message, const pubkey_t *author,
                            const digest_t *id)
{
    assert (self && message && author && id);
    const validation_request_t *request = &message->as.validation_request;
    validation_accepted_t accepted = {*author, *id};
    size_t index = s_job_of (self, author, &request->candidate, &request->base);
    if (index != NONE) { /* asked again, after a restart of either side */
        self->jobs[index].order.request = *id;
        say_back (self, author, MESSAGE_VALIDATION_ACCEPTED, &accepted);
        return;
    }
    reason_code_t refusal = s_refusal (self, request, author);
    if (refusal != REASON_NONE) {
        s_decline (self, author, id, refusal);
        return;
    }
    index = s_job_free (self);
    job_order_t order = {.peer = *author,
                         .request = *id,
                         .candidate = request->candidate,
                         .base = request->base,
                         .validation_type = (unsigned)request->validation_type,
                         .deadline_ms = time_after_ms (self->now_ms, request->deadline_ms)};
    job_accept (&self->jobs[index], &order);
    say_back (self, author, MESSAGE_VALIDATION_ACCEPTED, &accepted);
    if (!s_fetch (self, index))
        s_give_up (self, index, REASON_BUSY);
}

/* The shape of our live release, under our evaluator? */
static bool s_tree_fits (const node_t *self, bytes_t bytes)
{
    tree_t tree = {0}, live = {0};
    digest_t evaluator;
    bool fits = tree_decode (bytes.data, bytes.size, &tree, &evaluator) == 0 &&
                digest_equal (&evaluator, &self->group.evaluator) &&
                tree_decode (self->live_tree.data, self->live_tree.size, &live, &evaluator) == 0 &&
                tree_same_shape (&tree, &live);
    tree_clear (&tree);
    tree_clear (&live);
    return fits;
}

void serve_fetched (node_t *self, size_t index, const fetched_t *event)
{
    assert (self && event);
    assert (index < LIMIT_VALIDATIONS && self->jobs[index].state != JOB_FREE);
    job_t *job = &self->jobs[index];
    assert (job->state == JOB_LISTING || job->state == JOB_FETCHING);
    if (event->result != 0) {
        s_give_up (self, index, REASON_UNAVAILABLE);
        return;
    }
    if (!s_tree_fits (self, event->bytes)) {
        s_give_up (self, index, REASON_PROTECTED);
        return;
    }
    if (!job_fetched (job))
        return;
    if (job->state == JOB_MEASURING)
        s_measure (self, index);
    else if (!s_fetch (self, index))
        s_give_up (self, index, REASON_BUSY);
}

void serve_measured (node_t *self, size_t index, reason_code_t reason, const trial_result_t *result,
                     uint64_t duration_ms)
{
    assert (index < LIMIT_VALIDATIONS && self->jobs[index].state != JOB_FREE);
    const job_order_t *order = &self->jobs[index].order;
    assert (self->jobs[index].state == JOB_MEASURING);
    if (reason == REASON_FAULT || reason == REASON_BASE_FAILED) {
        s_give_up (self, index, reason);
        return;
    }
    measurement_keep (self, &order->candidate, &order->base, reason, result);
    s_answer (self, order, reason, result, duration_ms);
    s_end (self, index);
}

/* Those whose asker no longer waits are given up. */
void serve_tick (node_t *self)
{
    assert (self);
    for (size_t i = 0; i < LIMIT_VALIDATIONS; i++) {
        if (self->jobs[i].state == JOB_FREE || self->jobs[i].order.deadline_ms > self->now_ms)
            continue;
        for (size_t k = 0; k < LIMIT_TRIALS; k++)
            if (self->comparisons[k].used && self->comparisons[k].owner == OWNER_JOB &&
                self->comparisons[k].index == i)
                trial_close (self, k);
        s_end (self, i);
    }
}

uint64_t serve_deadline_ms (const node_t *self)
{
    assert (self);
    uint64_t deadline_ms = UINT64_MAX;
    for (size_t i = 0; i < LIMIT_VALIDATIONS; i++)
        if (self->jobs[i].state != JOB_FREE && self->jobs[i].order.deadline_ms < deadline_ms)
            deadline_ms = self->jobs[i].order.deadline_ms;
    return deadline_ms;
}
