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

START_TEST (the_trial_of_a_half_open_breaker_is_for_who_works_here)
{
    rig_t *rig = rig_new (1, NULL);
    rig->proposers = 2;
    rig->parallel = 1;
    rig->breaker_threshold = 1;
    rig_restart (rig, 0);
    s_ends (rig, s_newest (rig, AWAY), PROPOSAL_NONE);
    s_ends (rig, s_newest (rig, HERE), PROPOSAL_FAULT);
    ck_assert_uint_eq (rig_events (rig, 0, "breaker_opened"), 1);
    size_t here = s_asked (rig, HERE), away = s_asked (rig, AWAY);
    rig_pass (rig, 20000);
    ck_assert_uint_eq (rig_events (rig, 0, "breaker_half_open"), 1);
    ck_assert_uint_eq (s_asked (rig, HERE), here + 1);
    ck_assert_uint_eq (s_asked (rig, AWAY), away);
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
            the_trial_of_a_half_open_breaker_is_for_who_works_here,
            what_a_proposer_printed_stays_on_its_machine)
