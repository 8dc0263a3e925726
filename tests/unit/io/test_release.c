/* SPDX-License-Identifier: MPL-2.0 */
#include "crypto/random.h"
#include "tests/lib/suite.h"
#include "tests/lib/tree_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const digest_t s_evaluator = {{1}};

static const char *s_data (fixture_t *fixture)
{
    static scratch_path_t path;
    path = scratch_path (&fixture->scratch, "data");
    return path.text;
}

/* A release of `count` files that all hold `text`; its id is the tree's. */
static digest_t s_tree (fixture_t *fixture, tree_t *tree, const char *text, unsigned count)
{
    memset (tree, 0, sizeof *tree);
    for (unsigned i = 0; i < count; i++) {
        char path[32];
        snprintf (path, sizeof path, "directory-%u/file-%u", i % 3, i);
        fixture_add (fixture, tree, path, text);
    }
    return tree_id (tree, &s_evaluator);
}

static void s_write (fixture_t *fixture, const digest_t *id, const tree_t *tree)
{
    problem_t problem = {""};
    int result = workspace_release_write (fixture->store, s_data (fixture), id, tree, &problem);
    ck_assert_msg (result == 0, "%s", problem.text);
}

static void s_switch (fixture_t *fixture, const digest_t *id)
{
    problem_t problem = {""};
    ck_assert_msg (workspace_release_switch (s_data (fixture), id, &problem) == 0, "%s", problem.text);
}

static void s_expect_current (fixture_t *fixture, const digest_t *expected)
{
    digest_t id;
    ck_assert_int_eq (workspace_release_current (s_data (fixture), &id), 0);
    ck_assert (digest_equal (&id, expected));
}

START_TEST (test_current_leads_to_the_release_switched_to)
{
    fixture_t fixture = fixture_new ();
    tree_t one, two;
    digest_t first = s_tree (&fixture, &one, "one", 5), second = s_tree (&fixture, &two, "two", 5), id;
    ck_assert_int_eq (workspace_release_current (s_data (&fixture), &id), -1);
    s_write (&fixture, &first, &one);
    ck_assert_int_eq (workspace_release_current (s_data (&fixture), &id), -1);
    s_write (&fixture, &second, &two);
    s_write (&fixture, &first, &one); /* done already */
    const digest_t *const order[] = {&first, &second, &first, &first};
    for (size_t i = 0; i < 4; i++) {
        s_switch (&fixture, order[i]);
        s_expect_current (&fixture, order[i]);
        scratch_expect (&fixture.scratch, "data/current/directory-1/file-4",
                        order[i] == &first ? "one" : "two");
    }
    tree_clear (&one);
    tree_clear (&two);
    fixture_destroy (&fixture);
}
END_TEST

START_TEST (test_a_release_that_is_not_there_is_not_switched_to)
{
    fixture_t fixture = fixture_new ();
    tree_t tree;
    digest_t there = s_tree (&fixture, &tree, "x", 1), absent = {{7}};
    problem_t problem = {""};
    s_write (&fixture, &there, &tree);
    s_switch (&fixture, &there);
    ck_assert_int_eq (workspace_release_switch (s_data (&fixture), &absent, &problem), ERROR_NOT_FOUND);
    ck_assert_ptr_nonnull (strstr (problem.text, "no such release"));
    s_expect_current (&fixture, &there);
    tree_clear (&tree);
    fixture_destroy (&fixture);
}
END_TEST

START_TEST (test_current_that_leads_elsewhere_counts_as_none)
{
    fixture_t fixture = fixture_new ();
    digest_t id;
    char text[DIGEST_TEXT_BYTES], dangling[128];
    digest_t absent = {{7}};
    digest_text (&absent, text);
    snprintf (dangling, sizeof dangling, "releases/%s", text);
    const char *const targets[] = {"/", "releases", "releases/", "releases/abc", "elsewhere", dangling};
    scratch_path_t current = scratch_path (&fixture.scratch, "data/current");
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        ck_assert_int_eq (symlink (targets[i], current.text), 0);
        ck_assert_int_eq (workspace_release_current (s_data (&fixture), &id), -1);
        ck_assert_int_eq (unlink (current.text), 0);
    }
    fixture_destroy (&fixture);
}
END_TEST

START_TEST (test_a_directory_in_the_place_of_current_is_told)
{
    fixture_t fixture = fixture_new ();
    tree_t tree;
    problem_t problem = {""};
    digest_t id = s_tree (&fixture, &tree, "x", 1);
    s_write (&fixture, &id, &tree);
    scratch_write (&fixture.scratch, "data/current/file", "someone put it here");
    ck_assert_int_eq (workspace_release_switch (s_data (&fixture), &id, &problem), ERROR_IO);
    ck_assert_ptr_nonnull (strstr (problem.text, "current"));
    scratch_expect (&fixture.scratch, "data/current/file", "someone put it here");
    tree_clear (&tree);
    fixture_destroy (&fixture);
}
END_TEST

START_TEST (test_a_release_without_its_content_leaves_nothing_behind)
{
    fixture_t fixture = fixture_new ();
    tree_t tree;
    problem_t problem = {""};
    s_tree (&fixture, &tree, "x", 3);
    digest_t absent = digest_of ("absent", 6), evaluator = {{0}};
    ck_assert_int_eq (tree_add (&tree, "z", false, &absent, 6), 0);
    digest_t id = tree_id (&tree, &evaluator);
    ck_assert_int_eq (workspace_release_write (fixture.store, s_data (&fixture), &id, &tree, &problem),
                      ERROR_NOT_FOUND);
    ck_assert_int_eq (rmdir (scratch_path (&fixture.scratch, "data/releases").text), 0); /* it is empty */
    tree_clear (&tree);
    fixture_destroy (&fixture);
}
END_TEST

/* --- kill -9 --- */

#define RELEASES 4
#define FILES    12

/* Writes releases and switches between them until it is killed; says on `pipe` which one it switched to. */
static void s_deploy (const char *data, const tree_t *trees, const digest_t *ids, int pipe, uint64_t seed)
{
    store_t *store = store_open (data, false, false, NULL);
    random_t random;
    random_init_number (&random, seed);
    for (;;) {
        uint8_t which = (uint8_t)random_below (&random, RELEASES);
        char text[DIGEST_TEXT_BYTES], path[1024], aside[1024];
        digest_text (&ids[which], text);
        snprintf (path, sizeof path, "%s/releases/%s", data, text);
        snprintf (aside, sizeof aside, "%s/aside", data);
        digest_t current;
        if (workspace_release_current (data, &current) != 0 || !digest_equal (&current, &ids[which])) {
            /* So that it is written anew; moved first, as what has a release's name counts as whole. */
            workspace_remove (aside);
            (void)rename (path, aside);
        }
        if (store == NULL || workspace_release_write (store, data, &ids[which], &trees[which], NULL) != 0 ||
            workspace_release_switch (data, &ids[which], NULL) != 0 || write (pipe, &which, 1) != 1)
            _exit (1);
    }
}

/* Fails unless every file of the current release is whole. */
static void s_expect_whole (fixture_t *fixture, const tree_t *trees, const digest_t *ids)
{
    digest_t id;
    ck_assert_int_eq (workspace_release_current (s_data (fixture), &id), 0);
    unsigned which = 0;
    while (which < RELEASES && !digest_equal (&ids[which], &id))
        which++;
    ck_assert_uint_lt (which, RELEASES);
    tree_t found;
    problem_t problem = {""};
    int result = workspace_read (fixture->store, scratch_path (&fixture->scratch, "data/current").text,
                                 &found, &problem);
    ck_assert_msg (result == 0, "%s", problem.text);
    ck_assert (tree_equal (&found, &trees[which]));
    tree_clear (&found);
}

START_TEST (test_a_kill_at_any_moment_leaves_a_whole_release)
{
    fixture_t fixture = fixture_new ();
    tree_t trees[RELEASES];
    digest_t ids[RELEASES];
    for (unsigned i = 0; i < RELEASES; i++) {
        char text[] = {(char)('a' + i), '\0'};
        ids[i] = s_tree (&fixture, &trees[i], text, FILES);
    }
    random_t random;
    random_init_number (&random, 2);
    for (unsigned round = 0; round < 20; round++) {
        int ends[2];
        ck_assert_int_eq (pipe (ends), 0);
        pid_t child = fork ();
        if (child == 0)
            s_deploy (s_data (&fixture), trees, ids, ends[1], round);
        close (ends[1]);
        uint8_t which;
        for (uint64_t i = random_below (&random, 3) + 1; i > 0; i--)
            ck_assert_int_eq (read (ends[0], &which, 1), 1);
        for (volatile uint64_t spin = random_below (&random, 3000000); spin > 0; spin--)
            continue; /* somewhere inside what follows */
        ck_assert_int_eq (kill (child, SIGKILL), 0);
        ck_assert_int_eq (waitpid (child, NULL, 0), child);
        close (ends[0]);
        s_expect_whole (&fixture, trees, ids);
    }
    unsigned next = 0; /* what the last one left unfinished is in nobody's way */
    for (; next < RELEASES; next++)
        s_write (&fixture, &ids[next], &trees[next]);
    s_switch (&fixture, &ids[0]);
    s_expect_whole (&fixture, trees, ids);
    for (unsigned i = 0; i < RELEASES; i++)
        tree_clear (&trees[i]);
    fixture_destroy (&fixture);
}
END_TEST

START_TEST (test_what_a_crash_left_is_written_anew)
{
    fixture_t fixture = fixture_new ();
    tree_t tree;
    char text[DIGEST_TEXT_BYTES], path[128];
    digest_t id = s_tree (&fixture, &tree, "whole", 2);
    digest_text (&id, text);
    snprintf (path, sizeof path, "data/releases/.tmp-%s/directory-0/file-0", text);
    scratch_write (&fixture.scratch, path, "ha");
    snprintf (path, sizeof path, "data/releases/.tmp-%s/stray", text);
    scratch_write (&fixture.scratch, path, "not of this release");
    ck_assert_int_eq (symlink ("nowhere", scratch_path (&fixture.scratch, "data/.current-next").text), 0);
    s_write (&fixture, &id, &tree);
    s_switch (&fixture, &id);
    scratch_expect (&fixture.scratch, "data/current/directory-0/file-0", "whole");
    ck_assert_int_eq (access (scratch_path (&fixture.scratch, "data/current/stray").text, F_OK), -1);
    tree_clear (&tree);
    fixture_destroy (&fixture);
}
END_TEST

/* Makes that release look as if it had been written so many seconds after the first. */
static void s_age (fixture_t *fixture, const digest_t *id, unsigned seconds)
{
    char text[DIGEST_TEXT_BYTES], path[128];
    digest_text (id, text);
    snprintf (path, sizeof path, "data/releases/%s", text);
    const struct timespec times[2] = {{1000 + seconds, 0}, {1000 + seconds, 0}};
    ck_assert_int_eq (utimensat (AT_FDCWD, scratch_path (&fixture->scratch, "%s", path).text, times, 0), 0);
}

static bool s_is_there (fixture_t *fixture, const digest_t *id)
{
    char text[DIGEST_TEXT_BYTES], path[128];
    digest_text (id, text);
    snprintf (path, sizeof path, "data/releases/%s/directory-0/file-0", text);
    return access (scratch_path (&fixture->scratch, "%s", path).text, F_OK) == 0;
}

START_TEST (test_old_releases_go_but_never_the_live_one)
{
    fixture_t fixture = fixture_new ();
    problem_t problem = {""};
    tree_t trees[RELEASES];
    digest_t ids[RELEASES];
    ck_assert_int_eq (workspace_release_trim (s_data (&fixture), 1, &problem), 0); /* there are none yet */
    for (unsigned i = 0; i < RELEASES; i++) {
        char text[] = {(char)('a' + i), '\0'};
        ids[i] = s_tree (&fixture, &trees[i], text, 3);
        s_write (&fixture, &ids[i], &trees[i]);
        s_age (&fixture, &ids[i], i);
    }
    char text[DIGEST_TEXT_BYTES], path[128];
    const digest_t crashed = {{7}};
    digest_text (&crashed, text);
    snprintf (path, sizeof path, "data/releases/.tmp-%s/directory-0/file-0", text);
    scratch_write (&fixture.scratch, path, "ha");
    scratch_write (&fixture.scratch, "data/releases/notes", "somebody's");
    s_switch (&fixture, &ids[0]); /* the oldest */
    ck_assert_int_eq (workspace_release_trim (s_data (&fixture), RELEASES, &problem), 0);
    ck_assert (s_is_there (&fixture, &ids[1]));
    ck_assert_int_eq (access (scratch_path (&fixture.scratch, "%s", path).text, F_OK), -1);
    ck_assert_int_eq (workspace_release_trim (s_data (&fixture), 1, &problem), 0);
    for (unsigned i = 0; i < RELEASES; i++)
        ck_assert_int_eq (s_is_there (&fixture, &ids[i]), i == 0 || i == RELEASES - 1);
    s_switch (&fixture, &ids[RELEASES - 1]); /* the newest is none of those beside it */
    ck_assert_int_eq (workspace_release_trim (s_data (&fixture), 1, &problem), 0);
    ck_assert (s_is_there (&fixture, &ids[0]));
    s_switch (&fixture, &ids[0]);
    scratch_expect (&fixture.scratch, "data/releases/notes", "somebody's");
    s_expect_current (&fixture, &ids[0]);
    s_write (&fixture, &ids[1], &trees[1]);
    s_switch (&fixture, &ids[1]);
    scratch_expect (&fixture.scratch, "data/current/directory-0/file-0", "b");
    for (unsigned i = 0; i < RELEASES; i++)
        tree_clear (&trees[i]);
    fixture_destroy (&fixture);
}
END_TEST

SUITE_MAIN ("io/release", test_current_leads_to_the_release_switched_to,
            test_a_release_that_is_not_there_is_not_switched_to,
            test_current_that_leads_elsewhere_counts_as_none,
            test_a_directory_in_the_place_of_current_is_told,
            test_a_release_without_its_content_leaves_nothing_behind,
            test_a_kill_at_any_moment_leaves_a_whole_release, test_what_a_crash_left_is_written_anew,
            test_old_releases_go_but_never_the_live_one)
