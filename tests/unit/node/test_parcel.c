/* SPDX-License-Identifier: MPL-2.0 */
/* The way of a peer's package: every edge of the table is walked, every other is refused. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/parcel.h"
#include "tests/lib/suite.h"

/* The table once more, row by row: where each move leads from each state; "" nowhere. */
static const char *const ways[PARCEL_STATE_COUNT][PARCEL_MOVE_COUNT] = {
    /*              hear       take up     verify   merge      try       put back   end */
    /* free     */ {"waiting", "", "", "", "", "", ""},
    /* waiting  */ {"", "fetching", "", "", "", "", "free"},
    /* fetching */ {"", "", "files", "", "", "waiting", "free"},
    /* files    */ {"", "", "", "merging", "trying", "waiting", "free"},
    /* merging  */ {"", "", "", "", "trying", "waiting", "free"},
    /* trying   */ {"", "", "", "", "", "waiting", "free"},
};

static const digest_t package = {{1}}, none;
static const pubkey_t author = {{2}};

/* A parcel that holds what any state could want of it. */
static parcel_t s_parcel (parcel_state_t state)
{
    parcel_t parcel = {.state = state};
    if (state == PARCEL_FREE)
        return parcel;
    parcel.package = package;
    parcel.author = author;
    parcel.candidate = (digest_t){{3}};
    parcel.base = (digest_t){{4}};
    parcel.files = 2;
    buffer_append (&parcel.base_tree, "base", 4);
    buffer_append (&parcel.candidate_tree, "candidate", 9);
    return parcel;
}

static void s_make (parcel_t *parcel, parcel_move_t move)
{
    if (move == PARCEL_MOVE_HEAR)
        parcel_hear (parcel, &package, &author, &none, 1);
    else if (move == PARCEL_MOVE_END)
        parcel_end (parcel);
    else
        parcel_move (parcel, move);
}

/* True if that is taken for the bug that it is. */
static bool s_aborts (parcel_t parcel, parcel_move_t move)
{
    pid_t child = fork ();
    ck_assert_int_ge (child, 0);
    if (child == 0) {
        close (STDERR_FILENO);
        s_make (&parcel, move);
        _exit (0);
    }
    int status;
    ck_assert_int_eq (waitpid (child, &status, 0), child);
    return WIFSIGNALED (status) && WTERMSIG (status) == SIGABRT;
}

START_TEST (every_move_leads_where_the_table_says_and_every_other_is_refused)
{
    for (int from = 0; from < PARCEL_STATE_COUNT; from++)
        for (int by = 0; by < PARCEL_MOVE_COUNT; by++) {
            parcel_move_t move = (parcel_move_t)by;
            parcel_t parcel = s_parcel ((parcel_state_t)from);
            if (ways[from][by][0]) {
                s_make (&parcel, move);
                ck_assert_str_eq (parcel_state_name (parcel.state), ways[from][by]);
            } else {
                ck_assert_ptr_null (parcel_edge ((parcel_state_t)from, move));
                ck_assert_msg (s_aborts (parcel, move), "%s is left by %s",
                               parcel_state_name ((parcel_state_t)from), parcel_move_name (move));
            }
            buffer_clear (&parcel.base_tree);
            buffer_clear (&parcel.candidate_tree);
        }
}
END_TEST

START_TEST (the_table_has_no_other_edges_than_these)
{
    size_t count, expected = 0;
    const parcel_edge_t *edges = parcel_edges (&count);
    for (int from = 0; from < PARCEL_STATE_COUNT; from++)
        for (int by = 0; by < PARCEL_MOVE_COUNT; by++)
            expected += ways[from][by][0] != 0;
    ck_assert_uint_eq (count, expected);
    for (size_t i = 0; i < count; i++)
        ck_assert_ptr_eq (parcel_edge (edges[i].from, edges[i].move), &edges[i]);
}
END_TEST

START_TEST (a_parcel_that_ended_is_as_new)
{
    parcel_t parcel = s_parcel (PARCEL_TRYING);
    parcel_end (&parcel);
    ck_assert_int_eq (parcel.state, PARCEL_FREE);
    ck_assert (digest_is_zero (&parcel.package) && pubkey_is_zero (&parcel.author));
    ck_assert_ptr_null (parcel.base_tree.data);
    ck_assert_ptr_null (parcel.candidate_tree.data);
    parcel_hear (&parcel, &package, &author, &none, 7);
    ck_assert_uint_eq (parcel.order, 7);
    ck_assert_uint_eq (parcel.attempts, 0);
}
END_TEST

START_TEST (what_a_state_stands_on_must_be_there)
{
    parcel_t no_files = s_parcel (PARCEL_FILES), no_tree = s_parcel (PARCEL_FETCHING);
    no_files.files = 1;
    ck_assert (s_aborts (no_files, PARCEL_MOVE_TRY));
    ck_assert (s_aborts (no_files, PARCEL_MOVE_MERGE));
    ck_assert (!s_aborts (no_files, PARCEL_MOVE_PUT_BACK));
    buffer_clear (&no_tree.candidate_tree);
    ck_assert (s_aborts (no_tree, PARCEL_MOVE_VERIFY));
    ck_assert (!s_aborts (no_tree, PARCEL_MOVE_PUT_BACK));
    buffer_clear (&no_tree.base_tree);
    buffer_clear (&no_files.base_tree);
    buffer_clear (&no_files.candidate_tree);
}
END_TEST

SUITE_MAIN ("parcel", every_move_leads_where_the_table_says_and_every_other_is_refused,
            the_table_has_no_other_edges_than_these, a_parcel_that_ended_is_as_new,
            what_a_state_stands_on_must_be_there)
