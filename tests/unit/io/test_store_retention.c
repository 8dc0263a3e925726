/* SPDX-License-Identifier: MPL-2.0 */
/* What retention drops from a store, and what it leaves. */
#include "evolution/improvement.h"
#include "evolution/tree.h"
#include "node/records.h"
#include "tests/lib/sample.h"
#include "tests/unit/io/store_fixture.h"

static digest_t s_file (store_t *store, const char *text)
{
    digest_t id;
    ck_assert_int_eq (store_content_put (store, (const uint8_t *)text, strlen (text), &id), 0);
    return id;
}

/* A tree of two files in the store. */
static digest_t s_tree (store_t *store, const char *one, const char *other)
{
    tree_t tree = {0};
    digest_t evaluator = {{1}}, a = s_file (store, one), b = s_file (store, other), id;
    size_t size;
    ck_assert_int_eq (tree_add (&tree, "a", false, &a, strlen (one)), 0);
    ck_assert_int_eq (tree_add (&tree, "b", false, &b, strlen (other)), 0);
    uint8_t *bytes = tree_encode (&tree, &evaluator, &size);
    ck_assert_ptr_nonnull (bytes);
    ck_assert_int_eq (store_content_put (store, bytes, size, &id), 0);
    free (bytes);
    tree_clear (&tree);
    return id;
}

static void s_put (store_t *store, table_t table, const digest_t *key, const record_t *record,
                   const void *row)
{
    buffer_t bytes = {0};
    record_encode (record, row, &bytes);
    ck_assert_int_eq (store_record_put (store, table, key, bytes.data, bytes.size), 0);
    buffer_clear (&bytes);
}

/* A measured candidate with a tree. */
static digest_t s_candidate (store_t *store, const char *one, const char *other)
{
    digest_t id = s_tree (store, one, other);
    candidate_row_t row = {.id = id, .valid = 1, .detail = text_of ("a long story")};
    s_put (store, TABLE_CANDIDATE, &id, &candidate_row_record, &row);
    return id;
}

static void s_put_others (store_t *store, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char text[32];
        snprintf (text, sizeof text, "later %u", i);
        s_file (store, text);
    }
}

/* Enough other contents that none of those before was put lately. */
static void s_go_on (store_t *store)
{
    s_put_others (store, STORE_RECENT);
}

static bool s_has (store_t *store, const char *text)
{
    digest_t id = digest_of (text, strlen (text));
    return store_content_has (store, &id);
}

START_TEST (files_go_that_only_dropped_candidates_have)
{
    scratch_t scratch = scratch_new ();
    store_t *store = fixture_open (&scratch);
    digest_t old = s_candidate (store, "alone", "of both"), kept = s_candidate (store, "mine", "of both");
    digest_t before = s_tree (store, "released", "of a release");
    snapshot_row_t snapshot = {.id = {{9}}, .release = before};
    s_put (store, TABLE_SNAPSHOT, &snapshot.id, &snapshot_row_record, &snapshot);
    digest_t shared = s_candidate (store, "released", "only its own"),
             busy = s_tree (store, "busy", "alone too");
    digest_t third = s_candidate (store, "alone too", "third");
    s_go_on (store);
    hash_t dropped[] = {{old}, {shared}, {third}}, in_use[] = {{busy}};
    ck_assert_int_eq (store_begin (store), 0);
    ck_assert_int_eq (store_retain (store, dropped, 3, in_use, 1), 0);
    ck_assert_int_eq (store_commit (store), 0);
    ck_assert (!s_has (store, "alone") && !s_has (store, "only its own") && !s_has (store, "third"));
    ck_assert (!store_content_has (store, &old) && !store_content_has (store, &third));
    ck_assert (s_has (store, "of both") && s_has (store, "mine") && store_content_has (store, &kept));
    ck_assert (s_has (store, "released") && s_has (store, "of a release"));
    ck_assert (s_has (store, "alone too") && s_has (store, "busy"));
    ck_assert (s_has (store, "later 0"));

    size_t size;
    candidate_row_t row;
    arena_t arena = {0};
    uint8_t *bytes = store_record_get (store, TABLE_CANDIDATE, &old, &size);
    ck_assert_int_eq (record_decode (&candidate_row_record, bytes, size, &row, &arena, NULL), 0);
    ck_assert (row.dropped && row.valid && row.detail.size == 0);
    free (bytes);
    arena_clear (&arena);
    store_close (&store);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (what_was_put_lately_stays_until_the_next_time)
{
    scratch_t scratch = scratch_new ();
    store_t *store = fixture_open (&scratch);
    digest_t old = s_candidate (store, "old", "older"), next = s_candidate (store, "next", "nearly");
    hash_t dropped[] = {{old}, {next}};
    ck_assert_int_eq (store_retain (store, dropped, 1, NULL, 0), 0);
    ck_assert (s_has (store, "old")); /* who just put it may be about to tell of it */
    store_close (&store);
    store = fixture_open (&scratch); /* also where another process comes to it */
    s_go_on (store);
    ck_assert_int_eq (store_retain (store, dropped + 1, 1, NULL, 0), 0);
    ck_assert (!s_has (store, "old") && !s_has (store, "next"));
    store_close (&store);
    scratch_remove (&scratch);
}
END_TEST

/* The node knows which trees an imported package names only once it has read that. */
START_TEST (what_an_import_brings_stays_until_it_is_told_of)
{
    scratch_t scratch = scratch_new ();
    store_t *store = fixture_open (&scratch);
    digest_t old = s_candidate (store, "old", "older");
    s_go_on (store);
    hash_t dropped[] = {{old}};
    s_file (store, "old");                            /* the first of the package's files */
    s_put_others (store, 2 * LIMIT_EVOLVE_FILES - 1); /* the others, of base and candidate */
    s_put_others (store, 3);                          /* their lists, and the package */
    s_put_others (store, LIMIT_EVOLVE_FILES + 1);     /* a proposer ended in the same turn */
    ck_assert_int_eq (store_retain (store, dropped, 1, NULL, 0), 0);
    ck_assert (s_has (store, "old"));
    ck_assert (!s_has (store, "older"));
    store_close (&store);
    scratch_remove (&scratch);
}
END_TEST

START_TEST (the_journal_is_trimmed_and_numbers_are_never_used_twice)
{
    scratch_t scratch = scratch_new ();
    store_t *store = fixture_open (&scratch);
    digest_t effects = {{0}};
    for (unsigned i = 0; i < 10; i++)
        ck_assert_int_eq (store_journal_append (store, (const uint8_t *)"x", 1, &effects), 0);
    ck_assert_int_eq (store_journal_trim (store, 4), 0);
    ck_assert_int_eq (fixture_number (store, "SELECT MIN (number) FROM journal"), 4);
    ck_assert_int_eq (store_journal_trim (store, 99), 0); /* the newest stays, whatever is asked for */
    ck_assert_int_eq (fixture_number (store, "SELECT COUNT (*) FROM journal"), 1);
    ck_assert_int_eq (store_journal_append (store, (const uint8_t *)"x", 1, &effects), 0);
    ck_assert_uint_eq (store_journal_count (store), 11);
    ck_assert_int_eq (fixture_number (store, "PRAGMA auto_vacuum"), 2); /* what is freed is given back */
    store_close (&store);
    scratch_remove (&scratch);
}
END_TEST

/* An own publication of that kind. */
static void s_publish (store_t *store, const identity_t *identity, unsigned kind, uint64_t number)
{
    event_message_t event = {.publication = number, .type = text_of ("node_started")};
    knowledge_t knowledge = {.publication = number, .package = {{1}}};
    head_t head = {.kind = kind, .epoch = 1, .seq = 2 * number, .time_ms = 1};
    buffer_t body = {0};
    uint8_t seal[SEAL_BYTES];
    message_seal (identity, &head, kind == MESSAGE_EVENT ? (const void *)&event : &knowledge, &body, seal);
    ck_assert_int_eq (store_statement_put (store, body.data, body.size, seal, number), 0);
    buffer_clear (&body);
}

START_TEST (old_events_go_and_packages_are_told_of_for_ever)
{
    scratch_t scratch = scratch_new ();
    store_t *store = fixture_open (&scratch);
    identity_t identity = sample_identity (1);
    for (uint64_t number = 1; number <= 20; number++) {
        digest_t key = digest_of (&number, sizeof number);
        ck_assert_int_eq (store_record_put (store, TABLE_EVENT, &key, (const uint8_t *)"x", 1), 0);
        s_publish (store, &identity, number == 3 ? MESSAGE_KNOWLEDGE : MESSAGE_EVENT, number);
    }
    ck_assert_int_eq (store_events_trim (store, &identity.id, 5), 0);
    ck_assert_int_eq (fixture_number (store, "SELECT MIN (number) FROM event"), 16);
    ck_assert_int_eq (fixture_number (store, "SELECT COUNT (*) FROM statement"), 6);
    ck_assert_int_eq (fixture_number (store, "SELECT MIN (publication) FROM statement"), 3);
    ck_assert_uint_eq (store_publication_last (store, &identity.id), 20);
    store_close (&store);
    scratch_remove (&scratch);
}
END_TEST

/* The record of an improvement in that state. */
static void s_improvement (store_t *store, uint8_t number, improvement_state_t state,
                           const digest_t *candidate)
{
    improvement_row_t row = {.id = {{number}}, .state = state, .candidate = *candidate};
    s_put (store, TABLE_IMPROVEMENT, &row.id, &improvement_row_record, &row);
}

START_TEST (records_of_improvements_go_that_were_refused_and_cannot_be_looked_at)
{
    scratch_t scratch = scratch_new ();
    store_t *store = fixture_open (&scratch);
    identity_t identity = sample_identity (1);
    digest_t kept = s_candidate (store, "a", "b"), gone = {{99}};
    s_improvement (store, 1, STATE_REJECTED, &gone);
    s_improvement (store, 2, STATE_REJECTED, &kept);
    s_improvement (store, 3, STATE_SHARED, &gone);
    s_improvement (store, 4, STATE_REJECTED, &gone);
    s_improvement (store, 5, STATE_REJECTED, &gone);
    ck_assert_int_eq (store_events_trim (store, &identity.id, 1), 0);
    ck_assert_int_eq (fixture_number (store, "SELECT COUNT (*) FROM improvement"), 3);
    ck_assert_int_eq (fixture_number (store, "SELECT SUM (number) FROM improvement"), 2 + 3 + 5);
    store_close (&store);
    scratch_remove (&scratch);
}
END_TEST

SUITE_MAIN ("io/store retention", files_go_that_only_dropped_candidates_have,
            what_was_put_lately_stays_until_the_next_time, what_an_import_brings_stays_until_it_is_told_of,
            the_journal_is_trimmed_and_numbers_are_never_used_twice,
            old_events_go_and_packages_are_told_of_for_ever,
            records_of_improvements_go_that_were_refused_and_cannot_be_looked_at)
