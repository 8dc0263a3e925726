/* SPDX-License-Identifier: MPL-2.0 */
#include "protocol/invite.h"
#include "protocol/wire.h"
#include "tests/lib/sample.h"
#include "tests/lib/suite.h"

#include <math.h>
#include <stdio.h>

/* One field of each type. */
#define BOOK_FIELDS(F, L, R) \
    F (R, TEXT, title, 8)    \
    F (R, UINT, pages, 1000)
#define SHELF_FIELDS(F, L, R) \
    F (R, UINT, number, 0)    \
    F (R, REAL, height, 0)    \
    F (R, NUMBER, price, 0)   \
    F (R, DIGEST, photo, 0)   \
    F (R, KEY, owner, 0)      \
    F (R, TEXT, note, 10)     \
    F (R, BYTES, blob, 4)     \
    L (R, book, books, 3)
RECORD_STRUCT (book, BOOK_FIELDS);
RECORD_STRUCT (shelf, SHELF_FIELDS);
RECORD_TABLE (book, BOOK_FIELDS);
RECORD_TABLE (shelf, SHELF_FIELDS);

static const book_t s_books[] = {{{"Dune", 4}, 412}, {{"Emma", 4}, 1000}};

static shelf_t s_shelf (void)
{
    shelf_t shelf = {.number = 7,
                     .height = 1.5,
                     .price = (double)NAN,
                     .note = text_of ("a \"note\"\n"),
                     .blob = {(const uint8_t *)"\x01\x02", 2},
                     .books = {s_books, 2}};
    memset (shelf.photo.bytes, 0xaa, sizeof shelf.photo.bytes);
    memset (shelf.owner.bytes, 0xbb, sizeof shelf.owner.bytes);
    return shelf;
}

/* Decodes a copy that ends where the bytes end. */
static int s_decode (const record_t *record, const uint8_t *data, size_t size, problem_t *problem)
{
    uint8_t *copy = malloc (size + (size == 0)), *value = malloc (record->size);
    ck_assert (copy != NULL && value != NULL);
    if (size > 0)
        memcpy (copy, data, size);
    arena_t arena = {0};
    int error = record_decode (record, copy, size, value, &arena, problem);
    bool is_zero = true;
    for (size_t i = 0; i < record->size; i++)
        is_zero = is_zero && value[i] == 0;
    ck_assert (error == 0 || is_zero);
    arena_clear (&arena);
    free (copy);
    free (value);
    return error;
}

/* Encodes `shelf`, puts `hex` in the place of `size` bytes at `at`, and expects the decoder to say so. */
static void s_expect_refusal (size_t at, size_t size, const char *hex, int error, const char *words)
{
    shelf_t shelf = s_shelf ();
    uint8_t piece[64];
    problem_t problem;
    buffer_t body = {0}, changed = {0};
    record_encode (&shelf_record, &shelf, &body);
    size_t piece_size = suite_unhex (hex, piece);
    ck_assert_uint_le (at + size, body.size);
    buffer_append (&changed, body.data, at);
    buffer_append (&changed, piece, piece_size);
    buffer_append (&changed, body.data + at + size, body.size - at - size);
    ck_assert_int_eq (s_decode (&shelf_record, changed.data, changed.size, &problem), error);
    ck_assert_str_eq (problem.text, words);
    ck_assert_int_eq (s_decode (&shelf_record, changed.data, changed.size, NULL), error);
    buffer_clear (&body);
    buffer_clear (&changed);
}

START_TEST (test_every_field_type_is_written_as_the_protocol_says)
{
    shelf_t shelf = s_shelf ();
    buffer_t body = {0};
    record_encode (&shelf_record, &shelf, &body);
    suite_expect_hex (body.data, body.size,
                      "9807cb3ff8000000000000c0"
                      "c420aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                      "c420bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
                      "a96120226e6f7465220a"
                      "c4020102"
                      "9292a444756e65cd019c92a4456d6d61cd03e8");
    buffer_clear (&body);
}
END_TEST

START_TEST (test_what_was_written_is_read_again)
{
    shelf_t shelf = s_shelf (), again;
    buffer_t body = {0};
    arena_t arena = {0};
    record_encode (&shelf_record, &shelf, &body);
    ck_assert_int_eq (record_decode (&shelf_record, body.data, body.size, &again, &arena, NULL), 0);
    ck_assert_uint_eq (again.number, 7);
    ck_assert (again.height == 1.5 && isnan (again.price));
    ck_assert (digest_equal (&again.photo, &shelf.photo) && pubkey_equal (&again.owner, &shelf.owner));
    ck_assert (text_equal (again.note, "a \"note\"\n"));
    ck_assert_uint_eq (again.blob.size, 2);
    ck_assert (again.blob.data > body.data &&
               again.blob.data < body.data + body.size); /* in place, not copied */
    ck_assert_uint_eq (again.books.count, 2);
    ck_assert (text_equal (again.books.items[1].title, "Emma"));
    ck_assert_uint_eq (again.books.items[0].pages, 412);
    arena_clear (&arena);
    buffer_clear (&body);
}
END_TEST

/* Where the fields of the shelf above start in its bytes. */
enum {
    AT_NUMBER = 1,
    AT_HEIGHT = 2,
    AT_PRICE = 11,
    AT_PHOTO = 12,
    AT_NOTE = 80,
    AT_BLOB = 90,
    AT_BOOKS = 94
};

START_TEST (test_a_refusal_names_field_finding_and_expectation)
{
    s_expect_refusal (0, 1, "97", ERROR_MALFORMED, "found an array of 7, expected an array of 8");
    s_expect_refusal (0, 1, "99", ERROR_MALFORMED, "found an array of 9, expected an array of 8");
    s_expect_refusal (AT_NUMBER, 1, "ff", ERROR_MALFORMED,
                      "number: found no value of this wire (0xff), expected a number");
    s_expect_refusal (AT_NUMBER, 1, "cc07", ERROR_MALFORMED,
                      "number: found no value of this wire (0xcc), expected a number");
    s_expect_refusal (AT_HEIGHT, 9, "02", ERROR_MALFORMED,
                      "height: found the number 2, expected a finite real (float 64)");
    s_expect_refusal (AT_HEIGHT, 9, "cb7ff8000000000000", ERROR_MALFORMED,
                      "height: found no value of this wire (0xcb), expected a finite real (float 64)");
    s_expect_refusal (AT_PRICE, 1, "a0", ERROR_MALFORMED,
                      "price: found a text of 0 bytes, expected a finite real (float 64) or nil");
    s_expect_refusal (AT_PHOTO, 2, "c41f", ERROR_MALFORMED, "photo: found 31 bytes, expected 32 bytes");
    s_expect_refusal (
        AT_NOTE + 1, 1, "1b", ERROR_MALFORMED,
        "note: found a text of 9 bytes, expected a text (UTF-8, no control characters) of bytes up to 10");
    s_expect_refusal (AT_BLOB, 4, "c4050102030405", ERROR_BOUND,
                      "blob: found 5 bytes, expected bytes up to 4");
    s_expect_refusal (AT_BOOKS, 1, "94", ERROR_BOUND, "books: found an array of 4, expected a list up to 3");
    s_expect_refusal (AT_BOOKS + 1, 1, "91", ERROR_MALFORMED,
                      "books: item 1: found an array of 1, expected an array of 2");
    s_expect_refusal (AT_BOOKS + 16, 3, "cd03e9", ERROR_BOUND,
                      "books: item 2: pages: found the number 1001, expected a number up to 1000");
}
END_TEST

START_TEST (test_bytes_behind_the_record_are_refused)
{
    shelf_t shelf = s_shelf ();
    problem_t problem;
    buffer_t body = {0};
    record_encode (&shelf_record, &shelf, &body);
    buffer_append (&body, "\0\0", 2);
    ck_assert_int_eq (s_decode (&shelf_record, body.data, body.size, &problem), ERROR_MALFORMED);
    ck_assert_str_eq (problem.text, "2 bytes too many");
    buffer_clear (&body);
}
END_TEST

/* A list that promises many items in few bytes is refused before anything is allocated for it. */
START_TEST (test_nothing_is_allocated_for_items_that_are_not_there)
{
    static const uint8_t promise[] = {0x91, 0xdc, 0x01, 0x00, 0xc0};
    static const field_t fields[] = {{"books", FIELD_LIST, 0, 256, &book_record}};
    const record_t record = {"promise", sizeof shelf_record, fields, 1};
    uint8_t value[sizeof shelf_record];
    arena_t arena = {0};
    ck_assert_int_eq (record_decode (&record, promise, sizeof promise, value, &arena, NULL), ERROR_MALFORMED);
    ck_assert_uint_eq (arena.total, 0);
    ck_assert_ptr_null (arena.blocks);
}
END_TEST

/* --- every record of the catalogue --- */

static void s_each_record (void (*check) (const record_t *))
{
#define PART_CHECK(name, FIELDS) check (&name##_record);
    PARTS (PART_CHECK)
#undef PART_CHECK
    check (&invite_record);
    for (size_t i = 0; message_info_at (i) != NULL; i++)
        check (message_info_at (i)->record);
}

static void s_check_round_trip (const record_t *record)
{
    for (sample_t sample = SAMPLE_LEAST; sample <= SAMPLE_MOST; sample++) {
        arena_t arena = {0};
        buffer_t first = {0}, second = {0};
        void *value = arena_alloc (&arena, record->size), *again = arena_alloc (&arena, record->size);
        problem_t problem = {""};
        sample_fill (record, sample, &arena, value);
        record_encode (record, value, &first);
        ck_assert_int_eq (wire_scan (first.data, first.size), 0);
        ck_assert_msg (record_decode (record, first.data, first.size, again, &arena, &problem) == 0, "%s: %s",
                       record->name, problem.text);
        record_encode (record, again, &second);
        ck_assert_uint_eq (first.size, second.size);
        ck_assert_mem_eq (first.data, second.data, first.size);
        buffer_clear (&first);
        buffer_clear (&second);
        arena_clear (&arena);
    }
}

START_TEST (test_every_record_round_trips_from_least_to_most)
{
    s_each_record (s_check_round_trip);
}
END_TEST

static void s_check_truncation (const record_t *record)
{
    arena_t arena = {0};
    buffer_t body = {0};
    void *value = arena_alloc (&arena, record->size);
    sample_fill (record, SAMPLE_TYPICAL, &arena, value);
    record_encode (record, value, &body);
    for (size_t size = 0; size < body.size; size++)
        ck_assert_int_eq (s_decode (record, body.data, size, NULL), ERROR_MALFORMED);
    ck_assert_int_eq (s_decode (record, body.data, body.size, NULL), 0);
    buffer_clear (&body);
    arena_clear (&arena);
}

START_TEST (test_every_record_cut_at_any_byte_is_refused)
{
    s_each_record (s_check_truncation);
}
END_TEST

/* Encodes a record whose i-th field holds one more than its bound, under a table that allows it. */
static void s_check_beyond (const record_t *record, size_t i)
{
    field_t fields[32];
    arena_t arena = {0};
    buffer_t body = {0};
    void *value = arena_alloc (&arena, record->size);
    ck_assert_uint_le (record->field_count, sizeof fields / sizeof fields[0]);
    memcpy (fields, record->fields, record->field_count * sizeof *fields);
    record_t lax = *record;
    lax.fields = fields;
    sample_fill (record, SAMPLE_TYPICAL, &arena, value);
    for (int beyond = 0; beyond <= 1; beyond++) {
        fields[i].bound = record->fields[i].bound + (uint64_t)beyond;
        field_t field = fields[i];
        const record_t one = {"one", record->size, &field, 1};
        uint8_t *part = arena_alloc (&arena, record->size);
        sample_fill (&one, SAMPLE_MOST, &arena, part);
        if (field.type == FIELD_BYTES) { /* the sample stops at 4096 */
            bytes_t bytes = {arena_alloc (&arena, (size_t)field.bound), (size_t)field.bound};
            memcpy (part + field.offset, &bytes, sizeof bytes);
        }
        size_t size = field.type == FIELD_UINT ? sizeof (uint64_t) : 2 * sizeof (size_t);
        memcpy ((uint8_t *)value + field.offset, part + field.offset, size);
        record_encode (&lax, value, &body);
        ck_assert_msg (s_decode (record, body.data, body.size, NULL) == (beyond ? ERROR_BOUND : 0), "%s.%s",
                       record->name, field.name);
        buffer_clear (&body);
    }
    arena_clear (&arena);
}

static void s_check_bounds (const record_t *record)
{
    for (size_t i = 0; i < record->field_count; i++) {
        field_type_t type = record->fields[i].type;
        bool has_size = type == FIELD_TEXT || type == FIELD_BYTES || type == FIELD_LIST;
        ck_assert_msg (!has_size || record->fields[i].bound > 0, "%s.%s", record->name,
                       record->fields[i].name);
        if (record->fields[i].bound > 0)
            s_check_beyond (record, i);
    }
}

START_TEST (test_every_field_ends_at_its_bound)
{
    s_each_record (s_check_bounds);
}
END_TEST

/* --- printing --- */

START_TEST (test_a_record_prints_as_json)
{
    shelf_t shelf = s_shelf ();
    buffer_t out = {0};
    char photo[DIGEST_TEXT_BYTES], owner[DIGEST_TEXT_BYTES], blob[DIGEST_TEXT_BYTES], expected[1024];
    digest_t digest = digest_of (shelf.blob.data, shelf.blob.size);
    digest_text (&shelf.photo, photo);
    pubkey_text (&shelf.owner, owner);
    digest_text (&digest, blob);
    snprintf (expected, sizeof expected,
              "{\"number\": 7, \"height\": 1.5, \"price\": null, \"photo\": \"%s\", \"owner\": \"%s\", "
              "\"note\": \"a \\\"note\\\"\\u000a\", \"blob\": {\"size\": 2, \"digest\": \"%s\"}, \"books\": "
              "[{\"title\": \"Dune\", \"pages\": 412}, {\"title\": \"Emma\", \"pages\": 1000}]}",
              photo, owner, blob);
    record_print_json (&shelf_record, &shelf, &out);
    ck_assert_uint_eq (out.size, strlen (expected));
    ck_assert_mem_eq (out.data, expected, out.size);
    buffer_clear (&out);
}
END_TEST

START_TEST (test_a_digest_or_key_that_is_none_prints_as_null)
{
    shelf_t shelf = s_shelf ();
    buffer_t out = {0};
    memset (&shelf.photo, 0, sizeof shelf.photo);
    memset (&shelf.owner, 0, sizeof shelf.owner);
    record_print_json (&shelf_record, &shelf, &out);
    buffer_append (&out, "", 1);
    ck_assert_ptr_nonnull (strstr ((const char *)out.data, "\"photo\": null, \"owner\": null, "));
    buffer_clear (&out);
}
END_TEST

/* --- what records are made of --- */

START_TEST (test_a_buffer_grows_and_keeps_what_it_holds)
{
    buffer_t buffer = {0};
    buffer_append (&buffer, NULL, 0);
    ck_assert_ptr_null (buffer.data);
    for (unsigned i = 0; i < 10000; i++) {
        uint8_t byte = (uint8_t)(i % 251);
        buffer_append (&buffer, &byte, 1);
    }
    ck_assert_uint_eq (buffer.size, 10000);
    for (unsigned i = 0; i < 10000; i++)
        ck_assert_uint_eq (buffer.data[i], i % 251);
    ck_assert (!buffer.failed);
    buffer_clear (&buffer);
    ck_assert (buffer.data == NULL && buffer.size == 0 && buffer.capacity == 0);
}
END_TEST

START_TEST (test_a_buffer_that_can_not_grow_says_so_and_keeps_what_it_holds)
{
    buffer_t buffer = {0};
    buffer_append (&buffer, "ab", 2);
    buffer_append (&buffer, "cd", SIZE_MAX / 2); /* refused before it is copied */
    ck_assert (buffer.failed);
    buffer_append (&buffer, "ef", 2);
    ck_assert_uint_eq (buffer.size, 2);
    buffer_clear (&buffer);
    ck_assert (!buffer.failed);
}
END_TEST

START_TEST (test_an_arena_gives_aligned_zeroed_pieces_that_do_not_overlap)
{
    arena_t arena = {0};
    uint8_t *pieces[200];
    for (size_t i = 0; i < 200; i++) {
        size_t size = i * 37 % 3000;
        pieces[i] = arena_alloc (&arena, size);
        ck_assert_ptr_nonnull (pieces[i]);
        ck_assert_uint_eq ((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        for (size_t k = 0; k < size; k++)
            ck_assert_uint_eq (pieces[i][k], 0);
        memset (pieces[i], (int)i, size);
    }
    for (size_t i = 0; i < 200; i++)
        for (size_t k = 0; k < i * 37 % 3000; k++)
            ck_assert_uint_eq (pieces[i][k], (uint8_t)i);
    ck_assert_ptr_null (arena_alloc (&arena, SIZE_MAX));
    arena_clear (&arena);
    ck_assert_ptr_null (arena.blocks);
}
END_TEST

START_TEST (test_a_noun_goes_with_its_count)
{
    ck_assert_str_eq (text_counted (0, "pair").text, "0 pairs");
    ck_assert_str_eq (text_counted (1, "pair").text, "1 pair");
    ck_assert_str_eq (text_counted (2, "pair").text, "2 pairs");
    ck_assert_str_eq (text_counted (1, "journal entry").text, "1 journal entry");
    ck_assert_str_eq (text_counted (2, "journal entry").text, "2 journal entries");
    ck_assert_str_eq (text_counted (2, "day").text, "2 days");
    ck_assert_str_eq (text_counted (UINT64_MAX, "member").text, "18446744073709551615 members");
}
END_TEST

START_TEST (test_texts_are_copied_as_far_as_they_fit)
{
    char out[4];
    ck_assert (text_copy (text_of ("abc"), out, sizeof out));
    ck_assert_str_eq (out, "abc");
    ck_assert (!text_copy (text_of ("abcd"), out, sizeof out));
    ck_assert_str_eq (out, "abc");
    ck_assert (text_copy (text_of (NULL), out, 1));
    ck_assert_str_eq (out, "");
    ck_assert (text_equal (text_of (NULL), ""));
    ck_assert (!text_equal (text_of ("ab"), "abc"));
}
END_TEST

START_TEST (test_any_bytes_can_be_cleaned_to_a_text)
{
    char out[8];
    ck_assert (text_equal (text_clean (text_of ("a\x1b[2J\xff"), out, sizeof out), "a?[2J?"));
    ck_assert (text_equal (text_clean (text_of ("12345\xe2\x82\xac"), out, sizeof out),
                           "12345")); /* € stays whole */
    ck_assert (text_equal (text_clean (text_of ("1234\xe2\x82\xac"), out, sizeof out), "1234\xe2\x82\xac"));
    ck_assert (text_equal (text_clean (text_of ("1234567890"), out, sizeof out), "1234567"));
    for (unsigned byte = 0; byte < 256; byte++) {
        char bytes[3] = {(char)byte, (char)(255 - byte), 'x'};
        ck_assert (text_valid (text_clean ((text_t){bytes, 3}, out, sizeof out)));
    }
}
END_TEST

START_TEST (test_names_are_safe_for_files_and_end_at_their_bound)
{
    static const char *const good[] = {"a", "node-1", "A.b_c", "_x", "0", "abcdefghijklmnopqrstuvwxyz012345"};
    static const char *const bad[] = {"",    ".",   "..",       ".git", "-rf",
                                      "a/b", "a b", "\xc3\xa4", "a\n",  "abcdefghijklmnopqrstuvwxyz0123456"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        ck_assert (text_is_name (text_of (good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert (!text_is_name (text_of (bad[i])));
}
END_TEST

SUITE_MAIN ("protocol/record", test_every_field_type_is_written_as_the_protocol_says,
            test_what_was_written_is_read_again, test_a_refusal_names_field_finding_and_expectation,
            test_bytes_behind_the_record_are_refused, test_nothing_is_allocated_for_items_that_are_not_there,
            test_every_record_round_trips_from_least_to_most, test_every_record_cut_at_any_byte_is_refused,
            test_every_field_ends_at_its_bound, test_a_record_prints_as_json,
            test_a_digest_or_key_that_is_none_prints_as_null, test_a_buffer_grows_and_keeps_what_it_holds,
            test_a_buffer_that_can_not_grow_says_so_and_keeps_what_it_holds,
            test_an_arena_gives_aligned_zeroed_pieces_that_do_not_overlap, test_a_noun_goes_with_its_count,
            test_texts_are_copied_as_far_as_they_fit, test_any_bytes_can_be_cleaned_to_a_text,
            test_names_are_safe_for_files_and_end_at_their_bound)
