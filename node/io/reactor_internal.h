/* SPDX-License-Identifier: MPL-2.0 */
/* The inside of the reactor, for node/io/reactor*.c only. */
#ifndef EVOMESH_NODE_IO_REACTOR_INTERNAL_H
#define EVOMESH_NODE_IO_REACTOR_INTERNAL_H

#include "node/io/archivist.h"
#include "node/io/bus.h"
#include "node/io/clock.h"
#include "node/io/control.h"
#include "node/io/directory.h"
#include "node/io/executor.h"
#include "node/io/keystore.h"
#include "node/io/membership.h"
#include "node/io/reactor.h"

/* A link of ours. */
typedef struct {
    pubkey_t curve;
    char rpc[LIMIT_ENDPOINT + 1];
    char pub[LIMIT_ENDPOINT + 1];
    pubkey_t peer;
} link_t;

typedef struct {
    store_t *store; /* the first member, as store_ports wants it */
    reactor_options_t options;
    problem_t problem; /* why the node had to give up, or is failed */

    /* what it stands on, in the order in which it is opened */
    directory_t *directory;
    keystore_t *keystore;
    joined_t *joined;
    config_t config;
    agent_t agent;
    tree_t pinned;
    zloop_t *loop;
    sandbox_t *sandbox;
    workshop_t workshop;
    executor_t *executor;
    archivist_t *archivist; /* NULL where the archive can't be opened: the node goes on without */
    control_t *control;
    bus_t *bus;
    turn_t *turn;

    node_clock_t clock;
    uint64_t started_wall_ms;
    uint64_t metrics_ms;      /* when the next METRICS is due */
    bool was_denied;          /* a peer denied our key, and none has spoken since */
    uint64_t metrics_sent_ms; /* when the last one went out */
    uint64_t evaluations_before;
    uint64_t retry_ms; /* while failed: when to recover again */
    uint64_t retry_delay_ms;
    bool failed;
    bool stopping;
    int signals;         /* signalfd */
    int timer;           /* the one timer of the loop; -1: none */
    uint64_t timer_ms;   /* when it fires */
    uint64_t epoch_kept; /* of the roster in the settings */
    bool hints_changed;
    bool archive_behind; /* there may be candidates that archive.git lacks */
    digest_t release_kept;
    struct {
        char rpc[LIMIT_ENDPOINT + 1];
        char pub[LIMIT_ENDPOINT + 1];
    } bound[LIMIT_ENDPOINTS];
    address_t addresses[LIMIT_ENDPOINTS]; /* what peers are told; texts in `bound` or `advertised` */
    char advertised[LIMIT_ENDPOINTS][2][LIMIT_ENDPOINT + 1];
    size_t address_count;
    link_t links[LIMIT_MEMBERS];
    size_t link_count;
} reactor_t;

/* --- reactor_open.c: what the reactor stands on --- */
int reactor_open (reactor_t *self, const char *directory, problem_t *problem);
void reactor_close (reactor_t *self);
/* Reads node.yaml over the defaults. 0, or -1 with the problem. */
int reactor_read_config (const char *directory, config_t *config, problem_t *problem);

/* --- reactor_start.c: the core on it --- */
/* Recovers the core and starts it. 0 or what failed, with the problem. */
int reactor_start (reactor_t *self, problem_t *problem);
/* Why the journal could not be stepped up to entry `number`: `rc` is what turn_recover returned. Returns -1. */
int reactor_explain_recovery (const reactor_t *self, int rc, uint64_t number, problem_t *problem);

/* --- reactor.c --- */
/* Has a turn run as soon as the loop goes round. */
void reactor_wake (reactor_t *self);
/* What the bus tells; `context` is the reactor. */
void reactor_wake_up (void *context);
void reactor_received (void *context, const pubkey_t *curve, const uint8_t *body, size_t body_size,
                       const uint8_t *seal, size_t seal_size);
void reactor_refused (void *context, const pubkey_t *curve, const char *address, const char *why, bool first);

/* --- reactor_bind.c --- */
/* Binds the sockets and works out what peers are told. 0, or -1 with the problem. */
int reactor_bind (reactor_t *self, problem_t *problem);

/* --- reactor_ports.c --- */
ports_t reactor_ports (reactor_t *self);
/* Takes all links down. */
void reactor_unlink (reactor_t *self);
/* Keeps in the settings what commands that run beside the node look at: roster, addresses. */
void reactor_keep (reactor_t *self);

/* --- reactor_control.c --- */
void reactor_request (void *context, const control_request_t *request);

#endif
