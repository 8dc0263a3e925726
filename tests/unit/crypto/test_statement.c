/* SPDX-License-Identifier: MPL-2.0 */
#include "crypto/statement.h"
#include "tests/lib/suite.h"

#define LARGE_BYTES 131072

static const uint8_t s_body[] = {0x93, 0x07, 0xc4, 0x02, 0xaa, 0xbb, 0x2a};

static identity_t s_identity (uint8_t fill)
{
    uint8_t seed[SEED_BYTES];
    memset (seed, fill, sizeof seed);
    identity_t identity;
    identity_from_seed (seed, &identity);
    return identity;
}

/* Whoever writes a peer from the protocol's description signs exactly these bytes. */
START_TEST (test_signed_bytes_are_as_the_protocol_says)
{
    identity_t identity = s_identity (1);
    uint8_t seal[SEAL_BYTES], signed_bytes[64];
    statement_seal (&identity, s_body, sizeof s_body, seal);
    const char prefix[] = "evomesh/1 7 7 ";
    memcpy (signed_bytes, prefix, sizeof prefix - 1);
    memcpy (signed_bytes + sizeof prefix - 1, s_body, sizeof s_body);
    ck_assert (identity_verify (&identity.id, signed_bytes, sizeof prefix - 1 + sizeof s_body, seal));
    ck_assert_mem_eq (seal + SIGNATURE_BYTES, identity.id.bytes, PUBKEY_BYTES);
    pubkey_t author = statement_author (seal);
    ck_assert (pubkey_equal (&author, &identity.id));
}
END_TEST

START_TEST (test_statements_of_every_size_verify)
{
    identity_t identity = s_identity (1);
    uint8_t *body = calloc (1, LARGE_BYTES), seal[SEAL_BYTES];
    ck_assert_ptr_nonnull (body);
    memcpy (body, s_body, sizeof s_body);
    for (size_t size = 2; size <= LARGE_BYTES; size += size < 4200 ? 37 : 31717) {
        statement_seal (&identity, body, size, seal);
        ck_assert (statement_verify (body, size, seal));
        ck_assert (!statement_verify (body, size - 1, seal));
        body[size - 1] ^= 0x40;
        ck_assert (!statement_verify (body, size, seal));
        body[size - 1] ^= 0x40;
    }
    free (body);
}
END_TEST

START_TEST (test_each_flipped_bit_breaks_a_statement)
{
    identity_t identity = s_identity (1);
    uint8_t body[sizeof s_body], seal[SEAL_BYTES];
    memcpy (body, s_body, sizeof body);
    statement_seal (&identity, body, sizeof body, seal);
    for (size_t bit = 0; bit < sizeof body * 8; bit++) {
        body[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        ck_assert (!statement_verify (body, sizeof body, seal));
        body[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    for (size_t bit = 0; bit < SEAL_BYTES * 8; bit++) {
        seal[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        ck_assert (!statement_verify (body, sizeof body, seal));
        seal[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    ck_assert (statement_verify (body, sizeof body, seal));
}
END_TEST

START_TEST (test_a_seal_holds_for_no_other_kind)
{
    identity_t identity = s_identity (1);
    uint8_t body[sizeof s_body], seal[SEAL_BYTES];
    memcpy (body, s_body, sizeof body);
    statement_seal (&identity, body, sizeof body, seal);
    for (unsigned kind = 0; kind < 256; kind++) {
        body[1] = (uint8_t)kind;
        ck_assert_int_eq (statement_verify (body, sizeof body, seal), kind == s_body[1]);
    }
}
END_TEST

START_TEST (test_a_truncated_or_lengthened_body_fails)
{
    identity_t identity = s_identity (1);
    uint8_t body[sizeof s_body + 8] = {0}, seal[SEAL_BYTES];
    memcpy (body, s_body, sizeof s_body);
    statement_seal (&identity, body, sizeof s_body, seal);
    for (size_t size = 0; size <= sizeof body; size++)
        ck_assert_int_eq (statement_verify (body, size, seal), size == sizeof s_body);
}
END_TEST

START_TEST (test_another_author_can_not_take_over_a_seal)
{
    identity_t mine = s_identity (1), other = s_identity (2);
    uint8_t seal[SEAL_BYTES];
    statement_seal (&mine, s_body, sizeof s_body, seal);
    memcpy (seal + SIGNATURE_BYTES, other.id.bytes, PUBKEY_BYTES);
    ck_assert (!statement_verify (s_body, sizeof s_body, seal));
}
END_TEST

START_TEST (test_only_a_fixarray_with_a_small_positive_first_element_has_a_kind)
{
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            uint8_t body[] = {(uint8_t)first, (uint8_t)second};
            bool is_statement = first >= 0x91 && first <= 0x9f && second >= 1 && second <= 127;
            ck_assert_uint_eq (statement_kind (body, 2), is_statement ? second : 0);
            ck_assert_uint_eq (statement_kind (body, 1), 0);
        }
    }
    ck_assert_uint_eq (statement_kind (NULL, 0), 0);
}
END_TEST

START_TEST (test_the_id_covers_body_and_seal)
{
    identity_t mine = s_identity (1), other = s_identity (2);
    uint8_t a[SEAL_BYTES], b[SEAL_BYTES], whole[sizeof s_body + SEAL_BYTES];
    statement_seal (&mine, s_body, sizeof s_body, a);
    statement_seal (&other, s_body, sizeof s_body, b);
    digest_t id_a = statement_id (s_body, sizeof s_body, a), id_b = statement_id (s_body, sizeof s_body, b);
    ck_assert (!digest_equal (&id_a, &id_b));
    memcpy (whole, s_body, sizeof s_body);
    memcpy (whole + sizeof s_body, a, SEAL_BYTES);
    digest_t expected = digest_of (whole, sizeof whole);
    ck_assert (digest_equal (&id_a, &expected));
}
END_TEST

SUITE_MAIN ("crypto/statement", test_signed_bytes_are_as_the_protocol_says,
            test_statements_of_every_size_verify, test_each_flipped_bit_breaks_a_statement,
            test_a_seal_holds_for_no_other_kind, test_a_truncated_or_lengthened_body_fails,
            test_another_author_can_not_take_over_a_seal,
            test_only_a_fixarray_with_a_small_positive_first_element_has_a_kind,
            test_the_id_covers_body_and_seal)
