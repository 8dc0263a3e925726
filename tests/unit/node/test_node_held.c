/* SPDX-License-Identifier: MPL-2.0 */
/* What an operator approved that was held, and a node that is left alone: whatever happens meanwhile. */
#include <stdio.h>
#include <string.h>

#include "tests/lib/rig.h"
#include "tests/lib/suite.h"

static improvement_state_t s_state (const rig_t *rig, size_t k, const digest_t *candidate)
{
    return rig_state (rig, k, candidate, NULL, NULL);
}

static void s_expect_rejected (const rig_t *rig, size_t k, const digest_t *candidate, reason_code_t expected)
{
    reason_code_t reason;
    ck_assert_str_eq (improvement_state_name (rig_state (rig, k, candidate, &reason, NULL)), "rejected");
    ck_assert_str_eq (reason_name (reason), reason_name (expected));
}

/* A command of node k's operator that takes an improvement's id. */
static bool s_command (rig_t *rig, size_t k, const char *name, const digest_t *candidate)
{
    digest_t improvement;
    char id[DIGEST_TEXT_BYTES];
    ck_assert_int_ne (rig_state (rig, k, candidate, NULL, &improvement), STATE_NONE);
    digest_text (&improvement, id);
    return rig_command (rig, k, name, "id", id);
}

/* Node 0 is the founder: it puts peer out of the group. */
static void s_revoke (rig_t *rig, size_t peer)
{
    char id[DIGEST_TEXT_BYTES];
    pubkey_text (&rig->nodes[peer].identity.id, id);
    ck_assert (rig_command (rig, 0, "revoke", "id", id));
}

static void s_find (rig_t *rig, size_t k, size_t peer)
{
    rig_event (rig, k,
               (event_t){.kind = EVENT_PEER_UP,
                         .as.peer_up = {rig->nodes[peer].identity.id, 7, text_of ("x86_64/rig/1"), 0}});
}

/* A group in which what is larger than so many bytes is held. */
static rig_t *s_cautious (size_t count, uint64_t bytes)
{
    policy_t policy = policy_default ();
    policy.change_bytes_max = bytes;
    policy.review_threshold = 0;
    return rig_new (count, &policy);
}

/* Node 0's "considerable" is held, and node 1's "one" went live meanwhile; merges are held back. */
static rig_t *s_overtaken (digest_t *held)
{
    rig_t *rig = s_cautious (3, 4);
    *held = *rig_candidate (rig, "considerable", 0.9, 0);
    digest_t one = *rig_candidate (rig, "one", 0.8, 0);
    rig_propose (rig, 0, held);
    rig_settle (rig);
    rig_propose (rig, 1, &one);
    rig_settle (rig);
    ck_assert (digest_equal (&rig->nodes[0].current, &one));
    ck_assert_int_eq (s_state (rig, 0, held), STATE_HELD);
    rig->nodes[0].rules.hold_merges = true;
    return rig;
}

/* Lets the merge end, and expects that what came of it went live everywhere, without being held again. */
static void s_expect_merged (rig_t *rig)
{
    rig->nodes[0].rules.hold_merges = false;
    rig_release (rig, 0);
    rig_pass (rig, 6000);
    digest_t both = *rig_candidate (rig, "considerable+one", 0, 0);
    ck_assert_int_eq (s_state (rig, 0, &both), STATE_SHARED);
    ck_assert_uint_eq (rig_events (rig, 0, "improvement_held"), 1);
    for (size_t k = 0; k < rig->count; k++)
        ck_assert (digest_equal (&rig->nodes[k].current, &both));
}

/* --- approved, and merged onto what is live --- */

START_TEST (an_approval_outlasts_a_restart_a_pause_and_a_second_one)
{
    digest_t held;
    rig_t *rig = s_overtaken (&held);
    ck_assert (s_command (rig, 0, "approve", &held));
    ck_assert (s_command (rig, 0, "approve", &held));
    ck_assert_msg (strstr (rig->nodes[0].reply, "merged onto that"), "%s", rig->nodes[0].reply);
    rig_settle (rig);
    ck_assert (rig_command (rig, 0, "pause", NULL, NULL));
    rig->nodes[0].held.size = 0; /* killed in the middle of the merge: it never ended */
    rig_restart (rig, 0);
    rig_settle (rig);
    ck_assert_int_eq (s_state (rig, 0, &held), STATE_HELD);
    for (size_t peer = 1; peer < 3; peer++)
        s_find (rig, 0, peer);
    ck_assert (rig_command (rig, 0, "resume", NULL, NULL));
    s_expect_merged (rig);
    rig_destroy (&rig);
}
END_TEST

START_TEST (what_expires_or_is_rejected_while_it_is_merged_comes_back_with_no_merge)
{
    for (int i = 0; i < 2; i++) {
        digest_t held;
        rig_t *rig = s_overtaken (&held);
        ck_assert (s_command (rig, 0, "approve", &held));
        rig_settle (rig);
        if (i == 0)
            rig_pass (rig, rig->policy.held_expiry_ms + 1);
        else
            ck_assert (s_command (rig, 0, "reject", &held));
        rig_release (rig, 0);
        rig_settle (rig);
        s_expect_rejected (rig, 0, &held, i == 0 ? REASON_EXPIRED : REASON_OPERATOR);
        ck_assert (!rig->taken[STATE_HELD][STATE_TESTING]);
        rig_destroy (&rig);
    }
}
END_TEST

START_TEST (an_approval_holds_for_a_package_that_is_merged_again)
{
    rig_t *rig = s_cautious (3, 6);
    digest_t theirs = *rig_candidate (rig, "theirs", 0.9, 0), mine = *rig_candidate (rig, "mine", 0.95, 0),
             small = *rig_candidate (rig, "b", 0.5, 0);
    rig_find_apart (rig, &theirs, &mine);
    rig_release (rig, 2);
    rig_pass (rig, 6000);
    digest_t both = *rig_candidate (rig, "mine+theirs", 0, 0); /* the rig made it when it merged */
    ck_assert_int_eq (s_state (rig, 2, &both), STATE_HELD);    /* it is large */
    rig_command (rig, 1, "resume", NULL, NULL);
    rig_propose (rig, 1, &small);
    rig_pass (rig, 60000);
    digest_t live = *rig_candidate (rig, "b+mine", 0, 0);
    ck_assert (digest_equal (&rig->nodes[2].current, &live));
    ck_assert_msg (s_command (rig, 2, "approve", &both), "%s", rig->nodes[2].reply);
    ck_assert_msg (strstr (rig->nodes[2].reply, "merged onto that and tested again first"), "%s",
                   rig->nodes[2].reply);
    rig_restart (rig, 2);
    for (size_t peer = 0; peer < 2; peer++)
        s_find (rig, 2, peer);
    rig_pass (rig, 60000);
    digest_t all = *rig_candidate (rig, "b+mine+theirs", 0, 0);
    ck_assert (digest_equal (&rig->nodes[2].current, &all));
    ck_assert_uint_eq (rig_events (rig, 2, "improvement_held"), 1);
    rig_destroy (&rig);
}
END_TEST

/* --- left alone --- */

START_TEST (who_is_left_alone_may_approve_what_the_group_held)
{
    rig_t *rig = s_cautious (2, 4);
    digest_t held = *rig_candidate (rig, "considerable", 0.9, 0);
    rig_propose (rig, 0, &held);
    rig_settle (rig);
    ck_assert_int_eq (s_state (rig, 0, &held), STATE_HELD);
    s_revoke (rig, 1);
    ck_assert_msg (s_command (rig, 0, "approve", &held), "%s", rig->nodes[0].reply);
    rig_settle (rig);
    ck_assert_int_eq (s_state (rig, 0, &held), STATE_SHARED);
    ck_assert (digest_equal (&rig->nodes[0].current, &held));
    rig_destroy (&rig);
}
END_TEST

/* Of two members the first measures "lucky", better by luck in eight runs, while the second is away, and is alone then. */
static rig_t *s_left_alone (double cost, digest_t *lucky)
{
    rig_t *rig = rig_found (2, NULL);
    rig->noisy = true;
    rig_start (rig);
    rig->nodes[0].rules.luck = 0.1;
    rig->nodes[0].rules.lucky_runs = 8;
    rig_event (rig, 0, (event_t){.kind = EVENT_PEER_LOST, .as.peer_lost.peer = rig->nodes[1].identity.id});
    *lucky = *rig_candidate (rig, "lucky", cost, 0);
    ck_assert (rig_propose (rig, 0, lucky));
    rig_settle (rig);
    ck_assert_int_eq (s_state (rig, 0, lucky), STATE_TESTING); /* it waits for validators */
    ck_assert_uint_eq (rig->nodes[0].evaluated[1], 8);
    return rig;
}

START_TEST (who_is_left_alone_measures_again_what_waited_for_validators)
{
    digest_t lucky;
    rig_t *rig = s_left_alone (1, &lucky);
    s_revoke (rig, 1);
    rig_settle (rig);
    s_expect_rejected (rig, 0, &lucky, REASON_NOT_BETTER);
    ck_assert_uint_eq (rig->nodes[0].evaluated[1], 8 + 4);
    rig_destroy (&rig);
    rig = s_left_alone (0.8, &lucky);
    s_revoke (rig, 1);
    rig_settle (rig);
    ck_assert_int_eq (s_state (rig, 0, &lucky), STATE_SHARED);
    ck_assert_uint_eq (rig->nodes[0].evaluated[1], 16);
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_second_trial_goes_on_after_a_restart_and_repeats_no_run)
{
    for (unsigned killed_at = 1; killed_at <= 33; killed_at++) { /* 16 pairs, and the live copy */
        rig_t *rig = rig_found (1, NULL);
        rig->noisy = true;
        rig->slots = 1;
        rig_start (rig);
        rig_settle (rig);
        digest_t better = *rig_candidate (rig, "better", 0.9, 0);
        rig->nodes[0].rules.hold_evaluations = true;
        ck_assert (rig_propose (rig, 0, &better));
        rig_settle (rig);
        for (unsigned run = 1; run < killed_at; run++) {
            rig_release (rig, 0);
            rig_settle (rig);
        }
        unsigned started = rig->nodes[0].evaluations;
        rig->nodes[0].held.size = 0; /* the run under way is lost */
        rig_restart (rig, 0);
        rig_settle (rig);
        ck_assert_uint_eq (rig->nodes[0].evaluations, started + 1);
        rig->nodes[0].rules.hold_evaluations = false;
        rig_release (rig, 0);
        rig_settle (rig);
        ck_assert_int_eq (s_state (rig, 0, &better), STATE_SHARED);
        node_status_t status;
        node_status (rig->nodes[0].node, &status);
        ck_assert_uint_eq (status.evaluations, 1 + 32 + 1);
        rig_destroy (&rig);
    }
}
END_TEST

START_TEST (a_second_trial_that_comes_to_nothing_says_why)
{
    static const reason_code_t reasons[] = {REASON_INVALID_TIMEOUT, REASON_FAULT};
    for (size_t i = 0; i < 2; i++) {
        rig_t *rig = rig_found (1, NULL);
        rig->noisy = true;
        rig->slots = 1;
        rig_start (rig);
        rig_settle (rig);
        digest_t better = *rig_candidate (rig, "better", 0.9, 0);
        rig->nodes[0].rules.hold_evaluations = true;
        ck_assert (rig_propose (rig, 0, &better));
        rig_settle (rig);
        while (rig->nodes[0].evaluated[1] < 10) {
            rig_release (rig, 0);
            rig_settle (rig);
        }
        rig->nodes[0].rules.hold_evaluations = false;
        rig->nodes[0].rules.evaluate_reason = reasons[i];
        rig_release (rig, 0);
        rig_settle (rig);
        reason_code_t reason;
        ck_assert_int_eq (rig_state (rig, 0, &better, &reason, NULL), STATE_REJECTED);
        ck_assert (reason == reasons[i] || reason == REASON_BASE_FAILED);
        rig_destroy (&rig);
    }
}
END_TEST

SUITE_MAIN ("node_held", an_approval_outlasts_a_restart_a_pause_and_a_second_one,
            what_expires_or_is_rejected_while_it_is_merged_comes_back_with_no_merge,
            an_approval_holds_for_a_package_that_is_merged_again,
            who_is_left_alone_may_approve_what_the_group_held,
            who_is_left_alone_measures_again_what_waited_for_validators,
            a_second_trial_goes_on_after_a_restart_and_repeats_no_run,
            a_second_trial_that_comes_to_nothing_says_why)
