/* SPDX-License-Identifier: MPL-2.0 */
/* Proposals: when to ask a proposer, from which parent, and what enters as an improvement. */
#include "node/node_state.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROPOSE_WAIT_MS_MIN 50
#define PROPOSE_WAIT_MS_MAX 10000

/* However many slots there are, comparisons of own proposals leave room for all that peers ask for, for a package, and for the live
 * copy. */
#define BACKLOG_MAX (LIMIT_TRIALS - LIMIT_VALIDATIONS - 2)
_Static_assert(BACKLOG_MAX > 0 && BACKLOG_MAX < LIMIT_IMPROVEMENTS, "there is room for own proposals");

/* Own improvements that are still to be measured: enough to keep the slots busy, no more. */
static size_t s_backlog (const node_t *self)
{
    size_t backlog = self->proposals_running;
    for (size_t i = 0; i < LIMIT_IMPROVEMENTS; i++) {
        const improvement_t *improvement = &self->improvements[i];
        backlog += improvement->used && improvement->origin != ORIGIN_PACKAGE &&
                   (improvement->state == STATE_PROPOSED || improvement->state == STATE_TESTING);
    }
    return backlog;
}

static bool s_may_propose (const node_t *self)
{
    const settings_t *settings = &self->settings;
    return self->started && self->baseline_known && !self->paused && !self->stopped &&
           settings->proposer_count > 0 &&
           (settings->proposals_max == 0 ||
            self->proposals_made + self->proposals_running < settings->proposals_max) &&
           self->propose_after_ms <= self->now_ms && breaker_admits (&self->breaker, 0) &&
           slots_busy (self) < settings->slots && s_backlog (self) < settings->slots + 1 &&
           s_backlog (self) < BACKLOG_MAX;
}

/* A proposer, drawn by the shares. */
static size_t s_draw_proposer (node_t *self)
{
    double sum = 0;
    for (size_t i = 0; i < self->settings.proposer_count; i++)
        sum += self->settings.proposer_shares[i];
    double at = random_unit (&self->random) * sum;
    for (size_t i = 0; i < self->settings.proposer_count; i++) {
        at -= self->settings.proposer_shares[i];
        if (at < 0)
            return i;
    }
    return self->settings.proposer_count - 1;
}

/* Candidates to learn from: the best one, the live release, and some drawn from the front. */
static size_t s_inspirations (node_t *self, hash_t inspirations[LIMIT_METADATA])
{
    size_t count = 0;
    const archive_entry_t *best = archive_best (self->archive);
    if (best)
        inspirations[count++].id = best->id;
    if (!best || !digest_equal (&best->id, &self->live))
        inspirations[count++].id = self->live;
    const archive_entry_t *drawn = archive_select (self->archive, SELECT_PARETO, &self->random);
    if (drawn && !digest_equal (&drawn->id, &self->live) && !(best && digest_equal (&drawn->id, &best->id)))
        inspirations[count++].id = drawn->id;
    return count;
}

void propose_schedule (node_t *self)
{
    while (s_may_propose (self)) {
        const archive_entry_t *parent =
            archive_select (self->archive, self->settings.selection, &self->random);
        if (!parent)
            return;
        hash_t inspirations[LIMIT_METADATA];
        propose_t propose = {.parent = parent->id,
                             .proposer = s_draw_proposer (self),
                             .seed = random_u64 (&self->random),
                             .learning_rate = self->learning.rate};
        propose.inspirations.count = s_inspirations (self, inspirations);
        propose.inspirations.items = inspirations;
        uint64_t operation = operate (self, EFFECT_PROPOSE, &propose, OWNER_NODE, NONE);
        if (!operation)
            return;
        self->proposals_running++;
        breaker_start (&self->breaker, operation);
    }
}

/* Every file must be one that may change: the paths of the start, no more and no other. */
static bool s_paths_allowed (const node_t *self, bytes_t tree)
{
    tree_t candidate = {0}, live = {0};
    digest_t evaluator;
    bool allowed = tree_decode (tree.data, tree.size, &candidate, &evaluator) == 0 &&
                   digest_equal (&evaluator, &self->group.evaluator) &&
                   tree_decode (self->live_tree.data, self->live_tree.size, &live, &evaluator) == 0 &&
                   tree_same_shape (&candidate, &live);
    tree_clear (&candidate);
    tree_clear (&live);
    return allowed;
}

/* Is the same candidate measured already, or being measured? */
static bool s_known (const node_t *self, size_t index)
{
    const improvement_t *improvement = &self->improvements[index];
    if (digest_equal (&improvement->candidate, &self->live))
        return true;
    for (size_t i = 0; i < LIMIT_IMPROVEMENTS; i++)
        if (i != index && self->improvements[i].used &&
            digest_equal (&self->improvements[i].candidate, &improvement->candidate))
            return true;
    /* A peer's package, or the operator, may bring back what lost against an earlier live release. */
    return improvement->origin == ORIGIN_PROPOSER && archive_find (self->archive, &improvement->candidate);
}

size_t propose_candidate (node_t *self, origin_t origin, const digest_t *parent, bytes_t tree,
                          improvement_type_t type, text_t description, const pubkey_t *author, size_t parcel,
                          bool certified)
{
    size_t index = improve_new (self, origin, parent, tree, type, description);
    if (index == NONE)
        return NONE;
    improvement_t *improvement = &self->improvements[index];
    improvement->author = *author;
    improvement->parcel = parcel;
    improvement->certified = certified;
    if (parcel != NONE)
        improvement->package = self->parcels[parcel].package;
    improve_move (self, index, MOVE_PROPOSE);
    if (!s_paths_allowed (self, tree)) {
        improve_reject (self, index, REASON_PROTECTED, NULL);
        return NONE;
    }
    if (s_known (self, index)) {
        self->counts.duplicates++;
        improve_reject (self, index, REASON_DUPLICATE, NULL);
        return NONE;
    }
    improve_move (self, index, MOVE_TEST);
    test_start (self, index);
    return improvement->used ? index : NONE; /* what was measured before may be decided by now */
}

/* A proposer that gives nothing new again and again is asked less and less often. */
static void s_back_off (node_t *self, bool fruitful)
{
    self->fruitless = fruitful ? 0 : self->fruitless + 1;
    uint64_t wait_ms = (uint64_t)PROPOSE_WAIT_MS_MIN << (self->fruitless < 8 ? self->fruitless : 8);
    self->propose_after_ms =
        fruitful ? 0 : self->now_ms + (wait_ms < PROPOSE_WAIT_MS_MAX ? wait_ms : PROPOSE_WAIT_MS_MAX);
}

/* Told at the first failure in a row, and then more and more rarely. */
static void s_say_failure (node_t *self, text_t why)
{
    if (self->fruitless & (self->fruitless - 1))
        return;
    char text[LIMIT_TEXT + 1], count[16];
    text_copy (why, text, sizeof text);
    (void)snprintf (count, sizeof count, "%u", self->fruitless);
    entry_t metadata = {text_of ("in_a_row"), text_of (count)};
    say_event (self, "proposal_failed", NULL, NAN, text, &metadata, 1);
}

uint64_t propose_deadline_ms (const node_t *self)
{
    return self->propose_after_ms > self->now_ms ? self->propose_after_ms : UINT64_MAX;
}

void on_proposed (node_t *self, const proposed_t *event)
{
    owner_t owner;
    size_t index;
    if (!operated (self, event->operation, EFFECT_PROPOSE, &owner, &index))
        return;
    assert (self->proposals_running > 0);
    self->proposals_running--;
    if (event->result == 2) {
        s_back_off (self, false);
        s_say_failure (self, event->description);
        improve_fault (self, false);
        return;
    }
    size_t improvement = NONE;
    if (event->result == 0) {
        self->counts.proposed++;
        self->proposals_made++;
        improvement = propose_candidate (self, ORIGIN_PROPOSER, &event->parent, event->tree,
                                         (improvement_type_t)event->improvement_type, event->description,
                                         &self->identity.id, NONE, false);
    }
    s_back_off (self, improvement != NONE);
    if (event->result == 1)
        s_say_failure (self, event->description);
    if (improvement != NONE)
        self->improvements[improvement].breaker_trial = event->operation;
    else
        breaker_release (&self->breaker, event->operation);
}
