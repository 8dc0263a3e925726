/* SPDX-License-Identifier: MPL-2.0 */
/* Validation, the measuring side: a peer's candidate and its base run in our sandbox, with our evaluator and our private
 * data, and we sign what we measured. Nobody's numbers are taken on trust. */
#include "node/node_state.h"

#include <assert.h>
#include <string.h>

#define FETCH_TIMEOUT_MS 60000

static void s_job_clear (node_t *self, size_t index)
{
    operate_drop (self, OWNER_JOB, index);
    memset (&self->jobs[index], 0, sizeof self->jobs[index]);
}

static void s_decline (node_t *self, const pubkey_t *peer, const digest_t *request, const char *reason)
{
    validation_declined_t declined = {*peer, *request, text_of (reason)};
    say_back (self, peer, MESSAGE_VALIDATION_DECLINED, &declined);
}

static void s_answer (node_t *self, const job_t *job, reason_code_t reason, const trial_result_t *result,
                      uint64_t duration_ms)
{
    delta_t deltas[LIMIT_OBJECTIVES];
    bool valid_is_enough = !(job->validation_type & VALIDATE_PERFORMANCE);
    bool confirmed = reason == REASON_NONE || (valid_is_enough && result && reason != REASON_INFEASIBLE);
    validation_result_t answer = {.to = job->peer,
                                  .request = job->request,
                                  .candidate = job->candidate,
                                  .base = job->base,
                                  .evaluator = self->group.evaluator,
                                  .validation_type = job->validation_type,
                                  .confirmed = confirmed,
                                  .reason = text_of (reason_name (confirmed ? REASON_CONFIRMED : reason)),
                                  .platform = text_of (self->settings.platform),
                                  .duration_ms = duration_ms};
    if (result) {
        answer.changes.count = improve_deltas (self, result, deltas);
        answer.changes.items = deltas;
        answer.repeats = result->repeats;
    }
    say_durably (self, &job->peer, MESSAGE_VALIDATION_RESULT, &answer);
    self->counts.validations_done++;
}

static void s_measure (node_t *self, size_t index)
{
    job_t *job = &self->jobs[index];
    job->state = JOB_MEASURING;
    const measurement_t *known = measurement_find (self, &job->candidate, &job->base);
    if (known) {
        s_answer (self, job, known->reason, known->measured ? &known->result : NULL, 0);
        s_job_clear (self, index);
        return;
    }
    if (trial_open (self, OWNER_JOB, index, &job->candidate, &job->base, RANK_PEER) == NONE) {
        s_decline (self, &job->peer, &job->request, reason_name (REASON_BUSY));
        s_job_clear (self, index);
    }
}

/* Fetches both lists of files, or with `files` what they list. */
static bool s_fetch (node_t *self, size_t index, bool files)
{
    const job_t *job = &self->jobs[index];
    fetch_content_t candidate = {
        .peer = job->peer, .content = job->candidate, .tree = files, .timeout_ms = FETCH_TIMEOUT_MS};
    fetch_content_t base = candidate;
    base.content = job->base;
    return operate (self, EFFECT_FETCH_CONTENT, &candidate, OWNER_JOB, index) != 0 &&
           operate (self, EFFECT_FETCH_CONTENT, &base, OWNER_JOB, index) != 0;
}

/* Why we don't take it; NULL if we do. */
static const char *s_refusal (const node_t *self, const validation_request_t *request, const pubkey_t *author)
{
    if (!self->settings.validate_for_peers)
        return reason_name (REASON_NETWORK_OFF);
    if (!self->settings.confined)
        return reason_name (REASON_UNSANDBOXED);
    if (request->validation_type == 0)
        return reason_name (REASON_NO_TYPE);
    if (!digest_equal (&request->evaluator, &self->group.evaluator))
        return reason_name (REASON_OTHER_EVALUATOR);
    if (self->breaker.state == BREAKER_OPEN)
        return reason_name (REASON_FAULT);
    size_t free_jobs = 0, of_peer = 0;
    for (size_t i = 0; i < LIMIT_VALIDATIONS; i++) {
        free_jobs += self->jobs[i].state == JOB_FREE;
        of_peer += self->jobs[i].state != JOB_FREE && pubkey_equal (&self->jobs[i].peer, author);
    }
    return free_jobs == 0 || of_peer >= LIMIT_VALIDATIONS_OF_PEER ? reason_name (REASON_BUSY) : NULL;
}

static size_t s_job_of (const node_t *self, const pubkey_t *peer, const digest_t *candidate,
                        const digest_t *base)
{
    for (size_t i = 0; i < LIMIT_VALIDATIONS; i++)
        if (self->jobs[i].state != JOB_FREE && pubkey_equal (&self->jobs[i].peer, peer) &&
            digest_equal (&self->jobs[i].candidate, candidate) && digest_equal (&self->jobs[i].base, base))
            return i;
    return NONE;
}

static size_t s_job_free (const node_t *self)
{
    size_t index = 0;
    while (self->jobs[index].state != JOB_FREE)
        index++; /* s_refusal saw to it that there is one */
    assert (index < LIMIT_VALIDATIONS);
    return index;
}

void on_validation_request (node_t *self, const message_t *message, const pubkey_t *author,
                            const digest_t *id)
{
    const validation_request_t *request = &message->as.validation_request;
    validation_accepted_t accepted = {*author, *id};
    size_t index = s_job_of (self, author, &request->candidate, &request->base);
    if (index != NONE) { /* asked again, after a restart of either side */
        self->jobs[index].request = *id;
        say_back (self, author, MESSAGE_VALIDATION_ACCEPTED, &accepted);
        return;
    }
    const char *refusal = s_refusal (self, request, author);
    if (refusal) {
        s_decline (self, author, id, refusal);
        return;
    }
    index = s_job_free (self);
    self->jobs[index] = (job_t){.state = JOB_FETCHING,
                                .peer = *author,
                                .request = *id,
                                .improvement = request->improvement,
                                .candidate = request->candidate,
                                .base = request->base,
                                .validation_type = (unsigned)request->validation_type,
                                .improvement_type = (improvement_type_t)request->improvement_type,
                                .deadline_ms = time_after_ms (self->now_ms, request->deadline_ms)};
    say_back (self, author, MESSAGE_VALIDATION_ACCEPTED, &accepted);
    if (!s_fetch (self, index, false)) {
        s_decline (self, author, id, reason_name (REASON_BUSY));
        s_job_clear (self, index);
    }
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
    job_t *job = &self->jobs[index];
    if (job->state != JOB_FETCHING)
        return;
    if (event->result != 0 || !s_tree_fits (self, event->bytes)) {
        s_decline (self, &job->peer, &job->request,
                   reason_name (event->result ? REASON_UNAVAILABLE : REASON_PROTECTED));
        s_job_clear (self, index);
        return;
    }
    /* First both lists, which are judged by their shape; then the files. */
    if (++job->fetched == 2 && !s_fetch (self, index, true)) {
        s_decline (self, &job->peer, &job->request, reason_name (REASON_BUSY));
        s_job_clear (self, index);
    } else if (job->fetched == 4)
        s_measure (self, index);
}

void serve_measured (node_t *self, size_t index, reason_code_t reason, const trial_result_t *result,
                     uint64_t duration_ms)
{
    job_t *job = &self->jobs[index];
    assert (job->state == JOB_MEASURING);
    if (reason == REASON_FAULT || reason == REASON_BASE_FAILED)
        s_decline (self, &job->peer, &job->request, reason_name (reason));
    else {
        measurement_keep (self, &job->candidate, &job->base, reason, result);
        s_answer (self, job, reason, result, duration_ms);
    }
    s_job_clear (self, index);
}

/* Those whose asker no longer waits are given up. */
void serve_tick (node_t *self)
{
    for (size_t i = 0; i < LIMIT_VALIDATIONS; i++) {
        if (self->jobs[i].state == JOB_FREE || self->jobs[i].deadline_ms > self->now_ms)
            continue;
        for (size_t k = 0; k < LIMIT_TRIALS; k++)
            if (self->comparisons[k].used && self->comparisons[k].owner == OWNER_JOB &&
                self->comparisons[k].index == i)
                trial_close (self, k);
        s_job_clear (self, i);
    }
}

uint64_t serve_deadline_ms (const node_t *self)
{
    uint64_t deadline_ms = UINT64_MAX;
    for (size_t i = 0; i < LIMIT_VALIDATIONS; i++)
        if (self->jobs[i].state != JOB_FREE && self->jobs[i].deadline_ms < deadline_ms)
            deadline_ms = self->jobs[i].deadline_ms;
    return deadline_ms;
}
