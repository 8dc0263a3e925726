/* SPDX-License-Identifier: MPL-2.0 */
/* What an own proposer made: what is the same but for comments isn't measured again, and the front's hypervolume grows. */
#include "tests/lib/rig.h"
#include "tests/lib/suite.h"

#include <math.h>

static rig_t *s_rig (void)
{
    rig_t *rig = rig_found (1, NULL);
    rig->proposers = 1;
    rig_start (rig);
    rig_settle (rig);
    ck_assert_uint_ge (rig->nodes[0].proposal_count, 1);
    return rig;
}

/* The proposer that was asked last comes with that candidate, crossed with `second` (zero: with none); `says` what its files say. */
static void s_cross (rig_t *rig, const char *text, double cost, const digest_t *second, const digest_t *says)
{
    const digest_t *id = rig_candidate (rig, text, cost, 0);
    ck_assert_uint_gt (rig->nodes[0].proposal_count, 0);
    event_t event = {.kind = EVENT_PROPOSED};
    event.as.proposed.operation = rig->nodes[0].proposals[rig->nodes[0].proposal_count - 1];
    event.as.proposed.parent = rig->nodes[0].current;
    event.as.proposed.second_parent = *second;
    event.as.proposed.says = *says;
    for (size_t i = 0; i < rig->tree_count; i++)
        if (digest_equal (&rig->trees[i].id, id))
            event.as.proposed.tree = (bytes_t){rig->trees[i].tree.data, rig->trees[i].tree.size};
    rig_event (rig, 0, event);
    rig_settle (rig);
    rig_pass (rig, 60000); /* the proposer is asked again after a while */
}

static void s_propose (rig_t *rig, const char *text, double cost, const digest_t *says)
{
    static const digest_t none;
    s_cross (rig, text, cost, &none, says);
}

static node_status_t s_status (const rig_t *rig)
{
    node_status_t status;
    node_status (rig->nodes[0].node, &status);
    return status;
}

START_TEST (what_differs_by_comments_alone_is_not_measured_again)
{
    rig_t *rig = s_rig ();
    digest_t says = {{7}}, nothing = {{0}};
    s_propose (rig, "worse", 1.2, &says);
    node_status_t before = s_status (rig);
    s_propose (rig, "worse+commented", 0.1, &says);
    node_status_t after = s_status (rig);
    ck_assert_uint_eq (after.proposed, before.proposed + 1);
    ck_assert_uint_eq (after.duplicates, before.duplicates + 1);
    ck_assert_uint_eq (after.evaluations, before.evaluations);
    ck_assert_uint_eq (after.candidates, before.candidates);
    ck_assert_int_eq (rig->rows[rig->row_count - 1].reason, REASON_DUPLICATE);
    const rig_lineage_t *kept = rig_lineage (rig, 0, &rig->rows[rig->row_count - 1].candidate);
    ck_assert_ptr_nonnull (kept); /* so proposers are told that it is as good as what it is the same as */
    ck_assert_double_eq (kept->cost, 1.2);
    s_propose (rig, "another", 1.3, &nothing);
    s_propose (rig, "yet+another", 1.4, &nothing); /* of both nothing is known */
    ck_assert_uint_eq (s_status (rig).duplicates, after.duplicates);
    rig_destroy (&rig);
}
END_TEST

START_TEST (the_hypervolume_of_the_front_is_told_against_the_start)
{
    rig_t *rig = s_rig ();
    digest_t nothing = {{0}};
    metrics_t reference;
    size_t points;
    ck_assert_double_eq (node_hypervolume (rig->nodes[0].node, &reference, &points), 0);
    s_propose (rig, "better", 0.75, &nothing);
    double volume = node_hypervolume (rig->nodes[0].node, &reference, &points);
    ck_assert_double_eq (reference.values[0], 1);
    ck_assert_uint_eq (points, 1);
    ck_assert_double_eq_tol (volume, 0.25, 1e-12);
    rig_destroy (&rig);
}
END_TEST

/* A node with so many slots, whose proposer found something better; its snapshot is being taken. */
static rig_t *s_rig_in_snapshot (uint64_t slots)
{
    digest_t nothing = {{0}};
    rig_t *rig = rig_found (1, NULL);
    rig->proposers = 1;
    rig->slots = slots;
    rig_start (rig);
    rig_settle (rig);
    rig->nodes[0].rules.hold_snapshots = true;
    s_propose (rig, "better", 0.75, &nothing);
    ck_assert_uint_eq (s_status (rig).in_state[STATE_SNAPSHOT], 1);
    return rig;
}

START_TEST (with_one_slot_nothing_is_proposed_while_the_live_release_changes)
{
    rig_t *rig = s_rig_in_snapshot (1);
    ck_assert_uint_eq (rig->nodes[0].proposal_count, 1);
    rig_release (rig, 0);
    rig_settle (rig);
    ck_assert_uint_eq (s_status (rig).applied, 1);
    ck_assert_uint_eq (rig->nodes[0].proposal_count, 2);
    rig_destroy (&rig);
    rig = s_rig_in_snapshot (2); /* with more the search goes on */
    ck_assert_uint_eq (rig->nodes[0].proposal_count, 3);
    rig_destroy (&rig);
}
END_TEST

START_TEST (the_archive_s_digest_follows_what_was_measured_and_not_who_measured_it)
{
    static const double costs[] = {1.2, 1.2, 1.3};
    digest_t digests[3], nothing = {{0}};
    for (size_t i = 0; i < 3; i++) {
        rig_t *rig = s_rig ();
        digest_t before = s_status (rig).archive_digest;
        s_propose (rig, "one", costs[i], &nothing);
        digests[i] = s_status (rig).archive_digest;
        ck_assert (!digest_equal (&digests[i], &before));
        rig_restart (rig, 0); /* its journal comes to the same */
        digest_t again = s_status (rig).archive_digest;
        ck_assert (digest_equal (&again, &digests[i]));
        rig_destroy (&rig);
    }
    ck_assert (digest_equal (&digests[0], &digests[1]));
    ck_assert (!digest_equal (&digests[0], &digests[2]));
}
END_TEST

START_TEST (what_noise_measured_is_not_in_the_archive_s_digest)
{
    static const double costs[] = {1.2, 1.3};
    digest_t digests[2], nothing = {{0}};
    for (size_t i = 0; i < 2; i++) {
        rig_t *rig = rig_found (1, NULL);
        rig->proposers = 1;
        rig->noisy = true;
        rig_start (rig);
        rig_settle (rig);
        s_propose (rig, "one", costs[i], &nothing);
        ck_assert_uint_eq (s_status (rig).candidates, 2);
        digests[i] = s_status (rig).archive_digest;
        rig_destroy (&rig);
    }
    ck_assert (digest_equal (&digests[0], &digests[1]));
}
END_TEST

/* The archive's digest after two candidates, the later crossed with `second` (NULL: with the earlier). */
static digest_t s_digest_of_crossing (const digest_t *second)
{
    rig_t *rig = s_rig ();
    digest_t nothing = {{0}}, other = *rig_candidate (rig, "other", 1.2, 0);
    s_propose (rig, "other", 1.2, &nothing);
    s_cross (rig, "child", 1.3, second == NULL ? &other : second, &nothing);
    digest_t live = s_status (rig).archive_digest;
    rig_restart (rig, 0);
    digest_t again = s_status (rig).archive_digest;
    ck_assert (digest_equal (&live, &again)); /* its journal comes to the same */
    rig_destroy (&rig);
    return live;
}

START_TEST (a_second_parent_is_part_of_the_lineage)
{
    digest_t nothing = {{0}}, child, other, alone = s_digest_of_crossing (&nothing),
             crossed = s_digest_of_crossing (NULL), again = s_digest_of_crossing (NULL);
    ck_assert (!digest_equal (&alone, &crossed));
    ck_assert (digest_equal (&crossed, &again));
    rig_t *rig = s_rig ();
    other = *rig_candidate (rig, "other", 1.2, 0);
    child = *rig_candidate (rig, "child", 1.3, 0);
    s_propose (rig, "other", 1.2, &nothing);
    s_cross (rig, "child", 1.3, &other, &nothing);
    const rig_lineage_t *lineage = rig_lineage (rig, 0, &child);
    ck_assert_ptr_nonnull (lineage);
    ck_assert (digest_equal (&lineage->parents[0], &rig->nodes[0].current));
    ck_assert (digest_equal (&lineage->parents[1], &other));
    rig_destroy (&rig);
}
END_TEST

/* Four candidates, of which the first is twice as good as its parent, two are the same as theirs, and one is worse. */
static void s_expect_learning (bool noisy)
{
    const double after_leap = 0.1 * 1.1 * 1.05;
    rig_t *rig = rig_found (1, NULL);
    digest_t nothing = {{0}};
    rig->proposers = 1;
    rig->noisy = noisy;
    rig_start (rig);
    rig_settle (rig);
    ck_assert_double_eq (s_status (rig).learning_rate, 0.1);
    s_propose (rig, "better", 0.5, &nothing);
    ck_assert (digest_equal (&rig->nodes[0].current, rig_candidate (rig, "better", 0.5, 0)));
    ck_assert_double_eq_tol (s_status (rig).learning_rate, after_leap,
                             1e-12); /* once, though noise is measured twice */
    s_propose (rig, "same", 0.5, &nothing);
    s_propose (rig, "same+again", 0.5, &nothing);
    ck_assert_double_eq_tol (s_status (rig).success_rate, 1.0 / 3, 1e-12);
    ck_assert_double_eq_tol (s_status (rig).learning_rate, after_leap, 1e-12);
    s_propose (rig, "worse", 2, &nothing);
    ck_assert_double_eq_tol (s_status (rig).success_rate, 1.0 / 4, 1e-12);
    ck_assert_double_eq_tol (s_status (rig).learning_rate, 0.8 * after_leap, 1e-12);
    rig_restart (rig, 0);
    ck_assert_double_eq_tol (s_status (rig).learning_rate, 0.8 * after_leap, 1e-12);
    rig_destroy (&rig);
}

START_TEST (the_learning_rate_follows_what_is_better_than_its_parent)
{
    s_expect_learning (false);
}
END_TEST

START_TEST (what_pairs_show_of_noise_counts_for_the_learning_rate)
{
    s_expect_learning (true);
}
END_TEST

SUITE_MAIN ("node/propose", the_learning_rate_follows_what_is_better_than_its_parent,
            what_pairs_show_of_noise_counts_for_the_learning_rate,
            with_one_slot_nothing_is_proposed_while_the_live_release_changes,
            the_archive_s_digest_follows_what_was_measured_and_not_who_measured_it,
            what_noise_measured_is_not_in_the_archive_s_digest, a_second_parent_is_part_of_the_lineage,
            what_differs_by_comments_alone_is_not_measured_again,
            the_hypervolume_of_the_front_is_told_against_the_start)
