/* SPDX-License-Identifier: MPL-2.0 */
/* What evolves. It reads a number a line and answers with its sine, approximately.
 *
 * `tune` changes the literal before each comment that starts with `evolve:`, within the range given there.
 * Leave a line between two of them: then changes that two nodes found apart can be merged. */
#include <stdio.h>

static double approximate (double x)
{
    const double cubic = -0.1; // evolve: -1..1

    const double quintic = 0.0; // evolve: -0.1..0.1

    double square = x * x;
    return x * (1 + square * (cubic + square * quintic));
}

int main (void)
{
    double x;
    while (scanf ("%lf", &x) == 1)
        printf ("%.17g\n", approximate (x));
    return 0;
}
