/* SPDX-License-Identifier: MPL-2.0 */
/* The proposer of circle-packing: perturbs, optimises again, and goes on from what is better, or not much
 * worse. Half of the runs begin at the parent, the others at random points; where a chain of moves finds
 * nothing better for long, a new one begins at random points. How long it searches is a count, not a time:
 * the same input gives the same proposal.
 *
 *   propose FILE COUNT    FILE is the parent's packing, and becomes the best of COUNT optimised ones
 *                         if that is better */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "optimise.h"

#define STALE_MAX    80    /* moves of a chain without a better packing */
#define SLACK        0.004 /* how much smaller a sum may be, at most, for the chain to go on from it */
#define RELOCATE_MAX 3     /* circles that one move puts elsewhere */
#define JITTER_MIN   0.003 /* standard deviation of the least shaking; the most is the learning rate */
#define BETTER       1e-9  /* what is better by less is the same packing */

/* A packing and the sum of its radii. */
typedef struct {
    layout_t layout;
    double sum;
} packing_t;

typedef struct {
    uint64_t random;
    double learning_rate;
    packing_t current; /* where the chain stands */
    double chain_best; /* the highest sum that the chain has seen */
    int stale;         /* moves since then */
    packing_t best;    /* of all chains */
} search_t;

/* SplitMix64; a number from 0 to below 1. */
static double s_random (search_t *self)
{
    uint64_t z = self->random += UINT64_C (0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C (0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C (0x94d049bb133111eb);
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

/* Nearly normal, of deviation 1: the sum of twelve uniform numbers. */
static double s_normal (search_t *self)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += s_random (self);
    return sum;
}

/* --- moves --- */

static void s_place (search_t *self, layout_t *layout, int circle)
{
    layout->x[circle] = s_random (self);
    layout->y[circle] = s_random (self);
}

static void s_scatter (search_t *self, layout_t *layout)
{
    for (int i = 0; i < CIRCLES; i++)
        s_place (self, layout, i);
}

static void s_relocate (search_t *self, layout_t *layout)
{
    int count = 1 + (int)(s_random (self) * RELOCATE_MAX);
    for (int i = 0; i < count; i++)
        s_place (self, layout, (int)(s_random (self) * CIRCLES));
}

static void s_shake (search_t *self, layout_t *layout)
{
    double widest = fmax (self->learning_rate / JITTER_MIN, 1);
    double deviation = JITTER_MIN * pow (widest, s_random (self));
    for (int i = 0; i < CIRCLES; i++) {
        layout->x[i] = fmin (fmax (layout->x[i] + deviation * s_normal (self), 0), 1);
        layout->y[i] = fmin (fmax (layout->y[i] + deviation * s_normal (self), 0), 1);
    }
}

/* --- the search --- */

/* Begins a chain at `layout`. */
static void s_begin (search_t *self, const layout_t *layout)
{
    self->current.layout = *layout;
    self->current.sum = self->chain_best = layout_optimise (&self->current.layout);
    self->stale = 0;
}

static void s_begin_anywhere (search_t *self)
{
    layout_t layout;
    s_scatter (self, &layout);
    s_begin (self, &layout);
}

static void s_move (search_t *self)
{
    packing_t next = self->current;
    if (s_random (self) < 0.5)
        s_shake (self, &next.layout);
    else
        s_relocate (self, &next.layout);
    next.sum = layout_optimise (&next.layout);
    self->stale++;
    if (next.sum > self->current.sum - SLACK * s_random (self))
        self->current = next;
    if (next.sum > self->chain_best + BETTER) {
        self->chain_best = next.sum;
        self->stale = 0;
    }
}

static void s_search (search_t *self, const layout_t *parent, long count)
{
    if (s_random (self) < 0.5)
        s_begin (self, parent);
    else
        s_begin_anywhere (self);
    self->best = self->current;
    for (long i = 1; i < count; i++) {
        if (self->stale > STALE_MAX)
            s_begin_anywhere (self);
        else
            s_move (self);
        if (self->current.sum > self->best.sum)
            self->best = self->current;
    }
}

/* --- between floating point and whole numbers --- */

static layout_t s_layout (const circle_t circles[CIRCLES])
{
    layout_t layout;
    for (int i = 0; i < CIRCLES; i++) {
        layout.x[i] = (double)circles[i].x / (double)SIDE;
        layout.y[i] = (double)circles[i].y / (double)SIDE;
        layout.r[i] = (double)circles[i].r / (double)SIDE;
    }
    return layout;
}

/* Rounds to units, and takes units from the radii until no circle overlaps by even one. */
static void s_round (const layout_t *layout, circle_t circles[CIRCLES])
{
    for (int i = 0; i < CIRCLES; i++)
        circles[i] = (circle_t){llround (layout->x[i] * (double)SIDE), llround (layout->y[i] * (double)SIDE),
                                llround (layout->r[i] * (double)SIDE)};
    for (int i = 0; i < CIRCLES; i++) {
        while (circle_sticks_out (&circles[i]))
            circles[i].r--;
        for (int j = 0; j < i; j++)
            while (circles_overlap (&circles[i], &circles[j])) {
                circles[i].r--;
                circles[j].r--;
            }
    }
}

static int s_write (const char *path, const circle_t circles[CIRCLES])
{
    FILE *file = fopen (path, "w");
    if (file == NULL)
        return -1;
    fprintf (file, "# SPDX-License-Identifier: MPL-2.0\n# x y r of a circle a line, in the unit square\n");
    for (int i = 0; i < CIRCLES; i++)
        fprintf (file, "0.%0*lld 0.%0*lld 0.%0*lld\n", DIGITS, (long long)circles[i].x, DIGITS,
                 (long long)circles[i].y, DIGITS, (long long)circles[i].r);
    return fclose (file);
}

static int s_read (const char *path, circle_t circles[CIRCLES])
{
    int line = 0;
    FILE *file = fopen (path, "r");
    const char *problem = file == NULL ? "can't be opened" : packing_read (file, circles, &line);
    if (problem != NULL)
        fprintf (stderr, "%s: line %d: %s\n", path, line, problem);
    if (file != NULL)
        fclose (file);
    return problem == NULL ? 0 : -1;
}

/* Takes the seed and the learning rate from what the node tells. */
static int s_read_input (search_t *search)
{
    json_t *told = json_loadf (stdin, 0, NULL);
    const json_t *seed = json_object_get (told, "seed"), *rate = json_object_get (told, "learning_rate");
    bool known = json_is_integer (seed) && json_is_number (rate);
    if (known) {
        search->random = (uint64_t)json_integer_value (seed);
        search->learning_rate = json_number_value (rate);
    } else
        fprintf (stderr, "stdin: expected JSON with a seed and a learning_rate\n");
    json_decref (told);
    return known ? 0 : -1;
}

int main (int argc, char **argv)
{
    circle_t parent[CIRCLES], found[CIRCLES];
    search_t search = {.stale = 0};
    long count = argc == 3 ? strtol (argv[2], NULL, 10) : 0;
    if (count < 1) {
        fprintf (stderr, "usage: propose FILE COUNT\n");
        return EXIT_FAILURE;
    }
    if (s_read_input (&search) != 0 || s_read (argv[1], parent) != 0)
        return EXIT_FAILURE;
    layout_t start = s_layout (parent);
    s_search (&search, &start, count);
    s_round (&search.best.layout, found);
    if (packing_sum (found) <= packing_sum (parent) + (int64_t)(BETTER * (double)SIDE)) {
        printf ("{\"exhausted\": \"none of %ld packings is better than the parent\"}\n", count);
        return EXIT_SUCCESS;
    }
    if (s_write (argv[1], found) != 0) {
        perror (argv[1]);
        return EXIT_FAILURE;
    }
    printf ("{\"improvement_type\": \"parameter_tuning\", \"description\": \"sum %.12f, the best of %ld "
            "packings\"}\n",
            search.best.sum, count);
    return EXIT_SUCCESS;
}
