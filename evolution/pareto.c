/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/pareto.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/error.h"

/* By how much `a` is better than `b` on objective i. */
static double s_lead (const objectives_t *objectives, const metrics_t *a, const metrics_t *b, size_t i)
{
    double lead = a->values[i] - b->values[i];
    return objectives->items[i].goal == GOAL_MINIMIZE ? -lead : lead;
}

/* Dominance where both keep to the limits, or where nothing is limited. */
static bool s_dominates_feasible (const objectives_t *objectives, const metrics_t *a, const metrics_t *b)
{
    bool better = false;
    for (size_t i = 0; i < objectives->count; i++) {
        double lead = s_lead (objectives, a, b, i);
        assert (!isnan (lead));
        if (lead < 0)
            return false;
        better |= lead > 0;
    }
    return better;
}

bool pareto_dominates (const objectives_t *objectives, const metrics_t *a, const metrics_t *b)
{
    assert (a->count == objectives->count && b->count == objectives->count);
    double past_a = objectives_violation (objectives, a), past_b = objectives_violation (objectives, b);
    if (past_a > 0 || past_b > 0)
        return past_a < past_b;
    return s_dominates_feasible (objectives, a, b);
}

static bool s_all_measured (const objectives_t *objectives, const metrics_t *points, size_t n)
{
    for (size_t p = 0; p < n; p++)
        if (!objectives_measured (objectives, &points[p]))
            return false;
    return true;
}

/* Points as rows of numbers, of which more is better; `past` is how far each is past its limits. */
typedef struct {
    double *leads;
    double *past;
    unsigned *dominators;
    size_t dimensions;
} rows_t;

static bool s_row_dominates (const rows_t *rows, size_t p, size_t q)
{
    if (rows->past[p] > 0 || rows->past[q] > 0)
        return rows->past[p] < rows->past[q];
    const double *a = rows->leads + p * rows->dimensions, *b = rows->leads + q * rows->dimensions;
    bool better = false;
    for (size_t i = 0; i < rows->dimensions; i++) {
        if (a[i] < b[i])
            return false;
        better |= a[i] > b[i];
    }
    return better;
}

static int s_rows (const objectives_t *objectives, const metrics_t *points, size_t n, rows_t *rows)
{
    rows->dimensions = objectives->count;
    rows->leads = calloc (n * (rows->dimensions + 1) + 1, sizeof *rows->leads);
    rows->dominators = calloc (n + 1, sizeof *rows->dominators);
    if (!rows->leads || !rows->dominators)
        return ERROR_MEMORY;
    rows->past = rows->leads + n * rows->dimensions;
    for (size_t p = 0; p < n; p++) {
        rows->past[p] = objectives_violation (objectives, &points[p]);
        for (size_t i = 0; i < rows->dimensions; i++)
            rows->leads[p * rows->dimensions + i] =
                objectives->items[i].goal == GOAL_MINIMIZE ? -points[p].values[i] : points[p].values[i];
    }
    for (size_t p = 0; p < n; p++)
        for (size_t q = 0; q < n; q++)
            rows->dominators[q] += s_row_dominates (rows, p, q);
    return 0;
}

/* Deb's sort keeps for each point the list of those that it dominates, which takes n² memory. Here dominance is asked
 * again when a front is taken off: twice the comparisons, linear memory. */
static void s_take_off_fronts (rows_t *rows, size_t n, unsigned *ranks)
{
    size_t ranked = 0;
    for (unsigned rank = 1; ranked < n; rank++) {
        size_t before = ranked;
        for (size_t p = 0; p < n; p++)
            if (ranks[p] == 0 && rows->dominators[p] == 0) {
                ranks[p] = rank;
                ranked++;
            }
        assert (ranked > before); /* dominance has no cycles */
        for (size_t p = 0; p < n; p++)
            for (size_t q = 0; ranks[p] == rank && q < n; q++)
                rows->dominators[q] -= ranks[q] == 0 && s_row_dominates (rows, p, q);
    }
}

int pareto_ranks (const objectives_t *objectives, const metrics_t *points, size_t n, unsigned *ranks)
{
    assert (objectives && (n == 0 || (points && ranks)));
    if (!s_all_measured (objectives, points, n))
        return ERROR_INPUT;
    rows_t rows = {0};
    int rc = s_rows (objectives, points, n, &rows);
    for (size_t p = 0; p < n && rc == 0; p++)
        ranks[p] = 0;
    if (rc == 0)
        s_take_off_fronts (&rows, n, ranks);
    free (rows.leads);
    free (rows.dominators);
    return rc;
}

typedef struct {
    double value;
    size_t index;
} ordered_t;

/* By value, then by index, so that the order never depends on the sort. */
static int s_compare (const void *a, const void *b)
{
    const ordered_t *left = a, *right = b;
    if (left->value != right->value)
        return left->value < right->value ? -1 : 1;
    return (left->index > right->index) - (left->index < right->index);
}

/* Adds one objective's part: the gap between a point's neighbours, relative to the front's range. */
static void s_crowd (const metrics_t *points, size_t n, size_t objective, ordered_t *order, double *distances)
{
    assert (n > 0 && objective < points[0].count);
    for (size_t p = 0; p < n; p++)
        order[p] = (ordered_t){.value = points[p].values[objective], .index = p};
    qsort (order, n, sizeof *order, s_compare);
    /* In halves, since the difference of two numbers near the largest is none. */
    double range = order[n - 1].value / 2 - order[0].value / 2;
    assert (range >= 0 && isfinite (range));
    if (range == 0)
        return; /* all the same here: no point is at an end */
    distances[order[0].index] = INFINITY;
    distances[order[n - 1].index] = INFINITY;
    for (size_t k = 1; k + 1 < n; k++)
        distances[order[k].index] += (order[k + 1].value / 2 - order[k - 1].value / 2) / range;
}

int pareto_crowding (const objectives_t *objectives, const metrics_t *points, size_t n, double *distances)
{
    assert (objectives && (n == 0 || (points && distances)));
    if (!s_all_measured (objectives, points, n))
        return ERROR_INPUT;
    for (size_t p = 0; p < n; p++)
        distances[p] = n <= 2 ? INFINITY : 0;
    if (n <= 2)
        return 0;
    ordered_t *order = calloc (n, sizeof *order);
    if (!order)
        return ERROR_MEMORY;
    for (size_t i = 0; i < objectives->count; i++)
        s_crowd (points, n, i, order, distances);
    free (order);
    return 0;
}

/* The boxes between the reference and each point, by how far the point is better: extents[p * dimensions + d]. */
typedef struct {
    const double *extents;
    size_t dimensions;
    ordered_t *order; /* one row of `n` for each dimension */
    size_t n;
} boxes_t;

/* The area of the union of boxes in the first two dimensions, `order` by falling extent in the second: each adds what it reaches
 * beyond the widest so far. */
static double s_area (const boxes_t *boxes, const ordered_t *order, size_t count)
{
    double area = 0, widest = 0;
    for (size_t k = 0; k < count; k++) {
        double width = boxes->extents[order[k].index * boxes->dimensions];
        assert (width > 0 && order[k].value < 0);
        if (width > widest) {
            area += (width - widest) * -order[k].value;
            widest = width;
        }
    }
    return area;
}

/* Volume, in the first `dimensions` ones, of the union of the boxes whose indices stand in `members`. Sweeps the last dimension
 * from the far end: between two levels, the boxes that reach the upper one cover a slice of one dimension less. */
static double s_volume (const boxes_t *boxes, size_t dimensions, const ordered_t *members, size_t count)
{
    assert (dimensions > 0 && dimensions <= boxes->dimensions && count > 0 && count <= boxes->n);
    ordered_t *order = boxes->order + (dimensions - 1) * boxes->n;
    size_t axis = dimensions - 1;
    for (size_t k = 0; k < count; k++)
        order[k] = (ordered_t){.value = -boxes->extents[members[k].index * boxes->dimensions + axis],
                               .index = members[k].index};
    qsort (order, count, sizeof *order, s_compare);
    if (dimensions == 1)
        return -order[0].value;
    if (dimensions == 2)
        return s_area (boxes, order, count);
    double volume = 0;
    for (size_t k = 0; k < count; k++) {
        double next = k + 1 < count ? order[k + 1].value : 0;
        double height = next - order[k].value;
        if (height > 0)
            volume += height * s_volume (boxes, dimensions - 1, order, k + 1);
    }
    return volume;
}

double pareto_hypervolume (const objectives_t *objectives, const metrics_t *points, size_t n,
                           const metrics_t *reference)
{
    size_t dimensions = objectives->count;
    assert (reference->count == dimensions);
    if (n == 0 || dimensions == 0)
        return 0;
    if (!objectives_measured (objectives, reference) || !s_all_measured (objectives, points, n))
        return -1;
    double *extents = calloc (n * dimensions, sizeof *extents);
    ordered_t *order = calloc (n * (dimensions + 1), sizeof *order);
    double volume = -1;
    if (extents && order) {
        size_t inside = 0; /* points that are no better than the reference somewhere span no box */
        for (size_t p = 0; p < n; p++) {
            bool box = objectives_violation (objectives, &points[p]) == 0;
            for (size_t i = 0; i < dimensions; i++) {
                extents[p * dimensions + i] = s_lead (objectives, &points[p], reference, i);
                box &= extents[p * dimensions + i] > 0;
            }
            if (box)
                order[dimensions * n + inside++].index = p;
        }
        boxes_t boxes = {.extents = extents, .dimensions = dimensions, .order = order, .n = n};
        volume = inside > 0 ? s_volume (&boxes, dimensions, order + dimensions * n, inside) : 0;
    }
    free (extents);
    free (order);
    return volume;
}
