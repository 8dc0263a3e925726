/* SPDX-License-Identifier: MPL-2.0 */
/* evomesh replay: steps the journal through a fresh core and compares the effects with those recorded. */
#include <string.h>

#include "node/cli/commands.h"
#include "node/cli/session.h"
#include "node/io/reactor.h"

/* An entry a line, for --verbose. */
static void s_visit (void *context, uint64_t number, const event_t *event, const digest_t *recorded,
                     const digest_t *computed)
{
    const cli_t *cli = context;
    bool same = digest_equal (recorded, computed);
    if (!cli->json)
        printf ("%8llu  %s  %-14s %s%s\n", (unsigned long long)number, output_time (event->wall_ms).text,
                event_name (event->kind), output_digest (computed).text, same ? "" : "  DIFFERS");
}

static int s_told_json (int rc, const reactor_replay_t *outcome)
{
    const char *kind = outcome->number == 0 ? NULL : event_name (outcome->kind);
    int printed = output_json (json_pack ("{s:b, s:I, s:I, s:s?}", "same", rc == 0, "entries",
                                          (json_int_t)outcome->entries, "differs_at",
                                          (json_int_t)outcome->number, "event", kind));
    return rc == 0 ? printed : CLI_FAILED;
}

static int s_run (cli_t *cli)
{
    problem_t problem;
    reactor_replay_t outcome = {0};
    if (cli->operand_count > 0 && cli_flag (cli, "dir"))
        return cli_usage (cli, "the directory is given twice: DIR and --dir");
    if (cli->operand_count > 0 && cli_absolute (cli->operands[0], cli->directory) != CLI_DONE)
        return CLI_FAILED;
    if (session_check (cli) != CLI_DONE)
        return CLI_FAILED;
    int rc = reactor_replay (cli->directory, cli_value (cli, "passphrase-file", NULL),
                             cli_flag (cli, "verbose") ? s_visit : NULL, cli, &outcome, &problem);
    if (rc < 0)
        return cli_fail_problem (&problem);
    if (cli->json)
        return s_told_json (rc, &outcome);
    if (rc == 0) {
        printf ("%llu journal entries: the same effects, byte for byte.\n",
                (unsigned long long)outcome.entries);
        return CLI_DONE;
    }
    return cli_fail (
        "journal entry %llu (%s) gave effects %s then and gives %s now: another version of evomesh wrote it, "
        "or the journal was altered",
        (unsigned long long)outcome.number, event_name (outcome.kind), output_digest (&outcome.recorded).text,
        output_digest (&outcome.computed).text);
}

static const cli_option_t s_options[] = {
    {"verbose", NULL, "print each entry"},
    {"passphrase-file", "FILE", "whose first line unlocks the keys ($EVOMESH_PASSPHRASE_FILE)"},
    {NULL, NULL, NULL},
};

const cli_command_t replay_command = {
    .name = "replay",
    .summary = "prove that a node's journal gives its recorded effects",
    .operands = "[DIR]",
    .operands_max = 1,
    .options = s_options,
    .json = true,
    .details =
        "The core is deterministic: the same events give the same effects. Reads only; the node may run.",
    .example = "  evomesh replay ~/mesh/alpha",
    .run = s_run,
};
