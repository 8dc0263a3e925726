/* SPDX-License-Identifier: MPL-2.0 */
/* The jail: `/evomesh/jail`, one small program with two duties.
 *
 *   jail --limits … -- command     first program of every sandbox: sets limits, supervises, reports to the engine
 *   jail … -- program arguments    used by an evaluator inside its sandbox to run candidate code out of its own reach
 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "node/io/jail.h"

static const char s_usage[] =
    "usage: jail [--cpu SECONDS] [--memory BYTES] [--processes N] [--hide PATH]... [--read PATH]...\n"
    "            [--write DIRECTORY]... [--fd N]... -- PROGRAM [ARGUMENT]...\n"
    "\n"
    "Runs PROGRAM as a process that can't reach its starter: it reads and executes only /usr, itself and "
    "the\n"
    "--read paths, writes to no file but beneath the --write\n"
    "directories, opens no socket, holds only descriptors 0, 1, 2 and the --fd ones, and "
    "is\n"
    "killed when the starter's thread ends. Descriptors 0, 1, 2 must not be where the evaluator's result "
    "goes out.\n"
    "  --cpu SECONDS     processor time after which it is killed\n"
    "  --memory BYTES    private memory of each of its processes\n"
    "  --processes N     processes and threads, itself included (default 1: it can start none)\n"
    "  --hide PATH       refuse to start if PATH could be read\n"
    "  --read PATH       a file or directory that it may read and execute\n"
    "  --write DIRECTORY where it may make, write and remove files, as a compiler must\n"
    "  --fd N            a descriptor that it keeps\n"
    "Environment: PATH=/usr/bin HOME=/tmp TMPDIR=/tmp LANG=C.UTF-8, nothing else.\n"
    "Exit: PROGRAM's own; 126 if it could not be confined (nothing was run); 127 if it could not be "
    "started.\n";

/* Not dprintf, which takes memory: we may have none left to take. */
static void s_say (int fd, const char *text)
{
    size_t size = strlen (text);
    for (ssize_t written; size > 0 && (written = write (fd, text, size)) > 0; size -= (size_t)written)
        text += written;
}

_Noreturn void jail_die (int code, const char *format, ...)
{
    char text[2048] = "evomesh jail: ";
    size_t prefix = strlen (text);
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (text + prefix, sizeof text - prefix - 1, format, arguments);
    va_end (arguments);
    text[strlen (text) + 1] = '\0';
    text[strlen (text)] = '\n';
    s_say (STDERR_FILENO, text);
    _exit (code);
}

void jail_reset_signals (void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++)
        sigaction (number, &action,
                   NULL); /* SIGKILL, SIGSTOP and libc's own refuse: they have no handler of ours */
    sigset_t none;
    sigemptyset (&none);
    sigprocmask (SIG_SETMASK, &none, NULL);
}

static void s_limit (__rlimit_resource_t resource, uint64_t value)
{
    struct rlimit limit = {.rlim_cur = value, .rlim_max = value}, have;
    /* Never above what we were given: raising needs a privilege, and lowering is what we are for. */
    if (getrlimit (resource, &have) == 0 && have.rlim_max < limit.rlim_max)
        limit.rlim_cur = limit.rlim_max = have.rlim_max;
    if (setrlimit (resource, &limit) != 0)
        jail_die (JAIL_EXIT_REFUSED, "cannot set a resource limit: %s", strerror (errno));
}

void jail_limit (const jail_options_t *options, uint64_t tasks)
{
    s_limit (RLIMIT_CORE, 0);
    s_limit (RLIMIT_NOFILE, 256);
    s_limit (RLIMIT_MEMLOCK, 65536);
    s_limit (RLIMIT_MSGQUEUE, 0);
    s_limit (RLIMIT_RTPRIO, 0);
    s_limit (RLIMIT_SIGPENDING, 1024);
    if (options->cpu_s)
        s_limit (RLIMIT_CPU, options->cpu_s);
    if (options->memory_bytes)
        s_limit (RLIMIT_DATA, options->memory_bytes);
    if (options->file_bytes)
        s_limit (RLIMIT_FSIZE, options->file_bytes);
    if (options->processes)
        s_limit (RLIMIT_NPROC, tasks + options->processes);
}

static uint64_t s_number (const char *option, const char *text)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = text != NULL ? strtoull (text, &end, 10) : 0;
    if (text == NULL || *text < '0' || *text > '9' || *end != '\0' || errno != 0)
        jail_die (JAIL_EXIT_REFUSED, "%s: found \"%s\", expected a number", option, text != NULL ? text : "");
    return value;
}

static void s_path (const char *option, const char *text, const char **list, size_t *count)
{
    if (text == NULL || text[0] != '/')
        jail_die (JAIL_EXIT_REFUSED, "%s: found \"%s\", expected an absolute path", option,
                  text != NULL ? text : "");
    if (*count == JAIL_PATHS_MAX)
        jail_die (JAIL_EXIT_REFUSED, "%s: given more than %d times", option, JAIL_PATHS_MAX);
    list[(*count)++] = text;
}

static void s_descriptor (const char *text, jail_options_t *options)
{
    uint64_t number = s_number ("--fd", text);
    if (number > INT_MAX || options->fd_count == JAIL_FDS_MAX)
        jail_die (JAIL_EXIT_REFUSED, "--fd: more than %d descriptors, or no such number", JAIL_FDS_MAX);
    options->fds[options->fd_count++] = (int)number;
}

/* Options with a number, one a line. Returns NULL if `option` is none of them. */
static uint64_t *s_numeric (const char *option, jail_options_t *options)
{
    const struct {
        const char *name;
        uint64_t *value;
    } table[] = {
        {"--cpu", &options->cpu_s},           {"--memory", &options->memory_bytes},
        {"--processes", &options->processes}, {"--file", &options->file_bytes},
        {"--result", &options->result_pipe},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp (option, table[i].name) == 0)
            return table[i].value;
    return NULL;
}

static void s_parse (int argc, char **argv, jail_options_t *options)
{
    int at = 1;
    for (; at < argc && strcmp (argv[at], "--") != 0; at++) {
        const char *option = argv[at], *next = at + 1 < argc ? argv[at + 1] : NULL;
        uint64_t *number = s_numeric (option, options);
        if (strcmp (option, "--limits") == 0 || strcmp (option, "--namespaces") == 0) {
            *(option[2] == 'l' ? &options->limits : &options->namespaces) = true;
            continue;
        }
        if (strcmp (option, "--help") == 0) {
            s_say (STDOUT_FILENO, s_usage);
            _exit (0);
        }
        if (number)
            *number = s_number (option, next);
        else if (strcmp (option, "--landlock-max") == 0)
            options->landlock_abi_max = (int)s_number (option, next);
        else if (strcmp (option, "--read") == 0)
            s_path (option, next, options->read, &options->read_count);
        else if (strcmp (option, "--hide") == 0)
            s_path (option, next, options->hide, &options->hide_count);
        else if (strcmp (option, "--write") == 0)
            s_path (option, next, options->write, &options->write_count);
        else if (strcmp (option, "--fd") == 0)
            s_descriptor (next, options);
        else
            jail_die (JAIL_EXIT_REFUSED, "unknown option %s\n%s", option, s_usage);
        at++;
    }
    if (at + 1 >= argc)
        jail_die (JAIL_EXIT_REFUSED, "no program given behind --; see jail --help");
    options->command = argv + at + 1;
}

int main (int argc, char **argv)
{
    jail_options_t options = {.landlock_abi_max = INT_MAX};
    s_parse (argc, argv, &options);
    assert (options.command[0]);
    if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        jail_die (JAIL_EXIT_REFUSED, "cannot give up new privileges: %s", strerror (errno));
    if (options.limits)
        jail_supervise (&options);
    jail_become (&options);
}
