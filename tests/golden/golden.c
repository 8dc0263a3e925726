/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/golden/golden.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/group.h"
#include "tests/lib/sample.h"

#define AUTHOR  1 /* sample identity that signs */
#define TIME_MS UINT64_C (1750000000000)

static void s_put (buffer_t *out, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

static void s_put (buffer_t *out, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start (arguments, format);
    int size = vsnprintf (text, sizeof text, format, arguments);
    va_end (arguments);
    assert (size >= 0 && (size_t)size < sizeof text);
    buffer_append (out, text, (size_t)size);
}

static void s_put_hex (buffer_t *out, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    s_put (out, "\"");
    for (size_t i = 0; i < size; i++)
        s_put (out, "%02x", bytes[i]);
    s_put (out, "\"");
}

static void s_put_real (buffer_t *out, double real)
{
    if (isnan (real))
        s_put (out, "null");
    else /* with a point, so that readers take it for a real */
        s_put (out, floor (real) == real ? "%.1f" : "%.17g", real);
}

static void s_put_list (buffer_t *out, const record_t *of, const void *value)
{
    struct {
        const void *items;
        size_t count;
    } list;
    memcpy (&list, value, sizeof list);
    s_put (out, "[");
    for (size_t i = 0; i < list.count; i++) {
        s_put (out, i > 0 ? ", " : "");
        golden_print_fields (of, (const uint8_t *)list.items + i * of->size, out);
    }
    s_put (out, "]");
}

static void s_put_field (buffer_t *out, const field_t *field, const void *value)
{
    const text_t *text = value;
    const bytes_t *bytes = value;
    switch (field->type) {
    case FIELD_UINT: s_put (out, "%" PRIu64, *(const uint64_t *)value); break;
    case FIELD_REAL:
    case FIELD_NUMBER: s_put_real (out, *(const double *)value); break;
    case FIELD_DIGEST:
    case FIELD_KEY: s_put_hex (out, value, DIGEST_BYTES); break;
    case FIELD_TEXT: s_put (out, "\"%.*s\"", (int)text->size, text->size > 0 ? text->data : ""); break;
    case FIELD_BYTES: s_put_hex (out, bytes->data, bytes->size); break;
    case FIELD_LIST: s_put_list (out, field->of, value); break;
    }
}

void golden_print_fields (const record_t *record, const void *value, buffer_t *out)
{
    s_put (out, "{");
    for (size_t i = 0; i < record->field_count; i++) {
        s_put (out, "%s\"%s\": ", i > 0 ? ", " : "", record->fields[i].name);
        s_put_field (out, &record->fields[i], (const uint8_t *)value + record->fields[i].offset);
    }
    s_put (out, "}");
}

void golden_print (const char *sample, const uint8_t seed[SEED_BYTES], const head_t *head, const void *fields,
                   buffer_t *out)
{
    const message_info_t *info = message_info (head->kind);
    identity_t author;
    buffer_t body = {0};
    uint8_t seal[SEAL_BYTES];
    identity_from_seed (seed, &author);
    message_seal (&author, head, fields, &body, seal);
    digest_t id = statement_id (body.data, body.size, seal);
    s_put (out, "{\"kind\": %u, \"name\": \"%s\", \"sample\": \"%s\",\n  \"seed\": ", head->kind, info->name,
           sample);
    s_put_hex (out, seed, SEED_BYTES);
    s_put (out, ",\n  \"head\": {\"group\": ");
    s_put_hex (out, head->group.bytes, DIGEST_BYTES);
    s_put (out, ", \"epoch\": %" PRIu64 ", \"seq\": %" PRIu64 ", \"time_ms\": %" PRIu64 "},\n  \"fields\": ",
           head->epoch, head->seq, head->time_ms);
    golden_print_fields (info->record, fields, out);
    s_put (out, ",\n  \"body\": ");
    s_put_hex (out, body.data, body.size);
    s_put (out, ",\n  \"seal\": ");
    s_put_hex (out, seal, SEAL_BYTES);
    s_put (out, ",\n  \"id\": ");
    s_put_hex (out, id.bytes, DIGEST_BYTES);
    s_put (out, "}");
    assert (!body.failed && !out->failed);
    buffer_clear (&body);
}

static void s_print_sample (unsigned kind, sample_t sample, buffer_t *out)
{
    uint8_t seed[SEED_BYTES];
    arena_t arena = {0};
    message_t message = {.head = sample_head (kind)};
    memset (seed, AUTHOR, sizeof seed);
    sample_fill (message_info (kind)->record, sample, &arena, &message.as);
    golden_print (sample == SAMPLE_LEAST ? "empty" : "filled", seed, &message.head, &message.as, out);
    arena_clear (&arena);
}

/* Prints a statement that was made already: it is decoded, and made again from what it says. */
static void s_print_packed (const char *sample, const buffer_t *packed, buffer_t *out)
{
    uint8_t seed[SEED_BYTES];
    message_t message;
    int error = message_decode (packed->data, packed->size - SEAL_BYTES, &message, NULL);
    assert (error == 0);
    memset (seed, AUTHOR, sizeof seed);
    s_put (out, ",\n ");
    golden_print (sample, seed, &message.head, &message.as, out);
    message_clear (&message);
}

static void s_print_group (buffer_t *out)
{
    identity_t founder = sample_identity (AUTHOR), other = sample_identity (2);
    pubkey_t curve = sample_curve (AUTHOR), other_curve = sample_curve (2);
    digest_t evaluator = digest_of ("evaluator", 9), start = digest_of ("start", 5);
    policy_t policy = policy_default ();
    group_t group;
    members_t *members = malloc (sizeof *members);
    assert (members != NULL);
    int error = group_found (&group, &founder, "packers", "binpack", &evaluator, &start, &policy, TIME_MS);
    assert (error == 0);
    s_print_packed ("founded", &group.packed, out);
    error = members_found (members, &group, &founder, &curve, "node-1", 1, 1, TIME_MS + 1);
    assert (error == 0);
    s_print_packed ("founded", &members->packed, out);
    error = members_add (members, &group, &founder, &other.id, &other_curve, "node-2", 2, 2, TIME_MS + 2);
    assert (error == 0);
    s_print_packed ("joined", &members->packed, out);
    members_clear (members);
    free (members);
    group_clear (&group);
}

void golden_print_all (buffer_t *out)
{
    s_put (out, "[");
    for (size_t i = 0; message_info_at (i) != NULL; i++) {
        s_put (out, i > 0 ? ",\n " : "");
        s_print_sample (message_info_at (i)->kind, SAMPLE_LEAST, out);
        s_put (out, ",\n ");
        s_print_sample (message_info_at (i)->kind, SAMPLE_TYPICAL, out);
    }
    s_print_group (out);
    s_put (out, "]\n");
}
