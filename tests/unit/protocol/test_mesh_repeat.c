/* SPDX-License-Identifier: MPL-2.0 */
/* What was said before, too late, or too often: repetitions, freshness, numbers, floods. */
#include <string.h>

#include "tests/unit/protocol/judge.h"

START_TEST (test_live_statements_count_while_fresh_and_durable_ones_always)
{
    const struct {
        int64_t age_ms;
        int code;
    } ages[] = {{FRESHNESS_MS + 1, ERROR_STALE},
                {-(int64_t)FRESHNESS_MS - 1, ERROR_STALE},
                {FRESHNESS_MS, 0},
                {-(int64_t)FRESHNESS_MS, 0}};
    village_t *village = judged_village ();
    const pubkey_t *link = &village->people[0].curve.public_key;
    ack_t ack = ack_to_judge (village);
    for (size_t i = 0; i < sizeof ages / sizeof *ages; i++) {
        head_t head = village_head (village, 0, MESSAGE_ACK);
        head.time_ms = (uint64_t)((int64_t)village->wall_ms - ages[i].age_ms);
        buffer_t packed = village_statement (&village->people[0].identity, &head, &ack);
        if (ages[i].code == 0)
            expect_delivered (village, link, &packed);
        else
            expect_refused (village, link, &packed, ages[i].code);
        buffer_clear (&packed);
    }
    leave_t leave = leave_to_judge (village);
    head_t head = village_head (village, 0, MESSAGE_LEAVE);
    head.time_ms = 1;
    buffer_t packed = village_statement (&village->people[0].identity, &head, &leave);
    expect_delivered (village, link, &packed);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_a_forged_seal_is_refused_and_uses_up_no_number)
{
    village_t *village = judged_village ();
    const pubkey_t *link = &village->people[0].curve.public_key;
    ack_t ack = ack_to_judge (village);
    head_t head = village_head (village, 0, MESSAGE_ACK);
    buffer_t packed = village_statement (&village->people[0].identity, &head, &ack);
    packed.data[packed.size - SEAL_BYTES] ^= 1; /* in the signature */
    expect_refused (village, link, &packed, ERROR_SIGNATURE);
    packed.data[packed.size - SEAL_BYTES] ^= 1;
    packed.data[packed.size - SEAL_BYTES - 1] ^= 1; /* in the body */
    expect_refused (village, link, &packed, ERROR_SIGNATURE);
    packed.data[packed.size - SEAL_BYTES - 1] ^= 1;
    expect_delivered (village, link, &packed);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_a_live_statement_counts_once)
{
    village_t *village = judged_village ();
    const pubkey_t *link = &village->people[0].curve.public_key;
    ack_t ack = ack_to_judge (village);
    head_t head = village_head (village, 0, MESSAGE_ACK);
    buffer_t packed = village_statement (&village->people[0].identity, &head, &ack);
    expect_delivered (village, link, &packed);
    expect_refused (village, link, &packed, ERROR_REPLAYED);
    expect_refused (village, link, &packed, ERROR_REPLAYED);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_a_replayed_presence_keeps_nobody_alive)
{
    village_t *village = judged_village ();
    presence_t presence = {.state = 1};
    head_t head = village_head (village, 0, MESSAGE_PRESENCE);
    head.seq = 9001;
    buffer_t packed = village_statement (&village->people[0].identity, &head, &presence);
    village_bring (village, 1, NULL, &packed);
    village_stop (village, 0);
    for (int i = 0; i < 15; i++) {
        village_pass (village, 1000);
        expect_refused (village, NULL, &packed, ERROR_REPLAYED);
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
    village_t *village = judged_village ();
    const pubkey_t *link = &village->people[0].curve.public_key;
    leave_t leave = leave_to_judge (village);
    head_t head = village_head (village, 0, MESSAGE_LEAVE);
    buffer_t packed = village_statement (&village->people[0].identity, &head, &leave);
    expect_delivered (village, link, &packed);
    expect_delivered (village, link, &packed);
    packed.data[packed.size - SEAL_BYTES] ^= 1;
    expect_refused (village, link, &packed, ERROR_SIGNATURE); /* only exactly as it was */
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_two_statements_under_one_number_prove_a_lie)
{
    village_t *village = judged_village ();
    const pubkey_t *link = &village->people[0].curve.public_key;
    leave_t leave = leave_to_judge (village);
    head_t head = village_head (village, 0, MESSAGE_LEAVE);
    buffer_t first = village_statement (&village->people[0].identity, &head, &leave);
    leave.reason = text_of ("or rather not");
    buffer_t second = village_statement (&village->people[0].identity, &head, &leave);
    expect_delivered (village, link, &first);
    ck_assert_uint_eq (village->people[1].equivocated_count, 0);
    expect_refused (village, link, &second, ERROR_EQUIVOCATION);
    expect_refused (village, link, &second, ERROR_EQUIVOCATION);
    const villager_t *judge = &village->people[1];
    ck_assert_uint_eq (judge->equivocated_count, 1); /* told once, with both */
    ck_assert (pubkey_equal (&judge->equivocated_peer, &village->people[0].identity.id));
    ck_assert_uint_eq (judge->equivocated_number, head.seq);
    ck_assert_uint_eq (judge->equivocated_bytes, first.size + second.size);
    buffer_clear (&first);
    buffer_clear (&second);
    village_destroy (&village);
}
END_TEST

/* A statement that is too large to be kept can't be proved against; what its author says after it can. */
START_TEST (test_no_large_statement_shields_its_author)
{
    village_t *village = judged_village ();
    const pubkey_t *link = &village->people[0].curve.public_key;
    const villager_t *judge = &village->people[1];
    static const uint8_t large[LIMIT_CHUNK_BYTES];
    chunk_t chunk = {
        .to = judge->identity.id, .total = sizeof large, .bytes = bytes_of (large, sizeof large)};
    ack_t ack = ack_to_judge (village);
    leave_t leave = leave_to_judge (village);
    for (int i = 0; i < 2; i++) {
        head_t head = village_head (village, 0, i == 0 ? MESSAGE_CHUNK : MESSAGE_LEAVE);
        buffer_t first = village_statement (&village->people[0].identity, &head,
                                            i == 0 ? (const void *)&chunk : (const void *)&leave);
        village_bring (village, 1, link, &first);
        head.kind = MESSAGE_ACK;
        buffer_t second = village_statement (&village->people[0].identity, &head, &ack);
        expect_refused (village, link, &second, ERROR_EQUIVOCATION);
        ck_assert_uint_eq (judge->equivocated_count, (unsigned)i);
        buffer_clear (&first);
        buffer_clear (&second);
    }
    village_destroy (&village);
}
END_TEST

/* The numbers of the node (even) and of its mesh (odd) count up each for itself, however far apart they are. */
START_TEST (test_a_node_that_says_little_is_heard_beside_a_mesh_that_says_much)
{
    village_t *village = judged_village ();
    village_pass (village, 2 * FRESHNESS_MS);
    ack_t ack = ack_to_judge (village);
    head_t head = village_head (village, 0, MESSAGE_ACK);
    ck_assert_uint_lt (head.seq, VILLAGE_SEQ);
    buffer_t packed = village_statement (&village->people[0].identity, &head, &ack);
    expect_delivered (village, &village->people[0].curve.public_key, &packed);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_refusals_are_first_once_per_peer_and_minute)
{
    village_t *village = judged_village ();
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

/* What a member says to our node lands in our journal: it has a generous rate, and no other member pays for it. */
START_TEST (test_no_member_floods_the_journal)
{
    village_t *village = judged_village ();
    villager_t *judge = &village->people[1];
    transfer_result_t result = {.to = judge->identity.id, .reason = text_of ("worse")};
    size_t before = judge->delivered_count;
    for (int i = 0; i < 700; i++)
        village_say (village, 0, 1, MESSAGE_TRANSFER_RESULT, &result);
    ck_assert_uint_eq (judge->delivered_count, before + 512);
    ck_assert_uint_eq (mesh_refused (judge->mesh, ERROR_BUSY), 188);
    ck_assert_uint_eq (judge->refused_first, 1); /* the log is not flooded either */
    ck_assert_uint_eq (village->sent[MESSAGE_REFUSED], 1);
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

/* Few statements can be many bytes. */
START_TEST (test_no_member_floods_the_journal_with_large_statements)
{
    village_t *village = judged_village ();
    villager_t *judge = &village->people[1];
    reason_t paths[LIMIT_EVOLVE_FILES];
    char path[LIMIT_PATH];
    memset (path, 'a', sizeof path);
    for (size_t i = 0; i < LIMIT_EVOLVE_FILES; i++)
        paths[i].text = (text_t){path, sizeof path};
    feedback_request_t request = {
        .to = judge->identity.id, .changed_paths = {paths, LIMIT_EVOLVE_FILES}, .description = text_of ("")};
    size_t bytes = LIMIT_EVOLVE_FILES * sizeof path, before = judge->delivered_count;
    for (int i = 0; i < 300; i++)
        village_say (village, 0, 1, MESSAGE_FEEDBACK_REQUEST, &request);
    size_t burst = (judge->delivered_count - before) * bytes;
    ck_assert_uint_gt (burst, 1024 * 1024); /* what validation needs goes through at once */
    ck_assert_uint_le (burst, 2 * 1024 * 1024);
    village_pass (village, 1000);
    before = judge->delivered_count;
    for (int i = 0; i < 300; i++)
        village_say (village, 0, 1, MESSAGE_FEEDBACK_REQUEST, &request);
    ck_assert_uint_gt (judge->delivered_count, before);
    ck_assert_uint_le ((judge->delivered_count - before) * bytes, 300 * 1024);
    village_destroy (&village);
}
END_TEST

START_TEST (test_who_says_too_much_is_told_so_once_a_second)
{
    village_t *village = judged_village ();
    villager_t *judge = &village->people[1], *talker = &village->people[0];
    transfer_result_t result = {.to = judge->identity.id, .reason = text_of ("worse")};
    size_t delivered = talker->delivered_count;
    for (unsigned second = 1; second <= 3; second++) {
        for (int i = 0; i < 700; i++)
            village_say (village, 0, 1, MESSAGE_TRANSFER_RESULT, &result);
        ck_assert_uint_eq (village->sent[MESSAGE_REFUSED], second);
        village_pass (village, 1000);
    }
    ck_assert_uint_eq (talker->refused_count, 0);           /* it heard them… */
    ck_assert_uint_eq (talker->delivered_count, delivered); /* …and none is for its journal */
    village_destroy (&village);
}
END_TEST

/* What is refused must not be refused in turn. */
START_TEST (test_refusals_without_end_are_answered_by_nothing)
{
    village_t *village = judged_village ();
    refused_t refused = {
        .to = village->people[1].identity.id, .code = (uint64_t)-ERROR_BUSY, .text = text_of ("")};
    size_t delivered = village->people[1].delivered_count;
    for (int i = 0; i < 1000; i++)
        village_say (village, 0, 1, MESSAGE_REFUSED, &refused);
    ck_assert_uint_eq (village->sent[MESSAGE_REFUSED], 0);
    ck_assert_uint_eq (village->people[1].delivered_count, delivered);
    village_destroy (&village);
}
END_TEST

SUITE_MAIN ("protocol/mesh_repeat", test_live_statements_count_while_fresh_and_durable_ones_always,
            test_a_forged_seal_is_refused_and_uses_up_no_number, test_a_live_statement_counts_once,
            test_a_replayed_presence_keeps_nobody_alive,
            test_a_durable_statement_is_delivered_again_as_its_acknowledgement_may_be_lost,
            test_two_statements_under_one_number_prove_a_lie, test_no_large_statement_shields_its_author,
            test_no_member_floods_the_journal_with_large_statements,
            test_a_node_that_says_little_is_heard_beside_a_mesh_that_says_much,
            test_refusals_are_first_once_per_peer_and_minute, test_no_member_floods_the_journal,
            test_who_says_too_much_is_told_so_once_a_second,
            test_refusals_without_end_are_answered_by_nothing)
