/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/archive_state.h"
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

/* Adds candidate `number` to an island, a child of `parent`, unless that is itself; NULL metrics: it isn't valid. */
static int s_put (archive_t *archive, size_t island, size_t number, size_t parent, const metrics_t *metrics)
{
    archive_candidate_t candidate = {.id = s_id (number),
                                     .parents = {s_id (parent)},
                                     .parent_count = number == parent ? 0 : 1,
                                     .island = island,
                                     .valid = metrics != NULL,
                                     .metrics = metrics};
    return archive_add (archive, &candidate);
}

static void s_add (archive_t *archive, size_t number, size_t parent, double a, double b)
{
    metrics_t metrics = metrics_two (a, b);
    ck_assert_int_eq (s_put (archive, ARCHIVE_EVERYWHERE, number, parent, &metrics), 0);
}

static const archive_entry_t *s_find (const archive_t *archive, size_t number)
{
    digest_t id = s_id (number);
    const archive_entry_t *entry = archive_find (archive, &id);
    ck_assert_ptr_nonnull (entry);
    return entry;
}

/* In order of adding. */
static const archive_entry_t *s_at (const archive_t *archive, size_t index)
{
    ck_assert_uint_lt (index, archive->count);
    return &archive->entries[index];
}

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
    archive_t *archive = s_new ();
    digest_t broken = s_id (99);
    ck_assert_int_eq (s_put (archive, 0, 99, 99, NULL), 0);
    ck_assert_ptr_null (s_best (archive));
    s_add (archive, 0, 0, 8, 4);
    s_add (archive, 1, 0, 6, 4);
    s_add (archive, 2, 1, 8, 3);
    ck_assert (s_find (archive, 0)->score == 0);
    ck_assert (s_find (archive, 1)->score == 0.125);
    ck_assert (s_find (archive, 2)->score == -0.125);
    ck_assert_ptr_eq (s_best (archive), s_find (archive, 1));
    ck_assert_uint_eq (archive_count (archive), 4);
    ck_assert (digest_equal (&s_at (archive, 0)->id, &broken));
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
    metrics_t better = metrics_two (1, 9);
    ck_assert_int_eq (s_put (archive, 0, 0, 0, &better), ERROR_CONFLICT);
    ck_assert_uint_eq (archive_count (archive), 1);
    ck_assert (s_best (archive)->metrics.values[0] == 8);
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_children_count_for_each_parent_that_is_here)
{
    archive_t *archive = s_new ();
    s_add (archive, 0, 0, 8, 4);
    s_add (archive, 1, 0, 7, 4);
    s_add (archive, 2, 77, 7, 3); /* of another node's candidate */
    metrics_t metrics = metrics_two (5, 5);
    archive_candidate_t both = {.id = s_id (3),
                                .parents = {s_id (0), s_id (1)},
                                .parent_count = 2,
                                .valid = true,
                                .metrics = &metrics};
    archive_candidate_t twice = {.id = s_id (4), .parents = {s_id (1), s_id (1)}, .parent_count = 2};
    ck_assert_int_eq (archive_add (archive, &both), 0);
    ck_assert_int_eq (archive_add (archive, &twice), 0);
    ck_assert_uint_eq (s_find (archive, 0)->children, 2);
    ck_assert_uint_eq (s_find (archive, 1)->children, 2);
    ck_assert_uint_eq (s_find (archive, 2)->children, 0);
    ck_assert (digest_equal (&s_find (archive, 3)->parents[1], &both.parents[1]));
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
    ck_assert_ptr_eq (s_front_at (archive, 0), s_find (archive, 2));
    ck_assert_ptr_eq (s_front_at (archive, 1), s_find (archive, 5));
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
            dominated |=
                pareto_dominates (&objectives, &s_at (archive, k)->metrics, &s_at (archive, i)->metrics);
        ck_assert_int_eq (s_at (archive, i)->on_front, !dominated);
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
        size_t parent = i == 0 ? 0 : (size_t)random_below (&random, i);
        metrics_t metrics = metrics_two (1 + random_unit (&random), 1 + random_unit (&random));
        if (i == 0)
            metrics = metrics_two (1.5, 1.5);
        ck_assert_int_eq (s_put (archive, 0, i, parent, i % 7 != 3 ? &metrics : NULL), 0);
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
        const archive_entry_t *entry = s_at (archive, i);
        if (entry->valid)
            weights[i] = 1 / (1 + exp (-10 * (entry->score / best - 0.5))) / (1 + entry->children);
        total += weights[i];
    }
    random_t random;
    random_init_number (&random, 11);
    for (int i = 0; i < PICKS; i++) {
        const archive_entry_t *entry = archive_select (archive, 0, SELECT_DGM, &random);
        picked[entry - s_at (archive, 0)]++;
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
    archive_t *archive = s_new ();
    random_t random;
    random_init_number (&random, 15);
    s_add (archive, 0, 0, 10, 10);
    s_add (archive, 1, 0, 1, 10.5);
    s_add (archive, 2, 0, 9, 30);
    ck_assert (s_find (archive, 1)->on_front && s_find (archive, 2)->on_front);
    ck_assert_double_gt (s_find (archive, 2)->score, s_find (archive, 1)->score);
    unsigned picked = 0;
    for (int i = 0; i < 1000; i++)
        picked += archive_select (archive, 0, SELECT_PARETO, &random) == s_find (archive, 2);
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
    archive_t *archive = s_new ();
    random_t random;
    random_init_number (&random, 15);
    ck_assert_ptr_null (archive_select (archive, 0, SELECT_DGM, &random));
    ck_assert_int_eq (s_put (archive, 0, 1, 1, NULL), 0);
    ck_assert_ptr_null (archive_select (archive, 0, SELECT_DGM, &random));
    ck_assert_ptr_null (archive_select (archive, 0, SELECT_RANDOM, &random));
    s_add (archive, 2, 1, 1, 1);
    ck_assert_ptr_eq (archive_select (archive, 0, SELECT_DGM, &random), s_find (archive, 2));
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
        ck_assert_ptr_eq (archive_select (archive, 0, SELECT_DGM, &random), s_find (archive, 0));
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
        ck_assert_ptr_eq (entry, s_at (archive, i));
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
    archive_t *archive = s_new ();
    s_add (archive, 0, 0, 1, 1);
    metrics_t wrong[] = {metrics_two (NAN, 1), metrics_two (1, INFINITY), metrics_one (1)};
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq (s_put (archive, 0, i + 1, 0, &wrong[i]), ERROR_INPUT);
    ck_assert_uint_eq (archive_count (archive), 1);
    ck_assert_uint_eq (s_find (archive, 0)->children, 0);
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_what_is_past_a_limit_is_behind_all_that_is_not)
{
    objectives_t objectives = s_objectives ();
    objectives.items[0].has_limit = true;
    objectives.items[0].limit = 8;
    archive_t *archive = archive_new (&objectives);
    s_add (archive, 0, 0, 12, 1);
    s_add (archive, 1, 0, 10, 9); /* nearer to the limit */
    ck_assert_ptr_eq (s_best (archive), s_find (archive, 1));
    s_add (archive, 2, 0, 8, 0.5); /* keeps to it */
    s_add (archive, 3, 0, 9, 90);
    ck_assert_ptr_eq (s_best (archive), s_find (archive, 2));
    ck_assert_uint_eq (archive_front_count (archive), 1);
    random_t random;
    random_init_number (&random, 18);
    for (int i = 0; i < 500; i++)
        ck_assert_ptr_eq (archive_select (archive, 0, SELECT_DGM, &random), s_find (archive, 2));
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_twins_are_found_by_their_tokens)
{
    archive_t *archive = s_new ();
    digest_t tokens = s_id (1000), none = {{0}};
    archive_candidate_t first = {.id = s_id (1), .tokens = tokens},
                        second = {.id = s_id (2), .tokens = tokens};
    ck_assert_ptr_null (archive_twin (archive, &tokens));
    ck_assert_int_eq (archive_add (archive, &first), 0);
    ck_assert_int_eq (archive_add (archive, &second), 0);
    for (size_t i = 10; i < 500; i++) /* tables grow meanwhile */
        ck_assert_int_eq (s_put (archive, 0, i, i, NULL), 0);
    ck_assert_ptr_eq (archive_twin (archive, &tokens), s_find (archive, 1));
    ck_assert_ptr_null (archive_twin (archive, &none));
    archive_destroy (&archive);
}
END_TEST

/* `count` islands with one root; `interval` candidates between migrations of a quarter. */
static archive_t *s_islands (size_t count, size_t interval)
{
    archive_t *archive = s_new ();
    islands_t islands = {count, interval, 0.25};
    ck_assert_int_eq (archive_settle (archive, &islands), 0);
    ck_assert_uint_eq (archive_islands (archive), count);
    s_add (archive, 0, 0, 100, 100);
    return archive;
}

static void s_add_on (archive_t *archive, size_t island, size_t number, double a)
{
    metrics_t metrics = metrics_two (a, 100);
    ck_assert_int_eq (s_put (archive, island, number, 0, &metrics), 0);
}

START_TEST (test_parents_come_from_their_island_alone)
{
    archive_t *archive = s_islands (3, 1000000);
    for (size_t i = 1; i <= 60; i++)
        s_add_on (archive, i % 3, i, 100 - (double)i);
    static const selection_t ways[] = {SELECT_DGM, SELECT_PARETO, SELECT_TOURNAMENT, SELECT_BEST,
                                       SELECT_RANDOM};
    random_t random;
    random_init_number (&random, 19);
    for (size_t i = 0; i < 3000; i++) {
        const archive_entry_t *parent = archive_select (archive, i % 3, ways[i % 5], &random);
        ck_assert (parent->islands & (1U << i % 3));
        ck_assert (parent == s_find (archive, 0) || parent->home == i % 3);
    }
    for (size_t island = 0; island < 3; island++)
        ck_assert_ptr_eq (archive_select (archive, island, SELECT_BEST, &random),
                          s_find (archive, island == 0 ? 60 : 57 + island));
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_a_good_candidate_arrives_on_the_next_island_round_the_ring)
{
    archive_t *archive = s_islands (3, 10);
    random_t random;
    random_init_number (&random, 20);
    s_add_on (archive, 1, 1, 5); /* far better than all that follows */
    for (size_t i = 2; i <= 8; i++)
        s_add_on (archive, i % 3, i, 90 + (double)i);
    const unsigned island_1 = 1U << 1, island_2 = 1U << 2, island_0 = 1U << 0;
    ck_assert_uint_eq (s_find (archive, 1)->islands, island_1);
    s_add_on (archive, 0, 9, 99); /* the tenth with the root: one step on, not two */
    ck_assert_uint_eq (s_find (archive, 1)->islands, island_1 | island_2);
    ck_assert_ptr_eq (archive_select (archive, 2, SELECT_BEST, &random), s_find (archive, 1));
    ck_assert_ptr_ne (archive_select (archive, 0, SELECT_BEST, &random), s_find (archive, 1));
    for (size_t i = 10; i < 20; i++)
        s_add_on (archive, i % 3, i, 90 + (double)i);
    ck_assert_uint_eq (s_find (archive, 1)->islands, island_0 | island_1 | island_2);
    ck_assert_ptr_eq (archive_select (archive, 0, SELECT_BEST, &random), s_find (archive, 1));
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_as_many_migrate_as_the_fraction_says)
{
    archive_t *archive = s_islands (2, 41);
    for (size_t i = 1; i <= 40; i++)
        s_add_on (archive, 1, i, 100 - (double)i);
    for (size_t i = 1; i <= 40; i++) /* a quarter of 41, the root among them: the ten best */
        ck_assert_uint_eq (s_find (archive, i)->islands, i > 30 ? 1U << 0 | 1U << 1 : 1U << 1);
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_nobody_migrates_where_the_fraction_is_nothing)
{
    archive_t *archive = s_islands (2, 1);
    islands_t still = {2, 1, 0};
    ck_assert_int_eq (archive_settle (archive, &still), 0);
    for (size_t i = 1; i <= 100; i++) {
        s_add_on (archive, i % 2, i, 100 - (double)i);
        ck_assert_uint_eq (s_find (archive, i)->islands, 1U << i % 2);
    }
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_islands_that_are_more_or_fewer_are_settled_anew)
{
    archive_t *archive = s_islands (1, 1000000);
    random_t random;
    random_init_number (&random, 21);
    for (size_t i = 1; i <= 200; i++)
        s_add_on (archive, 0, i, 100 - (double)i / 10);
    islands_t four = {4, 1000000, 0.1}, two = {2, 1000000, 0.1};
    ck_assert_int_eq (archive_settle (archive, &four), 0);
    ck_assert_ptr_eq (archive_select (archive, 3, SELECT_DGM, &random), s_find (archive, 0)); /* the root */
    for (size_t i = 201; i <= 210; i++)
        s_add_on (archive, 3, i, 50);
    ck_assert_uint_eq (s_find (archive, 205)->islands, 1U << 3);
    ck_assert_int_eq (archive_settle (archive, &two), 0);
    ck_assert_uint_eq (s_find (archive, 205)->islands, 1U << 1);
    ck_assert_uint_eq (s_find (archive, 100)->islands, 1U << 0);
    ck_assert_uint_eq (s_find (archive, 0)->islands, 3U);
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_inspirations_are_the_best_and_what_is_far_from_them)
{
    archive_t *archive = s_new ();
    for (size_t i = 0; i <= 100; i++) /* a front from corner to corner, weighed alike at its ends */
        s_add (archive, i, 0, 50 + (double)i, 50 + (double)i);
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
    archive_t *archive = s_new ();
    for (size_t i = 0; i < 20; i++)
        s_add (archive, i, 0, i < 10 ? 5 : 6, 1);
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
    archive_t *archive = s_new ();
    for (size_t i = 0; i < COUNT; i++) {
        size_t place = i * 7919 % COUNT; /* in no order */
        s_add (archive, i, 0, 1 + (double)place, 1 + (double)place);
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
    archive_t *archive = s_new ();
    double best = 0;
    for (size_t i = 0; i < SPREAD; i++)
        s_add (archive, i, 0, 1000 + 10 * (double)i, 1000 + 10 * (double)i);
    for (size_t i = 0; i < CROWD; i++) { /* all between two of them */
        double at = 1005 + 0.001 * (double)i;
        best = i == CROWD / 4 ? at : best;
        s_add (archive, SPREAD + i, 0, at, i == CROWD / 4 ? at + 0.0005 : at);
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
    archive_t *archive = s_new ();
    s_add (archive, 0, 0, 100, 1);
    for (size_t i = 1; i < COUNT; i++)
        s_add (archive, i, i, 98, 1);    /* 1 % each: the best there are */
    s_add (archive, COUNT, COUNT, 1, 1); /* and one of 49.5 % */
    for (size_t i = 1; i < 8; i++)
        s_add (archive, COUNT + i, COUNT + i, 120, 1); /* time passes */
    random_t random;
    random_init_number (&random, 22);
    double share = 0.01 / 0.495, weight = COUNT / (1 + exp (-10 * (share - 0.5)));
    double best = 1 / (1 + exp (-5.0)), expected = 20000 * best / (best + weight);
    unsigned picked = 0;
    for (int i = 0; i < 20000; i++)
        picked += archive_select (archive, 0, SELECT_DGM, &random) == s_find (archive, COUNT);
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
            test_twins_are_found_by_their_tokens, test_parents_come_from_their_island_alone,
            test_a_good_candidate_arrives_on_the_next_island_round_the_ring,
            test_as_many_migrate_as_the_fraction_says, test_nobody_migrates_where_the_fraction_is_nothing,
            test_islands_that_are_more_or_fewer_are_settled_anew,
            test_inspirations_are_the_best_and_what_is_far_from_them, test_the_same_figures_inspire_once,
            test_a_front_has_a_bound_and_keeps_its_ends_and_the_best,
            test_the_best_stays_on_the_front_in_whatever_crowd_it_is, test_a_new_best_reweighs_all_in_the_end)
