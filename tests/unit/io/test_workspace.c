/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/workspace.h"
#include "tests/lib/suite.h"
#include "tests/lib/tree_fixture.h"

#include <sys/socket.h>
#include <sys/un.h>

static void s_read (fixture_t *fixture, const char *directory, tree_t *tree)
{
    problem_t problem = {""};
    int result = workspace_read (fixture->store, scratch_path (&fixture->scratch, "%s", directory).text, tree,
                                 &problem);
    ck_assert_msg (result == 0, "%s", problem.text);
}

static void s_write (fixture_t *fixture, const tree_t *tree, const char *directory)
{
    problem_t problem = {""};
    int result = workspace_write (fixture->store, tree,
                                  scratch_path (&fixture->scratch, "%s", directory).text, &problem);
    ck_assert_msg (result == 0, "%s", problem.text);
}

static void s_expect_refused (fixture_t *fixture, int expected, const char *path, const char *reason)
{
    tree_t tree;
    problem_t problem = {""};
    ck_assert_int_eq (
        workspace_read (fixture->store, scratch_path (&fixture->scratch, "agent").text, &tree, &problem),
        expected);
    ck_assert_ptr_null (tree.files);
    ck_assert_msg (strstr (problem.text, path) != NULL, "expected '%s' in: %s", path, problem.text);
    ck_assert_msg (strstr (problem.text, reason) != NULL, "expected '%s' in: %s", reason, problem.text);
    ck_assert (!store_in_transaction (fixture->store));
}

static unsigned s_mode (fixture_t *fixture, const char *name)
{
    struct stat status;
    ck_assert_int_eq (lstat (scratch_path (&fixture->scratch, "%s", name).text, &status), 0);
    return status.st_mode & 07777;
}

START_TEST (test_a_directory_is_read_and_laid_out_the_same)
{
    fixture_t fixture = fixture_new ();
    scratch_write (&fixture.scratch, "agent/b.c", "int b;\n");
    scratch_write (&fixture.scratch, "agent/lib/deep/a.c", "");
    scratch_write (&fixture.scratch, "agent/évaluate", "#!/bin/sh\n");
    ck_assert_int_eq (chmod (scratch_path (&fixture.scratch, "agent/évaluate").text, 0700), 0);
    scratch_write (&fixture.scratch, "agent/.git/config", "left out");
    scratch_write (&fixture.scratch, "agent/.evomesh-notes", "left out");
    tree_t tree, again;
    s_read (&fixture, "agent", &tree);
    ck_assert_uint_eq (tree.count, 3);
    fixture_expect (&fixture, &tree, "b.c", "int b;\n");
    fixture_expect (&fixture, &tree, "lib/deep/a.c", "");
    ck_assert (tree_find (&tree, "évaluate")->executable);
    ck_assert (!tree_find (&tree, "b.c")->executable);
    umask (077); /* modes don't depend on whose shell it was */
    s_write (&fixture, &tree, "copy");
    ck_assert_uint_eq (s_mode (&fixture, "copy/b.c"), 0644);
    ck_assert_uint_eq (s_mode (&fixture, "copy/évaluate"), 0755);
    s_read (&fixture, "copy", &again);
    ck_assert (tree_equal (&tree, &again));
    tree_clear (&again);
    tree_clear (&tree);
    fixture_destroy (&fixture);
}
END_TEST

START_TEST (test_links_are_refused_wherever_they_lead)
{
    fixture_t fixture = fixture_new ();
    scratch_write (&fixture.scratch, "agent/lib/a.c", "x");
    scratch_path_t link = scratch_path (&fixture.scratch, "agent/lib/link");
    static const char *const targets[] = {"a.c", "/etc/passwd", "nowhere", ".."};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        ck_assert_int_eq (symlink (targets[i], link.text), 0);
        s_expect_refused (&fixture, ERROR_INPUT, "lib/link", "symbolic link");
        ck_assert_int_eq (unlink (link.text), 0);
    }
    fixture_destroy (&fixture);
}
END_TEST

START_TEST (test_special_files_are_refused_without_waiting_for_them)
{
    fixture_t fixture = fixture_new ();
    scratch_write (&fixture.scratch, "agent/a.c", "x");
    scratch_path_t path = scratch_path (&fixture.scratch, "agent/odd");
    ck_assert_int_eq (mkfifo (path.text, 0600), 0);
    s_expect_refused (&fixture, ERROR_INPUT, "odd", "named pipe");
    ck_assert_int_eq (unlink (path.text), 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "odd"};
    ck_assert_int_eq (chdir (scratch_path (&fixture.scratch, "agent").text), 0);
    int file = socket (AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq (bind (file, (struct sockaddr *)&address, sizeof address), 0);
    s_expect_refused (&fixture, ERROR_INPUT, "odd", "socket");
    close (file);
    fixture_destroy (&fixture);
}
END_TEST

START_TEST (test_names_that_can_not_be_shared_are_shown_safely)
{
    fixture_t fixture = fixture_new ();
    scratch_write (&fixture.scratch, "agent/bad\xff\n", "x");
    s_expect_refused (&fixture, ERROR_INPUT, "bad\\xff\\x0a", "UTF-8");
    ck_assert_int_eq (unlink (scratch_path (&fixture.scratch, "agent/bad\xff\n").text), 0);
    scratch_write (&fixture.scratch, "agent/.Git/config", "x");
    s_expect_refused (&fixture, ERROR_INPUT, ".Git", "can't be shared");
    fixture_destroy (&fixture);
}
END_TEST

/* Makes a file of that size without writing it. */
static void s_sparse (fixture_t *fixture, const char *name, off_t size)
{
    scratch_write (&fixture->scratch, name, "");
    ck_assert_int_eq (truncate (scratch_path (&fixture->scratch, "%s", name).text, size), 0);
}

START_TEST (test_bounds_are_told)
{
    fixture_t fixture = fixture_new ();
    s_sparse (&fixture, "agent/large", LIMIT_CONTENT_BYTES + 1);
    s_expect_refused (&fixture, ERROR_INPUT, "agent/large", "larger than 4194304 bytes");
    s_sparse (&fixture, "agent/large", LIMIT_CONTENT_BYTES);
    tree_t tree;
    s_read (&fixture, "agent", &tree);
    ck_assert_uint_eq (tree.count, 1);
    tree_clear (&tree);
    char name[16];
    for (unsigned i = 1; i < 17; i++) {
        snprintf (name, sizeof name, "agent/%u", i);
        s_sparse (&fixture, name, LIMIT_CONTENT_BYTES);
    }
    s_expect_refused (&fixture, ERROR_INPUT, "agent/", "larger than 67108864 bytes");
    for (unsigned i = 1; i <= LIMIT_FILES; i++) {
        snprintf (name, sizeof name, "agent/%u", i);
        s_sparse (&fixture, name, 1);
    }
    s_expect_refused (&fixture, ERROR_INPUT, "agent/", "one file too many: the bound is 256");
    ck_assert_int_eq (unlink (scratch_path (&fixture.scratch, "agent/large").text), 0);
    s_read (&fixture, "agent", &tree);
    ck_assert_uint_eq (tree.count, LIMIT_FILES);
    tree_clear (&tree);
    fixture_destroy (&fixture);
}
END_TEST

START_TEST (test_paths_up_to_the_bound_are_read)
{
    fixture_t fixture = fixture_new ();
    char path[LIMIT_PATH + 16] = "agent/";
    for (size_t i = 6; i < LIMIT_PATH + 6; i++)
        path[i] = (i - 6) % 2 == 0 || i == LIMIT_PATH + 5 ? 'd' : '/'; /* a hundred directories deep */
    path[LIMIT_PATH + 6] = '\0';
    scratch_write (&fixture.scratch, path, "deep");
    tree_t tree;
    s_read (&fixture, "agent", &tree);
    fixture_expect (&fixture, &tree, path + 6, "deep");
    s_write (&fixture, &tree, "copy");
    tree_clear (&tree);
    strcat (path, "d");
    scratch_write (&fixture.scratch, path, "too deep");
    s_expect_refused (&fixture, ERROR_INPUT, "d/d/d", "path longer than 200 bytes");
    fixture_destroy (&fixture);
}
END_TEST

START_TEST (test_what_a_proposer_left_is_read_by_the_evolve_list_only)
{
    fixture_t fixture = fixture_new ();
    tree_t evolve = {NULL, 0}, tree;
    problem_t problem = {""};
    fixture_add (&fixture, &evolve, "a.c", "1");
    fixture_add (&fixture, &evolve, "gone.c", "2");
    fixture_add (&fixture, &evolve, "lib/b.c", "3");
    fixture_add (&fixture, &evolve, "was/directory.c", "4");
    scratch_write (&fixture.scratch, "run/a.c", "one");
    scratch_write (&fixture.scratch, "run/lib/b.c", "three");
    scratch_write (&fixture.scratch, "run/evaluate", "tampered");
    scratch_write (&fixture.scratch, "run/was", "a file now");
    ck_assert_int_eq (workspace_read_evolved (fixture.store, scratch_path (&fixture.scratch, "run").text,
                                              &evolve, &tree, &problem),
                      0);
    ck_assert_uint_eq (tree.count, 2);
    fixture_expect (&fixture, &tree, "a.c", "one");
    fixture_expect (&fixture, &tree, "lib/b.c", "three");
    tree_clear (&tree);
    tree_clear (&evolve);
    fixture_destroy (&fixture);
}
END_TEST

static void s_expect_evolved_refused (fixture_t *fixture, const char *reason)
{
    tree_t evolve = {NULL, 0}, tree;
    problem_t problem = {""};
    fixture_add (fixture, &evolve, "lib/b.c", "3");
    ck_assert_int_eq (workspace_read_evolved (fixture->store, scratch_path (&fixture->scratch, "run").text,
                                              &evolve, &tree, &problem),
                      ERROR_INPUT);
    ck_assert_ptr_null (tree.files);
    ck_assert_msg (strstr (problem.text, reason) != NULL, "expected '%s' in: %s", reason, problem.text);
    ck_assert_ptr_nonnull (strstr (problem.text, "lib/b.c"));
    tree_clear (&evolve);
}

START_TEST (test_a_proposer_can_not_hand_in_what_is_outside)
{
    fixture_t fixture = fixture_new ();
    scratch_write (&fixture.scratch, "outside/b.c", "the host's secret");
    scratch_write (&fixture.scratch, "run/lib/other", "x");
    scratch_path_t file = scratch_path (&fixture.scratch, "run/lib/b.c"),
                   lib = scratch_path (&fixture.scratch, "run/lib");
    ck_assert_int_eq (symlink ("../../outside/b.c", file.text), 0);
    s_expect_evolved_refused (&fixture, "symbolic link");
    ck_assert_int_eq (unlink (file.text), 0);
    ck_assert_int_eq (mkfifo (file.text, 0600), 0);
    s_expect_evolved_refused (&fixture, "named pipe");
    ck_assert_int_eq (unlink (file.text), 0);
    ck_assert_int_eq (mkdir (file.text, 0700), 0);
    s_expect_evolved_refused (&fixture, "directory");
    ck_assert_int_eq (rmdir (file.text), 0);
    s_sparse (&fixture, "run/lib/b.c", LIMIT_FILE_BYTES + 1);
    s_expect_evolved_refused (&fixture, "larger than 1048576 bytes");
    ck_assert_int_eq (rename (lib.text, scratch_path (&fixture.scratch, "run/moved").text), 0);
    ck_assert_int_eq (symlink ("../outside", lib.text), 0);
    s_expect_evolved_refused (&fixture, "through a symbolic link");
    fixture_destroy (&fixture);
}
END_TEST

START_TEST (test_a_tree_is_laid_out_over_what_is_there_and_never_through_links)
{
    fixture_t fixture = fixture_new ();
    tree_t tree = {NULL, 0};
    problem_t problem = {""};
    fixture_add (&fixture, &tree, "lib/b.c", "new");
    scratch_write (&fixture.scratch, "outside/b.c", "untouched");
    scratch_write (&fixture.scratch, "agent/lib/b.c", "old, and longer");
    s_write (&fixture, &tree, "agent");
    scratch_expect (&fixture.scratch, "agent/lib/b.c", "new");
    ck_assert_int_eq (unlink (scratch_path (&fixture.scratch, "agent/lib/b.c").text), 0);
    ck_assert_int_eq (symlink ("../../outside/b.c", scratch_path (&fixture.scratch, "agent/lib/b.c").text),
                      0);
    s_write (&fixture, &tree, "agent");
    scratch_expect (&fixture.scratch, "agent/lib/b.c", "new");
    ck_assert_int_eq (unlink (scratch_path (&fixture.scratch, "agent/lib/b.c").text), 0);
    ck_assert_int_eq (rmdir (scratch_path (&fixture.scratch, "agent/lib").text), 0);
    ck_assert_int_eq (symlink ("../outside", scratch_path (&fixture.scratch, "agent/lib").text), 0);
    ck_assert_int_eq (
        workspace_write (fixture.store, &tree, scratch_path (&fixture.scratch, "agent").text, &problem),
        ERROR_IO);
    ck_assert_ptr_nonnull (strstr (problem.text, "lib/b.c"));
    scratch_expect (&fixture.scratch, "outside/b.c", "untouched");
    tree_clear (&tree);
    fixture_destroy (&fixture);
}
END_TEST

START_TEST (test_missing_content_is_named)
{
    fixture_t fixture = fixture_new ();
    tree_t tree = {NULL, 0};
    problem_t problem = {""};
    digest_t id = digest_of ("absent", 6);
    ck_assert_int_eq (tree_add (&tree, "a.c", false, &id, 6), 0);
    ck_assert_int_eq (
        workspace_write (fixture.store, &tree, scratch_path (&fixture.scratch, "copy").text, &problem),
        ERROR_NOT_FOUND);
    ck_assert_ptr_nonnull (strstr (problem.text, "a.c"));
    tree_clear (&tree);
    ck_assert_int_eq (store_content_put (fixture.store, (const uint8_t *)"absent", 6, &id), 0);
    ck_assert_int_eq (tree_add (&tree, "a.c", false, &id, 7), 0); /* a size that isn't true */
    ck_assert_int_eq (
        workspace_write (fixture.store, &tree, scratch_path (&fixture.scratch, "copy").text, &problem),
        ERROR_NOT_FOUND);
    tree_clear (&tree);
    fixture_destroy (&fixture);
}
END_TEST

START_TEST (test_reading_joins_the_open_transaction)
{
    fixture_t fixture = fixture_new ();
    tree_t tree;
    scratch_write (&fixture.scratch, "agent/a.c", "text");
    ck_assert_int_eq (store_begin (fixture.store), 0);
    s_read (&fixture, "agent", &tree);
    ck_assert (store_in_transaction (fixture.store));
    ck_assert (store_content_has (fixture.store, &tree.files[0].content));
    store_rollback (fixture.store);
    ck_assert (!store_content_has (fixture.store, &tree.files[0].content));
    tree_clear (&tree);
    fixture_destroy (&fixture);
}
END_TEST

START_TEST (test_scratch_directories_are_new_and_removed_whole)
{
    fixture_t fixture = fixture_new ();
    char one[512], two[512], small[8];
    problem_t problem = {""};
    ck_assert_int_eq (workspace_scratch (fixture.scratch.path, one, sizeof one, &problem), 0);
    ck_assert_int_eq (workspace_scratch (fixture.scratch.path, two, sizeof two, &problem), 0);
    ck_assert_str_ne (one, two);
    ck_assert_int_ne (workspace_scratch (fixture.scratch.path, small, sizeof small, &problem), 0);
    ck_assert_int_ne (
        workspace_scratch (scratch_path (&fixture.scratch, "nowhere").text, one, sizeof one, &problem), 0);
    ck_assert_int_eq (workspace_remove (two), 0);
    ck_assert_int_eq (access (two, F_OK), -1);
    ck_assert_int_eq (workspace_remove (two), 0); /* nothing there is no error */
    fixture_destroy (&fixture);
}
END_TEST

START_TEST (test_removing_follows_no_link_and_minds_no_permissions)
{
    fixture_t fixture = fixture_new ();
    scratch_write (&fixture.scratch, "precious/file", "stays");
    scratch_write (&fixture.scratch, "run/locked/inner/file", "x");
    scratch_write (&fixture.scratch, "run/removed-1/file", "a name that removing itself uses");
    scratch_write (&fixture.scratch, "run/removed-2", "likewise");
    ck_assert_int_eq (symlink ("../precious", scratch_path (&fixture.scratch, "run/link").text), 0);
    ck_assert_int_eq (symlink ("../../precious", scratch_path (&fixture.scratch, "run/locked/link").text), 0);
    ck_assert_int_eq (mkfifo (scratch_path (&fixture.scratch, "run/pipe").text, 0), 0);
    ck_assert_int_eq (chmod (scratch_path (&fixture.scratch, "run/locked/inner").text, 0), 0);
    ck_assert_int_eq (chmod (scratch_path (&fixture.scratch, "run/locked").text, 0), 0);
    ck_assert_int_eq (workspace_remove (scratch_path (&fixture.scratch, "run").text), 0);
    ck_assert_int_eq (access (scratch_path (&fixture.scratch, "run").text, F_OK), -1);
    ck_assert_int_eq (symlink ("precious", scratch_path (&fixture.scratch, "link").text), 0);
    ck_assert_int_eq (workspace_remove (scratch_path (&fixture.scratch, "link").text), 0);
    scratch_expect (&fixture.scratch, "precious/file", "stays");
    fixture_destroy (&fixture);
}
END_TEST

/* Deeper than a path may be long, and than descriptors may be open: what a program that means harm leaves behind. */
START_TEST (test_directories_nested_without_end_are_removed)
{
    fixture_t fixture = fixture_new ();
    char name[101];
    memset (name, 'n', 100);
    name[100] = '\0';
    scratch_path_t run = scratch_path (&fixture.scratch, "run");
    ck_assert_int_eq (mkdir (run.text, 0700), 0);
    ck_assert_int_eq (chdir (run.text), 0);
    for (unsigned depth = 0; depth < 3000; depth++) {
        ck_assert_int_eq (mkdir (name, 0700), 0);
        ck_assert_int_eq (chdir (name), 0);
    }
    ck_assert_int_eq (chdir ("/"), 0);
    ck_assert_int_eq (workspace_remove (run.text), 0);
    ck_assert_int_eq (access (run.text, F_OK), -1);
    fixture_destroy (&fixture);
}
END_TEST

SUITE_MAIN ("io/workspace", test_a_directory_is_read_and_laid_out_the_same,
            test_links_are_refused_wherever_they_lead,
            test_special_files_are_refused_without_waiting_for_them,
            test_names_that_can_not_be_shared_are_shown_safely, test_bounds_are_told,
            test_paths_up_to_the_bound_are_read, test_what_a_proposer_left_is_read_by_the_evolve_list_only,
            test_a_proposer_can_not_hand_in_what_is_outside,
            test_a_tree_is_laid_out_over_what_is_there_and_never_through_links, test_missing_content_is_named,
            test_reading_joins_the_open_transaction, test_scratch_directories_are_new_and_removed_whole,
            test_removing_follows_no_link_and_minds_no_permissions,
            test_directories_nested_without_end_are_removed)
