/* SPDX-License-Identifier: MPL-2.0 */
/* The inside of the engine, for sandbox.c, sandbox_watch.c and sandbox_report.c only. */
#ifndef EVOMESH_NODE_IO_SANDBOX_RUN_H
#define EVOMESH_NODE_IO_SANDBOX_RUN_H

#include "node/io/jail.h"
#include "node/io/sandbox.h"
#include "node/io/sandbox_capture.h"
#include "node/io/sandbox_spawn.h"
#include "node/io/sandbox_tree.h"

#define SANDBOX_SAMPLE_MS     20 /* between two looks at memory and processes */
#define SANDBOX_KILL_AGAIN_MS 10

struct sandbox {
    zloop_t *loop;
    sandbox_host_t host;
    sandbox_run_t *runs;
    int sample_timer; /* one for all runs, armed while there are any; -1 if not */
    tree_t tree;      /* scratch of the sampler */
};

struct sandbox_run {
    sandbox_t *engine;
    sandbox_run_t *next;
    sandbox_child_t child;
    sandbox_done_fn *done;
    void *context;
    int supervisor_fd; /* pidfd of the jail that is process 1 inside; -1 until READY */
    pid_t supervisor;  /* its process number out here; 0 until READY, -1 if it ended by then */
    int tmpfs_fds[2];  /* its /tmp and /dev/shm; -1 if there are none */
    int timer;         /* the wall-clock limit, or when to kill again; -1 if none */
    bool killing;
    sandbox_end_t verdict; /* why, if killing */
    int kill_tries;
    bool reported; /* the command ended by itself, as `report` says */
    jail_report_t report;
    capture_t output; /* all of it up to the limit */
    capture_t error;  /* its tail */
    uint64_t memory_bytes;
    uint64_t processes_max;
    uint64_t memory_peak_bytes;
    int samples_until_proportional;
    int64_t started_us;
};

/* --- sandbox.c --- */
/* Looks at a descriptor no more and closes it; nothing if it is -1, as it is then. */
void sandbox_unwatch (sandbox_run_t *run, int *fd);

/* --- sandbox_watch.c --- */
/* One try at ending a run that is being killed, or whose child lingers: the more were made, the harder. */
void sandbox_kill_once (sandbox_run_t *run);
/* Begins to kill it, unless that is under way or it has ended by itself. */
void sandbox_kill (sandbox_run_t *run, sandbox_end_t verdict);
/* Sets its timer anew: it is killed after so long. */
void sandbox_arm (sandbox_run_t *run, uint64_t delay_ms);
/* Handles the timer of the engine that looks at what all runs use; `context` is the engine. */
int sandbox_on_sample (zloop_t *loop, int timer, void *context);

/* --- sandbox_report.c --- */
/* Takes one report. Returns false if there was none. */
bool sandbox_take_report (sandbox_run_t *run);

#endif
