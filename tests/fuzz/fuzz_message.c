/* SPDX-License-Identifier: MPL-2.0 */
/* What decodes as a message encodes to the same bytes again, and prints. */
#include <assert.h>
#include <string.h>

#include "protocol/message.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    message_t message;
    head_t head;
    problem_t problem = {""};
    buffer_t again = {0}, printed = {0};
    int error = message_decode (data, size, &message, &problem);
    if (error != 0) {
        assert (problem.text[0] != '\0' && message.arena.blocks == NULL && message.head.kind == 0);
        return 0;
    }
    const message_info_t *info = message_info (message.head.kind);
    assert (info != NULL && size <= message_bytes_max (message.head.kind));
    assert (statement_kind (data, size) == message.head.kind);
    assert (message_head (data, size, &head) == 0 && head.seq == message.head.seq);
    message_encode (&message.head, &message.as, &again);
    assert (!again.failed && again.size == size && memcmp (again.data, data, size) == 0);
    record_print_json (info->record, &message.as, &printed);
    assert (printed.size >= 2 && printed.data[0] == '{' && printed.data[printed.size - 1] == '}');
    buffer_clear (&again);
    buffer_clear (&printed);
    message_clear (&message);
    return 0;
}
