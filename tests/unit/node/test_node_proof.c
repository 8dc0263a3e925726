/* SPDX-License-Identifier: MPL-2.0 */
/* What nodes make of proof: which votes they take for it, what they send with it, and what they take without. */
#include "evolution/package.h"
#include "tests/lib/rig.h"
#include "tests/lib/suite.h"

/* Node `from` says something to node `to`, whatever node_t would have said. */
static void s_say (rig_t *rig, size_t from, size_t to, unsigned kind, const void *fields)
{
    buffer_t body = {0};
    uint8_t seal[SEAL_BYTES];
    head_t head = {kind, rig->group.group, rig->members->epoch, 90001, 1700000000000u + rig->now_ms};
    message_seal (&rig->nodes[from].identity, &head, fields, &body, seal);
    rig_event (rig, to,
               (event_t){.kind = EVENT_RECEIVED,
                         .as.received = {rig->nodes[from].curve.public_key, bytes_of (body.data, body.size),
                                         bytes_of (seal, SEAL_BYTES)}});
    buffer_clear (&body);
}

/* Node `to` hears of a roster. */
static void s_tell_roster (rig_t *rig, size_t to, const members_t *roster)
{
    statement_t statement;
    ck_assert_int_eq (statement_unpack (bytes_of (roster->packed.data, roster->packed.size), &statement), 0);
    rig_event (rig, to,
               (event_t){.kind = EVENT_RECEIVED,
                         .as.received = {rig->nodes[0].curve.public_key,
                                         bytes_of (statement.body, statement.body_size),
                                         bytes_of (statement.seal, SEAL_BYTES)}});
}

START_TEST (a_voter_that_invents_epochs_spoils_no_package)
{
    policy_t policy = policy_default ();
    policy.min_confirmations = 2;
    rig_t *rig = rig_new (4, &policy);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    rig->nodes[3].rules.epochs_ahead = 7;
    ck_assert (rig_propose (rig, 1, &better));
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 1, &better), STATE_REVIEWING); /* as if it had kept silent */
    rig_pass (rig, policy.feedback_deadline_ms + 1);
    rig_pass (rig, 600000);
    ck_assert_int_eq (rig_state_now (rig, 1, &better), STATE_SHARED);
    for (size_t k = 0; k < 4; k++)
        ck_assert (digest_equal (&rig->nodes[k].current, &better));
    node_status_t status;
    node_status (rig->nodes[3].node, &status);
    ck_assert_uint_eq (status.outbox, 1); /* its result was never acknowledged */
    rig_destroy (&rig);
}
END_TEST

START_TEST (who_votes_by_a_newer_roster_is_asked_again_when_it_is_known)
{
    policy_t policy = policy_default ();
    policy.min_confirmations = 2;
    rig_t *rig = rig_new (3, &policy);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    pubkey_t id = {{1, 2, 3}}, curve = {{4, 5, 6}};
    ck_assert_int_eq (
        members_add (rig->members, &rig->group, &rig->nodes[0].identity, &id, &curve, "late", 90, 90, 1), 0);
    s_tell_roster (rig, 0, rig->members);
    s_tell_roster (rig, 2, rig->members);
    ck_assert (rig_propose (rig, 1, &better));
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 1, &better), STATE_REVIEWING);
    s_tell_roster (rig, 1, rig->members);
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 1, &better), STATE_SHARED);
    ck_assert (digest_equal (&rig->nodes[2].current, &better));
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_result_by_a_newer_roster_counts_when_it_comes_again)
{
    policy_t policy = policy_default ();
    policy.min_confirmations = 2;
    rig_t *rig = rig_new (3, &policy);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    pubkey_t id = {{1, 2, 3}}, curve = {{4, 5, 6}};
    rig->nodes[2].rules.hold_evaluations = true;
    rig_propose (rig, 1, &better);
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 1, &better), STATE_VALIDATING);
    ck_assert_int_eq (
        members_add (rig->members, &rig->group, &rig->nodes[0].identity, &id, &curve, "late", 90, 90, 1), 0);
    s_tell_roster (rig, 2, rig->members);
    rig->nodes[2].rules.hold_evaluations = false;
    rig_release (rig, 2);
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 1, &better), STATE_VALIDATING);
    s_tell_roster (rig, 1, rig->members);
    rig_pass (rig, 10001);
    ck_assert_int_eq (rig_state_now (rig, 1, &better), STATE_SHARED);
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_package_that_nobody_would_take_is_not_sent)
{
    policy_t policy = policy_default ();
    rig_t *rig = rig_new (3, &policy);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    rig->nodes[0].rules.hold_evaluations = rig->nodes[2].rules.hold_evaluations = true;
    rig_propose (rig, 1, &better);
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 1, &better), STATE_VALIDATING);
    rig->nodes[1].rules.hold_evaluations = true; /* of the live copy */
    for (size_t k = 0; k < 3; k += 2) {
        rig->nodes[k].rules.hold_evaluations = false;
        rig_release (rig, k);
    }
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 1, &better), STATE_APPLIED);
    /* Its author is revoked while the live copy is measured: what it says from now on is no member's. */
    ck_assert_int_eq (members_revoke (rig->members, &rig->group, &rig->nodes[0].identity,
                                      &rig->nodes[1].identity.id, 90, 90, 1),
                      0);
    s_tell_roster (rig, 1, rig->members);
    rig->nodes[1].rules.hold_evaluations = false;
    rig_release (rig, 1);
    rig_settle (rig);
    ck_assert_int_eq (rig_state_now (rig, 1, &better), STATE_KEPT);
    ck_assert_uint_eq (rig_events (rig, 1, "knowledge_withheld"), 1);
    ck_assert_uint_eq (rig_events (rig, 1, "knowledge_shared"), 0);
    ck_assert (digest_equal (&rig->nodes[1].current, &better));
    node_status_t status;
    node_status (rig->nodes[1].node, &status);
    ck_assert_uint_eq (status.packages_sent, 0);
    rig_destroy (&rig);
}
END_TEST

/* --- packages of those who were alone --- */

/* The founder says that it made a package alone, in the epoch of that roster; node 1 hears of it. */
static void s_offer (rig_t *rig, const members_t *roster, const digest_t *start, const digest_t *candidate)
{
    buffer_t body = {0}, *packed = &rig->trees[rig->tree_count].tree;
    uint8_t seal[SEAL_BYTES];
    blob_t rosters[1] = {{bytes_of (roster->packed.data, roster->packed.size)}};
    delta_t delta = {text_of ("cost"), GOAL_MINIMIZE, 0.1, 0, 0};
    entry_t platform = {text_of ("platform"), text_of ("x86_64/rig/1")};
    package_t package = {.source_agent = rig->nodes[0].identity.id,
                         .code_pattern = text_of ("alone"),
                         .performance_impact = {&delta, 1},
                         .applicability_context = {&platform, 1},
                         .evaluator = rig->group.evaluator,
                         .charter = bytes_of (rig->group.packed.data, rig->group.packed.size),
                         .rosters = {rosters, 1}};
    for (size_t i = 0; i < rig->tree_count; i++) {
        bytes_t tree = bytes_of (rig->trees[i].tree.data, rig->trees[i].tree.size);
        if (digest_equal (&rig->trees[i].id, start))
            package.base = tree;
        if (digest_equal (&rig->trees[i].id, candidate))
            package.candidate = tree;
    }
    head_t head = {MESSAGE_PACKAGE, rig->group.group, roster->epoch, 80000, 1};
    message_seal (&rig->nodes[0].identity, &head, &package, &body, seal);
    statement_pack (body.data, body.size, seal, packed);
    buffer_clear (&body);
    rig->trees[rig->tree_count++].id = package_id (bytes_of (packed->data, packed->size));
    knowledge_t knowledge = {1000, rig->trees[rig->tree_count - 1].id, text_of ("alone"), packed->size};
    s_say (rig, 0, 1, MESSAGE_KNOWLEDGE, &knowledge);
    rig_settle (rig);
}

static members_t *s_first_roster (const rig_t *rig)
{
    members_t *roster = calloc (1, sizeof *roster);
    ck_assert_ptr_nonnull (roster);
    ck_assert_int_eq (members_found (roster, &rig->group, &rig->nodes[0].identity,
                                     &rig->nodes[0].curve.public_key, "node-0", 2, 1, 1),
                      0);
    return roster;
}

START_TEST (a_package_made_alone_is_a_proposal_that_the_group_looks_at)
{
    rig_t *rig = rig_new (3, NULL);
    digest_t start = *rig_candidate (rig, "start", 1, 0), better = *rig_candidate (rig, "better", 0.9, 0);
    members_t *roster = s_first_roster (rig);
    s_offer (rig, roster, &start, &better);
    ck_assert_uint_eq (rig_events (rig, 1, "knowledge_received"), 1);
    ck_assert_uint_eq (rig_events (rig, 1, "feedback_requested"), 1);
    ck_assert_int_eq (rig_state_now (rig, 1, &better), STATE_SHARED); /* by its own proof now */
    ck_assert (digest_equal (&rig->nodes[2].current, &better));
    members_clear (roster);
    free (roster);
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_package_made_alone_when_others_were_members_is_refused)
{
    rig_t *rig = rig_new (3, NULL);
    digest_t start = *rig_candidate (rig, "start", 1, 0), better = *rig_candidate (rig, "better", 0.9, 0);
    members_t *roster = s_first_roster (rig); /* a second history of the group, in which nobody stayed */
    pubkey_t id = {{1, 2, 3}}, curve = {{4, 5, 6}};
    ck_assert_int_eq (
        members_add (roster, &rig->group, &rig->nodes[0].identity, &id, &curve, "gone", 70, 70, 1), 0);
    ck_assert_int_eq (members_revoke (roster, &rig->group, &rig->nodes[0].identity, &id, 71, 71, 1), 0);
    ck_assert_uint_eq (roster->epoch, rig->members->epoch);
    s_offer (rig, roster, &start, &better);
    ck_assert_uint_eq (rig_events (rig, 1, "knowledge_received"), 0);
    ck_assert_uint_eq (rig_events (rig, 1, "knowledge_rejected"), 1);
    ck_assert (digest_equal (&rig->nodes[1].current, &start));
    members_clear (roster);
    free (roster);
    rig_destroy (&rig);
}
END_TEST

/* --- lists of files, judged by their shape --- */

/* A candidate of another shape: a file that may not change, or made for another evaluator. */
static digest_t s_misshapen (rig_t *rig, const char *path, const char *evaluator)
{
    tree_t tree = {0};
    digest_t content = digest_of ("x", 1),
             id = evaluator ? digest_of (evaluator, strlen (evaluator)) : rig->group.evaluator;
    size_t size, at = rig->tree_count++;
    ck_assert_int_eq (tree_add (&tree, path, false, &content, 1), 0);
    uint8_t *bytes = tree_encode (&tree, &id, &size);
    ck_assert_ptr_nonnull (bytes);
    rig->trees[at].id = digest_of (bytes, size);
    buffer_append (&rig->trees[at].tree, bytes, size);
    free (bytes);
    tree_clear (&tree);
    return rig->trees[at].id;
}

static void s_ask_for_validation (rig_t *rig, const digest_t *candidate, const digest_t *base)
{
    validation_request_t request = {.to = rig->nodes[1].identity.id,
                                    .candidate = *candidate,
                                    .base = *base,
                                    .evaluator = rig->group.evaluator,
                                    .validation_type = VALIDATE_PERFORMANCE,
                                    .deadline_ms = 60000};
    s_say (rig, 0, 1, MESSAGE_VALIDATION_REQUEST, &request);
    rig_settle (rig);
}

START_TEST (a_validators_lists_are_judged_before_their_files_are_fetched)
{
    rig_t *rig = rig_new (3, NULL);
    digest_t start = *rig_candidate (rig, "start", 1, 0), better = *rig_candidate (rig, "better", 0.9, 0);
    digest_t protected = s_misshapen (rig, "evaluate", NULL), foreign = s_misshapen (rig, "program", "other");
    s_ask_for_validation (rig, &protected, &start);
    s_ask_for_validation (rig, &start, &protected);
    s_ask_for_validation (rig, &foreign, &start);
    ck_assert_uint_eq (rig->nodes[1].fetches[0], 6); /* the lists of three pairs… */
    ck_assert_uint_eq (rig->nodes[1].fetches[1], 0); /* …and none of their files */
    ck_assert_uint_eq (rig->nodes[0].heard[MESSAGE_VALIDATION_DECLINED], 3);
    s_ask_for_validation (rig, &better, &start);
    ck_assert_uint_eq (rig->nodes[1].fetches[0], 8);
    ck_assert_uint_eq (rig->nodes[1].fetches[1], 2);
    ck_assert_uint_eq (rig->nodes[0].heard[MESSAGE_VALIDATION_RESULT], 1);
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_packages_lists_are_judged_before_their_files_are_fetched)
{
    for (int i = 0; i < 2; i++) {
        rig_t *rig = rig_new (3, NULL);
        digest_t start = *rig_candidate (rig, "start", 1, 0), better = *rig_candidate (rig, "better", 0.9, 0);
        digest_t protected = s_misshapen (rig, "evaluate", NULL);
        members_t *roster = s_first_roster (rig);
        s_offer (rig, roster, i ? &protected : &start, i ? &better : &protected);
        ck_assert_uint_eq (rig_events (rig, 1, "knowledge_received"), 1); /* it is what its author signed */
        ck_assert_uint_eq (rig_told (rig, 1, "knowledge_rejected", "reason", "protected"), 1);
        ck_assert_uint_eq (rig->nodes[1].fetches[0], 1);
        ck_assert_uint_eq (rig->nodes[1].fetches[1], 0);
        members_clear (roster);
        free (roster);
        rig_destroy (&rig);
    }
}
END_TEST

/* --- measuring for others --- */

START_TEST (a_request_for_no_type_of_validation_is_declined)
{
    static const unsigned types[] = {0, VALIDATE_CORRECTNESS, VALIDATE_PERFORMANCE};
    for (size_t i = 0; i < 3; i++) {
        rig_t *rig = rig_new (3, NULL);
        digest_t start = *rig_candidate (rig, "start", 1, 0), better = *rig_candidate (rig, "better", 0.9, 0);
        validation_request_t request = {.to = rig->nodes[1].identity.id,
                                        .candidate = better,
                                        .base = start,
                                        .evaluator = rig->group.evaluator,
                                        .validation_type = types[i],
                                        .deadline_ms = 60000};
        s_say (rig, 0, 1, MESSAGE_VALIDATION_REQUEST, &request);
        bool declined = false;
        for (size_t at = 0; at + 7 <= rig->nodes[0].inbox.size; at++)
            declined = declined || memcmp (rig->nodes[0].inbox.data + at, "no_type", 7) == 0;
        ck_assert_int_eq (declined, types[i] == 0);
        rig_settle (rig);
        node_status_t status;
        node_status (rig->nodes[1].node, &status);
        ck_assert_uint_eq (status.validations_done, types[i] != 0);
        rig_destroy (&rig);
    }
}
END_TEST

SUITE_MAIN ("node_proof", a_voter_that_invents_epochs_spoils_no_package,
            who_votes_by_a_newer_roster_is_asked_again_when_it_is_known,
            a_result_by_a_newer_roster_counts_when_it_comes_again,
            a_package_that_nobody_would_take_is_not_sent,
            a_package_made_alone_is_a_proposal_that_the_group_looks_at,
            a_package_made_alone_when_others_were_members_is_refused,
            a_validators_lists_are_judged_before_their_files_are_fetched,
            a_packages_lists_are_judged_before_their_files_are_fetched,
            a_request_for_no_type_of_validation_is_declined)
