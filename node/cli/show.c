/* SPDX-License-Identifier: MPL-2.0 */
/* evomesh show: one improvement whole: where it stands and why, what was measured, who said what, and how it came there. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evolution/improvement.h"
#include "node/cli/commands.h"
#include "node/cli/history.h"
#include "node/cli/improvement_print.h"
#include "node/cli/progress_print.h"

typedef struct {
    const cli_t *cli;
    digest_t id;
    json_t *events; /* for --json; NULL: they are printed */
    bool begun;     /* one was printed, and the heading before it */
} story_t;

static void s_print_event (const cli_t *cli, const event_row_t *event)
{
    printf ("  %s  %s%s%s", output_time (event->time_ms).text, output_style (cli, OUTPUT_BOLD),
            output_cell (event->type, 40).text, output_style (cli, OUTPUT_PLAIN));
    if (!isnan (event->performance_improvement))
        printf (" %s", output_percent (event->performance_improvement).text);
    for (size_t i = 0; i < event->metadata.count; i++)
        printf (" %s=%s", output_cell (event->metadata.items[i].key, 40).text,
                output_text (event->metadata.items[i].value).text);
    if (event->error_message.size > 0)
        printf (" error=\"%s\"", output_text (event->error_message).text);
    putchar ('\n');
}

static int s_visit_event (void *context, uint64_t number, const digest_t *key, const uint8_t *bytes,
                          size_t size)
{
    (void)number, (void)key;
    story_t *story = context;
    event_row_t event;
    arena_t arena = {0};
    if (record_decode (&event_row_record, bytes, size, &event, &arena, NULL) != 0)
        return 0; /* of a later version */
    if (digest_equal (&event.modification_id, &story->id)) {
        if (story->events != NULL)
            json_array_append_new (story->events, output_record (&event_row_record, &event));
        else {
            if (!story->begun)
                puts ("\nHow it went (UTC):");
            story->begun = true;
            s_print_event (story->cli, &event);
        }
    }
    arena_clear (&arena);
    return 0;
}

static const delta_t *s_find_delta (const improvement_row_t *row, const char *name)
{
    for (size_t i = 0; i < row->changes.count; i++)
        if (text_equal (row->changes.items[i].objective, name))
            return &row->changes.items[i];
    return NULL;
}

/* "+1.20 … +3.40 %", or nothing for an objective that has no interval. */
static output_cell_t s_interval (const improvement_row_t *row, const char *name)
{
    output_cell_t cell = {""};
    for (size_t i = 0; i < row->intervals.count; i++) {
        const interval_t *interval = &row->intervals.items[i];
        if (text_equal (interval->objective, name))
            snprintf (cell.text, sizeof cell.text, "%+.2f … %+.2f %%", interval->low * 100,
                      interval->high * 100);
    }
    return cell;
}

/* What was measured, an objective a line; values stand in the manifest's order. */
static void s_print_metrics (const cli_t *cli, const improvement_row_t *row, const agent_t *agent)
{
    output_table_t *table =
        output_table_new ("~OBJECTIVE|>LIVE THEN|>CANDIDATE|>BETTER BY|?95 % BETWEEN|?>SPREAD|CONCLUSION");
    for (size_t i = 0; i < agent->objectives.count && i < row->candidate_metrics.count; i++) {
        const char *name = agent->objectives.items[i].name;
        const delta_t *delta = s_find_delta (row, name);
        double base = i < row->base_metrics.count ? row->base_metrics.items[i].value : NAN;
        output_table_row (table, "%s|%s|%s|%s|%s|%s|%s", name, output_number (base).text,
                          output_number (row->candidate_metrics.items[i].value).text,
                          output_percent (delta == NULL ? NAN : delta->improvement).text,
                          s_interval (row, name).text,
                          output_percent (delta == NULL ? NAN : delta->dispersion).text,
                          delta == NULL ? "" : improvement_conclusion_text (delta->conclusion));
    }
    if (output_table_count (table) > 0)
        printf ("\nMeasured here, %s:\n", text_counted (row->repeats, "pair").text);
    output_table_end (cli, &table);
}

/* `progress`: the running node's word on one that is under way, newer than the row; NULL: there is none. */
static void s_print_head (const cli_t *cli, const improvement_row_t *row, bool dropped, json_t *progress)
{
    char id[DIGEST_TEXT_BYTES];
    digest_text (&row->id, id);
    printf ("%sImprovement %s%s\n", output_style (cli, OUTPUT_BOLD), id, output_style (cli, OUTPUT_PLAIN));
    printf ("  state        %s\n", improvement_state_text (row->state));
    if (json_is_object (progress))
        progress_print (progress, &row->id);
    if (row->reason != REASON_NONE)
        printf ("  reason       %s: %s\n", improvement_reason_text (row->reason),
                improvement_reason_told (row->reason, row->state));
    if (row->detail.size > 0)
        printf ("  detail       %.*s\n", (int)row->detail.size, row->detail.data);
    printf ("  what         %s%s%s\n", improvement_type_text (row->improvement_type),
            row->description.size > 0 ? ": " : "", output_text (row->description).text);
    if (row->model.size > 0)
        printf ("  cost         %.6f, for %s with %s to %s\n", (double)row->cost_millionths / 1e6,
                text_counted (row->requests, "request").text, text_counted (row->tokens, "token").text,
                output_cell (row->model, 80).text);
    printf ("  from         %s, by node %s\n", improvement_origin_name (row->origin),
            output_key (&row->author).text);
    printf ("  candidate    %s", output_digest (&row->candidate).text);
    if (digest_equal (&row->candidate, &row->parent))
        printf (", the package's own, whole");
    else
        printf (", made from %s", output_digest (&row->parent).text);
    if (!digest_is_zero (&row->second_parent))
        printf (" and %s", output_digest (&row->second_parent).text);
    printf (", compared with %s\n", output_digest (&row->base).text);
    if (dropped)
        puts ("  files        dropped by retention (`retention` in node.yaml)");
    if (!digest_is_zero (&row->package))
        printf ("  package      %s\n", output_digest (&row->package).text);
    printf ("  better by    %s (weighted)\n", output_percent (row->performance_improvement).text);
    bool votes_come = json_is_object (progress) && row->state == STATE_REVIEWING,
         results_come = json_is_object (progress) && row->state == STATE_VALIDATING;
    if (row->asked > 0 && !votes_come)
        printf ("  feedback     %llu of %llu approve, score %s\n", (unsigned long long)row->approvals,
                (unsigned long long)row->asked, output_number (row->consensus_score).text);
    if (row->validators > 0 && !results_come)
        printf ("  validators   %llu of %llu confirm\n", (unsigned long long)row->confirmations,
                (unsigned long long)row->validators);
    printf ("  made         %s, changed %s\n", output_time (row->created_ms).text,
            output_ago (row->changed_ms).text);
}

static int s_show (const cli_t *cli, store_t *store, const agent_t *agent, const improvement_row_t *row,
                   story_t *story, json_t *progress)
{
    if (!cli->json) {
        s_print_head (cli, row, session_dropped (store, &row->candidate), progress);
        if (agent != NULL)
            s_print_metrics (cli, row, agent);
    }
    int rc = store_record_walk (store, TABLE_EVENT, 0, false, s_visit_event, story);
    if (rc == 0 && !cli->json && !story->begun) /* each has at least that of its beginning */
        puts ("\nHow it went is no longer kept (`retention` in node.yaml).");
    return rc == 0 ? CLI_DONE : cli_fail ("the store can't be read: %s", store_problem (store));
}

static int s_show_improvement (const cli_t *cli, store_t *store, const agent_t *agent, const digest_t *id,
                               json_t **json)
{
    story_t story = {.cli = cli, .id = *id, .events = cli->json ? json_array () : NULL};
    improvement_row_t row;
    uint8_t *bytes = NULL;
    arena_t arena = {0};
    int rc = session_record (store, TABLE_IMPROVEMENT, &improvement_row_record, id, &row, &bytes, &arena);
    json_t *progress =
        rc == CLI_DONE && row.state < STATE_COUNT && !improvement_final ((improvement_state_t)row.state)
            ? progress_ask (cli, id)
            : NULL;
    if (rc == CLI_DONE)
        rc = s_show (cli, store, agent, &row, &story, progress);
    if (rc == CLI_DONE && cli->json) {
        *json = improvement_json (&row, agent);
        json_object_set (*json, "progress", progress == NULL ? json_null () : progress);
        json_object_set (*json, "events", story.events);
        json_object_set_new (*json, "files_dropped", json_boolean (session_dropped (store, &row.candidate)));
    }
    json_decref (progress);
    json_decref (story.events);
    free (bytes);
    arena_clear (&arena);
    return rc;
}

/* A candidate alone: the start, or one whose improvement's record retention dropped. */
static void s_print_candidate (const cli_t *cli, const candidate_row_t *row)
{
    char id[DIGEST_TEXT_BYTES];
    digest_text (&row->id, id);
    printf ("%sCandidate %s%s\n", output_style (cli, OUTPUT_BOLD), id, output_style (cli, OUTPUT_PLAIN));
    if (digest_is_zero (&row->improvement))
        puts ("  what         what the group started from");
    else
        printf ("  improvement  %s, whose record retention dropped (`retention` in node.yaml)\n",
                output_digest (&row->improvement).text);
    if (row->reason != REASON_NONE)
        printf ("  reason       %s: %s\n", improvement_reason_text (row->reason),
                improvement_reason_told (row->reason, STATE_NONE));
    for (size_t i = 0; i < row->parents.count; i++)
        printf ("  made from    %s\n", output_digest (&row->parents.items[i].id).text);
    if (row->dropped)
        puts ("  files        dropped by retention (`retention` in node.yaml)");
    printf ("  measured     %s\n", output_time (row->time_ms).text);
}

static int s_show_candidate (const cli_t *cli, store_t *store, const agent_t *agent, const digest_t *id,
                             json_t **json)
{
    candidate_row_t row;
    uint8_t *bytes = NULL;
    arena_t arena = {0};
    int rc = session_record (store, TABLE_CANDIDATE, &candidate_row_record, id, &row, &bytes, &arena);
    if (rc == CLI_DONE && cli->json) {
        *json = output_record (&candidate_row_record, &row);
        json_object_set_new (*json, "reason", json_string (improvement_reason_text (row.reason)));
        improvement_name_metrics (*json, "metrics", agent);
    } else if (rc == CLI_DONE)
        s_print_candidate (cli, &row);
    free (bytes);
    arena_clear (&arena);
    return rc;
}

/* What the snapshot is; the improvement that it was taken for follows. */
static int s_show_snapshot (const cli_t *cli, store_t *store, const agent_t *agent, const digest_t *id,
                            json_t **json)
{
    snapshot_row_t row;
    uint8_t *bytes = NULL;
    arena_t arena = {0};
    char text[DIGEST_TEXT_BYTES];
    digest_text (id, text);
    int rc = session_record (store, TABLE_SNAPSHOT, &snapshot_row_record, id, &row, &bytes, &arena);
    if (rc == CLI_DONE && cli->json) {
        *json = output_record (&snapshot_row_record, &row);
        improvement_name_metrics (*json, "baseline", agent);
    } else if (rc == CLI_DONE)
        printf ("%sSnapshot %s%s\n  taken        %s, before %s became live in place of %s\n"
                "  back to it   evomesh rollback %s\n\n",
                output_style (cli, OUTPUT_BOLD), text, output_style (cli, OUTPUT_PLAIN),
                output_time (row.time_ms).text, output_digest (&row.next).text,
                output_digest (&row.release).text, output_digest (id).text);
    free (bytes);
    arena_clear (&arena);
    return rc;
}

static int s_show_id (const cli_t *cli, store_t *store)
{
    history_t found;
    json_t *json = NULL, *snapshot = NULL;
    int rc = history_find (store, cli->operands[0], &found);
    agent_t *agent = rc == CLI_DONE ? session_own_agent (store) : NULL;
    if (rc == CLI_DONE && found.kind == TABLE_SNAPSHOT)
        rc = s_show_snapshot (cli, store, agent, &found.id, &snapshot);
    if (rc == CLI_DONE && !digest_is_zero (&found.improvement))
        rc = s_show_improvement (cli, store, agent, &found.improvement, &json);
    else if (rc == CLI_DONE && found.kind == TABLE_CANDIDATE)
        rc = s_show_candidate (cli, store, agent, &found.id, &json);
    if (rc == CLI_DONE && cli->json) {
        if (json == NULL)
            json = json_object ();
        if (snapshot != NULL)
            json_object_set (json, "snapshot", snapshot);
        rc = output_json (json);
    } else
        json_decref (json);
    json_decref (snapshot);
    free (agent);
    return rc;
}

static int s_run (cli_t *cli)
{
    store_t *store;
    if (session_open (cli, &store) != CLI_DONE)
        return CLI_FAILED;
    int rc = s_show_id (cli, store);
    store_close (&store);
    return rc;
}

const cli_command_t show_command = {
    .name = "show",
    .summary = "show one improvement: state and why, measurements, feedback, validators, history",
    .operands = "ID",
    .operands_min = 1,
    .operands_max = 1,
    .json = true,
    .details =
        "ID is that of an improvement (as `evomesh log` shows them), a candidate (`evomesh log --graph`) or "
        "a snapshot\n"
        "(`evomesh snapshots`), or its first 4 or more characters: shown is the improvement that it "
        "belongs to. The node\n"
        "need not run.",
    .example = "  evomesh show k3jd82ka",
    .run = s_run,
};
