/* SPDX-License-Identifier: MPL-2.0 */
/* Who is there: HELLO and WELCOME, PING; the states of mesh.h's diagram. */
#include "protocol/mesh_state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* --- up and lost --- */

void mesh_hello_soon (peer_t *peer, uint64_t now_ms)
{
    uint64_t soonest = peer->hello_tries > 0 ? peer->hello_sent_ms + RECONNECT_MS_MIN : now_ms;
    peer->hello_at_ms = mesh_earlier (peer->hello_at_ms, soonest > now_ms ? soonest : now_ms);
}

void mesh_heard (peer_t *peer, uint64_t now_ms)
{
    assert (now_ms >= peer->heard_ms);
    if (peer->state == PEER_LINKING && now_ms >= peer->heard_ms + SUSPECT_AFTER_MS)
        mesh_hello_soon (peer, now_ms); /* back after a silence */
    peer->heard_ms = now_ms;
    if (peer->state == PEER_SUSPECT)
        peer->state = PEER_UP;
}

/* Each PEER_UP is an entry of the node's journal, and has it repeat what the peer may have forgotten: so one that comes too soon
 * after the last waits, and stands for all others meanwhile. */
static void s_say_up (peer_t *peer, uint64_t now_ms, mesh_outputs_t *out)
{
    assert (mesh_is_up (peer));
    if (now_ms < peer->up_ms) {
        peer->up_at_ms = peer->up_ms;
        return;
    }
    peer->up_ms = now_ms + MESH_UP_MS;
    peer->up_at_ms = MESH_NEVER;
    peer->said_up = true;
    mesh_output_t *output = mesh_output (out, MESH_PEER_UP);
    output->peer = peer->id;
    output->curve = peer->curve;
    output->validation_types = peer->validation_types;
    output->number = peer->seq_seen;
    memcpy (output->platform, peer->platform, sizeof output->platform);
}

/* Half of the time that doubles with each try, and a random part of the other half: so that those who lost each other at
 * the same moment don't try at the same moment. */
static uint64_t s_backoff_ms (mesh_t *self, unsigned tries)
{
    uint64_t span_ms = tries < 16 ? (uint64_t)RECONNECT_MS_MIN << tries : RECONNECT_MS_MAX;
    if (span_ms > RECONNECT_MS_MAX)
        span_ms = RECONNECT_MS_MAX;
    return span_ms / 2 + random_below (&self->random, span_ms / 2 + 1);
}

void mesh_lose (mesh_t *self, peer_t *peer, unsigned tries, uint64_t now_ms, mesh_outputs_t *out)
{
    if (!mesh_is_up (peer))
        return;
    if (peer->said_up)
        mesh_output (out, MESH_PEER_LOST)->peer = peer->id;
    peer->said_up = false;
    peer->up_at_ms = MESH_NEVER;
    peer->state = peer->address_count > 0 ? PEER_LINKING : PEER_UNKNOWN;
    peer->hello_tries = tries;
    peer->hello_sent_ms = now_ms;
    peer->hello_at_ms = now_ms + s_backoff_ms (self, tries);
    peer->greeted = false;
    peer->pulling = false;
    peer->has_metrics = false;
    buffer_clear (&peer->presence); /* what it tells next is news again */
    mesh_end_fetches (self, &peer->id, ERROR_NOT_FOUND, out);
}

/* --- HELLO and WELCOME --- */

static uint64_t s_seq_seen (const mesh_t *self, const pubkey_t *id)
{
    uint64_t even = window_highest (self->windows[0], id), odd = window_highest (self->windows[1], id);
    return even > odd ? even : odd;
}

static void s_say_hello (mesh_t *self, peer_t *peer, uint64_t now_ms, uint64_t wall_ms, mesh_outputs_t *out)
{
    assert (peer->state != PEER_UNKNOWN && peer->address_count > 0);
    assert (self->members != NULL);
    if (peer->hello_tries >= MESH_RELINK_AFTER) {
        /* The next address; with one only, a new link overcomes a refusal that was final to the old one. */
        mesh_address_t first = peer->addresses[0];
        memmove (&peer->addresses[0], &peer->addresses[1], (peer->address_count - 1) * sizeof first);
        peer->addresses[peer->address_count - 1] = first;
        mesh_link (peer, out);
    }
    address_t addresses[LIMIT_ENDPOINTS];
    hello_t hello = {.to = peer->id,
                     .roster = bytes_of (self->members->packed.data, self->members->packed.size),
                     .validation_types = self->validation_types,
                     .platform = text_of (self->platform),
                     .seq_seen = s_seq_seen (self, &peer->id),
                     .publication = self->publication};
    hello.addresses.count = mesh_own_addresses (self, addresses);
    hello.addresses.items = addresses;
    peer->hellos[1] = peer->hellos[0];
    peer->told_epoch = self->members->epoch;
    peer->hellos[0] = mesh_say (self, MESH_SEND, &peer->id, NULL, MESSAGE_HELLO, &hello, wall_ms, out);
    peer->hello_sent_ms = now_ms;
    peer->hello_at_ms = now_ms + s_backoff_ms (self, ++peer->hello_tries);
}

static void s_say_welcome (mesh_t *self, const incoming_t *in)
{
    assert (in->peer != NULL && in->curve != NULL && self->members != NULL);
    address_t addresses[LIMIT_ENDPOINTS];
    welcome_t welcome = {.to = in->author,
                         .request = in->id,
                         .roster = bytes_of (self->members->packed.data, self->members->packed.size),
                         .validation_types = self->validation_types,
                         .platform = text_of (self->platform),
                         .seq_seen = s_seq_seen (self, &in->author),
                         .publication = self->publication};
    welcome.addresses.count = mesh_own_addresses (self, addresses);
    welcome.addresses.items = addresses;
    in->peer->told_epoch = self->members->epoch;
    mesh_say (self, MESH_REPLY, &in->author, in->curve, MESSAGE_WELCOME, &welcome, in->wall_ms, in->out);
}

/* A newer roster, signed by an admin that we know: the node judges whether it follows ours. */
static void s_take_roster (mesh_t *self, const incoming_t *in, bytes_t packed)
{
    assert (self->members != NULL && in->curve != NULL);
    statement_t statement;
    head_t head;
    if (statement_unpack (packed, &statement) != 0 ||
        message_head (statement.body, statement.body_size, &head) != 0 || head.kind != MESSAGE_ROSTER ||
        head.epoch <= self->members->epoch)
        return; /* most are what we have */
    pubkey_t author = statement_author (statement.seal);
    members_t *next = calloc (1, sizeof *next);
    if (next != NULL && members_is_admin (self->members, &author) &&
        mesh_take_statement (in->peer, packed.size, in->now_ms) &&
        members_open (packed, self->group, next, NULL) == 0) {
        mesh_output_t *output = mesh_output (in->out, MESH_DELIVER);
        output->peer = author;
        output->curve = *in->curve;
        buffer_append (&output->bytes, statement.body, statement.body_size);
        assert (!output->bytes.failed);
        memcpy (output->seal, statement.seal, SEAL_BYTES);
        members_clear (next);
    }
    free (next);
}

/* What a HELLO and a WELCOME say alike. */
typedef struct {
    bytes_t roster;
    const address_t *addresses;
    size_t address_count;
    uint64_t validation_types;
    text_t platform;
    uint64_t seq_seen;
    uint64_t publication;
} meeting_t;

/* We fell behind what we once said (a restored backup), and go on above it. A lie makes us skip numbers, but never run out of them.
 * HELLOs under used numbers told nothing and are said again, except to who is up: it welcomed one under a number that was good. */
static void s_jump (mesh_t *self, uint64_t seen, uint64_t now_ms)
{
    assert (seen >= self->seq && seen < UINT64_MAX - 2);
    self->seq = (seen + 1) | 1;
    for (size_t i = 0; i < self->peer_count; i++) {
        peer_t *peer = self->peers[i];
        if (mesh_is_up (peer))
            continue;
        memset (peer->hellos, 0, sizeof peer->hellos);
        peer->hello_at_ms = now_ms;
    }
}

/* True if our own numbers jumped on its word. After that one jump an honest peer has seen none above ours for long: what it
 * says again is not taken, or one liar would have us greet all others without end. */
static bool s_take_meeting (mesh_t *self, const incoming_t *in, const meeting_t *meeting)
{
    peer_t *peer = in->peer;
    s_take_roster (self, in, meeting->roster);
    mesh_take_addresses (peer, meeting->addresses, meeting->address_count, in->now_ms, in->out);
    peer->validation_types = (unsigned)meeting->validation_types;
    text_copy (meeting->platform, peer->platform, sizeof peer->platform);
    /* What the node hears of it is bounded as our own jump is. */
    uint64_t room = (UINT64_MAX - 2 - self->seq) & ~UINT64_C (1);
    peer->seq_seen = mesh_earlier (meeting->seq_seen, self->seq + mesh_earlier (room, SEQ_JUMP_MAX));
    if (peer->seq_seen < self->seq || in->now_ms < peer->jump_ms)
        return false;
    peer->jump_ms = in->now_ms + MESH_JUMP_MS;
    s_jump (self, peer->seq_seen, in->now_ms);
    return true;
}

void mesh_take_hello (mesh_t *self, const incoming_t *in)
{
    assert (in->peer != NULL && in->head.kind == MESSAGE_HELLO);
    const hello_t *hello = &in->message.as.hello;
    peer_t *peer = in->peer;
    bool was_up = mesh_is_up (peer);
    if (in->is_behind) {
        s_say_welcome (self, in); /* which tells the number to go on from */
        return;
    }
    meeting_t meeting = {hello->roster,           hello->addresses.items, hello->addresses.count,
                         hello->validation_types, hello->platform,        hello->seq_seen,
                         hello->publication};
    s_take_meeting (self, in, &meeting);
    s_say_welcome (self, in);
    if (was_up && peer->greeted)
        s_say_up (peer, in->now_ms, in->out); /* it started anew: what it forgot is to be said again */
    else if (peer->state == PEER_LINKING)
        mesh_hello_soon (peer, in->now_ms);
    peer->greeted = true;
    mesh_note_latest (self, peer, hello->publication, in);
}

void mesh_take_welcome (mesh_t *self, const incoming_t *in)
{
    assert (in->peer != NULL && in->head.kind == MESSAGE_WELCOME);
    const welcome_t *welcome = &in->message.as.welcome;
    peer_t *peer = in->peer;
    if (!digest_equal (&welcome->request, &peer->hellos[0]) &&
        !digest_equal (&welcome->request, &peer->hellos[1]))
        return;
    meeting_t meeting = {welcome->roster,           welcome->addresses.items, welcome->addresses.count,
                         welcome->validation_types, welcome->platform,        welcome->seq_seen,
                         welcome->publication};
    if (s_take_meeting (self, in, &meeting))
        return;
    if (peer->state == PEER_UNKNOWN)
        return; /* no link of ours to be up */
    peer->state = PEER_UP;
    peer->published_ms = in->now_ms;
    peer->hello_tries = 0;
    peer->hello_at_ms = MESH_NEVER;
    memset (peer->hellos, 0, sizeof peer->hellos);
    s_say_up (peer, in->now_ms, in->out);
    for (size_t i = 0; i < self->peer_count; i++)
        mesh_introduce (self->peers[i], peer, in->out);
    mesh_note_latest (self, peer, welcome->publication, in);
}

void mesh_take_ping (mesh_t *self, const incoming_t *in)
{
    pong_t pong = {.to = in->author, .request = in->id};
    mesh_say (self, MESH_REPLY, &in->author, in->curve, MESSAGE_PONG, &pong, in->wall_ms, in->out);
}

/* --- time --- */

static void s_tick_peer (mesh_t *self, peer_t *peer, uint64_t now_ms, uint64_t wall_ms, mesh_outputs_t *out)
{
    assert ((peer->state == PEER_UNKNOWN) == (peer->address_count == 0));
    if (mesh_is_up (peer) && now_ms >= peer->heard_ms + LOST_AFTER_MS)
        mesh_lose (self, peer, 0, now_ms, out);
    if (peer->state == PEER_UP && now_ms >= peer->heard_ms + SUSPECT_AFTER_MS) {
        peer->state = PEER_SUSPECT;
        peer->ping_at_ms = now_ms;
    }
    if (peer->state == PEER_SUSPECT && now_ms >= peer->ping_at_ms) {
        ping_t ping = {.to = peer->id};
        mesh_say (self, MESH_SEND, &peer->id, NULL, MESSAGE_PING, &ping, wall_ms, out);
        peer->ping_at_ms = now_ms + PRESENCE_INTERVAL_MS;
    }
    if (now_ms >= peer->up_at_ms)
        s_say_up (peer, now_ms, out);
    if (mesh_is_up (peer) && now_ms >= peer->published_ms + LOST_AFTER_MS) {
        /* It answers, but our subscription is dead. */
        peer->published_ms = now_ms;
        mesh_begin_link (peer, now_ms, out);
    }
    /* Also while it is up: a link that moved is greeted anew. */
    if (peer->state != PEER_UNKNOWN && now_ms >= peer->hello_at_ms)
        s_say_hello (self, peer, now_ms, wall_ms, out);
}

void mesh_tick_links (mesh_t *self, uint64_t now_ms, uint64_t wall_ms, mesh_outputs_t *out)
{
    if (self->peer_count > 0 && now_ms >= self->presence_at_ms) {
        mesh_say_presence (self, self->has_joined ? PRESENCE_ALIVE : PRESENCE_JOIN, wall_ms, out);
        self->has_joined = true;
        self->presence_at_ms = now_ms + PRESENCE_INTERVAL_MS;
        /* One introduction of two at random: those that were lost are made up for. */
        size_t whom = (size_t)random_below (&self->random, self->peer_count);
        mesh_introduce (self->peers[whom], self->peers[random_below (&self->random, self->peer_count)], out);
    }
    for (size_t i = 0; i < self->peer_count; i++)
        s_tick_peer (self, self->peers[i], now_ms, wall_ms, out);
}

uint64_t mesh_links_deadline_ms (const mesh_t *self)
{
    uint64_t deadline_ms = self->peer_count > 0 ? self->presence_at_ms : MESH_NEVER;
    for (size_t i = 0; i < self->peer_count; i++) {
        const peer_t *peer = self->peers[i];
        if (peer->state != PEER_UNKNOWN)
            deadline_ms = mesh_earlier (deadline_ms, peer->hello_at_ms);
        deadline_ms = mesh_earlier (deadline_ms, peer->up_at_ms);
        if (peer->state == PEER_UP)
            deadline_ms = mesh_earlier (deadline_ms, peer->heard_ms + SUSPECT_AFTER_MS);
        if (peer->state == PEER_SUSPECT)
            deadline_ms =
                mesh_earlier (deadline_ms, mesh_earlier (peer->ping_at_ms, peer->heard_ms + LOST_AFTER_MS));
    }
    return deadline_ms;
}
