/* SPDX-License-Identifier: MPL-2.0 */
/* Candidates whose files need not be kept, and such that nobody should breed from. */
#include "evolution/archive_state.h"

#include <assert.h>
#include <stdlib.h>

void archive_pin (archive_t *self, const digest_t *id)
{
    assert (self && id);
    const archive_entry_t *entry = archive_find (self, id);
    if (entry)
        self->entries[entry - self->entries].pinned = true;
}

/* Marks those that stay for what they are: what is ranked of an island. */
static void s_spare_elites (const archive_t *self, bool *stays)
{
    for (size_t i = 0; i < self->settings.count; i++) {
        const island_t *island = &self->islands[i];
        for (size_t k = 0; k < island->elite_count; k++)
            stays[island->elite[k].entry] = true;
        if (island->best != NOBODY)
            stays[island->best] = true;
    }
}

static void s_leave (archive_t *self, uint32_t index)
{
    assert (index < self->count && !self->entries[index].dropped);
    assert (index != self->root && index != self->best && !self->entries[index].on_front);
    archive_entry_t *entry = &self->entries[index];
    for (size_t i = 0; i < self->settings.count; i++)
        if (entry->islands & (UINT32_C (1) << i))
            island_leave (&self->islands[i], index);
    entry->islands = 0;
    entry->dropped = true;
    self->dropped++;
}

size_t archive_drop (archive_t *self, const digest_t *spared, size_t spared_count, size_t max,
                     digest_t *dropped)
{
    assert (dropped && (spared || spared_count == 0));
    bool *stays = calloc (self->count + 1, sizeof *stays);
    size_t count = 0;
    assert (stays);
    s_spare_elites (self, stays);
    for (size_t i = 0; i < spared_count; i++) {
        const archive_entry_t *entry = archive_find (self, &spared[i]);
        if (entry)
            stays[entry - self->entries] = true;
    }
    for (uint32_t i = 0; i < self->count && count < max; i++) {
        const archive_entry_t *entry = &self->entries[i];
        if (entry->dropped || entry->pinned || entry->on_front || stays[i] || i == self->root ||
            i == self->best)
            continue;
        s_leave (self, i);
        dropped[count++] = entry->id;
    }
    free (stays);
    assert (count <= max && self->dropped <= self->count);
    return count;
}

/* --- withdrawn ones --- */

bool archive_is_withdrawn (const archive_t *self, const digest_t *id)
{
    assert (self && id);
    const archive_entry_t *entry = archive_find (self, id);
    return entry && entry->withdrawn;
}

/* Is one of its parents among those that are marked? */
static bool s_is_child (const archive_t *self, const archive_entry_t *entry, const bool *marked)
{
    for (size_t i = 0; i < 2; i++) {
        const archive_entry_t *parent = archive_find (self, &entry->parents[i]);
        if (parent && marked[parent - self->entries])
            return true;
    }
    return false;
}

void archive_withdraw (archive_t *self, const digest_t *id)
{
    assert (self && id);
    const archive_entry_t *entry = archive_find (self, id);
    if (!entry)
        return;
    /* From this one alone: what was readmitted may be made of another. */
    bool *marked = calloc (self->count, sizeof *marked);
    assert (marked);
    marked[entry - self->entries] = true;
    for (bool found = true; found;) { /* a child may have been added before its parent */
        found = false;
        for (size_t i = 0; i < self->count; i++) {
            if (marked[i] || !s_is_child (self, &self->entries[i], marked))
                continue;
            marked[i] = found = true;
        }
    }
    for (size_t i = 0; i < self->count; i++)
        self->entries[i].withdrawn |= marked[i];
    free (marked);
}

void archive_readmit (archive_t *self, const digest_t *id)
{
    assert (self && id);
    const archive_entry_t *entry = archive_find (self, id);
    if (entry)
        self->entries[entry - self->entries].withdrawn = false;
}
