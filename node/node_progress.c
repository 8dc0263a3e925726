/* SPDX-License-Identifier: MPL-2.0 */
/* How far one improvement is, and what it waits for: looking at it, without changing it. */
#include "node/node_life.h"
#include "node/node_peers.h"

#include <assert.h>

static bool s_is_noisy (const node_t *self)
{
    for (size_t i = 0; i < self->objectives.count; i++)
        if (self->objectives.items[i].noisy)
            return true;
    return false;
}

static void s_count_runs (const node_t *self, const improvement_t *improvement, node_progress_t *progress)
{
    progress->pairs = improvement->measured ? improvement->result.repeats : 0;
    if (improvement->trial == NONE)
        return;
    const comparison_t *comparison = &self->comparisons[improvement->trial];
    assert (comparison->used);
    const trial_t *trial = &comparison->trial;
    progress->pairs = trial->candidate_runs < trial->base_runs ? trial->candidate_runs : trial->base_runs;
    progress->second = comparison->again;
    progress->running = comparison->operation != 0;
}

static void s_count_answers (const node_t *self, const improvement_t *improvement, node_progress_t *progress)
{
    progress->asked = (unsigned)improvement->feedback.count;
    progress->approvals = request_count (&improvement->feedback, ANSWERED_YES);
    progress->reviews = request_count (&improvement->feedback, ANSWERED_REVIEW);
    progress->rejections = request_count (&improvement->feedback, ANSWERED_NO);
    progress->validators = (unsigned)improvement->validation.count;
    progress->confirmed = request_count (&improvement->validation, ANSWERED_YES);
    progress->refuted = request_count (&improvement->validation, ANSWERED_NO);
    progress->declined = request_count (&improvement->validation, ANSWERED_DECLINED);
    progress->needed = package_min_confirmations (&self->group.policy, (uint64_t)members_now (self));
}

/* One that passed its test, and was not yet asked about. */
static progress_wait_t s_waits_behind_its_test (const node_t *self, const improvement_t *improvement)
{
    return improvement->certified || review_is_alone (self) || review_may_be_confirmed (self)
               ? WAITS_FOR_TURN
               : WAITS_FOR_MEMBERS;
}

static progress_wait_t s_waits_for (const node_t *self, const improvement_t *improvement,
                                    const node_progress_t *progress)
{
    switch (improvement->state) {
    case STATE_TESTING:
        if (improvement->waits)
            return s_waits_behind_its_test (self, improvement);
        return progress->running ? WAITS_FOR_RUN : WAITS_FOR_SLOT;
    case STATE_REVIEWING: return WAITS_FOR_VOTES;
    case STATE_HELD: return improvement->approved ? WAITS_FOR_MERGE : WAITS_FOR_OPERATOR;
    case STATE_VALIDATING: return WAITS_FOR_VALIDATORS;
    case STATE_VALIDATED:
        if (evolution_rests (self))
            return WAITS_FOR_RESUME;
        return apply_allowed (self, (size_t)(improvement - self->improvements)) ? WAITS_FOR_TURN
                                                                                : WAITS_FOR_BREAKER;
    case STATE_APPLIED:
        if (improvement->trial == NONE)
            return WAITS_FOR_NOTHING;
        return progress->running ? WAITS_FOR_RUN : WAITS_FOR_SLOT;
    case STATE_NONE:
    case STATE_PROPOSED:
    case STATE_SNAPSHOT:
    case STATE_SHARED:
    case STATE_KEPT:
    case STATE_ROLLING_BACK:
    case STATE_ROLLED_BACK:
    case STATE_ROLLBACK_FAILED:
    case STATE_REJECTED:
    case STATE_COUNT: break;
    }
    return WAITS_FOR_NOTHING;
}

bool node_progress (const node_t *self, const digest_t *id, node_progress_t *progress)
{
    assert (self && id && progress);
    size_t index = improve_find (self, id);
    if (index == NONE)
        return false;
    const improvement_t *improvement = &self->improvements[index];
    *progress = (node_progress_t){.state = improvement->state,
                                  .pairs_most = s_is_noisy (self) ? TRIAL_PAIRS_MOST : 1,
                                  .due_ms = improve_due_ms (improvement)};
    s_count_runs (self, improvement, progress);
    s_count_answers (self, improvement, progress);
    progress->waits_for = s_waits_for (self, improvement, progress);
    return true;
}

const char *progress_wait_name (progress_wait_t wait)
{
    static const char *const names[] = {
#define WAIT_NAME(NAME, name) [WAITS_FOR_##NAME] = name,
        PROGRESS_WAITS (WAIT_NAME)
#undef WAIT_NAME
    };
    assert ((size_t)wait < sizeof names / sizeof *names);
    return names[wait];
}
