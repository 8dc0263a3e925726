/* SPDX-License-Identifier: MPL-2.0 */
/* `evomesh replay`: the journal, through a fresh core or from the oldest checkpoint that is kept. */
#include <assert.h>
#include <stdlib.h>

#include "node/io/reactor_internal.h"

typedef struct {
    reactor_replay_fn *visit;
    void *context;
    reactor_replay_t *outcome;
} replay_t;

#define DIFFERS 1

static int s_compare (void *context, uint64_t number, const event_t *event, const effects_t *effects,
                      const digest_t *recorded, const digest_t *computed)
{
    replay_t *self = context;
    self->outcome->entries++;
    if (self->visit != NULL)
        self->visit (self->context, number, event, effects, recorded, computed);
    if (digest_equal (recorded, computed))
        return 0;
    self->outcome->number = number;
    self->outcome->kind = event->kind;
    self->outcome->recorded = *recorded;
    self->outcome->computed = *computed;
    return DIFFERS;
}

static void s_note_archive (const turn_t *turn, reactor_replay_t *outcome)
{
    node_status_t status;
    node_status (turn_node (turn), &status);
    outcome->candidates = status.candidates;
    outcome->archive = status.archive_digest;
}

/* Steps the journal of an open reactor's store. */
static int s_replay (reactor_t *self, replay_t *replay, problem_t *problem)
{
    ports_t ports = reactor_ports (self);
    turn_replayed_t replayed = {0};
    self->turn = turn_new (keystore_identity (self->keystore), &ports);
    int rc = self->turn == NULL ? ERROR_MEMORY : turn_replay (self->turn, s_compare, replay, &replayed);
    replay->outcome->from = replayed.from;
    replay->outcome->checkpoints = replayed.checkpoints;
    if (rc >= 0)
        s_note_archive (self->turn, replay->outcome);
    turn_destroy (&self->turn);
    if (rc >= 0)
        return rc;
    return reactor_explain_recovery (self, rc, replayed.number, problem);
}

int reactor_replay (const char *directory, const char *passphrase_file, reactor_replay_fn *visit,
                    void *context, reactor_replay_t *outcome, problem_t *problem)
{
    assert (outcome != NULL);
    replay_t replay = {visit, context, outcome};
    *outcome = (reactor_replay_t){0};
    reactor_t *self = calloc (1, sizeof *self);
    if (self == NULL)
        return problem_set (problem, "%s", error_text (ERROR_MEMORY));
    int rc = -1;
    self->keystore = keystore_load (directory, passphrase_file, problem);
    if (self->keystore != NULL)
        self->store = store_open (directory, false, true, problem);
    if (self->store != NULL && membership_check (self->store, problem) == 0 &&
        store_check_begun (self->store, problem) == 0)
        rc = s_replay (self, &replay, problem);
    store_close (&self->store);
    keystore_destroy (&self->keystore);
    free (self);
    return rc;
}
