/* SPDX-License-Identifier: MPL-2.0 */
/* Trees of files: from a directory into the store, and out again. Every step goes from an open directory to a name in
 * it, and no link is followed: whoever swaps a directory for a link meanwhile gains nothing. */
#define _GNU_SOURCE /* openat, O_NOFOLLOW, O_DIRECTORY, O_CLOEXEC */
#include "node/io/workspace_internal.h"

#include "node/io/file.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_DIRECTORY       (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define TEXT_OF(number)      TEXT_OF_NUMBER (number)
#define TEXT_OF_NUMBER(text) #text
#define SHOWN_MAX            (4 * (LIMIT_PATH + NAME_MAX + 2))

/* --- the store's part --- */

int workspace_begin (store_t *store, bool *own, problem_t *problem)
{
    assert (store != NULL && own != NULL);
    *own = !store_in_transaction (store);
    int rc = *own ? store_begin (store) : 0;
    if (rc != 0)
        problem_set (problem, "%s", store_problem (store));
    return rc;
}

int workspace_end (store_t *store, bool own, int rc, problem_t *problem)
{
    assert (store != NULL);
    if (own && rc == 0) {
        rc = store_commit (store);
        if (rc != 0)
            problem_set (problem, "%s", store_problem (store));
    }
    if (own && rc != 0)
        store_rollback (store);
    return rc;
}

uint8_t *workspace_content (store_t *store, const tree_file_t *file, size_t *size, problem_t *problem)
{
    assert (store != NULL && file != NULL && size != NULL);
    uint8_t *bytes = store_content_get (store, &file->content, size);
    if (bytes != NULL && *size == file->size)
        return bytes;
    char id[DIGEST_TEXT_BYTES];
    digest_text (&file->content, id);
    if (bytes == NULL)
        problem_set (problem, "%s: its content %s is not in the store", file->path, id);
    else
        problem_set (problem, "%s: its content %s has %zu bytes, its tree says %llu", file->path, id, *size,
                     (unsigned long long)file->size);
    free (bytes);
    return NULL;
}

/* --- reading --- */

typedef struct {
    store_t *store;
    const char *directory; /* as the caller named it, for problems */
    uint64_t file_bytes_max;
    uint64_t total_bytes; /* of all files so far */
    tree_t tree;
    problem_t *problem;
} reader_t;

/* A name as it may be printed: other bytes than plain ASCII as \xNN, unless the path is good as it is. */
static const char *s_shown (const char *path, char out[SHOWN_MAX])
{
    size_t used = 0;
    bool is_valid = tree_path_valid (path);
    for (const char *c = path; *c != '\0' && used + 5 < SHOWN_MAX; c++) {
        bool is_plain = is_valid || (*c >= 0x20 && *c < 0x7f);
        used +=
            (size_t)snprintf (out + used, SHOWN_MAX - used, is_plain ? "%c" : "\\x%02x", (unsigned char)*c);
    }
    out[used] = '\0';
    return out;
}

static int s_refuse (reader_t *self, const char *path, const char *why)
{
    char shown[SHOWN_MAX];
    problem_set (self->problem, "%s/%s: %s", self->directory, s_shown (path, shown), why);
    return ERROR_INPUT;
}

static int s_fail (reader_t *self, const char *path)
{
    int saved = errno;
    s_refuse (self, path, strerror (saved));
    return file_error (saved);
}

static const char *s_kind (mode_t mode)
{
    if (S_ISLNK (mode))
        return "a symbolic link; expected a regular file (links are refused, as they may lead elsewhere)";
    if (S_ISFIFO (mode))
        return "a named pipe; expected a regular file";
    if (S_ISSOCK (mode))
        return "a socket; expected a regular file";
    return S_ISDIR (mode) ? "a directory; expected a regular file" : "a device; expected a regular file";
}

/* Puts the bytes of an open file into the store and its name into the tree. */
static int s_read_open_file (reader_t *self, int file, const char *path)
{
    struct stat status;
    if (fstat (file, &status) != 0)
        return s_fail (self, path);
    if (!S_ISREG (status.st_mode))
        return s_refuse (self, path, s_kind (status.st_mode));
    size_t size = 0;
    uint8_t *bytes = file_read_all (file, self->file_bytes_max, &size);
    if (bytes == NULL && errno != EFBIG)
        return s_fail (self, path);
    self->total_bytes += size;
    if (bytes == NULL || self->total_bytes > LIMIT_AGENT_BYTES) {
        char why[128];
        snprintf (why, sizeof why,
                  bytes == NULL ? "larger than %llu bytes" : "with it, the files are larger than %llu bytes",
                  (unsigned long long)(bytes == NULL ? self->file_bytes_max : LIMIT_AGENT_BYTES));
        free (bytes);
        return s_refuse (self, path, why);
    }
    digest_t id;
    int rc = store_content_put (self->store, bytes, size, &id);
    free (bytes);
    if (rc != 0) {
        problem_set (self->problem, "%s", store_problem (self->store));
        return rc;
    }
    rc = tree_add (&self->tree, path, (status.st_mode & S_IXUSR) != 0, &id, size);
    if (rc == ERROR_BOUND)
        return s_refuse (self, path, "one file too many: the bound is " TEXT_OF (LIMIT_FILES));
    return rc == 0 ? 0 : s_refuse (self, path, error_text (rc));
}

static int s_read_file (reader_t *self, int directory, const char *name, const char *path)
{
    int file = openat (directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0)
        return s_fail (self, path);
    int rc = s_read_open_file (self, file, path);
    close (file);
    return rc;
}

static int s_read_directory (reader_t *self, int directory, const char *path);

/* One name of a directory, whose path is `prefix` (empty for the top). */
static int s_read_name (reader_t *self, int directory, const char *prefix, const char *name)
{
    char path[LIMIT_PATH + NAME_MAX + 2];
    struct stat status;
    snprintf (path, sizeof path, "%s%s%s", prefix, *prefix == '\0' ? "" : "/", name);
    if (strlen (path) > LIMIT_PATH)
        return s_refuse (self, path, "path longer than " TEXT_OF (LIMIT_PATH) " bytes");
    if (!tree_path_valid (path))
        return s_refuse (self, path,
                         "a name that can't be shared: expected UTF-8 without control characters, and not "
                         ".git or .evomesh");
    if (fstatat (directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return s_fail (self, path);
    if (S_ISREG (status.st_mode))
        return s_read_file (self, directory, name, path);
    if (!S_ISDIR (status.st_mode))
        return s_refuse (self, path, s_kind (status.st_mode));
    int below = openat (directory, name, OPEN_DIRECTORY);
    return below < 0 ? s_fail (self, path) : s_read_directory (self, below, path);
}

/* Reads what is below an open directory, and closes it. */
static int s_read_directory (reader_t *self, int directory, const char *path)
{
    DIR *listing = fdopendir (directory);
    if (listing == NULL) {
        int rc = s_fail (self, path);
        close (directory);
        return rc;
    }
    int rc = 0;
    for (errno = 0; rc == 0; errno = 0) {
        struct dirent *entry = readdir (listing);
        if (entry == NULL) {
            rc = errno == 0 ? 0 : s_fail (self, path);
            break;
        }
        const char *name = entry->d_name;
        if (strcmp (name, ".") != 0 && strcmp (name, "..") != 0 && strcmp (name, ".git") != 0 &&
            strncmp (name, ".evomesh", 8) != 0)
            rc = s_read_name (self, directory, path, name);
    }
    closedir (listing);
    return rc;
}

/* Hands over what was read, or nothing. */
static int s_finish (reader_t *self, bool own, int rc, tree_t *tree)
{
    rc = workspace_end (self->store, own, rc, self->problem);
    if (rc != 0)
        tree_clear (&self->tree);
    *tree = self->tree;
    return rc;
}

/* Opens the directory and a transaction. 0, or what failed, with the problem and nothing open. */
static int s_begin (reader_t *self, int *top, bool *own)
{
    *top = open (self->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*top < 0) {
        problem_set (self->problem, "%s: %s", self->directory, strerror (errno));
        return ERROR_IO;
    }
    int rc = workspace_begin (self->store, own, self->problem);
    if (rc != 0)
        close (*top);
    return rc;
}

int workspace_read (store_t *store, const char *directory, tree_t *tree, problem_t *problem)
{
    assert (store != NULL && tree != NULL);
    reader_t reader = {
        .store = store, .directory = directory, .file_bytes_max = LIMIT_CONTENT_BYTES, .problem = problem};
    int top;
    bool own;
    memset (tree, 0, sizeof *tree);
    int rc = s_begin (&reader, &top, &own);
    if (rc != 0)
        return rc;
    return s_finish (&reader, own, s_read_directory (&reader, top, ""), tree);
}

/* Reads the file at `path` if it is there, going down name by name from `top`. */
static int s_read_path (reader_t *self, int top, const char *path)
{
    char parts[LIMIT_PATH + 1];
    memcpy (parts, path, strlen (path) + 1);
    int directory = top, rc = 0;
    char *name = parts;
    for (char *slash = strchr (name, '/'); slash != NULL && rc == 0; slash = strchr (name, '/')) {
        struct stat status;
        *slash = '\0';
        int below = -1;
        if (fstatat (directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK (status.st_mode))
            rc = s_refuse (self, path, "is reached through a symbolic link");
        else if ((below = openat (directory, name, OPEN_DIRECTORY)) < 0)
            rc = errno == ENOENT || errno == ENOTDIR ? 1 : s_fail (self, path);
        if (directory != top)
            close (directory);
        directory = below;
        name = slash + 1;
    }
    struct stat status;
    if (rc == 0 && fstatat (directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        rc = errno == ENOENT ? 1 : s_fail (self, path);
    else if (rc == 0)
        rc = S_ISREG (status.st_mode) ? s_read_file (self, directory, name, path)
                                      : s_refuse (self, path, s_kind (status.st_mode));
    if (directory != top && directory >= 0)
        close (directory);
    return rc == 1 ? 0 : rc; /* 1: it is gone */
}

int workspace_read_evolved (store_t *store, const char *directory, const tree_t *evolve, tree_t *tree,
                            problem_t *problem)
{
    assert (store != NULL && evolve != NULL && tree != NULL);
    reader_t reader = {
        .store = store, .directory = directory, .file_bytes_max = LIMIT_FILE_BYTES, .problem = problem};
    int top;
    bool own;
    memset (tree, 0, sizeof *tree);
    int rc = s_begin (&reader, &top, &own);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < evolve->count && rc == 0; i++)
        rc = s_read_path (&reader, top, evolve->files[i].path);
    close (top);
    return s_finish (&reader, own, rc, tree);
}

/* --- writing --- */

/* Opens the directory that holds `path`, making those on the way; `*name` is set to the last part. -1 on failure. */
static int s_make_way (int top, char *path, char **name)
{
    int directory = fcntl (top, F_DUPFD_CLOEXEC, 0);
    char *part = path;
    for (char *slash = strchr (part, '/'); slash != NULL && directory >= 0; slash = strchr (part, '/')) {
        *slash = '\0';
        int below = -1;
        if (mkdirat (directory, part, 0755) == 0 || errno == EEXIST)
            below = openat (directory, part, OPEN_DIRECTORY);
        int saved = errno;
        close (directory);
        errno = saved;
        directory = below;
        part = slash + 1;
    }
    *name = part;
    return directory;
}

/* Writes one file in place of whatever has its name (but a directory). Returns 0, or -1 with errno. */
static int s_write_file (int top, const tree_file_t *file, const uint8_t *bytes, size_t size, bool durable)
{
    char path[LIMIT_PATH + 1], *name;
    memcpy (path, file->path, sizeof path);
    int directory = s_make_way (top, path, &name);
    if (directory < 0)
        return -1;
    int output = -1, rc = -1;
    if (unlinkat (directory, name, 0) == 0 || errno == ENOENT)
        output = openat (directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (output >= 0 && file_write_all (output, bytes, size) == 0 &&
        fchmod (output, file->executable ? 0755 : 0644) == 0 && (!durable || fsync (output) == 0))
        rc = 0;
    int saved = errno;
    if (output >= 0)
        close (output);
    close (directory);
    errno = saved;
    return rc;
}

/* Syncs an open directory and those below it, and closes it. Returns 0, or -1 with errno. */
static int s_sync_directories (int directory)
{
    DIR *listing = fdopendir (directory);
    if (listing == NULL)
        return -1;
    int rc = 0;
    for (struct dirent *entry = readdir (listing); entry != NULL && rc == 0; entry = readdir (listing)) {
        if (strcmp (entry->d_name, ".") == 0 || strcmp (entry->d_name, "..") == 0)
            continue;
        int below = openat (directory, entry->d_name, OPEN_DIRECTORY);
        if (below >= 0)
            rc = s_sync_directories (below);
        else if (errno != ENOTDIR && errno != ELOOP)
            rc = -1;
    }
    if (rc == 0)
        rc = fsync (directory);
    int saved = errno;
    closedir (listing);
    errno = saved;
    return rc;
}

int workspace_lay_out (store_t *store, const tree_t *tree, const char *directory, bool durable,
                       problem_t *problem)
{
    assert (store != NULL && tree != NULL);
    int top = mkdir (directory, 0755) == 0 || errno == EEXIST
                  ? open (directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                  : -1;
    if (top < 0) {
        int saved = errno;
        problem_set (problem, "%s: can't be made: %s", directory, file_reason (saved));
        return file_error (saved);
    }
    int rc = 0;
    for (size_t i = 0; i < tree->count && rc == 0; i++) {
        const tree_file_t *file = &tree->files[i];
        size_t size;
        uint8_t *bytes = workspace_content (store, file, &size, problem);
        if (bytes == NULL)
            rc = ERROR_NOT_FOUND;
        else if (s_write_file (top, file, bytes, size, durable) != 0) {
            rc = file_error (errno);
            problem_set (problem, "%s/%s: can't be written: %s", directory, file->path, file_reason (errno));
        }
        free (bytes);
    }
    if (!durable || rc != 0)
        close (top);
    else if (s_sync_directories (top) != 0) {
        rc = file_error (errno);
        problem_set (problem, "%s: can't be synced to disk: %s", directory, file_reason (errno));
    }
    return rc;
}

int workspace_write (store_t *store, const tree_t *tree, const char *directory, problem_t *problem)
{
    assert (store != NULL && tree != NULL);
    return workspace_lay_out (store, tree, directory, false, problem);
}
