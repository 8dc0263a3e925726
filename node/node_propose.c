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

void propose_settle (node_t *self, const started_t *event)
{
    for (size_t i = 0; i < event->proposers.count; i++) {
        const proposer_row_t *row = &event->proposers.items[i];
        self->proposers[i] = (proposer_t){
            .share = row->share, .parallel = (unsigned)row->parallel, .running = self->proposers[i].running};
    }
}

size_t proposals_here (const node_t *self)
{
    size_t running = 0;
    for (size_t i = 0; i < LIMIT_CAPABILITIES; i++)
        running += self->proposers[i].parallel == 0 ? self->proposers[i].running : 0;
    return running;
}

/* Those that wait for somebody else's machine take no slot, so they hold up nobody. */
static size_t s_proposals_away (const node_t *self)
{
    size_t running = 0;
    for (size_t i = 0; i < LIMIT_CAPABILITIES; i++)
        running += self->proposers[i].parallel > 0 ? self->proposers[i].running : 0;
    return running;
}

/* Own improvements that are still to be measured: enough to keep the slots busy, no more. */
static size_t s_backlog (const node_t *self)
{
    size_t backlog = proposals_here (self);
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
            self->proposals_made + proposals_here (self) + s_proposals_away (self) <
                settings->proposals_max) &&
           breaker_admits (&self->breaker, 0) && s_backlog (self) + s_proposals_away (self) < BACKLOG_MAX;
}

static bool s_may_ask (const node_t *self, const proposer_t *proposer)
{
    if (proposer->exhausted || proposer->after_ms > self->now_ms)
        return false;
    if (proposer->parallel > 0)
        return proposer->running < proposer->parallel;
    return slots_busy (self) < self->settings.slots && s_backlog (self) < self->settings.slots + 1;
}

/* The shares of those that may be asked now, by index; returns their sum, 0 if there is none. */
static double s_shares (const node_t *self, double shares[LIMIT_CAPABILITIES])
{
    double all = 0, here = 0;
    for (size_t i = 0; i < self->settings.proposer_count; i++) {
        shares[i] = s_may_ask (self, &self->proposers[i]) ? self->proposers[i].share : 0;
        all += shares[i];
        here += self->proposers[i].parallel == 0 ? shares[i] : 0;
    }
    /* The one trial of a half-open breaker is not for who may be away for long, if another can have it. */
    if (self->breaker.state == BREAKER_CLOSED || here == 0)
        return all;
    for (size_t i = 0; i < self->settings.proposer_count; i++)
        shares[i] = self->proposers[i].parallel == 0 ? shares[i] : 0;
    return here;
}

/* A proposer, drawn by the shares, which have this sum. */
static size_t s_draw_proposer (node_t *self, const double shares[LIMIT_CAPABILITIES], double sum)
{
    size_t last = 0;
    double at = random_unit (&self->random) * sum;
    for (size_t i = 0; i < self->settings.proposer_count; i++) {
        if (shares[i] == 0)
            continue;
        last = i;
        at -= shares[i];
        if (at < 0)
            break;
    }
    return last;
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
    double shares[LIMIT_CAPABILITIES], sum;
    while (s_may_propose (self) && (sum = s_shares (self, shares)) > 0) {
        const archive_entry_t *parent =
            archive_select (self->archive, self->settings.selection, &self->random);
        if (!parent)
            return;
        hash_t inspirations[LIMIT_METADATA];
        propose_t propose = {.parent = parent->id,
                             .proposer = s_draw_proposer (self, shares, sum),
                             .seed = random_u64 (&self->random),
                             .learning_rate = self->learning.rate};
        propose.inspirations.count = s_inspirations (self, inspirations);
        propose.inspirations.items = inspirations;
        uint64_t operation = operate (self, EFFECT_PROPOSE, &propose, OWNER_NODE, propose.proposer);
        if (!operation)
            return;
        self->proposers[propose.proposer].running++;
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
                          bool certified, const bill_t *bill)
{
    size_t index = improve_new (self, origin, parent, tree, type, description);
    if (index == NONE)
        return NONE;
    improvement_t *improvement = &self->improvements[index];
    improvement->author = *author;
    improvement->parcel = parcel;
    improvement->certified = certified;
    if (bill) {
        text_copy (bill->model, improvement->model, sizeof improvement->model);
        improvement->spent = bill->spent;
    }
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
static void s_back_off (const node_t *self, proposer_t *proposer, bool fruitful)
{
    proposer->fruitless = fruitful ? 0 : proposer->fruitless + 1;
    uint64_t wait_ms = (uint64_t)PROPOSE_WAIT_MS_MIN << (proposer->fruitless < 8 ? proposer->fruitless : 8);
    proposer->after_ms =
        fruitful ? 0 : self->now_ms + (wait_ms < PROPOSE_WAIT_MS_MAX ? wait_ms : PROPOSE_WAIT_MS_MAX);
}

/* Told at the first failure in a row, and then more and more rarely. */
static void s_say_failure (node_t *self, const proposer_t *proposer, text_t why)
{
    if (proposer->fruitless & (proposer->fruitless - 1))
        return;
    char text[LIMIT_TEXT + 1], count[16];
    text_copy (why, text, sizeof text);
    (void)snprintf (count, sizeof count, "%u", proposer->fruitless);
    entry_t metadata = {text_of ("in_a_row"), text_of (count)};
    say_event_here (self, "proposal_failed", text, &metadata, 1);
}

static void s_say_exhausted (node_t *self, text_t why)
{
    char text[LIMIT_TEXT + 1];
    text_copy (why, text, sizeof text);
    say_event_here (self, "proposer_exhausted", text, NULL, 0);
}

uint64_t propose_deadline_ms (const node_t *self)
{
    uint64_t deadline_ms = UINT64_MAX;
    for (size_t i = 0; i < self->settings.proposer_count; i++) {
        const proposer_t *proposer = &self->proposers[i];
        if (!proposer->exhausted && proposer->after_ms > self->now_ms && proposer->after_ms < deadline_ms)
            deadline_ms = proposer->after_ms;
    }
    return deadline_ms;
}

/* The candidate enters as an improvement; NONE if it is nothing new. */
static size_t s_take (node_t *self, const proposed_t *event)
{
    const bill_t bill = {event->model, {event->requests, event->tokens, event->cost_millionths}};
    self->counts.proposed++;
    self->proposals_made++;
    return propose_candidate (self, ORIGIN_PROPOSER, &event->parent, event->tree,
                              (improvement_type_t)event->improvement_type, event->description,
                              &self->identity.id, NONE, false, &bill);
}

void on_proposed (node_t *self, const proposed_t *event)
{
    owner_t owner;
    size_t index;
    if (!operated (self, event->operation, EFFECT_PROPOSE, &owner, &index))
        return;
    proposer_t *proposer = &self->proposers[index];
    assert (proposer->running > 0);
    proposer->running--;
    size_t improvement = event->result == PROPOSAL_CANDIDATE ? s_take (self, event) : NONE;
    s_back_off (self, proposer, improvement != NONE);
    switch ((proposal_result_t)event->result) {
    case PROPOSAL_CANDIDATE: break;
    case PROPOSAL_NONE: s_say_failure (self, proposer, event->description); break;
    case PROPOSAL_FAULT:
        s_say_failure (self, proposer, event->description);
        improve_fault (self, false);
        return;
    case PROPOSAL_EXHAUSTED:
        proposer->exhausted = true;
        s_say_exhausted (self, event->description);
        break;
    }
    if (improvement != NONE)
        self->improvements[improvement].breaker_trial = event->operation;
    else
        breaker_release (&self->breaker, event->operation);
}
