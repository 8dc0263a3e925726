/* SPDX-License-Identifier: MPL-2.0 */
#include "protocol/request.h"
#include "tests/lib/suite.h"

#define DEADLINE 5000

static const answer_t answers[] = {ANSWERED_YES, ANSWERED_REVIEW, ANSWERED_NO, ANSWERED_DECLINED};
enum { ANSWERS = sizeof answers / sizeof answers[0] };

static pubkey_t s_member (unsigned n)
{
    return (pubkey_t){{(uint8_t)n, (uint8_t)(n >> 8), 1}};
}

/* The statement that member `n` got at its `sending`. */
static digest_t s_statement (unsigned n, unsigned sending)
{
    return (digest_t){{(uint8_t)n, (uint8_t)(n >> 8), 2, (uint8_t)sending}};
}

static int s_ask (request_t *request, unsigned n, unsigned sending)
{
    pubkey_t member = s_member (n);
    digest_t statement = s_statement (n, sending);
    return request_ask (request, &member, &statement);
}

/* Member `n` answers what it was sent at `sending`. */
static int s_answer (request_t *request, unsigned n, unsigned sending, answer_t answer, const char *evidence)
{
    pubkey_t member = s_member (n);
    digest_t statement = s_statement (n, sending);
    return request_answer (request, &member, &statement, answer, bytes_of (evidence, strlen (evidence)));
}

static int s_expects (const request_t *request, unsigned n, unsigned sending)
{
    pubkey_t member = s_member (n);
    digest_t statement = s_statement (n, sending);
    return request_expects (request, &member, &statement);
}

static const asked_t *s_find (const request_t *request, unsigned n)
{
    pubkey_t member = s_member (n);
    return request_find (request, &member);
}

/* A request to the members 1 to `count`. */
static request_t s_request (unsigned count)
{
    request_t request;
    request_init (&request, DEADLINE);
    for (unsigned n = 1; n <= count; n++)
        ck_assert_int_eq (s_ask (&request, n, 0), 0);
    return request;
}

static void s_expect_evidence (const request_t *request, unsigned n, const char *text)
{
    const asked_t *asked = s_find (request, n);
    ck_assert_ptr_nonnull (asked);
    ck_assert_uint_eq (asked->evidence.size, strlen (text));
    ck_assert (asked->evidence.size == 0 || memcmp (asked->evidence.data, text, strlen (text)) == 0);
}

START_TEST (test_it_is_done_when_all_have_answered_and_not_one_earlier)
{
    request_t request = s_request (ANSWERS);
    for (unsigned n = 1; n <= ANSWERS; n++) {
        ck_assert (!request_done (&request));
        ck_assert_uint_eq (request_count (&request, ASKED), ANSWERS + 1 - n);
        ck_assert_int_eq (s_answer (&request, n, 0, answers[n - 1], "said"), 0);
    }
    ck_assert (request_done (&request));
    ck_assert_uint_eq (request_count (&request, ASKED), 0);
    for (size_t i = 0; i < ANSWERS; i++)
        ck_assert_uint_eq (request_count (&request, answers[i]), 1);
    request_clear (&request);
}
END_TEST

START_TEST (test_a_member_counts_once_whatever_it_sends_later)
{
    for (size_t first = 0; first < ANSWERS; first++)
        for (size_t second = 0; second < ANSWERS; second++) {
            request_t request = s_request (2);
            ck_assert_int_eq (s_answer (&request, 1, 0, answers[first], "first"), 0);
            ck_assert_int_eq (s_expects (&request, 1, 0), ERROR_REPLAYED);
            ck_assert_int_eq (s_answer (&request, 1, 0, answers[second], "second"), ERROR_REPLAYED);
            ck_assert_uint_eq (request_count (&request, answers[first]), 1);
            ck_assert_uint_eq (request_count (&request, ASKED), 1);
            s_expect_evidence (&request, 1, "first");
            request_clear (&request);
        }
}
END_TEST

START_TEST (test_only_who_was_asked_can_answer)
{
    request_t request = s_request (2);
    ck_assert_int_eq (s_expects (&request, 3, 0), ERROR_STRANGER);
    ck_assert_int_eq (s_answer (&request, 3, 0, ANSWERED_YES, "me too"), ERROR_STRANGER);
    pubkey_t three = s_member (3);
    ck_assert_int_eq (request_answer (&request, &three, NULL, ANSWERED_YES, bytes_of ("x", 1)),
                      ERROR_STRANGER);
    ck_assert_uint_eq (request_count (&request, ASKED), 2);
    ck_assert_ptr_null (s_find (&request, 3));
    request_clear (&request);
}
END_TEST

START_TEST (test_an_answer_to_what_another_was_asked_does_not_count)
{
    request_t request = s_request (2);
    pubkey_t two = s_member (2);
    digest_t of_one = s_statement (1, 0);
    ck_assert_int_eq (request_expects (&request, &two, &of_one), ERROR_MISMATCH);
    ck_assert_int_eq (request_answer (&request, &two, &of_one, ANSWERED_YES, bytes_of ("x", 1)),
                      ERROR_MISMATCH);
    ck_assert_uint_eq (request_count (&request, ASKED), 2);
    s_expect_evidence (&request, 2, "");
    request_clear (&request);
}
END_TEST

START_TEST (test_asked_again_it_answers_the_newest_sending)
{
    request_t request = s_request (2);
    ck_assert_int_eq (s_ask (&request, 1, 1), 0);
    ck_assert_uint_eq (request.count, 2);
    ck_assert_int_eq (s_answer (&request, 1, 0, ANSWERED_YES, "late"), ERROR_MISMATCH);
    ck_assert_int_eq (s_expects (&request, 1, 1), 0);
    ck_assert_int_eq (s_answer (&request, 1, 1, ANSWERED_NO, "new"), 0);
    s_expect_evidence (&request, 1, "new");
    ck_assert_int_eq (s_expects (&request, 2, 0), 0); /* the others keep theirs */
    request_clear (&request);
}
END_TEST

START_TEST (test_an_answer_to_an_earlier_sending_counts_where_the_caller_says_so)
{
    request_t request = s_request (1);
    pubkey_t one = s_member (1);
    ck_assert_int_eq (s_ask (&request, 1, 1), 0);
    ck_assert_int_eq (request_expects (&request, &one, NULL), 0);
    ck_assert_int_eq (request_answer (&request, &one, NULL, ANSWERED_YES, bytes_of ("any", 3)), 0);
    ck_assert_int_eq (request_answer (&request, &one, NULL, ANSWERED_NO, bytes_of ("x", 1)), ERROR_REPLAYED);
    s_expect_evidence (&request, 1, "any");
    request_clear (&request);
}
END_TEST

START_TEST (test_who_has_answered_is_not_asked_again)
{
    request_t request = s_request (1);
    digest_t first = s_statement (1, 0);
    ck_assert_int_eq (s_answer (&request, 1, 0, ANSWERED_DECLINED, ""), 0);
    ck_assert_int_eq (s_ask (&request, 1, 1), ERROR_REPLAYED);
    ck_assert (digest_equal (&s_find (&request, 1)->statement, &first));
    ck_assert_int_eq (s_find (&request, 1)->answer, ANSWERED_DECLINED);
    request_clear (&request);
}
END_TEST

START_TEST (test_nobody_is_asked_beyond_the_bound)
{
    request_t request = s_request (LIMIT_MEMBERS);
    ck_assert_int_eq (s_ask (&request, LIMIT_MEMBERS + 1, 0), ERROR_BOUND);
    ck_assert_int_eq (s_ask (&request, LIMIT_MEMBERS, 1), 0); /* who was asked may be asked again */
    ck_assert_uint_eq (request.count, LIMIT_MEMBERS);
    ck_assert_int_eq (s_answer (&request, LIMIT_MEMBERS, 1, ANSWERED_YES, "last"), 0);
    for (unsigned n = 1; n <= LIMIT_MEMBERS; n++) { /* in the order of asking */
        pubkey_t member = s_member (n);
        ck_assert (pubkey_equal (&request.asked[n - 1].member, &member));
    }
    request_clear (&request);
}
END_TEST

START_TEST (test_evidence_is_a_copy)
{
    request_t request = s_request (1);
    char said[] = "said";
    ck_assert_int_eq (s_answer (&request, 1, 0, ANSWERED_YES, said), 0);
    memset (said, 'x', sizeof said - 1);
    s_expect_evidence (&request, 1, "said");
    request_clear (&request);
}
END_TEST

START_TEST (test_a_request_to_nobody_is_done)
{
    request_t request = s_request (0), zero = {0};
    ck_assert (request_done (&request));
    ck_assert (request_done (&zero));
    ck_assert_int_eq (s_answer (&request, 1, 0, ANSWERED_YES, "me"), ERROR_STRANGER);
}
END_TEST

START_TEST (test_cleared_it_is_as_new)
{
    request_t request = s_request (3);
    ck_assert_uint_eq (request.deadline_ms, DEADLINE);
    ck_assert_int_eq (s_answer (&request, 1, 0, ANSWERED_YES, "said"), 0);
    request_clear (&request);
    ck_assert_uint_eq (request.count, 0);
    ck_assert_uint_eq (request.deadline_ms, 0);
    ck_assert_ptr_null (s_find (&request, 1));
    request_clear (&request); /* again does no harm */
    ck_assert_int_eq (s_ask (&request, 1, 0), 0);
    ck_assert_int_eq (s_expects (&request, 1, 0), 0);
    request_clear (&request);
}
END_TEST

SUITE_MAIN ("protocol/request", test_it_is_done_when_all_have_answered_and_not_one_earlier,
            test_a_member_counts_once_whatever_it_sends_later, test_only_who_was_asked_can_answer,
            test_an_answer_to_what_another_was_asked_does_not_count,
            test_asked_again_it_answers_the_newest_sending,
            test_an_answer_to_an_earlier_sending_counts_where_the_caller_says_so,
            test_who_has_answered_is_not_asked_again, test_nobody_is_asked_beyond_the_bound,
            test_evidence_is_a_copy, test_a_request_to_nobody_is_done, test_cleared_it_is_as_new)
