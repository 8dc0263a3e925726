/* SPDX-License-Identifier: MPL-2.0 */
/* When a request is worth another try, and after how long. */
#ifndef EVOMESH_PROPOSERS_LLM_RETRY_H
#define EVOMESH_PROPOSERS_LLM_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/random.h"

/* Is a status about the moment (429, 408, 5xx), not about the request? */
bool llm_retry_status (long status);

/* Milliseconds before try `number` + 1, from 1: half a second, doubled each time up to 30 s, of which a random half is kept, so that
 * nodes that failed together don't come back together; never less than the endpoint asked for. */
uint64_t llm_retry_wait_ms (unsigned number, uint64_t retry_after_s, random_t *random);

/* The seconds that a Retry-After header asks for: a number, or a date (RFC 9110, 10.2.3) seen at `now_s`, Unix time. 0 if it says
 * neither, or a moment that is over; a day at most. */
uint64_t llm_retry_after_s (const char *header, uint64_t now_s);

#endif
