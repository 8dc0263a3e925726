/* SPDX-License-Identifier: MPL-2.0 */
/* Every command, each declared in the file that does it. */
#ifndef EVOMESH_NODE_CLI_COMMANDS_H
#define EVOMESH_NODE_CLI_COMMANDS_H

#include "node/cli/cli.h"

extern const cli_command_t init_command, doctor_command, run_command;                      /* a node */
extern const cli_command_t agent_new_command, agent_check_command;                         /* a program */
extern const cli_command_t group_create_command, group_invite_command, group_join_command; /* a group */
extern const cli_command_t group_leave_command, group_members_command, group_revoke_command;
extern const cli_command_t status_command, summary_command, watch_command, log_command, show_command,
    diff_command;                                                                           /* looking */
extern const cli_command_t propose_command, pause_command, resume_command, approve_command; /* steering */
extern const cli_command_t reject_command, snapshots_command, rollback_command;
extern const cli_command_t package_export_command, package_import_command,
    package_show_command; /* knowledge */
extern const cli_command_t package_verify_command, package_list_command;
extern const cli_command_t config_command, replay_command, help_command, version_command; /* the rest */

#endif
