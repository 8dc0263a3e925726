/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/lineage.h"
#include "tests/lib/suite.h"

#include <stdio.h>
#include <string.h>

/* Candidates by letters: "D:BC" is D, made of B and C. */
static size_t s_draw (lineage_t *lineage, const char *family, char *out, size_t bytes, lineage_lines_t *lines)
{
    digest_t id = {{(uint8_t)family[0]}}, parents[2] = {{{0}}};
    size_t count = 0;
    for (const char *parent = family + 1; *parent != '\0'; parent++)
        if (*parent != ':')
            parents[count++] = (digest_t){{(uint8_t)*parent}};
    lineage_next (lineage, &id, parents, count, lines);
    size_t size = (size_t)snprintf (out, bytes, "%s %c\n", lines->row, family[0]);
    for (size_t i = 0; i < lines->joint_count; i++)
        size += (size_t)snprintf (out + size, bytes - size, "%s\n", lines->joints[i]);
    return size;
}

/* Draws the candidates, newest first, and fails unless it looks so. */
static void s_expect (const char *const families[], const char *expected)
{
    char found[1024] = "";
    size_t size = 0;
    lineage_t lineage = {0};
    lineage_lines_t lines;
    for (size_t i = 0; families[i] != NULL; i++)
        size += s_draw (&lineage, families[i], found + size, sizeof found - size, &lines);
    ck_assert_str_eq (found, expected);
}

START_TEST (a_line_of_descent_is_one_column)
{
    s_expect ((const char *const[]){"C:B", "B:A", "A", NULL}, "* C\n* B\n* A\n");
}
END_TEST

START_TEST (siblings_join_the_column_of_their_parent)
{
    s_expect ((const char *const[]){"D:A", "C:A", "B:A", "A", NULL}, "* D\n| * C\n|/\n| * B\n|/\n* A\n");
}
END_TEST

START_TEST (what_was_merged_hangs_on_both_parents)
{
    s_expect ((const char *const[]){"D:BC", "C:A", "B:A", "A", NULL}, "* D\n|\\\n| * C\n* | B\n|/\n* A\n");
    s_expect ((const char *const[]){"E:BD", "D:C", "C:A", "B:A", "A", NULL},
              "* E\n|\\\n| * D\n| * C\n* | B\n|/\n* A\n");
}
END_TEST

START_TEST (a_line_crosses_those_between)
{
    s_expect ((const char *const[]){"F:A", "E:B", "D:A", "C:BA", "B:A", "A", NULL},
              "* F\n| * E\n| | * D\n|_|/\n| | * C\n|_|/|\n| |/\n| * B\n|/\n* A\n");
}
END_TEST

START_TEST (lines_without_an_end_stay_open_and_an_orphan_ends_its_own)
{
    s_expect ((const char *const[]){"C:A", "B", "D", "A", NULL}, "* C\n| * B\n| * D\n* A\n");
}
END_TEST

/* With more lines than there is width for, the candidate is still there, and it is told that its line isn't drawn. */
START_TEST (what_has_no_column_is_shown_without_its_line)
{
    lineage_t lineage = {0};
    lineage_lines_t lines;
    for (size_t i = 0; i < LINEAGE_COLUMNS_MAX; i++) {
        digest_t id = {{1, (uint8_t)i}}, parent = {{2, (uint8_t)i}};
        lineage_next (&lineage, &id, &parent, 1, &lines);
        ck_assert (lines.drawn[0]);
        ck_assert_uint_eq (strlen (lines.row), 2 * i + 1);
    }
    digest_t id = {{3}}, parents[2] = {{{4}}, {{2, 0}}};
    lineage_next (&lineage, &id, parents, 2, &lines);
    ck_assert (!lines.drawn[0] && !lines.drawn[1]);
    ck_assert_uint_eq (strlen (lines.row), LINEAGE_BYTES - 1);
    ck_assert_uint_eq (lines.joint_count, 0);
    digest_t known = {{2, 5}},
             more[2] = {{{5}}, {{6}}}; /* one that has a column; its second parent finds none */
    lineage_next (&lineage, &known, more, 2, &lines);
    ck_assert (lines.drawn[0] && !lines.drawn[1]);
    ck_assert_int_eq (lines.row[10], '*');
}
END_TEST

SUITE_MAIN ("cli/lineage", a_line_of_descent_is_one_column, siblings_join_the_column_of_their_parent,
            what_was_merged_hangs_on_both_parents, a_line_crosses_those_between,
            lines_without_an_end_stay_open_and_an_orphan_ends_its_own,
            what_has_no_column_is_shown_without_its_line)
