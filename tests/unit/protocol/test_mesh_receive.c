/* SPDX-License-Identifier: MPL-2.0 */
/* The judgement of what arrives: each reason to refuse, and that what is refused has no effect. */
#include "tests/unit/protocol/judge.h"

START_TEST (test_a_statement_in_order_is_delivered_as_it_came)
{
    village_t *village = judged_village ();
    const pubkey_t *link = &village->people[0].curve.public_key;
    ack_t ack = ack_to_judge (village);
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
    village_t *village = judged_village ();
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
    village_t *village = judged_village ();
    villager_t *judge = &village->people[1];
    leave_t leave = leave_to_judge (village);
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
    village_t *village = judged_village ();
    const pubkey_t *link = &village->people[0].curve.public_key;
    const identity_t *author = &village->people[0].identity;
    leave_t leave = leave_to_judge (village);
    metrics_message_t metrics = {.slots = 1};
    head_t head = village_head (village, 0, MESSAGE_LEAVE);
    buffer_t packed = village_statement (author, &head, &leave);
    expect_refused (village, NULL, &packed, ERROR_KIND); /* RPC on the publication socket */
    packed.data[1] = 99;
    expect_refused (village, link, &packed, ERROR_KIND);
    buffer_clear (&packed);
    head = village_head (village, 0, MESSAGE_METRICS);
    packed = village_statement (author, &head, &metrics);
    expect_refused (village, link, &packed, ERROR_KIND);
    buffer_clear (&packed);
    charter_t charter = {.founder = author->id};
    head = village_head (village, 0, MESSAGE_CHARTER);
    packed = village_statement (author, &head, &charter);
    expect_refused (village, link, &packed, ERROR_KIND); /* stands in others, and says nothing by itself */
    expect_refused (village, NULL, &packed, ERROR_KIND);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_one_groups_statement_is_refused_in_another)
{
    village_t *village = judged_village ();
    leave_t leave = leave_to_judge (village);
    head_t head = village_head (village, 0, MESSAGE_LEAVE);
    head.group.bytes[31] ^= 1;
    buffer_t packed = village_statement (&village->people[0].identity, &head, &leave);
    expect_refused (village, &village->people[0].curve.public_key, &packed, ERROR_GROUP);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_authors_who_are_no_members_are_refused)
{
    village_t *village = judged_village ();
    leave_t leave = leave_to_judge (village);
    head_t head = village_head (village, 0, MESSAGE_LEAVE);
    identity_t stranger = sample_identity (99);
    buffer_t packed = village_statement (&stranger, &head, &leave);
    expect_refused (village, &village->people[0].curve.public_key, &packed, ERROR_STRANGER);
    ck_assert (pubkey_equal (&village->people[1].refused_peer,
                             &village->people[0].identity.id)); /* whose link it was */
    buffer_clear (&packed);
    /* A member, but not in the epoch that it speaks of. */
    head = village_head (village, 2, MESSAGE_LEAVE);
    head.epoch = 2;
    packed = village_statement (&village->people[2].identity, &head, &leave);
    expect_refused (village, &village->people[2].curve.public_key, &packed, ERROR_STRANGER);
    buffer_clear (&packed);
    /* A publication of a stranger is laid to nobody. */
    metrics_message_t metrics = {.slots = 1};
    head = village_head (village, 0, MESSAGE_METRICS);
    packed = village_statement (&stranger, &head, &metrics);
    expect_refused (village, NULL, &packed, ERROR_STRANGER);
    ck_assert (pubkey_is_zero (&village->people[1].refused_peer));
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_a_revoked_author_is_refused)
{
    village_t *village = judged_village ();
    villager_t *founder = &village->people[0];
    ck_assert_int_eq (members_revoke (village->members, &village->group, &founder->identity,
                                      &village->people[2].identity.id, founder->seq, ++founder->publication,
                                      village->wall_ms),
                      0);
    founder->seq += 2;
    village_set_members (village);
    leave_t leave = leave_to_judge (village);
    head_t head = village_head (village, 2, MESSAGE_LEAVE);
    buffer_t packed = village_statement (&village->people[2].identity, &head, &leave);
    expect_refused (village, &village->people[2].curve.public_key, &packed, ERROR_REVOKED);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_nobody_speaks_for_another_over_its_own_link)
{
    village_t *village = judged_village ();
    leave_t leave = leave_to_judge (village);
    head_t head = village_head (village, 0, MESSAGE_LEAVE);
    buffer_t packed = village_statement (&village->people[0].identity, &head, &leave);
    expect_refused (village, &village->people[2].curve.public_key, &packed, ERROR_IMPOSTOR);
    ck_assert (pubkey_equal (&village->people[1].refused_peer, &village->people[2].identity.id));
    expect_delivered (village, &village->people[0].curve.public_key,
                      &packed); /* no harm was done to its author */
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_our_own_words_sent_back_are_refused)
{
    village_t *village = judged_village ();
    metrics_message_t metrics = {.slots = 1};
    head_t head = village_head (village, 1, MESSAGE_METRICS);
    buffer_t packed = village_statement (&village->people[1].identity, &head, &metrics);
    expect_refused (village, NULL, &packed, ERROR_REPLAYED);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_what_is_addressed_to_another_is_refused)
{
    village_t *village = judged_village ();
    leave_t leave = {.to = village->people[2].identity.id, .reason = text_of ("")};
    head_t head = village_head (village, 0, MESSAGE_LEAVE);
    buffer_t packed = village_statement (&village->people[0].identity, &head, &leave);
    expect_refused (village, &village->people[0].curve.public_key, &packed, ERROR_ADDRESSEE);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

/* Whatever a member can write: every kind with sample values, cut bodies aside, leaves the mesh at work. */
START_TEST (test_every_kind_from_a_member_is_survived)
{
    village_t *village = judged_village ();
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

SUITE_MAIN ("protocol/mesh_receive", test_a_statement_in_order_is_delivered_as_it_came,
            test_frames_that_are_no_statement_are_malformed,
            test_every_cut_of_a_statement_is_refused_and_harmless,
            test_unknown_kinds_and_kinds_on_the_wrong_socket_are_refused,
            test_one_groups_statement_is_refused_in_another, test_authors_who_are_no_members_are_refused,
            test_a_revoked_author_is_refused, test_nobody_speaks_for_another_over_its_own_link,
            test_our_own_words_sent_back_are_refused, test_what_is_addressed_to_another_is_refused,
            test_every_kind_from_a_member_is_survived)
