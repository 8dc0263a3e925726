/* SPDX-License-Identifier: MPL-2.0 */
/* Programs that a sandbox must survive, one a word: trouble WORD [ARGUMENT]. The last argument may be a token by which
 * the tests find its processes. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MIB (1024UL * 1024)

static void s_print_now (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    printf ("%lld\n", (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    fflush (stdout);
}

static int s_wait_forever (void)
{
    while (pause () < 0) {
    }
    return 0;
}

/* Ignores what it can, hides in sessions of its own, and never ends. */
static int s_stubborn (const char *argument)
{
    (void)argument;
    for (int number = 1; number < NSIG; number++)
        signal (number, SIG_IGN);
    for (int i = 0; i < 4; i++)
        if (fork () == 0) {
            setsid ();
            if (fork () == 0)
                return s_wait_forever ();
            _exit (0);
        }
    return s_wait_forever ();
}

/* Ends at once, but leaves a process behind that holds its pipes. */
static int s_leave_behind (const char *argument)
{
    (void)argument;
    if (fork () == 0) {
        setsid ();
        signal (SIGTERM, SIG_IGN);
        return s_wait_forever ();
    }
    puts ("left");
    return 0;
}

static int s_fork_bomb (const char *argument)
{
    (void)argument;
    while (fork () < INT32_MAX) {
    }
    return 0;
}

/* "15+5": does so many, prints the time, does some more, and waits. */
static int s_in_two_steps (const char *argument, int (*one) (void))
{
    int first = 0, more = 0;
    if (sscanf (argument, "%d+%d", &first, &more) < 1)
        return 9;
    for (int i = 0; i < first + more; i++) {
        if (i == first)
            s_print_now ();
        if (one () != 0)
            return 9;
    }
    return s_wait_forever ();
}

static int s_one_child (void)
{
    return fork () == 0 ? s_wait_forever () : 0;
}

static int s_crowd (const char *argument)
{
    return s_in_two_steps (argument, s_one_child);
}

static int s_one_mebibyte (void)
{
    char *page = mmap (NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return -1;
    memset (page, 1, MIB);
    return 0;
}

static int s_eat (const char *argument)
{
    return s_in_two_steps (argument, s_one_mebibyte);
}

/* Takes so many MiB once and shares them with eight children, for 300 ms. */
static int s_share (const char *argument)
{
    size_t size = (size_t)atoi (argument) * MIB;
    char *pages = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        return 9;
    memset (pages, 1, size);
    for (int i = 0; i < 8; i++)
        if (fork () == 0) {
            usleep (300000);
            _exit (pages[size - 1] == 1 ? 0 : 1);
        }
    int status, failed = 0;
    while (wait (&status) > 0)
        failed += status != 0;
    return failed;
}

/* Writes files of one MiB into a directory until it may not; prints how many. */
static int s_fill (const char *argument)
{
    static char block[MIB];
    int count = 0;
    for (;; count++) {
        char path[256];
        snprintf (path, sizeof path, "%s/%d", argument, count);
        int fd = open (path, O_WRONLY | O_CREAT | O_EXCL, 0600);
        ssize_t size = fd < 0 ? -1 : write (fd, block, sizeof block);
        if (fd >= 0)
            close (fd);
        if (size != (ssize_t)sizeof block)
            break;
    }
    printf ("%d\n", count);
    return 0;
}

/* Makes empty files without end. */
static int s_litter (const char *argument)
{
    for (long count = 0;; count++) {
        char path[256];
        snprintf (path, sizeof path, "%s/%ld", argument, count);
        int fd = open (path, O_WRONLY | O_CREAT, 0600);
        if (fd < 0)
            return 9;
        close (fd);
    }
}

static int s_flood (const char *argument)
{
    static char block[65536];
    memset (block, 'x', sizeof block);
    int fd = atoi (argument);
    for (unsigned long written = 0; written < 1024 * MIB;) {
        ssize_t size = write (fd, block, sizeof block);
        if (size < 0)
            return 9;
        written += (unsigned long)size;
    }
    return 0;
}

static int s_spin (const char *argument)
{
    clock_t end = clock () + atoi (argument) * (CLOCKS_PER_SEC / 1000);
    while (clock () < end) {
    }
    return 0;
}

/* A child that burns processor time and is never waited for. */
static int s_spin_orphan (const char *argument)
{
    int ends[2];
    char byte;
    if (pipe (ends) != 0)
        return 9;
    if (fork () == 0) {
        setsid ();
        s_spin (argument);
        _exit (0);
    }
    close (ends[1]);
    return read (ends[0], &byte, 1) == 0 ? 0 : 9; /* end of file once it is done */
}

static int s_descriptors (const char *argument)
{
    (void)argument;
    for (int fd = 0; fd < 1024; fd++)
        if (fcntl (fd, F_GETFD) >= 0)
            printf ("%d ", fd);
    return 0;
}

static int s_crash (const char *argument)
{
    signal (atoi (argument), SIG_DFL);
    raise (atoi (argument));
    return 0;
}

static void s_attempt (const char *name, long result)
{
    printf ("%s=%s\n", name, result >= 0 ? "done" : strerrorname_np (errno));
}

/* Tries what the filter forbids, and says what came of each. */
static int s_calls (const char *argument)
{
    (void)argument;
    s_attempt ("ptrace", syscall (SYS_ptrace, 16L, 1L, 0L, 0L)); /* PTRACE_ATTACH */
    s_attempt ("unshare", unshare (CLONE_NEWUSER));
    s_attempt ("clone", syscall (SYS_clone, CLONE_NEWUSER | SIGCHLD, 0L, 0L, 0L, 0L));
    s_attempt ("clone3", syscall (SYS_clone3, NULL, 0L));
    s_attempt ("mount", syscall (SYS_mount, "none", "/tmp", "tmpfs", 0L, NULL));
    s_attempt ("bpf", syscall (SYS_bpf, 0L, NULL, 0L));
    s_attempt ("keyctl", syscall (SYS_keyctl, 0L, 0L, 0L, 0L, 0L));
    s_attempt ("userfaultfd", syscall (SYS_userfaultfd, 0L));
    s_attempt ("io_uring", syscall (SYS_io_uring_setup, 1L, NULL));
    s_attempt ("memfd", syscall (SYS_memfd_create, "x", 0L));
    s_attempt ("prlimit", syscall (SYS_prlimit64, 1L, 7L, NULL, NULL));
    s_attempt ("kill", kill (1, SIGKILL)); /* says done, and does nothing: they are immune */
    s_attempt ("terminate", kill (1, SIGTERM));
    s_attempt ("memory", open ("/proc/1/mem", O_RDWR));
    s_attempt ("report", open ("/proc/1/fd/3", O_RDWR));
    return 0;
}

static int s_connect (const char *argument)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl (INADDR_LOOPBACK)},
                                  .sin_port = htons ((uint16_t)atoi (argument))};
    int fd = socket (AF_INET, SOCK_STREAM, 0);
    int result = connect (fd, (struct sockaddr *)&address, sizeof address);
    puts (result == 0 ? "done" : strerrorname_np (errno));
    return 0;
}

int main (int argc, char **argv)
{
    static const struct {
        const char *word;
        int (*run) (const char *argument);
    } troubles[] = {
        {"stubborn", s_stubborn},
        {"leave-behind", s_leave_behind},
        {"fork-bomb", s_fork_bomb},
        {"crowd", s_crowd},
        {"eat", s_eat},
        {"share", s_share},
        {"fill", s_fill},
        {"litter", s_litter},
        {"flood", s_flood},
        {"spin", s_spin},
        {"spin-orphan", s_spin_orphan},
        {"descriptors", s_descriptors},
        {"crash", s_crash},
        {"calls", s_calls},
        {"connect", s_connect},
    };
    for (size_t i = 0; argc > 1 && i < sizeof troubles / sizeof troubles[0]; i++)
        if (strcmp (argv[1], troubles[i].word) == 0)
            return troubles[i].run (argc > 2 ? argv[2] : "");
    fprintf (stderr, "no such trouble\n");
    return 99;
}
