/* SPDX-License-Identifier: MPL-2.0 */
/* Surroundings for tests of a turn: a store in memory that can fail, and a trace of everything that the turn asks for, in
 * order. The core and the mesh are the real ones; of the group's two members one is never there. */
#ifndef EVOMESH_TESTS_LIB_TURN_RIG_H
#define EVOMESH_TESTS_LIB_TURN_RIG_H

#include "evolution/tree.h"
#include "node/turn.h"
#include "tests/lib/suite.h"

#define TURN_RIG_ROWS 512

/* Something kept: committed, or still of the open transaction. */
typedef struct {
    bool is_journal;     /* else a content, or a checkpoint */
    uint64_t checkpoint; /* behind which entry; 0: it is none */
    buffer_t bytes;
    digest_t digest; /* of the effects, or the content's id */
} turn_rig_row_t;

typedef struct {
    identity_t identity;
    group_t group;
    members_t members;
    buffer_t start;
    turn_rig_row_t rows[TURN_RIG_ROWS];
    size_t row_count;
    size_t committed;
    bool in_transaction;
    int begin_error; /* what the store fails with; 0: it works */
    int commit_error;
    int journal_error;
    uint64_t reserved;
    uint64_t trimmed;                     /* entries of the journal that are gone, from the first on */
    uint64_t checkpoint_interval_entries; /* 0: as in production */
    char trace[16384];
    effects_t jobs;      /* those that were asked for */
    bool answer_at_once; /* jobs are answered from within the port */
    turn_t *turn;
    uint64_t now_ms;
    uint64_t answered; /* operation of the last REPLY */
    bool answer_failed;
} turn_rig_t;

turn_rig_t *turn_rig_new (void);
void turn_rig_destroy (turn_rig_t *self);

/* A turn over what is kept: recovered, and started. */
int turn_rig_start (turn_rig_t *self);
/* Ends the turn as a crash does: what was not committed is gone. */
void turn_rig_crash (turn_rig_t *self);
/* Runs one turn, `after_ms` later. */
int turn_rig_run (turn_rig_t *self, uint64_t after_ms);
/* Runs turns as they fall due, up to `until_ms`. */
void turn_rig_run_until (turn_rig_t *self, uint64_t until_ms);

/* Entries of the journal, committed ones, of that kind; 0: all. */
size_t turn_rig_journal (const turn_rig_t *self, unsigned kind);
/* How often a word stands in the trace; and where it first does (SIZE_MAX: nowhere). */
size_t turn_rig_count (const turn_rig_t *self, const char *word);
size_t turn_rig_find (const turn_rig_t *self, const char *word);
/* Queues an answer to the newest job of a kind; false if there is none. */
bool turn_rig_evaluated (turn_rig_t *self, double value);
void turn_rig_command (turn_rig_t *self, uint64_t operation, const char *name);

#endif
