/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

#include "tests/lib/suite.h"
#include "node/io/sandbox_capture.h"

typedef struct {
    int ends[2];
    capture_t capture;
} fixture_t;

static fixture_t s_new (uint64_t limit, uint64_t keep)
{
    fixture_t self;
    ck_assert_int_eq (pipe2 (self.ends, O_NONBLOCK), 0);
    capture_init (&self.capture, limit, keep);
    return self;
}

static capture_state_t s_feed (fixture_t *self, const char *bytes)
{
    ck_assert_int_eq (write (self->ends[1], bytes, strlen (bytes)), (ssize_t)strlen (bytes));
    return capture_read (&self->capture, self->ends[0]);
}

static void s_expect (fixture_t *self, const char *kept)
{
    size_t size;
    ck_assert_str_eq (capture_text (&self->capture, &size), kept);
    ck_assert_uint_eq (size, strlen (kept));
    capture_free (&self->capture);
}

START_TEST (nothing_captured_is_an_empty_text)
{
    fixture_t self = s_new (10, 10);
    ck_assert_int_eq (capture_read (&self.capture, self.ends[0]), CAPTURE_MORE);
    s_expect (&self, "");
}
END_TEST

START_TEST (pieces_are_joined)
{
    fixture_t self = s_new (10, 10);
    ck_assert_int_eq (s_feed (&self, "abc"), CAPTURE_MORE);
    ck_assert_int_eq (s_feed (&self, "def"), CAPTURE_MORE);
    s_expect (&self, "abcdef");
}
END_TEST

START_TEST (exactly_the_limit_passes)
{
    fixture_t self = s_new (6, 6);
    ck_assert_int_eq (s_feed (&self, "abcdef"), CAPTURE_MORE);
    ck_assert (!self.capture.over);
    s_expect (&self, "abcdef");
}
END_TEST

START_TEST (one_byte_more_is_over_and_dropped)
{
    fixture_t self = s_new (6, 6);
    ck_assert_int_eq (s_feed (&self, "abcdefg"), CAPTURE_OVER);
    ck_assert_int_eq (s_feed (&self, "h"), CAPTURE_OVER);
    s_expect (&self, "abcdef");
}
END_TEST

START_TEST (only_the_tail_is_kept)
{
    fixture_t self = s_new (1000, 4);
    for (int i = 0; i < 9; i++)
        ck_assert_int_eq (s_feed (&self, "abc"), CAPTURE_MORE);
    ck_assert_uint_eq (self.capture.total_bytes, 27);
    ck_assert_int_eq (s_feed (&self, "0123456789"), CAPTURE_MORE);
    s_expect (&self, "6789");
}
END_TEST

START_TEST (the_end_of_file_is_told)
{
    fixture_t self = s_new (10, 10);
    ck_assert_int_eq (write (self.ends[1], "abc", 3), 3);
    close (self.ends[1]);
    ck_assert_int_eq (capture_read (&self.capture, self.ends[0]), CAPTURE_ENDED);
    s_expect (&self, "abc");
}
END_TEST

START_TEST (draining_takes_what_is_left)
{
    fixture_t self = s_new (10, 10);
    ck_assert_int_eq (write (self.ends[1], "abc", 3), 3);
    capture_drain (&self.capture, self.ends[0]);
    capture_drain (&self.capture, -1);
    s_expect (&self, "abc");
}
END_TEST

START_TEST (one_read_is_bounded)
{
    fixture_t self = s_new (1 << 24, 16);
    int size = fcntl (self.ends[1], F_SETPIPE_SZ, 1 << 20);
    ck_assert_int_ge (size, 1 << 20);
    char *block = calloc (1, (size_t)size);
    ck_assert_int_eq (write (self.ends[1], block, (size_t)size), size);
    free (block);
    ck_assert_int_eq (capture_read (&self.capture, self.ends[0]), CAPTURE_MORE);
    ck_assert_uint_lt (self.capture.total_bytes, (uint64_t)size);
    capture_free (&self.capture);
}
END_TEST

SUITE_MAIN ("sandbox_capture", nothing_captured_is_an_empty_text, pieces_are_joined, exactly_the_limit_passes,
            one_byte_more_is_over_and_dropped, only_the_tail_is_kept, the_end_of_file_is_told,
            draining_takes_what_is_left, one_read_is_bounded)
