/* SPDX-License-Identifier: MPL-2.0 */
/* The input as a model's answer, which changes files or leaves them as they were; as an endpoint's reply; and as a header. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proposers/llm_answer.h"
#include "proposers/llm_apply.h"
#include "proposers/llm_retry.h"
#include "tests/fuzz/fuzz.h"

static const char *const s_texts[] = {"one\n  two\nthree\n", "alpha\r\nbeta\r\nEVOLVE\r\nend"};

static void s_apply (const uint8_t *data, size_t size)
{
    llm_blocks_t blocks;
    problem_t problem = {""};
    text_t answer = {(const char *)data, size};
    assert (llm_blocks_summary (answer).size <= size);
    assert (llm_blocks_crossed (answer) < 10000);
    if (llm_blocks_parse (answer, &blocks, &problem) != 0) {
        assert (problem.text[0] != '\0');
        return;
    }
    llm_file_t files[] = {{.path = "a.c"}, {.path = "b.c"}};
    char report[LLM_REPORT_BYTES];
    bool same = true;
    for (size_t i = 0; i < 2; i++)
        buffer_append (&files[i].text, s_texts[i], strlen (s_texts[i]));
    int rc = llm_apply (files, 2, &blocks, report);
    for (size_t i = 0; i < 2; i++) {
        same = same && files[i].text.size == strlen (s_texts[i]) &&
               memcmp (files[i].text.data, s_texts[i], files[i].text.size) == 0;
        buffer_clear (&files[i].text);
    }
    assert (same == (rc != 0));
    assert (rc == 0 || (report[0] != '\0' && strlen (report) < LLM_REPORT_BYTES));
}

static void s_read (const uint8_t *data, size_t size)
{
    llm_answer_t answer = {0};
    problem_t problem = {""};
    char said[LIMIT_TEXT + 1];
    int rc = llm_answer_read ((const char *)data, size, &answer, &problem);
    assert ((rc == 0) == (answer.content != NULL) && (rc == 0 || problem.text[0] != '\0'));
    if (answer.content != NULL)
        llm_blank (answer.content, answer.size, "a.c");
    llm_answer_clear (&answer);
    llm_answer_error ((const char *)data, size, said);
    assert (text_valid (text_of (said)));
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    char *text = malloc (size + 1);
    assert (text != NULL);
    if (size > 0)
        memcpy (text, data, size);
    text[size] = '\0';
    assert (llm_retry_after_s (text, 784111777) <= 86400);
    s_read ((const uint8_t *)text, size);
    s_apply ((const uint8_t *)text, size);
    free (text);
    return 0;
}
