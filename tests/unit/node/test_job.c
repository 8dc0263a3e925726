/* SPDX-License-Identifier: MPL-2.0 */
/* The way of a validation for a peer: every edge of the table is walked, every other is refused. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/job.h"
#include "tests/lib/suite.h"

/* The table once more, row by row: where each move leads from each state; "" nowhere. */
static const char *const ways[JOB_STATE_COUNT][JOB_MOVE_COUNT] = {
    /*               accept     list        measure      end */
    /* free      */ {"listing", "", "", ""},
    /* listing   */ {"", "fetching", "", "free"},
    /* fetching  */ {"", "", "measuring", "free"},
    /* measuring */ {"", "", "", "free"},
};

static const job_order_t order = {.peer = {{1}}, .request = {{2}}, .validation_type = 1, .deadline_ms = 1000};

static job_t s_job (job_state_t state)
{
    job_t job = {.state = state};
    if (state != JOB_FREE)
        job.order = order;
    return job;
}

/* LIST and MEASURE are taken when the second of what the state waits for is here. */
static void s_make (job_t *job, job_move_t move)
{
    switch (move) {
    case JOB_MOVE_ACCEPT: job_accept (job, &order); break;
    case JOB_MOVE_LIST:
    case JOB_MOVE_MEASURE:
        ck_assert (!job_fetched (job));
        ck_assert (job_fetched (job));
        break;
    case JOB_MOVE_END: job_end (job); break;
    case JOB_MOVE_COUNT: ck_abort ();
    }
}

/* True if that is taken for the bug that it is. */
static bool s_aborts (void (*act) (job_t *job, job_move_t move), job_t job, job_move_t move)
{
    pid_t child = fork ();
    ck_assert_int_ge (child, 0);
    if (child == 0) {
        close (STDERR_FILENO);
        act (&job, move);
        _exit (0);
    }
    int status;
    ck_assert_int_eq (waitpid (child, &status, 0), child);
    return WIFSIGNALED (status) && WTERMSIG (status) == SIGABRT;
}

START_TEST (every_move_leads_where_the_table_says_and_every_other_is_refused)
{
    for (int from = 0; from < JOB_STATE_COUNT; from++)
        for (int by = 0; by < JOB_MOVE_COUNT; by++) {
            job_state_t state = (job_state_t)from;
            job_move_t move = (job_move_t)by;
            job_t job = s_job (state);
            if (ways[from][by][0]) {
                s_make (&job, move);
                ck_assert_str_eq (job_state_name (job.state), ways[from][by]);
                continue;
            }
            ck_assert_ptr_null (job_edge (state, move));
            bool fetches = move == JOB_MOVE_LIST || move == JOB_MOVE_MEASURE;
            bool waits = state == JOB_LISTING || state == JOB_FETCHING;
            if (!(fetches && waits)) /* what comes there takes the state's own move */
                ck_assert_msg (s_aborts (s_make, job, move), "%s is left by %s", job_state_name (state),
                               job_move_name (move));
        }
}
END_TEST

START_TEST (the_table_has_no_other_edges_than_these)
{
    size_t count, expected = 0;
    const job_edge_t *edges = job_edges (&count);
    for (int from = 0; from < JOB_STATE_COUNT; from++)
        for (int by = 0; by < JOB_MOVE_COUNT; by++)
            expected += ways[from][by][0] != 0;
    ck_assert_uint_eq (count, expected);
    for (size_t i = 0; i < count; i++)
        ck_assert_ptr_eq (job_edge (edges[i].from, edges[i].move), &edges[i]);
}
END_TEST

START_TEST (each_stretch_counts_its_own_two)
{
    job_t job = {0};
    job_accept (&job, &order);
    ck_assert (!job_fetched (&job) && job.state == JOB_LISTING);
    ck_assert (job_fetched (&job) && job.state == JOB_FETCHING);
    ck_assert (!job_fetched (&job) && job.state == JOB_FETCHING);
    ck_assert (job_fetched (&job) && job.state == JOB_MEASURING);
    job_end (&job);
    ck_assert (pubkey_is_zero (&job.order.peer) && digest_is_zero (&job.order.request));
    ck_assert_uint_eq (job.order.deadline_ms, 0);
}
END_TEST

static void s_accept_nothing (job_t *job, job_move_t move)
{
    (void)move;
    static const job_order_t no_type = {.peer = {{1}}, .request = {{2}}};
    job_accept (job, &no_type);
}

START_TEST (an_order_for_no_type_of_validation_is_a_bug)
{
    ck_assert (s_aborts (s_accept_nothing, s_job (JOB_FREE), JOB_MOVE_ACCEPT));
}
END_TEST

SUITE_MAIN ("job", every_move_leads_where_the_table_says_and_every_other_is_refused,
            the_table_has_no_other_edges_than_these, each_stretch_counts_its_own_two,
            an_order_for_no_type_of_validation_is_a_bug)
