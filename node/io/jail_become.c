/* SPDX-License-Identifier: MPL-2.0 */
/* The jail as an evaluator uses it: this process gives up everything but what was named, then becomes the program.
 * A process confined by Landlock can neither trace nor read the memory of one outside its domain, so the
 * evaluator that started it is out of reach even though both run as the same user. */
#define _GNU_SOURCE
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/io/jail.h"

static char *const s_environment[] = {(char *)(uintptr_t) "PATH=/usr/bin", (char *)(uintptr_t) "HOME=/tmp",
                                      (char *)(uintptr_t) "TMPDIR=/tmp", (char *)(uintptr_t) "LANG=C.UTF-8",
                                      NULL};

static void s_die_with_parent (void)
{
    pid_t parent = getppid ();
    if (prctl (PR_SET_PDEATHSIG, SIGKILL) != 0)
        jail_die (JAIL_EXIT_REFUSED, "cannot tie its life to its starter's: %s", strerror (errno));
    if (getppid () != parent)
        _exit (JAIL_EXIT_REFUSED); /* it died just now, and nobody but process 1 would kill us */
}

/* The inode of the pipe that carries the evaluator's result. It stands in the command line of process 1, our supervisor,
 * which candidates can read but not change. 0 if we aren't in a sandbox. */
static uint64_t s_result_pipe (void)
{
    char line[4096];
    int fd = open ("/proc/1/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read (fd, line, sizeof line - 1);
    if (fd >= 0)
        close (fd);
    if (size <= 0)
        return 0;
    line[size] = '\0';
    for (const char *word = line; word < line + size; word += strlen (word) + 1) {
        if (strcmp (word, "--") == 0)
            break;
        if (strcmp (word, "--result") == 0 && word + 9 < line + size)
            return strtoull (word + 9, NULL, 10);
    }
    return 0;
}

static void s_check_descriptor (int fd, uint64_t result_pipe)
{
    struct stat status;
    if (fstat (fd, &status) != 0)
        jail_die (JAIL_EXIT_REFUSED, "descriptor %d was named but is not open", fd);
    if (result_pipe && S_ISFIFO (status.st_mode) && status.st_ino == result_pipe)
        jail_die (JAIL_EXIT_REFUSED,
                  "descriptor %d is the one on which the evaluator's result goes out; give the program a "
                  "pipe of its own",
                  fd);
}

static int s_compare (const void *a, const void *b)
{
    int left = *(const int *)a, right = *(const int *)b;
    return (left > right) - (left < right);
}

/* Keeps 0, 1, 2 and those named; closes all others. Those of 0, 1, 2 that were closed become /dev/null, so that no
 * file of the program's slips into their place. */
static void s_keep_descriptors (const jail_options_t *options)
{
    int keep[JAIL_FDS_MAX + 3] = {0, 1, 2};
    size_t count = 3;
    for (int fd = 0; fd < 3; fd++)
        if (fcntl (fd, F_GETFD) < 0 && open ("/dev/null", O_RDWR) != fd)
            jail_die (JAIL_EXIT_REFUSED, "cannot open /dev/null: %s", strerror (errno));
    for (size_t i = 0; i < options->fd_count; i++)
        keep[count++] = options->fds[i];
    qsort (keep, count, sizeof keep[0], s_compare);
    uint64_t result_pipe = s_result_pipe ();
    for (size_t i = 0; i < count; i++) {
        s_check_descriptor (keep[i], result_pipe);
        fcntl (keep[i], F_SETFD, 0);
        unsigned from = (unsigned)keep[i] + 1;
        unsigned to = i + 1 < count ? (unsigned)keep[i + 1] : UINT_MAX;
        if (from < to && close_range (from, i + 1 < count ? to - 1 : to, 0) != 0)
            jail_die (JAIL_EXIT_REFUSED, "cannot close descriptors: %s", strerror (errno));
    }
}

/* Tasks that the user has already: RLIMIT_NPROC counts them too. In a sandbox /proc shows exactly those. */
static uint64_t s_tasks (void)
{
    uint64_t tasks = 0;
    DIR *processes = opendir ("/proc");
    for (struct dirent *process; processes != NULL && (process = readdir (processes)) != NULL;) {
        char path[300];
        if (process->d_name[0] < '1' || process->d_name[0] > '9')
            continue;
        snprintf (path, sizeof path, "/proc/%s/task", process->d_name);
        struct stat status;
        if (stat (path, &status) == 0 && status.st_uid == getuid () && status.st_nlink > 2)
            tasks += status.st_nlink - 2;
        else
            tasks++;
    }
    if (processes != NULL)
        closedir (processes);
    return tasks;
}

/* The program's own path: as given if it has a slash, else in /usr/bin. */
static const char *s_find (const char *name, char path[PATH_MAX])
{
    if (strchr (name, '/') != NULL)
        return name;
    snprintf (path, PATH_MAX, "/usr/bin/%s", name);
    return path;
}

_Noreturn void jail_become (const jail_options_t *options)
{
    char path[PATH_MAX];
    const char *program = s_find (options->command[0], path);
    jail_options_t limits = *options;
    bool alone = options->processes <= 1;
    limits.processes = alone ? 0 : options->processes - 1;
    s_die_with_parent ();
    setsid (); /* fails for a group's leader, which then has a group of its own already */
    s_keep_descriptors (options);
    uint64_t tasks = alone ? 0 : s_tasks ();
    int abi = jail_landlock (options, program);
    jail_reset_signals ();
    jail_filter (JAIL_FILTER_CANDIDATE, alone, abi >= 6);
    jail_limit (&limits, tasks);
    execve (program, options->command, s_environment);
    jail_die (JAIL_EXIT_NO_PROGRAM, "cannot start %s: %s", program, strerror (errno));
}
