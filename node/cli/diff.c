/* SPDX-License-Identifier: MPL-2.0 */
/* evomesh diff: a patch that `git apply` takes. */
#include <stdlib.h>

#include "node/cli/commands.h"
#include "node/cli/history.h"
#include "node/io/workspace.h"

/* Which two trees are compared: an improvement's candidate with the release it was measured against. */
static int s_of_history (const cli_t *cli, store_t *store, digest_t *old, digest_t *fresh)
{
    history_t found;
    if (history_find (store, cli->operands[0], &found) != CLI_DONE)
        return CLI_FAILED;
    if (digest_is_zero (&found.before))
        return cli_fail ("%s is what the group started from: nothing was before it to compare it with",
                         cli->operands[0]);
    *old = found.before;
    *fresh = found.after;
    return CLI_DONE;
}

/* The live release with what the group started from. */
static int s_of_live (const cli_t *cli, store_t *store, digest_t *old, digest_t *fresh)
{
    joined_t *joined;
    if (session_group (cli, store, &joined) != CLI_DONE)
        return CLI_FAILED;
    *old = joined->group.start;
    membership_destroy (&joined);
    if (workspace_release_current (cli->directory, fresh) != 0)
        return cli_fail ("there is no live release yet: the node has not run");
    return CLI_DONE;
}

static int s_print (const cli_t *cli, store_t *store, const digest_t *old_id, const digest_t *fresh_id)
{
    tree_t old = {0}, fresh = {0};
    problem_t problem;
    char old_text[DIGEST_TEXT_BYTES], fresh_text[DIGEST_TEXT_BYTES], *patch = NULL;
    int rc = session_tree (store, old_id, &old, NULL);
    if (rc == CLI_DONE)
        rc = session_tree (store, fresh_id, &fresh, NULL);
    if (rc == CLI_DONE && (patch = workspace_diff (store, &old, &fresh, &problem)) == NULL)
        rc = cli_fail_problem (&problem);
    digest_text (old_id, old_text);
    digest_text (fresh_id, fresh_text);
    if (rc == CLI_DONE && cli->json)
        rc = output_json (
            json_pack ("{s:s, s:s, s:s}", "base", old_text, "candidate", fresh_text, "patch", patch));
    else if (rc == CLI_DONE)
        fputs (patch, stdout);
    free (patch);
    tree_clear (&old);
    tree_clear (&fresh);
    return rc;
}

static int s_run (cli_t *cli)
{
    store_t *store;
    digest_t old, fresh;
    if (session_open (cli, &store) != CLI_DONE)
        return CLI_FAILED;
    int rc = cli->operand_count == 0 ? s_of_live (cli, store, &old, &fresh)
                                     : s_of_history (cli, store, &old, &fresh);
    if (rc == CLI_DONE)
        rc = s_print (cli, store, &old, &fresh);
    store_close (&store);
    return rc;
}

const cli_command_t diff_command = {
    .name = "diff",
    .summary = "print a patch: a change against what it was compared with, or what is live against the start",
    .operands = "[ID]",
    .operands_max = 1,
    .json = true,
    .details =
        "`git apply` takes the patch. Without ID: from the files that the group started from to those "
        "that are live now;\n"
        "nothing is printed while they are the same. ID is an improvement, a candidate (as `evomesh log "
        "--graph` shows them)\n"
        "or a snapshot (`evomesh snapshots`): its first 4 or more characters. The node need not run.",
    .example = "  cd ~/src/packing && evomesh diff --dir ~/mesh/alpha | git apply",
    .run = s_run,
};
