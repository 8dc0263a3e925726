/* SPDX-License-Identifier: MPL-2.0 */
/* The jail as first process of a sandbox. It is process 1 of the pid namespace (or, with `sandbox: none`, subreaper of
 * its tree), and the only one in there that holds the report descriptor. The program can't reach it: it is not
 * dumpable, process 1 is immune to signals from inside, and the filter forbids the rest.
 *
 *   READY ──▶ command runs, orphans are reaped ──▶ command ends ──▶ kill what is left ──▶ EXITED or SIGNALED
 *
 * Limits on memory, processes and time are not its business but the engine's, which can't be starved from inside. */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/io/jail.h"

/* Sends a report; `fds` may be NULL. If nobody listens the engine is gone, and so is our purpose. */
static void s_report (const jail_report_t *report, const int *fds, size_t fd_count)
{
    struct iovec bytes = {.iov_base = (void *)(uintptr_t)report, .iov_len = sizeof *report};
    union {
        char space[CMSG_SPACE (JAIL_READY_FDS * sizeof (int))];
        struct cmsghdr align;
    } control;
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};
    assert (fd_count <= JAIL_READY_FDS);
    if (fd_count) {
        memset (&control, 0, sizeof control);
        message.msg_control = control.space;
        message.msg_controllen = CMSG_SPACE (fd_count * sizeof (int));
        struct cmsghdr *header = CMSG_FIRSTHDR (&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN (fd_count * sizeof (int));
        memcpy (CMSG_DATA (header), fds, fd_count * sizeof (int));
    }
    if (sendmsg (JAIL_REPORT_FD, &message, MSG_NOSIGNAL) != (ssize_t)sizeof *report)
        jail_die (JAIL_EXIT_REFUSED, "nobody listens on descriptor %d: %s", JAIL_REPORT_FD, strerror (errno));
}

/* Hands out a pidfd of ourselves, by which the engine can end us without a race on process numbers, and our tmpfs, by
 * which it sees how much memory files take. */
static void s_ready (bool namespaces)
{
    int fds[JAIL_READY_FDS] = {pidfd_open (getpid (), 0)};
    size_t count = 1;
    if (namespaces) {
        fds[count++] = open ("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        fds[count++] = open ("/dev/shm", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    for (size_t i = 0; i < count; i++)
        if (fds[i] < 0)
            jail_die (JAIL_EXIT_REFUSED, "cannot open %s: %s", i ? "a tmpfs" : "a pidfd", strerror (errno));
    s_report (&(jail_report_t){.kind = JAIL_READY}, fds, count);
    for (size_t i = 0; i < count; i++)
        close (fds[i]);
}

/* If the machine runs out of memory, the kernel should take the candidate, not the node. */
static void s_offer_to_oom_killer (void)
{
    prctl (PR_SET_DUMPABLE, 1); /* else our own /proc is root's; exec would set it anyway */
    int fd = open ("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (write (fd, "1000", 4) != 4)
        jail_die (JAIL_EXIT_REFUSED, "cannot set oom_score_adj: %s", strerror (errno));
    close (fd);
}

_Noreturn static void s_run_command (const jail_options_t *options)
{
    close (JAIL_REPORT_FD);
    setsid ();
    s_offer_to_oom_killer ();
    unsetenv ("PWD"); /* bubblewrap adds it to the environment that was promised */
    jail_reset_signals ();
    jail_filter (JAIL_FILTER_SANDBOX, false, true);
    jail_limit (options, 1); /* last: building the filter takes memory */
    execvp (options->command[0], options->command);
    jail_die (JAIL_EXIT_NO_PROGRAM, "cannot start %s: %s", options->command[0], strerror (errno));
}

/* SIGKILL to everything below us. Without a namespace only children can be named, but as their subreaper we
 * get the grandchildren as children as soon as those are dead. */
static void s_kill_all (bool namespaces)
{
    if (namespaces) {
        kill (-1, SIGKILL);
        return;
    }
    char path[64];
    snprintf (path, sizeof path, "/proc/self/task/%d/children", (int)getpid ());
    FILE *children = fopen (path, "re");
    for (int pid; children != NULL && fscanf (children, "%d", &pid) == 1;)
        kill (pid, SIGKILL);
    if (children != NULL)
        fclose (children);
}

/* Reaps what is dead. Returns false once there are no children at all; takes the end of `command` into `report`. */
static bool s_reap (pid_t command, jail_report_t *report)
{
    int status;
    for (;;) {
        pid_t pid = waitpid (-1, &status, WNOHANG);
        if (pid <= 0)
            return pid == 0;
        if (pid != command)
            continue;
        report->kind = WIFSIGNALED (status) ? JAIL_SIGNALED : JAIL_EXITED;
        report->value = WIFSIGNALED (status) ? WTERMSIG (status) : WEXITSTATUS (status);
    }
}

static uint64_t s_us (struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

/* Waits for a child to end or for the engine's SIGTERM; for 2 ms only if `soon`: without a namespace, a grandchild may
 * just have become ours. Returns true for SIGTERM. The program can send us one too, but that doesn't count: only a
 * sender outside the namespace has no number in it. */
static bool s_wait (const sigset_t *wanted, bool soon, bool namespaces)
{
    struct timespec moment = {.tv_nsec = 2000000};
    siginfo_t info = {.si_signo = 0};
    int number = soon ? sigtimedwait (wanted, &info, &moment) : sigwaitinfo (wanted, &info);
    return number == SIGTERM && (!namespaces || info.si_pid == 0);
}

_Noreturn void jail_supervise (const jail_options_t *options)
{
    sigset_t wanted;
    sigemptyset (&wanted);
    sigaddset (&wanted, SIGCHLD);
    sigaddset (&wanted, SIGTERM);
    jail_reset_signals ();
    sigprocmask (SIG_BLOCK, &wanted, NULL);
    /* In a namespace our death is everybody's; without one we must live on to kill the tree. */
    prctl (PR_SET_PDEATHSIG, options->namespaces ? SIGKILL : SIGTERM);
    prctl (PR_SET_CHILD_SUBREAPER, 1);
    prctl (PR_SET_DUMPABLE, 0);
    s_ready (options->namespaces);
    pid_t command = fork ();
    if (command < 0)
        jail_die (JAIL_EXIT_REFUSED, "cannot fork: %s", strerror (errno));
    if (command == 0)
        s_run_command (options);

    jail_report_t report = {0};
    bool ending = false;
    while (s_reap (command, &report)) {
        ending = ending || report.kind;
        if (ending)
            s_kill_all (options->namespaces);
        ending = s_wait (&wanted, ending, options->namespaces) || ending;
    }
    struct rusage usage;
    getrusage (RUSAGE_CHILDREN, &usage);
    report.cpu_us = s_us (usage.ru_utime) + s_us (usage.ru_stime);
    report.memory_peak_bytes = (uint64_t)usage.ru_maxrss * 1024;
    assert (report.kind);
    s_report (&report, NULL, 0);
    _exit (0);
}
