/* SPDX-License-Identifier: MPL-2.0 */
/* evomesh watch: events as they happen, one line each. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/cli/commands.h"
#include "node/cli/session.h"
#include "node/io/clock.h"
#include "node/io/control.h"

#define LOOK_MS   2000 /* how often it is seen whether the node is still there */
#define WATCH     "{\"command\":\"watch\"}"
#define HEARTBEAT "{\"command\":\"heartbeat\"}"

static const char *s_text (json_t *event, const char *key)
{
    const char *text = json_string_value (json_object_get (event, key));
    return text == NULL ? "" : text;
}

static output_style_t s_style (const char *type)
{
    if (strstr (type, "failed") != NULL || strstr (type, "exceeded") != NULL ||
        strstr (type, "opened") != NULL || strstr (type, "equivocation") != NULL)
        return OUTPUT_RED;
    if (strstr (type, "applied") != NULL || strstr (type, "adopted") != NULL ||
        strstr (type, "shared") != NULL)
        return OUTPUT_GREEN;
    if (strstr (type, "held") != NULL || strstr (type, "rollback") != NULL || strstr (type, "lost") != NULL)
        return OUTPUT_YELLOW;
    return strstr (type, "rejected") != NULL ? OUTPUT_DIM : OUTPUT_PLAIN;
}

/* The member's name, else the first characters of its id. */
static output_cell_t s_name (json_t *members, const char *id)
{
    size_t i;
    json_t *member;
    json_array_foreach (json_object_get (members, "members"), i, member)
    {
        if (strcmp (s_text (member, "id"), id) == 0 && s_text (member, "name")[0] != '\0')
            return output_cell (text_of (s_text (member, "name")), 12);
    }
    return output_cell ((text_t){id, strlen (id) < 8 ? strlen (id) : 8}, 12);
}

/* "12:30:05 node-1 improvement_applied ab12cd34 +1.20 % reason=…", cut where a terminal ends: a line an event. */
static void s_print (const cli_t *cli, json_t *members, json_t *event)
{
    const char *type = s_text (event, "type"), *key;
    json_t *value, *improvement = json_object_get (event, "performance_improvement");
    output_cell_t when = output_time ((uint64_t)json_integer_value (json_object_get (event, "time_ms")));
    char *line = NULL;
    size_t size;
    FILE *out = open_memstream (&line, &size);
    assert (out != NULL);
    fprintf (out, "%s %-8s %s%-21s%s %-8.8s", strlen (when.text) > 11 ? when.text + 11 : when.text,
             s_name (members, s_text (event, "agent_id")).text, output_style (cli, s_style (type)), type,
             output_style (cli, OUTPUT_PLAIN), s_text (event, "modification_id"));
    if (json_is_number (improvement))
        fprintf (out, " %s", output_percent (json_number_value (improvement)).text);
    json_object_foreach (json_object_get (event, "metadata"), key, value)
    {
        const char *text = json_string_value (value);
        fprintf (out, " %s=%s", key, text == NULL ? "" : output_text (text_of (text)).text);
    }
    if (s_text (event, "error_message")[0] != '\0')
        fprintf (out, " error=\"%s\"", output_text (text_of (s_text (event, "error_message"))).text);
    fclose (out);
    output_line (cli, line);
    free (line);
    fflush (stdout);
}

typedef struct {
    cli_t *cli;
    char own[DIGEST_TEXT_BYTES]; /* only events of this node; "" for all */
    json_t *members;             /* as the node answers: their names */
    control_client_t *client;
    uint64_t limit; /* 0: none */
    uint64_t printed;
} watch_t;

static int s_send (const watch_t *watch, const char *request)
{
    problem_t problem;
    return control_client_send (watch->client, request, &problem) == 0 ? CLI_DONE
                                                                       : cli_fail_problem (&problem);
}

/* The node that answers knows nothing of this watch. */
static int s_watch_again (const watch_t *watch)
{
    cli_note (
        "the node was started anew, or this watch stood still: `evomesh log` knows what happened meanwhile");
    return s_send (watch, WATCH);
}

/* One message of the node. */
static int s_message (watch_t *watch, char *text)
{
    cli_t *cli = watch->cli;
    json_t *message = json_loads (text, 0, NULL);
    free (text);
    int rc = CLI_DONE;
    json_t *event = json_object_get (message, "event"), *error = json_object_get (message, "error");
    if (event != NULL && watch->own[0] != '\0' && strcmp (s_text (event, "agent_id"), watch->own) != 0)
        event = NULL;
    if (json_is_false (json_object_get (message, "watching")))
        rc = s_watch_again (watch);
    else if (json_is_string (error))
        rc = cli_fail ("%s", json_string_value (error));
    else if (event != NULL && cli->json)
        rc = output_json_line (json_incref (event));
    else if (event != NULL) {
        cli->width = cli_terminal_width (); /* which may have changed since the last one */
        s_print (cli, watch->members, event);
    }
    watch->printed += event != NULL;
    json_decref (message);
    return ferror (stdout) ? CLI_FAILED : rc;
}

/* Is anybody there still? A link of ZeroMQ's would wait for ever. */
static int s_look (const cli_t *cli)
{
    problem_t problem;
    control_client_t *probe = control_client_new (cli->directory, &problem);
    if (probe == NULL)
        return cli_fail ("the node has ended");
    control_client_destroy (&probe);
    return CLI_DONE;
}

static int s_follow (watch_t *watch)
{
    problem_t problem;
    uint64_t beat_ms = clock_mono_ms ();
    int rc = s_send (watch, WATCH);
    while (rc == CLI_DONE && (watch->limit == 0 || watch->printed < watch->limit)) {
        char *text = control_client_receive (watch->client, LOOK_MS, &problem);
        if (text != NULL)
            rc = s_message (watch, text);
        else if (problem.text[0] == '\0')
            return CLI_DONE; /* a signal: that is how a watch ends */
        else if (s_look (watch->cli) != CLI_DONE)
            return CLI_FAILED;
        uint64_t now_ms = clock_mono_ms ();
        if (rc == CLI_DONE && now_ms - beat_ms >= CONTROL_HEARTBEAT_MS) {
            beat_ms = now_ms;
            rc = s_send (watch, HEARTBEAT);
        }
    }
    return rc;
}

/* Which node this is. */
static int s_own (const cli_t *cli, char own[DIGEST_TEXT_BYTES])
{
    json_t *status;
    if (session_ask (cli, "status", NULL, &status) != CLI_DONE)
        return CLI_FAILED;
    snprintf (own, DIGEST_TEXT_BYTES, "%s", s_text (status, "id"));
    json_decref (status);
    return CLI_DONE;
}

static int s_run (cli_t *cli)
{
    problem_t problem;
    watch_t watch = {.cli = cli};
    int rc = cli_number (cli, "limit", 1, INT64_MAX, &watch.limit);
    if (rc == CLI_DONE)
        rc = session_check (cli);
    if (rc == CLI_DONE && cli_flag (cli, "own"))
        rc = s_own (cli, watch.own);
    if (rc == CLI_DONE)
        rc = session_ask (cli, "members", NULL, &watch.members);
    if (rc != CLI_DONE)
        return rc;
    watch.client = control_client_new (cli->directory, &problem);
    rc = watch.client == NULL ? cli_fail_problem (&problem) : s_follow (&watch);
    control_client_destroy (&watch.client);
    json_decref (watch.members);
    return rc;
}

static const cli_option_t s_options[] = {
    {"limit", "N", "end after so many events"},
    {"own", NULL, "only events of this node, not its peers'"},
    {NULL, NULL, NULL},
};

const cli_command_t watch_command = {
    .name = "watch",
    .summary = "show events as they happen, a line each",
    .operands = "",
    .options = s_options,
    .json = true,
    .details = "Time (UTC), node, event, improvement, weighted improvement, and what else is told, cut where "
               "a terminal ends\n"
               "(`evomesh show ID` has it whole). With --json a JSON object a line. Ctrl-C ends it.",
    .example = "  evomesh watch --json | jq -r .type",
    .run = s_run,
};
