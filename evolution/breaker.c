/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/breaker.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

/* Invariants: a trial runs only while half-open; a closed breaker has seen fewer failures in a row than its threshold. */
static void s_check (const breaker_t *self)
{
    assert (self->trial == 0 || self->state == BREAKER_HALF_OPEN);
    assert (self->state != BREAKER_CLOSED || self->failures < self->threshold);
}

void breaker_init (breaker_t *self, bool enabled, unsigned threshold, uint64_t recovery_ms)
{
    assert (threshold > 0);
    memset (self, 0, sizeof *self);
    self->state = BREAKER_CLOSED;
    self->enabled = enabled;
    self->threshold = threshold;
    self->recovery_ms = recovery_ms;
    s_check (self);
}

void breaker_configure (breaker_t *self, bool enabled, unsigned threshold, uint64_t recovery_ms)
{
    if (!enabled) {
        breaker_init (self, false, threshold, recovery_ms);
        return;
    }
    assert (threshold > 0);
    self->enabled = true;
    self->threshold = threshold;
    self->recovery_ms = recovery_ms;
    if (self->state == BREAKER_CLOSED && self->failures >= threshold)
        self->failures = threshold - 1;
    s_check (self);
}

breaker_move_t breaker_retry (breaker_t *self)
{
    s_check (self);
    if (self->state != BREAKER_OPEN)
        return BREAKER_STAYED;
    self->state = BREAKER_HALF_OPEN;
    return BREAKER_HALF_OPENED;
}

breaker_move_t breaker_tick (breaker_t *self, uint64_t now_ms)
{
    s_check (self);
    if (self->state != BREAKER_OPEN)
        return BREAKER_STAYED;
    if (now_ms < self->opened_ms)
        self->opened_ms =
            now_ms; /* the clock began anew with the machine: wait the whole time, not for ever */
    return now_ms - self->opened_ms < self->recovery_ms ? BREAKER_STAYED : breaker_retry (self);
}

uint64_t breaker_deadline_ms (const breaker_t *self)
{
    s_check (self);
    if (self->state != BREAKER_OPEN || self->recovery_ms > UINT64_MAX - self->opened_ms)
        return UINT64_MAX;
    return self->opened_ms + self->recovery_ms;
}

bool breaker_admits (const breaker_t *self, uint64_t token)
{
    s_check (self);
    if (self->state == BREAKER_HALF_OPEN)
        return self->trial == 0 || self->trial == token;
    return self->state == BREAKER_CLOSED;
}

void breaker_start (breaker_t *self, uint64_t token)
{
    assert (token > 0 && breaker_admits (self, token));
    if (self->state == BREAKER_HALF_OPEN)
        self->trial = token;
}

void breaker_release (breaker_t *self, uint64_t token)
{
    assert (self);
    if (self->trial == token)
        self->trial = 0;
    s_check (self);
}

breaker_move_t breaker_success (breaker_t *self, uint64_t token)
{
    s_check (self);
    if (self->state == BREAKER_OPEN ||
        (self->state == BREAKER_HALF_OPEN && (self->trial == 0 || self->trial != token)))
        return BREAKER_STAYED; /* of something begun before it opened: no trial of what failed since */
    breaker_state_t before = self->state;
    self->state = BREAKER_CLOSED;
    self->failures = 0;
    self->trial = 0;
    s_check (self);
    return before == BREAKER_HALF_OPEN ? BREAKER_WAS_CLOSED : BREAKER_STAYED;
}

breaker_move_t breaker_failure (breaker_t *self, uint64_t now_ms)
{
    s_check (self);
    if (!self->enabled)
        return BREAKER_STAYED;
    if (self->failures < UINT_MAX)
        self->failures++;
    if (self->state == BREAKER_OPEN || (self->state == BREAKER_CLOSED && self->failures < self->threshold))
        return BREAKER_STAYED;
    self->state = BREAKER_OPEN;
    self->opened_ms = now_ms;
    self->trial = 0;
    s_check (self);
    return BREAKER_OPENED;
}

const char *breaker_state_name (breaker_state_t state)
{
    switch (state) {
    case BREAKER_CLOSED: return "closed";
    case BREAKER_OPEN: return "open";
    case BREAKER_HALF_OPEN: return "half_open";
    }
    assert (false && "a state of the breaker");
    return "";
}

void breaker_image (breaker_t *self, image_t *image)
{
    assert (self && image);
    image_unsigned (image, &self->state, BREAKER_HALF_OPEN);
    image_unsigned (image, &self->failures, 0);
    image_uint (image, &self->opened_ms, 0);
    image_uint (image, &self->trial, 0);
    image_bool (image, &self->enabled);
    image_unsigned (image, &self->threshold, 0);
    image_uint (image, &self->recovery_ms, 0);
    image_check (image, self->threshold > 0);
    image_check (image, self->trial == 0 || self->state == BREAKER_HALF_OPEN);
    image_check (image, self->state != BREAKER_CLOSED || self->failures < self->threshold);
}
