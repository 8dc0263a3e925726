/* SPDX-License-Identifier: MPL-2.0 */
#include "node/effect.h"

#include "tests/lib/sample.h"
#include "tests/lib/suite.h"

#define KIND_FIRST 1
#define KIND_LAST  20

/* The union's largest member has room for any effect's fields. */
typedef struct {
    _Alignas(16) uint8_t bytes[sizeof ((effect_t *)NULL)->as];
} fields_t;

static buffer_t s_encode (unsigned kind, const void *fields)
{
    buffer_t bytes = {0};
    record_encode (effect_record (kind), fields, &bytes);
    ck_assert (!bytes.failed);
    return bytes;
}

START_TEST (every_effect_is_kept_as_a_copy_of_its_own)
{
    effects_t effects = {0};
    arena_t arena = {0};
    buffer_t expected[KIND_LAST + 1];
    for (unsigned kind = KIND_FIRST; kind <= KIND_LAST; kind++) {
        fields_t fields;
        sample_fill (effect_record (kind), SAMPLE_TYPICAL, &arena, &fields);
        expected[kind] = s_encode (kind, &fields);
        effects_add (&effects, (effect_kind_t)kind, &fields);
    }
    arena_clear (&arena); /* what the fields pointed to is gone */
    ck_assert_uint_eq (effects.count, KIND_LAST);
    for (unsigned kind = KIND_FIRST; kind <= KIND_LAST; kind++) {
        const effect_t *effect = &effects.items[kind - 1];
        ck_assert_uint_eq (effect->kind, kind);
        buffer_t found = s_encode (kind, &effect->as);
        ck_assert_uint_eq (found.size, expected[kind].size);
        ck_assert_mem_eq (found.data, expected[kind].data, found.size);
        buffer_clear (&found);
        buffer_clear (&expected[kind]);
    }
    effects_clear (&effects);
    ck_assert_uint_eq (effects.count, 0);
    ck_assert_ptr_null (effects.items);
}
END_TEST

static digest_t s_digest_of (const uint64_t *operations, size_t count, size_t from)
{
    effects_t effects = {0};
    for (size_t i = 0; i < count; i++) {
        cancel_t cancel = {operations[i]};
        effects_add (&effects, EFFECT_CANCEL, &cancel);
    }
    digest_t digest = effects_digest (&effects, from);
    effects_clear (&effects);
    return digest;
}

START_TEST (the_digest_tells_effects_their_order_and_their_number_apart)
{
    const uint64_t some[] = {1, 2, 3}, turned[] = {2, 1, 3}, others[] = {1, 2, 4};
    digest_t digest = s_digest_of (some, 3, 0), same = s_digest_of (some, 3, 0);
    ck_assert (digest_equal (&digest, &same));
    digest_t order = s_digest_of (turned, 3, 0), value = s_digest_of (others, 3, 0),
             number = s_digest_of (some, 2, 0);
    ck_assert (!digest_equal (&digest, &order));
    ck_assert (!digest_equal (&digest, &value));
    ck_assert (!digest_equal (&digest, &number));
}
END_TEST

START_TEST (the_digest_tells_kinds_with_the_same_fields_apart)
{
    effects_t cancels = {0}, loads = {0};
    snapshot_t snapshot = {7, {{1}}};
    effects_add (&cancels, EFFECT_SNAPSHOT, &snapshot);
    effects_add (&loads, EFFECT_RESTORE, &snapshot); /* the same fields */
    digest_t one = effects_digest (&cancels, 0), other = effects_digest (&loads, 0);
    ck_assert (!digest_equal (&one, &other));
    effects_clear (&cancels);
    effects_clear (&loads);
}
END_TEST

START_TEST (the_digest_starts_where_it_is_told_and_is_zero_for_nothing)
{
    const uint64_t all[] = {9, 1, 2}, tail[] = {1, 2};
    digest_t from_one = s_digest_of (all, 3, 1), alone = s_digest_of (tail, 2, 0),
             none = s_digest_of (all, 3, 3);
    ck_assert (digest_equal (&from_one, &alone));
    ck_assert (digest_is_zero (&none));
}
END_TEST

START_TEST (only_the_kinds_that_write_are_committed_first)
{
    for (unsigned kind = KIND_FIRST; kind <= KIND_LAST; kind++)
        ck_assert_int_eq (effect_persists ((effect_kind_t)kind),
                          strncmp (effect_name (kind), "PERSIST_", 8) == 0);
}
END_TEST

START_TEST (each_kind_has_a_name_and_a_record_and_others_have_none)
{
    ck_assert_str_eq (effect_name (EFFECT_PERSIST_STATEMENT), "PERSIST_STATEMENT");
    ck_assert_str_eq (effect_name (EFFECT_REPLY), "REPLY");
    ck_assert_ptr_null (effect_name (0));
    ck_assert_ptr_null (effect_name (KIND_LAST + 1));
    ck_assert_ptr_null (effect_record (KIND_LAST + 1));
}
END_TEST

SUITE_MAIN ("effects", every_effect_is_kept_as_a_copy_of_its_own,
            the_digest_tells_effects_their_order_and_their_number_apart,
            the_digest_tells_kinds_with_the_same_fields_apart,
            the_digest_starts_where_it_is_told_and_is_zero_for_nothing,
            only_the_kinds_that_write_are_committed_first,
            each_kind_has_a_name_and_a_record_and_others_have_none)
