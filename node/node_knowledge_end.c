/* SPDX-License-Identifier: MPL-2.0 */
/* Peers' packages: what became of one. Its author hears of it by a signed TRANSFER_RESULT, the store keeps it, and a package that
 * was tried is not tried again on the same live release. One that could not be had, or was overtaken, is put back: it may be tried
 * later. */
#include "node/node_life.h"
#include "node/node_peers.h"
#include "node/node_say.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS 5000

/* --- told and kept --- */

/* The parts of its compatibility as texts; none before it was compared. Returns how many. */
static size_t s_parts (const parcel_t *parcel, entry_t parts[5], char values[5][16])
{
    assert (parcel->score >= 0 && parcel->score <= 1);
    if (parcel->score <= 0)
        return 0;
    const struct {
        const char *name;
        double value;
    } all[5] = {{"objectives", parcel->parts.objectives},
                {"evaluator", parcel->parts.evaluator},
                {"merge", parcel->parts.merge},
                {"platform", parcel->parts.platform},
                {"sender", parcel->parts.sender}};
    for (size_t i = 0; i < 5; i++) {
        (void)snprintf (values[i], sizeof values[i], "%.3f", all[i].value);
        parts[i] = (entry_t){text_of (all[i].name), text_of (values[i])};
    }
    return 5;
}

void knowledge_row (node_t *self, size_t index, package_status_t status, reason_code_t reason)
{
    assert (index < LIMIT_KNOWLEDGE && self->parcels[index].state != PARCEL_FREE);
    const parcel_t *parcel = &self->parcels[index];
    char values[5][16];
    entry_t parts[5];
    size_t count = s_parts (parcel, parts, values);
    package_row_t row = {.id = parcel->package,
                         .author = parcel->author,
                         .status = (uint64_t)status,
                         .reason = reason,
                         .compatibility = count ? parcel->score : NAN,
                         .parts = {parts, count},
                         .time_ms = self->wall_ms};
    say_persist (self, RECORD_PACKAGE, &parcel->package, &package_row_record, &row);
}

void knowledge_answer (node_t *self, const pubkey_t *author, const digest_t *transfer, const tried_t *tried,
                       const trial_result_t *result)
{
    assert (self && author && transfer && tried);
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

/* --- what was tried --- */

const tried_t *knowledge_tried (const node_t *self, const digest_t *package)
{
    assert (self && package);
    for (size_t i = 0; i < self->tried_count; i++)
        if (digest_equal (&self->tried[i].package, package))
            return &self->tried[i];
    return NULL;
}

static void s_remember (node_t *self, const tried_t *tried)
{
    self->again_none = false;
    for (size_t i = 0; i < self->tried_count; i++)
        if (digest_equal (&self->tried[i].package, &tried->package)) {
            self->tried[i] = *tried;
            return;
        }
    assert (self->tried_count <= LIMIT_TRIED && !digest_is_zero (&tried->package));
    if (self->tried_count == LIMIT_TRIED)
        memmove (self->tried, self->tried + 1, --self->tried_count * sizeof *self->tried);
    tried_t *grown = realloc (self->tried, (self->tried_count + 1) * sizeof *grown);
    assert (grown);
    self->tried = grown;
    self->tried[self->tried_count++] = *tried;
}

/* --- the end of its way, or of this attempt --- */

static void s_end (node_t *self, size_t index)
{
    assert (index < LIMIT_KNOWLEDGE && self->parcels[index].state != PARCEL_FREE);
    operate_drop (self, OWNER_PARCEL, index);
    parcel_end (&self->parcels[index]);
}

/* Not tried, so it may be told of again; its author hears of it if it chose us. */
void knowledge_turn_away (node_t *self, size_t index)
{
    assert (index < LIMIT_KNOWLEDGE && self->parcels[index].state != PARCEL_FREE);
    const parcel_t *parcel = &self->parcels[index];
    assert (parcel->state == PARCEL_WAITING);
    tried_t outcome = {.package = parcel->package, .author = parcel->author, .reason = REASON_BUSY};
    if (!digest_is_zero (&parcel->transfer))
        knowledge_answer (self, &parcel->author, &parcel->transfer, &outcome, NULL);
    knowledge_row (self, index, ROW_REJECTED, REASON_BUSY);
    self->counts.rejected[REASON_BUSY]++;
    s_end (self, index);
}

/* Behind the others, and not at once. */
static void s_wait (node_t *self, parcel_t *parcel)
{
    assert (parcel->state == PARCEL_WAITING);
    parcel->retry_ms = self->now_ms + RETRY_MS;
    parcel->order = ++self->order;
}

void knowledge_retry (node_t *self, size_t index)
{
    assert (index < LIMIT_KNOWLEDGE && self->parcels[index].state != PARCEL_FREE);
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
    parcel_move (parcel, PARCEL_MOVE_PUT_BACK);
    s_wait (self, parcel);
}

/* Does such an outcome say anything of who made the package? What does not merge here, or found nobody to confirm it, does not. */
static bool s_tells_of_author (reason_code_t reason)
{
    bool measured = reason >= REASON_INVALID_EXIT && reason <= REASON_TOO_SMALL;
    return measured || reason == REASON_STAGE || reason == REASON_NOT_CONFIRMED ||
           reason == REASON_REGRESSION || reason == REASON_UNVERIFIED || reason == REASON_PROTECTED ||
           reason == REASON_OTHER_EVALUATOR;
}

/* What its author's record with us says of it: of each package one thing, the latest. */
static void s_record (node_t *self, const parcel_t *parcel, bool adopted, reason_code_t reason)
{
    known_peer_t *peer = peer_of (self, &parcel->author);
    const tried_t *before = knowledge_tried (self, &parcel->package);
    if (!peer)
        return;
    if (before && peer->failed > 0 && s_tells_of_author (before->reason) &&
        pubkey_equal (&before->author, &parcel->author))
        peer->failed--;
    peer->adopted += adopted;
    peer->failed += !adopted && s_tells_of_author (reason);
}

static void s_say_rejected (node_t *self, const parcel_t *parcel, reason_code_t reason,
                            const trial_result_t *result)
{
    if (parcel->state != PARCEL_TRYING) /* else its improvement was counted */
        self->counts.rejected[reason]++;
    char fits[2][16], values[5][16];
    entry_t metadata[8] = {{text_of ("reason"), text_of (reason_name (reason))}};
    size_t count = 1;
    if (reason == REASON_INCOMPATIBLE && parcel->score > 0) {
        (void)snprintf (fits[0], sizeof fits[0], "%.3f", parcel->score);
        (void)snprintf (fits[1], sizeof fits[1], "%.3f", self->settings.compatibility_threshold);
        metadata[count++] = (entry_t){text_of ("fits"), text_of (fits[0])};
        metadata[count++] = (entry_t){text_of ("needed_above"), text_of (fits[1])};
        count += s_parts (parcel, metadata + count, values);
    }
    say_event (self, TYPE_KNOWLEDGE_REJECTED, &parcel->package, result ? result->weighted : NAN,
               reason_description (reason), metadata, count);
}

/* What came to nothing here for now, which says nothing of the package, waits for better times; false if it was often enough. */
static bool s_put_back (node_t *self, parcel_t *parcel, reason_code_t reason)
{
    bool is_overtaken =
        reason == REASON_STALE_BASE && parcel->attempts < self->settings.transfer_attempts_max;
    if (is_overtaken) { /* the live release moved while it was tried */
        parcel->attempts++;
        parcel_move (parcel, PARCEL_MOVE_PUT_BACK);
        return true;
    }
    if (reason == REASON_BUSY) { /* all places for measuring are taken: that is no attempt */
        parcel_move (parcel, PARCEL_MOVE_PUT_BACK);
        s_wait (self, parcel);
        return true;
    }
    if (reason == REASON_NO_VALIDATORS && ++parcel->attempts < self->settings.transfer_attempts_max) {
        parcel_move (parcel, PARCEL_MOVE_PUT_BACK);
        parcel->unconfirmed = true;
        parcel->order = ++self->order; /* behind the others */
        return true;
    }
    return false;
}

void knowledge_decided (node_t *self, size_t index, bool adopted, reason_code_t reason,
                        const trial_result_t *result)
{
    assert (index < LIMIT_KNOWLEDGE && self->parcels[index].state != PARCEL_FREE);
    parcel_t *parcel = &self->parcels[index];
    assert (reason != REASON_NONE);
    if (s_put_back (self, parcel, reason))
        return;
    s_record (self, parcel, adopted, reason);
    const tried_t *before = knowledge_tried (self, &parcel->package);
    tried_t tried = {.package = parcel->package,
                     .author = parcel->author,
                     .adopted = adopted,
                     .reason = reason,
                     .base = self->live,
                     .tries = (before ? before->tries : 0) + (reason != REASON_UNAVAILABLE),
                     .gain = result ? result->weighted : 0};
    s_remember (self, &tried);
    knowledge_answer (self, &parcel->author, &parcel->transfer, &tried, result);
    knowledge_row (self, index, adopted ? ROW_ADOPTED : ROW_REJECTED, reason);
    if (adopted)
        self->counts.packages_adopted++;
    else
        s_say_rejected (self, parcel, reason, result);
    s_end (self, index);
}
