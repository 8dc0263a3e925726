/* SPDX-License-Identifier: MPL-2.0 */
/* The group as the node sees it: rosters that follow one another, invitations, joins, leaving. */
#include "node/node_life.h"
#include "node/node_peers.h"
#include "node/node_say.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/invite.h"

void group_say_members (node_t *self)
{
    assert (self->members && self->members->packed.size > 0);
    set_members_t set = {bytes_of (self->members->packed.data, self->members->packed.size)};
    effects_add (self->out, EFFECT_SET_MEMBERS, &set);
}

static void s_persist_roster (node_t *self, uint64_t publication)
{
    statement_t statement;
    int rc = statement_unpack (bytes_of (self->members->packed.data, self->members->packed.size), &statement);
    assert (rc == 0);
    (void)rc;
    persist_statement_t persist = {bytes_of (statement.body, statement.body_size),
                                   bytes_of (statement.seal, SEAL_BYTES), publication};
    effects_add (self->out, EFFECT_PERSIST_STATEMENT, &persist);
    if (publication) { /* our own: tell the group */
        publish_t publish = {persist.body, persist.seal, publication};
        effects_add (self->out, EFFECT_PUBLISH, &publish);
    }
}

/* Tells who came and who went between two rosters. */
static void s_say_changes (node_t *self, const members_t *old)
{
    for (size_t i = 0; i < self->members->count; i++) {
        const pubkey_t *id = &self->members->members[i].id;
        int before = members_find (old, id);
        bool was = before >= 0 && old->members[before].revoked_epoch == 0;
        bool is = self->members->members[i].revoked_epoch == 0;
        char member[DIGEST_SHORT_BYTES];
        pubkey_short (id, member);
        entry_t metadata[2] = {{text_of ("member"), text_of (member)},
                               {text_of ("name"), text_of (self->members->members[i].name)}};
        char out[LIMIT_TEXT + 1] = "";
        if (pubkey_equal (id, &self->identity.id))
            group_why_out (self, out);
        if (was != is)
            say_event (self, is ? TYPE_PEER_JOINED : TYPE_PEER_LEFT, NULL, NAN, out, metadata, 2);
        known_peer_t *peer = is ? NULL : peer_of (self, id);
        if (peer)
            peer->up = false;
        if (!is)
            say_outbox_forget (self, id);
    }
    validate_peer_lost (self); /* nobody waits to the end for who is no member any more */
}

void on_roster (node_t *self, bytes_t packed)
{
    members_t *next = calloc (1, sizeof *next);
    assert (next);
    int rc = members_open (packed, &self->group, next, NULL);
    if (!rc)
        rc = members_follows (self->members, next, &self->group);
    /* After a gap the founder's word is enough: it alone makes rosters, and each holds the whole. */
    if (rc == ERROR_CONFLICT && next->epoch > self->members->epoch + 1 &&
        pubkey_equal (&next->author, &self->group.founder))
        rc = 0;
    if (rc) {
        members_clear (next);
        free (next);
        return;
    }
    members_t *old = self->members;
    assert (next->epoch > old->epoch);
    self->members = next;
    s_persist_roster (self, 0);
    group_say_members (self);
    s_say_changes (self, old);
    members_clear (old);
    free (old);
}

/* Our own next roster is in force: on disk, told to the group, and to our links. */
static void s_roster_made (node_t *self, const members_t *old, uint64_t publication)
{
    assert (self->members->epoch == old->epoch + 1 && publication == self->publication);
    s_persist_roster (self, publication);
    group_say_members (self);
    s_say_changes (self, old);
}

static members_t *s_copy_members (const node_t *self)
{
    members_t *copy = calloc (1, sizeof *copy);
    assert (copy);
    *copy = *self->members;
    copy->packed = (buffer_t){0};
    return copy;
}

int group_revoke (node_t *self, const pubkey_t *id)
{
    assert (self && id);
    if (!members_is_admin (self->members, &self->identity.id))
        return ERROR_DENIED;
    members_t *old = s_copy_members (self);
    head_t head = say_head (self, MESSAGE_ROSTER);
    uint64_t publication = say_next_publication (self);
    int rc = members_revoke (self->members, &self->group, &self->identity, id, head.seq, publication,
                             self->wall_ms);
    if (rc)
        self->publication--;
    else
        s_roster_made (self, old, publication);
    free (old);
    return rc;
}

/* --- invitations --- */

static void s_invitation_end (node_t *self, size_t index)
{
    assert (index < self->invitation_count && self->invitation_count <= LIMIT_INVITES);
    set_invite_t set = {self->invitations[index].curve, 0};
    effects_add (self->out, EFFECT_SET_INVITE, &set);
    memmove (&self->invitations[index], &self->invitations[index + 1],
             (--self->invitation_count - index) * sizeof self->invitations[0]);
}

int group_invite (node_t *self, const digest_t *entropy, uint64_t uses, uint64_t lifetime_ms,
                  const pubkey_t *bound_to, char *token, size_t token_size)
{
    assert (self && entropy && bound_to);
    if (!members_is_admin (self->members, &self->identity.id))
        return ERROR_DENIED;
    curve_t curve;
    curve_from_seed (entropy->bytes, &curve);
    if (self->invitation_count == LIMIT_INVITES)
        s_invitation_end (self, 0);
    invitation_t *invitation = &self->invitations[self->invitation_count++];
    *invitation = (invitation_t){.curve = curve.public_key,
                                 .bound_to = *bound_to,
                                 .expires_ms = time_after_ms (self->wall_ms, lifetime_ms),
                                 .uses = uses};
    curve_wipe (&curve);
    assert (self->invitation_count <= LIMIT_INVITES && uses > 0 && uses <= LIMIT_INVITE_USES);
    address_t addresses[LIMIT_ENDPOINTS];
    for (size_t i = 0; i < self->settings.address_count; i++)
        addresses[i] =
            (address_t){text_of (self->settings.addresses[i].rpc), text_of (self->settings.addresses[i].pub)};
    invite_t invite = {.group = self->group.group,
                       .issuer = self->identity.id,
                       .server = self->settings.curve,
                       .seed = *entropy,
                       .expires_ms = invitation->expires_ms,
                       .uses = uses,
                       .bound_to = *bound_to,
                       .addresses = {addresses, self->settings.address_count}};
    set_invite_t set = {invitation->curve, 1};
    effects_add (self->out, EFFECT_SET_INVITE, &set);
    return invite_text (&invite, token, token_size);
}

void group_tick (node_t *self)
{
    assert (self);
    for (size_t i = self->invitation_count; i-- > 0;)
        if (self->invitations[i].expires_ms <= self->wall_ms)
            s_invitation_end (self, i);
}

uint64_t group_deadline_ms (const node_t *self)
{
    assert (self);
    uint64_t deadline_ms = UINT64_MAX;
    for (size_t i = 0; i < self->invitation_count; i++) {
        uint64_t left_ms = self->invitations[i].expires_ms > self->wall_ms
                               ? self->invitations[i].expires_ms - self->wall_ms
                               : 0;
        uint64_t ends_ms = time_after_ms (self->now_ms, left_ms);
        if (ends_ms < deadline_ms)
            deadline_ms = ends_ms;
    }
    return deadline_ms;
}

/* --- joins --- */

static void s_refuse (node_t *self, const pubkey_t *to, const pubkey_t *curve, const digest_t *request,
                      int code)
{
    refused_t refused = {*to, *request, (uint64_t)-code, text_of (error_text (code))};
    buffer_t body = {0};
    uint8_t seal[SEAL_BYTES];
    say_statement (self, MESSAGE_REFUSED, &refused, &body, seal);
    send_back_t send = {*curve, bytes_of (body.data, body.size), bytes_of (seal, SEAL_BYTES)};
    effects_add (self->out, EFFECT_SEND_BACK, &send);
    buffer_clear (&body);
}

/* The answer to a join: charter, roster, and where to find us. */
static void s_welcome (node_t *self, const pubkey_t *joiner, const pubkey_t *curve, const digest_t *request)
{
    assert (members_has (self->members, joiner));
    buffer_t body = {0};
    uint8_t seal[SEAL_BYTES];
    address_t addresses[LIMIT_ENDPOINTS];
    for (size_t i = 0; i < self->settings.address_count; i++)
        addresses[i] =
            (address_t){text_of (self->settings.addresses[i].rpc), text_of (self->settings.addresses[i].pub)};
    membership_t membership = {.to = *joiner,
                               .request = *request,
                               .charter = bytes_of (self->group.packed.data, self->group.packed.size),
                               .roster = bytes_of (self->members->packed.data, self->members->packed.size),
                               .addresses = {addresses, self->settings.address_count}};
    say_statement (self, MESSAGE_MEMBERSHIP, &membership, &body, seal);
    send_back_t send = {*curve, bytes_of (body.data, body.size), bytes_of (seal, SEAL_BYTES)};
    effects_add (self->out, EFFECT_SEND_BACK, &send);
    buffer_clear (&body);
}

static bool s_joined_by (const invitation_t *invitation, const pubkey_t *joiner)
{
    for (size_t i = 0; i < invitation->joined_count; i++)
        if (pubkey_equal (&invitation->joined[i], joiner))
            return true;
    return false;
}

/* 0 if that invitation lets the joiner in (again), else why not. */
static int s_admits (const node_t *self, const invitation_t *invitation, const pubkey_t *joiner)
{
    if (s_joined_by (invitation, joiner))
        return 0; /* a retry is free */
    if (invitation->expires_ms <= self->wall_ms)
        return ERROR_EXPIRED;
    if (!pubkey_is_zero (&invitation->bound_to) && !pubkey_equal (&invitation->bound_to, joiner))
        return ERROR_DENIED;
    if (invitation->uses == 0 || invitation->joined_count == LIMIT_INVITE_USES)
        return ERROR_USED_UP;
    return members_is_admin (self->members, &self->identity.id) ? 0 : ERROR_DENIED;
}

static int s_admit (node_t *self, invitation_t *invitation, const message_t *message, const pubkey_t *joiner)
{
    int at = members_find (self->members, joiner);
    if (at >= 0)
        return self->members->members[at].revoked_epoch ? ERROR_REVOKED : 0;
    char name[LIMIT_NAME + 1];
    text_copy (message->as.join_request.name, name, sizeof name);
    members_t *old = s_copy_members (self);
    head_t head = say_head (self, MESSAGE_ROSTER);
    uint64_t publication = say_next_publication (self);
    int rc = members_add (self->members, &self->group, &self->identity, joiner,
                          &message->as.join_request.curve, name, head.seq, publication, self->wall_ms);
    if (rc)
        self->publication--;
    else {
        assert (invitation->uses > 0 && invitation->joined_count < LIMIT_INVITE_USES);
        invitation->uses--;
        invitation->joined[invitation->joined_count++] = *joiner;
        s_roster_made (self, old, publication);
    }
    free (old);
    return rc;
}

void on_join_request (node_t *self, const message_t *message, const pubkey_t *author, const pubkey_t *curve,
                      const digest_t *id)
{
    assert (self && message && author && curve && id);
    invitation_t *invitation = NULL;
    for (size_t i = 0; i < self->invitation_count; i++)
        if (pubkey_equal (&self->invitations[i].curve, curve))
            invitation = &self->invitations[i];
    int rc = ERROR_EXPIRED;
    if (invitation && pubkey_equal (&message->as.join_request.invite, curve)) {
        rc = s_admits (self, invitation, author);
        if (!rc)
            rc = s_admit (self, invitation, message, author);
    }
    if (rc)
        s_refuse (self, author, curve, id, rc);
    else
        s_welcome (self, author, curve, id);
}

void on_leave (node_t *self, const pubkey_t *author)
{
    assert (self && author);
    (void)group_revoke (self, author); /* who isn't an admin hears of it by the next roster */
}
