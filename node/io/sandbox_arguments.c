/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE
#include <assert.h>
#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/io/sandbox_arguments.h"
#include "node/io/jail.h"

#define HELPERS_TARGET "/evomesh"

/* How many processes beyond its limit the kernel lets a program have. With much fewer, a fork bomb that fails at this bound can end by
 * itself between two samples, and what it did would not be told. */
#define PROCESSES_BEYOND 256

void arguments_add (arguments_t *self, const char *format, ...)
{
    assert (self->count < ARGUMENTS_MAX);
    va_list values;
    va_start (values, format);
    int length = vasprintf (&self->items[self->count], format, values);
    va_end (values);
    assert (length >= 0);
    self->items[++self->count] = NULL;
}

void arguments_free (arguments_t *self)
{
    assert (self != NULL);
    for (size_t i = 0; i < self->count; i++)
        free (self->items[i]);
    *self = (arguments_t){.count = 0};
}

/* Adds a NULL-terminated list of plain words. */
static void s_add_all (arguments_t *self, const char *const *words)
{
    for (; *words != NULL; words++)
        arguments_add (self, "%s", *words);
}

/* /bin, /lib …: links into /usr on a merged system, directories of their own on others. */
static void s_add_system (arguments_t *self)
{
    static const char *const names[] = {"/bin", "/sbin", "/lib", "/lib32", "/lib64"};
    s_add_all (self, (const char *const[]){"--ro-bind", "/usr", "/usr", NULL});
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char target[PATH_MAX];
        ssize_t length = readlink (names[i], target, sizeof target - 1);
        if (length > 0) {
            target[length] = '\0';
            s_add_all (self, (const char *const[]){"--symlink", target, names[i], NULL});
        } else
            s_add_all (self, (const char *const[]){"--ro-bind-try", names[i], names[i], NULL});
    }
}

/* What names and certificates are looked up in, for jobs with network. */
static void s_add_network (arguments_t *self)
{
    static const char *const files[] = {"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/ssl",
                                        "/etc/ca-certificates"};
    arguments_add (self, "--share-net");
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        s_add_all (self, (const char *const[]){"--ro-bind-try", files[i], files[i], NULL});
}

static void s_add_mount (arguments_t *self, const sandbox_host_t *host, const char *source, size_t index,
                         const char *target, bool writable)
{
    assert (target[0] == '/');
    arguments_add (self, writable ? "--bind" : "--ro-bind");
    if (host->drop)
        arguments_add (self, STAGE_FORMAT, index);
    else
        arguments_add (self, "%s", source);
    arguments_add (self, "%s", target);
}

void arguments_bwrap (arguments_t *self, const sandbox_host_t *host, const sandbox_job_t *job, bool helpers)
{
    assert (self != NULL && host != NULL && job != NULL);
    uint64_t disk = job->disk_bytes ? job->disk_bytes : SANDBOX_DISK_DEFAULT;
    arguments_add (self, "%s", host->bwrap);
    s_add_all (self, (const char *const[]){"--unshare-all", "--unshare-user", "--uid", "65534", "--gid",
                                           "65534", "--cap-drop", "ALL", "--die-with-parent", "--new-session",
                                           "--as-pid-1", "--hostname", "sandbox", NULL});
    s_add_system (self);
    s_add_all (self, (const char *const[]){"--ro-bind-try", "/etc/alternatives", "/etc/alternatives",
                                           "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache", NULL});
    if (job->network)
        s_add_network (self);
    arguments_add (self, "--size");
    arguments_add (self, "%llu", (unsigned long long)disk);
    s_add_all (self, (const char *const[]){"--tmpfs", "/tmp", "--dev", "/dev", "--size", NULL});
    arguments_add (self, "%llu", (unsigned long long)disk);
    s_add_all (self,
               (const char *const[]){"--tmpfs", "/dev/shm", "--remount-ro", "/dev", "--proc", "/proc", NULL});
    for (size_t i = 0; i < job->mount_count; i++)
        s_add_mount (self, host, job->mounts[i].source, i, job->mounts[i].target, job->mounts[i].writable);
    if (helpers)
        s_add_mount (self, host, host->helpers, job->mount_count, HELPERS_TARGET, false);
    s_add_all (self, (const char *const[]){"--remount-ro", "/", "--clearenv", "--setenv", "PATH", "/usr/bin",
                                           "--setenv", "HOME", "/tmp", "--setenv", "TMPDIR", "/tmp",
                                           "--setenv", "LANG", "C.UTF-8", NULL});
    s_add_all (self,
               (const char *const[]){"--chdir", job->directory != NULL ? job->directory : "/", "--", NULL});
}

/* If `path` lies at or beneath `target`, what follows it ("" or "/…"); else NULL. */
static const char *s_beneath (const char *path, const char *target)
{
    size_t length = strlen (target);
    return strncmp (path, target, length) == 0 && (path[length] == '/' || !path[length]) ? path + length
                                                                                         : NULL;
}

char *arguments_outside (const sandbox_host_t *host, const sandbox_job_t *job, const char *path)
{
    assert (host != NULL && job != NULL);
    const char *rest = s_beneath (path, HELPERS_TARGET), *source = host->helpers;
    for (size_t i = 0; rest == NULL && i < job->mount_count; i++) {
        rest = s_beneath (path, job->mounts[i].target);
        source = job->mounts[i].source;
    }
    char *outside = NULL;
    int length = asprintf (&outside, "%s%s", rest != NULL ? source : "", rest != NULL ? rest : path);
    assert (length >= 0);
    return outside;
}

static void s_add_command (arguments_t *self, const sandbox_host_t *host, const sandbox_job_t *job)
{
    for (size_t i = 0; job->command[i] != NULL; i++) {
        assert (i < SANDBOX_ARGUMENTS_MAX);
        if (!host->unsandboxed)
            arguments_add (self, "%s", job->command[i]);
        else {
            char *word = arguments_outside (host, job, job->command[i]);
            arguments_add (self, "%s", word);
            free (word);
        }
    }
}

void arguments_jail (arguments_t *self, const sandbox_host_t *host, const sandbox_job_t *job,
                     uint64_t result_pipe)
{
    assert (self != NULL && host != NULL && job != NULL);
    uint64_t processes = job->processes_max ? job->processes_max : SANDBOX_PROCESSES_DEFAULT;
    uint64_t disk = job->disk_bytes ? job->disk_bytes : SANDBOX_DISK_DEFAULT;
    arguments_add (self, "%s/jail", host->unsandboxed ? host->helpers : HELPERS_TARGET);
    s_add_all (self, (const char *const[]){"--limits", "--result", NULL});
    arguments_add (self, "%llu", (unsigned long long)result_pipe);
    /* The engine ends the run at the limits proper. What the kernel enforces here is wider, so that a program that
     * runs into it is told apart by the engine, yet narrow enough to hold it between two samples. */
    if (job->memory_bytes) {
        arguments_add (self, "--memory");
        arguments_add (self, "%llu", (unsigned long long)job->memory_bytes * 2 + (64ULL << 20));
    }
    arguments_add (self, "--file");
    arguments_add (self, "%llu", (unsigned long long)disk);
    if (!host->unsandboxed) { /* outside a namespace the count includes all else that the user runs */
        s_add_all (self, (const char *const[]){"--namespaces", "--processes", NULL});
        arguments_add (self, "%llu", (unsigned long long)processes + PROCESSES_BEYOND);
    }
    arguments_add (self, "--");
    s_add_command (self, host, job);
}

/* EVOMESH_AGENT for a mount at /agent, EVOMESH_A_B for one at /a/b. */
static void s_add_mount_variable (arguments_t *self, const sandbox_mount_t *mount)
{
    char name[64] = "EVOMESH";
    size_t length = strlen (name);
    for (const char *from = mount->target; *from && length + 1 < sizeof name; from++)
        name[length++] = isalnum ((unsigned char)*from) ? (char)toupper ((unsigned char)*from) : '_';
    name[length] = '\0';
    arguments_add (self, "%s=%s", name, mount->source);
}

void arguments_environment (arguments_t *self, const sandbox_host_t *host, const sandbox_job_t *job)
{
    assert (self != NULL && host != NULL && job != NULL);
    s_add_all (self,
               (const char *const[]){"PATH=/usr/bin", "HOME=/tmp", "TMPDIR=/tmp", "LANG=C.UTF-8", NULL});
    if (!host->unsandboxed)
        return;
    for (size_t i = 0; i < job->mount_count; i++)
        s_add_mount_variable (self, &job->mounts[i]);
    arguments_add (self, "EVOMESH_HELPERS=%s", host->helpers);
}
