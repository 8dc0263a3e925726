/* SPDX-License-Identifier: MPL-2.0 */
/* Records as JSON (RFC 8259), for people and their tools. */
#include "protocol/record.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_TEXT_BYTES 32

static void s_put (buffer_t *out, const char *string)
{
    buffer_append (out, string, strlen (string));
}

/* All zero stands for "none", as does null. */
static void s_put_digest (buffer_t *out, const digest_t *digest)
{
    char text[DIGEST_TEXT_BYTES];
    if (digest_is_zero (digest)) {
        s_put (out, "null");
        return;
    }
    digest_text (digest, text);
    s_put (out, "\"");
    s_put (out, text);
    s_put (out, "\"");
}

static void s_put_text (buffer_t *out, text_t text)
{
    s_put (out, "\"");
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        char escaped[8];
        if (c == '"' || c == '\\') {
            snprintf (escaped, sizeof escaped, "\\%c", c);
            s_put (out, escaped);
        } else if (c < 0x20) {
            snprintf (escaped, sizeof escaped, "\\u%04x", c);
            s_put (out, escaped);
        } else {
            buffer_append (out, text.data + i, 1);
        }
    }
    s_put (out, "\"");
}

/* JSON has no infinities and no NaN: these are null, as an absent NUMBER is. */
static void s_put_real (buffer_t *out, double real)
{
    char text[NUMBER_TEXT_BYTES];
    snprintf (text, sizeof text, "%.17g", real);
    s_put (out, isfinite (real) ? text : "null");
}

static void s_put_uint (buffer_t *out, uint64_t number)
{
    char text[NUMBER_TEXT_BYTES];
    snprintf (text, sizeof text, "%" PRIu64, number);
    s_put (out, text);
}

static void s_put_bytes (buffer_t *out, const bytes_t *bytes)
{
    digest_t digest = digest_of (bytes->data, bytes->size);
    s_put (out, "{\"size\": ");
    s_put_uint (out, bytes->size);
    s_put (out, ", \"digest\": ");
    s_put_digest (out, &digest);
    s_put (out, "}");
}

static void s_put_list (buffer_t *out, const record_t *of, const void *value)
{
    struct { /* the layout of every list (RECORD_MEMBER_L) */
        const void *items;
        size_t count;
    } list;
    memcpy (&list, value, sizeof list);
    assert (list.items != NULL || list.count == 0);
    s_put (out, "[");
    for (size_t i = 0; i < list.count; i++) {
        s_put (out, i > 0 ? ", " : "");
        record_print_json (of, (const uint8_t *)list.items + i * of->size, out);
    }
    s_put (out, "]");
}

static void s_put_field (buffer_t *out, const field_t *field, const void *value)
{
    switch (field->type) {
    case FIELD_UINT: s_put_uint (out, *(const uint64_t *)value); break;
    case FIELD_REAL:
    case FIELD_NUMBER: s_put_real (out, *(const double *)value); break;
    case FIELD_DIGEST:
    case FIELD_KEY: s_put_digest (out, value); break;
    case FIELD_TEXT: s_put_text (out, *(const text_t *)value); break;
    case FIELD_BYTES: s_put_bytes (out, value); break;
    case FIELD_LIST: s_put_list (out, field->of, value); break;
    }
}

void record_print_json (const record_t *record, const void *value, buffer_t *out)
{
    assert (record != NULL && value != NULL && out != NULL);
    s_put (out, "{");
    for (size_t i = 0; i < record->field_count; i++) {
        const field_t *field = &record->fields[i];
        s_put (out, i > 0 ? ", \"" : "\"");
        s_put (out, field->name);
        s_put (out, "\": ");
        s_put_field (out, field, (const uint8_t *)value + field->offset);
    }
    s_put (out, "}");
}
