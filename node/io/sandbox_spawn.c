/* SPDX-License-Identifier: MPL-2.0 */
/* From a job to a running child. A node that runs as root first drops to SANDBOX_UID, so that candidates are never kernel
 * user 0 (for whom process limits don't count, and who owns whatever a mistake lets through):
 *
 *   node (root)          opens the job's directories as detached mounts, owners mapped root -> SANDBOX_UID
 *    └ child             own pid and mount namespaces, attaches them below /tmp, becomes SANDBOX_UID
 *       └ bwrap          user, pid, net, ipc, uts, cgroup namespaces; mounts them where the job wants them
 *          └ jail        process 1, uid 65534 inside; limits, filter
 *             └ command
 *
 * The child is process 1 of a pid namespace: when it dies, all below it is dead. Bubblewrap alone, killed with the node between
 * its fork and the word that its own child waits for, would leave that child waiting for ever.
 *
 * A node of an ordinary user goes straight to bwrap: its own rights are those of the sandbox. There, that one child may stay: idle,
 * in namespaces of its own, before anything of the job was started in it. An ordinary user has no way to tie it to the node. */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/io/sandbox_spawn.h"
#include "node/io/sandbox_arguments.h"
#include "node/io/sandbox_stage.h"
#include "node/io/jail.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif
#define FD_LOWEST 10 /* ours stay clear of the numbers that the child's get */

/* Everything the child needs, made before it is: between vfork and exec it only makes system calls. */
typedef struct {
    int fds[JAIL_REPORT_FD + 1]; /* its stdin, stdout, stderr and report end */
    const char *directory;       /* to start in, or NULL */
    const stage_t *stage;        /* NULL: stay who we are */
    int own_pids_fd;             /* our pid namespace, to come back to; -1: the child stays in it, too */
    pid_t parent;                /* as the child sees it: 0 from a pid namespace of its own */
    char *const *arguments;
    char *const *environment;
    const char *volatile failed; /* what failed before exec, and why: written by the child into our memory */
    volatile int error;
} launch_t;

int sandbox_host_init (sandbox_host_t *host, bool unsandboxed, const char *helpers, problem_t *problem)
{
    assert (host != NULL);
    static const char *const places[] = {"/usr/bin/bwrap", "/bin/bwrap", "/usr/local/bin/bwrap"};
    *host = (sandbox_host_t){.unsandboxed = unsandboxed, .owner_map_fd = -1, .own_pids_fd = -1};
    for (size_t i = sizeof places / sizeof places[0]; i-- > 0;)
        if (access (places[i], X_OK) == 0)
            snprintf (host->bwrap, sizeof host->bwrap, "%s", places[i]);
    if (!unsandboxed && host->bwrap[0] == '\0')
        return problem_set (problem, "sandbox: bubblewrap is missing; install the package \"bubblewrap\"");
    if (!unsandboxed && geteuid () == 0) {
        host->owner_map_fd = stage_owner_map (problem);
        if (host->owner_map_fd < 0)
            return -1;
        host->own_pids_fd = open ("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
        if (host->own_pids_fd < 0)
            return problem_set (problem, "sandbox: cannot open /proc/self/ns/pid: %s", strerror (errno));
        host->drop = true;
    }
    host->helpers = helpers != NULL ? realpath (helpers, NULL) : NULL;
    return 0;
}

void sandbox_host_free (sandbox_host_t *host)
{
    assert (host != NULL);
    free (host->helpers);
    if (host->owner_map_fd >= 0)
        close (host->owner_map_fd);
    if (host->own_pids_fd >= 0)
        close (host->own_pids_fd);
    *host = (sandbox_host_t){.owner_map_fd = -1, .own_pids_fd = -1};
}

static void s_close (int *fd)
{
    if (*fd >= 0)
        close (*fd);
    *fd = -1;
}

/* Moves a descriptor above those that the child's become. */
static int s_high (int fd)
{
    int high = fd < 0 ? -1 : fcntl (fd, F_DUPFD_CLOEXEC, FD_LOWEST);
    s_close (&fd);
    return high;
}

static int s_nonblocking (int fd)
{
    return fd < 0 ? -1 : fcntl (fd, F_SETFL, O_NONBLOCK);
}

static int s_pipe (int *ours, int *theirs)
{
    int fds[2];
    if (pipe2 (fds, O_CLOEXEC) != 0)
        return -1;
    *ours = s_high (fds[0]);
    *theirs = s_high (fds[1]);
    return *theirs < 0 ? -1 : s_nonblocking (*ours);
}

static int s_report_pair (int *ours, int *theirs)
{
    int fds[2];
    if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
        return -1;
    *ours = s_high (fds[0]);
    *theirs = s_high (fds[1]);
    return *theirs < 0 ? -1 : s_nonblocking (*ours);
}

/* The job's input as a sealed file in memory: nothing to write from the loop, no broken pipe, no deadlock with a program
 * that writes before it reads. */
static int s_input (const sandbox_job_t *job)
{
    if (job->input == NULL)
        return s_high (open ("/dev/null", O_RDONLY | O_CLOEXEC));
    int fd = memfd_create ("input", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd < 0)
        fd = memfd_create ("input", MFD_CLOEXEC | MFD_ALLOW_SEALING); /* before Linux 6.3 */
    fd = s_high (fd);
    for (size_t done = 0; fd >= 0 && done < job->input_size;) {
        ssize_t size = write (fd, job->input + done, job->input_size - done);
        if (size > 0)
            done += (size_t)size;
        else if (size == 0 || errno != EINTR)
            s_close (&fd);
    }
    if (fd >= 0 && (lseek (fd, 0, SEEK_SET) != 0 ||
                    fcntl (fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0))
        s_close (&fd);
    return fd;
}

static int s_connect (launch_t *launch, const sandbox_job_t *job, sandbox_child_t *child)
{
    launch->fds[0] = s_input (job);
    if (launch->fds[0] < 0 || s_pipe (&child->output_fd, &launch->fds[1]) != 0 ||
        s_pipe (&child->error_fd, &launch->fds[2]) != 0)
        return -1;
    return s_report_pair (&child->report_fd, &launch->fds[JAIL_REPORT_FD]);
}

/* Handlers of the node must not run in the child, which shares its memory until exec; and the jail and bubblewrap
 * should start with nothing blocked or ignored. */
static void s_reset_signals (void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++)
        sigaction (number, &action, NULL);
    sigset_t none;
    sigemptyset (&none);
    sigprocmask (SIG_SETMASK, &none, NULL);
}

/* The death signal follows a parent that dies from now on. One that is dead already has closed its end of the report; that tells
 * it also from within a pid namespace, where getppid says 0 whoever it was. Needs our copy of that end closed. */
static bool s_has_parent (const launch_t *launch)
{
    struct pollfd report = {.fd = JAIL_REPORT_FD};
    return getppid () == launch->parent && poll (&report, 1, 0) >= 0 && (report.revents & POLLHUP) == 0;
}

static const char *s_prepare (const launch_t *launch)
{
    s_reset_signals ();
    for (int fd = 0; fd <= JAIL_REPORT_FD; fd++)
        if (dup2 (launch->fds[fd], fd) != fd)
            return "cannot place descriptors";
    const char *failed = launch->stage != NULL ? stage_enter (launch->stage) : NULL;
    if (failed != NULL)
        return failed;
    /* After the change of user, which clears it. */
    if (prctl (PR_SET_PDEATHSIG, SIGKILL) != 0)
        return "cannot tie its life to the node's";
    if (launch->directory != NULL && chdir (launch->directory) != 0)
        return "cannot enter its directory";
    if (close_range (JAIL_REPORT_FD + 1, UINT_MAX, 0) != 0)
        return "cannot close descriptors";
    return s_has_parent (launch) ? NULL : "cannot tie its life to the node's";
}

_Noreturn static void s_child (launch_t *launch)
{
    assert (launch != NULL);
    const char *failed = s_prepare (launch);
    if (failed == NULL) {
        execve (launch->arguments[0], launch->arguments, launch->environment);
        failed = "cannot start its first program";
    }
    launch->error = errno;
    launch->failed = failed;
    _exit (JAIL_EXIT_REFUSED);
}

/* vfork: the child borrows our memory instead of copying page tables, and we go on once it has become bubblewrap. */
static int s_launch (launch_t *launch, sandbox_child_t *child, problem_t *problem)
{
    sigset_t all, before;
    sigfillset (&all);
    pthread_sigmask (SIG_SETMASK, &all, &before);
    bool nested = launch->own_pids_fd >= 0;
    launch->parent = nested ? 0 : getpid ();
    pid_t pid = nested && unshare (CLONE_NEWPID) != 0 ? -1 : vfork ();
    if (pid == 0)
        s_child (launch);
    int error = errno;
    if (nested && setns (launch->own_pids_fd, CLONE_NEWPID) != 0)
        abort (); /* all later children would end in a dead namespace */
    pthread_sigmask (SIG_SETMASK, &before, NULL);
    if (pid < 0)
        return problem_set (problem, "sandbox: cannot start a process: %s", strerror (error));
    child->pid = pid;
    child->pidfd = pidfd_open (pid, 0);
    if (child->pidfd >= 0 && launch->failed == NULL)
        return 0;
    error = launch->failed != NULL ? launch->error : errno;
    kill (pid, SIGKILL);
    while (waitpid (pid, NULL, 0) < 0 && errno == EINTR) {
    }
    return problem_set (problem, "sandbox: %s (%s): %s",
                        launch->failed != NULL ? launch->failed : "cannot watch a process",
                        launch->arguments[0], strerror (error));
}

static int s_spawn (const sandbox_host_t *host, const sandbox_job_t *job, arguments_t *arguments,
                    const char *const *bare, sandbox_child_t *child, problem_t *problem)
{
    launch_t launch = {.fds = {-1, -1, -1, -1}};
    stage_t stage = {.count = 0};
    arguments_t environment = {.count = 0};
    char *directory =
        host->unsandboxed && job->directory != NULL ? arguments_outside (host, job, job->directory) : NULL;
    struct stat output;
    int rc = -1;
    *child = (sandbox_child_t){.pidfd = -1, .output_fd = -1, .error_fd = -1, .report_fd = -1};
    if (s_connect (&launch, job, child) != 0 || fstat (child->output_fd, &output) != 0)
        problem_set (problem, "sandbox: cannot open its pipes: %s", strerror (errno));
    else if (!host->drop || stage_open (&stage, host, job, bare == NULL, problem) == 0) {
        if (!host->unsandboxed)
            arguments_bwrap (arguments, host, job, bare == NULL);
        if (bare != NULL)
            for (; *bare != NULL; bare++)
                arguments_add (arguments, "%s", *bare);
        else
            arguments_jail (arguments, host, job, (uint64_t)output.st_ino);
        arguments_environment (&environment, host, job);
        launch.directory = directory;
        launch.stage = host->drop ? &stage : NULL;
        launch.own_pids_fd = host->own_pids_fd;
        launch.arguments = arguments->items;
        launch.environment = environment.items;
        rc = s_launch (&launch, child, problem);
    }
    for (int fd = 0; fd <= JAIL_REPORT_FD; fd++)
        s_close (&launch.fds[fd]);
    stage_close (&stage);
    arguments_free (&environment);
    free (directory);
    if (rc != 0)
        sandbox_child_close (child);
    return rc;
}

int sandbox_spawn (const sandbox_host_t *host, const sandbox_job_t *job, sandbox_child_t *child,
                   problem_t *problem)
{
    assert (host->helpers != NULL && job->command != NULL && job->command[0] != NULL &&
            job->mount_count <= SANDBOX_MOUNTS_MAX);
    return sandbox_spawn_bare (host, job, NULL, child, problem);
}

int sandbox_spawn_bare (const sandbox_host_t *host, const sandbox_job_t *job, const char *const *argv,
                        sandbox_child_t *child, problem_t *problem)
{
    assert (host != NULL && job != NULL && child != NULL);
    arguments_t arguments = {.count = 0};
    int rc = s_spawn (host, job, &arguments, argv, child, problem);
    arguments_free (&arguments);
    return rc;
}

void sandbox_child_close (sandbox_child_t *child)
{
    assert (child != NULL);
    s_close (&child->pidfd);
    s_close (&child->output_fd);
    s_close (&child->error_fd);
    s_close (&child->report_fd);
}
