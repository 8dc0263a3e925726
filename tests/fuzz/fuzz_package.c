/* SPDX-License-Identifier: MPL-2.0 */
/* The input as a package's body, signed by its author: an author may sign anything. Then once more with its evidence signed anew by
 * those who spoke in it, as members who lie would. What verifies is within what a policy can allow. */
#include <assert.h>
#include <string.h>

#include "evolution/package.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/proof.h"
#include "tests/lib/sample.h"

static identity_t s_people[PROOF_PEOPLE + 1];

static void s_line (void *context, const char *line)
{
    assert (line[0] != '\0');
    ++*(unsigned *)context;
}

static void s_check_report (const package_report_t *report, const message_t *message)
{
    const package_t *package = &message->as.package;
    const validation_tally_t *validations = &report->validations;
    size_t votes = report->feedback.approvals + report->feedback.reviews + report->feedback.rejections;
    assert (package->evidence.count == votes + validations->confirmed + validations->refuted);
    assert (report->signatures == 2 + package->rosters.count + package->evidence.count);
    assert (pubkey_equal (&report->author, &package->source_agent) && report->members > 0);
    if (report->alone) {
        assert (package->evidence.count == 0 && report->members == 1);
        return;
    }
    assert (report->consensus.action != ACTION_REJECT && votes > 0 && votes <= package->asked.count);
    assert (report->unvalidated ? validations->confirmed == 0 && validations->refuted == 0
                                : validations->confirmed >= report->min_confirmations);
}

static void s_verify (const buffer_t *packed)
{
    message_t message = {0};
    tree_t base = {0}, candidate = {0};
    package_report_t report;
    problem_t problem = {""};
    unsigned lines = 0;
    int rc = package_verify (bytes_of (packed->data, packed->size), NULL, &message, &base, &candidate,
                             &report, s_line, &lines, &problem);
    if (rc != 0) {
        assert (problem.text[0] != '\0' && message.arena.blocks == NULL);
        assert (base.files == NULL && candidate.files == NULL);
        return;
    }
    assert (lines == 1 + message.as.package.evidence.count);
    s_check_report (&report, &message);
    message_clear (&message);
    tree_clear (&base);
    tree_clear (&candidate);
}

static const identity_t *s_person (const pubkey_t *id)
{
    for (size_t i = 1; i <= PROOF_PEOPLE; i++)
        if (pubkey_equal (&s_people[i].id, id))
            return &s_people[i];
    return NULL;
}

/* A statement as it is, or signed anew if we have its author's keys. */
static void s_sign (bytes_t packed, buffer_t *out)
{
    statement_t statement;
    if (statement_unpack (packed, &statement) != 0 ||
        statement_kind (statement.body, statement.body_size) == 0) {
        buffer_append (out, packed.data, packed.size);
        return;
    }
    pubkey_t author = statement_author (statement.seal);
    const identity_t *person = s_person (&author);
    if (person != NULL)
        statement_seal (person, statement.body, statement.body_size, statement.seal);
    statement_pack (statement.body, statement.body_size, statement.seal, out);
}

/* Everything in it signed anew, and the head's group as the charter has it. */
static void s_sign_all (const uint8_t *data, size_t size, buffer_t *packed)
{
    message_t message;
    buffer_t evidence[PROOF_VOTES] = {0}, body = {0};
    blob_t pieces[PROOF_VOTES];
    uint8_t seal[SEAL_BYTES];
    if (message_decode (data, size, &message, NULL) != 0)
        return;
    package_t *package = &message.as.package;
    if (message.head.kind == MESSAGE_PACKAGE && package->evidence.count <= PROOF_VOTES) {
        for (size_t i = 0; i < package->evidence.count; i++) {
            s_sign (package->evidence.items[i].bytes, &evidence[i]);
            pieces[i].bytes = bytes_of (evidence[i].data, evidence[i].size);
        }
        package->evidence.items = pieces;
        const identity_t *author = s_person (&package->source_agent);
        message_seal (author != NULL ? author : &s_people[PROOF_AUTHOR], &message.head, package, &body, seal);
        statement_pack (body.data, body.size, seal, packed);
        for (size_t i = 0; i < package->evidence.count; i++)
            buffer_clear (&evidence[i]);
        buffer_clear (&body);
    }
    message_clear (&message);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    buffer_t packed = {0};
    uint8_t seal[SEAL_BYTES] = {0};
    for (uint8_t n = 1; n <= PROOF_PEOPLE && pubkey_is_zero (&s_people[PROOF_PEOPLE].id); n++)
        s_people[n] = sample_identity (n);
    if (size == 0)
        return 0;
    if (statement_kind (data, size) != 0)
        statement_seal (&s_people[PROOF_AUTHOR], data, size, seal);
    statement_pack (data, size, seal, &packed);
    s_verify (&packed);
    packed.size = 0;
    s_sign_all (data, size, &packed);
    if (packed.size > 0)
        s_verify (&packed);
    buffer_clear (&packed);
    return 0;
}
