/* SPDX-License-Identifier: MPL-2.0 */
/* What one member can do to a node by what it says: bounded, and never at the cost of the other members. */
#include <stdio.h>
#include <string.h>

#include "protocol/message.h"
#include "tests/lib/rig.h"
#include "tests/lib/suite.h"

static uint64_t s_outbox (const rig_t *rig, size_t k)
{
    node_status_t status;
    node_status (rig->nodes[k].node, &status);
    return status.outbox;
}

static uint64_t s_turned_away (const rig_t *rig, size_t k)
{
    node_status_t status;
    node_status (rig->nodes[k].node, &status);
    return status.rejected[REASON_BUSY];
}

/* Node `from` says something to node `to`, under a number that its own core never uses. */
static void s_say (rig_t *rig, size_t from, size_t to, unsigned kind, const void *fields)
{
    static uint64_t seq = 1000001;
    head_t head = {.kind = kind,
                   .group = rig->group.group,
                   .epoch = rig->members->epoch,
                   .seq = seq += 2,
                   .time_ms = 1700000000000u + rig->now_ms};
    buffer_t body = {0};
    uint8_t seal[SEAL_BYTES];
    message_seal (&rig->nodes[from].identity, &head, fields, &body, seal);
    rig_event (rig, to,
               (event_t){.kind = EVENT_RECEIVED,
                         .as.received = {rig->nodes[from].curve.public_key, bytes_of (body.data, body.size),
                                         bytes_of (seal, SEAL_BYTES)}});
    buffer_clear (&body);
}

static void s_transfer (rig_t *rig, size_t from, size_t to, uint64_t n)
{
    knowledge_transfer_t transfer = {.to = rig->nodes[to].identity.id,
                                     .transfer = digest_of (&n, sizeof n),
                                     .package = digest_of_two (&from, sizeof from, &n, sizeof n),
                                     .size = 1000};
    s_say (rig, from, to, MESSAGE_KNOWLEDGE_TRANSFER, &transfer);
}

static void s_announce (rig_t *rig, size_t from, size_t to, uint64_t n)
{
    knowledge_t knowledge = {.publication = 1000 + n,
                             .package = digest_of_two (&from, sizeof from, &n, sizeof n),
                             .summary = text_of ("a promise"),
                             .size = 1000};
    s_say (rig, from, to, MESSAGE_KNOWLEDGE, &knowledge);
}

static void s_lose (rig_t *rig, size_t k, size_t peer)
{
    rig_event (rig, k, (event_t){.kind = EVENT_PEER_LOST, .as.peer_lost.peer = rig->nodes[peer].identity.id});
}

/* The number of the newest statement that the event makes node k publish. */
static uint64_t s_newest_number (rig_t *rig, size_t k, const char *command)
{
    event_t event = {.kind = EVENT_COMMAND,
                     .now_ms = rig->now_ms,
                     .wall_ms = 1700000000000u + rig->now_ms,
                     .as.command = {.operation = 9, .name = text_of (command)}};
    effects_t effects = {0};
    ck_assert_int_eq (node_step (rig->nodes[k].node, &event, &effects), 0);
    uint64_t newest = 0;
    for (size_t i = 0; i < effects.count; i++) {
        head_t head;
        if (effects.items[i].kind != EFFECT_PUBLISH)
            continue;
        bytes_t body = effects.items[i].as.publish.body;
        ck_assert_int_eq (message_head (body.data, body.size, &head), 0);
        newest = head.seq;
    }
    effects_clear (&effects);
    return newest;
}

START_TEST (no_member_uses_up_our_numbers_by_what_it_claims_to_have_seen)
{
    const uint64_t lies[] = {UINT64_MAX, UINT64_MAX - 1, UINT64_MAX - 3, UINT64_MAX / 2};
    rig_t *rig = rig_new (2, NULL);
    uint64_t last = s_newest_number (rig, 0, "pause");
    for (size_t i = 0; i < 4; i++) {
        rig_event (rig, 0,
                   (event_t){.kind = EVENT_PEER_UP,
                             .as.peer_up = {rig->nodes[1].identity.id, 7, text_of ("x"), lies[i]}});
        uint64_t number = s_newest_number (rig, 0, i % 2 ? "pause" : "resume");
        ck_assert_uint_gt (number, last);
        ck_assert_uint_lt (number, last + SEQ_JUMP_MAX + 1000);
        ck_assert_uint_eq (number % 2, 0);
        last = number;
    }
    /* The truth is believed: an odd number is the mesh's, ours go on above it. */
    rig_event (rig, 0,
               (event_t){.kind = EVENT_PEER_UP,
                         .as.peer_up = {rig->nodes[1].identity.id, 7, text_of ("x"), last + 5001}});
    ck_assert_uint_eq (s_newest_number (rig, 0, "resume"), last + 5004);
    rig_destroy (&rig);
}
END_TEST

START_TEST (an_author_has_so_many_packages_waiting_and_no_more)
{
    rig_t *rig = rig_new (3, NULL);
    rig_command (rig, 0, "pause", NULL, NULL); /* nothing is fetched */
    for (uint64_t n = 0; n < LIMIT_KNOWLEDGE_OF_PEER; n++)
        s_announce (rig, 2, 0, n);
    for (uint64_t n = 0; n < LIMIT_KNOWLEDGE_OF_PEER; n++)
        s_announce (rig, 1, 0, n);
    ck_assert_uint_eq (s_turned_away (rig, 0), 0);
    for (uint64_t n = 0; n < LIMIT_KNOWLEDGE_OF_PEER; n++)
        s_announce (rig, 1, 0, n); /* known: it takes no place */
    ck_assert_uint_eq (s_turned_away (rig, 0), 0);
    for (uint64_t n = LIMIT_KNOWLEDGE_OF_PEER; n < 2 * LIMIT_KNOWLEDGE; n++)
        s_announce (rig, 1, 0, n);
    ck_assert_uint_eq (s_turned_away (rig, 0), 2 * LIMIT_KNOWLEDGE - LIMIT_KNOWLEDGE_OF_PEER);
    for (uint64_t n = 0; n < LIMIT_KNOWLEDGE_OF_PEER; n++)
        s_announce (rig, 2, 0, n); /* the other's are all still there */
    ck_assert_uint_eq (s_turned_away (rig, 0), 2 * LIMIT_KNOWLEDGE - LIMIT_KNOWLEDGE_OF_PEER);
    ck_assert_uint_eq (s_outbox (rig, 0), 0); /* who only announces is not answered */
    rig_destroy (&rig);
}
END_TEST

START_TEST (who_sends_too_many_is_told_busy_and_what_waits_for_it_is_bounded)
{
    rig_t *rig = rig_new (3, NULL);
    rig->nodes[1].rules.deaf = rig->nodes[2].rules.deaf = true; /* they acknowledge nothing */
    rig_command (rig, 0, "pause", NULL, NULL);
    for (uint64_t n = 0; n < LIMIT_KNOWLEDGE_OF_PEER + 1; n++)
        s_transfer (rig, 2, 0, n);
    ck_assert_uint_eq (s_outbox (rig, 0), 1); /* the one that went */
    for (uint64_t n = 0; n < LIMIT_KNOWLEDGE_OF_PEER + LIMIT_OUTBOX_OF_PEER; n++)
        s_transfer (rig, 1, 0, n);
    ck_assert_uint_eq (s_outbox (rig, 0), 1 + LIMIT_OUTBOX_OF_PEER);
    for (uint64_t n = 1000; n < 1000 + 2 * LIMIT_OUTBOX; n++)
        s_transfer (rig, 1, 0, n);
    ck_assert_uint_eq (s_outbox (rig, 0), 1 + LIMIT_OUTBOX_OF_PEER);
    /* The other's answer is still there: it goes as soon as that one hears again. */
    rig_settle (rig);
    rig->nodes[2].rules.deaf = false;
    rig_event (rig, 0,
               (event_t){.kind = EVENT_PEER_UP,
                         .as.peer_up = {rig->nodes[2].identity.id, 7, text_of ("x86_64/rig/1"), 0}});
    rig_settle (rig);
    ck_assert_uint_eq (rig->nodes[2].heard[MESSAGE_TRANSFER_RESULT], 1);
    ck_assert_uint_eq (s_outbox (rig, 0), LIMIT_OUTBOX_OF_PEER);
    /* Nothing is kept for who is revoked. */
    char id[DIGEST_TEXT_BYTES];
    pubkey_text (&rig->nodes[1].identity.id, id);
    ck_assert (rig_command (rig, 0, "revoke", "id", id));
    ck_assert_uint_eq (s_outbox (rig, 0), 0);
    rig_destroy (&rig);
}
END_TEST

START_TEST (an_answer_that_still_waits_is_not_given_again)
{
    rig_t *rig = rig_new (2, NULL);
    s_transfer (rig, 1, 0, 1); /* of a package that nobody has */
    rig_pass (rig, 60000);
    ck_assert_int_eq (rig_events (rig, 0, "knowledge_rejected"), 1);
    ck_assert_uint_eq (rig->nodes[1].heard[MESSAGE_TRANSFER_RESULT], 1);
    ck_assert_uint_eq (s_outbox (rig, 0), 0);
    rig->nodes[1].rules.deaf = true;
    for (int i = 0; i < 100; i++)
        s_transfer (rig, 1, 0, 1);
    ck_assert_uint_eq (s_outbox (rig, 0), 1);
    rig_settle (rig);
    rig->nodes[1].rules.deaf = false;
    rig_pass (rig, 20000);
    ck_assert_uint_eq (s_outbox (rig, 0), 0);
    s_transfer (rig, 1, 0, 1); /* that one arrived: asked again, it is told again */
    ck_assert_uint_eq (s_outbox (rig, 0), 1);
    rig_destroy (&rig);
}
END_TEST

START_TEST (who_claims_a_package_first_and_withholds_it_does_not_keep_it_from_us)
{
    rig_t *rig = rig_new (3, NULL);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    rig_command (rig, 0, "pause", NULL, NULL); /* what it hears of waits */
    rig_propose (rig, 1, &better);
    rig_settle (rig);
    ck_assert_int_eq (rig_state (rig, 1, &better, NULL, NULL), STATE_SHARED);
    digest_t package = rig->trees[rig->tree_count - 1].id; /* the last content that was kept */
    rig_t *late = rig_new (3, NULL);
    for (size_t i = 0; i < rig->tree_count;
         i++) { /* in another world node 2 tells of it before node 1 does */
        late->trees[i].id = rig->trees[i].id;
        late->trees[i].tree.size = 0;
        buffer_append (&late->trees[i].tree, rig->trees[i].tree.data, rig->trees[i].tree.size);
        memcpy (late->trees[i].text, rig->trees[i].text, sizeof late->trees[i].text);
        late->trees[i].cost = rig->trees[i].cost;
    }
    late->tree_count = rig->tree_count;
    late->nodes[2].rules.mute = true;
    for (size_t from = 2; from >= 1; from--) {
        knowledge_t knowledge = {
            .publication = 1000, .package = package, .summary = text_of ("mine"), .size = 1000};
        s_say (late, from, 0, MESSAGE_KNOWLEDGE, &knowledge);
    }
    for (int i = 0; i < 4; i++) { /* what node 2 never answers ends by its time-out */
        rig_pass (late, 30000);
        rig_release (late, 0);
    }
    rig_pass (late, 30000);
    ck_assert (digest_equal (&late->nodes[0].current, &better));
    rig_destroy (&late);
    rig_destroy (&rig);
}
END_TEST

START_TEST (an_author_that_promises_much_and_gives_nothing_delays_the_others_by_one_turn)
{
    rig_t *rig = rig_new (3, NULL);
    rig->nodes[1].rules.mute = true;
    for (uint64_t n = 0; n < LIMIT_KNOWLEDGE_OF_PEER; n++)
        s_announce (rig, 1, 0, n);
    rig_settle (rig); /* node 0 waits for the first of them */
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    rig_propose (rig, 2, &better);
    rig_settle (rig);
    ck_assert_int_eq (rig_state (rig, 2, &better, NULL, NULL), STATE_SHARED);
    ck_assert (!digest_equal (&rig->nodes[0].current, &better));
    rig_release (rig, 0); /* the time of the fetch is up */
    rig_settle (rig);
    ck_assert (digest_equal (&rig->nodes[0].current, &better));
    rig_destroy (&rig);
}
END_TEST

/* The only content that the rig keeps and that is no tree. */
static bytes_t s_package (const rig_t *rig)
{
    for (size_t i = 0; i < rig->tree_count; i++)
        if (rig->trees[i].text[0] == 0)
            return bytes_of (rig->trees[i].tree.data, rig->trees[i].tree.size);
    ck_abort_msg ("no package was shared");
    return bytes_of (NULL, 0);
}

static bool s_import (rig_t *rig, size_t k)
{
    rig->nodes[k].reply_failed = true;
    rig_event (
        rig, k,
        (event_t){.kind = EVENT_COMMAND,
                  .as.command = {.operation = 7, .name = text_of ("import"), .content = s_package (rig)}});
    return !rig->nodes[k].reply_failed;
}

START_TEST (what_is_imported_from_a_file_does_not_need_its_author)
{
    rig_t *rig = rig_new (3, NULL);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    rig_command (rig, 0, "pause", NULL, NULL);
    rig_propose (rig, 1, &better);
    rig_settle (rig);
    ck_assert_int_eq (rig_state (rig, 1, &better, NULL, NULL), STATE_SHARED);
    s_lose (rig, 0, 1);
    s_lose (rig, 0, 2);
    rig_command (rig, 0, "resume", NULL, NULL);
    rig_pass (rig, 30000);
    ck_assert (!digest_equal (&rig->nodes[0].current, &better)); /* heard of, but its author is away */
    ck_assert (s_import (rig, 0));
    rig_settle (rig);
    ck_assert (digest_equal (&rig->nodes[0].current, &better));
    ck_assert_int_eq (rig_events (rig, 0, "knowledge_adopted"), 1);
    ck_assert (!s_import (rig, 0)); /* it was tried */
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_result_of_a_package_that_was_never_ours_is_acknowledged_and_tells_nothing)
{
    rig_t *rig = rig_new (3, NULL);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    transfer_result_t result = {.to = rig->nodes[0].identity.id,
                                .package = digest_of ("another", 7),
                                .adopted = 1,
                                .reason = text_of ("adopted")};
    s_say (rig, 1, 0, MESSAGE_TRANSFER_RESULT, &result);
    rig_settle (rig);
    ck_assert_uint_eq (rig_events (rig, 0, "transfer_result"), 0);
    ck_assert_uint_eq (rig->nodes[1].heard[MESSAGE_ACK], 1);
    rig_propose (rig, 0, &better);
    rig_settle (rig);
    ck_assert_int_eq (rig_state (rig, 0, &better, NULL, NULL), STATE_SHARED);
    ck_assert_uint_eq (rig_told (rig, 0, "transfer_result", "outcome", "adopted"),
                       2); /* of its own, it tells */
    rig_destroy (&rig);
}
END_TEST

START_TEST (a_package_without_a_hash_takes_no_place)
{
    rig_t *rig = rig_new (2, NULL);
    knowledge_t knowledge = {.publication = 1000, .summary = text_of ("nothing"), .size = 1};
    s_say (rig, 1, 0, MESSAGE_KNOWLEDGE, &knowledge);
    rig_pass (rig, 60000);
    ck_assert_int_eq (rig_events (rig, 0, "knowledge_rejected"), 0);
    ck_assert_uint_eq (s_turned_away (rig, 0), 0);
    rig_destroy (&rig);
}
END_TEST

START_TEST (an_own_package_is_not_imported)
{
    rig_t *rig = rig_new (3, NULL);
    digest_t better = *rig_candidate (rig, "better", 0.9, 0);
    rig_propose (rig, 1, &better);
    rig_settle (rig);
    ck_assert_int_eq (rig_state (rig, 1, &better, NULL, NULL), STATE_SHARED);
    ck_assert (!s_import (rig, 1));
    ck_assert_ptr_nonnull (strstr (rig->nodes[1].reply, "own package"));
    rig_destroy (&rig);
}
END_TEST

/* A roster, by the way that it comes: shown by another member in a HELLO, or published by its author. */
static void s_bring_roster (rig_t *rig, size_t to, const pubkey_t *curve, const members_t *roster)
{
    size_t body_size = roster->packed.size - SEAL_BYTES;
    rig_event (rig, to,
               (event_t){.kind = EVENT_RECEIVED,
                         .as.received = {*curve, bytes_of (roster->packed.data, body_size),
                                         bytes_of (roster->packed.data + body_size, SEAL_BYTES)}});
}

START_TEST (a_roster_shown_in_a_hello_is_taken_and_skips_no_publication_before_it)
{
    rig_t *rig = rig_new (3, NULL);
    const identity_t *founder = &rig->nodes[0].identity;
    const node_t *node = rig->nodes[1].node;
    const pubkey_t published = {{0}}, id = {{7}}, curve = {{8}};
    uint64_t before = node_publication (node, &founder->id), epoch = rig->members->epoch;
    ck_assert_int_eq (members_add (rig->members, &rig->group, founder, &id, &curve, "new", 900002,
                                   before + 10, 1700000000000u),
                      0);
    s_bring_roster (rig, 1, &rig->nodes[2].curve.public_key, rig->members);
    ck_assert_uint_eq (node_members (node)->epoch, epoch + 1);
    ck_assert_uint_eq (node_publication (node, &founder->id), before); /* what lies between is pulled yet */
    s_bring_roster (rig, 1, &published, rig->members);
    ck_assert_uint_eq (node_publication (node, &founder->id), before + 10);
    rig_destroy (&rig);
}
END_TEST

SUITE_MAIN ("node_members", no_member_uses_up_our_numbers_by_what_it_claims_to_have_seen,
            an_author_has_so_many_packages_waiting_and_no_more,
            who_sends_too_many_is_told_busy_and_what_waits_for_it_is_bounded,
            an_answer_that_still_waits_is_not_given_again,
            who_claims_a_package_first_and_withholds_it_does_not_keep_it_from_us,
            an_author_that_promises_much_and_gives_nothing_delays_the_others_by_one_turn,
            what_is_imported_from_a_file_does_not_need_its_author, a_package_without_a_hash_takes_no_place,
            a_result_of_a_package_that_was_never_ours_is_acknowledged_and_tells_nothing,
            an_own_package_is_not_imported,
            a_roster_shown_in_a_hello_is_taken_and_skips_no_publication_before_it)
