/* SPDX-License-Identifier: MPL-2.0 */
/* Stages before the evaluator, and blocks that may not change, in real sandboxes. */
#define _GNU_SOURCE
#include "node/io/evaluation.h"

#include <fcntl.h>

#include "evolution/improvement.h"
#include "tests/lib/job_rig.h"

static const char s_manifest[] = "name: staged\n"
                                 "evolve: [value.txt]\n"
                                 "evaluator:\n"
                                 "  command: [./staged]\n"
                                 "  timeout: 60s\n"
                                 "  memory: 256MiB\n"
                                 "  stages:\n"
                                 "    - {name: quick, threshold: {score: 10}}\n"
                                 "    - {name: slow, threshold: {score: 5}}\n"
                                 "objectives:\n"
                                 "  - {name: score, goal: minimize}\n";

/* Does in each step what that step's word in the candidate's file says, and leaves its name in a pipe: the witness. */
static const char s_evaluator[] =
    "#!/bin/sh\n"
    "step=${2:-whole}\n"
    "echo \"$step\" >/private/witness\n"
    "read -r quick slow whole <value.txt\n"
    "case $step in quick) word=$quick;; slow) word=$slow;; *) word=$whole;; esac\n"
    "case $word in\n"
    "hang) sleep 1000;;\n"
    "crash) kill -SEGV $$;;\n"
    "exit) echo 'it is bad' >&2; exit 3;;\n"
    "eat) dd if=/dev/zero of=/tmp/food bs=1M count=48 2>/dev/null; sleep 1000;;\n"
    "plain) echo '{\"score\": 1}';;\n"
    "long) echo \"{\\\"metrics\\\": {\\\"score\\\": 1}, \\\"artifacts\\\": {\\\"$step\\\": \\\"kept\\\", "
    "\\\"long\\\": \\\"$(head "
    "-c 3000 /dev/zero | tr '\\0' x)\\\"}}\";;\n"
    "*) echo \"{\\\"metrics\\\": {\\\"score\\\": $word}, \\\"artifacts\\\": {\\\"of\\\": \\\"$step "
    "$word\\\"}}\";;\n"
    "esac\n";

typedef struct {
    job_rig_t *rig;
    evaluations_t *evaluations;
    uint64_t operation;
    int witness; /* reading end */
} bench_t;

static bench_t s_bench (void)
{
    static const digest_t none;
    problem_t problem = {{0}};
    bench_t self = {.rig = job_rig_new (false)};
    job_rig_t *rig = self.rig;
    ck_assert_msg (agent_parse (AGENT_MANIFEST, s_manifest, strlen (s_manifest), rig->agent, &problem) == 0,
                   "%s", problem.text);
    fixture_add (&rig->fixture, &rig->pinned, "staged*", s_evaluator);
    rig->workshop.evaluator = tree_id (&rig->pinned, &none);
    rig->workshop.start = job_rig_candidate (rig, "1 1 1\n");
    scratch_path_t directory = scratch_path (&rig->fixture.scratch, "private");
    scratch_path_t witness = scratch_path (&rig->fixture.scratch, "private/witness");
    ck_assert_int_eq (mkdir (directory.text, 0755), 0);
    ck_assert_int_eq (mkfifo (witness.text, 0666), 0);
    ck_assert_int_eq (chmod (witness.text, 0666), 0);
    self.witness = open (witness.text, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    ck_assert_int_ge (self.witness, 0);
    snprintf (rig->config->private_data, sizeof rig->config->private_data, "%s", directory.text);
    self.evaluations = evaluations_new (&rig->workshop, job_rig_done, rig);
    ck_assert_ptr_nonnull (self.evaluations);
    return self;
}

static void s_end (bench_t *self)
{
    sandbox_destroy (&self->rig->sandbox);
    evaluations_destroy (&self->evaluations);
    close (self->witness);
    job_rig_destroy (self->rig);
}

/* A run with stages is as for a peer, one without as for ourselves. */
static void s_start (bench_t *self, const char *text, bool staged)
{
    evaluate_t effect = {
        .operation = ++self->operation, .candidate = job_rig_candidate (self->rig, text), .staged = staged};
    evaluations_start (self->evaluations, &effect);
}

static const evaluated_t *s_evaluate (bench_t *self, const char *text, bool staged)
{
    size_t before = self->rig->count;
    s_start (self, text, staged);
    job_rig_wait (self->rig, before + 1);
    ck_assert_uint_eq (self->rig->events[before].as.evaluated.operation, self->operation);
    ck_assert_uint_eq (evaluations_running (self->evaluations), 0);
    return &self->rig->events[before].as.evaluated;
}

/* The steps that ran since the last look, in their order. */
static void s_expect_ran (const bench_t *self, const char *steps)
{
    char text[256];
    ssize_t size = read (self->witness, text, sizeof text - 1);
    text[size > 0 ? size : 0] = '\0';
    ck_assert_str_eq (text, steps);
}

static void s_expect (const evaluated_t *found, reason_code_t reason, const char *detail)
{
    ck_assert_msg (found->reason == (uint64_t)reason && job_rig_says (found->detail, detail), "%s: %.*s",
                   reason_name ((reason_code_t)found->reason), (int)found->detail.size, found->detail.data);
    ck_assert_uint_eq (found->metrics.count, reason == REASON_NONE ? 1 : 0);
}

START_TEST (all_stages_are_passed_before_the_evaluator_gives_the_objectives)
{
    bench_t bench = s_bench ();
    const evaluated_t *found = s_evaluate (&bench, "10 5 99\n", true);
    s_expect (found, REASON_NONE, "\"of\":\"whole 99\"");
    ck_assert_double_eq (found->metrics.items[0].value, 99);
    s_expect_ran (&bench, "quick\nslow\nwhole\n");
    s_end (&bench);
}
END_TEST

START_TEST (a_run_that_is_not_the_first_goes_without_stages)
{
    bench_t bench = s_bench ();
    s_expect (s_evaluate (&bench, "crash crash 3\n", false), REASON_NONE, "whole 3");
    s_expect_ran (&bench, "whole\n");
    s_end (&bench);
}
END_TEST

START_TEST (a_missed_threshold_ends_it_and_nothing_later_runs)
{
    bench_t bench = s_bench ();
    s_expect (s_evaluate (&bench, "10.5 1 1\n", true), REASON_STAGE,
              "stage quick: score is 10.5, expected at most 10");
    s_expect_ran (&bench, "quick\n");
    s_expect (s_evaluate (&bench, "1 6 1\n", true), REASON_STAGE,
              "stage slow: score is 6, expected at most 5");
    s_expect_ran (&bench, "quick\nslow\n");
    s_end (&bench);
}
END_TEST

START_TEST (a_stage_that_gives_no_result_ends_it_with_its_name)
{
    bench_t bench = s_bench ();
    s_expect (s_evaluate (&bench, "crash 1 1\n", true), REASON_INVALID_CRASH,
              "stage quick: the evaluator was ended by");
    s_expect_ran (&bench, "quick\n");
    const evaluated_t *found = s_evaluate (&bench, "1 exit 1\n", true);
    s_expect (found, REASON_INVALID_EXIT, "stage slow: the evaluator exited with code 3");
    ck_assert (job_rig_says (found->detail, "it is bad"));
    s_expect (s_evaluate (&bench, "1 nan 1\n", true), REASON_INVALID_RESULT, "stage slow: result: ");
    s_expect_ran (&bench, "quick\nslow\nquick\nslow\n");
    s_end (&bench);
}
END_TEST

START_TEST (each_stage_has_a_time_of_its_own)
{
    bench_t bench = s_bench ();
    bench.rig->agent->stages[0].timeout_ms = 400;
    s_expect (s_evaluate (&bench, "hang 1 1\n", true), REASON_INVALID_TIMEOUT,
              "stage quick: no result within 400 ms");
    s_expect_ran (&bench, "quick\n");
    bench.rig->agent->stages[0].timeout_ms = 60000;
    bench.rig->agent->stages[1].timeout_ms = 300;
    s_expect (s_evaluate (&bench, "1 hang 1\n", true), REASON_INVALID_TIMEOUT,
              "stage slow: no result within 300 ms");
    s_expect_ran (&bench, "quick\nslow\n");
    s_end (&bench);
}
END_TEST

START_TEST (each_stage_has_memory_of_its_own)
{
    bench_t bench = s_bench ();
    bench.rig->agent->stages[1].memory_bytes = 32 << 20;
    bench.rig->agent->stages[0].timeout_ms =
        400; /* 48 MiB are not too much for the first: it is its time that ends it */
    s_expect (s_evaluate (&bench, "1 eat 1\n", true), REASON_INVALID_MEMORY,
              "stage slow: more than 33554432 bytes");
    s_expect_ran (&bench, "quick\nslow\n");
    s_expect (s_evaluate (&bench, "eat 1 1\n", true), REASON_INVALID_TIMEOUT, "stage quick: no result");
    s_end (&bench);
}
END_TEST

START_TEST (the_artifacts_of_every_step_are_kept)
{
    bench_t bench = s_bench ();
    const evaluated_t *found = s_evaluate (&bench, "1 2 3\n", true);
    s_expect (
        found, REASON_NONE,
        "{\"stages\":{\"quick\":{\"of\":\"quick 1\"},\"slow\":{\"of\":\"slow 2\"}},\"of\":\"whole 3\"}");
    found = s_evaluate (&bench, "1 2 plain\n", true);
    s_expect (found, REASON_NONE,
              "{\"stages\":{\"quick\":{\"of\":\"quick 1\"},\"slow\":{\"of\":\"slow 2\"}}}");
    found = s_evaluate (&bench, "1 7 3\n", true);
    s_expect (found, REASON_STAGE,
              "{\"stages\":{\"quick\":{\"of\":\"quick 1\"},\"slow\":{\"of\":\"slow 7\"}}}");
    found = s_evaluate (&bench, "1 exit 3\n", true);
    s_expect (found, REASON_INVALID_EXIT, "{\"stages\":{\"quick\":{\"of\":\"quick 1\"}}}\nit is bad");
    s_end (&bench);
}
END_TEST

START_TEST (what_a_stage_tells_is_bounded_and_leaves_room_for_the_rest)
{
    bench_t bench = s_bench ();
    const evaluated_t *found = s_evaluate (&bench, "long long long\n", true);
    s_expect (found, REASON_NONE,
              "{\"stages\":{\"quick\":{\"quick\":\"kept\"},\"slow\":{\"slow\":\"kept\"}},\"whole\":\"kept\"");
    ck_assert_uint_gt (found->detail.size, 3000);
    s_end (&bench);
}
END_TEST

START_TEST (a_cancelled_stage_says_nothing_and_nothing_follows)
{
    bench_t bench = s_bench ();
    s_start (&bench, "hang 1 1\n", true);
    ck_assert (evaluations_cancel (bench.evaluations, bench.operation));
    s_expect (s_evaluate (&bench, "1 1 1\n", true), REASON_NONE, "whole 1");
    ck_assert_uint_eq (bench.rig->count, 1);
    s_end (&bench);
}
END_TEST

/* --- blocks --- */

#define MARKED(word, inside, outside) word "\n# EVOLVE-BLOCK-START\n" inside "# EVOLVE-BLOCK-END\n" outside

START_TEST (a_candidate_may_change_what_the_blocks_of_the_start_hold)
{
    bench_t bench = s_bench ();
    bench.rig->workshop.start = job_rig_candidate (bench.rig, MARKED ("1 1 1", "a\n", "end\n"));
    s_expect (s_evaluate (&bench, MARKED ("1 1 1", "b\nc\n", "end\n"), true), REASON_NONE, "whole 1");
    s_end (&bench);
}
END_TEST

START_TEST (a_candidate_that_changes_more_is_not_run)
{
    static const char *const texts[] = {
        MARKED ("1 1 0", "a\n", "end\n"), MARKED ("1 1 1", "a\n", ""), "1 1 1\n",
        MARKED ("1 1 1", "# EVOLVE-BLOCK-END\nx\n# EVOLVE-BLOCK-START\n", "end\n")};
    bench_t bench = s_bench ();
    bench.rig->workshop.start = job_rig_candidate (bench.rig, MARKED ("1 1 1", "a\n", "end\n"));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t before = bench.rig->count;
        s_start (&bench, texts[i], i % 2 == 0);
        ck_assert_uint_eq (bench.rig->count, before + 1); /* told at once */
        s_expect (&bench.rig->events[before].as.evaluated, REASON_PROTECTED, "value.txt: line ");
    }
    s_expect_ran (&bench, "");
    s_end (&bench);
}
END_TEST

SUITE_MAIN ("evaluation_stages", all_stages_are_passed_before_the_evaluator_gives_the_objectives,
            a_run_that_is_not_the_first_goes_without_stages,
            a_missed_threshold_ends_it_and_nothing_later_runs,
            a_stage_that_gives_no_result_ends_it_with_its_name, each_stage_has_a_time_of_its_own,
            each_stage_has_memory_of_its_own, the_artifacts_of_every_step_are_kept,
            what_a_stage_tells_is_bounded_and_leaves_room_for_the_rest,
            a_cancelled_stage_says_nothing_and_nothing_follows,
            a_candidate_may_change_what_the_blocks_of_the_start_hold,
            a_candidate_that_changes_more_is_not_run)
