/* SPDX-License-Identifier: MPL-2.0 */
/* What the operator wants. Every command is answered by one REPLY; a refused one changes nothing. */
#include "node/node_life.h"
#include "node/node_peers.h"
#include "node/node_say.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/invite.h"

#define INVITE_SECONDS_DEFAULT 3600
#define INVITE_SECONDS_MAX     (30 * 86400)

/* The value of an argument, copied; false if it isn't there (then `out` is empty). */
static bool s_argument (const command_t *command, const char *key, char *out, size_t size)
{
    out[0] = 0;
    for (size_t i = 0; i < command->arguments.count; i++)
        if (text_equal (command->arguments.items[i].key, key))
            return text_copy (command->arguments.items[i].value, out, size);
    return false;
}

static bool s_id_argument (node_t *self, const command_t *command, digest_t *id)
{
    char text[LIMIT_TEXT + 1];
    if (s_argument (command, "id", text, sizeof text) && digest_parse (text, id) == 0)
        return true;
    char problem[LIMIT_LONG_TEXT];
    (void)snprintf (problem, sizeof problem, "id: found \"%s\", expected 52 base32 characters", text);
    say_reply (self, command->operation, true, problem, NULL);
    return false;
}

/* A number from 1 to `most`, `fallback` if it isn't given. */
static bool s_number_argument (node_t *self, const command_t *command, const char *key, uint64_t fallback,
                               uint64_t most, uint64_t *number)
{
    char text[LIMIT_TEXT + 1];
    *number = fallback;
    if (!s_argument (command, key, text, sizeof text))
        return true;
    char *end;
    unsigned long long value = strtoull (text, &end, 10); /* ULLONG_MAX for what is larger: beyond `most` */
    if (*text >= '0' && *text <= '9' && *end == 0 && value > 0 && value <= most) {
        *number = value;
        return true;
    }
    char problem[LIMIT_LONG_TEXT];
    (void)snprintf (problem, sizeof problem, "%s: found \"%s\", expected a number from 1 to %llu", key, text,
                    (unsigned long long)most);
    say_reply (self, command->operation, true, problem, NULL);
    return false;
}

/* Is a release being put in place, or back, so far that a pause comes too late for it? */
static bool s_is_switching (const node_t *self)
{
    for (size_t i = 0; i < LIMIT_IMPROVEMENTS; i++) {
        improvement_state_t state = self->improvements[i].state;
        if (self->improvements[i].used && (state == STATE_APPLIED || state == STATE_ROLLING_BACK))
            return true;
    }
    for (size_t i = 0; i < LIMIT_OPERATIONS; i++)
        if (self->operations[i].id && self->operations[i].kind == EFFECT_APPLY)
            return true;
    return false;
}

static void s_pause (node_t *self, const command_t *command)
{
    if (!self->paused) {
        self->paused = true;
        say_event (self, TYPE_EVOLUTION_PAUSED, NULL, NAN, NULL, NULL, 0);
    }
    say_reply (
        self, command->operation, false,
        s_is_switching (self)
            ? "paused: nothing is proposed or applied here after the release that is being put in place "
              "now, which is measured, and kept or taken back, first; running evaluations finish, peers "
              "are answered"
            : "paused: nothing is proposed or applied here; running evaluations finish, peers are "
              "answered",
        NULL);
}

/* Refuses what only a member can do, if this node is none any more. */
static bool s_takes_part (node_t *self, const command_t *command)
{
    char why[LIMIT_TEXT + 1];
    group_why_out (self, why);
    if (why[0])
        say_reply (self, command->operation, true, why, NULL);
    return !why[0];
}

static void s_resume (node_t *self, const command_t *command)
{
    if (!s_takes_part (self, command))
        return;
    bool rested = self->paused || self->stopped;
    self->paused = self->stopped = false;
    if (rested)
        say_event (self, TYPE_EVOLUTION_RESUMED, NULL, NAN, NULL, NULL, 0);
    bool retries = improve_retry (self);
    if (rested || retries)
        propose_hasten (self);
    say_reply (self, command->operation, false,
               retries  ? "the circuit breaker was open: one proposal is tried now, and if that shows no "
                          "fault, evolution goes on"
               : rested ? "evolution goes on"
                        : "evolution was not paused",
               NULL);
}

static void s_approve (node_t *self, const command_t *command, size_t index)
{
    int rc = held_approve (self, index);
    improvement_state_t state = self->improvements[index].state;
    const char *text = "approved: the group's policy lets it pass without a validation";
    if (rc == ERROR_NOT_FOUND)
        text = "no member that could validate it is up: it stays held; approve it when one is";
    else if (rc == ERROR_CONFLICT)
        text = "rejected: another release is live by now, and it can't be tested against that";
    else if (state == STATE_HELD ||
             state == STATE_NONE) /* a package's parcel goes on without the improvement */
        text = "approved: another release is live by now, so it is merged onto that and tested again first";
    else if (state == STATE_TESTING)
        text = "approved: nobody else is in the group, so it passes without a validation";
    else if (state == STATE_VALIDATING)
        text = "approved: its validation starts";
    else
        assert (state == STATE_VALIDATED);
    say_reply (self, command->operation, rc != 0, text, NULL);
}

/* approve and reject: an improvement that is HELD. */
static void s_decide (node_t *self, const command_t *command, bool approve)
{
    digest_t id;
    if (!s_id_argument (self, command, &id))
        return;
    size_t index = improve_find (self, &id);
    if (index == NONE || self->improvements[index].state != STATE_HELD) {
        char problem[LIMIT_LONG_TEXT];
        (void)snprintf (problem, sizeof problem, "that improvement is %s, only a held one can be decided",
                        index == NONE ? "not under way"
                                      : improvement_state_name (self->improvements[index].state));
        say_reply (self, command->operation, true, problem, NULL);
        return;
    }
    if (approve)
        s_approve (self, command, index);
    else {
        improve_reject (self, index, REASON_OPERATOR, NULL);
        say_reply (self, command->operation, false, "rejected", NULL);
    }
}

static void s_rollback (node_t *self, const command_t *command)
{
    digest_t id;
    if (!s_id_argument (self, command, &id))
        return;
    for (size_t i = 0; i < self->applied_count; i++) {
        if (!digest_equal (&self->applied[i].improvement, &id) &&
            !digest_equal (&self->applied[i].snapshot, &id))
            continue;
        int rc = rollback_to (self, i, REASON_OPERATOR);
        const char *why = rc == ERROR_BUSY ? "another release is being put in place: try again in a moment"
                          : rc == ERROR_CONFLICT ? "it is not live: it was rolled back before"
                                                 : "rolling back; `evomesh show` says when it is verified";
        say_reply (self, command->operation, rc != 0, why, NULL);
        return;
    }
    say_reply (
        self, command->operation, true,
        "no improvement that was applied here and no snapshot has that id: `evomesh snapshots` lists them",
        NULL);
}

static void s_propose (node_t *self, const command_t *command)
{
    char type[LIMIT_TEXT + 1], description[LIMIT_TEXT + 1];
    int kind = IMPROVE_ALGORITHM_MODIFICATION;
    if (!s_takes_part (self, command))
        return;
    if (s_argument (command, "type", type, sizeof type))
        kind = improvement_type_parse (type);
    if (!s_argument (command, "description", description, sizeof description))
        (void)snprintf (description, sizeof description, "proposed by the operator");
    const char *problem = NULL;
    if (kind < 0)
        problem = "type: expected parameter_tuning, algorithm_modification, architecture_change or "
                  "configuration_update";
    else if (!self->baseline_known)
        problem = "the live release is not measured yet: try again in a moment";
    else if (self->paused || self->stopped)
        problem = "evolution is paused: `evomesh resume` first";
    if (problem) {
        say_reply (self, command->operation, true, problem, NULL);
        return;
    }
    persist_content_t content = {command->content};
    effects_add (self->out, EFFECT_PERSIST_CONTENT, &content);
    self->last_rejected = REASON_BUSY; /* what it means if there is no place for it at all */
    size_t index =
        propose_candidate (self, ORIGIN_OPERATOR, &self->live, command->content, (improvement_type_t)kind,
                           text_of (description), &self->identity.id, NONE, false);
    if (index == NONE) {
        char why[LIMIT_LONG_TEXT];
        (void)snprintf (why, sizeof why, "rejected at once: %s", reason_description (self->last_rejected));
        say_reply (self, command->operation, true, why, NULL);
        return;
    }
    self->counts.proposed++;
    char id[DIGEST_TEXT_BYTES];
    digest_text (&self->improvements[index].id, id);
    say_reply (self, command->operation, false, "proposed: it is being measured", id);
}

static void s_invite (node_t *self, const command_t *command)
{
    uint64_t uses, seconds;
    char key[LIMIT_TEXT + 1], token[INVITE_TEXT_MAX];
    pubkey_t bound_to = {{0}};
    if (!s_number_argument (self, command, "uses", 1, LIMIT_INVITE_USES, &uses) ||
        !s_number_argument (self, command, "seconds", INVITE_SECONDS_DEFAULT, INVITE_SECONDS_MAX, &seconds))
        return;
    if (s_argument (command, "key", key, sizeof key) && pubkey_parse (key, &bound_to)) {
        say_reply (self, command->operation, true, "key: expected the joiner's id, 52 base32 characters",
                   NULL);
        return;
    }
    int rc = group_invite (self, &command->entropy, uses, seconds * 1000, &bound_to, token, sizeof token);
    say_reply (self, command->operation, rc != 0,
               rc ? "only an admin of the group can invite" : "give this token to one machine",
               rc ? NULL : token);
}

static void s_revoke (node_t *self, const command_t *command)
{
    digest_t id;
    pubkey_t member;
    if (!s_id_argument (self, command, &id))
        return;
    memcpy (member.bytes, id.bytes, PUBKEY_BYTES);
    int rc = pubkey_equal (&member, &self->identity.id) ? ERROR_INPUT : group_revoke (self, &member);
    say_reply (self, command->operation, rc != 0,
               rc == 0              ? "revoked: its links are closed"
               : rc == ERROR_DENIED ? "only an admin of the group can revoke"
               : rc == ERROR_INPUT  ? "a node can't revoke itself"
                                    : "no member has that id: `evomesh group members` lists them",
               NULL);
}

static void s_leave (node_t *self, const command_t *command)
{
    if (pubkey_equal (&self->group.founder, &self->identity.id)) {
        say_reply (self, command->operation, true, "the founder can't leave: it alone makes the rosters",
                   NULL);
        return;
    }
    if (!s_takes_part (self, command))
        return;
    leave_t leave = {.to = self->group.founder, .reason = text_of ("left by its operator")};
    self->left = true;
    say_durably (self, &self->group.founder, MESSAGE_LEAVE, &leave);
    say_reply (
        self, command->operation, false,
        "left: the founder is told as soon as it is reached; nothing is proposed or applied here any more",
        NULL);
}

/* A package from a file: tried like one that a peer sent; its author hears what became of it. */
static void s_import (node_t *self, const command_t *command)
{
    message_t message = {0};
    tree_t base = {0}, candidate = {0};
    package_report_t report;
    problem_t problem = {{0}};
    if (!s_takes_part (self, command))
        return;
    if (package_verify (command->content, &self->group, &message, &base, &candidate, &report, NULL, NULL,
                        &problem)) {
        say_reply (self, command->operation, true, problem.text, NULL);
        return;
    }
    message_clear (&message);
    tree_clear (&base);
    tree_clear (&candidate);
    if (pubkey_equal (&report.author, &self->identity.id)) {
        say_reply (self, command->operation, true,
                   "it is this node's own package: it was measured and applied here before it was shared",
                   NULL);
        return;
    }
    persist_content_t content = {command->content};
    effects_add (self->out, EFFECT_PERSIST_CONTENT, &content);
    bool tried = knowledge_parcel (self, &report.package) == NONE &&
                 knowledge_settled (self, &report.package, NULL) != NULL;
    if (!tried)
        knowledge_import (self, &report.author, &report.package);
    char id[DIGEST_TEXT_BYTES];
    digest_text (&report.package, id);
    say_reply (self, command->operation, tried,
               tried ? reason_description (REASON_ALREADY_TRIED) : "verified: it waits to be measured here",
               id);
}

void on_command (node_t *self, const command_t *command)
{
    assert (self && command);
    static const struct {
        const char *name;
        void (*run) (node_t *self, const command_t *command);
    } commands[] = {
        {"pause", s_pause},   {"resume", s_resume}, {"rollback", s_rollback}, {"propose", s_propose},
        {"invite", s_invite}, {"revoke", s_revoke}, {"leave", s_leave},       {"import", s_import},
    };
    if (text_equal (command->name, "approve") || text_equal (command->name, "reject")) {
        s_decide (self, command, text_equal (command->name, "approve"));
        return;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (text_equal (command->name, commands[i].name)) {
            commands[i].run (self, command);
            return;
        }
    say_reply (self, command->operation, true, "no such command", NULL);
}
