/* SPDX-License-Identifier: MPL-2.0 */
#include "evolution/consensus.h"

#include <assert.h>

static unsigned s_valid (const tally_t *tally)
{
    unsigned valid = tally->approvals + tally->reviews + tally->rejections;
    assert (valid <= tally->asked);
    return valid;
}

/* Shares are divided, not multiplied out, so that 7 of 10 is exactly 0.7. */
static double s_share (unsigned part, unsigned whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

consensus_t consensus_of (const tally_t *tally, const consensus_rules_t *rules)
{
    assert (rules->review_threshold <= rules->approve_threshold);
    unsigned valid = s_valid (tally);
    consensus_t consensus = {.score = s_share (tally->approvals, valid),
                             .quorum_reached = valid > 0 && s_share (valid, tally->asked) >= rules->quorum};
    if (valid == 0)
        consensus.action = ACTION_REJECT;
    else if (!consensus.quorum_reached)
        consensus.action = ACTION_REVIEW;
    else if (consensus.score >= rules->approve_threshold)
        consensus.action = ACTION_APPROVE;
    else if (consensus.score >= rules->review_threshold)
        consensus.action = ACTION_REVIEW;
    else
        consensus.action = ACTION_REJECT;
    return consensus;
}

/* For a given number of further replies, the action moves one way with the approvals among them: so only none and all
 * approving need be looked at. */
bool consensus_decided (const tally_t *tally, const consensus_rules_t *rules)
{
    assert (tally && rules && s_valid (tally) <= tally->asked);
    unsigned missing = tally->asked - s_valid (tally);
    action_t now = consensus_of (tally, rules).action;
    for (unsigned more = 1; more <= missing; more++) {
        tally_t best = *tally, worst = *tally;
        best.approvals += more;
        worst.rejections += more;
        if (consensus_of (&best, rules).action != now || consensus_of (&worst, rules).action != now)
            return false;
    }
    return true;
}

const char *action_name (action_t action)
{
    switch (action) {
    case ACTION_APPROVE: return "approve";
    case ACTION_REVIEW: return "review";
    case ACTION_REJECT: return "reject";
    }
    assert (false && "an action");
    return "";
}

void consensus_image (consensus_t *self, image_t *image)
{
    image_real (image, &self->score);
    image_unsigned (image, &self->action, ACTION_REJECT);
    image_bool (image, &self->quorum_reached);
}
