/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/checkup.h"

#include <assert.h>
#include <stdio.h>

#include <jansson.h>

#include "node/cli/output.h"

/* --- what tune would change --- */

/* "0..1", "4..256 log", "\"fast\" | \"small\"". */
static output_cell_t s_range (const literal_t *literal, const char *text)
{
    output_cell_t cell = {""};
    if (literal->kind != LITERAL_CHOICE) {
        snprintf (cell.text, sizeof cell.text, "%.10g..%.10g%s", literal->minimum, literal->maximum,
                  literal->logarithmic ? " log" : "");
        return cell;
    }
    char joined[512] = "";
    size_t used = 0;
    for (size_t i = 0; i < literal->choice_count && used < sizeof joined; i++)
        used += (size_t)snprintf (joined + used, sizeof joined - used, "%s%.*s", i == 0 ? "" : " or ",
                                  (int)literal->choices[i].length, text + literal->choices[i].offset);
    return output_cell (text_of (joined), 60);
}

static output_cell_t s_literal_text (const literal_t *literal, const char *text)
{
    assert (literal->length > 0);
    return output_cell ((text_t){text + literal->offset, literal->length}, 24);
}

static void s_print_literals (const checkup_t *checkup)
{
    output_table_t *table = output_table_new ("~FILE|>LINE|~NOW|~RANGE");
    for (size_t i = 0; i < checkup->copy->evolved.count; i++)
        for (size_t j = 0; j < checkup->literals[i].count; j++) {
            const literal_t *literal = &checkup->literals[i].items[j];
            output_cell_t path = output_cell (text_of (checkup->copy->evolved.files[i].path), 48);
            output_table_row (table, "%s|%u|%s|%s", path.text, literal->line,
                              s_literal_text (literal, checkup->texts[i]).text,
                              s_range (literal, checkup->texts[i]).text);
        }
    printf ("\nWhat `tune` would change (%zu):\n", output_table_count (table));
    output_table_end (checkup->cli, &table);
}

static json_t *s_literals_json (const checkup_t *checkup)
{
    static const char *const kinds[] = {"integer", "real", "choice"};
    json_t *list = json_array ();
    for (size_t i = 0; i < checkup->copy->evolved.count; i++)
        for (size_t j = 0; j < checkup->literals[i].count; j++) {
            const literal_t *literal = &checkup->literals[i].items[j];
            json_array_append_new (list, json_pack ("{s:s, s:i, s:s, s:s, s:s}", "file",
                                                    checkup->copy->evolved.files[i].path, "line",
                                                    (int)literal->line, "kind", kinds[literal->kind], "now",
                                                    s_literal_text (literal, checkup->texts[i]).text, "range",
                                                    s_range (literal, checkup->texts[i]).text));
        }
    return list;
}

/* --- what was measured --- */

static void s_print_metrics (const checkup_t *checkup)
{
    const objectives_t *objectives = &checkup->copy->agent.objectives;
    output_table_t *table = output_table_new ("~OBJECTIVE|?GOAL|>MEDIAN|?UNIT|>SPREAD|?>LEAST|?>MOST|NOISY");
    for (size_t i = 0; i < objectives->count; i++) {
        noise_t noise = checkup_noise (&checkup->runs, i);
        const objective_t *objective = &objectives->items[i];
        output_cell_t spread = {""};
        snprintf (spread.text, sizeof spread.text, noise.median == 0 ? "%.3g" : "%.3g %%",
                  noise.median == 0 ? noise.spread : noise.spread * 100);
        output_table_row (table, "%s|%s|%s|%s|%s|%s|%s|%s", objective->name,
                          objective->goal == GOAL_MINIMIZE ? "minimize" : "maximize",
                          output_number (noise.median).text, output_cell (text_of (objective->unit), 16).text,
                          spread.text, output_number (noise.minimum).text, output_number (noise.maximum).text,
                          objective->noisy ? "yes" : "no");
    }
    output_table_end (checkup->cli, &table);
}

void checkup_print (const checkup_t *checkup)
{
    const agent_copy_t *copy = checkup->copy;
    char evaluator[DIGEST_SHORT_BYTES], start[DIGEST_SHORT_BYTES];
    digest_short (&copy->evaluator, evaluator);
    digest_short (&copy->start, start);
    printf ("Agent %s: %s, of which %zu may change. Evaluator %s, start %s.\n\n", copy->agent.name,
            text_counted (copy->files.count, "file").text, copy->evolved.count, evaluator, start);
    s_print_metrics (checkup);
    printf ("\n%s, %.2f s each (limit %.0f s), %.0f MiB of memory at most (limit %.0f MiB).\n",
            text_counted (checkup->runs.count, "run").text, checkup_wall_ms (&checkup->runs) / 1000,
            (double)copy->agent.timeout_ms / 1000,
            (double)checkup_memory_peak_bytes (&checkup->runs) / 1048576,
            (double)copy->agent.memory_bytes / 1048576);
    if (checkup->literal_count > 0)
        s_print_literals (checkup);
    putchar ('\n');
    for (size_t i = 0; i < checkup->advice_count; i++)
        printf ("%sadvice%s  %s\n", output_style (checkup->cli, OUTPUT_YELLOW),
                output_style (checkup->cli, OUTPUT_PLAIN), checkup->advice[i]);
    if (!checkup->unsteady)
        printf ("%sThis agent works.%s\n", output_style (checkup->cli, OUTPUT_GREEN),
                output_style (checkup->cli, OUTPUT_PLAIN));
}

static json_t *s_objectives_json (const checkup_t *checkup)
{
    json_t *list = json_array ();
    const objectives_t *objectives = &checkup->copy->agent.objectives;
    for (size_t i = 0; i < objectives->count; i++) {
        noise_t noise = checkup_noise (&checkup->runs, i);
        const objective_t *objective = &objectives->items[i];
        json_array_append_new (
            list, json_pack ("{s:s, s:s, s:s, s:b, s:f, s:f, s:f, s:f}", "name", objective->name, "goal",
                             objective->goal == GOAL_MINIMIZE ? "minimize" : "maximize", "unit",
                             objective->unit, "noisy", (int)objective->noisy, "median", noise.median,
                             "spread", noise.spread, "minimum", noise.minimum, "maximum", noise.maximum));
    }
    return list;
}

int checkup_print_json (const checkup_t *checkup)
{
    char evaluator[DIGEST_TEXT_BYTES], start[DIGEST_TEXT_BYTES];
    digest_text (&checkup->copy->evaluator, evaluator);
    digest_text (&checkup->copy->start, start);
    json_t *advice = json_array ();
    for (size_t i = 0; i < checkup->advice_count; i++)
        json_array_append_new (advice, json_string (checkup->advice[i]));
    return output_json (json_pack ("{s:s, s:s, s:s, s:i, s:f, s:I, s:o, s:o, s:o}", "agent",
                                   checkup->copy->agent.name, "evaluator", evaluator, "start", start, "runs",
                                   (int)checkup->runs.count, "wall_ms", checkup_wall_ms (&checkup->runs),
                                   "memory_bytes", (json_int_t)checkup_memory_peak_bytes (&checkup->runs),
                                   "objectives", s_objectives_json (checkup), "tune",
                                   s_literals_json (checkup), "advice", advice));
}
