/* SPDX-License-Identifier: MPL-2.0 */
/* evomesh group join: by a token into a group, with its agent fetched by hash and shown before anything is accepted. One
 * transaction: what is not accepted leaves nothing behind. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/cli/commands.h"
#include "node/cli/join_link.h"
#include "node/cli/join_place.h"
#include "node/io/clock.h"
#include "node/io/workspace.h"

typedef struct {
    const cli_t *cli;
    own_t own;
    invite_t invite;
    buffer_t invite_bytes;
    arena_t invite_arena;
    join_link_t link;
    message_t answer; /* MEMBERSHIP */
    uint8_t *answer_bytes;
    group_t group;
    members_t *roster;
    tree_t pinned;
    tree_t start;
    tree_t whole; /* both in one list */
    agent_t agent;
} join_t;

/* --- the token --- */

static int s_read_token (const char *operand, char text[INVITE_TEXT_MAX + 1])
{
    if (strcmp (operand, "-") != 0) {
        if (snprintf (text, INVITE_TEXT_MAX + 1, "%s", operand) > INVITE_TEXT_MAX)
            return cli_fail ("TOKEN: longer than %d characters", INVITE_TEXT_MAX);
    } else if (fgets (text, INVITE_TEXT_MAX + 1, stdin) == NULL)
        return cli_fail ("TOKEN: found nothing on stdin, expected a token");
    text[strcspn (text, "\r\n")] = '\0';
    return CLI_DONE;
}

static int s_token (join_t *join)
{
    char text[INVITE_TEXT_MAX + 1];
    problem_t problem;
    if (s_read_token (join->cli->operands[0], text) != CLI_DONE)
        return CLI_FAILED;
    if (invite_parse (text, &join->invite, &join->invite_bytes, &join->invite_arena, &problem) != 0)
        return cli_fail ("TOKEN: %s", problem.text);
    if (join->invite.expires_ms <= clock_wall_ms ())
        return cli_fail ("TOKEN: expired %s: ask for a new one", output_ago (join->invite.expires_ms).text);
    if (join->invite.addresses.count == 0)
        return cli_fail ("TOKEN: holds no address");
    return CLI_DONE;
}

static int s_check_bound (const join_t *join)
{
    char id[DIGEST_TEXT_BYTES];
    const pubkey_t *own = &keystore_identity (join->own.keys)->id;
    if (pubkey_is_zero (&join->invite.bound_to) || pubkey_equal (&join->invite.bound_to, own))
        return CLI_DONE;
    pubkey_text (own, id);
    return cli_fail ("TOKEN: is for another node; this one is %s", id);
}

/* --- what the issuer answered --- */

/* The charter is that of the token, and the roster, made by an admin in it, holds us with our link key. */
static int s_check_membership (join_t *join)
{
    problem_t problem;
    const membership_t *membership = &join->answer.as.membership;
    if (group_open (membership->charter, &join->group, &problem) != 0)
        return cli_fail ("the answer: %s", problem.text);
    if (!digest_equal (&join->group.group, &join->invite.group))
        return cli_fail ("the answer holds the charter of another group than the token");
    if (members_open (membership->roster, &join->group, join->roster, &problem) != 0)
        return cli_fail ("the answer: %s", problem.text);
    int own = members_find (join->roster, &keystore_identity (join->own.keys)->id);
    int issuer = members_find (join->roster, &join->invite.issuer);
    if (own < 0 ||
        !pubkey_equal (&join->roster->members[own].curve, &keystore_curve (join->own.keys)->public_key))
        return cli_fail ("the answer holds a roster without this node");
    if (issuer < 0 || !members_is_admin (join->roster, &join->roster->author))
        return cli_fail ("the answer holds a roster that no admin signed");
    return CLI_DONE;
}

/* --- the agent --- */

static int s_fetch_files (join_t *join, const tree_t *tree, uint64_t *total)
{
    for (size_t i = 0; i < tree->count; i++) {
        *total += tree->files[i].size;
        if (*total > LIMIT_AGENT_BYTES)
            return cli_fail ("the agent's files are longer than %d bytes", LIMIT_AGENT_BYTES);
        if (store_content_has (join->own.store, &tree->files[i].content))
            continue;
        if (join_link_fetch (&join->link, &tree->files[i].content, (size_t)tree->files[i].size) != CLI_DONE)
            return CLI_FAILED;
    }
    return CLI_DONE;
}

static int s_fetch_tree (join_t *join, const digest_t *id, const digest_t *under, tree_t *tree,
                         uint64_t *total)
{
    digest_t evaluator;
    if (join_link_fetch (&join->link, id, LIMIT_PACKAGE_BYTES) != CLI_DONE ||
        session_tree (join->own.store, id, tree, &evaluator) != CLI_DONE)
        return CLI_FAILED;
    if (!digest_equal (&evaluator, under))
        return cli_fail ("the group's lists of files don't belong together");
    return s_fetch_files (join, tree, total);
}

/* Puts pinned and evolve files into one list. */
static int s_whole (join_t *join)
{
    assert (join->whole.count == 0);
    int rc = tree_copy (&join->whole, &join->pinned);
    if (rc == 0)
        rc = tree_add_all (&join->whole, &join->start);
    return rc == 0 ? CLI_DONE : cli_fail ("the agent's files can't be laid out: %s", error_text (rc));
}

/* Reads the manifest and sees that its `evolve` splits the files as the group says. */
static int s_check_agent (join_t *join)
{
    problem_t problem;
    size_t size = 0;
    tree_t pinned = {0}, evolved = {0};
    const tree_file_t *file = tree_find (&join->pinned, AGENT_MANIFEST);
    uint8_t *text = file == NULL ? NULL : store_content_get (join->own.store, &file->content, &size);
    if (text == NULL)
        return cli_fail ("the group's agent has no " AGENT_MANIFEST);
    int rc = s_whole (join);
    if (rc == CLI_DONE && agent_parse (AGENT_MANIFEST, (char *)text, size, &join->agent, &problem) != 0)
        rc = cli_fail ("the group's agent: %s", problem.text);
    if (rc == CLI_DONE && agent_split (&join->agent, &join->whole, &pinned, &evolved, &problem) != 0)
        rc = cli_fail ("the group's agent: %s", problem.text);
    if (rc == CLI_DONE && (!tree_equal (&pinned, &join->pinned) || !tree_equal (&evolved, &join->start)))
        rc = cli_fail ("the group's agent: " AGENT_MANIFEST " names other evolve files than the group");
    free (text);
    tree_clear (&pinned);
    tree_clear (&evolved);
    return rc;
}

static int s_fetch (join_t *join)
{
    static const digest_t none;
    uint64_t total = 0;
    int rc = join_link_enter (&join->link, join->roster->epoch);
    if (rc == CLI_DONE)
        rc = s_fetch_tree (join, &join->group.evaluator, &none, &join->pinned, &total);
    if (rc == CLI_DONE)
        rc = s_fetch_tree (join, &join->group.start, &join->group.evaluator, &join->start, &total);
    if (rc == CLI_DONE)
        rc = s_check_agent (join);
    return rc == CLI_DONE ? join_place_check (&join->own, &join->whole) : rc;
}

/* --- the person's word --- */

static void s_show_command (const char *what, const agent_command_t *command)
{
    fprintf (stderr, "  %-12s", what);
    for (size_t i = 0; i < command->count; i++)
        fprintf (stderr, " %s", command->words[i]);
    fputc ('\n', stderr);
}

static void s_show (const join_t *join, const char *copy)
{
    char evaluator[DIGEST_TEXT_BYTES], group[DIGEST_SHORT_BYTES];
    digest_text (&join->group.evaluator, evaluator);
    digest_short (&join->group.group, group);
    bool described = join->agent.description[0] != '\0';
    fprintf (stderr, "Group %s (%s), %s. Its agent:\n  %-12s %s%s%s\n  %-12s %s\n", join->group.name, group,
             text_counted (members_live (join->roster), "member").text, "name", join->agent.name,
             described ? ": " : "", join->agent.description, "evaluator id", evaluator);
    for (size_t i = 0; i < join->agent.stage_count; i++)
        s_show_command (i == 0 ? "stages" : "", &join->agent.stages[i].command);
    s_show_command ("evaluator", &join->agent.evaluator);
    for (size_t i = 0; i < join->agent.proposer_count; i++)
        if (join->agent.proposers[i].command.count > 0)
            s_show_command ("suggests", &join->agent.proposers[i].command);
    for (size_t i = 0; i < join->agent.evolve_count; i++)
        fprintf (stderr, "  %-12s %s\n", i == 0 ? "evolves" : "",
                 output_cell (text_of (join->agent.evolve[i]), 200).text);
    if (copy[0] != '\0')
        fprintf (stderr, "  %-12s %s (until you answer; read it in another terminal)\n", "its files are",
                 copy);
    fputs ("Its evaluator runs in the sandbox, with your private data at /private if you give it some",
           stderr);
    fputs (join->own.config->private_data[0] == '\0' ? ":\nthis node has none; `private:` in its node.yaml, "
                                                       "or `evomesh init --private DIR`, names them.\n"
                                                     : ".\n",
           stderr);
}

/* --- acceptance --- */

/* The issuer's addresses, as it tells them, and the one that worked. */
static void s_hints (const join_t *join, hint_t hints[LIMIT_ENDPOINTS + 1], hints_t *list)
{
    const membership_t *membership = &join->answer.as.membership;
    const address_t *worked = &join->invite.addresses.items[join->link.address];
    size_t count = 0;
    hints[count++] = (hint_t){join->invite.issuer, worked->rpc, worked->pub};
    for (size_t i = 0; i < membership->addresses.count; i++) {
        const address_t *address = &membership->addresses.items[i];
        bool same = address->rpc.size == worked->rpc.size &&
                    memcmp (address->rpc.data, worked->rpc.data, worked->rpc.size) == 0;
        if (!same)
            hints[count++] = (hint_t){join->invite.issuer, address->rpc, address->pub};
    }
    assert (count <= LIMIT_ENDPOINTS + 1);
    *list = (hints_t){.hints = {hints, count}};
}

static int s_accept (join_t *join)
{
    problem_t problem;
    hint_t items[LIMIT_ENDPOINTS + 1];
    hints_t hints;
    const membership_t *membership = &join->answer.as.membership;
    if (join_place_take (join->cli, &join->own, &join->whole) != CLI_DONE)
        return CLI_FAILED;
    s_hints (join, items, &hints);
    if (membership_save (join->own.store, membership->charter, membership->roster,
                         &keystore_identity (join->own.keys)->id, &hints, &problem) != 0)
        return cli_fail_problem (&problem);
    if (store_commit (join->own.store) != 0)
        return cli_fail ("the store can't be written: %s", store_problem (join->own.store));
    return CLI_DONE;
}

/* Says no: tells the group, so that this node doesn't stand in its roster. */
static int s_decline (join_t *join)
{
    if (join_link_leave (&join->link, "the operator declined the agent"))
        return cli_fail (
            "not joined; nothing was changed here. The group counts this node's keys as gone: to join "
            "after all, make a new node with `evomesh init`");
    char id[DIGEST_TEXT_BYTES];
    pubkey_text (&keystore_identity (join->own.keys)->id, id);
    return cli_fail (
        "not joined; nothing was changed here. But the inviting node does not answer any more, so the "
        "group still counts this node as a member: an admin ends that with `evomesh group revoke "
        "%s`, or join after all with the same token",
        id);
}

static int s_told (const join_t *join)
{
    char group[DIGEST_TEXT_BYTES], evaluator[DIGEST_TEXT_BYTES];
    digest_text (&join->group.group, group);
    digest_text (&join->group.evaluator, evaluator);
    if (join->cli->json)
        return output_json (json_pack ("{s:s, s:s, s:s, s:s, s:s, s:i}", "group", group, "name",
                                       join->group.name, "agent", join->agent.name, "agent_directory",
                                       join->own.config->agent, "evaluator", evaluator, "members",
                                       (int)members_live (join->roster)));
    printf ("Joined group %s. Its agent is in %s.\nNext: `evomesh run --dir %s`.\n", join->group.name,
            join->own.config->agent, join->cli->directory);
    return CLI_DONE;
}

/* --- the command --- */

static int s_join (join_t *join)
{
    int rc = join_link_request (&join->link, &join->answer, &join->answer_bytes);
    if (rc == CLI_DONE)
        rc = s_check_membership (join);
    if (rc == CLI_DONE)
        rc = s_fetch (join);
    if (rc != CLI_DONE)
        return rc;
    bool asks = !cli_flag (join->cli, "yes");
    char copy[CLI_PATH_BYTES] = "";
    if (asks && join_place_copy (&join->own, &join->whole, copy) != CLI_DONE)
        return CLI_FAILED;
    s_show (join, copy);
    bool accepted =
        !asks ||
        output_confirm (
            "This node is let in already: no takes its keys out again, and the token's use is spent.\n"
            "Join, and let this evaluator run here?");
    if (!accepted) {
        workspace_remove (copy);
        return s_decline (join);
    }
    rc = s_accept (join);
    return rc == CLI_DONE ? s_told (join) : rc;
}

static int s_with_directory (join_t *join)
{
    int rc = own_check_free (&join->own);
    if (rc == CLI_DONE)
        rc = s_check_bound (join);
    if (rc == CLI_DONE)
        rc = join_link_open (&join->link, &join->own, &join->invite);
    if (rc != CLI_DONE)
        return rc;
    if (store_begin (join->own.store) != 0)
        return cli_fail ("the store can't be written: %s", store_problem (join->own.store));
    rc = s_join (join);
    assert (rc != CLI_DONE || !store_in_transaction (join->own.store));
    if (store_in_transaction (join->own.store))
        store_rollback (join->own.store);
    join_link_close (&join->link);
    return rc;
}

static void s_clear (join_t *join)
{
    if (join->answer_bytes != NULL)
        message_clear (&join->answer);
    free (join->answer_bytes);
    tree_clear (&join->pinned);
    tree_clear (&join->start);
    tree_clear (&join->whole);
    group_clear (&join->group);
    members_clear (join->roster);
    free (join->roster);
    buffer_clear (&join->invite_bytes);
    arena_clear (&join->invite_arena);
}

static int s_run (cli_t *cli)
{
    join_t *join = calloc (1, sizeof *join);
    assert (join != NULL);
    join->cli = cli;
    join->roster = calloc (1, sizeof *join->roster);
    assert (join->roster != NULL);
    int rc = s_token (join);
    if (rc == CLI_DONE && !cli_flag (cli, "yes") && !isatty (STDIN_FILENO))
        rc = cli_fail (
            "nobody can be asked whether to accept the agent, as there is no terminal: --yes accepts "
            "it; nothing was changed, and the token is as good as before");
    if (rc == CLI_DONE)
        rc = own_open (cli, &join->own);
    if (rc == CLI_DONE) {
        rc = s_with_directory (join);
        own_close (&join->own);
    }
    s_clear (join);
    free (join);
    return rc;
}

static const cli_option_t s_options[] = {
    {"yes", NULL, "accept the agent without asking"},
    OWN_PASSPHRASE_OPTION,
    {NULL, NULL, NULL},
};

const cli_command_t group_join_command = {
    .name = "group join",
    .summary = "join a group by an invite token",
    .operands = "TOKEN",
    .operands_min = 1,
    .operands_max = 1,
    .options = s_options,
    .json = true,
    .details = "Fetches the group's agent by its hash, shows it with the commands that it would run, and "
               "asks. With - in\n"
               "place of TOKEN the token is read from stdin. The node must not run meanwhile; the inviting "
               "one must.",
    .example = "  evomesh group join evomesh1abc… --dir ~/mesh/beta",
    .run = s_run,
};
