/* SPDX-License-Identifier: MPL-2.0 */
/* How a candidate enters as an improvement: it may change what it changes, and it is new. */
#include "node/node_life.h"
#include "node/node_say.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Every file must be one that may change: the paths of the start, no more and no other. */
static bool s_paths_allowed (const node_t *self, bytes_t tree)
{
    tree_t candidate = {0}, live = {0};
    digest_t evaluator;
    bool allowed = tree_decode (tree.data, tree.size, &candidate, &evaluator) == 0 &&
                   digest_equal (&evaluator, &self->group.evaluator) &&
                   tree_decode (self->live_tree.data, self->live_tree.size, &live, &evaluator) == 0 &&
                   tree_same_shape (&candidate, &live);
    tree_clear (&candidate);
    tree_clear (&live);
    return allowed;
}

/* Are they the same, or the same but for comments and spaces? */
static bool s_same (const improvement_t *a, const improvement_t *b)
{
    return digest_equal (&a->candidate, &b->candidate) ||
           (!digest_is_zero (&a->tokens) && digest_equal (&a->tokens, &b->tokens));
}

/* Is it being measured already, or live? */
static bool s_under_way (const node_t *self, size_t index)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    const improvement_t *improvement = &self->improvements[index];
    if (digest_equal (&improvement->candidate, &self->live))
        return true;
    for (size_t i = 0; i < LIMIT_IMPROVEMENTS; i++)
        if (i != index && self->improvements[i].used && s_same (&self->improvements[i], improvement))
            return true;
    return false;
}

/* Its place among the unconfirmed; their count if it is none of them. */
static size_t s_unconfirmed (const node_t *self, const digest_t *candidate)
{
    size_t at = 0;
    while (at < self->unconfirmed_count && !digest_equal (&self->unconfirmed[at], candidate))
        at++;
    return at;
}

static void s_remove_unconfirmed (node_t *self, size_t at)
{
    assert (at < self->unconfirmed_count && self->unconfirmed_count <= UNCONFIRMED);
    self->unconfirmed_count--;
    memmove (self->unconfirmed + at, self->unconfirmed + at + 1,
             (self->unconfirmed_count - at) * sizeof *self->unconfirmed);
}

bool enter_is_unconfirmed (const node_t *self, const digest_t *candidate)
{
    assert (self && candidate);
    return s_unconfirmed (self, candidate) < self->unconfirmed_count;
}

void enter_unconfirmed (node_t *self, const digest_t *candidate)
{
    assert (self && candidate);
    if (enter_is_unconfirmed (self, candidate))
        return;
    if (self->unconfirmed_count == UNCONFIRMED)
        s_remove_unconfirmed (self, 0);
    self->unconfirmed[self->unconfirmed_count++] = *candidate;
}

/* What was measured before of the same candidate, or of one that differs by comments and spaces alone; NULL if nothing was. A
 * peer's package, or the operator, may bring back what lost against an earlier live release; and what nobody could confirm did not
 * lose at all. */
static const archive_entry_t *s_measured_before (const node_t *self, const improvement_t *improvement)
{
    if (improvement->origin != ORIGIN_PROPOSER || enter_is_unconfirmed (self, &improvement->candidate))
        return NULL;
    const archive_entry_t *same = archive_find (self->archive, &improvement->candidate);
    return same ? same : archive_twin (self->archive, &improvement->tokens);
}

/* Rejects what is nothing new, and says what it is the same as. True if it is new. */
static bool s_is_new (node_t *self, size_t index)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    const improvement_t *improvement = &self->improvements[index];
    const archive_entry_t *before = s_measured_before (self, improvement);
    if (!before && !s_under_way (self, index))
        return true;
    char detail[LIMIT_TEXT + 1] = "the same is live, or being measured", id[DIGEST_SHORT_BYTES];
    if (before) {
        digest_short (&before->id, id);
        bool twin = !digest_equal (&before->id, &improvement->candidate);
        (void)snprintf (detail, sizeof detail, "measured before as candidate %s%s", id,
                        twin ? ", which differs by comments and spaces alone" : "");
        if (twin)
            candidate_twin (self, improvement, before);
    }
    self->counts.duplicates++;
    improve_reject (self, index, REASON_DUPLICATE, detail);
    return false;
}

/* Was what a proposer made it of rolled back while it was at work? The operator, or a peer's package, may bring it back. */
static bool s_is_of_withdrawn (const node_t *self, const improvement_t *improvement)
{
    return improvement->origin == ORIGIN_PROPOSER &&
           (archive_is_withdrawn (self->archive, &improvement->parent) ||
            archive_is_withdrawn (self->archive, &improvement->second_parent));
}

size_t propose_enter (node_t *self, size_t index, bytes_t tree)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    improvement_t *improvement = &self->improvements[index];
    improve_move (self, index, MOVE_PROPOSE);
    if (!s_paths_allowed (self, tree)) {
        improve_reject (self, index, REASON_PROTECTED, NULL);
        return NONE;
    }
    if (s_is_of_withdrawn (self, improvement)) {
        improve_reject (self, index, REASON_STALE_BASE, "what it was made of was rolled back meanwhile");
        return NONE;
    }
    if (!s_is_new (self, index))
        return NONE;
    size_t unconfirmed = s_unconfirmed (self, &improvement->candidate);
    if (unconfirmed < self->unconfirmed_count)
        s_remove_unconfirmed (self, unconfirmed); /* what becomes of it now is what counts */
    improve_move (self, index, MOVE_TEST);
    test_start (self, index);
    return improvement->used ? index : NONE; /* what was measured before may be decided by now */
}

size_t propose_candidate (node_t *self, origin_t origin, const digest_t *parent, bytes_t tree,
                          improvement_type_t type, text_t description, const pubkey_t *author, size_t parcel,
                          bool certified)
{
    assert (self && parent && author);
    assert (parcel == NONE || (parcel < LIMIT_KNOWLEDGE && self->parcels[parcel].state == PARCEL_TRYING));
    size_t index = improve_new (self, origin, parent, tree, type, description, false);
    if (index == NONE)
        return NONE;
    improvement_t *improvement = &self->improvements[index];
    improvement->author = *author;
    improvement->parcel = parcel;
    improvement->certified = certified;
    if (parcel != NONE)
        improvement->package = self->parcels[parcel].package;
    return propose_enter (self, index, tree);
}
