/* SPDX-License-Identifier: MPL-2.0 */
/* What is asked of a node that is about to end: nobody waits for an answer in vain. */
#define _GNU_SOURCE
#include <jansson.h>
#include <signal.h>
#include <sys/wait.h>

#include "node/io/control.h"
#include "node/io/store.h"
#include "tests/lib/reactor_rig.h"
#include "tests/lib/suite.h"

#define WAIT_MS   60000
#define AFTERWARD 40 /* requests behind a `stop`: more than a node reads at a time */

static control_client_t *s_client (const reactor_rig_t *rig)
{
    problem_t problem = {{0}};
    control_client_t *client = control_client_new (rig->directory, &problem);
    ck_assert_msg (client != NULL, "%s", problem.text);
    return client;
}

static void s_send (control_client_t *client, const char *request)
{
    problem_t problem = {{0}};
    ck_assert_msg (control_client_send (client, request, &problem) == 0, "%s", problem.text);
}

/* The next answer's error; "" if it has none. */
static void s_answer (control_client_t *client, char error[PROBLEM_TEXT_MAX])
{
    problem_t problem = {{0}};
    char *text = control_client_receive (client, WAIT_MS, &problem);
    ck_assert_msg (text != NULL, "%s", problem.text);
    json_t *reply = json_loads (text, 0, NULL);
    ck_assert_msg (reply != NULL, "%s", text);
    const char *why = json_string_value (json_object_get (reply, "error"));
    snprintf (error, PROBLEM_TEXT_MAX, "%s", why == NULL ? "" : why);
    ck_assert_int_eq (json_is_true (json_object_get (reply, "ok")), why == NULL);
    json_decref (reply);
    free (text);
}

START_TEST (what_is_asked_while_it_stops_is_answered_and_not_done)
{
    char error[PROBLEM_TEXT_MAX];
    reactor_rig_t *rig = reactor_rig_new (1);
    reactor_rig_start (rig);
    reactor_rig_until (rig, "applied", 1);
    control_client_t *client = s_client (rig);
    s_send (client, "{\"command\":\"status\"}"); /* the link stands */
    s_answer (client, error);
    ck_assert_int_eq (kill (rig->pid, SIGSTOP), 0); /* so that all of it is there when it looks */
    s_send (client, "{\"command\":\"stop\"}");
    s_send (client, "{\"command\":\"stop\"}");
    for (size_t i = 0; i < AFTERWARD; i++)
        s_send (client, "{\"command\":\"pause\"}");
    ck_assert_int_eq (kill (rig->pid, SIGCONT), 0);
    s_answer (client, error);
    ck_assert_str_eq (error, "");
    s_answer (client, error);
    ck_assert_str_eq (error, ""); /* it stops: that is what was wanted */
    for (size_t i = 0; i < AFTERWARD; i++) {
        s_answer (client, error);
        ck_assert_msg (strstr (error, "stops") != NULL, "answer %zu: \"%s\"", i, error);
    }
    control_client_destroy (&client);
    ck_assert_int_eq (reactor_rig_wait (rig), 0);

    reactor_rig_start (rig);
    json_t *status = reactor_rig_ask (rig, "{\"command\":\"status\"}");
    ck_assert (json_is_false (json_object_get (status, "paused")));
    json_decref (status);
    ck_assert_int_eq (reactor_rig_signal (rig, SIGTERM), 0);
    reactor_rig_destroy (rig);
}
END_TEST

START_TEST (files_that_come_with_what_is_no_package_are_not_kept)
{
    problem_t problem = {{0}};
    reactor_rig_t *rig = reactor_rig_new (1);
    reactor_rig_start (rig);
    reactor_rig_ask_refused (rig, "{\"command\":\"import\",\"content\":\"Zm9v\",\"contents\":[\"aGVsbG8=\"]}",
                             "");
    ck_assert_int_eq (reactor_rig_signal (rig, SIGTERM), 0);
    store_t *store = store_open (rig->directory, false, true, &problem);
    ck_assert_msg (store != NULL, "%s", problem.text);
    digest_t id = digest_of ("hello", 5);
    ck_assert (!store_content_has (store, &id));
    store_close (&store);
    reactor_rig_destroy (rig);
}
END_TEST

SUITE_MAIN ("reactor control", what_is_asked_while_it_stops_is_answered_and_not_done,
            files_that_come_with_what_is_no_package_are_not_kept)
