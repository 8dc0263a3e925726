/* SPDX-License-Identifier: MPL-2.0 */
/* What wire_scan lets pass, msgpack-c reads as one whole value and packs into the same bytes again: the scanner knows no form
 * that msgpack doesn't, and no second form of anything. And no reader steps beyond the end, wherever it starts. */
#include <assert.h>
#include <msgpack.h>
#include <string.h>

#include "protocol/wire.h"
#include "tests/fuzz/fuzz.h"

static int s_append (void *out, const char *data, size_t size)
{
    buffer_append (out, data, size);
    return 0;
}

static void s_compare (const uint8_t *data, size_t size)
{
    msgpack_unpacked unpacked;
    buffer_t again = {0};
    size_t used = 0;
    msgpack_unpacked_init (&unpacked);
    assert (msgpack_unpack_next (&unpacked, (const char *)data, size, &used) == MSGPACK_UNPACK_SUCCESS);
    assert (used == size);
    msgpack_packer packer;
    msgpack_packer_init (&packer, &again, s_append);
    msgpack_pack_object (&packer, unpacked.data);
    assert (again.size == size && memcmp (again.data, data, size) == 0);
    msgpack_unpacked_destroy (&unpacked);
    buffer_clear (&again);
}

/* Every reader from `start`: it moves on within the bytes, or stays. */
static void s_read (const uint8_t *start, const uint8_t *end)
{
    const uint8_t *at[6] = {start, start, start, start, start, start};
    uint8_t fixed[32];
    size_t count;
    uint64_t number;
    double real;
    text_t text = {0};
    bytes_t bytes = {0};
    char words[64];
    int errors[6] = {
        wire_read_array (&at[0], end, &count),      wire_read_uint (&at[1], end, &number),
        wire_read_number (&at[2], end, &real),      wire_read_text (&at[3], end, 300, &text),
        wire_read_bytes (&at[4], end, 300, &bytes), wire_read_fixed (&at[5], end, fixed, sizeof fixed)};
    for (size_t i = 0; i < 6; i++)
        assert (errors[i] == 0 ? at[i] > start && at[i] <= end : at[i] == start);
    assert (errors[3] != 0 || (text.size <= 300 && text_valid (text)));
    assert (errors[4] != 0 || bytes.size <= 300);
    wire_describe (start, end, words, sizeof words);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (wire_scan (data, size) == 0)
        s_compare (data, size);
    for (size_t i = 0; i <= size && i < 512; i++)
        s_read (data + i, data + size);
    return 0;
}
