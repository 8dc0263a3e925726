/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/literal.h"
#include "crypto/random.h"
#include "tests/lib/suite.h"

#include <stdio.h>

/* Scans exactly these bytes, in memory of exactly that size. */
static int s_scan (const char *text, literals_t *literals, problem_t *problem)
{
    size_t size = strlen (text);
    char *exact = malloc (size > 0 ? size : 1);
    ck_assert_ptr_nonnull (exact);
    memcpy (exact, text, size);
    int error = literals_scan (exact, size, literals, problem);
    free (exact);
    return error;
}

static literals_t s_good (const char *text)
{
    literals_t literals;
    problem_t problem = {""};
    int error = s_scan (text, &literals, &problem);
    ck_assert_msg (error == 0, "%s: %s", text, problem.text);
    return literals;
}

/* Expects one literal: its text, range and kind. */
static void s_expect_number (const char *text, const char *literal, literal_kind_t kind, double minimum,
                             double maximum)
{
    literals_t literals = s_good (text);
    ck_assert_msg (literals.count == 1, "%s: %zu literals", text, literals.count);
    const literal_t *one = &literals.items[0];
    ck_assert_msg (one->length == strlen (literal) && memcmp (text + one->offset, literal, one->length) == 0,
                   "%s: found \"%.*s\"", text, (int)one->length, text + one->offset);
    ck_assert_int_eq (one->kind, kind);
    ck_assert (one->value == strtod (literal, NULL));
    ck_assert (one->minimum == minimum && one->maximum == maximum);
    literals_clear (&literals);
    ck_assert_ptr_null (literals.items);
}

START_TEST (test_numbers_are_found_in_any_language)
{
    s_expect_number ("double weight = 0.5;   // evolve: 0..1\n", "0.5", LITERAL_REAL, 0, 1);
    s_expect_number ("static int block = 16;        # evolve: 4..256 log", "16", LITERAL_INTEGER, 4, 256);
    s_expect_number ("local x = -2.5 -- evolve: -5..-1\r\n", "-2.5", LITERAL_REAL, -5, -1);
    s_expect_number ("(define speed 3) ; evolve: 1 .. 9", "3", LITERAL_INTEGER, 1, 9);
    s_expect_number ("alpha = 1e-3; %% evolve: 1e-6..1 log", "1e-3", LITERAL_REAL, 1e-6, 1);
    s_expect_number ("f (.5f /* evolve: 0..1 */, 7)", ".5", LITERAL_REAL, 0, 1);
    s_expect_number ("#define BLOCK 16u /// evolve: 1..99", "16", LITERAL_INTEGER, 1, 99);
    s_expect_number ("timeout: 20s # evolve: 1..60", "20", LITERAL_INTEGER, 1, 60);
    s_expect_number ("long n = 10L; //evolve:0..100", "10", LITERAL_INTEGER, 0, 100);
    s_expect_number ("w = 1  # evolve: 0.0..2", "1", LITERAL_REAL, 0,
                     2); /* a bound with a point makes it real */
}
END_TEST

START_TEST (test_the_number_nearest_before_the_comment_is_meant)
{
    s_expect_number ("for (int i = 0; i < 16; i++) // evolve: 1..64", "16", LITERAL_INTEGER, 1, 64);
    s_expect_number ("y = x[i-1]; // evolve: 0..4", "1", LITERAL_INTEGER, 0, 4);
    s_expect_number ("y = (-1); // evolve: -4..4", "-1", LITERAL_INTEGER, -4, 4);
    s_expect_number ("return -1; // evolve: -4..4", "-1", LITERAL_INTEGER, -4, 4);
    s_expect_number ("(f -1) ; evolve: -4..4", "-1", LITERAL_INTEGER, -4, 4);
    s_expect_number ("x = 5 /* 10 is too much */; // evolve: 0..9", "5", LITERAL_INTEGER, 0, 9);
    s_expect_number ("x = 5; // 10 is too much // evolve: 0..9", "5", LITERAL_INTEGER, 0, 9);
    s_expect_number ("x = y // 3  # evolve: 1..9", "3", LITERAL_INTEGER, 1, 9);
    s_expect_number ("x = 5; puts (\"7\"); // evolve: 0..9", "5", LITERAL_INTEGER, 0, 9);
    s_expect_number ("x = 5; s = log10; // evolve: 0..9", "5", LITERAL_INTEGER, 0, 9);
}
END_TEST

START_TEST (test_remarks_may_follow)
{
    s_expect_number ("x = 5; // evolve: 0..9 (how far to look)", "5", LITERAL_INTEGER, 0, 9);
    s_expect_number ("x = 5; // evolve: 1..9 log, how far to look", "5", LITERAL_INTEGER, 1, 9);
}
END_TEST

START_TEST (test_what_is_no_code_is_not_meant)
{
    static const char *const texts[] = {
        "",
        "x = 0.5;\n",
        "x = 0.5; // evolve it: 0..1\n",
        "x = 0.5; // see evolve: 0..1\n",
        "puts (\"x = 5; // evolve: 0..1\");\n",
        "// x = 0.5; // evolve: 0..1\n",
        "# x = 0.5  # evolve: 0..1\n",
        "/* mark like this:\n *   x = 0.5; // evolve: 0..1\n */\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        literals_t literals = s_good (texts[i]);
        ck_assert_msg (literals.count == 0, "%s", texts[i]);
        literals_clear (&literals);
    }
}
END_TEST

START_TEST (test_lines_are_counted_over_comments_and_lists)
{
    const char *text = "/* one\n * two */\n\nint a = 1; // evolve: 0..9\n"
                       "int t[] = { // evolve: 0..9 all\n  2,\n  3 };\nint b = 4; // evolve: 0..9\n";
    literals_t literals = s_good (text);
    static const unsigned lines[] = {4, 6, 7, 8};
    ck_assert_uint_eq (literals.count, 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert_uint_eq (literals.items[i].line, lines[i]);
    literals_clear (&literals);
}
END_TEST

/* Expects that the numbers of a text are these, in a row, each followed by a blank. */
static void s_expect_all (const char *text, const char *numbers)
{
    literals_t literals = s_good (text);
    char found[256] = "";
    for (size_t i = 0; i < literals.count; i++) {
        size_t length = strlen (found);
        snprintf (found + length, sizeof found - length, "%.*s ", (int)literals.items[i].length,
                  text + literals.items[i].offset);
    }
    ck_assert_msg (strcmp (found, numbers) == 0, "%s: found %s", text, found);
    literals_clear (&literals);
}

START_TEST (test_all_means_each_number_up_to_the_closing_bracket)
{
    s_expect_all (
        "double table[8] = { // evolve: -1..1 all (each)\n  0.1, -0.2f, /* 7 */\n  .3 // 8\n}; int x = 9;\n",
        "0.1 -0.2 .3 ");
    s_expect_all ("TABLE = [  # evolve: 0..9 all\n 1, 2, # 7\n 3, \"4\", [5, 6]]\nX = 8\n", "1 2 3 5 6 ");
    s_expect_all ("double t[3] = {1, 2, 3}; // evolve: 0..9 all\nint x = 4;\n", "1 2 3 ");
    s_expect_all ("static const double t[2][2] = {{ // evolve: 0..9 all\n 1, 2}, {3, 4}}; int x = 5;",
                  "1 2 3 4 ");
    s_expect_all ("static const double t[2][2] = {{1, 2}, // evolve: 0..9 all\n {3, 4}}; int x = 5;",
                  "1 2 3 4 ");
    s_expect_all ("# evolve: 0..9 all\n\nTABLE = (1,\n 2)\nX = 3\n", "1 2 ");
    s_expect_all ("f (7, (double[]){ /* evolve: 0..9 all */ 1, 2 }, 8); int x = 3; // evolve: 0..9\n",
                  "1 2 3 ");
    s_expect_all ("double t[] = { // evolve: 0..9 all\n [0] = 1, [ 5 ] = 2, };", "1 2 ");
    s_expect_all ("(define t '(1 2 ; evolve: 0..9 all\n 3 -4)) 5", "1 2 3 -4 ");
    s_expect_all ("int t[] = {1 /* evolve: 0..9 */, 2 /* evolve: 0..9 */, 3};", "1 2 ");
}
END_TEST

START_TEST (test_choices_are_strings_words_or_numbers)
{
    static const struct {
        const char *text;
        size_t choice, count;
        const char *literal;
    } cases[] = {
        {"const char *mode = \"fast\"; -- evolve: \"fast\" | \"small\" | \"exact\"", 0, 3, "\"fast\""},
        {"mode = 'b' # evolve: 'a'|'b' (which)", 1, 2, "'b'"},
        {"bool eager = false; // evolve: true | false", 1, 2, "false"},
        {"enum m mode = SMALL; // evolve: FAST | SMALL | EXACT, by size", 1, 3, "SMALL"},
        {"int size = 8; // evolve: 4 | 8 | 16", 1, 3, "8"},
        {"mode = \"x, y\"; log (\"mode\"); // evolve: \"z\" | \"x, y\"", 1, 2, "\"x, y\""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        literals_t literals = s_good (cases[i].text);
        ck_assert_uint_eq (literals.count, 1);
        const literal_t *one = &literals.items[0];
        ck_assert_int_eq (one->kind, LITERAL_CHOICE);
        ck_assert_uint_eq (one->choice, cases[i].choice);
        ck_assert_uint_eq (one->choice_count, cases[i].count);
        ck_assert_uint_eq (one->length, strlen (cases[i].literal));
        ck_assert_mem_eq (cases[i].text + one->offset, cases[i].literal, one->length);
        ck_assert (cases[i].text + one->offset < strstr (cases[i].text, "evolve"));
        literals_clear (&literals);
    }
}
END_TEST

START_TEST (test_problems_name_line_what_was_found_and_what_was_expected)
{
    static const struct {
        const char *text, *problem;
    } cases[] = {
        {"x = 1; // evolve: 0-1", "line 1: found \"0-1\" behind \"evolve:\"; expected a range"},
        {"\nx = 1; // evolve: 0..", "line 2: nothing more behind \"evolve:\"; expected a range"},
        {"x = 1; // evolve:", "line 1: nothing more behind \"evolve:\"; expected a range"},
        {"x = 1; // evolve: 0..1 logg", "line 1: found \"logg\" behind \"evolve:\"; expected a range"},
        {"x = 1; // evolve: 1..0", "line 1: found \"1..0\" behind \"evolve:\"; expected the lower end first"},
        {"x = 1; // evolve: 9007199254740000..9007199254740001 log",
         "line 1: found \"9007199254740000..9007199254740001 log\" behind \"evolve:\"; expected ends that "
         "are further"},
        {"x = 1; // evolve: 1..1 all",
         "line 1: found \"1..1 all\" behind \"evolve:\"; expected the lower end first"},
        {"x = 1; // evolve: 0..5 log",
         "line 1: found \"0..5 log\" behind \"evolve:\"; expected a range above 0"},
        {"x = 1; // evolve: 0..1e999",
         "line 1: found \"0..1e999\" behind \"evolve:\"; expected the lower end first"},
        {"x = 1; // evolve: 0..99999999999999999", "expected whole numbers below 2^53"},
        {"x = 1; // evolve: one", "line 1: found \"one\" behind \"evolve:\"; expected a range"},
        {"x = 1; // evolve: 1 | 2 3", "line 1: found \"3\" behind \"evolve:\"; expected a range"},
        {"x = 1; // evolve: 1 | 1", "line 1: found \"1\" behind \"evolve:\"; expected each choice once"},
        {"x = \"a\"; // evolve: \"a\" | \"b\" | \"a\" (back)",
         "line 1: found \"\"a\" (back)\" behind \"evolve:\"; expected each choice once"},
        {"x = 1; // evolve: 1 |", "line 1: nothing more behind \"evolve:\"; expected a range"},
        {"x = 3; // evolve: 1 | 2",
         "line 1: \"evolve:\" stands behind nothing that it could mean; expected one of its"},
        {"x = y; // evolve: 0..1",
         "line 1: \"evolve:\" stands behind nothing that it could mean; expected a number"},
        {"a = 1;\n// evolve: 0..1",
         "line 2: \"evolve:\" stands behind nothing that it could mean; expected a number"},
        {"x = 0x1F; // evolve: 0..99", "line 1: found \"0x1F\", expected a decimal number"},
        {"x = 010; // evolve: 0..99", "line 1: found \"010\", expected a decimal number"},
        {"x = 1_000; // evolve: 0..99", "line 1: found \"1_000\", expected a decimal number"},
        {"x = 99999999999999999; // evolve: 0..99",
         "line 1: found \"99999999999999999\", expected a decimal"},
        {"t = [ # evolve: 0..1 all\n 1,\n 0xF]", "line 3: found \"0xF\", expected a decimal number"},
        {"x = 1 # evolve: 0..1 all\n", "line 1: found no list for \"all\", expected one in brackets"},
        {"t = [ # evolve: 0..1 all\n 1, 2", "line 1: found no end of the list, expected its closing bracket"},
        {"t = [ # evolve: 0..1 all\n 1, # evolve: 0..2\n 2]",
         "line 2: found a mark, expected none inside of a list"},
        {"x = a; // evolve: a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p|q",
         "line 1: found \"q\" behind \"evolve:\"; expected at most 16"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        literals_t literals;
        problem_t problem = {""};
        ck_assert_msg (s_scan (cases[i].text, &literals, &problem) == ERROR_INPUT, "%s", cases[i].text);
        ck_assert_msg (strstr (problem.text, cases[i].problem) != NULL, "%s: told \"%s\"", cases[i].text,
                       problem.text);
        ck_assert_uint_eq (literals.count, 0);
        ck_assert_ptr_null (literals.items);
    }
}
END_TEST

START_TEST (test_at_most_1024_literals_in_a_file)
{
    char *text = malloc (8 * LITERALS_MAX + 100);
    ck_assert_ptr_nonnull (text);
    size_t length = (size_t)sprintf (text, "t = [ # evolve: 0..9 all\n");
    for (int i = 0; i < LITERALS_MAX; i++)
        length += (size_t)sprintf (text + length, "%d,\n", i % 10);
    strcpy (text + length, "]");
    literals_t literals = s_good (text);
    ck_assert_uint_eq (literals.count, LITERALS_MAX);
    literals_clear (&literals);
    strcpy (text + length, "1]");
    problem_t problem;
    ck_assert_int_eq (s_scan (text, &literals, &problem), ERROR_BOUND);
    ck_assert_str_eq (problem.text, "line 1026: found more than 1024 literals, expected at most so many");
    free (text);
}
END_TEST

/* Sets the literals of a text and expects what comes out. */
static void s_expect_applied (const char *text, const double *values, const char *expected)
{
    literals_t literals = s_good (text);
    size_t size;
    char *fresh = literals_apply (text, strlen (text), &literals, values, &size);
    ck_assert_ptr_nonnull (fresh);
    ck_assert_str_eq (fresh, expected);
    ck_assert_uint_eq (size, strlen (expected));
    free (fresh);
    literals_clear (&literals);
}

START_TEST (test_values_are_set_and_all_else_stays)
{
    const char *text = "double a = 0.50f; // evolve: 0..1\nint b = 4u; // evolve: 1..99 log\n"
                       "mode = 'x' # evolve: 'x' | 'long'\nt = [1.0, -2] # evolve: -9.0..9 all\n";
    s_expect_applied (text, (double[]){0.5, 4, 0, 1, -2}, text); /* to the byte, also 0.50 */
    s_expect_applied (text, (double[]){0.123456789, 7.6, 1, -0.25, 3},
                      "double a = 0.123457f; // evolve: 0..1\nint b = 8u; // evolve: 1..99 log\n"
                      "mode = 'long' # evolve: 'x' | 'long'\nt = [-0.25, 3.0] # evolve: -9.0..9 all\n");
    s_expect_applied (text, (double[]){-5, 1000, 1, -100, 1e300},
                      "double a = 0.0f; // evolve: 0..1\nint b = 99u; // evolve: 1..99 log\n"
                      "mode = 'long' # evolve: 'x' | 'long'\nt = [-9.0, 9.0] # evolve: -9.0..9 all\n");
}
END_TEST

START_TEST (test_a_minus_never_becomes_a_decrement)
{
    s_expect_applied ("y = a-1; // evolve: -5..5", (double[]){-3}, "y = a- -3; // evolve: -5..5");
    s_expect_applied ("y = a - 1; // evolve: -5..5", (double[]){-3}, "y = a - -3; // evolve: -5..5");
}
END_TEST

START_TEST (test_reals_keep_as_many_digits_as_their_range_needs)
{
    s_expect_applied ("x = 1000000.25 # evolve: 1000000..1000001", (double[]){1000000.7512345},
                      "x = 1000000.7512 # evolve: 1000000..1000001");
    s_expect_applied ("x = 1e-7 # evolve: 1e-9..1 log", (double[]){2.34567891e-8},
                      "x = 2.34568e-08 # evolve: 1e-9..1 log");
    s_expect_applied ("x = 1.5 # evolve: 0..1e7", (double[]){2e6}, "x = 2e+06 # evolve: 0..1e7");
}
END_TEST

START_TEST (test_an_unchanged_value_may_lie_outside_of_its_range)
{
    s_expect_applied ("x = 7 # evolve: 0..5", (double[]){7}, "x = 7 # evolve: 0..5");
    s_expect_applied ("x = 7 # evolve: 0..5", (double[]){8}, "x = 5 # evolve: 0..5");
}
END_TEST

/* What rounding says is what a second scan of the new file finds. */
START_TEST (test_rounding_foretells_what_will_be_read)
{
    const char *text =
        "a = 0.5; // evolve: -1..1\nb = 16; // evolve: 4..256\nc = 1e-3; // evolve: 1e-6..1e3 log\n"
        "d = 5; // evolve: 4 | 5 | 6\n";
    random_t random;
    random_init_number (&random, 18);
    literals_t literals = s_good (text);
    ck_assert_uint_eq (literals.count, 4);
    for (int i = 0; i < 2000; i++) {
        double values[] = {3 * random_unit (&random) - 1.5, 300 * random_unit (&random),
                           random_unit (&random) * random_unit (&random), (double)random_below (&random, 3)};
        size_t size;
        char *fresh = literals_apply (text, strlen (text), &literals, values, &size);
        literals_t again = s_good (fresh);
        ck_assert_uint_eq (again.count, 4);
        for (size_t k = 0; k < 3; k++) {
            ck_assert (again.items[k].value == literal_rounded (&literals.items[k], values[k]));
            ck_assert (again.items[k].value >= literals.items[k].minimum);
            ck_assert (again.items[k].value <= literals.items[k].maximum);
        }
        ck_assert_uint_eq (again.items[3].choice, (size_t)values[3]);
        literals_clear (&again);
        free (fresh);
    }
    literals_clear (&literals);
}
END_TEST

/* Any bytes at all are scanned without harm, and what is found lies within them. */
START_TEST (test_no_text_does_harm)
{
    static const char *const pieces[] = {"evolve:",
                                         "// evolve: 0..1",
                                         "/* evolve: 1..2 all */",
                                         "# evolve: a | b",
                                         "\"",
                                         "'",
                                         "\\",
                                         "/*",
                                         "*/",
                                         "\n",
                                         "[",
                                         "]",
                                         "{",
                                         "}",
                                         "(",
                                         ")",
                                         "0",
                                         "1.5",
                                         "-",
                                         ".",
                                         "..",
                                         "e",
                                         "a",
                                         " ",
                                         "log",
                                         "all",
                                         "|",
                                         ",",
                                         "x = 3",
                                         "\xff",
                                         ";",
                                         "%"};
    random_t random;
    random_init_number (&random, 19);
    unsigned found = 0;
    for (int i = 0; i < 20000; i++) {
        char text[512] = "";
        size_t count = random_below (&random, 24);
        for (size_t k = 0; k < count; k++)
            strcat (text, pieces[random_below (&random, sizeof pieces / sizeof *pieces)]);
        literals_t literals;
        problem_t problem = {""};
        if (s_scan (text, &literals, &problem) != 0) {
            ck_assert_msg (problem.text[0] != '\0', "%s", text);
            continue;
        }
        size_t at = 0;
        for (size_t k = 0; k < literals.count; k++) {
            ck_assert_uint_ge (literals.items[k].offset, at);
            at = literals.items[k].offset + literals.items[k].length;
            ck_assert_uint_le (at, strlen (text));
        }
        found += literals.count > 0;
        literals_clear (&literals);
    }
    ck_assert_uint_gt (found, 100);
}
END_TEST

START_TEST (test_what_cannot_be_understood_is_passed_over_where_that_is_wanted)
{
    static const char text[] = "a = 1 # evolve: nonsense\nb = 2 # evolve: 0..9\n# evolve: 0..1\n/* evolve: x "
                               "*/ c = 3 // evolve: 0..9";
    literals_t literals;
    problem_t problem = {""};
    ck_assert_int_eq (literals_scan (text, sizeof text - 1, &literals, &problem), ERROR_INPUT);
    ck_assert_int_eq (literals_scan_some (text, sizeof text - 1, &literals, &problem), 0);
    ck_assert_uint_eq (literals.count, 2);
    ck_assert_uint_eq (literals.items[0].line, 2);
    ck_assert_uint_eq (literals.items[1].line, 4);
    literals_clear (&literals);
}
END_TEST

SUITE_MAIN ("evolution/literal", test_numbers_are_found_in_any_language,
            test_the_number_nearest_before_the_comment_is_meant, test_remarks_may_follow,
            test_what_is_no_code_is_not_meant, test_lines_are_counted_over_comments_and_lists,
            test_all_means_each_number_up_to_the_closing_bracket, test_choices_are_strings_words_or_numbers,
            test_problems_name_line_what_was_found_and_what_was_expected,
            test_at_most_1024_literals_in_a_file, test_values_are_set_and_all_else_stays,
            test_a_minus_never_becomes_a_decrement, test_reals_keep_as_many_digits_as_their_range_needs,
            test_an_unchanged_value_may_lie_outside_of_its_range, test_rounding_foretells_what_will_be_read,
            test_no_text_does_harm, test_what_cannot_be_understood_is_passed_over_where_that_is_wanted)
