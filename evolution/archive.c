/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/archive.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evolution/archive_state.h"
#include "protocol/error.h"

#define CAPACITY_MIN 64 /* a power of two */

/* ln 2 in two parts: the first has zeros enough that k × it is exact. */
#define LN2_HIGH 0x1.62e42fefa0000p-1
#define LN2_LOW  0x1.cf79abc9e3b39p-40
#define LOG2_E   0x1.71547652b82fep+0

double archive_exp (double x)
{
    if (x > 700)
        x = 700;
    if (x < -700)
        x = -700;
    double k = floor (x * LOG2_E + 0.5);
    double rest = x - k * LN2_HIGH - k * LN2_LOW; /* |rest| <= ln 2 / 2 */
    double sum = 1;
    for (int n = 14; n >= 1; n--) /* Taylor's series by Horner's rule; what is left out is below 1e-19 */
        sum = 1 + sum * rest / n;
    return ldexp (sum, (int)k);
}

archive_t *archive_new (const objectives_t *objectives)
{
    assert (objectives->count > 0 && objectives->count <= LIMIT_OBJECTIVES);
    archive_t *self = calloc (1, sizeof *self);
    if (!self)
        return NULL;
    self->objectives = *objectives;
    self->settings = (islands_t){.count = 1, .migration_interval = 1};
    self->root = NOBODY;
    self->best = NOBODY;
    for (size_t i = 0; i < ARCHIVE_ISLANDS_MAX; i++)
        island_clear (&self->islands[i]);
    return self;
}

void archive_destroy (archive_t **self_p)
{
    assert (self_p);
    archive_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < ARCHIVE_ISLANDS_MAX; i++)
        island_free (&self->islands[i]);
    free (self->entries);
    free (self->slots);
    free (self->twins);
    free (self);
    *self_p = NULL;
}

/* --- finding --- */

static const digest_t *s_key (const archive_t *self, const uint32_t *table, uint32_t index)
{
    assert (index < self->count);
    return table == self->twins ? &self->entries[index].tokens : &self->entries[index].id;
}

/* The slot of that key, or the free one where it would go. Keys are hashes already. A peer could search for ids that fall
 * together, but each of them costs it a candidate that is measured here. */
static uint32_t *s_slot (const archive_t *self, uint32_t *table, const digest_t *key)
{
    size_t mask = 2 * self->capacity - 1;
    uint64_t hash;
    assert (self->capacity > 0);
    memcpy (&hash, key->bytes, sizeof hash);
    size_t slot = (size_t)hash & mask;
    while (table[slot] != NOBODY && !digest_equal (s_key (self, table, table[slot]), key))
        slot = (slot + 1) & mask;
    return &table[slot];
}

static archive_entry_t *s_find (const archive_t *self, uint32_t *table, const digest_t *key)
{
    if (self->count == 0)
        return NULL;
    uint32_t index = *s_slot (self, table, key);
    return index == NOBODY ? NULL : &self->entries[index];
}

void archive_register (archive_t *self, uint32_t index)
{
    assert (self && index < self->capacity); /* its tables have room */
    const archive_entry_t *entry = &self->entries[index];
    *s_slot (self, self->slots, &entry->id) = index;
    if (digest_is_zero (&entry->tokens))
        return;
    uint32_t *twin = s_slot (self, self->twins, &entry->tokens);
    if (*twin == NOBODY)
        *twin = index;
}

const archive_entry_t *archive_find (const archive_t *self, const digest_t *id)
{
    assert (self && id);
    return s_find (self, self->slots, id);
}

const archive_entry_t *archive_twin (const archive_t *self, const digest_t *tokens)
{
    assert (self && tokens);
    return digest_is_zero (tokens) ? NULL : s_find (self, self->twins, tokens);
}

/* --- growing --- */

/* A table of free slots; NULL if out of memory. */
static uint32_t *s_table (size_t slots)
{
    uint32_t *table = malloc (slots * sizeof *table);
    if (table)
        memset (table, 0xff, slots * sizeof *table); /* NOBODY */
    return table;
}

int archive_grow (archive_t *self)
{
    size_t capacity = self->capacity > 0 ? 2 * self->capacity : CAPACITY_MIN;
    assert (capacity < NOBODY / 2);
    for (size_t i = 0; i < self->settings.count; i++)
        if (self->islands[i].capacity < capacity && island_grow (&self->islands[i], capacity) != 0)
            return ERROR_MEMORY;
    archive_entry_t *entries = realloc (self->entries, capacity * sizeof *entries);
    if (!entries)
        return ERROR_MEMORY;
    self->entries = entries;
    uint32_t *slots = s_table (2 * capacity), *twins = s_table (2 * capacity);
    if (!slots || !twins) {
        free (slots);
        free (twins);
        return ERROR_MEMORY;
    }
    free (self->slots);
    free (self->twins);
    self->slots = slots;
    self->twins = twins;
    self->capacity = capacity;
    for (size_t i = 0; i < self->count; i++)
        archive_register (self, (uint32_t)i);
    return 0;
}

/* --- islands --- */

static void s_join (archive_t *self, size_t island, uint32_t index)
{
    uint32_t bit = UINT32_C (1) << island;
    assert (island < self->settings.count && self->entries[index].valid);
    if (self->entries[index].islands & bit)
        return;
    self->entries[index].islands |= bit;
    island_join (&self->islands[island], &self->objectives, self->entries, self->count, index);
}

/* A valid entry goes to where it was bred. */
static void s_go_home (archive_t *self, uint32_t index)
{
    size_t home = self->entries[index].home, count = self->settings.count;
    for (size_t i = 0; i < count; i++)
        if (home == ARCHIVE_EVERYWHERE || i == home % count)
            s_join (self, i, index);
}

/* How many of an island's elite go on. */
static size_t s_migrants (const archive_t *self, size_t island)
{
    double fraction = self->settings.migration_fraction;
    if (fraction == 0)
        return 0;
    size_t many = (size_t)floor (fraction * (double)self->islands[island].elite_count + 0.5);
    assert (many <= ISLAND_ELITE);
    return many > 0 ? many : 1;
}

/* The best of each island join the next one; all are chosen before any goes, so that nobody goes two islands far at once. */
static void s_migrate (archive_t *self)
{
    uint32_t chosen[ARCHIVE_ISLANDS_MAX][ISLAND_ELITE];
    size_t counts[ARCHIVE_ISLANDS_MAX];
    assert (self->settings.count > 1);
    for (size_t i = 0; i < self->settings.count; i++)
        counts[i] = island_top (&self->islands[i], self->entries, chosen[i], s_migrants (self, i));
    for (size_t i = 0; i < self->settings.count; i++)
        for (size_t k = 0; k < counts[i]; k++)
            s_join (self, (i + 1) % self->settings.count, chosen[i][k]);
}

int archive_settle (archive_t *self, const islands_t *islands)
{
    assert (self && islands);
    assert (islands->count >= 1 && islands->count <= ARCHIVE_ISLANDS_MAX);
    assert (islands->migration_interval >= 1);
    assert (islands->migration_fraction >= 0 && islands->migration_fraction <= 1);
    bool anew = islands->count != self->settings.count;
    for (size_t i = 0; i < islands->count; i++)
        if (self->islands[i].capacity < self->capacity &&
            island_grow (&self->islands[i], self->capacity) != 0)
            return ERROR_MEMORY;
    self->settings = *islands;
    if (!anew)
        return 0;
    for (size_t i = 0; i < ARCHIVE_ISLANDS_MAX; i++)
        island_clear (&self->islands[i]);
    for (size_t i = 0; i < self->count; i++)
        self->entries[i].islands = 0;
    for (size_t i = 0; i < self->count; i++)
        if (self->entries[i].valid && !self->entries[i].dropped)
            s_go_home (self, (uint32_t)i);
    return 0;
}

size_t archive_islands (const archive_t *self)
{
    assert (self && self->settings.count >= 1);
    return self->settings.count;
}

/* --- adding --- */

static double s_score (const archive_t *self, const metrics_t *metrics)
{
    assert (self->root != NOBODY && self->entries[self->root].valid); /* what all is compared with */
    const metrics_t *root = &self->entries[self->root].metrics;
    double improvements[LIMIT_OBJECTIVES] = {0};
    for (size_t i = 0; i < self->objectives.count; i++)
        improvements[i] =
            objective_improvement (&self->objectives.items[i], root->values[i], metrics->values[i]);
    return objectives_weighted (&self->objectives, improvements);
}

/* Takes up the metrics of an entry that is in its place. */
static void s_admit (archive_t *self, uint32_t index, const metrics_t *metrics)
{
    assert (objectives_measured (&self->objectives, metrics));
    archive_entry_t *entry = &self->entries[index];
    entry->metrics = *metrics;
    entry->valid = true;
    if (self->root == NOBODY) {
        self->root = index;
        entry->home = ARCHIVE_EVERYWHERE;
    }
    entry->violation = objectives_violation (&self->objectives, metrics);
    entry->score = entry->violation > 0 ? -entry->violation : s_score (self, metrics);
    if (self->best == NOBODY || entry_better (entry, &self->entries[self->best]))
        self->best = index;
    front_advance (self, index);
    s_go_home (self, index);
}

/* Counts a child more for a parent that is here. */
static void s_count_child (archive_t *self, const digest_t *id, const archive_entry_t *child)
{
    archive_entry_t *parent = s_find (self, self->slots, id);
    if (!parent || parent == child)
        return;
    parent->children++;
    assert (parent->valid || parent->islands == 0);
    for (size_t i = 0; i < self->settings.count; i++)
        if (parent->islands & (UINT32_C (1) << i))
            island_reweigh (&self->islands[i], self->entries, (uint32_t)(parent - self->entries));
}

int archive_add (archive_t *self, const archive_candidate_t *candidate)
{
    assert (self && candidate);
    assert (candidate->parent_count <= 2 && candidate->island <= ARCHIVE_EVERYWHERE);
    if (candidate->valid && !objectives_measured (&self->objectives, candidate->metrics))
        return ERROR_INPUT;
    if (s_find (self, self->slots, &candidate->id))
        return ERROR_CONFLICT;
    if (self->count == self->capacity && archive_grow (self) != 0)
        return ERROR_MEMORY;
    uint32_t index = (uint32_t)self->count++;
    archive_entry_t *entry = &self->entries[index];
    *entry = (archive_entry_t){
        .id = candidate->id, .tokens = candidate->tokens, .home = (uint8_t)candidate->island};
    for (size_t i = 0; i < candidate->parent_count; i++)
        entry->parents[i] = candidate->parents[i];
    entry->withdrawn =
        archive_is_withdrawn (self, &entry->parents[0]) || archive_is_withdrawn (self, &entry->parents[1]);
    archive_register (self, index);
    if (candidate->valid)
        s_admit (self, index, candidate->metrics);
    for (size_t i = 0; i < candidate->parent_count; i++)
        if (i == 0 || !digest_equal (&entry->parents[0], &entry->parents[1]))
            s_count_child (self, &entry->parents[i], entry);
    if (++self->since_migration >= self->settings.migration_interval) {
        self->since_migration = 0;
        if (self->settings.count > 1)
            s_migrate (self);
    }
    return 0;
}

/* --- looking --- */

size_t archive_kept (const archive_t *self)
{
    assert (self->dropped <= self->count);
    return self->count - self->dropped;
}

size_t archive_count (const archive_t *self)
{
    assert (self && self->count <= self->capacity);
    return self->count;
}

size_t archive_front_count (const archive_t *self)
{
    assert (self && self->front_count <= ARCHIVE_FRONT_MAX);
    return self->front_count;
}

const archive_entry_t *archive_select (const archive_t *self, size_t island, selection_t how,
                                       random_t *random)
{
    assert (self && island < self->settings.count && random);
    if (self->islands[island].count == 0)
        return NULL;
    uint32_t index = island_select (&self->islands[island], self->entries, how, random);
    assert (index < self->count && self->entries[index].valid);
    return &self->entries[index];
}
