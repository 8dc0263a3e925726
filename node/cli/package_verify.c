/* SPDX-License-Identifier: MPL-2.0 */
/* evomesh package verify and show: what a package says, and whether it is true, down to each signature, offline. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/cli/commands.h"
#include "node/cli/improvement_print.h"
#include "node/cli/package_file.h"

/* --- which group is trusted --- */

typedef struct {
    group_t group;
    bool known;
    joined_t *joined; /* the node's own, if it is that */
} trust_t;

/* A file with a packed charter, as `group members --charter` writes it. */
static int s_trust_file (trust_t *trust, const char *path)
{
    size_t size;
    problem_t problem;
    char *bytes = session_read_file (path, LIMIT_LONG_TEXT, &size);
    if (bytes == NULL)
        return CLI_FAILED;
    int rc = group_open (bytes_of (bytes, size), &trust->group, &problem);
    free (bytes);
    trust->known = rc == 0;
    return rc == 0 ? CLI_DONE : cli_fail ("%s: no group's charter: %s", path, problem.text);
}

/* --group FILE, else the group of the data directory, else none. */
static int s_trust (const cli_t *cli, trust_t *trust)
{
    char path[CLI_PATH_BYTES];
    problem_t problem;
    const char *file = cli_value (cli, "group", NULL);
    memset (trust, 0, sizeof *trust);
    if (file != NULL)
        return s_trust_file (trust, file);
    if (cli_path (cli->directory, CONFIG_FILE, path) != CLI_DONE)
        return CLI_FAILED;
    if (access (path, F_OK) != 0)
        return CLI_DONE;
    store_t *store = store_open (cli->directory, false, true, &problem);
    if (store == NULL)
        return cli_fail_problem (&problem);
    int rc = membership_load (store, &trust->joined, &problem);
    store_close (&store);
    trust->known = rc == 0;
    return rc == 0 || rc == ERROR_NOT_FOUND ? CLI_DONE : cli_fail_problem (&problem);
}

static const group_t *s_trusted (const trust_t *trust)
{
    if (!trust->known)
        return NULL;
    return trust->joined != NULL ? &trust->joined->group : &trust->group;
}

static void s_trust_clear (trust_t *trust)
{
    group_clear (&trust->group);
    membership_destroy (&trust->joined);
}

/* --- telling --- */

typedef struct {
    const cli_t *cli;
    json_t *lines;
} telling_t;

static void s_line (void *context, const char *line)
{
    telling_t *telling = context;
    json_array_append_new (telling->lines, json_string (line));
    if (!telling->cli->json)
        printf ("  %s\n", line);
}

/* A member that spoke then and was revoked since: what it signed before stays valid. */
static void s_note_revoked (telling_t *telling, const trust_t *trust, bytes_t packed)
{
    statement_t statement;
    char line[200];
    if (trust->joined == NULL || statement_unpack (packed, &statement) != 0)
        return;
    pubkey_t author = statement_author (statement.seal);
    int index = members_find (trust->joined->roster, &author);
    if (index < 0 || trust->joined->roster->members[index].revoked_epoch == 0)
        return;
    snprintf (line, sizeof line, "%s was a member then, revoked since (epoch %llu)",
              output_key (&author).text,
              (unsigned long long)trust->joined->roster->members[index].revoked_epoch);
    s_line (telling, line);
}

static void s_note_all_revoked (telling_t *telling, const trust_t *trust, const package_copy_t *copy)
{
    const package_t *package = &copy->message.as.package;
    s_note_revoked (telling, trust, copy->packed);
    for (size_t i = 0; i < package->evidence.count; i++)
        s_note_revoked (telling, trust, package->evidence.items[i].bytes);
}

static json_t *s_report_json (const package_report_t *report)
{
    char package[DIGEST_TEXT_BYTES], group[DIGEST_TEXT_BYTES], author[DIGEST_TEXT_BYTES],
        candidate[DIGEST_TEXT_BYTES], base[DIGEST_TEXT_BYTES];
    digest_text (&report->package, package);
    digest_text (&report->group, group);
    pubkey_text (&report->author, author);
    digest_text (&report->candidate, candidate);
    digest_text (&report->base, base);
    return json_pack (
        "{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:i, s:i, s:i, s:i, s:i, s:b, s:b, s:i}", "package",
        package, "group", group, "author", author, "candidate", candidate, "base", base, "epoch",
        (json_int_t)report->epoch, "members", (json_int_t)report->members, "consensus",
        report->alone ? "none" : action_name (report->consensus.action), "feedback_asked",
        (int)report->feedback.asked, "feedback_approvals", (int)report->feedback.approvals,
        "validations_confirmed", (int)report->validations.confirmed, "validations_refuted",
        (int)report->validations.refuted, "min_confirmations", (int)report->min_confirmations, "alone",
        (int)report->alone, "unvalidated", (int)report->unvalidated, "signatures", (int)report->signatures);
}

static void s_print_report (const package_report_t *report)
{
    printf ("Package %s by %s, group %s, epoch %llu with %s.\n", output_digest (&report->package).text,
            output_key (&report->author).text, output_digest (&report->group).text,
            (unsigned long long)report->epoch, text_counted (report->members, "member").text);
    if (report->alone) {
        puts ("Made in a group of one: nobody but its author looked at it or measured it, as the policy "
              "allows.\n"
              "That it was alone then is its author's word; to a member's node it is a proposal, no more.");
        return;
    }
    printf ("Feedback: %u of %u approve. Measured again: %u confirm, %u don't (needed: %u).\n",
            report->feedback.approvals, report->feedback.asked, report->validations.confirmed,
            report->validations.refuted, report->min_confirmations);
    if (report->consensus.action == ACTION_REVIEW)
        puts ("Feedback was for review: the operator of its author decided, and only its author says so.");
    if (report->unvalidated)
        puts ("Nobody measured it again, as the policy allows: only its author's numbers speak for it.");
}

/* --- verify --- */

/* `listed`: how many of the signatures were told one by one; the others are the founder's, who alone makes charter and rosters. */
static int s_told_verified (const cli_t *cli, const trust_t *trust, const package_copy_t *copy,
                            unsigned listed, json_t *lines)
{
    bool known = s_trusted (trust) != NULL;
    unsigned signatures = copy->report.signatures;
    assert (listed <= signatures);
    int rc = known ? CLI_DONE : CLI_FAILED;
    if (cli->json) {
        json_t *json = s_report_json (&copy->report);
        json_object_set_new (json, "verdict", json_string (known ? "verified" : "consistent, group unknown"));
        json_object_set (json, "checks", lines);
        int printed = output_json (json);
        return printed == CLI_DONE ? rc : printed;
    }
    s_print_report (&copy->report);
    if (known) {
        printf (
            "%sverified%s: %u signatures hold, the %u listed and %u of the founder on charter and rosters, "
            "and the group's policy is satisfied.\n",
            output_style (cli, OUTPUT_GREEN), output_style (cli, OUTPUT_PLAIN), signatures, listed,
            signatures - listed);
        return CLI_DONE;
    }
    return cli_fail ("consistent, group unknown: its %u signatures hold, the %u listed and %u of "
                     "the founder on charter and rosters, but nothing here says that group %s "
                     "is to be trusted; "
                     "give its charter (`evomesh group members --charter FILE` at a member) with --group "
                     "FILE, or --dir of a member",
                     signatures, listed, signatures - listed, output_digest (&copy->report.group).text);
}

static int s_verify (cli_t *cli)
{
    trust_t trust;
    package_copy_t copy;
    telling_t telling = {cli, json_array ()};
    int rc = s_trust (cli, &trust);
    if (rc == CLI_DONE && (rc = package_copy_read (&copy, cli->operands[0])) == CLI_DONE) {
        rc = package_copy_verify (&copy, s_trusted (&trust), s_line, &telling);
        if (rc == CLI_DONE) {
            unsigned listed = (unsigned)json_array_size (telling.lines);
            s_note_all_revoked (&telling, &trust, &copy);
            rc = s_told_verified (cli, &trust, &copy, listed, telling.lines);
        }
        package_copy_clear (&copy);
    }
    json_decref (telling.lines);
    s_trust_clear (&trust);
    return rc;
}

static const cli_option_t s_verify_options[] = {
    {"group", "FILE", "the charter that is trusted, as `group members --charter FILE` writes it"},
    {NULL, NULL, NULL},
};

const cli_command_t package_verify_command = {
    .name = "package verify",
    .summary = "check a package file offline, down to each signature",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .options = s_verify_options,
    .json = true,
    .details = "Trusts the group of --group, else that of the data directory. Without either a package can "
               "only be found\n"
               "consistent, which is exit 1. Needs no node and no network.",
    .example = "  evomesh package verify best.evomesh --group packers.charter",
    .run = s_verify,
};

/* --- show --- */

static void s_print_text (const char *name, text_t text)
{
    printf ("  %-15s %.*s\n", name, (int)text.size, text.data);
}

static void s_print_package (const cli_t *cli, const package_t *package)
{
    printf ("  %-15s %s\n", "type", improvement_type_text (package->improvement_type));
    for (size_t i = 0; i < package->success_factors.count; i++)
        s_print_text (i == 0 ? "success factors" : "", package->success_factors.items[i].text);
    for (size_t i = 0; i < package->applicability_context.count; i++)
        printf ("  %-15s %s: %s\n", i == 0 ? "fits" : "",
                output_cell (package->applicability_context.items[i].key, 32).text,
                output_cell (package->applicability_context.items[i].value, 80).text);
    output_table_t *table = output_table_new ("~OBJECTIVE|>BETTER BY|?>SPREAD");
    for (size_t i = 0; i < package->performance_impact.count; i++) {
        const delta_t *delta = &package->performance_impact.items[i];
        output_table_row (table, "%s|%s|%s", output_cell (delta->objective, 32).text,
                          output_percent (delta->improvement).text, output_percent (delta->dispersion).text);
    }
    output_table_end (cli, &table);
    printf ("\n%.*s\n", (int)package->code_pattern.size, package->code_pattern.data);
}

static int s_told_package (const cli_t *cli, package_copy_t *copy)
{
    int rc = package_copy_verify (copy, NULL, NULL, NULL);
    if (rc != CLI_DONE)
        return rc;
    if (!cli->json) {
        s_print_report (&copy->report);
        s_print_package (cli, &copy->message.as.package);
        return CLI_DONE;
    }
    json_t *json = s_report_json (&copy->report);
    const package_t *package = &copy->message.as.package;
    json_t *content = output_record (&package_record, package);
    json_object_set_new (content, "improvement_type",
                         json_string (improvement_type_text (package->improvement_type)));
    improvement_name_changes (json_object_get (content, "performance_impact"));
    json_object_set_new (json, "content", content);
    return output_json (json);
}

/* FILE or ID: a file of that name goes first. */
static int s_open_package (const cli_t *cli, package_copy_t *copy)
{
    static const table_t tables[] = {TABLE_PACKAGE};
    store_t *store;
    digest_t id;
    if (access (cli->operands[0], F_OK) == 0)
        return package_copy_read (copy, cli->operands[0]);
    if (strchr (cli->operands[0], '/') != NULL || strchr (cli->operands[0], '.') != NULL)
        return cli_fail ("%s: no such file", cli->operands[0]);
    if (session_open (cli, &store) != CLI_DONE)
        return CLI_FAILED;
    int rc = session_find (store, tables, 1, cli->operands[0], NULL, &id);
    if (rc == CLI_DONE)
        rc = package_copy_load (copy, store, &id);
    store_close (&store);
    return rc;
}

static int s_show (cli_t *cli)
{
    package_copy_t copy;
    int rc = s_open_package (cli, &copy);
    if (rc != CLI_DONE)
        return rc;
    rc = s_told_package (cli, &copy);
    package_copy_clear (&copy);
    return rc;
}

const cli_command_t package_show_command = {
    .name = "package show",
    .summary = "show what a package says",
    .operands = "FILE|ID",
    .operands_min = 1,
    .operands_max = 1,
    .json = true,
    .details = "Checks its signatures first, against the charter in it; `package verify` says whether that "
               "is to be trusted.",
    .example = "  evomesh package show best.evomesh",
    .run = s_show,
};
