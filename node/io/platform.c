/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/platform.h"

#include <assert.h>
#include <gnu/libc-version.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

void platform_here (char platform[LIMIT_TEXT + 1])
{
    assert (platform != NULL);
    struct utsname name;
    if (uname (&name) != 0)
        memset (&name, 0, sizeof name);
    snprintf (platform, LIMIT_TEXT + 1, "%.64s/%.64s/glibc-%.32s", name.machine, name.sysname,
              gnu_get_libc_version ());
}
