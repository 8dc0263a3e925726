/* SPDX-License-Identifier: MPL-2.0 */
/* evomesh run: the node itself, in the foreground. */
#include <stdlib.h>

#include "node/cli/agent_compare.h"
#include "node/cli/commands.h"
#include "node/cli/session.h"
#include "node/io/reactor.h"

static int s_options_of (const cli_t *cli, reactor_options_t *options)
{
    const char *level = cli_value (cli, "log-level", NULL);
    options->listen = cli_value (cli, "listen", NULL);
    options->advertise = cli_value (cli, "advertise", NULL);
    if (options->listen != NULL && !config_endpoint_valid (options->listen, true))
        return cli_fail ("--listen: found %s, expected " CONFIG_LISTEN_EXPECTED,
                         cli_quote (options->listen).text);
    if (options->advertise != NULL && !config_endpoint_valid (options->advertise, false))
        return cli_fail ("--advertise: found %s, expected " CONFIG_ADVERTISE_EXPECTED,
                         cli_quote (options->advertise).text);
    options->passphrase_file = cli_value (cli, "passphrase-file", NULL);
    options->seed_given = cli_flag (cli, "seed");
    if (level != NULL && (options->log_level = log_level_parse (level)) == LEVEL_DEFAULT)
        return cli_usage (cli, "--log-level: found %s, expected error, warning, info or debug",
                          cli_quote (level).text);
    int rc = cli_number (cli, "slots", 1, LIMIT_SLOTS, &options->slots);
    return rc == CLI_DONE ? cli_number (cli, "seed", 0, INT64_MAX, &options->seed) : rc;
}

static int s_run (cli_t *cli)
{
    char helpers[CLI_PATH_BYTES];
    problem_t problem;
    reactor_options_t options = {.helpers = helpers};
    int rc = s_options_of (cli, &options);
    if (rc == CLI_DONE)
        rc = cli_path (cli->prefix, "libexec/evomesh", helpers);
    if (rc != CLI_DONE)
        return rc;
    config_t *config = session_config (cli);
    if (config == NULL)
        return CLI_FAILED;
    agent_compare_note (cli, config);
    free (config);
    return reactor_run (cli->directory, &options, &problem) == 0 ? CLI_DONE : cli_fail_problem (&problem);
}

static const cli_option_t s_options[] = {
    {"listen", "ADDR", "where peers reach the node, e.g. tcp://0.0.0.0:7401; the next port is used too"},
    {"advertise", "ADDR", "what peers are told, where it differs from --listen"},
    {"slots", "N", "evaluations side by side"},
    {"seed", "N", "of the random stream; counts at the first start"},
    {"log-level", "LEVEL", "error, warning, info (default) or debug"},
    {"passphrase-file", "FILE", "whose first line unlocks the keys ($EVOMESH_PASSPHRASE_FILE)"},
    {NULL, NULL, NULL},
};

const cli_command_t run_command = {
    .name = "run",
    .summary = "run the node, in the foreground",
    .operands = "",
    .options = s_options,
    .details = "The log goes to stderr, a line an event. SIGINT and SIGTERM end the node cleanly. The "
               "options stand in place\n"
               "of what node.yaml says.",
    .example =
        "  evomesh run --dir ~/mesh/alpha --listen tcp://0.0.0.0:7401 --advertise tcp://192.0.2.10:7401",
    .run = s_run,
};
