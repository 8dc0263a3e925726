/* SPDX-License-Identifier: MPL-2.0 */
/* evomesh status: the running node at a glance: health, progress, why candidates were rejected, what to do next. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evolution/improvement.h"
#include "node/cli/commands.h"
#include "node/cli/session.h"

#define REASONS_SHOWN 5

static const char *s_text (json_t *status, const char *key)
{
    const char *text = json_string_value (json_object_get (status, key));
    return text == NULL ? "" : text;
}

static long long s_count (json_t *status, const char *key)
{
    return json_integer_value (json_object_get (status, key));
}

static double s_number (json_t *object, const char *key)
{
    json_t *value = json_object_get (object, key);
    return json_is_number (value) ? json_number_value (value) : NAN;
}

static bool s_is (json_t *status, const char *key)
{
    return json_is_true (json_object_get (status, key));
}

static void s_print_uptime (long long uptime_ms)
{
    long long seconds = uptime_ms / 1000;
    if (seconds < 120)
        printf ("%lld s", seconds);
    else if (seconds < 7200)
        printf ("%lld min", seconds / 60);
    else
        printf ("%lld h", seconds / 3600);
}

static counted_t s_counted (json_t *status, const char *name, const char *noun)
{
    long long count = s_count (status, name);
    assert (count >= 0);
    return text_counted ((uint64_t)count, noun);
}

/* Is there a proposer that may have something new to propose? */
static bool s_proposes (json_t *status)
{
    size_t i;
    json_t *proposer;
    json_array_foreach (json_object_get (status, "proposers"), i, proposer)
    {
        if (!s_is (proposer, "exhausted") && json_is_null (json_object_get (proposer, "idle")))
            return true;
    }
    return false;
}

static void s_print_health (const cli_t *cli, json_t *status)
{
    const char *problem = json_string_value (json_object_get (status, "problem"));
    bool open = strcmp (s_text (status, "breaker"), "closed") != 0;
    const char *out = json_string_value (json_object_get (status, "out"));
    const char *state = out != NULL                 ? "out of its group"
                        : problem != NULL           ? "at a standstill until its problem is gone"
                        : s_is (status, "stopped")  ? "stopped after a failed rollback"
                        : s_is (status, "paused")   ? "paused"
                        : open                      ? "held back by its circuit breaker"
                        : s_is (status, "finished") ? "finished: all proposals made"
                        : s_is (status, "waits_for_members")
                            ? "waiting: nothing new is proposed until more members are here"
                        : !s_proposes (status) ? "resting: no proposer has anything new to propose"
                                               : "evolving";
    bool well = !s_is (status, "stopped") && !open && problem == NULL && out == NULL;
    printf ("%s%s%s (%.8s) in group %s, epoch %lld: %s, %s up, running for ", output_style (cli, OUTPUT_BOLD),
            s_text (status, "name"), output_style (cli, OUTPUT_PLAIN), s_text (status, "id"),
            s_text (status, "group_name"), s_count (status, "epoch"),
            s_counted (status, "members", "member").text, s_counted (status, "peers_up", "peer").text);
    s_print_uptime (s_count (status, "uptime_ms"));
    printf ("\n%s%s%s: agent %s, release %.8s, learning rate %.3g, success %.0f %%, breaker %s, %lld of %lld "
            "slots busy\n",
            output_style (cli, well ? OUTPUT_GREEN : OUTPUT_RED), state, output_style (cli, OUTPUT_PLAIN),
            s_text (status, "agent"), s_text (status, "release"), s_number (status, "learning_rate"),
            100 * s_number (status, "success_rate"), s_text (status, "breaker"),
            s_count (status, "slots_busy"), s_count (status, "slots"));
    if (problem != NULL)
        printf ("%sproblem%s  %s\n", output_style (cli, OUTPUT_RED), output_style (cli, OUTPUT_PLAIN),
                problem);
    json_t *fault = json_object_get (status, "fault");
    if (json_is_object (fault))
        printf ("%sfault%s    %s: %s\n", output_style (cli, OUTPUT_YELLOW), output_style (cli, OUTPUT_PLAIN),
                output_ago ((uint64_t)s_count (fault, "time_ms")).text, s_text (fault, "text"));
}

static void s_print_objectives (const cli_t *cli, json_t *status)
{
    size_t i;
    json_t *objective;
    bool noisy = false;
    output_table_t *table = output_table_new ("~OBJECTIVE|?GOAL|>START|>NOW|>BETTER BY|?UNIT");
    json_array_foreach (json_object_get (status, "objectives"), i, objective)
    {
        double start = s_number (objective, "start"), now = s_number (objective, "now");
        double change =
            start == 0 ? NAN : now / fabs (start) - copysign (1, start); /* a difference may be too large */
        bool minimize = strcmp (s_text (objective, "goal"), "minimize") == 0;
        noisy |= s_is (objective, "noisy");
        output_table_row (table, "%s|%s|%s|%s|%s|%s", s_text (objective, "name"), s_text (objective, "goal"),
                          output_number (start).text, output_number (now).text,
                          output_percent (minimize ? -change : change).text,
                          output_cell (text_of (s_text (objective, "unit")), 16).text);
    }
    putchar ('\n');
    output_table_end (cli, &table);
    if (noisy)
        printf ("START and NOW are measured once each, at different times: `evomesh show ID` has how noisy "
                "figures compare, in pairs.\n");
}

typedef struct {
    const char *name;
    long long count;
} tallied_t;

static int s_compare_tallied (const void *a, const void *b)
{
    const tallied_t *first = a, *second = b;
    return first->count > second->count   ? -1
           : first->count < second->count ? 1
                                          : strcmp (first->name, second->name);
}

/* "rejected  5 not_better (better on no objective)", the most frequent first. */
static void s_print_reasons (json_t *status)
{
    tallied_t tallied[REASON_COUNT];
    size_t count = 0;
    const char *name;
    json_t *value;
    json_object_foreach (json_object_get (status, "rejected"), name, value)
    {
        if (count < REASON_COUNT && json_integer_value (value) > 0)
            tallied[count++] = (tallied_t){name, json_integer_value (value)};
    }
    qsort (tallied, count, sizeof *tallied, s_compare_tallied);
    for (size_t i = 0; i < count && i < REASONS_SHOWN; i++)
        printf ("%-11s%5lld %s: %s\n", i == 0 ? "rejected" : "", tallied[i].count, tallied[i].name,
                reason_description (reason_parse (tallied[i].name)));
}

static void s_print_counts (json_t *status)
{
    const char *name;
    json_t *value;
    printf ("\n%-11s%lld proposed, %lld applied, %lld rolled back; %s, %s, %lld "
            "on the front\n",
            "own", s_count (status, "proposed"), s_count (status, "applied"), s_count (status, "rolled_back"),
            s_counted (status, "evaluations", "evaluation").text,
            s_counted (status, "candidates", "candidate").text, s_count (status, "front"));
    printf ("%-11s%s sent, %lld received, %lld adopted; %s done for peers\n", "group",
            s_counted (status, "packages_sent", "package").text, s_count (status, "packages_received"),
            s_count (status, "packages_adopted"), s_counted (status, "validations_done", "validation").text);
    bool first = true;
    json_object_foreach (json_object_get (status, "under_way"), name, value)
    {
        if (json_integer_value (value) == 0)
            continue;
        if (first)
            printf ("%-11s", "under way");
        printf ("%s%lld %s", first ? "" : ", ", (long long)json_integer_value (value), name);
        first = false;
    }
    if (!first)
        putchar ('\n');
}

/* "12 of 1000 requests, "; a cap of 0 is none. */
static void s_print_part (json_t *llm, const char *key, const char *what)
{
    json_t *spent = json_object_get (llm, "spent"), *budget = json_object_get (llm, "budget");
    if (s_count (budget, key) > 0)
        printf ("%lld of %s, ", s_count (spent, key), s_counted (budget, key, what).text);
    else
        printf ("%s, ", s_counted (spent, key, what).text);
}

static void s_print_llm (json_t *llm)
{
    if (!json_is_object (llm))
        return;
    double spent = s_number (json_object_get (llm, "spent"), "cost_millionths") / 1e6;
    double cap = s_number (json_object_get (llm, "budget"), "cost_millionths") / 1e6;
    printf ("%-11s", "llm");
    s_print_part (llm, "requests", "request");
    s_print_part (llm, "tokens", "token");
    printf ("cost %.4f", spent);
    if (cap > 0)
        printf (" of %.2f", cap);
    printf ("%s\n", s_is (llm, "exhausted") ? ": spent, no more is asked" : "");
}

static void s_print_next (const cli_t *cli, json_t *status)
{
    size_t i;
    json_t *step;
    json_array_foreach (json_object_get (status, "next_steps"), i, step)
    {
        printf ("%snext%s       %s\n", output_style (cli, OUTPUT_YELLOW), output_style (cli, OUTPUT_PLAIN),
                json_string_value (step));
    }
}

static int s_run (cli_t *cli)
{
    json_t *status;
    if (session_ask (cli, "status", NULL, &status) != CLI_DONE)
        return CLI_FAILED;
    if (cli->json)
        return output_json (status);
    s_print_health (cli, status);
    s_print_objectives (cli, status);
    s_print_counts (status);
    s_print_reasons (status);
    s_print_llm (json_object_get (status, "llm"));
    s_print_next (cli, status);
    json_decref (status);
    return CLI_DONE;
}

const cli_command_t status_command = {
    .name = "status",
    .summary = "show the running node: health, progress, rejections, what to do next",
    .operands = "",
    .json = true,
    .example = "  evomesh status --dir ~/mesh/alpha",
    .run = s_run,
};
