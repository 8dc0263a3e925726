/* SPDX-License-Identifier: MPL-2.0 */
/* The program: which bench, and what all of them share. */
#define _GNU_SOURCE
#include "tests/bench/bench.h"

#include <assert.h>
#include <fcntl.h>
#include <fts.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

_Noreturn void bench_fail (const char *format, ...)
{
    va_list arguments;
    fflush (stdout);
    fputs ("bench: ", stderr);
    va_start (arguments, format);
    vfprintf (stderr, format, arguments);
    va_end (arguments);
    fputc ('\n', stderr);
    exit (EXIT_FAILURE);
}

static unsigned s_missed; /* aims, so far */

double bench_now_ms (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

const char *bench_verdict (bool reached)
{
    s_missed += !reached;
    return reached ? "reached" : "MISSED";
}

/* --- samples --- */

void samples_add (samples_t *self, double value)
{
    if (self->count == self->capacity) {
        self->capacity = self->capacity > 0 ? 2 * self->capacity : 64;
        self->values = realloc (self->values, self->capacity * sizeof *self->values);
        assert (self->values != NULL);
    }
    self->values[self->count++] = value;
}

static int s_compare (const void *a, const void *b)
{
    const double *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

double samples_quantile (samples_t *self, double share)
{
    assert (self->count > 0 && share > 0 && share <= 1);
    qsort (self->values, self->count, sizeof *self->values, s_compare);
    double rank = share * (double)self->count;
    size_t at = (size_t)rank;
    return self->values[(double)at < rank ? at : at - 1];
}

void samples_clear (samples_t *self)
{
    free (self->values);
    memset (self, 0, sizeof *self);
}

/* --- places --- */

place_t place_new (bool in_memory)
{
    place_t self;
    const char *given = getenv ("TMPDIR"), *base = in_memory ? "/dev/shm" : given != NULL ? given : "/tmp";
    int size = snprintf (self.path, sizeof self.path, "%s/evomesh-bench-XXXXXX", base);
    if (size < 0 || size >= (int)sizeof self.path || mkdtemp (self.path) == NULL)
        bench_fail ("%s: no directory can be made there", base);
    return self;
}

void place_remove (const place_t *self)
{
    char path[sizeof self->path];
    memcpy (path, self->path, sizeof path);
    char *roots[] = {path, NULL};
    FTS *walk = fts_open (roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (walk == NULL)
        bench_fail ("%s: can't be removed", path);
    for (FTSENT *entry = fts_read (walk); entry != NULL; entry = fts_read (walk))
        if (entry->fts_info != FTS_D && remove (entry->fts_accpath) != 0)
            bench_fail ("%s: can't be removed", entry->fts_path);
    fts_close (walk);
}

void bench_sync (const place_t *place, size_t bytes, size_t count, samples_t *samples)
{
    char path[256];
    snprintf (path, sizeof path, "%s/sync", place->path);
    int file = open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    char *block = calloc (1, bytes);
    if (file == -1 || block == NULL)
        bench_fail ("%s: can't be made", path);
    for (size_t i = 0; i < count; i++) /* as a write-ahead log that has been once round: no new blocks */
        if (write (file, block, bytes) != (ssize_t)bytes)
            bench_fail ("%s: can't be written", path);
    if (fsync (file) != 0 || lseek (file, 0, SEEK_SET) != 0)
        bench_fail ("%s: can't be written", path);
    for (size_t i = 0; i < count; i++) {
        double before_ms = bench_now_ms ();
        if (write (file, block, bytes) != (ssize_t)bytes || fdatasync (file) != 0)
            bench_fail ("%s: can't be written", path);
        samples_add (samples, bench_now_ms () - before_ms);
    }
    close (file);
    unlink (path);
    free (block);
}

/* --- programs --- */

void bench_run (const char *const arguments[])
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status;
    posix_spawn_file_actions_init (&actions);
    posix_spawn_file_actions_addopen (&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen (&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (posix_spawnp (&pid, arguments[0], &actions, NULL, (char *const *)arguments, environ) != 0)
        bench_fail ("%s: can't be started", arguments[0]);
    posix_spawn_file_actions_destroy (&actions);
    if (waitpid (pid, &status, 0) != pid || !WIFEXITED (status) || WEXITSTATUS (status) != 0)
        bench_fail ("%s %s: failed", arguments[0], arguments[1] != NULL ? arguments[1] : "");
}

/* --- the program --- */

static const struct {
    const char *name;
    void (*run) (void);
} s_benches[] = {{"loop", bench_loop},       {"round", bench_round},   {"idle", bench_idle},
                 {"sandbox", bench_sandbox}, {"limits", bench_limits}, {"tune", bench_tune},
                 {"noise", bench_noise}};
#define BENCHES (sizeof s_benches / sizeof s_benches[0])

static bool s_is_wanted (const char *name, int argc, char **argv)
{
    bool wanted = argc == 1;
    for (int i = 1; i < argc; i++)
        wanted |= strcmp (argv[i], name) == 0;
    return wanted;
}

static void s_check_names (int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        bool known = false;
        for (size_t k = 0; k < BENCHES; k++)
            known |= strcmp (argv[i], s_benches[k].name) == 0;
        if (!known) {
            fprintf (stderr,
                     "bench: found \"%s\"\nusage: bench [loop|round|idle|sandbox|limits|tune|noise]…\n",
                     argv[i]);
            exit (2);
        }
    }
}

int main (int argc, char **argv)
{
    s_check_names (argc, argv);
    setenv ("ZSYS_SIGHANDLER", "false", 1);
    setvbuf (stdout, NULL, _IOLBF, 0);
    double load = 0;
    struct utsname machine;
    uname (&machine);
    getloadavg (&load, 1);
    printf ("machine: %ld cores, %s %s, load before: %.2f\n", sysconf (_SC_NPROCESSORS_ONLN), machine.sysname,
            machine.release, load);
    for (size_t i = 0; i < BENCHES; i++)
        if (s_is_wanted (s_benches[i].name, argc, argv)) {
            printf ("\n== %s ==\n", s_benches[i].name);
            s_benches[i].run ();
        }
    if (s_missed > 0)
        printf ("\n%u aims missed\n", s_missed);
    return s_missed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
