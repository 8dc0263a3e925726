/* SPDX-License-Identifier: MPL-2.0 */
/* evomesh agent check: will this agent work? Measures its start several times in the sandbox, says how noisy it is, how long a
 * comparison takes, what `tune` would change, and what to mend. */
#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "evolution/trial.h"
#include "evolution/validators.h"
#include "node/cli/check_complaint.h"
#include "node/cli/checkup.h"
#include "node/cli/commands.h"

#define RUNS_DEFAULT      5
#define WITHIN_DEFAULT_MS 60000
#define DAY_MS            86400000

__attribute__ ((format (printf, 2, 3))) static void s_advise (checkup_t *checkup, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (text, sizeof text, format, arguments);
    va_end (arguments);
    assert (checkup->advice_count < CHECKUP_ADVICE_MAX);
    checkup->advice[checkup->advice_count] = strdup (text);
    assert (checkup->advice[checkup->advice_count] != NULL);
    checkup->advice_count++;
}

/* --- what tune would change --- */

static int s_scan_file (checkup_t *checkup, store_t *store, size_t index)
{
    assert (index < checkup->copy->evolved.count && checkup->texts[index] == NULL);
    size_t size;
    problem_t problem;
    const tree_file_t *file = &checkup->copy->evolved.files[index];
    char *text = (char *)store_content_get (store, &file->content, &size);
    if (text == NULL)
        return cli_fail ("%s can't be read back: %s", file->path, store_problem (store));
    checkup->texts[index] = text;
    if (literals_scan (text, size, &checkup->literals[index], &problem) != 0)
        return cli_fail ("%s: %s", file->path, problem.text);
    checkup->literal_count += checkup->literals[index].count;
    return CLI_DONE;
}

static int s_scan (checkup_t *checkup, store_t *store)
{
    for (size_t i = 0; i < checkup->copy->evolved.count; i++)
        if (s_scan_file (checkup, store, i) != CLI_DONE)
            return CLI_FAILED;
    return CLI_DONE;
}

/* --- what was measured --- */

noise_t checkup_noise (const check_runs_t *runs, size_t objective)
{
    assert (runs->count > 0 && runs->count <= CHECK_RUNS_MAX);
    assert (objective < runs->items[0].metrics.count);
    double values[CHECK_RUNS_MAX];
    noise_t noise = {.minimum = INFINITY, .maximum = -INFINITY};
    for (size_t i = 0; i < runs->count; i++) {
        values[i] = runs->items[i].metrics.values[objective];
        noise.minimum = fmin (noise.minimum, values[i]);
        noise.maximum = fmax (noise.maximum, values[i]);
    }
    noise.median = median_of (values, runs->count);
    double deviation = dispersion_of (values, runs->count);
    noise.spread = noise.median == 0 ? deviation : deviation / fabs (noise.median);
    return noise;
}

double checkup_wall_ms (const check_runs_t *runs)
{
    assert (runs->count > 0 && runs->count <= CHECK_RUNS_MAX);
    double values[CHECK_RUNS_MAX];
    for (size_t i = 0; i < runs->count; i++)
        values[i] = (double)runs->items[i].wall_ms;
    return median_of (values, runs->count);
}

uint64_t checkup_memory_peak_bytes (const check_runs_t *runs)
{
    uint64_t peak = 0;
    for (size_t i = 0; i < runs->count; i++)
        if (runs->items[i].memory_bytes > peak)
            peak = runs->items[i].memory_bytes;
    return peak;
}

static void s_advise_objective (checkup_t *checkup, const objective_t *objective, const noise_t *noise)
{
    assert (noise->minimum <= noise->maximum);
    bool varies = noise->minimum < noise->maximum;
    double width = noise->median == 0 ? noise->maximum - noise->minimum
                                      : (noise->maximum - noise->minimum) / fabs (noise->median);
    if (varies && !objective->noisy) {
        checkup->unsteady = true;
        s_advise (checkup,
                  "%s differed between runs of the same files by %.2g %%, yet it is not declared noisy: make "
                  "the evaluator repeatable (a fixed seed), or say `noisy: true`",
                  objective->name, width * 100);
    }
    if (objective->noisy && noise->spread > 0.1)
        s_advise (checkup,
                  "%s is very noisy (typically ±%.0f %%): only large improvements will show; measure longer, "
                  "or CPU "
                  "time instead of wall time",
                  objective->name, noise->spread * 100);
    if (!objective->noisy && !varies && noise->median == 0)
        s_advise (checkup, "%s is 0 at the start: any change of it counts in full; check that it is measured",
                  objective->name);
}

static void s_advise_all (checkup_t *checkup)
{
    const agent_t *agent = &checkup->copy->agent;
    bool noisy = false;
    for (size_t i = 0; i < agent->objectives.count; i++) {
        noise_t noise = checkup_noise (&checkup->runs, i);
        s_advise_objective (checkup, &agent->objectives.items[i], &noise);
        noisy |= agent->objectives.items[i].noisy;
    }
    double wall_ms = checkup_wall_ms (&checkup->runs);
    if (wall_ms * 2 > (double)agent->timeout_ms)
        s_advise (checkup, "a run takes %.1f s and its timeout is %.1f s: leave at least twice the time",
                  wall_ms / 1000, (double)agent->timeout_ms / 1000);
    if (checkup_memory_peak_bytes (&checkup->runs) * 2 > agent->memory_bytes)
        s_advise (checkup, "a run takes more than half of its memory limit: raise evaluator.memory");
    if (noisy && wall_ms * 2 * TRIAL_PAIRS_LEAST > 120000)
        s_advise (checkup,
                  "a comparison takes %.0f s (%d pairs, up to %d, as an objective is noisy): a shorter "
                  "evaluator finds more",
                  wall_ms * 2 * TRIAL_PAIRS_LEAST / 1000, TRIAL_PAIRS_LEAST, TRIAL_PAIRS_MOST);
    if (checkup->literal_count == 0)
        s_advise (checkup,
                  "nothing is marked for `tune`: put a comment `evolve: 0..1` behind a number in %s, or name "
                  "another proposer in node.yaml",
                  agent->evolve[0]);
    if (checkup->runs.out_of_time)
        s_advise (checkup, "the time was up after %s: --within 10m measures longer",
                  text_counted (checkup->runs.count, "run").text);
}

/* A run that gave no result: the reason, and what the evaluator said. */
static int s_told_invalid (const checkup_t *checkup)
{
    assert (checkup->runs.count > 0);
    const check_run_t *run = &checkup->runs.items[checkup->runs.count - 1];
    const agent_t *agent = &checkup->copy->agent;
    if (checkup->runs.out_of_time)
        return cli_fail (
            "the evaluator gave no result in the time of this check: --within 10m gives it longer");
    char complaint[CHECK_COMPLAINT_BYTES], hint[CHECK_HINT_BYTES];
    check_complaint (run->detail, complaint);
    check_hint (checkup->cli->operands[0], agent->evaluator.words[0], hint);
    bool may_need_data = hint[0] == '\0' && cli_value (checkup->cli, "private", NULL) == NULL;
    return cli_fail ("%s: %s in run %zu\n%s\nThe evaluator is `%s%s`, run in /agent inside the sandbox.%s%s",
                     agent->name, reason_description (run->reason), checkup->runs.count, complaint,
                     agent->evaluator.words[0], agent->evaluator.count > 1 ? " …" : "", hint,
                     may_need_data ? "\nIf it needs private data, --private DIR puts them at /private." : "");
}

/* --- the command --- */

static int s_measure (checkup_t *checkup, const scratch_store_t *scratch)
{
    char private_data[CLI_PATH_BYTES] = "";
    uint64_t runs = RUNS_DEFAULT, within_ms = WITHIN_DEFAULT_MS;
    int rc = cli_number (checkup->cli, "runs", 1, CHECK_RUNS_MAX, &runs);
    if (rc == CLI_DONE)
        rc = cli_duration (checkup->cli, "within", 1000, DAY_MS, &within_ms);
    if (rc == CLI_DONE)
        rc = cli_directory_option (checkup->cli, "private", private_data, sizeof private_data);
    if (rc == CLI_DONE)
        rc = check_run (checkup->cli, scratch, checkup->copy, private_data, (size_t)runs, within_ms,
                        &checkup->runs);
    if (rc == CLI_DONE && checkup->runs.items[checkup->runs.count - 1].reason != REASON_NONE)
        rc = s_told_invalid (checkup);
    return rc;
}

static void s_clear (checkup_t *checkup)
{
    for (size_t i = 0; i < LIMIT_EVOLVE_FILES; i++) {
        literals_clear (&checkup->literals[i]);
        free (checkup->texts[i]);
    }
    for (size_t i = 0; i < checkup->advice_count; i++)
        free (checkup->advice[i]);
}

static int s_check (checkup_t *checkup, const scratch_store_t *scratch)
{
    int rc = s_scan (checkup, scratch->store);
    if (rc == CLI_DONE)
        rc = s_measure (checkup, scratch);
    if (rc != CLI_DONE)
        return rc;
    s_advise_all (checkup);
    if (!checkup->cli->json)
        checkup_print (checkup);
    else if (checkup_print_json (checkup) != CLI_DONE)
        return CLI_FAILED;
    /* What was applied would look like a regression, or the other way round, at each look. */
    return checkup->unsteady ? cli_fail ("this agent will not work as it is: see the advice") : CLI_DONE;
}

static int s_run (cli_t *cli)
{
    char directory[CLI_PATH_BYTES];
    scratch_store_t scratch;
    if (cli_absolute (cli->operands[0], directory) != CLI_DONE || scratch_store_open (&scratch) != CLI_DONE)
        return CLI_FAILED;
    checkup_t *checkup = calloc (1, sizeof *checkup);
    assert (checkup != NULL);
    agent_copy_t *copy = agent_copy_read (scratch.store, directory);
    checkup->cli = cli;
    checkup->copy = copy;
    int rc = copy == NULL ? CLI_FAILED : s_check (checkup, &scratch);
    s_clear (checkup);
    free (checkup);
    agent_copy_destroy (&copy);
    scratch_store_close (&scratch);
    return rc;
}

static const cli_option_t s_options[] = {
    {"private", "DIR", "private data for the evaluator, at /private"},
    {"runs", "N", "how often the start is measured (default 5)"},
    {"within", "DURATION", "stop measuring after this time (default 60s)"},
    {NULL, NULL, NULL},
};

const cli_command_t agent_check_command = {
    .name = "agent check",
    .summary = "tell whether an agent will work: metrics, noise, duration, what may be tuned",
    .operands = "DIR",
    .operands_min = 1,
    .operands_max = 1,
    .options = s_options,
    .json = true,
    .no_directory = true,
    .details = "Reads the agent, runs its evaluator in the sandbox as a node would, and gives advice. "
               "Changes nothing.",
    .example = "  evomesh agent check ~/src/packing --private ~/data/packing",
    .run = s_run,
};
