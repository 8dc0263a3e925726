/* SPDX-License-Identifier: MPL-2.0 */
/* What a member says of a candidate that it knows already: docs/decisions/0016. */
#include "tests/lib/rig.h"
#include "tests/lib/suite.h"

/* How often node k was told `recommendation`, and how often anything with `why` as the first reason. */
static void s_expect_told (const rig_t *rig, size_t k, const char *recommendation, unsigned count,
                           const char *why, unsigned times)
{
    ck_assert_uint_eq (rig_told (rig, k, "feedback_received", "recommendation", recommendation), count);
    ck_assert_uint_eq (rig_told (rig, k, "feedback_received", "why", why), times);
}

START_TEST (what_is_live_there_is_approved_and_that_is_said)
{
    policy_t policy = policy_default ();
    policy.min_confirmations = 1;
    rig_t *rig = rig_new (3, &policy);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    rig_event (rig, 0, (event_t){.kind = EVENT_PEER_LOST, .as.peer_lost.peer = rig->nodes[2].identity.id});
    rig->nodes[2].rules.deaf = true;
    rig_propose (rig, 0, &better);
    rig_settle (rig);
    ck_assert (digest_equal (&rig->nodes[1].current, &better));
    rig->nodes[2].rules.deaf = false;
    rig_propose (rig, 2, &better);
    rig_settle (rig);
    s_expect_told (rig, 2, "approve", 2, "the same candidate is or was live here", 2);
    rig_destroy (&rig);
}
END_TEST

START_TEST (what_is_on_its_way_there_is_approved_and_that_is_said)
{
    rig_t *rig = rig_new (3, NULL);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    rig->nodes[1].rules.hold_evaluations = true;
    rig_propose (rig, 1, &better);
    rig_settle (rig);
    rig_propose (rig, 0, &better);
    rig_settle (rig);
    s_expect_told (rig, 0, "approve", 2, "the same candidate is on its way here, too", 1);
    rig_destroy (&rig);
}
END_TEST

START_TEST (what_lost_there_before_wants_a_look)
{
    rig_t *rig = rig_new (3, NULL);
    digest_t local = *rig_candidate (rig, "local", 0.9, 0.2); /* worse on node 1, and more so on node 2 */
    rig_propose (rig, 1, &local);
    rig_settle (rig);
    ck_assert_int_eq (rig_state (rig, 1, &local, NULL, NULL), STATE_REJECTED);
    rig_propose (rig, 0, &local);
    rig_settle (rig);
    s_expect_told (rig, 0, "review", 1, "the same candidate was measured here before, and not taken", 1);
    s_expect_told (rig, 0, "approve", 1, "the same candidate is or was live here", 0);
    rig_destroy (&rig);
}
END_TEST

START_TEST (what_a_member_measured_in_vain_for_another_release_wants_a_look)
{
    static const char why[] = "the same candidate was measured here against another live release";
    rig_t *rig = rig_new (3, NULL);
    digest_t local = *rig_candidate (rig, "local", 0.8, 0.4), other = *rig_candidate (rig, "other", 0.95, 0);
    rig_propose (rig, 0, &local);
    rig_settle (rig);
    ck_assert_int_eq (rig_state (rig, 0, &local, NULL, NULL), STATE_REJECTED);
    s_expect_told (rig, 0, "approve", 2, why, 0);
    rig_propose (rig, 0, &local); /* against the same one it is no question */
    rig_settle (rig);
    s_expect_told (rig, 0, "reject", 2, why, 0);
    rig_propose (rig, 1, &other);
    rig_settle (rig);
    ck_assert (digest_equal (&rig->nodes[0].current, &other));
    rig->nodes[1].rules.hold_evaluations = true; /* there it is on its way again, too */
    rig_propose (rig, 1, &local);
    rig_settle (rig);
    rig_propose (rig, 0, &local);
    rig_settle (rig);
    s_expect_told (rig, 0, "review", 2, why, 2);
    rig_destroy (&rig);
}
END_TEST

SUITE_MAIN ("node_feedback", what_is_live_there_is_approved_and_that_is_said,
            what_is_on_its_way_there_is_approved_and_that_is_said, what_lost_there_before_wants_a_look,
            what_a_member_measured_in_vain_for_another_release_wants_a_look)
