/* SPDX-License-Identifier: MPL-2.0 */
/* The operator's own service: `service.restart` of node.yaml, run after each switch of release. It is the operator's command and
 * runs as the operator, outside the sandbox: /bin/sh -c, in a process group of its own, with EVOMESH_CURRENT set to the path of
 * `current` and that as its working directory; what it prints goes to the node's stderr. Its end is watched by a pidfd. */
#ifndef EVOMESH_NODE_IO_SERVICE_H
#define EVOMESH_NODE_IO_SERVICE_H

#include <czmq.h>

#include "protocol/error.h"

typedef struct service service_t; /* one run of the command */

/* It ended: `problem` is NULL if it exited with 0, else what went wrong. Called once, from the loop. */
typedef void (service_done_fn) (void *context, const char *problem);

/* Starts the command; it is killed, with its whole process group, after `timeout_ms`. The run is owned by the loop until
 * `done` was called. NULL with the problem if no process could be started. */
service_t *service_start (zloop_t *loop, const char *command, const char *current, uint64_t timeout_ms,
                          service_done_fn *done, void *context, problem_t *problem);

/* Kills it at once and waits; `done` is not called. */
void service_destroy (service_t **self_p);

#endif
