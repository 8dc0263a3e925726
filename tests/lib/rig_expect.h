/* SPDX-License-Identifier: MPL-2.0 */
/* What tests over the rig expect of it. */
#ifndef EVOMESH_TESTS_LIB_RIG_EXPECT_H
#define EVOMESH_TESTS_LIB_RIG_EXPECT_H

#include <check.h>

#include "tests/lib/rig.h"

/* Fails unless node k recorded the improvement whose candidate that is as rejected for that reason. */
static inline void rig_expect_rejected (const rig_t *rig, size_t k, const digest_t *candidate,
                                        reason_code_t expected)
{
    reason_code_t reason;
    ck_assert_str_eq (improvement_state_name (rig_state (rig, k, candidate, &reason, NULL)), "rejected");
    ck_assert_str_eq (reason_name (reason), reason_name (expected));
}

#endif
