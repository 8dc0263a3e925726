/* SPDX-License-Identifier: MPL-2.0 */
/* evomesh group invite, leave, members, revoke. */
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "node/cli/commands.h"
#include "node/cli/own.h"
#include "node/cli/session.h"

#define HOUR_MS 3600000
#define DAY_MS  86400000

/* --- invite --- */

/* True for tcp://127.…, tcp://[::1]… and tcp://localhost…: addresses that mean another machine itself. */
static bool s_is_loopback (const char *endpoint)
{
    const char *host = strncmp (endpoint, "tcp://", 6) == 0 ? endpoint + 6 : endpoint;
    return strncmp (host, "127.", 4) == 0 || strncmp (host, "[::1]", 5) == 0 ||
           strncmp (host, "localhost:", 10) == 0;
}

/* A token for another machine must hold an address that it can reach. */
static int s_check_reachable (const cli_t *cli)
{
    json_t *status, *listening, *entry;
    size_t i;
    const char *loopback = NULL;
    bool reachable = false;
    if (session_ask (cli, "status", NULL, &status) != CLI_DONE)
        return CLI_FAILED;
    listening = json_object_get (status, "listening");
    json_array_foreach (listening, i, entry)
    {
        const char *rpc = json_string_value (json_object_get (entry, "rpc"));
        if (rpc != NULL && s_is_loopback (rpc))
            loopback = rpc;
        else
            reachable |= rpc != NULL;
    }
    int rc = CLI_DONE;
    if (!reachable && loopback != NULL && !cli_flag (cli, "local"))
        rc = cli_fail (
            "this node is only reached at %s, from this machine itself: run it with `evomesh run --listen "
            "tcp://0.0.0.0:7401 --advertise tcp://ADDRESS:7401`, or say --local to invite on this machine",
            loopback);
    json_decref (status);
    return rc;
}

static int s_invite_arguments (const cli_t *cli, json_t *arguments)
{
    uint64_t uses = 1, lifetime_ms = HOUR_MS;
    pubkey_t key;
    char text[DIGEST_TEXT_BYTES] = "";
    int rc = cli_number (cli, "uses", 1, LIMIT_INVITE_USES, &uses);
    if (rc == CLI_DONE)
        rc = cli_duration (cli, "expires", 1000, UINT64_C (30) * DAY_MS, &lifetime_ms);
    const char *bound = cli_value (cli, "key", NULL);
    if (rc == CLI_DONE && bound != NULL && pubkey_parse (bound, &key) != 0)
        rc = cli_usage (cli, "--key: found %s, expected the joining node's whole id (52 characters)",
                        cli_quote (bound).text);
    if (rc != CLI_DONE)
        return rc;
    if (bound != NULL)
        pubkey_text (&key, text);
    json_object_set_new (arguments, "uses", json_sprintf ("%llu", (unsigned long long)uses));
    json_object_set_new (arguments, "seconds", json_sprintf ("%llu", (unsigned long long)lifetime_ms / 1000));
    if (bound != NULL)
        json_object_set_new (arguments, "key", json_string (text));
    return CLI_DONE;
}

static int s_invite (cli_t *cli)
{
    json_t *arguments = json_object (), *result;
    int rc = s_invite_arguments (cli, arguments);
    if (rc == CLI_DONE)
        rc = s_check_reachable (cli);
    if (rc != CLI_DONE) {
        json_decref (arguments);
        return rc;
    }
    if (session_ask (cli, "invite", arguments, &result) != CLI_DONE)
        return CLI_FAILED;
    const char *token = json_string_value (json_object_get (result, "value"));
    if (cli->json)
        return output_json (json_pack ("{s:s, s:o}", "token", token == NULL ? "" : token, "told", result));
    puts (token == NULL ? "" : token); /* alone on stdout, so that a script can take it */
    fprintf (stderr, "%s A token lets somebody in: keep it as you would a password.\n",
             cli_flag (cli, "local")
                 ? "For another node on this machine: `evomesh init --dir DIR`, then `evomesh "
                   "group join TOKEN --dir DIR`."
                 : "On the other machine: `evomesh init`, then `evomesh group join TOKEN`.");
    json_decref (result);
    return CLI_DONE;
}

static const cli_option_t s_invite_options[] = {
    {"uses", "N", "how many nodes it lets in, up to 32 (default 1)"},
    {"expires", "DURATION", "how long it counts (default 1h)"},
    {"key", "ID", "the only node that it lets in"},
    {"local", NULL, "for a node on this machine: a loopback address will do"},
    {NULL, NULL, NULL},
};

const cli_command_t group_invite_command = {
    .name = "group invite",
    .summary = "print a token that lets a machine join",
    .operands = "",
    .options = s_invite_options,
    .json = true,
    .details = "The node must run, and be an admin of its group.",
    .example = "  evomesh group invite --uses 4 --expires 20m",
    .run = s_invite,
};

/* --- members --- */

static json_t *s_member_json (const members_t *roster, size_t index, const pubkey_t *own)
{
    char id[DIGEST_TEXT_BYTES];
    pubkey_text (&roster->members[index].id, id);
    return json_pack ("{s:s, s:s, s:s, s:I, s:I, s:b}", "id", id, "name", roster->members[index].name, "role",
                      roster->members[index].admin ? "admin" : "member", "since_epoch",
                      (json_int_t)roster->members[index].since_epoch, "revoked_epoch",
                      (json_int_t)roster->members[index].revoked_epoch, "me",
                      (int)pubkey_equal (&roster->members[index].id, own));
}

static int s_members_json (const joined_t *joined, const pubkey_t *own)
{
    char group[DIGEST_TEXT_BYTES];
    json_t *list = json_array ();
    digest_text (&joined->group.group, group);
    for (size_t i = 0; i < joined->roster->count; i++)
        json_array_append_new (list, s_member_json (joined->roster, i, own));
    return output_json (json_pack ("{s:s, s:s, s:I, s:o}", "group", group, "name", joined->group.name,
                                   "epoch", (json_int_t)joined->roster->epoch, "members", list));
}

static int s_members_print (const cli_t *cli, const joined_t *joined, const pubkey_t *own)
{
    const members_t *roster = joined->roster;
    output_table_t *table = output_table_new ("ID|~NAME|?ROLE|?>SINCE|STANDING");
    for (size_t i = 0; i < roster->count; i++) {
        char standing[64] = "member";
        if (roster->members[i].revoked_epoch > 0)
            snprintf (standing, sizeof standing, "out since epoch %llu",
                      (unsigned long long)roster->members[i].revoked_epoch);
        output_table_row (table, "%s|%s%s|%s|%llu|%s", output_key (&roster->members[i].id).text,
                          roster->members[i].name,
                          pubkey_equal (&roster->members[i].id, own) ? " (this node)" : "",
                          roster->members[i].admin ? "admin" : "member",
                          (unsigned long long)roster->members[i].since_epoch, standing);
    }
    printf ("Group %s, epoch %llu\n", joined->group.name, (unsigned long long)roster->epoch);
    output_table_end (cli, &table);
    return CLI_DONE;
}

/* --charter FILE: the group's charter, by which others verify its packages. */
static int s_write_charter (const cli_t *cli, const joined_t *joined)
{
    const char *path = cli_value (cli, "charter", NULL);
    if (path == NULL)
        return CLI_DONE;
    if (access (path, F_OK) == 0)
        return cli_fail ("%s is there already; nothing was changed", path);
    return session_write_file (path, joined->group.packed.data, joined->group.packed.size, 0644);
}

static int s_members (cli_t *cli)
{
    store_t *store;
    joined_t *joined;
    if (session_open (cli, &store) != CLI_DONE)
        return CLI_FAILED;
    int rc = session_group (cli, store, &joined);
    store_close (&store);
    if (rc != CLI_DONE)
        return rc;
    pubkey_t own = joined->self;
    rc = s_write_charter (cli, joined);
    if (rc == CLI_DONE)
        rc = cli->json ? s_members_json (joined, &own) : s_members_print (cli, joined, &own);
    membership_destroy (&joined);
    return rc;
}

static const cli_option_t s_members_options[] = {
    {"charter", "FILE", "also write the group's charter there, for `package verify --group`"},
    {NULL, NULL, NULL},
};

const cli_command_t group_members_command = {
    .name = "group members",
    .summary = "list the group's members",
    .operands = "",
    .options = s_members_options,
    .json = true,
    .example = "  evomesh group members",
    .run = s_members,
};

/* --- revoke and leave --- */

/* The member whose id starts with `text`, or whose name it is. */
static int s_find_member (const members_t *roster, const char *text, pubkey_t *id)
{
    size_t matches = 0;
    for (size_t i = 0; i < roster->count; i++) {
        char own[DIGEST_TEXT_BYTES];
        pubkey_text (&roster->members[i].id, own);
        bool is_id =
            strlen (text) >= SESSION_ID_CHARACTERS_MIN && strncasecmp (own, text, strlen (text)) == 0;
        if (!is_id && strcmp (roster->members[i].name, text) != 0)
            continue;
        *id = roster->members[i].id;
        matches++;
    }
    if (matches == 0)
        return cli_fail ("no member has the id or name %s; `evomesh group members` lists them",
                         cli_quote (text).text);
    return matches == 1
               ? CLI_DONE
               : cli_fail ("%s could be several members: give more of the id", cli_quote (text).text);
}

static int s_revoke (cli_t *cli)
{
    store_t *store;
    joined_t *joined;
    pubkey_t id;
    char text[DIGEST_TEXT_BYTES];
    if (session_open (cli, &store) != CLI_DONE)
        return CLI_FAILED;
    int rc = session_group (cli, store, &joined);
    store_close (&store);
    if (rc != CLI_DONE)
        return rc;
    rc = s_find_member (joined->roster, cli->operands[0], &id);
    membership_destroy (&joined);
    if (rc != CLI_DONE)
        return rc;
    pubkey_text (&id, text);
    if (!cli_flag (cli, "yes"))
        cli_note ("this takes %.8s out of the group for ever: its key can't come back", text);
    rc = session_confirm (cli, "Revoke it?", "revokes");
    return rc == CLI_DONE ? session_order (cli, "revoke", json_pack ("{s:s}", "id", text)) : rc;
}

static const cli_option_t s_out_options[] = {
    {"yes", NULL, "don't ask"},
    {NULL, NULL, NULL},
};

const cli_command_t group_revoke_command = {
    .name = "group revoke",
    .summary = "take a member out of the group, at once",
    .operands = "ID",
    .operands_min = 1,
    .operands_max = 1,
    .options = s_out_options,
    .json = true,
    .details = "ID is a member's id, its first characters, or its name. The node must run, and be an admin. "
               "What the member\n"
               "signed before stays valid. A revoked key can't come back.",
    .example = "  evomesh group revoke k3jd82ka",
    .run = s_revoke,
};

static int s_leave (cli_t *cli)
{
    if (!cli_flag (cli, "yes"))
        cli_note ("this takes the node out of its group for ever: its key can't come back");
    int rc = session_confirm (cli, "Leave?", "leaves");
    return rc == CLI_DONE ? session_order (cli, "leave", NULL) : rc;
}

const cli_command_t group_leave_command = {
    .name = "group leave",
    .summary = "take this node out of its group",
    .operands = "",
    .options = s_out_options,
    .json = true,
    .details = "The node must run; it tells the founder as soon as it reaches it. What it has applied stays "
               "in its data directory,\n"
               "but nothing is proposed or applied there any more. A key that left can't come back: to join "
               "again, make a\n"
               "new node with `evomesh init`.",
    .example = "  evomesh group leave",
    .run = s_leave,
};
