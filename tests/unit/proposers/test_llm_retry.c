/* SPDX-License-Identifier: MPL-2.0 */
#include "proposers/llm_retry.h"
#include "tests/lib/suite.h"

#define NOW 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110 */

START_TEST (what_is_about_the_moment_is_tried_again)
{
    static const long again[] = {408, 429, 500, 502, 503, 504, 529},
                      never[] = {0, 200, 301, 400, 401, 404, 413, 600};
    for (size_t i = 0; i < sizeof again / sizeof *again; i++)
        ck_assert (llm_retry_status (again[i]));
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        ck_assert (!llm_retry_status (never[i]));
}
END_TEST

START_TEST (waits_double_with_a_random_half_up_to_a_bound)
{
    static const uint64_t most[] = {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000};
    random_t random;
    random_init_number (&random, 7);
    for (unsigned number = 1; number <= 9; number++)
        for (int i = 0; i < 100; i++) {
            uint64_t wait_ms = llm_retry_wait_ms (number, 0, &random);
            ck_assert_uint_le (wait_ms, most[number - 1]);
            ck_assert_uint_ge (wait_ms, most[number - 1] / 2);
        }
}
END_TEST

START_TEST (nobody_comes_back_sooner_than_asked)
{
    random_t random;
    random_init_number (&random, 7);
    ck_assert_uint_eq (llm_retry_wait_ms (1, 20, &random), 20000);
    ck_assert_uint_ge (llm_retry_wait_ms (7, 1, &random), 15000);
}
END_TEST

START_TEST (retry_after_is_a_number_of_seconds_or_a_date)
{
    ck_assert_uint_eq (llm_retry_after_s (" 120\r\n", NOW), 120);
    ck_assert_uint_eq (llm_retry_after_s ("0", NOW), 0);
    ck_assert_uint_eq (llm_retry_after_s ("Sun, 06 Nov 1994 08:50:37 GMT\r\n", NOW), 60);
    ck_assert_uint_eq (llm_retry_after_s ("Sun, 06 Nov 1994 08:49:37 GMT", NOW), 0);
    ck_assert_uint_eq (llm_retry_after_s ("Thu, 29 Feb 2024 00:00:05 GMT", 1709164800), 5);
    ck_assert_uint_eq (llm_retry_after_s ("Wed, 01 Mar 2000 00:00:00 GMT", 951868799), 1);
}
END_TEST

START_TEST (a_retry_after_that_makes_no_sense_counts_as_none)
{
    static const char *const headers[] = {"",
                                          "soon",
                                          "-5",
                                          "1.5",
                                          "12 minutes",
                                          "Sun, 06 Now 1994 08:50:37 GMT",
                                          "Sun, 06 Nov 1994 08:50:37",
                                          "Sun, 00 Nov 1994 08:50:37 GMT",
                                          "Sun, 06 Nov 1994 25:50:37 GMT",
                                          "Thu, 01 Jan 1969 00:00:00 GMT"};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        ck_assert_uint_eq (llm_retry_after_s (headers[i], NOW), 0);
    ck_assert_uint_eq (llm_retry_after_s ("99999999999999999999999", NOW), 86400);
    ck_assert_uint_eq (llm_retry_after_s ("Fri, 31 Dec 9999 23:59:59 GMT", NOW), 86400);
}
END_TEST

SUITE_MAIN ("llm_retry", what_is_about_the_moment_is_tried_again,
            waits_double_with_a_random_half_up_to_a_bound, nobody_comes_back_sooner_than_asked,
            retry_after_is_a_number_of_seconds_or_a_date, a_retry_after_that_makes_no_sense_counts_as_none)
