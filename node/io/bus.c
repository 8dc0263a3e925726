/* SPDX-License-Identifier: MPL-2.0 */
/* The bus itself: its life, and who may link to it. */
#include "node/io/bus_internal.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define HANDSHAKE_FAILURES (ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL)
#define SERVER_EVENTS      (HANDSHAKE_FAILURES | ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED)

/* --- who may link --- */

link_standing_t bus_standing (const bus_t *self, const pubkey_t *curve)
{
    assert (self != NULL && curve != NULL);
    for (size_t i = 0; i < self->key_count; i++)
        if (pubkey_equal (&self->keys[i].curve, curve))
            return self->keys[i].standing;
    return LINK_STRANGER;
}

void bus_refuse (bus_t *self, const pubkey_t *curve, const char *address, const char *why)
{
    assert (self != NULL);
    /* A stranger can make new keys without end, so it is told by its address. */
    bool known = curve != NULL && bus_standing (self, curve) != LINK_STRANGER;
    digest_t key = known ? digest_of_two ("key", 3, curve->bytes, PUBKEY_BYTES)
                         : digest_of_two ("address", 7, address, strlen (address));
    bool first = throttle_pass (&self->throttle, &key, (uint64_t)zclock_mono ());
    if (self->handler.refused != NULL)
        self->handler.refused (self->handler.context, curve, address, why, first);
}

static zap_status_t s_judge (void *context, const zap_question_t *question)
{
    bus_t *self = context;
    assert (self != NULL && question->domain != NULL && question->address != NULL);
    link_standing_t standing = question->curve != NULL ? bus_standing (self, question->curve) : LINK_STRANGER;
    bool is_rpc = strcmp (question->domain, ZAP_DOMAIN_RPC) == 0;
    switch (standing) {
    case LINK_MEMBER: return ZAP_ADMITTED;
    case LINK_INVITED:
        if (is_rpc)
            return ZAP_ADMITTED;
        bus_refuse (self, question->curve, question->address, "an invite is no right to publications");
        return ZAP_LATER;
    case LINK_REVOKED: bus_refuse (self, question->curve, question->address, "revoked"); return ZAP_DENIED;
    case LINK_STRANGER:
    default: bus_refuse (self, question->curve, question->address, "unknown key"); return ZAP_LATER;
    }
}

/* --- links that were made to us --- */

static void s_note_connection (bus_t *self, int fd)
{
    if (self->connection_count == self->connection_capacity) {
        size_t capacity = self->connection_capacity == 0 ? 64 : 2 * self->connection_capacity;
        int *connections = realloc (self->connections, capacity * sizeof *connections);
        assert (connections != NULL); /* a link that we lost sight of could not be ended */
        self->connections = connections;
        self->connection_capacity = capacity;
    }
    assert (fd >= 0 && self->connection_count < self->connection_capacity);
    self->connections[self->connection_count++] = fd;
}

static void s_forget_connection (bus_t *self, int fd)
{
    for (size_t i = 0; i < self->connection_count; i++)
        if (self->connections[i] == fd) {
            self->connections[i] = self->connections[--self->connection_count];
            return;
        }
}

static void s_read_monitor (bus_t *self, void *monitor)
{
    unsigned event, value;
    char address[LIMIT_ENDPOINT + 1];
    while (bus_monitor_next (monitor, &event, &value, address)) {
        if (event == ZMQ_EVENT_ACCEPTED)
            s_note_connection (self, (int)value);
        else if (event == ZMQ_EVENT_DISCONNECTED)
            s_forget_connection (self, (int)value);
        else
            bus_refuse (self, NULL, address, bus_handshake_text (event, value));
    }
}

/* True if `fd` is, still, a connection that came in at one of our ports. */
static bool s_is_ours (const bus_t *self, int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getsockname (fd, (struct sockaddr *)&address, &size) != 0)
        return false;
    unsigned port = 0;
    if (address.ss_family == AF_INET)
        port = ntohs (((const struct sockaddr_in *)(const void *)&address)->sin_port);
    else if (address.ss_family == AF_INET6)
        port = ntohs (((const struct sockaddr_in6 *)(const void *)&address)->sin6_port);
    for (size_t i = 0; i < self->port_count; i++)
        if (port != 0 && self->ports[i] == port)
            return true;
    return false;
}

/* Ends every link that was made to us: ZAP is asked only at the handshake, so that is the only way to end one of them, and
 * members come back by themselves. TCP is shut down under libzmq. Unbinding would end the links too, but libzmq 4.3 then
 * aborts the process if such a link breaks with a statement half sent, as whoever is thrown out can arrange. */
static void s_drop_links (bus_t *self)
{
    s_read_monitor (self, self->router_monitor);
    s_read_monitor (self, self->publisher_monitor);
    for (size_t i = 0; i < self->connection_count; i++)
        if (s_is_ours (self, self->connections[i]))
            shutdown (self->connections[i], SHUT_RDWR);
}

void bus_set_standing (bus_t *self, const pubkey_t *curve, link_standing_t standing)
{
    assert (self != NULL && curve != NULL && (unsigned)standing <= LINK_REVOKED);
    size_t at = 0;
    while (at < self->key_count && !pubkey_equal (&self->keys[at].curve, curve))
        at++;
    link_standing_t before = at < self->key_count ? self->keys[at].standing : LINK_STRANGER;
    if (standing == LINK_STRANGER) {
        if (at < self->key_count)
            self->keys[at] = self->keys[--self->key_count];
    } else {
        if (at == BUS_KEYS_MAX)
            return; /* more than a roster and its invites hold: who comes beyond stays a stranger */
        self->keys[at] = (bus_key_t){*curve, standing};
        if (at == self->key_count)
            self->key_count++;
    }
    assert (self->key_count <= BUS_KEYS_MAX && bus_standing (self, curve) == standing);
    if (before == LINK_MEMBER && standing != LINK_MEMBER) {
        bus_forget_session (self, curve);
        bus_disconnect (self, curve);
        s_drop_links (self);
    }
}

/* --- failed handshakes --- */

static int s_monitors_readable (zloop_t *loop, zmq_pollitem_t *item, void *argument)
{
    (void)loop;
    (void)item; /* may have been closed meanwhile: all are read, and none is asked for by this */
    bus_t *self = argument;
    s_read_monitor (self, self->router_monitor);
    s_read_monitor (self, self->publisher_monitor);
    bus_read_link_monitors (self);
    return 0;
}

void *bus_monitor (void *zmq, void *socket, const char *name, int events)
{
    if (zmq_socket_monitor (socket, name, events) != 0)
        return NULL;
    void *monitor = zmq_socket (zmq, ZMQ_PAIR);
    int none = 0;
    if (monitor == NULL)
        return NULL;
    zmq_setsockopt (monitor, ZMQ_LINGER, &none, sizeof none);
    /* No mark: at one, libzmq's I/O thread would wait for us to read, and the whole bus with it. */
    zmq_setsockopt (monitor, ZMQ_RCVHWM, &none, sizeof none);
    if (zmq_connect (monitor, name) != 0) {
        zmq_close (monitor);
        return NULL;
    }
    return monitor;
}

static void *s_watch_monitor (bus_t *self, void *socket, int events)
{
    char name[64];
    snprintf (name, sizeof name, "inproc://monitor-%u", self->monitor_count++);
    void *monitor = bus_monitor (self->zmq, socket, name, events);
    zmq_pollitem_t item = {.socket = monitor, .events = ZMQ_POLLIN};
    if (monitor == NULL || zloop_poller (self->loop, &item, s_monitors_readable, self) != 0) {
        zmq_socket_monitor (socket, NULL, 0);
        if (monitor != NULL)
            zmq_close (monitor);
        return NULL;
    }
    zloop_poller_set_tolerant (self->loop, &item);
    return monitor;
}

void bus_end_monitor (bus_t *self, void *socket, void *monitor)
{
    assert (self != NULL);
    if (monitor != NULL)
        zmq_socket_monitor (socket, NULL, 0);
    bus_close (self, monitor);
}

void *bus_watch_link (bus_t *self, void *dealer)
{
    assert (self != NULL);
    return s_watch_monitor (self, dealer, HANDSHAKE_FAILURES | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
}

/* --- life --- */

static int s_readable (zloop_t *loop, zmq_pollitem_t *item, void *argument)
{
    (void)loop;
    (void)item; /* may have been closed by what ran before in this pass */
    bus_t *self = argument;
    if (self->handler.readable != NULL)
        self->handler.readable (self->handler.context);
    return 0;
}

int bus_watch (bus_t *self, void *socket)
{
    assert (self != NULL);
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
    if (zloop_poller (self->loop, &item, s_readable, self) != 0)
        return ERROR_IO;
    zloop_poller_set_tolerant (self->loop, &item);
    return 0;
}

void bus_close (bus_t *self, void *socket)
{
    assert (self != NULL);
    if (socket == NULL)
        return;
    zmq_pollitem_t item = {.socket = socket};
    zloop_poller_end (self->loop, &item);
    zmq_close (socket);
}

/* ROUTER and PUB, secured but not bound. */
static int s_open (bus_t *self)
{
    int on = 1;
    self->router = zmq_socket (self->zmq, ZMQ_ROUTER);
    self->publisher = zmq_socket (self->zmq, ZMQ_PUB);
    if (self->router == NULL || self->publisher == NULL)
        return -1;
    /* Without it the ROUTER drops what it can't deliver, and says so to nobody. */
    if (zmq_setsockopt (self->router, ZMQ_ROUTER_MANDATORY, &on, sizeof on) != 0 ||
        bus_secure (self->router, &self->curve, NULL, ZAP_DOMAIN_RPC) != 0 ||
        bus_secure (self->publisher, &self->curve, NULL, ZAP_DOMAIN_PUB) != 0)
        return -1;
    int mark = BUS_PUBLISH_MAX;
    zmq_setsockopt (self->publisher, ZMQ_SNDHWM, &mark, sizeof mark);
    self->router_monitor = s_watch_monitor (self, self->router, SERVER_EVENTS);
    self->publisher_monitor = s_watch_monitor (self, self->publisher, SERVER_EVENTS);
    if (self->router_monitor == NULL || self->publisher_monitor == NULL)
        return -1;
    return bus_watch (self, self->router);
}

bus_t *bus_new (zloop_t *loop, const curve_t *curve, const digest_t *topic, const bus_handler_t *handler,
                problem_t *problem)
{
    assert (loop != NULL && curve != NULL && topic != NULL && handler != NULL && handler->receive != NULL);
    bus_t *self = calloc (1, sizeof *self);
    if (self == NULL) {
        problem_set (problem, "out of memory");
        return NULL;
    }
    self->loop = loop;
    self->curve = *curve;
    self->topic = *topic;
    self->handler = *handler;
    self->zmq = zmq_ctx_new ();
    /* The ZAP handler stands before anything binds: without one, CURVE admits everyone. */
    self->zap = self->zmq != NULL ? zap_new (self->zmq, loop, s_judge, self) : NULL;
    if (self->zap == NULL || s_open (self) != 0) {
        problem_set (problem, "the sockets of the bus can't be made: %s", zmq_strerror (errno));
        bus_destroy (&self);
    }
    return self;
}

void bus_destroy (bus_t **self_p)
{
    assert (self_p != NULL);
    bus_t *self = *self_p;
    if (self == NULL)
        return;
    bus_end_links (self);
    bus_end_monitor (self, self->router, self->router_monitor);
    bus_end_monitor (self, self->publisher, self->publisher_monitor);
    bus_close (self, self->router);
    bus_close (self, self->publisher);
    zap_destroy (&self->zap);
    if (self->zmq != NULL)
        zmq_ctx_term (self->zmq);
    curve_wipe (&self->curve);
    free (self->connections);
    free (self);
    *self_p = NULL;
}
