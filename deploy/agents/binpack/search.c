/* SPDX-License-Identifier: MPL-2.0 */
/* A proposer that searches before it proposes: an evolution strategy over the marked numbers of the parent's
 * priority.c. It packs instances that it draws itself, of the evaluator's kind, and others in every generation,
 * so there is nothing that it could learn by heart; the private ones it never sees. How long it searches is a
 * count, not a time: the same input gives the same proposal.
 *
 *   search FILE GENERATIONS          FILE becomes what was found, if that is better on instances unused so far
 *   search FILE --excess SEED COUNT  prints the excess of FILE as it is, in percent, on COUNT instances
 *   search FILE --bins               packs instances from stdin, a line of sizes each; prints the bins of each
 */
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The parent's own code is what is searched over, with its tables made variable. So there is no copy of its
 * formula here that might differ; it needs s_bonus and s_tilt, and where it has none this doesn't compile: no
 * proposal. */
#define const
#include "priority.c"
#undef const

#define ITEMS    500 /* the instances: as in evaluator.c */
#define ITEM_MIN 20
#define ITEM_MAX 100
#define CAPACITY 150
#define WORDS    (CAPACITY / 64 + 1)

#define NUMBERS   (GAPS + 1)
#define OFFSPRING 24 /* of a generation; the better half are the parents of the next */
#define PARENTS   (OFFSPRING / 2)
#define INSTANCES 20   /* on which a generation is compared */
#define JUDGES    400  /* on which the outcome is compared with the parent */
#define NARROWING 0.03 /* the last generation's steps, relative to the first's */
#define FILE_MAX  65536

/* A marked number of the file. */
typedef struct {
    size_t offset; /* of its text */
    size_t length;
    double *variable;
    double minimum;
    double maximum;
} number_t;

typedef struct {
    char text[FILE_MAX];
    number_t numbers[NUMBERS];
} source_t;

typedef struct {
    uint8_t items[ITEMS];
    int bound; /* bins that no packing can do without */
} instance_t;

/* A setting of the numbers, each from 0 (its minimum) to 1 (its maximum). */
typedef struct {
    double at[NUMBERS];
    double excess;
} point_t;

static double s_value[ITEM_MAX + 1]
                     [CAPACITY + 1]; /* priority () of each item and rest, with the numbers as set */

/* --- chance --- */

/* SplitMix64; a number from 0 to below 1. */
static double s_random (uint64_t *state)
{
    uint64_t z = *state += UINT64_C (0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C (0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C (0x94d049bb133111eb);
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

/* Nearly normal, of deviation 1: the sum of twelve uniform numbers. */
static double s_normal (uint64_t *state)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += s_random (state);
    return sum;
}

static void s_bound (instance_t *instance)
{
    int sum = 0;
    for (int i = 0; i < ITEMS; i++)
        sum += instance->items[i];
    instance->bound = (sum + CAPACITY - 1) / CAPACITY;
}

static void s_draw (uint64_t *state, instance_t *instances, int count)
{
    for (int i = 0; i < count; i++) {
        for (int j = 0; j < ITEMS; j++)
            instances[i].items[j] = (uint8_t)(ITEM_MIN + (int)(s_random (state) * (ITEM_MAX - ITEM_MIN + 1)));
        s_bound (&instances[i]);
    }
}

/* --- packing --- */

/* The best rest for this item among those in the set. Which bin was opened first would matter only between two
 * of different rest and priorities equal to the last bit; there the fuller one wins. */
static int s_choose (const uint64_t rests[WORDS], int item)
{
    int best = -1;
    for (int word = item / 64; word < WORDS; word++) {
        uint64_t set = rests[word];
        if (word == item / 64)
            set &= UINT64_MAX << item % 64;
        for (; set != 0; set &= set - 1) {
            int rest = word * 64 + __builtin_ctzll (set);
            if (best < 0 || s_value[item][rest] > s_value[item][best])
                best = rest;
        }
    }
    return best;
}

/* The bins that an instance takes. Bins of equal rest are alike, so it only counts them. */
static int s_pack (const instance_t *instance)
{
    int bins = 0, open[CAPACITY + 1] = {0};
    uint64_t rests[WORDS] = {0};
    rests[CAPACITY / 64] |= UINT64_C (1) << CAPACITY % 64; /* a new bin is always there */
    for (int i = 0; i < ITEMS; i++) {
        int item = instance->items[i], from = s_choose (rests, item), to = from - item;
        if (from == CAPACITY)
            bins++;
        else if (--open[from] == 0)
            rests[from / 64] &= ~(UINT64_C (1) << from % 64);
        open[to]++;
        rests[to / 64] |= UINT64_C (1) << to % 64;
    }
    return bins;
}

/* Asks the parent's code about everything that can come up. */
static void s_tabulate (void)
{
    for (int item = ITEM_MIN; item <= ITEM_MAX; item++)
        for (int rest = item; rest <= CAPACITY; rest++)
            s_value[item][rest] = priority (item, rest, CAPACITY);
}

/* Bins beyond the bound, in percent: the mean. */
static double s_excess (const instance_t *instances, int count)
{
    double sum = 0;
    s_tabulate ();
    for (int i = 0; i < count; i++)
        sum += 100.0 * (s_pack (&instances[i]) - instances[i].bound) / instances[i].bound;
    return sum / count;
}

/* --- the file --- */

/* Reads the number before the comment that begins at `comment`, and its range behind. */
static bool s_read_number (const char *text, const char *comment, number_t *number)
{
    const char *end = comment, *start;
    char *rest;
    while (end > text && strchr (" ,;", end[-1]) != NULL)
        end--;
    for (start = end; start > text && strchr ("+-.0123456789e", start[-1]) != NULL; start--)
        ;
    number->offset = (size_t)(start - text);
    number->length = (size_t)(end - start);
    number->minimum = (double)strtol (comment + strlen ("// evolve:"), &rest, 10);
    if (strncmp (rest, "..", 2) != 0)
        return false;
    number->maximum = (double)strtol (rest + 2, NULL, 10);
    return start < end && number->minimum < number->maximum && strtod (start, NULL) == *number->variable;
}

/* Finds the marked numbers, and that they are those of the tables, in order. */
static int s_read_source (const char *path, source_t *source)
{
    FILE *file = fopen (path, "r");
    size_t size = file == NULL ? 0 : fread (source->text, 1, sizeof source->text - 1, file);
    if (file != NULL)
        fclose (file);
    source->text[size] = '\0';
    int count = 0;
    const char *at = source->text;
    for (; (at = strstr (at, "// evolve:")) != NULL && count < NUMBERS; at++, count++) {
        number_t *number = &source->numbers[count];
        number->variable = count < GAPS ? &s_bonus[count] : &s_tilt;
        if (!s_read_number (source->text, at, number))
            break;
    }
    if (count == NUMBERS && at == NULL)
        return 0;
    fprintf (stderr, "%s: expected %d marked numbers, those of s_bonus and s_tilt\n", path, NUMBERS);
    return -1;
}

static int s_write_source (const char *path, const source_t *source)
{
    FILE *file = fopen (path, "w");
    size_t from = 0;
    if (file == NULL)
        return -1;
    for (int i = 0; i < NUMBERS; i++) {
        const number_t *number = &source->numbers[i];
        fprintf (file, "%.*s%.4f", (int)(number->offset - from), source->text + from, *number->variable);
        from = number->offset + number->length;
    }
    fputs (source->text + from, file);
    return fclose (file);
}

/* --- the search --- */

static void s_get (const source_t *source, point_t *point)
{
    for (int i = 0; i < NUMBERS; i++) {
        const number_t *number = &source->numbers[i];
        point->at[i] = (*number->variable - number->minimum) / (number->maximum - number->minimum);
    }
}

/* Sets the numbers, to the digits that are written. */
static void s_set (const source_t *source, const point_t *point)
{
    for (int i = 0; i < NUMBERS; i++) {
        const number_t *number = &source->numbers[i];
        double value = number->minimum + point->at[i] * (number->maximum - number->minimum);
        *number->variable = nearbyint (value * 1e4) / 1e4 + 0.0; /* no negative zero */
    }
}

static int s_compare (const void *a, const void *b)
{
    double left = ((const point_t *)a)->excess, right = ((const point_t *)b)->excess;
    return (left > right) - (left < right);
}

/* Moves the mean to that of the better half, and the deviation of each number towards what served them: the
 * diagonal of CMA-ES's rank-mu update (Ros and Hansen 2008, "A simple modification in CMA-ES"), with equal
 * weights. */
static void s_learn (point_t *mean, double deviation[NUMBERS], double step, const point_t *best)
{
    const double rate = (double)PARENTS / (NUMBERS + 2 * PARENTS);
    for (int i = 0; i < NUMBERS; i++) {
        double sum = 0, squares = 0;
        for (int j = 0; j < PARENTS; j++) {
            double moved = (best[j].at[i] - mean->at[i]) / step;
            sum += best[j].at[i];
            squares += moved * moved;
        }
        deviation[i] = sqrt ((1 - rate) * deviation[i] * deviation[i] + rate * squares / PARENTS);
        mean->at[i] = sum / PARENTS;
    }
}

/* Moves `mean` to better points. The first steps are the learning rate's part of each range; they shrink by a
 * schedule, as with instances that change there is no telling a step that is too long from bad luck. */
static void s_search (const source_t *source, uint64_t seed, double learning_rate, long generations,
                      point_t *mean)
{
    static instance_t instances[INSTANCES];
    point_t offspring[OFFSPRING];
    double deviation[NUMBERS];
    for (int i = 0; i < NUMBERS; i++)
        deviation[i] = 1;
    for (long generation = 0; generation < generations; generation++) {
        double step = learning_rate * pow (NARROWING, (double)generation / (double)generations);
        s_draw (&seed, instances, INSTANCES);
        for (int i = 0; i < OFFSPRING; i++) {
            for (int j = 0; j < NUMBERS; j++)
                offspring[i].at[j] = fmin (fmax (mean->at[j] + step * deviation[j] * s_normal (&seed), 0), 1);
            s_set (source, &offspring[i]);
            offspring[i].excess = s_excess (instances, INSTANCES);
        }
        qsort (offspring, OFFSPRING, sizeof *offspring, s_compare);
        s_learn (mean, deviation, step, offspring);
    }
}

/* --- what it is called for --- */

static int s_propose (const char *path, source_t *source, long generations)
{
    static instance_t judges[JUDGES];
    json_t *told = json_loadf (stdin, 0, NULL);
    json_t *seed_told = json_object_get (told, "seed"), *rate = json_object_get (told, "learning_rate");
    if (!json_is_integer (seed_told) || !json_is_number (rate)) {
        fprintf (stderr, "stdin: expected JSON with a seed and a learning_rate\n");
        json_decref (told);
        return EXIT_FAILURE;
    }
    uint64_t seed = (uint64_t)json_integer_value (seed_told), judges_seed = ~seed;
    double learning_rate = json_number_value (rate);
    json_decref (told);
    s_draw (&judges_seed, judges, JUDGES);
    double before = s_excess (judges, JUDGES);
    point_t mean;
    s_get (source, &mean);
    s_search (source, seed, learning_rate, generations, &mean);
    s_set (source, &mean);
    double after = s_excess (judges, JUDGES);
    if (after >= before) /* an unchanged file: no proposal */
        return EXIT_SUCCESS;
    if (s_write_source (path, source) != 0) {
        perror (path);
        return EXIT_FAILURE;
    }
    printf ("{\"improvement_type\": \"parameter_tuning\", \"description\": \"%.2f %% instead of %.2f %% on "
            "%d instances of"
            " its own\"}\n",
            after, before, JUDGES);
    return EXIT_SUCCESS;
}

static int s_print_excess (uint64_t seed, int count)
{
    instance_t *instances = calloc ((size_t)count, sizeof *instances);
    if (instances == NULL)
        return EXIT_FAILURE;
    s_draw (&seed, instances, count);
    printf ("%.4f\n", s_excess (instances, count));
    free (instances);
    return EXIT_SUCCESS;
}

static int s_print_bins (void)
{
    instance_t instance;
    int item, count = 0;
    s_tabulate ();
    while (scanf ("%d", &item) == 1) {
        if (item < ITEM_MIN || item > ITEM_MAX)
            return EXIT_FAILURE;
        instance.items[count++] = (uint8_t)item;
        if (count == ITEMS) {
            printf ("%d\n", s_pack (&instance));
            count = 0;
        }
    }
    return count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main (int argc, char **argv)
{
    static source_t source;
    if (argc == 3 && strcmp (argv[2], "--bins") == 0)
        return s_print_bins ();
    if (argc == 5 && strcmp (argv[2], "--excess") == 0 && atoi (argv[4]) > 0)
        return s_print_excess (strtoull (argv[3], NULL, 10), atoi (argv[4]));
    long generations = argc == 3 ? strtol (argv[2], NULL, 10) : 0;
    if (generations < 1) {
        fprintf (stderr, "usage: search FILE GENERATIONS | FILE --excess SEED COUNT | FILE --bins\n");
        return EXIT_FAILURE;
    }
    if (s_read_source (argv[1], &source) != 0)
        return EXIT_FAILURE;
    return s_propose (argv[1], &source, generations);
}
