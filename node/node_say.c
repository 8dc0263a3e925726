/* SPDX-License-Identifier: MPL-2.0 */
/* What the node says: statements, publications, rows, events, replies. */
#include "node/node_peers.h"
#include "node/node_say.h"

#include <assert.h>
#include <math.h>

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
