/* SPDX-License-Identifier: MPL-2.0 */
/* Checkpoints: written with the turn that makes them due, gone by at a restart, and never believed when they are damaged. */
#include "node/turn.h"

#include "tests/lib/turn_rig.h"

#define EVERY 4

/* A rig that has been at work for a while, with a checkpoint every few entries. */
static turn_rig_t *s_worked (void)
{
    turn_rig_t *rig = turn_rig_new ();
    rig->checkpoint_interval_entries = EVERY;
    ck_assert_int_eq (turn_rig_start (rig), 0);
    turn_rig_run_until (rig, rig->now_ms + 10);
    ck_assert (turn_rig_evaluated (rig, 5));
    for (unsigned i = 0; i < 6; i++) {
        turn_rig_run_until (rig, rig->now_ms + 100);
        turn_rig_command (rig, 2 * i + 1, "pause");
        turn_rig_command (rig, 2 * i + 2, "resume");
    }
    turn_rig_run_until (rig, rig->now_ms + 100);
    return rig;
}

static size_t s_checkpoints (const turn_rig_t *rig)
{
    size_t count = 0;
    for (size_t i = 0; i < rig->committed; i++)
        count += rig->rows[i].checkpoint > 0;
    return count;
}

/* The newest checkpoint, or with `older` the one before. */
static turn_rig_row_t *s_checkpoint (turn_rig_t *rig, bool older)
{
    turn_rig_row_t *newest = NULL, *second = NULL;
    for (size_t i = 0; i < rig->committed; i++)
        if (rig->rows[i].checkpoint > 0) {
            second = newest;
            newest = &rig->rows[i];
        }
    ck_assert (newest != NULL && second != NULL);
    return older ? second : newest;
}

/* Recovers, and fails unless the core is `expected`. */
static void s_expect_recovered (turn_rig_t *rig, const digest_t *expected)
{
    ck_assert_int_eq (turn_recover (rig->turn, NULL), 0);
    digest_t found = node_digest (turn_node (rig->turn));
    ck_assert (digest_equal (&found, expected));
}

START_TEST (a_checkpoint_is_in_the_transaction_of_the_turn_that_makes_it_due)
{
    turn_rig_t *rig = turn_rig_new (); /* the rig asserts that it is written within a transaction */
    rig->checkpoint_interval_entries = 2;
    ck_assert_int_eq (turn_rig_start (rig), 0);
    rig->commit_error = ERROR_FULL;
    turn_rig_command (rig, 1, "pause");
    ck_assert_int_eq (turn_rig_run (rig, 0), ERROR_FULL);
    ck_assert_uint_eq (turn_rig_count (rig, "checkpoint"), 1);
    ck_assert_uint_eq (s_checkpoints (rig), 0); /* gone with the turn */
    rig->commit_error = 0;
    turn_rig_crash (rig);
    ck_assert_int_eq (turn_rig_start (rig), 0); /* the second entry: STARTED again */
    ck_assert_uint_eq (s_checkpoints (rig), 1);
    turn_rig_destroy (rig);
}
END_TEST

START_TEST (only_the_newest_two_are_kept)
{
    turn_rig_t *rig = s_worked ();
    ck_assert_uint_ge (turn_rig_journal (rig, 0), 3 * EVERY);
    ck_assert_uint_eq (s_checkpoints (rig), 2);
    turn_rig_destroy (rig);
}
END_TEST

START_TEST (a_restart_steps_only_what_is_behind_the_newest)
{
    turn_rig_t *rig = s_worked ();
    digest_t before = node_digest (turn_node (rig->turn));
    rig->trimmed = s_checkpoint (rig, false)->checkpoint - 1; /* nothing before it is there */
    s_expect_recovered (rig, &before);
    turn_rig_destroy (rig);
}
END_TEST

START_TEST (of_a_damaged_one_the_one_before_is_taken_and_then_the_whole_journal)
{
    turn_rig_t *rig = s_worked ();
    digest_t before = node_digest (turn_node (rig->turn));
    s_checkpoint (rig, false)->bytes.size /= 2; /* cut */
    rig->trimmed = s_checkpoint (rig, true)->checkpoint - 1;
    s_expect_recovered (rig, &before);
    s_checkpoint (rig, true)->bytes.size = 0; /* not to be read at all */
    rig->trimmed = 0;
    s_expect_recovered (rig, &before);
    turn_rig_destroy (rig);
}
END_TEST

START_TEST (without_a_readable_checkpoint_and_the_journal_s_start_there_is_no_node)
{
    turn_rig_t *rig = s_worked ();
    rig->trimmed = s_checkpoint (rig, true)->checkpoint - 1;
    s_checkpoint (rig, false)->bytes.size = 0;
    s_checkpoint (rig, true)->bytes.data[0] ^= 1;
    ck_assert_int_eq (turn_recover (rig->turn, NULL), ERROR_NOT_FOUND);
    ck_assert (turn_failed (rig->turn));
    turn_replayed_t replayed;
    ck_assert_int_eq (turn_replay (rig->turn, NULL, NULL, &replayed), ERROR_NOT_FOUND);
    turn_rig_destroy (rig);
}
END_TEST

START_TEST (one_that_the_node_did_not_write_itself_is_never_loaded)
{
    turn_rig_t *rig = s_worked ();
    turn_rig_row_t *newest = s_checkpoint (rig, false);
    s_checkpoint (rig, true)->bytes.size = 0;
    rig->trimmed = newest->checkpoint - 1; /* nothing else leads back */
    for (size_t i = 0; i < newest->bytes.size; i += i < 24 ? 1 : newest->bytes.size / 64) {
        newest->bytes.data[i] ^= 1; /* among these the clocks, which may be anything */
        ck_assert_int_eq (turn_recover (rig->turn, NULL), ERROR_NOT_FOUND);
        newest->bytes.data[i] ^= 1;
    }
    ck_assert_int_eq (turn_recover (rig->turn, NULL), 0);
    newest->bytes.size -= DIGEST_BYTES; /* the record alone */
    ck_assert_int_eq (turn_recover (rig->turn, NULL), ERROR_NOT_FOUND);
    newest->bytes.size = DIGEST_BYTES - 1;
    ck_assert_int_eq (turn_recover (rig->turn, NULL), ERROR_NOT_FOUND);
    turn_rig_destroy (rig);
}
END_TEST

/* Goes on until one more checkpoint was written. */
static void s_write_another (turn_rig_t *rig)
{
    uint64_t newest = s_checkpoint (rig, false)->checkpoint;
    for (unsigned i = 0; s_checkpoint (rig, false)->checkpoint == newest; i++) {
        ck_assert_uint_lt (i, 100);
        turn_rig_command (rig, 1000 + i, i % 2 == 0 ? "pause" : "resume");
        ck_assert_int_eq (turn_rig_run (rig, 10), 0);
        rig->trace[0] = '\0';
    }
}

START_TEST (the_reserve_is_one_that_can_be_read)
{
    turn_rig_t *rig = s_worked ();
    turn_retain (rig->turn, 1, UINT64_MAX);
    uint64_t readable = s_checkpoint (rig, true)->checkpoint;
    turn_rig_row_t *damaged = s_checkpoint (rig, false);
    damaged->bytes.data[damaged->bytes.size / 2] ^= 1;
    s_write_another (rig);
    ck_assert_uint_lt (rig->trimmed, readable); /* not up to the damaged one */
    digest_t before = node_digest (turn_node (rig->turn));
    s_checkpoint (rig, false)->bytes.size = 0;
    s_expect_recovered (rig, &before);
    turn_rig_destroy (rig);
}
END_TEST

START_TEST (without_a_readable_reserve_the_journal_stays_until_there_is_one)
{
    turn_rig_t *rig = s_worked ();
    turn_retain (rig->turn, 1, UINT64_MAX);
    s_checkpoint (rig, true)->bytes.size = 0;
    s_checkpoint (rig, false)->bytes.size = 0;
    s_write_another (rig);
    ck_assert_uint_eq (rig->trimmed, 0);
    uint64_t readable = s_checkpoint (rig, false)->checkpoint;
    s_write_another (rig);
    ck_assert_uint_eq (s_checkpoint (rig, true)->checkpoint, readable);
    ck_assert_uint_gt (rig->trimmed, 0);
    digest_t before = node_digest (turn_node (rig->turn));
    s_checkpoint (rig, false)->bytes.size = 0;
    s_expect_recovered (rig, &before);
    turn_rig_destroy (rig);
}
END_TEST

START_TEST (a_replay_passes_over_one_that_is_damaged)
{
    turn_rig_t *rig = s_worked ();
    turn_replayed_t replayed;
    s_checkpoint (rig, true)->bytes.size = 0; /* as one whose digest doesn't fit it */
    ck_assert_int_eq (turn_replay (rig->turn, NULL, NULL, &replayed), 0);
    ck_assert_uint_eq (replayed.from, 0);
    ck_assert_uint_eq (replayed.checkpoints, 1);
    turn_rig_destroy (rig);
}
END_TEST

START_TEST (a_journal_with_a_gap_or_without_its_end_is_refused)
{
    turn_rig_t *rig = s_worked ();
    uint64_t number = 0, newest = s_checkpoint (rig, false)->checkpoint;
    rig->trimmed = newest + 1; /* the first entry behind it is gone */
    ck_assert_int_eq (turn_recover (rig->turn, &number), ERROR_MALFORMED);
    rig->trimmed = 0;
    size_t entries = turn_rig_journal (rig, 0);
    while (turn_rig_journal (rig, 0) >= newest) /* the entry that it stands on is gone, and all behind */
        for (size_t i = rig->committed; i > 0; i--)
            if (rig->rows[i - 1].is_journal) {
                rig->rows[i - 1].is_journal = false;
                break;
            }
    ck_assert_uint_lt (turn_rig_journal (rig, 0), entries);
    ck_assert_int_eq (turn_recover (rig->turn, &number), ERROR_MALFORMED);
    turn_rig_destroy (rig);
}
END_TEST

START_TEST (a_replay_goes_from_the_oldest_that_has_all_behind_it_and_compares_those_on_the_way)
{
    turn_rig_t *rig = s_worked ();
    turn_replayed_t replayed;
    ck_assert_int_eq (turn_replay (rig->turn, NULL, NULL, &replayed), 0);
    ck_assert_uint_eq (replayed.from, 0);
    ck_assert_uint_eq (replayed.checkpoints, 2);
    ck_assert_uint_eq (replayed.number, turn_rig_journal (rig, 0));
    rig->trimmed = s_checkpoint (rig, true)->checkpoint - 1;
    ck_assert_int_eq (turn_replay (rig->turn, NULL, NULL, &replayed), 0);
    ck_assert_uint_eq (replayed.from, rig->trimmed + 1);
    ck_assert_uint_eq (replayed.checkpoints, 1);
    ck_assert_uint_eq (replayed.number, turn_rig_journal (rig, 0));
    turn_rig_destroy (rig);
}
END_TEST

START_TEST (a_replay_finds_a_checkpoint_that_says_something_else_than_the_journal)
{
    turn_rig_t *rig = s_worked ();
    turn_replayed_t replayed;
    turn_rig_row_t *newest = s_checkpoint (rig, false), *older = s_checkpoint (rig, true);
    uint64_t number = newest->checkpoint;
    buffer_clear (&newest->bytes);
    buffer_append (&newest->bytes, older->bytes.data, older->bytes.size); /* sound, but another state */
    ck_assert_int_eq (turn_replay (rig->turn, NULL, NULL, &replayed), ERROR_MISMATCH);
    ck_assert_uint_eq (replayed.number, number);
    turn_rig_destroy (rig);
}
END_TEST

START_TEST (at_the_end_one_is_written_unless_nothing_is_behind_the_last)
{
    turn_rig_t *rig = turn_rig_new ();
    ck_assert_int_eq (turn_rig_start (rig), 0);
    turn_rig_run_until (rig, rig->now_ms + 500); /* the clocks of the core go on without entries */
    turn_checkpoint (rig->turn);
    ck_assert_uint_eq (s_checkpoints (rig), 1);
    turn_checkpoint (rig->turn);
    ck_assert_uint_eq (turn_rig_count (rig, "checkpoint"), 1);
    digest_t before = node_digest (turn_node (rig->turn));
    s_expect_recovered (rig, &before);
    turn_replayed_t replayed;
    ck_assert_int_eq (turn_replay (rig->turn, NULL, NULL, &replayed), 0);
    ck_assert_uint_eq (replayed.checkpoints, 1);
    turn_rig_destroy (rig);
}
END_TEST

START_TEST (a_journal_that_is_bounded_begins_with_a_checkpoint_and_loses_what_is_before)
{
    enum { KEPT = 6 * EVERY };
    turn_rig_t *rig = turn_rig_new ();
    rig->checkpoint_interval_entries = EVERY;
    ck_assert_int_eq (turn_rig_start (rig), 0);
    turn_rig_run_until (rig, rig->now_ms + 10);
    for (unsigned i = 0; i < 60; i++) {
        turn_retain (rig->turn, KEPT, UINT64_MAX);
        turn_rig_command (rig, 2 * i + 1, i % 2 == 0 ? "pause" : "resume");
        ck_assert_int_eq (turn_rig_run (rig, 10), 0);
        rig->trace[0] = '\0';
        size_t entries = turn_rig_journal (rig, 0);
        ck_assert_uint_le (entries - rig->trimmed, KEPT + EVERY);
        ck_assert_uint_le (s_checkpoints (rig), 4);
        if (rig->trimmed == 0)
            continue;
        ck_assert_uint_ge (entries - rig->trimmed, KEPT / 2);
        turn_replayed_t replayed;
        digest_t before = node_digest (turn_node (rig->turn));
        if (i % 10 != 0)
            continue;
        ck_assert_int_eq (turn_replay (rig->turn, NULL, NULL, &replayed), 0);
        ck_assert_uint_eq (replayed.from, rig->trimmed + 1); /* whose entry is still there */
        ck_assert_uint_ge (replayed.checkpoints, 1);
        s_expect_recovered (rig, &before);
        ck_assert_int_eq (turn_rig_start (rig), 0);
    }
    ck_assert_uint_gt (rig->trimmed, 0);
    turn_rig_destroy (rig);
}
END_TEST

START_TEST (with_a_bound_below_two_checkpoints_just_these_stay)
{
    turn_rig_t *rig = turn_rig_new ();
    rig->checkpoint_interval_entries = EVERY;
    ck_assert_int_eq (turn_rig_start (rig), 0);
    turn_retain (rig->turn, 1, UINT64_MAX);
    for (unsigned i = 0; i < 20; i++) {
        turn_rig_command (rig, 2 * i + 1, i % 2 == 0 ? "pause" : "resume");
        ck_assert_int_eq (turn_rig_run (rig, 10), 0);
        rig->trace[0] = '\0';
    }
    ck_assert_uint_eq (s_checkpoints (rig), 2);
    ck_assert_uint_eq (rig->trimmed + 1, s_checkpoint (rig, true)->checkpoint);
    turn_rig_destroy (rig);
}
END_TEST

SUITE_MAIN ("turn checkpoint", a_checkpoint_is_in_the_transaction_of_the_turn_that_makes_it_due,
            only_the_newest_two_are_kept, a_restart_steps_only_what_is_behind_the_newest,
            of_a_damaged_one_the_one_before_is_taken_and_then_the_whole_journal,
            without_a_readable_checkpoint_and_the_journal_s_start_there_is_no_node,
            one_that_the_node_did_not_write_itself_is_never_loaded, the_reserve_is_one_that_can_be_read,
            without_a_readable_reserve_the_journal_stays_until_there_is_one,
            a_journal_with_a_gap_or_without_its_end_is_refused, a_replay_passes_over_one_that_is_damaged,
            a_replay_goes_from_the_oldest_that_has_all_behind_it_and_compares_those_on_the_way,
            a_replay_finds_a_checkpoint_that_says_something_else_than_the_journal,
            at_the_end_one_is_written_unless_nothing_is_behind_the_last,
            a_journal_that_is_bounded_begins_with_a_checkpoint_and_loses_what_is_before,
            with_a_bound_below_two_checkpoints_just_these_stay)
