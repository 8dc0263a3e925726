/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/lib/memory_faults.h"

#include <stdlib.h>

/* The linker's --wrap gives our objects these for malloc, calloc and realloc, and us the real ones. */
void *__real_malloc (size_t size);
void *__real_calloc (size_t count, size_t size);
void *__real_realloc (void *old, size_t size);
void *__wrap_malloc (size_t size);
void *__wrap_calloc (size_t count, size_t size);
void *__wrap_realloc (void *old, size_t size);

static bool s_is_armed, s_has_failed;
static size_t s_left;

void memory_fault_after (size_t count)
{
    s_is_armed = true;
    s_has_failed = false;
    s_left = count;
}

bool memory_fault_end (void)
{
    s_is_armed = false;
    return s_has_failed;
}

static bool s_fails (void)
{
    if (!s_is_armed || s_has_failed)
        return false;
    s_has_failed = s_left == 0;
    s_left -= s_left > 0;
    return s_has_failed;
}

void *__wrap_malloc (size_t size)
{
    return s_fails () ? NULL : __real_malloc (size);
}

void *__wrap_calloc (size_t count, size_t size)
{
    return s_fails () ? NULL : __real_calloc (count, size);
}

void *__wrap_realloc (void *old, size_t size)
{
    return s_fails () ? NULL : __real_realloc (old, size);
}
