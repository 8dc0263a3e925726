/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/agent_copy.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "evolution/block.h"
#include "node/io/workspace.h"

/* An agent's directory has a manifest; any other is not read through first. */
static int s_check_directory (const char *directory)
{
    char path[CLI_PATH_BYTES];
    struct stat status;
    if (stat (directory, &status) != 0)
        return cli_fail ("%s: %s", directory, strerror (errno));
    if (!S_ISDIR (status.st_mode))
        return cli_fail ("%s: found a file, expected an agent's directory", directory);
    if (cli_path (directory, AGENT_MANIFEST, path) != CLI_DONE)
        return CLI_FAILED;
    if (access (path, F_OK) == 0)
        return CLI_DONE;
    return cli_fail (
        "%s: found no %s in it, expected an agent's directory; `evomesh agent new DIR` makes one", directory,
        AGENT_MANIFEST);
}

/* Parses the manifest, which the store already holds. */
static int s_manifest (store_t *store, const char *directory, agent_copy_t *self, problem_t *problem)
{
    char path[CLI_PATH_BYTES];
    if (snprintf (path, sizeof path, "%s/%s", directory, AGENT_MANIFEST) >= (int)sizeof path)
        return problem_set (problem, "%.200s…: the path is too long", directory);
    const tree_file_t *file = tree_find (&self->files, AGENT_MANIFEST);
    if (file == NULL)
        return problem_set (
            problem, "%s: found no %s, expected an agent's directory; `evomesh agent new DIR` makes one",
            directory, AGENT_MANIFEST);
    size_t size;
    uint8_t *text = store_content_get (store, &file->content, &size);
    if (text == NULL)
        return problem_set (problem, "%s: can't be read back from the store: %s", path,
                            store_problem (store));
    int rc = agent_parse (path, (const char *)text, size, &self->agent, problem);
    free (text);
    return rc;
}

/* Stores the encoded tree, whose digest is the tree's id. */
static int s_put_tree (store_t *store, const tree_t *tree, const digest_t *evaluator, digest_t *id,
                       problem_t *problem)
{
    size_t size;
    uint8_t *bytes = tree_encode (tree, evaluator, &size);
    if (bytes == NULL)
        return problem_set (problem, "%s", error_text (ERROR_MEMORY));
    int rc = store_content_put (store, bytes, size, id);
    free (bytes);
    return rc == 0 ? 0 : problem_set (problem, "%s", store_problem (store));
}

/* Where a file's author marked blocks, they must be in order: all candidates are held against them. */
static int s_check_blocks (store_t *store, const agent_copy_t *self, problem_t *problem)
{
    for (size_t i = 0; i < self->evolved.count; i++) {
        const tree_file_t *file = &self->evolved.files[i];
        size_t size;
        problem_t where;
        char *text = (char *)store_content_get (store, &file->content, &size);
        if (text == NULL)
            return problem_set (problem, "%s can't be read back from the store: %s", file->path,
                                store_problem (store));
        int rc = blocks_check (text, size, &where);
        free (text);
        if (rc != 0)
            return problem_set (problem, "%s: %s", file->path, where.text);
    }
    return 0;
}

agent_copy_t *agent_copy_read (store_t *store, const char *directory)
{
    assert (store != NULL && directory != NULL);
    static const digest_t none;
    problem_t problem;
    if (s_check_directory (directory) != CLI_DONE)
        return NULL;
    agent_copy_t *self = calloc (1, sizeof *self);
    assert (self != NULL);
    int rc = workspace_read (store, directory, &self->files, &problem);
    if (rc == 0)
        rc = s_manifest (store, directory, self, &problem);
    if (rc == 0 &&
        ((rc = agent_split (&self->agent, &self->files, &self->pinned, &self->evolved, &problem)) != 0 ||
         (rc = s_check_blocks (store, self, &problem)) != 0))
        problem_prefix (&problem, "%s", directory);
    if (rc == 0)
        rc = s_put_tree (store, &self->pinned, &none, &self->evaluator, &problem);
    if (rc == 0)
        rc = s_put_tree (store, &self->evolved, &self->evaluator, &self->start, &problem);
    if (rc != 0) {
        cli_fail_problem (&problem);
        agent_copy_destroy (&self);
    }
    assert (self == NULL || self->evolved.count > 0);
    return self;
}

void agent_copy_destroy (agent_copy_t **self_p)
{
    agent_copy_t *self = *self_p;
    if (self == NULL)
        return;
    tree_clear (&self->files);
    tree_clear (&self->pinned);
    tree_clear (&self->evolved);
    free (self);
    *self_p = NULL;
}

int scratch_store_open (scratch_store_t *self)
{
    problem_t problem;
    const char *base = getenv ("TMPDIR");
    memset (self, 0, sizeof *self);
    if (base == NULL || base[0] != '/')
        base = "/tmp";
    if (workspace_scratch (base, self->path, sizeof self->path, &problem) != 0)
        return cli_fail_problem (&problem);
    self->store = store_open (self->path, true, false, &problem);
    if (self->store != NULL)
        return CLI_DONE;
    workspace_remove (self->path);
    return cli_fail_problem (&problem);
}

void scratch_store_close (scratch_store_t *self)
{
    assert (self->store != NULL);
    store_close (&self->store);
    workspace_remove (self->path);
}

int agent_copy_check (const char *directory, agent_t *agent)
{
    assert (directory != NULL && agent != NULL);
    scratch_store_t scratch;
    if (scratch_store_open (&scratch) != CLI_DONE)
        return CLI_FAILED;
    agent_copy_t *copy = agent_copy_read (scratch.store, directory);
    int rc = copy == NULL ? CLI_FAILED : CLI_DONE;
    if (copy != NULL)
        *agent = copy->agent;
    agent_copy_destroy (&copy);
    scratch_store_close (&scratch);
    return rc;
}
