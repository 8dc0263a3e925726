/* SPDX-License-Identifier: MPL-2.0 */
/* evomesh package export, import, list. */
#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#include "evolution/decimal.h"
#include "evolution/improvement.h"
#include "node/cli/commands.h"
#include "node/cli/improvement_print.h"
#include "node/cli/package_file.h"

/* --- export --- */

/* The package that `text` names: itself, or an improvement that came of it or was shared as it. */
static int s_find_package (store_t *store, const char *text, digest_t *id)
{
    static const table_t tables[] = {TABLE_PACKAGE, TABLE_IMPROVEMENT};
    table_t table;
    if (session_find (store, tables, 2, text, &table, id) != CLI_DONE)
        return CLI_FAILED;
    if (table == TABLE_PACKAGE)
        return CLI_DONE;
    improvement_row_t row;
    uint8_t *bytes;
    arena_t arena = {0};
    if (session_record (store, TABLE_IMPROVEMENT, &improvement_row_record, id, &row, &bytes, &arena) !=
        CLI_DONE)
        return CLI_FAILED;
    *id = row.package;
    uint64_t state = row.state;
    free (bytes);
    arena_clear (&arena);
    if (digest_is_zero (id))
        return cli_fail ("improvement %s is %s: only a shared one is a package", text,
                         improvement_state_text (state));
    return CLI_DONE;
}

static int s_export_id (const cli_t *cli, store_t *store)
{
    digest_t id;
    char text[DIGEST_TEXT_BYTES];
    package_copy_t copy;
    buffer_t bytes = {0};
    if (s_find_package (store, cli->operands[0], &id) != CLI_DONE ||
        package_copy_load (&copy, store, &id) != CLI_DONE)
        return CLI_FAILED;
    int rc = package_copy_verify (&copy, NULL, NULL, NULL);
    if (rc == CLI_DONE)
        rc = package_copy_encode (&copy, store, &bytes);
    if (rc == CLI_DONE)
        rc = session_write_new (cli->operands[1], bytes.data, bytes.size, 0644);
    digest_text (&id, text);
    if (rc == CLI_DONE && cli->json)
        rc = output_json (json_pack ("{s:s, s:s, s:I}", "package", text, "file", cli->operands[1], "bytes",
                                     (json_int_t)bytes.size));
    else if (rc == CLI_DONE)
        printf ("Package %.8s is in %s, %zu bytes. `evomesh package verify %s` checks it here, and elsewhere "
                "with --group FILE, the charter that `evomesh group members --charter FILE` writes.\n",
                text, cli->operands[1], bytes.size, cli->operands[1]);
    buffer_clear (&bytes);
    package_copy_clear (&copy);
    return rc;
}

static int s_export (cli_t *cli)
{
    store_t *store;
    if (session_open (cli, &store) != CLI_DONE)
        return CLI_FAILED;
    int rc = s_export_id (cli, store);
    store_close (&store);
    return rc;
}

const cli_command_t package_export_command = {
    .name = "package export",
    .summary = "write a knowledge package to a file",
    .operands = "ID FILE",
    .operands_min = 2,
    .operands_max = 2,
    .json = true,
    .details = "ID is a package or a shared improvement, or its first 4 or more characters. The file holds "
               "the signed package,\n"
               "its evidence, and the files that it names. The node need not run.",
    .example = "  evomesh package export k3jd82ka best.evomesh",
    .run = s_export,
};

/* --- import --- */

static json_t *s_base64 (bytes_t bytes)
{
    size_t room = sodium_base64_ENCODED_LEN (bytes.size, sodium_base64_VARIANT_ORIGINAL);
    char *text = malloc (room);
    assert (text != NULL);
    sodium_bin2base64 (text, room, bytes.data, bytes.size, sodium_base64_VARIANT_ORIGINAL);
    json_t *json = json_string (text);
    free (text);
    return json;
}

static json_t *s_request (const package_copy_t *copy)
{
    json_t *contents = json_array ();
    for (size_t i = 0; i < copy->file.contents.count; i++)
        json_array_append_new (contents, s_base64 (copy->file.contents.items[i].bytes));
    /* The lists of files are contents too: the node asks for them by the ids of base and candidate. */
    json_array_append_new (contents, s_base64 (copy->message.as.package.base));
    json_array_append_new (contents, s_base64 (copy->message.as.package.candidate));
    return json_pack ("{s:o, s:o}", "content", s_base64 (copy->packed), "contents", contents);
}

static int s_import (cli_t *cli)
{
    package_copy_t copy;
    json_t *result = NULL;
    if (package_copy_read (&copy, cli->operands[0]) != CLI_DONE)
        return CLI_FAILED;
    int rc = package_copy_verify (&copy, NULL, NULL, NULL); /* the node holds it against its own group */
    if (rc == CLI_DONE)
        rc = session_ask_with (cli, "import", s_request (&copy), &result);
    package_copy_clear (&copy);
    if (rc != CLI_DONE)
        return rc;
    if (cli->json)
        return output_json (result);
    const char *text = json_string_value (json_object_get (result, "text"));
    const char *value = json_string_value (json_object_get (result, "value"));
    printf ("Package %.8s: %s\n", value == NULL ? "" : value, text == NULL ? "" : text);
    json_decref (result);
    return CLI_DONE;
}

const cli_command_t package_import_command = {
    .name = "package import",
    .summary = "let the running node try a package from a file",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .json = true,
    .details = "Import is a proposal, never trust: the node verifies the package, measures it on its own "
               "data, and adopts it only\n"
               "if it is better here too.",
    .example = "  evomesh package import best.evomesh",
    .run = s_import,
};

/* --- list --- */

static const char *s_status (uint64_t status)
{
    static const char *const names[] = {"own", "waiting", "adopted", "rejected"};
    return status < sizeof names / sizeof *names ? names[status] : "unknown";
}

typedef struct {
    output_table_t *table;
    json_t *list;
    double threshold; /* that a package's fit must be above */
} listing_t;

/* What is short of 1, of which each part of its fit is made: "merge 0 of 1, sender 0.5 of 1". */
static output_cell_t s_misfits (const package_row_t *row)
{
    output_cell_t cell = {""};
    for (size_t i = 0; i < row->parts.count; i++) {
        decimal_t part;
        const entry_t *entry = &row->parts.items[i];
        if (decimal_scan (entry->value.data, entry->value.size, &part) && part.value < 1)
            output_list (&cell, "%s %g of 1", output_cell (entry->key, LIMIT_NAME).text, part.value);
    }
    return cell;
}

/* Why it stands where it does, for people; what STATUS says already isn't said again. */
static output_text_t s_why (const listing_t *listing, const package_row_t *row)
{
    output_text_t why = {""};
    const char *reason = improvement_reason_text (row->reason);
    if (row->reason == REASON_INCOMPATIBLE && row->parts.count == 0)
        snprintf (why.text, sizeof why.text, "%s: its files don't merge with the live release", reason);
    else if (row->reason == REASON_INCOMPATIBLE)
        snprintf (why.text, sizeof why.text, "%s: fits %s, expected above %s (%s)", reason,
                  output_number (row->compatibility).text, output_number (listing->threshold).text,
                  s_misfits (row).text);
    else if (row->reason != REASON_NONE && row->reason != REASON_ADOPTED)
        snprintf (why.text, sizeof why.text, "%s", reason);
    return why;
}

/* {"objectives": 1.0, …}, each part of how it fits here; null before it was compared. */
static json_t *s_parts (const package_row_t *row)
{
    if (row->parts.count == 0)
        return json_null ();
    json_t *parts = json_object ();
    for (size_t i = 0; i < row->parts.count; i++) {
        decimal_t part;
        const entry_t *entry = &row->parts.items[i];
        bool is_number = decimal_scan (entry->value.data, entry->value.size, &part);
        json_object_set_new (parts, output_cell (entry->key, LIMIT_NAME).text,
                             is_number ? json_real (part.value) : json_null ());
    }
    return parts;
}

static int s_visit (void *context, uint64_t number, const digest_t *key, const uint8_t *bytes, size_t size)
{
    (void)number, (void)key;
    listing_t *listing = context;
    package_row_t row;
    arena_t arena = {0};
    if (record_decode (&package_row_record, bytes, size, &row, &arena, NULL) != 0)
        return ERROR_MALFORMED;
    json_t *json = output_record (&package_row_record, &row);
    json_object_set_new (json, "status", json_string (s_status (row.status)));
    json_object_set_new (json, "reason", json_string (improvement_reason_text (row.reason)));
    json_object_set_new (json, "parts", s_parts (&row));
    json_object_set_new (json, "why", json_string (s_why (listing, &row).text));
    json_array_append_new (listing->list, json);
    char sent[48] = "";
    if (row.status == 0)
        snprintf (sent, sizeof sent, "%llu of %llu", (unsigned long long)row.adopted,
                  (unsigned long long)row.sent);
    output_table_row (listing->table, "%s|%s|%s|%s|%s|%s|%s", output_time (row.time_ms).text,
                      output_digest (&row.id).text, output_key (&row.author).text, s_status (row.status),
                      output_number (row.compatibility).text, sent, s_why (listing, &row).text);
    arena_clear (&arena);
    return 0;
}

static int s_list (cli_t *cli)
{
    store_t *store;
    config_t *config = session_config (cli);
    if (config == NULL)
        return CLI_FAILED;
    double threshold = config->knowledge_transfer.compatibility_threshold;
    free (config);
    if (session_open (cli, &store) != CLI_DONE)
        return CLI_FAILED;
    listing_t listing = {output_table_new ("!TIME (UTC)|PACKAGE|?AUTHOR|STATUS|?>FITS|?>ADOPTED BY|~WHY"),
                         json_array (), threshold};
    int rc = store_record_walk (store, TABLE_PACKAGE, 0, false, s_visit, &listing);
    rc = rc == 0 ? CLI_DONE : cli_fail ("the packages can't be read: %s", store_problem (store));
    store_close (&store);
    if (rc == CLI_DONE && !cli->json) {
        if (output_table_count (listing.table) == 0)
            puts ("no packages yet");
        output_table_end (cli, &listing.table);
    } else
        output_table_free (&listing.table);
    if (rc == CLI_DONE && cli->json)
        return output_json (listing.list);
    json_decref (listing.list);
    return rc;
}

const cli_command_t package_list_command = {
    .name = "package list",
    .summary = "list packages: own and peers', and what became of them",
    .operands = "",
    .json = true,
    .example = "  evomesh package list",
    .run = s_list,
};
