/* SPDX-License-Identifier: MPL-2.0 */
/* What an id, or its first characters, names in the store. */
#include <assert.h>
#include <string.h>

#include "node/cli/session.h"

#define MATCHES_SHOWN 4

typedef struct {
    digest_t id;
    table_t table;
} match_t;

typedef struct {
    const char *prefix; /* lower case */
    size_t size;
    table_t table;                      /* walked now */
    size_t count;                       /* how many different ones, counted up to one more than are kept */
    match_t matches[MATCHES_SHOWN + 1]; /* the first of them */
} search_t;

static void s_try (search_t *search, table_t table, const digest_t *id)
{
    char text[DIGEST_TEXT_BYTES];
    digest_text (id, text);
    if (digest_is_zero (id) || strncmp (text, search->prefix, search->size) != 0 ||
        search->count > MATCHES_SHOWN)
        return;
    for (size_t i = 0; i < search->count; i++)
        if (digest_equal (id, &search->matches[i].id))
            return;
    assert (search->count < sizeof search->matches / sizeof search->matches[0]);
    search->matches[search->count++] = (match_t){.id = *id, .table = table};
}

static int s_visit (void *context, uint64_t number, const digest_t *key, const uint8_t *bytes, size_t size)
{
    (void)number, (void)bytes, (void)size;
    search_t *search = context;
    s_try (search, search->table, key);
    return 0;
}

/* A candidate that was refused before it was measured has no record of its own: its improvement's names it. */
static int s_visit_improvement (void *context, uint64_t number, const digest_t *key, const uint8_t *bytes,
                                size_t size)
{
    (void)number, (void)key;
    improvement_row_t row;
    arena_t arena = {0};
    if (record_decode (&improvement_row_record, bytes, size, &row, &arena, NULL) == 0)
        s_try (context, TABLE_CANDIDATE, &row.candidate);
    arena_clear (&arena);
    return 0;
}

static int s_search (store_t *store, const table_t *tables, size_t table_count, search_t *search)
{
    for (size_t i = 0; i < table_count; i++) {
        search->table = tables[i];
        int rc = store_record_walk (store, tables[i], 0, false, s_visit, search);
        if (rc == 0 && tables[i] == TABLE_CANDIDATE)
            rc = store_record_walk (store, TABLE_IMPROVEMENT, 0, false, s_visit_improvement, search);
        if (rc != 0)
            return cli_fail ("the store can't be read: %s", store_problem (store));
    }
    return CLI_DONE;
}

/* The id in lower case; an id has 4 to 52 base32 characters. */
static int s_id_text (const char *text, char lower[DIGEST_TEXT_BYTES])
{
    size_t size = strlen (text);
    if (size < SESSION_ID_CHARACTERS_MIN)
        return cli_fail ("found %s, expected an id or at least its first %d characters",
                         cli_quote (text).text, SESSION_ID_CHARACTERS_MIN);
    if (size >= DIGEST_TEXT_BYTES)
        return cli_fail ("found %zu characters, %s, expected an id, which has %d at most", size,
                         cli_quote (text).text, DIGEST_TEXT_BYTES - 1);
    for (size_t i = 0; i <= size; i++)
        lower[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
    if (strspn (lower, "abcdefghijklmnopqrstuvwxyz234567") != size)
        return cli_fail ("found %s, expected an id: letters and the digits 2 to 7", cli_quote (text).text);
    return CLI_DONE;
}

static int s_fail_unknown (const table_t *tables, size_t table_count, const char *text)
{
    char kinds[TABLE_COUNT * LIMIT_NAME] = "";
    size_t used = 0;
    for (size_t i = 0; i < table_count; i++)
        used += (size_t)snprintf (kinds + used, sizeof kinds - used, "%s%s",
                                  i == 0                 ? ""
                                  : i + 1 == table_count ? " or "
                                                         : ", ",
                                  store_table_name (tables[i]));
    return cli_fail ("no %s here has the id %s", kinds, text);
}

static int s_fail_ambiguous (const search_t *search, bool several_kinds, const char *text)
{
    char shown[MATCHES_SHOWN * (DIGEST_TEXT_BYTES + LIMIT_NAME)] = "", id[DIGEST_TEXT_BYTES];
    size_t used = 0;
    for (size_t i = 0; i < search->count && i < MATCHES_SHOWN; i++) {
        digest_text (&search->matches[i].id, id);
        used += (size_t)snprintf (shown + used, sizeof shown - used, "%s%s%s%.16s…", i == 0 ? "" : ", ",
                                  several_kinds ? store_table_name (search->matches[i].table) : "",
                                  several_kinds ? " " : "", id);
    }
    return cli_fail ("%s could be %s%s: give more characters", text, shown,
                     search->count > MATCHES_SHOWN ? " or others" : "");
}

int session_find (store_t *store, const table_t *tables, size_t table_count, const char *text, table_t *found,
                  digest_t *id)
{
    assert (store != NULL && tables != NULL && table_count > 0 && id != NULL);
    char lower[DIGEST_TEXT_BYTES];
    if (s_id_text (text, lower) != CLI_DONE)
        return CLI_FAILED;
    search_t search = {.prefix = lower, .size = strlen (lower)};
    if (s_search (store, tables, table_count, &search) != CLI_DONE)
        return CLI_FAILED;
    if (search.count == 0)
        return s_fail_unknown (tables, table_count, text);
    if (search.count > 1)
        return s_fail_ambiguous (&search, table_count > 1, text);
    *id = search.matches[0].id;
    if (found != NULL)
        *found = search.matches[0].table;
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
