/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/compatibility.h"
#include "tests/lib/objectives.h"
#include "tests/lib/suite.h"

#define THRESHOLD 0.7

static double s_score (double objectives, double evaluator, double merge, double platform, double sender)
{
    compatibility_parts_t parts = {objectives, evaluator, merge, platform, sender};
    return compatibility_score (&parts);
}

START_TEST (test_the_parts_weigh_as_documented)
{
    ck_assert (s_score (1, 0, 0, 0, 0) == 0.25);
    ck_assert (s_score (0, 1, 0, 0, 0) == 0.25);
    ck_assert (s_score (0, 0, 1, 0, 0) == 0.3);
    ck_assert (s_score (0, 0, 0, 1, 0) == 0.1);
    ck_assert (s_score (0, 0, 0, 0, 1) == 0.1);
    ck_assert (s_score (1, 1, 1, 1, 1) == 1);
    ck_assert (s_score (0, 0, 0, 0, 0) == 0);
}
END_TEST

START_TEST (test_only_what_is_above_the_threshold_enters)
{
    ck_assert (!(s_score (1, 1, 0.5, 0.49, 0) > THRESHOLD));
    ck_assert (!(s_score (1, 1, 0.5, 0.5, 0) > THRESHOLD)); /* 0.25 + 0.25 + 0.15 + 0.05: at it */
    ck_assert (s_score (1, 1, 0.5, 0.5, 0) == THRESHOLD);
    ck_assert (s_score (1, 1, 0.5, 0.51, 0) > THRESHOLD);
    ck_assert (s_score (1, 1, 2 / 3.0, 0, 0) == THRESHOLD);
    ck_assert (s_score (1, 1, 2 / 3.0, 0.001, 0) > THRESHOLD);
    ck_assert (s_score (1, 1, 1 / 3.0, 0.5, 0.5) == THRESHOLD);
    ck_assert (s_score (1, 1, 0.333, 0.5, 0.5) < THRESHOLD);
}
END_TEST

START_TEST (test_a_clean_package_of_an_unknown_sender_enters_and_one_in_conflict_does_not)
{
    ck_assert (s_score (1, 1, 1, 1, 0.5) > THRESHOLD);
    ck_assert (!(s_score (1, 1, 0, 1, 0.5) > THRESHOLD));
    ck_assert (!(s_score (1, 0, 1, 0.5, 0.5) > THRESHOLD));
}
END_TEST

START_TEST (test_objectives_count_by_weight_name_and_goal)
{
    objectives_t ours = {.count = 0};
    objectives_put (&ours, "bins", GOAL_MINIMIZE, false)->weight = 0.75;
    objectives_put (&ours, "time", GOAL_MINIMIZE, true)->weight = 0.25;
    const char *both[] = {"time", "bins"}, *one[] = {"bins", "other"};
    goal_t minimize[] = {GOAL_MINIMIZE, GOAL_MINIMIZE}, mixed[] = {GOAL_MAXIMIZE, GOAL_MINIMIZE};
    ck_assert (compatibility_objectives (&ours, both, minimize, 2) == 1);
    ck_assert (compatibility_objectives (&ours, one, minimize, 2) == 0.75);
    ck_assert (compatibility_objectives (&ours, both, mixed, 2) == 0.75);
    ck_assert (compatibility_objectives (&ours, NULL, NULL, 0) == 0);
    const char *twice[] = {"time", "time"};
    ck_assert (compatibility_objectives (&ours, twice, minimize, 2) == 0.25);
}
END_TEST

START_TEST (test_platforms_are_the_same_near_or_another)
{
    static const struct {
        const char *ours, *theirs;
        double score;
    } cases[] = {{"x86_64/linux/gcc 12.2", "x86_64/linux/gcc 12.2", 1},
                 {"x86_64/linux/gcc 12.2", "x86_64/linux/clang 14", 0.5},
                 {"x86_64/linux/gcc", "aarch64/linux/gcc", 0},
                 {"x86_64/linux/gcc", "x86_64/freebsd/gcc", 0},
                 {"x86_64/linux/gcc", "x86_64/linux", 0.5},
                 {"x86_64/linux", "x86_64/linux/gcc", 0.5},
                 {"x86_64/linux/gcc", "x86_64/linux2/gcc", 0},
                 {"x86/linux/gcc", "x86_64/linux/gcc", 0},
                 {"x86_64/linux/gcc", "", 0},
                 {"", "x86_64/linux/gcc", 0},
                 {"", "", 1},
                 {"odd", "odder", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg (compatibility_platform (cases[i].ours, cases[i].theirs) == cases[i].score,
                       "\"%s\" and \"%s\"", cases[i].ours, cases[i].theirs);
}
END_TEST

SUITE_MAIN ("evolution/compatibility", test_the_parts_weigh_as_documented,
            test_only_what_is_above_the_threshold_enters,
            test_a_clean_package_of_an_unknown_sender_enters_and_one_in_conflict_does_not,
            test_objectives_count_by_weight_name_and_goal, test_platforms_are_the_same_near_or_another)
