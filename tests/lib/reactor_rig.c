/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE
#include "tests/lib/reactor_rig.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "node/agent.h"
#include "node/io/control.h"
#include "node/io/keystore.h"
#include "node/io/membership.h"
#include "node/io/workspace.h"

#define WAIT_MS 60000
#define WALL_MS 1700000000000ULL

static const char s_manifest[] = "name: countdown\n"
                                 "evolve: [value.txt]\n"
                                 "evaluator:\n"
                                 "  command: [./evaluate]\n"
                                 "  timeout: 10s\n"
                                 "objectives:\n"
                                 "  - {name: value, goal: minimize}\n";
static const char s_evaluator[] = "#!/bin/sh\n"
                                  "read -r value < value.txt\n"
                                  "echo \"{\\\"metrics\\\": {\\\"value\\\": $value}}\"\n";
static const char s_config[] =
    "name: alpha\n"
    "listen: [\"tcp://127.0.0.1:*\"]\n"
    "slots: 1\n"
    "proposals_max: %u\n"
    "proposers:\n"
    "  - name: countdown\n"
    "    command: [/bin/sh, -c, 'read -r v < value.txt; echo $((v - 1)) > value.txt']\n";

static int64_t s_now_ms (void)
{
    struct timespec now;
    clock_gettime (CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- the directory --- */

static digest_t s_put_tree (store_t *store, const tree_t *tree, const digest_t *evaluator)
{
    size_t size;
    digest_t id;
    uint8_t *bytes = tree_encode (tree, evaluator, &size);
    ck_assert_ptr_nonnull (bytes);
    ck_assert_int_eq (store_content_put (store, bytes, size, &id), 0);
    free (bytes);
    return id;
}

static void s_add (store_t *store, tree_t *tree, const char *path, bool executable, const char *text)
{
    digest_t id;
    ck_assert_int_eq (store_content_put (store, (const uint8_t *)text, strlen (text), &id), 0);
    ck_assert_int_eq (tree_add (tree, path, executable, &id, strlen (text)), 0);
}

static void s_found (store_t *store, const identity_t *identity, const pubkey_t *curve)
{
    static const digest_t none;
    tree_t pinned = {0}, evolved = {0};
    group_t group = {0};
    members_t *members = calloc (1, sizeof *members);
    policy_t policy = policy_default ();
    problem_t problem = {{0}};
    s_add (store, &pinned, AGENT_MANIFEST, false, s_manifest);
    s_add (store, &pinned, "evaluate", true, s_evaluator);
    s_add (store, &evolved, "value.txt", false, "100\n");
    digest_t evaluator = s_put_tree (store, &pinned, &none);
    digest_t start = s_put_tree (store, &evolved, &evaluator);
    ck_assert_int_eq (
        group_found (&group, identity, "counters", "countdown", &evaluator, &start, &policy, WALL_MS), 0);
    ck_assert_ptr_nonnull (members);
    ck_assert_int_eq (members_found (members, &group, identity, curve, "alpha", 2, 1, WALL_MS), 0);
    hints_t hints = {{NULL, 0}};
    ck_assert_int_eq (membership_save (store, bytes_of (group.packed.data, group.packed.size),
                                       bytes_of (members->packed.data, members->packed.size), &identity->id,
                                       &hints, &problem),
                      0);
    tree_clear (&pinned);
    tree_clear (&evolved);
    group_clear (&group);
    members_clear (members);
    free (members);
}

reactor_rig_t *reactor_rig_new (unsigned proposals_max)
{
    problem_t problem = {{0}};
    reactor_rig_t *self = calloc (1, sizeof *self);
    ck_assert_ptr_nonnull (self);
    umask (022);
    self->scratch = scratch_new ();
    self->proposals_max = proposals_max;
    self->options = (reactor_options_t){
        .helpers = HELPER_DIRECTORY, .log_level = LEVEL_WARNING, .seed = 7, .seed_given = true};
    snprintf (self->directory, sizeof self->directory, "%s", scratch_path (&self->scratch, "alpha").text);
    ck_assert_int_eq (mkdir (self->directory, 0700), 0);
    char config[2048];
    snprintf (config, sizeof config, s_config, proposals_max);
    scratch_write (&self->scratch, "alpha/node.yaml", config);
    keystore_t *keys = keystore_create (self->directory, NULL, &problem);
    ck_assert_msg (keys != NULL, "%s", problem.text);
    store_t *store = store_open (self->directory, true, false, &problem);
    ck_assert_msg (store != NULL, "%s", problem.text);
    s_found (store, keystore_identity (keys), &keystore_curve (keys)->public_key);
    store_close (&store);
    keystore_destroy (&keys);
    return self;
}

void reactor_rig_destroy (reactor_rig_t *self)
{
    if (self->pid != 0)
        reactor_rig_signal (self, SIGKILL);
    scratch_remove (&self->scratch);
    free (self);
}

/* --- the process --- */

/* The node: never returns. */
_Noreturn static void s_run (const reactor_rig_t *self, int out)
{
    problem_t problem = {{0}};
    reactor_options_t options = self->options;
    options.ready = fdopen (out, "w");
    int result = reactor_run (self->directory, &options, &problem);
    if (result != 0)
        fprintf (options.ready, "problem %s\n", problem.text);
    fclose (options.ready);
    _exit (result == 0 ? 0 : 1);
}

static void s_spawn (reactor_rig_t *self)
{
    int ends[2];
    ck_assert_int_eq (self->pid, 0);
    ck_assert_int_eq (pipe2 (ends, O_CLOEXEC), 0);
    fflush (NULL);
    self->pid = fork ();
    ck_assert_int_ge (self->pid, 0);
    if (self->pid == 0) {
        close (ends[0]);
        s_run (self, ends[1]);
    }
    close (ends[1]);
    size_t size = 0;
    int64_t deadline_ms = s_now_ms () + WAIT_MS;
    while (memchr (self->ready, '\n', size) == NULL) {
        struct pollfd item = {ends[0], POLLIN, 0};
        int64_t left_ms = deadline_ms - s_now_ms ();
        ck_assert_msg (left_ms > 0 && poll (&item, 1, (int)left_ms) == 1, "the node says nothing");
        ssize_t more = read (ends[0], self->ready + size, sizeof self->ready - 1 - size);
        ck_assert_msg (more > 0, "the node ended without a word");
        size += (size_t)more;
    }
    self->ready[size] = '\0';
    close (ends[0]);
}

void reactor_rig_start (reactor_rig_t *self)
{
    memset (self->ready, 0, sizeof self->ready);
    s_spawn (self);
    ck_assert_msg (strncmp (self->ready, "ready ", 6) == 0, "%s", self->ready);
}

int reactor_rig_wait (reactor_rig_t *self)
{
    int status;
    int64_t deadline_ms = s_now_ms () + WAIT_MS;
    pid_t ended;
    while ((ended = waitpid (self->pid, &status, WNOHANG)) == 0) {
        ck_assert_msg (s_now_ms () < deadline_ms, "the node does not end");
        poll (NULL, 0, 2);
    }
    ck_assert_int_eq (ended, self->pid);
    self->pid = 0;
    return WIFEXITED (status) ? WEXITSTATUS (status) : -WTERMSIG (status);
}

int reactor_rig_signal (reactor_rig_t *self, int signal)
{
    ck_assert_int_gt (self->pid, 0);
    kill (self->pid, signal);
    return reactor_rig_wait (self);
}

void reactor_rig_refused (reactor_rig_t *self, problem_t *problem)
{
    memset (self->ready, 0, sizeof self->ready);
    s_spawn (self);
    ck_assert_msg (strncmp (self->ready, "problem ", 8) == 0, "%s", self->ready);
    snprintf (problem->text, sizeof problem->text, "%s", self->ready + 8);
    ck_assert_int_eq (reactor_rig_wait (self), 1);
}

/* --- asking --- */

static json_t *s_ask (reactor_rig_t *self, const char *request)
{
    problem_t problem = {{0}};
    control_client_t *client = control_client_new (self->directory, &problem);
    ck_assert_msg (client != NULL, "%s", problem.text);
    ck_assert_msg (control_client_send (client, request, &problem) == 0, "%s", problem.text);
    char *text = control_client_receive (client, WAIT_MS, &problem);
    ck_assert_msg (text != NULL, "%s", problem.text);
    control_client_destroy (&client);
    json_t *reply = json_loads (text, 0, NULL);
    ck_assert_msg (reply != NULL, "%s", text);
    free (text);
    return reply;
}

json_t *reactor_rig_ask (reactor_rig_t *self, const char *request)
{
    json_t *reply = s_ask (self, request);
    const char *error = json_string_value (json_object_get (reply, "error"));
    ck_assert_msg (json_is_true (json_object_get (reply, "ok")), "%s: %s", request, error);
    json_t *result = json_incref (json_object_get (reply, "result"));
    json_decref (reply);
    ck_assert_ptr_nonnull (result);
    return result;
}

void reactor_rig_ask_refused (reactor_rig_t *self, const char *request, const char *what)
{
    json_t *reply = s_ask (self, request);
    const char *error = json_string_value (json_object_get (reply, "error"));
    ck_assert (json_is_false (json_object_get (reply, "ok")));
    ck_assert_ptr_nonnull (error);
    ck_assert_msg (strstr (error, what) != NULL, "%s: %s", request, error);
    json_decref (reply);
}

json_int_t reactor_rig_status (reactor_rig_t *self, const char *key)
{
    json_t *status = reactor_rig_ask (self, "{\"command\":\"status\"}");
    const json_t *value = json_object_get (status, key);
    ck_assert_msg (json_is_number (value) || json_is_boolean (value), "%s", key);
    json_int_t number =
        json_is_boolean (value) ? json_is_true (value) : (json_int_t)json_number_value (value);
    json_decref (status);
    return number;
}

void reactor_rig_until (reactor_rig_t *self, const char *key, json_int_t least)
{
    int64_t deadline_ms = s_now_ms () + WAIT_MS;
    while (reactor_rig_status (self, key) < least) {
        ck_assert_msg (s_now_ms () < deadline_ms, "%s does not come to %d", key, (int)least);
        poll (NULL, 0, 10);
    }
}
