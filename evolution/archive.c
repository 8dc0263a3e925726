/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/archive.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evolution/pareto.h"
#include "protocol/error.h"

#define CAPACITY_MIN 64 /* a power of two */
#define NOBODY       UINT32_MAX

/* All arrays grow together, by doubling, so that a candidate's place is made before anything changes. */
struct archive {
    objectives_t objectives;
    archive_entry_t *entries; /* in order of adding */
    size_t count;
    size_t capacity; /* a power of two */
    uint32_t *slots; /* 2 × capacity; index of an entry, or NOBODY: open addressing by id */
    uint32_t *valid; /* indices of valid entries, in order */
    size_t valid_count;
    uint32_t *front; /* indices of the entries that nothing dominates, in order */
    size_t front_count;
    double
        *weights;  /* sum tree: weights[capacity + i] of entry i; each node is the sum of its two children */
    uint32_t root; /* the first valid entry */
    uint32_t best;
};

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
    if (self == NULL)
        return NULL;
    self->objectives = *objectives;
    self->root = NOBODY;
    self->best = NOBODY;
    return self;
}

void archive_destroy (archive_t **self_p)
{
    assert (self_p != NULL);
    archive_t *self = *self_p;
    if (self == NULL)
        return;
    free (self->entries);
    free (self->slots);
    free (self->valid);
    free (self->front);
    free (self->weights);
    free (self);
    *self_p = NULL;
}

/* The slot of that id, or the free one where it would go. Ids are hashes already. A peer could search for ids that fall
 * together, but each of them costs it a candidate that is measured here. */
static size_t s_slot (const archive_t *self, const digest_t *id)
{
    size_t mask = 2 * self->capacity - 1;
    uint64_t hash;
    memcpy (&hash, id->bytes, sizeof hash);
    size_t slot = (size_t)hash & mask;
    while (self->slots[slot] != NOBODY && !digest_equal (&self->entries[self->slots[slot]].id, id))
        slot = (slot + 1) & mask;
    return slot;
}

static archive_entry_t *s_find (const archive_t *self, const digest_t *id)
{
    if (self->count == 0)
        return NULL;
    uint32_t index = self->slots[s_slot (self, id)];
    return index == NOBODY ? NULL : &self->entries[index];
}

/* How much the entry weighs in SELECT_DGM. */
static double s_weight (const archive_t *self, const archive_entry_t *entry)
{
    if (!entry->valid)
        return 0;
    assert (self->best != NOBODY);
    double best = self->entries[self->best].score;
    double share = entry->score / (best > ARCHIVE_BEST_MIN ? best : ARCHIVE_BEST_MIN);
    if (share < -4)
        share = -4; /* a weight of 1e-20 is never picked, but stays a number */
    return 1 / (1 + archive_exp (-10 * (share - 0.5))) / (1 + entry->children);
}

static void s_reweigh (archive_t *self, size_t index)
{
    size_t node = self->capacity + index;
    self->weights[node] = s_weight (self, &self->entries[index]);
    for (node /= 2; node >= 1; node /= 2)
        self->weights[node] = self->weights[2 * node] + self->weights[2 * node + 1];
}

static void s_reweigh_all (archive_t *self)
{
    for (size_t i = 0; i < self->capacity; i++)
        self->weights[self->capacity + i] = i < self->count ? s_weight (self, &self->entries[i]) : 0;
    for (size_t node = self->capacity - 1; node >= 1; node--)
        self->weights[node] = self->weights[2 * node] + self->weights[2 * node + 1];
}

/* Gives an array room for `count` items; its content stays. */
static bool s_resize (void **array, size_t count, size_t size)
{
    void *bigger = realloc (*array, count * size);
    if (bigger == NULL)
        return false;
    *array = bigger;
    return true;
}

static int s_grow (archive_t *self)
{
    size_t capacity = self->capacity > 0 ? 2 * self->capacity : CAPACITY_MIN;
    assert (capacity < NOBODY / 2);
    void *entries = self->entries, *valid = self->valid, *front = self->front;
    bool grown = s_resize (&entries, capacity, sizeof *self->entries) &&
                 s_resize (&valid, capacity, sizeof *self->valid) &&
                 s_resize (&front, capacity, sizeof *self->front);
    self->entries = entries;
    self->valid = valid;
    self->front = front;
    uint32_t *slots = grown ? malloc (2 * capacity * sizeof *slots) : NULL;
    double *weights = grown ? malloc (2 * capacity * sizeof *weights) : NULL;
    if (slots == NULL || weights == NULL) {
        free (slots);
        free (weights);
        return ERROR_MEMORY;
    }
    free (self->slots);
    free (self->weights);
    self->slots = slots;
    self->weights = weights;
    self->capacity = capacity;
    memset (slots, 0xff, 2 * capacity * sizeof *slots); /* NOBODY */
    for (size_t i = 0; i < self->count; i++)
        slots[s_slot (self, &self->entries[i].id)] = (uint32_t)i;
    s_reweigh_all (self);
    return 0;
}

static double s_score (const archive_t *self, const metrics_t *metrics)
{
    const metrics_t *root = &self->entries[self->root].metrics;
    double improvements[LIMIT_OBJECTIVES] = {0};
    for (size_t i = 0; i < self->objectives.count; i++)
        improvements[i] =
            objective_improvement (&self->objectives.items[i], root->values[i], metrics->values[i]);
    return objectives_weighted (&self->objectives, improvements);
}

/* Puts a valid entry on the front unless one there is as good everywhere; takes off those that it dominates. */
static void s_advance_front (archive_t *self, uint32_t index)
{
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
    self->front[kept++] = index;
    self->front_count = kept;
    entry->on_front = true;
}

/* Takes up the metrics of an entry that is in its place. */
static void s_admit (archive_t *self, uint32_t index, const metrics_t *metrics)
{
    assert (metrics->count == self->objectives.count);
    archive_entry_t *entry = &self->entries[index];
    entry->metrics = *metrics;
    entry->valid = true;
    if (self->root == NOBODY)
        self->root = index;
    entry->score = s_score (self, metrics);
    self->valid[self->valid_count++] = index;
    s_advance_front (self, index);
}

int archive_add (archive_t *self, const digest_t *id, const digest_t *parents, size_t parent_count,
                 bool valid, const metrics_t *metrics)
{
    assert (parent_count <= 2);
    if (s_find (self, id) != NULL)
        return ERROR_CONFLICT;
    if (self->count == self->capacity && s_grow (self) != 0)
        return ERROR_MEMORY;
    uint32_t index = (uint32_t)self->count++;
    archive_entry_t *entry = &self->entries[index];
    memset (entry, 0, sizeof *entry);
    entry->id = *id;
    for (size_t i = 0; i < parent_count; i++)
        entry->parents[i] = parents[i];
    self->slots[s_slot (self, id)] = index;
    if (valid)
        s_admit (self, index, metrics);
    for (size_t i = 0; i < parent_count; i++) {
        archive_entry_t *parent = s_find (self, &parents[i]);
        if (parent == NULL || parent == entry || (i == 1 && digest_equal (&parents[0], &parents[1])))
            continue; /* another node's candidate, or named twice */
        parent->children++;
        if (self->best != NOBODY)
            s_reweigh (self, (size_t)(parent - self->entries));
    }
    if (valid && (self->best == NOBODY || entry->score > self->entries[self->best].score)) {
        self->best = index; /* the measure of all weights */
        s_reweigh_all (self);
    } else if (valid) {
        s_reweigh (self, index);
    }
    return 0;
}

const archive_entry_t *archive_find (const archive_t *self, const digest_t *id)
{
    return s_find (self, id);
}

size_t archive_count (const archive_t *self)
{
    return self->count;
}

size_t archive_front_count (const archive_t *self)
{
    return self->front_count;
}

const archive_entry_t *archive_front_at (const archive_t *self, size_t index)
{
    assert (index < self->front_count);
    return &self->entries[self->front[index]];
}

const archive_entry_t *archive_at (const archive_t *self, size_t index)
{
    assert (index < self->count);
    return &self->entries[index];
}

const archive_entry_t *archive_best (const archive_t *self)
{
    return self->best == NOBODY ? NULL : &self->entries[self->best];
}

/* Walks down the sum tree to where the weights before it add up to the number drawn. */
static uint32_t s_select_dgm (const archive_t *self, random_t *random)
{
    double target = random_unit (random) * self->weights[1];
    size_t node = 1;
    while (node < self->capacity) {
        node *= 2;
        /* Rounding may leave a target at the very end: never step into what weighs nothing. */
        if (target >= self->weights[node] && self->weights[node + 1] > 0) {
            target -= self->weights[node];
            node++;
        }
    }
    assert (self->weights[node] > 0);
    return (uint32_t)(node - self->capacity);
}

static uint32_t s_select_tournament (const archive_t *self, random_t *random)
{
    uint32_t winner = NOBODY;
    for (int i = 0; i < ARCHIVE_TOURNAMENT; i++) {
        uint32_t one = self->valid[random_below (random, self->valid_count)];
        if (winner == NOBODY || self->entries[one].score > self->entries[winner].score)
            winner = one;
    }
    return winner;
}

const archive_entry_t *archive_select (const archive_t *self, selection_t how, random_t *random)
{
    if (self->valid_count == 0)
        return NULL;
    uint32_t index = NOBODY;
    switch (how) {
    case SELECT_DGM: index = s_select_dgm (self, random); break;
    case SELECT_PARETO: index = self->front[random_below (random, self->front_count)]; break;
    case SELECT_TOURNAMENT: index = s_select_tournament (self, random); break;
    case SELECT_BEST: index = self->best; break;
    case SELECT_RANDOM: index = self->valid[random_below (random, self->valid_count)]; break;
    }
    assert (index < self->count && self->entries[index].valid);
    return &self->entries[index];
}
