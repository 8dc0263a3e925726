/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/zap.h"
#include "tests/lib/station.h"
#include "tests/lib/suite.h"

#define ENDPOINT "inproc://zeromq.zap.01"

typedef struct {
    zap_status_t answer;
    size_t asked;
    bool had_key;
    pubkey_t key;
    char domain[32];
} judge_t;

static zap_status_t s_judge (void *context, const zap_question_t *question)
{
    judge_t *judge = context;
    judge->asked++;
    judge->had_key = question->curve != NULL;
    if (question->curve != NULL)
        judge->key = *question->curve;
    snprintf (judge->domain, sizeof judge->domain, "%s", question->domain);
    return judge->answer;
}

/* A handler, and a client that asks as libzmq does. */
typedef struct {
    void *zmq;
    zloop_t *loop;
    zap_t *zap;
    void *client;
    judge_t judge;
    char reply[6][128];
    size_t reply_count;
} fixture_t;

static void s_start (fixture_t *self, zap_status_t answer)
{
    memset (self, 0, sizeof *self);
    self->judge.answer = answer;
    self->zmq = zmq_ctx_new ();
    self->loop = zloop_new ();
    self->zap = zap_new (self->zmq, self->loop, s_judge, &self->judge);
    ck_assert_ptr_nonnull (self->zap);
    self->client = zmq_socket (self->zmq, ZMQ_REQ);
    ck_assert_int_eq (zmq_connect (self->client, ENDPOINT), 0);
}

static void s_stop (fixture_t *self)
{
    zap_destroy (&self->zap);
    zmq_close (self->client);
    zloop_destroy (&self->loop);
    zmq_ctx_term (self->zmq);
}

static bool s_answered (void *context)
{
    fixture_t *self = context;
    char frame[128];
    int size;
    while ((size = zmq_recv (self->client, frame, sizeof frame - 1, ZMQ_DONTWAIT)) >= 0) {
        ck_assert_uint_lt (self->reply_count, 6);
        memcpy (self->reply[self->reply_count], frame, (size_t)size);
        self->reply[self->reply_count++][size] = '\0';
    }
    return self->reply_count > 0;
}

static void s_ask (fixture_t *self, const char *mechanism, size_t credentials)
{
    const char *frames[] = {"1.0", "42", "rpc", "127.0.0.1", "", mechanism};
    self->reply_count = 0;
    for (size_t i = 0; i < 6; i++)
        zmq_send (self->client, frames[i], strlen (frames[i]), i < 5 || credentials > 0 ? ZMQ_SNDMORE : 0);
    uint8_t key[8192];
    memset (key, 9, sizeof key);
    if (credentials > 0)
        zmq_send (self->client, key, credentials, 0);
    ck_assert (station_run (self->loop, s_answered, self));
}

START_TEST (test_an_admitted_link_carries_its_key_as_user_id)
{
    fixture_t fixture;
    s_start (&fixture, ZAP_ADMITTED);
    s_ask (&fixture, "CURVE", PUBKEY_BYTES);
    ck_assert_uint_eq (fixture.reply_count, 6);
    ck_assert_str_eq (fixture.reply[0], "1.0");
    ck_assert_str_eq (fixture.reply[1], "42");
    ck_assert_str_eq (fixture.reply[2], "200");
    char user[DIGEST_TEXT_BYTES];
    pubkey_text (&fixture.judge.key, user);
    ck_assert_str_eq (fixture.reply[4], user);
    ck_assert_uint_eq (fixture.judge.key.bytes[0], 9);
    ck_assert_str_eq (fixture.judge.domain, "rpc");
    s_stop (&fixture);
}
END_TEST

START_TEST (test_a_refusal_says_its_status_and_names_no_user)
{
    const zap_status_t answers[] = {ZAP_LATER, ZAP_DENIED};
    for (size_t i = 0; i < 2; i++) {
        fixture_t fixture;
        s_start (&fixture, answers[i]);
        s_ask (&fixture, "CURVE", PUBKEY_BYTES);
        ck_assert_str_eq (fixture.reply[2], answers[i] == ZAP_LATER ? "300" : "400");
        ck_assert_str_eq (fixture.reply[4], "");
        s_stop (&fixture);
    }
}
END_TEST

START_TEST (test_nobody_gets_in_without_a_curve_key_whatever_the_judge_says)
{
    fixture_t fixture;
    s_start (&fixture, ZAP_ADMITTED);
    s_ask (&fixture, "NULL", 0);
    ck_assert_str_eq (fixture.reply[2], "400");
    ck_assert (!fixture.judge.had_key);
    s_ask (&fixture, "PLAIN", PUBKEY_BYTES);
    ck_assert_str_eq (fixture.reply[2], "400");
    s_ask (&fixture, "CURVE", PUBKEY_BYTES - 1);
    ck_assert_str_eq (fixture.reply[2], "400");
    s_stop (&fixture);
}
END_TEST

START_TEST (test_long_credentials_do_no_harm)
{
    fixture_t fixture;
    s_start (&fixture, ZAP_ADMITTED);
    s_ask (&fixture, "CURVE", 8192);
    ck_assert_str_eq (fixture.reply[2], "400");
    s_ask (&fixture, "CURVE", PUBKEY_BYTES);
    ck_assert_str_eq (fixture.reply[2], "200");
    s_stop (&fixture);
}
END_TEST

START_TEST (test_a_request_that_is_none_is_answered_as_broken)
{
    fixture_t fixture;
    s_start (&fixture, ZAP_ADMITTED);
    zmq_send (fixture.client, "1.0", 3, 0);
    ck_assert (station_run (fixture.loop, s_answered, &fixture));
    ck_assert_str_eq (fixture.reply[2], "500");
    ck_assert_uint_eq (fixture.judge.asked, 0);
    s_stop (&fixture);
}
END_TEST

START_TEST (test_a_context_has_one_handler)
{
    fixture_t fixture;
    s_start (&fixture, ZAP_ADMITTED);
    ck_assert_ptr_null (zap_new (fixture.zmq, fixture.loop, s_judge, &fixture.judge));
    s_stop (&fixture);
}
END_TEST

SUITE_MAIN ("io/zap", test_an_admitted_link_carries_its_key_as_user_id,
            test_a_refusal_says_its_status_and_names_no_user,
            test_nobody_gets_in_without_a_curve_key_whatever_the_judge_says, test_long_credentials_do_no_harm,
            test_a_request_that_is_none_is_answered_as_broken, test_a_context_has_one_handler)
