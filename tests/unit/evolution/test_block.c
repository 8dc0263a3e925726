/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/block.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/suite.h"

#define START "# EVOLVE-BLOCK-START\n"
#define END   "# EVOLVE-BLOCK-END\n"

static const char s_base[] = "import a\n" START "x = 1\n" END "def f (): pass\n" START END "print (f)\n";

/* Compares with the base; the text is copied to its exact size, so that the sanitizer watches its bounds. */
static int s_compare (const char *text, problem_t *problem)
{
    size_t size = strlen (text);
    char *copy = malloc (size + (size == 0));
    ck_assert_ptr_nonnull (copy);
    memcpy (copy, text, size);
    int result = blocks_compare (s_base, sizeof s_base - 1, copy, size, problem);
    free (copy);
    return result;
}

START_TEST (what_stands_between_the_markers_may_change)
{
    static const char *const texts[] = {
        s_base,
        "import a\n" START END "def f (): pass\n" START END "print (f)\n",
        "import a\n" START "x = 2\ny = 3\n\n" END "def f (): pass\n" START "z\n" END "print (f)\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        problem_t problem = {.text = ""};
        ck_assert_msg (s_compare (texts[i], &problem) == 0, "%s", problem.text);
    }
}
END_TEST

static const struct {
    const char *text;
    const char *problem;
} s_outside[] = {
    {"import b\n" START "x = 1\n" END "def f (): pass\n" START END "print (f)\n",
     "line 1: it was changed, and stands outside of the blocks: import a"},
    {"import a\n" START "x = 1\n" END "def f (): pass\n" START END "print (f)\nevil ()\n",
     "line 9: it is new, and stands outside of the blocks: evil ()"},
    {"import a\n" START "x = 1\n" END "def f (): pass\n" START END "print (f)",
     "line 8: it was changed, and stands outside of the blocks: print (f)"},
    {"import a\n" START "x = 1\n" END "def f (): pass\n" START END,
     "line 8: it was changed, and stands outside of the blocks: print (f)"},
    {"import a\n" START "x = 1\n" END "evil ()\n" START END "def f (): pass\n" START END "print (f)\n",
     "line 5: it was changed, and stands outside of the blocks: def f (): pass"},
    {"import a\n" START "x = 1\n" START END "def f (): pass\n" START END "print (f)\n",
     "line 4: it was changed, and stands outside of the blocks: # EVOLVE-BLOCK-END"},
    {"import a\nx = 1\ndef f (): pass\nprint (f)\n",
     "line 2: it was changed, and stands outside of the blocks: # EVOLVE-BLOCK-START"},
    {"import a\n  " START "x = 1\n" END "def f (): pass\n" START END "print (f)\n",
     "line 2: it was changed, and stands outside of the blocks: # EVOLVE-BLOCK-START"},
    {"", "line 1: it was changed, and stands outside of the blocks: import a"},
};

START_TEST (what_stands_outside_may_not_change)
{
    problem_t problem = {.text = ""};
    ck_assert_int_eq (s_compare (s_outside[_i].text, &problem), -1);
    ck_assert_str_eq (problem.text, s_outside[_i].problem);
}
END_TEST

START_TEST (markers_stand_in_comments_of_any_style)
{
    static const char start[] = "a;\n/* EVOLVE-BLOCK-START: the rule */\nb;\r\n// EVOLVE-BLOCK-END\r\n";
    static const char inside[] = "a;\n/* EVOLVE-BLOCK-START: the rule */\nc;\r\n// EVOLVE-BLOCK-END\r\n";
    static const char outside[] = "d;\n/* EVOLVE-BLOCK-START: the rule */\nb;\r\n// EVOLVE-BLOCK-END\r\n";
    ck_assert (blocks_marked (start, sizeof start - 1));
    ck_assert_int_eq (blocks_check (start, sizeof start - 1, NULL), 0);
    ck_assert_int_eq (blocks_compare (start, sizeof start - 1, inside, sizeof inside - 1, NULL), 0);
    ck_assert_int_eq (blocks_compare (start, sizeof start - 1, outside, sizeof outside - 1, NULL), -1);
}
END_TEST

START_TEST (a_text_without_markers_has_no_blocks)
{
    static const char text[] = "EVOLVE-BLOCK\nEVOLVE_BLOCK_START\n";
    ck_assert (!blocks_marked (text, sizeof text - 1));
    ck_assert (!blocks_marked (NULL, 0));
    ck_assert (blocks_marked (END, strlen (END)));
}
END_TEST

static const struct {
    const char *text;
    const char *problem;
} s_disordered[] = {
    {"a\n" START "b\n", "line 3: found the end of the file, expected EVOLVE-BLOCK-END"},
    {"a\n" END, "line 2: found EVOLVE-BLOCK-END without EVOLVE-BLOCK-START"},
    {START START END END, "line 2: found a second EVOLVE-BLOCK-START, expected EVOLVE-BLOCK-END"},
    {START END END, "line 3: found EVOLVE-BLOCK-END without EVOLVE-BLOCK-START"},
    {START "EVOLVE-BLOCK-END EVOLVE-BLOCK-START", "line 2: found both markers, expected one on a line"},
};

START_TEST (markers_out_of_order_are_told_with_their_line)
{
    problem_t problem = {.text = ""};
    const char *text = s_disordered[_i].text;
    ck_assert_int_eq (blocks_check (text, strlen (text), &problem), -1);
    ck_assert_str_eq (problem.text, s_disordered[_i].problem);
}
END_TEST

int main (void)
{
    Suite *suite = suite_create ("block");
    TCase *tcase = tcase_create ("block");
    tcase_add_test (tcase, what_stands_between_the_markers_may_change);
    tcase_add_loop_test (tcase, what_stands_outside_may_not_change, 0,
                         (int)(sizeof s_outside / sizeof *s_outside));
    tcase_add_test (tcase, markers_stand_in_comments_of_any_style);
    tcase_add_test (tcase, a_text_without_markers_has_no_blocks);
    tcase_add_loop_test (tcase, markers_out_of_order_are_told_with_their_line, 0,
                         (int)(sizeof s_disordered / sizeof *s_disordered));
    suite_add_tcase (suite, tcase);
    SRunner *runner = srunner_create (suite);
    srunner_run_all (runner, CK_ENV);
    int failed = srunner_ntests_failed (runner);
    srunner_free (runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
