/* SPDX-License-Identifier: MPL-2.0 */
/* Once per key and minute: who floods us with refused bytes must not flood the log too. */
#ifndef EVOMESH_PROTOCOL_THROTTLE_H
#define EVOMESH_PROTOCOL_THROTTLE_H

#include "crypto/digest.h"

#define THROTTLE_KEYS        64 /* remembered; beyond, the one that passed longest ago is forgotten */
#define THROTTLE_INTERVAL_MS 60000

/* Zero-initialise. */
typedef struct {
    struct {
        digest_t key;
        uint64_t passed_ms;
    } rows[THROTTLE_KEYS];
    size_t count;
} throttle_t;

/* True if `key` did not pass within the last interval; then it passes now. Time must not run backwards. */
bool throttle_pass (throttle_t *self, const digest_t *key, uint64_t now_ms);

#endif
