/* SPDX-License-Identifier: MPL-2.0 */
/* The table of an improvement's life: no two ways for one move, every state reached, final ones left only by going back. */
#include "evolution/improvement.h"
#include "tests/lib/suite.h"

START_TEST (a_move_leads_from_a_state_to_one_state)
{
    size_t count;
    const improvement_edge_t *edges = improvement_edges (&count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_ptr_eq (improvement_edge (edges[i].from, edges[i].move), &edges[i]);
        ck_assert_msg (edges[i].from != edges[i].to, "%s leads nowhere",
                       improvement_move_name (edges[i].move));
    }
    ck_assert_ptr_null (improvement_edge (STATE_PROPOSED, MOVE_APPLY));
    ck_assert_ptr_null (improvement_edge (STATE_TESTING, MOVE_SNAPSHOT));
}
END_TEST

START_TEST (every_state_and_every_move_is_on_a_way)
{
    size_t count;
    const improvement_edge_t *edges = improvement_edges (&count);
    bool reached[STATE_COUNT] = {true}, used[MOVE_COUNT] = {false};
    for (size_t round = 0; round < STATE_COUNT; round++)
        for (size_t i = 0; i < count; i++)
            if (reached[edges[i].from])
                reached[edges[i].to] = used[edges[i].move] = true;
    for (int state = 0; state < STATE_COUNT; state++)
        ck_assert_msg (reached[state], "%s is never reached",
                       improvement_state_name ((improvement_state_t)state));
    for (int move = 0; move < MOVE_COUNT; move++)
        ck_assert_msg (used[move], "%s is never made", improvement_move_name ((improvement_move_t)move));
}
END_TEST

START_TEST (what_is_final_is_left_only_by_rolling_back)
{
    size_t count;
    const improvement_edge_t *edges = improvement_edges (&count);
    bool left[STATE_COUNT] = {false};
    for (size_t i = 0; i < count; i++) {
        left[edges[i].from] = true;
        ck_assert (!improvement_final (edges[i].from) || edges[i].move == MOVE_ROLL_BACK);
    }
    for (int state = 0; state < STATE_COUNT; state++)
        ck_assert_msg (left[state] || improvement_final ((improvement_state_t)state), "%s is a dead end",
                       improvement_state_name ((improvement_state_t)state));
}
END_TEST

START_TEST (nothing_goes_live_without_test_and_confirmation)
{
    size_t count;
    const improvement_edge_t *edges = improvement_edges (&count);
    for (size_t i = 0; i < count; i++) {
        if (edges[i].to == STATE_APPLIED)
            ck_assert_int_eq (edges[i].from, STATE_SNAPSHOT);
        if (edges[i].to == STATE_SNAPSHOT)
            ck_assert_int_eq (edges[i].from, STATE_VALIDATED);
        if (edges[i].to == STATE_VALIDATED)
            ck_assert (edges[i].from == STATE_VALIDATING || edges[i].from == STATE_TESTING ||
                       edges[i].from == STATE_SNAPSHOT);
        if (edges[i].to == STATE_VALIDATING)
            ck_assert (edges[i].from == STATE_REVIEWING || edges[i].from == STATE_HELD);
    }
}
END_TEST

START_TEST (reasons_are_found_by_their_names)
{
    for (int reason = 0; reason < REASON_COUNT; reason++) {
        ck_assert_int_eq (reason_parse (reason_name ((reason_code_t)reason)), reason);
        ck_assert_uint_gt (strlen (reason_description ((reason_code_t)reason)), 0);
    }
    ck_assert_int_eq (reason_parse ("no such reason"), REASON_NONE);
}
END_TEST

START_TEST (each_type_of_event_has_its_own_name_and_a_line)
{
    for (int i = TYPE_NONE + 1; i < TYPE_COUNT; i++) {
        ck_assert_uint_gt (strlen (event_type_text ((event_type_t)i)), 0);
        for (int k = TYPE_NONE + 1; k < i; k++)
            ck_assert_str_ne (event_type_name ((event_type_t)i), event_type_name ((event_type_t)k));
    }
}
END_TEST

SUITE_MAIN ("improvement", a_move_leads_from_a_state_to_one_state, every_state_and_every_move_is_on_a_way,
            what_is_final_is_left_only_by_rolling_back, nothing_goes_live_without_test_and_confirmation,
            reasons_are_found_by_their_names, each_type_of_event_has_its_own_name_and_a_line)
