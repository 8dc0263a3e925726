/* SPDX-License-Identifier: MPL-2.0 */
/* The stages of an evaluator, as the core sees them: before a candidate's first run, here and at its validators, and before no
 * other run. */
#include "tests/lib/rig.h"
#include "tests/lib/suite.h"

static void s_expect (rig_t *rig, const digest_t *candidate, improvement_state_t state, reason_code_t reason)
{
    reason_code_t found = REASON_NONE;
    ck_assert_int_eq (rig_state (rig, 0, candidate, &found, NULL), state);
    ck_assert_msg (found == reason, "%s, not %s", reason_name (found), reason_name (reason));
}

START_TEST (a_candidate_that_misses_a_stage_is_rejected_for_that)
{
    rig_t *rig = rig_new (1, NULL);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    rig->nodes[0].rules.staged_reason = REASON_STAGE;
    rig_propose (rig, 0, &better);
    rig_settle (rig);
    s_expect (rig, &better, STATE_REJECTED, REASON_STAGE);
    rig_destroy (&rig);
}
END_TEST

START_TEST (validators_run_the_stages_too)
{
    rig_t *rig = rig_new (4, NULL);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    for (size_t k = 1; k < 4; k++)
        rig->nodes[k].rules.staged_reason = REASON_STAGE;
    rig_propose (rig, 0, &better);
    rig_settle (rig);
    s_expect (rig, &better, STATE_REJECTED, REASON_NOT_CONFIRMED);
    rig_destroy (&rig);
}
END_TEST

START_TEST (only_the_first_run_of_a_candidate_has_stages)
{
    rig_t *rig = rig_found (1, NULL);
    rig->noisy = true; /* so that the candidate is measured again and again */
    rig_start (rig);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    rig_propose (rig, 0, &better);
    rig_settle (rig);
    s_expect (rig, &better, STATE_SHARED, REASON_NONE);
    ck_assert_uint_ge (rig->nodes[0].evaluated[1], 5);
    ck_assert_uint_eq (rig->nodes[0].staged, 1); /* not the baseline, no later run, and not the live copy */
    rig_destroy (&rig);
}
END_TEST

SUITE_MAIN ("node_stages", a_candidate_that_misses_a_stage_is_rejected_for_that,
            validators_run_the_stages_too, only_the_first_run_of_a_candidate_has_stages)
