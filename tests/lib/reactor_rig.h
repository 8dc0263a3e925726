/* SPDX-License-Identifier: MPL-2.0 */
/* A node of a group of one as a real process, for tests of the reactor: its data directory is made as `evomesh init` and
 * `evomesh group create` make it; its proposer counts a number down, and lower is better. */
#ifndef EVOMESH_TESTS_LIB_REACTOR_RIG_H
#define EVOMESH_TESTS_LIB_REACTOR_RIG_H

#include <jansson.h>
#include <sys/types.h>

#include "node/io/reactor.h"
#include "tests/lib/scratch.h"

typedef struct {
    scratch_t scratch;
    char directory[SCRATCH_PATH_BYTES];
    reactor_options_t options;
    unsigned proposals_max;
    pid_t pid; /* of the node; 0: it doesn't run */
    char ready[1024];
} reactor_rig_t;

/* Makes the directory; `proposals_max` proposals are made in all. */
reactor_rig_t *reactor_rig_new (unsigned proposals_max);
/* Kills the node, if it runs, and removes everything. */
void reactor_rig_destroy (reactor_rig_t *self);

/* Starts the node in a process of its own and waits for its ready line. */
void reactor_rig_start (reactor_rig_t *self);
/* Starts it where it must fail: writes the problem. */
void reactor_rig_refused (reactor_rig_t *self, problem_t *problem);
/* Sends a signal and waits for its end; returns its exit code, or minus the signal that ended it. */
int reactor_rig_signal (reactor_rig_t *self, int signal);
/* Waits for its end. */
int reactor_rig_wait (reactor_rig_t *self);

/* Asks; fails unless `ok`. The result is the caller's. */
json_t *reactor_rig_ask (reactor_rig_t *self, const char *request);
/* Asks; fails unless it is refused with an error that holds `what`. */
void reactor_rig_ask_refused (reactor_rig_t *self, const char *request, const char *what);
/* A number of `status`. */
json_int_t reactor_rig_status (reactor_rig_t *self, const char *key);
/* Waits until that number is `least` or more. */
void reactor_rig_until (reactor_rig_t *self, const char *key, json_int_t least);

#endif
