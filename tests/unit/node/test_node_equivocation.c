/* SPDX-License-Identifier: MPL-2.0 */
/* A member that said two things under one number: the proof is kept and told, and its word on improvements counts no more. */
#include <stdio.h>

#include "protocol/message.h"
#include "tests/lib/rig.h"
#include "tests/lib/suite.h"

/* A PING of node `from`, packed. */
static buffer_t s_ping (const rig_t *rig, size_t from, uint64_t seq, uint64_t time_ms)
{
    head_t head = {.kind = MESSAGE_PING,
                   .group = rig->group.group,
                   .epoch = rig->members->epoch,
                   .seq = seq,
                   .time_ms = time_ms};
    ping_t ping = {rig->nodes[0].identity.id};
    buffer_t body = {0}, packed = {0};
    uint8_t seal[SEAL_BYTES];
    message_seal (&rig->nodes[from].identity, &head, &ping, &body, seal);
    statement_pack (body.data, body.size, seal, &packed);
    buffer_clear (&body);
    return packed;
}

/* The mesh of node k proves that node `who` said two things under `seq`. */
static void s_prove (rig_t *rig, size_t k, size_t who, uint64_t seq)
{
    buffer_t first = s_ping (rig, who, seq, 1000), second = s_ping (rig, who, seq, 1001);
    event_t event = {.kind = EVENT_EQUIVOCATED,
                     .as.equivocated = {.member = rig->nodes[who].identity.id,
                                        .seq = seq,
                                        .first = bytes_of (first.data, first.size),
                                        .second = bytes_of (second.data, second.size)}};
    rig_event (rig, k, event);
    buffer_clear (&first);
    buffer_clear (&second);
}

static uint64_t s_count (const rig_t *rig, size_t k)
{
    node_status_t status;
    node_status (rig->nodes[k].node, &status);
    return status.equivocations;
}

static unsigned s_heard (const rig_t *rig, size_t k, unsigned kind)
{
    return rig->nodes[k].heard[kind];
}

START_TEST (the_proof_is_kept_and_told_once)
{
    rig_t *rig = rig_new (3, NULL);
    char member[DIGEST_TEXT_BYTES];
    pubkey_text (&rig->nodes[2].identity.id, member);
    unsigned kept = rig->nodes[0].statements;
    s_prove (rig, 0, 2, 77);
    ck_assert_uint_eq (rig_events (rig, 0, "equivocation_proved"), 1);
    ck_assert_uint_eq (rig_told (rig, 0, "equivocation_proved", "member", member), 1);
    ck_assert_uint_eq (rig_told (rig, 0, "equivocation_proved", "seq", "77"), 1);
    ck_assert_uint_eq (rig->nodes[0].statements, kept + 3); /* both, and our own EVENT */
    s_prove (rig, 0, 2, 77);
    s_prove (rig, 0, 2, 79);
    ck_assert_uint_eq (rig_events (rig, 0, "equivocation_proved"), 1);
    ck_assert_uint_eq (s_count (rig, 0), 1);
    rig_restart (rig, 0);
    s_prove (rig, 0, 2, 77); /* a mesh that started anew proves it anew */
    ck_assert_uint_eq (s_count (rig, 0), 1);
    rig_destroy (&rig);
}
END_TEST

START_TEST (who_equivocated_is_not_asked_and_not_counted)
{
    policy_t policy = policy_default ();
    policy.min_confirmations = 2;
    rig_t *rig = rig_new (4, &policy);
    s_prove (rig, 0, 3, 77);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    rig_propose (rig, 0, &better);
    rig_settle (rig);
    ck_assert_int_eq (rig_state (rig, 0, &better, NULL, NULL), STATE_SHARED);
    const rig_row_t *row = rig_row (rig, 0, &better);
    ck_assert_uint_eq (row->approvals, 2);
    ck_assert_uint_eq (row->confirmations, 2);
    ck_assert_uint_eq (s_heard (rig, 3, MESSAGE_FEEDBACK_REQUEST), 0);
    ck_assert_uint_eq (s_heard (rig, 3, MESSAGE_VALIDATION_REQUEST), 0);
    ck_assert_uint_eq (s_heard (rig, 1, MESSAGE_VALIDATION_REQUEST), 1);
    rig_destroy (&rig);
}
END_TEST

/* It can confirm nothing, but counts as a member: so what is good waits, and isn't lost, until the admin lets it go. */
START_TEST (what_is_good_waits_until_who_equivocated_is_revoked)
{
    rig_t *rig = rig_new (3, NULL); /* two confirmations are needed */
    char id[DIGEST_TEXT_BYTES];
    pubkey_text (&rig->nodes[2].identity.id, id);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    s_prove (rig, 0, 2, 77);
    rig_propose (rig, 0, &better);
    rig_settle (rig);
    rig_pass (rig, 3600000);
    node_status_t status;
    node_status (rig->nodes[0].node, &status);
    ck_assert_int_eq (rig_state (rig, 0, &better, NULL, NULL), STATE_TESTING);
    ck_assert_uint_eq (status.awaiting_members, 1);
    ck_assert_uint_eq (s_heard (rig, 1, MESSAGE_FEEDBACK_REQUEST), 0);
    ck_assert (rig_command (rig, 0, "revoke", "id", id));
    rig_settle (rig);
    ck_assert_int_eq (rig_state (rig, 0, &better, NULL, NULL), STATE_SHARED);
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_result_that_comes_after_the_proof_is_acknowledged_and_dropped)
{
    rig_t *rig = rig_new (3, NULL); /* two confirmations are needed */
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    rig->nodes[2].rules.hold_evaluations = true;
    rig_propose (rig, 0, &better);
    rig_settle (rig);
    ck_assert_int_eq (rig_state (rig, 0, &better, NULL, NULL), STATE_VALIDATING);
    s_prove (rig, 0, 2, 77);
    rig->nodes[2].rules.hold_evaluations = false;
    rig_release (rig, 2);
    rig_settle (rig);
    ck_assert_int_eq (rig_state (rig, 0, &better, NULL, NULL), STATE_VALIDATING);
    node_status_t status;
    node_status (rig->nodes[2].node, &status);
    ck_assert_uint_eq (status.validations_done, 1);
    ck_assert_uint_eq (status.outbox, 0);
    rig_pass (rig, 30001); /* as if it were lost: not to the end of the deadline */
    reason_code_t reason;
    ck_assert_int_eq (rig_state (rig, 0, &better, &reason, NULL), STATE_REJECTED);
    ck_assert_str_eq (reason_name (reason), "no_validators");
    ck_assert_uint_eq (rig_row (rig, 0, &better)->confirmations, 1);
    rig_destroy (&rig);
}
END_TEST

START_TEST (feedback_after_the_proof_does_not_count)
{
    rig_t *rig = rig_new (3, NULL);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    rig->nodes[1].rules.deaf = rig->nodes[2].rules.deaf = true;
    rig_propose (rig, 0, &better);
    rig_settle (rig);
    ck_assert_int_eq (rig_state (rig, 0, &better, NULL, NULL), STATE_REVIEWING);
    s_prove (rig, 0, 2, 77);
    rig->nodes[1].rules.deaf = rig->nodes[2].rules.deaf = false;
    for (size_t peer = 1; peer < 3; peer++) /* asked again, as it is found again; only node 1 is */
        rig_event (rig, 0,
                   (event_t){.kind = EVENT_PEER_UP,
                             .as.peer_up = {rig->nodes[peer].identity.id, 7, text_of ("x86_64/rig/1"), 0}});
    rig_settle (rig);
    ck_assert_uint_eq (rig_events (rig, 0, "feedback_received"), 1);
    ck_assert_uint_eq (s_heard (rig, 2, MESSAGE_FEEDBACK_REQUEST), 0);
    rig_destroy (&rig);
}
END_TEST

START_TEST (who_is_no_member_is_not_accused)
{
    rig_t *rig = rig_new (3, NULL);
    char id[DIGEST_TEXT_BYTES];
    pubkey_text (&rig->nodes[2].identity.id, id);
    ck_assert (rig_command (rig, 0, "revoke", "id", id));
    s_prove (rig, 0, 2, 77);
    ck_assert_uint_eq (rig_events (rig, 0, "equivocation_proved"), 0);
    rig_destroy (&rig);
}
END_TEST

SUITE_MAIN ("node_equivocation", the_proof_is_kept_and_told_once,
            who_equivocated_is_not_asked_and_not_counted, what_is_good_waits_until_who_equivocated_is_revoked,
            a_result_that_comes_after_the_proof_is_acknowledged_and_dropped,
            feedback_after_the_proof_does_not_count, who_is_no_member_is_not_accused)
