/* SPDX-License-Identifier: MPL-2.0 */
#include "protocol/invite.h"

#include <assert.h>
#include <string.h>

#define PREFIX         "evomesh1"
#define PREFIX_SIZE    (sizeof PREFIX - 1)
#define CHECKSUM_BYTES 4 /* one mistyped token in 4 · 10⁹ passes; then its record hardly decodes */

RECORD_TABLE (invite, INVITE_FIELDS);

static const char s_alphabet[] = "abcdefghijklmnopqrstuvwxyz234567"; /* RFC 4648, lower case, no padding */

/* --- base32 of any length --- */

static void s_encode (const uint8_t *data, size_t size, char *text)
{
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < size; i++) {
        bits = bits << 8 | data[i];
        for (held += 8; held >= 5; held -= 5)
            *text++ = s_alphabet[bits >> (held - 5) & 31u];
    }
    if (held > 0)
        *text++ = s_alphabet[bits << (5 - held) & 31u];
    *text = '\0';
}

static int s_value (char c)
{
    if (c >= 'a' && c <= 'z')
        return c - 'a';
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

/* Appends what `size` characters say. Returns false for other characters, or if bits are left over: then it isn't what
 * s_encode wrote. */
static bool s_decode (const char *text, size_t size, buffer_t *out)
{
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < size; i++) {
        int value = s_value (text[i]);
        if (value < 0)
            return false;
        bits = bits << 5 | (uint32_t)value;
        held += 5;
        if (held >= 8) {
            held -= 8;
            uint8_t byte = (uint8_t)(bits >> held);
            buffer_append (out, &byte, 1);
        }
    }
    return held < 5 && (bits & ((1u << held) - 1)) == 0;
}

/* --- the token --- */

int invite_text (const invite_t *invite, char *text, size_t size)
{
    assert (text != NULL);
    assert (invite->addresses.count <= LIMIT_ENDPOINTS);
    buffer_t record = {0};
    record_encode (&invite_record, invite, &record);
    if (!record.failed) {
        digest_t checksum = digest_of (record.data, record.size);
        buffer_append (&record, checksum.bytes, CHECKSUM_BYTES);
    }
    int rc = record.failed ? ERROR_MEMORY : 0;
    if (rc == 0 && PREFIX_SIZE + (record.size * 8 + 4) / 5 + 1 > size)
        rc = ERROR_BOUND;
    if (rc == 0) {
        memcpy (text, PREFIX, PREFIX_SIZE);
        s_encode (record.data, record.size, text + PREFIX_SIZE);
    }
    buffer_clear (&record);
    return rc;
}

static bool s_is_space (char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* The token without the space around it that copying brings. */
static text_t s_trim (const char *text)
{
    while (s_is_space (*text))
        text++;
    size_t size = strlen (text);
    while (size > 0 && s_is_space (text[size - 1]))
        size--;
    return (text_t){text, size};
}

static int s_check_prefix (text_t token, problem_t *problem)
{
    if (token.size < PREFIX_SIZE || memcmp (token.data, PREFIX, PREFIX_SIZE - 1) != 0) {
        problem_set (problem, "not an invite token: expected one that starts with \"%s\"", PREFIX);
        return ERROR_INPUT;
    }
    if (token.data[PREFIX_SIZE - 1] != PREFIX[PREFIX_SIZE - 1]) {
        problem_set (problem, "invite token of another version: found \"%.*s\", expected \"%s\"",
                     (int)PREFIX_SIZE, token.data, PREFIX);
        return ERROR_VERSION;
    }
    if (token.size >= INVITE_TEXT_MAX) {
        problem_set (problem, "invite token is too long: found %zu characters, expected less than %d",
                     token.size, INVITE_TEXT_MAX);
        return ERROR_INPUT;
    }
    return 0;
}

/* What a token must hold beyond its encoding. */
static int s_check_invite (const invite_t *invite, problem_t *problem)
{
    const char *wrong = NULL;
    if (pubkey_is_zero (&invite->issuer) || pubkey_is_zero (&invite->server))
        wrong = "a key is zero";
    else if (invite->uses == 0)
        wrong = "it admits nobody (uses is 0)";
    else if (invite->addresses.count == 0)
        wrong = "it names no address";
    for (size_t i = 0; i < invite->addresses.count; i++)
        if (invite->addresses.items[i].rpc.size == 0)
            wrong = "an address is empty";
    if (wrong == NULL)
        return 0;
    problem_set (problem, "invite token: %s", wrong);
    return ERROR_INPUT;
}

static int s_parse (text_t token, invite_t *invite, buffer_t *buffer, arena_t *arena, problem_t *problem)
{
    int rc = s_check_prefix (token, problem);
    if (rc != 0)
        return rc;
    bool is_base32 = s_decode (token.data + PREFIX_SIZE, token.size - PREFIX_SIZE, buffer);
    if (buffer->failed) {
        problem_set (problem, "%s", error_text (ERROR_MEMORY));
        return ERROR_MEMORY;
    }
    size_t size = buffer->size > CHECKSUM_BYTES ? buffer->size - CHECKSUM_BYTES : 0;
    digest_t checksum = digest_of (buffer->data, size);
    if (!is_base32 || size == 0 || memcmp (checksum.bytes, buffer->data + size, CHECKSUM_BYTES) != 0) {
        problem_set (problem, "invite token is cut short or mistyped: its checksum does not hold");
        return ERROR_INPUT;
    }
    rc = record_decode (&invite_record, buffer->data, size, invite, arena, problem);
    if (rc != 0)
        problem_prefix (problem, "invite token");
    return rc != 0 ? rc : s_check_invite (invite, problem);
}

int invite_parse (const char *text, invite_t *invite, buffer_t *buffer, arena_t *arena, problem_t *problem)
{
    assert (text != NULL);
    assert (buffer->size == 0);
    memset (invite, 0, sizeof *invite);
    int rc = s_parse (s_trim (text), invite, buffer, arena, problem);
    if (rc != 0) {
        memset (invite, 0, sizeof *invite);
        buffer_clear (buffer);
        arena_clear (arena);
    }
    return rc;
}
