/* SPDX-License-Identifier: MPL-2.0 */
/* Islands: who breeds where, who migrates, and what becomes of them when they are more or fewer. */
#include "tests/unit/evolution/archive_fixture.h"

/* `count` islands with one root; `interval` candidates between migrations of a quarter. */
static archive_t *s_islands (size_t count, size_t interval)
{
    archive_t *archive = archive_fixture ();
    islands_t islands = {count, interval, 0.25};
    ck_assert_int_eq (archive_settle (archive, &islands), 0);
    ck_assert_uint_eq (archive_islands (archive), count);
    archive_put_everywhere (archive, 0, 0, 100, 100);
    return archive;
}

static void s_add_on (archive_t *archive, size_t island, size_t number, double a)
{
    metrics_t metrics = metrics_two (a, 100);
    ck_assert_int_eq (archive_put (archive, island, number, 0, &metrics), 0);
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
        ck_assert (parent == archive_candidate (archive, 0) || parent->home == i % 3);
    }
    for (size_t island = 0; island < 3; island++)
        ck_assert_ptr_eq (archive_select (archive, island, SELECT_BEST, &random),
                          archive_candidate (archive, island == 0 ? 60 : 57 + island));
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
    ck_assert_uint_eq (archive_candidate (archive, 1)->islands, island_1);
    s_add_on (archive, 0, 9, 99); /* the tenth with the root: one step on, not two */
    ck_assert_uint_eq (archive_candidate (archive, 1)->islands, island_1 | island_2);
    ck_assert_ptr_eq (archive_select (archive, 2, SELECT_BEST, &random), archive_candidate (archive, 1));
    ck_assert_ptr_ne (archive_select (archive, 0, SELECT_BEST, &random), archive_candidate (archive, 1));
    for (size_t i = 10; i < 20; i++)
        s_add_on (archive, i % 3, i, 90 + (double)i);
    ck_assert_uint_eq (archive_candidate (archive, 1)->islands, island_0 | island_1 | island_2);
    ck_assert_ptr_eq (archive_select (archive, 0, SELECT_BEST, &random), archive_candidate (archive, 1));
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_as_many_migrate_as_the_fraction_says)
{
    archive_t *archive = s_islands (2, 41);
    for (size_t i = 1; i <= 40; i++)
        s_add_on (archive, 1, i, 100 - (double)i);
    for (size_t i = 1; i <= 40; i++) /* a quarter of 41, the root among them: the ten best */
        ck_assert_uint_eq (archive_candidate (archive, i)->islands, i > 30 ? 1U << 0 | 1U << 1 : 1U << 1);
    archive_destroy (&archive);
}
END_TEST

START_TEST (test_after_a_migration_the_interval_begins_anew)
{
    archive_t *archive = s_islands (2, 10);
    for (size_t i = 1; i <= 9; i++) /* ten with the root */
        s_add_on (archive, 1, i, 100 - (double)i);
    ck_assert_uint_eq (archive_candidate (archive, 9)->islands, 1U << 0 | 1U << 1);
    for (size_t i = 10; i <= 19; i++) {
        ck_assert_uint_eq (archive_candidate (archive, i - 1)->islands,
                           i == 10 ? 1U << 0 | 1U << 1 : 1U << 1);
        s_add_on (archive, 1, i, 100 - (double)i);
    }
    ck_assert_uint_eq (archive_candidate (archive, 19)->islands, 1U << 0 | 1U << 1);
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
        ck_assert_uint_eq (archive_candidate (archive, i)->islands, 1U << i % 2);
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
    ck_assert_ptr_eq (archive_select (archive, 3, SELECT_DGM, &random),
                      archive_candidate (archive, 0)); /* the root */
    for (size_t i = 201; i <= 210; i++)
        s_add_on (archive, 3, i, 50);
    ck_assert_uint_eq (archive_candidate (archive, 205)->islands, 1U << 3);
    ck_assert_int_eq (archive_settle (archive, &two), 0);
    ck_assert_uint_eq (archive_candidate (archive, 205)->islands, 1U << 1);
    ck_assert_uint_eq (archive_candidate (archive, 100)->islands, 1U << 0);
    ck_assert_uint_eq (archive_candidate (archive, 0)->islands, 3U);
    archive_destroy (&archive);
}
END_TEST

SUITE_MAIN ("evolution/archive islands", test_parents_come_from_their_island_alone,
            test_a_good_candidate_arrives_on_the_next_island_round_the_ring,
            test_as_many_migrate_as_the_fraction_says, test_after_a_migration_the_interval_begins_anew,
            test_nobody_migrates_where_the_fraction_is_nothing,
            test_islands_that_are_more_or_fewer_are_settled_anew)
