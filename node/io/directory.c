/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE /* O_CLOEXEC, F_OFD_SETLK, realpath */
#include "node/io/directory.h"

#include "node/io/file.h"
#include "node/io/workspace.h"

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

#define LOCK_NAME "lock"
#define WORK_NAME "work"
#define PID_BYTES 32

_Static_assert(DIRECTORY_PATH_MAX >= PATH_MAX, "realpath writes up to PATH_MAX");

struct directory {
    char path[DIRECTORY_PATH_MAX]; /* absolute, links resolved */
    char work[DIRECTORY_PATH_MAX]; /* empty before the lock is held */
    int lock;           /* held as long as this is open; never inherited by programs that we start */
    bool made_lock;     /* opening made its file */
    unsigned made_dirs; /* how many directories, from the end of `path`, opening made */
};

/* --- which one --- */

int directory_choose (const char *option, char path[DIRECTORY_PATH_MAX], problem_t *problem)
{
    const char *from = option != NULL ? option : getenv ("EVOMESH_DIR");
    const char *data = getenv ("XDG_DATA_HOME"), *home = getenv ("HOME");
    char current[PATH_MAX];
    int length;
    if (from != NULL && *from == '\0')
        return problem_set (problem, "%s: empty, expected a directory",
                            option != NULL ? "--dir" : "EVOMESH_DIR");
    if (from != NULL && *from == '/')
        length = snprintf (path, DIRECTORY_PATH_MAX, "%s", from);
    else if (from != NULL) {
        if (getcwd (current, sizeof current) == NULL)
            return problem_set (problem, "the working directory can't be found: %s", strerror (errno));
        length = snprintf (path, DIRECTORY_PATH_MAX, "%s/%s", current, from);
    } else if (data != NULL && *data == '/')
        length = snprintf (path, DIRECTORY_PATH_MAX, "%s/evomesh", data);
    else if (home != NULL && *home == '/')
        length = snprintf (path, DIRECTORY_PATH_MAX, "%s/.local/share/evomesh", home);
    else
        return problem_set (problem,
                            "no data directory: HOME is not set; name one with --dir or EVOMESH_DIR");
    return length < DIRECTORY_PATH_MAX ? 0 : problem_set (problem, "%s: path too long", path);
}

/* --- making and checking --- */

/* Makes a directory and those above it, as far as they are missing; `*made` counts them. `path` is as before afterwards. */
static int s_make_path (char *path, mode_t mode, unsigned *made, problem_t *problem)
{
    int rc = mkdir (path, mode);
    char *slash = strrchr (path, '/');
    if (rc != 0 && errno == ENOENT && slash != NULL && slash != path) {
        *slash = '\0';
        int above = s_make_path (path, 0755, made, problem);
        *slash = '/';
        if (above != 0)
            return -1;
        rc = mkdir (path, mode);
    }
    if (rc == 0)
        ++*made;
    return rc == 0 || errno == EEXIST
               ? 0
               : problem_set (problem, "%s: can't be made: %s", path, file_reason (errno));
}

/* Removes what s_make_path made, as far as it is empty. */
static void s_unmake_path (char *path, unsigned made)
{
    while (made > 0 && *path != '\0') {
        if (rmdir (path) == 0)
            made--;
        else if (errno == ENOTEMPTY || errno == EEXIST)
            return;
        char *slash = strrchr (path, '/');
        *(slash != NULL ? slash : path) = '\0';
    }
}

static bool s_is_empty (const char *path)
{
    DIR *listing = opendir (path);
    if (listing == NULL)
        return false;
    size_t count = 0;
    while (readdir (listing) != NULL)
        count++;
    closedir (listing);
    return count <= 2; /* "." and ".." */
}

/* A directory that was just made by hand may be narrowed; one with something in it is for its owner to decide. */
static int s_check_access (const char *path, bool create, problem_t *problem)
{
    struct stat status;
    if (stat (path, &status) != 0 && errno == ENOENT)
        return problem_set (problem, "%s: no such directory: run `evomesh init`, or name another with --dir",
                            path);
    if (stat (path, &status) != 0)
        return problem_set (problem, "%s: %s", path, strerror (errno));
    if (!S_ISDIR (status.st_mode))
        return problem_set (problem, "%s: not a directory", path);
    if (status.st_uid != geteuid ())
        return problem_set (problem, "%s: belongs to user %u, and this is user %u: run evomesh as its owner",
                            path, (unsigned)status.st_uid, (unsigned)geteuid ());
    if ((status.st_mode & 077) == 0)
        return 0;
    if (create && s_is_empty (path) && chmod (path, 0700) == 0)
        return 0;
    return problem_set (problem, "%s: others may enter it (mode %04o), expected 0700: run `chmod 700 %s`",
                        path, (unsigned)status.st_mode & 07777, path);
}

/* --- the lock --- */

/* What a lock file says; 0 if it says nothing. */
static long s_read_pid (int file)
{
    char text[PID_BYTES] = "";
    ssize_t size = pread (file, text, sizeof text - 1, 0);
    return size > 0 ? strtol (text, NULL, 10) : 0;
}

/* The whole file, as an open-file-description lock: unlike flock it can be asked about without being taken, and unlike
 * plain POSIX locks it isn't lost when another descriptor of the file is closed. */
static struct flock s_whole_file (void)
{
    struct flock lock;
    memset (&lock, 0, sizeof lock);
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return lock;
}

/* Opens the lock file, which is made if it isn't there. */
static int s_open_lock (const char *path, bool *made)
{
    const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
    int file = open (path, flags | O_CREAT | O_EXCL, 0600);
    *made = file >= 0;
    return file < 0 && errno == EEXIST ? open (path, flags) : file;
}

static int s_lock (directory_t *self, problem_t *problem)
{
    char path[DIRECTORY_PATH_MAX], pid[PID_BYTES];
    struct flock lock = s_whole_file ();
    struct stat status;
    bool made;
    if (file_join (path, sizeof path, self->path, LOCK_NAME, problem) != 0)
        return -1;
    self->lock = s_open_lock (path, &made);
    if (self->lock < 0)
        return problem_set (problem, "%s: can't be opened: %s", path, file_reason (errno));
    if (fcntl (self->lock, F_OFD_SETLK, &lock) != 0 && (errno == EAGAIN || errno == EACCES)) {
        long holder = s_read_pid (self->lock);
        if (holder == 0) /* it has only just taken the lock */
            return problem_set (problem, "%s: in use by another process, which is starting", self->path);
        return problem_set (problem,
                            "%s: in use by process %ld: stop it, or choose another directory with --dir",
                            self->path, holder);
    }
    if (fstat (self->lock, &status) == 0 && status.st_nlink == 0) /* whoever held it has removed it */
        return problem_set (problem, "%s: was in use by another process until now: try again", self->path);
    self->made_lock = made;
    int size = snprintf (pid, sizeof pid, "%ld\n", (long)getpid ());
    assert (size > 0 && size < PID_BYTES);
    if (fcntl (self->lock, F_OFD_SETLK, &lock) != 0 || ftruncate (self->lock, 0) != 0 ||
        pwrite (self->lock, pid, (size_t)size, 0) != size)
        return problem_set (problem, "%s: can't be locked: %s", path, file_reason (errno));
    return 0;
}

long directory_holder (const char *path)
{
    char lock_path[DIRECTORY_PATH_MAX];
    struct flock lock = s_whole_file ();
    if (file_join (lock_path, sizeof lock_path, path, LOCK_NAME, NULL) != 0)
        return 0;
    int file = open (lock_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0)
        return 0;
    bool is_held = fcntl (file, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    long pid = is_held ? s_read_pid (file) : 0;
    close (file);
    return pid;
}

/* --- opening --- */

static int s_prepare_work (directory_t *self, problem_t *problem)
{
    assert (self->lock >= 0); /* what is in work/ is another process's until then */
    if (file_join (self->work, sizeof self->work, self->path, WORK_NAME, problem) != 0)
        return -1;
    if (workspace_remove (self->work) != 0 || mkdir (self->work, 0700) != 0)
        return problem_set (problem, "%s: can't be emptied: %s", self->work, file_reason (errno));
    return 0;
}

/* The path without slashes at its end. 0, or -1 with the problem. */
static int s_trimmed (const char *path, char trimmed[DIRECTORY_PATH_MAX], problem_t *problem)
{
    size_t size = strlen (path);
    while (size > 1 && path[size - 1] == '/')
        size--;
    if (size >= DIRECTORY_PATH_MAX)
        return problem_set (problem, "%.200s…: path too long", path);
    memcpy (trimmed, path, size);
    trimmed[size] = '\0';
    return 0;
}

directory_t *directory_open (const char *path, bool create, problem_t *problem)
{
    directory_t *self = calloc (1, sizeof *self);
    if (self == NULL) {
        problem_set (problem, "out of memory");
        return NULL;
    }
    self->lock = -1;
    if (s_trimmed (path, self->path, problem) == 0 &&
        (!create || s_make_path (self->path, 0700, &self->made_dirs, problem) == 0) &&
        s_check_access (path, create, problem) == 0) {
        if (realpath (path, self->path) == NULL)
            problem_set (problem, "%s: %s", path, strerror (errno));
        else if (s_lock (self, problem) == 0 && s_prepare_work (self, problem) == 0)
            return self;
    }
    directory_discard (&self);
    return NULL;
}

void directory_close (directory_t **self_p)
{
    assert (self_p != NULL);
    directory_t *self = *self_p;
    if (self == NULL)
        return;
    if (self->lock >= 0)
        close (
            self->lock); /* the lock goes with it; the file stays, or a third process could lock another of that name */
    free (self);
    *self_p = NULL;
}

void directory_discard (directory_t **self_p)
{
    assert (self_p != NULL);
    directory_t *self = *self_p;
    char lock[DIRECTORY_PATH_MAX];
    if (self == NULL)
        return;
    if (self->work[0] != '\0')
        workspace_remove (self->work);
    if (self->made_lock && file_join (lock, sizeof lock, self->path, LOCK_NAME, NULL) == 0)
        unlink (lock); /* still held: who opened it meanwhile sees that it has no name any more */
    s_unmake_path (self->path, self->made_dirs);
    directory_close (self_p);
}

const char *directory_path (const directory_t *self)
{
    assert (self != NULL);
    return self->path;
}

const char *directory_work (const directory_t *self)
{
    assert (self != NULL);
    return self->work;
}
