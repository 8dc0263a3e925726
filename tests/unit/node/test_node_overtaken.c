/* SPDX-License-Identifier: MPL-2.0 */
/* Own improvements and packages while whose test or merge another release goes live. */
#include <stdio.h>
#include <string.h>

#include "tests/lib/rig_expect.h"
#include "tests/lib/suite.h"

/* Node 0's own "mine", of that cost, is confirmed only after node 1's "theirs", of 0.9, went live there: its base has moved. */
static rig_t *s_overtaken (double cost, digest_t *mine, digest_t *theirs)
{
    rig_t *rig = rig_new (3, NULL);
    *theirs = *rig_candidate (rig, "theirs", 0.9, 0);
    *mine = *rig_candidate (rig, "mine", cost, 0);
    rig->nodes[2].rules.hold_evaluations = true;
    rig_propose (rig, 1, theirs);
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 1, theirs), STATE_VALIDATING);
    rig->nodes[1].rules.hold_evaluations = true; /* of its live copy, once it is applied */
    rig->nodes[2].rules.hold_evaluations = false;
    rig_release (rig, 2);
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 1, theirs), STATE_APPLIED);
    rig->nodes[1].rules.hold_evaluations = false;
    rig->nodes[2].rules.hold_evaluations = true;
    rig_propose (rig, 0, mine);
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 0, mine), STATE_VALIDATING);
    rig_release (rig, 1);
    rig_settle (rig);
    ck_assert (digest_equal (&rig->nodes[0].current, theirs));
    ck_assert_int_eq (rig_state_now (rig, 0, mine), STATE_VALIDATING);
    rig->nodes[2].rules.hold_evaluations = false;
    return rig;
}

/* Node k keeps just these as the candidate's parents; NULL: none. */
static void s_expect_parents (const rig_t *rig, size_t k, const digest_t *candidate, const digest_t *first,
                              const digest_t *second)
{
    const digest_t none = {{0}};
    const rig_lineage_t *lineage = rig_lineage (rig, k, candidate);
    ck_assert_ptr_nonnull (lineage);
    ck_assert (digest_equal (&lineage->parents[0], first == NULL ? &none : first));
    ck_assert (digest_equal (&lineage->parents[1], second == NULL ? &none : second));
}

START_TEST (an_overtaken_improvement_is_merged_and_tested_again)
{
    digest_t mine, theirs;
    rig_t *rig = s_overtaken (0.85, &mine, &theirs);
    rig_release (rig, 2);
    rig_settle (rig);
    ck_assert (rig->taken[STATE_VALIDATED][STATE_TESTING]);
    digest_t both = *rig_candidate (rig, "mine+theirs", 0, 0); /* the rig made it when it merged */
    ck_assert_int_eq (rig_state_now (rig, 0, &both), STATE_SHARED);
    for (size_t k = 0; k < 3; k++)
        ck_assert (digest_equal (&rig->nodes[k].current, &both));
    s_expect_parents (rig, 0, &theirs, &rig->trees[0].id, NULL); /* a package that applied as it was */
    s_expect_parents (rig, 0, &mine, &rig->trees[0].id, NULL);
    s_expect_parents (rig, 0, &both, &mine, &theirs);
    s_expect_parents (rig, 0, &rig->trees[0].id, NULL, NULL);
    rig_destroy (&rig);
}
END_TEST

START_TEST (an_overtaken_improvement_that_conflicts_and_is_better_goes_live)
{
    digest_t mine, theirs;
    rig_t *rig = s_overtaken (0.85, &mine, &theirs);
    rig->nodes[0].rules.merge_conflicts = 2;
    rig_release (rig, 2);
    rig_settle (rig);
    ck_assert (rig->taken[STATE_VALIDATED][STATE_TESTING]);
    ck_assert_int_eq (rig_state_now (rig, 0, &mine), STATE_SHARED);
    for (size_t k = 0; k < 3; k++)
        ck_assert (digest_equal (&rig->nodes[k].current, &mine));
    s_expect_parents (rig, 0, &mine, &rig->trees[0].id, NULL); /* it is what it was made as */
    rig_destroy (&rig);
}
END_TEST

START_TEST (an_overtaken_improvement_that_conflicts_and_is_worse_than_what_went_live_is_rejected)
{
    digest_t mine, theirs;
    rig_t *rig = s_overtaken (0.95, &mine, &theirs);
    rig->nodes[0].rules.merge_conflicts = 2;
    rig_release (rig, 2);
    rig_settle (rig);
    rig_expect_rejected (rig, 0, &mine, REASON_WORSE);
    ck_assert (digest_equal (&rig->nodes[0].current, &theirs));
    rig_destroy (&rig);
}
END_TEST

START_TEST (an_overtaken_improvement_that_cannot_be_merged_is_stale)
{
    digest_t mine, theirs;
    rig_t *rig = s_overtaken (0.85, &mine, &theirs);
    rig->nodes[0].rules.merge_result = MERGE_IMPOSSIBLE;
    rig_release (rig, 2);
    rig_settle (rig);
    rig_expect_rejected (rig, 0, &mine, REASON_STALE_BASE);
    ck_assert (digest_equal (&rig->nodes[0].current, &theirs));
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_merge_that_fails_on_this_machine_is_its_fault)
{
    digest_t mine, theirs;
    rig_t *rig = s_overtaken (0.85, &mine, &theirs);
    rig->nodes[0].rules.merge_result = MERGE_FAULT;
    rig_release (rig, 2);
    rig_settle (rig);
    rig_expect_rejected (rig, 0, &mine, REASON_FAULT);
    ck_assert_uint_eq (rig_told (rig, 0, "improvement_rejected", "reason", "stale_base"), 0);
    rig_destroy (&rig);
}
END_TEST

START_TEST (two_own_improvements_go_live_one_after_the_other)
{
    rig_t *rig = rig_new (1, NULL);
    digest_t one = *rig_candidate (rig, "one", 0.9, 0), two = *rig_candidate (rig, "two", 0.8, 0);
    rig->nodes[0].rules.hold_evaluations = true;
    rig_propose (rig, 0, &one);
    rig_propose (rig, 0, &two);
    rig_settle (rig);
    rig->nodes[0].rules.hold_evaluations = false;
    rig_release (rig, 0);
    rig_settle (rig);
    digest_t both = *rig_candidate (rig, "one+two", 0, 0);
    ck_assert (digest_equal (&rig->nodes[0].current, &both));
    rig_destroy (&rig);
}
END_TEST

/* Lets what is held come in, and holds what that leads to, until the candidate was measured once more; true if it was. */
static bool s_measure_again (rig_t *rig, const digest_t *candidate)
{
    size_t at = 0;
    while (!digest_equal (&rig->trees[at].id, candidate))
        at++;
    unsigned before = rig->nodes[0].evaluated[at];
    rig->nodes[0].rules.hold_evaluations = true;
    for (int i = 0; i < 4 && rig->nodes[0].evaluated[at] == before; i++) {
        rig_release (rig, 0);
        rig_settle (rig);
    }
    return rig->nodes[0].evaluated[at] > before;
}

START_TEST (what_loses_its_base_whenever_it_is_tested_is_rejected_in_the_end)
{
    rig_t *rig = rig_new (1, NULL);
    digest_t mine = *rig_candidate (rig, "mine", 0.01, 0);
    rig->nodes[0].rules.merge_conflicts = 2; /* so it stands as it was made */
    rig->nodes[0].rules.hold_evaluations = true;
    rig_propose (rig, 0, &mine);
    rig_settle (rig);
    double cost = 1;
    unsigned tests = 1;
    for (; tests <= 2 * LIMIT_RETESTS; tests++) {
        char text[16];
        (void)snprintf (text, sizeof text, "other-%u", tests);
        digest_t other = *rig_candidate (rig, text, cost *= 0.97, 0);
        rig->nodes[0].rules.hold_evaluations = false;
        rig_propose (rig, 0, &other);
        rig_settle (rig);
        ck_assert (digest_equal (&rig->nodes[0].current, &other));
        if (!s_measure_again (rig, &mine))
            break;
    }
    ck_assert_uint_eq (tests, 1 + LIMIT_RETESTS);
    rig_expect_rejected (rig, 0, &mine, REASON_STALE_BASE);
    rig_destroy (&rig);
}
END_TEST

START_TEST (what_goes_live_during_a_merge_is_not_lost_by_it)
{
    rig_t *rig = rig_new (1, NULL);
    digest_t mine = *rig_candidate (rig, "mine", 0.5, 0), one = *rig_candidate (rig, "one", 0.9, 0),
             two = *rig_candidate (rig, "one+two", 0.8, 0);
    rig->nodes[0].rules.hold_merges = true;
    rig->nodes[0].rules.hold_evaluations = true;
    rig_propose (rig, 0, &mine);
    rig_settle (rig);
    rig->nodes[0].rules.hold_evaluations = false;
    rig_propose (rig, 0, &one);
    rig_settle (rig);
    rig_release (rig, 0); /* it is measured; that it is merged onto the first is held */
    rig_settle (rig);
    rig_propose (rig, 0, &two);
    rig_settle (rig);
    ck_assert (digest_equal (&rig->nodes[0].current, &two));
    rig->nodes[0].rules.hold_merges = false;
    rig_release (rig, 0);
    rig_settle (rig);
    digest_t all = *rig_candidate (rig, "mine+one+two", 0, 0); /* the rig made it when it merged */
    ck_assert (digest_equal (&rig->nodes[0].current, &all));
    rig_destroy (&rig);
}
END_TEST

START_TEST (what_goes_live_while_a_package_is_merged_is_not_lost_by_it)
{
    rig_t *rig = rig_new (3, NULL);
    digest_t theirs = *rig_candidate (rig, "theirs", 0.9, 0), mine = *rig_candidate (rig, "mine", 0.95, 0),
             more = *rig_candidate (rig, "mine+more", 0.9, 0);
    rig_find_apart (rig, &theirs, &mine);
    rig->nodes[2].rules.hold_merges = true;
    rig_release (rig, 2);
    rig_pass (rig, 6000);
    rig_propose (rig, 2, &more);
    rig_settle (rig);
    ck_assert (digest_equal (&rig->nodes[2].current, &more));
    rig->nodes[2].rules.hold_merges = false;
    rig_release (rig, 2);
    rig_pass (rig, 6000);
    digest_t all = *rig_candidate (rig, "mine+more+theirs", 0, 0); /* the rig made it when it merged */
    ck_assert (digest_equal (&rig->nodes[2].current, &all));
    node_status_t status;
    node_status (rig->nodes[2].node, &status);
    ck_assert_uint_eq (status.packages_adopted, 1);
    rig_destroy (&rig);
}
END_TEST

/* Node 0's "considerable", which the group wants the operator to look at, and node 1's "one", which went live meanwhile. Returns the held
 * one's id, as text. */
static rig_t *s_held_and_overtaken (char id[DIGEST_TEXT_BYTES])
{
    policy_t policy = policy_default ();
    policy.change_bytes_max = 4;
    policy.review_threshold = 0;
    rig_t *rig = rig_new (3, &policy);
    digest_t held = *rig_candidate (rig, "considerable", 0.9, 0), one = *rig_candidate (rig, "one", 0.8, 0),
             improvement;
    rig_propose (rig, 0, &held);
    rig_settle (rig);
    ck_assert_int_eq (rig_state (rig, 0, &held, NULL, &improvement), STATE_HELD);
    digest_text (&improvement, id);
    rig_propose (rig, 1, &one);
    rig_settle (rig);
    ck_assert (digest_equal (&rig->nodes[0].current, &one));
    ck_assert_int_eq (rig_state_now (rig, 0, &held), STATE_HELD);
    return rig;
}

START_TEST (an_approval_holds_for_what_the_change_is_merged_to)
{
    char id[DIGEST_TEXT_BYTES];
    rig_t *rig = s_held_and_overtaken (id);
    unsigned asked = rig_events (rig, 0, "validation_started");
    ck_assert (rig_command (rig, 0, "approve", "id", id));
    ck_assert_msg (strstr (rig->nodes[0].reply, "merged onto that and tested again first"), "%s",
                   rig->nodes[0].reply);
    rig_settle (rig);
    ck_assert (rig->taken[STATE_HELD][STATE_TESTING]);
    digest_t both = *rig_candidate (rig, "considerable+one", 0, 0); /* the rig made it when it merged */
    ck_assert_int_eq (rig_state_now (rig, 0, &both), STATE_SHARED);
    ck_assert_uint_eq (rig_events (rig, 0, "improvement_held"), 1);
    ck_assert_uint_eq (rig_events (rig, 0, "validation_started"),
                       asked + 1); /* no validator measured it in vain */
    for (size_t k = 0; k < 3; k++)
        ck_assert (digest_equal (&rig->nodes[k].current, &both));
    rig_destroy (&rig);
}
END_TEST

START_TEST (an_approved_change_that_can_not_be_merged_is_rejected)
{
    char id[DIGEST_TEXT_BYTES];
    rig_t *rig = s_held_and_overtaken (id);
    rig->nodes[0].rules.merge_result = MERGE_IMPOSSIBLE;
    ck_assert (rig_command (rig, 0, "approve", "id", id));
    rig_settle (rig);
    digest_t held = *rig_candidate (rig, "considerable", 0, 0);
    rig_expect_rejected (rig, 0, &held, REASON_STALE_BASE);
    rig_destroy (&rig);
}
END_TEST

START_TEST (what_is_approved_is_validated_at_once_if_its_base_is_live_again_before_it_is_merged)
{
    char id[DIGEST_TEXT_BYTES], live[DIGEST_TEXT_BYTES];
    rig_t *rig = s_held_and_overtaken (id);
    digest_t held = *rig_candidate (rig, "considerable", 0, 0), one = *rig_candidate (rig, "one", 0, 0),
             improvement;
    rig->nodes[0].rules.hold_merges = true;
    ck_assert (rig_command (rig, 0, "approve", "id", id));
    rig_settle (rig);
    node_progress_t progress;
    (void)rig_state (rig, 0, &held, NULL, &improvement);
    ck_assert (node_progress (rig->nodes[0].node, &improvement, &progress));
    ck_assert_int_eq (progress.waits_for, WAITS_FOR_MERGE);
    ck_assert_int_eq (rig_state (rig, 0, &one, NULL, &improvement), STATE_KEPT);
    digest_text (&improvement, live);
    ck_assert (rig_command (rig, 0, "rollback", "id", live));
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 0, &held), STATE_SHARED);
    ck_assert (!rig->taken[STATE_HELD][STATE_TESTING]);
    rig_destroy (&rig);
}
END_TEST

SUITE_MAIN ("node_overtaken", an_overtaken_improvement_is_merged_and_tested_again,
            an_overtaken_improvement_that_conflicts_and_is_better_goes_live,
            an_overtaken_improvement_that_conflicts_and_is_worse_than_what_went_live_is_rejected,
            an_overtaken_improvement_that_cannot_be_merged_is_stale,
            a_merge_that_fails_on_this_machine_is_its_fault, two_own_improvements_go_live_one_after_the_other,
            what_loses_its_base_whenever_it_is_tested_is_rejected_in_the_end,
            what_goes_live_during_a_merge_is_not_lost_by_it,
            what_goes_live_while_a_package_is_merged_is_not_lost_by_it,
            an_approval_holds_for_what_the_change_is_merged_to,
            an_approved_change_that_can_not_be_merged_is_rejected,
            what_is_approved_is_validated_at_once_if_its_base_is_live_again_before_it_is_merged)
