/* SPDX-License-Identifier: MPL-2.0 */
/* archive.git is made anew, and the node is killed in the middle of that. */
#include "node/io/workspace.h"
#include "tests/lib/suite.h"
#include "tests/lib/tree_fixture.h"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/wait.h>

#define CANDIDATES 3

static const digest_t s_evaluator = {{1}};

static const char *s_data (fixture_t *fixture)
{
    static scratch_path_t path;
    path = scratch_path (&fixture->scratch, "data");
    return path.text;
}

static archive_git_t *s_open (fixture_t *fixture)
{
    problem_t problem = {""};
    archive_git_t *archive = archive_git_open (s_data (fixture), &problem);
    ck_assert_msg (archive != NULL, "%s", problem.text);
    return archive;
}

static void s_commit_all (fixture_t *fixture, archive_git_t *archive)
{
    problem_t problem = {""};
    for (unsigned i = 0; i < CANDIDATES; i++) {
        char text[64];
        tree_t tree = {0};
        snprintf (text, sizeof text, "int constant = %u;\n", i);
        fixture_add (fixture, &tree, "constant.c", text);
        digest_t id = tree_id (&tree, &s_evaluator);
        ck_assert_msg (archive_git_commit (archive, fixture->store, &id, &tree, NULL, 0, "one", 1700000000000,
                                           &problem) == 0,
                       "%s", problem.text);
        tree_clear (&tree);
    }
    ck_assert_int_eq (archive_git_flush (archive, &problem), 0);
}

static bool s_is_there (fixture_t *fixture, const char *name)
{
    struct stat status;
    return lstat (scratch_path (&fixture->scratch, "data/%s", name).text, &status) == 0;
}

/* Makes the archive anew in a process that dies as soon as it removes its first directory. */
static void s_renew_and_die (fixture_t *fixture)
{
    pid_t pid = fork ();
    ck_assert_int_ge (pid, 0);
    if (pid == 0) {
        problem_t problem = {""};
        archive_git_t *archive = s_open (fixture);
        scmp_filter_ctx filter = seccomp_init (SCMP_ACT_ALLOW);
        if (filter == NULL ||
            seccomp_rule_add (filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS (unlinkat), 1,
                              SCMP_A2 (SCMP_CMP_EQ, AT_REMOVEDIR)) != 0 ||
            seccomp_rule_add (filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS (rmdir), 0) != 0 ||
            seccomp_load (filter) != 0)
            _exit (2);
        archive_git_renew (&archive, s_data (fixture), &problem);
        _exit (3);
    }
    int status = 0;
    ck_assert_int_eq (waitpid (pid, &status, 0), pid);
    ck_assert_msg (WIFSIGNALED (status) && WTERMSIG (status) == SIGSYS, "it ended with %d", status);
}

START_TEST (killed_while_it_removes_the_old_one_the_node_begins_a_new_one)
{
    fixture_t fixture = fixture_new ();
    archive_git_t *archive = s_open (&fixture);
    s_commit_all (&fixture, archive);
    ck_assert_uint_eq (archive_git_count (archive), CANDIDATES);
    archive_git_close (&archive);
    s_renew_and_die (&fixture);
    ck_assert_msg (!s_is_there (&fixture, "archive.git"), "half an archive stands under the name of a whole");
    ck_assert (s_is_there (&fixture, "archive.git.old"));

    archive = s_open (&fixture);
    ck_assert_uint_eq (archive_git_count (archive), 0);
    ck_assert (!s_is_there (&fixture, "archive.git.old"));
    s_commit_all (&fixture, archive);
    archive_git_close (&archive);
    archive = s_open (&fixture);
    ck_assert_uint_eq (archive_git_count (archive), CANDIDATES);
    archive_git_close (&archive);
    fixture_destroy (&fixture);
}
END_TEST

START_TEST (what_can_not_be_moved_aside_stays_as_it_is)
{
    fixture_t fixture = fixture_new ();
    problem_t problem = {""};
    archive_git_t *archive = s_open (&fixture);
    s_commit_all (&fixture, archive);
    ck_assert_int_eq (mkdir (scratch_path (&fixture.scratch, "data/archive.git.old").text, 0700), 0);
    ck_assert_int_eq (mkdir (scratch_path (&fixture.scratch, "data/archive.git.old/in").text, 0700), 0);
    archive_git_renew (&archive, s_data (&fixture), &problem);
    ck_assert_ptr_null (archive);
    ck_assert_ptr_nonnull (strstr (problem.text, "archive.git: can't be made anew"));
    archive = s_open (&fixture);
    ck_assert_uint_eq (archive_git_count (archive), CANDIDATES);
    archive_git_close (&archive);
    fixture_destroy (&fixture);
}
END_TEST

SUITE_MAIN ("archive renewal", killed_while_it_removes_the_old_one_the_node_begins_a_new_one,
            what_can_not_be_moved_aside_stays_as_it_is)
