/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/improvement.h"

#include <assert.h>
#include <string.h>

static const improvement_edge_t s_edges[] = {
    {STATE_NONE, MOVE_PROPOSE, STATE_PROPOSED, "improvement_proposed"},
    {STATE_PROPOSED, MOVE_TEST, STATE_TESTING, "evaluation_started"},
    {STATE_TESTING, MOVE_ASK, STATE_REVIEWING, "feedback_requested"},
    {STATE_TESTING, MOVE_CERTIFIED, STATE_VALIDATED, NULL},
    {STATE_REVIEWING, MOVE_HOLD, STATE_HELD, "improvement_held"},
    {STATE_REVIEWING, MOVE_VALIDATE, STATE_VALIDATING, "validation_started"},
    {STATE_HELD, MOVE_APPROVE, STATE_VALIDATING, "validation_started"},
    {STATE_VALIDATING, MOVE_CONFIRM, STATE_VALIDATED, "validation_completed"},
    {STATE_VALIDATED, MOVE_MERGE, STATE_TESTING, "evaluation_started"},
    {STATE_VALIDATED, MOVE_SNAPSHOT, STATE_SNAPSHOT, NULL},
    {STATE_SNAPSHOT, MOVE_APPLY, STATE_APPLIED, NULL},
    {STATE_APPLIED, MOVE_SHARE, STATE_SHARED, "knowledge_shared"},
    {STATE_APPLIED, MOVE_KEEP, STATE_KEPT, NULL},
    {STATE_APPLIED, MOVE_ROLL_BACK, STATE_ROLLING_BACK, "rollback_initiated"},
    {STATE_SHARED, MOVE_ROLL_BACK, STATE_ROLLING_BACK, "rollback_initiated"},
    {STATE_KEPT, MOVE_ROLL_BACK, STATE_ROLLING_BACK, "rollback_initiated"},
    {STATE_ROLLING_BACK, MOVE_RESTORED, STATE_ROLLED_BACK, "rollback_completed"},
    {STATE_ROLLING_BACK, MOVE_RESTORE_FAILED, STATE_ROLLBACK_FAILED, "rollback_failed"},
    {STATE_PROPOSED, MOVE_REJECT, STATE_REJECTED, "improvement_rejected"},
    {STATE_TESTING, MOVE_REJECT, STATE_REJECTED, "improvement_rejected"},
    {STATE_REVIEWING, MOVE_REJECT, STATE_REJECTED, "improvement_rejected"},
    {STATE_HELD, MOVE_REJECT, STATE_REJECTED, "improvement_rejected"},
    {STATE_VALIDATING, MOVE_REJECT, STATE_REJECTED, "improvement_rejected"},
    {STATE_VALIDATED, MOVE_REJECT, STATE_REJECTED, "improvement_rejected"},
    {STATE_SNAPSHOT, MOVE_REJECT, STATE_REJECTED, "improvement_rejected"},
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
