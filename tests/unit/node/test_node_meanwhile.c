/* SPDX-License-Identifier: MPL-2.0 */
/* What is under way while something else changes: a member is revoked, the breaker opens, a release is taken back. */
#include "tests/lib/rig.h"
#include "tests/lib/suite.h"

static void s_expect_state (const rig_t *rig, size_t k, const digest_t *candidate, improvement_state_t state)
{
    ck_assert_str_eq (improvement_state_name (rig_state (rig, k, candidate, NULL, NULL)),
                      improvement_state_name (state));
}

/* --- a member is revoked --- */

START_TEST (a_validator_that_is_revoked_is_not_waited_for_to_the_end)
{
    rig_t *rig = rig_new (3, NULL); /* two confirmations are needed */
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    rig->nodes[2].rules.hold_evaluations = true;
    rig_propose (rig, 0, &better);
    rig_settle (rig); /* node 1 has confirmed it */
    s_expect_state (rig, 0, &better, STATE_VALIDATING);
    char id[DIGEST_TEXT_BYTES];
    pubkey_text (&rig->nodes[2].identity.id, id);
    ck_assert (rig_command (rig, 0, "revoke", "id", id));
    rig_pass (rig, 31000); /* as long as for one that is lost; its deadline is after 65 s */
    ck_assert_int_ne (rig_state (rig, 0, &better, NULL, NULL), STATE_VALIDATING);
    rig_destroy (&rig);
}
END_TEST

SUITE_MAIN ("node_meanwhile", a_validator_that_is_revoked_is_not_waited_for_to_the_end)
