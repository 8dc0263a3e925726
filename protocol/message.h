/* SPDX-License-Identifier: MPL-2.0 */
/* Messages: the catalogue as C types, and their bodies as bytes. */
#ifndef EVOMESH_PROTOCOL_MESSAGE_H
#define EVOMESH_PROTOCOL_MESSAGE_H

#include "crypto/statement.h"
#include "protocol/record.h"
#include "protocol/messages.def"

#define PART_STRUCT(name, FIELDS) RECORD_STRUCT (name, FIELDS);
PARTS (PART_STRUCT)
#undef PART_STRUCT

RECORD_STRUCT (charter, CHARTER_FIELDS);
RECORD_STRUCT (roster, ROSTER_FIELDS);
RECORD_STRUCT (package, PACKAGE_FIELDS);
RECORD_STRUCT (presence, PRESENCE_FIELDS);
RECORD_STRUCT (event_message, EVENT_FIELDS);
RECORD_STRUCT (metrics_message, METRICS_FIELDS);
RECORD_STRUCT (knowledge, KNOWLEDGE_FIELDS);
RECORD_STRUCT (hello, HELLO_FIELDS);
RECORD_STRUCT (welcome, HELLO_FIELDS);
RECORD_STRUCT (feedback_request, FEEDBACK_REQUEST_FIELDS);
RECORD_STRUCT (feedback, FEEDBACK_FIELDS);
RECORD_STRUCT (validation_request, VALIDATION_REQUEST_FIELDS);
RECORD_STRUCT (validation_accepted, VALIDATION_ACCEPTED_FIELDS);
RECORD_STRUCT (validation_declined, VALIDATION_DECLINED_FIELDS);
RECORD_STRUCT (validation_result, VALIDATION_RESULT_FIELDS);
RECORD_STRUCT (knowledge_transfer, KNOWLEDGE_TRANSFER_FIELDS);
RECORD_STRUCT (transfer_result, TRANSFER_RESULT_FIELDS);
RECORD_STRUCT (fetch, FETCH_FIELDS);
RECORD_STRUCT (chunk, CHUNK_FIELDS);
RECORD_STRUCT (pull, PULL_FIELDS);
RECORD_STRUCT (pulled, PULLED_FIELDS);
RECORD_STRUCT (join_request, JOIN_REQUEST_FIELDS);
RECORD_STRUCT (membership, MEMBERSHIP_FIELDS);
RECORD_STRUCT (ping, PING_FIELDS);
RECORD_STRUCT (pong, PONG_FIELDS);
RECORD_STRUCT (refused, REFUSED_FIELDS);
RECORD_STRUCT (ack, ACK_FIELDS);
RECORD_STRUCT (leave, LEAVE_FIELDS);

typedef enum {
#define MESSAGE_KIND(number, NAME, name, class, way) MESSAGE_##NAME = (number),
    MESSAGES (MESSAGE_KIND)
#undef MESSAGE_KIND
} message_kind_t;

typedef enum { CLASS_LIVE, CLASS_DURABLE, CLASS_SIGNED } message_class_t;
typedef enum { WAY_NONE, WAY_PUB, WAY_RPC } message_way_t;

/* What stands first in every body. */
typedef struct {
    unsigned kind;
    digest_t group;
    uint64_t epoch;
    uint64_t seq;
    uint64_t time_ms; /* UTC */
} head_t;

/* A decoded message. Texts and bytes point into the body, lists into the arena: message_clear frees the arena. */
typedef struct {
    head_t head;
    union {
#define MESSAGE_MEMBER(number, NAME, name, class, way) struct name name;
        MESSAGES (MESSAGE_MEMBER)
#undef MESSAGE_MEMBER
    } as;
    arena_t arena;
} message_t;

/* What a kind is: NULL for a number that is none. */
typedef struct {
    unsigned kind;
    const char *name; /* "FEEDBACK" */
    message_class_t class;
    message_way_t way;
    const record_t *record;
} message_info_t;
const message_info_t *message_info (unsigned kind);
/* In order of the catalogue; NULL at the end. For docs and tests. */
const message_info_t *message_info_at (size_t index);

/* How long a body of that kind may be: LIMIT_STATEMENT_BYTES, for a PACKAGE (a content, never a frame)
 * LIMIT_PACKAGE_BYTES. */
size_t message_bytes_max (unsigned kind);

/* Appends the body of a message of head->kind whose fields stand in `fields` (e.g. a feedback_t), which keep their bounds (asserted). A
 * message with several long lists can pass message_bytes_max: who fills such lists stops in time. */
void message_encode (const head_t *head, const void *fields, buffer_t *body);

/* Encodes and signs: what is appended to `body` is what is sealed. If memory ran out, body->failed is set and the seal
 * is zero. */
void message_seal (const identity_t *identity, const head_t *head, const void *fields, buffer_t *body,
                   uint8_t seal[SEAL_BYTES]);

/* Reads a body, strictly, into `message`, whatever stood there. Returns 0, ERROR_KIND, ERROR_MALFORMED, ERROR_BOUND or
 * ERROR_MEMORY; on failure nothing is to be cleared, and `problem` (may be NULL) says which field is wrong. Does not look at
 * the seal. */
int message_decode (const uint8_t *body, size_t size, message_t *message, problem_t *problem);
void message_clear (message_t *self);

/* Reads only the head. 0, ERROR_MALFORMED or ERROR_KIND; then `head` is zero. */
int message_head (const uint8_t *body, size_t size, head_t *head);

/* The addressee, for kinds that have one; else NULL. */
const pubkey_t *message_to (const message_t *self);

/* --- packed statements: body and seal in one piece (seal last), as they stand inside others and in files --- */
void statement_pack (const uint8_t *body, size_t body_size, const uint8_t seal[SEAL_BYTES], buffer_t *out);
/* Splits; ERROR_MALFORMED if it is too short. The parts are borrowed. */
int statement_unpack (bytes_t packed, statement_t *statement);
/* Splits, verifies the signature, checks that it is of that kind, decodes. 0 or an error. */
int statement_open (bytes_t packed, unsigned kind, message_t *message, pubkey_t *author, problem_t *problem);

#endif
