/* SPDX-License-Identifier: MPL-2.0 */
/* The options of `group create` that make a group's policy, declared once: they are read by `group create` and shown by `config`. */
#ifndef EVOMESH_NODE_CLI_POLICY_OPTIONS_H
#define EVOMESH_NODE_CLI_POLICY_OPTIONS_H

#include <jansson.h>

#include "node/cli/cli.h"
#include "protocol/group.h"

/* Entries for a table of options. */
#define POLICY_OPTIONS                                                                                 \
    {"min-improvement", "SHARE", "weighted improvement that a candidate needs (default 0.005)"},       \
        {"approve-threshold", "SHARE", "of approvals, from which feedback approves (default 0.7)"},    \
        {"review-threshold", "SHARE", "of approvals, below which feedback rejects (default 0.4)"},     \
        {"quorum", "SHARE", "of those asked, that must answer (default 0.5)"},                         \
        {"feedback-deadline", "DURATION", "for feedback (default 5s)"},                                \
        {"max-validators", "N", "members that measure again (default 5)"},                             \
        {"min-confirmations", "N", "that are needed (default 0: 3, or all others if they are fewer)"}, \
        {"consensus-threshold", "SHARE", "of confirmations among results (default 0.7)"},              \
        {"held-expiry", "DURATION", "after which a held improvement is rejected (default 24h)"},       \
    {                                                                                                  \
        "allow-unvalidated", NULL, "apply what no member could measure again"                          \
    }

/* The default policy, and what the options say. CLI_DONE, or CLI_USAGE with the message told. */
int policy_options_read (const cli_t *cli, policy_t *policy);

/* An object with the value of each option, named and written as the command line takes it; a flag's is true or false. */
json_t *policy_options_show (const policy_t *policy);

#endif
