/* SPDX-License-Identifier: MPL-2.0 */
/* What is asked on the control socket. */
#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evolution/package.h"
#include "node/io/reactor_internal.h"
#include "node/io/report.h"

/* --- answered here --- */

static void s_answer (reactor_t *self, uint64_t caller, char *result)
{
    if (result == NULL)
        control_fail (self->control, caller, error_text (ERROR_MEMORY));
    else
        control_reply (self->control, caller, result);
    free (result);
}

static void s_status (reactor_t *self, const control_request_t *request)
{
    report_process_t process = {.uptime_ms = clock_wall_ms () - self->started_wall_ms,
                                .problem = self->failed ? self->problem.text : NULL,
                                .listening = self->addresses,
                                .listening_count = self->address_count,
                                .was_denied = self->was_denied,
                                .llm = executor_spending (self->executor)};
    s_answer (self, request->caller, report_status (self->turn, &process));
}

static void s_members (reactor_t *self, const control_request_t *request)
{
    s_answer (self, request->caller, report_members (self->turn));
}

static void s_peers (reactor_t *self, const control_request_t *request)
{
    s_answer (self, request->caller, report_peers (self->turn, clock_now_ms (&self->clock)));
}

static void s_progress (reactor_t *self, const control_request_t *request)
{
    char text[DIGEST_TEXT_BYTES];
    digest_t id;
    if (!text_copy (control_argument (request, "id"), text, sizeof text) || digest_parse (text, &id) != 0)
        control_fail (self->control, request->caller, "progress takes \"id\", an improvement's");
    else
        s_answer (self, request->caller, report_progress (self->turn, &id, clock_now_ms (&self->clock)));
}

static void s_watch (reactor_t *self, const control_request_t *request)
{
    control_watch (self->control, request->caller, clock_now_ms (&self->clock));
}

static void s_stop (reactor_t *self, const control_request_t *request)
{
    log_line (LEVEL_INFO, "stopping", "by=control");
    self->stopping = true;
    control_reply (self->control, request->caller, "{}");
}

/* --- for the core --- */

/* Hands a command on; the core's REPLY is the answer. */
static void s_command (reactor_t *self, const control_request_t *request, bytes_t content)
{
    assert (request->argument_count <= LIMIT_METADATA);
    event_t event = {.kind = EVENT_COMMAND};
    entry_t arguments[LIMIT_METADATA];
    size_t count = 0;
    for (size_t i = 0; i < request->argument_count; i++) {
        if (text_equal (request->arguments[i].key, "directory"))
            continue; /* read here */
        if (request->arguments[i].value.size > LIMIT_TEXT) {
            control_fail (self->control, request->caller, "an argument is longer than 256 bytes");
            return;
        }
        arguments[count++] = request->arguments[i];
    }
    command_t *command = &event.as.command;
    command->operation = request->caller;
    command->name = text_of (request->command);
    command->arguments.items = arguments;
    command->arguments.count = count;
    command->content = content;
    keystore_random (command->entropy.bytes, sizeof command->entropy.bytes);
    turn_event (self->turn, &event);
}

/* Is each evolve file there? */
static bool s_is_whole (const tree_t *live, const tree_t *tree, const char *directory, problem_t *problem)
{
    for (size_t i = 0; i < live->count; i++)
        if (tree_find (tree, live->files[i].path) == NULL) {
            problem_set (problem, "%s/%s: not found; expected each of the agent's evolve files", directory,
                         live->files[i].path);
            return false;
        }
    return true;
}

/* Reads the evolve files of the operator's directory into the store, in one transaction. Malloc'ed encoded tree; NULL with
 * the problem. */
static uint8_t *s_read_candidate (reactor_t *self, const char *directory, size_t *size, problem_t *problem)
{
    node_status_t status;
    tree_t live = {0}, tree = {0};
    digest_t id;
    uint8_t *bytes = NULL;
    node_status (turn_node (self->turn), &status);
    if (workshop_tree (&self->workshop, &status.release, &live, problem) != 0)
        return NULL;
    if (store_begin (self->store) != 0)
        problem_set (problem, "%s", store_problem (self->store));
    else if (workspace_read_evolved (self->store, directory, &live, &tree, problem) == 0 &&
             s_is_whole (&live, &tree, directory, problem))
        bytes = workshop_put_tree (&self->workshop, &tree, &id, size, problem);
    if (bytes != NULL && store_commit (self->store) != 0) {
        problem_set (problem, "%s", store_problem (self->store));
        free (bytes);
        bytes = NULL;
    }
    if (bytes == NULL)
        store_rollback (self->store);
    assert (!store_in_transaction (self->store));
    tree_clear (&live);
    tree_clear (&tree);
    return bytes;
}

static void s_propose (reactor_t *self, const control_request_t *request)
{
    char directory[PATH_MAX];
    problem_t problem = {{0}};
    size_t size = 0;
    text_t path = control_argument (request, "directory");
    if (!text_copy (path, directory, sizeof directory) || directory[0] != '/') {
        control_fail (self->control, request->caller, "propose takes \"directory\", an absolute path");
        return;
    }
    uint8_t *bytes = s_read_candidate (self, directory, &size, &problem);
    if (bytes == NULL)
        control_fail (self->control, request->caller, problem.text);
    else
        s_command (self, request, bytes_of (bytes, size));
    free (bytes);
}

/* Puts the files that come with a command in the store, in one transaction. */
static int s_put_contents (reactor_t *self, const control_request_t *request)
{
    assert (request->content_count > 0 && request->contents != NULL);
    digest_t id;
    int rc = store_begin (self->store);
    for (size_t i = 0; i < request->content_count && rc == 0; i++)
        rc = store_content_put (self->store, request->contents[i].data, request->contents[i].size, &id);
    if (rc == 0)
        rc = store_commit (self->store);
    if (rc != 0)
        store_rollback (self->store);
    return rc;
}

/* Files are taken in only with a package that holds for our group: else nothing would ever name them, and nothing drop them. What is
 * wrong with it the core says. */
static bool s_brings_package (reactor_t *self, const control_request_t *request)
{
    message_t message = {0};
    tree_t base = {0}, candidate = {0};
    package_report_t report;
    problem_t problem;
    if (request->content_count == 0 || package_verify (request->content, &self->joined->group, &message,
                                                       &base, &candidate, &report, NULL, NULL, &problem) != 0)
        return false;
    message_clear (&message);
    tree_clear (&base);
    tree_clear (&candidate);
    return true;
}

static void s_other (reactor_t *self, const control_request_t *request)
{
    if (s_brings_package (self, request) && s_put_contents (self, request) != 0)
        control_fail (self->control, request->caller, store_problem (self->store));
    else
        s_command (self, request, request->content);
}

/* While the store fails: `resume` tries it again at once. */
static void s_retry (reactor_t *self, const control_request_t *request)
{
    self->retry_ms = 0;
    control_reply (self->control, request->caller,
                   "{\"text\":\"the store is tried again now; see `evomesh status`\",\"value\":\"\"}");
}

void reactor_request (void *context, const control_request_t *request)
{
    assert (request != NULL);
    static const struct {
        const char *name;
        void (*answer) (reactor_t *self, const control_request_t *request);
        bool when_failed; /* also while the store fails */
    } commands[] = {
        {"status", s_status, true},    {"members", s_members, true}, {"peers", s_peers, true},
        {"watch", s_watch, true},      {"stop", s_stop, true},       {"progress", s_progress, true},
        {"propose", s_propose, false},
    };
    reactor_t *self = context;
    if (self->stopping && strcmp (request->command, "stop") != 0) {
        control_fail (self->control, request->caller, "the node stops: nothing was done");
        return;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp (request->command, commands[i].name) == 0 && (commands[i].when_failed || !self->failed)) {
            commands[i].answer (self, request);
            return;
        }
    if (!self->failed)
        s_other (self, request);
    else if (strcmp (request->command, "resume") == 0)
        s_retry (self, request);
    else
        control_fail (self->control, request->caller, self->problem.text);
}
