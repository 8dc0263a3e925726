/* SPDX-License-Identifier: MPL-2.0 */
#include "node/config.h"
#include "tests/lib/suite.h"

#include <stdio.h>

static int s_parse (const char *text, config_t *config, problem_t *problem)
{
    config_defaults (config, 2);
    return config_parse ("node.yaml", text, strlen (text), config, problem);
}

static const char s_whole[] =
    "proposers: [{name: tune}, {name: llm, share: 0.5}]\n"
    "share_artifacts: true\n"
    "llm:\n"
    "  endpoint: https://api.example.com/v1\n"
    "  key_variable: EXAMPLE_KEY\n"
    "  models:\n"
    "    - {name: small, share: 3, price_input: 0.25, price_output: 2}\n"
    "    - {name: own, endpoint: 'http://127.0.0.1:8000/v1', key_file: /k, price_input: 0, "
    "price_output: 0}\n"
    "  temperature: 0.7\n"
    "  max_tokens: 1000\n"
    "  limit_key: max_completion_tokens\n"
    "  timeout: 30s\n"
    "  retries: 1\n"
    "  repairs: 0\n"
    "  parallel: 4\n"
    "  budget: {requests: 7, tokens: 1000, cost: 2.5}\n";

START_TEST (every_key_is_read_into_its_place)
{
    static config_t config;
    problem_t problem;
    ck_assert_msg (s_parse (s_whole, &config, &problem) == 0, "%s", problem.text);
    const llm_config_t *llm = &config.llm;
    ck_assert (config.share_artifacts);
    ck_assert_uint_eq (config.proposers[1].timeout_ms, 600000);
    ck_assert_uint_eq (config.proposers[0].timeout_ms, 60000);
    ck_assert_uint_eq (llm->model_count, 2);
    ck_assert_str_eq (llm->models[0].name, "small");
    ck_assert (llm->models[0].price.input == 0.25 && llm->models[0].price.output == 2);
    ck_assert_str_eq (llm_limit_key_name (llm->limit_key), "max_completion_tokens");
    ck_assert (llm->temperature_given && llm->temperature == 0.7);
    ck_assert_uint_eq (llm->max_tokens + llm->timeout_ms + llm->retries + llm->repairs + llm->parallel,
                       1000 + 30000 + 1 + 0 + 4);
    spending_t caps = llm_config_caps (llm);
    ck_assert_uint_eq (caps.requests, 7);
    ck_assert_uint_eq (caps.tokens, 1000);
    ck_assert_uint_eq (caps.cost_millionths, 2500000);
}
END_TEST

START_TEST (what_is_written_reads_back_the_same)
{
    static config_t config, again;
    problem_t problem;
    ck_assert_int_eq (s_parse (s_whole, &config, &problem), 0);
    char *text = config_write (&config);
    ck_assert_msg (s_parse (text, &again, &problem) == 0, "%s\n%s", problem.text, text);
    ck_assert_mem_eq (&config.llm, &again.llm, sizeof config.llm);
    ck_assert (again.share_artifacts);
    free (text);
}
END_TEST

START_TEST (a_model_with_an_endpoint_of_its_own_never_gets_the_common_key)
{
    static config_t config;
    problem_t problem;
    ck_assert_int_eq (s_parse (s_whole, &config, &problem), 0);
    const llm_place_t *own = llm_config_place (&config.llm, &config.llm.models[1]);
    ck_assert_str_eq (own->endpoint, "http://127.0.0.1:8000/v1");
    ck_assert_str_eq (own->key_variable, "");
    ck_assert_ptr_eq (llm_config_place (&config.llm, &config.llm.models[0]), &config.llm.place);
}
END_TEST

START_TEST (models_are_drawn_by_their_shares)
{
    static config_t config;
    problem_t problem;
    ck_assert_int_eq (s_parse (s_whole, &config, &problem), 0);
    unsigned small = 0;
    for (uint64_t seed = 0; seed < 4000; seed++)
        small += llm_config_draw (&config.llm, seed) == &config.llm.models[0];
    ck_assert_uint_ge (small, 2900);
    ck_assert_uint_le (small, 3100);
}
END_TEST

START_TEST (a_cap_below_a_millionth_is_still_one)
{
    llm_config_t config;
    llm_config_defaults (&config);
    ck_assert_uint_eq (llm_config_caps (&config).cost_millionths, 0);
    config.budget.cost = 1e-9;
    ck_assert_uint_eq (llm_config_caps (&config).cost_millionths, 1);
}
END_TEST

#define MODEL "models: [{name: m}]"

static const struct {
    const char *text, *problem;
} s_bad[] = {
    {"proposers: [{name: llm}]",
     "node.yaml:1: proposers: found llm, expected a section `llm:` with endpoint and models"},
    {"llm: {" MODEL "}", "node.yaml:1: llm.models[0]: found no endpoint, here or in llm.endpoint"},
    {"llm: {endpoint: 'ftp://a', " MODEL "}",
     "llm.endpoint: found \"ftp://a\", expected an address such as https://"},
    {"llm: {endpoint: 'https://user:key@a/v1', " MODEL "}", "without a key in it"},
    {"llm: {endpoint: 'https://a/v1?key=1', " MODEL "}", "without a key in it"},
    {"llm: {endpoint: 'https://', " MODEL "}", "expected an address"},
    {"llm: {endpoint: 'https://a', key_file: /k, key_variable: K, " MODEL "}",
     "found both key_file and key_variable"},
    {"llm: {endpoint: 'https://a', key_file: k, " MODEL "}",
     "the whole path of a file that holds only the key"},
    {"llm: {endpoint: 'https://a', key_variable: 'A=B', " MODEL "}", "the name of an environment variable"},
    {"llm: {endpoint: 'http://10.0.0.5/v1', key_file: /k, " MODEL "}",
     "found a key for an http address, expected https"},
    {"llm: {endpoint: 'http://127.0.0.1.example.com/v1', key_file: /k, " MODEL "}",
     "found a key for an http address"},
    {"llm: {endpoint: 'https://a', models: [{name: m, key_file: /k}]}",
     "found a key without an endpoint of its own"},
    {"llm: {endpoint: 'https://a', " MODEL ", budget: {cost: 1}}",
     "found no price_input and price_output, expected both"},
    {"llm: {endpoint: 'https://a', models: [{name: m, price_input: -1}]}", "price_input"},
    {"llm: {endpoint: 'https://a', models: []}", "found 0 items, expected 1 at least"},
    {"llm: {endpoint: 'https://a', models: [{share: 1}]}", "name"},
};

START_TEST (a_mistake_is_named)
{
    static config_t config;
    problem_t problem = {""};
    ck_assert_int_eq (s_parse (s_bad[_i].text, &config, &problem), -1);
    ck_assert_msg (strstr (problem.text, s_bad[_i].problem) != NULL, "found \"%s\", expected \"%s\"",
                   problem.text, s_bad[_i].problem);
}
END_TEST

START_TEST (a_key_may_go_to_this_machine_unencrypted)
{
    static const char *const endpoints[] = {"http://127.0.0.1:1/v1", "http://localhost/v1",
                                            "http://[::1]:80"};
    for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++) {
        static config_t config;
        problem_t problem;
        char text[200];
        snprintf (text, sizeof text, "llm: {endpoint: '%s', key_file: /k, " MODEL "}", endpoints[i]);
        ck_assert_msg (s_parse (text, &config, &problem) == 0, "%s", problem.text);
    }
}
END_TEST

int main (void)
{
    Suite *suite = suite_create ("config_llm");
    TCase *tcase = tcase_create ("config_llm");
    tcase_add_test (tcase, every_key_is_read_into_its_place);
    tcase_add_test (tcase, what_is_written_reads_back_the_same);
    tcase_add_test (tcase, a_model_with_an_endpoint_of_its_own_never_gets_the_common_key);
    tcase_add_test (tcase, models_are_drawn_by_their_shares);
    tcase_add_test (tcase, a_cap_below_a_millionth_is_still_one);
    tcase_add_loop_test (tcase, a_mistake_is_named, 0, sizeof s_bad / sizeof *s_bad);
    tcase_add_test (tcase, a_key_may_go_to_this_machine_unencrypted);
    suite_add_tcase (suite, tcase);
    SRunner *runner = srunner_create (suite);
    srunner_run_all (runner, CK_ENV);
    int failed = srunner_ntests_failed (runner);
    srunner_free (runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
