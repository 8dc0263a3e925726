/* SPDX-License-Identifier: MPL-2.0 */
/* Candidates whose files are dropped: never such as matter, and never chosen again. And the archive in a checkpoint. */
#include "tests/unit/evolution/archive_fixture.h"

#include <string.h>

#define MANY 400

/* Candidates of made-up figures on two islands, each a child of one before; every seventh is invalid. */
static archive_t *s_filled (size_t count)
{
    objectives_t objectives = archive_objectives ();
    archive_t *archive = archive_new (&objectives);
    islands_t islands = {2, 50, 0.1};
    random_t random;
    ck_assert_ptr_nonnull (archive);
    ck_assert_int_eq (archive_settle (archive, &islands), 0);
    random_init_number (&random, 5);
    for (size_t i = 0; i < count; i++) {
        metrics_t metrics = metrics_two (1 + random_unit (&random), 1 + random_unit (&random));
        bool valid = i % 7 != 3;
        archive_candidate_t candidate = {
            .id = candidate_id (i),
            .tokens = candidate_id (i + 100000),
            .parents = {candidate_id (i > 0 ? (size_t)random_below (&random, i) : 0)},
            .parent_count = i > 0,
            .island = i == 0 ? ARCHIVE_EVERYWHERE : i % 2,
            .valid = valid,
            .metrics = valid ? &metrics : NULL};
        ck_assert_int_eq (archive_add (archive, &candidate), 0);
    }
    return archive;
}

static bool s_is_ranked (const archive_t *archive, uint32_t index)
{
    for (size_t i = 0; i < archive->settings.count; i++)
        for (size_t k = 0; k < archive->islands[i].elite_count; k++)
            if (archive->islands[i].elite[k].entry == index)
                return true;
    return false;
}

START_TEST (the_oldest_go_first_but_none_that_matters)
{
    archive_t *archive = s_filled (MANY);
    digest_t dropped[MANY], spared[2] = {candidate_id (20), candidate_id (21)}, pinned = candidate_id (22);
    archive_pin (archive, &pinned);
    ck_assert_uint_eq (archive_drop (archive, spared, 2, 50, dropped), 50);
    ck_assert_uint_eq (archive_kept (archive), MANY - 50);
    size_t last = 0;
    for (size_t i = 0; i < 50; i++) {
        const archive_entry_t *entry = archive_find (archive, &dropped[i]);
        size_t index = (size_t)(entry - archive->entries);
        ck_assert (entry != NULL && entry->dropped && entry->islands == 0);
        ck_assert (i == 0 || index > last);
        last = index;
    }
    for (size_t i = 0; i < last; i++) /* who was passed over had a reason to stay */
        ck_assert (archive->entries[i].dropped || archive->entries[i].on_front || i == 0 ||
                   s_is_ranked (archive, (uint32_t)i) || (i >= 20 && i <= 22));
    size_t all = archive_drop (archive, NULL, 0, MANY, dropped);
    ck_assert_uint_lt (all, MANY - 50);
    ck_assert_uint_eq (archive_drop (archive, NULL, 0, MANY, dropped), 0);
    for (size_t i = 0; i < MANY; i++) {
        const archive_entry_t *entry = &archive->entries[i];
        bool stays = entry->on_front || i == archive->root || i == archive->best || entry->pinned ||
                     s_is_ranked (archive, (uint32_t)i);
        ck_assert (entry->dropped == !stays);
    }
    archive_destroy (&archive);
}
END_TEST

START_TEST (who_was_dropped_is_known_and_never_chosen)
{
    static const selection_t ways[] = {SELECT_DGM, SELECT_PARETO, SELECT_TOURNAMENT, SELECT_BEST,
                                       SELECT_RANDOM};
    archive_t *archive = s_filled (MANY);
    digest_t dropped[MANY];
    random_t random;
    size_t count = archive_drop (archive, NULL, 0, 150, dropped);
    random_init_number (&random, 6);
    for (size_t i = 0; i < 2000; i++) {
        const archive_entry_t *chosen =
            archive_select (archive, i % 2, ways[i % (sizeof ways / sizeof ways[0])], &random);
        ck_assert (chosen != NULL && !chosen->dropped);
    }
    islands_t more = {3, 50, 0.1};
    ck_assert_int_eq (archive_settle (archive, &more), 0); /* nobody comes back by a new division */
    for (size_t i = 0; i < count; i++) {
        digest_t tokens = archive_find (archive, &dropped[i])->tokens;
        ck_assert_uint_eq (archive_find (archive, &dropped[i])->islands, 0);
        ck_assert_ptr_nonnull (archive_twin (archive, &tokens));
        archive_candidate_t again = {.id = dropped[i]};
        ck_assert_int_eq (archive_add (archive, &again), ERROR_CONFLICT);
    }
    archive_destroy (&archive);
}
END_TEST

static buffer_t s_saved (archive_t *archive)
{
    buffer_t saved = {0};
    image_t image = image_to (&saved);
    archive_image (archive, &image);
    ck_assert_int_eq (image_end (&image), 0);
    return saved;
}

START_TEST (an_archive_that_is_saved_and_loaded_goes_on_the_same)
{
    archive_t *archive = s_filled (MANY);
    digest_t dropped[MANY];
    archive_drop (archive, NULL, 0, 100, dropped);
    buffer_t saved = s_saved (archive);
    objectives_t objectives = archive_objectives ();
    archive_t *loaded = archive_new (&objectives);
    image_t image = image_from (saved.data, saved.size);
    archive_image (loaded, &image);
    ck_assert_int_eq (image_end (&image), 0);
    ck_assert_uint_eq (archive_kept (loaded), MANY - 100);
    random_t one, other;
    random_init_number (&one, 7);
    random_init_number (&other, 7);
    for (size_t i = 0; i < 500; i++) {
        metrics_t metrics = metrics_two (1 - (double)i / 1000, 1.5);
        archive_candidate_t candidate = {.id = candidate_id (MANY + i),
                                         .parent_count = 1,
                                         .island = i % 2,
                                         .valid = true,
                                         .metrics = &metrics};
        const archive_entry_t *a = archive_select (archive, i % 2, SELECT_DGM, &one);
        const archive_entry_t *b = archive_select (loaded, i % 2, SELECT_DGM, &other);
        ck_assert (digest_equal (&a->id, &b->id));
        candidate.parents[0] = a->id;
        ck_assert_int_eq (archive_add (archive, &candidate), 0);
        ck_assert_int_eq (archive_add (loaded, &candidate), 0);
    }
    buffer_t first = s_saved (archive), second = s_saved (loaded);
    ck_assert_uint_eq (first.size, second.size);
    ck_assert_mem_eq (first.data, second.data, first.size);
    buffer_clear (&saved);
    buffer_clear (&first);
    buffer_clear (&second);
    archive_destroy (&archive);
    archive_destroy (&loaded);
}
END_TEST

START_TEST (test_what_is_made_of_what_was_withdrawn_is_withdrawn)
{
    archive_t *archive = archive_fixture ();
    for (size_t i = 0; i < 6; i++) /* a chain */
        archive_put_everywhere (archive, i, i > 0 ? i - 1 : 0, 10, 10 + (double)i);
    archive_put_everywhere (archive, 6, 1, 10, 20);
    digest_t third = candidate_id (3), fourth = candidate_id (4), absent = candidate_id (99);
    archive_withdraw (archive, &absent);
    archive_withdraw (archive, &third);
    archive_put_everywhere (archive, 7, 5, 10, 30);
    for (size_t i = 0; i < 8; i++)
        ck_assert_int_eq (archive_candidate (archive, i)->withdrawn, i == 3 || i == 4 || i == 5 || i == 7);
    archive_readmit (archive, &fourth);
    archive_put_everywhere (archive, 8, 4, 10, 40);
    ck_assert (!archive_candidate (archive, 4)->withdrawn && !archive_candidate (archive, 8)->withdrawn);
    digest_t sixth = candidate_id (6); /* another, of which they are not made */
    archive_withdraw (archive, &sixth);
    ck_assert (archive_candidate (archive, 6)->withdrawn);
    ck_assert (!archive_candidate (archive, 4)->withdrawn && !archive_candidate (archive, 8)->withdrawn);
    ck_assert (archive_candidate (archive, 5)->withdrawn &&
               archive_candidate (archive, 7)->on_front == false);
    archive_destroy (&archive);
}
END_TEST

SUITE_MAIN ("archive drop", test_what_is_made_of_what_was_withdrawn_is_withdrawn,
            the_oldest_go_first_but_none_that_matters, who_was_dropped_is_known_and_never_chosen,
            an_archive_that_is_saved_and_loaded_goes_on_the_same)
