/* SPDX-License-Identifier: MPL-2.0 */
/* How far an improvement is, and what it waits for, at each stretch of its way. */
#include "tests/lib/rig.h"
#include "tests/lib/suite.h"

static node_progress_t s_progress (const rig_t *rig, size_t k, const digest_t *candidate)
{
    digest_t improvement;
    node_progress_t progress;
    ck_assert_int_ne (rig_state (rig, k, candidate, NULL, &improvement), STATE_NONE);
    ck_assert (node_progress (rig->nodes[k].node, &improvement, &progress));
    return progress;
}

static void s_expect (const rig_t *rig, const digest_t *candidate, improvement_state_t state,
                      progress_wait_t waits_for)
{
    node_progress_t progress = s_progress (rig, 0, candidate);
    ck_assert_str_eq (improvement_state_name (progress.state), improvement_state_name (state));
    ck_assert_str_eq (progress_wait_name (progress.waits_for), progress_wait_name (waits_for));
}

START_TEST (pairs_are_counted_as_they_are_measured)
{
    rig_t *rig = rig_found (1, NULL);
    rig->noisy = true;
    rig_start (rig);
    digest_t better = *rig_candidate (rig, "better", 0.5, 0);
    rig->nodes[0].rules.hold_evaluations = true;
    ck_assert (rig_propose (rig, 0, &better));
    rig_settle (rig);
    s_expect (rig, &better, STATE_TESTING, WAITS_FOR_RUN);
    for (size_t run = 0; run < 6; run++) {
        node_progress_t progress = s_progress (rig, 0, &better);
        ck_assert_uint_eq (progress.pairs, run / 2);
        ck_assert_uint_eq (progress.pairs_most, 32);
        ck_assert (progress.running && progress.due_ms == UINT64_MAX);
        rig_release (rig, 0);
        rig_settle (rig);
    }
    rig_destroy (&rig);
}
END_TEST

START_TEST (what_finds_no_slot_says_so)
{
    rig_t *rig = rig_new (1, NULL);
    digest_t tried[] = {*rig_candidate (rig, "one", 0.9, 0), *rig_candidate (rig, "two", 0.8, 0),
                        *rig_candidate (rig, "three", 0.7, 0)};
    rig->nodes[0].rules.hold_evaluations = true;
    for (size_t i = 0; i < 3; i++)
        ck_assert (rig_propose (rig, 0, &tried[i]));
    rig_settle (rig);
    s_expect (rig, &tried[0], STATE_TESTING, WAITS_FOR_RUN);
    s_expect (rig, &tried[1], STATE_TESTING, WAITS_FOR_RUN);
    s_expect (rig, &tried[2], STATE_TESTING, WAITS_FOR_SLOT);
    ck_assert_uint_eq (s_progress (rig, 0, &tried[2]).pairs_most, 1);
    rig_destroy (&rig);
}
END_TEST

START_TEST (answers_are_counted_and_the_next_waits_for_its_turn)
{
    rig_t *rig = rig_new (3, NULL); /* two confirmations are needed */
    digest_t better = *rig_candidate (rig, "better", 0.9, 0), next = *rig_candidate (rig, "next", 0.8, 0);
    rig->nodes[2].rules.deaf = true;
    ck_assert (rig_propose (rig, 0, &better));
    rig_settle (rig);
    s_expect (rig, &better, STATE_REVIEWING, WAITS_FOR_VOTES);
    node_progress_t progress = s_progress (rig, 0, &better);
    ck_assert_uint_eq (progress.asked, 2);
    ck_assert_uint_eq (progress.approvals, 1);
    ck_assert_uint_eq (progress.reviews + progress.rejections + progress.validators, 0);
    ck_assert (progress.due_ms > rig->now_ms && progress.due_ms < UINT64_MAX);
    ck_assert (rig_propose (rig, 0, &next));
    rig_settle (rig);
    s_expect (rig, &next, STATE_TESTING, WAITS_FOR_TURN);
    rig_destroy (&rig);
}
END_TEST

START_TEST (results_of_validators_are_counted)
{
    rig_t *rig = rig_new (3, NULL);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    rig->nodes[2].rules.hold_evaluations = true;
    ck_assert (rig_propose (rig, 0, &better));
    rig_settle (rig);
    s_expect (rig, &better, STATE_VALIDATING, WAITS_FOR_VALIDATORS);
    node_progress_t progress = s_progress (rig, 0, &better);
    ck_assert_uint_eq (progress.validators, 2);
    ck_assert_uint_eq (progress.confirmed, 1);
    ck_assert_uint_eq (progress.refuted + progress.declined, 0);
    ck_assert_uint_eq (progress.needed, 2);
    rig_release (rig, 2);
    rig->nodes[2].rules.hold_evaluations = false;
    rig_release (rig, 2);
    rig_settle (rig);
    digest_t improvement;
    ck_assert_int_eq (rig_state (rig, 0, &better, NULL, &improvement), STATE_SHARED);
    ck_assert (!node_progress (rig->nodes[0].node, &improvement, &progress)); /* it is through */
    rig_destroy (&rig);
}
END_TEST

START_TEST (what_needs_more_members_says_so)
{
    rig_t *rig = rig_new (3, NULL);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    for (size_t k = 1; k < 3; k++) {
        event_t lost = {.kind = EVENT_PEER_LOST, .as.peer_lost = {.peer = rig->nodes[k].identity.id}};
        rig_event (rig, 0, lost);
    }
    ck_assert (rig_propose (rig, 0, &better));
    rig_settle (rig);
    s_expect (rig, &better, STATE_TESTING, WAITS_FOR_MEMBERS);
    rig_destroy (&rig);
}
END_TEST

START_TEST (what_a_pause_holds_up_says_so)
{
    rig_t *rig = rig_new (1, NULL);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    rig->nodes[0].rules.hold_snapshots = true;
    ck_assert (rig_propose (rig, 0, &better));
    rig_settle (rig);
    s_expect (rig, &better, STATE_SNAPSHOT, WAITS_FOR_NOTHING);
    ck_assert (rig_command (rig, 0, "pause", NULL, NULL));
    rig_release (rig, 0);
    rig_settle (rig);
    s_expect (rig, &better, STATE_VALIDATED, WAITS_FOR_RESUME);
    rig_destroy (&rig);
}
END_TEST

SUITE_MAIN ("node_progress", pairs_are_counted_as_they_are_measured, what_finds_no_slot_says_so,
            answers_are_counted_and_the_next_waits_for_its_turn, results_of_validators_are_counted,
            what_needs_more_members_says_so, what_a_pause_holds_up_says_so)
