/* SPDX-License-Identifier: MPL-2.0 */
/* The way back: the core is rebuilt of a checkpoint and of the journal behind it. */
#include "node/turn_state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    turn_t *turn;
    turn_replay_fn *visit;
    void *context;
    bool compares; /* checkpoints on the way with what the core would save */
    bool anchored; /* the entry behind which it begins was met */
    turn_replayed_t replayed;
} recovery_t;

/* A checkpoint behind the entry just stepped, if there is one, holds what the core would save. */
static int s_compare (recovery_t *self)
{
    turn_t *turn = self->turn;
    buffer_t bytes = {0};
    size_t size = 0;
    uint8_t *kept = turn->ports.checkpoint_get (turn->ports.context, turn->journal_last, &size);
    if (kept == NULL)
        return 0;
    bool same =
        turn_checkpoint_encode (turn, &bytes) && bytes.size == size && memcmp (bytes.data, kept, size) == 0;
    self->replayed.checkpoints += same;
    buffer_clear (&bytes);
    free (kept);
    return same ? 0 : ERROR_MISMATCH;
}

/* Steps one event whose bytes could be read. */
static int s_step (recovery_t *self, const event_t *event, const digest_t *recorded)
{
    turn_t *turn = self->turn;
    effects_t effects = {0};
    int rc = node_step (turn->node, event, self->visit != NULL ? &effects : NULL);
    if (rc == 0) {
        assert (self->replayed.number == turn->journal_last + 1 && event->now_ms >= turn->journal_now_ms);
        turn->journal_last = self->replayed.number;
        turn->journal_now_ms = event->now_ms;
        turn->journal_wall_ms = event->wall_ms;
    }
    if (rc == 0 && self->visit != NULL) {
        digest_t computed = effects_digest (&effects, 0);
        rc = self->visit (self->context, self->replayed.number, event, &effects, recorded, &computed);
    }
    effects_clear (&effects);
    return rc != 0 || !self->compares ? rc : s_compare (self);
}

static int s_entry (void *context, uint64_t number, const uint8_t *bytes, size_t size,
                    const digest_t *recorded)
{
    recovery_t *self = context;
    turn_t *turn = self->turn;
    arena_t arena = {0};
    event_t event;
    if (number > 0 && number == self->replayed.from) {
        self->anchored = true;
        return 0; /* the checkpoint has it in it */
    }
    self->replayed.number = turn->journal_last + 1;
    if (number != self->replayed.number)
        return ERROR_MALFORMED; /* one is gone */
    int rc = event_decode (bytes, size, &event, &arena);
    if (rc == 0 && event.now_ms < turn->journal_now_ms)
        rc = ERROR_MALFORMED;
    if (rc == 0)
        rc = s_step (self, &event, recorded);
    arena_clear (&arena);
    return rc;
}

/* Everything as before the first entry. */
static int s_reset (turn_t *self)
{
    turn_forget (self);
    turn_drop_inputs (self, self->input_count);
    mesh_destroy (&self->mesh);
    node_destroy (&self->node);
    fetcher_destroy (&self->fetcher);
    self->fetcher = fetcher_new (&self->ports, turn_fetched, self);
    self->node = node_new (self->identity);
    self->journal_last = self->checkpoint_last = 0;
    self->journal_now_ms = self->journal_wall_ms = 0;
    self->error = 0;
    self->is_failed = true;
    assert (self->mesh == NULL && self->input_count == 0);
    return self->node == NULL || self->fetcher == NULL ? ERROR_MEMORY : 0;
}

/* Loads the newest checkpoint that can be read. 0 if there is one, or none is needed. ERROR_NOT_FOUND, or ERROR_VERSION where it is a
 * version that keeps the newest from being read: then the journal has no beginning. */
static int s_load_newest (turn_t *self)
{
    const ports_t *ports = &self->ports;
    uint64_t newest = ports->checkpoint_before (ports->context, UINT64_MAX);
    int first = 0; /* what the newest fails with */
    for (uint64_t number = newest; number > 0; number = ports->checkpoint_before (ports->context, number)) {
        int rc = turn_checkpoint_load (self, number);
        if (rc == 0)
            return 0;
        first = first == 0 ? rc : first;
        ports->log (ports->context, TURN_LOG_WARNING, "checkpoint_unreadable", error_text (rc));
    }
    if (turn_journal_oldest (self) == 1 || (newest == 0 && turn_journal_oldest (self) == 0))
        return 0;
    return first == ERROR_VERSION ? ERROR_VERSION : ERROR_NOT_FOUND;
}

/* Loads the oldest checkpoint that can be read and has the journal behind it, unless that goes back to the start. */
static int s_load_oldest (turn_t *self)
{
    const ports_t *ports = &self->ports;
    uint64_t newest = ports->checkpoint_before (ports->context, UINT64_MAX);
    uint64_t oldest = turn_journal_oldest (self);
    uint64_t best = 0;
    int last = ERROR_NOT_FOUND; /* what the oldest fails with */
    if (oldest == 1 || newest == 0)
        return 0;
    for (uint64_t number = newest; number > 0 && number + 1 >= oldest;
         number = ports->checkpoint_before (ports->context, number)) {
        last = turn_checkpoint_load (self, number);
        best = last == 0 ? number : best;
    }
    if (best > 0)
        return 0;
    return last == ERROR_VERSION ? ERROR_VERSION : ERROR_NOT_FOUND;
}

/* Steps the journal from where the core stands. */
static int s_walk (recovery_t *self)
{
    turn_t *turn = self->turn;
    self->replayed.from = self->replayed.number = turn->journal_last;
    int rc = turn->ports.journal_walk (turn->ports.context, turn->journal_last, s_entry, self);
    uint64_t newest = turn->ports.checkpoint_before (turn->ports.context, UINT64_MAX);
    if (rc == 0 && ((self->replayed.from > 0 && !self->anchored) || newest > turn->journal_last))
        rc = ERROR_MALFORMED; /* the journal ends before a checkpoint does */
    turn->last_now_ms = turn->journal_now_ms;
    turn->last_wall_ms = turn->journal_wall_ms;
    turn->is_failed = rc != 0;
    return rc;
}

int turn_recover (turn_t *self, uint64_t *number)
{
    assert (self);
    recovery_t recovery = {.turn = self};
    int rc = s_reset (self);
    if (rc == 0)
        rc = s_load_newest (self);
    if (rc == 0)
        rc = s_walk (&recovery);
    if (number != NULL)
        *number = recovery.replayed.number;
    return rc;
}

int turn_replay (turn_t *self, turn_replay_fn *visit, void *context, turn_replayed_t *replayed)
{
    assert (self && replayed);
    recovery_t recovery = {.turn = self, .visit = visit, .context = context, .compares = true};
    int rc = s_reset (self);
    if (rc == 0)
        rc = s_load_oldest (self);
    if (rc == 0)
        rc = s_walk (&recovery);
    *replayed = recovery.replayed;
    return rc;
}
