/* SPDX-License-Identifier: MPL-2.0 */
/* Looking at the node, without changing it. */
#include "node/node_life.h"
#include "node/node_peers.h"

#include <assert.h>
#include <math.h>
#include <string.h>

_Static_assert(STATE_COUNT <= 16, "node_status_t counts 16 states");
_Static_assert(REASON_COUNT <= REASON_LIMIT, "reasons travel in one byte");

static void s_list_proposers (const node_t *self, node_status_t *status)
{
    assert (self->settings.proposer_count <= LIMIT_CAPABILITIES);
    status->proposer_count = self->settings.proposer_count;
    for (size_t i = 0; i < status->proposer_count; i++) {
        const proposer_t *proposer = &self->proposers[i];
        memcpy (status->proposers[i].name, proposer->name, sizeof proposer->name);
        status->proposers[i].running = proposer->running;
        status->proposers[i].fruitless = proposer->fruitless;
        memcpy (status->proposers[i].fruitless_why, proposer->fruitless_why, sizeof proposer->fruitless_why);
        status->proposers[i].exhausted = proposer->exhausted;
        if (proposer->idle)
            memcpy (status->proposers[i].idle_why, proposer->idle_why, sizeof proposer->idle_why);
    }
}

void node_status (const node_t *self, node_status_t *status)
{
    assert (self && status);
    *status = self->counts;
    status->id = self->identity.id;
    status->paused = self->paused;
    status->stopped = self->stopped;
    if (!self->started)
        return;
    memcpy (status->name, self->settings.name, sizeof status->name);
    memcpy (status->group_name, self->group.name, sizeof status->group_name);
    memcpy (status->agent, self->group.agent, sizeof status->agent);
    status->group = self->group.group;
    status->epoch = self->members->epoch;
    status->members = (size_t)members_now (self);
    status->peers_up = group_takes_part (self) ? peers_up (self) : 0;
    group_why_out (self, status->out);
    status->finished = self->settings.proposals_max && self->proposals_made >= self->settings.proposals_max;
    status->release = self->live;
    status->objectives = self->objectives;
    status->start_metrics = self->start_metrics;
    status->live_metrics = self->live_metrics;
    status->baseline_reason = self->baseline_reason;
    memcpy (status->baseline_detail, self->baseline_detail, sizeof status->baseline_detail);
    status->learning_rate = self->learning.rate;
    status->success_rate = learning_rate_success (&self->learning);
    s_list_proposers (self, status);
    status->breaker = self->breaker.state;
    memcpy (status->fault, self->last_fault, sizeof status->fault);
    status->fault_wall_ms = self->last_fault_wall_ms;
    status->slots = self->settings.slots;
    status->slots_busy = slots_busy (self);
    status->candidates = archive_count (self->archive);
    status->front = archive_front_count (self->archive);
    status->archive_digest = self->archive_digest;
    uint64_t own_awaiting = 0;
    bool enough = members_now (self) == 1 || review_may_be_confirmed (self);
    for (size_t i = 0; i < LIMIT_IMPROVEMENTS; i++) {
        const improvement_t *improvement = &self->improvements[i];
        if (!improvement->used)
            continue;
        status->in_state[improvement->state]++;
        bool awaiting = improvement->waits && !improvement->certified && !enough;
        status->awaiting_members += awaiting;
        own_awaiting += awaiting && improvement->origin != ORIGIN_PACKAGE;
    }
    status->waits_for_members = own_awaiting >= propose_backlog_limit (self);
    status->held = status->in_state[STATE_HELD];
    for (size_t i = 0; i < self->outbox_used; i++)
        status->outbox += !digest_is_zero (&self->outbox[i].id);
}

double node_hypervolume (const node_t *self, metrics_t *reference, size_t *points)
{
    assert (self && reference && points);
    *reference = self->start_metrics;
    *points = 0;
    if (!self->started || reference->count == 0)
        return NAN;
    assert (reference->count == self->objectives.count);
    for (size_t i = 0; i < reference->count; i++) {
        const objective_t *objective = &self->objectives.items[i];
        if (objective->has_limit && !objective_infeasible (objective, reference->values[i]))
            reference->values[i] = objective->limit;
    }
    double volume = archive_hypervolume (self->archive, reference, points);
    return volume < 0 ? NAN : volume; /* out of memory */
}

const members_t *node_members (const node_t *self)
{
    assert (self);
    return self->members;
}

uint64_t node_publication (const node_t *self, const pubkey_t *author)
{
    assert (self && author);
    if (pubkey_equal (author, &self->identity.id))
        return self->publication;
    for (size_t i = 0; i < self->peer_count; i++)
        if (pubkey_equal (&self->peers[i].id, author))
            return self->peers[i].publication;
    return 0;
}

/* Numbers into a buffer, so that a digest doesn't depend on padding. */
static void s_put (buffer_t *out, uint64_t value)
{
    wire_write_uint (out, value);
}

static void s_put_improvements (const node_t *self, buffer_t *out)
{
    for (size_t i = 0; i < LIMIT_IMPROVEMENTS; i++) {
        const improvement_t *improvement = &self->improvements[i];
        if (!improvement->used)
            continue;
        buffer_append (out, improvement->id.bytes, DIGEST_BYTES);
        buffer_append (out, improvement->candidate.bytes, DIGEST_BYTES);
        s_put (out, improvement->state);
        s_put (out, improve_due_ms (improvement));
        for (size_t k = 0; k < improvement->feedback.count; k++)
            s_put (out, improvement->feedback.asked[k].answer);
        for (size_t k = 0; k < improvement->validation.count; k++)
            s_put (out, improvement->validation.asked[k].answer);
    }
}

digest_t node_digest (const node_t *self)
{
    assert (self);
    buffer_t out = {0};
    s_put (&out, self->seq);
    s_put (&out, self->publication);
    s_put (&out, self->operation);
    s_put (&out, self->order);
    s_put (&out, self->paused);
    s_put (&out, self->stopped);
    s_put (&out, self->left);
    for (size_t i = 0; i < LIMIT_CAPABILITIES; i++) {
        s_put (&out, self->proposers[i].running);
        s_put (&out, self->proposers[i].after_ms);
        s_put (&out, self->proposers[i].exhausted);
        s_put (&out, self->proposers[i].idle);
    }
    s_put (&out, self->breaker.state);
    s_put (&out, self->breaker.failures);
    s_put (&out, self->random.block);
    s_put (&out, self->random.used);
    buffer_append (&out, self->live.bytes, DIGEST_BYTES);
    buffer_append (&out, self->archive_digest.bytes, DIGEST_BYTES);
    s_put (&out, self->archive ? archive_count (self->archive) : 0);
    s_put_improvements (self, &out);
    for (size_t i = 0; i < LIMIT_OPERATIONS; i++)
        s_put (&out, self->operations[i].id);
    for (size_t i = 0; i < LIMIT_KNOWLEDGE; i++)
        s_put (&out, self->parcels[i].state);
    for (size_t i = 0; i < LIMIT_VALIDATIONS; i++)
        s_put (&out, self->jobs[i].state);
    for (size_t i = 0; i < self->outbox_used; i++) {
        buffer_append (&out, self->outbox[i].id.bytes, DIGEST_BYTES);
        s_put (&out, self->outbox[i].retry_ms);
    }
    for (size_t i = 0; i < self->tried_count; i++)
        buffer_append (&out, self->tried[i].package.bytes, DIGEST_BYTES);
    for (size_t i = 0; i < self->unconfirmed_count; i++)
        buffer_append (&out, self->unconfirmed[i].bytes, DIGEST_BYTES);
    for (size_t i = 0; i < self->peer_count; i++) {
        s_put (&out, self->peers[i].up);
        s_put (&out, self->peers[i].proved);
    }
    digest_t digest = digest_of (out.data, out.size);
    assert (!out.failed);
    buffer_clear (&out);
    return digest;
}
