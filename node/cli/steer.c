/* SPDX-License-Identifier: MPL-2.0 */
/* evomesh propose, pause, resume, approve, reject: orders to the running node. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "evolution/validators.h"
#include "node/cli/commands.h"
#include "node/cli/session.h"

/* --- propose --- */

/* Sends it off, and says how to follow what becomes of it. */
static int s_send (const cli_t *cli, json_t *arguments)
{
    json_t *result;
    int rc = session_ask (cli, "propose", arguments, &result);
    if (rc != CLI_DONE)
        return rc;
    if (cli->json)
        return output_json (result);
    const char *text = json_string_value (json_object_get (result, "text"));
    const char *id = json_string_value (json_object_get (result, "value"));
    if (text != NULL && id != NULL)
        printf ("improvement %.8s %s\nFollow it with `evomesh show %.8s --dir %s`, or as it happens with "
                "`evomesh watch "
                "--dir %s`.\n",
                id, text, id, cli->directory, cli->directory);
    json_decref (result);
    return CLI_DONE;
}

static int s_propose (cli_t *cli)
{
    char path[CLI_PATH_BYTES];
    struct stat status;
    const char *type = cli_value (cli, "type", "algorithm_modification");
    const char *description = cli_value (cli, "description", "");
    if (improvement_type_parse (type) < 0)
        return cli_usage (cli,
                          "--type: found %s, expected parameter_tuning, algorithm_modification, "
                          "architecture_change or configuration_update",
                          cli_quote (type).text);
    if (strlen (description) > LIMIT_TEXT || !text_valid (text_of (description)))
        return cli_usage (cli, "--description: expected up to %d bytes of UTF-8", LIMIT_TEXT);
    if (cli_absolute (cli->operands[0], path) != CLI_DONE)
        return CLI_FAILED;
    if (stat (path, &status) != 0)
        return cli_fail ("%s: %s", cli->operands[0], strerror (errno));
    if (!S_ISDIR (status.st_mode))
        return cli_fail ("%s: found a file, expected a directory with the agent's evolve files, changed",
                         cli->operands[0]);
    return s_send (
        cli, json_pack ("{s:s, s:s, s:s}", "directory", path, "type", type, "description", description));
}

static const cli_option_t s_propose_options[] = {
    {"type", "TYPE", "parameter_tuning, algorithm_modification (default), …"},
    {"description", "TEXT", "what it is, for people"},
    {NULL, NULL, NULL},
};

const cli_command_t propose_command = {
    .name = "propose",
    .summary = "propose a change of your own: a directory with changed evolve files",
    .operands = "DIR",
    .operands_min = 1,
    .operands_max = 1,
    .options = s_propose_options,
    .json = true,
    .details = "Reads the evolve files in DIR; all else there is left out. The change walks the same path as "
               "every other: it\n"
               "is measured, reviewed and validated before it is applied.\n"
               "Types: parameter_tuning, algorithm_modification, architecture_change, configuration_update.",
    .example = "  cp -r ~/mesh/alpha/current /tmp/idea; $EDITOR /tmp/idea/priority.c\n"
               "  evomesh propose /tmp/idea --description \"prefer nearly full bins\"",
    .run = s_propose,
};

/* --- pause and resume --- */

static int s_pause (cli_t *cli)
{
    return session_order (cli, "pause", NULL);
}

const cli_command_t pause_command = {
    .name = "pause",
    .summary = "stop proposing and applying on this node",
    .operands = "",
    .json = true,
    .details = "Running evaluations finish, and the node goes on answering its peers. It survives a restart.",
    .example = "  evomesh pause",
    .run = s_pause,
};

static int s_resume (cli_t *cli)
{
    return session_order (cli, "resume", NULL);
}

const cli_command_t resume_command = {
    .name = "resume",
    .summary = "go on after a pause, a rollback that failed, or faults that opened the circuit breaker",
    .operands = "",
    .json = true,
    .details = "An open circuit breaker is half-open then, without the wait that is left: it lets one "
               "proposal through, and the\n"
               "next fault opens it again.",
    .example = "  evomesh resume",
    .run = s_resume,
};

/* --- approve and reject --- */

static int s_decide (cli_t *cli, const char *command)
{
    static const table_t tables[] = {TABLE_IMPROVEMENT};
    digest_t id;
    char text[DIGEST_TEXT_BYTES];
    if (session_find_once (cli, tables, 1, cli->operands[0], &id) != CLI_DONE)
        return CLI_FAILED;
    digest_text (&id, text);
    return session_order (cli, command, json_pack ("{s:s}", "id", text));
}

static int s_approve (cli_t *cli)
{
    return s_decide (cli, "approve");
}

static int s_reject (cli_t *cli)
{
    return s_decide (cli, "reject");
}

const cli_command_t approve_command = {
    .name = "approve",
    .summary = "let a held improvement go on to its validation",
    .operands = "ID",
    .operands_min = 1,
    .operands_max = 1,
    .json = true,
    .details =
        "ID is an improvement's id or its first 4 or more characters; `evomesh log --state held` lists them.",
    .example = "  evomesh approve k3jd82ka",
    .run = s_approve,
};

const cli_command_t reject_command = {
    .name = "reject",
    .summary = "reject a held improvement",
    .operands = "ID",
    .operands_min = 1,
    .operands_max = 1,
    .json = true,
    .details =
        "ID is an improvement's id or its first 4 or more characters; `evomesh log --state held` lists them.",
    .example = "  evomesh reject k3jd82ka",
    .run = s_reject,
};
