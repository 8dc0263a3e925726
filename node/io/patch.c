/* SPDX-License-Identifier: MPL-2.0 */
/* Patches as `git apply` takes them. libgit2 finds the hunks; the heads are written here, as it knows neither modes nor
 * names of buffers that stand alone. */
#include "node/io/workspace_internal.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <git2.h>

typedef struct {
    store_t *store;
    char *text; /* malloc'ed, terminated */
    size_t size, capacity;
    int failed; /* the first error, 0 so far */
    problem_t *problem;
} patch_t;

/* --- text that grows --- */

static void s_append (patch_t *self, const char *text, size_t size)
{
    if (self->failed != 0)
        return;
    if (self->capacity - self->size <= size) {
        size_t capacity = 2 * self->capacity + size + 1;
        char *grown = realloc (self->text, capacity);
        if (grown == NULL) {
            self->failed = ERROR_MEMORY;
            problem_set (self->problem, "out of memory");
            return;
        }
        self->text = grown;
        self->capacity = capacity;
    }
    assert (self->size + size < self->capacity);
    memcpy (self->text + self->size, text, size);
    self->size += size;
    self->text[self->size] = '\0';
}

__attribute__ ((format (printf, 2, 3))) static void s_print (patch_t *self, const char *format, ...)
{
    char text[2 * LIMIT_PATH + 256];
    va_list arguments;
    va_start (arguments, format);
    int size = vsnprintf (text, sizeof text, format, arguments);
    va_end (arguments);
    assert (size >= 0 && (size_t)size < sizeof text);
    s_append (self, text, (size_t)size);
}

/* Writes a path with its prefix, quoted as git does if it holds a quote or a backslash. Control characters can't be in
 * a path. */
static void s_print_path (patch_t *self, const char *prefix, const char *path)
{
    bool is_quoted = strpbrk (path, "\"\\") != NULL;
    s_print (self, "%s%s", is_quoted ? "\"" : "", prefix);
    for (const char *c = path; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            s_append (self, "\\", 1);
        s_append (self, c, 1);
    }
    s_append (self, "\"", is_quoted ? 1 : 0);
}

/* "--- a/path": a tab ends a path with spaces, which would else be cut there. */
static void s_print_side (patch_t *self, const char *mark, const char *prefix, const tree_file_t *file)
{
    s_print (self, "%s ", mark);
    if (file == NULL)
        s_print (self, "/dev/null\n");
    else {
        s_print_path (self, prefix, file->path);
        s_print (self, strchr (file->path, ' ') != NULL ? "\t\n" : "\n");
    }
}

/* --- one file --- */

typedef struct {
    const tree_file_t *file; /* NULL: it isn't on this side */
    uint8_t *bytes;
    size_t size;
    char id[GIT_OID_HEXSZ + 1]; /* as git names it; zeros if it isn't there */
} side_t;

static unsigned s_mode (const tree_file_t *file)
{
    return file->executable ? 0100755 : 0100644;
}

static void s_load (patch_t *self, side_t *side)
{
    assert (self->failed == 0 && side->bytes == NULL);
    memset (side->id, '0', GIT_OID_HEXSZ);
    side->id[GIT_OID_HEXSZ] = '\0';
    if (side->file == NULL)
        return;
    git_oid id;
    side->bytes = workspace_content (self->store, side->file, &side->size, self->problem);
    if (side->bytes == NULL)
        self->failed = ERROR_NOT_FOUND;
    else if (git_odb_hash (&id, side->bytes, side->size, GIT_OBJECT_BLOB) != 0)
        self->failed = workspace_git_fail ("hashing a file", self->problem);
    else
        git_oid_tostr (side->id, sizeof side->id, &id);
}

static void s_print_head (patch_t *self, const side_t *old, const side_t *fresh, bool is_changed)
{
    assert (old->file != NULL || fresh->file != NULL);
    const tree_file_t *named = old->file != NULL ? old->file : fresh->file;
    s_print (self, "diff --git ");
    s_print_path (self, "a/", named->path);
    s_print (self, " ");
    s_print_path (self, "b/", named->path);
    s_print (self, "\n");
    if (old->file == NULL)
        s_print (self, "new file mode %06o\n", s_mode (fresh->file));
    else if (fresh->file == NULL)
        s_print (self, "deleted file mode %06o\n", s_mode (old->file));
    else if (old->file->executable != fresh->file->executable)
        s_print (self, "old mode %06o\nnew mode %06o\n", s_mode (old->file), s_mode (fresh->file));
    bool is_mode_known =
        old->file != NULL && fresh->file != NULL && old->file->executable == fresh->file->executable;
    if (is_changed && is_mode_known)
        s_print (self, "index %s..%s %06o\n", old->id, fresh->id, s_mode (old->file));
    else if (is_changed)
        s_print (self, "index %s..%s\n", old->id, fresh->id);
}

/* What libgit2 prints of a patch: all but the head. */
typedef struct {
    patch_t *patch;
    const side_t *old, *fresh;
    bool is_started; /* the sides are named */
} body_t;

static int s_print_line (const git_diff_delta *delta, const git_diff_hunk *hunk, const git_diff_line *line,
                         void *context)
{
    (void)delta, (void)hunk;
    body_t *self = context;
    if (line->origin == GIT_DIFF_LINE_FILE_HDR)
        return 0;
    if (!self->is_started && line->origin != GIT_DIFF_LINE_BINARY) {
        s_print_side (self->patch, "---", "a/", self->old->file);
        s_print_side (self->patch, "+++", "b/", self->fresh->file);
    }
    self->is_started = true;
    if (line->origin == GIT_DIFF_LINE_CONTEXT || line->origin == GIT_DIFF_LINE_ADDITION ||
        line->origin == GIT_DIFF_LINE_DELETION)
        s_append (self->patch, &line->origin, 1);
    s_append (self->patch, line->content, line->content_len);
    return 0;
}

static void s_print_body (patch_t *self, const side_t *old, const side_t *fresh)
{
    assert (old->file != NULL || fresh->file != NULL);
    git_diff_options options;
    git_diff_options_init (&options, GIT_DIFF_OPTIONS_VERSION);
    options.flags = GIT_DIFF_SHOW_BINARY;
    git_patch *found = NULL;
    body_t body = {self, old, fresh, false};
    /* An empty buffer, rather than none: the head says what is added or removed. */
    int rc = git_patch_from_buffers (&found, old->bytes != NULL ? (const void *)old->bytes : "", old->size,
                                     "file", fresh->bytes != NULL ? (const void *)fresh->bytes : "",
                                     fresh->size, "file", &options);
    if (rc == 0 && found != NULL)
        rc = git_patch_print (found, s_print_line, &body);
    if (rc != 0 && self->failed == 0)
        self->failed = workspace_git_fail ("comparing files", self->problem);
    git_patch_free (found);
}

static void s_print_file (void *context, const tree_file_t *old_file, const tree_file_t *fresh_file)
{
    patch_t *self = context;
    side_t old = {.file = old_file}, fresh = {.file = fresh_file};
    if (self->failed == 0)
        s_load (self, &old);
    if (self->failed == 0)
        s_load (self, &fresh);
    if (self->failed == 0) {
        bool is_changed = strcmp (old.id, fresh.id) != 0;
        s_print_head (self, &old, &fresh, is_changed);
        if (is_changed)
            s_print_body (self, &old, &fresh);
    }
    free (old.bytes);
    free (fresh.bytes);
}

char *workspace_diff (store_t *store, const tree_t *old, const tree_t *fresh, problem_t *problem)
{
    assert (store != NULL && old != NULL && fresh != NULL);
    patch_t patch = {.store = store, .problem = problem};
    if (workspace_git_start (problem) != 0)
        return NULL;
    s_append (&patch, "", 0); /* so that equal trees give an empty text */
    tree_diff (old, fresh, s_print_file, &patch);
    workspace_git_end ();
    if (patch.failed == 0)
        return patch.text;
    free (patch.text);
    return NULL;
}
