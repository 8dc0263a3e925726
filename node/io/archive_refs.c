/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE /* O_CLOEXEC, PATH_MAX */
#include "node/io/archive_refs.h"

#include "node/io/file.h"
#include "protocol/wire.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER         "# pack-refs with: peeled fully-peeled \n" /* not "sorted": git sorts what it reads */
#define HEX_CHARACTERS (2 * (size_t)COMMIT_BYTES)
#define FILE_BYTES_MAX (1024u * 1024 * 1024)

static int s_fail (const char *path, problem_t *problem)
{
    int saved = errno;
    problem_set (problem, "%s: %s", path, file_reason (saved));
    return file_error (saved);
}

/* --- what others packed --- */

/* Appends the lines that name other refs; a line with '^' belongs to the one before it. */
static void s_keep_others (const char *text, buffer_t *out)
{
    bool keep = false;
    for (const char *line = text; *line != '\0';) {
        size_t size = strcspn (line, "\n");
        size += line[size] == '\n';
        const char *name = size > HEX_CHARACTERS + 1 ? line + HEX_CHARACTERS + 1 : "";
        if (*line == '#')
            keep = false;
        else if (*line != '^')
            keep = strncmp (name, ARCHIVE_REFS_PREFIX, strlen (ARCHIVE_REFS_PREFIX)) != 0;
        if (keep)
            buffer_append (out, line, size);
        line += size;
    }
}

static int s_read_others (const char *path, buffer_t *out, problem_t *problem)
{
    size_t size;
    int file = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0)
        return errno == ENOENT ? 0 : s_fail (path, problem);
    uint8_t *text = file_read_all (file, FILE_BYTES_MAX, &size);
    int rc = text == NULL ? s_fail (path, problem) : 0;
    close (file);
    if (rc == 0)
        s_keep_others ((const char *)text, out);
    free (text);
    return rc;
}

/* --- ours --- */

static int s_compare (const void *a, const void *b)
{
    return memcmp (((const archive_commit_t *)a)->candidate.bytes,
                   ((const archive_commit_t *)b)->candidate.bytes, DIGEST_BYTES);
}

static void s_put_ref (const archive_commit_t *commit, const char *name, buffer_t *out)
{
    char line[HEX_CHARACTERS + sizeof ARCHIVE_REFS_PREFIX + DIGEST_TEXT_BYTES + 2];
    size_t size = 0;
    for (size_t i = 0; i < COMMIT_BYTES; i++)
        size += (size_t)snprintf (line + size, sizeof line - size, "%02x", commit->commit[i]);
    size += (size_t)snprintf (line + size, sizeof line - size, " " ARCHIVE_REFS_PREFIX "%s\n", name);
    assert (size < sizeof line);
    buffer_append (out, line, size);
}

/* Entries in the order of their ids: those with one short id stand together. */
static void s_put_refs (const archive_commit_t *entries, size_t count, buffer_t *out)
{
    char before[DIGEST_SHORT_BYTES] = "", name[DIGEST_SHORT_BYTES], whole[DIGEST_TEXT_BYTES];
    for (size_t i = 0; i < count; i++) {
        digest_short (&entries[i].candidate, name);
        digest_text (&entries[i].candidate, whole);
        s_put_ref (&entries[i], strcmp (name, before) == 0 ? whole : name, out);
        memcpy (before, name, sizeof before);
    }
}

static int s_put_ours (const archive_commits_t *commits, buffer_t *out)
{
    archive_commit_t *entries = calloc (commits->count + 1, sizeof *entries);
    size_t count = 0;
    if (entries == NULL)
        return ERROR_MEMORY;
    for (size_t i = 0; i < commits->capacity; i++)
        if (!digest_is_zero (&commits->slots[i].candidate))
            entries[count++] = commits->slots[i];
    assert (count == commits->count);
    qsort (entries, count, sizeof *entries, s_compare);
    s_put_refs (entries, count, out);
    free (entries);
    return out->failed ? ERROR_MEMORY : 0;
}

/* --- the file --- */

/* Written beside it, synced, and renamed: git sees the old one or the new one. */
static int s_replace (const char *path, const buffer_t *bytes, problem_t *problem)
{
    char fresh[PATH_MAX];
    if (snprintf (fresh, sizeof fresh, "%s.new", path) >= (int)sizeof fresh)
        return problem_set (problem, "%s: path too long", path), ERROR_INPUT;
    int file = open (fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return s_fail (fresh, problem);
    bool written = file_write_all (file, bytes->data, bytes->size) == 0 && fsync (file) == 0;
    int rc = written && rename (fresh, path) == 0 ? 0 : s_fail (fresh, problem);
    close (file);
    return rc;
}

int archive_refs_write (const archive_commits_t *commits, const char *path, problem_t *problem)
{
    assert (commits != NULL && path != NULL);
    buffer_t out = {0};
    buffer_append (&out, HEADER, strlen (HEADER));
    int rc = s_read_others (path, &out, problem);
    if (rc == 0) {
        rc = s_put_ours (commits, &out);
        if (rc != 0)
            problem_set (problem, "%s: out of memory", path);
    }
    if (rc == 0)
        rc = s_replace (path, &out, problem);
    buffer_clear (&out);
    return rc;
}
