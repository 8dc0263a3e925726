/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/learning_rate.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define RATE_MAX        0.5
#define RATE_MIN        0.01
#define SUCCESS_HIGH    0.7
#define SUCCESS_LOW     0.3
#define RATE_UP         1.1
#define RATE_DOWN       0.8
#define LEAP            0.2 /* an improvement beyond it is a reason to go faster by itself */
#define RATE_UP_ON_LEAP 1.05

void learning_rate_init (learning_rate_t *self, double initial)
{
    assert (initial > 0);
    memset (self, 0, sizeof *self);
    self->rate = initial;
}

static void s_remember (learning_rate_t *self, bool success)
{
    assert (self->count <= LEARNING_RATE_HISTORY);
    if (self->count == LEARNING_RATE_HISTORY) {
        self->count--;
        memmove (self->successes, self->successes + 1, self->count * sizeof *self->successes);
        memmove (self->rates, self->rates + 1, self->count * sizeof *self->rates);
    }
    self->successes[self->count] = success;
    self->rates[self->count] = self->rate;
    self->count++;
}

static double s_raise (double rate, double factor)
{
    return rate * factor < RATE_MAX ? rate * factor : RATE_MAX;
}

static double s_lower (double rate)
{
    return rate * RATE_DOWN > RATE_MIN ? rate * RATE_DOWN : RATE_MIN;
}

void learning_rate_update (learning_rate_t *self, bool success, double improvement)
{
    s_remember (self, success);
    double share = learning_rate_success (self);
    if (share > SUCCESS_HIGH)
        self->rate = s_raise (self->rate, RATE_UP);
    else if (share < SUCCESS_LOW)
        self->rate = s_lower (self->rate);
    if (improvement > LEAP)
        self->rate = s_raise (self->rate, RATE_UP_ON_LEAP);
    assert (self->rate > 0);
}

double learning_rate_success (const learning_rate_t *self)
{
    assert (self && self->count <= LEARNING_RATE_HISTORY);
    if (self->count == 0)
        return 0;
    size_t window = self->count < LEARNING_RATE_WINDOW ? self->count : LEARNING_RATE_WINDOW;
    size_t successes = 0;
    for (size_t i = self->count - window; i < self->count; i++)
        successes += self->successes[i];
    return (double)successes / (double)window;
}

void learning_rate_image (learning_rate_t *self, image_t *image)
{
    assert (self && image);
    image_real (image, &self->rate);
    image_check (image, isfinite (self->rate) && self->rate > 0);
    image_size (image, &self->count, LEARNING_RATE_HISTORY);
    for (size_t i = 0; i < self->count; i++) {
        image_bool (image, &self->successes[i]);
        image_real (image, &self->rates[i]);
    }
}
