/* SPDX-License-Identifier: MPL-2.0 */
/* Proposals: the effect PROPOSE. A proposer (the built-in `tune` or `llm`, or a command of node.yaml) runs in the sandbox with the
 * parent checked out writable at /agent. What it left in the evolve files is the candidate; whatever else it changed is
 * thrown away. Ends with a PROPOSED event; the candidate and its files are in the store then.
 *
 * On its stdin it gets one JSON object:
 *   {"parent": {"id", "metrics": {name: value…}, "artifacts": {…}},
 *    "inspirations": {"top": [{"id", "metrics", "files": {path: text…}}…], "diverse": […]},
 *    "failures": [{"id", "parent", "description", "reason", "detail", "metrics", "artifacts", "files"}…], the newest first,
 *    "recent": [{"id", "metrics", "files"}…], the newest first,
 *    "learning_rate": 0.1, "seed": 1234, "number": 17, "evolve": [path…], "objectives": [{"name", "goal", "weight", "unit"}…]}
 * `top`: the best of the archive (of the parent's island), the best first; `diverse`: what measures differently from all of those.
 * `recent`: what was measured last, whatever came of it, as far as its files have room: for whoever searches by numbers, so not for `llm`.
 * `number`: how many proposals there were before. "files" is left out where they aren't text or all together are too large; "artifacts"
 * where there are none. What evaluations printed ("artifacts", "detail") is left out for one that reaches the network, unless node.yaml
 * says `share_artifacts`. `llm` gets more (llm_desk.h). It exits 0; the last line of its stdout may be {"improvement_type":
 * "parameter_tuning", "description": "…", "second_parent": "ID"}. `second_parent` is the id of an inspiration that it crossed the parent
 * with. Or that line is {"exhausted": "why"}: there is nothing more that it could propose, and what it left in the files doesn't count. */
#ifndef EVOMESH_NODE_IO_PROPOSAL_H
#define EVOMESH_NODE_IO_PROPOSAL_H

#include <jansson.h>

#include "node/io/workshop.h"

typedef struct proposals proposals_t;

/* As for evaluations. */
proposals_t *proposals_new (const workshop_t *workshop, job_done_fn *done, void *context);
void proposals_destroy (proposals_t **self_p);
void proposals_start (proposals_t *self, const propose_t *effect);
bool proposals_cancel (proposals_t *self, uint64_t operation);
void proposals_cancel_all (proposals_t *self);

/* What was spent on models, for status; NULL if node.yaml names none. */
json_t *proposals_report (const proposals_t *self);

/* Does that proposer reach the network? `llm` does; a command, where node.yaml lets commands. */
bool proposal_has_network (const config_t *config, const agent_proposer_t *proposer);

/* The JSON object above. Reads what the store knows of parent, inspirations, failures and what was measured last. */
json_t *proposal_input (const workshop_t *workshop, const propose_t *effect);

/* A digest of what a candidate's files say but for comments and spaces (evolution/tokens.h), paths and modes included. Zero if a file
 * can't be read from the store, or out of memory. */
digest_t proposal_tokens (const workshop_t *workshop, const tree_t *tree);

/* What a proposer says of its proposal. */
typedef struct {
    uint64_t improvement_type; /* improvement_type_t; parameter_tuning where it says none that there is */
    char description[LIMIT_TEXT + 1];
    bool exhausted;         /* it has nothing more to propose; the description says why */
    digest_t second_parent; /* zero: none but the parent */
} proposal_said_t;

/* Reads that from the last line of its stdout, where nothing of it need be. Returns 0, or -1 with the problem: that line begins with a
 * brace and can't be read; or it says that something is exhausted, but not why; or the second parent is none of the `count` candidates
 * that it was given to learn from, as what a lineage says must be true. The parent itself is no second one. */
int proposal_read_output (const char *output, size_t size, const digest_t *parent, const digest_t *given,
                          size_t count, proposal_said_t *said, problem_t *problem);

#endif
