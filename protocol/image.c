/* SPDX-License-Identifier: MPL-2.0 */
#include "protocol/image.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/wire.h"

image_t image_to (buffer_t *out)
{
    assert (out);
    return (image_t){.out = out};
}

image_t image_from (const uint8_t *data, size_t size)
{
    assert (data || size == 0);
    return (image_t){.loading = true, .at = data, .end = size > 0 ? data + size : data};
}

int image_end (const image_t *self)
{
    if (self->error != 0)
        return self->error;
    if (!self->loading)
        return self->out->failed ? ERROR_MEMORY : 0;
    return self->at == self->end ? 0 : ERROR_MALFORMED;
}

void image_fail (image_t *self, int error)
{
    assert (self->loading && error != 0);
    if (self->error == 0)
        self->error = error;
}

void image_check (image_t *self, bool holds)
{
    assert (self->loading || holds);
    if (!holds)
        image_fail (self, ERROR_MALFORMED);
}

bool image_sound (const image_t *self)
{
    return self->error == 0;
}

/* --- fields --- */

/* Reads a number; 0 once something failed. */
static uint64_t s_load (image_t *self, uint64_t bound)
{
    uint64_t value = 0;
    int error = self->error == 0 ? wire_read_uint (&self->at, self->end, &value) : self->error;
    if (error == 0 && bound > 0 && value > bound)
        error = ERROR_BOUND;
    if (error == 0)
        return value;
    image_fail (self, error);
    return 0;
}

void image_uint (image_t *self, uint64_t *value, uint64_t bound)
{
    assert (value);
    if (self->loading) {
        *value = s_load (self, bound);
        return;
    }
    assert (bound == 0 || *value <= bound);
    wire_write_uint (self->out, *value);
}

void image_size (image_t *self, size_t *value, size_t bound)
{
    uint64_t number = self->loading ? 0 : *value;
    image_uint (self, &number, bound);
    *value = (size_t)number;
}

void image_unsigned (image_t *self, unsigned *value, unsigned bound)
{
    uint64_t number = self->loading ? 0 : *value;
    image_uint (self, &number, bound > 0 ? bound : UINT_MAX);
    *value = (unsigned)number;
}

void image_bool (image_t *self, bool *value)
{
    uint64_t number = self->loading ? 0 : *value;
    image_uint (self, &number, 1);
    *value = number == 1;
}

void image_real (image_t *self, double *value)
{
    uint64_t bits = 0;
    _Static_assert(sizeof bits == sizeof *value, "a double is 64 bits");
    if (!self->loading)
        memcpy (&bits, value, sizeof bits);
    image_uint (self, &bits, 0);
    memcpy (value, &bits, sizeof bits);
}

void image_fixed (image_t *self, void *bytes, size_t size)
{
    assert (bytes && size > 0);
    if (!self->loading) {
        wire_write_bytes (self->out, bytes, size);
        return;
    }
    int error = self->error == 0 ? wire_read_fixed (&self->at, self->end, bytes, size) : self->error;
    if (error == 0)
        return;
    image_fail (self, error);
    memset (bytes, 0, size);
}

/* Reads bytes; none once something failed. */
static bytes_t s_load_bytes (image_t *self, size_t bound)
{
    bytes_t bytes = {NULL, 0};
    int error = self->error == 0 ? wire_read_bytes (&self->at, self->end, bound, &bytes) : self->error;
    if (error == 0)
        return bytes;
    image_fail (self, error);
    return (bytes_t){NULL, 0};
}

void image_text (image_t *self, char *text, size_t size)
{
    assert (text && size > 0);
    if (!self->loading) {
        size_t length = strlen (text);
        assert (length < size);
        wire_write_bytes (self->out, text, length);
        return;
    }
    bytes_t bytes = s_load_bytes (self, size - 1);
    memset (text, 0, size);
    if (bytes.size == 0)
        return;
    image_check (self, memchr (bytes.data, '\0', bytes.size) == NULL);
    memcpy (text, bytes.data, bytes.size);
}

void image_bytes (image_t *self, buffer_t *bytes, size_t bound)
{
    assert (bytes && (!self->loading || bytes->data == NULL));
    if (!self->loading) {
        assert (bytes->size <= bound && !bytes->failed);
        wire_write_bytes (self->out, bytes->data, bytes->size);
        return;
    }
    bytes_t loaded = s_load_bytes (self, bound);
    buffer_append (bytes, loaded.data, loaded.size);
    if (bytes->failed)
        image_fail (self, ERROR_MEMORY);
}

void *image_items (image_t *self, void *items, size_t *count, size_t bound, size_t size)
{
    assert (count && size > 0);
    image_size (self, count, bound);
    if (!self->loading)
        return items;
    assert (items == NULL);
    if (*count > (size_t)(self->end - self->at)) /* each item takes a byte at least */
        image_fail (self, ERROR_MALFORMED);
    items = image_sound (self) && *count > 0 ? calloc (*count, size) : NULL;
    if (image_sound (self) && *count > 0 && !items)
        image_fail (self, ERROR_MEMORY);
    if (!items)
        *count = 0;
    return items;
}
