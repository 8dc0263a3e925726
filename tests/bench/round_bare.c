/* SPDX-License-Identifier: MPL-2.0 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "tests/bench/round.h"

#define BODY_MAX 4096
#define WAIT_MS  10000

struct bare {
    void *context;
    size_t count; /* of peers */
    void *dealers[ROUND_PEERS_MAX];
};

static void s_option (void *socket, int option, const void *value, size_t size)
{
    if (zmq_setsockopt (socket, option, value, size) != 0)
        bench_fail ("a bare socket: %s", zmq_strerror (zmq_errno ()));
}

static void s_secure (void *socket, const curve_t *curve, const pubkey_t *server)
{
    int one = 1, none = 0;
    s_option (socket, ZMQ_LINGER, &none, sizeof none);
    s_option (socket, ZMQ_CURVE_PUBLICKEY, curve->public_key.bytes, PUBKEY_BYTES);
    s_option (socket, ZMQ_CURVE_SECRETKEY, curve->secret, sizeof curve->secret);
    if (server != NULL)
        s_option (socket, ZMQ_CURVE_SERVERKEY, server->bytes, PUBKEY_BYTES);
    else
        s_option (socket, ZMQ_CURVE_SERVER, &one, sizeof one);
}

_Noreturn void bare_echo (const clan_t *clan, size_t number, board_t *board)
{
    static uint8_t id[256], body[BODY_MAX], seal[SEAL_BYTES];
    void *context = zmq_ctx_new (), *router = zmq_socket (context, ZMQ_ROUTER);
    size_t size = LIMIT_ENDPOINT + 1;
    s_secure (router, &clan->curves[number], NULL);
    if (zmq_bind (router, "tcp://127.0.0.1:*") != 0 ||
        zmq_getsockopt (router, ZMQ_LAST_ENDPOINT, board->nodes[number].bare, &size) != 0)
        bench_fail ("a bare socket can't be bound: %s", zmq_strerror (zmq_errno ()));
    atomic_store (&board->nodes[number].bare_bound, true);
    for (;;) {
        int id_size = zmq_recv (router, id, sizeof id, 0);
        int body_size = zmq_recv (router, body, sizeof body, 0);
        int seal_size = zmq_recv (router, seal, sizeof seal, 0);
        if (id_size <= 0 || body_size < (int)sizeof (uint32_t) || seal_size != SEAL_BYTES)
            bench_fail ("the bare exchange broke");
        uint32_t reply_size;
        memcpy (&reply_size, body, sizeof reply_size);
        if (zmq_send (router, id, (size_t)id_size, ZMQ_SNDMORE) < 0 ||
            zmq_send (router, body, reply_size, ZMQ_SNDMORE) < 0 ||
            zmq_send (router, seal, SEAL_BYTES, 0) < 0)
            bench_fail ("the bare exchange broke: %s", zmq_strerror (zmq_errno ()));
    }
}

bare_t *bare_new (const clan_t *clan, const board_t *board)
{
    bare_t *self = calloc (1, sizeof *self);
    assert (self != NULL);
    self->context = zmq_ctx_new ();
    self->count = clan->count - 1;
    for (size_t i = 0; i < self->count; i++) {
        self->dealers[i] = zmq_socket (self->context, ZMQ_DEALER);
        s_secure (self->dealers[i], &clan->curves[0], &clan->curves[i + 1].public_key);
        if (zmq_connect (self->dealers[i], board->nodes[i + 1].bare) != 0)
            bench_fail ("%s: %s", board->nodes[i + 1].bare, zmq_strerror (zmq_errno ()));
    }
    return self;
}

static void s_take_reply (void *dealer, size_t expected)
{
    uint8_t body[BODY_MAX], seal[SEAL_BYTES];
    int body_size = zmq_recv (dealer, body, sizeof body, 0),
        seal_size = zmq_recv (dealer, seal, sizeof seal, 0);
    if (body_size != (int)expected || seal_size != SEAL_BYTES)
        bench_fail ("a bare reply is not what was asked for");
}

/* Takes replies in until that many are there. */
static void s_gather (bare_t *self, size_t *replies, size_t needed, size_t reply_size)
{
    zmq_pollitem_t items[ROUND_PEERS_MAX];
    for (size_t i = 0; i < self->count; i++)
        items[i] = (zmq_pollitem_t){.socket = self->dealers[i], .events = ZMQ_POLLIN};
    while (*replies < needed) {
        if (zmq_poll (items, (int)self->count, WAIT_MS) <= 0)
            bench_fail ("a bare reply did not come");
        for (size_t i = 0; i < self->count; i++)
            if (items[i].revents & ZMQ_POLLIN) {
                s_take_reply (self->dealers[i], reply_size);
                ++*replies;
            }
    }
}

double bare_round (bare_t *self, size_t request_size, size_t reply_size, size_t needed)
{
    uint8_t body[BODY_MAX] = {0}, seal[SEAL_BYTES] = {0};
    uint32_t wanted = (uint32_t)reply_size;
    size_t replies = 0;
    assert (request_size <= BODY_MAX && reply_size <= BODY_MAX && needed <= self->count);
    memcpy (body, &wanted, sizeof wanted);
    double before_ms = bench_now_ms ();
    for (size_t i = 0; i < self->count; i++)
        if (zmq_send (self->dealers[i], body, request_size, ZMQ_SNDMORE) < 0 ||
            zmq_send (self->dealers[i], seal, SEAL_BYTES, 0) < 0)
            bench_fail ("a bare request can't be sent: %s", zmq_strerror (zmq_errno ()));
    s_gather (self, &replies, needed, reply_size);
    double took_ms = bench_now_ms () - before_ms;
    s_gather (self, &replies, self->count, reply_size);
    return took_ms;
}
