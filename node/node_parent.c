/* SPDX-License-Identifier: MPL-2.0 */
/* What a proposal starts from: its island, its parent, and candidates to learn from. */
#include "node/node_life.h"

#include <assert.h>

#define PARENT_DRAWS 16 /* before the live release is taken: by most ways of selection another comes soon */

size_t parent_draw_island (node_t *self)
{
    assert (self && self->archive);
    size_t count = archive_islands (self->archive);
    return count > 1 ? (size_t)random_below (&self->random, count) : 0;
}

const archive_entry_t *parent_draw (node_t *self, size_t island)
{
    assert (self && island < archive_islands (self->archive));
    for (int i = 0; i < PARENT_DRAWS; i++) {
        const archive_entry_t *parent =
            archive_select (self->archive, island, self->settings.selection, &self->random);
        if (!parent || !parent->withdrawn)
            return parent;
    }
    const archive_entry_t *live = archive_find (self->archive, &self->live);
    return live && live->valid ? live : NULL;
}

/* Those that one may learn from. */
static size_t s_hashes (const archive_entry_t *const entries[], size_t count, hash_t *hashes)
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        if (!entries[i]->withdrawn)
            hashes[used++].id = entries[i]->id;
    return used;
}

void parent_inspire (const node_t *self, propose_t *propose, hash_t top[LIMIT_METADATA],
                     hash_t diverse[LIMIT_METADATA])
{
    assert (self && propose && top && diverse);
    const archive_entry_t *best[ARCHIVE_INSPIRATIONS + 1], *others[ARCHIVE_INSPIRATIONS];
    const archive_entry_t *live = archive_find (self->archive, &self->live);
    size_t count = archive_top (self->archive, propose->island, best);
    bool there = false;
    for (size_t i = 0; i < count; i++)
        there |= best[i] == live;
    if (live && live->valid && !there)
        best[count++] = live;
    propose->top.count = s_hashes (best, count, top);
    propose->top.items = top;
    count = archive_diverse (self->archive, propose->island, best, count, others);
    propose->diverse.count = s_hashes (others, count, diverse);
    propose->diverse.items = diverse;
}
