/* SPDX-License-Identifier: MPL-2.0 */
/* The node's clocks: UTC, and one that never runs backwards, also over restarts. The core's deadlines go by the second; so after a
 * restart it goes on behind the last time in the journal, moved on by the time that the node was away (as UTC tells it, if it
 * tells anything likely). Within a run it counts as CLOCK_BOOTTIME does, suspended time included. */
#ifndef EVOMESH_NODE_IO_CLOCK_H
#define EVOMESH_NODE_IO_CLOCK_H

#include <stdint.h>

#define CLOCK_AWAY_MAX_MS (30ULL * 24 * 3600 * 1000) /* a longer absence counts as this long */

typedef struct {
    uint64_t start_ms; /* of the node's clock */
    uint64_t boot_ms;  /* of CLOCK_BOOTTIME then */
} node_clock_t;

/* Goes on from a journal that ended at (`last_now_ms`, `last_wall_ms`); both 0 for an empty one. */
void clock_start (node_clock_t *self, uint64_t last_now_ms, uint64_t last_wall_ms);

/* The same with given readings of the system's clocks. */
void clock_start_at (node_clock_t *self, uint64_t last_now_ms, uint64_t last_wall_ms, uint64_t wall_ms,
                     uint64_t boot_ms);

/* Milliseconds on the node's clock; never less than before. */
uint64_t clock_now_ms (const node_clock_t *self);
/* Milliseconds since 1970, UTC. */
uint64_t clock_wall_ms (void);
/* Milliseconds on CLOCK_MONOTONIC: for waits within one process. */
uint64_t clock_mono_ms (void);

#endif
