/* SPDX-License-Identifier: MPL-2.0 */
#include "node/turn.h"

#include "node/turn_state.h"
#include "tests/lib/sample.h"
#include "tests/lib/turn_rig.h"

static turn_rig_t *s_started (void)
{
    turn_rig_t *rig = turn_rig_new ();
    ck_assert_int_eq (turn_rig_start (rig), 0);
    return rig;
}

/* A started rig whose trace begins with the next turn. */
static turn_rig_t *s_quiet (void)
{
    turn_rig_t *rig = s_started ();
    turn_rig_run_until (rig, rig->now_ms + 10);
    rig->trace[0] = '\0';
    return rig;
}

START_TEST (what_must_last_is_committed_before_anything_is_said_or_done)
{
    turn_rig_t *rig = s_started (); /* the ports assert that nothing is done within the transaction */
    turn_rig_run_until (rig, rig->now_ms + 2000);
    size_t commit = turn_rig_find (rig, "commit");
    ck_assert_uint_eq (turn_rig_find (rig, "begin"), 0);
    ck_assert_uint_lt (turn_rig_find (rig, "journal:STARTED"), commit);
    ck_assert_uint_lt (turn_rig_find (rig, "content"), commit); /* the start, persisted */
    ck_assert_uint_gt (turn_rig_find (rig, "member"), commit);
    ck_assert_uint_gt (turn_rig_find (rig, "job:EVALUATE"), commit);
    ck_assert_uint_lt (turn_rig_find (rig, "job:EVALUATE"), SIZE_MAX);
    turn_rig_destroy (rig);
}
END_TEST

START_TEST (all_events_of_a_turn_go_into_one_transaction)
{
    turn_rig_t *rig = s_quiet ();
    turn_rig_command (rig, 1, "pause");
    turn_rig_command (rig, 2, "resume");
    ck_assert_uint_eq (turn_deadline_ms (rig->turn), 0);
    ck_assert_int_eq (turn_rig_run (rig, 0), 0);
    ck_assert_uint_eq (turn_rig_count (rig, "begin"), 1);
    ck_assert_uint_eq (turn_rig_count (rig, "commit"), 1);
    ck_assert_uint_eq (turn_rig_count (rig, "journal:COMMAND"), 2);
    ck_assert_uint_eq (turn_rig_count (rig, "answer"), 2);
    ck_assert_uint_eq (rig->answered, 2);
    ck_assert_uint_gt (turn_rig_find (rig, "notify"), turn_rig_find (rig, "commit"));
    turn_rig_destroy (rig);
}
END_TEST

START_TEST (effects_are_done_in_the_order_in_which_they_were_wanted)
{
    turn_rig_t *rig = s_quiet ();
    turn_rig_command (rig, 1, "pause"); /* tells of its event, publishes it, then answers */
    ck_assert_int_eq (turn_rig_run (rig, 0), 0);
    ck_assert_uint_lt (turn_rig_find (rig, "notify"), turn_rig_find (rig, "publish"));
    ck_assert_uint_lt (turn_rig_find (rig, "publish"), turn_rig_find (rig, "answer"));
    ck_assert_uint_lt (turn_rig_find (rig, "answer"), SIZE_MAX);
    turn_rig_destroy (rig);
}
END_TEST

/* Fails unless the turn in which `pause` is to be done does nothing but to answer that it failed. */
static void s_expect_nothing_done (turn_rig_t *rig, int error)
{
    size_t journal = turn_rig_journal (rig, 0);
    turn_rig_command (rig, 7, "pause");
    ck_assert_int_eq (turn_rig_run (rig, 0), error);
    ck_assert (turn_failed (rig->turn));
    ck_assert_uint_eq (turn_rig_count (rig, "rollback"), 1);
    ck_assert_uint_eq (turn_rig_count (rig, "notify"), 0);
    ck_assert_uint_eq (turn_rig_count (rig, "publish"), 0);
    ck_assert_uint_eq (turn_rig_count (rig, "answer"), 0);
    ck_assert_uint_eq (turn_rig_count (rig, "answer:failed"), 1); /* the caller isn't left waiting */
    ck_assert_uint_eq (rig->answered, 7);
    ck_assert_uint_eq (turn_rig_journal (rig, 0), journal);
    ck_assert_uint_eq (turn_deadline_ms (rig->turn), UINT64_MAX);
    turn_rig_destroy (rig);
}

START_TEST (if_the_commit_fails_nothing_is_said_or_done)
{
    turn_rig_t *rig = s_quiet ();
    rig->commit_error = ERROR_FULL;
    s_expect_nothing_done (rig, ERROR_FULL);
}
END_TEST

START_TEST (if_a_write_fails_nothing_is_said_or_done)
{
    turn_rig_t *rig = s_quiet ();
    rig->journal_error = ERROR_IO;
    s_expect_nothing_done (rig, ERROR_IO);
}
END_TEST

START_TEST (if_no_transaction_can_be_begun_nothing_is_said_or_done)
{
    turn_rig_t *rig = s_quiet ();
    rig->begin_error = ERROR_IO;
    s_expect_nothing_done (rig, ERROR_IO);
}
END_TEST

START_TEST (a_failed_turn_takes_nothing_in_until_it_is_rebuilt_and_then_goes_on)
{
    turn_rig_t *rig = s_quiet ();
    digest_t before = node_digest (turn_node (rig->turn));
    rig->commit_error = ERROR_FULL;
    turn_rig_command (rig, 1, "pause");
    ck_assert_int_eq (turn_rig_run (rig, 0), ERROR_FULL);
    turn_rig_command (rig, 2, "pause");
    ck_assert_uint_eq (rig->answered, 2);
    ck_assert (rig->answer_failed);
    turn_rig_evaluated (rig, 5);
    ck_assert_int_ne (turn_rig_run (rig, 0), 0);

    rig->commit_error = 0;
    ck_assert_int_eq (turn_recover (rig->turn, NULL), 0);
    digest_t after = node_digest (turn_node (rig->turn));
    ck_assert (digest_equal (&before, &after)); /* the pause was never done */
    effects_clear (&rig->jobs);
    ck_assert_int_eq (turn_rig_start (rig), 0);
    turn_rig_run_until (rig, rig->now_ms + 10);
    ck_assert_uint_eq (rig->jobs.count, 1); /* the baseline is asked for again */
    turn_rig_destroy (rig);
}
END_TEST

START_TEST (a_job_that_is_done_at_once_is_stepped_in_a_later_turn)
{
    turn_rig_t *rig = turn_rig_new ();
    rig->answer_at_once = true;
    ck_assert_int_eq (turn_rig_start (rig), 0);
    if (rig->jobs.count == 0)
        ck_assert_int_eq (turn_rig_run (rig, 0), 0);
    ck_assert_uint_eq (rig->jobs.count, 1);
    ck_assert_uint_eq (turn_rig_journal (rig, EVENT_EVALUATED), 0);
    ck_assert_uint_eq (turn_deadline_ms (rig->turn), 0); /* it is due at once */
    rig->answer_at_once = false;
    ck_assert_int_eq (turn_rig_run (rig, 0), 0);
    ck_assert_uint_eq (turn_rig_journal (rig, EVENT_EVALUATED), 1);
    turn_rig_destroy (rig);
}
END_TEST

START_TEST (a_node_rebuilt_from_its_journal_is_the_same)
{
    turn_rig_t *rig = s_started ();
    turn_rig_run_until (rig, rig->now_ms + 10);
    ck_assert (turn_rig_evaluated (rig, 5));
    turn_rig_run_until (rig, rig->now_ms + 3000);
    turn_rig_command (rig, 3, "pause");
    turn_rig_run_until (rig, rig->now_ms + 3000);
    digest_t before = node_digest (turn_node (rig->turn));
    uint64_t now_ms = rig->now_ms;
    turn_rig_crash (rig);
    ck_assert_int_eq (turn_rig_start (rig), 0);
    ck_assert_uint_le (turn_last_now_ms (rig->turn), now_ms);
    turn_rig_crash (rig);

    ck_assert_int_eq (turn_rig_start (rig), 0); /* STARTED twice in a row changes nothing more */
    digest_t after = node_digest (turn_node (rig->turn));
    node_status_t status;
    node_status (turn_node (rig->turn), &status);
    ck_assert (status.paused);
    ck_assert_double_eq (status.live_metrics.values[0], 5);
    ck_assert (digest_equal (&before, &after));
    turn_rig_destroy (rig);
}
END_TEST

/* What a replay found. */
typedef struct {
    uint64_t entries;
    uint64_t differs;
} replayed_t;

static int s_compare (void *context, uint64_t number, const event_t *event, const effects_t *effects,
                      const digest_t *recorded, const digest_t *computed)
{
    (void)event, (void)effects;
    replayed_t *found = context;
    found->entries++;
    if (!digest_equal (recorded, computed) && found->differs == 0)
        found->differs = number;
    return 0;
}

START_TEST (a_replay_gives_the_recorded_effects_and_finds_an_altered_entry)
{
    turn_rig_t *rig = s_started ();
    turn_rig_run_until (rig, rig->now_ms + 10);
    ck_assert (turn_rig_evaluated (rig, 5));
    turn_rig_command (rig, 3, "pause");
    turn_rig_run_until (rig, rig->now_ms + 1000);
    replayed_t found = {0, 0};
    turn_replayed_t replayed;
    ck_assert_int_eq (turn_replay (rig->turn, s_compare, &found, &replayed), 0);
    ck_assert_uint_ge (found.entries, 3);
    ck_assert_uint_eq (found.entries, turn_rig_journal (rig, 0));
    ck_assert_uint_eq (found.differs, 0);

    size_t last = rig->committed;
    while (!rig->rows[last - 1].is_journal)
        last--;
    rig->rows[last - 1].digest.bytes[0] ^= 1;
    found = (replayed_t){0, 0};
    ck_assert_int_eq (turn_replay (rig->turn, s_compare, &found, &replayed), 0);
    ck_assert_uint_eq (found.differs, found.entries);
    turn_rig_destroy (rig);
}
END_TEST

START_TEST (a_damaged_journal_is_told_by_the_number_of_its_entry)
{
    turn_rig_t *rig = s_quiet ();
    turn_rig_command (rig, 3, "pause");
    ck_assert_int_eq (turn_rig_run (rig, 0), 0);
    size_t journal = turn_rig_journal (rig, 0), last = rig->committed;
    while (!rig->rows[last - 1].is_journal)
        last--;
    rig->rows[last - 1].bytes.size--;
    uint64_t number = 0;
    ck_assert_int_eq (turn_recover (rig->turn, &number), ERROR_MALFORMED);
    ck_assert_uint_eq (number, journal);
    ck_assert (turn_failed (rig->turn));
    turn_rig_destroy (rig);
}
END_TEST

START_TEST (idle_time_leaves_nothing_in_the_journal)
{
    turn_rig_t *rig = s_started ();
    turn_rig_run_until (rig, rig->now_ms + 10);
    turn_rig_command (rig, 3, "pause");
    turn_rig_run_until (rig, rig->now_ms + 100);
    size_t journal = turn_rig_journal (rig, 0);
    rig->trace[0] = '\0';
    turn_rig_run_until (rig, rig->now_ms + 20000);
    ck_assert_uint_eq (turn_rig_journal (rig, 0), journal);
    ck_assert_uint_ge (turn_rig_count (rig, "presence"), 10); /* it was alive all the time */
    turn_rig_destroy (rig);
}
END_TEST

START_TEST (bytes_that_are_no_statement_leave_no_trace_but_in_the_log)
{
    turn_rig_t *rig = s_quiet ();
    const pubkey_t stranger = {{9}};
    uint8_t seal[SEAL_BYTES] = {0};
    turn_receive (rig->turn, &stranger, (const uint8_t *)"garbage", 7, seal, sizeof seal);
    turn_receive (rig->turn, &stranger, NULL, 0, NULL, 0);
    turn_receive (rig->turn, NULL, (const uint8_t *)"\x96\x0a", 2, seal, 3);
    size_t journal = turn_rig_journal (rig, 0);
    ck_assert_int_eq (turn_rig_run (rig, 0), 0);
    ck_assert_uint_eq (turn_rig_journal (rig, 0), journal);
    ck_assert_uint_ge (turn_rig_count (rig, "log:refused"), 1);
    turn_rig_destroy (rig);
}
END_TEST

START_TEST (beyond_the_bound_statements_are_dropped_and_commands_are_not)
{
    turn_rig_t *rig = s_quiet ();
    const pubkey_t stranger = {{9}};
    uint8_t seal[SEAL_BYTES] = {0};
    for (size_t i = 0; i < TURN_RECEIVED_MAX + 100; i++)
        turn_receive (rig->turn, &stranger, (const uint8_t *)"garbage", 7, seal, sizeof seal);
    turn_rig_command (rig, 3, "pause");
    size_t turns = 0;
    do {
        ck_assert_int_eq (turn_rig_run (rig, 0), 0);
        turns++;
    } while (rig->answered != 3 && turns < 100);
    ck_assert_uint_eq (turns, TURN_RECEIVED_MAX / TURN_STEPS_MAX + 1);
    turn_rig_destroy (rig);
}
END_TEST

START_TEST (at_the_end_the_group_is_told)
{
    turn_rig_t *rig = s_quiet ();
    turn_leave (rig->turn, rig->now_ms, 1700000000000);
    ck_assert_uint_eq (turn_deadline_ms (rig->turn), 0);
    ck_assert_int_eq (turn_rig_run (rig, 0), 0);
    ck_assert_uint_ge (turn_rig_count (rig, "presence"), 1);
    turn_rig_destroy (rig);
}
END_TEST

/* A statement of the other member, over its link. */
static void s_hear (turn_rig_t *rig, unsigned kind, uint64_t seq, const void *fields)
{
    identity_t other = sample_identity (2);
    pubkey_t curve = sample_curve (2);
    head_t head = {.kind = kind,
                   .group = rig->group.group,
                   .epoch = rig->members.epoch,
                   .seq = seq,
                   .time_ms = 1700000000000};
    buffer_t body = {0};
    uint8_t seal[SEAL_BYTES];
    message_seal (&other, &head, fields, &body, seal);
    turn_receive (rig->turn, &curve, body.data, body.size, seal, sizeof seal);
    buffer_clear (&body);
}

START_TEST (a_fetch_that_nobody_waits_for_any_more_is_given_up)
{
    turn_rig_t *rig = s_quiet ();
    validation_request_t request = {.to = rig->identity.id,
                                    .improvement = {{1}},
                                    .candidate = {{2}},
                                    .base = {{3}},
                                    .evaluator = rig->group.evaluator,
                                    .validation_type = 1,
                                    .deadline_ms = 500};
    s_hear (rig, MESSAGE_VALIDATION_REQUEST, 1002, &request);
    ck_assert_int_eq (turn_rig_run (rig, 1), 0);
    ck_assert_uint_eq (turn_rig_count (rig, "log:refused"), 0);
    ck_assert_uint_eq (fetcher_count (rig->turn->fetcher), 2);
    turn_rig_run_until (rig, rig->now_ms + 1000);
    ck_assert_uint_eq (fetcher_count (rig->turn->fetcher), 0);
    ck_assert_uint_eq (turn_rig_count (rig, "job:CANCEL"), 0); /* it was no job */
    turn_rig_destroy (rig);
}
END_TEST

START_TEST (a_link_key_that_the_roster_no_longer_has_loses_its_standing)
{
    turn_rig_t *rig = s_quiet ();
    members_t *changed = calloc (1, sizeof *changed);
    ck_assert_ptr_nonnull (changed);
    *changed = *node_members (turn_node (rig->turn));
    turn_set_members (rig->turn, changed);
    ck_assert_int_eq (turn_rig_run (rig, 1), 0);
    ck_assert_uint_eq (turn_rig_count (rig, "standing"), 0);
    ck_assert_uint_eq (turn_rig_count (rig, "member"), 2);
    identity_t other = sample_identity (2);
    changed->members[members_find (changed, &other.id)].curve = sample_curve (3);
    rig->trace[0] = '\0';
    turn_set_members (rig->turn, changed);
    ck_assert_int_eq (turn_rig_run (rig, 1), 0);
    ck_assert_uint_eq (turn_rig_count (rig, "standing"), 1); /* the old key's */
    ck_assert_uint_eq (turn_rig_count (rig, "member"), 2);
    free (changed);
    turn_rig_destroy (rig);
}
END_TEST

SUITE_MAIN ("turn", what_must_last_is_committed_before_anything_is_said_or_done,
            all_events_of_a_turn_go_into_one_transaction,
            effects_are_done_in_the_order_in_which_they_were_wanted,
            if_the_commit_fails_nothing_is_said_or_done, if_a_write_fails_nothing_is_said_or_done,
            if_no_transaction_can_be_begun_nothing_is_said_or_done,
            a_failed_turn_takes_nothing_in_until_it_is_rebuilt_and_then_goes_on,
            a_job_that_is_done_at_once_is_stepped_in_a_later_turn,
            a_node_rebuilt_from_its_journal_is_the_same,
            a_replay_gives_the_recorded_effects_and_finds_an_altered_entry,
            a_damaged_journal_is_told_by_the_number_of_its_entry, idle_time_leaves_nothing_in_the_journal,
            bytes_that_are_no_statement_leave_no_trace_but_in_the_log,
            beyond_the_bound_statements_are_dropped_and_commands_are_not, at_the_end_the_group_is_told,
            a_fetch_that_nobody_waits_for_any_more_is_given_up,
            a_link_key_that_the_roster_no_longer_has_loses_its_standing)
