/* SPDX-License-Identifier: MPL-2.0 */
/* The stages of an evaluator: as agent.yaml names them, and as they print their results. */
#include "node/agent_stage.h"

#include <stdio.h>

#include "tests/lib/suite.h"

static const char s_good[] = "name: staged\n"
                             "evolve: [program.c]\n"
                             "evaluator:\n"
                             "  command: [./evaluate, --all]\n"
                             "  timeout: 20s\n"
                             "  memory: 512MiB\n"
                             "  stages:\n"
                             "    - {name: builds, timeout: 2s, memory: 64MiB, threshold: {ok: 1}}\n"
                             "    - name: quick\n"
                             "      command: [./evaluate, --some]\n"
                             "      threshold: {error: 0.5, score: -1e-3}\n"
                             "objectives:\n"
                             "  - {name: error, goal: minimize}\n"
                             "  - {name: score}\n"
                             "  - {name: cpu_time, goal: minimize, noisy: true}\n";

static void s_parse (const char *text, agent_t *agent)
{
    problem_t problem = {.text = ""};
    ck_assert_msg (agent_parse ("agent.yaml", text, strlen (text), agent, &problem) == 0, "%s", problem.text);
}

START_TEST (a_stage_has_its_own_limits_and_else_those_of_the_evaluator)
{
    agent_t agent;
    s_parse (s_good, &agent);
    ck_assert_uint_eq (agent.stage_count, 2);
    ck_assert_str_eq (agent.stages[0].name, "builds");
    ck_assert_uint_eq (agent.stages[0].timeout_ms, 2000);
    ck_assert_uint_eq (agent.stages[0].memory_bytes, 64u << 20);
    ck_assert_uint_eq (agent.stages[1].timeout_ms, 20000);
    ck_assert_uint_eq (agent.stages[1].memory_bytes, 512u << 20);
    ck_assert_uint_eq (agent_evaluation_ms (&agent), 42000);
}
END_TEST

START_TEST (a_stage_without_a_command_is_the_evaluators_with_its_name)
{
    static const char *const words[] = {"./evaluate", "--all", "--stage", "builds"};
    agent_t agent;
    s_parse (s_good, &agent);
    ck_assert_uint_eq (agent.stages[0].command.count, 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert_str_eq (agent.stages[0].command.words[i], words[i]);
    ck_assert_uint_eq (agent.stages[1].command.count, 2);
    ck_assert_str_eq (agent.stages[1].command.words[1], "--some");
}
END_TEST

START_TEST (a_threshold_points_as_its_objective_does_and_else_upwards)
{
    agent_t agent;
    s_parse (s_good, &agent);
    const agent_threshold_t *thresholds = agent.stages[1].thresholds;
    ck_assert_uint_eq (agent.stages[1].threshold_count, 2);
    ck_assert_str_eq (thresholds[0].metric, "error");
    ck_assert_double_eq (thresholds[0].bound, 0.5);
    ck_assert (thresholds[0].at_most);
    ck_assert_double_eq (thresholds[1].bound, -0.001);
    ck_assert (!thresholds[1].at_most && !agent.stages[0].thresholds[0].at_most);
}
END_TEST

/* A good manifest with one piece replaced, and the problem that it must give. */
static const struct {
    const char *from;
    const char *to;
    const char *problem;
} s_bad[] = {
    {"name: quick", "name: builds",
     "agent.yaml:9: evaluator.stages[1].name: found \"builds\" a second time, expected each name once"},
    {"name: quick", "name: -x",
     "agent.yaml:9: evaluator.stages[1].name: found \"-x\", expected a name of letters"},
    {", threshold: {ok: 1}", "",
     "agent.yaml:8: evaluator.stages[0].threshold: is missing, expected bounds by metric, e.g. {score: 0.5}"},
    {"{ok: 1}", "{}", "agent.yaml:8: evaluator.stages[0].threshold: found 0 items, expected 1 at least"},
    {"{ok: 1}", "0.5",
     "agent.yaml:8: evaluator.stages[0].threshold: found \"0.5\", expected bounds by metric, e.g. {score: "
     "0.5}"},
    {"{ok: 1}", "{ok: high}",
     "agent.yaml:8: evaluator.stages[0].threshold.ok: found \"high\", expected a number"},
    {"{ok: 1}", "{ok: .nan}",
     "agent.yaml:8: evaluator.stages[0].threshold.ok: found \".nan\", expected a number"},
    {"{ok: 1}", "{ok: [1]}",
     "agent.yaml:8: evaluator.stages[0].threshold.ok: found a list, expected a number"},
    {"{ok: 1}", "{ok: 1, ok: 2}",
     "agent.yaml:8: evaluator.stages[0].threshold.ok: found once more, expected each metric once"},
    {"{ok: 1}", "{Ok: 1}",
     "agent.yaml:8: evaluator.stages[0].threshold: found no name of small letters, digits and '_', expected "
     "such "
     "names before numbers"},
    {"{ok: 1}", "{[a]: 1}", "agent.yaml:8: evaluator.stages[0].threshold: found no name of small letters"},
    {"{ok: 1}", "{a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1, i: 1}",
     "agent.yaml:8: evaluator.stages[0].threshold: found one more item, expected 8 at most"},
    {"{ok: 1}", "{cpu_time: 1}",
     "agent.yaml:8: evaluator.stages[0].threshold: found cpu_time, which the sandbox measures, expected "
     "metrics "
     "that the stage reports"},
    {"[./evaluate, --some]", "[./program.c]",
     "agent.yaml:10: evaluator.stages[1].command: found \"./program.c\", which is in evolve, expected a "
     "pinned "
     "file"},
    {"[./evaluate, --all]", "[a, a, a, a, a, a, a, a, a, a, a, a, a, a, a]",
     "agent.yaml:8: evaluator.stages[0]: found no command, and the evaluator's has no room for --stage "
     "builds, "},
    {"timeout: 2s", "timeout: 1ms",
     "agent.yaml:8: evaluator.stages[0].timeout: found \"1ms\", expected a duration"},
};

START_TEST (a_bad_stage_says_where_what_and_what_instead)
{
    char text[2048];
    agent_t agent;
    problem_t problem = {.text = ""};
    const char *at = strstr (s_good, s_bad[_i].from);
    ck_assert_msg (at != NULL, "%s is not in the good manifest", s_bad[_i].from);
    snprintf (text, sizeof text, "%.*s%s%s", (int)(at - s_good), s_good, s_bad[_i].to,
              at + strlen (s_bad[_i].from));
    ck_assert_int_eq (agent_parse ("agent.yaml", text, strlen (text), &agent, &problem), -1);
    ck_assert_msg (strncmp (problem.text, s_bad[_i].problem, strlen (s_bad[_i].problem)) == 0, "%s\nfor %s",
                   problem.text, s_bad[_i].to);
}
END_TEST

START_TEST (there_are_four_stages_at_most)
{
    char text[1024] = "name: a\nevolve: a.c\nevaluator:\n  command: ./run\n  stages:\n";
    for (int i = 0; i < AGENT_STAGES_MAX; i++)
        snprintf (text + strlen (text), sizeof text - strlen (text), "  - {name: s%d, threshold: {a: 1}}\n",
                  i);
    size_t used = strlen (text);
    static const char rest[] = "objectives: [{name: a}]\n", more[] = "  - {name: more, threshold: {a: 1}}\n";
    agent_t agent;
    snprintf (text + used, sizeof text - used, "%s", rest);
    ck_assert_int_eq (agent_parse ("agent.yaml", text, strlen (text), &agent, NULL), 0);
    snprintf (text + used, sizeof text - used, "%s%s", more, rest);
    ck_assert_int_eq (agent_parse ("agent.yaml", text, strlen (text), &agent, NULL), -1);
}
END_TEST

/* --- results --- */

static const agent_stage_t s_stage = {
    .thresholds = {{.metric = "error", .bound = 0.5, .at_most = true}, {.metric = "score", .bound = 2}},
    .threshold_count = 2};

static const struct {
    const char *output;
    int status;
    bool passed;
    const char *problem;
} s_results[] = {
    {"{\"error\": 0.5, \"score\": 2}", 0, true, ""},
    {"{\"metrics\": {\"error\": -1, \"score\": 7, \"other\": null}}", 0, true, ""},
    {"{\"error\": 0.5001, \"score\": 2}", 0, false, "error is 0.5001, expected at most 0.5"},
    {"{\"error\": 0, \"score\": 1.75}", 0, false, "score is 1.75, expected at least 2"},
    {"{\"error\": 0}", -1, false, "result: metric \"score\": is missing, found \"error\""},
    {"{\"error\": 0, \"score\": NaN}", -1, false, "result: found "},
    {"{\"metrics\": {\"error\": 0, \"score\": \"nan\"}}", -1, false,
     "result: metric \"score\": found \"nan\", expected a number"},
    {"{\"valid\": false, \"error\": \"it crashed\"}", -1, false,
     "the evaluator calls it invalid: it crashed"},
    {"", -1, false, "result: found nothing"},
};

START_TEST (a_stage_is_passed_at_its_bound_and_missed_beyond_it)
{
    problem_t problem = {.text = ""};
    char artifacts[64];
    bool passed = !s_results[_i].passed;
    ck_assert_int_eq (agent_read_stage (&s_stage, s_results[_i].output, strlen (s_results[_i].output),
                                        &passed, artifacts, sizeof artifacts, &problem),
                      s_results[_i].status);
    ck_assert (passed == s_results[_i].passed);
    ck_assert_msg (strncmp (problem.text, s_results[_i].problem, strlen (s_results[_i].problem)) == 0, "%s",
                   problem.text);
}
END_TEST

START_TEST (the_artifacts_of_a_missed_stage_are_kept)
{
    static const char output[] = "{\"error\": 9, \"score\": 9, \"artifacts\": {\"worst\": \"item 7\"}}";
    problem_t problem;
    char artifacts[64];
    bool passed = true;
    ck_assert_int_eq (agent_read_stage (&s_stage, output, sizeof output - 1, &passed, artifacts,
                                        sizeof artifacts, &problem),
                      0);
    ck_assert (!passed);
    ck_assert_str_eq (artifacts, "{\"worst\":\"item 7\"}");
}
END_TEST

int main (void)
{
    Suite *suite = suite_create ("agent_stage");
    TCase *tcase = tcase_create ("agent_stage");
    tcase_add_test (tcase, a_stage_has_its_own_limits_and_else_those_of_the_evaluator);
    tcase_add_test (tcase, a_stage_without_a_command_is_the_evaluators_with_its_name);
    tcase_add_test (tcase, a_threshold_points_as_its_objective_does_and_else_upwards);
    tcase_add_loop_test (tcase, a_bad_stage_says_where_what_and_what_instead, 0,
                         (int)(sizeof s_bad / sizeof *s_bad));
    tcase_add_test (tcase, there_are_four_stages_at_most);
    tcase_add_loop_test (tcase, a_stage_is_passed_at_its_bound_and_missed_beyond_it, 0,
                         (int)(sizeof s_results / sizeof *s_results));
    tcase_add_test (tcase, the_artifacts_of_a_missed_stage_are_kept);
    suite_add_tcase (suite, tcase);
    SRunner *runner = srunner_create (suite);
    srunner_run_all (runner, CK_ENV);
    int failed = srunner_ntests_failed (runner);
    srunner_free (runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
