/* SPDX-License-Identifier: MPL-2.0 */
/* What the files of the store share, and its tests reach into. Nobody else includes this. */
#ifndef EVOMESH_NODE_IO_STORE_INTERNAL_H
#define EVOMESH_NODE_IO_STORE_INTERNAL_H

#include "node/io/store.h"

#include <sqlite3.h>

/* Every statement that is prepared once and kept. */
#define STORE_QUERIES(Q)                                                                                     \
    Q (BEGIN, "BEGIN IMMEDIATE")                                                                             \
    Q (COMMIT, "COMMIT")                                                                                     \
    Q (JOURNAL_APPEND, "INSERT INTO journal (event, effects) VALUES (?1, ?2)")                               \
    Q (JOURNAL_LAST, "SELECT COALESCE (MAX (number), 0) FROM journal")                                       \
    Q (CHECKPOINT_PUT, "INSERT OR REPLACE INTO checkpoint (number, digest, bytes) VALUES (?1, ?2, ?3)")      \
    Q (CHECKPOINT_DIGEST, "SELECT digest FROM checkpoint WHERE number = ?1")                                 \
    Q (CHECKPOINT_GET, "SELECT bytes FROM checkpoint WHERE number = ?1")                                     \
    Q (CHECKPOINT_BEFORE,                                                                                    \
       "SELECT COALESCE (MAX (number), 0) FROM checkpoint WHERE number > 0 AND number < ?1")                 \
    Q (CHECKPOINT_DROP, "DELETE FROM checkpoint WHERE number = ?1")                                          \
    Q (JOURNAL_TRIM, "DELETE FROM journal WHERE number < min (?1, (SELECT MAX (number) FROM journal))")      \
    Q (EVENT_TRIM, "DELETE FROM event WHERE number <= (SELECT MAX (number) FROM event) - ?1")                \
    Q (STATEMENT_DROP, "DELETE FROM statement WHERE number = ?1")                                            \
    Q (DOOM, "INSERT OR IGNORE INTO doomed (id) VALUES (?1)")                                                \
    Q (SPARE, "DELETE FROM doomed WHERE id = ?1")                                                            \
    Q (RECENT, "INSERT OR IGNORE INTO recent (id) VALUES (?1)")                                              \
    Q (CONTENT_DROP, "DELETE FROM content WHERE id IN (SELECT id FROM doomed EXCEPT SELECT id FROM recent)") \
    Q (DOOMED_LEFT, "DELETE FROM doomed WHERE id NOT IN (SELECT id FROM content)")                           \
    Q (CONTENT_PUT,                                                                                          \
       "INSERT INTO content (id, bytes) VALUES (?1, ?2) "                                                    \
       "ON CONFLICT (id) DO UPDATE SET bytes = excluded.bytes WHERE bytes IS NOT excluded.bytes")            \
    Q (CONTENT_GET, "SELECT bytes FROM content WHERE id = ?1")                                               \
    Q (STATEMENT_PUT,                                                                                        \
       "INSERT INTO statement (id, author, publication, body, seal) VALUES (?1, ?2, ?3, ?4, ?5) "            \
       "ON CONFLICT (id) DO UPDATE SET publication = excluded.publication "                                  \
       "WHERE publication = 0 AND excluded.publication > 0")                                                 \
    Q (STATEMENT_GET, "SELECT body, seal FROM statement WHERE id = ?1")                                      \
    Q (PUBLICATION_LAST, "SELECT COALESCE (MAX (publication), 0) FROM statement "                            \
                         "WHERE author = ?1 AND publication > 0")                                            \
    Q (SETTING_PUT, "INSERT INTO setting (name, bytes) VALUES (?1, ?2) "                                     \
                    "ON CONFLICT (name) DO UPDATE SET bytes = excluded.bytes")                               \
    Q (SETTING_GET, "SELECT bytes FROM setting WHERE name = ?1")

typedef enum {
#define QUERY_NAME(name, sql) QUERY_##name,
    STORE_QUERIES (QUERY_NAME)
#undef QUERY_NAME
        QUERY_COUNT
} query_t;

/* An import has 131 at most, a proposal 65, and they are told of within a turn or two: so many that some may come at once. */
#define STORE_RECENT 1024

typedef enum { RECORD_PUT, RECORD_GET, RECORD_DROP, RECORD_LAST, RECORD_QUERY_COUNT } record_query_t;

struct store {
    sqlite3 *db;
    sqlite3_stmt *queries[QUERY_COUNT]; /* prepared at first use */
    sqlite3_stmt *record_queries[TABLE_COUNT][RECORD_QUERY_COUNT];
    digest_t recent[STORE_RECENT]; /* contents that were put last, also such as were there, in a ring */
    size_t recent_next;
    bool has_retained; /* since it was opened */
    problem_t problem; /* the last failure */
};

/* Notes what sqlite says went wrong while `doing`. Returns ERROR_FULL, ERROR_MEMORY or ERROR_IO. */
int store_fail (store_t *self, const char *doing);

/* The kept statement, prepared at first use, its bindings clear; NULL on failure, which is noted. */
sqlite3_stmt *store_query (store_t *self, query_t query);

/* Prepares `sql` into `*statement`; returns 0 or notes the failure. The caller finalises. */
int store_prepare (store_t *self, const char *sql, sqlite3_stmt **statement);

/* Binds bytes that outlive the step. An empty blob is bound as such, never as NULL. */
void store_bind (sqlite3_stmt *statement, int parameter, const void *bytes, size_t size);
/* A number as it is bound: beyond what the database knows there is none, so the largest stands for it. */
int64_t store_bindable (uint64_t number);

/* Steps a statement that gives no rows and resets it. Returns 0 or notes the failure. */
int store_run (store_t *self, sqlite3_stmt *statement, const char *doing);

/* Steps to the next row: 1 there is one, 0 there is none, else the failure, which is noted. */
int store_row (store_t *self, sqlite3_stmt *statement, const char *doing);

/* Column 0 of a statement's single row, malloc'ed, with its size; NULL if there is none. Resets the statement. */
uint8_t *store_take_bytes (store_t *self, sqlite3_stmt *statement, const char *doing, size_t *size);

/* Column 0 of a statement's single row, a number; 0 if there is none. Resets the statement. */
uint64_t store_take_number (store_t *self, sqlite3_stmt *statement, const char *doing);

/* The number of the newest record of a table; 0 if there is none. */
uint64_t store_record_last (store_t *self, table_t table);

#endif
