/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE /* O_CLOEXEC, PATH_MAX */
#include "node/io/archive_commits.h"

#include "node/io/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CAPACITY_MIN   256
#define FILE_BYTES_MAX (256u * 1024 * 1024) /* five million candidates */

void archive_commits_clear (archive_commits_t *self)
{
    assert (self != NULL);
    free (self->slots);
    memset (self, 0, sizeof *self);
}

/* Where a candidate is, or would be. Ids are digests: their first bytes are spread as well as any hash of them. */
static archive_commit_t *s_slot (const archive_commits_t *self, const digest_t *candidate)
{
    assert (self->count < self->capacity && (self->capacity & (self->capacity - 1)) == 0);
    uint64_t hash;
    memcpy (&hash, candidate->bytes, sizeof hash);
    for (size_t i = (size_t)hash & (self->capacity - 1);; i = (i + 1) & (self->capacity - 1)) {
        archive_commit_t *slot = &self->slots[i];
        if (digest_is_zero (&slot->candidate) || digest_equal (&slot->candidate, candidate))
            return slot;
    }
}

const uint8_t *archive_commits_find (const archive_commits_t *self, const digest_t *candidate)
{
    assert (self != NULL && candidate != NULL);
    if (self->count == 0)
        return NULL;
    const archive_commit_t *slot = s_slot (self, candidate);
    return digest_is_zero (&slot->candidate) ? NULL : slot->commit;
}

static int s_grow (archive_commits_t *self)
{
    archive_commits_t grown = {NULL, self->capacity == 0 ? CAPACITY_MIN : 2 * self->capacity, self->count};
    grown.slots = calloc (grown.capacity, sizeof *grown.slots);
    if (grown.slots == NULL)
        return ERROR_MEMORY;
    for (size_t i = 0; i < self->capacity; i++)
        if (!digest_is_zero (&self->slots[i].candidate))
            *s_slot (&grown, &self->slots[i].candidate) = self->slots[i];
    free (self->slots);
    *self = grown;
    assert (2 * self->count <= self->capacity);
    return 0;
}

int archive_commits_add (archive_commits_t *self, const digest_t *candidate,
                         const uint8_t commit[COMMIT_BYTES])
{
    assert (self != NULL && candidate != NULL);
    assert (!digest_is_zero (candidate));
    if (2 * (self->count + 1) > self->capacity && s_grow (self) != 0)
        return ERROR_MEMORY;
    archive_commit_t *slot = s_slot (self, candidate);
    self->count += digest_is_zero (&slot->candidate);
    slot->candidate = *candidate;
    memcpy (slot->commit, commit, COMMIT_BYTES);
    return 0;
}

static int s_fail (const char *path, problem_t *problem)
{
    int saved = errno;
    problem_set (problem, "%s: %s", path, file_reason (saved));
    return file_error (saved);
}

int archive_commits_read (archive_commits_t *self, const char *path, archive_commit_t *last,
                          problem_t *problem)
{
    assert (self != NULL && last != NULL);
    memset (last, 0, sizeof *last);
    int file = open (path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0)
        return errno == ENOENT ? ERROR_NOT_FOUND : s_fail (path, problem);
    size_t size = 0;
    uint8_t *bytes = file_read_all (file, FILE_BYTES_MAX, &size);
    size_t whole = size - size % sizeof *last;
    assert (whole <= size);
    int rc =
        bytes == NULL || (whole != size && ftruncate (file, (off_t)whole) != 0) ? s_fail (path, problem) : 0;
    close (file);
    for (size_t at = 0; at < whole && rc == 0; at += sizeof *last) {
        memcpy (last, bytes + at, sizeof *last);
        if (!digest_is_zero (&last->candidate))
            rc = archive_commits_add (self, &last->candidate, last->commit);
    }
    free (bytes);
    return rc;
}

int archive_commits_append (const char *path, const archive_commit_t *entries, size_t count,
                            problem_t *problem)
{
    assert (entries != NULL);
    int file = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return s_fail (path, problem);
    int rc = file_write_all (file, entries, count * sizeof *entries) == 0 && fsync (file) == 0
                 ? 0
                 : s_fail (path, problem);
    close (file);
    return rc;
}

int archive_commits_write (const archive_commits_t *self, const char *path, problem_t *problem)
{
    assert (self != NULL);
    char fresh[PATH_MAX];
    archive_commit_t *entries = calloc (self->count + 1, sizeof *entries);
    size_t count = 0;
    if (entries == NULL || snprintf (fresh, sizeof fresh, "%s.new", path) >= (int)sizeof fresh) {
        free (entries);
        problem_set (problem, "%s: out of memory, or path too long", path);
        return ERROR_MEMORY;
    }
    for (size_t i = 0; i < self->capacity; i++)
        if (!digest_is_zero (&self->slots[i].candidate))
            entries[count++] = self->slots[i];
    assert (count == self->count);
    remove (fresh); /* what a crash left */
    int rc = archive_commits_append (fresh, entries, count, problem);
    if (rc == 0 && rename (fresh, path) != 0)
        rc = s_fail (path, problem);
    free (entries);
    return rc;
}
