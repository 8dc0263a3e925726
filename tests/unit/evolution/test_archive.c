/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/archive.h"
#include "evolution/pareto.h"
#include "protocol/error.h"
#include "tests/lib/objectives.h"
#include "tests/lib/suite.h"

#include <math.h>

static objectives_t s_objectives (void)
{
    objectives_t objectives = {.count = 0};
    objectives_put (&objectives, "a", GOAL_MINIMIZE, false);
    objectives_put (&objectives, "b", GOAL_MAXIMIZE, false);
    return objectives;
}

static archive_t *s_new (void)
{
    objectives_t objectives = s_objectives ();
    archive_t *archive = archive_new (&objectives);
    ck_assert_ptr_nonnull (archive);
    return archive;
}

static digest_t s_id (size_t number)
{
    return digest_of (&number, sizeof number);
}

/* Adds candidate `number`, a child of `parent`, unless that is itself. */
static void s_add (archive_t *archive, size_t number, size_t parent, double a, double b)
{
    digest_t id = s_id (number), from = s_id (parent);
    metrics_t metrics = metrics_two (a, b);
    ck_assert_int_eq (archive_add (archive, &id, &from, number == parent ? 0 : 1, true, &metrics), 0);
}

static const archive_entry_t *s_find (const archive_t *archive, size_t number)
{
    digest_t id = s_id (number);
    const archive_entry_t *entry = archive_find (archive, &id);
    ck_assert_ptr_nonnull (entry);
    return entry;
}

START_TEST (test_scores_are_the_weighted_improvement_over_the_first_valid_one)
{
    archive_t *archive = s_new ();
    digest_t broken = s_id (99);
    ck_assert_int_eq (archive_add (archive, &broken, NULL, 0, false, NULL), 0);
    ck_assert_ptr_null (archive_best (archive));
    s_add (archive, 0, 0, 8, 4);
    s_add (archive, 1, 0, 6, 4);
    s_add (archive, 2, 1, 8, 3);
    ck_assert (s_find (archive, 0)->score == 0);
    ck_assert (s_find (archive, 1)->score == 0.125);
    ck_assert (s_find (archive, 2)->score == -0.125);
    ck_assert_ptr_eq (archive_best (archive), s_find (archive, 1));
    ck_assert_uint_eq (archive_count (archive), 4);
    ck_assert (digest_equal (&archive_at (archive, 0)->id, &broken));
    ck_assert (!s_find (archive, 99)->valid);
    digest_t absent = s_id (100);
    ck_assert_ptr_null (archive_find (archive, &absent));
    archive_destroy (&archive);
    ck_assert_ptr_null (archive);
}
END_TEST

START_TEST (test_an_id_is_taken_once)
{
    archive_t *archive = s_new ();
    s_add (archive, 0, 0, 8, 4);
    digest_t id = s_id (0);
    metrics_t better = metrics_two (1, 9);
    ck_assert_int_eq (archive_add (archive, &id, NULL, 0, true, &better), ERROR_CONFLICT);
    ck_assert_uint_eq (archive_count (archive), 1);
    ck_assert (archive_best (archive)->metrics.values[0] == 8);
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_children_count_for_each_parent_that_is_here)
{
    archive_t *archive = s_new ();
    s_add (archive, 0, 0, 8, 4);
    s_add (archive, 1, 0, 7, 4);
    s_add (archive, 2, 77, 7, 3); /* of another node's candidate */
    digest_t id = s_id (3), parents[] = {s_id (0), s_id (1)}, twice[] = {s_id (1), s_id (1)};
    metrics_t metrics = metrics_two (5, 5);
    ck_assert_int_eq (archive_add (archive, &id, parents, 2, true, &metrics), 0);
    id = s_id (4);
    ck_assert_int_eq (archive_add (archive, &id, twice, 2, false, NULL), 0);
    ck_assert_uint_eq (s_find (archive, 0)->children, 2);
    ck_assert_uint_eq (s_find (archive, 1)->children, 2);
    ck_assert_uint_eq (s_find (archive, 2)->children, 0);
    ck_assert (digest_equal (&s_find (archive, 3)->parents[1], &parents[1]));
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_the_front_moves_along)
{
    archive_t *archive = s_new ();
    s_add (archive, 0, 0, 8, 4);
    s_add (archive, 1, 0, 9, 3); /* dominated */
    ck_assert_uint_eq (archive_front_count (archive), 1);
    s_add (archive, 2, 0, 9, 6);
    s_add (archive, 3, 0, 7, 3);
    ck_assert_uint_eq (archive_front_count (archive), 3);
    s_add (archive, 4, 0, 8, 4); /* the same as the first: that one stands for it */
    ck_assert_uint_eq (archive_front_count (archive), 3);
    ck_assert (!s_find (archive, 4)->on_front);
    s_add (archive, 5, 0, 7, 5); /* dominates 0 and 3 */
    ck_assert_uint_eq (archive_front_count (archive), 2);
    ck_assert_ptr_eq (archive_front_at (archive, 0), s_find (archive, 2));
    ck_assert_ptr_eq (archive_front_at (archive, 1), s_find (archive, 5));
    ck_assert (!s_find (archive, 0)->on_front && !s_find (archive, 3)->on_front);
    ck_assert (s_find (archive, 2)->on_front && s_find (archive, 5)->on_front);
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_the_front_is_what_nothing_dominates)
{
    random_t random;
    random_init_number (&random, 9);
    objectives_t objectives = s_objectives ();
    archive_t *archive = s_new ();
    for (size_t i = 0; i < 400; i++)
        s_add (archive, i, 0, 1 + random_unit (&random), 1 + random_unit (&random));
    size_t front = 0;
    for (size_t i = 0; i < 400; i++) {
        bool dominated = false;
        for (size_t k = 0; k < 400; k++)
            dominated |= pareto_dominates (&objectives, &archive_at (archive, k)->metrics,
                                           &archive_at (archive, i)->metrics);
        ck_assert_int_eq (archive_at (archive, i)->on_front, !dominated);
        front += !dominated;
    }
    ck_assert_uint_eq (archive_front_count (archive), front);
    archive_destroy (&archive);
}
END_TEST

/* An archive in which every kind of entry is there: the best, bad ones, invalid ones, some with children. */
static archive_t *s_mixed (size_t count)
{
    archive_t *archive = s_new ();
    random_t random;
    random_init_number (&random, 10);
    for (size_t i = 0; i < count; i++) {
        digest_t id = s_id (i), parent = s_id (i == 0 ? 0 : random_below (&random, i));
        metrics_t metrics = metrics_two (1 + random_unit (&random), 1 + random_unit (&random));
        if (i == 0)
            metrics = metrics_two (1.5, 1.5);
        ck_assert_int_eq (archive_add (archive, &id, &parent, i == 0 ? 0 : 1, i % 7 != 3, &metrics), 0);
    }
    return archive;
}

START_TEST (test_dgm_selection_goes_by_score_and_novelty)
{
    enum { COUNT = 40, PICKS = 200000 };
    archive_t *archive = s_mixed (COUNT);
    double best = archive_best (archive)->score, weights[COUNT] = {0}, total = 0;
    unsigned picked[COUNT] = {0};
    ck_assert (best > ARCHIVE_BEST_MIN);
    for (size_t i = 0; i < COUNT; i++) {
        const archive_entry_t *entry = archive_at (archive, i);
        if (entry->valid)
            weights[i] = 1 / (1 + exp (-10 * (entry->score / best - 0.5))) / (1 + entry->children);
        total += weights[i];
    }
    random_t random;
    random_init_number (&random, 11);
    for (int i = 0; i < PICKS; i++) {
        const archive_entry_t *entry = archive_select (archive, SELECT_DGM, &random);
        picked[entry - archive_at (archive, 0)]++;
    }
    for (size_t i = 0; i < COUNT; i++) {
        double expected = PICKS * weights[i] / total, deviation = sqrt (expected);
        ck_assert_msg (fabs (picked[i] - expected) <= 5 * deviation + 1, "entry %zu: %u picks, expected %.1f",
                       i, picked[i], expected);
    }
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_each_way_of_selection_keeps_to_its_rule)
{
    archive_t *archive = s_mixed (100);
    random_t random;
    random_init_number (&random, 12);
    double random_sum = 0, tournament_sum = 0;
    for (int i = 0; i < 2000; i++) {
        ck_assert (archive_select (archive, SELECT_PARETO, &random)->on_front);
        ck_assert_ptr_eq (archive_select (archive, SELECT_BEST, &random), archive_best (archive));
        const archive_entry_t *any = archive_select (archive, SELECT_RANDOM, &random);
        const archive_entry_t *winner = archive_select (archive, SELECT_TOURNAMENT, &random);
        ck_assert (any->valid && winner->valid);
        random_sum += any->score;
        tournament_sum += winner->score;
    }
    ck_assert (tournament_sum > random_sum + 100);
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_the_same_seed_picks_the_same_parents)
{
    static const selection_t ways[] = {SELECT_DGM, SELECT_PARETO, SELECT_TOURNAMENT, SELECT_BEST,
                                       SELECT_RANDOM};
    archive_t *one = s_mixed (300), *two = s_mixed (300);
    random_t first, second, other;
    random_init_number (&first, 13);
    random_init_number (&second, 13);
    random_init_number (&other, 14);
    int differ = 0;
    for (size_t i = 0; i < 1000; i++) {
        selection_t how = ways[i % 5];
        const archive_entry_t *a = archive_select (one, how, &first), *b = archive_select (two, how, &second);
        ck_assert (digest_equal (&a->id, &b->id));
        differ += !digest_equal (&a->id, &archive_select (one, how, &other)->id);
    }
    ck_assert_int_gt (differ, 500);
    archive_destroy (&one);
    archive_destroy (&two);
}
END_TEST

START_TEST (test_nothing_is_selected_where_nothing_is_valid)
{
    archive_t *archive = s_new ();
    random_t random;
    random_init_number (&random, 15);
    ck_assert_ptr_null (archive_select (archive, SELECT_DGM, &random));
    digest_t id = s_id (1);
    ck_assert_int_eq (archive_add (archive, &id, NULL, 0, false, NULL), 0);
    ck_assert_ptr_null (archive_select (archive, SELECT_DGM, &random));
    ck_assert_ptr_null (archive_select (archive, SELECT_RANDOM, &random));
    s_add (archive, 2, 1, 1, 1);
    ck_assert_ptr_eq (archive_select (archive, SELECT_DGM, &random), s_find (archive, 2));
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_what_is_far_worse_than_the_root_is_hardly_ever_a_parent)
{
    archive_t *archive = s_new ();
    s_add (archive, 0, 0, 1, 1);
    for (size_t i = 1; i <= 1000; i++)
        s_add (archive, i, i, 2, 1); /* − 50 % each */
    random_t random;
    random_init_number (&random, 16);
    for (int i = 0; i < 1000; i++)
        ck_assert_ptr_eq (archive_select (archive, SELECT_DGM, &random), s_find (archive, 0));
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_a_hundred_thousand_candidates_are_found_and_selected)
{
    enum { COUNT = 100000 };
    archive_t *archive = s_mixed (COUNT);
    ck_assert_uint_eq (archive_count (archive), COUNT);
    random_t random;
    random_init_number (&random, 17);
    for (size_t i = 0; i < COUNT; i += 7) {
        digest_t id = s_id (i);
        const archive_entry_t *entry = archive_find (archive, &id);
        ck_assert_ptr_eq (entry, archive_at (archive, i));
        ck_assert (archive_select (archive, SELECT_DGM, &random)->valid);
    }
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_exp_is_accurate)
{
    for (double x = -50; x <= 50; x += 0.00731) {
        double right = exp (x);
        ck_assert_msg (fabs (archive_exp (x) - right) <= 1e-12 * right, "e^%g is %.17g", x, archive_exp (x));
    }
    ck_assert (archive_exp (0) == 1);
    ck_assert (isfinite (archive_exp (1e9)) && archive_exp (-1e9) > 0);
}
END_TEST

SUITE_MAIN ("evolution/archive", test_scores_are_the_weighted_improvement_over_the_first_valid_one,
            test_an_id_is_taken_once, test_children_count_for_each_parent_that_is_here,
            test_the_front_moves_along, test_the_front_is_what_nothing_dominates,
            test_dgm_selection_goes_by_score_and_novelty, test_each_way_of_selection_keeps_to_its_rule,
            test_the_same_seed_picks_the_same_parents, test_nothing_is_selected_where_nothing_is_valid,
            test_what_is_far_worse_than_the_root_is_hardly_ever_a_parent,
            test_a_hundred_thousand_candidates_are_found_and_selected, test_exp_is_accurate)
