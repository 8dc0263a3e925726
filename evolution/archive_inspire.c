/* SPDX-License-Identifier: MPL-2.0 */
/* What a proposer may learn from: the best of an island, and what is far from all that. */
#include "evolution/archive_state.h"

#include <assert.h>
#include <math.h>

size_t archive_top (const archive_t *self, size_t island, const archive_entry_t *top[ARCHIVE_INSPIRATIONS])
{
    assert (island < self->settings.count);
    uint32_t indices[ARCHIVE_INSPIRATIONS];
    size_t count = island_top (&self->islands[island], self->entries, indices, ARCHIVE_INSPIRATIONS);
    for (size_t i = 0; i < count; i++)
        top[i] = &self->entries[indices[i]];
    return count;
}

static double s_least (double a, double b)
{
    return a < b ? a : b;
}

/* The range of each objective over an island's elite. */
static void s_ranges (const island_t *island, const archive_entry_t *entries, size_t dimensions,
                      double ranges[LIMIT_OBJECTIVES])
{
    for (size_t d = 0; d < dimensions; d++) {
        double least = INFINITY, most = -INFINITY;
        for (size_t i = 0; i < island->elite_count; i++) {
            double value = entries[island->elite[i].entry].metrics.values[d];
            least = value < least ? value : least;
            most = value > most ? value : most;
        }
        ranges[d] = most - least;
    }
}

/* How far apart two are: the largest difference, relative to the range of its objective. */
static double s_distance (const metrics_t *a, const metrics_t *b, const double ranges[LIMIT_OBJECTIVES])
{
    double distance = 0;
    for (size_t d = 0; d < a->count; d++) {
        double gap = ranges[d] > 0 ? fabs (a->values[d] - b->values[d]) / ranges[d] : 0;
        distance = gap > distance ? gap : distance;
    }
    return distance;
}

size_t archive_diverse (const archive_t *self, size_t island, const archive_entry_t *const known[],
                        size_t known_count, const archive_entry_t *diverse[ARCHIVE_INSPIRATIONS])
{
    assert (island < self->settings.count);
    const island_t *from = &self->islands[island];
    double ranges[LIMIT_OBJECTIVES], nearest[ISLAND_ELITE];
    s_ranges (from, self->entries, self->objectives.count, ranges);
    for (size_t i = 0; i < from->elite_count; i++) {
        nearest[i] = INFINITY;
        const metrics_t *metrics = &self->entries[from->elite[i].entry].metrics;
        for (size_t k = 0; k < known_count; k++)
            nearest[i] = s_least (nearest[i], s_distance (metrics, &known[k]->metrics, ranges));
    }
    size_t count = 0;
    while (count < ARCHIVE_INSPIRATIONS) {
        size_t far = 0;
        for (size_t i = 1; i < from->elite_count; i++)
            far = nearest[i] > nearest[far] ? i : far;
        if (from->elite_count == 0 || nearest[far] <= 0)
            break;
        diverse[count++] = &self->entries[from->elite[far].entry];
        for (size_t i = 0; i < from->elite_count; i++)
            nearest[i] = s_least (nearest[i], s_distance (&self->entries[from->elite[i].entry].metrics,
                                                          &diverse[count - 1]->metrics, ranges));
    }
    return count;
}
