/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/lib/proof.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/sample.h"

void proof_tree (const digest_t *evaluator, const char *text, buffer_t *out)
{
    tree_t tree = {0};
    digest_t content = digest_of (text, strlen (text));
    size_t size;
    int rc = tree_add (&tree, "program", false, &content, strlen (text));
    uint8_t *bytes = tree_encode (&tree, evaluator, &size);
    assert (rc == 0 && bytes != NULL);
    (void)rc;
    buffer_append (out, bytes, size);
    free (bytes);
    tree_clear (&tree);
}

static head_t s_head (const proof_t *self, unsigned kind, unsigned seq)
{
    return (head_t){kind, self->group.group, self->members->epoch, seq, PROOF_TIME_MS};
}

static void s_vote (proof_t *self, unsigned person)
{
    const pubkey_t *to = &self->people[PROOF_AUTHOR].id;
    digest_t request = digest_of ("request", 7), base = digest_of (self->base.data, self->base.size),
             candidate = digest_of (self->candidate.data, self->candidate.size);
    self->votes[self->vote_count] =
        (proof_vote_t){.person = person,
                       .head = s_head (self, MESSAGE_FEEDBACK, 10 + person),
                       .feedback = {*to, request, candidate, base, self->group.evaluator, 0, {0}}};
    self->votes[self->vote_count + 3] =
        (proof_vote_t){.person = person,
                       .head = s_head (self, MESSAGE_VALIDATION_RESULT, 20 + person),
                       .result = {.to = *to,
                                  .request = request,
                                  .candidate = candidate,
                                  .base = base,
                                  .evaluator = self->group.evaluator,
                                  .validation_type = VALIDATE_PERFORMANCE,
                                  .confirmed = 1,
                                  .reason = text_of ("confirmed"),
                                  .platform = text_of ("x86_64/proof")}};
    self->vote_count++;
}

static void s_found (proof_t *self, const policy_t *policy)
{
    policy_t rules = policy != NULL ? *policy : policy_default ();
    digest_t evaluator = digest_of ("evaluator", 9), start = digest_of ("start", 5);
    int rc =
        group_found (&self->group, &self->people[1], "packers", "binpack", &evaluator, &start, &rules, 1);
    self->members = calloc (1, sizeof *self->members);
    assert (rc == 0 && self->members != NULL);
    for (uint8_t n = 1; n <= PROOF_MEMBERS; n++) {
        const pubkey_t curve = sample_curve (n);
        rc = n == 1 ? members_found (self->members, &self->group, &self->people[1], &curve, "node-1", 1, 1, 1)
                    : members_add (self->members, &self->group, &self->people[1], &self->people[n].id, &curve,
                                   "node", n, n, n);
        assert (rc == 0);
    }
}

proof_t *proof_new (const policy_t *policy)
{
    proof_t *self = calloc (1, sizeof *self);
    assert (self != NULL);
    for (uint8_t n = 1; n <= PROOF_PEOPLE; n++)
        self->people[n] = sample_identity (n);
    s_found (self, policy);
    proof_tree (&self->group.evaluator, "before", &self->base);
    proof_tree (&self->group.evaluator, "after", &self->candidate);
    self->person = PROOF_AUTHOR;
    self->head = s_head (self, MESSAGE_PACKAGE, 30);
    static const unsigned voters[] = {1, 3, 4};
    for (size_t i = 0; i < 3; i++) {
        s_vote (self, voters[i]);
        memcpy (self->asked[i].id.bytes, self->people[voters[i]].id.bytes, DIGEST_BYTES);
    }
    self->vote_count = 6;
    self->rosters[0].bytes = bytes_of (self->members->packed.data, self->members->packed.size);
    self->package = (package_t){.source_agent = self->people[PROOF_AUTHOR].id,
                                .improvement = digest_of ("improvement", 11),
                                .code_pattern = text_of ("sorted first"),
                                .evaluator = self->group.evaluator,
                                .base = bytes_of (self->base.data, self->base.size),
                                .candidate = bytes_of (self->candidate.data, self->candidate.size),
                                .charter = bytes_of (self->group.packed.data, self->group.packed.size),
                                .rosters = {self->rosters, 1},
                                .asked = {self->asked, 3}};
    return self;
}

void proof_destroy (proof_t **self_p)
{
    proof_t *self = *self_p;
    if (self == NULL)
        return;
    buffer_clear (&self->base);
    buffer_clear (&self->candidate);
    members_clear (self->members);
    free (self->members);
    group_clear (&self->group);
    free (self);
    *self_p = NULL;
}

void proof_revoke (proof_t *self, unsigned person)
{
    int rc = members_revoke (self->members, &self->group, &self->people[1], &self->people[person].id, 40, 40,
                             PROOF_TIME_MS);
    assert (rc == 0);
    (void)rc;
    self->rosters[0].bytes = bytes_of (self->members->packed.data, self->members->packed.size);
}

static void s_seal (const identity_t *identity, const head_t *head, const void *fields, buffer_t *packed)
{
    buffer_t body = {0};
    uint8_t seal[SEAL_BYTES];
    message_seal (identity, head, fields, &body, seal);
    statement_pack (body.data, body.size, seal, packed);
    assert (!body.failed && !packed->failed);
    buffer_clear (&body);
}

void proof_pack (const proof_t *self, buffer_t *packed)
{
    buffer_t votes[PROOF_VOTES] = {0};
    blob_t evidence[PROOF_VOTES];
    package_t package = self->package;
    for (size_t i = 0; i < self->vote_count; i++) {
        const proof_vote_t *vote = &self->votes[i];
        const void *fields =
            vote->head.kind == MESSAGE_FEEDBACK ? (const void *)&vote->feedback : &vote->result;
        s_seal (&self->people[vote->person], &vote->head, fields, &votes[i]);
        evidence[i].bytes = bytes_of (votes[i].data, votes[i].size);
    }
    package.evidence.items = evidence;
    package.evidence.count = self->vote_count;
    s_seal (&self->people[self->person], &self->head, &package, packed);
    for (size_t i = 0; i < self->vote_count; i++)
        buffer_clear (&votes[i]);
}
