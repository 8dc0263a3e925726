/* SPDX-License-Identifier: MPL-2.0 */
/* PRESENCE: what each member tells all others now and then, and how members introduce others by it. */
#include "protocol/mesh_state.h"

#include <assert.h>
#include <string.h>

/* --- introductions --- */

void mesh_introduce (const peer_t *whom, const peer_t *to, mesh_outputs_t *out)
{
    assert (whom != NULL && to != NULL);
    if (whom == to || whom->presence.size == 0 || !mesh_is_up (to))
        return;
    mesh_output_t *output = mesh_output (out, MESH_SEND);
    output->peer = to->id;
    statement_t statement;
    int rc = statement_unpack (bytes_of (whom->presence.data, whom->presence.size), &statement);
    assert (rc == 0);
    buffer_append (&output->bytes, statement.body, statement.body_size);
    assert (!output->bytes.failed);
    memcpy (output->seal, statement.seal, SEAL_BYTES);
}

/* --- PRESENCE --- */

/* Keeps it to introduce its author with; the first since it is up goes to all others. */
static void s_keep_presence (mesh_t *self, const incoming_t *in)
{
    peer_t *peer = in->peer;
    bool is_first = peer->presence.size == 0;
    buffer_clear (&peer->presence);
    statement_pack (in->statement.body, in->statement.body_size, in->statement.seal, &peer->presence);
    if (peer->presence.failed)
        buffer_clear (&peer->presence);
    for (size_t i = 0; is_first && i < self->peer_count; i++)
        mesh_introduce (peer, self->peers[i], in->out);
}

/* Its author speaks in an earlier epoch, though the roster was published a while ago: it is greeted with ours, once for each
 * epoch. So a roster spreads also where its author does not reach. */
static void s_tell_roster (mesh_t *self, const incoming_t *in)
{
    assert (in->peer->told_epoch <= self->members->epoch);
    uint64_t epoch = self->members->epoch;
    bool is_behind = in->head.epoch < epoch && in->now_ms >= self->members_ms + PRESENCE_INTERVAL_MS;
    if (is_behind && mesh_is_up (in->peer) && in->peer->told_epoch < epoch)
        mesh_hello_soon (in->peer, in->now_ms);
}

void mesh_take_presence (mesh_t *self, const incoming_t *in)
{
    assert (in->peer != NULL && in->head.kind == MESSAGE_PRESENCE);
    const presence_t *presence = &in->message.as.presence;
    peer_t *peer = in->peer;
    if (in->head.seq <= peer->presence_seq)
        return; /* an older one, which took its time */
    if (in->is_introduction) {
        if (mesh_is_up (peer) || presence->state == PRESENCE_LEAVE)
            return;
        mesh_take_addresses (peer, presence->addresses.items, presence->addresses.count, in->now_ms, in->out);
        peer->presence_seq = in->head.seq;
        return;
    }
    peer->presence_seq = in->head.seq;
    peer->published_ms = in->now_ms;
    if (presence->state == PRESENCE_LEAVE) {
        mesh_lose (self, peer, MESH_LEFT_TRIES, in->now_ms, in->out);
        return;
    }
    mesh_take_addresses (peer, presence->addresses.items, presence->addresses.count, in->now_ms, in->out);
    s_keep_presence (self, in);
    s_tell_roster (self, in);
    mesh_note_latest (self, peer, presence->publication, in);
}

size_t mesh_own_addresses (const mesh_t *self, address_t out[LIMIT_ENDPOINTS])
{
    assert (self->address_count <= LIMIT_ENDPOINTS);
    for (size_t i = 0; i < self->address_count; i++)
        out[i] =
            (address_t){.rpc = text_of (self->addresses[i].rpc), .pub = text_of (self->addresses[i].pub)};
    return self->address_count;
}

void mesh_say_presence (mesh_t *self, presence_state_t state, uint64_t wall_ms, mesh_outputs_t *out)
{
    address_t addresses[LIMIT_ENDPOINTS];
    presence_t presence = {.state = state,
                           .curve = self->curve,
                           .validation_types = self->validation_types,
                           .platform = text_of (self->platform),
                           .publication = self->publication};
    presence.addresses.count = mesh_own_addresses (self, addresses);
    presence.addresses.items = addresses;
    mesh_say (self, MESH_PUBLISH, NULL, NULL, MESSAGE_PRESENCE, &presence, wall_ms, out);
}

void mesh_leave (mesh_t *self, uint64_t now_ms, uint64_t wall_ms, mesh_outputs_t *out)
{
    mesh_say_presence (self, PRESENCE_LEAVE, wall_ms, out);
    self->presence_at_ms = now_ms + PRESENCE_INTERVAL_MS;
    self->has_joined = false; /* who goes on all the same joins again */
}
