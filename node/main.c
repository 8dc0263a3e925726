/* SPDX-License-Identifier: MPL-2.0 */
#include <locale.h>
#include <signal.h>
#include <stdlib.h>

#include "node/cli/cli.h"

int main (int argc, char **argv)
{
    /* Before czmq's first socket: else it takes SIGINT and SIGTERM for itself. */
    setenv ("ZSYS_SIGHANDLER", "false", 1);
    /* A closed pipe is an error of a write, told like any other. */
    signal (SIGPIPE, SIG_IGN);
    setlocale (LC_ALL, "C");
    return cli_main (argc, argv);
}
