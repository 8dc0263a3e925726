/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/workspace.h"
#include "tests/lib/suite.h"
#include "tests/lib/tree_fixture.h"

typedef struct {
    fixture_t fixture;
    tree_t base, ours, theirs, merged;
    merge_result_t result;
} merge_t;

static merge_t s_new (void)
{
    merge_t self;
    memset (&self, 0, sizeof self);
    self.fixture = fixture_new ();
    return self;
}

static void s_destroy (merge_t *self)
{
    tree_clear (&self->base);
    tree_clear (&self->ours);
    tree_clear (&self->theirs);
    tree_clear (&self->merged);
    fixture_destroy (&self->fixture);
}

/* A file on each side; NULL: it isn't there. */
static void s_file (merge_t *self, const char *path, const char *base, const char *ours, const char *theirs)
{
    if (base != NULL)
        fixture_add (&self->fixture, &self->base, path, base);
    if (ours != NULL)
        fixture_add (&self->fixture, &self->ours, path, ours);
    if (theirs != NULL)
        fixture_add (&self->fixture, &self->theirs, path, theirs);
}

static void s_merge (merge_t *self, unsigned hunks, unsigned conflicts)
{
    problem_t problem = {""};
    tree_clear (&self->merged);
    int result = workspace_merge (self->fixture.store, &self->base, &self->ours, &self->theirs, &self->merged,
                                  &self->result, &problem);
    ck_assert_msg (result == 0, "%s", problem.text);
    ck_assert_uint_eq (self->result.hunks, hunks);
    ck_assert_uint_eq (self->result.conflicts, conflicts);
}

/* Merges one text; NULL as result: the file is gone. */
static void s_expect (const char *base, const char *ours, const char *theirs, const char *merged,
                      unsigned hunks, unsigned conflicts)
{
    merge_t merge = s_new ();
    s_file (&merge, "f", base, ours, theirs);
    s_merge (&merge, hunks, conflicts);
    ck_assert_uint_eq (merge.merged.count, merged != NULL);
    if (merged != NULL)
        fixture_expect (&merge.fixture, &merge.merged, "f", merged);
    s_destroy (&merge);
}

#define TEN "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n"

START_TEST (test_changes_in_different_places_are_both_kept)
{
    s_expect (TEN, "one\n2\n3\n4\n5\n6\n7\n8\n9\n10\n", "1\n2\n3\n4\n5\n6\n7\n8\n9\nten\n",
              "one\n2\n3\n4\n5\n6\n7\n8\n9\nten\n", 1, 0);
    s_expect (TEN, TEN, "1\n3\n4\n5\n5.5\n6\n7\n8\n9\nten\n", "1\n3\n4\n5\n5.5\n6\n7\n8\n9\nten\n", 3, 0);
    s_expect (TEN, "1\n3\n4\n5\n6\n7\n8\n9\n10\n11\n", TEN, "1\n3\n4\n5\n6\n7\n8\n9\n10\n11\n", 0, 0);
}
END_TEST

START_TEST (test_conflicts_are_resolved_as_theirs_and_counted_by_hunk)
{
    /* Three hunks of theirs: line 2 (ours too), line 5, lines 8-9 (ours has 9). */
    s_expect (TEN, "1\nII\n3\n4\n5\n6\n7\n8\nIX\n10\n", "1\ntwo\n3\n4\nfive\n6\n7\neight\nnine\n10\n",
              "1\ntwo\n3\n4\nfive\n6\n7\neight\nnine\n10\n", 3, 2);
    /* What ours did elsewhere stays. */
    s_expect (TEN, "I\n2\n3\n4\nV\n6\n7\n8\n9\n10\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n10\n",
              "I\n2\n3\n4\nfive\n6\n7\n8\n9\n10\n", 1, 1);
    /* An insertion by both at one place. */
    s_expect ("a\nz\n", "a\nours\nz\n", "a\ntheirs\nz\n", "a\ntheirs\nz\n", 1, 1);
}
END_TEST

START_TEST (test_a_change_that_both_made_is_no_conflict)
{
    s_expect (TEN, "1\ntwo\n3\n4\n5\n6\n7\n8\n9\n10\n", "1\ntwo\n3\n4\n5\n6\n7\n8\n9\n10\n",
              "1\ntwo\n3\n4\n5\n6\n7\n8\n9\n10\n", 1, 0);
    s_expect (TEN, "1\ntwo\n3\n4\nV\n6\n7\n8\n9\n10\n", "1\ntwo\n3\n4\n5\n6\n7\n8\nnine\n10\n",
              "1\ntwo\n3\n4\nV\n6\n7\n8\nnine\n10\n", 2, 0);
    /* One of their hunks is ours too, the other is in conflict. */
    s_expect (TEN, "1\ntwo\n3\n4\n5\n6\n7\n8\nIX\n10\n", "1\ntwo\n3\n4\n5\n6\n7\n8\nnine\n10\n",
              "1\ntwo\n3\n4\n5\n6\n7\n8\nnine\n10\n", 2, 1);
}
END_TEST

/* Conflict markers in the text itself are text. */
START_TEST (test_markers_in_a_file_are_not_counted)
{
    const char base[] = "<<<<<<< x\n=======\n>>>>>>> y\n1\n2\n3\n4\n";
    s_expect (base, "<<<<<<< x\n=======\n>>>>>>> y\none\n2\n3\n4\n",
              "<<<<<<< x\n=======\n>>>>>>> y\n1\n2\n3\nfour\n",
              "<<<<<<< x\n=======\n>>>>>>> y\none\n2\n3\nfour\n", 1, 0);
    s_expect (base, "<<<<<<< x\n=======\n>>>>>>> y\none\n2\n3\n4\n",
              "<<<<<<< x\n=======\n>>>>>>> y\nuno\n2\n3\n4\n",
              "<<<<<<< x\n=======\n>>>>>>> y\nuno\n2\n3\n4\n", 1, 1);
}
END_TEST

START_TEST (test_a_missing_newline_at_the_end_is_kept)
{
    s_expect ("1\n2\n3\n4", "one\n2\n3\n4", "1\n2\n3\nfour", "one\n2\n3\nfour", 1, 0);
    s_expect ("1\n2\n3\n4\n", "one\n2\n3\n4\n", "1\n2\n3\n4", "one\n2\n3\n4", 1, 0);
}
END_TEST

START_TEST (test_added_and_removed_files)
{
    s_expect (NULL, NULL, "new\n", "new\n", 1, 0);
    s_expect (NULL, "new\n", NULL, "new\n", 0, 0);
    s_expect (NULL, "same\n", "same\n", "same\n", 1, 0);
    s_expect (NULL, "ours\n", "theirs\n", "theirs\n", 1, 1);
    s_expect ("old\n", "old\n", NULL, NULL, 1, 0);
    s_expect ("old\n", NULL, "old\n", NULL, 0, 0);
    s_expect ("old\n", NULL, NULL, NULL, 1, 0);
    s_expect ("old\n", "ours\n", NULL, NULL, 1, 1);
    s_expect ("old\n", NULL, "theirs\n", "theirs\n", 1, 1);
    s_expect (NULL, "", "x\n", "x\n", 1, 0);
}
END_TEST

START_TEST (test_binary_files_are_taken_whole)
{
    merge_t merge = s_new ();
    static const char base[] = "a\0b\nc\n", ours[] = "A\0b\nc\n", theirs[] = "a\0b\nC\n";
    fixture_add_bytes (&merge.fixture, &merge.base, "both", base, sizeof base);
    fixture_add_bytes (&merge.fixture, &merge.ours, "both", ours, sizeof ours);
    fixture_add_bytes (&merge.fixture, &merge.theirs, "both", theirs, sizeof theirs);
    fixture_add_bytes (&merge.fixture, &merge.base, "one", base, sizeof base);
    fixture_add_bytes (&merge.fixture, &merge.ours, "one", base, sizeof base);
    fixture_add_bytes (&merge.fixture, &merge.theirs, "one", theirs, sizeof theirs);
    s_merge (&merge, 2, 1);
    ck_assert (tree_equal (&merge.merged, &merge.theirs));
    s_destroy (&merge);
}
END_TEST

START_TEST (test_modes_are_merged_apart_from_content)
{
    merge_t merge = s_new ();
    fixture_add (&merge.fixture, &merge.base, "run", "1\n2\n3\n");
    fixture_add (&merge.fixture, &merge.ours, "run", "one\n2\n3\n");
    fixture_add (&merge.fixture, &merge.theirs, "run*", "1\n2\n3\n");
    s_merge (&merge, 1, 0);
    ck_assert (tree_find (&merge.merged, "run")->executable);
    fixture_expect (&merge.fixture, &merge.merged, "run", "one\n2\n3\n");
    tree_clear (&merge.ours);
    tree_clear (&merge.theirs);
    fixture_add (&merge.fixture, &merge.ours, "run*", "1\n2\n3\n");
    fixture_add (&merge.fixture, &merge.theirs, "run", "1\n2\nthree\n");
    s_merge (&merge, 1, 0);
    ck_assert (tree_find (&merge.merged, "run")->executable);
    fixture_expect (&merge.fixture, &merge.merged, "run", "1\n2\nthree\n");
    s_destroy (&merge);
}
END_TEST

START_TEST (test_many_files_add_up)
{
    merge_t merge = s_new ();
    s_file (&merge, "a", TEN, TEN, "1\n2\n3\n4\n5\n6\n7\n8\n9\nten\n");
    s_file (&merge, "b", "b\n", "ours\n", "b\n");
    s_file (&merge, "c/d", "c\n", "ours\n", "theirs\n");
    s_file (&merge, "e", "e\n", "e\n", NULL);
    s_file (&merge, "f", NULL, NULL, "new\n");
    s_merge (&merge, 4, 1);
    ck_assert_uint_eq (merge.merged.count, 4);
    fixture_expect (&merge.fixture, &merge.merged, "b", "ours\n");
    fixture_expect (&merge.fixture, &merge.merged, "c/d", "theirs\n");
    fixture_expect (&merge.fixture, &merge.merged, "f", "new\n");
    s_destroy (&merge);
}
END_TEST

START_TEST (test_a_file_in_the_way_of_their_directory_gives_way)
{
    merge_t merge = s_new ();
    fixture_add (&merge.fixture, &merge.ours, "lib", "a file\n");
    fixture_add (&merge.fixture, &merge.theirs, "lib/a", "1\n");
    fixture_add (&merge.fixture, &merge.theirs, "lib/b", "2\n");
    s_merge (&merge, 2, 1);
    ck_assert (tree_equal (&merge.merged, &merge.theirs));
    tree_t ours = merge.ours;
    merge.ours = merge.theirs;
    merge.theirs = ours;
    s_merge (&merge, 1, 1);
    ck_assert (tree_equal (&merge.merged, &merge.theirs));
    s_destroy (&merge);
}
END_TEST

START_TEST (test_missing_content_is_told_and_nothing_is_left)
{
    merge_t merge = s_new ();
    problem_t problem = {""};
    digest_t absent = digest_of ("absent", 6);
    s_file (&merge, "a", NULL, NULL, "a\n");
    s_file (&merge, "f", "base\n", "ours\n", NULL);
    ck_assert_int_eq (tree_add (&merge.theirs, "f", false, &absent, 6), 0);
    ck_assert_int_eq (workspace_merge (merge.fixture.store, &merge.base, &merge.ours, &merge.theirs,
                                       &merge.merged, &merge.result, &problem),
                      ERROR_NOT_FOUND);
    ck_assert_ptr_nonnull (strstr (problem.text, "f: "));
    ck_assert_ptr_null (merge.merged.files);
    ck_assert (!store_in_transaction (merge.fixture.store));
    s_destroy (&merge);
}
END_TEST

/* --- patches --- */

/* Runs `git apply` on `old` laid out in a directory, and fails unless it gives `fresh`; then back again. */
static void s_expect_patch (merge_t *self, const char *expected_part)
{
    problem_t problem = {""};
    char command[SCRATCH_PATH_BYTES * 2];
    scratch_path_t agent_path = scratch_path (&self->fixture.scratch, "agent");
    const char *agent = agent_path.text;
    for (int back = 0; back < 2; back++) {
        tree_t *old = back ? &self->theirs : &self->base, *fresh = back ? &self->base : &self->theirs, found;
        ck_assert_int_eq (workspace_write (self->fixture.store, old, agent, &problem), 0);
        char *patch = workspace_diff (self->fixture.store, old, fresh, &problem);
        ck_assert_msg (patch != NULL, "%s", problem.text);
        if (!back && expected_part != NULL)
            ck_assert_msg (strstr (patch, expected_part) != NULL, "expected '%s' in: %s", expected_part,
                           patch);
        scratch_write (&self->fixture.scratch, "change.patch", patch);
        snprintf (command, sizeof command,
                  "cd %s && GIT_CEILING_DIRECTORIES=%s git apply --whitespace=nowarn ../change.patch", agent,
                  self->fixture.scratch.path);
        ck_assert_msg (system (command) == 0, "git refused: %s", patch);
        free (patch);
        ck_assert_msg (workspace_read (self->fixture.store, agent, &found, &problem) == 0, "%s",
                       problem.text);
        ck_assert (tree_equal (&found, fresh));
        tree_clear (&found);
        ck_assert_int_eq (workspace_remove (agent), 0);
    }
}

/* Base and theirs of one path, as text. */
static void s_expect_change (const char *path, const char *old, const char *fresh, const char *expected_part)
{
    merge_t merge = s_new ();
    s_file (&merge, path, old, NULL, fresh);
    s_file (&merge, "other", "unchanged\n", NULL, "unchanged\n");
    s_expect_patch (&merge, expected_part);
    s_destroy (&merge);
}

START_TEST (test_patches_of_text_are_taken_by_git)
{
    s_expect_change ("f.c", TEN, "1\n2\n3\n4\nfive\n6\n7\n8\n9\n10\n11\n", "-5\n+five\n");
    s_expect_change ("f.c", "a\n", "a", "\\ No newline at end of file");
    s_expect_change ("f.c", "a", "b", "\\ No newline at end of file");
    s_expect_change ("f.c", "a\r\nb\r\n", "a\r\nc\r\n", "-b\r\n+c\r\n");
    s_expect_change ("f.c", "", "a\n", NULL);
}
END_TEST

START_TEST (test_patches_of_added_and_removed_files_are_taken_by_git)
{
    s_expect_change ("lib/new.c", NULL, "int x;\n", "new file mode 100644");
    s_expect_change ("new.sh*", NULL, "#!/bin/sh\n", "new file mode 100755");
    s_expect_change ("new", NULL, "no newline", "--- /dev/null\n+++ b/new\n");
    s_expect_change ("empty", NULL, "", "new file mode 100644");
}
END_TEST

START_TEST (test_patches_of_odd_names_are_taken_by_git)
{
    s_expect_change ("a b.c", "1\n", "2\n", NULL);
    s_expect_change ("quote\"back\\slash.c", "1\n", "2\n", NULL);
    s_expect_change ("quote\".c", NULL, "2\n", NULL);
    s_expect_change ("été/日本.c", "1\n", "2\n", NULL);
    s_expect_change ("a b/c d.c", NULL, "2\n", NULL);
}
END_TEST

START_TEST (test_patches_of_modes_are_taken_by_git)
{
    merge_t merge = s_new ();
    fixture_add (&merge.fixture, &merge.base, "mode", "same\n");
    fixture_add (&merge.fixture, &merge.theirs, "mode*", "same\n");
    fixture_add (&merge.fixture, &merge.base, "both", "1\n");
    fixture_add (&merge.fixture, &merge.theirs, "both*", "2\n");
    s_expect_patch (&merge, "old mode 100644\nnew mode 100755\n");
    s_destroy (&merge);
}
END_TEST

START_TEST (test_patches_of_binary_files_are_taken_by_git)
{
    merge_t merge = s_new ();
    uint8_t old[3000], fresh[3000];
    for (size_t i = 0; i < sizeof old; i++)
        old[i] = (uint8_t)(i * i >> 3), fresh[i] = i < 1500 ? old[i] : (uint8_t)(i * 7);
    fixture_add_bytes (&merge.fixture, &merge.base, "data", old, sizeof old);
    fixture_add_bytes (&merge.fixture, &merge.theirs, "data", fresh, sizeof fresh);
    fixture_add_bytes (&merge.fixture, &merge.theirs, "more", fresh, sizeof fresh);
    s_expect_patch (&merge, "GIT binary patch");
    s_destroy (&merge);
}
END_TEST

START_TEST (test_equal_trees_give_an_empty_patch)
{
    merge_t merge = s_new ();
    problem_t problem = {""};
    fixture_add (&merge.fixture, &merge.base, "f", "same\n");
    char *patch = workspace_diff (merge.fixture.store, &merge.base, &merge.base, &problem);
    ck_assert_ptr_nonnull (patch);
    ck_assert_str_eq (patch, "");
    free (patch);
    digest_t absent = digest_of ("absent", 6);
    ck_assert_int_eq (tree_add (&merge.theirs, "f", false, &absent, 6), 0);
    ck_assert_ptr_null (workspace_diff (merge.fixture.store, &merge.base, &merge.theirs, &problem));
    ck_assert_ptr_nonnull (strstr (problem.text, "f: "));
    s_destroy (&merge);
}
END_TEST

SUITE_MAIN ("io/merge", test_changes_in_different_places_are_both_kept,
            test_conflicts_are_resolved_as_theirs_and_counted_by_hunk,
            test_a_change_that_both_made_is_no_conflict, test_markers_in_a_file_are_not_counted,
            test_a_missing_newline_at_the_end_is_kept, test_added_and_removed_files,
            test_binary_files_are_taken_whole, test_modes_are_merged_apart_from_content,
            test_many_files_add_up, test_a_file_in_the_way_of_their_directory_gives_way,
            test_missing_content_is_told_and_nothing_is_left, test_patches_of_text_are_taken_by_git,
            test_patches_of_added_and_removed_files_are_taken_by_git,
            test_patches_of_odd_names_are_taken_by_git, test_patches_of_modes_are_taken_by_git,
            test_patches_of_binary_files_are_taken_by_git, test_equal_trees_give_an_empty_patch)
