/* SPDX-License-Identifier: MPL-2.0 */
#include "node/io/proposal.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "node/io/job_table.h"
#include "node/io/llm_desk.h"

/* Of the built-in llm: a long answer of an endpoint, read as JSON, and no more; one program with a thread for names. */
#define LLM_MEMORY_BYTES (512ULL << 20)
#define LLM_PROCESSES    4

/* What a job is about, and what it holds. */
typedef struct {
    digest_t parent_id;
    tree_t parent;
    digest_t given[2 * LIMIT_METADATA]; /* candidates that its proposer was told of to learn from */
    size_t given_count;
    char directory[PATH_MAX]; /* where the proposer works; empty: none */
    llm_order_t order;        /* what may be spent on it */
} proposal_t;

struct proposals {
    const workshop_t *workshop;
    job_done_fn *done;
    void *context;
    job_table_t *jobs;
    llm_desk_t *desk;               /* NULL: node.yaml names no models */
    proposal_t proposals[JOBS_MAX]; /* of each job */
};

/* Gives back what a job holds. */
static void s_release (proposal_t *proposal)
{
    tree_clear (&proposal->parent);
    if (proposal->directory[0] != '\0')
        workspace_remove (proposal->directory);
    proposal->directory[0] = '\0';
    proposal->order = (llm_order_t){0};
}

/* --- the result --- */

/* There is no candidate, and this is why. */
static void s_tell_none (const proposals_t *self, uint64_t operation, const digest_t *parent,
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
    assert (result->end != SANDBOX_EXITED || result->exit_code != 0);
    char why[64], detail[LIMIT_TEXT + 1];
    if (result->end == SANDBOX_EXITED)
        snprintf (why, sizeof why, "the proposer exited with code %d", result->exit_code);
    else
        snprintf (why, sizeof why, "the proposer ended by %s", sandbox_end_name (result->end));
    s_tell_none (self, operation, parent, result->end == SANDBOX_FAILED ? PROPOSAL_FAULT : PROPOSAL_NONE,
                 workshop_detail (why, result, detail, sizeof detail));
}

/* Refuses what is only the parent again; else tells what the candidate says. */
static int s_check_new (const workshop_t *shop, const tree_t *tree, const tree_t *parent, digest_t *tokens,
                        problem_t *problem)
{
    if (tree_equal (tree, parent))
        return problem_set (problem, "the proposer changed nothing");
    digest_t before = proposal_tokens (shop, parent);
    *tokens = proposal_tokens (shop, tree);
    if (!digest_is_zero (tokens) && digest_equal (tokens, &before))
        return problem_set (problem, "the proposer changed nothing but comments and spaces");
    return 0;
}

/* Reads what the proposer left into the store, all in one transaction. Malloc'ed encoded tree, or NULL with the problem. */
static uint8_t *s_take (const workshop_t *shop, const proposal_t *proposal, size_t *size, digest_t *tokens,
                        problem_t *problem)
{
    assert (proposal->directory[0] != '\0');
    tree_t tree = {0};
    digest_t id;
    uint8_t *bytes = NULL;
    bool own = !store_in_transaction (shop->store);
    if (own && store_begin (shop->store) != 0) {
        problem_set (problem, "%s", store_problem (shop->store));
        return NULL;
    }
    if (workspace_read_evolved (shop->store, proposal->directory, &proposal->parent, &tree, problem) == 0)
        bytes = workshop_put_tree (shop, &tree, &id, size, problem);
    if (bytes != NULL && s_check_new (shop, &tree, &proposal->parent, tokens, problem) != 0) {
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

/* What a proposer that ended well left is the candidate. Gives back what the job held. */
static void s_tell_left (proposals_t *self, proposal_t *proposal, uint64_t operation,
                         const sandbox_result_t *result, const spending_t *spent)
{
    problem_t problem = {{0}};
    proposal_said_t said;
    size_t size = 0;
    digest_t parent = proposal->parent_id, tokens = {{0}};
    assert (operation != 0 && result->end == SANDBOX_EXITED && result->exit_code == 0);
    const llm_model_t *model = proposal->order.model;
    uint8_t *bytes = NULL;
    bool read = proposal_read_output (result->output, result->output_size, &parent, proposal->given,
                                      proposal->given_count, &said, &problem) == 0;
    bool idle = read && said.exhausted;
    if (read && !idle)
        bytes = s_take (self->workshop, proposal, &size, &tokens, &problem);
    s_release (proposal);
    if (bytes == NULL) {
        s_tell_none (self, operation, &parent, idle ? PROPOSAL_IDLE : PROPOSAL_NONE,
                     text_of (idle ? said.description : problem.text));
        return;
    }
    event_t event = {.kind = EVENT_PROPOSED};
    event.as.proposed.operation = operation;
    event.as.proposed.parent = parent;
    event.as.proposed.second_parent = said.second_parent;
    event.as.proposed.tree = bytes_of (bytes, size);
    event.as.proposed.says = tokens;
    event.as.proposed.improvement_type = said.improvement_type;
    event.as.proposed.description = text_of (said.description);
    event.as.proposed.model = text_of (model == NULL ? NULL : model->name);
    event.as.proposed.requests = spent->requests;
    event.as.proposed.tokens = spent->tokens;
    event.as.proposed.cost_millionths = spent->cost_millionths;
    self->done (self->context, &event);
    free (bytes);
}

/* There is no candidate for want of funds. */
static void s_tell_funds (const proposals_t *self, uint64_t operation, const digest_t *parent,
                          llm_funds_t funds)
{
    assert (funds != LLM_MAY_SPEND);
    char why[LIMIT_TEXT + 1] = "";
    if (funds == LLM_EXHAUSTED)
        llm_desk_print_exhausted (self->desk, why, sizeof why);
    s_tell_none (self, operation, parent, funds == LLM_EXHAUSTED ? PROPOSAL_EXHAUSTED : PROPOSAL_LATER,
                 text_of (why));
}

static void s_ended (void *context, size_t slot, uint64_t operation, const sandbox_result_t *result)
{
    proposals_t *self = context;
    proposal_t *proposal = &self->proposals[slot];
    spending_t spent = {0};
    llm_funds_t funds = LLM_MAY_SPEND;
    if (proposal->order.model != NULL)
        spent = llm_desk_settle (self->desk, &proposal->order, result == NULL ? NULL : result->output,
                                 result == NULL ? 0 : result->output_size, &funds);
    if (result != NULL && result->end == SANDBOX_EXITED && result->exit_code == 0) {
        s_tell_left (self, proposal, operation, result, &spent);
        return;
    }
    digest_t parent = proposal->parent_id;
    s_release (proposal);
    if (funds != LLM_MAY_SPEND)
        s_tell_funds (self, operation, &parent, funds);
    else if (result != NULL)
        s_tell_failed (self, operation, &parent, result);
}

/* --- new and destroy --- */

proposals_t *proposals_new (const workshop_t *workshop, job_done_fn *done, void *context)
{
    proposals_t *self = calloc (1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->workshop = workshop;
    self->done = done;
    self->context = context;
    self->jobs = job_table_new (workshop->sandbox, s_ended, self);
    bool models = workshop->config->llm.model_count > 0;
    self->desk = models ? llm_desk_new (workshop) : NULL;
    if (self->jobs == NULL || (models && self->desk == NULL))
        proposals_destroy (&self);
    return self;
}

void proposals_destroy (proposals_t **self_p)
{
    proposals_t *self = *self_p;
    if (self == NULL)
        return;
    for (size_t i = 0; i < JOBS_MAX; i++)
        s_release (&self->proposals[i]);
    job_table_destroy (&self->jobs);
    llm_desk_destroy (&self->desk);
    free (self);
    *self_p = NULL;
}

json_t *proposals_report (const proposals_t *self)
{
    return self->desk == NULL ? NULL : llm_desk_report (self->desk);
}

/* --- the run --- */

static bool s_is_llm (const agent_proposer_t *proposer)
{
    return proposer->command.count == 0 && strcmp (proposer->name, LLM_PROPOSER) == 0;
}

static int s_start_job (proposals_t *self, size_t slot, const propose_t *effect, const char *input,
                        problem_t *problem)
{
    assert (slot < JOBS_MAX && effect->proposer < self->workshop->config->proposer_count);
    const workshop_t *shop = self->workshop;
    const agent_proposer_t *proposer = &shop->config->proposers[effect->proposer];
    const char *words[AGENT_COMMAND_MAX + 1] = {NULL};
    char builtin[LIMIT_NAME + sizeof "/evomesh/"];
    snprintf (builtin, sizeof builtin, "/evomesh/%s", proposer->name);
    if (proposer->command.count > 0)
        workshop_words (&proposer->command, words);
    else
        words[0] = builtin;
    bool llm = s_is_llm (proposer);
    sandbox_job_t job = {.command = words,
                         .directory = "/agent",
                         .mounts = {{self->proposals[slot].directory, "/agent", true}},
                         .mount_count = 1,
                         .input = input,
                         .input_size = strlen (input),
                         .timeout_ms = proposer->timeout_ms,
                         .memory_bytes = llm ? LLM_MEMORY_BYTES : shop->agent->memory_bytes,
                         .processes_max = llm ? LLM_PROCESSES : shop->agent->processes_max,
                         .output_bytes = LIMIT_OUTPUT_BYTES,
                         .network = proposal_has_network (shop->config, proposer)};
    return job_table_start (self->jobs, slot, effect->operation, &job, problem);
}

/* Writes what the proposer is told, and starts it. */
static int s_ask (proposals_t *self, size_t slot, const propose_t *effect, problem_t *problem)
{
    const workshop_t *shop = self->workshop;
    proposal_t *proposal = &self->proposals[slot];
    json_t *input = proposal_input (shop, effect);
    int rc = 0;
    if (s_is_llm (&shop->config->proposers[effect->proposer]))
        rc = llm_desk_order (self->desk, effect, &proposal->parent, input, &proposal->order, problem);
    char *text = rc == 0 ? json_dumps (input, JSON_COMPACT) : NULL;
    json_decref (input);
    if (rc != 0)
        return -1;
    rc = text == NULL ? problem_set (problem, "%s", error_text (ERROR_MEMORY))
                      : s_start_job (self, slot, effect, text, problem);
    if (text != NULL)
        sodium_memzero (text, strlen (text)); /* a key may be in it */
    free (text);
    if (rc != 0 && proposal->order.model != NULL)
        llm_desk_settle (self->desk, &proposal->order, "", 0, NULL);
    return rc;
}

/* Only what the proposer is told of can be a second parent. */
static void s_remember_given (proposal_t *proposal, const propose_t *effect)
{
    assert (effect->top.count <= LIMIT_METADATA && effect->diverse.count <= LIMIT_METADATA);
    proposal->given_count = 0;
    for (size_t i = 0; i < effect->top.count; i++)
        proposal->given[proposal->given_count++] = effect->top.items[i].id;
    for (size_t i = 0; i < effect->diverse.count; i++)
        proposal->given[proposal->given_count++] = effect->diverse.items[i].id;
    assert (proposal->given_count <= sizeof proposal->given / sizeof proposal->given[0]);
}

/* Checks the parent out and starts the proposer over it. */
static int s_start (proposals_t *self, size_t slot, const propose_t *effect, problem_t *problem)
{
    const workshop_t *shop = self->workshop;
    proposal_t *proposal = &self->proposals[slot];
    proposal->parent_id = effect->parent;
    s_remember_given (proposal, effect);
    if (workshop_tree (shop, &effect->parent, &proposal->parent, problem) != 0 ||
        workshop_lay_out (shop, &proposal->parent, proposal->directory, sizeof proposal->directory,
                          problem) != 0)
        return -1;
    return s_ask (self, slot, effect, problem);
}

void proposals_start (proposals_t *self, const propose_t *effect)
{
    assert (effect->operation != 0);
    const config_t *config = self->workshop->config;
    problem_t problem = {{0}};
    size_t slot;
    if (effect->proposer >= config->proposer_count) { /* asked for before node.yaml was changed */
        problem_set (&problem, "node.yaml has no proposer %llu", (unsigned long long)effect->proposer);
        s_tell_none (self, effect->operation, &effect->parent, PROPOSAL_NONE, text_of (problem.text));
        return;
    }
    bool llm = s_is_llm (&config->proposers[effect->proposer]);
    llm_funds_t funds = llm ? llm_desk_funds (self->desk) : LLM_MAY_SPEND;
    if (funds != LLM_MAY_SPEND) {
        s_tell_funds (self, effect->operation, &effect->parent, funds);
        return;
    }
    if (job_table_place (self->jobs, &slot, &problem) == 0) {
        if (s_start (self, slot, effect, &problem) == 0)
            return;
        s_release (&self->proposals[slot]);
    }
    /* A model that can't be asked, as its key isn't there, says nothing of this node's health. */
    s_tell_none (self, effect->operation, &effect->parent, llm ? PROPOSAL_NONE : PROPOSAL_FAULT,
                 text_of (problem.text));
}

bool proposals_cancel (proposals_t *self, uint64_t operation)
{
    return job_table_cancel (self->jobs, operation);
}

void proposals_cancel_all (proposals_t *self)
{
    job_table_cancel_all (self->jobs);
}
