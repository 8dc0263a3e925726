/* SPDX-License-Identifier: MPL-2.0 */
#include "node/agent.h"

#include <stdio.h>

#include "node/proposer.h"
#include "tests/lib/suite.h"

static const char s_good[] =
    "name: binpack\n"
    "description: \"Online bin packing: where does the next item go?\"\n"
    "language: c\n"
    "evolve: [priority.c, src/table.h]\n"
    "evaluator:\n"
    "  command: [./evaluate, --quick]\n"
    "  timeout: 20s\n"
    "  memory: 512MiB\n"
    "  processes: 32\n"
    "objectives:\n"
    "  - {name: excess_bins, goal: minimize, weight: 0.8, unit: \"%\", limit: 50, alert: -1}\n"
    "  - {name: ns_per_item, goal: minimize, weight: 0.2, noisy: true}\n"
    "  - {name: score, tolerance: 0.01, noisy: true}\n"
    "  - {name: peak_memory, goal: minimize}\n"
    "proposers:\n"
    "  - name: tune\n"
    "  - {name: search, command: [./search], share: 0.5, timeout: 5s}\n";

static void s_parse (const char *text, agent_t *agent)
{
    problem_t problem = {.text = ""};
    ck_assert_msg (agent_parse ("agent.yaml", text, strlen (text), agent, &problem) == 0, "%s", problem.text);
}

START_TEST (a_manifest_is_read_whole)
{
    agent_t agent;
    s_parse (s_good, &agent);
    ck_assert_str_eq (agent.name, "binpack");
    ck_assert_str_eq (agent.description, "Online bin packing: where does the next item go?");
    ck_assert_str_eq (agent.language, "c");
    ck_assert_uint_eq (agent.evolve_count, 2);
    ck_assert_str_eq (agent.evolve[1], "src/table.h");
    ck_assert_uint_eq (agent.evaluator.count, 2);
    ck_assert_str_eq (agent.evaluator.words[1], "--quick");
    ck_assert_uint_eq (agent.timeout_ms, 20000);
    ck_assert_uint_eq (agent.memory_bytes, 512u << 20);
    ck_assert_uint_eq (agent.processes_max, 32);
    ck_assert_uint_eq (agent.proposer_count, 2);
    ck_assert_str_eq (agent.proposers[0].name, "tune");
    ck_assert_double_eq (agent.proposers[0].share, 1.0);
    ck_assert_uint_eq (agent.proposers[0].timeout_ms, 60000);
    ck_assert_str_eq (agent.proposers[1].command.words[0], "./search");
    ck_assert_uint_eq (agent.proposers[1].timeout_ms, 5000);
}
END_TEST

START_TEST (objectives_have_the_stated_defaults)
{
    agent_t agent;
    s_parse (s_good, &agent);
    const objective_t *items = agent.objectives.items;
    ck_assert_uint_eq (agent.objectives.count, 4);
    ck_assert_int_eq (items[0].goal, GOAL_MINIMIZE);
    ck_assert_str_eq (items[0].unit, "%");
    ck_assert_double_eq (items[0].tolerance, 0.0);
    ck_assert (items[0].has_limit && items[0].has_alert);
    ck_assert_double_eq (items[0].limit, 50);
    ck_assert_double_eq (items[0].alert, -1);
    ck_assert (items[1].noisy && !items[1].has_limit && !items[1].has_alert);
    ck_assert_double_eq (items[1].tolerance, 0.05);
    ck_assert_int_eq (items[2].goal, GOAL_MAXIMIZE);
    ck_assert_double_eq (items[2].weight, 1.0);
    ck_assert_double_eq (items[2].tolerance, 0.01);
    ck_assert_int_eq (items[2].source, SOURCE_EVALUATOR);
    ck_assert_int_eq (items[3].source, SOURCE_PEAK_MEMORY);
}
END_TEST

START_TEST (the_shortest_manifest_has_the_stated_defaults)
{
    agent_t agent;
    s_parse ("name: a\nevolve: a.c\nevaluator: {command: ./run}\n"
             "objectives: [{name: cpu_time}, {name: wall_time}]\n",
             &agent);
    ck_assert_uint_eq (agent.timeout_ms, 60000);
    ck_assert_uint_eq (agent.memory_bytes, 1u << 30);
    ck_assert_uint_eq (agent.processes_max, 64);
    ck_assert_uint_eq (agent.proposer_count, 0);
    ck_assert_str_eq (agent.language, "");
    ck_assert_int_eq (agent.objectives.items[0].source, SOURCE_CPU_TIME);
    ck_assert_int_eq (agent.objectives.items[1].source, SOURCE_WALL_TIME);
}
END_TEST

/* A good manifest with one line replaced, and the problem that it must give. */
static const struct {
    const char *from;
    const char *to;
    const char *problem;
} s_bad[] = {
    {"name: binpack\n", "",
     "agent.yaml:1: name: is missing, expected a name of letters, digits, '.', '_' and '-', 32 at most, a "
     "letter or "
     "digit first"},
    {"name: binpack", "name: ../binpack",
     "agent.yaml:1: name: found \"../binpack\", expected a name of letters, digits, '.', '_' and '-', 32 at "
     "most, a "
     "letter or digit first"},
    {"name: binpack", "name: a23456789012345678901234567890123",
     "agent.yaml:1: name: found \"a23456789012345678901234567890123\", expected a name of letters, digits, "
     "'.', '_' "
     "and '-', 32 at most, a letter or digit first"},
    {"language", "langauge",
     "agent.yaml:3: found the unknown key \"langauge\", expected name, description, language, evolve, "
     "evaluator, "
     "objectives or proposers"},
    {"evolve: [priority.c, src/table.h]", "evolve: []",
     "agent.yaml:4: evolve: found 0 items, expected 1 at least"},
    {"src/table.h", "../table.h",
     "agent.yaml:4: evolve[1]: found \"../table.h\", expected a path inside the agent's directory, such as "
     "src/rules.c (no \"..\", no pattern)"},
    {"src/table.h", "/etc/passwd",
     "agent.yaml:4: evolve[1]: found \"/etc/passwd\", expected a path inside the agent's directory, such as "
     "src/rules.c (no \"..\", no pattern)"},
    {"src/table.h", "agent.yaml",
     "agent.yaml:4: evolve[1]: found \"agent.yaml\", expected another file: agent.yaml is the contract and "
     "never "
     "evolves"},
    {"src/table.h", "priority.c", "agent.yaml:4: evolve[1]: found \"priority.c\", expected each path once"},
    {"[./evaluate, --quick]", "[./priority.c]",
     "agent.yaml:6: evaluator.command: found \"./priority.c\", which is in evolve, expected a pinned file: a "
     "candidate could write its own score"},
    {"[./evaluate, --quick]", "[sh, -e, src/table.h, x]",
     "agent.yaml:6: evaluator.command: found \"src/table.h\", which is in evolve, expected a pinned file: a "
     "candidate could write its own score"},
    {"[./evaluate, --quick]", "[/usr/bin/python3, -B, /agent/priority.c]",
     "agent.yaml:6: evaluator.command: found \"/agent/priority.c\", which is in evolve, expected a pinned "
     "file: a "
     "candidate could write its own score"},
    {"[./evaluate, --quick]", "[/evomesh/python-evaluator, priority.c, evaluator.py]",
     "agent.yaml:6: evaluator.command: found \"priority.c\", which is in evolve, expected a pinned file: a "
     "candidate could write its own score"},
    {"[./evaluate, --quick]", "[/agent/src/table.h]",
     "agent.yaml:6: evaluator.command: found \"/agent/src/table.h\", which is in evolve, expected a pinned "
     "file: a "
     "candidate could write its own score"},
    {"  command: [./evaluate, --quick]\n", "",
     "agent.yaml:6: evaluator.command: is missing, expected a list of words: the program and its arguments, "
     "e.g. "
     "[./evaluate]"},
    {"[./evaluate, --quick]", "[\"\"]",
     "agent.yaml:6: evaluator.command[0]: found \"\", expected the program to run"},
    {"[./evaluate, --quick]", "[a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a]",
     "agent.yaml:6: evaluator.command[16]: found one more item, expected 16 at most"},
    {"20s", "20parsecs",
     "agent.yaml:7: evaluator.timeout: found \"20parsecs\", expected a duration such as 500ms, 20s, 2m or 1h "
     "from "
     "100ms to 24h"},
    {"20s", "0s",
     "agent.yaml:7: evaluator.timeout: found \"0s\", expected a duration such as 500ms, 20s, 2m or 1h from "
     "100ms to "
     "24h"},
    {"512MiB", "512MB",
     "agent.yaml:8: evaluator.memory: found \"512MB\", expected a size such as 64KiB, 512MiB or 2GiB from "
     "16MiB to "
     "1024GiB"},
    {"processes: 32", "processes: 0",
     "agent.yaml:9: evaluator.processes: found \"0\", expected a whole number from 1 to 4096"},
    {"ns_per_item, goal: minimize", "ns_per_item, goal: minimise",
     "agent.yaml:12: objectives[1].goal: found \"minimise\", expected maximize or minimize"},
    {"name: ns_per_item", "name: nsPerItem",
     "agent.yaml:12: objectives[1].name: found \"nsPerItem\", expected a name of small letters, digits and "
     "'_', 32 at "
     "most, a letter first"},
    {"name: ns_per_item", "name: excess_bins",
     "agent.yaml:12: objectives[1].name: found \"excess_bins\" a second time, expected each name once"},
    {"name: ns_per_item, ", "",
     "agent.yaml:12: objectives[1].name: is missing, expected a name of small letters, "
     "digits and '_', 32 at most, a letter first"},
    {"weight: 0.2", "weight: 0",
     "agent.yaml:12: objectives[1].weight: found \"0\", expected a number above 0, 1000000000 (1e9) at most"},
    {"weight: 0.2", "weight: -1",
     "agent.yaml:12: objectives[1].weight: found \"-1\", expected a number above 0, 1000000000 (1e9) at "
     "most"},
    {"weight: 0.2", "weight: .inf",
     "agent.yaml:12: objectives[1].weight: found \".inf\", expected a number above 0, 1000000000 (1e9) at "
     "most"},
    {"noisy: true}", "noisy: very}",
     "agent.yaml:12: objectives[1].noisy: found \"very\", expected true or false"},
    {"tolerance: 0.01", "tolerance: -0.01",
     "agent.yaml:13: objectives[2].tolerance: found \"-0.01\", expected a part from 0 to 10 (0.05 is 5 %)"},
    {"limit: 50", "limit: .nan", "agent.yaml:11: objectives[0].limit: found \".nan\", expected a number"},
    {"{name: peak_memory, goal: minimize}", "{name: peak_memory, wieght: 1}",
     "agent.yaml:14: objectives[3]: found the unknown key \"wieght\", expected name, goal, weight, unit, "
     "noisy, "
     "tolerance, limit or alert"},
    {"  - name: tune\n", "  - {name: tune, command: [./tune]}\n",
     "agent.yaml:16: proposers[0].command: found a command for a built-in proposer, expected none or another "
     "name"},
    {"name: search, command: [./search]", "name: tune",
     "agent.yaml:17: proposers[1].name: found \"tune\" a second time, expected each name once"},
    {", command: [./search]", "",
     "agent.yaml:17: proposers[1].name: found \"search\" without a command, expected tune, llm or a command "
     "of "
     "its own"},
    {"share: 0.5", "share: 0",
     "agent.yaml:17: proposers[1].share: found \"0\", expected a number above 0: its part of the proposals "
     "beside the "
     "others'"},
};

START_TEST (a_bad_manifest_says_where_what_and_what_instead)
{
    char text[2048];
    agent_t agent;
    problem_t problem = {.text = ""};
    const char *at = strstr (s_good, s_bad[_i].from);
    ck_assert_msg (at != NULL, "%s is not in the good manifest", s_bad[_i].from);
    snprintf (text, sizeof text, "%.*s%s%s", (int)(at - s_good), s_good, s_bad[_i].to,
              at + strlen (s_bad[_i].from));
    ck_assert_int_eq (agent_parse ("agent.yaml", text, strlen (text), &agent, &problem), -1);
    ck_assert_str_eq (problem.text, s_bad[_i].problem);
}
END_TEST

/* Appends `count` objectives, or evolve files, to see both sides of a bound. */
static int s_parse_many (size_t evolve, size_t objectives)
{
    static char text[SCHEMA_FILE_BYTES];
    size_t used = (size_t)snprintf (text, sizeof text, "name: a\nevaluator: {command: a}\nevolve:\n");
    for (size_t i = 0; i < evolve; i++)
        used += (size_t)snprintf (text + used, sizeof text - used, "- f%zu\n", i);
    used += (size_t)snprintf (text + used, sizeof text - used, "objectives:\n");
    for (size_t i = 0; i < objectives; i++)
        used += (size_t)snprintf (text + used, sizeof text - used, "- name: o%zu\n", i);
    agent_t agent;
    return agent_parse ("agent.yaml", text, used, &agent, NULL);
}

START_TEST (the_bounds_hold_on_both_sides)
{
    ck_assert_int_eq (s_parse_many (LIMIT_EVOLVE_FILES, LIMIT_OBJECTIVES), 0);
    ck_assert_int_eq (s_parse_many (LIMIT_EVOLVE_FILES + 1, 1), -1);
    ck_assert_int_eq (s_parse_many (1, LIMIT_OBJECTIVES + 1), -1);
    agent_command_t command = {.count = 0};
    char word[LIMIT_PATH + 2];
    memset (word, 'x', sizeof word);
    word[LIMIT_PATH + 1] = '\0';
    ck_assert_ptr_nonnull (command_add (&command, word));
    word[LIMIT_PATH] = '\0';
    ck_assert_ptr_null (command_add (&command, word));
}
END_TEST

/* --- files --- */

static void s_add (tree_t *tree, const char *path, uint64_t size)
{
    digest_t content = digest_of (path, strlen (path));
    ck_assert_int_eq (tree_add (tree, path, false, &content, size), 0);
}

START_TEST (every_file_is_pinned_or_evolves)
{
    agent_t agent;
    s_parse (s_good, &agent);
    tree_t files = {0}, pinned, evolved;
    problem_t problem;
    s_add (&files, "agent.yaml", 10);
    s_add (&files, "evaluate", 10);
    s_add (&files, "priority.c", LIMIT_FILE_BYTES);
    s_add (&files, "src/table.h", 10);
    ck_assert_int_eq (agent_split (&agent, &files, &pinned, &evolved, &problem), 0);
    ck_assert_uint_eq (pinned.count, 2);
    ck_assert_uint_eq (evolved.count, 2);
    ck_assert_ptr_nonnull (tree_find (&pinned, "agent.yaml"));
    ck_assert_ptr_nonnull (tree_find (&evolved, "src/table.h"));
    tree_clear (&pinned);
    tree_clear (&evolved);
    tree_clear (&files);
}
END_TEST

START_TEST (a_missing_or_too_large_file_is_named)
{
    agent_t agent;
    s_parse (s_good, &agent);
    tree_t files = {0}, pinned, evolved;
    problem_t problem;
    s_add (&files, "priority.c", LIMIT_FILE_BYTES + 1);
    ck_assert_int_eq (agent_split (&agent, &files, &pinned, &evolved, &problem), -1);
    ck_assert_str_eq (problem.text, "agent.yaml: is missing in the agent's directory");
    s_add (&files, "agent.yaml", 10);
    ck_assert_int_eq (agent_split (&agent, &files, &pinned, &evolved, &problem), -1);
    ck_assert_str_eq (problem.text,
                      "agent.yaml: evolve[0]: found 1048577 bytes in priority.c, expected 1048576 at most");
    files.files[1].size = 1;
    ck_assert_int_eq (agent_split (&agent, &files, &pinned, &evolved, &problem), -1);
    ck_assert_str_eq (
        problem.text,
        "agent.yaml: evolve[1]: found \"src/table.h\", expected a file of the agent's directory");
    ck_assert_ptr_null (pinned.files);
    ck_assert_ptr_null (evolved.files);
    tree_clear (&files);
}
END_TEST

/* --- results --- */

/* Two metrics of the evaluator's, one of the sandbox's. */
static const agent_t s_measured = {.objectives = {.items = {{.name = "a", .weight = 1},
                                                            {.name = "cpu_time", .source = SOURCE_CPU_TIME},
                                                            {.name = "b", .weight = 1}},
                                                  .count = 3}};

START_TEST (metrics_come_in_the_objectives_order)
{
    static const char *const good[] = {
        "{\"metrics\": {\"b\": -2, \"a\": 1.5}}",
        "noise\n{\"metrics\": {\"a\": 9, \"b\": 9}}\n{\"metrics\": {\"a\": 1.5, \"b\": -2, \"other\": "
        "\"x\"}}\n\n \t\r\n",
        "{\"a\": 1.5, \"b\": -2}",
        "{\"a\": 15e-1, \"b\": -2.0, \"metric\": 3}",
        "{\"a\": 1.5, \"b\": -2, \"error\": 0.25}",
        "{\"a\": 1.5, \"b\": -2, \"error\": null, \"artifacts\": {}}",
        "{\"a\": 1.5, \"b\": -2, \"error\": \"\"}",
        "{\"valid\": true, \"metrics\": {\"a\": 1.5, \"b\": -2}, \"note\": \"x\"}",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        metrics_t metrics;
        char artifacts[8] = "old";
        problem_t problem = {.text = ""};
        ck_assert_msg (agent_read_result (&s_measured, good[i], strlen (good[i]), &metrics, artifacts,
                                          sizeof artifacts, &problem) == 0,
                       "%s", problem.text);
        ck_assert_uint_eq (metrics.count, 3);
        ck_assert_double_eq (metrics.values[0], 1.5);
        ck_assert_double_eq (metrics.values[1], 0);
        ck_assert_double_eq (metrics.values[2], -2);
        ck_assert_str_eq (artifacts, "");
    }
}
END_TEST

#define OBJECT "expected a JSON object such as {\"metrics\": {\"name\": 1.5}} on the last line of stdout"

static const struct {
    const char *output;
    const char *problem; /* its beginning */
} s_bad_results[] = {
    {"", "result: found nothing, " OBJECT},
    {" \n\t\r\n", "result: found nothing, " OBJECT},
    {"done", "result: found \"done\" ('[' or '{' expected near 'done' at column 4), " OBJECT},
    {"{\"a\": 1, \"b\": 2}\nBye!",
     "result: found \"Bye!\" ('[' or '{' expected near 'Bye' at column 3), " OBJECT},
    {"[1, 2]", "result: found an array, " OBJECT},
    {"3", "result: found \"3\" ("},
    {"{\"a\": 1, \"b\": NaN}",
     "result: found \"{\"a\": 1, \"b\": NaN}\" (invalid token near 'NaN' at column 17), "},
    {"{\"a\": 1, \"b\": Infinity}",
     "result: found \"{\"a\": 1, \"b\": Infinity}\" (invalid token near 'Infinity'"},
    {"{\"a\": 1, \"b\": -Infinity}",
     "result: found \"{\"a\": 1, \"b\": -Infinity}\" (invalid token near '-'"},
    {"{\"a\": 1, \"b\": 1e999}",
     "result: found \"{\"a\": 1, \"b\": 1e999}\" (real number overflow near '1e999'"},
    {"{\"a\": 1, \"b\": 99999999999999999999}",
     "result: found \"{\"a\": 1, \"b\": 99999999999999999999}\" (too big"},
    {"{\"a\": 1, \"a\": 2, \"b\": 3}",
     "result: found \"{\"a\": 1, \"a\": 2, \"b\": 3}\" (duplicate object key"},
    {"{\"metrics\": {\"a\": 1, \"b\": 1, \"b\": 2}}",
     "result: found \"{\"metrics\": {\"a\": 1, \"b\": 1, \"b\": 2}}\" ("},
    {"{\"a\": 1, \"b\": 2", "result: found \"{\"a\": 1, \"b\": 2\" ('}' expected near end of file"},
    {"{\"a\": 1, \"b\": 2} {}", "result: found \"{\"a\": 1, \"b\": 2} {}\" (end of file expected near '{'"},
    {"{\"a\": 1}", "result: metric \"b\": is missing, found \"a\""},
    {"{\"a\": 1, \"B\": 2, \"artifacts\": {\"b\": 1}, \"error\": null}",
     "result: metric \"b\": is missing, found \"a\", \"B\""},
    {"{}", "result: metric \"a\": is missing, found no metric"},
    {"{\"metrics\": {\"1\": 1, \"2\": 1, \"3\": 1, \"4\": 1, \"5\": 1, \"6\": 1, \"7\": 1, \"8\": 1, \"9\": "
     "1, \"0\": 1}}",
     "result: metric \"a\": is missing, found \"1\", \"2\", \"3\", \"4\", \"5\", \"6\", \"7\", \"8\" and 2 "
     "more"},
    {"{\"a\": 1, \"b\": \"2\"}", "result: metric \"b\": found \"2\", expected a number"},
    {"{\"a\": 1, \"b\": \"\\u001b[31m\"}", "result: metric \"b\": found \"?[31m\", expected a number"},
    {"{\"a\": 1, \"b\": true}", "result: metric \"b\": found true, expected a number"},
    {"{\"a\": 1, \"b\": null}", "result: metric \"b\": found null, expected a number"},
    {"{\"a\": 1, \"b\": [2]}", "result: metric \"b\": found an array, expected a number"},
    {"{\"a\": 1, \"b\": {}}", "result: metric \"b\": found an object, expected a number"},
    {"{\"a\": 1, \"b\": 2, \"note\": \"fast\"}",
     "result: metric \"note\": found \"fast\", expected a number"},
    {"{\"a\": 1, \"b\": 2, \"error\": true}", "result: metric \"error\": found true, expected a number"},
    {"{\"a\": 1, \"b\": 2, \"\\u001b[31m\": true}",
     "result: metric \"?[31m\": found true, expected a number"},
    {"{\"valid\": true, \"a\": 1, \"b\": 2}", "result: \"metrics\": found nothing, expected an object"},
    {"{\"a\": 1, \"b\": 2, \"error\": \"no\\tbins\"}", "the evaluator calls it invalid: no bins"},
    {"{\"metrics\": {\"a\": 1, \"b\": 2}, \"error\": \"too slow\"}",
     "the evaluator calls it invalid: too slow"},
    {"{\"metrics\": [1, 2]}", "result: \"metrics\": found an array, expected an object"},
    {"{\"metrics\": 1, \"a\": 1, \"b\": 2}", "result: \"metrics\": found a number, expected an object"},
    {"{\"a\": 1, \"b\": 2, \"artifacts\": \"x\"}", "result: \"artifacts\": found \"x\", expected an object"},
    {"{\"a\": 1, \"b\": 2, \"valid\": \"false\"}",
     "result: \"valid\": found \"false\", expected true or false"},
    {"{\"a\": 1, \"b\": 2, \"valid\": 0}", "result: \"valid\": found a number, expected true or false"},
    {"{\"valid\": false}", "the evaluator calls it invalid and gives no \"error\" text"},
    {"{\"valid\": false, \"error\": 3}", "the evaluator calls it invalid and gives no \"error\" text"},
    {"{\"valid\": false, \"error\": \"too\\nslow\", \"a\": 1, \"b\": 2}",
     "the evaluator calls it invalid: too slow"},
    {"\x1b[31m\xff", "result: found \"?[31m?\" ("},
};

START_TEST (a_bad_result_says_what_was_found_and_expected)
{
    metrics_t metrics = {.count = 7};
    problem_t problem = {.text = ""};
    const char *output = s_bad_results[_i].output;
    ck_assert_int_eq (agent_read_result (&s_measured, output, strlen (output), &metrics, NULL, 0, &problem),
                      -1);
    ck_assert_msg (strncmp (problem.text, s_bad_results[_i].problem, strlen (s_bad_results[_i].problem)) == 0,
                   "%s\nfor %s", problem.text, output);
    for (const char *c = problem.text; *c != '\0'; c++)
        ck_assert_msg ((unsigned char)*c >= 0x20, "a control character in %s", problem.text);
    ck_assert_uint_eq (metrics.count, 7);
}
END_TEST

START_TEST (output_with_a_nul_byte_is_no_result)
{
    static const char output[] = "{\"a\": 1, \0\"b\": 2}";
    metrics_t metrics;
    problem_t problem;
    ck_assert_int_eq (agent_read_result (&s_measured, output, sizeof output - 1, &metrics, NULL, 0, &problem),
                      -1);
}
END_TEST

START_TEST (artifacts_are_kept_as_far_as_they_fit)
{
    static const char output[] =
        "{\"a\": 1, \"b\": 2, \"artifacts\": {\"x\": \"long text\", \"y\": [1, 2], \"z\": {}}}";
    static const struct {
        size_t size;
        const char *artifacts;
    } cases[] = {{100, "{\"x\":\"long text\",\"y\":[1,2],\"z\":{}}"},
                 {35, "{\"x\":\"long text\",\"y\":[1,2],\"z\":{}}"},
                 {34, "{\"x\":\"long text\",\"y\":[1,2]}"},
                 {17, "{\"y\":[1,2]}"},
                 {9, "{\"z\":{}}"},
                 {8, ""},
                 {1, ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        metrics_t metrics;
        problem_t problem;
        char *artifacts = malloc (cases[i].size); /* exactly: the sanitizer watches the bound */
        ck_assert_int_eq (agent_read_result (&s_measured, output, sizeof output - 1, &metrics, artifacts,
                                             cases[i].size, &problem),
                          0);
        ck_assert_str_eq (artifacts, cases[i].artifacts);
        free (artifacts);
    }
}
END_TEST

int main (void)
{
    Suite *suite = suite_create ("agent");
    TCase *tcase = tcase_create ("agent");
    tcase_add_test (tcase, a_manifest_is_read_whole);
    tcase_add_test (tcase, objectives_have_the_stated_defaults);
    tcase_add_test (tcase, the_shortest_manifest_has_the_stated_defaults);
    tcase_add_loop_test (tcase, a_bad_manifest_says_where_what_and_what_instead, 0,
                         (int)(sizeof s_bad / sizeof *s_bad));
    tcase_add_test (tcase, the_bounds_hold_on_both_sides);
    tcase_add_test (tcase, every_file_is_pinned_or_evolves);
    tcase_add_test (tcase, a_missing_or_too_large_file_is_named);
    tcase_add_test (tcase, metrics_come_in_the_objectives_order);
    tcase_add_loop_test (tcase, a_bad_result_says_what_was_found_and_expected, 0,
                         (int)(sizeof s_bad_results / sizeof *s_bad_results));
    tcase_add_test (tcase, output_with_a_nul_byte_is_no_result);
    tcase_add_test (tcase, artifacts_are_kept_as_far_as_they_fit);
    suite_add_tcase (suite, tcase);
    SRunner *runner = srunner_create (suite);
    srunner_run_all (runner, CK_ENV);
    int failed = srunner_ntests_failed (runner);
    srunner_free (runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
