/* SPDX-License-Identifier: MPL-2.0 */
#include "protocol/error.h"
#include "tests/lib/suite.h"

static const struct {
    int code;
    int number;
    const char *name;
} s_codes[] = {
#define ERROR_CODE(NAME, number, name, text) {ERROR_##NAME, number, name},
#include "protocol/error.def"
#undef ERROR_CODE
};
#define CODE_COUNT (sizeof s_codes / sizeof s_codes[0])

START_TEST (test_every_code_has_a_name_and_a_text_of_its_own)
{
    for (size_t i = 0; i < CODE_COUNT; i++) {
        ck_assert_int_lt (s_codes[i].code, 0);
        ck_assert_int_eq (s_codes[i].code, -s_codes[i].number);
        ck_assert_str_eq (error_name (s_codes[i].code), s_codes[i].name);
        ck_assert_str_ne (error_text (s_codes[i].code), "unknown error");
        for (size_t k = 0; k < i; k++) {
            ck_assert_int_ne (s_codes[i].code, s_codes[k].code);
            ck_assert_str_ne (error_name (s_codes[i].code), error_name (s_codes[k].code));
            ck_assert_str_ne (error_text (s_codes[i].code), error_text (s_codes[k].code));
        }
    }
    ck_assert_uint_ge (CODE_COUNT, 26);
}
END_TEST

/* Numbers travel: a peer of another version must not read another error out of them. */
START_TEST (test_numbers_that_travel_stay_what_they_are)
{
    ck_assert_int_eq (ERROR_MALFORMED, -3);
    ck_assert_int_eq (ERROR_SIGNATURE, -5);
    ck_assert_int_eq (ERROR_STRANGER, -7);
    ck_assert_int_eq (ERROR_REPLAYED, -10);
    ck_assert_int_eq (ERROR_BUSY, -18);
    ck_assert_int_eq (ERROR_TIMEOUT, -26);
}
END_TEST

START_TEST (test_a_number_that_is_no_code_is_unknown)
{
    ck_assert_str_eq (error_text (ERROR_NONE), "no error");
    ck_assert_str_eq (error_text (5), "unknown error");
    ck_assert_str_eq (error_name (-100000), "unknown");
}
END_TEST

START_TEST (test_a_problem_reads_from_outside_in)
{
    problem_t problem;
    ck_assert_int_eq (problem_set (&problem, "found %d, expected %d", 3, 4), -1);
    ck_assert_int_eq (problem_prefix (&problem, "line %d", 7), -1);
    problem_prefix (&problem, "agent.yaml");
    ck_assert_str_eq (problem.text, "agent.yaml: line 7: found 3, expected 4");
}
END_TEST

START_TEST (test_a_problem_nobody_asked_for_is_dropped)
{
    ck_assert_int_eq (problem_set (NULL, "text"), -1);
    ck_assert_int_eq (problem_prefix (NULL, "text"), -1);
}
END_TEST

START_TEST (test_a_problem_is_cut_at_its_bound)
{
    char text[2 * PROBLEM_TEXT_MAX];
    problem_t problem;
    memset (text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    problem_set (&problem, "%s", text);
    ck_assert_uint_eq (strlen (problem.text), PROBLEM_TEXT_MAX - 1);
    problem_prefix (&problem, "file");
    ck_assert_uint_eq (strlen (problem.text), PROBLEM_TEXT_MAX - 1);
    ck_assert_int_eq (strncmp (problem.text, "file: xxx", 9), 0);
    problem_prefix (&problem, "%s", text);
    ck_assert_uint_eq (strlen (problem.text), PROBLEM_TEXT_MAX - 1);
}
END_TEST

SUITE_MAIN ("protocol/error", test_every_code_has_a_name_and_a_text_of_its_own,
            test_numbers_that_travel_stay_what_they_are, test_a_number_that_is_no_code_is_unknown,
            test_a_problem_reads_from_outside_in, test_a_problem_nobody_asked_for_is_dropped,
            test_a_problem_is_cut_at_its_bound)
