/* SPDX-License-Identifier: MPL-2.0 */
/* What the sample agent promises of its measure, by the real evaluator in the real sandbox. */
#define _GNU_SOURCE
#include <math.h>

#include <jansson.h>

#include "evolution/literal.h"
#include "tests/integration/binpack/agent_bench.h"

#define INSTANCES 100
#define ITEMS     500
#define CAPACITY  150

/* Sets the private seed. */
static void s_seed (const bench_t *bench, const char *seed)
{
    scratch_write (&bench->scratch, "private/seed", seed);
}

static measured_t s_measure (bench_t *bench)
{
    measured_t measured = bench_measure (bench);
    bench_expect_valid (&measured);
    return measured;
}

/* An artifact's text, or its array of numbers. */
static void s_artifact (const measured_t *measured, const char *name, char text[32],
                        size_t numbers[INSTANCES])
{
    json_t *all = json_loads (measured->artifacts, 0, NULL);
    json_t *one = json_object_get (all, name);
    ck_assert_msg (one != NULL, "no %s in %s", name, measured->artifacts);
    if (json_is_string (one))
        snprintf (text, 32, "%s", json_string_value (one));
    for (size_t i = 0; i < json_array_size (one); i++)
        numbers[i] = (size_t)json_integer_value (json_array_get (one, i));
    json_decref (all);
}

/* The instances, as the evaluator prints them to the owner of the seed. */
static void s_instances (const bench_t *bench, unsigned items[INSTANCES][ITEMS])
{
    char command[2048];
    snprintf (command, sizeof command,
              "cd '%s' && cc -o evaluator agent/evaluator.c && ./evaluator private/seed --print",
              bench->scratch.path);
    FILE *pipe = popen (command, "r");
    ck_assert_ptr_nonnull (pipe);
    for (size_t i = 0; i < INSTANCES; i++)
        for (size_t j = 0; j < ITEMS; j++) {
            ck_assert_int_eq (fscanf (pipe, "%u", &items[i][j]), 1);
            ck_assert (items[i][j] >= 20 && items[i][j] <= 100);
        }
    ck_assert_int_eq (pclose (pipe), 0);
}

/* Best fit, by the book: into the fullest bin that has room, of equals the first; else a new one. */
static size_t s_best_fit (const unsigned items[ITEMS])
{
    unsigned room[ITEMS];
    size_t bins = 0;
    for (size_t i = 0; i < ITEMS; i++) {
        size_t best = bins;
        for (size_t bin = 0; bin < bins; bin++)
            if (room[bin] >= items[i] && (best == bins || room[bin] < room[best]))
                best = bin;
        if (best == bins)
            room[bins++] = CAPACITY;
        room[best] -= items[i];
    }
    return bins;
}

START_TEST (the_start_scores_exactly_as_best_fit_on_every_instance)
{
    static unsigned items[INSTANCES][ITEMS];
    size_t bins[INSTANCES] = {0}, bounds[INSTANCES] = {0};
    double excess = 0;
    bench_t bench = bench_binpack ();
    measured_t measured = s_measure (&bench);
    s_instances (&bench, items);
    s_artifact (&measured, "bins", NULL, bins);
    s_artifact (&measured, "bounds", NULL, bounds);
    for (size_t i = 0; i < INSTANCES; i++) {
        unsigned sum = 0;
        for (size_t j = 0; j < ITEMS; j++)
            sum += items[i][j];
        ck_assert_uint_eq (bounds[i], (sum + CAPACITY - 1) / CAPACITY);
        ck_assert_uint_eq (bins[i], s_best_fit (items[i]));
        excess += 100.0 * (double)(bins[i] - bounds[i]) / (double)bounds[i] / INSTANCES;
    }
    ck_assert (fabs (measured.metrics.values[0] - excess) < 1e-9);
    ck_assert (excess > 4.5 && excess < 6.0); /* the literature's instances of this kind: 5.37 */
    ck_assert (measured.metrics.values[1] > 0);
    bench_destroy (&bench);
}
END_TEST

START_TEST (five_seeds_make_five_different_sets_of_instances)
{
    static const char *const seeds[] = {"1", "2", "3", "0x00112233445566778899aabbccddeeff",
                                        "ffeeddccbbaa99887766554433221100\n"};
    char digests[5][32], again[32];
    bench_t bench = bench_binpack ();
    for (size_t i = 0; i < 5; i++) {
        s_seed (&bench, seeds[i]);
        measured_t measured = s_measure (&bench);
        s_artifact (&measured, "instances", digests[i], NULL);
        ck_assert_uint_eq (strlen (digests[i]), 16);
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne (digests[i], digests[j]);
    }
    s_seed (&bench, "0001\n");
    measured_t measured = s_measure (&bench);
    s_artifact (&measured, "instances", again, NULL);
    ck_assert_str_eq (again, digests[0]);
    bench_destroy (&bench);
}
END_TEST

/* The file of the start with `from` replaced by `to`, which must be there. */
static void s_edit (const bench_t *bench, const char *from, const char *to)
{
    char *text = scratch_read (&bench->scratch, "agent/priority.c"), edited[8192];
    ck_assert_ptr_nonnull (text);
    char *at = strstr (text, from);
    ck_assert_msg (at != NULL, "%s isn't in priority.c", from);
    int size = snprintf (edited, sizeof edited, "%.*s%s%s", (int)(at - text), text, to, at + strlen (from));
    ck_assert (size > 0 && size < (int)sizeof edited);
    scratch_write (&bench->scratch, "agent/priority.c", edited);
    free (text);
}

START_TEST (a_changed_comment_changes_no_excess)
{
    bench_t bench = bench_binpack ();
    measured_t before = s_measure (&bench);
    s_edit (&bench, "Online bin packing", "Packing bins, online");
    measured_t after = s_measure (&bench);
    ck_assert_double_eq (before.metrics.values[0], after.metrics.values[0]);
    bench_destroy (&bench);
}
END_TEST

START_TEST (a_new_bin_is_always_offered)
{
    size_t bins[INSTANCES] = {0};
    bench_t bench = bench_binpack ();
    s_edit (&bench, "return ", "return remaining; return "); /* the emptiest */
    measured_t measured = s_measure (&bench);
    s_artifact (&measured, "bins", NULL, bins);
    for (size_t i = 0; i < INSTANCES; i++)
        ck_assert_uint_eq (bins[i], ITEMS);
    bench_destroy (&bench);
}
END_TEST

START_TEST (the_start_has_room_for_tune)
{
    literals_t literals = {0};
    problem_t problem = {.text = ""};
    char *text = bench_read (AGENTS "/binpack/priority.c");
    ck_assert_msg (literals_scan (text, strlen (text), &literals, &problem) == 0, "%s", problem.text);
    ck_assert_uint_eq (literals.count, 32);
    for (size_t i = 0; i < literals.count; i++) {
        ck_assert_int_eq (literals.items[i].kind, LITERAL_REAL);
        ck_assert_double_eq (literals.items[i].value, 0);
        /* Changes of different numbers merge: never two on neighbouring lines. */
        ck_assert (i == 0 || literals.items[i].line >= literals.items[i - 1].line + 2);
    }
    literals_clear (&literals);
    free (text);
}
END_TEST

START_TEST (without_a_seed_there_is_no_result)
{
    static const char *const bad[] = {"", "hello", "12 34", "0x",
                                      "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff0"};
    bench_t bench = bench_binpack ();
    ck_assert_int_eq (remove (scratch_path (&bench.scratch, "private/seed").text), 0);
    measured_t measured = bench_measure (&bench);
    ck_assert (!measured.valid);
    ck_assert_ptr_nonnull (strstr (measured.outcome.error, "/private/seed: No such file or directory"));
    ck_assert_uint_eq (measured.outcome.result.output_size, 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        s_seed (&bench, bad[i]);
        measured = bench_measure (&bench);
        ck_assert (!measured.valid);
        ck_assert_ptr_nonnull (strstr (measured.outcome.error, "expected 1 to 64 hexadecimal digits"));
    }
    bench_destroy (&bench);
}
END_TEST

SUITE_MAIN ("binpack", the_start_scores_exactly_as_best_fit_on_every_instance,
            five_seeds_make_five_different_sets_of_instances, a_changed_comment_changes_no_excess,
            a_new_bin_is_always_offered, the_start_has_room_for_tune, without_a_seed_there_is_no_result)
