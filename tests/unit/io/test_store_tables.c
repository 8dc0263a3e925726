/* SPDX-License-Identifier: MPL-2.0 */
/* What a store keeps, table by table: journal, contents, statements, records, settings. */
#include "tests/unit/io/store_fixture.h"

/* --- journal --- */

typedef struct {
    uint64_t numbers[16];
    size_t count;
    uint64_t stop_at;
} walk_t;

static int s_note_entry (void *context, uint64_t number, const uint8_t *event, size_t size,
                         const digest_t *effects)
{
    walk_t *walk = context;
    ck_assert_uint_eq (size, number - 1);
    for (size_t i = 0; i < size; i++)
        ck_assert_uint_eq (event[i], number);
    ck_assert_uint_eq (effects->bytes[0], number);
    walk->numbers[walk->count++] = number;
    return number == walk->stop_at ? 42 : 0;
}

START_TEST (test_the_journal_keeps_its_order_from_any_entry_on)
{
    scratch_t scratch = scratch_new ();
    store_t *store = fixture_open (&scratch);
    for (unsigned number = 1; number <= 10; number++) {
        uint8_t event[16];
        memset (event, (int)number, sizeof event);
        digest_t effects = {{(uint8_t)number}};
        ck_assert_int_eq (store_journal_append (store, event, number - 1, &effects),
                          0); /* the first is empty */
        ck_assert_uint_eq (store_journal_count (store), number);
    }
    for (uint64_t from = 0; from <= 12; from++) {
        walk_t walk = {{0}, 0, 0};
        ck_assert_int_eq (store_journal_walk (store, from, s_note_entry, &walk), 0);
        uint64_t first = from == 0 ? 1 : from;
        ck_assert_uint_eq (walk.count, first > 10 ? 0 : 11 - first);
        for (size_t i = 0; i < walk.count; i++)
            ck_assert_uint_eq (walk.numbers[i], first + i);
    }
    walk_t walk = {{0}, 0, 4};
    ck_assert_int_eq (store_journal_walk (store, 3, s_note_entry, &walk), 42);
    ck_assert_uint_eq (walk.count, 2);
    ck_assert_int_eq (store_journal_walk (store, UINT64_MAX, s_note_entry, &walk), 0);
    store_close (&store);
    scratch_remove (&scratch);
}
END_TEST

/* --- content --- */

START_TEST (test_contents_come_back_by_their_hash)
{
    scratch_t scratch = scratch_new ();
    store_t *store = fixture_open (&scratch);
    uint8_t *bytes = malloc (LIMIT_CONTENT_BYTES + 1);
    ck_assert_ptr_nonnull (bytes);
    memset (bytes, 7, LIMIT_CONTENT_BYTES + 1);
    static const size_t sizes[] = {0, 1, 100000, LIMIT_CONTENT_BYTES};
    digest_t id;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        digest_t expected = digest_of (bytes, sizes[i]);
        ck_assert (!store_content_has (store, &expected));
        ck_assert_int_eq (store_content_put (store, bytes, sizes[i], &id), 0);
        ck_assert_int_eq (store_content_put (store, bytes, sizes[i], &id), 0);
        ck_assert (digest_equal (&id, &expected));
        ck_assert (store_content_has (store, &id));
        size_t size;
        uint8_t *back = store_content_get (store, &id, &size);
        ck_assert_ptr_nonnull (back);
        ck_assert_uint_eq (size, sizes[i]);
        ck_assert_int_eq (memcmp (back, bytes, size), 0);
        free (back);
    }
    ck_assert_int_eq (fixture_number (store, "SELECT count (*) FROM content"), 4);
    ck_assert_int_eq (store_content_put (store, bytes, LIMIT_CONTENT_BYTES + 1, &id), ERROR_BOUND);
    free (bytes);
    store_close (&store);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_a_damaged_content_counts_as_missing_and_can_be_put_again)
{
    scratch_t scratch = scratch_new ();
    store_t *store = fixture_open (&scratch);
    digest_t id;
    size_t size;
    ck_assert_int_eq (store_content_put (store, (const uint8_t *)"whole", 5, &id), 0);
    fixture_execute (store, "UPDATE content SET bytes = x'776f6f6c65'");
    ck_assert_ptr_null (store_content_get (store, &id, &size));
    ck_assert (!store_content_has (store, &id));
    ck_assert_ptr_nonnull (strstr (store_problem (store), "damaged"));
    ck_assert_int_eq (store_content_put (store, (const uint8_t *)"whole", 5, &id), 0);
    ck_assert (store_content_has (store, &id));
    store_close (&store);
    scratch_remove (&scratch);
}
END_TEST

/* --- statements --- */

/* A statement by author `fill`, with `text` in it. */
static void s_statement (uint8_t fill, uint8_t text, uint8_t body[3], uint8_t seal[SEAL_BYTES])
{
    uint8_t seed[SEED_BYTES];
    identity_t identity;
    memset (seed, fill, sizeof seed);
    identity_from_seed (seed, &identity);
    body[0] = 0x92, body[1] = 1, body[2] = text;
    statement_seal (&identity, body, 3, seal);
}

START_TEST (test_statements_come_back_as_they_came)
{
    scratch_t scratch = scratch_new ();
    store_t *store = fixture_open (&scratch);
    uint8_t body[3], seal[SEAL_BYTES];
    size_t size;
    s_statement (1, 5, body, seal);
    digest_t id = statement_id (body, 3, seal);
    ck_assert_ptr_null (store_statement_get (store, &id, &size));
    ck_assert_int_eq (store_statement_put (store, body, 3, seal, 0), 0);
    ck_assert_int_eq (store_statement_put (store, body, 3, seal, 0), 0);
    uint8_t *back = store_statement_get (store, &id, &size);
    ck_assert_ptr_nonnull (back);
    ck_assert_uint_eq (size, 3);
    ck_assert_mem_eq (back, body, 3);
    ck_assert_mem_eq (back + size, seal, SEAL_BYTES);
    ck_assert (statement_verify (back, size, back + size));
    free (back);
    fixture_execute (store, "UPDATE statement SET body = x'920106'");
    ck_assert_ptr_null (store_statement_get (store, &id, &size));
    ck_assert_int_eq (store_statement_put (store, body, 3, seal, UINT64_MAX), ERROR_BOUND);
    store_close (&store);
    scratch_remove (&scratch);
}
END_TEST

typedef struct {
    char text[32];
} texts_t;

static int s_note_statement (void *context, const uint8_t *body, size_t size, const uint8_t seal[SEAL_BYTES])
{
    texts_t *texts = context;
    ck_assert (statement_verify (body, size, seal));
    texts->text[strlen (texts->text)] = (char)body[2];
    return body[2] == '!' ? 7 : 0;
}

static void s_expect_publications (store_t *store, const pubkey_t *author, uint64_t from, size_t limit,
                                   const char *expected)
{
    texts_t texts = {""};
    int result = store_publications_walk (store, author, from, limit, s_note_statement, &texts);
    ck_assert_str_eq (texts.text, expected);
    ck_assert_int_eq (result, strchr (expected, '!') != NULL ? 7 : 0);
}

START_TEST (test_publications_are_walked_by_author_in_order)
{
    scratch_t scratch = scratch_new ();
    store_t *store = fixture_open (&scratch);
    static const struct {
        uint8_t author, text;
        uint64_t number;
    } said[] = {{1, 'c', 3}, {1, 'a', 1}, {2, 'x', 2}, {1, 'n', 0},
                {1, 'b', 2}, {1, 'B', 2}, {1, '!', 9}, {1, 'z', 10}};
    uint8_t body[3], seal[SEAL_BYTES];
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        s_statement (said[i].author, said[i].text, body, seal);
        ck_assert_int_eq (store_statement_put (store, body, 3, seal, said[i].number), 0);
    }
    s_statement (1, 0, body, seal);
    pubkey_t one = statement_author (seal);
    s_statement (3, 0, body, seal);
    pubkey_t silent = statement_author (seal);
    s_expect_publications (store, &one, 0, 3, "abB");
    s_expect_publications (store, &one, 2, 3, "bBc"); /* two with one number: both are kept, as proof */
    s_expect_publications (store, &one, 3, 100, "c!");
    s_expect_publications (store, &one, 10, 100, "z");
    s_expect_publications (store, &one, 11, 100, "");
    s_expect_publications (store, &one, 1, 0, "");
    s_expect_publications (store, &silent, 0, 100, "");
    ck_assert_uint_eq (store_publication_last (store, &one), 10);
    ck_assert_uint_eq (store_publication_last (store, &silent), 0);
    store_close (&store);
    scratch_remove (&scratch);
}
END_TEST

/* --- records and settings --- */

static int s_note_record (void *context, uint64_t number, const digest_t *key, const uint8_t *bytes,
                          size_t size)
{
    walk_t *walk = context;
    ck_assert_uint_eq (size, 1);
    ck_assert_uint_eq (key->bytes[0], bytes[0] % 100);
    walk->numbers[walk->count++] = bytes[0];
    return number == walk->stop_at ? 9 : 0;
}

static void s_expect_records (store_t *store, uint64_t after, bool newest_first, const uint8_t *expected,
                              size_t count)
{
    walk_t walk = {{0}, 0, 0};
    ck_assert_int_eq (store_record_walk (store, TABLE_SNAPSHOT, after, newest_first, s_note_record, &walk),
                      0);
    ck_assert_uint_eq (walk.count, count);
    for (size_t i = 0; i < count; i++)
        ck_assert_uint_eq (walk.numbers[i], expected[i]);
}

START_TEST (test_records_keep_the_order_of_first_insertion)
{
    scratch_t scratch = scratch_new ();
    store_t *store = fixture_open (&scratch);
    static const uint8_t written[] = {3, 1, 2, 101, 4}; /* 101 replaces 1 */
    for (size_t i = 0; i < sizeof written; i++) {
        digest_t key = {{(uint8_t)(written[i] % 100)}};
        ck_assert_int_eq (store_record_put (store, TABLE_SNAPSHOT, &key, written + i, 1), 0);
    }
    s_expect_records (store, 0, false, (const uint8_t[]){3, 101, 2, 4}, 4);
    s_expect_records (store, 0, true, (const uint8_t[]){4, 2, 101, 3}, 4);
    s_expect_records (store, 2, false, (const uint8_t[]){2, 4}, 2);
    s_expect_records (store, 2, true, (const uint8_t[]){4, 2}, 2);
    s_expect_records (store, UINT64_MAX, false, NULL, 0);
    walk_t walk = {{0}, 0, 2};
    ck_assert_int_eq (store_record_walk (store, TABLE_SNAPSHOT, 0, false, s_note_record, &walk), 9);
    ck_assert_uint_eq (walk.count, 2);
    store_close (&store);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_tables_are_apart)
{
    scratch_t scratch = scratch_new ();
    store_t *store = fixture_open (&scratch);
    digest_t key = {{1}};
    size_t size;
    for (uint8_t table = 0; table < TABLE_COUNT; table++)
        ck_assert_int_eq (store_record_put (store, (table_t)table, &key, &table, 1), 0);
    for (uint8_t table = 0; table < TABLE_COUNT; table++) {
        uint8_t *bytes = store_record_get (store, (table_t)table, &key, &size);
        ck_assert_ptr_nonnull (bytes);
        ck_assert_uint_eq (size, 1);
        ck_assert_uint_eq (bytes[0], table);
        free (bytes);
    }
    store_close (&store);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_settings_are_replaced_and_survive_a_restart)
{
    scratch_t scratch = scratch_new ();
    store_t *store = fixture_open (&scratch);
    size_t size;
    ck_assert_ptr_null (store_setting_get (store, "group", &size));
    ck_assert_int_eq (store_setting_put (store, "group", (const uint8_t *)"one", 3), 0);
    ck_assert_int_eq (store_setting_put (store, "group", NULL, 0), 0);
    ck_assert_int_eq (store_setting_put (store, "other", (const uint8_t *)"two", 3), 0);
    store_close (&store);
    store = fixture_open (&scratch);
    uint8_t *bytes = store_setting_get (store, "group", &size);
    ck_assert_ptr_nonnull (bytes);
    ck_assert_uint_eq (size, 0);
    free (bytes);
    bytes = store_setting_get (store, "other", &size);
    ck_assert_ptr_nonnull (bytes);
    ck_assert_uint_eq (size, 3);
    ck_assert_mem_eq (bytes, "two", 3);
    free (bytes);
    store_close (&store);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_what_came_of_a_journal_is_not_begun_anew_without_it)
{
    static const table_t tables[] = {TABLE_CANDIDATE, TABLE_IMPROVEMENT, TABLE_EVENT, TABLE_SNAPSHOT,
                                     TABLE_PACKAGE};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        scratch_t scratch = scratch_new ();
        store_t *store = fixture_open (&scratch);
        digest_t key = {{1}};
        problem_t problem = {""};
        ck_assert_int_eq (store_check_begun (store, &problem), 0); /* it never ran */
        ck_assert_int_eq (store_record_put (store, tables[i], &key, (const uint8_t *)"row", 3), 0);
        ck_assert_int_eq (store_check_begun (store, &problem), -1);
        ck_assert_ptr_nonnull (
            strstr (problem.text, "evomesh.db is damaged: its journal and its checkpoints"));
        ck_assert_ptr_nonnull (strstr (problem.text, "goes up to number 1: expected the journal"));
        ck_assert_int_eq (store_journal_append (store, (const uint8_t *)"event", 5, &key), 0);
        ck_assert_int_eq (store_check_begun (store, &problem), 0);
        store_close (&store);
        scratch_remove (&scratch);
    }
}
END_TEST

SUITE_MAIN ("io/store_tables", test_the_journal_keeps_its_order_from_any_entry_on,
            test_contents_come_back_by_their_hash,
            test_a_damaged_content_counts_as_missing_and_can_be_put_again,
            test_statements_come_back_as_they_came, test_publications_are_walked_by_author_in_order,
            test_records_keep_the_order_of_first_insertion, test_tables_are_apart,
            test_settings_are_replaced_and_survive_a_restart,
            test_what_came_of_a_journal_is_not_begun_anew_without_it)
