/* SPDX-License-Identifier: MPL-2.0 */
/* evomesh group create: founds a group on the node's agent, as it is now. Works on the data directory; no node runs meanwhile. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/cli/agent_copy.h"
#include "node/cli/commands.h"
#include "node/cli/own.h"
#include "node/cli/policy_options.h"
#include "node/io/clock.h"

#define FIRST_SEQ         2 /* even numbers are the node's */
#define FIRST_PUBLICATION 1

/* The first roster is a publication, so that members can pull it. */
static int s_publish (store_t *store, const members_t *roster)
{
    statement_t statement;
    int rc = statement_unpack (bytes_of (roster->packed.data, roster->packed.size), &statement);
    assert (rc == 0);
    return store_statement_put (store, statement.body, statement.body_size, statement.seal,
                                FIRST_PUBLICATION);
}

static int s_save (own_t *own, const group_t *group, const members_t *roster)
{
    static const hints_t none;
    problem_t problem;
    int rc = membership_save (own->store, bytes_of (group->packed.data, group->packed.size),
                              bytes_of (roster->packed.data, roster->packed.size),
                              &keystore_identity (own->keys)->id, &none, &problem);
    if (rc != 0)
        return cli_fail_problem (&problem);
    return s_publish (own->store, roster) == 0
               ? CLI_DONE
               : cli_fail ("the roster could not be stored: %s", store_problem (own->store));
}

/* Founds and stores; the transaction is the caller's. */
static int s_found (const cli_t *cli, own_t *own, const agent_copy_t *copy, const policy_t *policy,
                    group_t *group)
{
    const identity_t *identity = keystore_identity (own->keys);
    uint64_t now_ms = clock_wall_ms ();
    members_t *roster = calloc (1, sizeof *roster);
    assert (roster != NULL);
    int rc = group_found (group, identity, cli->operands[0], copy->agent.name, &copy->evaluator, &copy->start,
                          policy, now_ms);
    if (rc == 0)
        rc = members_found (roster, group, identity, &keystore_curve (own->keys)->public_key,
                            own->config->name, FIRST_SEQ, FIRST_PUBLICATION, now_ms);
    rc = rc == 0 ? s_save (own, group, roster) : cli_fail ("the group can't be founded: %s", error_text (rc));
    members_clear (roster);
    free (roster);
    return rc;
}

static int s_create (const cli_t *cli, own_t *own, const policy_t *policy, group_t *group,
                     agent_copy_t **copy)
{
    if (own->config->agent[0] == '\0')
        return cli_fail ("%s/" CONFIG_FILE
                         ": `agent` is empty, expected your agent's directory; a group is founded on one",
                         cli->directory);
    if (store_begin (own->store) != 0)
        return cli_fail ("the store can't be written: %s", store_problem (own->store));
    *copy = agent_copy_read (own->store, own->config->agent);
    int rc = *copy == NULL ? CLI_FAILED : s_found (cli, own, *copy, policy, group);
    if (rc == CLI_DONE && store_commit (own->store) != 0)
        rc = cli_fail ("the store can't be written: %s", store_problem (own->store));
    if (rc != CLI_DONE)
        store_rollback (own->store);
    return rc;
}

static int s_told (const cli_t *cli, const group_t *group, const agent_copy_t *copy)
{
    char id[DIGEST_TEXT_BYTES], evaluator[DIGEST_TEXT_BYTES];
    digest_text (&group->group, id);
    digest_text (&copy->evaluator, evaluator);
    if (cli->json)
        return output_json (json_pack ("{s:s, s:s, s:s, s:s}", "group", id, "name", group->name, "agent",
                                       group->agent, "evaluator", evaluator));
    printf (
        "Group %s founded, id %.8s: agent %s, evaluator %.8s.\n"
        "Next: `evomesh run --dir %s`; then `evomesh group invite --dir %s` for each machine that joins.\n",
        group->name, id, group->agent, evaluator, cli->directory, cli->directory);
    return CLI_DONE;
}

static int s_run (cli_t *cli)
{
    own_t own;
    policy_t policy;
    group_t group = {0};
    agent_copy_t *copy = NULL;
    if (!text_is_name (text_of (cli->operands[0])))
        return cli_usage (cli, "NAME: found %s, expected 1 to %d letters, digits, '.', '_' or '-'",
                          cli_quote (cli->operands[0]).text, LIMIT_NAME);
    int rc = policy_options_read (cli, &policy);
    if (rc == CLI_DONE)
        rc = own_open (cli, &own);
    if (rc != CLI_DONE)
        return rc;
    rc = own_check_free (&own);
    if (rc == CLI_DONE)
        rc = s_create (cli, &own, &policy, &group, &copy);
    if (rc == CLI_DONE)
        rc = s_told (cli, &group, copy);
    agent_copy_destroy (&copy);
    group_clear (&group);
    own_close (&own);
    return rc;
}

static const cli_option_t s_options[] = {
    POLICY_OPTIONS,
    OWN_PASSPHRASE_OPTION,
    {NULL, NULL, NULL},
};

const cli_command_t group_create_command = {
    .name = "group create",
    .summary = "found a group on this node's agent",
    .operands = "NAME",
    .operands_min = 1,
    .operands_max = 1,
    .options = s_options,
    .json = true,
    .details = "The agent's files as they are now become the group's: the evaluator is pinned by its hash, "
               "and the evolve\n"
               "files are the start. The options make the group's policy, which is part of its charter and "
               "never changes.",
    .example = "  evomesh group create packers --dir ~/mesh/alpha",
    .run = s_run,
};
