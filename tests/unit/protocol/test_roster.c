/* SPDX-License-Identifier: MPL-2.0 */
#include "protocol/group.h"
#include "tests/lib/sample.h"
#include "tests/lib/suite.h"

#define NOW UINT64_C (1750000000000)

static group_t s_group (uint8_t founder)
{
    identity_t identity = sample_identity (founder);
    policy_t policy = policy_default ();
    digest_t evaluator = {{1}}, start = {{2}};
    group_t group;
    ck_assert_int_eq (group_found (&group, &identity, "packers", "binpack", &evaluator, &start, &policy, NOW),
                      0);
    return group;
}

/* The first roster of the group of sample 1. The caller frees. */
static members_t *s_founded (const group_t *group)
{
    identity_t founder = sample_identity (1);
    pubkey_t curve = sample_curve (1);
    members_t *members = malloc (sizeof *members);
    ck_assert_ptr_nonnull (members);
    ck_assert_int_eq (members_found (members, group, &founder, &curve, "one", 1, 1, NOW), 0);
    return members;
}

static int s_add (members_t *members, const group_t *group, uint8_t admin, uint8_t n)
{
    identity_t identity = sample_identity (admin);
    pubkey_t id = sample_identity (n).id, curve = sample_curve (n);
    return members_add (members, group, &identity, &id, &curve, "another", 2, 2, NOW);
}

static int s_revoke (members_t *members, const group_t *group, uint8_t admin, uint8_t n)
{
    identity_t identity = sample_identity (admin);
    pubkey_t id = sample_identity (n).id;
    return members_revoke (members, group, &identity, &id, 3, 3, NOW);
}

static members_t *s_copy (const members_t *members, const group_t *group)
{
    members_t *copy = malloc (sizeof *copy);
    ck_assert_ptr_nonnull (copy);
    ck_assert_int_eq (members_open (bytes_of (members->packed.data, members->packed.size), group, copy, NULL),
                      0);
    return copy;
}

static void s_free (members_t *members)
{
    members_clear (members);
    free (members);
}

START_TEST (test_the_founder_alone_makes_the_first_roster)
{
    group_t group = s_group (1);
    members_t *members = s_founded (&group);
    pubkey_t founder = sample_identity (1).id, curve = sample_curve (1), other = sample_identity (2).id;
    ck_assert_uint_eq (members->epoch, 1);
    ck_assert_uint_eq (members->count, 1);
    ck_assert (members_is_admin (members, &founder) && members_has (members, &founder));
    ck_assert (!members_is_admin (members, &other) && !members_has (members, &other));
    ck_assert_int_eq (members_find (members, &founder), 0);
    ck_assert_int_eq (members_find (members, &other), -1);
    ck_assert_int_eq (members_find_curve (members, &curve), 0);
    ck_assert_int_eq (members_find_curve (members, &founder), -1);
    ck_assert_str_eq (members->members[0].name, "one");
    ck_assert_int_eq (members_follows (NULL, members, &group), 0);
    ck_assert_uint_eq (members_live (members), 1);
    s_free (members);
    group_clear (&group);
}
END_TEST

START_TEST (test_members_join_and_are_revoked_epoch_by_epoch)
{
    group_t group = s_group (1);
    members_t *members = s_founded (&group);
    for (uint8_t n = 2; n <= 6; n++) {
        members_t *before = s_copy (members, &group);
        ck_assert_int_eq (s_add (members, &group, 1, n), 0);
        ck_assert_uint_eq (members->epoch, n);
        ck_assert (digest_equal (&members->previous, &before->id));
        ck_assert_int_eq (members_follows (before, members, &group), 0);
        pubkey_t id = sample_identity (n).id, curve = sample_curve (n);
        int at = members_find (members, &id);
        ck_assert_int_ge (at, 0);
        ck_assert_int_eq (members_find_curve (members, &curve), at);
        ck_assert_uint_eq (members->members[at].since_epoch, n);
        ck_assert (!members_is_admin (members, &id));
        s_free (before);
    }
    for (size_t i = 1; i < members->count; i++)
        ck_assert_int_lt (pubkey_compare (&members->members[i - 1].id, &members->members[i].id), 0);
    members_t *before = s_copy (members, &group);
    pubkey_t revoked = sample_identity (4).id;
    ck_assert_int_eq (s_revoke (members, &group, 1, 4), 0);
    ck_assert_int_eq (members_follows (before, members, &group), 0);
    ck_assert (!members_has (members, &revoked) && members_has (before, &revoked));
    ck_assert_uint_eq (members->count,
                       6); /* a revoked member stays in the list: its old statements are still judged */
    ck_assert_uint_eq (members_live (members), 5);
    ck_assert_uint_eq (members->members[members_find (members, &revoked)].revoked_epoch, 7);
    s_free (before);
    s_free (members);
    group_clear (&group);
}
END_TEST

START_TEST (test_what_may_not_be_done_leaves_the_roster_as_it_was)
{
    group_t group = s_group (1);
    members_t *members = s_founded (&group);
    identity_t founder = sample_identity (1);
    ck_assert_int_eq (s_add (members, &group, 1, 2), 0);
    digest_t id = members->id;
    pubkey_t key = sample_identity (9).id, curve = sample_curve (9), used = sample_curve (2), none = {{0}};
    ck_assert_int_eq (s_add (members, &group, 2, 3), ERROR_DENIED); /* a member, but no admin */
    ck_assert_int_eq (s_add (members, &group, 3, 4), ERROR_DENIED); /* a stranger */
    ck_assert_int_eq (s_revoke (members, &group, 2, 1), ERROR_DENIED);
    ck_assert_int_eq (s_add (members, &group, 1, 2), ERROR_CONFLICT);
    ck_assert_int_eq (members_add (members, &group, &founder, &key, &used, "x", 2, 2, NOW), ERROR_CONFLICT);
    ck_assert_int_eq (members_add (members, &group, &founder, &none, &curve, "x", 2, 2, NOW), ERROR_INPUT);
    ck_assert_int_eq (members_add (members, &group, &founder, &key, &none, "x", 2, 2, NOW), ERROR_INPUT);
    ck_assert_int_eq (members_add (members, &group, &founder, &key, &curve, "a/b", 2, 2, NOW), ERROR_INPUT);
    ck_assert_int_eq (s_revoke (members, &group, 1, 5), ERROR_NOT_FOUND);
    ck_assert_int_eq (s_revoke (members, &group, 1, 1), ERROR_DENIED); /* the last admin */
    ck_assert (digest_equal (&members->id, &id));
    ck_assert_int_eq (s_revoke (members, &group, 1, 2), 0);
    ck_assert_int_eq (s_revoke (members, &group, 1, 2), ERROR_REVOKED);
    ck_assert_int_eq (s_add (members, &group, 1, 2), ERROR_CONFLICT); /* who was revoked needs a new key */
    s_free (members);
    group_clear (&group);
}
END_TEST

/* --- rosters that an admin signed, row by row --- */

static member_t s_row (uint8_t n, uint64_t since)
{
    return (member_t){.id = sample_identity (n).id,
                      .curve = sample_curve (n),
                      .name = text_of ("name"),
                      .since_epoch = since};
}

static buffer_t s_signed (uint8_t n, const group_t *group, uint64_t epoch, const digest_t *previous,
                          member_t *rows, size_t count)
{
    qsort (rows, count, sizeof *rows, pubkey_compare); /* the id stands first */
    identity_t signer = sample_identity (n);
    head_t head = {.kind = MESSAGE_ROSTER, .group = group->group, .epoch = epoch, .time_ms = NOW};
    roster_t roster = {.previous = *previous, .members = {rows, count}};
    buffer_t packed = {0};
    uint8_t seal[SEAL_BYTES];
    message_seal (&signer, &head, &roster, &packed, seal);
    buffer_append (&packed, seal, sizeof seal);
    return packed;
}

/* Opens and forgets a roster. */
static int s_open (buffer_t packed, const group_t *group)
{
    members_t *members = malloc (sizeof *members);
    ck_assert_ptr_nonnull (members);
    int error = members_open (bytes_of (packed.data, packed.size), group, members, NULL);
    s_free (members); /* after a failure there is nothing in it */
    buffer_clear (&packed);
    return error;
}

START_TEST (test_a_roster_that_can_not_be_is_refused)
{
    group_t group = s_group (1), other = s_group (2);
    digest_t zero = {{0}}, some = {{7}};
    member_t rows[] = {s_row (1, 1), s_row (2, 2)};
    ck_assert_int_eq (s_open (s_signed (1, &group, 2, &some, rows, 2), &group), 0);
    ck_assert_int_eq (s_open (s_signed (1, &other, 2, &some, rows, 2), &group), ERROR_GROUP);
    ck_assert_int_eq (s_open (s_signed (1, &group, 0, &zero, rows, 0), &group), ERROR_MALFORMED);
    ck_assert_int_eq (s_open (s_signed (1, &group, 1, &some, rows, 0), &group), ERROR_MALFORMED);
    ck_assert_int_eq (s_open (s_signed (1, &group, 2, &zero, rows, 2), &group), ERROR_MALFORMED);
    for (int wrong = 0; wrong < 9; wrong++) {
        member_t bad[] = {s_row (1, 1), s_row (2, 2)};
        switch (wrong) {
        case 0: bad[1].id = bad[0].id; break;
        case 1: bad[1].curve = bad[0].curve; break;
        case 2: bad[0].curve = (pubkey_t){{0}}; break;
        case 3: bad[0].id = (pubkey_t){{0}}; break;
        case 4: bad[0].name = text_of ("../x"); break;
        case 5: bad[0].since_epoch = 0; break;
        case 6: bad[0].since_epoch = 3; break;
        case 7: bad[1].revoked_epoch = 2; break; /* with the epoch that admitted it */
        default: bad[0].revoked_epoch = 3; break;
        }
        ck_assert_msg (s_open (s_signed (1, &group, 2, &some, bad, 2), &group) == ERROR_MALFORMED, "%d",
                       wrong);
    }
    group_clear (&group);
    group_clear (&other);
}
END_TEST

START_TEST (test_members_out_of_order_are_refused)
{
    group_t group = s_group (1);
    digest_t some = {{7}};
    member_t rows[] = {s_row (1, 1), s_row (2, 1)};
    buffer_t sorted = s_signed (1, &group, 2, &some, rows, 2);
    buffer_clear (&sorted);
    member_t swapped[] = {rows[1], rows[0]};
    identity_t signer = sample_identity (1);
    head_t head = {.kind = MESSAGE_ROSTER, .group = group.group, .epoch = 2};
    roster_t roster = {.previous = some, .members = {swapped, 2}};
    buffer_t packed = {0};
    uint8_t seal[SEAL_BYTES];
    message_seal (&signer, &head, &roster, &packed, seal);
    buffer_append (&packed, seal, sizeof seal);
    ck_assert_int_eq (s_open (packed, &group), ERROR_MALFORMED);
    group_clear (&group);
}
END_TEST

/* Does a roster signed by sample `n` follow `now`? */
static int s_follows (uint8_t n, const group_t *group, const members_t *now, uint64_t epoch,
                      const digest_t *previous, member_t *rows, size_t count)
{
    buffer_t packed = s_signed (n, group, epoch, previous, rows, count);
    members_t *next = malloc (sizeof *next);
    ck_assert_ptr_nonnull (next);
    ck_assert_int_eq (members_open (bytes_of (packed.data, packed.size), group, next, NULL), 0);
    int error = members_follows (now, next, group);
    s_free (next);
    buffer_clear (&packed);
    return error;
}

START_TEST (test_only_the_next_roster_of_an_admin_follows)
{
    group_t group = s_group (1);
    members_t *now = s_founded (&group);
    ck_assert_int_eq (s_add (now, &group, 1, 2), 0);
    ck_assert_int_eq (s_add (now, &group, 1, 3), 0); /* epoch 3: 1 admin, 2, 3 */
    digest_t other = {{7}};
    member_t one = s_row (1, 1);
    one.role = 1;
    member_t rows[] = {one, s_row (2, 2), s_row (3, 3), s_row (4, 4)};
    ck_assert_int_eq (s_follows (1, &group, now, 4, &now->id, rows, 4), 0);
    ck_assert_int_eq (s_follows (1, &group, now, 4, &now->id, rows, 4), 0);
    ck_assert_int_eq (s_follows (1, &group, now, 4, &other, rows, 4), ERROR_CONFLICT);   /* another branch */
    ck_assert_int_eq (s_follows (1, &group, now, 5, &now->id, rows, 4), ERROR_CONFLICT); /* a gap */
    ck_assert_int_eq (s_follows (2, &group, now, 4, &now->id, rows, 4), ERROR_DENIED);   /* no admin */
    ck_assert_int_eq (s_follows (5, &group, now, 4, &now->id, rows, 4), ERROR_DENIED);   /* a stranger */
    ck_assert_int_eq (members_follows (now, now, &group), ERROR_STALE);
    member_t older[] = {one, s_row (2, 2)};
    ck_assert_int_eq (s_follows (1, &group, now, 2, &other, older, 2), ERROR_STALE);
    member_t branch[] = {one, s_row (2, 2), s_row (6, 3)};
    ck_assert_int_eq (s_follows (1, &group, now, 3, &other, branch, 3), ERROR_CONFLICT);
    s_free (now);
    group_clear (&group);
}
END_TEST

START_TEST (test_history_can_not_be_rewritten)
{
    group_t group = s_group (1);
    members_t *now = s_founded (&group);
    ck_assert_int_eq (s_add (now, &group, 1, 2), 0);
    ck_assert_int_eq (s_add (now, &group, 1, 3), 0);
    ck_assert_int_eq (s_revoke (now, &group, 1, 3), 0); /* epoch 4 */
    for (int wrong = 0; wrong < 8; wrong++) {
        member_t rows[] = {s_row (1, 1), s_row (2, 2), s_row (3, 3), s_row (4, 5)};
        rows[0].role = 1;
        rows[2].revoked_epoch = 4;
        size_t count = 4;
        switch (wrong) {
        case 0: break;                            /* as it should be */
        case 1: rows[2].revoked_epoch = 0; break; /* a revocation undone */
        case 2: rows[2].revoked_epoch = 5; break; /* or moved */
        case 3: rows[1].since_epoch = 1; break;
        case 4: rows[3].since_epoch = 4; break;       /* a member that came earlier than it did */
        case 5: rows[1].revoked_epoch = 4; break;     /* revoked before now */
        case 6: rows[0].role = 0; break;              /* nobody could change anything any more */
        default: rows[1] = rows[3], count = 3; break; /* a member vanished */
        }
        ck_assert_msg (s_follows (1, &group, now, 5, &now->id, rows, count) ==
                           (wrong == 0 ? 0 : ERROR_DENIED),
                       "%d", wrong);
    }
    s_free (now);
    group_clear (&group);
}
END_TEST

START_TEST (test_only_the_founder_can_begin)
{
    group_t group = s_group (1);
    digest_t zero = {{0}}, some = {{7}};
    member_t one = s_row (1, 1), two = s_row (2, 1);
    one.role = two.role = 1;
    member_t both[] = {one, two};
    ck_assert_int_eq (s_follows (1, &group, NULL, 1, &zero, &one, 1), 0);
    ck_assert_int_eq (s_follows (2, &group, NULL, 1, &zero, &one, 1), ERROR_DENIED);
    ck_assert_int_eq (s_follows (2, &group, NULL, 1, &zero, &two, 1), ERROR_DENIED);
    ck_assert_int_eq (s_follows (1, &group, NULL, 1, &zero, &two, 1), ERROR_DENIED);
    ck_assert_int_eq (s_follows (1, &group, NULL, 1, &zero, both, 2), ERROR_DENIED);
    ck_assert_int_eq (s_follows (1, &group, NULL, 1, &zero, &one, 0), ERROR_DENIED);
    ck_assert_int_eq (s_follows (1, &group, NULL, 2, &some, &one, 1), ERROR_CONFLICT);
    one.role = 0;
    ck_assert_int_eq (s_follows (1, &group, NULL, 1, &zero, &one, 1), ERROR_DENIED);
    group_clear (&group);
}
END_TEST

START_TEST (test_a_second_admin_can_act_and_a_revoked_one_can_not)
{
    group_t group = s_group (1);
    members_t *now = s_founded (&group);
    member_t rows[] = {s_row (1, 1), s_row (2, 2)};
    rows[0].role = rows[1].role = 1;
    buffer_t packed = s_signed (1, &group, 2, &now->id, rows, 2);
    members_clear (now);
    ck_assert_int_eq (members_open (bytes_of (packed.data, packed.size), &group, now, NULL), 0);
    ck_assert_int_eq (s_revoke (now, &group, 2, 1), 0); /* the founder, by the other admin */
    ck_assert_int_eq (s_add (now, &group, 1, 3), ERROR_DENIED);
    ck_assert_int_eq (s_add (now, &group, 2, 3), 0);
    buffer_clear (&packed);
    s_free (now);
    group_clear (&group);
}
END_TEST

START_TEST (test_a_roster_is_full_at_its_bound)
{
    group_t group = s_group (1);
    digest_t some = {{7}};
    member_t *rows = calloc (LIMIT_MEMBERS, sizeof *rows);
    members_t *members = malloc (sizeof *members);
    ck_assert (rows != NULL && members != NULL);
    for (size_t i = 0; i < LIMIT_MEMBERS - 1; i++) {
        rows[i] = s_row (1, 1);
        rows[i].role = i == 0;
        rows[i].name = text_of ("abcdefghijklmnopqrstuvwxyz012345");
        rows[i].id.bytes[0] ^= (uint8_t)i;
        rows[i].curve.bytes[0] ^= (uint8_t)i;
    }
    buffer_t packed = s_signed (1, &group, 2, &some, rows, LIMIT_MEMBERS - 1);
    ck_assert_int_eq (members_open (bytes_of (packed.data, packed.size), &group, members, NULL), 0);
    ck_assert_int_eq (s_add (members, &group, 1, 200), 0);
    ck_assert_uint_eq (members->count, LIMIT_MEMBERS);
    ck_assert_uint_eq (members->epoch, 3);
    ck_assert_int_eq (s_add (members, &group, 1, 201), ERROR_BOUND);
    ck_assert_uint_eq (members->epoch, 3);
    ck_assert_uint_lt (members->packed.size,
                       LIMIT_STATEMENT_BYTES / 2); /* fits in a HELLO and a MEMBERSHIP */
    buffer_clear (&packed);
    free (rows);
    s_free (members);
    group_clear (&group);
}
END_TEST

START_TEST (test_a_roster_cut_at_any_byte_is_refused)
{
    group_t group = s_group (1);
    members_t *members = s_founded (&group), *again = malloc (sizeof *again);
    for (size_t size = 0; size < members->packed.size; size++)
        ck_assert_int_ne (members_open (bytes_of (members->packed.data, size), &group, again, NULL), 0);
    free (again);
    s_free (members);
    group_clear (&group);
}
END_TEST

SUITE_MAIN ("protocol/roster", test_the_founder_alone_makes_the_first_roster,
            test_members_join_and_are_revoked_epoch_by_epoch,
            test_what_may_not_be_done_leaves_the_roster_as_it_was, test_a_roster_that_can_not_be_is_refused,
            test_members_out_of_order_are_refused, test_only_the_next_roster_of_an_admin_follows,
            test_history_can_not_be_rewritten, test_only_the_founder_can_begin,
            test_a_second_admin_can_act_and_a_revoked_one_can_not, test_a_roster_is_full_at_its_bound,
            test_a_roster_cut_at_any_byte_is_refused)
