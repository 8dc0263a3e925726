/* SPDX-License-Identifier: MPL-2.0 */
/* What every job of a node works with: its agent, its store, its sandbox, its scratch space. */
#ifndef EVOMESH_NODE_IO_WORKSHOP_H
#define EVOMESH_NODE_IO_WORKSHOP_H

#include "node/config.h"
#include "node/effect.h"
#include "node/io/sandbox.h"
#include "node/io/store.h"
#include "node/io/workspace.h"

/* All borrowed for the life of the jobs. */
typedef struct {
    zloop_t *loop;
    store_t *store;
    sandbox_t *sandbox;
    const char *data_directory; /* releases, current */
    const char *work_directory; /* scratch */
    const agent_t *agent;
    const config_t *config;
    const tree_t *pinned; /* the agent's pinned files, in the store */
    digest_t evaluator;
    digest_t start; /* the tree of evolve files that the group began with, in the store */
} workshop_t;

/* A job ended: the event that tells its result (borrowed for the call; now_ms and wall_ms are not filled). May be
 * called from within the function that starts the job; so the owner only queues it. */
typedef void (job_done_fn) (void *context, const event_t *event);

/* Reads the encoded tree `candidate` of evolve files from the store; freed by tree_clear. 0, or -1 with the problem: it is not
 * here, damaged, or made for another evaluator. */
int workshop_tree (const workshop_t *self, const digest_t *candidate, tree_t *tree, problem_t *problem);

/* Puts an encoded tree into the store; `*id` is the candidate's id. Malloc'ed bytes for the caller, NULL with the problem. */
uint8_t *workshop_put_tree (const workshop_t *self, const tree_t *tree, digest_t *id, size_t *size,
                            problem_t *problem);

/* A scratch directory that holds the whole agent with the evolve files of `tree`. 0, or -1 with the problem. */
int workshop_lay_out (const workshop_t *self, const tree_t *tree, char *path, size_t path_size,
                      problem_t *problem);

/* Adds the agent's pinned files to the evolve files of `tree`. 0, or -1 with the problem. */
int workshop_whole (const workshop_t *self, const tree_t *tree, tree_t *whole, problem_t *problem);

/* The words of a command as a NULL-terminated list (borrowed from it). */
void workshop_words (const agent_command_t *command, const char *words[AGENT_COMMAND_MAX + 1]);

/* What a person reads of an ended run: why, then the tail of its stderr; cleaned and cut to fit. */
text_t workshop_detail (const char *why, const sandbox_result_t *result, char *text, size_t size);

#endif
