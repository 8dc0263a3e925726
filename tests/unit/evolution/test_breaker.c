/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/breaker.h"
#include "tests/lib/suite.h"

static breaker_t s_new (void)
{
    breaker_t breaker;
    breaker_init (&breaker, true, 5, 300000);
    return breaker;
}

/* A breaker that opened at time 1000. */
static breaker_t s_opened (void)
{
    breaker_t breaker = s_new ();
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq (breaker_failure (&breaker, 1000), BREAKER_STAYED);
    ck_assert_int_eq (breaker_failure (&breaker, 1000), BREAKER_OPENED);
    return breaker;
}

static breaker_t s_half_open (void)
{
    breaker_t breaker = s_opened ();
    ck_assert_int_eq (breaker_tick (&breaker, 301000), BREAKER_HALF_OPENED);
    return breaker;
}

START_TEST (test_five_failures_in_a_row_open_it)
{
    breaker_t breaker = s_opened ();
    ck_assert_int_eq (breaker.state, BREAKER_OPEN);
    ck_assert (!breaker_admits (&breaker, 0));
    ck_assert_uint_eq (breaker.opened_ms, 1000);
}
END_TEST

START_TEST (test_a_success_between_failures_starts_the_count_anew)
{
    breaker_t breaker = s_new ();
    for (int i = 0; i < 4; i++)
        breaker_failure (&breaker, 1);
    ck_assert_int_eq (breaker_success (&breaker, 7), BREAKER_STAYED);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq (breaker_failure (&breaker, 1), BREAKER_STAYED);
    ck_assert (breaker_admits (&breaker, 0));
    ck_assert_int_eq (breaker_failure (&breaker, 1), BREAKER_OPENED);
}
END_TEST

START_TEST (test_it_recovers_after_300_seconds_and_not_before)
{
    breaker_t breaker = s_opened ();
    ck_assert_uint_eq (breaker_deadline_ms (&breaker), 301000);
    ck_assert_int_eq (breaker_tick (&breaker, 300999), BREAKER_STAYED);
    ck_assert (!breaker_admits (&breaker, 0));
    ck_assert_int_eq (breaker_tick (&breaker, 301000), BREAKER_HALF_OPENED);
    ck_assert_int_eq (breaker_tick (&breaker, 999999), BREAKER_STAYED);
    ck_assert_uint_eq (breaker_deadline_ms (&breaker), UINT64_MAX);
}
END_TEST

START_TEST (test_half_open_admits_exactly_one_trial)
{
    breaker_t breaker = s_half_open ();
    ck_assert (breaker_admits (&breaker, 0));
    breaker_start (&breaker, 7);
    ck_assert (!breaker_admits (&breaker, 0));
    breaker_release (&breaker, 7); /* it said nothing of this node's health: another may try */
    ck_assert_int_eq (breaker.state, BREAKER_HALF_OPEN);
    ck_assert (breaker_admits (&breaker, 0));
    breaker_start (&breaker, 7);
    ck_assert (!breaker_admits (&breaker, 0));
}
END_TEST

START_TEST (test_an_operator_half_opens_it_before_its_time)
{
    breaker_t breaker = s_opened ();
    ck_assert_int_eq (breaker_retry (&breaker), BREAKER_HALF_OPENED);
    ck_assert_int_eq (breaker_retry (&breaker), BREAKER_STAYED);
    breaker_start (&breaker, 7);
    ck_assert_int_eq (breaker_retry (&breaker), BREAKER_STAYED);
    ck_assert (!breaker_admits (&breaker, 0)); /* no second trial */
    ck_assert_int_eq (breaker_failure (&breaker, 5000), BREAKER_OPENED);
    ck_assert_uint_eq (breaker_deadline_ms (&breaker), 305000); /* and then it waits the whole time */
    breaker = s_new ();
    ck_assert_int_eq (breaker_retry (&breaker), BREAKER_STAYED);
    ck_assert_int_eq (breaker.state, BREAKER_CLOSED);
}
END_TEST

START_TEST (test_a_trial_that_goes_well_closes_it)
{
    breaker_t breaker = s_half_open ();
    breaker_start (&breaker, 7);
    ck_assert_int_eq (breaker_success (&breaker, 7), BREAKER_WAS_CLOSED);
    ck_assert_int_eq (breaker.state, BREAKER_CLOSED);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq (breaker_failure (&breaker, 2), BREAKER_STAYED);
}
END_TEST

START_TEST (test_a_failed_trial_opens_it_again_at_once)
{
    breaker_t breaker = s_half_open ();
    breaker_start (&breaker, 7);
    ck_assert_int_eq (breaker_failure (&breaker, 302000), BREAKER_OPENED);
    ck_assert (!breaker_admits (&breaker, 0));
    ck_assert_uint_eq (breaker_deadline_ms (&breaker), 602000);
    ck_assert_int_eq (breaker_tick (&breaker, 601999), BREAKER_STAYED);
    ck_assert_int_eq (breaker_tick (&breaker, 602000), BREAKER_HALF_OPENED);
    ck_assert (breaker_admits (&breaker, 0));
}
END_TEST

START_TEST (test_what_began_before_it_opened_neither_closes_it_nor_puts_recovery_off)
{
    breaker_t breaker = s_opened ();
    ck_assert_int_eq (breaker_success (&breaker, 7), BREAKER_STAYED);
    ck_assert_int_eq (breaker.state, BREAKER_OPEN);
    ck_assert_int_eq (breaker_failure (&breaker, 200000), BREAKER_STAYED);
    ck_assert_uint_eq (breaker_deadline_ms (&breaker), 301000);
    ck_assert_int_eq (breaker_tick (&breaker, 301000), BREAKER_HALF_OPENED);
    ck_assert_int_eq (breaker_success (&breaker, 7), BREAKER_STAYED); /* no trial runs */
    ck_assert_int_eq (breaker.state, BREAKER_HALF_OPEN);
    ck_assert_int_eq (breaker_failure (&breaker, 301001), BREAKER_OPENED); /* but a fault is a fault */
}
END_TEST

START_TEST (test_a_clock_that_began_anew_does_not_keep_it_open_for_ever)
{
    breaker_t breaker = s_opened ();
    ck_assert_int_eq (breaker_tick (&breaker, 10), BREAKER_STAYED);
    ck_assert_uint_eq (breaker_deadline_ms (&breaker), 300010);
    ck_assert_int_eq (breaker_tick (&breaker, 300010), BREAKER_HALF_OPENED);
}
END_TEST

START_TEST (test_switched_off_it_never_opens)
{
    breaker_t breaker;
    breaker_init (&breaker, false, 1, 300000);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq (breaker_failure (&breaker, 1), BREAKER_STAYED);
    ck_assert (breaker_admits (&breaker, 0));
    ck_assert_uint_eq (breaker_deadline_ms (&breaker), UINT64_MAX);
}
END_TEST

START_TEST (test_a_threshold_of_one_opens_at_the_first_failure)
{
    breaker_t breaker;
    breaker_init (&breaker, true, 1, UINT64_MAX);
    ck_assert_int_eq (breaker_failure (&breaker, 7), BREAKER_OPENED);
    ck_assert_uint_eq (breaker_deadline_ms (&breaker),
                       UINT64_MAX); /* never, rather than a time that wrapped */
    ck_assert_str_eq (breaker_state_name (BREAKER_CLOSED), "closed");
    ck_assert_str_eq (breaker_state_name (breaker.state), "open");
    ck_assert_str_eq (breaker_state_name (BREAKER_HALF_OPEN), "half_open");
}
END_TEST

START_TEST (test_only_the_trial_itself_ends_the_trial)
{
    breaker_t breaker = s_half_open ();
    breaker_start (&breaker, 7);
    breaker_release (&breaker, 6);
    ck_assert (!breaker_admits (&breaker, 0));
    ck_assert (!breaker_admits (&breaker, 6));
    ck_assert (breaker_admits (&breaker, 7));
    ck_assert_int_eq (breaker_success (&breaker, 0), BREAKER_STAYED);
    ck_assert_int_eq (breaker_success (&breaker, 6), BREAKER_STAYED);
    ck_assert_int_eq (breaker.state, BREAKER_HALF_OPEN);
    ck_assert_int_eq (breaker_failure (&breaker, 302000), BREAKER_OPENED); /* of whatever it is */
    ck_assert (!breaker_admits (&breaker, 7));
    ck_assert_int_eq (breaker_tick (&breaker, 602000), BREAKER_HALF_OPENED);
    breaker_start (&breaker, 8);
    breaker_release (&breaker, 7); /* the trial before comes to its end */
    ck_assert_int_eq (breaker_success (&breaker, 7), BREAKER_STAYED);
    ck_assert (!breaker_admits (&breaker, 0));
    ck_assert_int_eq (breaker_success (&breaker, 8), BREAKER_WAS_CLOSED);
}
END_TEST

START_TEST (test_new_settings_keep_its_state)
{
    breaker_t breaker = s_opened ();
    breaker_configure (&breaker, true, 9, 1000);
    ck_assert (!breaker_admits (&breaker, 0));
    ck_assert_uint_eq (breaker_deadline_ms (&breaker), 2000);
    ck_assert_int_eq (breaker_tick (&breaker, 2000), BREAKER_HALF_OPENED);
    breaker_start (&breaker, 7);
    breaker_configure (&breaker, true, 1, 1000);
    ck_assert (!breaker_admits (&breaker, 0));
    ck_assert_int_eq (breaker_success (&breaker, 7), BREAKER_WAS_CLOSED);
}
END_TEST

START_TEST (test_a_lower_threshold_opens_it_at_the_next_failure)
{
    for (unsigned threshold = 1; threshold <= 5; threshold++) {
        breaker_t breaker = s_new ();
        for (int i = 0; i < 4; i++)
            breaker_failure (&breaker, 1);
        breaker_configure (&breaker, true, threshold, 300000);
        ck_assert_int_eq (breaker_tick (&breaker, 2), BREAKER_STAYED);
        ck_assert (breaker_admits (&breaker, 0));
        ck_assert_int_eq (breaker_failure (&breaker, 3), BREAKER_OPENED);
    }
}
END_TEST

START_TEST (test_switching_it_off_closes_it_for_good)
{
    breaker_t breaker = s_half_open ();
    breaker_start (&breaker, 7);
    breaker_configure (&breaker, false, 5, 300000);
    ck_assert (breaker_admits (&breaker, 0));
    breaker_release (&breaker, 7);
    ck_assert_int_eq (breaker_failure (&breaker, 4), BREAKER_STAYED);
    breaker_configure (&breaker, true, 2, 300000);
    ck_assert_int_eq (breaker_failure (&breaker, 5), BREAKER_STAYED); /* it counts from here on */
    ck_assert_int_eq (breaker_failure (&breaker, 6), BREAKER_OPENED);
}
END_TEST

START_TEST (test_one_from_a_checkpoint_recovers_when_it_would_have)
{
    breaker_t breaker = s_new (), loaded = s_new ();
    for (int i = 0; i < 5; i++)
        breaker_failure (&breaker, 70000);
    buffer_t saved = {0};
    image_t image = image_to (&saved);
    breaker_image (&breaker, &image);
    ck_assert_int_eq (image_end (&image), 0);
    image = image_from (saved.data, saved.size);
    breaker_image (&loaded, &image);
    ck_assert_int_eq (image_end (&image), 0);
    buffer_clear (&saved);
    ck_assert_uint_eq (breaker_deadline_ms (&loaded), 370000);
    ck_assert_int_eq (breaker_tick (&loaded, 369999), BREAKER_STAYED);
    ck_assert (!breaker_admits (&loaded, 0));
    ck_assert_int_eq (breaker_tick (&loaded, 370000), BREAKER_HALF_OPENED);
}
END_TEST

SUITE_MAIN ("evolution/breaker", test_one_from_a_checkpoint_recovers_when_it_would_have,
            test_five_failures_in_a_row_open_it, test_a_success_between_failures_starts_the_count_anew,
            test_it_recovers_after_300_seconds_and_not_before, test_an_operator_half_opens_it_before_its_time,
            test_half_open_admits_exactly_one_trial, test_a_trial_that_goes_well_closes_it,
            test_a_failed_trial_opens_it_again_at_once,
            test_what_began_before_it_opened_neither_closes_it_nor_puts_recovery_off,
            test_a_clock_that_began_anew_does_not_keep_it_open_for_ever, test_switched_off_it_never_opens,
            test_a_threshold_of_one_opens_at_the_first_failure, test_only_the_trial_itself_ends_the_trial,
            test_new_settings_keep_its_state, test_a_lower_threshold_opens_it_at_the_next_failure,
            test_switching_it_off_closes_it_for_good)
