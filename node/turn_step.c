/* SPDX-License-Identifier: MPL-2.0 */
/* The middle of a turn: mesh and core tell each other what there is, until there is nothing more. */
#include "node/turn_state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what the core wants --- */

static int s_persist (turn_t *self, const effect_t *effect)
{
    const ports_t *ports = &self->ports;
    if (effect->kind == EFFECT_PERSIST_STATEMENT) {
        const persist_statement_t *statement = &effect->as.persist_statement;
        assert (statement->seal.size == SEAL_BYTES);
        return ports->put_statement (ports->context, statement->body.data, statement->body.size,
                                     statement->seal.data, statement->publication);
    }
    if (effect->kind == EFFECT_PERSIST_RECORD) {
        const persist_record_t *record = &effect->as.persist_record;
        return ports->put_record (ports->context, (record_table_t)record->table, &record->key,
                                  record->bytes.data, record->bytes.size);
    }
    if (effect->kind == EFFECT_PERSIST_DROP)
        return ports->retain (ports->context, &effect->as.persist_drop);
    assert (effect->kind == EFFECT_PERSIST_CONTENT);
    return ports->put_content (ports->context, effect->as.persist_content.bytes.data,
                               effect->as.persist_content.bytes.size);
}

/* A member has one link key, the roster's: an earlier one loses its standing. */
static void s_forget_old_keys (turn_t *self, const members_t *members)
{
    assert (members->count <= LIMIT_MEMBERS && self->key_count <= LIMIT_MEMBERS);
    for (size_t i = 0; i < self->key_count; i++)
        if (members_find_curve (members, &self->keys[i]) < 0)
            turn_note (
                self, (action_t){.kind = ACTION_STANDING, .curve = self->keys[i], .standing = LINK_STRANGER});
    self->key_count = members->count;
    for (size_t i = 0; i < members->count; i++)
        self->keys[i] = members->members[i].curve;
}

void turn_set_members (turn_t *self, const members_t *members)
{
    assert (self && members);
    s_forget_old_keys (self, members);
    for (size_t i = 0; i < members->count; i++) {
        bool live = members_has (members, &members->members[i].id);
        turn_note (self, (action_t){.kind = ACTION_STANDING,
                                    .curve = members->members[i].curve,
                                    .standing = live ? LINK_MEMBER : LINK_REVOKED});
    }
    if (self->mesh != NULL)
        mesh_set_members (self->mesh, members, self->now_ms, &self->outputs);
}

/* The roster in force is the core's own; the effect says that it changed. */
static void s_set_members (turn_t *self)
{
    const members_t *members = node_members (self->node);
    assert (members != NULL);
    turn_set_members (self, members);
}

static void s_set_invite (turn_t *self, const set_invite_t *effect)
{
    if (self->mesh != NULL)
        mesh_set_invite (self->mesh, &effect->curve, effect->live);
    turn_note (self, (action_t){.kind = ACTION_STANDING,
                                .curve = effect->curve,
                                .standing = effect->live ? LINK_INVITED : LINK_STRANGER});
}

/* Takes effect `index` as far as that goes before the commit. */
static void s_take_effect (turn_t *self, size_t index)
{
    assert (index < self->effects.count);
    const effect_t *effect = &self->effects.items[index];
    if (effect_persists (effect->kind)) {
        int result = s_persist (self, effect);
        if (result != 0)
            turn_fail (self, result);
        return;
    }
    if (effect->kind == EFFECT_SET_MEMBERS)
        s_set_members (self);
    else if (effect->kind == EFFECT_SET_INVITE)
        s_set_invite (self, &effect->as.set_invite);
    else if (effect->kind == EFFECT_FETCH_CONTENT)
        fetcher_start (self->fetcher, self->mesh, &effect->as.fetch_content, self->now_ms, self->wall_ms,
                       &self->outputs);
    else if (effect->kind == EFFECT_CANCEL &&
             fetcher_cancel (self->fetcher, self->mesh, effect->as.cancel.operation))
        return; /* it was no job */
    else {
        if (effect->kind == EFFECT_PUBLISH && self->mesh != NULL)
            mesh_set_publication (self->mesh, &self->identity->id, effect->as.publish.publication);
        turn_note (self, (action_t){.kind = ACTION_EFFECT, .index = index});
    }
}

/* True for a tick that left everything as it was, so that a replay does without it. */
static bool s_is_idle (const turn_t *self, const event_t *event, size_t from, const digest_t *before)
{
    assert (from <= self->effects.count);
    if (event->kind != EVENT_TICK || self->effects.count > from)
        return false;
    digest_t after = node_digest (self->node);
    return digest_equal (before, &after);
}

int turn_step (turn_t *self, event_t *event)
{
    assert (self != NULL && event != NULL && self->node != NULL);
    assert (self->error == 0 && !self->is_failed);
    size_t from = self->effects.count;
    digest_t before = {{0}};
    event->now_ms = self->now_ms;
    event->wall_ms = self->wall_ms;
    if (event->kind == EVENT_TICK)
        before = node_digest (self->node);
    int result = node_step (self->node, event, &self->effects);
    if (result != 0) {
        self->ports.log (self->ports.context, TURN_LOG_ERROR, "refused_event", event_name (event->kind));
        return result;
    }
    if (!s_is_idle (self, event, from, &before)) {
        buffer_t bytes = {0};
        event_encode (event, &bytes);
        digest_t digest = effects_digest (&self->effects, from);
        int written = bytes.failed
                          ? ERROR_MEMORY
                          : self->ports.journal_append (self->ports.context, bytes.data, bytes.size, &digest);
        buffer_clear (&bytes);
        if (written == 0)
            written = turn_journaled (self, event);
        if (written != 0)
            turn_fail (self, written);
    }
    for (size_t i = from; i < self->effects.count && self->error == 0; i++)
        s_take_effect (self, i);
    return 0;
}

/* --- what the mesh has --- */

static void s_deliver (turn_t *self, const mesh_output_t *output)
{
    event_t event = {.kind = EVENT_RECEIVED};
    event.as.received = (received_t){.curve = output->curve,
                                     .body = bytes_of (output->bytes.data, output->bytes.size),
                                     .seal = bytes_of (output->seal, SEAL_BYTES)};
    turn_step (self, &event);
}

static void s_peer_up (turn_t *self, const mesh_output_t *output)
{
    event_t event = {.kind = EVENT_PEER_UP};
    event.as.peer_up = (peer_up_t){.peer = output->peer,
                                   .validation_types = output->validation_types,
                                   .platform = text_of (output->platform),
                                   .seq_seen = output->number};
    turn_step (self, &event);
}

static void s_peer_lost (turn_t *self, const mesh_output_t *output)
{
    event_t event = {.kind = EVENT_PEER_LOST};
    event.as.peer_lost.peer = output->peer;
    turn_step (self, &event);
}

static void s_equivocated (turn_t *self, const mesh_output_t *output)
{
    event_t event = {.kind = EVENT_EQUIVOCATED};
    event.as.equivocated = (equivocated_t){.member = output->peer,
                                           .seq = output->number,
                                           .first = bytes_of (output->bytes.data, output->bytes.size),
                                           .second = bytes_of (output->second.data, output->second.size)};
    turn_step (self, &event);
}

static void s_serve (turn_t *self, const mesh_output_t *asked)
{
    size_t size = 0;
    uint8_t *bytes = self->ports.get_content (self->ports.context, &asked->content, &size);
    size_t offset = asked->number < size ? (size_t)asked->number : size;
    mesh_serve (self->mesh, asked, bytes == NULL ? NULL : bytes + offset, bytes == NULL ? 0 : size - offset,
                size, self->wall_ms, &self->outputs);
    free (bytes);
}

/* Publications that are answered with: packed one behind the other. */
typedef struct {
    buffer_t bytes;
    size_t sizes[LIMIT_PULL];
    size_t count;
} pulled_publications_t;

/* Room that a PULLED has for its statements, beside head and list. */
#define PULLED_BYTES (LIMIT_STATEMENT_BYTES - 1024)

static int s_pull (void *context, const uint8_t *body, size_t body_size, const uint8_t seal[SEAL_BYTES])
{
    pulled_publications_t *pulled = context;
    if (pulled->count == LIMIT_PULL || pulled->bytes.size + body_size + SEAL_BYTES + 8 > PULLED_BYTES)
        return 1;
    statement_pack (body, body_size, seal, &pulled->bytes);
    pulled->sizes[pulled->count++] = body_size + SEAL_BYTES;
    assert (pulled->count <= LIMIT_PULL && pulled->bytes.size <= PULLED_BYTES);
    return pulled->bytes.failed;
}

static void s_serve_pull (turn_t *self, const mesh_output_t *asked)
{
    const pubkey_t *author = &self->identity->id;
    pulled_publications_t pulled = {{0}, {0}, 0};
    bytes_t packed[LIMIT_PULL];
    self->ports.walk_publications (self->ports.context, author, asked->number, LIMIT_PULL, s_pull, &pulled);
    if (!pulled.bytes.failed) {
        size_t at = 0;
        for (size_t i = 0; i < pulled.count; at += pulled.sizes[i++])
            packed[i] = bytes_of (pulled.bytes.data + at, pulled.sizes[i]);
        assert (at == pulled.bytes.size);
        mesh_serve_pull (self->mesh, asked, packed, pulled.count,
                         self->ports.last_publication (self->ports.context, author), self->wall_ms,
                         &self->outputs);
    }
    buffer_clear (&pulled.bytes);
}

static void s_refused (turn_t *self, const mesh_output_t *output)
{
    if (!output->first)
        return;
    char peer[DIGEST_SHORT_BYTES], text[128];
    pubkey_short (pubkey_is_zero (&output->peer) ? &output->curve : &output->peer, peer);
    snprintf (text, sizeof text, "peer=%s why=%s", peer, error_name (output->result));
    self->ports.log (self->ports.context, TURN_LOG_WARNING, "refused", text);
}

/* `output` is a copy, since the list may move; its bytes stay where they are. */
static void s_take_output (turn_t *self, const mesh_output_t *output, size_t index)
{
    assert (index < self->outputs_done && self->outputs_done <= self->outputs.count);
    int result = 0;
    switch (output->kind) {
    case MESH_RESERVE: result = self->ports.reserve_seq (self->ports.context, output->number); break;
    case MESH_CONNECT:
    case MESH_DISCONNECT:
    case MESH_SEND:
    case MESH_REPLY:
    case MESH_PUBLISH: turn_note (self, (action_t){.kind = ACTION_OUTPUT, .index = index}); break;
    case MESH_DELIVER: s_deliver (self, output); break;
    case MESH_PEER_UP: s_peer_up (self, output); break;
    case MESH_PEER_LOST: s_peer_lost (self, output); break;
    case MESH_EQUIVOCATED: s_equivocated (self, output); break;
    case MESH_SERVE: s_serve (self, output); break;
    case MESH_SERVE_PULL: s_serve_pull (self, output); break;
    case MESH_FETCHED:
        result =
            fetcher_fetched (self->fetcher, self->mesh, output, self->now_ms, self->wall_ms, &self->outputs);
        break;
    case MESH_REFUSED: s_refused (self, output); break;
    }
    if (result != 0)
        turn_fail (self, result);
}

void turn_settle (turn_t *self)
{
    assert (self);
    while (self->error == 0 && self->outputs_done < self->outputs.count) {
        size_t index = self->outputs_done++;
        mesh_output_t output = self->outputs.items[index];
        s_take_output (self, &output, index);
    }
}
