/* SPDX-License-Identifier: MPL-2.0 */
/* What the jail (the helper program that is first in every sandbox) and the engine outside tell each other, and the
 * parts of the jail. Reports travel over a SOCK_SEQPACKET pair that only the jail's supervisor holds. */
#ifndef EVOMESH_NODE_IO_JAIL_H
#define EVOMESH_NODE_IO_JAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define JAIL_REPORT_FD       3   /* where the engine leaves the supervisor's end of the pair */
#define JAIL_EXIT_REFUSED    126 /* the confinement could not be had, so nothing was run */
#define JAIL_EXIT_NO_PROGRAM 127 /* the program could not be started */
#define JAIL_PATHS_MAX       16
#define JAIL_FDS_MAX         16

typedef enum {
    JAIL_READY = 1, /* comes with descriptors: a pidfd of the supervisor, then its tmpfs /tmp and /dev/shm */
    JAIL_EXITED,    /* value: exit code of the command */
    JAIL_SIGNALED   /* value: signal that ended the command */
} jail_report_kind_t;

#define JAIL_READY_FDS 3

typedef struct {
    uint32_t kind; /* jail_report_kind_t */
    int32_t value;
    uint64_t cpu_us;            /* of the command and all its descendants */
    uint64_t memory_peak_bytes; /* largest resident size of any one of them */
} jail_report_t;

/* The jail's command line, parsed. Strings are borrowed from argv. */
typedef struct {
    bool limits;          /* supervise a sandbox (outer mode); else confine one program (inner mode) */
    bool namespaces;      /* outer mode: we are process 1 of an own pid namespace */
    uint64_t result_pipe; /* outer mode: inode of the pipe that carries the evaluator's result; 0: none */
    uint64_t cpu_s;       /* each of these: 0 means no limit */
    uint64_t memory_bytes;
    uint64_t processes;
    uint64_t file_bytes;
    int landlock_abi_max; /* pretend that the kernel's Landlock is no newer than this; for tests */
    const char *read[JAIL_PATHS_MAX];
    size_t read_count;
    const char *write[JAIL_PATHS_MAX];
    size_t write_count;
    const char *hide[JAIL_PATHS_MAX];
    size_t hide_count;
    int fds[JAIL_FDS_MAX];
    size_t fd_count;
    char **command;
} jail_options_t;

/* Prints "evomesh jail: …" to stderr and leaves with `code`. Never runs exit handlers: in a half-confined process
 * they could do anything. */
_Noreturn void jail_die (int code, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

/* Outer mode: starts the command under the limits, reaps everything, kills what is left when the command ends, and
 * reports. Never returns. */
_Noreturn void jail_supervise (const jail_options_t *options);

/* Inner mode: confines this process and becomes the program. Never returns. */
_Noreturn void jail_become (const jail_options_t *options);

/* Sets the resource limits of `options` on this process; `tasks` are those that exist already and count against
 * RLIMIT_NPROC. Dies where one can't be set. */
void jail_limit (const jail_options_t *options, uint64_t tasks);

/* Every signal back to its default and none blocked. */
void jail_reset_signals (void);

/* Landlock: from here on this process can read and execute /usr, its libraries, `program` and the --read paths, write
 * only to /dev/null and beneath the --write paths, and reach no process outside with a signal or ptrace. Checks the --hide paths. Dies if
 * it can't be had. Returns the Landlock ABI that is in force. */
int jail_landlock (const jail_options_t *options, const char *program);

typedef enum {
    JAIL_FILTER_SANDBOX,  /* for everything in a sandbox: no namespaces, mounts, tracing, unseen memory */
    JAIL_FILTER_CANDIDATE /* also no sockets, no shared memory, no meddling with other processes */
} jail_filter_t;

/* Loads the seccomp filter. `alone`: may start neither processes nor threads. `scoped`: Landlock already confines
 * signals; if false the filter does. Dies if it can't be had. */
void jail_filter (jail_filter_t filter, bool alone, bool scoped);

#endif
