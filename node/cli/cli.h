/* SPDX-License-Identifier: MPL-2.0 */
/* The command line: what a command is, what it is given, and how it talks. Each command is one table entry (summary, usage,
 * options, an example) beside its function; everything that all commands share (parsing, --help, --dir, --json, exit codes)
 * is here, once. */
#ifndef EVOMESH_NODE_CLI_CLI_H
#define EVOMESH_NODE_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "node/schema.h"
#include "protocol/error.h"

/* How a command ends. */
#define CLI_DONE   0
#define CLI_FAILED 1
#define CLI_USAGE  2

#define CLI_PATH_BYTES  4096
#define CLI_OPTIONS_MAX 16
/* What directory_choose takes without --dir. */
#define CLI_DIRECTORY_DEFAULT "$EVOMESH_DIR, else $XDG_DATA_HOME/evomesh, else ~/.local/share/evomesh"
#define CLI_OPERANDS_MAX      4

/* What a command takes beside its operands. */
typedef struct {
    const char *name;     /* without the dashes; NULL ends the list */
    const char *argument; /* e.g. "N"; NULL for a flag */
    const char *help;
} cli_option_t;

typedef struct cli cli_t;

typedef struct {
    const char *name;     /* "status"; "group create" */
    const char *summary;  /* one line */
    const char *operands; /* "TOKEN", "[ID]", "" */
    size_t operands_min;
    size_t operands_max;
    const cli_option_t *options; /* of its own; may be NULL */
    bool json;                   /* takes --json */
    bool no_directory;           /* doesn't look at a data directory: takes no --dir */
    const char *details;         /* paragraphs for --help; may be NULL */
    void (*more) (FILE *out);    /* prints what --help says behind them from a table; may be NULL */
    const char *example;         /* lines that can be copied */
    int (*run) (cli_t *cli);     /* returns CLI_DONE, CLI_FAILED or CLI_USAGE */
} cli_command_t;

/* A parsed command line. Texts are borrowed from argv and the environment. */
struct cli {
    const cli_command_t *command;
    char directory[CLI_PATH_BYTES]; /* of data; absolute */
    char prefix[CLI_PATH_BYTES];    /* where the program is installed: <prefix>/bin/evomesh */
    const char *operands[CLI_OPERANDS_MAX];
    size_t operand_count;
    struct {
        const char *name;
        const char *value; /* "" for a flag */
    } given[CLI_OPTIONS_MAX];
    size_t given_count;
    bool json;
    size_t width; /* columns of the terminal that stdout is; 0: it is none, or doesn't say */
    bool colour;  /* stdout is a terminal and NO_COLOR isn't set */
};

/* Runs the program: finds the command, parses, runs it. Returns the exit code. */
int cli_main (int argc, char **argv);

/* --- options.c: what was given --- */

/* Splits argv (behind the command's name) by the command's table. Returns CLI_DONE; CLI_USAGE with the message already
 * told; `*help` is set if --help is among them (then nothing else is checked). */
int cli_parse (cli_t *cli, int count, char **arguments, bool *help);

bool cli_flag (const cli_t *cli, const char *name);
/* The option's argument; `otherwise` (may be NULL) if it wasn't given. */
const char *cli_value (const cli_t *cli, const char *name, const char *otherwise);
/* The option as a whole number within [minimum, maximum] into `*number`, which is left alone if it wasn't given. CLI_DONE, or
 * CLI_USAGE with the message told. */
int cli_number (const cli_t *cli, const char *name, uint64_t minimum, uint64_t maximum, uint64_t *number);
/* The same for a real number. */
int cli_real (const cli_t *cli, const char *name, double minimum, double maximum, double *number);
/* The same for a duration such as "90s" or "1h", in milliseconds. */
int cli_duration (const cli_t *cli, const char *name, uint64_t minimum_ms, uint64_t maximum_ms, uint64_t *ms);

/* How wide the terminal behind stdout is now, for cli->width. */
size_t cli_terminal_width (void);

/* Where the data is: --dir, else what directory_choose takes in its place; made absolute. */
int cli_directory (cli_t *cli);

/* `path` made absolute by the working directory, without slashes at its end. */
int cli_absolute (const char *path, char absolute[CLI_PATH_BYTES]);

/* The directory at the option's value, absolute, into `out`, which is left alone if it wasn't given; what isn't a directory is told. */
int cli_directory_option (const cli_t *cli, const char *name, char *out, size_t size);

/* Writes "<directory>/<name>" into `path`; a path that is too long is a failure that is told. */
int cli_path (const char *directory, const char *name, char path[CLI_PATH_BYTES]);

/* --- commands.c: the table --- */

const cli_command_t *const *cli_commands (size_t *count);
/* The command that the words name (one or two of them; `*words` says how many), or NULL. */
const cli_command_t *cli_find (int count, char **words, int *used);

/* --- help.c --- */
void cli_help_overview (FILE *out);
void cli_help_command (const cli_command_t *command, FILE *out);
/* The commands that start with the word, e.g. "group"; false if there are none. */
bool cli_help_family (const char *word, FILE *out);

/* --- what went wrong: "evomesh: …" on stderr, without control characters whoever the words are from --- */
int cli_fail (const char *format, ...) __attribute__ ((format (printf, 1, 2)));  /* returns CLI_FAILED */
int cli_fail_problem (const problem_t *problem);                                 /* returns CLI_FAILED */
void cli_note (const char *format, ...) __attribute__ ((format (printf, 1, 2))); /* nothing wrong yet */
int cli_usage (const cli_t *cli, const char *format, ...)
    __attribute__ ((format (printf, 2, 3))); /* CLI_USAGE */

/* A word of the command line as messages show it: in quotes, its beginning if it is long. */
typedef struct {
    char text[SCHEMA_QUOTE_BYTES];
} cli_quote_t;
cli_quote_t cli_quote (const char *word);

#endif
