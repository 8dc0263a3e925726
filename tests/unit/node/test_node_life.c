/* SPDX-License-Identifier: MPL-2.0 */
/* The life of an improvement, scenario by scenario: every edge of evolution/improvement.h is taken here. */
#include "tests/lib/rig_expect.h"
#include "tests/lib/suite.h"

START_TEST (an_improvement_is_shared_and_adopted_by_all)
{
    rig_t *rig = rig_new (4, NULL);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    ck_assert (rig_propose (rig, 1, &better));
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 1, &better), STATE_SHARED);
    for (size_t k = 0; k < 4; k++) {
        ck_assert (digest_equal (&rig->nodes[k].current, &better));
        ck_assert_int_eq (rig_events (rig, k, "knowledge_adopted"), k != 1);
        ck_assert_int_eq (rig_events (rig, k, "feedback_requested"), k == 1);
        ck_assert_int_eq (rig_told (rig, k, "validation_completed", "verdict", "confirmed"), k == 1);
    }
    ck_assert_int_eq (
        rig_told (rig, 1, "validation_completed", "results", "3 confirmed, 0 not, 0 declined, of 3 asked"),
        1);
    node_status_t status;
    node_status (rig->nodes[1].node, &status);
    ck_assert_uint_eq (status.applied, 1);
    ck_assert_uint_eq (status.packages_sent, 3);
    ck_assert_uint_eq (status.outbox, 0);
    rig_destroy (&rig);
}
END_TEST

START_TEST (what_is_not_better_is_rejected_with_its_reason)
{
    rig_t *rig = rig_new (3, NULL);
    digest_t worse = *rig_candidate (rig, "worse", 1.1, 0), same = *rig_candidate (rig, "same", 1, 0),
             little = *rig_candidate (rig, "little", 0.999, 0);
    rig_propose (rig, 0, &worse);
    rig_settle (rig);
    rig_propose (rig, 0, &same);
    rig_settle (rig);
    rig_propose (rig, 0, &little);
    rig_settle (rig);
    rig_expect_rejected (rig, 0, &worse, REASON_WORSE);
    rig_expect_rejected (rig, 0, &same, REASON_NOT_BETTER);
    rig_expect_rejected (rig, 0, &little, REASON_TOO_SMALL);
    rig->nodes[0].rules.evaluate_reason = REASON_INVALID_TIMEOUT;
    digest_t slow = *rig_candidate (rig, "slow", 0.5, 0);
    rig_propose (rig, 0, &slow);
    rig_settle (rig);
    rig_expect_rejected (rig, 0, &slow, REASON_INVALID_TIMEOUT);
    rig_destroy (&rig);
}
END_TEST

START_TEST (what_is_measured_in_pairs_keeps_the_interval_of_its_improvement)
{
    rig_t *exact = rig_new (1, NULL), *noisy = rig_found (1, NULL);
    noisy->noisy = true;
    rig_start (noisy);
    digest_t better = *rig_candidate (exact, "better", 0.9, 0);
    rig_candidate (noisy, "better", 0.9, 0);
    ck_assert (rig_propose (exact, 0, &better) && rig_propose (noisy, 0, &better));
    rig_settle (exact);
    rig_settle (noisy);
    const rig_row_t *row = rig_row (exact, 0, &better);
    ck_assert (row != NULL);
    ck_assert_uint_eq (row->intervals, 0);
    row = rig_row (noisy, 0, &better);
    ck_assert (row != NULL);
    ck_assert_uint_eq (row->intervals, 1);
    ck_assert (row->low == 0.1 && row->high == 0.1); /* all eight pairs say the same */
    rig_destroy (&noisy);
    rig_destroy (&exact);
}
END_TEST

/* What is one of a kind in `rig`, which measures in pairs, and better in its first so many runs by luck. */
static digest_t s_lucky (rig_t **rig_p, size_t count, unsigned runs)
{
    rig_t *rig = rig_found (count, NULL);
    rig->noisy = true;
    rig_start (rig);
    rig->nodes[0].rules.luck = 0.1;
    rig->nodes[0].rules.lucky_runs = runs;
    digest_t lucky = *rig_candidate (rig, "lucky", 1, 0);
    ck_assert (rig_propose (rig, 0, &lucky));
    rig_settle (rig);
    *rig_p = rig;
    return lucky;
}

START_TEST (who_is_alone_measures_again_what_luck_may_have_chosen)
{
    rig_t *rig;
    digest_t lucky = s_lucky (&rig, 1, 8), better = *rig_candidate (rig, "better", 0.9, 0);
    rig_expect_rejected (rig, 0, &lucky, REASON_NOT_BETTER);
    ck_assert_uint_eq (rig->nodes[0].evaluated[1], 8 + 4);
    ck_assert_uint_eq (rig->nodes[0].staged, 1); /* the stages say nothing new in the second trial */
    /* What is better is so twice. */
    ck_assert (rig_propose (rig, 0, &better));
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 0, &better), STATE_SHARED);
    ck_assert_uint_eq (rig->nodes[0].evaluated[2], 16);
    rig_destroy (&rig);
}
END_TEST

START_TEST (that_it_is_measured_a_second_time_is_told)
{
    rig_t *rig = rig_found (1, NULL);
    node_progress_t progress;
    digest_t improvement;
    rig->noisy = true;
    rig_start (rig);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    rig->nodes[0].rules.hold_evaluations = true;
    ck_assert (rig_propose (rig, 0, &better));
    rig_settle (rig);
    ck_assert_int_eq (rig_state (rig, 0, &better, NULL, &improvement), STATE_TESTING);
    for (unsigned run = 0; run <= 18; run++) { /* 8 pairs, and the first of the second trial */
        ck_assert (node_progress (rig->nodes[0].node, &improvement, &progress));
        ck_assert_int_eq (progress.second, run >= 16);
        ck_assert_uint_eq (progress.pairs, run % 16 / 2);
        rig_release (rig, 0);
        rig_settle (rig);
    }
    rig_destroy (&rig);
}
END_TEST

START_TEST (who_has_validators_leaves_a_second_trial_to_them)
{
    rig_t *rig;
    digest_t lucky = s_lucky (&rig, 3, 8);
    ck_assert_uint_eq (rig->nodes[0].evaluated[1], 8);
    rig_expect_rejected (rig, 0, &lucky, REASON_NOT_CONFIRMED);
    rig_destroy (&rig);
}
END_TEST

START_TEST (what_is_only_good_on_the_proposers_data_fails_at_the_validators)
{
    rig_t *rig = rig_new (4, NULL);
    digest_t fitted = *rig_candidate (rig, "fitted", 0.9, 0.2); /* worse on every node but 0 */
    rig_propose (rig, 0, &fitted);
    rig_settle (rig);
    rig_expect_rejected (rig, 0, &fitted, REASON_NOT_CONFIRMED);
    ck_assert (!digest_equal (&rig->nodes[0].current, &fitted));
    ck_assert_int_eq (rig_events (rig, 0, "validation_completed"), 1);
    ck_assert_int_eq (rig_told (rig, 0, "validation_completed", "verdict", "not confirmed"), 1);
    ck_assert_int_eq (
        rig_told (rig, 0, "validation_completed", "results", "0 confirmed, 1 not, 0 declined, of 3 asked"),
        1);
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_large_change_is_held_and_the_operator_decides)
{
    policy_t policy = policy_default ();
    policy.change_bytes_max = 4;
    rig_t *rig = rig_new (3, &policy);
    digest_t large = *rig_candidate (rig, "a large change of the program", 0.9, 0), improvement;
    char id[DIGEST_TEXT_BYTES];
    rig_propose (rig, 0, &large);
    rig_settle (rig);
    ck_assert_int_eq (rig_state (rig, 0, &large, NULL, &improvement), STATE_REJECTED);

    /* All want a look: no approval at all is REJECT. One that approves of two makes it REVIEW. */
    policy.review_threshold = 0;
    rig_destroy (&rig);
    rig = rig_new (3, &policy);
    large = *rig_candidate (rig, "a large change of the program", 0.9, 0);
    rig_propose (rig, 0, &large);
    rig_settle (rig);
    ck_assert_int_eq (rig_state (rig, 0, &large, NULL, &improvement), STATE_HELD);
    digest_text (&improvement, id);
    ck_assert (rig_command (rig, 0, "approve", "id", id));
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 0, &large), STATE_SHARED);

    digest_t other = *rig_candidate (rig, "another large change of the program", 0.8, 0);
    rig_propose (rig, 0, &other);
    rig_settle (rig);
    ck_assert_int_eq (rig_state (rig, 0, &other, NULL, &improvement), STATE_HELD);
    digest_text (&improvement, id);
    ck_assert (rig_command (rig, 0, "reject", "id", id));
    rig_expect_rejected (rig, 0, &other, REASON_OPERATOR);
    ck_assert (!rig_command (rig, 0, "approve", "id", id));

    digest_t third = *rig_candidate (rig, "a third large change of the program", 0.7, 0);
    rig_propose (rig, 0, &third);
    rig_pass (rig, policy.held_expiry_ms + 1);
    rig_expect_rejected (rig, 0, &third, REASON_EXPIRED);
    rig_destroy (&rig);
}
END_TEST

START_TEST (silence_is_never_approval)
{
    rig_t *rig = rig_new (4, NULL);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    for (size_t k = 1; k < 4; k++)
        rig->nodes[k].rules.deaf = true;
    rig_propose (rig, 0, &better);
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 0, &better), STATE_REVIEWING);
    rig_pass (rig, rig->policy.feedback_deadline_ms + 1);
    rig_expect_rejected (rig, 0, &better, REASON_CONSENSUS);
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_validator_that_never_answers_does_not_hold_up_what_is_decided)
{
    rig_t *rig = rig_new (5, NULL);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    rig->nodes[4].rules.hold_evaluations = true;
    rig_propose (rig, 0, &better);
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 0, &better), STATE_VALIDATING);
    rig_pass (rig, 3001); /* three of four confirm: the fourth may still come, for a moment */
    ck_assert_int_eq (rig_state_now (rig, 0, &better), STATE_SHARED);
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_lost_validator_is_not_waited_for_to_the_end)
{
    rig_t *rig = rig_new (3, NULL);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    rig->nodes[2].rules.hold_evaluations = true;
    rig_propose (rig, 0, &better);
    rig_settle (rig);
    rig_event (rig, 0, (event_t){.kind = EVENT_PEER_LOST, .as.peer_lost = {rig->nodes[2].identity.id}});
    rig_pass (rig, 29000);
    ck_assert_int_eq (rig_state_now (rig, 0, &better), STATE_VALIDATING);
    rig_pass (rig, 2000);
    rig_expect_rejected (rig, 0, &better, REASON_NO_VALIDATORS);
    rig_destroy (&rig);
}
END_TEST

START_TEST (without_validators_it_is_rejected)
{
    rig_t *rig = rig_new (3, NULL);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    for (size_t peer = 1; peer < 3; peer++) /* up, but with no capability */
        rig_event (rig, 0,
                   (event_t){.kind = EVENT_PEER_UP,
                             .as.peer_up = {rig->nodes[peer].identity.id, 0, text_of ("x86_64/rig/1"), 0}});
    rig_propose (rig, 0, &better);
    rig_settle (rig);
    rig_expect_rejected (rig, 0, &better, REASON_NO_VALIDATORS);
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_regression_is_rolled_back_and_verified)
{
    rig_t *rig = rig_new (3, NULL);
    digest_t before = rig->nodes[0].current, better = *rig_candidate (rig, "better", 0.9, 0);
    rig->nodes[0].rules.live_worse = 0.5;
    rig_propose (rig, 0, &better);
    rig_settle (rig);
    reason_code_t reason;
    ck_assert_int_eq (rig_state (rig, 0, &better, &reason, NULL), STATE_ROLLED_BACK);
    ck_assert_int_eq (reason, REASON_REGRESSION);
    ck_assert (digest_equal (&rig->nodes[0].current, &before));
    ck_assert_int_eq (rig_events (rig, 0, "rollback_completed"), 1);
    ck_assert_int_eq (rig_events (rig, 0, "improvement_applied"), 0);
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_rollback_that_fails_its_verification_stops_evolution_loudly)
{
    rig_t *rig = rig_new (3, NULL);
    digest_t before = rig->nodes[0].current, better = *rig_candidate (rig, "better", 0.9, 0);
    rig->nodes[0].rules.live_worse = rig->nodes[0].rules.start_worse = 0.5;
    rig_propose (rig, 0, &better);
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 0, &better), STATE_ROLLBACK_FAILED);
    ck_assert (digest_equal (&rig->nodes[0].current, &before));
    node_status_t status;
    node_status (rig->nodes[0].node, &status);
    ck_assert (status.stopped);
    ck_assert_int_eq (rig_events (rig, 0, "rollback_failed"), 1);
    ck_assert (rig_command (rig, 0, "resume", NULL, NULL));
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_service_that_does_not_restart_is_rolled_back)
{
    rig_t *rig = rig_new (3, NULL);
    digest_t before = rig->nodes[0].current, better = *rig_candidate (rig, "better", 0.9, 0);
    rig->nodes[0].rules.apply_result = 2;
    rig_propose (rig, 0, &better);
    rig_settle (rig);
    reason_code_t reason;
    ck_assert_int_eq (rig_state (rig, 0, &better, &reason, NULL), STATE_ROLLED_BACK);
    ck_assert_int_eq (reason, REASON_RESTART_FAILED);
    ck_assert (digest_equal (&rig->nodes[0].current, &before));
    ck_assert_int_eq (rig_events (rig, 0, "rollback_initiated"), 1);
    ck_assert_int_eq (rig_events (rig, 0, "rollback_completed"), 1);
    rig_destroy (&rig);
}
END_TEST

START_TEST (the_operator_rolls_back_and_what_stands_on_it_goes_too)
{
    rig_t *rig = rig_new (1, NULL);
    digest_t before = rig->nodes[0].current, one = *rig_candidate (rig, "one", 0.9, 0),
             two = *rig_candidate (rig, "two", 0.8, 0), improvement;
    char id[DIGEST_TEXT_BYTES];
    rig_propose (rig, 0, &one);
    rig_settle (rig);
    rig_propose (rig, 0, &two);
    rig_settle (rig);
    ck_assert (digest_equal (&rig->nodes[0].current, &two));
    ck_assert_int_eq (rig_state (rig, 0, &one, NULL, &improvement), STATE_SHARED);
    digest_text (&improvement, id);
    ck_assert (rig_command (rig, 0, "rollback", "id", id));
    rig_settle (rig);
    ck_assert (digest_equal (&rig->nodes[0].current, &before));
    ck_assert_int_eq (rig_state_now (rig, 0, &one), STATE_ROLLED_BACK);
    ck_assert_int_eq (rig_state_now (rig, 0, &two), STATE_ROLLED_BACK);
    ck_assert (!rig_command (rig, 0, "rollback", "id", id));
    ck_assert (!rig_command (rig, 0, "rollback", "id", "nonsense"));
    rig_destroy (&rig);
}
END_TEST

START_TEST (faults_open_the_breaker_and_one_trial_closes_it)
{
    rig_t *rig = rig_new (1, NULL);
    rig->nodes[0].rules.apply_result = 1;
    for (int i = 0; i < 2; i++) {
        char text[16] = "change 0";
        text[7] = (char)('0' + i);
        digest_t candidate = *rig_candidate (rig, text, 0.9 - 0.1 * i, 0);
        rig_propose (rig, 0, &candidate);
        rig_settle (rig);
        rig_expect_rejected (rig, 0, &candidate, REASON_APPLY_FAILED);
    }
    ck_assert_int_eq (rig_events (rig, 0, "breaker_opened"), 1);
    rig_pass (rig, 10001);
    ck_assert_int_eq (rig_events (rig, 0, "breaker_half_open"), 1);
    rig_restart (rig, 0);
    node_status_t status;
    node_status (rig->nodes[0].node, &status);
    ck_assert_str_eq (status.fault, "putting a release in place");
    rig->nodes[0].rules.apply_result = 0;
    digest_t good = *rig_candidate (rig, "good", 0.5, 0);
    rig_propose (rig, 0, &good);
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 0, &good), STATE_SHARED);
    ck_assert_int_eq (rig_events (rig, 0, "breaker_closed"), 1);
    node_status (rig->nodes[0].node, &status);
    ck_assert_str_eq (status.fault, "");
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_fault_is_told_of_until_something_works_also_where_the_breaker_is_off)
{
    for (int off = 0; off < 2; off++) {
        rig_t *rig = rig_found (1, NULL);
        rig->breaker_is_off = off;
        rig_start (rig);
        rig_settle (rig);
        digest_t one = *rig_candidate (rig, "one", 0.9, 0), good = *rig_candidate (rig, "good", 0.5, 0);
        rig->nodes[0].rules.evaluate_reason = REASON_FAULT;
        rig_propose (rig, 0, &one);
        rig_settle (rig);
        node_status_t status;
        node_status (rig->nodes[0].node, &status);
        ck_assert_str_eq (status.fault, "running the evaluator: by the test's rule");
        rig->nodes[0].rules.evaluate_reason = REASON_NONE;
        rig_propose (rig, 0, &good);
        rig_settle (rig);
        node_status (rig->nodes[0].node, &status);
        ck_assert_str_eq (status.fault, "");
        rig_destroy (&rig);
    }
}
END_TEST

START_TEST (a_pause_survives_a_restart_and_peers_are_still_answered)
{
    rig_t *rig = rig_new (3, NULL);
    ck_assert (rig_command (rig, 2, "pause", NULL, NULL));
    rig_restart (rig, 2);
    node_status_t status;
    node_status (rig->nodes[2].node, &status);
    ck_assert (status.paused);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    rig_propose (rig, 0, &better);
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 0, &better), STATE_SHARED);
    ck_assert (!digest_equal (&rig->nodes[2].current, &better));
    ck_assert (rig_command (rig, 2, "resume", NULL, NULL));
    rig_settle (rig);
    ck_assert (digest_equal (&rig->nodes[2].current, &better));
    rig_destroy (&rig);
}
END_TEST

START_TEST (every_improvement_goes_on_after_a_restart_from_where_it_stood)
{
    rig_t *rig = rig_new (4, NULL);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    rig->nodes[0].rules.hold_evaluations = true;
    rig_propose (rig, 0, &better);
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 0, &better), STATE_TESTING);
    rig->nodes[0].rules.hold_evaluations = false;
    rig_restart (rig, 0);
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 0, &better), STATE_SHARED);
    rig_restart (rig, 1); /* replays to the same state, byte for byte: asserted in there */
    ck_assert (digest_equal (&rig->nodes[1].current, &better));
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_change_that_touches_other_files_is_rejected_as_protected)
{
    rig_t *rig = rig_new (1, NULL);
    tree_t tree = {0};
    digest_t content = digest_of ("x", 1), evaluator = rig->group.evaluator;
    ck_assert_int_eq (tree_add (&tree, "evaluator.c", false, &content, 1), 0);
    size_t size;
    uint8_t *bytes = tree_encode (&tree, &evaluator, &size);
    event_t event = {
        .kind = EVENT_COMMAND,
        .as.command = {.operation = 7, .name = text_of ("propose"), .content = bytes_of (bytes, size)}};
    rig_event (rig, 0, event);
    ck_assert (rig->nodes[0].reply_failed);
    digest_t id = digest_of (bytes, size);
    rig_expect_rejected (rig, 0, &id, REASON_PROTECTED);
    free (bytes);
    tree_clear (&tree);
    rig_destroy (&rig);
}
END_TEST

SUITE_MAIN ("node_life", an_improvement_is_shared_and_adopted_by_all,
            what_is_not_better_is_rejected_with_its_reason,
            what_is_measured_in_pairs_keeps_the_interval_of_its_improvement,
            who_is_alone_measures_again_what_luck_may_have_chosen, that_it_is_measured_a_second_time_is_told,
            who_has_validators_leaves_a_second_trial_to_them,
            what_is_only_good_on_the_proposers_data_fails_at_the_validators,
            a_large_change_is_held_and_the_operator_decides, silence_is_never_approval,
            a_validator_that_never_answers_does_not_hold_up_what_is_decided,
            a_lost_validator_is_not_waited_for_to_the_end, without_validators_it_is_rejected,
            a_regression_is_rolled_back_and_verified,
            a_rollback_that_fails_its_verification_stops_evolution_loudly,
            a_service_that_does_not_restart_is_rolled_back,
            the_operator_rolls_back_and_what_stands_on_it_goes_too,
            faults_open_the_breaker_and_one_trial_closes_it,
            a_fault_is_told_of_until_something_works_also_where_the_breaker_is_off,
            a_pause_survives_a_restart_and_peers_are_still_answered,
            every_improvement_goes_on_after_a_restart_from_where_it_stood,
            a_change_that_touches_other_files_is_rejected_as_protected)
