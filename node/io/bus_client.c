/* SPDX-License-Identifier: MPL-2.0 */
/* The blocking client: one link in a context of its own, for commands that run without a node. */
#include "node/io/bus_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CLIENT_REFUSALS_MAX \
    3 /* a server that is only slow breaks a handshake off too; a key that is denied, always */

struct bus_client {
    void *zmq;
    void *dealer;
    void *monitor;
    unsigned refusals;
    bool denied;
    bus_reach_t reach;
};

static int s_open (bus_client_t *self, const curve_t *curve, const pubkey_t *server, const char *rpc)
{
    self->zmq = zmq_ctx_new ();
    self->dealer = self->zmq != NULL ? zmq_socket (self->zmq, ZMQ_DEALER) : NULL;
    if (self->dealer == NULL || bus_secure (self->dealer, curve, server, NULL) != 0)
        return -1;
    int ipv6 = strchr (rpc, '[') != NULL, never = 0;
    zmq_setsockopt (self->dealer, ZMQ_IPV6, &ipv6, sizeof ipv6);
    /* Only the other side breaks a handshake off: then a key that it refuses differs from a process that says nothing. */
    zmq_setsockopt (self->dealer, ZMQ_HANDSHAKE_IVL, &never, sizeof never);
    self->monitor = bus_monitor (self->zmq, self->dealer, "inproc://client-monitor",
                                 ZMQ_EVENT_CONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
                                     ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                                     ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
    return self->monitor == NULL ? -1 : zmq_connect (self->dealer, rpc);
}

bus_client_t *bus_client_new (const curve_t *curve, const pubkey_t *server, const char *rpc,
                              problem_t *problem)
{
    assert (curve != NULL && server != NULL);
    if (!bus_endpoint_ok (rpc)) {
        problem_set (problem, "%s: expected tcp://HOST:PORT", rpc);
        return NULL;
    }
    bus_client_t *self = calloc (1, sizeof *self);
    if (self == NULL) {
        problem_set (problem, "out of memory");
        return NULL;
    }
    if (s_open (self, curve, server, rpc) != 0) {
        problem_set (problem, "%s: can't connect: %s", rpc, zmq_strerror (errno));
        bus_client_destroy (&self);
    }
    return self;
}

void bus_client_destroy (bus_client_t **self_p)
{
    assert (self_p != NULL);
    bus_client_t *self = *self_p;
    if (self == NULL)
        return;
    if (self->monitor != NULL) {
        zmq_socket_monitor (self->dealer, NULL, 0);
        zmq_close (self->monitor);
    }
    if (self->dealer != NULL)
        zmq_close (self->dealer);
    if (self->zmq != NULL)
        zmq_ctx_term (self->zmq);
    free (self);
    *self_p = NULL;
}

static void s_read_monitor (bus_client_t *self)
{
    unsigned event, value;
    char address[LIMIT_ENDPOINT + 1];
    while (bus_monitor_next (self->monitor, &event, &value, address)) {
        if (event == ZMQ_EVENT_CONNECTED)
            self->reach = self->reach < BUS_REACH_HOST ? BUS_REACH_HOST : self->reach;
        else if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
            self->reach = BUS_REACH_NODE;
        else if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
            self->denied = true;
        else
            self->refusals++;
    }
}

/* Reads one message; the body is copied for the caller. */
static int s_read (bus_client_t *self, uint8_t **reply, size_t *reply_size, uint8_t reply_seal[SEAL_BYTES])
{
    zmq_msg_t frames[2], *body = &frames[0], *seal = &frames[1];
    zmq_msg_init (body);
    zmq_msg_init (seal);
    int rc = ERROR_MALFORMED;
    if (zmq_msg_recv (body, self->dealer, ZMQ_DONTWAIT) >= 0) {
        size_t count = 1;
        bool more = zmq_msg_more (body) != 0;
        for (; more; count++) {
            more = zmq_msg_recv (seal, self->dealer, ZMQ_DONTWAIT) >= 0 && zmq_msg_more (seal) != 0;
        }
        *reply_size = zmq_msg_size (body);
        if (count == 2 && zmq_msg_size (seal) == SEAL_BYTES && *reply_size > 0 &&
            *reply_size <= LIMIT_STATEMENT_BYTES) {
            *reply = malloc (*reply_size);
            rc = *reply != NULL ? 0 : ERROR_MEMORY;
        }
        if (rc == 0) {
            memcpy (*reply, zmq_msg_data (body), *reply_size);
            memcpy (reply_seal, zmq_msg_data (seal), SEAL_BYTES);
        }
    }
    zmq_msg_close (body);
    zmq_msg_close (seal);
    return rc;
}

int bus_client_ask (bus_client_t *self, const uint8_t *body, size_t body_size, const uint8_t seal[SEAL_BYTES],
                    uint64_t timeout_ms, uint8_t **reply, size_t *reply_size, uint8_t reply_seal[SEAL_BYTES])
{
    assert (self != NULL);
    assert (reply != NULL && reply_size != NULL && timeout_ms <= INT64_MAX / 2);
    *reply = NULL;
    *reply_size = 0;
    if (body != NULL) {
        int rc = bus_send_frames (self->dealer, NULL, 0, body, body_size, seal);
        if (rc != 0)
            return rc;
    }
    const int64_t deadline = zclock_mono () + (int64_t)timeout_ms;
    for (;;) {
        zmq_pollitem_t items[] = {{.socket = self->dealer, .events = ZMQ_POLLIN},
                                  {.socket = self->monitor, .events = ZMQ_POLLIN}};
        int64_t left = deadline - zclock_mono ();
        int ready = zmq_poll (items, 2, left > 0 ? (long)left : 0);
        if (ready > 0 && (items[0].revents & ZMQ_POLLIN) != 0)
            return s_read (self, reply, reply_size, reply_seal);
        if (ready > 0)
            s_read_monitor (self);
        bool linked = self->reach == BUS_REACH_NODE;
        if (self->denied || (!linked && self->refusals >= CLIENT_REFUSALS_MAX))
            return ERROR_DENIED;
        if (left <= 0)
            return linked || self->refusals == 0 ? ERROR_TIMEOUT : ERROR_DENIED;
    }
}

bus_reach_t bus_client_reach (const bus_client_t *self)
{
    assert (self != NULL);
    return self->reach;
}
