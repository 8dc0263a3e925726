/* SPDX-License-Identifier: MPL-2.0 */
/* A feedback round: one node asks its group about an improvement, everybody in a process of its own, linked to everybody else,
 * on loopback. Each round of ours is followed by one of the bare exchange between the same machines' processes.
 *
 *   turn begins: requests are signed ─▶ committed, sent ─▶ peers verify, commit, answer ─▶ verified, consensus ─▶ committed
 *   └───────────────────────────────────────────── a round ─────────────────────────────────────────────────────────┘ */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "evolution/consensus.h"
#include "evolution/improvement.h"
#include "tests/bench/round.h"

#define ROUNDS    40
#define WARM_UP   3
#define AIM_RATIO 2.0
#define WAIT_MS \
    180000 /* for all links to stand, and for one round: many handshakes on few cores take their time */
#define LOOK_MS 10

static const size_t s_peers[] = {1, 5, 20};

typedef struct {
    const clan_t *clan;
    board_t *board;
    zloop_t *loop;
    subject_t *subject;
    bare_t *bare;
    double sync_ms;    /* what a commit waits for its store at least */
    size_t needed;     /* replies that decide */
    double give_up_ms; /* at this time */
    bool bare_is_next;
    /* the round in hand */
    bool is_asking;
    double began_ms;
    double sent_ms;
    double committed_ms;
    size_t request_size;
    size_t reply_size;
    size_t rounds;
    samples_t ours; /* from the turn that signs */
    samples_t sent; /* from the first request sent */
    samples_t bares;
} asker_t;

/* --- addresses --- */

static bool s_all_bound (const asker_t *self)
{
    bool bound = true;
    for (size_t i = 0; i < self->clan->count; i++)
        bound = bound && atomic_load (&self->board->nodes[i].bound) &&
                (i == 0 || atomic_load (&self->board->nodes[i].bare_bound));
    return bound;
}

static void s_post (board_t *board, size_t number, const subject_t *subject)
{
    snprintf (board->nodes[number].rpc, sizeof board->nodes[number].rpc, "%s", subject_rpc (subject));
    snprintf (board->nodes[number].pub, sizeof board->nodes[number].pub, "%s", subject_pub (subject));
    atomic_store (&board->nodes[number].bound, true);
}

/* Tells a node of all others, once they are bound. */
static int s_introduce (zloop_t *loop, int timer, void *context)
{
    asker_t *self = context;
    if (!s_all_bound (self))
        return 0;
    for (size_t i = 0; i < self->clan->count; i++)
        subject_hint (self->subject, i, self->board->nodes[i].rpc, self->board->nodes[i].pub);
    zloop_timer_end (loop, timer);
    return 0;
}

/* --- what the asker's node tells --- */

static void s_turn_begins (void *context)
{
    asker_t *self = context;
    if (!self->is_asking)
        self->began_ms = bench_now_ms ();
}

static void s_committed (void *context)
{
    asker_t *self = context;
    self->committed_ms = bench_now_ms ();
}

static void s_sends (void *context, unsigned kind, size_t body_size)
{
    asker_t *self = context;
    if (kind != MESSAGE_FEEDBACK_REQUEST || self->is_asking)
        return;
    self->is_asking = true;
    self->sent_ms = bench_now_ms ();
    self->request_size = body_size;
}

static void s_received (void *context, unsigned kind, size_t body_size)
{
    asker_t *self = context;
    if (kind == MESSAGE_FEEDBACK)
        self->reply_size = body_size;
}

/* The group approves, and nobody offers to validate: so a round ends with this event. */
static void s_notified (void *context, const notify_t *event)
{
    asker_t *self = context;
    if (!self->is_asking || !text_equal (event->type, "improvement_rejected"))
        return;
    self->is_asking = false;
    self->bare_is_next = true;
    if (self->rounds++ < WARM_UP)
        return;
    samples_add (&self->ours, self->committed_ms - self->began_ms);
    samples_add (&self->sent, self->committed_ms - self->sent_ms);
}

/* --- the course of the rounds --- */

static node_status_t s_status (const asker_t *self)
{
    node_status_t status;
    node_status (subject_node (self->subject), &status);
    return status;
}

/* At a steady pace, with quiet between: a job is answered, or a bare round is made. */
static int s_pace (zloop_t *loop, int timer, void *context)
{
    (void)loop, (void)timer;
    asker_t *self = context;
    if (bench_now_ms () > self->give_up_ms)
        bench_fail ("round: after %d s %zu of %zu peers are up, %zu rounds are done", WAIT_MS / 1000,
                    s_status (self).peers_up, self->clan->count - 1, self->rounds);
    if (self->is_asking || s_status (self).peers_up + 1 < self->clan->count)
        return 0;
    self->give_up_ms = bench_now_ms () + WAIT_MS;
    if (self->bare_is_next) {
        double took_ms = bare_round (self->bare, self->request_size, self->reply_size, self->needed);
        self->bare_is_next = false;
        if (self->rounds > WARM_UP)
            samples_add (&self->bares, took_ms);
        return self->bares.count == ROUNDS ? -1 : 0;
    }
    subject_release (self->subject);
    return 0;
}

/* With how many approvals the action is settled, whatever the others say. */
static size_t s_needed (const policy_t *policy, size_t peers)
{
    const consensus_rules_t rules = {policy->approve_threshold, policy->review_threshold, policy->quorum};
    tally_t tally = {.asked = (unsigned)peers};
    while (tally.approvals == 0 || !consensus_decided (&tally, &rules))
        tally.approvals++;
    return tally.approvals;
}

static void s_print_one (const char *what, samples_t *samples, double bare_ms)
{
    double median_ms = samples_quantile (samples, 0.5);
    printf ("     %-27s median %7.2f ms   p99 %7.2f ms   ratio %6.2f", what, median_ms,
            samples_quantile (samples, 0.99), median_ms / bare_ms);
}

static void s_print (asker_t *self)
{
    size_t peers = self->clan->count - 1;
    double bare_ms = samples_quantile (&self->bares, 0.5), ours_ms = samples_quantile (&self->ours, 0.5);
    double least_ms = bare_ms + 3 * self->sync_ms;
    printf ("  %zu peer%s (settled by %zu replies; requests of %zu bytes, replies of %zu)\n", peers,
            peers == 1 ? "" : "s", self->needed, self->request_size + SEAL_BYTES,
            self->reply_size + SEAL_BYTES);
    s_print_one ("bare CURVE exchange", &self->bares, bare_ms);
    putchar ('\n');
    s_print_one ("round, signed to persisted", &self->ours, bare_ms);
    printf ("   aim <= %.0f: %s\n", AIM_RATIO, bench_verdict (ours_ms <= AIM_RATIO * bare_ms));
    s_print_one ("of it, sent to persisted", &self->sent, bare_ms);
    printf ("\n     the bare exchange and three waits for the store (%.3f ms each): %.2f ms; the round is "
            "%.2f times that\n",
            self->sync_ms, least_ms, ours_ms / least_ms);
}

/* --- processes --- */

static subject_t *s_subject (asker_t *self, size_t number, const place_t *place)
{
    static char directory[256];
    snprintf (directory, sizeof directory, "%s/%zu", place->path, number);
    if (mkdir (directory, 0700) != 0)
        bench_fail ("%s: %s", directory, strerror (errno));
    self->loop = zloop_new ();
    zloop_set_nonstop (self->loop, true);
    subject_options_t options = {
        .clan = self->clan, .number = number, .directory = directory, .loop = self->loop};
    if (number == 0) {
        options.proposes = options.holds_jobs = true;
        options.win_chance = 1;
        options.watch = (subject_watch_t){.turn_begins = s_turn_begins,
                                          .committed = s_committed,
                                          .sends = s_sends,
                                          .received = s_received,
                                          .notified = s_notified,
                                          .context = self};
    }
    self->subject = subject_new (&options);
    s_post (self->board, number, self->subject);
    zloop_timer (self->loop, LOOK_MS, 0, s_introduce, self);
    return self->subject;
}

static pid_t s_fork (void)
{
    fflush (stdout);
    pid_t pid = fork ();
    if (pid == -1)
        bench_fail ("no process: %s", strerror (errno));
    if (pid == 0 && prctl (PR_SET_PDEATHSIG, SIGKILL) != 0)
        bench_fail ("no signal at the parent's end");
    return pid;
}

static pid_t s_fork_peer (const clan_t *clan, board_t *board, size_t number, const place_t *place)
{
    pid_t pid = s_fork ();
    if (pid != 0)
        return pid;
    asker_t self = {.clan = clan, .board = board};
    s_subject (&self, number, place);
    zloop_start (self.loop);
    bench_fail ("a peer's loop ended");
}

static pid_t s_fork_echo (const clan_t *clan, board_t *board, size_t number)
{
    pid_t pid = s_fork ();
    if (pid == 0)
        bare_echo (clan, number, board);
    return pid;
}

/* The asker, in a process of its own; all others are its children, and end with it. */
static _Noreturn void s_ask (const clan_t *clan, board_t *board, const place_t *place)
{
    asker_t self = {.clan = clan, .board = board};
    samples_t syncs = {0};
    bench_sync (place, 16384, 200, &syncs);
    self.sync_ms = samples_quantile (&syncs, 0.5);
    samples_clear (&syncs);
    for (size_t i = 1; i < clan->count; i++) {
        s_fork_peer (clan, board, i, place);
        s_fork_echo (clan, board, i);
    }
    self.needed = s_needed (&clan->group.policy, clan->count - 1);
    s_subject (&self, 0, place);
    while (!s_all_bound (&self))
        zclock_sleep (LOOK_MS);
    self.bare = bare_new (clan, board);
    self.give_up_ms = bench_now_ms () + WAIT_MS;
    zloop_timer (self.loop, 60 + 12 * clan->count, 0, s_pace, &self);
    zloop_start (self.loop);
    if (s_status (&self).rejected[REASON_NO_VALIDATORS] < self.rounds)
        bench_fail ("round: not every round was approved");
    s_print (&self);
    fflush (stdout);
    _exit (EXIT_SUCCESS);
}

static void s_rounds (size_t peers, bool in_memory)
{
    clan_t clan;
    int status;
    place_t place = place_new (in_memory);
    board_t *board = mmap (NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (board == MAP_FAILED)
        bench_fail ("no shared memory");
    clan_make (&clan, peers + 1);
    pid_t pid = s_fork ();
    if (pid == 0)
        s_ask (&clan, board, &place);
    bool ended = waitpid (pid, &status, 0) == pid && WIFEXITED (status) && WEXITSTATUS (status) == 0;
    munmap (board, sizeof *board);
    clan_clear (&clan);
    place_remove (&place);
    if (!ended)
        bench_fail ("round: the asker failed");
}

void bench_round (void)
{
    printf ("feedback rounds on loopback, a process a node, all linked to all; %d rounds each, in turn with "
            "bare ones\n",
            ROUNDS);
    for (int in_memory = 0; in_memory <= 1; in_memory++) {
        printf ("stores %s\n", in_memory ? "in memory (/dev/shm)" : "on the disk");
        for (size_t i = 0; i < sizeof s_peers / sizeof s_peers[0]; i++)
            s_rounds (s_peers[i], in_memory);
    }
}
