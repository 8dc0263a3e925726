/* SPDX-License-Identifier: MPL-2.0 */
/* evomesh agent new: a commented agent to start from. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/cli/agent_copy.h"
#include "node/cli/commands.h"
#include "node/io/workspace.h"

/* The directory isn't there, or is empty. */
static int s_check_free (const char *path)
{
    DIR *directory = opendir (path);
    if (directory == NULL)
        return errno == ENOENT ? CLI_DONE : cli_fail ("%s: %s", path, strerror (errno));
    int rc = CLI_DONE;
    for (struct dirent *entry = readdir (directory); entry != NULL && rc == CLI_DONE;
         entry = readdir (directory))
        if (strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0)
            rc = cli_fail ("%s: found %s in it, expected a new or an empty directory; nothing was changed",
                           path, entry->d_name);
    closedir (directory);
    return rc;
}

/* Removes what a copy that failed left in a directory that was empty, or not there. */
static void s_take_back (const char *path, bool made)
{
    struct stat before;
    bool known = stat (path, &before) == 0;
    workspace_remove (path);
    if (!made && known)
        (void)mkdir (path, before.st_mode & 07777);
}

static int s_copy (const char *from, const char *to)
{
    scratch_store_t scratch;
    problem_t problem;
    tree_t tree = {0};
    if (scratch_store_open (&scratch) != CLI_DONE)
        return CLI_FAILED;
    bool made = access (to, F_OK) != 0;
    int rc = workspace_read (scratch.store, from, &tree, &problem);
    if (rc == 0 && (rc = workspace_write (scratch.store, &tree, to, &problem)) != 0)
        s_take_back (to, made);
    tree_clear (&tree);
    scratch_store_close (&scratch);
    return rc == 0 ? CLI_DONE : cli_fail_problem (&problem);
}

static int s_run (cli_t *cli)
{
    char from[CLI_PATH_BYTES], to[CLI_PATH_BYTES];
    if (cli_path (cli->prefix, "libexec/evomesh/agents/template", from) != CLI_DONE ||
        cli_absolute (cli->operands[0], to) != CLI_DONE || s_check_free (to) != CLI_DONE)
        return CLI_FAILED;
    if (s_copy (from, to) != CLI_DONE)
        return CLI_FAILED;
    printf ("An agent to start from is in %s. Its " AGENT_MANIFEST " explains each key.\n"
            "Next: `evomesh agent check %s`.\n",
            to, cli->operands[0]);
    return CLI_DONE;
}

const cli_command_t agent_new_command = {
    .name = "agent new",
    .summary = "make a commented agent to start from",
    .operands = "DIR",
    .operands_min = 1,
    .operands_max = 1,
    .no_directory = true,
    .details =
        "An agent is a directory with " AGENT_MANIFEST ", the files that may evolve, and an evaluator.",
    .example = "  evomesh agent new ~/src/packing",
    .run = s_run,
};
