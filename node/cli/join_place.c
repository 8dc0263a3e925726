/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/join_place.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "node/io/file.h"
#include "node/io/workspace.h"

#define PLACE_NAME "agent"

int join_place_copy (const own_t *own, const tree_t *whole, char copy[CLI_PATH_BYTES])
{
    assert (own != NULL && whole != NULL);
    problem_t problem;
    if (cli_path (directory_work (own->directory), PLACE_NAME, copy) != CLI_DONE)
        return CLI_FAILED;
    int rc = workspace_remove (copy);
    if (rc != 0)
        problem_set (&problem, "%s can't be removed: %s", copy, file_reason (errno));
    else
        rc = workspace_write (own->store, whole, copy, &problem);
    return rc == 0 ? CLI_DONE : cli_fail_problem (&problem);
}

/* What is at the agent's place: `there` if the agent is, whole. Refuses what is something else. */
static int s_look (const own_t *own, const tree_t *whole, const char *path, bool *there)
{
    struct stat status;
    problem_t problem;
    tree_t found = {0};
    *there = false;
    if (lstat (path, &status) != 0)
        return errno == ENOENT ? CLI_DONE : cli_fail ("%s: %s", path, strerror (errno));
    bool read = S_ISDIR (status.st_mode) && workspace_read (own->store, path, &found, &problem) == 0;
    *there = read && tree_equal (&found, whole);
    bool empty = read && found.count == 0;
    tree_clear (&found);
    if (*there || empty)
        return CLI_DONE;
    return cli_fail (
        "%s: is there already, and isn't the group's agent, which is kept there: move it away, and "
        "join again with the same token",
        path);
}

int join_place_check (const own_t *own, const tree_t *whole)
{
    assert (own != NULL && whole != NULL);
    char path[CLI_PATH_BYTES];
    bool there;
    if (cli_path (directory_path (own->directory), PLACE_NAME, path) != CLI_DONE)
        return CLI_FAILED;
    return s_look (own, whole, path, &there);
}

/* What was shown is written anew: somebody may have changed it. */
static int s_lay_out (const own_t *own, const tree_t *whole, const char *path)
{
    char fresh[CLI_PATH_BYTES];
    bool there;
    if (s_look (own, whole, path, &there) != CLI_DONE || join_place_copy (own, whole, fresh) != CLI_DONE)
        return CLI_FAILED;
    if (there)
        return workspace_remove (fresh) == 0 ? CLI_DONE : cli_fail ("%s can't be removed", fresh);
    return rename (fresh, path) == 0 ? CLI_DONE
                                     : cli_fail ("%s can't be written: %s", path, file_reason (errno));
}

static int s_write_config (const cli_t *cli, config_t *config, const char *agent)
{
    char path[CLI_PATH_BYTES];
    if (strlen (agent) > LIMIT_LONG_TEXT)
        return cli_fail ("the path %.200s… is too long", agent);
    strcpy (config->agent, agent);
    char *text = config_write (config);
    assert (text != NULL);
    int rc = cli_path (cli->directory, CONFIG_FILE, path);
    if (rc == CLI_DONE)
        rc = session_write_file (path, text, strlen (text), 0600);
    free (text);
    return rc;
}

int join_place_take (const cli_t *cli, own_t *own, const tree_t *whole)
{
    assert (cli != NULL && own != NULL && whole != NULL);
    char path[CLI_PATH_BYTES];
    config_t *config = session_config (cli);
    if (config == NULL)
        return CLI_FAILED;
    free (own->config);
    own->config = config;
    int rc = cli_path (directory_path (own->directory), PLACE_NAME, path);
    if (rc == CLI_DONE)
        rc = s_lay_out (own, whole, path);
    return rc == CLI_DONE ? s_write_config (cli, config, path) : rc;
}
