/* SPDX-License-Identifier: MPL-2.0 */
#include "node/event.h"

#include <assert.h>
#include <string.h>

#include "protocol/wire.h"

#define HEAD_VALUES 3 /* kind, now_ms, wall_ms */

RECORD_TABLE (objective_row, OBJECTIVE_ROW_FIELDS);
RECORD_TABLE (proposer_row, PROPOSER_ROW_FIELDS);
RECORD_TABLE (value, VALUE_FIELDS);

#define EVENT_TABLE(number, NAME, name, FIELDS) RECORD_TABLE (name, FIELDS);
NODE_EVENTS (EVENT_TABLE)
#undef EVENT_TABLE

static const struct {
    unsigned kind;
    const char *name;
    const record_t *record;
} s_infos[] = {
#define EVENT_INFO(number, NAME, name, FIELDS) {number, #NAME, &name##_record},
    NODE_EVENTS (EVENT_INFO)
#undef EVENT_INFO
};

#define INFO_COUNT (sizeof s_infos / sizeof s_infos[0])

const char *event_name (unsigned kind)
{
    for (size_t i = 0; i < INFO_COUNT; i++)
        if (s_infos[i].kind == kind)
            return s_infos[i].name;
    return NULL;
}

const record_t *event_record (unsigned kind)
{
    for (size_t i = 0; i < INFO_COUNT; i++)
        if (s_infos[i].kind == kind)
            return s_infos[i].record;
    return NULL;
}

void event_encode (const event_t *event, buffer_t *out)
{
    assert (event != NULL && out != NULL);
    const record_t *record = event_record (event->kind);
    assert (record != NULL);
    wire_write_array (out, HEAD_VALUES + record->field_count);
    wire_write_uint (out, event->kind);
    wire_write_uint (out, event->now_ms);
    wire_write_uint (out, event->wall_ms);
    record_encode_fields (record, &event->as, out);
}

/* Reads what stands before the fields and finds the kind's record. */
static int s_decode_head (const uint8_t **at, const uint8_t *end, event_t *event, const record_t **record)
{
    size_t count;
    uint64_t kind;
    int result = wire_read_array (at, end, &count);
    if (result == 0)
        result = wire_read_uint (at, end, &kind);
    if (result != 0)
        return result;
    *record = kind > UINT8_MAX ? NULL : event_record ((unsigned)kind);
    if (*record == NULL)
        return ERROR_KIND;
    event->kind = (event_kind_t)kind;
    if (count != HEAD_VALUES + (*record)->field_count)
        return ERROR_MALFORMED;
    result = wire_read_uint (at, end, &event->now_ms);
    return result != 0 ? result : wire_read_uint (at, end, &event->wall_ms);
}

int event_decode (const uint8_t *data, size_t size, event_t *event, arena_t *arena)
{
    assert ((data != NULL || size == 0) && event != NULL && arena != NULL);
    const uint8_t *at = data, *end = data + size;
    const record_t *record = NULL;
    memset (event, 0, sizeof *event);
    int result = wire_scan (data, size);
    if (result == 0)
        result = s_decode_head (&at, end, event, &record);
    if (result == 0)
        result = record_decode_fields (record, &at, end, &event->as, arena, NULL);
    if (result == 0 && at != end)
        result = ERROR_MALFORMED;
    if (result != 0)
        memset (event, 0, sizeof *event);
    return result;
}
