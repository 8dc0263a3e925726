/* SPDX-License-Identifier: MPL-2.0 */
#include "crypto/random.h"
#include "tests/lib/suite.h"

/* The key stream of ChaCha20 with key and nonce zero (draft-agl-tls-chacha20poly1305, and RFC 8439 A.1 #1). */
START_TEST (test_the_stream_is_chacha20)
{
    uint8_t seed[SEED_BYTES] = {0}, out[80];
    random_t random;
    random_init (&random, seed);
    random_bytes (&random, out, sizeof out);
    suite_expect_hex (out, sizeof out,
                      "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
                      "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"
                      "9f07e7be5551387a98ba977c732d080d");
}
END_TEST

START_TEST (test_a_stream_does_not_depend_on_how_it_is_cut)
{
    uint8_t whole[1000], pieces[1000];
    random_t random;
    random_init_number (&random, 1);
    random_bytes (&random, whole, sizeof whole);
    random_init_number (&random, 1);
    for (size_t at = 0, size = 0; at < sizeof pieces; at += size, size = (size + 13) % 131) {
        size_t take = size < sizeof pieces - at ? size : sizeof pieces - at;
        random_bytes (&random, pieces + at, take);
        size = take;
    }
    ck_assert_mem_eq (whole, pieces, sizeof whole);
}
END_TEST

/* The journal of a run is replayed with these numbers: they must never change. */
START_TEST (test_golden_numbers)
{
    random_t random;
    random_init_number (&random, 42);
    ck_assert_uint_eq (random_u64 (&random), UINT64_C (12148438474010316888));
    ck_assert_uint_eq (random_u64 (&random), UINT64_C (2510548018700959239));
    ck_assert_uint_eq (random_below (&random, 1000), 397);
    ck_assert (random_unit (&random) == 0x1.55f55d4c016a6p-2);
}
END_TEST

START_TEST (test_seeds_give_different_streams)
{
    random_t a, b;
    random_init_number (&a, 1);
    random_init_number (&b, 2);
    ck_assert_uint_ne (random_u64 (&a), random_u64 (&b));
}
END_TEST

START_TEST (test_below_covers_its_range_evenly)
{
    random_t random;
    random_init_number (&random, 7);
    unsigned counts[10] = {0};
    for (unsigned i = 0; i < 100000; i++) {
        uint64_t number = random_below (&random, 10);
        ck_assert_uint_lt (number, 10);
        counts[number]++;
    }
    for (unsigned i = 0; i < 10; i++) { /* six standard deviations of 95 */
        ck_assert_uint_gt (counts[i], 10000 - 570);
        ck_assert_uint_lt (counts[i], 10000 + 570);
    }
    ck_assert_uint_eq (random_below (&random, 1), 0);
}
END_TEST

/* With a bound of 3/4 of the range, plain modulo would give the lower third twice as often as the others. */
START_TEST (test_below_has_no_modulo_bias)
{
    random_t random;
    random_init_number (&random, 8);
    uint64_t bound = UINT64_C (3) << 62;
    unsigned low = 0;
    for (unsigned i = 0; i < 30000; i++)
        low += random_below (&random, bound) < bound / 3;
    ck_assert_uint_gt (low, 10000 - 500);
    ck_assert_uint_lt (low, 10000 + 500);
}
END_TEST

START_TEST (test_unit_lies_in_zero_to_one)
{
    random_t random;
    random_init_number (&random, 9);
    double sum = 0;
    for (unsigned i = 0; i < 10000; i++) {
        double number = random_unit (&random);
        ck_assert (number >= 0 && number < 1);
        sum += number;
    }
    ck_assert (sum > 4800 && sum < 5200);
}
END_TEST

SUITE_MAIN ("crypto/random", test_the_stream_is_chacha20, test_a_stream_does_not_depend_on_how_it_is_cut,
            test_golden_numbers, test_seeds_give_different_streams, test_below_covers_its_range_evenly,
            test_below_has_no_modulo_bias, test_unit_lies_in_zero_to_one)
