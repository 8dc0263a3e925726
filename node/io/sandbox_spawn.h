/* SPDX-License-Identifier: MPL-2.0 */
/* Starts one sandboxed child: bubblewrap with the jail as its process 1, or (unsandboxed) the jail alone. */
#ifndef EVOMESH_NODE_IO_SANDBOX_SPAWN_H
#define EVOMESH_NODE_IO_SANDBOX_SPAWN_H

#include "node/io/sandbox.h"

/* What this machine and process offer, found out once. */
typedef struct {
    char bwrap[64];   /* path of bubblewrap */
    char *helpers;    /* directory of our helper programs */
    bool unsandboxed; /* `sandbox: none` */
    bool drop;        /* we are root: become SANDBOX_UID before bubblewrap */
    int owner_map_fd; /* user namespace that maps root's files to SANDBOX_UID; -1 unless `drop` */
    int own_pids_fd;  /* our pid namespace; -1 unless `drop` */
} sandbox_host_t;

/* The user that sandboxes of a node run by root belong to: from the range that neither Debian's policy nor
 * systemd's dynamic users assign, so that it owns nothing. */
#define SANDBOX_UID 65530

#define SANDBOX_PROCESSES_DEFAULT 64
#define SANDBOX_DISK_DEFAULT      (64ULL * 1024 * 1024)

/* One child, and our ends of what connects us. All descriptors are non-blocking and close on exec. */
typedef struct {
    pid_t pid; /* bubblewrap, or the jail itself if unsandboxed */
    int pidfd;
    int output_fd; /* its stdout */
    int error_fd;  /* its stderr */
    int report_fd; /* jail_report_t from its supervisor */
} sandbox_child_t;

/* Returns 0, or -1 with the problem. */
int sandbox_host_init (sandbox_host_t *host, bool unsandboxed, const char *helpers, problem_t *problem);
void sandbox_host_free (sandbox_host_t *host);

/* Starts `job`. Must be called on a thread that lives as long as the child: the death signal follows the thread.
 * Returns 0, or -1 with the problem. */
int sandbox_spawn (const sandbox_host_t *host, const sandbox_job_t *job, sandbox_child_t *child,
                   problem_t *problem);

/* Like it, with `argv` in place of the jail and its command: for probes that need no helpers. */
int sandbox_spawn_bare (const sandbox_host_t *host, const sandbox_job_t *job, const char *const *argv,
                        sandbox_child_t *child, problem_t *problem);

/* Closes the descriptors. The process must have been waited for. */
void sandbox_child_close (sandbox_child_t *child);

#endif
