/* SPDX-License-Identifier: MPL-2.0 */
/* A node in a checkpoint. That what is loaded steps like what was saved, the rig checks at each event of each scenario of the core
 * (tests/lib/rig_twin.c); here are the state in which most is under way, and bytes that are damaged. */
#include <stdlib.h>

#include "tests/lib/rig.h"
#include "tests/lib/suite.h"

/* A group in the middle of everything: measured and refused candidates, one applied and shared, one rolled back, jobs for peers, parcels
 * and runs under way, words that wait for a member that is gone. */
static rig_t *s_busy (void)
{
    rig_t *rig = rig_found (3, NULL);
    rig->proposers = 2;
    rig_start (rig);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0), worse = *rig_candidate (rig, "worse", 1.1, 0);
    ck_assert (rig_propose (rig, 0, &worse));
    rig_settle (rig);
    ck_assert (rig_propose (rig, 0, &better));
    rig_settle (rig);
    rig->nodes[2].rules.deaf = true;
    rig->nodes[1].rules.hold_evaluations = true;
    digest_t best = *rig_candidate (rig, "best", 0.8, 0), other = *rig_candidate (rig, "other", 0.7, 0);
    ck_assert (rig_propose (rig, 0, &best));
    ck_assert (rig_propose (rig, 1, &other));
    rig_settle (rig);
    return rig;
}

static buffer_t s_saved (const rig_t *rig, size_t k)
{
    buffer_t saved = {0};
    node_save (rig->nodes[k].node, &saved);
    ck_assert (!saved.failed);
    return saved;
}

static int s_load (const rig_t *rig, size_t k, const uint8_t *data, size_t size)
{
    node_t *node = NULL;
    int rc = node_load (&rig->nodes[k].identity, data, size, &node);
    ck_assert ((rc == 0) == (node != NULL));
    node_destroy (&node);
    return rc;
}

START_TEST (a_busy_node_that_is_saved_and_loaded_says_the_same_of_itself)
{
    rig_t *rig = s_busy ();
    for (size_t k = 0; k < 3; k++) {
        buffer_t saved = s_saved (rig, k), again = {0};
        node_t *node = NULL;
        ck_assert_int_eq (node_load (&rig->nodes[k].identity, saved.data, saved.size, &node), 0);
        node_save (node, &again);
        ck_assert_mem_eq (again.data, saved.data, saved.size);
        ck_assert_uint_eq (again.size, saved.size);
        digest_t before = node_digest (rig->nodes[k].node), after = node_digest (node);
        ck_assert (digest_equal (&before, &after));
        ck_assert_uint_eq (node_deadline_ms (node), node_deadline_ms (rig->nodes[k].node));
        buffer_clear (&saved);
        buffer_clear (&again);
        node_destroy (&node);
    }
    rig->nodes[2].rules.deaf = false;
    rig_release (rig, 1);
    rig_pass (rig, 60000); /* and goes on to the end, each step as its twin's */
    rig_destroy (&rig);
}
END_TEST

START_TEST (bytes_that_are_cut_or_followed_by_more_are_refused)
{
    rig_t *rig = s_busy ();
    buffer_t saved = s_saved (rig, 0);
    for (size_t size = 0; size < saved.size; size += size < 2000 ? 1 : 97) {
        uint8_t *exact = malloc (size + 1); /* so that a read beyond is seen */
        ck_assert_ptr_nonnull (exact);
        memcpy (exact, saved.data, size);
        ck_assert_int_ne (s_load (rig, 0, exact, size), 0);
        free (exact);
    }
    buffer_append (&saved, "\0", 1);
    ck_assert_int_eq (s_load (rig, 0, saved.data, saved.size), ERROR_MALFORMED);
    buffer_clear (&saved);
    rig_destroy (&rig);
}
END_TEST

START_TEST (another_version_and_another_node_are_refused)
{
    rig_t *rig = s_busy ();
    buffer_t saved = s_saved (rig, 0);
    ck_assert_int_eq (s_load (rig, 1, saved.data, saved.size), ERROR_MALFORMED);
    saved.data[0]++; /* the version stands first */
    ck_assert_int_eq (s_load (rig, 0, saved.data, saved.size), ERROR_VERSION);
    buffer_clear (&saved);
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_damaged_byte_is_refused_or_gives_a_node_that_can_be_saved)
{
    rig_t *rig = s_busy ();
    buffer_t saved = s_saved (rig, 0);
    for (size_t at = 0; at < saved.size; at += 3) {
        node_t *node = NULL;
        saved.data[at] ^= (uint8_t)(1 + at % 255);
        if (node_load (&rig->nodes[0].identity, saved.data, saved.size, &node) == 0) {
            buffer_t again = {0};
            node_save (node, &again);
            ck_assert_uint_eq (again.size, saved.size);
            buffer_clear (&again);
        }
        node_destroy (&node);
        saved.data[at] ^= (uint8_t)(1 + at % 255);
    }
    buffer_clear (&saved);
    rig_destroy (&rig);
}
END_TEST

SUITE_MAIN ("node image", a_busy_node_that_is_saved_and_loaded_says_the_same_of_itself,
            bytes_that_are_cut_or_followed_by_more_are_refused, another_version_and_another_node_are_refused,
            a_damaged_byte_is_refused_or_gives_a_node_that_can_be_saved)
