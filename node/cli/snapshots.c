/* SPDX-License-Identifier: MPL-2.0 */
/* evomesh snapshots, and rollback: back to a snapshot, or to before an improvement. */
#include <assert.h>
#include <stdlib.h>

#include "node/cli/commands.h"
#include "node/cli/improvement_print.h"
#include "node/io/workspace.h"

/* --- the list --- */

typedef struct {
    digest_t id;
    digest_t release; /* before the change */
    digest_t next;    /* after it */
    digest_t improvement;
    uint64_t time_ms;
    char cause[LIMIT_TEXT + 1];
    json_t *json;
} snapshot_t;

typedef struct {
    snapshot_t *items; /* oldest first */
    size_t count;
    bool with_json;
} snapshots_t;

static int s_visit (void *context, uint64_t number, const digest_t *key, const uint8_t *bytes, size_t size)
{
    (void)number, (void)key;
    snapshots_t *list = context;
    snapshot_row_t row;
    arena_t arena = {0};
    if (record_decode (&snapshot_row_record, bytes, size, &row, &arena, NULL) != 0)
        return ERROR_MALFORMED;
    list->items = realloc (list->items, (list->count + 1) * sizeof *list->items);
    assert (list->items != NULL);
    snapshot_t *snapshot = &list->items[list->count++];
    *snapshot = (snapshot_t){.id = row.id,
                             .release = row.release,
                             .next = row.next,
                             .improvement = row.improvement,
                             .time_ms = row.time_ms,
                             .json = list->with_json ? output_record (&snapshot_row_record, &row) : NULL};
    text_copy (row.cause, snapshot->cause, sizeof snapshot->cause);
    arena_clear (&arena);
    return 0;
}

static int s_load (store_t *store, snapshots_t *list)
{
    int rc = store_record_walk (store, TABLE_SNAPSHOT, 0, false, s_visit, list);
    return rc == 0 ? CLI_DONE : cli_fail ("the snapshots can't be read: %s", store_problem (store));
}

static void s_clear (snapshots_t *list)
{
    for (size_t i = 0; i < list->count; i++)
        json_decref (list->items[i].json);
    free (list->items);
}

static int s_print_json (const snapshots_t *list, const agent_t *agent)
{
    json_t *array = json_array ();
    for (size_t i = 0; i < list->count; i++) {
        improvement_name_metrics (list->items[i].json, "baseline", agent);
        json_array_append (array, list->items[i].json);
    }
    return output_json (array);
}

static int s_print (const cli_t *cli, const snapshots_t *list)
{
    digest_t live = {{0}};
    bool is_live = workspace_release_current (cli->directory, &live) == 0;
    output_table_t *table = output_table_new ("!TAKEN (UTC)|SNAPSHOT|RELEASE|?THEN|?IMPROVEMENT|~WHY");
    for (size_t i = 0; i < list->count; i++) {
        const snapshot_t *snapshot = &list->items[i];
        output_table_row (table, "%s|%s|%s%s|%s%s|%s|%s", output_time (snapshot->time_ms).text,
                          output_digest (&snapshot->id).text, output_digest (&snapshot->release).text,
                          is_live && digest_equal (&snapshot->release, &live) ? " (live)" : "",
                          output_digest (&snapshot->next).text,
                          is_live && digest_equal (&snapshot->next, &live) ? " (live)" : "",
                          output_digest (&snapshot->improvement).text,
                          output_text (text_of (snapshot->cause)).text);
    }
    if (list->count == 0)
        puts ("no snapshots yet: one is taken before each change of the live release");
    output_table_end (cli, &table);
    return CLI_DONE;
}

static int s_snapshots (cli_t *cli)
{
    store_t *store;
    snapshots_t list = {.with_json = cli->json};
    if (session_open (cli, &store) != CLI_DONE)
        return CLI_FAILED;
    int rc = s_load (store, &list);
    agent_t *agent = rc == CLI_DONE && cli->json ? session_own_agent (store) : NULL;
    store_close (&store);
    if (rc == CLI_DONE)
        rc = cli->json ? s_print_json (&list, agent) : s_print (cli, &list);
    free (agent);
    s_clear (&list);
    return rc;
}

const cli_command_t snapshots_command = {
    .name = "snapshots",
    .summary = "list what can be rolled back to",
    .operands = "",
    .json = true,
    .details = "A snapshot is taken before each change of the live release: RELEASE is what was live, THEN "
               "what came after it.",
    .example = "  evomesh snapshots",
    .run = s_snapshots,
};

/* --- rollback --- */

/* The newest snapshot that is, or was taken for, `id`; list->count if there is none. */
static size_t s_find (const snapshots_t *list, const digest_t *id)
{
    for (size_t i = list->count; i > 0; i--)
        if (digest_equal (&list->items[i - 1].id, id) || digest_equal (&list->items[i - 1].improvement, id))
            return i - 1;
    return list->count;
}

/* Tells which improvements stand on the one at `target`: from the live release back along the snapshots. -1 if that way doesn't
 * lead there: it was rolled back already. */
static int s_tell_standing (const snapshots_t *list, size_t target, const digest_t *live)
{
    assert (target < list->count);
    digest_t at = *live;
    for (size_t i = list->count; i > target; i--) {
        const snapshot_t *snapshot = &list->items[i - 1];
        if (!digest_equal (&snapshot->next, &at))
            continue;
        fprintf (stderr, "  %s  %s%s\n", output_digest (&snapshot->improvement).text, snapshot->cause,
                 i - 1 == target ? "" : " (stands on it)");
        at = snapshot->release;
        if (i - 1 == target)
            return 0;
    }
    return -1;
}

static int s_confirm (const cli_t *cli, const snapshots_t *list, const digest_t *id)
{
    digest_t live;
    size_t target = s_find (list, id);
    if (target == list->count)
        return cli_fail ("%s was never applied here: there is nothing to roll back", cli->operands[0]);
    if (workspace_release_current (cli->directory, &live) != 0)
        return cli_fail ("there is no live release");
    fprintf (stderr, "This takes back, and makes release %s live again:\n",
             output_digest (&list->items[target].release).text);
    if (s_tell_standing (list, target, &live) != 0)
        return cli_fail ("%s is not part of what is live: it was rolled back before", cli->operands[0]);
    return session_confirm (cli, "Roll back?", "rolls back");
}

static int s_rollback (cli_t *cli)
{
    static const table_t tables[] = {TABLE_SNAPSHOT, TABLE_IMPROVEMENT};
    store_t *store;
    digest_t id;
    char text[DIGEST_TEXT_BYTES];
    snapshots_t list = {0};
    if (session_open (cli, &store) != CLI_DONE)
        return CLI_FAILED;
    int rc = session_find (store, tables, 2, cli->operands[0], NULL, &id);
    if (rc == CLI_DONE)
        rc = s_load (store, &list);
    store_close (&store);
    if (rc == CLI_DONE)
        rc = s_confirm (cli, &list, &id);
    s_clear (&list);
    if (rc != CLI_DONE)
        return rc;
    assert (!digest_is_zero (&id));
    digest_text (&id, text);
    return session_order (cli, "rollback", json_pack ("{s:s}", "id", text));
}

static const cli_option_t s_options[] = {
    {"yes", NULL, "don't ask"},
    {NULL, NULL, NULL},
};

const cli_command_t rollback_command = {
    .name = "rollback",
    .summary = "take an improvement back, or return to a snapshot",
    .operands = "ID",
    .operands_min = 1,
    .operands_max = 1,
    .options = s_options,
    .json = true,
    .details = "ID is an improvement or a snapshot, or its first 4 or more characters. What stands on it "
               "goes too: it is told\n"
               "first. The live copy is measured again afterwards. The node must run.",
    .example = "  evomesh rollback k3jd82ka",
    .run = s_rollback,
};
