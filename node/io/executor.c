/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/executor.h"

#include <assert.h>
#include <stdlib.h>

#include "node/io/evaluation.h"
#include "node/io/log.h"
#include "node/io/proposal.h"
#include "node/io/rollout.h"

struct executor {
    const workshop_t *workshop;
    job_done_fn *done;
    void *context;
    evaluations_t *evaluations;
    proposals_t *proposals;
    releases_t *releases;
};

executor_t *executor_new (const workshop_t *workshop, job_done_fn *done, void *context)
{
    assert (workshop != NULL);
    executor_t *self = calloc (1, sizeof *self);
    if (self == NULL)
        return NULL;
    *self = (executor_t){.workshop = workshop, .done = done, .context = context};
    self->evaluations = evaluations_new (workshop, done, context);
    self->proposals = proposals_new (workshop, done, context);
    self->releases = releases_new (workshop, done, context);
    if (self->evaluations == NULL || self->proposals == NULL || self->releases == NULL)
        executor_destroy (&self);
    return self;
}

void executor_destroy (executor_t **self_p)
{
    assert (self_p != NULL);
    executor_t *self = *self_p;
    if (self == NULL)
        return;
    releases_destroy (&self->releases);
    proposals_destroy (&self->proposals);
    evaluations_destroy (&self->evaluations);
    free (self);
    *self_p = NULL;
}

/* --- MERGE and LOAD are done at once --- */

/* What the trees themselves rule out will never merge; all else that can fail is of this machine. */
static merge_end_t s_merge_end (int rc)
{
    if (rc == 0)
        return MERGE_DONE;
    return rc == ERROR_BOUND || rc == ERROR_INPUT ? MERGE_IMPOSSIBLE : MERGE_FAULT;
}

/* Merges and puts the result in the store. `*bytes` is the malloc'ed encoded tree; not MERGE_DONE: NULL, with the problem. */
static merge_end_t s_merge_and_put (const workshop_t *shop, const tree_t trees[3], merge_result_t *result,
                                    uint8_t **bytes, size_t *size, problem_t *problem)
{
    tree_t merged = {0};
    digest_t id;
    int rc = workspace_merge (shop->store, &trees[0], &trees[1], &trees[2], &merged, result, problem);
    if (rc == 0) {
        *bytes = workshop_put_tree (shop, &merged, &id, size, problem);
        if (*bytes == NULL)
            rc = *size > LIMIT_PACKAGE_BYTES ? ERROR_BOUND : ERROR_IO;
    }
    tree_clear (&merged);
    return s_merge_end (rc);
}

/* The same in one transaction. */
static merge_end_t s_merge_trees (const workshop_t *shop, const tree_t trees[3], merge_result_t *result,
                                  uint8_t **bytes, size_t *size, problem_t *problem)
{
    bool own = !store_in_transaction (shop->store);
    if (own && store_begin (shop->store) != 0) {
        problem_set (problem, "%s", store_problem (shop->store));
        return MERGE_FAULT;
    }
    merge_end_t end = s_merge_and_put (shop, trees, result, bytes, size, problem);
    if (own && end == MERGE_DONE && store_commit (shop->store) != 0) {
        problem_set (problem, "%s", store_problem (shop->store));
        free (*bytes);
        *bytes = NULL;
        end = MERGE_FAULT;
    }
    if (own && end != MERGE_DONE)
        store_rollback (shop->store);
    return end;
}

static void s_merge (executor_t *self, const merge_t *effect)
{
    const digest_t *ids[3] = {&effect->base, &effect->ours, &effect->theirs};
    tree_t trees[3] = {{0}, {0}, {0}};
    merge_result_t result = {0};
    problem_t problem = {{0}};
    size_t size = 0;
    uint8_t *bytes = NULL;
    merge_end_t end = MERGE_DONE;
    /* All three were read or written here before: one that can't be read is this node's fault. */
    for (size_t i = 0; i < 3 && end == MERGE_DONE; i++)
        end = workshop_tree (self->workshop, ids[i], &trees[i], &problem) == 0 ? MERGE_DONE : MERGE_FAULT;
    if (end == MERGE_DONE)
        end = s_merge_trees (self->workshop, trees, &result, &bytes, &size, &problem);
    for (size_t i = 0; i < 3; i++)
        tree_clear (&trees[i]);
    if (end != MERGE_DONE)
        log_line (LEVEL_WARNING, "merge_failed", "fault=%d problem=\"%s\"", end == MERGE_FAULT, problem.text);
    char detail[LIMIT_TEXT + 1];
    event_t event = {.kind = EVENT_MERGED};
    event.as.merged = (merged_t){.operation = effect->operation,
                                 .result = (uint64_t)end,
                                 .tree = bytes_of (bytes, bytes != NULL ? size : 0),
                                 .hunks = result.hunks,
                                 .conflicts = result.conflicts,
                                 .detail = text_clean (text_of (problem.text), detail, sizeof detail)};
    self->done (self->context, &event);
    free (bytes);
}

static void s_load (executor_t *self, const load_t *effect)
{
    size_t size = 0;
    uint8_t *bytes = store_content_get (self->workshop->store, &effect->content, &size);
    bool fits = bytes != NULL && size <= LIMIT_PACKAGE_BYTES;
    event_t event = {.kind = EVENT_LOADED};
    event.as.loaded = (loaded_t){.operation = effect->operation,
                                 .result = !fits,
                                 .bytes = bytes_of (fits ? bytes : NULL, fits ? size : 0)};
    self->done (self->context, &event);
    free (bytes);
}

/* --- all of them --- */

bool executor_takes (effect_kind_t kind)
{
    return kind >= EFFECT_PROPOSE && kind <= EFFECT_RESTORE;
}

void executor_run (executor_t *self, const effect_t *effect)
{
    assert (self != NULL && effect != NULL);
    assert (executor_takes (effect->kind));
    unsigned kind = effect->kind; /* only some of the kinds come here */
    switch (kind) {
    case EFFECT_PROPOSE: proposals_start (self->proposals, &effect->as.propose); break;
    case EFFECT_EVALUATE: evaluations_start (self->evaluations, &effect->as.evaluate); break;
    case EFFECT_CANCEL:
        if (!evaluations_cancel (self->evaluations, effect->as.cancel.operation))
            proposals_cancel (self->proposals, effect->as.cancel.operation);
        break;
    case EFFECT_MERGE: s_merge (self, &effect->as.merge); break;
    case EFFECT_LOAD: s_load (self, &effect->as.load); break;
    case EFFECT_SNAPSHOT: releases_snapshot (self->releases, &effect->as.snapshot); break;
    case EFFECT_APPLY: releases_apply (self->releases, &effect->as.apply); break;
    case EFFECT_RESTORE: releases_restore (self->releases, &effect->as.restore); break;
    default: assert (false);
    }
}

json_t *executor_spending (const executor_t *self)
{
    return proposals_report (self->proposals);
}

void executor_abandon (executor_t *self)
{
    assert (self != NULL);
    evaluations_cancel_all (self->evaluations);
    proposals_cancel_all (self->proposals);
    releases_abandon (self->releases);
}
