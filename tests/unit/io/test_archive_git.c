/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/workspace.h"
#include "tests/lib/suite.h"
#include "tests/lib/tree_fixture.h"

#include <sys/wait.h>

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

/* Candidate `number`: what is in its tree, and its id. */
static digest_t s_candidate (fixture_t *fixture, unsigned number, tree_t *tree)
{
    char text[64];
    snprintf (text, sizeof text, "int constant = %u;\n", number);
    memset (tree, 0, sizeof *tree);
    fixture_add (fixture, tree, "lib/deep/constant.c", text);
    fixture_add (fixture, tree, "same.c", "int same;\n");
    fixture_add (fixture, tree, "run.sh*", "#!/bin/sh\n");
    return tree_id (tree, &s_evaluator);
}

/* Commits candidate `number` as a child of the parents, by number; 0 ends them. */
static digest_t s_commit (fixture_t *fixture, archive_git_t *archive, unsigned number, unsigned first,
                          unsigned second)
{
    tree_t tree, parent;
    problem_t problem = {""};
    digest_t parents[3];
    size_t count = 0;
    const unsigned numbers[] = {first, first, second}; /* one twice: it counts once */
    for (size_t i = 0; i < 3; i++) {
        if (numbers[i] == 0)
            continue;
        parents[count++] = s_candidate (fixture, numbers[i], &parent);
        tree_clear (&parent);
    }
    char message[64];
    snprintf (message, sizeof message, "candidate %u", number);
    digest_t id = s_candidate (fixture, number, &tree);
    int result = archive_git_commit (archive, fixture->store, &id, &tree, parents, count, message,
                                     1700000000000 + number * 1000, &problem);
    ck_assert_msg (result == 0, "%s", problem.text);
    tree_clear (&tree);
    return id;
}

static void s_ref (archive_git_t *archive, const char *name, const digest_t *candidate)
{
    problem_t problem = {""};
    ck_assert_msg (archive_git_ref (archive, name, candidate, &problem) == 0, "%s", problem.text);
}

/* Runs the real git on the archive and fails unless it prints `expected`. */
static void s_expect_git (fixture_t *fixture, const char *arguments, const char *expected)
{
    char command[1024], output[8192];
    snprintf (command, sizeof command, "git -C %s/archive.git %s 2>&1", s_data (fixture), arguments);
    FILE *pipe = popen (command, "r");
    ck_assert_ptr_nonnull (pipe);
    size_t size = fread (output, 1, sizeof output - 1, pipe);
    output[size] = '\0';
    int status = pclose (pipe);
    ck_assert_msg (status == 0 && strcmp (output, expected) == 0, "%s: expected\n%s\nfound\n%s", arguments,
                   expected, output);
}

START_TEST (test_git_shows_what_led_to_what)
{
    fixture_t fixture = fixture_new ();
    archive_git_t *archive = s_open (&fixture);
    s_commit (&fixture, archive, 1, 0, 0);
    s_commit (&fixture, archive, 2, 1, 0);
    digest_t side = s_commit (&fixture, archive, 3, 1, 0);
    s_commit (&fixture, archive, 4, 2, 3);
    s_ref (archive, "leaf/3", &side);
    archive_git_close (&archive);
    ck_assert_ptr_null (archive);
    s_expect_git (&fixture, "log --graph --format=%s",
                  "*   candidate 4\n|\\  \n| * candidate 3\n* | candidate 2\n|/  \n* candidate 1\n");
    s_expect_git (&fixture, "log -1 --format='%an %ae %at' refs/evomesh/leaf/3",
                  "evomesh evomesh@localhost 1700000003\n");
    s_expect_git (&fixture, "show refs/evomesh/leaf/3:lib/deep/constant.c", "int constant = 3;\n");
    s_expect_git (&fixture, "ls-tree -r --format='%(objectmode) %(path)' HEAD",
                  "100644 lib/deep/constant.c\n100755 run.sh\n100644 same.c\n");
    s_expect_git (&fixture, "diff --stat --format= HEAD~1 HEAD -- same.c", "");
    s_expect_git (&fixture, "fsck --strict --no-progress", "");
    fixture_destroy (&fixture);
}
END_TEST

START_TEST (test_git_reaches_every_candidate_by_its_ref)
{
    fixture_t fixture = fixture_new ();
    archive_git_t *archive = s_open (&fixture);
    problem_t problem = {""};
    s_commit (&fixture, archive, 1, 0, 0);
    digest_t leaf = s_commit (&fixture, archive, 2, 1, 0);
    s_commit (&fixture, archive, 3, 1, 0);
    s_commit (&fixture, archive, 4, 3, 2);
    s_commit (&fixture, archive, 5, 1, 0); /* another leaf: nothing descends from it */
    s_commit (&fixture, archive, 6, 4, 0);
    ck_assert_int_eq (archive_git_flush (archive, &problem), 0);
    s_expect_git (&fixture, "log --graph --all --format=%s",
                  "* candidate 6\n*   candidate 4\n|\\  \n| * candidate 2\n* | candidate 3\n|/  \n"
                  "| * candidate 5\n|/  \n* candidate 1\n");
    char name[DIGEST_SHORT_BYTES], arguments[128];
    digest_short (&leaf, name);
    snprintf (arguments, sizeof arguments, "log -1 --format=%%s evomesh/candidates/%s", name);
    s_expect_git (&fixture, arguments, "candidate 2\n");
    s_expect_git (&fixture, "rev-list --all --count", "6\n");
    s_expect_git (&fixture, "pack-refs --all", ""); /* as `git gc` does: it takes live and last along */
    s_ref (archive, "live", &leaf);
    s_commit (&fixture, archive, 7, 5, 0);
    archive_git_close (&archive);
    s_expect_git (&fixture, "gc --prune=now --quiet", "");
    s_expect_git (&fixture, "rev-list --all --count", "7\n");
    s_expect_git (&fixture, "log -1 --format=%s refs/evomesh/live", "candidate 2\n");
    s_expect_git (&fixture, "for-each-ref --format=x refs/evomesh/candidates | wc -l", "7\n");
    fixture_destroy (&fixture);
}
END_TEST

START_TEST (test_a_commit_names_its_candidate)
{
    fixture_t fixture = fixture_new ();
    archive_git_t *archive = s_open (&fixture);
    digest_t id = s_commit (&fixture, archive, 1, 0, 0);
    char text[DIGEST_TEXT_BYTES], expected[128];
    digest_text (&id, text);
    snprintf (expected, sizeof expected, "candidate 1\n\nCandidate: %s\n\n", text);
    archive_git_close (&archive);
    s_expect_git (&fixture, "log --format=%B", expected);
    fixture_destroy (&fixture);
}
END_TEST

START_TEST (test_objects_are_written_in_packs)
{
    fixture_t fixture = fixture_new ();
    archive_git_t *archive = s_open (&fixture);
    for (unsigned i = 1; i <= 130; i++)
        s_commit (&fixture, archive, i, i - 1, 0);
    archive_git_close (&archive);
    char command[1024];
    snprintf (command, sizeof command, "test $(ls %s/archive.git/objects/pack/*.pack | wc -l) = 3",
              s_data (&fixture));
    ck_assert_int_eq (system (command), 0);
    snprintf (command, sizeof command,
              "test $(find %s/archive.git/objects -type f -not -path '*/pack/*' | wc -l) = 0",
              s_data (&fixture));
    ck_assert_int_eq (system (command), 0);
    s_expect_git (&fixture, "rev-list --count HEAD", "130\n");
    s_expect_git (&fixture, "fsck --strict --no-progress", "");
    fixture_destroy (&fixture);
}
END_TEST

START_TEST (test_commits_are_known_again_after_a_restart)
{
    fixture_t fixture = fixture_new ();
    archive_git_t *archive = s_open (&fixture);
    digest_t ids[6] = {{{0}}};
    for (unsigned i = 1; i <= 4; i++)
        ids[i] = s_commit (&fixture, archive, i, i - 1, 0);
    archive_git_close (&archive);
    archive = s_open (&fixture);
    for (unsigned i = 1; i <= 4; i++)
        ck_assert (archive_git_has (archive, &ids[i]));
    tree_t tree;
    digest_t five = s_candidate (&fixture, 5, &tree);
    tree_clear (&tree);
    ck_assert (!archive_git_has (archive, &five));
    s_commit (&fixture, archive, 4, 0, 0); /* there already: left as it is */
    s_commit (&fixture, archive, 5, 4, 0);
    archive_git_close (&archive);
    s_expect_git (&fixture, "rev-list --count HEAD", "5\n");
    fixture_destroy (&fixture);
}
END_TEST

/* The list of commits is missing, cut off, or of another archive. */
START_TEST (test_the_list_of_commits_is_rebuilt_from_the_commits)
{
    fixture_t fixture = fixture_new ();
    archive_git_t *archive = s_open (&fixture);
    digest_t ids[4];
    for (unsigned i = 1; i <= 3; i++)
        ids[i] = s_commit (&fixture, archive, i, i - 1, 0);
    archive_git_close (&archive);
    scratch_path_t list = scratch_path (&fixture.scratch, "data/archive.git/evomesh-commits");
    struct stat status;
    for (int damage = 0; damage < 4; damage++) {
        char garbage[104];
        memset (garbage, 'x', sizeof garbage);
        ck_assert_int_eq (stat (list.text, &status), 0);
        ck_assert_int_eq (status.st_size, 3 * 52);
        if (damage == 0)
            ck_assert_int_eq (unlink (list.text), 0);
        else if (damage == 1)
            ck_assert_int_eq (truncate (list.text, 51), 0);
        else if (damage == 2)
            scratch_write_bytes (&fixture.scratch, "data/archive.git/evomesh-commits", garbage,
                                 sizeof garbage);
        archive = s_open (&fixture);
        for (unsigned i = 1; i <= 3; i++)
            ck_assert (archive_git_has (archive, &ids[i]));
        archive_git_close (&archive);
    }
    ck_assert_int_eq (truncate (list.text, 2 * 52 + 20),
                      0); /* torn by a crash: the third is committed again */
    archive = s_open (&fixture);
    ck_assert (archive_git_has (archive, &ids[2]));
    ck_assert (!archive_git_has (archive, &ids[3]));
    s_commit (&fixture, archive, 3, 2, 0);
    archive_git_close (&archive);
    s_expect_git (&fixture, "rev-list --count HEAD", "3\n");
    fixture_destroy (&fixture);
}
END_TEST

START_TEST (test_what_a_crash_takes_away_is_committed_again)
{
    fixture_t fixture = fixture_new ();
    archive_git_t *archive = s_open (&fixture);
    digest_t one = s_commit (&fixture, archive, 1, 0, 0);
    archive_git_close (&archive);
    pid_t child = fork ();
    if (child == 0) {
        archive = s_open (&fixture);
        s_commit (&fixture, archive, 2, 1, 0);
        _exit (0); /* without flush or close */
    }
    ck_assert_int_eq (waitpid (child, NULL, 0), child);
    archive = s_open (&fixture);
    tree_t tree;
    digest_t two = s_candidate (&fixture, 2, &tree);
    tree_clear (&tree);
    ck_assert (archive_git_has (archive, &one));
    ck_assert (!archive_git_has (archive, &two));
    s_commit (&fixture, archive, 2, 1, 0);
    problem_t problem = {""};
    ck_assert_int_eq (archive_git_flush (archive, &problem), 0);
    s_expect_git (&fixture, "rev-list --count HEAD", "2\n"); /* flushed: others see it while it is open */
    archive_git_close (&archive);
    fixture_destroy (&fixture);
}
END_TEST

START_TEST (test_refs_are_set_moved_and_removed)
{
    fixture_t fixture = fixture_new ();
    archive_git_t *archive = s_open (&fixture);
    problem_t problem = {""};
    digest_t one = s_commit (&fixture, archive, 1, 0, 0), two = s_commit (&fixture, archive, 2, 1, 0);
    s_ref (archive, "live", &one);
    s_ref (archive, "front/a", &one);
    s_ref (archive, "gone", &one);
    ck_assert_int_eq (archive_git_flush (archive, &problem), 0);
    s_ref (archive, "live", &two);
    s_ref (archive, "gone", NULL);
    s_ref (archive, "never", NULL); /* was never there */
    ck_assert_int_eq (archive_git_flush (archive, &problem), 0);
    s_expect_git (
        &fixture,
        "for-each-ref --format='%(refname) %(subject)' refs/heads refs/evomesh/front refs/evomesh/live "
        "refs/evomesh/gone",
        "refs/evomesh/front/a candidate 1\nrefs/evomesh/live candidate 2\nrefs/heads/last candidate 2\n");
    digest_t absent = {{9}};
    ck_assert_int_eq (archive_git_ref (archive, "x", &absent, &problem), ERROR_NOT_FOUND);
    static const char *const bad[] = {"", "..", "a..b", "a b", "/x", "x.lock", "~"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg (archive_git_ref (archive, bad[i], &one, &problem) == ERROR_INPUT, "accepted: %s",
                       bad[i]);
    for (unsigned i = 0; i < 100; i++) { /* more than wait in memory */
        char name[16];
        snprintf (name, sizeof name, "leaf/%03u", i);
        s_ref (archive, name, &two);
    }
    archive_git_close (&archive);
    s_expect_git (&fixture, "for-each-ref --format=x refs/evomesh/leaf | wc -l", "100\n");
    fixture_destroy (&fixture);
}
END_TEST

START_TEST (test_missing_content_is_told_and_the_archive_goes_on)
{
    fixture_t fixture = fixture_new ();
    archive_git_t *archive = s_open (&fixture);
    tree_t tree = {NULL, 0};
    problem_t problem = {""};
    digest_t absent = digest_of ("absent", 6);
    ck_assert_int_eq (tree_add (&tree, "f.c", false, &absent, 6), 0);
    digest_t id = tree_id (&tree, &s_evaluator);
    ck_assert_int_eq (archive_git_commit (archive, fixture.store, &id, &tree, NULL, 0, "x", 0, &problem),
                      ERROR_NOT_FOUND);
    ck_assert_ptr_nonnull (strstr (problem.text, "f.c"));
    ck_assert (!archive_git_has (archive, &id));
    s_commit (&fixture, archive, 1, 0, 0);
    archive_git_close (&archive);
    s_expect_git (&fixture, "log --format=%s", "candidate 1\n");
    tree_clear (&tree);
    fixture_destroy (&fixture);
}
END_TEST

START_TEST (test_the_users_git_configuration_does_not_matter)
{
    fixture_t fixture = fixture_new ();
    scratch_write (&fixture.scratch, "home/.gitconfig", "[core\nthis is broken");
    scratch_write (&fixture.scratch, "home/.config/git/config", "[also\nbroken");
    ck_assert_int_eq (setenv ("HOME", scratch_path (&fixture.scratch, "home").text, 1), 0);
    ck_assert_int_eq (setenv ("XDG_CONFIG_HOME", scratch_path (&fixture.scratch, "home/.config").text, 1), 0);
    archive_git_t *archive = s_open (&fixture);
    s_commit (&fixture, archive, 1, 0, 0);
    archive_git_close (&archive);
    archive = s_open (&fixture);
    archive_git_close (&archive);
    unsetenv ("HOME");
    archive = s_open (&fixture);
    s_commit (&fixture, archive, 2, 1, 0);
    archive_git_close (&archive);
    unsetenv ("XDG_CONFIG_HOME");
    s_expect_git (&fixture, "rev-list --count HEAD", "2\n");
    fixture_destroy (&fixture);
}
END_TEST

START_TEST (test_what_is_no_repository_is_told)
{
    fixture_t fixture = fixture_new ();
    problem_t problem = {""};
    scratch_write (&fixture.scratch, "data/archive.git", "a file");
    ck_assert_ptr_null (archive_git_open (s_data (&fixture), &problem));
    ck_assert_ptr_nonnull (strstr (problem.text, "archive.git"));
    scratch_expect (&fixture.scratch, "data/archive.git", "a file");
    fixture_destroy (&fixture);
}
END_TEST

SUITE_MAIN ("io/archive_git", test_git_shows_what_led_to_what, test_git_reaches_every_candidate_by_its_ref,
            test_a_commit_names_its_candidate, test_objects_are_written_in_packs,
            test_commits_are_known_again_after_a_restart,
            test_the_list_of_commits_is_rebuilt_from_the_commits,
            test_what_a_crash_takes_away_is_committed_again, test_refs_are_set_moved_and_removed,
            test_missing_content_is_told_and_the_archive_goes_on,
            test_the_users_git_configuration_does_not_matter, test_what_is_no_repository_is_told)
