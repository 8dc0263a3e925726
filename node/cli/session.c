/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/session.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "node/agent.h"
#include "node/io/file.h"
#include "node/schema.h"

char *session_read_file (const char *path, size_t bound, size_t *size)
{
    assert (size != NULL);
    FILE *file = fopen (path, "rb");
    char *text = malloc (bound + 2);
    assert (text != NULL);
    if (file == NULL) {
        cli_fail ("%s can't be read: %s", path, strerror (errno));
        free (text);
        return NULL;
    }
    *size = fread (text, 1, bound + 1, file);
    bool failed = ferror (file) != 0;
    int why = errno;
    fclose (file);
    if (!failed && *size <= bound) {
        text[*size] = '\0';
        return text;
    }
    if (failed)
        cli_fail ("%s can't be read: %s", path, strerror (why));
    else
        cli_fail ("%s: found more than %zu bytes, expected fewer", path, bound);
    free (text);
    return NULL;
}

/* Writes a file beside `path`, under a name that nobody else has, and syncs it. Its name goes to `beside`. */
static int s_write_beside (const char *path, const void *bytes, size_t size, unsigned mode,
                           char beside[CLI_PATH_BYTES])
{
    uint32_t number;
    if (getrandom (&number, sizeof number, 0) != (ssize_t)sizeof number)
        return cli_fail ("no random number can be had: %s", strerror (errno));
    if (snprintf (beside, CLI_PATH_BYTES, "%s.%08x.new", path, number) >= CLI_PATH_BYTES)
        return cli_fail ("the path %.200s… is too long", path);
    int file = open (beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
    if (file < 0)
        return cli_fail ("%s can't be written: %s", path, file_reason (errno));
    bool done = file_write_all (file, bytes, size) == 0 && fsync (file) == 0;
    int why = errno;
    close (file);
    if (done)
        return CLI_DONE;
    unlink (beside);
    return cli_fail ("%s can't be written: %s", path, file_reason (why));
}

int session_write_file (const char *path, const void *bytes, size_t size, unsigned mode)
{
    char beside[CLI_PATH_BYTES];
    if (s_write_beside (path, bytes, size, mode, beside) != CLI_DONE)
        return CLI_FAILED;
    if (rename (beside, path) == 0)
        return CLI_DONE;
    int why = errno;
    unlink (beside);
    return cli_fail ("%s can't be written: %s", path, file_reason (why));
}

int session_write_new (const char *path, const void *bytes, size_t size, unsigned mode)
{
    char beside[CLI_PATH_BYTES];
    if (s_write_beside (path, bytes, size, mode, beside) != CLI_DONE)
        return CLI_FAILED;
    bool done = renameat2 (AT_FDCWD, beside, AT_FDCWD, path, RENAME_NOREPLACE) == 0;
    if (!done && errno == EINVAL) /* this file system can't: two links then, for a moment */
        done = link (beside, path) == 0 && unlink (beside) == 0;
    if (done)
        return CLI_DONE;
    int why = errno;
    unlink (beside);
    return why == EEXIST ? cli_fail ("%s is there already; nothing was changed", path)
                         : cli_fail ("%s can't be written: %s", path, file_reason (why));
}

int session_check (const cli_t *cli)
{
    assert (cli != NULL);
    char path[CLI_PATH_BYTES];
    if (cli_path (cli->directory, CONFIG_FILE, path) != CLI_DONE)
        return CLI_FAILED;
    if (access (path, F_OK) == 0)
        return CLI_DONE;
    if (errno == ENOTDIR)
        return cli_fail ("%s: found a file, expected a node's data directory", cli->directory);
    if (cli_path (cli->directory, AGENT_MANIFEST, path) != CLI_DONE)
        return CLI_FAILED;
    if (access (path, F_OK) == 0)
        return cli_fail (
            "%s is an agent's directory, expected a node's: make a node with `evomesh init --dir DIR "
            "--agent %s`",
            cli->directory, cli->directory);
    return cli_fail ("%s is no node's data directory (it has no " CONFIG_FILE
                     "): make one with `evomesh init --dir %s`",
                     cli->directory, cli->directory);
}

config_t *session_config (const cli_t *cli)
{
    assert (cli != NULL);
    char path[CLI_PATH_BYTES];
    size_t size;
    if (session_check (cli) != CLI_DONE || cli_path (cli->directory, CONFIG_FILE, path) != CLI_DONE)
        return NULL;
    char *text = session_read_file (path, SCHEMA_FILE_BYTES, &size);
    if (text == NULL)
        return NULL;
    config_t *config = calloc (1, sizeof *config);
    assert (config != NULL);
    problem_t problem;
    long cores = sysconf (_SC_NPROCESSORS_ONLN);
    config_defaults (config, cores > 0 ? (unsigned)cores : 1);
    if (config_parse (path, text, size, config, &problem) != 0) {
        cli_fail_problem (&problem);
        free (config);
        config = NULL;
    }
    free (text);
    return config;
}

int session_open (const cli_t *cli, store_t **store)
{
    assert (cli != NULL);
    problem_t problem;
    config_t *config = session_config (cli);
    if (config == NULL)
        return CLI_FAILED;
    free (config);
    *store = store_open (cli->directory, false, true, &problem);
    if (*store != NULL && membership_check (*store, &problem) == 0)
        return CLI_DONE;
    store_close (store);
    return cli_fail_problem (&problem);
}

int session_group (const cli_t *cli, store_t *store, joined_t **joined)
{
    assert (cli != NULL && store != NULL && joined != NULL);
    problem_t problem;
    int rc = membership_load (store, joined, &problem);
    if (rc == ERROR_NOT_FOUND)
        return cli_fail (
            "the node in %s is in no group: `evomesh group create NAME` or `evomesh group join TOKEN`",
            cli->directory);
    return rc == 0 ? CLI_DONE : cli_fail_problem (&problem);
}

int session_tree (store_t *store, const digest_t *id, tree_t *tree, digest_t *evaluator)
{
    assert (store != NULL && id != NULL && tree != NULL);
    size_t size;
    digest_t ignored;
    char text[DIGEST_SHORT_BYTES];
    digest_short (id, text);
    uint8_t *bytes = store_content_get (store, id, &size);
    if (bytes == NULL && session_dropped (store, id))
        return cli_fail ("the files of %s were dropped by retention (`retention` in node.yaml)", text);
    if (bytes == NULL)
        return cli_fail ("the files of %s are not here", text);
    int rc = tree_decode (bytes, size, tree, evaluator == NULL ? &ignored : evaluator);
    free (bytes);
    return rc == 0 ? CLI_DONE : cli_fail ("content %s is no list of files: %s", text, error_text (rc));
}

bool session_dropped (store_t *store, const digest_t *candidate)
{
    assert (store != NULL && candidate != NULL);
    candidate_row_t row;
    arena_t arena = {0};
    uint8_t *bytes =
        session_record_try (store, TABLE_CANDIDATE, &candidate_row_record, candidate, &row, &arena);
    bool dropped = bytes != NULL && row.dropped;
    arena_clear (&arena);
    free (bytes);
    return dropped;
}

agent_t *session_agent (store_t *store, const joined_t *joined)
{
    assert (store != NULL && joined != NULL);
    tree_t pinned = {0};
    problem_t problem;
    if (session_tree (store, &joined->group.evaluator, &pinned, NULL) != CLI_DONE)
        return NULL;
    const tree_file_t *manifest = tree_find (&pinned, AGENT_MANIFEST);
    size_t size = 0;
    uint8_t *text = manifest == NULL ? NULL : store_content_get (store, &manifest->content, &size);
    agent_t *agent = calloc (1, sizeof *agent);
    assert (agent != NULL);
    if (text == NULL)
        store_damaged (store, "the group's " AGENT_MANIFEST " is not in it", &problem);
    if (text == NULL || agent_parse (AGENT_MANIFEST, (const char *)text, size, agent, &problem) != 0) {
        cli_fail_problem (&problem);
        free (agent);
        agent = NULL;
    }
    free (text);
    tree_clear (&pinned);
    return agent;
}

agent_t *session_own_agent (store_t *store)
{
    assert (store != NULL);
    joined_t *joined = NULL;
    problem_t problem;
    agent_t *agent = membership_load (store, &joined, &problem) == 0 ? session_agent (store, joined) : NULL;
    membership_destroy (&joined);
    return agent;
}

int session_record (store_t *store, table_t table, const record_t *record, const digest_t *key, void *row,
                    uint8_t **bytes, arena_t *arena)
{
    assert (store != NULL && record != NULL && key != NULL && arena != NULL);
    size_t size;
    problem_t problem;
    *bytes = store_record_get (store, table, key, &size);
    if (*bytes == NULL)
        return cli_fail ("the record is not here: %s", store_problem (store));
    if (record_decode (record, *bytes, size, row, arena, &problem) == 0)
        return CLI_DONE;
    free (*bytes);
    *bytes = NULL;
    return cli_fail ("the record can't be read: %s", problem.text);
}

uint8_t *session_record_try (store_t *store, table_t table, const record_t *record, const digest_t *key,
                             void *row, arena_t *arena)
{
    assert (store != NULL && record != NULL && key != NULL && arena != NULL);
    size_t size;
    uint8_t *bytes = store_record_get (store, table, key, &size);
    if (bytes != NULL && record_decode (record, bytes, size, row, arena, NULL) == 0)
        return bytes;
    free (bytes);
    return NULL;
}
