/* SPDX-License-Identifier: MPL-2.0 */
#include "crypto/identity.h"
#include "tests/lib/suite.h"

#include <zmq.h>

static identity_t s_identity (uint8_t fill)
{
    uint8_t seed[SEED_BYTES];
    memset (seed, fill, sizeof seed);
    identity_t identity;
    identity_from_seed (seed, &identity);
    return identity;
}

/* RFC 8032, section 7.1: tests 1 and 3. */
START_TEST (test_signatures_are_those_of_rfc8032)
{
    static const char *const vectors[][4] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
         "d25bf5f0595bbe24655141438e7a100b"},
        {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
         "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
         "4a7c15e9716ed28dc027beceea1ec40a"}};
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        uint8_t seed[SEED_BYTES], message[2], signature[SIGNATURE_BYTES];
        identity_t identity;
        suite_unhex (vectors[i][0], seed);
        size_t size = suite_unhex (vectors[i][2], message);
        identity_from_seed (seed, &identity);
        suite_expect_hex (identity.id.bytes, PUBKEY_BYTES, vectors[i][1]);
        identity_sign (&identity, message, size, signature);
        suite_expect_hex (signature, SIGNATURE_BYTES, vectors[i][3]);
        ck_assert (identity_verify (&identity.id, message, size, signature));
    }
}
END_TEST

START_TEST (test_each_flipped_bit_breaks_a_signature)
{
    identity_t identity = s_identity (1);
    uint8_t message[] = {1, 2, 3}, signature[SIGNATURE_BYTES];
    identity_sign (&identity, message, sizeof message, signature);
    for (size_t bit = 0; bit < SIGNATURE_BYTES * 8; bit++) {
        signature[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        ck_assert (!identity_verify (&identity.id, message, sizeof message, signature));
        signature[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    for (size_t bit = 0; bit < sizeof message * 8; bit++) {
        message[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        ck_assert (!identity_verify (&identity.id, message, sizeof message, signature));
        message[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    ck_assert (identity_verify (&identity.id, message, sizeof message, signature));
}
END_TEST

START_TEST (test_another_key_does_not_verify)
{
    identity_t mine = s_identity (1), other = s_identity (2);
    uint8_t signature[SIGNATURE_BYTES];
    identity_sign (&mine, "hello", 5, signature);
    ck_assert (!identity_verify (&other.id, "hello", 5, signature));
    ck_assert (!identity_verify (&mine.id, "hello", 4, signature));
}
END_TEST

/* A key of small order would accept one signature for any message. */
START_TEST (test_keys_of_small_order_verify_nothing)
{
    uint8_t signature[SIGNATURE_BYTES] = {1};
    pubkey_t zero = {{0}}, one = {{1}};
    ck_assert (!identity_verify (&zero, "x", 1, signature));
    ck_assert (!identity_verify (&one, "x", 1, signature));
}
END_TEST

START_TEST (test_link_keys_are_those_that_zeromq_makes)
{
    uint8_t seed[SEED_BYTES];
    for (unsigned i = 0; i < SEED_BYTES; i++)
        seed[i] = (uint8_t)(200 + i * 7);
    curve_t curve;
    curve_from_seed (seed, &curve);
    char secret[CURVE_TEXT_BYTES], expected[CURVE_TEXT_BYTES], text[CURVE_TEXT_BYTES];
    ck_assert_ptr_nonnull (zmq_z85_encode (secret, curve.secret, sizeof curve.secret));
    ck_assert_int_eq (zmq_curve_public (expected, secret), 0);
    ck_assert_ptr_nonnull (zmq_z85_encode (text, curve.public_key.bytes, PUBKEY_BYTES));
    ck_assert_str_eq (text, expected);
}
END_TEST

START_TEST (test_wiping_leaves_no_key)
{
    identity_t identity = s_identity (3), no_identity;
    curve_t curve, no_curve;
    uint8_t seed[SEED_BYTES] = {3};
    curve_from_seed (seed, &curve);
    memset (&no_identity, 0, sizeof no_identity);
    memset (&no_curve, 0, sizeof no_curve);
    identity_wipe (&identity);
    curve_wipe (&curve);
    ck_assert_mem_eq (&identity, &no_identity, sizeof identity);
    ck_assert_mem_eq (&curve, &no_curve, sizeof curve);
}
END_TEST

START_TEST (test_a_tag_is_of_one_identity_one_purpose_and_these_bytes)
{
    identity_t identity = s_identity (1), other = s_identity (2);
    digest_t tag = identity_tag (&identity, "one", "abc", 3);
    digest_t same = identity_tag (&identity, "one", "abc", 3);
    ck_assert (digest_equal (&tag, &same));
    const digest_t others[] = {
        identity_tag (&other, "one", "abc", 3),    identity_tag (&identity, "two", "abc", 3),
        identity_tag (&identity, "one", "abd", 3), identity_tag (&identity, "one", "ab", 2),
        identity_tag (&identity, "one", NULL, 0),  digest_of ("abc", 3)};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert (!digest_equal (&tag, &others[i]));
}
END_TEST

START_TEST (test_keys_are_shown_and_read_as_digests_are)
{
    identity_t identity = s_identity (4);
    pubkey_t back;
    char text[DIGEST_TEXT_BYTES], shortened[DIGEST_SHORT_BYTES];
    pubkey_text (&identity.id, text);
    pubkey_short (&identity.id, shortened);
    ck_assert_mem_eq (text, shortened, DIGEST_SHORT_BYTES - 1);
    ck_assert_int_eq (pubkey_parse (text, &back), 0);
    ck_assert (pubkey_equal (&back, &identity.id));
    ck_assert_int_eq (pubkey_compare (&back, &identity.id), 0);
    ck_assert (!pubkey_is_zero (&back));
    ck_assert_int_eq (pubkey_parse (shortened, &back), -1);
}
END_TEST

SUITE_MAIN ("crypto/identity", test_signatures_are_those_of_rfc8032, test_each_flipped_bit_breaks_a_signature,
            test_another_key_does_not_verify, test_keys_of_small_order_verify_nothing,
            test_link_keys_are_those_that_zeromq_makes, test_wiping_leaves_no_key,
            test_a_tag_is_of_one_identity_one_purpose_and_these_bytes,
            test_keys_are_shown_and_read_as_digests_are)
