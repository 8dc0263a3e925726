/* SPDX-License-Identifier: MPL-2.0 */
#include "crypto/digest.h"
#include "tests/lib/suite.h"

START_TEST (test_digest_is_blake2b_256)
{
    digest_t empty = digest_of (NULL, 0), abc = digest_of ("abc", 3);
    suite_expect_hex (empty.bytes, DIGEST_BYTES,
                      "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    suite_expect_hex (abc.bytes, DIGEST_BYTES,
                      "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}
END_TEST

START_TEST (test_two_pieces_count_as_one)
{
    const char text[] = "a text of some length, cut at every place";
    digest_t whole = digest_of (text, sizeof text);
    for (size_t cut = 0; cut <= sizeof text; cut++) {
        digest_t pieces = digest_of_two (text, cut, text + cut, sizeof text - cut);
        ck_assert (digest_equal (&whole, &pieces));
    }
}
END_TEST

START_TEST (test_every_bit_counts_in_equality_and_order)
{
    digest_t a = digest_of ("x", 1);
    for (size_t bit = 0; bit < DIGEST_BYTES * 8; bit++) {
        digest_t b = a;
        b.bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        ck_assert (!digest_equal (&a, &b));
        bool b_is_more = (b.bytes[bit / 8] & (1u << (bit % 8))) != 0;
        ck_assert_int_eq (digest_compare (&b, &a) > 0, b_is_more);
        ck_assert_int_eq (digest_compare (&a, &b) < 0, b_is_more);
    }
    ck_assert_int_eq (digest_compare (&a, &a), 0);
}
END_TEST

START_TEST (test_zero_means_none)
{
    digest_t digest = {{0}};
    ck_assert (digest_is_zero (&digest));
    digest.bytes[DIGEST_BYTES - 1] = 1;
    ck_assert (!digest_is_zero (&digest));
}
END_TEST

START_TEST (test_text_is_rfc4648_base32_and_comes_back)
{
    digest_t digest, back;
    char text[DIGEST_TEXT_BYTES], shortened[DIGEST_SHORT_BYTES];
    for (unsigned i = 0; i < DIGEST_BYTES; i++)
        digest.bytes[i] = (uint8_t)(i * 8 + 7);
    digest_text (&digest, text);
    /* python3: base64.b32encode (bytes (i * 8 + 7 & 255 for i in range (32))).decode ().rstrip ("=").lower () */
    ck_assert_str_eq (text, "a4hrohzhf43t6r2pk5pwo33xp6dy7f47u6x3pp6hz7l57z7p677q");
    digest_short (&digest, shortened);
    ck_assert_str_eq (shortened, "a4hrohzh");
    ck_assert_int_eq (digest_parse (text, &back), 0);
    ck_assert (digest_equal (&digest, &back));
    for (char *c = text; *c != '\0'; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    ck_assert_int_eq (digest_parse (text, &back), 0);
    ck_assert (digest_equal (&digest, &back));
}
END_TEST

START_TEST (test_text_that_is_no_digest_is_refused)
{
    digest_t digest = digest_of ("x", 1), back = {{42}}, untouched = back;
    char text[DIGEST_TEXT_BYTES + 1] = "", cut[DIGEST_TEXT_BYTES];
    digest_text (&digest, text);
    for (size_t length = 0; length < DIGEST_TEXT_BYTES - 1; length++) {
        memcpy (cut, text, length);
        cut[length] = '\0';
        ck_assert_int_eq (digest_parse (cut, &back), -1);
        memcpy (cut, text, sizeof cut);
        cut[length] = "01890 =-_"[length % 9];
        ck_assert_int_eq (digest_parse (cut, &back), -1);
    }
    text[DIGEST_TEXT_BYTES - 1] = 'a'; /* one character too many */
    ck_assert_int_eq (digest_parse (text, &back), -1);
    ck_assert (digest_equal (&back, &untouched));
}
END_TEST

START_TEST (test_a_digest_has_one_text_only)
{
    digest_t digest = {{0}}, back;
    char text[DIGEST_TEXT_BYTES];
    digest_text (&digest, text);
    unsigned accepted = 0;
    for (const char *last = "abcdefghijklmnopqrstuvwxyz234567"; *last != '\0'; last++) {
        text[DIGEST_TEXT_BYTES - 2] = *last;
        accepted += digest_parse (text, &back) == 0;
    }
    ck_assert_uint_eq (accepted, 2); /* the last character holds one bit */
}
END_TEST

SUITE_MAIN ("crypto/digest", test_digest_is_blake2b_256, test_two_pieces_count_as_one,
            test_every_bit_counts_in_equality_and_order, test_zero_means_none,
            test_text_is_rfc4648_base32_and_comes_back, test_text_that_is_no_digest_is_refused,
            test_a_digest_has_one_text_only)
