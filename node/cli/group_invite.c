/* SPDX-License-Identifier: MPL-2.0 */
/* evomesh group invite: a token that lets a machine join. */
#include <string.h>

#include "node/cli/commands.h"
#include "node/cli/session.h"

#define HOUR_MS 3600000
#define DAY_MS  86400000

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
