/* SPDX-License-Identifier: MPL-2.0 */
/* Whether trials tell a faster program from noise: processor time of small children, taken as evaluators take it (wait4), through the
 * real trial. A program against itself must hardly ever be accepted; one that takes 3 % less must nearly always be. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "evolution/trial.h"
#include "tests/bench/bench.h"

#define RUN_MS          4.0 /* of processor time that a child takes, about */
#define CALIBRATION     101 /* children of a kind */
#define NULLS           1000
#define GAINS           200
#define GAIN            0.03
#define MIN_IMPROVEMENT 0.005
#define AIM_FALSE       0.01
#define AIM_DETECTED    0.90

/* Computes for so many steps. */
static void s_work (uint64_t steps)
{
    volatile uint64_t kept;
    uint64_t x = steps;
    for (uint64_t i = 0; i < steps; i++) {
        x = x * UINT64_C (6364136223846793005) + UINT64_C (1442695040888963407);
        x ^= x >> 29;
    }
    kept = x;
    (void)kept;
}

/* Processor time of a child that works for so many steps, in milliseconds. */
static double s_measure (uint64_t steps)
{
    int status;
    struct rusage usage;
    pid_t child = fork ();
    if (child == 0) {
        s_work (steps);
        _exit (0);
    }
    if (child == -1 || wait4 (child, &status, 0, &usage) != child || !WIFEXITED (status))
        bench_fail ("no child can be measured");
    return 1e3 * (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-3 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* The two programs, in steps; a child's time isn't in proportion to them, as it also has to start and end. */
typedef struct {
    uint64_t base;
    uint64_t faster;
} programs_t;

static double s_median (uint64_t steps, double *quarter, double *three_quarters)
{
    samples_t samples = {0};
    for (int i = 0; i < CALIBRATION; i++)
        samples_add (&samples, s_measure (steps));
    double median = samples_quantile (&samples, 0.5);
    *quarter = samples_quantile (&samples, 0.25);
    *three_quarters = samples_quantile (&samples, 0.75);
    samples_clear (&samples);
    return median;
}

static programs_t s_calibrate (void)
{
    const uint64_t some = 1000000;
    double low, high;
    double nothing_ms = s_median (0, &low, &high);
    double per_step = (s_median (some, &low, &high) - nothing_ms) / (double)some;
    if (per_step <= 0)
        bench_fail ("a million steps take no time here");
    programs_t self = {.base = (uint64_t)((RUN_MS - nothing_ms) / per_step)};
    double base_ms = s_median (self.base, &low, &high);
    self.faster = self.base - (uint64_t)(GAIN * base_ms / per_step);
    printf ("a child of %.2f ms, half of its runs between %.2f and %.2f\n", base_ms, low, high);
    return self;
}

/* One trial; returns its outcome. */
static trial_result_t s_trial (uint64_t candidate, uint64_t base)
{
    const objectives_t objectives = {
        .count = 1,
        .items = {{.name = "time", .goal = GOAL_MINIMIZE, .weight = 1, .noisy = true, .tolerance = 0.05}}};
    trial_t trial;
    trial_result_t result;
    trial_init (&trial, &objectives, MIN_IMPROVEMENT, NULL);
    for (trial_want_t want = trial_want (&trial); want != TRIAL_DONE; want = trial_want (&trial)) {
        metrics_t metrics = {.count = 1};
        metrics.values[0] = s_measure (want == TRIAL_CANDIDATE ? candidate : base);
        trial_valid (&trial, &metrics, 0);
    }
    trial_result (&trial, &result);
    return result;
}

/* Runs so many trials; returns the share of them that accepted. */
static double s_trials (const char *what, unsigned count, uint64_t candidate, uint64_t base)
{
    double started_ms = bench_now_ms (), accepted = 0, worse = 0;
    samples_t pairs = {0};
    for (unsigned i = 0; i < count; i++) {
        trial_result_t result = s_trial (candidate, base);
        accepted += result.verdict == VERDICT_ACCEPT;
        worse += result.changes[0] == CHANGE_WORSE;
        samples_add (&pairs, (double)result.repeats);
    }
    double all = 0;
    for (size_t i = 0; i < pairs.count; i++)
        all += pairs.values[i];
    printf ("  %-12s %4u trials: accepted %4.0f (%.1f %%), worse %.0f; pairs: mean %.1f, median %.0f, most "
            "%.0f; %.0f s\n",
            what, count, accepted, 100 * accepted / count, worse, all / count, samples_quantile (&pairs, 0.5),
            samples_quantile (&pairs, 1), (bench_now_ms () - started_ms) / 1e3);
    samples_clear (&pairs);
    return accepted / count;
}

void bench_noise (void)
{
    programs_t programs = s_calibrate ();
    double mistaken = s_trials ("the same", NULLS, programs.base, programs.base);
    printf ("    <= %.0f %%: %s\n", 100 * AIM_FALSE, bench_verdict (mistaken <= AIM_FALSE));
    double detected = s_trials ("3 % faster", GAINS, programs.faster, programs.base);
    printf ("    >= %.0f %%: %s\n", 100 * AIM_DETECTED, bench_verdict (detected >= AIM_DETECTED));
}
