/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/cli.h"

#include <assert.h>
#include <string.h>

static void s_line (FILE *out, const char *left, const char *right)
{
    int width = (int)strlen (left);
    fprintf (out, "  %s%*s%s\n", left, width < 24 ? 24 - width : 2, "", right);
}

void cli_help_overview (FILE *out)
{
    size_t count;
    const cli_command_t *const *commands = cli_commands (&count);
    fputs ("evomesh: a group of machines improves a program together.\n\n"
           "Usage: evomesh COMMAND [OPTION…] [OPERAND…]\n\nCommands:\n",
           out);
    for (size_t i = 0; i < count; i++)
        s_line (out, commands[i]->name, commands[i]->summary);
    fputs ("\n`evomesh help COMMAND` tells more, with an example.\n"
           "Exit code: 0 done, 1 failed, 2 usage.\n",
           out);
}

bool cli_help_family (const char *word, FILE *out)
{
    size_t count, size = strlen (word);
    bool found = false;
    const cli_command_t *const *commands = cli_commands (&count);
    for (size_t i = 0; i < count; i++) {
        if (strncmp (commands[i]->name, word, size) != 0 || commands[i]->name[size] != ' ')
            continue;
        if (!found)
            fprintf (out, "Usage: evomesh %s COMMAND\n\nCommands:\n", word);
        found = true;
        s_line (out, commands[i]->name, commands[i]->summary);
    }
    return found;
}

static void s_option (FILE *out, const char *name, const char *argument, const char *help)
{
    char left[64];
    snprintf (left, sizeof left, "--%s%s%s", name, argument == NULL ? "" : " ",
              argument == NULL ? "" : argument);
    s_line (out, left, help);
}

void cli_help_command (const cli_command_t *command, FILE *out)
{
    assert (command != NULL);
    fprintf (out, "%s: %s\n\nUsage: evomesh %s [OPTION…]%s%s\n", command->name, command->summary,
             command->name, command->operands[0] == '\0' ? "" : " ", command->operands);
    if (command->details != NULL)
        fprintf (out, "\n%s\n", command->details);
    if (command->more != NULL)
        command->more (out);
    fputs ("\nOptions:\n", out);
    for (const cli_option_t *option = command->options; option != NULL && option->name != NULL; option++)
        s_option (out, option->name, option->argument, option->help);
    if (!command->no_directory)
        s_option (out, "dir", "DIR", "data directory (default " CLI_DIRECTORY_DEFAULT ")");
    if (command->json)
        s_option (out, "json", NULL, "print JSON");
    s_option (out, "help", NULL, "this text");
    fprintf (out, "\nExample:\n%s\n", command->example);
}
