/* SPDX-License-Identifier: MPL-2.0 */
/* archive.git: what the node tried, for people and their git tools. Derived from the store: what a crash takes away,
 * the node commits again. Objects are gathered in memory and written a pack at a time: a loose object per file would cost a
 * sync and 4 KB each. */
#define _GNU_SOURCE /* PATH_MAX */
#include "node/io/archive_commits.h"
#include "node/io/archive_refs.h"
#include "node/io/file.h"
#include "node/io/workspace_internal.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <git2.h>
#include <git2/sys/commit.h>
#include <git2/sys/mempack.h>

#define REPOSITORY_NAME   "archive.git"
#define DROPPED_NAME      "archive.git.old" /* what it was before it was made anew, on its way out */
#define COMMITS_NAME      "evomesh-commits"
#define PACKED_REFS_NAME  "packed-refs"
#define REFS_LAG          8 /* with 1 in so many candidates new, the refs of all are written anew */
#define HEAD_NAME         "HEAD"
#define HEAD_REF          "refs/heads/last" /* the commit made last: where `git log` starts */
#define REF_PREFIX        "refs/evomesh/"
#define TRAILER           "Candidate: "
#define PENDING_MAX       64 /* commits and refs that wait in memory; at the bound they are written */
#define PARENTS_MAX       16
#define REF_NAME_MAX      128
#define MEMORY_PRIORITY   999 /* before loose objects and packs */
#define MESSAGE_BYTES_MAX (LIMIT_LONG_TEXT + 128)

_Static_assert(COMMIT_BYTES == GIT_OID_RAWSZ, "git's ids");

typedef struct {
    char name[REF_NAME_MAX]; /* whole, with REF_PREFIX */
    git_oid commit;
    bool is_removed;
} pending_ref_t;

struct archive_git {
    git_repository *repository;
    git_odb *objects;
    git_odb_backend *memory; /* owned by `objects` */
    char commits_path[PATH_MAX];
    char packed_refs_path[PATH_MAX];
    archive_commits_t commits;
    size_t ref_lag;                        /* commits since the refs of all candidates were written */
    archive_commit_t pending[PENDING_MAX]; /* committed in memory only */
    size_t pending_count;
    pending_ref_t refs[PENDING_MAX];
    size_t ref_count;
};

/* --- opening --- */

/* Opens the repository, or makes it. */
static int s_open_repository (archive_git_t *self, const char *path, problem_t *problem)
{
    int rc = git_repository_open_bare (&self->repository, path);
    if (rc == GIT_ENOTFOUND) {
        git_repository_init_options options;
        git_repository_init_options_init (&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
        options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKDIR | GIT_REPOSITORY_INIT_NO_REINIT;
        options.description = "Candidates of an evomesh node; derived from its database";
        options.initial_head = HEAD_REF;
        rc = git_repository_init_ext (&self->repository, path, &options);
    }
    if (rc == 0)
        rc = git_repository_odb (&self->objects, self->repository);
    if (rc == 0)
        return 0;
    rc = workspace_git_fail ("can't be opened (it may be moved away: it is made again)", problem);
    problem_prefix (problem, "%s", path);
    return rc;
}

/* The candidate that a commit's last line names. Returns 0, or -1 if it names none. */
static int s_candidate_of (const git_commit *commit, digest_t *candidate)
{
    const char *message = git_commit_message_raw (commit), *trailer = NULL;
    for (const char *next = strstr (message, "\n" TRAILER); next != NULL;
         next = strstr (next + 1, "\n" TRAILER))
        trailer = next + strlen ("\n" TRAILER);
    char text[DIGEST_TEXT_BYTES];
    if (trailer == NULL || snprintf (text, sizeof text, "%s", trailer) < (int)sizeof text - 1)
        return -1;
    return digest_parse (text, candidate);
}

/* Notes an object if it is a candidate's commit. */
static int s_rebuild_one (const git_oid *id, void *context)
{
    archive_git_t *self = context;
    size_t size;
    git_object_t type;
    git_commit *commit;
    digest_t candidate;
    if (git_odb_read_header (&size, &type, self->objects, id) != 0 || type != GIT_OBJECT_COMMIT ||
        git_commit_lookup (&commit, self->repository, id) != 0)
        return 0; /* not a commit, or damaged: then its candidate is committed again */
    int rc = 0;
    if (s_candidate_of (commit, &candidate) == 0 && !digest_is_zero (&candidate))
        rc = archive_commits_add (&self->commits, &candidate, id->id);
    git_commit_free (commit);
    return rc;
}

/* Did a crash come between the commits and their refs? */
static bool s_refs_are_behind (const archive_git_t *self)
{
    struct stat refs, commits;
    if (stat (self->packed_refs_path, &refs) != 0 || stat (self->commits_path, &commits) != 0)
        return true;
    return refs.st_mtim.tv_sec < commits.st_mtim.tv_sec ||
           (refs.st_mtim.tv_sec == commits.st_mtim.tv_sec && refs.st_mtim.tv_nsec < commits.st_mtim.tv_nsec);
}

/* Reads which commits there are, or finds out from the commits themselves. */
static int s_load_commits (archive_git_t *self, problem_t *problem)
{
    archive_commit_t last;
    git_oid id;
    int rc = archive_commits_read (&self->commits, self->commits_path, &last, problem);
    if (rc != 0 && rc != ERROR_NOT_FOUND)
        return rc;
    memcpy (id.id, last.commit, COMMIT_BYTES);
    self->ref_lag = s_refs_are_behind (self) ? self->commits.count : 0;
    if (self->commits.count > 0 && git_odb_exists (self->objects, &id) == 1)
        return 0;
    archive_commits_clear (&self->commits);
    if (git_odb_foreach (self->objects, s_rebuild_one, self) != 0)
        return workspace_git_fail (REPOSITORY_NAME ": its commits can't be listed", problem);
    self->ref_lag = self->commits.count;
    return self->commits.count == 0 ? 0 : archive_commits_write (&self->commits, self->commits_path, problem);
}

/* From here on new objects wait in memory. Only now: libgit2 can't list the objects of such a store (it calls NULL). */
static int s_gather_in_memory (archive_git_t *self, problem_t *problem)
{
    if (git_mempack_new (&self->memory) == 0 &&
        git_odb_add_backend (self->objects, self->memory, MEMORY_PRIORITY) == 0)
        return 0;
    return workspace_git_fail (REPOSITORY_NAME ": can't be written to", problem);
}

/* Removes what is on its way out; also what a crash left of it. */
static int s_remove_dropped (const char *data_directory, problem_t *problem)
{
    char dropped[PATH_MAX];
    if (file_join (dropped, sizeof dropped, data_directory, DROPPED_NAME, problem) != 0)
        return ERROR_BOUND;
    return workspace_remove (dropped) == 0 ? 0 : problem_set (problem, "%s: can't be removed", dropped);
}

archive_git_t *archive_git_open (const char *data_directory, problem_t *problem)
{
    char path[PATH_MAX];
    if (s_remove_dropped (data_directory, problem) != 0 ||
        file_join (path, sizeof path, data_directory, REPOSITORY_NAME, problem) != 0)
        return NULL;
    archive_git_t *self = calloc (1, sizeof *self);
    if (self == NULL) {
        problem_set (problem, "out of memory");
        return NULL;
    }
    if (workspace_git_start (problem) != 0) {
        free (self);
        return NULL;
    }
    if (file_join (self->commits_path, sizeof self->commits_path, path, COMMITS_NAME, problem) == 0 &&
        file_join (self->packed_refs_path, sizeof self->packed_refs_path, path, PACKED_REFS_NAME, problem) ==
            0 &&
        s_open_repository (self, path, problem) == 0 && s_load_commits (self, problem) == 0 &&
        s_gather_in_memory (self, problem) == 0)
        return self;
    archive_git_close (&self);
    return NULL;
}

void archive_git_close (archive_git_t **self_p)
{
    assert (self_p != NULL);
    archive_git_t *self = *self_p;
    if (self == NULL)
        return;
    archive_git_flush (self, NULL); /* what can't be written is committed again from the store */
    if (self->ref_lag > 0 && self->pending_count == 0)
        (void)archive_refs_write (&self->commits, self->packed_refs_path, NULL);
    archive_commits_clear (&self->commits);
    git_odb_free (self->objects);
    git_repository_free (self->repository);
    workspace_git_end ();
    free (self);
    *self_p = NULL;
}

void archive_git_renew (archive_git_t **self_p, const char *data_directory, problem_t *problem)
{
    assert (self_p != NULL && *self_p != NULL);
    char path[PATH_MAX], dropped[PATH_MAX];
    archive_git_close (self_p);
    if (file_join (path, sizeof path, data_directory, REPOSITORY_NAME, problem) != 0 ||
        file_join (dropped, sizeof dropped, data_directory, DROPPED_NAME, problem) != 0)
        return;
    /* Under its own name it is whole: a crash in the middle of its removal would leave commits without their files. */
    if (rename (path, dropped) != 0 && errno != ENOENT)
        problem_set (problem, "%s: can't be made anew: %s", path, file_reason (errno));
    else
        *self_p = archive_git_open (data_directory, problem);
}

size_t archive_git_count (const archive_git_t *self)
{
    assert (self != NULL);
    return self->commits.count;
}

/* --- writing what waits --- */

/* Writes the commits that wait, with all that they stand on, as one pack. */
static int s_write_pack (archive_git_t *self)
{
    assert (self->pending_count > 0 && self->pending_count <= PENDING_MAX);
    git_packbuilder *builder = NULL;
    int rc = git_packbuilder_new (&builder, self->repository);
    for (size_t i = 0; i < self->pending_count && rc == 0; i++) {
        git_oid id;
        memcpy (id.id, self->pending[i].commit, COMMIT_BYTES);
        rc = git_packbuilder_insert_commit (builder, &id);
    }
    if (rc == 0)
        rc = git_packbuilder_write (builder, NULL, 0, NULL, NULL); /* synced: see workspace_git_start */
    git_packbuilder_free (builder);
    if (rc == 0)
        rc = git_odb_refresh (self->objects);
    return rc != 0 ? rc : git_mempack_reset (self->memory);
}

static int s_write_ref (archive_git_t *self, const char *name, const git_oid *commit)
{
    git_reference *reference = NULL;
    int rc = git_reference_create (&reference, self->repository, name, commit, 1, NULL);
    git_reference_free (reference);
    return rc;
}

static int s_write_refs (archive_git_t *self)
{
    int rc = 0;
    for (size_t i = 0; i < self->ref_count && rc == 0; i++) {
        const pending_ref_t *ref = &self->refs[i];
        rc = ref->is_removed ? git_reference_remove (self->repository, ref->name)
                             : s_write_ref (self, ref->name, &ref->commit);
    }
    return rc;
}

/* Refs of all candidates, as soon as enough of them are new that the work is spread thinly over them. */
static int s_write_candidate_refs (archive_git_t *self, problem_t *problem)
{
    if (self->ref_lag == 0 || REFS_LAG * self->ref_lag < self->commits.count)
        return 0;
    int rc = archive_refs_write (&self->commits, self->packed_refs_path, problem);
    if (rc == 0)
        self->ref_lag = 0;
    return rc;
}

bool archive_git_is_there (const archive_git_t *self)
{
    assert (self != NULL);
    char head[PATH_MAX];
    if (self->repository == NULL) /* it could not be opened */
        return false;
    int length = snprintf (head, sizeof head, "%s" HEAD_NAME, git_repository_path (self->repository));
    return length < (int)sizeof head && access (head, F_OK) == 0;
}

int archive_git_flush (archive_git_t *self, problem_t *problem)
{
    assert (self != NULL);
    if (!archive_git_is_there (self)) {
        problem_set (problem, REPOSITORY_NAME ": somebody took it away");
        return ERROR_NOT_FOUND;
    }
    if (self->pending_count > 0) {
        git_oid last;
        memcpy (last.id, self->pending[self->pending_count - 1].commit, COMMIT_BYTES);
        if (s_write_pack (self) != 0)
            return workspace_git_fail (REPOSITORY_NAME ": commits can't be written", problem);
        int rc = archive_commits_append (self->commits_path, self->pending, self->pending_count, problem);
        if (rc != 0)
            return rc;
        self->ref_lag += self->pending_count;
        self->pending_count = 0;
        if (s_write_ref (self, HEAD_REF, &last) != 0)
            return workspace_git_fail (REPOSITORY_NAME ": a ref can't be written", problem);
    }
    if (s_write_refs (self) != 0)
        return workspace_git_fail (REPOSITORY_NAME ": a ref can't be written", problem);
    self->ref_count = 0;
    return s_write_candidate_refs (self, problem);
}

int archive_git_reserve (archive_git_t *self, size_t commits, problem_t *problem)
{
    assert (self != NULL && commits <= PENDING_MAX);
    return self->pending_count + commits <= PENDING_MAX ? 0 : archive_git_flush (self, problem);
}

/* --- committing --- */

/* Writes the files as blobs and trees; sets the id of the whole. */
static int s_write_tree (archive_git_t *self, store_t *store, const tree_t *tree, git_oid *id,
                         problem_t *problem)
{
    git_index *index = NULL;
    int rc = git_index_new (&index), missing = 0;
    for (size_t i = 0; i < tree->count && rc == 0 && missing == 0; i++) {
        const tree_file_t *file = &tree->files[i];
        size_t size;
        uint8_t *bytes = workspace_content (store, file, &size, problem);
        if (bytes == NULL) {
            missing = ERROR_NOT_FOUND;
            break;
        }
        git_index_entry entry;
        memset (&entry, 0, sizeof entry);
        entry.mode = file->executable ? GIT_FILEMODE_BLOB_EXECUTABLE : GIT_FILEMODE_BLOB;
        entry.path = file->path;
        rc = git_blob_create_from_buffer (&entry.id, self->repository, bytes, size);
        if (rc == 0)
            rc = git_index_add (index, &entry);
        free (bytes);
    }
    if (rc == 0 && missing == 0)
        rc = git_index_write_tree_to (id, index, self->repository);
    git_index_free (index);
    return missing != 0 ? missing : rc == 0 ? 0 : workspace_git_fail ("a tree can't be committed", problem);
}

/* The commits of those candidates that have one, each once. */
static size_t s_find_parents (const archive_git_t *self, const digest_t *candidates, size_t count,
                              git_oid *parents)
{
    size_t found = 0;
    for (size_t i = 0; i < count && found < PARENTS_MAX; i++) {
        const uint8_t *commit = archive_commits_find (&self->commits, &candidates[i]);
        bool is_new = commit != NULL;
        for (size_t j = 0; j < found && is_new; j++)
            is_new = memcmp (parents[j].id, commit, COMMIT_BYTES) != 0;
        if (is_new)
            memcpy (parents[found++].id, commit, COMMIT_BYTES);
    }
    assert (found <= PARENTS_MAX);
    return found;
}

static int s_write_commit (archive_git_t *self, const git_oid *tree, const git_oid *parents,
                           size_t parent_count, const char *message, uint64_t time_ms, git_oid *id,
                           problem_t *problem)
{
    assert (parent_count <= PARENTS_MAX && message != NULL);
    const git_oid *pointers[PARENTS_MAX];
    git_signature *signature = NULL;
    for (size_t i = 0; i < parent_count; i++)
        pointers[i] = &parents[i];
    int rc = git_signature_new (&signature, "evomesh", "evomesh@localhost", (git_time_t)(time_ms / 1000), 0);
    if (rc == 0)
        rc = git_commit_create_from_ids (id, self->repository, NULL, signature, signature, NULL, message,
                                         tree, parent_count, pointers);
    git_signature_free (signature);
    return rc == 0 ? 0 : workspace_git_fail ("a candidate can't be committed", problem);
}

bool archive_git_has (const archive_git_t *self, const digest_t *candidate)
{
    assert (self != NULL && candidate != NULL);
    return archive_commits_find (&self->commits, candidate) != NULL;
}

int archive_git_commit (archive_git_t *self, store_t *store, const digest_t *candidate, const tree_t *tree,
                        const digest_t *parents, size_t parent_count, const char *message, uint64_t time_ms,
                        problem_t *problem)
{
    assert (self != NULL && store != NULL && candidate != NULL && tree != NULL &&
            (parents != NULL || parent_count == 0));
    if (archive_git_has (self, candidate))
        return 0;
    if (digest_is_zero (candidate)) {
        problem_set (problem, "a candidate of id zero can't be committed");
        return ERROR_INPUT;
    }
    int rc = self->pending_count < PENDING_MAX ? 0 : archive_git_flush (self, problem);
    char text[DIGEST_TEXT_BYTES], whole[MESSAGE_BYTES_MAX];
    git_oid tree_oid, commit, parent_oids[PARENTS_MAX];
    digest_text (candidate, text);
    snprintf (whole, sizeof whole, "%.*s\n\n" TRAILER "%s\n", LIMIT_LONG_TEXT, message, text);
    if (rc == 0)
        rc = s_write_tree (self, store, tree, &tree_oid, problem);
    if (rc != 0)
        return rc;
    size_t found = s_find_parents (self, parents, parent_count, parent_oids);
    rc = s_write_commit (self, &tree_oid, parent_oids, found, whole, time_ms, &commit, problem);
    if (rc == 0)
        rc = archive_commits_add (&self->commits, candidate, commit.id);
    if (rc != 0)
        return rc;
    assert (self->pending_count < PENDING_MAX); /* those that waited were written */
    archive_commit_t *pending = &self->pending[self->pending_count++];
    pending->candidate = *candidate;
    memcpy (pending->commit, commit.id, COMMIT_BYTES);
    return 0;
}

/* --- refs --- */

/* The place for a ref that waits: its own if it waits already. */
static pending_ref_t *s_pending_ref (archive_git_t *self, const char *name)
{
    for (size_t i = 0; i < self->ref_count; i++)
        if (strcmp (self->refs[i].name, name) == 0)
            return &self->refs[i];
    assert (self->ref_count < PENDING_MAX);
    return &self->refs[self->ref_count++];
}

int archive_git_ref (archive_git_t *self, const char *name, const digest_t *candidate, problem_t *problem)
{
    assert (self != NULL);
    char whole[REF_NAME_MAX];
    int valid = 0;
    if (snprintf (whole, sizeof whole, REF_PREFIX "%s", name) >= (int)sizeof whole ||
        git_reference_name_is_valid (&valid, whole) != 0 || !valid) {
        problem_set (problem, "%s%s: not a name for a ref", REF_PREFIX, name);
        return ERROR_INPUT;
    }
    const uint8_t *commit = candidate == NULL ? NULL : archive_commits_find (&self->commits, candidate);
    if (candidate != NULL && commit == NULL) {
        problem_set (problem, "%s: its candidate was not committed", whole);
        return ERROR_NOT_FOUND;
    }
    int rc = self->ref_count < PENDING_MAX ? 0 : archive_git_flush (self, problem);
    if (rc != 0)
        return rc;
    pending_ref_t *ref = s_pending_ref (self, whole);
    memcpy (ref->name, whole, sizeof whole);
    ref->is_removed = candidate == NULL;
    if (commit != NULL)
        memcpy (ref->commit.id, commit, COMMIT_BYTES);
    return 0;
}
