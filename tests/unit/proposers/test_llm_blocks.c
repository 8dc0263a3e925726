/* SPDX-License-Identifier: MPL-2.0 */
#include "proposers/llm_blocks.h"
#include "tests/lib/suite.h"

static bool s_is (text_t text, const char *expected)
{
    return text_equal (text, expected);
}

START_TEST (blocks_are_found_with_their_headings)
{
    llm_blocks_t blocks;
    const char *answer =
        "A better rule.\n\n### `a.c`\n```c\n<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\n"
        "```\nb.c\n<<<<<<< SEARCH\r\n=======\r\nall of it\n\n>>>>>>> REPLACE  \n";
    ck_assert_int_eq (llm_blocks_parse (text_of (answer), &blocks, NULL), 0);
    ck_assert_uint_eq (blocks.count, 2);
    ck_assert (s_is (blocks.items[0].heading, "### `a.c`\n"));
    ck_assert (s_is (blocks.items[0].search, "old\n"));
    ck_assert (s_is (blocks.items[0].replace, "new\n"));
    ck_assert (s_is (blocks.items[1].heading, "b.c\n"));
    ck_assert_uint_eq (blocks.items[1].search.size, 0);
    ck_assert (s_is (blocks.items[1].replace, "all of it\n\n"));
}
END_TEST

START_TEST (an_answer_that_breaks_off_is_told_as_one)
{
    static const char *const answers[] = {
        "a.c\n<<<<<<< SEARCH\nold\n", "a.c\n<<<<<<< SEARCH\nold\n=======\nnew\n",
        "a.c\n<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\n<<<<<<< SEARCH\nx"};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        llm_blocks_t blocks;
        problem_t problem;
        ck_assert_int_eq (llm_blocks_parse (text_of (answers[i]), &blocks, &problem), -1);
        ck_assert_ptr_nonnull (strstr (problem.text, "cut off"));
    }
}
END_TEST

START_TEST (an_answer_without_a_block_is_refused)
{
    static const char *const answers[] = {"", "I would rather not.", "<<<<<< SEARCH\nx\n=======\ny\n"};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        llm_blocks_t blocks;
        problem_t problem;
        ck_assert_int_eq (llm_blocks_parse (text_of (answers[i]), &blocks, &problem), -1);
        ck_assert_ptr_nonnull (strstr (problem.text, "no SEARCH/REPLACE block"));
    }
}
END_TEST

START_TEST (more_blocks_than_there_is_room_for_are_refused)
{
    static const char one[] = "<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n";
    static char answer[(LLM_BLOCKS_MAX + 1) * sizeof one];
    llm_blocks_t blocks;
    for (size_t i = 0; i < LLM_BLOCKS_MAX; i++)
        strcat (answer, one);
    ck_assert_int_eq (llm_blocks_parse (text_of (answer), &blocks, NULL), 0);
    ck_assert_uint_eq (blocks.count, LLM_BLOCKS_MAX);
    strcat (answer, one);
    ck_assert_int_eq (llm_blocks_parse (text_of (answer), &blocks, NULL), -1);
}
END_TEST

START_TEST (the_summary_is_the_first_line_that_says_something)
{
    ck_assert (s_is (llm_blocks_summary (text_of ("\n```\n  Use a table.  \na.c\n")), "Use a table."));
    ck_assert_uint_eq (llm_blocks_summary (text_of ("<<<<<<< SEARCH\na\n")).size, 0);
    ck_assert_uint_eq (llm_blocks_summary (text_of ("")).size, 0);
}
END_TEST

START_TEST (what_it_was_crossed_with_is_said_above_the_blocks)
{
    static const struct {
        const char *answer;
        size_t number;
    } cases[] = {{"Better.\nCrossed with candidate 3\na.c\n<<<<<<< SEARCH\n", 3},
                 {"**Crossed with candidate 12.**", 12},
                 {"a.c\n<<<<<<< SEARCH\nCrossed with candidate 3\n", 0},
                 {"Crossed with candidate", 0},
                 {"Crossed with candidate two", 0},
                 {"Crossed with candidate 99999999999999999999", 9999},
                 {"", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_uint_eq (llm_blocks_crossed (text_of (cases[i].answer)), cases[i].number);
}
END_TEST

SUITE_MAIN ("llm_blocks", blocks_are_found_with_their_headings, an_answer_that_breaks_off_is_told_as_one,
            an_answer_without_a_block_is_refused, more_blocks_than_there_is_room_for_are_refused,
            the_summary_is_the_first_line_that_says_something,
            what_it_was_crossed_with_is_said_above_the_blocks)
