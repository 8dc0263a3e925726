/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/cli.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "node/cli/commands.h"
#include "protocol/record.h"

#define MESSAGE_BYTES (4 * CLI_PATH_BYTES)

/* A message may hold words of the command line, file names, what a program said: none of that moves the cursor or changes colours. */
static void s_put_message (const char *format, va_list arguments)
{
    static const char cut[] = "…";
    char message[MESSAGE_BYTES], clean[MESSAGE_BYTES];
    int size = vsnprintf (message, sizeof message, format, arguments);
    text_clean (text_of (message), clean, sizeof clean);
    fputs (clean, stderr);
    fputs (size < (int)sizeof message ? "" : cut, stderr);
}

static void s_say (const char *format, va_list arguments)
{
    fflush (stdout);
    fputs ("evomesh: ", stderr);
    s_put_message (format, arguments);
    fputc ('\n', stderr);
}

cli_quote_t cli_quote (const char *word)
{
    assert (word != NULL);
    cli_quote_t quote;
    schema_quote (word, strlen (word), quote.text);
    return quote;
}

int cli_fail (const char *format, ...)
{
    va_list arguments;
    va_start (arguments, format);
    s_say (format, arguments);
    va_end (arguments);
    return CLI_FAILED;
}

void cli_note (const char *format, ...)
{
    va_list arguments;
    va_start (arguments, format);
    s_say (format, arguments);
    va_end (arguments);
}

int cli_fail_problem (const problem_t *problem)
{
    return cli_fail ("%s", problem->text);
}

int cli_usage (const cli_t *cli, const char *format, ...)
{
    assert (cli != NULL);
    va_list arguments;
    fprintf (stderr, "evomesh %s: ", cli->command->name);
    va_start (arguments, format);
    s_put_message (format, arguments);
    va_end (arguments);
    fprintf (stderr, "\nSee `evomesh %s --help`.\n", cli->command->name);
    return CLI_USAGE;
}

/* Where the program is installed: what holds its bin/ directory. */
static void s_find_prefix (cli_t *cli)
{
    ssize_t size = readlink ("/proc/self/exe", cli->prefix, sizeof cli->prefix - 1);
    cli->prefix[size > 0 ? size : 0] = '\0';
    for (int level = 0; level < 2; level++) {
        char *slash = strrchr (cli->prefix, '/');
        if (slash != NULL)
            *slash = '\0';
    }
}

/* One word or two, as a command's name is. */
static cli_quote_t s_quote_words (int count, char **words)
{
    char name[2 * SCHEMA_QUOTE_BYTES]; /* longer than what is shown of it */
    assert (count > 0);
    (void)snprintf (name, sizeof name, "%s%s%s", words[0], count > 1 ? " " : "", count > 1 ? words[1] : "");
    return cli_quote (name);
}

static int s_unknown (int count, char **words)
{
    if (cli_help_family (words[0], stderr)) {
        if (count > 1 && words[1][0] != '-')
            cli_fail ("%s is no command", s_quote_words (count, words).text);
        return CLI_USAGE;
    }
    cli_fail ("%s is no command; `evomesh help` lists them", cli_quote (words[0]).text);
    return CLI_USAGE;
}

size_t cli_terminal_width (void)
{
    struct winsize size;
    return ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static int s_run_command (const cli_command_t *command, int count, char **arguments)
{
    assert (command->run != NULL && command->summary != NULL && command->example != NULL);
    assert (command->operands_min <= command->operands_max && command->operands_max <= CLI_OPERANDS_MAX);
    bool help;
    cli_t *cli = calloc (1, sizeof *cli);
    if (cli == NULL)
        return cli_fail ("%s", error_text (ERROR_MEMORY));
    const char *no_colour = getenv ("NO_COLOR");
    cli->command = command;
    cli->colour = isatty (STDOUT_FILENO) && (no_colour == NULL || no_colour[0] == '\0');
    cli->width = cli_terminal_width ();
    s_find_prefix (cli);
    int rc = cli_parse (cli, count, arguments, &help);
    if (rc == CLI_DONE && help)
        cli_help_command (command, stdout);
    else {
        if (rc == CLI_DONE && !command->no_directory)
            rc = cli_directory (cli);
        if (rc == CLI_DONE)
            rc = command->run (cli);
    }
    free (cli);
    return rc;
}

/* Nobody reads the pipe behind stdout any more, as with `| head`. */
static bool s_reader_gone (void)
{
    struct pollfd out = {.fd = STDOUT_FILENO};
    return poll (&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

/* A full disk or a closed pipe behind stdout is a failure too; of the pipe there is nothing to tell. */
static int s_finish (int rc)
{
    if (fflush (stdout) != 0 || ferror (stdout)) {
        if (!s_reader_gone ())
            cli_fail ("stdout can't be written: %s", strerror (errno));
        return rc == CLI_DONE ? CLI_FAILED : rc;
    }
    return rc;
}

int cli_main (int argc, char **argv)
{
    assert (argv != NULL);
    int used = 0;
    if (argc < 2) {
        cli_help_overview (stderr);
        return CLI_USAGE;
    }
    if (strcmp (argv[1], "--help") == 0 || strcmp (argv[1], "-h") == 0) {
        cli_help_overview (stdout);
        return s_finish (CLI_DONE);
    }
    const cli_command_t *command =
        strcmp (argv[1], "--version") == 0 ? &version_command : cli_find (argc - 1, argv + 1, &used);
    if (command == &version_command)
        used = 1;
    if (command == NULL && argc > 2 && strcmp (argv[2], "--help") == 0 && cli_help_family (argv[1], stdout))
        return s_finish (CLI_DONE);
    if (command == NULL)
        return s_unknown (argc - 1, argv + 1);
    return s_finish (s_run_command (command, argc - 1 - used, argv + 1 + used));
}

/* --- help and version --- */

static int s_help (cli_t *cli)
{
    int used;
    char *words[2] = {NULL, NULL};
    for (size_t i = 0; i < cli->operand_count; i++)
        words[i] = (char *)(uintptr_t)cli->operands[i];
    if (cli->operand_count == 0) {
        cli_help_overview (stdout);
        return CLI_DONE;
    }
    const cli_command_t *command = cli_find ((int)cli->operand_count, words, &used);
    if (command != NULL && used == (int)cli->operand_count) {
        cli_help_command (command, stdout);
        return CLI_DONE;
    }
    if (cli->operand_count == 1 && cli_help_family (words[0], stdout))
        return CLI_DONE;
    if (!cli_help_family (words[0], stderr))
        cli_help_overview (stderr);
    cli_fail ("%s is no command", s_quote_words ((int)cli->operand_count, words).text);
    return CLI_USAGE;
}

const cli_command_t help_command = {
    .name = "help",
    .summary = "list the commands, or tell about one",
    .operands = "[COMMAND]",
    .operands_max = 2,
    .no_directory = true,
    .example = "  evomesh help group invite",
    .run = s_help,
};

static int s_version (cli_t *cli)
{
    (void)cli;
    printf ("evomesh %s\n", EVOMESH_VERSION);
    return CLI_DONE;
}

const cli_command_t version_command = {
    .name = "version",
    .summary = "print the version",
    .operands = "",
    .no_directory = true,
    .example = "  evomesh version",
    .run = s_version,
};
