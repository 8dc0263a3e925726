/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/tokens.h"
#include "tests/lib/suite.h"

#include <stdbool.h>
#include <string.h>

static bool s_alike (const char *path, const char *a, const char *b)
{
    buffer_t one = {0}, other = {0};
    tokens_write (path, a, strlen (a), &one);
    tokens_write (path, b, strlen (b), &other);
    bool alike = one.size == other.size && (one.size == 0 || memcmp (one.data, other.data, one.size) == 0);
    buffer_clear (&one);
    buffer_clear (&other);
    return alike;
}

START_TEST (test_comments_and_spaces_of_c_say_nothing)
{
    ck_assert (s_alike ("a.c", "int x = 1; // one\n", "int x=1;\n"));
    ck_assert (s_alike ("src/a.c", "int f (int a)\n{\n    return a+1;\n}\n",
                        "int f(int a)\n\n{ /* what\n it does */\n\treturn a + 1; \n}\n"));
    ck_assert (s_alike ("a.h", "a/**/b\n", "a b\n"));
    ck_assert (s_alike ("A.java", "x = y;\r\n", "x = y;\n"));
}
END_TEST

START_TEST (test_what_means_something_else_stays_different)
{
    static const char *const pairs[][2] = {
        {"int x = 1;", "int x = 2;"},
        {"return x;", "returnx;"},
        {"a - -b", "a --b"},
        {"x / *p", "x /*p"},
        {"s = \"a  b\";", "s = \"a b\";"},
        {"s = \"// one\";", "s = \"// two\";"},
        {"c = '\"'; // one", "c = '\"'; two"},
        {"#define f(x) x", "#define f (x) x"},
        {"#define A 1\n#define B 2", "#define A 1 #define B 2"},
        {"L \"a\"", "L\"a\""},
        {"x = 1 .5", "x = 1.5"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        ck_assert_msg (!s_alike ("a.c", pairs[i][0], pairs[i][1]), "%s", pairs[i][0]);
}
END_TEST

START_TEST (test_a_notation_that_is_not_followed_counts_byte_for_byte)
{
    ck_assert (!s_alike ("a.cpp", "s = R\"(// a)\"; // x", "s = R\"(// a)\"; // y"));
    ck_assert (!s_alike ("a.c", "#define S(x) #x\nS (a + b)", "#define S(x) #x\nS (a+b)"));
    ck_assert (!s_alike ("a.c", "// a \\\nint x;", "// b \\\nint x;"));
    ck_assert (!s_alike ("a.c", "/* never closed a", "/* never closed b"));
    ck_assert (!s_alike ("a.txt", "a // x", "a // y"));
    ck_assert (!s_alike ("a.rs", "a // x", "a // y"));
    ck_assert (!s_alike ("Makefile", "a: b # x", "a: b # y"));
}
END_TEST

START_TEST (test_python_keeps_its_indentation)
{
    ck_assert (s_alike ("a.py", "def f(x):  # doubles\n    return x*2\n",
                        "def f (x):\n\n  # so it is\n    return x * 2\n"));
    ck_assert (!s_alike ("a.py", "if x:\n    a()\n    b()\n", "if x:\n    a()\nb()\n"));
    ck_assert (!s_alike ("a.py", "s = '# one'\n", "s = '# two'\n"));
    ck_assert (!s_alike ("a.py", "s = '''\n# one\n'''\n", "s = '''\n# two\n'''\n"));
    ck_assert (!s_alike ("a.py", "a // b\n", "a // c\n"));
}
END_TEST

SUITE_MAIN ("evolution/tokens", test_comments_and_spaces_of_c_say_nothing,
            test_what_means_something_else_stays_different,
            test_a_notation_that_is_not_followed_counts_byte_for_byte, test_python_keeps_its_indentation)
