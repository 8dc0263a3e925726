/* SPDX-License-Identifier: MPL-2.0 */
/* What retention drops. */
#include "node/io/store_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "evolution/improvement.h"
#include "evolution/tree.h"
#include "node/records.h"
#include "protocol/message.h"

#define AGAIN_MAX       1024 /* newest candidates that are looked at once more after a start */
#define FREED_PAGES_MAX 256  /* given back to the file system at a time: a megabyte */

/* Gives back some of the pages that are free. */
static int s_give_back (store_t *self)
{
    char sql[64];
    snprintf (sql, sizeof sql, "PRAGMA incremental_vacuum (%d)", FREED_PAGES_MAX);
    return sqlite3_exec (self->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0
                                                                       : store_fail (self, "freeing pages");
}

int store_journal_trim (store_t *self, uint64_t from)
{
    assert (self != NULL);
    sqlite3_stmt *statement = store_query (self, QUERY_JOURNAL_TRIM);
    if (statement != NULL)
        sqlite3_bind_int64 (statement, 1, store_bindable (from));
    int rc = store_run (self, statement, "dropping journal entries");
    return rc == 0 ? s_give_back (self) : rc;
}

/* --- events --- */

static int s_drop_statement (store_t *self, int64_t number)
{
    sqlite3_stmt *statement = store_query (self, QUERY_STATEMENT_DROP);
    if (statement != NULL)
        sqlite3_bind_int64 (statement, 1, number);
    return store_run (self, statement, "dropping a statement");
}

/* Drops the EVENTs among the publications before that one. */
static int s_trim_publications (store_t *self, const pubkey_t *author, uint64_t before)
{
    assert (author != NULL && before > 0);
    sqlite3_stmt *statement;
    int rc = store_prepare (self,
                            "SELECT number, body FROM statement WHERE author = ?1 AND publication > 0 "
                            "AND publication < ?2",
                            &statement);
    if (rc != 0)
        return rc;
    store_bind (statement, 1, author->bytes, PUBKEY_BYTES);
    sqlite3_bind_int64 (statement, 2, store_bindable (before));
    while ((rc = store_row (self, statement, "reading publications")) == 1) {
        const uint8_t *body = sqlite3_column_blob (statement, 1);
        size_t size = (size_t)sqlite3_column_bytes (statement, 1);
        if (body == NULL || statement_kind (body, size) != MESSAGE_EVENT)
            continue;
        rc = s_drop_statement (self, sqlite3_column_int64 (statement, 0));
        if (rc != 0)
            break;
    }
    sqlite3_finalize (statement);
    return rc;
}

typedef struct {
    store_t *store;
    uint64_t newest; /* improvement */
    uint64_t keep;
} forget_t;

static bool s_is_kept (store_t *self, const digest_t *candidate)
{
    size_t size;
    candidate_row_t row;
    arena_t arena = {0};
    uint8_t *bytes = store_record_get (self, TABLE_CANDIDATE, candidate, &size);
    bool kept = bytes != NULL &&
                record_decode (&candidate_row_record, bytes, size, &row, &arena, NULL) == 0 && !row.dropped;
    arena_clear (&arena);
    free (bytes);
    return kept;
}

/* Forgets an improvement that was refused and whose candidate nobody can look at any more. */
static int s_forget (void *context, uint64_t number, const digest_t *key, const uint8_t *bytes, size_t size)
{
    forget_t *self = context;
    improvement_row_t row;
    arena_t arena = {0};
    int rc = 0;
    if (number + self->keep > self->newest)
        return 1;
    if (record_decode (&improvement_row_record, bytes, size, &row, &arena, NULL) == 0 &&
        row.state == STATE_REJECTED && !s_is_kept (self->store, &row.candidate))
        rc = store_record_drop (self->store, TABLE_IMPROVEMENT, key);
    arena_clear (&arena);
    return rc;
}

static int s_newest (void *context, uint64_t number, const digest_t *key, const uint8_t *bytes, size_t size)
{
    (void)key, (void)bytes, (void)size;
    *(uint64_t *)context = number;
    return 1;
}

static int s_trim_improvements (store_t *self, uint64_t keep)
{
    assert (keep > 0);
    forget_t forget = {.store = self, .keep = keep};
    int rc = store_record_walk (self, TABLE_IMPROVEMENT, 0, true, s_newest, &forget.newest);
    if (rc >= 0)
        rc = store_record_walk (self, TABLE_IMPROVEMENT, 0, false, s_forget, &forget);
    return rc < 0 ? rc : 0;
}

int store_events_trim (store_t *self, const pubkey_t *author, uint64_t keep)
{
    assert (self != NULL && author != NULL && keep > 0);
    sqlite3_stmt *statement = store_query (self, QUERY_EVENT_TRIM);
    if (statement != NULL)
        sqlite3_bind_int64 (statement, 1, store_bindable (keep));
    int rc = store_run (self, statement, "dropping events");
    uint64_t last = store_publication_last (self, author);
    if (rc == 0 && last > keep)
        rc = s_trim_publications (self, author, last - keep + 1);
    if (rc == 0)
        rc = s_trim_improvements (self, keep);
    return rc == 0 ? s_give_back (self) : rc;
}

/* --- candidates ---
 *
 * What the dropped ones have is listed in a table of this connection, and struck off it again as far as something that stays has it.
 * The rest goes, but for what was put lately: that stays on the list for the next time. */

static int s_on_id (store_t *self, query_t query, const digest_t *id)
{
    assert (query == QUERY_DOOM || query == QUERY_SPARE || query == QUERY_RECENT);
    sqlite3_stmt *statement = store_query (self, query);
    if (statement != NULL)
        store_bind (statement, 1, id->bytes, DIGEST_BYTES);
    return store_run (self, statement, "dropping files of candidates");
}

/* Lists, or strikes off, a tree and the files that it names; what is no tree, or isn't here, has none. */
static int s_on_tree (store_t *self, query_t query, const digest_t *id)
{
    size_t size;
    tree_t tree = {0};
    digest_t evaluator;
    int rc = s_on_id (self, query, id);
    uint8_t *bytes = rc == 0 ? store_content_get (self, id, &size) : NULL;
    if (bytes != NULL && tree_decode (bytes, size, &tree, &evaluator) == 0)
        for (size_t i = 0; i < tree.count && rc == 0; i++)
            rc = s_on_id (self, query, &tree.files[i].content);
    tree_clear (&tree);
    free (bytes);
    return rc;
}

/* Says in a candidate's record that its files are gone, and lets go of what was told of it. */
static int s_mark (store_t *self, const digest_t *id)
{
    size_t size;
    candidate_row_t row;
    arena_t arena = {0};
    buffer_t marked = {0};
    uint8_t *bytes = store_record_get (self, TABLE_CANDIDATE, id, &size);
    int rc = 0;
    if (bytes != NULL && record_decode (&candidate_row_record, bytes, size, &row, &arena, NULL) == 0) {
        row.dropped = 1;
        row.detail = text_of ("");
        record_encode (&candidate_row_record, &row, &marked);
        rc = marked.failed ? ERROR_MEMORY
                           : store_record_put (self, TABLE_CANDIDATE, id, marked.data, marked.size);
    }
    buffer_clear (&marked);
    arena_clear (&arena);
    free (bytes);
    return rc;
}

static int s_spare_candidate (void *context, uint64_t number, const digest_t *key, const uint8_t *bytes,
                              size_t size)
{
    (void)number;
    candidate_row_t row;
    arena_t arena = {0};
    int rc = 0;
    if (record_decode (&candidate_row_record, bytes, size, &row, &arena, NULL) != 0 || !row.dropped)
        rc = s_on_tree (context, QUERY_SPARE, key);
    arena_clear (&arena);
    return rc;
}

static int s_spare_snapshot (void *context, uint64_t number, const digest_t *key, const uint8_t *bytes,
                             size_t size)
{
    (void)number, (void)key;
    snapshot_row_t row;
    arena_t arena = {0};
    int rc = 0;
    if (record_decode (&snapshot_row_record, bytes, size, &row, &arena, NULL) == 0) {
        rc = s_on_tree (context, QUERY_SPARE, &row.release);
        if (rc == 0)
            rc = s_on_tree (context, QUERY_SPARE, &row.next);
    }
    arena_clear (&arena);
    return rc;
}

static int s_spare_package (void *context, uint64_t number, const digest_t *key, const uint8_t *bytes,
                            size_t size)
{
    (void)number, (void)bytes, (void)size;
    size_t packed_size;
    pubkey_t author;
    message_t message;
    uint8_t *packed = store_content_get (context, key, &packed_size);
    int rc = 0;
    if (packed != NULL &&
        statement_open (bytes_of (packed, packed_size), MESSAGE_PACKAGE, &message, &author, NULL) == 0) {
        const package_t *package = &message.as.package;
        digest_t base = digest_of (package->base.data, package->base.size);
        digest_t candidate = digest_of (package->candidate.data, package->candidate.size);
        rc = s_on_tree (context, QUERY_SPARE, &base);
        if (rc == 0)
            rc = s_on_tree (context, QUERY_SPARE, &candidate);
        message_clear (&message);
    }
    free (packed);
    return rc;
}

typedef struct {
    store_t *store;
    size_t left;
} again_t;

static int s_doom_again (void *context, uint64_t number, const digest_t *key, const uint8_t *bytes,
                         size_t size)
{
    again_t *self = context;
    (void)number;
    candidate_row_t row;
    arena_t arena = {0};
    int rc = 0;
    if (self->left-- == 0)
        return 1;
    if (record_decode (&candidate_row_record, bytes, size, &row, &arena, NULL) == 0 && row.dropped)
        rc = s_on_tree (self->store, QUERY_DOOM, key);
    arena_clear (&arena);
    return rc;
}

/* What was on the list when the last process ended, and had been put lately, is of the newest candidates. */
static int s_doom_left_over (store_t *self)
{
    again_t again = {self, AGAIN_MAX};
    int rc =
        self->has_retained ? 0 : store_record_walk (self, TABLE_CANDIDATE, 0, true, s_doom_again, &again);
    self->has_retained = true;
    return rc < 0 ? rc : 0;
}

/* Strikes off what something that stays has. */
static int s_spare_all (store_t *self, const hash_t *kept, size_t kept_count)
{
    int rc = store_record_walk (self, TABLE_CANDIDATE, 0, false, s_spare_candidate, self);
    if (rc == 0)
        rc = store_record_walk (self, TABLE_SNAPSHOT, 0, false, s_spare_snapshot, self);
    if (rc == 0)
        rc = store_record_walk (self, TABLE_PACKAGE, 0, false, s_spare_package, self);
    for (size_t i = 0; i < kept_count && rc == 0; i++)
        rc = s_on_tree (self, QUERY_SPARE, &kept[i].id);
    return rc;
}

static int s_drop_doomed (store_t *self)
{
    assert (self->has_retained);
    int rc = 0;
    for (size_t i = 0; i < STORE_RECENT && rc == 0; i++)
        if (!digest_is_zero (&self->recent[i]))
            rc = s_on_id (self, QUERY_RECENT, &self->recent[i]);
    if (rc == 0)
        rc = store_run (self, store_query (self, QUERY_CONTENT_DROP), "dropping files of candidates");
    if (rc == 0)
        rc = store_run (self, store_query (self, QUERY_DOOMED_LEFT), "dropping files of candidates");
    return rc;
}

int store_retain (store_t *self, const hash_t *dropped, size_t dropped_count, const hash_t *kept,
                  size_t kept_count)
{
    assert (self != NULL && (dropped != NULL || dropped_count == 0) && (kept != NULL || kept_count == 0));
    static const char list[] = "CREATE TEMP TABLE IF NOT EXISTS doomed (id BLOB PRIMARY KEY) WITHOUT ROWID;"
                               "CREATE TEMP TABLE IF NOT EXISTS recent (id BLOB PRIMARY KEY) WITHOUT ROWID;"
                               "DELETE FROM temp.recent";
    if (sqlite3_exec (self->db, list, NULL, NULL, NULL) != SQLITE_OK)
        return store_fail (self, "dropping files of candidates");
    int rc = s_doom_left_over (self);
    for (size_t i = 0; i < dropped_count && rc == 0; i++) {
        rc = s_mark (self, &dropped[i].id);
        if (rc == 0)
            rc = s_on_tree (self, QUERY_DOOM, &dropped[i].id);
    }
    if (rc == 0)
        rc = s_spare_all (self, kept, kept_count);
    if (rc == 0)
        rc = s_drop_doomed (self);
    return rc == 0 ? s_give_back (self) : rc;
}
