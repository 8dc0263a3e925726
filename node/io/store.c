/* SPDX-License-Identifier: MPL-2.0 */
/* What the sources of the store stand on: failures in words, statements prepared once, transactions. */
#include "node/io/store_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node/io/file.h"

/* --- failures --- */

#define REMEDY "put back a copy of the data directory, or make a new node with `evomesh init` in another one"

int store_damaged (const store_t *self, const char *what, problem_t *problem)
{
    assert (self != NULL && what != NULL);
    assert (problem == NULL || what != problem->text);
    return problem_set (problem, "%s is damaged: %s; " REMEDY, sqlite3_db_filename (self->db, "main"), what);
}

int store_fail (store_t *self, const char *doing)
{
    assert (self != NULL && doing != NULL);
    int code = sqlite3_extended_errcode (self->db);
    int system = sqlite3_system_errno (self->db);
    const char *path = sqlite3_db_filename (self->db, "main");
    bool is_input_output = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
    if ((code & 0xff) == SQLITE_FULL || (is_input_output && file_error (system) == ERROR_FULL)) {
        problem_set (&self->problem, "%s: %s: %s", path, doing, file_reason (ENOSPC));
        return ERROR_FULL;
    }
    bool is_damaged = (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
    problem_set (&self->problem, "%s: %s: %s%s%s", path, doing, sqlite3_errmsg (self->db),
                 is_damaged                       ? "; " REMEDY
                 : is_input_output && system != 0 ? ": "
                                                  : "",
                 is_input_output && system != 0 ? file_reason (system) : "");
    return (code & 0xff) == SQLITE_NOMEM ? ERROR_MEMORY : ERROR_IO;
}

const char *store_problem (const store_t *self)
{
    assert (self != NULL);
    return self->problem.text;
}

/* --- statements, prepared once --- */

int store_prepare (store_t *self, const char *sql, sqlite3_stmt **statement)
{
    assert (self != NULL && statement != NULL);
    if (sqlite3_prepare_v3 (self->db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) == SQLITE_OK)
        return 0;
    *statement = NULL;
    return store_fail (self, "opening it");
}

sqlite3_stmt *store_query (store_t *self, query_t query)
{
    assert (query < QUERY_COUNT);
    assert (self != NULL);
    static const struct {
        const char *sql;
    } queries[] = {
#define QUERY_SQL(name, text) {text},
        STORE_QUERIES (QUERY_SQL)
#undef QUERY_SQL
    };
    sqlite3_stmt **kept = &self->queries[query];
    if (*kept == NULL)
        store_prepare (self, queries[query].sql, kept);
    return *kept;
}

void store_bind (sqlite3_stmt *statement, int parameter, const void *bytes, size_t size)
{
    assert (statement != NULL);
    int rc = sqlite3_bind_blob64 (statement, parameter, size == 0 ? "" : bytes, size, SQLITE_STATIC);
    /* Beyond sqlite's bound of 1 GB the parameter stays NULL, and the step fails by NOT NULL. */
    assert (rc == SQLITE_OK || rc == SQLITE_TOOBIG || rc == SQLITE_NOMEM);
}

int64_t store_bindable (uint64_t number)
{
    return number > INT64_MAX ? INT64_MAX : (int64_t)number;
}

static void s_reset (sqlite3_stmt *statement)
{
    sqlite3_reset (statement);
    sqlite3_clear_bindings (statement);
}

int store_row (store_t *self, sqlite3_stmt *statement, const char *doing)
{
    assert (self != NULL && statement != NULL);
    int rc = sqlite3_step (statement);
    if (rc == SQLITE_ROW)
        return 1;
    return rc == SQLITE_DONE ? 0 : store_fail (self, doing);
}

int store_run (store_t *self, sqlite3_stmt *statement, const char *doing)
{
    assert (self != NULL);
    if (statement == NULL)
        return ERROR_IO; /* store_query noted why */
    int rc = store_row (self, statement, doing);
    assert (rc <= 0);
    s_reset (statement);
    return rc;
}

uint8_t *store_take_bytes (store_t *self, sqlite3_stmt *statement, const char *doing, size_t *size)
{
    assert (self != NULL && size != NULL);
    uint8_t *bytes = NULL;
    if (statement == NULL)
        return NULL;
    if (store_row (self, statement, doing) == 1) {
        const void *column = sqlite3_column_blob (statement, 0);
        *size = (size_t)sqlite3_column_bytes (statement, 0);
        bytes = malloc (*size + 1);
        if (bytes != NULL && *size > 0)
            memcpy (bytes, column, *size);
        if (bytes != NULL)
            bytes[*size] = '\0'; /* not counted; so that text can be read as such */
    }
    s_reset (statement);
    return bytes;
}

uint64_t store_take_number (store_t *self, sqlite3_stmt *statement, const char *doing)
{
    assert (self != NULL);
    if (statement == NULL)
        return 0;
    uint64_t number =
        store_row (self, statement, doing) == 1 ? (uint64_t)sqlite3_column_int64 (statement, 0) : 0;
    s_reset (statement);
    return number;
}

/* --- turns --- */

bool store_in_transaction (const store_t *self)
{
    assert (self != NULL);
    return sqlite3_get_autocommit (self->db) == 0;
}

int store_begin (store_t *self)
{
    assert (!store_in_transaction (self));
    int rc = store_run (self, store_query (self, QUERY_BEGIN), "beginning a transaction");
    assert (rc != 0 || store_in_transaction (self));
    return rc;
}

int store_commit (store_t *self)
{
    assert (self != NULL);
    if (!store_in_transaction (self)) { /* sqlite rolls back by itself where a write met a full disk */
        problem_set (&self->problem, "the transaction was rolled back when a write failed");
        return ERROR_IO;
    }
    int rc = store_run (self, store_query (self, QUERY_COMMIT), "committing");
    assert (rc != 0 || !store_in_transaction (self));
    return rc;
}

void store_rollback (store_t *self)
{
    assert (self != NULL);
    if (store_in_transaction (self))
        sqlite3_exec (self->db, "ROLLBACK", NULL, NULL, NULL);
    assert (!store_in_transaction (self));
}
