/* SPDX-License-Identifier: MPL-2.0 */
/* Runs a program where it can do no harm: bubblewrap's namespaces around it, limits on time, memory, output and
 * processes, and all of it dead within 100 ms of a limit. Event-driven: one pidfd and three pipes a child stand in the
 * loop. Only memory and process counts have no event to wait for: those are sampled. The engine stands behind this interface; another (a
 * cluster's queue) could. */
#ifndef EVOMESH_NODE_IO_SANDBOX_H
#define EVOMESH_NODE_IO_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <czmq.h>

#include "protocol/error.h"
#include "protocol/limits.h"

typedef struct sandbox sandbox_t;         /* the engine: one a node */
typedef struct sandbox_run sandbox_run_t; /* one run */

typedef struct {
    const char *source; /* path outside */
    const char *target; /* path inside, e.g. "/agent" */
    bool writable;
} sandbox_mount_t;

#define SANDBOX_MOUNTS_MAX    8
#define SANDBOX_ARGUMENTS_MAX 64

/* What to run. All pointers are borrowed for the call of sandbox_start only. */
typedef struct {
    const char *const *command; /* NULL-terminated; relative to `directory` inside */
    const char *directory;      /* working directory inside, e.g. "/agent" */
    sandbox_mount_t mounts[SANDBOX_MOUNTS_MAX];
    size_t mount_count;
    const char *input; /* written to its stdin, then end of file; NULL for none */
    size_t input_size;
    uint64_t timeout_ms; /* wall time */
    uint64_t
        memory_bytes; /* of the whole tree of processes and its files in /tmp and /dev/shm; 0: no limit */
    uint64_t
        processes_max; /* in the tree; 0: the engine's default (64); threads have a wider limit of their own */
    uint64_t disk_bytes;   /* of its writable /tmp, and of any one file; 0: the engine's default (64 MiB) */
    uint64_t output_bytes; /* of stdout and of stderr each; beyond it the run ends as SANDBOX_OUTPUT */
    bool network;          /* only where the operator granted it */
} sandbox_job_t;

typedef enum {
    SANDBOX_EXITED,   /* exit_code says how */
    SANDBOX_SIGNALED, /* signal says by what */
    SANDBOX_TIMEOUT,
    SANDBOX_MEMORY,
    SANDBOX_PROCESSES,
    SANDBOX_OUTPUT,
    SANDBOX_CANCELLED,
    SANDBOX_FAILED /* the sandbox itself could not be set up: a fault of ours, not the program's */
} sandbox_end_t;

/* How it ended. `output` and `error_tail` are owned by the run and live until the callback returns. */
typedef struct {
    sandbox_end_t end;
    int exit_code;
    int signal;
    const char *output; /* stdout, NUL-terminated behind its last byte */
    size_t output_size;
    const char *error_tail; /* the last LIMIT_TAIL_BYTES of stderr, NUL-terminated */
    size_t error_size;
    uint64_t wall_ms;
    uint64_t cpu_us;            /* user and system time of the tree */
    uint64_t memory_peak_bytes; /* highest seen of the tree, or of one of its processes where that is more */
} sandbox_result_t;

typedef void (sandbox_done_fn) (void *context, const sandbox_result_t *result);

/* Makes the engine on `loop` (borrowed). `unsandboxed` is the operator's `sandbox: none`: limits stay, but the program
 * sees the machine, and finds its mounts by EVOMESH_<TARGET> (EVOMESH_AGENT for /agent) and EVOMESH_HELPERS in its
 * environment; paths beneath mounts in `command` and `directory` are translated. `helper_directory` holds our helper
 * programs (jail, proposers); it is mounted read-only at /evomesh. NULL on failure, with the problem. */
sandbox_t *sandbox_new (zloop_t *loop, bool unsandboxed, const char *helper_directory, problem_t *problem);

/* Kills every run, waits until they are gone (their callbacks are not called), and ends the engine. Only when `loop` no
 * longer runs: it may still fire a timer that was cancelled. */
void sandbox_destroy (sandbox_t **self_p);

/* True if what runs here is really confined. A peer's candidate never runs where this is false. */
bool sandbox_confines (const sandbox_t *self);

/* Starts a run. `done` is called once, from the loop, never from within this call, when all processes of the run are
 * gone; it may start and cancel others. A run ends with its command: what the command left behind is killed.
 * Returns the run (owned by the engine until done was called), or NULL with the problem if no process could be
 * started. If the node is root, writable mounts on a file system that can't map owners are given to SANDBOX_UID. */
sandbox_run_t *sandbox_start (sandbox_t *self, const sandbox_job_t *job, sandbox_done_fn *done, void *context,
                              problem_t *problem);

/* Ends a run early: its whole tree is killed, and `done` comes with SANDBOX_CANCELLED (or with how it ended, if that
 * was known already). */
void sandbox_cancel (sandbox_run_t *run);

/* Name of an end as it stands in reasons and logs, e.g. "timeout". */
const char *sandbox_end_name (sandbox_end_t end);

/* What the sandbox lacks on this machine, a line each with its remedy, for `evomesh doctor`; empty if nothing. Returns
 * the number of lacks that prevent running candidates at all. Runs real probes (starts bubblewrap). */
typedef struct {
    bool fatal;
    char what[160];
    char remedy[200];
} sandbox_lack_t;
#define SANDBOX_LACKS_MAX 16
size_t sandbox_probe (sandbox_lack_t lacks[SANDBOX_LACKS_MAX], size_t *count);

#endif
