/* SPDX-License-Identifier: MPL-2.0 */
/* Prints the golden vectors as they would be now. Only to be kept when the wire is meant to change:
 *
 *     build/dev/tests/golden/golden_write > tests/golden/messages.json */
#include <stdio.h>
#include <stdlib.h>

#include "tests/golden/golden.h"

int main (void)
{
    buffer_t out = {0};
    golden_print_all (&out);
    size_t written = fwrite (out.data, 1, out.size, stdout);
    int status = written == out.size && fflush (stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    buffer_clear (&out);
    return status;
}
