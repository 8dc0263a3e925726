/* SPDX-License-Identifier: MPL-2.0 */
/* Mesh and bus together, over real sockets: members at work, and members that are up to no good. */
#include "tests/lib/outpost.h"
#include "tests/lib/suite.h"

/* What the hostile side says, whether or not it may. */
static leave_t s_leave (const outposts_t *all)
{
    return (leave_t){.to = all->keys[0].identity.id, .reason = text_of ("x")};
}

/* Sends it `times` over the hostile link; each time it is refused for that reason, laid to the link's owner, and logged once. */
static void s_expect_refused (outposts_t *all, void *hostile, const buffer_t *packed, size_t times, int code)
{
    outpost_t *node = &all->posts[0];
    size_t refused = node->refused, delivered = node->delivered;
    for (size_t i = 0; i < times; i++)
        outposts_hostile_send (hostile, packed);
    ck_assert (station_run_until (all->loop, &node->refused, refused + times));
    ck_assert_msg (node->refused_code == code, "refused as %s", error_name (node->refused_code));
    ck_assert_uint_eq (mesh_refused (node->mesh, code), times);
    ck_assert (pubkey_equal (&node->refused_peer, &all->keys[OUTPOST_HOSTILE].identity.id));
    ck_assert_uint_eq (node->refused_first, 1);
    ck_assert_uint_eq (node->delivered, delivered);
    outposts_expect_alive (all);
}

START_TEST (test_three_nodes_of_which_two_know_the_first_all_find_each_other)
{
    outposts_t *all = outposts_start (3);
    outposts_meet (all);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq (all->posts[i].refused, 0);
        ck_assert_uint_eq (all->posts[i].lost, 0);
    }
    outposts_stop (&all);
}
END_TEST

START_TEST (test_a_forged_seal_is_refused)
{
    outposts_t *all = outposts_start (2);
    outposts_meet (all);
    void *hostile = outposts_hostile (all);
    leave_t leave = s_leave (all);
    buffer_t packed = outposts_statement (all, OUTPOST_HOSTILE, MESSAGE_LEAVE, &leave);
    packed.data[packed.size - 40] ^= 1;
    s_expect_refused (all, hostile, &packed, 20, ERROR_SIGNATURE);
    buffer_clear (&packed);
    zmq_close (hostile);
    outposts_stop (&all);
}
END_TEST

START_TEST (test_a_replayed_statement_is_refused)
{
    outposts_t *all = outposts_start (2);
    outposts_meet (all);
    void *hostile = outposts_hostile (all);
    ack_t ack = {.to = all->keys[0].identity.id};
    buffer_t packed = outposts_statement (all, OUTPOST_HOSTILE, MESSAGE_ACK, &ack);
    outposts_hostile_send (hostile, &packed);
    ck_assert (station_run_until (all->loop, &all->posts[0].delivered_of[MESSAGE_ACK], 1));
    s_expect_refused (all, hostile, &packed, 20, ERROR_REPLAYED);
    buffer_clear (&packed);
    zmq_close (hostile);
    outposts_stop (&all);
}
END_TEST

START_TEST (test_another_members_statement_over_ones_own_link_is_refused)
{
    outposts_t *all = outposts_start (2);
    outposts_meet (all);
    void *hostile = outposts_hostile (all);
    leave_t leave = s_leave (all);
    buffer_t packed = outposts_statement (all, 1, MESSAGE_LEAVE, &leave);
    s_expect_refused (all, hostile, &packed, 5, ERROR_IMPOSTOR);
    buffer_clear (&packed);
    zmq_close (hostile);
    outposts_stop (&all);
}
END_TEST

START_TEST (test_one_groups_statement_is_refused_in_another)
{
    outposts_t *all = outposts_start (2);
    outposts_meet (all);
    void *hostile = outposts_hostile (all);
    leave_t leave = s_leave (all);
    digest_t real = all->group.group;
    all->group.group.bytes[0] ^= 1;
    buffer_t packed = outposts_statement (all, OUTPOST_HOSTILE, MESSAGE_LEAVE, &leave);
    all->group.group = real;
    s_expect_refused (all, hostile, &packed, 5, ERROR_GROUP);
    buffer_clear (&packed);
    zmq_close (hostile);
    outposts_stop (&all);
}
END_TEST

START_TEST (test_frames_that_are_no_statement_are_refused)
{
    static const struct {
        size_t count;
        size_t sizes[3];
    } garbage[] = {{1, {64}},
                   {2, {0, SEAL_BYTES}},
                   {2, {64, SEAL_BYTES - 1}},
                   {2, {64, SEAL_BYTES}}, /* zeros */
                   {2, {LIMIT_STATEMENT_BYTES + 1, SEAL_BYTES}},
                   {3, {64, SEAL_BYTES, 1}}};
    outposts_t *all = outposts_start (2);
    outposts_meet (all);
    void *hostile = outposts_hostile (all);
    const size_t count = sizeof garbage / sizeof *garbage;
    for (size_t i = 0; i < count; i++)
        ck_assert (station_send_frames (hostile, garbage[i].sizes, garbage[i].count, 0));
    ck_assert (station_run_until (all->loop, &all->posts[0].refused, count));
    ck_assert_uint_eq (mesh_refused (all->posts[0].mesh, ERROR_MALFORMED), count);
    ck_assert_uint_eq (all->posts[0].refused_first, 1);
    ck_assert (pubkey_equal (&all->posts[0].refused_peer, &all->keys[OUTPOST_HOSTILE].identity.id));
    outposts_expect_alive (all);
    zmq_close (hostile);
    outposts_stop (&all);
}
END_TEST

START_TEST (test_a_flood_of_forgeries_is_logged_once_and_the_node_goes_on)
{
    outposts_t *all = outposts_start (2);
    outposts_meet (all);
    void *hostile = outposts_hostile (all);
    leave_t leave = s_leave (all);
    buffer_t packed = outposts_statement (all, OUTPOST_HOSTILE, MESSAGE_LEAVE, &leave);
    packed.data[packed.size - 40] ^= 1;
    s_expect_refused (all, hostile, &packed, 800, ERROR_SIGNATURE);
    ck_assert_uint_eq (all->posts[0].lost, 0);
    buffer_clear (&packed);
    zmq_close (hostile);
    outposts_stop (&all);
}
END_TEST

static bool s_last_was_refused (void *context)
{
    const outposts_t *all = context;
    return all->posts[0].link_refused > 0;
}

START_TEST (test_a_revoked_member_loses_its_link_and_the_others_keep_on)
{
    outposts_t *all = outposts_start (2);
    outposts_meet (all);
    void *hostile = outposts_hostile (all);
    leave_t leave = s_leave (all);
    buffer_t packed = outposts_statement (all, OUTPOST_HOSTILE, MESSAGE_LEAVE, &leave);
    outposts_hostile_send (hostile, &packed);
    ck_assert (station_run_until (all->loop, &all->posts[0].delivered_of[MESSAGE_LEAVE], 1));
    ck_assert_int_eq (members_revoke (all->members, &all->group, &all->keys[0].identity,
                                      &all->keys[OUTPOST_HOSTILE].identity.id, 50, 50,
                                      (uint64_t)zclock_time ()),
                      0);
    outposts_set_members (all);
    outposts_hostile_send (hostile, &packed);
    ck_assert (station_run (all->loop, s_last_was_refused, all));
    ck_assert_uint_eq (all->posts[0].delivered_of[MESSAGE_LEAVE], 1);
    outposts_expect_alive (all);
    ck_assert_uint_eq (all->posts[0].delivered_of[MESSAGE_LEAVE], 2);
    ck_assert_uint_eq (all->posts[0].lost, 0);
    buffer_clear (&packed);
    zmq_close (hostile);
    outposts_stop (&all);
}
END_TEST

/* A member's own PUB socket can say anything to who subscribes. */
typedef struct {
    outposts_t *all;
    void *pub;
    const buffer_t *packed;
    const uint8_t *topic;
    size_t topic_size;
    size_t frames;
    int code;
} preacher_t;

static bool s_preach (void *context)
{
    preacher_t *self = context;
    size_t body_size = self->packed->size - SEAL_BYTES;
    zmq_send (self->pub, self->topic, self->topic_size, ZMQ_DONTWAIT | ZMQ_SNDMORE);
    zmq_send (self->pub, self->packed->data, body_size, ZMQ_DONTWAIT | (self->frames > 2 ? ZMQ_SNDMORE : 0));
    if (self->frames > 2)
        zmq_send (self->pub, self->packed->data + body_size, SEAL_BYTES, ZMQ_DONTWAIT);
    return mesh_refused (self->all->posts[0].mesh, self->code) > 0;
}

START_TEST (test_what_a_hostile_member_publishes_is_judged_too)
{
    outposts_t *all = outposts_start (2);
    outposts_meet (all);
    void *pub = zmq_socket (all->zmq, ZMQ_PUB);
    int on = 1, none = 0;
    zmq_setsockopt (pub, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt (pub, ZMQ_CURVE_SERVER, &on, sizeof on);
    zmq_setsockopt (pub, ZMQ_CURVE_SECRETKEY, all->keys[OUTPOST_HOSTILE].curve.secret, PUBKEY_BYTES);
    ck_assert_int_eq (zmq_bind (pub, "tcp://127.0.0.1:*"), 0);
    char endpoint[LIMIT_ENDPOINT + 1];
    size_t size = sizeof endpoint;
    zmq_getsockopt (pub, ZMQ_LAST_ENDPOINT, endpoint, &size);
    mesh_hint (all->posts[0].mesh, &all->keys[OUTPOST_HOSTILE].identity.id, endpoint, endpoint,
               (uint64_t)zclock_mono (), &all->posts[0].out);
    uint8_t longer_topic[DIGEST_BYTES + 1];
    memcpy (longer_topic, all->group.group.bytes, DIGEST_BYTES);
    longer_topic[DIGEST_BYTES] = 1;
    metrics_message_t metrics = {.slots = 1};
    leave_t leave = s_leave (all);
    buffer_t forged = outposts_statement (all, 1, MESSAGE_METRICS, &metrics);
    forged.data[forged.size - 40] ^= 1;
    buffer_t private = outposts_statement (all, OUTPOST_HOSTILE, MESSAGE_LEAVE, &leave);
    preacher_t sermons[] = {
        {all, pub, &forged, all->group.group.bytes, DIGEST_BYTES, 3, ERROR_SIGNATURE},
        {all, pub, &private, all->group.group.bytes, DIGEST_BYTES, 3, ERROR_KIND},
        {all, pub, &private, longer_topic, sizeof longer_topic, 3, ERROR_MALFORMED},
    };
    for (size_t i = 0; i < 3; i++)
        ck_assert (station_run (all->loop, s_preach, &sermons[i]));
    ck_assert_uint_eq (all->posts[0].delivered, 0);
    outposts_expect_alive (all);
    buffer_clear (&forged);
    buffer_clear (&private);
    zmq_close (pub);
    outposts_stop (&all);
}
END_TEST

static bool s_all_heard (void *context)
{
    const outposts_t *all = context;
    for (size_t i = 1; i < all->count; i++)
        if (all->posts[i].last_publication < all->published_count)
            return false;
    return true;
}

/* PUB drops what a subscriber's queue can't hold, and tells nobody. */
START_TEST (test_a_burst_of_publications_arrives_whole_and_in_order)
{
    outposts_t *all = outposts_start (2);
    outposts_meet (all);
    outposts_publish (all, 3000);
    ck_assert (station_run (all->loop, s_all_heard, all));
    ck_assert_uint_gt (all->posts[0].pulls_served, 0);
    ck_assert (all->posts[1].is_in_order);
    ck_assert_uint_eq (all->posts[1].delivered_of[MESSAGE_EVENT], 3000);
    outposts_stop (&all);
}
END_TEST

START_TEST (test_the_largest_content_is_fetched_whole)
{
    outposts_t *all = outposts_start (2);
    outposts_meet (all);
    buffer_t *content = &all->posts[0].content;
    uint8_t *bytes = malloc (LIMIT_CONTENT_BYTES);
    for (size_t i = 0; i < LIMIT_CONTENT_BYTES; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 1000);
    buffer_append (content, bytes, LIMIT_CONTENT_BYTES);
    free (bytes);
    digest_t id = digest_of (content->data, content->size);
    mesh_fetch (all->posts[1].mesh, 1, &all->keys[0].identity.id, &id, STATION_WAIT_MS,
                (uint64_t)zclock_mono (), (uint64_t)zclock_time (), &all->posts[1].out);
    ck_assert (station_run_until (all->loop, &all->posts[1].fetched, 1));
    ck_assert_int_eq (all->posts[1].fetched_result, 0);
    ck_assert_uint_eq (all->posts[1].content.size, LIMIT_CONTENT_BYTES);
    outposts_stop (&all);
}
END_TEST

SUITE_MAIN ("io/bus_mesh", test_three_nodes_of_which_two_know_the_first_all_find_each_other,
            test_a_forged_seal_is_refused, test_a_replayed_statement_is_refused,
            test_another_members_statement_over_ones_own_link_is_refused,
            test_one_groups_statement_is_refused_in_another, test_frames_that_are_no_statement_are_refused,
            test_a_flood_of_forgeries_is_logged_once_and_the_node_goes_on,
            test_a_revoked_member_loses_its_link_and_the_others_keep_on,
            test_what_a_hostile_member_publishes_is_judged_too,
            test_a_burst_of_publications_arrives_whole_and_in_order,
            test_the_largest_content_is_fetched_whole)
