/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE /* O_PATH */
#include "node/io/control_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "node/io/control.h"

int control_path_open (control_path_t *self, const char *directory, problem_t *problem)
{
    self->directory = -1;
    size_t room = sizeof ((struct sockaddr_un *)NULL)->sun_path;
    if (strlen (directory) + sizeof "/" CONTROL_SOCKET <= room) {
        snprintf (self->endpoint, sizeof self->endpoint, "ipc://%.107s/%s", directory, CONTROL_SOCKET);
        return 0;
    }
    self->directory = open (directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (self->directory == -1)
        return problem_set (problem, "%s: %s", directory, strerror (errno));
    snprintf (self->endpoint, sizeof self->endpoint, "ipc:///proc/self/fd/%d/%s", self->directory,
              CONTROL_SOCKET);
    return 0;
}

void control_path_close (control_path_t *self)
{
    if (self->directory != -1)
        close (self->directory);
    self->directory = -1;
}
