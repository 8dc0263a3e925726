/* SPDX-License-Identifier: MPL-2.0 */
/* Who is there: how members find, lose and find each other again. */
#include "tests/lib/suite.h"
#include "tests/lib/village.h"

START_TEST (test_members_who_know_only_the_founders_address_all_find_each_other)
{
    village_t *village = village_new (VILLAGE_MAX);
    village_meet (village);
    for (size_t i = 0; i < VILLAGE_MAX; i++) {
        ck_assert_uint_eq (village->people[i].refused_count, 0);
        for (size_t j = 0; j < VILLAGE_MAX; j++)
            ck_assert_uint_eq (village->people[i].up_count[j], i != j);
    }
    mesh_peer_t peer = village_peer (village, 4, 3);
    ck_assert_str_eq (peer.name, "p3");
    ck_assert_str_eq (peer.rpc, "tcp://10.0.0.4:7401");
    ck_assert_str_eq (peer.pub, "tcp://10.0.0.4:7402");
    village_destroy (&village);
}
END_TEST

static bool s_lose_introductions (village_t *self, size_t from, size_t to, unsigned kind)
{
    (void)self;
    (void)from;
    return kind == MESSAGE_PRESENCE && to != SIZE_MAX;
}

START_TEST (test_lost_introductions_are_made_up_for)
{
    village_t *village = village_new (4);
    village->lose = s_lose_introductions;
    for (size_t i = 1; i < 4; i++)
        village_hint (village, i, 0);
    village_pass (village, 5000);
    ck_assert (village_is_up (village, 3, 0));
    ck_assert (!village_is_up (village, 3, 2));
    village->lose = NULL;
    village_pass (village, 60000);
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 4; j++)
            ck_assert (i == j || village_is_up (village, i, j));
    village_destroy (&village);
}
END_TEST

START_TEST (test_a_quiet_village_stays_up)
{
    village_t *village = village_new (3);
    village_meet (village);
    village_pass (village, 600000);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq (village->people[i].refused_count, 0);
        for (size_t j = 0; j < 3; j++) {
            ck_assert_uint_eq (village->people[i].up_count[j], i != j);
            ck_assert_uint_eq (village->people[i].lost_count[j], 0);
            ck_assert_uint_eq (village->people[i].connect_count[j], i != j);
        }
    }
    ck_assert_uint_eq (village->sent[MESSAGE_PING], 0);
    village_destroy (&village);
}
END_TEST

START_TEST (test_silence_makes_suspect_then_lost_and_nothing_sooner)
{
    village_t *village = village_new (2);
    village_meet (village);
    village_stop (village, 1);
    village_pass (village, SUSPECT_AFTER_MS - 1500);
    ck_assert_int_eq (village_peer (village, 0, 1).state, PEER_UP);
    ck_assert_uint_eq (village->sent[MESSAGE_PING], 0);
    village_pass (village, 2000);
    ck_assert_int_eq (village_peer (village, 0, 1).state, PEER_SUSPECT);
    ck_assert_uint_ge (village->sent[MESSAGE_PING], 1);
    ck_assert_uint_eq (village->people[0].lost_count[1], 0);
    village_pass (village, LOST_AFTER_MS - SUSPECT_AFTER_MS);
    ck_assert_int_eq (village_peer (village, 0, 1).state, PEER_LINKING);
    ck_assert_uint_eq (village->people[0].lost_count[1], 1);
    village_destroy (&village);
}
END_TEST

static bool s_lose_publications (village_t *self, size_t from, size_t to, unsigned kind)
{
    (void)self;
    (void)from;
    (void)kind;
    return to == SIZE_MAX;
}

START_TEST (test_a_peer_whose_publications_are_lost_answers_pings_and_stays)
{
    village_t *village = village_new (2);
    village_meet (village);
    village->lose = s_lose_publications;
    size_t before = village->people[0].connect_count[1];
    village_pass (village, 3 * LOST_AFTER_MS);
    ck_assert (village_is_up (village, 0, 1));
    ck_assert_uint_eq (village->people[0].lost_count[1], 0);
    ck_assert_uint_ge (village->sent[MESSAGE_PONG], 1);
    /* And the subscription, which seems dead, is made anew. */
    ck_assert_uint_ge (village->people[0].connect_count[1], before + 1);
    village_destroy (&village);
}
END_TEST

START_TEST (test_a_goodbye_is_believed_at_once)
{
    village_t *village = village_new (3);
    village_meet (village);
    villager_t *leaver = &village->people[2];
    mesh_leave (leaver->mesh, village->now_ms, village->wall_ms, &leaver->out);
    village_settle (village);
    ck_assert_uint_eq (village->people[0].lost_count[2], 1);
    ck_assert_uint_eq (village->people[1].lost_count[2], 1);
    ck_assert_uint_eq (village->people[0].lost_count[1], 0);
    village_destroy (&village);
}
END_TEST

START_TEST (test_a_restarted_peer_at_a_new_address_is_found_by_all)
{
    village_t *village = village_new (4);
    village_meet (village);
    village_stop (village, 2);
    village_pass (village, 2000); /* too short to be missed */
    village_start (village, 2);
    village_hint (village, 2, 0);
    village_pass (village, 5000);
    for (size_t i = 0; i < 4; i++) {
        if (i == 2)
            continue;
        ck_assert (village_is_up (village, i, 2));
        ck_assert (village_is_up (village, 2, i));
        ck_assert_uint_ge (village->people[i].up_count[2], 2); /* said again: what waits is to be repeated */
        ck_assert_uint_eq (village->people[i].refused_count, 0);
    }
    village_destroy (&village);
}
END_TEST

START_TEST (test_a_peer_that_restarts_at_its_address_is_said_to_be_up_again)
{
    village_t *village = village_new (2);
    village_meet (village);
    village_stop (village, 1);
    village->people[1].life--; /* the same address */
    village_start (village, 1);
    village_hint (village, 1, 0);
    village_pass (village, 1000);
    ck_assert_uint_eq (village->people[0].up_count[1], 2);
    ck_assert_uint_eq (village->people[0].lost_count[1], 0);
    village_destroy (&village);
}
END_TEST

static bool s_lose_hellos (village_t *self, size_t from, size_t to, unsigned kind)
{
    (void)self;
    (void)from;
    (void)to;
    return kind == MESSAGE_HELLO;
}

START_TEST (test_hello_is_repeated_ever_more_slowly_and_the_link_made_anew)
{
    village_t *village = village_new (2);
    village->lose = s_lose_hellos;
    village_hint (village, 1, 0);
    village_pass (village, 5000);
    size_t early = village->sent[MESSAGE_HELLO];
    ck_assert_uint_ge (early, 3);
    ck_assert_uint_le (early, 8);
    village_pass (village, 295000);
    size_t late = village->sent[MESSAGE_HELLO] - early;
    ck_assert_uint_ge (late, 295000 / RECONNECT_MS_MAX);
    ck_assert_uint_le (late, 2 * 295000 / RECONNECT_MS_MAX + 10);
    ck_assert_uint_ge (village->people[1].connect_count[0], 3);
    village->lose = NULL;
    village_pass (village, 2 * RECONNECT_MS_MAX);
    ck_assert (village_is_up (village, 1, 0));
    village_destroy (&village);
}
END_TEST

static uint64_t s_last_hello_ms[VILLAGE_MAX];

static bool s_note_hellos (village_t *self, size_t from, size_t to, unsigned kind)
{
    (void)to;
    if (kind == MESSAGE_HELLO)
        s_last_hello_ms[from] = self->now_ms;
    return kind == MESSAGE_HELLO;
}

START_TEST (test_two_lost_peers_do_not_try_in_step)
{
    village_t *village = village_new (3);
    village->lose = s_note_hellos;
    village_hint (village, 1, 0);
    village_hint (village, 2, 0);
    village_pass (village, 60000);
    ck_assert_uint_ne (s_last_hello_ms[1], 0);
    ck_assert_uint_ne (s_last_hello_ms[1], s_last_hello_ms[2]);
    village_destroy (&village);
}
END_TEST

START_TEST (test_a_revoked_member_is_dropped_at_once)
{
    village_t *village = village_new (3);
    village_meet (village);
    villager_t *founder = &village->people[0];
    ck_assert_int_eq (members_revoke (village->members, &village->group, &founder->identity,
                                      &village->people[2].identity.id, founder->seq, ++founder->publication,
                                      village->wall_ms),
                      0);
    founder->seq += 2;
    village_set_members (village);
    ck_assert_uint_eq (founder->lost_count[2], 1);
    ck_assert_uint_eq (founder->disconnect_count[2], 1);
    ck_assert_uint_eq (village->people[1].disconnect_count[2], 1);
    ck_assert_uint_eq (founder->lost_count[1], 0);
    leave_t leave = {.to = founder->identity.id, .reason = text_of ("")};
    village_say (village, 2, 0, MESSAGE_LEAVE, &leave);
    ck_assert_int_eq (founder->refused_code, ERROR_REVOKED);
    ck_assert_uint_eq (village_delivered (village, 0, MESSAGE_LEAVE), 0);
    ck_assert (village_is_up (village, 0, 1));
    village_destroy (&village);
}
END_TEST

START_TEST (test_hints_give_way_to_what_a_peer_tells_itself)
{
    village_t *village = village_new (2);
    village_meet (village);
    size_t before = village->people[1].connect_count[0];
    mesh_hint (village->people[1].mesh, &village->people[0].identity.id, "tcp://192.0.2.1:1",
               "tcp://192.0.2.1:2", village->now_ms, &village->people[1].out);
    village_settle (village);
    ck_assert_uint_eq (village->people[1].connect_count[0], before);
    ck_assert_str_eq (village_peer (village, 1, 0).rpc, "tcp://10.0.0.1:7401");
    village_destroy (&village);
}
END_TEST

START_TEST (test_addresses_that_are_not_tcp_are_not_linked_to)
{
    village_t *village = village_new (2);
    const char *rpcs[] = {"inproc://zeromq.zap.01", "ipc:///run/x", "", "pgm://eth0;1.2.3.4:5"};
    for (size_t i = 0; i < 4; i++) {
        mesh_hint (village->people[1].mesh, &village->people[0].identity.id, rpcs[i], "tcp://10.0.0.1:1",
                   village->now_ms, &village->people[1].out);
        mesh_hint (village->people[1].mesh, &village->people[0].identity.id, "tcp://10.0.0.1:1", rpcs[i],
                   village->now_ms, &village->people[1].out);
    }
    village_settle (village);
    ck_assert_uint_eq (village->people[1].connect_count[0], 0);
    ck_assert_int_eq (village_peer (village, 1, 0).state, PEER_UNKNOWN);
    village_destroy (&village);
}
END_TEST

START_TEST (test_live_numbers_are_reserved_before_they_are_used)
{
    village_t *village = village_new (2);
    ck_assert_uint_eq (village->people[1].reserved, 0);
    village->is_hushed = true;
    village_hint (village, 1, 0);
    village_pass (village, 100);
    const mesh_outputs_t *out = &village->people[1].out;
    bool reserved = false;
    for (size_t i = 0; i < out->count; i++) {
        if (out->items[i].kind == MESH_RESERVE) {
            ck_assert_uint_eq (out->items[i].number, VILLAGE_SEQ + 2 * SEQ_BLOCK);
            reserved = true;
        }
        head_t head;
        if (out->items[i].bytes.size > 0) {
            ck_assert (reserved);
            ck_assert_int_eq (message_head (out->items[i].bytes.data, out->items[i].bytes.size, &head), 0);
            ck_assert_uint_eq (head.seq % 2, 1);
        }
    }
    ck_assert (reserved);
    village->is_hushed = false;
    village_settle (village);
    village_pass (village, 2000 * UINT64_C (1000)); /* a block and more of presences */
    ck_assert_uint_ge (village->people[1].reserved, VILLAGE_SEQ + 4 * SEQ_BLOCK);
    village_destroy (&village);
}
END_TEST

/* A restored backup goes on with numbers that were used: its peers tell it, and it jumps ahead. */
START_TEST (test_a_node_that_lost_count_goes_on_behind_what_its_peers_have_heard)
{
    village_t *village = village_new (2);
    village_meet (village);
    village_pass (village, 2 * FRESHNESS_MS);
    village_stop (village, 1);
    village->people[1].reserved = 0; /* back to the first number */
    village_start (village, 1);
    village_hint (village, 1, 0);
    village_pass (village, 3000);
    ck_assert (village_is_up (village, 1, 0));
    ck_assert_uint_eq (village->people[0].lost_count[1], 0);
    village_pass (village, 2 * LOST_AFTER_MS);
    ck_assert (village_is_up (village, 0, 1));
    village_destroy (&village);
}
END_TEST

static void s_say_hello (village_t *village, size_t from, size_t to, uint64_t seq_seen)
{
    hello_t hello = {.to = village->people[to].identity.id,
                     .roster = bytes_of (village->members->packed.data, village->members->packed.size),
                     .validation_types = 7,
                     .platform = text_of ("test"),
                     .seq_seen = seq_seen,
                     .publication = village->people[from].publication};
    village_say (village, from, to, MESSAGE_HELLO, &hello);
}

/* Each PEER_UP is an entry of the journal. */
START_TEST (test_who_greets_without_end_is_said_to_be_up_once_a_second)
{
    village_t *village = village_new (2);
    village_meet (village);
    village_pass (village, 2000);
    const villager_t *who = &village->people[1];
    ck_assert_uint_eq (who->up_count[0], 1);
    for (int i = 0; i < 500; i++)
        s_say_hello (village, 0, 1, 0);
    ck_assert_uint_eq (who->up_count[0], 2);
    village_pass (village, 1000);
    ck_assert_uint_eq (who->up_count[0],
                       3); /* the last greeting is not lost: its author may have started anew */
    village_pass (village, 10000);
    ck_assert_uint_eq (who->up_count[0], 3);
    village_destroy (&village);
}
END_TEST

START_TEST (test_who_comes_and_goes_without_end_is_told_of_no_faster)
{
    village_t *village = village_new (2);
    village_meet (village);
    villager_t *flapper = &village->people[0];
    const villager_t *who = &village->people[1];
    uint64_t from_ms = village->now_ms;
    for (int i = 0; i < 100; i++) {
        mesh_leave (flapper->mesh, village->now_ms, village->wall_ms, &flapper->out);
        village_settle (village);
        s_say_hello (village, 0, 1, 0);
        village_pass (village, 100);
    }
    size_t seconds = (size_t)((village->now_ms - from_ms) / 1000);
    ck_assert_uint_le (who->up_count[0], seconds + 2);
    ck_assert_uint_le (who->lost_count[0], who->up_count[0]);
    village_pass (village, 60000);
    ck_assert (village_is_up (village, 1, 0));
    ck_assert_uint_eq (who->up_count[0], who->lost_count[0] + 1);
    village_destroy (&village);
}
END_TEST

/* Numbers jump on a member's word, once a minute; who is up is not greeted anew for it. */
START_TEST (test_no_lie_of_one_disturbs_the_others)
{
    village_t *village = village_new (4);
    village_meet (village);
    village_pass (village, 2000);
    const villager_t *who = &village->people[1];
    size_t hellos = village->sent[MESSAGE_HELLO];
    for (int i = 0; i < 50; i++)
        s_say_hello (village, 0, 1, UINT64_MAX);
    village_pass (village, 5000);
    ck_assert_uint_eq (village->sent[MESSAGE_HELLO], hellos); /* of ours; the liar's are not counted */
    ck_assert_uint_gt (who->reserved, SEQ_JUMP_MAX);
    ck_assert_uint_lt (who->reserved, 2 * SEQ_JUMP_MAX);
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 4; j++)
            ck_assert_uint_eq (village->people[i].lost_count[j], 0);
    village_destroy (&village);
}
END_TEST

/* A member that boasts to have seen the highest number there is takes nothing from us but some numbers. */
START_TEST (test_no_lie_uses_our_numbers_up)
{
    village_t *village = village_new (2);
    village_meet (village);
    villager_t *liar = &village->people[0], *who = &village->people[1];
    const uint64_t lies[] = {UINT64_MAX, UINT64_MAX - 3, UINT64_MAX - 1};
    for (size_t i = 0; i < 3; i++) {
        s_say_hello (village, 0, 1, lies[i]);
        uint64_t most = VILLAGE_SEQ + (i + 1) * (SEQ_JUMP_MAX + 4 * SEQ_BLOCK);
        village_pass (village, 60000);
        ck_assert_uint_gt (who->reserved, (i + 1) * SEQ_JUMP_MAX); /* it was believed, up to the bound */
        ck_assert_uint_lt (who->reserved, most);
        ck_assert_uint_lt (who->up_number[0], most); /* what the node hears is bounded too */
        ck_assert (village_is_up (village, 0, 1));
        ck_assert (village_is_up (village, 1, 0));
    }
    village_pass (village, 2 * LOST_AFTER_MS);
    ck_assert_uint_eq (liar->lost_count[1], 0);
    ck_assert_uint_eq (liar->refused_count, 0);
    village_destroy (&village);
}
END_TEST

START_TEST (test_metrics_of_peers_are_seen)
{
    village_t *village = village_new (2);
    village_meet (village);
    ck_assert (!village_peer (village, 1, 0).has_metrics);
    metrics_message_t metrics = {.learning_rate = 0.25, .slots = 3, .slots_busy = 2};
    mesh_publish_metrics (village->people[0].mesh, &metrics, village->wall_ms, &village->people[0].out);
    village_settle (village);
    mesh_peer_t peer = village_peer (village, 1, 0);
    ck_assert (peer.has_metrics);
    ck_assert_double_eq (peer.learning_rate, 0.25);
    ck_assert_uint_eq (peer.slots, 3);
    ck_assert_uint_eq (peer.slots_busy, 2);
    village_destroy (&village);
}
END_TEST

SUITE_MAIN ("protocol/mesh_links", test_members_who_know_only_the_founders_address_all_find_each_other,
            test_lost_introductions_are_made_up_for, test_a_quiet_village_stays_up,
            test_silence_makes_suspect_then_lost_and_nothing_sooner,
            test_a_peer_whose_publications_are_lost_answers_pings_and_stays,
            test_a_goodbye_is_believed_at_once, test_a_restarted_peer_at_a_new_address_is_found_by_all,
            test_a_peer_that_restarts_at_its_address_is_said_to_be_up_again,
            test_hello_is_repeated_ever_more_slowly_and_the_link_made_anew,
            test_two_lost_peers_do_not_try_in_step, test_a_revoked_member_is_dropped_at_once,
            test_hints_give_way_to_what_a_peer_tells_itself,
            test_addresses_that_are_not_tcp_are_not_linked_to,
            test_live_numbers_are_reserved_before_they_are_used,
            test_a_node_that_lost_count_goes_on_behind_what_its_peers_have_heard,
            test_who_greets_without_end_is_said_to_be_up_once_a_second,
            test_who_comes_and_goes_without_end_is_told_of_no_faster, test_no_lie_of_one_disturbs_the_others,
            test_no_lie_uses_our_numbers_up, test_metrics_of_peers_are_seen)
