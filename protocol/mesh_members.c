/* SPDX-License-Identifier: MPL-2.0 */
/* Who the other members are, and where. */
#include "protocol/mesh_state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* --- addresses --- */

/* True if it is an address that can be linked to; nothing but TCP, whatever a peer says. */
static bool s_read_address (const address_t *address, mesh_address_t *out)
{
    return text_copy (address->rpc, out->rpc, sizeof out->rpc) &&
           text_copy (address->pub, out->pub, sizeof out->pub) && strncmp (out->rpc, "tcp://", 6) == 0 &&
           strncmp (out->pub, "tcp://", 6) == 0;
}

static bool s_is_same_address (const mesh_address_t *a, const mesh_address_t *b)
{
    return strcmp (a->rpc, b->rpc) == 0 && strcmp (a->pub, b->pub) == 0;
}

void mesh_link (peer_t *peer, mesh_outputs_t *out)
{
    assert (peer->address_count > 0);
    mesh_output_t *output = mesh_output (out, MESH_CONNECT);
    output->peer = peer->id;
    output->curve = peer->curve;
    output->address_count = peer->address_count;
    memcpy (output->addresses, peer->addresses, sizeof output->addresses);
}

void mesh_begin_link (peer_t *peer, uint64_t now_ms, mesh_outputs_t *out)
{
    assert (peer->address_count > 0 && peer->address_count <= LIMIT_ENDPOINTS);
    mesh_link (peer, out);
    if (peer->state == PEER_UNKNOWN)
        peer->state = PEER_LINKING;
    peer->hello_tries = 0;
    peer->hello_at_ms = now_ms;
}

void mesh_take_addresses (peer_t *peer, const address_t *items, size_t count, uint64_t now_ms,
                          mesh_outputs_t *out)
{
    mesh_address_t told[LIMIT_ENDPOINTS];
    memset (told, 0, sizeof told);
    size_t told_count = 0, in_use = SIZE_MAX;
    for (size_t i = 0; i < count && told_count < LIMIT_ENDPOINTS; i++) {
        if (!s_read_address (&items[i], &told[told_count]))
            continue;
        if (peer->address_count > 0 && s_is_same_address (&told[told_count], &peer->addresses[0]))
            in_use = told_count;
        told_count++;
    }
    if (told_count == 0)
        return;
    if (in_use != SIZE_MAX) { /* it stays first */
        mesh_address_t first = told[0];
        told[0] = told[in_use];
        told[in_use] = first;
    }
    memcpy (peer->addresses, told, sizeof told);
    peer->address_count = told_count;
    peer->told = true;
    if (in_use == SIZE_MAX)
        mesh_begin_link (peer, now_ms, out);
}

void mesh_hint (mesh_t *self, const pubkey_t *id, const char *rpc, const char *pub, uint64_t now_ms,
                mesh_outputs_t *out)
{
    peer_t *peer = mesh_find_peer (self, id);
    address_t address = {.rpc = text_of (rpc), .pub = text_of (pub)};
    mesh_address_t hint;
    memset (&hint, 0, sizeof hint);
    if (peer == NULL || peer->told || !s_read_address (&address, &hint))
        return;
    if (peer->address_count > 0 && s_is_same_address (&hint, &peer->addresses[0]))
        return;
    peer->addresses[0] = hint;
    peer->address_count = 1;
    mesh_begin_link (peer, now_ms, out);
}

/* --- members --- */

static void s_add_peer (mesh_t *self, const members_t *members, size_t at, uint64_t now_ms)
{
    assert (self->peer_count < LIMIT_MEMBERS);
    peer_t *peer = calloc (1, sizeof *peer);
    assert (peer != NULL); /* a member that we could not remember would be a stranger */
    peer->id = members->members[at].id;
    peer->curve = members->members[at].curve;
    memcpy (peer->name, members->members[at].name, sizeof peer->name);
    peer->hello_at_ms = MESH_NEVER;
    peer->up_at_ms = MESH_NEVER;
    peer->next = 1;
    peer->served = mesh_bucket (MESH_SERVE_BURST, MESH_SERVE_PER_S, now_ms);
    peer->statements = mesh_bucket (MESH_STATEMENT_BURST, MESH_STATEMENT_PER_S, now_ms);
    peer->statement_bytes = mesh_bucket (MESH_STATEMENT_BYTES_BURST, MESH_STATEMENT_BYTES_PER_S, now_ms);
    peer->publication_bytes = mesh_bucket (MESH_STATEMENT_BYTES_BURST, MESH_STATEMENT_BYTES_PER_S, now_ms);
    peer->publications = mesh_bucket (MESH_PUBLICATION_BURST, MESH_PUBLICATION_PER_S, now_ms);
    self->peers[self->peer_count++] = peer;
}

static void s_remove_peer (mesh_t *self, size_t at, mesh_outputs_t *out)
{
    assert (at < self->peer_count && self->peer_count <= LIMIT_MEMBERS);
    peer_t *peer = self->peers[at];
    self->peers[at] = self->peers[--self->peer_count];
    mesh_output_t *output = mesh_output (out, MESH_DISCONNECT);
    output->peer = peer->id;
    output->curve = peer->curve;
    if (peer->said_up)
        mesh_output (out, MESH_PEER_LOST)->peer = peer->id;
    mesh_end_fetches (self, &peer->id, ERROR_REVOKED, out);
    window_forget (self->windows[0], &peer->id);
    window_forget (self->windows[1], &peer->id);
    buffer_clear (&peer->presence);
    free (peer);
}

/* True if the member is one, other than ourselves. */
static bool s_is_peer (const mesh_t *self, const members_t *members, size_t at)
{
    assert (at < members->count);
    return members->members[at].revoked_epoch == 0 &&
           !pubkey_equal (&members->members[at].id, &self->identity->id);
}

static void s_copy_members (mesh_t *self, const members_t *members)
{
    if (self->members == NULL)
        self->members = calloc (1, sizeof *self->members);
    else
        members_clear (self->members);
    assert (self->members != NULL);
    *self->members = *members;
    self->members->packed = (buffer_t){0};
    buffer_append (&self->members->packed, members->packed.data, members->packed.size);
    assert (!self->members->packed.failed);
}

void mesh_set_members (mesh_t *self, const members_t *members, uint64_t now_ms, mesh_outputs_t *out)
{
    assert (members->epoch > 0 && members->packed.size > SEAL_BYTES);
    assert (self->members == NULL || members->epoch >= self->members->epoch);
    s_copy_members (self, members);
    self->members_ms = now_ms;
    for (size_t i = self->peer_count; i-- > 0;) {
        int at = members_find (members, &self->peers[i]->id);
        if (at < 0 || !s_is_peer (self, members, (size_t)at))
            s_remove_peer (self, i, out);
    }
    for (size_t i = 0; i < members->count; i++) {
        if (!s_is_peer (self, members, i))
            continue;
        peer_t *peer = mesh_find_peer (self, &members->members[i].id);
        if (peer == NULL)
            s_add_peer (self, members, i, now_ms);
        else if (!pubkey_equal (&peer->curve, &members->members[i].curve)) {
            peer->curve = members->members[i].curve; /* its link key changed: the link is made anew */
            if (peer->address_count > 0)
                mesh_begin_link (peer, now_ms, out);
        }
    }
}
