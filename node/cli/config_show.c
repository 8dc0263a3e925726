/* SPDX-License-Identifier: MPL-2.0 */
/* evomesh config: every setting with the value in force, under the name and in the notation that its file or option takes. What it
 * prints for people is a node.yaml; what the group fixed stands in it as comments. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/cli/commands.h"
#include "node/cli/config_json.h"
#include "node/cli/policy_options.h"
#include "node/cli/session.h"
#include "node/schema.h"

/* What is fixed for all members: of the group, or what it would be if it were founded now. */
typedef struct {
    bool joined;
    json_t *agent;  /* NULL: there is none, or none that can be read */
    json_t *policy; /* by the options of `group create` */
    json_t *rules;  /* what no option changes */
} shared_t;

/* The manifest in the operator's own directory, while there is no group. NULL if it can't be read: `agent check` tells why. */
static agent_t *s_own_agent (const config_t *config)
{
    size_t size;
    char path[CLI_PATH_BYTES];
    problem_t problem;
    if (config->agent[0] == '\0' || cli_path (config->agent, AGENT_MANIFEST, path) != CLI_DONE ||
        access (path, R_OK) != 0)
        return NULL;
    char *text = session_read_file (path, SCHEMA_FILE_BYTES, &size);
    agent_t *agent = calloc (1, sizeof *agent);
    assert (agent != NULL);
    if (text == NULL || agent_parse (path, text, size, agent, &problem) != 0) {
        free (agent);
        agent = NULL;
    }
    free (text);
    return agent;
}

/* By the charter's field, but for the last, which is a key of no file. */
static json_t *s_rules (const policy_t *policy)
{
    return json_pack ("{s:b, s:I, s:b}", "allow_alone", policy->allow_alone != 0, "change_bytes_max",
                      (json_int_t)policy->change_bytes_max, "pareto_optimization", 1);
}

static int s_read_shared (const cli_t *cli, const config_t *config, shared_t *shared)
{
    joined_t *joined;
    store_t *store;
    policy_t policy = policy_default ();
    if (session_open (cli, &store) != CLI_DONE)
        return CLI_FAILED;
    membership_load (store, &joined, NULL); /* that it holds is known: without one the node is in no group */
    agent_t *agent = joined != NULL ? session_agent (store, joined) : s_own_agent (config);
    if (joined != NULL)
        policy = joined->group.policy;
    *shared = (shared_t){.joined = joined != NULL,
                         .agent = agent != NULL ? config_json_agent (agent) : NULL,
                         .policy = policy_options_show (&policy),
                         .rules = s_rules (&policy)};
    free (agent);
    membership_destroy (&joined);
    store_close (&store);
    return CLI_DONE;
}

/* --- for people --- */

/* One comment: a key and its value on one line. */
static void s_print_line (const char *start, const char *key, const char *between, const json_t *value)
{
    char *text = json_dumps (value, JSON_ENCODE_ANY | JSON_REAL_PRECISION (15));
    assert (text != NULL);
    printf ("#%s%s%s%s\n", start, key, between, text);
    free (text);
}

/* A list of maps, or a map, on a line for each of its entries. */
static void s_print_agent (const json_t *agent)
{
    const char *key, *inner;
    json_t *value, *entry;
    size_t index;
    json_object_foreach ((json_t *)agent, key, value)
    {
        bool maps = json_is_array (value) && json_is_object (json_array_get (value, 0));
        if (!maps && !json_is_object (value)) {
            s_print_line (" ", key, ": ", value);
            continue;
        }
        printf ("# %s:\n", key);
        if (maps)
            json_array_foreach (value, index, entry) s_print_line ("   ", "-", " ", entry);
        else
            json_object_foreach (value, inner, entry) s_print_line ("   ", inner, ": ", entry);
    }
}

static void s_print_policy (const shared_t *shared)
{
    const char *key;
    json_t *value;
    printf (shared->joined
                ? "\n# --- the group's policy: what `evomesh group create` was given; it never changes\n"
                : "\n# --- the policy that `evomesh group create` gives a group, with these options\n");
    json_object_foreach (shared->policy, key, value)
    {
        if (json_is_boolean (value))
            printf (json_is_true (value) ? "# --%s\n" : "# (not --%s)\n", key);
        else if (json_is_string (value)) /* a duration stands without quotes */
            printf ("# --%s %s\n", key, json_string_value (value));
        else
            s_print_line (" --", key, " ", value);
    }
    printf ("\n# --- the same in each group; no option sets it\n");
    json_object_foreach (shared->rules, key, value) s_print_line (" ", key, ": ", value);
}

static int s_print (const cli_t *cli, const char *text, const shared_t *shared)
{
    printf ("# %s/%s with the values in force: it can be put there as it is.\n\n%s", cli->directory,
            CONFIG_FILE, text);
    if (shared->agent != NULL) {
        printf (shared->joined ? "\n# --- " AGENT_MANIFEST ", pinned for the group\n"
                               : "\n# --- " AGENT_MANIFEST " in the directory of `agent`\n");
        s_print_agent (shared->agent);
    }
    s_print_policy (shared);
    return CLI_DONE;
}

static int s_print_json (const cli_t *cli, const char *text, const shared_t *shared)
{
    char path[CLI_PATH_BYTES];
    if (cli_path (cli->directory, CONFIG_FILE, path) != CLI_DONE)
        return CLI_FAILED;
    return output_json (json_pack ("{s:s, s:o, s:O?, s:O, s:O}", "file", path, "node",
                                   config_json_node (text), "agent", shared->agent, "policy", shared->policy,
                                   "rules", shared->rules));
}

static int s_run (cli_t *cli)
{
    shared_t shared = {0};
    config_t *config = session_config (cli);
    if (config == NULL)
        return CLI_FAILED;
    int rc = s_read_shared (cli, config, &shared);
    char *text = config_write (config);
    assert (text != NULL);
    free (config);
    if (rc == CLI_DONE)
        rc = cli->json ? s_print_json (cli, text, &shared) : s_print (cli, text, &shared);
    free (text);
    json_decref (shared.agent);
    json_decref (shared.policy);
    json_decref (shared.rules);
    return rc;
}

const cli_command_t config_command = {
    .name = "config",
    .summary = "show every setting and its value in force",
    .operands = "",
    .json = true,
    .details = "Prints a node.yaml with every key; it checks the one that is there, and names the line of "
               "what is wrong.\n"
               "The agent's manifest and the group's policy, the same for all members, follow as comments. "
               "The node\n"
               "need not run.",
    .example = "  evomesh config --dir ~/mesh/alpha",
    .run = s_run,
};
