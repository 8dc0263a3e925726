/* SPDX-License-Identifier: MPL-2.0 */
/* What is held, once its operator approved it. */
#include "node/node_life.h"
#include "node/node_peers.h"

#include <assert.h>

int held_approve (node_t *self, size_t index)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    improvement_t *improvement = &self->improvements[index];
    assert (improvement->state == STATE_HELD);
    size_t parcel = improvement->parcel;
    bool is_stale = !digest_equal (&improvement->base, &self->live);
    improvement->approved = true;
    if (is_stale && parcel != NONE)
        self->parcels[parcel].approved = true;
    if (apply_rebase (self, index)) {
        bool goes_on = improvement->used || (parcel != NONE && self->parcels[parcel].state == PARCEL_WAITING);
        return goes_on ? 0 : ERROR_CONFLICT;
    }
    held_pass (self, index);
    improvement->approved = improvement->state != STATE_HELD;
    return improvement->approved ? 0 : ERROR_NOT_FOUND;
}

void held_pass (node_t *self, size_t index)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    improvement_t *improvement = &self->improvements[index];
    assert (improvement->state == STATE_HELD && improvement->approved);
    assert (digest_equal (&improvement->base, &self->live));
    if (!review_is_alone (self)) {
        validate_start (self, index);
        return;
    }
    /* The others are gone for good, and so is what they said: it stands as what was tested alone does. */
    request_clear (&improvement->feedback);
    improvement->reviewed = false;
    improvement->waits = true;
    improve_move (self, index, MOVE_MERGE);
}
