/* SPDX-License-Identifier: MPL-2.0 */
#include "protocol/invite.h"
#include "tests/lib/sample.h"
#include "tests/lib/suite.h"

static const address_t s_addresses[] = {{{"tcp://192.0.2.1:7000", 20}, {"tcp://192.0.2.1:7001", 20}}};

static invite_t s_invite (void)
{
    return (invite_t){.group = {{1}},
                      .issuer = sample_identity (1).id,
                      .server = sample_curve (1),
                      .seed = {{9}},
                      .expires_ms = 1750000000000,
                      .uses = 1,
                      .addresses = {s_addresses, 1}};
}

static int s_parse (const char *text, problem_t *problem)
{
    invite_t invite;
    buffer_t buffer = {0};
    arena_t arena = {0};
    int error = invite_parse (text, &invite, &buffer, &arena, problem);
    ck_assert (error == 0 || (buffer.data == NULL && arena.blocks == NULL && invite.uses == 0));
    buffer_clear (&buffer);
    arena_clear (&arena);
    return error;
}

START_TEST (test_a_token_is_read_as_it_was_written)
{
    invite_t invite = s_invite (), again;
    char text[INVITE_TEXT_MAX];
    buffer_t buffer = {0};
    arena_t arena = {0};
    ck_assert_int_eq (invite_text (&invite, text, sizeof text), 0);
    ck_assert_int_eq (strncmp (text, "evomesh1", 8), 0);
    ck_assert_uint_eq (strspn (text, "abcdefghijklmnopqrstuvwxyz1234567"),
                       strlen (text)); /* safe in any shell */
    ck_assert_int_eq (invite_parse (text, &again, &buffer, &arena, NULL), 0);
    ck_assert (digest_equal (&again.group, &invite.group) && digest_equal (&again.seed, &invite.seed));
    ck_assert (pubkey_equal (&again.issuer, &invite.issuer) && pubkey_equal (&again.server, &invite.server));
    ck_assert (again.expires_ms == invite.expires_ms && again.uses == 1 && pubkey_is_zero (&again.bound_to));
    ck_assert_uint_eq (again.addresses.count, 1);
    ck_assert (text_equal (again.addresses.items[0].rpc, "tcp://192.0.2.1:7000"));
    ck_assert (text_equal (again.addresses.items[0].pub, "tcp://192.0.2.1:7001"));
    buffer_clear (&buffer);
    arena_clear (&arena);
}
END_TEST

START_TEST (test_space_and_capitals_that_copying_brings_do_no_harm)
{
    invite_t invite = s_invite ();
    char text[INVITE_TEXT_MAX], padded[INVITE_TEXT_MAX + 8] = " \n\t";
    ck_assert_int_eq (invite_text (&invite, text, sizeof text), 0);
    strcat (padded, text);
    strcat (padded, "\r\n ");
    ck_assert_int_eq (s_parse (padded, NULL), 0);
    for (char *c = text + 8; *c != '\0'; c++)
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
    ck_assert_int_eq (s_parse (text, NULL), 0);
}
END_TEST

START_TEST (test_each_mistyped_character_is_found)
{
    static const char others[] = "abcdefghijklmnopqrstuvwxyz0123456789 -=\x80";
    invite_t invite = s_invite ();
    char text[INVITE_TEXT_MAX];
    problem_t problem;
    ck_assert_int_eq (invite_text (&invite, text, sizeof text), 0);
    for (char *c = text + 8; *c != '\0'; c++) {
        char right = *c;
        for (const char *other = others; *other != '\0'; other++) {
            if (*other == right || (*other == ' ' && c[1] == '\0'))
                continue;
            *c = *other;
            ck_assert_int_eq (s_parse (text, &problem), ERROR_INPUT);
            ck_assert_str_eq (problem.text,
                              "invite token is cut short or mistyped: its checksum does not hold");
        }
        *c = right;
    }
    ck_assert_int_eq (s_parse (text, NULL), 0);
}
END_TEST

START_TEST (test_a_token_cut_anywhere_is_told_from_an_expired_one)
{
    invite_t invite = s_invite ();
    char text[INVITE_TEXT_MAX];
    problem_t problem;
    ck_assert_int_eq (invite_text (&invite, text, sizeof text), 0);
    for (size_t size = strlen (text); size-- > 0;) {
        text[size] = '\0';
        ck_assert_int_eq (s_parse (text, &problem), ERROR_INPUT);
        ck_assert_ptr_nonnull (
            strstr (problem.text, size < 8 ? "not an invite token" : "cut short or mistyped"));
    }
}
END_TEST

START_TEST (test_other_things_are_named_for_what_they_are)
{
    problem_t problem;
    ck_assert_int_eq (s_parse ("hello", &problem), ERROR_INPUT);
    ck_assert_str_eq (problem.text, "not an invite token: expected one that starts with \"evomesh1\"");
    ck_assert_int_eq (s_parse ("evomesh2aaaaaa", &problem), ERROR_VERSION);
    ck_assert_str_eq (problem.text,
                      "invite token of another version: found \"evomesh2\", expected \"evomesh1\"");
    char long_text[INVITE_TEXT_MAX + 1];
    memset (long_text, 'a', sizeof long_text);
    memcpy (long_text, "evomesh1", 8);
    long_text[INVITE_TEXT_MAX - 1] = '\0'; /* the longest that is looked at */
    ck_assert_int_eq (s_parse (long_text, &problem), ERROR_INPUT);
    ck_assert_ptr_nonnull (strstr (problem.text, "checksum"));
    long_text[INVITE_TEXT_MAX - 1] = 'a';
    long_text[INVITE_TEXT_MAX] = '\0';
    ck_assert_int_eq (s_parse (long_text, &problem), ERROR_INPUT);
    ck_assert_ptr_nonnull (strstr (problem.text, "too long"));
}
END_TEST

START_TEST (test_the_largest_invite_fits_and_a_smaller_room_is_refused)
{
    arena_t arena = {0};
    invite_t invite;
    char text[INVITE_TEXT_MAX];
    sample_fill (&invite_record, SAMPLE_MOST, &arena, &invite);
    ck_assert_uint_eq (invite.addresses.count, LIMIT_ENDPOINTS);
    ck_assert_int_eq (invite_text (&invite, text, sizeof text), 0);
    ck_assert_int_eq (s_parse (text, NULL), 0);
    size_t size = strlen (text);
    char *exact = malloc (size + 1);
    ck_assert_ptr_nonnull (exact);
    ck_assert_int_eq (invite_text (&invite, exact, size), ERROR_BOUND);
    ck_assert_int_eq (invite_text (&invite, exact, size + 1), 0);
    ck_assert_str_eq (exact, text);
    free (exact);
    arena_clear (&arena);
}
END_TEST

START_TEST (test_invites_that_admit_nobody_are_refused)
{
    static const address_t empty = {{"", 0}, {"", 0}};
    for (int wrong = 0; wrong < 6; wrong++) {
        invite_t invite = s_invite ();
        char text[INVITE_TEXT_MAX];
        switch (wrong) {
        case 0: break;
        case 1: invite.uses = 0; break;
        case 2: invite.addresses.count = 0; break;
        case 3: invite.addresses.items = &empty; break;
        case 4: memset (&invite.issuer, 0, sizeof invite.issuer); break;
        default: memset (&invite.server, 0, sizeof invite.server); break;
        }
        ck_assert_int_eq (invite_text (&invite, text, sizeof text), 0);
        ck_assert_int_eq (s_parse (text, NULL), wrong == 0 ? 0 : ERROR_INPUT);
    }
}
END_TEST

/* The same bound as `group invite --uses` has. */
START_TEST (test_a_token_lets_in_at_most_as_many_as_the_limit_says)
{
    invite_t invite = s_invite (), again;
    char text[INVITE_TEXT_MAX];
    buffer_t record = {0};
    arena_t arena = {0};
    invite.uses = LIMIT_INVITE_USES;
    ck_assert_int_eq (invite_text (&invite, text, sizeof text), 0);
    ck_assert_int_eq (s_parse (text, NULL), 0);
    record_encode (&invite_record, &invite, &record);
    size_t uses_at = 1 + 4 * 34 + 9; /* behind the array, four keys and expires_ms */
    ck_assert_uint_eq (record.data[uses_at], LIMIT_INVITE_USES);
    record.data[uses_at]++;
    ck_assert_int_eq (record_decode (&invite_record, record.data, record.size, &again, &arena, NULL),
                      ERROR_BOUND);
    buffer_clear (&record);
    arena_clear (&arena);
}
END_TEST

SUITE_MAIN ("protocol/invite", test_a_token_is_read_as_it_was_written,
            test_space_and_capitals_that_copying_brings_do_no_harm, test_each_mistyped_character_is_found,
            test_a_token_cut_anywhere_is_told_from_an_expired_one,
            test_other_things_are_named_for_what_they_are,
            test_the_largest_invite_fits_and_a_smaller_room_is_refused,
            test_invites_that_admit_nobody_are_refused,
            test_a_token_lets_in_at_most_as_many_as_the_limit_says)
