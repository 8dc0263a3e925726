/* SPDX-License-Identifier: MPL-2.0 */
/* Retention of candidates: which files need not be kept any more. That is the core's to say, since what it drops it never takes for a
 * parent or an inspiration again, and a replay must drop the same. How they go is the store's. */
#include "node/node_life.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SLACK_MIN \
    8 /* so many more than there should be are waited for: dropping costs a look at everything */

_Static_assert(LITTER_MAX < RETAIN_DROPPED_MAX, "litter finds place beside candidates");

/* The most that s_in_use can find, place by place as it looks at them. No effect that is awaited names more than PROPOSE: its parent and
 * two lists of inspirations. */
#define IN_USE_MAX                                                                                 \
    (2 + 5 * LIMIT_IMPROVEMENTS + 2 * LIMIT_TRIALS + 2 * LIMIT_VALIDATIONS + 3 * LIMIT_KNOWLEDGE + \
     2 * LIMIT_SNAPSHOTS + (1 + 2 * LIMIT_METADATA) * LIMIT_OPERATIONS)
_Static_assert(IN_USE_MAX <= RETAIN_KEPT_MAX, "all that is in use finds place in one effect");

/* Ids of trees, as they come. */
typedef struct {
    hash_t *items;
    size_t count;
    size_t capacity;
} ids_t;

static void s_add (ids_t *self, const digest_t *id)
{
    if (digest_is_zero (id))
        return;
    assert (self->count < IN_USE_MAX);
    if (self->count == self->capacity) {
        self->capacity = self->capacity > 0 ? 2 * self->capacity : 64;
        self->items = realloc (self->items, self->capacity * sizeof *self->items);
        assert (self->items);
    }
    self->items[self->count++].id = *id;
}

/* Everything that an effect under way names: its digests, and its lists of such. */
static void s_add_effect (ids_t *self, const operation_t *operation)
{
    const record_t *record = effect_record (operation->kind);
    uint8_t *fields = calloc (1, record->size);
    arena_t arena = {0};
    assert (fields);
    int rc = record_decode (record, operation->effect.data, operation->effect.size, fields, &arena, NULL);
    assert (rc == 0);
    (void)rc;
    for (size_t i = 0; i < record->field_count; i++) {
        const field_t *field = &record->fields[i];
        if (field->type == FIELD_DIGEST)
            s_add (self, (const digest_t *)(const void *)(fields + field->offset));
        if (field->type != FIELD_LIST || field->of != &hash_record)
            continue;
        struct {
            const hash_t *items;
            size_t count;
        } list;
        memcpy (&list, fields + field->offset, sizeof list);
        for (size_t k = 0; k < list.count; k++)
            s_add (self, &list.items[k].id);
    }
    arena_clear (&arena);
    free (fields);
}

static void s_add_places (ids_t *self, const node_t *node)
{
    for (size_t i = 0; i < LIMIT_IMPROVEMENTS; i++) {
        const improvement_t *improvement = &node->improvements[i];
        if (!improvement->used)
            continue;
        s_add (self, &improvement->candidate);
        s_add (self, &improvement->parent);
        s_add (self, &improvement->second_parent);
        s_add (self, &improvement->merged_from);
        s_add (self, &improvement->base);
    }
    for (size_t i = 0; i < LIMIT_TRIALS; i++)
        if (node->comparisons[i].used) {
            s_add (self, &node->comparisons[i].candidate);
            s_add (self, &node->comparisons[i].base);
        }
    for (size_t i = 0; i < LIMIT_VALIDATIONS; i++)
        if (node->jobs[i].state != JOB_FREE) {
            s_add (self, &node->jobs[i].order.candidate);
            s_add (self, &node->jobs[i].order.base);
        }
    for (size_t i = 0; i < LIMIT_KNOWLEDGE; i++)
        if (node->parcels[i].state != PARCEL_FREE) {
            s_add (self, &node->parcels[i].candidate);
            s_add (self, &node->parcels[i].base);
            s_add (self, &node->parcels[i].ancestor);
        }
}

/* What is under way or live, and what can be gone back to. */
static ids_t s_in_use (const node_t *node)
{
    ids_t ids = {0};
    s_add (&ids, &node->live);
    s_add (&ids, &node->group.start);
    s_add_places (&ids, node);
    for (size_t i = 0; i < node->applied_count; i++) {
        s_add (&ids, &node->applied[i].before);
        s_add (&ids, &node->applied[i].after);
    }
    for (size_t i = 0; i < LIMIT_OPERATIONS; i++)
        if (node->operations[i].id)
            s_add_effect (&ids, &node->operations[i]);
    return ids;
}

/* Adds the litter to what is dropped, but for what is a kept candidate, or is in use after all. */
static size_t s_add_litter (node_t *self, const ids_t *kept, digest_t *dropped, size_t count)
{
    for (size_t i = 0; i < self->litter_count && count < RETAIN_DROPPED_MAX; i++) {
        const archive_entry_t *entry = archive_find (self->archive, &self->litter[i]);
        bool stays = entry && !entry->dropped;
        for (size_t k = 0; k < kept->count && !stays; k++)
            stays = digest_equal (&kept->items[k].id, &self->litter[i]);
        if (!stays)
            dropped[count++] = self->litter[i];
    }
    assert (count <= RETAIN_DROPPED_MAX);
    self->litter_count = 0;
    return count;
}

void retain_litter (node_t *self, const digest_t *tree)
{
    assert (self && tree);
    if (digest_is_zero (tree) || self->settings.candidates_kept == 0 || self->litter_count == LITTER_MAX)
        return;
    for (size_t i = 0; i < self->litter_count; i++)
        if (digest_equal (&self->litter[i], tree))
            return;
    self->litter[self->litter_count++] = *tree;
}

static void s_drop (node_t *self, size_t max)
{
    assert (max <= RETAIN_DROPPED_MAX - LITTER_MAX); /* the litter has room behind */
    digest_t dropped[RETAIN_DROPPED_MAX];
    ids_t kept = s_in_use (self);
    _Static_assert(sizeof (hash_t) == sizeof (digest_t), "a hash is its id");
    size_t count =
        archive_drop (self->archive, kept.items ? &kept.items[0].id : NULL, kept.count, max, dropped);
    count = s_add_litter (self, &kept, dropped, count);
    hash_t hashes[RETAIN_DROPPED_MAX];
    for (size_t i = 0; i < count; i++)
        hashes[i].id = dropped[i];
    persist_drop_t retain = {.dropped = {hashes, count}, .kept = {kept.items, kept.count}};
    if (count > 0)
        effects_add (self->out, EFFECT_PERSIST_DROP, &retain);
    free (kept.items);
}

void retain_check (node_t *self)
{
    assert (self && self->archive && self->litter_count <= LITTER_MAX);
    uint64_t bound = self->settings.candidates_kept;
    if (!self->started || bound == 0)
        return;
    uint64_t slack = bound / 8 > SLACK_MIN ? bound / 8 : SLACK_MIN;
    size_t kept = archive_kept (self->archive);
    size_t over = kept > bound ? (size_t)(kept - bound) : 0;
    /* Where all that is left must stay, it is tried again only when so many more have come. */
    bool is_due = over >= slack && archive_count (self->archive) >= self->retain_at;
    if (!is_due && self->litter_count < LITTER_MAX / 2)
        return;
    s_drop (self, over < RETAIN_DROPPED_MAX - LITTER_MAX ? over : RETAIN_DROPPED_MAX - LITTER_MAX);
    self->retain_at =
        archive_count (self->archive) + (size_t)(slack < RETAIN_DROPPED_MAX ? slack : RETAIN_DROPPED_MAX);
}
