/* SPDX-License-Identifier: MPL-2.0 */
/* The main function of a libcheck program, and hex for known answers. */
#ifndef EVOMESH_TESTS_LIB_SUITE_H
#define EVOMESH_TESTS_LIB_SUITE_H

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* SUITE_MAIN (name, test…): runs the tests, each in its own process; exits 0 if all hold. */
#define SUITE_MAIN(name, ...)                                         \
    int main (void)                                                   \
    {                                                                 \
        const TTest *tests[] = {__VA_ARGS__};                         \
        return suite_run (name, tests, sizeof tests / sizeof *tests); \
    }

static inline int suite_run (const char *name, const TTest *const *tests, size_t count)
{
    Suite *suite = suite_create (name);
    TCase *tcase = tcase_create (name);
    for (size_t i = 0; i < count; i++)
        tcase_add_test (tcase, tests[i]);
    suite_add_tcase (suite, tcase);
    SRunner *runner = srunner_create (suite);
    srunner_run_all (runner, CK_ENV);
    int failed = srunner_ntests_failed (runner);
    srunner_free (runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Reads lower-case hex into `out`, which has room for half of its characters; returns how many bytes. */
static inline size_t suite_unhex (const char *hex, uint8_t *out)
{
    static const char digits[] = "0123456789abcdef";
    size_t count = strlen (hex) / 2;
    for (size_t i = 0; i < count; i++) {
        const char *high = strchr (digits, hex[2 * i]), *low = strchr (digits, hex[2 * i + 1]);
        ck_assert_ptr_nonnull (high);
        ck_assert_ptr_nonnull (low);
        out[i] = (uint8_t)((high - digits) << 4 | (low - digits));
    }
    return count;
}

/* Fails unless `bytes` are those that `hex` says. */
static inline void suite_expect_hex (const uint8_t *bytes, size_t size, const char *hex)
{
    uint8_t expected[512];
    ck_assert_uint_le (strlen (hex), 2 * sizeof expected);
    ck_assert_uint_eq (suite_unhex (hex, expected), size);
    ck_assert_mem_eq (bytes, expected, size);
}

#endif
