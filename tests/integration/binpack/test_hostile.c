/* SPDX-License-Identifier: MPL-2.0 */
/* Candidates that cheat: each is invalid with its reason, or scores what is true. */
#define _GNU_SOURCE
#include "tests/integration/binpack/agent_bench.h"

/* Best fit, to which most of them add their trick. */
#define BEST_FIT                                                \
    "double priority (int item, int remaining, int capacity)\n" \
    "{ return -(double)(remaining - item) / capacity; }\n"
#define PERFECT "{\\\"metrics\\\": {\\\"excess_bins\\\": 0, \\\"ns_per_item\\\": 1}}\\n"
#define FIRST   "__attribute__ ((constructor)) static void s_first (void)\n"
#define LAST    "__attribute__ ((destructor)) static void s_last (void)\n"
#define HEADERS                                                                                             \
    "#include <fcntl.h>\n#include <math.h>\n#include <signal.h>\n#include <stdio.h>\n#include <stdlib.h>\n" \
    "#include <string.h>\n#include <sys/socket.h>\n#include <unistd.h>\n"

#define TRUE_SCORE "true score"

static const struct {
    const char *name;
    const char *source;
    const char *reason; /* in the problem; TRUE_SCORE: valid, with best fit's excess */
} s_cases[] = {
    {"prints a perfect score from a constructor",
     HEADERS FIRST "{ printf (\"" PERFECT "\"); fflush (stdout); }\n" BEST_FIT, TRUE_SCORE},
    {"prints a perfect score on every descriptor and leaves",
     HEADERS FIRST "{ for (int i = 0; i < 64 * 9; i++) dprintf (i / 9, \"" PERFECT
                   "\"); _exit (0); }\n" BEST_FIT,
     "the candidate answered bin"},
    {"opens its parent's stdout and prints there",
     HEADERS FIRST "{ char p[64]; for (int i = 0; i < 99; i++) { snprintf (p, 64, \"/proc/%d/fd/1\", i);\n"
                   "int fd = open (p, O_WRONLY); if (fd >= 0) dprintf (fd, \"" PERFECT "\"); } }\n" BEST_FIT,
     TRUE_SCORE},
    {"leaves with _exit (0)",
     HEADERS
     "double priority (int a, int b, int c) { static int n; if (n++ > 99) _exit (0); return a + b + c; }\n",
     "the candidate ended before it had answered, with exit code 0"},
    {"leaves with exit (0)", HEADERS "double priority (int a, int b, int c) { exit (a + b + c < 0); }\n",
     "the candidate ended before it had answered, with exit code 0"},
    {"pretends that the jail failed",
     HEADERS "double priority (int a, int b, int c) { _exit (a + b + c ? 126 : 0); }\n",
     "could not be started"},
    {"loops for ever",
     "double priority (int a, int b, int c) { for (volatile int i = 0;; i++) a = b + c; }\n",
     "the candidate was ended by signal 9 (Killed)"},
    {"sleeps for ever",
     HEADERS "double priority (int a, int b, int c) { for (;;) pause (); return a + b + c; }\n",
     "the candidate took longer than 8 s"},
    {"loops for ever when all is answered", LAST "{ for (volatile int i = 0;; i++) ; }\n" BEST_FIT,
     "the candidate was ended by signal 9 (Killed)"},
    {"closes its descriptors and sleeps",
     HEADERS
     "double priority (int a, int b, int c) { close (0); close (3); for (;;) pause (); return a + b + c; }\n",
     "the candidate took longer than 8 s"},
    {"returns NaN", HEADERS "double priority (int a, int b, int c) { return (a + b + c) * NAN; }\n",
     "priority () returned a value that is not a number"},
    {"writes through a wild pointer",
     "double priority (int a, int b, int c) { *(volatile int *)(long)(a + b) = c; return 0; }\n",
     "the candidate was ended by signal 11 (Segmentation fault)"},
    {"scribbles on all its writable memory",
     "extern char __data_start[], end[];\n"
     "double priority (int a, int b, int c) { for (char *p = __data_start; p < end; p++) *p = (char)0xa5;\n"
     "return a + b + c; }\n",
     "the candidate "},
    {"scribbles on its stack",
     "double priority (int a, int b, int c) { volatile char *p = (char *)&a;\n"
     "for (int i = 0; i < 1 << 24; i++) p[i] = 0x5a; return b + c; }\n",
     "the candidate was ended by signal "},
    {"answers ahead what makes no sense", HEADERS FIRST "{ write (3, \"\\xfe\\xff\", 2); }\n" BEST_FIT,
     "the candidate answered bin 65534 of "},
    {"answers without reading",
     HEADERS FIRST
     "{ static char none[4096]; for (;;) if (write (3, none, sizeof none) < 0) _exit (0); }\n" BEST_FIT,
     "the candidate took longer than 8 s"},
    {"answers less than it was asked",
     HEADERS FIRST "{ close (3); open (\"/dev/null\", O_WRONLY); }\n" BEST_FIT, "the candidate ended before"},
    {"reads the seed, the evaluator or its memory",
     HEADERS "static void s_try (const char *path) { if (open (path, O_RDONLY) >= 0) _exit (77); }\n" FIRST
             "{ s_try (\"/private/seed\"); s_try (\"/private\"); s_try (\"/agent/evaluator.c\"); s_try "
             "(\"/agent\");\n"
             "char p[64]; for (int i = 1; i < 99; i++) { if (i == getpid ()) continue;\n"
             "snprintf (p, 64, \"/proc/%d/root/private/seed\", i); s_try (p);\n"
             "snprintf (p, 64, \"/proc/%d/mem\", i); s_try (p); } }\n" BEST_FIT,
     TRUE_SCORE},
    {"includes the seed", "static const unsigned long s_seed =\n#include \"/private/seed\"\n;\n" BEST_FIT,
     "priority.c does not compile: "},
    {"takes the seed in by the assembler",
     "__asm__ (\".section .data\\n.incbin \\\"/private/seed\\\"\\n.text\\n\");\n" BEST_FIT,
     "priority.c does not compile: "},
    {"includes the evaluator", "#include \"evaluator.c\"\n" BEST_FIT, "priority.c does not compile: "},
    {"forks without end",
     HEADERS FIRST "{ for (int i = 0; i < 100000; i++) if (fork () >= 0) for (;;) fork (); }\n" BEST_FIT,
     TRUE_SCORE},
    {"eats memory",
     HEADERS "double priority (int a, int b, int c) { for (;;) { char *p = malloc (1 << 20);\n"
             "if (!p) abort (); memset (p, 1, 1 << 20); } return a + b + c; }\n",
     "the candidate was ended by signal 6 (Aborted)"},
    {"kills whom it can",
     HEADERS FIRST
     "{ kill (getppid (), SIGKILL); kill (1, SIGKILL); kill (-1, SIGKILL); kill (0, SIGURG); }\n" BEST_FIT,
     TRUE_SCORE},
    {"prints without end",
     HEADERS FIRST "{ static char text[65536]; memset (text, 'x', sizeof text);\n"
                   "for (int i = 0; i < 16384; i++) { write (1, text, sizeof text); write (2, text, sizeof "
                   "text); } }\n" BEST_FIT,
     TRUE_SCORE},
    {"opens a socket", HEADERS FIRST "{ if (socket (AF_INET, SOCK_STREAM, 0) >= 0) _exit (77); }\n" BEST_FIT,
     TRUE_SCORE},
    {"is no C", "double priority (int item,\n", "priority.c does not compile: "},
    {"has another function", "double value (int a) { return a; }\n", "priority.c does not compile: "},
    {"brings a main of its own", "int main (void) { return 0; }\n" BEST_FIT, "priority.c does not compile: "},
    {"includes itself", "#include \"priority.c\"\n" BEST_FIT, "priority.c does not compile: "},
    {"includes an endless file", "#include \"/dev/zero\"\n" BEST_FIT, "priority.c does not compile: "},
    {"compiles into gigabytes", "char s_huge[1L << 32] = {1};\n" BEST_FIT, "priority.c does not compile: "},
    {"expands without end",
     "#define A B B B B B B B B B B B B B B B B\n#define B C C C C C C C C C C C C C C C C\n"
     "#define C D D D D D D D D D D D D D D D D\n#define D E E E E E E E E E E E E E E E E\n"
     "#define E F F F F F F F F F F F F F F F F\n#define F G G G G G G G G G G G G G G G G\n"
     "#define G int;\nA\nA\nA\nA\n" BEST_FIT,
     "priority.c does not compile: "},
};

START_TEST (a_cheat_is_invalid_with_its_reason_or_scores_what_is_true)
{
    bench_t bench = bench_binpack ();
    bool honest = strcmp (s_cases[_i].reason, TRUE_SCORE) == 0;
    measured_t truth = {.valid = false};
    if (honest)
        truth = bench_measure (&bench);
    scratch_write (&bench.scratch, "agent/priority.c", s_cases[_i].source);
    measured_t measured = bench_measure (&bench);
    const char *error = measured.outcome.error;
    if (honest) {
        ck_assert_msg (measured.valid, "%s: %s\nstderr: %s", s_cases[_i].name, measured.problem.text, error);
        ck_assert_double_eq (measured.metrics.values[0], truth.metrics.values[0]);
    } else {
        ck_assert_msg (!measured.valid, "%s: scored %g", s_cases[_i].name, measured.metrics.values[0]);
        ck_assert_msg (strstr (measured.problem.text, s_cases[_i].reason) != NULL, "%s: %s\nstderr: %s",
                       s_cases[_i].name, measured.problem.text, error);
    }
    ck_assert_ptr_null (strstr (measured.problem.text, "5eed0000")); /* a compiler's message must not tell */
    ck_assert_ptr_null (strstr (error, "5eed0000"));
    bench_destroy (&bench);
}
END_TEST

int main (void)
{
    Suite *suite = suite_create ("hostile");
    TCase *tcase = tcase_create ("hostile");
    tcase_add_loop_test (tcase, a_cheat_is_invalid_with_its_reason_or_scores_what_is_true, 0,
                         (int)(sizeof s_cases / sizeof *s_cases));
    suite_add_tcase (suite, tcase);
    SRunner *runner = srunner_create (suite);
    srunner_run_all (runner, CK_ENV);
    int failed = srunner_ntests_failed (runner);
    srunner_free (runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
