/* SPDX-License-Identifier: MPL-2.0 */
/* Improvements: their places, their moves through the table, their rows; faults and the breaker; what waits and goes on. */
#include "node/node_life.h"
#include "node/node_peers.h"
#include "node/node_say.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- places --- */

void improve_clear (improvement_t *improvement)
{
    assert (improvement);
    buffer_clear (&improvement->tree);
    buffer_clear (&improvement->base_tree);
    request_clear (&improvement->feedback);
    request_clear (&improvement->validation);
    memset (improvement, 0, sizeof *improvement);
}

size_t improve_new (node_t *self, origin_t origin, const digest_t *parent, bytes_t tree,
                    improvement_type_t type, text_t description)
{
    assert (self && parent);
    assert (tree.size > 0 && self->live_tree.size > 0);
    for (size_t i = 0; i < LIMIT_IMPROVEMENTS; i++) {
        improvement_t *improvement = &self->improvements[i];
        if (improvement->used)
            continue;
        *improvement = (improvement_t){.used = true,
                                       .origin = origin,
                                       .author = self->identity.id,
                                       .parcel = NONE,
                                       .parent = *parent,
                                       .island = ARCHIVE_EVERYWHERE,
                                       .base = self->live,
                                       .type = type,
                                       .trial = NONE,
                                       .created_ms = self->wall_ms};
        improvement->candidate = digest_of (tree.data, tree.size);
        buffer_append (&improvement->tree, tree.data, tree.size);
        buffer_append (&improvement->base_tree, self->live_tree.data, self->live_tree.size);
        text_copy (description, improvement->description, sizeof improvement->description);
        uint64_t order = ++self->order;
        uint8_t salt[PUBKEY_BYTES + sizeof order];
        memcpy (salt, self->identity.id.bytes, PUBKEY_BYTES);
        for (size_t k = 0; k < sizeof order; k++)
            salt[PUBKEY_BYTES + k] = (uint8_t)(order >> (8 * k));
        improvement->id = digest_of_two (improvement->candidate.bytes, DIGEST_BYTES, salt, sizeof salt);
        return i;
    }
    return NONE;
}

size_t improve_find (const node_t *self, const digest_t *id)
{
    assert (self && id);
    for (size_t i = 0; i < LIMIT_IMPROVEMENTS; i++)
        if (self->improvements[i].used && digest_equal (&self->improvements[i].id, id))
            return i;
    return NONE;
}

/* --- rows --- */

size_t improve_deltas (const node_t *self, const trial_result_t *result, delta_t deltas[LIMIT_OBJECTIVES])
{
    assert (self && result && deltas && self->objectives.count <= LIMIT_OBJECTIVES);
    for (size_t i = 0; i < self->objectives.count; i++)
        deltas[i] = (delta_t){.objective = text_of (self->objectives.items[i].name),
                              .goal = self->objectives.items[i].goal,
                              .improvement = objective_round (result->improvements[i]),
                              .dispersion = objective_round (result->dispersion[i]),
                              .conclusion = (uint64_t)result->changes[i]};
    return self->objectives.count;
}

static size_t s_intervals (const node_t *self, const trial_result_t *result,
                           interval_t intervals[LIMIT_OBJECTIVES])
{
    size_t count = 0;
    for (size_t i = 0; i < self->objectives.count; i++)
        if (isfinite (result->low[i]))
            intervals[count++] = (interval_t){.objective = text_of (self->objectives.items[i].name),
                                              .low = objective_round (result->low[i]),
                                              .high = objective_round (result->high[i])};
    return count;
}

static size_t s_values (const metrics_t *metrics, value_t values[LIMIT_OBJECTIVES])
{
    for (size_t i = 0; i < metrics->count; i++)
        values[i].value = metrics->values[i];
    return metrics->count;
}

/* What was final keeps what was measured and proved of it: only what came since is written into its row. */
static void s_persist_revived (node_t *self, const improvement_t *improvement)
{
    size_t at = 0;
    while (at < self->applied_count && !digest_equal (&self->applied[at].improvement, &improvement->id))
        at++;
    assert (at < self->applied_count); /* nothing is applied meanwhile, so it is still there */
    applied_t *applied = &self->applied[at];
    improvement_row_t row;
    arena_t arena = {0};
    buffer_t bytes = {0};
    int rc =
        record_decode (&improvement_row_record, applied->row.data, applied->row.size, &row, &arena, NULL);
    assert (rc == 0);
    (void)rc;
    row.state = improvement->state;
    row.reason = improvement->reason;
    row.detail = text_of (improvement->detail);
    row.changed_ms = self->wall_ms;
    say_persist (self, RECORD_IMPROVEMENT, &improvement->id, &improvement_row_record, &row);
    record_encode (&improvement_row_record, &row, &bytes);
    assert (!bytes.failed);
    arena_clear (&arena);
    buffer_clear (&applied->row);
    applied->row = bytes;
    applied->state = improvement->state;
}

void improve_persist (node_t *self, size_t index)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    const improvement_t *improvement = &self->improvements[index];
    if (improvement->revived) {
        s_persist_revived (self, improvement);
        return;
    }
    delta_t deltas[LIMIT_OBJECTIVES];
    value_t candidate[LIMIT_OBJECTIVES], base[LIMIT_OBJECTIVES];
    interval_t intervals[LIMIT_OBJECTIVES];
    size_t count = improvement->measured ? improve_deltas (self, &improvement->result, deltas) : 0;
    improvement_row_t row = {
        .id = improvement->id,
        .state = improvement->state,
        .origin = improvement->origin,
        .author = improvement->author,
        .package = improvement->package,
        .candidate = improvement->candidate,
        .parent = improvement->parent,
        .second_parent = improvement->second_parent,
        .base = improvement->base,
        .improvement_type = improvement->type,
        .description = text_of (improvement->description),
        .model = text_of (improvement->model),
        .requests = improvement->spent.requests,
        .tokens = improvement->spent.tokens,
        .cost_millionths = improvement->spent.cost_millionths,
        .reason = improvement->reason,
        .detail = text_of (improvement->detail),
        .performance_improvement = improvement->measured ? improvement->result.weighted : NAN,
        .changes = {deltas, count},
        .intervals = {intervals, count ? s_intervals (self, &improvement->result, intervals) : 0},
        .candidate_metrics = {candidate, count ? s_values (&improvement->result.candidate, candidate) : 0},
        .base_metrics = {base, count ? s_values (&improvement->result.base, base) : 0},
        .repeats = count ? improvement->result.repeats : 0,
        .consensus_score = improvement->reviewed ? improvement->consensus.score : NAN,
        .asked = improvement->feedback.count,
        .approvals = request_count (&improvement->feedback, ANSWERED_YES),
        .validators = improvement->validation.count,
        .confirmations = request_count (&improvement->validation, ANSWERED_YES),
        .created_ms = improvement->created_ms,
        .changed_ms = self->wall_ms,
    };
    say_persist (self, RECORD_IMPROVEMENT, &improvement->id, &improvement_row_record, &row);
    for (size_t i = 0; i < self->applied_count; i++)
        if (digest_equal (&self->applied[i].improvement, &improvement->id)) {
            self->applied[i].state = improvement->state;
            self->applied[i].row.size = 0;
            record_encode (&improvement_row_record, &row, &self->applied[i].row);
        }
}

/* --- moves --- */

/* What must hold of an improvement in each state. */
static void s_check_invariant (const node_t *self, const improvement_t *improvement)
{
    improvement_state_t state = improvement->state;
    assert (improvement->tree.size > 0);
    if (state == STATE_REVIEWING || state == STATE_HELD || state == STATE_VALIDATING)
        assert (improvement->measured && improvement->result.verdict == VERDICT_ACCEPT &&
                !improvement->certified);
    if (state == STATE_SNAPSHOT || state == STATE_APPLIED)
        assert (improvement->measured && improvement->result.verdict == VERDICT_ACCEPT);
    if (state == STATE_SNAPSHOT)
        assert (digest_equal (&improvement->base, &self->live));
    if (state == STATE_APPLIED)
        assert (digest_equal (&improvement->candidate, &self->live) &&
                !digest_is_zero (&improvement->snapshot));
    if (state == STATE_REJECTED || state == STATE_ROLLED_BACK)
        assert (improvement->reason != REASON_NONE);
}

void improve_move (node_t *self, size_t index, improvement_move_t move)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    improve_move_saying (self, index, move, NULL, 0);
}

void improve_move_saying (node_t *self, size_t index, improvement_move_t move, const entry_t *more,
                          size_t more_count)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    improvement_t *improvement = &self->improvements[index];
    const improvement_edge_t *edge = improvement_edge (improvement->state, move);
    assert (improvement->used && edge);
    improvement->state = edge->to;
    s_check_invariant (self, improvement);
    improve_persist (self, index);
    if (edge->event == TYPE_NONE)
        return;
    entry_t metadata[LIMIT_METADATA];
    size_t count = 0;
    assert (more_count + 2 <= LIMIT_METADATA);
    if (improvement->reason != REASON_NONE)
        metadata[count++] = (entry_t){text_of ("reason"), text_of (reason_name (improvement->reason))};
    bool tell = edge->to == STATE_PROPOSED || edge->to == STATE_HELD || edge->to == STATE_SHARED;
    if (tell && improvement->description[0])
        metadata[count++] = (entry_t){text_of ("description"), text_of (improvement->description)};
    for (size_t i = 0; i < more_count; i++)
        metadata[count++] = more[i];
    char error[LIMIT_TEXT + 1] = "";
    if (edge->to == STATE_REJECTED || edge->to == STATE_ROLLBACK_FAILED)
        (void)snprintf (error, sizeof error, "%s",
                        improvement->detail[0] ? improvement->detail
                                               : reason_description (improvement->reason));
    say_event (self, edge->event, &improvement->id,
               improvement->measured ? improvement->result.weighted : NAN, error, metadata, count);
}

void improve_reject (node_t *self, size_t index, reason_code_t reason, const char *detail)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    improvement_t *improvement = &self->improvements[index];
    assert (reason != REASON_NONE && improvement->trial == NONE);
    improvement->reason = reason;
    if (detail)
        text_copy (text_of (detail), improvement->detail, sizeof improvement->detail);
    self->counts.rejected[reason]++;
    self->last_rejected = reason;
    if (reason == REASON_NO_VALIDATORS)
        enter_unconfirmed (self, &improvement->candidate);
    improve_move (self, index, MOVE_REJECT);
    improve_finish (self, index);
}

void improve_finish (node_t *self, size_t index)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    improvement_t *improvement = &self->improvements[index];
    assert (improvement_final (improvement->state));
    /* A merged package is shared again as our own; the package that it came from is adopted all the same. */
    bool adopted = improvement->state == STATE_KEPT || improvement->state == STATE_SHARED;
    if (improvement->parcel != NONE)
        knowledge_decided (self, improvement->parcel, adopted, adopted ? REASON_ADOPTED : improvement->reason,
                           improvement->measured ? &improvement->result : NULL);
    breaker_release (&self->breaker, improvement->breaker_trial);
    operate_drop (self, OWNER_IMPROVEMENT, index);
    improve_clear (improvement);
}

/* --- faults --- */

static void s_say_breaker (node_t *self, breaker_move_t move)
{
    static const event_type_t types[] = {TYPE_NONE, TYPE_BREAKER_OPENED, TYPE_BREAKER_HALF_OPEN,
                                         TYPE_BREAKER_CLOSED};
    assert ((size_t)move < sizeof types / sizeof types[0]);
    if (types[move] != TYPE_NONE)
        say_event (self, types[move], NULL, NAN, NULL, NULL, 0);
}

void improve_fault (node_t *self, bool apply, const char *what, const char *detail)
{
    assert (self && what && what[0] && detail);
    self->last_fault_was_apply = apply;
    self->last_fault_wall_ms = self->wall_ms;
    char text[2 * LIMIT_TEXT + 1];
    (void)snprintf (text, sizeof text, "%s%s%s", what, detail[0] ? ": " : "", detail);
    text_copy (text_of (text), self->last_fault, sizeof self->last_fault);
    s_say_breaker (self, breaker_failure (&self->breaker, self->now_ms));
}

void improve_healthy (node_t *self, uint64_t token, bool apply)
{
    assert (self);
    /* A clean measurement says nothing of whether releases can be put in place. */
    if (apply || !self->last_fault_was_apply)
        s_say_breaker (self, breaker_success (&self->breaker, token));
}

bool improve_retry (node_t *self)
{
    breaker_move_t move = breaker_retry (&self->breaker);
    s_say_breaker (self, move);
    return move != BREAKER_STAYED;
}

/* --- what waits --- */

bool evolution_rests (const node_t *self)
{
    assert (self);
    return self->paused || self->stopped || !group_takes_part (self);
}

/* Own improvements beyond their test: one at a time, or the later ones would all be stale. */
static bool s_gate_open (const node_t *self)
{
    for (size_t i = 0; i < LIMIT_IMPROVEMENTS; i++) {
        const improvement_t *improvement = &self->improvements[i];
        if (!improvement->used || improvement->certified)
            continue;
        improvement_state_t state = improvement->state;
        if (state == STATE_REVIEWING || state == STATE_VALIDATING || state == STATE_VALIDATED ||
            state == STATE_SNAPSHOT || state == STATE_APPLIED || state == STATE_ROLLING_BACK)
            return false;
    }
    return true;
}

uint64_t improve_due_ms (const improvement_t *improvement)
{
    assert (improvement && improvement->used);
    if (improvement->state == STATE_REVIEWING)
        return improvement->feedback.deadline_ms;
    if (improvement->state == STATE_HELD)
        return improvement->held_until_ms;
    return improvement->state == STATE_VALIDATING ? improvement->validation.deadline_ms : UINT64_MAX;
}

/* True if it moved: then others may move too. */
static bool s_go_on (node_t *self, size_t index)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    improvement_t *improvement = &self->improvements[index];
    improvement_state_t before = improvement->state;
    bool due = improve_due_ms (improvement) <= self->now_ms;
    if (improvement->state == STATE_TESTING && improvement->waits) {
        if (improvement->certified || s_gate_open (self))
            review_start (self, index);
    } else if (improvement->state == STATE_REVIEWING && due)
        review_check (self, index, true);
    else if (improvement->state == STATE_HELD && due)
        improve_reject (self, index, REASON_EXPIRED, NULL);
    else if (improvement->state == STATE_VALIDATING && (due || request_done (&improvement->validation)))
        validate_check (self, index, due); /* all answered, and still here: a roster was missing */
    else if (improvement->state == STATE_VALIDATED && !apply_busy (self) && !evolution_rests (self) &&
             breaker_admits (&self->breaker, improvement->breaker_trial))
        apply_start (self, index);
    return !improvement->used || improvement->state != before;
}

void improve_advance (node_t *self)
{
    assert (self);
    s_say_breaker (self, breaker_tick (&self->breaker, self->now_ms));
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < LIMIT_IMPROVEMENTS; i++)
            if (self->improvements[i].used)
                moved = s_go_on (self, i) || moved;
    }
    knowledge_advance (self);
    trial_schedule (self);
    propose_schedule (self);
}

uint64_t improve_deadline_ms (const node_t *self)
{
    assert (self);
    uint64_t deadline_ms = breaker_deadline_ms (&self->breaker);
    for (size_t i = 0; i < LIMIT_IMPROVEMENTS; i++)
        if (self->improvements[i].used && improve_due_ms (&self->improvements[i]) < deadline_ms)
            deadline_ms = improve_due_ms (&self->improvements[i]);
    return deadline_ms;
}
