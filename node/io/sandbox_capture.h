/* SPDX-License-Identifier: MPL-2.0 */
/* What comes out of a pipe: counted against a limit, and the last part of it kept. */
#ifndef EVOMESH_NODE_IO_SANDBOX_CAPTURE_H
#define EVOMESH_NODE_IO_SANDBOX_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t limit_bytes; /* that may come in all */
    size_t keep_bytes;    /* at the end that are kept, at least */
    uint64_t total_bytes; /* that came */
    char *bytes;          /* grows as needed, to 2 × keep_bytes at most */
    size_t size;
    size_t capacity;
    bool over; /* total_bytes passed the limit; what comes then is dropped */
} capture_t;

typedef enum {
    CAPTURE_MORE,  /* nothing left to read now */
    CAPTURE_OVER,  /* the limit was passed */
    CAPTURE_ENDED, /* end of file */
} capture_state_t;

/* At most `limit_bytes` may come, of which the last `keep_bytes` are kept. */
void capture_init (capture_t *self, uint64_t limit_bytes, uint64_t keep_bytes);
void capture_free (capture_t *self);

/* Reads from a non-blocking descriptor, a bounded amount, so that a flood doesn't hold the loop. */
capture_state_t capture_read (capture_t *self, int fd);

/* Reads what is left once nobody writes any more. `fd` may be -1. */
void capture_drain (capture_t *self, int fd);

/* What was kept, NUL-terminated; owned by the capture. */
const char *capture_text (capture_t *self, size_t *size);

#endif
