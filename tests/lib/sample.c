/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/lib/sample.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "protocol/group.h"

#define BYTES_MOST 4096

/* Counts the fields of one sample, so that no two hold the same. */
typedef struct {
    sample_t sample;
    arena_t *arena;
    unsigned count;
} filler_t;

static void s_fill (filler_t *self, const record_t *record, uint8_t *value);

static void s_fill_text (filler_t *self, const field_t *field, text_t *text)
{
    size_t bound = (size_t)field->bound;
    char *data = arena_alloc (self->arena, bound + 1);
    assert (data != NULL);
    bool is_address = strcmp (field->name, "rpc") == 0 || strcmp (field->name, "pub") == 0;
    if (self->sample == SAMPLE_MOST)
        memset (data, 'm', bound);
    else if (is_address)
        snprintf (data, bound + 1, "tcp://192.0.2.%u:7000", self->count % 256);
    else
        snprintf (data, bound + 1, "%.20s-%u", field->name, self->count);
    *text = text_of (data);
}

static void s_fill_bytes (filler_t *self, const field_t *field, bytes_t *bytes)
{
    buffer_t encoded = {0};
    policy_t policy = policy_default ();
    size_t size =
        self->sample == SAMPLE_MOST ? (field->bound < BYTES_MOST ? (size_t)field->bound : BYTES_MOST) : 3;
    if (strcmp (field->name, "policy") == 0 && self->sample == SAMPLE_TYPICAL) {
        policy_encode (&policy, &encoded);
        size = encoded.size;
    }
    uint8_t *data = arena_alloc (self->arena, size);
    assert (data != NULL);
    if (encoded.size > 0)
        memcpy (data, encoded.data, size);
    else
        memset (data, (int)(self->count % 251), size);
    buffer_clear (&encoded);
    *bytes = bytes_of (data, size);
}

static void s_fill_list (filler_t *self, const field_t *field, void *value)
{
    struct {
        const void *items;
        size_t count;
    } list;
    list.count = self->sample == SAMPLE_MOST || field->bound < 2 ? (size_t)field->bound : 2;
    uint8_t *items = arena_alloc (self->arena, list.count * field->of->size);
    assert (items != NULL);
    for (size_t i = 0; i < list.count; i++)
        s_fill (self, field->of, items + i * field->of->size);
    list.items = items;
    memcpy (value, &list, sizeof list);
}

static void s_fill_field (filler_t *self, const field_t *field, void *value)
{
    uint64_t *number = value;
    double *real = value;
    self->count++;
    switch (field->type) {
    case FIELD_UINT:
        *number = field->bound > 0 ? field->bound : UINT64_MAX;
        if (self->sample == SAMPLE_TYPICAL && (field->bound == 0 || self->count < field->bound))
            *number = self->count * (field->bound == 0 ? 1000u : 1u);
        break;
    case FIELD_REAL:
    case FIELD_NUMBER:
        *real = self->sample == SAMPLE_MOST ? 1.7976931348623157e308 : self->count * 0.125;
        break;
    case FIELD_DIGEST:
    case FIELD_KEY: memset (value, (int)(self->count % 255 + 1), DIGEST_BYTES); break;
    case FIELD_TEXT: s_fill_text (self, field, value); break;
    case FIELD_BYTES: s_fill_bytes (self, field, value); break;
    case FIELD_LIST: s_fill_list (self, field, value); break;
    }
}

static void s_fill (filler_t *self, const record_t *record, uint8_t *value)
{
    memset (value, 0, record->size);
    for (size_t i = 0; i < record->field_count; i++) {
        const field_t *field = &record->fields[i];
        double none = (double)NAN;
        if (self->sample != SAMPLE_LEAST)
            s_fill_field (self, field, value + field->offset);
        else if (field->type == FIELD_NUMBER)
            memcpy (value + field->offset, &none, sizeof none);
    }
}

void sample_fill (const record_t *record, sample_t sample, arena_t *arena, void *value)
{
    filler_t filler = {.sample = sample, .arena = arena};
    s_fill (&filler, record, value);
}

identity_t sample_identity (uint8_t n)
{
    uint8_t seed[SEED_BYTES];
    identity_t identity;
    memset (seed, n, sizeof seed);
    identity_from_seed (seed, &identity);
    return identity;
}

pubkey_t sample_curve (uint8_t n)
{
    uint8_t seed[SEED_BYTES];
    curve_t curve;
    memset (seed, n, sizeof seed);
    curve_from_seed (seed, &curve);
    return curve.public_key;
}

head_t sample_head (unsigned kind)
{
    head_t head = {.kind = kind, .epoch = 3, .seq = 70000, .time_ms = 1750000000000};
    memset (head.group.bytes, 0x67, sizeof head.group.bytes);
    return head;
}

buffer_t sample_body (unsigned kind, sample_t sample)
{
    arena_t arena = {0};
    message_t message = {.head = sample_head (kind)};
    buffer_t body = {0};
    sample_fill (message_info (kind)->record, sample, &arena, &message.as);
    message_encode (&message.head, &message.as, &body);
    assert (!body.failed);
    arena_clear (&arena);
    return body;
}
