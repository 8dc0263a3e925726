/* SPDX-License-Identifier: MPL-2.0 */
/* What this machine lacks for running candidates, found by trying rather than by asking for versions. */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/landlock.h>

#include "node/io/sandbox.h"
#include "node/io/sandbox_spawn.h"

#define PROBE_TIMEOUT_MS 5000

typedef struct {
    sandbox_lack_t *lacks;
    size_t count;
    size_t fatal;
} findings_t;

__attribute__ ((format (printf, 4, 5))) static void s_find (findings_t *self, bool fatal, const char *remedy,
                                                            const char *format, ...)
{
    assert (self->count < SANDBOX_LACKS_MAX);
    sandbox_lack_t *lack = &self->lacks[self->count++];
    lack->fatal = fatal;
    self->fatal += fatal;
    snprintf (lack->remedy, sizeof lack->remedy, "%s", remedy);
    va_list values;
    va_start (values, format);
    vsnprintf (lack->what, sizeof lack->what, format, values);
    va_end (values);
}

/* Runs `argv` in a sandbox. Returns its exit code, or -1 if it didn't come to that; `text` is what it said. */
static int s_try (const sandbox_host_t *host, const char *const *argv, char *text, size_t size,
                  problem_t *problem)
{
    sandbox_job_t job = {.timeout_ms = PROBE_TIMEOUT_MS};
    sandbox_child_t child;
    int status = 0;
    if (sandbox_spawn_bare (host, &job, argv, &child, problem) != 0)
        return -1;
    struct pollfd item = {.fd = child.pidfd, .events = POLLIN};
    if (poll (&item, 1, PROBE_TIMEOUT_MS) <= 0)
        kill (child.pid, SIGKILL);
    while (waitpid (child.pid, &status, 0) < 0 && errno == EINTR) {
    }
    ssize_t length = read (child.error_fd, text, size - 1);
    text[length > 0 ? length : 0] = '\0';
    text[strcspn (text, "\n")] = '\0';
    sandbox_child_close (&child);
    return WIFEXITED (status) ? WEXITSTATUS (status) : -1;
}

/* First number in a file of /proc/sys; `absent` if there is no such file. */
static long s_setting (const char *path, long absent)
{
    long value = absent;
    FILE *file = fopen (path, "re");
    if (file && fscanf (file, "%ld", &value) != 1)
        value = absent;
    if (file != NULL)
        fclose (file);
    return value;
}

/* bubblewrap is there but couldn't make a sandbox: why? */
static void s_explain (findings_t *self, const char *text)
{
    if (strstr (text, "Unknown option") != NULL)
        s_find (self, true, "install bubblewrap 0.7 or newer (Debian 12 has 0.8)",
                "bubblewrap is too old: %s", text);
    else if (s_setting ("/proc/sys/kernel/unprivileged_userns_clone", 1) == 0)
        s_find (self, true, "sysctl kernel.unprivileged_userns_clone=1",
                "user namespaces are not permitted: %s", text);
    else if (s_setting ("/proc/sys/user/max_user_namespaces", 1) == 0)
        s_find (self, true, "sysctl user.max_user_namespaces=10000", "user namespaces are not permitted: %s",
                text);
    else if (s_setting ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 0) == 1)
        s_find (self, true,
                "give /usr/bin/bwrap an AppArmor profile that allows userns, or "
                "sysctl kernel.apparmor_restrict_unprivileged_userns=0",
                "AppArmor does not permit user namespaces: %s", text);
    else
        s_find (self, true,
                "in a container, allow nested user namespaces and mounts (docker: --security-opt "
                "seccomp=unconfined "
                "--security-opt systempaths=unconfined)",
                "bubblewrap can't make a sandbox: %s", text);
}

static void s_probe_sandbox (findings_t *self)
{
    sandbox_host_t host;
    problem_t problem = {.text = ""};
    char text[100];
    if (sandbox_host_init (&host, false, NULL, &problem) != 0) {
        if (access ("/usr/bin/bwrap", X_OK) == 0)
            s_explain (self, problem.text);
        else
            s_find (self, true, "install the package \"bubblewrap\"", "bubblewrap is missing");
        return;
    }
    int code = s_try (&host, (const char *const[]){"/usr/bin/true", NULL}, text, sizeof text, &problem);
    if (code != 0)
        s_explain (self, code < 0 && problem.text[0] ? problem.text : text);
    sandbox_host_free (&host);
}

static void s_probe_kernel (findings_t *self)
{
    long abi = syscall (SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1)
        s_find (self, true, "boot Linux 5.13 or newer, with \"landlock\" in the kernel's lsm= list",
                "Landlock is missing: evaluators can't keep candidate code out of their files (%s)",
                strerror (errno));
    char path[64];
    snprintf (path, sizeof path, "/proc/self/task/%ld/children", syscall (SYS_gettid));
    if (access (path, R_OK) != 0)
        s_find (self, true, "mount /proc; boot a kernel built with CONFIG_PROC_CHILDREN",
                "%s can't be read, so a run's memory and processes can't be counted", path);
}

size_t sandbox_probe (sandbox_lack_t lacks[SANDBOX_LACKS_MAX], size_t *count)
{
    assert (count != NULL);
    findings_t findings = {.lacks = lacks};
    s_probe_sandbox (&findings);
    s_probe_kernel (&findings);
    *count = findings.count;
    return findings.fatal;
}
