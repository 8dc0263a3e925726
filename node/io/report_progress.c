/* SPDX-License-Identifier: MPL-2.0 */
/* What `show` says of an improvement that is under way. */
#include "node/io/report_internal.h"

#include <assert.h>

static json_t *s_feedback (const node_progress_t *progress)
{
    if (progress->asked == 0)
        return json_null ();
    return json_pack ("{s:i, s:i, s:i, s:i}", "asked", (int)progress->asked, "approve",
                      (int)progress->approvals, "review", (int)progress->reviews, "reject",
                      (int)progress->rejections);
}

static json_t *s_validation (const node_progress_t *progress)
{
    if (progress->validators == 0)
        return json_null ();
    return json_pack ("{s:i, s:i, s:i, s:i, s:i}", "asked", (int)progress->validators, "confirmed",
                      (int)progress->confirmed, "refuted", (int)progress->refuted, "declined",
                      (int)progress->declined, "needed", (int)progress->needed);
}

static json_t *s_left_ms (const node_progress_t *progress, uint64_t now_ms)
{
    if (progress->due_ms == UINT64_MAX)
        return json_null ();
    return json_integer (progress->due_ms > now_ms ? (json_int_t)(progress->due_ms - now_ms) : 0);
}

char *report_progress (const turn_t *turn, const digest_t *id, uint64_t now_ms)
{
    assert (turn != NULL && id != NULL);
    node_progress_t progress;
    if (!node_progress (turn_node (turn), id, &progress))
        return json_dumps (json_null (), JSON_ENCODE_ANY);
    json_t *root = json_pack (
        "{s:s, s:s, s:i, s:i, s:b, s:b, s:o, s:o, s:o}", "state", improvement_state_name (progress.state),
        "waits_for", progress_wait_name (progress.waits_for), "pairs", (int)progress.pairs, "pairs_most",
        (int)progress.pairs_most, "second_trial", (int)progress.second, "running", (int)progress.running,
        "feedback", s_feedback (&progress), "validation", s_validation (&progress), "left_ms",
        s_left_ms (&progress, now_ms));
    char *text = root == NULL ? NULL : json_dumps (root, JSON_COMPACT);
    json_decref (root);
    return text;
}
