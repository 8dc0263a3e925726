/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/io/sandbox_stage.h"
#include "node/io/sandbox_arguments.h"

static int s_write_map (pid_t pid, const char *name)
{
    char path[64];
    snprintf (path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open (path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int written = dprintf (fd, "0 %d 1\n", SANDBOX_UID);
    int rc = close (fd);
    return written > 0 ? rc : -1;
}

/* A namespace lives as long as a process in it or a descriptor of it: we start one, take the other, end the first. */
int stage_owner_map (problem_t *problem)
{
    pid_t pid = (pid_t)syscall (SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0) {
        prctl (PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            syscall (SYS_pause);
    }
    if (pid < 0)
        return problem_set (problem,
                            "sandbox: cannot make a user namespace: %s; allow them with "
                            "`sysctl user.max_user_namespaces=10000`, or run the node as an ordinary user",
                            strerror (errno));
    char path[64];
    snprintf (path, sizeof path, "/proc/%d/ns/user", (int)pid);
    bool mapped = s_write_map (pid, "uid_map") == 0 && s_write_map (pid, "gid_map") == 0;
    int fd = mapped ? open (path, O_RDONLY | O_CLOEXEC) : -1;
    int error = errno;
    kill (pid, SIGKILL);
    while (waitpid (pid, NULL, 0) < 0 && errno == EINTR) {
    }
    if (fd < 0)
        return problem_set (problem, "sandbox: cannot map user ids: %s", strerror (error));
    return fd;
}

static int s_give (const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)kind, (void)place;
    return status->st_uid == SANDBOX_UID ? 0 : lchown (path, SANDBOX_UID, SANDBOX_UID);
}

static int s_open_one (stage_t *self, const sandbox_host_t *host, const char *source, bool writable,
                       problem_t *problem)
{
    int fd = open_tree (AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (fd < 0)
        return problem_set (problem, "sandbox: cannot mount %s: %s%s", source, strerror (errno),
                            errno == EPERM ? " (root without CAP_SYS_ADMIN: run the node as an ordinary user)"
                                           : "");
    size_t index = self->count++;
    struct stat status;
    self->items[index].fd = fcntl (fd, F_DUPFD_CLOEXEC, 10);
    close (fd);
    fd = self->items[index].fd;
    if (fd < 0 || fstat (fd, &status) != 0)
        return problem_set (problem, "sandbox: cannot look at %s: %s", source, strerror (errno));
    self->items[index].directory = S_ISDIR (status.st_mode);
    snprintf (self->items[index].path, sizeof self->items[index].path, STAGE_FORMAT, index);
    struct mount_attr owner = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (unsigned)host->owner_map_fd};
    if (mount_setattr (fd, "", AT_EMPTY_PATH, &owner, sizeof owner) == 0 || !writable)
        return 0;
    if (nftw (source, s_give, 16, FTW_PHYS) != 0)
        return problem_set (problem, "sandbox: cannot give %s to user %d: %s", source, SANDBOX_UID,
                            strerror (errno));
    return 0;
}

int stage_open (stage_t *self, const sandbox_host_t *host, const sandbox_job_t *job, bool helpers,
                problem_t *problem)
{
    assert (self != NULL && host != NULL && job != NULL);
    assert (host->drop && host->owner_map_fd >= 0);
    *self = (stage_t){.count = 0};
    for (size_t i = 0; i < job->mount_count; i++)
        if (s_open_one (self, host, job->mounts[i].source, job->mounts[i].writable, problem) != 0)
            return -1;
    return helpers ? s_open_one (self, host, host->helpers, false, problem) : 0;
}

const char *stage_enter (const stage_t *self)
{
    assert (self != NULL);
    if (unshare (CLONE_NEWNS) != 0 || mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return "cannot make a mount namespace";
    /* Of our new pid namespace: bubblewrap looks itself up. */
    if (mount ("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
        return "cannot mount /proc";
    if (mount ("stage", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=65536,mode=0755") != 0)
        return "cannot mount a tmpfs";
    for (size_t i = 0; i < self->count; i++) {
        const char *path = self->items[i].path;
        int made = self->items[i].directory ? mkdir (path, 0755) : mknod (path, S_IFREG | 0644, 0);
        if (made != 0 || move_mount (self->items[i].fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) != 0)
            return "cannot attach a mount";
    }
    /* Not libc's functions: those make all threads of the process follow, and under vfork that is the node. */
    if (syscall (SYS_setgroups, 0, NULL) != 0 ||
        syscall (SYS_setresgid, SANDBOX_UID, SANDBOX_UID, SANDBOX_UID) != 0 ||
        syscall (SYS_setresuid, SANDBOX_UID, SANDBOX_UID, SANDBOX_UID) != 0)
        return "cannot give up root";
    return NULL;
}

void stage_close (stage_t *self)
{
    assert (self != NULL);
    for (size_t i = 0; i < self->count; i++)
        if (self->items[i].fd >= 0)
            close (self->items[i].fd);
    self->count = 0;
}
