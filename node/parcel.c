/* SPDX-License-Identifier: MPL-2.0 */
#include "node/parcel.h"

#include <assert.h>
#include <string.h>

static const parcel_edge_t s_edges[] = {
    {PARCEL_FREE, PARCEL_MOVE_HEAR, PARCEL_WAITING},
    {PARCEL_WAITING, PARCEL_MOVE_TAKE_UP, PARCEL_FETCHING},
    {PARCEL_FETCHING, PARCEL_MOVE_VERIFY, PARCEL_FILES},
    {PARCEL_FILES, PARCEL_MOVE_MERGE, PARCEL_MERGING},
    {PARCEL_FILES, PARCEL_MOVE_TRY, PARCEL_TRYING},
    {PARCEL_MERGING, PARCEL_MOVE_TRY, PARCEL_TRYING},
    {PARCEL_FETCHING, PARCEL_MOVE_PUT_BACK, PARCEL_WAITING},
    {PARCEL_FILES, PARCEL_MOVE_PUT_BACK, PARCEL_WAITING},
    {PARCEL_MERGING, PARCEL_MOVE_PUT_BACK, PARCEL_WAITING},
    {PARCEL_TRYING, PARCEL_MOVE_PUT_BACK, PARCEL_WAITING},
    {PARCEL_WAITING, PARCEL_MOVE_END, PARCEL_FREE},
    {PARCEL_FETCHING, PARCEL_MOVE_END, PARCEL_FREE},
    {PARCEL_FILES, PARCEL_MOVE_END, PARCEL_FREE},
    {PARCEL_MERGING, PARCEL_MOVE_END, PARCEL_FREE},
    {PARCEL_TRYING, PARCEL_MOVE_END, PARCEL_FREE},
};

static const char *const s_state_names[] = {
#define STATE_NAME(NAME, name) name,
    PARCEL_STATES (STATE_NAME)
#undef STATE_NAME
};

static const char *const s_move_names[] = {
#define MOVE_NAME(NAME, name) name,
    PARCEL_MOVES (MOVE_NAME)
#undef MOVE_NAME
};

const parcel_edge_t *parcel_edges (size_t *count)
{
    assert (count);
    *count = sizeof s_edges / sizeof s_edges[0];
    return s_edges;
}

const parcel_edge_t *parcel_edge (parcel_state_t from, parcel_move_t move)
{
    assert (from < PARCEL_STATE_COUNT && move < PARCEL_MOVE_COUNT);
    for (size_t i = 0; i < sizeof s_edges / sizeof s_edges[0]; i++)
        if (s_edges[i].from == from && s_edges[i].move == move)
            return &s_edges[i];
    return NULL;
}

const char *parcel_state_name (parcel_state_t state)
{
    assert (state < PARCEL_STATE_COUNT);
    return s_state_names[state];
}

const char *parcel_move_name (parcel_move_t move)
{
    assert (move < PARCEL_MOVE_COUNT);
    return s_move_names[move];
}

/* What must hold of a parcel in each state. */
static void s_check_invariant (const parcel_t *self)
{
    parcel_state_t state = self->state;
    bool is_used = state != PARCEL_FREE;
    bool is_open = state == PARCEL_FILES || state == PARCEL_MERGING || state == PARCEL_TRYING;
    assert (digest_is_zero (&self->package) == !is_used);
    assert (pubkey_is_zero (&self->author) == !is_used);
    assert (self->files <= 2);
    if (!is_used)
        assert (self->base_tree.data == NULL && self->candidate_tree.data == NULL);
    if (is_open) /* the package was verified, and told what it is made of */
        assert (self->base_tree.size > 0 && self->candidate_tree.size > 0 && !digest_is_zero (&self->base) &&
                !digest_is_zero (&self->candidate));
    if (state == PARCEL_MERGING || state == PARCEL_TRYING)
        assert (self->files == 2);
}

static void s_move (parcel_t *self, parcel_move_t move)
{
    const parcel_edge_t *edge = parcel_edge (self->state, move);
    assert (edge);
    self->state = edge->to;
    s_check_invariant (self);
}

void parcel_move (parcel_t *self, parcel_move_t move)
{
    assert (self && move != PARCEL_MOVE_HEAR && move != PARCEL_MOVE_END);
    s_move (self, move);
}

void parcel_hear (parcel_t *self, const digest_t *package, const pubkey_t *author, const digest_t *transfer,
                  uint64_t order)
{
    assert (self && package && author && transfer);
    assert (parcel_edge (self->state, PARCEL_MOVE_HEAR));
    *self = (parcel_t){.package = *package, .author = *author, .transfer = *transfer, .order = order};
    s_move (self, PARCEL_MOVE_HEAR);
}

void parcel_end (parcel_t *self)
{
    assert (self);
    const parcel_edge_t *edge = parcel_edge (self->state, PARCEL_MOVE_END);
    assert (edge);
    buffer_clear (&self->base_tree);
    buffer_clear (&self->candidate_tree);
    memset (self, 0, sizeof *self);
    self->state = edge->to;
    s_check_invariant (self);
}

void parcel_image (parcel_t *self, image_t *image)
{
    image_unsigned (image, &self->state, PARCEL_STATE_COUNT - 1);
    if (self->state == PARCEL_FREE)
        return;
    digest_t *const digests[] = {&self->package, &self->transfer, &self->candidate, &self->base,
                                 &self->ancestor};
    for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++)
        image_fixed (image, digests[i]->bytes, DIGEST_BYTES);
    image_fixed (image, self->author.bytes, PUBKEY_BYTES);
    image_fixed (image, self->alternate.bytes, PUBKEY_BYTES);
    image_bool (image, &self->alone);
    image_bool (image, &self->unconfirmed);
    image_bool (image, &self->approved);
    image_bool (image, &self->again);
    image_unsigned (image, &self->attempts, 0);
    image_uint (image, &self->retry_ms, 0);
    image_unsigned (image, &self->type, IMPROVE_TYPES - 1);
    image_text (image, self->description, sizeof self->description);
    image_bytes (image, &self->base_tree, LIMIT_PACKAGE_BYTES);
    image_bytes (image, &self->candidate_tree, LIMIT_PACKAGE_BYTES);
    image_unsigned (image, &self->files, 2);
    image_unsigned (image, &self->hunks, 0);
    image_unsigned (image, &self->conflicts, 0);
    compatibility_image (&self->parts, image);
    image_real (image, &self->score);
    image_bool (image, &self->imported);
    image_uint (image, &self->order, 0);
}
