/* SPDX-License-Identifier: MPL-2.0 */
/* The judgement of what arrives: each reason to refuse, and that what is refused has no effect. */
#include "tests/lib/sample.h"
#include "tests/lib/suite.h"
#include "tests/lib/village.h"

/* Three who know each other; person 1 judges, person 0 speaks to it. */
static village_t *s_village (void)
{
    village_t *village = village_new (3);
    village_meet (village);
    return village;
}

static leave_t s_leave_message (const village_t *village)
{
    return (leave_t){.to = village->people[1].identity.id, .reason = text_of ("bye")};
}

static ack_t s_ack (const village_t *village)
{
    return (ack_t){.to = village->people[1].identity.id};
}

/* Person 1 hears it on that link and refuses it for that reason, once. */
static void s_expect_refused (village_t *village, const pubkey_t *curve, const buffer_t *packed, int code)
{
    villager_t *judge = &village->people[1];
    size_t refused = judge->refused_count, delivered = judge->delivered_count;
    uint64_t counted = mesh_refused (judge->mesh, code);
    village_bring (village, 1, curve, packed);
    ck_assert_uint_eq (judge->refused_count, refused + 1);
    ck_assert_msg (judge->refused_code == code, "refused as %s, not %s", error_name (judge->refused_code),
                   error_name (code));
    ck_assert_uint_eq (mesh_refused (judge->mesh, code), counted + 1);
    ck_assert_uint_eq (judge->delivered_count, delivered);
}

static void s_expect_delivered (village_t *village, const pubkey_t *curve, const buffer_t *packed)
{
    villager_t *judge = &village->people[1];
    size_t refused = judge->refused_count, delivered = judge->delivered_count;
    village_bring (village, 1, curve, packed);
    ck_assert_msg (judge->refused_count == refused, "refused as %s", error_name (judge->refused_code));
    ck_assert_uint_eq (judge->delivered_count, delivered + 1);
}

START_TEST (test_a_statement_in_order_is_delivered_as_it_came)
{
    village_t *village = s_village ();
    const pubkey_t *link = &village->people[0].curve.public_key;
    ack_t ack = s_ack (village);
    head_t head = village_head (village, 0, MESSAGE_ACK);
    buffer_t packed = village_statement (&village->people[0].identity, &head, &ack);
    village->is_hushed = true;
    village_bring (village, 1, link, &packed);
    const mesh_outputs_t *out = &village->people[1].out;
    ck_assert_uint_eq (out->count, 1);
    ck_assert_int_eq (out->items[0].kind, MESH_DELIVER);
    ck_assert_uint_eq (out->items[0].bytes.size + SEAL_BYTES, packed.size);
    ck_assert_mem_eq (out->items[0].bytes.data, packed.data, packed.size - SEAL_BYTES);
    ck_assert_mem_eq (out->items[0].seal, packed.data + packed.size - SEAL_BYTES, SEAL_BYTES);
    ck_assert (pubkey_equal (&out->items[0].peer, &village->people[0].identity.id));
    ck_assert (pubkey_equal (&out->items[0].curve, link));
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_frames_that_are_no_statement_are_malformed)
{
    village_t *village = s_village ();
    villager_t *judge = &village->people[1];
    const pubkey_t *link = &village->people[0].curve.public_key;
    static uint8_t large[LIMIT_STATEMENT_BYTES + 1];
    const uint8_t empty_array[] = {0x90}, map[] = {0x81, 1, 2}, seal[SEAL_BYTES + 1] = {0};
    const struct {
        const uint8_t *body;
        size_t body_size;
        size_t seal_size;
    } frames[] = {{NULL, 0, 0},
                  {large, 0, SEAL_BYTES},
                  {large, sizeof large, SEAL_BYTES},
                  {empty_array, 1, SEAL_BYTES},
                  {map, 3, SEAL_BYTES},
                  {large, 10, 0},
                  {large, 10, SEAL_BYTES - 1},
                  {large, 10, SEAL_BYTES + 1}};
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        mesh_receive (judge->mesh, link, frames[i].body, frames[i].body_size, seal, frames[i].seal_size,
                      village->now_ms, village->wall_ms, &judge->out);
        village_settle (village);
        ck_assert_uint_eq (mesh_refused (judge->mesh, ERROR_MALFORMED), i + 1);
    }
    ck_assert (pubkey_equal (&judge->refused_peer, &village->people[0].identity.id));
    village_destroy (&village);
}
END_TEST

START_TEST (test_every_cut_of_a_statement_is_refused_and_harmless)
{
    village_t *village = s_village ();
    villager_t *judge = &village->people[1];
    leave_t leave = s_leave_message (village);
    head_t head = village_head (village, 0, MESSAGE_LEAVE);
    buffer_t packed = village_statement (&village->people[0].identity, &head, &leave);
    size_t body_size = packed.size - SEAL_BYTES, delivered = judge->delivered_count;
    for (size_t size = 0; size < body_size; size++)
        mesh_receive (judge->mesh, &village->people[0].curve.public_key, packed.data, size,
                      packed.data + body_size, SEAL_BYTES, village->now_ms, village->wall_ms, &judge->out);
    village_settle (village);
    ck_assert_uint_eq (judge->refused_count, body_size);
    ck_assert_uint_eq (judge->delivered_count, delivered);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_unknown_kinds_and_kinds_on_the_wrong_socket_are_refused)
{
    village_t *village = s_village ();
    const pubkey_t *link = &village->people[0].curve.public_key;
    const identity_t *author = &village->people[0].identity;
    leave_t leave = s_leave_message (village);
    metrics_message_t metrics = {.slots = 1};
    head_t head = village_head (village, 0, MESSAGE_LEAVE);
    buffer_t packed = village_statement (author, &head, &leave);
    s_expect_refused (village, NULL, &packed, ERROR_KIND); /* RPC on the publication socket */
    packed.data[1] = 99;
    s_expect_refused (village, link, &packed, ERROR_KIND);
    buffer_clear (&packed);
    head = village_head (village, 0, MESSAGE_METRICS);
    packed = village_statement (author, &head, &metrics);
    s_expect_refused (village, link, &packed, ERROR_KIND);
    buffer_clear (&packed);
    charter_t charter = {.founder = author->id};
    head = village_head (village, 0, MESSAGE_CHARTER);
    packed = village_statement (author, &head, &charter);
    s_expect_refused (village, link, &packed, ERROR_KIND); /* stands in others, and says nothing by itself */
    s_expect_refused (village, NULL, &packed, ERROR_KIND);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_one_groups_statement_is_refused_in_another)
{
    village_t *village = s_village ();
    leave_t leave = s_leave_message (village);
    head_t head = village_head (village, 0, MESSAGE_LEAVE);
    head.group.bytes[31] ^= 1;
    buffer_t packed = village_statement (&village->people[0].identity, &head, &leave);
    s_expect_refused (village, &village->people[0].curve.public_key, &packed, ERROR_GROUP);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_authors_who_are_no_members_are_refused)
{
    village_t *village = s_village ();
    leave_t leave = s_leave_message (village);
    head_t head = village_head (village, 0, MESSAGE_LEAVE);
    identity_t stranger = sample_identity (99);
    buffer_t packed = village_statement (&stranger, &head, &leave);
    s_expect_refused (village, &village->people[0].curve.public_key, &packed, ERROR_STRANGER);
    ck_assert (pubkey_equal (&village->people[1].refused_peer,
                             &village->people[0].identity.id)); /* whose link it was */
    buffer_clear (&packed);
    /* A member, but not in the epoch that it speaks of. */
    head = village_head (village, 2, MESSAGE_LEAVE);
    head.epoch = 2;
    packed = village_statement (&village->people[2].identity, &head, &leave);
    s_expect_refused (village, &village->people[2].curve.public_key, &packed, ERROR_STRANGER);
    buffer_clear (&packed);
    /* A publication of a stranger is laid to nobody. */
    metrics_message_t metrics = {.slots = 1};
    head = village_head (village, 0, MESSAGE_METRICS);
    packed = village_statement (&stranger, &head, &metrics);
    s_expect_refused (village, NULL, &packed, ERROR_STRANGER);
    ck_assert (pubkey_is_zero (&village->people[1].refused_peer));
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_a_revoked_author_is_refused)
{
    village_t *village = s_village ();
    villager_t *founder = &village->people[0];
    ck_assert_int_eq (members_revoke (village->members, &village->group, &founder->identity,
                                      &village->people[2].identity.id, founder->seq, ++founder->publication,
                                      village->wall_ms),
                      0);
    founder->seq += 2;
    village_set_members (village);
    leave_t leave = s_leave_message (village);
    head_t head = village_head (village, 2, MESSAGE_LEAVE);
    buffer_t packed = village_statement (&village->people[2].identity, &head, &leave);
    s_expect_refused (village, &village->people[2].curve.public_key, &packed, ERROR_REVOKED);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_nobody_speaks_for_another_over_its_own_link)
{
    village_t *village = s_village ();
    leave_t leave = s_leave_message (village);
    head_t head = village_head (village, 0, MESSAGE_LEAVE);
    buffer_t packed = village_statement (&village->people[0].identity, &head, &leave);
    s_expect_refused (village, &village->people[2].curve.public_key, &packed, ERROR_IMPOSTOR);
    ck_assert (pubkey_equal (&village->people[1].refused_peer, &village->people[2].identity.id));
    s_expect_delivered (village, &village->people[0].curve.public_key,
                        &packed); /* no harm was done to its author */
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_our_own_words_sent_back_are_refused)
{
    village_t *village = s_village ();
    metrics_message_t metrics = {.slots = 1};
    head_t head = village_head (village, 1, MESSAGE_METRICS);
    buffer_t packed = village_statement (&village->people[1].identity, &head, &metrics);
    s_expect_refused (village, NULL, &packed, ERROR_REPLAYED);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_what_is_addressed_to_another_is_refused)
{
    village_t *village = s_village ();
    leave_t leave = {.to = village->people[2].identity.id, .reason = text_of ("")};
    head_t head = village_head (village, 0, MESSAGE_LEAVE);
    buffer_t packed = village_statement (&village->people[0].identity, &head, &leave);
    s_expect_refused (village, &village->people[0].curve.public_key, &packed, ERROR_ADDRESSEE);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_live_statements_count_while_fresh_and_durable_ones_always)
{
    const struct {
        int64_t age_ms;
        int code;
    } ages[] = {{FRESHNESS_MS + 1, ERROR_STALE},
                {-(int64_t)FRESHNESS_MS - 1, ERROR_STALE},
                {FRESHNESS_MS, 0},
                {-(int64_t)FRESHNESS_MS, 0}};
    village_t *village = s_village ();
    const pubkey_t *link = &village->people[0].curve.public_key;
    ack_t ack = s_ack (village);
    for (size_t i = 0; i < sizeof ages / sizeof *ages; i++) {
        head_t head = village_head (village, 0, MESSAGE_ACK);
        head.time_ms = (uint64_t)((int64_t)village->wall_ms - ages[i].age_ms);
        buffer_t packed = village_statement (&village->people[0].identity, &head, &ack);
        if (ages[i].code == 0)
            s_expect_delivered (village, link, &packed);
        else
            s_expect_refused (village, link, &packed, ages[i].code);
        buffer_clear (&packed);
    }
    leave_t leave = s_leave_message (village);
    head_t head = village_head (village, 0, MESSAGE_LEAVE);
    head.time_ms = 1;
    buffer_t packed = village_statement (&village->people[0].identity, &head, &leave);
    s_expect_delivered (village, link, &packed);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_a_forged_seal_is_refused_and_uses_up_no_number)
{
    village_t *village = s_village ();
    const pubkey_t *link = &village->people[0].curve.public_key;
    ack_t ack = s_ack (village);
    head_t head = village_head (village, 0, MESSAGE_ACK);
    buffer_t packed = village_statement (&village->people[0].identity, &head, &ack);
    packed.data[packed.size - SEAL_BYTES] ^= 1; /* in the signature */
    s_expect_refused (village, link, &packed, ERROR_SIGNATURE);
    packed.data[packed.size - SEAL_BYTES] ^= 1;
    packed.data[packed.size - SEAL_BYTES - 1] ^= 1; /* in the body */
    s_expect_refused (village, link, &packed, ERROR_SIGNATURE);
    packed.data[packed.size - SEAL_BYTES - 1] ^= 1;
    s_expect_delivered (village, link, &packed);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_a_live_statement_counts_once)
{
    village_t *village = s_village ();
    const pubkey_t *link = &village->people[0].curve.public_key;
    ack_t ack = s_ack (village);
    head_t head = village_head (village, 0, MESSAGE_ACK);
    buffer_t packed = village_statement (&village->people[0].identity, &head, &ack);
    s_expect_delivered (village, link, &packed);
    s_expect_refused (village, link, &packed, ERROR_REPLAYED);
    s_expect_refused (village, link, &packed, ERROR_REPLAYED);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_a_replayed_presence_keeps_nobody_alive)
{
    village_t *village = s_village ();
    presence_t presence = {.state = 1};
    head_t head = village_head (village, 0, MESSAGE_PRESENCE);
    head.seq = 9001;
    buffer_t packed = village_statement (&village->people[0].identity, &head, &presence);
    village_bring (village, 1, NULL, &packed);
    village_stop (village, 0);
    for (int i = 0; i < 15; i++) {
        village_pass (village, 1000);
        s_expect_refused (village, NULL, &packed, ERROR_REPLAYED);
        village_bring (village, 1, &village->people[2].curve.public_key,
                       &packed); /* nor as an introduction */
    }
    ck_assert_uint_eq (village->people[1].lost_count[0], 1);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_a_durable_statement_is_delivered_again_as_its_acknowledgement_may_be_lost)
{
    village_t *village = s_village ();
    const pubkey_t *link = &village->people[0].curve.public_key;
    leave_t leave = s_leave_message (village);
    head_t head = village_head (village, 0, MESSAGE_LEAVE);
    buffer_t packed = village_statement (&village->people[0].identity, &head, &leave);
    s_expect_delivered (village, link, &packed);
    s_expect_delivered (village, link, &packed);
    packed.data[packed.size - SEAL_BYTES] ^= 1;
    s_expect_refused (village, link, &packed, ERROR_SIGNATURE); /* only exactly as it was */
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_two_statements_under_one_number_prove_a_lie)
{
    village_t *village = s_village ();
    const pubkey_t *link = &village->people[0].curve.public_key;
    leave_t leave = s_leave_message (village);
    head_t head = village_head (village, 0, MESSAGE_LEAVE);
    buffer_t first = village_statement (&village->people[0].identity, &head, &leave);
    leave.reason = text_of ("or rather not");
    buffer_t second = village_statement (&village->people[0].identity, &head, &leave);
    s_expect_delivered (village, link, &first);
    ck_assert_ptr_null (mesh_proof (village->people[1].mesh, 0));
    s_expect_refused (village, link, &second, ERROR_EQUIVOCATION);
    const proof_t *proof = mesh_proof (village->people[1].mesh, 0);
    ck_assert_ptr_nonnull (proof);
    ck_assert (proof_holds (proof));
    ck_assert (pubkey_equal (&proof->author, &village->people[0].identity.id));
    ck_assert_ptr_null (mesh_proof (village->people[1].mesh, 1));
    buffer_clear (&first);
    buffer_clear (&second);
    village_destroy (&village);
}
END_TEST

/* The numbers of the node (even) and of its mesh (odd) count up each for itself, however far apart they are. */
START_TEST (test_a_node_that_says_little_is_heard_beside_a_mesh_that_says_much)
{
    village_t *village = s_village ();
    village_pass (village, 2 * FRESHNESS_MS);
    ack_t ack = s_ack (village);
    head_t head = village_head (village, 0, MESSAGE_ACK);
    ck_assert_uint_lt (head.seq, VILLAGE_SEQ);
    buffer_t packed = village_statement (&village->people[0].identity, &head, &ack);
    s_expect_delivered (village, &village->people[0].curve.public_key, &packed);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_refusals_are_first_once_per_peer_and_minute)
{
    village_t *village = s_village ();
    villager_t *judge = &village->people[1];
    leave_t leave = {.to = village->people[2].identity.id, .reason = text_of ("")};
    for (int minute = 0; minute < 2; minute++) {
        for (size_t person = 0; person < 3; person += 2)
            for (int i = 0; i < 10; i++)
                village_say (village, person, 1, MESSAGE_LEAVE, &leave);
        ck_assert_uint_eq (judge->refused_first, 2u * (unsigned)(minute + 1));
        village_pass (village, 60000);
    }
    ck_assert_uint_eq (judge->refused_count, 40);
    village_destroy (&village);
}
END_TEST

/* --- joining --- */

static join_request_t s_join (const village_t *village, const pubkey_t *invite)
{
    return (join_request_t){.to = village->people[1].identity.id, .invite = *invite, .name = text_of ("new")};
}

static head_t s_join_head (village_t *village)
{
    head_t head = village_head (village, 0, MESSAGE_JOIN_REQUEST);
    village->people[0].seq -= 2;
    head.epoch = 0;
    head.seq = 1;
    return head;
}

START_TEST (test_a_live_invite_is_heard_to_join_and_for_nothing_else)
{
    village_t *village = s_village ();
    mesh_t *mesh = village->people[1].mesh;
    pubkey_t invite = sample_curve (50);
    identity_t joiner = sample_identity (60);
    mesh_set_invite (mesh, &invite, true);
    join_request_t join = s_join (village, &invite);
    head_t head = s_join_head (village);
    buffer_t packed = village_statement (&joiner, &head, &join);
    s_expect_delivered (village, &invite, &packed);
    s_expect_delivered (village, &invite, &packed); /* a retry is free */
    s_expect_refused (village, &village->people[0].curve.public_key, &packed, ERROR_DENIED);
    pubkey_t other = sample_curve (51);
    s_expect_refused (village, &other, &packed, ERROR_DENIED);
    mesh_set_invite (mesh, &other, true);
    s_expect_refused (village, &other, &packed, ERROR_IMPOSTOR); /* signed for another link */
    mesh_set_invite (mesh, &invite, false);
    s_expect_refused (village, &invite, &packed, ERROR_DENIED);
    buffer_clear (&packed);
    leave_t leave = s_leave_message (village);
    head = village_head (village, 0, MESSAGE_LEAVE);
    packed = village_statement (&village->people[0].identity, &head, &leave);
    s_expect_refused (village, &other, &packed, ERROR_DENIED);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

/* The node tells a revoked one why it may not come in; silence would look like a broken link. */
START_TEST (test_requests_to_join_are_heard_again_and_from_revoked_members_too)
{
    village_t *village = s_village ();
    pubkey_t invite = sample_curve (50);
    mesh_set_invite (village->people[1].mesh, &invite, true);
    join_request_t join = s_join (village, &invite);
    head_t head = s_join_head (village);
    buffer_t packed = village_statement (&village->people[2].identity, &head, &join);
    s_expect_delivered (village, &invite, &packed);
    villager_t *founder = &village->people[0];
    ck_assert_int_eq (members_revoke (village->members, &village->group, &founder->identity,
                                      &village->people[2].identity.id, founder->seq, ++founder->publication,
                                      village->wall_ms),
                      0);
    village_set_members (village);
    s_expect_delivered (village, &invite, &packed);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_stale_misaddressed_and_forged_requests_to_join_are_refused)
{
    village_t *village = s_village ();
    pubkey_t invite = sample_curve (50);
    identity_t joiner = sample_identity (60);
    mesh_set_invite (village->people[1].mesh, &invite, true);
    join_request_t join = s_join (village, &invite);
    head_t head = s_join_head (village);
    head.time_ms -= FRESHNESS_MS + 1;
    buffer_t packed = village_statement (&joiner, &head, &join);
    s_expect_refused (village, &invite, &packed, ERROR_STALE);
    buffer_clear (&packed);
    head = s_join_head (village);
    packed = village_statement (&joiner, &head, &join);
    packed.data[packed.size - SEAL_BYTES] ^= 1;
    s_expect_refused (village, &invite, &packed, ERROR_SIGNATURE);
    buffer_clear (&packed);
    join.to = village->people[0].identity.id;
    packed = village_statement (&joiner, &head, &join);
    s_expect_refused (village, &invite, &packed, ERROR_ADDRESSEE);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_beyond_the_bound_the_oldest_invite_is_dropped)
{
    village_t *village = s_village ();
    identity_t joiner = sample_identity (60);
    for (unsigned i = 0; i <= LIMIT_INVITES; i++) {
        pubkey_t invite = {{1, (uint8_t)i}};
        mesh_set_invite (village->people[1].mesh, &invite, true);
        mesh_set_invite (village->people[1].mesh, &invite, true); /* twice is once */
    }
    for (unsigned i = 0; i <= LIMIT_INVITES; i++) {
        pubkey_t invite = {{1, (uint8_t)i}};
        join_request_t join = s_join (village, &invite);
        head_t head = s_join_head (village);
        buffer_t packed = village_statement (&joiner, &head, &join);
        if (i == 0)
            s_expect_refused (village, &invite, &packed, ERROR_DENIED);
        else
            s_expect_delivered (village, &invite, &packed);
        buffer_clear (&packed);
    }
    village_destroy (&village);
}
END_TEST

/* --- rosters --- */

START_TEST (test_a_newer_roster_in_a_hello_reaches_the_node)
{
    village_t *village = s_village ();
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
    village_t *village = s_village ();
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
    s_expect_refused (village, link, &packed, ERROR_SIGNATURE);
    buffer_clear (&packed);
    head.time_ms -= FRESHNESS_MS + 1;
    packed = village_statement (&village->people[2].identity, &head, &presence);
    s_expect_refused (village, link, &packed, ERROR_STALE);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_an_introduction_moves_no_peer_that_is_up)
{
    village_t *village = s_village ();
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

/* Whatever a member can write: every kind with sample values, cut bodies aside, leaves the mesh at work. */
START_TEST (test_every_kind_from_a_member_is_survived)
{
    village_t *village = s_village ();
    const pubkey_t *links[] = {&village->people[0].curve.public_key, NULL};
    for (size_t i = 0; message_info_at (i) != NULL; i++)
        for (int sample = SAMPLE_LEAST; sample <= SAMPLE_MOST; sample++) {
            const message_info_t *info = message_info_at (i);
            arena_t arena = {0};
            void *fields = calloc (1, info->record->size);
            sample_fill (info->record, (sample_t)sample, &arena, fields);
            if (info->way == WAY_RPC)
                memcpy (fields, &village->people[1].identity.id, sizeof (pubkey_t)); /* `to` stands first */
            head_t head = village_head (village, 0, info->kind);
            buffer_t packed = village_statement (&village->people[0].identity, &head, fields);
            for (size_t link = 0; link < 2; link++)
                if (packed.size - SEAL_BYTES <= LIMIT_STATEMENT_BYTES)
                    village_bring (village, 1, links[link], &packed);
            buffer_clear (&packed);
            arena_clear (&arena);
            free (fields);
        }
    village_pass (village, 60000);
    ck_assert (village_is_up (village, 1, 2));
    village_destroy (&village);
}
END_TEST

/* What a member says to our node lands in our journal: it has a generous rate, and no other member pays for it. */
START_TEST (test_no_member_floods_the_journal)
{
    village_t *village = s_village ();
    villager_t *judge = &village->people[1];
    transfer_result_t result = {.to = judge->identity.id, .reason = text_of ("worse")};
    size_t before = judge->delivered_count;
    for (int i = 0; i < 700; i++)
        village_say (village, 0, 1, MESSAGE_TRANSFER_RESULT, &result);
    ck_assert_uint_eq (judge->delivered_count, before + 512);
    ck_assert_uint_eq (mesh_refused (judge->mesh, ERROR_BUSY), 188);
    ck_assert_uint_eq (judge->refused_first, 1); /* the log is not flooded either */
    village_say (village, 2, 1, MESSAGE_TRANSFER_RESULT, &result);
    ck_assert_uint_eq (judge->delivered_count, before + 513);
    village_pass (village, 1000);
    before = judge->delivered_count;
    for (int i = 0; i < 700; i++)
        village_say (village, 0, 1, MESSAGE_TRANSFER_RESULT, &result);
    ck_assert_uint_ge (judge->delivered_count, before + 128);
    ck_assert_uint_le (judge->delivered_count, before + 140);
    ck_assert (village_is_up (village, 1, 0));
    village_destroy (&village);
}
END_TEST

SUITE_MAIN ("protocol/mesh_receive", test_a_statement_in_order_is_delivered_as_it_came,
            test_frames_that_are_no_statement_are_malformed,
            test_every_cut_of_a_statement_is_refused_and_harmless,
            test_unknown_kinds_and_kinds_on_the_wrong_socket_are_refused,
            test_one_groups_statement_is_refused_in_another, test_authors_who_are_no_members_are_refused,
            test_a_revoked_author_is_refused, test_nobody_speaks_for_another_over_its_own_link,
            test_our_own_words_sent_back_are_refused, test_what_is_addressed_to_another_is_refused,
            test_live_statements_count_while_fresh_and_durable_ones_always,
            test_a_forged_seal_is_refused_and_uses_up_no_number, test_a_live_statement_counts_once,
            test_a_replayed_presence_keeps_nobody_alive,
            test_a_durable_statement_is_delivered_again_as_its_acknowledgement_may_be_lost,
            test_two_statements_under_one_number_prove_a_lie,
            test_a_node_that_says_little_is_heard_beside_a_mesh_that_says_much,
            test_refusals_are_first_once_per_peer_and_minute,
            test_a_live_invite_is_heard_to_join_and_for_nothing_else,
            test_requests_to_join_are_heard_again_and_from_revoked_members_too,
            test_stale_misaddressed_and_forged_requests_to_join_are_refused,
            test_beyond_the_bound_the_oldest_invite_is_dropped,
            test_a_newer_roster_in_a_hello_reaches_the_node,
            test_a_roster_in_a_hello_that_no_admin_signed_reaches_nobody,
            test_an_introduction_tells_an_address_and_nothing_else,
            test_an_introduction_moves_no_peer_that_is_up, test_every_kind_from_a_member_is_survived,
            test_no_member_floods_the_journal)
