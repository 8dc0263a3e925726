/* SPDX-License-Identifier: MPL-2.0 */
/* Records and settings: bytes that are named by a key and may be replaced. */
#include "node/io/store_internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define SQL_BYTES_MAX 256

const char *store_table_name (table_t table)
{
    static const char *const names[] = {[TABLE_IMPROVEMENT] = "improvement",
                                        [TABLE_EVENT] = "event",
                                        [TABLE_CANDIDATE] = "candidate",
                                        [TABLE_SNAPSHOT] = "snapshot",
                                        [TABLE_PACKAGE] = "package"};
    _Static_assert(sizeof names / sizeof *names == TABLE_COUNT, "each table has a name");
    assert (table < TABLE_COUNT);
    return names[table];
}

/* The kept statement for a table, prepared at first use. */
static sqlite3_stmt *s_query (store_t *self, table_t table, record_query_t query)
{
    char sql[SQL_BYTES_MAX];
    const char *name = store_table_name (table);
    sqlite3_stmt **kept = &self->record_queries[table][query];
    if (*kept != NULL)
        return *kept;
    int size = 0;
    switch (query) {
    case RECORD_PUT:
        size = snprintf (sql, sizeof sql,
                         "INSERT INTO %s (key, bytes) VALUES (?1, ?2) "
                         "ON CONFLICT (key) DO UPDATE SET bytes = excluded.bytes",
                         name);
        break;
    case RECORD_GET: size = snprintf (sql, sizeof sql, "SELECT bytes FROM %s WHERE key = ?1", name); break;
    case RECORD_DROP:
        size =
            snprintf (sql, sizeof sql,
                      "DELETE FROM %s WHERE key = ?1 AND number < (SELECT MAX (number) FROM %s)", name, name);
        break;
    case RECORD_LAST:
        size = snprintf (sql, sizeof sql, "SELECT COALESCE (MAX (number), 0) FROM %s", name);
        break;
    case RECORD_QUERY_COUNT: break;
    }
    assert (size > 0 && size < SQL_BYTES_MAX);
    store_prepare (self, sql, kept);
    return *kept;
}

int store_record_put (store_t *self, table_t table, const digest_t *key, const uint8_t *bytes, size_t size)
{
    assert (self != NULL && key != NULL);
    sqlite3_stmt *statement = s_query (self, table, RECORD_PUT);
    if (statement != NULL) {
        store_bind (statement, 1, key->bytes, DIGEST_BYTES);
        store_bind (statement, 2, bytes, size);
    }
    return store_run (self, statement, "storing a record");
}

uint8_t *store_record_get (store_t *self, table_t table, const digest_t *key, size_t *size)
{
    assert (self != NULL && key != NULL && size != NULL);
    sqlite3_stmt *statement = s_query (self, table, RECORD_GET);
    if (statement != NULL)
        store_bind (statement, 1, key->bytes, DIGEST_BYTES);
    return store_take_bytes (self, statement, "reading a record", size);
}

int store_record_drop (store_t *self, table_t table, const digest_t *key)
{
    assert (self != NULL && key != NULL);
    sqlite3_stmt *statement = s_query (self, table, RECORD_DROP);
    if (statement != NULL)
        store_bind (statement, 1, key->bytes, DIGEST_BYTES);
    return store_run (self, statement, "dropping a record");
}

uint64_t store_record_last (store_t *self, table_t table)
{
    assert (self != NULL);
    return store_take_number (self, s_query (self, table, RECORD_LAST), "looking at its tables");
}

int store_record_walk (store_t *self, table_t table, uint64_t after, bool newest_first,
                       record_visit_fn *visit, void *context)
{
    assert (visit != NULL);
    assert (self != NULL);
    char sql[SQL_BYTES_MAX];
    int length =
        snprintf (sql, sizeof sql, "SELECT number, key, bytes FROM %s WHERE number > ?1 ORDER BY number %s",
                  store_table_name (table), newest_first ? "DESC" : "ASC");
    assert (length > 0 && length < SQL_BYTES_MAX);
    sqlite3_stmt *statement; /* its own, as `visit` may use the store */
    int rc = store_prepare (self, sql, &statement);
    if (rc != 0)
        return rc;
    sqlite3_bind_int64 (statement, 1, after > INT64_MAX ? INT64_MAX : (int64_t)after);
    while ((rc = store_row (self, statement, "reading records")) == 1) {
        digest_t key = {{0}};
        if (sqlite3_column_bytes (statement, 1) == DIGEST_BYTES)
            memcpy (key.bytes, sqlite3_column_blob (statement, 1), DIGEST_BYTES);
        rc = visit (context, (uint64_t)sqlite3_column_int64 (statement, 0), &key,
                    sqlite3_column_blob (statement, 2), (size_t)sqlite3_column_bytes (statement, 2));
        if (rc != 0)
            break;
    }
    sqlite3_finalize (statement);
    return rc;
}

int store_setting_put (store_t *self, const char *name, const uint8_t *bytes, size_t size)
{
    assert (name != NULL && (bytes != NULL || size == 0));
    assert (self != NULL);
    sqlite3_stmt *statement = store_query (self, QUERY_SETTING_PUT);
    if (statement != NULL) {
        sqlite3_bind_text (statement, 1, name, -1, SQLITE_STATIC);
        store_bind (statement, 2, bytes, size);
    }
    return store_run (self, statement, "storing a setting");
}

uint8_t *store_setting_get (store_t *self, const char *name, size_t *size)
{
    assert (name != NULL);
    assert (self != NULL && size != NULL);
    sqlite3_stmt *statement = store_query (self, QUERY_SETTING_GET);
    if (statement != NULL)
        sqlite3_bind_text (statement, 1, name, -1, SQLITE_STATIC);
    return store_take_bytes (self, statement, "reading a setting", size);
}
