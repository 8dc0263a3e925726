/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/directory.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

#include <signal.h>
#include <sys/wait.h>

static unsigned s_mode (const char *path)
{
    struct stat status;
    ck_assert_int_eq (stat (path, &status), 0);
    return status.st_mode & 07777;
}

static directory_t *s_open (const char *path)
{
    problem_t problem = {""};
    directory_t *directory = directory_open (path, true, &problem);
    ck_assert_msg (directory != NULL, "%s", problem.text);
    return directory;
}

static void s_expect_refused (const char *path, bool create, const char *reason)
{
    problem_t problem = {""};
    ck_assert_ptr_null (directory_open (path, create, &problem));
    ck_assert_msg (strstr (problem.text, reason) != NULL, "expected '%s' in: %s", reason, problem.text);
    ck_assert_ptr_nonnull (strstr (problem.text, path));
}

START_TEST (test_a_new_directory_is_its_owners_alone)
{
    scratch_t scratch = scratch_new ();
    scratch_path_t path = scratch_path (&scratch, "some/where/node-1");
    umask (0);
    directory_t *directory = s_open (path.text);
    ck_assert_uint_eq (s_mode (path.text), 0700);
    ck_assert_uint_eq (s_mode (directory_work (directory)), 0700);
    ck_assert_uint_eq (s_mode (scratch_path (&scratch, "some/where/node-1/lock").text), 0600);
    ck_assert_str_eq (directory_path (directory), path.text);
    directory_close (&directory);
    ck_assert_ptr_null (directory);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_a_directory_that_others_may_enter_is_refused)
{
    scratch_t scratch = scratch_new ();
    scratch_path_t path = scratch_path (&scratch, "data");
    ck_assert_int_eq (mkdir (path.text, 0700), 0);
    ck_assert_int_eq (chmod (path.text, 0755), 0);
    s_expect_refused (path.text, false, "chmod 700");
    scratch_write (&scratch, "data/identity", "secret");
    s_expect_refused (path.text, true, "mode 0755");
    ck_assert_uint_eq (s_mode (path.text), 0755);
    ck_assert_int_eq (unlink (scratch_path (&scratch, "data/identity").text), 0);
    directory_t *directory = s_open (path.text); /* empty and to be filled: it is narrowed */
    ck_assert_uint_eq (s_mode (path.text), 0700);
    directory_close (&directory);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_a_directory_that_is_given_up_leaves_only_what_was_there_before)
{
    scratch_t scratch = scratch_new ();
    scratch_path_t path = scratch_path (&scratch, "there/new/node");
    ck_assert_int_eq (mkdir (scratch_path (&scratch, "there").text, 0700), 0);
    directory_t *directory = s_open (path.text);
    directory_discard (&directory);
    ck_assert_ptr_null (directory);
    ck_assert_int_ne (access (scratch_path (&scratch, "there/new").text, F_OK), 0);
    ck_assert_int_eq (access (scratch_path (&scratch, "there").text, F_OK), 0);

    directory = s_open (path.text);
    scratch_write (&scratch, "there/new/node/mine", "x"); /* somebody's file: nobody takes it away */
    directory_discard (&directory);
    ck_assert_int_eq (access (scratch_path (&scratch, "there/new/node/mine").text, F_OK), 0);
    ck_assert_int_ne (access (scratch_path (&scratch, "there/new/node/lock").text, F_OK), 0);
    ck_assert_int_ne (access (scratch_path (&scratch, "there/new/node/work").text, F_OK), 0);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_a_directory_that_can_not_be_made_leaves_none_of_those_above_it)
{
    scratch_t scratch = scratch_new ();
    char name[300];
    memset (name, 'n', sizeof name - 1); /* longer than a name may be */
    name[sizeof name - 1] = '\0';
    char path[SCRATCH_PATH_BYTES + sizeof name];
    snprintf (path, sizeof path, "%s/above/middle/%s", scratch.path, name);
    problem_t problem = {""};
    ck_assert_ptr_null (directory_open (path, true, &problem));
    ck_assert_ptr_nonnull (strstr (problem.text, "can't be made"));
    ck_assert_int_ne (access (scratch_path (&scratch, "above").text, F_OK), 0);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_what_is_no_directory_is_named)
{
    scratch_t scratch = scratch_new ();
    s_expect_refused (scratch_path (&scratch, "nothing").text, false, "evomesh init");
    scratch_write (&scratch, "file", "x");
    s_expect_refused (scratch_path (&scratch, "file").text, false, "not a directory");
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_a_second_process_is_refused_and_told_the_first_ones_pid)
{
    scratch_t scratch = scratch_new ();
    scratch_path_t path = scratch_path (&scratch, "data");
    int ready[2];
    ck_assert_int_eq (pipe (ready), 0);
    ck_assert_int_eq (directory_holder (path.text), 0);
    pid_t child = fork ();
    if (child == 0) {
        directory_t *directory = directory_open (path.text, true, NULL);
        if (write (ready[1], directory == NULL ? "n" : "y", 1) == 1)
            pause ();
        _exit (1);
    }
    char answer = 0, expected[64];
    ck_assert_int_eq (read (ready[0], &answer, 1), 1);
    ck_assert_int_eq (answer, 'y');
    snprintf (expected, sizeof expected, "in use by process %ld", (long)child);
    s_expect_refused (path.text, false, expected);
    ck_assert_int_eq (directory_holder (path.text), child);
    ck_assert_int_eq (kill (child, SIGKILL), 0); /* a lock does not outlive its holder, however it ends */
    ck_assert_int_eq (waitpid (child, NULL, 0), child);
    ck_assert_int_eq (directory_holder (path.text), 0);
    directory_t *directory = s_open (path.text);
    ck_assert_int_eq (directory_holder (path.text), getpid ());
    s_expect_refused (path.text, false, "in use by process"); /* nor twice in one process */
    directory_close (&directory);
    ck_assert_int_eq (directory_holder (path.text), 0);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_programs_that_are_started_do_not_hold_the_lock)
{
    scratch_t scratch = scratch_new ();
    scratch_path_t path = scratch_path (&scratch, "data");
    directory_t *directory = s_open (path.text);
    int ready[2];
    ck_assert_int_eq (pipe (ready), 0);
    pid_t child = fork ();
    if (child == 0) {
        dup2 (ready[1], STDOUT_FILENO);
        execl ("/bin/sh", "sh", "-c", "echo; exec tail -f /dev/null", (char *)NULL);
        _exit (1);
    }
    char newline;
    ck_assert_int_eq (read (ready[0], &newline, 1), 1); /* it runs */
    directory_close (&directory);
    directory = s_open (path.text);
    directory_close (&directory);
    ck_assert_int_eq (kill (child, SIGKILL), 0);
    ck_assert_int_eq (waitpid (child, NULL, 0), child);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_scratch_of_an_earlier_process_is_removed)
{
    scratch_t scratch = scratch_new ();
    scratch_path_t path = scratch_path (&scratch, "data");
    directory_t *directory = s_open (path.text);
    directory_close (&directory);
    scratch_write (&scratch, "precious", "stays");
    scratch_write (&scratch, "data/work/run-1/deep/file", "goes");
    ck_assert_int_eq (symlink (scratch.path, scratch_path (&scratch, "data/work/run-1/link").text), 0);
    directory = s_open (path.text);
    ck_assert_int_eq (access (scratch_path (&scratch, "data/work/run-1").text, F_OK), -1);
    ck_assert_int_eq (access (directory_work (directory), W_OK), 0);
    scratch_expect (&scratch, "precious", "stays");
    directory_close (&directory);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_the_directory_is_chosen_by_option_then_environment_then_home)
{
    char path[DIRECTORY_PATH_MAX];
    problem_t problem = {""};
    unsetenv ("EVOMESH_DIR");
    unsetenv ("XDG_DATA_HOME");
    setenv ("HOME", "/home/someone", 1);
    ck_assert_int_eq (directory_choose (NULL, path, &problem), 0);
    ck_assert_str_eq (path, "/home/someone/.local/share/evomesh");
    setenv ("XDG_DATA_HOME", "/data", 1);
    ck_assert_int_eq (directory_choose (NULL, path, &problem), 0);
    ck_assert_str_eq (path, "/data/evomesh");
    setenv ("EVOMESH_DIR", "/mesh", 1);
    ck_assert_int_eq (directory_choose (NULL, path, &problem), 0);
    ck_assert_str_eq (path, "/mesh");
    ck_assert_int_eq (chdir ("/usr"), 0);
    ck_assert_int_eq (directory_choose ("here", path, &problem), 0);
    ck_assert_str_eq (path, "/usr/here");
    ck_assert_int_eq (directory_choose ("", path, &problem), -1);
    ck_assert_ptr_nonnull (strstr (problem.text, "--dir"));
    unsetenv ("EVOMESH_DIR");
    unsetenv ("XDG_DATA_HOME");
    unsetenv ("HOME");
    ck_assert_int_eq (directory_choose (NULL, path, &problem), -1);
    ck_assert_ptr_nonnull (strstr (problem.text, "HOME"));
}
END_TEST

SUITE_MAIN ("io/directory", test_a_new_directory_is_its_owners_alone,
            test_a_directory_that_others_may_enter_is_refused,
            test_a_directory_that_is_given_up_leaves_only_what_was_there_before,
            test_a_directory_that_can_not_be_made_leaves_none_of_those_above_it,
            test_what_is_no_directory_is_named, test_a_second_process_is_refused_and_told_the_first_ones_pid,
            test_programs_that_are_started_do_not_hold_the_lock,
            test_scratch_of_an_earlier_process_is_removed,
            test_the_directory_is_chosen_by_option_then_environment_then_home)
