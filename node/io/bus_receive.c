/* SPDX-License-Identifier: MPL-2.0 */
/* What arrives: frames of statements, and events of monitors. */
#include "node/io/bus_internal.h"

#include <assert.h>
#include <string.h>

#define FRAMES_MAX 3 /* [routing id or topic][body][seal] */

/* --- sessions --- */

bus_session_t *bus_find_session (bus_t *self, const pubkey_t *curve)
{
    assert (self != NULL && curve != NULL);
    for (size_t i = 0; i < self->session_count; i++)
        if (pubkey_equal (&self->sessions[i].curve, curve))
            return &self->sessions[i];
    return NULL;
}

void bus_forget_session (bus_t *self, const pubkey_t *curve)
{
    assert (self != NULL && curve != NULL);
    bus_session_t *session = bus_find_session (self, curve);
    if (session != NULL)
        *session = self->sessions[--self->session_count];
    assert (bus_find_session (self, curve) == NULL);
}

/* A routing id names the connection of whoever spoke under it last; no other key's answers go there any more. */
static void s_end_claims (bus_t *self, const pubkey_t *curve, const void *routing_id, size_t size)
{
    size_t i = 0;
    while (i < self->session_count) {
        bus_session_t *session = &self->sessions[i];
        if (session->routing_id_size == size && memcmp (session->routing_id, routing_id, size) == 0 &&
            !pubkey_equal (&session->curve, curve))
            *session = self->sessions[--self->session_count];
        else
            i++;
    }
}

static void s_remember_session (bus_t *self, const pubkey_t *curve, zmq_msg_t *routing_id)
{
    size_t size = zmq_msg_size (routing_id);
    if (size == 0 || size > BUS_ROUTING_ID_MAX)
        return;
    s_end_claims (self, curve, zmq_msg_data (routing_id), size);
    bus_session_t *session = bus_find_session (self, curve);
    if (session == NULL && self->session_count < BUS_KEYS_MAX)
        session = &self->sessions[self->session_count++];
    if (session == NULL) {
        session = &self->sessions[0];
        for (size_t i = 1; i < self->session_count; i++)
            if (self->sessions[i].used < session->used)
                session = &self->sessions[i];
    }
    assert (self->session_count > 0 && self->session_count <= BUS_KEYS_MAX);
    session->curve = *curve;
    memcpy (session->routing_id, zmq_msg_data (routing_id), size);
    session->routing_id_size = size;
    session->used = ++self->session_clock;
}

/* --- messages --- */

typedef struct {
    zmq_msg_t frames[FRAMES_MAX]; /* the first ones */
    size_t count;                 /* of all that came */
} bus_message_t;

static void s_message_close (bus_message_t *message)
{
    for (size_t i = 0; i < FRAMES_MAX && i < message->count; i++)
        zmq_msg_close (&message->frames[i]);
}

/* Reads a whole message; frames beyond the third are let go one by one. False if there is none. */
static bool s_message_read (void *socket, bus_message_t *message)
{
    message->count = 0;
    bool more = true;
    while (more) {
        zmq_msg_t surplus, *frame = message->count < FRAMES_MAX ? &message->frames[message->count] : &surplus;
        zmq_msg_init (frame);
        if (zmq_msg_recv (frame, socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close (frame);
            s_message_close (message);
            return false;
        }
        more = zmq_msg_more (frame) != 0;
        if (frame == &surplus)
            zmq_msg_close (frame);
        message->count++;
    }
    return true;
}

/* Hands the two frames from `at` on to the owner, or says that they are none. */
static void s_deliver (bus_t *self, bus_message_t *message, size_t at, const pubkey_t *curve)
{
    assert (at + 2 <= FRAMES_MAX);
    bool is_statement = message->count == at + 2;
    if (is_statement) {
        size_t body_size = zmq_msg_size (&message->frames[at]),
               seal_size = zmq_msg_size (&message->frames[at + 1]);
        is_statement = body_size > 0 && body_size <= LIMIT_STATEMENT_BYTES && seal_size == SEAL_BYTES;
    }
    if (is_statement)
        self->handler.receive (self->handler.context, curve, zmq_msg_data (&message->frames[at]),
                               zmq_msg_size (&message->frames[at]), zmq_msg_data (&message->frames[at + 1]),
                               SEAL_BYTES);
    else
        self->handler.receive (self->handler.context, curve, NULL, 0, NULL, 0);
}

/* The key that our ZAP handler gave the link of a ROUTER's message. libzmq keeps it with the frames that came over the wire, so not
 * with the routing id, which the ROUTER itself puts in front. */
static bool s_user (bus_message_t *message, pubkey_t *curve)
{
    const char *user = message->count > 1 ? zmq_msg_gets (&message->frames[1], "User-Id") : NULL;
    return user != NULL && pubkey_parse (user, curve) == 0;
}

static bool s_read_router (bus_t *self)
{
    bus_message_t message;
    if (!s_message_read (self->router, &message))
        return false;
    pubkey_t curve;
    if (!s_user (&message, &curve))
        bus_refuse (self, NULL, "rpc", "a message without a key");
    else if (bus_standing (self, &curve) != LINK_MEMBER && bus_standing (self, &curve) != LINK_INVITED)
        bus_refuse (self, &curve, "rpc", "spoke over a link that is no longer allowed");
    else {
        s_remember_session (self, &curve, &message.frames[0]);
        s_deliver (self, &message, 1, &curve);
    }
    s_message_close (&message);
    return true;
}

static bool s_read_dealer (bus_t *self, bus_link_t *link)
{
    bus_message_t message;
    if (!s_message_read (link->dealer, &message))
        return false;
    pubkey_t curve = link->curve; /* the link may be gone after the call */
    s_deliver (self, &message, 0, &curve);
    s_message_close (&message);
    return true;
}

static bool s_read_sub (bus_t *self, bus_link_t *link)
{
    bus_message_t message;
    if (!s_message_read (link->sub, &message))
        return false;
    /* Subscriptions are prefixes: a longer topic comes too, and is not ours. */
    if (zmq_msg_size (&message.frames[0]) == DIGEST_BYTES)
        s_deliver (self, &message, 1, NULL);
    else
        self->handler.receive (self->handler.context, NULL, NULL, 0, NULL, 0);
    s_message_close (&message);
    return true;
}

/* Reads one message of the `source`-th socket: the ROUTER, then DEALER and SUB of each link. */
static bool s_read_source (bus_t *self, size_t source)
{
    assert (source < 1 + 2 * self->link_count);
    if (source == 0)
        return s_read_router (self);
    size_t at = (source - 1) / 2;
    if (at >= self->link_count)
        return false;
    bus_link_t *link = self->links[at];
    return source % 2 == 1 ? s_read_dealer (self, link) : s_read_sub (self, link);
}

size_t bus_drain (bus_t *self, size_t max)
{
    assert (self != NULL);
    size_t count = 0, idle = 0;
    while (count < max && idle < 1 + 2 * self->link_count) {
        size_t source = self->next_source % (1 + 2 * self->link_count);
        self->next_source = source + 1;
        if (s_read_source (self, source)) {
            count++;
            idle = 0;
        } else
            idle++;
    }
    assert (count <= max);
    return count;
}

/* --- monitors --- */

bool bus_monitor_next (void *monitor, unsigned *event, unsigned *value, char address[LIMIT_ENDPOINT + 1])
{
    assert (event != NULL && value != NULL);
    bus_message_t message;
    if (!s_message_read (monitor, &message))
        return false;
    *event = *value = 0;
    address[0] = '\0';
    if (zmq_msg_size (&message.frames[0]) >= 6) {
        const uint8_t *data = zmq_msg_data (&message.frames[0]);
        uint16_t number;
        uint32_t detail;
        memcpy (&number, data, sizeof number);
        memcpy (&detail, data + sizeof number, sizeof detail);
        *event = number;
        *value = detail;
    }
    if (message.count > 1) {
        size_t size = zmq_msg_size (&message.frames[1]);
        size = size < LIMIT_ENDPOINT ? size : LIMIT_ENDPOINT;
        memcpy (address, zmq_msg_data (&message.frames[1]), size);
        address[size] = '\0';
    }
    s_message_close (&message);
    return true;
}

const char *bus_handshake_text (unsigned event, unsigned value)
{
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
        return value == 400 ? BUS_WHY_DENIED : "our key is not admitted there";
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL)
        return value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH ? "another security than CURVE"
                                                                   : "not a CURVE handshake";
    return "the handshake was broken off";
}
