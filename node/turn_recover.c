/* SPDX-License-Identifier: MPL-2.0 */
/* Checkpoints, and the way back from them: the core is rebuilt of one and of the journal behind it. */
#include "node/turn_state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A checkpoint as it is kept: number and clocks of the last entry before it, and the core's image (node_save); behind them a tag of
 * the node's own, as the loader believes more than it can look at: what somebody else wrote into the database is never loaded. */
#define TAG_PURPOSE "evomesh checkpoint 1"
#define CHECKPOINT_FIELDS(F, L, R) \
    F (R, UINT, number, 0)         \
    F (R, UINT, now_ms, 0)         \
    F (R, UINT, wall_ms, 0)        \
    F (R, BYTES, image, LIMIT_CHECKPOINT_BYTES)
RECORD_STRUCT (checkpoint, CHECKPOINT_FIELDS);
RECORD_TABLE (checkpoint, CHECKPOINT_FIELDS);

/* --- writing --- */

void turn_checkpoint_every (turn_t *self, uint64_t entries)
{
    assert (self && entries > 0);
    self->checkpoint_every = entries;
}

void turn_retain (turn_t *self, uint64_t journal, uint64_t events)
{
    assert (self && journal > 0 && events > 0);
    self->journal_kept = journal;
    self->events_kept = events;
}

/* What a checkpoint of the core as it stands would hold. False if it would be too large, or memory is short. */
static bool s_encode (const turn_t *self, buffer_t *out)
{
    buffer_t image = {0};
    node_save (self->node, &image);
    bool fits = !image.failed && image.size <= LIMIT_CHECKPOINT_BYTES;
    checkpoint_t checkpoint = {.number = self->journal_last,
                               .now_ms = self->journal_now_ms,
                               .wall_ms = self->journal_wall_ms,
                               .image = bytes_of (image.data, fits ? image.size : 0)};
    if (fits)
        record_encode (&checkpoint_record, &checkpoint, out);
    if (fits && !out->failed) {
        digest_t tag = identity_tag (self->identity, TAG_PURPOSE, out->data, out->size);
        buffer_append (out, tag.bytes, DIGEST_BYTES);
    }
    buffer_clear (&image);
    return fits && !out->failed;
}

static int s_first (void *context, uint64_t number, const uint8_t *bytes, size_t size,
                    const digest_t *effects)
{
    (void)bytes, (void)size, (void)effects;
    *(uint64_t *)context = number;
    return 1;
}

/* The number of the oldest entry that is kept; 0 if there is none, or it can't be read. */
static uint64_t s_oldest (const turn_t *self)
{
    uint64_t number = 0;
    self->ports.journal_walk (self->ports.context, 0, s_first, &number);
    return number;
}

/* Is it one that this node wrote? `size` is then that of the record before the tag. */
static bool s_is_own (const turn_t *self, const uint8_t *bytes, size_t *size)
{
    digest_t found;
    if (*size < DIGEST_BYTES)
        return false;
    *size -= DIGEST_BYTES;
    memcpy (found.bytes, bytes + *size, DIGEST_BYTES);
    digest_t expected = identity_tag (self->identity, TAG_PURPOSE, bytes, *size);
    return digest_equal (&found, &expected);
}

/* The newest checkpoint before the last one that is as this node wrote it, and has the journal behind it; 0 if there is none. That it
 * could be loaded is believed then: to load it here would cost as much as a start. */
static uint64_t s_reserve (const turn_t *self, uint64_t oldest)
{
    const ports_t *ports = &self->ports;
    for (uint64_t number = self->checkpoint_last;
         (number = ports->checkpoint_before (ports->context, number)) > 0 && number >= oldest;) {
        size_t size = 0;
        uint8_t *bytes = ports->checkpoint_get (ports->context, number, &size);
        bool is_own = bytes != NULL && s_is_own (self, bytes, &size);
        free (bytes);
        if (is_own)
            return number;
    }
    return 0;
}

/* The oldest checkpoint behind at least that entry; 0 if there is none. */
static uint64_t s_checkpoint_from (const turn_t *self, uint64_t from)
{
    uint64_t found = 0;
    for (uint64_t number = UINT64_MAX;
         (number = self->ports.checkpoint_before (self->ports.context, number)) > 0 && number >= from;)
        found = number;
    return found;
}

/* Half of what is kept behind an entry: where the next checkpoint should be to begin with. */
static uint64_t s_halfway (const turn_t *self, uint64_t from)
{
    uint64_t half = self->journal_kept / 2 + 1;
    return half < UINT64_MAX - from ? from + half : UINT64_MAX;
}

/* Lets go of checkpoints, and of the journal before the oldest of them. The newest stays, to start from, and the newest before it that can
 * still be read, should that be damaged: without one, everything back to where the journal begins. So does the one with which the
 * journal begins, unless that is its start; and the first one halfway from there, with which it will begin when it has grown too long. */
static int s_thin (turn_t *self)
{
    const ports_t *ports = &self->ports;
    uint64_t newest = self->checkpoint_last, oldest = s_oldest (self), reserve = s_reserve (self, oldest);
    uint64_t begin = oldest <= 1 ? 0 : s_checkpoint_from (self, oldest);
    uint64_t next = s_checkpoint_from (self, s_halfway (self, begin));
    if (newest - begin > self->journal_kept && reserve > begin) {
        begin = next > 0 && next < reserve ? next : reserve;
        next = s_checkpoint_from (self, s_halfway (self, begin));
    }
    int rc = 0;
    for (uint64_t number = newest;
         rc == 0 && (number = ports->checkpoint_before (ports->context, number)) > 0;)
        if (number != reserve && number != begin && number != next)
            rc = ports->checkpoint_drop (ports->context, number);
    if (rc == 0 && (self->journal_kept < UINT64_MAX || self->events_kept < UINT64_MAX))
        rc = ports->trim (ports->context, begin, self->events_kept);
    return rc;
}

static int s_write (turn_t *self)
{
    const ports_t *ports = &self->ports;
    buffer_t bytes = {0};
    int rc = 0;
    self->checkpoint_last = self->journal_last; /* one that can't be made isn't tried again with each entry */
    if (s_encode (self, &bytes)) {
        rc = ports->checkpoint_put (ports->context, self->journal_last, bytes.data, bytes.size);
        if (rc == 0)
            rc = s_thin (self);
    } else
        ports->log (ports->context, TURN_LOG_WARNING, "checkpoint_skipped", "too large, or out of memory");
    buffer_clear (&bytes);
    return rc;
}

int turn_journaled (turn_t *self, const event_t *event)
{
    assert (self && event);
    self->journal_last++;
    self->journal_now_ms = event->now_ms;
    self->journal_wall_ms = event->wall_ms;
    return self->journal_last - self->checkpoint_last >= self->checkpoint_every ? s_write (self) : 0;
}

void turn_checkpoint (turn_t *self)
{
    assert (self);
    const ports_t *ports = &self->ports;
    if (self->is_failed || self->checkpoint_last == self->journal_last)
        return;
    int rc = ports->begin (ports->context);
    if (rc == 0)
        rc = s_write (self);
    if (rc == 0)
        rc = ports->commit (ports->context);
    if (rc == 0)
        return;
    ports->rollback (ports->context);
    ports->log (ports->context, TURN_LOG_WARNING, "checkpoint_skipped", error_text (rc));
}

/* --- the way back --- */

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
    bool same = s_encode (turn, &bytes) && bytes.size == size && memcmp (bytes.data, kept, size) == 0;
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
    return self->node == NULL || self->fetcher == NULL ? ERROR_MEMORY : 0;
}

/* The core as the checkpoint behind that entry has it. 0, or why it can't be: nothing is changed then. */
static int s_load (turn_t *self, uint64_t number)
{
    size_t size = 0;
    uint8_t *bytes = self->ports.checkpoint_get (self->ports.context, number, &size);
    if (bytes == NULL)
        return ERROR_NOT_FOUND;
    checkpoint_t checkpoint;
    arena_t arena = {0};
    node_t *node = NULL;
    int rc = s_is_own (self, bytes, &size) ? 0 : ERROR_SIGNATURE;
    if (rc == 0)
        rc = record_decode (&checkpoint_record, bytes, size, &checkpoint, &arena, NULL);
    if (rc == 0 && checkpoint.number != number)
        rc = ERROR_MISMATCH; /* it was put in another one's place */
    if (rc == 0)
        rc = node_load (self->identity, checkpoint.image.data, checkpoint.image.size, &node);
    if (rc == 0) {
        node_destroy (&self->node);
        self->node = node;
        self->journal_last = self->checkpoint_last = number;
        self->journal_now_ms = checkpoint.now_ms;
        self->journal_wall_ms = checkpoint.wall_ms;
    }
    arena_clear (&arena);
    free (bytes);
    return rc;
}

/* Loads the newest checkpoint that can be read. 0 if there is one, or none is needed. ERROR_NOT_FOUND, or ERROR_VERSION where it is a
 * version that keeps the newest from being read: then the journal has no beginning. */
static int s_load_newest (turn_t *self)
{
    const ports_t *ports = &self->ports;
    uint64_t newest = ports->checkpoint_before (ports->context, UINT64_MAX);
    int first = 0; /* what the newest fails with */
    for (uint64_t number = newest; number > 0; number = ports->checkpoint_before (ports->context, number)) {
        int rc = s_load (self, number);
        if (rc == 0)
            return 0;
        first = first == 0 ? rc : first;
        ports->log (ports->context, TURN_LOG_WARNING, "checkpoint_unreadable", error_text (rc));
    }
    if (s_oldest (self) == 1 || (newest == 0 && s_oldest (self) == 0))
        return 0;
    return first == ERROR_VERSION ? ERROR_VERSION : ERROR_NOT_FOUND;
}

/* Loads the oldest checkpoint that can be read and has the journal behind it, unless that goes back to the start. */
static int s_load_oldest (turn_t *self)
{
    const ports_t *ports = &self->ports;
    uint64_t newest = ports->checkpoint_before (ports->context, UINT64_MAX);
    uint64_t oldest = s_oldest (self);
    uint64_t best = 0;
    int last = ERROR_NOT_FOUND; /* what the oldest fails with */
    if (oldest == 1 || newest == 0)
        return 0;
    for (uint64_t number = newest; number > 0 && number + 1 >= oldest;
         number = ports->checkpoint_before (ports->context, number)) {
        last = s_load (self, number);
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
