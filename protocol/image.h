/* SPDX-License-Identifier: MPL-2.0 */
/* The image of a state: its fields, one behind the other, in the forms of protocol/wire.h. Whoever holds a state has one function that
 * walks it, naming each field once; the image is either saved by that walk or loaded, so the two can't drift apart:
 *
 *   void counter_image (counter_t *self, image_t *image)
 *   {
 *       image_uint (image, &self->count, COUNT_MAX);
 *       image_fixed (image, self->id.bytes, sizeof self->id.bytes);
 *   }
 *
 * Saving changes nothing of the state and asserts what it relies on. Loading takes bytes that may be damaged: after the first that
 * can't be, nothing more is read, numbers are 0, lists are empty, and image_end says what is wrong. What the state's own rules want
 * beyond bounds, the walk says by image_check. Equal states give equal bytes. */
#ifndef EVOMESH_PROTOCOL_IMAGE_H
#define EVOMESH_PROTOCOL_IMAGE_H

#include "protocol/record.h"

typedef struct {
    bool loading;
    buffer_t *out; /* saving: borrowed */
    const uint8_t *at;
    const uint8_t *end;
    int error; /* the first one */
} image_t;

/* Both are borrowed until the walk is over. */
image_t image_to (buffer_t *out);
image_t image_from (const uint8_t *data, size_t size);

/* 0 if all went well and, loading, nothing is left over; else ERROR_MALFORMED, ERROR_BOUND or ERROR_MEMORY. */
int image_end (const image_t *self);

/* Notes what is wrong with what is being loaded, unless something was before. */
void image_fail (image_t *self, int error);
/* Loading: ERROR_MALFORMED unless `holds`. Saving: asserted. */
void image_check (image_t *self, bool holds);
/* True while a walk that loads may rely on what it has read. */
bool image_sound (const image_t *self);

/* --- fields --- */

void image_uint (image_t *self, uint64_t *value, uint64_t bound); /* 0: any */
void image_size (image_t *self, size_t *value, size_t bound);
void image_unsigned (image_t *self, unsigned *value, unsigned bound); /* enums too */
void image_bool (image_t *self, bool *value);
/* Any double, bit by bit: some are infinite, some are none. */
void image_real (image_t *self, double *value);
/* Bytes of a fixed number: digests, keys. */
void image_fixed (image_t *self, void *bytes, size_t size);
/* A terminated text in an array of `size` bytes. */
void image_text (image_t *self, char *text, size_t size);
/* The buffer is empty before it is loaded (asserted). */
void image_bytes (image_t *self, buffer_t *bytes, size_t bound);
/* A list of `*count` items of `size` bytes each, up to `bound`, of which the walk then takes each. Loading: `*items` is NULL before
 * (asserted) and malloc'ed, zeroed; no larger than the bytes that are left can fill. Returns `*items`. */
void *image_items (image_t *self, void *items, size_t *count, size_t bound, size_t size);

#endif
