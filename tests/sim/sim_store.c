/* SPDX-License-Identifier: MPL-2.0 */
/* A disk in memory, with transactions: what was committed stays, what was not is gone. */
#include "tests/sim/sim.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef enum { ROW_JOURNAL, ROW_CHECKPOINT, ROW_CONTENT, ROW_STATEMENT, ROW_RECORD } row_kind_t;
typedef struct {
    row_kind_t kind;
    record_table_t table;
    digest_t key;
    pubkey_t author;
    uint64_t publication;
    buffer_t bytes;
} row_t;

/* Rows in the order in which they were written; those from `committed` on are of the open transaction. Keys are found
 * through an index that is rebuilt when it grows. */
struct sim_store {
    row_t *rows;
    size_t count;
    size_t capacity;
    size_t committed;
    uint32_t *index;
    size_t index_size;
    row_t *undo; /* records that the open transaction overwrote */
    size_t *undo_at;
    size_t undo_count;
};

sim_store_t *sim_store_new (void)
{
    sim_store_t *self = calloc (1, sizeof *self);
    assert (self);
    return self;
}

void sim_store_destroy (sim_store_t **self_p)
{
    sim_store_t *self = *self_p;
    if (!self)
        return;
    sim_store_rollback (self);
    for (size_t i = 0; i < self->count; i++)
        buffer_clear (&self->rows[i].bytes);
    free (self->rows);
    free (self->index);
    free (self->undo);
    free (self->undo_at);
    free (self);
    *self_p = NULL;
}

static size_t s_slot (const sim_store_t *self, row_kind_t kind, record_table_t table, const digest_t *key)
{
    uint64_t hash;
    memcpy (&hash, key->bytes, sizeof hash);
    hash = (hash ^ (uint64_t)kind ^ ((uint64_t)table << 8)) * 0x9e3779b97f4a7c15u;
    size_t slot = (size_t)(hash >> 20) % self->index_size;
    while (self->index[slot]) {
        const row_t *row = &self->rows[self->index[slot] - 1];
        if (row->kind == kind && row->table == table && digest_equal (&row->key, key))
            break;
        slot = (slot + 1) % self->index_size;
    }
    return slot;
}

static void s_reindex (sim_store_t *self)
{
    if (self->index_size < 2 * self->count + 64) {
        free (self->index);
        self->index_size = 4 * self->count + 256;
        self->index = calloc (self->index_size, sizeof *self->index);
        assert (self->index);
    } else
        memset (self->index, 0, self->index_size * sizeof *self->index);
    for (size_t i = 0; i < self->count; i++)
        self->index[s_slot (self, self->rows[i].kind, self->rows[i].table, &self->rows[i].key)] =
            (uint32_t)i + 1;
}

static const row_t *s_find (const sim_store_t *self, row_kind_t kind, record_table_t table,
                            const digest_t *key)
{
    if (!self->index_size)
        return NULL;
    uint32_t at = self->index[s_slot (self, kind, table, key)];
    return at ? &self->rows[at - 1] : NULL;
}

static row_t *s_add (sim_store_t *self, row_kind_t kind, record_table_t table, const digest_t *key)
{
    if (self->count == self->capacity) {
        self->capacity = self->capacity ? 2 * self->capacity : 64;
        self->rows = realloc (self->rows, self->capacity * sizeof *self->rows);
        assert (self->rows);
    }
    row_t *row = &self->rows[self->count++];
    *row = (row_t){.kind = kind, .table = table, .key = *key};
    if (self->index_size < 2 * self->count + 64)
        s_reindex (self);
    else
        self->index[s_slot (self, kind, table, key)] = (uint32_t)self->count;
    return row;
}

int sim_store_begin (sim_store_t *self)
{
    assert (self->committed == self->count);
    return 0;
}

int sim_store_commit (sim_store_t *self)
{
    self->committed = self->count;
    for (size_t i = 0; i < self->undo_count; i++)
        buffer_clear (&self->undo[i].bytes);
    self->undo_count = 0;
    return 0;
}

void sim_store_rollback (sim_store_t *self)
{
    while (self->undo_count > 0) {
        size_t at = self->undo_at[--self->undo_count];
        buffer_clear (&self->rows[at].bytes);
        self->rows[at] = self->undo[self->undo_count];
    }
    while (self->count > self->committed)
        buffer_clear (&self->rows[--self->count].bytes);
    if (self->count)
        s_reindex (self);
    else if (self->index)
        memset (self->index, 0, self->index_size * sizeof *self->index);
}

/* --- journal: the key of an entry is the statement in it, if it is a RECEIVED --- */

void sim_store_append (sim_store_t *self, const uint8_t *event, size_t size, const digest_t *effects)
{
    event_t decoded;
    arena_t arena = {0};
    int rc = event_decode (event, size, &decoded, &arena);
    assert (rc == 0);
    (void)rc;
    digest_t key = digest_of (event, size);
    if (decoded.kind == EVENT_RECEIVED)
        key = statement_id (decoded.as.received.body.data, decoded.as.received.body.size,
                            decoded.as.received.seal.data);
    row_t *row = s_add (self, ROW_JOURNAL, 0, &key);
    buffer_append (&row->bytes, effects->bytes, DIGEST_BYTES);
    buffer_append (&row->bytes, event, size);
    arena_clear (&arena);
}

int sim_store_walk (sim_store_t *self, uint64_t from, journal_entry_fn *visit, void *visitor)
{
    uint64_t number = 0;
    for (size_t i = 0; i < self->count; i++) {
        const row_t *row = &self->rows[i];
        if (row->kind != ROW_JOURNAL || ++number < from)
            continue;
        digest_t effects;
        memcpy (effects.bytes, row->bytes.data, DIGEST_BYTES);
        int rc =
            visit (visitor, number, row->bytes.data + DIGEST_BYTES, row->bytes.size - DIGEST_BYTES, &effects);
        if (rc)
            return rc;
    }
    return 0;
}

/* --- checkpoints: the key is made of their number --- */

static digest_t s_checkpoint_key (uint64_t number)
{
    return digest_of (&number, sizeof number);
}

void sim_store_put_checkpoint (sim_store_t *self, uint64_t number, const uint8_t *bytes, size_t size)
{
    digest_t key = s_checkpoint_key (number);
    const row_t *there =
        s_find (self, ROW_CHECKPOINT, 0, &key); /* it could not be read, and is written again */
    assert (!there || (there->bytes.size == size && memcmp (there->bytes.data, bytes, size) == 0));
    if (there)
        return;
    row_t *row = s_add (self, ROW_CHECKPOINT, 0, &key);
    row->publication = number;
    buffer_append (&row->bytes, bytes, size);
}

const buffer_t *sim_store_checkpoint (const sim_store_t *self, uint64_t number)
{
    digest_t key = s_checkpoint_key (number);
    const row_t *row = s_find (self, ROW_CHECKPOINT, 0, &key);
    return row ? &row->bytes : NULL;
}

uint64_t sim_store_checkpoint_before (const sim_store_t *self, uint64_t number)
{
    uint64_t newest = 0;
    for (size_t i = 0; i < self->count; i++)
        if (self->rows[i].kind == ROW_CHECKPOINT && self->rows[i].publication > newest &&
            self->rows[i].publication < number)
            newest = self->rows[i].publication;
    return newest;
}

/* --- contents, statements, records --- */

void sim_store_put_content (sim_store_t *self, const uint8_t *bytes, size_t size)
{
    digest_t id = digest_of (bytes, size);
    if (!s_find (self, ROW_CONTENT, 0, &id))
        buffer_append (&s_add (self, ROW_CONTENT, 0, &id)->bytes, bytes, size);
}

const buffer_t *sim_store_content (const sim_store_t *self, const digest_t *id)
{
    const row_t *row = s_find (self, ROW_CONTENT, 0, id);
    return row ? &row->bytes : NULL;
}

void sim_store_put_statement (sim_store_t *self, const uint8_t *body, size_t size,
                              const uint8_t seal[SEAL_BYTES], uint64_t publication)
{
    digest_t id = statement_id (body, size, seal);
    if (s_find (self, ROW_STATEMENT, 0, &id))
        return;
    row_t *row = s_add (self, ROW_STATEMENT, 0, &id);
    row->author = statement_author (seal);
    row->publication = publication;
    statement_pack (body, size, seal, &row->bytes);
}

bool sim_store_has_statement (const sim_store_t *self, const digest_t *id)
{
    return s_find (self, ROW_STATEMENT, 0, id) || s_find (self, ROW_JOURNAL, 0, id);
}

int sim_store_publications (sim_store_t *self, const pubkey_t *author, uint64_t from, size_t limit,
                            publication_fn *visit, void *visitor)
{
    size_t given = 0;
    uint64_t last = 0;
    for (size_t i = 0; i < self->count && given < limit; i++) {
        const row_t *row = &self->rows[i];
        if (row->kind != ROW_STATEMENT || row->publication < from || row->publication == 0 ||
            !pubkey_equal (&row->author, author))
            continue;
        statement_t statement;
        int rc = statement_unpack (bytes_of (row->bytes.data, row->bytes.size), &statement);
        assert (rc == 0 && row->publication > last); /* they are published in order */
        last = row->publication;
        rc = visit (visitor, statement.body, statement.body_size, statement.seal);
        if (rc)
            return rc;
        given++;
    }
    return 0;
}

uint64_t sim_store_last_publication (const sim_store_t *self, const pubkey_t *author)
{
    uint64_t last = 0;
    for (size_t i = 0; i < self->count; i++)
        if (self->rows[i].kind == ROW_STATEMENT && self->rows[i].publication > last &&
            pubkey_equal (&self->rows[i].author, author))
            last = self->rows[i].publication;
    return last;
}

void sim_store_put_record (sim_store_t *self, record_table_t table, const digest_t *key, const uint8_t *bytes,
                           size_t size)
{
    const row_t *there = s_find (self, ROW_RECORD, table, key);
    row_t *row = there ? &self->rows[there - self->rows] : s_add (self, ROW_RECORD, table, key);
    if (there && (size_t)(there - self->rows) < self->committed) {
        self->undo = realloc (self->undo, (self->undo_count + 1) * sizeof *self->undo);
        self->undo_at = realloc (self->undo_at, (self->undo_count + 1) * sizeof *self->undo_at);
        assert (self->undo && self->undo_at);
        self->undo[self->undo_count] = *row;
        self->undo_at[self->undo_count++] = (size_t)(there - self->rows);
        row->bytes = (buffer_t){0};
    }
    row->bytes.size = 0;
    buffer_append (&row->bytes, bytes, size);
}

const buffer_t *sim_store_record (const sim_store_t *self, record_table_t table, const digest_t *key)
{
    const row_t *row = s_find (self, ROW_RECORD, table, key);
    return row ? &row->bytes : NULL;
}

void sim_store_records (const sim_store_t *self, record_table_t table, sim_record_fn *visit, void *context)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->rows[i].kind == ROW_RECORD && self->rows[i].table == table)
            visit (context, &self->rows[i].key, &self->rows[i].bytes);
}
