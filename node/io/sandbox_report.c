/* SPDX-License-Identifier: MPL-2.0 */
/* What the jail of a run reports: that it is ready, and how its command ended. */
#define _GNU_SOURCE
#include "node/io/sandbox_run.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define LINGER_MS 100 /* so long the child may take to end once its command has */

/* The process number behind a pidfd, as seen from here; -1 if it is gone, 0 if that can't be told. */
static pid_t s_pid_of (int pidfd)
{
    assert (pidfd >= 0);
    char path[64], line[128];
    int pid = 0;
    snprintf (path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
    FILE *file = fopen (path, "re");
    while (file != NULL && fgets (line, sizeof line, file))
        if (sscanf (line, "Pid: %d", &pid) == 1)
            break;
    if (file != NULL)
        fclose (file);
    return pid;
}

static void s_take_ready (sandbox_run_t *run, struct msghdr *message)
{
    int fds[JAIL_READY_FDS] = {-1, -1, -1};
    struct cmsghdr *header = CMSG_FIRSTHDR (message);
    if (run->supervisor_fd >= 0)
        return;
    if (header != NULL && header->cmsg_type == SCM_RIGHTS) {
        size_t count = (header->cmsg_len - CMSG_LEN (0)) / sizeof (int);
        assert (count <= JAIL_READY_FDS);
        memcpy (fds, CMSG_DATA (header), count * sizeof (int));
    }
    run->supervisor_fd = fds[0];
    run->supervisor = fds[0] < 0 ? 0 : s_pid_of (fds[0]);
    run->tmpfs_fds[0] = fds[1];
    run->tmpfs_fds[1] = fds[2];
    assert (run->supervisor_fd >= 0 || run->supervisor == 0);
    if (run->killing)
        sandbox_kill_once (run);
    else if (run->supervisor == 0 || (message->msg_flags & MSG_CTRUNC))
        sandbox_kill (run,
                      SANDBOX_FAILED); /* we are out of descriptors: its use of memory couldn't be watched */
}

/* Takes one report. Returns false if there was none. */
bool sandbox_take_report (sandbox_run_t *run)
{
    jail_report_t report;
    union {
        char space[CMSG_SPACE (JAIL_READY_FDS * sizeof (int))];
        struct cmsghdr align;
    } control;
    struct iovec bytes = {.iov_base = &report, .iov_len = sizeof report};
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = control.space,
                             .msg_controllen = sizeof control.space};
    if (run->child.report_fd < 0)
        return false;
    ssize_t size = recvmsg (run->child.report_fd, &message, MSG_CMSG_CLOEXEC);
    if (size < 0)
        return errno == EINTR;
    if (size != (ssize_t)sizeof report) {
        sandbox_unwatch (run, &run->child.report_fd); /* closed: nothing more will come */
        return false;
    }
    if (report.kind == JAIL_READY)
        s_take_ready (run, &message);
    else if (!run->reported) {
        run->reported = true;
        run->report = report;
        sandbox_arm (run, LINGER_MS);
    }
    return true;
}
