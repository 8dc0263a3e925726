/* SPDX-License-Identifier: MPL-2.0 */
/* Sharing what worked: the package with its certificate, sent to the members, and what they made of it. */
#include "node/node_life.h"
#include "node/node_peers.h"
#include "node/node_say.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINEAGE_MAX 8

/* --- the package --- */

/* What head, seal and all fields take at most, but for the trees, the charter, the roster, those asked and the evidence. */
#define FIELDS_BYTES 16384
#define TREE_BYTES   32768 /* one encoded tree in a package */
_Static_assert(LIMIT_TEXT + (LIMIT_REASONS + LIMIT_METADATA) * (LIMIT_NAME + LIMIT_TEXT + 16) +
                       LIMIT_OBJECTIVES * (LIMIT_NAME + 48) + LINEAGE_MAX * (DIGEST_BYTES + 8) + 1024 <=
                   FIELDS_BYTES,
               "all fields fit");

/* All who were asked, for feedback or to validate, each once. */
static size_t s_asked (const improvement_t *improvement, hash_t ids[LIMIT_MEMBERS])
{
    const request_t *feedback = &improvement->feedback, *validation = &improvement->validation;
    size_t count = 0;
    assert (feedback->count <= LIMIT_MEMBERS && validation->count <= LIMIT_MEMBERS);
    for (size_t i = 0; i < feedback->count; i++)
        memcpy (ids[count++].id.bytes, feedback->asked[i].member.bytes, DIGEST_BYTES);
    for (size_t i = 0; i < validation->count; i++)
        if (!request_find (feedback, &validation->asked[i].member) && count < LIMIT_MEMBERS)
            memcpy (ids[count++].id.bytes, validation->asked[i].member.bytes, DIGEST_BYTES);
    return count;
}

static size_t s_lineage (const node_t *self, const improvement_t *improvement, hash_t ids[LINEAGE_MAX])
{
    size_t count = 0;
    const archive_entry_t *entry = archive_find (self->archive, &improvement->candidate);
    while (entry && count < LINEAGE_MAX) {
        ids[count++].id = entry->id;
        entry = digest_is_zero (&entry->parents[0]) ? NULL : archive_find (self->archive, &entry->parents[0]);
    }
    return count;
}

static size_t s_success_factors (const improvement_t *improvement, const delta_t *deltas, size_t delta_count,
                                 char texts[LIMIT_REASONS][LIMIT_TEXT], reason_t reasons[LIMIT_REASONS])
{
    size_t count = 0;
    for (size_t i = 0; i < delta_count && count + 1 < LIMIT_REASONS; i++)
        if (deltas[i].conclusion == CHANGE_BETTER) {
            (void)snprintf (texts[count], LIMIT_TEXT, "%.*s better by %.3g %%", (int)deltas[i].objective.size,
                            deltas[i].objective.data, 100 * deltas[i].improvement);
            reasons[count].text = text_of (texts[count]);
            count++;
        }
    (void)snprintf (texts[count], LIMIT_TEXT, "confirmed by %u of %s",
                    request_count (&improvement->validation, ANSWERED_YES),
                    text_counted (improvement->validation.count, "validator").text);
    reasons[count].text = text_of (texts[count]);
    return count + 1;
}

/* The bytes that are left for evidence; 0 if there are none. */
static size_t s_budget (const node_t *self, const improvement_t *improvement, size_t asked_count)
{
    size_t taken = FIELDS_BYTES + improvement->tree.size + improvement->base_tree.size +
                   self->group.packed.size + self->members->packed.size + asked_count * (DIGEST_BYTES + 8);
    return taken < LIMIT_PACKAGE_BYTES ? LIMIT_PACKAGE_BYTES - taken : 0;
}

/* 0, or an error with the problem: what it takes to prove it does not fit into a package. */
static int s_pack (node_t *self, const improvement_t *improvement, buffer_t *packed, problem_t *problem)
{
    delta_t deltas[LIMIT_OBJECTIVES];
    size_t delta_count = improve_deltas (self, &improvement->result, deltas);
    hash_t lineage[LINEAGE_MAX];
    char texts[LIMIT_REASONS][LIMIT_TEXT];
    reason_t reasons[LIMIT_REASONS];
    entry_t context[] = {{text_of ("agent"), text_of (self->group.agent)},
                         {text_of ("language"), text_of (self->settings.language)},
                         {text_of ("platform"), text_of (self->settings.platform)}};
    blob_t rosters[1] = {{bytes_of (self->members->packed.data, self->members->packed.size)}};
    blob_t *evidence = calloc (LIMIT_MEMBERS, sizeof *evidence);
    hash_t *asked = calloc (LIMIT_MEMBERS, sizeof *asked);
    assert (evidence && asked);
    size_t asked_count = s_asked (improvement, asked), evidence_count = 0;
    int rc = package_gather (&improvement->feedback, &improvement->validation,
                             s_budget (self, improvement, asked_count), evidence, &evidence_count);
    if (rc || improvement->tree.size > TREE_BYTES || improvement->base_tree.size > TREE_BYTES) {
        problem_set (problem, "its files and the proof of it do not fit into a package");
        free (evidence);
        free (asked);
        return ERROR_BOUND;
    }
    package_t package = {
        .source_agent = self->identity.id,
        .improvement = improvement->id,
        .improvement_type = improvement->type,
        .code_pattern = text_of (improvement->description),
        .performance_impact = {deltas, delta_count},
        .applicability_context = {context, sizeof context / sizeof context[0]},
        .success_factors = {reasons, s_success_factors (improvement, deltas, delta_count, texts, reasons)},
        .evaluator = self->group.evaluator,
        .base = bytes_of (improvement->base_tree.data, improvement->base_tree.size),
        .candidate = bytes_of (improvement->tree.data, improvement->tree.size),
        .lineage = {lineage, s_lineage (self, improvement, lineage)},
        .charter = bytes_of (self->group.packed.data, self->group.packed.size),
        .rosters = {rosters, 1},
        .asked = {asked, asked_count},
        .evidence = {evidence, evidence_count},
    };
    buffer_t body = {0};
    uint8_t seal[SEAL_BYTES];
    say_statement (self, MESSAGE_PACKAGE, &package, &body, seal);
    statement_pack (body.data, body.size, seal, packed);
    assert (!packed->failed && packed->size <= LIMIT_PACKAGE_BYTES);
    buffer_clear (&body);
    free (evidence);
    free (asked);
    return 0;
}

/* Would others take it? Looked at as they will. */
static int s_verify (const node_t *self, const buffer_t *packed, problem_t *problem)
{
    message_t message = {0};
    tree_t base = {0}, candidate = {0};
    package_report_t report;
    int rc = package_verify (bytes_of (packed->data, packed->size), &self->group, &message, &base, &candidate,
                             &report, NULL, NULL, problem);
    if (!rc) {
        message_clear (&message);
        tree_clear (&base);
        tree_clear (&candidate);
    }
    return rc;
}

/* --- sending --- */

static void s_transfer (node_t *self, const pubkey_t *peer, const digest_t *package, uint64_t size)
{
    knowledge_transfer_t transfer = {.to = *peer, .package = *package, .size = size};
    transfer.transfer = digest_of_two (package->bytes, DIGEST_BYTES, peer->bytes, PUBKEY_BYTES);
    say_durably (self, peer, MESSAGE_KNOWLEDGE_TRANSFER, &transfer);
    self->counts.packages_sent++;
}

static void s_row (node_t *self, const shared_t *shared)
{
    package_row_t row = {.id = shared->package,
                         .author = self->identity.id,
                         .compatibility = 1.0,
                         .sent = shared->sent,
                         .adopted = shared->adopter_count,
                         .time_ms = self->wall_ms};
    say_persist (self, RECORD_PACKAGE, &shared->package, &package_row_record, &row);
}

static void s_remember (node_t *self, const digest_t *package, uint64_t sent)
{
    if (self->shared_count == LIMIT_SHARED) {
        free (self->shared[0].adopters);
        memmove (self->shared, self->shared + 1, --self->shared_count * sizeof *self->shared);
    }
    assert (self->shared_count < LIMIT_SHARED && !digest_is_zero (package));
    shared_t *grown = realloc (self->shared, (self->shared_count + 1) * sizeof *grown);
    assert (grown);
    self->shared = grown;
    self->shared[self->shared_count] = (shared_t){.package = *package, .sent = sent};
    s_row (self, &self->shared[self->shared_count++]);
}

static bool s_shared (const node_t *self, const digest_t *package)
{
    for (size_t i = 0; i < self->shared_count; i++)
        if (digest_equal (&self->shared[i].package, package))
            return true;
    return false;
}

/* Counts an adopter, once. */
static void s_adopted_by (node_t *self, const digest_t *package, const pubkey_t *member)
{
    for (size_t i = 0; i < self->shared_count; i++) {
        shared_t *shared = &self->shared[i];
        if (!digest_equal (&shared->package, package))
            continue;
        for (size_t k = 0; k < shared->adopter_count; k++)
            if (pubkey_equal (&shared->adopters[k], member))
                return;
        pubkey_t *grown = realloc (shared->adopters, (shared->adopter_count + 1) * sizeof *grown);
        assert (grown);
        shared->adopters = grown;
        shared->adopters[shared->adopter_count++] = *member;
        assert (shared->adopter_count <= self->peer_count);
        if (shared->sent < shared->adopter_count) /* one that was away pulled it later */
            shared->sent = shared->adopter_count;
        s_row (self, shared);
        return;
    }
}

/* It works here, so it stays; but what nobody would take is not sent. */
static void s_withhold (node_t *self, size_t index, const char *why)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    const improvement_t *improvement = &self->improvements[index];
    char error[LIMIT_TEXT + 1];
    text_copy (text_of (why), error, sizeof error);
    say_event (self, TYPE_KNOWLEDGE_WITHHELD, &improvement->id, improvement->result.weighted, error, NULL, 0);
    apply_keep (self, index);
}

void share_start (node_t *self, size_t index)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    improvement_t *improvement = &self->improvements[index];
    assert (improvement->state == STATE_APPLIED && !improvement->certified);
    buffer_t packed = {0};
    problem_t problem = {{0}};
    if (s_pack (self, improvement, &packed, &problem) || s_verify (self, &packed, &problem)) {
        s_withhold (self, index, problem.text);
        buffer_clear (&packed);
        return;
    }
    improvement->package = package_id (bytes_of (packed.data, packed.size));
    persist_content_t content = {bytes_of (packed.data, packed.size)};
    effects_add (self->out, EFFECT_PERSIST_CONTENT, &content);
    improve_move (self, index, MOVE_SHARE);
    /* Its number is drawn only now: numbers go up in the order in which they are published. */
    knowledge_t knowledge = {.publication = say_next_publication (self),
                             .package = improvement->package,
                             .summary = text_of (improvement->description),
                             .size = packed.size};
    say_publish (self, MESSAGE_KNOWLEDGE, &knowledge, knowledge.publication);
    /* Members that are away hear of it by KNOWLEDGE, which they pull when they are back. */
    uint64_t sent = 0;
    for (size_t i = 0; i < self->peer_count; i++)
        if (peer_is_up (self, &self->peers[i].id)) {
            s_transfer (self, &self->peers[i].id, &improvement->package, packed.size);
            sent++;
        }
    s_remember (self, &improvement->package, sent);
    buffer_clear (&packed);
    improve_finish (self, index);
}

void on_transfer_result (node_t *self, const message_t *message, const pubkey_t *author)
{
    assert (self && message && author);
    const transfer_result_t *result = &message->as.transfer_result;
    if (!s_shared (self, &result->package))
        return; /* nothing of ours: whoever likes may say so, nobody needs to hear it */
    char member[DIGEST_SHORT_BYTES], package[DIGEST_SHORT_BYTES];
    pubkey_short (author, member);
    digest_short (&result->package, package);
    entry_t metadata[4] = {{text_of ("member"), text_of (member)},
                           {text_of ("package"), text_of (package)},
                           {text_of ("outcome"), text_of (result->adopted ? "adopted" : "rejected")},
                           {text_of ("reason"), result->reason}};
    if (result->adopted)
        s_adopted_by (self, &result->package, author);
    say_event (self, TYPE_TRANSFER_RESULT, &result->package, NAN, NULL, metadata, 4);
}
