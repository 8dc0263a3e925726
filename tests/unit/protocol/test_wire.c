/* SPDX-License-Identifier: MPL-2.0 */
#include "protocol/wire.h"
#include "tests/lib/suite.h"

#include <math.h>

/* Scans a copy that ends where the bytes end, so that reading on is seen by the sanitizer. */
static int s_scan (const char *hex)
{
    uint8_t bytes[512];
    size_t size = suite_unhex (hex, bytes);
    uint8_t *copy = malloc (size + (size == 0));
    ck_assert_ptr_nonnull (copy);
    memcpy (copy, bytes, size);
    int error = wire_scan (copy, size);
    free (copy);
    return error;
}

static void s_expect (buffer_t *out, const char *hex)
{
    suite_expect_hex (out->data, out->size, hex);
    ck_assert_int_eq (wire_scan (out->data, out->size), 0);
    buffer_clear (out);
}

/* --- writing --- */

START_TEST (test_numbers_are_written_in_their_shortest_form)
{
    static const struct {
        uint64_t number;
        const char *hex;
    } cases[] = {{0, "00"},
                 {127, "7f"},
                 {128, "cc80"},
                 {255, "ccff"},
                 {256, "cd0100"},
                 {65535, "cdffff"},
                 {65536, "ce00010000"},
                 {UINT32_MAX, "ceffffffff"},
                 {UINT64_C (0x100000000), "cf0000000100000000"},
                 {UINT64_MAX, "cfffffffffffffffff"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buffer_t out = {0};
        wire_write_uint (&out, cases[i].number);
        const uint8_t *at = out.data;
        uint64_t number = 0;
        ck_assert_int_eq (wire_read_uint (&at, out.data + out.size, &number), 0);
        ck_assert (number == cases[i].number && at == out.data + out.size);
        s_expect (&out, cases[i].hex);
    }
}
END_TEST

START_TEST (test_reals_are_eight_bytes_whatever_they_hold)
{
    static const struct {
        double real;
        const char *hex;
    } cases[] = {{0.0, "cb0000000000000000"},
                 {-0.0, "cb8000000000000000"},
                 {1.0, "cb3ff0000000000000"},
                 {5e-324, "cb0000000000000001"},
                 {-1.7976931348623157e308, "cbffefffffffffffff"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buffer_t out = {0};
        wire_write_real (&out, cases[i].real);
        const uint8_t *at = out.data;
        double real = 9;
        ck_assert_int_eq (wire_read_real (&at, out.data + out.size, &real), 0);
        ck_assert_mem_eq (&real, &cases[i].real, sizeof real);
        s_expect (&out, cases[i].hex);
    }
}
END_TEST

/* Lengths around each change of form, and what stands in front of them. */
START_TEST (test_lengths_are_written_in_their_shortest_form)
{
    static const struct {
        size_t size;
        const char *text, *bytes;
    } cases[] = {{0, "a0", "c400"},
                 {31, "bf", "c41f"},
                 {32, "d920", "c420"},
                 {255, "d9ff", "c4ff"},
                 {256, "da0100", "c50100"},
                 {65535, "daffff", "c5ffff"},
                 {65536, "db00010000", "c600010000"}};
    char *data = malloc (65536);
    ck_assert_ptr_nonnull (data);
    memset (data, 'e', 65536);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size = cases[i].size, head;
        uint8_t expected[8];
        buffer_t text = {0}, bytes = {0};
        wire_write_text (&text, (text_t){data, size});
        head = suite_unhex (cases[i].text, expected);
        ck_assert_uint_eq (text.size, head + size);
        ck_assert_mem_eq (text.data, expected, head);
        ck_assert_int_eq (wire_scan (text.data, text.size), 0);
        wire_write_bytes (&bytes, data, size);
        head = suite_unhex (cases[i].bytes, expected);
        ck_assert_uint_eq (bytes.size, head + size);
        ck_assert_mem_eq (bytes.data, expected, head);
        ck_assert_int_eq (wire_scan (bytes.data, bytes.size), 0);
        buffer_clear (&text);
        buffer_clear (&bytes);
    }
    free (data);
}
END_TEST

START_TEST (test_arrays_are_written_in_their_shortest_form)
{
    static const size_t counts[] = {0, 15, 16, 65535, 65536};
    static const size_t heads[] = {1, 1, 3, 3, 5};
    for (size_t i = 0; i < 5; i++) {
        buffer_t out = {0};
        wire_write_array (&out, counts[i]);
        ck_assert_uint_eq (out.size, heads[i]);
        for (size_t k = 0; k < counts[i]; k++)
            wire_write_nil (&out);
        ck_assert_int_eq (wire_scan (out.data, out.size), 0);
        const uint8_t *at = out.data;
        size_t count;
        ck_assert_int_eq (wire_read_array (&at, out.data + out.size, &count), 0);
        ck_assert_uint_eq (count, counts[i]);
        buffer_clear (&out);
    }
}
END_TEST

/* --- scanning --- */

START_TEST (test_only_our_forms_pass)
{
    static const uint8_t ours[] = {0xc0, 0xc4, 0xc5, 0xc6, 0xcb, 0xcc, 0xcd,
                                   0xce, 0xcf, 0xd9, 0xda, 0xdb, 0xdc, 0xdd};
    for (unsigned type = 0x80; type < 0x100; type++) {
        if ((type >= 0x90 && type <= 0xbf) || memchr (ours, (int)type, sizeof ours) != NULL)
            continue;
        uint8_t bytes[32] = {
            (uint8_t)type}; /* maps, booleans, float 32, negative numbers, extensions, 0xc1 */
        for (size_t size = 1; size <= sizeof bytes; size++)
            ck_assert_int_eq (wire_scan (bytes, size), ERROR_MALFORMED);
    }
}
END_TEST

START_TEST (test_longer_forms_than_needed_are_refused)
{
    static const char *const longer[] = {"cc7f",
                                         "cd00ff",
                                         "ce0000ffff",
                                         "cf00000000ffffffff",
                                         "d900",
                                         "d90161",
                                         "da000161",
                                         "db0000000161",
                                         "c5000161",
                                         "c60000000161",
                                         "dc000100",
                                         "dd0000000100",
                                         "dc000f000000000000000000000000000000"};
    for (size_t i = 0; i < sizeof longer / sizeof longer[0]; i++)
        ck_assert_msg (s_scan (longer[i]) == ERROR_MALFORMED, "%s", longer[i]);
}
END_TEST

START_TEST (test_reals_that_are_no_numbers_are_refused)
{
    ck_assert_int_eq (s_scan ("cb7ff0000000000000"), ERROR_MALFORMED); /* infinity */
    ck_assert_int_eq (s_scan ("cbfff0000000000000"), ERROR_MALFORMED);
    ck_assert_int_eq (s_scan ("cb7ff8000000000000"), ERROR_MALFORMED); /* NaN */
    ck_assert_int_eq (s_scan ("cb7ff0000000000001"), ERROR_MALFORMED); /* a signalling one */
    ck_assert_int_eq (s_scan ("cb7fefffffffffffff"), 0);
}
END_TEST

/* msgpack-c reserves 512 MB for the first of these. */
START_TEST (test_promises_that_the_bytes_do_not_keep_are_refused)
{
    static const char *const promises[] = {"dd01ffffff", "ddffffffff", "dcffff",   "91",     "9f0000",
                                           "dbffffffff", "c6ffffffff", "c5ffff00", "a161a1", "c402aa",
                                           "d9",         "cd01",       "cb00"};
    for (size_t i = 0; i < sizeof promises / sizeof promises[0]; i++)
        ck_assert_msg (s_scan (promises[i]) == ERROR_MALFORMED, "%s", promises[i]);
    ck_assert_int_eq (s_scan (""), ERROR_MALFORMED);
}
END_TEST

/* 31 arrays in one another, each of 2²⁵ arrays: 155 bytes for which msgpack-c reserves 15.9 GB. */
START_TEST (test_a_bomb_of_nested_promises_is_refused)
{
    uint8_t bytes[155];
    for (size_t i = 0; i < sizeof bytes; i += 5)
        memcpy (bytes + i, "\xdd\x01\xff\xff\xff", 5);
    for (size_t size = 0; size <= sizeof bytes; size++)
        ck_assert_int_ne (wire_scan (bytes, size), 0);
}
END_TEST

START_TEST (test_depth_ends_at_its_bound)
{
    uint8_t bytes[4096];
    memset (bytes, 0x91, sizeof bytes);
    bytes[LIMIT_DEPTH] = 0;
    ck_assert_int_eq (wire_scan (bytes, LIMIT_DEPTH + 1), 0);
    bytes[LIMIT_DEPTH] = 0x91;
    bytes[LIMIT_DEPTH + 1] = 0;
    ck_assert_int_eq (wire_scan (bytes, LIMIT_DEPTH + 2), ERROR_BOUND);
    ck_assert_int_eq (wire_scan (bytes, sizeof bytes), ERROR_BOUND);
    bytes[LIMIT_DEPTH] = 0x90; /* an empty array is as deep as a full one */
    ck_assert_int_eq (wire_scan (bytes, LIMIT_DEPTH + 1), ERROR_BOUND);
    bytes[LIMIT_DEPTH - 1] = 0x90;
    ck_assert_int_eq (wire_scan (bytes, LIMIT_DEPTH), 0);
}
END_TEST

START_TEST (test_one_value_and_nothing_behind_it)
{
    ck_assert_int_eq (s_scan ("93c0a161920102"), 0);
    ck_assert_int_eq (s_scan ("93c0a16192010200"), ERROR_MALFORMED);
    ck_assert_int_eq (s_scan ("0000"), ERROR_MALFORMED);
    ck_assert_int_eq (s_scan ("9290a0"), 0);
    ck_assert_int_eq (s_scan ("9290a090"), ERROR_MALFORMED);
}
END_TEST

/* --- reading --- */

START_TEST (test_a_reader_takes_its_own_shape_only_and_else_stays)
{
    static const char *const values[] = {"91c0", "05", "cb3ff0000000000000", "c0", "a161", "c401aa"};
    for (size_t i = 0; i < 6; i++) {
        uint8_t bytes[16], fixed[1];
        const uint8_t *end = bytes + suite_unhex (values[i], bytes);
        size_t count;
        uint64_t number;
        double real;
        text_t text;
        bytes_t piece;
        const uint8_t *at[7] = {bytes, bytes, bytes, bytes, bytes, bytes, bytes};
        ck_assert_int_eq (wire_read_array (&at[0], end, &count) == 0, i == 0);
        ck_assert_int_eq (wire_read_uint (&at[1], end, &number) == 0, i == 1);
        ck_assert_int_eq (wire_read_real (&at[2], end, &real) == 0, i == 2);
        ck_assert_int_eq (wire_read_number (&at[3], end, &real) == 0, i == 2 || i == 3);
        ck_assert_int_eq (wire_read_text (&at[4], end, 10, &text) == 0, i == 4);
        ck_assert_int_eq (wire_read_bytes (&at[5], end, 10, &piece) == 0, i == 5);
        ck_assert_int_eq (wire_read_fixed (&at[6], end, fixed, 1) == 0, i == 5);
        for (size_t k = 0; k < 7; k++)
            ck_assert_int_eq (at[k] != bytes, k < 3    ? k == i
                                              : k == 3 ? i == 2 || i == 3
                                              : k == 4 ? i == 4
                                                       : i == 5);
    }
}
END_TEST

START_TEST (test_nil_is_no_number)
{
    uint8_t nil = 0xc0;
    const uint8_t *at = &nil;
    double real = 1;
    ck_assert_int_eq (wire_read_number (&at, &nil + 1, &real), 0);
    ck_assert (isnan (real));
    ck_assert_ptr_eq (at, &nil + 1);
}
END_TEST

START_TEST (test_bounds_of_texts_and_bytes_hold_to_the_byte)
{
    uint8_t bytes[] = {0xa3, 'a', 'b', 'c'}, binary[] = {0xc4, 3, 1, 2, 3}, out[4];
    const uint8_t *at = bytes;
    text_t text;
    bytes_t piece;
    ck_assert_int_eq (wire_read_text (&at, bytes + 4, 2, &text), ERROR_BOUND);
    ck_assert_ptr_eq (at, bytes);
    ck_assert_int_eq (wire_read_text (&at, bytes + 4, 3, &text), 0);
    ck_assert (text_equal (text, "abc"));
    at = binary;
    ck_assert_int_eq (wire_read_bytes (&at, binary + 5, 2, &piece), ERROR_BOUND);
    ck_assert_int_eq (wire_read_fixed (&at, binary + 5, out, 2), ERROR_MALFORMED);
    ck_assert_int_eq (wire_read_fixed (&at, binary + 5, out, 4), ERROR_MALFORMED);
    ck_assert_ptr_eq (at, binary);
    ck_assert_int_eq (wire_read_fixed (&at, binary + 5, out, 3), 0);
    ck_assert_mem_eq (out, binary + 2, 3);
}
END_TEST

static int s_read_text (const char *string)
{
    uint8_t bytes[64];
    size_t size = strlen (string);
    bytes[0] = (uint8_t)(0xa0 + size);
    memcpy (bytes + 1, string, size);
    const uint8_t *at = bytes;
    text_t text;
    return wire_read_text (&at, bytes + 1 + size, 31, &text);
}

/* RFC 3629's traps, and what would reach a reader's terminal. */
START_TEST (test_texts_are_utf8_without_control_characters)
{
    static const char *const good[] = {"",
                                       "plain",
                                       "two\nlines\tand a tab",
                                       "\xc2\xa0",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xc2",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf8\x88\x80\x80\x80",
                                      "\xff",
                                      "a\xe2\x82",
                                      "\xc2"
                                      "a",
                                      "\x1b[2J",
                                      "\r",
                                      "\x7f",
                                      "\xc2\x85",
                                      "\xc2\x9b"
                                      "2J",
                                      "\x01"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        ck_assert_int_eq (s_read_text (good[i]), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg (s_read_text (bad[i]) == ERROR_MALFORMED, "case %zu", i);
    uint8_t with_nul[] = {0xa3, 'a', 0, 'b'};
    const uint8_t *at = with_nul;
    text_t text;
    ck_assert_int_eq (wire_read_text (&at, with_nul + 4, 31, &text), ERROR_MALFORMED);
}
END_TEST

START_TEST (test_a_problem_can_say_what_was_found)
{
    static const struct {
        const char *hex, *words;
    } cases[] = {{"", "nothing"},
                 {"c0", "nil"},
                 {"2a", "the number 42"},
                 {"cb3ff8000000000000", "the real 1.5"},
                 {"a26162", "a text of 2 bytes"},
                 {"c401aa", "1 bytes"},
                 {"92c0c0", "an array of 2"},
                 {"80", "no value of this wire (0x80)"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[16];
        char text[64];
        size_t size = suite_unhex (cases[i].hex, bytes);
        wire_describe (bytes, bytes + size, text, sizeof text);
        ck_assert_str_eq (text, cases[i].words);
    }
}
END_TEST

SUITE_MAIN ("protocol/wire", test_numbers_are_written_in_their_shortest_form,
            test_reals_are_eight_bytes_whatever_they_hold, test_lengths_are_written_in_their_shortest_form,
            test_arrays_are_written_in_their_shortest_form, test_only_our_forms_pass,
            test_longer_forms_than_needed_are_refused, test_reals_that_are_no_numbers_are_refused,
            test_promises_that_the_bytes_do_not_keep_are_refused, test_a_bomb_of_nested_promises_is_refused,
            test_depth_ends_at_its_bound, test_one_value_and_nothing_behind_it,
            test_a_reader_takes_its_own_shape_only_and_else_stays, test_nil_is_no_number,
            test_bounds_of_texts_and_bytes_hold_to_the_byte, test_texts_are_utf8_without_control_characters,
            test_a_problem_can_say_what_was_found)
