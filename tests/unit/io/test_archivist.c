/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE
#include "node/io/archivist.h"

#include <signal.h>
#include <sys/resource.h>

#include "evolution/improvement.h"
#include "node/records.h"
#include "tests/lib/job_rig.h"

/* Leaves a measured candidate of these parents (the second may be NULL) in the store, as the core does. */
static digest_t s_measured_of (job_rig_t *rig, const char *text, const digest_t *parent,
                               const digest_t *second, bool valid)
{
    hash_t parents[2] = {{*parent}, {second == NULL ? *parent : *second}};
    value_t metric = {3.5};
    buffer_t bytes = {0};
    digest_t id = job_rig_candidate (rig, text);
    candidate_row_t row = {.id = id, .valid = valid, .time_ms = 1700000000000};
    row.parents.items = parents;
    row.parents.count = second == NULL ? 1 : 2;
    row.reason = valid ? REASON_NONE : REASON_INVALID_EXIT;
    row.metrics.items = &metric;
    row.metrics.count = valid;
    row.detail = text_of ("a detail");
    record_encode (&candidate_row_record, &row, &bytes);
    ck_assert_int_eq (store_record_put (rig->fixture.store, TABLE_CANDIDATE, &id, bytes.data, bytes.size), 0);
    buffer_clear (&bytes);
    return id;
}

static digest_t s_measured (job_rig_t *rig, const char *text, const digest_t *parent, bool valid)
{
    return s_measured_of (rig, text, parent, NULL, valid);
}

static archivist_t *s_archivist (job_rig_t *rig, const digest_t *start)
{
    problem_t problem = {{0}};
    archivist_t *archivist = archivist_new (&rig->workshop, start, &problem);
    ck_assert_msg (archivist != NULL, "%s", problem.text);
    return archivist;
}

static bool s_has (job_rig_t *rig, const digest_t *candidate)
{
    problem_t problem = {{0}};
    archive_git_t *git = archive_git_open (rig->data, &problem);
    ck_assert_msg (git != NULL, "%s", problem.text);
    bool has = archive_git_has (git, candidate);
    archive_git_close (&git);
    return has;
}

START_TEST (every_measured_candidate_is_committed_a_few_at_a_time)
{
    job_rig_t *rig = job_rig_new (false);
    digest_t start = job_rig_candidate (rig, "5\n"), ids[5];
    archivist_t *archivist = s_archivist (rig, &start);
    for (size_t i = 0; i < 5; i++) {
        char text[16];
        snprintf (text, sizeof text, "%zu\n", i);
        ids[i] = s_measured (rig, text, i == 0 ? &start : &ids[i - 1], i % 2 == 0);
    }
    ck_assert (archivist_step (archivist, 4));
    archivist_destroy (&archivist);
    ck_assert (s_has (rig, &start) && s_has (rig, &ids[0]) && s_has (rig, &ids[3]));
    ck_assert (!s_has (rig, &ids[4]));

    archivist = s_archivist (rig, &start); /* as after a restart: it goes through all of them again */
    while (archivist_step (archivist, 4)) {
    }
    archivist_destroy (&archivist);
    ck_assert (s_has (rig, &ids[4]));
    job_rig_destroy (rig);
}
END_TEST

START_TEST (a_candidate_whose_files_are_gone_does_not_stop_the_others)
{
    job_rig_t *rig = job_rig_new (false);
    digest_t start = job_rig_candidate (rig, "5\n"), nowhere = {{7}};
    archivist_t *archivist = s_archivist (rig, &start);
    buffer_t bytes = {0};
    candidate_row_t row = {.id = nowhere};
    record_encode (&candidate_row_record, &row, &bytes);
    ck_assert_int_eq (
        store_record_put (rig->fixture.store, TABLE_CANDIDATE, &nowhere, bytes.data, bytes.size), 0);
    buffer_clear (&bytes);
    digest_t here = s_measured (rig, "4\n", &start, true);
    ck_assert (!archivist_step (archivist, 4));
    archivist_release (archivist, &here);
    archivist_destroy (&archivist);
    ck_assert (s_has (rig, &here) && !s_has (rig, &nowhere));
    ck_assert_int_eq (
        access (scratch_path (&rig->fixture.scratch, "data/archive.git/refs/evomesh/live").text, F_OK), 0);
    job_rig_destroy (rig);
}
END_TEST

enum { RUN = 80 }; /* more than wait in memory */

/* So many measured candidates, one made of the other, from `from` on; each is told to the archivist. */
static digest_t s_go_on (job_rig_t *rig, archivist_t *archivist, digest_t parent, unsigned from,
                         digest_t ids[RUN])
{
    for (unsigned i = 0; i < RUN; i++) {
        char text[16];
        snprintf (text, sizeof text, "%u\n", from + i);
        parent = ids[i] = s_measured (rig, text, &parent, true);
        while (archivist_step (archivist, 32)) {
        }
    }
    return parent;
}

/* That all are committed, each of them on the one before. */
static void s_expect_line (job_rig_t *rig, const digest_t ids[2 * RUN])
{
    for (size_t i = 0; i < 2 * RUN; i++)
        ck_assert_msg (s_has (rig, &ids[i]), "candidate %zu is missing", i);
    char command[640], count[16] = "";
    snprintf (command, sizeof command, "git -C '%s/archive.git' rev-list --count last", rig->data);
    FILE *git = popen (command, "r");
    ck_assert_ptr_nonnull (git);
    ck_assert_ptr_nonnull (fgets (count, sizeof count, git));
    pclose (git);
    ck_assert_uint_eq (strtoul (count, NULL, 10), 1 + 2 * RUN);
}

START_TEST (an_archive_that_is_removed_under_the_node_is_made_anew)
{
    job_rig_t *rig = job_rig_new (false);
    digest_t start = job_rig_candidate (rig, "5\n"), ids[2 * RUN];
    archivist_t *archivist = s_archivist (rig, &start);
    digest_t last = s_go_on (rig, archivist, start, 100, ids);
    ck_assert_int_eq (workspace_remove (scratch_path (&rig->fixture.scratch, "data/archive.git").text), 0);
    s_go_on (rig, archivist, last, 200, ids + RUN);
    archivist_destroy (&archivist);
    s_expect_line (rig, ids);
    job_rig_destroy (rig);
}
END_TEST

START_TEST (what_can_not_be_written_for_a_while_is_committed_later)
{
    job_rig_t *rig = job_rig_new (false);
    digest_t start = job_rig_candidate (rig, "5\n"), ids[2 * RUN];
    archivist_t *archivist = s_archivist (rig, &start);
    scratch_path_t list = scratch_path (&rig->fixture.scratch, "data/archive.git/evomesh-commits");
    ck_assert_int_eq (mkdir (list.text, 0700), 0); /* a file that can't be written */
    digest_t last = s_go_on (rig, archivist, start, 100, ids);
    ck_assert_int_eq (rmdir (list.text), 0);
    s_go_on (rig, archivist, last, 200, ids + RUN);
    archivist_destroy (&archivist);
    s_expect_line (rig, ids);
    job_rig_destroy (rig);
}
END_TEST

START_TEST (an_archive_of_which_half_was_dropped_is_made_anew_of_what_is_kept)
{
    enum { MANY = 80 };
    job_rig_t *rig = job_rig_new (false);
    digest_t start = job_rig_candidate (rig, "5\n"), ids[MANY];
    archivist_t *archivist = s_archivist (rig, &start);
    for (size_t i = 0; i < MANY; i++) { /* one made of the other */
        char text[16];
        snprintf (text, sizeof text, "%zu\n", 100 + i);
        ids[i] = s_measured (rig, text, i == 0 ? &start : &ids[i - 1], true);
    }
    while (archivist_step (archivist, 32)) {
    }
    hash_t dropped[MANY];
    for (size_t i = 0; i < MANY; i++)
        dropped[i].id = ids[i];
    ck_assert_int_eq (store_retain (rig->fixture.store, dropped, MANY - 2, NULL, 0), 0);
    hash_t elsewhere[2 * MANY]; /* what was measured for peers: it was never here, and takes no place */
    for (size_t i = 0; i < 2 * MANY; i++)
        elsewhere[i].id = digest_of (&i, sizeof i);
    archivist_dropped (archivist, elsewhere, 2 * MANY);
    while (archivist_step (archivist, 32)) {
    }
    archivist_release (archivist, &ids[MANY - 1]);
    ck_assert (s_has (rig, &ids[0]));
    archivist_dropped (archivist, dropped, MANY - 2);
    while (archivist_step (archivist, 32)) {
    }
    archivist_release (archivist, &ids[MANY - 1]);
    archivist_destroy (&archivist);
    ck_assert (s_has (rig, &start) && s_has (rig, &ids[MANY - 2]) && s_has (rig, &ids[MANY - 1]));
    ck_assert (!s_has (rig, &ids[0]) && !s_has (rig, &ids[MANY - 3]));
    job_rig_destroy (rig);
}
END_TEST

/* Runs the real git on the archive and fails unless it prints that. */
static void s_expect_git (job_rig_t *rig, const char *arguments, const char *expected)
{
    char command[1024], output[1024];
    snprintf (command, sizeof command, "git -C %s/archive.git %s", rig->data, arguments);
    FILE *pipe = popen (command, "r");
    ck_assert_ptr_nonnull (pipe);
    output[fread (output, 1, sizeof output - 1, pipe)] = '\0';
    ck_assert_int_eq (pclose (pipe), 0);
    ck_assert_str_eq (output, expected);
}

START_TEST (what_was_merged_has_two_parents_also_if_one_was_not_measured_here)
{
    job_rig_t *rig = job_rig_new (false);
    digest_t start = job_rig_candidate (rig, "5\n"), package = job_rig_candidate (rig, "6\n");
    archivist_t *archivist = s_archivist (rig, &start);
    digest_t live = s_measured (rig, "4\n", &start, true);
    s_measured_of (rig, "3\n", &package, &live, true);
    ck_assert (!archivist_step (archivist, 4));
    archivist_destroy (&archivist);
    s_expect_git (rig, "rev-list --merges --count --all", "1\n");
    s_expect_git (rig, "log -1 --format=%s HEAD^1", "from a package, not measured here as it was\n");
    s_expect_git (rig, "log -1 --format=%s HEAD^2^", "what the group started from\n");
    s_expect_git (rig, "rev-list --count --all", "4\n");
    job_rig_destroy (rig);
}
END_TEST

/* From now on no file can grow: what a full disk is like. */
static void s_limit_files (rlim_t bytes)
{
    const struct rlimit limit = {bytes, RLIM_INFINITY};
    ck_assert_int_eq (setrlimit (RLIMIT_FSIZE, &limit), 0);
}

START_TEST (a_disk_that_was_full_for_a_while_leaves_no_gap_in_the_lineage)
{
    enum { MANY = 150 }; /* more than wait in memory */
    job_rig_t *rig = job_rig_new (false);
    digest_t start = job_rig_candidate (rig, "5\n"), parent = start;
    archivist_t *archivist = s_archivist (rig, &start);
    for (size_t i = 0; i < MANY; i++) { /* one made of the other */
        char text[16];
        snprintf (text, sizeof text, "%zu\n", 100 + i);
        parent = s_measured (rig, text, &parent, true);
    }
    signal (SIGXFSZ, SIG_IGN);
    s_limit_files (1); /* also for what would tell of a failed test */
    for (size_t i = 0; i < MANY; i++)
        (void)archivist_step (archivist, 4);
    s_limit_files (RLIM_INFINITY);
    while (archivist_step (archivist, 4)) {
    }
    archivist_destroy (&archivist);
    ck_assert (s_has (rig, &parent));
    s_expect_git (rig, "rev-list --count HEAD", "151\n");
    s_expect_git (rig, "rev-list --count --max-parents=0 --all", "1\n");
    job_rig_destroy (rig);
}
END_TEST

SUITE_MAIN ("archivist", what_was_merged_has_two_parents_also_if_one_was_not_measured_here,
            every_measured_candidate_is_committed_a_few_at_a_time,
            a_candidate_whose_files_are_gone_does_not_stop_the_others,
            an_archive_that_is_removed_under_the_node_is_made_anew,
            what_can_not_be_written_for_a_while_is_committed_later,
            an_archive_of_which_half_was_dropped_is_made_anew_of_what_is_kept,
            a_disk_that_was_full_for_a_while_leaves_no_gap_in_the_lineage)
