/* SPDX-License-Identifier: MPL-2.0 */
/* The jail's seccomp filters. They forbid what no evaluator or candidate needs and what would widen the kernel's
 * attack surface, hide memory from the engine's accounting, or reach another process. All else is allowed: the walls
 * are the namespaces and Landlock; the filter closes the gaps between them. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "node/io/jail.h"

/* Refused with EPERM in every sandbox. */
static const int s_refused[] = {
    /* reaching into other processes */
    SCMP_SYS (ptrace), SCMP_SYS (process_vm_readv), SCMP_SYS (process_vm_writev), SCMP_SYS (pidfd_getfd),
    SCMP_SYS (kcmp), SCMP_SYS (migrate_pages), SCMP_SYS (move_pages),
    /* namespaces and mounts */
    SCMP_SYS (unshare), SCMP_SYS (setns), SCMP_SYS (mount), SCMP_SYS (umount), SCMP_SYS (umount2),
    SCMP_SYS (pivot_root), SCMP_SYS (chroot), SCMP_SYS (open_tree), SCMP_SYS (move_mount), SCMP_SYS (fsopen),
    SCMP_SYS (fsconfig), SCMP_SYS (fsmount), SCMP_SYS (fspick), SCMP_SYS (mount_setattr), SCMP_SYS (quotactl),
    SCMP_SYS (swapon), SCMP_SYS (swapoff), SCMP_SYS (open_by_handle_at), SCMP_SYS (name_to_handle_at),
    /* kernel machinery */
    SCMP_SYS (bpf), SCMP_SYS (perf_event_open), SCMP_SYS (userfaultfd), SCMP_SYS (add_key),
    SCMP_SYS (request_key), SCMP_SYS (keyctl), SCMP_SYS (init_module), SCMP_SYS (finit_module),
    SCMP_SYS (delete_module), SCMP_SYS (kexec_load), SCMP_SYS (kexec_file_load), SCMP_SYS (reboot),
    SCMP_SYS (syslog), SCMP_SYS (acct), SCMP_SYS (fanotify_init), SCMP_SYS (settimeofday),
    SCMP_SYS (clock_settime), SCMP_SYS (adjtimex), SCMP_SYS (clock_adjtime), SCMP_SYS (vhangup),
    SCMP_SYS (sethostname), SCMP_SYS (setdomainname),
    /* scheduling of others: could starve the supervisor */
    SCMP_SYS (sched_setscheduler), SCMP_SYS (sched_setparam), SCMP_SYS (sched_setattr),
    SCMP_SYS (ioprio_set)};

/* Answered as if the kernel did not know them (ENOSYS), so that libraries fall back: io_uring walks past filters;
 * memory in memfds and System V segments is seen by no process's resident size. */
static const int s_unknown[] = {SCMP_SYS (clone3),         SCMP_SYS (io_uring_setup),
                                SCMP_SYS (io_uring_enter), SCMP_SYS (io_uring_register),
                                SCMP_SYS (memfd_create),   SCMP_SYS (memfd_secret),
                                SCMP_SYS (shmget)};

/* Refused with EPERM to candidates too: ways to another process that neither Landlock nor closed descriptors bar. */
static const int s_refused_candidate[] = {
    SCMP_SYS (socket),     SCMP_SYS (shmat),   SCMP_SYS (shmctl),    SCMP_SYS (msgget),     SCMP_SYS (msgsnd),
    SCMP_SYS (msgrcv),     SCMP_SYS (msgctl),  SCMP_SYS (semget),    SCMP_SYS (semop),      SCMP_SYS (semctl),
    SCMP_SYS (semtimedop), SCMP_SYS (mq_open), SCMP_SYS (mq_unlink), SCMP_SYS (setpriority)};

#define COUNT(array) (sizeof (array) / sizeof (array)[0])

static void s_check (int rc)
{
    if (rc != 0)
        jail_die (JAIL_EXIT_REFUSED, "cannot build the system call filter: %s", strerror (-rc));
}

static void s_refuse (scmp_filter_ctx filter, const int *calls, size_t count, int error)
{
    for (size_t i = 0; i < count; i++)
        s_check (seccomp_rule_add (filter, SCMP_ACT_ERRNO ((unsigned)error), calls[i], 0));
}

static void s_refuse_if (scmp_filter_ctx filter, int call, struct scmp_arg_cmp condition)
{
    s_check (seccomp_rule_add (filter, SCMP_ACT_ERRNO (EPERM), call, 1, condition));
}

static void s_refuse_arguments (scmp_filter_ctx filter)
{
    const uint64_t spaces[] = {CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWPID,   CLONE_NEWNET,
                               CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP};
    for (size_t i = 0; i < COUNT (spaces); i++)
        s_refuse_if (filter, SCMP_SYS (clone), SCMP_A0 (SCMP_CMP_MASKED_EQ, spaces[i], spaces[i]));
    /* Limits and processors of others: the supervisor's own would be within reach. */
    s_refuse_if (filter, SCMP_SYS (prlimit64), SCMP_A0 (SCMP_CMP_NE, 0));
    /* Typing into a terminal that somebody else reads. */
    s_refuse_if (filter, SCMP_SYS (ioctl), SCMP_A1 (SCMP_CMP_MASKED_EQ, 0xffffffffU, TIOCSTI));
    s_refuse_if (filter, SCMP_SYS (ioctl), SCMP_A1 (SCMP_CMP_MASKED_EQ, 0xffffffffU, TIOCLINUX));
}

/* Where Landlock can't scope signals (before Linux 6.12) a candidate may signal nobody but itself. */
static void s_refuse_signals (scmp_filter_ctx filter)
{
    scmp_datum_t self = (scmp_datum_t)getpid ();
    const int by_process[] = {SCMP_SYS (kill), SCMP_SYS (tgkill), SCMP_SYS (rt_sigqueueinfo),
                              SCMP_SYS (rt_tgsigqueueinfo)};
    const int wholly[] = {SCMP_SYS (tkill), SCMP_SYS (pidfd_send_signal)};
    for (size_t i = 0; i < COUNT (by_process); i++)
        s_refuse_if (filter, by_process[i], SCMP_A0 (SCMP_CMP_NE, self));
    s_refuse (filter, wholly, COUNT (wholly), EPERM);
    s_refuse_if (filter, SCMP_SYS (fcntl), SCMP_A1 (SCMP_CMP_MASKED_EQ, 0xffffffffU, F_SETOWN));
    s_refuse_if (filter, SCMP_SYS (fcntl), SCMP_A1 (SCMP_CMP_MASKED_EQ, 0xffffffffU, F_SETOWN_EX));
}

static void s_refuse_children (scmp_filter_ctx filter)
{
    const int calls[] = {SCMP_SYS (fork), SCMP_SYS (vfork), SCMP_SYS (clone)};
    s_refuse (filter, calls, COUNT (calls), EAGAIN); /* the error of a reached RLIMIT_NPROC */
}

void jail_filter (jail_filter_t kind, bool alone, bool scoped)
{
    scmp_filter_ctx filter = seccomp_init (SCMP_ACT_ALLOW);
    if (filter == NULL)
        jail_die (JAIL_EXIT_REFUSED, "cannot build the system call filter: out of memory");
    s_check (seccomp_attr_set (filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO (ENOSYS)));
    s_check (seccomp_attr_set (filter, SCMP_FLTATR_CTL_OPTIMIZE,
                               2)); /* a tree, not a chain: cheap for each call */
    s_refuse (filter, s_refused, COUNT (s_refused), EPERM);
    s_refuse (filter, s_unknown, COUNT (s_unknown), ENOSYS);
    if (alone)
        s_refuse_children (filter);
    s_refuse_arguments (filter);
    if (kind == JAIL_FILTER_CANDIDATE) {
        s_refuse (filter, s_refused_candidate, COUNT (s_refused_candidate), EPERM);
        s_refuse_if (filter, SCMP_SYS (sched_setaffinity), SCMP_A0 (SCMP_CMP_NE, 0));
        if (!scoped)
            s_refuse_signals (filter);
    }
    int rc = seccomp_load (filter);
    if (rc != 0)
        jail_die (JAIL_EXIT_REFUSED, "cannot load the system call filter: %s", strerror (-rc));
    seccomp_release (filter);
}
