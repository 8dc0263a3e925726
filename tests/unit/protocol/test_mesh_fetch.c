/* SPDX-License-Identifier: MPL-2.0 */
/* Contents by hash: whole and right, or an error in time. */
#include "tests/lib/suite.h"
#include "tests/lib/village.h"

static digest_t s_content (village_t *village, size_t slot, size_t size)
{
    buffer_t *content = &village->contents[slot];
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)(i * 31 + i / 65536 + slot);
        buffer_append (content, &byte, 1);
    }
    return digest_of (content->data, content->size);
}

static void s_fetch (village_t *village, uint64_t operation, const digest_t *content, uint64_t timeout_ms)
{
    villager_t *who = &village->people[1];
    mesh_fetch (who->mesh, operation, &village->people[0].identity.id, content, timeout_ms, village->now_ms,
                village->wall_ms, &who->out);
    village_settle (village);
}

START_TEST (test_contents_of_every_size_arrive_whole)
{
    const size_t sizes[] = {0,
                            1,
                            LIMIT_CHUNK_BYTES - 1,
                            LIMIT_CHUNK_BYTES,
                            LIMIT_CHUNK_BYTES + 1,
                            5 * LIMIT_CHUNK_BYTES + 17,
                            LIMIT_CONTENT_BYTES};
    village_t *village = village_new (2);
    village_meet (village);
    villager_t *who = &village->people[1];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        digest_t id = s_content (village, 0, sizes[i]);
        size_t before = village->sent[MESSAGE_FETCH];
        s_fetch (village, 10 + i, &id, 10000);
        ck_assert_uint_eq (who->fetched_count, i + 1);
        ck_assert_uint_eq (who->fetched_operation, 10 + i);
        ck_assert_int_eq (who->fetched_result, 0);
        ck_assert_uint_eq (who->fetched.size, sizes[i]);
        digest_t real = digest_of (who->fetched.data, who->fetched.size);
        ck_assert (digest_equal (&real, &id));
        size_t chunks = sizes[i] == 0 ? 1 : (sizes[i] + LIMIT_CHUNK_BYTES - 1) / LIMIT_CHUNK_BYTES;
        ck_assert_uint_eq (village->sent[MESSAGE_FETCH] - before, chunks);
        buffer_clear (&village->contents[0]);
    }
    village_destroy (&village);
}
END_TEST

START_TEST (test_a_content_that_the_peer_lacks_is_not_found_at_once)
{
    village_t *village = village_new (2);
    village_meet (village);
    digest_t id = digest_of ("nowhere", 7);
    s_fetch (village, 1, &id, 10000);
    ck_assert_int_eq (village->people[1].fetched_result, ERROR_NOT_FOUND);
    ck_assert_uint_eq (village_delivered (village, 1, MESSAGE_REFUSED), 0);
    village_destroy (&village);
}
END_TEST

static bool s_lose_some (village_t *self, size_t from, size_t to, unsigned kind)
{
    (void)from;
    (void)to;
    return (kind == MESSAGE_CHUNK || kind == MESSAGE_FETCH) && self->sent[kind] % 3 == 1;
}

START_TEST (test_lost_chunks_are_asked_for_again)
{
    village_t *village = village_new (2);
    village_meet (village);
    village->lose = s_lose_some;
    digest_t id = s_content (village, 0, 20 * LIMIT_CHUNK_BYTES);
    s_fetch (village, 1, &id, 120000);
    village_pass (village, 60000);
    ck_assert_uint_eq (village->people[1].fetched_count, 1);
    ck_assert_int_eq (village->people[1].fetched_result, 0);
    village_destroy (&village);
}
END_TEST

static bool s_lose_fetches (village_t *self, size_t from, size_t to, unsigned kind)
{
    (void)self;
    (void)from;
    (void)to;
    return kind == MESSAGE_FETCH;
}

static bool s_lose_chunks (village_t *self, size_t from, size_t to, unsigned kind)
{
    (void)self;
    (void)from;
    (void)to;
    return kind == MESSAGE_CHUNK;
}

START_TEST (test_a_fetch_ends_when_its_time_is_up)
{
    village_t *village = village_new (2);
    village_meet (village);
    village->lose = s_lose_chunks;
    digest_t id = s_content (village, 0, 10);
    s_fetch (village, 1, &id, 5000);
    village_pass (village, 4900);
    ck_assert_uint_eq (village->people[1].fetched_count, 0);
    village_pass (village, 200);
    ck_assert_uint_eq (village->people[1].fetched_count, 1);
    ck_assert_int_eq (village->people[1].fetched_result, ERROR_TIMEOUT);
    village_destroy (&village);
}
END_TEST

START_TEST (test_a_fetch_waits_for_a_peer_that_is_not_up_yet)
{
    village_t *village = village_new (2);
    digest_t id = s_content (village, 0, 10);
    s_fetch (village, 1, &id, 60000);
    village_pass (village, 1000);
    ck_assert_uint_eq (village->people[1].fetched_count, 0);
    village_meet (village);
    ck_assert_uint_eq (village->people[1].fetched_count, 1);
    ck_assert_int_eq (village->people[1].fetched_result, 0);
    village_destroy (&village);
}
END_TEST

START_TEST (test_a_fetch_from_a_peer_that_is_lost_or_none_fails_soon)
{
    village_t *village = village_new (2);
    village_meet (village);
    digest_t id = s_content (village, 0, 10);
    village_stop (village, 0);
    s_fetch (village, 1, &id, 600000);
    village_pass (village, LOST_AFTER_MS + 1000);
    ck_assert_int_eq (village->people[1].fetched_result, ERROR_NOT_FOUND);
    pubkey_t nobody = {{7}};
    mesh_fetch (village->people[1].mesh, 2, &nobody, &id, 1000, village->now_ms, village->wall_ms,
                &village->people[1].out);
    village_settle (village);
    ck_assert_uint_eq (village->people[1].fetched_operation, 2);
    ck_assert_int_eq (village->people[1].fetched_result, ERROR_NOT_FOUND);
    village_destroy (&village);
}
END_TEST

/* The statement of `kind` that waits in a mesh's outputs. */
static const mesh_output_t *s_said (const village_t *village, size_t person, unsigned kind)
{
    const mesh_outputs_t *out = &village->people[person].out;
    for (size_t i = 0; i < out->count; i++)
        if (statement_kind (out->items[i].bytes.data, out->items[i].bytes.size) == kind)
            return &out->items[i];
    return NULL;
}

/* Answers the fetch under way with a chunk that was tampered with, and expects that result. */
static void s_expect_for_chunk (void (*tamper) (chunk_t *), int result)
{
    village_t *village = village_new (2);
    village_meet (village);
    village->is_hushed = true;
    static const uint8_t bytes[100] = {1, 2, 3};
    digest_t id = digest_of (bytes, sizeof bytes);
    s_fetch (village, 1, &id, 10000);
    const mesh_output_t *asked = s_said (village, 1, MESSAGE_FETCH);
    ck_assert_ptr_nonnull (asked);
    chunk_t chunk = {.to = village->people[1].identity.id,
                     .request = statement_id (asked->bytes.data, asked->bytes.size, asked->seal),
                     .content = id,
                     .total = sizeof bytes,
                     .bytes = {bytes, sizeof bytes}};
    tamper (&chunk);
    village->is_hushed = false;
    village->lose = s_lose_fetches;
    village_say (village, 0, 1, MESSAGE_CHUNK, &chunk);
    ck_assert_uint_eq (village->people[1].fetched_count, result != 1);
    if (result != 1)
        ck_assert_int_eq (village->people[1].fetched_result, result);
    village_destroy (&village);
}

static void s_leave_it (chunk_t *chunk)
{
    (void)chunk;
}

static void s_other_bytes (chunk_t *chunk)
{
    static const uint8_t other[100] = {9};
    chunk->bytes.data = other;
}

static void s_other_content (chunk_t *chunk)
{
    chunk->content.bytes[0] ^= 1;
}

static void s_short (chunk_t *chunk)
{
    chunk->bytes.size--;
}

static void s_too_much_in_all (chunk_t *chunk)
{
    chunk->total = LIMIT_CONTENT_BYTES;
}

static void s_other_offset (chunk_t *chunk)
{
    chunk->offset = 50;
    chunk->bytes.size = 50;
}

static void s_other_request (chunk_t *chunk)
{
    chunk->request.bytes[0] ^= 1;
}

START_TEST (test_a_chunk_that_is_not_what_was_asked_for_ends_the_fetch)
{
    s_expect_for_chunk (s_leave_it, 0);
    s_expect_for_chunk (s_other_bytes, ERROR_MISMATCH);
    s_expect_for_chunk (s_other_content, ERROR_MISMATCH);
    s_expect_for_chunk (s_short, ERROR_MISMATCH);
    s_expect_for_chunk (s_too_much_in_all, ERROR_MISMATCH);
    s_expect_for_chunk (s_other_offset, ERROR_MISMATCH);
    s_expect_for_chunk (s_other_request, 1); /* an answer to nothing: the fetch goes on */
}
END_TEST

START_TEST (test_few_chunks_are_on_their_way_at_once)
{
    village_t *village = village_new (2);
    village_meet (village);
    digest_t id = s_content (village, 0, 30 * LIMIT_CHUNK_BYTES);
    village->lose = s_lose_chunks;
    for (uint64_t i = 0; i < 40; i++)
        s_fetch (village, 100 + i, &id, 60000);
    ck_assert_uint_le (village->sent[MESSAGE_FETCH],
                       16); /* the first chunk tells the size: one each, of 16 contents */
    ck_assert_uint_ge (village->sent[MESSAGE_FETCH], 16);
    village->lose = NULL;
    village_pass (village, 30000);
    ck_assert_uint_eq (village->people[1].fetched_count, 40);
    village_destroy (&village);
}
END_TEST

START_TEST (test_beyond_the_bound_a_fetch_is_busy)
{
    village_t *village = village_new (2);
    digest_t id = digest_of ("x", 1);
    for (uint64_t i = 0; i < LIMIT_OPERATIONS; i++)
        s_fetch (village, 1 + i, &id, 1000);
    ck_assert_uint_eq (village->people[1].fetched_count, 0);
    s_fetch (village, 999, &id, 1000);
    ck_assert_uint_eq (village->people[1].fetched_operation, 999);
    ck_assert_int_eq (village->people[1].fetched_result, ERROR_BUSY);
    village_pass (village, 1100);
    ck_assert_uint_eq (village->people[1].fetched_count, LIMIT_OPERATIONS + 1);
    village_destroy (&village);
}
END_TEST

START_TEST (test_an_offset_behind_the_end_is_refused)
{
    village_t *village = village_new (2);
    village_meet (village);
    digest_t id = s_content (village, 0, 10);
    fetch_t fetch = {.to = village->people[0].identity.id, .content = id, .offset = 11};
    village_say (village, 1, 0, MESSAGE_FETCH, &fetch);
    ck_assert_uint_eq (village->sent[MESSAGE_REFUSED], 1);
    fetch.offset = 10; /* at the end: nothing, and that is no error */
    village_say (village, 1, 0, MESSAGE_FETCH, &fetch);
    ck_assert_uint_eq (village->sent[MESSAGE_CHUNK], 1);
    village_destroy (&village);
}
END_TEST

START_TEST (test_a_fetch_that_is_given_up_is_asked_for_no_more_and_says_nothing)
{
    village_t *village = village_new (2);
    village_meet (village);
    digest_t id = s_content (village, 0, 3 * LIMIT_CHUNK_BYTES);
    village->lose = s_lose_chunks;
    s_fetch (village, 1, &id, 60000);
    s_fetch (village, 2, &id, 60000);
    mesh_fetch_cancel (village->people[1].mesh, 99); /* there is none */
    mesh_fetch_cancel (village->people[1].mesh, 1);
    village->lose = NULL;
    village_pass (village, 5000);
    ck_assert_uint_eq (village->people[1].fetched_count, 1); /* the other goes on */
    ck_assert_uint_eq (village->people[1].fetched_operation, 2);
    ck_assert_int_eq (village->people[1].fetched_result, 0);
    size_t asked = village->sent[MESSAGE_FETCH];
    village_pass (village, 60000);
    ck_assert_uint_eq (village->sent[MESSAGE_FETCH], asked);
    ck_assert_uint_eq (village->people[1].fetched_count, 1);
    village_destroy (&village);
}
END_TEST

SUITE_MAIN ("protocol/mesh_fetch", test_contents_of_every_size_arrive_whole,
            test_a_content_that_the_peer_lacks_is_not_found_at_once, test_lost_chunks_are_asked_for_again,
            test_a_fetch_ends_when_its_time_is_up, test_a_fetch_waits_for_a_peer_that_is_not_up_yet,
            test_a_fetch_from_a_peer_that_is_lost_or_none_fails_soon,
            test_a_chunk_that_is_not_what_was_asked_for_ends_the_fetch,
            test_few_chunks_are_on_their_way_at_once, test_beyond_the_bound_a_fetch_is_busy,
            test_an_offset_behind_the_end_is_refused,
            test_a_fetch_that_is_given_up_is_asked_for_no_more_and_says_nothing)
