/* SPDX-License-Identifier: MPL-2.0 */
/* The whole node as a process: real files, sandboxes, sockets and signals. */
#define _GNU_SOURCE
#include "node/io/reactor.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "node/io/control.h"
#include "node/io/workspace.h"
#include "tests/lib/reactor_rig.h"
#include "tests/lib/suite.h"

static reactor_rig_t *s_started (unsigned proposals_max)
{
    reactor_rig_t *rig = reactor_rig_new (proposals_max);
    reactor_rig_start (rig);
    return rig;
}

static void s_stop (reactor_rig_t *rig)
{
    json_decref (reactor_rig_ask (rig, "{\"command\":\"stop\"}"));
    ck_assert_int_eq (reactor_rig_wait (rig), 0);
}

/* Replays the journal; returns how many entries it has. */
static uint64_t s_replay (reactor_rig_t *rig)
{
    problem_t problem = {{0}};
    reactor_replay_t outcome;
    int result = reactor_replay (rig->directory, NULL, NULL, NULL, &outcome, &problem);
    ck_assert_msg (result == 0, "entry %llu (%s): %s", (unsigned long long)outcome.number,
                   outcome.number == 0 ? "" : event_name (outcome.kind), problem.text);
    return outcome.entries;
}

static int s_live_value (reactor_rig_t *rig)
{
    char *text = scratch_read (&rig->scratch, "alpha/current/value.txt");
    ck_assert_ptr_nonnull (text);
    int value = atoi (text);
    free (text);
    return value;
}

START_TEST (a_node_alone_improves_its_program_and_a_replay_gives_the_same)
{
    reactor_rig_t *rig = s_started (3);
    reactor_rig_until (rig, "applied", 2);
    ck_assert_int_le (s_live_value (rig), 98);
    ck_assert_uint_gt (s_replay (rig), 5); /* beside the running node */
    reactor_rig_until (rig, "finished", 1);
    s_stop (rig);
    s_replay (rig);
    reactor_rig_destroy (rig);
}
END_TEST

START_TEST (a_stopped_node_goes_on_where_it_stood)
{
    reactor_rig_t *rig = s_started (4);
    reactor_rig_until (rig, "applied", 1);
    ck_assert_int_eq (reactor_rig_signal (rig, SIGTERM), 0);
    int value = s_live_value (rig);
    reactor_rig_start (rig);
    ck_assert_int_ge (reactor_rig_status (rig, "applied"), 1);
    reactor_rig_until (rig, "applied", 3);
    ck_assert_int_lt (s_live_value (rig), value);
    s_stop (rig);
    s_replay (rig);
    reactor_rig_destroy (rig);
}
END_TEST

START_TEST (a_killed_node_loses_nothing_that_it_said_and_goes_on)
{
    reactor_rig_t *rig = s_started (6);
    json_int_t applied = 0;
    for (int i = 0; i < 3; i++) {
        reactor_rig_until (rig, "applied", applied + 1);
        applied = reactor_rig_status (rig, "applied");
        ck_assert_int_eq (reactor_rig_signal (rig, SIGKILL), -SIGKILL);
        s_replay (rig);
        reactor_rig_start (rig);
        ck_assert_int_ge (reactor_rig_status (rig, "applied"), applied);
    }
    s_stop (rig);
    s_replay (rig);
    reactor_rig_destroy (rig);
}
END_TEST

START_TEST (a_link_that_was_moved_while_the_node_was_down_is_put_right)
{
    reactor_rig_t *rig = s_started (1);
    reactor_rig_until (rig, "applied", 1);
    s_stop (rig);
    ck_assert_int_eq (s_live_value (rig), 99);
    scratch_path_t current = scratch_path (&rig->scratch, "alpha/current");
    char live[256] = "", other[256] = "";
    ck_assert_int_gt (readlink (current.text, live, sizeof live - 1), 0);
    DIR *releases = opendir (scratch_path (&rig->scratch, "alpha/releases").text);
    ck_assert_ptr_nonnull (releases);
    for (struct dirent *entry = readdir (releases); entry != NULL; entry = readdir (releases))
        if (entry->d_name[0] != '.' && strstr (live, entry->d_name) == NULL)
            snprintf (other, sizeof other, "releases/%.200s", entry->d_name);
    closedir (releases);
    ck_assert_str_ne (other, "");
    ck_assert_int_eq (unlink (current.text), 0);
    ck_assert_int_eq (symlink (other, current.text), 0);
    ck_assert_int_eq (s_live_value (rig), 100);
    reactor_rig_start (rig);
    ck_assert_int_eq (s_live_value (rig), 99);
    s_stop (rig);
    reactor_rig_destroy (rig);
}
END_TEST

START_TEST (pause_and_its_answer_are_on_disk_before_they_are_told)
{
    reactor_rig_t *rig = s_started (100);
    json_t *result = reactor_rig_ask (rig, "{\"command\":\"pause\"}");
    ck_assert_ptr_nonnull (strstr (json_string_value (json_object_get (result, "text")), "paused"));
    json_decref (result);
    ck_assert_int_eq (reactor_rig_signal (rig, SIGKILL), -SIGKILL);
    reactor_rig_start (rig);
    ck_assert_int_eq (reactor_rig_status (rig, "paused"), 1);
    json_decref (reactor_rig_ask (rig, "{\"command\":\"resume\"}"));
    ck_assert_int_eq (reactor_rig_status (rig, "paused"), 0);
    s_stop (rig);
    reactor_rig_destroy (rig);
}
END_TEST

START_TEST (the_operators_own_candidate_is_read_measured_and_applied)
{
    reactor_rig_t *rig = s_started (1);
    reactor_rig_until (rig, "finished", 1);
    reactor_rig_until (rig, "applied", 1);
    char request[1024];
    scratch_write (&rig->scratch, "mine/value.txt", "10\n");
    scratch_write (&rig->scratch, "mine/evaluate", "echo cheat\n"); /* pinned: not looked at */
    snprintf (request, sizeof request, "{\"command\":\"propose\",\"arguments\":{\"directory\":\"%s\"}}",
              scratch_path (&rig->scratch, "mine").text);
    json_t *result = reactor_rig_ask (rig, request);
    digest_t id;
    ck_assert_int_eq (digest_parse (json_string_value (json_object_get (result, "value")), &id), 0);
    json_decref (result);
    reactor_rig_until (rig, "applied", 2);
    ck_assert_int_eq (s_live_value (rig), 10);
    reactor_rig_ask_refused (rig, request, "measured before"); /* it is live already */
    reactor_rig_ask_refused (rig, "{\"command\":\"propose\"}", "directory");
    reactor_rig_ask_refused (rig, "{\"command\":\"propose\",\"arguments\":{\"directory\":\"/nowhere\"}}",
                             "/nowhere");
    reactor_rig_ask_refused (rig, "{\"command\":\"nonsense\"}", "no such command");
    s_stop (rig);
    reactor_rig_destroy (rig);
}
END_TEST

START_TEST (a_watcher_sees_an_improvement_live)
{
    reactor_rig_t *rig = s_started (100);
    problem_t problem = {{0}};
    control_client_t *client = control_client_new (rig->directory, &problem);
    ck_assert_msg (client != NULL, "%s", problem.text);
    ck_assert_int_eq (control_client_send (client, "{\"command\":\"watch\"}", &problem), 0);
    bool applied = false;
    while (!applied) {
        char *text = control_client_receive (client, 30000, &problem);
        ck_assert_msg (text != NULL, "%s", problem.text);
        json_t *message = json_loads (text, 0, NULL);
        const json_t *event = json_object_get (message, "event");
        const char *type = json_string_value (json_object_get (event, "type"));
        if (type != NULL && strcmp (type, "improvement_applied") == 0) {
            applied = true;
            ck_assert (json_number_value (json_object_get (event, "performance_improvement")) > 0);
            ck_assert_uint_eq (json_string_length (json_object_get (event, "modification_id")), 52);
            ck_assert_uint_eq (json_string_length (json_object_get (event, "agent_id")), 52);
        }
        json_decref (message);
        free (text);
    }
    control_client_destroy (&client);
    s_stop (rig);
    reactor_rig_destroy (rig);
}
END_TEST

START_TEST (status_members_and_peers_tell_what_there_is)
{
    reactor_rig_t *rig = s_started (1);
    reactor_rig_until (rig, "applied", 1);
    json_t *status = reactor_rig_ask (rig, "{\"command\":\"status\"}");
    const char *name, *objective, *goal;
    double start, now;
    ck_assert_int_eq (json_unpack (status, "{s:s, s:[{s:s, s:s, s:F, s:F}]}", "name", &name, "objectives",
                                   "name", &objective, "goal", &goal, "start", &start, "now", &now),
                      0);
    ck_assert_str_eq (name, "alpha");
    ck_assert_str_eq (objective, "value");
    ck_assert_str_eq (goal, "minimize");
    ck_assert_double_eq (start, 100);
    ck_assert_double_eq (now, 99);
    ck_assert (json_is_null (json_object_get (status, "problem")));
    ck_assert_uint_ge (json_array_size (json_object_get (status, "next_steps")), 1);
    json_decref (status);
    json_t *members = reactor_rig_ask (rig, "{\"command\":\"members\"}");
    const json_t *first = json_array_get (json_object_get (members, "members"), 0);
    ck_assert (json_is_true (json_object_get (first, "me")));
    ck_assert_str_eq (json_string_value (json_object_get (first, "role")), "admin");
    json_decref (members);
    json_t *peers = reactor_rig_ask (rig, "{\"command\":\"peers\"}");
    ck_assert (json_is_array (peers));
    ck_assert_uint_eq (json_array_size (peers), 0);
    json_decref (peers);
    s_stop (rig);
    reactor_rig_destroy (rig);
}
END_TEST

START_TEST (a_second_node_on_one_directory_is_refused_and_the_first_goes_on)
{
    reactor_rig_t *rig = s_started (1);
    reactor_rig_t second = *rig;
    problem_t problem;
    second.pid = 0;
    reactor_rig_refused (&second, &problem);
    char pid[32];
    snprintf (pid, sizeof pid, "%d", (int)rig->pid);
    ck_assert_msg (strstr (problem.text, pid) != NULL, "%s", problem.text);
    reactor_rig_until (rig, "applied", 1);
    s_stop (rig);
    reactor_rig_destroy (rig);
}
END_TEST

START_TEST (a_port_in_use_is_said_plainly)
{
    reactor_rig_t *rig = reactor_rig_new (1);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int taken = socket (AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq (bind (taken, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq (listen (taken, 1), 0);
    ck_assert_int_eq (getsockname (taken, (struct sockaddr *)&address, &size), 0);
    char listen[64], port[16];
    snprintf (port, sizeof port, "%u", ntohs (address.sin_port));
    snprintf (listen, sizeof listen, "tcp://127.0.0.1:%s", port);
    rig->options.listen = listen;
    problem_t problem;
    reactor_rig_refused (rig, &problem);
    ck_assert_msg (strstr (problem.text, port) != NULL && strstr (problem.text, "use") != NULL, "%s",
                   problem.text);
    close (taken);
    reactor_rig_destroy (rig);
}
END_TEST

START_TEST (an_address_that_peers_can_not_reach_is_refused)
{
    reactor_rig_t *rig = reactor_rig_new (1);
    problem_t problem;
    rig->options.listen = "tcp://0.0.0.0:*";
    reactor_rig_refused (rig, &problem);
    ck_assert_msg (strstr (problem.text, "advertise") != NULL, "%s", problem.text);
    rig->options.advertise = "udp://127.0.0.1";
    reactor_rig_refused (rig, &problem);
    ck_assert_msg (strstr (problem.text, "tcp://HOST:PORT") != NULL, "%s", problem.text);
    rig->options.advertise = "tcp://127.0.0.1";
    reactor_rig_start (rig);
    s_stop (rig);
    reactor_rig_destroy (rig);
}
END_TEST

static void s_port_of (const reactor_rig_t *rig, char endpoint[64])
{
    const char *at = strstr (rig->ready, "rpc=");
    ck_assert_ptr_nonnull (at);
    ck_assert_int_eq (sscanf (at, "rpc=%63s", endpoint), 1);
}

START_TEST (a_node_that_listens_anywhere_comes_back_at_the_same_port)
{
    reactor_rig_t *rig = s_started (1);
    char before[64], after[64];
    s_port_of (rig, after);
    /* While it is down its port is free: another program may take it, then the node tells its new one. */
    for (int i = 0; i < 5; i++) {
        memcpy (before, after, sizeof before);
        s_stop (rig);
        reactor_rig_start (rig);
        s_port_of (rig, after);
        if (strcmp (before, after) == 0)
            break;
    }
    ck_assert_str_eq (before, after);
    s_stop (rig);
    reactor_rig_destroy (rig);
}
END_TEST

START_TEST (an_altered_journal_is_found_by_a_replay)
{
    reactor_rig_t *rig = s_started (2);
    reactor_rig_until (rig, "applied", 1);
    s_stop (rig);
    problem_t problem = {{0}};
    store_t *store = store_open (rig->directory, false, false, &problem);
    ck_assert_ptr_nonnull (store);
    uint64_t number = store_journal_count (store);
    buffer_t bytes = {0};
    event_t event = {.kind = EVENT_COMMAND, .now_ms = UINT64_MAX / 2, .wall_ms = 1};
    event.as.command.name = text_of ("pause");
    event_encode (&event, &bytes);
    digest_t wrong = {{1}};
    ck_assert_int_eq (store_journal_append (store, bytes.data, bytes.size, &wrong), 0);
    buffer_clear (&bytes);
    store_close (&store);
    reactor_replay_t outcome;
    ck_assert_int_eq (reactor_replay (rig->directory, NULL, NULL, NULL, &outcome, &problem), 1);
    ck_assert_uint_eq (outcome.number, number + 1);
    ck_assert_uint_eq (outcome.kind, EVENT_COMMAND);
    ck_assert (digest_equal (&outcome.recorded, &wrong));
    ck_assert (!digest_equal (&outcome.computed, &wrong));
    reactor_rig_destroy (rig);
}
END_TEST

/* From now on no file of the node can grow beyond `bytes`: what a full disk is like. */
static void s_limit_files (const reactor_rig_t *rig, rlim_t bytes)
{
    const struct rlimit limit = {bytes, RLIM_INFINITY};
    ck_assert_int_eq (prlimit (rig->pid, RLIMIT_FSIZE, &limit, NULL), 0);
}

START_TEST (a_disk_that_takes_no_more_stops_evolution_says_so_and_loses_nothing)
{
    signal (SIGXFSZ, SIG_IGN); /* the node inherits it */
    reactor_rig_t *rig = s_started (1000);
    reactor_rig_until (rig, "applied", 1);
    s_limit_files (rig, 1);
    json_t *status = NULL;
    for (int i = 0; i < 3000; i++) {
        json_decref (status);
        status = reactor_rig_ask (rig, "{\"command\":\"status\"}");
        if (json_is_string (json_object_get (status, "problem")))
            break;
        poll (NULL, 0, 10);
    }
    ck_assert (json_is_string (json_object_get (status, "problem")));
    ck_assert_ptr_nonnull (strstr (
        json_string_value (json_array_get (json_object_get (status, "next_steps"), 0)), "the store failed"));
    json_decref (status);
    reactor_rig_ask_refused (rig, "{\"command\":\"pause\"}", "evomesh.db");
    json_int_t applied = reactor_rig_status (rig, "applied");
    ck_assert_int_ge (applied, 1);

    s_limit_files (rig, RLIM_INFINITY);
    json_decref (reactor_rig_ask (rig, "{\"command\":\"resume\"}"));
    reactor_rig_until (rig, "applied", applied + 1);
    s_stop (rig);
    s_replay (rig);
    reactor_rig_destroy (rig);
}
END_TEST

SUITE_MAIN ("reactor", a_node_alone_improves_its_program_and_a_replay_gives_the_same,
            a_stopped_node_goes_on_where_it_stood, a_killed_node_loses_nothing_that_it_said_and_goes_on,
            a_link_that_was_moved_while_the_node_was_down_is_put_right,
            pause_and_its_answer_are_on_disk_before_they_are_told,
            the_operators_own_candidate_is_read_measured_and_applied, a_watcher_sees_an_improvement_live,
            status_members_and_peers_tell_what_there_is,
            a_second_node_on_one_directory_is_refused_and_the_first_goes_on, a_port_in_use_is_said_plainly,
            an_address_that_peers_can_not_reach_is_refused,
            a_node_that_listens_anywhere_comes_back_at_the_same_port, an_altered_journal_is_found_by_a_replay,
            a_disk_that_takes_no_more_stops_evolution_says_so_and_loses_nothing)
