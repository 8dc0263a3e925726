/* SPDX-License-Identifier: MPL-2.0 */
/* Evaluations in real sandboxes. */
#define _GNU_SOURCE
#include "node/io/evaluation.h"

#include "evolution/improvement.h"
#include "node/io/checkout.h"
#include "tests/lib/job_rig.h"

typedef struct {
    job_rig_t *rig;
    evaluations_t *evaluations;
    uint64_t operation;
} bench_t;

static bench_t s_bench (bool unsandboxed)
{
    bench_t self = {.rig = job_rig_new (unsandboxed)};
    self.evaluations = evaluations_new (&self.rig->workshop, job_rig_done, self.rig);
    ck_assert_ptr_nonnull (self.evaluations);
    return self;
}

static void s_end (bench_t *self)
{
    sandbox_destroy (&self->rig->sandbox);
    evaluations_destroy (&self->evaluations);
    job_rig_destroy (self->rig);
}

static void s_start (bench_t *self, const digest_t *candidate, bool foreign, bool live)
{
    evaluate_t effect = {
        .operation = ++self->operation, .candidate = *candidate, .foreign = foreign, .live = live};
    evaluations_start (self->evaluations, &effect);
}

/* Evaluates a candidate whose file holds `text`. */
static const evaluated_t *s_evaluate (bench_t *self, const char *text)
{
    digest_t candidate = job_rig_candidate (self->rig, text);
    size_t before = self->rig->count;
    s_start (self, &candidate, false, false);
    job_rig_wait (self->rig, before + 1);
    const event_t *event = &self->rig->events[before];
    ck_assert_uint_eq (event->kind, EVENT_EVALUATED);
    ck_assert_uint_eq (event->as.evaluated.operation, self->operation);
    return &event->as.evaluated;
}

static void s_expect (bench_t *self, const char *text, reason_code_t reason, const char *detail)
{
    const evaluated_t *found = s_evaluate (self, text);
    ck_assert_msg (found->reason == (uint64_t)reason, "%s: %s, not %s; %.*s", text,
                   reason_name ((reason_code_t)found->reason), reason_name (reason), (int)found->detail.size,
                   found->detail.data);
    ck_assert_msg (job_rig_says (found->detail, detail), "%s: %.*s", text, (int)found->detail.size,
                   found->detail.data);
    ck_assert_uint_eq (found->metrics.count, 0);
}

START_TEST (a_valid_run_gives_each_objective_its_value_in_order)
{
    bench_t bench = s_bench (false);
    const evaluated_t *found = s_evaluate (&bench, "42.5\n");
    ck_assert_msg (found->reason == REASON_NONE, "%.*s", (int)found->detail.size, found->detail.data);
    ck_assert_uint_eq (found->metrics.count, 3);
    ck_assert_double_eq (found->metrics.items[0].value, 42.5);
    ck_assert_double_eq (found->metrics.items[1].value, (double)found->wall_ms / 1000.0);
    ck_assert_double_eq (found->metrics.items[2].value, (double)found->memory_bytes);
    ck_assert_uint_gt (found->memory_bytes, 0);
    ck_assert (job_rig_says (found->detail, "item 7")); /* the artifacts, for the proposer */
    s_end (&bench);
}
END_TEST

START_TEST (who_waits_takes_time_but_not_the_processors)
{
    bench_t bench = s_bench (false);
    bench.rig->agent->objectives.items[1].source = SOURCE_CPU_TIME;
    const evaluated_t *found = s_evaluate (&bench, "idle\n");
    ck_assert_msg (found->reason == REASON_NONE, "%.*s", (int)found->detail.size, found->detail.data);
    ck_assert_uint_ge (found->wall_ms, 500);
    ck_assert_double_gt (found->metrics.items[1].value, 0);
    ck_assert_double_lt (found->metrics.items[1].value, 0.25);
    s_end (&bench);
}
END_TEST

START_TEST (a_run_that_gives_no_result_is_invalid_with_the_reason)
{
    bench_t bench = s_bench (false);
    s_expect (&bench, "exit\n", REASON_INVALID_EXIT, "it is bad");
    s_expect (&bench, "crash\n", REASON_INVALID_CRASH, "signal 11");
    s_expect (&bench, "silent\n", REASON_INVALID_OUTPUT, "");
    s_expect (&bench, "garbage\n", REASON_INVALID_RESULT, "JSON");
    s_expect (&bench, "nan\n", REASON_INVALID_RESULT, "");
    s_expect (&bench, "invalid\n", REASON_INVALID_RESULT, "overlap");
    s_expect (&bench, "flood\n", REASON_INVALID_OUTPUT, "bytes of output");
    s_end (&bench);
}
END_TEST

START_TEST (a_run_that_hangs_ends_at_its_timeout)
{
    bench_t bench = s_bench (false);
    bench.rig->agent->timeout_ms = 500;
    s_expect (&bench, "hang\n", REASON_INVALID_TIMEOUT, "500 ms"); /* it would sleep for 1000 s */
    ck_assert_uint_ge (bench.rig->events[0].as.evaluated.wall_ms, 500);
    s_end (&bench);
}
END_TEST

START_TEST (the_evaluator_sees_the_private_data_of_this_node)
{
    bench_t bench = s_bench (false);
    scratch_write (&bench.rig->fixture.scratch, "private/number", "7.25\n");
    snprintf (bench.rig->config->private_data, sizeof bench.rig->config->private_data, "%s",
              scratch_path (&bench.rig->fixture.scratch, "private").text);
    const evaluated_t *found = s_evaluate (&bench, "private\n");
    ck_assert_msg (found->reason == REASON_NONE, "%.*s", (int)found->detail.size, found->detail.data);
    ck_assert_double_eq (found->metrics.items[0].value, 7.25);
    s_end (&bench);
}
END_TEST

START_TEST (a_run_can_not_change_the_files_that_the_next_one_sees)
{
    bench_t bench = s_bench (false);
    s_expect (&bench, "write\n", REASON_INVALID_EXIT, "code 9");
    s_end (&bench);
}
END_TEST

START_TEST (a_peers_candidate_never_runs_without_a_sandbox)
{
    bench_t bench = s_bench (true);
    digest_t candidate = job_rig_candidate (bench.rig, "1\n");
    s_start (&bench, &candidate, true, false);
    ck_assert_uint_eq (bench.rig->count, 1); /* told without a run */
    ck_assert_uint_eq (bench.rig->events[0].as.evaluated.reason, REASON_UNSANDBOXED);
    ck_assert_uint_eq (evaluations_running (bench.evaluations), 0);
    s_end (&bench);
}
END_TEST

START_TEST (a_candidate_that_is_not_here_is_a_fault_of_this_node)
{
    bench_t bench = s_bench (false);
    digest_t nowhere = {{7}};
    s_start (&bench, &nowhere, false, false);
    ck_assert_uint_eq (bench.rig->count, 1);
    ck_assert_uint_eq (bench.rig->events[0].as.evaluated.reason, REASON_FAULT);
    ck_assert (job_rig_says (bench.rig->events[0].as.evaluated.detail, "not in the store"));
    s_end (&bench);
}
END_TEST

START_TEST (a_live_run_measures_what_lies_on_the_disk)
{
    bench_t bench = s_bench (false);
    digest_t candidate = job_rig_candidate (bench.rig, "3\n");
    scratch_write (&bench.rig->fixture.scratch, "data/current/value.txt", "3\n");
    s_start (&bench, &candidate, false, true);
    job_rig_wait (bench.rig, 1);
    ck_assert_uint_eq (bench.rig->events[0].as.evaluated.reason, REASON_NONE);

    scratch_write (&bench.rig->fixture.scratch, "data/current/value.txt", "2\n"); /* somebody meddled */
    s_start (&bench, &candidate, false, true);
    job_rig_wait (bench.rig, 2);
    ck_assert_uint_eq (bench.rig->events[1].as.evaluated.reason, REASON_FAULT);
    ck_assert (job_rig_says (bench.rig->events[1].as.evaluated.detail, "something else changed them"));
    s_end (&bench);
}
END_TEST

/* Ends the loop once no run is under way. */
static int s_look_for_none (zloop_t *loop, int timer, void *context)
{
    (void)loop, (void)timer;
    bench_t *bench = context;
    ck_assert_msg (zclock_usecs () < bench->rig->deadline_us, "the run that was cancelled is never gone");
    return evaluations_running (bench->evaluations) == 0 ? -1 : 0;
}

START_TEST (a_cancelled_run_says_nothing_and_is_gone)
{
    bench_t bench = s_bench (false);
    digest_t slow = job_rig_candidate (bench.rig, "hang\n"), quick = job_rig_candidate (bench.rig, "1\n");
    s_start (&bench, &slow, false, false);
    ck_assert_uint_eq (evaluations_running (bench.evaluations), 1);
    ck_assert (evaluations_cancel (bench.evaluations, bench.operation));
    ck_assert (!evaluations_cancel (bench.evaluations, bench.operation));
    s_start (&bench, &quick, false, false);
    job_rig_wait (bench.rig, 1);
    ck_assert_uint_eq (bench.rig->events[0].as.evaluated.operation, bench.operation);
    bench.rig->deadline_us = zclock_usecs () + JOB_RIG_WAIT_US; /* the quick one may be the first to end */
    int timer = zloop_timer (bench.rig->loop, 1, 0, s_look_for_none, &bench);
    zloop_start (bench.rig->loop);
    zloop_timer_end (bench.rig->loop, timer);
    ck_assert_uint_eq (evaluations_running (bench.evaluations), 0);
    ck_assert_uint_eq (bench.rig->count, 1); /* nothing of the other */
    s_end (&bench);
}
END_TEST

/* As after a store that failed for a moment: the core asks again under the old number, and what was given up is not gone yet. */
START_TEST (a_run_that_was_asked_for_again_can_be_cancelled_while_the_first_one_dies)
{
    bench_t bench = s_bench (false);
    digest_t slow = job_rig_candidate (bench.rig, "hang\n");
    s_start (&bench, &slow, false, false);
    evaluations_cancel_all (bench.evaluations);
    bench.operation--;
    s_start (&bench, &slow, false, false);
    ck_assert_uint_eq (evaluations_running (bench.evaluations), 2);
    ck_assert (evaluations_cancel (bench.evaluations, bench.operation));
    ck_assert (!evaluations_cancel (bench.evaluations, bench.operation));
    s_evaluate (&bench, "1\n");
    ck_assert_uint_eq (bench.rig->count, 1); /* nothing of the others */
    s_end (&bench);
}
END_TEST

START_TEST (all_runs_can_be_cancelled_and_their_places_used_again)
{
    bench_t bench = s_bench (false);
    digest_t slow = job_rig_candidate (bench.rig, "hang\n");
    for (int i = 0; i < 3; i++)
        s_start (&bench, &slow, false, false);
    ck_assert_uint_eq (evaluations_running (bench.evaluations), 3);
    evaluations_cancel_all (bench.evaluations);
    for (uint64_t operation = 1; operation <= bench.operation; operation++)
        ck_assert (!evaluations_cancel (bench.evaluations, operation));
    s_evaluate (&bench, "1\n");
    ck_assert_uint_eq (bench.rig->count, 1); /* nothing of the others */
    s_end (&bench);
}
END_TEST

/* The processes from the sandbox's first, our child, down to the evaluator's own child. */
typedef struct {
    job_rig_t *rig;
    int pids[16];
    size_t count;
} chain_t;

static int s_child_of (int pid)
{
    char path[64];
    int child = 0;
    snprintf (path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
    FILE *file = fopen (path, "re");
    if (file != NULL && fscanf (file, "%d", &child) != 1)
        child = 0;
    if (file != NULL)
        fclose (file);
    return child;
}

static bool s_is_sleep (int pid)
{
    char path[64], name[32] = "";
    snprintf (path, sizeof path, "/proc/%d/comm", pid);
    FILE *file = fopen (path, "re");
    if (file != NULL && fgets (name, sizeof name, file) == NULL)
        name[0] = '\0';
    if (file != NULL)
        fclose (file);
    return strcmp (name, "sleep\n") == 0;
}

/* Ends the loop once the evaluator sleeps. */
static int s_look_for_sleep (zloop_t *loop, int timer, void *context)
{
    (void)loop, (void)timer;
    chain_t *chain = context;
    ck_assert_msg (zclock_usecs () < chain->rig->deadline_us, "the evaluator doesn't run");
    chain->count = 0;
    for (int pid = getpid (); chain->count < 16 && (pid = s_child_of (pid)) != 0;)
        chain->pids[chain->count++] = pid;
    return chain->count > 2 && s_is_sleep (chain->pids[chain->count - 1]) ? -1 : 0;
}

/* Starts a run that sleeps, and kills process `index` of it. False if it has no such process above the sleeper. */
static bool s_kill_one (bench_t *bench, const digest_t *slow, size_t index)
{
    chain_t chain = {.rig = bench->rig};
    s_start (bench, slow, false, false);
    bench->rig->deadline_us = zclock_usecs () + JOB_RIG_WAIT_US;
    int timer = zloop_timer (bench->rig->loop, 1, 0, s_look_for_sleep, &chain);
    zloop_start (bench->rig->loop);
    zloop_timer_end (bench->rig->loop, timer);
    if (index + 1 >= chain.count)
        return false;
    ck_assert_int_eq (kill (chain.pids[index], SIGKILL), 0);
    return true;
}

START_TEST (a_run_killed_from_outside_is_a_crash_and_costs_no_slot)
{
    bench_t bench = s_bench (false);
    bench.rig->agent->timeout_ms = 600000;
    digest_t slow = job_rig_candidate (bench.rig, "hang\n");
    size_t killed = 0;
    while (s_kill_one (&bench, &slow, killed)) {
        job_rig_wait (bench.rig, ++killed);
        const evaluated_t *found = &bench.rig->events[killed - 1].as.evaluated;
        ck_assert_msg (found->reason == REASON_INVALID_CRASH, "process %zu: %s", killed,
                       reason_name ((reason_code_t)found->reason));
        ck_assert (job_rig_says (found->detail, "signal 9"));
        ck_assert_uint_eq (evaluations_running (bench.evaluations), 0);
    }
    ck_assert_uint_ge (killed, 3); /* bubblewrap, the jail, the evaluator */
    ck_assert (evaluations_cancel (bench.evaluations, bench.operation));
    ck_assert_uint_eq (s_evaluate (&bench, "1\n")->reason, REASON_NONE);
    s_end (&bench);
}
END_TEST

START_TEST (runs_of_one_candidate_share_its_files_and_few_candidates_stay)
{
    job_rig_t *rig = job_rig_new (false);
    checkouts_t *checkouts = checkouts_new (&rig->workshop);
    problem_t problem = {{0}};
    char text[32], first[SCRATCH_PATH_BYTES];
    digest_t candidate = job_rig_candidate (rig, "one\n");
    const char *path = checkouts_take (checkouts, &candidate, &problem);
    ck_assert_msg (path != NULL, "%s", problem.text);
    snprintf (first, sizeof first, "%s", path);
    ck_assert_str_eq (checkouts_take (checkouts, &candidate, &problem), first);
    ck_assert_uint_eq (checkouts_count (checkouts), 1);
    for (int i = 0; i < 2 * CHECKOUTS_KEPT; i++) {
        snprintf (text, sizeof text, "candidate %d\n", i);
        digest_t other = job_rig_candidate (rig, text);
        ck_assert_ptr_nonnull (checkouts_take (checkouts, &other, &problem));
        checkouts_return (checkouts, &other);
    }
    ck_assert_uint_eq (checkouts_count (checkouts), CHECKOUTS_KEPT + 1); /* the first is in use */
    ck_assert_int_eq (access (first, F_OK), 0);
    checkouts_return (checkouts, &candidate);
    checkouts_return (checkouts, &candidate);
    checkouts_destroy (&checkouts);
    ck_assert_int_ne (access (first, F_OK), 0);
    job_rig_destroy (rig);
}
END_TEST

SUITE_MAIN ("evaluation", a_valid_run_gives_each_objective_its_value_in_order,
            who_waits_takes_time_but_not_the_processors,
            a_run_that_gives_no_result_is_invalid_with_the_reason, a_run_that_hangs_ends_at_its_timeout,
            the_evaluator_sees_the_private_data_of_this_node,
            a_run_can_not_change_the_files_that_the_next_one_sees,
            a_peers_candidate_never_runs_without_a_sandbox,
            a_candidate_that_is_not_here_is_a_fault_of_this_node, a_live_run_measures_what_lies_on_the_disk,
            a_cancelled_run_says_nothing_and_is_gone,
            a_run_that_was_asked_for_again_can_be_cancelled_while_the_first_one_dies,
            all_runs_can_be_cancelled_and_their_places_used_again,
            a_run_killed_from_outside_is_a_crash_and_costs_no_slot,
            runs_of_one_candidate_share_its_files_and_few_candidates_stay)
