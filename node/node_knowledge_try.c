/* SPDX-License-Identifier: MPL-2.0 */
/* Peers' packages: merged with our live release if that moved, compared, and tried as an improvement like any other. */
#include "node/node_life.h"
#include "node/node_peers.h"
#include "node/node_say.h"

#include <assert.h>

/* The package's content as it comes out here, with its compatibility. `certified`: its certificate speaks of exactly this. */
static void s_propose (node_t *self, size_t index, bytes_t tree, bool certified)
{
    assert (index < LIMIT_KNOWLEDGE && self->parcels[index].state != PARCEL_FREE);
    parcel_t *parcel = &self->parcels[index];
    assert (tree.size > 0 && parcel->conflicts <= parcel->hunks);
    parcel->parts.merge = parcel->hunks ? 1.0 - (double)parcel->conflicts / parcel->hunks : 1.0;
    parcel->score = compatibility_score (&parcel->parts);
    if (!(parcel->score > self->settings.compatibility_threshold)) {
        knowledge_decided (self, index, false, REASON_INCOMPATIBLE, NULL);
        return;
    }
    digest_t candidate = digest_of (tree.data, tree.size);
    if (digest_equal (&candidate, &self->live)) {
        knowledge_decided (self, index, false, REASON_DUPLICATE, NULL);
        return;
    }
    parcel_move (parcel, PARCEL_MOVE_TRY);
    uint64_t order = parcel->order;
    size_t improvement = propose_candidate (
        self, ORIGIN_PACKAGE, &parcel->candidate, tree, parcel->type, text_of (parcel->description),
        certified ? &parcel->author : &self->identity.id, index, certified);
    if (improvement != NONE)
        self->improvements[improvement].approved = parcel->approved;
    /* Rejected at once: the parcel was told. Still being tried: there was no place for it. */
    if (improvement == NONE && parcel->state == PARCEL_TRYING && parcel->order == order)
        knowledge_decided (self, index, false, REASON_BUSY, NULL);
}

/* Does the package's content hold all that is live here? So it does where that is what it was made from, at once or through
 * others, as all is made from the group's start: there is nothing of ours to merge, and who comes late can take it whole. */
static bool s_holds_ours (const node_t *self, const parcel_t *parcel)
{
    return digest_equal (&parcel->base, &self->live) || digest_equal (&parcel->ancestor, &self->live) ||
           digest_equal (&self->group.start, &self->live);
}

void knowledge_try (node_t *self, size_t index)
{
    assert (index < LIMIT_KNOWLEDGE && self->parcels[index].state != PARCEL_FREE);
    parcel_t *parcel = &self->parcels[index];
    assert (parcel->state == PARCEL_FILES && parcel->files == 2);
    parcel->hunks = parcel->conflicts = 0;
    if (s_holds_ours (self, parcel)) {
        /* A copy: the parcel is emptied if the improvement ends at once. */
        buffer_t tree = {0};
        buffer_append (&tree, parcel->candidate_tree.data, parcel->candidate_tree.size);
        assert (!tree.failed);
        s_propose (self, index, bytes_of (tree.data, tree.size), !parcel->alone);
        buffer_clear (&tree);
        return;
    }
    merge_t merge = {.base = parcel->base, .ours = self->live, .theirs = parcel->candidate};
    if (operate (self, EFFECT_MERGE, &merge, OWNER_PARCEL, index))
        parcel_move (parcel, PARCEL_MOVE_MERGE);
    else
        knowledge_retry (self, index);
}

void knowledge_merged (node_t *self, size_t index, const merged_t *event)
{
    assert (self && event);
    assert (index < LIMIT_KNOWLEDGE && self->parcels[index].state != PARCEL_FREE);
    parcel_t *parcel = &self->parcels[index];
    assert (parcel->state == PARCEL_MERGING);
    if (event->result == MERGE_FAULT) { /* says nothing of the package */
        knowledge_retry (self, index);
        return;
    }
    if (event->result == MERGE_IMPOSSIBLE) {
        knowledge_decided (self, index, false, REASON_INCOMPATIBLE, NULL);
        return;
    }
    parcel->hunks = (unsigned)event->hunks;
    parcel->conflicts = (unsigned)event->conflicts;
    digest_t merged = digest_of (event->tree.data, event->tree.size);
    /* What the merge left as the package's own content is what its certificate speaks of. */
    s_propose (self, index, event->tree, !parcel->alone && digest_equal (&merged, &parcel->candidate));
}

void knowledge_overtaken (node_t *self, size_t index)
{
    assert (index < LIMIT_KNOWLEDGE && self->parcels[index].state == PARCEL_MERGING);
    parcel_move (&self->parcels[index], PARCEL_MOVE_PUT_BACK);
}
