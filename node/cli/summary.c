/* SPDX-License-Identifier: MPL-2.0 */
/* evomesh summary: several nodes of this machine side by side, as the quickstart ends with. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/cli/commands.h"
#include "node/cli/session.h"

#define NODES_MAX 32

/* {"excess_bins": 5.37, …} of the start or of now. */
static json_t *s_metrics (json_t *status, const char *when)
{
    size_t i;
    json_t *objective, *metrics = json_object ();
    json_array_foreach (json_object_get (status, "objectives"), i, objective)
    {
        json_object_set (metrics, json_string_value (json_object_get (objective, "name")),
                         json_object_get (objective, when));
    }
    return metrics;
}

static json_t *s_rejected (json_t *status)
{
    json_t *rejected = json_object (), *count;
    const char *reason;
    json_object_foreach (json_object_get (status, "rejected"), reason, count)
    {
        if (json_integer_value (count) > 0)
            json_object_set (rejected, reason, count);
    }
    return rejected;
}

static json_t *s_node (json_t *status)
{
    static const char *const keys[] = {"name",          "proposed",         "applied",
                                       "packages_sent", "packages_adopted", "rolled_back"};
    json_t *node = json_object ();
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        json_object_set (node, keys[i], json_object_get (status, keys[i]));
    json_object_set_new (node, "rejected", s_rejected (status));
    json_object_set_new (node, "start", s_metrics (status, "start"));
    json_object_set_new (node, "now", s_metrics (status, "now"));
    return node;
}

/* How much better a node's program is than its start: weighted, of the exact objectives. Single figures of noisy ones say nothing. */
static double s_gain (json_t *status)
{
    size_t i;
    json_t *one;
    double gain = 0;
    json_array_foreach (json_object_get (status, "objectives"), i, one)
    {
        double start = json_number_value (json_object_get (one, "start")),
               now = json_number_value (json_object_get (one, "now"));
        bool minimize = strcmp (json_string_value (json_object_get (one, "goal")), "minimize") == 0;
        if (!json_is_true (json_object_get (one, "noisy")) && fabs (start) > 0)
            gain += json_number_value (json_object_get (one, "weight")) *
                    (minimize ? start - now : now - start) / fabs (start);
    }
    return gain;
}

/* The node whose program is furthest ahead of its start. */
typedef struct {
    char name[LIMIT_NAME + 1]; /* "": none is ahead */
    double gain;
} best_t;

static void s_compare (best_t *best, const char *directory_name, json_t *status)
{
    double gain = s_gain (status);
    if (gain <= best->gain)
        return;
    best->gain = gain;
    (void)snprintf (best->name, sizeof best->name, "%s", directory_name);
}

/* --- the table --- */

/* "12 not_better, 3 worse": the most frequent first. */
static output_cell_t s_reasons (json_t *node)
{
    json_t *rejected = json_deep_copy (json_object_get (node, "rejected"));
    output_cell_t cell = {""};
    while (json_object_size (rejected) > 0) {
        const char *reason, *most = NULL;
        json_t *count;
        json_int_t highest = 0;
        json_object_foreach (rejected, reason, count)
        {
            if (json_integer_value (count) > highest) {
                highest = json_integer_value (count);
                most = reason;
            }
        }
        if (!output_list (&cell, "%lld %s", (long long)highest, most))
            break;
        json_object_del (rejected, most);
    }
    json_decref (rejected);
    return cell;
}

/* "excess_bins 5.371 → 4.92, …" */
static output_cell_t s_progress (json_t *node)
{
    const char *name;
    json_t *start;
    output_cell_t cell = {""};
    json_object_foreach (json_object_get (node, "start"), name, start)
    {
        json_t *now = json_object_get (json_object_get (node, "now"), name);
        if (!output_list (&cell, "%s %s → %s", name,
                          output_number (json_is_number (start) ? json_number_value (start) : NAN).text,
                          output_number (json_is_number (now) ? json_number_value (now) : NAN).text))
            break;
    }
    return cell;
}

static void s_print (const cli_t *cli, json_t *nodes, const best_t *best)
{
    size_t i;
    json_t *node;
    output_table_t *table =
        output_table_new ("NODE|?>PROPOSED|>APPLIED|?>SENT|>ADOPTED|?>ROLLED BACK|~START → NOW|~REJECTED");
    json_array_foreach (nodes, i, node)
    {
        output_table_row (table, "%s|%lld|%lld|%lld|%lld|%lld|%s|%s",
                          json_string_value (json_object_get (node, "name")),
                          (long long)json_integer_value (json_object_get (node, "proposed")),
                          (long long)json_integer_value (json_object_get (node, "applied")),
                          (long long)json_integer_value (json_object_get (node, "packages_sent")),
                          (long long)json_integer_value (json_object_get (node, "packages_adopted")),
                          (long long)json_integer_value (json_object_get (node, "rolled_back")),
                          s_progress (node).text, s_reasons (node).text);
    }
    output_table_end (cli, &table);
    printf ("\nSTART and NOW are measured once each, at different times: noisy figures are compared "
            "otherwise, in pairs.\n");
    if (best->name[0] != '\0')
        printf ("Best: %s, %s against its start where figures are exact.\n", best->name,
                output_percent (best->gain).text);
}

/* The nodes that run in the directory's node-1, node-2 …; the best of them into `*best`. */
static json_t *s_nodes (const char *directory, best_t *best)
{
    json_t *nodes = json_array ();
    for (int k = 1; k <= NODES_MAX; k++) {
        char name[32], path[CLI_PATH_BYTES];
        (void)snprintf (name, sizeof name, "node-%d", k);
        if (cli_path (directory, name, path) != CLI_DONE || access (path, F_OK) != 0)
            break;
        json_t *status;
        if (session_ask_at (path, "status", json_object (), &status) == CLI_DONE) {
            json_array_append_new (nodes, s_node (status));
            s_compare (best, name, status);
        }
        json_decref (status);
    }
    return nodes;
}

static int s_write (const cli_t *cli, const json_t *summary)
{
    const char *file = cli_value (cli, "json-file", NULL);
    if (file == NULL)
        return CLI_DONE;
    char *text = output_json_text (summary);
    int rc = text == NULL ? cli_fail ("%s", error_text (ERROR_MEMORY))
                          : session_write_file (file, text, strlen (text), 0644);
    free (text);
    return rc;
}

static int s_run (cli_t *cli)
{
    uint64_t seconds = 0, width = cli->width;
    int rc = cli_number (cli, "seconds", 0, UINT32_MAX, &seconds);
    if (rc == CLI_DONE)
        rc = cli_number (cli, "width", 0, UINT16_MAX, &width);
    cli->width = (size_t)width;
    if (rc != CLI_DONE)
        return rc;
    best_t best = {"", 0};
    json_t *nodes = s_nodes (cli->operands[0], &best);
    if (json_array_size (nodes) == 0) {
        json_decref (nodes);
        return cli_fail ("%s: found no running node in node-1, node-2 …", cli->operands[0]);
    }
    json_t *summary = json_pack ("{s:I, s:O}", "seconds", (json_int_t)seconds, "nodes", nodes);
    rc = s_write (cli, summary);
    if (!cli->json)
        s_print (cli, nodes, &best);
    else if (output_json (json_incref (summary)) != CLI_DONE)
        rc = CLI_FAILED;
    json_decref (nodes);
    json_decref (summary);
    return rc;
}

static const cli_option_t s_options[] = {
    {"seconds", "N", "how long they ran, for the JSON"},
    {"json-file", "FILE", "write the JSON there too"},
    {"width", "N", "fit the table into so many columns (default: the terminal's; 0: any)"},
    {NULL, NULL, NULL},
};

const cli_command_t summary_command = {
    .name = "summary",
    .summary = "several nodes of this machine side by side",
    .operands = "DIR",
    .operands_min = 1,
    .operands_max = 1,
    .options = s_options,
    .json = true,
    .no_directory = true,
    .details = "Asks the running nodes whose data directories are DIR/node-1, DIR/node-2 … as the quickstart "
               "makes them.",
    .example = "  evomesh summary quickstart-data",
    .run = s_run,
};
