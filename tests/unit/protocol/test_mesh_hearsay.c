/* SPDX-License-Identifier: MPL-2.0 */
/* What one member says of the others: newer rosters, and introductions. */
#include "tests/unit/protocol/judge.h"

START_TEST (test_a_newer_roster_in_a_hello_reaches_the_node)
{
    village_t *village = judged_village ();
    villager_t *founder = &village->people[0];
    identity_t fourth = sample_identity (70);
    pubkey_t curve = sample_curve (70);
    ck_assert_int_eq (members_add (village->members, &village->group, &founder->identity, &fourth.id, &curve,
                                   "new", founder->seq, ++founder->publication, village->wall_ms),
                      0);
    founder->seq += 2;
    /* Only person 2 knows it, and greets anew. */
    mesh_set_members (village->people[2].mesh, village->members, village->now_ms, &village->people[2].out);
    size_t before = village_delivered (village, 1, MESSAGE_ROSTER);
    village_stop (village, 2);
    village_start (village, 2);
    village_hint (village, 2, 1);
    village_pass (village, 1000);
    ck_assert_uint_ge (village_delivered (village, 1, MESSAGE_ROSTER), before + 1);
    village_destroy (&village);
}
END_TEST

/* Person 0 greets person 1 with that roster; returns how many rosters person 1's node was given. */
static size_t s_greet_with (village_t *village, const buffer_t *roster)
{
    hello_t hello = {.to = village->people[1].identity.id,
                     .roster = bytes_of (roster->data, roster->size),
                     .platform = text_of ("")};
    size_t before = village_delivered (village, 1, MESSAGE_ROSTER);
    village_say (village, 2, 1, MESSAGE_HELLO, &hello);
    ck_assert_uint_eq (village->people[1].refused_count, 0);
    return village_delivered (village, 1, MESSAGE_ROSTER) - before;
}

START_TEST (test_a_roster_in_a_hello_that_no_admin_signed_reaches_nobody)
{
    village_t *village = judged_village ();
    ck_assert_uint_eq (s_greet_with (village, &village->members->packed), 0); /* what we have */
    /* A member that is no admin makes itself one. */
    roster_t roster = {.publication = 1, .previous = village->members->id};
    member_t members[1] = {{.id = village->people[2].identity.id,
                            .curve = village->people[2].curve.public_key,
                            .name = text_of ("p2"),
                            .role = 1,
                            .since_epoch = 1}};
    roster.members.items = members;
    roster.members.count = 1;
    head_t head = village_head (village, 2, MESSAGE_ROSTER);
    head.epoch = village->members->epoch + 1;
    buffer_t packed = village_statement (&village->people[2].identity, &head, &roster);
    ck_assert_uint_eq (s_greet_with (village, &packed), 0);
    buffer_clear (&packed);
    packed = village_statement (&village->people[0].identity, &head, &roster);
    packed.data[packed.size - SEAL_BYTES] ^= 1;
    ck_assert_uint_eq (s_greet_with (village, &packed), 0);
    packed.data[packed.size - SEAL_BYTES] ^= 1;
    ck_assert_uint_eq (s_greet_with (village, &packed),
                       1); /* the founder may; whether it follows is the node's to say */
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

/* The founder admits one, tells person 2 of it, and is gone before person 1 hears. */
START_TEST (test_a_roster_spreads_where_its_author_does_not_reach)
{
    village_t *village = judged_village ();
    villager_t *founder = &village->people[0], *between = &village->people[2];
    identity_t fourth = sample_identity (70);
    pubkey_t curve = sample_curve (70);
    ck_assert_int_eq (members_add (village->members, &village->group, &founder->identity, &fourth.id, &curve,
                                   "new", founder->seq, ++founder->publication, village->wall_ms),
                      0);
    village_stop (village, 0);
    mesh_set_members (between->mesh, village->members, village->now_ms, &between->out);
    size_t before = village_delivered (village, 1, MESSAGE_ROSTER), hellos = village->sent[MESSAGE_HELLO];
    village_pass (village, PRESENCE_INTERVAL_MS - 100);
    ck_assert_uint_eq (village->sent[MESSAGE_HELLO], hellos); /* the publication may be on its way yet */
    village_pass (village, 2 * PRESENCE_INTERVAL_MS);
    ck_assert_uint_eq (village_delivered (village, 1, MESSAGE_ROSTER), before + 1);
    /* Once for an epoch, whatever person 1's node makes of it. */
    village_pass (village, 3 * PRESENCE_INTERVAL_MS);
    ck_assert_uint_eq (village->sent[MESSAGE_HELLO], hellos + 1);
    ck_assert (village_is_up (village, 1, 2) && village_is_up (village, 2, 1));
    village_destroy (&village);
}
END_TEST

/* --- introductions --- */

START_TEST (test_an_introduction_tells_an_address_and_nothing_else)
{
    village_t *village = village_new (3);
    const pubkey_t *link = &village->people[0].curve.public_key;
    presence_t presence = {.state = 1};
    address_t address = {text_of ("tcp://192.0.2.7:1"), text_of ("tcp://192.0.2.7:2")};
    presence.addresses.items = &address;
    presence.addresses.count = 1;
    head_t head = village_head (village, 2, MESSAGE_PRESENCE);
    head.seq = 5001;
    buffer_t packed = village_statement (&village->people[2].identity, &head, &presence);
    village_bring (village, 1, link, &packed);
    ck_assert_str_eq (village_peer (village, 1, 2).rpc, "tcp://192.0.2.7:1");
    ck_assert_int_eq (village_peer (village, 1, 2).state, PEER_LINKING);
    ck_assert_uint_eq (village_peer (village, 1, 2).heard_ms, 0);
    village_bring (village, 1, link, &packed); /* again: no news, and no offence of who means well */
    ck_assert_uint_eq (village->people[1].refused_count, 0);
    ck_assert_uint_eq (village->people[1].connect_count[2], 1);
    buffer_clear (&packed);
    /* An older one comes late. */
    address.rpc = text_of ("tcp://192.0.2.8:1");
    head.seq = 4999;
    packed = village_statement (&village->people[2].identity, &head, &presence);
    village_bring (village, 1, link, &packed);
    ck_assert_str_eq (village_peer (village, 1, 2).rpc, "tcp://192.0.2.7:1");
    buffer_clear (&packed);
    /* Forged and old ones are offences. */
    head.seq = 5003;
    packed = village_statement (&village->people[2].identity, &head, &presence);
    packed.data[packed.size - SEAL_BYTES] ^= 1;
    expect_refused (village, link, &packed, ERROR_SIGNATURE);
    buffer_clear (&packed);
    head.time_ms -= FRESHNESS_MS + 1;
    packed = village_statement (&village->people[2].identity, &head, &presence);
    expect_refused (village, link, &packed, ERROR_STALE);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_an_introduction_moves_no_peer_that_is_up)
{
    village_t *village = judged_village ();
    presence_t presence = {.state = 2};
    head_t head = village_head (village, 2, MESSAGE_PRESENCE);
    head.seq = 90001;
    buffer_t packed = village_statement (&village->people[2].identity, &head, &presence);
    village_bring (village, 1, &village->people[0].curve.public_key, &packed);
    ck_assert (village_is_up (village, 1, 2)); /* a goodbye counts from who says it, or by publication */
    ck_assert_uint_eq (village->people[1].lost_count[2], 0);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

SUITE_MAIN ("protocol/mesh_hearsay", test_a_newer_roster_in_a_hello_reaches_the_node,
            test_a_roster_in_a_hello_that_no_admin_signed_reaches_nobody,
            test_a_roster_spreads_where_its_author_does_not_reach,
            test_an_introduction_tells_an_address_and_nothing_else,
            test_an_introduction_moves_no_peer_that_is_up)
