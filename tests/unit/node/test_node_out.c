/* SPDX-License-Identifier: MPL-2.0 */
/* Who was revoked, or left, takes no part in the group any more, and says so. */
#include <stdio.h>
#include <string.h>

#include "tests/lib/rig.h"
#include "tests/lib/suite.h"

static node_status_t s_status (const rig_t *rig, size_t k)
{
    node_status_t status;
    node_status (rig->nodes[k].node, &status);
    return status;
}

static void s_revoke (rig_t *rig, size_t k)
{
    char id[DIGEST_TEXT_BYTES];
    pubkey_text (&rig->nodes[k].identity.id, id);
    ck_assert (rig_command (rig, 0, "revoke", "id", id));
    rig_settle (rig);
}

START_TEST (who_was_revoked_says_in_which_epoch_and_tells_it_once)
{
    rig_t *rig = rig_new (3, NULL);
    ck_assert_str_eq (s_status (rig, 1).out, "");
    ck_assert_uint_eq (s_status (rig, 1).peers_up, 2);
    s_revoke (rig, 1);
    node_status_t status = s_status (rig, 1);
    char expected[64];
    snprintf (expected, sizeof expected, "was revoked in epoch %llu", (unsigned long long)status.epoch);
    ck_assert_ptr_nonnull (strstr (status.out, expected));
    ck_assert_uint_eq (status.peers_up, 0);
    ck_assert_uint_eq (rig_events (rig, 1, "peer_left"), 1);
    ck_assert_str_eq (s_status (rig, 2).out, "");
    rig_restart (rig, 1);
    rig_pass (rig, 60000);
    ck_assert_ptr_nonnull (strstr (s_status (rig, 1).out, expected));
    ck_assert_uint_eq (rig_events (rig, 1, "peer_left"), 1);
    rig_destroy (&rig);
}
END_TEST

START_TEST (who_was_revoked_proposes_nothing_more)
{
    rig_t *rig = rig_found (3, NULL);
    rig->proposers = 1;
    rig_start (rig);
    ck_assert_uint_gt (rig->nodes[1].proposal_count, 0);
    s_revoke (rig, 1);
    size_t asked = rig->nodes[1].proposal_count;
    for (size_t i = 0; i < asked; i++) {
        proposed_t proposed = {.operation = rig->nodes[1].proposals[i], .result = PROPOSAL_NONE};
        rig_event (rig, 1, (event_t){.kind = EVENT_PROPOSED, .as.proposed = proposed});
    }
    rig_pass (rig, 60000);
    ck_assert_uint_eq (rig->nodes[1].proposal_count, asked);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    ck_assert (!rig_propose (rig, 1, &better));
    ck_assert_ptr_nonnull (strstr (rig->nodes[1].reply, "was revoked in epoch"));
    ck_assert (!rig_command (rig, 1, "resume", NULL, NULL));
    ck_assert (!rig_command (rig, 1, "leave", NULL, NULL));
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_package_that_was_told_of_before_is_not_adopted_after_the_revocation)
{
    rig_t *rig = rig_new (3, NULL);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    rig_command (rig, 1, "pause", NULL, NULL); /* what it hears of waits */
    rig_propose (rig, 2, &better);
    rig_settle (rig);
    ck_assert_int_eq (rig_state (rig, 2, &better, NULL, NULL), STATE_SHARED);
    ck_assert (!digest_equal (&rig->nodes[1].current, &better));
    rig->nodes[2].rules.mute = true;
    rig_command (rig, 1, "resume", NULL, NULL);
    rig_settle (rig); /* it is being fetched */
    s_revoke (rig, 1);
    rig->nodes[2].rules.mute = false;
    rig_release (rig, 1); /* it couldn't be had: to be tried again */
    rig_pass (rig, 600000);
    ck_assert (!digest_equal (&rig->nodes[1].current, &better));
    ck_assert_uint_eq (rig_events (rig, 1, "knowledge_adopted"), 0);
    rig_destroy (&rig);
}
END_TEST

START_TEST (who_left_takes_no_part_even_before_the_founder_hears_of_it)
{
    rig_t *rig = rig_new (3, NULL);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    rig->nodes[0].rules.deaf = true;
    ck_assert (rig_command (rig, 1, "leave", NULL, NULL));
    rig_settle (rig);
    node_status_t status = s_status (rig, 1);
    ck_assert_ptr_nonnull (strstr (status.out, "this node left the group"));
    ck_assert (!status.paused);
    ck_assert_uint_eq (s_status (rig, 0).members, 3);
    ck_assert (!rig_command (rig, 1, "resume", NULL, NULL));
    ck_assert_ptr_nonnull (strstr (rig->nodes[1].reply, "left the group"));
    ck_assert (!rig_propose (rig, 1, &better));
    rig_restart (rig, 1);
    ck_assert_ptr_nonnull (strstr (s_status (rig, 1).out, "this node left the group"));
    rig->nodes[0].rules.deaf = false;
    rig_pass (rig, 60000); /* it is said until the founder has it */
    ck_assert_uint_eq (s_status (rig, 0).members, 2);
    ck_assert_ptr_nonnull (strstr (s_status (rig, 1).out, "this node left the group"));
    rig_destroy (&rig);
}
END_TEST

START_TEST (resuming_what_is_not_paused_says_so)
{
    rig_t *rig = rig_new (1, NULL);
    ck_assert (rig_command (rig, 0, "resume", NULL, NULL));
    ck_assert_str_eq (rig->nodes[0].reply, "evolution was not paused");
    ck_assert (rig_command (rig, 0, "pause", NULL, NULL));
    ck_assert (rig_command (rig, 0, "resume", NULL, NULL));
    ck_assert_str_eq (rig->nodes[0].reply, "evolution goes on");
    rig_destroy (&rig);
}
END_TEST

SUITE_MAIN ("node_out", who_was_revoked_says_in_which_epoch_and_tells_it_once,
            who_was_revoked_proposes_nothing_more,
            a_package_that_was_told_of_before_is_not_adopted_after_the_revocation,
            who_left_takes_no_part_even_before_the_founder_hears_of_it, resuming_what_is_not_paused_says_so)
