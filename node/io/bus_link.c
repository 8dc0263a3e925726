/* SPDX-License-Identifier: MPL-2.0 */
/* Our own links to peers, and what is sent. */
#include "node/io/bus_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* --- options of a socket --- */

static int s_set (void *socket, int option, int value)
{
    return zmq_setsockopt (socket, option, &value, sizeof value);
}

static int s_bound (void *socket)
{
    const int64_t frame_max = BUS_FRAME_BYTES_MAX;
    return zmq_setsockopt (socket, ZMQ_MAXMSGSIZE, &frame_max, sizeof frame_max) != 0 ||
           s_set (socket, ZMQ_LINGER, BUS_LINGER_MS) != 0 || s_set (socket, ZMQ_SNDHWM, BUS_QUEUE_MAX) != 0 ||
           s_set (socket, ZMQ_RCVHWM, BUS_QUEUE_MAX) != 0 ||
           s_set (socket, ZMQ_HANDSHAKE_IVL, BUS_HANDSHAKE_MS) != 0 ||
           s_set (socket, ZMQ_RECONNECT_IVL, BUS_RECONNECT_MS) != 0 ||
           s_set (socket, ZMQ_RECONNECT_IVL_MAX, BUS_RECONNECT_MAX_MS) != 0 ||
           s_set (socket, ZMQ_CONNECT_TIMEOUT, BUS_CONNECT_MS) != 0 ||
           s_set (socket, ZMQ_TCP_KEEPALIVE, 1) != 0;
}

int bus_secure (void *socket, const curve_t *curve, const pubkey_t *server, const char *zap_domain)
{
    assert (curve != NULL);
    if (zmq_setsockopt (socket, ZMQ_CURVE_PUBLICKEY, curve->public_key.bytes, PUBKEY_BYTES) != 0 ||
        zmq_setsockopt (socket, ZMQ_CURVE_SECRETKEY, curve->secret, sizeof curve->secret) != 0)
        return -1;
    if (server != NULL) {
        if (zmq_setsockopt (socket, ZMQ_CURVE_SERVERKEY, server->bytes, PUBKEY_BYTES) != 0)
            return -1;
    } else if (s_set (socket, ZMQ_CURVE_SERVER, 1) != 0 ||
               zmq_setsockopt (socket, ZMQ_ZAP_DOMAIN, zap_domain, strlen (zap_domain)) != 0 ||
               s_set (socket, BUS_ZAP_ENFORCE_DOMAIN, 1) != 0)
        return -1;
    return s_bound (socket) ? -1 : 0;
}

bool bus_endpoint_ok (const char *endpoint)
{
    size_t size = strlen (endpoint);
    const char *colon = strrchr (endpoint, ':');
    if (size > LIMIT_ENDPOINT || strncmp (endpoint, "tcp://", 6) != 0 || colon < endpoint + 7)
        return false;
    char *end;
    unsigned long port = strtoul (colon + 1, &end, 10);
    return colon[1] >= '0' && colon[1] <= '9' && *end == '\0' && port >= 1 && port <= 65535;
}

/* --- links --- */

static size_t s_index (const bus_t *self, const pubkey_t *curve)
{
    size_t at = 0;
    while (at < self->link_count && !pubkey_equal (&self->links[at]->curve, curve))
        at++;
    return at;
}

bus_link_t *bus_find_link (const bus_t *self, const pubkey_t *curve)
{
    assert (self != NULL && curve != NULL);
    size_t at = s_index (self, curve);
    return at < self->link_count ? self->links[at] : NULL;
}

static void s_link_destroy (bus_t *self, bus_link_t *link)
{
    bus_end_monitor (self, link->dealer, link->monitor);
    bus_close (self, link->dealer);
    bus_close (self, link->sub);
    free (link);
}

static int s_connect (void *socket, const char *endpoint)
{
    if (s_set (socket, ZMQ_IPV6, strchr (endpoint, '[') != NULL) != 0)
        return -1;
    return zmq_connect (socket, endpoint);
}

static int s_link_open (bus_t *self, bus_link_t *link, const char *rpc, const char *pub)
{
    link->dealer = zmq_socket (self->zmq, ZMQ_DEALER);
    link->sub = zmq_socket (self->zmq, ZMQ_SUB);
    if (link->dealer == NULL || link->sub == NULL ||
        bus_secure (link->dealer, &self->curve, &link->curve, NULL) != 0 ||
        bus_secure (link->sub, &self->curve, &link->curve, NULL) != 0 ||
        zmq_setsockopt (link->sub, ZMQ_SUBSCRIBE, self->topic.bytes, DIGEST_BYTES) != 0)
        return -1;
    link->monitor = bus_watch_link (self, link->dealer);
    if (link->monitor == NULL || bus_watch (self, link->dealer) != 0 || bus_watch (self, link->sub) != 0)
        return -1;
    return s_connect (link->dealer, rpc) != 0 || s_connect (link->sub, pub) != 0 ? -1 : 0;
}

int bus_connect (bus_t *self, const pubkey_t *curve, const char *rpc, const char *pub, problem_t *problem)
{
    assert (self != NULL && curve != NULL);
    if (!bus_endpoint_ok (rpc) || !bus_endpoint_ok (pub)) {
        problem_set (problem, "%s and %s: expected tcp://HOST:PORT", rpc, pub);
        return ERROR_INPUT;
    }
    bus_disconnect (self, curve);
    if (self->link_count == LIMIT_MEMBERS) {
        problem_set (problem, "%s: %d links are open already", rpc, LIMIT_MEMBERS);
        return ERROR_BOUND;
    }
    bus_link_t *link = calloc (1, sizeof *link);
    if (link == NULL) {
        problem_set (problem, "out of memory");
        return ERROR_MEMORY;
    }
    link->curve = *curve;
    snprintf (link->rpc, sizeof link->rpc, "%s", rpc);
    if (s_link_open (self, link, rpc, pub) != 0) {
        problem_set (problem, "%s and %s: can't connect: %s", rpc, pub, zmq_strerror (errno));
        s_link_destroy (self, link);
        return ERROR_IO;
    }
    self->links[self->link_count++] = link;
    return 0;
}

void bus_disconnect (bus_t *self, const pubkey_t *curve)
{
    assert (self != NULL && curve != NULL);
    size_t at = s_index (self, curve);
    if (at == self->link_count)
        return;
    bus_link_t *link = self->links[at];
    self->links[at] = self->links[--self->link_count];
    s_link_destroy (self, link);
}

void bus_end_links (bus_t *self)
{
    assert (self != NULL);
    while (self->link_count > 0)
        s_link_destroy (self, self->links[--self->link_count]);
}

void bus_read_link_monitors (bus_t *self)
{
    assert (self != NULL);
    for (size_t i = 0; i < self->link_count; i++) {
        unsigned event, value;
        char address[LIMIT_ENDPOINT + 1];
        for (size_t n = 0; n < BUS_MONITOR_TURN && i < self->link_count; n++) {
            bus_link_t *link = self->links[i];
            if (!bus_monitor_next (link->monitor, &event, &value, address))
                break;
            pubkey_t curve = link->curve; /* the link may be gone after the call */
            bus_refuse (self, &curve, link->rpc, bus_handshake_text (event, value));
        }
    }
}

/* --- sending --- */

static int s_send_failed (void)
{
    switch (errno) {
    case EAGAIN: return ERROR_BUSY;
    case EHOSTUNREACH: return ERROR_NOT_FOUND;
    default: return ERROR_IO;
    }
}

int bus_send_frames (void *socket, const void *first, size_t first_size, const uint8_t *body,
                     size_t body_size, const uint8_t seal[SEAL_BYTES])
{
    assert (body != NULL && body_size > 0 && body_size <= LIMIT_STATEMENT_BYTES);
    const int more = ZMQ_SNDMORE | ZMQ_DONTWAIT;
    if (first != NULL && zmq_send (socket, first, first_size, more) < 0)
        return s_send_failed ();
    if (zmq_send (socket, body, body_size, more) < 0 || zmq_send (socket, seal, SEAL_BYTES, ZMQ_DONTWAIT) < 0)
        return s_send_failed ();
    return 0;
}

int bus_send (bus_t *self, const pubkey_t *curve, const uint8_t *body, size_t body_size,
              const uint8_t seal[SEAL_BYTES])
{
    assert (self != NULL && curve != NULL);
    bus_link_t *link = bus_find_link (self, curve);
    return link != NULL ? bus_send_frames (link->dealer, NULL, 0, body, body_size, seal) : ERROR_NOT_FOUND;
}

int bus_reply (bus_t *self, const pubkey_t *curve, const uint8_t *body, size_t body_size,
               const uint8_t seal[SEAL_BYTES])
{
    assert (self != NULL && curve != NULL);
    bus_session_t *session = bus_find_session (self, curve);
    if (session == NULL)
        return ERROR_NOT_FOUND;
    int rc =
        bus_send_frames (self->router, session->routing_id, session->routing_id_size, body, body_size, seal);
    if (rc == ERROR_NOT_FOUND)
        bus_forget_session (self, curve); /* that connection has ended */
    return rc;
}

int bus_publish (bus_t *self, const uint8_t *body, size_t body_size, const uint8_t seal[SEAL_BYTES])
{
    assert (self != NULL && body != NULL && seal != NULL);
    return bus_send_frames (self->publisher, self->topic.bytes, DIGEST_BYTES, body, body_size, seal);
}
