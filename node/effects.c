/* SPDX-License-Identifier: MPL-2.0 */
#include "node/effect.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/wire.h"

#define EFFECT_TABLE(number, NAME, name, FIELDS) RECORD_TABLE (name, FIELDS);
NODE_EFFECTS (EFFECT_TABLE)
#undef EFFECT_TABLE

static const struct {
    unsigned kind;
    const char *name;
    const record_t *record;
} s_infos[] = {
#define EFFECT_INFO(number, NAME, name, FIELDS) {number, #NAME, &name##_record},
    NODE_EFFECTS (EFFECT_INFO)
#undef EFFECT_INFO
};

#define INFO_COUNT (sizeof s_infos / sizeof s_infos[0])

const char *effect_name (unsigned kind)
{
    for (size_t i = 0; i < INFO_COUNT; i++)
        if (s_infos[i].kind == kind)
            return s_infos[i].name;
    return NULL;
}

const record_t *effect_record (unsigned kind)
{
    for (size_t i = 0; i < INFO_COUNT; i++)
        if (s_infos[i].kind == kind)
            return s_infos[i].record;
    return NULL;
}

bool effect_persists (effect_kind_t kind)
{
    return kind == EFFECT_PERSIST_STATEMENT || kind == EFFECT_PERSIST_RECORD ||
           kind == EFFECT_PERSIST_CONTENT || kind == EFFECT_PERSIST_DROP;
}

/* The next free entry; the list grows by doubling. */
static effect_t *s_append (effects_t *self)
{
    if (self->count == self->capacity) {
        size_t capacity = self->capacity == 0 ? 16 : 2 * self->capacity;
        effect_t *items = realloc (self->items, capacity * sizeof *items);
        if (items == NULL)
            abort ();
        self->items = items;
        self->capacity = capacity;
    }
    effect_t *effect = &self->items[self->count++];
    memset (effect, 0, sizeof *effect);
    return effect;
}

/* The copy is made by encoding and decoding: so it is deep whatever the fields are, and what the digest covers is what
 * is carried out. */
void effects_add (effects_t *self, effect_kind_t kind, const void *fields)
{
    const record_t *record = effect_record (kind);
    assert (record != NULL && fields != NULL);
    if (self == NULL)
        return;
    buffer_t encoded = {0};
    wire_write_array (&encoded, 1 + record->field_count);
    wire_write_uint (&encoded, kind);
    record_encode_fields (record, fields, &encoded);
    if (encoded.failed)
        abort ();

    effect_t *effect = s_append (self);
    effect->kind = kind;
    effect->encoded = encoded.data;
    effect->encoded_size = encoded.size;
    const uint8_t *at = encoded.data, *end = encoded.data + encoded.size;
    size_t count;
    uint64_t number;
    int result = wire_read_array (&at, end, &count);
    assert (result == 0);
    result = wire_read_uint (&at, end, &number);
    assert (result == 0 && number == (uint64_t)kind);
    result = record_decode_fields (record, &at, end, &effect->as, &effect->arena, NULL);
    if (result == ERROR_MEMORY)
        abort ();
    assert (result == 0 && at == end);
}

void effects_clear (effects_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        arena_clear (&self->items[i].arena);
        free (self->items[i].encoded);
    }
    free (self->items);
    memset (self, 0, sizeof *self);
}

digest_t effects_digest (const effects_t *self, size_t from)
{
    assert (from <= self->count);
    digest_t digest = {{0}};
    for (size_t i = from; i < self->count; i++)
        digest = digest_of_two (digest.bytes, sizeof digest.bytes, self->items[i].encoded,
                                self->items[i].encoded_size);
    return digest;
}
