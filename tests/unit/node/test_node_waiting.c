/* SPDX-License-Identifier: MPL-2.0 */
/* What is good waits for the members who could confirm it; it is not lost because they are away. */
#include "tests/lib/rig.h"
#include "tests/lib/suite.h"

static void s_lose (rig_t *rig, size_t k, size_t peer)
{
    rig_event (rig, k, (event_t){.kind = EVENT_PEER_LOST, .as.peer_lost.peer = rig->nodes[peer].identity.id});
}

static void s_find (rig_t *rig, size_t k, size_t peer)
{
    rig_event (rig, k,
               (event_t){.kind = EVENT_PEER_UP,
                         .as.peer_up = {rig->nodes[peer].identity.id, 7, text_of ("x86_64/rig/1"), 0}});
}

static uint64_t s_awaiting (const rig_t *rig, size_t k)
{
    node_status_t status;
    node_status (rig->nodes[k].node, &status);
    return status.awaiting_members;
}

START_TEST (an_improvement_waits_until_enough_members_are_here)
{
    rig_t *rig = rig_new (3, NULL); /* two confirmations are needed */
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    s_lose (rig, 0, 2);
    rig_propose (rig, 0, &better);
    rig_settle (rig);
    rig_pass (rig, 3600000);
    ck_assert_int_eq (rig_state_now (rig, 0, &better), STATE_TESTING);
    ck_assert_uint_eq (s_awaiting (rig, 0), 1);
    ck_assert_uint_eq (rig_events (rig, 0, "feedback_requested"), 0);
    s_find (rig, 0, 2);
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 0, &better), STATE_SHARED);
    ck_assert_uint_eq (s_awaiting (rig, 0), 0);
    rig_destroy (&rig);
}
END_TEST

static bool s_proposes_nothing (const rig_t *rig, size_t k)
{
    node_status_t status;
    node_status (rig->nodes[k].node, &status);
    return status.waits_for_members;
}

/* One more of its own waits than it has slots: no proposer is asked for more. */
START_TEST (the_status_tells_when_those_that_wait_leave_no_room_for_more)
{
    static const char *names[] = {"first", "second", "third"};
    rig_t *rig = rig_new (3, NULL);
    ck_assert_uint_eq (rig->slots, 2);
    s_lose (rig, 0, 2);
    for (size_t i = 0; i < 3; i++) {
        ck_assert (!s_proposes_nothing (rig, 0));
        rig_propose (rig, 0, rig_candidate (rig, names[i], 0.9 - 0.1 * (double)i, 0));
        rig_settle (rig);
        ck_assert_uint_eq (s_awaiting (rig, 0), i + 1);
    }
    ck_assert (s_proposes_nothing (rig, 0));
    s_find (rig, 0, 2);
    rig_settle (rig);
    ck_assert (!s_proposes_nothing (rig, 0));
    rig_destroy (&rig);
}
END_TEST

START_TEST (it_does_not_wait_where_one_confirmation_is_enough)
{
    policy_t policy = policy_default ();
    policy.min_confirmations = 1;
    rig_t *rig = rig_new (3, &policy);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    s_lose (rig, 0, 2);
    rig_propose (rig, 0, &better);
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 0, &better), STATE_SHARED);
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_package_that_nobody_here_could_confirm_is_tried_again_when_they_are_back)
{
    rig_t *rig = rig_new (3, NULL);
    digest_t theirs = *rig_candidate (rig, "theirs", 0.9, 0), mine = *rig_candidate (rig, "mine", 0.95, 0);
    rig_command (rig, 2, "pause", NULL, NULL);
    rig_propose (rig, 0, &theirs);
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 0, &theirs), STATE_SHARED);
    rig->nodes[0].rules.mute = true; /* until node 2 has found something of its own */
    rig_command (rig, 2, "resume", NULL, NULL);
    for (size_t k = 0; k < 2; k++)
        rig_command (rig, k, "pause", NULL, NULL); /* they answer, and take over nothing */
    rig_propose (rig, 2, &mine);
    rig_settle (rig);
    ck_assert (digest_equal (&rig->nodes[2].current, &mine));
    s_lose (rig, 2, 1);
    rig->nodes[0].rules.mute = false;
    rig_release (rig, 2);
    rig_pass (rig, 6000);
    ck_assert (digest_equal (&rig->nodes[2].current, &mine));
    ck_assert_uint_ge (rig_events (rig, 2, "improvement_rejected"), 1);
    ck_assert_uint_eq (rig_events (rig, 2, "knowledge_rejected"), 0);
    s_find (rig, 2, 1);
    rig_settle (rig);
    digest_t both = *rig_candidate (rig, "mine+theirs", 0.85, 0);
    ck_assert_int_eq (rig_state_now (rig, 2, &both), STATE_SHARED);
    ck_assert (digest_equal (&rig->nodes[2].current, &both));
    rig_destroy (&rig);
}
END_TEST

/* Node 2 hears of the second of two improvements only, and nothing merges there. */
START_TEST (who_comes_late_takes_whole_what_was_made_from_the_start)
{
    policy_t policy = policy_default ();
    policy.min_confirmations = 1;
    rig_t *rig = rig_new (3, &policy);
    digest_t first = *rig_candidate (rig, "one", 0.9, 0), second = *rig_candidate (rig, "one+two", 0.8, 0);
    rig->nodes[2].rules.merge_result = 1;
    rig->nodes[2].rules.deaf = true;
    s_lose (rig, 0, 2);
    rig_propose (rig, 0, &first);
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 0, &first), STATE_SHARED);
    rig->nodes[2].rules.deaf = false;
    s_find (rig, 0, 2);
    rig_propose (rig, 0, &second);
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 0, &second), STATE_SHARED);
    ck_assert (digest_equal (&rig->nodes[2].current, &second));
    ck_assert_uint_eq (rig_events (rig, 2, "knowledge_adopted"), 1);
    rig_destroy (&rig);
}
END_TEST

/* The proposer that node 0 asked last comes with that candidate. */
static void s_come_up_with (rig_t *rig, const digest_t *candidate)
{
    ck_assert_uint_gt (rig->nodes[0].proposal_count, 0);
    event_t event = {.kind = EVENT_PROPOSED};
    event.as.proposed.operation = rig->nodes[0].proposals[rig->nodes[0].proposal_count - 1];
    event.as.proposed.parent = rig->nodes[0].current;
    for (size_t i = 0; i < rig->tree_count; i++)
        if (digest_equal (&rig->trees[i].id, candidate))
            event.as.proposed.tree = bytes_of (rig->trees[i].tree.data, rig->trees[i].tree.size);
    rig_event (rig, 0, event);
    rig_settle (rig);
}

/* Its slots are free for what the others ask of it. */
static void s_stop_proposing (rig_t *rig, size_t k)
{
    rig_command (rig, k, "pause", NULL, NULL);
    for (size_t i = 0; i < rig->nodes[k].proposal_count; i++)
        rig_event (rig, k,
                   (event_t){.kind = EVENT_PROPOSED,
                             .as.proposed = {.operation = rig->nodes[k].proposals[i],
                                             .result = PROPOSAL_NONE,
                                             .description = text_of ("")}});
}

START_TEST (what_nobody_could_confirm_may_be_proposed_again)
{
    rig_t *rig = rig_found (3, NULL);
    rig->proposers = 1;
    rig_start (rig);
    for (size_t k = 1; k < 3; k++)
        s_stop_proposing (rig, k);
    rig_settle (rig);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0), worse = *rig_candidate (rig, "worse", 1.1, 0);
    rig->nodes[2].rules.hold_evaluations = true;
    s_come_up_with (rig, &better);
    ck_assert_int_eq (rig_state_now (rig, 0, &better), STATE_VALIDATING);
    s_lose (rig, 0, 2);
    rig_pass (rig, 60000);
    reason_code_t reason;
    ck_assert_int_eq (rig_state (rig, 0, &better, &reason, NULL), STATE_REJECTED);
    ck_assert_str_eq (reason_name (reason), "no_validators");
    rig->nodes[2].rules.hold_evaluations = false;
    rig_release (rig, 2);
    s_find (rig, 0, 2);
    rig_pass (rig, 60000);
    rig_restart (rig, 0);
    for (size_t peer = 1; peer < 3; peer++)
        s_find (rig, 0, peer);
    s_come_up_with (rig, &better);
    rig_pass (rig, 60000);
    ck_assert (digest_equal (&rig->nodes[0].current, &better));
    node_status_t status;
    node_status (rig->nodes[0].node, &status);
    ck_assert_uint_eq (status.duplicates, 0);
    for (int i = 0; i < 2; i++) { /* what lost, lost */
        s_come_up_with (rig, &worse);
        rig_pass (rig, 60000);
    }
    node_status (rig->nodes[0].node, &status);
    ck_assert_uint_eq (status.duplicates, 1);
    rig_destroy (&rig);
}
END_TEST

/* Node 2 has `mine` live when it hears of node 0's `theirs`, and merges end as `end` there. */
static rig_t *s_merging (merge_end_t end)
{
    rig_t *rig = rig_new (3, NULL);
    digest_t theirs = *rig_candidate (rig, "theirs", 0.9, 0), mine = *rig_candidate (rig, "mine", 0.95, 0);
    rig_find_apart (rig, &theirs, &mine);
    rig->nodes[2].rules.merge_result = end;
    rig_release (rig, 2);
    rig_pass (rig, 6000);
    return rig;
}

START_TEST (a_package_whose_merge_failed_on_this_machine_is_tried_again)
{
    rig_t *rig = s_merging (MERGE_FAULT);
    ck_assert_uint_eq (rig_events (rig, 2, "knowledge_rejected"), 0);
    rig->nodes[2].rules.merge_result = MERGE_DONE;
    rig_pass (rig, 6000);
    digest_t both = *rig_candidate (rig, "mine+theirs", 0.85, 0);
    ck_assert (digest_equal (&rig->nodes[2].current, &both));
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_package_that_does_not_merge_is_incompatible)
{
    rig_t *rig = s_merging (MERGE_IMPOSSIBLE);
    ck_assert_uint_eq (rig_told (rig, 2, "knowledge_rejected", "reason", "incompatible"), 1);
    rig_destroy (&rig);
}
END_TEST

/* Node 2 finds something on top of what is live there. */
static void s_move_on (rig_t *rig, const char *text, double cost)
{
    digest_t candidate = *rig_candidate (rig, text, cost, 0);
    rig_propose (rig, 2, &candidate);
    rig_pass (rig, 60000);
    ck_assert_int_eq (rig_state_now (rig, 2, &candidate), STATE_SHARED);
}

START_TEST (a_package_that_did_not_merge_is_tried_again_when_the_live_release_has_moved)
{
    rig_t *rig = s_merging (MERGE_IMPOSSIBLE);
    rig->nodes[2].rules.merge_result = MERGE_DONE;
    rig_pass (rig, 60000);
    ck_assert_uint_eq (rig_events (rig, 2, "knowledge_adopted"), 0); /* on the same release: never */
    s_lose (rig, 2, 0);                                              /* its author isn't needed any more */
    s_find (rig, 2, 0);
    s_move_on (rig, "mine+more", 0.9);
    digest_t all = *rig_candidate (rig, "mine+more+theirs", 0.8, 0);
    ck_assert (digest_equal (&rig->nodes[2].current, &all));
    ck_assert_uint_eq (rig_events (rig, 2, "knowledge_received"), 1);
    rig_restart (rig, 2);
    ck_assert (digest_equal (&rig->nodes[2].current, &all));
    rig_destroy (&rig);
}
END_TEST

START_TEST (however_often_the_live_release_moves_a_package_is_tried_three_times)
{
    static const char *const texts[] = {"mine+a", "mine+a+b", "mine+a+b+c", "mine+a+b+c+d"};
    rig_t *rig = s_merging (MERGE_IMPOSSIBLE);
    for (size_t i = 0; i < 4; i++) {
        s_move_on (rig, texts[i], 0.9 - 0.05 * (double)i);
        ck_assert_uint_eq (rig_events (rig, 2, "knowledge_rejected"), i < 1 ? 2 : 3);
    }
    ck_assert_uint_eq (rig_events (rig, 2, "knowledge_received"), 1);
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_package_that_fails_by_itself_is_not_tried_again)
{
    rig_t *rig = s_merging (MERGE_FAULT);
    rig->nodes[2].rules.merge_result = MERGE_DONE;
    rig->nodes[2].rules.failing = *rig_candidate (rig, "mine+theirs", 0.85, 0);
    rig->nodes[2].rules.failing_reason = REASON_INVALID_CRASH;
    rig_pass (rig, 6000);
    ck_assert_uint_eq (rig_told (rig, 2, "knowledge_rejected", "reason", "invalid_crash"), 1);
    s_move_on (rig, "mine+more", 0.9);
    ck_assert_uint_eq (rig_events (rig, 2, "knowledge_rejected"), 1);
    ck_assert_uint_eq (rig_events (rig, 2, "knowledge_adopted"), 0);
    rig_destroy (&rig);
}
END_TEST

/* Node 2 is given node 0's package, the first that was shared, as a file; true if it takes it. */
static bool s_import (rig_t *rig)
{
    for (size_t i = 0; i < rig->tree_count; i++)
        if (rig->trees[i].text[0] == 0) {
            rig->nodes[2].reply_failed = true;
            rig_event (rig, 2,
                       (event_t){.kind = EVENT_COMMAND,
                                 .as.command = {.operation = 7,
                                                .name = text_of ("import"),
                                                .content = bytes_of (rig->trees[i].tree.data,
                                                                     rig->trees[i].tree.size)}});
            return !rig->nodes[2].reply_failed;
        }
    ck_abort_msg ("no package was shared");
    return false;
}

START_TEST (a_package_from_a_file_is_tried_again_if_the_live_release_has_moved)
{
    rig_t *rig = s_merging (MERGE_IMPOSSIBLE);
    digest_t more = *rig_candidate (rig, "mine+more", 0.9, 0),
             both = *rig_candidate (rig, "mine+theirs", 0.85, 0);
    digest_t improvement;
    char id[DIGEST_TEXT_BYTES];
    ck_assert (!s_import (rig)); /* on the same release */
    s_move_on (rig, "mine+more", 0.9);
    ck_assert_uint_eq (rig_events (rig, 2, "knowledge_rejected"), 2);
    ck_assert (!s_import (rig));
    rig_command (rig, 2, "pause", NULL, NULL);
    rig_state (rig, 2, &more, NULL, &improvement);
    digest_text (&improvement, id);
    ck_assert (rig_command (rig, 2, "rollback", "id", id));
    rig_pass (rig, 60000);
    rig->nodes[2].rules.merge_result = MERGE_DONE;
    ck_assert (s_import (rig));
    ck_assert (s_import (rig)); /* it waits */
    rig_command (rig, 2, "resume", NULL, NULL);
    rig_pass (rig, 60000);
    ck_assert (digest_equal (&rig->nodes[2].current, &both));
    ck_assert (!s_import (rig)); /* adopted */
    rig_destroy (&rig);
}
END_TEST

SUITE_MAIN ("node_waiting", what_nobody_could_confirm_may_be_proposed_again,
            an_improvement_waits_until_enough_members_are_here,
            the_status_tells_when_those_that_wait_leave_no_room_for_more,
            it_does_not_wait_where_one_confirmation_is_enough,
            a_package_that_nobody_here_could_confirm_is_tried_again_when_they_are_back,
            who_comes_late_takes_whole_what_was_made_from_the_start,
            a_package_whose_merge_failed_on_this_machine_is_tried_again,
            a_package_that_does_not_merge_is_incompatible,
            a_package_that_did_not_merge_is_tried_again_when_the_live_release_has_moved,
            however_often_the_live_release_moves_a_package_is_tried_three_times,
            a_package_that_fails_by_itself_is_not_tried_again,
            a_package_from_a_file_is_tried_again_if_the_live_release_has_moved)
