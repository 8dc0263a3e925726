/* SPDX-License-Identifier: MPL-2.0 */
/* An improvement's test: begun, made again where nobody else would, and what comes of it. */
#include "node/node_life.h"
#include "node/node_say.h"

#include <assert.h>

void test_start (node_t *self, size_t index)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    improvement_t *improvement = &self->improvements[index];
    assert (improvement->state == STATE_TESTING && improvement->trial == NONE);
    improvement->measured = false;
    improvement->twice = false;
    improvement->waits = false;
    const measurement_t *known = measurement_find (self, &improvement->candidate, &improvement->base);
    if (known) {
        measurement_t measurement = *known;
        test_done (self, index, measurement.reason, "measured here before",
                   measurement.measured ? &measurement.result : NULL);
        return;
    }
    unsigned rank = improvement->origin == ORIGIN_PACKAGE ? RANK_PACKAGE : RANK_OWN;
    improvement->trial =
        trial_open (self, OWNER_IMPROVEMENT, index, &improvement->candidate, &improvement->base, rank);
    if (improvement->trial == NONE)
        improve_reject (self, index, REASON_BUSY, NULL);
}

bool test_again (node_t *self, size_t index)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    improvement_t *improvement = &self->improvements[index];
    assert (improvement->state == STATE_TESTING && improvement->waits && improvement->measured);
    if (improvement->twice || improvement->origin == ORIGIN_PACKAGE ||
        !trial_rests_on_noise (&self->objectives, self->group.policy.min_improvement, &improvement->result))
        return false;
    improvement->trial =
        trial_open (self, OWNER_IMPROVEMENT, index, &improvement->candidate, &improvement->base, RANK_OWN);
    if (improvement->trial != NONE) {
        self->comparisons[improvement->trial].again = true;
        improvement->waits = false;
    }
    return true;
}

/* The event for an objective that is past its alert bound. */
static void s_alert (node_t *self, const improvement_t *improvement, const metrics_t *metrics)
{
    for (size_t i = 0; i < self->objectives.count; i++) {
        if (!objective_alerts (&self->objectives.items[i], metrics->values[i]))
            continue;
        entry_t metadata = {text_of ("objective"), text_of (self->objectives.items[i].name)};
        say_event (self, TYPE_PERFORMANCE_THRESHOLD_EXCEEDED, &improvement->id, improvement->result.weighted,
                   NULL, &metadata, 1);
    }
}

void test_done (node_t *self, size_t index, reason_code_t reason, const char *detail,
                const trial_result_t *result)
{
    assert (index < LIMIT_IMPROVEMENTS && self->improvements[index].used);
    improvement_t *improvement = &self->improvements[index];
    assert (improvement->state == STATE_TESTING && improvement->trial == NONE);
    assert (result || reason != REASON_NONE);
    if (reason == REASON_FAULT || reason == REASON_BASE_FAILED) { /* the breaker has heard of it */
        improve_reject (self, index, reason, detail);
        return;
    }
    if (improvement->origin == ORIGIN_PROPOSER && !improvement->measured)
        candidate_learn (self, improvement, result);
    candidate_measured (self, improvement, reason, detail, result);
    if (result) {
        improvement->measured = true;
        improvement->result = *result;
        s_alert (self, improvement, &result->candidate);
    }
    if (reason != REASON_NONE) {
        improve_reject (self, index, reason, detail);
        return;
    }
    improvement->waits = true; /* improve_advance takes it on */
}
