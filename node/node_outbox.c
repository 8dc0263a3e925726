/* SPDX-License-Identifier: MPL-2.0 */
/* Durable statements: kept until the addressee says that they are on its disk. */
#include "node/node_peers.h"
#include "node/node_say.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define OUTBOX_RETRY_MS 10000

static void s_outbox_free (parting_t *parting)
{
    buffer_clear (&parting->packed);
    memset (parting, 0, sizeof *parting);
}

/* A free place. At a bound the oldest goes: of this addressee's, or of all, whose addressee was away the longest. */
static parting_t *s_outbox_place (node_t *self, const pubkey_t *to)
{
    parting_t *oldest = NULL, *oldest_of_peer = NULL, *place = NULL;
    size_t of_peer = 0;
    assert (self->outbox_used <= LIMIT_OUTBOX);
    for (size_t i = 0; i < self->outbox_used; i++) {
        parting_t *parting = &self->outbox[i];
        if (digest_is_zero (&parting->id)) {
            place = place ? place : parting;
            continue;
        }
        if (!oldest || parting->order < oldest->order)
            oldest = parting;
        if (!pubkey_equal (&parting->to, to))
            continue;
        of_peer++;
        if (!oldest_of_peer || parting->order < oldest_of_peer->order)
            oldest_of_peer = parting;
    }
    if (of_peer == LIMIT_OUTBOX_OF_PEER)
        place = oldest_of_peer;
    else if (!place && self->outbox_used < LIMIT_OUTBOX)
        place = &self->outbox[self->outbox_used++];
    else if (!place)
        place = oldest;
    assert (place);
    s_outbox_free (place);
    return place;
}

/* What a durable statement says of what, whatever made us say it: asked again, it would be the same again. */
static digest_t s_subject (unsigned kind, const void *fields)
{
    buffer_t bytes = {0};
    wire_write_uint (&bytes, kind);
    if (kind == MESSAGE_VALIDATION_RESULT) {
        const validation_result_t *result = fields;
        buffer_append (&bytes, result->candidate.bytes, DIGEST_BYTES);
        buffer_append (&bytes, result->base.bytes, DIGEST_BYTES);
        wire_write_uint (&bytes, result->validation_type);
    } else if (kind == MESSAGE_TRANSFER_RESULT) {
        const transfer_result_t *result = fields;
        buffer_append (&bytes, result->package.bytes, DIGEST_BYTES);
        wire_write_uint (&bytes, result->adopted);
        buffer_append (&bytes, result->reason.data, result->reason.size);
    } else if (kind == MESSAGE_KNOWLEDGE_TRANSFER) {
        const knowledge_transfer_t *transfer = fields;
        buffer_append (&bytes, transfer->package.bytes, DIGEST_BYTES);
    } else {
        buffer_clear (&bytes);
        return (digest_t){{0}};
    }
    assert (!bytes.failed);
    digest_t subject = digest_of (bytes.data, bytes.size);
    buffer_clear (&bytes);
    return subject;
}

static bool s_waits (const node_t *self, const pubkey_t *peer, const digest_t *subject)
{
    for (size_t i = 0; i < self->outbox_used; i++)
        if (!digest_is_zero (&self->outbox[i].id) && digest_equal (&self->outbox[i].subject, subject) &&
            pubkey_equal (&self->outbox[i].to, peer))
            return true;
    return false;
}

static void s_part (node_t *self, parting_t *parting)
{
    assert (!digest_is_zero (&parting->id) && parting->packed.size > SEAL_BYTES);
    statement_t statement;
    int rc = statement_unpack (bytes_of (parting->packed.data, parting->packed.size), &statement);
    assert (rc == 0);
    (void)rc;
    send_t send = {parting->to, bytes_of (statement.body, statement.body_size),
                   bytes_of (statement.seal, SEAL_BYTES)};
    effects_add (self->out, EFFECT_SEND, &send);
    parting->retry_ms = self->now_ms + OUTBOX_RETRY_MS;
}

void say_durably (node_t *self, const pubkey_t *peer, unsigned kind, const void *fields)
{
    assert (self && peer);
    digest_t subject = s_subject (kind, fields);
    int at = members_find (self->members, peer);
    if (at < 0 || self->members->members[at].revoked_epoch || /* of a package's author, or since it asked */
        (!digest_is_zero (&subject) && s_waits (self, peer, &subject)))
        return;
    buffer_t body = {0};
    uint8_t seal[SEAL_BYTES];
    digest_t id = say_statement (self, kind, fields, &body, seal);
    persist_statement_t persist = {bytes_of (body.data, body.size), bytes_of (seal, SEAL_BYTES), 0};
    effects_add (self->out, EFFECT_PERSIST_STATEMENT, &persist);
    parting_t *parting = s_outbox_place (self, peer);
    *parting = (parting_t){
        .id = id, .to = *peer, .subject = subject, .retry_ms = UINT64_MAX, .order = ++self->order};
    statement_pack (body.data, body.size, seal, &parting->packed);
    assert (!parting->packed.failed);
    buffer_clear (&body);
    if (peer_is_up (self, peer))
        s_part (self, parting);
}

void say_acknowledge (node_t *self, const pubkey_t *peer, const digest_t *statement)
{
    assert (self && peer && statement);
    ack_t ack = {*peer, *statement};
    say_to (self, peer, MESSAGE_ACK, &ack);
}

static void s_outbox_shrink (node_t *self)
{
    while (self->outbox_used > 0 && digest_is_zero (&self->outbox[self->outbox_used - 1].id))
        self->outbox_used--;
}

void say_acknowledged (node_t *self, const pubkey_t *peer, const digest_t *statement)
{
    assert (self && peer && statement);
    for (size_t i = 0; i < self->outbox_used; i++)
        if (digest_equal (&self->outbox[i].id, statement) && pubkey_equal (&self->outbox[i].to, peer))
            s_outbox_free (&self->outbox[i]);
    s_outbox_shrink (self);
}

void say_outbox_forget (node_t *self, const pubkey_t *peer)
{
    assert (self && peer);
    for (size_t i = 0; i < self->outbox_used; i++)
        if (pubkey_equal (&self->outbox[i].to, peer))
            s_outbox_free (&self->outbox[i]);
    s_outbox_shrink (self);
}

void say_outbox_up (node_t *self, const pubkey_t *peer)
{
    assert (self && peer);
    for (size_t i = 0; i < self->outbox_used; i++)
        if (!digest_is_zero (&self->outbox[i].id) && pubkey_equal (&self->outbox[i].to, peer))
            s_part (self, &self->outbox[i]);
}

void say_outbox_tick (node_t *self)
{
    assert (self);
    for (size_t i = 0; i < self->outbox_used; i++) {
        parting_t *parting = &self->outbox[i];
        if (digest_is_zero (&parting->id) || parting->retry_ms > self->now_ms)
            continue;
        if (peer_is_up (self, &parting->to))
            s_part (self, parting);
        else
            parting->retry_ms = UINT64_MAX; /* until it is up again */
    }
}

uint64_t say_outbox_deadline_ms (const node_t *self)
{
    assert (self);
    uint64_t deadline_ms = UINT64_MAX;
    for (size_t i = 0; i < self->outbox_used; i++)
        if (!digest_is_zero (&self->outbox[i].id) && self->outbox[i].retry_ms < deadline_ms)
            deadline_ms = self->outbox[i].retry_ms;
    return deadline_ms;
}
