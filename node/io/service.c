/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE /* posix_spawn_file_actions_addchdir_np, pidfd_open by syscall */
#include "node/io/service.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct service {
    zloop_t *loop;
    pid_t pid;
    int pidfd;
    int timer;
    bool timed_out;
    uint64_t timeout_ms;
    service_done_fn *done;
    void *context;
};

/* The environment with EVOMESH_CURRENT in it: a malloc'ed list whose last text is `entry`. */
static char **s_environment (char *entry)
{
    size_t count = 0;
    while (environ[count] != NULL)
        count++;
    char **list = calloc (count + 2, sizeof *list);
    if (list == NULL)
        return NULL;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (strncmp (environ[i], "EVOMESH_CURRENT=", strlen ("EVOMESH_CURRENT=")) != 0)
            list[kept++] = environ[i];
    list[kept] = entry;
    return list;
}

/* The reactor blocks signals, which children inherit: the command starts with none blocked and all as by default. */
static void s_attributes (posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    sigemptyset (&none);
    sigfillset (&all);
    posix_spawnattr_init (attributes);
    posix_spawnattr_setsigmask (attributes, &none);
    posix_spawnattr_setsigdefault (attributes, &all);
    posix_spawnattr_setpgroup (attributes, 0);
    posix_spawnattr_setflags (attributes,
                              POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
}

static int s_spawn (const char *command, const char *current, pid_t *pid)
{
    char entry[4096 + sizeof "EVOMESH_CURRENT="];
    snprintf (entry, sizeof entry, "EVOMESH_CURRENT=%.4095s", current);
    char **environment = s_environment (entry);
    char *shell = strdup ("/bin/sh"), *option = strdup ("-c"), *text = strdup (command);
    int error = ENOMEM;
    if (environment != NULL && shell != NULL && option != NULL && text != NULL) {
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        char *const words[] = {shell, option, text, NULL};
        s_attributes (&attributes);
        posix_spawn_file_actions_init (&actions);
        posix_spawn_file_actions_addopen (&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2 (&actions, STDERR_FILENO, STDOUT_FILENO);
        posix_spawn_file_actions_addchdir_np (&actions, current);
        error = posix_spawn (pid, shell, &actions, &attributes, words, environment);
        posix_spawn_file_actions_destroy (&actions);
        posix_spawnattr_destroy (&attributes);
    }
    free (environment);
    free (shell);
    free (option);
    free (text);
    return error;
}

static void s_end (service_t *self, const char *problem)
{
    assert (self->pidfd >= 0 && self->done != NULL);
    service_done_fn *done = self->done;
    void *context = self->context;
    zmq_pollitem_t item = {NULL, self->pidfd, ZMQ_POLLIN, 0};
    zloop_poller_end (self->loop, &item);
    zloop_timer_end (self->loop, self->timer);
    close (self->pidfd);
    free (self);
    done (context, problem);
}

static int s_exited (zloop_t *loop, zmq_pollitem_t *item, void *context)
{
    (void)loop, (void)item;
    service_t *self = context;
    int status;
    if (waitpid (self->pid, &status, WNOHANG) != self->pid)
        return 0;
    problem_t problem = {{0}};
    if (self->timed_out)
        problem_set (&problem, "service.restart took longer than %llu ms",
                     (unsigned long long)self->timeout_ms);
    else if (WIFSIGNALED (status))
        problem_set (&problem, "service.restart was ended by signal %d", WTERMSIG (status));
    else if (WEXITSTATUS (status) != 0)
        problem_set (&problem, "service.restart exited with code %d", WEXITSTATUS (status));
    s_end (self, problem.text[0] == '\0' ? NULL : problem.text);
    return 0;
}

static int s_late (zloop_t *loop, int timer, void *context)
{
    (void)loop, (void)timer;
    service_t *self = context;
    assert (self->pid > 1); /* -1 would be everybody */
    self->timed_out = true;
    kill (-self->pid, SIGKILL);
    return 0;
}

service_t *service_start (zloop_t *loop, const char *command, const char *current, uint64_t timeout_ms,
                          service_done_fn *done, void *context, problem_t *problem)
{
    assert (loop != NULL && command != NULL && current != NULL && done != NULL && timeout_ms > 0);
    service_t *self = calloc (1, sizeof *self);
    if (self == NULL) {
        problem_set (problem, "%s", error_text (ERROR_MEMORY));
        return NULL;
    }
    *self = (service_t){.loop = loop, .timeout_ms = timeout_ms, .done = done, .context = context};
    int error = s_spawn (command, current, &self->pid);
    if (error != 0) {
        problem_set (problem, "service.restart could not be started: %s", strerror (error));
        free (self);
        return NULL;
    }
    self->pidfd = (int)syscall (SYS_pidfd_open, self->pid, 0);
    if (self->pidfd == -1) {
        problem_set (problem, "service.restart can't be watched: %s", strerror (errno));
        kill (-self->pid, SIGKILL);
        waitpid (self->pid, NULL, 0);
        free (self);
        return NULL;
    }
    zmq_pollitem_t item = {NULL, self->pidfd, ZMQ_POLLIN, 0};
    zloop_poller (loop, &item, s_exited, self);
    zloop_poller_set_tolerant (loop, &item);
    self->timer = zloop_timer (loop, (size_t)timeout_ms, 1, s_late, self);
    return self;
}

void service_destroy (service_t **self_p)
{
    assert (self_p != NULL);
    service_t *self = *self_p;
    if (self == NULL)
        return;
    kill (-self->pid, SIGKILL);
    waitpid (self->pid, NULL, 0);
    zmq_pollitem_t item = {NULL, self->pidfd, ZMQ_POLLIN, 0};
    zloop_poller_end (self->loop, &item);
    zloop_timer_end (self->loop, self->timer);
    close (self->pidfd);
    free (self);
    *self_p = NULL;
}
