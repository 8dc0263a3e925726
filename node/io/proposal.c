/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/proposal.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum { RESULT_CANDIDATE, RESULT_NONE, RESULT_FAULT } proposal_result_t;

typedef struct {
    uint64_t operation; /* 0: free */
    digest_t parent_id;
    tree_t parent;
    char directory[PATH_MAX];
    sandbox_run_t *run;
    bool cancelled;
    proposals_t *owner;
} proposal_t;

struct proposals {
    const workshop_t *workshop;
    job_done_fn *done;
    void *context;
    proposal_t runs[LIMIT_OPERATIONS];
};

proposals_t *proposals_new (const workshop_t *workshop, job_done_fn *done, void *context)
{
    proposals_t *self = calloc (1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->workshop = workshop;
    self->done = done;
    self->context = context;
    return self;
}

/* Gives back what a run holds. */
static void s_release (proposal_t *run)
{
    tree_clear (&run->parent);
    if (run->directory[0] != '\0')
        workspace_remove (run->directory);
    run->directory[0] = '\0';
    run->operation = 0;
}

void proposals_destroy (proposals_t **self_p)
{
    proposals_t *self = *self_p;
    if (self == NULL)
        return;
    for (size_t i = 0; i < LIMIT_OPERATIONS; i++)
        s_release (&self->runs[i]);
    free (self);
    *self_p = NULL;
}

/* --- the result --- */

/* There is no candidate, and this is why. */
static void s_tell_none (proposals_t *self, uint64_t operation, const digest_t *parent,
                         proposal_result_t result, text_t why)
{
    char description[LIMIT_TEXT + 1];
    event_t event = {.kind = EVENT_PROPOSED};
    event.as.proposed.operation = operation;
    event.as.proposed.result = (uint64_t)result;
    event.as.proposed.parent = *parent;
    event.as.proposed.description = text_clean (why, description, sizeof description);
    self->done (self->context, &event);
}

/* A run that gave nothing: what its proposer did. */
static void s_tell_failed (proposals_t *self, uint64_t operation, const digest_t *parent,
                           const sandbox_result_t *result)
{
    char why[64], detail[LIMIT_TEXT + 1];
    if (result->end == SANDBOX_EXITED)
        snprintf (why, sizeof why, "the proposer exited with code %d", result->exit_code);
    else
        snprintf (why, sizeof why, "the proposer ended by %s", sandbox_end_name (result->end));
    s_tell_none (self, operation, parent, result->end == SANDBOX_FAILED ? RESULT_FAULT : RESULT_NONE,
                 workshop_detail (why, result, detail, sizeof detail));
}

/* Reads what the proposer left into the store, all in one transaction. Malloc'ed encoded tree, or NULL with the problem. */
static uint8_t *s_take (const workshop_t *shop, const proposal_t *run, size_t *size, problem_t *problem)
{
    tree_t tree = {0};
    digest_t id;
    uint8_t *bytes = NULL;
    bool own = !store_in_transaction (shop->store);
    if (own && store_begin (shop->store) != 0) {
        problem_set (problem, "%s", store_problem (shop->store));
        return NULL;
    }
    if (workspace_read_evolved (shop->store, run->directory, &run->parent, &tree, problem) == 0)
        bytes = workshop_put_tree (shop, &tree, &id, size, problem);
    if (bytes != NULL && tree_equal (&tree, &run->parent)) {
        problem_set (problem, "the proposer changed nothing");
        free (bytes);
        bytes = NULL;
    }
    tree_clear (&tree);
    if (own && bytes != NULL && store_commit (shop->store) != 0) {
        problem_set (problem, "%s", store_problem (shop->store));
        free (bytes);
        bytes = NULL;
    }
    if (own && bytes == NULL)
        store_rollback (shop->store);
    return bytes;
}

static void s_done (void *context, const sandbox_result_t *result)
{
    proposal_t *run = context;
    proposals_t *self = run->owner;
    uint64_t operation = run->operation;
    digest_t parent = run->parent_id;
    if (run->cancelled) {
        s_release (run);
        return;
    }
    if (result->end != SANDBOX_EXITED || result->exit_code != 0) {
        s_release (run);
        s_tell_failed (self, operation, &parent, result);
        return;
    }
    problem_t problem = {{0}};
    size_t size = 0;
    uint8_t *bytes = s_take (self->workshop, run, &size, &problem);
    s_release (run);
    if (bytes == NULL) {
        s_tell_none (self, operation, &parent, RESULT_NONE, text_of (problem.text));
        return;
    }
    char description[LIMIT_TEXT + 1];
    event_t event = {.kind = EVENT_PROPOSED};
    event.as.proposed.operation = operation;
    event.as.proposed.parent = parent;
    event.as.proposed.tree = bytes_of (bytes, size);
    proposal_read_output (result->output, result->output_size, &event.as.proposed.improvement_type,
                          description);
    event.as.proposed.description = text_of (description);
    self->done (self->context, &event);
    free (bytes);
}

/* --- the run --- */

static proposal_t *s_place (proposals_t *self)
{
    for (size_t i = 0; i < LIMIT_OPERATIONS; i++)
        if (self->runs[i].operation == 0)
            return &self->runs[i];
    return NULL;
}

static int s_start_run (const workshop_t *shop, proposal_t *run, const propose_t *effect, problem_t *problem)
{
    const agent_proposer_t *proposer = &shop->config->proposers[effect->proposer];
    const char *words[AGENT_COMMAND_MAX + 1] = {NULL};
    char builtin[LIMIT_NAME + sizeof "/evomesh/"];
    snprintf (builtin, sizeof builtin, "/evomesh/%s", proposer->name);
    if (proposer->command.count > 0)
        workshop_words (&proposer->command, words);
    else
        words[0] = builtin;
    char *input = proposal_input (shop, effect);
    if (input == NULL)
        return problem_set (problem, "%s", error_text (ERROR_MEMORY));
    sandbox_job_t job = {.command = words,
                         .directory = "/agent",
                         .mounts = {{run->directory, "/agent", true}},
                         .mount_count = 1,
                         .input = input,
                         .input_size = strlen (input),
                         .timeout_ms = proposer->timeout_ms,
                         .memory_bytes = shop->agent->memory_bytes,
                         .processes_max = shop->agent->processes_max,
                         .output_bytes = LIMIT_OUTPUT_BYTES,
                         .network = shop->config->proposer_network && proposer->command.count > 0};
    run->run = sandbox_start (shop->sandbox, &job, s_done, run, problem);
    free (input);
    return run->run == NULL ? -1 : 0;
}

/* Checks the parent out and starts the proposer over it. */
static int s_prepare (const workshop_t *shop, proposal_t *run, const propose_t *effect, problem_t *problem)
{
    if (effect->proposer >= shop->config->proposer_count)
        return problem_set (problem, "node.yaml has no proposer %llu", (unsigned long long)effect->proposer);
    if (workshop_tree (shop, &effect->parent, &run->parent, problem) != 0 ||
        workshop_lay_out (shop, &run->parent, run->directory, sizeof run->directory, problem) != 0)
        return -1;
    return s_start_run (shop, run, effect, problem);
}

void proposals_start (proposals_t *self, const propose_t *effect)
{
    assert (effect->operation != 0);
    problem_t problem = {{0}};
    proposal_t *run = s_place (self);
    if (run == NULL) {
        s_tell_none (self, effect->operation, &effect->parent, RESULT_FAULT,
                     text_of ("too many proposals at once"));
        return;
    }
    memset (run, 0, sizeof *run);
    run->owner = self;
    if (s_prepare (self->workshop, run, effect, &problem) == 0) {
        run->operation = effect->operation;
        run->parent_id = effect->parent;
        return;
    }
    s_release (run);
    s_tell_none (self, effect->operation, &effect->parent, RESULT_FAULT, text_of (problem.text));
}

bool proposals_cancel (proposals_t *self, uint64_t operation)
{
    for (size_t i = 0; i < LIMIT_OPERATIONS; i++) {
        proposal_t *run = &self->runs[i];
        if (operation == 0 || run->operation != operation || run->cancelled)
            continue;
        run->cancelled = true;
        sandbox_cancel (run->run);
        return true;
    }
    return false;
}

void proposals_cancel_all (proposals_t *self)
{
    for (size_t i = 0; i < LIMIT_OPERATIONS; i++)
        if (self->runs[i].operation != 0)
            proposals_cancel (self, self->runs[i].operation);
}
