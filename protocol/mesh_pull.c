/* SPDX-License-Identifier: MPL-2.0 */
/* Publications: an unbroken row of each author. PUB drops silently; a number that is ahead of the next shows the gap, and what
 * is missing is pulled from its author, one request under way at a time. */
#include "protocol/mesh_state.h"

#include <assert.h>

/* 0 for a message that is no publication. */
static uint64_t s_number (const message_t *message)
{
    switch (message->head.kind) {
    case MESSAGE_ROSTER: return message->as.roster.publication;
    case MESSAGE_EVENT: return message->as.event_message.publication;
    case MESSAGE_KNOWLEDGE: return message->as.knowledge.publication;
    default: return 0;
    }
}

static bool s_lacks (const peer_t *peer)
{
    return peer->latest >= peer->next;
}

static void s_pull (mesh_t *self, peer_t *peer, uint64_t now_ms, uint64_t wall_ms, mesh_outputs_t *out)
{
    assert (!peer->pulling && s_lacks (peer) && mesh_is_up (peer));
    /* Not before there is room for all that the answer may hold. */
    uint64_t for_all_ms = mesh_tokens_at_ms (&peer->publications, LIMIT_PULL);
    uint64_t for_bytes_ms = mesh_tokens_at_ms (&peer->publication_bytes, LIMIT_STATEMENT_BYTES);
    uint64_t room_at_ms = for_all_ms > for_bytes_ms ? for_all_ms : for_bytes_ms;
    if (room_at_ms > now_ms) {
        peer->pull_at_ms = room_at_ms;
        return;
    }
    pull_t pull = {.to = peer->id, .from = peer->next};
    peer->pull = mesh_say (self, MESH_SEND, &peer->id, NULL, MESSAGE_PULL, &pull, wall_ms, out);
    peer->pulling = true;
    peer->pull_at_ms = now_ms + MESH_RETRY_MS;
}

/* A pull gave nothing: the next one waits, twice as long each time. */
static void s_back_off (peer_t *peer, uint64_t now_ms)
{
    uint64_t wait = peer->pull_tries < 16 ? (uint64_t)MESH_PULL_MS_MIN << peer->pull_tries : MESH_PULL_MS_MAX;
    peer->pulling = false;
    peer->pull_tries++;
    peer->pull_at_ms = now_ms + mesh_earlier (wait, MESH_PULL_MS_MAX);
}

void mesh_tick_pull (mesh_t *self, peer_t *peer, uint64_t now_ms, uint64_t wall_ms, mesh_outputs_t *out)
{
    if (peer->pulling && now_ms >= peer->pull_at_ms)
        s_back_off (peer, now_ms);
    if (!peer->pulling && s_lacks (peer) && mesh_is_up (peer) && now_ms >= peer->pull_at_ms)
        s_pull (self, peer, now_ms, wall_ms, out);
}

uint64_t mesh_pull_deadline_ms (const peer_t *peer)
{
    return peer->pulling || (s_lacks (peer) && mesh_is_up (peer)) ? peer->pull_at_ms : MESH_NEVER;
}

void mesh_note_latest (mesh_t *self, peer_t *peer, uint64_t latest, const incoming_t *in)
{
    if (latest > peer->latest)
        peer->latest = latest;
    mesh_tick_pull (self, peer, in->now_ms, in->wall_ms, in->out);
}

int mesh_take_publication (mesh_t *self, const incoming_t *in)
{
    assert (in->peer != NULL && in->info->way == WAY_PUB);
    peer_t *peer = in->peer;
    uint64_t number = s_number (&in->message);
    if (number == 0 || number == UINT64_MAX)
        return ERROR_MALFORMED;
    if (number < peer->next)
        return 0; /* had before */
    /* What its author sends to fill a gap goes on where it goes on: what lies between, nobody has any more. */
    int rc = 0;
    if (number == peer->next || in->is_pulled) {
        if (mesh_take_tokens (&peer->publications, 1, in->now_ms) &&
            mesh_take_tokens (&peer->publication_bytes, in->statement.body_size, in->now_ms)) {
            mesh_deliver (in);
            peer->next = number + 1;
        } else
            rc = ERROR_BUSY; /* it is pulled when there is room */
    }
    if (!in->is_pulled)
        mesh_note_latest (self, peer, number, in);
    return rc;
}

/* Its author sent a statement that is refused for good: the row goes on behind it, so that nothing else is lost. */
static void s_pass_over (peer_t *peer, bytes_t packed, uint64_t now_ms)
{
    assert (peer->next > 0 && peer->next < UINT64_MAX);
    statement_t statement;
    message_t message = {0};
    uint64_t number = peer->next;
    if (statement_unpack (packed, &statement) == 0 &&
        message_decode (statement.body, statement.body_size, &message, NULL) == 0) {
        uint64_t told = s_number (&message);
        if (told > number && told < UINT64_MAX)
            number = told;
        message_clear (&message);
    }
    peer->next = number + 1;
    /* So that a row of such is no faster than a good one. */
    (void)mesh_take_tokens (&peer->publications, 1, now_ms);
}

/* May the same bytes be taken another time? */
static bool s_is_for_now (int code)
{
    return code == ERROR_BUSY || code == ERROR_MEMORY || code == ERROR_BOUND;
}

void mesh_take_pulled_answer (mesh_t *self, const incoming_t *in)
{
    const pulled_t *pulled = &in->message.as.pulled;
    peer_t *peer = in->peer;
    if (!peer->pulling || !digest_equal (&pulled->request, &peer->pull))
        return; /* answer to an earlier one, which was given up */
    uint64_t before = peer->next;
    for (size_t i = 0; i < pulled->statements.count; i++) {
        int rc = mesh_take_pulled (self, in, pulled->statements.items[i].bytes);
        if (rc == 0)
            continue;
        mesh_refuse (self, rc, &peer->id, in->curve, in->now_ms, in->out);
        if (s_is_for_now (rc))
            break; /* what follows it would leave a hole */
        s_pass_over (peer, pulled->statements.items[i].bytes, in->now_ms);
    }
    peer->latest = pulled->last; /* its own word, after what made us ask */
    if (peer->next > before) {
        peer->pulling = false;
        peer->pull_tries = 0;
        peer->pull_at_ms = in->now_ms;
    } else
        s_back_off (peer, in->now_ms);
    mesh_tick_pull (self, peer, in->now_ms, in->wall_ms, in->out);
}

bool mesh_pull_refused (peer_t *peer, const digest_t *request, uint64_t now_ms)
{
    if (!peer->pulling || !digest_equal (request, &peer->pull))
        return false;
    s_back_off (peer, now_ms);
    return true;
}

/* --- the other side --- */

void mesh_serve_pull_request (mesh_t *self, const incoming_t *in)
{
    assert (in->peer != NULL && in->curve != NULL);
    if (!mesh_take_tokens (&in->peer->served, 1, in->now_ms)) {
        mesh_say_refused (self, &in->author, in->curve, &in->id, ERROR_BUSY, in->wall_ms, in->out);
        return;
    }
    mesh_output_t *output = mesh_output (in->out, MESH_SERVE_PULL);
    output->peer = in->author;
    output->curve = *in->curve;
    output->request = in->id;
    output->number = in->message.as.pull.from;
}

void mesh_serve_pull (mesh_t *self, const mesh_output_t *asked, const bytes_t *packed, size_t count,
                      uint64_t last, uint64_t wall_ms, mesh_outputs_t *out)
{
    assert (asked->kind == MESH_SERVE_PULL);
    enum { ROOM = LIMIT_STATEMENT_BYTES - 1024, PER_BLOB = 8 }; /* beside head and list; of array and size */
    pubkey_t curve = asked->curve; /* copies: `asked` may stand in the list that grows here */
    blob_t blobs[LIMIT_PULL];
    size_t used = 0, fits = 0;
    while (fits < count && fits < LIMIT_PULL && used + packed[fits].size + PER_BLOB <= ROOM) {
        used += packed[fits].size + PER_BLOB;
        blobs[fits] = (blob_t){.bytes = packed[fits]};
        fits++;
    }
    assert (fits <= count && used <= ROOM);
    pulled_t pulled = {.to = asked->peer, .request = asked->request, .last = last};
    pulled.statements.items = blobs;
    pulled.statements.count = fits;
    mesh_say (self, MESH_REPLY, &pulled.to, &curve, MESSAGE_PULLED, &pulled, wall_ms, out);
}
