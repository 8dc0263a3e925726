/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/island.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "evolution/pareto.h"
#include "protocol/error.h"

bool entry_better (const archive_entry_t *a, const archive_entry_t *b)
{
    assert (a->valid && b->valid);
    if (a->violation > 0 || b->violation > 0)
        return a->violation < b->violation;
    return a->score > b->score;
}

/* --- weights --- */

/* How much an entry weighs in SELECT_DGM. */
static double s_weight (const island_t *self, const archive_entry_t *entries, const archive_entry_t *entry)
{
    assert (entry->valid && self->best != ISLAND_NOBODY);
    double best = entries[self->best].score;
    double share = entry->score / (best > ARCHIVE_BEST_MIN ? best : ARCHIVE_BEST_MIN);
    if (share < -4)
        share = -4; /* a weight of 1e-20 is never picked, but stays a number */
    if (entry->violation > 0)
        share = -8; /* still less, where anything keeps to the limits */
    return 1 / (1 + archive_exp (-10 * (share - 0.5))) / (1 + entry->children);
}

/* Gives an entry a weight, and those above it their sums. */
static void s_weigh (island_t *self, uint32_t entry, double weight)
{
    assert (entry < self->capacity);
    size_t node = self->capacity + entry;
    self->weights[node] = weight;
    for (node /= 2; node >= 1; node /= 2)
        self->weights[node] = self->weights[2 * node] + self->weights[2 * node + 1];
}

void island_reweigh (island_t *self, const archive_entry_t *entries, uint32_t entry)
{
    assert (self->count > 0);
    s_weigh (self, entry, s_weight (self, entries, &entries[entry]));
}

/* Brings some of the weights up to date, going round the list. */
static void s_renew (island_t *self, const archive_entry_t *entries, size_t count)
{
    assert (self->stale <= count);
    for (size_t i = 0; i < ISLAND_RENEW && self->stale > 0; i++, self->stale--) {
        self->cursor = self->cursor + 1 < count ? self->cursor + 1 : 0;
        if (self->weights[self->capacity + self->cursor] > 0)
            island_reweigh (self, entries, (uint32_t)self->cursor);
    }
}

/* --- the elite --- */

/* Says how crowded each one of a front is. */
static void s_crowd (const objectives_t *objectives, const archive_entry_t *entries, elite_t *elite, size_t n,
                     unsigned rank)
{
    metrics_t front[ISLAND_ELITE + 1] = {0};
    size_t places[ISLAND_ELITE + 1], size = 0;
    double distances[ISLAND_ELITE + 1];
    for (size_t i = 0; i < n; i++)
        if (elite[i].rank == rank) {
            front[size] = entries[elite[i].entry].metrics;
            places[size++] = i;
        }
    int rc = pareto_crowding (objectives, front, size, distances);
    assert (rc == 0);
    (void)rc;
    for (size_t i = 0; i < size; i++)
        elite[places[i]].crowding = distances[i];
}

/* Ranks those tried. */
static void s_rank (const objectives_t *objectives, const archive_entry_t *entries, elite_t *elite, size_t n)
{
    assert (n > 0 && n <= ISLAND_ELITE + 1);
    metrics_t points[ISLAND_ELITE + 1];
    unsigned ranks[ISLAND_ELITE + 1], last = 0;
    for (size_t i = 0; i < n; i++)
        points[i] = entries[elite[i].entry].metrics;
    int rc = pareto_ranks (objectives, points, n, ranks);
    assert (rc == 0);
    (void)rc;
    for (size_t i = 0; i < n; i++) {
        elite[i].rank = ranks[i];
        last = ranks[i] > last ? ranks[i] : last;
    }
    for (unsigned rank = 1; rank <= last; rank++)
        s_crowd (objectives, entries, elite, n, rank);
}

/* True if `a` goes before `b`: a lower front, more room on it, or a better score by the weights. */
static bool s_before (const archive_entry_t *entries, const elite_t *a, const elite_t *b)
{
    if (a->rank != b->rank)
        return a->rank < b->rank;
    if (a->crowding > b->crowding || a->crowding < b->crowding)
        return a->crowding > b->crowding;
    return entry_better (&entries[a->entry], &entries[b->entry]);
}

/* The one that has to go: the last by rank, crowding and score, the newest of equals; never the best. */
static size_t s_last (const island_t *self, const archive_entry_t *entries, size_t n)
{
    size_t last = n;
    for (size_t i = 0; i < n; i++)
        if (self->elite[i].entry != self->best &&
            (last == n || !s_before (entries, &self->elite[i], &self->elite[last])))
            last = i;
    assert (last < n);
    return last;
}

/* True if an entry can't get into a full elite: one of the last front dominates it. */
static bool s_hopeless (const island_t *self, const objectives_t *objectives, const archive_entry_t *entries,
                        const archive_entry_t *entry)
{
    if (self->elite_count < ISLAND_ELITE)
        return false;
    unsigned last = 0;
    for (size_t i = 0; i < self->elite_count; i++)
        last = self->elite[i].rank > last ? self->elite[i].rank : last;
    for (size_t i = 0; i < self->elite_count; i++)
        if (self->elite[i].rank == last &&
            pareto_dominates (objectives, &entries[self->elite[i].entry].metrics, &entry->metrics))
            return true;
    return false;
}

/* Tries an entry for the elite. */
static void s_try (island_t *self, const objectives_t *objectives, const archive_entry_t *entries,
                   uint32_t entry)
{
    if (s_hopeless (self, objectives, entries, &entries[entry]))
        return;
    size_t n = self->elite_count;
    self->elite[n++] = (elite_t){.entry = entry};
    s_rank (objectives, entries, self->elite, n);
    if (n > ISLAND_ELITE) {
        size_t last = s_last (self, entries, n);
        unsigned rank = self->elite[last].rank;
        memmove (&self->elite[last], &self->elite[last + 1], (n - last - 1) * sizeof *self->elite);
        n--; /* it dominated nobody, so no rank changes, but its neighbours have more room */
        s_crowd (objectives, entries, self->elite, n, rank);
    }
    self->elite_count = n;
}

size_t island_top (const island_t *self, const archive_entry_t *entries, uint32_t *top, size_t max)
{
    assert (self->elite_count <= ISLAND_ELITE);
    size_t count = 0;
    for (size_t i = 0; i < self->elite_count; i++) {
        uint32_t entry = self->elite[i].entry;
        size_t at = count;
        while (at > 0 && entry_better (&entries[entry], &entries[top[at - 1]]))
            at--;
        if (at == max)
            continue;
        count += count < max;
        memmove (&top[at + 1], &top[at], (count - at - 1) * sizeof *top);
        top[at] = entry;
    }
    return count;
}

/* --- members --- */

int island_grow (island_t *self, size_t capacity)
{
    assert (capacity > self->capacity && (capacity & (capacity - 1)) == 0);
    uint32_t *members = realloc (self->members, capacity * sizeof *members);
    if (!members)
        return ERROR_MEMORY;
    self->members = members;
    double *weights = calloc (2 * capacity, sizeof *weights);
    if (!weights)
        return ERROR_MEMORY;
    if (self->capacity > 0)
        memcpy (weights + capacity, self->weights + self->capacity, self->capacity * sizeof *weights);
    for (size_t node = capacity - 1; node >= 1; node--)
        weights[node] = weights[2 * node] + weights[2 * node + 1];
    free (self->weights);
    self->weights = weights;
    self->capacity = capacity;
    return 0;
}

void island_clear (island_t *self)
{
    assert (self);
    if (self->capacity > 0)
        memset (self->weights, 0, 2 * self->capacity * sizeof *self->weights);
    self->count = self->stale = self->cursor = self->elite_count = 0;
    self->best = ISLAND_NOBODY;
}

void island_free (island_t *self)
{
    assert (self);
    free (self->members);
    free (self->weights);
    memset (self, 0, sizeof *self);
}

void island_join (island_t *self, const objectives_t *objectives, const archive_entry_t *entries,
                  size_t count, uint32_t entry)
{
    assert (entry < count && count <= self->capacity && self->count < count);
    assert (entries[entry].valid && self->weights[self->capacity + entry] == 0);
    self->members[self->count++] = entry;
    if (self->best == ISLAND_NOBODY || entry_better (&entries[entry], &entries[self->best])) {
        self->best = entry; /* the measure of all weights */
        self->stale = count;
    }
    s_renew (self, entries, count);
    island_reweigh (self, entries, entry);
    s_try (self, objectives, entries, entry);
}

void island_leave (island_t *self, uint32_t entry)
{
    size_t at = 0;
    while (at < self->count && self->members[at] != entry)
        at++;
    assert (at < self->count && entry != self->best);
    memmove (&self->members[at], &self->members[at + 1], (self->count - at - 1) * sizeof *self->members);
    self->count--;
    s_weigh (self, entry, 0);
}

/* --- selection --- */

/* Walks down the sum tree to where the weights before it add up to the number drawn. */
static uint32_t s_select_dgm (const island_t *self, random_t *random)
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

static uint32_t s_select_tournament (const island_t *self, const archive_entry_t *entries, random_t *random)
{
    uint32_t winner = self->members[random_below (random, self->count)];
    for (int i = 1; i < ARCHIVE_TOURNAMENT; i++) {
        uint32_t one = self->members[random_below (random, self->count)];
        if (entry_better (&entries[one], &entries[winner]))
            winner = one;
    }
    return winner;
}

static uint32_t s_select_pareto (const island_t *self, const archive_entry_t *entries, random_t *random)
{
    size_t front[ISLAND_ELITE], size = 0;
    for (size_t i = 0; i < self->elite_count; i++)
        if (self->elite[i].rank == 1)
            front[size++] = i;
    assert (size > 0);
    const elite_t *one = &self->elite[front[random_below (random, size)]];
    const elite_t *other = &self->elite[front[random_below (random, size)]];
    return s_before (entries, other, one) ? other->entry : one->entry;
}

uint32_t island_select (const island_t *self, const archive_entry_t *entries, selection_t how,
                        random_t *random)
{
    assert (self->count > 0 && self->best != ISLAND_NOBODY);
    switch (how) {
    case SELECT_DGM: return s_select_dgm (self, random);
    case SELECT_PARETO: return s_select_pareto (self, entries, random);
    case SELECT_TOURNAMENT: return s_select_tournament (self, entries, random);
    case SELECT_BEST: return self->best;
    case SELECT_RANDOM: return self->members[random_below (random, self->count)];
    }
    assert (false);
    return self->best;
}
