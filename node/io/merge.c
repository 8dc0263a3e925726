/* SPDX-License-Identifier: MPL-2.0 */
/* Three-way merges of trees. Files are merged by content where both sides changed them; a file that can't be (binary,
 * or removed on one side) counts as one hunk. What is in conflict is resolved as theirs and counted. */
#include "node/io/merge_hunks.h"
#include "node/io/workspace_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <git2.h>

/* --- one file --- */

typedef struct {
    store_t *store;
    const tree_t *base, *ours, *theirs;
    tree_t *merged;
    merge_result_t *result;
    problem_t *problem;
} merge_t;

static int s_add (merge_t *self, const char *path, bool executable, const digest_t *content, uint64_t size)
{
    int rc = tree_add (self->merged, path, executable, content, size);
    if (rc != 0)
        problem_set (self->problem, "%s: can't stand in the merged tree: %s", path, error_text (rc));
    return rc;
}

static git_merge_file_input s_input (const text_bytes_t *text)
{
    git_merge_file_input input;
    git_merge_file_input_init (&input, GIT_MERGE_FILE_INPUT_VERSION);
    input.ptr = (const char *)text->bytes;
    input.size = text->size;
    return input;
}

/* Merges texts, conflicts as theirs; says in `*clean` whether there were none. */
static int s_merge_texts (const text_bytes_t texts[3], git_merge_file_result *merged, bool *clean,
                          problem_t *problem)
{
    git_merge_file_options options;
    git_merge_file_input base = s_input (&texts[0]), ours = s_input (&texts[1]), theirs = s_input (&texts[2]);
    git_merge_file_options_init (&options, GIT_MERGE_FILE_OPTIONS_VERSION);
    memset (merged, 0, sizeof *merged);
    if (git_merge_file (merged, &base, &ours, &theirs, &options) != 0)
        return workspace_git_fail ("merging", problem);
    *clean = merged->automergeable != 0;
    if (*clean)
        return 0;
    git_merge_file_result_free (merged);
    memset (merged, 0, sizeof *merged);
    options.favor = GIT_MERGE_FILE_FAVOR_THEIRS;
    if (git_merge_file (merged, &base, &ours, &theirs, &options) != 0)
        return workspace_git_fail ("merging", problem);
    return 0;
}

/* Counts their hunks, and those in conflict. That there are conflicts at all is for the merge to say, which also sees
 * where two changes of the same lines agree. */
static int s_count (merge_t *self, const text_bytes_t texts[3], bool clean)
{
    hunks_t ours, theirs;
    int rc = hunks_find (&texts[0], &texts[1], &ours, self->problem);
    if (rc != 0)
        return rc;
    rc = hunks_find (&texts[0], &texts[2], &theirs, self->problem);
    if (rc == 0) {
        unsigned touching = clean ? 0 : hunks_count_touching (&ours, &texts[1], &theirs, &texts[2]);
        self->result->hunks += (unsigned)theirs.count;
        assert (touching <= theirs.count);
        self->result->conflicts += !clean && touching == 0 ? 1 : touching;
    }
    hunks_clear (&theirs);
    hunks_clear (&ours);
    return rc;
}

/* Merges what both sides made of a text, puts it into the store and adds it to the tree. */
static int s_merge_content (merge_t *self, const char *path, bool executable, const text_bytes_t texts[3])
{
    git_merge_file_result merged;
    bool clean = false;
    int rc = s_merge_texts (texts, &merged, &clean, self->problem);
    if (rc != 0)
        return rc;
    rc = s_count (self, texts, clean);
    digest_t id;
    if (rc == 0 && merged.len > LIMIT_FILE_BYTES) {
        problem_set (self->problem, "%s: merged, it would be larger than %d bytes", path, LIMIT_FILE_BYTES);
        rc = ERROR_BOUND;
    } else if (rc == 0) {
        rc = store_content_put (self->store, (const uint8_t *)merged.ptr, merged.len, &id);
        if (rc != 0)
            problem_set (self->problem, "%s", store_problem (self->store));
        else
            rc = s_add (self, path, executable, &id, merged.len);
    }
    git_merge_file_result_free (&merged);
    return rc;
}

static bool s_is_binary (const text_bytes_t *text)
{
    return git_blob_data_is_binary ((const char *)text->bytes, text->size) != 0;
}

/* A file that both sides changed, each in its way (or that both added): by content if all are text, else theirs. */
static int s_merge_both (merge_t *self, const tree_file_t *base, const tree_file_t *ours,
                         const tree_file_t *theirs, bool executable)
{
    assert (ours != NULL && theirs != NULL);
    const tree_file_t *files[] = {base, ours, theirs};
    text_bytes_t texts[3] = {{NULL, 0}};
    bool is_binary = false;
    int rc = 0;
    for (size_t i = 0; i < 3 && rc == 0; i++) {
        texts[i].bytes = files[i] != NULL
                             ? workspace_content (self->store, files[i], &texts[i].size, self->problem)
                             : calloc (1, 1);
        rc = texts[i].bytes == NULL ? ERROR_NOT_FOUND : 0;
        is_binary = is_binary || (rc == 0 && s_is_binary (&texts[i]));
    }
    if (rc == 0 && is_binary) {
        self->result->hunks++;
        self->result->conflicts++;
        rc = s_add (self, theirs->path, executable, &theirs->content, theirs->size);
    } else if (rc == 0)
        rc = s_merge_content (self, theirs->path, executable, texts);
    for (size_t i = 0; i < 3; i++)
        free (texts[i].bytes);
    return rc;
}

/* Counts the hunks of a change that only they made. */
static int s_count_theirs (merge_t *self, const tree_file_t *base, const tree_file_t *theirs)
{
    text_bytes_t texts[2] = {{NULL, 0}};
    hunks_t hunks = {NULL, 0, 0, false};
    int rc = 0;
    texts[0].bytes = workspace_content (self->store, base, &texts[0].size, self->problem);
    texts[1].bytes = workspace_content (self->store, theirs, &texts[1].size, self->problem);
    if (texts[0].bytes == NULL || texts[1].bytes == NULL)
        rc = ERROR_NOT_FOUND;
    else if (s_is_binary (&texts[0]) || s_is_binary (&texts[1]))
        hunks.count = 1;
    else
        rc = hunks_find (&texts[0], &texts[1], &hunks, self->problem);
    self->result->hunks += rc == 0 ? (unsigned)hunks.count : 0;
    hunks_clear (&hunks);
    free (texts[0].bytes);
    free (texts[1].bytes);
    return rc;
}

/* --- all files --- */

static bool s_same_content (const tree_file_t *a, const tree_file_t *b)
{
    return digest_equal (&a->content, &b->content);
}

static bool s_same (const tree_file_t *a, const tree_file_t *b)
{
    return a != NULL && b != NULL && a->executable == b->executable && s_same_content (a, b);
}

/* A file that they have and that isn't as it was in the base. */
static int s_merge_their_file (merge_t *self, const tree_file_t *base, const tree_file_t *ours,
                               const tree_file_t *theirs)
{
    assert (theirs != NULL && !s_same (base, theirs));
    if (ours == NULL || base == NULL) {
        bool is_removed = base != NULL; /* by us, and changed by them */
        bool differs = ours != NULL && !s_same_content (ours, theirs);
        if (differs)
            return s_merge_both (self, base, ours, theirs, theirs->executable);
        self->result->hunks++;
        self->result->conflicts += is_removed;
        return s_add (self, theirs->path, theirs->executable, &theirs->content, theirs->size);
    }
    bool executable = theirs->executable != base->executable ? theirs->executable : ours->executable;
    if (s_same_content (theirs, base)) { /* they changed the mode only */
        self->result->hunks++;
        return s_add (self, ours->path, executable, &ours->content, ours->size);
    }
    if (!s_same_content (ours, base) && !s_same_content (ours, theirs))
        return s_merge_both (self, base, ours, theirs, executable);
    int rc = s_count_theirs (self, base, theirs);
    return rc != 0 ? rc : s_add (self, theirs->path, executable, &theirs->content, theirs->size);
}

/* What they changed or added. */
static int s_merge_theirs (merge_t *self)
{
    int rc = 0;
    for (size_t i = 0; i < self->theirs->count && rc == 0; i++) {
        const tree_file_t *theirs = &self->theirs->files[i];
        const tree_file_t *base = tree_find (self->base, theirs->path);
        if (!s_same (base, theirs))
            rc = s_merge_their_file (self, base, tree_find (self->ours, theirs->path), theirs);
    }
    return rc;
}

/* What they removed: it stays away, in conflict if we changed it. */
static void s_merge_removed (merge_t *self)
{
    for (size_t i = 0; i < self->base->count; i++) {
        const tree_file_t *base = &self->base->files[i], *ours = tree_find (self->ours, base->path);
        if (tree_find (self->theirs, base->path) != NULL)
            continue;
        self->result->hunks++;
        self->result->conflicts += ours != NULL && !s_same (ours, base);
    }
}

/* What they left alone is as we have it. A file of ours that can't stand beside theirs (one's name is the other's
 * directory) gives way, in conflict. */
static int s_merge_ours (merge_t *self)
{
    int rc = 0;
    for (size_t i = 0; i < self->ours->count && rc == 0; i++) {
        const tree_file_t *ours = &self->ours->files[i];
        const tree_file_t *base = tree_find (self->base, ours->path),
                          *theirs = tree_find (self->theirs, ours->path);
        bool is_removed = base != NULL && theirs == NULL;
        bool is_merged = theirs != NULL && !s_same (base, theirs);
        if (is_removed || is_merged)
            continue;
        rc = tree_add (self->merged, ours->path, ours->executable, &ours->content, ours->size);
        if (rc == ERROR_INPUT) {
            self->result->conflicts++;
            rc = 0;
        } else if (rc != 0)
            problem_set (self->problem, "%s: can't stand in the merged tree: %s", ours->path,
                         error_text (rc));
    }
    return rc;
}

int workspace_merge (store_t *store, const tree_t *base, const tree_t *ours, const tree_t *theirs,
                     tree_t *merged, merge_result_t *result, problem_t *problem)
{
    assert (store != NULL && base != NULL && ours != NULL && theirs != NULL && merged != NULL &&
            result != NULL);
    merge_t merge = {store, base, ours, theirs, merged, result, problem};
    bool own;
    memset (merged, 0, sizeof *merged);
    memset (result, 0, sizeof *result);
    int failed = workspace_git_start (problem);
    if (failed != 0)
        return failed;
    failed = workspace_begin (store, &own, problem);
    if (failed == 0) {
        failed = s_merge_theirs (&merge);
        if (failed == 0) {
            s_merge_removed (&merge);
            failed = s_merge_ours (&merge);
        }
        failed = workspace_end (store, own, failed, problem);
    }
    workspace_git_end ();
    if (failed != 0)
        tree_clear (merged);
    if (result->conflicts > result->hunks) /* several files of ours gave way to one of theirs */
        result->conflicts = result->hunks;
    assert (failed != 0 || result->conflicts <= result->hunks);
    return failed;
}
