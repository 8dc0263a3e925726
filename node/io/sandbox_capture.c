/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/io/sandbox_capture.h"

#define CHUNK  65536 /* what a pipe holds */
#define CHUNKS 4     /* read at a time */

void capture_init (capture_t *self, uint64_t limit_bytes, uint64_t keep_bytes)
{
    assert (self != NULL);
    *self = (capture_t){.limit_bytes = limit_bytes,
                        .keep_bytes = (size_t)(keep_bytes < limit_bytes ? keep_bytes : limit_bytes)};
}

void capture_free (capture_t *self)
{
    assert (self != NULL);
    free (self->bytes);
    self->bytes = NULL;
}

/* Room for `more` bytes and a NUL. */
static void s_reserve (capture_t *self, size_t more)
{
    size_t needed = self->size + more + 1;
    if (needed <= self->capacity)
        return;
    size_t capacity = self->capacity ? self->capacity : 4096;
    while (capacity < needed)
        capacity *= 2;
    self->bytes = realloc (self->bytes, capacity);
    assert (self->bytes != NULL);
    self->capacity = capacity;
}

/* Drops all but the last bytes that are to be kept. */
static void s_trim (capture_t *self)
{
    if (self->size <= self->keep_bytes)
        return;
    memmove (self->bytes, self->bytes + self->size - self->keep_bytes, self->keep_bytes);
    self->size = self->keep_bytes;
    assert (self->size < self->capacity);
}

static void s_append (capture_t *self, const char *bytes, size_t size)
{
    assert (self->total_bytes <= self->limit_bytes && self->keep_bytes <= self->limit_bytes);
    uint64_t left = self->limit_bytes - self->total_bytes;
    self->over = self->over || size > left;
    size_t taken = size > left ? (size_t)left : size;
    self->total_bytes += taken;
    if (taken > self->keep_bytes) {
        bytes += taken - self->keep_bytes;
        taken = self->keep_bytes;
    }
    if (self->size + taken > 2 * self->keep_bytes)
        s_trim (self);
    s_reserve (self, taken);
    memcpy (self->bytes + self->size, bytes, taken);
    self->size += taken;
    assert (self->size <= 2 * self->keep_bytes && self->size < self->capacity);
}

capture_state_t capture_read (capture_t *self, int fd)
{
    assert (self != NULL);
    char chunk[CHUNK];
    for (int i = 0; i < CHUNKS; i++) {
        ssize_t size = read (fd, chunk, sizeof chunk);
        if (size == 0)
            return CAPTURE_ENDED;
        if (size < 0 && errno != EINTR)
            return errno == EAGAIN ? CAPTURE_MORE : CAPTURE_ENDED;
        if (size > 0)
            s_append (self, chunk, (size_t)size);
        if (self->over)
            return CAPTURE_OVER;
    }
    return CAPTURE_MORE;
}

void capture_drain (capture_t *self, int fd)
{
    assert (self != NULL);
    /* A pipe of a mebibyte at most (the kernel's default limit) can be left full. */
    char chunk[CHUNK];
    ssize_t size;
    while (fd >= 0 && !self->over &&
           ((size = read (fd, chunk, sizeof chunk)) > 0 || (size < 0 && errno == EINTR)))
        if (size > 0)
            s_append (self, chunk, (size_t)size);
}

const char *capture_text (capture_t *self, size_t *size)
{
    assert (self != NULL && size != NULL);
    s_trim (self);
    s_reserve (self, 0);
    self->bytes[self->size] = '\0';
    *size = self->size;
    return self->bytes;
}
