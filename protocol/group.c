/* SPDX-License-Identifier: MPL-2.0 */
/* Charter and policy: what a group is founded on. */
#include "protocol/group.h"

#include <assert.h>
#include <string.h>

#define DAY_MS UINT64_C (86400000)

/* --- policy --- */

policy_t policy_default (void)
{
    return (policy_t){.min_improvement = 0.005,
                      .approve_threshold = 0.7,
                      .review_threshold = 0.4,
                      .quorum = 0.5,
                      .feedback_deadline_ms = 5000,
                      .max_validators = 5,
                      .min_confirmations = 0,
                      .consensus_threshold = 0.7,
                      .allow_unvalidated = 0,
                      .allow_alone = 1,
                      .held_expiry_ms = DAY_MS,
                      .change_bytes_max = 65536};
}

void policy_encode (const policy_t *policy, buffer_t *out)
{
    record_encode (&policy_record, policy, out);
}

/* --- what a policy may hold: every number has a range, so that no sum of times can overflow --- */

static int s_check_share (const char *name, double share, problem_t *problem)
{
    if (share >= 0 && share <= 1)
        return 0;
    return problem_set (problem, "%s: found %g, expected a share from 0 to 1", name, share);
}

static int s_check_range (const char *name, uint64_t number, uint64_t least, uint64_t most,
                          problem_t *problem)
{
    if (number >= least && number <= most)
        return 0;
    return problem_set (problem, "%s: found %llu, expected %llu to %llu", name, (unsigned long long)number,
                        (unsigned long long)least, (unsigned long long)most);
}

int policy_check (const policy_t *policy, problem_t *problem)
{
    bool is_sound =
        s_check_share ("min_improvement", policy->min_improvement, problem) == 0 &&
        s_check_share ("approve_threshold", policy->approve_threshold, problem) == 0 &&
        s_check_share ("review_threshold", policy->review_threshold, problem) == 0 &&
        s_check_share ("quorum", policy->quorum, problem) == 0 &&
        s_check_share ("consensus_threshold", policy->consensus_threshold, problem) == 0 &&
        s_check_range ("feedback_deadline_ms", policy->feedback_deadline_ms, 1, DAY_MS, problem) == 0 &&
        s_check_range ("max_validators", policy->max_validators, 1, LIMIT_MEMBERS, problem) == 0 &&
        s_check_range ("min_confirmations", policy->min_confirmations, 0, policy->max_validators, problem) ==
            0 &&
        s_check_range ("allow_unvalidated", policy->allow_unvalidated, 0, 1, problem) == 0 &&
        s_check_range ("allow_alone", policy->allow_alone, 0, 1, problem) == 0 &&
        s_check_range ("held_expiry_ms", policy->held_expiry_ms, 1, 366 * DAY_MS, problem) == 0 &&
        s_check_range ("change_bytes_max", policy->change_bytes_max, 0, LIMIT_AGENT_BYTES, problem) == 0;
    if (is_sound && policy->review_threshold > policy->approve_threshold) {
        problem_set (problem, "review_threshold: found %g, expected at most approve_threshold (%g)",
                     policy->review_threshold, policy->approve_threshold);
        is_sound = false;
    }
    return is_sound ? 0 : ERROR_INPUT;
}

int policy_decode (bytes_t bytes, policy_t *policy, problem_t *problem)
{
    arena_t arena = {0}; /* a policy has no lists: nothing is put here */
    int rc = record_decode (&policy_record, bytes.data, bytes.size, policy, &arena, problem);
    assert (arena.blocks == NULL);
    if (rc == 0)
        rc = policy_check (policy, problem);
    if (rc != 0) {
        problem_prefix (problem, "policy");
        memset (policy, 0, sizeof *policy);
    }
    return rc;
}

/* --- charter --- */

int group_found (group_t *self, const identity_t *founder, const char *name, const char *agent,
                 const digest_t *evaluator, const digest_t *start, const policy_t *policy, uint64_t time_ms)
{
    assert (text_is_name (text_of (name)) && text_is_name (text_of (agent)));
    assert (policy_check (policy, NULL) == 0);
    assert (!pubkey_is_zero (&founder->id));
    buffer_t encoded = {0}, body = {0}, packed = {0};
    uint8_t seal[SEAL_BYTES];
    policy_encode (policy, &encoded);
    charter_t charter = {.name = text_of (name),
                         .founder = founder->id,
                         .agent = text_of (agent),
                         .evaluator = *evaluator,
                         .start = *start,
                         .policy = bytes_of (encoded.data, encoded.size)};
    head_t head = {.kind = MESSAGE_CHARTER,
                   .time_ms = time_ms}; /* its id comes of it: it can't name its group */
    message_seal (founder, &head, &charter, &body, seal);
    int rc = ERROR_MEMORY;
    if (!encoded.failed && !body.failed)
        statement_pack (body.data, body.size, seal, &packed);
    memset (self, 0, sizeof *self);
    if (packed.size > 0 && !packed.failed)
        rc = group_open (bytes_of (packed.data, packed.size), self, NULL);
    assert (rc == 0 || rc == ERROR_MEMORY);
    buffer_clear (&encoded);
    buffer_clear (&body);
    buffer_clear (&packed);
    return rc;
}

/* What a charter must keep beyond its encoding. */
static int s_check_charter (const message_t *message, const pubkey_t *author, problem_t *problem)
{
    const charter_t *charter = &message->as.charter;
    const head_t *head = &message->head;
    if (!pubkey_equal (author, &charter->founder)) {
        problem_set (problem, "charter: not signed by the founder that it names");
        return ERROR_DENIED;
    }
    if (!digest_is_zero (&head->group) || head->epoch != 0 || head->seq != 0) {
        problem_set (problem, "charter: group, epoch and seq must be zero");
        return ERROR_INPUT;
    }
    if (!text_is_name (charter->name) || !text_is_name (charter->agent)) {
        problem_set (problem, "charter: name and agent must be names (1 to %d of A-Z a-z 0-9 _ - .)",
                     LIMIT_NAME);
        return ERROR_INPUT;
    }
    return 0;
}

static int s_group_fill (group_t *self, bytes_t packed, const message_t *message, problem_t *problem)
{
    assert (packed.size > SEAL_BYTES);
    const charter_t *charter = &message->as.charter;
    int rc = policy_decode (charter->policy, &self->policy, problem);
    if (rc != 0) {
        problem_prefix (problem, "charter");
        return rc;
    }
    text_copy (charter->name, self->name, sizeof self->name);
    text_copy (charter->agent, self->agent, sizeof self->agent);
    self->group = digest_of (packed.data, packed.size - SEAL_BYTES);
    self->founder = charter->founder;
    self->evaluator = charter->evaluator;
    self->start = charter->start;
    buffer_append (&self->packed, packed.data, packed.size);
    return self->packed.failed ? ERROR_MEMORY : 0;
}

int group_open (bytes_t packed, group_t *self, problem_t *problem)
{
    message_t message;
    pubkey_t author;
    memset (self, 0, sizeof *self);
    int rc = statement_open (packed, MESSAGE_CHARTER, &message, &author, problem);
    if (rc != 0) {
        problem_prefix (problem, "charter");
        return rc;
    }
    rc = s_check_charter (&message, &author, problem);
    if (rc == 0)
        rc = s_group_fill (self, packed, &message, problem);
    if (rc != 0)
        group_clear (self);
    message_clear (&message);
    return rc;
}

void group_clear (group_t *self)
{
    assert (self != NULL);
    buffer_clear (&self->packed);
    memset (self, 0, sizeof *self);
}
