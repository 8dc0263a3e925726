/* SPDX-License-Identifier: MPL-2.0 */
/* Releases. A release is laid out under another name, synced, and only then renamed to its own: one that has its name is
 * whole. `current` is replaced by a rename too, so whoever looks, at any moment, finds the old release or the new one. */
#define _GNU_SOURCE /* PATH_MAX, symlink, readlink */
#include "node/io/file.h"
#include "node/io/workspace_internal.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RELEASES     "releases"
#define CURRENT      "current"
#define CURRENT_NEXT ".current-next"
#define UNFINISHED   ".tmp-"

static int s_fail (const char *path, const char *what, problem_t *problem)
{
    int saved = errno;
    problem_set (problem, "%s: %s: %s", path, what, file_reason (saved));
    return file_error (saved);
}

/* The path of a release below the data directory: "releases/" and the id, after `prefix` if it isn't finished. */
static int s_path (char path[PATH_MAX], const char *data_directory, const char *prefix, const digest_t *id,
                   problem_t *problem)
{
    char text[DIGEST_TEXT_BYTES], name[sizeof RELEASES + 16 + DIGEST_TEXT_BYTES];
    digest_text (id, text);
    int size = snprintf (name, sizeof name, RELEASES "/%s%s", prefix, text);
    assert (size > 0 && size < (int)sizeof name);
    return file_join (path, PATH_MAX, data_directory, name, problem) == 0 ? 0 : ERROR_BOUND;
}

static bool s_is_directory (const char *path)
{
    struct stat status;
    return lstat (path, &status) == 0 && S_ISDIR (status.st_mode);
}

/* Makes `releases` if it isn't there, durably. */
static int s_make_releases (const char *data_directory, char releases[PATH_MAX], problem_t *problem)
{
    if (file_join (releases, PATH_MAX, data_directory, RELEASES, problem) != 0)
        return ERROR_BOUND;
    if (mkdir (releases, 0755) != 0)
        return errno == EEXIST ? 0 : s_fail (releases, "can't be made", problem);
    return file_sync_directory (data_directory) == 0
               ? 0
               : s_fail (data_directory, "can't be synced to disk", problem);
}

int workspace_release_write (store_t *store, const char *data_directory, const digest_t *id,
                             const tree_t *tree, problem_t *problem)
{
    assert (store != NULL && id != NULL && tree != NULL);
    char releases[PATH_MAX], unfinished[PATH_MAX], path[PATH_MAX];
    int rc = s_path (path, data_directory, "", id, problem);
    if (rc != 0)
        return rc;
    if (s_is_directory (path))
        return 0;
    if ((rc = s_path (unfinished, data_directory, UNFINISHED, id, problem)) != 0 ||
        (rc = s_make_releases (data_directory, releases, problem)) != 0)
        return rc;
    if (workspace_remove (unfinished) != 0) /* what a crash left */
        return s_fail (unfinished, "can't be removed", problem);
    if ((rc = workspace_lay_out (store, tree, unfinished, true, problem)) != 0) {
        workspace_remove (unfinished);
        return rc;
    }
    if (rename (unfinished, path) != 0)
        return s_fail (path, "can't be put in place", problem);
    return file_sync_directory (releases) == 0 ? 0 : s_fail (releases, "can't be synced to disk", problem);
}

int workspace_release_switch (const char *data_directory, const digest_t *id, problem_t *problem)
{
    assert (id != NULL);
    char path[PATH_MAX], next[PATH_MAX], current[PATH_MAX];
    int rc = s_path (path, data_directory, "", id, problem);
    if (rc != 0)
        return rc;
    if (file_join (next, sizeof next, data_directory, CURRENT_NEXT, problem) != 0 ||
        file_join (current, sizeof current, data_directory, CURRENT, problem) != 0)
        return ERROR_BOUND;
    if (!s_is_directory (path)) {
        problem_set (problem, "%s: no such release", path);
        return ERROR_NOT_FOUND;
    }
    if (unlink (next) != 0 && errno != ENOENT) /* what a crash left */
        return s_fail (next, "can't be removed", problem);
    const char *target = path + strlen (data_directory) + 1; /* relative: the data directory may be moved */
    if (symlink (target, next) != 0)
        return s_fail (next, "can't be made", problem);
    if (rename (next, current) != 0) {
        rc = s_fail (current, "can't be switched", problem);
        unlink (next);
        return rc;
    }
    return file_sync_directory (data_directory) == 0
               ? 0
               : s_fail (data_directory, "can't be synced to disk", problem);
}

int workspace_release_current (const char *data_directory, digest_t *id)
{
    assert (id != NULL);
    char current[PATH_MAX], target[PATH_MAX], path[PATH_MAX];
    digest_t found;
    if (file_join (current, sizeof current, data_directory, CURRENT, NULL) != 0)
        return -1;
    ssize_t size = readlink (current, target, sizeof target - 1);
    if (size < 0)
        return -1;
    target[size] = '\0';
    if (strncmp (target, RELEASES "/", sizeof RELEASES) != 0 ||
        digest_parse (target + sizeof RELEASES, &found) != 0)
        return -1;
    if (s_path (path, data_directory, "", &found, NULL) != 0 || !s_is_directory (path))
        return -1;
    *id = found;
    return 0;
}

/* --- those that go --- */

typedef struct {
    digest_t id;
    struct timespec written;
} written_t;

typedef struct {
    written_t *items;
    size_t count;
    size_t capacity;
} releases_list_t;

/* Takes in a name of `releases`, whose path is given. What a crash left unfinished goes; what isn't ours is left alone. */
static int s_take (releases_list_t *list, const char *releases, const char *name)
{
    char path[PATH_MAX];
    struct stat status;
    digest_t id;
    bool is_unfinished = strncmp (name, UNFINISHED, sizeof UNFINISHED - 1) == 0;
    if (digest_parse (is_unfinished ? name + sizeof UNFINISHED - 1 : name, &id) != 0 ||
        file_join (path, sizeof path, releases, name, NULL) != 0)
        return 0;
    if (is_unfinished)
        return workspace_remove (path);
    if (lstat (path, &status) != 0 || !S_ISDIR (status.st_mode))
        return 0;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity > 0 ? 2 * list->capacity : 32;
        written_t *grown = realloc (list->items, capacity * sizeof *grown);
        if (grown == NULL)
            return -1; /* errno is ENOMEM */
        list->items = grown;
        list->capacity = capacity;
    }
    list->items[list->count++] = (written_t){id, status.st_mtim};
    return 0;
}

/* The newest first. */
static int s_by_time (const void *a, const void *b)
{
    const struct timespec *one = &((const written_t *)a)->written, *two = &((const written_t *)b)->written;
    if (one->tv_sec != two->tv_sec)
        return one->tv_sec > two->tv_sec ? -1 : 1;
    return one->tv_nsec > two->tv_nsec ? -1 : one->tv_nsec < two->tv_nsec;
}

/* Under its own name a release is whole, so it loses that first. */
static int s_remove (const char *data_directory, const digest_t *id, problem_t *problem)
{
    char path[PATH_MAX], unfinished[PATH_MAX];
    int rc = s_path (path, data_directory, "", id, problem);
    if (rc == 0)
        rc = s_path (unfinished, data_directory, UNFINISHED, id, problem);
    if (rc == 0 && (rename (path, unfinished) != 0 || workspace_remove (unfinished) != 0))
        rc = s_fail (path, "can't be removed", problem);
    return rc;
}

int workspace_release_trim (const char *data_directory, size_t keep, problem_t *problem)
{
    assert (data_directory != NULL && keep > 0);
    char releases[PATH_MAX];
    digest_t current = {{0}};
    releases_list_t list = {0};
    if (file_join (releases, sizeof releases, data_directory, RELEASES, problem) != 0)
        return ERROR_BOUND;
    (void)workspace_release_current (data_directory, &current);
    DIR *listing = opendir (releases);
    if (listing == NULL)
        return errno == ENOENT ? 0 : s_fail (releases, "can't be read", problem);
    int rc = 0;
    for (struct dirent *entry; rc == 0 && (entry = readdir (listing)) != NULL;)
        if (s_take (&list, releases, entry->d_name) != 0)
            rc = s_fail (releases, "can't be tidied", problem);
    closedir (listing);
    if (list.count > 0)
        qsort (list.items, list.count, sizeof *list.items, s_by_time);
    size_t others = 0;
    for (size_t i = 0; rc == 0 && i < list.count; i++)
        if (!digest_equal (&list.items[i].id, &current) && ++others > keep)
            rc = s_remove (data_directory, &list.items[i].id, problem);
    free (list.items);
    return rc;
}
