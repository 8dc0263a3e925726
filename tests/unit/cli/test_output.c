/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/output.h"
#include "tests/lib/suite.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

/* cli.c's, which would bring all commands with it. */
int cli_fail (const char *format, ...)
{
    ck_abort_msg ("%s", format);
}

/* What the table, or if there is none the line, prints where the terminal has `width` columns. */
static void s_print (output_table_t *table, const char *line, size_t width, char *text, size_t size)
{
    cli_t cli = {.width = width};
    FILE *file = tmpfile ();
    ck_assert_ptr_nonnull (file);
    fflush (stdout);
    int stdout_before = dup (STDOUT_FILENO);
    dup2 (fileno (file), STDOUT_FILENO);
    if (table != NULL)
        output_table_end (&cli, &table);
    else
        output_line (&cli, line);
    fflush (stdout);
    dup2 (stdout_before, STDOUT_FILENO);
    close (stdout_before);
    rewind (file);
    text[fread (text, 1, size - 1, file)] = '\0';
    fclose (file);
}

static void s_expect (size_t width, const char *expected)
{
    char text[1024];
    output_table_t *table = output_table_new ("NAME|?>SENT|>DONE|?>LOST|~WHAT|~WHY");
    output_table_row (table, "%s|%d|%d|%d|%s|%s", "ant", 1, 22, 3, "a → b, c → d, e → f, g → h, i → j, k → l",
                      "worse");
    output_table_row (table, "%s|%d|%d|%d|%s|%s", "beetle", 4, 5, 6, "a → b", "");
    s_print (table, NULL, width, text, sizeof text);
    ck_assert_str_eq (text, expected);
}

static void s_expect_line (const char *line, size_t width, const char *expected)
{
    char text[1024];
    s_print (NULL, line, width, text, sizeof text);
    ck_assert_str_eq (text, expected);
}

START_TEST (a_table_is_as_wide_as_it_is_where_nothing_bounds_it)
{
    static const char *const whole =
        "NAME    SENT  DONE  LOST  WHAT                                      WHY\n"
        "ant        1    22     3  a → b, c → d, e → f, g → h, i → j, k → l  worse\n"
        "beetle     4     5     6  a → b\n";
    s_expect (0, whole);
    s_expect (73, whole);
}
END_TEST

START_TEST (what_may_be_cut_is_cut_as_long_as_enough_of_it_is_left)
{
    s_expect (63, "NAME    SENT  DONE  LOST  WHAT                            WHY\n"
                  "ant        1    22     3  a → b, c → d, e → f, g → h, i…  worse\n"
                  "beetle     4     5     6  a → b\n");
}
END_TEST

START_TEST (then_columns_are_dropped_from_the_right)
{
    s_expect (62, "NAME    SENT  DONE  WHAT                                 WHY\n"
                  "ant        1    22  a → b, c → d, e → f, g → h, i → j,…  worse\n"
                  "beetle     4     5  a → b\n");
    s_expect (55, "NAME    DONE  WHAT                                WHY\n"
                  "ant       22  a → b, c → d, e → f, g → h, i → j…  worse\n"
                  "beetle     5  a → b\n");
}
END_TEST

START_TEST (then_cells_are_cut_the_widest_first_but_no_heads)
{
    s_expect (25, "NAME    DONE  WHAT  WHY\n"
                  "ant       22  a →…  worse\n"
                  "beetle     5  a →…\n");
    s_expect (1, "NAME    DONE  WHAT  WHY\n"
                 "ant       22  a →…  wo…\n"
                 "beetle     5  a →…\n");
}
END_TEST

START_TEST (some_columns_are_dropped_only_where_little_would_be_left_of_others)
{
    static const struct {
        size_t width;
        const char *expected;
    } cases[] = {{52, "TIME      NAME  WHAT                        FROM\n"
                      "12:30:05  ant   a → b, c → d, e → f, g → h  operator\n"},
                 {51, "TIME      NAME  WHAT\n"
                      "12:30:05  ant   a → b, c → d, e → f, g → h\n"},
                 {28, "TIME      NAME  WHAT\n"
                      "12:30:05  ant   a → b, c → …\n"},
                 {27, "NAME  WHAT\n"
                      "ant   a → b, c → d, e → f,…\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[1024];
        output_table_t *table = output_table_new ("!TIME|NAME|~WHAT|?FROM");
        output_table_row (table, "12:30:05|ant|a → b, c → d, e → f, g → h|operator");
        s_print (table, NULL, cases[i].width, text, sizeof text);
        ck_assert_str_eq (text, cases[i].expected);
    }
}
END_TEST

START_TEST (a_list_that_is_too_long_for_its_cell_says_so)
{
    output_cell_t cell = {""};
    size_t fitting = 0;
    while (output_list (&cell, "%s %zu", "→", fitting))
        fitting++;
    ck_assert_uint_gt (fitting, 10);
    ck_assert_int_eq (strncmp (cell.text, "→ 0, → 1, → 2, ", strlen ("→ 0, → 1, → 2, ")), 0);
    ck_assert_str_eq (cell.text + strlen (cell.text) - strlen (", …"), ", …");
    output_cell_t before = cell;
    ck_assert (!output_list (&cell, "x"));
    ck_assert_str_eq (cell.text, before.text);
}
END_TEST

START_TEST (a_list_of_one_that_is_too_long_is_a_cut_alone)
{
    output_cell_t cell = {""};
    ck_assert (!output_list (&cell, "%0*d", OUTPUT_CELL_BYTES, 7));
    ck_assert_str_eq (cell.text, "…");
}
END_TEST

START_TEST (a_line_is_cut_where_a_terminal_ends_and_nowhere_else)
{
    s_expect_line ("a → b → c", 0, "a → b → c\n");
    s_expect_line ("a → b → c", 9, "a → b → c\n");
    s_expect_line ("a → b → c", 8, "a → b →…\n");
    s_expect_line ("a → b → c", 3, "a …\n");
    s_expect_line ("a", 1, "a\n");
    s_expect_line ("ab", 1, "…\n");
    s_expect_line ("", 1, "\n");
}
END_TEST

START_TEST (styles_take_no_room_in_a_line)
{
    s_expect_line ("\033[32mab\033[0m cd", 5, "\033[32mab\033[0m cd\n");
    s_expect_line ("\033[32mab\033[0m cd", 4, "\033[32mab\033[0m …\n");
}
END_TEST

START_TEST (a_change_beyond_all_measure_is_told_all_the_same)
{
    ck_assert_str_eq (output_percent (0.0125).text, "+1.25 %");
    ck_assert_str_eq (output_percent (-1e-9).text, "+0.00 %");
    ck_assert_str_eq (output_percent (9999).text, "+999900.00 %");
    ck_assert_str_eq (output_percent (-12345678).text, "-1.23e+09 %");
    ck_assert_str_eq (output_percent (1e308).text, "+1e+310 %");
    ck_assert_str_eq (output_percent (INFINITY).text, "-");
    ck_assert_str_eq (output_percent (NAN).text, "-");
}
END_TEST

START_TEST (a_text_is_made_one_line_whole)
{
    char expected[301];
    memset (expected, 'x', sizeof expected);
    expected[300] = '\0';
    ck_assert_str_eq (output_text (text_of (expected)).text, expected);
    ck_assert_str_eq (output_text (text_of ("a|b\nc\td")).text, "a b c d");
    ck_assert_str_eq (output_text ((text_t){NULL, 0}).text, "");
}
END_TEST

SUITE_MAIN ("cli/output", some_columns_are_dropped_only_where_little_would_be_left_of_others,
            a_line_is_cut_where_a_terminal_ends_and_nowhere_else, styles_take_no_room_in_a_line,
            a_change_beyond_all_measure_is_told_all_the_same, a_text_is_made_one_line_whole,
            a_table_is_as_wide_as_it_is_where_nothing_bounds_it,
            what_may_be_cut_is_cut_as_long_as_enough_of_it_is_left, then_columns_are_dropped_from_the_right,
            then_cells_are_cut_the_widest_first_but_no_heads, a_list_that_is_too_long_for_its_cell_says_so,
            a_list_of_one_that_is_too_long_is_a_cut_alone)
