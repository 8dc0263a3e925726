/* SPDX-License-Identifier: MPL-2.0 */
/* evomesh init: the data directory of a node. Everything that was given is checked before anything is made. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/cli/agent_copy.h"
#include "node/cli/commands.h"
#include "node/io/directory.h"
#include "node/io/keystore.h"
#include "node/io/workspace.h"

/* The host's name without its domain, as far as it is a name; else "node". */
static void s_default_name (char name[LIMIT_NAME + 1])
{
    char host[256] = "";
    size_t size = gethostname (host, sizeof host - 1) == 0 ? strcspn (host, ".") : 0;
    if (size > LIMIT_NAME || !text_is_name ((text_t){host, size}))
        snprintf (name, LIMIT_NAME + 1, "node");
    else
        snprintf (name, LIMIT_NAME + 1, "%.*s", (int)size, host);
}

static int s_name (const cli_t *cli, config_t *config)
{
    const char *name = cli_value (cli, "name", NULL);
    if (name == NULL)
        s_default_name (config->name);
    else if (!text_is_name (text_of (name)))
        return cli_fail ("--name: found %s, expected 1 to %d letters, digits, '.', '_' or '-'",
                         cli_quote (name).text, LIMIT_NAME);
    else
        snprintf (config->name, sizeof config->name, "%s", name);
    return CLI_DONE;
}

/* A seed of the node's own, unless one is given: so that a run can be repeated from what node.yaml says. */
static int s_seed (const cli_t *cli, config_t *config)
{
    keystore_random (&config->seed, sizeof config->seed);
    config->seed >>= 1; /* YAML's readers stop at 2^63 */
    config->seed_given = true;
    return cli_number (cli, "seed", 0, INT64_MAX, &config->seed);
}

static int s_listen (const cli_t *cli, config_t *config)
{
    const char *listen = cli_value (cli, "listen", NULL);
    if (listen == NULL)
        return CLI_DONE;
    if (strlen (listen) > LIMIT_ENDPOINT)
        return cli_fail ("--listen %.60s…: longer than %d characters", listen, LIMIT_ENDPOINT);
    snprintf (config->listen[0], sizeof config->listen[0], "%s", listen);
    config->listen_count = 1;
    return CLI_DONE;
}

/* The text of node.yaml. What the options put in was checked in part; reading it back checks the rest by the same rules. NULL
 * (told) if a value doesn't pass. */
static char *s_text (const config_t *config)
{
    problem_t problem;
    char *text = config_write (config);
    config_t *back = calloc (1, sizeof *back);
    assert (text != NULL && back != NULL);
    config_defaults (back, 1);
    int rc = config_parse (CONFIG_FILE, text, strlen (text), back, &problem);
    free (back);
    if (rc == 0)
        return text;
    cli_fail ("a value can't stand in " CONFIG_FILE ": %s", problem.text);
    free (text);
    return NULL;
}

/* Checks the agent. Its proposers are a suggestion, which the operator takes with an option, or later in node.yaml. */
static int s_agent (const cli_t *cli, config_t *config, agent_t *agent)
{
    bool accepts = cli_flag (cli, "accept-proposers");
    if (config->agent[0] == '\0')
        return accepts ? cli_fail ("--accept-proposers: found no --agent, whose proposers it would take")
                       : CLI_DONE;
    if (agent_copy_check (config->agent, agent) != CLI_DONE)
        return CLI_FAILED;
    if (accepts && agent->proposer_count == 0)
        return cli_fail ("--accept-proposers: %s/" AGENT_MANIFEST " suggests none", config->agent);
    if (accepts) {
        memcpy (config->proposers, agent->proposers, sizeof config->proposers);
        config->proposer_count = agent->proposer_count;
    }
    return CLI_DONE;
}

static int s_gather (const cli_t *cli, config_t *config, agent_t *agent)
{
    long cores = sysconf (_SC_NPROCESSORS_ONLN);
    config_defaults (config, cores > 0 ? (unsigned)cores : 1);
    int rc = s_name (cli, config);
    if (rc == CLI_DONE)
        rc = cli_directory_option (cli, "agent", config->agent, sizeof config->agent);
    if (rc == CLI_DONE)
        rc = cli_directory_option (cli, "private", config->private_data, sizeof config->private_data);
    if (rc == CLI_DONE)
        rc = s_seed (cli, config);
    if (rc == CLI_DONE)
        rc = s_listen (cli, config);
    if (rc == CLI_DONE)
        rc = cli_number (cli, "slots", 1, LIMIT_SLOTS, &config->slots);
    if (rc == CLI_DONE)
        rc = s_agent (cli, config, agent);
    return rc;
}

/* What a node can't be without. */
static const char *const s_files[] = {CONFIG_FILE, "identity", "evomesh.db"};
#define FILE_COUNT (sizeof s_files / sizeof *s_files)

/* Nothing may be there that a node, or somebody else, would lose. */
static int s_refuse_existing (const cli_t *cli)
{
    char path[CLI_PATH_BYTES];
    for (size_t i = 0; i < FILE_COUNT; i++) {
        if (cli_path (cli->directory, s_files[i], path) != CLI_DONE)
            return CLI_FAILED;
        if (access (path, F_OK) != 0)
            continue;
        if (i > 0)
            return cli_fail (
                "%s is there, and no " CONFIG_FILE ": an `evomesh init` was cut off here, or that "
                "file got lost; nothing was changed. If no node ever ran here, remove %s and try "
                "again, else bring the file back",
                path, cli->directory);
        return cli_fail (
            "%s is there already: a node lives in %s; nothing was changed. Give another --dir, or "
            "look at that one with `evomesh config --dir %s`",
            path, cli->directory, cli->directory);
    }
    return CLI_DONE;
}

/* Keys and database first, node.yaml last: a directory without it is no node. */
static int s_fill (const cli_t *cli, const char *text, char id[DIGEST_TEXT_BYTES])
{
    assert (text != NULL && text[0] != '\0');
    problem_t problem;
    char path[CLI_PATH_BYTES];
    int rc = CLI_FAILED;
    keystore_t *keys = keystore_create (cli->directory, cli_value (cli, "passphrase-file", NULL), &problem);
    store_t *store = keys == NULL ? NULL : store_open (cli->directory, true, false, &problem);
    if (keys != NULL)
        pubkey_text (&keystore_identity (keys)->id, id);
    if (store == NULL)
        cli_fail_problem (&problem);
    else if (cli_path (cli->directory, CONFIG_FILE, path) == CLI_DONE)
        rc = session_write_file (path, text, strlen (text), 0600);
    store_close (&store);
    keystore_destroy (&keys);
    return rc;
}

/* Removes what a node that could not be made left; s_refuse_existing saw that none of it was there before. */
static void s_empty (const cli_t *cli)
{
    static const char *const companions[] = {"", "-wal", "-shm", "-journal"};
    char path[CLI_PATH_BYTES], name[32];
    for (size_t i = 0; i < FILE_COUNT; i++)
        for (size_t j = 0; j < sizeof companions / sizeof *companions; j++) {
            (void)snprintf (name, sizeof name, "%s%s", s_files[i], companions[j]);
            if (cli_path (cli->directory, name, path) == CLI_DONE)
                unlink (path);
        }
}

static int s_make (const cli_t *cli, const char *text, char id[DIGEST_TEXT_BYTES])
{
    problem_t problem;
    directory_t *directory = directory_open (cli->directory, true, &problem);
    if (directory == NULL)
        return cli_fail_problem (&problem);
    int rc = s_fill (cli, text, id);
    if (rc == CLI_DONE)
        directory_close (&directory);
    else {
        s_empty (cli);
        directory_discard (&directory);
    }
    return rc;
}

/* Is there a suggestion that node.yaml does not follow? */
static bool s_suggests_others (const config_t *config, const agent_t *agent)
{
    bool all = true;
    for (size_t i = 0; i < agent->proposer_count; i++) {
        bool has = false;
        for (size_t j = 0; j < config->proposer_count; j++)
            has = has || strcmp (config->proposers[j].name, agent->proposers[i].name) == 0;
        all = all && has;
    }
    return !all;
}

static int s_told (const cli_t *cli, const config_t *config, const agent_t *agent, const char *id)
{
    if (cli->json)
        return output_json (json_pack ("{s:s, s:s, s:s, s:s}", "id", id, "name", config->name, "directory",
                                       cli->directory, "agent", config->agent));
    printf ("Node %s made in %s, id %.8s.\n", config->name, cli->directory, id);
    if (s_suggests_others (config, agent))
        printf ("Its agent suggests other proposers than %s: name them in %s/" CONFIG_FILE
                ", or start anew with --accept-proposers.\n",
                config->proposers[0].name, cli->directory);
    if (config->agent[0] != '\0')
        printf ("Next: `evomesh group create NAME --dir %s`, or `evomesh group join TOKEN --dir %s`.\n",
                cli->directory, cli->directory);
    else
        printf ("Next: `evomesh group join TOKEN --dir %s`.\n", cli->directory);
    return CLI_DONE;
}

static int s_run (cli_t *cli)
{
    char id[DIGEST_TEXT_BYTES] = "";
    config_t *config = calloc (1, sizeof *config);
    agent_t *agent = calloc (1, sizeof *agent);
    assert (config != NULL && agent != NULL);
    int rc = s_refuse_existing (cli);
    if (rc == CLI_DONE)
        rc = s_gather (cli, config, agent);
    char *text = rc == CLI_DONE ? s_text (config) : NULL;
    if (rc == CLI_DONE && text == NULL)
        rc = CLI_FAILED;
    if (rc == CLI_DONE)
        rc = s_make (cli, text, id);
    if (rc == CLI_DONE)
        rc = s_told (cli, config, agent, id);
    free (text);
    free (agent);
    free (config);
    return rc;
}

static const cli_option_t s_options[] = {
    {"agent", "DIR", "your program: checked now, only read later; leave out to join a group"},
    {"accept-proposers", NULL, "take the proposers that the agent suggests, instead of tune"},
    {"name", "NAME", "how people see the node (default: the host's name)"},
    {"private", "DIR", "private data that only your evaluator sees, at /private"},
    {"seed", "N", "of the node's random stream (default: drawn)"},
    {"slots", "N", "evaluations side by side (default: cores - 1)"},
    {"listen", "ADDR", "where peers reach the node (default tcp://127.0.0.1:*)"},
    {"passphrase-file", "FILE", "its first line locks the keys"},
    {NULL, NULL, NULL},
};

const cli_command_t init_command = {
    .name = "init",
    .summary = "make a node: its data directory, keys and node.yaml",
    .operands = "",
    .options = s_options,
    .json = true,
    .details =
        "Makes the data directory (mode 0700) with node.yaml, the keys (mode 0600) and an empty database.\n"
        "A node that is there already is never touched.",
    .example =
        "  evomesh init --dir ~/mesh/alpha --name alpha --agent ~/src/packing --private ~/data/packing",
    .run = s_run,
};
