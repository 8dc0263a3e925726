/* SPDX-License-Identifier: MPL-2.0 */
/* The inside of a turn, for node/turn*.c only. */
#ifndef EVOMESH_NODE_TURN_STATE_H
#define EVOMESH_NODE_TURN_STATE_H

#include "node/fetcher.h"
#include "node/turn.h"

/* One thing that arrived: an encoded event, or bytes of a link (`has_curve` false: of the publication socket). */
typedef struct {
    bool is_event;
    bool has_curve;
    pubkey_t curve;
    uint8_t *bytes; /* event, or body; malloc'ed; NULL for frames that can't be a statement */
    size_t size;
    size_t seal_size;
    uint8_t seal[SEAL_BYTES];
} input_t;

/* Something to be done after the commit: an effect of the core, an output of the mesh, or a link's standing. */
typedef struct {
    enum { ACTION_EFFECT, ACTION_OUTPUT, ACTION_STANDING } kind;
    size_t index; /* of the effect, or output */
    pubkey_t curve;
    link_standing_t standing;
} action_t;

struct turn {
    const identity_t *identity;
    ports_t ports;
    node_t *node;
    mesh_t *mesh;
    fetcher_t *fetcher;
    uint64_t last_now_ms; /* of the journal, or of the last turn */
    uint64_t last_wall_ms;
    bool is_failed;
    uint64_t journal_last;   /* number of its newest entry, in the turn in hand too */
    uint64_t journal_now_ms; /* of that entry */
    uint64_t journal_wall_ms;
    uint64_t checkpoint_last; /* entry behind which the newest checkpoint was written; 0: none was */
    uint64_t checkpoint_interval_entries;
    uint64_t journal_kept_entries; /* that are to be kept at least; UINT64_MAX: all */
    uint64_t events_kept;          /* the same for rows of events */
    pubkey_t keys[LIMIT_MEMBERS];  /* that the links were told a standing of, as members' */
    size_t key_count;

    input_t *inputs;
    size_t input_first; /* those before it were taken in by the turn in hand */
    size_t input_count;
    size_t input_capacity;
    size_t received; /* statements that wait */

    /* the turn in hand */
    uint64_t now_ms;
    uint64_t wall_ms;
    int error; /* the first that something failed with */
    effects_t effects;
    mesh_outputs_t outputs;
    size_t outputs_done; /* those before it were looked at */
    action_t *actions;
    size_t action_count;
    size_t action_capacity;
};

/* --- turn_step.c --- */
/* Steps the core with one event, whose clocks are filled in; writes journal and PERSIST… into the transaction, and notes what
 * is to be done. Returns what node_step returned. */
int turn_step (turn_t *self, event_t *event);
/* Looks at all outputs of the mesh, and at those that follow from them. */
void turn_settle (turn_t *self);
/* Tells the mesh and the links who the members are. */
void turn_set_members (turn_t *self, const members_t *members);

/* --- turn_act.c --- */
void turn_note (turn_t *self, action_t action);
/* Runs all that was noted, in order. */
void turn_act (turn_t *self);
/* Forgets what was noted. */
void turn_forget (turn_t *self);

/* --- turn_checkpoint.c --- */
/* What a checkpoint of the core as it stands would hold. False if it would be too large, or memory is short. */
bool turn_checkpoint_encode (const turn_t *self, buffer_t *out);
/* The core as the checkpoint behind that entry has it. 0, or why it can't be: nothing is changed then. */
int turn_checkpoint_load (turn_t *self, uint64_t number);
/* The number of the oldest entry that is kept; 0 if there is none, or it can't be read. */
uint64_t turn_journal_oldest (const turn_t *self);
/* Notes that the event was journaled; writes a checkpoint into the transaction if one is due. 0 or what the store failed with. */
int turn_journaled (turn_t *self, const event_t *event);

/* --- turn.c --- */
/* Drops the first `count` inputs. */
void turn_drop_inputs (turn_t *self, size_t count);
/* Queues an event of the turn's own making. */
void turn_queue (turn_t *self, const event_t *event);
void turn_fail (turn_t *self, int error);
/* Called by the fetcher. */
void turn_fetched (void *context, const fetched_t *fields);

#endif
