/* SPDX-License-Identifier: MPL-2.0 */
#include "proposers/llm_apply.h"
#include "tests/lib/suite.h"

#include <stdio.h>

typedef struct {
    llm_file_t files[2];
    size_t count;
    char report[LLM_REPORT_BYTES];
    int rc;
} outcome_t;

/* Applies an answer to a.c, and to b.c if it is given. */
static outcome_t s_apply (const char *a, const char *b, const char *answer)
{
    outcome_t outcome = {.files = {{.path = "a.c"}, {.path = "lib/b.c"}}, .count = b == NULL ? 1 : 2};
    llm_blocks_t blocks;
    problem_t problem = {""};
    buffer_append (&outcome.files[0].text, a, strlen (a));
    if (b != NULL)
        buffer_append (&outcome.files[1].text, b, strlen (b));
    ck_assert_msg (llm_blocks_parse (text_of (answer), &blocks, &problem) == 0, "%s", problem.text);
    outcome.rc = llm_apply (outcome.files, outcome.count, &blocks, outcome.report);
    return outcome;
}

static void s_expect (const outcome_t *outcome, size_t file, const char *text)
{
    const buffer_t *is = &outcome->files[file].text;
    ck_assert_msg (is->size == strlen (text) && memcmp (is->data, text, is->size) == 0,
                   "found \"%.*s\", expected \"%s\"; %s", (int)is->size, (const char *)is->data, text,
                   outcome->report);
}

static void s_clear (outcome_t *outcome)
{
    buffer_clear (&outcome->files[0].text);
    buffer_clear (&outcome->files[1].text);
}

/* The answer gives that text of the one file. */
static void s_gives (const char *text, const char *answer, const char *expected)
{
    outcome_t outcome = s_apply (text, NULL, answer);
    ck_assert_msg (outcome.rc == 0, "%s", outcome.report);
    s_expect (&outcome, 0, expected);
    s_clear (&outcome);
}

/* The answer fits nowhere: the model is told `why`, and the file is as it was. */
static void s_refuses (const char *text, const char *answer, const char *why)
{
    outcome_t outcome = s_apply (text, NULL, answer);
    ck_assert_int_eq (outcome.rc, -1);
    ck_assert_msg (strstr (outcome.report, why) != NULL, "found \"%s\", expected \"%s\"", outcome.report,
                   why);
    s_expect (&outcome, 0, text);
    s_clear (&outcome);
}

#define BLOCK(search, replace) "<<<<<<< SEARCH\n" search "=======\n" replace ">>>>>>> REPLACE\n"

START_TEST (what_stands_there_exactly_is_replaced)
{
    s_gives ("one\ntwo\nthree\n", BLOCK ("two\n", "2\n2b\n"), "one\n2\n2b\nthree\n");
    s_gives ("one\ntwo\nthree\n", BLOCK ("two\n", ""), "one\nthree\n");
    s_gives ("one\ntwo", BLOCK ("two\n", "2\n"), "one\n2");
    s_gives ("one\ntwo\n", BLOCK ("one\n", "1\n") BLOCK ("1\ntwo\n", "12\n"), "12\n");
}
END_TEST

START_TEST (an_exact_place_goes_before_a_similar_one)
{
    s_gives ("  x = 1;\nx = 1;\n", BLOCK ("x = 1;\n", "x = 2;\n"), "  x = 1;\nx = 2;\n");
}
END_TEST

START_TEST (white_space_may_differ_and_the_file_keeps_its_own)
{
    s_gives ("if (a) {\n\t\tx  =  1;\n\t\ty = 2;\n}\n",
             BLOCK ("\nx = 1;  \n  y = 2;\n\n", "\nx = 3;\n    z = 4;\n"),
             "if (a) {\n\t\tx = 3;\n\t\t    z = 4;\n}\n");
    s_gives ("a\r\nb\r\nc\r\n", BLOCK ("b\n", "B\nBB\n"), "a\r\nB\r\nBB\r\nc\r\n");
}
END_TEST

START_TEST (white_space_is_not_ignored_between_words_and_none)
{
    s_refuses ("int a;\n", BLOCK ("inta;\n", "int b;\n"), "don't stand in a.c");
}
END_TEST

START_TEST (an_empty_search_replaces_the_whole_file)
{
    s_gives ("one\ntwo\n", BLOCK ("", "all new\n"), "all new\n");
}
END_TEST

START_TEST (what_stands_there_twice_is_refused)
{
    s_refuses ("x\ny\nx\n", BLOCK ("x\n", "z\n"), "2 times, first on line 1");
    s_refuses ("  x\ny\n\tx\n", BLOCK ("x\n", "z\n"), "2 times");
}
END_TEST

START_TEST (what_is_not_there_is_refused_with_the_most_similar_lines)
{
    s_refuses ("alpha\nint a = 1;\nint b = 2;\nomega\n", BLOCK ("int a = 1;\nint b = 3;\n", "x\n"),
               "from line 2 on:\nint a = 1;\nint b = 2;\n");
    s_refuses ("alpha\n", BLOCK ("beta\n", "x\n"), "don't stand in a.c");
    s_refuses ("alpha\n", BLOCK ("\n \n", "x\n"), "only blank lines");
}
END_TEST

START_TEST (blocks_that_change_nothing_are_refused)
{
    s_refuses ("x\n", BLOCK ("x\n", "x\n"), "change nothing");
}
END_TEST

START_TEST (several_files_change_at_once_or_not_at_all)
{
    outcome_t both =
        s_apply ("a\n", "b\n", "a.c\n" BLOCK ("a\n", "A\n") "**lib/b.c**:\n" BLOCK ("b\n", "B\n"));
    ck_assert_msg (both.rc == 0, "%s", both.report);
    s_expect (&both, 0, "A\n");
    s_expect (&both, 1, "B\n");
    s_clear (&both);
    outcome_t none = s_apply ("a\n", "b\n", "a.c\n" BLOCK ("a\n", "A\n") "lib/b.c\n" BLOCK ("c\n", "B\n"));
    ck_assert_int_eq (none.rc, -1);
    ck_assert_ptr_nonnull (strstr (none.report, "Block 2"));
    s_expect (&none, 0, "a\n");
    s_expect (&none, 1, "b\n");
    s_clear (&none);
}
END_TEST

START_TEST (a_block_without_a_name_belongs_to_the_file_before_it)
{
    outcome_t outcome = s_apply (
        "a\n", "b\nc\n", "Now in `lib/b.c` this:\n" BLOCK ("b\n", "B\n") "\nand then\n" BLOCK ("c\n", "C\n"));
    ck_assert_msg (outcome.rc == 0, "%s", outcome.report);
    s_expect (&outcome, 1, "B\nC\n");
    s_clear (&outcome);
    outcome = s_apply ("a\n", "b\n", BLOCK ("a\n", "A\n"));
    ck_assert_int_eq (outcome.rc, -1);
    ck_assert_ptr_nonnull (strstr (outcome.report, "names no file"));
    s_clear (&outcome);
}
END_TEST

START_TEST (a_file_that_may_not_change_is_refused)
{
    s_refuses ("a\n", "../evaluate\n" BLOCK ("a\n", "A\n"),
               "../evaluate, which may not change. Files that may: a.c");
    s_refuses ("a\n", "evaluator.c\n" BLOCK ("", "A\n"), "may not change");
}
END_TEST

START_TEST (outside_of_marked_blocks_nothing_changes)
{
    static const char text[] = "a\n// EVOLVE-BLOCK-START\nb\n// EVOLVE-BLOCK-END\nc\n";
    s_gives (text, BLOCK ("b\n", "B\nBB\n"), "a\n// EVOLVE-BLOCK-START\nB\nBB\n// EVOLVE-BLOCK-END\nc\n");
    s_refuses (text, BLOCK ("c\n", "C\n"), "a.c may change only between");
    s_refuses (text, BLOCK ("", "b\n"), "a.c may change only between");
}
END_TEST

START_TEST (a_file_that_would_grow_beyond_its_bound_is_refused)
{
    size_t size = LIMIT_FILE_BYTES + 128;
    char *answer = malloc (size + 1);
    memset (answer, 'x', size);
    memcpy (answer, "<<<<<<< SEARCH\n=======\n", 23);
    memcpy (answer + size - 17, "\n>>>>>>> REPLACE\n", 17);
    answer[size] = '\0';
    s_refuses ("a\n", answer, "more than 1048576 bytes");
    free (answer);
}
END_TEST

START_TEST (a_report_is_bounded)
{
    char answer[LLM_BLOCKS_MAX * 400] = "", one[400];
    for (size_t i = 0; i < LLM_BLOCKS_MAX; i++) {
        snprintf (one, sizeof one, "dir%0200zu/x.c\n" BLOCK ("a\n", "A\n"), i);
        strcat (answer, one);
    }
    outcome_t outcome = s_apply ("a\n", NULL, answer);
    ck_assert_int_eq (outcome.rc, -1);
    ck_assert_uint_lt (strlen (outcome.report), LLM_REPORT_BYTES);
    s_clear (&outcome);
}
END_TEST

SUITE_MAIN ("llm_apply", what_stands_there_exactly_is_replaced, an_exact_place_goes_before_a_similar_one,
            white_space_may_differ_and_the_file_keeps_its_own,
            white_space_is_not_ignored_between_words_and_none, an_empty_search_replaces_the_whole_file,
            what_stands_there_twice_is_refused, what_is_not_there_is_refused_with_the_most_similar_lines,
            blocks_that_change_nothing_are_refused, several_files_change_at_once_or_not_at_all,
            a_block_without_a_name_belongs_to_the_file_before_it, a_file_that_may_not_change_is_refused,
            a_file_that_would_grow_beyond_its_bound_is_refused, a_report_is_bounded,
            outside_of_marked_blocks_nothing_changes)
