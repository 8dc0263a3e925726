/* SPDX-License-Identifier: MPL-2.0 */
/* Peers' packages. Import is a proposal, never trust: verified, compared, merged, measured here, and only then applied.
 *
 *   WAITING ─▶ FETCHING (package) ─▶ FILES (both trees) ─▶ MERGING (if our live release isn't its base) ─▶ TRYING
 *      ▲            │ not to be had: later again, up to max_transfer_attempts                                 │
 *      └────────────┴────────────────────────── the live release moved meanwhile ◀────────────────────────────┘
 *
 * One at a time; the authors take turns, so that no author's many, and no author's silence, keep the others' waiting. An author
 * has LIMIT_KNOWLEDGE_OF_PEER waiting at most; what must go is told so. One that was imported from a file needs no author.
 *
 * The author hears what became of it by a signed TRANSFER_RESULT. A package that was tried is not tried again. */
#include "node/node_state.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS         5000
#define FETCH_TIMEOUT_MS 20000 /* all others wait so long for an author that is silent */

const tried_t *knowledge_tried (const node_t *self, const digest_t *package)
{
    for (size_t i = 0; i < self->tried_count; i++)
        if (digest_equal (&self->tried[i].package, package))
            return &self->tried[i];
    return NULL;
}

static size_t s_parcel_of (const node_t *self, const digest_t *package)
{
    for (size_t i = 0; i < LIMIT_KNOWLEDGE; i++)
        if (self->parcels[i].state != PARCEL_FREE && digest_equal (&self->parcels[i].package, package))
            return i;
    return NONE;
}

static void s_clear (node_t *self, size_t index)
{
    operate_drop (self, OWNER_PARCEL, index);
    buffer_clear (&self->parcels[index].base_tree);
    buffer_clear (&self->parcels[index].candidate_tree);
    memset (&self->parcels[index], 0, sizeof self->parcels[index]);
}

static void s_row (node_t *self, const digest_t *package, const pubkey_t *author, unsigned status,
                   reason_code_t reason, const parcel_t *parcel)
{
    char values[5][16];
    entry_t parts[5];
    size_t count = 0;
    if (parcel && parcel->score > 0) {
        const struct {
            const char *name;
            double value;
        } all[5] = {{"objectives", parcel->parts.objectives},
                    {"evaluator", parcel->parts.evaluator},
                    {"merge", parcel->parts.merge},
                    {"platform", parcel->parts.platform},
                    {"sender", parcel->parts.sender}};
        for (; count < 5; count++) {
            (void)snprintf (values[count], sizeof values[count], "%.3f", all[count].value);
            parts[count] = (entry_t){text_of (all[count].name), text_of (values[count])};
        }
    }
    package_row_t row = {.id = *package,
                         .author = *author,
                         .status = status,
                         .reason = reason,
                         .compatibility = count ? parcel->score : NAN,
                         .parts = {parts, count},
                         .time_ms = self->wall_ms};
    say_persist (self, RECORD_PACKAGE, package, &package_row_record, &row);
}

static void s_answer (node_t *self, const pubkey_t *author, const digest_t *transfer, const tried_t *tried,
                      const trial_result_t *result)
{
    delta_t deltas[LIMIT_OBJECTIVES];
    transfer_result_t answer = {.to = *author,
                                .transfer = *transfer,
                                .package = tried->package,
                                .adopted = tried->adopted,
                                .reason = text_of (reason_name (tried->reason))};
    if (result) {
        answer.changes.count = improve_deltas (self, result, deltas);
        answer.changes.items = deltas;
    }
    say_durably (self, author, MESSAGE_TRANSFER_RESULT, &answer);
}

/* --- places --- */

static size_t s_waiting_of (const node_t *self, const pubkey_t *author, size_t *oldest)
{
    size_t count = 0;
    *oldest = NONE;
    for (size_t i = 0; i < LIMIT_KNOWLEDGE; i++) {
        const parcel_t *parcel = &self->parcels[i];
        if (parcel->state != PARCEL_WAITING || !pubkey_equal (&parcel->author, author))
            continue;
        count++;
        if (*oldest == NONE || parcel->order < self->parcels[*oldest].order)
            *oldest = i;
    }
    return count;
}

/* The oldest that waits of the author who has the most. */
static size_t s_of_the_greediest (const node_t *self)
{
    size_t most = 0, index = NONE;
    for (size_t i = 0; i < LIMIT_KNOWLEDGE; i++) {
        size_t oldest;
        if (self->parcels[i].state != PARCEL_WAITING)
            continue;
        size_t count = s_waiting_of (self, &self->parcels[i].author, &oldest);
        if (count > most || (count == most && self->parcels[oldest].order < self->parcels[index].order)) {
            most = count;
            index = oldest;
        }
    }
    return index;
}

/* Not tried, so it may be told of again; its author hears of it if it chose us. */
static void s_turn_away (node_t *self, size_t index)
{
    parcel_t *parcel = &self->parcels[index];
    tried_t outcome = {parcel->package, parcel->author, false, REASON_BUSY};
    if (!digest_is_zero (&parcel->transfer))
        s_answer (self, &parcel->author, &parcel->transfer, &outcome, NULL);
    s_row (self, &parcel->package, &parcel->author, 3, REASON_BUSY, NULL);
    self->counts.rejected[REASON_BUSY]++;
    s_clear (self, index);
}

/* A free place for that author's; at a bound made by turning one away. */
static size_t s_place (node_t *self, const pubkey_t *author)
{
    size_t free_place = 0, victim;
    if (s_waiting_of (self, author, &victim) < LIMIT_KNOWLEDGE_OF_PEER)
        victim = NONE;
    while (free_place < LIMIT_KNOWLEDGE && self->parcels[free_place].state != PARCEL_FREE)
        free_place++;
    if (victim == NONE && free_place < LIMIT_KNOWLEDGE)
        return free_place;
    if (victim == NONE)
        victim = s_of_the_greediest (self);
    assert (victim != NONE); /* all but one wait */
    s_turn_away (self, victim);
    return victim;
}

void on_knowledge (node_t *self, const pubkey_t *author, const digest_t *package, const digest_t *transfer)
{
    const tried_t *tried = knowledge_tried (self, package);
    /* That one member could not give it says nothing of another that tells of it. */
    bool elsewhere = tried && tried->reason == REASON_UNAVAILABLE && !pubkey_equal (&tried->author, author);
    if (tried && !elsewhere) {
        if (!digest_is_zero (transfer)) /* the author asks: it is told again */
            s_answer (self, author, transfer, tried, NULL);
        return;
    }
    size_t index = s_parcel_of (self, package);
    if (index != NONE) {
        parcel_t *parcel = &self->parcels[index];
        if (!pubkey_equal (&parcel->author, author))
            parcel->alternate = *author; /* whoever said it first may not have it, or not give it */
        else if (!digest_is_zero (transfer))
            parcel->transfer = *transfer;
        return;
    }
    index = s_place (self, author);
    self->parcels[index] = (parcel_t){.state = PARCEL_WAITING,
                                      .package = *package,
                                      .author = *author,
                                      .transfer = *transfer,
                                      .order = ++self->order};
    s_row (self, package, author, 1, REASON_NONE, NULL);
}

void knowledge_import (node_t *self, const pubkey_t *author, const digest_t *package)
{
    static const digest_t none;
    on_knowledge (self, author, package, &none);
    size_t index = s_parcel_of (self, package);
    assert (index != NONE); /* the caller saw to it that it was not tried */
    self->parcels[index].imported = true;
}

static void s_remember (node_t *self, const tried_t *tried)
{
    for (size_t i = 0; i < self->tried_count; i++)
        if (digest_equal (&self->tried[i].package, &tried->package)) {
            self->tried[i] = *tried;
            return;
        }
    if (self->tried_count == LIMIT_TRIED)
        memmove (self->tried, self->tried + 1, --self->tried_count * sizeof *self->tried);
    tried_t *grown = realloc (self->tried, (self->tried_count + 1) * sizeof *grown);
    assert (grown);
    self->tried = grown;
    self->tried[self->tried_count++] = *tried;
}

void knowledge_decided (node_t *self, size_t index, bool adopted, reason_code_t reason,
                        const trial_result_t *result)
{
    parcel_t *parcel = &self->parcels[index];
    assert (parcel->state != PARCEL_FREE);
    if (reason == REASON_STALE_BASE && parcel->attempts < self->settings.transfer_attempts_max) {
        parcel->state = PARCEL_WAITING; /* the live release moved while it was tried */
        parcel->attempts++;
        return;
    }
    if (reason == REASON_NO_VALIDATORS && ++parcel->attempts < self->settings.transfer_attempts_max) {
        parcel->state = PARCEL_WAITING;
        parcel->unconfirmed = true;
        parcel->order = ++self->order; /* behind the others */
        return;
    }
    tried_t tried = {parcel->package, parcel->author, adopted, reason};
    s_remember (self, &tried);
    s_answer (self, &parcel->author, &parcel->transfer, &tried, result);
    s_row (self, &parcel->package, &parcel->author, adopted ? 2 : 3, reason, parcel);
    known_peer_t *peer = peer_of (self, &parcel->author);
    if (peer) {
        peer->adopted += adopted;
        peer->failed += !adopted && reason != REASON_DUPLICATE && reason != REASON_UNAVAILABLE;
    }
    if (adopted)
        self->counts.packages_adopted++;
    else {
        if (parcel->state != PARCEL_TRYING) /* else its improvement was counted */
            self->counts.rejected[reason]++;
        entry_t metadata = {text_of ("reason"), text_of (reason_name (reason))};
        say_event (self, "knowledge_rejected", &parcel->package, result ? result->weighted : NAN,
                   reason_description (reason), &metadata, 1);
    }
    s_clear (self, index);
}

/* --- fetching --- */

static bool s_fetch (node_t *self, size_t index, const digest_t *content, bool tree)
{
    fetch_content_t fetch = {.peer = self->parcels[index].author,
                             .content = *content,
                             .tree = tree,
                             .timeout_ms = FETCH_TIMEOUT_MS};
    return operate (self, EFFECT_FETCH_CONTENT, &fetch, OWNER_PARCEL, index) != 0;
}

static void s_retry (node_t *self, size_t index)
{
    parcel_t *parcel = &self->parcels[index];
    operate_drop (self, OWNER_PARCEL, index);
    if (++parcel->attempts >= self->settings.transfer_attempts_max) {
        if (pubkey_is_zero (&parcel->alternate)) {
            knowledge_decided (self, index, false, REASON_UNAVAILABLE, NULL);
            return;
        }
        parcel->author = parcel->alternate;
        parcel->alternate = (pubkey_t){{0}};
        parcel->transfer = (digest_t){{0}};
        parcel->attempts = 0;
    }
    parcel->state = PARCEL_WAITING;
    parcel->retry_ms = self->now_ms + RETRY_MS;
    parcel->order = ++self->order; /* behind the others */
}

/* What the verified package says, kept for the trial. */
static void s_open (node_t *self, size_t index, const message_t *message, const package_report_t *report)
{
    parcel_t *parcel = &self->parcels[index];
    const package_t *package = &message->as.package;
    parcel->candidate = report->candidate;
    parcel->base = report->base;
    parcel->alone = report->alone;
    parcel->type = (improvement_type_t)package->improvement_type;
    parcel->files = 0;
    text_copy (package->code_pattern, parcel->description, sizeof parcel->description);
    parcel->base_tree.size = parcel->candidate_tree.size = 0;
    buffer_append (&parcel->base_tree, package->base.data, package->base.size);
    buffer_append (&parcel->candidate_tree, package->candidate.data, package->candidate.size);
    const char *names[LIMIT_OBJECTIVES];
    goal_t goals[LIMIT_OBJECTIVES];
    char texts[LIMIT_OBJECTIVES][LIMIT_NAME + 1];
    for (size_t i = 0; i < package->performance_impact.count; i++) {
        text_copy (package->performance_impact.items[i].objective, texts[i], sizeof texts[i]);
        names[i] = texts[i];
        goals[i] = (goal_t)package->performance_impact.items[i].goal;
    }
    parcel->parts.objectives =
        compatibility_objectives (&self->objectives, names, goals, package->performance_impact.count);
    parcel->parts.evaluator = digest_equal (&package->evaluator, &self->group.evaluator) ? 1 : 0;
    for (size_t i = 0; i < package->applicability_context.count; i++)
        if (text_equal (package->applicability_context.items[i].key, "platform")) {
            char platform[LIMIT_TEXT + 1];
            text_copy (package->applicability_context.items[i].value, platform, sizeof platform);
            parcel->parts.platform = compatibility_platform (self->settings.platform, platform);
        }
    const known_peer_t *peer = peer_of (self, &parcel->author);
    unsigned seen = peer ? peer->adopted + peer->failed : 0;
    parcel->parts.sender = seen ? (double)peer->adopted / seen : 0.5;
}

/* The author of a package without evidence chooses the roster in it. Ours must agree that it was alone then. */
static bool s_was_alone (const node_t *self, const package_report_t *report)
{
    return package_members_at (self->members, report->epoch) == 1 &&
           package_member_at (self->members, report->epoch, &report->author);
}

/* Only the files that may change, within their bounds: judged before any of them is fetched. */
static bool s_shapes_fit (const node_t *self, const parcel_t *parcel)
{
    tree_t live = {0}, base = {0}, candidate = {0};
    digest_t evaluator;
    bool fit =
        tree_decode (self->live_tree.data, self->live_tree.size, &live, &evaluator) == 0 &&
        tree_decode (parcel->base_tree.data, parcel->base_tree.size, &base, &evaluator) == 0 &&
        tree_decode (parcel->candidate_tree.data, parcel->candidate_tree.size, &candidate, &evaluator) == 0 &&
        tree_same_shape (&base, &live) && tree_same_shape (&candidate, &live);
    tree_clear (&live);
    tree_clear (&base);
    tree_clear (&candidate);
    return fit;
}

static void s_package_fetched (node_t *self, size_t index, bytes_t packed)
{
    parcel_t *parcel = &self->parcels[index];
    message_t message = {0};
    tree_t base = {0}, candidate = {0};
    package_report_t report;
    problem_t problem = {{0}};
    int rc =
        package_verify (packed, &self->group, &message, &base, &candidate, &report, NULL, NULL, &problem);
    bool authentic = !rc && digest_equal (&report.package, &parcel->package) &&
                     (!report.alone || s_was_alone (self, &report));
    if (authentic)
        s_open (self, index, &message, &report);
    if (!rc) {
        message_clear (&message);
        tree_clear (&base);
        tree_clear (&candidate);
    }
    if (!authentic) {
        knowledge_decided (self, index, false, REASON_UNVERIFIED, NULL);
        return;
    }
    persist_content_t content = {packed};
    effects_add (self->out, EFFECT_PERSIST_CONTENT, &content);
    self->counts.packages_received++;
    char author[DIGEST_SHORT_BYTES];
    pubkey_short (&parcel->author, author);
    entry_t metadata[2] = {{text_of ("from"), text_of (author)},
                           {text_of ("description"), text_of (parcel->description)}};
    say_event (self, "knowledge_received", &parcel->package, NAN, NULL, metadata, 2);
    if (!s_shapes_fit (self, parcel)) {
        knowledge_decided (self, index, false, REASON_PROTECTED, NULL);
        return;
    }
    parcel->state = PARCEL_FILES;
    if (!s_fetch (self, index, &parcel->candidate, true) || !s_fetch (self, index, &parcel->base, true))
        s_retry (self, index);
}

/* --- trying --- */

static void s_try (node_t *self, size_t index, bytes_t tree, bool certified)
{
    parcel_t *parcel = &self->parcels[index];
    parcel->parts.merge = parcel->hunks ? 1.0 - (double)parcel->conflicts / parcel->hunks : 1.0;
    parcel->score = compatibility_score (&parcel->parts);
    if (!(parcel->score > self->settings.compatibility_threshold)) {
        knowledge_decided (self, index, false, REASON_INCOMPATIBLE, NULL);
        return;
    }
    digest_t candidate = digest_of (tree.data, tree.size);
    if (digest_equal (&candidate, &self->live)) {
        knowledge_decided (self, index, false, REASON_DUPLICATE, NULL);
        return;
    }
    parcel->state = PARCEL_TRYING;
    uint64_t order = parcel->order;
    size_t improvement = propose_candidate (
        self, ORIGIN_PACKAGE, &parcel->candidate, tree, parcel->type, text_of (parcel->description),
        certified ? &parcel->author : &self->identity.id, index, certified);
    /* Rejected at once: the parcel was told. Still being tried: there was no place for it. */
    if (improvement == NONE && parcel->state == PARCEL_TRYING && parcel->order == order)
        s_retry (self, index);
}

static void s_files_fetched (node_t *self, size_t index)
{
    parcel_t *parcel = &self->parcels[index];
    if (++parcel->files < 2)
        return;
    parcel->hunks = parcel->conflicts = 0;
    if (digest_equal (&parcel->base, &self->live)) {
        buffer_t tree = {0};
        buffer_append (&tree, parcel->candidate_tree.data, parcel->candidate_tree.size);
        s_try (self, index, bytes_of (tree.data, tree.size), !parcel->alone);
        buffer_clear (&tree);
        return;
    }
    parcel->state = PARCEL_MERGING;
    merge_t merge = {.base = parcel->base, .ours = self->live, .theirs = parcel->candidate};
    if (!operate (self, EFFECT_MERGE, &merge, OWNER_PARCEL, index))
        s_retry (self, index);
}

void knowledge_fetched (node_t *self, size_t index, const fetched_t *event)
{
    parcel_t *parcel = &self->parcels[index];
    if (parcel->state != PARCEL_FETCHING && parcel->state != PARCEL_FILES)
        return;
    if (event->result != 0)
        s_retry (self, index);
    else if (parcel->state == PARCEL_FETCHING)
        s_package_fetched (self, index, event->bytes);
    else
        s_files_fetched (self, index);
}

void knowledge_merged (node_t *self, size_t index, const merged_t *event)
{
    parcel_t *parcel = &self->parcels[index];
    if (event->result != 0) {
        knowledge_decided (self, index, false, REASON_INCOMPATIBLE, NULL);
        return;
    }
    parcel->hunks = (unsigned)event->hunks;
    parcel->conflicts = (unsigned)event->conflicts;
    digest_t merged = digest_of (event->tree.data, event->tree.size);
    /* What the merge left as the package's own content is what its certificate speaks of. */
    s_try (self, index, event->tree, !parcel->alone && digest_equal (&merged, &parcel->candidate));
}

static uint64_t s_last_turn (node_t *self, const parcel_t *parcel)
{
    const known_peer_t *author = peer_of (self, &parcel->author);
    return author ? author->served : 0;
}

/* Whose turn is it? The author's whose last turn is longest ago; of its own, the one that came first. */
static bool s_goes_before (node_t *self, const parcel_t *one, const parcel_t *other)
{
    uint64_t its = s_last_turn (self, one), others = s_last_turn (self, other);
    return its != others ? its < others : one->order < other->order;
}

static bool s_can_be_had (const node_t *self, const parcel_t *parcel)
{
    return (parcel->imported || peer_is_up (self, &parcel->author)) &&
           (!parcel->unconfirmed || review_may_be_confirmed (self));
}

/* Packages are tried one after the other. */
void knowledge_advance (node_t *self)
{
    size_t next = NONE;
    for (size_t i = 0; i < LIMIT_KNOWLEDGE; i++) {
        const parcel_t *parcel = &self->parcels[i];
        if (parcel->state != PARCEL_FREE && parcel->state != PARCEL_WAITING)
            return;
        if (parcel->state == PARCEL_WAITING && parcel->retry_ms <= self->now_ms && self->baseline_known &&
            s_can_be_had (self, parcel) &&
            (next == NONE || s_goes_before (self, parcel, &self->parcels[next])))
            next = i;
    }
    if (next == NONE || self->paused || self->stopped)
        return;
    self->parcels[next].state = PARCEL_FETCHING;
    known_peer_t *author = peer_of (self, &self->parcels[next].author);
    if (author)
        author->served = ++self->order;
    if (!s_fetch (self, next, &self->parcels[next].package, false))
        s_retry (self, next);
}

uint64_t knowledge_deadline_ms (const node_t *self)
{
    uint64_t deadline_ms = UINT64_MAX;
    for (size_t i = 0; i < LIMIT_KNOWLEDGE; i++)
        if (self->parcels[i].state == PARCEL_WAITING && self->parcels[i].retry_ms > self->now_ms &&
            self->parcels[i].retry_ms < deadline_ms)
            deadline_ms = self->parcels[i].retry_ms;
    return deadline_ms;
}
