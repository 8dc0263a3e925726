/* SPDX-License-Identifier: MPL-2.0 */
/* Plays a candidate that is up to no good: candidate WORD [ARGUMENT]... Says what came of each try. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static void s_attempt (const char *name, long result)
{
    printf ("%s=%s\n", name, result >= 0 ? "done" : strerrorname_np (errno));
}

static void s_read (char **argument)
{
    for (; *argument; argument++) {
        char bytes[64] = "";
        int fd = open (*argument, O_RDONLY);
        ssize_t size = fd < 0 ? -1 : read (fd, bytes, sizeof bytes - 1);
        printf ("%s=%.*s\n", *argument, size < 0 ? 16 : (int)size,
                size < 0 ? strerrorname_np (errno) : bytes);
    }
}

static void s_list (char **argument)
{
    for (; *argument; argument++) {
        DIR *directory = opendir (*argument);
        printf ("%s=%s\n", *argument, directory ? "done" : strerrorname_np (errno));
    }
}

static void s_write (char **argument)
{
    for (; *argument; argument++)
        s_attempt (*argument, open (*argument, O_WRONLY | O_CREAT, 0600));
}

/* The evaluator's memory, by every way there is. */
static void s_memory (char **argument)
{
    pid_t pid = atoi (argument[0]);
    void *secret = (void *)(uintptr_t)strtoull (argument[1], NULL, 16);
    char path[64], bytes[4] = "evil";
    struct iovec ours = {bytes, sizeof bytes}, theirs = {secret, sizeof bytes};
    s_attempt ("process_vm_readv", process_vm_readv (pid, &ours, 1, &theirs, 1, 0));
    s_attempt ("process_vm_writev", process_vm_writev (pid, &ours, 1, &theirs, 1, 0));
    s_attempt ("ptrace", ptrace (PTRACE_SEIZE, pid, NULL, NULL));
    const char *const files[] = {"mem",  "maps",          "environ",          "fd/8",
                                 "fd/1", "cwd/evaluator", "root/private/seed"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf (path, sizeof path, "/proc/%d/%s", (int)pid, files[i]);
        s_attempt (files[i], open (path, i == 0 ? O_RDWR : O_RDONLY));
    }
    int pidfd = (int)syscall (SYS_pidfd_open, pid, 0);
    s_attempt ("pidfd_getfd", syscall (SYS_pidfd_getfd, pidfd, 1, 0));
}

static void s_signal (char **argument)
{
    pid_t pid = atoi (argument[0]);
    union sigval value = {.sival_int = 0};
    int ends[2];
    s_attempt ("kill", kill (pid, SIGUSR1));
    s_attempt ("tgkill", syscall (SYS_tgkill, pid, pid, SIGUSR1));
    s_attempt ("tkill", syscall (SYS_tkill, pid, SIGUSR1));
    s_attempt ("sigqueue", sigqueue (pid, SIGUSR1, value));
    int pidfd = (int)syscall (SYS_pidfd_open, pid, 0);
    s_attempt ("pidfd_send_signal", syscall (SYS_pidfd_send_signal, pidfd, SIGUSR1, NULL, 0));
    /* A pipe whose owner is told, by a signal of our choice, that there is something to read. */
    if (pipe (ends) == 0) {
        fcntl (ends[0], F_SETOWN, pid);
        fcntl (ends[0], F_SETSIG, SIGUSR1);
        fcntl (ends[0], F_SETFL, O_ASYNC);
        s_attempt ("write", write (ends[1], "x", 1));
    }
    s_attempt ("own", raise (0));
}

static void s_meddle (char **argument)
{
    pid_t pid = atoi (argument[0]);
    struct rlimit limit = {0, 0};
    struct sched_param parameter = {0};
    cpu_set_t set;
    CPU_ZERO (&set);
    CPU_SET (0, &set);
    s_attempt ("prlimit", prlimit (pid, RLIMIT_CPU, &limit, NULL));
    s_attempt ("setpriority", setpriority (PRIO_PROCESS, (id_t)pid, 19));
    s_attempt ("scheduler", sched_setscheduler (pid, SCHED_IDLE, &parameter));
    s_attempt ("affinity", sched_setaffinity (pid, sizeof set, &set));
    s_attempt ("socket", socket (AF_UNIX, SOCK_STREAM, 0));
    s_attempt ("inet", socket (AF_INET, SOCK_STREAM, 0));
    s_attempt ("shmget", shmget (1, 4096, IPC_CREAT));
}

static void *s_thread (void *context)
{
    return context;
}

static void s_multiply (char **argument)
{
    (void)argument;
    pthread_t thread;
    pid_t pid = fork ();
    if (pid == 0)
        _exit (0);
    s_attempt ("fork", pid);
    errno = pthread_create (&thread, NULL, s_thread, NULL);
    s_attempt ("thread", errno ? -1 : 0);
}

/* As many children at once as there can be. */
static void s_crowd (char **argument)
{
    int count = 0;
    for (pid_t pid; count < atoi (argument[0]); count++) {
        pid = fork ();
        if (pid < 0)
            break;
        if (pid == 0) {
            pause ();
            _exit (0);
        }
    }
    printf ("%d\n", count);
    fflush (stdout);
    kill (0, SIGKILL);
}

static void s_descriptors (char **argument)
{
    (void)argument;
    for (int fd = 0; fd < 1024; fd++)
        if (fcntl (fd, F_GETFD) >= 0)
            printf ("%d ", fd);
    char word[8] = "";
    if (read (7, word, sizeof word - 1) > 0)
        printf ("%s", word);
}

static void s_environment (char **argument)
{
    (void)argument;
    for (char **variable = environ; *variable; variable++)
        puts (*variable);
}

static void s_spin (char **argument)
{
    (void)argument;
    for (volatile int i = 0;; i++) {
    }
}

static void s_eat (char **argument)
{
    size_t size = (size_t)atoi (argument[0]) << 20;
    char *bytes = malloc (size);
    if (bytes)
        memset (bytes, 1, size);
    puts (bytes ? "eaten" : "refused");
}

static void s_wait (char **argument)
{
    (void)argument;
    if (write (1, "w", 1) == 1)
        pause ();
}

static void s_leave (char **argument)
{
    (void)argument;
    _exit (0);
}

/* Writes all over whatever it can. */
static void s_scribble (char **argument)
{
    (void)argument;
    for (volatile char *at = (char *)&argument;; at++)
        *at = 'x';
}

int main (int argc, char **argv)
{
    static const struct {
        const char *word;
        void (*run) (char **arguments);
    } deeds[] = {
        {"read", s_read},
        {"list", s_list},
        {"write", s_write},
        {"memory", s_memory},
        {"signal", s_signal},
        {"meddle", s_meddle},
        {"multiply", s_multiply},
        {"crowd", s_crowd},
        {"descriptors", s_descriptors},
        {"environment", s_environment},
        {"spin", s_spin},
        {"eat", s_eat},
        {"wait", s_wait},
        {"leave", s_leave},
        {"scribble", s_scribble},
    };
    for (size_t i = 0; argc > 1 && i < sizeof deeds / sizeof deeds[0]; i++)
        if (strcmp (argv[1], deeds[i].word) == 0) {
            deeds[i].run (argv + 2);
            return 0;
        }
    return 99;
}
