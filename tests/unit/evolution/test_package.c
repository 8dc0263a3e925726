/* SPDX-License-Identifier: MPL-2.0 */
/* The proof in a package: one that holds, and everything that a forger may try. */
#include "evolution/package.h"
#include "tests/lib/proof.h"
#include "tests/lib/sample.h"
#include "tests/lib/suite.h"

/* Verifies as a stranger would, or as one that trusts `group`. */
static int s_verify (bytes_t packed, const group_t *group, package_report_t *report)
{
    message_t message = {0};
    tree_t base = {0}, candidate = {0};
    problem_t problem = {""};
    int rc = package_verify (packed, group, &message, &base, &candidate, report, NULL, NULL, &problem);
    if (rc == 0) {
        ck_assert_uint_eq (base.count, 1);
        ck_assert_uint_eq (candidate.count, 1);
        message_clear (&message);
        tree_clear (&base);
        tree_clear (&candidate);
    } else {
        ck_assert_msg (problem.text[0] != '\0', "error %s without a word", error_name (rc));
        ck_assert (base.files == NULL && candidate.files == NULL && message.arena.blocks == NULL);
    }
    return rc;
}

static int s_verify_proof (const proof_t *proof, package_report_t *report)
{
    buffer_t packed = {0};
    proof_pack (proof, &packed);
    int rc = s_verify (bytes_of (packed.data, packed.size), &proof->group, report);
    buffer_clear (&packed);
    return rc;
}

static void s_expect (const proof_t *proof, int expected)
{
    package_report_t report;
    ck_assert_str_eq (error_name (s_verify_proof (proof, &report)), error_name (expected));
}

START_TEST (a_package_with_its_proof_holds_and_is_reported)
{
    proof_t *proof = proof_new (NULL);
    package_report_t report;
    ck_assert_int_eq (s_verify_proof (proof, &report), 0);
    ck_assert (pubkey_equal (&report.author, &proof->people[PROOF_AUTHOR].id));
    ck_assert (digest_equal (&report.group, &proof->group.group));
    ck_assert (report.epoch == 4 && report.members == 4 && report.signatures == 9);
    ck_assert (report.feedback.asked == 3 && report.feedback.approvals == 3);
    ck_assert (report.validations.confirmed == 3 && report.validations.refuted == 0);
    ck_assert (report.min_confirmations == 3 && report.consensus.action == ACTION_APPROVE);
    ck_assert (!report.alone && !report.unvalidated);
    proof_destroy (&proof);
}
END_TEST

/* --- forgeries: each takes a proof that holds and changes one thing; whoever has to sign it does --- */

static void s_source_agent (proof_t *proof)
{
    proof->package.source_agent = proof->people[3].id;
}
static void s_evaluator (proof_t *proof)
{
    proof->package.evaluator.bytes[0] ^= 1;
}
static void s_candidate (proof_t *proof)
{
    proof->candidate.size = 0;
    proof_tree (&proof->group.evaluator, "worse", &proof->candidate);
    proof->package.candidate = bytes_of (proof->candidate.data, proof->candidate.size);
}
static void s_base (proof_t *proof)
{
    proof->base.size = 0;
    proof_tree (&proof->group.evaluator, "never live", &proof->base);
    proof->package.base = bytes_of (proof->base.data, proof->base.size);
}
static void s_tree_for_another_evaluator (proof_t *proof)
{
    digest_t other = digest_of ("other", 5);
    proof->base.size = 0;
    proof_tree (&other, "before", &proof->base);
    proof->package.base = bytes_of (proof->base.data, proof->base.size);
}
static void s_no_tree (proof_t *proof)
{
    proof->package.candidate.size--;
}
static void s_head_of_another_group (proof_t *proof)
{
    proof->head.group.bytes[0] ^= 1;
}
static void s_head_epoch_ahead (proof_t *proof)
{
    proof->head.epoch = 5;
}
static void s_author_not_yet_member (proof_t *proof)
{
    proof->head.epoch = PROOF_AUTHOR - 1;
}
static void s_cut_charter (proof_t *proof)
{
    proof->package.charter.size--;
}
static void s_no_roster (proof_t *proof)
{
    proof->package.rosters.count = 0;
}
static void s_old_roster (proof_t *proof)
{
    static members_t old; /* as it was when the founder was alone */
    pubkey_t curve = sample_curve (1);
    ck_assert_int_eq (members_found (&old, &proof->group, &proof->people[1], &curve, "node-1", 1, 1, 1), 0);
    proof->rosters[0].bytes = bytes_of (old.packed.data, old.packed.size);
}
static void s_by_a_stranger (proof_t *proof)
{
    proof->person = 5;
    proof->package.source_agent = proof->people[5].id;
    for (size_t i = 0; i < 3; i++) {
        proof->votes[i].feedback.to = proof->people[5].id;
        proof->votes[i + 3].result.to = proof->people[5].id;
    }
}
static void s_not_asked (proof_t *proof)
{
    proof->package.asked.count = 2;
}
static void s_voter_a_stranger (proof_t *proof)
{
    proof->votes[5].person = 5;
    memcpy (proof->asked[3].id.bytes, proof->people[5].id.bytes, DIGEST_BYTES);
    proof->package.asked.count = 4;
}
static void s_votes_for_itself (proof_t *proof)
{
    proof->votes[5].person = PROOF_AUTHOR;
    memcpy (proof->asked[3].id.bytes, proof->people[PROOF_AUTHOR].id.bytes, DIGEST_BYTES);
    proof->package.asked.count = 4;
}
static void s_feedback_twice (proof_t *proof)
{
    proof->votes[2].person = 1;
}
static void s_result_twice (proof_t *proof)
{
    proof->votes[5].person = 1;
}
static void s_feedback_on_another_candidate (proof_t *proof)
{
    proof->votes[0].feedback.candidate.bytes[0] ^= 1;
}
static void s_feedback_on_another_base (proof_t *proof)
{
    proof->votes[0].feedback.base.bytes[0] ^= 1;
}
static void s_feedback_on_another_evaluator (proof_t *proof)
{
    proof->votes[0].feedback.evaluator.bytes[0] ^= 1;
}
static void s_feedback_to_another (proof_t *proof)
{
    proof->votes[0].feedback.to = proof->people[3].id;
}
static void s_result_on_another_candidate (proof_t *proof)
{
    proof->votes[3].result.candidate.bytes[0] ^= 1;
}
static void s_result_on_another_base (proof_t *proof)
{
    proof->votes[3].result.base.bytes[0] ^= 1;
}
static void s_result_on_another_evaluator (proof_t *proof)
{
    proof->votes[3].result.evaluator.bytes[0] ^= 1;
}
static void s_result_to_another (proof_t *proof)
{
    proof->votes[3].result.to = proof->people[3].id;
}
static void s_vote_in_another_group (proof_t *proof)
{
    proof->votes[3].head.group.bytes[0] ^= 1;
}
static void s_vote_epoch_ahead (proof_t *proof)
{
    proof->votes[0].head.epoch = 5;
}
static void s_vote_epoch_far_ahead (proof_t *proof)
{
    proof->votes[3].head.epoch = UINT64_MAX;
}
static void s_voter_not_yet_member (proof_t *proof)
{
    proof->votes[5].head.epoch = 3; /* person 4 came with epoch 4 */
}
static void s_voter_revoked_then (proof_t *proof)
{
    proof_revoke (proof, 4);
    proof->votes[5].head.epoch = 5;
}
static void s_nothing_measured (proof_t *proof)
{
    proof->votes[3].result.validation_type = 0;
}
static void s_only_correctness_measured (proof_t *proof)
{
    proof->votes[3].result.validation_type = VALIDATE_CORRECTNESS;
}
static void s_all_but_performance_measured (proof_t *proof)
{
    proof->votes[4].result.validation_type = VALIDATE_CORRECTNESS | VALIDATE_SAFETY;
}
static void s_too_few_confirmations (proof_t *proof)
{
    proof->vote_count = 5;
}
static void s_no_confirmations (proof_t *proof)
{
    proof->vote_count = 3;
}
static void s_refuted (proof_t *proof)
{
    proof->votes[4].result.confirmed = 0;
}
static void s_rejected (proof_t *proof)
{
    proof->votes[0].feedback.recommendation = proof->votes[1].feedback.recommendation = 2;
}
static void s_no_feedback (proof_t *proof)
{
    memmove (proof->votes, proof->votes + 3, 3 * sizeof proof->votes[0]);
    proof->vote_count = 3;
}
static void s_no_evidence (proof_t *proof)
{
    proof->vote_count = 0;
}

START_TEST (every_forgery_is_refused)
{
    static const struct {
        const char *name;
        void (*forge) (proof_t *proof);
        int error;
    } table[] = {
        {"signed by another than its source_agent", s_source_agent, ERROR_IMPOSTOR},
        {"evaluator", s_evaluator, ERROR_UNVERIFIED},
        {"another candidate than was voted on", s_candidate, ERROR_UNVERIFIED},
        {"another base than was voted on", s_base, ERROR_UNVERIFIED},
        {"tree for another evaluator", s_tree_for_another_evaluator, ERROR_UNVERIFIED},
        {"no tree", s_no_tree, ERROR_MALFORMED},
        {"head of another group", s_head_of_another_group, ERROR_GROUP},
        {"head's epoch ahead of the roster", s_head_epoch_ahead, ERROR_STRANGER},
        {"author no member yet", s_author_not_yet_member, ERROR_STRANGER},
        {"charter cut short", s_cut_charter, ERROR_SIGNATURE},
        {"no roster", s_no_roster, ERROR_UNVERIFIED},
        {"roster older than all else", s_old_roster, ERROR_STRANGER},
        {"author no member", s_by_a_stranger, ERROR_STRANGER},
        {"voter not asked", s_not_asked, ERROR_STRANGER},
        {"voter no member", s_voter_a_stranger, ERROR_STRANGER},
        {"author votes for itself", s_votes_for_itself, ERROR_STRANGER},
        {"feedback twice", s_feedback_twice, ERROR_UNVERIFIED},
        {"result twice", s_result_twice, ERROR_UNVERIFIED},
        {"feedback on another candidate", s_feedback_on_another_candidate, ERROR_UNVERIFIED},
        {"feedback on another base", s_feedback_on_another_base, ERROR_UNVERIFIED},
        {"feedback on another evaluator", s_feedback_on_another_evaluator, ERROR_UNVERIFIED},
        {"feedback to another", s_feedback_to_another, ERROR_UNVERIFIED},
        {"result on another candidate", s_result_on_another_candidate, ERROR_UNVERIFIED},
        {"result on another base", s_result_on_another_base, ERROR_UNVERIFIED},
        {"result on another evaluator", s_result_on_another_evaluator, ERROR_UNVERIFIED},
        {"result to another", s_result_to_another, ERROR_UNVERIFIED},
        {"vote in another group", s_vote_in_another_group, ERROR_STRANGER},
        {"vote's epoch ahead of the roster", s_vote_epoch_ahead, ERROR_STRANGER},
        {"vote's epoch far ahead", s_vote_epoch_far_ahead, ERROR_STRANGER},
        {"voter no member yet", s_voter_not_yet_member, ERROR_STRANGER},
        {"voter revoked when it spoke", s_voter_revoked_then, ERROR_STRANGER},
        {"nothing measured", s_nothing_measured, ERROR_UNVERIFIED},
        {"only correctness measured", s_only_correctness_measured, ERROR_UNVERIFIED},
        {"all but performance measured", s_all_but_performance_measured, ERROR_UNVERIFIED},
        {"too few confirmations", s_too_few_confirmations, ERROR_UNVERIFIED},
        {"no confirmations", s_no_confirmations, ERROR_UNVERIFIED},
        {"refuted", s_refuted, ERROR_UNVERIFIED},
        {"rejected", s_rejected, ERROR_UNVERIFIED},
        {"no feedback", s_no_feedback, ERROR_UNVERIFIED},
        {"no evidence", s_no_evidence, ERROR_UNVERIFIED},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        proof_t *proof = proof_new (NULL);
        package_report_t report;
        ck_assert_int_eq (s_verify_proof (proof, &report), 0);
        table[i].forge (proof);
        int rc = s_verify_proof (proof, &report);
        ck_assert_msg (rc == table[i].error, "%s: %s, expected %s", table[i].name, error_name (rc),
                       error_name (table[i].error));
        proof_destroy (&proof);
    }
}
END_TEST

/* Signs somebody's statement anew, as another. */
static void s_sign_as (const identity_t *identity, bytes_t packed, buffer_t *out)
{
    uint8_t seal[SEAL_BYTES];
    statement_seal (identity, packed.data, packed.size - SEAL_BYTES, seal);
    statement_pack (packed.data, packed.size - SEAL_BYTES, seal, out);
}

START_TEST (a_roster_that_the_founder_did_not_make_is_refused)
{
    proof_t *proof = proof_new (NULL);
    buffer_t roster = {0};
    s_sign_as (&proof->people[PROOF_AUTHOR], proof->rosters[0].bytes, &roster);
    proof->rosters[1].bytes = bytes_of (roster.data, roster.size);
    proof->package.rosters.count = 2; /* the true one stands beside it */
    s_expect (proof, ERROR_DENIED);
    buffer_clear (&roster);
    proof_destroy (&proof);
}
END_TEST

START_TEST (a_charter_of_another_group_is_refused)
{
    policy_t lax = policy_default ();
    lax.allow_unvalidated = 1;
    proof_t *proof = proof_new (NULL), *other = proof_new (&lax);
    proof->package.charter = other->package.charter;
    s_expect (proof, ERROR_GROUP);
    proof->head.group = other->group.group; /* consistent, but not the group that is trusted */
    s_expect (proof, ERROR_GROUP);
    package_report_t report;
    buffer_t packed = {0};
    proof_pack (other, &packed);
    ck_assert_int_eq (s_verify (bytes_of (packed.data, packed.size), &proof->group, &report), ERROR_GROUP);
    ck_assert_int_eq (s_verify (bytes_of (packed.data, packed.size), NULL, &report), 0);
    buffer_clear (&packed);
    proof_destroy (&proof);
    proof_destroy (&other);
}
END_TEST

START_TEST (evidence_of_another_kind_or_altered_is_refused)
{
    proof_t *proof = proof_new (NULL);
    buffer_t packed = {0}, again = {0};
    proof_pack (proof, &packed);
    message_t message;
    pubkey_t author;
    int rc = statement_open (bytes_of (packed.data, packed.size), MESSAGE_PACKAGE, &message, &author, NULL);
    ck_assert_int_eq (rc, 0);
    package_t *package = &message.as.package;
    blob_t pieces[6], kept[6];
    memcpy (kept, package->evidence.items, sizeof kept);
    const struct {
        bytes_t bytes;
        int error;
    } table[] = {
        {proof->rosters[0].bytes, ERROR_UNVERIFIED}, /* a statement, but no evidence */
        {bytes_of (kept[0].bytes.data, kept[0].bytes.size - 1), ERROR_SIGNATURE}, /* cut */
        {bytes_of (kept[0].bytes.data, SEAL_BYTES + 1), ERROR_MALFORMED},
        {bytes_of (kept[0].bytes.data, 0), ERROR_MALFORMED},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        buffer_t body = {0};
        uint8_t seal[SEAL_BYTES];
        package_report_t report;
        memcpy (pieces, kept, sizeof pieces);
        pieces[0].bytes = table[i].bytes;
        package->evidence.items = pieces;
        again.size = 0;
        message_seal (&proof->people[PROOF_AUTHOR], &proof->head, package, &body, seal);
        statement_pack (body.data, body.size, seal, &again);
        rc = s_verify (bytes_of (again.data, again.size), &proof->group, &report);
        ck_assert_str_eq (error_name (rc), error_name (table[i].error));
        buffer_clear (&body);
    }
    message_clear (&message);
    buffer_clear (&packed);
    buffer_clear (&again);
    proof_destroy (&proof);
}
END_TEST

START_TEST (no_byte_can_be_changed_and_none_left_out)
{
    proof_t *proof = proof_new (NULL);
    buffer_t packed = {0};
    package_report_t report;
    proof_pack (proof, &packed);
    for (size_t i = 0; i < packed.size; i++) {
        packed.data[i] ^= (uint8_t)(1u << i % 8);
        ck_assert_int_ne (s_verify (bytes_of (packed.data, packed.size), &proof->group, &report), 0);
        packed.data[i] ^= (uint8_t)(1u << i % 8);
        ck_assert_int_ne (s_verify (bytes_of (packed.data, i), &proof->group, &report), 0);
    }
    ck_assert_int_eq (s_verify (bytes_of (packed.data, packed.size), &proof->group, &report), 0);
    buffer_clear (&packed);
    proof_destroy (&proof);
}
END_TEST

/* --- what holds --- */

START_TEST (who_was_revoked_since_spoke_as_a_member_then)
{
    proof_t *proof = proof_new (NULL);
    package_report_t report;
    proof_revoke (proof, 4);
    ck_assert_int_eq (s_verify_proof (proof, &report), 0);
    ck_assert (report.epoch == 4 && report.members == 4);
    proof_destroy (&proof);
}
END_TEST

START_TEST (a_review_and_a_want_of_validation_are_told)
{
    policy_t policy = policy_default ();
    policy.allow_unvalidated = 1;
    proof_t *proof = proof_new (&policy);
    package_report_t report;
    proof->votes[0].feedback.recommendation = 1; /* two of three approve: below 0.7 */
    ck_assert_int_eq (s_verify_proof (proof, &report), 0);
    ck_assert (report.consensus.action == ACTION_REVIEW && !report.unvalidated);
    proof->vote_count = 3;
    ck_assert_int_eq (s_verify_proof (proof, &report), 0);
    ck_assert (report.unvalidated && report.validations.confirmed == 0);
    proof_destroy (&proof);
}
END_TEST

/* Makes it the founder's, of the days when it was alone. */
static void s_backdate (proof_t *proof)
{
    proof->vote_count = 0;
    proof->package.asked.count = 0;
    proof->person = 1;
    proof->package.source_agent = proof->people[1].id;
    proof->head.epoch = 1;
}

START_TEST (who_was_alone_needs_no_evidence_if_the_policy_allows_it)
{
    policy_t policy = policy_default ();
    package_report_t report;
    proof_t *proof = proof_new (&policy);
    s_backdate (proof);
    ck_assert_int_eq (s_verify_proof (proof, &report), 0);
    ck_assert (report.alone && report.members == 1);
    proof->head.epoch = 4; /* not alone any more */
    s_expect (proof, ERROR_UNVERIFIED);
    proof_destroy (&proof);
    policy.allow_alone = 0;
    proof = proof_new (&policy);
    s_backdate (proof);
    s_expect (proof, ERROR_UNVERIFIED);
    proof_destroy (&proof);
}
END_TEST

START_TEST (a_vote_from_before_the_author_came_makes_nobody_alone)
{
    proof_t *proof = proof_new (NULL);
    proof->votes[0].head.epoch = 1; /* the founder, alone then, even rejects it */
    proof->votes[0].feedback.recommendation = 2;
    proof->vote_count = 1;
    s_expect (proof, ERROR_UNVERIFIED);
    proof_destroy (&proof);
}
END_TEST

START_TEST (a_roster_tells_of_its_own_epoch_and_of_those_before)
{
    proof_t *proof = proof_new (NULL);
    const members_t *roster = proof->members;
    proof_revoke (proof, 3);
    static const struct {
        uint64_t epoch, members;
        bool third;
    } table[] = {{0, 0, false}, {1, 1, false}, {2, 2, false}, {3, 3, true},
                 {4, 4, true},  {5, 3, false}, {6, 0, false}, {UINT64_MAX, 0, false}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        ck_assert_uint_eq (package_members_at (roster, table[i].epoch), table[i].members);
        ck_assert_int_eq (package_member_at (roster, table[i].epoch, &proof->people[3].id), table[i].third);
        ck_assert (!package_member_at (roster, table[i].epoch, &proof->people[5].id));
    }
    pubkey_t curve = sample_curve (1); /* a link key is nobody */
    ck_assert (!package_member_at (roster, 4, &curve));
    proof_destroy (&proof);
}
END_TEST

/* --- choosing the evidence --- */

/* `count` members that were asked; each answered with `size` bytes that start with its number. */
static void s_answers (request_t *request, size_t count, size_t size)
{
    uint8_t bytes[256];
    digest_t statement = {{0}};
    request_init (request, 0);
    for (size_t i = 0; i < count; i++) {
        pubkey_t member = {{(uint8_t)i, 1}};
        memset (bytes, (int)i, sizeof bytes);
        ck_assert_int_eq (request_ask (request, &member, &statement), 0);
        ck_assert_int_eq (request_answer (request, &member, NULL, ANSWERED_YES, bytes_of (bytes, size)), 0);
    }
}

START_TEST (results_go_into_a_package_first_and_feedback_as_far_as_it_fits)
{
    enum { SIZE = 92, WITH_EXTRA = 100 };
    static blob_t evidence[LIMIT_MEMBERS];
    request_t feedback, validation;
    size_t count;
    s_answers (&feedback, 10, SIZE);
    s_answers (&validation, 3, SIZE);
    static const struct {
        size_t budget, count;
        int error;
    } table[] = {{13 * WITH_EXTRA, 13, 0},
                 {13 * WITH_EXTRA - 1, 12, 0},
                 {3 * WITH_EXTRA, 3, 0},
                 {4 * WITH_EXTRA, 4, 0},
                 {SIZE_MAX, 13, 0}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        ck_assert_int_eq (package_gather (&feedback, &validation, table[i].budget, evidence, &count), 0);
        ck_assert_uint_eq (count, table[i].count);
        for (size_t k = 0; k < count; k++)
            ck_assert_uint_eq (evidence[k].bytes.data[0], k < 3 ? k : k - 3);
    }
    ck_assert_int_eq (package_gather (&feedback, &validation, 3 * WITH_EXTRA - 1, evidence, &count),
                      ERROR_BOUND);
    ck_assert_int_eq (package_gather (&feedback, &validation, 0, evidence, &count), ERROR_BOUND);
    request_clear (&feedback);
    request_clear (&validation);
}
END_TEST

START_TEST (a_package_holds_no_more_evidence_than_its_list_takes)
{
    static blob_t evidence[LIMIT_MEMBERS];
    request_t feedback, validation;
    size_t count;
    s_answers (&feedback, LIMIT_MEMBERS, 8);
    s_answers (&validation, LIMIT_MEMBERS - 1, 8);
    ck_assert_int_eq (package_gather (&feedback, &validation, SIZE_MAX, evidence, &count), 0);
    ck_assert_uint_eq (count, LIMIT_MEMBERS);
    ck_assert_uint_eq (evidence[LIMIT_MEMBERS - 1].bytes.data[0], 0); /* one FEEDBACK, the first */
    request_clear (&feedback);
    request_clear (&validation);
}
END_TEST

SUITE_MAIN ("evolution/package", a_package_with_its_proof_holds_and_is_reported, every_forgery_is_refused,
            a_roster_that_the_founder_did_not_make_is_refused, a_charter_of_another_group_is_refused,
            evidence_of_another_kind_or_altered_is_refused, no_byte_can_be_changed_and_none_left_out,
            who_was_revoked_since_spoke_as_a_member_then, a_review_and_a_want_of_validation_are_told,
            who_was_alone_needs_no_evidence_if_the_policy_allows_it,
            a_vote_from_before_the_author_came_makes_nobody_alone,
            a_roster_tells_of_its_own_epoch_and_of_those_before,
            results_go_into_a_package_first_and_feedback_as_far_as_it_fits,
            a_package_holds_no_more_evidence_than_its_list_takes)
