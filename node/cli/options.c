/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/cli.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "evolution/decimal.h"
#include "node/io/directory.h"
#include "node/schema.h"

static const cli_option_t s_common[] = {
    {"dir", "DIR", "the node's data directory (default " CLI_DIRECTORY_DEFAULT ")"},
    {"json", NULL, "print JSON"},
    {NULL, NULL, NULL},
};

/* The option of that name (`size` characters of it) that the command takes, or NULL. */
static const cli_option_t *s_find_option (const cli_command_t *command, const char *name, size_t size)
{
    for (const cli_option_t *option = command->options; option != NULL && option->name != NULL; option++)
        if (strlen (option->name) == size && memcmp (option->name, name, size) == 0)
            return option;
    for (const cli_option_t *option = s_common; option->name != NULL; option++) {
        bool taken = strcmp (option->name, "json") == 0 ? command->json : !command->no_directory;
        if (taken && strlen (option->name) == size && memcmp (option->name, name, size) == 0)
            return option;
    }
    return NULL;
}

static int s_give (cli_t *cli, const cli_option_t *option, const char *value)
{
    for (size_t i = 0; i < cli->given_count; i++)
        if (strcmp (cli->given[i].name, option->name) == 0)
            return cli_usage (cli, "--%s is given twice", option->name);
    assert (cli->given_count < CLI_OPTIONS_MAX);
    cli->given[cli->given_count].name = option->name;
    cli->given[cli->given_count++].value = value;
    return CLI_DONE;
}

/* Is the word an option of the command, rather than a value? One that is meant as a value is given by "=". */
static bool s_is_option (const cli_command_t *command, const char *word)
{
    return strncmp (word, "--", 2) == 0 && s_find_option (command, word + 2, strcspn (word + 2, "=")) != NULL;
}

/* One "--name", "--name=value" or "--name value"; `*used` says how many words it took. */
static int s_option (cli_t *cli, int left, char **arguments, int *used)
{
    const char *word = arguments[0] + 2, *equals = strchr (word, '=');
    size_t size = equals != NULL ? (size_t)(equals - word) : strlen (word);
    const cli_option_t *option = s_find_option (cli->command, word, size);
    *used = 1;
    assert (left > 0);
    if (option == NULL)
        return cli_usage (cli, "unknown option --%.*s", (int)(size < 60 ? size : 60), word);
    if (option->argument == NULL)
        return equals != NULL ? cli_usage (cli, "--%s takes no value", option->name)
                              : s_give (cli, option, "");
    if (equals != NULL)
        return s_give (cli, option, equals + 1);
    if (left < 2)
        return cli_usage (cli, "--%s needs a value: --%s %s", option->name, option->name, option->argument);
    if (s_is_option (cli->command, arguments[1]))
        return cli_usage (cli, "--%s needs %s, found %s: --%s %s", option->name,
                          strcmp (option->argument, "N") == 0 ? "a number" : "a value",
                          cli_quote (arguments[1]).text, option->name, option->argument);
    *used = 2;
    return s_give (cli, option, arguments[1]);
}

static int s_operand (cli_t *cli, const char *word)
{
    if (cli->operand_count >= cli->command->operands_max)
        return cli_usage (cli, "%s is one operand too many", cli_quote (word).text);
    assert (cli->operand_count < CLI_OPERANDS_MAX);
    cli->operands[cli->operand_count++] = word;
    return CLI_DONE;
}

static bool s_wants_help (int count, char **arguments)
{
    for (int i = 0; i < count && strcmp (arguments[i], "--") != 0; i++)
        if (strcmp (arguments[i], "--help") == 0 || strcmp (arguments[i], "-h") == 0)
            return true;
    return false;
}

int cli_parse (cli_t *cli, int count, char **arguments, bool *help)
{
    assert (cli != NULL && cli->command != NULL && help != NULL);
    *help = s_wants_help (count, arguments);
    if (*help)
        return CLI_DONE;
    bool only_operands = false;
    for (int i = 0, used; i < count; i += used) {
        const char *word = arguments[i];
        used = 1;
        int rc = CLI_DONE;
        if (!only_operands && strcmp (word, "--") == 0)
            only_operands = true;
        else if (!only_operands && strncmp (word, "--", 2) == 0)
            rc = s_option (cli, count - i, arguments + i, &used);
        else if (!only_operands && word[0] == '-' && word[1] != '\0')
            rc = cli_usage (cli, "unknown option %.60s", word);
        else
            rc = s_operand (cli, word);
        if (rc != CLI_DONE)
            return rc;
    }
    if (cli->operand_count < cli->command->operands_min)
        return cli_usage (cli, "missing operand: %s", cli->command->operands);
    cli->json = cli->command->json && cli_flag (cli, "json");
    return CLI_DONE;
}

bool cli_flag (const cli_t *cli, const char *name)
{
    assert (cli != NULL);
    return cli_value (cli, name, NULL) != NULL;
}

const char *cli_value (const cli_t *cli, const char *name, const char *otherwise)
{
    assert (cli != NULL && cli->given_count <= CLI_OPTIONS_MAX);
    assert (s_find_option (cli->command, name, strlen (name)) != NULL); /* else it could never be given */
    for (size_t i = 0; i < cli->given_count; i++)
        if (strcmp (cli->given[i].name, name) == 0)
            return cli->given[i].value;
    return otherwise;
}

int cli_number (const cli_t *cli, const char *name, uint64_t minimum, uint64_t maximum, uint64_t *number)
{
    assert (cli != NULL && number != NULL && minimum <= maximum);
    const char *text = cli_value (cli, name, NULL);
    if (text == NULL)
        return CLI_DONE;
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull (text, &end, 10);
    bool digits = text[0] != '\0' && strspn (text, "0123456789") == strlen (text);
    if (!digits || errno != 0 || value < minimum || value > maximum)
        return cli_usage (cli, "--%s: found %s, expected a whole number from %llu to %llu", name,
                          cli_quote (text).text, (unsigned long long)minimum, (unsigned long long)maximum);
    *number = value;
    return CLI_DONE;
}

int cli_real (const cli_t *cli, const char *name, double minimum, double maximum, double *number)
{
    assert (cli != NULL && number != NULL && minimum <= maximum);
    const char *text = cli_value (cli, name, NULL);
    if (text == NULL)
        return CLI_DONE;
    size_t size = strlen (text);
    decimal_t decimal;
    if (!decimal_scan (text, size, &decimal) || decimal.length != size || decimal.value < minimum ||
        decimal.value > maximum)
        return cli_usage (cli, "--%s: found %s, expected a number from %g to %g", name, cli_quote (text).text,
                          minimum, maximum);
    *number = decimal.value;
    return CLI_DONE;
}

int cli_duration (const cli_t *cli, const char *name, uint64_t minimum_ms, uint64_t maximum_ms, uint64_t *ms)
{
    assert (cli != NULL && ms != NULL && minimum_ms <= maximum_ms);
    const char *text = cli_value (cli, name, NULL);
    if (text == NULL)
        return CLI_DONE;
    uint64_t value = 0;
    if (schema_duration_ms (text, &value) != 0 || value < minimum_ms || value > maximum_ms)
        return cli_usage (cli, "--%s: found %s, expected a duration such as 90s, 20m or 1h", name,
                          cli_quote (text).text);
    *ms = value;
    return CLI_DONE;
}

int cli_path (const char *directory, const char *name, char path[CLI_PATH_BYTES])
{
    assert (directory != NULL && name != NULL);
    int size = snprintf (path, CLI_PATH_BYTES, "%s/%s", directory, name);
    if (size < 0 || size >= CLI_PATH_BYTES)
        return cli_fail ("the path %.200s… is too long", directory);
    return CLI_DONE;
}

int cli_absolute (const char *path, char absolute[CLI_PATH_BYTES])
{
    assert (path != NULL);
    char here[CLI_PATH_BYTES];
    if (path[0] == '/') {
        if (snprintf (absolute, CLI_PATH_BYTES, "%s", path) >= CLI_PATH_BYTES)
            return cli_fail ("the path %.200s… is too long", path);
    } else {
        if (getcwd (here, sizeof here) == NULL)
            return cli_fail ("the working directory can't be read: %s", strerror (errno));
        if (cli_path (here, path, absolute) != CLI_DONE)
            return CLI_FAILED;
    }
    assert (absolute[0] == '/');
    for (size_t size = strlen (absolute); size > 1 && absolute[size - 1] == '/'; size--)
        absolute[size - 1] = '\0';
    return CLI_DONE;
}

int cli_directory (cli_t *cli)
{
    assert (cli != NULL);
    problem_t problem;
    _Static_assert(CLI_PATH_BYTES == DIRECTORY_PATH_MAX, "both hold a path");
    if (directory_choose (cli_value (cli, "dir", NULL), cli->directory, &problem) != 0)
        return cli_fail_problem (&problem);
    return CLI_DONE;
}

int cli_directory_option (const cli_t *cli, const char *name, char *out, size_t size)
{
    assert (cli != NULL && name != NULL && out != NULL);
    char path[CLI_PATH_BYTES];
    struct stat status;
    const char *value = cli_value (cli, name, NULL);
    if (value == NULL)
        return CLI_DONE;
    if (cli_absolute (value, path) != CLI_DONE)
        return CLI_FAILED;
    if (stat (path, &status) != 0)
        return cli_fail ("--%s %s: %s", name, value, strerror (errno));
    if (!S_ISDIR (status.st_mode))
        return cli_fail ("--%s %s: found a file, expected a directory", name, value);
    if (strlen (path) >= size)
        return cli_fail ("--%s %.200s…: the path is too long", name, value);
    strcpy (out, path);
    return CLI_DONE;
}
