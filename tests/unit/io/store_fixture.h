/* SPDX-License-Identifier: MPL-2.0 */
/* A store in a scratch folder, and SQL behind its back. */
#ifndef EVOMESH_TESTS_UNIT_IO_STORE_FIXTURE_H
#define EVOMESH_TESTS_UNIT_IO_STORE_FIXTURE_H

#include "node/io/store_internal.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

static inline store_t *fixture_open (const scratch_t *scratch)
{
    problem_t problem = {""};
    store_t *store = store_open (scratch->path, true, false, &problem);
    ck_assert_msg (store != NULL, "%s", problem.text);
    return store;
}

static inline void fixture_execute (store_t *store, const char *sql)
{
    ck_assert_msg (sqlite3_exec (store->db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s",
                   sqlite3_errmsg (store->db));
}

static inline int64_t fixture_number (store_t *store, const char *sql)
{
    sqlite3_stmt *statement;
    ck_assert_int_eq (sqlite3_prepare_v2 (store->db, sql, -1, &statement, NULL), SQLITE_OK);
    ck_assert_int_eq (sqlite3_step (statement), SQLITE_ROW);
    int64_t number = sqlite3_column_int64 (statement, 0);
    sqlite3_finalize (statement);
    return number;
}

#endif
