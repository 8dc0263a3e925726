/* SPDX-License-Identifier: MPL-2.0 */
#include "protocol/throttle.h"

#include <assert.h>

bool throttle_pass (throttle_t *self, const digest_t *key, uint64_t now_ms)
{
    assert (self->count <= THROTTLE_KEYS);
    size_t oldest = 0;
    for (size_t i = 0; i < self->count; i++) {
        assert (self->rows[i].passed_ms <= now_ms);
        if (digest_equal (&self->rows[i].key, key)) {
            if (now_ms - self->rows[i].passed_ms < THROTTLE_INTERVAL_MS)
                return false;
            self->rows[i].passed_ms = now_ms;
            return true;
        }
        if (self->rows[i].passed_ms < self->rows[oldest].passed_ms)
            oldest = i;
    }
    size_t row = self->count < THROTTLE_KEYS ? self->count++ : oldest;
    self->rows[row].key = *key;
    self->rows[row].passed_ms = now_ms;
    return true;
}
