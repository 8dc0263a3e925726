/* SPDX-License-Identifier: MPL-2.0 */
/* Makes a job's directories reachable for the unprivileged user that a root node's sandboxes run as, though they lie
 * in a data directory that is open to root alone. Only used by nodes that run as root. */
#ifndef EVOMESH_NODE_IO_SANDBOX_STAGE_H
#define EVOMESH_NODE_IO_SANDBOX_STAGE_H

#include "node/io/sandbox_spawn.h"

typedef struct {
    struct {
        int fd; /* a mount that isn't attached anywhere yet */
        bool directory;
        char path[24]; /* where stage_enter attaches it */
    } items[SANDBOX_MOUNTS_MAX + 1];
    size_t count;
} stage_t;

/* A user namespace in which root's files belong to SANDBOX_UID, as a descriptor for mounts; -1 with the problem. */
int stage_owner_map (problem_t *problem);

/* Opens all mounts of `job`, and our helpers, with root's rights. A file system that can't map owners (overlayfs) is
 * taken as it is: then what is read-only must be readable to everybody, and what is writable is given to SANDBOX_UID,
 * file by file. Returns 0, or -1 with the problem. Either way stage_close it. */
int stage_open (stage_t *self, const sandbox_host_t *host, const sandbox_job_t *job, bool helpers,
                problem_t *problem);

/* In the child, process 1 of a pid namespace, between vfork and exec: attaches the mounts in an own mount namespace and gives up root.
 * Only makes system calls. Returns NULL, or what failed (errno says why). */
const char *stage_enter (const stage_t *self);

void stage_close (stage_t *self);

#endif
