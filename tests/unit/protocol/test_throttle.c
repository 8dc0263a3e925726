/* SPDX-License-Identifier: MPL-2.0 */
#include "protocol/throttle.h"
#include "tests/lib/suite.h"

static digest_t s_key (uint64_t n)
{
    return digest_of (&n, sizeof n);
}

START_TEST (test_a_key_passes_once_an_interval)
{
    throttle_t throttle = {0};
    digest_t key = s_key (1);
    ck_assert (throttle_pass (&throttle, &key, 0));
    ck_assert (!throttle_pass (&throttle, &key, 0));
    ck_assert (!throttle_pass (&throttle, &key, THROTTLE_INTERVAL_MS - 1));
    ck_assert (throttle_pass (&throttle, &key, THROTTLE_INTERVAL_MS));
    ck_assert (!throttle_pass (&throttle, &key, 2 * THROTTLE_INTERVAL_MS - 1));
    ck_assert (throttle_pass (&throttle, &key, 2 * THROTTLE_INTERVAL_MS));
}
END_TEST

START_TEST (test_keys_pass_each_for_itself)
{
    throttle_t throttle = {0};
    for (uint64_t n = 0; n < THROTTLE_KEYS; n++) {
        digest_t key = s_key (n);
        ck_assert (throttle_pass (&throttle, &key, 1000 + n));
    }
    for (uint64_t n = 0; n < THROTTLE_KEYS; n++) {
        digest_t key = s_key (n);
        ck_assert (!throttle_pass (&throttle, &key, 2000));
    }
}
END_TEST

START_TEST (test_beyond_the_bound_the_one_that_passed_longest_ago_is_forgotten)
{
    throttle_t throttle = {0};
    for (uint64_t n = 0; n <= THROTTLE_KEYS; n++) {
        digest_t key = s_key (n);
        ck_assert (throttle_pass (&throttle, &key, 1000 + n));
    }
    ck_assert_uint_eq (throttle.count, THROTTLE_KEYS);
    digest_t second = s_key (1), first = s_key (0);
    ck_assert (!throttle_pass (&throttle, &second, 2000));
    ck_assert (throttle_pass (&throttle, &first, 2000));
}
END_TEST

SUITE_MAIN ("protocol/throttle", test_a_key_passes_once_an_interval, test_keys_pass_each_for_itself,
            test_beyond_the_bound_the_one_that_passed_longest_ago_is_forgotten)
