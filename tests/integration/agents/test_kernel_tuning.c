/* SPDX-License-Identifier: MPL-2.0 */
/* What kernel-tuning promises: only right products score, by whatever means they are made; and there is
 * room for `tune`. */
#define _GNU_SOURCE
#include "evolution/literal.h"
#include "tests/integration/agents/proposer_bench.h"

#define KERNEL "agent/multiply.c"
#define FLAGS  "agent/flags"

static bench_t s_bench (void)
{
    static const char *const files[] = {"agent.yaml", "evaluate",   "evaluator.c", "driver.c",
                                        "matrix.h",   "multiply.c", "flags"};
    bench_t self = bench_new ("kernel-tuning", files, sizeof files / sizeof *files);
    scratch_write (&self.scratch, "private/seed", BENCH_SEED "\n");
    return self;
}

START_TEST (the_start_works)
{
    bench_t bench = s_bench ();
    measured_t measured = bench_measure (&bench);
    bench_expect_valid (&measured);
    ck_assert (measured.metrics.values[0] > 0);
    ck_assert (measured.metrics.values[1] > 100 && measured.metrics.values[1] < 4096);
    bench_destroy (&bench);
}
END_TEST

START_TEST (without_a_seed_there_is_no_result)
{
    bench_t bench = s_bench ();
    ck_assert_int_eq (remove (scratch_path (&bench.scratch, "private/seed").text), 0);
    measured_t measured = bench_measure (&bench);
    ck_assert (!measured.valid);
    ck_assert_ptr_nonnull (strstr (measured.outcome.error, "/private/seed: No such file or directory"));
    bench_destroy (&bench);
}
END_TEST

/* Sets every marked literal of a file to its first or its last choice; returns how many there are. */
static size_t s_choose (const bench_t *bench, const char *name, bool last)
{
    literals_t literals = {0};
    problem_t problem = {.text = ""};
    double values[LITERALS_MAX];
    size_t size = 0;
    char *text = scratch_read (&bench->scratch, name);
    ck_assert_msg (literals_scan (text, strlen (text), &literals, &problem) == 0, "%s", problem.text);
    for (size_t i = 0; i < literals.count; i++) {
        ck_assert_int_eq (literals.items[i].kind, LITERAL_CHOICE);
        values[i] = last ? (double)(literals.items[i].choice_count - 1) : 0;
        /* Changes of different literals merge: never two on neighbouring lines. */
        ck_assert (i == 0 || literals.items[i].line >= literals.items[i - 1].line + 2);
    }
    char *chosen = literals_apply (text, strlen (text), &literals, values, &size);
    scratch_write (&bench->scratch, name, chosen);
    size_t count = literals.count;
    literals_clear (&literals);
    free (chosen);
    free (text);
    return count;
}

START_TEST (the_ends_of_all_choices_work)
{
    double bytes[2] = {0};
    for (int last = 0; last < 2; last++) {
        bench_t bench = s_bench ();
        ck_assert_uint_eq (s_choose (&bench, KERNEL, last), 4);
        ck_assert_uint_eq (s_choose (&bench, FLAGS, last), 4);
        measured_t measured = bench_measure (&bench);
        bench_expect_valid (&measured);
        bytes[last] = measured.metrics.values[1];
        bench_destroy (&bench);
    }
    ck_assert_double_lt (bytes[0], bytes[1]); /* -Os and no tile, against -O3 and the largest */
}
END_TEST

START_TEST (tune_proposes_kernels_that_work)
{
    bench_t bench = s_bench ();
    char *start[] = {scratch_read (&bench.scratch, KERNEL), scratch_read (&bench.scratch, FLAGS)};
    bench_propose (&bench, COMMAND ("/evomesh/tune"), "[\"multiply.c\", \"flags\"]", 1);
    char *now[] = {scratch_read (&bench.scratch, KERNEL), scratch_read (&bench.scratch, FLAGS)};
    ck_assert (strcmp (start[0], now[0]) != 0 || strcmp (start[1], now[1]) != 0);
    measured_t measured = bench_measure (&bench);
    bench_expect_valid (&measured);
    for (size_t i = 0; i < 2; i++) {
        free (start[i]);
        free (now[i]);
    }
    bench_destroy (&bench);
}
END_TEST

/* --- cheats --- */

#define TRUE_SCORE "true score"
#define HEADERS \
    "#include <fcntl.h>\n#include <math.h>\n#include <stdio.h>\n#include <string.h>\n#include <unistd.h>\n"
#define FIRST    "__attribute__ ((constructor)) static void s_first (void)\n"
#define FUNCTION "void multiply (size_t n, const double *a, const double *b, double *c)\n"
#define RIGHT                                                                         \
    "for (size_t i = 0; i < n * n; i++) { c[i] = 0; for (size_t k = 0; k < n; k++)\n" \
    "c[i] += a[i / n * n + k] * b[k * n + i % n]; }\n"
#define PERFECT "{\\\"us_per_product\\\": 0.001, \\\"code_bytes\\\": 1}\\n"
#define START   NULL

static const struct {
    const char *name;
    const char *source; /* START: as it is */
    const char *flags;  /* likewise */
    const char *reason; /* in the problem; TRUE_SCORE: valid */
} s_cases[] = {
    {"is right", HEADERS FUNCTION "{ " RIGHT " }\n", START, TRUE_SCORE},
    {"is off by one in the last entry", HEADERS FUNCTION "{ " RIGHT " c[n * n - 1] += 1; }\n", START,
     "product 1 is wrong in row 192, column 192"},
    {"is off by next to nothing", HEADERS FUNCTION "{ " RIGHT " c[0] = nextafter (c[0], 1e300); }\n", START,
     "product 1 is wrong in row 1, column 1"},
    {"answers the second pair with the first one's product",
     HEADERS FUNCTION "{ static double old[36864]; static int known; if (!known++) { " RIGHT
                      " memcpy (old, c, sizeof old); } memcpy (c, old, sizeof old); }\n",
     START, "product 2 is wrong in row 1"},
    {"adds up in single precision",
     HEADERS FUNCTION "{ for (size_t i = 0; i < n * n; i++) { float s = 0; for (size_t k = 0; k < n; k++)\n"
                      "s += (float)a[i / n * n + k] * (float)b[k * n + i % n]; c[i] = s; } }\n",
     START, "product 1 is wrong in row 1"},
    {"returns NaN", HEADERS FUNCTION "{ for (size_t i = 0; i < n * n; i++) c[i] = NAN; }\n", START,
     "product 1 is wrong in row 1, column 1"},
    {"prints a perfect score from a constructor",
     HEADERS FIRST "{ for (int fd = 0; fd < 64; fd++) dprintf (fd, \"" PERFECT "\"); }\n" FUNCTION "{ " RIGHT
                   " }\n",
     START, "the candidate wrote "},
    {"prints a perfect score and leaves",
     HEADERS FIRST "{ for (int fd = 0; fd < 64; fd++) dprintf (fd, \"" PERFECT "\"); _exit (0); }\n" FUNCTION
                   "{}\n",
     START, "the candidate wrote "},
    {"loops for ever", HEADERS FUNCTION "{ for (volatile int i = 0;; i++) c[0] = i; }\n", START,
     "the candidate "}, /* was killed, or late: as busy as the machine is */
    {"sleeps for ever", HEADERS FUNCTION "{ for (;;) pause (); }\n", START,
     "the candidate took longer than 12 s"},
    {"writes through a wild pointer", HEADERS FUNCTION "{ *(volatile int *)(size_t)c[0] = (int)n; }\n", START,
     "the candidate was ended by signal 11"},
    {"looks for the seed, the evaluator and its memory",
     HEADERS "static void s_try (const char *path) { if (open (path, O_RDONLY) >= 0) _exit (77); }\n" FIRST
             "{ s_try (\"/private/seed\"); s_try (\"/agent/evaluator.c\"); char p[64]; for (int i = 1; i < "
             "99; i++) {\n"
             "if (i == getpid ()) continue; snprintf (p, 64, \"/proc/%d/mem\", i); s_try (p); } }\n" FUNCTION
             "{ " RIGHT " }\n",
     START, TRUE_SCORE},
    {"has threads or processes work for it", HEADERS FUNCTION "{ if (fork () >= 0) _exit (77); " RIGHT " }\n",
     START, TRUE_SCORE},
    {"includes the seed", "static const long s_seed =\n#include \"/private/seed\"\n;\n", START,
     "multiply.c does not compile"},
    {"is no C", "void multiply (size_t\n", START, "multiply.c does not compile"},
    {"brings a main of its own", HEADERS "int main (void) { return 0; }\n" FUNCTION "{ " RIGHT " }\n", START,
     "multiply.c does not link"},
    {"defines nothing", "int s_nothing;\n", START, "multiply.c does not link"},
    {"hands the compiler a file", START, "optimise=O2\n-include /private/seed\n",
     "flags: a line that is none of those"},
    {"hands the compiler an option behind one that is known", START, "optimise=O2 -o /agent/evaluate\n",
     "flags: a line that is none of those"},
    {"has no flags", START, "", TRUE_SCORE},
    {"is larger than the limit", HEADERS "const char s_padding[20000] = {1};\n" FUNCTION "{ " RIGHT " }\n",
     START, TRUE_SCORE},
};

START_TEST (a_cheat_is_invalid_with_its_reason_or_scores_what_is_true)
{
    bench_t bench = s_bench ();
    if (s_cases[_i].source != START)
        scratch_write (&bench.scratch, KERNEL, s_cases[_i].source);
    if (s_cases[_i].flags != START)
        scratch_write (&bench.scratch, FLAGS, s_cases[_i].flags);
    measured_t measured = bench_measure (&bench);
    if (strcmp (s_cases[_i].reason, TRUE_SCORE) == 0) {
        ck_assert_msg (measured.valid, "%s: %s\nstderr: %s", s_cases[_i].name, measured.problem.text,
                       measured.outcome.error);
        ck_assert (measured.metrics.values[0] > 1); /* never a perfect one */
        bool padded = s_cases[_i].source != START && strstr (s_cases[_i].source, "s_padding") != NULL;
        ck_assert (padded == (measured.metrics.values[1] > 16384)); /* data count as well */
    } else {
        ck_assert_msg (!measured.valid, "%s: scored %g", s_cases[_i].name, measured.metrics.values[0]);
        ck_assert_msg (strstr (measured.problem.text, s_cases[_i].reason) != NULL, "%s: %s\nstderr: %s",
                       s_cases[_i].name, measured.problem.text, measured.outcome.error);
    }
    ck_assert_ptr_null (strstr (measured.outcome.error, "5eed0000")); /* a compiler's message must not tell */
    bench_destroy (&bench);
}
END_TEST

int main (void)
{
    const TTest *tests[] = {the_start_works, without_a_seed_there_is_no_result, the_ends_of_all_choices_work,
                            tune_proposes_kernels_that_work};
    return bench_suite ("kernel_tuning", tests, sizeof tests / sizeof *tests,
                        a_cheat_is_invalid_with_its_reason_or_scores_what_is_true,
                        sizeof s_cases / sizeof *s_cases);
}
