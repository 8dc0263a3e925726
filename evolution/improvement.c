/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/improvement.h"

#include <assert.h>
#include <string.h>

static const improvement_edge_t s_edges[] = {
    {STATE_NONE, MOVE_PROPOSE, STATE_PROPOSED, TYPE_IMPROVEMENT_PROPOSED},
    {STATE_PROPOSED, MOVE_TEST, STATE_TESTING, TYPE_EVALUATION_STARTED},
    {STATE_TESTING, MOVE_ASK, STATE_REVIEWING, TYPE_FEEDBACK_REQUESTED},
    {STATE_TESTING, MOVE_CERTIFIED, STATE_VALIDATED, TYPE_NONE},
    {STATE_REVIEWING, MOVE_HOLD, STATE_HELD, TYPE_IMPROVEMENT_HELD},
    {STATE_REVIEWING, MOVE_VALIDATE, STATE_VALIDATING, TYPE_VALIDATION_STARTED},
    {STATE_HELD, MOVE_APPROVE, STATE_VALIDATING, TYPE_VALIDATION_STARTED},
    {STATE_HELD, MOVE_MERGE, STATE_TESTING, TYPE_EVALUATION_STARTED},
    {STATE_VALIDATING, MOVE_CONFIRM, STATE_VALIDATED, TYPE_VALIDATION_COMPLETED},
    {STATE_VALIDATED, MOVE_MERGE, STATE_TESTING, TYPE_EVALUATION_STARTED},
    {STATE_VALIDATED, MOVE_SNAPSHOT, STATE_SNAPSHOT, TYPE_NONE},
    {STATE_SNAPSHOT, MOVE_APPLY, STATE_APPLIED, TYPE_NONE},
    {STATE_SNAPSHOT, MOVE_DEFER, STATE_VALIDATED, TYPE_NONE},
    {STATE_APPLIED, MOVE_SHARE, STATE_SHARED, TYPE_KNOWLEDGE_SHARED},
    {STATE_APPLIED, MOVE_KEEP, STATE_KEPT, TYPE_NONE},
    {STATE_APPLIED, MOVE_ROLL_BACK, STATE_ROLLING_BACK, TYPE_ROLLBACK_INITIATED},
    {STATE_SHARED, MOVE_ROLL_BACK, STATE_ROLLING_BACK, TYPE_ROLLBACK_INITIATED},
    {STATE_KEPT, MOVE_ROLL_BACK, STATE_ROLLING_BACK, TYPE_ROLLBACK_INITIATED},
    {STATE_ROLLBACK_FAILED, MOVE_ROLL_BACK, STATE_ROLLING_BACK, TYPE_ROLLBACK_INITIATED},
    {STATE_ROLLING_BACK, MOVE_RESTORED, STATE_ROLLED_BACK, TYPE_ROLLBACK_COMPLETED},
    {STATE_ROLLING_BACK, MOVE_RESTORE_FAILED, STATE_ROLLBACK_FAILED, TYPE_ROLLBACK_FAILED},
    {STATE_PROPOSED, MOVE_REJECT, STATE_REJECTED, TYPE_IMPROVEMENT_REJECTED},
    {STATE_TESTING, MOVE_REJECT, STATE_REJECTED, TYPE_IMPROVEMENT_REJECTED},
    {STATE_REVIEWING, MOVE_REJECT, STATE_REJECTED, TYPE_IMPROVEMENT_REJECTED},
    {STATE_HELD, MOVE_REJECT, STATE_REJECTED, TYPE_IMPROVEMENT_REJECTED},
    {STATE_VALIDATING, MOVE_REJECT, STATE_REJECTED, TYPE_IMPROVEMENT_REJECTED},
    {STATE_VALIDATED, MOVE_REJECT, STATE_REJECTED, TYPE_IMPROVEMENT_REJECTED},
    {STATE_SNAPSHOT, MOVE_REJECT, STATE_REJECTED, TYPE_IMPROVEMENT_REJECTED},
};

static const char *const s_state_names[] = {
#define STATE_NAME(NAME, name, final) name,
    IMPROVEMENT_STATES (STATE_NAME)
#undef STATE_NAME
};

static const bool s_state_final[] = {
#define STATE_FINAL(NAME, name, final) final,
    IMPROVEMENT_STATES (STATE_FINAL)
#undef STATE_FINAL
};

static const char *const s_move_names[] = {
#define MOVE_NAME(NAME, name) name,
    IMPROVEMENT_MOVES (MOVE_NAME)
#undef MOVE_NAME
};

static const struct {
    const char *name;
    const char *text;
} s_reasons[] = {
#define REASON(NAME, name, text) {name, text},
#include "evolution/reasons.def"
#undef REASON
};

static const struct {
    const char *name;
    const char *text;
} s_event_types[] = {
    {"none", "nothing is told"},
#define EVENT_TYPE(NAME, name, text) {name, text},
#include "evolution/events.def"
#undef EVENT_TYPE
};

const improvement_edge_t *improvement_edges (size_t *count)
{
    assert (count);
    *count = sizeof s_edges / sizeof s_edges[0];
    return s_edges;
}

const improvement_edge_t *improvement_edge (improvement_state_t from, improvement_move_t move)
{
    assert (from < STATE_COUNT && move < MOVE_COUNT);
    for (size_t i = 0; i < sizeof s_edges / sizeof s_edges[0]; i++)
        if (s_edges[i].from == from && s_edges[i].move == move)
            return &s_edges[i];
    return NULL;
}

const char *improvement_state_name (improvement_state_t state)
{
    assert (state < STATE_COUNT);
    return s_state_names[state];
}

const char *improvement_move_name (improvement_move_t move)
{
    assert (move < MOVE_COUNT);
    return s_move_names[move];
}

bool improvement_final (improvement_state_t state)
{
    assert (state < STATE_COUNT);
    return s_state_final[state];
}

const char *reason_name (reason_code_t reason)
{
    assert (reason < REASON_COUNT);
    return s_reasons[reason].name;
}

const char *reason_description (reason_code_t reason)
{
    assert (reason < REASON_COUNT);
    return s_reasons[reason].text;
}

reason_code_t reason_parse (const char *name)
{
    assert (name);
    for (int i = 0; i < REASON_COUNT; i++)
        if (strcmp (s_reasons[i].name, name) == 0)
            return (reason_code_t)i;
    return REASON_NONE;
}

const char *event_type_name (event_type_t type)
{
    assert (type > TYPE_NONE && type < TYPE_COUNT);
    return s_event_types[type].name;
}

const char *event_type_text (event_type_t type)
{
    assert (type > TYPE_NONE && type < TYPE_COUNT);
    return s_event_types[type].text;
}
