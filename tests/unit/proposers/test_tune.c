/* SPDX-License-Identifier: MPL-2.0 */
/* The program itself, as the sandbox would run it: in a checkout, with a request on stdin. */
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

#include <fcntl.h>
#include <stdbool.h>
#include <jansson.h>
#include <sys/wait.h>

static const char s_source[] = "static double weight = 0.5; // evolve: 0..1\n"
                               "static const char *mode = \"fast\"; // evolve: \"fast\" | \"small\"\n";
static const char s_request[] = "{\"seed\": 7, \"learning_rate\": 0.1, \"evolve\": [\"src/a.c\", \"b.py\"],"
                                " \"parent\": {\"metrics\": {}}, \"inspirations\": [], \"failures\": []}";

/* Runs the program in the directory; its output goes to the files "out" and "err" there. Returns its exit code. */
static int s_run (const scratch_t *scratch, const char *request)
{
    scratch_write (scratch, "in", request);
    pid_t child = fork ();
    ck_assert_int_ge (child, 0);
    if (child == 0) {
        static const char *const names[] = {"in", "out", "err"};
        if (chdir (scratch->path) != 0)
            _exit (100);
        for (int fd = 0; fd < 3; fd++) {
            int file = open (names[fd], fd == 0 ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC, 0600);
            if (file < 0 || dup2 (file, fd) != fd)
                _exit (101);
        }
        execl (EVOMESH_TUNE, "tune", (char *)NULL);
        _exit (102);
    }
    int status;
    ck_assert_int_eq (waitpid (child, &status, 0), child);
    ck_assert (WIFEXITED (status));
    return WEXITSTATUS (status);
}

static scratch_t s_checkout (void)
{
    scratch_t scratch = scratch_new ();
    scratch_write (&scratch, "src/a.c", s_source);
    scratch_write (&scratch, "b.py", "LIMIT = 10  # evolve: 1..100 log\n");
    return scratch;
}

START_TEST (test_a_proposal_is_in_the_files_and_in_one_line_of_json)
{
    scratch_t scratch = s_checkout ();
    ck_assert_int_eq (s_run (&scratch, s_request), 0);
    char *out = scratch_read (&scratch, "out"), *a = scratch_read (&scratch, "src/a.c"),
         *b = scratch_read (&scratch, "b.py");
    ck_assert_ptr_eq (strchr (out, '\n'), out + strlen (out) - 1);
    json_t *answer = json_loads (out, 0, NULL);
    ck_assert_str_eq (json_string_value (json_object_get (answer, "improvement_type")), "parameter_tuning");
    const char *description = json_string_value (json_object_get (answer, "description"));
    ck_assert_ptr_nonnull (description);
    bool a_changed = strcmp (a, s_source) != 0,
         b_changed = strcmp (b, "LIMIT = 10  # evolve: 1..100 log\n") != 0;
    ck_assert (a_changed || b_changed);
    ck_assert_int_eq (strstr (description, "src/a.c:") != NULL, a_changed);
    ck_assert_int_eq (strstr (description, "b.py:1 10 -> ") != NULL, b_changed);
    scratch_expect (&scratch, "err", "");
    json_decref (answer);
    free (out);
    free (a);
    free (b);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_the_same_request_gives_the_same_proposal)
{
    scratch_t one = s_checkout (), two = s_checkout ();
    ck_assert_int_eq (s_run (&one, s_request), 0);
    ck_assert_int_eq (s_run (&two, s_request), 0);
    static const char *const files[] = {"out", "src/a.c", "b.py"};
    for (size_t i = 0; i < 3; i++) {
        char *text = scratch_read (&one, files[i]);
        scratch_expect (&two, files[i], text);
        free (text);
    }
    scratch_remove (&one);
    scratch_remove (&two);
}
END_TEST

/* One candidate of a request, whose loss is the square of its number's distance from 0.7. */
static void s_put_candidate (json_t *list, double value)
{
    char text[64];
    snprintf (text, sizeof text, "double x = %.4f; // evolve: 0.0..1\n", value);
    json_array_append_new (list, json_pack ("{s:{s:f}, s:{s:s}}", "metrics", "f",
                                            (value - 0.7) * (value - 0.7), "files", "x.c", text));
}

START_TEST (test_what_was_measured_last_shows_the_minimum)
{
    unsigned found = 0;
    for (int seed = 0; seed < 20; seed++) {
        scratch_t scratch = scratch_new ();
        scratch_write (&scratch, "x.c", "double x = 0.5; // evolve: 0.0..1\n");
        json_t *top = json_array (), *recent = json_array ();
        s_put_candidate (top, 0.5);
        s_put_candidate (recent, 0.5);
        s_put_candidate (recent, 0.95);
        s_put_candidate (recent, 0.4);
        json_t *request = json_pack ("{s:i, s:f, s:[s], s:[{s:s, s:s, s:f}], s:{s:o}, s:o}", "seed", seed,
                                     "learning_rate", 0.1, "evolve", "x.c", "objectives", "name", "f", "goal",
                                     "minimize", "weight", 1.0, "inspirations", "top", top, "recent", recent);
        char *text = json_dumps (request, 0);
        ck_assert_int_eq (s_run (&scratch, text), 0);
        char *x = scratch_read (&scratch, "x.c");
        found += strstr (x, "x = 0.7;") != NULL;
        free (x);
        free (text);
        json_decref (request);
        scratch_remove (&scratch);
    }
    ck_assert_uint_ge (found, 8);
}
END_TEST

START_TEST (test_without_a_mark_it_fails_and_says_so)
{
    scratch_t scratch = scratch_new ();
    scratch_write (&scratch, "a.c", "int x = 5;\n");
    ck_assert_int_eq (s_run (&scratch, "{\"seed\": 1, \"learning_rate\": 0.1, \"evolve\": [\"a.c\"]}"), 1);
    scratch_expect (&scratch, "err",
                    "tune: found no marked literal in the files that may evolve; mark one by a comment on "
                    "its line, for example: double weight = 0.5; // evolve: 0..1\n");
    scratch_expect (&scratch, "out", "");
    scratch_expect (&scratch, "a.c", "int x = 5;\n");
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_bad_input_is_refused_with_the_reason_and_changes_nothing)
{
    static const struct {
        const char *request, *reason;
    } cases[] = {
        {"", "tune: stdin: line 1: "},
        {"[1", "tune: stdin: line 1: "},
        {"[]", "tune: stdin: \"seed\": expected an integer"},
        {"{\"seed\": \"7\", \"learning_rate\": 0.1, \"evolve\": []}",
         "tune: stdin: \"seed\": expected an integer"},
        {"{\"seed\": 7, \"learning_rate\": 0, \"evolve\": []}",
         "tune: stdin: \"learning_rate\": expected a number above 0"},
        {"{\"seed\": 7, \"learning_rate\": 0.1}",
         "tune: stdin: \"evolve\": expected a list of at most 64 paths"},
        {"{\"seed\": 7, \"learning_rate\": 0.1, \"evolve\": [\"src/a.c\", \"../b\"]}",
         "tune: stdin: \"evolve\"[1]: expected a relative path"},
        {"{\"seed\": 7, \"learning_rate\": 0.1, \"evolve\": [\"/etc/passwd\"]}",
         "tune: stdin: \"evolve\"[0]: expected a relative path"},
        {"{\"seed\": 7, \"learning_rate\": 0.1, \"evolve\": [\"src/a.c\", \"absent\"]}",
         "tune: absent: can't be opened"},
        {"{\"seed\": 7, \"learning_rate\": 0.1, \"evolve\": [\"src/a.c\", \"bad.c\"]}",
         "tune: bad.c: line 2: found \"zero\" behind \"evolve:\"; expected a range"},
        {"{\"seed\": 7, \"learning_rate\": 0.1, \"evolve\": [\"src/a.c\", \"same.c\"]}",
         "tune: same.c: line 1: found \"8\" behind \"evolve:\"; expected each choice once"},
    };
    scratch_t scratch = s_checkout ();
    scratch_write (&scratch, "bad.c", "\nint x = 1; // evolve: zero\n");
    scratch_write (&scratch, "same.c", "int x = 8; // evolve: 8 | 8\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_msg (s_run (&scratch, cases[i].request) == 1, "%s", cases[i].request);
        char *error = scratch_read (&scratch, "err");
        ck_assert_msg (strncmp (error, cases[i].reason, strlen (cases[i].reason)) == 0, "%s: told %s",
                       cases[i].request, error);
        scratch_expect (&scratch, "out", "");
        scratch_expect (&scratch, "src/a.c", s_source);
        free (error);
    }
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_a_long_description_is_cut_and_the_rest_counted)
{
    scratch_t scratch = scratch_new ();
    char text[40000] = "t = [ # evolve: 0.0..1 all\n";
    size_t length = strlen (text);
    for (int i = 0; i < 1000; i++)
        length += (size_t)snprintf (text + length, sizeof text - length, "0.25,\n");
    snprintf (text + length, sizeof text - length, "]\n");
    bool cut = false;
    for (int seed = 0; seed < 40 && !cut; seed++) { /* one in seven changes many */
        char request[128];
        snprintf (request, sizeof request, "{\"seed\": %d, \"learning_rate\": 0.1, \"evolve\": [\"a\"]}",
                  seed);
        scratch_write (&scratch, "a", text);
        ck_assert_int_eq (s_run (&scratch, request), 0);
        char *out = scratch_read (&scratch, "out");
        json_t *answer = json_loads (out, 0, NULL);
        const char *description = json_string_value (json_object_get (answer, "description"));
        ck_assert_ptr_nonnull (description);
        ck_assert_uint_le (strlen (description), 4096);
        cut = strstr (description, "; and ") != NULL &&
              strcmp (description + strlen (description) - 5, " more") == 0;
        json_decref (answer);
        free (out);
    }
    ck_assert (cut);
    scratch_remove (&scratch);
}
END_TEST

static const char s_small[] = "size = %c  # evolve: 1..3\nmode = %s  # evolve: fast | small\n";

/* A request that tells of these candidates, in that list of it. */
static char *s_tell (int seed, const char *list, json_t *candidates)
{
    json_t *request = json_pack ("{s:i, s:f, s:[s], s:O}", "seed", seed, "learning_rate", 0.01, "evolve", "a",
                                 list, candidates);
    char *text = json_dumps (request, 0);
    json_decref (request);
    return text;
}

/* Runs it where size is 1 and fast, with the request; what it left in the file (freed by the caller), or NULL if it said that nothing is
 * left. */
static char *s_left (const scratch_t *scratch, char *request)
{
    char start[sizeof s_small + 8];
    snprintf (start, sizeof start, s_small, '1', "fast");
    scratch_write (scratch, "a", start);
    ck_assert_int_eq (s_run (scratch, request), 0);
    free (request);
    char *out = scratch_read (scratch, "out"), *left = scratch_read (scratch, "a");
    json_t *answer = json_loads (out, 0, NULL);
    const char *why = json_string_value (json_object_get (answer, "exhausted"));
    if (why != NULL) {
        ck_assert_ptr_nonnull (strstr (why, "the 6 settings"));
        ck_assert_str_eq (left, start);
        free (left);
        left = NULL;
    }
    json_decref (answer);
    free (out);
    return left;
}

START_TEST (test_a_small_space_is_gone_through_once_and_then_said_to_be_exhausted)
{
    for (int seed = 0; seed < 10; seed++) {
        scratch_t scratch = scratch_new ();
        json_t *recent = json_array ();
        for (size_t found = 1; found < 6; found++) {
            char *left = s_left (&scratch, s_tell (seed, "recent", recent));
            ck_assert_ptr_nonnull (left);
            size_t i;
            json_t *one;
            json_array_foreach (recent, i, one) ck_assert_str_ne (
                json_string_value (json_object_get (json_object_get (one, "files"), "a")), left);
            json_array_append_new (recent, json_pack ("{s:{s:s}}", "files", "a", left));
            free (left);
        }
        ck_assert_ptr_null (s_left (&scratch, s_tell (seed, "recent", recent)));
        json_decref (recent);
        scratch_remove (&scratch);
    }
}
END_TEST

START_TEST (test_it_is_exhausted_too_once_all_failures_told_were_repetitions)
{
    scratch_t scratch = scratch_new ();
    for (size_t other = 0; other <= 24; other++) {
        json_t *failures = json_array ();
        char text[sizeof s_small + 8], *left;
        snprintf (text, sizeof text, s_small, '2', "fast");
        for (size_t i = 0; i < 24; i++)
            json_array_append_new (failures,
                                   json_pack ("{s:s, s:{s:s}}", "reason",
                                              i == other ? "not_better" : "duplicate", "files", "a", text));
        left = s_left (&scratch, s_tell (1, "failures", failures));
        ck_assert_int_eq (left == NULL, other == 24);
        free (left);
        json_decref (failures);
    }
    scratch_remove (&scratch);
}
END_TEST

/* How many of ten proposals go further than that from 500 where so many were repetitions last. */
static int s_far (size_t repeats, int far)
{
    scratch_t scratch = scratch_new ();
    int count = 0;
    for (int seed = 0; seed < 10; seed++) {
        static const char start[] = "size = 500 # evolve: 1..1000\n";
        json_t *failures = json_array ();
        for (size_t i = 0; i < repeats; i++)
            json_array_append_new (failures,
                                   json_pack ("{s:s, s:{s:s}}", "reason", "duplicate", "files", "a", start));
        char *request = s_tell (seed, "failures", failures);
        scratch_write (&scratch, "a", start);
        ck_assert_int_eq (s_run (&scratch, request), 0);
        free (request);
        char *left = scratch_read (&scratch, "a");
        count += labs (strtol (left + strlen ("size = "), NULL, 10) - 500) > far;
        free (left);
        json_decref (failures);
    }
    scratch_remove (&scratch);
    return count;
}

START_TEST (test_after_repetitions_it_tries_points_from_anywhere_before_it_gives_up)
{
    ck_assert_int_le (s_far (7, 50), 3);
    ck_assert_int_ge (s_far (8, 50), 7);
    ck_assert_int_ge (s_far (23, 50), 7);
    ck_assert_int_eq (s_far (24, 0), 0);
}
END_TEST

START_TEST (test_a_number_of_settings_that_nobody_would_read_out_is_told_roughly)
{
    scratch_t scratch = scratch_new ();
    static const char start[] = "sizes = [ # evolve: 1..1000000000 all\n500, 600, 700, 800]\n";
    json_t *failures = json_array ();
    for (size_t i = 0; i < 24; i++)
        json_array_append_new (failures,
                               json_pack ("{s:s, s:{s:s}}", "reason", "duplicate", "files", "a", start));
    char *request = s_tell (1, "failures", failures);
    scratch_write (&scratch, "a", start);
    ck_assert_int_eq (s_run (&scratch, request), 0);
    scratch_expect (
        &scratch, "out",
        "{\"exhausted\":\"hardly any of the about 1e+36 settings that its marks allow is left\"}\n");
    free (request);
    json_decref (failures);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_another_text_between_the_marks_is_another_space)
{
    scratch_t scratch = scratch_new ();
    json_t *recent = json_array ();
    for (int i = 0; i < 6; i++) {
        char text[sizeof s_small + 32];
        int length = snprintf (text, sizeof text, s_small, '1' + i % 3, i < 3 ? "fast" : "small");
        snprintf (text + length, sizeof text - (size_t)length, "more = 1\n");
        json_array_append_new (recent, json_pack ("{s:{s:s}}", "files", "a", text));
    }
    char *left = s_left (&scratch, s_tell (1, "recent", recent));
    ck_assert_ptr_nonnull (left);
    free (left);
    json_decref (recent);
    scratch_remove (&scratch);
}
END_TEST

SUITE_MAIN ("proposers/tune", test_a_proposal_is_in_the_files_and_in_one_line_of_json,
            test_the_same_request_gives_the_same_proposal, test_what_was_measured_last_shows_the_minimum,
            test_without_a_mark_it_fails_and_says_so,
            test_bad_input_is_refused_with_the_reason_and_changes_nothing,
            test_a_long_description_is_cut_and_the_rest_counted,
            test_a_small_space_is_gone_through_once_and_then_said_to_be_exhausted,
            test_it_is_exhausted_too_once_all_failures_told_were_repetitions,
            test_after_repetitions_it_tries_points_from_anywhere_before_it_gives_up,
            test_a_number_of_settings_that_nobody_would_read_out_is_told_roughly,
            test_another_text_between_the_marks_is_another_space)
