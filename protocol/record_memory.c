/* SPDX-License-Identifier: MPL-2.0 */
/* What records are made of: growing bytes, arenas, texts. */
#include "protocol/record.h"

#include <assert.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_BYTES_MIN 64
#define ARENA_BLOCK_MIN  1024

/* --- buffer --- */

void buffer_clear (buffer_t *self)
{
    assert (self->size <= self->capacity);
    free (self->data);
    memset (self, 0, sizeof *self);
}

/* Makes room for `size` more bytes, doubling, so that n appends copy O(n) bytes. */
static bool s_reserve (buffer_t *self, size_t size)
{
    assert (self->size <= self->capacity);
    assert (size > 0);
    if (size > SIZE_MAX / 2 - self->size)
        return false;
    size_t capacity = self->capacity > 0 ? self->capacity : BUFFER_BYTES_MIN;
    while (capacity < self->size + size)
        capacity *= 2;
    if (capacity == self->capacity)
        return true;
    uint8_t *data = realloc (self->data, capacity);
    if (data == NULL)
        return false;
    self->data = data;
    self->capacity = capacity;
    return true;
}

void buffer_append (buffer_t *self, const void *data, size_t size)
{
    assert (data != NULL || size == 0);
    if (self->failed || size == 0)
        return;
    if (!s_reserve (self, size)) {
        self->failed = true;
        return;
    }
    memcpy (self->data + self->size, data, size);
    self->size += size;
    assert (self->size <= self->capacity);
}

/* --- arena --- */

struct arena_block {
    struct arena_block *next;
    size_t used;
    size_t size;
    alignas (max_align_t) uint8_t bytes[];
};

static struct arena_block *s_arena_block (arena_t *self, size_t size)
{
    struct arena_block *block = self->blocks;
    if (block != NULL && block->size - block->used >= size)
        return block;
    assert (block == NULL || block->used <= block->size);
    size_t capacity = size > ARENA_BLOCK_MIN ? size : ARENA_BLOCK_MIN;
    block = malloc (sizeof *block + capacity);
    if (block == NULL)
        return NULL;
    *block = (struct arena_block){.next = self->blocks, .used = 0, .size = capacity};
    self->blocks = block;
    return block;
}

void *arena_alloc (arena_t *self, size_t size)
{
    const size_t unit = alignof (max_align_t);
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + unit - 1) / unit * unit;
    struct arena_block *block = s_arena_block (self, size);
    if (block == NULL)
        return NULL;
    void *piece = block->bytes + block->used;
    block->used += size;
    self->total += size;
    assert (block->used <= block->size);
    return memset (piece, 0, size);
}

void arena_clear (arena_t *self)
{
    for (struct arena_block *block = self->blocks, *next; block != NULL; block = next) {
        next = block->next;
        free (block);
    }
    memset (self, 0, sizeof *self);
}

/* --- texts --- */

text_t text_of (const char *string)
{
    return (text_t){string, string == NULL ? 0 : strlen (string)};
}

bytes_t bytes_of (const void *data, size_t size)
{
    assert (data != NULL || size == 0);
    return (bytes_t){data, size};
}

bool text_equal (text_t text, const char *string)
{
    assert (string != NULL);
    return text.size == strlen (string) && (text.size == 0 || memcmp (text.data, string, text.size) == 0);
}

counted_t text_counted (uint64_t count, const char *noun)
{
    assert (noun != NULL);
    size_t size = strlen (noun);
    assert (size > 1 && size < COUNTED_BYTES - 24);
    char before = noun[size - 2]; /* "entries", but "days" */
    bool vowel = before == 'a' || before == 'e' || before == 'i' || before == 'o' || before == 'u';
    bool changes = count != 1 && noun[size - 1] == 'y' && !vowel;
    counted_t counted;
    (void)snprintf (counted.text, sizeof counted.text, "%llu %.*s%s", (unsigned long long)count,
                    (int)(changes ? size - 1 : size), noun,
                    count == 1 ? ""
                    : changes  ? "ies"
                               : "s");
    return counted;
}

bool text_copy (text_t text, char *out, size_t size)
{
    assert (size > 0);
    size_t length = text.size < size ? text.size : size - 1;
    /* A cut stays between characters, so that what was UTF-8 is. */
    while (length > 0 && length < text.size && ((uint8_t)text.data[length] & 0xc0) == 0x80)
        length--;
    if (length > 0)
        memcpy (out, text.data, length);
    out[length] = '\0';
    return length == text.size;
}

/* The length of the UTF-8 character (RFC 3629: shortest form, no surrogates) at `at`, 0 if there is none; sets its code
 * point. */
static size_t s_character (const char *at, size_t left, uint32_t *point)
{
    assert (left > 0);
    static const struct {
        uint8_t mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (size_t extra = 0; extra < 4; extra++) {
        uint8_t first = (uint8_t)at[0];
        if ((first & forms[extra].mask) != forms[extra].lead)
            continue;
        if (extra >= left)
            return 0;
        *point = first & (uint8_t)~forms[extra].mask;
        for (size_t i = 1; i <= extra; i++) {
            if (((uint8_t)at[i] & 0xc0) != 0x80)
                return 0;
            *point = *point << 6 | ((uint8_t)at[i] & 0x3fu);
        }
        bool is_surrogate = *point >= 0xd800 && *point <= 0xdfff;
        return *point < forms[extra].least || *point > 0x10ffff || is_surrogate ? 0 : extra + 1;
    }
    return 0;
}

/* The length of the character at `at` if it may stand in a text: no control characters (they move cursors and recolour
 * the terminals of those who read a peer's text) but newline and tab. Else 0. */
static size_t s_allowed (const char *at, size_t left)
{
    uint32_t point = 0;
    size_t length = s_character (at, left, &point);
    bool is_control = (point < 0x20 && point != '\n' && point != '\t') || (point >= 0x7f && point < 0xa0);
    return is_control ? 0 : length;
}

bool text_valid (text_t text)
{
    for (size_t i = 0, length; i < text.size; i += length) {
        length = s_allowed (text.data + i, text.size - i);
        if (length == 0)
            return false;
    }
    return true;
}

text_t text_clean (text_t text, char *out, size_t size)
{
    size_t used = 0;
    assert (size > 0);
    for (size_t i = 0; i < text.size;) {
        size_t length = s_allowed (text.data + i, text.size - i);
        size_t piece = length > 0 ? length : 1;
        if (piece > size - 1 - used)
            break;
        memcpy (out + used, length > 0 ? text.data + i : "?", piece);
        used += piece;
        i += piece;
    }
    assert (used < size);
    out[used] = '\0';
    return (text_t){out, used};
}

static bool s_is_name_character (char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool text_is_name (text_t text)
{
    if (text.size == 0 || text.size > LIMIT_NAME || !s_is_name_character (text.data[0]))
        return false;
    for (size_t i = 1; i < text.size; i++)
        if (!s_is_name_character (text.data[i]) && text.data[i] != '-' && text.data[i] != '.')
            return false;
    return true;
}
