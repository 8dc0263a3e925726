/* SPDX-License-Identifier: MPL-2.0 */
/* The command line and environment of a sandboxed child. */
#ifndef EVOMESH_NODE_IO_SANDBOX_ARGUMENTS_H
#define EVOMESH_NODE_IO_SANDBOX_ARGUMENTS_H

#include "node/io/sandbox_spawn.h"

#define ARGUMENTS_MAX 256

/* A NULL-terminated list of strings, each owned by it. */
typedef struct {
    char *items[ARGUMENTS_MAX + 1];
    size_t count;
} arguments_t;

void arguments_add (arguments_t *self, const char *format, ...) __attribute__ ((format (printf, 2, 3)));
void arguments_free (arguments_t *self);

/* Where the child that drops root's rights finds mount number `index` of a job; `index` == mount_count: our helpers. */
#define STAGE_FORMAT "/tmp/%zu"

/* bubblewrap with all its options, up to and including its "--". `helpers`: mount them at /evomesh. */
void arguments_bwrap (arguments_t *self, const sandbox_host_t *host, const sandbox_job_t *job, bool helpers);

/* The jail in its outer mode and the job's command. `result_pipe` is the inode of the pipe on its stdout. */
void arguments_jail (arguments_t *self, const sandbox_host_t *host, const sandbox_job_t *job,
                     uint64_t result_pipe);

/* The environment: exactly what is promised; unsandboxed also EVOMESH_<TARGET> with the outside path of each mount,
 * and EVOMESH_HELPERS. */
void arguments_environment (arguments_t *self, const sandbox_host_t *host, const sandbox_job_t *job);

/* `path` inside the sandbox as it is outside, by the job's mounts; malloc'ed. A path beneath none comes back as it is. */
char *arguments_outside (const sandbox_host_t *host, const sandbox_job_t *job, const char *path);

#endif
