/* SPDX-License-Identifier: MPL-2.0 */
/* What is under way while something else changes: a member is revoked, the breaker opens, a release is taken back. */
#include <stdio.h>
#include <string.h>

#include "tests/lib/rig.h"
#include "tests/lib/suite.h"

static void s_expect_state (const rig_t *rig, size_t k, const digest_t *candidate, improvement_state_t state)
{
    ck_assert_str_eq (improvement_state_name (rig_state (rig, k, candidate, NULL, NULL)),
                      improvement_state_name (state));
}

/* A command of node 0's operator that takes an improvement's id. */
static bool s_command (rig_t *rig, const char *name, const digest_t *candidate)
{
    digest_t improvement;
    char id[DIGEST_TEXT_BYTES];
    ck_assert_int_ne (rig_state (rig, 0, candidate, NULL, &improvement), STATE_NONE);
    digest_text (&improvement, id);
    return rig_command (rig, 0, name, "id", id);
}

/* --- a member is revoked --- */

START_TEST (a_validator_that_is_revoked_is_not_waited_for_to_the_end)
{
    rig_t *rig = rig_new (3, NULL); /* two confirmations are needed */
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    rig->nodes[2].rules.hold_evaluations = true;
    rig_propose (rig, 0, &better);
    rig_settle (rig); /* node 1 has confirmed it */
    s_expect_state (rig, 0, &better, STATE_VALIDATING);
    char id[DIGEST_TEXT_BYTES];
    pubkey_text (&rig->nodes[2].identity.id, id);
    ck_assert (rig_command (rig, 0, "revoke", "id", id));
    rig_pass (rig, 31000); /* as long as for one that is lost; its deadline is after 65 s */
    ck_assert_int_ne (rig_state (rig, 0, &better, NULL, NULL), STATE_VALIDATING);
    rig_destroy (&rig);
}
END_TEST

/* --- the breaker --- */

/* The proposer that node 0 asked as the n-th comes with that candidate; NULL: with none. */
static void s_come_up_with (rig_t *rig, size_t n, const digest_t *candidate)
{
    proposed_t proposed = {
        .operation = rig->nodes[0].proposals[n], .result = candidate == NULL, .parent = rig->trees[0].id};
    for (size_t i = 0; candidate && i < rig->tree_count; i++)
        if (digest_equal (&rig->trees[i].id, candidate))
            proposed.tree = bytes_of (rig->trees[i].tree.data, rig->trees[i].tree.size);
    rig_event (rig, 0, (event_t){.kind = EVENT_PROPOSED, .as.proposed = proposed});
    rig_settle (rig);
}

START_TEST (the_one_trial_does_not_wait_for_what_waits_for_it)
{
    rig_t *rig = rig_new (1, NULL);
    rig->breaker_threshold = 1;
    rig->proposers = 1;
    rig_restart (rig, 0);
    ck_assert_uint_eq (rig->nodes[0].proposal_count, 2); /* one a slot */
    digest_t failing = *rig_candidate (rig, "failing", 0.9, 0), older = *rig_candidate (rig, "older", 0.8, 0),
             trial = *rig_candidate (rig, "trial", 0.7, 0);
    rig->nodes[0].rules.apply_result = 1;
    s_come_up_with (rig, 0, &failing);
    s_expect_state (rig, 0, &failing, STATE_REJECTED);
    ck_assert_uint_eq (rig_events (rig, 0, "breaker_opened"), 1);
    rig->nodes[0].rules.apply_result = 0;
    s_come_up_with (rig, 2, NULL); /* asked before it opened, too */
    rig_pass (rig, 10001);
    ck_assert_uint_eq (rig_events (rig, 0, "breaker_half_open"), 1);
    ck_assert_uint_eq (rig->nodes[0].proposal_count, 4); /* the trial */
    s_come_up_with (rig, 1, &older);
    s_expect_state (rig, 0, &older, STATE_VALIDATED); /* it waits for the trial */
    s_come_up_with (rig, 3, &trial);
    ck_assert (digest_equal (&rig->nodes[0].current, &trial));
    s_come_up_with (rig, 4, NULL); /* and a slot is free */
    ck_assert_uint_eq (rig_events (rig, 0, "breaker_closed"), 1);
    digest_t both = *rig_candidate (rig, "older+trial", 0, 0); /* the rig made it when it merged */
    ck_assert (digest_equal (&rig->nodes[0].current, &both));
    rig_destroy (&rig);
}
END_TEST

/* --- the live release goes on, and back --- */

START_TEST (a_merge_onto_what_was_rolled_back_meanwhile_is_given_up)
{
    rig_t *rig = rig_new (1, NULL);
    digest_t mine = *rig_candidate (rig, "mine", 0.5, 0), one = *rig_candidate (rig, "one", 0.9, 0);
    rig->nodes[0].rules.hold_merges = true;
    rig->nodes[0].rules.hold_evaluations = true;
    rig_propose (rig, 0, &mine);
    rig_settle (rig);
    rig->nodes[0].rules.hold_evaluations = false;
    rig_propose (rig, 0, &one);
    rig_settle (rig);
    rig_release (rig, 0); /* it is measured; that it is merged onto the first is held */
    rig_settle (rig);
    buffer_t merged = rig->nodes[0].held;
    rig->nodes[0].held = (buffer_t){0};
    rig->nodes[0].rules.hold_snapshots = true;
    ck_assert (s_command (rig, "rollback", &one));
    rig_settle (rig);
    s_expect_state (rig, 0, &mine, STATE_SNAPSHOT); /* its base is live again */
    rig->nodes[0].rules.hold_snapshots = false;
    rig->nodes[0].rules.hold_evaluations = true;
    rig_release (rig, 0);
    rig_settle (rig);
    s_expect_state (rig, 0, &mine, STATE_APPLIED);
    buffer_append (&rig->nodes[0].inbox, merged.data, merged.size);
    buffer_clear (&merged);
    rig->nodes[0].rules.hold_merges = false;
    rig_settle (rig);
    rig_release (rig, 0);
    rig_settle (rig);
    s_expect_state (rig, 0, &mine, STATE_SHARED);
    ck_assert (digest_equal (&rig->nodes[0].current, &mine));
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_rollback_that_failed_can_be_tried_again)
{
    rig_t *rig = rig_new (1, NULL);
    digest_t one = *rig_candidate (rig, "one", 0.9, 0), start = rig->trees[0].id;
    rig_propose (rig, 0, &one);
    rig_settle (rig);
    rig->nodes[0].rules.restore_result = 1;
    ck_assert (s_command (rig, "rollback", &one));
    rig_settle (rig);
    s_expect_state (rig, 0, &one, STATE_ROLLBACK_FAILED);
    ck_assert (digest_equal (&rig->nodes[0].current, &one)); /* it is live as before */
    rig->nodes[0].rules.restore_result = 0;
    ck_assert_msg (s_command (rig, "rollback", &one), "%s", rig->nodes[0].reply);
    rig_settle (rig);
    s_expect_state (rig, 0, &one, STATE_ROLLED_BACK);
    ck_assert (digest_equal (&rig->nodes[0].current, &start));
    rig_destroy (&rig);
}
END_TEST

/* --- everything is taken by what waits for the operator --- */

/* Of a group in which what is larger than a few bytes is held, node 0 has all places but the last one full of such. */
static rig_t *s_full_of_held (size_t count)
{
    policy_t policy = policy_default ();
    policy.change_bytes_max = 8;
    policy.review_threshold = 0;
    rig_t *rig = rig_new (count, &policy);
    rig_propose (rig, 0, rig_candidate (rig, "one", 0.9, 0));
    rig_settle (rig);
    for (int i = 0; i < LIMIT_IMPROVEMENTS; i++) {
        char text[32];
        (void)snprintf (text, sizeof text, "a large change %d", i);
        digest_t large = *rig_candidate (rig, text, 0.8, 0);
        bool taken = rig_propose (rig, 0, &large);
        rig_settle (rig);
        ck_assert_msg (taken == (i < LIMIT_IMPROVEMENTS - 1), "%d: %s", i, rig->nodes[0].reply);
        if (taken)
            s_expect_state (rig, 0, &large, STATE_HELD);
    }
    return rig;
}

START_TEST (what_is_live_can_be_rolled_back_however_much_is_held)
{
    rig_t *rig = s_full_of_held (2);
    digest_t one = *rig_candidate (rig, "one", 0.9, 0), start = rig->trees[0].id;
    ck_assert (digest_equal (&rig->nodes[0].current, &one));
    ck_assert_msg (s_command (rig, "rollback", &one), "%s", rig->nodes[0].reply);
    rig_settle (rig);
    ck_assert (digest_equal (&rig->nodes[0].current, &start));
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_package_for_which_all_places_are_held_is_tried_later)
{
    rig_t *rig = s_full_of_held (2);
    digest_t theirs = *rig_candidate (rig, "one+two", 0.5, 0);
    rig_propose (rig, 1, &theirs);
    rig_pass (rig, 60000);
    s_expect_state (rig, 1, &theirs, STATE_SHARED);
    ck_assert_uint_eq (rig_events (rig, 0, "knowledge_rejected"), 0);
    digest_t held = *rig_candidate (rig, "a large change 7", 0.8, 0);
    ck_assert (s_command (rig, "reject", &held));
    rig_pass (rig, 6000);
    ck_assert (digest_equal (&rig->nodes[0].current, &theirs));
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_package_that_is_held_holds_up_no_other)
{
    policy_t policy = policy_default ();
    policy.change_bytes_max = 6;
    policy.review_threshold = 0;
    rig_t *rig = rig_new (3, &policy);
    digest_t theirs = *rig_candidate (rig, "theirs", 0.9, 0), mine = *rig_candidate (rig, "mine", 0.95, 0),
             small = *rig_candidate (rig, "b", 0.5, 0);
    rig_find_apart (rig, &theirs, &mine);
    rig_release (rig, 2);
    rig_pass (rig, 6000);
    digest_t both = *rig_candidate (rig, "mine+theirs", 0, 0); /* the rig made it when it merged */
    s_expect_state (rig, 2, &both, STATE_HELD);                /* it is large */
    rig_command (rig, 1, "resume", NULL, NULL);
    rig_propose (rig, 1, &small);
    rig_pass (rig, 60000);
    s_expect_state (rig, 1, &small, STATE_SHARED);
    digest_t merged = *rig_candidate (rig, "b+mine", 0, 0);
    ck_assert (digest_equal (&rig->nodes[2].current, &merged));
    s_expect_state (rig, 2, &both, STATE_HELD);
    rig_destroy (&rig);
}
END_TEST

/* Answers the oldest proposal that was not yet, with a candidate crossed with `second` (either NULL: none), and lets new ones be asked
 * for; true if there was one, of which `parent` is told. */
static bool s_answer_crossed (rig_t *rig, size_t *at, const digest_t *candidate, const digest_t *second,
                              digest_t *parent)
{
    if (*at == rig->nodes[0].proposal_count)
        return false;
    *parent = rig->nodes[0].parents[*at];
    proposed_t proposed = {.operation = rig->nodes[0].proposals[(*at)++],
                           .result = candidate ? PROPOSAL_CANDIDATE : PROPOSAL_NONE,
                           .parent = *parent,
                           .description = text_of ("as the test has it")};
    if (second)
        proposed.second_parent = *second;
    for (size_t i = 0; candidate && i < rig->tree_count; i++)
        if (digest_equal (&rig->trees[i].id, candidate))
            proposed.tree = bytes_of (rig->trees[i].tree.data, rig->trees[i].tree.size);
    rig_event (rig, 0, (event_t){.kind = EVENT_PROPOSED, .as.proposed = proposed});
    rig_pass (rig, 15000); /* longer than any wait after one that gave nothing */
    return true;
}

static bool s_answer (rig_t *rig, size_t *at, const digest_t *candidate, digest_t *parent)
{
    return s_answer_crossed (rig, at, candidate, NULL, parent);
}

START_TEST (nobody_breeds_from_what_was_rolled_back)
{
    rig_t *rig = rig_new (1, NULL);
    digest_t harm = *rig_candidate (rig, "harm", 0.5, 0), child = *rig_candidate (rig, "harm+child", 0.4, 0),
             parent;
    rig_propose (rig, 0, &harm);
    rig_settle (rig);
    rig->proposers = 1;
    rig_restart (rig, 0);
    size_t at = 0, of_harm = 0;
    do /* until one that is made of it is under way */
        ck_assert (s_answer (rig, &at, NULL, &parent));
    while (!digest_equal (&rig->nodes[0].parents[at], &harm));
    ck_assert (s_command (rig, "rollback", &harm));
    rig_settle (rig);
    ck_assert (s_answer (rig, &at, &child, &parent));
    ck_assert (digest_equal (&parent, &harm));
    reason_code_t reason;
    ck_assert_int_eq (rig_state (rig, 0, &child, &reason, NULL), STATE_REJECTED);
    ck_assert_int_eq (reason, REASON_STALE_BASE);
    digest_t crossed = *rig_candidate (rig, "crossed", 0.3, 0);
    do
        ck_assert (at < rig->nodes[0].proposal_count);
    while (digest_equal (&rig->nodes[0].parents[at], &harm) && s_answer (rig, &at, NULL, &parent));
    ck_assert (s_answer_crossed (rig, &at, &crossed, &harm, &parent));
    ck_assert_int_eq (rig_state (rig, 0, &crossed, &reason, NULL), STATE_REJECTED);
    ck_assert_int_eq (reason, REASON_STALE_BASE);
    size_t asked = rig->nodes[0].proposal_count; /* those were asked for before it was rolled back */
    while (rig->nodes[0].proposal_count < RIG_PROPOSALS_MAX - 2 && s_answer (rig, &at, NULL, &parent))
        of_harm += at > asked && digest_equal (&parent, &harm);
    ck_assert_uint_gt (at, asked + 8);
    ck_assert_uint_eq (of_harm, 0);
    ck_assert (digest_equal (&rig->nodes[0].current, &rig->trees[0].id));
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_pause_leaves_what_is_live_as_it_is)
{
    rig_t *rig = rig_new (1, NULL);
    digest_t one = *rig_candidate (rig, "one", 0.9, 0), start = rig->trees[0].id;
    rig->nodes[0].rules.hold_snapshots = true;
    rig_propose (rig, 0, &one);
    rig_settle (rig);
    s_expect_state (rig, 0, &one, STATE_SNAPSHOT);
    ck_assert (rig_command (rig, 0, "pause", NULL, NULL));
    rig->nodes[0].rules.hold_snapshots = false;
    rig_release (rig, 0);
    rig_settle (rig);
    ck_assert (digest_equal (&rig->nodes[0].current, &start));
    ck_assert (rig_command (rig, 0, "resume", NULL, NULL));
    rig_settle (rig);
    ck_assert (digest_equal (&rig->nodes[0].current, &one));
    s_expect_state (rig, 0, &one, STATE_SHARED);
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_pause_that_comes_too_late_for_a_release_says_so)
{
    rig_t *rig = rig_new (1, NULL);
    digest_t one = *rig_candidate (rig, "one", 0.9, 0);
    rig->nodes[0].rules.hold_snapshots = true;
    rig_propose (rig, 0, &one);
    rig_settle (rig);
    ck_assert (rig_command (rig, 0, "pause", NULL, NULL));
    ck_assert_ptr_null (strstr (rig->nodes[0].reply, "being put in place"));
    ck_assert (rig_command (rig, 0, "resume", NULL, NULL));
    rig->nodes[0].rules.hold_snapshots = false;
    rig->nodes[0].rules.hold_evaluations = true; /* of the live copy */
    rig_release (rig, 0);
    rig_settle (rig);
    s_expect_state (rig, 0, &one, STATE_APPLIED);
    ck_assert (rig_command (rig, 0, "pause", NULL, NULL));
    ck_assert_ptr_nonnull (strstr (rig->nodes[0].reply, "being put in place"));
    rig->nodes[0].rules.hold_evaluations = false;
    rig_release (rig, 0);
    rig_settle (rig);
    s_expect_state (rig, 0, &one, STATE_SHARED); /* as was said */
    rig_destroy (&rig);
}
END_TEST

SUITE_MAIN ("node_meanwhile", a_pause_that_comes_too_late_for_a_release_says_so,
            a_validator_that_is_revoked_is_not_waited_for_to_the_end,
            the_one_trial_does_not_wait_for_what_waits_for_it,
            a_merge_onto_what_was_rolled_back_meanwhile_is_given_up,
            a_rollback_that_failed_can_be_tried_again, what_is_live_can_be_rolled_back_however_much_is_held,
            a_package_for_which_all_places_are_held_is_tried_later, a_package_that_is_held_holds_up_no_other,
            nobody_breeds_from_what_was_rolled_back, a_pause_leaves_what_is_live_as_it_is)
