/* SPDX-License-Identifier: MPL-2.0 */
/* Proposers in real sandboxes. */
#define _GNU_SOURCE
#include "node/io/proposal.h"

#include <jansson.h>

#include "evolution/improvement.h"
#include "evolution/validators.h"
#include "node/records.h"
#include "tests/lib/job_rig.h"

typedef struct {
    job_rig_t *rig;
    proposals_t *proposals;
    digest_t parent;
    uint64_t operation;
} bench_t;

/* A bench whose one proposer is a shell script. */
static bench_t s_bench (const char *script)
{
    bench_t self = {.rig = job_rig_new (false)};
    agent_proposer_t *proposer = &self.rig->config->proposers[0];
    self.rig->config->proposer_count = 1;
    memset (proposer, 0, sizeof *proposer);
    snprintf (proposer->name, sizeof proposer->name, "script");
    snprintf (proposer->command.words[0], sizeof proposer->command.words[0], "/bin/sh");
    snprintf (proposer->command.words[1], sizeof proposer->command.words[1], "-c");
    ck_assert_uint_lt (strlen (script), sizeof proposer->command.words[2]);
    snprintf (proposer->command.words[2], sizeof proposer->command.words[2], "%s", script);
    proposer->command.count = 3;
    proposer->timeout_ms = 120000;
    proposer->share = 1;
    self.proposals = proposals_new (&self.rig->workshop, job_rig_done, self.rig);
    ck_assert_ptr_nonnull (self.proposals);
    self.parent = job_rig_candidate (self.rig, "5\n");
    return self;
}

static void s_end (bench_t *self)
{
    sandbox_destroy (&self->rig->sandbox);
    proposals_destroy (&self->proposals);
    job_rig_destroy (self->rig);
}

static propose_t s_effect (bench_t *self)
{
    return (propose_t){
        .operation = ++self->operation, .parent = self->parent, .seed = 99, .learning_rate = 0.1};
}

static const proposed_t *s_propose (bench_t *self)
{
    propose_t effect = s_effect (self);
    size_t before = self->rig->count;
    proposals_start (self->proposals, &effect);
    job_rig_wait (self->rig, before + 1);
    const event_t *event = &self->rig->events[before];
    ck_assert_uint_eq (event->kind, EVENT_PROPOSED);
    ck_assert_uint_eq (event->as.proposed.operation, effect.operation);
    ck_assert (digest_equal (&event->as.proposed.parent, &effect.parent));
    return &event->as.proposed;
}

/* Fails unless the proposal is one whose evolve file holds `text`; frees nothing of the rig's. */
static void s_expect_candidate (bench_t *self, const proposed_t *found, const char *text)
{
    ck_assert_msg (found->result == 0, "%.*s", (int)found->description.size, found->description.data);
    tree_t tree = {0};
    digest_t evaluator;
    ck_assert_int_eq (tree_decode (found->tree.data, found->tree.size, &tree, &evaluator), 0);
    ck_assert (digest_equal (&evaluator, &self->rig->workshop.evaluator));
    ck_assert_uint_eq (tree.count, 1);
    fixture_expect (&self->rig->fixture, &tree, "value.txt", text);
    digest_t id = digest_of (found->tree.data, found->tree.size);
    ck_assert (store_content_has (self->rig->fixture.store, &id));
    tree_clear (&tree);
}

START_TEST (what_the_proposer_left_in_the_evolve_files_is_the_candidate)
{
    bench_t bench =
        s_bench ("echo 4 > value.txt; echo chatter; echo '{\"improvement_type\": \"algorithm_modification\", "
                 "\"description\": \"one less\"}'");
    const proposed_t *found = s_propose (&bench);
    s_expect_candidate (&bench, found, "4\n");
    ck_assert_uint_eq (found->improvement_type, IMPROVE_ALGORITHM_MODIFICATION);
    ck_assert (text_equal (found->description, "one less"));
    s_end (&bench);
}
END_TEST

START_TEST (whatever_else_the_proposer_changed_is_thrown_away)
{
    bench_t bench = s_bench ("echo 4 > value.txt; echo cheat > evaluate; echo more > other.txt");
    s_expect_candidate (&bench, s_propose (&bench), "4\n");
    ck_assert_uint_eq (bench.rig->events[0].as.proposed.improvement_type, IMPROVE_PARAMETER_TUNING);
    const tree_file_t *evaluate = tree_find (&bench.rig->pinned, "evaluate");
    digest_t expected = digest_of (job_rig_evaluator, strlen (job_rig_evaluator));
    ck_assert (digest_equal (&evaluate->content, &expected));
    s_end (&bench);
}
END_TEST

static void s_expect_none_within (uint64_t timeout_ms, const char *script, const char *why)
{
    bench_t bench = s_bench (script);
    bench.rig->config->proposers[0].timeout_ms = timeout_ms;
    const proposed_t *found = s_propose (&bench);
    ck_assert_uint_eq (found->result, 1);
    ck_assert_uint_eq (found->tree.size, 0);
    ck_assert_msg (job_rig_says (found->description, why), "%.*s", (int)found->description.size,
                   found->description.data);
    s_end (&bench);
}

static void s_expect_none (const char *script, const char *why)
{
    s_expect_none_within (120000, script, why);
}

START_TEST (a_proposer_that_fails_or_changes_nothing_gives_no_candidate)
{
    s_expect_none ("echo no idea >&2; exit 1", "no idea");
    s_expect_none ("true", "changed nothing");
    s_expect_none_within (500, "sleep 1000", "timeout");
    s_expect_none ("rm value.txt; ln -s /etc/passwd value.txt", "value.txt");
    s_expect_none ("dd if=/dev/zero of=value.txt bs=1024 count=1025 2>/dev/null", "larger than 1048576");
}
END_TEST

START_TEST (a_proposer_that_can_not_run_is_a_fault_of_this_node)
{
    bench_t bench = s_bench ("true");
    propose_t effect = s_effect (&bench);
    effect.parent = (digest_t){{9}};
    proposals_start (bench.proposals, &effect);
    ck_assert_uint_eq (bench.rig->count, 1);
    ck_assert_uint_eq (bench.rig->events[0].as.proposed.result, PROPOSAL_FAULT);
    s_end (&bench);
}
END_TEST

START_TEST (a_proposer_that_is_not_there_any_more_is_no_fault)
{
    bench_t bench = s_bench ("true");
    propose_t effect = s_effect (&bench);
    effect.proposer = 1;
    proposals_start (bench.proposals, &effect);
    ck_assert_uint_eq (bench.rig->count, 1);
    ck_assert_uint_eq (bench.rig->events[0].as.proposed.result, PROPOSAL_NONE);
    ck_assert (job_rig_says (bench.rig->events[0].as.proposed.description, "no proposer 1"));
    s_end (&bench);
}
END_TEST

START_TEST (a_cancelled_proposer_says_nothing)
{
    bench_t bench = s_bench ("sleep 1000");
    propose_t effect = s_effect (&bench);
    proposals_start (bench.proposals, &effect);
    ck_assert (proposals_cancel (bench.proposals, effect.operation));
    ck_assert (!proposals_cancel (bench.proposals, effect.operation));
    snprintf (bench.rig->config->proposers[0].command.words[2], 32, "echo 1 > value.txt");
    s_expect_candidate (&bench, s_propose (&bench), "1\n");
    ck_assert_uint_eq (bench.rig->count, 1);
    s_end (&bench);
}
END_TEST

/* How many entries the scratch directory of the workshop has. */
static size_t s_scratch_entries (const bench_t *self)
{
    size_t count = 0;
    zdir_t *directory = zdir_new (self->rig->work, NULL);
    ck_assert_ptr_nonnull (directory);
    count = zdir_count (directory);
    zdir_destroy (&directory);
    return count;
}

static int s_look_at_scratch (zloop_t *loop, int timer, void *context)
{
    const bench_t *self = context;
    (void)loop, (void)timer;
    return s_scratch_entries (self) == 0 || zclock_usecs () > self->rig->deadline_us ? -1 : 0;
}

/* Who was cancelled is killed, which takes a moment; then its directory goes. */
static void s_expect_empty_scratch (bench_t *self)
{
    self->rig->deadline_us = zclock_usecs () + JOB_RIG_WAIT_US;
    int timer = zloop_timer (self->rig->loop, 1, 0, s_look_at_scratch, self);
    zloop_start (self->rig->loop);
    zloop_timer_end (self->rig->loop, timer);
    ck_assert_uint_eq (s_scratch_entries (self), 0);
}

START_TEST (what_a_proposer_worked_on_is_gone_when_it_ends_or_is_cancelled)
{
    bench_t bench = s_bench ("sleep 1000");
    propose_t first = s_effect (&bench), second = s_effect (&bench);
    proposals_start (bench.proposals, &first);
    proposals_start (bench.proposals, &second);
    ck_assert_uint_gt (s_scratch_entries (&bench), 0);
    proposals_cancel_all (bench.proposals);
    snprintf (bench.rig->config->proposers[0].command.words[2], 32, "echo 1 > value.txt");
    s_expect_candidate (&bench, s_propose (&bench), "1\n");
    ck_assert_uint_eq (bench.rig->count, 1);
    s_expect_empty_scratch (&bench);
    s_end (&bench);
}
END_TEST

START_TEST (the_proposer_is_told_on_its_stdin)
{
    bench_t bench = s_bench ("cat > value.txt");
    const proposed_t *found = s_propose (&bench);
    ck_assert_uint_eq (found->result, 0);
    propose_t effect = s_effect (&bench);
    json_t *input = proposal_input (&bench.rig->workshop, &effect);
    char *text = json_dumps (input, JSON_COMPACT);
    ck_assert_ptr_nonnull (text);
    s_expect_candidate (&bench, found, text);
    free (text);
    json_decref (input);
    s_end (&bench);
}
END_TEST

/* Leaves records in the store as the core does. */
static void s_put_records (bench_t *bench)
{
    value_t metrics[3] = {{3.5}, {0.25}, {1024}};
    candidate_row_t candidate = {
        .id = bench->parent, .valid = 1, .detail = text_of ("{\"worst\":\"item 7\"}")};
    candidate.metrics.items = metrics;
    candidate.metrics.count = 3;
    improvement_row_t worse = {.id = {{1}},
                               .candidate = bench->parent,
                               .state = STATE_REJECTED,
                               .reason = REASON_WORSE,
                               .detail = text_of ("by a half")};
    improvement_row_t shared = {.id = {{2}}, .state = STATE_SHARED};
    worse.description = text_of ("halve it");
    worse.performance_improvement = worse.consensus_score = shared.performance_improvement =
        shared.consensus_score = 0;
    const struct {
        table_t table;
        const record_t *record;
        const void *row;
        digest_t key;
    } rows[] = {{TABLE_CANDIDATE, &candidate_row_record, &candidate, candidate.id},
                {TABLE_IMPROVEMENT, &improvement_row_record, &worse, worse.id},
                {TABLE_IMPROVEMENT, &improvement_row_record, &shared, shared.id}};
    for (size_t i = 0; i < 3; i++) {
        buffer_t bytes = {0};
        record_encode (rows[i].record, rows[i].row, &bytes);
        ck_assert_int_eq (
            store_record_put (bench->rig->fixture.store, rows[i].table, &rows[i].key, bytes.data, bytes.size),
            0);
        buffer_clear (&bytes);
    }
}

/* Does the input hold what evaluations told? All of it, or nothing. */
static bool s_shows_artifacts (bench_t *bench)
{
    propose_t effect = s_effect (bench);
    json_t *root = proposal_input (&bench->rig->workshop, &effect);
    json_t *failure = json_array_get (json_object_get (root, "failures"), 0);
    bool shown = json_object_get (json_object_get (root, "parent"), "artifacts") != NULL;
    ck_assert_ptr_nonnull (failure);
    ck_assert_int_eq (json_object_get (failure, "artifacts") != NULL, shown);
    ck_assert_int_eq (json_object_get (failure, "detail") != NULL, shown);
    json_decref (root);
    return shown;
}

START_TEST (artifacts_reach_what_has_the_network_only_by_consent)
{
    bench_t bench = s_bench ("true");
    config_t *config = bench.rig->config;
    s_put_records (&bench);
    ck_assert (s_shows_artifacts (&bench));
    config->proposer_network = true;
    ck_assert (!s_shows_artifacts (&bench));
    config->share_artifacts = true;
    ck_assert (s_shows_artifacts (&bench));
    config->share_artifacts = config->proposer_network = false;
    config->proposers[0].command.count = 0;
    snprintf (config->proposers[0].name, sizeof config->proposers[0].name, "llm");
    ck_assert (!s_shows_artifacts (&bench));
    config->share_artifacts = true;
    ck_assert (s_shows_artifacts (&bench));
    s_end (&bench);
}
END_TEST

START_TEST (the_input_tells_parent_inspirations_failures_and_what_counts)
{
    bench_t bench = s_bench ("true");
    s_put_records (&bench);
    hash_t unknown = {{{3}}}, known = {bench.parent};
    propose_t effect = s_effect (&bench);
    effect.top.items = &known;
    effect.diverse.items = &unknown;
    effect.top.count = effect.diverse.count = 1;
    json_t *root = proposal_input (&bench.rig->workshop, &effect);
    ck_assert_ptr_nonnull (root);
    double score, weight, top_score, failed_score, recent_score;
    const char *worst, *description, *reason, *path, *name, *goal, *id, *top_id, *file, *detail,
        *failed_worst, *recent_id, *recent_file;
    json_int_t seed;
    ck_assert_int_eq (
        json_unpack (root,
                     "{s:{s:s, s:{s:f}, s:{s:s}}, s:{s:[{s:s, s:{s:f}, s:{s:s}}!], s:[{s:s}!]}, "
                     "s:[{s:s, s:s, s:s, s:{s:f}, s:{s:s}, s:{s:s}}!], s:[{s:s, s:{s:f}, s:{s:s}}!], s:I, "
                     "s:[s!], s:[{s:s, s:s, s:f}]}",
                     "parent", "id", &id, "metrics", "score", &score, "artifacts", "worst", &worst,
                     "inspirations", "top", "id", &top_id, "metrics", "score", &top_score, "files",
                     "value.txt", &file, "diverse", "id", &name, "failures", "description", &description,
                     "reason", &reason, "detail", &detail, "metrics", "score", &failed_score, "artifacts",
                     "worst", &failed_worst, "files", "value.txt", &file, "recent", "id", &recent_id,
                     "metrics", "score", &recent_score, "files", "value.txt", &recent_file, "seed", &seed,
                     "evolve", &path, "objectives", "name", &name, "goal", &goal, "weight", &weight),
        0);
    ck_assert_double_eq (score, 3.5);
    ck_assert_str_eq (worst, "item 7");
    ck_assert_str_eq (description, "halve it");
    ck_assert_str_eq (reason, "worse");
    ck_assert_str_eq (detail, "by a half");
    ck_assert_str_eq (failed_worst, "item 7");
    ck_assert_double_eq (failed_score, 3.5);
    ck_assert_str_eq (recent_id, id); /* what was shared without having been measured here isn't told */
    ck_assert_double_eq (recent_score, 3.5);
    ck_assert_str_eq (recent_file, "5\n");
    ck_assert_str_eq (top_id, id);
    ck_assert_double_eq (top_score, 3.5);
    ck_assert_str_eq (file, "5\n");
    ck_assert_int_eq (seed, 99);
    ck_assert_str_eq (path, "value.txt");
    ck_assert_str_eq (name, "score");
    ck_assert_str_eq (goal, "minimize");
    json_decref (root);
    s_end (&bench);
}
END_TEST

START_TEST (a_model_is_not_told_what_was_measured_last)
{
    bench_t bench = s_bench ("true");
    config_t *config = bench.rig->config;
    s_put_records (&bench);
    propose_t effect = s_effect (&bench);
    config->proposers[0].command.count = 0;
    static const char *const names[] = {"tune", "llm"};
    for (size_t i = 0; i < 2; i++) {
        snprintf (config->proposers[0].name, sizeof config->proposers[0].name, "%s", names[i]);
        json_t *root = proposal_input (&bench.rig->workshop, &effect);
        ck_assert_int_eq (json_object_get (root, "recent") != NULL, i == 0);
        json_decref (root);
    }
    s_end (&bench);
}
END_TEST

static void s_expect_output (const char *output, improvement_type_t type, const char *description)
{
    proposal_said_t said;
    digest_t parent = {{1}};
    problem_t problem;
    ck_assert_int_eq (proposal_read_output (output, strlen (output), &parent, NULL, 0, &said, &problem), 0);
    ck_assert_uint_eq (said.improvement_type, (uint64_t)type);
    ck_assert_str_eq (said.description, description);
    ck_assert (digest_is_zero (&said.second_parent));
}

START_TEST (what_the_proposer_says_is_taken_from_its_last_line_only)
{
    s_expect_output ("", IMPROVE_PARAMETER_TUNING, "");
    s_expect_output ("{\"description\":\"early\"}\nplain text\n", IMPROVE_PARAMETER_TUNING, "");
    s_expect_output ("x\n{\"improvement_type\":\"configuration_update\",\"description\":\"late\"}\n\n \n",
                     IMPROVE_CONFIGURATION_UPDATE, "late");
    s_expect_output ("{\"improvement_type\":\"miracle\",\"description\":7}", IMPROVE_PARAMETER_TUNING, "");
    s_expect_output ("{\"description\":\"bell \\u0007\"}", IMPROVE_PARAMETER_TUNING, "bell ?");
}
END_TEST

START_TEST (who_says_that_nothing_is_left_is_believed_whatever_it_changed)
{
    bench_t bench = s_bench ("echo 6 > value.txt; echo '{\"exhausted\": \"all 6 were tried\"}'");
    const proposed_t *found = s_propose (&bench);
    ck_assert_uint_eq (found->result, PROPOSAL_IDLE);
    ck_assert_uint_eq (found->tree.size, 0);
    ck_assert (text_equal (found->description, "all 6 were tried"));
    s_end (&bench);
}
END_TEST

START_TEST (who_does_not_say_what_is_exhausted_is_told_so)
{
    static const char *const outputs[] = {"{\"exhausted\": \"\"}", "{\"exhausted\": true}",
                                          "{\"exhausted\": 7}"};
    for (size_t i = 0; i < sizeof outputs / sizeof outputs[0]; i++) {
        proposal_said_t said;
        digest_t parent = {{1}};
        problem_t problem;
        ck_assert_int_ne (
            proposal_read_output (outputs[i], strlen (outputs[i]), &parent, NULL, 0, &said, &problem), 0);
        ck_assert_ptr_nonnull (strstr (problem.text, "exhausted: expected why"));
    }
}
END_TEST

START_TEST (an_answer_that_can_not_be_read_is_refused_whatever_it_left_in_the_files)
{
    static const struct {
        const char *output, *problem;
    } cases[] = {
        {"{\"exhausted\": \"all \\u0000 6\"}", "\\u0000 is not allowed"},
        {"said\n  {\"exhausted\": \"all 6\"\n", "expected one JSON object"},
        {"{\"exhausted\": \"all 6\", \"exhausted\": \"all 7\"}", "duplicate object key"},
        {"{'exhausted': 'all 6'}", "expected one JSON object"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        proposal_said_t said;
        digest_t parent = {{1}};
        problem_t problem = {""};
        const char *output = cases[i].output;
        ck_assert_int_ne (proposal_read_output (output, strlen (output), &parent, NULL, 0, &said, &problem),
                          0);
        ck_assert_ptr_eq (strstr (problem.text, "last line of stdout: column "), problem.text);
        ck_assert_ptr_nonnull (strstr (problem.text, cases[i].problem));
    }
    bench_t bench = s_bench ("echo 6 > value.txt; echo '{\"exhausted\": \"all 6 were tried\"'");
    const proposed_t *found = s_propose (&bench);
    ck_assert_uint_eq (found->result, PROPOSAL_NONE);
    ck_assert_uint_eq (found->tree.size, 0);
    ck_assert (found->description.size > 0);
    s_end (&bench);
}
END_TEST

/* What comes of a proposer that names `second` (JSON) where its input holds the parent and `other`. The second parent as the event
 * names it; zero: none. */
static digest_t s_cross (const char *second, digest_t *other, bench_t *bench, const char *why)
{
    agent_command_t *command;
    hash_t top[2], diverse;
    *bench = s_bench ("true");
    *other = job_rig_candidate (bench->rig, "7\n");
    top[0].id = bench->parent;
    top[1].id = job_rig_candidate (bench->rig, "8\n");
    diverse.id = *other;
    command = &bench->rig->config->proposers[0].command;
    (void)snprintf (command->words[2], sizeof command->words[2],
                    "echo 6 > value.txt; echo '{\"second_parent\": %s}'", second);
    propose_t effect = s_effect (bench);
    effect.top.items = top;
    effect.top.count = 2;
    effect.diverse.items = &diverse;
    effect.diverse.count = 1;
    proposals_start (bench->proposals, &effect);
    job_rig_wait (bench->rig, 1);
    const proposed_t *found = &bench->rig->events[0].as.proposed;
    if (why == NULL)
        s_expect_candidate (bench, found, "6\n");
    else {
        ck_assert_uint_eq (found->result, PROPOSAL_NONE);
        ck_assert_uint_eq (found->tree.size, 0);
        ck_assert_msg (job_rig_says (found->description, why), "%.*s", (int)found->description.size,
                       found->description.data);
    }
    return found->second_parent;
}

START_TEST (a_second_parent_is_an_inspiration_that_the_proposer_was_given)
{
    bench_t bench = s_bench ("true");
    digest_t other = job_rig_candidate (bench.rig, "7\n"), parent = bench.parent, named;
    char id[DIGEST_TEXT_BYTES], json[DIGEST_TEXT_BYTES + 2];
    s_end (&bench);
    digest_text (&other, id);
    (void)snprintf (json, sizeof json, "\"%s\"", id);
    named = s_cross (json, &other, &bench, NULL);
    ck_assert (digest_equal (&named, &other));
    s_end (&bench);
    digest_text (&parent, id); /* the best that there is may be the parent */
    (void)snprintf (json, sizeof json, "\"%s\"", id);
    named = s_cross (json, &other, &bench, NULL);
    ck_assert (digest_is_zero (&named));
    s_end (&bench);
    named = s_cross ("null", &other, &bench, NULL);
    ck_assert (digest_is_zero (&named));
    s_end (&bench);
}
END_TEST

START_TEST (a_second_parent_that_was_not_given_fails_the_proposal)
{
    bench_t bench;
    digest_t other, stranger = {{3}}, named;
    char id[DIGEST_TEXT_BYTES], json[DIGEST_TEXT_BYTES + 2];
    digest_text (&stranger, id);
    (void)snprintf (json, sizeof json, "\"%s\"", id);
    const char *const wrong[][2] = {{json, id}, {"\"the best\"", "found the best"}, {"7", "found no text"}};
    for (size_t i = 0; i < 3; i++) {
        named = s_cross (wrong[i][0], &other, &bench, wrong[i][1]);
        ck_assert (digest_is_zero (&named));
        ck_assert (job_rig_says (bench.rig->events[0].as.proposed.description, "an inspiration"));
        s_end (&bench);
    }
}
END_TEST

SUITE_MAIN ("proposal", what_the_proposer_left_in_the_evolve_files_is_the_candidate,
            whatever_else_the_proposer_changed_is_thrown_away,
            a_proposer_that_fails_or_changes_nothing_gives_no_candidate,
            a_proposer_that_can_not_run_is_a_fault_of_this_node,
            a_proposer_that_is_not_there_any_more_is_no_fault, a_cancelled_proposer_says_nothing,
            what_a_proposer_worked_on_is_gone_when_it_ends_or_is_cancelled, the_proposer_is_told_on_its_stdin,
            the_input_tells_parent_inspirations_failures_and_what_counts,
            a_model_is_not_told_what_was_measured_last, artifacts_reach_what_has_the_network_only_by_consent,
            what_the_proposer_says_is_taken_from_its_last_line_only,
            who_says_that_nothing_is_left_is_believed_whatever_it_changed,
            who_does_not_say_what_is_exhausted_is_told_so,
            an_answer_that_can_not_be_read_is_refused_whatever_it_left_in_the_files,
            a_second_parent_is_an_inspiration_that_the_proposer_was_given,
            a_second_parent_that_was_not_given_fails_the_proposal)
