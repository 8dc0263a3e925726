/* SPDX-License-Identifier: MPL-2.0 */
/* The group's opinion: from FEEDBACK replies to approve, review or reject.
 * score = approvals / valid replies; ≥ approve (0.7) APPROVE, ≥ review (0.4) REVIEW, else REJECT; no valid reply is
 * REJECT; fewer than the quorum is REVIEW. Silence is never approval. */
#ifndef EVOMESH_EVOLUTION_CONSENSUS_H
#define EVOMESH_EVOLUTION_CONSENSUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/image.h"

typedef enum { ACTION_APPROVE, ACTION_REVIEW, ACTION_REJECT } action_t;

typedef struct {
    double approve_threshold;
    double review_threshold;
    double quorum; /* share of those asked that must answer; default 0.5 */
} consensus_rules_t;

typedef struct {
    unsigned asked;
    unsigned approvals;
    unsigned reviews;
    unsigned rejections;
} tally_t;

typedef struct {
    double score;
    action_t action;
    bool quorum_reached;
} consensus_t;

/* The consensus of a finished round; no more replies than were asked for (asserted). */
consensus_t consensus_of (const tally_t *tally, const consensus_rules_t *rules);

/* True if the missing replies, whatever they say and however many come, can't change the action any more, so that a round
 * can end early. */
bool consensus_decided (const tally_t *tally, const consensus_rules_t *rules);

/* "approve", "review" or "reject". */
const char *action_name (action_t action);

/* Its fields, for a checkpoint: see protocol/image.h. */
void consensus_image (consensus_t *self, image_t *image);

#endif
