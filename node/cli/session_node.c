/* SPDX-License-Identifier: MPL-2.0 */
/* Questions to the running node. One that is silent is named after a moment, with what its process does: a person who waits wants
 * to know for what. */
#include "node/cli/session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/io/control.h"
#include "node/io/directory.h"

#define NOTICE_MS 2000  /* so long a silence is nothing to speak of */
#define ANSWER_MS 30000 /* in all */

/* The state letter that /proc tells of a process, e.g. 'T'; 0 if it tells nothing. */
static char s_process_state (long pid)
{
    char path[64], line[512] = "";
    (void)snprintf (path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen (path, "r");
    size_t size = file == NULL ? 0 : fread (line, 1, sizeof line - 1, file);
    if (file != NULL)
        fclose (file);
    line[size] = '\0';
    const char *behind_name = strrchr (line, ')'); /* the name may hold anything */
    return behind_name != NULL && behind_name[1] == ' ' ? behind_name[2] : '\0';
}

/* "process 123, the node of /data, is stopped (`kill -CONT 123` lets it go on)". */
static void s_describe_silence (const char *directory, problem_t *text)
{
    long pid = directory_holder (directory);
    char state = pid > 0 ? s_process_state (pid) : '\0';
    if (pid <= 0)
        problem_set (text, "the node of %s has just ended", directory);
    else if (state == 'T' || state == 't')
        problem_set (text, "process %ld, the node of %s, is stopped (`kill -CONT %ld` lets it go on)", pid,
                     directory, pid);
    else if (state == 'D')
        problem_set (text, "process %ld, the node of %s, waits for its disk", pid, directory);
    else
        problem_set (text, "process %ld, the node of %s, is very busy, or hangs", pid, directory);
}

/* The node's answer, malloc'ed; NULL (told). */
static char *s_wait (const char *directory, control_client_t *client)
{
    problem_t problem, silence;
    char *answer = control_client_receive (client, NOTICE_MS, &problem);
    if (answer != NULL || problem.text[0] == '\0')
        return answer;
    s_describe_silence (directory, &silence);
    if (directory_holder (directory) <= 0) {
        cli_fail ("no answer: %s", silence.text);
        return NULL;
    }
    cli_note ("no answer for %d s: %s; waiting up to %d s", NOTICE_MS / 1000, silence.text, ANSWER_MS / 1000);
    answer = control_client_receive (client, ANSWER_MS - NOTICE_MS, &problem);
    if (answer != NULL || problem.text[0] == '\0')
        return answer;
    s_describe_silence (directory, &silence);
    cli_fail ("no answer within %d s: %s; it may still do what was asked when it goes on", ANSWER_MS / 1000,
              silence.text);
    return NULL;
}

/* A node that is in no group doesn't run, and needs something else than being started first. */
static bool s_is_in_no_group (const char *directory)
{
    problem_t problem;
    joined_t *joined = NULL;
    store_t *store = store_open (directory, false, true, &problem);
    bool none = store != NULL && membership_load (store, &joined, &problem) == ERROR_NOT_FOUND;
    membership_destroy (&joined);
    store_close (&store);
    return none;
}

static char *s_exchange (const char *directory, const char *request)
{
    problem_t problem;
    char *answer = NULL;
    control_client_t *client = control_client_new (directory, &problem);
    if (client == NULL && s_is_in_no_group (directory))
        cli_fail ("the node in %s is in no group, so it doesn't run: `evomesh group create NAME` founds one, "
                  "`evomesh group join TOKEN` joins one; then `evomesh run`",
                  directory);
    else if (client == NULL || control_client_send (client, request, &problem) != 0)
        cli_fail_problem (&problem);
    else
        answer = s_wait (directory, client);
    control_client_destroy (&client);
    return answer;
}

/* The reply's result, or the error told. Releases the reply. */
static int s_result (json_t *reply, json_t **result)
{
    int rc = CLI_DONE;
    *result = json_incref (json_object_get (reply, "result"));
    if (!json_is_true (json_object_get (reply, "ok"))) {
        const char *error = json_string_value (json_object_get (reply, "error"));
        rc = cli_fail ("%s", error == NULL ? "the node's answer can't be read" : error);
        json_decref (*result);
        *result = NULL;
    }
    json_decref (reply);
    return rc;
}

int session_ask_at (const char *directory, const char *command, json_t *request, json_t **result)
{
    assert (result != NULL);
    assert (request != NULL);
    *result = NULL;
    json_object_set_new (request, "command", json_string (command));
    char *text = json_dumps (request, JSON_COMPACT);
    json_decref (request);
    if (text == NULL)
        return cli_fail ("%s", error_text (ERROR_MEMORY));
    char *answer = s_exchange (directory, text);
    free (text);
    if (answer == NULL)
        return CLI_FAILED;
    json_t *reply = json_loads (answer, 0, NULL);
    free (answer);
    return s_result (reply, result);
}

int session_ask_with (const cli_t *cli, const char *command, json_t *request, json_t **result)
{
    assert (cli != NULL && request != NULL && result != NULL);
    if (session_check (cli) == CLI_DONE)
        return session_ask_at (cli->directory, command, request, result);
    *result = NULL;
    json_decref (request);
    return CLI_FAILED;
}

int session_ask (const cli_t *cli, const char *command, json_t *arguments, json_t **result)
{
    assert (cli != NULL && result != NULL);
    json_t *request = json_object ();
    if (arguments != NULL)
        json_object_set_new (request, "arguments", arguments);
    return session_ask_with (cli, command, request, result);
}

json_t *session_try (const cli_t *cli, const char *command, json_t *arguments)
{
    assert (cli != NULL && command != NULL);
    problem_t problem;
    char *answer = NULL;
    json_t *request = json_pack ("{s:s, s:o*}", "command", command, "arguments", arguments);
    char *text = request == NULL ? NULL : json_dumps (request, JSON_COMPACT);
    control_client_t *client = control_client_new (cli->directory, &problem);
    if (client != NULL && text != NULL && control_client_send (client, text, &problem) == 0)
        answer = control_client_receive (client, NOTICE_MS, &problem);
    control_client_destroy (&client);
    json_decref (request);
    free (text);
    json_t *reply = answer == NULL ? NULL : json_loads (answer, 0, NULL);
    json_t *result =
        json_is_true (json_object_get (reply, "ok")) ? json_incref (json_object_get (reply, "result")) : NULL;
    free (answer);
    json_decref (reply);
    return result;
}

int session_order (const cli_t *cli, const char *command, json_t *arguments)
{
    assert (cli != NULL);
    json_t *result;
    int rc = session_ask (cli, command, arguments, &result);
    if (rc != CLI_DONE)
        return rc;
    if (cli->json)
        return output_json (result);
    const char *text = json_string_value (json_object_get (result, "text"));
    puts (text == NULL || text[0] == '\0' ? "done" : text);
    json_decref (result);
    return CLI_DONE;
}

int session_confirm (const cli_t *cli, const char *question, const char *yes_does)
{
    assert (cli != NULL && question != NULL && yes_does != NULL);
    if (cli_flag (cli, "yes") || output_confirm (question))
        return CLI_DONE;
    return isatty (STDIN_FILENO)
               ? cli_fail ("nothing was changed")
               : cli_fail ("nothing was changed, as nobody could be asked: --yes %s", yes_does);
}
