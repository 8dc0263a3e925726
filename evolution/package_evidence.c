/* SPDX-License-Identifier: MPL-2.0 */
/* What the members inside a package said of it, and that they were members when they did. */
#include "evolution/package_check.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void package_check_say (const package_check_t *check, const char *what, const pubkey_t *who, const char *said)
{
    if (!check->line)
        return;
    char text[LIMIT_TEXT];
    char id[DIGEST_SHORT_BYTES];
    pubkey_short (who, id);
    (void)snprintf (text, sizeof text, "%s of %s: %s", what, id, said);
    check->line (check->context, text);
}

/* The roster that tells who was a member at `epoch`: that of the epoch or else the earliest after it, as rosters keep since
 * when everybody was in and with which epoch it was revoked. So it needn't be there if the group grew while votes came in. */
static const members_t *s_roster_of (const package_check_t *check, uint64_t epoch)
{
    const members_t *earliest = NULL;
    for (size_t i = 0; i < check->roster_count; i++)
        if (check->rosters[i]->epoch >= epoch &&
            (earliest == NULL || check->rosters[i]->epoch < earliest->epoch))
            earliest = check->rosters[i];
    assert (earliest == NULL || earliest->epoch >= epoch);
    return earliest;
}

static bool s_was_member (const struct members_entry *entry, uint64_t epoch)
{
    return entry->since_epoch <= epoch && (entry->revoked_epoch == 0 || entry->revoked_epoch > epoch);
}

bool package_member_at (const members_t *roster, uint64_t epoch, const pubkey_t *id)
{
    assert (roster && id);
    int at = epoch <= roster->epoch ? members_find (roster, id) : -1;
    return at >= 0 && pubkey_equal (&roster->members[at].id, id) &&
           s_was_member (&roster->members[at], epoch);
}

uint64_t package_members_at (const members_t *roster, uint64_t epoch)
{
    assert (roster);
    uint64_t count = 0;
    for (size_t i = 0; i < roster->count && epoch <= roster->epoch; i++)
        count += s_was_member (&roster->members[i], epoch);
    return count;
}

void package_check_count_members (package_check_t *check, uint64_t epoch)
{
    const members_t *members = s_roster_of (check, epoch);
    if (!members || epoch < check->report->epoch)
        return;
    check->report->epoch = epoch;
    check->report->members = package_members_at (members, epoch);
}

bool package_check_member_at (const package_check_t *check, uint64_t epoch, const pubkey_t *id)
{
    const members_t *members = s_roster_of (check, epoch);
    return members && package_member_at (members, epoch, id);
}

static bool s_in (const pubkey_t *keys, size_t count, const pubkey_t *key)
{
    for (size_t i = 0; i < count; i++)
        if (pubkey_equal (&keys[i], key))
            return true;
    return false;
}

static bool s_asked (const package_check_t *check, const pubkey_t *id)
{
    for (size_t i = 0; i < check->package->asked.count; i++)
        if (memcmp (check->package->asked.items[i].id.bytes, id->bytes, PUBKEY_BYTES) == 0)
            return true;
    return false;
}

/* Same candidate, base and evaluator, and addressed to the package's author? */
static bool s_about (const package_check_t *check, const pubkey_t *to, const digest_t *candidate,
                     const digest_t *base, const digest_t *evaluator)
{
    return pubkey_equal (to, &check->report->author) && digest_equal (candidate, &check->report->candidate) &&
           digest_equal (base, &check->report->base) && digest_equal (evaluator, &check->package->evaluator);
}

static int s_count_feedback (package_check_t *check, const message_t *message, const pubkey_t *author)
{
    const feedback_t *feedback = &message->as.feedback;
    if (!s_about (check, &feedback->to, &feedback->candidate, &feedback->base, &feedback->evaluator)) {
        problem_set (check->problem, "package: a FEEDBACK in it is about something else");
        return ERROR_UNVERIFIED;
    }
    if (s_in (check->feedback_by, check->feedback_count, author)) {
        problem_set (check->problem, "package: a member's FEEDBACK is in it twice");
        return ERROR_UNVERIFIED;
    }
    assert (check->feedback_count < LIMIT_MEMBERS && feedback->recommendation <= 2); /* as it is decoded */
    check->feedback_by[check->feedback_count++] = *author;
    tally_t *tally = &check->report->feedback;
    static const char *const said[] = {"approve", "review", "reject"};
    tally->approvals += feedback->recommendation == 0;
    tally->reviews += feedback->recommendation == 1;
    tally->rejections += feedback->recommendation == 2;
    package_check_say (check, "feedback", author, said[feedback->recommendation]);
    return 0;
}

static int s_count_result (package_check_t *check, const message_t *message, const pubkey_t *author)
{
    const validation_result_t *result = &message->as.validation_result;
    if (!s_about (check, &result->to, &result->candidate, &result->base, &result->evaluator)) {
        problem_set (check->problem, "package: a VALIDATION_RESULT in it is about something else");
        return ERROR_UNVERIFIED;
    }
    if (s_in (check->result_by, check->result_count, author)) {
        problem_set (check->problem, "package: a member's VALIDATION_RESULT is in it twice");
        return ERROR_UNVERIFIED;
    }
    /* Who was asked for less than performance says "confirmed" of whatever runs. */
    if (!(result->validation_type & VALIDATE_PERFORMANCE)) {
        problem_set (check->problem, "package: a VALIDATION_RESULT in it did not measure performance");
        return ERROR_UNVERIFIED;
    }
    assert (check->result_count < LIMIT_MEMBERS);
    check->result_by[check->result_count++] = *author;
    check->report->validations.asked++;
    check->report->validations.confirmed += result->confirmed == 1;
    check->report->validations.refuted += result->confirmed == 0;
    package_check_say (check, "measurement", author, result->confirmed ? "confirmed" : "not confirmed");
    return 0;
}

int package_check_evidence (package_check_t *check)
{
    for (size_t i = 0; i < check->package->evidence.count; i++) {
        bytes_t packed = check->package->evidence.items[i].bytes;
        statement_t statement;
        if (statement_unpack (packed, &statement)) {
            problem_set (check->problem, "package: evidence %zu is no statement", i);
            return ERROR_MALFORMED;
        }
        unsigned kind = statement_kind (statement.body, statement.body_size);
        if (kind != MESSAGE_FEEDBACK && kind != MESSAGE_VALIDATION_RESULT) {
            problem_set (check->problem, "package: evidence %zu is neither FEEDBACK nor VALIDATION_RESULT",
                         i);
            return ERROR_UNVERIFIED;
        }
        message_t message = {0};
        pubkey_t author;
        int rc = statement_open (packed, kind, &message, &author, check->problem);
        if (rc)
            return rc;
        check->report->signatures++;
        package_check_count_members (check, message.head.epoch);
        if (!digest_equal (&message.head.group, &check->group.group) ||
            !package_check_member_at (check, message.head.epoch, &author) || !s_asked (check, &author) ||
            pubkey_equal (&author, &check->report->author)) {
            problem_set (check->problem, "package: evidence %zu is not by another member that was asked", i);
            rc = ERROR_STRANGER;
        } else if (kind == MESSAGE_FEEDBACK)
            rc = s_count_feedback (check, &message, &author);
        else
            rc = s_count_result (check, &message, &author);
        message_clear (&message);
        if (rc)
            return rc;
    }
    return 0;
}
