/* SPDX-License-Identifier: MPL-2.0 */
/* llm: a proposer that asks a language model over an OpenAI-compatible endpoint, and applies the SEARCH/REPLACE blocks of its
 * answer. It runs nothing that comes back.
 *
 * It runs in the sandbox with the network, in the parent's checkout. On stdin: what every proposer gets, and the object "llm"
 * (node/io/llm_desk.h), which holds the key: it stands in no environment, file or argument. On stdout, a line whenever it changes,
 * what was spent: {"spent": {"requests", "tokens", "cost_millionths"}}. Before each request that is raised by the most
 * that it may cost, and then put right: whoever kills this program still knows. The last line also says what was changed, or
 * with "unaffordable": true that the allowance doesn't pay for a request. Exit 0, or 1 with the reason on stderr. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "evolution/spending.h"
#include "evolution/tree.h"
#include "evolution/validators.h"
#include "proposers/llm_answer.h"
#include "proposers/llm_http.h"
#include "proposers/llm_prompt.h"
#include "proposers/llm_retry.h"

#define PROMPT_FILE_BYTES_MAX (64 * 1024)  /* of each of the agent's own prompts */
#define PROMPT_BYTES_MAX      (512 * 1024) /* of all messages: no model takes more */
#define MESSAGE_TOKENS        16           /* what a message costs beside its text, at most */
#define TIME_LEFT_MS_MIN      500          /* with less there is no point in asking */

typedef struct {
    json_t *request;
    const json_t *llm; /* in it */
    const char *key;   /* in it; empty: none */
    json_t *messages;
    llm_file_t files[LIMIT_EVOLVE_FILES];
    size_t file_count;
    price_t price;
    spending_t allowance;
    spending_t spent;
    uint64_t deadline_ms;
    random_t random;
    bool unaffordable;
} llm_t;

/* --- time --- */

static uint64_t s_now_ms (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t s_left_ms (const llm_t *self)
{
    uint64_t now_ms = s_now_ms ();
    return now_ms < self->deadline_ms ? self->deadline_ms - now_ms : 0;
}

static void s_wait_ms (uint64_t ms)
{
    struct timespec left = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    while (nanosleep (&left, &left) != 0 && errno == EINTR) {
    }
}

/* --- what is asked of us --- */

static uint64_t s_count (const json_t *object, const char *key)
{
    json_int_t value = json_integer_value (json_object_get (object, key));
    return value > 0 ? (uint64_t)value : 0;
}

static const char *s_text (const json_t *object, const char *key)
{
    const char *text = json_string_value (json_object_get (object, key));
    return text == NULL ? "" : text;
}

static int s_read_settings (llm_t *self, problem_t *problem)
{
    const json_t *allowance = json_object_get (self->llm, "allowance");
    self->key = s_text (self->llm, "key");
    self->price = (price_t){json_number_value (json_object_get (self->llm, "price_input")),
                            json_number_value (json_object_get (self->llm, "price_output"))};
    self->allowance = (spending_t){s_count (allowance, "requests"), s_count (allowance, "tokens"),
                                   s_count (allowance, "cost_millionths")};
    self->deadline_ms = s_now_ms () + s_count (self->llm, "deadline_ms");
    random_init_number (&self->random, s_count (self->request, "seed"));
    if (*s_text (self->llm, "url") == '\0' || *s_text (self->llm, "model") == '\0' ||
        *s_text (self->llm, "limit_key") == '\0' || self->price.input < 0 || self->price.output < 0)
        return problem_set (problem, "stdin: \"llm\": expected url, model, limit_key and prices");
    return 0;
}

static int s_read_request (llm_t *self, problem_t *problem)
{
    json_error_t error;
    self->request = json_loadf (stdin, JSON_REJECT_DUPLICATES, &error);
    if (self->request == NULL)
        return problem_set (problem, "stdin: line %d: expected one JSON object", error.line);
    self->llm = json_object_get (self->request, "llm");
    const json_t *evolve = json_object_get (self->request, "evolve");
    if (!json_is_array (evolve) || json_array_size (evolve) == 0 ||
        json_array_size (evolve) > LIMIT_EVOLVE_FILES)
        return problem_set (problem, "stdin: \"evolve\": expected a list of 1 to %d paths",
                            LIMIT_EVOLVE_FILES);
    for (size_t i = 0; i < json_array_size (evolve); i++) {
        const char *path = json_string_value (json_array_get (evolve, i));
        if (path == NULL || !tree_path_valid (path))
            return problem_set (problem, "stdin: \"evolve\"[%zu]: expected a relative path", i);
        self->files[self->file_count++].path = path;
    }
    return s_read_settings (self, problem);
}

/* --- files --- */

/* Appends a file, `most` bytes at most. A missing one is an error only if it is `needed`. */
static int s_read_file (const char *path, size_t most, bool needed, buffer_t *out, problem_t *problem)
{
    assert (path != NULL && most > 0 && out->size <= most);
    char block[65536];
    FILE *file = fopen (path, "rb");
    if (file == NULL)
        return needed ? problem_set (problem, "%s: can't be opened", path) : 0;
    size_t size;
    while ((size = fread (block, 1, sizeof block, file)) > 0 && out->size <= most)
        buffer_append (out, block, size);
    bool failed = ferror (file) != 0 || out->failed;
    fclose (file);
    if (failed)
        return problem_set (problem, "%s: can't be read", path);
    return out->size <= most ? 0 : problem_set (problem, "%s: has more than %zu bytes", path, most);
}

static int s_write_files (const llm_t *self, problem_t *problem)
{
    assert (self->file_count > 0 && self->file_count <= LIMIT_EVOLVE_FILES);
    for (size_t i = 0; i < self->file_count; i++) {
        const llm_file_t *one = &self->files[i];
        FILE *file = fopen (one->path, "wb");
        bool written = file != NULL && fwrite (one->text.data, 1, one->text.size, file) == one->text.size;
        bool closed = file != NULL && fclose (file) == 0;
        if (!written || !closed)
            return problem_set (problem, "%s: can't be written", one->path);
    }
    return 0;
}

/* --- messages --- */

static int s_add_message (llm_t *self, const char *role, const buffer_t *text, problem_t *problem)
{
    assert (json_is_array (self->messages));
    json_t *message = text->failed ? NULL : llm_prompt_message (role, text);
    if (message == NULL || json_array_append_new (self->messages, message) != 0)
        return problem_set (problem, "out of memory");
    return 0;
}

/* The first two messages. */
static int s_begin (llm_t *self, problem_t *problem)
{
    assert (self->file_count > 0 && json_array_size (self->messages) == 0);
    buffer_t own = {0}, task = {0}, text = {0};
    int rc = s_read_file (LLM_PROMPT_SYSTEM, PROMPT_FILE_BYTES_MAX, false, &own, problem);
    if (rc == 0)
        rc = s_read_file (LLM_PROMPT_TASK, PROMPT_FILE_BYTES_MAX, false, &task, problem);
    for (size_t i = 0; i < self->file_count && rc == 0; i++)
        rc = s_read_file (self->files[i].path, LIMIT_FILE_BYTES, true, &self->files[i].text, problem);
    if (rc == 0) {
        llm_prompt_system ((text_t){(char *)own.data, own.size}, &text);
        rc = s_add_message (self, "system", &text, problem);
    }
    buffer_clear (&text);
    if (rc == 0) {
        llm_prompt_task (self->request, (text_t){(char *)task.data, task.size}, self->files, self->file_count,
                         &text);
        rc = s_add_message (self, "user", &text, problem);
    }
    buffer_clear (&text);
    buffer_clear (&task);
    buffer_clear (&own);
    assert (rc != 0 || json_array_size (self->messages) == 2);
    return rc;
}

static size_t s_prompt_bytes (const llm_t *self)
{
    size_t bytes = 0, i;
    json_t *message;
    json_array_foreach (self->messages, i, message) bytes +=
        json_string_length (json_object_get (message, "content"));
    return bytes;
}

/* --- money --- */

/* What an endpoint counts may be beyond all bounds; JSON's integers end here, and a larger one must not come out negative. */
static json_int_t s_whole (uint64_t count)
{
    return count < INT64_MAX ? (json_int_t)count : INT64_MAX;
}

static json_t *s_spent_json (const spending_t *spent)
{
    return json_pack ("{s:I, s:I, s:I}", "requests", s_whole (spent->requests), "tokens",
                      s_whole (spent->tokens), "cost_millionths", s_whole (spent->cost_millionths));
}

/* Prints a line: `object` (taken over) with what was spent. */
static int s_print (json_t *object, const spending_t *spent)
{
    json_object_set_new (object, "spent", s_spent_json (spent));
    char *line = json_dumps (object, JSON_COMPACT | JSON_PRESERVE_ORDER);
    bool printed = line != NULL && printf ("%s\n", line) > 0 && fflush (stdout) == 0;
    free (line);
    json_decref (object);
    return printed ? 0 : -1;
}

/* The most that the next request may cost: no token is shorter than a byte. */
static spending_t s_most (const llm_t *self)
{
    assert (self->price.input >= 0 && self->price.output >= 0);
    return spending_of_request (&self->price,
                                s_prompt_bytes (self) + MESSAGE_TOKENS * json_array_size (self->messages),
                                s_count (self->llm, "max_tokens"));
}

/* --- one request --- */

typedef enum { TRY_DONE, TRY_AGAIN, TRY_NEVER } try_t;

static try_t s_judge_refusal (const llm_t *self, const llm_reply_t *reply, problem_t *problem)
{
    assert (reply->status < 200 || reply->status > 299);
    char said[LIMIT_TEXT + 1];
    llm_answer_error (reply->body == NULL ? "" : reply->body, reply->size, said);
    llm_blank (said, strlen (said), self->key);
    problem_set (problem, "the endpoint answered %ld: %s", reply->status, said);
    return llm_retry_status (reply->status) ? TRY_AGAIN : TRY_NEVER;
}

/* What a reply is worth, and what it cost; `most` where it doesn't say. */
static try_t s_judge (const llm_t *self, int rc, const llm_reply_t *reply, const spending_t *most,
                      llm_answer_t *answer, spending_t *cost, problem_t *problem)
{
    *cost = (spending_t){.requests = 1};
    bool accepted = reply->status >= 200 && reply->status <= 299;
    if (reply->sent && (reply->status == 0 || accepted))
        *cost = *most;
    if (rc != 0)
        return problem_prefix (problem, "the endpoint"), TRY_AGAIN;
    if (!accepted)
        return s_judge_refusal (self, reply, problem);
    rc = llm_answer_read (reply->body == NULL ? "" : reply->body, reply->size, answer, problem);
    assert (rc != 0 || answer->content != NULL);
    if (answer->usage_known)
        *cost = spending_of_request (&self->price, answer->input_tokens, answer->output_tokens);
    if (answer->content != NULL)
        llm_blank (answer->content, answer->size, self->key);
    return rc == 0 ? TRY_DONE : TRY_AGAIN;
}

static try_t s_try (llm_t *self, const char *body, llm_answer_t *answer, uint64_t *retry_after_s,
                    problem_t *problem)
{
    spending_t left = spending_less (&self->allowance, &self->spent), most = s_most (self);
    uint64_t left_ms = s_left_ms (self), timeout_ms = s_count (self->llm, "timeout_ms");
    if (left_ms < TIME_LEFT_MS_MIN)
        return problem_set (problem, "the time of this proposal is up"), TRY_NEVER;
    self->unaffordable = !spending_fits (&most, &left);
    if (self->unaffordable)
        return problem_set (problem, "what is left of the budget doesn't pay for a request"), TRY_NEVER;
    spending_t told = spending_sum (&self->spent, &most), cost;
    if (s_print (json_object (), &told) != 0)
        return problem_set (problem, "stdout can't be written"), TRY_NEVER;
    llm_reply_t reply = {0};
    int rc = llm_http_post (s_text (self->llm, "url"), self->key, body,
                            timeout_ms < left_ms ? timeout_ms : left_ms, &reply, problem);
    try_t result = s_judge (self, rc, &reply, &most, answer, &cost, problem);
    *retry_after_s = reply.retry_after_s;
    llm_http_clear (&reply);
    self->spent = spending_sum (&self->spent, &cost);
    return s_print (json_object (), &self->spent) == 0 ? result : TRY_NEVER;
}

/* Asks until an answer comes, as often as is allowed. */
static int s_ask (llm_t *self, llm_answer_t *answer, problem_t *problem)
{
    char *body = llm_prompt_body (self->llm, self->messages);
    if (body == NULL)
        return problem_set (problem, "out of memory");
    unsigned tries = (unsigned)s_count (self->llm, "retries") + 1;
    try_t result = TRY_AGAIN;
    for (unsigned number = 1; result == TRY_AGAIN && number <= tries; number++) {
        uint64_t retry_after_s = 0;
        llm_answer_clear (answer);
        result = s_try (self, body, answer, &retry_after_s, problem);
        uint64_t wait_ms = llm_retry_wait_ms (number, retry_after_s, &self->random);
        if (result != TRY_AGAIN || number == tries)
            continue;
        if (wait_ms + TIME_LEFT_MS_MIN > s_left_ms (self))
            break;
        fprintf (stderr, "llm: %s; again in %llu ms\n", problem->text, (unsigned long long)wait_ms);
        s_wait_ms (wait_ms);
    }
    free (body);
    return result == TRY_DONE ? 0 : -1;
}

/* --- the answer --- */

/* Applies an answer to the files in memory; -1 with what the model should be told. */
static int s_use (llm_t *self, const llm_answer_t *answer, char report[LLM_REPORT_BYTES])
{
    assert (answer->content != NULL && answer->size > 0);
    static llm_blocks_t blocks;
    problem_t problem;
    if (llm_blocks_parse ((text_t){answer->content, answer->size}, &blocks, &problem) == 0)
        return llm_apply (self->files, self->file_count, &blocks, report);
    snprintf (report, LLM_REPORT_BYTES, "%s.%s\n", problem.text,
              answer->cut_off ? " It ran into the limit of tokens: be shorter." : "");
    return -1;
}

/* Puts the answer and what was wrong with it behind the messages. */
static int s_add_repair (llm_t *self, const llm_answer_t *answer, const char *report, problem_t *problem)
{
    assert (answer->content != NULL && json_array_size (self->messages) >= 2);
    buffer_t said = {0}, told = {0};
    buffer_append (&said, answer->content, answer->size);
    llm_prompt_repair (report, &told);
    int rc = s_add_message (self, "assistant", &said, problem);
    if (rc == 0)
        rc = s_add_message (self, "user", &told, problem);
    buffer_clear (&said);
    buffer_clear (&told);
    return rc;
}

static int s_finish (const llm_t *self, const llm_answer_t *answer, problem_t *problem)
{
    assert (answer->content != NULL);
    if (s_write_files (self, problem) != 0)
        return -1;
    char description[LIMIT_TEXT + 1];
    text_t summary = llm_blocks_summary ((text_t){answer->content, answer->size});
    text_clean (summary, description, sizeof description);
    json_t *line =
        json_pack ("{s:s, s:s}", "improvement_type", improvement_type_name (IMPROVE_ALGORITHM_MODIFICATION),
                   "description", description);
    /* A number that nobody has is a slip of the model's, and no reason to lose what was paid for. */
    size_t crossed = llm_blocks_crossed ((text_t){answer->content, answer->size});
    const char *second_parent = llm_prompt_candidate (self->request, crossed);
    if (line != NULL && second_parent != NULL)
        json_object_set_new (line, "second_parent", json_string (second_parent));
    return line != NULL && s_print (line, &self->spent) == 0
               ? 0
               : problem_set (problem, "stdout can't be written");
}

static int s_propose (llm_t *self, problem_t *problem)
{
    static char report[LLM_REPORT_BYTES];
    llm_answer_t answer = {0};
    uint64_t repairs = s_count (self->llm, "repairs");
    int rc = s_begin (self, problem);
    for (uint64_t i = 0; rc == 0; i++) {
        assert (i <= repairs);
        if (s_prompt_bytes (self) > PROMPT_BYTES_MAX)
            rc = problem_set (problem, "the prompt has more than %d bytes: the evolve files are too large",
                              PROMPT_BYTES_MAX);
        if (rc == 0)
            rc = s_ask (self, &answer, problem);
        if (rc != 0)
            break;
        if (s_use (self, &answer, report) == 0) {
            rc = s_finish (self, &answer, problem);
            break;
        }
        rc = i == repairs ? problem_set (problem, "no answer could be used: %.600s", report)
                          : s_add_repair (self, &answer, report, problem);
    }
    llm_answer_clear (&answer);
    return rc;
}

static void s_print_unaffordable (const llm_t *self)
{
    json_t *line = json_pack ("{s:b}", "unaffordable", 1);
    if (line != NULL)
        s_print (line, &self->spent);
}

int main (void)
{
    static llm_t self;
    problem_t problem = {""};
    self.messages = json_array ();
    int rc =
        self.messages == NULL ? problem_set (&problem, "out of memory") : s_read_request (&self, &problem);
    if (rc == 0)
        rc = s_propose (&self, &problem);
    if (rc != 0 && self.unaffordable)
        s_print_unaffordable (&self);
    if (rc != 0)
        fprintf (stderr, "llm: %s\n", problem.text);
    for (size_t i = 0; i < self.file_count; i++)
        buffer_clear (&self.files[i].text);
    json_decref (self.messages);
    json_decref (self.request);
    return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
