/* SPDX-License-Identifier: MPL-2.0 */
/* Trees of files, from the store into a directory (workspace_read.c reads them in). Every step goes from an open directory to a name in
 * it, and no link is followed: whoever swaps a directory for a link meanwhile gains nothing. */
#define _GNU_SOURCE /* openat, O_NOFOLLOW, O_DIRECTORY, O_CLOEXEC */
#include "node/io/workspace_internal.h"

#include "node/io/file.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
            below = openat (directory, part, WORKSPACE_OPEN_DIRECTORY);
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
        int below = openat (directory, entry->d_name, WORKSPACE_OPEN_DIRECTORY);
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
