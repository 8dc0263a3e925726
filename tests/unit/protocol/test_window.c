/* SPDX-License-Identifier: MPL-2.0 */
#include "protocol/window.h"
#include "tests/lib/sample.h"
#include "tests/lib/suite.h"

#define NOW UINT64_C (1750000000000)

static window_t *s_window (void)
{
    window_t *window = window_new ();
    ck_assert_ptr_nonnull (window);
    return window;
}

/* A statement of sample `author`: a PING (live) or a LEAVE (durable) that says `what`. */
typedef struct {
    buffer_t body;
    statement_t statement;
    head_t head;
    digest_t id;
} said_t;

static said_t s_said (uint8_t author, unsigned kind, uint64_t seq, uint64_t time_ms, uint8_t what)
{
    identity_t identity = sample_identity (author);
    said_t said = {.head = {.kind = kind, .group = {{7}}, .epoch = 1, .seq = seq, .time_ms = time_ms}};
    pubkey_t to = {{what}};
    leave_t leave = {.to = to, .reason = text_of ("going")};
    ping_t ping = {to};
    message_seal (&identity, &said.head, kind == MESSAGE_LEAVE ? (const void *)&leave : &ping, &said.body,
                  said.statement.seal);
    said.statement.body = said.body.data;
    said.statement.body_size = said.body.size;
    said.id = statement_id (said.body.data, said.body.size, said.statement.seal);
    return said;
}

static int s_hear (window_t *window, const said_t *said, uint64_t wall_ms)
{
    return window_hear (window, &said->statement, &said->head, &said->id, wall_ms);
}

/* Says it, hears it, forgets it. */
static int s_try (window_t *window, uint8_t author, unsigned kind, uint64_t seq, uint64_t time_ms,
                  uint8_t what, uint64_t wall_ms)
{
    said_t said = s_said (author, kind, seq, time_ms, what);
    int error = s_hear (window, &said, wall_ms);
    buffer_clear (&said.body);
    return error;
}

static int s_live (window_t *window, uint64_t seq)
{
    return s_try (window, 1, MESSAGE_PING, seq, NOW, 1, NOW);
}

static int s_durable (window_t *window, uint64_t seq)
{
    return s_try (window, 1, MESSAGE_LEAVE, seq, NOW, 1, NOW);
}

START_TEST (test_a_live_statement_counts_once)
{
    window_t *window = s_window ();
    ck_assert_int_eq (s_live (window, 1), 0);
    ck_assert_int_eq (s_live (window, 1), ERROR_REPLAYED);
    ck_assert_int_eq (s_live (window, 5), 0);
    ck_assert_int_eq (s_live (window, 3), 0); /* links are not in order with one another */
    ck_assert_int_eq (s_live (window, 3), ERROR_REPLAYED);
    ck_assert_int_eq (s_live (window, 5), ERROR_REPLAYED);
    ck_assert_int_eq (s_try (window, 2, MESSAGE_PING, 5, NOW, 1, NOW), 0); /* numbers count by author */
    window_destroy (&window);
    ck_assert_ptr_null (window);
    window_destroy (&window);
}
END_TEST

START_TEST (test_freshness_ends_to_the_millisecond_on_both_sides)
{
    window_t *window = s_window ();
    ck_assert_int_eq (s_try (window, 1, MESSAGE_PING, 1, NOW - FRESHNESS_MS, 1, NOW), 0);
    ck_assert_int_eq (s_try (window, 1, MESSAGE_PING, 2, NOW - FRESHNESS_MS - 1, 1, NOW), ERROR_STALE);
    ck_assert_int_eq (s_try (window, 1, MESSAGE_PING, 3, NOW + FRESHNESS_MS, 1, NOW), 0);
    ck_assert_int_eq (s_try (window, 1, MESSAGE_PING, 4, NOW + FRESHNESS_MS + 1, 1, NOW), ERROR_STALE);
    ck_assert_int_eq (s_try (window, 1, MESSAGE_PING, 5, 0, 1, NOW), ERROR_STALE);
    ck_assert_int_eq (s_try (window, 1, MESSAGE_PING, 6, UINT64_MAX, 1, NOW), ERROR_STALE);
    window_destroy (&window);
}
END_TEST

START_TEST (test_a_durable_statement_counts_at_any_age_and_once)
{
    window_t *window = s_window ();
    said_t said = s_said (1, MESSAGE_LEAVE, 1, 1000, 1);
    ck_assert (!window_knows (window, &said.id));
    ck_assert_int_eq (s_hear (window, &said, NOW), 0);
    ck_assert (window_knows (window, &said.id));
    ck_assert_int_eq (s_hear (window, &said, NOW), ERROR_REPLAYED);
    ck_assert_int_eq (s_hear (window, &said, NOW + FRESHNESS_MS * 1000), ERROR_REPLAYED);
    buffer_clear (&said.body);
    window_destroy (&window);
}
END_TEST

START_TEST (test_live_statements_do_not_push_out_hashes_of_durable_ones)
{
    window_t *window = s_window ();
    said_t said = s_said (1, MESSAGE_LEAVE, 1, NOW, 1);
    ck_assert_int_eq (s_hear (window, &said, NOW), 0);
    for (uint64_t seq = 2; seq < 2 + WINDOW_HASHES; seq++)
        ck_assert_int_eq (s_live (window, seq), 0);
    ck_assert (window_knows (window, &said.id));
    buffer_clear (&said.body);
    window_destroy (&window);
}
END_TEST

START_TEST (test_hashes_are_remembered_up_to_their_bound)
{
    window_t *window = s_window ();
    said_t first = s_said (1, MESSAGE_LEAVE, 1, NOW, 1), second = s_said (1, MESSAGE_LEAVE, 2, NOW, 1);
    ck_assert_int_eq (s_hear (window, &first, NOW), 0);
    ck_assert_int_eq (s_hear (window, &second, NOW), 0);
    for (uint64_t seq = 3; seq <= WINDOW_HASHES; seq++)
        ck_assert_int_eq (s_durable (window, seq), 0);
    ck_assert (window_knows (window, &first.id));
    ck_assert_int_eq (s_durable (window, WINDOW_HASHES + 1), 0);
    ck_assert (!window_knows (window, &first.id) && window_knows (window, &second.id));
    buffer_clear (&first.body);
    buffer_clear (&second.body);
    window_destroy (&window);
}
END_TEST

/* What leaves the window at its bound can't come back as new. */
START_TEST (test_numbers_are_remembered_up_to_their_bound_and_then_stale)
{
    window_t *window = s_window ();
    for (uint64_t seq = 1; seq <= WINDOW_SEQS; seq++)
        ck_assert_int_eq (s_live (window, 10 * seq), 0);
    ck_assert_int_eq (s_live (window, 10), ERROR_REPLAYED); /* the lowest is still there */
    ck_assert_int_eq (s_live (window, 10 * WINDOW_SEQS + 1), 0);
    ck_assert_int_eq (s_live (window, 10), ERROR_STALE); /* now it has left */
    ck_assert_int_eq (s_live (window, 9), ERROR_STALE);
    ck_assert_int_eq (s_live (window, 20), ERROR_REPLAYED);
    ck_assert_int_eq (s_live (window, 11), 0); /* new, lower than all: counts, and the floor rises above it */
    ck_assert_int_eq (s_live (window, 11), ERROR_STALE);
    ck_assert_int_eq (s_live (window, 20), ERROR_STALE);
    window_destroy (&window);
}
END_TEST

START_TEST (test_numbers_leave_with_their_freshness_and_stay_stale_when_the_clock_is_set_back)
{
    window_t *window = s_window ();
    said_t said = s_said (1, MESSAGE_PING, 1, NOW, 1);
    ck_assert_int_eq (s_hear (window, &said, NOW), 0);
    ck_assert_int_eq (s_try (window, 1, MESSAGE_PING, 2, NOW + FRESHNESS_MS, 1, NOW + FRESHNESS_MS), 0);
    ck_assert_int_eq (s_hear (window, &said, NOW + FRESHNESS_MS), ERROR_REPLAYED);
    ck_assert_int_eq (s_try (window, 1, MESSAGE_PING, 3, NOW + FRESHNESS_MS + 1, 1, NOW + FRESHNESS_MS + 1),
                      0);
    ck_assert_int_eq (s_hear (window, &said, NOW + FRESHNESS_MS + 1), ERROR_STALE);
    ck_assert_int_eq (s_hear (window, &said, NOW), ERROR_STALE);
    buffer_clear (&said.body);
    window_destroy (&window);
}
END_TEST

START_TEST (test_two_statements_under_one_number_are_proof_against_their_author)
{
    static const unsigned kinds[] = {MESSAGE_PING, MESSAGE_LEAVE};
    for (size_t i = 0; i < 2; i++) {
        window_t *window = s_window ();
        pubkey_t author = sample_identity (1).id;
        said_t first = s_said (1, kinds[i], 7, NOW, 1), second = s_said (1, kinds[i], 7, NOW, 2);
        ck_assert_int_eq (s_hear (window, &first, NOW), 0);
        proof_t proof;
        ck_assert (!window_take_proof (window, &proof));
        ck_assert_int_eq (s_hear (window, &second, NOW), ERROR_EQUIVOCATION);
        ck_assert (window_take_proof (window, &proof));
        ck_assert (pubkey_equal (&proof.author, &author));
        ck_assert_uint_eq (proof.seq, 7);
        ck_assert (proof_holds (&proof));
        proof_clear (&proof);
        ck_assert_int_eq (s_hear (window, &first, NOW), ERROR_REPLAYED);
        ck_assert_int_eq (s_hear (window, &second, NOW), ERROR_EQUIVOCATION);
        ck_assert (!window_take_proof (window, &proof)); /* one proof of an author is enough */
        buffer_clear (&first.body);
        buffer_clear (&second.body);
        window_destroy (&window);
    }
}
END_TEST

START_TEST (test_a_proof_holds_for_what_it_proves_only)
{
    said_t said[] = {s_said (1, MESSAGE_PING, 7, NOW, 1), s_said (1, MESSAGE_PING, 7, NOW, 2),
                     s_said (1, MESSAGE_PING, 8, NOW, 2), s_said (2, MESSAGE_PING, 7, NOW, 2)};
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < 4; k++) {
            proof_t proof = {.author = sample_identity (1).id, .seq = 7};
            statement_pack (said[i].body.data, said[i].body.size, said[i].statement.seal, &proof.first);
            statement_pack (said[k].body.data, said[k].body.size, said[k].statement.seal, &proof.second);
            ck_assert_int_eq (proof_holds (&proof), i < 2 && k < 2 && i != k);
            if (i == 0 && k == 1) {
                proof.first.data[20] ^= 1;
                ck_assert (!proof_holds (&proof));
            }
            buffer_clear (&proof.first);
            buffer_clear (&proof.second);
        }
    }
    for (size_t i = 0; i < 4; i++)
        buffer_clear (&said[i].body);
    proof_t empty = {.seq = 7};
    ck_assert (!proof_holds (&empty));
}
END_TEST

/* Same body, another valid seal: that can only be made by its author, but it says nothing else. */
START_TEST (test_the_same_body_sealed_again_is_no_equivocation)
{
    window_t *window = s_window ();
    said_t said = s_said (1, MESSAGE_PING, 7, NOW, 1);
    ck_assert_int_eq (s_hear (window, &said, NOW), 0);
    said.statement.seal[0] ^= 1;
    said.id = statement_id (said.body.data, said.body.size, said.statement.seal);
    ck_assert_int_eq (s_hear (window, &said, NOW), ERROR_REPLAYED);
    proof_t proof;
    ck_assert (!window_take_proof (window, &proof));
    buffer_clear (&said.body);
    window_destroy (&window);
}
END_TEST

/* Equivocates under that number; true if it is proved. */
static bool s_is_caught (window_t *window, uint8_t author, uint64_t seq)
{
    proof_t proof;
    ck_assert_int_eq (s_try (window, author, MESSAGE_PING, seq, NOW, 1, NOW), 0);
    ck_assert_int_eq (s_try (window, author, MESSAGE_PING, seq, NOW, 2, NOW), ERROR_EQUIVOCATION);
    bool caught = window_take_proof (window, &proof);
    ck_assert (!caught || proof_holds (&proof));
    proof_clear (&proof);
    return caught;
}

START_TEST (test_what_can_not_be_proved_does_not_shield_its_author)
{
    window_t *window = s_window ();
    proof_t proof;
    ck_assert_int_eq (s_live (window, 1), 0);
    for (uint64_t seq = 2; seq <= WINDOW_KEPT; seq++)
        ck_assert_int_eq (s_live (window, seq), 0);
    ck_assert_int_eq (s_try (window, 2, MESSAGE_PING, 1, NOW, 1, NOW), 0); /* this pushes it out */
    ck_assert_int_eq (s_try (window, 1, MESSAGE_PING, 1, NOW, 2, NOW), ERROR_EQUIVOCATION);
    ck_assert (!window_take_proof (window, &proof));
    ck_assert (s_is_caught (window, 1, WINDOW_KEPT + 1));
    window_destroy (&window);
}
END_TEST

START_TEST (test_each_author_is_proved_once_until_it_is_forgotten)
{
    window_t *window = s_window ();
    for (unsigned n = 1; n <= 40; n++) {
        ck_assert (s_is_caught (window, (uint8_t)n, 1));
        ck_assert (!s_is_caught (window, (uint8_t)n, 2));
    }
    pubkey_t author = sample_identity (1).id;
    window_forget (window, &author);
    ck_assert (s_is_caught (window, 1, 3));
    window_destroy (&window);
}
END_TEST

START_TEST (test_a_proof_that_nobody_took_is_forgotten_with_its_author)
{
    window_t *window = s_window ();
    proof_t proof;
    pubkey_t author = sample_identity (1).id;
    ck_assert_int_eq (s_live (window, 1), 0);
    ck_assert_int_eq (s_try (window, 1, MESSAGE_PING, 1, NOW, 2, NOW), ERROR_EQUIVOCATION);
    window_forget (window, &author);
    ck_assert (!window_take_proof (window, &proof));
    window_destroy (&window);
}
END_TEST

START_TEST (test_bytes_kept_for_proofs_end_at_their_bound)
{
    window_t *window = s_window ();
    identity_t identity = sample_identity (1);
    uint8_t *filling = calloc (1, WINDOW_KEPT_BYTES);
    ck_assert_ptr_nonnull (filling);
    for (uint64_t seq = 1; seq <= 40;
         seq++) { /* 40 × 30 KB are more than may be kept; the sanitizer counts what is freed */
        size_t size = seq == 40 ? WINDOW_KEPT_BYTES / 8 : 30000; /* the last is too large to be kept at all */
        chunk_t chunk = {.bytes = bytes_of (filling, size)};
        head_t head = {.kind = MESSAGE_CHUNK, .seq = seq, .time_ms = NOW};
        buffer_t body = {0};
        statement_t statement;
        message_seal (&identity, &head, &chunk, &body, statement.seal);
        statement.body = body.data;
        statement.body_size = body.size;
        digest_t id = statement_id (body.data, body.size, statement.seal);
        ck_assert_int_eq (window_hear (window, &statement, &head, &id, NOW), 0);
        buffer_clear (&body);
    }
    proof_t proof;
    for (uint64_t seq = 1; seq <= 40; seq += 39) {
        ck_assert_int_eq (s_live (window, seq), ERROR_EQUIVOCATION);
        ck_assert (!window_take_proof (window, &proof));
    }
    ck_assert (s_is_caught (window, 1, 41)); /* too large to be kept: no shield either */
    window_forget (window, &identity.id);
    window_destroy (&window);
    free (filling);
}
END_TEST

START_TEST (test_authors_are_remembered_up_to_their_bound)
{
    window_t *window = s_window ();
    for (unsigned n = 0; n < LIMIT_MEMBERS; n++) {
        pubkey_t author = {{(uint8_t)n, (uint8_t)(n >> 8), 9}};
        ck_assert_int_eq (window_note (window, &author, n + 1), 0);
        ck_assert_uint_eq (window_highest (window, &author), n + 1);
    }
    pubkey_t first = {{0, 0, 9}}, other = {{1, 1, 1}};
    ck_assert_int_eq (window_note (window, &other, 1), ERROR_BOUND);
    ck_assert_int_eq (s_live (window, 1), ERROR_BOUND);
    ck_assert_uint_eq (window_highest (window, &other), 0);
    window_forget (window, &other);
    window_forget (window, &first);
    ck_assert_uint_eq (window_highest (window, &first), 0);
    ck_assert_int_eq (s_live (window, 1), 0);
    window_destroy (&window);
}
END_TEST

START_TEST (test_the_highest_number_is_that_of_any_statement_that_counted)
{
    window_t *window = s_window ();
    pubkey_t author = sample_identity (1).id;
    ck_assert_int_eq (s_live (window, 5), 0);
    ck_assert_uint_eq (window_highest (window, &author), 5);
    ck_assert_int_eq (s_durable (window, 9), 0);
    ck_assert_uint_eq (window_highest (window, &author), 9);
    ck_assert_int_eq (s_live (window, 7), 0);
    ck_assert_int_eq (s_try (window, 1, MESSAGE_PING, 99, 0, 1, NOW), ERROR_STALE);
    ck_assert_uint_eq (window_highest (window, &author), 9);
    ck_assert_int_eq (window_note (window, &author, 8), 0);
    ck_assert_uint_eq (window_highest (window, &author), 9);
    ck_assert_int_eq (window_note (window, &author, 100), 0);
    ck_assert_uint_eq (window_highest (window, &author), 100);
    ck_assert_int_eq (s_live (window, 11), 0); /* what is known from elsewhere refuses nothing */
    window_destroy (&window);
}
END_TEST

START_TEST (test_a_forgotten_author_starts_anew)
{
    window_t *window = s_window ();
    pubkey_t author = sample_identity (1).id;
    ck_assert_int_eq (s_live (window, 5), 0);
    window_forget (window, &author);
    ck_assert_uint_eq (window_highest (window, &author), 0);
    ck_assert_int_eq (s_live (window, 5), 0);
    window_destroy (&window);
}
END_TEST

SUITE_MAIN ("protocol/window", test_a_live_statement_counts_once,
            test_freshness_ends_to_the_millisecond_on_both_sides,
            test_a_durable_statement_counts_at_any_age_and_once,
            test_live_statements_do_not_push_out_hashes_of_durable_ones,
            test_hashes_are_remembered_up_to_their_bound,
            test_numbers_are_remembered_up_to_their_bound_and_then_stale,
            test_numbers_leave_with_their_freshness_and_stay_stale_when_the_clock_is_set_back,
            test_two_statements_under_one_number_are_proof_against_their_author,
            test_a_proof_holds_for_what_it_proves_only, test_the_same_body_sealed_again_is_no_equivocation,
            test_what_can_not_be_proved_does_not_shield_its_author,
            test_each_author_is_proved_once_until_it_is_forgotten,
            test_a_proof_that_nobody_took_is_forgotten_with_its_author,
            test_bytes_kept_for_proofs_end_at_their_bound, test_authors_are_remembered_up_to_their_bound,
            test_the_highest_number_is_that_of_any_statement_that_counted,
            test_a_forgotten_author_starts_anew)
