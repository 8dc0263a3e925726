/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/purse.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

static store_t *s_store (scratch_t *scratch)
{
    problem_t problem = {""};
    store_t *store = store_open (scratch->path, true, false, &problem);
    ck_assert_msg (store != NULL, "%s", problem.text);
    return store;
}

static purse_t s_purse (store_t *store, spending_t caps)
{
    purse_t purse;
    problem_t problem = {""};
    ck_assert_msg (purse_open (&purse, store, &caps, &problem) == 0, "%s", problem.text);
    return purse;
}

static const spending_t s_caps = {10, 1000, 500};

START_TEST (what_was_spent_is_known_after_a_restart)
{
    scratch_t scratch = scratch_new ();
    store_t *store = s_store (&scratch);
    purse_t purse = s_purse (store, s_caps);
    spending_t wanted = {4, 400, 100}, allowed, spent = {1, 90, 20};
    ck_assert_int_eq (purse_set_aside (&purse, &wanted, &allowed, NULL), 0);
    purse_settle (&purse, &allowed, &spent);
    store_close (&store);
    store = s_store (&scratch);
    purse = s_purse (store, s_caps);
    ck_assert_uint_eq (purse.spent.requests, 1);
    ck_assert_uint_eq (purse_left (&purse).tokens, 910);
    ck_assert_uint_eq (purse_left (&purse).cost_millionths, 480);
    store_close (&store);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (what_was_set_aside_before_a_crash_counts_as_spent)
{
    scratch_t scratch = scratch_new ();
    store_t *store = s_store (&scratch);
    purse_t purse = s_purse (store, s_caps);
    spending_t wanted = {4, 400, 100}, allowed;
    ck_assert_int_eq (purse_set_aside (&purse, &wanted, &allowed, NULL), 0);
    purse = s_purse (store, s_caps);
    ck_assert_uint_eq (purse.spent.requests, 4);
    ck_assert_uint_eq (purse.spent.tokens, 400);
    ck_assert_uint_eq (purse.spent.cost_millionths, 100);
    store_close (&store);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (no_more_is_allowed_than_is_left_beside_what_others_set_aside)
{
    scratch_t scratch = scratch_new ();
    store_t *store = s_store (&scratch);
    purse_t purse = s_purse (store, s_caps);
    spending_t wanted = {8, 800, 100}, first, second, spent = {8, 1000, 500};
    ck_assert_int_eq (purse_set_aside (&purse, &wanted, &first, NULL), 0);
    ck_assert_int_eq (purse_set_aside (&purse, &wanted, &second, NULL), 0);
    ck_assert_uint_eq (second.requests, 2);
    ck_assert_uint_eq (second.tokens, 200);
    ck_assert_uint_eq (second.cost_millionths, 100);
    spending_t none = {0};
    purse_settle (&purse, &second, &none);
    ck_assert_uint_eq (purse_left (&purse).requests, 2);
    purse_settle (&purse, &first, &spent);
    ck_assert_uint_eq (purse_left (&purse).tokens, 0);
    store_close (&store);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (what_is_set_aside_is_held_and_not_spent)
{
    scratch_t scratch = scratch_new ();
    store_t *store = s_store (&scratch);
    purse_t purse = s_purse (store, s_caps);
    spending_t wanted = {12, 100, 100}, allowed, one = {1, 10, 10}, rest = {9, 10, 10};
    ck_assert (!purse_is_held (&purse) && !purse_is_empty (&purse));
    ck_assert_int_eq (purse_set_aside (&purse, &wanted, &allowed, NULL), 0);
    ck_assert (purse_is_held (&purse) && !purse_is_empty (&purse));
    purse_settle (&purse, &allowed, &one);
    ck_assert (!purse_is_held (&purse) && !purse_is_empty (&purse));
    ck_assert_int_eq (purse_set_aside (&purse, &wanted, &allowed, NULL), 0);
    ck_assert_uint_eq (allowed.requests, 9);
    purse_settle (&purse, &allowed, &rest);
    ck_assert (!purse_is_held (&purse) && purse_is_empty (&purse));
    store_close (&store);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (without_caps_it_is_never_empty)
{
    scratch_t scratch = scratch_new ();
    store_t *store = s_store (&scratch);
    purse_t purse = s_purse (store, (spending_t){0});
    spending_t wanted = {8, 800, 100}, allowed;
    char text[200];
    ck_assert_int_eq (purse_set_aside (&purse, &wanted, &allowed, NULL), 0);
    ck_assert (!purse_is_held (&purse));
    purse_settle (&purse, &allowed, &wanted);
    ck_assert (!purse_is_empty (&purse));
    purse_print (&purse, text, sizeof text);
    ck_assert_str_eq (text, "8 requests, 800 tokens, 0.0001");
    purse.caps = (spending_t){10, 1000, 2500000};
    purse_print (&purse, text, sizeof text);
    ck_assert_str_eq (text, "8 of 10 requests, 800 of 1000 tokens, 0.0001 of 2.50");
    store_close (&store);
    scratch_remove (&scratch);
}
END_TEST

SUITE_MAIN ("purse", what_was_spent_is_known_after_a_restart,
            what_was_set_aside_before_a_crash_counts_as_spent,
            no_more_is_allowed_than_is_left_beside_what_others_set_aside,
            what_is_set_aside_is_held_and_not_spent, without_caps_it_is_never_empty)
