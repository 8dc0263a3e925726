/* SPDX-License-Identifier: MPL-2.0 */
/* An idle node: how long `evomesh run` takes until it is ready, and how much memory it holds while nothing happens. The node has a
 * group of its own, measured its release once, and is paused, so that it proposes nothing. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench.h"

#define STARTS       20
#define SETTLE_MS    3000 /* idle before its memory is looked at */
#define WAIT_MS      30000
#define AIM_READY_MS 200.0
#define AIM_MIB      16.0
#define MAPPINGS     1024
#define SHOWN        12

typedef struct {
    pid_t pid;
    double ready_ms; /* from fork to the line on stdout */
} running_t;

/* Reads up to a line's end. What the node says later stays unread: it says nothing more on stdout. */
static void s_await_ready (int output)
{
    char text[1024];
    size_t size = 0;
    double until_ms = bench_now_ms () + WAIT_MS;
    while (memchr (text, '\n', size) == NULL) {
        struct pollfd wait = {.fd = output, .events = POLLIN};
        double left_ms = until_ms - bench_now_ms ();
        if (left_ms <= 0 || size == sizeof text || poll (&wait, 1, (int)left_ms) <= 0)
            bench_fail ("the node is not ready after %d s", WAIT_MS / 1000);
        ssize_t got = read (output, text + size, sizeof text - size);
        if (got <= 0)
            bench_fail ("the node ended before it was ready");
        size += (size_t)got;
    }
    if (strncmp (text, "ready ", 6) != 0)
        bench_fail ("the node said \"%.*s\"", (int)(size < 80 ? size : 80), text);
}

static _Noreturn void s_become_node (const char *directory, const char *log, int output)
{
    int errors = open (log, O_WRONLY | O_CREAT | O_APPEND, 0600), null = open ("/dev/null", O_RDONLY);
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    dup2 (null, STDIN_FILENO);
    dup2 (output, STDOUT_FILENO);
    dup2 (errors, STDERR_FILENO);
    execl (BENCH_PROGRAM, "evomesh", "run", "--dir", directory, "--slots", "1", (char *)NULL);
    _exit (127);
}

static running_t s_start (const char *directory, const char *log)
{
    int pipes[2];
    running_t self;
    if (pipe2 (pipes, O_CLOEXEC) != 0)
        bench_fail ("no pipe: %s", strerror (errno));
    double before_ms = bench_now_ms ();
    self.pid = fork ();
    if (self.pid == 0)
        s_become_node (directory, log, pipes[1]);
    close (pipes[1]);
    if (self.pid == -1)
        bench_fail ("no process: %s", strerror (errno));
    s_await_ready (pipes[0]);
    self.ready_ms = bench_now_ms () - before_ms;
    close (pipes[0]);
    return self;
}

static void s_stop (const running_t *node)
{
    int status;
    kill (node->pid, SIGTERM);
    if (waitpid (node->pid, &status, 0) != node->pid || !WIFEXITED (status) || WEXITSTATUS (status) != 0)
        bench_fail ("the node did not end cleanly");
}

static void s_wait (double ms)
{
    double until_ms = bench_now_ms () + ms;
    while (bench_now_ms () < until_ms)
        poll (NULL, 0, 50);
}

/* A data directory with a group, whose node has measured its release and is paused. */
static void s_prepare (const place_t *place, const char *directory, const char *log)
{
    char private_data[256], seed[300];
    snprintf (private_data, sizeof private_data, "%s/private", place->path);
    snprintf (seed, sizeof seed, "%s/seed", private_data);
    mkdir (private_data, 0700);
    FILE *file = fopen (seed, "w");
    if (file == NULL || fputs ("1\n", file) < 0 || fclose (file) != 0)
        bench_fail ("%s: can't be written", seed);
    const char *const init[] = {BENCH_PROGRAM, "init",      "--dir",     directory,    "--name", "idle",
                                "--agent",     BENCH_AGENT, "--private", private_data, NULL};
    const char *const create[] = {BENCH_PROGRAM, "group", "create", "idlers", "--dir", directory, NULL};
    const char *const pause_it[] = {BENCH_PROGRAM, "pause", "--dir", directory, NULL};
    bench_run (init);
    bench_run (create);
    running_t node = s_start (directory, log);
    bench_run (pause_it);
    s_wait (SETTLE_MS); /* its baseline, and what it had proposed */
    s_stop (&node);
}

/* --- memory --- */

typedef struct {
    char name[128];
    unsigned long rss;
    unsigned long dirty; /* private, written to */
} mapping_t;

static unsigned long s_figure (pid_t pid, const char *file, const char *key)
{
    char path[64], line[256];
    unsigned long kib = 0;
    snprintf (path, sizeof path, "/proc/%ld/%s", (long)pid, file);
    FILE *stream = fopen (path, "r");
    if (stream == NULL)
        bench_fail ("%s: can't be read", path);
    while (fgets (line, sizeof line, stream) != NULL)
        if (strncmp (line, key, strlen (key)) == 0)
            sscanf (line + strlen (key), ": %lu", &kib);
    fclose (stream);
    return kib;
}

static mapping_t *s_mapping (mapping_t *mappings, size_t *count, const char *name)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp (mappings[i].name, name) == 0)
            return &mappings[i];
    if (*count == MAPPINGS)
        bench_fail ("more than %d mappings", MAPPINGS);
    mapping_t *mapping = &mappings[(*count)++];
    memset (mapping, 0, sizeof *mapping);
    snprintf (mapping->name, sizeof mapping->name, "%s", name);
    return mapping;
}

static int s_compare (const void *a, const void *b)
{
    const mapping_t *left = a, *right = b;
    return (left->rss < right->rss) - (left->rss > right->rss);
}

/* What is resident by file, the largest first. */
static void s_print_mappings (pid_t pid)
{
    static mapping_t mappings[MAPPINGS];
    size_t count = 0;
    char path[64], line[512], name[128];
    mapping_t *mapping = NULL;
    snprintf (path, sizeof path, "/proc/%ld/smaps", (long)pid);
    FILE *stream = fopen (path, "r");
    if (stream == NULL)
        bench_fail ("%s: can't be read", path);
    while (fgets (line, sizeof line, stream) != NULL) {
        unsigned long kib;
        name[0] = '\0';
        if (sscanf (line, "%*x-%*x %*s %*x %*s %*u %127s", name) == 1 || strchr (line, '-') == line + 12)
            mapping = s_mapping (mappings, &count, name[0] == '\0' ? "anonymous" : name);
        else if (mapping != NULL && sscanf (line, "Rss: %lu", &kib) == 1)
            mapping->rss += kib;
        else if (mapping != NULL && sscanf (line, "Private_Dirty: %lu", &kib) == 1)
            mapping->dirty += kib;
    }
    fclose (stream);
    qsort (mappings, count, sizeof *mappings, s_compare);
    for (size_t i = 0; i < count && i < SHOWN; i++)
        printf ("    %7lu KiB resident, %6lu KiB of it written  %s\n", mappings[i].rss, mappings[i].dirty,
                mappings[i].name);
}

static void s_print_memory (pid_t pid)
{
    double resident = (double)s_figure (pid, "status", "VmRSS") / 1024;
    printf ("resident memory after %d s: %.1f MiB   aim <= %.0f MiB: %s\n", SETTLE_MS / 1000, resident,
            AIM_MIB, bench_verdict (resident <= AIM_MIB));
    printf ("  its own: %.1f MiB; of files, libraries most: %.1f MiB; with shared pages split among their "
            "users: %.1f MiB\n",
            (double)s_figure (pid, "status", "RssAnon") / 1024,
            (double)s_figure (pid, "status", "RssFile") / 1024,
            (double)s_figure (pid, "smaps_rollup", "Pss") / 1024);
    s_print_mappings (pid);
}

void bench_idle (void)
{
    char directory[256], log[256];
    samples_t ready = {0};
    place_t place = place_new (false);
    snprintf (directory, sizeof directory, "%s/node", place.path);
    snprintf (log, sizeof log, "%s/log", place.path);
    s_prepare (&place, directory, log);
    for (int i = 0; i < STARTS; i++) {
        running_t node = s_start (directory, log);
        samples_add (&ready, node.ready_ms);
        if (i == STARTS - 1) {
            s_wait (SETTLE_MS);
            s_print_memory (node.pid);
        }
        s_stop (&node);
    }
    double median_ms = samples_quantile (&ready, 0.5);
    printf ("start to ready, %d starts: median %.1f ms   p99 %.1f ms   aim <= %.0f ms: %s\n", STARTS,
            median_ms, samples_quantile (&ready, 0.99), AIM_READY_MS,
            bench_verdict (median_ms <= AIM_READY_MS));
    samples_clear (&ready);
    place_remove (&place);
}
