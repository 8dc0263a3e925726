/* SPDX-License-Identifier: MPL-2.0 */
/* The fetcher between a real mesh, whose answers the tests write, and a store in memory. */
#include "node/fetcher.h"

#include <stdio.h>

#include "evolution/tree.h"
#include "tests/lib/sample.h"
#include "tests/lib/suite.h"

#define NOW_MS  1000
#define WALL_MS 1700000000000ULL
#define ROWS    600
#define FETCHES (LIMIT_OPERATIONS + 8)

typedef struct {
    buffer_t contents[ROWS];
    size_t content_count;
    int put_error;
    fetched_t done[FETCHES]; /* bytes are not kept */
    digest_t done_id;        /* of the last one's bytes */
    size_t done_count;
    group_t group;
    members_t members;
    identity_t identity;
    mesh_t *mesh;
    mesh_outputs_t out;
    ports_t ports;
    fetcher_t *fetcher;
} bench_t;

static bool s_has (void *context, const digest_t *id)
{
    const bench_t *self = context;
    for (size_t i = 0; i < self->content_count; i++) {
        digest_t found = digest_of (self->contents[i].data, self->contents[i].size);
        if (digest_equal (&found, id))
            return true;
    }
    return false;
}

static uint8_t *s_get (void *context, const digest_t *id, size_t *size)
{
    const bench_t *self = context;
    for (size_t i = 0; i < self->content_count; i++) {
        digest_t found = digest_of (self->contents[i].data, self->contents[i].size);
        if (!digest_equal (&found, id))
            continue;
        uint8_t *bytes = malloc (self->contents[i].size + 1);
        ck_assert_ptr_nonnull (bytes);
        memcpy (bytes, self->contents[i].data, *size = self->contents[i].size);
        return bytes;
    }
    return NULL;
}

static int s_put (void *context, const uint8_t *bytes, size_t size)
{
    bench_t *self = context;
    if (self->put_error != 0)
        return self->put_error;
    ck_assert_uint_lt (self->content_count, ROWS);
    buffer_append (&self->contents[self->content_count++], bytes, size);
    return 0;
}

static void s_done (void *context, const fetched_t *event)
{
    bench_t *self = context;
    ck_assert_uint_lt (self->done_count, FETCHES);
    self->done_id = digest_of (event->bytes.data, event->bytes.size);
    self->done[self->done_count++] = *event;
}

static bench_t *s_bench (void)
{
    static const digest_t evaluator = {{1}}, start = {{2}};
    bench_t *self = calloc (1, sizeof *self);
    ck_assert_ptr_nonnull (self);
    policy_t policy = policy_default ();
    pubkey_t curve = sample_curve (1), other = sample_curve (2);
    identity_t peer = sample_identity (2);
    self->identity = sample_identity (1);
    ck_assert_int_eq (
        group_found (&self->group, &self->identity, "packers", "tiny", &evaluator, &start, &policy, WALL_MS),
        0);
    ck_assert_int_eq (
        members_found (&self->members, &self->group, &self->identity, &curve, "alpha", 2, 1, WALL_MS), 0);
    ck_assert_int_eq (
        members_add (&self->members, &self->group, &self->identity, &peer.id, &other, "beta", 4, 2, WALL_MS),
        0);
    mesh_self_t about = {.curve = curve, .validation_types = 7, .platform = "test", .live_seq = 1};
    const uint8_t entropy[SEED_BYTES] = {3};
    self->mesh = mesh_new (&self->identity, &self->group, &about, entropy);
    ck_assert_ptr_nonnull (self->mesh);
    mesh_set_members (self->mesh, &self->members, NOW_MS, &self->out);
    self->ports =
        (ports_t){.context = self, .has_content = s_has, .get_content = s_get, .put_content = s_put};
    self->fetcher = fetcher_new (&self->ports, s_done, self);
    ck_assert_ptr_nonnull (self->fetcher);
    return self;
}

static void s_end (bench_t *self)
{
    fetcher_destroy (&self->fetcher);
    mesh_outputs_clear (&self->out);
    mesh_destroy (&self->mesh);
    members_clear (&self->members);
    group_clear (&self->group);
    for (size_t i = 0; i < self->content_count; i++)
        buffer_clear (&self->contents[i]);
    free (self);
}

static void s_start_for (bench_t *self, uint64_t operation, const digest_t *content, bool tree,
                         uint64_t timeout_ms)
{
    fetch_content_t effect = {operation, sample_identity (2).id, *content, tree, timeout_ms};
    fetcher_start (self->fetcher, self->mesh, &effect, NOW_MS, WALL_MS, &self->out);
}

static void s_start (bench_t *self, uint64_t operation, const digest_t *content, bool tree)
{
    s_start_for (self, operation, content, tree, 5000);
}

/* The mesh says how the fetch with that ticket (they count up from 1) ended. */
static int s_answer_at (bench_t *self, uint64_t ticket, int result, const void *bytes, size_t size,
                        uint64_t now_ms)
{
    mesh_output_t output = {.kind = MESH_FETCHED, .operation = ticket, .result = result};
    buffer_append (&output.bytes, bytes, size);
    int failed = fetcher_fetched (self->fetcher, self->mesh, &output, now_ms, WALL_MS, &self->out);
    buffer_clear (&output.bytes);
    return failed;
}

static void s_answer (bench_t *self, uint64_t ticket, const void *bytes, size_t size)
{
    ck_assert_int_eq (s_answer_at (self, ticket, 0, bytes, size, NOW_MS + 1), 0);
}

static void s_expect_done (const bench_t *self, size_t count, uint64_t operation, uint64_t result)
{
    ck_assert_uint_eq (self->done_count, count);
    ck_assert_uint_eq (self->done[count - 1].operation, operation);
    ck_assert_uint_eq (self->done[count - 1].result, result);
}

/* An encoded tree of files "f0"… that hold their own number. */
static buffer_t s_tree (size_t count, uint64_t size_lie)
{
    static const digest_t evaluator = {{1}};
    tree_t tree = {0};
    for (size_t i = 0; i < count; i++) {
        char path[32], text[32];
        snprintf (path, sizeof path, "f%03zu", i);
        snprintf (text, sizeof text, "%03zu", i);
        digest_t content = digest_of (text, 3);
        ck_assert_int_eq (tree_add (&tree, path, false, &content, 3 + size_lie), 0);
    }
    size_t size;
    uint8_t *bytes = tree_encode (&tree, &evaluator, &size);
    buffer_t out = {0};
    buffer_append (&out, bytes, size);
    free (bytes);
    tree_clear (&tree);
    return out;
}

START_TEST (a_content_is_fetched_and_kept)
{
    bench_t *bench = s_bench ();
    digest_t id = digest_of ("hello", 5);
    s_start (bench, 7, &id, false);
    ck_assert_uint_eq (bench->done_count, 0);
    ck_assert_uint_eq (fetcher_count (bench->fetcher), 1);
    s_answer (bench, 1, "hello", 5);
    s_expect_done (bench, 1, 7, 0);
    ck_assert (digest_equal (&bench->done_id, &id));
    ck_assert (s_has (bench, &id));
    ck_assert_uint_eq (fetcher_count (bench->fetcher), 0);
    s_end (bench);
}
END_TEST

START_TEST (what_is_here_is_not_fetched_again)
{
    bench_t *bench = s_bench ();
    digest_t id = digest_of ("hello", 5);
    s_put (bench, (const uint8_t *)"hello", 5);
    size_t outputs = bench->out.count;
    s_start (bench, 7, &id, false);
    s_expect_done (bench, 1, 7, 0);
    ck_assert_uint_eq (bench->out.count, outputs);
    s_end (bench);
}
END_TEST

START_TEST (with_a_tree_come_the_files_that_are_not_here)
{
    bench_t *bench = s_bench ();
    buffer_t tree = s_tree (3, 0);
    digest_t id = digest_of (tree.data, tree.size);
    s_put (bench, (const uint8_t *)"001", 3);
    s_start (bench, 7, &id, true);
    s_answer (bench, 1, tree.data, tree.size);
    ck_assert_uint_eq (bench->done_count, 0);
    s_answer (bench, 2, "000", 3);
    ck_assert_uint_eq (bench->done_count, 0);
    s_answer (bench, 3, "002", 3); /* 001 was here */
    s_expect_done (bench, 1, 7, 0);
    ck_assert (digest_equal (&bench->done_id, &id));
    ck_assert_uint_eq (bench->content_count, 4);
    buffer_clear (&tree);
    s_end (bench);
}
END_TEST

START_TEST (a_list_that_lies_about_what_is_here_is_refused)
{
    bench_t *bench = s_bench ();
    buffer_t tree = s_tree (1, 5); /* says that its file is 5 bytes longer than it is */
    digest_t id = digest_of (tree.data, tree.size);
    s_put (bench, (const uint8_t *)"000", 3);
    s_start (bench, 7, &id, true);
    s_answer (bench, 1, tree.data, tree.size);
    s_expect_done (bench, 1, 7, 1);
    buffer_clear (&tree);
    s_end (bench);
}
END_TEST

START_TEST (a_fetch_that_fails_ends_with_that)
{
    bench_t *bench = s_bench ();
    buffer_t tree = s_tree (1, 0);
    digest_t id = digest_of (tree.data, tree.size);
    s_start (bench, 7, &id, true);
    ck_assert_int_eq (s_answer_at (bench, 1, ERROR_TIMEOUT, NULL, 0, NOW_MS), 0);
    s_expect_done (bench, 1, 7, 1);
    s_start (bench, 8, &id, true); /* its file is what fails */
    s_answer (bench, 2, tree.data, tree.size);
    ck_assert_int_eq (s_answer_at (bench, 3, ERROR_NOT_FOUND, NULL, 0, NOW_MS), 0);
    s_expect_done (bench, 2, 8, 1);
    s_answer (bench, 3, "000", 3); /* too late: nobody waits for it */
    ck_assert_uint_eq (bench->done_count, 2);
    buffer_clear (&tree);
    s_end (bench);
}
END_TEST

START_TEST (the_time_is_for_the_whole_fetch)
{
    bench_t *bench = s_bench ();
    buffer_t tree = s_tree (2, 0);
    digest_t id = digest_of (tree.data, tree.size);
    s_start_for (bench, 7, &id, true, 100);
    ck_assert_int_eq (s_answer_at (bench, 1, 0, tree.data, tree.size, NOW_MS + 99), 0);
    ck_assert_uint_eq (bench->done_count, 0);
    ck_assert_int_eq (s_answer_at (bench, 2, 0, "000", 3, NOW_MS + 100), 0);
    s_expect_done (bench, 1, 7, 1);
    buffer_clear (&tree);
    s_end (bench);
}
END_TEST

START_TEST (what_is_no_tree_or_lies_about_its_sizes_is_refused)
{
    bench_t *bench = s_bench ();
    digest_t id = digest_of ("hello", 5);
    s_start (bench, 7, &id, true);
    s_answer (bench, 1, "hello", 5);
    s_expect_done (bench, 1, 7, 1);

    buffer_t liar = s_tree (1, 1), large = s_tree (1, LIMIT_FILE_BYTES);
    id = digest_of (liar.data, liar.size);
    s_start (bench, 8, &id, true);
    s_answer (bench, 2, liar.data, liar.size);
    s_answer (bench, 3, "000", 3); /* the tree says 4 bytes */
    s_expect_done (bench, 2, 8, 1);

    id = digest_of (large.data, large.size);
    s_start (bench, 9, &id, true);
    s_answer (bench, 4, large.data, large.size);
    s_expect_done (bench, 3, 9, 1);
    buffer_clear (&liar);
    buffer_clear (&large);
    s_end (bench);
}
END_TEST

START_TEST (a_tree_lists_as_many_files_as_a_candidate_may_have_and_no_more)
{
    bench_t *bench = s_bench ();
    buffer_t most = s_tree (LIMIT_EVOLVE_FILES, 0), more = s_tree (LIMIT_EVOLVE_FILES + 1, 0);
    digest_t id = digest_of (most.data, most.size);
    s_start (bench, 7, &id, true);
    s_answer (bench, 1, most.data, most.size);
    ck_assert_uint_eq (fetcher_count (bench->fetcher), 1); /* its files come now */
    id = digest_of (more.data, more.size);
    s_start (bench, 8, &id, true);
    s_answer (bench, 3, more.data, more.size);
    s_expect_done (bench, 1, 8, 1);
    buffer_clear (&most);
    buffer_clear (&more);
    s_end (bench);
}
END_TEST

START_TEST (a_content_has_no_more_bytes_than_an_event_may_carry)
{
    bench_t *bench = s_bench ();
    uint8_t *bytes = calloc (1, LIMIT_PACKAGE_BYTES + 1);
    ck_assert_ptr_nonnull (bytes);
    digest_t most = digest_of (bytes, LIMIT_PACKAGE_BYTES), more = digest_of (bytes, LIMIT_PACKAGE_BYTES + 1);
    s_start (bench, 7, &more, false);
    s_answer (bench, 1, bytes, LIMIT_PACKAGE_BYTES + 1);
    s_expect_done (bench, 1, 7, 1);
    s_start (bench, 8, &most, false);
    s_answer (bench, 2, bytes, LIMIT_PACKAGE_BYTES);
    s_expect_done (bench, 2, 8, 0);
    free (bytes);
    s_end (bench);
}
END_TEST

START_TEST (one_fetch_more_than_there_is_room_for_ends_at_once)
{
    bench_t *bench = s_bench ();
    digest_t id = digest_of ("hello", 5);
    for (uint64_t i = 1; i <= LIMIT_OPERATIONS; i++)
        s_start (bench, i, &id, false);
    ck_assert_uint_eq (fetcher_count (bench->fetcher), LIMIT_OPERATIONS);
    s_start (bench, 1000, &id, false);
    s_expect_done (bench, 1, 1000, 1);
    s_end (bench);
}
END_TEST

START_TEST (a_store_that_fails_fails_the_turn)
{
    bench_t *bench = s_bench ();
    digest_t id = digest_of ("hello", 5);
    s_start (bench, 7, &id, false);
    bench->put_error = ERROR_FULL;
    ck_assert_int_eq (s_answer_at (bench, 1, 0, "hello", 5, NOW_MS), ERROR_FULL);
    ck_assert_uint_eq (bench->done_count, 0);
    s_end (bench);
}
END_TEST

START_TEST (a_fetch_that_is_given_up_ends_without_a_word_and_frees_its_place)
{
    bench_t *bench = s_bench ();
    digest_t id = digest_of ("hello", 5);
    s_start (bench, 7, &id, false);
    ck_assert_uint_lt (mesh_deadline_ms (bench->mesh), NOW_MS + 5001); /* it waits for the answer */
    ck_assert (fetcher_cancel (bench->fetcher, bench->mesh, 7));
    ck_assert (!fetcher_cancel (bench->fetcher, bench->mesh, 7));
    ck_assert_uint_eq (fetcher_count (bench->fetcher), 0);
    bench->out.count = 0;
    mesh_tick (bench->mesh, NOW_MS + 6000, WALL_MS, &bench->out);
    for (size_t i = 0; i < bench->out.count; i++)
        ck_assert_int_ne (bench->out.items[i].kind, MESH_FETCHED); /* nor does the mesh speak of it later */
    s_answer (bench, 1, "hello", 5);                               /* that was on its way */
    ck_assert_uint_eq (bench->done_count, 0);
    ck_assert (!s_has (bench, &id));
    s_end (bench);
}
END_TEST

SUITE_MAIN ("fetcher", a_content_is_fetched_and_kept, what_is_here_is_not_fetched_again,
            with_a_tree_come_the_files_that_are_not_here, a_list_that_lies_about_what_is_here_is_refused,
            a_fetch_that_fails_ends_with_that, the_time_is_for_the_whole_fetch,
            what_is_no_tree_or_lies_about_its_sizes_is_refused,
            a_tree_lists_as_many_files_as_a_candidate_may_have_and_no_more,
            a_content_has_no_more_bytes_than_an_event_may_carry,
            one_fetch_more_than_there_is_room_for_ends_at_once, a_store_that_fails_fails_the_turn,
            a_fetch_that_is_given_up_ends_without_a_word_and_frees_its_place)
