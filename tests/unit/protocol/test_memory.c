/* SPDX-License-Identifier: MPL-2.0 */
/* Each allocation of each function that allocates fails once: the function says so, leaks nothing (the sanitizer looks), and leaves
 * what was there as it was. */
#include "protocol/group.h"
#include "protocol/invite.h"
#include "protocol/request.h"
#include "protocol/window.h"
#include "tests/lib/memory_faults.h"
#include "tests/lib/sample.h"
#include "tests/lib/suite.h"

#define ALLOCATIONS_MAX 1000

static group_t s_group (void)
{
    identity_t founder = sample_identity (1);
    policy_t policy = policy_default ();
    digest_t none = {{0}};
    group_t group;
    ck_assert_int_eq (group_found (&group, &founder, "packers", "binpack", &none, &none, &policy, 1), 0);
    return group;
}

START_TEST (test_decoding_a_message_survives_each_failure)
{
    static const unsigned kinds[] = {MESSAGE_PING, MESSAGE_EVENT, MESSAGE_PACKAGE, MESSAGE_PULLED};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        buffer_t body = sample_body (kinds[i], SAMPLE_TYPICAL);
        size_t count = 0;
        for (bool has_failed = true; has_failed; count++) {
            message_t message;
            problem_t problem;
            ck_assert_uint_lt (count, ALLOCATIONS_MAX);
            memory_fault_after (count);
            int error = message_decode (body.data, body.size, &message, &problem);
            has_failed = memory_fault_end ();
            ck_assert_int_eq (error, has_failed ? ERROR_MEMORY : 0);
            ck_assert (!has_failed || strstr (problem.text, "out of memory") != NULL);
            if (error == 0)
                message_clear (&message);
        }
        ck_assert (kinds[i] == MESSAGE_PING || count > 1);
        buffer_clear (&body);
    }
}
END_TEST

START_TEST (test_founding_a_group_survives_each_failure)
{
    identity_t founder = sample_identity (1);
    policy_t policy = policy_default ();
    digest_t none = {{0}};
    size_t count = 0;
    for (bool has_failed = true; has_failed; count++) {
        group_t group;
        ck_assert_uint_lt (count, ALLOCATIONS_MAX);
        memory_fault_after (count);
        int error = group_found (&group, &founder, "packers", "binpack", &none, &none, &policy, 1);
        has_failed = memory_fault_end ();
        ck_assert_int_eq (error, has_failed ? ERROR_MEMORY : 0);
        ck_assert (!has_failed || group.packed.data == NULL);
        group_clear (&group);
    }
    ck_assert_uint_gt (count, 3);
}
END_TEST

START_TEST (test_changing_a_roster_survives_each_failure_and_leaves_it_as_it_was)
{
    group_t group = s_group ();
    identity_t founder = sample_identity (1);
    pubkey_t curve = sample_curve (1), other_curve = sample_curve (2), other = sample_identity (2).id;
    members_t *members = malloc (sizeof *members);
    ck_assert_ptr_nonnull (members);
    size_t count = 0;
    for (bool has_failed = true; has_failed; count++) {
        ck_assert_uint_lt (count, ALLOCATIONS_MAX);
        memory_fault_after (count);
        int error = members_found (members, &group, &founder, &curve, "node-1", 1, 1, 1);
        has_failed = memory_fault_end ();
        ck_assert_int_eq (error, has_failed ? ERROR_MEMORY : 0);
        ck_assert_uint_eq (members->count, has_failed ? 0 : 1);
    }
    digest_t id = members->id;
    count = 0;
    for (bool has_failed = true; has_failed; count++) {
        ck_assert_uint_lt (count, ALLOCATIONS_MAX);
        memory_fault_after (count);
        int error = members_add (members, &group, &founder, &other, &other_curve, "node-2", 2, 2, 2);
        has_failed = memory_fault_end ();
        ck_assert_int_eq (error, has_failed ? ERROR_MEMORY : 0);
        ck_assert_int_eq (digest_equal (&members->id, &id), has_failed);
    }
    ck_assert_uint_gt (count, 3);
    ck_assert_uint_eq (members->count, 2);
    members_clear (members);
    free (members);
    group_clear (&group);
}
END_TEST

START_TEST (test_tokens_survive_each_failure)
{
    arena_t sample = {0};
    invite_t invite;
    sample_fill (&invite_record, SAMPLE_TYPICAL, &sample, &invite);
    size_t count = 0;
    for (bool has_failed = true; has_failed; count++) {
        char text[INVITE_TEXT_MAX];
        invite_t again;
        buffer_t buffer = {0};
        arena_t arena = {0};
        ck_assert_uint_lt (count, ALLOCATIONS_MAX);
        memory_fault_after (count);
        int error = invite_text (&invite, text, sizeof text);
        if (error == 0)
            error = invite_parse (text, &again, &buffer, &arena, NULL);
        has_failed = memory_fault_end ();
        ck_assert_int_eq (error, has_failed ? ERROR_MEMORY : 0);
        buffer_clear (&buffer);
        arena_clear (&arena);
    }
    ck_assert_uint_gt (count, 3);
    arena_clear (&sample);
}
END_TEST

/* A statement that could not be remembered is not counted: heard again, it counts. */
START_TEST (test_the_window_survives_each_failure)
{
    identity_t author = sample_identity (1);
    memory_fault_after (0);
    window_t *window = window_new ();
    ck_assert (memory_fault_end () && window == NULL);
    window = window_new ();
    ck_assert_ptr_nonnull (window);
    for (uint64_t seq = 1; seq <= 40; seq++) {
        head_t head = {.kind = MESSAGE_PING, .seq = seq, .time_ms = 1};
        ping_t ping = {{{1}}};
        buffer_t body = {0};
        statement_t statement;
        message_seal (&author, &head, &ping, &body, statement.seal);
        statement.body = body.data;
        statement.body_size = body.size;
        digest_t id = statement_id (body.data, body.size, statement.seal);
        memory_fault_after (0);
        int error = window_hear (window, &statement, &head, &id, 1);
        memory_fault_end ();
        ck_assert (error == 0 || error == ERROR_MEMORY);
        ck_assert_int_eq (error,
                          seq == 1 || seq == 17 || seq == 33 ? ERROR_MEMORY : 0); /* where its list grows */
        ck_assert_int_eq (window_hear (window, &statement, &head, &id, 1), error == 0 ? ERROR_REPLAYED : 0);
        buffer_clear (&body);
    }
    window_destroy (&window);
}
END_TEST

START_TEST (test_a_request_survives_each_failure)
{
    static const pubkey_t members[] = {{{1}}, {{2}}};
    static const digest_t statement = {{3}};
    request_t request;
    request_init (&request, 1);
    ck_assert_int_eq (request_ask (&request, &members[0], &statement), 0);
    memory_fault_after (0);
    ck_assert_int_eq (request_ask (&request, &members[1], &statement), ERROR_MEMORY);
    ck_assert (memory_fault_end ());
    ck_assert_uint_eq (request.count, 1);
    memory_fault_after (0);
    ck_assert_int_eq (request_answer (&request, &members[0], &statement, ANSWERED_YES, bytes_of ("said", 4)),
                      ERROR_MEMORY);
    ck_assert (memory_fault_end ());
    ck_assert_uint_eq (request_count (&request, ASKED), 1);
    ck_assert_int_eq (request_answer (&request, &members[0], &statement, ANSWERED_YES, bytes_of ("said", 4)),
                      0);
    ck_assert_int_eq (request_ask (&request, &members[1], &statement), 0);
    request_clear (&request);
}
END_TEST

SUITE_MAIN ("protocol/memory", test_decoding_a_message_survives_each_failure,
            test_founding_a_group_survives_each_failure,
            test_changing_a_roster_survives_each_failure_and_leaves_it_as_it_was,
            test_tokens_survive_each_failure, test_the_window_survives_each_failure,
            test_a_request_survives_each_failure)
