/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE /* O_CLOEXEC, O_DIRECTORY */
#include "node/io/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_write_all (int file, const void *bytes, size_t size)
{
    assert (bytes != NULL || size == 0);
    const uint8_t *next = bytes;
    while (size > 0) {
        ssize_t written = write (file, next, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        next += written;
        size -= (size_t)written;
    }
    return 0;
}

uint8_t *file_read_all (int file, size_t bound, size_t *size)
{
    assert (size != NULL);
    struct stat status;
    if (fstat (file, &status) != 0)
        return NULL;
    if (status.st_size < 0 || (uintmax_t)status.st_size > bound) {
        errno = EFBIG;
        return NULL;
    }
    /* One more than it has, so that a file that grows meanwhile is noticed; and the NUL. */
    size_t capacity = (size_t)status.st_size + 1, used = 0;
    uint8_t *bytes = malloc (capacity + 1);
    while (bytes != NULL && used < capacity) {
        ssize_t count = read (file, bytes + used, capacity - used);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            free (bytes);
            return NULL;
        }
        if (count == 0)
            break;
        used += (size_t)count;
    }
    assert (used <= capacity);
    if (bytes != NULL && used == capacity) {
        free (bytes);
        errno = EFBIG;
        return NULL;
    }
    if (bytes != NULL)
        bytes[used] = '\0';
    *size = used;
    return bytes;
}

int file_sync_directory (const char *path)
{
    int directory = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return -1;
    int rc = fsync (directory);
    int saved = errno;
    close (directory);
    errno = saved;
    return rc;
}

int file_join (char *path, size_t size, const char *directory, const char *name, problem_t *problem)
{
    assert (path != NULL);
    int length = snprintf (path, size, "%s/%s", directory, name);
    assert (length > 0);
    if ((size_t)length < size)
        return 0;
    return problem_set (problem, "%s/%s: path too long", directory, name);
}

int file_error (int system_errno)
{
    if (system_errno == ENOSPC || system_errno == EDQUOT)
        return ERROR_FULL;
    return system_errno == ENOMEM ? ERROR_MEMORY : ERROR_IO;
}

const char *file_reason (int system_errno)
{
    if (system_errno == ENOSPC)
        return "no space left on the disk: free some";
    if (system_errno == EDQUOT)
        return "the disk quota is used up: free some";
    return strerror (system_errno);
}
