/* SPDX-License-Identifier: MPL-2.0 */
/* evomesh log: the improvements that this node knows, newest last, or the lineage of its candidates; from the store, so the node need
 * not run. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "evolution/improvement.h"
#include "node/cli/commands.h"
#include "node/cli/improvement_print.h"
#include "node/cli/log_graph.h"

#define LIMIT_DEFAULT 20
#define LIMIT_MOST    100000

typedef struct {
    store_t *store;
    agent_t *agent;    /* for the names of what was measured; NULL where they aren't told */
    const char *state; /* NULL: all */
    uint64_t limit;
    json_t *lines; /* newest first */
    bool as_rows;
    problem_t problem;
} gather_t;

/* One table row, as an array of cells, or the whole record. */
static json_t *s_line (const gather_t *gather, const improvement_row_t *row)
{
    bool dropped = session_dropped (gather->store, &row->candidate);
    if (!gather->as_rows) {
        json_t *json = improvement_json (row, gather->agent);
        json_object_set_new (json, "files_dropped", json_boolean (dropped));
        return json;
    }
    char why[LIMIT_TEXT];
    snprintf (why, sizeof why, "%s%s",
              row->reason != REASON_NONE ? improvement_reason_text (row->reason) : "",
              dropped ? ", files dropped" : "");
    return json_pack (
        "[s, s, s, s, s, s, s]", output_time (row->changed_ms).text, output_digest (&row->id).text,
        improvement_state_text (row->state), improvement_origin_name (row->origin),
        output_percent (row->performance_improvement).text, why, output_text (row->description).text);
}

static int s_visit (void *context, uint64_t number, const digest_t *key, const uint8_t *bytes, size_t size)
{
    (void)number, (void)key;
    gather_t *gather = context;
    improvement_row_t row;
    arena_t arena = {0};
    if (record_decode (&improvement_row_record, bytes, size, &row, &arena, &gather->problem) != 0)
        return ERROR_MALFORMED;
    if (gather->state == NULL || strcmp (improvement_state_text (row.state), gather->state) == 0)
        json_array_append_new (gather->lines, s_line (gather, &row));
    arena_clear (&arena);
    return json_array_size (gather->lines) >= gather->limit ? 1 : 0;
}

static int s_gather (store_t *store, gather_t *gather)
{
    int rc = store_record_walk (store, TABLE_IMPROVEMENT, 0, true, s_visit, gather);
    if (rc == ERROR_MALFORMED && gather->problem.text[0] != '\0')
        return cli_fail ("an improvement's record can't be read: %s", gather->problem.text);
    return rc >= 0 ? CLI_DONE : cli_fail ("the store can't be read: %s", store_problem (store));
}

static int s_print_json (json_t *newest_first)
{
    json_t *list = json_array ();
    for (size_t i = json_array_size (newest_first); i > 0; i--)
        json_array_append (list, json_array_get (newest_first, i - 1));
    return output_json (list);
}

static void s_print_table (const cli_t *cli, json_t *newest_first)
{
    output_table_t *table = output_table_new ("!CHANGED (UTC)|ID|STATE|?FROM|>BETTER BY|~WHY|~WHAT");
    for (size_t i = json_array_size (newest_first); i > 0; i--) {
        const char *cells[7];
        for (size_t j = 0; j < 7; j++)
            cells[j] = json_string_value (json_array_get (json_array_get (newest_first, i - 1), j));
        output_table_row (table, "%s|%s|%s|%s|%s|%s|%s", cells[0], cells[1], cells[2], cells[3], cells[4],
                          cells[5], cells[6]);
    }
    if (output_table_count (table) == 0)
        puts ("no improvements yet");
    output_table_end (cli, &table);
}

static bool s_is_state (const char *name)
{
    for (int state = STATE_PROPOSED; state < STATE_COUNT; state++)
        if (strcmp (improvement_state_name ((improvement_state_t)state), name) == 0)
            return true;
    return false;
}

static int s_list (const cli_t *cli, store_t *store, gather_t *gather)
{
    gather->store = store;
    gather->agent = cli->json ? session_own_agent (store) : NULL;
    gather->lines = json_array ();
    assert (gather->lines != NULL);
    int rc = s_gather (store, gather);
    if (rc == CLI_DONE && cli->json)
        rc = s_print_json (gather->lines);
    else if (rc == CLI_DONE)
        s_print_table (cli, gather->lines);
    json_decref (gather->lines);
    free (gather->agent);
    return rc;
}

typedef struct {
    char text[STATE_COUNT * (LIMIT_NAME + 2)];
} states_t;

/* All that an improvement may be in, with `between` between two. */
static states_t s_states (const char *between)
{
    states_t names = {""};
    size_t used = 0;
    for (int state = STATE_PROPOSED; state < STATE_COUNT; state++)
        used +=
            (size_t)snprintf (names.text + used, sizeof names.text - used, "%s%s", used == 0 ? "" : between,
                              improvement_state_name ((improvement_state_t)state));
    return names;
}

static int s_told_states (const cli_t *cli, const char *found)
{
    return cli_usage (cli, "--state: found %s, expected one of %s", cli_quote (found).text,
                      s_states (", ").text);
}

static void s_more_help (FILE *out)
{
    fprintf (out, "\nStates:\n  %s\n", s_states ("\n  ").text);
}

static int s_run (cli_t *cli)
{
    store_t *store;
    gather_t gather = {
        .state = cli_value (cli, "state", NULL), .limit = LIMIT_DEFAULT, .as_rows = !cli->json};
    bool graph = cli_flag (cli, "graph");
    int rc = cli_number (cli, "limit", 1, LIMIT_MOST, &gather.limit);
    if (rc == CLI_DONE && gather.state != NULL && !s_is_state (gather.state))
        rc = s_told_states (cli, gather.state);
    if (rc == CLI_DONE && gather.state != NULL && graph)
        rc = cli_usage (cli, "--graph draws candidates, which have no state: leave out --state");
    if (rc == CLI_DONE)
        rc = session_open (cli, &store);
    if (rc != CLI_DONE)
        return rc;
    rc = graph ? log_graph (cli, store, gather.limit) : s_list (cli, store, &gather);
    store_close (&store);
    return rc;
}

static const cli_option_t s_options[] = {
    {"limit", "N", "the last so many (default 20)"},
    {"state", "STATE", "only those in this state"},
    {"graph", NULL, "draw what was made of what, newest first: each candidate, its verdict and figures"},
    {NULL, NULL, NULL},
};

const cli_command_t log_command = {
    .name = "log",
    .summary = "list improvements, newest last",
    .operands = "",
    .options = s_options,
    .json = true,
    .details = "The node need not run. Into a pipe each line is whole; on a terminal it is cut to fit.",
    .more = s_more_help,
    .example = "  evomesh log --state rejected --limit 100\n"
               "  evomesh log --graph",
    .run = s_run,
};
