/* SPDX-License-Identifier: MPL-2.0 */
/* How many evaluations `tune` needs, beside plain random mutation: through the real core of a node (selection of parents, inspirations,
 * learning rate, acceptance), one event after the other, with proposers and evaluators that are functions of this process. */
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
#define EVALUATIONS_MAX 20000 /* who hasn't reached the target by then counts with so many */
#define FAILURES        24    /* as proposal_input tells them */
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
    size_t failures[FAILURES]; /* the last ones, round a ring */
    size_t failed;
    size_t evaluations;
    double best;
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
    assert (self->count < 2 * EVALUATIONS_MAX);
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
    size_t first = self->failed > FAILURES ? self->failed - FAILURES : 0;
    for (size_t i = first; i < self->failed && known.count < DIFFER_KNOWN_MAX; i++) {
        const point_t *point = &self->points[self->failures[i % FAILURES]];
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
        self->evaluations++;
        if (value.value < self->best)
            self->best = value.value;
        else
            self->failures[self->failed++ % FAILURES] = at;
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
static size_t s_run (course_t *self, double target)
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
    return self->evaluations;
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
                    .selection = SELECT_DGM,
                    .islands = 1,
                    .migration_interval = 50,
                    .learning_rate = 0.1,
                    .breaker_threshold = 5,
                    .breaker_recovery_ms = 1000,
                    .automatic_rollback = 1};
    s_event (self, &event);
}

static double s_evaluations (const clan_t *clan, const problem_of_t *problem, size_t n, bool tunes,
                             uint64_t seed)
{
    course_t *self = calloc (1, sizeof *self);
    assert (self);
    self->problem = problem;
    self->clan = clan;
    self->tunes = tunes;
    self->n = n;
    self->points = calloc (2 * EVALUATIONS_MAX, sizeof *self->points);
    self->node = node_new (&clan->identities[0]);
    assert (self->points && self->node);
    random_init_number (&self->random, seed);
    s_start (self, seed);
    double scale = strcmp (problem->name, "sphere") == 0 ? 1 : (double)n / 10;
    size_t evaluations = s_run (self, problem->target * scale);
    effects_clear (&self->effects);
    node_destroy (&self->node);
    free (self->points);
    free (self);
    return (double)evaluations;
}

void bench_tune (void)
{
    static const size_t sizes[] = {10, 50};
    clan_t clan;
    clan_make (&clan, 1);
    printf ("evaluations to a target, median of %d seeds (%d where it isn't reached); parents as dgm picks "
            "them\n",
            SEEDS, EVALUATIONS_MAX);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        for (size_t p = 0; p < sizeof s_problems / sizeof *s_problems; p++) {
            samples_t random = {0}, tune = {0};
            for (uint64_t seed = 1; seed <= SEEDS; seed++) {
                samples_add (&random, s_evaluations (&clan, &s_problems[p], sizes[k], false, seed));
                samples_add (&tune, s_evaluations (&clan, &s_problems[p], sizes[k], true, seed));
            }
            double of_random = samples_quantile (&random, 0.5), of_tune = samples_quantile (&tune, 0.5);
            printf ("  %-10s %2zu parameters: random %6.0f   tune %6.0f (slowest %6.0f)   %.1f times fewer",
                    s_problems[p].name, sizes[k], of_random, of_tune, samples_quantile (&tune, 1),
                    of_random / of_tune);
            printf (sizes[k] == 50 ? "   >= %.0f: %s\n" : "\n", AIM_RATIO,
                    bench_verdict (of_random / of_tune >= AIM_RATIO));
            samples_clear (&random);
            samples_clear (&tune);
        }
    clan_clear (&clan);
}
