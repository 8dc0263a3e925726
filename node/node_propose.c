/* SPDX-License-Identifier: MPL-2.0 */
/* Proposals: when to ask a proposer, from which parent, and what enters as an improvement. */
#include "node/node_life.h"
#include "node/node_say.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROPOSE_WAIT_MS_MIN 50
#define PROPOSE_WAIT_MS_MAX 10000
#define PROPOSE_IDLE_MS_MIN 1000
#define PROPOSE_IDLE_MS_MAX 3600000

/* The proposals under way of the proposer in that place are given up, and nobody is blamed. */
static void s_give_up (node_t *self, size_t place)
{
    for (size_t i = 0; i < LIMIT_OPERATIONS; i++) {
        const operation_t *operation = &self->operations[i];
        if (operation->id == 0 || operation->kind != EFFECT_PROPOSE ||
            operation->index % LIMIT_CAPABILITIES != place)
            continue;
        breaker_release (&self->breaker, operation->id);
        operate_cancel (self, operation->id);
    }
    self->proposers[place] = (proposer_t){0};
}

void propose_settle (node_t *self, const started_t *event)
{
    assert (self && event);
    for (size_t i = 0; i < LIMIT_CAPABILITIES; i++) {
        static const proposer_row_t nobody = {0};
        const proposer_row_t *row = i < event->proposers.count ? &event->proposers.items[i] : &nobody;
        proposer_t *proposer = &self->proposers[i];
        /* What is under way names its proposer by its place: whoever stands there now was not asked for it. */
        if (!text_equal (row->name, proposer->name))
            s_give_up (self, i);
        *proposer = (proposer_t){
            .share = row->share, .parallel = (unsigned)row->parallel, .running = proposer->running};
        text_copy (row->name, proposer->name, sizeof proposer->name);
    }
}

size_t proposals_here (const node_t *self)
{
    assert (self);
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

/* With one slot nothing is proposed while the live release changes: else it would hang on who is faster whether a candidate is compared
 * with the old release or with the new one, and two runs with one seed would differ. */
static bool s_waits_for_apply (const node_t *self)
{
    return self->settings.slots == 1 && apply_busy (self);
}

static bool s_may_propose (const node_t *self)
{
    const settings_t *settings = &self->settings;
    return self->started && self->baseline_known && !evolution_rests (self) && settings->proposer_count > 0 &&
           !s_waits_for_apply (self) &&
           (settings->proposals_max == 0 ||
            self->proposals_made + proposals_here (self) + s_proposals_away (self) <
                settings->proposals_max) &&
           breaker_admits (&self->breaker, 0) && s_backlog (self) + s_proposals_away (self) < BACKLOG_MAX;
}

/* The same of proposers that take slots: they stay just ahead of them. */
static size_t s_backlog_limit_here (const node_t *self)
{
    return self->settings.slots + 1;
}

size_t propose_backlog_limit (const node_t *self)
{
    assert (self);
    size_t limit = s_backlog_limit_here (self);
    for (size_t i = 0; i < self->settings.proposer_count; i++)
        if (self->proposers[i].parallel > 0)
            limit = BACKLOG_MAX;
    return limit < BACKLOG_MAX ? limit : BACKLOG_MAX;
}

static bool s_may_ask (const node_t *self, const proposer_t *proposer)
{
    if (proposer->exhausted || proposer->after_ms > self->now_ms)
        return false;
    if (proposer->parallel > 0)
        return proposer->running < proposer->parallel;
    return slots_busy (self) < self->settings.slots && s_backlog (self) < s_backlog_limit_here (self);
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
    assert (sum > 0); /* one of them may be asked */
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

/* What there is to go on from: once it changes, who had nothing more to propose may have again. */
static void s_note_idle (const node_t *self, proposer_t *proposer)
{
    proposer->idle_live = self->live;
    proposer->idle_candidates = archive_count (self->archive);
}

static void s_rouse_idle (node_t *self)
{
    for (size_t i = 0; i < self->settings.proposer_count; i++) {
        proposer_t *proposer = &self->proposers[i];
        if (!proposer->idle || (digest_equal (&proposer->idle_live, &self->live) &&
                                proposer->idle_candidates == archive_count (self->archive)))
            continue;
        s_note_idle (self, proposer);
        proposer->after_ms = 0;
        proposer->idle_asked = 0;
    }
}

void propose_schedule (node_t *self)
{
    assert (self);
    double shares[LIMIT_CAPABILITIES], sum;
    if (self->started)
        s_rouse_idle (self);
    while (s_may_propose (self) && (sum = s_shares (self, shares)) > 0) {
        size_t island = parent_draw_island (self);
        const archive_entry_t *parent = parent_draw (self, island);
        if (!parent)
            return;
        hash_t top[LIMIT_METADATA], diverse[LIMIT_METADATA];
        propose_t propose = {.parent = parent->id,
                             .proposer = s_draw_proposer (self, shares, sum),
                             .seed = random_u64 (&self->random),
                             .number = self->proposals_made + proposals_here (self) + s_proposals_away (self),
                             .learning_rate = self->learning.rate,
                             .island = island};
        parent_inspire (self, &propose, top, diverse);
        uint64_t operation = operate (self, EFFECT_PROPOSE, &propose, OWNER_NODE,
                                      island * LIMIT_CAPABILITIES + propose.proposer);
        if (!operation)
            return;
        assert (propose.proposer < self->settings.proposer_count);
        self->proposers[propose.proposer].running++;
        s_note_idle (self, &self->proposers[propose.proposer]); /* its answer is about what it was told */
        breaker_start (&self->breaker, operation);
    }
}

/* A proposer that gives nothing new again and again is asked less and less often. `why` it gave nothing. */
static void s_back_off (const node_t *self, proposer_t *proposer, bool fruitful, text_t why)
{
    proposer->fruitless = fruitful ? 0 : proposer->fruitless + 1;
    text_copy (fruitful ? text_of ("") : why, proposer->fruitless_why, sizeof proposer->fruitless_why);
    proposer->idle = false;
    proposer->idle_asked = fruitful ? 0 : proposer->idle_asked;
    uint64_t wait_ms = (uint64_t)PROPOSE_WAIT_MS_MIN << (proposer->fruitless < 8 ? proposer->fruitless : 8);
    proposer->after_ms =
        fruitful ? 0 : self->now_ms + (wait_ms < PROPOSE_WAIT_MS_MAX ? wait_ms : PROPOSE_WAIT_MS_MAX);
}

/* While its other proposals hold all that it may spend, there is no use in asking before one of them ends. */
static void s_wait_for_others (const node_t *self, proposer_t *proposer)
{
    proposer->after_ms = proposer->running > 0 ? UINT64_MAX : self->now_ms + PROPOSE_WAIT_MS_MIN;
}

void propose_hasten (node_t *self)
{
    assert (self);
    for (size_t i = 0; i < LIMIT_CAPABILITIES; i++)
        if (self->proposers[i].after_ms != UINT64_MAX) /* else its own under way hold what it may spend */
            self->proposers[i].after_ms = 0;
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
    say_event_here (self, TYPE_PROPOSAL_FAILED, NULL, text, &metadata, 1);
}

static void s_say_exhausted (node_t *self, const proposer_t *proposer, const char *why)
{
    entry_t metadata = {text_of ("proposer"), text_of (proposer->name)};
    say_event_here (self, TYPE_PROPOSER_EXHAUSTED, NULL, why, &metadata, 1);
}

/* It has tried all that it can from this parent, at least. That is said once for a live release; it is
 * asked less and less. */
static void s_rest_idle (node_t *self, proposer_t *proposer, text_t why)
{
    unsigned asked = proposer->idle_asked++;
    text_copy (why, proposer->idle_why, sizeof proposer->idle_why);
    if (!digest_equal (&proposer->idle_told, &self->live))
        s_say_exhausted (self, proposer, proposer->idle_why);
    proposer->idle_told = self->live;
    uint64_t wait_ms = (uint64_t)PROPOSE_IDLE_MS_MIN << (asked < 12 ? asked : 12);
    proposer->after_ms =
        time_after_ms (self->now_ms, wait_ms < PROPOSE_IDLE_MS_MAX ? wait_ms : PROPOSE_IDLE_MS_MAX);
    proposer->idle = true;
}

uint64_t propose_deadline_ms (const node_t *self)
{
    assert (self);
    uint64_t deadline_ms = UINT64_MAX;
    for (size_t i = 0; i < self->settings.proposer_count; i++) {
        const proposer_t *proposer = &self->proposers[i];
        if (!proposer->exhausted && proposer->after_ms > self->now_ms && proposer->after_ms < deadline_ms)
            deadline_ms = proposer->after_ms;
    }
    return deadline_ms;
}

/* The candidate enters as an improvement; NONE if it is nothing new. */
static size_t s_take (node_t *self, const proposed_t *event, size_t island)
{
    self->counts.proposed++;
    self->proposals_made++;
    size_t index = improve_new (self, ORIGIN_PROPOSER, &event->parent, event->tree,
                                (improvement_type_t)event->improvement_type, event->description, false);
    if (index == NONE)
        return NONE;
    improvement_t *improvement = &self->improvements[index];
    improvement->island = island < archive_islands (self->archive) ? island : ARCHIVE_EVERYWHERE;
    improvement->tokens = event->says;
    improvement->second_parent = event->second_parent;
    text_copy (event->model, improvement->model, sizeof improvement->model);
    improvement->spent = (spending_t){event->requests, event->tokens, event->cost_millionths};
    return propose_enter (self, index, event->tree);
}

void on_proposed (node_t *self, const proposed_t *event)
{
    assert (self && event);
    owner_t owner;
    size_t index;
    char text[LIMIT_TEXT + 1];
    if (!operated (self, event->operation, EFFECT_PROPOSE, &owner, &index))
        return;
    proposer_t *proposer = &self->proposers[index % LIMIT_CAPABILITIES];
    assert (proposer->running > 0);
    proposer->running--;
    size_t improvement =
        event->result == PROPOSAL_CANDIDATE ? s_take (self, event, index / LIMIT_CAPABILITIES) : NONE;
    if (event->result == PROPOSAL_LATER)
        s_wait_for_others (self, proposer);
    else if (event->result != PROPOSAL_IDLE)
        s_back_off (self, proposer, improvement != NONE,
                    event->result == PROPOSAL_CANDIDATE
                        ? text_of ("what it made was not taken (`evomesh log --state rejected`)")
                        : event->description);
    switch ((proposal_result_t)event->result) {
    case PROPOSAL_CANDIDATE:
    case PROPOSAL_LATER: break;
    case PROPOSAL_NONE: s_say_failure (self, proposer, event->description); break;
    case PROPOSAL_FAULT:
        s_say_failure (self, proposer, event->description);
        text_copy (event->description, text, sizeof text);
        improve_fault (self, false, "asking a proposer", text);
        return;
    case PROPOSAL_EXHAUSTED:
        proposer->exhausted = true;
        text_copy (event->description, text, sizeof text);
        s_say_exhausted (self, proposer, text);
        break;
    case PROPOSAL_IDLE: s_rest_idle (self, proposer, event->description); break;
    }
    if (improvement != NONE)
        self->improvements[improvement].breaker_trial = event->operation;
    else
        breaker_release (&self->breaker, event->operation);
}
