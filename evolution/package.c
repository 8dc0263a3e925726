/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/package.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

RECORD_TABLE (file_content, FILE_CONTENT_FIELDS);
RECORD_TABLE (package_file, PACKAGE_FILE_FIELDS);

/* Everything that a verification holds on the way. */
typedef struct {
    group_t group;
    members_t *rosters[LIMIT_METADATA];
    size_t roster_count;
    const package_t *package;
    package_report_t *report;
    pubkey_t feedback_by[LIMIT_MEMBERS];
    size_t feedback_count;
    pubkey_t result_by[LIMIT_MEMBERS];
    size_t result_count;
    package_line_fn *line;
    void *context;
    problem_t *problem;
} check_t;

digest_t package_id (bytes_t packed)
{
    return digest_of (packed.data, packed.size);
}

unsigned package_min_confirmations (const policy_t *policy, uint64_t members)
{
    assert (policy);
    if (policy->min_confirmations > 0)
        return (unsigned)policy->min_confirmations;
    uint64_t others = members > 0 ? members - 1 : 0;
    return (unsigned)(others < 3 ? others : 3);
}

/* --- choosing the evidence --- */

/* What a blob in a list takes beyond its own bytes. */
#define BLOB_EXTRA_BYTES 8

/* Adds what there is of a request's evidence, as far as it fits. Returns how many pieces had to stay out. */
static size_t s_gather (const request_t *request, size_t *budget_bytes, blob_t *evidence, size_t *count)
{
    size_t left_out = 0;
    for (size_t i = 0; i < request->count; i++) {
        const buffer_t *piece = &request->asked[i].evidence;
        if (piece->size == 0)
            continue;
        if (*count == LIMIT_MEMBERS || piece->size + BLOB_EXTRA_BYTES > *budget_bytes) {
            left_out++;
            continue;
        }
        *budget_bytes -= piece->size + BLOB_EXTRA_BYTES;
        evidence[(*count)++].bytes = bytes_of (piece->data, piece->size);
    }
    return left_out;
}

int package_gather (const request_t *feedback, const request_t *validation, size_t budget_bytes,
                    blob_t evidence[LIMIT_MEMBERS], size_t *count)
{
    assert (feedback && validation && evidence && count);
    *count = 0;
    if (s_gather (validation, &budget_bytes, evidence, count) > 0)
        return ERROR_BOUND;
    (void)s_gather (feedback, &budget_bytes, evidence, count);
    return 0;
}

/* --- verifying --- */

static void s_say (const check_t *check, const char *what, const pubkey_t *who, const char *said)
{
    if (!check->line)
        return;
    char text[LIMIT_TEXT];
    char id[DIGEST_SHORT_BYTES];
    pubkey_short (who, id);
    (void)snprintf (text, sizeof text, "%s of %s: %s", what, id, said);
    check->line (check->context, text);
}

/* The charter inside, against the group that is trusted. */
static int s_check_charter (check_t *check, const message_t *message, const group_t *trusted)
{
    int rc = group_open (check->package->charter, &check->group, check->problem);
    if (rc)
        return rc;
    check->report->signatures++;
    if (!digest_equal (&check->group.group, &message->head.group)) {
        problem_set (check->problem, "package: its charter is of another group than its head");
        return ERROR_GROUP;
    }
    if (trusted && !digest_equal (&trusted->group, &check->group.group)) {
        problem_set (check->problem, "package: made in another group than the one that is trusted here");
        return ERROR_GROUP;
    }
    if (!digest_equal (&check->group.evaluator, &check->package->evaluator)) {
        problem_set (check->problem, "package: its evaluator id is not the charter's");
        return ERROR_UNVERIFIED;
    }
    check->report->group = check->group.group;
    return 0;
}

/* The rosters inside: each signed by the founder, who alone makes them. */
static int s_check_rosters (check_t *check)
{
    for (size_t i = 0; i < check->package->rosters.count; i++) {
        members_t *members = calloc (1, sizeof *members);
        if (!members)
            return ERROR_MEMORY;
        check->rosters[check->roster_count++] = members;
        int rc =
            members_open (check->package->rosters.items[i].bytes, &check->group, members, check->problem);
        if (rc)
            return rc;
        check->report->signatures++;
        if (!pubkey_equal (&members->author, &check->group.founder)) {
            problem_set (check->problem, "package: roster of epoch %llu was not made by the founder",
                         (unsigned long long)members->epoch);
            return ERROR_DENIED;
        }
    }
    if (check->roster_count == 0) {
        problem_set (check->problem, "package: found no roster, expected at least the one in force");
        return ERROR_UNVERIFIED;
    }
    return 0;
}

/* The roster that tells who was a member at `epoch`: that of the epoch or else the earliest after it, as rosters keep since
 * when everybody was in and with which epoch it was revoked. So it needn't be there if the group grew while votes came in. */
static const members_t *s_roster_of (const check_t *check, uint64_t epoch)
{
    const members_t *earliest = NULL;
    for (size_t i = 0; i < check->roster_count; i++)
        if (check->rosters[i]->epoch >= epoch &&
            (earliest == NULL || check->rosters[i]->epoch < earliest->epoch))
            earliest = check->rosters[i];
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

/* How many members the policy's numbers go by: those at the newest epoch that a voter spoke in, since voters, unlike the
 * package's author, have no interest in an old one; without evidence, at the epoch of the package itself. */
static void s_count_members (check_t *check, uint64_t epoch)
{
    const members_t *members = s_roster_of (check, epoch);
    if (!members || epoch < check->report->epoch)
        return;
    check->report->epoch = epoch;
    check->report->members = package_members_at (members, epoch);
}

/* True if `id` was a member at `epoch`, as a roster inside says. */
static bool s_member_at (const check_t *check, uint64_t epoch, const pubkey_t *id)
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

static bool s_asked (const check_t *check, const pubkey_t *id)
{
    for (size_t i = 0; i < check->package->asked.count; i++)
        if (memcmp (check->package->asked.items[i].id.bytes, id->bytes, PUBKEY_BYTES) == 0)
            return true;
    return false;
}

/* Same candidate, base and evaluator, and addressed to the package's author? */
static bool s_about (const check_t *check, const pubkey_t *to, const digest_t *candidate,
                     const digest_t *base, const digest_t *evaluator)
{
    return pubkey_equal (to, &check->report->author) && digest_equal (candidate, &check->report->candidate) &&
           digest_equal (base, &check->report->base) && digest_equal (evaluator, &check->package->evaluator);
}

static int s_count_feedback (check_t *check, const message_t *message, const pubkey_t *author)
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
    check->feedback_by[check->feedback_count++] = *author;
    tally_t *tally = &check->report->feedback;
    static const char *const said[] = {"approve", "review", "reject"};
    tally->approvals += feedback->recommendation == 0;
    tally->reviews += feedback->recommendation == 1;
    tally->rejections += feedback->recommendation == 2;
    s_say (check, "feedback", author, said[feedback->recommendation]);
    return 0;
}

static int s_count_result (check_t *check, const message_t *message, const pubkey_t *author)
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
    check->result_by[check->result_count++] = *author;
    check->report->validations.asked++;
    check->report->validations.confirmed += result->confirmed == 1;
    check->report->validations.refuted += result->confirmed == 0;
    s_say (check, "measurement", author, result->confirmed ? "confirmed" : "not confirmed");
    return 0;
}

static int s_check_evidence (check_t *check)
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
        s_count_members (check, message.head.epoch);
        if (!digest_equal (&message.head.group, &check->group.group) ||
            !s_member_at (check, message.head.epoch, &author) || !s_asked (check, &author) ||
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

/* Does what was counted satisfy the policy? */
static int s_check_policy (check_t *check)
{
    package_report_t *report = check->report;
    const policy_t *policy = &check->group.policy;
    report->min_confirmations = package_min_confirmations (policy, report->members);
    if (report->members == 1 && check->package->evidence.count == 0 && policy->allow_alone) {
        report->alone = true;
        return 0;
    }
    report->feedback.asked = (unsigned)check->package->asked.count;
    const consensus_rules_t rules = {policy->approve_threshold, policy->review_threshold, policy->quorum};
    report->consensus = consensus_of (&report->feedback, &rules);
    if (report->consensus.action == ACTION_REJECT) {
        problem_set (check->problem, "package: feedback is %u of %u for it, which the policy rejects",
                     report->feedback.approvals, report->feedback.asked);
        return ERROR_UNVERIFIED;
    }
    report->unvalidated = check->result_count == 0 && policy->allow_unvalidated;
    if (!report->unvalidated &&
        validation_decide (&report->validations, report->min_confirmations, policy->consensus_threshold,
                           true) != VALIDATION_CONFIRMED) {
        problem_set (check->problem,
                     "package: %u of %zu measurements confirm it, the policy asks for %u and %.2f",
                     report->validations.confirmed, check->result_count, report->min_confirmations,
                     policy->consensus_threshold);
        return ERROR_UNVERIFIED;
    }
    return 0;
}

static int s_check_trees (check_t *check, tree_t *base, tree_t *candidate)
{
    digest_t evaluator[2];
    int rc = tree_decode (check->package->base.data, check->package->base.size, base, &evaluator[0]);
    if (!rc)
        rc = tree_decode (check->package->candidate.data, check->package->candidate.size, candidate,
                          &evaluator[1]);
    if (rc) {
        problem_set (check->problem, "package: a list of files in it is not well-formed");
        return rc;
    }
    for (int i = 0; i < 2; i++)
        if (!digest_equal (&evaluator[i], &check->package->evaluator)) {
            problem_set (check->problem, "package: a list of files in it is for another evaluator");
            return ERROR_UNVERIFIED;
        }
    return 0;
}

static int s_check (check_t *check, const message_t *message, const group_t *group, tree_t *base,
                    tree_t *candidate)
{
    int rc = s_check_charter (check, message, group);
    if (!rc)
        rc = s_check_trees (check, base, candidate);
    if (!rc)
        rc = s_check_rosters (check);
    if (!rc && !s_member_at (check, message->head.epoch, &check->report->author)) {
        problem_set (check->problem, "package: its author is not a member of the roster in it");
        rc = ERROR_STRANGER;
    }
    if (!rc)
        rc = s_check_evidence (check);
    if (!rc && check->package->evidence.count == 0)
        s_count_members (check, message->head.epoch);
    if (!rc)
        rc = s_check_policy (check);
    return rc;
}

int package_verify (bytes_t packed, const group_t *group, message_t *package, tree_t *base, tree_t *candidate,
                    package_report_t *report, package_line_fn *line, void *context, problem_t *problem)
{
    assert (package && base && candidate && report);
    memset (report, 0, sizeof *report);
    check_t *check = calloc (1, sizeof *check);
    if (!check)
        return ERROR_MEMORY;
    check->report = report;
    check->line = line;
    check->context = context;
    check->problem = problem;
    int rc = statement_open (packed, MESSAGE_PACKAGE, package, &report->author, problem);
    if (!rc) {
        report->signatures = 1;
        check->package = &package->as.package;
        report->package = package_id (packed);
        report->candidate = digest_of (check->package->candidate.data, check->package->candidate.size);
        report->base = digest_of (check->package->base.data, check->package->base.size);
        s_say (check, "package", &report->author, "signature holds");
        if (pubkey_equal (&check->package->source_agent, &report->author))
            rc = s_check (check, package, group, base, candidate);
        else
            rc = ERROR_IMPOSTOR, problem_set (problem, "package: its source_agent did not sign it");
        if (rc) {
            message_clear (package);
            tree_clear (base);
            tree_clear (candidate);
        }
    }
    for (size_t i = 0; i < check->roster_count; i++) {
        members_clear (check->rosters[i]);
        free (check->rosters[i]);
    }
    group_clear (&check->group);
    free (check);
    return rc;
}
