/* SPDX-License-Identifier: MPL-2.0 */
#include "protocol/wire.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <msgpack/pack.h>

/* --- writing: msgpack-c's packer writes shortest forms, and allocates nothing --- */

static int s_append (void *out, const char *data, size_t size)
{
    buffer_append (out, data, size);
    return 0;
}

static msgpack_packer s_packer (buffer_t *out)
{
    msgpack_packer packer;
    msgpack_packer_init (&packer, out, s_append);
    return packer;
}

void wire_write_array (buffer_t *out, size_t count)
{
    msgpack_packer packer = s_packer (out);
    msgpack_pack_array (&packer, count);
}

void wire_write_uint (buffer_t *out, uint64_t value)
{
    msgpack_packer packer = s_packer (out);
    msgpack_pack_uint64 (&packer, value);
}

void wire_write_real (buffer_t *out, double value)
{
    assert (isfinite (value));
    msgpack_packer packer = s_packer (out);
    msgpack_pack_double (&packer, value);
}

void wire_write_nil (buffer_t *out)
{
    msgpack_packer packer = s_packer (out);
    msgpack_pack_nil (&packer);
}

void wire_write_text (buffer_t *out, text_t text)
{
    assert (text.data != NULL || text.size == 0);
    msgpack_packer packer = s_packer (out);
    msgpack_pack_str (&packer, text.size);
    buffer_append (out, text.data, text.size);
}

void wire_write_bytes (buffer_t *out, const void *data, size_t size)
{
    assert (data != NULL || size == 0);
    msgpack_packer packer = s_packer (out);
    msgpack_pack_bin (&packer, size);
    buffer_append (out, data, size);
}

/* --- reading --- */

typedef enum { SHAPE_NIL, SHAPE_UINT, SHAPE_REAL, SHAPE_TEXT, SHAPE_BYTES, SHAPE_ARRAY } shape_t;

/* The head of a value: its number, or how many bytes or items follow. */
typedef struct {
    shape_t shape;
    uint64_t number; /* REAL: its 64 bits */
} value_t;

/* Forms of more than one byte. A number below `least` has a shorter form, which would give one content two encodings. */
static const struct {
    uint8_t type;
    uint8_t width; /* of the number behind it, big-endian */
    shape_t shape;
    uint64_t least;
} s_forms[] = {
    {0xc0, 0, SHAPE_NIL, 0},         {0xc4, 1, SHAPE_BYTES, 0},      {0xc5, 2, SHAPE_BYTES, 0x100},
    {0xc6, 4, SHAPE_BYTES, 0x10000}, {0xcb, 8, SHAPE_REAL, 0},       {0xcc, 1, SHAPE_UINT, 0x80},
    {0xcd, 2, SHAPE_UINT, 0x100},    {0xce, 4, SHAPE_UINT, 0x10000}, {0xcf, 8, SHAPE_UINT, 0x100000000},
    {0xd9, 1, SHAPE_TEXT, 0x20},     {0xda, 2, SHAPE_TEXT, 0x100},   {0xdb, 4, SHAPE_TEXT, 0x10000},
    {0xdc, 2, SHAPE_ARRAY, 0x10},    {0xdd, 4, SHAPE_ARRAY, 0x10000}};

static double s_real (uint64_t bits)
{
    double real;
    memcpy (&real, &bits, sizeof real);
    return real;
}

/* Reads the number behind a type byte of more than one byte. */
static int s_read_form (uint8_t type, const uint8_t *at, const uint8_t *end, value_t *value, size_t *width)
{
    assert (at <= end && type > 0x7f);
    for (size_t i = 0; i < sizeof s_forms / sizeof s_forms[0]; i++) {
        if (s_forms[i].type != type)
            continue;
        *width = s_forms[i].width;
        if (*width > (size_t)(end - at))
            return ERROR_MALFORMED;
        *value = (value_t){s_forms[i].shape, 0};
        for (size_t k = 0; k < *width; k++)
            value->number = value->number << 8 | at[k];
        return value->number < s_forms[i].least ? ERROR_MALFORMED : 0;
    }
    return ERROR_MALFORMED; /* maps, extensions, negative numbers, booleans, float 32, 0xc1 */
}

/* Reads one head and moves on behind it. What it promises to follow (items, bytes) can fit in what is left. */
static int s_read (const uint8_t **at, const uint8_t *end, value_t *value)
{
    assert (*at <= end);
    if (*at == end)
        return ERROR_MALFORMED;
    uint8_t type = **at;
    size_t width = 0;
    int rc = 0;
    if (type <= 0x7f)
        *value = (value_t){SHAPE_UINT, type};
    else if (type >= 0x90 && type <= 0x9f)
        *value = (value_t){SHAPE_ARRAY, type & 0x0fu};
    else if (type >= 0xa0 && type <= 0xbf)
        *value = (value_t){SHAPE_TEXT, type & 0x1fu};
    else
        rc = s_read_form (type, *at + 1, end, value, &width);
    if (rc != 0)
        return rc;
    const uint8_t *next = *at + 1 + width;
    bool has_more = value->shape == SHAPE_TEXT || value->shape == SHAPE_BYTES || value->shape == SHAPE_ARRAY;
    if (has_more && value->number > (uint64_t)(end - next)) /* an item takes a byte at least */
        return ERROR_MALFORMED;
    if (value->shape == SHAPE_REAL && !isfinite (s_real (value->number)))
        return ERROR_MALFORMED;
    *at = next;
    return 0;
}

int wire_scan (const uint8_t *data, size_t size)
{
    assert (data != NULL || size == 0);
    uint64_t missing[LIMIT_DEPTH + 1] = {1}; /* values still to come, at each depth */
    size_t depth = 0;
    const uint8_t *at = data, *end = size > 0 ? data + size : data;
    while (depth > 0 || missing[0] > 0) {
        value_t value;
        int rc = s_read (&at, end, &value);
        if (rc != 0)
            return rc;
        assert (missing[depth] > 0); /* else the depth would be one less */
        missing[depth]--;
        if (value.shape == SHAPE_TEXT || value.shape == SHAPE_BYTES)
            at += value.number; /* s_read saw that so many are there */
        assert (at <= end);
        if (value.shape == SHAPE_ARRAY) {
            if (depth == LIMIT_DEPTH)
                return ERROR_BOUND;
            missing[++depth] = value.number;
        }
        while (depth > 0 && missing[depth] == 0)
            depth--;
    }
    return at == end ? 0 : ERROR_MALFORMED;
}

/* Reads a head that must be of `shape`; on failure `*at` stays. */
static int s_expect (const uint8_t **at, const uint8_t *end, shape_t shape, uint64_t *number)
{
    const uint8_t *next = *at;
    value_t value;
    int rc = s_read (&next, end, &value);
    if (rc != 0 || value.shape != shape)
        return ERROR_MALFORMED;
    *at = next;
    *number = value.number;
    return 0;
}

/* The same for what has bytes behind it: at most `bound`, which `*data` then points to. */
static int s_expect_piece (const uint8_t **at, const uint8_t *end, shape_t shape, uint64_t bound,
                           const uint8_t **data, size_t *size)
{
    const uint8_t *next = *at;
    uint64_t number;
    int rc = s_expect (&next, end, shape, &number);
    if (rc != 0)
        return rc;
    if (number > bound)
        return ERROR_BOUND;
    *data = next;
    *size = (size_t)number;
    assert (*size <= (size_t)(end - next));
    *at = next + *size;
    return 0;
}

int wire_read_array (const uint8_t **at, const uint8_t *end, size_t *count)
{
    uint64_t number;
    int rc = s_expect (at, end, SHAPE_ARRAY, &number);
    if (rc == 0)
        *count = (size_t)number;
    return rc;
}

int wire_read_uint (const uint8_t **at, const uint8_t *end, uint64_t *value)
{
    return s_expect (at, end, SHAPE_UINT, value);
}

int wire_read_real (const uint8_t **at, const uint8_t *end, double *value)
{
    uint64_t bits;
    int rc = s_expect (at, end, SHAPE_REAL, &bits);
    if (rc == 0)
        *value = s_real (bits);
    return rc;
}

int wire_read_number (const uint8_t **at, const uint8_t *end, double *value)
{
    uint64_t none;
    if (s_expect (at, end, SHAPE_NIL, &none) != 0)
        return wire_read_real (at, end, value);
    *value = (double)NAN;
    return 0;
}

int wire_read_text (const uint8_t **at, const uint8_t *end, uint64_t bound, text_t *text)
{
    const uint8_t *next = *at, *data;
    size_t size;
    int rc = s_expect_piece (&next, end, SHAPE_TEXT, bound, &data, &size);
    if (rc != 0)
        return rc;
    text_t read = {(const char *)data, size};
    if (!text_valid (read))
        return ERROR_MALFORMED;
    *text = read;
    *at = next;
    return 0;
}

int wire_read_bytes (const uint8_t **at, const uint8_t *end, uint64_t bound, bytes_t *bytes)
{
    return s_expect_piece (at, end, SHAPE_BYTES, bound, &bytes->data, &bytes->size);
}

int wire_read_fixed (const uint8_t **at, const uint8_t *end, void *out, size_t size)
{
    const uint8_t *next = *at;
    bytes_t bytes;
    int rc = wire_read_bytes (&next, end, size, &bytes);
    if (rc != 0 || bytes.size != size)
        return ERROR_MALFORMED;
    memcpy (out, bytes.data, size);
    *at = next;
    return 0;
}

void wire_describe (const uint8_t *at, const uint8_t *end, char *text, size_t size)
{
    assert (at <= end && size > 0);
    value_t value;
    const uint8_t *next = at;
    unsigned long long number = 0;
    if (at == end) {
        snprintf (text, size, "nothing");
        return;
    }
    if (s_read (&next, end, &value) != 0) {
        snprintf (text, size, "no value of this wire (0x%02x)", *at);
        return;
    }
    number = value.number;
    switch (value.shape) {
    case SHAPE_NIL: snprintf (text, size, "nil"); break;
    case SHAPE_UINT: snprintf (text, size, "the number %llu", number); break;
    case SHAPE_REAL: snprintf (text, size, "the real %g", s_real (value.number)); break;
    case SHAPE_TEXT: snprintf (text, size, "a text of %llu bytes", number); break;
    case SHAPE_BYTES: snprintf (text, size, "%llu bytes", number); break;
    case SHAPE_ARRAY: snprintf (text, size, "an array of %llu", number); break;
    }
}
