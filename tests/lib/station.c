/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/lib/station.h"

#include <check.h>
#include <string.h>

#define CHECK_INTERVAL_MS 2
#define DRAIN_MAX         64

curve_t station_curve (uint8_t n)
{
    uint8_t seed[SEED_BYTES];
    memset (seed, n, sizeof seed);
    curve_t curve;
    curve_from_seed (seed, &curve);
    return curve;
}

digest_t station_topic (void)
{
    digest_t topic;
    memset (topic.bytes, 7, sizeof topic.bytes);
    return topic;
}

static void s_readable (void *context)
{
    station_t *self = context;
    bus_drain (self->bus, DRAIN_MAX);
}

static void s_receive (void *context, const pubkey_t *curve, const uint8_t *body, size_t body_size,
                       const uint8_t *seal, size_t seal_size)
{
    station_t *self = context;
    if (curve != NULL)
        self->last_curve = *curve;
    if (body == NULL) {
        self->malformed++;
        self->has_malformed_key = curve != NULL;
        return;
    }
    ck_assert_ptr_nonnull (seal);
    ck_assert_uint_eq (seal_size, SEAL_BYTES);
    self->last_size = body_size;
    memcpy (self->last_body, body, body_size < sizeof self->last_body ? body_size : sizeof self->last_body);
    if (curve != NULL)
        self->received++;
    else
        self->published++;
}

static void s_refused (void *context, const pubkey_t *curve, const char *address, const char *why, bool first)
{
    (void)curve;
    station_t *self = context;
    ck_assert_ptr_nonnull (address);
    self->refused++;
    if (first)
        self->refused_first++;
    snprintf (self->refused_why, sizeof self->refused_why, "%s", why);
}

void station_start (station_t *self, zloop_t *loop, uint8_t n)
{
    memset (self, 0, sizeof *self);
    self->curve = station_curve (n);
    digest_t topic = station_topic ();
    bus_handler_t handler = {s_readable, s_receive, s_refused, self};
    problem_t problem = {""};
    self->bus = bus_new (loop, &self->curve, &topic, &handler, &problem);
    ck_assert_msg (self->bus != NULL, "%s", problem.text);
    ck_assert_msg (bus_bind (self->bus, "tcp://127.0.0.1:*", self->rpc, self->pub, &problem) == 0, "%s",
                   problem.text);
}

void station_stop (station_t *self)
{
    bus_destroy (&self->bus);
    ck_assert_ptr_null (self->bus);
}

void station_befriend (station_t *a, station_t *b)
{
    bus_set_standing (a->bus, &b->curve.public_key, LINK_MEMBER);
    bus_set_standing (b->bus, &a->curve.public_key, LINK_MEMBER);
}

void station_link (station_t *from, const station_t *to)
{
    problem_t problem = {""};
    ck_assert_msg (bus_connect (from->bus, &to->curve.public_key, to->rpc, to->pub, &problem) == 0, "%s",
                   problem.text);
}

typedef struct {
    station_done_fn *done;
    void *context;
    int64_t deadline;
    bool holds;
} wait_t;

static int s_look (zloop_t *loop, int timer, void *argument)
{
    (void)loop;
    (void)timer;
    wait_t *wait = argument;
    wait->holds = wait->done (wait->context);
    return wait->holds || zclock_mono () > wait->deadline ? -1 : 0;
}

bool station_run (zloop_t *loop, station_done_fn *done, void *context)
{
    wait_t wait = {done, context, zclock_mono () + STATION_WAIT_MS, false};
    int timer = zloop_timer (loop, CHECK_INTERVAL_MS, 0, s_look, &wait);
    zloop_start (loop);
    zloop_timer_end (loop, timer);
    return wait.holds;
}

typedef struct {
    const size_t *counter;
    size_t value;
} counter_t;

static bool s_reached (void *context)
{
    const counter_t *counter = context;
    return *counter->counter >= counter->value;
}

bool station_run_until (zloop_t *loop, const size_t *counter, size_t value)
{
    counter_t condition = {counter, value};
    return station_run (loop, s_reached, &condition);
}

void *station_hostile (void *zmq, int type, const curve_t *curve, const pubkey_t *server,
                       const char *endpoint)
{
    void *socket = zmq_socket (zmq, type);
    int none = 0;
    zmq_setsockopt (socket, ZMQ_LINGER, &none, sizeof none);
    if (curve != NULL) {
        zmq_setsockopt (socket, ZMQ_CURVE_PUBLICKEY, curve->public_key.bytes, PUBKEY_BYTES);
        zmq_setsockopt (socket, ZMQ_CURVE_SECRETKEY, curve->secret, PUBKEY_BYTES);
        zmq_setsockopt (socket, ZMQ_CURVE_SERVERKEY, server->bytes, PUBKEY_BYTES);
    }
    if (type == ZMQ_SUB)
        zmq_setsockopt (socket, ZMQ_SUBSCRIBE, "", 0);
    ck_assert_int_eq (zmq_connect (socket, endpoint), 0);
    return socket;
}

bool station_send_frames (void *socket, const size_t *sizes, size_t count, uint8_t fill)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t *bytes = malloc (sizes[i] + 1);
        ck_assert_ptr_nonnull (bytes);
        memset (bytes, fill, sizes[i]);
        int rc = zmq_send (socket, bytes, sizes[i], ZMQ_DONTWAIT | (i + 1 < count ? ZMQ_SNDMORE : 0));
        free (bytes);
        if (rc < 0)
            return false;
    }
    return true;
}
