/* SPDX-License-Identifier: MPL-2.0 */
#include "protocol/group.h"
#include "tests/lib/sample.h"
#include "tests/lib/suite.h"

#include <math.h>

static const digest_t s_evaluator = {{1}}, s_start = {{2}};

static group_t s_group (void)
{
    identity_t founder = sample_identity (1);
    policy_t policy = policy_default ();
    group_t group;
    ck_assert_int_eq (
        group_found (&group, &founder, "packers", "binpack", &s_evaluator, &s_start, &policy, 1750000000000),
        0);
    return group;
}

/* A packed charter of any content, signed by sample n. */
static buffer_t s_packed (uint8_t n, const head_t *head, const charter_t *charter)
{
    identity_t signer = sample_identity (n);
    buffer_t packed = {0};
    uint8_t seal[SEAL_BYTES];
    message_seal (&signer, head, charter, &packed, seal);
    buffer_append (&packed, seal, sizeof seal);
    return packed;
}

static int s_open (buffer_t packed, problem_t *problem)
{
    group_t group;
    int error = group_open (bytes_of (packed.data, packed.size), &group, problem);
    if (error == 0)
        group_clear (&group);
    buffer_clear (&packed);
    return error;
}

START_TEST (test_the_default_policy_is_that_of_the_design)
{
    policy_t policy = policy_default ();
    ck_assert (policy.min_improvement == 0.005 && policy.quorum == 0.5);
    ck_assert (policy.approve_threshold == 0.7 && policy.review_threshold == 0.4);
    ck_assert (policy.consensus_threshold == 0.7);
    ck_assert_uint_eq (policy.feedback_deadline_ms, 5000);
    ck_assert_uint_eq (policy.max_validators, 5);
    ck_assert (policy.min_confirmations == 0 && policy.allow_unvalidated == 0 && policy.allow_alone == 1);
    ck_assert_int_eq (policy_check (&policy, NULL), 0);
}
END_TEST

START_TEST (test_a_policy_is_read_as_it_was_written)
{
    policy_t policy = policy_default (), again;
    buffer_t out = {0};
    policy.quorum = 0.75;
    policy.held_expiry_ms = 12345;
    policy_encode (&policy, &out);
    ck_assert_int_eq (policy_decode (bytes_of (out.data, out.size), &again, NULL), 0);
    ck_assert_mem_eq (&policy, &again, sizeof policy);
    for (size_t size = 0; size < out.size; size++)
        ck_assert_int_ne (policy_decode (bytes_of (out.data, size), &again, NULL), 0);
    ck_assert_uint_eq (again.held_expiry_ms, 0);
    buffer_clear (&out);
}
END_TEST

/* Each share at and beyond its ends. */
START_TEST (test_shares_of_a_policy_are_from_0_to_1)
{
    static const size_t shares[] = {offsetof (policy_t, min_improvement),
                                    offsetof (policy_t, approve_threshold),
                                    offsetof (policy_t, review_threshold), offsetof (policy_t, quorum),
                                    offsetof (policy_t, consensus_threshold)};
    static const double values[] = {0.0, 1.0, -0.001, 1.001, -1e300, (double)NAN, (double)INFINITY};
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        for (size_t k = 0; k < sizeof values / sizeof values[0]; k++) {
            policy_t policy = policy_default ();
            policy.approve_threshold = 1;
            policy.review_threshold = 0;
            memcpy ((uint8_t *)&policy + shares[i], &values[k], sizeof values[k]);
            bool is_in_order = policy.review_threshold <= policy.approve_threshold;
            ck_assert_int_eq (policy_check (&policy, NULL), k < 2 && is_in_order ? 0 : ERROR_INPUT);
        }
    }
}
END_TEST

START_TEST (test_numbers_of_a_policy_end_at_their_bounds)
{
    static const struct {
        size_t offset;
        uint64_t least, most;
    } cases[] = {{offsetof (policy_t, feedback_deadline_ms), 1, 86400000},
                 {offsetof (policy_t, max_validators), 1, LIMIT_MEMBERS},
                 {offsetof (policy_t, min_confirmations), 0, 5},
                 {offsetof (policy_t, allow_unvalidated), 0, 1},
                 {offsetof (policy_t, allow_alone), 0, 1},
                 {offsetof (policy_t, held_expiry_ms), 1, UINT64_C (366) * 86400000},
                 {offsetof (policy_t, change_bytes_max), 0, LIMIT_AGENT_BYTES}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint64_t values[] = {cases[i].least, cases[i].most, cases[i].least - 1, cases[i].most + 1,
                                   UINT64_MAX};
        for (size_t k = 0; k < 5; k++) {
            policy_t policy = policy_default ();
            memcpy ((uint8_t *)&policy + cases[i].offset, &values[k], sizeof values[k]);
            bool is_within = values[k] >= cases[i].least && values[k] <= cases[i].most;
            ck_assert_msg (policy_check (&policy, NULL) == (is_within ? 0 : ERROR_INPUT), "case %zu.%zu", i,
                           k);
        }
    }
}
END_TEST

START_TEST (test_a_wrong_policy_says_which_key)
{
    policy_t policy = policy_default ();
    problem_t problem;
    policy.quorum = 1.5;
    ck_assert_int_eq (policy_check (&policy, &problem), ERROR_INPUT);
    ck_assert_str_eq (problem.text, "quorum: found 1.5, expected a share from 0 to 1");
    policy = policy_default ();
    policy.review_threshold = 0.8;
    ck_assert_int_eq (policy_check (&policy, &problem), ERROR_INPUT);
    ck_assert_str_eq (problem.text, "review_threshold: found 0.8, expected at most approve_threshold (0.7)");
}
END_TEST

START_TEST (test_a_founded_group_is_what_everybody_reads_from_its_charter)
{
    group_t group = s_group (), again;
    identity_t founder = sample_identity (1);
    ck_assert_str_eq (group.name, "packers");
    ck_assert_str_eq (group.agent, "binpack");
    ck_assert (pubkey_equal (&group.founder, &founder.id));
    ck_assert (digest_equal (&group.evaluator, &s_evaluator) && digest_equal (&group.start, &s_start));
    ck_assert (group.policy.approve_threshold == 0.7);
    digest_t expected = digest_of (group.packed.data, group.packed.size - SEAL_BYTES);
    ck_assert (digest_equal (&group.group, &expected));
    ck_assert_int_eq (group_open (bytes_of (group.packed.data, group.packed.size), &again, NULL), 0);
    ck_assert (digest_equal (&group.group, &again.group));
    ck_assert_uint_le (group.packed.size, LIMIT_LONG_TEXT); /* so that it fits in a MEMBERSHIP */
    group_clear (&group);
    group_clear (&again);
}
END_TEST

START_TEST (test_each_flipped_bit_of_a_charter_is_found)
{
    group_t group = s_group (), again;
    for (size_t bit = 0; bit < group.packed.size * 8; bit++) {
        group.packed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_ne (group_open (bytes_of (group.packed.data, group.packed.size), &again, NULL), 0);
        group.packed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    group_clear (&group);
}
END_TEST

/* Charters that somebody signed, but that found no group. */
START_TEST (test_a_signed_charter_that_is_not_in_order_is_refused)
{
    buffer_t policy = {0};
    policy_t fine = policy_default ();
    policy_encode (&fine, &policy);
    const charter_t charter = {.name = text_of ("packers"),
                               .founder = sample_identity (1).id,
                               .agent = text_of ("binpack"),
                               .policy = bytes_of (policy.data, policy.size)};
    const head_t head = {.kind = MESSAGE_CHARTER};
    problem_t problem;
    ck_assert_int_eq (s_open (s_packed (1, &head, &charter), NULL), 0);
    ck_assert_int_eq (s_open (s_packed (2, &head, &charter), &problem), ERROR_DENIED);
    ck_assert_str_eq (problem.text, "charter: not signed by the founder that it names");
    charter_t other = charter;
    other.name = text_of ("../packers");
    ck_assert_int_eq (s_open (s_packed (1, &head, &other), NULL), ERROR_INPUT);
    other = charter;
    other.agent = text_of ("");
    ck_assert_int_eq (s_open (s_packed (1, &head, &other), NULL), ERROR_INPUT);
    other = charter;
    other.policy.size--;
    ck_assert_int_eq (s_open (s_packed (1, &head, &other), &problem), ERROR_MALFORMED);
    ck_assert_str_eq (problem.text, "charter: policy: change_bytes_max: found no value of this wire (0xce), "
                                    "expected a number");
    head_t wrong = head;
    wrong.epoch = 1;
    ck_assert_int_eq (s_open (s_packed (1, &wrong, &charter), NULL), ERROR_INPUT);
    wrong = head;
    wrong.seq = 1;
    ck_assert_int_eq (s_open (s_packed (1, &wrong, &charter), NULL), ERROR_INPUT);
    wrong = head;
    wrong.group = s_start;
    ck_assert_int_eq (s_open (s_packed (1, &wrong, &charter), NULL), ERROR_INPUT);
    buffer_clear (&policy);
}
END_TEST

START_TEST (test_a_statement_of_another_kind_is_no_charter)
{
    head_t head = sample_head (MESSAGE_PING);
    ping_t ping = {sample_identity (2).id};
    identity_t signer = sample_identity (1);
    buffer_t packed = {0};
    uint8_t seal[SEAL_BYTES];
    message_seal (&signer, &head, &ping, &packed, seal);
    buffer_append (&packed, seal, sizeof seal);
    ck_assert_int_eq (s_open (packed, NULL), ERROR_KIND);
}
END_TEST

START_TEST (test_groups_of_different_founders_times_or_policies_have_different_ids)
{
    group_t group = s_group (), other;
    identity_t founder = sample_identity (2);
    policy_t policy = policy_default ();
    group_found (&other, &founder, "packers", "binpack", &s_evaluator, &s_start, &policy, 1750000000000);
    ck_assert (!digest_equal (&group.group, &other.group));
    group_clear (&other);
    founder = sample_identity (1);
    group_found (&other, &founder, "packers", "binpack", &s_evaluator, &s_start, &policy, 1750000000001);
    ck_assert (!digest_equal (&group.group, &other.group));
    group_clear (&other);
    policy.allow_alone = 0;
    group_found (&other, &founder, "packers", "binpack", &s_evaluator, &s_start, &policy, 1750000000000);
    ck_assert (!digest_equal (&group.group, &other.group));
    group_clear (&other);
    group_clear (&group);
}
END_TEST

SUITE_MAIN ("protocol/group", test_the_default_policy_is_that_of_the_design,
            test_a_policy_is_read_as_it_was_written, test_shares_of_a_policy_are_from_0_to_1,
            test_numbers_of_a_policy_end_at_their_bounds, test_a_wrong_policy_says_which_key,
            test_a_founded_group_is_what_everybody_reads_from_its_charter,
            test_each_flipped_bit_of_a_charter_is_found,
            test_a_signed_charter_that_is_not_in_order_is_refused,
            test_a_statement_of_another_kind_is_no_charter,
            test_groups_of_different_founders_times_or_policies_have_different_ids)
