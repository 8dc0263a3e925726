/* SPDX-License-Identifier: MPL-2.0 */
/* The evaluator of circle-packing: is this a packing, and what is the sum of its radii? Whole numbers
 * throughout, so nothing is rounded and nothing has to be tolerated.
 *
 *   evaluator FILE    the result, one line of JSON */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "packing.h"

/* The candidate's fault: a result that says so. Nothing that it wrote is repeated. */
__attribute__ ((format (printf, 1, 2), noreturn)) static void s_invalid (const char *format, ...)
{
    char text[200];
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (text, sizeof text, format, arguments);
    va_end (arguments);
    for (char *quote = text; (quote = strchr (quote, '"')) != NULL;)
        *quote = '\'';
    printf ("{\"valid\": false, \"error\": \"packing.txt: %s\"}\n", text);
    exit (EXIT_SUCCESS);
}

static void s_check (const circle_t circles[CIRCLES])
{
    for (int i = 0; i < CIRCLES; i++) {
        if (circles[i].r == 0)
            s_invalid ("circle %d has no radius", i + 1);
        if (circle_sticks_out (&circles[i]))
            s_invalid ("circle %d sticks out of the square", i + 1);
        for (int j = 0; j < i; j++)
            if (circles_overlap (&circles[i], &circles[j]))
                s_invalid ("circles %d and %d overlap", j + 1, i + 1);
    }
}

int main (int argc, char **argv)
{
    circle_t circles[CIRCLES];
    int line = 0;
    FILE *file = argc == 2 ? fopen (argv[1], "r") : NULL;
    if (file == NULL) {
        fprintf (stderr, "circle-packing: %s\n", argc == 2 ? strerror (errno) : "usage: evaluator FILE");
        return EXIT_FAILURE;
    }
    const char *problem = packing_read (file, circles, &line);
    fclose (file);
    if (problem != NULL)
        s_invalid ("line %d: %s", line, problem);
    s_check (circles);
    int64_t sum = packing_sum (circles);
    printf ("{\"metrics\": {\"sum_of_radii\": %" PRId64 ".%0*" PRId64 "}}\n", sum / SIDE, DIGITS, sum % SIDE);
    return EXIT_SUCCESS;
}
