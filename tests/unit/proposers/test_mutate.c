/* SPDX-License-Identifier: MPL-2.0 */
#include "proposers/mutate.h"
#include "tests/lib/suite.h"

#include <math.h>

enum { COUNT_MAX = 64 };

typedef struct {
    literals_t literals;
    parameter_t parameters[COUNT_MAX];
} fixture_t;

static fixture_t s_fixture (const char *text)
{
    fixture_t fixture;
    problem_t problem = {""};
    ck_assert_msg (literals_scan (text, strlen (text), &fixture.literals, &problem) == 0, "%s", problem.text);
    ck_assert_uint_le (fixture.literals.count, COUNT_MAX);
    return fixture;
}

/* Sets all parameters to what the text has. */
static void s_reset (fixture_t *fixture)
{
    for (size_t i = 0; i < fixture->literals.count; i++) {
        const literal_t *literal = &fixture->literals.items[i];
        double value = literal->kind == LITERAL_CHOICE ? (double)literal->choice : literal->value;
        fixture->parameters[i] = (parameter_t){.literal = literal, .value = value};
    }
}

/* One proposal from a seed; returns how many parameters differ, having checked that each is fit to be written. */
static size_t s_propose (fixture_t *fixture, double learning_rate, uint64_t seed)
{
    random_t random;
    random_init_number (&random, seed);
    s_reset (fixture);
    size_t told = mutate (fixture->parameters, fixture->literals.count, learning_rate, &random), differ = 0;
    for (size_t i = 0; i < fixture->literals.count; i++) {
        const literal_t *literal = &fixture->literals.items[i];
        double value = fixture->parameters[i].value;
        differ += !literal_same (literal, value);
        if (literal->kind == LITERAL_CHOICE) {
            ck_assert (value >= 0 && value < (double)literal->choice_count && value == floor (value));
        } else if (!literal_same (literal, value)) {
            double written = literal_rounded (literal, value);
            ck_assert (written >= literal->minimum && written <= literal->maximum &&
                       written != literal->value);
        }
    }
    ck_assert_uint_eq (told, differ);
    return differ;
}

static const char s_table[] =
    "t = [ # evolve: -1.0..1 all\n 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, -0.1, -0.2]\n";
static const char s_mixed[] =
    "a = 0.5 # evolve: 0..1\nb = 16 # evolve: 1..256 log\nc = 'x' # evolve: 'x' | 'y' | 'z'\n"
    "d = 1 # evolve: 1..2\ne = 1e-3 # evolve: 1e-6..1 log\nf = 7 # evolve: 0..5\n";

START_TEST (test_each_proposal_changes_something_and_stays_in_range)
{
    static const double rates[] = {0.5, 0.1, 0.01, 1e-12};
    fixture_t fixture = s_fixture (s_mixed);
    ck_assert_uint_eq (fixture.literals.count, 6);
    for (size_t rate = 0; rate < 4; rate++)
        for (uint64_t seed = 0; seed < 2000; seed++)
            ck_assert_uint_gt (s_propose (&fixture, rates[rate], seed), 0);
    literals_clear (&fixture.literals);
}
END_TEST

START_TEST (test_one_parameter_alone_is_always_changed)
{
    static const char *const texts[] = {
        "a = 1 # evolve: 1..2",     "a = 2 # evolve: 1..2",
        "a = 0.0 # evolve: 0..1",   "a = 1.0 # evolve: 0..1",
        "a = 1 # evolve: 1 | 2",    "a = 1000000.0 # evolve: 1000000..1000001",
        "a = -5 # evolve: -5..5",   "a = 1e-9 # evolve: 1e-9..1 log",
        "a = 1 # evolve: 1..9 log", "a = 0 # evolve: -9007199254740992..9007199254740992"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        fixture_t fixture = s_fixture (texts[i]);
        for (uint64_t seed = 0; seed < 200; seed++) {
            ck_assert_msg (s_propose (&fixture, 0.01, seed) == 1, "%s", texts[i]);
            ck_assert_msg (s_propose (&fixture, 1e-15, seed) == 1, "%s", texts[i]);
        }
        literals_clear (&fixture.literals);
    }
}
END_TEST

START_TEST (test_the_same_seed_gives_the_same_proposal)
{
    fixture_t fixture = s_fixture (s_table);
    int differ = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        double values[12];
        s_propose (&fixture, 0.1, seed);
        for (size_t i = 0; i < 12; i++)
            values[i] = fixture.parameters[i].value;
        s_propose (&fixture, 0.1, seed);
        for (size_t i = 0; i < 12; i++)
            ck_assert (values[i] == fixture.parameters[i].value);
        s_propose (&fixture, 0.1, seed + 1000);
        bool same = true;
        for (size_t i = 0; i < 12; i++)
            same &= values[i] == fixture.parameters[i].value;
        differ += !same;
    }
    ck_assert_int_eq (differ, 100);
    literals_clear (&fixture.literals);
}
END_TEST

START_TEST (test_few_are_changed_mostly_and_every_one_at_times)
{
    fixture_t fixture = s_fixture (s_table);
    unsigned few = 0, touched[12] = {0};
    for (uint64_t seed = 0; seed < 2000; seed++) {
        few += s_propose (&fixture, 0.1, seed) <= 3;
        for (size_t i = 0; i < 12; i++)
            touched[i] += !literal_same (fixture.parameters[i].literal, fixture.parameters[i].value);
    }
    ck_assert_uint_gt (few, 1600);
    ck_assert_uint_lt (few, 2000);
    for (size_t i = 0; i < 12; i++)
        ck_assert_uint_gt (touched[i], 200);
    literals_clear (&fixture.literals);
}
END_TEST

/* Of a Cauchy distribution, half lies within 1 and about 6 % beyond 10. */
START_TEST (test_steps_are_as_large_as_the_learning_rate_says_and_some_go_far)
{
    fixture_t fixture = s_fixture ("a = 500.0 # evolve: 0..1000");
    unsigned near = 0, far = 0;
    for (uint64_t seed = 0; seed < 4000; seed++) {
        s_propose (&fixture, 0.01, seed);
        double step = fabs (fixture.parameters[0].value - 500) / 10;
        near += step < 1;
        far += step > 10;
    }
    ck_assert_msg (near > 1900 && near < 2100, "%u", near);
    ck_assert_msg (far > 170 && far < 340, "%u", far);
    literals_clear (&fixture.literals);
}
END_TEST

START_TEST (test_a_logarithmic_range_is_searched_by_factors)
{
    fixture_t fixture = s_fixture ("a = 1.0 # evolve: 0.001..1000 log");
    unsigned up = 0, down = 0, near = 0;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        s_propose (&fixture, 0.1, seed);
        double value = fixture.parameters[0].value;
        up += value > 1;
        down += value < 1;
        near += fabs (log10 (value)) < 0.6; /* a tenth of six decades */
    }
    ck_assert_msg (up > 900 && down > 900, "%u up, %u down", up, down);
    ck_assert_msg (near > 930 && near < 1070, "%u", near);
    literals_clear (&fixture.literals);
}
END_TEST

START_TEST (test_neighbours_of_a_list_move_together_at_times)
{
    fixture_t fixture = s_fixture (s_table);
    unsigned together = 0;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        if (s_propose (&fixture, 0.02, seed) != 2)
            continue;
        for (size_t i = 0; i + 1 < 12; i++) {
            double left = fixture.parameters[i].value - fixture.literals.items[i].value;
            double right = fixture.parameters[i + 1].value - fixture.literals.items[i + 1].value;
            together += left != 0 && right != 0 && fabs (left - right) < 1e-5;
        }
    }
    ck_assert_uint_gt (together, 50);
    literals_clear (&fixture.literals);
}
END_TEST

SUITE_MAIN ("proposers/mutate", test_each_proposal_changes_something_and_stays_in_range,
            test_one_parameter_alone_is_always_changed, test_the_same_seed_gives_the_same_proposal,
            test_few_are_changed_mostly_and_every_one_at_times,
            test_steps_are_as_large_as_the_learning_rate_says_and_some_go_far,
            test_a_logarithmic_range_is_searched_by_factors, test_neighbours_of_a_list_move_together_at_times)
