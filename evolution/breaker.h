/* SPDX-License-Identifier: MPL-2.0 */
/* The circuit breaker: stops evolution when the node itself is at fault again and again.
 *
 *              threshold failures in a row
 *    CLOSED ────────────────────────────────▶ OPEN ◀───────────────┐
 *      ▲                                       │ recovery timeout, │ failure: at once
 *      │ success                               ▼ or the operator   │
 *      └─────────────────────────────────── HALF_OPEN ─────────────┘
 *                                           (admits exactly one trial)
 *
 * Failures are faults only (the sandbox can't start, the baseline fails, apply, restart or verification fails, a
 * regression after apply, a failed rollback), never a rejected candidate. */
#ifndef EVOMESH_EVOLUTION_BREAKER_H
#define EVOMESH_EVOLUTION_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/image.h"

typedef enum { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN } breaker_state_t;

typedef struct {
    breaker_state_t state;
    unsigned failures;  /* in a row */
    uint64_t opened_ms; /* when it opened last */
    uint64_t trial;     /* half-open: the token of the one trial that is under way; 0: none is */
    bool enabled;
    unsigned threshold;
    uint64_t recovery_ms;
} breaker_t;

/* Which way it just moved; each has its event. */
typedef enum { BREAKER_STAYED, BREAKER_OPENED, BREAKER_HALF_OPENED, BREAKER_WAS_CLOSED } breaker_move_t;

/* Closed, with no failures. `threshold` > 0 (asserted). A breaker that isn't enabled never opens. */
void breaker_init (breaker_t *self, bool enabled, unsigned threshold, uint64_t recovery_ms);

/* New settings for one that is at work: an open breaker stays open, and one that would have opened by a lower threshold opens at the
 * next failure. Switched off, it is closed. `threshold` > 0 (asserted). */
void breaker_configure (breaker_t *self, bool enabled, unsigned threshold, uint64_t recovery_ms);

/* Lets time pass: an open breaker becomes half-open when its recovery is over. A clock behind the one it opened by (the
 * machine restarted) starts the recovery anew. */
breaker_move_t breaker_tick (breaker_t *self, uint64_t now_ms);
/* The operator wants it tried again: an open breaker becomes half-open now, whatever is left of its recovery. */
breaker_move_t breaker_retry (breaker_t *self);
/* When breaker_tick will do something; UINT64_MAX if never. */
uint64_t breaker_deadline_ms (const breaker_t *self);

/* May an improvement be started, or go on? Half-open: one, which then is the trial until success, failure or release; `token` is its
 * own, or 0 for one that isn't the trial. */
bool breaker_admits (const breaker_t *self, uint64_t token);
/* An improvement starts, known from now on by `token` > 0, which nothing had before; only if it admits (asserted). */
void breaker_start (breaker_t *self, uint64_t token);
/* What has that token ended without saying anything of the node's health (e.g. the candidate was rejected). Nothing happens if it
 * isn't the trial, or no longer. */
void breaker_release (breaker_t *self, uint64_t token);

/* Something went well that could have shown a fault; `token` as for breaker_admits. While open, or half-open if it isn't the
 * trial's, it is of something begun before and changes nothing. */
breaker_move_t breaker_success (breaker_t *self, uint64_t token);
/* A fault. While open it doesn't put the recovery off. */
breaker_move_t breaker_failure (breaker_t *self, uint64_t now_ms);

/* "closed", "open" or "half_open". */
const char *breaker_state_name (breaker_state_t state);

/* Its fields, for a checkpoint: see protocol/image.h. */
void breaker_image (breaker_t *self, image_t *image);

#endif
