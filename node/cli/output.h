/* SPDX-License-Identifier: MPL-2.0 */
/* How commands print: JSON for programs, aligned tables and some colour for people. Texts that came from peers hold no control
 * characters but newline and tab (protocol/record checked that); table cells turn these into spaces. */
#ifndef EVOMESH_NODE_CLI_OUTPUT_H
#define EVOMESH_NODE_CLI_OUTPUT_H

#include <jansson.h>

#include "crypto/identity.h"
#include "node/cli/cli.h"
#include "protocol/record.h"

/* --- JSON --- */

/* Prints the value and releases it. `line`: on one line, flushed, as a stream of them wants. Returns CLI_DONE, or CLI_FAILED
 * if it could not be made (told) or written (cli_main tells it at the end). */
int output_json (json_t *value);
int output_json_line (json_t *value);
/* The text that output_json prints, to be freed; NULL when out of memory. The value stays the caller's. */
char *output_json_text (const json_t *value);

/* A record as a JSON value: digests and keys in base32, null for none, lists as arrays. NULL when out of memory. */
json_t *output_record (const record_t *record, const void *value);

/* --- tables --- */
typedef struct output_table output_table_t;

/* A table whose columns are named by `heads`, separated by '|'. Before a head '>' aligns the column to the right; where a terminal
 * is too narrow (cli->width) columns with '?' are left out, the last first, then those with '~' cut with "…", and where little would
 * be left of these, columns with '!' are left out before. */
output_table_t *output_table_new (const char *heads);
/* Adds a row: cells separated by '|' in the text that the format gives. Cells made of foreign text go through output_cell. */
void output_table_row (output_table_t *self, const char *format, ...) __attribute__ ((format (printf, 2, 3)));
size_t output_table_count (const output_table_t *self);
/* Prints the table if it has rows, and frees it. */
void output_table_end (const cli_t *cli, output_table_t **self_p);
/* Frees it unprinted. */
void output_table_free (output_table_t **self_p);

/* --- parts of lines --- */
#define OUTPUT_CELL_BYTES 128

typedef struct {
    char text[OUTPUT_CELL_BYTES];
} output_cell_t;

/* A text whole, on one line, that may stand in a cell: '|' and white space become spaces. */
typedef struct {
    char text[LIMIT_LONG_TEXT + 1];
} output_text_t;
output_text_t output_text (text_t text);
/* Prints a line, whole or, on a terminal that is narrower (cli->width), cut with "…". Styles in it (output_style) take no room. */
void output_line (const cli_t *cli, const char *line);
/* A text that may stand in a cell or a line: '|' and white space become spaces, and it is cut with "…" at `width` characters. */
output_cell_t output_cell (text_t text, size_t width);
/* Adds a part to the list in a cell that is empty at first: ", " stands between two, and "…" for all that have no room. Returns
 * false for those. */
bool output_list (output_cell_t *cell, const char *format, ...) __attribute__ ((format (printf, 2, 3)));
output_cell_t output_time (uint64_t time_ms);     /* UTC: "2026-03-01 12:30:05"; "-" for 0 */
output_cell_t output_ago (uint64_t time_ms);      /* "3 min ago" */
output_cell_t output_number (double value);       /* "5.371"; "-" if it isn't one */
output_cell_t output_percent (double ratio);      /* "+1.25 %", "+1e+310 %"; "-" if it isn't a number */
output_cell_t output_digest (const digest_t *id); /* short; "-" for zero */
output_cell_t output_key (const pubkey_t *key);

typedef enum {
    OUTPUT_PLAIN,
    OUTPUT_BOLD,
    OUTPUT_DIM,
    OUTPUT_GREEN,
    OUTPUT_YELLOW,
    OUTPUT_RED
} output_style_t;
/* The escape sequence of a style, "" where there is no colour. OUTPUT_PLAIN ends the others. */
const char *output_style (const cli_t *cli, output_style_t style);

/* Asks a question on the terminal: true for "y" or "yes". Ctrl-C (as any wish that the program end) is a no; and without a terminal
 * to ask on: false. */
bool output_confirm (const char *question);

#endif
