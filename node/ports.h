/* SPDX-License-Identifier: MPL-2.0 */
/* The ports: everything that a turn asks of its surroundings, as a table of functions. In production they are the store, the
 * bus, the executor and the control socket; in the simulator, memory and virtual time.
 *
 * Those that can fail return 0 or an error of protocol/error.h. All pointers are borrowed for the call. */
#ifndef EVOMESH_NODE_PORTS_H
#define EVOMESH_NODE_PORTS_H

#include "node/effect.h"
#include "node/records.h"
#include "protocol/mesh.h"

/* Who a link key is. */
typedef enum { LINK_STRANGER, LINK_INVITED, LINK_MEMBER, LINK_REVOKED } link_standing_t;

typedef enum { TURN_LOG_ERROR = 1, TURN_LOG_WARNING, TURN_LOG_INFO, TURN_LOG_DEBUG } turn_log_t;

/* Takes an entry of the journal; a value other than 0 ends the walk. */
typedef int (journal_entry_fn) (void *context, uint64_t number, const uint8_t *event, size_t size,
                                const digest_t *effects);
/* Takes a publication: packed statement split in its parts; other than 0 ends the walk. */
typedef int (publication_fn) (void *context, const uint8_t *body, size_t body_size,
                              const uint8_t seal[SEAL_BYTES]);

typedef struct {
    void *context; /* first argument of each */

    /* --- what is kept. Between begin and commit all writes are one: after commit they survive anything; after rollback
     * there is nothing of them. Reads see what was written before, in the same turn too. --- */
    int (*begin) (void *context);
    int (*commit) (void *context);
    void (*rollback) (void *context);
    int (*journal_append) (void *context, const uint8_t *event, size_t size, const digest_t *effects);
    /* Entries from that number on, the first is 1, in order; those before a checkpoint may be gone. */
    int (*journal_walk) (void *context, uint64_t from, journal_entry_fn *visit, void *visitor);
    /* Checkpoints: what the core was behind the entry of that number. */
    int (*checkpoint_put) (void *context, uint64_t number, const uint8_t *bytes, size_t size);
    uint8_t *(*checkpoint_get) (void *context, uint64_t number,
                                size_t *size); /* malloc'ed; NULL: not here, or damaged */
    uint64_t (*checkpoint_before) (void *context, uint64_t number); /* the newest of those before; 0: none */
    int (*checkpoint_drop) (void *context, uint64_t number);
    /* Retention: drops entries before `journal_from`, and of what only tells people and peers what happened all but the newest `events`. */
    int (*trim) (void *context, uint64_t journal_from, uint64_t events);
    int (*put_statement) (void *context, const uint8_t *body, size_t body_size,
                          const uint8_t seal[SEAL_BYTES], uint64_t publication);
    int (*put_record) (void *context, record_table_t table, const digest_t *key, const uint8_t *bytes,
                       size_t size);
    int (*put_content) (void *context, const uint8_t *bytes, size_t size);
    /* Retention: drops the files of candidates that nothing else has, and marks their records. */
    int (*retain) (void *context, const persist_drop_t *retain);
    uint8_t *(*get_content) (void *context, const digest_t *id, size_t *size); /* malloc'ed; NULL: not here */
    bool (*has_content) (void *context, const digest_t *id);
    /* Publications of `author` with a number >= `from`, ascending, `limit` at most. */
    int (*walk_publications) (void *context, const pubkey_t *author, uint64_t from, size_t limit,
                              publication_fn *visit, void *visitor);
    uint64_t (*last_publication) (void *context, const pubkey_t *author); /* 0: none */
    /* Live sequence numbers below `number` may be in use from now on. */
    int (*reserve_seq) (void *context, uint64_t number);

    /* --- links. Nothing here fails: what can't be sent is lost, as on any network. --- */
    void (*connect) (void *context, const mesh_output_t *output); /* peer, curve, addresses */
    void (*disconnect) (void *context, const pubkey_t *curve);
    void (*send) (void *context, const pubkey_t *curve, const uint8_t *body, size_t size,
                  const uint8_t seal[SEAL_BYTES]);
    void (*reply) (void *context, const pubkey_t *curve, const uint8_t *body, size_t size,
                   const uint8_t seal[SEAL_BYTES]);
    void (*publish) (void *context, const uint8_t *body, size_t size, const uint8_t seal[SEAL_BYTES]);
    void (*set_standing) (void *context, const pubkey_t *curve, link_standing_t standing);

    /* --- jobs: PROPOSE, EVALUATE, CANCEL, MERGE, LOAD, SNAPSHOT, APPLY, RESTORE. The result comes back as an event, on a later
     * turn (turn_event). --- */
    void (*job) (void *context, const effect_t *effect);

    /* --- people --- */
    void (*notify) (void *context, const notify_t *event);
    void (*answer) (void *context, const reply_t *reply); /* to a COMMAND */
    void (*log) (void *context, turn_log_t level, const char *event, const char *text);
} ports_t;

#endif
