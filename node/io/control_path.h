/* SPDX-License-Identifier: MPL-2.0 */
/* The control socket's address as ZeroMQ takes it, however long the data directory's path is. */
#ifndef EVOMESH_NODE_IO_CONTROL_PATH_H
#define EVOMESH_NODE_IO_CONTROL_PATH_H

#include "protocol/error.h"

/* A socket's path may have 107 characters. A longer one is reached through the kernel's link to the open directory:
 * /proc/self/fd/N/control. Keep it open as long as the socket lives (it is unlinked by the same path). */
typedef struct {
    int directory; /* open directory; -1 where the plain path was short enough */
    char endpoint[128];
} control_path_t;

/* 0, or -1 with the problem. */
int control_path_open (control_path_t *self, const char *directory, problem_t *problem);
void control_path_close (control_path_t *self);

#endif
