/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/package_check.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

RECORD_TABLE (file_content, FILE_CONTENT_FIELDS);
RECORD_TABLE (package_file, PACKAGE_FILE_FIELDS);

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
    assert (*count <= LIMIT_MEMBERS);
    return 0;
}

/* --- verifying --- */

/* The charter inside, against the group that is trusted. */
static int s_check_charter (package_check_t *check, const message_t *message, const group_t *trusted)
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
static int s_check_rosters (package_check_t *check)
{
    for (size_t i = 0; i < check->package->rosters.count; i++) {
        members_t *members = calloc (1, sizeof *members);
        if (!members)
            return ERROR_MEMORY;
        assert (check->roster_count < LIMIT_METADATA); /* as the message is decoded */
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

/* Does what was counted satisfy the policy? */
static int s_check_policy (package_check_t *check)
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

static int s_check_trees (package_check_t *check, tree_t *base, tree_t *candidate)
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

static int s_check (package_check_t *check, const message_t *message, const group_t *group, tree_t *base,
                    tree_t *candidate)
{
    int rc = s_check_charter (check, message, group);
    if (!rc)
        rc = s_check_trees (check, base, candidate);
    if (!rc)
        rc = s_check_rosters (check);
    if (!rc && !package_check_member_at (check, message->head.epoch, &check->report->author)) {
        problem_set (check->problem, "package: its author is not a member of the roster in it");
        rc = ERROR_STRANGER;
    }
    if (!rc)
        rc = package_check_evidence (check);
    if (!rc && check->package->evidence.count == 0)
        package_check_count_members (check, message->head.epoch);
    if (!rc)
        rc = s_check_policy (check);
    return rc;
}

int package_verify (bytes_t packed, const group_t *group, message_t *package, tree_t *base, tree_t *candidate,
                    package_report_t *report, package_line_fn *line, void *context, problem_t *problem)
{
    assert (package && base && candidate && report);
    memset (report, 0, sizeof *report);
    package_check_t *check = calloc (1, sizeof *check);
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
        package_check_say (check, "package", &report->author, "signature holds");
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
