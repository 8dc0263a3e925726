/* SPDX-License-Identifier: MPL-2.0 */
/* The judgement of what arrives, cheap checks first: shape, kind, group, way, author, link, addressee, age; then the signature;
 * then the fields; then whether it was said before. Only what passes all of it has any effect. */
#include "protocol/mesh_state.h"

#include <assert.h>
#include <string.h>

#include "protocol/wire.h"

/* --- cheap checks, on bytes that nobody vouches for yet --- */

/* The addressee stands first among the fields of those kinds that have one. False if there is none to be read. */
static bool s_read_to (const incoming_t *in, pubkey_t *to)
{
    const uint8_t *at = in->statement.body, *end = at + in->statement.body_size;
    digest_t group;
    uint64_t number;
    size_t count;
    return wire_read_array (&at, end, &count) == 0 && wire_read_uint (&at, end, &number) == 0 &&
           wire_read_fixed (&at, end, group.bytes, DIGEST_BYTES) == 0 &&
           wire_read_uint (&at, end, &number) == 0 && wire_read_uint (&at, end, &number) == 0 &&
           wire_read_uint (&at, end, &number) == 0 && wire_read_array (&at, end, &count) == 0 && count > 0 &&
           wire_read_fixed (&at, end, to->bytes, PUBKEY_BYTES) == 0;
}

static bool s_is_invite (const mesh_t *self, const pubkey_t *curve)
{
    for (size_t i = 0; i < self->invite_count; i++)
        if (pubkey_equal (&self->invites[i], curve))
            return true;
    return false;
}

/* Which of the two sockets a kind comes on. A PRESENCE comes on the other one too: that is an introduction. */
static int s_judge_way (const mesh_t *self, incoming_t *in)
{
    if (in->info->class == CLASS_SIGNED)
        return ERROR_KIND;
    if (in->is_pulled)
        return in->info->way == WAY_PUB && in->info->class == CLASS_DURABLE ? 0 : ERROR_KIND;
    if (in->curve == NULL)
        return in->info->way == WAY_PUB ? 0 : ERROR_KIND;
    bool is_join = in->head.kind == MESSAGE_JOIN_REQUEST;
    if (s_is_invite (self, in->curve) != is_join)
        return ERROR_DENIED;
    in->is_introduction = in->head.kind == MESSAGE_PRESENCE;
    return in->info->way == WAY_RPC || in->is_introduction ? 0 : ERROR_KIND;
}

/* May the author speak, over that link? */
static int s_judge_author (const mesh_t *self, incoming_t *in)
{
    assert (in->info != NULL && in->info->class != CLASS_SIGNED);
    const members_t *members = self->members;
    if (members == NULL)
        return ERROR_STRANGER;
    if (pubkey_equal (&in->author, &self->identity->id))
        return ERROR_REPLAYED;
    if (in->head.kind == MESSAGE_JOIN_REQUEST)
        return 0; /* the node answers, also to say that its author was revoked */
    int at = members_find (members, &in->author);
    if (at >= 0 && members->members[at].revoked_epoch != 0)
        return ERROR_REVOKED;
    if (at < 0 || in->head.epoch < members->members[at].since_epoch)
        return ERROR_STRANGER;
    in->peer = mesh_find_peer (self, &in->author);
    assert (in->peer != NULL); /* every other live member is one */
    if (in->curve != NULL && !in->is_introduction && !pubkey_equal (in->curve, &in->peer->curve))
        return ERROR_IMPOSTOR;
    if (in->is_introduction && members_find_curve (members, in->curve) < 0)
        return ERROR_STRANGER;
    return 0;
}

static bool s_is_fresh (const incoming_t *in)
{
    uint64_t time_ms = in->head.time_ms, wall_ms = in->wall_ms;
    return (time_ms <= wall_ms ? wall_ms - time_ms : time_ms - wall_ms) <= FRESHNESS_MS;
}

static int s_judge_cheaply (const mesh_t *self, incoming_t *in)
{
    unsigned kind = statement_kind (in->statement.body, in->statement.body_size);
    if (kind == 0)
        return ERROR_MALFORMED;
    in->info = message_info (kind);
    if (in->info == NULL)
        return ERROR_KIND;
    int rc = message_head (in->statement.body, in->statement.body_size, &in->head);
    if (rc != 0)
        return rc;
    if (!digest_equal (&in->head.group, &self->group->group))
        return ERROR_GROUP;
    if ((rc = s_judge_way (self, in)) != 0 || (rc = s_judge_author (self, in)) != 0)
        return rc;
    if (in->info->way == WAY_RPC) {
        pubkey_t to;
        if (!s_read_to (in, &to))
            return ERROR_MALFORMED;
        if (!pubkey_equal (&to, &self->identity->id))
            return ERROR_ADDRESSEE;
    }
    return in->info->class == CLASS_LIVE && !s_is_fresh (in) ? ERROR_STALE : 0;
}

/* --- signature, fields, repetition --- */

/* Tells of what was proved just now, once for each member: the node keeps it. */
static void s_tell_proof (window_t *window, mesh_outputs_t *out)
{
    proof_t proof;
    if (!window_take_proof (window, &proof))
        return;
    assert (proof_holds (&proof)); /* both were verified when they came */
    mesh_output_t *output = mesh_output (out, MESH_EQUIVOCATED);
    output->peer = proof.author;
    output->number = proof.seq;
    output->bytes = proof.first; /* they are the output's now */
    output->second = proof.second;
}

/* 0, or why not; on success the message is decoded and to be cleared. */
static int s_judge (mesh_t *self, incoming_t *in)
{
    int rc = s_judge_cheaply (self, in);
    if (rc != 0)
        return rc;
    window_t *window = self->windows[in->head.seq % 2];
    in->id = statement_id (in->statement.body, in->statement.body_size, in->statement.seal);
    bool is_known =
        in->info->class == CLASS_DURABLE && window_knows (window, &in->id); /* and so was verified */
    if (!is_known && !statement_verify (in->statement.body, in->statement.body_size, in->statement.seal))
        return ERROR_SIGNATURE;
    rc = message_decode (in->statement.body, in->statement.body_size, &in->message, NULL);
    if (rc != 0)
        return rc;
    if (in->head.kind == MESSAGE_JOIN_REQUEST) {
        /* Signed by the identity that wants in, over the key of the link: neither can be used by another. */
        rc = pubkey_equal (&in->message.as.join_request.invite, in->curve) ? 0 : ERROR_IMPOSTOR;
    } else if (!in->is_introduction) {
        rc = window_hear (window, &in->statement, &in->head, &in->id, in->wall_ms);
        if (rc == ERROR_EQUIVOCATION)
            s_tell_proof (window, in->out);
        if (rc == ERROR_REPLAYED && in->info->class == CLASS_DURABLE)
            rc = 0; /* said again, as its acknowledgement was lost */
        if (rc == ERROR_STALE && in->head.kind == MESSAGE_HELLO) {
            in->is_behind = true; /* its author lost count (a restored backup), and asks us for it */
            rc = 0;
        }
    }
    if (rc != 0)
        message_clear (&in->message);
    return rc;
}

/* --- what is done with what passed --- */

void mesh_deliver (const incoming_t *in)
{
    assert (in->statement.body_size > 0 && in->statement.body_size <= LIMIT_STATEMENT_BYTES);
    mesh_output_t *output = mesh_output (in->out, MESH_DELIVER);
    output->peer = in->author;
    if (in->curve != NULL && !in->is_pulled)
        output->curve = *in->curve;
    buffer_append (&output->bytes, in->statement.body, in->statement.body_size);
    assert (!output->bytes.failed);
    memcpy (output->seal, in->statement.seal, SEAL_BYTES);
}

static void s_take_metrics (const incoming_t *in)
{
    assert (in->peer != NULL && in->head.kind == MESSAGE_METRICS);
    const metrics_message_t *metrics = &in->message.as.metrics_message;
    in->peer->has_metrics = true;
    in->peer->learning_rate = metrics->learning_rate;
    in->peer->slots = metrics->slots;
    in->peer->slots_busy = metrics->slots_busy;
}

/* Tells who says too much to slow down. */
static void s_say_busy (mesh_t *self, const incoming_t *in)
{
    assert (in->curve != NULL); /* publications have a rate of their own */
    if (in->now_ms < in->peer->busy_at_ms)
        return;
    in->peer->busy_at_ms = in->now_ms + MESH_BUSY_MS;
    mesh_say_refused (self, &in->author, in->curve, &in->id, ERROR_BUSY, in->wall_ms, in->out);
}

bool mesh_take_statement (peer_t *peer, size_t size, uint64_t now_ms)
{
    return mesh_take_tokens (&peer->statements, 1, now_ms) &&
           mesh_take_tokens (&peer->statement_bytes, size, now_ms);
}

/* What is the node's goes into its journal: no member fills that up. A joiner is bounded by its invite. */
static int s_deliver_bounded (mesh_t *self, const incoming_t *in)
{
    if (in->peer != NULL && !mesh_take_statement (in->peer, in->statement.body_size, in->now_ms)) {
        s_say_busy (self, in);
        return ERROR_BUSY;
    }
    mesh_deliver (in);
    return 0;
}

/* Only what the mesh asked for is given up when it is refused. What the node said comes again by itself, in its own time. */
static void s_take_refused (mesh_t *self, const incoming_t *in)
{
    const refused_t *refused = &in->message.as.refused;
    int code = refused->code > 0 && refused->code < MESH_CODES ? -(int)refused->code : ERROR_DENIED;
    if (!mesh_pull_refused (in->peer, &refused->request, in->now_ms))
        (void)mesh_fetch_refused (self, in, &refused->request, code);
}

/* 0, or why it is refused after all. */
static int s_take (mesh_t *self, const incoming_t *in)
{
    assert (in->peer != NULL || in->head.kind == MESSAGE_JOIN_REQUEST);
    if (in->is_introduction) {
        mesh_take_presence (self, in);
        return 0;
    }
    if (in->peer != NULL)
        mesh_heard (in->peer, in->now_ms);
    switch (in->head.kind) {
    case MESSAGE_PRESENCE: mesh_take_presence (self, in); return 0;
    case MESSAGE_METRICS: s_take_metrics (in); return 0;
    case MESSAGE_ROSTER:
    case MESSAGE_EVENT:
    case MESSAGE_KNOWLEDGE: return mesh_take_publication (self, in);
    case MESSAGE_HELLO: mesh_take_hello (self, in); return 0;
    case MESSAGE_WELCOME: mesh_take_welcome (self, in); return 0;
    case MESSAGE_PING: mesh_take_ping (self, in); return 0;
    case MESSAGE_PONG: return 0; /* heard: that is all it is for */
    case MESSAGE_FETCH: mesh_serve_fetch_request (self, in); return 0;
    case MESSAGE_CHUNK: mesh_take_chunk (self, in); return 0;
    case MESSAGE_PULL: mesh_serve_pull_request (self, in); return 0;
    case MESSAGE_PULLED: mesh_take_pulled_answer (self, in); return 0;
    case MESSAGE_REFUSED: s_take_refused (self, in); return 0;
    default: return s_deliver_bounded (self, in);
    }
}

int mesh_take_pulled (mesh_t *self, const incoming_t *around, bytes_t packed)
{
    assert (around->peer != NULL && around->head.kind == MESSAGE_PULLED);
    incoming_t in = {.curve = around->curve,
                     .is_pulled = true,
                     .now_ms = around->now_ms,
                     .wall_ms = around->wall_ms,
                     .out = around->out};
    int rc = statement_unpack (packed, &in.statement);
    if (rc != 0)
        return rc;
    in.author = statement_author (in.statement.seal);
    if (!pubkey_equal (&in.author, &around->author))
        return ERROR_IMPOSTOR;
    rc = s_judge (self, &in);
    if (rc != 0)
        return rc;
    rc = s_take (self, &in);
    message_clear (&in.message);
    return rc;
}

/* Whom a refusal is laid to: the link's owner where there is a link; else the author it claims, if that is a member. */
static void s_refuse (mesh_t *self, int code, const incoming_t *in)
{
    const pubkey_t *peer = NULL;
    if (in->curve != NULL && self->members != NULL) {
        int at = members_find_curve (self->members, in->curve);
        peer = at >= 0 ? &self->members->members[at].id : NULL;
    } else if (self->members != NULL && members_find (self->members, &in->author) >= 0)
        peer = &in->author;
    mesh_refuse (self, code, peer, in->curve, in->now_ms, in->out);
}

void mesh_receive (mesh_t *self, const pubkey_t *curve, const uint8_t *body, size_t body_size,
                   const uint8_t *seal, size_t seal_size, uint64_t now_ms, uint64_t wall_ms,
                   mesh_outputs_t *out)
{
    assert (body != NULL || body_size == 0);
    assert (seal != NULL || seal_size != SEAL_BYTES);
    incoming_t in = {.curve = curve, .now_ms = now_ms, .wall_ms = wall_ms, .out = out};
    if (body == NULL || body_size == 0 || body_size > LIMIT_STATEMENT_BYTES || seal_size != SEAL_BYTES) {
        s_refuse (self, ERROR_MALFORMED, &in);
        return;
    }
    in.statement = (statement_t){.body = body, .body_size = body_size};
    memcpy (in.statement.seal, seal, SEAL_BYTES);
    in.author = statement_author (seal);
    int rc = s_judge (self, &in);
    if (rc == 0) {
        rc = s_take (self, &in);
        message_clear (&in.message);
    }
    if (rc != 0)
        s_refuse (self, rc, &in);
}
