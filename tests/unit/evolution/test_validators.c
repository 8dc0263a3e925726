/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/validators.h"
#include "tests/lib/suite.h"

#include <stdio.h>

#define MAX 5

/* A peer that is fit for performance validations of tuned parameters. */
static validator_t s_peer (uint8_t id, const char *platform, unsigned completed, unsigned failed)
{
    validator_t peer = {.connected = true,
                        .validation_types = VALIDATE_PERFORMANCE,
                        .completed = completed,
                        .failed = failed};
    peer.experience[IMPROVE_PARAMETER_TUNING] = completed;
    memset (peer.id.bytes, id, sizeof peer.id.bytes);
    snprintf (peer.platform, sizeof peer.platform, "%s", platform);
    return peer;
}

static size_t s_select_for (const validator_t *peers, size_t count, const char *candidate, size_t max,
                            size_t *chosen)
{
    digest_t id = digest_of (candidate, strlen (candidate)), roster = digest_of ("roster", 6);
    return validators_select (peers, count, VALIDATE_PERFORMANCE, IMPROVE_PARAMETER_TUNING, &id, &roster, max,
                              chosen);
}

static void s_expect (const validator_t *peers, size_t count, size_t max, const size_t *expected,
                      size_t expected_count)
{
    size_t chosen[LIMIT_MEMBERS];
    ck_assert_uint_eq (s_select_for (peers, count, "candidate", max, chosen), expected_count);
    for (size_t i = 0; i < expected_count; i++)
        ck_assert_msg (chosen[i] == expected[i], "place %zu: peer %zu, expected %zu", i, chosen[i],
                       expected[i]);
}

START_TEST (test_only_connected_and_capable_peers_are_chosen)
{
    validator_t peers[] = {s_peer (1, "p", 4, 0), s_peer (2, "p", 4, 0), s_peer (3, "p", 4, 0)};
    peers[0].connected = false;
    peers[1].validation_types = VALIDATE_SAFETY | VALIDATE_CORRECTNESS;
    peers[2].validation_types = VALIDATE_SAFETY | VALIDATE_PERFORMANCE;
    s_expect (peers, 3, MAX, (size_t[]){2}, 1);
    s_expect (peers, 2, MAX, NULL, 0);
    s_expect (peers, 0, MAX, NULL, 0);
}
END_TEST

START_TEST (test_experience_with_the_improvement_type_comes_first)
{
    validator_t peers[] = {s_peer (1, "a", 9, 0), s_peer (2, "b", 1, 1), s_peer (3, "c", 2, 0)};
    peers[0].experience[IMPROVE_PARAMETER_TUNING] = 0; /* a fine record, in other things */
    peers[0].experience[IMPROVE_ALGORITHM_MODIFICATION] = 9;
    s_expect (peers, 3, 2, (size_t[]){2, 1}, 2);
    s_expect (peers, 3, 3, (size_t[]){2, 1, 0}, 3); /* too few with experience: capability fills the places */
}
END_TEST

START_TEST (test_in_a_fresh_group_declared_capability_counts)
{
    validator_t peers[] = {s_peer (1, "a", 0, 0), s_peer (2, "b", 0, 0), s_peer (3, "c", 0, 0)};
    size_t chosen[3];
    ck_assert_uint_eq (s_select_for (peers, 3, "candidate", MAX, chosen), 3);
}
END_TEST

START_TEST (test_the_better_record_comes_first)
{
    validator_t peers[] = {s_peer (1, "a", 1, 3), s_peer (2, "b", 4, 0), s_peer (3, "c", 2, 2),
                           s_peer (4, "d", 30, 0)};
    s_expect (peers, 4, MAX, (size_t[]){3, 1, 2, 0}, 4);
}
END_TEST

START_TEST (test_platforms_are_spread)
{
    validator_t peers[] = {s_peer (1, "x", 30, 0), s_peer (2, "x", 20, 0), s_peer (3, "y", 10, 0),
                           s_peer (4, "x", 9, 0), s_peer (5, "z", 1, 9)};
    /* One of x, then y; the second of x is worth half, but more than a bad record on a platform of its own. */
    s_expect (peers, 5, 4, (size_t[]){0, 2, 1, 3}, 4);
}
END_TEST

START_TEST (test_ties_are_settled_by_the_candidate_and_not_by_the_order_of_peers)
{
    validator_t peers[8], turned[8];
    for (size_t i = 0; i < 8; i++) {
        peers[i] = s_peer ((uint8_t)(i + 1), "p", 3, 0);
        turned[7 - i] = peers[i];
    }
    size_t chosen[MAX], mirrored[MAX], another[MAX];
    bool moved = false;
    ck_assert_uint_eq (s_select_for (peers, 8, "candidate", MAX, chosen), MAX);
    ck_assert_uint_eq (s_select_for (turned, 8, "candidate", MAX, mirrored), MAX);
    ck_assert_uint_eq (s_select_for (peers, 8, "another", MAX, another), MAX);
    for (size_t i = 0; i < MAX; i++) {
        ck_assert_uint_eq (chosen[i], 7 - mirrored[i]);
        moved |= chosen[i] != another[i];
        for (size_t k = 0; k < i; k++)
            ck_assert_uint_ne (chosen[i], chosen[k]);
    }
    ck_assert (moved);
}
END_TEST

START_TEST (test_a_full_group_can_be_chosen_from)
{
    static validator_t peers[LIMIT_MEMBERS];
    size_t chosen[LIMIT_MEMBERS];
    for (size_t i = 0; i < LIMIT_MEMBERS; i++)
        peers[i] = s_peer ((uint8_t)i, i % 2 == 0 ? "a" : "b", 0, 0);
    ck_assert_uint_eq (s_select_for (peers, LIMIT_MEMBERS, "candidate", MAX, chosen), MAX);
    ck_assert_uint_eq (s_select_for (peers, LIMIT_MEMBERS, "candidate", LIMIT_MEMBERS, chosen),
                       LIMIT_MEMBERS);
}
END_TEST

static validation_outcome_t s_decide (unsigned asked, unsigned confirmed, unsigned refuted, unsigned declined,
                                      bool final)
{
    validation_tally_t tally = {asked, confirmed, refuted, declined};
    return validation_decide (&tally, 3, 0.7, final);
}

START_TEST (test_confirmation_takes_enough_and_a_share_of_70_percent)
{
    ck_assert_int_eq (s_decide (5, 3, 0, 0, true), VALIDATION_CONFIRMED);
    ck_assert_int_eq (s_decide (5, 3, 1, 1, true), VALIDATION_CONFIRMED); /* 0.75 */
    ck_assert_int_eq (s_decide (5, 3, 2, 0, true), VALIDATION_REFUTED);   /* 0.6 */
    ck_assert_int_eq (s_decide (10, 7, 3, 0, true), VALIDATION_CONFIRMED);
    ck_assert_int_eq (s_decide (100, 69, 31, 0, true), VALIDATION_REFUTED);
    ck_assert_int_eq (s_decide (100, 70, 30, 0, true), VALIDATION_CONFIRMED);
    ck_assert_int_eq (s_decide (100, 71, 29, 0, true), VALIDATION_CONFIRMED);
    ck_assert_int_eq (s_decide (5, 2, 0, 3, true), VALIDATION_REFUTED);
}
END_TEST

START_TEST (test_silence_and_refusal_are_no_agreement)
{
    ck_assert_int_eq (s_decide (5, 0, 0, 0, true), VALIDATION_REFUTED);
    ck_assert_int_eq (s_decide (5, 0, 0, 5, false), VALIDATION_REFUTED);
    ck_assert_int_eq (s_decide (5, 2, 0, 0, true), VALIDATION_REFUTED);
    validation_tally_t nobody = {0, 0, 0, 0};
    ck_assert_int_eq (validation_decide (&nobody, 0, 0.7, true), VALIDATION_REFUTED);
}
END_TEST

START_TEST (test_it_waits_only_while_answers_could_change_the_outcome)
{
    ck_assert_int_eq (s_decide (5, 0, 0, 0, false), VALIDATION_PENDING);
    ck_assert_int_eq (s_decide (5, 3, 0, 0, false), VALIDATION_PENDING);   /* 3 of 5 would be too few */
    ck_assert_int_eq (s_decide (5, 4, 0, 0, false), VALIDATION_CONFIRMED); /* at worst 4 of 5 */
    ck_assert_int_eq (s_decide (5, 3, 0, 1, false), VALIDATION_CONFIRMED); /* at worst 3 of 4 */
    ck_assert_int_eq (s_decide (5, 0, 2, 0, false), VALIDATION_REFUTED);   /* at best 3 of 5 */
    ck_assert_int_eq (s_decide (5, 0, 1, 0, false), VALIDATION_PENDING);
    ck_assert_int_eq (s_decide (5, 0, 0, 3, false), VALIDATION_REFUTED); /* only two are left */
}
END_TEST

START_TEST (test_median_and_dispersion)
{
    double odd[] = {5, 1, 3}, even[] = {4, 1, 3, 10};
    ck_assert (median_of (odd, 3) == 3);
    ck_assert (median_of (even, 4) == 3.5);
    ck_assert (median_of (NULL, 0) == 0);
    ck_assert (dispersion_of (odd, 3) == 2);
    ck_assert (dispersion_of (even, 4) == 1.5); /* of 0.5 0.5 2.5 6.5 */
    ck_assert (dispersion_of (even, 1) == 0);
    ck_assert (odd[0] == 5); /* left as it was */
    double huge[] = {1.7e308, 1.7e308};
    ck_assert (median_of (huge, 2) == 1.7e308);
}
END_TEST

START_TEST (test_improvement_types_have_names_that_are_read_back)
{
    for (int type = 0; type < IMPROVE_TYPES; type++)
        ck_assert_int_eq (improvement_type_parse (improvement_type_name ((improvement_type_t)type)), type);
    ck_assert_str_eq (improvement_type_name (IMPROVE_PARAMETER_TUNING), "parameter_tuning");
    ck_assert_int_eq (improvement_type_parse ("Parameter_tuning"), -1);
    ck_assert_int_eq (improvement_type_parse (""), -1);
}
END_TEST

SUITE_MAIN ("evolution/validators", test_only_connected_and_capable_peers_are_chosen,
            test_experience_with_the_improvement_type_comes_first,
            test_in_a_fresh_group_declared_capability_counts, test_the_better_record_comes_first,
            test_platforms_are_spread, test_ties_are_settled_by_the_candidate_and_not_by_the_order_of_peers,
            test_a_full_group_can_be_chosen_from, test_confirmation_takes_enough_and_a_share_of_70_percent,
            test_silence_and_refusal_are_no_agreement,
            test_it_waits_only_while_answers_could_change_the_outcome, test_median_and_dispersion,
            test_improvement_types_have_names_that_are_read_back)
