/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/zap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ZAP_ENDPOINT "inproc://zeromq.zap.01"
#define ZAP_VERSION  "1.0"
#define FRAMES       7   /* version, request id, domain, address, identity, mechanism, credentials */
#define TURN_MAX     64  /* questions answered before other sockets have their turn */
#define TEXT_MAX     256 /* domain, address, mechanism, request id: libzmq's are shorter */

struct zap {
    zloop_t *loop;
    void *socket; /* REP */
    zap_judge_fn *judge;
    void *judge_context;
};

typedef struct {
    char text[FRAMES][TEXT_MAX]; /* as strings, cut at their bound */
    size_t size[FRAMES];
    size_t count;
} zap_request_t;

/* Reads one request, with DONTWAIT. False if there is none. */
static bool s_read (void *socket, zap_request_t *request)
{
    memset (request, 0, sizeof *request);
    bool more = true;
    while (more) {
        zmq_msg_t frame;
        zmq_msg_init (&frame);
        if (zmq_msg_recv (&frame, socket, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close (&frame);
            return false;
        }
        if (request->count < FRAMES) {
            size_t size = zmq_msg_size (&frame);
            request->size[request->count] = size;
            memcpy (request->text[request->count], zmq_msg_data (&frame),
                    size < TEXT_MAX ? size : TEXT_MAX - 1);
        }
        request->count++;
        more = zmq_msg_more (&frame) != 0;
        zmq_msg_close (&frame);
    }
    return true;
}

static zap_status_t s_decide (const zap_t *self, const zap_request_t *request, pubkey_t *curve)
{
    if (request->count < FRAMES - 1 || strcmp (request->text[0], ZAP_VERSION) != 0)
        return ZAP_BROKEN;
    bool has_key = request->count == FRAMES && request->size[6] == PUBKEY_BYTES &&
                   strcmp (request->text[5], "CURVE") == 0;
    if (has_key)
        memcpy (curve->bytes, request->text[6], PUBKEY_BYTES);
    zap_question_t question = {request->text[2], request->text[3], has_key ? curve : NULL};
    zap_status_t status = self->judge (self->judge_context, &question);
    /* Whatever the judge says, nobody gets in without a key. */
    return status == ZAP_ADMITTED && !has_key ? ZAP_DENIED : status;
}

static void s_reply (void *socket, const zap_request_t *request, zap_status_t status, const pubkey_t *curve)
{
    assert (status != ZAP_ADMITTED || !pubkey_is_zero (curve)); /* nobody gets in without a key */
    char code[4], user[DIGEST_TEXT_BYTES] = "";
    snprintf (code, sizeof code, "%03u", (unsigned)status % 1000);
    if (status == ZAP_ADMITTED)
        pubkey_text (curve, user);
    size_t id_size = request->size[1] < TEXT_MAX ? request->size[1] : TEXT_MAX - 1;
    /* A REP never blocks on sending: the one who asked waits in this process. */
    zmq_send (socket, ZAP_VERSION, strlen (ZAP_VERSION), ZMQ_SNDMORE);
    zmq_send (socket, request->text[1], id_size, ZMQ_SNDMORE);
    zmq_send (socket, code, 3, ZMQ_SNDMORE);
    zmq_send (socket, "", 0, ZMQ_SNDMORE);
    zmq_send (socket, user, strlen (user), ZMQ_SNDMORE);
    zmq_send (socket, "", 0, 0);
}

static int s_readable (zloop_t *loop, zmq_pollitem_t *item, void *argument)
{
    (void)loop;
    (void)item;
    zap_t *self = argument;
    zap_request_t request;
    for (size_t i = 0; i < TURN_MAX && s_read (self->socket, &request); i++) {
        pubkey_t curve = {{0}};
        zap_status_t status = s_decide (self, &request, &curve);
        s_reply (self->socket, &request, status, &curve);
    }
    return 0;
}

zap_t *zap_new (void *zmq_context, zloop_t *loop, zap_judge_fn *judge, void *judge_context)
{
    assert (zmq_context != NULL && loop != NULL && judge != NULL);
    zap_t *self = calloc (1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->loop = loop;
    self->judge = judge;
    self->judge_context = judge_context;
    self->socket = zmq_socket (zmq_context, ZMQ_REP);
    if (self->socket == NULL || zmq_bind (self->socket, ZAP_ENDPOINT) != 0) {
        zap_destroy (&self);
        return NULL;
    }
    int none = 0;
    zmq_setsockopt (self->socket, ZMQ_LINGER, &none, sizeof none);
    zmq_pollitem_t item = {.socket = self->socket, .events = ZMQ_POLLIN};
    if (zloop_poller (loop, &item, s_readable, self) != 0) {
        zap_destroy (&self);
        return NULL;
    }
    zloop_poller_set_tolerant (loop, &item);
    return self;
}

void zap_destroy (zap_t **self_p)
{
    assert (self_p != NULL);
    zap_t *self = *self_p;
    if (self == NULL)
        return;
    if (self->socket != NULL) {
        zmq_pollitem_t item = {.socket = self->socket};
        zloop_poller_end (self->loop, &item);
        zmq_close (self->socket);
    }
    free (self);
    *self_p = NULL;
}
