/* SPDX-License-Identifier: MPL-2.0 */
#include "protocol/message.h"

#include <assert.h>
#include <string.h>

#include "protocol/wire.h"

#define HEAD_VALUES 5                 /* kind, group, epoch, seq, time */
#define BODY_VALUES (HEAD_VALUES + 1) /* and the array of fields */

/* --- the catalogue --- */

#define PART_TABLE(name, FIELDS) RECORD_TABLE (name, FIELDS);
PARTS (PART_TABLE)

RECORD_TABLE (charter, CHARTER_FIELDS);
RECORD_TABLE (roster, ROSTER_FIELDS);
RECORD_TABLE (package, PACKAGE_FIELDS);
RECORD_TABLE (presence, PRESENCE_FIELDS);
RECORD_TABLE (event_message, EVENT_FIELDS);
RECORD_TABLE (metrics_message, METRICS_FIELDS);
RECORD_TABLE (knowledge, KNOWLEDGE_FIELDS);
RECORD_TABLE (hello, HELLO_FIELDS);
RECORD_TABLE (welcome, HELLO_FIELDS);
RECORD_TABLE (feedback_request, FEEDBACK_REQUEST_FIELDS);
RECORD_TABLE (feedback, FEEDBACK_FIELDS);
RECORD_TABLE (validation_request, VALIDATION_REQUEST_FIELDS);
RECORD_TABLE (validation_accepted, VALIDATION_ACCEPTED_FIELDS);
RECORD_TABLE (validation_declined, VALIDATION_DECLINED_FIELDS);
RECORD_TABLE (validation_result, VALIDATION_RESULT_FIELDS);
RECORD_TABLE (knowledge_transfer, KNOWLEDGE_TRANSFER_FIELDS);
RECORD_TABLE (transfer_result, TRANSFER_RESULT_FIELDS);
RECORD_TABLE (fetch, FETCH_FIELDS);
RECORD_TABLE (chunk, CHUNK_FIELDS);
RECORD_TABLE (pull, PULL_FIELDS);
RECORD_TABLE (pulled, PULLED_FIELDS);
RECORD_TABLE (join_request, JOIN_REQUEST_FIELDS);
RECORD_TABLE (membership, MEMBERSHIP_FIELDS);
RECORD_TABLE (ping, PING_FIELDS);
RECORD_TABLE (pong, PONG_FIELDS);
RECORD_TABLE (refused, REFUSED_FIELDS);
RECORD_TABLE (ack, ACK_FIELDS);
RECORD_TABLE (leave, LEAVE_FIELDS);

static const message_info_t s_infos[] = {
#define MESSAGE_INFO(number, NAME, name, class, way) \
    {number, #NAME, CLASS_##class, WAY_##way, &name##_record},
    MESSAGES (MESSAGE_INFO)
#undef MESSAGE_INFO
};

#define INFO_COUNT (sizeof s_infos / sizeof s_infos[0])

const message_info_t *message_info (unsigned kind)
{
    for (size_t i = 0; i < INFO_COUNT; i++)
        if (s_infos[i].kind == kind)
            return &s_infos[i];
    return NULL;
}

const message_info_t *message_info_at (size_t index)
{
    return index < INFO_COUNT ? &s_infos[index] : NULL;
}

size_t message_bytes_max (unsigned kind)
{
    return kind == MESSAGE_PACKAGE ? LIMIT_PACKAGE_BYTES : LIMIT_STATEMENT_BYTES;
}

/* --- encoding --- */

void message_encode (const head_t *head, const void *fields, buffer_t *body)
{
    const message_info_t *info = message_info (head->kind);
    assert (info != NULL && fields != NULL);
    assert (info->kind == head->kind);
    wire_write_array (body, BODY_VALUES);
    wire_write_uint (body, head->kind);
    wire_write_bytes (body, head->group.bytes, DIGEST_BYTES);
    wire_write_uint (body, head->epoch);
    wire_write_uint (body, head->seq);
    wire_write_uint (body, head->time_ms);
    record_encode (info->record, fields, body);
}

void message_seal (const identity_t *identity, const head_t *head, const void *fields, buffer_t *body,
                   uint8_t seal[SEAL_BYTES])
{
    size_t start = body->size;
    message_encode (head, fields, body);
    memset (seal, 0, SEAL_BYTES);
    if (!body->failed)
        statement_seal (identity, body->data + start, body->size - start, seal);
}

/* --- decoding --- */

static int s_refuse (int code, problem_t *problem)
{
    problem_set (problem, "%s", error_text (code));
    return code;
}

static int s_read_head (const uint8_t **at, const uint8_t *end, head_t *head)
{
    size_t count;
    uint64_t kind;
    memset (head, 0, sizeof *head);
    if (wire_read_array (at, end, &count) != 0 || count != BODY_VALUES ||
        wire_read_uint (at, end, &kind) != 0)
        return ERROR_MALFORMED;
    if (kind > 127 || message_info ((unsigned)kind) == NULL)
        return ERROR_KIND;
    head->kind = (unsigned)kind;
    if (wire_read_fixed (at, end, head->group.bytes, DIGEST_BYTES) != 0 ||
        wire_read_uint (at, end, &head->epoch) != 0 || wire_read_uint (at, end, &head->seq) != 0 ||
        wire_read_uint (at, end, &head->time_ms) != 0)
        return ERROR_MALFORMED;
    return 0;
}

int message_head (const uint8_t *body, size_t size, head_t *head)
{
    assert (body != NULL || size == 0);
    const uint8_t *at = body;
    int rc = size == 0 ? ERROR_MALFORMED : s_read_head (&at, body + size, head);
    if (rc != 0)
        memset (head, 0, sizeof *head);
    return rc;
}

int message_decode (const uint8_t *body, size_t size, message_t *message, problem_t *problem)
{
    assert (body != NULL || size == 0);
    memset (message, 0, sizeof *message);
    if (size > LIMIT_PACKAGE_BYTES) /* nothing is read of what is too long for any kind */
        return s_refuse (ERROR_BOUND, problem);
    int rc = wire_scan (body, size);
    if (rc != 0)
        return s_refuse (rc, problem);
    const uint8_t *at = body, *end = body + size;
    rc = s_read_head (&at, end, &message->head);
    if (rc == 0 && size > message_bytes_max (message->head.kind))
        rc = ERROR_BOUND;
    if (rc != 0) {
        memset (message, 0, sizeof *message);
        return s_refuse (rc, problem);
    }
    const message_info_t *info = message_info (message->head.kind);
    rc = record_decode (info->record, at, (size_t)(end - at), &message->as, &message->arena, problem);
    if (rc != 0) {
        problem_prefix (problem, "%s", info->name);
        message_clear (message);
    }
    return rc;
}

void message_clear (message_t *self)
{
    arena_clear (&self->arena);
    memset (self, 0, sizeof *self);
}

const pubkey_t *message_to (const message_t *self)
{
    const message_info_t *info = message_info (self->head.kind);
    assert (info != NULL && info->record->field_count > 0);
    const field_t *first = &info->record->fields[0];
    if (first->type != FIELD_KEY || strcmp (first->name, "to") != 0)
        return NULL;
    assert (first->offset + sizeof (pubkey_t) <= sizeof self->as);
    return (const pubkey_t *)(const void *)((const uint8_t *)&self->as + first->offset);
}

/* --- packed statements --- */

void statement_pack (const uint8_t *body, size_t body_size, const uint8_t seal[SEAL_BYTES], buffer_t *out)
{
    assert (seal != NULL);
    buffer_append (out, body, body_size);
    buffer_append (out, seal, SEAL_BYTES);
}

int statement_unpack (bytes_t packed, statement_t *statement)
{
    memset (statement, 0, sizeof *statement);
    if (packed.size < SEAL_BYTES + 2) /* a body has two bytes at least: an array and its kind */
        return ERROR_MALFORMED;
    statement->body = packed.data;
    statement->body_size = packed.size - SEAL_BYTES;
    memcpy (statement->seal, packed.data + statement->body_size, SEAL_BYTES);
    return 0;
}

int statement_open (bytes_t packed, unsigned kind, message_t *message, pubkey_t *author, problem_t *problem)
{
    statement_t statement;
    memset (message, 0, sizeof *message);
    if (statement_unpack (packed, &statement) != 0)
        return s_refuse (ERROR_MALFORMED, problem);
    if (statement.body_size > message_bytes_max (kind))
        return s_refuse (ERROR_BOUND, problem);
    if (statement_kind (statement.body, statement.body_size) != kind)
        return s_refuse (ERROR_KIND, problem);
    if (!statement_verify (statement.body, statement.body_size, statement.seal))
        return s_refuse (ERROR_SIGNATURE, problem);
    *author = statement_author (statement.seal);
    return message_decode (statement.body, statement.body_size, message, problem);
}
