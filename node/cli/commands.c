/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/commands.h"

#include <assert.h>
#include <string.h>

static const cli_command_t *const s_commands[] = {
    &init_command,           &doctor_command,         &run_command,          &agent_new_command,
    &agent_check_command,    &group_create_command,   &group_invite_command, &group_join_command,
    &group_leave_command,    &group_members_command,  &group_revoke_command, &status_command,
    &summary_command,        &watch_command,          &log_command,          &show_command,
    &diff_command,           &propose_command,        &pause_command,        &resume_command,
    &approve_command,        &reject_command,         &snapshots_command,    &rollback_command,
    &package_export_command, &package_import_command, &package_show_command, &package_verify_command,
    &package_list_command,   &config_command,         &replay_command,       &help_command,
    &version_command,
};

const cli_command_t *const *cli_commands (size_t *count)
{
    assert (count != NULL);
    *count = sizeof s_commands / sizeof *s_commands;
    return s_commands;
}

/* True if the words are the command's name; `*used` says how many of them. */
static bool s_matches (const cli_command_t *command, int count, char **words, int *used)
{
    const char *space = strchr (command->name, ' ');
    size_t first = space == NULL ? strlen (command->name) : (size_t)(space - command->name);
    if (strlen (words[0]) != first || memcmp (words[0], command->name, first) != 0)
        return false;
    *used = space == NULL ? 1 : 2;
    return space == NULL || (count > 1 && strcmp (words[1], space + 1) == 0);
}

const cli_command_t *cli_find (int count, char **words, int *used)
{
    assert (words != NULL && used != NULL);
    for (size_t i = 0; count > 0 && i < sizeof s_commands / sizeof *s_commands; i++)
        if (s_matches (s_commands[i], count, words, used))
            return s_commands[i];
    return NULL;
}
