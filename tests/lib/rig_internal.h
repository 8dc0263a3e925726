/* SPDX-License-Identifier: MPL-2.0 */
/* What the rig's own sources share. */
#ifndef EVOMESH_TESTS_LIB_RIG_INTERNAL_H
#define EVOMESH_TESTS_LIB_RIG_INTERNAL_H

#include "tests/lib/rig.h"

/* --- rig.c --- */
/* The index of a tree that the rig knows (asserted). */
size_t rig_tree (const rig_t *self, const digest_t *id);
/* Appends an event to a node's inbox, or to what is held back for it. */
void rig_push (buffer_t *queue, const event_t *event);
/* The node of that id, or (with `curve`) of that link key; -1 if there is none. */
int rig_find (const rig_t *self, const pubkey_t *key, bool curve);

/* --- rig_twin.c --- */
/* What is loaded of node k's saved bytes; NULL before it was started, and for most of the events. */
node_t *rig_twin (rig_t *self, size_t k);
/* Asserts that the event gives the twin the same effects, and leads it to the same state, as node k; ends the twin. */
void rig_twin_step (const rig_t *self, size_t k, node_t *twin, const event_t *event,
                    const digest_t *expected);

/* --- rig_jobs.c: each answers an effect of node k with its event --- */
void rig_job_evaluate (rig_t *self, size_t k, const evaluate_t *evaluate);
void rig_job_merge (rig_t *self, size_t k, const merge_t *merge);
void rig_job_fetch (rig_t *self, size_t k, const fetch_content_t *fetch);
void rig_job_load (rig_t *self, size_t k, const load_t *load);
/* SNAPSHOT_TAKEN, APPLIED or RESTORED. */
void rig_job_done (rig_t *self, size_t k, event_kind_t kind, uint64_t operation, uint64_t result);

#endif
