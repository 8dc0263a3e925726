/* SPDX-License-Identifier: MPL-2.0 */
#include "protocol/record.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "protocol/wire.h"

#define FOUND_BYTES 64 /* "an array of …" in a problem */

/* The layout of every list in a struct (RECORD_MEMBER_L). Copied in and out, since there its type is another. */
typedef struct {
    const void *items;
    size_t count;
} list_t;

/* --- encoding --- */

static void s_encode_list (const field_t *field, const void *value, buffer_t *out)
{
    assert (field->of != NULL);
    list_t list;
    memcpy (&list, value, sizeof list);
    assert (list.count <= field->bound && (list.items != NULL || list.count == 0));
    wire_write_array (out, list.count);
    for (size_t i = 0; i < list.count; i++)
        record_encode (field->of, (const uint8_t *)list.items + i * field->of->size, out);
}

static void s_encode_field (const field_t *field, const void *value, buffer_t *out)
{
    const uint64_t *number = value;
    const double *real = value;
    const text_t *text = value;
    const bytes_t *bytes = value;
    switch (field->type) {
    case FIELD_UINT:
        assert (field->bound == 0 || *number <= field->bound);
        wire_write_uint (out, *number);
        break;
    case FIELD_REAL: wire_write_real (out, *real); break;
    case FIELD_NUMBER:
        if (isnan (*real))
            wire_write_nil (out);
        else
            wire_write_real (out, *real);
        break;
    case FIELD_DIGEST:
    case FIELD_KEY: wire_write_bytes (out, value, DIGEST_BYTES); break;
    case FIELD_TEXT:
        assert (text->size <= field->bound && text_valid (*text));
        wire_write_text (out, *text);
        break;
    case FIELD_BYTES:
        assert (bytes->size <= field->bound);
        wire_write_bytes (out, bytes->data, bytes->size);
        break;
    case FIELD_LIST: s_encode_list (field, value, out); break;
    }
}

void record_encode_fields (const record_t *record, const void *value, buffer_t *out)
{
    assert (record != NULL && value != NULL && out != NULL);
    for (size_t i = 0; i < record->field_count; i++)
        s_encode_field (&record->fields[i], (const uint8_t *)value + record->fields[i].offset, out);
}

void record_encode (const record_t *record, const void *value, buffer_t *out)
{
    wire_write_array (out, record->field_count);
    record_encode_fields (record, value, out);
}

/* --- decoding --- */

/* Says what was found at `at` instead of what `expected` and `bound` say. */
static int s_refuse (int code, const uint8_t *at, const uint8_t *end, const char *expected, uint64_t bound,
                     problem_t *problem)
{
    if (problem == NULL)
        return code;
    char found[FOUND_BYTES];
    wire_describe (at, end, found, sizeof found);
    if (bound > 0)
        problem_set (problem, "found %s, expected %s up to %" PRIu64, found, expected, bound);
    else
        problem_set (problem, "found %s, expected %s", found, expected);
    return code;
}

/* Reads an array's head that must say `count`. */
static int s_decode_count (const uint8_t **at, const uint8_t *end, size_t count, problem_t *problem)
{
    const uint8_t *next = *at;
    size_t found;
    int rc = wire_read_array (&next, end, &found);
    if (rc == 0 && found != count)
        rc = ERROR_MALFORMED;
    if (rc != 0) {
        char expected[FOUND_BYTES];
        snprintf (expected, sizeof expected, "an array of %zu", count);
        return s_refuse (rc, *at, end, expected, 0, problem);
    }
    *at = next;
    return 0;
}

static int s_decode_list (const field_t *field, const uint8_t **at, const uint8_t *end, void *value,
                          arena_t *arena, problem_t *problem)
{
    assert (field->of != NULL && field->of->size > 0);
    const uint8_t *start = *at;
    size_t count;
    int rc = wire_read_array (at, end, &count); /* refuses a count for which too few bytes are left */
    if (rc == 0 && count > field->bound)
        rc = ERROR_BOUND;
    if (rc != 0)
        return s_refuse (rc, start, end, "a list", field->bound, problem);
    if (count == 0)
        return 0;
    uint8_t *items = arena_alloc (arena, count * field->of->size);
    if (items == NULL)
        return ERROR_MEMORY;
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = s_decode_count (at, end, field->of->field_count, problem);
        if (rc == 0)
            rc = record_decode_fields (field->of, at, end, items + i * field->of->size, arena, problem);
        if (rc != 0)
            problem_prefix (problem, "item %zu", i + 1);
    }
    if (rc == 0)
        memcpy (value, &(list_t){items, count}, sizeof (list_t));
    return rc;
}

static int s_decode_uint (const field_t *field, const uint8_t **at, const uint8_t *end, uint64_t *number)
{
    int rc = wire_read_uint (at, end, number);
    return rc == 0 && field->bound > 0 && *number > field->bound ? ERROR_BOUND : rc;
}

static int s_decode_field (const field_t *field, const uint8_t **at, const uint8_t *end, void *value,
                           arena_t *arena, problem_t *problem)
{
    const uint8_t *start = *at;
    const char *expected = "";
    int rc = 0;
    switch (field->type) {
    case FIELD_UINT:
        expected = "a number";
        rc = s_decode_uint (field, at, end, value);
        break;
    case FIELD_REAL:
        expected = "a finite real (float 64)";
        rc = wire_read_real (at, end, value);
        break;
    case FIELD_NUMBER:
        expected = "a finite real (float 64) or nil";
        rc = wire_read_number (at, end, value);
        break;
    case FIELD_DIGEST:
    case FIELD_KEY:
        expected = "32 bytes";
        rc = wire_read_fixed (at, end, value, DIGEST_BYTES);
        break;
    case FIELD_TEXT:
        expected = "a text (UTF-8, no control characters) of bytes";
        rc = wire_read_text (at, end, field->bound, value);
        break;
    case FIELD_BYTES:
        expected = "bytes";
        rc = wire_read_bytes (at, end, field->bound, value);
        break;
    case FIELD_LIST: return s_decode_list (field, at, end, value, arena, problem);
    }
    return rc == 0 ? 0 : s_refuse (rc, start, end, expected, field->bound, problem);
}

int record_decode_fields (const record_t *record, const uint8_t **at, const uint8_t *end, void *value,
                          arena_t *arena, problem_t *problem)
{
    assert (*at <= end);
    memset (value, 0, record->size);
    for (size_t i = 0; i < record->field_count; i++) {
        const field_t *field = &record->fields[i];
        int rc = s_decode_field (field, at, end, (uint8_t *)value + field->offset, arena, problem);
        if (rc != 0) {
            if (rc == ERROR_MEMORY)
                problem_set (problem, "%s", error_text (rc));
            problem_prefix (problem, "%s", field->name);
            memset (value, 0, record->size);
            return rc;
        }
    }
    return 0;
}

int record_decode (const record_t *record, const uint8_t *data, size_t size, void *value, arena_t *arena,
                   problem_t *problem)
{
    assert (data != NULL || size == 0);
    assert (value != NULL && arena != NULL);
    const uint8_t *at = data, *end = size > 0 ? data + size : data;
    memset (value, 0, record->size);
    int rc = s_decode_count (&at, end, record->field_count, problem);
    if (rc == 0)
        rc = record_decode_fields (record, &at, end, value, arena, problem);
    if (rc == 0 && at != end) {
        problem_set (problem, "%zu bytes too many", (size_t)(end - at));
        rc = ERROR_MALFORMED;
    }
    if (rc != 0)
        memset (value, 0, record->size);
    return rc;
}
