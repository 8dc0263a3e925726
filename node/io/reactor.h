/* SPDX-License-Identifier: MPL-2.0 */
/* The reactor: the node as a process. It owns the data directory (one process each), the store, the bus, the sandbox and the
 * control socket, and runs turns: whenever a socket, a child or the timer has something, everything that is there is taken
 * in, one turn runs (node/turn.h), and the loop waits again. One thread; nothing blocks but SQLite's commit. */
#ifndef EVOMESH_NODE_IO_REACTOR_H
#define EVOMESH_NODE_IO_REACTOR_H

#include <stdio.h>

#include "node/io/log.h"
#include "node/turn.h"

/* What the command line may say in place of node.yaml; zeroes and NULLs mean: as node.yaml says. */
typedef struct {
    const char *listen;          /* "tcp://10.0.0.1:7401" */
    const char *advertise;       /* what peers are told */
    const char *passphrase_file; /* keystore.h says what is taken without one */
    const char *helpers;         /* directory of the helper programs; needed */
    log_level_t log_level;
    uint64_t slots;
    uint64_t seed; /* of the random stream, if `seed_given`; counts at the node's first start */
    bool seed_given;
    FILE *ready; /* receives one line when the node is ready; NULL: stdout */
} reactor_options_t;

/* Runs the node of `directory` until SIGINT, SIGTERM or `stop`. Returns 0, or -1 with the problem if it could not start or had
 * to give up. On the way out everything is committed, peers are told, and no child is left. */
int reactor_run (const char *directory, const reactor_options_t *options, problem_t *problem);

/* Steps the journal of `directory` through a core, from as far back as it goes, and compares each entry's effects with the recorded
 * digest, and each checkpoint with what the core would save. `visit` (may be NULL) sees each entry and the effects that it gives. Reads
 * only; a node may be running. Returns 0 if all are the same; 1 with `number` and what follows it in `*outcome` filled at the first entry
 * that isn't; -1 with the problem. */
typedef void (reactor_replay_fn) (void *context, uint64_t number, const event_t *event,
                                  const effects_t *effects, const digest_t *recorded,
                                  const digest_t *computed);
typedef struct {
    uint64_t from;        /* the entry behind which it began, with a checkpoint; 0: at the start */
    uint64_t entries;     /* looked at */
    uint64_t checkpoints; /* met on the way: each is what the entries lead to */
    uint64_t number;      /* of the first that differs; 0: none */
    unsigned kind;        /* its event */
    digest_t recorded;
    digest_t computed;
    uint64_t candidates; /* in the archive where the replay ended */
    digest_t archive;    /* digest of them: node_status_t's archive_digest */
} reactor_replay_t;
int reactor_replay (const char *directory, const char *passphrase_file, reactor_replay_fn *visit,
                    void *context, reactor_replay_t *outcome, problem_t *problem);

#endif
