/* SPDX-License-Identifier: MPL-2.0 */
/* The inside of a measured node, for subject*.c only. */
#ifndef EVOMESH_TESTS_BENCH_SUBJECT_INTERNAL_H
#define EVOMESH_TESTS_BENCH_SUBJECT_INTERNAL_H

#include "crypto/random.h"
#include "evolution/objective.h"
#include "node/io/clock.h"
#include "tests/bench/subject.h"

#define SUBJECT_WAITING 16 /* jobs that wait for the end of a turn */
#define SUBJECT_LATEST \
    16 /* candidates whose figures are remembered: more than can be under way with one slot */

typedef struct {
    digest_t id;
    metrics_t metrics;
} measured_t;

/* A job that waits for the end of the turn. */
typedef struct {
    effect_kind_t kind;
    uint64_t operation;
    digest_t candidate; /* parent, release */
    bool live;
} waiting_t;

struct subject {
    store_t *store; /* the first member, as store_ports wants it; NULL: nothing is kept */
    subject_options_t options;
    const identity_t *identity;
    bus_t *bus;
    turn_t *turn;
    node_clock_t clock;
    random_t random;
    int timer;         /* the one timer of the loop; -1: none */
    uint64_t timer_ms; /* when it fires */
    char rpc[LIMIT_ENDPOINT + 1];
    char pub[LIMIT_ENDPOINT + 1];
    uint64_t candidates; /* made */
    measured_t live;
    measured_t latest[SUBJECT_LATEST]; /* the candidates made last, by number */
    waiting_t waiting[SUBJECT_WAITING];
    size_t waiting_count;
};

/* --- subject_ports.c --- */
ports_t subject_ports (subject_t *self);

/* --- subject_jobs.c --- */
/* Notes a job that a turn wants. */
void subject_job (void *context, const effect_t *effect);
/* Answers it, by an event for the next turn. */
void subject_answer_job (subject_t *self, const waiting_t *job);

#endif
