/* SPDX-License-Identifier: MPL-2.0 */
/* Equivocation: a member said two different things under one number, and both its seals prove it. The proof is kept and told,
 * and the member has no vote here any more (docs/decisions/0010). */
#include "node/node_life.h"
#include "node/node_peers.h"
#include "node/node_say.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

bool peer_has_vote (const node_t *self, const pubkey_t *id)
{
    assert (self && id);
    int at = members_find (self->members, id);
    if (at < 0 || self->members->members[at].revoked_epoch != 0)
        return false;
    for (size_t i = 0; i < self->peer_count; i++)
        if (pubkey_equal (&self->peers[i].id, id))
            return !self->peers[i].proved;
    return true;
}

bool peer_can_vote (const node_t *self, const pubkey_t *id)
{
    assert (self && id);
    return peer_is_up (self, id) && peer_has_vote (self, id);
}

/* Keeps one of the two statements; returns its id. */
static digest_t s_keep (node_t *self, bytes_t packed)
{
    statement_t statement;
    int rc = statement_unpack (packed, &statement);
    assert (rc == 0); /* the mesh verified it */
    (void)rc;
    persist_statement_t persist = {bytes_of (statement.body, statement.body_size),
                                   bytes_of (statement.seal, SEAL_BYTES), 0};
    effects_add (self->out, EFFECT_PERSIST_STATEMENT, &persist);
    return statement_id (statement.body, statement.body_size, statement.seal);
}

static void s_say_proved (node_t *self, const equivocated_t *event, const digest_t *first,
                          const digest_t *second)
{
    char member[DIGEST_TEXT_BYTES], seq[24], ids[2][DIGEST_TEXT_BYTES];
    pubkey_text (&event->member, member);
    (void)snprintf (seq, sizeof seq, "%llu", (unsigned long long)event->seq);
    digest_text (first, ids[0]);
    digest_text (second, ids[1]);
    entry_t metadata[4] = {{text_of ("member"), text_of (member)},
                           {text_of ("seq"), text_of (seq)},
                           {text_of ("first"), text_of (ids[0])},
                           {text_of ("second"), text_of (ids[1])}};
    say_event (self, TYPE_EQUIVOCATION_PROVED, NULL, NAN, NULL, metadata, 4);
}

void on_equivocated (node_t *self, const equivocated_t *event)
{
    assert (self && event);
    known_peer_t *peer = peer_of (self, &event->member);
    if (!peer || !peer_has_vote (self, &event->member))
        return; /* who has no vote can't lose it: revoked meanwhile, or proved before */
    peer->proved = true;
    self->counts.equivocations++;
    digest_t first = s_keep (self, event->first), second = s_keep (self, event->second);
    s_say_proved (self, event, &first, &second);
    validate_peer_lost (self); /* nobody waits for its results any more */
}
