/* SPDX-License-Identifier: MPL-2.0 */
#include "proposers/llm_answer.h"
#include "tests/lib/suite.h"

#include <stdio.h>

static int s_read (const char *body, llm_answer_t *answer, problem_t *problem)
{
    return llm_answer_read (body, strlen (body), answer, problem);
}

START_TEST (a_completion_is_read_with_its_usage)
{
    llm_answer_t answer = {0};
    ck_assert_int_eq (
        s_read ("{\"id\": \"x\", \"choices\": [{\"index\": 0, \"finish_reason\": \"stop\", \"message\": "
                "{\"role\": \"assistant\", \"content\": \"a\\nb\"}}], \"usage\": {\"prompt_tokens\": 12, "
                "\"completion_tokens\": 3, \"total_tokens\": 15}}",
                &answer, NULL),
        0);
    ck_assert_str_eq (answer.content, "a\nb");
    ck_assert (answer.usage_known && !answer.cut_off);
    ck_assert_uint_eq (answer.input_tokens, 12);
    ck_assert_uint_eq (answer.output_tokens, 3);
    llm_answer_clear (&answer);
}
END_TEST

START_TEST (a_completion_that_was_cut_off_says_so)
{
    llm_answer_t answer = {0};
    ck_assert_int_eq (
        s_read ("{\"choices\": [{\"finish_reason\": \"length\", \"message\": {\"content\": \"a\"}}]}",
                &answer, NULL),
        0);
    ck_assert (answer.cut_off && !answer.usage_known);
    llm_answer_clear (&answer);
}
END_TEST

START_TEST (what_is_no_completion_is_refused_and_a_usage_in_it_still_counts)
{
    static const struct {
        const char *body, *why;
    } cases[] = {
        {"", "no JSON"},
        {"<html>busy</html>", "no JSON"},
        {"{\"choices\": [{\"message\": {\"content\": \"a", "no JSON"},
        {"[]", "no choices"},
        {"{\"choices\": []}", "no choices"},
        {"{\"choices\": [{\"message\": {\"content\": null}, \"finish_reason\": \"content_filter\"}]}",
         "content_filter"},
        {"{\"choices\": [{\"message\": {\"content\": 5}}]}", "no text"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        llm_answer_t answer = {0};
        problem_t problem = {""};
        ck_assert_int_eq (s_read (cases[i].body, &answer, &problem), -1);
        ck_assert_msg (strstr (problem.text, cases[i].why) != NULL, "%s", problem.text);
        ck_assert_ptr_null (answer.content);
    }
    llm_answer_t answer = {0};
    ck_assert_int_eq (
        s_read ("{\"choices\": [], \"usage\": {\"prompt_tokens\": 9, \"completion_tokens\": 1}}", &answer,
                NULL),
        -1);
    ck_assert (answer.usage_known);
    ck_assert_uint_eq (answer.input_tokens, 9);
}
END_TEST

START_TEST (a_usage_that_is_none_counts_as_unknown)
{
    static const char *const usages[] = {"0, \"completion_tokens\": 0",   "9, \"completion_tokens\": 0",
                                         "0, \"completion_tokens\": 9",   "-1, \"completion_tokens\": 1",
                                         "1.5, \"completion_tokens\": 1", "1"};
    for (size_t i = 0; i < sizeof usages / sizeof *usages; i++) {
        char body[200];
        llm_answer_t answer = {0};
        snprintf (body, sizeof body,
                  "{\"choices\": [{\"message\": {\"content\": \"a\"}}], \"usage\": {\"prompt_tokens\": %s}}",
                  usages[i]);
        ck_assert_int_eq (s_read (body, &answer, NULL), 0);
        ck_assert (!answer.usage_known);
        llm_answer_clear (&answer);
    }
}
END_TEST

START_TEST (an_error_is_told_in_the_endpoints_words_on_one_line)
{
    char text[LIMIT_TEXT + 1], longer[2 * LIMIT_TEXT];
    const char *body = "{\"error\": {\"message\": \"slow\\ndown\", \"code\": 429}}";
    llm_answer_error (body, strlen (body), text);
    ck_assert_str_eq (text, "slow down");
    body = "{\"error\": \"no such model\"}";
    llm_answer_error (body, strlen (body), text);
    ck_assert_str_eq (text, "no such model");
    llm_answer_error ("<b>\x01\xff", 5, text);
    ck_assert_str_eq (text, "<b>??");
    memset (longer, 'x', sizeof longer);
    llm_answer_error (longer, sizeof longer, text);
    ck_assert_uint_eq (strlen (text), LIMIT_TEXT);
}
END_TEST

START_TEST (a_secret_is_blanked_wherever_it_stands)
{
    char text[] = "key sk-12345678 and sk-12345678sk-12345678";
    llm_blank (text, strlen (text), "sk-12345678");
    ck_assert_str_eq (text, "key *********** and **********************");
    char other[] = "abc";
    llm_blank (other, 3, "");
    llm_blank (other, 3, "abcd");
    ck_assert_str_eq (other, "abc");
}
END_TEST

SUITE_MAIN ("llm_answer", a_completion_is_read_with_its_usage, a_completion_that_was_cut_off_says_so,
            what_is_no_completion_is_refused_and_a_usage_in_it_still_counts,
            a_usage_that_is_none_counts_as_unknown, an_error_is_told_in_the_endpoints_words_on_one_line,
            a_secret_is_blanked_wherever_it_stands)
