/* SPDX-License-Identifier: MPL-2.0 */
/* Checkpoints: what one holds, when one is written, and which of them are kept with how much of the journal. */
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

/* --- one of them --- */

bool turn_checkpoint_encode (const turn_t *self, buffer_t *out)
{
    assert (self->node != NULL && out != NULL && out->size == 0);
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

int turn_checkpoint_load (turn_t *self, uint64_t number)
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

/* --- when, and how many --- */

void turn_checkpoint_every (turn_t *self, uint64_t entries)
{
    assert (self && entries > 0);
    self->checkpoint_interval_entries = entries;
}

void turn_retain (turn_t *self, uint64_t journal_entries, uint64_t events)
{
    assert (self && journal_entries > 0 && events > 0);
    self->journal_kept_entries = journal_entries;
    self->events_kept = events;
}

static int s_first (void *context, uint64_t number, const uint8_t *bytes, size_t size,
                    const digest_t *effects)
{
    (void)bytes, (void)size, (void)effects;
    *(uint64_t *)context = number;
    return 1;
}

uint64_t turn_journal_oldest (const turn_t *self)
{
    uint64_t number = 0;
    self->ports.journal_walk (self->ports.context, 0, s_first, &number);
    return number;
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
    uint64_t half = self->journal_kept_entries / 2 + 1;
    return half < UINT64_MAX - from ? from + half : UINT64_MAX;
}

/* Lets go of checkpoints, and of the journal before the oldest of them. The newest stays, to start from, and the newest before it that can
 * still be read, should that be damaged: without one, everything back to where the journal begins. So does the one with which the
 * journal begins, unless that is its start; and the first one halfway from there, with which it will begin when it has grown too long. */
static int s_thin (turn_t *self)
{
    const ports_t *ports = &self->ports;
    uint64_t newest = self->checkpoint_last, oldest = turn_journal_oldest (self),
             reserve = s_reserve (self, oldest);
    assert (reserve < newest && (reserve == 0 || reserve >= oldest));
    uint64_t begin = oldest <= 1 ? 0 : s_checkpoint_from (self, oldest);
    uint64_t next = s_checkpoint_from (self, s_halfway (self, begin));
    if (newest - begin > self->journal_kept_entries && reserve > begin) {
        begin = next > 0 && next < reserve ? next : reserve;
        next = s_checkpoint_from (self, s_halfway (self, begin));
    }
    int rc = 0;
    for (uint64_t number = newest;
         rc == 0 && (number = ports->checkpoint_before (ports->context, number)) > 0;)
        if (number != reserve && number != begin && number != next)
            rc = ports->checkpoint_drop (ports->context, number);
    if (rc == 0 && (self->journal_kept_entries < UINT64_MAX || self->events_kept < UINT64_MAX))
        rc = ports->trim (ports->context, begin, self->events_kept);
    return rc;
}

static int s_write (turn_t *self)
{
    const ports_t *ports = &self->ports;
    buffer_t bytes = {0};
    int rc = 0;
    assert (self->checkpoint_last < self->journal_last);
    self->checkpoint_last = self->journal_last; /* one that can't be made isn't tried again with each entry */
    if (turn_checkpoint_encode (self, &bytes)) {
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
    assert (self && event && event->now_ms >= self->journal_now_ms);
    self->journal_last++;
    self->journal_now_ms = event->now_ms;
    self->journal_wall_ms = event->wall_ms;
    return self->journal_last - self->checkpoint_last >= self->checkpoint_interval_entries ? s_write (self)
                                                                                           : 0;
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
