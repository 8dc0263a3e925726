/* SPDX-License-Identifier: MPL-2.0 */
#include "crypto/random.h"
#include "tests/unit/io/store_fixture.h"

#include <signal.h>
#include <sys/wait.h>

static const digest_t s_effects = {{0xef}};

/* --- opening --- */

START_TEST (test_commits_are_written_through_beside_readers)
{
    scratch_t scratch = scratch_new ();
    store_t *store = fixture_open (&scratch);
    sqlite3_stmt *statement;
    ck_assert_int_eq (sqlite3_prepare_v2 (store->db, "PRAGMA journal_mode", -1, &statement, NULL), SQLITE_OK);
    ck_assert_int_eq (sqlite3_step (statement), SQLITE_ROW);
    ck_assert_str_eq ((const char *)sqlite3_column_text (statement, 0), "wal");
    sqlite3_finalize (statement);
    ck_assert_int_eq (fixture_number (store, "PRAGMA synchronous"), 2); /* FULL */
    fixture_execute (store,
                     "INSERT INTO setting (name, bytes) VALUES ('a', 'b')"); /* the first makes the log */
    static const char *const names[] = {"evomesh.db", "evomesh.db-wal"};
    for (size_t i = 0; i < 2; i++) {
        struct stat status;
        scratch_path_t path = scratch_path (&scratch, "%s", names[i]);
        ck_assert_int_eq (stat (path.text, &status), 0);
        ck_assert_uint_eq (status.st_mode & 0777, 0600);
    }
    store_close (&store);
    ck_assert_ptr_null (store);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_a_missing_database_is_named_with_what_to_do)
{
    scratch_t scratch = scratch_new ();
    problem_t problem = {""};
    for (int read_only = 0; read_only < 2; read_only++) {
        ck_assert_ptr_null (store_open (scratch.path, false, read_only, &problem));
        ck_assert_ptr_nonnull (strstr (problem.text, scratch.path));
        ck_assert_ptr_nonnull (strstr (problem.text, "evomesh init"));
    }
    ck_assert_int_eq (access (scratch_path (&scratch, "evomesh.db").text, F_OK), -1);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_a_database_that_lost_its_tables_is_refused_with_what_to_do)
{
    scratch_t scratch = scratch_new ();
    problem_t problem = {""};
    for (int emptied = 0; emptied < 2; emptied++) {
        store_t *store = fixture_open (&scratch);
        fixture_execute (store, "DROP TABLE package");
        store_close (&store);
        if (emptied)
            scratch_write (&scratch, "evomesh.db", "");
        for (int read_only = 0; read_only < 2; read_only++) {
            ck_assert_ptr_null (store_open (scratch.path, false, read_only, &problem));
            ck_assert_ptr_nonnull (strstr (problem.text, scratch_path (&scratch, "evomesh.db").text));
            ck_assert_ptr_nonnull (strstr (problem.text, emptied ? "is empty" : "tables are gone"));
            ck_assert_ptr_nonnull (strstr (problem.text, "put back a copy"));
            if (emptied)
                scratch_expect (&scratch, "evomesh.db", "");
        }
        ck_assert_int_eq (unlink (scratch_path (&scratch, "evomesh.db").text), 0);
    }
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_what_is_not_our_database_is_refused_and_left_alone)
{
    scratch_t scratch = scratch_new ();
    problem_t problem = {""};
    sqlite3 *other;
    scratch_write (&scratch, "evomesh.db", "this is a text of some length, and no database, is it");
    ck_assert_ptr_null (store_open (scratch.path, true, false, &problem));
    scratch_expect (&scratch, "evomesh.db", "this is a text of some length, and no database, is it");
    ck_assert_int_eq (unlink (scratch_path (&scratch, "evomesh.db").text), 0);
    ck_assert_int_eq (sqlite3_open (scratch_path (&scratch, "evomesh.db").text, &other), SQLITE_OK);
    ck_assert_int_eq (sqlite3_exec (other, "CREATE TABLE songs (name)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close (other);
    ck_assert_ptr_null (store_open (scratch.path, true, false, &problem));
    ck_assert_ptr_nonnull (strstr (problem.text, "not a database of evomesh"));
    ck_assert_int_eq (unlink (scratch_path (&scratch, "evomesh.db").text), 0);
    ck_assert_int_eq (mkdir (scratch_path (&scratch, "evomesh.db").text, 0700), 0);
    ck_assert_ptr_null (store_open (scratch.path, true, false, &problem));
    ck_assert_ptr_nonnull (strstr (problem.text, "regular file"));
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_a_later_schema_is_refused_with_both_versions)
{
    scratch_t scratch = scratch_new ();
    problem_t problem = {""};
    store_t *store = fixture_open (&scratch);
    fixture_execute (store, "PRAGMA user_version = 7");
    store_close (&store);
    for (int read_only = 0; read_only < 2; read_only++) {
        ck_assert_ptr_null (store_open (scratch.path, false, read_only, &problem));
        ck_assert_ptr_nonnull (strstr (problem.text, "schema version 7"));
        ck_assert_ptr_nonnull (strstr (problem.text, "knows version 2"));
    }
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_a_reader_beside_the_writer_sees_commits_and_can_not_write)
{
    scratch_t scratch = scratch_new ();
    store_t *writer = fixture_open (&scratch);
    problem_t problem = {""};
    store_t *reader = store_open (scratch.path, false, true, &problem);
    ck_assert_msg (reader != NULL, "%s", problem.text);
    digest_t id;
    ck_assert_int_eq (store_begin (writer), 0);
    ck_assert_int_eq (store_content_put (writer, (const uint8_t *)"x", 1, &id), 0);
    ck_assert (!store_content_has (reader, &id));
    ck_assert_int_eq (store_commit (writer), 0);
    ck_assert (store_content_has (reader, &id));
    ck_assert_int_eq (store_content_put (reader, (const uint8_t *)"y", 1, &id), ERROR_IO);
    ck_assert_str_ne (store_problem (reader), "");
    store_close (&reader);
    store_close (&writer);
    reader = store_open (scratch.path, false, true, &problem); /* also when nobody writes */
    ck_assert_msg (reader != NULL, "%s", problem.text);
    store_close (&reader);
    scratch_remove (&scratch);
}
END_TEST

/* --- transactions --- */

START_TEST (test_a_rolled_back_turn_leaves_nothing)
{
    scratch_t scratch = scratch_new ();
    store_t *store = fixture_open (&scratch);
    digest_t id;
    uint8_t seal[SEAL_BYTES] = {1}, body[] = {0x91, 1};
    size_t size;
    ck_assert_int_eq (store_begin (store), 0);
    ck_assert (store_in_transaction (store));
    ck_assert_int_eq (store_journal_append (store, body, sizeof body, &s_effects), 0);
    ck_assert_int_eq (store_content_put (store, body, sizeof body, &id), 0);
    ck_assert_int_eq (store_statement_put (store, body, sizeof body, seal, 3), 0);
    ck_assert_int_eq (store_record_put (store, TABLE_EVENT, &id, body, sizeof body), 0);
    ck_assert_int_eq (store_setting_put (store, "word", body, sizeof body), 0);
    ck_assert (store_content_has (store, &id));
    store_rollback (store);
    ck_assert (!store_in_transaction (store));
    digest_t statement = statement_id (body, sizeof body, seal);
    ck_assert_uint_eq (store_journal_count (store), 0);
    ck_assert (!store_content_has (store, &id));
    ck_assert_ptr_null (store_statement_get (store, &statement, &size));
    ck_assert_ptr_null (store_record_get (store, TABLE_EVENT, &id, &size));
    ck_assert_ptr_null (store_setting_get (store, "word", &size));
    store_close (&store);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (test_a_full_disk_is_told_and_loses_nothing_committed)
{
    scratch_t scratch = scratch_new ();
    store_t *store = fixture_open (&scratch);
    digest_t id, kept;
    uint8_t *large = calloc (1, 1 << 20);
    ck_assert_ptr_nonnull (large);
    ck_assert_int_eq (store_content_put (store, (const uint8_t *)"kept", 4, &kept), 0);
    fixture_execute (store, "PRAGMA max_page_count = 60");
    for (int in_turn = 0; in_turn < 2; in_turn++) {
        if (in_turn)
            ck_assert_int_eq (store_begin (store), 0);
        int result = 0;
        for (unsigned i = 0; i < 100 && result == 0; i++)
            result = store_journal_append (store, large, 10000, &s_effects);
        ck_assert_int_eq (result, ERROR_FULL);
        ck_assert_int_eq (store_content_put (store, large, 1 << 20, &id), ERROR_FULL);
        ck_assert_ptr_nonnull (strstr (store_problem (store), "no space left"));
        if (in_turn)
            ck_assert_int_ne (store_commit (store),
                              0); /* sqlite has rolled back: nothing may be acknowledged */
        store_rollback (store);
    }
    ck_assert (store_content_has (store, &kept));
    fixture_execute (store, "PRAGMA max_page_count = 100000");
    ck_assert_int_eq (store_begin (store), 0);
    ck_assert_int_eq (store_content_put (store, large, 1 << 20, &id), 0);
    ck_assert_int_eq (store_commit (store), 0);
    ck_assert (store_content_has (store, &id));
    free (large);
    store_close (&store);
    scratch_remove (&scratch);
}
END_TEST

/* --- kill -9 --- */

#define ENTRIES_OF_TURN 3

/* Turn `number`: entries, a content and a setting that all say so. */
static int s_write_turn (store_t *store, uint64_t number, random_t *random)
{
    static uint8_t bytes[20000];
    digest_t id;
    size_t size = 8 + (size_t)random_below (random, sizeof bytes - 8);
    memset (bytes, (int)(number & 0xff), size);
    memcpy (bytes, &number, 8);
    if (store_begin (store) != 0)
        return -1;
    for (unsigned i = 0; i < ENTRIES_OF_TURN; i++)
        if (store_journal_append (store, bytes, 8, &s_effects) != 0)
            return -1;
    return store_content_put (store, bytes, size, &id) != 0 ||
                   store_record_put (store, TABLE_EVENT, &id, bytes, 8) != 0 ||
                   store_setting_put (store, "turn", bytes, 8) != 0
               ? -1
               : store_commit (store);
}

/* Writes turns, and each turn's number to `pipe` once it is committed, until it is killed. */
static void s_writer (const char *directory, int pipe, uint64_t seed)
{
    random_t random;
    random_init_number (&random, seed);
    store_t *store = store_open (directory, false, false, NULL);
    if (store == NULL)
        _exit (1);
    for (uint64_t turn = store_journal_count (store) / ENTRIES_OF_TURN + 1;; turn++)
        if (s_write_turn (store, turn, &random) != 0 || write (pipe, &turn, sizeof turn) != sizeof turn)
            _exit (2);
}

static int s_check_entry (void *context, uint64_t number, const uint8_t *event, size_t size,
                          const digest_t *effects)
{
    uint64_t turn, *expected = context;
    ck_assert_uint_eq (size, sizeof turn);
    memcpy (&turn, event, sizeof turn);
    ck_assert_uint_eq (number, ++*expected);
    ck_assert_uint_eq (turn, (number - 1) / ENTRIES_OF_TURN + 1);
    ck_assert (digest_equal (effects, &s_effects));
    return 0;
}

static int s_check_record (void *context, uint64_t number, const digest_t *key, const uint8_t *bytes,
                           size_t size)
{
    size_t content_size;
    uint8_t *content = store_content_get (context, key, &content_size);
    ck_assert_ptr_nonnull (content);
    ck_assert_uint_eq (size, 8);
    ck_assert_mem_eq (content, bytes, 8);
    ck_assert_mem_eq (content, &number, 8);
    free (content);
    return 0;
}

START_TEST (test_nothing_acknowledged_is_lost_when_a_writer_is_killed_at_any_moment)
{
    scratch_t scratch = scratch_new ();
    store_t *store = fixture_open (&scratch);
    store_close (&store);
    random_t random;
    random_init_number (&random, 1);
    uint64_t last_turns = 0;
    for (unsigned round = 0; round < 30; round++) {
        int ends[2];
        ck_assert_int_eq (pipe (ends), 0);
        pid_t child = fork ();
        if (child == 0)
            s_writer (scratch.path, ends[1], round);
        close (ends[1]);
        uint64_t acknowledged = last_turns, until = 1 + random_below (&random, 6);
        for (uint64_t i = 0; i < until; i++)
            ck_assert_int_eq (read (ends[0], &acknowledged, sizeof acknowledged), sizeof acknowledged);
        for (volatile uint64_t spin = random_below (&random, 2000000); spin > 0; spin--)
            continue; /* somewhere inside the turns that follow */
        ck_assert_int_eq (kill (child, SIGKILL), 0);
        ck_assert_int_eq (waitpid (child, NULL, 0), child);
        while (read (ends[0], &acknowledged, sizeof acknowledged) == sizeof acknowledged)
            continue;
        close (ends[0]);

        store = fixture_open (&scratch);
        uint64_t entries = 0, turns = store_journal_count (store) / ENTRIES_OF_TURN, setting;
        ck_assert_uint_ge (turns, acknowledged);
        ck_assert_uint_le (turns, acknowledged + 1); /* committed, but killed before it could say so */
        ck_assert_int_eq (store_journal_walk (store, 1, s_check_entry, &entries), 0);
        ck_assert_uint_eq (entries, turns * ENTRIES_OF_TURN);
        ck_assert_int_eq (store_record_walk (store, TABLE_EVENT, last_turns, false, s_check_record, store),
                          0);
        size_t size;
        uint8_t *bytes = store_setting_get (store, "turn", &size);
        ck_assert_ptr_nonnull (bytes);
        memcpy (&setting, bytes, sizeof setting);
        ck_assert_uint_eq (setting, turns);
        free (bytes);
        store_close (&store);
        ck_assert_uint_ge (turns, last_turns + until);
        last_turns = turns;
    }
    scratch_remove (&scratch);
}
END_TEST

SUITE_MAIN ("io/store", test_commits_are_written_through_beside_readers,
            test_a_missing_database_is_named_with_what_to_do,
            test_a_database_that_lost_its_tables_is_refused_with_what_to_do,
            test_what_is_not_our_database_is_refused_and_left_alone,
            test_a_later_schema_is_refused_with_both_versions,
            test_a_reader_beside_the_writer_sees_commits_and_can_not_write,
            test_a_rolled_back_turn_leaves_nothing, test_a_full_disk_is_told_and_loses_nothing_committed,
            test_nothing_acknowledged_is_lost_when_a_writer_is_killed_at_any_moment)
