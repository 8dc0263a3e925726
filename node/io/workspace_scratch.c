/* SPDX-License-Identifier: MPL-2.0 */
/* Scratch directories: made for a run, and removed with whatever the run left there. */
#define _GNU_SOURCE /* openat, O_NOFOLLOW, O_DIRECTORY, O_CLOEXEC */
#include "node/io/file.h"
#include "node/io/workspace.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int workspace_scratch (const char *parent, char *path, size_t path_size, problem_t *problem)
{
    assert (path != NULL);
    if (file_join (path, path_size, parent, "run-XXXXXX", problem) != 0)
        return ERROR_BOUND;
    if (mkdtemp (path) != NULL)
        return 0;
    int saved = errno;
    problem_set (problem, "%s: no directory can be made there: %s", parent, file_reason (saved));
    return file_error (saved);
}

/* A program may leave directories nested without end, and without permissions. So nothing here recurses: what is in a
 * directory below the top moves up to the top, level by level, under a number; two descriptors are open at a time. */
typedef struct {
    int top;
    uint64_t next; /* number of the next directory that moves up */
    bool moved;    /* something was removed or moved in this pass */
} remover_t;

/* Gives ourselves all permissions of a directory. Where that fails, what they were wanted for fails too, and tells. */
static void s_permit (int directory, const char *name)
{
    int rc = fchmodat (directory, name, 0700, 0);
    (void)rc;
}

/* Opens a directory, giving ourselves the permissions that take. It was no link when it was looked at, and those who
 * could have swapped it are dead. */
static int s_open (int directory, const char *name)
{
    s_permit (directory, name);
    return openat (directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool s_is_directory (int directory, const char *name)
{
    struct stat status;
    return fstatat (directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR (status.st_mode);
}

/* Moves a directory up to the top. Returns 0 or -1. */
static int s_move_up (remover_t *self, int directory, const char *name)
{
    assert (directory != self->top);
    char number[32];
    s_permit (directory, name); /* moving one takes the right to change its ".." */
    do
        snprintf (number, sizeof number, "removed-%llu", (unsigned long long)self->next++);
    while (renameat (directory, name, self->top, number) != 0 &&
           (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR));
    return s_is_directory (directory, name) ? -1 : 0;
}

/* Removes or moves up what is in a directory below the top, then the directory. What fails is left for the next
 * pass. */
static void s_unpack (remover_t *self, const char *name)
{
    int directory = s_open (self->top, name);
    DIR *listing = directory < 0 ? NULL : fdopendir (directory);
    if (listing == NULL) {
        if (directory >= 0)
            close (directory);
        return;
    }
    for (struct dirent *entry = readdir (listing); entry != NULL; entry = readdir (listing)) {
        if (strcmp (entry->d_name, ".") == 0 || strcmp (entry->d_name, "..") == 0)
            continue;
        bool gone = s_is_directory (directory, entry->d_name)
                        ? s_move_up (self, directory, entry->d_name) == 0
                        : unlinkat (directory, entry->d_name, 0) == 0;
        self->moved = self->moved || gone;
    }
    closedir (listing);
    if (unlinkat (self->top, name, AT_REMOVEDIR) == 0)
        self->moved = true;
}

/* One pass over the top. Returns how many names are in it that could not be removed, or -1. */
static int s_pass (remover_t *self)
{
    int copy = fcntl (self->top, F_DUPFD_CLOEXEC, 0), left = 0;
    DIR *listing = copy < 0 ? NULL : fdopendir (copy);
    if (listing == NULL) {
        if (copy >= 0)
            close (copy);
        return -1;
    }
    rewinddir (listing); /* the copy shares its place with what was read before */
    self->moved = false;
    for (struct dirent *entry = readdir (listing); entry != NULL; entry = readdir (listing)) {
        if (strcmp (entry->d_name, ".") == 0 || strcmp (entry->d_name, "..") == 0)
            continue;
        left++;
        if (s_is_directory (self->top, entry->d_name))
            s_unpack (self, entry->d_name);
        else if (unlinkat (self->top, entry->d_name, 0) == 0)
            self->moved = true;
    }
    closedir (listing);
    return left;
}

int workspace_remove (const char *directory)
{
    assert (directory != NULL);
    struct stat status;
    if (lstat (directory, &status) != 0)
        return errno == ENOENT ? 0 : file_error (errno);
    if (!S_ISDIR (status.st_mode))
        return unlink (directory) == 0 ? 0 : file_error (errno);
    remover_t remover = {.top = s_open (AT_FDCWD, directory), .next = 1};
    if (remover.top < 0)
        return file_error (errno);
    int left;
    do
        left = s_pass (&remover);
    while (left > 0 && remover.moved);
    close (remover.top);
    if (left != 0)
        return ERROR_IO;
    return rmdir (directory) == 0 ? 0 : file_error (errno);
}
