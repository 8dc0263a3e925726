/* SPDX-License-Identifier: MPL-2.0 */
/* The few msgpack forms that evomesh writes and reads: arrays, unsigned integers, float 64, nil, str and bin, each in its
 * shortest form only, so that a content has one encoding. msgpack-c's unpacker takes 15.9 GB for 155 hostile bytes; so what
 * comes from outside is scanned here first (shape, depth, exact length) and then read in place.
 * Format: https://github.com/msgpack/msgpack/blob/master/spec.md */
#ifndef EVOMESH_PROTOCOL_WIRE_H
#define EVOMESH_PROTOCOL_WIRE_H

#include "protocol/record.h"

/* --- writing: always the shortest form --- */
void wire_write_array (buffer_t *out, size_t count);
void wire_write_uint (buffer_t *out, uint64_t value);
void wire_write_real (buffer_t *out, double value); /* finite (asserted) */
void wire_write_nil (buffer_t *out);
void wire_write_text (buffer_t *out, text_t text);
void wire_write_bytes (buffer_t *out, const void *data, size_t size);

/* --- reading: each moves `*at` on behind what it read and returns 0; or leaves `*at` and returns ERROR_MALFORMED, or
 * ERROR_BOUND where a `bound` is passed. Texts and bytes are borrowed from the buffer. Nothing is allocated. --- */

/* 0 if the bytes are one whole value and nothing more: shortest forms, finite reals, counts and sizes that fit in the bytes
 * left, nesting up to LIMIT_DEPTH (else ERROR_BOUND). Texts are checked when they are read. */
int wire_scan (const uint8_t *data, size_t size);

int wire_read_array (const uint8_t **at, const uint8_t *end, size_t *count);
int wire_read_uint (const uint8_t **at, const uint8_t *end, uint64_t *value);
int wire_read_real (const uint8_t **at, const uint8_t *end, double *value);
int wire_read_number (const uint8_t **at, const uint8_t *end, double *value); /* real or nil (NaN) */
int wire_read_text (const uint8_t **at, const uint8_t *end, uint64_t bound, text_t *text);
int wire_read_bytes (const uint8_t **at, const uint8_t *end, uint64_t bound, bytes_t *bytes);
int wire_read_fixed (const uint8_t **at, const uint8_t *end, void *out,
                     size_t size); /* bin of exactly `size` */

/* What stands at `at`, in words, for problems: "an array of 3". */
void wire_describe (const uint8_t *at, const uint8_t *end, char *text, size_t size);

#endif
