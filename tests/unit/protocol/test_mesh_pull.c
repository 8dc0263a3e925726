/* SPDX-License-Identifier: MPL-2.0 */
/* Publications: each once, in order, whatever the network does. */
#include "tests/lib/suite.h"
#include "tests/lib/village.h"

/* Everything that person 0 published has come to `person`, once and in order. */
static void s_expect_all (const village_t *village, size_t person)
{
    const villager_t *who = &village->people[person];
    uint64_t last = 0;
    size_t count = 0;
    for (size_t i = 0; i < who->delivered_count; i++) {
        if (who->delivered[i].kind != MESSAGE_EVENT)
            continue;
        ck_assert_uint_gt (who->delivered[i].seq, last);
        ck_assert (pubkey_is_zero (&who->delivered[i].curve));
        last = who->delivered[i].seq;
        count++;
    }
    ck_assert_uint_eq (count, village->people[0].publication - village->count);
}

START_TEST (test_publications_that_arrive_in_order_are_delivered_and_nothing_is_pulled)
{
    village_t *village = village_new (3);
    village_meet (village);
    for (int i = 0; i < 20; i++)
        village_publish (village, 0);
    s_expect_all (village, 1);
    s_expect_all (village, 2);
    ck_assert_uint_eq (village->sent[MESSAGE_PULL], 0);
    village_destroy (&village);
}
END_TEST

static bool s_lose_events (village_t *self, size_t from, size_t to, unsigned kind)
{
    (void)self;
    (void)from;
    (void)to;
    return kind == MESSAGE_EVENT;
}

START_TEST (test_a_gap_shows_in_the_next_presence_and_is_pulled)
{
    village_t *village = village_new (2);
    village_meet (village);
    village->lose = s_lose_events;
    for (int i = 0; i < 5; i++)
        village_publish (village, 0);
    ck_assert_uint_eq (village_delivered (village, 1, MESSAGE_EVENT), 0);
    village_pass (village, PRESENCE_INTERVAL_MS + 100);
    s_expect_all (village, 1);
    ck_assert_uint_eq (village->sent[MESSAGE_PULL], 1);
    village_destroy (&village);
}
END_TEST

START_TEST (test_a_gap_shows_in_the_next_publication_too)
{
    village_t *village = village_new (2);
    village_meet (village);
    village->lose = s_lose_events;
    village_publish (village, 0);
    village->lose = NULL;
    village_publish (village, 0);
    s_expect_all (village, 1);
    ck_assert_uint_eq (village->sent[MESSAGE_PULL], 1);
    village_destroy (&village);
}
END_TEST

START_TEST (test_more_than_one_answer_holds_is_pulled_in_several)
{
    village_t *village = village_new (2);
    village_meet (village);
    village->lose = s_lose_events;
    for (int i = 0; i < 3 * LIMIT_PULL / 2; i++)
        village_publish (village, 0);
    village_pass (village, PRESENCE_INTERVAL_MS + 100);
    s_expect_all (village, 1);
    ck_assert_uint_eq (village->sent[MESSAGE_PULL], 2);
    village_destroy (&village);
}
END_TEST

START_TEST (test_who_was_away_pulls_what_it_missed_when_it_meets_the_author_again)
{
    village_t *village = village_new (2);
    village_meet (village);
    village_publish (village, 0);
    village_stop (village, 1);
    for (int i = 0; i < 5; i++)
        village_publish (village, 0);
    village_start (village, 1);
    mesh_set_publication (village->people[1].mesh, &village->people[0].identity.id,
                          3); /* as its store says */
    village_hint (village, 1, 0);
    village_pass (village, 200);
    s_expect_all (village, 1);
    village_destroy (&village);
}
END_TEST

static bool s_lose_pulled (village_t *self, size_t from, size_t to, unsigned kind)
{
    (void)self;
    (void)from;
    (void)to;
    return kind == MESSAGE_EVENT || kind == MESSAGE_PULLED;
}

START_TEST (test_a_pull_without_answer_is_repeated_ever_more_slowly_until_it_succeeds)
{
    village_t *village = village_new (2);
    village_meet (village);
    village->lose = s_lose_pulled;
    village_publish (village, 0);
    village_pass (village, 300000);
    ck_assert_uint_ge (village->sent[MESSAGE_PULL], 8);
    ck_assert_uint_le (village->sent[MESSAGE_PULL], 20);
    village->lose = NULL;
    village_pass (village, 40000);
    s_expect_all (village, 1);
    village_destroy (&village);
}
END_TEST

static bool s_lose_at_random (village_t *self, size_t from, size_t to, unsigned kind)
{
    (void)from;
    (void)to;
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return kind != MESSAGE_HELLO && kind != MESSAGE_WELCOME && self->now_ms < 1060000 &&
           (state >> 16) % 100 < 30;
}

START_TEST (test_a_network_that_loses_a_third_loses_no_publication)
{
    village_t *village = village_new (4);
    village_meet (village);
    village->lose = s_lose_at_random;
    for (int i = 0; i < 100; i++) {
        village_publish (village, 0);
        village_pass (village, 300);
    }
    village_pass (village, 90000);
    for (size_t i = 1; i < 4; i++)
        s_expect_all (village, i);
    village_destroy (&village);
}
END_TEST

START_TEST (test_a_publication_heard_twice_is_delivered_once)
{
    village_t *village = village_new (2);
    village_meet (village);
    village_publish (village, 0);
    village_bring (village, 1, NULL, &village->people[0].published[village->people[0].publication]);
    ck_assert_uint_eq (village_delivered (village, 1, MESSAGE_EVENT), 1);
    ck_assert_uint_eq (village->people[1].refused_count, 0);
    village_destroy (&village);
}
END_TEST

START_TEST (test_what_its_author_has_no_more_is_passed_over)
{
    village_t *village = village_new (2);
    village_meet (village);
    village->lose = s_lose_events;
    for (int i = 0; i < 4; i++)
        village_publish (village, 0);
    buffer_clear (&village->people[0].published[village->people[0].publication - 2]);
    village_pass (village, PRESENCE_INTERVAL_MS + 100);
    ck_assert_uint_eq (village_delivered (village, 1, MESSAGE_EVENT), 3);
    village->lose = NULL;
    village_publish (village, 0);
    ck_assert_uint_eq (village_delivered (village, 1, MESSAGE_EVENT), 4);
    village_destroy (&village);
}
END_TEST

/* The i-th of the statements that person 0 can put in the place of publication `number`, and why each is refused. */
static buffer_t s_bad_publication (village_t *village, int i, uint64_t number, int *code)
{
    villager_t *author = &village->people[0];
    event_message_t event = {.publication = number, .type = text_of ("x")};
    ping_t ping = {.to = village->people[1].identity.id};
    head_t head = village_head (village, 0, MESSAGE_EVENT);
    const villager_t *reader = &village->people[1];
    buffer_t bad = {0};
    switch (i) {
    case 0: *code = ERROR_IMPOSTOR; return village_statement (&village->people[2].identity, &head, &event);
    case 1:
        *code = ERROR_GROUP;
        head.group.bytes[0] ^= 1;
        return village_statement (&author->identity, &head, &event);
    case 2:
        *code = ERROR_SIGNATURE;
        bad = village_statement (&author->identity, &head, &event);
        bad.data[bad.size - SEAL_BYTES] ^= 1;
        return bad;
    case 3:
        *code = ERROR_KIND;
        head.kind = MESSAGE_PING;
        return village_statement (&author->identity, &head, &ping);
    case 4:
        *code = ERROR_EQUIVOCATION;
        head.seq = reader->delivered[reader->delivered_count - 1].seq;
        return village_statement (&author->identity, &head, &event);
    default:
        *code = ERROR_MALFORMED;
        buffer_append (&bad, "short", 5);
        return bad;
    }
}

/* What comes inside a PULLED is judged as if it came alone; what is refused for good is passed over, once. */
START_TEST (test_pulled_statements_are_judged_each_and_none_blocks_those_behind_it)
{
    village_t *village = village_new (3);
    village_meet (village);
    village_publish (village, 0);
    village->lose = s_lose_events;
    villager_t *author = &village->people[0], *reader = &village->people[1];
    for (int i = 0; i < 6; i++) {
        size_t refused = reader->refused_count, delivered = village_delivered (village, 1, MESSAGE_EVENT);
        int code = 0;
        village_publish (village, 0);
        buffer_t *place = &author->published[author->publication];
        buffer_clear (place);
        *place = s_bad_publication (village, i, author->publication, &code);
        village_publish (village, 0);
        village_pass (village, 30000);
        ck_assert_uint_eq (reader->refused_count, refused + 1);
        ck_assert_int_eq (reader->refused_code, code);
        ck_assert_uint_eq (village_delivered (village, 1, MESSAGE_EVENT), delivered + 1);
    }
    village_destroy (&village);
}
END_TEST

/* A member may publish in bursts; beyond, its publications wait and come in order, and none is lost. */
START_TEST (test_a_flood_of_publications_is_slowed_down_and_comes_whole)
{
    village_t *village = village_new (2);
    village_meet (village);
    for (int i = 0; i < 1400; i++)
        village_publish (village, 0);
    size_t at_once = village_delivered (village, 1, MESSAGE_EVENT);
    ck_assert_uint_ge (at_once, 1000);
    ck_assert_uint_le (at_once, 1024);
    ck_assert_int_eq (village->people[1].refused_code, ERROR_BUSY);
    ck_assert_uint_ge (mesh_refused (village->people[1].mesh, ERROR_BUSY), 1);
    village_pass (village, 1000);
    ck_assert_uint_le (village_delivered (village, 1, MESSAGE_EVENT), at_once + 300);
    village_pass (village, 5000);
    s_expect_all (village, 1);
    ck_assert (village_is_up (village, 1, 0));
    village_destroy (&village);
}
END_TEST

START_TEST (test_a_boast_of_publications_that_are_not_costs_little)
{
    village_t *village = village_new (2);
    village_meet (village);
    presence_t presence = {.state = 1, .publication = UINT64_MAX};
    head_t head = village_head (village, 0, MESSAGE_PRESENCE);
    head.seq = 100001;
    buffer_t packed = village_statement (&village->people[0].identity, &head, &presence);
    village_bring (village, 1, NULL, &packed);
    buffer_clear (&packed);
    village_pass (village, 3 * FRESHNESS_MS);
    ck_assert_uint_ge (village->sent[MESSAGE_PULL], 1);
    ck_assert_uint_le (village->sent[MESSAGE_PULL], 2);
    ck_assert (village_is_up (village, 1, 0));
    village_destroy (&village);
}
END_TEST

START_TEST (test_who_asks_too_often_is_told_busy)
{
    village_t *village = village_new (2);
    village_meet (village);
    pull_t pull = {.to = village->people[0].identity.id, .from = 1};
    for (int i = 0; i < 1000; i++)
        village_say (village, 1, 0, MESSAGE_PULL, &pull);
    ck_assert_uint_le (village->people[0].served_pulls, 256);
    ck_assert_uint_ge (village->people[0].served_pulls, 250);
    ck_assert_uint_eq (village->sent[MESSAGE_REFUSED], 1000 - village->people[0].served_pulls);
    ck_assert_uint_eq (village_delivered (village, 1, MESSAGE_REFUSED), 0); /* none is for its journal */
    size_t before = village->people[0].served_pulls;
    village_pass (village, 500);
    village_say (village, 1, 0, MESSAGE_PULL, &pull);
    ck_assert_uint_eq (village->people[0].served_pulls, before + 1);
    village_destroy (&village);
}
END_TEST

START_TEST (test_an_answer_holds_what_fits_and_says_what_there_is)
{
    village_t *village = village_new (2);
    village_meet (village);
    static uint8_t large[60000];
    bytes_t packed[3] = {{large, sizeof large}, {large, sizeof large}, {large, sizeof large}};
    mesh_outputs_t out = {0};
    mesh_output_t asked = {.kind = MESH_SERVE_PULL, .peer = village->people[1].identity.id};
    mesh_serve_pull (village->people[0].mesh, &asked, packed, 3, 77, village->wall_ms, &out);
    ck_assert_uint_eq (out.count, 1);
    message_t message = {0};
    ck_assert_int_eq (message_decode (out.items[0].bytes.data, out.items[0].bytes.size, &message, NULL), 0);
    ck_assert_uint_eq (message.as.pulled.statements.count, 2);
    ck_assert_uint_eq (message.as.pulled.last, 77);
    message_clear (&message);
    mesh_outputs_clear (&out);
    village_destroy (&village);
}
END_TEST

SUITE_MAIN ("protocol/mesh_pull", test_publications_that_arrive_in_order_are_delivered_and_nothing_is_pulled,
            test_a_gap_shows_in_the_next_presence_and_is_pulled, test_a_gap_shows_in_the_next_publication_too,
            test_more_than_one_answer_holds_is_pulled_in_several,
            test_who_was_away_pulls_what_it_missed_when_it_meets_the_author_again,
            test_a_pull_without_answer_is_repeated_ever_more_slowly_until_it_succeeds,
            test_a_network_that_loses_a_third_loses_no_publication,
            test_a_publication_heard_twice_is_delivered_once, test_what_its_author_has_no_more_is_passed_over,
            test_pulled_statements_are_judged_each_and_none_blocks_those_behind_it,
            test_a_boast_of_publications_that_are_not_costs_little,
            test_a_flood_of_publications_is_slowed_down_and_comes_whole, test_who_asks_too_often_is_told_busy,
            test_an_answer_holds_what_fits_and_says_what_there_is)
