/* SPDX-License-Identifier: MPL-2.0 */
/* Contents and statements: bytes that are named by their digest. */
#include "node/io/store_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* --- content --- */

int store_content_put (store_t *self, const uint8_t *bytes, size_t size, digest_t *id)
{
    assert (self != NULL && id != NULL);
    *id = digest_of (bytes, size);
    self->recent[self->recent_next++ % STORE_RECENT] = *id;
    if (size > LIMIT_CONTENT_BYTES) {
        problem_set (&self->problem, "a content of %zu bytes is larger than %d", size, LIMIT_CONTENT_BYTES);
        return ERROR_BOUND;
    }
    sqlite3_stmt *statement = store_query (self, QUERY_CONTENT_PUT);
    if (statement != NULL) {
        store_bind (statement, 1, id->bytes, DIGEST_BYTES);
        store_bind (statement, 2, bytes, size);
    }
    return store_run (self, statement, "storing a content");
}

uint8_t *store_content_get (store_t *self, const digest_t *id, size_t *size)
{
    assert (self != NULL && id != NULL && size != NULL);
    sqlite3_stmt *statement = store_query (self, QUERY_CONTENT_GET);
    if (statement != NULL)
        store_bind (statement, 1, id->bytes, DIGEST_BYTES);
    uint8_t *bytes = store_take_bytes (self, statement, "reading a content", size);
    if (bytes == NULL)
        return NULL;
    digest_t found = digest_of (bytes, *size);
    if (digest_equal (&found, id))
        return bytes;
    char text[DIGEST_TEXT_BYTES];
    digest_text (id, text);
    problem_set (&self->problem, "content %s is damaged on disk: it counts as missing", text);
    free (bytes);
    return NULL;
}

bool store_content_has (store_t *self, const digest_t *id)
{
    assert (self != NULL && id != NULL);
    size_t size;
    uint8_t *bytes = store_content_get (self, id, &size);
    free (bytes);
    return bytes != NULL;
}

/* --- statements --- */

int store_statement_put (store_t *self, const uint8_t *body, size_t body_size, const uint8_t seal[SEAL_BYTES],
                         uint64_t publication)
{
    assert (self != NULL);
    if (publication > INT64_MAX) {
        problem_set (&self->problem, "publication number %llu is beyond any that is reached",
                     (unsigned long long)publication);
        return ERROR_BOUND;
    }
    digest_t id = statement_id (body, body_size, seal);
    pubkey_t author = statement_author (seal);
    sqlite3_stmt *statement = store_query (self, QUERY_STATEMENT_PUT);
    if (statement != NULL) {
        store_bind (statement, 1, id.bytes, DIGEST_BYTES);
        store_bind (statement, 2, author.bytes, PUBKEY_BYTES);
        sqlite3_bind_int64 (statement, 3, (int64_t)publication);
        store_bind (statement, 4, body, body_size);
        store_bind (statement, 5, seal, SEAL_BYTES);
    }
    return store_run (self, statement, "storing a statement");
}

/* The row's body (column 0) and seal (column 1), one after the other, malloc'ed; NULL if they aren't as written. */
static uint8_t *s_copy_row (sqlite3_stmt *statement, const digest_t *id, size_t *body_size)
{
    const uint8_t *body = sqlite3_column_blob (statement, 0), *seal = sqlite3_column_blob (statement, 1);
    size_t size = (size_t)sqlite3_column_bytes (statement, 0);
    if (body == NULL || seal == NULL || sqlite3_column_bytes (statement, 1) != SEAL_BYTES)
        return NULL;
    digest_t found = statement_id (body, size, seal);
    uint8_t *bytes = digest_equal (&found, id) ? malloc (size + SEAL_BYTES) : NULL;
    if (bytes == NULL)
        return NULL;
    memcpy (bytes, body, size);
    memcpy (bytes + size, seal, SEAL_BYTES);
    *body_size = size;
    return bytes;
}

uint8_t *store_statement_get (store_t *self, const digest_t *id, size_t *body_size)
{
    assert (self != NULL && id != NULL && body_size != NULL);
    sqlite3_stmt *statement = store_query (self, QUERY_STATEMENT_GET);
    if (statement == NULL)
        return NULL;
    store_bind (statement, 1, id->bytes, DIGEST_BYTES);
    uint8_t *bytes = NULL;
    if (store_row (self, statement, "reading a statement") == 1)
        bytes = s_copy_row (statement, id, body_size);
    sqlite3_reset (statement);
    sqlite3_clear_bindings (statement);
    return bytes;
}

int store_publications_walk (store_t *self, const pubkey_t *author, uint64_t from, size_t limit,
                             statement_visit_fn *visit, void *context)
{
    assert (self != NULL && author != NULL);
    sqlite3_stmt *statement; /* its own, as `visit` may use the store */
    int rc = store_prepare (self,
                            "SELECT body, seal, id FROM statement WHERE author = ?1 AND publication > 0 "
                            "AND publication >= ?2 ORDER BY publication, number LIMIT ?3",
                            &statement);
    if (rc != 0)
        return rc;
    store_bind (statement, 1, author->bytes, PUBKEY_BYTES);
    sqlite3_bind_int64 (statement, 2, from > INT64_MAX ? INT64_MAX : (int64_t)from);
    sqlite3_bind_int64 (statement, 3, limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
    while ((rc = store_row (self, statement, "reading publications")) == 1) {
        digest_t id = {{0}};
        size_t size;
        if (sqlite3_column_bytes (statement, 2) == DIGEST_BYTES)
            memcpy (id.bytes, sqlite3_column_blob (statement, 2), DIGEST_BYTES);
        uint8_t *bytes = s_copy_row (statement, &id, &size);
        if (bytes == NULL)
            continue; /* damaged on disk: a peer will ask someone else */
        rc = visit (context, bytes, size, bytes + size);
        free (bytes);
        if (rc != 0)
            break;
    }
    sqlite3_finalize (statement);
    return rc;
}

uint64_t store_publication_last (store_t *self, const pubkey_t *author)
{
    assert (self != NULL && author != NULL);
    sqlite3_stmt *statement = store_query (self, QUERY_PUBLICATION_LAST);
    if (statement != NULL)
        store_bind (statement, 1, author->bytes, PUBKEY_BYTES);
    return store_take_number (self, statement, "reading publications");
}
