/* SPDX-License-Identifier: MPL-2.0 */
/* The archive in a checkpoint. What follows from the rest (tables by id and by tokens, the inner nodes of the sum trees) is made anew;
 * weights and elites are kept as they are, since they follow from the order in which things happened. */
#include "evolution/archive_state.h"

#include <assert.h>
#include <math.h>

/* --- islands --- */

/* Each inner node is the sum of its two children. */
static void s_sum_weights (island_t *self)
{
    for (size_t node = self->capacity > 0 ? self->capacity - 1 : 0; node >= 1; node--)
        self->weights[node] = self->weights[2 * node] + self->weights[2 * node + 1];
}

/* An index of `count` entries, NOBODY among them if `none`. */
static void s_index (uint32_t *index, size_t count, bool none, image_t *image)
{
    uint64_t number = image->loading || *index == NOBODY ? 0 : (uint64_t)*index + 1;
    image_uint (image, &number, count + 1);
    *index = number == 0 ? NOBODY : (uint32_t)(number - 1);
    image_check (image, number <= count && (none || number > 0));
    if (!image_sound (image))
        *index = NOBODY;
}

static void s_member_image (island_t *self, size_t at, const archive_entry_t *entries, size_t count,
                            image_t *image)
{
    s_index (&self->members[at], count, false, image);
    if (!image_sound (image))
        return;
    uint32_t entry = self->members[at];
    double *weight = &self->weights[self->capacity + entry];
    image_check (image, entries[entry].valid && (!image->loading || *weight == 0)); /* nobody twice */
    image_real (image, weight);
    image_check (image, isfinite (*weight) && *weight > 0);
}

static void s_elite_image (elite_t *self, const archive_entry_t *entries, size_t count, image_t *image)
{
    s_index (&self->entry, count, false, image);
    image_unsigned (image, &self->rank, ISLAND_ELITE + 1);
    image_real (image, &self->crowding);
    image_check (image, self->rank > 0 && !isnan (self->crowding) && image_sound (image) &&
                            entries[self->entry].valid);
}

void island_image (island_t *self, const archive_entry_t *entries, size_t count, image_t *image)
{
    assert (self->capacity >= count);
    image_size (image, &self->count, count);
    for (size_t i = 0; i < self->count && image_sound (image); i++)
        s_member_image (self, i, entries, count, image);
    s_index (&self->best, count, true, image);
    image_check (image, self->best == NOBODY ? self->count == 0 : entries[self->best].valid);
    image_size (image, &self->stale, count);
    image_size (image, &self->cursor, count);
    image_size (image, &self->elite_count, ISLAND_ELITE);
    for (size_t i = 0; i < self->elite_count && image_sound (image); i++)
        s_elite_image (&self->elite[i], entries, count, image);
    image_check (image, (self->count == 0) == (self->elite_count == 0));
    if (image->loading && image_sound (image))
        s_sum_weights (self);
}

/* --- entries --- */

static void s_entry_image (archive_entry_t *self, size_t objectives, image_t *image)
{
    image_fixed (image, self->id.bytes, DIGEST_BYTES);
    image_fixed (image, self->tokens.bytes, DIGEST_BYTES);
    for (size_t i = 0; i < 2; i++)
        image_fixed (image, self->parents[i].bytes, DIGEST_BYTES);
    image_bool (image, &self->valid);
    image_bool (image, &self->dropped);
    image_bool (image, &self->pinned);
    image_bool (image, &self->withdrawn);
    image_bool (image, &self->on_front);
    metrics_image (&self->metrics, image);
    image_real (image, &self->violation);
    image_real (image, &self->score);
    unsigned home = self->home;
    image_unsigned (image, &home, ARCHIVE_EVERYWHERE);
    self->home = (uint8_t)home;
    image_unsigned (image, &self->islands, (1u << ARCHIVE_ISLANDS_MAX) - 1);
    image_unsigned (image, &self->children, NOBODY / 4);
    image_check (image, self->metrics.count == (self->valid ? objectives : 0));
    image_check (image, (self->valid && !self->dropped) || (!self->on_front && self->islands == 0));
}

static void s_entries_image (archive_t *self, image_t *image)
{
    size_t count = self->count;
    image_size (image, &count, NOBODY / 4);
    for (size_t i = 0; i < count && image_sound (image); i++) {
        if (image->loading && self->count == self->capacity && archive_grow (self) != 0) {
            image_fail (image, ERROR_MEMORY);
            return;
        }
        if (image->loading)
            self->entries[i] = (archive_entry_t){0};
        s_entry_image (&self->entries[i], self->objectives.count, image);
        if (!image->loading || !image_sound (image))
            continue;
        image_check (image, archive_find (self, &self->entries[i].id) == NULL);
        self->count++;
        self->dropped += self->entries[i].dropped;
        if (image_sound (image))
            archive_register (self, (uint32_t)i);
    }
}

static void s_front_image (archive_t *self, image_t *image)
{
    image_size (image, &self->front_count, ARCHIVE_FRONT_MAX);
    for (size_t i = 0; i < self->front_count && image_sound (image); i++) {
        s_index (&self->front[i], self->count, false, image);
        image_check (image, image_sound (image) && self->entries[self->front[i]].on_front);
    }
    s_index (&self->root, self->count, true, image);
    s_index (&self->best, self->count, true, image);
    image_check (image, self->root == NOBODY || self->entries[self->root].valid);
    image_check (image, self->best == NOBODY || self->entries[self->best].valid);
    image_check (image, (self->root == NOBODY) == (self->best == NOBODY));
}

void archive_image (archive_t *self, image_t *image)
{
    assert (self && image);
    assert (!image->loading || (self->count == 0 && self->settings.count == 1));
    image_size (image, &self->settings.count, ARCHIVE_ISLANDS_MAX);
    image_size (image, &self->settings.migration_interval, SIZE_MAX);
    image_real (image, &self->settings.migration_fraction);
    image_check (image, self->settings.count > 0 && self->settings.migration_interval > 0 &&
                            self->settings.migration_fraction >= 0 && self->settings.migration_fraction <= 1);
    s_entries_image (self, image);
    s_front_image (self, image);
    image_size (image, &self->since_migration, SIZE_MAX);
    for (size_t i = 0; i < self->settings.count && image_sound (image); i++)
        island_image (&self->islands[i], self->entries, self->count, image);
}
