/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/decimal.h"
#include "crypto/random.h"
#include "tests/lib/suite.h"

#include <math.h>
#include <stdio.h>

/* Reads the number at the start of `text`; -1 if there is none. */
static double s_read (const char *text, size_t *length, bool *real)
{
    decimal_t number = {.length = 0};
    bool found = decimal_scan (text, strlen (text), &number);
    *length = number.length;
    *real = number.real;
    return found ? number.value : -1;
}

START_TEST (test_a_number_goes_as_far_as_its_text)
{
    static const struct {
        const char *text;
        double value;
        size_t length;
        bool real;
    } cases[] = {{"0", 0, 1, false},           {"42;", 42, 2, false},  {"0.5f", 0.5, 3, true},
                 {".25,", 0.25, 3, true},      {"1.", 1, 2, true},     {"1e3", 1000, 3, true},
                 {"2.5e-3x", 0.0025, 6, true}, {"7E+2", 700, 4, true}, {"1e", 1, 1, false},
                 {"1e+", 1, 1, false},         {"3em", 3, 1, false},   {"0..1", 0, 1, false},
                 {"1.5..2", 1.5, 3, true},     {"", -1, 0, false},     {".", -1, 0, false},
                 {"-1", -1, 0, false},         {"e5", -1, 0, false},   {"..5", -1, 0, false},
                 {"1e999", INFINITY, 5, true}, {"1e-999", 0, 6, true}, {"0e99999999999", 0, 13, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t length;
        bool real;
        double value = s_read (cases[i].text, &length, &real);
        ck_assert_msg (value == cases[i].value && length == cases[i].length && real == cases[i].real,
                       "\"%s\" was read as %g over %zu characters", cases[i].text, value, length);
    }
}
END_TEST

START_TEST (test_numbers_of_the_usual_size_are_read_to_the_last_bit)
{
    random_t random;
    random_init_number (&random, 1);
    for (int i = 0; i < 20000; i++) {
        char text[64];
        int exponent = (int)random_below (&random, 23) - 11;
        snprintf (text, sizeof text, "%.*fe%d", (int)random_below (&random, 9), random_unit (&random) * 1e6,
                  exponent);
        size_t length;
        bool real;
        double value = s_read (text, &length, &real);
        ck_assert_msg (value == strtod (text, NULL), "%s was read as %.17g", text, value);
    }
}
END_TEST

START_TEST (test_numbers_of_any_size_are_read_closely)
{
    random_t random;
    random_init_number (&random, 2);
    for (int i = 0; i < 20000; i++) {
        char text[64];
        snprintf (text, sizeof text, "%.*ge%d", (int)random_below (&random, 30) + 1,
                  random_unit (&random) * 1e12, (int)random_below (&random, 560) - 290);
        size_t length;
        bool real;
        double value = s_read (text, &length, &real), right = strtod (text, NULL);
        if (isinf (right))
            continue;
        ck_assert_msg (fabs (value - right) <= 1e-14 * right, "%s was read as %.17g", text, value);
    }
}
END_TEST

START_TEST (test_more_digits_than_fit_keep_their_place)
{
    size_t length;
    bool real;
    double value = s_read ("123456789012345678901234567890", &length, &real);
    ck_assert (fabs (value / 1.2345678901234568e29 - 1) < 1e-15);
    ck_assert (!real);
    value = s_read ("0.00000000000000000000000000012345", &length, &real);
    ck_assert (fabs (value / 1.2345e-28 - 1) < 1e-15);
}
END_TEST

SUITE_MAIN ("evolution/decimal", test_a_number_goes_as_far_as_its_text,
            test_numbers_of_the_usual_size_are_read_to_the_last_bit,
            test_numbers_of_any_size_are_read_closely, test_more_digits_than_fit_keep_their_place)
