/* SPDX-License-Identifier: MPL-2.0 */
/* Runs the candidate, in the jail: reads pairs of matrices from descriptor 0 until their end, writes each
 * product to descriptor 1. It shares its process with the candidate, so the evaluator believes none of it. */
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include "matrix.h"

void multiply (size_t size, const double *a, const double *b, double *c);

static double s_pair[2][ENTRIES];
static double s_product[ENTRIES];

static bool s_read (void *to, size_t size)
{
    for (ssize_t more = 0; size > 0; size -= (size_t)more, to = (char *)to + more)
        if ((more = read (0, to, size)) <= 0)
            return false;
    return true;
}

static bool s_write (const void *from, size_t size)
{
    for (ssize_t more = 0; size > 0; size -= (size_t)more, from = (const char *)from + more)
        if ((more = write (1, from, size)) <= 0)
            return false;
    return true;
}

int main (void)
{
    while (s_read (s_pair, sizeof s_pair)) {
        multiply (SIZE, s_pair[0], s_pair[1], s_product);
        if (!s_write (s_product, sizeof s_product))
            return 1;
    }
    return 0;
}
