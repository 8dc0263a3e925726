/* SPDX-License-Identifier: MPL-2.0 */
/* The archive's front: what nothing dominates, and its hypervolume. */
#include "evolution/archive_state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "evolution/pareto.h"

#define FRONT_KEPT \
    (ARCHIVE_FRONT_MAX / 8 * 7)  /* of a front that grew too large, so that thinning out is rare */
#define HYPERVOLUME_WORK 1048576 /* about how many slices may be taken */

static int s_compare_crowding (const void *a, const void *b)
{
    const elite_t *left = a, *right = b;
    if (left->crowding != right->crowding)
        return left->crowding > right->crowding ? -1 : 1;
    return (left->entry > right->entry) - (left->entry < right->entry);
}

/* Those of the front that have most room around them first. Aborts if there is no memory to sort them. */
static void s_spread (const archive_t *self, elite_t *spread)
{
    size_t n = self->front_count;
    metrics_t *points = calloc (n + 1, sizeof *points);
    double *distances = calloc (n + 1, sizeof *distances);
    assert (points && distances);
    for (size_t i = 0; i < n; i++)
        points[i] = self->entries[self->front[i]].metrics;
    int rc = pareto_crowding (&self->objectives, points, n, distances);
    assert (rc == 0);
    (void)rc;
    for (size_t i = 0; i < n; i++)
        spread[i] = (elite_t){.entry = self->front[i], .crowding = distances[i]};
    qsort (spread, n, sizeof *spread, s_compare_crowding);
    free (points);
    free (distances);
}

/* Lets go of the most crowded; the best stays. */
static void s_thin_front (archive_t *self)
{
    elite_t spread[ARCHIVE_FRONT_MAX + 1];
    s_spread (self, spread);
    for (size_t i = FRONT_KEPT; i < self->front_count; i++)
        self->entries[spread[i].entry].on_front = spread[i].entry == self->best;
    size_t kept = 0;
    for (size_t i = 0; i < self->front_count; i++)
        if (self->entries[self->front[i]].on_front)
            self->front[kept++] = self->front[i];
    assert (kept < self->front_count);
    self->front_count = kept;
}

void front_advance (archive_t *self, uint32_t index)
{
    assert (index < self->count && self->entries[index].valid && !self->entries[index].on_front);
    archive_entry_t *entry = &self->entries[index];
    for (size_t i = 0; i < self->front_count; i++) {
        const metrics_t *other = &self->entries[self->front[i]].metrics;
        if (pareto_dominates (&self->objectives, other, &entry->metrics) ||
            memcmp (other->values, entry->metrics.values, other->count * sizeof *other->values) == 0)
            return;
    }
    size_t kept = 0;
    for (size_t i = 0; i < self->front_count; i++) {
        archive_entry_t *other = &self->entries[self->front[i]];
        other->on_front = !pareto_dominates (&self->objectives, &entry->metrics, &other->metrics);
        if (other->on_front)
            self->front[kept++] = self->front[i];
    }
    assert (kept <= ARCHIVE_FRONT_MAX);
    self->front[kept++] = index;
    self->front_count = kept;
    entry->on_front = true;
    if (kept > ARCHIVE_FRONT_MAX)
        s_thin_front (self);
}

/* How many points fit into the work allowed: points to the number of objectives less one slices. */
static size_t s_affordable (size_t points, size_t objectives)
{
    for (; points > 1; points--) {
        double work = 1;
        for (size_t i = 1; i < objectives && work <= HYPERVOLUME_WORK; i++)
            work *= (double)points;
        if (work <= HYPERVOLUME_WORK)
            break;
    }
    return points;
}

double archive_hypervolume (const archive_t *self, const metrics_t *reference, size_t *points)
{
    elite_t spread[ARCHIVE_FRONT_MAX + 1];
    assert (self->front_count <= ARCHIVE_FRONT_MAX);
    s_spread (self, spread);
    size_t n = self->objectives.count > 2 ? s_affordable (self->front_count, self->objectives.count)
                                          : self->front_count;
    metrics_t *front = calloc (n + 1, sizeof *front);
    if (!front)
        return -1;
    for (size_t i = 0; i < n; i++)
        front[i] = self->entries[spread[i].entry].metrics;
    if (points)
        *points = n;
    double volume = pareto_hypervolume (&self->objectives, front, n, reference);
    free (front);
    return volume;
}
