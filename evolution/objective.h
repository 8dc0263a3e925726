/* SPDX-License-Identifier: MPL-2.0 */
/* Objectives: what is measured, which way is better, how much matters; and what counts as an improvement.
 *
 * Improvement of an objective: relative change against max (|baseline|, tolerance), positive is better whatever the goal.
 * Acceptance: better on at least one objective, worse on none beyond its tolerance, and the weighted sum of the
 * improvements is at least `min_improvement`. A candidate past a `limit` is infeasible. */
#ifndef EVOMESH_EVOLUTION_OBJECTIVE_H
#define EVOMESH_EVOLUTION_OBJECTIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/image.h"
#include "protocol/limits.h"

typedef enum { GOAL_MAXIMIZE, GOAL_MINIMIZE } goal_t;

/* Where a metric comes from: the evaluator's JSON, or the sandbox's own measurement of the run. */
typedef enum { SOURCE_EVALUATOR, SOURCE_PEAK_MEMORY, SOURCE_CPU_TIME, SOURCE_WALL_TIME } metric_source_t;

typedef struct {
    char name[LIMIT_NAME + 1];
    char unit[LIMIT_NAME + 1];
    goal_t goal;
    metric_source_t source;
    double weight;    /* > 0; weights are taken relative to their sum */
    bool noisy;       /* compared over measured pairs, never by one number */
    double tolerance; /* relative: how much worse is still the same; 0.05 for noisy ones unless given */
    bool has_limit;
    double limit; /* beyond it (above when minimizing, below when maximizing) a candidate is infeasible */
    bool has_alert;
    double alert; /* bound for performance_threshold_exceeded, same sense */
} objective_t;

typedef struct {
    objective_t items[LIMIT_OBJECTIVES];
    size_t count;
} objectives_t;

/* One value for each objective, in their order. */
typedef struct {
    double values[LIMIT_OBJECTIVES];
    size_t count;
} metrics_t;

/* Index of the objective of that name, or -1. */
int objectives_find (const objectives_t *self, const char *name);

/* An improvement beyond this counts as this, so that sums stay finite. */
#define IMPROVEMENT_MAX 1e6

/* Relative improvement from `baseline` to `value` (both finite: asserted), positive is better. 0 if both are the same; 1 or
 * −1 where baseline and tolerance are 0. */
double objective_improvement (const objective_t *self, double baseline, double value);

/* True if `value` is past the objective's limit. */
bool objective_infeasible (const objective_t *self, double value);

/* How far past their limits the metrics are: the sum of the relative excesses (absolute where a limit is 0). 0: feasible. */
double objectives_violation (const objectives_t *self, const metrics_t *metrics);

/* True if there is a value for each objective, and each is a finite number. */
bool objectives_measured (const objectives_t *self, const metrics_t *metrics);

/* True if `value` is past the objective's alert bound. */
bool objective_alerts (const objective_t *self, double value);

/* Sum of weight × improvement over the sum of weights. */
double objectives_weighted (const objectives_t *self, const double improvements[LIMIT_OBJECTIVES]);

/* `value` rounded to three significant digits: what of a relative change leaves this machine. Exact: the same
 * bits on every machine. */
double objective_round (double value);

typedef enum {
    VERDICT_ACCEPT,
    VERDICT_NOT_BETTER,
    VERDICT_WORSE,
    VERDICT_TOO_SMALL,
    VERDICT_INFEASIBLE
} verdict_t;

/* What was concluded of one objective. */
typedef enum { CHANGE_SAME, CHANGE_BETTER, CHANGE_WORSE } change_t;

/* The acceptance rule over per-objective conclusions (a noisy objective is BETTER or WORSE only where its pairs say so
 * with significance; else its improvement counts as 0 in the weighted sum).
 * `weighted` receives the weighted improvement (may be NULL). */
verdict_t objectives_accept (const objectives_t *self, const change_t changes[LIMIT_OBJECTIVES],
                             const double improvements[LIMIT_OBJECTIVES], const metrics_t *candidate,
                             double min_improvement, double *weighted);

/* For an objective that isn't noisy: any better value is BETTER, worse beyond tolerance is WORSE. */
change_t objective_compare (const objective_t *self, double baseline, double value);

/* Its fields, for a checkpoint: see protocol/image.h. */
void metrics_image (metrics_t *self, image_t *image);
void objectives_image (objectives_t *self, image_t *image);

#endif
