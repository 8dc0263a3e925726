/* SPDX-License-Identifier: MPL-2.0 */
/* Faults, the breaker, tables that are full, rollbacks that fail: what stays as it was, and who is told. */
#include <stdio.h>

#include "protocol/message.h"
#include "tests/lib/rig.h"
#include "tests/lib/suite.h"

static const rig_row_t *s_row (const rig_t *rig, size_t k, const digest_t *candidate)
{
    const rig_row_t *row = rig_row (rig, k, candidate);
    ck_assert_ptr_nonnull (row);
    return row;
}

static void s_expect_state (const rig_t *rig, size_t k, const digest_t *candidate, improvement_state_t state)
{
    ck_assert_str_eq (improvement_state_name (s_row (rig, k, candidate)->state),
                      improvement_state_name (state));
}

/* The operator's command that takes an improvement's id. */
static bool s_command (rig_t *rig, size_t k, const char *name, const digest_t *candidate)
{
    char id[DIGEST_TEXT_BYTES];
    digest_text (&s_row (rig, k, candidate)->id, id);
    return rig_command (rig, k, name, "id", id);
}

static bool s_replied (const rig_t *rig, size_t k, const char *what)
{
    return strstr (rig->nodes[k].reply, what) != NULL;
}

/* --- the breaker and peers --- */

/* Node 0 stays at the start while node 1 has gone on: what is live there, node 0 only knows from validations. */
static rig_t *s_left_behind (digest_t *base)
{
    rig_t *rig = rig_new (3, NULL);
    *base = *rig_candidate (rig, "base", 0.9, 0);
    ck_assert (rig_command (rig, 0, "pause", NULL, NULL));
    rig_propose (rig, 1, base);
    rig_settle (rig);
    s_expect_state (rig, 1, base, STATE_SHARED);
    ck_assert (!digest_equal (&rig->nodes[0].current, base));
    return rig;
}

/* Two validations on node 0 whose base fails there for `reason`. */
static void s_validations_fail (rig_t *rig, const digest_t *base, reason_code_t reason)
{
    rig->nodes[0].rules.failing = *base;
    rig->nodes[0].rules.failing_reason = reason;
    for (int i = 0; i < 2; i++) {
        node_status_t before, after;
        node_status (rig->nodes[0].node, &before);
        char text[] = "next 0";
        text[5] = (char)('0' + i);
        digest_t next = *rig_candidate (rig, text, 0.8 - 0.1 * i, 0);
        rig_propose (rig, 1, &next);
        rig_settle (rig);
        s_expect_state (rig, 1, &next, STATE_REJECTED); /* two confirmations are needed */
        node_status (rig->nodes[0].node, &after);
        ck_assert_uint_eq (after.evaluations, before.evaluations + 2); /* the candidate, then the base */
    }
}

START_TEST (a_base_that_a_peer_chose_does_not_open_the_breaker)
{
    digest_t base;
    rig_t *rig = s_left_behind (&base);
    rig->breaker_threshold = 1;
    rig_restart (rig, 0);
    s_validations_fail (rig, &base, REASON_INVALID_TIMEOUT);
    ck_assert_uint_eq (rig_events (rig, 0, "breaker_opened"), 0);
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_sandbox_that_fails_under_a_peers_candidate_opens_it)
{
    digest_t base;
    rig_t *rig = s_left_behind (&base);
    s_validations_fail (rig, &base, REASON_FAULT);
    ck_assert_uint_eq (rig_events (rig, 0, "breaker_opened"), 1);
    rig_destroy (&rig);
}
END_TEST

static void s_own_fault (rig_t *rig, const char *text)
{
    digest_t candidate = *rig_candidate (rig, text, 0.9, 0);
    rig->nodes[0].rules.evaluate_reason = REASON_FAULT;
    rig_propose (rig, 0, &candidate);
    rig_settle (rig);
    rig->nodes[0].rules.evaluate_reason = REASON_NONE;
    ck_assert_int_eq (s_row (rig, 0, &candidate)->reason, REASON_FAULT);
}

START_TEST (a_validation_that_goes_well_does_not_heal_the_breaker)
{
    rig_t *rig = rig_new (3, NULL);
    s_own_fault (rig, "one");
    digest_t peers = *rig_candidate (rig, "peers", 0.5, 0.25); /* better on 0 and 1, not on 2 */
    rig_propose (rig, 1, &peers);
    rig_settle (rig);
    s_expect_state (rig, 1, &peers, STATE_REJECTED);
    node_status_t status;
    node_status (rig->nodes[0].node, &status);
    ck_assert_uint_eq (status.validations_done, 1);
    s_own_fault (rig, "two");
    ck_assert_uint_eq (rig_events (rig, 0, "breaker_opened"), 1);
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_lower_threshold_counts_from_the_next_fault)
{
    rig_t *rig = rig_new (1, NULL);
    s_own_fault (rig, "one");
    rig->breaker_threshold = 1;
    rig_restart (rig, 0);
    rig_pass (rig, 1000);
    ck_assert_uint_eq (rig_events (rig, 0, "breaker_opened"), 0);
    s_own_fault (rig, "two");
    ck_assert_uint_eq (rig_events (rig, 0, "breaker_opened"), 1);
    rig_restart (rig, 0);
    node_status_t status;
    node_status (rig->nodes[0].node, &status);
    ck_assert_int_eq (status.breaker, BREAKER_OPEN);
    rig_destroy (&rig);
}
END_TEST

/* --- the one trial --- */

/* The proposer of node 0 ends: with that candidate, or with none. */
static void s_proposed (rig_t *rig, uint64_t operation, uint64_t result, const digest_t *candidate)
{
    proposed_t proposed = {.operation = operation, .result = result, .parent = rig->trees[0].id};
    for (size_t i = 0; candidate && i < rig->tree_count; i++)
        if (digest_equal (&rig->trees[i].id, candidate))
            proposed.tree = bytes_of (rig->trees[i].tree.data, rig->trees[i].tree.size);
    rig_event (rig, 0, (event_t){.kind = EVENT_PROPOSED, .as.proposed = proposed});
    rig_settle (rig);
}

/* Half-open, with the trial just asked for; `*older` was asked for before the breaker opened and is still to come. */
static rig_t *s_half_open (uint64_t *older, uint64_t *trial)
{
    rig_t *rig = rig_new (1, NULL);
    rig->proposers = 1;
    rig_restart (rig, 0);
    ck_assert_uint_eq (rig->nodes[0].proposal_count, 2); /* one a slot */
    *older = rig->nodes[0].proposals[0];
    s_proposed (rig, rig->nodes[0].proposals[1], 2, NULL);
    rig_pass (rig, 500);
    ck_assert_uint_eq (rig->nodes[0].proposal_count, 3);
    s_proposed (rig, rig->nodes[0].proposals[2], 2, NULL);
    ck_assert_uint_eq (rig_events (rig, 0, "breaker_opened"), 1);
    rig_pass (rig, 10001);
    ck_assert_uint_eq (rig_events (rig, 0, "breaker_half_open"), 1);
    ck_assert_uint_eq (rig->nodes[0].proposal_count, 4);
    *trial = rig->nodes[0].proposals[3];
    return rig;
}

START_TEST (what_was_begun_before_does_not_end_the_one_trial)
{
    uint64_t older, trial;
    rig_t *rig = s_half_open (&older, &trial);
    s_proposed (rig, older, 1, NULL);
    rig_pass (rig, 60000);
    ck_assert_uint_eq (rig->nodes[0].proposal_count, 4); /* no second one */
    digest_t good = *rig_candidate (rig, "good", 0.5, 0);
    s_proposed (rig, trial, 0, &good);
    ck_assert_uint_eq (rig_events (rig, 0, "breaker_closed"), 1);
    ck_assert_uint_gt (rig->nodes[0].proposal_count, 4); /* and they go on */
    s_proposed (rig, rig->nodes[0].proposals[4], 1, NULL);
    s_expect_state (rig, 0, &good, STATE_SHARED);
    rig_destroy (&rig);
}
END_TEST

START_TEST (an_older_candidate_waits_until_the_trial_is_over)
{
    uint64_t older, trial;
    rig_t *rig = s_half_open (&older, &trial);
    digest_t good = *rig_candidate (rig, "good", 0.5, 0);
    s_proposed (rig, older, 0, &good);
    s_expect_state (rig, 0, &good, STATE_VALIDATED); /* measured, which closes nothing, and not applied */
    ck_assert_uint_eq (rig_events (rig, 0, "breaker_closed"), 0);
    s_proposed (rig, trial, 1, NULL); /* it says nothing of this node: the next is the trial */
    s_expect_state (rig, 0, &good, STATE_SHARED);
    ck_assert_uint_eq (rig_events (rig, 0, "breaker_closed"), 1);
    rig_destroy (&rig);
}
END_TEST

START_TEST (an_operator_who_resumes_has_it_tried_again_at_once)
{
    rig_t *rig = rig_new (1, NULL);
    rig->breaker_threshold = 1;
    rig->proposers = 1;
    rig_restart (rig, 0);
    ck_assert_uint_eq (rig->nodes[0].proposal_count, 2); /* one a slot */
    s_proposed (rig, rig->nodes[0].proposals[0], 2, NULL);
    s_proposed (rig, rig->nodes[0].proposals[1], 2, NULL);
    ck_assert_uint_eq (rig_events (rig, 0, "breaker_opened"), 1);
    rig_command (rig, 0, "resume", NULL, NULL);
    rig_settle (rig);
    ck_assert (s_replied (rig, 0, "one proposal is tried now"));
    ck_assert_uint_eq (rig_events (rig, 0, "breaker_half_open"), 1);
    ck_assert_uint_eq (rig_events (rig, 0, "evolution_resumed"), 0); /* it was not paused */
    ck_assert_uint_eq (rig->nodes[0].proposal_count, 3);             /* without a tick, and one only */
    s_proposed (rig, rig->nodes[0].proposals[2], 2, NULL);
    ck_assert_uint_eq (rig_events (rig, 0, "breaker_opened"), 2);
    rig_pass (rig, 9000);
    ck_assert_uint_eq (rig->nodes[0].proposal_count, 3);
    rig_destroy (&rig);
}
END_TEST

/* --- what is told of proposers and of the live release --- */

START_TEST (a_proposer_that_gives_nothing_is_told_of_more_and_more_rarely)
{
    rig_t *rig = rig_new (1, NULL);
    rig->proposers = 1;
    rig_restart (rig, 0);
    for (size_t i = 0; i < 9; i++) {
        ck_assert_uint_gt (rig->nodes[0].proposal_count, i);
        s_proposed (rig, rig->nodes[0].proposals[i], 1, NULL);
        rig_pass (rig, 20000);
    }
    ck_assert_uint_eq (rig_events (rig, 0, "proposal_failed"), 4); /* the 1st, 2nd, 4th and 8th in a row */
    ck_assert_uint_eq (rig_told (rig, 0, "proposal_failed", "in_a_row", "8"), 1);
    ck_assert_uint_eq (rig_told (rig, 0, "proposal_failed", "in_a_row", "7"), 0);
    ck_assert_uint_eq (rig_events (rig, 0, "breaker_opened"), 0); /* that is no fault of this node */
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_live_release_that_cannot_be_measured_is_told_of_and_tried_again)
{
    rig_t *rig = rig_found (1, NULL);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    rig->breaker_threshold = 5;
    rig->nodes[0].rules.evaluate_reason = REASON_INVALID_TIMEOUT;
    rig_start (rig);
    ck_assert_uint_eq (rig_told (rig, 0, "baseline_failed", "reason", "base_failed"), 1);
    ck_assert (!rig_propose (rig, 0, &better)); /* there is nothing to compare it with */
    ck_assert (s_replied (rig, 0, "not measured yet"));
    rig_pass (rig, 10001);
    ck_assert_uint_eq (rig_events (rig, 0, "baseline_failed"), 2);
    node_status_t status;
    node_status (rig->nodes[0].node, &status);
    ck_assert_int_eq (status.baseline_reason, REASON_INVALID_TIMEOUT);
    ck_assert_str_eq (status.baseline_detail, "by the test's rule");
    rig->nodes[0].rules.evaluate_reason = REASON_NONE;
    rig_pass (rig, 10001);
    ck_assert_uint_eq (rig_events (rig, 0, "baseline_failed"), 2);
    ck_assert (rig_propose (rig, 0, &better));
    rig_settle (rig);
    s_expect_state (rig, 0, &better, STATE_SHARED);
    node_status (rig->nodes[0].node, &status);
    ck_assert_int_eq (status.baseline_reason, REASON_NONE);
    ck_assert_str_eq (status.baseline_detail, "");
    rig_destroy (&rig);
}
END_TEST

/* --- full tables --- */

/* Node 1 asks node 0 to validate that, without an end. */
static void s_ask_to_validate (rig_t *rig, digest_t peers, uint64_t seq)
{
    head_t head = {.kind = MESSAGE_VALIDATION_REQUEST,
                   .group = rig->group.group,
                   .epoch = rig->members->epoch,
                   .seq = seq,
                   .time_ms = 1700000000000u + rig->now_ms};
    validation_request_t request = {.to = rig->nodes[0].identity.id,
                                    .improvement = peers,
                                    .candidate = peers,
                                    .base = rig->trees[0].id,
                                    .evaluator = rig->group.evaluator,
                                    .validation_type = 1,
                                    .deadline_ms = UINT64_MAX};
    buffer_t body = {0};
    uint8_t seal[SEAL_BYTES];
    message_seal (&rig->nodes[1].identity, &head, &request, &body, seal);
    event_t event = {.kind = EVENT_RECEIVED,
                     .as.received = {rig->nodes[1].curve.public_key, bytes_of (body.data, body.size),
                                     bytes_of (seal, SEAL_BYTES)}};
    rig_event (rig, 0, event);
    buffer_clear (&body);
}

START_TEST (the_live_copy_is_measured_however_many_comparisons_wait)
{
    rig_t *rig = rig_new (3, NULL);
    digest_t theirs = *rig_candidate (rig, "theirs", 0.9, 0), mine = *rig_candidate (rig, "mine", 0.85, 0);
    rig->nodes[0].rules.hold_evaluations = rig->nodes[2].rules.hold_evaluations = true;
    rig_propose (rig, 1, &theirs);
    rig_settle (rig); /* node 0 measures it for node 1 */
    s_expect_state (rig, 1, &theirs, STATE_VALIDATING);
    rig->nodes[0].rules.hold_evaluations = false;
    rig->nodes[1].rules.hold_evaluations = true;
    rig_propose (rig, 0, &mine);
    rig_settle (rig);
    s_expect_state (rig, 0, &mine, STATE_VALIDATING);
    rig->nodes[0].rules.hold_evaluations = true;
    s_ask_to_validate (rig, *rig_candidate (rig, "for node 1", 0.5, 0), 1000);
    rig_settle (rig);
    digest_t last = mine;
    for (int i = 1; i < LIMIT_IMPROVEMENTS - 1; i++) {
        char text[32];
        (void)snprintf (text, sizeof text, "worse %d", i);
        last = *rig_candidate (rig, text, 1.5 + i, 0);
        ck_assert_msg (rig_propose (rig, 0, &last) == (i < LIMIT_IMPROVEMENTS - 2), "%d: %s", i,
                       rig->nodes[0].reply);
    }
    ck_assert_int_eq (s_row (rig, 0, &last)->reason, REASON_BUSY); /* the last place is not for it */
    rig->nodes[1].rules.hold_evaluations = rig->nodes[2].rules.hold_evaluations = false;
    rig_release (rig, 1);
    rig_release (rig, 2);
    rig_settle (rig);
    s_expect_state (rig, 0, &mine, STATE_APPLIED);
    rig->nodes[0].rules.hold_evaluations = false;
    rig_release (rig, 0);
    rig_settle (rig);
    s_expect_state (rig, 0, &mine, STATE_SHARED);
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_package_for_which_there_is_no_place_is_tried_later)
{
    policy_t policy = policy_default ();
    policy.min_confirmations = 1; /* node 2's: node 0 has no place for a validation either */
    rig_t *rig = rig_new (3, &policy);
    digest_t better = *rig_candidate (rig, "better", 0.5, 0);
    rig->nodes[0].rules.hold_evaluations = true;
    s_ask_to_validate (rig, *rig_candidate (rig, "for node 1", 2, 0), 1000);
    rig_settle (rig);
    for (int i = 0; i < LIMIT_TRIALS - 2; i++) {
        char text[32];
        (void)snprintf (text, sizeof text, "worse %d", i);
        ck_assert (rig_propose (rig, 0, rig_candidate (rig, text, 1.5 + i, 0)));
    }
    rig_propose (rig, 1, &better);
    rig_pass (rig, 20000);
    s_expect_state (rig, 1, &better, STATE_SHARED);
    ck_assert (digest_equal (&rig->nodes[2].current, &better));
    ck_assert_uint_ge (rig_told (rig, 0, "improvement_rejected", "reason", "busy"),
                       4); /* more than attempts_max */
    ck_assert_uint_eq (rig_events (rig, 0, "knowledge_rejected"), 0);
    ck_assert_uint_eq (rig->nodes[1].heard[MESSAGE_TRANSFER_RESULT], 1); /* node 2's */
    rig->nodes[0].rules.hold_evaluations = false;
    rig_release (rig, 0);
    rig_pass (rig, 6000);
    ck_assert (digest_equal (&rig->nodes[0].current, &better));
    ck_assert_uint_eq (rig->nodes[1].heard[MESSAGE_TRANSFER_RESULT], 2);
    rig_destroy (&rig);
}
END_TEST

/* --- rollbacks that fail, and rows that keep what was proved --- */

/* Node 0 of three has applied and shared `one`, and `two` on it. */
static rig_t *s_two_live (digest_t *one, digest_t *two)
{
    rig_t *rig = rig_new (3, NULL);
    *one = *rig_candidate (rig, "one", 0.9, 0);
    *two = *rig_candidate (rig, "two", 0.8, 0);
    rig_propose (rig, 0, one);
    rig_settle (rig);
    rig_propose (rig, 0, two);
    rig_settle (rig);
    s_expect_state (rig, 0, two, STATE_SHARED);
    return rig;
}

/* The row says what it said when it was shared. */
static void s_expect_proof (const rig_t *rig, const digest_t *candidate, double gain)
{
    const rig_row_t *row = s_row (rig, 0, candidate);
    ck_assert_double_eq_tol (row->gain, gain, 1e-9);
    ck_assert_uint_eq (row->metrics, 1);
    ck_assert_uint_eq (row->approvals, 2);
    ck_assert_uint_eq (row->confirmations, 2);
}

START_TEST (a_row_keeps_what_was_proved_when_it_is_rolled_back)
{
    digest_t one, two, start;
    rig_t *rig = s_two_live (&one, &two);
    start = rig->trees[0].id;
    s_expect_proof (rig, &one, 0.1);
    ck_assert (s_command (rig, 0, "rollback", &one));
    rig_settle (rig);
    ck_assert (digest_equal (&rig->nodes[0].current, &start));
    s_expect_state (rig, 0, &one, STATE_ROLLED_BACK);
    s_expect_state (rig, 0, &two, STATE_ROLLED_BACK);
    ck_assert_int_eq (s_row (rig, 0, &one)->reason, REASON_OPERATOR);
    ck_assert_int_eq (s_row (rig, 0, &two)->reason, REASON_OPERATOR);
    s_expect_proof (rig, &one, 0.1);
    s_expect_proof (rig, &two, 1.0 / 9);
    ck_assert_uint_eq (rig_events (rig, 0, "rollback_completed"), 2);
    rig_restart (rig, 0); /* a replay gives the same */
    rig_destroy (&rig);
}
END_TEST

/* A rollback of `one` that doesn't get there: what stands on it stays as it was. */
static void s_expect_later_untouched (rig_rules_t rules)
{
    digest_t one, two;
    rig_t *rig = s_two_live (&one, &two);
    rig->nodes[0].rules = rules;
    ck_assert (s_command (rig, 0, "rollback", &one));
    rig_settle (rig);
    s_expect_state (rig, 0, &one, STATE_ROLLBACK_FAILED);
    s_expect_proof (rig, &one, 0.1);
    s_expect_state (rig, 0, &two, STATE_SHARED);
    s_expect_proof (rig, &two, 1.0 / 9);
    ck_assert_uint_eq (rig_events (rig, 0, "rollback_completed"), 0);
    ck_assert_uint_eq (rig_events (rig, 0, "rollback_failed"), 1);
    rig_destroy (&rig);
}

START_TEST (a_rollback_that_fails_leaves_later_ones_as_they_were)
{
    s_expect_later_untouched ((rig_rules_t){.load_result = 1});
    s_expect_later_untouched ((rig_rules_t){.restore_result = 1});
    s_expect_later_untouched ((rig_rules_t){.start_worse = 0.5});
}
END_TEST

/* --- what the operator says --- */

static void s_capable (rig_t *rig, unsigned validation_types)
{
    for (size_t peer = 1; peer < rig->count; peer++)
        rig_event (rig, 0,
                   (event_t){.kind = EVENT_PEER_UP,
                             .as.peer_up = {rig->nodes[peer].identity.id, validation_types,
                                            text_of ("x86_64/rig/1"), 0}});
}

/* An improvement of node 0 that is held, while no peer can validate. */
static rig_t *s_held (policy_t policy, digest_t *large)
{
    policy.change_bytes_max = 4;
    policy.review_threshold = 0;
    rig_t *rig = rig_new (3, &policy);
    *large = *rig_candidate (rig, "a large change of the program", 0.9, 0);
    rig_propose (rig, 0, large);
    rig_settle (rig);
    s_expect_state (rig, 0, large, STATE_HELD);
    s_capable (rig, 0);
    return rig;
}

START_TEST (an_approval_that_nobody_could_validate_is_refused_and_can_be_given_again)
{
    digest_t large;
    rig_t *rig = s_held (policy_default (), &large);
    ck_assert (!s_command (rig, 0, "approve", &large));
    ck_assert_msg (s_replied (rig, 0, "no member that could validate it is up"), "%s", rig->nodes[0].reply);
    s_expect_state (rig, 0, &large, STATE_HELD);
    s_capable (rig, 7);
    ck_assert (s_command (rig, 0, "approve", &large));
    ck_assert (s_replied (rig, 0, "validation starts"));
    rig_settle (rig);
    s_expect_state (rig, 0, &large, STATE_SHARED);
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_policy_that_needs_no_validation_is_named_in_the_answer)
{
    digest_t large;
    policy_t policy = policy_default ();
    policy.allow_unvalidated = true;
    rig_t *rig = s_held (policy, &large);
    ck_assert (s_command (rig, 0, "approve", &large));
    ck_assert_msg (s_replied (rig, 0, "without a validation"), "%s", rig->nodes[0].reply);
    rig_settle (rig);
    ck_assert (digest_equal (&rig->nodes[0].current, &large));
    ck_assert_int_eq (rig_told (rig, 0, "validation_completed", "verdict", "unvalidated"), 1);
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_number_beyond_its_bound_is_refused_with_what_was_found_and_expected)
{
    rig_t *rig = rig_new (1, NULL);
    static const char *const bad[] = {
        "0",  "-1", "2592001", "18446744073709552", "18446744073709551615", "99999999999999999999999",
        "1x", ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char found[64];
        (void)snprintf (found, sizeof found, "seconds: found \"%s\"", bad[i]);
        ck_assert (!rig_command (rig, 0, "invite", "seconds", bad[i]));
        ck_assert_msg (s_replied (rig, 0, found) && s_replied (rig, 0, "expected a number from 1 to 2592000"),
                       "%s", rig->nodes[0].reply);
    }
    ck_assert (!rig_command (rig, 0, "invite", "uses", "33"));
    ck_assert (s_replied (rig, 0, "from 1 to 32"));
    ck_assert (rig_command (rig, 0, "invite", "seconds", "2592000"));
    ck_assert (rig_command (rig, 0, "invite", "uses", "32"));
    ck_assert_uint_gt (node_deadline_ms (rig->nodes[0].node), rig->now_ms);
    rig_destroy (&rig);
}
END_TEST

START_TEST (one_peer_has_only_so_many_validations_under_way_here)
{
    rig_t *rig = rig_new (2, NULL);
    rig->nodes[0].rules.hold_evaluations = true;
    for (unsigned i = 0; i <= LIMIT_VALIDATIONS_OF_PEER; i++) {
        char text[32];
        (void)snprintf (text, sizeof text, "peers %u", i);
        ck_assert_uint_eq (rig->nodes[1].heard[MESSAGE_VALIDATION_DECLINED], 0);
        s_ask_to_validate (rig, *rig_candidate (rig, text, 0.5, 0), 1000 + 2 * i);
        rig_settle (rig);
    }
    ck_assert_uint_eq (rig->nodes[1].heard[MESSAGE_VALIDATION_DECLINED], 1); /* the last one is declined */
    rig_destroy (&rig);
}
END_TEST

START_TEST (an_invite_beyond_the_bound_ends_the_oldest)
{
    rig_t *rig = rig_new (1, NULL);
    for (unsigned i = 0; i < LIMIT_INVITES; i++)
        ck_assert (rig_command (rig, 0, "invite", NULL, NULL));
    ck_assert_uint_eq (rig->nodes[0].invites_ended, 0);
    ck_assert (rig_command (rig, 0, "invite", NULL, NULL));
    ck_assert_uint_eq (rig->nodes[0].invites_ended, 1);
    rig_destroy (&rig);
}
END_TEST

START_TEST (own_proposals_leave_room_for_peers_however_many_slots_there_are)
{
    rig_t *rig = rig_found (1, NULL);
    rig->proposers = 1;
    rig->slots = 4 * LIMIT_TRIALS;
    rig_start (rig);
    ck_assert_uint_eq (rig->nodes[0].proposal_count, LIMIT_TRIALS - LIMIT_VALIDATIONS - 2);
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_validation_without_an_end_does_not_end_at_once)
{
    rig_t *rig = rig_new (2, NULL);
    rig->nodes[0].rules.hold_evaluations = true;
    s_ask_to_validate (rig, *rig_candidate (rig, "peers", 0.5, 0), 1000);
    rig_pass (rig, 1000);
    node_status_t status;
    node_status (rig->nodes[0].node, &status);
    ck_assert_uint_eq (status.slots_busy, 1);
    rig->nodes[0].rules.hold_evaluations = false;
    rig_release (rig, 0);
    rig_settle (rig);
    node_status (rig->nodes[0].node, &status);
    ck_assert_uint_eq (status.validations_done, 1);
    rig_destroy (&rig);
}
END_TEST

SUITE_MAIN ("node_faults", a_base_that_a_peer_chose_does_not_open_the_breaker,
            a_sandbox_that_fails_under_a_peers_candidate_opens_it,
            a_validation_that_goes_well_does_not_heal_the_breaker,
            a_lower_threshold_counts_from_the_next_fault, what_was_begun_before_does_not_end_the_one_trial,
            an_operator_who_resumes_has_it_tried_again_at_once,
            an_older_candidate_waits_until_the_trial_is_over,
            a_proposer_that_gives_nothing_is_told_of_more_and_more_rarely,
            a_live_release_that_cannot_be_measured_is_told_of_and_tried_again,
            the_live_copy_is_measured_however_many_comparisons_wait,
            a_package_for_which_there_is_no_place_is_tried_later,
            a_row_keeps_what_was_proved_when_it_is_rolled_back,
            a_rollback_that_fails_leaves_later_ones_as_they_were,
            an_approval_that_nobody_could_validate_is_refused_and_can_be_given_again,
            a_policy_that_needs_no_validation_is_named_in_the_answer,
            a_number_beyond_its_bound_is_refused_with_what_was_found_and_expected,
            one_peer_has_only_so_many_validations_under_way_here, an_invite_beyond_the_bound_ends_the_oldest,
            own_proposals_leave_room_for_peers_however_many_slots_there_are,
            a_validation_without_an_end_does_not_end_at_once)
