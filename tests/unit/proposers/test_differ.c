/* SPDX-License-Identifier: MPL-2.0 */
#include "proposers/differ.h"
#include "tests/lib/suite.h"

#include <math.h>
#include <stdbool.h>

enum { MANY = 12 };

/* Numbers from −5 to 5, on which the loss is the sum of the squares of their distances from 1. */
static void s_marks (literal_t literals[MANY])
{
    for (size_t i = 0; i < MANY; i++)
        literals[i] = (literal_t){.kind = LITERAL_REAL, .length = 8, .minimum = -5, .maximum = 5};
}

static double s_loss (const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < MANY; i++)
        sum += (x[i] - 1) * (x[i] - 1);
    return sum;
}

static void s_propose (const literal_t *literals, const known_t *known, uint64_t seed, double x[MANY])
{
    parameter_t parameters[MANY];
    random_t random;
    random_init_number (&random, seed);
    for (size_t i = 0; i < MANY; i++)
        parameters[i] = (parameter_t){&literals[i], 0};
    ck_assert_uint_gt (differ (parameters, MANY, known, 0.1, &random), 0);
    for (size_t i = 0; i < MANY; i++) {
        x[i] = parameters[i].value;
        ck_assert (x[i] >= literals[i].minimum && x[i] <= literals[i].maximum);
    }
}

START_TEST (test_three_points_on_a_line_show_the_minimum)
{
    literal_t literals[MANY];
    s_marks (literals);
    double best[MANY] = {0}, right[MANY] = {0}, left[MANY] = {0};
    right[3] = 3;
    left[3] = -2;
    known_t known = {.rows = {best, right, left},
                     .losses = {s_loss (best), s_loss (right), s_loss (left)},
                     .count = 3,
                     .best = 1,
                     .recent = 3};
    unsigned found = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        double x[MANY];
        s_propose (literals, &known, seed, x);
        found += fabs (x[3] - 1) < 1e-9;
    }
    ck_assert_uint_gt (found, 50);
}
END_TEST

START_TEST (test_the_other_side_of_what_failed_is_tried)
{
    literal_t literals[MANY];
    s_marks (literals);
    double best[MANY] = {0}, failed[MANY] = {0};
    failed[5] = -0.5;
    known_t known = {.rows = {best, failed},
                     .losses = {s_loss (best), s_loss (failed)},
                     .count = 2,
                     .best = 1,
                     .recent = 2};
    unsigned mirrored = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        double x[MANY];
        s_propose (literals, &known, seed, x);
        mirrored += fabs (x[5] - 0.8) < 1e-9;
    }
    ck_assert_uint_gt (mirrored, 50);
}
END_TEST

/* The minimum lies between whole numbers, at 1.3, and the best is the nearest of them: that line is done with, and short steps on
 * other numbers go one on at least, where they would round back to the best. */
START_TEST (test_whole_numbers_that_are_as_good_as_they_get_are_left_alone)
{
    literal_t literals[MANY];
    s_marks (literals);
    for (size_t i = 0; i < MANY; i++)
        literals[i].kind = LITERAL_INTEGER;
    double best[MANY] = {0}, right[MANY] = {0}, left[MANY] = {0};
    best[3] = 1;
    right[3] = 2;
    left[3] = 0;
    known_t known = {
        .rows = {best, right, left}, .losses = {0.09, 0.49, 1.69}, .count = 3, .best = 1, .recent = 3};
    unsigned stepped = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        double x[MANY];
        size_t changed = 0;
        s_propose (literals, &known, seed, x);
        for (size_t i = 0; i < MANY; i++)
            changed += x[i] != best[i];
        stepped += changed == 1 && x[3] == best[3];
    }
    ck_assert_uint_gt (stepped, 50);
}
END_TEST

START_TEST (test_a_search_that_knows_its_last_steps_gets_there_fast)
{
    enum { STEPS = 100, KEPT = 100 };
    literal_t literals[MANY];
    s_marks (literals);
    double rows[STEPS + 1][MANY] = {{0}};
    size_t best = 0, before = 0;
    for (size_t step = 1; step <= STEPS; step++) {
        known_t known = {.rows = {rows[best], rows[before]},
                         .losses = {s_loss (rows[best]), s_loss (rows[before])}};
        known.count = known.best = known.recent = best == before ? 1 : 2;
        known.number = step;
        for (size_t i = step > KEPT ? step - KEPT : 0; i < step; i++) {
            known.losses[known.count] = s_loss (rows[i]);
            known.rows[known.count++] = rows[i];
        }
        s_propose (literals, &known, step, rows[step]);
        if (s_loss (rows[step]) < s_loss (rows[best])) {
            before = best;
            best = step;
        }
    }
    ck_assert_msg (s_loss (rows[best]) < 0.12, "%g", s_loss (rows[best])); /* a hundredth of the start */
}
END_TEST

/* A valley that leads up neither along a number nor against it: f grows fast with each difference of neighbours. */
static double s_valley (const double *x)
{
    double sum = 0;
    for (size_t i = 0; i + 1 < MANY; i++)
        sum += 100 * (x[i + 1] - x[i]) * (x[i + 1] - x[i]);
    return sum + s_loss (x);
}

START_TEST (test_numbers_that_only_gain_together_move_together)
{
    literal_t literals[MANY];
    s_marks (literals);
    enum {
        ROWS = 3 * MANY + 2
    }; /* the best, twice; each number a bit more, a bit less, and more with the next */
    double rows[ROWS][MANY] = {{0}};
    known_t known = {.count = ROWS, .best = 1, .recent = 1};
    for (size_t row = 0; row < ROWS; row++) {
        if (row > 1)
            rows[row][(row - 2) / 3] = row % 3 == 0 ? -0.1 : 0.1;
        if (row > 1 && row % 3 == 1)
            rows[row][((row - 2) / 3 + 1) % MANY] = 0.1;
        known.rows[row] = rows[row];
        known.losses[row] = s_valley (rows[row]);
    }
    unsigned better = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        double x[MANY];
        s_propose (literals, &known, seed, x);
        better += s_valley (x) < s_valley (rows[0]) - 0.5;
    }
    ck_assert_uint_gt (better, 30);
}
END_TEST

START_TEST (test_as_much_as_can_be_known_is_no_obstacle)
{
    enum { COUNT = 200 };
    static double rows[DIFFER_KNOWN_MAX][COUNT];
    literal_t literals[COUNT];
    known_t known = {.count = DIFFER_KNOWN_MAX, .best = 1, .recent = 1};
    random_t random;
    random_init_number (&random, 1);
    for (size_t i = 0; i < COUNT; i++)
        literals[i] = (literal_t){.kind = LITERAL_REAL, .length = 8, .minimum = -5, .maximum = 5};
    for (size_t row = 0; row < DIFFER_KNOWN_MAX; row++) {
        for (size_t i = 0; i < COUNT; i++)
            rows[row][i] = random_unit (&random);
        known.rows[row] = rows[row];
        known.losses[row] = (double)row;
    }
    for (unsigned round = 0; round < 20; round++) {
        parameter_t parameters[COUNT];
        for (size_t i = 0; i < COUNT; i++)
            parameters[i] = (parameter_t){&literals[i], 0};
        ck_assert_uint_gt (differ (parameters, COUNT, &known, 0.1, &random), 0);
    }
}
END_TEST

/* How many of 300 proposals change several numbers at once. */
static unsigned s_several (const known_t *known)
{
    literal_t literals[MANY];
    s_marks (literals);
    unsigned several = 0;
    for (uint64_t seed = 0; seed < 300; seed++) {
        double x[MANY];
        size_t changed = 0;
        s_propose (literals, known, seed, x);
        for (size_t i = 0; i < MANY; i++)
            changed += x[i] != known->rows[0][i];
        several += changed > 1;
    }
    return several;
}

START_TEST (test_on_flat_ground_several_numbers_change_at_once)
{
    double rows[6][MANY] = {{0}};
    known_t flat = {.count = 6, .best = 1, .recent = 6}, steep = {.count = 6, .best = 1, .recent = 6};
    for (size_t row = 0; row < 6; row++) {
        rows[row][row] = row ? 1 : 0;
        flat.rows[row] = steep.rows[row] = rows[row];
        flat.losses[row] = row % 2 ? 3 : 4; /* some changes do something, others nothing */
        steep.losses[row] = 4 + (double)row;
    }
    flat.losses[0] = 3;
    ck_assert_uint_gt (s_several (&flat), 2 * s_several (&steep));
}
END_TEST

START_TEST (test_every_kind_of_mark_changes_within_its_bounds)
{
    literal_t literals[4] = {
        {.kind = LITERAL_REAL, .length = 8, .minimum = 0.001, .maximum = 1000, .logarithmic = true},
        {.kind = LITERAL_INTEGER, .length = 8, .minimum = 1, .maximum = 6},
        {.kind = LITERAL_CHOICE, .choice_count = 3},
        {.kind = LITERAL_REAL, .length = 8, .minimum = -1, .maximum = 1}};
    double one[] = {0.01, 2, 0, 0.5}, other[] = {0.02, 3, 2, 0.5}, third[] = {500, 6, 2, -1};
    known_t known = {.rows = {one, other, third}, .losses = {1, 2, 3}, .count = 3, .best = 2, .recent = 2};
    bool changed[4] = {false};
    for (uint64_t seed = 0; seed < 400; seed++) {
        parameter_t parameters[4];
        random_t random;
        random_init_number (&random, seed);
        for (size_t i = 0; i < 4; i++)
            parameters[i] = (parameter_t){&literals[i], one[i]};
        size_t told = differ (parameters, 4, &known, 0.1, &random), differ_now = 0;
        for (size_t i = 0; i < 4; i++) {
            double value = literal_rounded (&literals[i], parameters[i].value);
            bool choice = literals[i].kind == LITERAL_CHOICE;
            ck_assert (choice ? value >= 0 && value < 3
                              : value >= literals[i].minimum && value <= literals[i].maximum);
            differ_now += value != one[i];
            changed[i] |= value != one[i];
        }
        ck_assert_uint_ge (differ_now, 1);
        ck_assert_uint_eq (told, differ_now);
    }
    for (size_t i = 0; i < 4; i++)
        ck_assert (changed[i]);
}
END_TEST

START_TEST (test_what_is_known_of_nobody_is_no_obstacle)
{
    literal_t literals[MANY];
    s_marks (literals);
    double same[MANY] = {0}, x[MANY];
    known_t none = {.count = 0}, alike = {.rows = {same, same, same}, .count = 3, .best = 2, .recent = 2};
    for (uint64_t seed = 0; seed < 200; seed++) {
        s_propose (literals, &none, seed, x);
        s_propose (literals, &alike, seed, x);
    }
}
END_TEST

SUITE_MAIN ("proposers/differ", test_three_points_on_a_line_show_the_minimum,
            test_the_other_side_of_what_failed_is_tried,
            test_whole_numbers_that_are_as_good_as_they_get_are_left_alone,
            test_a_search_that_knows_its_last_steps_gets_there_fast,
            test_numbers_that_only_gain_together_move_together, test_as_much_as_can_be_known_is_no_obstacle,
            test_on_flat_ground_several_numbers_change_at_once,
            test_every_kind_of_mark_changes_within_its_bounds, test_what_is_known_of_nobody_is_no_obstacle)
