/* SPDX-License-Identifier: MPL-2.0 */
/* A trial, and what came out of one, in a checkpoint. */
#include "evolution/trial.h"

#include <assert.h>

static void s_runs_image (const trial_t *self, double runs[LIMIT_PAIRS][LIMIT_OBJECTIVES], size_t *count,
                          image_t *image)
{
    image_size (image, count, LIMIT_PAIRS);
    for (size_t i = 0; i < *count; i++)
        for (size_t k = 0; k < self->objectives.count; k++)
            image_real (image, &runs[i][k]);
}

void trial_image (trial_t *self, image_t *image)
{
    assert (self && image);
    objectives_image (&self->objectives, image);
    image_real (image, &self->min_improvement);
    image_bool (image, &self->accept_equal);
    image_bool (image, &self->base_known);
    metrics_image (&self->base_known_values, image);
    s_runs_image (self, self->candidate, &self->candidate_runs, image);
    s_runs_image (self, self->base, &self->base_runs, image);
    image_bool (image, &self->invalid);
    image_bool (image, &self->base_invalid);
    image_uint (image, &self->duration_ms, 0);
    image_check (image, !self->base_known || self->base_known_values.count == self->objectives.count);
}

void trial_result_image (trial_result_t *self, image_t *image)
{
    assert (self && image);
    image_unsigned (image, &self->verdict, VERDICT_INFEASIBLE);
    image_real (image, &self->weighted);
    metrics_image (&self->candidate, image);
    metrics_image (&self->base, image);
    for (size_t i = 0; i < self->candidate.count; i++) { /* there are as many objectives */
        image_real (image, &self->improvements[i]);
        image_real (image, &self->dispersion[i]);
        image_real (image, &self->low[i]);
        image_real (image, &self->high[i]);
        image_unsigned (image, &self->changes[i], CHANGE_WORSE);
    }
    image_size (image, &self->repeats, LIMIT_PAIRS);
}
