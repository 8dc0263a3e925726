/* SPDX-License-Identifier: MPL-2.0 */
#include "protocol/request.h"
#include "tests/lib/suite.h"

#define DEADLINE 5000

static pubkey_t s_member (unsigned n)
{
    return (pubkey_t){{(uint8_t)n, (uint8_t)(n >> 8), 1}};
}

static digest_t s_statement (unsigned n)
{
    return (digest_t){{(uint8_t)n, (uint8_t)(n >> 8), 2}};
}

/* A request to the members 1 to `count`. */
static request_t s_request (unsigned count, size_t enough)
{
    request_t request;
    digest_t id = {{9}};
    request_init (&request, &id, 22, enough, DEADLINE);
    for (unsigned n = 1; n <= count; n++) {
        pubkey_t member = s_member (n);
        digest_t statement = s_statement (n);
        ck_assert_int_eq (request_ask (&request, &member, &statement), 0);
    }
    return request;
}

static int s_mark (request_t *request, unsigned n, reply_t reply, uint64_t now_ms)
{
    pubkey_t member = s_member (n);
    digest_t statement = s_statement (n);
    return request_mark (request, &member, &statement, reply, now_ms);
}

START_TEST (test_it_is_done_when_all_have_answered)
{
    request_t request = s_request (3, 0);
    for (unsigned n = 1; n <= 3; n++) {
        ck_assert (!request_done (&request, 0));
        ck_assert_uint_eq (request_deadline (&request), DEADLINE);
        ck_assert_int_eq (s_mark (&request, n, n == 2 ? REPLY_DECLINED : REPLY_ANSWERED, n), 0);
    }
    ck_assert (request_done (&request, 3));
    ck_assert_uint_eq (request_deadline (&request), UINT64_MAX);
    ck_assert_uint_eq (request_count (&request, REPLY_ANSWERED), 2);
    ck_assert_uint_eq (request_count (&request, REPLY_DECLINED), 1);
    ck_assert_uint_eq (request_count (&request, REPLY_WAITING), 0);
}
END_TEST

START_TEST (test_it_is_done_when_enough_have_answered_and_not_one_earlier)
{
    request_t request = s_request (5, 3);
    ck_assert_int_eq (s_mark (&request, 1, REPLY_ANSWERED, 1), 0);
    ck_assert_int_eq (s_mark (&request, 2, REPLY_ANSWERED, 1), 0);
    ck_assert_int_eq (s_mark (&request, 3, REPLY_DECLINED, 1), 0);
    ck_assert (!request_done (&request, 1)); /* a refusal is no answer */
    ck_assert_int_eq (s_mark (&request, 4, REPLY_ANSWERED, 1), 0);
    ck_assert (request_done (&request, 1));
    ck_assert_int_eq (s_mark (&request, 5, REPLY_ANSWERED, 1), 0); /* who is late but in time still counts */
}
END_TEST

START_TEST (test_with_too_few_left_it_is_done_before_the_deadline)
{
    request_t request = s_request (2, 2);
    ck_assert_int_eq (s_mark (&request, 1, REPLY_DECLINED, 1), 0);
    ck_assert_int_eq (s_mark (&request, 2, REPLY_ANSWERED, 1), 0);
    ck_assert (request_done (&request, 1));
}
END_TEST

START_TEST (test_a_member_counts_once_whatever_it_sends_later)
{
    static const reply_t finals[] = {REPLY_ANSWERED, REPLY_DECLINED, REPLY_SILENT};
    for (size_t first = 0; first < 3; first++) {
        for (size_t second = 0; second < 3; second++) {
            request_t request = s_request (2, 0);
            ck_assert_int_eq (s_mark (&request, 1, finals[first], 1), 0);
            ck_assert_int_eq (s_mark (&request, 1, finals[second], 2), ERROR_REPLAYED);
            ck_assert_int_eq (s_mark (&request, 1, REPLY_ACCEPTED, 2), ERROR_REPLAYED);
            ck_assert_uint_eq (request_count (&request, finals[first]), 1);
            ck_assert_uint_eq (request_count (&request, REPLY_WAITING), 1);
        }
    }
}
END_TEST

START_TEST (test_who_accepted_is_waited_for_until_it_answers_or_declines)
{
    request_t request = s_request (2, 0);
    ck_assert_int_eq (s_mark (&request, 1, REPLY_ACCEPTED, 1), 0);
    ck_assert_int_eq (s_mark (&request, 1, REPLY_ACCEPTED, 1), ERROR_REPLAYED);
    ck_assert_int_eq (s_mark (&request, 2, REPLY_ACCEPTED, 1), 0);
    ck_assert (!request_done (&request, 1));
    ck_assert_int_eq (s_mark (&request, 1, REPLY_ANSWERED, 2), 0);
    ck_assert (!request_done (&request, 2));
    ck_assert_int_eq (s_mark (&request, 2, REPLY_DECLINED, 2), 0);
    ck_assert (request_done (&request, 2));
}
END_TEST

START_TEST (test_a_reply_by_somebody_else_is_refused)
{
    request_t request = s_request (2, 0);
    pubkey_t two = s_member (2);
    digest_t of_one = s_statement (1);
    ck_assert_int_eq (s_mark (&request, 3, REPLY_ANSWERED, 1), ERROR_STRANGER);
    ck_assert_int_eq (request_mark (&request, &two, &of_one, REPLY_ANSWERED, 1), ERROR_MISMATCH);
    ck_assert_uint_eq (request_count (&request, REPLY_WAITING), 2);
}
END_TEST

START_TEST (test_silence_begins_at_the_deadline_and_not_a_millisecond_before)
{
    request_t request = s_request (3, 0);
    ck_assert_int_eq (s_mark (&request, 1, REPLY_ANSWERED, DEADLINE - 1), 0);
    ck_assert_int_eq (s_mark (&request, 2, REPLY_ACCEPTED, DEADLINE - 1), 0);
    ck_assert (!request_done (&request, DEADLINE - 1));
    ck_assert_int_eq (s_mark (&request, 3, REPLY_ANSWERED, DEADLINE), ERROR_TIMEOUT);
    ck_assert (request_done (&request, DEADLINE));
    ck_assert_uint_eq (request_count (&request, REPLY_SILENT), 2);
    ck_assert_uint_eq (request_count (&request, REPLY_ANSWERED), 1);
    ck_assert_int_eq (s_mark (&request, 3, REPLY_ANSWERED, DEADLINE), ERROR_REPLAYED);
}
END_TEST

START_TEST (test_a_lost_member_is_not_waited_for)
{
    request_t request = s_request (2, 0);
    pubkey_t one = s_member (1);
    ck_assert_int_eq (s_mark (&request, 2, REPLY_ANSWERED, 1), 0);
    ck_assert (!request_done (&request, 1));
    ck_assert_int_eq (request_mark (&request, &one, NULL, REPLY_SILENT, 1), 0);
    ck_assert (request_done (&request, 1));
}
END_TEST

START_TEST (test_nobody_is_asked_twice_and_nobody_beyond_the_bound)
{
    request_t request = s_request (LIMIT_MEMBERS, 0);
    pubkey_t last = s_member (LIMIT_MEMBERS), next = s_member (LIMIT_MEMBERS + 1);
    digest_t statement = s_statement (LIMIT_MEMBERS + 1);
    ck_assert_int_eq (request_ask (&request, &last, &statement), ERROR_CONFLICT);
    ck_assert_int_eq (request_ask (&request, &next, &statement), ERROR_BOUND);
    ck_assert_int_eq (s_mark (&request, LIMIT_MEMBERS, REPLY_ANSWERED, 1), 0);
    ck_assert_uint_eq (request.count, LIMIT_MEMBERS);
}
END_TEST

START_TEST (test_a_request_to_nobody_is_done)
{
    request_t request = s_request (0, 0);
    ck_assert (request_done (&request, 0));
    ck_assert_uint_eq (request_deadline (&request), UINT64_MAX);
    request = s_request (0, 2);
    ck_assert (request_done (&request, 0));
}
END_TEST

SUITE_MAIN ("protocol/request", test_it_is_done_when_all_have_answered,
            test_it_is_done_when_enough_have_answered_and_not_one_earlier,
            test_with_too_few_left_it_is_done_before_the_deadline,
            test_a_member_counts_once_whatever_it_sends_later,
            test_who_accepted_is_waited_for_until_it_answers_or_declines,
            test_a_reply_by_somebody_else_is_refused,
            test_silence_begins_at_the_deadline_and_not_a_millisecond_before,
            test_a_lost_member_is_not_waited_for, test_nobody_is_asked_twice_and_nobody_beyond_the_bound,
            test_a_request_to_nobody_is_done)
