/* SPDX-License-Identifier: MPL-2.0 */
/* Improvements: their places, their moves through the table; faults and the breaker; what waits and goes on. */
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

/* The first free place, unless there are fewer than `least`; then NONE. */
static size_t s_place (const node_t *self, size_t least)
{
    size_t places = 0, first = NONE;
    for (size_t i = LIMIT_IMPROVEMENTS; i-- > 0;)
        if (!self->improvements[i].used) {
            places++;
            first = i;
        }
    return places >= least ? first : NONE;
}

size_t improve_new (node_t *self, origin_t origin, const digest_t *parent, bytes_t tree,
                    improvement_type_t type, text_t description, bool revived)
{
    assert (self && parent);
    assert (tree.size > 0 && self->live_tree.size > 0);
    size_t index = s_place (self, revived ? 1 : 2);
    if (index == NONE)
        return NONE;
    improvement_t *improvement = &self->improvements[index];
    *improvement = (improvement_t){.used = true,
                                   .origin = origin,
                                   .author = self->identity.id,
                                   .parcel = NONE,
                                   .parent = *parent,
                                   .island = ARCHIVE_EVERYWHERE,
                                   .base = self->live,
                                   .type = type,
                                   .trial = NONE,
                                   .revived = revived,
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
    return index;
}

size_t improve_find (const node_t *self, const digest_t *id)
{
    assert (self && id);
    for (size_t i = 0; i < LIMIT_IMPROVEMENTS; i++)
        if (self->improvements[i].used && digest_equal (&self->improvements[i].id, id))
            return i;
    return NONE;
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
    if (!apply && self->last_fault_was_apply)
        return;
    s_say_breaker (self, breaker_success (&self->breaker, token));
    if (self->breaker.state == BREAKER_CLOSED) /* else it stands until the trial went well */
        self->last_fault[0] = '\0';
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

/* The one trial of a half-open breaker waits for no other: what closes the gate may itself wait until the trial is over. */
static bool s_is_trial (const node_t *self, const improvement_t *improvement)
{
    return self->breaker.trial != 0 && self->breaker.trial == improvement->breaker_trial;
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
        if (improvement->certified || s_is_trial (self, improvement) || s_gate_open (self))
            review_start (self, index);
    } else if (improvement->state == STATE_REVIEWING && due)
        review_check (self, index, true);
    else if (improvement->state == STATE_HELD && due)
        improve_reject (self, index, REASON_EXPIRED, NULL);
    else if (improvement->state == STATE_HELD && improvement->approved && !apply_rebase (self, index))
        held_pass (self, index); /* what it was to be merged onto is no longer live */
    else if (improvement->state == STATE_VALIDATING && (due || request_done (&improvement->validation)))
        validate_check (self, index, due); /* all answered, and still here: a roster was missing */
    else if (improvement->state == STATE_VALIDATED && !apply_busy (self) && apply_allowed (self, index))
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
