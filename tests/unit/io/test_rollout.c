/* SPDX-License-Identifier: MPL-2.0 */
/* Snapshot, apply, restore, and the operator's service. */
#define _GNU_SOURCE
#include "node/io/rollout.h"

#include <dirent.h>
#include <sys/resource.h>

#include "node/io/executor.h"
#include "tests/lib/job_rig.h"

typedef struct {
    job_rig_t *rig;
    releases_t *releases;
    digest_t first;
    digest_t second;
} bench_t;

static void s_ensure (bench_t *self, const digest_t *release, bool expected)
{
    problem_t problem = {{0}};
    bool switched = !expected;
    int result = releases_ensure (&self->rig->workshop, release, &switched, &problem);
    ck_assert_msg (result == 0, "%s", problem.text);
    ck_assert_int_eq (switched, expected);
}

static bench_t s_bench (const char *restart)
{
    bench_t self = {.rig = job_rig_new (false)};
    snprintf (self.rig->config->service_restart, sizeof self.rig->config->service_restart, "%s", restart);
    self.rig->config->service_timeout_ms = 120000;
    self.releases = releases_new (&self.rig->workshop, job_rig_done, self.rig);
    ck_assert_ptr_nonnull (self.releases);
    self.first = job_rig_candidate (self.rig, "1\n");
    self.second = job_rig_candidate (self.rig, "2\n");
    s_ensure (&self, &self.first, true);
    return self;
}

static void s_end (bench_t *self)
{
    releases_destroy (&self->releases);
    job_rig_destroy (self->rig);
}

static void s_expect_live (bench_t *self, const digest_t *release, const char *value)
{
    digest_t current;
    ck_assert_int_eq (workspace_release_current (self->rig->data, &current), 0);
    ck_assert (digest_equal (&current, release));
    scratch_expect (&self->rig->fixture.scratch, "data/current/value.txt", value);
    scratch_expect (&self->rig->fixture.scratch, "data/current/evaluate",
                    job_rig_evaluator); /* the whole agent */
}

START_TEST (a_snapshot_lays_the_release_out_and_switches_nothing)
{
    bench_t bench = s_bench ("");
    snapshot_t snapshot = {11, bench.second};
    releases_snapshot (bench.releases, &snapshot);
    ck_assert_uint_eq (bench.rig->events[0].kind, EVENT_SNAPSHOT_TAKEN);
    ck_assert_uint_eq (bench.rig->events[0].as.snapshot_taken.operation, 11);
    ck_assert_uint_eq (bench.rig->events[0].as.snapshot_taken.result, 0);
    s_expect_live (&bench, &bench.first, "1\n");
    s_end (&bench);
}
END_TEST

START_TEST (apply_switches_and_restore_switches_back)
{
    bench_t bench = s_bench ("");
    apply_t apply = {12, bench.first, bench.second};
    releases_apply (bench.releases, &apply);
    ck_assert_uint_eq (bench.rig->events[0].kind, EVENT_APPLIED);
    ck_assert_uint_eq (bench.rig->events[0].as.applied_event.result, 0);
    s_expect_live (&bench, &bench.second, "2\n");
    releases_apply (bench.releases, &apply); /* again, as after a crash */
    ck_assert_uint_eq (bench.rig->events[1].as.applied_event.result, 0);
    restore_t restore = {13, bench.first};
    releases_restore (bench.releases, &restore);
    ck_assert_uint_eq (bench.rig->events[2].kind, EVENT_RESTORED);
    ck_assert_uint_eq (bench.rig->events[2].as.restored.operation, 13);
    s_expect_live (&bench, &bench.first, "1\n");
    s_end (&bench);
}
END_TEST

/* How many entries `releases` has. */
static size_t s_laid_out (bench_t *self)
{
    size_t count = 0;
    DIR *listing = opendir (scratch_path (&self->rig->fixture.scratch, "data/releases").text);
    ck_assert_ptr_nonnull (listing);
    for (struct dirent *entry; (entry = readdir (listing)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir (listing);
    return count;
}

START_TEST (what_is_gone_back_to_is_laid_out_again)
{
    bench_t bench = s_bench ("");
    bench.rig->config->retention.releases = 1; /* beside the live one */
    digest_t third = job_rig_candidate (bench.rig, "3\n");
    apply_t apply = {12, bench.first, bench.second}, next = {13, bench.second, third};
    releases_apply (bench.releases, &apply);
    ck_assert_uint_eq (s_laid_out (&bench), 2);
    releases_apply (bench.releases, &next);
    s_expect_live (&bench, &third, "3\n");
    ck_assert_uint_eq (s_laid_out (&bench), 2);
    restore_t restore = {14, bench.first};
    releases_restore (bench.releases, &restore);
    ck_assert_uint_eq (bench.rig->events[2].as.restored.result, 0);
    s_expect_live (&bench, &bench.first, "1\n");
    ck_assert_uint_eq (s_laid_out (&bench), 2);
    s_end (&bench);
}
END_TEST

START_TEST (apply_refuses_if_the_live_release_is_another_by_now)
{
    bench_t bench = s_bench ("");
    digest_t third = job_rig_candidate (bench.rig, "3\n");
    apply_t apply = {14, third, bench.second};
    releases_apply (bench.releases, &apply);
    ck_assert_uint_eq (bench.rig->events[0].as.applied_event.result, 1);
    ck_assert (job_rig_says (bench.rig->events[0].as.applied_event.detail, "by now"));
    s_expect_live (&bench, &bench.first, "1\n");
    s_end (&bench);
}
END_TEST

START_TEST (a_release_that_is_not_here_fails_and_changes_nothing)
{
    bench_t bench = s_bench ("");
    apply_t apply = {15, bench.first, {{9}}};
    releases_apply (bench.releases, &apply);
    ck_assert_uint_eq (bench.rig->events[0].as.applied_event.result, 1);
    s_expect_live (&bench, &bench.first, "1\n");
    s_end (&bench);
}
END_TEST

START_TEST (a_start_puts_a_link_that_was_moved_right)
{
    bench_t bench = s_bench ("");
    apply_t apply = {20, bench.first, bench.second};
    releases_apply (bench.releases, &apply);
    s_ensure (&bench, &bench.second, false);
    char text[DIGEST_TEXT_BYTES], target[128];
    digest_text (&bench.first, text);
    snprintf (target, sizeof target, "releases/%s", text);
    scratch_path_t current = scratch_path (&bench.rig->fixture.scratch, "data/current");
    const char *const targets[] = {target, "nowhere"};
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq (unlink (current.text), 0);
        ck_assert_int_eq (symlink (targets[i], current.text), 0);
        s_ensure (&bench, &bench.second, true);
        s_expect_live (&bench, &bench.second, "2\n");
        s_ensure (&bench, &bench.second, false);
    }
    s_end (&bench);
}
END_TEST

/* From now on no file can be opened, so that no directory can be synced; renames go on. Returns what was allowed before. */
static struct rlimit s_no_files (void)
{
    struct rlimit before, none;
    ck_assert_int_eq (getrlimit (RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, &none), 0);
    return before;
}

START_TEST (a_switch_that_can_not_be_synced_is_told_as_done)
{
    bench_t bench = s_bench ("");
    snapshot_t snapshot = {21, bench.second};
    releases_snapshot (bench.releases, &snapshot);
    apply_t apply = {22, bench.first, bench.second};
    restore_t restore = {23, bench.first};
    struct rlimit before = s_no_files ();
    releases_apply (bench.releases, &apply);
    releases_restore (bench.releases, &restore);
    ck_assert_int_eq (setrlimit (RLIMIT_NOFILE, &before), 0);
    ck_assert_uint_eq (bench.rig->events[1].kind, EVENT_APPLIED);
    ck_assert_uint_eq (bench.rig->events[1].as.applied_event.result, 2);
    ck_assert (job_rig_says (bench.rig->events[1].as.applied_event.detail, "synced"));
    ck_assert_uint_eq (bench.rig->events[2].as.restored.result, 2);
    s_expect_live (&bench, &bench.first, "1\n");
    s_end (&bench);
}
END_TEST

START_TEST (the_service_is_restarted_on_the_new_release_before_apply_is_told)
{
    bench_t bench = s_bench ("cat value.txt > ../../seen; echo \"$EVOMESH_CURRENT\" >> ../../seen");
    apply_t apply = {16, bench.first, bench.second};
    releases_apply (bench.releases, &apply);
    ck_assert_uint_eq (bench.rig->count, 0);
    job_rig_wait (bench.rig, 1);
    ck_assert_uint_eq (bench.rig->events[0].as.applied_event.result, 0);
    char *seen = scratch_read (&bench.rig->fixture.scratch, "data/seen");
    ck_assert_ptr_nonnull (seen);
    char expected[SCRATCH_PATH_BYTES + 16];
    snprintf (expected, sizeof expected, "2\n%s/current\n", bench.rig->data);
    ck_assert_str_eq (seen, expected);
    free (seen);
    s_end (&bench);
}
END_TEST

static void s_expect_restart_problem_within (uint64_t timeout_ms, const char *restart, const char *why)
{
    bench_t bench = s_bench (restart);
    bench.rig->config->service_timeout_ms = timeout_ms;
    apply_t apply = {17, bench.first, bench.second};
    releases_apply (bench.releases, &apply);
    job_rig_wait (bench.rig, 1);
    ck_assert_uint_eq (bench.rig->events[0].as.applied_event.result, 2); /* switched, not restarted */
    text_t detail = bench.rig->events[0].as.applied_event.detail;
    ck_assert_msg (job_rig_says (detail, why), "%.*s", (int)detail.size, detail.data);
    s_expect_live (&bench, &bench.second, "2\n");
    s_end (&bench);
}

START_TEST (old_releases_go_once_the_service_is_at_work_on_the_new_one)
{
    bench_t bench = s_bench ("[ ! -e ../../broken ]");
    bench.rig->config->retention.releases = 1;
    digest_t third = job_rig_candidate (bench.rig, "3\n"), fourth = job_rig_candidate (bench.rig, "4\n");
    apply_t applies[] = {{18, bench.first, bench.second}, {19, bench.second, third}, {20, third, fourth}};
    for (size_t i = 0; i < 3; i++) {
        if (i == 2)
            scratch_write (&bench.rig->fixture.scratch, "data/broken", "");
        releases_apply (bench.releases, &applies[i]);
        job_rig_wait (bench.rig, i + 1);
        ck_assert_uint_eq (s_laid_out (&bench),
                           i < 2 ? 2 : 3); /* none while it may still run on an old one */
    }
    s_end (&bench);
}
END_TEST

START_TEST (a_service_that_does_not_come_back_is_told)
{
    s_expect_restart_problem_within (120000, "exit 7", "code 7");
    s_expect_restart_problem_within (120000, "kill -TERM $$", "signal 15");
    s_expect_restart_problem_within (500, "sleep 1000 & wait", "longer than 500 ms");
}
END_TEST

START_TEST (the_executor_merges_and_loads_from_the_store)
{
    job_rig_t *rig = job_rig_new (false);
    executor_t *executor = executor_new (&rig->workshop, job_rig_done, rig);
    digest_t base = job_rig_candidate (rig, "a\nb\nc\nd\ne\n"),
             ours = job_rig_candidate (rig, "A\nb\nc\nd\ne\n"),
             theirs = job_rig_candidate (rig, "a\nb\nc\nd\nE\n"),
             both = job_rig_candidate (rig, "A\nb\nc\nd\nE\n");
    effects_t effects = {0};
    merge_t merge = {1, base, ours, theirs};
    load_t load = {2, both}, missing = {3, {{8}}};
    effects_add (&effects, EFFECT_MERGE, &merge);
    effects_add (&effects, EFFECT_LOAD, &load);
    effects_add (&effects, EFFECT_LOAD, &missing);
    merge.theirs = (digest_t){{8}};
    effects_add (&effects, EFFECT_MERGE, &merge);
    for (size_t i = 0; i < effects.count; i++) {
        ck_assert (executor_takes (effects.items[i].kind));
        executor_run (executor, &effects.items[i]);
    }
    ck_assert_uint_eq (rig->count, 4);
    const merged_t *merged = &rig->events[0].as.merged;
    ck_assert_uint_eq (merged->result, 0);
    ck_assert_uint_eq (merged->conflicts, 0);
    digest_t id = digest_of (merged->tree.data, merged->tree.size);
    ck_assert (digest_equal (&id, &both));
    id = digest_of (rig->events[1].as.loaded.bytes.data, rig->events[1].as.loaded.bytes.size);
    ck_assert (digest_equal (&id, &both));
    ck_assert_uint_eq (rig->events[2].as.loaded.result, 1);
    ck_assert_uint_eq (rig->events[3].as.merged.result, MERGE_FAULT); /* what it names was here once */
    ck_assert_uint_gt (rig->events[3].as.merged.detail.size, 0);
    effects_clear (&effects);
    sandbox_destroy (&rig->sandbox);
    executor_destroy (&executor);
    job_rig_destroy (rig);
}
END_TEST

/* `before` a's, lines that stay, `after` b's. Malloc'ed. */
static char *s_three_lines (size_t before, size_t after)
{
    static const char middle[] = "\n1\n2\n3\n";
    size_t size = before + after + sizeof middle;
    char *text = calloc (1, size);
    ck_assert_ptr_nonnull (text);
    memset (text, 'a', before);
    memcpy (text + before, middle, sizeof middle - 1);
    memset (text + before + sizeof middle - 1, 'b', after);
    return text;
}

START_TEST (a_merge_that_no_machine_could_make_is_told_apart_from_a_fault)
{
    job_rig_t *rig = job_rig_new (false);
    executor_t *executor = executor_new (&rig->workshop, job_rig_done, rig);
    const size_t half = LIMIT_FILE_BYTES / 2; /* each side fits, both together don't */
    char *texts[3] = {s_three_lines (1, 1), s_three_lines (half, 1), s_three_lines (1, half)};
    merge_t merge = {1, job_rig_candidate (rig, texts[0]), job_rig_candidate (rig, texts[1]),
                     job_rig_candidate (rig, texts[2])};
    effects_t effects = {0};
    effects_add (&effects, EFFECT_MERGE, &merge);
    executor_run (executor, &effects.items[0]);
    ck_assert_uint_eq (rig->events[0].as.merged.result, MERGE_IMPOSSIBLE);
    ck_assert (job_rig_says (rig->events[0].as.merged.detail, "larger than"));
    for (size_t i = 0; i < 3; i++)
        free (texts[i]);
    effects_clear (&effects);
    sandbox_destroy (&rig->sandbox);
    executor_destroy (&executor);
    job_rig_destroy (rig);
}
END_TEST

SUITE_MAIN ("rollout", a_snapshot_lays_the_release_out_and_switches_nothing,
            apply_switches_and_restore_switches_back, what_is_gone_back_to_is_laid_out_again,
            apply_refuses_if_the_live_release_is_another_by_now,
            a_release_that_is_not_here_fails_and_changes_nothing, a_start_puts_a_link_that_was_moved_right,
            a_switch_that_can_not_be_synced_is_told_as_done,
            the_service_is_restarted_on_the_new_release_before_apply_is_told,
            old_releases_go_once_the_service_is_at_work_on_the_new_one,
            a_service_that_does_not_come_back_is_told, the_executor_merges_and_loads_from_the_store,
            a_merge_that_no_machine_could_make_is_told_apart_from_a_fault)
