/* SPDX-License-Identifier: MPL-2.0 */
/* evomesh group leave, members, revoke. */
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "node/cli/commands.h"
#include "node/cli/own.h"
#include "node/cli/session.h"
#include "node/io/clock.h"

/* --- members --- */

/* The peer of that id in what the node says of its peers; NULL: it knows none, or no node runs. */
static json_t *s_peer (json_t *peers, const pubkey_t *member)
{
    size_t i;
    json_t *peer;
    char id[DIGEST_TEXT_BYTES];
    pubkey_text (member, id);
    json_array_foreach (peers, i, peer)
    {
        const char *own = json_string_value (json_object_get (peer, "id"));
        if (own != NULL && strcmp (own, id) == 0)
            return peer;
    }
    return NULL;
}

static json_t *s_member_json (const members_t *roster, size_t index, const pubkey_t *own, json_t *peers)
{
    char id[DIGEST_TEXT_BYTES];
    pubkey_text (&roster->members[index].id, id);
    bool me = pubkey_equal (&roster->members[index].id, own);
    json_t *peer = s_peer (peers, &roster->members[index].id), *state = json_object_get (peer, "state");
    json_t *member =
        json_pack ("{s:s, s:s, s:s, s:I, s:I, s:b}", "id", id, "name", roster->members[index].name, "role",
                   roster->members[index].admin ? "admin" : "member", "since_epoch",
                   (json_int_t)roster->members[index].since_epoch, "revoked_epoch",
                   (json_int_t)roster->members[index].revoked_epoch, "me", (int)me);
    json_object_set_new (member, "state",
                         me && peers != NULL ? json_string ("up")
                         : state == NULL     ? json_null ()
                                             : json_incref (state));
    json_object_set_new (member, "heard_ms_ago",
                         peer == NULL ? json_null () : json_incref (json_object_get (peer, "heard_ms_ago")));
    return member;
}

static int s_members_json (const joined_t *joined, const pubkey_t *own, json_t *peers)
{
    char group[DIGEST_TEXT_BYTES];
    json_t *list = json_array ();
    digest_text (&joined->group.group, group);
    for (size_t i = 0; i < joined->roster->count; i++)
        json_array_append_new (list, s_member_json (joined->roster, i, own, peers));
    return output_json (json_pack ("{s:s, s:s, s:I, s:o}", "group", group, "name", joined->group.name,
                                   "epoch", (json_int_t)joined->roster->epoch, "members", list));
}

/* "up", "no, heard 3 min ago". */
static output_cell_t s_up (json_t *peers, const pubkey_t *member, bool me)
{
    output_cell_t cell = {""};
    json_t *peer = s_peer (peers, member), *heard = json_object_get (peer, "heard_ms_ago");
    const char *state = json_string_value (json_object_get (peer, "state"));
    bool up = me || (state != NULL && strcmp (state, "up") == 0);
    uint64_t now_ms = clock_wall_ms (), ago_ms = (uint64_t)json_integer_value (heard);
    if (!up && json_is_integer (heard) && ago_ms < now_ms)
        output_list (&cell, "no, heard %s", output_ago (now_ms - ago_ms).text);
    else
        output_list (&cell, "%s", up ? "up" : "no");
    return cell;
}

/* `peers`: what the running node says of them; NULL: none runs, and nobody knows who is up. */
static int s_members_print (const cli_t *cli, const joined_t *joined, const pubkey_t *own, json_t *peers)
{
    const members_t *roster = joined->roster;
    output_table_t *table = output_table_new (peers == NULL ? "ID|~NAME|?ROLE|?>SINCE|STANDING"
                                                            : "ID|~NAME|?ROLE|?>SINCE|STANDING|UP");
    for (size_t i = 0; i < roster->count; i++) {
        char standing[64] = "member";
        bool out = roster->members[i].revoked_epoch > 0;
        if (out)
            snprintf (standing, sizeof standing, "out since epoch %llu",
                      (unsigned long long)roster->members[i].revoked_epoch);
        bool me = pubkey_equal (&roster->members[i].id, own);
        output_table_row (
            table, "%s|%s%s|%s|%llu|%s%s%s", output_key (&roster->members[i].id).text,
            roster->members[i].name, me ? " (this node)" : "", roster->members[i].admin ? "admin" : "member",
            (unsigned long long)roster->members[i].since_epoch, standing, peers == NULL ? "" : "|",
            peers == NULL || out ? "" : s_up (peers, &roster->members[i].id, me).text);
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
    return session_write_new (path, joined->group.packed.data, joined->group.packed.size, 0644);
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
    json_t *peers = session_try (cli, "peers", NULL);
    rc = s_write_charter (cli, joined);
    if (rc == CLI_DONE)
        rc = cli->json ? s_members_json (joined, &own, peers) : s_members_print (cli, joined, &own, peers);
    json_decref (peers);
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
    .details = "The node need not run; if it does, UP says whom it hears of.",
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
