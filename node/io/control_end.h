/* SPDX-License-Identifier: MPL-2.0 */
/* What both ends of the control socket stand on: its address as ZeroMQ takes it, however long the data directory's path is, and a
 * ZeroMQ socket in a context of its own. */
#ifndef EVOMESH_NODE_IO_CONTROL_END_H
#define EVOMESH_NODE_IO_CONTROL_END_H

#include "protocol/error.h"

/* A socket's path may have 107 characters. A longer one is reached through the kernel's link to the open directory:
 * /proc/self/fd/N/control. Keep it open as long as the socket lives (it is unlinked by the same path). */
typedef struct {
    int directory; /* open directory; -1 where the plain path was short enough */
    char endpoint[128];
    void *zmq; /* ending it waits until nobody listens any more */
    void *raw; /* the socket; neither bound nor connected yet */
} control_end_t;

/* `type` is ZeroMQ's, e.g. ZMQ_ROUTER. 0, or -1 with the problem and nothing open. */
int control_end_open (control_end_t *self, const char *directory, int type, problem_t *problem);
/* Closes what is open. */
void control_end_close (control_end_t *self);

/* The path of the socket in the file system. */
const char *control_end_path (const control_end_t *self);

#endif
