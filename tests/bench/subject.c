/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE /* czmq.h */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evolution/archive.h"
#include "tests/bench/subject_internal.h"

#define STATEMENTS_A_TURN 256 /* as the reactor has it */

/* --- turns, driven as the reactor drives them --- */

static int s_timer (zloop_t *loop, int timer, void *context);

static void s_arm (subject_t *self, uint64_t when_ms)
{
    if (self->timer != -1 && self->timer_ms == when_ms)
        return;
    if (self->timer != -1)
        zloop_timer_end (self->options.loop, self->timer);
    self->timer = -1;
    self->timer_ms = when_ms;
    if (when_ms == UINT64_MAX)
        return;
    uint64_t now_ms = clock_now_ms (&self->clock);
    self->timer =
        zloop_timer (self->options.loop, (size_t)(when_ms > now_ms ? when_ms - now_ms : 0), 1, s_timer, self);
}

void subject_wake (subject_t *self)
{
    s_arm (self, 0);
}

static void s_readable (void *context)
{
    subject_wake (context);
}

static void s_received (void *context, const pubkey_t *curve, const uint8_t *body, size_t body_size,
                        const uint8_t *seal, size_t seal_size)
{
    subject_t *self = context;
    if (self->options.watch.received != NULL && body != NULL)
        self->options.watch.received (self->options.watch.context, statement_kind (body, body_size),
                                      body_size);
    turn_receive (self->turn, curve, body, body_size, seal, seal_size);
}

/* Where twenty nodes start at once on few cores, handshakes time out and are repeated. */
static void s_refused (void *context, const pubkey_t *curve, const char *address, const char *why, bool first)
{
    (void)context, (void)curve, (void)address, (void)why, (void)first;
}

void subject_turn (subject_t *self)
{
    if (self->options.watch.turn_begins != NULL)
        self->options.watch.turn_begins (self->options.watch.context);
    if (self->bus != NULL)
        bus_drain (self->bus, STATEMENTS_A_TURN);
    int result = turn_run (self->turn, clock_now_ms (&self->clock), clock_wall_ms ());
    if (result != 0)
        bench_fail ("subject %zu: a turn failed: %s", self->options.number, error_text (result));
    if (!self->options.holds_jobs)
        subject_release (self);
}

void subject_release (subject_t *self)
{
    size_t count = self->waiting_count;
    self->waiting_count = 0;
    for (size_t i = 0; i < count; i++)
        subject_answer_job (self, &self->waiting[i]);
    if (self->options.loop != NULL && count > 0)
        subject_wake (self);
}

static int s_timer (zloop_t *loop, int timer, void *context)
{
    (void)loop;
    subject_t *self = context;
    if (timer == self->timer)
        self->timer = -1;
    subject_turn (self);
    s_arm (self, turn_deadline_ms (self->turn));
    return 0;
}

/* --- life --- */

static void s_open_links (subject_t *self)
{
    const clan_t *clan = self->options.clan;
    bus_handler_t handler = {s_readable, s_received, s_refused, self};
    problem_t problem;
    self->bus = bus_new (self->options.loop, &clan->curves[self->options.number], &clan->group.group,
                         &handler, &problem);
    if (self->bus == NULL || bus_bind (self->bus, "tcp://127.0.0.1:*", self->rpc, self->pub, &problem) != 0)
        bench_fail ("%s", problem.text);
}

static started_t s_started (const subject_t *self, const objective_row_t objectives[2],
                            const proposer_row_t *proposer, const address_t *address)
{
    const clan_t *clan = self->options.clan;
    return (started_t){.charter = bytes_of (clan->group.packed.data, clan->group.packed.size),
                       .roster = bytes_of (clan->members->packed.data, clan->members->packed.size),
                       .start = bytes_of (clan->start.data, clan->start.size),
                       .name = text_of ("member"),
                       .platform = text_of ("Linux bench"),
                       .language = text_of ("c"),
                       .addresses = {address, 1},
                       .curve = clan->curves[self->options.number].public_key,
                       .seed = digest_of ("bench", 5),
                       .objectives = {objectives, 2},
                       .proposers = {proposer, self->options.proposes},
                       .timeout_ms = 60000,
                       .slots = 1,
                       .selection = SELECT_DGM,
                       .islands = 1,
                       .migration_interval = 50,
                       .migration_fraction = 0.1,
                       .learning_rate = 0.1,
                       .confined = 1,
                       .breaker_enabled = 1,
                       .breaker_threshold = 5,
                       .breaker_recovery_ms = 300000,
                       .automatic_rollback = 1,
                       .auto_share = 1,
                       .compatibility_threshold = 0.7,
                       .transfer_attempts_max = 3};
}

/* No member offers to validate: a round ends with the group's opinion. */
static void s_start (subject_t *self)
{
    objective_row_t objectives[2] = {
        {.name = text_of ("cost"), .goal = GOAL_MINIMIZE, .weight = 0.8, .bound = NAN, .alert = NAN},
        {.name = text_of ("size"), .goal = GOAL_MINIMIZE, .weight = 0.2, .bound = NAN, .alert = NAN}};
    proposer_row_t proposer = {.name = text_of ("made-up"), .share = 1.0};
    address_t address = {text_of (self->rpc), text_of (self->pub)};
    started_t started = s_started (self, objectives, &proposer, &address);
    mesh_self_t about = {.curve = started.curve,
                         .addresses = {address},
                         .address_count = 1,
                         .platform = "Linux bench",
                         .live_seq = 1};
    uint8_t entropy[SEED_BYTES];
    random_bytes (&self->random, entropy, sizeof entropy);
    clock_start (&self->clock, 0, 0);
    int result = turn_recover (self->turn, NULL);
    if (result == 0)
        result = turn_start (self->turn, &started, &self->options.clan->group, &about, entropy,
                             clock_now_ms (&self->clock), clock_wall_ms ());
    if (result != 0)
        bench_fail ("subject %zu: can't be started: %s", self->options.number, error_text (result));
    if (self->options.loop != NULL)
        subject_wake (self);
}

subject_t *subject_new (const subject_options_t *options)
{
    subject_t *self = calloc (1, sizeof *self);
    problem_t problem;
    assert (self != NULL);
    self->options = *options;
    self->identity = &options->clan->identities[options->number];
    self->timer = -1;
    self->live = (measured_t){options->clan->group.start, {{1000.0, 100.0}, 2}};
    snprintf (self->rpc, sizeof self->rpc, "tcp://127.0.0.1:1");
    snprintf (self->pub, sizeof self->pub, "tcp://127.0.0.1:2");
    random_init_number (&self->random, 2 + options->number);
    if (options->directory != NULL) {
        self->store = store_open (options->directory, true, false, &problem);
        if (self->store == NULL)
            bench_fail ("%s", problem.text);
    }
    if (options->loop != NULL)
        s_open_links (self);
    ports_t ports = subject_ports (self);
    self->turn = turn_new (self->identity, &ports);
    assert (self->turn != NULL);
    s_start (self);
    return self;
}

void subject_destroy (subject_t **self_p)
{
    subject_t *self = *self_p;
    if (self == NULL)
        return;
    if (self->timer != -1)
        zloop_timer_end (self->options.loop, self->timer);
    turn_destroy (&self->turn);
    bus_destroy (&self->bus);
    store_close (&self->store);
    free (self);
    *self_p = NULL;
}

subject_recovery_t subject_recover (subject_t *self)
{
    subject_recovery_t recovery = {0};
    turn_replayed_t replayed;
    digest_t before = node_digest (turn_node (self->turn));
    double start_ms = bench_now_ms ();
    int result = turn_recover (self->turn, &recovery.entries);
    recovery.restart_ms = bench_now_ms () - start_ms;
    recovery.stepped = recovery.entries - store_checkpoint_before (self->store, UINT64_MAX);
    digest_t after = node_digest (turn_node (self->turn));
    if (result != 0 || !digest_equal (&before, &after))
        bench_fail ("the node that was rebuilt is another");
    start_ms = bench_now_ms ();
    result = turn_replay (self->turn, NULL, NULL, &replayed);
    recovery.replay_ms = bench_now_ms () - start_ms;
    after = node_digest (turn_node (self->turn));
    if (result != 0 || !digest_equal (&before, &after))
        bench_fail ("the journal leads to another node: %s", error_text (result));
    return recovery;
}

/* --- looking at it --- */

const char *subject_rpc (const subject_t *self)
{
    return self->rpc;
}

const char *subject_pub (const subject_t *self)
{
    return self->pub;
}

void subject_hint (subject_t *self, size_t number, const char *rpc, const char *pub)
{
    turn_hint (self->turn, &self->options.clan->identities[number].id, rpc, pub, clock_now_ms (&self->clock));
    subject_wake (self);
}

const node_t *subject_node (const subject_t *self)
{
    return turn_node (self->turn);
}
