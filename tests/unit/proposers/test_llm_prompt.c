/* SPDX-License-Identifier: MPL-2.0 */
#include "proposers/llm_prompt.h"
#include "tests/lib/suite.h"

static const char s_request[] =
    "{\"parent\": {\"id\": \"p\", \"metrics\": {\"score\": 1.5}, \"artifacts\": {\"worst\": \"instance 7\"}},"
    " \"failures\": [{\"description\": \"tried a table\", \"reason\": \"not_better\", \"detail\": \"as "
    "before\"}],"
    " \"learning_rate\": 0.3, \"inspirations\":"
    " {\"top\": [{\"id\": \"p\", \"files\": {\"a.c\": \"the parent\"}}, {\"id\": \"o\", \"metrics\": "
    "{\"score\": 9}}],"
    " \"diverse\": [{\"id\": \"q\", \"metrics\": {\"score\": 2}, \"files\": {\"a.c\": \"other code\\n\"}}]},"
    " \"objectives\": [{\"name\": \"score\", \"goal\": \"maximize\", \"weight\": 1, \"unit\": \"%\"}],"
    " \"llm\": {\"model\": \"m\", \"max_tokens\": 77, \"limit_key\": \"max_completion_tokens\","
    " \"temperature\": 0.5, \"description\": \"packs bins\"}}";

/* The prompt for the request above and one file, malloc'ed. */
static char *s_task (const char *request_text, const char *own, const char *text)
{
    json_t *request = json_loads (request_text, 0, NULL);
    llm_file_t file = {.path = "a.c"};
    buffer_t out = {0};
    ck_assert_ptr_nonnull (request);
    buffer_append (&file.text, text, strlen (text));
    llm_prompt_task (request, text_of (own), &file, 1, &out);
    buffer_append (&out, "", 1);
    buffer_clear (&file.text);
    json_decref (request);
    return (char *)out.data;
}

START_TEST (a_prompt_holds_all_that_helps)
{
    static const char *const parts[] = {"packs bins",
                                        "maximize score",
                                        "unit %",
                                        "score = 1.5",
                                        "worst: \"instance 7\"",
                                        "# Candidate 1, to learn from\nMeasured: score = 2",
                                        "other code",
                                        "not_better: tried a table as before",
                                        "a.c\n```\nint a;\n```",
                                        "Be bold"};
    char *prompt = s_task (s_request, "", "int a;");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        ck_assert_msg (strstr (prompt, parts[i]) != NULL, "found no \"%s\" in:\n%s", parts[i], prompt);
    /* The parent stands at the end anyway, and of whom no files are told there is nothing to learn. */
    ck_assert_ptr_null (strstr (prompt, "the parent"));
    ck_assert_ptr_null (strstr (prompt, "score = 9"));
    free (prompt);
}
END_TEST

START_TEST (what_the_stages_told_is_shown_by_stage_and_within_bounds)
{
    static char request[8192];
    static char many[2001], few[301];
    memset (many, 'x', sizeof many - 1);
    memset (few, 'y', sizeof few - 1);
    (void)snprintf (request, sizeof request,
                    "{\"parent\": {\"artifacts\": {\"worst\": 7, \"stages\": {\"builds\": {\"warnings\": 2}, "
                    "\"quick\": {\"log\": \"%s\"}}}}, \"failures\": [{\"reason\": \"worse\", \"artifacts\": "
                    "{\"stages\": {\"builds\": {\"log\": \"%s\"}}}}]}",
                    many, few);
    char *prompt = s_task (request, "", "x\n");
    ck_assert_ptr_nonnull (strstr (prompt, "What its evaluation told:\n- worst: 7\n"));
    ck_assert_ptr_nonnull (
        strstr (prompt, "the stages before it told:\n- builds: {\"warnings\":2}\n- quick: {"));
    ck_assert_ptr_nonnull (strstr (prompt, "  - stage builds: {\"log\":\"yyy"));
    size_t told[128] = {0};
    for (const char *at = prompt; *at != '\0'; at++)
        told[*at & 0x7f]++;
    ck_assert_uint_gt (told['x'], 900);
    ck_assert_uint_lt (told['x'], 1100);
    ck_assert_uint_lt (told['y'], 210);
    free (prompt);
    prompt = s_task ("{\"parent\": {\"artifacts\": {\"stages\": {\"builds\": 1}}}}", "", "x\n");
    ck_assert_ptr_null (strstr (prompt, "its evaluation told"));
    ck_assert_ptr_nonnull (strstr (prompt, "- builds: 1"));
    free (prompt);
}
END_TEST

START_TEST (a_candidate_is_named_by_the_number_that_the_model_sees)
{
    json_t *request = json_loads (s_request, 0, NULL);
    ck_assert_str_eq (llm_prompt_candidate (request, 1), "q");
    ck_assert_ptr_null (llm_prompt_candidate (request, 0));
    ck_assert_ptr_null (llm_prompt_candidate (request, 2));
    json_decref (request);
}
END_TEST

START_TEST (the_agents_own_task_stands_in_place_of_its_description)
{
    char *prompt = s_task (s_request, "Do this.\n", "x\n");
    ck_assert_ptr_nonnull (strstr (prompt, "Do this."));
    ck_assert_ptr_null (strstr (prompt, "packs bins"));
    free (prompt);
}
END_TEST

START_TEST (what_is_missing_is_left_out)
{
    char *prompt = s_task ("{\"llm\": {}}", "", "x\n");
    ck_assert_ptr_null (strstr (prompt, "Rejected"));
    ck_assert_ptr_null (strstr (prompt, "Measured"));
    ck_assert_ptr_null (strstr (prompt, "evaluation told"));
    ck_assert_ptr_nonnull (strstr (prompt, "a.c"));
    free (prompt);
}
END_TEST

START_TEST (the_form_of_the_answer_is_asked_for_whatever_the_agent_brings)
{
    static const char *const owns[] = {"", "You are a poet.\n"};
    for (size_t i = 0; i < 2; i++) {
        buffer_t out = {0};
        llm_prompt_system (text_of (owns[i]), &out);
        buffer_append (&out, "", 1);
        ck_assert_ptr_nonnull (strstr ((char *)out.data, "<<<<<<< SEARCH"));
        ck_assert_int_eq (strstr ((char *)out.data, "poet") != NULL, i == 1);
        buffer_clear (&out);
    }
}
END_TEST

START_TEST (a_message_is_always_text)
{
    buffer_t content = {0};
    buffer_append (&content, "a\r\nb\xff\x01", 6);
    json_t *message = llm_prompt_message ("user", &content);
    ck_assert_str_eq (json_string_value (json_object_get (message, "content")), "a\nb??");
    ck_assert_str_eq (json_string_value (json_object_get (message, "role")), "user");
    json_decref (message);
    buffer_clear (&content);
}
END_TEST

START_TEST (the_body_has_only_the_settings_that_are_given)
{
    json_t *request = json_loads (s_request, 0, NULL), *llm = json_object_get (request, "llm");
    json_t *messages = json_array ();
    char *text = llm_prompt_body (llm, messages);
    json_t *body = json_loads (text, 0, NULL);
    ck_assert_uint_eq (json_object_size (body), 4);
    ck_assert_str_eq (json_string_value (json_object_get (body, "model")), "m");
    ck_assert_int_eq (json_integer_value (json_object_get (body, "max_completion_tokens")), 77);
    ck_assert (json_real_value (json_object_get (body, "temperature")) == 0.5);
    json_decref (body);
    free (text);
    json_object_del (llm, "temperature");
    text = llm_prompt_body (llm, messages);
    ck_assert_ptr_null (strstr (text, "temperature"));
    free (text);
    json_decref (messages);
    json_decref (request);
}
END_TEST

SUITE_MAIN ("llm_prompt", a_prompt_holds_all_that_helps,
            what_the_stages_told_is_shown_by_stage_and_within_bounds,
            a_candidate_is_named_by_the_number_that_the_model_sees,
            the_agents_own_task_stands_in_place_of_its_description, what_is_missing_is_left_out,
            the_form_of_the_answer_is_asked_for_whatever_the_agent_brings, a_message_is_always_text,
            the_body_has_only_the_settings_that_are_given)
