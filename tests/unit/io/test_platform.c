/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/compatibility.h"
#include "node/io/platform.h"
#include "tests/lib/suite.h"

#include <string.h>

START_TEST (this_machine_with_another_library_is_half_compatible)
{
    char here[LIMIT_TEXT + 1], other[LIMIT_TEXT + 1];
    platform_here (here);
    strcpy (other, here);
    ck_assert_double_eq (compatibility_platform (here, other), 1);
    char *library = strrchr (other, '/');
    ck_assert_ptr_nonnull (library);
    strcpy (library, "/musl-1");
    ck_assert_double_eq (compatibility_platform (here, other), 0.5);
    other[0]++; /* another machine */
    ck_assert_double_eq (compatibility_platform (here, other), 0);
}
END_TEST

SUITE_MAIN ("platform", this_machine_with_another_library_is_half_compatible)
