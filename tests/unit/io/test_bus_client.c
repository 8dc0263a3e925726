/* SPDX-License-Identifier: MPL-2.0 */
/* The blocking client, against a bus that runs in a thread of its own. */
#include "tests/lib/station.h"
#include "tests/lib/suite.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>

#define SOON_MS    300
#define SILENCE_MS 5000 /* in which a refused key would have been told as such */

static const uint8_t s_body[] = {0x92, 0x01, 0x02};
static const uint8_t s_seal[SEAL_BYTES] = {5};

/* A node that answers what it hears with the same bytes. */
typedef struct {
    pthread_t thread;
    link_standing_t standing; /* of the client's key */
    curve_t client;
    curve_t server;
    char rpc[LIMIT_ENDPOINT + 1];
    pthread_barrier_t ready;
    atomic_bool stop;
    bus_t *bus;
} echo_t;

static void s_readable (void *context)
{
    bus_drain (((echo_t *)context)->bus, 16);
}

static void s_receive (void *context, const pubkey_t *curve, const uint8_t *body, size_t body_size,
                       const uint8_t *seal, size_t seal_size)
{
    echo_t *self = context;
    if (body != NULL && seal_size == SEAL_BYTES && curve != NULL)
        bus_reply (self->bus, curve, body, body_size, seal);
}

static int s_look (zloop_t *loop, int timer, void *context)
{
    (void)loop;
    (void)timer;
    return atomic_load (&((echo_t *)context)->stop) ? -1 : 0;
}

static void *s_serve (void *context)
{
    echo_t *self = context;
    zloop_t *loop = zloop_new ();
    char pub[LIMIT_ENDPOINT + 1];
    digest_t topic = station_topic ();
    bus_handler_t handler = {s_readable, s_receive, NULL, self};
    self->bus = bus_new (loop, &self->server, &topic, &handler, NULL);
    bus_set_standing (self->bus, &self->client.public_key, self->standing);
    int rc = bus_bind (self->bus, "tcp://127.0.0.1:*", self->rpc, pub, NULL);
    pthread_barrier_wait (&self->ready);
    if (rc == 0) {
        zloop_timer (loop, 2, 0, s_look, self);
        zloop_start (loop);
    }
    bus_destroy (&self->bus);
    zloop_destroy (&loop);
    return NULL;
}

static void s_start (echo_t *self, link_standing_t standing)
{
    memset (self, 0, sizeof *self);
    self->standing = standing;
    self->client = station_curve (1);
    self->server = station_curve (2);
    pthread_barrier_init (&self->ready, NULL, 2);
    ck_assert_int_eq (pthread_create (&self->thread, NULL, s_serve, self), 0);
    pthread_barrier_wait (&self->ready);
    ck_assert_str_ne (self->rpc, "");
}

static void s_stop (echo_t *self)
{
    atomic_store (&self->stop, true);
    pthread_join (self->thread, NULL);
    pthread_barrier_destroy (&self->ready);
}

/* Asks once; the answer must be the question if there is one. */
static int s_ask (const curve_t *curve, const pubkey_t *server, const char *rpc, uint64_t timeout_ms)
{
    bus_client_t *client = bus_client_new (curve, server, rpc, NULL);
    ck_assert_ptr_nonnull (client);
    uint8_t *reply, seal[SEAL_BYTES];
    size_t size;
    int rc = bus_client_ask (client, s_body, sizeof s_body, s_seal, timeout_ms, &reply, &size, seal);
    if (rc == 0) {
        ck_assert_uint_eq (size, sizeof s_body);
        ck_assert_mem_eq (reply, s_body, sizeof s_body);
        ck_assert_mem_eq (seal, s_seal, SEAL_BYTES);
        uint8_t *second;
        ck_assert_int_eq (bus_client_ask (client, NULL, 0, NULL, 1, &second, &size, seal), ERROR_TIMEOUT);
        ck_assert_ptr_null (second);
        free (reply);
    } else
        ck_assert_ptr_null (reply);
    bus_client_destroy (&client);
    ck_assert_ptr_null (client);
    return rc;
}

START_TEST (test_an_invited_client_is_answered)
{
    echo_t echo;
    s_start (&echo, LINK_INVITED);
    ck_assert_int_eq (s_ask (&echo.client, &echo.server.public_key, echo.rpc, STATION_WAIT_MS), 0);
    s_stop (&echo);
}
END_TEST

START_TEST (test_a_refused_key_is_told_from_a_silent_host)
{
    echo_t echo;
    s_start (&echo, LINK_STRANGER);
    ck_assert_int_eq (s_ask (&echo.client, &echo.server.public_key, echo.rpc, STATION_WAIT_MS), ERROR_DENIED);
    s_stop (&echo);
    s_start (&echo, LINK_REVOKED);
    ck_assert_int_eq (s_ask (&echo.client, &echo.server.public_key, echo.rpc, STATION_WAIT_MS), ERROR_DENIED);
    s_stop (&echo);
    ck_assert_int_eq (s_ask (&echo.client, &echo.server.public_key, "tcp://127.0.0.1:1", SOON_MS),
                      ERROR_TIMEOUT);
}
END_TEST

START_TEST (test_a_server_with_another_key_is_a_refusal)
{
    echo_t echo;
    s_start (&echo, LINK_INVITED);
    ck_assert_int_eq (s_ask (&echo.client, &echo.client.public_key, echo.rpc, STATION_WAIT_MS), ERROR_DENIED);
    s_stop (&echo);
}
END_TEST

/* Asks an address that gives no answer; how far that came. */
static bus_reach_t s_reach (const char *rpc, uint64_t timeout_ms)
{
    curve_t curve = station_curve (1);
    bus_client_t *client = bus_client_new (&curve, &curve.public_key, rpc, NULL);
    ck_assert_ptr_nonnull (client);
    ck_assert_int_eq (bus_client_reach (client), BUS_REACH_NOWHERE);
    uint8_t *reply, seal[SEAL_BYTES];
    size_t size;
    ck_assert_int_eq (bus_client_ask (client, s_body, sizeof s_body, s_seal, timeout_ms, &reply, &size, seal),
                      ERROR_TIMEOUT);
    bus_reach_t reach = bus_client_reach (client);
    bus_client_destroy (&client);
    return reach;
}

START_TEST (test_a_host_whose_node_is_stopped_differs_from_one_where_nothing_listens_and_from_a_refusal)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    char rpc[LIMIT_ENDPOINT + 1];
    int listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* takes connections, and never speaks */
    ck_assert_int_eq (bind (listener, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq (getsockname (listener, (struct sockaddr *)&address, &size), 0);
    snprintf (rpc, sizeof rpc, "tcp://127.0.0.1:%d", ntohs (address.sin_port));
    ck_assert_int_eq (s_reach (rpc, SOON_MS), BUS_REACH_NOWHERE); /* bound, but not listening yet */
    ck_assert_int_eq (listen (listener, 8), 0);
    ck_assert_int_eq (s_reach (rpc, SILENCE_MS), BUS_REACH_HOST);
    close (listener);
}
END_TEST

START_TEST (test_an_address_that_can_not_be_is_said)
{
    curve_t curve = station_curve (1);
    problem_t problem = {""};
    ck_assert_ptr_null (bus_client_new (&curve, &curve.public_key, "127.0.0.1:5", &problem));
    ck_assert_ptr_nonnull (strstr (problem.text, "expected tcp://HOST:PORT"));
}
END_TEST

START_TEST (test_an_answer_that_is_no_statement_is_malformed)
{
    curve_t curve = station_curve (1), server = station_curve (2);
    void *zmq = zmq_ctx_new (), *peer = zmq_socket (zmq, ZMQ_DEALER);
    int on = 1, none = 0;
    zmq_setsockopt (peer, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt (peer, ZMQ_CURVE_SERVER, &on, sizeof on);
    zmq_setsockopt (peer, ZMQ_CURVE_SECRETKEY, server.secret, PUBKEY_BYTES);
    ck_assert_int_eq (zmq_bind (peer, "tcp://127.0.0.1:*"), 0);
    char rpc[LIMIT_ENDPOINT + 1];
    size_t size = sizeof rpc;
    zmq_getsockopt (peer, ZMQ_LAST_ENDPOINT, rpc, &size);
    const size_t short_seal[] = {3, SEAL_BYTES - 1}, three[] = {3, SEAL_BYTES, 1};
    bus_client_t *client = bus_client_new (&curve, &server.public_key, rpc, NULL);
    uint8_t *reply, seal[SEAL_BYTES];
    size_t reply_size;
    int64_t deadline = zclock_mono () + STATION_WAIT_MS;
    while (!station_send_frames (peer, short_seal, 2, 1) && zclock_mono () < deadline)
        continue; /* until the client has connected */
    ck_assert (station_send_frames (peer, three, 3, 1));
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq (bus_client_ask (client, NULL, 0, NULL, STATION_WAIT_MS, &reply, &reply_size, seal),
                          ERROR_MALFORMED);
    ck_assert_ptr_null (reply);
    bus_client_destroy (&client);
    zmq_close (peer);
    zmq_ctx_term (zmq);
}
END_TEST

SUITE_MAIN ("io/bus_client", test_an_invited_client_is_answered,
            test_a_refused_key_is_told_from_a_silent_host, test_a_server_with_another_key_is_a_refusal,
            test_a_host_whose_node_is_stopped_differs_from_one_where_nothing_listens_and_from_a_refusal,
            test_an_address_that_can_not_be_is_said, test_an_answer_that_is_no_statement_is_malformed)
