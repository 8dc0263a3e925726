/* SPDX-License-Identifier: MPL-2.0 */
/* What the node says: statements, publications, events; and the operations whose results it waits for. */
#include "node/node_peers.h"
#include "node/node_say.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OUTBOX_RETRY_MS 10000

head_t say_head (node_t *self, unsigned kind)
{
    assert (self->members && message_info (kind));
    assert (self->seq % 2 == 0 && self->seq <= UINT64_MAX - 2);
    self->seq += 2; /* even numbers are the node's, odd ones the mesh's */
    return (head_t){.kind = kind,
                    .group = self->group.group,
                    .epoch = self->members->epoch,
                    .seq = self->seq,
                    .time_ms = self->wall_ms};
}

digest_t say_statement (node_t *self, unsigned kind, const void *fields, buffer_t *body,
                        uint8_t seal[SEAL_BYTES])
{
    assert (self && body);
    head_t head = say_head (self, kind);
    message_seal (&self->identity, &head, fields, body, seal);
    assert (!body->failed);
    return statement_id (body->data, body->size, seal);
}

digest_t say_to (node_t *self, const pubkey_t *peer, unsigned kind, const void *fields)
{
    assert (self && peer);
    buffer_t body = {0};
    uint8_t seal[SEAL_BYTES];
    digest_t id = say_statement (self, kind, fields, &body, seal);
    send_t send = {*peer, bytes_of (body.data, body.size), bytes_of (seal, SEAL_BYTES)};
    effects_add (self->out, EFFECT_SEND, &send);
    buffer_clear (&body);
    return id;
}

void say_back (node_t *self, const pubkey_t *peer, unsigned kind, const void *fields)
{
    assert (self && peer);
    int at = members_find (self->members, peer);
    if (at < 0)
        return; /* revoked between its request and now */
    buffer_t body = {0};
    uint8_t seal[SEAL_BYTES];
    say_statement (self, kind, fields, &body, seal);
    persist_statement_t persist = {bytes_of (body.data, body.size), bytes_of (seal, SEAL_BYTES), 0};
    if (message_info (kind)->class == CLASS_DURABLE)
        effects_add (self->out, EFFECT_PERSIST_STATEMENT, &persist);
    send_back_t send = {self->members->members[at].curve, persist.body, persist.seal};
    effects_add (self->out, EFFECT_SEND_BACK, &send);
    buffer_clear (&body);
}

/* --- durable statements: kept until the addressee says that they are on its disk --- */

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

/* --- publications --- */

uint64_t say_next_publication (node_t *self)
{
    assert (self->publication < UINT64_MAX);
    return ++self->publication;
}

void say_publish (node_t *self, unsigned kind, const void *fields, uint64_t publication)
{
    assert (publication > 0 && publication <= self->publication);
    if (!self->out) { /* a recovery: to sign what nobody hears would take most of its time */
        (void)say_head (self, kind);
        return;
    }
    buffer_t body = {0};
    uint8_t seal[SEAL_BYTES];
    say_statement (self, kind, fields, &body, seal);
    persist_statement_t persist = {bytes_of (body.data, body.size), bytes_of (seal, SEAL_BYTES), publication};
    effects_add (self->out, EFFECT_PERSIST_STATEMENT, &persist);
    publish_t publish = {persist.body, persist.seal, publication};
    effects_add (self->out, EFFECT_PUBLISH, &publish);
    buffer_clear (&body);
}

void say_persist (node_t *self, record_table_t table, const digest_t *key, const record_t *record,
                  const void *row)
{
    assert (self && key && record);
    if (!self->out)
        return;
    buffer_t bytes = {0};
    record_encode (record, row, &bytes);
    assert (!bytes.failed);
    persist_record_t persist = {(uint64_t)table, *key, bytes_of (bytes.data, bytes.size)};
    effects_add (self->out, EFFECT_PERSIST_RECORD, &persist);
    buffer_clear (&bytes);
}

/* To the store, under a key that `number` makes its own, and to watchers. */
static void s_tell_event (node_t *self, const event_row_t *row, uint64_t number)
{
    buffer_t bytes = {0};
    wire_write_uint (&bytes, number);
    record_encode (&event_row_record, row, &bytes);
    assert (!bytes.failed);
    digest_t key = digest_of (bytes.data, bytes.size);
    buffer_clear (&bytes);
    say_persist (self, RECORD_EVENT, &key, &event_row_record, row);
    notify_t notify = {row->agent_id,
                       row->time_ms,
                       row->type,
                       row->modification_id,
                       row->performance_improvement,
                       row->error_message,
                       {row->metadata.items, row->metadata.count}};
    effects_add (self->out, EFFECT_NOTIFY, &notify);
}

void say_event (node_t *self, event_type_t type, const digest_t *modification, double improvement,
                const char *error, const entry_t *metadata, size_t metadata_count)
{
    static const digest_t none;
    assert (metadata_count <= LIMIT_METADATA && (metadata || metadata_count == 0));
    if (!self->out) { /* the numbers that it took stay taken */
        say_publish (self, MESSAGE_EVENT, NULL, say_next_publication (self));
        return;
    }
    event_row_t row = {.agent_id = self->identity.id,
                       .time_ms = self->wall_ms,
                       .type = text_of (event_type_name (type)),
                       .modification_id = modification ? *modification : none,
                       .performance_improvement = improvement,
                       .error_message = text_of (error),
                       .metadata = {metadata, metadata_count}};
    event_message_t message = {.publication = say_next_publication (self),
                               .type = row.type,
                               .modification_id = row.modification_id,
                               .performance_improvement = row.performance_improvement,
                               .error_message = row.error_message,
                               .metadata = {metadata, metadata_count}};
    s_tell_event (self, &row, message.publication);
    say_publish (self, MESSAGE_EVENT, &message, message.publication);
}

void say_event_here (node_t *self, event_type_t type, const digest_t *modification, const char *error,
                     const entry_t *metadata, size_t metadata_count)
{
    static const digest_t none;
    assert (metadata_count <= LIMIT_METADATA && (metadata || metadata_count == 0));
    uint64_t number = ++self->order;
    event_row_t row = {.agent_id = self->identity.id,
                       .time_ms = self->wall_ms,
                       .type = text_of (event_type_name (type)),
                       .modification_id = modification ? *modification : none,
                       .performance_improvement = NAN,
                       .error_message = text_of (error),
                       .metadata = {metadata, metadata_count}};
    if (self->out)
        s_tell_event (self, &row, number);
}

void say_reply (node_t *self, uint64_t operation, bool failed, const char *text, const char *value)
{
    assert (text);
    reply_t reply = {operation, failed, text_of (text), text_of (value)};
    effects_add (self->out, EFFECT_REPLY, &reply);
}

/* --- operations --- */

uint64_t operate (node_t *self, effect_kind_t kind, void *fields, owner_t owner, size_t index)
{
    assert (fields && effect_record (kind) && !effect_persists (kind));
    assert (owner == OWNER_NODE || index != NONE);
    for (size_t i = 0; i < LIMIT_OPERATIONS; i++) {
        operation_t *operation = &self->operations[i];
        if (operation->id)
            continue;
        *operation = (operation_t){.id = ++self->operation, .kind = kind, .owner = owner, .index = index};
        memcpy (fields, &operation->id, sizeof operation->id); /* `operation` stands first in each of them */
        record_encode (effect_record (kind), fields, &operation->effect);
        assert (!operation->effect.failed);
        effects_add (self->out, kind, fields);
        return operation->id;
    }
    return 0;
}

static void s_operation_free (operation_t *operation)
{
    assert (operation->id != 0);
    buffer_clear (&operation->effect);
    memset (operation, 0, sizeof *operation);
}

bool operated (node_t *self, uint64_t id, effect_kind_t kind, owner_t *owner, size_t *index)
{
    assert (self && owner && index);
    for (size_t i = 0; id && i < LIMIT_OPERATIONS; i++) {
        operation_t *operation = &self->operations[i];
        if (operation->id != id || operation->kind != kind)
            continue;
        *owner = operation->owner;
        *index = operation->index;
        s_operation_free (operation);
        return true;
    }
    return false;
}

void operate_cancel (node_t *self, uint64_t id)
{
    assert (self);
    for (size_t i = 0; id && i < LIMIT_OPERATIONS; i++)
        if (self->operations[i].id == id) {
            cancel_t cancel = {id};
            effects_add (self->out, EFFECT_CANCEL, &cancel);
            s_operation_free (&self->operations[i]);
        }
}

void operate_drop (node_t *self, owner_t owner, size_t index)
{
    assert (self);
    for (size_t i = 0; i < LIMIT_OPERATIONS; i++)
        if (self->operations[i].id && self->operations[i].owner == owner &&
            self->operations[i].index == index)
            operate_cancel (self, self->operations[i].id);
}

void operate_again (node_t *self)
{
    for (size_t i = 0; i < LIMIT_OPERATIONS; i++) {
        const operation_t *operation = &self->operations[i];
        if (!operation->id)
            continue;
        const record_t *record = effect_record (operation->kind);
        void *fields = calloc (1, record->size);
        arena_t arena = {0};
        assert (fields);
        int rc = record_decode (record, operation->effect.data, operation->effect.size, fields, &arena, NULL);
        assert (rc == 0);
        (void)rc;
        effects_add (self->out, operation->kind, fields);
        arena_clear (&arena);
        free (fields);
    }
}
