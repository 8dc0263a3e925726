/* SPDX-License-Identifier: MPL-2.0 */
#include "node/config.h"

#include <stdio.h>

#include "evolution/archive.h"
#include "tests/lib/suite.h"

static const char s_good[] =
    "name: node-1\n"
    "agent: /home/me/agent\n"
    "private: /home/me/private\n"
    "listen: [\"tcp://127.0.0.1:*\", \"tcp://[::1]:7401\"]\n"
    "advertise: [\"tcp://node.example.org:7401\"]\n"
    "slots: 3\n"
    "seed: 18446744073709551615\n"
    "sandbox: none\n"
    "proposers:\n"
    "  - {name: mine, command: [./propose, now], share: 2, timeout: 90s}\n"
    "  - name: tune\n"
    "proposer_network: true\n"
    "proposals_max: 10\n"
    "selection: best\n"
    "learning_rate: 0.25\n"
    "islands: {count: 4, migration_interval: 20, migration_fraction: 0.5}\n"
    "retention: {candidates: 50, journal: 0, events: 7, releases: 3}\n"
    "service: {restart: \"systemctl restart a\", timeout: 5s}\n"
    "real_time_monitoring:\n"
    "  metrics_interval_seconds: 2\n"
    "safety_systems: {circuit_breaker_enabled: false, failure_threshold: 3,\n"
    "  recovery_timeout_seconds: 60, automatic_rollback: false}\n"
    "knowledge_transfer: {auto_share_successful: false, compatibility_threshold: 0.5,\n"
    "  max_transfer_attempts: 1}\n"
    "collaborative_validation: {network_enabled: false}\n";

static void s_expect_good (const config_t *config)
{
    ck_assert_str_eq (config->name, "node-1");
    ck_assert_str_eq (config->agent, "/home/me/agent");
    ck_assert_str_eq (config->private_data, "/home/me/private");
    ck_assert_uint_eq (config->listen_count, 2);
    ck_assert_str_eq (config->listen[1], "tcp://[::1]:7401");
    ck_assert_uint_eq (config->advertise_count, 1);
    ck_assert_str_eq (config->advertise[0], "tcp://node.example.org:7401");
    ck_assert_uint_eq (config->slots, 3);
    ck_assert_uint_eq (config->seed, UINT64_MAX);
    ck_assert (config->seed_given);
    ck_assert_int_eq (config->sandbox, SANDBOX_MODE_NONE);
    ck_assert_uint_eq (config->proposer_count, 2);
    ck_assert_str_eq (config->proposers[0].name, "mine");
    ck_assert_uint_eq (config->proposers[0].command.count, 2);
    ck_assert_str_eq (config->proposers[0].command.words[1], "now");
    ck_assert_double_eq (config->proposers[0].share, 2);
    ck_assert_uint_eq (config->proposers[0].timeout_ms, 90000);
    ck_assert_str_eq (config->proposers[1].name, "tune");
    ck_assert (config->proposer_network);
    ck_assert_uint_eq (config->proposals_max, 10);
    ck_assert_int_eq (config->selection, SELECT_BEST);
    ck_assert_double_eq (config->learning_rate, 0.25);
    ck_assert_uint_eq (config->islands.count, 4);
    ck_assert_uint_eq (config->islands.migration_interval, 20);
    ck_assert_double_eq (config->islands.migration_fraction, 0.5);
    ck_assert_uint_eq (config->retention.candidates, 50);
    ck_assert_uint_eq (config->retention.journal, 0);
    ck_assert_uint_eq (config->retention.events, 7);
    ck_assert_uint_eq (config->retention.releases, 3);
    ck_assert_str_eq (config->service_restart, "systemctl restart a");
    ck_assert_uint_eq (config->service_timeout_ms, 5000);
    ck_assert_uint_eq (config->real_time_monitoring.metrics_interval_seconds, 2);
    ck_assert (!config->safety_systems.circuit_breaker_enabled);
    ck_assert_uint_eq (config->safety_systems.failure_threshold, 3);
    ck_assert_uint_eq (config->safety_systems.recovery_timeout_seconds, 60);
    ck_assert (!config->safety_systems.automatic_rollback);
    ck_assert (!config->knowledge_transfer.auto_share_successful);
    ck_assert_double_eq (config->knowledge_transfer.compatibility_threshold, 0.5);
    ck_assert_uint_eq (config->knowledge_transfer.max_transfer_attempts, 1);
    ck_assert (!config->collaborative_validation.network_enabled);
}

static void s_parse (const char *text, config_t *config)
{
    problem_t problem = {.text = ""};
    ck_assert_msg (config_parse ("node.yaml", text, strlen (text), config, &problem) == 0, "%s",
                   problem.text);
}

START_TEST (the_defaults_are_those_of_the_seed)
{
    config_t config;
    config_defaults (&config, 8);
    ck_assert_uint_eq (config.slots, 7);
    ck_assert_int_eq (config.sandbox, SANDBOX_MODE_BUBBLEWRAP);
    ck_assert_uint_eq (config.proposer_count, 1);
    ck_assert_str_eq (config.proposers[0].name, "tune");
    ck_assert_double_eq (config.learning_rate, 0.1);
    ck_assert_int_eq (config.selection, SELECT_DGM);
    ck_assert_uint_eq (config.islands.count, 1);
    ck_assert_uint_eq (config.retention.candidates, 10000);
    ck_assert_uint_eq (config.retention.journal, 100000);
    ck_assert_uint_eq (config.retention.events, 100000);
    ck_assert_uint_eq (config.retention.releases, 16);
    ck_assert_uint_eq (config.real_time_monitoring.metrics_interval_seconds, 1);
    ck_assert (config.safety_systems.circuit_breaker_enabled);
    ck_assert_uint_eq (config.safety_systems.failure_threshold, 5);
    ck_assert_uint_eq (config.safety_systems.recovery_timeout_seconds, 300);
    ck_assert (config.safety_systems.automatic_rollback);
    ck_assert (config.knowledge_transfer.auto_share_successful);
    ck_assert_double_eq (config.knowledge_transfer.compatibility_threshold, 0.7);
    ck_assert_uint_eq (config.knowledge_transfer.max_transfer_attempts, 3);
    ck_assert (config.collaborative_validation.network_enabled);
    ck_assert (!config.proposer_network && !config.seed_given);
    config_defaults (&config, 1);
    ck_assert_uint_eq (config.slots, 1);
    config_defaults (&config, 0);
    ck_assert_uint_eq (config.slots, 1);
}
END_TEST

START_TEST (every_key_is_read_into_its_place)
{
    config_t config;
    config_defaults (&config, 2);
    s_parse (s_good, &config);
    s_expect_good (&config);
}
END_TEST

START_TEST (a_list_that_is_given_replaces_the_default_and_others_stay)
{
    config_t config;
    config_defaults (&config, 2);
    s_parse ("slots: 2\n", &config);
    ck_assert_uint_eq (config.listen_count, 1);
    ck_assert_str_eq (config.listen[0], "tcp://127.0.0.1:*");
    ck_assert_uint_eq (config.proposer_count, 1);
    s_parse ("listen: tcp://0.0.0.0:1\nproposers: []\n", &config);
    ck_assert_uint_eq (config.listen_count, 1);
    ck_assert_str_eq (config.listen[0], "tcp://0.0.0.0:1");
    ck_assert_uint_eq (config.proposer_count, 0);
    ck_assert_uint_eq (config.slots, 2);
}
END_TEST

START_TEST (what_is_written_reads_back_the_same)
{
    config_t config, again;
    config_defaults (&config, 2);
    s_parse (s_good, &config);
    strcpy (config.service_restart, "sh -c \"echo 'a # b: c' \\\\ ö\"");
    config.learning_rate = 0.1 + 0.2;
    config.service_timeout_ms = 1500;
    char *text = config_write (&config);
    ck_assert_ptr_nonnull (text);
    config_defaults (&again, 7);
    s_parse (text, &again);
    ck_assert_str_eq (again.service_restart, config.service_restart);
    ck_assert_double_eq (again.learning_rate, config.learning_rate);
    ck_assert_uint_eq (again.service_timeout_ms, 1500);
    strcpy (again.service_restart, "systemctl restart a");
    again.service_timeout_ms = 5000;
    again.learning_rate = 0.25;
    s_expect_good (&again);
    free (text);
}
END_TEST

START_TEST (the_written_defaults_read_back_as_the_defaults)
{
    config_t config, again;
    config_defaults (&config, 4);
    config_defaults (&again, 9);
    char *text = config_write (&config);
    ck_assert_ptr_nonnull (text);
    s_parse (text, &again);
    char *text_again = config_write (&again);
    ck_assert_str_eq (text, text_again);
    ck_assert_uint_eq (again.slots, 3);
    ck_assert (!again.seed_given);
    free (text);
    free (text_again);
}
END_TEST

START_TEST (quantities_are_written_as_the_files_take_them)
{
    static const uint64_t amounts[] = {0, 1, 999, 1000, 1024, 60000, 61000, 3600000, 536870912, 1610612736};
    char text[CONFIG_QUANTITY_BYTES];
    uint64_t back = 1;
    for (size_t i = 0; i < sizeof amounts / sizeof *amounts; i++) {
        config_duration_text (amounts[i], text);
        ck_assert (schema_duration_ms (text, &back) == 0 && back == amounts[i]);
        config_bytes_text (amounts[i], text);
        ck_assert (schema_bytes (text, &back) == 0 && back == amounts[i]);
    }
    ck_assert_str_eq (text, "1536MiB");
    config_duration_text (5400000, text);
    ck_assert_str_eq (text, "90m");
}
END_TEST

/* One line, and the problem that it must give. */
static const struct {
    const char *text;
    const char *problem;
} s_bad[] = {
    {"naem: x",
     "node.yaml:1: found the unknown key \"naem\", expected name, agent, private, listen, advertise, slots, "
     "seed, sandbox, proposers, proposer_network, share_artifacts, llm, proposals_max, selection, "
     "learning_rate, islands, retention, "
     "service, real_time_monitoring, safety_systems, knowledge_transfer or collaborative_validation"},
    {"name: 'a b'",
     "node.yaml:1: name: found \"a b\", expected a name of letters, digits, '.', '_' and '-', 32 at "
     "most, a letter or digit first"},
    {"listen: []", "node.yaml:1: listen: found 0 items, expected 1 at least"},
    {"listen: 7401",
     "node.yaml:1: listen: found \"7401\", expected an address such as tcp://127.0.0.1:7401, or "
     "tcp://127.0.0.1:* for any free port"},
    {"listen: [tcp://127.0.0.1]",
     "node.yaml:1: listen[0]: found \"tcp://127.0.0.1\", expected an address such as "
     "tcp://127.0.0.1:7401, or tcp://127.0.0.1:* for any free port"},
    {"listen: [ipc://x:1]", "node.yaml:1: listen[0]: found \"ipc://x:1\", expected an address such as "
                            "tcp://127.0.0.1:7401, or tcp://127.0.0.1:* for any free port"},
    {"listen: [tcp://a:0]", "node.yaml:1: listen[0]: found \"tcp://a:0\", expected an address such as "
                            "tcp://127.0.0.1:7401, or tcp://127.0.0.1:* for any free port"},
    {"listen: [tcp://a:65536]",
     "node.yaml:1: listen[0]: found \"tcp://a:65536\", expected an address such as "
     "tcp://127.0.0.1:7401, or tcp://127.0.0.1:* for any free port"},
    {"listen: [tcp://a:80x]", "node.yaml:1: listen[0]: found \"tcp://a:80x\", expected an address such as "
                              "tcp://127.0.0.1:7401, or tcp://127.0.0.1:* for any free port"},
    {"listen: [tcp://:80]", "node.yaml:1: listen[0]: found \"tcp://:80\", expected an address such as "
                            "tcp://127.0.0.1:7401, or tcp://127.0.0.1:* for any free port"},
    {"listen: ['tcp://a:1', 'tcp://a:2', 'tcp://a:3', 'tcp://a:4', 'tcp://a:5']",
     "node.yaml:1: listen[4]: found one more item, expected 4 at most"},
    {"advertise: ['tcp://10.0.0.5:*']",
     "node.yaml:1: advertise[0]: found \"tcp://10.0.0.5:*\", expected an address "
     "that peers can reach, such as tcp://10.0.0.5:7401"},
    {"slots: 0", "node.yaml:1: slots: found \"0\", expected a whole number from 1 to 256"},
    {"slots: many", "node.yaml:1: slots: found \"many\", expected a whole number from 1 to 256"},
    {"seed: -1", "node.yaml:1: seed: found \"-1\", expected a whole number"},
    {"sandbox: docker", "node.yaml:1: sandbox: found \"docker\", expected bubblewrap or none"},
    {"retention: {journal: -1}",
     "node.yaml:1: retention.journal: found \"-1\", expected a whole number from 0 to 1000000000"},
    {"islands: {count: 17}",
     "node.yaml:1: islands.count: found \"17\", expected a whole number from 1 to 16"},
    {"islands: {migration_interval: 0}", "node.yaml:1: islands.migration_interval: found \"0\", expected a "
                                         "whole number from 1 to 1000000"},
    {"islands: {migration_fraction: 1.5}",
     "node.yaml:1: islands.migration_fraction: found \"1.5\", expected a number from 0 to 1"},
    {"selection: worst",
     "node.yaml:1: selection: found \"worst\", expected dgm, pareto, tournament, best or random"},
    {"learning_rate: 0.6", "node.yaml:1: learning_rate: found \"0.6\", expected a number from 0.01 to 0.5"},
    {"service: restart",
     "node.yaml:1: service: found \"restart\", expected keys of its own: restart or timeout"},
    {"service:\n  timeout: soon",
     "node.yaml:2: service.timeout: found \"soon\", expected a duration such as 500ms, "
     "20s, 2m or 1h from 100ms to 24h"},
    {"safety_systems: {failure_threshold: 0}",
     "node.yaml:1: safety_systems.failure_threshold: found \"0\", expected "
     "a whole number from 1 to 1000"},
    {"knowledge_transfer:\n  compatibility_threshold: 1.1",
     "node.yaml:2: knowledge_transfer.compatibility_threshold: found \"1.1\", expected a number from 0 to 1"},
    {"collaborative_validation: {max_validators: 5}",
     "node.yaml:1: collaborative_validation: found the unknown key \"max_validators\", expected "
     "network_enabled"},
    {"real_time_monitoring: {websocket_enabled: true}", /* there is no dashboard that it could switch */
     "node.yaml:1: real_time_monitoring: found the unknown key \"websocket_enabled\", expected "
     "metrics_interval_seconds"},
    {"safety_systems: {automatic_rollback: on}",
     "node.yaml:1: safety_systems.automatic_rollback: found \"on\", expected true or false"},
    {"proposers: [{name: mine}]",
     "node.yaml:1: proposers[0].name: found \"mine\" without a command, expected tune, llm or "
     "a command of its own"},
    {"proposers: [{name: tune}, {name: a, command: [x]}, {name: b, command: [x]}, {name: c, command: [x]}, "
     "{name: d}]",
     "node.yaml:1: proposers[4]: found one more item, expected 4 at most"},
    {"slots: 1\nslots: 2", "node.yaml:2: slots: found a second time, expected once (it stands on line 1)"},
};

START_TEST (a_bad_value_is_named_and_changes_nothing)
{
    static config_t config, before;
    problem_t problem = {.text = ""};
    config_defaults (&config, 2);
    before = config;
    ck_assert_int_eq (config_parse ("node.yaml", s_bad[_i].text, strlen (s_bad[_i].text), &config, &problem),
                      -1);
    ck_assert_str_eq (problem.text, s_bad[_i].problem);
    ck_assert_mem_eq (&config, &before, sizeof config);
}
END_TEST

int main (void)
{
    Suite *suite = suite_create ("config");
    TCase *tcase = tcase_create ("config");
    tcase_add_test (tcase, the_defaults_are_those_of_the_seed);
    tcase_add_test (tcase, every_key_is_read_into_its_place);
    tcase_add_test (tcase, a_list_that_is_given_replaces_the_default_and_others_stay);
    tcase_add_test (tcase, what_is_written_reads_back_the_same);
    tcase_add_test (tcase, the_written_defaults_read_back_as_the_defaults);
    tcase_add_test (tcase, quantities_are_written_as_the_files_take_them);
    tcase_add_loop_test (tcase, a_bad_value_is_named_and_changes_nothing, 0,
                         (int)(sizeof s_bad / sizeof *s_bad));
    suite_add_tcase (suite, tcase);
    SRunner *runner = srunner_create (suite);
    srunner_run_all (runner, CK_ENV);
    int failed = srunner_ntests_failed (runner);
    srunner_free (runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
