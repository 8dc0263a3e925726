/* SPDX-License-Identifier: MPL-2.0 */
/* What the bus carries, and where it listens. */
#include "tests/lib/station.h"
#include "tests/lib/suite.h"

static const uint8_t s_body[] = {0x93, 0x07, 0x01, 0x02};
static const uint8_t s_seal[SEAL_BYTES] = {1};

typedef struct {
    zloop_t *loop;
    station_t a;
    station_t b;
} pair_t;

static void s_start (pair_t *pair)
{
    pair->loop = zloop_new ();
    station_start (&pair->a, pair->loop, 1);
    station_start (&pair->b, pair->loop, 2);
}

static void s_stop (pair_t *pair)
{
    station_stop (&pair->a);
    station_stop (&pair->b);
    zloop_destroy (&pair->loop);
}

static void s_say (station_t *from, const station_t *to)
{
    ck_assert_int_eq (bus_send (from->bus, &to->curve.public_key, s_body, sizeof s_body, s_seal), 0);
}

START_TEST (test_a_statement_comes_with_the_key_of_its_link_and_is_answered_on_it)
{
    pair_t pair;
    s_start (&pair);
    station_befriend (&pair.a, &pair.b);
    station_link (&pair.a, &pair.b);
    s_say (&pair.a, &pair.b);
    ck_assert (station_run_until (pair.loop, &pair.b.received, 1));
    ck_assert_uint_eq (pair.b.last_size, sizeof s_body);
    ck_assert_mem_eq (pair.b.last_body, s_body, sizeof s_body);
    ck_assert (pubkey_equal (&pair.b.last_curve, &pair.a.curve.public_key));
    ck_assert_int_eq (bus_reply (pair.b.bus, &pair.a.curve.public_key, s_body, sizeof s_body, s_seal), 0);
    ck_assert (station_run_until (pair.loop, &pair.a.received, 1));
    ck_assert (pubkey_equal (&pair.a.last_curve, &pair.b.curve.public_key));
    s_stop (&pair);
}
END_TEST

static bool s_heard (void *context)
{
    pair_t *pair = context;
    /* A subscription takes a moment to reach the publisher, and PUB tells nobody what it drops before. */
    bus_publish (pair->a.bus, s_body, sizeof s_body, s_seal);
    return pair->b.published > 0;
}

START_TEST (test_publications_reach_subscribers)
{
    pair_t pair;
    s_start (&pair);
    station_befriend (&pair.a, &pair.b);
    station_link (&pair.b, &pair.a);
    ck_assert (station_run (pair.loop, s_heard, &pair));
    ck_assert_mem_eq (pair.b.last_body, s_body, sizeof s_body);
    s_stop (&pair);
}
END_TEST

/* One SUB for all peers would link to an endpoint once, whoever's it is, and never to its owner. */
START_TEST (test_a_member_that_claims_anothers_address_does_not_silence_it)
{
    pair_t pair;
    s_start (&pair);
    station_befriend (&pair.a, &pair.b);
    curve_t liar = station_curve (3);
    bus_set_standing (pair.b.bus, &liar.public_key, LINK_MEMBER);
    ck_assert_int_eq (bus_connect (pair.b.bus, &liar.public_key, pair.a.rpc, pair.a.pub, NULL), 0);
    station_link (&pair.b, &pair.a);
    ck_assert (station_run (pair.loop, s_heard, &pair));
    bus_disconnect (pair.b.bus, &liar.public_key);
    pair.b.published = 0;
    ck_assert (station_run (pair.loop, s_heard, &pair));
    s_stop (&pair);
}
END_TEST

START_TEST (test_nothing_is_sent_where_there_is_no_link)
{
    pair_t pair;
    s_start (&pair);
    ck_assert_int_eq (bus_send (pair.a.bus, &pair.b.curve.public_key, s_body, sizeof s_body, s_seal),
                      ERROR_NOT_FOUND);
    ck_assert_int_eq (bus_reply (pair.a.bus, &pair.b.curve.public_key, s_body, sizeof s_body, s_seal),
                      ERROR_NOT_FOUND);
    station_befriend (&pair.a, &pair.b);
    station_link (&pair.a, &pair.b);
    bus_disconnect (pair.a.bus, &pair.b.curve.public_key);
    ck_assert_int_eq (bus_send (pair.a.bus, &pair.b.curve.public_key, s_body, sizeof s_body, s_seal),
                      ERROR_NOT_FOUND);
    s_stop (&pair);
}
END_TEST

/* A ROUTER without ZMQ_ROUTER_MANDATORY drops such an answer in silence. */
START_TEST (test_an_answer_to_an_ended_connection_is_told)
{
    pair_t pair;
    s_start (&pair);
    station_befriend (&pair.a, &pair.b);
    station_link (&pair.a, &pair.b);
    s_say (&pair.a, &pair.b);
    ck_assert (station_run_until (pair.loop, &pair.b.received, 1));
    bus_disconnect (pair.a.bus, &pair.b.curve.public_key);
    int64_t deadline = zclock_mono () + STATION_WAIT_MS;
    int rc;
    do
        rc = bus_reply (pair.b.bus, &pair.a.curve.public_key, s_body, sizeof s_body, s_seal);
    while (rc == 0 && zclock_mono () < deadline);
    ck_assert (rc == ERROR_NOT_FOUND || rc == ERROR_BUSY);
    s_stop (&pair);
}
END_TEST

START_TEST (test_sending_to_a_peer_that_is_not_there_never_blocks_and_ends_as_busy)
{
    pair_t pair;
    s_start (&pair);
    curve_t absent = station_curve (9);
    ck_assert_int_eq (
        bus_connect (pair.a.bus, &absent.public_key, "tcp://127.0.0.1:1", "tcp://127.0.0.1:1", NULL), 0);
    int rc = 0;
    size_t sent = 0;
    while (rc == 0 && sent < 100000) {
        rc = bus_send (pair.a.bus, &absent.public_key, s_body, sizeof s_body, s_seal);
        sent += rc == 0;
    }
    ck_assert_int_eq (rc, ERROR_BUSY);
    /* Linking anew drops what waited. */
    ck_assert_int_eq (
        bus_connect (pair.a.bus, &absent.public_key, "tcp://127.0.0.1:1", "tcp://127.0.0.1:1", NULL), 0);
    ck_assert_int_eq (bus_send (pair.a.bus, &absent.public_key, s_body, sizeof s_body, s_seal), 0);
    s_stop (&pair);
}
END_TEST

START_TEST (test_a_drain_keeps_to_its_bound)
{
    pair_t pair;
    s_start (&pair);
    station_befriend (&pair.a, &pair.b);
    station_link (&pair.a, &pair.b);
    for (int i = 0; i < 20; i++)
        s_say (&pair.a, &pair.b);
    ck_assert (station_run_until (pair.loop, &pair.b.received, 1));
    for (int i = 0; i < 20; i++)
        s_say (&pair.a, &pair.b);
    int64_t deadline = zclock_mono () + STATION_WAIT_MS;
    while (pair.b.received < 40 && zclock_mono () < deadline) {
        size_t before = pair.b.received, count = bus_drain (pair.b.bus, 3);
        ck_assert_uint_le (count, 3);
        ck_assert_uint_eq (pair.b.received, before + count);
    }
    ck_assert_uint_eq (pair.b.received, 40);
    s_stop (&pair);
}
END_TEST

START_TEST (test_a_port_in_use_is_said_plainly_and_leaves_nothing_bound)
{
    pair_t pair;
    s_start (&pair);
    char rpc[LIMIT_ENDPOINT + 1], pub[LIMIT_ENDPOINT + 1];
    problem_t problem = {""};
    ck_assert_int_eq (bus_bind (pair.a.bus, pair.b.rpc, rpc, pub, &problem), ERROR_CONFLICT);
    ck_assert_ptr_nonnull (strstr (problem.text, "in use"));
    ck_assert_ptr_nonnull (strstr (problem.text, pair.b.rpc));
    /* Here the port of rpc is free, and the one beside it is not. */
    unsigned long taken = strtoul (strrchr (pair.b.pub, ':') + 1, NULL, 10);
    char listen[LIMIT_ENDPOINT + 1];
    snprintf (listen, sizeof listen, "tcp://127.0.0.2:%lu", taken - 1);
    void *zmq = zmq_ctx_new (), *squatter = zmq_socket (zmq, ZMQ_REP);
    char beside[LIMIT_ENDPOINT + 1];
    snprintf (beside, sizeof beside, "tcp://127.0.0.2:%lu", taken);
    ck_assert_int_eq (zmq_bind (squatter, beside), 0);
    ck_assert_int_eq (bus_bind (pair.a.bus, listen, rpc, pub, &problem), ERROR_CONFLICT);
    ck_assert_ptr_nonnull (strstr (problem.text, beside));
    zmq_close (squatter);
    zmq_ctx_term (zmq);
    /* The first half of the failed try is released in the background. */
    int64_t deadline = zclock_mono () + STATION_WAIT_MS;
    int rc;
    do
        rc = bus_bind (pair.a.bus, listen, rpc, pub, &problem);
    while (rc == ERROR_CONFLICT && zclock_mono () < deadline);
    ck_assert_msg (rc == 0, "%s", problem.text);
    ck_assert_str_eq (rpc, listen);
    ck_assert_str_eq (pub, beside);
    s_stop (&pair);
}
END_TEST

START_TEST (test_addresses_that_can_not_be_are_refused_with_what_is_expected)
{
    pair_t pair;
    s_start (&pair);
    char rpc[LIMIT_ENDPOINT + 1], pub[LIMIT_ENDPOINT + 1];
    const char *listens[] = {"",         "127.0.0.1:7401",     "tcp://",
                             "tcp://:1", "tcp://127.0.0.1",    "tcp://h:65535",
                             "tcp://h:", "tcp://127.0.0.1:7x", "ipc://x"};
    for (size_t i = 0; i < sizeof listens / sizeof *listens; i++) {
        problem_t problem = {""};
        ck_assert_msg (bus_bind (pair.a.bus, listens[i], rpc, pub, &problem) == ERROR_INPUT, "%s",
                       listens[i]);
        ck_assert_ptr_nonnull (strstr (problem.text, "expected"));
    }
    const char *endpoints[] = {"",          "inproc://zeromq.zap.01", "ipc:///tmp/x", "tcp://h:*",
                               "tcp://h:0", "tcp://h:65536",          "tcp://:5"};
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        problem_t problem = {""};
        ck_assert_msg (bus_connect (pair.a.bus, &pair.b.curve.public_key, endpoints[i], pair.b.pub,
                                    &problem) == ERROR_INPUT,
                       "%s", endpoints[i]);
        ck_assert_int_eq (bus_connect (pair.a.bus, &pair.b.curve.public_key, pair.b.rpc, endpoints[i], NULL),
                          ERROR_INPUT);
        ck_assert_ptr_nonnull (strstr (problem.text, "expected"));
    }
    s_stop (&pair);
}
END_TEST

START_TEST (test_a_node_listens_at_so_many_addresses_and_no_more)
{
    pair_t pair;
    s_start (&pair);
    char rpc[LIMIT_ENDPOINT + 1], pub[LIMIT_ENDPOINT + 1];
    problem_t problem = {""};
    for (size_t i = 1; i < LIMIT_ENDPOINTS; i++)
        ck_assert_int_eq (bus_bind (pair.a.bus, "tcp://127.0.0.1:*", rpc, pub, &problem), 0);
    ck_assert_int_eq (bus_bind (pair.a.bus, "tcp://127.0.0.1:*", rpc, pub, &problem), ERROR_BOUND);
    s_stop (&pair);
}
END_TEST

SUITE_MAIN ("io/bus", test_a_statement_comes_with_the_key_of_its_link_and_is_answered_on_it,
            test_publications_reach_subscribers,
            test_a_member_that_claims_anothers_address_does_not_silence_it,
            test_nothing_is_sent_where_there_is_no_link, test_an_answer_to_an_ended_connection_is_told,
            test_sending_to_a_peer_that_is_not_there_never_blocks_and_ends_as_busy,
            test_a_drain_keeps_to_its_bound, test_a_port_in_use_is_said_plainly_and_leaves_nothing_bound,
            test_addresses_that_can_not_be_are_refused_with_what_is_expected,
            test_a_node_listens_at_so_many_addresses_and_no_more)
