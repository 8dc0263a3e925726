/* SPDX-License-Identifier: MPL-2.0 */
/* A node to be measured: the production turn over the production store and bus, driven as the reactor drives them. Only its jobs
 * are none: proposals and measurements are made up, at once. */
#ifndef EVOMESH_TESTS_BENCH_SUBJECT_H
#define EVOMESH_TESTS_BENCH_SUBJECT_H

#include "node/io/bus.h"
#include "node/io/store.h"
#include "node/turn.h"
#include "tests/bench/bench.h"
#include "tests/bench/clan.h"

typedef struct subject subject_t;

/* What a bench wants to know; each may be NULL. */
typedef struct {
    void (*turn_begins) (void *context);
    void (*committed) (void *context); /* a turn's transaction is on disk */
    void (*wants) (void *context, effect_kind_t job);
    void (*sends) (void *context, unsigned kind, size_t body_size);
    void (*received) (void *context, unsigned kind, size_t body_size);
    void (*notified) (void *context, const notify_t *event);
    void *context;
} subject_watch_t;

typedef struct {
    const clan_t *clan;
    size_t number;         /* which of the clan */
    const char *directory; /* of its store; NULL: nothing is kept */
    zloop_t *loop;         /* NULL: no links */
    bool proposes;
    bool holds_jobs;   /* until subject_release; else each is answered behind the turn that wanted it */
    double win_chance; /* of a candidate to be better than the live release */
    subject_watch_t watch;
} subject_options_t;

/* Makes the node and starts its turn. What it was made from is borrowed. */
subject_t *subject_new (const subject_options_t *options);
void subject_destroy (subject_t **self_p);

/* Where it listens. */
const char *subject_rpc (const subject_t *self);
const char *subject_pub (const subject_t *self);
/* Where another one does. */
void subject_hint (subject_t *self, size_t number, const char *rpc, const char *pub);

/* One turn with what has arrived, and answers to the jobs that it wanted. With a loop turns run by themselves. */
void subject_turn (subject_t *self);
/* Has a turn run as soon as the loop goes round. */
void subject_wake (subject_t *self);
/* Answers all jobs that wait, by events for the next turn. */
void subject_release (subject_t *self);

/* What it takes to rebuild the node: of a checkpoint and the entries behind it, as a start does, and of its whole journal. */
typedef struct {
    double restart_ms;
    uint64_t stepped; /* entries behind the checkpoint */
    double replay_ms;
    uint64_t entries; /* in the journal */
} subject_recovery_t;
/* Rebuilds it both ways; it must come to the same. */
subject_recovery_t subject_recover (subject_t *self);

const node_t *subject_node (const subject_t *self);

#endif
