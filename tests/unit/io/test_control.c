/* SPDX-License-Identifier: MPL-2.0 */
/* The control socket, with a real client at its other end. */
#define _GNU_SOURCE
#include "node/io/control.h"

#include <jansson.h>
#include <sys/stat.h>

#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

#define WAIT_MS 60000

typedef struct {
    scratch_t scratch;
    control_t *control;
    uint64_t now_ms;
    /* the last request that came */
    size_t requests;
    uint64_t caller;
    char command[64];
    char id[64];
    char number[64];
    char content[64];
    char second[64];
    size_t content_count;
} rig_t;

static void s_copy_bytes (bytes_t bytes, char out[64])
{
    ck_assert_uint_lt (bytes.size, 64);
    if (bytes.size > 0)
        memcpy (out, bytes.data, bytes.size);
    out[bytes.size] = '\0';
}

static void s_request (void *context, const control_request_t *request)
{
    rig_t *rig = context;
    rig->requests++;
    rig->caller = request->caller;
    snprintf (rig->command, sizeof rig->command, "%s", request->command);
    text_copy (control_argument (request, "id"), rig->id, sizeof rig->id);
    text_copy (control_argument (request, "number"), rig->number, sizeof rig->number);
    s_copy_bytes (request->content, rig->content);
    rig->content_count = request->content_count;
    if (request->content_count == 2)
        s_copy_bytes (request->contents[1], rig->second);
}

static rig_t s_rig_at (scratch_t scratch, const char *directory)
{
    problem_t problem = {{0}};
    setenv ("ZSYS_SIGHANDLER", "false", 1);
    rig_t rig = {.scratch = scratch, .now_ms = 1000};
    rig.control = control_new (directory, &problem);
    ck_assert_msg (rig.control != NULL, "%s", problem.text);
    return rig;
}

static rig_t s_rig (void)
{
    scratch_t scratch = scratch_new ();
    return s_rig_at (scratch, scratch.path);
}

static void s_end (rig_t *rig)
{
    control_destroy (&rig->control);
    scratch_remove (&rig->scratch);
}

static control_client_t *s_client (const rig_t *rig)
{
    problem_t problem = {{0}};
    control_client_t *client = control_client_new (rig->scratch.path, &problem);
    ck_assert_msg (client != NULL, "%s", problem.text);
    return client;
}

static void s_send (control_client_t *client, const char *request)
{
    problem_t problem = {{0}};
    ck_assert_msg (control_client_send (client, request, &problem) == 0, "%s", problem.text);
}

/* Lets the node's side read one message. */
static void s_serve (rig_t *rig)
{
    zmq_pollitem_t item = {control_socket (rig->control), 0, ZMQ_POLLIN, 0};
    ck_assert_int_eq (zmq_poll (&item, 1, WAIT_MS), 1);
    ck_assert_uint_eq (control_drain (rig->control, 1, rig->now_ms, s_request, rig), 1);
}

/* The next message as JSON. */
static json_t *s_receive (control_client_t *client)
{
    problem_t problem = {{0}};
    char *text = control_client_receive (client, WAIT_MS, &problem);
    ck_assert_msg (text != NULL, "%s", problem.text);
    json_t *root = json_loads (text, 0, NULL);
    ck_assert_msg (root != NULL, "%s", text);
    free (text);
    return root;
}

/* Sends what is no request and expects an error that names `what`. */
static void s_expect_refusal (rig_t *rig, control_client_t *client, const char *request, const char *what)
{
    size_t before = rig->requests;
    s_send (client, request);
    s_serve (rig);
    json_t *reply = s_receive (client);
    ck_assert (json_is_false (json_object_get (reply, "ok")));
    const char *error = json_string_value (json_object_get (reply, "error"));
    ck_assert_ptr_nonnull (error);
    ck_assert_msg (strstr (error, what) != NULL, "\"%s\" does not name %s", error, what);
    ck_assert_uint_eq (rig->requests, before);
    json_decref (reply);
}

START_TEST (a_request_comes_with_all_that_was_sent_and_its_reply_goes_back)
{
    rig_t rig = s_rig ();
    control_client_t *client = s_client (&rig);
    s_send (client, "{\"command\":\"import\",\"arguments\":{\"id\":\"abc\",\"number\":7},"
                    "\"content\":\"aGVsbG8=\",\"contents\":[\"\",\"Zm9v\"]}");
    s_serve (&rig);
    ck_assert_str_eq (rig.command, "import");
    ck_assert_str_eq (rig.id, "abc");
    ck_assert_str_eq (rig.number, "7");
    ck_assert_str_eq (rig.content, "hello");
    ck_assert_uint_eq (rig.content_count, 2);
    ck_assert_str_eq (rig.second, "foo");
    control_reply (rig.control, rig.caller, "{\"value\":\"done\"}");
    json_t *reply = s_receive (client);
    ck_assert (json_is_true (json_object_get (reply, "ok")));
    ck_assert_str_eq (json_string_value (json_object_get (json_object_get (reply, "result"), "value")),
                      "done");
    json_decref (reply);
    control_client_destroy (&client);
    s_end (&rig);
}
END_TEST

START_TEST (a_failure_says_why)
{
    rig_t rig = s_rig ();
    control_client_t *client = s_client (&rig);
    s_send (client, "{\"command\":\"status\"}");
    s_serve (&rig);
    control_fail (rig.control, rig.caller, "say \"please\"");
    json_t *reply = s_receive (client);
    ck_assert (json_is_false (json_object_get (reply, "ok")));
    ck_assert_str_eq (json_string_value (json_object_get (reply, "error")), "say \"please\"");
    json_decref (reply);
    control_client_destroy (&client);
    s_end (&rig);
}
END_TEST

START_TEST (what_is_no_request_is_answered_with_what_is_wrong)
{
    rig_t rig = s_rig ();
    control_client_t *client = s_client (&rig);
    s_expect_refusal (&rig, client, "status", "no JSON");
    s_expect_refusal (&rig, client, "[1]", "object");
    s_expect_refusal (&rig, client, "{}", "command");
    s_expect_refusal (&rig, client, "{\"command\":\"two words\"}", "command");
    s_expect_refusal (&rig, client, "{\"command\":\"a\",\"command\":\"b\"}", "duplicate");
    s_expect_refusal (&rig, client, "{\"command\":\"a\",\"arguments\":[]}", "arguments");
    s_expect_refusal (&rig, client, "{\"command\":\"a\",\"arguments\":{\"x\":{}}}", "x");
    s_expect_refusal (&rig, client, "{\"command\":\"a\",\"content\":\"***\"}", "base64");
    s_expect_refusal (&rig, client, "{\"command\":\"a\",\"contents\":[7]}", "contents");
    control_client_destroy (&client);
    s_end (&rig);
}
END_TEST

START_TEST (a_content_and_the_number_of_arguments_are_bounded)
{
    rig_t rig = s_rig ();
    control_client_t *client = s_client (&rig);
    json_t *arguments = json_object ();
    for (int i = 0; i <= LIMIT_METADATA; i++) {
        char key[16];
        snprintf (key, sizeof key, "k%d", i);
        json_object_set_new (arguments, key, json_string ("v"));
    }
    json_t *root = json_pack ("{s:s, s:o}", "command", "a", "arguments", arguments);
    char *text = json_dumps (root, 0);
    s_expect_refusal (&rig, client, text, "16 arguments");
    free (text);
    json_decref (root);

    size_t size = (LIMIT_PACKAGE_BYTES / 3 + 2) * 4;
    char *large = malloc (size + 1);
    ck_assert_ptr_nonnull (large);
    memset (large, 'A', size);
    large[size] = '\0';
    root = json_pack ("{s:s, s:s}", "command", "a", "content", large);
    text = json_dumps (root, 0);
    s_expect_refusal (&rig, client, text, "524288 bytes");
    free (text);
    free (large);
    json_decref (root);
    control_client_destroy (&client);
    s_end (&rig);
}
END_TEST

START_TEST (only_the_operator_can_open_the_socket_and_it_goes_with_the_node)
{
    rig_t rig = s_rig ();
    struct stat status;
    ck_assert_int_eq (stat (scratch_path (&rig.scratch, CONTROL_SOCKET).text, &status), 0);
    ck_assert (S_ISSOCK (status.st_mode));
    ck_assert_uint_eq (status.st_mode & 0777, 0600);
    control_destroy (&rig.control);
    ck_assert_int_ne (stat (scratch_path (&rig.scratch, CONTROL_SOCKET).text, &status), 0);
    problem_t problem = {{0}};
    ck_assert_ptr_null (control_client_new (rig.scratch.path, &problem));
    ck_assert_ptr_nonnull (strstr (problem.text, "no node runs"));
    scratch_remove (&rig.scratch);
}
END_TEST

START_TEST (a_directory_with_a_path_longer_than_a_socket_may_have_works)
{
    scratch_t scratch = scratch_new ();
    char name[201];
    memset (name, 'd', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    scratch_path_t directory = scratch_path (&scratch, "%s", name);
    ck_assert_int_eq (mkdir (directory.text, 0700), 0);
    rig_t rig = s_rig_at (scratch, directory.text);
    problem_t problem = {{0}};
    control_client_t *client = control_client_new (directory.text, &problem);
    ck_assert_msg (client != NULL, "%s", problem.text);
    s_send (client, "{\"command\":\"status\"}");
    s_serve (&rig);
    control_reply (rig.control, rig.caller, "{}");
    json_decref (s_receive (client));
    control_client_destroy (&client);
    struct stat status;
    ck_assert_int_eq (stat (scratch_path (&scratch, "%s/%s", name, CONTROL_SOCKET).text, &status), 0);
    s_end (&rig);
}
END_TEST

START_TEST (a_watcher_hears_events_until_it_is_silent_too_long)
{
    rig_t rig = s_rig ();
    control_client_t *client = s_client (&rig);
    s_send (client, "{\"command\":\"watch\"}");
    s_serve (&rig);
    ck_assert (!control_watched (rig.control));
    control_watch (rig.control, rig.caller, rig.now_ms);
    ck_assert (control_watched (rig.control));
    json_decref (s_receive (client));
    control_publish (rig.control, "{\"event\":1}", rig.now_ms);
    json_t *event = s_receive (client);
    ck_assert_int_eq (json_integer_value (json_object_get (event, "event")), 1);
    json_decref (event);

    rig.now_ms += CONTROL_SILENCE_MS;
    s_send (client, "{\"command\":\"heartbeat\"}");
    s_serve (&rig);
    ck_assert_uint_eq (rig.requests, 1); /* a heartbeat is no request */
    rig.now_ms += CONTROL_SILENCE_MS;
    control_publish (rig.control, "{\"event\":2}", rig.now_ms);
    json_decref (s_receive (client));
    rig.now_ms += CONTROL_SILENCE_MS;
    control_publish (rig.control, "{\"event\":3}", rig.now_ms);
    ck_assert (!control_watched (rig.control));
    control_client_destroy (&client);
    s_end (&rig);
}
END_TEST

START_TEST (who_does_not_watch_any_more_is_told_so_at_its_next_heartbeat)
{
    rig_t rig = s_rig ();
    control_client_t *client = s_client (&rig);
    s_send (client, "{\"command\":\"watch\"}");
    s_serve (&rig);
    control_watch (rig.control, rig.caller, rig.now_ms);
    json_decref (s_receive (client));
    rig.now_ms += CONTROL_SILENCE_MS + 1;
    control_publish (rig.control, "{\"event\":1}", rig.now_ms); /* nobody hears it */
    s_send (client, "{\"command\":\"heartbeat\"}");
    s_serve (&rig);
    json_t *reply = s_receive (client);
    ck_assert (json_is_false (json_object_get (reply, "watching")));
    json_decref (reply);

    s_send (client, "{\"command\":\"watch\"}");
    s_serve (&rig);
    control_watch (rig.control, rig.caller, rig.now_ms);
    json_decref (s_receive (client));
    s_send (client, "{\"command\":\"heartbeat\"}");
    s_serve (&rig);
    control_publish (rig.control, "{\"event\":2}", rig.now_ms);
    reply = s_receive (client);
    ck_assert_int_eq (json_integer_value (json_object_get (reply, "event")), 2);
    json_decref (reply);
    control_client_destroy (&client);
    s_end (&rig);
}
END_TEST

START_TEST (more_callers_than_there_is_room_for_are_told_so)
{
    rig_t rig = s_rig ();
    control_client_t *client = s_client (&rig);
    for (size_t i = 0; i < CONTROL_CALLERS_MAX; i++) {
        s_send (client, "{\"command\":\"slow\"}");
        s_serve (&rig);
    }
    ck_assert_uint_eq (rig.requests, CONTROL_CALLERS_MAX);
    s_expect_refusal (&rig, client, "{\"command\":\"slow\"}", "busy");
    control_reply (rig.control, rig.caller, "1"); /* one is answered: there is room again */
    json_decref (s_receive (client));
    s_send (client, "{\"command\":\"slow\"}");
    s_serve (&rig);
    ck_assert_uint_eq (rig.requests, CONTROL_CALLERS_MAX + 1);
    control_client_destroy (&client);
    s_end (&rig);
}
END_TEST

START_TEST (a_caller_that_went_away_harms_nobody)
{
    rig_t rig = s_rig ();
    control_client_t *gone = s_client (&rig), *client = s_client (&rig);
    s_send (gone, "{\"command\":\"status\"}");
    s_serve (&rig);
    uint64_t caller = rig.caller;
    control_client_destroy (&gone);
    s_send (client, "{\"command\":\"status\"}");
    s_serve (&rig);
    control_reply (rig.control, caller, "{}");
    control_reply (rig.control, caller, "{}"); /* unknown by now */
    control_reply (rig.control, rig.caller, "{\"value\":\"mine\"}");
    json_t *reply = s_receive (client);
    ck_assert (json_is_true (json_object_get (reply, "ok")));
    json_decref (reply);
    control_client_destroy (&client);
    s_end (&rig);
}
END_TEST

SUITE_MAIN ("control", a_request_comes_with_all_that_was_sent_and_its_reply_goes_back, a_failure_says_why,
            what_is_no_request_is_answered_with_what_is_wrong,
            a_content_and_the_number_of_arguments_are_bounded,
            only_the_operator_can_open_the_socket_and_it_goes_with_the_node,
            a_directory_with_a_path_longer_than_a_socket_may_have_works,
            a_watcher_hears_events_until_it_is_silent_too_long,
            who_does_not_watch_any_more_is_told_so_at_its_next_heartbeat,
            more_callers_than_there_is_room_for_are_told_so, a_caller_that_went_away_harms_nobody)
