/* SPDX-License-Identifier: MPL-2.0 */
/* The input as a token, and as the record in one: what parses writes the same token again. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/invite.h"
#include "tests/fuzz/fuzz.h"

/* Parses `text` (which may fail), writes it again, and parses that. */
static void s_parse (const char *text)
{
    invite_t invite, again;
    buffer_t buffer = {0}, second = {0};
    arena_t arena = {0};
    problem_t problem = {""};
    char written[INVITE_TEXT_MAX];
    if (invite_parse (text, &invite, &buffer, &arena, &problem) != 0) {
        assert (problem.text[0] != '\0' && buffer.data == NULL && arena.blocks == NULL);
        return;
    }
    assert (invite.uses > 0 && invite.uses <= LIMIT_INVITE_USES && invite.addresses.count <= LIMIT_ENDPOINTS);
    assert (invite_text (&invite, written, sizeof written) == 0);
    assert (invite_parse (written, &again, &second, &arena, NULL) == 0);
    assert (buffer.size == second.size && memcmp (buffer.data, second.data, buffer.size) == 0);
    buffer_clear (&buffer);
    buffer_clear (&second);
    arena_clear (&arena);
}

/* A checksum keeps random changes out of the record behind it: so records are also tried by themselves. */
static void s_parse_record (const uint8_t *data, size_t size)
{
    invite_t invite;
    arena_t arena = {0};
    char written[INVITE_TEXT_MAX];
    if (record_decode (&invite_record, data, size, &invite, &arena, NULL) == 0) {
        assert (invite_text (&invite, written, sizeof written) == 0);
        s_parse (written);
    }
    arena_clear (&arena);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    char *text = malloc (size + 1);
    assert (text != NULL);
    if (size > 0)
        memcpy (text, data, size);
    text[size] = '\0';
    s_parse (text);
    free (text);
    if (size > 0)
        s_parse_record (data, size);
    return 0;
}
