/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/session.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

int session_write_file (const char *path, const void *bytes, size_t size, unsigned mode)
{
    char beside[CLI_PATH_BYTES];
    if (snprintf (beside, sizeof beside, "%s.new", path) >= (int)sizeof beside)
        return cli_fail ("the path %.200s… is too long", path);
    int file = open (beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, (mode_t)mode);
    if (file < 0)
        return cli_fail ("%s can't be written: %s", path, file_reason (errno));
    bool done = file_write_all (file, bytes, size) == 0 && fsync (file) == 0;
    int why = errno;
    close (file);
    if (done && rename (beside, path) != 0) {
        why = errno;
        done = false;
    }
    if (!done) {
        unlink (beside);
        return cli_fail ("%s can't be written: %s", path, file_reason (why));
    }
    return CLI_DONE;
}

int session_check (const cli_t *cli)
{
    assert (cli != NULL);
    char path[CLI_PATH_BYTES];
    if (cli_path (cli->directory, CONFIG_FILE, path) != CLI_DONE)
        return CLI_FAILED;
    if (access (path, F_OK) == 0)
        return CLI_DONE;
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
    size_t size;
    candidate_row_t row;
    arena_t arena = {0};
    uint8_t *bytes = store_record_get (store, TABLE_CANDIDATE, candidate, &size);
    bool dropped = bytes != NULL &&
                   record_decode (&candidate_row_record, bytes, size, &row, &arena, NULL) == 0 && row.dropped;
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

/* --- ids --- */

#define MATCHES_SHOWN 4

typedef struct {
    const char *prefix; /* lower case */
    size_t size;
    table_t table; /* walked now */
    size_t count;
    digest_t first;
    table_t first_table;
    char shown[MATCHES_SHOWN * DIGEST_TEXT_BYTES];
} search_t;

static int s_match (void *context, uint64_t number, const digest_t *key, const uint8_t *bytes, size_t size)
{
    (void)number, (void)bytes, (void)size;
    search_t *search = context;
    char text[DIGEST_TEXT_BYTES];
    digest_text (key, text);
    if (strncmp (text, search->prefix, search->size) != 0)
        return 0;
    if (search->count > 0 && digest_equal (key, &search->first))
        return 0;
    if (search->count++ == 0) {
        search->first = *key;
        search->first_table = search->table;
    }
    if (search->count <= MATCHES_SHOWN) {
        size_t used = strlen (search->shown);
        snprintf (search->shown + used, sizeof search->shown - used, "%s%.16s…", used == 0 ? "" : ", ", text);
    }
    return 0;
}

static int s_search (store_t *store, const table_t *tables, size_t table_count, search_t *search)
{
    for (size_t i = 0; i < table_count; i++) {
        search->table = tables[i];
        int rc = store_record_walk (store, tables[i], 0, false, s_match, search);
        if (rc != 0)
            return cli_fail ("the store can't be read: %s", store_problem (store));
    }
    return CLI_DONE;
}

/* The id in lower case; an id has 4 to 52 base32 characters. */
static int s_id_text (const char *text, char lower[DIGEST_TEXT_BYTES])
{
    size_t size = strlen (text);
    if (size >= DIGEST_TEXT_BYTES || size < SESSION_ID_CHARACTERS_MIN)
        return cli_fail ("found \"%.60s\", expected an id or at least its first %d characters", text,
                         SESSION_ID_CHARACTERS_MIN);
    for (size_t i = 0; i <= size; i++)
        lower[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
    if (strspn (lower, "abcdefghijklmnopqrstuvwxyz234567") != size)
        return cli_fail ("found \"%s\", expected an id: letters and the digits 2 to 7", text);
    return CLI_DONE;
}

int session_find (store_t *store, const table_t *tables, size_t table_count, const char *text, table_t *found,
                  digest_t *id)
{
    assert (store != NULL && tables != NULL && id != NULL);
    static const char *const names[TABLE_COUNT] = {"improvement", "event", "candidate", "snapshot",
                                                   "package"};
    char lower[DIGEST_TEXT_BYTES];
    if (s_id_text (text, lower) != CLI_DONE)
        return CLI_FAILED;
    assert (table_count > 0);
    search_t search = {.prefix = lower, .size = strlen (lower)};
    if (s_search (store, tables, table_count, &search) != CLI_DONE)
        return CLI_FAILED;
    if (search.count == 0)
        return cli_fail ("no %s%s%s here has the id %s", names[tables[0]], table_count > 1 ? " or " : "",
                         table_count > 1 ? names[tables[1]] : "", text);
    if (search.count > 1)
        return cli_fail ("%s could be %s%s: give more characters", text, search.shown,
                         search.count > MATCHES_SHOWN ? " or others" : "");
    *id = search.first;
    if (found != NULL)
        *found = search.first_table;
    return CLI_DONE;
}

int session_find_once (const cli_t *cli, const table_t *tables, size_t table_count, const char *text,
                       digest_t *id)
{
    assert (cli != NULL && tables != NULL && id != NULL);
    store_t *store;
    if (session_open (cli, &store) != CLI_DONE)
        return CLI_FAILED;
    int rc = session_find (store, tables, table_count, text, NULL, id);
    store_close (&store);
    return rc;
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
