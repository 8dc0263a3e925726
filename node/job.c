/* SPDX-License-Identifier: MPL-2.0 */
#include "node/job.h"

#include <assert.h>
#include <string.h>

static const job_edge_t s_edges[] = {
    {JOB_FREE, JOB_MOVE_ACCEPT, JOB_LISTING},        {JOB_LISTING, JOB_MOVE_LIST, JOB_FETCHING},
    {JOB_FETCHING, JOB_MOVE_MEASURE, JOB_MEASURING}, {JOB_LISTING, JOB_MOVE_END, JOB_FREE},
    {JOB_FETCHING, JOB_MOVE_END, JOB_FREE},          {JOB_MEASURING, JOB_MOVE_END, JOB_FREE},
};

static const char *const s_state_names[] = {
#define STATE_NAME(NAME, name) name,
    JOB_STATES (STATE_NAME)
#undef STATE_NAME
};

static const char *const s_move_names[] = {
#define MOVE_NAME(NAME, name) name,
    JOB_MOVES (MOVE_NAME)
#undef MOVE_NAME
};

const job_edge_t *job_edges (size_t *count)
{
    assert (count);
    *count = sizeof s_edges / sizeof s_edges[0];
    return s_edges;
}

const job_edge_t *job_edge (job_state_t from, job_move_t move)
{
    assert (from < JOB_STATE_COUNT && move < JOB_MOVE_COUNT);
    for (size_t i = 0; i < sizeof s_edges / sizeof s_edges[0]; i++)
        if (s_edges[i].from == from && s_edges[i].move == move)
            return &s_edges[i];
    return NULL;
}

const char *job_state_name (job_state_t state)
{
    assert (state < JOB_STATE_COUNT);
    return s_state_names[state];
}

const char *job_move_name (job_move_t move)
{
    assert (move < JOB_MOVE_COUNT);
    return s_move_names[move];
}

/* What must hold of a job in each state. */
static void s_check_invariant (const job_t *self)
{
    bool is_used = self->state != JOB_FREE;
    assert (pubkey_is_zero (&self->order.peer) == !is_used);
    assert (digest_is_zero (&self->order.request) == !is_used);
    assert ((self->order.validation_type != 0) == is_used);
    assert (self->fetched == 0 || self->state == JOB_LISTING || self->state == JOB_FETCHING);
    assert (self->fetched < 2);
}

static void s_move (job_t *self, job_move_t move)
{
    const job_edge_t *edge = job_edge (self->state, move);
    assert (edge);
    self->state = edge->to;
    self->fetched = 0;
    s_check_invariant (self);
}

void job_accept (job_t *self, const job_order_t *order)
{
    assert (self && order);
    self->order = *order;
    s_move (self, JOB_MOVE_ACCEPT);
}

bool job_fetched (job_t *self)
{
    assert (self && (self->state == JOB_LISTING || self->state == JOB_FETCHING));
    if (++self->fetched < 2) {
        s_check_invariant (self);
        return false;
    }
    s_move (self, self->state == JOB_LISTING ? JOB_MOVE_LIST : JOB_MOVE_MEASURE);
    return true;
}

void job_end (job_t *self)
{
    assert (self);
    memset (&self->order, 0, sizeof self->order);
    s_move (self, JOB_MOVE_END);
}

void job_image (job_t *self, image_t *image)
{
    assert (self && image);
    image_unsigned (image, &self->state, JOB_STATE_COUNT - 1);
    if (self->state == JOB_FREE)
        return;
    image_fixed (image, self->order.peer.bytes, sizeof self->order.peer.bytes);
    image_fixed (image, self->order.request.bytes, sizeof self->order.request.bytes);
    image_fixed (image, self->order.candidate.bytes, sizeof self->order.candidate.bytes);
    image_fixed (image, self->order.base.bytes, sizeof self->order.base.bytes);
    image_unsigned (image, &self->order.validation_type, 0);
    image_uint (image, &self->order.deadline_ms, 0);
    image_unsigned (image, &self->fetched, 2);
}
