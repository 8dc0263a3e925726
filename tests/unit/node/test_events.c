/* SPDX-License-Identifier: MPL-2.0 */
#include "node/event.h"

#include "tests/lib/sample.h"
#include "tests/lib/suite.h"

#define KIND_FIRST 1
#define KIND_LAST  15

static event_t s_sample (unsigned kind, sample_t sample, arena_t *arena)
{
    event_t event = {.kind = (event_kind_t)kind, .now_ms = 12345678901, .wall_ms = 1700000000000};
    sample_fill (event_record (kind), sample, arena, &event.as);
    return event;
}

static buffer_t s_encode (const event_t *event)
{
    buffer_t bytes = {0};
    event_encode (event, &bytes);
    ck_assert (!bytes.failed);
    return bytes;
}

START_TEST (every_event_comes_back_from_the_journal_as_it_went_in)
{
    for (unsigned kind = KIND_FIRST; kind <= KIND_LAST; kind++)
        for (sample_t sample = SAMPLE_LEAST; sample <= SAMPLE_MOST; sample++) {
            arena_t arena = {0};
            event_t event = s_sample (kind, sample, &arena), read;
            buffer_t bytes = s_encode (&event);
            ck_assert_msg (event_decode (bytes.data, bytes.size, &read, &arena) == 0, "%s",
                           event_name (kind));
            ck_assert_uint_eq (read.kind, kind);
            ck_assert_uint_eq (read.now_ms, event.now_ms);
            ck_assert_uint_eq (read.wall_ms, event.wall_ms);
            buffer_t again = s_encode (&read);
            ck_assert_uint_eq (again.size, bytes.size);
            ck_assert_mem_eq (again.data, bytes.data, bytes.size);
            buffer_clear (&again);
            buffer_clear (&bytes);
            arena_clear (&arena);
        }
}
END_TEST

START_TEST (an_entry_that_is_cut_short_or_too_long_is_refused_and_leaves_nothing)
{
    arena_t arena = {0};
    event_t event = s_sample (EVENT_EVALUATED, SAMPLE_TYPICAL, &arena), read, zero;
    memset (&zero, 0, sizeof zero);
    buffer_t bytes = s_encode (&event);
    for (size_t size = 0; size < bytes.size; size++) {
        memset (&read, 0xff, sizeof read);
        ck_assert_int_ne (event_decode (bytes.data, size, &read, &arena), 0);
        ck_assert_mem_eq (&read, &zero, sizeof read);
    }
    buffer_append (&bytes, "", 1);
    ck_assert_int_eq (event_decode (bytes.data, bytes.size, &read, &arena), ERROR_MALFORMED);
    buffer_clear (&bytes);
    arena_clear (&arena);
}
END_TEST

START_TEST (an_unknown_kind_and_a_wrong_number_of_fields_are_refused)
{
    arena_t arena = {0};
    event_t read;
    const uint8_t unknown[] = {0x94, 0x7f, 0x01, 0x01, 0x00},
                  huge[] = {0x94, 0xcd, 0x01, 0x05, 0x01, 0x01, 0x00};
    const uint8_t fewer[] = {0x93, EVENT_TICK, 0x01, 0x01},
                  more[] = {0x95, EVENT_TICK, 0x01, 0x01, 0x00, 0x00};
    const uint8_t tick[] = {0x94, EVENT_TICK, 0x01, 0x01, 0x00};
    ck_assert_int_eq (event_decode (unknown, sizeof unknown, &read, &arena), ERROR_KIND);
    ck_assert_int_eq (event_decode (huge, sizeof huge, &read, &arena), ERROR_KIND); /* 261 is not 5 */
    ck_assert_int_eq (event_decode (fewer, sizeof fewer, &read, &arena), ERROR_MALFORMED);
    ck_assert_int_eq (event_decode (more, sizeof more, &read, &arena), ERROR_MALFORMED);
    ck_assert_int_eq (event_decode (tick, sizeof tick, &read, &arena), 0);
    arena_clear (&arena);
}
END_TEST

START_TEST (each_kind_has_a_name_and_a_record_and_others_have_none)
{
    ck_assert_str_eq (event_name (EVENT_STARTED), "STARTED");
    ck_assert_str_eq (event_name (EVENT_COMMAND), "COMMAND");
    for (unsigned kind = KIND_FIRST; kind <= KIND_LAST; kind++) {
        ck_assert_ptr_nonnull (event_name (kind));
        ck_assert_ptr_nonnull (event_record (kind));
        ck_assert_uint_le (event_record (kind)->size, sizeof ((event_t *)NULL)->as);
    }
    ck_assert_ptr_null (event_name (0));
    ck_assert_ptr_null (event_name (KIND_LAST + 1));
    ck_assert_ptr_null (event_record (KIND_LAST + 1));
}
END_TEST

SUITE_MAIN ("events", every_event_comes_back_from_the_journal_as_it_went_in,
            an_entry_that_is_cut_short_or_too_long_is_refused_and_leaves_nothing,
            an_unknown_kind_and_a_wrong_number_of_fields_are_refused,
            each_kind_has_a_name_and_a_record_and_others_have_none)
