/* SPDX-License-Identifier: MPL-2.0 */
/* The journal and its checkpoints. */
#include "node/io/store_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* --- journal --- */

int store_journal_append (store_t *self, const uint8_t *event, size_t size, const digest_t *effects)
{
    assert (self != NULL && effects != NULL);
    sqlite3_stmt *statement = store_query (self, QUERY_JOURNAL_APPEND);
    if (statement != NULL) {
        store_bind (statement, 1, event, size);
        store_bind (statement, 2, effects->bytes, DIGEST_BYTES);
    }
    return store_run (self, statement, "appending to the journal");
}

int store_journal_walk (store_t *self, uint64_t from_number, journal_visit_fn *visit, void *context)
{
    assert (visit != NULL);
    assert (self != NULL);
    static const char doing[] = "reading the journal";
    sqlite3_stmt *statement; /* its own, as `visit` may use the store */
    int rc = store_prepare (
        self, "SELECT number, event, effects FROM journal WHERE number >= ?1 ORDER BY number", &statement);
    if (rc != 0)
        return rc;
    sqlite3_bind_int64 (statement, 1, from_number > INT64_MAX ? INT64_MAX : (int64_t)from_number);
    while ((rc = store_row (self, statement, doing)) == 1) {
        digest_t effects = {{0}};
        size_t size = (size_t)sqlite3_column_bytes (statement, 2);
        memcpy (effects.bytes, sqlite3_column_blob (statement, 2), size < DIGEST_BYTES ? size : DIGEST_BYTES);
        rc =
            visit (context, (uint64_t)sqlite3_column_int64 (statement, 0), sqlite3_column_blob (statement, 1),
                   (size_t)sqlite3_column_bytes (statement, 1), &effects);
        if (rc != 0)
            break;
    }
    sqlite3_finalize (statement);
    return rc;
}

uint64_t store_journal_count (store_t *self)
{
    assert (self != NULL);
    return store_take_number (self, store_query (self, QUERY_JOURNAL_LAST), "reading the journal");
}

/* --- checkpoints --- */

int store_checkpoint_put (store_t *self, uint64_t number, const uint8_t *bytes, size_t size)
{
    assert (self != NULL && number > 0);
    digest_t digest = digest_of (bytes, size);
    sqlite3_stmt *statement = store_query (self, QUERY_CHECKPOINT_PUT);
    if (statement != NULL) {
        sqlite3_bind_int64 (statement, 1, store_bindable (number));
        store_bind (statement, 2, digest.bytes, DIGEST_BYTES);
        store_bind (statement, 3, bytes, size);
    }
    return store_run (self, statement, "writing a checkpoint");
}

uint8_t *store_checkpoint_get (store_t *self, uint64_t number, size_t *size)
{
    assert (self != NULL && size != NULL);
    static const char doing[] = "reading a checkpoint";
    digest_t kept = {{0}};
    size_t kept_size = 0;
    sqlite3_stmt *statement = store_query (self, QUERY_CHECKPOINT_DIGEST);
    if (statement != NULL)
        sqlite3_bind_int64 (statement, 1, store_bindable (number));
    uint8_t *column = store_take_bytes (self, statement, doing, &kept_size);
    if (column != NULL && kept_size == DIGEST_BYTES)
        memcpy (kept.bytes, column, DIGEST_BYTES);
    free (column);
    statement = store_query (self, QUERY_CHECKPOINT_GET);
    if (statement != NULL)
        sqlite3_bind_int64 (statement, 1, store_bindable (number));
    uint8_t *bytes = store_take_bytes (self, statement, doing, size);
    if (bytes == NULL)
        return NULL;
    digest_t found = digest_of (bytes, *size);
    if (digest_equal (&found, &kept))
        return bytes;
    problem_set (&self->problem, "checkpoint %llu is damaged on disk: it counts as missing",
                 (unsigned long long)number);
    free (bytes);
    return NULL;
}

uint64_t store_checkpoint_before (store_t *self, uint64_t number)
{
    assert (self != NULL);
    sqlite3_stmt *statement = store_query (self, QUERY_CHECKPOINT_BEFORE);
    if (statement != NULL)
        sqlite3_bind_int64 (statement, 1, store_bindable (number));
    return store_take_number (self, statement, "reading checkpoints");
}

int store_checkpoint_drop (store_t *self, uint64_t number)
{
    assert (self != NULL);
    sqlite3_stmt *statement = store_query (self, QUERY_CHECKPOINT_DROP);
    if (statement != NULL)
        sqlite3_bind_int64 (statement, 1, store_bindable (number));
    return store_run (self, statement, "dropping a checkpoint");
}

int store_check_begun (store_t *self, problem_t *problem)
{
    assert (self != NULL);
    if (store_journal_count (self) > 0 || store_checkpoint_before (self, UINT64_MAX) > 0)
        return 0;
    /* Only turns write records, each with an entry of the journal. */
    for (table_t table = 0; table < TABLE_COUNT; table++) {
        uint64_t last = store_record_last (self, table);
        problem_t what;
        if (last == 0)
            continue;
        problem_set (&what,
                     "its journal and its checkpoints are empty, but the table '%s' goes up to number %llu: "
                     "expected the journal that this came of",
                     store_table_name (table), (unsigned long long)last);
        return store_damaged (self, what.text, problem);
    }
    return 0;
}
