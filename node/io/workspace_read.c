/* SPDX-License-Identifier: MPL-2.0 */
/* Trees of files, from a directory into the store. As in workspace.c no link is followed. */
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

#define TEXT_OF(number)      TEXT_OF_NUMBER (number)
#define TEXT_OF_NUMBER(text) #text
#define SHOWN_MAX            (4 * (LIMIT_PATH + NAME_MAX + 2))

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
    assert (used < SHOWN_MAX);
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
    int below = openat (directory, name, WORKSPACE_OPEN_DIRECTORY);
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
    assert (path[0] != '/' && strlen (path) <= LIMIT_PATH);
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
        else if ((below = openat (directory, name, WORKSPACE_OPEN_DIRECTORY)) < 0)
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
