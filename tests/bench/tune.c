/* SPDX-License-Identifier: MPL-2.0 */
/* How many evaluations `tune` needs, beside plain random mutation: through the real core of a node (selection of parents, inspirations,
 * learning rate, acceptance), one event after the other, with proposers and evaluators that are functions of this process.
 *
 * Random mutation has the best as its parent, with which it is far faster than with those that dgm, the node's default, draws; `tune` has
 * the default. There are two targets: a fixed one, which random mutation may not get to at all, and what it comes to in the median with
 * all its evaluations, so that the ratio is of two numbers that were measured. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evolution/archive.h"
#include "node/node.h"
#include "proposers/differ.h"
#include "tests/bench/bench.h"
#include "tests/bench/clan.h"

#define SEEDS           10
#define PARAMETERS_MAX  50
#define EVALUATIONS_MAX 20000
#define POINTS_MAX      (4 * EVALUATIONS_MAX) /* proposals that are the same as others, too */
#define RECENT          239                   /* as proposal_input tells them */
#define AIM_RATIO       3.0

typedef struct {
    const char *name;
    double (*f) (const double *x, size_t n);
    double bound;  /* of each parameter, on either side of 0 */
    double target; /* for ten parameters; in proportion for more */
} problem_of_t;

static double s_sphere (const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sum;
}

static double s_rosenbrock (const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i + 1 < n; i++) {
        double a = x[i + 1] - x[i] * x[i], b = 1 - x[i];
        sum += 100 * a * a + b * b;
    }
    return sum;
}

static double s_rastrigin (const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i] - 10 * cos (6.283185307179586 * x[i]) + 10;
    return sum;
}

static const problem_of_t s_problems[] = {{"sphere", s_sphere, 5.12, 0.001},
                                          {"Rosenbrock", s_rosenbrock, 2.048, 10},
                                          {"Rastrigin", s_rastrigin, 5.12, 1}};

typedef struct {
    digest_t id;
    double x[PARAMETERS_MAX];
    double value;
    size_t next; /* with the same hash */
} point_t;

/* How far one run had come when: each time that it found something better. */
typedef struct {
    struct {
        size_t evaluations;
        double best;
    } steps[EVALUATIONS_MAX];
    size_t count;
} trace_t;

typedef struct {
    const problem_of_t *problem;
    const clan_t *clan;
    bool tunes; /* else it mutates the parent at random */
    size_t n;
    literal_t literals[PARAMETERS_MAX];
    node_t *node;
    random_t random;
    uint64_t now_ms;
    point_t *points;
    size_t count;
    size_t heads[65536];
    size_t recent[RECENT]; /* the points evaluated last, round a ring */
    size_t evaluations;
    double best;
    trace_t *trace;
    effects_t effects; /* still to be answered */
} course_t;

static size_t s_hash (const digest_t *id)
{
    return (size_t)(id->bytes[0] | id->bytes[1] << 8);
}

static size_t s_find (const course_t *self, const digest_t *id)
{
    size_t at = self->heads[s_hash (id)];
    while (!digest_equal (&self->points[at].id, id)) {
        assert (at > 0);
        at = self->points[at].next;
    }
    return at;
}

static void s_add_point (course_t *self, const digest_t *id, const double *x)
{
    assert (self->count < POINTS_MAX);
    point_t *point = &self->points[self->count];
    point->id = *id;
    memcpy (point->x, x, self->n * sizeof *x);
    point->value = self->problem->f (x, self->n);
    point->next = self->heads[s_hash (id)];
    self->heads[s_hash (id)] = self->count++;
}

static void s_event (course_t *self, event_t *event)
{
    event->now_ms = ++self->now_ms;
    event->wall_ms = 1700000000000 + self->now_ms;
    if (node_step (self->node, event, &self->effects) != 0)
        bench_fail ("the node refused %s", event_name (event->kind));
}

/* As tune reads it from its input. */
static known_t s_known (const course_t *self, const propose_t *propose)
{
    known_t known = {.number = propose->number};
    size_t listed = propose->top.count + propose->diverse.count;
    for (size_t i = 0; i < listed && known.count < DIFFER_KNOWN_MAX; i++) {
        const hash_t *ids = i < propose->top.count ? propose->top.items + i
                                                   : propose->diverse.items + (i - propose->top.count);
        const point_t *point = &self->points[s_find (self, &ids->id)];
        known.losses[known.count] = point->value;
        known.rows[known.count++] = point->x;
    }
    known.best = propose->top.count;
    known.recent = known.count;
    size_t first = self->evaluations > RECENT ? self->evaluations - RECENT : 0;
    for (size_t i = first; i < self->evaluations && known.count < DIFFER_KNOWN_MAX; i++) {
        const point_t *point = &self->points[self->recent[i % RECENT]];
        known.losses[known.count] = point->value;
        known.rows[known.count++] = point->x;
    }
    return known;
}

static void s_propose (course_t *self, const propose_t *propose)
{
    parameter_t parameters[PARAMETERS_MAX];
    double x[PARAMETERS_MAX];
    const point_t *parent = &self->points[s_find (self, &propose->parent)];
    for (size_t i = 0; i < self->n; i++)
        parameters[i] = (parameter_t){&self->literals[i], parent->x[i]};
    random_t random;
    random_init_number (&random, propose->seed);
    if (self->tunes) {
        known_t known = s_known (self, propose);
        differ (parameters, self->n, &known, propose->learning_rate, &random);
    } else
        mutate (parameters, self->n, propose->learning_rate, &random);
    for (size_t i = 0; i < self->n; i++)
        x[i] = literal_rounded (&self->literals[i], parameters[i].value);
    uint8_t file[CLAN_FILE_BYTES] = {0};
    assert (sizeof x <= sizeof file);
    memcpy (file, x, self->n * sizeof *x);
    size_t size;
    uint8_t *tree = clan_tree (self->clan, file, &size);
    digest_t id = digest_of (tree, size);
    s_add_point (self, &id, x);
    event_t event = {.kind = EVENT_PROPOSED,
                     .as.proposed = {.operation = propose->operation,
                                     .parent = propose->parent,
                                     .tree = bytes_of (tree, size),
                                     .description = text_of ("made up")}};
    s_event (self, &event);
    free (tree);
}

static void s_evaluate (course_t *self, const evaluate_t *evaluate)
{
    size_t at = s_find (self, &evaluate->candidate);
    value_t value = {self->points[at].value};
    event_t event = {
        .kind = EVENT_EVALUATED,
        .as.evaluated = {.operation = evaluate->operation, .metrics = {&value, 1}, .wall_ms = 1}};
    if (!evaluate->live) {
        self->recent[self->evaluations++ % RECENT] = at;
        if (value.value < self->best) {
            self->best = value.value;
            self->trace->steps[self->trace->count].evaluations = self->evaluations;
            self->trace->steps[self->trace->count++].best = self->best;
        }
    }
    s_event (self, &event);
}

static void s_answer (course_t *self, const effect_t *effect)
{
    event_t event = {.kind = EVENT_TICK};
    switch ((unsigned)effect->kind) {
    case EFFECT_PROPOSE: s_propose (self, &effect->as.propose); return;
    case EFFECT_EVALUATE: s_evaluate (self, &effect->as.evaluate); return;
    case EFFECT_SNAPSHOT: event.kind = EVENT_SNAPSHOT_TAKEN; break;
    case EFFECT_APPLY: event.kind = EVENT_APPLIED; break;
    case EFFECT_MERGE: event.kind = EVENT_MERGED; break;
    default: return;
    }
    /* All three begin with the operation; a candidate that would have to be merged is given up. */
    event.as.snapshot_taken.operation = effect->as.snapshot.operation;
    event.as.snapshot_taken.result = effect->kind == EFFECT_MERGE;
    s_event (self, &event);
}

/* Answers whatever the node wants, until the target is reached. */
static void s_run (course_t *self, double target)
{
    self->best = INFINITY;
    while (self->best > target && self->evaluations < EVALUATIONS_MAX) {
        effects_t effects = self->effects;
        self->effects = (effects_t){0};
        for (size_t i = 0; i < effects.count; i++)
            s_answer (self, &effects.items[i]);
        effects_clear (&effects);
        if (self->effects.count == 0) {
            event_t event = {.kind = EVENT_TICK};
            self->now_ms = node_deadline_ms (self->node);
            s_event (self, &event);
        }
    }
}

static void s_start (course_t *self, uint64_t seed)
{
    double x[PARAMETERS_MAX];
    for (size_t i = 0; i < self->n; i++) {
        self->literals[i] = (literal_t){.kind = LITERAL_REAL,
                                        .length = 12,
                                        .minimum = -self->problem->bound,
                                        .maximum = self->problem->bound};
        x[i] = self->problem->bound * (2 * random_unit (&self->random) - 1);
    }
    digest_t start = digest_of (self->clan->start.data, self->clan->start.size);
    s_add_point (self, &start, x);
    objective_row_t objective = {
        .name = text_of ("f"), .goal = GOAL_MINIMIZE, .weight = 1, .bound = NAN, .alert = NAN};
    proposer_row_t proposer = {.name = text_of ("made-up"), .share = 1};
    event_t event = {.kind = EVENT_STARTED};
    event.as.started =
        (started_t){.charter = bytes_of (self->clan->group.packed.data, self->clan->group.packed.size),
                    .roster = bytes_of (self->clan->members->packed.data, self->clan->members->packed.size),
                    .start = bytes_of (self->clan->start.data, self->clan->start.size),
                    .name = text_of ("bench"),
                    .seed = digest_of (&seed, sizeof seed),
                    .objectives = {&objective, 1},
                    .proposers = {&proposer, 1},
                    .timeout_ms = 60000,
                    .slots = 1,
                    .selection = self->tunes ? SELECT_DGM : SELECT_BEST,
                    .islands = 1,
                    .migration_interval = 50,
                    .learning_rate = 0.1,
                    .breaker_threshold = 5,
                    .breaker_recovery_ms = 1000,
                    .automatic_rollback = 1};
    s_event (self, &event);
}

/* One run, until the target is reached. */
static void s_trace (const clan_t *clan, const problem_of_t *problem, size_t n, bool tunes, uint64_t seed,
                     double target, trace_t *trace)
{
    course_t *self = calloc (1, sizeof *self);
    assert (self);
    trace->count = 0;
    self->trace = trace;
    self->problem = problem;
    self->clan = clan;
    self->tunes = tunes;
    self->n = n;
    self->points = calloc (POINTS_MAX, sizeof *self->points);
    self->node = node_new (&clan->identities[0]);
    assert (self->points && self->node);
    random_init_number (&self->random, seed);
    s_start (self, seed);
    s_run (self, target);
    effects_clear (&self->effects);
    node_destroy (&self->node);
    free (self->points);
    free (self);
}

/* The evaluations to a target, of each run; EVALUATIONS_MAX where one didn't get there. */
static samples_t s_evaluations (const trace_t *traces, double target)
{
    samples_t samples = {0};
    for (size_t seed = 0; seed < SEEDS; seed++) {
        size_t evaluations = EVALUATIONS_MAX;
        for (size_t i = traces[seed].count; i-- > 0 && traces[seed].steps[i].best <= target;)
            evaluations = traces[seed].steps[i].evaluations;
        samples_add (&samples, (double)evaluations);
    }
    return samples;
}

static void s_compare (const trace_t *of_random, const trace_t *of_tune, double target, bool aim)
{
    samples_t random = s_evaluations (of_random, target), tune = s_evaluations (of_tune, target);
    double slow = samples_quantile (&random, 0.5), fast = samples_quantile (&tune, 0.5);
    bool bound = slow >= EVALUATIONS_MAX; /* most of random's runs didn't get there */
    printf ("    to %-9.3g random %s%5.0f   tune %5.0f (slowest %5.0f)   %s%.1f times fewer", target,
            bound ? ">" : " ", slow, fast, samples_quantile (&tune, 1), bound ? ">" : "", slow / fast);
    if (aim)
        printf ("   >= %.0f: %s", AIM_RATIO, bench_verdict (slow / fast >= AIM_RATIO));
    printf ("\n");
    samples_clear (&random);
    samples_clear (&tune);
}

static void s_bench (const clan_t *clan, const problem_of_t *problem, size_t n)
{
    trace_t *traces = calloc (2 * SEEDS, sizeof *traces), *of_tune = traces + SEEDS;
    samples_t ends = {0};
    assert (traces);
    for (size_t seed = 0; seed < SEEDS; seed++) {
        s_trace (clan, problem, n, false, seed + 1, -INFINITY, &traces[seed]);
        samples_add (&ends, traces[seed].steps[traces[seed].count - 1].best);
    }
    double fixed = problem->target * (strcmp (problem->name, "sphere") == 0 ? 1 : (double)n / 10);
    double reached = samples_quantile (&ends, 0.5);
    for (size_t seed = 0; seed < SEEDS; seed++)
        s_trace (clan, problem, n, true, seed + 1, fmin (fixed, reached), &of_tune[seed]);
    printf ("  %s, %zu parameters\n", problem->name, n);
    s_compare (traces, of_tune, fixed, false);
    s_compare (traces, of_tune, reached, n == PARAMETERS_MAX);
    samples_clear (&ends);
    free (traces);
}

void bench_tune (void)
{
    static const size_t sizes[] = {10, PARAMETERS_MAX};
    clan_t clan;
    clan_make (&clan, 1);
    printf ("evaluations to a fixed target, and to what random mutation of the best comes to within %d; "
            "median of "
            "%d seeds\n",
            EVALUATIONS_MAX, SEEDS);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        for (size_t p = 0; p < sizeof s_problems / sizeof *s_problems; p++)
            s_bench (&clan, &s_problems[p], sizes[k]);
    clan_clear (&clan);
}
