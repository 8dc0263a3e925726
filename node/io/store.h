/* SPDX-License-Identifier: MPL-2.0 */
/* The one database of a node: evomesh.db (SQLite, WAL, synchronous=FULL). All writes of a reactor turn go into one
 * transaction; what was committed survives kill -9 and power loss. */
#ifndef EVOMESH_NODE_IO_STORE_H
#define EVOMESH_NODE_IO_STORE_H

#include "crypto/statement.h"
#include "protocol/message.h"
#include "protocol/error.h"
#include "protocol/limits.h"

typedef struct store store_t;

/* Opens (or makes, if `create`) the database in `directory`. `read_only` opens it beside a running node, as the
 * commands that only look do. Without `create` one that lacks its tables is refused, also an empty one. NULL on failure, with the
 * problem: path, what failed, what to do. */
store_t *store_open (const char *directory, bool create, bool read_only, problem_t *problem);

/* Closes it; what was begun and not committed is lost. NULL is no error. */
void store_close (store_t **self_p);

/* Everything below that writes returns 0, ERROR_FULL (disk), ERROR_BOUND, ERROR_MEMORY or ERROR_IO. Outside of begin and
 * commit each write is a transaction of its own. Walks return 0, what `visit` returned, or one of these errors; `visit` may
 * use the store. */

/* --- one turn, one transaction; after a failure roll back --- */
int store_begin (store_t *self);
int store_commit (store_t *self);
void store_rollback (store_t *self); /* if nothing was begun: nothing */
bool store_in_transaction (const store_t *self);

/* What the last failure was, for people: the file, what was being done with it, what the system said. */
const char *store_problem (const store_t *self);

/* Says that what the database holds can't be true: its file, `what` is wrong with it (no text of `problem`'s), and what to do.
 * Returns -1. */
int store_damaged (const store_t *self, const char *what, problem_t *problem);

/* --- journal: the input events of the core, in order, each with the digest of the effects it gave --- */
int store_journal_append (store_t *self, const uint8_t *event, size_t size, const digest_t *effects);
/* Calls `visit` for each entry from that number on, in order; stops when it returns non-zero, and returns that. */
typedef int (journal_visit_fn) (void *context, uint64_t number, const uint8_t *event, size_t size,
                                const digest_t *effects);
int store_journal_walk (store_t *self, uint64_t from_number, journal_visit_fn *visit, void *context);
/* The number of the last entry (the first is 1); 0 if there is none. */
uint64_t store_journal_count (store_t *self);

/* --- checkpoints: what the core was behind the journal entry of that number; put and dropped in the turn's transaction --- */
int store_checkpoint_put (store_t *self, uint64_t number, const uint8_t *bytes, size_t size);
/* Malloc'ed and owned by the caller (free); NULL if there is none, or it no longer matches the digest it was written with. */
uint8_t *store_checkpoint_get (store_t *self, uint64_t number, size_t *size);
/* The newest one with a number below; 0 if there is none. */
uint64_t store_checkpoint_before (store_t *self, uint64_t number);
int store_checkpoint_drop (store_t *self, uint64_t number);
/* Refuses a database whose journal and checkpoints are gone while what came of them is there: a node that began anew over it would use
 * numbers of its statements twice. 0, or -1 with what was found and expected. */
int store_check_begun (store_t *self, problem_t *problem);

/* --- retention: what was long ago goes; freed pages are used again, and those at the end are given back --- */
/* Drops entries of the journal before that number. The newest is never dropped: numbers are places in history. */
int store_journal_trim (store_t *self, uint64_t from);
/* Drops all but the newest `keep` rows of TABLE_EVENT and, as far as they were rejected and the files of their candidates are gone, of
 * TABLE_IMPROVEMENT; and of `author`'s publications the EVENTs among all but the newest `keep`: a peer
 * that pulls them is told to go on behind them (docs/PROTOCOL.md). Rosters and packages are told of for ever. */
int store_events_trim (store_t *self, const pubkey_t *author, uint64_t keep);

/* Candidates whose files need not be kept: their records say so from now on, and of their trees and files those go that no kept candidate,
 * no snapshot, no package and no tree of `kept` has. What was put lately stays: it may be of a tree that is still to be told of. */
int store_retain (store_t *self, const hash_t *dropped, size_t dropped_count, const hash_t *kept,
                  size_t kept_count);

/* --- content by hash: files, candidate manifests, packages, charters. Putting what is there is no error. --- */
/* Sets `*id` also where it fails. ERROR_BOUND beyond LIMIT_CONTENT_BYTES. */
int store_content_put (store_t *self, const uint8_t *bytes, size_t size, digest_t *id);
/* The bytes of a content, malloc'ed and owned by the caller (free), or NULL if it isn't here; the hash is checked, and
 * a content that no longer matches counts as not here. */
uint8_t *store_content_get (store_t *self, const digest_t *id, size_t *size);
bool store_content_has (store_t *self, const digest_t *id);

/* --- statements, as they came; `publication` is the author's publication number, 0 if it is none --- */
int store_statement_put (store_t *self, const uint8_t *body, size_t body_size, const uint8_t seal[SEAL_BYTES],
                         uint64_t publication);
/* body and seal in one malloc'ed buffer (seal at its end, `*body_size` before it); NULL if it isn't here. */
uint8_t *store_statement_get (store_t *self, const digest_t *id, size_t *body_size);
typedef int (statement_visit_fn) (void *context, const uint8_t *body, size_t body_size,
                                  const uint8_t seal[SEAL_BYTES]);
/* The publications of `author` with number >= `from`, ascending, `limit` at most. */
int store_publications_walk (store_t *self, const pubkey_t *author, uint64_t from, size_t limit,
                             statement_visit_fn *visit, void *context);
/* The highest publication number stored for `author`; 0 if none. */
uint64_t store_publication_last (store_t *self, const pubkey_t *author);

/* --- records by table and key: improvements, events, candidates, snapshots: msgpack of protocol/record --- */
typedef enum {
    TABLE_IMPROVEMENT,
    TABLE_EVENT,
    TABLE_CANDIDATE,
    TABLE_SNAPSHOT,
    TABLE_PACKAGE,
    TABLE_COUNT
} table_t;
/* What its rows are: also its name in the database. */
const char *store_table_name (table_t table);
/* Inserts or replaces; order of first insertion is kept. */
int store_record_put (store_t *self, table_t table, const digest_t *key, const uint8_t *bytes, size_t size);
uint8_t *store_record_get (store_t *self, table_t table, const digest_t *key, size_t *size);
/* The newest record of a table stays: numbers are never used twice. */
int store_record_drop (store_t *self, table_t table, const digest_t *key);
/* In order of first insertion, those with number > `after`; `newest_first` turns it round. */
typedef int (record_visit_fn) (void *context, uint64_t number, const digest_t *key, const uint8_t *bytes,
                               size_t size);
int store_record_walk (store_t *self, table_t table, uint64_t after, bool newest_first,
                       record_visit_fn *visit, void *context);

/* --- small settings: group membership, sequence blocks; `name` is a short word --- */
int store_setting_put (store_t *self, const char *name, const uint8_t *bytes, size_t size);
uint8_t *store_setting_get (store_t *self, const char *name, size_t *size);

#endif
