/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/clock.h"

#include "tests/lib/suite.h"

#define WALL_MS 1700000000000ULL

static uint64_t s_start (uint64_t last_now_ms, uint64_t last_wall_ms, uint64_t wall_ms)
{
    node_clock_t clock;
    clock_start_at (&clock, last_now_ms, last_wall_ms, wall_ms, 77);
    return clock.start_ms;
}

START_TEST (after_a_restart_the_clock_goes_on_behind_the_journal)
{
    ck_assert_uint_gt (s_start (5000, WALL_MS, WALL_MS), 5000);
    ck_assert_uint_gt (s_start (0, 0, WALL_MS), 0);
}
END_TEST

START_TEST (the_time_that_the_node_was_away_has_passed)
{
    ck_assert_uint_ge (s_start (5000, WALL_MS, WALL_MS + 300000), 305000);
    ck_assert_uint_lt (s_start (5000, WALL_MS, WALL_MS + 300000), 306000);
}
END_TEST

START_TEST (a_wall_clock_set_back_does_not_turn_the_clock_back)
{
    ck_assert_uint_gt (s_start (5000, WALL_MS, WALL_MS - 86400000), 5000);
    ck_assert_uint_lt (s_start (5000, WALL_MS, WALL_MS - 86400000), 6000);
}
END_TEST

START_TEST (a_wall_clock_far_ahead_counts_as_an_absence_of_the_longest_kind)
{
    ck_assert_uint_le (s_start (5000, WALL_MS, WALL_MS * 2), 5001 + CLOCK_AWAY_MAX_MS);
}
END_TEST

START_TEST (within_a_run_it_counts_on)
{
    node_clock_t clock;
    clock_start (&clock, 1000, clock_wall_ms ());
    uint64_t first_ms = clock_now_ms (&clock), now_ms = first_ms;
    uint64_t until_ms = clock_wall_ms () + 10000;
    ck_assert_uint_gt (first_ms, 1000);
    while (now_ms < first_ms + 3 && clock_wall_ms () < until_ms) {
        uint64_t next_ms = clock_now_ms (&clock);
        ck_assert_uint_ge (next_ms, now_ms);
        now_ms = next_ms;
    }
    ck_assert_uint_ge (now_ms, first_ms + 3);
}
END_TEST

SUITE_MAIN ("clock", after_a_restart_the_clock_goes_on_behind_the_journal,
            the_time_that_the_node_was_away_has_passed, a_wall_clock_set_back_does_not_turn_the_clock_back,
            a_wall_clock_far_ahead_counts_as_an_absence_of_the_longest_kind, within_a_run_it_counts_on)
