/* SPDX-License-Identifier: MPL-2.0 */
/* The database's file and tables: made, checked, opened and closed. */
#define _GNU_SOURCE /* O_CLOEXEC */
#include "node/io/store_internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/io/file.h"

#define FILE_NAME       "evomesh.db"
#define APPLICATION_ID  0x65766d68 /* "evmh": tells our database from another program's */
#define SCHEMA_VERSION  2
#define SCHEMA_OBJECTS  11 /* tables and indices with a name */
#define BUSY_TIMEOUT_MS 5000

/* The newest row is never deleted, so numbers are never used twice: a number is a place in history. */
#define RECORD_TABLE_SQL(name) \
    "CREATE TABLE " name " (number INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, bytes BLOB NOT NULL);"

static const char s_schema[] =
    "CREATE TABLE journal (number INTEGER PRIMARY KEY, event BLOB NOT NULL, effects BLOB NOT "
    "NULL);"
    "CREATE TABLE checkpoint (number INTEGER PRIMARY KEY, digest BLOB NOT NULL, bytes BLOB NOT NULL);"
    "CREATE TABLE content (number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, bytes BLOB NOT NULL);"
    "CREATE TABLE statement (number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, author BLOB NOT NULL,"
    " publication INTEGER NOT NULL, body BLOB NOT NULL, seal BLOB NOT NULL);"
    "CREATE INDEX publications ON statement (author, publication) WHERE publication > 0;"
    "CREATE TABLE setting (name TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;" RECORD_TABLE_SQL (
        "improvement") RECORD_TABLE_SQL ("event") RECORD_TABLE_SQL ("candidate") RECORD_TABLE_SQL ("snapshot")
        RECORD_TABLE_SQL ("package");

static int s_execute (store_t *self, const char *sql, const char *doing)
{
    return sqlite3_exec (self->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : store_fail (self, doing);
}

/* The number that `sql` gives, or -1, which is noted. */
static int64_t s_number (store_t *self, const char *sql)
{
    sqlite3_stmt *statement;
    if (store_prepare (self, sql, &statement) != 0)
        return -1;
    int64_t number =
        store_row (self, statement, "opening it") == 1 ? sqlite3_column_int64 (statement, 0) : -1;
    sqlite3_finalize (statement);
    return number;
}

static int s_create_schema (store_t *self)
{
    static const char doing[] = "making its tables";
    char versions[128];
    snprintf (versions, sizeof versions, "PRAGMA application_id = %d; PRAGMA user_version = %d;",
              APPLICATION_ID, SCHEMA_VERSION);
    if (s_execute (self, "PRAGMA auto_vacuum = INCREMENTAL", doing) == 0 &&
        s_execute (self, "BEGIN IMMEDIATE", doing) == 0 && s_execute (self, s_schema, doing) == 0 &&
        s_execute (self, versions, doing) == 0 && s_execute (self, "COMMIT", doing) == 0)
        return 0;
    store_rollback (self);
    return -1;
}

/* The tables and the index of s_schema are all there. */
static int s_check_tables (store_t *self)
{
    static const char sql[] =
        "SELECT count (*) FROM sqlite_schema WHERE name IN ('journal', 'checkpoint', 'content', "
        "'statement', 'publications', 'setting', 'improvement', 'event', 'candidate', 'snapshot', 'package')";
    int64_t found = s_number (self, sql);
    if (found < 0)
        return -1;
    return found == SCHEMA_OBJECTS ? 0 : store_damaged (self, "some of its tables are gone", &self->problem);
}

/* Makes the tables in an empty database if that is asked for; refuses another program's, one of a later evomesh, and one that was
 * emptied. */
static int s_check_schema (store_t *self, const char *path, bool create)
{
    int64_t tables = s_number (self, "SELECT count (*) FROM sqlite_schema");
    int64_t application = s_number (self, "PRAGMA application_id");
    int64_t version = s_number (self, "PRAGMA user_version");
    if (tables < 0 || application < 0 || version < 0)
        return -1;
    if (tables == 0)
        return create ? s_create_schema (self) : store_damaged (self, "it is empty", &self->problem);
    if (application != APPLICATION_ID)
        return problem_set (&self->problem, "%s is not a database of evomesh: choose another directory",
                            path);
    if (version != SCHEMA_VERSION)
        return problem_set (&self->problem,
                            "%s has schema version %lld and this evomesh knows version %d: run the evomesh "
                            "that made it, or a later one",
                            path, (long long)version, SCHEMA_VERSION);
    return s_check_tables (self);
}

/* WAL: one writer and any number of readers beside it. FULL: a commit is on disk when it returns. */
static int s_configure (store_t *self)
{
    sqlite3_stmt *statement;
    if (store_prepare (self, "PRAGMA journal_mode = WAL", &statement) != 0)
        return -1;
    int rc = store_row (self, statement, "switching to write-ahead logging");
    const unsigned char *mode = rc == 1 ? sqlite3_column_text (statement, 0) : NULL;
    bool is_wal = mode != NULL && strcmp ((const char *)mode, "wal") == 0;
    sqlite3_finalize (statement);
    if (rc != 1)
        return -1;
    if (!is_wal)
        return problem_set (&self->problem,
                            "%s: its file system can't hold a write-ahead log (shared memory); put the data "
                            "directory on a local disk",
                            sqlite3_db_filename (self->db, "main"));
    return s_execute (
        self, "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216; PRAGMA temp_store = MEMORY;",
        "setting it up");
}

/* What is refused stays as it is: the log comes last, as switching to it writes. */
static int s_set_up (store_t *self, const char *path, bool create, bool read_only)
{
    sqlite3_extended_result_codes (self->db, 1);
    sqlite3_busy_timeout (self->db, BUSY_TIMEOUT_MS);
    if (s_check_schema (self, path, create) != 0)
        return -1;
    return read_only ? 0 : s_configure (self);
}

/* The file is made here, not by sqlite, so that it and its companions are the owner's alone. One that is there is not
 * opened: closing it again would drop the locks of this process's other connections (POSIX locks work so). */
static int s_make_file (const char *path, bool create, problem_t *problem)
{
    assert (path != NULL);
    struct stat status;
    if (lstat (path, &status) == 0) {
        if (S_ISREG (status.st_mode))
            return 0;
        return problem_set (problem, "%s: expected a regular file", path);
    }
    if (errno == ENOENT && !create)
        return problem_set (problem,
                            "%s: not found: run `evomesh init`, or name the data directory with --dir", path);
    int file = errno == ENOENT ? open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    if (file < 0)
        return problem_set (problem, "%s: can't be made: %s", path, file_reason (errno));
    close (file);
    return 0;
}

store_t *store_open (const char *directory, bool create, bool read_only, problem_t *problem)
{
    assert (!(create && read_only));
    char path[PATH_MAX];
    if (snprintf (path, sizeof path, "%s/%s", directory, FILE_NAME) >= (int)sizeof path) {
        problem_set (problem, "%s: path too long", directory);
        return NULL;
    }
    if (s_make_file (path, create, problem) != 0)
        return NULL;
    store_t *self = calloc (1, sizeof *self);
    if (self == NULL) {
        problem_set (problem, "out of memory");
        return NULL;
    }
    int flags = SQLITE_OPEN_NOMUTEX | (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
    int opened = sqlite3_open_v2 (path, &self->db, flags, NULL);
    if (opened != SQLITE_OK)
        problem_set (problem, "%s: %s", path, sqlite3_errstr (opened));
    else if (s_set_up (self, path, create, read_only) == 0)
        return self;
    else
        problem_set (problem, "%s", self->problem.text);
    store_close (&self);
    return NULL;
}

void store_close (store_t **self_p)
{
    assert (self_p != NULL);
    store_t *self = *self_p;
    if (self == NULL)
        return;
    for (size_t i = 0; i < QUERY_COUNT; i++)
        sqlite3_finalize (self->queries[i]);
    for (size_t table = 0; table < TABLE_COUNT; table++)
        for (size_t i = 0; i < RECORD_QUERY_COUNT; i++)
            sqlite3_finalize (self->record_queries[table][i]);
    int closed = sqlite3_close (self->db);
    assert (closed == SQLITE_OK); /* a statement left open is a bug */
    free (self);
    *self_p = NULL;
}
