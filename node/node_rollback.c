/* SPDX-License-Identifier: MPL-2.0 */
/* Going back to the release before, because the live copy is worse than it was or because the operator wants it.
 *
 *   APPLIED ────── rollback_start ─────────────┐
 *   SHARED, KEPT ─ rollback_to, LOAD the tree ─┴▶ ROLLING_BACK: RESTORE (`current` switched back, service restarted)
 *                                                      │
 *                                                      ▼ the live copy is measured
 *                                  as before: ROLLED_BACK    else, or not restored: ROLLBACK_FAILED, and the node stops
 *
 * What failed before anything was switched back can be rolled back again, once what was in the way of it is gone. */
#include "node/node_life.h"
#include "node/node_say.h"

#include <assert.h>
#include <string.h>

/* Neither here nor there: an operator must look before anything else is applied. */
static void s_fail (node_t *self, size_t index)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    assert (self->improvements[index].state == STATE_ROLLING_BACK);
    self->stopped = true;
    improve_move (self, index, MOVE_RESTORE_FAILED);
    improve_finish (self, index);
}

void rollback_start (node_t *self, size_t index, reason_code_t reason)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    improvement_t *improvement = &self->improvements[index];
    assert (improvement->state == STATE_APPLIED && reason != REASON_NONE);
    improvement->reason = reason;
    restore_t restore = {.release = improvement->base};
    improve_move (self, index, MOVE_ROLL_BACK);
    if (!operate (self, EFFECT_RESTORE, &restore, OWNER_IMPROVEMENT, index))
        s_fail (self, index);
}

/* Nobody is to breed from what was taken back. What is measured against it already is merged onto what is live now, without it. */
static void s_withdraw (node_t *self, const digest_t *improvement)
{
    size_t at = applied_find (self, improvement);
    assert (at < self->applied_count);
    archive_withdraw (self->archive, &self->applied[at].after);
    archive_readmit (self->archive, &self->live);
}

void on_restored (node_t *self, const restored_t *event)
{
    assert (self && event);
    owner_t owner;
    size_t index;
    if (!operated (self, event->operation, EFFECT_RESTORE, &owner, &index))
        return;
    improvement_t *improvement = &self->improvements[index];
    assert (owner == OWNER_IMPROVEMENT && improvement->state == STATE_ROLLING_BACK);
    text_copy (event->detail, improvement->detail, sizeof improvement->detail);
    if (event->result != SWITCH_FAILED) {
        apply_set_live (self, &improvement->base, &improvement->base_tree, &improvement->baseline);
        s_withdraw (self, &improvement->id);
    }
    if (event->result != SWITCH_DONE) {
        self->counts.rolled_back++;
        improve_fault (self, true, "going back to the release before", improvement->detail);
        s_fail (self, index);
        return;
    }
    apply_verify (self, index, &improvement->base, &improvement->base, &improvement->baseline);
}

/* --- later, by the operator --- */

/* What is live and final gets a place again, to walk its last stretch. */
static size_t s_revive (node_t *self, const applied_t *applied, bytes_t base_tree)
{
    improvement_row_t row;
    arena_t arena = {0};
    assert (applied->row.size > 0 && improvement_final (applied->state));
    int rc =
        record_decode (&improvement_row_record, applied->row.data, applied->row.size, &row, &arena, NULL);
    assert (rc == 0);
    (void)rc;
    size_t index = improve_new (self, (origin_t)row.origin, &row.parent,
                                bytes_of (self->live_tree.data, self->live_tree.size),
                                (improvement_type_t)row.improvement_type, row.description, true);
    if (index != NONE) {
        improvement_t *improvement = &self->improvements[index];
        improvement->id = row.id;
        improvement->author = row.author;
        improvement->package = row.package;
        improvement->candidate = row.candidate;
        improvement->base = applied->before;
        improvement->base_tree.size = 0;
        buffer_append (&improvement->base_tree, base_tree.data, base_tree.size);
        improvement->state = applied->state;
        improvement->snapshot = applied->snapshot;
        improvement->baseline = applied->baseline;
    }
    arena_clear (&arena);
    return index;
}

/* What stood on it is gone with it: those rows say so. One place is enough: each leaves it at once. */
static void s_undo_later (node_t *self, size_t from)
{
    for (size_t i = from; i < self->applied_count; i++) {
        applied_t *applied = &self->applied[i];
        if (applied->state != STATE_SHARED && applied->state != STATE_KEPT)
            continue;
        size_t index = s_revive (self, applied, bytes_of (self->live_tree.data, self->live_tree.size));
        assert (index != NONE); /* the one that was rolled back left its place */
        improvement_t *improvement = &self->improvements[index];
        improvement->reason = REASON_OPERATOR;
        text_copy (text_of ("stood on an improvement that was rolled back"), improvement->detail,
                   sizeof improvement->detail);
        improve_move (self, index, MOVE_ROLL_BACK);
        improve_move (self, index, MOVE_RESTORED);
        self->counts.rolled_back++;
        improve_finish (self, index);
    }
}

void rollback_verified (node_t *self, size_t index, reason_code_t reason)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    assert (self->improvements[index].state == STATE_ROLLING_BACK);
    self->counts.rolled_back++;
    if (reason != REASON_NONE) {
        improve_fault (self, true, "measuring the release gone back to", reason_description (reason));
        s_fail (self, index);
        return;
    }
    size_t at = applied_find (self, &self->improvements[index].id);
    improve_move (self, index, MOVE_RESTORED);
    improve_finish (self, index);
    s_undo_later (self, at + 1);
}

/* Did going back from it fail before anything was changed? Then it is live still, by itself or under what stands on it. */
static bool s_is_live_still (const node_t *self, size_t at)
{
    digest_t release = self->live;
    for (size_t i = self->applied_count - 1; i > at; i--)
        if (self->applied[i].state != STATE_ROLLED_BACK && digest_equal (&self->applied[i].after, &release))
            release = self->applied[i].before;
    return self->applied[at].state == STATE_ROLLBACK_FAILED &&
           digest_equal (&self->applied[at].after, &release);
}

int rollback_to (node_t *self, size_t at, reason_code_t reason)
{
    assert (at < self->applied_count);
    const applied_t *applied = &self->applied[at];
    if (apply_busy (self))
        return ERROR_BUSY;
    if (applied->state != STATE_SHARED && applied->state != STATE_KEPT && !s_is_live_still (self, at))
        return ERROR_CONFLICT;
    load_t load = {.content = applied->before};
    size_t index = s_revive (self, applied, (bytes_t){NULL, 0});
    if (index == NONE)
        return ERROR_BUSY;
    if (!operate (self, EFFECT_LOAD, &load, OWNER_IMPROVEMENT, index)) {
        improve_clear (&self->improvements[index]);
        return ERROR_BUSY;
    }
    self->improvements[index].reason = reason;
    /* Nothing else may be applied meanwhile. */
    improve_move (self, index, MOVE_ROLL_BACK);
    return 0;
}

void rollback_loaded (node_t *self, size_t index, const loaded_t *event)
{
    assert (self && event);
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    improvement_t *improvement = &self->improvements[index];
    assert (improvement->state == STATE_ROLLING_BACK && improvement->revived);
    assert (improvement->base_tree.size == 0);
    restore_t restore = {.release = improvement->base};
    buffer_append (&improvement->base_tree, event->bytes.data, event->bytes.size);
    if (event->result == 0 && operate (self, EFFECT_RESTORE, &restore, OWNER_IMPROVEMENT, index))
        return;
    s_fail (self, index);
}
