/* SPDX-License-Identifier: MPL-2.0 */
/* The engine's own share of an iteration: from a proposal asked for to the next one asked for, over real turns, while proposer and
 * evaluator take no time. Once with nothing kept (the core alone), once with the store in memory, once on the disk. */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/bench/subject.h"

#define AIM_MS     1.0
#define AIM_FLAT   1.5 /* of the median at the largest archive to that at the smallest */
#define WINDOW     500
#define WIN_CHANCE 0.005

static const uint64_t s_sizes[] = {100, 1000, 10000, 100000};
#define SIZES (sizeof s_sizes / sizeof s_sizes[0])

typedef struct {
    double asked_ms; /* when the last proposal was asked for */
    uint64_t iterations;
    samples_t *window; /* NULL outside of windows */
} course_t;

static void s_wanted (void *context, effect_kind_t job)
{
    course_t *self = context;
    if (job != EFFECT_PROPOSE)
        return;
    double now_ms = bench_now_ms ();
    if (self->window != NULL && self->asked_ms > 0)
        samples_add (self->window, now_ms - self->asked_ms);
    self->iterations++;
    self->asked_ms = bench_now_ms ();
}

/* Of this process, in MiB. */
static double s_resident_mib (void)
{
    unsigned long whole = 0, resident = 0;
    FILE *file = fopen ("/proc/self/statm", "r");
    if (file == NULL || fscanf (file, "%lu %lu", &whole, &resident) != 2)
        bench_fail ("/proc/self/statm: can't be read");
    fclose (file);
    return (double)resident * (double)sysconf (_SC_PAGESIZE) / 1048576;
}

/* What lies in a directory without others below it, in KiB. */
static double s_disk_kib (const place_t *place)
{
    double bytes = 0;
    DIR *directory = opendir (place->path);
    if (directory == NULL)
        bench_fail ("%s: can't be read", place->path);
    for (struct dirent *entry = readdir (directory); entry != NULL; entry = readdir (directory)) {
        struct stat about;
        if (fstatat (dirfd (directory), entry->d_name, &about, 0) == 0 && S_ISREG (about.st_mode))
            bytes += (double)about.st_size;
    }
    closedir (directory);
    return bytes / 1024;
}

static node_status_t s_status (const subject_t *subject)
{
    node_status_t status;
    node_status (subject_node (subject), &status);
    return status;
}

/* Goes on until the archive holds `size` candidates, then measures. */
static void s_measure (subject_t *subject, course_t *course, uint64_t size, samples_t *window)
{
    while (s_status (subject).candidates < size)
        for (uint64_t until = course->iterations + 10; course->iterations < until;)
            subject_turn (subject);
    course->window = window;
    course->asked_ms = 0;
    while (window->count < WINDOW)
        subject_turn (subject);
    course->window = NULL;
}

static void s_print_kept (subject_t *subject)
{
    subject_recovery_t recovery = subject_recover (subject);
    printf ("  a restart with it takes %.0f ms: a checkpoint, and %llu entries behind it; all %llu take %.0f "
            "ms\n",
            recovery.restart_ms, (unsigned long long)recovery.stepped, (unsigned long long)recovery.entries,
            recovery.replay_ms);
}

/* What three waits for the store take at that time. */
static double s_three_waits (const place_t *place)
{
    samples_t syncs = {0};
    bench_sync (place, 16384, 200, &syncs);
    double three_ms = 3 * samples_quantile (&syncs, 0.5);
    samples_clear (&syncs);
    return three_ms;
}

static void s_course (const clan_t *clan, const char *what, const place_t *place)
{
    course_t course = {0};
    samples_t windows[SIZES] = {{0}};
    double medians_ms[SIZES];
    subject_options_t options = {.clan = clan,
                                 .directory = place != NULL ? place->path : NULL,
                                 .proposes = true,
                                 .win_chance = WIN_CHANCE,
                                 .watch = {.wants = s_wanted, .context = &course}};
    subject_t *subject = subject_new (&options);
    printf ("%s\n", what);
    for (size_t i = 0; i < SIZES; i++) {
        s_measure (subject, &course, s_sizes[i], &windows[i]);
        medians_ms[i] = samples_quantile (&windows[i], 0.5);
        printf (
            "  %6llu candidates: median %7.3f ms   p99 %7.3f ms   < %.0f ms: %s   (front %llu, applied %llu",
            (unsigned long long)s_sizes[i], medians_ms[i], samples_quantile (&windows[i], 0.99), AIM_MS,
            bench_verdict (medians_ms[i] < AIM_MS), (unsigned long long)s_status (subject).front,
            (unsigned long long)s_status (subject).applied);
        if (place != NULL)
            printf ("; three waits for the store just now: %.3f ms", s_three_waits (place));
        printf ("; resident %.0f MiB", s_resident_mib ());
        if (place != NULL)
            printf ("; disk %.1f KiB a candidate",
                    s_disk_kib (place) / (double)s_status (subject).candidates);
        puts (")");
        samples_clear (&windows[i]);
    }
    double growth = medians_ms[SIZES - 1] / medians_ms[0];
    printf ("  flat: at %llu it is %.2f times that at %llu: %s\n", (unsigned long long)s_sizes[SIZES - 1],
            growth, (unsigned long long)s_sizes[0], bench_verdict (growth < AIM_FLAT));
    if (place != NULL)
        s_print_kept (subject);
    subject_destroy (&subject);
}

void bench_loop (void)
{
    clan_t clan;
    place_t memory = place_new (true), disk = place_new (false);
    clan_make (&clan, 1);
    printf ("engine overhead of an iteration, a group of one, %d iterations each\n", WINDOW);
    s_course (&clan, "nothing kept: core, mesh and turns alone", NULL);
    s_course (&clan, "store in memory (/dev/shm)", &memory);
    s_course (&clan, "store on the disk: an iteration has three commits, each waits for the disk", &disk);
    place_remove (&memory);
    place_remove (&disk);
    clan_clear (&clan);
}
