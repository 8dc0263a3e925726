/* SPDX-License-Identifier: MPL-2.0 */
#include "protocol/message.h"
#include "protocol/wire.h"
#include "tests/lib/sample.h"
#include "tests/lib/suite.h"

#include <ctype.h>

/* Decodes a copy that ends where the body ends; the sanitizer sees a step beyond and a leak. */
static int s_decode (const uint8_t *body, size_t size)
{
    uint8_t *copy = malloc (size + (size == 0));
    ck_assert_ptr_nonnull (copy);
    memcpy (copy, body, size);
    message_t message;
    int error = message_decode (copy, size, &message, NULL);
    if (error == 0)
        message_clear (&message);
    free (copy);
    return error;
}

START_TEST (test_every_kind_round_trips_byte_for_byte)
{
    for (size_t i = 0; message_info_at (i) != NULL; i++) {
        for (sample_t sample = SAMPLE_LEAST; sample <= SAMPLE_TYPICAL; sample++) {
            unsigned kind = message_info_at (i)->kind;
            head_t head = sample_head (kind);
            buffer_t body = sample_body (kind, sample), again = {0};
            message_t message;
            ck_assert_int_eq (message_decode (body.data, body.size, &message, NULL), 0);
            ck_assert_uint_eq (message.head.kind, kind);
            ck_assert (digest_equal (&message.head.group, &head.group));
            ck_assert (message.head.epoch == head.epoch && message.head.seq == head.seq);
            ck_assert_uint_eq (message.head.time_ms, head.time_ms);
            message_encode (&message.head, &message.as, &again);
            ck_assert_uint_eq (body.size, again.size);
            ck_assert_mem_eq (body.data, again.data, again.size);
            message_clear (&message);
            buffer_clear (&body);
            buffer_clear (&again);
        }
    }
}
END_TEST

/* crypto/statement.h signs a kind that stands at byte 1, so it must stand there however many fields a message has. */
START_TEST (test_the_kind_stands_at_byte_one_of_every_body)
{
    for (size_t i = 0; message_info_at (i) != NULL; i++) {
        unsigned kind = message_info_at (i)->kind;
        buffer_t body = sample_body (kind, SAMPLE_TYPICAL);
        ck_assert_uint_eq (body.data[0], 0x96);
        ck_assert_uint_eq (statement_kind (body.data, body.size), kind);
        buffer_clear (&body);
    }
}
END_TEST

START_TEST (test_the_catalogue_is_in_order_and_names_each_kind_once)
{
    unsigned before = 0;
    size_t count = 0;
    for (const message_info_t *info; (info = message_info_at (count)) != NULL; count++) {
        ck_assert_uint_gt (info->kind, before);
        ck_assert_uint_le (info->kind, 127);
        ck_assert_ptr_eq (message_info (info->kind), info);
        ck_assert ((info->class == CLASS_SIGNED) == (info->way == WAY_NONE));
        for (const char *c = info->name; *c != '\0'; c++)
            ck_assert (isupper ((unsigned char)*c) || *c == '_');
        before = info->kind;
    }
    ck_assert_uint_ge (count, 28);
    for (unsigned kind = 0; kind < 300; kind++)
        ck_assert (message_info (kind) == NULL || message_info (kind)->kind == kind);
    ck_assert_ptr_null (message_info (0));
    ck_assert_ptr_null (message_info (127));
}
END_TEST

START_TEST (test_a_body_cut_at_any_byte_is_refused)
{
    for (size_t i = 0; message_info_at (i) != NULL; i++) {
        buffer_t body = sample_body (message_info_at (i)->kind, SAMPLE_TYPICAL);
        for (size_t size = 0; size < body.size; size++)
            ck_assert_int_ne (s_decode (body.data, size), 0);
        buffer_append (&body, "", 1);
        ck_assert_int_eq (s_decode (body.data, body.size), ERROR_MALFORMED);
        buffer_clear (&body);
    }
}
END_TEST

/* Opens a packed statement of which one bit is wrong. */
static bool s_opens (const buffer_t *packed, unsigned kind)
{
    message_t message;
    pubkey_t author;
    bool opens = statement_open (bytes_of (packed->data, packed->size), kind, &message, &author, NULL) == 0;
    if (opens)
        message_clear (&message);
    return opens;
}

START_TEST (test_each_flipped_bit_of_a_sealed_statement_of_any_kind_is_found)
{
    identity_t author = sample_identity (1);
    for (size_t i = 0; message_info_at (i) != NULL; i++) {
        unsigned kind = message_info_at (i)->kind;
        buffer_t packed = sample_body (kind, SAMPLE_LEAST);
        uint8_t seal[SEAL_BYTES];
        statement_seal (&author, packed.data, packed.size, seal);
        buffer_append (&packed, seal, sizeof seal);
        ck_assert (s_opens (&packed, kind));
        for (size_t bit = 0; bit < packed.size * 8; bit++) {
            packed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            ck_assert (!s_opens (&packed, kind));
            packed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        buffer_clear (&packed);
    }
}
END_TEST

/* A signature only says who wrote a body; a member can sign nonsense. What decodes must then encode to the same bytes. */
START_TEST (test_each_flipped_bit_of_a_body_is_refused_or_read_as_it_stands)
{
    for (size_t i = 0; message_info_at (i) != NULL; i++) {
        buffer_t body = sample_body (message_info_at (i)->kind, SAMPLE_TYPICAL);
        for (size_t bit = 0; bit < body.size * 8; bit++) {
            message_t message;
            buffer_t again = {0};
            body.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (message_decode (body.data, body.size, &message, NULL) == 0) {
                message_encode (&message.head, &message.as, &again);
                ck_assert_uint_eq (again.size, body.size);
                ck_assert_mem_eq (again.data, body.data, body.size);
                message_clear (&message);
                buffer_clear (&again);
            }
            body.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        buffer_clear (&body);
    }
}
END_TEST

START_TEST (test_an_unknown_kind_is_told_from_a_malformed_body)
{
    buffer_t body = sample_body (MESSAGE_PING, SAMPLE_TYPICAL);
    body.data[1] = 0x7f;
    head_t head;
    ck_assert_int_eq (s_decode (body.data, body.size), ERROR_KIND);
    ck_assert_int_eq (message_head (body.data, body.size, &head), ERROR_KIND);
    body.data[1] = 0;
    ck_assert_int_eq (s_decode (body.data, body.size), ERROR_KIND);
    body.data[1] = MESSAGE_PONG; /* has one field more */
    problem_t problem;
    message_t message;
    ck_assert_int_eq (message_decode (body.data, body.size, &message, &problem), ERROR_MALFORMED);
    ck_assert_str_eq (problem.text, "PONG: found an array of 1, expected an array of 2");
    buffer_clear (&body);
}
END_TEST

START_TEST (test_the_head_can_be_read_alone)
{
    buffer_t body = sample_body (MESSAGE_EVENT, SAMPLE_TYPICAL);
    head_t head, expected = sample_head (MESSAGE_EVENT);
    ck_assert_int_eq (message_head (body.data, body.size, &head), 0);
    ck_assert (head.kind == expected.kind && head.epoch == expected.epoch && head.seq == expected.seq);
    ck_assert (head.time_ms == expected.time_ms && digest_equal (&head.group, &expected.group));
    for (size_t size = 0; size < 50; size++)
        ck_assert_int_eq (message_head (body.data, size, &head), size <= 50 ? ERROR_MALFORMED : 0);
    ck_assert_uint_eq (head.kind, 0);
    buffer_clear (&body);
}
END_TEST

/* A body of exactly `size` bytes: a PULLED, or a PACKAGE, whose blobs fill it up. */
static buffer_t s_body_of_size (unsigned kind, size_t size)
{
    arena_t arena = {0};
    message_t message = {.head = sample_head (kind)};
    blob_t blobs[8] = {{{0}}};
    buffer_t body = {0};
    uint8_t *filling = calloc (1, LIMIT_STATEMENT_BYTES);
    ck_assert_ptr_nonnull (filling);
    for (size_t i = 0; i < 8; i++)
        blobs[i].bytes = bytes_of (filling, size / 8 - 100);
    for (int round = 0; round < 3; round++) { /* each adds what the one before was short of */
        if (kind == MESSAGE_PULLED)
            message.as.pulled.statements.items = blobs, message.as.pulled.statements.count = 8;
        else
            message.as.package.evidence.items = blobs, message.as.package.evidence.count = 8;
        buffer_clear (&body);
        message_encode (&message.head, &message.as, &body);
        blobs[7].bytes.size += size - body.size;
    }
    ck_assert_uint_eq (body.size, size);
    free (filling);
    arena_clear (&arena);
    return body;
}

START_TEST (test_bodies_end_at_the_bound_of_their_kind)
{
    static const unsigned kinds[] = {MESSAGE_PULLED, MESSAGE_PACKAGE};
    for (size_t i = 0; i < 2; i++) {
        size_t most = message_bytes_max (kinds[i]);
        ck_assert_uint_eq (most, i == 0 ? LIMIT_STATEMENT_BYTES : LIMIT_PACKAGE_BYTES);
        buffer_t largest = s_body_of_size (kinds[i], most), larger = s_body_of_size (kinds[i], most + 1);
        ck_assert_int_eq (s_decode (largest.data, largest.size), 0);
        ck_assert_int_eq (s_decode (larger.data, larger.size), ERROR_BOUND);
        buffer_clear (&largest);
        buffer_clear (&larger);
    }
}
END_TEST

START_TEST (test_the_addressee_is_the_field_to_and_only_that)
{
    for (size_t i = 0; message_info_at (i) != NULL; i++) {
        const message_info_t *info = message_info_at (i);
        buffer_t body = sample_body (info->kind, SAMPLE_TYPICAL);
        message_t message;
        ck_assert_int_eq (message_decode (body.data, body.size, &message, NULL), 0);
        const pubkey_t *to = message_to (&message);
        ck_assert_msg ((to != NULL) == (info->way == WAY_RPC), "%s",
                       info->name); /* every request names its addressee */
        if (to != NULL) {
            ck_assert_ptr_eq (to, &message.as.ping.to);
            ck_assert_uint_eq (to->bytes[0], 2); /* the sample's first field */
        }
        message_clear (&message);
        buffer_clear (&body);
    }
}
END_TEST

START_TEST (test_sealing_covers_what_was_appended)
{
    identity_t author = sample_identity (1);
    head_t head = sample_head (MESSAGE_PING);
    ping_t ping = {sample_identity (2).id};
    buffer_t body = {0};
    uint8_t seal[SEAL_BYTES];
    buffer_append (&body, "before", 6);
    message_seal (&author, &head, &ping, &body, seal);
    ck_assert (statement_verify (body.data + 6, body.size - 6, seal));
    pubkey_t signer = statement_author (seal);
    ck_assert (pubkey_equal (&signer, &author.id));
    buffer_clear (&body);
}
END_TEST

START_TEST (test_a_packed_statement_opens_as_its_own_kind_only)
{
    identity_t identity = sample_identity (1);
    head_t head = sample_head (MESSAGE_PING);
    ping_t ping = {sample_identity (2).id};
    buffer_t body = {0}, packed = {0};
    uint8_t seal[SEAL_BYTES];
    message_t message;
    pubkey_t author;
    statement_t statement;
    message_seal (&identity, &head, &ping, &body, seal);
    statement_pack (body.data, body.size, seal, &packed);
    bytes_t whole = bytes_of (packed.data, packed.size);
    ck_assert_int_eq (statement_unpack (whole, &statement), 0);
    ck_assert (statement.body == packed.data && statement.body_size == body.size);
    ck_assert_mem_eq (statement.seal, seal, SEAL_BYTES);
    ck_assert_int_eq (statement_open (whole, MESSAGE_PONG, &message, &author, NULL), ERROR_KIND);
    ck_assert_int_eq (statement_open (whole, MESSAGE_PING, &message, &author, NULL), 0);
    ck_assert (pubkey_equal (&author, &identity.id) && pubkey_equal (&message.as.ping.to, &ping.to));
    message_clear (&message);
    packed.data[10] ^= 1;
    ck_assert_int_eq (statement_open (whole, MESSAGE_PING, &message, &author, NULL), ERROR_SIGNATURE);
    for (size_t size = 0; size < SEAL_BYTES + 2; size++)
        ck_assert_int_eq (
            statement_open (bytes_of (packed.data, size), MESSAGE_PING, &message, &author, NULL),
            ERROR_MALFORMED);
    buffer_clear (&body);
    buffer_clear (&packed);
}
END_TEST

START_TEST (test_a_signed_body_that_is_no_message_is_refused)
{
    identity_t identity = sample_identity (1);
    static const uint8_t body[] = {0x92, MESSAGE_PING, 0xc0};
    uint8_t seal[SEAL_BYTES];
    buffer_t packed = {0};
    message_t message;
    pubkey_t author;
    problem_t problem;
    statement_seal (&identity, body, sizeof body, seal);
    statement_pack (body, sizeof body, seal, &packed);
    ck_assert_int_eq (
        statement_open (bytes_of (packed.data, packed.size), MESSAGE_PING, &message, &author, &problem),
        ERROR_MALFORMED);
    ck_assert_str_eq (problem.text, "bytes are not well-formed");
    buffer_clear (&packed);
}
END_TEST

SUITE_MAIN ("protocol/message", test_every_kind_round_trips_byte_for_byte,
            test_the_kind_stands_at_byte_one_of_every_body,
            test_the_catalogue_is_in_order_and_names_each_kind_once, test_a_body_cut_at_any_byte_is_refused,
            test_each_flipped_bit_of_a_sealed_statement_of_any_kind_is_found,
            test_each_flipped_bit_of_a_body_is_refused_or_read_as_it_stands,
            test_an_unknown_kind_is_told_from_a_malformed_body, test_the_head_can_be_read_alone,
            test_bodies_end_at_the_bound_of_their_kind, test_the_addressee_is_the_field_to_and_only_that,
            test_sealing_covers_what_was_appended, test_a_packed_statement_opens_as_its_own_kind_only,
            test_a_signed_body_that_is_no_message_is_refused)
