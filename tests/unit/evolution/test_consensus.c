/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/consensus.h"
#include "tests/lib/suite.h"

static const consensus_rules_t s_rules = {.approve_threshold = 0.7, .review_threshold = 0.4, .quorum = 0.5};

static consensus_t s_of (unsigned asked, unsigned approvals, unsigned reviews, unsigned rejections)
{
    tally_t tally = {.asked = asked, .approvals = approvals, .reviews = reviews, .rejections = rejections};
    return consensus_of (&tally, &s_rules);
}

static bool s_decided (unsigned asked, unsigned approvals, unsigned reviews, unsigned rejections)
{
    tally_t tally = {.asked = asked, .approvals = approvals, .reviews = reviews, .rejections = rejections};
    return consensus_decided (&tally, &s_rules);
}

START_TEST (test_thresholds_count_at_and_above_and_not_just_below)
{
    static const struct {
        unsigned approvals, others;
        action_t action;
    } cases[] = {{7, 3, ACTION_APPROVE},   {69, 31, ACTION_REVIEW},  {70, 30, ACTION_APPROVE},
                 {71, 29, ACTION_APPROVE}, {4, 6, ACTION_REVIEW},    {39, 61, ACTION_REJECT},
                 {40, 60, ACTION_REVIEW},  {41, 59, ACTION_REVIEW},  {14, 6, ACTION_APPROVE},
                 {21, 9, ACTION_APPROVE},  {35, 15, ACTION_APPROVE}, {2, 3, ACTION_REVIEW},
                 {0, 1, ACTION_REJECT},    {1, 0, ACTION_APPROVE},   {139, 60, ACTION_REVIEW},
                 {140, 60, ACTION_APPROVE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned asked = cases[i].approvals + cases[i].others;
        ck_assert_int_eq (s_of (asked, cases[i].approvals, 0, cases[i].others).action, cases[i].action);
        ck_assert_int_eq (s_of (asked, cases[i].approvals, cases[i].others, 0).action, cases[i].action);
    }
}
END_TEST

START_TEST (test_the_score_is_approvals_over_valid_replies)
{
    consensus_t consensus = s_of (10, 3, 1, 1);
    ck_assert (consensus.score == 0.6);
    ck_assert (consensus.quorum_reached);
    ck_assert_int_eq (consensus.action, ACTION_REVIEW);
}
END_TEST

START_TEST (test_silence_is_never_approval)
{
    ck_assert_int_eq (s_of (4, 0, 0, 0).action, ACTION_REJECT);
    ck_assert (s_of (4, 0, 0, 0).score == 0);
    ck_assert (!s_of (4, 0, 0, 0).quorum_reached);
    ck_assert_int_eq (s_of (0, 0, 0, 0).action, ACTION_REJECT);
}
END_TEST

START_TEST (test_fewer_than_the_quorum_is_review_whatever_they_say)
{
    ck_assert_int_eq (s_of (4, 1, 0, 0).action, ACTION_REVIEW);
    ck_assert_int_eq (s_of (4, 0, 0, 1).action, ACTION_REVIEW);
    ck_assert (!s_of (4, 1, 0, 0).quorum_reached);
    ck_assert_int_eq (s_of (4, 2, 0, 0).action, ACTION_APPROVE);
    ck_assert_int_eq (s_of (4, 0, 0, 2).action, ACTION_REJECT);
    ck_assert_int_eq (s_of (5, 2, 0, 0).action, ACTION_REVIEW);
    ck_assert_int_eq (s_of (5, 3, 0, 0).action, ACTION_APPROVE);
}
END_TEST

START_TEST (test_a_round_ends_early_when_the_rest_can_change_nothing)
{
    ck_assert (s_decided (4, 3, 0, 1));  /* all have answered */
    ck_assert (s_decided (10, 7, 0, 0)); /* at worst 7 of 10 */
    ck_assert (!s_decided (10, 6, 0, 0));
    ck_assert (s_decided (10, 0, 0, 7)); /* at best 3 of 10 */
    ck_assert (!s_decided (10, 0, 0, 6));
    ck_assert (!s_decided (4, 2, 0, 0)); /* two that reject would make it 2 of 4 */
    ck_assert (!s_decided (4, 0, 0, 0));
    ck_assert (s_decided (0, 0, 0, 0));
}
END_TEST

/* Every tally of up to seven asked: decided says what trying all further replies says. */
START_TEST (test_decided_agrees_with_trying_every_further_reply)
{
    int decided_early = 0;
    for (unsigned code = 0; code < 8 * 8 * 8 * 8; code++) {
        unsigned asked = code & 7, a = code >> 3 & 7, v = code >> 6 & 7, r = code >> 9;
        if (a + v + r > asked)
            continue;
        action_t now = s_of (asked, a, v, r).action;
        bool same = true;
        unsigned missing = asked - a - v - r;
        for (unsigned more_a = 0; more_a <= missing; more_a++)
            for (unsigned more_r = 0; more_a + more_r <= missing; more_r++)
                same &= s_of (asked, a + more_a, v, r + more_r).action == now;
        ck_assert_int_eq (s_decided (asked, a, v, r), same);
        decided_early += same && missing > 0;
    }
    ck_assert_int_gt (decided_early, 20);
}
END_TEST

START_TEST (test_actions_have_names)
{
    ck_assert_str_eq (action_name (ACTION_APPROVE), "approve");
    ck_assert_str_eq (action_name (ACTION_REVIEW), "review");
    ck_assert_str_eq (action_name (ACTION_REJECT), "reject");
}
END_TEST

SUITE_MAIN ("evolution/consensus", test_thresholds_count_at_and_above_and_not_just_below,
            test_the_score_is_approvals_over_valid_replies, test_silence_is_never_approval,
            test_fewer_than_the_quorum_is_review_whatever_they_say,
            test_a_round_ends_early_when_the_rest_can_change_nothing,
            test_decided_agrees_with_trying_every_further_reply, test_actions_have_names)
