/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE /* O_PATH */
#include "node/io/control_end.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "node/io/control.h"

#define SCHEME "ipc://"

static int s_find_path (control_end_t *self, const char *directory, problem_t *problem)
{
    size_t room = sizeof ((struct sockaddr_un *)NULL)->sun_path;
    if (strlen (directory) + sizeof "/" CONTROL_SOCKET <= room) {
        snprintf (self->endpoint, sizeof self->endpoint, SCHEME "%.107s/%s", directory, CONTROL_SOCKET);
        return 0;
    }
    self->directory = open (directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (self->directory == -1)
        return problem_set (problem, "%s: %s", directory, strerror (errno));
    snprintf (self->endpoint, sizeof self->endpoint, SCHEME "/proc/self/fd/%d/%s", self->directory,
              CONTROL_SOCKET);
    return 0;
}

int control_end_open (control_end_t *self, const char *directory, int type, problem_t *problem)
{
    assert (self != NULL && directory != NULL);
    *self = (control_end_t){.directory = -1};
    if (s_find_path (self, directory, problem) != 0)
        return -1;
    self->zmq = zmq_ctx_new ();
    self->raw = self->zmq == NULL ? NULL : zmq_socket (self->zmq, type);
    if (self->raw != NULL)
        return 0;
    problem_set (problem, "no socket can be made: %s", zmq_strerror (errno));
    control_end_close (self);
    return -1;
}

void control_end_close (control_end_t *self)
{
    assert (self != NULL);
    if (self->raw != NULL)
        zmq_close (self->raw);
    if (self->zmq != NULL)
        zmq_ctx_term (self->zmq);
    if (self->directory != -1)
        close (self->directory);
    *self = (control_end_t){.directory = -1};
}

const char *control_end_path (const control_end_t *self)
{
    assert (self->raw != NULL);
    return self->endpoint + strlen (SCHEME);
}
