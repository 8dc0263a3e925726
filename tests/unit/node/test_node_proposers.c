/* SPDX-License-Identifier: MPL-2.0 */
/* Several proposers side by side: one that works here, and one that waits for somebody else's machine. */
#include "tests/lib/rig.h"
#include "tests/lib/suite.h"

#define HERE 0
#define AWAY 1

/* How often that proposer of node 0 was asked. */
static size_t s_asked (const rig_t *rig, uint64_t proposer)
{
    size_t asked = 0;
    for (size_t i = 0; i < rig->nodes[0].proposal_count; i++)
        asked += rig->nodes[0].proposers[i] == proposer;
    return asked;
}

/* The newest proposal that was asked of it. */
static uint64_t s_newest (const rig_t *rig, uint64_t proposer)
{
    uint64_t operation = 0;
    for (size_t i = 0; i < rig->nodes[0].proposal_count; i++)
        operation = rig->nodes[0].proposers[i] == proposer ? rig->nodes[0].proposals[i] : operation;
    return operation;
}

static void s_ends (rig_t *rig, uint64_t operation, proposal_result_t result)
{
    proposed_t proposed = {.operation = operation,
                           .result = (uint64_t)result,
                           .parent = rig->trees[0].id,
                           .description = text_of ("said so")};
    rig_event (rig, 0, (event_t){.kind = EVENT_PROPOSED, .as.proposed = proposed});
    rig_settle (rig);
}

/* Nodes with both proposers, of which the second may do so many at once. */
static rig_t *s_rig (size_t nodes, uint64_t parallel)
{
    rig_t *rig = rig_new (nodes, NULL);
    rig->proposers = 2;
    rig->parallel = parallel;
    rig_restart (rig, 0);
    return rig;
}

START_TEST (who_is_away_takes_no_slot)
{
    rig_t *rig = s_rig (1, 3);
    node_status_t status;
    ck_assert_uint_eq (s_asked (rig, HERE), 2); /* one a slot */
    ck_assert_uint_eq (s_asked (rig, AWAY), 3);
    s_ends (rig, rig->nodes[0].proposals[0], PROPOSAL_NONE);
    node_status (rig->nodes[0].node, &status);
    ck_assert_uint_le (status.slots_busy, 2);
    rig_destroy (&rig);
}
END_TEST

START_TEST (one_that_never_answers_holds_up_no_other)
{
    rig_t *rig = s_rig (1, 1);
    size_t asked = s_asked (rig, HERE);
    ck_assert_uint_eq (s_asked (rig, AWAY), 1);
    for (int i = 0; i < 8; i++) {
        s_ends (rig, s_newest (rig, HERE), PROPOSAL_NONE);
        rig_pass (rig, 20000);
    }
    ck_assert_uint_ge (s_asked (rig, HERE), asked + 8);
    ck_assert_uint_eq (s_asked (rig, AWAY), 1);
    rig_destroy (&rig);
}
END_TEST

START_TEST (one_that_fails_again_and_again_is_asked_less_and_no_other)
{
    rig_t *rig = s_rig (1, 1);
    for (int i = 0; i < 6; i++) {
        s_ends (rig, s_newest (rig, AWAY), PROPOSAL_NONE);
        rig_pass (rig, 20000);
    }
    ck_assert_uint_eq (s_asked (rig, AWAY), 7);
    s_ends (rig, s_newest (rig, AWAY), PROPOSAL_NONE);
    size_t here = s_asked (rig, HERE);
    s_ends (rig, s_newest (rig, HERE), PROPOSAL_NONE);
    rig_pass (rig, 200); /* its first failure: 100 ms; the other's seventh: 6.4 s */
    ck_assert_uint_eq (s_asked (rig, HERE), here + 1);
    ck_assert_uint_eq (s_asked (rig, AWAY), 7);
    rig_destroy (&rig);
}
END_TEST

START_TEST (an_exhausted_one_is_told_once_and_asked_again_only_after_a_restart)
{
    rig_t *rig = s_rig (1, 1);
    s_ends (rig, s_newest (rig, AWAY), PROPOSAL_EXHAUSTED);
    rig_pass (rig, 60000);
    ck_assert_uint_eq (s_asked (rig, AWAY), 1);
    ck_assert_uint_eq (rig_events (rig, 0, "proposer_exhausted"), 1);
    size_t here = s_asked (rig, HERE);
    s_ends (rig, s_newest (rig, HERE), PROPOSAL_NONE);
    rig_pass (rig, 60000);
    ck_assert_uint_eq (s_asked (rig, HERE), here + 1);
    rig_restart (rig, 0);
    ck_assert_uint_eq (s_asked (rig, AWAY), 2);
    rig_destroy (&rig);
}
END_TEST

START_TEST (one_whose_budget_others_hold_waits_until_one_of_them_ends)
{
    rig_t *rig = s_rig (1, 3);
    ck_assert_uint_eq (s_asked (rig, AWAY), 3);
    uint64_t holder = 0;
    for (size_t i = 0; i < rig->nodes[0].proposal_count && holder == 0; i++)
        holder = rig->nodes[0].proposers[i] == AWAY ? rig->nodes[0].proposals[i] : 0;
    s_ends (rig, s_newest (rig, AWAY), PROPOSAL_LATER);
    rig_pass (rig, 600000);
    ck_assert_uint_eq (s_asked (rig, AWAY), 3);
    s_ends (rig, holder, PROPOSAL_NONE);
    rig_pass (rig, 200);
    ck_assert_uint_eq (s_asked (rig, AWAY), 5);
    ck_assert_uint_eq (rig_events (rig, 0, "proposer_exhausted"), 0);
    ck_assert_uint_eq (rig_events (rig, 0, "proposal_failed"), 1); /* the holder's */
    rig_destroy (&rig);
}
END_TEST

START_TEST (one_that_nobody_is_left_to_wait_for_is_asked_again_soon)
{
    rig_t *rig = s_rig (1, 1);
    s_ends (rig, s_newest (rig, AWAY), PROPOSAL_LATER);
    ck_assert_uint_eq (s_asked (rig, AWAY), 1); /* not at once */
    rig_pass (rig, 100);
    ck_assert_uint_eq (s_asked (rig, AWAY), 2);
    rig_destroy (&rig);
}
END_TEST

START_TEST (an_idle_one_is_told_once_and_asked_less_and_less)
{
    rig_t *rig = s_rig (1, 1);
    node_status_t status;
    s_ends (rig, s_newest (rig, AWAY), PROPOSAL_IDLE);
    node_status (rig->nodes[0].node, &status);
    ck_assert_uint_eq (status.proposer_count, 2);
    ck_assert_str_eq (status.proposers[AWAY].idle_why, "said so");
    ck_assert_str_eq (status.proposers[HERE].idle_why, "");
    for (uint64_t wait_ms = 1000; wait_ms < 3600000; wait_ms *= 2) {
        size_t asked = s_asked (rig, AWAY);
        rig_pass (rig, wait_ms - 100);
        ck_assert_uint_eq (s_asked (rig, AWAY), asked);
        rig_pass (rig, 200);
        ck_assert_uint_eq (s_asked (rig, AWAY), asked + 1);
        s_ends (rig, s_newest (rig, AWAY), PROPOSAL_IDLE);
    }
    rig_pass (rig, 3500000);
    ck_assert_uint_eq (s_asked (rig, AWAY), 13);
    rig_pass (rig, 200000);
    ck_assert_uint_eq (s_asked (rig, AWAY), 14);
    ck_assert_uint_eq (rig_events (rig, 0, "proposer_exhausted"), 1);
    ck_assert_uint_eq (rig_events (rig, 0, "proposal_failed"), 0);
    s_ends (rig, s_newest (rig, AWAY), PROPOSAL_NONE);
    node_status (rig->nodes[0].node, &status);
    ck_assert_str_eq (status.proposers[AWAY].idle_why, "");
    ck_assert_uint_eq (status.proposers[AWAY].fruitless, 1);
    rig_destroy (&rig);
}
END_TEST

START_TEST (an_idle_one_is_asked_again_once_something_new_is_measured)
{
    rig_t *rig = rig_new (1, NULL);
    rig->proposers = 1;
    rig->slots = 1;
    rig_restart (rig, 0);
    s_ends (rig, s_newest (rig, HERE), PROPOSAL_IDLE);
    for (size_t i = 1; i <= 2; i++) { /* one that is worse, and one that goes live */
        size_t asked = s_asked (rig, HERE);
        ck_assert (
            rig_propose (rig, 0, rig_candidate (rig, i == 1 ? "worse" : "better", 1.5 / (double)i, 0)));
        rig_settle (rig);
        ck_assert_uint_gt (s_asked (rig, HERE), asked);
        s_ends (rig, s_newest (rig, HERE), PROPOSAL_IDLE);
        asked = s_asked (rig, HERE);
        rig_pass (rig, 900);
        ck_assert_uint_eq (s_asked (rig, HERE), asked);
        ck_assert_uint_eq (rig_events (rig, 0, "proposer_exhausted"), i); /* once for a live release */
    }
    rig_destroy (&rig);
}
END_TEST

START_TEST (an_idle_one_is_asked_again_at_once_if_something_was_measured_while_it_thought)
{
    rig_t *rig = s_rig (1, 1);
    size_t asked = s_asked (rig, AWAY);
    s_ends (rig, s_newest (rig, HERE), PROPOSAL_NONE); /* a slot is free */
    ck_assert (rig_propose (rig, 0, rig_candidate (rig, "worse", 1.5, 0)));
    rig_settle (rig);
    ck_assert_uint_eq (s_asked (rig, AWAY), asked);
    s_ends (rig, s_newest (rig, AWAY), PROPOSAL_IDLE);
    ck_assert_uint_eq (s_asked (rig, AWAY), asked + 1);
    s_ends (rig, s_newest (rig, AWAY), PROPOSAL_IDLE);
    ck_assert_uint_eq (s_asked (rig, AWAY), asked + 1);
    rig_destroy (&rig);
}
END_TEST

/* Is any of the first `before` proposals asked for again later? */
static bool s_is_asked_again (const rig_t *rig, size_t before)
{
    for (size_t i = 0; i < before; i++)
        for (size_t k = before; k < rig->nodes[0].proposal_count; k++)
            if (rig->nodes[0].proposals[i] == rig->nodes[0].proposals[k])
                return true;
    return false;
}

START_TEST (what_a_proposer_that_is_gone_was_asked_for_is_given_up_without_a_fault)
{
    rig_t *rig = s_rig (1, 3);
    size_t before = rig->nodes[0].proposal_count;
    rig->proposers = 0;
    rig->breaker_threshold = 1;
    rig_restart (rig, 0);
    ck_assert_uint_eq (rig->nodes[0].proposal_count, before);
    for (size_t i = 0; i < before; i++)
        s_ends (rig, rig->nodes[0].proposals[i], PROPOSAL_FAULT); /* too late: nobody waits for it */
    ck_assert_uint_eq (rig_events (rig, 0, "proposal_failed"), 0);
    ck_assert_uint_eq (rig_events (rig, 0, "breaker_opened"), 0);
    node_status_t status;
    node_status (rig->nodes[0].node, &status);
    ck_assert_uint_eq (status.slots_busy, 0);
    rig->proposers = 2;
    rig_restart (rig, 0);
    ck_assert_uint_eq (rig->nodes[0].proposal_count, 2 * before); /* all its places are free */
    ck_assert (!s_is_asked_again (rig, before));
    rig_destroy (&rig);
}
END_TEST

START_TEST (what_one_proposer_was_asked_for_is_never_asked_of_another)
{
    rig_t *rig = s_rig (1, 3);
    size_t before = rig->nodes[0].proposal_count;
    rig_restart (rig, 0);
    ck_assert_uint_eq (rig->nodes[0].proposal_count, 2 * before); /* the same list: each is asked again */
    ck_assert (s_is_asked_again (rig, before));
    rig->reversed = true;
    before = rig->nodes[0].proposal_count;
    rig_restart (rig, 0);
    ck_assert_uint_gt (rig->nodes[0].proposal_count, before);
    ck_assert (!s_is_asked_again (rig, before));
    rig_destroy (&rig);
}
END_TEST

START_TEST (the_trial_of_a_half_open_breaker_is_for_who_works_here)
{
    enum { TRIALS = 16 }; /* each is drawn anew: that both would do shows soon */
    rig_t *rig = rig_new (1, NULL);
    rig->proposers = 2;
    rig->parallel = 1;
    rig->breaker_threshold = 1;
    rig_restart (rig, 0);
    s_ends (rig, s_newest (rig, AWAY), PROPOSAL_NONE);
    s_ends (rig, s_newest (rig, HERE), PROPOSAL_FAULT);
    size_t here = s_asked (rig, HERE), away = s_asked (rig, AWAY);
    for (unsigned i = 1; i <= TRIALS; i++) {
        ck_assert_uint_eq (rig_events (rig, 0, "breaker_opened"), i);
        rig_pass (rig, 10001);
        ck_assert_uint_eq (rig_events (rig, 0, "breaker_half_open"), i);
        ck_assert_uint_eq (s_asked (rig, HERE), here + i);
        ck_assert_uint_eq (s_asked (rig, AWAY), away);
        s_ends (rig, s_newest (rig, HERE), PROPOSAL_FAULT);
    }
    rig_destroy (&rig);
}
END_TEST

START_TEST (what_a_proposer_printed_stays_on_its_machine)
{
    rig_t *rig = s_rig (2, 1);
    s_ends (rig, s_newest (rig, AWAY), PROPOSAL_NONE);
    s_ends (rig, s_newest (rig, HERE), PROPOSAL_EXHAUSTED);
    ck_assert_uint_eq (rig_events (rig, 0, "proposal_failed"), 1);
    ck_assert_uint_eq (rig_events (rig, 0, "proposer_exhausted"), 1);
    ck_assert_uint_eq (rig_events (rig, 1, "proposal_failed"), 0);
    ck_assert_uint_eq (rig_events (rig, 1, "proposer_exhausted"), 0);
    rig_destroy (&rig);
}
END_TEST

SUITE_MAIN ("node_proposers", who_is_away_takes_no_slot, one_that_never_answers_holds_up_no_other,
            one_that_fails_again_and_again_is_asked_less_and_no_other,
            an_exhausted_one_is_told_once_and_asked_again_only_after_a_restart,
            an_idle_one_is_told_once_and_asked_less_and_less,
            an_idle_one_is_asked_again_once_something_new_is_measured,
            an_idle_one_is_asked_again_at_once_if_something_was_measured_while_it_thought,
            one_whose_budget_others_hold_waits_until_one_of_them_ends,
            one_that_nobody_is_left_to_wait_for_is_asked_again_soon,
            what_a_proposer_that_is_gone_was_asked_for_is_given_up_without_a_fault,
            what_one_proposer_was_asked_for_is_never_asked_of_another,
            the_trial_of_a_half_open_breaker_is_for_who_works_here,
            what_a_proposer_printed_stays_on_its_machine)
