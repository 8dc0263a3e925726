/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE /* czmq.h */
#include "node/io/control.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "node/io/control_end.h"

struct control_client {
    control_end_t end;
};

/* ZeroMQ would go on trying for ever to reach a socket that nobody listens on; so try it plainly first. */
static int s_probe (const control_end_t *end, const char *directory, problem_t *problem)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = control_end_path (end);
    assert (strlen (path) < sizeof address.sun_path);
    memcpy (address.sun_path, path, strlen (path));
    int probe = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe == -1)
        return problem_set (problem, "no socket can be made: %s", strerror (errno));
    int rc = connect (probe, (struct sockaddr *)&address, sizeof address);
    int error = errno;
    close (probe);
    if (rc == 0 || error == EAGAIN) /* EAGAIN: so many wait already, as for a node that is stopped */
        return 0;
    if (error == ENOENT || error == ECONNREFUSED)
        return problem_set (problem, "no node runs on %s; start it with `evomesh run --dir %s`", directory,
                            directory);
    return problem_set (problem, "%s/%s: %s", directory, CONTROL_SOCKET, strerror (error));
}

static int s_connect (control_client_t *self, const char *directory, problem_t *problem)
{
    int linger_ms = 0;
    if (s_probe (&self->end, directory, problem) != 0)
        return -1;
    zmq_setsockopt (self->end.raw, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    if (zmq_connect (self->end.raw, self->end.endpoint) == 0)
        return 0;
    return problem_set (problem, "%s/%s: %s", directory, CONTROL_SOCKET, zmq_strerror (errno));
}

control_client_t *control_client_new (const char *directory, problem_t *problem)
{
    control_client_t *self = calloc (1, sizeof *self);
    if (self == NULL) {
        problem_set (problem, "%s", error_text (ERROR_MEMORY));
        return NULL;
    }
    if (control_end_open (&self->end, directory, ZMQ_DEALER, problem) != 0 ||
        s_connect (self, directory, problem) != 0)
        control_client_destroy (&self);
    return self;
}

void control_client_destroy (control_client_t **self_p)
{
    assert (self_p != NULL);
    control_client_t *self = *self_p;
    if (self == NULL)
        return;
    control_end_close (&self->end);
    free (self);
    *self_p = NULL;
}

int control_client_send (control_client_t *self, const char *request, problem_t *problem)
{
    assert (self != NULL && request != NULL);
    if (zmq_send (self->end.raw, request, strlen (request), ZMQ_DONTWAIT) == -1)
        return problem_set (problem, "the node takes no request: %s", zmq_strerror (errno));
    return 0;
}

char *control_client_receive (control_client_t *self, uint64_t timeout_ms, problem_t *problem)
{
    assert (self != NULL);
    zmq_pollitem_t item = {self->end.raw, 0, ZMQ_POLLIN, 0};
    int ready = zmq_poll (&item, 1, timeout_ms > INT_MAX ? INT_MAX : (long)timeout_ms);
    if (ready == -1) {
        problem_set (problem, "%s", "");
        return NULL;
    }
    if (ready == 0) {
        problem_set (problem, "the node did not answer within %llu ms", (unsigned long long)timeout_ms);
        return NULL;
    }
    zmq_msg_t frame;
    zmq_msg_init (&frame);
    char *text = NULL;
    if (zmq_msg_recv (&frame, self->end.raw, ZMQ_DONTWAIT) != -1)
        text = malloc (zmq_msg_size (&frame) + 1);
    if (text == NULL)
        problem_set (problem, "the node's answer could not be read");
    else {
        memcpy (text, zmq_msg_data (&frame), zmq_msg_size (&frame));
        text[zmq_msg_size (&frame)] = '\0';
    }
    zmq_msg_close (&frame);
    return text;
}
