/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE /* signalfd, setenv, and czmq.h */
#include "node/io/reactor.h"

#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "node/io/reactor_internal.h"

#define STATEMENTS_A_TURN 256 /* read from the bus before the turn runs; the rest waits in the sockets */
#define REQUESTS_A_TURN   16
#define REQUESTS_AT_END   1024 /* that are answered before it ends: who floods it can't keep it */
#define RETRY_MS_MIN      2000 /* between attempts to recover from a failing store */
#define RETRY_MS_MAX      60000
#define HEAP_STEP_BYTES   16384 /* that the heap grows by beyond what is asked for */
#define HEAP_SPARE_BYTES  65536 /* that it keeps of what was given back */

/* --- the one timer --- */

static int s_timer (zloop_t *loop, int timer, void *context);

/* Arms the timer for `when_ms` on the node's clock, in place of the one that was armed. */
static void s_arm (reactor_t *self, uint64_t when_ms)
{
    if (self->timer != -1 && self->timer_ms == when_ms)
        return;
    if (self->timer != -1)
        zloop_timer_end (self->loop, self->timer);
    self->timer = -1;
    self->timer_ms = when_ms;
    if (when_ms == UINT64_MAX)
        return;
    uint64_t now_ms = clock_now_ms (&self->clock), delay_ms = when_ms > now_ms ? when_ms - now_ms : 0;
    if (delay_ms > 3600000)
        delay_ms = 3600000; /* fires for nothing then, and is armed again */
    self->timer = zloop_timer (self->loop, (size_t)delay_ms, 1, s_timer, self);
    assert (self->timer != -1); /* without it the node would stand still */
}

void reactor_wake (reactor_t *self)
{
    assert (self != NULL);
    s_arm (self, 0);
}

void reactor_wake_up (void *context)
{
    reactor_wake (context);
}

static void s_rearm (reactor_t *self)
{
    assert (self->failed || !turn_failed (self->turn)); /* s_fail saw to it */
    uint64_t when_ms = self->failed ? self->retry_ms : turn_deadline_ms (self->turn);
    if (!self->failed && self->metrics_ms < when_ms)
        when_ms = self->metrics_ms;
    s_arm (self, self->stopping ? 0 : when_ms);
}

/* --- what comes in --- */

void reactor_received (void *context, const pubkey_t *curve, const uint8_t *body, size_t body_size,
                       const uint8_t *seal, size_t seal_size)
{
    reactor_t *self = context;
    assert (self != NULL && self->turn != NULL);
    self->was_denied = false; /* who talks to us does not deny us */
    turn_receive (self->turn, curve, body, body_size, seal, seal_size);
}

void reactor_refused (void *context, const pubkey_t *curve, const char *address, const char *why, bool first)
{
    reactor_t *self = context;
    char key[DIGEST_SHORT_BYTES] = "unknown";
    self->was_denied = self->was_denied || strcmp (why, BUS_WHY_DENIED) == 0;
    if (curve != NULL)
        pubkey_short (curve, key);
    if (first)
        log_line (LEVEL_WARNING, "link_refused", "key=%s address=%s why=\"%s\"", key, address, why);
}

/* Resident memory of this process; 0 if it can't be told. */
static uint64_t s_memory_bytes (void)
{
    unsigned long pages = 0;
    FILE *file = fopen ("/proc/self/statm", "re");
    if (file == NULL)
        return 0;
    if (fscanf (file, "%*u %lu", &pages) != 1)
        pages = 0;
    fclose (file);
    return (uint64_t)pages * (uint64_t)sysconf (_SC_PAGESIZE);
}

/* The figures of the group's METRICS. */
static void s_metrics (reactor_t *self, uint64_t now_ms)
{
    uint64_t interval_ms = self->config.real_time_monitoring.metrics_interval_seconds * 1000;
    node_status_t status;
    metric_t metrics[LIMIT_OBJECTIVES];
    node_status (turn_node (self->turn), &status);
    metrics_message_t message = {.release = status.release,
                                 .learning_rate = status.learning_rate,
                                 .breaker = (uint64_t)status.breaker,
                                 .slots = status.slots,
                                 .slots_busy = status.slots_busy};
    for (size_t i = 0; i < status.live_metrics.count; i++)
        metrics[i] = (metric_t){text_of (status.objectives.items[i].name), status.live_metrics.values[i]};
    assert (status.live_metrics.count <= status.objectives.count &&
            status.objectives.count <= LIMIT_OBJECTIVES);
    message.metrics.items = metrics;
    message.metrics.count = status.live_metrics.count;
    for (size_t i = 0; i < sizeof status.in_state / sizeof status.in_state[0]; i++)
        message.waiting += status.in_state[i];
    uint64_t since_ms = now_ms - self->metrics_sent_ms;
    if (self->metrics_sent_ms > 0 && since_ms > 0 && status.evaluations >= self->evaluations_before)
        message.evaluations_per_s =
            (double)(status.evaluations - self->evaluations_before) * 1000.0 / (double)since_ms;
    message.memory_bytes = s_memory_bytes ();
    turn_metrics (self->turn, &message, clock_wall_ms ());
    self->evaluations_before = status.evaluations;
    self->metrics_sent_ms = now_ms;
    self->metrics_ms = interval_ms == 0 ? UINT64_MAX : now_ms + interval_ms;
}

/* --- a store that fails --- */

static void s_fail (reactor_t *self, int error)
{
    assert (error != 0 && !self->failed && turn_failed (self->turn));
    const char *why =
        error == ERROR_IO || error == ERROR_FULL ? store_problem (self->store) : error_text (error);
    problem_set (&self->problem, "%s", why);
    log_line (LEVEL_ERROR, "store_failed", "problem=\"%s\" retry_ms=%d", why, RETRY_MS_MIN);
    executor_abandon (self->executor);
    reactor_unlink (self);
    self->failed = true;
    self->retry_delay_ms = RETRY_MS_MIN;
    self->retry_ms = clock_now_ms (&self->clock) + self->retry_delay_ms;
}

/* Rebuilds the core from the store, once that may be whole again. */
static void s_recover (reactor_t *self)
{
    assert (self->failed && self->retry_delay_ms >= RETRY_MS_MIN && self->retry_delay_ms <= RETRY_MS_MAX);
    if (reactor_start (self, &self->problem) == 0) {
        log_line (LEVEL_INFO, "store_recovered", "entries=%llu",
                  (unsigned long long)store_journal_count (self->store));
        self->failed = false;
        return;
    }
    self->retry_delay_ms = 2 * self->retry_delay_ms > RETRY_MS_MAX ? RETRY_MS_MAX : 2 * self->retry_delay_ms;
    self->retry_ms = clock_now_ms (&self->clock) + self->retry_delay_ms;
}

/* --- the turn --- */

static void s_turn (reactor_t *self)
{
    uint64_t now_ms = clock_now_ms (&self->clock);
    bus_drain (self->bus, STATEMENTS_A_TURN);
    control_drain (self->control, REQUESTS_A_TURN, now_ms, reactor_request, self);
    if (self->failed) {
        if (now_ms >= self->retry_ms)
            s_recover (self);
        return;
    }
    if (now_ms >= self->metrics_ms)
        s_metrics (self, now_ms);
    int rc = turn_run (self->turn, clock_now_ms (&self->clock), clock_wall_ms ());
    if (rc != 0)
        s_fail (self, rc);
    else
        reactor_keep (self);
}

static int s_timer (zloop_t *loop, int timer, void *context)
{
    (void)loop;
    reactor_t *self = context;
    if (timer == self->timer)
        self->timer = -1; /* it fires once */
    if (!self->stopping)
        s_turn (self);
    s_rearm (self);
    return self->stopping ? -1 : 0;
}

static int s_control_readable (zloop_t *loop, zmq_pollitem_t *item, void *context)
{
    (void)loop, (void)item;
    reactor_t *self = context;
    s_turn (self);
    s_rearm (self);
    return 0;
}

static int s_signal (zloop_t *loop, zmq_pollitem_t *item, void *context)
{
    (void)loop, (void)item;
    reactor_t *self = context;
    struct signalfd_siginfo info;
    if (read (self->signals, &info, sizeof info) != (ssize_t)sizeof info)
        return 0;
    log_line (LEVEL_INFO, "stopping", "by=signal number=%u", info.ssi_signo);
    self->stopping = true;
    return -1;
}

/* --- the run --- */

/* Signals come as bytes in the loop. Blocked before the first thread is made, so that none takes them. */
static int s_block_signals (reactor_t *self, problem_t *problem)
{
    sigset_t signals;
    sigemptyset (&signals);
    sigaddset (&signals, SIGINT);
    sigaddset (&signals, SIGTERM);
    sigaddset (&signals, SIGHUP);
    setenv ("ZSYS_SIGHANDLER", "false", 1);
    signal (SIGPIPE, SIG_IGN);
    if (sigprocmask (SIG_BLOCK, &signals, NULL) != 0 ||
        (self->signals = signalfd (-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK)) == -1)
        return problem_set (problem, "signals can't be watched: %s", strerror (errno));
    return 0;
}

static void s_ready (const reactor_t *self)
{
    assert (self->address_count > 0 && self->bound[0].rpc[0] != '\0');
    char id[DIGEST_TEXT_BYTES], group[DIGEST_TEXT_BYTES];
    FILE *out = self->options.ready == NULL ? stdout : self->options.ready;
    pubkey_text (&keystore_identity (self->keystore)->id, id);
    digest_text (&self->joined->group.group, group);
    fprintf (out, "ready name=%s id=%s group=%s rpc=%s pub=%s pid=%ld\n", self->config.name, id, group,
             self->bound[0].rpc, self->bound[0].pub, (long)getpid ());
    fflush (out);
    log_line (LEVEL_INFO, "ready", "id=%s rpc=%s pub=%s sandbox=%s", id, self->bound[0].rpc,
              self->bound[0].pub, sandbox_confines (self->sandbox) ? "confined" : "none");
}

static void s_loop (reactor_t *self)
{
    zmq_pollitem_t signals = {NULL, self->signals, ZMQ_POLLIN, 0};
    zmq_pollitem_t control = {control_socket (self->control), 0, ZMQ_POLLIN, 0};
    zloop_poller (self->loop, &signals, s_signal, self);
    zloop_poller (self->loop, &control, s_control_readable, self);
    zloop_poller_set_tolerant (self->loop, &control);
    reactor_wake (self);
    while (!self->stopping)
        zloop_start (self->loop);
    zloop_poller_end (self->loop, &control);
    zloop_poller_end (self->loop, &signals);
    if (self->timer != -1)
        zloop_timer_end (self->loop, self->timer);
}

/* Tells the group; what was committed stays, what runs is given up and asked for again at the next start. */
static void s_leave (reactor_t *self)
{
    if (self->failed)
        return;
    uint64_t now_ms = clock_now_ms (&self->clock), wall_ms = clock_wall_ms ();
    executor_abandon (self->executor);
    turn_leave (self->turn, now_ms, wall_ms);
    turn_run (self->turn, now_ms, wall_ms);
    turn_checkpoint (self->turn);
    reactor_keep (self);
}

/* Whoever asked meanwhile has an answer; whoever asks from now on finds no node. */
static void s_refuse_late (reactor_t *self)
{
    assert (self->stopping);
    control_drain (self->control, REQUESTS_AT_END, clock_now_ms (&self->clock), reactor_request, self);
    control_destroy (&self->control);
}

int reactor_run (const char *directory, const reactor_options_t *options, problem_t *problem)
{
    assert (options != NULL);
    reactor_t *self = calloc (1, sizeof *self);
    if (self == NULL)
        return problem_set (problem, "%s", error_text (ERROR_MEMORY));
    self->options = *options;
    self->timer = self->signals = -1;
    self->started_wall_ms = clock_wall_ms ();
    log_open (options->log_level, NULL);
    /* A node is idle most of the time: what it needs no more goes back. */
    mallopt (M_TOP_PAD, HEAP_STEP_BYTES);
    mallopt (M_TRIM_THRESHOLD, HEAP_SPARE_BYTES);
    int rc = s_block_signals (self, problem);
    if (rc == 0)
        rc = reactor_open (self, directory, problem);
    if (rc == 0)
        rc = reactor_start (self, problem);
    if (rc == 0) {
        s_ready (self);
        s_loop (self);
        s_leave (self);
        s_refuse_late (self);
        log_line (LEVEL_INFO, "stopped", "pid=%ld", (long)getpid ());
    }
    reactor_close (self);
    if (self->signals != -1)
        close (self->signals);
    free (self);
    return rc == 0 ? 0 : -1;
}
