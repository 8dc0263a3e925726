/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/pareto.h"
#include "protocol/error.h"
#include "tests/unit/evolution/archive_fixture.h"

#include <math.h>

static const archive_entry_t *s_front_at (const archive_t *archive, size_t index)
{
    ck_assert_uint_lt (index, archive->front_count);
    return &archive->entries[archive->front[index]];
}

static const archive_entry_t *s_best (const archive_t *archive)
{
    return archive->best == ISLAND_NOBODY ? NULL : &archive->entries[archive->best];
}

START_TEST (test_scores_are_the_weighted_improvement_over_the_first_valid_one)
{
    archive_t *archive = archive_fixture ();
    digest_t broken = candidate_id (99);
    ck_assert_int_eq (archive_put (archive, 0, 99, 99, NULL), 0);
    ck_assert_ptr_null (s_best (archive));
    archive_put_everywhere (archive, 0, 0, 8, 4);
    archive_put_everywhere (archive, 1, 0, 6, 4);
    archive_put_everywhere (archive, 2, 1, 8, 3);
    ck_assert (archive_candidate (archive, 0)->score == 0);
    ck_assert (archive_candidate (archive, 1)->score == 0.125);
    ck_assert (archive_candidate (archive, 2)->score == -0.125);
    ck_assert_ptr_eq (s_best (archive), archive_candidate (archive, 1));
    ck_assert_uint_eq (archive_count (archive), 4);
    ck_assert (digest_equal (&archive_at (archive, 0)->id, &broken));
    ck_assert (!archive_candidate (archive, 99)->valid);
    digest_t absent = candidate_id (100);
    ck_assert_ptr_null (archive_find (archive, &absent));
    archive_destroy (&archive);
    ck_assert_ptr_null (archive);
}
END_TEST

START_TEST (test_an_id_is_taken_once)
{
    archive_t *archive = archive_fixture ();
    archive_put_everywhere (archive, 0, 0, 8, 4);
    metrics_t better = metrics_two (1, 9);
    ck_assert_int_eq (archive_put (archive, 0, 0, 0, &better), ERROR_CONFLICT);
    ck_assert_uint_eq (archive_count (archive), 1);
    ck_assert (s_best (archive)->metrics.values[0] == 8);
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_children_count_for_each_parent_that_is_here)
{
    archive_t *archive = archive_fixture ();
    archive_put_everywhere (archive, 0, 0, 8, 4);
    archive_put_everywhere (archive, 1, 0, 7, 4);
    archive_put_everywhere (archive, 2, 77, 7, 3); /* of another node's candidate */
    metrics_t metrics = metrics_two (5, 5);
    archive_candidate_t both = {.id = candidate_id (3),
                                .parents = {candidate_id (0), candidate_id (1)},
                                .parent_count = 2,
                                .valid = true,
                                .metrics = &metrics};
    archive_candidate_t twice = {
        .id = candidate_id (4), .parents = {candidate_id (1), candidate_id (1)}, .parent_count = 2};
    ck_assert_int_eq (archive_add (archive, &both), 0);
    ck_assert_int_eq (archive_add (archive, &twice), 0);
    ck_assert_uint_eq (archive_candidate (archive, 0)->children, 2);
    ck_assert_uint_eq (archive_candidate (archive, 1)->children, 2);
    ck_assert_uint_eq (archive_candidate (archive, 2)->children, 0);
    ck_assert (digest_equal (&archive_candidate (archive, 3)->parents[1], &both.parents[1]));
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_the_front_moves_along)
{
    archive_t *archive = archive_fixture ();
    archive_put_everywhere (archive, 0, 0, 8, 4);
    archive_put_everywhere (archive, 1, 0, 9, 3); /* dominated */
    ck_assert_uint_eq (archive_front_count (archive), 1);
    archive_put_everywhere (archive, 2, 0, 9, 6);
    archive_put_everywhere (archive, 3, 0, 7, 3);
    ck_assert_uint_eq (archive_front_count (archive), 3);
    archive_put_everywhere (archive, 4, 0, 8, 4); /* the same as the first: that one stands for it */
    ck_assert_uint_eq (archive_front_count (archive), 3);
    ck_assert (!archive_candidate (archive, 4)->on_front);
    archive_put_everywhere (archive, 5, 0, 7, 5); /* dominates 0 and 3 */
    ck_assert_uint_eq (archive_front_count (archive), 2);
    ck_assert_ptr_eq (s_front_at (archive, 0), archive_candidate (archive, 2));
    ck_assert_ptr_eq (s_front_at (archive, 1), archive_candidate (archive, 5));
    ck_assert (!archive_candidate (archive, 0)->on_front && !archive_candidate (archive, 3)->on_front);
    ck_assert (archive_candidate (archive, 2)->on_front && archive_candidate (archive, 5)->on_front);
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_the_front_is_what_nothing_dominates)
{
    random_t random;
    random_init_number (&random, 9);
    objectives_t objectives = archive_objectives ();
    archive_t *archive = archive_fixture ();
    for (size_t i = 0; i < 400; i++)
        archive_put_everywhere (archive, i, 0, 1 + random_unit (&random), 1 + random_unit (&random));
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
    archive_t *archive = archive_fixture ();
    random_t random;
    random_init_number (&random, 10);
    for (size_t i = 0; i < count; i++) {
        size_t parent = i == 0 ? 0 : (size_t)random_below (&random, i);
        metrics_t metrics = metrics_two (1 + random_unit (&random), 1 + random_unit (&random));
        if (i == 0)
            metrics = metrics_two (1.5, 1.5);
        ck_assert_int_eq (archive_put (archive, 0, i, parent, i % 7 != 3 ? &metrics : NULL), 0);
    }
    return archive;
}

START_TEST (test_dgm_selection_goes_by_score_and_novelty)
{
    enum { COUNT = 40, PICKS = 200000 };
    archive_t *archive = s_mixed (COUNT);
    double best = s_best (archive)->score, weights[COUNT] = {0}, total = 0;
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
        const archive_entry_t *entry = archive_select (archive, 0, SELECT_DGM, &random);
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
        ck_assert (archive_select (archive, 0, SELECT_PARETO, &random)->on_front);
        ck_assert_ptr_eq (archive_select (archive, 0, SELECT_BEST, &random), s_best (archive));
        const archive_entry_t *any = archive_select (archive, 0, SELECT_RANDOM, &random);
        const archive_entry_t *winner = archive_select (archive, 0, SELECT_TOURNAMENT, &random);
        ck_assert (any->valid && winner->valid);
        random_sum += any->score;
        tournament_sum += winner->score;
    }
    ck_assert (tournament_sum > random_sum + 100);
    archive_destroy (&archive);
}
END_TEST

/* Both are at an end of the front, where there is room without bound: the weights decide between them. */
START_TEST (test_weights_break_ties_on_the_front)
{
    archive_t *archive = archive_fixture ();
    random_t random;
    random_init_number (&random, 15);
    archive_put_everywhere (archive, 0, 0, 10, 10);
    archive_put_everywhere (archive, 1, 0, 1, 10.5);
    archive_put_everywhere (archive, 2, 0, 9, 30);
    ck_assert (archive_candidate (archive, 1)->on_front && archive_candidate (archive, 2)->on_front);
    ck_assert_double_gt (archive_candidate (archive, 2)->score, archive_candidate (archive, 1)->score);
    unsigned picked = 0;
    for (int i = 0; i < 1000; i++)
        picked += archive_select (archive, 0, SELECT_PARETO, &random) == archive_candidate (archive, 2);
    ck_assert_uint_gt (picked, 700); /* of two that are drawn the better one: 3 of 4 */
    ck_assert_uint_lt (picked, 800);
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
        const archive_entry_t *a = archive_select (one, 0, how, &first),
                              *b = archive_select (two, 0, how, &second);
        ck_assert (digest_equal (&a->id, &b->id));
        differ += !digest_equal (&a->id, &archive_select (one, 0, how, &other)->id);
    }
    ck_assert_int_gt (differ, 500);
    archive_destroy (&one);
    archive_destroy (&two);
}
END_TEST

START_TEST (test_nothing_is_selected_where_nothing_is_valid)
{
    archive_t *archive = archive_fixture ();
    random_t random;
    random_init_number (&random, 15);
    ck_assert_ptr_null (archive_select (archive, 0, SELECT_DGM, &random));
    ck_assert_int_eq (archive_put (archive, 0, 1, 1, NULL), 0);
    ck_assert_ptr_null (archive_select (archive, 0, SELECT_DGM, &random));
    ck_assert_ptr_null (archive_select (archive, 0, SELECT_RANDOM, &random));
    archive_put_everywhere (archive, 2, 1, 1, 1);
    ck_assert_ptr_eq (archive_select (archive, 0, SELECT_DGM, &random), archive_candidate (archive, 2));
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_what_is_far_worse_than_the_root_is_hardly_ever_a_parent)
{
    archive_t *archive = archive_fixture ();
    archive_put_everywhere (archive, 0, 0, 1, 1);
    for (size_t i = 1; i <= 1000; i++)
        archive_put_everywhere (archive, i, i, 2, 1); /* − 50 % each */
    random_t random;
    random_init_number (&random, 16);
    for (int i = 0; i < 1000; i++)
        ck_assert_ptr_eq (archive_select (archive, 0, SELECT_DGM, &random), archive_candidate (archive, 0));
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
        digest_t id = candidate_id (i);
        const archive_entry_t *entry = archive_find (archive, &id);
        ck_assert_ptr_eq (entry, archive_at (archive, i));
        ck_assert (archive_select (archive, 0, SELECT_DGM, &random)->valid);
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

START_TEST (test_what_is_no_number_does_not_enter)
{
    archive_t *archive = archive_fixture ();
    archive_put_everywhere (archive, 0, 0, 1, 1);
    metrics_t wrong[] = {metrics_two (NAN, 1), metrics_two (1, INFINITY), metrics_one (1)};
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq (archive_put (archive, 0, i + 1, 0, &wrong[i]), ERROR_INPUT);
    ck_assert_uint_eq (archive_count (archive), 1);
    ck_assert_uint_eq (archive_candidate (archive, 0)->children, 0);
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_what_is_past_a_limit_is_behind_all_that_is_not)
{
    objectives_t objectives = archive_objectives ();
    objectives.items[0].has_limit = true;
    objectives.items[0].limit = 8;
    archive_t *archive = archive_new (&objectives);
    archive_put_everywhere (archive, 0, 0, 12, 1);
    archive_put_everywhere (archive, 1, 0, 10, 9); /* nearer to the limit */
    ck_assert_ptr_eq (s_best (archive), archive_candidate (archive, 1));
    archive_put_everywhere (archive, 2, 0, 8, 0.5); /* keeps to it */
    archive_put_everywhere (archive, 3, 0, 9, 90);
    ck_assert_ptr_eq (s_best (archive), archive_candidate (archive, 2));
    ck_assert_uint_eq (archive_front_count (archive), 1);
    random_t random;
    random_init_number (&random, 18);
    for (int i = 0; i < 500; i++)
        ck_assert_ptr_eq (archive_select (archive, 0, SELECT_DGM, &random), archive_candidate (archive, 2));
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_twins_are_found_by_their_tokens)
{
    archive_t *archive = archive_fixture ();
    digest_t tokens = candidate_id (1000), none = {{0}};
    archive_candidate_t first = {.id = candidate_id (1), .tokens = tokens},
                        second = {.id = candidate_id (2), .tokens = tokens};
    ck_assert_ptr_null (archive_twin (archive, &tokens));
    ck_assert_int_eq (archive_add (archive, &first), 0);
    ck_assert_int_eq (archive_add (archive, &second), 0);
    for (size_t i = 10; i < 500; i++) /* tables grow meanwhile */
        ck_assert_int_eq (archive_put (archive, 0, i, i, NULL), 0);
    ck_assert_ptr_eq (archive_twin (archive, &tokens), archive_candidate (archive, 1));
    ck_assert_ptr_null (archive_twin (archive, &none));
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_inspirations_are_the_best_and_what_is_far_from_them)
{
    archive_t *archive = archive_fixture ();
    for (size_t i = 0; i <= 100; i++) /* a front from corner to corner, weighed alike at its ends */
        archive_put_everywhere (archive, i, 0, 50 + (double)i, 50 + (double)i);
    const archive_entry_t *top[ARCHIVE_INSPIRATIONS], *diverse[ARCHIVE_INSPIRATIONS];
    size_t count = archive_top (archive, 0, top);
    ck_assert_uint_eq (count, ARCHIVE_INSPIRATIONS);
    ck_assert_ptr_eq (top[0], s_best (archive));
    for (size_t i = 1; i < count; i++)
        ck_assert (top[i - 1]->score >= top[i]->score);
    size_t others = archive_diverse (archive, 0, top, 1, diverse);
    ck_assert_uint_eq (others, ARCHIVE_INSPIRATIONS);
    double nearest = INFINITY;
    for (size_t i = 0; i < others; i++)
        for (size_t k = 0; k < i; k++)
            nearest = fmin (nearest, fabs (diverse[i]->metrics.values[0] - diverse[k]->metrics.values[0]));
    ck_assert (nearest >= 5); /* 100 wide: nine of them evenly would be 12 apart */
    ck_assert (fabs (diverse[0]->metrics.values[0] - top[0]->metrics.values[0]) >= 50);
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_the_same_figures_inspire_once)
{
    archive_t *archive = archive_fixture ();
    for (size_t i = 0; i < 20; i++)
        archive_put_everywhere (archive, i, 0, i < 10 ? 5 : 6, 1);
    const archive_entry_t *top[ARCHIVE_INSPIRATIONS], *diverse[ARCHIVE_INSPIRATIONS];
    ck_assert_uint_eq (archive_top (archive, 0, top), ARCHIVE_INSPIRATIONS);
    ck_assert_uint_eq (archive_diverse (archive, 0, top, 1, diverse), 1);
    ck_assert (diverse[0]->metrics.values[0] != top[0]->metrics.values[0]);
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_a_front_has_a_bound_and_keeps_its_ends_and_the_best)
{
    enum { COUNT = 3 * ARCHIVE_FRONT_MAX };
    archive_t *archive = archive_fixture ();
    for (size_t i = 0; i < COUNT; i++) {
        size_t place = i * 7919 % COUNT; /* in no order */
        archive_put_everywhere (archive, i, 0, 1 + (double)place, 1 + (double)place);
        ck_assert_uint_le (archive_front_count (archive), ARCHIVE_FRONT_MAX);
    }
    ck_assert_uint_gt (archive_front_count (archive), ARCHIVE_FRONT_MAX / 2);
    double least = INFINITY, most = 0, widest = 0, before = 0;
    bool here[COUNT + 2] = {false};
    for (size_t i = 0; i < archive_front_count (archive); i++) {
        ck_assert (s_front_at (archive, i)->on_front);
        double at = s_front_at (archive, i)->metrics.values[0];
        least = fmin (least, at);
        most = fmax (most, at);
        here[(size_t)at] = true;
    }
    ck_assert (least == 1 && most == COUNT && s_best (archive)->on_front);
    for (size_t at = 1; at <= COUNT; at++)
        if (here[at]) {
            widest = fmax (widest, (double)at - before);
            before = (double)at;
        }
    ck_assert (widest < 64); /* no part of it is lost */
    metrics_t reference = metrics_two (COUNT + 1, 0);
    size_t points;
    double volume = archive_hypervolume (archive, &reference, &points), whole = COUNT * (COUNT + 1.0) / 2;
    ck_assert_uint_eq (points, archive_front_count (archive));
    ck_assert (volume <= whole && volume > 0.99 * whole);
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_the_best_stays_on_the_front_in_whatever_crowd_it_is)
{
    enum { SPREAD = ARCHIVE_FRONT_MAX - 100, CROWD = 200 };
    archive_t *archive = archive_fixture ();
    double best = 0;
    for (size_t i = 0; i < SPREAD; i++)
        archive_put_everywhere (archive, i, 0, 1000 + 10 * (double)i, 1000 + 10 * (double)i);
    for (size_t i = 0; i < CROWD; i++) { /* all between two of them */
        double at = 1005 + 0.001 * (double)i;
        best = i == CROWD / 4 ? at : best;
        archive_put_everywhere (archive, SPREAD + i, 0, at, i == CROWD / 4 ? at + 0.0005 : at);
    }
    ck_assert_uint_lt (archive_front_count (archive), ARCHIVE_FRONT_MAX);
    ck_assert (s_best (archive)->metrics.values[0] == best);
    ck_assert (s_best (archive)->on_front);
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_a_new_best_reweighs_all_in_the_end)
{
    enum { COUNT = 4 * 256 };
    archive_t *archive = archive_fixture ();
    archive_put_everywhere (archive, 0, 0, 100, 1);
    for (size_t i = 1; i < COUNT; i++)
        archive_put_everywhere (archive, i, i, 98, 1);    /* 1 % each: the best there are */
    archive_put_everywhere (archive, COUNT, COUNT, 1, 1); /* and one of 49.5 % */
    for (size_t i = 1; i < 8; i++)
        archive_put_everywhere (archive, COUNT + i, COUNT + i, 120, 1); /* time passes */
    random_t random;
    random_init_number (&random, 22);
    double share = 0.01 / 0.495, weight = COUNT / (1 + exp (-10 * (share - 0.5)));
    double best = 1 / (1 + exp (-5.0)), expected = 20000 * best / (best + weight);
    unsigned picked = 0;
    for (int i = 0; i < 20000; i++)
        picked += archive_select (archive, 0, SELECT_DGM, &random) == archive_candidate (archive, COUNT);
    ck_assert_msg (fabs (picked - expected) < 6 * sqrt (expected), "%u picks, expected %.1f", picked,
                   expected);
    archive_destroy (&archive);
}
END_TEST

SUITE_MAIN ("evolution/archive", test_scores_are_the_weighted_improvement_over_the_first_valid_one,
            test_an_id_is_taken_once, test_children_count_for_each_parent_that_is_here,
            test_the_front_moves_along, test_the_front_is_what_nothing_dominates,
            test_dgm_selection_goes_by_score_and_novelty, test_each_way_of_selection_keeps_to_its_rule,
            test_weights_break_ties_on_the_front, test_the_same_seed_picks_the_same_parents,
            test_nothing_is_selected_where_nothing_is_valid,
            test_what_is_far_worse_than_the_root_is_hardly_ever_a_parent,
            test_a_hundred_thousand_candidates_are_found_and_selected, test_exp_is_accurate,
            test_what_is_no_number_does_not_enter, test_what_is_past_a_limit_is_behind_all_that_is_not,
            test_twins_are_found_by_their_tokens, test_inspirations_are_the_best_and_what_is_far_from_them,
            test_the_same_figures_inspire_once, test_a_front_has_a_bound_and_keeps_its_ends_and_the_best,
            test_the_best_stays_on_the_front_in_whatever_crowd_it_is, test_a_new_best_reweighs_all_in_the_end)
