/* SPDX-License-Identifier: MPL-2.0 */
/* Who is kept out of the bus, and what it lives through. Each hostile side is a raw ZeroMQ socket. */
#include "tests/lib/station.h"
#include "tests/lib/suite.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

static const size_t s_statement[] = {64, SEAL_BYTES};

/* A node, a member that means well, and room for those who don't. */
typedef struct {
    zloop_t *loop;
    station_t node;
    station_t friend;
    void *zmq;
    curve_t curve; /* of the hostile side */
} scene_t;

static void s_start (scene_t *scene)
{
    scene->loop = zloop_new ();
    station_start (&scene->node, scene->loop, 1);
    station_start (&scene->friend, scene->loop, 2);
    station_befriend (&scene->node, &scene->friend);
    station_link (&scene->friend, &scene->node);
    scene->zmq = zmq_ctx_new ();
    scene->curve = station_curve (66);
}

static void s_stop (scene_t *scene)
{
    station_stop (&scene->node);
    station_stop (&scene->friend);
    zloop_destroy (&scene->loop);
    zmq_ctx_term (scene->zmq);
}

static void *s_hostile (scene_t *scene, int type)
{
    const char *endpoint = type == ZMQ_SUB ? scene->node.pub : scene->node.rpc;
    return station_hostile (scene->zmq, type, &scene->curve, &scene->node.curve.public_key, endpoint);
}

static void s_admit (scene_t *scene, link_standing_t standing)
{
    bus_set_standing (scene->node.bus, &scene->curve.public_key, standing);
}

/* The node goes on: a member's statement still gets in, and it alone. */
static void s_expect_alive (scene_t *scene)
{
    static const uint8_t body[] = {0x92, 0x01, 0x02}, seal[SEAL_BYTES] = {0};
    size_t before = scene->node.received;
    ck_assert_int_eq (bus_send (scene->friend.bus, &scene->node.curve.public_key, body, sizeof body, seal),
                      0);
    ck_assert (station_run_until (scene->loop, &scene->node.received, before + 1));
    ck_assert_uint_eq (scene->node.received, before + 1);
    ck_assert (pubkey_equal (&scene->node.last_curve, &scene->friend.curve.public_key));
}

START_TEST (test_a_strangers_key_is_refused_and_logged_once)
{
    scene_t scene;
    s_start (&scene);
    void *hostile = s_hostile (&scene, ZMQ_DEALER);
    ck_assert (station_send_frames (hostile, s_statement, 2, 0x92));
    ck_assert (station_run_until (scene.loop, &scene.node.refused, 2)); /* it comes again, as 300 lets it */
    ck_assert_uint_eq (scene.node.refused_first, 1);
    ck_assert_uint_eq (scene.node.received, 0);
    s_expect_alive (&scene);
    zmq_close (hostile);
    s_stop (&scene);
}
END_TEST

START_TEST (test_a_stranger_hears_no_publications)
{
    scene_t scene;
    s_start (&scene);
    void *hostile = s_hostile (&scene, ZMQ_SUB);
    ck_assert (station_run_until (scene.loop, &scene.node.refused, 1));
    static const uint8_t body[] = {0x92, 0x01, 0x02}, seal[SEAL_BYTES] = {0};
    ck_assert_int_eq (bus_publish (scene.node.bus, body, sizeof body, seal), 0);
    s_expect_alive (&scene);
    uint8_t frame[64];
    ck_assert_int_lt (zmq_recv (hostile, frame, sizeof frame, ZMQ_DONTWAIT), 0);
    zmq_close (hostile);
    s_stop (&scene);
}
END_TEST

START_TEST (test_a_stranger_that_becomes_a_member_gets_in_by_itself)
{
    scene_t scene;
    s_start (&scene);
    void *hostile = s_hostile (&scene, ZMQ_DEALER);
    ck_assert (station_send_frames (hostile, s_statement, 2, 0x92));
    ck_assert (station_run_until (scene.loop, &scene.node.refused, 1));
    s_admit (&scene, LINK_MEMBER);
    ck_assert (station_run_until (scene.loop, &scene.node.received, 1));
    ck_assert (pubkey_equal (&scene.node.last_curve, &scene.curve.public_key));
    zmq_close (hostile);
    s_stop (&scene);
}
END_TEST

START_TEST (test_an_invite_opens_rpc_and_no_publications)
{
    scene_t scene;
    s_start (&scene);
    s_admit (&scene, LINK_INVITED);
    void *dealer = s_hostile (&scene, ZMQ_DEALER), *sub = s_hostile (&scene, ZMQ_SUB);
    ck_assert (station_send_frames (dealer, s_statement, 2, 0x92));
    ck_assert (station_run_until (scene.loop, &scene.node.received, 1));
    ck_assert (station_run_until (scene.loop, &scene.node.refused, 1));
    ck_assert_ptr_nonnull (strstr (scene.node.refused_why, "invite"));
    zmq_close (dealer);
    zmq_close (sub);
    s_stop (&scene);
}
END_TEST

START_TEST (test_a_link_without_security_is_refused)
{
    scene_t scene;
    s_start (&scene);
    void *hostile = station_hostile (scene.zmq, ZMQ_DEALER, NULL, NULL, scene.node.rpc);
    void *listener = station_hostile (scene.zmq, ZMQ_SUB, NULL, NULL, scene.node.pub);
    ck_assert (station_send_frames (hostile, s_statement, 2, 0x92));
    ck_assert (station_run_until (scene.loop, &scene.node.refused, 2));
    ck_assert_uint_eq (scene.node.received, 0);
    s_expect_alive (&scene);
    zmq_close (hostile);
    zmq_close (listener);
    s_stop (&scene);
}
END_TEST

/* Opens a TCP connection to the node's ROUTER and says `bytes`. */
static int s_shout (const scene_t *scene, const void *bytes, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK)};
    address.sin_port = htons ((uint16_t)strtoul (strrchr (scene->node.rpc, ':') + 1, NULL, 10));
    int fd = socket (AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq (connect (fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq (write (fd, bytes, size), (ssize_t)size);
    return fd;
}

static bool s_hung_up (void *context)
{
    char byte;
    return recv (*(int *)context, &byte, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET;
}

START_TEST (test_a_visitor_that_speaks_no_zmtp_is_hung_up_on)
{
    scene_t scene;
    s_start (&scene);
    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int fd = s_shout (&scene, request, sizeof request - 1);
    ck_assert (station_run (scene.loop, s_hung_up, &fd));
    close (fd);
    ck_assert_uint_eq (scene.node.received + scene.node.malformed, 0);
    s_expect_alive (&scene);
    s_stop (&scene);
}
END_TEST

START_TEST (test_noise_instead_of_a_curve_handshake_is_refused)
{
    scene_t scene;
    s_start (&scene);
    /* A ZMTP 3.0 greeting that promises CURVE, and then a command that is none. */
    uint8_t noise[64 + 202] = {0xff, [9] = 0x7f, 3, 0, 'C', 'U', 'R', 'V', 'E', [64] = 0x04, 200};
    memset (noise + 66, 'x', 200);
    int fd = s_shout (&scene, noise, sizeof noise);
    ck_assert (station_run_until (scene.loop, &scene.node.refused, 1));
    close (fd);
    ck_assert_uint_eq (scene.node.received + scene.node.malformed, 0);
    s_expect_alive (&scene);
    s_stop (&scene);
}
END_TEST

/* Waits for an event at the hostile side. */
typedef struct {
    void *socket;
    void *monitor;
    unsigned event;
    unsigned value;
    size_t seen;
} watch_t;

static void s_watch (watch_t *watch, void *zmq, void *socket, unsigned event)
{
    *watch = (watch_t){.socket = socket, .event = event};
    zmq_socket_monitor (socket, "inproc://hostile", ZMQ_EVENT_ALL);
    watch->monitor = zmq_socket (zmq, ZMQ_PAIR);
    zmq_connect (watch->monitor, "inproc://hostile");
}

static bool s_happened (void *context)
{
    watch_t *watch = context;
    uint8_t frame[256];
    int size;
    while ((size = zmq_recv (watch->monitor, frame, sizeof frame, ZMQ_DONTWAIT)) >= 0) {
        uint16_t event;
        uint32_t value;
        memcpy (&event, frame, sizeof event);
        memcpy (&value, frame + sizeof event, sizeof value);
        if (size == sizeof event + sizeof value && event == watch->event) {
            watch->value = value;
            watch->seen++;
        }
    }
    return watch->seen > 0;
}

static void s_unwatch (watch_t *watch)
{
    zmq_socket_monitor (watch->socket, NULL, 0);
    zmq_close (watch->monitor);
}

START_TEST (test_a_revoked_member_is_told_so_for_good)
{
    scene_t scene;
    s_start (&scene);
    s_admit (&scene, LINK_REVOKED);
    void *hostile = s_hostile (&scene, ZMQ_DEALER);
    watch_t watch;
    s_watch (&watch, scene.zmq, hostile, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
    ck_assert (station_send_frames (hostile, s_statement, 2, 0x92));
    ck_assert (station_run (scene.loop, s_happened, &watch));
    ck_assert_uint_eq (watch.value, 400);
    ck_assert_str_eq (scene.node.refused_why, "revoked");
    ck_assert_uint_eq (scene.node.received, 0);
    s_expect_alive (&scene);
    s_unwatch (&watch);
    zmq_close (hostile);
    s_stop (&scene);
}
END_TEST

typedef struct {
    void *publisher_reader; /* the hostile SUB */
    station_t *node;
    size_t heard;
} eavesdropper_t;

static bool s_overheard (void *context)
{
    static const uint8_t body[] = {0x92, 0x0c, 0x02}, seal[SEAL_BYTES] = {0};
    eavesdropper_t *self = context;
    bus_publish (self->node->bus, body, sizeof body, seal);
    uint8_t frame[SEAL_BYTES];
    while (zmq_recv (self->publisher_reader, frame, sizeof frame, ZMQ_DONTWAIT) >= 0)
        self->heard++;
    return self->heard > 0;
}

/* ZAP is asked only at the handshake: without our measure a revoked member talks and listens on as long as it likes. */
START_TEST (test_revocation_ends_links_that_are_open)
{
    scene_t scene;
    s_start (&scene);
    s_admit (&scene, LINK_MEMBER);
    void *dealer = s_hostile (&scene, ZMQ_DEALER), *sub = s_hostile (&scene, ZMQ_SUB);
    ck_assert (station_send_frames (dealer, s_statement, 2, 0x92));
    ck_assert (station_run_until (scene.loop, &scene.node.received, 1));
    eavesdropper_t eavesdropper = {sub, &scene.node, 0};
    ck_assert (station_run (scene.loop, s_overheard, &eavesdropper));

    s_admit (&scene, LINK_REVOKED);
    ck_assert (station_send_frames (dealer, s_statement, 2, 0x92));
    ck_assert (station_run_until (scene.loop, &scene.node.refused, 2)); /* both come again, and are denied */
    uint8_t frame[SEAL_BYTES];
    while (zmq_recv (sub, frame, sizeof frame, ZMQ_DONTWAIT) >= 0)
        continue;
    eavesdropper.heard = 0;
    s_overheard (&eavesdropper);
    s_expect_alive (&scene); /* the friend's link came back by itself */
    ck_assert_uint_eq (scene.node.received, 2);
    s_overheard (&eavesdropper);
    ck_assert_uint_eq (eavesdropper.heard, 0);
    static const uint8_t body[] = {0x92, 0x01, 0x02}, seal[SEAL_BYTES] = {0};
    ck_assert_int_eq (bus_reply (scene.node.bus, &scene.curve.public_key, body, sizeof body, seal),
                      ERROR_NOT_FOUND);
    zmq_close (dealer);
    zmq_close (sub);
    s_stop (&scene);
}
END_TEST

START_TEST (test_revocation_ends_our_own_link_too)
{
    scene_t scene;
    s_start (&scene);
    station_link (&scene.node, &scene.friend);
    bus_set_standing (scene.node.bus, &scene.friend.curve.public_key, LINK_REVOKED);
    static const uint8_t body[] = {0x92, 0x01, 0x02}, seal[SEAL_BYTES] = {0};
    ck_assert_int_eq (bus_send (scene.node.bus, &scene.friend.curve.public_key, body, sizeof body, seal),
                      ERROR_NOT_FOUND);
    s_stop (&scene);
}
END_TEST

/* 400 is final for libzmq's client; who is a member again gets in when it links anew. */
START_TEST (test_linking_anew_overcomes_an_earlier_denial)
{
    scene_t scene;
    s_start (&scene);
    station_t late;
    station_start (&late, scene.loop, 3);
    bus_set_standing (scene.node.bus, &late.curve.public_key, LINK_REVOKED);
    station_link (&late, &scene.node);
    ck_assert (station_run_until (scene.loop, &late.refused, 1));
    ck_assert_ptr_nonnull (strstr (late.refused_why, "denied"));
    bus_set_standing (scene.node.bus, &late.curve.public_key, LINK_MEMBER);
    station_link (&late, &scene.node);
    static const uint8_t body[] = {0x92, 0x01, 0x02}, seal[SEAL_BYTES] = {0};
    ck_assert_int_eq (bus_send (late.bus, &scene.node.curve.public_key, body, sizeof body, seal), 0);
    ck_assert (station_run_until (scene.loop, &scene.node.received, 1));
    station_stop (&late);
    s_stop (&scene);
}
END_TEST

START_TEST (test_garbage_frames_of_a_member_are_counted_and_harm_nobody)
{
    static const struct {
        size_t count;
        size_t sizes[4];
    } garbage[] = {
        {1, {64}},
        {1, {0}},
        {2, {0, SEAL_BYTES}},
        {2, {64, 0}},
        {2, {64, SEAL_BYTES - 1}},
        {2, {64, SEAL_BYTES + 1}},
        {2, {SEAL_BYTES, 64}},
        {2, {LIMIT_STATEMENT_BYTES + 1, SEAL_BYTES}},
        {3, {0, 64, SEAL_BYTES}},
        {3, {64, SEAL_BYTES, 0}},
        {4, {64, SEAL_BYTES, 64, SEAL_BYTES}},
    };
    const size_t count = sizeof garbage / sizeof *garbage;
    scene_t scene;
    s_start (&scene);
    s_admit (&scene, LINK_MEMBER);
    void *hostile = s_hostile (&scene, ZMQ_DEALER);
    for (size_t i = 0; i < count; i++)
        ck_assert (station_send_frames (hostile, garbage[i].sizes, garbage[i].count, 0x92));
    ck_assert (station_run_until (scene.loop, &scene.node.malformed, count));
    ck_assert (scene.node.has_malformed_key);
    ck_assert (pubkey_equal (&scene.node.last_curve, &scene.curve.public_key));
    ck_assert_uint_eq (scene.node.received, 0);
    s_expect_alive (&scene);
    const size_t largest[] = {LIMIT_STATEMENT_BYTES, SEAL_BYTES}; /* at the bound it is a statement */
    ck_assert (station_send_frames (hostile, largest, 2, 0x92));
    ck_assert (station_run_until (scene.loop, &scene.node.received, 2));
    zmq_close (hostile);
    s_stop (&scene);
}
END_TEST

START_TEST (test_a_message_of_very_many_frames_counts_as_one_refusal)
{
    scene_t scene;
    s_start (&scene);
    s_admit (&scene, LINK_MEMBER);
    void *hostile = s_hostile (&scene, ZMQ_DEALER);
    for (int i = 0; i < 20000; i++)
        ck_assert_int_ge (zmq_send (hostile, "x", 1, ZMQ_SNDMORE), 0);
    ck_assert_int_ge (zmq_send (hostile, "x", 1, 0), 0);
    ck_assert (station_run_until (scene.loop, &scene.node.malformed, 1));
    s_expect_alive (&scene);
    ck_assert_uint_eq (scene.node.malformed, 1);
    zmq_close (hostile);
    s_stop (&scene);
}
END_TEST

/* Without ZMQ_MAXMSGSIZE, one frame takes as much memory as its sender likes. */
START_TEST (test_a_frame_beyond_the_bound_costs_its_sender_the_link)
{
    scene_t scene;
    s_start (&scene);
    s_admit (&scene, LINK_MEMBER);
    void *hostile = s_hostile (&scene, ZMQ_DEALER);
    ck_assert (station_send_frames (hostile, s_statement, 2, 0x92));
    ck_assert (station_run_until (scene.loop, &scene.node.received, 1));
    watch_t watch;
    s_watch (&watch, scene.zmq, hostile, ZMQ_EVENT_DISCONNECTED);
    const size_t huge[] = {16u << 20, SEAL_BYTES};
    ck_assert (station_send_frames (hostile, huge, 2, 0x92));
    ck_assert (station_run (scene.loop, s_happened, &watch));
    s_expect_alive (&scene);
    ck_assert_uint_eq (scene.node.malformed, 0);
    s_unwatch (&watch);
    zmq_close (hostile);
    s_stop (&scene);
}
END_TEST

/* Whether what a try sent was received, or it is time for the next one. */
typedef struct {
    const size_t *received;
    int64_t again_ms;
} try_t;

static bool s_tried (void *context)
{
    const try_t *try = context;
    return *try->received > 1 || zclock_mono () > try->again_ms;
}

/* Anyone admitted can claim any routing id: what a session is, is told by its key. */
START_TEST (test_a_claimed_routing_id_gets_nobody_elses_answers)
{
    scene_t scene;
    s_start (&scene);
    s_admit (&scene, LINK_MEMBER);
    curve_t victim = station_curve (77);
    bus_set_standing (scene.node.bus, &victim.public_key, LINK_MEMBER);
    void *first = zmq_socket (scene.zmq, ZMQ_DEALER), *second = zmq_socket (scene.zmq, ZMQ_DEALER);
    int none = 0;
    void *sockets[] = {first, second};
    const curve_t *curves[] = {&victim, &scene.curve};
    for (size_t i = 0; i < 2; i++) {
        zmq_setsockopt (sockets[i], ZMQ_LINGER, &none, sizeof none);
        zmq_setsockopt (sockets[i], ZMQ_ROUTING_ID, "same", 4);
        zmq_setsockopt (sockets[i], ZMQ_CURVE_PUBLICKEY, curves[i]->public_key.bytes, PUBKEY_BYTES);
        zmq_setsockopt (sockets[i], ZMQ_CURVE_SECRETKEY, curves[i]->secret, PUBKEY_BYTES);
        zmq_setsockopt (sockets[i], ZMQ_CURVE_SERVERKEY, scene.node.curve.public_key.bytes, PUBKEY_BYTES);
    }
    zmq_connect (first, scene.node.rpc);
    ck_assert (station_send_frames (first, s_statement, 2, 0x92));
    ck_assert (station_run_until (scene.loop, &scene.node.received, 1));
    ck_assert (pubkey_equal (&scene.node.last_curve, &victim.public_key));
    zmq_close (first);

    /* Until the ROUTER has seen the end of the victim's link, it ignores the second of that name, for as long as that is linked. */
    int64_t deadline = zclock_mono () + STATION_WAIT_MS;
    while (scene.node.received == 1 && zclock_mono () < deadline) {
        zmq_disconnect (second, scene.node.rpc);
        zmq_connect (second, scene.node.rpc);
        station_send_frames (second, s_statement, 2, 0x92);
        try_t try = {&scene.node.received, zclock_mono () + 500};
        ck_assert (station_run (scene.loop, s_tried, &try));
    }
    ck_assert (pubkey_equal (&scene.node.last_curve, &scene.curve.public_key));
    static const uint8_t body[] = {0x92, 0x01, 0x02}, seal[SEAL_BYTES] = {0};
    ck_assert_int_eq (bus_reply (scene.node.bus, &victim.public_key, body, sizeof body, seal),
                      ERROR_NOT_FOUND);
    ck_assert_int_eq (bus_reply (scene.node.bus, &scene.curve.public_key, body, sizeof body, seal), 0);
    zmq_close (second);
    s_stop (&scene);
}
END_TEST

START_TEST (test_a_server_with_another_key_than_expected_is_told)
{
    scene_t scene;
    s_start (&scene);
    curve_t expected = station_curve (99);
    ck_assert_int_eq (
        bus_connect (scene.friend.bus, &expected.public_key, scene.node.rpc, scene.node.pub, NULL), 0);
    ck_assert (station_run_until (scene.loop, &scene.friend.refused, 1));
    s_expect_alive (&scene);
    s_stop (&scene);
}
END_TEST

SUITE_MAIN ("io/bus_hostile", test_a_strangers_key_is_refused_and_logged_once,
            test_a_stranger_hears_no_publications, test_a_stranger_that_becomes_a_member_gets_in_by_itself,
            test_an_invite_opens_rpc_and_no_publications, test_a_link_without_security_is_refused,
            test_a_visitor_that_speaks_no_zmtp_is_hung_up_on,
            test_noise_instead_of_a_curve_handshake_is_refused, test_a_revoked_member_is_told_so_for_good,
            test_revocation_ends_links_that_are_open, test_revocation_ends_our_own_link_too,
            test_linking_anew_overcomes_an_earlier_denial,
            test_garbage_frames_of_a_member_are_counted_and_harm_nobody,
            test_a_message_of_very_many_frames_counts_as_one_refusal,
            test_a_frame_beyond_the_bound_costs_its_sender_the_link,
            test_a_claimed_routing_id_gets_nobody_elses_answers,
            test_a_server_with_another_key_than_expected_is_told)
