/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/agent_compare.h"

#include <assert.h>
#include <stdio.h>

#include "node/cli/agent_copy.h"
#include "node/io/workspace.h"

#define NAMES_MAX 8 /* more are counted */

typedef struct {
    tree_t founded; /* what the group was founded on: pinned files and start */
    tree_t live;    /* evolve files of the live release; empty if there is none yet */
    size_t count;   /* of files that differ */
    buffer_t names;
} comparison_t;

/* Adds the evolve files to the pinned ones. */
static int s_founded (store_t *store, const group_t *group, tree_t *founded)
{
    tree_t start = {0};
    int rc = session_tree (store, &group->evaluator, founded, NULL);
    if (rc == CLI_DONE)
        rc = session_tree (store, &group->start, &start, NULL);
    if (rc == CLI_DONE)
        rc = tree_add_all (founded, &start);
    tree_clear (&start);
    return rc;
}

/* One file that is not as the group was founded on it. As it is live is good as well: who takes the improvements over, by `diff` and
 * `git apply`, has that. */
static void s_visit (void *context, const tree_file_t *old, const tree_file_t *fresh)
{
    comparison_t *self = context;
    char entry[LIMIT_PATH + 24];
    const tree_file_t *file = fresh != NULL ? fresh : old;
    const tree_file_t *live = tree_find (&self->live, file->path);
    if (live != NULL && fresh != NULL && digest_equal (&live->content, &fresh->content) &&
        live->executable == fresh->executable)
        return;
    if (self->count++ >= NAMES_MAX)
        return;
    int size = snprintf (entry, sizeof entry, "%s%s (%s)", self->count > 1 ? ", " : "", file->path,
                         fresh == NULL ? "gone"
                         : old == NULL ? "new"
                                       : "changed");
    assert (size > 0 && (size_t)size < sizeof entry);
    buffer_append (&self->names, entry, (size_t)size);
}

static void s_told (const comparison_t *self, const char *directory, const char *group)
{
    char more[32] = "";
    if (self->names.failed)
        return;
    if (self->count > NAMES_MAX)
        (void)snprintf (more, sizeof more, " and %zu more", self->count - NAMES_MAX);
    cli_note (
        "%s is not what group %s was founded on, nor what is live: %.*s%s. The node runs the group's agent; "
        "what you changed takes another group, or, in an evolve file, `evomesh propose DIR`",
        directory, group, (int)self->names.size, (const char *)self->names.data, more);
}

static void s_compare (store_t *store, const joined_t *joined, const cli_t *cli, const char *directory)
{
    digest_t release;
    problem_t problem;
    scratch_store_t scratch;
    tree_t own = {0};
    comparison_t self = {0};
    if (scratch_store_open (&scratch) != CLI_DONE)
        return;
    int rc = s_founded (store, &joined->group, &self.founded);
    if (rc == CLI_DONE && workspace_release_current (cli->directory, &release) == 0)
        rc = session_tree (store, &release, &self.live, NULL);
    if (rc == CLI_DONE && workspace_read (scratch.store, directory, &own, &problem) != 0)
        cli_note ("`agent` in " CONFIG_FILE
                  " can't be compared with the group's agent, which the node runs: %s",
                  problem.text);
    else if (rc == CLI_DONE)
        tree_diff (&self.founded, &own, s_visit, &self);
    if (self.count > 0)
        s_told (&self, directory, joined->group.name);
    scratch_store_close (&scratch);
    tree_clear (&own);
    tree_clear (&self.founded);
    tree_clear (&self.live);
    buffer_clear (&self.names);
}

void agent_compare_note (const cli_t *cli, const config_t *config)
{
    assert (cli != NULL && config != NULL);
    joined_t *joined = NULL;
    problem_t problem; /* whoever runs the node tells these */
    if (config->agent[0] == '\0')
        return;
    store_t *store = store_open (cli->directory, false, true, &problem);
    if (store != NULL && membership_load (store, &joined, &problem) == 0)
        s_compare (store, joined, cli, config->agent);
    membership_destroy (&joined);
    store_close (&store);
}
