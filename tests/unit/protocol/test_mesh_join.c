/* SPDX-License-Identifier: MPL-2.0 */
/* Requests to join: which are heard, and from whom. */
#include "tests/unit/protocol/judge.h"

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
    village_t *village = judged_village ();
    mesh_t *mesh = village->people[1].mesh;
    pubkey_t invite = sample_curve (50);
    identity_t joiner = sample_identity (60);
    mesh_set_invite (mesh, &invite, true);
    join_request_t join = s_join (village, &invite);
    head_t head = s_join_head (village);
    buffer_t packed = village_statement (&joiner, &head, &join);
    expect_delivered (village, &invite, &packed);
    expect_delivered (village, &invite, &packed); /* a retry is free */
    expect_refused (village, &village->people[0].curve.public_key, &packed, ERROR_DENIED);
    pubkey_t other = sample_curve (51);
    expect_refused (village, &other, &packed, ERROR_DENIED);
    mesh_set_invite (mesh, &other, true);
    expect_refused (village, &other, &packed, ERROR_IMPOSTOR); /* signed for another link */
    mesh_set_invite (mesh, &invite, false);
    expect_refused (village, &invite, &packed, ERROR_DENIED);
    buffer_clear (&packed);
    leave_t leave = leave_to_judge (village);
    head = village_head (village, 0, MESSAGE_LEAVE);
    packed = village_statement (&village->people[0].identity, &head, &leave);
    expect_refused (village, &other, &packed, ERROR_DENIED);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

/* The node tells a revoked one why it may not come in; silence would look like a broken link. */
START_TEST (test_requests_to_join_are_heard_again_and_from_revoked_members_too)
{
    village_t *village = judged_village ();
    pubkey_t invite = sample_curve (50);
    mesh_set_invite (village->people[1].mesh, &invite, true);
    join_request_t join = s_join (village, &invite);
    head_t head = s_join_head (village);
    buffer_t packed = village_statement (&village->people[2].identity, &head, &join);
    expect_delivered (village, &invite, &packed);
    villager_t *founder = &village->people[0];
    ck_assert_int_eq (members_revoke (village->members, &village->group, &founder->identity,
                                      &village->people[2].identity.id, founder->seq, ++founder->publication,
                                      village->wall_ms),
                      0);
    village_set_members (village);
    expect_delivered (village, &invite, &packed);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_stale_misaddressed_and_forged_requests_to_join_are_refused)
{
    village_t *village = judged_village ();
    pubkey_t invite = sample_curve (50);
    identity_t joiner = sample_identity (60);
    mesh_set_invite (village->people[1].mesh, &invite, true);
    join_request_t join = s_join (village, &invite);
    head_t head = s_join_head (village);
    head.time_ms -= FRESHNESS_MS + 1;
    buffer_t packed = village_statement (&joiner, &head, &join);
    expect_refused (village, &invite, &packed, ERROR_STALE);
    buffer_clear (&packed);
    head = s_join_head (village);
    packed = village_statement (&joiner, &head, &join);
    packed.data[packed.size - SEAL_BYTES] ^= 1;
    expect_refused (village, &invite, &packed, ERROR_SIGNATURE);
    buffer_clear (&packed);
    join.to = village->people[0].identity.id;
    packed = village_statement (&joiner, &head, &join);
    expect_refused (village, &invite, &packed, ERROR_ADDRESSEE);
    buffer_clear (&packed);
    village_destroy (&village);
}
END_TEST

START_TEST (test_beyond_the_bound_the_oldest_invite_is_dropped)
{
    village_t *village = judged_village ();
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
            expect_refused (village, &invite, &packed, ERROR_DENIED);
        else
            expect_delivered (village, &invite, &packed);
        buffer_clear (&packed);
    }
    village_destroy (&village);
}
END_TEST

SUITE_MAIN ("protocol/mesh_join", test_a_live_invite_is_heard_to_join_and_for_nothing_else,
            test_requests_to_join_are_heard_again_and_from_revoked_members_too,
            test_stale_misaddressed_and_forged_requests_to_join_are_refused,
            test_beyond_the_bound_the_oldest_invite_is_dropped)
