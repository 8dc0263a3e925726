/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/spending.h"
#include "tests/lib/suite.h"

static void s_expect (spending_t is, uint64_t requests, uint64_t tokens, uint64_t cost_millionths)
{
    ck_assert_uint_eq (is.requests, requests);
    ck_assert_uint_eq (is.tokens, tokens);
    ck_assert_uint_eq (is.cost_millionths, cost_millionths);
}

START_TEST (a_request_costs_its_tokens_and_is_rounded_up)
{
    price_t price = {0.25, 2};
    s_expect (spending_of_request (&price, 1000000, 1000000), 1, 2000000, 2250000);
    s_expect (spending_of_request (&price, 1, 0), 1, 1, 1);
    s_expect (spending_of_request (&price, 4, 0), 1, 4, 1);
    s_expect (spending_of_request (&price, 0, 0), 1, 0, 0);
    price_t free_of_charge = {0, 0};
    s_expect (spending_of_request (&free_of_charge, 500, 500), 1, 1000, 0);
}
END_TEST

START_TEST (sums_stop_at_the_most_there_is)
{
    price_t dear = {1e300, 1e300};
    spending_t most = spending_of_request (&dear, UINT64_MAX, 1), one = {1, 1, 1};
    s_expect (most, 1, UINT64_MAX, UINT64_MAX);
    s_expect (spending_sum (&most, &one), 2, UINT64_MAX, UINT64_MAX);
    s_expect (spending_less (&one, &most), 0, 0, 0);
    s_expect (spending_least (&one, &most), 1, 1, 1);
}
END_TEST

START_TEST (a_cap_of_zero_is_none)
{
    spending_t caps = {10, 0, 500}, spent = {4, 1000, 600}, left = spending_left (&caps, &spent);
    s_expect (left, 6, UINT64_MAX, 0);
    spending_t paid = {1, 5, 1}, free_of_charge = {1, 5, 0}, many = {7, 5, 0};
    ck_assert (!spending_fits (&paid, &left));
    ck_assert (spending_fits (&free_of_charge, &left));
    ck_assert (!spending_fits (&many, &left));
}
END_TEST

SUITE_MAIN ("spending", a_request_costs_its_tokens_and_is_rounded_up, sums_stop_at_the_most_there_is,
            a_cap_of_zero_is_none)
