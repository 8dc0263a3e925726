/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE /* CLOCK_BOOTTIME */
#include "node/io/clock.h"

#include <assert.h>
#include <time.h>

static uint64_t s_read_ms (clockid_t clock)
{
    struct timespec now;
    int rc = clock_gettime (clock, &now);
    assert (rc == 0);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void clock_start_at (node_clock_t *self, uint64_t last_now_ms, uint64_t last_wall_ms, uint64_t wall_ms,
                     uint64_t boot_ms)
{
    assert (self != NULL);
    uint64_t away_ms = last_wall_ms > 0 && wall_ms > last_wall_ms ? wall_ms - last_wall_ms : 0;
    if (away_ms > CLOCK_AWAY_MAX_MS)
        away_ms = CLOCK_AWAY_MAX_MS;
    self->start_ms = last_now_ms + away_ms + 1;
    self->boot_ms = boot_ms;
}

void clock_start (node_clock_t *self, uint64_t last_now_ms, uint64_t last_wall_ms)
{
    assert (self != NULL);
    clock_start_at (self, last_now_ms, last_wall_ms, clock_wall_ms (), s_read_ms (CLOCK_BOOTTIME));
}

uint64_t clock_now_ms (const node_clock_t *self)
{
    assert (self != NULL);
    uint64_t boot_ms = s_read_ms (CLOCK_BOOTTIME);
    assert (boot_ms >= self->boot_ms);
    return self->start_ms + (boot_ms - self->boot_ms);
}

uint64_t clock_wall_ms (void)
{
    return s_read_ms (CLOCK_REALTIME);
}

uint64_t clock_mono_ms (void)
{
    return s_read_ms (CLOCK_MONOTONIC);
}
