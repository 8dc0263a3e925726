/* SPDX-License-Identifier: MPL-2.0 */
/* The mesh as a whole: its life, what it says, what it refused. */
#include "protocol/mesh_state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* --- outputs --- */

mesh_output_t *mesh_output (mesh_outputs_t *out, mesh_output_kind_t kind)
{
    assert (out->count <= out->capacity);
    if (out->count == out->capacity) {
        size_t capacity = out->capacity == 0 ? 8 : 2 * out->capacity;
        mesh_output_t *items = realloc (out->items, capacity * sizeof *items);
        assert (items != NULL); /* what was taken in can't be half done */
        out->items = items;
        out->capacity = capacity;
    }
    mesh_output_t *output = &out->items[out->count++];
    memset (output, 0, sizeof *output);
    output->kind = kind;
    return output;
}

void mesh_outputs_clear (mesh_outputs_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        buffer_clear (&self->items[i].bytes);
        buffer_clear (&self->items[i].second);
    }
    free (self->items);
    memset (self, 0, sizeof *self);
}

/* --- what is said --- */

digest_t mesh_say (mesh_t *self, mesh_output_kind_t way, const pubkey_t *peer, const pubkey_t *curve,
                   unsigned kind, const void *fields, uint64_t wall_ms, mesh_outputs_t *out)
{
    assert (way == MESH_SEND || way == MESH_REPLY || way == MESH_PUBLISH);
    assert (self->seq % 2 == 1 && self->seq < UINT64_MAX - 2);
    assert ((way == MESH_REPLY) == (curve != NULL));
    assert ((way == MESH_PUBLISH) == (peer == NULL));
    if (self->seq >= self->reserved) {
        self->reserved = self->seq + UINT64_C (2) * SEQ_BLOCK;
        mesh_output (out, MESH_RESERVE)->number = self->reserved;
    }
    head_t head = {.kind = kind,
                   .group = self->group->group,
                   .epoch = self->members != NULL ? self->members->epoch : 0,
                   .seq = self->seq,
                   .time_ms = wall_ms};
    assert (head.seq < self->reserved); /* on disk before it is used */
    self->seq += 2;
    mesh_output_t *output = mesh_output (out, way);
    if (peer != NULL)
        output->peer = *peer;
    if (curve != NULL)
        output->curve = *curve;
    message_seal (self->identity, &head, fields, &output->bytes, output->seal);
    assert (!output->bytes.failed);
    return statement_id (output->bytes.data, output->bytes.size, output->seal);
}

void mesh_say_refused (mesh_t *self, const pubkey_t *peer, const pubkey_t *curve, const digest_t *request,
                       int code, uint64_t wall_ms, mesh_outputs_t *out)
{
    assert (code < 0 && -code < MESH_CODES);
    refused_t refused = {
        .to = *peer, .request = *request, .code = (uint64_t)-code, .text = text_of (error_text (code))};
    mesh_say (self, MESH_REPLY, peer, curve, MESSAGE_REFUSED, &refused, wall_ms, out);
}

void mesh_publish_metrics (mesh_t *self, const metrics_message_t *metrics, uint64_t wall_ms,
                           mesh_outputs_t *out)
{
    if (self->peer_count > 0)
        mesh_say (self, MESH_PUBLISH, NULL, NULL, MESSAGE_METRICS, metrics, wall_ms, out);
}

/* --- what is refused --- */

void mesh_refuse (mesh_t *self, int code, const pubkey_t *peer, const pubkey_t *curve, uint64_t now_ms,
                  mesh_outputs_t *out)
{
    assert (code < 0 && -code < MESH_CODES);
    self->refused[-code]++;
    mesh_output_t *output = mesh_output (out, MESH_REFUSED);
    output->result = code;
    if (peer != NULL)
        output->peer = *peer;
    if (curve != NULL)
        output->curve = *curve;
    const pubkey_t *whom = curve != NULL ? &output->curve : &output->peer;
    digest_t key = digest_of (whom->bytes, PUBKEY_BYTES);
    output->first = throttle_pass (&self->throttle, &key, now_ms);
}

uint64_t mesh_refused (const mesh_t *self, int code)
{
    return code < 0 && -code < MESH_CODES ? self->refused[-code] : 0;
}

/* --- peers --- */

peer_t *mesh_find_peer (const mesh_t *self, const pubkey_t *id)
{
    assert (self->peer_count <= LIMIT_MEMBERS);
    for (size_t i = 0; i < self->peer_count; i++)
        if (pubkey_equal (&self->peers[i]->id, id))
            return self->peers[i];
    return NULL;
}

bool mesh_is_up (const peer_t *peer)
{
    return peer->state == PEER_UP || peer->state == PEER_SUSPECT;
}

bucket_t mesh_bucket (uint64_t burst, uint64_t per_s, uint64_t now_ms)
{
    assert (burst > 0 && per_s > 0);
    return (bucket_t){.tokens = burst, .burst = burst, .per_s = per_s, .at_ms = now_ms};
}

bool mesh_take_tokens (bucket_t *self, uint64_t count, uint64_t now_ms)
{
    assert (now_ms >= self->at_ms);
    assert (self->tokens <= self->burst);
    uint64_t gained = (now_ms - self->at_ms) * self->per_s / 1000;
    if (gained > 0) {
        self->tokens = gained > self->burst - self->tokens ? self->burst : self->tokens + gained;
        self->at_ms = now_ms;
    }
    if (self->tokens < count)
        return false;
    self->tokens -= count;
    return true;
}

uint64_t mesh_tokens_at_ms (const bucket_t *self, uint64_t count)
{
    assert (count <= self->burst);
    uint64_t missing = count > self->tokens ? count - self->tokens : 0;
    return self->at_ms + (missing * 1000 + self->per_s - 1) / self->per_s;
}

size_t mesh_peers (const mesh_t *self, mesh_peer_t *peers, size_t max)
{
    size_t count = self->peer_count < max ? self->peer_count : max;
    for (size_t i = 0; i < count; i++) {
        const peer_t *peer = self->peers[i];
        mesh_peer_t *view = &peers[i];
        *view = (mesh_peer_t){.id = peer->id,
                              .state = peer->state,
                              .heard_ms = peer->heard_ms,
                              .has_metrics = peer->has_metrics,
                              .learning_rate = peer->learning_rate,
                              .slots = peer->slots,
                              .slots_busy = peer->slots_busy};
        memcpy (view->name, peer->name, sizeof view->name);
        if (peer->address_count > 0) {
            memcpy (view->rpc, peer->addresses[0].rpc, sizeof view->rpc);
            memcpy (view->pub, peer->addresses[0].pub, sizeof view->pub);
        }
    }
    return count;
}

void mesh_set_publication (mesh_t *self, const pubkey_t *author, uint64_t number)
{
    peer_t *peer = mesh_find_peer (self, author);
    if (pubkey_equal (author, &self->identity->id))
        self->publication = number > self->publication ? number : self->publication;
    else if (peer != NULL && number >= peer->next)
        peer->next = number + 1;
}

/* --- invites --- */

void mesh_set_invite (mesh_t *self, const pubkey_t *curve, bool live)
{
    assert (self->invite_count <= LIMIT_INVITES);
    size_t at = 0;
    while (at < self->invite_count && !pubkey_equal (&self->invites[at], curve))
        at++;
    if (at < self->invite_count) {
        if (live)
            return;
        self->invite_count--;
        memmove (&self->invites[at], &self->invites[at + 1],
                 (self->invite_count - at) * sizeof *self->invites);
        return;
    }
    if (!live)
        return;
    if (self->invite_count == LIMIT_INVITES)
        memmove (&self->invites[0], &self->invites[1], --self->invite_count * sizeof *self->invites);
    assert (self->invite_count < LIMIT_INVITES);
    self->invites[self->invite_count++] = *curve;
}

/* --- time --- */

uint64_t mesh_earlier (uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void mesh_tick (mesh_t *self, uint64_t now_ms, uint64_t wall_ms, mesh_outputs_t *out)
{
    mesh_tick_links (self, now_ms, wall_ms, out);
    for (size_t i = 0; i < self->peer_count; i++)
        mesh_tick_pull (self, self->peers[i], now_ms, wall_ms, out);
    mesh_tick_fetches (self, now_ms, wall_ms, out);
}

uint64_t mesh_deadline_ms (const mesh_t *self)
{
    assert (self->download_count <= LIMIT_OPERATIONS);
    uint64_t deadline_ms = mesh_earlier (mesh_links_deadline_ms (self), mesh_fetches_deadline_ms (self));
    for (size_t i = 0; i < self->peer_count; i++)
        deadline_ms = mesh_earlier (deadline_ms, mesh_pull_deadline_ms (self->peers[i]));
    return deadline_ms;
}

/* --- life --- */

mesh_t *mesh_new (const identity_t *identity, const group_t *group, const mesh_self_t *about,
                  const uint8_t entropy[SEED_BYTES])
{
    assert (about->live_seq % 2 == 1 && about->address_count <= LIMIT_ENDPOINTS);
    mesh_t *self = calloc (1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->identity = identity;
    self->group = group;
    self->curve = about->curve;
    self->address_count = about->address_count;
    for (size_t i = 0; i < about->address_count; i++) {
        bool fits = text_copy (about->addresses[i].rpc, self->addresses[i].rpc, LIMIT_ENDPOINT + 1) &&
                    text_copy (about->addresses[i].pub, self->addresses[i].pub, LIMIT_ENDPOINT + 1);
        assert (fits);
    }
    self->validation_types = about->validation_types;
    text_copy (text_of (about->platform), self->platform, sizeof self->platform);
    self->seq = self->reserved = about->live_seq;
    random_init (&self->random, entropy);
    self->windows[0] = window_new ();
    self->windows[1] = window_new ();
    if (self->windows[0] == NULL || self->windows[1] == NULL)
        mesh_destroy (&self);
    return self;
}

void mesh_destroy (mesh_t **self_p)
{
    mesh_t *self = *self_p;
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->peer_count; i++) {
        buffer_clear (&self->peers[i]->presence);
        free (self->peers[i]);
    }
    for (size_t i = 0; i < self->download_count; i++)
        mesh_download_destroy (&self->downloads[i]);
    if (self->members != NULL)
        members_clear (self->members);
    free (self->members);
    window_destroy (&self->windows[0]);
    window_destroy (&self->windows[1]);
    free (self);
    *self_p = NULL;
}
