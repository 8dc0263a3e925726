/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/store_ports.h"

#include <assert.h>

#include "node/io/membership.h"

/* A pointer to a struct is one to its first member. */
static store_t *s_store (void *context)
{
    store_t *store = *(store_t **)context;
    assert (store != NULL);
    return store;
}

static int s_begin (void *context)
{
    return store_begin (s_store (context));
}

static int s_commit (void *context)
{
    return store_commit (s_store (context));
}

static void s_rollback (void *context)
{
    store_rollback (s_store (context));
}

static int s_journal_append (void *context, const uint8_t *event, size_t size, const digest_t *effects)
{
    return store_journal_append (s_store (context), event, size, effects);
}

static int s_journal_walk (void *context, uint64_t from, journal_entry_fn *visit, void *visitor)
{
    return store_journal_walk (s_store (context), from, visit, visitor);
}

static int s_checkpoint_put (void *context, uint64_t number, const uint8_t *bytes, size_t size)
{
    return store_checkpoint_put (s_store (context), number, bytes, size);
}

static uint8_t *s_checkpoint_get (void *context, uint64_t number, size_t *size)
{
    return store_checkpoint_get (s_store (context), number, size);
}

static uint64_t s_checkpoint_before (void *context, uint64_t number)
{
    return store_checkpoint_before (s_store (context), number);
}

static int s_checkpoint_drop (void *context, uint64_t number)
{
    return store_checkpoint_drop (s_store (context), number);
}

static int s_trim (void *context, uint64_t journal_from, uint64_t events)
{
    (void)events; /* whose they are, the node knows: reactor_ports.c */
    return store_journal_trim (s_store (context), journal_from);
}

static int s_put_statement (void *context, const uint8_t *body, size_t body_size,
                            const uint8_t seal[SEAL_BYTES], uint64_t publication)
{
    return store_statement_put (s_store (context), body, body_size, seal, publication);
}

int store_ports_put_record (void *context, record_table_t table, const digest_t *key, const uint8_t *bytes,
                            size_t size)
{
    assert (key != NULL);
    _Static_assert((int)RECORD_IMPROVEMENT == (int)TABLE_IMPROVEMENT &&
                       (int)RECORD_PACKAGE == (int)TABLE_PACKAGE,
                   "the core's tables are the store's");
    assert ((unsigned)table < TABLE_COUNT);
    return store_record_put (s_store (context), (table_t)table, key, bytes, size);
}

static int s_retain (void *context, const persist_drop_t *retain)
{
    return store_retain (s_store (context), retain->dropped.items, retain->dropped.count, retain->kept.items,
                         retain->kept.count);
}

static int s_put_content (void *context, const uint8_t *bytes, size_t size)
{
    digest_t id;
    return store_content_put (s_store (context), bytes, size, &id);
}

static uint8_t *s_get_content (void *context, const digest_t *id, size_t *size)
{
    return store_content_get (s_store (context), id, size);
}

static bool s_has_content (void *context, const digest_t *id)
{
    return store_content_has (s_store (context), id);
}

static int s_walk_publications (void *context, const pubkey_t *author, uint64_t from, size_t limit,
                                publication_fn *visit, void *visitor)
{
    return store_publications_walk (s_store (context), author, from, limit, visit, visitor);
}

static uint64_t s_last_publication (void *context, const pubkey_t *author)
{
    return store_publication_last (s_store (context), author);
}

static int s_reserve_seq (void *context, uint64_t number)
{
    return membership_save_live_seq (s_store (context), number);
}

void store_ports (ports_t *ports)
{
    assert (ports->context != NULL);
    ports->begin = s_begin;
    ports->commit = s_commit;
    ports->rollback = s_rollback;
    ports->journal_append = s_journal_append;
    ports->journal_walk = s_journal_walk;
    ports->checkpoint_put = s_checkpoint_put;
    ports->checkpoint_get = s_checkpoint_get;
    ports->checkpoint_before = s_checkpoint_before;
    ports->checkpoint_drop = s_checkpoint_drop;
    ports->trim = s_trim;
    ports->put_statement = s_put_statement;
    ports->put_record = store_ports_put_record;
    ports->retain = s_retain;
    ports->put_content = s_put_content;
    ports->get_content = s_get_content;
    ports->has_content = s_has_content;
    ports->walk_publications = s_walk_publications;
    ports->last_publication = s_last_publication;
    ports->reserve_seq = s_reserve_seq;
}
