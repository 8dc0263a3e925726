/* SPDX-License-Identifier: MPL-2.0 */
#include "crypto/keyfile.h"
#include "tests/lib/suite.h"

static const uint8_t s_salt[KEYFILE_SALT_BYTES] = {1, 2, 3}, s_nonce[KEYFILE_NONCE_BYTES] = {4, 5, 6};

static keys_t s_keys (void)
{
    keys_t keys;
    memset (keys.identity_seed, 0x11, SEED_BYTES);
    memset (keys.curve_seed, 0x22, SEED_BYTES);
    return keys;
}

static void s_expect_zeroed (const keys_t *keys)
{
    keys_t none;
    memset (&none, 0, sizeof none);
    ck_assert_mem_eq (keys, &none, sizeof none);
}

static bool s_contains (const uint8_t *data, size_t size, const uint8_t *part, size_t part_size)
{
    for (size_t i = 0; i + part_size <= size; i++)
        if (memcmp (data + i, part, part_size) == 0)
            return true;
    return false;
}

START_TEST (test_plain_keys_come_back)
{
    keys_t keys = s_keys (), back;
    uint8_t file[KEYFILE_BYTES_MAX];
    size_t size = 0;
    ck_assert_int_eq (keyfile_encode (&keys, NULL, s_salt, s_nonce, file, &size), KEYFILE_OK);
    ck_assert (!keyfile_is_locked (file, size));
    ck_assert_int_eq (keyfile_decode (file, size, NULL, &back), KEYFILE_OK);
    ck_assert_mem_eq (&keys, &back, sizeof keys);
}
END_TEST

START_TEST (test_locked_keys_open_with_their_passphrase_only)
{
    keys_t keys = s_keys (), back;
    uint8_t file[KEYFILE_BYTES_MAX];
    size_t size = 0;
    ck_assert_int_eq (keyfile_encode (&keys, "correct horse", s_salt, s_nonce, file, &size), KEYFILE_OK);
    ck_assert (keyfile_is_locked (file, size));
    ck_assert (!s_contains (file, size, keys.identity_seed, 8));
    ck_assert_int_eq (keyfile_decode (file, size, "correct horse", &back), KEYFILE_OK);
    ck_assert_mem_eq (&keys, &back, sizeof keys);
    ck_assert_int_eq (keyfile_decode (file, size, "correct hors", &back), KEYFILE_WRONG_PASSPHRASE);
    s_expect_zeroed (&back);
    back = keys;
    ck_assert_int_eq (keyfile_decode (file, size, NULL, &back), KEYFILE_NEEDS_PASSPHRASE);
    s_expect_zeroed (&back);
}
END_TEST

START_TEST (test_a_changed_locked_file_does_not_open)
{
    keys_t keys = s_keys (), back;
    uint8_t file[KEYFILE_BYTES_MAX];
    size_t size = 0;
    ck_assert_int_eq (keyfile_encode (&keys, "p", s_salt, s_nonce, file, &size), KEYFILE_OK);
    static const size_t places[] = {20, 40, 60, 100}; /* salt, nonce, tag, keys */
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        file[places[i]] ^= 1;
        ck_assert_int_eq (keyfile_decode (file, size, "p", &back), KEYFILE_WRONG_PASSPHRASE);
        s_expect_zeroed (&back);
        file[places[i]] ^= 1;
    }
}
END_TEST

START_TEST (test_each_flipped_bit_of_a_plain_file_is_noticed)
{
    keys_t keys = s_keys (), back;
    uint8_t file[KEYFILE_BYTES_MAX];
    size_t size = 0;
    ck_assert_int_eq (keyfile_encode (&keys, NULL, s_salt, s_nonce, file, &size), KEYFILE_OK);
    for (size_t bit = 0; bit < size * 8; bit++) {
        file[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        ck_assert_int_ne (keyfile_decode (file, size, NULL, &back), KEYFILE_OK);
        s_expect_zeroed (&back);
        file[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
}
END_TEST

START_TEST (test_a_file_of_any_other_length_is_malformed)
{
    keys_t keys = s_keys (), back;
    for (int locked = 0; locked < 2; locked++) {
        uint8_t file[KEYFILE_BYTES_MAX + 1] = {0};
        size_t size = 0;
        ck_assert_int_eq (keyfile_encode (&keys, locked ? "p" : NULL, s_salt, s_nonce, file, &size),
                          KEYFILE_OK);
        for (size_t cut = 0; cut <= size + 1; cut++)
            if (cut != size)
                ck_assert_int_eq (keyfile_decode (file, cut, "p", &back), KEYFILE_MALFORMED);
    }
}
END_TEST

START_TEST (test_a_later_format_is_told_apart_from_garbage)
{
    keys_t keys = s_keys (), back;
    uint8_t file[KEYFILE_BYTES_MAX];
    size_t size = 0;
    ck_assert_int_eq (keyfile_encode (&keys, NULL, s_salt, s_nonce, file, &size), KEYFILE_OK);
    file[8] = 2;
    ck_assert_int_eq (keyfile_decode (file, size, NULL, &back), KEYFILE_VERSION);
    file[0] = 'X';
    ck_assert_int_eq (keyfile_decode (file, size, NULL, &back), KEYFILE_MALFORMED);
}
END_TEST

/* A file from elsewhere must not take all memory or hours before it is refused. */
START_TEST (test_costs_beyond_the_bounds_are_malformed)
{
    keys_t keys = s_keys (), back;
    uint8_t file[KEYFILE_BYTES_MAX], changed[KEYFILE_BYTES_MAX];
    size_t size = 0;
    ck_assert_int_eq (keyfile_encode (&keys, "p", s_salt, s_nonce, file, &size), KEYFILE_OK);
    memcpy (changed, file, size);
    memset (changed + 10, 0xff, 4);
    ck_assert_int_eq (keyfile_decode (changed, size, "p", &back), KEYFILE_MALFORMED);
    memcpy (changed, file, size);
    memset (changed + 14, 0xff, 4);
    ck_assert_int_eq (keyfile_decode (changed, size, "p", &back), KEYFILE_MALFORMED);
    memset (changed + 14, 0, 4);
    ck_assert_int_eq (keyfile_decode (changed, size, "p", &back), KEYFILE_MALFORMED);
}
END_TEST

SUITE_MAIN ("crypto/keyfile", test_plain_keys_come_back, test_locked_keys_open_with_their_passphrase_only,
            test_a_changed_locked_file_does_not_open, test_each_flipped_bit_of_a_plain_file_is_noticed,
            test_a_file_of_any_other_length_is_malformed, test_a_later_format_is_told_apart_from_garbage,
            test_costs_beyond_the_bounds_are_malformed)
