/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE /* umask, and czmq.h */
#include "node/io/control.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/io/control_end.h"
#include "node/io/control_request.h"

#define NOT_WATCHING \
    "{\"ok\":false,\"watching\":false,\"error\":\"this client does not watch, or does not any more\"}"
#define ROUTE_BYTES 256   /* ZeroMQ's bound for routing ids */
#define LINGER_MS   100   /* the answer to `stop` still goes out */
#define QUEUE_MAX   10000 /* messages to one watcher */

typedef struct {
    uint64_t number; /* 0: free */
    uint8_t route[ROUTE_BYTES];
    size_t route_size;
    bool watching;
    uint64_t heard_ms;
} caller_t;

struct control {
    control_end_t end;
    uint64_t last_number;
    caller_t callers[CONTROL_CALLERS_MAX];
};

static void s_set (control_t *self, int option, int value)
{
    zmq_setsockopt (self->end.raw, option, &value, sizeof value);
}

/* Makes the socket, for its owner's eyes alone. */
static int s_bind (control_t *self, const char *directory, problem_t *problem)
{
    int64_t bytes_max = CONTROL_MESSAGE_BYTES;
    zmq_setsockopt (self->end.raw, ZMQ_MAXMSGSIZE, &bytes_max, sizeof bytes_max);
    s_set (self, ZMQ_ROUTER_MANDATORY, 1);
    s_set (self, ZMQ_LINGER, LINGER_MS);
    s_set (self, ZMQ_SNDHWM, QUEUE_MAX);
    mode_t mask = umask (0177);
    int rc = zmq_bind (self->end.raw, self->end.endpoint);
    int error = errno;
    umask (mask);
    if (rc == 0)
        return 0;
    return problem_set (problem, "%s/%s: the control socket can't be made: %s", directory, CONTROL_SOCKET,
                        zmq_strerror (error));
}

control_t *control_new (const char *directory, problem_t *problem)
{
    control_t *self = calloc (1, sizeof *self);
    if (self == NULL) {
        problem_set (problem, "%s", error_text (ERROR_MEMORY));
        return NULL;
    }
    if (control_end_open (&self->end, directory, ZMQ_ROUTER, problem) == 0) {
        if (s_bind (self, directory, problem) == 0)
            return self;
        control_end_close (&self->end);
    }
    free (self);
    return NULL;
}

void control_destroy (control_t **self_p)
{
    assert (self_p != NULL);
    control_t *self = *self_p;
    if (self == NULL)
        return;
    unlink (control_end_path (&self->end)); /* libzmq leaves it */
    control_end_close (&self->end);
    free (self);
    *self_p = NULL;
}

void *control_socket (control_t *self)
{
    assert (self != NULL);
    return self->end.raw;
}

/* --- callers --- */

static caller_t *s_caller (control_t *self, uint64_t number)
{
    for (size_t i = 0; i < CONTROL_CALLERS_MAX; i++)
        if (number != 0 && self->callers[i].number == number)
            return &self->callers[i];
    return NULL;
}

/* Notes that something was heard of a client: its watch goes on. False if it has none. */
static bool s_heard (control_t *self, const uint8_t *route, size_t size, uint64_t now_ms)
{
    bool watches = false;
    for (size_t i = 0; i < CONTROL_CALLERS_MAX; i++) {
        caller_t *caller = &self->callers[i];
        if (caller->number == 0 || caller->route_size != size || memcmp (caller->route, route, size) != 0)
            continue;
        caller->heard_ms = now_ms;
        watches = watches || caller->watching;
    }
    return watches;
}

/* Frees the places of those who have been silent for so long that they are gone. */
static void s_forget_silent (control_t *self, uint64_t now_ms)
{
    for (size_t i = 0; i < CONTROL_CALLERS_MAX; i++) {
        caller_t *caller = &self->callers[i];
        if (caller->watching && now_ms >= caller->heard_ms && now_ms - caller->heard_ms > CONTROL_SILENCE_MS)
            caller->number = 0;
    }
}

static caller_t *s_enter (control_t *self, const uint8_t *route, size_t size, uint64_t now_ms)
{
    s_forget_silent (self, now_ms);
    for (size_t i = 0; i < CONTROL_CALLERS_MAX; i++) {
        caller_t *caller = &self->callers[i];
        if (caller->number != 0)
            continue;
        assert (size <= ROUTE_BYTES);
        caller->number = ++self->last_number;
        memcpy (caller->route, route, size);
        caller->route_size = size;
        caller->watching = false;
        caller->heard_ms = now_ms;
        return caller;
    }
    return NULL;
}

/* --- sending --- */

/* False if the client is gone or takes nothing more. */
static bool s_send (control_t *self, const uint8_t *route, size_t route_size, const char *text)
{
    if (zmq_send (self->end.raw, route, route_size, ZMQ_SNDMORE | ZMQ_DONTWAIT) == -1)
        return false;
    return zmq_send (self->end.raw, text, strlen (text), ZMQ_DONTWAIT) != -1;
}

static bool s_send_error (control_t *self, const uint8_t *route, size_t route_size, const char *error)
{
    json_t *reply = json_pack ("{s:b, s:s}", "ok", 0, "error", error);
    char *text = reply == NULL ? NULL : json_dumps (reply, JSON_COMPACT);
    bool sent =
        s_send (self, route, route_size, text == NULL ? "{\"ok\":false,\"error\":\"out of memory\"}" : text);
    free (text);
    json_decref (reply);
    return sent;
}

void control_reply (control_t *self, uint64_t number, const char *result)
{
    assert (self != NULL && result != NULL);
    caller_t *caller = s_caller (self, number);
    if (caller == NULL)
        return;
    size_t size = strlen (result) + sizeof "{\"ok\":true,\"result\":}";
    char *text = malloc (size);
    if (text != NULL) {
        snprintf (text, size, "{\"ok\":true,\"result\":%s}", result);
        s_send (self, caller->route, caller->route_size, text);
    }
    free (text);
    if (!caller->watching)
        caller->number = 0;
}

void control_fail (control_t *self, uint64_t number, const char *error)
{
    assert (self != NULL && error != NULL);
    caller_t *caller = s_caller (self, number);
    if (caller == NULL)
        return;
    s_send_error (self, caller->route, caller->route_size, error);
    caller->number = 0;
}

void control_watch (control_t *self, uint64_t number, uint64_t now_ms)
{
    assert (self != NULL);
    caller_t *caller = s_caller (self, number);
    if (caller == NULL)
        return;
    caller->watching = true;
    caller->heard_ms = now_ms;
    control_reply (self, number, "{}");
}

void control_publish (control_t *self, const char *message, uint64_t now_ms)
{
    assert (self != NULL && message != NULL);
    s_forget_silent (self, now_ms);
    for (size_t i = 0; i < CONTROL_CALLERS_MAX; i++) {
        caller_t *caller = &self->callers[i];
        if (caller->number != 0 && caller->watching &&
            !s_send (self, caller->route, caller->route_size, message))
            caller->number = 0;
    }
}

bool control_watched (const control_t *self)
{
    assert (self != NULL);
    for (size_t i = 0; i < CONTROL_CALLERS_MAX; i++)
        if (self->callers[i].number != 0 && self->callers[i].watching)
            return true;
    return false;
}

/* --- receiving --- */

typedef struct {
    control_t *control;
    uint64_t now_ms;
    control_request_fn *request;
    void *context;
} drain_t;

static void s_handle (drain_t *self, const uint8_t *route, size_t route_size, const char *data, size_t size)
{
    control_t *control = self->control;
    bool watches = s_heard (control, route, route_size, self->now_ms);
    problem_t problem;
    parsed_request_t parsed;
    if (control_request_parse (&parsed, data, size, &problem) != 0) {
        s_send_error (control, route, route_size, problem.text);
        return;
    }
    if (strcmp (parsed.request.command, "heartbeat") != 0) {
        caller_t *caller = s_enter (control, route, route_size, self->now_ms);
        if (caller == NULL)
            s_send_error (control, route, route_size, "the node is busy with other requests; try again");
        else {
            parsed.request.caller = caller->number;
            self->request (self->context, &parsed.request);
        }
    } else if (!watches)
        s_send (control, route, route_size, NOT_WATCHING);
    control_request_clear (&parsed);
}

/* Reads one message; false if there is none. */
static bool s_receive (drain_t *self)
{
    uint8_t route[ROUTE_BYTES];
    int route_size = zmq_recv (self->control->end.raw, route, sizeof route, ZMQ_DONTWAIT);
    if (route_size < 0)
        return false;
    zmq_msg_t frame;
    size_t frames = 0;
    bool more = true;
    while (more) {
        zmq_msg_init (&frame);
        if (zmq_msg_recv (&frame, self->control->end.raw, ZMQ_DONTWAIT) == -1) {
            zmq_msg_close (&frame);
            break;
        }
        more = zmq_msg_more (&frame);
        if (frames++ == 0 && !more)
            s_handle (self, route, (size_t)route_size, zmq_msg_data (&frame), zmq_msg_size (&frame));
        zmq_msg_close (&frame);
    }
    if (frames != 1)
        s_send_error (self->control, route, (size_t)route_size, "a request is one frame of JSON");
    return true;
}

size_t control_drain (control_t *self, size_t max, uint64_t now_ms, control_request_fn *request,
                      void *context)
{
    assert (self != NULL);
    drain_t drain = {self, now_ms, request, context};
    size_t count = 0;
    while (count < max && s_receive (&drain))
        count++;
    return count;
}

text_t control_argument (const control_request_t *request, const char *key)
{
    assert (request != NULL);
    for (size_t i = 0; i < request->argument_count; i++)
        if (text_equal (request->arguments[i].key, key))
            return request->arguments[i].value;
    return text_of (NULL);
}
