/* SPDX-License-Identifier: MPL-2.0 */
/* The node's peers: who is here, who may vote, and whether the node itself takes part. */
#include "node/node_peers.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

known_peer_t *peer_of (node_t *self, const pubkey_t *id)
{
    assert (self && id);
    for (size_t i = 0; i < self->peer_count; i++)
        if (pubkey_equal (&self->peers[i].id, id))
            return &self->peers[i];
    assert (self->peer_count < LIMIT_MEMBERS); /* each is in a roster, which keeps the revoked */
    known_peer_t *grown = realloc (self->peers, (self->peer_count + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    self->peers = grown;
    known_peer_t *peer = &self->peers[self->peer_count++];
    assert (!pubkey_is_zero (id));
    *peer = (known_peer_t){.id = *id, .record.id = *id};
    return peer;
}

/* Up, and still a member? */
static bool s_is_here (const node_t *self, const known_peer_t *peer)
{
    return peer->up && members_has (self->members, &peer->id);
}

bool peer_is_up (const node_t *self, const pubkey_t *id)
{
    assert (self && id);
    for (size_t i = 0; i < self->peer_count; i++)
        if (pubkey_equal (&self->peers[i].id, id))
            return s_is_here (self, &self->peers[i]);
    return false;
}

size_t peers_up (const node_t *self)
{
    assert (self && self->peer_count <= LIMIT_MEMBERS);
    size_t count = 0;
    for (size_t i = 0; i < self->peer_count; i++)
        count += s_is_here (self, &self->peers[i]);
    return count;
}

/* One pass over the peers, since all that waits asks this at each step. */
voters_t voters_here (const node_t *self)
{
    assert (self && self->peer_count <= LIMIT_MEMBERS);
    voters_t voters = {0};
    for (size_t i = 0; i < self->peer_count; i++) {
        const known_peer_t *peer = &self->peers[i];
        if (peer->proved || !s_is_here (self, peer))
            continue;
        voters.count++;
        voters.validators += (peer->record.validation_types & VALIDATE_PERFORMANCE) != 0;
    }
    return voters;
}

uint64_t members_now (const node_t *self)
{
    assert (self->members);
    return members_live (self->members);
}

bool group_takes_part (const node_t *self)
{
    assert (self->members);
    return !self->left && members_has (self->members, &self->identity.id);
}

void group_why_out (const node_t *self, char text[LIMIT_TEXT + 1])
{
    assert (self->members);
    text[0] = 0;
    int own = members_find (self->members, &self->identity.id);
    unsigned long long epoch = own < 0 ? 0 : self->members->members[own].revoked_epoch;
    if (self->left)
        (void)snprintf (text, LIMIT_TEXT + 1, "this node left the group: it takes no part in it any more");
    else if (!group_takes_part (self))
        (void)snprintf (text, LIMIT_TEXT + 1,
                        "this node was revoked in epoch %llu: it takes no part in the group any more", epoch);
}

/* --- rosters --- */
