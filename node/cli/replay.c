/* SPDX-License-Identifier: MPL-2.0 */
/* evomesh replay: steps the journal through a fresh core and compares the effects with those recorded. */
#include <assert.h>

#include "evolution/improvement.h"
#include "node/cli/commands.h"
#include "node/cli/session.h"
#include "node/io/reactor.h"

typedef struct {
    const cli_t *cli;
    bool entries;  /* --verbose */
    bool moves;    /* --moves */
    json_t *moved; /* with --json */
} told_t;

/* A move of an improvement: each writes the improvement's row, so the rows in the effects are the whole way that it took. */
static void s_move (const told_t *told, uint64_t number, const event_t *event, const persist_record_t *effect)
{
    improvement_row_t row;
    arena_t arena = {0};
    int rc =
        record_decode (&improvement_row_record, effect->bytes.data, effect->bytes.size, &row, &arena, NULL);
    assert (rc == 0); /* the core has just made it */
    (void)rc;
    char id[DIGEST_TEXT_BYTES];
    const char *state = improvement_state_name ((improvement_state_t)row.state);
    const char *reason = row.reason == REASON_NONE ? "" : reason_name ((reason_code_t)row.reason);
    digest_text (&row.id, id);
    if (told->moved != NULL)
        json_array_append_new (told->moved,
                               json_pack ("{s:I, s:I, s:s, s:s, s:s}", "entry", (json_int_t)number, "time_ms",
                                          (json_int_t)event->wall_ms, "improvement", id, "state", state,
                                          "reason", reason));
    else
        printf ("%8llu  %s  %.8s %s%s%s\n", (unsigned long long)number, output_time (event->wall_ms).text, id,
                state, *reason == '\0' ? "" : ": ", reason);
    arena_clear (&arena);
}

static void s_visit (void *context, uint64_t number, const event_t *event, const effects_t *effects,
                     const digest_t *recorded, const digest_t *computed)
{
    const told_t *told = context;
    assert (number > 0 && told->cli != NULL);
    bool same = digest_equal (recorded, computed);
    if (told->entries && !told->cli->json)
        printf ("%8llu  %s  %-14s %s%s\n", (unsigned long long)number, output_time (event->wall_ms).text,
                event_name (event->kind), output_digest (computed).text, same ? "" : "  DIFFERS");
    for (size_t i = 0; told->moves && i < effects->count; i++)
        if (effects->items[i].kind == EFFECT_PERSIST_RECORD &&
            effects->items[i].as.persist_record.table == RECORD_IMPROVEMENT)
            s_move (told, number, event, &effects->items[i].as.persist_record);
}

static int s_told_json (int rc, const reactor_replay_t *outcome, json_t *moved)
{
    const char *kind = outcome->number == 0 ? NULL : event_name (outcome->kind);
    char archive[DIGEST_TEXT_BYTES];
    digest_text (&outcome->archive, archive);
    json_t *root =
        json_pack ("{s:b, s:I, s:I, s:I, s:I, s:s?, s:I, s:s?}", "same", rc == 0, "from",
                   (json_int_t)outcome->from, "entries", (json_int_t)outcome->entries, "checkpoints",
                   (json_int_t)outcome->checkpoints, "differs_at", (json_int_t)outcome->number, "event", kind,
                   "candidates", (json_int_t)outcome->candidates, "archive_digest",
                   digest_is_zero (&outcome->archive) ? NULL : archive);
    if (moved != NULL)
        json_object_set (root, "moves", moved);
    int printed = output_json (root);
    return rc == 0 ? printed : CLI_FAILED;
}

/* What was proved, and from where on. */
static void s_told_from (const reactor_replay_t *outcome)
{
    printf ("%s: the same effects, byte for byte.\n", text_counted (outcome->entries, "journal entry").text);
    if (outcome->from > 0)
        printf ("The journal begins with the checkpoint behind entry %llu: those before it were dropped "
                "(`retention` in "
                "node.yaml).\n",
                (unsigned long long)outcome->from);
    if (outcome->checkpoints > 0)
        printf ("%s on the way: the same state, byte for byte.\n",
                text_counted (outcome->checkpoints, "checkpoint").text);
}

/* The replay's end, for people or machines. */
static int s_told (const cli_t *cli, int rc, const reactor_replay_t *outcome, json_t *moved)
{
    if (cli->json)
        return s_told_json (rc, outcome, moved);
    if (rc == 0) {
        char archive[DIGEST_TEXT_BYTES];
        digest_text (&outcome->archive, archive);
        s_told_from (outcome);
        printf ("Archive digest of %s: %s\n", text_counted (outcome->candidates, "candidate").text, archive);
        return CLI_DONE;
    }
    return cli_fail (
        "journal entry %llu (%s) gave effects %s then and gives %s now: another version of evomesh wrote it, "
        "or the journal was altered",
        (unsigned long long)outcome->number, event_name (outcome->kind),
        output_digest (&outcome->recorded).text, output_digest (&outcome->computed).text);
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
    told_t told = {.cli = cli, .entries = cli_flag (cli, "verbose"), .moves = cli_flag (cli, "moves")};
    if (told.moves && cli->json)
        told.moved = json_array ();
    int rc = reactor_replay (cli->directory, cli_value (cli, "passphrase-file", NULL), s_visit, &told,
                             &outcome, &problem);
    rc = rc < 0 ? cli_fail_problem (&problem) : s_told (cli, rc, &outcome, told.moved);
    json_decref (told.moved);
    return rc;
}

static const cli_option_t s_options[] = {
    {"verbose", NULL, "print each entry"},
    {"moves", NULL, "print each move of each improvement, as they happened"},
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
        "The core is deterministic: the same events give the same effects. Reads only; the node may run.\n"
        "The archive digest covers the candidates in order: ids, parents, exact figures, verdicts. Two "
        "nodes\n"
        "with the same agent, seed and settings, one slot and a deterministic evaluator come to the same.",
    .example = "  evomesh replay ~/mesh/alpha",
    .run = s_run,
};
